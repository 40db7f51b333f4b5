"""Many spellings of the functions whose gradients have a closed form that people know.

A family has one mathematics, one hand-written backward pass (its source is the formula that
stands above it), and many spellings of the forward pass. No spelling is known to the package.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy import special

import symprop
from symprop import nn

EPS = 1e-5
Hand = Callable[..., tuple[Callable[..., dict[str, Any]], tuple[Any, ...]]]


@dataclass(frozen=True)
class Family:
    """Spellings of one function, the hand-written backward and the terms of the closed form.

    hand(**inputs) gives the backward pass and the kept values that it reads. `form` lists the
    number of sums in each term of the gradient of `of`, multiplied out (with `through`, of the
    adjoint that this gradient reads); None where spellings differ.
    """

    hand: Hand
    wrt: tuple[str, ...]
    of: str
    form: tuple[int, ...] | None
    through: bool = False
    facts: tuple[Any, ...] = ()
    stable: bool = True  # finite for inputs of thousands
    steady: bool = False  # where it is not, the gradient still is
    spellings: Mapping[str, Callable[..., Any]] = field(default_factory=dict)


def logistic(x: Any) -> Any:
    """1/(1 + exp(-x)) without overflow."""
    e = np.exp(np.minimum(x, -x))
    return ((x >= 0) + (x < 0) * e) / (1 + e)


def spelled(*functions: Callable[..., Any]) -> dict[str, Callable[..., Any]]:
    """The functions by name."""
    return {f.__name__: f for f in functions}


# ---- softmax with cross-entropy, labels: Z̄ = (P - 1[m = y])/N ------------------------------


def hand_labels(Z: Any, y: Any) -> Any:
    P = special.softmax(Z, axis=1)

    def backward(P: Any, y: Any) -> dict[str, Any]:
        n = len(P)
        dZ = P * (1 / n)
        np.subtract.at(dZ, (np.arange(n), y), 1 / n)
        return {"Z": dZ}

    return backward, (P, y)


def ce_shifted(Z: "N M", y: "int N"):
    m = Z.max(axis=1, keepdims=True)
    e = np.exp(Z - m)
    s = e.sum(axis=1, keepdims=True)
    P = e / s
    return -np.mean(np.log(P[np.arange(Z.shape[0]), y]))


def ce_one_expression(Z: "N M", y: "int N"):
    P = np.exp(Z - np.max(Z, axis=1, keepdims=True)) / np.sum(
        np.exp(Z - np.max(Z, axis=1, keepdims=True)), axis=1, keepdims=True)
    return -np.mean(np.log(np.take_along_axis(P, y[:, None], axis=1)))


def ce_log_softmax_written_out(Z: "N M", y: "int N"):
    c = Z - Z.max(axis=1, keepdims=True)
    log_p = c - np.log(np.exp(c).sum(axis=1, keepdims=True))
    return -np.mean(log_p[np.arange(Z.shape[0]), y])


def ce_logsumexp_written_out(Z: "N M", y: "int N"):
    m = np.max(Z, axis=1)
    lse = m + np.log(np.sum(np.exp(Z - m[:, None]), axis=1))
    return np.mean(lse - Z[np.arange(Z.shape[0]), y])


def ce_logsumexp_in_one_line(Z: "N M", y: "int N"):
    top = Z.max(axis=1, keepdims=True)
    return np.mean(
        np.log(np.exp(Z - top).sum(axis=1)) + top[:, 0] - Z[np.arange(Z.shape[0]), y])


def ce_log_softmax(Z: "N M", y: "int N"):
    return -np.mean(nn.log_softmax(Z, axis=1)[np.arange(Z.shape[0]), y])


def ce_nn(Z: "N M", y: "int N"):
    return nn.cross_entropy(Z, y)


def ce_logsumexp(Z: "N M", y: "int N"):
    return np.mean(nn.logsumexp(Z, axis=1) - Z[np.arange(Z.shape[0]), y])


def ce_unshifted(Z: "N M", y: "int N"):
    P = np.exp(Z) / np.exp(Z).sum(axis=1, keepdims=True)
    return -np.mean(np.log(P[np.arange(Z.shape[0]), y]))


def ce_unshifted_logsumexp(Z: "N M", y: "int N"):
    return np.mean(np.log(np.sum(np.exp(Z), axis=1)) - Z[np.arange(Z.shape[0]), y])


LABELS = Family(hand_labels, ("Z",), "Z", (0, 0), spellings=spelled(
    ce_log_softmax, ce_nn, ce_logsumexp))
LABELS_LOG = Family(
    hand_labels, ("Z",), "Z", (0, 0), stable=False, steady=True, spellings=spelled(
        ce_shifted, ce_one_expression))
LABELS_UNSHIFTED = Family(hand_labels, ("Z",), "Z", (0, 0), stable=False, spellings=spelled(
    ce_unshifted))


# Where only e and its sum are computed: Z̄ = (e/s - 1[m = y])/N.


def hand_labels_of_sum(Z: Any, y: Any) -> Any:
    e = np.exp(Z - Z.max(axis=1, keepdims=True))

    def backward(e: Any, s: Any, y: Any) -> dict[str, Any]:
        n = len(e)
        dZ = e * (1 / n / s)[:, None]
        np.subtract.at(dZ, (np.arange(n), y), 1 / n)
        return {"Z": dZ}

    return backward, (e, e.sum(axis=1), y)


LABELS_OF_SUM = Family(hand_labels_of_sum, ("Z",), "Z", (0, 0), spellings=spelled(
    ce_log_softmax_written_out, ce_logsumexp_written_out, ce_logsumexp_in_one_line))
LABELS_OF_SUM_UNSHIFTED = Family(
    hand_labels_of_sum, ("Z",), "Z", (0, 0), stable=False, spellings=spelled(
        ce_unshifted_logsumexp))


# ---- with an epsilon, exactly as it was written: q/(q + ε) of it -----------------------------
# Inside the logarithm: Z̄ = t (P - 1[m = y]), t = q/(q + ε)/N, q = P[y].


def hand_epsilon_in_log(Z: Any, y: Any) -> Any:
    P = special.softmax(Z, axis=1)
    q = P[np.arange(len(Z)), y]

    def backward(P: Any, q: Any, a: Any, y: Any) -> dict[str, Any]:
        n = len(P)
        t = 1 / n * q / a
        dZ = t[:, None] * P
        np.subtract.at(dZ, (np.arange(n), y), t)
        return {"Z": dZ}

    return backward, (P, q, q + 1e-9, y)


def ce_epsilon_in_log(Z: "N M", y: "int N"):
    e = np.exp(Z - Z.max(axis=1, keepdims=True))
    P = e / e.sum(axis=1, keepdims=True)
    return -np.mean(np.log(P[np.arange(Z.shape[0]), y] + 1e-9))


def ce_epsilon_in_log_of_all(Z: "N M", y: "int N"):
    P = nn.softmax(Z, axis=1)
    return -np.mean(np.log(P + 1e-9)[np.arange(Z.shape[0]), y])


EPSILON_IN_LOG = Family(hand_epsilon_in_log, ("Z",), "Z", (0, 0), spellings=spelled(
    ce_epsilon_in_log, ce_epsilon_in_log_of_all))

# In the denominator: Z̄ = (e/(s + ε) - 1[m = y])/N; the maximum's path is the rest, -ε/(s + ε)
# at the maximum, so the shift is left out here.


def hand_epsilon_below(Z: Any, y: Any) -> Any:
    e = np.exp(Z)
    return hand_labels(Z, y)[0], (e / (e.sum(axis=1, keepdims=True) + 1e-9), y)


def ce_epsilon_below(Z: "N M", y: "int N"):
    e = np.exp(Z)
    P = e / (e.sum(axis=1, keepdims=True) + 1e-9)
    return -np.mean(np.log(P[np.arange(Z.shape[0]), y]))


EPSILON_BELOW = Family(hand_epsilon_below, ("Z",), "Z", (0, 0), stable=False, spellings=spelled(
    ce_epsilon_below))


# ---- softmax with cross-entropy, distributions: Z̄ = (P - Y)/N --------------------------------


def hand_one_hot(Z: Any, Y: Any) -> Any:
    P = special.softmax(Z, axis=1)

    def backward(P: Any, Y: Any) -> dict[str, Any]:
        return {"Z": 1 / len(P) * (P - Y)}

    return backward, (P, Y)


def one_hot_shifted(Z: "N M", Y: "N M"):
    e = np.exp(Z - Z.max(axis=1, keepdims=True))
    P = e / e.sum(axis=1, keepdims=True)
    return -np.mean(np.sum(Y * np.log(P), axis=1))


def one_hot_sum_over_all(Z: "N M", Y: "N M"):
    e = np.exp(Z - Z.max(axis=1, keepdims=True))
    P = e / e.sum(axis=1, keepdims=True)
    return np.sum(-Y * np.log(P)) / Z.shape[0]


def one_hot_picked(Z: "N M", Y: "N M"):
    e = np.exp(Z - Z.max(axis=1, keepdims=True))
    P = e / e.sum(axis=1, keepdims=True)
    return -np.mean(np.log(np.sum(Y * P, axis=1)))


def one_hot_einsum(Z: "N M", Y: "N M"):
    log_p = nn.log_softmax(Z, axis=1)
    return -np.einsum("nm,nm->", Y, log_p) / Z.shape[0]


def one_hot_logsumexp(Z: "N M", Y: "N M"):
    m = Z.max(axis=1, keepdims=True)
    lse = m + np.log(np.exp(Z - m).sum(axis=1, keepdims=True))
    return np.sum(Y * (lse - Z)) / Z.shape[0]


def one_hot_logsumexp_apart(Z: "N M", Y: "N M"):
    m = Z.max(axis=1)
    lse = m + np.log(np.exp(Z - m[:, None]).sum(axis=1))
    return np.mean(lse - np.sum(Y * Z, axis=1))


def one_hot_nn(Z: "N M", Y: "N M"):
    return nn.cross_entropy(Z, Y)


def one_hot_unshifted(Z: "N M", Y: "N M"):
    P = np.exp(Z) / np.sum(np.exp(Z), axis=1, keepdims=True)
    return -np.mean(np.sum(Y * np.log(P), axis=1))


Y_SUMS_TO_ONE = (symprop.sums_to_one("Y", 1),)
ONE_HOT = Family(hand_one_hot, ("Z",), "Z", (0, 0), facts=Y_SUMS_TO_ONE, spellings=spelled(
    one_hot_einsum, one_hot_nn))
ONE_HOT_LOG = Family(
    hand_one_hot, ("Z",), "Z", (0, 0), facts=Y_SUMS_TO_ONE, stable=False, steady=True,
    spellings=spelled(one_hot_shifted, one_hot_sum_over_all))
ONE_HOT_UNSHIFTED = Family(
    hand_one_hot, ("Z",), "Z", (0, 0), facts=Y_SUMS_TO_ONE, stable=False, spellings=spelled(
        one_hot_unshifted))


# Where only e and its sum are computed: Z̄ = (e/s - Y)/N.


def hand_one_hot_of_sum(Z: Any, Y: Any) -> Any:
    e = np.exp(Z - Z.max(axis=1, keepdims=True))

    def backward(e: Any, s: Any, Y: Any) -> dict[str, Any]:
        return {"Z": 1 / len(e) * (e / s - Y)}

    return backward, (e, e.sum(axis=1, keepdims=True), Y)


ONE_HOT_OF_SUM = Family(
    hand_one_hot_of_sum, ("Z",), "Z", (0, 0), facts=Y_SUMS_TO_ONE, spellings=spelled(
        one_hot_logsumexp, one_hot_logsumexp_apart))


# Picked by a product, exactly as it was written: Z̄ = P (1 - Y/q)/N, q = Σ Y P.


def hand_picked(Z: Any, Y: Any) -> Any:
    P = special.softmax(Z, axis=1)
    q = np.sum(Y * P, axis=1, keepdims=True)

    def backward(P: Any, Y: Any, q: Any) -> dict[str, Any]:
        return {"Z": 1 / len(P) * P * (1 - Y / q)}

    return backward, (P, Y, q)


PICKED = Family(hand_picked, ("Z",), "Z", (0, 0), spellings=spelled(one_hot_picked))


# ---- logsumexp alone: x̄ = w softmax(x) -------------------------------------------------------


def hand_logsumexp(Z: Any, w: Any) -> Any:
    def backward(P: Any, w: Any) -> dict[str, Any]:
        return {"Z": w[:, None] * P}

    return backward, (special.softmax(Z, axis=1), w)


def lse_nn(Z: "N M", w: "N"):
    return np.sum(w * nn.logsumexp(Z, axis=1))


def lse_written_out(Z: "N M", w: "N"):
    m = Z.max(axis=1)
    return w @ (m + np.log(np.exp(Z - m[:, None]).sum(axis=1)))


def lse_unshifted(Z: "N M", w: "N"):
    return w @ np.log(np.exp(Z).sum(axis=1))


LOGSUMEXP = Family(hand_logsumexp, ("Z",), "Z", (0,), spellings=spelled(
    lse_nn, lse_written_out))
LOGSUMEXP_UNSHIFTED = Family(hand_logsumexp, ("Z",), "Z", (0,), stable=False, spellings=spelled(
    lse_unshifted))


# ---- sigmoid with binary cross-entropy: Z̄ = (A - Y)/N ----------------------------------------


def hand_bce(Z: Any, Y: Any) -> Any:
    def backward(A: Any, Y: Any) -> dict[str, Any]:
        return {"Z": 1 / len(A) * (A - Y)}

    return backward, (special.expit(Z), Y)


def bce_nn_sigmoid(Z: "N", Y: "N"):
    A = nn.sigmoid(Z)
    return -np.mean(Y * np.log(A) + (1 - Y) * np.log(1 - A))


def bce_expit(Z: "N", Y: "N"):
    A = special.expit(Z)
    return -(Y @ np.log(A) + (1 - Y) @ np.log1p(-A)) / Z.shape[0]


def bce_written_out(Z: "N", Y: "N"):
    A = 1 / (1 + np.exp(-Z))
    return -np.mean(Y * np.log(A) + (1 - Y) * np.log(1 - A))


def bce_exp_above(Z: "N", Y: "N"):
    A = np.exp(Z) / (1 + np.exp(Z))
    return -np.mean(Y * np.log(A) + (1 - Y) * np.log(1 - A))


def bce_exp_above_turned(Z: "N", Y: "N"):
    A = np.exp(Z) / (np.exp(Z) + 1)
    return np.mean(-Y * np.log(A) - (1 - Y) * np.log(1 - A))


def bce_by_tanh(Z: "N", Y: "N"):
    A = 0.5 * (1 + np.tanh(0.5 * Z))
    return -np.mean(Y * np.log(A) + (1 - Y) * np.log(1 - A))


def bce_with_logits(Z: "N", Y: "N"):
    return nn.binary_cross_entropy_with_logits(Z, Y)


def bce_logaddexp(Z: "N", Y: "N"):
    return np.mean(np.logaddexp(0, Z) - Y * Z)


def bce_softplus(Z: "N", Y: "N"):
    return np.mean(Y * nn.softplus(-Z) + (1 - Y) * nn.softplus(Z))


def bce_log1p(Z: "N", Y: "N"):
    return np.mean(np.log1p(np.exp(Z)) - Y * Z)


BCE = Family(hand_bce, ("Z",), "Z", (0, 0), spellings=spelled(bce_with_logits))
BCE_NAIVE = Family(hand_bce, ("Z",), "Z", (0, 0), stable=False, spellings=spelled(
    bce_nn_sigmoid, bce_expit, bce_written_out, bce_exp_above, bce_exp_above_turned, bce_by_tanh))


# Where the sigmoid is not computed, the backward pass computes it.


def hand_bce_of_logits(Z: Any, Y: Any) -> Any:
    def backward(Z: Any, Y: Any) -> dict[str, Any]:
        return {"Z": 1 / len(Z) * (logistic(Z) - Y)}

    return backward, (Z, Y)


BCE_OF_LOGITS = Family(hand_bce_of_logits, ("Z",), "Z", (0, 0), spellings=spelled(
    bce_logaddexp, bce_softplus))


def hand_bce_log1p(Z: Any, Y: Any) -> Any:
    def backward(e: Any, Y: Any) -> dict[str, Any]:
        return {"Z": 1 / len(e) * (e / (1 + e) - Y)}

    return backward, (np.exp(Z), Y)


BCE_LOG1P = Family(hand_bce_log1p, ("Z",), "Z", (0, 0), stable=False, spellings=spelled(bce_log1p))


# Labels ±1: Z̄ = -y σ(-y Z)/N


def hand_signed(Z: Any, y: Any) -> Any:
    def backward(u: Any, y: Any) -> dict[str, Any]:
        return {"Z": -1 / len(u) * y * logistic(u)}

    return backward, (-y * Z, y)


def signed_logaddexp(Z: "N", y: "N"):
    return np.mean(np.logaddexp(0, -y * Z))


def signed_softplus(Z: "N", y: "N"):
    return nn.softplus(-(y * Z)).mean()


def signed_log_sigmoid(Z: "N", y: "N"):
    return -np.mean(np.log(nn.sigmoid(y * Z)))


def signed_log1p(Z: "N", y: "N"):
    return np.mean(np.log1p(np.exp(-y * Z)))


SIGNED = Family(hand_signed, ("Z",), "Z", (0,), spellings=spelled(
    signed_logaddexp, signed_softplus))


# With the sigmoid kept -y (1 - A)/N, with the exponential kept -y e/(1 + e)/N.


def hand_signed_kept(Z: Any, y: Any) -> Any:
    def backward(A: Any, y: Any) -> dict[str, Any]:
        return {"Z": -1 / len(A) * y * (1 - A)}

    return backward, (special.expit(y * Z), y)


SIGNED_KEPT = Family(hand_signed_kept, ("Z",), "Z", (0, 0), stable=False, spellings=spelled(
    signed_log_sigmoid))


def hand_signed_log1p(Z: Any, y: Any) -> Any:
    def backward(e: Any, y: Any) -> dict[str, Any]:
        return {"Z": -1 / len(e) * y * e / (1 + e)}

    return backward, (np.exp(-y * Z), y)


SIGNED_LOG1P = Family(hand_signed_log1p, ("Z",), "Z", (0,), stable=False, spellings=spelled(
    signed_log1p))


# ---- layer norm: x̄ = r (ĥ - mean ĥ - h mean(ĥ h)), ĥ = ȳ g -----------------------------------


def normalized(x: Any) -> tuple[Any, Any]:
    r = 1 / np.sqrt(x.var(axis=1, keepdims=True) + EPS)
    return (x - x.mean(axis=1, keepdims=True)) * r, r


def back_through_norm(t: Any, h: Any, r: Any) -> Any:
    d = t.shape[1]
    p = t.sum(axis=1)[:, None] / d
    q = np.einsum("nd,nd->n", t, h)[:, None] / d
    return r * (t - p - h * q)


def hand_layer_norm(x: Any, g: Any, b: Any, w: Any) -> Any:
    h, r = normalized(x)

    def backward(w: Any, g: Any, h: Any, r: Any) -> dict[str, Any]:
        return {"x": back_through_norm(w * g, h, r), "g": np.einsum("nd,nd->d", w, h),
                "b": w.sum(axis=0)}

    return backward, (w, g, h, r)


def ln_named(x: "N D", g: "D", b: "D", w: "N D"):
    mu = x.mean(axis=1, keepdims=True)
    c = x - mu
    v = (c**2).mean(axis=1, keepdims=True)
    r = 1 / np.sqrt(v + EPS)
    h = c * r
    return np.sum((h * g + b) * w)


def ln_gain_merged(x: "N D", g: "D", b: "D", w: "N D"):
    mu = np.mean(x, axis=1, keepdims=True)
    c = x - mu
    v = np.mean(c * c, axis=1, keepdims=True)
    r = (v + EPS) ** -0.5
    y = c * r * g + b
    return np.sum(y * w)


def ln_gain_first(x: "N D", g: "D", b: "D", w: "N D"):
    c = x - x.mean(axis=-1, keepdims=True)
    y = g * c / np.sqrt(np.mean(np.square(c), axis=-1, keepdims=True) + EPS) + b
    return np.sum(y * w)


def ln_one_line(x: "N D", g: "D", b: "D", w: "N D"):
    y = g * (x - x.mean(1, keepdims=True)) / np.sqrt(x.var(1, keepdims=True) + EPS) + b
    return np.sum(y * w)


def ln_of_squares(x: "N D", g: "D", b: "D", w: "N D"):
    mu = x.mean(axis=1, keepdims=True)
    var = (x**2).mean(axis=1, keepdims=True) - mu**2
    return np.sum(((x - mu) / np.sqrt(var + EPS) * g + b) * w)


def ln_sums(x: "N D", g: "D", b: "D", w: "N D"):
    D = x.shape[1]
    c = x - np.sum(x, axis=1)[:, None] / D
    v = np.sum(c * c, axis=1)[:, None] / D
    return np.sum((c * (v + EPS) ** -0.5 * g + b) * w)


def ln_std(x: "N D", g: "D", b: "D", w: "N D"):
    mu, sigma = x.mean(1)[:, None], np.sqrt(np.var(x, 1) + EPS)[:, None]
    return np.sum(((x - mu) / sigma * g + b) * w)


def ln_einsum(x: "N D", g: "D", b: "D", w: "N D"):
    c = x - np.einsum("nd->n", x)[:, None] / x.shape[1]
    v = np.einsum("nd,nd->n", c, c)[:, None] / x.shape[1]
    return np.sum((c / np.sqrt(v + EPS) * g + b) * w)


def ln_scale_outside(x: "N D", g: "D", b: "D", w: "N D"):
    mu = x.mean(axis=1, keepdims=True)
    scale = g / np.sqrt(((x - mu) ** 2).mean(axis=1, keepdims=True) + EPS)
    return np.sum((scale * (x - mu) + b) * w)


def ln_shift_merged(x: "N D", g: "D", b: "D", w: "N D"):
    mu = x.mean(axis=1, keepdims=True)
    r = 1 / np.sqrt(x.var(axis=1, keepdims=True) + EPS)
    return np.sum((x * r - mu * r) * g * w) + np.sum(b * w)


def ln_unnamed(x: "N D", g: "D", b: "D", w: "N D"):
    return np.sum(w * (b + g * (
        (x - x.mean(axis=1, keepdims=True))
        / np.sqrt(((x - x.mean(axis=1, keepdims=True)) ** 2).mean(axis=1, keepdims=True) + EPS))))


LAYER_NORM = Family(hand_layer_norm, ("x", "g", "b"), "x", (0, 1, 1), spellings=spelled(
    ln_named, ln_gain_merged, ln_gain_first, ln_one_line, ln_of_squares, ln_sums, ln_std,
    ln_einsum, ln_shift_merged, ln_unnamed))
LAYER_NORM_SCALED = Family(hand_layer_norm, ("x", "g", "b"), "x", None, spellings=spelled(
    ln_scale_outside))


# With np.std, exactly as it was written: x̄ = (ĥ - mean ĥ - c mean(ĥ c)/(σ (σ + ε)))/(σ + ε).


def hand_std(x: Any, g: Any, w: Any) -> Any:
    s = x.std(axis=1, keepdims=True)
    c = x - x.mean(axis=1, keepdims=True)
    a = s + EPS
    h = c / a

    def backward(w: Any, g: Any, h: Any, s: Any, a: Any) -> dict[str, Any]:
        t = w * g
        d = t.shape[1]
        p = t.sum(axis=1)[:, None] / d
        q = np.einsum("nd,nd->n", t, h)[:, None] / d * a / s
        return {"x": (t - p - h * q) / a, "g": np.einsum("nd,nd->d", w, h)}

    return backward, (w, g, h, s, a)


def std_plus_epsilon(x: "N D", g: "D", w: "N D"):
    h = (x - x.mean(axis=1, keepdims=True)) / (x.std(axis=1, keepdims=True) + EPS)
    return np.sum(h * g * w)


def std_root(x: "N D", g: "D", w: "N D"):
    c = x - x.mean(axis=1, keepdims=True)
    s = np.sqrt(np.mean(c**2, axis=1, keepdims=True))
    return np.sum(g * c / (s + EPS) * w)


STD = Family(hand_std, ("x", "g"), "x", (0, 1, 1), spellings=spelled(std_plus_epsilon, std_root))


# Under a residual connection, pre-norm: y = x + tanh(LN(x) g + b), ū = w (1 - tanh²).


def hand_pre_norm(x: Any, g: Any, b: Any, w: Any) -> Any:
    h, r = normalized(x)

    def backward(w: Any, g: Any, h: Any, r: Any, a: Any) -> dict[str, Any]:
        u = w * (1 - a * a)
        return {"x": w + back_through_norm(u * g, h, r), "g": np.einsum("nd,nd->d", u, h),
                "b": u.sum(axis=0)}

    return backward, (w, g, h, r, np.tanh(h * g + b))


def pre_norm_named(x: "N D", g: "D", b: "D", w: "N D"):
    c = x - x.mean(axis=1, keepdims=True)
    r = 1 / np.sqrt((c**2).mean(axis=1, keepdims=True) + EPS)
    h = c * r
    return np.sum((x + np.tanh(h * g + b)) * w)


def pre_norm_merged(x: "N D", g: "D", b: "D", w: "N D"):
    c = x - x.mean(axis=1, keepdims=True)
    r = 1 / np.sqrt((c**2).mean(axis=1, keepdims=True) + EPS)
    y = c * r * g + b
    return np.sum((x + np.tanh(y)) * w)


def pre_norm_unnamed(x: "N D", g: "D", b: "D", w: "N D"):
    y = (x - x.mean(axis=1, keepdims=True)) / np.sqrt(x.var(axis=1, keepdims=True) + EPS) * g + b
    x = x + np.tanh(y)
    return np.sum(x * w)


PRE_NORM = Family(hand_pre_norm, ("x", "g", "b"), "x", (0, 0, 1, 1), spellings=spelled(
    pre_norm_named, pre_norm_merged, pre_norm_unnamed))


# Post-norm: y = LN(x + tanh(x)) g + b, x̄ = ū (1 + (1 - tanh²)).


def hand_post_norm(x: Any, g: Any, b: Any, w: Any) -> Any:
    h, r = normalized(x + np.tanh(x))

    def backward(w: Any, g: Any, h: Any, r: Any, a: Any) -> dict[str, Any]:
        u = back_through_norm(w * g, h, r)
        return {"x": u * (2 - a * a), "g": np.einsum("nd,nd->d", w, h), "b": w.sum(axis=0)}

    return backward, (w, g, h, r, np.tanh(x))


def post_norm_named(x: "N D", g: "D", b: "D", w: "N D"):
    u = x + np.tanh(x)
    c = u - u.mean(axis=1, keepdims=True)
    h = c / np.sqrt((c**2).mean(axis=1, keepdims=True) + EPS)
    return np.sum((h * g + b) * w)


def post_norm_merged(x: "N D", g: "D", b: "D", w: "N D"):
    u = x + np.tanh(x)
    y = (u - u.mean(1, keepdims=True)) / np.sqrt(u.var(1, keepdims=True) + EPS) * g + b
    return np.sum(y * w)


POST_NORM = Family(hand_post_norm, ("x", "g", "b"), "x", (0, 0), spellings=spelled(
    post_norm_named, post_norm_merged))


# ---- batch norm: the same along the batch ----------------------------------------------------


def hand_batch_norm(x: Any, g: Any, b: Any, w: Any) -> Any:
    r = 1 / np.sqrt(x.var(axis=0) + EPS)
    h = (x - x.mean(axis=0)) * r

    def backward(w: Any, h: Any, s: Any) -> dict[str, Any]:
        n = len(w)
        db, dg = w.sum(axis=0), np.einsum("nd,nd->d", w, h)
        return {"x": s * (w - db / n - h * (dg / n)), "g": dg, "b": db}

    return backward, (w, h, g * r)


def bn_named(x: "N D", g: "D", b: "D", w: "N D"):
    mu = x.mean(axis=0)
    c = x - mu
    v = (c**2).mean(axis=0)
    h = c / np.sqrt(v + EPS)
    return np.sum((g * h + b) * w)


def bn_merged(x: "N D", g: "D", b: "D", w: "N D"):
    y = (x - x.mean(axis=0)) / np.sqrt(x.var(axis=0) + EPS) * g + b
    return np.sum(y * w)


def bn_of_squares(x: "N D", g: "D", b: "D", w: "N D"):
    mu = x.mean(0)
    v = (x * x).mean(0) - mu * mu
    r = (v + EPS) ** -0.5
    return np.sum(((x - mu) * r * g + b) * w)


def bn_scale_and_shift(x: "N D", g: "D", b: "D", w: "N D"):
    mu = x.mean(axis=0)
    scale = g / np.sqrt(x.var(axis=0) + EPS)
    return np.sum((x * scale + (b - mu * scale)) * w)


BATCH_NORM = Family(hand_batch_norm, ("x", "g", "b"), "x", (0, 0, 0), spellings=spelled(
    bn_named, bn_merged, bn_of_squares, bn_scale_and_shift))


# ---- RMS norm: x̄ = r (t - h mean(t h)), t = ȳ g ----------------------------------------------


def hand_rms(x: Any, g: Any, w: Any) -> Any:
    r = 1 / np.sqrt((x * x).mean(axis=1, keepdims=True) + EPS)

    def backward(w: Any, g: Any, h: Any, r: Any) -> dict[str, Any]:
        t = w * g
        q = np.einsum("nd,nd->n", t, h)[:, None] / t.shape[1]
        return {"x": r * (t - h * q), "g": np.einsum("nd,nd->d", w, h)}

    return backward, (w, g, x * r, r)


def rms_named(x: "N D", g: "D", w: "N D"):
    r = 1 / np.sqrt(np.mean(x**2, axis=1, keepdims=True) + EPS)
    h = x * r
    return np.sum(h * g * w)


def rms_merged(x: "N D", g: "D", w: "N D"):
    y = x / np.sqrt(np.mean(x * x, axis=1, keepdims=True) + EPS) * g
    return np.sum(y * w)


def rms_half_power(x: "N D", g: "D", w: "N D"):
    y = g * x * (np.sum(np.square(x), axis=1, keepdims=True) / x.shape[1] + EPS) ** -0.5
    return np.sum(y * w)


def rms_einsum(x: "N D", g: "D", w: "N D"):
    ms = np.einsum("nd,nd->n", x, x) / x.shape[1]
    return np.einsum("nd,d,n,nd->", x, g, 1 / np.sqrt(ms + EPS), w)


RMS = Family(hand_rms, ("x", "g"), "x", (0, 1), spellings=spelled(
    rms_named, rms_merged, rms_half_power, rms_einsum))


# ---- unit length: x̄ = (w - u Σ w u)/|x| ------------------------------------------------------


def hand_unit(x: Any, w: Any) -> Any:
    s = np.sqrt((x * x).sum(axis=1, keepdims=True))

    def backward(w: Any, u: Any, s: Any) -> dict[str, Any]:
        return {"x": (w - u * np.einsum("nd,nd->n", w, u)[:, None]) / s}

    return backward, (w, x / s, s)


def unit_root(x: "N D", w: "N D"):
    return np.sum(x / np.sqrt(np.sum(x**2, axis=1, keepdims=True)) * w)


def unit_named(x: "N D", w: "N D"):
    s = np.sqrt((x * x).sum(axis=1))
    u = x / s[:, None]
    return np.sum(u * w)


def unit_norm(x: "N D", w: "N D"):
    return np.sum(x / np.linalg.norm(x, axis=1, keepdims=True) * w)


def unit_half_power(x: "N D", w: "N D"):
    u = x * np.einsum("nd,nd->n", x, x)[:, None] ** -0.5
    return np.sum(u * w)


UNIT = Family(hand_unit, ("x",), "x", (0, 1), spellings=spelled(
    unit_root, unit_named, unit_norm, unit_half_power))


# Cosine: s = x·y/(|x| |y|), x̄ = w (y/(|x| |y|) - x s/|x|²).


def hand_cosine(x: Any, y: Any, w: Any) -> Any:
    a = np.sqrt((x * x).sum(axis=1))
    b = np.sqrt((y * y).sum(axis=1))
    s = (x * y).sum(axis=1) / (a * b)

    def backward(x: Any, y: Any, w: Any, a: Any, b: Any, s: Any) -> dict[str, Any]:
        p = w / (a * b)
        q, t = w * s / (a * a), w * s / (b * b)
        return {"x": p[:, None] * y - q[:, None] * x, "y": p[:, None] * x - t[:, None] * y}

    return backward, (x, y, w, a, b, s)


def cosine_named(x: "N D", y: "N D", w: "N"):
    a = np.sqrt(np.sum(x**2, axis=1))
    b = np.sqrt(np.sum(y**2, axis=1))
    s = np.sum(x * y, axis=1) / (a * b)
    return np.sum(s * w)


def cosine_one_line(x: "N D", y: "N D", w: "N"):
    return w @ ((x * y).sum(1) / np.sqrt((x * x).sum(1)) / np.sqrt((y * y).sum(1)))


def cosine_one_root(x: "N D", y: "N D", w: "N"):
    return w @ (np.sum(x * y, axis=1) / np.sqrt(np.sum(x**2, axis=1) * np.sum(y**2, axis=1)))


COSINE = Family(hand_cosine, ("x", "y"), "x", (0, 0), spellings=spelled(
    cosine_named, cosine_one_line, cosine_one_root))


# ---- attention: Ā = Ō Vᵀ, S̄ = A ⊙ (Ā - rowsum(Ā ⊙ A)), V̄ = Aᵀ Ō -----------------------------


def hand_attention(Q: Any, K: Any, V: Any, w: Any, mask: Any = None) -> Any:
    scale = 1 / np.sqrt(Q.shape[1])
    S = Q @ K.T * scale
    A = special.softmax(S if mask is None else np.where(mask, S, -np.inf), axis=1)

    def backward(Q: Any, K: Any, V: Any, w: Any, A: Any) -> dict[str, Any]:
        dA = w @ V.T
        dS = A * (dA - np.einsum("nm,nm->n", dA, A)[:, None])
        return {"Q": dS @ (K * scale), "K": dS.T @ (Q * scale), "V": A.T @ w}

    return backward, (Q, K, V, w, A)


def attention_plain(Q: "N K", K: "M K", V: "M D", w: "N D"):
    S = Q @ K.T / np.sqrt(Q.shape[1])
    e = np.exp(S - S.max(axis=1, keepdims=True))
    A = e / e.sum(axis=1, keepdims=True)
    return np.sum((A @ V) * w)


def attention_scale_before(Q: "N K", K: "M K", V: "M D", w: "N D"):
    A = nn.softmax((Q / np.sqrt(Q.shape[1])) @ K.T, axis=1)
    return np.sum((A @ V) * w)


def attention_einsum(Q: "N K", K: "M K", V: "M D", w: "N D"):
    S = np.einsum("nk,mk->nm", Q, K) * Q.shape[1] ** -0.5
    e = np.exp(S - S.max(axis=1, keepdims=True))
    return np.sum(np.einsum("nm,md->nd", e / e.sum(axis=1, keepdims=True), V) * w)


def attention_by_log(Q: "N K", K: "M K", V: "M D", w: "N D"):
    S = Q @ K.T / np.sqrt(Q.shape[1])
    A = np.exp(S - nn.logsumexp(S, axis=1, keepdims=True))
    return np.sum((A @ V) * w)


def attention_by_log_softmax(Q: "N K", K: "M K", V: "M D", w: "N D"):
    A = np.exp(nn.log_softmax(Q @ K.T / np.sqrt(Q.shape[1]), axis=1))
    return np.sum((A @ V) * w)


def attention_normalized_after(Q: "N K", K: "M K", V: "M D", w: "N D"):
    S = Q @ K.T / np.sqrt(Q.shape[1])
    e = np.exp(S - S.max(axis=1, keepdims=True))
    return np.sum((e @ V) / e.sum(axis=1, keepdims=True) * w)


ATTENTION = Family(hand_attention, ("Q", "K", "V"), "Q", (0, 1), True, spellings=spelled(
    attention_plain, attention_scale_before, attention_einsum, attention_by_log,
    attention_by_log_softmax, attention_normalized_after))


def masked_where(Q: "N K", K: "M K", V: "M D", w: "N D", mask: "bool N M"):
    S = np.where(mask, Q @ K.T / np.sqrt(Q.shape[1]), -np.inf)
    e = np.exp(S - S.max(axis=1, keepdims=True))
    A = e / e.sum(axis=1, keepdims=True)
    return np.sum((A @ V) * w)


def masked_where_nn(Q: "N K", K: "M K", V: "M D", w: "N D", mask: "bool N M"):
    A = nn.softmax(np.where(mask, Q @ K.T / np.sqrt(Q.shape[1]), -np.inf), axis=1)
    return np.sum((A @ V) * w)


def masked_by_addition(Q: "N K", K: "M K", V: "M D", w: "N D", mask: "bool N M"):
    S = Q @ K.T / np.sqrt(Q.shape[1]) + np.where(mask, 0.0, -np.inf)
    e = np.exp(S - S.max(axis=1, keepdims=True))
    return np.sum((e / e.sum(axis=1, keepdims=True)) @ V * w)


def masked_by_multiplication(Q: "N K", K: "M K", V: "M D", w: "N D", mask: "bool N M"):
    S = Q @ K.T / np.sqrt(Q.shape[1])
    e = mask * np.exp(S - S.max(axis=1, keepdims=True))
    A = e / e.sum(axis=1, keepdims=True)
    return np.sum((A @ V) * w)


def masked_large(Q: "N K", K: "M K", V: "M D", w: "N D", mask: "bool N M"):
    S = np.where(mask, Q @ K.T / np.sqrt(Q.shape[1]), -1e30)
    A = nn.softmax(S, axis=1)
    return np.sum((A @ V) * w)


MASKED = Family(hand_attention, ("Q", "K", "V"), "Q", (0, 1), True, spellings=spelled(
    masked_where, masked_where_nn, masked_by_addition, masked_large))
MASKED_AFTER = Family(
    hand_attention, ("Q", "K", "V"), "Q", (0, 1), True, stable=False, spellings=spelled(
        masked_by_multiplication))


# Causal, the mask from positions.


def hand_causal(Q: Any, K: Any, V: Any, w: Any) -> Any:
    return hand_attention(Q, K, V, w, np.tri(len(Q), dtype=bool))


def causal_where(Q: "T K", K: "T K", V: "T D", w: "T D"):
    t = np.arange(Q.shape[0])
    S = np.where(t[:, None] >= t, Q @ K.T / np.sqrt(Q.shape[1]), -np.inf)
    e = np.exp(S - S.max(axis=1, keepdims=True))
    return np.sum((e / e.sum(axis=1, keepdims=True)) @ V * w)


def causal_by_addition(Q: "T K", K: "T K", V: "T D", w: "T D"):
    t = np.arange(Q.shape[0])
    S = Q @ K.T / np.sqrt(Q.shape[1]) + np.where(t[:, None] < t, -np.inf, 0.0)
    return np.sum(nn.softmax(S, axis=1) @ V * w)


CAUSAL = Family(hand_causal, ("Q", "K", "V"), "Q", (0, 1), True, spellings=spelled(
    causal_where, causal_by_addition))


# ---- activations: the derivative from the kept value ----------------------------------------


def hand_tanh(z: Any, w: Any) -> Any:
    def backward(a: Any, w: Any) -> dict[str, Any]:
        return {"z": w * (1 - a * a)}

    return backward, (np.tanh(z), w)


def tanh_plain(z: "N D", w: "N D"):
    return np.sum(np.tanh(z) * w)


def tanh_written_out(z: "N D", w: "N D"):
    return np.sum((np.exp(z) - np.exp(-z)) / (np.exp(z) + np.exp(-z)) * w)


def tanh_by_exp2(z: "N D", w: "N D"):
    e = np.exp(2 * z)
    return np.sum((e - 1) / (e + 1) * w)


def tanh_by_sigmoid(z: "N D", w: "N D"):
    return np.sum((2 * nn.sigmoid(2 * z) - 1) * w)


TANH = Family(hand_tanh, ("z",), "z", (0, 0), spellings=spelled(tanh_plain))
TANH_NAIVE = Family(hand_tanh, ("z",), "z", (0, 0), stable=False, spellings=spelled(
    tanh_written_out))


def hand_sigmoid(z: Any, w: Any) -> Any:
    def backward(s: Any, w: Any) -> dict[str, Any]:
        return {"z": w * s * (1 - s)}

    return backward, (special.expit(z), w)


def sigmoid_nn(z: "N D", w: "N D"):
    return np.sum(nn.sigmoid(z) * w)


def sigmoid_written_out(z: "N D", w: "N D"):
    return np.sum(w / (1 + np.exp(-z)))


def sigmoid_exp_above(z: "N D", w: "N D"):
    s = np.exp(z) / (1 + np.exp(z))
    return np.sum(w * s)


def sigmoid_by_tanh(z: "N D", w: "N D"):
    return np.sum(0.5 * (1 + np.tanh(z / 2)) * w)


SIGMOID = Family(hand_sigmoid, ("z",), "z", (0, 0), spellings=spelled(
    sigmoid_nn, sigmoid_by_tanh))
SIGMOID_NAIVE = Family(hand_sigmoid, ("z",), "z", None, stable=False, spellings=spelled(
    sigmoid_written_out, sigmoid_exp_above))


def hand_softplus(z: Any, w: Any) -> Any:
    def backward(z: Any, w: Any) -> dict[str, Any]:
        return {"z": w * logistic(z)}

    return backward, (z, w)


def softplus_nn(z: "N D", w: "N D"):
    return np.sum(nn.softplus(z) * w)


def softplus_logaddexp(z: "N D", w: "N D"):
    return np.sum(np.logaddexp(z, 0) * w)


def softplus_maximum(z: "N D", w: "N D"):
    return np.sum((np.maximum(z, 0) + np.log1p(np.exp(-np.abs(z)))) * w)


SOFTPLUS = Family(hand_softplus, ("z",), "z", (0,), spellings=spelled(
    softplus_nn, softplus_logaddexp))


# z σ(z): z̄ = w s (1 + z (1 - s)).


def hand_silu(z: Any, w: Any) -> Any:
    s = special.expit(z)

    def backward(s: Any, z: Any, w: Any) -> dict[str, Any]:
        return {"z": w * s * (1 + z * (1 - s))}

    return backward, (s, z, w)


def silu_nn(z: "N D", w: "N D"):
    return np.sum(nn.silu(z) * w)


def silu_product(z: "N D", w: "N D"):
    return np.sum(z * nn.sigmoid(z) * w)


def silu_named(z: "N D", w: "N D"):
    s = nn.sigmoid(z)
    a = z * s
    return np.sum(a * w)


def silu_quotient(z: "N D", w: "N D"):
    return np.sum(z / (1 + np.exp(-z)) * w)


SILU = Family(hand_silu, ("z",), "z", (0, 0, 0), spellings=spelled(
    silu_nn, silu_product, silu_named))
SILU_NAIVE = Family(hand_silu, ("z",), "z", None, stable=False, spellings=spelled(
    silu_quotient))


# z Φ(z): z̄ = w (Φ + z φ), φ = exp(-z²/2)/√(2π).


def hand_gelu(z: Any, w: Any) -> Any:
    def backward(z: Any, P: Any, w: Any) -> dict[str, Any]:
        return {"z": w * (P + z * (np.exp(-0.5 * z * z) * 0.3989422804014327))}

    return backward, (z, special.ndtr(z), w)


def gelu_nn(z: "N D", w: "N D"):
    return np.sum(nn.gelu(z) * w)


def gelu_erf(z: "N D", w: "N D"):
    return np.sum(0.5 * z * (1 + special.erf(z / np.sqrt(2.0))) * w)


def gelu_named(z: "N D", w: "N D"):
    cdf = (1 + special.erf(z / np.sqrt(2.0))) / 2
    return np.sum(z * cdf * w)


GELU = Family(hand_gelu, ("z",), "z", (0, 0), spellings=spelled(gelu_nn, gelu_erf, gelu_named))


def hand_gelu_tanh(z: Any, w: Any) -> Any:
    c = np.sqrt(2 / np.pi)
    t = np.tanh(c * (z + 0.044715 * z**3))

    def backward(z: Any, t: Any, w: Any) -> dict[str, Any]:
        inner = c * (1 + 0.134145 * (z * z))
        return {"z": w * (0.5 * (1 + t) + 0.5 * z * (1 - t * t) * inner)}

    return backward, (z, t, w)


def gelu_tanh_written_out(z: "N D", w: "N D"):
    return np.sum(0.5 * z * (1 + np.tanh(np.sqrt(2 / np.pi) * (z + 0.044715 * z**3))) * w)


GELU_TANH = Family(hand_gelu_tanh, ("z",), "z", (0, 0, 0), stable=False, spellings=spelled(
    gelu_tanh_written_out))


# ---- the LSTM's four gates: z̄ = [ī i(1-i), f̄ f(1-f), ḡ (1-g²), ō o(1-o)] ---------------------


def hand_lstm(z: Any, c0: Any, w: Any) -> Any:
    i, f, g, o = np.split(z, 4, axis=1)
    i, f, g, o = special.expit(i), special.expit(f), np.tanh(g), special.expit(o)
    t = np.tanh(f * c0 + i * g)

    def backward(
        i: Any, f: Any, g: Any, o: Any, t: Any, c0: Any, w: Any
    ) -> dict[str, Any]:
        dc = w * o * (1 - t * t)
        dz = np.concatenate([dc * g * i * (1 - i), dc * c0 * f * (1 - f),
                             dc * i * (1 - g * g), w * t * o * (1 - o)], axis=1)
        return {"z": dz, "c0": dc * f}

    return backward, (i, f, g, o, t, c0, w)


def lstm_slices(z: "N 4*H", c0: "N H", w: "N H"):
    H = c0.shape[1]
    i = nn.sigmoid(z[:, :H])
    f = nn.sigmoid(z[:, H:2 * H])
    g = np.tanh(z[:, 2 * H:3 * H])
    o = nn.sigmoid(z[:, 3 * H:])
    c = f * c0 + i * g
    return np.sum(o * np.tanh(c) * w)


def lstm_split(z: "N 4*H", c0: "N H", w: "N H"):
    i, f, g, o = np.split(z, 4, axis=1)
    c = nn.sigmoid(f) * c0 + nn.sigmoid(i) * np.tanh(g)
    h = nn.sigmoid(o) * np.tanh(c)
    return np.sum(h * w)


def lstm_reshaped(z: "N 4*H", c0: "N H", w: "N H"):
    i, f, g, o = z.reshape(z.shape[0], 4, c0.shape[1]).transpose(1, 0, 2)
    c = special.expit(f) * c0 + special.expit(i) * np.tanh(g)
    return np.sum(special.expit(o) * np.tanh(c) * w)


LSTM = Family(hand_lstm, ("z", "c0"), "z", (0,) * 8, spellings=spelled(lstm_slices, lstm_split))
LSTM_VIEW = Family(hand_lstm, ("z", "c0"), "z", (0,) * 8, spellings=spelled(lstm_reshaped))


# ---- Kullback-Leibler of a Gaussian from the standard one, reparameterised -------------------
# z = m + σ ε, σ = exp(l/2): m̄ = w + m, l̄ = (w ε σ + σ² - 1)/2.


def hand_vae(m: Any, l: Any, e: Any, w: Any) -> Any:  # noqa: E741
    s = np.exp(l / 2)

    def backward(m: Any, e: Any, w: Any, s: Any) -> dict[str, Any]:
        return {"m": w + m, "l": 0.5 * (w * e * s + s * s - 1)}

    return backward, (m, e, w, s)


def vae_exp(m: "N D", l: "N D", e: "N D", w: "N D"):  # noqa: E741
    z = m + np.exp(l / 2) * e
    return np.sum(z * w) - 0.5 * np.sum(1 + l - m**2 - np.exp(l))


def vae_named(m: "N D", l: "N D", e: "N D", w: "N D"):  # noqa: E741
    s = np.exp(0.5 * l)
    kl = np.sum(s**2 + m**2 - 1 - l) / 2
    return np.sum((m + s * e) * w) + kl


VAE = Family(hand_vae, ("m", "l"), "l", (0, 0, 0), stable=False, spellings=spelled(
    vae_exp, vae_named))


# ---- regression ------------------------------------------------------------------------------


def hand_mse(p: Any, y: Any) -> Any:
    def backward(p: Any, y: Any) -> dict[str, Any]:
        return {"p": 2 / p.size * (p - y)}

    return backward, (p, y)


def mse_mean(p: "N D", y: "N D"):
    return np.mean((p - y) ** 2)


def mse_sum(p: "N D", y: "N D"):
    r = y - p
    return np.sum(r * r) / (p.shape[0] * p.shape[1])


def mse_square(p: "N D", y: "N D"):
    return np.square(p - y).mean()


def mse_opened(p: "N D", y: "N D"):
    return np.mean(p**2 - 2 * p * y + y**2)


def mse_vdot(p: "N D", y: "N D"):
    r = p - y
    return np.vdot(r, r) / p.size


def mse_nn(p: "N D", y: "N D"):
    return nn.mse_loss(p, y)


MSE = Family(hand_mse, ("p",), "p", None, spellings=spelled(
    mse_mean, mse_sum, mse_square, mse_opened, mse_vdot, mse_nn))


def hand_huber(p: Any, y: Any) -> Any:
    def backward(r: Any) -> dict[str, Any]:
        n = 1 / r.size
        return {"p": n * np.where(np.abs(r) <= 1, r, np.sign(r))}

    return backward, (p - y,)


def huber_where(p: "N D", y: "N D"):
    r = p - y
    return np.mean(np.where(np.abs(r) <= 1, 0.5 * r**2, np.abs(r) - 0.5))


def huber_nn(p: "N D", y: "N D"):
    return nn.huber_loss(p, y)


HUBER = Family(hand_huber, ("p",), "p", (0, 0), spellings=spelled(huber_where))


# ---- a gain before a product: z = a X W, Z̄ = w (1 - tanh²), ā = Σ Z̄ X W, X̄ = a Z̄ Wᵀ ---------


def hand_gain(a: Any, x: Any, W: Any, w: Any) -> Any:
    p = x @ W
    u = np.tanh(a * p)

    def backward(a: Any, x: Any, W: Any, w: Any, p: Any, u: Any) -> dict[str, Any]:
        d = w * (1 - u * u)
        s = a * d
        return {"a": np.vdot(d, p), "x": s @ W.T, "W": x.T @ s}

    return backward, (a, x, W, w, p, u)


def gain_before(a: "", x: "N D", W: "D M", w: "N M"):
    return np.sum(np.tanh((a * x) @ W) * w)


def gain_after(a: "", x: "N D", W: "D M", w: "N M"):
    return np.sum(np.tanh(a * (x @ W)) * w)


def gain_on_weights(a: "", x: "N D", W: "D M", w: "N M"):
    return np.sum(np.tanh(x @ (W * a)) * w)


GAIN = Family(hand_gain, ("a", "x", "W"), "x", None, spellings=spelled(
    gain_before, gain_after, gain_on_weights))


# ---- a gated residual: y = x + g tanh(x W), x̄ = w + Z̄ Wᵀ, ḡ = Σ w tanh(x W) -----------------


def hand_rezero(g: Any, x: Any, W: Any, w: Any) -> Any:
    u = np.tanh(x @ W)

    def backward(g: Any, x: Any, W: Any, w: Any, u: Any) -> dict[str, Any]:
        d = g * w * (1 - u * u)
        return {"g": np.vdot(w, u), "x": w + d @ W.T, "W": x.T @ d}

    return backward, (g, x, W, w, u)


def rezero_plain(g: "", x: "N D", W: "D D", w: "N D"):
    return np.sum((x + g * np.tanh(x @ W)) * w)


def rezero_named(g: "", x: "N D", W: "D D", w: "N D"):
    branch = np.tanh(x @ W)
    branch = branch * g
    y = x + branch
    return np.sum(y * w)


def rezero_apart(g: "", x: "N D", W: "D D", w: "N D"):
    return np.sum(x * w) + np.sum(g * np.tanh(x @ W) * w)


REZERO = Family(hand_rezero, ("g", "x", "W"), "x", None, spellings=spelled(
    rezero_plain, rezero_named, rezero_apart))


FAMILIES: dict[str, Family] = {k: v for k, v in globals().items() if isinstance(v, Family)}
ROWS = [(family, name) for family, f in FAMILIES.items() for name in f.spellings]

# Spellings in which a function is recognised, and the row whose hand-written backward pass is then
# the known one: softplus keeps no exponential, so that its slope is worked out, without overflow.
RECOGNISED = {
    **{(f, n): f for f, n in [
        ("BCE_NAIVE", "bce_written_out"), ("BCE_NAIVE", "bce_exp_above"),
        ("BCE_NAIVE", "bce_exp_above_turned"), ("BCE_NAIVE", "bce_by_tanh"),
        ("BCE_OF_LOGITS", "bce_logaddexp"), ("SIGNED", "signed_logaddexp"),
        ("TANH_NAIVE", "tanh_written_out"), ("SIGMOID", "sigmoid_by_tanh"),
        ("SIGMOID_NAIVE", "sigmoid_written_out"), ("SIGMOID_NAIVE", "sigmoid_exp_above"),
        ("SOFTPLUS", "softplus_logaddexp"), ("SILU_NAIVE", "silu_quotient"),
        ("GELU", "gelu_erf"), ("GELU", "gelu_named"), ("HUBER", "huber_where")]},
    ("BCE_LOG1P", "bce_log1p"): "BCE_OF_LOGITS", ("SIGNED_LOG1P", "signed_log1p"): "SIGNED",
}
