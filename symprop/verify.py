"""Every step of a derivation, evaluated on random small tensors.

In: a derivation. Out: nothing, or a `Refuted` that names the equation, the rule and the
tensors that refute it.

Three kinds of test, on two draws of sizes and inputs:
  each step       its two sides agree at every position, given the adjoints it starts from
  chain rule      its local derivatives are those of the forward equations, by a complex
                  step along a random direction
  the whole       the derivative of the loss along a random direction of all parameters is
                  the product of that direction with the gradients
Each draw ends with a negative control: a step and a gradient that are wrong by a millionth
must be refuted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import Any, Protocol

import numpy as np

from symprop.algebra.build import access, idx, mul, number
from symprop.algebra.expr import (
    Access,
    Expr,
    Partial,
    Term,
    arrays_of,
    atoms,
    free_indices,
    term_indices,
)
from symprop.errors import InputError, VerificationError
from symprop.interpret.draw import draw
from symprop.interpret.evaluate import Evaluator, magnitude
from symprop.interpret.run import STEP, jacobian, run, run_equations, slope
from symprop.system import Adjoint, Step, System

Array = np.ndarray[Any, Any]

RTOL = 1e-9  # relative to the largest entry
ROUNDING = 1e-12  # relative to what was added up, where nearly all of it cancels
CONTROL = Fraction(1, 10**6)
_DRAWS = 20


class Derived(Protocol):
    """What is verified: a system and its adjoint equations in the order of the sweep."""

    @property
    def system(self) -> System:
        """The forward equations."""

    @property
    def adjoints(self) -> tuple[Adjoint, ...]:
        """The adjoint equations with their steps."""


class Refuted(VerificationError):
    """A step that random tensors refute: its equation, rule, and those tensors."""

    def __init__(
        self, equation: str, rule: str, problem: str,
        sizes: Mapping[str, int], tensors: Mapping[str, Any],
    ) -> None:
        self.equation, self.rule = equation, rule
        self.sizes, self.tensors = dict(sizes), dict(tensors)
        at = ", ".join(f"{k}={v}" for k, v in self.sizes.items())
        super().__init__(f"({equation}), rule '{rule}': {problem} (at sizes {at})")


def verify(derivation: Derived, seeds: Sequence[int] = (0, 1)) -> None:
    """Raises Refuted (a VerificationError) for the first line that random tensors refute.

    Raises InputError when no draw from the declared domains gives a finite loss.
    """
    for seed in seeds:
        trial = _Trial(derivation, seed)
        trial.check_lines()
        trial.check_whole()
        trial.control()


class _Trial:
    """One draw of sizes and inputs, with all values that follow from it."""

    def __init__(self, derivation: Derived, seed: int) -> None:
        self.system, self.adjoints = derivation.system, derivation.adjoints
        self.sizes, self.inputs, self.arrays = _finite_draw(derivation, seed)
        self.generator = np.random.default_rng([seed, 1])
        self.evaluator = Evaluator(self.arrays, self.sizes, self._jacobian)
        self.jacobians: dict[tuple[str, str], Array] = {}
        self.slopes: dict[str, Array] = {}

    def check_lines(self) -> None:
        """The adjoints' values, and every step of every adjoint."""
        try:
            run_equations(self.adjoints, self.arrays, self.sizes)
        except IndexError:
            for adjoint in self.adjoints:  # the step that reads out of range is the one to name
                self.check_adjoint(adjoint)
            raise
        for adjoint in self.adjoints:
            self.check_adjoint(adjoint)

    # ---- one adjoint ---------------------------------------------------------------------

    def check_adjoint(self, adjoint: Adjoint) -> None:
        """All steps, that each begins where the one before ended, and the last the result."""
        line: Expr | None = None
        for step in adjoint.steps:
            if line is not None and step.before != line:
                self.check(adjoint, Step(adjoint.number, step.rule, line, step.before))
            if step.before.single_atom != _itself(adjoint, adjoint.array):
                self.check(adjoint, step)
            line = step.after
        if line is not None and line != adjoint.rhs:
            self.check(adjoint, Step(adjoint.number, "result", line, adjoint.rhs))

    def check(self, adjoint: Adjoint, step: Step) -> None:
        """One step: both sides agree at every position."""
        for side in (step.before, step.after):
            stray = free_indices(side) - set(adjoint.indices)
            if stray:
                names = ", ".join(sorted(map(repr, stray)))
                self.refute(adjoint, step, f"the index {names} is bound by nothing", {})
        if step.before == step.after:
            return
        if any(isinstance(a, Partial) for side in (step.before, step.after) for a in atoms(side)):
            self._check_along_direction(adjoint, step)
            return
        before, after = (self._value(side, adjoint, step) for side in (step.before, step.after))
        if not self._agree(before, after, lambda: np.maximum(
                *(magnitude(side, self.arrays, self.sizes, adjoint.indices)
                  for side in (step.before, step.after)))):
            self.refute(adjoint, step, _difference(before, after),
                        {"before": before, "after": after})

    def _value(self, expr: Expr, adjoint: Adjoint, step: Step) -> Array:
        try:
            return self.evaluator.value(expr, adjoint.indices)
        except IndexError as error:
            self.refute(adjoint, step, str(error), {})
            raise

    def _agree(self, left: Array, right: Array, scale: Callable[[], Array]) -> bool:
        """Entries that are nan decide nothing."""
        with np.errstate(all="ignore"):
            gap = np.where(left == right, 0.0, np.abs(left - right))
            known = ~(np.isnan(left) | np.isnan(right))
            largest = np.max(np.maximum(np.abs(left), np.abs(right)),
                             initial=0.0, where=known & np.isfinite(left) & np.isfinite(right))
            if np.all(gap[known] <= RTOL * largest):
                return True
            return bool(np.all((gap <= RTOL * largest + ROUNDING * scale())[known]))

    def refute(
        self, adjoint: Adjoint, step: Step, problem: str, sides: Mapping[str, Array]
    ) -> None:
        """Raises, with the arrays that the step reads."""
        read = {n: self.arrays[n] for side in (step.before, step.after) for n in arrays_of(side)
                if n in self.arrays}
        raise Refuted(adjoint.number, step.rule, problem, self.sizes, {**read, **sides})

    # ---- local derivatives ---------------------------------------------------------------

    def _check_along_direction(self, adjoint: Adjoint, step: Step) -> None:
        """Both sides summed against a random direction of the differentiated array."""
        direction = self.generator.standard_normal(np.shape(self.arrays[adjoint.primal]))
        before, after = (self._along(side, adjoint, step, direction)
                         for side in (step.before, step.after))
        scale = np.maximum(before[1], after[1])
        if not self._agree(before[0], after[0], lambda: scale * 10):
            self.refute(adjoint, step, _difference(before[0], after[0]),
                        {"before": before[0], "after": after[0], "direction": direction})

    def _along(
        self, expr: Expr, adjoint: Adjoint, step: Step, direction: Array
    ) -> tuple[Array, Array]:
        """Σ_p direction[p] expr[p], and the same with everything made positive."""
        total, size = np.zeros(()), np.zeros(())
        self.slopes.clear()
        for term in expr.terms:
            contracted = self._contracted(term, adjoint, direction)
            if contracted is None:
                part = self._value(Expr((term,)), adjoint, step) * direction
                total, size = total + part.sum(), size + np.abs(part).sum()
                continue
            arrays = {**self.arrays, **self.slopes}
            total = total + Evaluator(arrays, self.sizes).value(contracted)
            size = size + magnitude(contracted, arrays, self.sizes)
        return total, size

    def _contracted(self, term: Term, adjoint: Adjoint, direction: Array) -> Expr | None:
        """Σ_p d[p] Ū[u] ∂U[u]/∂V[p] as Ū[u] (slope of U along d)[u]; None for other terms."""
        found = [a for a, e in term.factors if isinstance(a, Partial) and e == 1]
        if len(found) != 1:
            return None
        partial = found[0]
        rest = tuple((a, e) for a, e in term.factors if a is not partial)
        above = frozenset().union(*(free_indices(i) for i in partial.numerator.indices))
        if partial.denominator != _itself(adjoint, adjoint.primal):
            return None
        if (term_indices(Term(term.coef, rest)) | above) & set(adjoint.indices):
            return None
        name = f"{partial.numerator.array} along {adjoint.primal}"
        if name not in self.slopes:
            equation = self.system.equation(partial.numerator.array)
            assert equation is not None
            self.slopes[name] = slope(equation, adjoint.primal, direction, self.evaluator)
        along = access(name, partial.numerator.indices)
        return mul(Expr((Term(term.coef, rest, term.bound),)), along)

    def _jacobian(self, above: str, below: str) -> Array:
        """All local derivatives, for expressions that hold them in another form."""
        if (above, below) not in self.jacobians:
            equation = self.system.equation(above)
            if equation is None:
                raise InputError(f"{above} is differentiated but has no equation")
            self.jacobians[above, below] = jacobian(equation, below, self.evaluator)
        return self.jacobians[above, below]

    # ---- the whole -----------------------------------------------------------------------

    def check_whole(self) -> None:
        """The loss along a random direction of all parameters."""
        self.directions = {
            name: self.generator.standard_normal(np.shape(self.inputs[name]))
            for name in self.system.wrt}
        stepped = {n: self.inputs[n] + 1j * STEP * d for n, d in self.directions.items()}
        values = run(self.system, {**self.inputs, **stepped}, self.sizes)
        self.slope = np.asarray(np.imag(values[self.system.loss]) / STEP)
        total, size = self._predicted()
        if not self._agree(self.slope, total, lambda: size * 100):
            raise Refuted(
                self.system.loss, "all gradients",
                "the derivative of the loss along a random direction is "
                f"{float(self.slope):.12g}, the gradients say {float(total):.12g}",
                self.sizes, {**self.inputs, **self._gradients()})

    def _gradients(self) -> dict[str, Array]:
        by_primal = {a.primal: a.array for a in self.adjoints}
        return {by_primal[n]: self.arrays[by_primal[n]] for n in self.system.wrt}

    def _predicted(self) -> tuple[Array, Array]:
        gradients = self._gradients().values()
        parts = [g * d for g, d in zip(gradients, self.directions.values(), strict=True)]
        return (np.asarray(sum(p.sum() for p in parts)),
                np.asarray(sum(np.abs(p).sum() for p in parts)))

    # ---- the negative control ------------------------------------------------------------

    def control(self) -> None:
        """Raises VerificationError if a wrong step, or wrong gradients, would pass."""
        total, size = self._predicted()
        if abs(total) > CONTROL * size and self._agree(
                self.slope, total * (1 + float(CONTROL)), lambda: size * 100):
            raise VerificationError("the negative control passed: wrong gradients go unnoticed")
        live = [a for a in self.adjoints if a.steps and np.any(self.arrays[a.array])
                and np.all(np.isfinite(self.arrays[a.array]))]
        if not live:
            return
        chosen = live[int(self.generator.integers(len(live)))]
        step = chosen.steps[-1]
        wrong = Step(step.equation, step.rule, step.after,
                     Expr(tuple(mul(number(1 + CONTROL), Expr((t,))).terms[0]
                                for t in step.after.terms)))
        try:
            self.check(chosen, wrong)
        except Refuted:
            return
        raise VerificationError("the negative control passed: a wrong step goes unnoticed")


