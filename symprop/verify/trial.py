"""One draw of sizes and inputs, and all tests on it.

In: a derivation and a seed. Out: nothing, or `Refuted`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

import numpy as np

from symprop.algebra import rows
from symprop.algebra.build import mul, number
from symprop.algebra.expr import Apply, Expr, Partial, arrays_of, atoms, free_indices
from symprop.collector import paused
from symprop.errors import InputError, VerificationError
from symprop.interpret import definite, draw, misstated, run, run_equations
from symprop.interpret.budget import SECOND_DRAW, work
from symprop.interpret.narrow import narrow
from symprop.interpret.regular import irregular
from symprop.system import Adjoint, Step, System, departing
from symprop.verify.compare import Refuted, difference, refuted
from symprop.verify.forward import check_forward
from symprop.verify.kinks import kink
from symprop.verify.points import Point, Points
from symprop.verify.sample import only_at
from symprop.verify.setting import Setting, itself
from symprop.verify.ties import tied
from symprop.verify.whole import CONTROL, Derived, Whole

Array = np.ndarray[Any, Any]

_DRAWS, _PREFERRED = 20, 6
_APART = 1e-3  # how far a tied maximum is moved, relative to its entries
_STEP_NOISE = 1e-30  # of a complex step where the slope is 0: its square


@paused()
def verify(derivation: Derived, seeds: Sequence[int] = (0, 1)) -> None:
    """Raises Refuted (a VerificationError) for the first line that random tensors refute.

    Raises InputError when no draw from the declared domains gives a finite loss, for a scalar
    function whose stated derivative is not that of its definition, and for a program that has
    no derivative where it is finite.
    """
    twin = narrow(derivation.system, derivation.adjoints)
    if twin is not None:
        with suppress(VerificationError, InputError):  # what it refutes is looked at in full
            for seed in seeds:
                Trial(twin, seed).check(points=seed == seeds[0])
            return
    for seed in seeds:
        trial = Trial(derivation, seed)
        try:
            trial.check(points=seed == seeds[0])
        except Refuted as error:
            problem = misstated(_rows_of(derivation.system)) or kink(
                derivation, trial.forward, trial.sizes) or _singular(trial)
            if problem is None:
                raise
            raise InputError(problem) from error


def _singular(trial: Trial) -> str | None:
    """What to tell the user where the forward pass divides by what rounding has left."""
    found = irregular(trial.system, trial.forward, trial.sizes)
    if found is None:
        return None
    at = ", ".join(f"{name} = {size}" for name, size in trial.sizes.items())
    return (f"{found.source}: {found.array} in ({found.number}) is 0 but for rounding in every "
            f"draw of the inputs (the last with {at}), and is divided by or is what a logarithm "
            "is of: is a matrix singular whatever the inputs?")


def _rows_of(system: System) -> Iterator[str]:
    """The scalar functions in the forward equations."""
    found = {a.function: None for e in system.equations for a in atoms(e.rhs)
             if isinstance(a, Apply)}
    return (name for name in found if name in rows.names())


class Trial:
    """The values of one draw: `actual`, and `free` with unrelated values for all adjoints."""

    wholes: list[Whole]

    def __init__(self, derivation: Derived, seed: int) -> None:
        self.derivation = derivation
        self.system, self.adjoints = derivation.system, derivation.adjoints
        self.sizes, self.forward, self.tied = _finite_draw(derivation, seed)
        arrays = dict(self.forward)
        self.generator = np.random.default_rng([seed, 1])
        unrelated = {a.array: self.generator.standard_normal(np.shape(arrays[a.primal]))
                     for a in self.adjoints}
        self.actual = Setting(self.system, self.sizes, arrays)
        self.free = Setting(self.system, self.sizes, {**arrays, **unrelated})
        self.points = Points(self.system, self.sizes, self.forward, unrelated)

    def check(self, points: bool) -> None:
        """All tests; `points`: at degenerate values too."""
        self.check_lines()
        self.check_whole()
        if points:
            self.check_points()
        self.control()

    # ---- one adjoint ---------------------------------------------------------------------

    def check_lines(self) -> None:
        """What was recognised, the adjoints' values, and every step of every adjoint."""
        check_forward(self.actual)
        try:
            run_equations(self.adjoints, self.actual.arrays, self.sizes)
        except (IndexError, InputError):
            for adjoint in self.adjoints:  # the step that brought it about is the one to name
                self.check_adjoint(adjoint)
            raise
        for adjoint in self.adjoints:
            self.check_adjoint(adjoint)

    def check_adjoint(self, adjoint: Adjoint) -> None:
        """All steps, that each begins where the one before ended, and the last the result."""
        line: Expr | None = None
        for step in adjoint.steps:
            if line is not None and step.before != line:
                self.check_step(adjoint, Step(adjoint.number, step.rule, line, step.before))
            if step.departs:
                self.check_bound(adjoint, step, (step.after,))
            elif step.before.single_atom != itself(adjoint, adjoint.array):
                self.check_step(adjoint, step)
            line = step.after
        if line is not None and line != adjoint.rhs:
            self.check_step(adjoint, Step(adjoint.number, "result", line, adjoint.rhs))

    def check_step(self, adjoint: Adjoint, step: Step) -> None:
        """One step: both sides agree at every position."""
        sides = (step.before, step.after)
        setting = self.actual if _leans(step) else self.free
        self.check_bound(adjoint, step, sides)
        if step.before == step.after:
            return
        try:
            if _is_derivative(step):
                self._check_along_direction(adjoint, step, setting)
            else:
                self._check_everywhere(adjoint, step, setting)
        except IndexError as error:
            self.refute(setting, step, str(error), {})

    def check_bound(self, adjoint: Adjoint, step: Step, sides: Sequence[Expr]) -> None:
        """Every index of a line is bound, or one of the adjoint's own."""
        for side in sides:
            stray = free_indices(side) - set(adjoint.indices)
            if stray:
                names = ", ".join(sorted(map(repr, stray)))
                self.refute(self.free, step, f"the index {names} is bound by nothing", {})

    def _check_everywhere(self, adjoint: Adjoint, step: Step, setting: Setting) -> None:
        before, after = (setting.value(side, adjoint) for side in (step.before, step.after))
        wrong = refuted(before, after, lambda: np.maximum(
            setting.scale(step.before, adjoint), setting.scale(step.after, adjoint)))
        if wrong.any():
            self.refute(setting, step, difference(before, after, wrong),
                        {"before": before, "after": after})

    def _check_along_direction(self, adjoint: Adjoint, step: Step, setting: Setting) -> None:
        """Both sides summed against a random direction of the differentiated array.

        A local derivative holds wherever its array is: a maximum that is tied by the way its
        array came about (the largest of a symmetric matrix) is looked at beside the tie.
        """
        primal = setting.arrays[adjoint.primal]
        if self.tied:
            primal = primal * (1 + _APART * self.generator.uniform(-1, 1, np.shape(primal)))
            setting = Setting(self.system, self.sizes, {**setting.arrays, adjoint.primal: primal})
        direction = self.generator.standard_normal(np.shape(primal))
        direction = np.where(np.isfinite(primal), direction, 0.0)  # infinity has no neighbours
        direction = only_at(setting.sample(adjoint), adjoint, direction)
        (before, size), (after, other) = (
            setting.along(side, adjoint, direction) for side in (step.before, step.after))
        wrong = refuted(
            before, after, lambda: 10 * np.maximum(size(), other()) + _STEP_NOISE)
        if wrong.any():
            self.refute(setting, step, difference(before, after, wrong),
                        {"before": before, "after": after, "direction": direction})

    def refute(
        self, setting: Setting, step: Step, problem: str, sides: Mapping[str, Array]
    ) -> None:
        """Raises, with the arrays that the step reads."""
        read = {n: setting.arrays[n] for side in (step.before, step.after)
                for n in arrays_of(side) if n in setting.arrays}
        raise Refuted(step.equation, step.rule, problem, self.sizes, {**read, **sides})

    # ---- where the domain may end --------------------------------------------------------

    def check_points(self) -> None:
        """Steps of algebra where what they newly divide by is 0, and where what they compare ties.

        Local derivatives are looked at where they are a convention. They hold whatever the adjoints
        are. A step that leans on some is the insertion of an equation, or a fold of it.
        """
        for adjoint in self.adjoints:
            for step in adjoint.steps:
                if step.departs or _leans(step):
                    continue
                if _is_derivative(step):
                    for setting in self.points.at_corners(step):
                        self._check_corner(adjoint, step, setting)
                    continue
                for setting in self.points.of(step):
                    self._check_point(adjoint, step, setting)

    def _check_point(self, adjoint: Adjoint, step: Step, setting: Point) -> None:
        """Both sides agree where the first is finite."""
        if not setting.complete(n for s in (step.before, step.after) for n in arrays_of(s)):
            return
        if any(np.isnan(setting.arrays[n]).any() for n in arrays_of(step.before)):
            return  # a bracket on what is no number is false, and so is its opposite
        before, after = (setting.value(side, adjoint) for side in (step.before, step.after))
        wrong = np.isfinite(before) & refuted(before, after, lambda: np.maximum(
            setting.scale(step.before, adjoint), setting.scale(step.after, adjoint)))
        if wrong.any():
            problem = f"{difference(before, after, wrong)}, {setting.place}"
            self.refute(setting, step, problem, {"before": before, "after": after})

    def _check_corner(self, adjoint: Adjoint, step: Step, setting: Point) -> None:
        """A local derivative is what the convention says where that is a number."""
        if not setting.complete(self._read(step)):
            return
        direction = only_at(setting.sample(adjoint), adjoint, self.generator.standard_normal(
            np.shape(setting.arrays[adjoint.primal])))
        (before, size), (after, other) = (
            setting.along(side, adjoint, direction) for side in (step.before, step.after))
        wrong = np.isfinite(before) & refuted(
            before, after, lambda: 10 * np.maximum(size(), other()) + _STEP_NOISE)
        if wrong.any():
            problem = f"{difference(before, after, wrong)}, {setting.place}"
            self.refute(setting, step, problem, {"before": before, "after": after})

    def _read(self, step: Step) -> Iterator[str]:
        """The arrays on both sides, and those of the equations that are differentiated."""
        for side in (step.before, step.after):
            yield from arrays_of(side)
            for name in (a.numerator.array for a in atoms(side) if isinstance(a, Partial)):
                equation = self.system.equation(name)
                yield from equation.reads if equation is not None else ()

    # ---- the whole -----------------------------------------------------------------------

    def check_whole(self) -> None:
        """Every loss along a random direction of the parameters that its gradients are of."""
        self.wholes = [Whole(self.derivation, system, self.sizes, arrays, names, self.generator)
                       for system, arrays, names in self._comparisons() if names]
        for whole in self.wholes:
            whole.check()

    def _comparisons(self) -> Iterator[tuple[System, dict[str, Array], list[str]]]:
        """The systems, values and parameters for which the adjoints are gradients."""
        departed = departing(self.system, self.adjoints)
        yield self.system, self.actual.arrays, [w for w in self.system.wrt if w not in departed]
        if self.system.departure is None:
            return
        pairs = self.system.departure.feedback
        if pairs and all(weight for _, weight in pairs):  # with B = W it is the gradient
            arrays = {**self.forward, **{b: self.forward[w] for b, w in pairs}}
            run_equations(self.adjoints, arrays, self.sizes)
            yield self.system, arrays, list(self.system.wrt)
        for loss in self.system.departure.losses:
            names = [w for w, own in departed.items() if own == loss]
            yield replace(self.system, loss=loss), self.actual.arrays, names

    # ---- the negative control ------------------------------------------------------------

    def control(self) -> None:
        """Raises VerificationError if a wrong step, or wrong gradients, would pass."""
        for whole in self.wholes:
            whole.control()
        for k in self.generator.permutation(len(self.adjoints)):
            if self._is_substantial(self.adjoints[k]):
                self._control_step(self.adjoints[k])
                return

    def _is_substantial(self, adjoint: Adjoint) -> bool:
        """Whether the last line has a value of its own, not only what rounding leaves of 0."""
        if not adjoint.steps:
            return False
        last = adjoint.steps[-1].after
        with np.errstate(all="ignore"):
            value = np.max(np.abs(self.free.value(last, adjoint)), initial=0.0)
            scale = np.max(self.free.scale(last, adjoint), initial=0.0)
        return bool(np.isfinite(scale) and value > 1e-3 * scale)

    def _control_step(self, adjoint: Adjoint) -> None:
        last = adjoint.steps[-1]
        off = tuple(mul(number(1 + CONTROL), Expr((t,))).terms[0] for t in last.after.terms)
        try:
            self.check_step(adjoint, Step(last.equation, last.rule, last.after, Expr(off)))
        except Refuted:
            return
        raise VerificationError("the negative control passed: a wrong step goes unnoticed")


