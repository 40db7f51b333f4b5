"""A BERT-style encoder layer (post-norm) with the masked-token loss over the masked positions."""
import numpy as np
from scipy.special import erf, log_softmax, softmax


def gelu(x):
    return x * 0.5 * (1.0 + erf(x / np.sqrt(2.0)))


def layer_norm(x, p):
    x = x - x.mean(axis=-1, keepdims=True)
    return p["scale"] * x / np.sqrt((x**2).mean(axis=-1, keepdims=True) + 1e-12) + p["shift"]


def attention(x, attn_mask, p, n_heads):
    B, L, D = x.shape
    split = lambda t: t.reshape(B, L, n_heads, D // n_heads)
    q, k, v = split(x @ p["Wq"]), split(x @ p["Wk"]), split(x @ p["Wv"])
    scores = np.einsum("blhd,bmhd->bhlm", q, k) / np.sqrt(D // n_heads)
    scores = scores + (1.0 - attn_mask[:, None, None, :]) * -10000.0
    ctx = np.einsum("bhlm,bmhd->blhd", softmax(scores, axis=-1), v)
    return ctx.reshape(B, L, D) @ p["Wo"]


LN = {"scale": "D", "shift": "D"}


def loss(
    tokens: "int B L", segments: "int B L", labels: "int B L",
    attn_mask: "B L", mlm_mask: "B L",
    emb: {"tok": "V D", "pos": "L D", "seg": "2 D", "ln": LN},
    layer: {"Wq": "D D", "Wk": "D D", "Wv": "D D", "Wo": "D D", "ln1": LN,
            "W1": "D F", "b1": "F", "W2": "F D", "b2": "D", "ln2": LN},
    out_bias: "V",
    n_heads=2,
):
    x = emb["tok"][tokens] + emb["pos"] + emb["seg"][segments]
    x = layer_norm(x, emb["ln"])
    x = layer_norm(x + attention(x, attn_mask, layer, n_heads), layer["ln1"])
    h = gelu(x @ layer["W1"] + layer["b1"]) @ layer["W2"] + layer["b2"]
    x = layer_norm(x + h, layer["ln2"])
    logp = log_softmax(x @ emb["tok"].T + out_bias, axis=-1)
    nll = -np.take_along_axis(logp, labels[..., None], axis=-1)[..., 0]
    return (nll * mlm_mask).sum() / mlm_mask.sum()


def example(rng):
    B, L, V, D, F = 2, 5, 9, 4, 6
    w = lambda *s: 0.4 * rng.normal(size=s)
    ln = lambda: {"scale": 1 + 0.1 * w(D), "shift": 0.1 * w(D)}
    mask = np.ones((B, L))
    mask[1, -1] = 0
    mlm = np.zeros((B, L))
    mlm[0, 1] = mlm[0, 3] = mlm[1, 2] = 1
    return dict(tokens=rng.integers(0, V, (B, L)), segments=rng.integers(0, 2, (B, L)),
                labels=rng.integers(0, V, (B, L)), attn_mask=mask, mlm_mask=mlm,
                emb={"tok": w(V, D), "pos": w(L, D), "seg": w(2, D), "ln": ln()},
                layer={"Wq": w(D, D), "Wk": w(D, D), "Wv": w(D, D), "Wo": w(D, D), "ln1": ln(),
                       "W1": w(D, F), "b1": w(F), "W2": w(F, D), "b2": w(D), "ln2": ln()},
                out_bias=w(V))
