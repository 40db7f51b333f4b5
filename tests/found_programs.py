"""Programs drawn at random on which something was wrong once; above each, what.

What they share with NumPy's users is that nobody wrote them with the program's ways in mind.
"""

import numpy as np

from symprop import scan

windows = np.lib.stride_tricks.sliding_window_view


def standardize(a, axis=-1, eps=1e-3):
    mu = a.mean(axis=axis, keepdims=True)
    return (a - mu) / np.sqrt(((a - mu) ** 2).mean(axis=axis, keepdims=True) + eps)


def softmax(a, axis=-1, T=1.0):
    e = np.exp((a - np.max(a, axis=axis, keepdims=True)) / T)
    return e / e.sum(axis=axis, keepdims=True)


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def masked_mean(x, mask):
    count = np.maximum(mask.sum(axis=-1, keepdims=True), 1)
    return np.where(mask, x, 0.0).sum(axis=-1, keepdims=True) / count + 0 * x


# an empty difference at sizes of 1: clipped positions of an axis without entries
def empty_difference(x: "M K H", W: "H", alpha: "int K"):
    t1 = W[alpha]
    score = x * (x > 0)
    m = np.diff(score, axis=0)
    return np.log(np.sum(np.exp(t1 / 9))) + np.mean(np.tanh(score)) + np.sqrt(np.sum(m**2) + 1)


# a gathered column, padded
def padded_column(u: "2 5", g: "7 5", phi: "7 2 7", res: "int 7"):
    hid = np.einsum("dbn,ij->dnj", phi, u) / 2
    r = np.take_along_axis(g, res[:, None], 1)[:, 0]
    p = np.pad(r, (2, 2))
    return np.mean(np.tanh(hid)) + np.sum(np.sin(r + 0.3)) + np.sqrt(np.sum(p**2) + 1)


# a transposition of a vector
def transposed_vector(res: "N H", u: "K K", x: "int N", tmp: "2", c: "K-1 M"):
    q = np.take_along_axis(u, np.argsort(-u, axis=0), axis=0) * 1.5
    hid2 = np.take_along_axis(res, x[:, None], axis=1)
    hid3 = np.stack([q[..., :-1], q[..., 1:]], axis=-1) @ tmp
    p4 = np.triu(u) + u.T
    p5 = hid3.dot(c) / 2
    return np.log(np.sum(np.exp(p4 / 9))) + np.sqrt(np.sum(p5**2) + 1) + np.mean(hid2[..., 0]**2)


# a bracket that guards another one's read: sifting reads out of range
def window_maximum(out: "5 5", res: "7 5 5", out41: "2", tmp: "int 5"):
    p1 = np.einsum("fmj,fjm->mj", res, res) / 2
    a2 = np.max(windows(p1, 2, axis=-1) * out41, axis=-1)
    t3 = np.take_along_axis(a2, tmp[:, None], axis=1)
    t5 = softmax(t3, -1, T=2.5)
    q6 = t3 / np.max(np.abs(t3), axis=1, keepdims=True)
    return np.sum(np.trace(p1) * p1 * out) + np.sum(np.sin(t5 + 0.3)) + np.mean(np.tanh(q6))


# fold: before and after differ
def one_hot_choice(y: "M H", tmp: "K K", z0: "2", u: "int K"):
    def step(carry, xt):
        s0 = {"m": np.maximum(carry["m"], xt), "q": carry["q"] * 0.7 + xt**2}
        return s0, s0["m"] - s0["q"]

    fin, ys = scan(step, {"m": y[0] - 0.3, "q": y[-1]}, y)
    q2 = ys * 0.5 + fin["q"]
    q4 = np.einsum("ii->i", np.tril(tmp, -1))
    t5 = windows(y, 2, axis=-1) @ z0
    r6 = np.einsum("ec,m->emc", t5, z0) / 2
    a7 = np.where(u[:, None] == np.arange(tmp.shape[1]), tmp, 0.1 * tmp)
    return (np.log(np.sum(np.exp(r6 / 9))) + np.mean(a7**2) + np.mean((a7 - q4) ** 2)
            + np.mean(np.sin(q2)))


