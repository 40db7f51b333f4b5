"""One run of a module, compared with the equations of its derivation.

In: sizes, the values of all inputs, how they are handed over. Out: nothing, or a `Mismatch`;
`Raised` where the module raised something.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from symprop.algebra.expr import adjoint
from symprop.close.calls import arguments, given, gradients
from symprop.close.frames import Frame, watched
from symprop.close.lemmas import Calls, Lemmas
from symprop.close.overlaps import sharing
from symprop.close.scope import Item, Scope, computed
from symprop.close.values import Mismatch
from symprop.emit.targets.numpy.naming import module_names
from symprop.interpret.evaluate import extent
from symprop.lower.ir import Statement
from symprop.lower.program import Program
from symprop.lower.walk import writes
from symprop.system import Adjoint, System

Array = np.ndarray[Any, Any]

SCALED = -2.0  # a power of two: the gradients are this multiple to the last digit
_SAME = {"float64": 1e-12, "float32": 1e-5}  # of the largest entry: the same code twice


class Raised(Exception):
    """What a function of the module raised."""

    def __init__(self, function: str, error: Exception) -> None:
        self.function = function
        super().__init__(f"{type(error).__name__}: {error}")


class Run:
    """The functions of one module at one set of inputs."""

    def __init__(
        self, system: System, adjoints: Sequence[Adjoint], program: Program, module: Any,
        sizes: Mapping[str, int], leaves: Mapping[str, Array], dtype: Any, turned: bool,
    ) -> None:
        self.system, self.adjoints, self.program = system, adjoints, program
        self.module, self.sizes, self.dtype = module, sizes, np.dtype(dtype)
        self.turned = turned
        self.code = module_names(program).main.arrays
        self.leaves = given(leaves, dtype, turned)
        self.scope = Scope(program, self.code, sizes, self.dtype,
                           {**system.constants, **self.leaves})
        self.arrays = self.scope.arrays
        self.lemmas = Lemmas(program, module, self.dtype)

    # ---- the module's functions ------------------------------------------------------------

    def call(self, name: str, *args: Any, **named: Any) -> Frame:
        """What one of the functions returns, its variables, and its calls of lemmas."""
        function = getattr(self.module, name, None)
        if function is None:
            raise Mismatch(name, f"it defines no {name}", {})
        try:
            with np.errstate(all="ignore"):
                return watched(function, args, named, self.lemmas.codes)
        except Exception as error:
            raise Raised(name, error) from error

    def start(self) -> bool:
        """Runs forward; whether the loss is finite."""
        self.named = arguments(self.system.arguments, self.leaves)
        self.before = {n: a.copy() for n, a in self.leaves.items()}
        self.forward = self.call("forward", **self.named)
        self.strict = bool(np.all(np.isfinite(self.forward.result[0])))
        return self.strict

    def check(self, others: Mapping[str, Array] | None) -> None:
        """Compares everything. others: further inputs, for what is tried beside one run."""
        loss, saved = self.forward.result
        named, before = self.named, self.before
        first_calls = self._watched(self.forward, self.program.forward)
        self._check_forward(loss, saved, self.forward.variables)
        kept = [_copied(part) for part in _parts(saved)]
        if others is not None:
            self._disturb(others)
        frame = self.call("backward", saved)
        first = gradients(self.system, frame.result)
        calls = self._watched(frame, self.program.backward)
        self._check_backward(first, frame.variables)
        self.lemmas.check(first_calls, calls, self.strict)
        if others is not None:
            self._check_again(saved, first)
            self._check_both(named, loss, first)
            self._check_memory(first, saved)
        self._unchanged("saved", dict(enumerate(kept)), dict(enumerate(_parts(saved))))
        if self.system.outputs:
            self._check_predict(named)
        self._unchanged("an input", before, self.leaves)

    def _watched(self, frame: Frame, statements: Iterable[Statement]) -> Calls:
        """The calls of lemmas in a run; what they made counts as the run's own."""
        given = {a: self.leaves[a] for s in self.program.stacks for a in s.arrays}
        found = self.lemmas.watch(frame, statements, self.sizes, given)
        self.arrays |= found.arrays
        return found

    def _disturb(self, others: Mapping[str, Array]) -> None:
        """Another forward, whose arrays must not reach the backward of the first."""
        leaves = given(others, self.dtype, self.turned)
        try:
            self.call("forward", **arguments(self.system.arguments, leaves))
        except Raised:
            return  # these inputs were only there to be in the way

    # ---- values ---------------------------------------------------------------------------

    def _check_forward(self, loss: Any, saved: Sequence[Any], own: Mapping[str, Any]) -> None:
        names = [n for n in self.program.saved if n not in self.system.constants]
        slack = self._compare(computed(self.program), own)
        self._loss_fits(loss, slack)
        if len(saved) < len(names):
            raise Mismatch("forward", f"saved has {len(saved)} parts, not {len(names)}", self.sizes)
        for name, part in zip(names, saved, strict=False):
            self._same("forward", f"{name} in saved", part, self.arrays[name], slack)

    def _loss_fits(self, loss: Any, slack: float) -> None:
        floats = [a for n, a in self.leaves.items() if self.system.arrays[n].dtype == "float"]
        wanted = self.dtype if floats else np.dtype(float)
        if np.asarray(loss).dtype != wanted or np.shape(loss):
            raise Mismatch("forward", f"the loss is {np.asarray(loss).dtype} of shape "
                           f"{np.shape(loss)}, not a number of {wanted}", self.sizes)
        self._same("forward", "the loss", loss, self.arrays[self.system.loss], slack)

    def _check_backward(self, found: Mapping[str, Any], own: Mapping[str, Any]) -> None:
        self.arrays[adjoint(self.system.loss)] = np.float64(1.0)
        items = [a for a in self.adjoints if a.primal != self.system.loss or a.role != "adjoint"]
        slack = self._compare(items, own)
        for name in self.system.wrt:
            self._gradient_fits(name, found[name])
            self._same("backward", f"the gradient of {name}", found[name],
                       self.arrays[adjoint(name)], slack)

    def _gradient_fits(self, name: str, grad: Any) -> None:
        leaf = self.leaves[name]
        if not isinstance(grad, np.ndarray) or (grad.shape, grad.dtype) != (leaf.shape, leaf.dtype):
            raise Mismatch(
                "backward", f"the gradient of {name} is {getattr(grad, 'dtype', type(grad))} of "
                f"shape {np.shape(grad)}, not {leaf.dtype} of shape {leaf.shape}", self.sizes)

    def _compare(self, items: Sequence[Item], own: Mapping[str, Any]) -> float:
        return self.scope.compare(items, own, self.strict)

    def _same(self, where: str, what: str, found: Any, expected: Any, slack: float) -> None:
        """Two arrays that the same code, or code and interpreter, have computed."""
        found, expected = np.asarray(found), np.asarray(expected)
        if found.shape != expected.shape:
            raise Mismatch(where, f"{what} has the shape {found.shape}, not {expected.shape}",
                           self.sizes)
        if found is expected or np.array_equal(found, expected):
            return
        if found.dtype.kind in "biu" or not found.size:
            differ = np.asarray(found != expected)
        else:
            with np.errstate(all="ignore"):
                size = np.max(np.abs(expected), initial=0.0, where=np.isfinite(expected))
                gap = np.abs(found.astype(float, copy=False) - expected)
                near = gap <= _SAME[self.dtype.name] * slack * size
                differ = ~(near | (found == expected) | ~np.isfinite(expected))
        if np.any(differ):
            place = tuple(int(k) for k in np.unravel_index(int(np.argmax(differ)), differ.shape))
            entry = f"[{', '.join(map(str, place))}]" if place else ""
            raise Mismatch(where, f"{what}{entry} is {found[place]:.10g} and should be "
                           f"{expected[place]:.10g}", self.sizes, entry)

    # ---- what is tried beside one run ------------------------------------------------------

    def _check_again(self, saved: Any, first: Mapping[str, Any]) -> None:
        """Another dL, then the same again, on one `saved`."""
        first = {n: g.copy() for n, g in first.items()}
        frame = self.call("backward", saved, SCALED)
        scaled = gradients(self.system, frame.result)
        departed = self.program.departing
        if departed:
            self._check_departed(scaled, frame.variables)
        for name in (n for n in self.system.wrt if n not in departed):
            self._same("backward", f"the gradient of {name} at dL = {SCALED:g}", scaled[name],
                       SCALED * first[name].astype(float), 1.0)
        again = gradients(self.system, self.call("backward", saved).result)
        for name, grad in again.items():
            self._same("backward", f"the gradient of {name}, asked for again,", grad,
                       first[name], 1.0)

    def _check_departed(self, scaled: Mapping[str, Any], own: Mapping[str, Any]) -> None:
        """Where a rule departs from the gradient, dL need not be a factor of the whole."""
        self.arrays[adjoint(self.system.loss)] = np.float64(SCALED)
        items = [a for a in self.program.margins.values() if isinstance(a, Adjoint)
                 and (a.primal != self.system.loss or a.role != "adjoint")]
        slack = self._compare(items, own)
        for name in self.program.departing:
            self._same("backward", f"what stands for the gradient of {name} at dL = {SCALED:g}",
                       scaled[name], self.arrays[adjoint(name)], slack)

    def _check_both(
        self, named: Mapping[str, Any], loss: Any, first: Mapping[str, Any]
    ) -> None:
        value, found = self.call("value_and_grad", **named).result
        self._same("value_and_grad", "the loss", value, loss, 1.0)
        for name, grad in gradients(self.system, found).items():
            self._same("value_and_grad", f"the gradient of {name}", grad, first[name], 1.0)

    def _check_memory(self, first: Mapping[str, Any], saved: Sequence[Any]) -> None:
        """No gradient shares memory with another one, with an input, or with what is saved."""
        arrays = [(f"the gradient of {n}", g) for n, g in first.items()]
        arrays += [(f"the input {n}", a) for n, a in self.leaves.items()]
        arrays += [("saved", a) for a in _parts(saved) if isinstance(a, np.ndarray)]
        for j, k in sharing([a for _, a in arrays], len(first)):
            raise Mismatch("backward", f"{arrays[j][0]} shares memory with {arrays[k][0]}",
                           self.sizes)

    def _unchanged(self, what: str, before: Mapping[Any, Any], after: Mapping[Any, Any]) -> None:
        for name, old in before.items():
            new = after[name]
            if isinstance(old, np.ndarray) and not (
                old.dtype == new.dtype and np.array_equal(old, new, equal_nan=old.dtype.kind == "f")
            ):
                raise Mismatch("backward", f"it changes {what} ({name})", self.sizes)

    def _check_predict(self, named: Mapping[str, Any]) -> None:
        """The outputs: those that forward has are the same, others follow their equations."""
        wanted = inspect.signature(self.module.predict).parameters
        frame = self.call("predict", **{n: a for n, a in named.items() if n in wanted})
        found, own = frame.result, frame.variables
        self._watched(frame, self.program.predict)
        written = {w.array for w in writes(self.program.predict)}
        items = [e for e in self.system.equations
                 if e.array in written and e.array not in self.arrays]
        for name, array in self.arrays.items():
            code = self.code.get(name, "")
            if self.system.equation(name) and code in own and not items and (
                np.shape(own[code]) == np.shape(array)
            ):
                self._same("predict", name, own[code], array, 1.0)
        slack = self._compare(items, own)
        for (name, array), shape in zip(
            self.system.outputs, self.system.output_shapes, strict=True
        ):
            lengths = tuple(extent(s, self.sizes) for s in shape)
            self._same("predict", f"the output {name}", found[name],
                       np.reshape(self.arrays[array], lengths), slack)


def _parts(saved: Iterable[Any]) -> Iterator[Any]:
    """All that is saved, what calls of lemmas have saved too."""
    for part in saved:
        if isinstance(part, tuple | list):
            yield from _parts(part)
        else:
            yield part


def _copied(part: Any) -> Any:
    return part.copy() if isinstance(part, np.ndarray) else part

