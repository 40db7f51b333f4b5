"""Numerical derivatives along a line, and whether they can be trusted.

In: a function of one real number t, the loss on the line x + t d, and the slope at t = 0 that
somebody claims. Out: a verdict (right, wrong, or not decidable here) and the error. The loss may
have kinks: a derivative counts only where differences of several steps agree with one another.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field

STEPS = (1e-3, 1e-4, 1e-5, 1e-6, 1e-2)
FINE = 1e-5  # a step that sees what a coarse one may jump over
ROUGHLY = 1e3
COMPLEX_STEP = 1e-20
FLOOR = 8.0

RICHARDSON = "Richardson"
COMPLEX = "complex step"


@dataclass(frozen=True)
class Tolerance:
    """How large an error may be: `bound`, plus what rounding can do to a difference.

    `noise` is the rounding error of one value of the loss; `coarsest` the largest rounding floor
    at which a difference is still of use.
    """

    bound: float
    noise: float
    coarsest: float

    def floor(self, step: float) -> float:
        """Return the rounding error of a Richardson difference with this step."""
        return FLOOR * self.noise / step


@dataclass(frozen=True)
class Verdict:
    """Whether the claimed slope is right (None: undecided), its error, the bound it was held to.

    `slope` is the numerical one.
    """

    right: bool | None
    error: float
    bound: float
    slope: float


UNDECIDABLE = Verdict(None, math.nan, math.nan, math.nan)


@dataclass
class Line:
    """The loss along one line; every value is computed once.

    `complex_loss` continues it to complex t, where that is trusted.

    >>> line = Line(math.sin, unit=1.0)
    >>> line.judge(1.0, Tolerance(1e-9, 1e-16, 1e-6)).right
    True
    >>> line.judge(1.00001, Tolerance(1e-9, 1e-16, 1e-6)).right
    False
    >>> Line(abs, unit=1.0).judge(0.0, Tolerance(1e-9, 1e-16, 1e-6)).right is None
    True
    """

    loss: Callable[[float], float]
    unit: float
    complex_loss: Callable[[complex], complex] | None = None
    known: dict[float, float] = field(default_factory=dict)
    imaginary: float | None = None

    def judge(self, claimed: float, tolerance: Tolerance) -> Verdict:
        """Compare the claimed slope with the numerical one.

        Right where one trusted difference agrees within the bound; wrong where differences can be
        trusted and none agrees; undecided where none can be trusted.
        """
        if self.complex_loss is not None:
            slope = self.complex_slope()
            error = abs(slope - claimed)
            if error <= tolerance.bound:
                return Verdict(True, error, tolerance.bound, slope)
        wrong = UNDECIDABLE
        for step in STEPS:
            verdict = self._judge_at(step * self.unit, claimed, tolerance)
            if verdict.right and (step <= FINE or self._is_so_nearby(claimed, tolerance)):
                return verdict
            if verdict.right is False and not wrong.error <= verdict.error:
                wrong = verdict
        return wrong

    def refutes(self, claimed: float, tolerance: Tolerance) -> bool:
        """Say whether two trusted differences agree with each other, and neither with the claim.

        Stricter than `judge`: for places where a loss is less well behaved than in its domain.
        """
        steps = [step * self.unit for step in STEPS if self._trusted(step * self.unit, tolerance)]
        slopes = [(self._richardson(h / 2), tolerance.bound + tolerance.floor(h)) for h in steps]
        if len(slopes) < 2:
            return False
        (first, bound), (second, other) = slopes[:2]
        same = abs(first - second) <= bound + other
        return same and all(abs(slope - claimed) > 10 * bound for slope, bound in slopes)

    def complex_slope(self) -> float:
        """Return the derivative by a complex step; exact but for rounding."""
        if self.imaginary is None:
            if self.complex_loss is None:
                raise ValueError("no complex continuation is known")
            step = COMPLEX_STEP * self.unit
            self.imaginary = self.complex_loss(1j * step).imag / step
        return self.imaginary

    def slope(self, tolerance: Tolerance) -> float | None:
        """Return the derivative by differences, or None where none can be trusted."""
        for step in STEPS:
            if self._trusted(step * self.unit, tolerance):
                return self._richardson(step * self.unit / 2)
        return None

    def _judge_at(self, step: float, claimed: float, tolerance: Tolerance) -> Verdict:
        floor = tolerance.floor(step)
        bound = tolerance.bound + floor
        if floor > tolerance.coarsest:
            return UNDECIDABLE
        # Agreement with the claim is evidence enough that no kink lies within the step, unless
        # one lies exactly at 0.
        slope = self._richardson(step)
        error = abs(slope - claimed)
        if error <= bound and self._bend(step) <= bound:
            return Verdict(True, error, bound, slope)
        if not self._trusted(step, tolerance):
            return UNDECIDABLE
        slope = self._richardson(step / 2)
        error = abs(slope - claimed)
        return Verdict(error <= bound, error, bound, slope)

    def _is_so_nearby(self, claimed: float, tolerance: Tolerance) -> bool:
        """Say whether a small step sees the claimed slope too, roughly.

        Differences over many jumps see a slope where there are only steps.
        """
        step = FINE * self.unit
        slack = tolerance.bound + tolerance.floor(step) + ROUGHLY * tolerance.coarsest
        return abs(self._central(step) - claimed) <= slack

    def _trusted(self, step: float, tolerance: Tolerance) -> bool:
        """Say whether differences with this step and with half of it agree."""
        bound = tolerance.bound + tolerance.floor(step)
        if tolerance.floor(step) > tolerance.coarsest:
            return False
        change = abs(self._richardson(step) - self._richardson(step / 2))
        return change <= bound and self._bend(step / 2) <= bound

    def _at(self, t: float) -> float:
        if t not in self.known:
            self.known[t] = self.loss(t)
        return self.known[t]

    def _central(self, step: float) -> float:
        return (self._at(step) - self._at(-step)) / (2 * step)

    def _richardson(self, step: float) -> float:
        """Combine the steps h and h/2, so that the error is of fourth order."""
        return (4 * self._central(step / 2) - self._central(step)) / 3

    def _bend(self, step: float) -> float:
        """Return by how much the slopes to the right and to the left of 0 differ.

        Extrapolated to step 0: of third order where the loss is smooth, the jump of the slope at a
        kink in 0 itself.
        """
        return abs(2 * self._one_sided(step / 2) - self._one_sided(step))

    def _one_sided(self, step: float) -> float:
        return (self._at(step) - 2 * self._at(0.0) + self._at(-step)) / step


def rounding_noise(loss: Callable[[float], float], unit: float) -> float:
    """Estimate the rounding error of one value of the loss.

    Over steps so small the loss is a parabola: what its third differences show is rounding. They
    are taken to one side of 0, where a kink is not rare.
    """
    values = [loss(1e-7 * unit * count) for count in range(1, 10)]
    windows = zip(values, values[1:], values[2:], values[3:], strict=False)
    thirds = [abs(3 * (b - c) + d - a) / 4 for a, b, c, d in windows]
    seen = [jump for jump in thirds if math.isfinite(jump)]
    return max([2.0**-52 * abs(values[0]), *seen])
