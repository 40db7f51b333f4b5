"""Inputs on which something was wrong once: the module gives what NumPy gives, there and beside.

Values are those of the function on plain arrays, gradients those of differences. Each stands for
a kind, which tests of its own cover; the quick ones here are held by no other.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import found_programs
import numpy as np
import pytest
from test_integer_programs import agree, generated

import symprop
from symprop import nn, scan

RNG = np.random.default_rng(0)
ANY = RNG.normal
windows = np.lib.stride_tricks.sliding_window_view


@dataclass(frozen=True)
class Found:
    """A function, its shapes, and where it is run: arrays, sizes to draw at."""

    function: Callable[..., Any]
    shapes: dict[str, str]
    points: tuple[dict[str, Any], ...] = ()
    sizes: tuple[dict[str, int], ...] = ()


def found(function: Callable[..., Any], *where: dict[str, Any], **shapes: str) -> Found:
    """`where`: sizes where all are integers, else arrays."""
    drawn_at = [all(type(v) is int for v in w.values()) for w in where]
    return Found(function, shapes or function.__annotations__,
                 tuple(w for w, d in zip(where, drawn_at, strict=True) if not d),
                 tuple(w for w, d in zip(where, drawn_at, strict=True) if d))


def drawn(shapes: dict[str, str], sizes: dict[str, int]) -> dict[str, Any]:
    rng = np.random.default_rng(7)
    arrays: dict[str, Any] = {}
    for name, text in shapes.items():
        words = text.split()
        kind = words.pop(0) if words and words[0] in ("int", "bool") else "float"
        shape = tuple(size_of(w, sizes) for w in words)
        arrays[name] = {"bool": lambda s: rng.random(s) > 0.4,
                        "int": lambda s: rng.integers(0, 1, s),
                        "float": lambda s: rng.normal(size=s)}[kind](shape)
    return arrays


def size_of(word: str, sizes: dict[str, int]) -> int:
    if word.isdigit():
        return int(word)
    name, _, less = word.partition("-")
    return sizes[name] - int(less or 0)


def holds(case: Found) -> None:
    module = generated(case.function, **case.shapes)
    with np.errstate(all="ignore"):
        for arrays in (*case.points, *(drawn(case.shapes, s) for s in case.sizes)):
            agree(case.function, module, arrays)



def ignoring(x: Any, y: Any) -> Any:
    picked = nn.log_softmax(x, axis=-1)[np.arange(x.shape[0]), np.where(y != -100, y, 0)]
    return -np.sum(np.where(y != -100, picked, 0))


def overwritten(x: Any) -> Any:
    y = x.copy()
    y[1:] += x[:-1]
    y[::2] *= 2
    return np.sum(y ** 3)


def diffused(x: Any, c: Any, a: Any) -> Any:
    u = x.copy()
    for t in range(c.shape[0]):
        u[1:-1] = u[1:-1] + a * (u[2:] - 2 * u[1:-1] + u[:-2]) * c[t]
    return np.sum(u ** 2)


def triangles(x: Any) -> Any:
    i, j = np.triu_indices(x.shape[0], -2)
    k, m = np.tril_indices(x.shape[0], 1)
    return (np.sum(np.sin(x[i, j]) * np.cos(i * 2 + 3 * j) * np.arange(len(i)))
            + np.sum(np.sin(x[k, m]) * np.arange(len(k))))


QUICK: dict[str, Found] = {
    # the divisor left a sum whose bracket guarded it
    "a guarded divisor": found(
        lambda g, x: np.sum(g * x) + np.sum(np.where(g != 0, x / (1 + 0 * g), 0)),
        {"g": np.array(0.5), "x": ANY(size=3)}, {"N": 2}, g="", x="N"),
    "a divisor under a mask of entries": found(
        lambda g, x: np.sum(np.where(x > 0, x / g, 0)),
        {"g": np.array(0.5), "x": ANY(size=3)},
        {"g": np.array(1e-3), "x": np.array([-1.0, -2.0])}, g="", x="N"),
    # a bracket guards what another one reads
    "a window's maximum at labels": found(
        lambda r, w, t: np.sum(np.sin(np.take_along_axis(
            np.max(windows(r * r, 2, axis=-1) * w, axis=-1), t[:, None], axis=1))),
        {}, r="3 4", w="2", t="int 3"),
}


QUICK |= {
    # the first vector shorter than the kernel
    "a short convolution, same": found(
        lambda a, k: np.sum(np.sin(np.convolve(a, k, "same"))), {"N": 1}, {"N": 2}, {"N": 4},
        a="N", k="3"),
    "a short convolution, valid": found(
        lambda a, k: np.sum(np.sin(np.convolve(a, k, "valid"))), {"N": 1}, {"N": 2}, {"N": 4},
        a="N", k="3"),
    # slices that end before they begin, axes without entries
    "an empty middle": found(
        lambda x: np.sum(np.sin(x[2:-1])) + np.sum((x[2:] - 2 * x[1:-1] + x[:-2]) ** 2),
        {"N": 1}, {"N": 2}, {"N": 5}, x="N"),
    "an axis without entries": found(lambda x, w, b: np.sum(np.sin(x @ w + b)), {"N": 2},
                                     x="N 0", w="0 3", b="3"),
    "an upper triangle": found(
        lambda x: np.sum(np.sin(x[np.triu_indices(x.shape[0], 1)]) * np.arange(
            x.shape[0] * (x.shape[0] - 1) // 2)), {"N": 1}, {"N": 2}, {"N": 4}, x="N N"),
    "a lower triangle": found(lambda x: np.sum(np.sin(x[np.tril_indices(x.shape[0])])),
                              {"N": 1}, {"N": 4}, x="N N"),
    "triangles beyond the diagonal": found(triangles, {"N": 2}, {"N": 4}, x="N N"),
    # values put into an axis without entries, at positions that are clipped
    "every other row overwritten": found(overwritten, {"N": 1, "M": 1}, {"N": 4, "M": 2}, x="N M"),
    # windows of an axis that is shorter than one, of which none is read
    "no windows": found(
        lambda x, k: np.sum(np.sin((windows(x[::-1, ::-1].T, (2, 2))[::2, 1:] * k).sum((-1, -2)))),
        {"H": 2, "W": 2}, {"H": 4, "W": 5}, x="H W", k="2 2"),
    # an array that a loop hands on, with zeros around it
    "diffusion": found(diffused, {"N": 2, "T": 2}, {"N": 5, "T": 4}, x="N", c="T", a=""),
    # truth values as positions: NumPy takes them for a mask
    "a choice by a truth value": found(
        lambda x: np.sum(np.choose((x > 0).astype(int), [x**2, x**3])), {"N": 2}, {"N": 5}, x="N"),
    # bounds that have crossed: NumPy gives the upper one
    "crossed bounds": found(
        lambda x, a, b: np.sum(np.clip(x, a, b) ** 2) + np.sum(np.clip(x, 1, x[0])), {"N": 20},
        x="N", a="N", b="N"),
    # a label that is no position
    "an ignored label": found(
        ignoring, {"x": ANY(size=(4, 3)), "y": np.array([2, -100, 0, -100])}, x="N K", y="int N"),
}


@pytest.mark.parametrize("name", QUICK)
def test_what_was_wrong_once_is_right(name: str) -> None:
    holds(QUICK[name])


def test_a_guarded_divisor_is_exactly_nothing_where_it_is_0() -> None:
    """The sum over n is without n in its bracket and its divisor; both go out together."""
    module = generated(lambda g, x: np.sum(g * x) + np.sum(np.where(g != 0, x / g, 0)),
                       g="", x="N")
    x = ANY(size=3)
    loss, saved = module.forward(np.array(0.0), x)
    assert loss == 0
    gradients = module.backward(saved)
    assert np.allclose(gradients["g"], x.sum())
    assert not gradients["x"].any()


def test_ignored_labels_leave_the_closed_form() -> None:
    system = symprop.trace(ignoring, shapes={"x": "N K", "y": "int N"})
    (adjoint,) = [a for a in symprop.derive(system).adjoints if a.primal == "x"]
    assert len(adjoint.rhs.terms) == 1 and not any(t.bound for t in adjoint.rhs.terms)
    module = generated(ignoring, x="N K", y="int N")
    with pytest.raises(IndexError, match="outside 0 to K - 1 that is not -100"):
        module.forward(np.ones((2, 3)), np.array([-1, 0]))


@pytest.mark.parametrize("reduce", [np.mean, np.max])
def test_what_has_no_value_without_entries_asks_for_one(reduce: Any) -> None:
    module = generated(lambda x: reduce(np.sin(x[3:])), x="N")
    with pytest.raises(ValueError, match="N must be at least 4"):
        module.forward(np.ones(3))


@pytest.mark.parametrize(("value", "shown"), [
    (np.tanh, "None"), (np.float64(0.5), "0.5"), (float("inf"), "float('inf')"),
    (np.arange(2), "None"), ((1, "a"), "(1, 'a')")])
def test_constants_are_defaults_of_the_module(value: Any, shown: str) -> None:
    """A function, or an array, has no literal: it is left out, and another one is refused."""
    module = symprop.generate(symprop.trace(
        lambda x, c=value: np.sum(np.sin(x)), shapes={"x": "N"}))
    assert f"c={shown}" in module.source.replace('"', "'")
    x = np.ones(2)
    assert np.allclose(module.value_and_grad(x)[0], module.forward(x, validate=False)[0])
    with pytest.raises(ValueError, match="c is fixed at"):
        module.forward(x, c=7)


# ---- all of them, at length ------------------------------------------------------------------


def scaled_logits(s: Any, X: Any, w: Any, y: Any) -> Any:
    return np.mean(np.logaddexp(0, -y * (s * X @ w)))


def rezero(g: Any, X: Any, W: Any, v: Any, y: Any) -> Any:
    return np.sum(((g * np.tanh(X @ W)) @ v - y) ** 2)


def scanned(a: Any, x: Any) -> Any:
    def step(h: Any, row: Any) -> Any:
        z = np.tanh(h + np.sum(a * row))
        return z, z
    return np.sum(scan(step, np.zeros(()), x)[1])


def gathered_window(c: Any, lab: Any, k: Any) -> Any:
    p = np.pad(c[np.arange(c.shape[0]), lab], 1)
    return np.sum((windows(p, 3) @ k) ** 2)


def bag_of_words(y: Any, m: Any, t: Any) -> Any:
    return np.mean(np.logaddexp(0, -y * m[t].sum(axis=1)))


def gathered_twice(m: Any, t: Any, q: Any) -> Any:
    r = m[t]
    h = r - r.mean(axis=1, keepdims=True)
    return np.sum(np.sin(np.take_along_axis(h, q[:, None], axis=1)))


def distances(x: Any) -> Any:
    s = np.sum((x[:, None] - x[None]) ** 2, axis=2)
    return np.sum(np.where(s > 0, np.sqrt(s), 0.0))


def inverse_distances(x: Any) -> Any:
    s = np.sum((x[:, None] - x[None]) ** 2, axis=2)
    return np.sum(np.where(np.eye(x.shape[0]) > 0, 0.0, 1 / np.sqrt(s)))


ZERO = np.array(0.0)
I3 = np.array([1, 0, 2])
W33 = np.arange(9.0).reshape(3, 3)
ALL: dict[str, Found] = {
    "Σ g x": found(lambda g, x: np.sum(g * x), {"g": ZERO, "x": ANY(size=3)}, g="", x="N"),
    "Σ (a x)²": found(lambda a, x: np.sum((a * x) ** 2), {"a": ZERO, "x": ANY(size=3)},
                      {"a": np.array(1e-200), "x": ANY(size=3)}, a="", x="N"),
    "mean (lam W)²": found(lambda lam, W: np.mean((lam * W) ** 2),
                           {"lam": ZERO, "W": ANY(size=(3, 2))}, lam="", W="N M"),
    "scaled logits": found(
        scaled_logits, {"s": ZERO, "X": ANY(size=(3, 2)), "w": ANY(size=2), "y": ANY(size=3)},
        s="", X="N K", w="K", y="N"),
    "a zero-initialised gain": found(
        rezero, {"g": ZERO, "X": ANY(size=(3, 2)), "W": ANY(size=(2, 4)), "v": ANY(size=4),
                 "y": ANY(size=3)}, g="", X="N K", W="K M", v="M", y="N"),
    "beta X @ W": found(lambda b, X, W: np.sum(np.tanh(b * X @ W)),
                        {"b": ZERO, "X": ANY(size=(3, 2)), "W": ANY(size=(2, 4))},
                        b="", X="N K", W="K M"),
    "a[0] a[1] a[2] x": found(lambda a, x: np.sum(a[0] * a[1] * a[2] * x),
                              {"a": np.zeros(3), "x": ANY(size=3)}, a="3", x="N"),
    "(a b X) w": found(lambda a, b, X, w: np.sum(np.tanh((a * b * X) @ w)),
                       {"a": ZERO, "b": np.array(2.0), "X": ANY(size=(3, 2)), "w": ANY(size=2)},
                       a="", b="", X="N K", w="K"),
    "tanh(u) x": found(lambda u, x: np.sum(np.tanh(u) * x), {"u": ZERO, "x": ANY(size=3)},
                       u="", x="N"),
    "a gain in a recurrence": found(scanned, {"a": ZERO, "x": ANY(size=(3, 2))}, a="", x="T K"),
    "(g softmax S) V": found(
        lambda g, S, V: np.sum(((g * nn.softmax(S, axis=-1)) @ V) ** 2),
        {"g": ZERO, "S": ANY(size=(3, 3)), "V": ANY(size=(3, 2))}, g="", S="N N", V="N D"),
    "A[0, :, [1, 3, 2]]": found(lambda A: np.sum(A[0, :, [1, 3, 2]] * W33), {}, A="4 3 6"),
    "x[:, 0, :, I]": found(lambda x: np.sum(np.sin(x[:, 0, :, I3]) * np.arange(4.0)), {},
                           x="2 3 4 5"),
    "x[array(0), :, I]": found(lambda x: np.sum(np.sin(x[np.array(0), :, I3]) * np.arange(4.0)),
                               {}, x="2 4 5"),
    "x[0, :, mask]": found(
        lambda x: np.sum(np.sin(x[0, :, np.array([True, False, True, True])]) * np.arange(3.0)),
        {}, x="2 3 4"),
    "A[0, :, i]": found(lambda A, i: np.sum(np.sin(A[0, :, i]) * np.arange(3.0)), {}, A="2 3 4",
                        i="int 5"),
    "a padded gather, windows": found(gathered_window, {"N": 7, "M": 5}, c="N M", lab="int N",
                                      k="3"),
    "a flip, windows": found(
        lambda x, k: np.sum(np.sin((windows(x[::-1], (2, 3)) * k).sum(axis=(-1, -2)))),
        {"N": 3, "M": 4}, x="N M", k="2 3"),
    "a bag of words": found(bag_of_words, {"N": 3, "V": 4, "W": 2}, y="N", m="V", t="int N W"),
    "gathered twice": found(gathered_twice, {"K": 4, "N": 3}, m="K", t="int N 2", q="int N"),
    "cosine similarity": found(lambda a, b: np.sum(nn.cosine_similarity(a, b, axis=0) * b[0]),
                               {}, a="1 3", b="4 3"),
    "a logarithm not taken": found(
        lambda x: np.sum(np.where(x <= 3, (x - 2) ** 2, 2 * np.log(x - 2) + 1)),
        {"x": np.array([1.0, 2.0, 3.5])}, x="N"),
    "a root not taken": found(
        lambda x: np.sum(np.where(x > 2, np.sqrt(x - 2), (x - 2) ** 2)),
        {"x": np.array([1.0, 2.5, 3.5])}, x="N"),
    "distances": found(distances, {"N": 3, "D": 2}, x="N D"),
    "inverse distances": found(inverse_distances, {"N": 3, "D": 2}, x="N D"),
    "a Gram determinant": found(lambda X: np.linalg.slogdet(X.T @ X)[1], {"N": 5, "K": 2},
                                X="N K"),
    "a line of one point": found(lambda a, b: np.sum(np.sin(np.linspace(a, b, 1))), {}, a="",
                                 b=""),
    "a line of N points": found(
        lambda a, b, x: np.sum(np.sin(np.linspace(a, b, x.shape[0])) * x), {"N": 1}, {"N": 4},
        a="", b="", x="N"),
    **{name: found(getattr(found_programs, name), *sizes) for name, sizes in {
        "empty_difference": ({"M": 1, "K": 1, "H": 1}, {"M": 3, "K": 2, "H": 2}),
        "padded_column": ({},),
        "transposed_vector": ({"N": 3, "H": 2, "K": 4, "M": 2}, {"N": 1, "H": 1, "K": 2, "M": 1}),
        "window_maximum": ({},),
        "one_hot_choice": ({"M": 1, "H": 2, "K": 1}, {"M": 3, "H": 4, "K": 3}),
        "inverse_after_scan": ({"N": 3},),
        "masked_means": ({},),
        "flipped_windows": ({},),
        "added_at": ({"N": 2, "K": 3, "M": 4},),
        "short_convolution": ({"K": 4, "N": 3},),
        "product_of_axes": ({},),
    }.items()},
}


@pytest.mark.fuzz
@pytest.mark.parametrize("name", ALL)
def test_what_was_found_is_right(name: str) -> None:
    holds(ALL[name])
