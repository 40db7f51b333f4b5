"""What the derivative is where branches meet, and how a Piecewise becomes guarded branches."""

from __future__ import annotations

import itertools
import random
from fractions import Fraction
from pathlib import Path

import pytest
import sympy

from symprop.algebra import rows
from symprop.errors import UnsupportedError

HALF = Fraction(1, 2)
x, y = rows.x, rows.y

KINKS = [  # name, argument number, point, derivative there
    ("relu", 0, (0,), 0), ("relu", 0, (1,), 1), ("relu", 0, (-1,), 0),
    ("relu6", 0, (0,), 0), ("relu6", 0, (6,), 0), ("relu6", 0, (3,), 1),
    ("hardtanh", 0, (-1, -1, 1), 0), ("hardtanh", 0, (1, -1, 1), 0), ("hardtanh", 0, (0, -1, 1), 1),
    ("hardsigmoid", 0, (-3,), 0), ("hardsigmoid", 0, (3,), 0),
    ("hardsigmoid", 0, (0,), Fraction(1, 6)),
    ("maximum_constant", 0, (2, 2), 0), ("maximum_constant", 0, (3, 2), 1),
    ("minimum_constant", 0, (2, 2), 0), ("minimum_constant", 0, (1, 2), 1),
    ("maximum", 0, (2, 2), HALF), ("maximum", 1, (2, 2), HALF), ("maximum", 1, (1, 2), 1),
    ("minimum", 0, (2, 2), HALF), ("minimum", 1, (2, 2), HALF), ("minimum", 0, (1, 2), 1),
    ("clip", 0, (-1, -1, 1), 1), ("clip", 0, (1, -1, 1), 1), ("clip", 0, (2, -1, 1), 0),
    ("clip", 1, (-2, -1, 1), 1), ("clip", 1, (-1, -1, 1), 0), ("clip", 2, (2, -1, 1), 1),
    ("abs", 0, (0,), 0), ("abs", 0, (-2,), -1), ("abs", 0, (2,), 1),
    ("sign", 0, (0,), 0), ("sign", 0, (2,), 0), ("floor", 0, (2,), 0), ("ceil", 0, (2,), 0),
    ("trunc", 0, (2,), 0), ("rint", 0, (HALF,), 0), ("rint", 0, (3,), 0), ("sinc", 0, (0,), 0),
    ("clip_below", 0, (2, 2), 1), ("clip_below", 0, (1, 2), 0), ("clip_below", 1, (2, 2), 0),
    ("clip_above", 0, (2, 2), 1), ("clip_above", 0, (3, 2), 0), ("clip_above", 1, (3, 2), 1),
    ("root", 0, (0,), 0), ("root", 0, (4,), Fraction(1, 4)),
    ("leaky_relu", 0, (0, Fraction(1, 100)), Fraction(1, 100)),
    ("leaky_relu", 1, (0, Fraction(1, 100)), 0), ("leaky_relu", 1, (-3, Fraction(1, 100)), -3),
    ("elu", 0, (0, 1), 1), ("elu", 0, (0, 2), 2), ("elu", 0, (1, 2), 1),
    ("huber", 0, (2, 2), 2), ("huber", 0, (-2, 2), -2), ("huber", 0, (5, 2), 2),
    ("huber", 1, (2, 2), 0), ("huber", 1, (5, 2), 3), ("huber", 1, (-5, 2), 3),
    ("hypot", 0, (0, 0), 0), ("hypot", 1, (0, 0), 0), ("hypot", 0, (3, 4), Fraction(3, 5)),
    ("xlogy", 0, (0, 0), 0), ("xlogy", 1, (0, 0), 0), ("xlogy", 1, (0, 2), 0),
    ("xlogy", 1, (3, 2), Fraction(3, 2)), ("xlogy", 0, (0, 1), 0),
    ("pow", 0, (0, 0), 0), ("pow", 1, (0, 2), 0), ("pow", 0, (0, 1), 1), ("pow", 0, (3, 2), 6),
]


def at(expr: sympy.Expr, point) -> sympy.Expr:
    """The native expression at an exact point."""
    numbers = [sympy.Rational(str(p)) for p in point]
    return rows.to_native(expr.xreplace(dict(zip(rows.X, numbers, strict=False))))


