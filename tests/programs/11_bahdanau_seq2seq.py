"""Sequence-to-sequence model with additive (Bahdanau) attention, trained with teacher forcing."""
import numpy as np


def softmax(x, axis=-1):
    e = np.exp(x - x.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)


def encode(src, E, Wx, Wh, b):
    h = np.zeros(Wh.shape[0])
    states = []
    for t in range(len(src)):
        h = np.tanh(E[src[t]] @ Wx + h @ Wh + b)
        states.append(h)
    return np.stack(states)


def attend(s, H, Wa, Ua, va):
    e = np.tanh(s @ Wa + H @ Ua) @ va
    alpha = softmax(e)
    return alpha @ H, alpha


def loss(src: "int S", tgt_in: "int T", tgt_out: "int T",
         E_src: "Vs D", E_tgt: "Vt D",
         Wx: "D H", Wh: "H H", b: "H",
         Wy: "D H", Ws: "H H", Wc: "H H", bs: "H",
         Wa: "H A", Ua: "H A", va: "A",
         Wo: "H Vt", Co: "H Vt", bo: "Vt"):
    H = encode(src, E_src, Wx, Wh, b)
    s = H[-1]
    nll = 0.0
    for t in range(len(tgt_in)):
        ctx, _ = attend(s, H, Wa, Ua, va)
        s = np.tanh(E_tgt[tgt_in[t]] @ Wy + s @ Ws + ctx @ Wc + bs)
        p = softmax(s @ Wo + ctx @ Co + bo)
        nll -= np.log(p[tgt_out[t]])
    return nll / len(tgt_out)


def example(rng):
    S, T, Vs, Vt, D, H, A = 5, 4, 7, 6, 3, 4, 3
    r = lambda *shape: rng.normal(size=shape) * 0.5
    tgt = rng.integers(0, Vt, T + 1)
    return dict(src=rng.integers(0, Vs, S), tgt_in=tgt[:-1], tgt_out=tgt[1:],
                E_src=r(Vs, D), E_tgt=r(Vt, D), Wx=r(D, H), Wh=r(H, H), b=r(H),
                Wy=r(D, H), Ws=r(H, H), Wc=r(H, H), bs=r(H),
                Wa=r(H, A), Ua=r(H, A), va=r(A), Wo=r(H, Vt), Co=r(H, Vt), bo=r(Vt))
