"""Programs in which a factor may be zero: gains, gates, temperatures, products of scalars.

In: nothing. Out: `GAINS`, each a forward pass with the names of its factors. All are analytic
in their arguments, so that a complex step through NumPy itself gives the gradients. None
divides by what may be zero, so that every gradient is finite wherever the arguments are.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from symprop import scan

SIZES = {"N": 4, "K": 3, "M": 5, "D": 2, "T": 3}


@dataclass(frozen=True)
class Gained:
    """A forward pass, the shapes of its arguments, and those that are factors."""

    function: Callable[..., Any]
    factors: tuple[str, ...]

    @property
    def shapes(self) -> Mapping[str, tuple[int, ...]]:
        """The shape of every argument."""
        notes = {n: s for n, s in self.function.__annotations__.items() if n != "return"}
        return {n: tuple(SIZES[a] if a in SIZES else int(a) for a in s.split())
                for n, s in notes.items()}

    def drawn(self, seed: int = 0) -> dict[str, Any]:
        """Arguments of ordinary size."""
        rng = np.random.default_rng(seed)
        return {n: rng.uniform(0.4, 1.2, s) * rng.choice([-1, 1], s)
                for n, s in self.shapes.items()}


def softmax(z: Any) -> Any:
    e = np.exp(z)
    return e / e.sum(axis=1, keepdims=True)


def gain(g: "", x: "N"):
    return np.sum(g * x)


def gain_squared(a: "", x: "N"):
    return np.sum((a * x) ** 2)


def penalty(lam: "", W: "N K"):
    return np.mean((lam * W) ** 2)


def penalty_outside(lam: "", W: "N K"):
    return lam**2 * np.mean(W**2) + lam * np.sum(W)


def logistic(s: "", X: "N K", w: "K", y: "N"):
    return np.mean(np.log(1 + np.exp(-(y * (s * X @ w)))))


def rezero(g: "", X: "N K", W: "K M", v: "M", y: "N"):
    return np.sum(((g * np.tanh(X @ W)) @ v - y) ** 2)


def rezero_blocks(g: "2", x: "N D", W: "D D", y: "N D"):
    x = x + g[0] * np.tanh(x @ W)
    x = x + g[1] * np.tanh(x @ W)
    return np.mean((x - y) ** 2)


def scaled_matrix(a: "", X: "N K", W: "K M"):
    return np.sum(((a * X) @ W) ** 2)


def inverse_temperature(beta: "", X: "N K", W: "K M"):
    return np.sum(np.tanh(beta * X @ W))


def entries_of_one_array(a: "3", x: "N"):
    return np.sum(a[0] * a[1] * a[2] * x)


def gain_of_tanh(u: "", x: "N"):
    g = np.tanh(u)
    return np.sum(g * x)


def two_scalars(a: "", b: "", X: "N K", w: "K"):
    return np.sum(np.tanh((a * b * X) @ w))


def three_scalars(a: "", b: "", c: "", X: "N K", W: "K M"):
    return np.sum((a * b * X @ W * c) ** 3)


def named_product(a: "", b: "", x: "N"):
    scale = a * b
    y = scale * x
    return np.sum(y) ** 2 + np.sum(y * y)


def read_twice(g: "", x: "N", w: "N"):
    total = np.sum(g * x)
    return total**2 + np.sum(w * x) * np.sum(x)


def in_a_recurrence(a: "", x: "T N", h0: ""):
    def step(h: Any, row: Any) -> Any:
        h = np.tanh(h + np.sum(a * row))
        return h, h

    _, hs = scan(step, h0, x)
    return np.sum(hs)


def gained_in_a_recurrence(g: "", x: "T N", W: "N N", h0: "N"):
    def step(h: Any, row: Any) -> Any:
        h = h + g * np.tanh(h @ W + row)
        return h, h

    _, hs = scan(step, h0, x)
    return np.sum(hs**2)


def gained_square(g: "", X: "N K", W: "K M"):
    return np.sum(g * (X @ W) ** 2)


def gained_attention(g: "", Q: "N K", K: "M K", V: "M D"):
    return np.sum((g * softmax(Q @ K.T) @ V) ** 2)


def temperature(beta: "", Q: "N K", K: "M K", V: "M D"):
    return np.sum(np.tanh(softmax(beta * Q @ K.T) @ V))


def row_gates(g: "N", X: "N K", W: "K M"):
    return np.sum(np.tanh((g[:, None] * X) @ W))


def column_gates(g: "K", X: "N K", W: "K M"):
    return np.sum(((g * X) @ W) ** 2)


def two_row_gates(a: "N", b: "N", X: "N K", w: "K"):
    return np.sum(np.tanh((a * b)[:, None] * X @ w))


def gate_by_sigmoid(z: "N", X: "N K", g: ""):
    gate = 1 / (1 + np.exp(-z))
    return np.sum((g * gate[:, None] * X).sum(axis=1) ** 2)


def low_rank(a: "", X: "N K", A: "K D", B: "D M", W: "K M"):
    return np.sum(np.tanh(X @ W + a * X @ A @ B))


def mixed_heads(g: "2", X: "N K", U: "K D", V: "K D"):
    return np.sum((g[0] * X @ U + g[1] * X @ V) ** 2)


def gained_norm(g: "D", s: "", x: "N D", w: "N D"):
    c = x - x.mean(axis=1, keepdims=True)
    return np.sum(np.tanh(s * g * c / np.sqrt((c**2).mean(axis=1, keepdims=True) + 1e-5)) * w)


def root_beside(v: "", x: "N", w: "N"):
    return np.sum((1 + v**2) ** 0.5 * x) ** 2 + np.sum(x) * np.sum(w)


def _table() -> dict[str, Gained]:
    one = [gain_of_tanh]
    scalars = {gain: "g", gain_squared: "a", penalty: "lam", penalty_outside: "lam", logistic: "s",
               rezero: "g", rezero_blocks: "g", scaled_matrix: "a", inverse_temperature: "beta",
               entries_of_one_array: "a", two_scalars: "a b", three_scalars: "a b c",
               named_product: "a b", read_twice: "g", in_a_recurrence: "a",
               gained_in_a_recurrence: "g", gained_square: "g", gained_attention: "g",
               temperature: "beta", row_gates: "g", column_gates: "g", two_row_gates: "a b",
               gate_by_sigmoid: "g", low_rank: "a B", mixed_heads: "g", gained_norm: "g s",
               root_beside: "v", **dict.fromkeys(one, "u")}
    return {f.__name__: Gained(f, tuple(names.split())) for f, names in scalars.items()}


GAINS = _table()