# insert: nan, through a recurrence and an inverse
def inverse_after_scan(V: "N N", x: "int N", emb: "N 1"):
    m2 = np.take_along_axis(V, x[:, None], axis=1)

    def step(carry, _):
        return carry - 0.1 * (carry**3 - np.abs(m2)), None

    a6, _ = scan(step, m2 * 0.5, None, length=4)
    r7 = np.swapaxes(np.cumsum(V, axis=1), 0, 1)
    inverse = np.linalg.inv(a6 @ a6.T + 2 * np.eye(a6.shape[0]))
    return (np.sum(a6 * emb) + np.sqrt(np.sum(r7**2) + 1)
            + np.sqrt(np.sum(inverse**2) + 1))


# fold: a division by a guarded maximum
def masked_means(m: "2", h: "bool 2", emb: "bool 2"):
    a1 = masked_mean(m, h)
    m3 = masked_mean(a1, emb)
    r4 = m3[np.array([[-1, 0], [0, 0]])]
    return np.mean(a1[None] ** 2) + np.sqrt(np.sum(m3**2) + 1) + np.mean(r4**2)


# a flip, then a window of two axes
def flipped_windows(alpha: "7 5", h: "2 3"):
    p1 = np.flip(alpha, axis=0)
    d3 = np.einsum("ijab,ab->ij", windows(p1, (2, 3)), h) / 2
    s6 = np.linalg.inv(d3 @ d3.T + 2 * np.eye(d3.shape[0]))
    s8 = d3.T @ d3 / 3
    return np.mean(np.tanh(s6)) + np.log(np.sum(np.exp(s6.T / 9))) + np.sum(np.sin(s8 + 0.3))


# np.add.at with values of fewer axes than the index
def added_at(emb: "N K", res: "M", W: "int K 2", emb32: "K 2"):
    hid2 = np.sqrt(np.sum((res[:, None] * res) ** 2, axis=0) + 0.01)
    s3 = np.take(hid2, W, axis=0)
    score4 = np.linalg.inv(emb @ emb.T + 2 * np.eye(emb.shape[0]))
    d5 = (np.eye(s3.shape[0]) * 2 - 1) @ s3
    return np.sqrt(np.sum(s3**2) + 1) + np.sum(np.sin(score4 + 0.3)) + np.sum(d5 * emb32)


# np.convolve with the first operand shorter than the kernel
def short_convolution(u: "K", x: "N N", state: "K N", theta: "int K", alpha: "2", mask_: "3"):
    t1 = np.take_along_axis(state, theta[:, None], axis=1)
    a2 = np.stack([x[..., :-1], x[..., 1:]], axis=-1) @ alpha
    d3 = standardize(a2, axis=0)
    p5 = np.concatenate([a2, np.cumsum(a2, axis=1)], axis=1)
    t6 = np.sum(x, axis=(-2, -1), keepdims=True)
    d7 = np.convolve(u, mask_, mode="same") / 2
    return (np.sqrt(np.sum(t6**2) + 1) + np.log(np.sum(np.exp(d7 / 9))) + np.sum(np.sin(p5))
            + np.sum(np.sin(t1)) + np.sum(d3**3))


# a product over two axes
def product_of_axes(b: "2 7", u: "2 7"):
    score = np.logaddexp(0, b)
    r3 = np.prod(1 + np.log1p(score**2) / 3, axis=(0, 1), keepdims=True)
    s4 = np.hypot(r3, u)
    q5 = np.pad(s4, ((0, 1), (1, 0)), mode="reflect")

    def step(carry, xt):
        hh, cc = carry
        cn = 0.5 * cc + np.tanh(xt + hh)
        hn = np.sin(cn) * sigmoid(hh)
        return (hn, cn), hn

    (last, _), ys = scan(step, (np.zeros_like(score[0]), np.ones_like(score[0])), score)
    return (np.sum(np.sin(s4 + 0.3)) + np.mean(np.tanh(q5))
            + np.log(np.sum(np.exp((ys + last) / 9))))
