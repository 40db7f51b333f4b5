"""Large declared sizes: verified at sampled positions, fast, and no fault of a border is missed."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from numpy.lib.stride_tricks import sliding_window_view
from test_verify_points import Derived, derived

from symprop import nn
from symprop.algebra.build import add, number, rebuild
from symprop.algebra.expr import Access, Atom, Expr, Iverson, Term
from symprop.verify import Refuted, verify
from symprop.verify.setting import Setting


def conv(x, k):
    return np.sum(np.sin(nn.conv2d(x[None, None], k[None, None], padding=1)))


def pad(x, k):
    return np.sum(np.sin(np.pad(x, 2) * np.sum(k)))


def window(x, k):
    return np.sum(np.sin(np.sum(sliding_window_view(x, (3, 3)) * k, axis=(2, 3))))


def cut(x, k):
    return np.sum(np.sin(np.concatenate([x[-5:], x[:5]]))) * np.sum(k)


def moved(item: Atom) -> Iterator[Atom]:
    """A bracket or a read that is off by one on one side, or one axis."""
    if isinstance(item, (Iverson, Access)):
        for k, child in enumerate(item.children):
            for by in (-1, 1):
                sides = [*item.children]
                sides[k] = add(child, number(by))
                other = rebuild(item, tuple(sides)).single_atom
                if other is not None:
                    yield other


def mutants(found: Derived) -> Iterator[Derived]:
    """The gradient of x with one thing wrong in its last line."""
    (adjoint,) = (a for a in found.adjoints if a.primal == "x")
    for t, term in enumerate(adjoint.rhs.terms):
        for f, (item, exponent) in enumerate(term.factors):
            for other in moved(item):
                factors = (*term.factors[:f], (other, exponent), *term.factors[f + 1:])
                terms = list(adjoint.rhs.terms)
                terms[t] = Term(term.coef, factors, term.bound)
                last = dataclasses.replace(adjoint.steps[-1], after=Expr(tuple(terms)))
                wrong = dataclasses.replace(
                    adjoint, rhs=last.after, steps=(*adjoint.steps[:-1], last))
                yield Derived(found.system, tuple(
                    wrong if a is adjoint else a for a in found.adjoints))


@pytest.mark.parametrize("function", [conv, pad, window, cut])
def test_the_same_faults_are_found_at_large_sizes(function: Callable[..., object]) -> None:
    passed = []
    for length in (7, 32):
        found = derived(function, {"x": f"{length} {length}", "k": "3 3"})
        verify(found)
        passed.append([k for k, wrong in enumerate(mutants(found)) if not refuted(wrong)])
    assert passed[0] == passed[1]


def refuted(wrong: Derived) -> bool:
    try:
        verify(wrong, seeds=(0,))
    except Refuted:
        return True
    return False


def test_of_a_convolution_of_declared_sizes_few_positions_are_looked_at(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Counted, not timed: the lines of x̄ and k̄ would have 24,576 positions and sums of 2,000."""
    def loss(x, k):
        return np.sum(np.sin(nn.conv2d(x, k)))

    looked: list[int] = []
    term = Setting.term

    def counted(self: Setting, *args: object) -> np.ndarray:
        found = term(self, *args)
        looked.append(found.size)
        return found

    monkeypatch.setattr(Setting, "term", counted)
    found = derived(loss, {"x": "8 3 32 32", "k": "16 3 3 3"})
    verify(found)
    steps = sum(len(a.steps) for a in found.adjoints)
    assert sum(looked) < 20_000 * steps
    assert max(looked) < 24_576
