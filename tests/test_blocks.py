"""Equal calls are one lemma, and lemmas together are the gradient.

Networks in natural style are derived by blocks; what the blocks hand to each other is evaluated
by the interpreter and compared with the flat derivation. What makes two calls unequal is changed
on one of them, one thing at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from block_networks import (
    inline,
    pair,
    residual,
    scaled,
    steps,
    transformer,
    widths,
)

import symprop
from symprop.algebra.build import mul, number
from symprop.algebra.expr import adjoint
from symprop.blocks import outline
from symprop.blocks.derive import closed
from symprop.blocks.run import gradients
from symprop.errors import InputError, VerificationError
from symprop.interpret import draw, run
from symprop.interpret.run import run_equations
from symprop.system import System

NETWORKS: Mapping[str, tuple[Callable[[], System], list[str]]] = {
    "transformer": (lambda: transformer(2),
                    ["layer_norm", "head", "attention", "block"]),
    "widths": (widths, ["dense"]),
    "steps": (steps, ["step"]),
    "residual": (residual, ["unit"]),
    "inline": (inline, ["layer"]),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_lemmas_together_are_the_flat_gradient(name: str) -> None:
    make, blocks = NETWORKS[name]
    system = make()
    derivation = symprop.derive(system)
    assert [m.block.name for m in derivation.lemmas] == blocks
    derivation.verify()
    flat = symprop.derive(system, structure="flat")
    for seed in range(3):
        sizes, inputs = draw(system, seed)
        arrays = run(system, inputs, sizes)
        run_equations(flat.adjoints, arrays, sizes)
        own, found = gradients(derivation.program.block, derivation.found.derivations, inputs,
                               sizes)
        np.testing.assert_allclose(own[system.loss], arrays[system.loss], rtol=1e-12)
        for wrt in system.wrt:
            expected = arrays[adjoint(wrt)]
            np.testing.assert_allclose(
                found[wrt], expected, rtol=0, atol=1e-12 * np.abs(expected).max())


def test_depth_adds_no_lemma() -> None:
    """The same lemmas with the same equations, and the first block is as the others."""
    two, three = (outline(transformer(k)) for k in (2, 3))
    assert [(b.name, len(b.system.equations)) for b in two.below] == [
        (b.name, len(b.system.equations)) for b in three.below]
    assert [sum(u.block.name == "block" for u in p.uses) for p in (two, three)] == [2, 3]


# ---- what makes blocks unequal --------------------------------------------------------------


def squared(x: Any, w: Any) -> Any:
    z = x * w
    s = np.sqrt(2 + z * z)
    return z / s


def of_integers(x: "N", y: "int N", w: "N"):
    return scaled(x, w).sum() + (scaled(y, w) ** 2).sum()


def read_once(x: "N", y: "N", w: "N"):
    def both(x: Any) -> Any:
        z = x * w
        s = np.sqrt(1 + z * z)
        return z / s, s

    (a, b), (c, _) = both(x), both(y)
    return (a * b + c).sum()


def weighted(p: Any, z: Any) -> Any:
    m = z.max(axis=-1, keepdims=True)
    e = np.exp(z - m)
    return -(p * (z - m - np.log(e.sum(axis=-1, keepdims=True)))).sum(axis=-1)


def weighted_pair(p: "N M", q: "N M", z: "N M", w: "N M"):
    return (weighted(p, z) + weighted(q, w) ** 2).sum()


def masked_pair(first: Any, second: Any) -> Callable[..., Any]:
    def by(mask: Any, x: Any) -> Any:
        z = np.exp(x) * mask
        s = np.sqrt(1 + z * z)
        return z / s

    def loss(x: "3", y: "3"):
        return (by(np.array(first), x) + by(np.array(second), y) ** 2).sum()
    return loss


def normed(x: Any, g: Any, eps: float = 1e-5, axis: int = 1) -> Any:
    v = (x * x).mean(axis=axis, keepdims=True)
    r = np.sqrt(v + eps)
    return g * (x / r)


def normed_pair(**options: Any) -> Callable[..., Any]:
    def loss(x: "N N", y: "N N", g: "N"):
        return normed(x, g).sum() + (normed(y, g, **options) * x).sum()
    return loss


SUM = symprop.sums_to_one("p", axis=1)
OTHER = symprop.sums_to_one("q", axis=1)


@pytest.mark.parametrize("loss, options, equal", [
    (pair(), {}, True),
    (pair(by=3.0), {}, False),
    (pair(squared), {}, False),
    (of_integers, {"wrt": ["x", "w"]}, False),
    (pair(), {"wrt": ["x", "w"]}, True),
    (pair(), {"wrt": ["y"]}, True),
    (read_once, {}, True),
    (weighted_pair, {"wrt": ["z", "w"]}, True),
    (weighted_pair, {"wrt": ["z", "w"], "facts": [SUM]}, False),
    (weighted_pair, {"wrt": ["z", "w"], "facts": [SUM, OTHER]}, True),
    (pair(), {"facts": [symprop.positive("x")]}, True),
    (pair(), {"facts": [symprop.in_range("y", -1, 1), symprop.positive("w")]}, True),
    (normed_pair(), {}, True),
    (normed_pair(eps=1e-6), {}, False),
    (normed_pair(axis=0), {}, False),
    (masked_pair([1.0, 0.0, 2.0], [1.0, 0.0, 2.0]), {}, True),
    (masked_pair([1.0, 0.0, 2.0], [1.0, 0.0, 3.0]), {}, False),
], ids=["same", "Python argument", "forward equation", "dtype", "unwanted gradient",
        "unwanted result", "unread result", "no facts", "one fact", "both facts",
        "a fact that no step leans on", "two such facts", "same norm", "eps", "axis",
        "same constant", "another constant"])
def test_what_makes_two_calls_one_block(
    loss: Callable[..., Any], options: dict[str, Any], equal: bool
) -> None:
    system = symprop.trace(loss, **options)
    derivation = symprop.derive(system)
    assert len(derivation.lemmas) == equal
    if equal:
        derivation.verify()


# ---- what is no block -----------------------------------------------------------------------


def in_a_scan(X: "T 3", W: "3 3"):
    def step(h: Any, x: Any) -> Any:
        return scaled(scaled(h @ W, x), x), None
    h, _ = symprop.scan(step, np.zeros(X.shape[1]), X)
    return (h * h).sum()


def by_a_callback(x: "N", w: "N"):
    def around(f: Any, x: Any) -> Any:
        a = np.exp(x)
        b = f(a)
        return np.sqrt(1 + b * b) + a

    return (around(lambda a: a * w, x) + around(lambda a: a * w, 2 * x * w)).sum()


def guarded(x: "N K", V: "M K", y: "int N", z: "int N"):
    """Rows that are looked up only where there is one."""
    def rows(y: Any) -> Any:
        picked = np.where((y >= 0)[:, None], V[np.where(y >= 0, y, 0)], 0) * x
        s = np.sqrt(1 + picked * picked)
        return picked / s

    return (rows(y) + rows(z) ** 2).sum()


@pytest.mark.parametrize("loss", [in_a_scan, by_a_callback, guarded])
def test_recurrences_callbacks_and_guards_are_right(loss: Callable[..., Any]) -> None:
    symprop.derive(symprop.trace(loss)).verify()


def test_a_wrong_lemma_is_refuted() -> None:
    derivation = symprop.derive(symprop.trace(pair()))
    (lemma,) = derivation.lemmas
    last = lemma.derivation.adjoints[-1]
    wrong = replace(last, rhs=mul(number(1.001), last.rhs), steps=())
    broken = replace(lemma.derivation, adjoints=(*lemma.derivation.adjoints[:-1], wrong))
    with pytest.raises(VerificationError):
        replace(derivation.found, lemmas=(replace(lemma, derivation=broken),)).verify()


@pytest.mark.parametrize("make", [steps, inline])
def test_the_sum_that_closes_a_block_has_a_number_of_its_own(make: Callable[[], System]) -> None:
    """Lines that use other blocks have numbers too, and what was recognised is found by them."""
    derivation = symprop.derive(make())
    for lemma in (*derivation.lemmas, derivation.program):
        block = lemma.block
        whole = closed(replace(block.system, given=tuple(block.results) or (block.system.loss,)))
        own = whole.equations[-1].number
        assert own not in {line.number for line in (*block.system.equations, *block.uses)}


# ---- print and refusals ---------------------------------------------------------------------


def test_another_structure_is_refused() -> None:
    with pytest.raises(InputError, match='"blocks" or "flat"'):
        symprop.derive(symprop.trace(pair()), structure="tree")


def test_a_program_that_repeats_nothing_is_flat() -> None:
    """And so is one with a learning rule, and one that is asked to be."""
    system = symprop.trace(pair())
    for derivation in (symprop.derive(symprop.trace(pair(squared))),
                       symprop.derive(system, structure="flat"), symprop.derive(system).flat):
        assert type(derivation) is symprop.Derivation and not derivation.lemmas
        assert derivation.flat is derivation


def test_what_is_not_by_lemmas_is_that_of_the_flat_form() -> None:
    derivation = symprop.derive(symprop.trace(pair()))
    flat = symprop.derive(symprop.trace(pair()), structure="flat")
    inputs = {n: np.full(2, 0.5) for n, a in flat.system.arrays.items() if a.kind == "input"}
    assert derivation.adjoints == derivation.flat.adjoints
    assert len(derivation.adjoints) == len(flat.adjoints)
    assert derivation.worked_example(inputs) == flat.worked_example(inputs)
    assert derivation.beamer() == flat.beamer() and derivation.figure() == flat.figure()
    assert str(derivation.cost()) == str(flat.cost())
    assert derivation.explicit({"N": 1}).loss == flat.explicit({"N": 1}).loss
    assert derivation.notes == flat.notes and derivation.exact == flat.exact
    assert list(derivation.gradients) == list(flat.gradients)


def test_a_program_without_equal_calls_has_no_lemma() -> None:
    program = outline(symprop.trace(pair(squared)))
    assert not program.uses and not program.below


def test_a_lemma_states_the_facts_that_a_step_leans_on() -> None:
    system = symprop.trace(weighted_pair, wrt=["z", "w"], facts=[SUM, OTHER])
    text = symprop.derive(system).text()
    assert text.startswith(
        "Lemma 1 (weighted). Given p (N × M) and z (N × M), where Σ_i p[n,i] = 1:")
    unused = symprop.trace(pair(), facts=[symprop.positive("x"), symprop.positive("y")])
    assert "where" not in symprop.derive(unused).text().partition(":")[0]
