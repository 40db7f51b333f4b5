"""A branch that is not taken contributes exactly nothing, whatever stands in it."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from numpy.lib.stride_tricks import sliding_window_view

import symprop

# A function, values of its domain, and values at which it is infinite, nan or without a slope.
KINDS = {
    "log": (np.log, (0.4, 1.3, 2.0), (0.0, -1.0)),
    "sqrt": (np.sqrt, (0.4, 1.3, 2.0), (0.0, -1.0)),
    "reciprocal": (lambda x: 1 / x, (0.4, -1.3, 2.0), (0.0,)),
    "pow": (lambda x: x**1.7, (0.4, 1.3, 2.0), (-1.0, -0.3)),
    "root of a power": (lambda x: (4 - x * x) ** -0.5, (1.4, -1.3, 0.0), (2.0, -2.0, 3.0)),
    "arctanh": (lambda x: np.arctanh(x / 2), (0.4, -0.3, 0.7), (2.0, -2.0, 3.0)),
    "overflow": (lambda x: np.exp(300 * x), (0.001, -0.002, 0.0005), (3.0,)),
    "log of a log": (lambda x: np.log(1 + np.log(x)), (1.4, 1.3, 2.0), (0.2, -0.5, 0.0)),
    "twice a quotient": (lambda x: (x - 1) / (x * x), (0.4, -1.3, 2.0), (0.0,)),
}


def plain(m, f, x, w):
    return np.sum(w * np.where(m, f(x), 0.0))


def affine(m, f, x, w):
    return np.sum(np.where(m, 2 * f(x) + w, x * w))


def other_way(m, f, x, w):
    return np.sum(np.where(~m, w * x, f(x) ** 2) * w)


def nested(m, f, x, w):
    return np.sum(np.where(w > 0, np.where(m, f(x), x), w * x) ** 2)


def named(m, f, x, w):
    r = f(x)
    s = r * w + r
    return np.sum(np.where(m, s, w) ** 2)


def summed(m, f, x, w):
    r = f(x)
    return np.sum(np.sum(np.where(m, r, 0.0), axis=1) ** 2)


def contracted(m, f, x, w):
    r = np.where(m, f(x), 0.0)
    return np.sum(np.tanh(r @ w.T))


def product(m, f, x, w):
    return np.sum(w * np.where(m, f(x) * w, x))


def shifted(m, f, x, w):
    r = f(x)
    return np.sum(np.where(m[1:], r[1:], w[1:]) ** 2) + np.sum(np.where(m[:1], r[:1], 0.0))


def windows(m, f, x, w):
    r = sliding_window_view(f(x), 2, axis=1)
    return np.sum(np.where(sliding_window_view(m, 2, axis=1), r, 0.0) ** 2)


def averaged(m, f, x, w):
    return np.sum(np.where(m, f(x), 0.0).sum(axis=1) / np.maximum(m.sum(axis=1), 1))


def selected(m, f, x, w):
    return np.sum(np.select([w > 9, m], [w, f(x)], 0.0))


def in_a_recurrence(m, f, x, w):
    def step(h, given):
        taken, entry, factor = given
        h = np.where(taken, np.tanh(f(entry)) + 0.5 * h, h * factor)
        return h, h
    _, states = symprop.scan(step, 0 * x[0], (m, x, w))
    return np.sum(states**2)


def at_the_state(m, f, x, w):
    def step(h, given):
        taken, entry = given
        h = np.where(taken, f(entry + 0 * h), 0.1 * h)
        return h, h
    _, states = symprop.scan(step, 0 * x[0], (m, x))
    return np.sum(states**2)


NESTINGS = (plain, affine, other_way, nested, named, summed, contracted, product, shifted,
            windows, averaged, selected, in_a_recurrence, at_the_state)
N = 4


def above(x, m):
    return x > 0.0001


MASKS = {"a truth": lambda x, m: m, "a number": lambda x, m: m > 0.5,
         "np.eye": lambda x, m: np.eye(x.shape[0]) > 0,
         "np.tril": lambda x, m: np.tri(x.shape[0]) > 0,
         "places": lambda x, m: np.arange(x.shape[0])[:, None] < np.arange(x.shape[1])}


def values(kind: str, mask: str, rng: np.random.Generator) -> dict[str, np.ndarray]:
    _, good, bad = KINDS[kind]
    m = rng.random((N, N)) < 0.5
    m[0, :], m[1, :] = True, False
    zeros = np.zeros((N, N))
    taken = np.broadcast_to(MASKS[mask](zeros, m), (N, N))
    x = np.where(taken, rng.choice(good, (N, N)), rng.choice(bad, (N, N)))
    return {"x": x, "w": rng.choice((-0.7, 0.3, 1.1), (N, N)),
            "m": m if mask == "a truth" else m.astype(float)}


def differences(function, given, name, step=1e-5):
    """Richardson differences of the user's own function."""
    found = np.zeros(given[name].shape)
    with np.errstate(all="ignore"):
        for at in np.ndindex(*found.shape):
            def loss(h, at=at):
                moved = given[name].copy()
                moved[at] += h
                return function(**{**given, name: moved})
            wide, narrow = ((loss(h) - loss(-h)) / (2 * h) for h in (step, step / 2))
            found[at] = (4 * narrow - wide) / 3
    return found


