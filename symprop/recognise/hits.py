"""The row that a written function is, proven.

In: an `Expr` that reads nothing but `X`. Out: a `Hit`, or None. It is proven interval by interval
between the points where a condition turns, and at these points; there the derivatives are
compared as well. Where they differ, the hit stands only if the row has no corner there: then
the corner was one of the spelling, not of the function.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from itertools import pairwise

import numpy as np
import sympy

from symprop.algebra import rows
from symprop.algebra.build import atom
from symprop.algebra.expr import Apply, Expr
from symprop.algebra.sympy_bridge import local_derivative
from symprop.errors import UnsupportedError
from symprop.recognise.pieces import Interval, Pieces, Split, Unproven, X
from symprop.recognise.table import FAR, POINTS, Candidate, candidates, is_plain, values
from symprop.recognise.zero import FAILURES, vanishes

_MOST_PIECES = 12
_SMOOTH = (sympy.Piecewise, sympy.floor, sympy.ceiling, sympy.Abs, sympy.sign)


@dataclass(frozen=True)
class Hit:
    """A written function is `function`.

    corners: where the spelling has a corner that the function has not. dearer: whether the row
    evaluates more functions, forward and backward, than what is written.
    """

    function: Candidate
    corners: tuple[sympy.Expr, ...] = ()
    dearer: bool = False


def find(written: Expr, numbers: tuple[Fraction, ...] = ()) -> Hit | None:
    """The first row that the written function is shown to be; None where there is none.

    `numbers`: those that the author wrote.

    >>> from symprop.algebra.build import add, apply, number, power
    >>> found = find(power(add(number(1.0), apply("exp", atom(X))), -1))
    >>> found.function.row, found.function.scale
    ('sigmoid', Fraction(-1, 1))
    """
    if is_plain(written) or _is_row(written):
        return None
    return _found(written, numbers, rows.names())


def _is_row(written: Expr) -> bool:
    """Whether a row of one argument stands there already, at a x + b."""
    item = written.single_atom
    return isinstance(item, Apply) and len(item.args) == 1 and all(
        not t.factors or t.factors == ((X, 1),) for t in item.args[0].terms)


@lru_cache(maxsize=4096)
def _found(written: Expr, numbers: tuple[Fraction, ...], names: tuple[str, ...]) -> Hit | None:
    """`names`: the rows in force, by which the answer is remembered."""
    dearer = None
    for candidate in _agreeing(written):
        if candidate.at(atom(X)) == written:
            return None
        try:
            corners = _proven(written, candidate, numbers)
        except (Unproven, UnsupportedError, *FAILURES):
            continue
        if corners is None or not _reaches_as_far(written, candidate) or (
                _goes_on(written, candidate)):
            continue
        hit = Hit(candidate, corners, _evaluations(candidate.at(atom(X))) > _evaluations(written))
        if not hit.dearer:
            return hit
        dearer = dearer or hit
    return dearer


def _agreeing(written: Expr) -> tuple[Candidate, ...]:
    try:
        return tuple(candidates(written))
    except (UnsupportedError, *FAILURES):  # it has no values
        return ()


# ---- the proof ----------------------------------------------------------------------------


def _proven(
    written: Expr, candidate: Candidate, numbers: tuple[Fraction, ...]
) -> tuple[sympy.Expr, ...] | None:
    """The corners that only the spelling has; None where the two are not shown to be equal."""
    function = candidate.at(atom(X))
    whole = _domain(candidate)
    turns = _turns(whole, lambda on: (_on(on, written, numbers), _on(on, function, numbers)))
    ends = [whole.low, *turns, whole.high]
    for low, high in pairwise(ends):
        on = Interval(low, high)
        if not vanishes(_on(on, written, numbers) - _on(on, function, numbers)):
            return None
    if not turns:
        return ()
    own = set(_turns(whole, lambda on: (_on(on, function, numbers),)))
    slopes = [local_derivative(e, X) for e in (written, function)]
    corners = []
    for turn in turns:
        at = Interval(turn, turn)
        if not vanishes(_on(at, written, numbers) - _on(at, function, numbers)):
            return None
        if not vanishes(_on(at, slopes[0], numbers) - _on(at, slopes[1], numbers)):
            if turn in own:
                return None
            corners.append(turn)
    return tuple(corners)


def _on(interval: Interval, expr: Expr, numbers: tuple[Fraction, ...]) -> sympy.Expr:
    return Pieces(interval, numbers).expr(expr)


def _turns(whole: Interval, read: Callable[[Interval], object]) -> list[sympy.Expr]:
    """Where conditions turn, in order."""
    found: list[sympy.Expr] = []
    pending = [whole]
    while pending:
        on = pending.pop()
        try:
            read(on)
        except Split as split:
            found.append(split.at)
            if len(found) > _MOST_PIECES:
                raise Unproven("too many pieces") from None
            pending += [Interval(on.low, split.at), Interval(split.at, on.high)]
    return sorted(found)


def _domain(candidate: Candidate) -> Interval:
    """The x for which the row's first argument is in its domain."""
    low, high = (sympy.Rational(end) if math.isfinite(end) else sympy.oo * (1 if end > 0 else -1)
                 for end in rows.get(candidate.row).domains[0])
    scale = sympy.Rational(candidate.scale.numerator, candidate.scale.denominator)
    ends = low / scale, high / scale
    return Interval(*(ends if scale > 0 else ends[::-1]))


def _reaches_as_far(written: Expr, candidate: Candidate) -> bool:
    """Whether the row is finite wherever what is written is."""
    there, found = values(written, FAR), values(candidate.at(atom(X)), FAR)
    return bool(np.all(np.isfinite(found) | ~np.isfinite(there)))


def _goes_on(written: Expr, candidate: Candidate) -> bool:
    """Whether what is written has values where the row's domain ends: there nothing is shown."""
    low, high = (float(end) for end in (_domain(candidate).low, _domain(candidate).high))
    points = np.concatenate([POINTS, FAR])
    outside = points[(points < low) | (points > high)]
    return bool(np.any(np.isfinite(values(written, outside)))) if outside.size else False


# ---- what it takes ------------------------------------------------------------------------


def _evaluations(expr: Expr) -> int:
    """How many functions are evaluated for the value and the derivative, each once."""
    both = (*_functions(expr), *_functions(local_derivative(expr, X)))
    return len({a.key for a in both})


def _functions(expr: Expr) -> Iterator[Apply]:
    return (a for a in expr.atoms if isinstance(a, Apply) and _takes_time(a.function))


def _takes_time(name: str) -> bool:
    """Whether a row is more than arithmetic and choices."""
    if name not in rows.names() or not rows.get(name).arity:
        return False
    return _transcendental(name, rows.get(name).definition)


@lru_cache(maxsize=1024)
def _transcendental(name: str, definition: sympy.Expr) -> bool:
    functions: Mapping[object, bool] = {
        f: f.func not in _SMOOTH for f in definition.atoms(sympy.Function)}
    powers = [p for p in definition.atoms(sympy.Pow) if not p.exp.is_Rational]
    return any(functions.values()) or bool(powers)
