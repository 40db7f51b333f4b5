"""Exact fractions: the user's function on dual numbers, and the adjoint equations by entries.

In: a program of sums, products and quotients, and its derivation. Out: the first gradient that is
not the same fraction, or "". There is no rounding and no tolerance.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
from complex_numpy import loss_of
from exact import Exact

from symprop.algebra.expr import Atom, Expr, Iverson, Paren, Term, adjoint


class Inexact(Exception):
    """Something that is no fraction."""


class Dual:
    """a + b ε with ε² = 0, in fractions. Floats count as the decimal number that is written."""

    __slots__ = ("eps", "real")
    __array_ufunc__ = None

    def __init__(self, real: Any, eps: Any = Fraction(0)) -> None:
        self.real, self.eps = real, eps

    def __add__(self, other: Any) -> Any:
        o = lifted(other)
        return NotImplemented if o is None else Dual(self.real + o.real, self.eps + o.eps)

    def __mul__(self, other: Any) -> Any:
        o = lifted(other)
        return NotImplemented if o is None else Dual(
            self.real * o.real, self.real * o.eps + self.eps * o.real)

    def __truediv__(self, other: Any) -> Any:
        o = lifted(other)
        return NotImplemented if o is None else Dual(
            self.real / o.real, (self.eps * o.real - self.real * o.eps) / o.real**2)

    def __rtruediv__(self, other: Any) -> Any:
        o = lifted(other)
        return NotImplemented if o is None else o / self

    def __neg__(self) -> Dual:
        return Dual(-self.real, -self.eps)

    def __sub__(self, other: Any) -> Any:
        return self + -other

    def __rsub__(self, other: Any) -> Any:
        return -self + other

    def __pow__(self, power: Any) -> Any:
        if not isinstance(power, int | np.integer) or power < 1:
            raise Inexact(f"a power of {power}")
        return Dual(self.real**int(power), int(power) * self.real ** (int(power) - 1) * self.eps)

    def __lt__(self, other: Any) -> Any:
        return self.real < _real(other)

    def __gt__(self, other: Any) -> Any:
        return self.real > _real(other)

    def __le__(self, other: Any) -> Any:
        return self.real <= _real(other)

    def __ge__(self, other: Any) -> Any:
        return self.real >= _real(other)

    __radd__, __rmul__ = __add__, __mul__


def lifted(value: Any) -> Dual | None:
    """A number as a dual one; None for an array, which goes entry by entry."""
    if isinstance(value, Dual):
        return value
    if isinstance(value, np.ndarray):
        return None
    return Dual(_real(value))


def _real(value: Any) -> Fraction:
    if isinstance(value, Dual):
        return value.real  # type: ignore[no-any-return]
    if isinstance(value, bool | np.bool_ | int | np.integer | Fraction):
        return Fraction(int(value)) if not isinstance(value, Fraction) else value
    if isinstance(value, float | np.floating):
        printed = Fraction(repr(float(value)))
        ratio = printed.limit_denominator(10**4)  # 1 / 3 is a third
        return ratio if abs(printed - ratio) < Fraction(1, 10**15) else printed
    raise Inexact(f"{type(value).__name__}")


class Fractions(Exact):
    """The entries of a system and its adjoints, as fractions."""

    def entry(self, name: str, at: tuple[int, ...]) -> Any:
        """One entry."""
        if name in self.given:
            value = np.asarray(self.given[name])[at]
            return int(value) if isinstance(value, np.generic) and value.dtype.kind in "iub" else (
                _real(value))
        return super().entry(name, at)

    def product(self, term: Term, env: Any) -> Any:
        """Brackets first: a false one is a strong zero."""
        value: Any = Fraction(term.coef)
        for item, exponent in sorted(term.factors, key=lambda f: not isinstance(f[0], Iverson)):
            found = self.atom(item, env)
            if isinstance(item, Iverson) and not found:
                return 0
            if exponent != int(exponent):
                raise Inexact("a root")
            value = value * Fraction(found) ** int(exponent)
        return value if value.denominator != 1 else int(value)

    def apply(self, function: str, args: list[Any]) -> Any:
        """Integer functions only."""
        if function in ("floordiv", "mod"):
            return args[0] // args[1] if function == "floordiv" else args[0] % args[1]
        raise Inexact(function)


def polynomial(system: Any) -> bool:
    """Whether a forward pass is sums, products, whole powers and brackets alone."""
    return all(_plain(e.rhs) for e in system.equations)


def _plain(expr: Expr) -> bool:
    return all(_plain_atom(a) and exponent == int(exponent)
               for t in expr.terms for a, exponent in t.factors)


def _plain_atom(item: Atom) -> bool:
    if hasattr(item, "function"):
        return item.function in ("floordiv", "mod")
    return all(_plain(c) for c in item.children) if isinstance(item, Paren) else True


def compared(program: Any, derivation: Any, sizes: Any, inputs: dict[str, Any], most: int) -> str:
    """Gradients by some entries of each array: the function's own, and the adjoint equations'."""
    names = derivation.system.wrt
    exact = {n: _fractions(a) if np.asarray(a).dtype.kind == "f" else a for n, a in inputs.items()}
    equations = Fractions(derivation, sizes, exact)
    rng = np.random.default_rng(program.seed)
    for name in names:
        shape = np.shape(inputs[name])
        places = list(np.ndindex(*shape))
        for at in (places[k] for k in rng.permutation(len(places))[:most]):
            duals = {n: _duals(a, at if n == name else None) if n in program.floats else a
                     for n, a in exact.items()}
            loss = lifted(np.asarray(loss_of(program.function(**duals)), object).item())
            assert loss is not None
            found = equations.entry(adjoint(name), at)
            if loss.eps != found:
                return f"{name}{list(at)} is {found}, and {loss.eps} by dual numbers"
    return ""


def _fractions(array: Any) -> np.ndarray:
    made = np.empty(np.shape(array), object)
    for at in np.ndindex(made.shape):
        made[at] = Fraction(round(8 * float(np.asarray(array)[at])), 8)
    return made


def _duals(array: np.ndarray, at: tuple[int, ...] | None) -> np.ndarray:
    made = np.empty(array.shape, object)
    for place in np.ndindex(array.shape):
        made[place] = Dual(array[place], Fraction(int(place == at)))
    return made