def compare(function, given, wrt):
    """The module's loss and gradients are the function's, and nothing is warned of."""
    system = symprop.trace(function, wrt=wrt)
    module = symprop.generate(system)
    with np.errstate(all="ignore"):
        expected = function(**given)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        loss, gradients = module.value_and_grad(**given)
    assert np.isfinite(expected)
    np.testing.assert_allclose(loss, expected, rtol=1e-12)
    for name in wrt:
        right = differences(function, given, name)
        scale = max(1.0, np.abs(right).max())
        np.testing.assert_allclose(gradients[name], right, rtol=1e-6, atol=1e-7 * scale)


def written(kind: str, mask: str, nesting):
    f, where = KINDS[kind][0], MASKS[mask]
    if mask == "a truth":
        def function(x: "N M", w: "N M", m: "bool N M"):
            return nesting(where(x, m), f, x, w)
    elif mask in ("np.eye", "np.tril", "places"):
        def function(x: "N N", w: "N N", m: "N N"):
            return nesting(where(x, m), f, x, w) + 0 * np.sum(m)
    else:
        def function(x: "N M", w: "N M", m: "N M"):
            return nesting(where(x, m), f, x, w)
    return function


def cases():
    """Every third pair of a kind and a nesting, with the masks in turn."""
    masks = list(MASKS)
    for i, kind in enumerate(KINDS):
        for j, nesting in enumerate(NESTINGS):
            if (i + j) % 3 == 0:
                yield kind, masks[(i + 2 * j) % len(masks)], nesting


@pytest.mark.parametrize(("kind", "mask", "nesting"), list(cases()))
def test_what_is_not_taken_contributes_nothing(kind, mask, nesting):
    rng = np.random.default_rng([len(kind), len(mask)])
    compare(written(kind, mask, nesting), values(kind, mask, rng), ("x", "w"))


def contrastive(d, t, w):
    return np.where(t == 1, d, np.maximum(0, 1 - d))


def weighed(d, t, w):
    return np.where(t == 1, w * d, np.maximum(0, 1 - d))


def both_fall(d, t, w):
    return np.maximum(0, 1 - d) - w * d


def nested(d, t, w):
    return np.where(t == 1, np.where(w > 0, np.maximum(0, -d), d), -np.maximum(0, d))


@pytest.mark.parametrize("reduced", [np.sum, np.mean])
@pytest.mark.parametrize("function", [contrastive, weighed, both_fall, nested])
def test_a_slope_of_minus_one_on_a_side_is_a_number(function, reduced):
    """NumPy negates no truth values; the module stays in single precision beside them."""
    def loss(d: "N", t: "N", w: "N"):
        return reduced(function(d, t, w))

    module = symprop.generate(symprop.derive(symprop.trace(loss, wrt=("d",))))
    assert symprop.check(module).passed
    single = [np.array(v, np.float32) for v in ([0.5, 2.0, -1.0], [1, 0, 0], [0.3, -0.2, 0.7])]
    _, saved = module.forward(*single)
    assert module.backward(saved)["d"].dtype == np.float32