@pytest.mark.parametrize(("name", "k", "point", "slope"), KINKS)
def test_derivative_at_the_kink(name, k, point, slope):
    formal = rows.partial(name, k, rows.X)
    assert at(formal, point) == sympy.Rational(str(slope))
    assert sum_of_branches(formal, point) == sympy.Rational(str(slope))


@pytest.mark.parametrize(("name", "k", "point", "slope"), [
    kink for kink in KINKS if kink[0] not in ("pow", "hypot", "sinc")])
def test_the_kink_belongs_to_the_definition_not_to_the_spelling(name, k, point, slope):
    with rows.without_spellings():
        assert at(rows.partial(name, k, rows.X), point) == sympy.Rational(str(slope))


def sum_of_branches(expr: sympy.Expr, point) -> sympy.Expr:
    """The sum of the guarded branches at a point; a false guard is a strong zero."""
    if not isinstance(expr, sympy.Piecewise):
        return at(expr, point)
    total = sympy.S.Zero
    for branch, guard in rows.guards(expr):
        if all(at(condition, point) == sympy.true for condition in guard):
            total += at(branch, point)
    return total


# ---- guards -----------------------------------------------------------------------------------


def test_an_indicator_is_one_relation():
    assert rows.guards(rows.partial("relu", 0, [x])) == ((1, (x > 0,)),)
    assert rows.guards(rows.partial("clip", 0, rows.X)) == ((1, (x <= rows.z, x >= y)),)


def test_a_tie_is_an_equation():
    branches = rows.guards(rows.partial("maximum", 0, [x, y]))
    assert branches == ((1, (x > y,)), (sympy.Rational(1, 2), (sympy.Eq(x, y),)))


def test_implied_relations_are_left_out():
    expr = sympy.Piecewise((1, x < -1), (2, x > 1), (3, True))
    assert rows.guards(expr) == ((1, (x < -1,)), (2, (x > 1,)), (3, (x >= -1, x <= 1)))
    expr = sympy.Piecewise((1, x < 0), (2, x < 1), (3, x < 2), (4, True), evaluate=False)
    assert [guard for _, guard in rows.guards(expr)] == [
        (x < 0,), (x >= 0, x < 1), (x >= 1, x < 2), (x >= 2,)]


def test_impossible_branches_are_left_out():
    expr = sympy.Piecewise((1, x < 2), (2, x < 1), (3, sympy.Eq(x, 0)), (4, True), evaluate=False)
    assert rows.guards(expr) == ((1, (x < 2,)), (4, (x >= 2,)))


def test_a_condition_that_is_no_relation_is_refused():
    p = sympy.Symbol("p")
    with pytest.raises(UnsupportedError, match="a Piecewise has the condition p"):
        rows.guards(sympy.Piecewise((x, p), (0, True)))


def _condition(dice: random.Random, depth: int):
    if depth and dice.random() < 0.5:
        parts = [_condition(dice, depth - 1) for _ in range(2)]
        return dice.choice((sympy.And, sympy.Or))(*parts)
    if depth and dice.random() < 0.2:
        return sympy.Not(_condition(dice, depth - 1))
    relation = dice.choice((sympy.Gt, sympy.Lt, sympy.Ge, sympy.Le, sympy.Eq, sympy.Ne))
    return relation(dice.choice((x, y)), dice.choice((x, y, *map(sympy.Integer, range(3)))))


@pytest.mark.parametrize("seed", range(60))
def test_branches_are_disjoint_and_add_up(seed):
    dice = random.Random(seed)
    pairs = [(sympy.Integer(k), _condition(dice, 2)) for k in range(1, 4)]
    expr = sympy.Piecewise(*pairs, (sympy.Integer(4), True), evaluate=bool(seed % 2))
    if not isinstance(expr, sympy.Piecewise):
        return
    grid = [Fraction(k, 2) for k in range(-1, 6)]
    for point in itertools.product(grid, grid):
        holding = [branch for branch, guard in rows.guards(expr)
                   if all(at(condition, point) == sympy.true for condition in guard)]
        assert holding == [at(expr, point)]


# ---- the documentation --------------------------------------------------------------------------


def test_the_conventions_page_lists_every_note():
    page = (Path(__file__).parent.parent / "docs" / "conventions.md").read_text("utf-8")
    table = "".join(f"| `{n}` | {rows.get(n).note} |\n" for n in rows.names() if rows.get(n).note)
    assert table in page, f"docs/conventions.md should hold this table:\n{table}"
