"""A sweep of magnitudes: where a value or a derivative in NumPy is not the true one.

In: functions of numbers in NumPy, the same in mpmath. Out: for each, the points at which the true
value can be represented and what NumPy gives is not finite, or further off than 1e-12 (1e-5 in
float32); and the table of docs/conventions.md that these make.
"""

from __future__ import annotations

import inspect
import itertools
import math
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import mpmath
import numpy as np
import rows_oracle as oracle
from exact import Exact
from test_rows_numpy import compiled

import symprop
from symprop import nn
from symprop.algebra import rows
from symprop.algebra.rows_gamma import POLYGAMMA
from symprop.files.load import load_text

Point = tuple[float, ...]
MAGNITUDES = (1e-30, 1e-16, 1e-9, 1e-5, 1e-3, 0.02, 0.1, 0.3, 0.7, 0.99, 1.3, 2.1, 3.7, 5.3, 6.9,
              9.0, 12.0, 17.3, 20.0, 30.0, 45.0, 60.0, 88.0, 100.0, 300.0, 745.0, 1e3, 1e5, 1e9,
              1e16, 1e30, 1e38, 1e154, 1e300)
TOLERANCE = {np.float64: 1e-12, np.float32: 1e-5}
PAIRS = 60  # points of a function of several numbers
SMOOTH_TARGETS = (0.0, 1.0, 0.3)


@dataclass(frozen=True)
class Quantity:
    """A value or a derivative: what NumPy computes, and the truth at float64 numbers."""

    name: str
    what: str  # "value", "derivative", "derivative by x"
    numpy: Callable[..., Any]
    true: Callable[[Point], mpmath.mpf]
    points: tuple[Point, ...]


def failures(quantity: Quantity, dtype: Any) -> list[tuple[Point, float, float]]:
    """(point, error relative to the true value, the same relative to 1) where it is too large."""
    info, found = np.finfo(dtype), []
    for point in quantity.points:
        with np.errstate(all="ignore"):
            given = [dtype(p) for p in point]
        if any(not np.isfinite(g) or (g == 0) != (p == 0)
               for g, p in zip(given, point, strict=True)):
            continue
        try:
            true = quantity.true(tuple(map(float, given)))
        except (ZeroDivisionError, OverflowError):
            continue  # an end of the domain, to which float32 rounds; or mpmath's own limit
        if not float(info.tiny) <= abs(true) <= float(info.max):
            continue
        with np.errstate(all="ignore"):
            value = float(quantity.numpy(*given))
        error = float(abs(value - true)) if math.isfinite(value) else math.inf
        if not error <= TOLERANCE[dtype] * float(abs(true)):
            found.append((tuple(map(float, given)), error / float(abs(true)), error))
    return found


# ---- rows ----------------------------------------------------------------------------------


def of_rows() -> Iterator[Quantity]:
    """Every row's value and derivatives."""
    module = load_text(rows.module_text(), "all_rows")
    for name in rows.names():
        row = rows.get(name)
        if not row.arity or POLYGAMMA.number(name) is not None:
            continue  # rows without end: there are those that some test has read
        points = tuple(p for p in _points(row) if _inside(p, row))
        yield Quantity(f"`{name}`", "value", getattr(module, name),
                       _settled(oracle.value_of(row)), points)
        for k in range(row.arity):
            what = "derivative" if row.arity == 1 else f"derivative by {'xyz'[k]}"
            yield Quantity(f"`{name}`", what, _slope(row, k), _true_slope(row, k), points)


def _points(row: rows.Row) -> list[Point]:
    axes = [_axis(*domain) for domain in row.domains]
    if row.arity == 1:
        return [(p,) for p in axes[0]]
    dice = random.Random(row.name)
    ordered = row.name == "hardtanh"  # bounds in their order
    drawn = (tuple(dice.choice(a) for a in axes) for _ in range(PAIRS))
    return [p for p in drawn if not ordered or p[1] < p[2]]


def _axis(low: float, high: float) -> list[float]:
    if math.isinf(low):
        return [s * m for m in MAGNITUDES for s in (1, -1)]
    if math.isinf(high):
        return [low + m for m in MAGNITUDES]
    return [p for m in MAGNITUDES for p in (low + m, high - m) if low < p < high]


def _inside(point: Point, row: rows.Row) -> bool:
    return all(low < p < high for p, (low, high) in zip(point, row.domains, strict=True))


def _settled(true: Callable[..., mpmath.mpf]) -> Callable[[Point], mpmath.mpf]:
    return lambda point: oracle.settled(true, point)


def _true_slope(row: rows.Row, k: int) -> Callable[[Point], mpmath.mpf]:
    native = rows.to_native(rows.derivative_of_definition(row, k))
    return _settled(lambda *args: oracle.evaluate(native, dict(zip(rows.X, args, strict=False))))


