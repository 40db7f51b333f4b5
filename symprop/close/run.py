"""One run of a module, compared with the equations of its derivation.

In: sizes, the values of all inputs, how they are handed over. Out: nothing, or a `Mismatch`;
`Raised` where the module raised something.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from symprop.algebra.expr import adjoint
from symprop.close.calls import arguments, given, gradients
from symprop.close.frames import watched
from symprop.close.values import Mismatch, Values
from symprop.emit.targets.numpy.module import helpers_of
from symprop.emit.targets.numpy.names import code_names
from symprop.interpret.evaluate import extent
from symprop.interpret.run import run_equations
from symprop.lower.program import Program
from symprop.system import Adjoint, Equation, System

Array = np.ndarray[Any, Any]
Item = Equation | Adjoint

SCALED = -2.0  # a power of two: the gradients are this multiple to the last digit
_MERGED = 1e3  # times the tolerance, where some array was computed by the interpreter
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
        self.code = code_names(program.system, helpers_of(program)).arrays
        self.leaves = given(leaves, dtype, turned)
        self.arrays: dict[str, Any] = {**system.constants, **self.leaves}

    # ---- the module's functions ------------------------------------------------------------

    def call(self, name: str, *args: Any, **named: Any) -> tuple[Any, dict[str, Any]]:
        """The result of one of the functions, and its local variables."""
        function = getattr(self.module, name, None)
        if function is None:
            raise Mismatch(name, f"it defines no {name}", {})
        try:
            with np.errstate(all="ignore"):
                return watched(function, *args, **named)
        except Exception as error:
            raise Raised(name, error) from error

    def start(self) -> bool:
        """Runs forward; whether the loss is finite."""
        self.named = arguments(self.system.arguments, self.leaves)
        self.before = {n: a.copy() for n, a in self.leaves.items()}
        self.forward = self.call("forward", **self.named)
        self.strict = bool(np.all(np.isfinite(self.forward[0][0])))
        return self.strict

    def check(self, others: Mapping[str, Array] | None) -> None:
        """Compares everything. others: further inputs, for what is tried beside one run."""
        (loss, saved), own = self.forward
        named, before = self.named, self.before
        self._check_forward(loss, saved, own)
        kept = [_copied(part) for part in saved]
        if others is not None:
            self._disturb(others)
        found, own = self.call("backward", saved)
        first = gradients(self.system, found)
        self._check_backward(first, own)
        if others is not None:
            self._check_again(saved, first)
            self._check_both(named, loss, first)
            self._check_memory(first, saved)
        self._unchanged("saved", dict(enumerate(kept)), dict(enumerate(saved)))
        if self.system.outputs:
            self._check_predict(named)
        self._unchanged("an input", before, self.leaves)

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
        items = live(self.system.equations, [self.system.loss, *names])
        slack = self._compare(items, own)
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
        """Every equation beside the function's own array; the slack for what it returns.

        What the function keeps in no variable of its own is filled in from the equations.
        """
        table = {i.array: own[self.code[i.array]] for i in items
                 if self.code.get(i.array) in own and self._fits(i, own[self.code[i.array]])}
        self.arrays |= table
        missing = [i for i in items if i.array not in table]
        wide = Values(self.arrays, self.sizes, self.dtype).arrays
        if missing:
            with np.errstate(all="ignore"):
                run_equations(missing, wide, self.sizes)
            self.arrays |= {i.array: wide[i.array] for i in missing}
        values = Values(self.arrays, self.sizes, self.dtype, self.strict)
        slack = _MERGED if missing else 1.0
        for item in items:
            if item.array in table:
                values.compare(item, table[item.array], slack)
        return slack

    def _fits(self, item: Item, found: Any) -> bool:
        shape = tuple(extent(i.size, self.sizes) for i in item.indices)
        return bool(np.shape(found) == shape)

    def _same(self, where: str, what: str, found: Any, expected: Any, slack: float) -> None:
        """Two arrays that the same code, or code and interpreter, have computed."""
        found, expected = np.asarray(found), np.asarray(expected)
        if found.shape != expected.shape:
            raise Mismatch(where, f"{what} has the shape {found.shape}, not {expected.shape}",
                           self.sizes)
        if found.dtype.kind in "biu" or not found.size:
            differ = np.asarray(found != expected)
        else:
            with np.errstate(all="ignore"):
                size = np.max(np.abs(expected), initial=0.0, where=np.isfinite(expected))
                gap = np.abs(found.astype(float) - expected)
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
        result, own = self.call("backward", saved, SCALED)
        scaled = gradients(self.system, result)
        departed = self.program.departing
        if departed:
            self._check_departed(scaled, own)
        for name in (n for n in self.system.wrt if n not in departed):
            self._same("backward", f"the gradient of {name} at dL = {SCALED:g}", scaled[name],
                       SCALED * first[name].astype(float), 1.0)
        again = gradients(self.system, self.call("backward", saved)[0])
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
        (value, found), _ = self.call("value_and_grad", **named)
        self._same("value_and_grad", "the loss", value, loss, 1.0)
        for name, grad in gradients(self.system, found).items():
            self._same("value_and_grad", f"the gradient of {name}", grad, first[name], 1.0)

    def _check_memory(self, first: Mapping[str, Any], saved: Sequence[Any]) -> None:
        """No gradient shares memory with another one, with an input, or with what is saved."""
        arrays = [(f"the gradient of {n}", g) for n, g in first.items()]
        arrays += [(f"the input {n}", a) for n, a in self.leaves.items()]
        arrays += [("saved", a) for a in saved if isinstance(a, np.ndarray)]
        for k, (name, grad) in enumerate(arrays[:len(first)]):
            for other, array in arrays[k + 1:]:
                if np.may_share_memory(grad, array) and np.shares_memory(grad, array):
                    raise Mismatch("backward", f"{name} shares memory with {other}", self.sizes)

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
        found, own = self.call("predict", **{n: a for n, a in named.items() if n in wanted})
        roots = [array for _, array in self.system.outputs]
        items = [e for e in live(self.system.equations, roots) if e.array not in self.arrays]
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


def live(equations: Iterable[Equation], roots: Iterable[str]) -> list[Equation]:
    """The equations that the roots depend on, in order."""
    table = {e.array: e for e in equations}
    needed: set[str] = set()
    todo = list(roots)
    while todo:
        name = todo.pop()
        if name in table and name not in needed:
            needed.add(name)
            todo.extend(table[name].reads)
    return [e for e in table.values() if e.array in needed]


def _copied(part: Any) -> Any:
    return part.copy() if isinstance(part, np.ndarray) else part

