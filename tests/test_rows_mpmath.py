"""Every spelled derivative is proven equal to the derivative of the row's definition.

"Equal": at seeded points of the domain (1,000 in the deep tests), far tails included, the
spelling in exact functions agrees with mpmath's numerical derivative of the definition to 20
digits, relative.
"""

from __future__ import annotations

from dataclasses import replace

import mpmath
import pytest
import rows_oracle as oracle
import sympy

from symprop.algebra import rows
from symprop.algebra.rows_gamma import POLYGAMMA

SPELLED = [
    (name, k) for name in rows.names() for k, d in enumerate(rows.get(name).derivative)
    if d is not None
]
DERIVED = [
    (name, k) for name in rows.names() for k in range(rows.get(name).arity)
    if (name, k) not in SPELLED
]


def disagreements(row: rows.Row, k: int, spelled: sympy.Expr, count: int) -> list[str]:
    """The points at which `spelled` is not the derivative of the definition to 20 digits."""
    native = rows.to_native(spelled)

    def of_spelling(*args):
        return oracle.evaluate(native, dict(zip(rows.X, args, strict=False)))

    found = []
    for point in oracle.points(row, count):
        wanted = oracle.settled(oracle.derivative_of(row, k), point)
        got = oracle.settled(of_spelling, point)
        if abs(got - wanted) > mpmath.mpf(10) ** -20 * abs(wanted) + mpmath.mpf(10) ** -340:
            found.append(f"{row.name}{point}: {mpmath.nstr(got, 25)} {mpmath.nstr(wanted, 25)}")
    return found


@pytest.mark.parametrize("count", [100, pytest.param(1000, marks=pytest.mark.deep)])
@pytest.mark.parametrize(("name", "k"), SPELLED)
def test_spelled_derivative_is_the_derivative_of_the_definition(name, k, count):
    row = rows.get(name)
    assert not disagreements(row, k, rows.partial(name, k, rows.X[: row.arity]), count)


@pytest.mark.parametrize(("name", "k"), DERIVED)
def test_derivative_by_sympy_is_the_derivative_of_the_definition(name, k):
    row = rows.get(name)
    assert not disagreements(row, k, rows.partial(name, k, rows.X[: row.arity]), 100)


@pytest.mark.parametrize(("name", "k"), SPELLED)
def test_without_spellings_the_derivative_is_the_same(name, k):
    row = rows.get(name)
    with rows.without_spellings():
        plain = rows.partial(name, k, rows.X[: row.arity])
        assert not disagreements(row, k, plain, 100)


@pytest.mark.parametrize("name", [n for n in rows.names() if rows.get(n).mirror])
def test_the_value_at_the_negative_argument(name):
    row, value = rows.get(name), oracle.value_of(rows.get(name))
    offset, slope = row.mirror
    for point in oracle.points(row, 200):
        here, there = oracle.settled(value, point), oracle.settled(value, [-x for x in point])
        with mpmath.workdps(40):
            error = abs(offset + slope * here - there)
        assert error <= mpmath.mpf(10) ** -20 * max(1, abs(here))


def test_the_proof_refutes_a_wrong_spelling():
    row = rows.get("tanh")
    v = rows.applied("tanh")(rows.x)
    wrong = replace(row, derivative=(1 - rows.VALUE**2 + sympy.Rational(1, 10**15),))
    with rows.override(wrong):
        formal = rows.partial("tanh", 0, [rows.x])
        assert formal != 1 - v**2
        assert len(disagreements(wrong, 0, formal, 50)) == 50


def test_every_row_with_a_derivative_of_its_own_is_covered():
    assert len(SPELLED) > 20
    assert {name for name, _ in SPELLED + DERIVED} == {
        n for n in rows.names() if rows.get(n).arity and POLYGAMMA.number(n) is None}
