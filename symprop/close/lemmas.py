"""The calls of lemmas in a run of a module: what is handed over, and what each computes.

In: a program with lemmas, what was watched of forward and backward. Out: nothing, or a `Mismatch`.

A function that is called many times is the same each time: its equations are compared where it is
called first and where it is called last. What its callers hand it, and take from it, is compared
at every call: it must be the caller's own arrays.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import CodeType
from typing import Any

import numpy as np

from symprop.algebra.expr import adjoint
from symprop.close.frames import Frame
from symprop.close.scope import Scope, computed
from symprop.close.values import Mismatch
from symprop.emit.targets.numpy.names import Names
from symprop.emit.targets.numpy.naming import module_names
from symprop.lower.invoke import Invoke
from symprop.lower.ir import Statement
from symprop.lower.program import Pair, Program
from symprop.lower.walk import invokes
from symprop.system import Adjoint

Path = tuple[str, ...]  # of uses


@dataclass(frozen=True)
class _Call:
    """One call of a lemma, with the sizes there."""

    frame: Frame
    sizes: Mapping[str, int]


class Lemmas:
    """The functions of all lemmas of a module."""

    def __init__(self, program: Program, module: Any, dtype: Any) -> None:
        self.program, self.dtype = program, dtype
        self.names = module_names(program)
        self.pairs = {p.number: p for p in program.lemmas}
        functions = (getattr(module, f, None) for two in self.names.functions.values() for f in two)
        self.codes: tuple[CodeType, ...] = tuple(
            c for f in functions if isinstance(c := getattr(f, "__code__", None), CodeType))

    def check(
        self, forward: Frame, backward: Frame, sizes: Mapping[str, int], strict: bool
    ) -> None:
        """Both runs of one `saved`."""
        first: dict[int, dict[Path, _Call]] = {p: {} for p in self.pairs}
        second: dict[int, dict[Path, _Call]] = {p: {} for p in self.pairs}
        self._walk(forward, self.program.forward, self.names.main, sizes, (), first)
        self._walk(backward, self.program.backward, self.names.main, sizes, (), second)
        for number, pair in self.pairs.items():
            for path, call in second[number].items():
                self._same_saved(pair, first[number].get(path), call)
            paths = [p for p in first[number] if p in second[number]] or [*first[number]]
            for path in dict.fromkeys((*paths[:1], *paths[-1:])):
                self._equations(pair, first[number][path], second[number].get(path), strict)

    def check_handed(self, frame: Frame, statements: Iterable[Statement],
                     sizes: Mapping[str, int]) -> None:
        """One run, without what the lemmas compute."""
        self._walk(frame, statements, self.names.main, sizes, (), {p: {} for p in self.pairs})

    # ---- what is handed over ----------------------------------------------------------------

    def _walk(
        self, caller: Frame, statements: Iterable[Statement], names: Names,
        sizes: Mapping[str, int], path: Path, found: Mapping[int, dict[Path, _Call]],
    ) -> None:
        lines = list(invokes(statements))
        if len(lines) != len(caller.calls):
            raise Mismatch(caller.function, f"it calls {len(caller.calls)} functions of lemmas, "
                           f"not {len(lines)}", sizes)
        for line, frame in zip(lines, caller.calls, strict=True):
            pair, inside = self.pairs[line.lemma], self.names.inside[line.lemma]
            if frame.function != self.names.functions[line.lemma][line.backward]:
                raise Mismatch(f"({line.number})", f"it is {frame.function} that is called", sizes)
            own = {mine: sizes[theirs] for mine, theirs in line.sizes}
            self._handed(line, pair, caller, frame, names, own)
            here = (*path, line.use)
            found[line.lemma][here] = _Call(frame, own)
            body = pair.program.backward if line.backward else pair.program.forward
            self._walk(frame, body, inside, own, here, found)

    def _handed(
        self, line: Invoke, pair: Pair, caller: Frame, frame: Frame, names: Names,
        sizes: Mapping[str, int],
    ) -> None:
        """What goes in is the caller's, what comes out is the caller's from then on."""
        inside = self.names.inside[line.lemma]
        taken = [adjoint(r) for r in pair.seeds] if line.backward else [*pair.block.ports]
        for mine, theirs in zip(line.arguments, taken, strict=True):
            value = frame.entered[inside.arrays[theirs]]
            if isinstance(mine, str):
                self._is(line, theirs, caller.variables.get(names.arrays[mine]), value, sizes)
            elif np.any(value):
                raise Mismatch(f"({line.number})", f"{theirs} should be zeros", sizes)
        for size, name in inside.sizes.items():
            if name in frame.entered and frame.entered[name] != sizes[size]:
                raise Mismatch(f"({line.number})", f"{size} is {frame.entered[name]}", sizes)
        results = self._results(frame, pair, line.backward)
        for mine, value in zip(line.targets, results, strict=True):
            if mine:
                self._is(line, mine, caller.variables.get(names.arrays[mine]), value, sizes)

    def _is(
        self, line: Invoke, what: str, mine: Any, theirs: Any, sizes: Mapping[str, int]
    ) -> None:
        if mine is not theirs:
            raise Mismatch(f"({line.number})", f"{what} is not what the lemma is handed or hands "
                           "back", sizes)

    def _results(self, frame: Frame, pair: Pair, backward: bool) -> Sequence[Any]:
        """What a call returns, without what it saves."""
        count = len(pair.block.gradients if backward else pair.program.results)
        with_saved = not backward and bool(pair.block.gradients)
        if count == 1 and not with_saved:
            return (frame.result,)
        found: Sequence[Any] = frame.result
        return found[:-1] if with_saved else found

    def _same_saved(self, pair: Pair, first: _Call | None, second: _Call) -> None:
        """A backward is handed what the forward of the same use has saved."""
        saved = second.frame.entered[self.names.inside[pair.number].own["saved"]]
        if first is None or first.frame.result[-1] is not saved:
            raise Mismatch(f"Lemma {pair.number}", "its backward is handed what another call has "
                           "saved", second.sizes)

    # ---- what a lemma computes --------------------------------------------------------------

    def _equations(self, pair: Pair, first: _Call, second: _Call | None, strict: bool) -> None:
        names, program = self.names.inside[pair.number].arrays, pair.program
        inputs = {p: first.frame.entered[names[p]] for p in pair.block.ports}
        scope = Scope(program, names, first.sizes, self.dtype,
                      {**program.system.constants, **inputs})
        scope.compare(computed(program), first.frame.variables, strict)
        self._returned(pair, first, program.results, False)
        if second is None:
            return
        scope.arrays |= {adjoint(r): second.frame.entered[names[adjoint(r)]] for r in pair.seeds}
        adjoints = [a for a in program.margins.values() if isinstance(a, Adjoint)]
        scope.compare(adjoints, second.frame.variables, strict)
        self._returned(pair, second, [adjoint(w) for w in pair.block.gradients], True)

    def _returned(self, pair: Pair, call: _Call, arrays: Sequence[str], backward: bool) -> None:
        names = self.names.inside[pair.number].arrays
        for array, value in zip(arrays, self._results(call.frame, pair, backward), strict=True):
            if call.frame.variables.get(names[array]) is not value:
                raise Mismatch(f"Lemma {pair.number}", f"what it returns is not {array}",
                               call.sizes)
