"""Numbers as a reader would write them: no more digits than somebody wrote.

In: an exact number, and the numbers that the author of the program wrote. Out: a `Spelled`, a
ratio times constants:

    2/3                      as it is
    0.044715                 as it was written
    0.7978845608028654       √(2/π)
    0.107032224408900379083  3 · 0.044715 √(2/π), where the author wrote these two
    0.123456789012           ≈ 0.1235
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

import sympy

from symprop.algebra.ratios import nearest, small_ratio

WRITTEN = 6  # digits: a decimal of so many stays as it was written
WHOLE = 17  # digits of a whole number
SHOWN = 4  # digits of a number that is only approximately what is shown
_PRODUCED = 3  # a decimal of more digits may be a product of the author's numbers
_MOST_CONSTANTS = 64
_SMALL = 8  # 1/8 is printed as a fraction, 1/10 as a decimal
_SMALL_POWER_OF_TWO = 64


@dataclass(frozen=True)
class Constant:
    """`number` ("decimal"), π ("pi"), √(number π^pi) ("root") or log(number π^pi) ("log")."""

    kind: str
    number: Fraction = Fraction(1)
    pi: int = 0

    @property
    def value(self) -> float:
        """The nearest float."""
        inside = float(self.number) * math.pi**self.pi
        return {"decimal": float(self.number), "pi": math.pi, "root": math.sqrt(inside),
                "log": math.log(inside)}[self.kind]

    @property
    def exact(self) -> sympy.Expr:
        """The number itself."""
        inside = sympy.Rational(self.number.numerator, self.number.denominator) * (
            sympy.pi**self.pi)
        return {"decimal": inside, "pi": sympy.pi, "root": sympy.sqrt(inside),
                "log": sympy.log(inside)}[self.kind]


PI = Constant("pi")
Factors = tuple[tuple[Constant, int], ...]


@dataclass(frozen=True)
class Spelled:
    """ratio * constant^exponent * ..., or, where not `exact`, about `ratio`."""

    ratio: Fraction
    factors: Factors = ()
    exact: bool = True


@lru_cache(maxsize=4096)
def spell(value: Fraction, own: tuple[Fraction, ...] = ()) -> Spelled:
    """How a positive number is written; `own` are the numbers that the author wrote.

    >>> spell(Fraction("1.4142135623730951")).factors
    ((Constant(kind='root', number=Fraction(2, 1), pi=0), 1),)
    """
    plain = is_plain(value)
    if plain and (value in own or _length(value) <= _PRODUCED):
        return Spelled(value)
    found = None if value in own else _product(value, own)
    if found is not None and (not plain or _length(found.ratio) <= _PRODUCED):
        return found
    if plain:
        return Spelled(value)
    return _closed(float(value)) or Spelled(value, exact=False)


def is_plain(value: Fraction) -> bool:
    """Whether a number is written with few digits: as a whole number, a decimal or a ratio."""
    if value.denominator == 1:
        return len(str(value)) <= WHOLE or _length(value) <= WRITTEN
    return is_ratio(value) or (_terminates(value) and _length(value) <= WRITTEN)


def is_ratio(value: Fraction) -> bool:
    """Whether a number is written as numerator / denominator, not as a decimal."""
    below = value.denominator
    if below == 1 or max(len(str(below)), len(str(value.numerator))) > WRITTEN:
        return False
    power_of_two = below & (below - 1) == 0
    if below <= _SMALL or (power_of_two and below <= _SMALL_POWER_OF_TWO):
        return True
    return not _terminates(value)


def decimal(value: Fraction) -> tuple[str, int]:
    """(digits, exponent) with value = digits * 10^exponent, no digit 0 at the end."""
    exponent = 0
    while value.denominator != 1:
        value, exponent = value * 10, exponent - 1
    digits = str(value.numerator)
    short = digits.rstrip("0") or "0"
    return short, exponent + len(digits) - len(short)


def _terminates(value: Fraction) -> bool:
    below = value.denominator
    for prime in (2, 5):
        while below % prime == 0:
            below //= prime
    return below == 1


def _length(value: Fraction) -> int:
    """The digits that it takes to write a number: those of a ratio, or of a decimal."""
    if _terminates(value):
        return len(decimal(value)[0])
    return len(str(value.numerator)) + len(str(value.denominator))


def _product(value: Fraction, own: Iterable[Fraction]) -> Spelled | None:
    """A number as a product of what the author wrote: what shortens it most, again and again."""
    known = [k for k in own if _length(k) >= _PRODUCED][:_MOST_CONSTANTS]
    rest, powers = value, dict[Fraction, int]()
    while True:
        tried = [(rest / k**s, k, s) for k in known for s in (1, -1)]
        best = min(tried, key=lambda t: _length(t[0]), default=None)
        if best is None or _length(best[0]) >= _length(rest):
            break
        rest, powers[best[1]] = best[0], powers.get(best[1], 0) + best[2]
    if not any(powers.values()) or not is_plain(rest):
        return None
    factors: list[tuple[Constant, int]] = []
    for number, exponent in powers.items():
        one = Spelled(Fraction(1), ((Constant("decimal", number), 1),)) if is_plain(
            number) else _closed(float(number))
        if one is None:
            return None
        rest *= one.ratio**exponent
        factors += [(c, e * exponent) for c, e in one.factors if exponent]
    kinds = ("decimal", "pi", "root", "log")
    return Spelled(rest, tuple(sorted(factors, key=lambda f: kinds.index(f[0].kind))))


def _closed(value: float) -> Spelled | None:
    """A float that is a small ratio, its root or a logarithm, with π or without, to the last bit.

    The last bit is that of one of the ways in which such a number is calculated.
    """
    return next(iter(_candidates(value)), None)


def _candidates(value: float) -> Iterator[Spelled]:
    exact = nearest(value)
    if exact is not None:
        yield Spelled(exact)
    for power in (1, -1, 2, -2):
        base = math.pi**power
        ratio = small_ratio(value / base)
        if ratio is not None and value in _ways(ratio, base):
            yield Spelled(ratio, ((PI, power),))
    for power in (0, -1, 1):
        inside = small_ratio(value * value / math.pi**power)
        if inside is not None and value in _roots(inside, power):
            yield _root(inside, power)
    for number, power in ((2, 0), (2, 1), (1, 1), (3, 0), (10, 0)):
        base = math.log(number * math.pi**power)
        ratio = small_ratio(value / base)
        if ratio is not None and value in _ways(ratio, base):
            yield Spelled(ratio, ((Constant("log", Fraction(number), power), 1),))


def _ways(ratio: Fraction, base: float) -> set[float]:
    above, below = ratio.numerator, ratio.denominator
    return {float(ratio) * base, above * base / below, base / below * above,
            base / float(1 / ratio), above / (below / base)}


def _roots(inside: Fraction, power: int) -> set[float]:
    above, below, pi = inside.numerator, inside.denominator, math.pi**power
    root = math.sqrt
    return {root(float(inside) * pi), root(above * pi / below), root(above / (below / pi)),
            1 / root(below / (above * pi)), 1 / root(float(1 / inside) / pi),
            root(above) / root(below) * root(pi), root(above) / root(below / pi)}


def _root(inside: Fraction, power: int) -> Spelled:
    """√(inside π^power), its squares taken out; 1/√2 rather than √(1/2)."""
    above, out = _squarefree(inside.numerator)
    below, under = _squarefree(inside.denominator)
    if above == 1 and (below > 1 or power < 0) and power <= 0:
        return Spelled(Fraction(out, under), ((Constant("root", Fraction(below), -power), -1),))
    return Spelled(Fraction(out, under), ((Constant("root", Fraction(above, below), power), 1),))


def _squarefree(number: int) -> tuple[int, int]:
    """(rest, root) with number = rest * root²."""
    root = max(r for r in range(1, math.isqrt(number) + 1) if number % (r * r) == 0)
    return number // (root * root), root