def _itself(adjoint: Adjoint, array: str) -> Access:
    """The entry of an array at the adjoint's own indices."""
    return Access(array, tuple(idx(i) for i in adjoint.indices))


def _difference(before: Array, after: Array) -> str:
    """The position where two arrays differ most, and what they hold there."""
    with np.errstate(all="ignore"):
        gap = np.nan_to_num(np.abs(before - after), nan=-1.0, posinf=np.inf)
    worst = np.unravel_index(int(np.argmax(gap)), gap.shape)
    where = f"[{', '.join(str(int(k)) for k in worst)}]"
    return f"{before[worst]:.12g} before, {after[worst]:.12g} after, at {where}"


def _finite_draw(
    derivation: Derived, seed: int
) -> tuple[dict[str, int], dict[str, Array], dict[str, Array]]:
    """Sizes, inputs and forward values of a draw whose loss is finite."""
    system = derivation.system
    arrays: dict[str, Array] = {}
    for k in range(_DRAWS):
        sizes, inputs = draw(system, seed + 100 * k, positive=k % 2 == 1)
        arrays = run(system, inputs, sizes)
        if np.all(np.isfinite(arrays[system.loss])):
            return sizes, inputs, arrays
    bad = (e for e in system.equations if not np.all(np.isfinite(arrays[e.array])))
    first = next(bad, system.equations[-1])
    raise InputError(
        f"{system.name}: the loss is not finite in {_DRAWS} random draws; the first value that "
        f"is not is {first.array} in ({first.number}) {first.source}. Declare the domain of the "
        "inputs, for example positive(name) or in_range(name, low, high)")