def _leans(step: Step) -> bool:
    """Whether a step uses what another adjoint is."""
    return any(b.startswith("B") for b in step.because)


def _is_derivative(step: Step) -> bool:
    """Whether a local derivative stands in a step."""
    return any(isinstance(a, Partial) for side in (step.before, step.after) for a in atoms(side))


def _finite_draw(
    derivation: Derived, seed: int
) -> tuple[dict[str, int], dict[str, Array], bool]:
    """Sizes and values of a draw whose loss is finite, and whether a maximum is tied there.

    If possible regular, without nan and ties. A branch that `where` does not take may be nan
    on every draw; a logarithm or a root that is taken should not be. Where relu gives zeros, a
    maximum over them is tied on most draws.
    """
    system = derivation.system
    arrays: dict[str, Array] = {}
    best: tuple[bool, bool, bool] | None = None
    preferred = _PREFERRED
    for k in range(_DRAWS):
        sizes, inputs = draw(system, seed + 100 * k, positive=k % 2 == 1)
        if k == 0 and work(system, sizes) > SECOND_DRAW:
            preferred = 1
        arrays = run(system, inputs, sizes)
        if not np.all(np.isfinite(arrays[system.loss])):
            continue
        faults = (any(np.any(np.isnan(arrays[e.array])) for e in system.equations),
                  irregular(system, arrays, sizes) is not None, tied(system, arrays, sizes))
        if best is None or faults < best:
            best, found = faults, (sizes, arrays)
        if not any(best) or k >= preferred:
            return *found, best[2]
    if best is not None:
        return *found, best[2]
    bad = (e for e in system.equations if not np.all(np.isfinite(arrays[e.array])))
    first = next(bad, system.equations[-1])
    raise InputError(
        f"{system.name}: the loss is not finite in {_DRAWS} random draws; the first value that "
        f"is not is {first.array} in ({first.number}) {first.source}. Declare the domain of the "
        f"inputs, {_way_out(system, seed)}")


def _way_out(system: System, seed: int) -> str:
    """The facts to declare: that a matrix is positive definite, where that helps."""
    sizes, inputs = draw(system, seed)
    square = {n: definite(v) for n, v in inputs.items() if v.dtype.kind == "f"
              and v.ndim >= 2 and v.shape[-1] == v.shape[-2]}
    for names in (*([n] for n in square), list(square)):
        arrays = run(system, {**inputs, **{n: square[n] for n in names}}, sizes)
        if names and np.all(np.isfinite(arrays[system.loss])):
            return " and ".join(f"positive_definite({n})" for n in names)
    return "for example positive(name) or in_range(name, low, high)"