def _slope(row: rows.Row, k: int) -> Callable[..., Any]:
    template = rows.numpy_of(rows.partial(row.name, k, rows.X[: row.arity]))
    return compiled(template, row.arity)  # type: ignore[no-any-return]


# ---- functions and losses of symprop.nn ----------------------------------------------------


def of_nn() -> Iterator[Quantity]:
    """Every function of one number, or of a prediction and a target, as its module computes it."""
    for name in sorted(nn.__all__):
        built = _module(name)
        if built is None:
            continue
        derivation, module, arity = built
        targets = [()] if arity == 1 else [(t,) for t in SMOOTH_TARGETS]
        axis = [s * m for m in MAGNITUDES for s in (1, -1)]
        for fact in derivation.system.facts:
            axis = [p for p in axis if fact.array == "x" and 0 < p < 1]
        points = tuple((x, *t) for x, t in itertools.product(axis, targets))
        for what, array in (("value", derivation.system.loss), ("derivative", "∂x")):
            yield Quantity(f"`nn.{name}`", what, _ran(module, what), _exact(derivation, array),
                           points)


@cache
def _module(name: str) -> tuple[Any, Any, int] | None:
    """The derivation and module of one entry, and how many arguments; None for other functions."""
    function = getattr(nn, name)
    if not callable(function):
        return None
    parameters = inspect.signature(function).parameters.values()
    needed = [p.name for p in parameters if p.default is p.empty]
    arity = len(needed)
    if needed not in (["input"], ["input", "target"], ["inputs", "targets"]):
        return None
    in_unit = (symprop.in_range("x", 0, 1),) if name == "binary_cross_entropy" else ()

    def one(x: Any, *targets: Any) -> Any:
        return np.sum(function(x, *targets))

    def loss(x: "N") -> Any:
        return one(x)

    def against(x: "N", t: "N") -> Any:
        return one(x, t)

    try:
        system = symprop.trace(loss if arity == 1 else against, wrt=["x"], facts=in_unit)
        derivation = symprop.derive(system)
        module = symprop.generate(derivation)
        module.forward(*[np.full(1, 0.5)] * arity)
    except (symprop.SympropError, ValueError):
        return None  # it needs more axes, integers, or more than one entry
    return derivation, module, arity


def _ran(module: Any, what: str) -> Callable[..., Any]:
    def run(*given: Any) -> Any:
        arrays = dict(zip("xt", (np.array([g]) for g in given), strict=False))
        loss, saved = module.forward(**arrays, validate=False)
        return loss if what == "value" else module.backward(saved)["x"][0]

    return run


def _exact(derivation: Any, array: str) -> Callable[[Point], mpmath.mpf]:
    """The entry, with as many digits as it takes for two evaluations to agree."""
    def true(point: Point) -> mpmath.mpf:
        inputs = dict(zip("xt", (np.array([p]) for p in point), strict=False))
        at = (0,) if array.startswith("∂") else ()
        before = None
        for digits in (60, 400, 1500):
            with mpmath.workdps(digits):
                found = +mpmath.mpf(Exact(derivation, {"N": 1}, inputs, digits).entry(array, at))
            if before is not None and abs(found - before) <= abs(found) * mpmath.mpf(10) ** -20:
                break
            before = found
        return found

    return true


# ---- the table -----------------------------------------------------------------------------


def line(quantity: Quantity, found: dict[Any, Sequence[tuple[Point, float, float]]]) -> str | None:
    """The row of docs/conventions.md for a quantity; None where nothing was found."""
    if not any(found.values()):
        return None
    cells = [_where(found[np.float64]), _where(found[np.float32])]
    return f"| {quantity.name} | {quantity.what} | {' | '.join(cells)} |"


def _where(found: Sequence[tuple[Point, float, float]]) -> str:
    """Where on the line, and what is left: "x from 12 to 300, absolute error up to 2e-16"."""
    cells = []
    for finite in (True, False):
        part = [f for f in found if math.isfinite(f[2]) == finite]
        if part:
            cells.append(f"{_interval([p for p, _, _ in part])}, {_left(part)}")
    return "; ".join(cells) or "exact"


def _interval(points: Sequence[Point]) -> str:
    if len(points[0]) > 1:
        return f"at {len(points)} points"
    signs = frozenset(math.copysign(1, p[0]) for p in points)
    sizes = sorted(abs(p[0]) for p in points)
    side = {frozenset((1.0,)): "x", frozenset((-1.0,)): "-x"}.get(signs, "\\|x\\|")
    return f"{side} from {sizes[0]:.3g} to {sizes[-1]:.3g}"


def _left(found: Sequence[tuple[Point, float, float]]) -> str:
    worst = max(absolute for _, _, absolute in found)
    if math.isinf(worst):
        return "not finite"
    if worst < 1e-3:
        return f"absolute error up to {_up(worst)}"
    return f"relative error up to {_up(max(r for _, r, _ in found))}"


def _up(number: float) -> str:
    """One digit, rounded up: figures that do not tremble."""
    return f"{number * 1.5:.0e}"
