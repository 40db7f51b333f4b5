"""Networks as their textbooks have them, and the books' lines: docs/classics.md shows both.

In: nothing. Out: `CLASSICS`. A line of a book stands beside the equation of the array, or of its
adjoint ("∂W"), that says the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

# mypy: ignore-errors
# ruff: noqa: E741


def two_layers(x: "K", y: "M", w1: "H K", b1: "H", w2: "M H", b2: "M"):
    a1 = 1 / (1 + np.exp(-(w1 @ x + b1)))
    a2 = 1 / (1 + np.exp(-(w2 @ a1 + b2)))
    return np.sum((a2 - y) ** 2) / 2


def deep(x: "H", y: "H", w: "L H H", b: "L H"):
    a = x
    for l in range(w.shape[0]):
        a = np.tanh(w[l] @ a + b[l])
    return np.sum((a - y) ** 2) / 2


def softmax_classifier(X: "N D", y: "int N", W: "D H", b: "H", W2: "H K", b2: "K"):
    hidden = np.maximum(0, X @ W + b)
    scores = hidden @ W2 + b2
    exp_scores = np.exp(scores)
    probs = exp_scores / np.sum(exp_scores, axis=1, keepdims=True)
    return np.mean(-np.log(probs[np.arange(X.shape[0]), y]))


def batch_norm(hprebn: "n D", bngain: "D", bnbias: "D", t: "n D"):
    n = hprebn.shape[0]
    bnmeani = 1 / n * hprebn.sum(0, keepdims=True)
    bndiff = hprebn - bnmeani
    bnvar = 1 / (n - 1) * (bndiff**2).sum(0, keepdims=True)
    bnvar_inv = (bnvar + 1e-5) ** -0.5
    bnraw = bndiff * bnvar_inv
    hpreact = bngain * bnraw + bnbias
    return np.sum(np.tanh(hpreact) * t)


def weight_decay(x: "D", y: "Q", W1: "H D", W2: "Q H", lam: ""):
    z = W1 @ x
    h = np.tanh(z)
    o = W2 @ h
    return np.sum((o - y) ** 2) / 2 + lam / 2 * (np.sum(W1**2) + np.sum(W2**2))


def lstm(x: "T D", G: "T H", W_f: "H D", U_f: "H H", W_i: "H D", U_i: "H H", W_o: "H D",
         U_o: "H H", W_c: "H D", U_c: "H H"):
    h = np.zeros(U_f.shape[0])
    c = np.zeros(U_f.shape[0])
    loss = 0.0
    for t in range(x.shape[0]):
        f = 1 / (1 + np.exp(-(W_f @ x[t] + U_f @ h)))
        i = 1 / (1 + np.exp(-(W_i @ x[t] + U_i @ h)))
        o = 1 / (1 + np.exp(-(W_o @ x[t] + U_o @ h)))
        g = np.tanh(W_c @ x[t] + U_c @ h)
        c = f * c + i * g
        h = o * np.tanh(c)
        loss += np.sum(h * G[t])
    return loss


def attention(Q: "N D", K: "M D", V: "M D", G: "N D"):
    S = Q @ K.T / np.sqrt(Q.shape[1])
    e = np.exp(S - S.max(axis=1, keepdims=True))
    P = e / e.sum(axis=1, keepdims=True)
    O = P @ V
    return np.sum(O * G)


def recurrent(x: "T K", y: "T M", U: "H K", W: "H H", V: "M H", b: "H", c: "M"):
    h = np.zeros(W.shape[0])
    loss = 0.0
    for t in range(x.shape[0]):
        a = b + W @ h + U @ x[t]
        h = np.tanh(a)
        o = c + V @ h
        loss += np.sum((o - y[t]) ** 2) / 2
    return loss


def convolution(x: "A B", k: "3 3", t: "A-2 B-2"):
    windows = np.lib.stride_tricks.sliding_window_view(x, (3, 3))
    y = np.einsum("abuv,uv->ab", windows, k)
    return np.sum(t * np.tanh(y))


def ridge(X: "N K", Y: "N M", W: "K M", lam: ""):
    return np.sum((X @ W - Y) ** 2) / 2 + lam / 2 * np.sum(W**2)


def gaussian(S: "D D", Sigma: "D D"):
    P = np.linalg.inv(Sigma)
    return (np.linalg.slogdet(Sigma)[1] + np.trace(P @ S)) / 2


def mazur(i: "2", t: "2", W1: "2 2", b1: "", W2: "2 2", b2: ""):
    out_h = 1 / (1 + np.exp(-(W1 @ i + b1)))
    out_o = 1 / (1 + np.exp(-(W2 @ out_h + b2)))
    return np.sum((t - out_o) ** 2) / 2


@dataclass(frozen=True)
class Classic:
    """A network, the book that has it, and its lines, each with the array whose line says it."""

    title: str
    source: str
    function: Callable[..., Any]
    wrt: Sequence[str]
    lines: Sequence[tuple[str, str]]
    profile: str | None = None
    names: Mapping[str, str] = field(default_factory=dict)
    remark: str = ""


CLASSICS = (
    Classic(
        "Nielsen's four equations", "M. Nielsen, *Neural Networks and Deep Learning*, chapter 2: "
        "BP1 to BP4, with the quadratic cost, whose ∇_a C is a² - y.", two_layers,
        ["w1", "b1", "w2", "b2"], [
            (r"\delta^L = \nabla_a C \odot \sigma'(z^L)", "∂@w2@0"),
            (r"\delta^l = ((w^{l+1})^T \delta^{l+1}) \odot \sigma'(z^l)", "∂@w1@0"),
            (r"\frac{\partial C}{\partial b^l_j} = \delta^l_j", "∂b1"),
            (r"\frac{\partial C}{\partial w^l_{jk}} = a^{l-1}_k \delta^l_j", "∂w2")],
        profile="nielsen"),
    Classic(
        "CS231n: softmax and a hidden layer", "CS231n, *Putting it together: Minimal Neural "
        "Network Case Study*.", softmax_classifier, ["W", "b", "W2", "b2"], [
            (r"\frac{\partial L_i}{\partial f_k} = p_k - \mathbb{1}(y_i = k)", "∂@W2@0"),
            ("`dW2 = np.dot(hidden_layer.T, dscores)`", "∂W2"),
            ("`db2 = np.sum(dscores, axis=0)`", "∂b2"),
            ("`dhidden = np.dot(dscores, W2.T)`", "∂hidden"),
            ("`dhidden[hidden_layer <= 0] = 0`", "∂@W@0"),
            ("`dW = np.dot(X.T, dhidden)`", "∂W")],
        profile="cs231n"),
    Classic(
        "makemore: batch norm in one line", "A. Karpathy, *Neural Networks: Zero to Hero*, "
        "makemore part 4, exercise 3.", batch_norm, ["hprebn", "bngain", "bnbias"], [
            ("`dbngain = (bnraw * dhpreact).sum(0)`", "∂bngain"),
            ("`dbnbias = dhpreact.sum(0)`", "∂bnbias"),
            ("`dhprebn = bngain*bnvar_inv/n * (n*dhpreact - dhpreact.sum(0) - "
             "n/(n-1)*bnraw*(dhpreact*bnraw).sum(0))`", "∂hprebn")],
        remark="The mean path is gone in one step, *centred sum*: "
        "`symprop derive --detail full` has it."),
    Classic(
        "Dive into Deep Learning: two layers with weight decay", "A. Zhang, Z. Lipton, M. Li, "
        "A. Smola, *Dive into Deep Learning*, section 5.3; here with l = ½ ‖o - y‖², so that "
        "∂J/∂o = o - y.", weight_decay, ["W1", "W2"], [
            (r"\frac{\partial J}{\partial \mathbf{W}^{(2)}} = \frac{\partial J}{\partial "
             r"\mathbf{o}} \mathbf{h}^\top + \lambda \mathbf{W}^{(2)}", "∂W2"),
            (r"\frac{\partial J}{\partial \mathbf{z}} = \frac{\partial J}{\partial "
             r"\mathbf{h}} \odot \phi'(\mathbf{z}), \quad \frac{\partial J}{\partial "
             r"\mathbf{h}} = {\mathbf{W}^{(2)}}^\top \frac{\partial J}{\partial \mathbf{o}}",
             "∂z"),
            (r"\frac{\partial J}{\partial \mathbf{W}^{(1)}} = \frac{\partial J}{\partial "
             r"\mathbf{z}} \mathbf{x}^\top + \lambda \mathbf{W}^{(1)}", "∂W1")],
        profile="d2l", names={"lam": r"\lambda", "error": "e"}),
    Classic(
        "The gates of the LSTM", "S. Hochreiter, J. Schmidhuber 1997, with the forget gate of Gers "
        "2000; δ is the adjoint before the function of a gate.", lstm,
        ["W_f", "U_f", "W_i", "U_i", "W_o", "U_o", "W_c", "U_c"], [
            (r"\bar c_t = \bar h_t \odot o_t \odot (1 - \tanh^2 c_t) + \bar c_{t+1} \odot "
             r"f_{t+1}", "∂c"),
            (r"\delta^f_t = \bar c_t \odot c_{t-1} \odot \sigma'(z^f_t)", "∂@U_f@0"),
            (r"\delta^i_t = \bar c_t \odot g_t \odot \sigma'(z^i_t)", "∂@U_i@0"),
            (r"\delta^o_t = \bar h_t \odot \tanh c_t \odot \sigma'(z^o_t)", "∂@U_o@0"),
            (r"\delta^g_t = \bar c_t \odot i_t \odot \tanh'(z^g_t)", "∂@U_c@0"),
            (r"\bar W^f = \sum_t \delta^f_t x_t^\top", "∂W_f"),
            (r"\bar U^f = \sum_t \delta^f_t h_{t-1}^\top", "∂U_f")],
        names={"z1": "z^{f}", "z2": "z^{i}", "z3": "z^{o}", "z4": "z^{g}"},
        remark="Beyond the last step an adjoint is 0: $\\bar c_{T+1}$ in the book."),
    Classic(
        "Attention", "A. Vaswani et al. 2017, one head; the backward pass as in T. Dao 2022, "
        "appendix B.", attention, ["Q", "K", "V"], [
            (r"dV = P^\top dO", "∂V"), (r"dP = dO V^\top", "∂P"),
            (r"dS_{ij} = P_{ij} (dP_{ij} - \textstyle\sum_l P_{il} dP_{il})", "∂S"),
            (r"dQ = dS K / \sqrt d", "∂Q"), (r"dK = dS^\top Q / \sqrt d", "∂K")],
        remark="G is the adjoint of O, which is handed in."),
    Classic(
        "Backpropagation through time", "I. Goodfellow, Y. Bengio, A. Courville, *Deep Learning*, "
        "equations 10.17 to 10.28, with squared errors.", recurrent,
        ["U", "W", "V", "b", "c"], [
            (r"\nabla_{o^{(t)}} L = \hat y^{(t)} - y^{(t)}", "∂o"),
            (r"\nabla_{h^{(t)}} L = W^\top (\nabla_{h^{(t+1)}} L) \, \mathrm{diag}(1 - "
             r"(h^{(t+1)})^2) + V^\top (\nabla_{o^{(t)}} L)", "∂a"),
            (r"\nabla_V L = \textstyle\sum_t (\nabla_{o^{(t)}} L) h^{(t)\top}", "∂V"),
            (r"\nabla_W L = \textstyle\sum_t \mathrm{diag}(1 - (h^{(t)})^2) "
             r"(\nabla_{h^{(t)}} L) h^{(t-1)\top}", "∂W"),
            (r"\nabla_U L = \textstyle\sum_t \mathrm{diag}(1 - (h^{(t)})^2) "
             r"(\nabla_{h^{(t)}} L) x^{(t)\top}", "∂U")],
        profile="goodfellow",
        remark="symprop names the gradient before tanh, $\\nabla_a$; the book that of h, one "
        "factor tanh' before it."),
    Classic(
        "Convolution with the flipped kernel", "I. Goodfellow et al., section 9.5; V. Dumoulin, "
        "F. Visin 2016.", convolution, ["x", "k"], [
            (r"\bar x = \bar y *_{\mathrm{full}} \mathrm{flip}(k)", "∂x"),
            (r"\bar k = x *_{\mathrm{valid}} \bar y", "∂k")],
        remark="A position $a - i$ that falls as $i$ grows is the flip; that $\\bar y$ is 0 "
        "outside is the padding of the full convolution."),
    Classic(
        "Ridge regression", "C. Bishop, *Pattern Recognition and Machine Learning*, 3.1.4.", ridge,
        ["W"], [(r"\lambda W + X^\top (X W - Y)", "closed ∂W")], names={"lam": r"\lambda"}),
    Classic(
        "The Gaussian's Σ", "K. Petersen, M. Pedersen, *The Matrix Cookbook*, (57) and (63): the "
        "negative log-likelihood, S the scatter around the mean.",
        gaussian, ["Sigma"], [
            (r"\tfrac12 (\Sigma^{-\top} - (\Sigma^{-1} S \Sigma^{-1})^\top)", "∂Sigma"),
            (r"\Sigma^\top X = \tfrac12 S^\top", "∂P")],
        names={"Sigma": r"\Sigma"},
        remark="P is the inverse, the X with ΣX = 1. What stands for its adjoint solves a system "
        "as well: it is $\\tfrac12 \\Sigma^{-\\top} S^\\top$."),
)

# M. Mazur, A Step by Step Backpropagation Example: what the page has, by what it is called there.
MAZUR = {
    "i": [0.05, 0.10], "t": [0.01, 0.99], "b1": 0.35, "b2": 0.60,
    "W1": [[0.15, 0.20], [0.25, 0.30]], "W2": [[0.40, 0.45], [0.50, 0.55]],
}
STEP = 0.5
PAGE = (
    (r"out_{h1}", 0.593269992, "out_h", (0,)), (r"out_{h2}", 0.596884378, "out_h", (1,)),
    (r"out_{o1}", 0.75136507, "out_o", (0,)), (r"out_{o2}", 0.772928465, "out_o", (1,)),
    (r"E_{total}", 0.298371109, "L", ()),
    (r"\partial E_{total} / \partial w_5", 0.082167041, "∂W2", (0, 0)),
    (r"\partial E_{total} / \partial w_1", 0.000438568, "∂W1", (0, 0)),
    (r"w_1^+", 0.149780716, "W1+", (0, 0)), (r"w_2^+", 0.19956143, "W1+", (0, 1)),
    (r"w_3^+", 0.24975114, "W1+", (1, 0)), (r"w_4^+", 0.29950229, "W1+", (1, 1)),
    (r"w_5^+", 0.35891648, "W2+", (0, 0)), (r"w_6^+", 0.408666186, "W2+", (0, 1)),
    (r"w_7^+", 0.511301270, "W2+", (1, 0)), (r"w_8^+", 0.561370121, "W2+", (1, 1)),
    (r"E_{total} \text{ after the step}", 0.291027924, "L+", ()),
)
