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
from symprop.lower.invoke import Invoke, Turns
from symprop.lower.ir import Statement
from symprop.lower.program import Pair, Program
from symprop.lower.wanted import NONE, running
from symprop.system import Adjoint

Path = tuple[str, ...]  # of uses
_Line = tuple[Invoke, Statement, frozenset[str]]  # what it stands in, what it leaves out


@dataclass(frozen=True)
class _Call:
    """One call of a lemma, with the sizes there."""

    frame: Frame
    sizes: Mapping[str, int]


@dataclass(frozen=True)
class Calls:
    """The calls in one run: of each lemma by path, and the arrays of the program that they made."""

    arrays: dict[str, Any]
    of: Mapping[int, dict[Path, _Call]]


class Lemmas:
    """The functions of all lemmas of a module."""

    def __init__(self, program: Program, module: Any, dtype: Any) -> None:
        self.program, self.dtype = program, dtype
        self.names = module_names(program)
        self.pairs = {p.number: p for p in program.lemmas}
        functions = (getattr(module, f, None) for two in self.names.functions.values() for f in two)
        self.codes: tuple[CodeType, ...] = tuple(
            c for f in functions if isinstance(c := getattr(f, "__code__", None), CodeType))

    def watch(
        self, frame: Frame, statements: Iterable[Statement], sizes: Mapping[str, int],
        given: Mapping[str, Any],
    ) -> Calls:
        """All calls in a run of forward, backward or predict; given: inputs by their names."""
        found = Calls(dict(given), {p: {} for p in self.pairs})
        program = self.program
        lines = self._asked(program, program.system.wrt, NONE, NONE) \
            if statements is program.backward else _forward(statements)
        self._walk(frame, lines, self.names.main, sizes, (), found)
        return found

    def _asked(
        self, part: Program, gradients: Sequence[str], own: frozenset[str],
        missing: frozenset[str],
    ) -> list[_Line]:
        """The lines of a backward pass in which some gradients are left out."""
        return [(line, within, less) for within, line, less in running(
            part, gradients, self.program.skips, own, missing, self.pairs) if line is not None]

    def check(self, forward: Calls, backward: Calls, strict: bool) -> None:
        """Both runs of one `saved`."""
        for number, pair in self.pairs.items():
            first, second = forward.of[number], backward.of[number]
            for path, call in second.items():
                self._same_saved(pair, first.get(path), call)
            paths = [p for p in first if p in second] or [*first]
            for path in dict.fromkeys((*paths[:1], *paths[-1:])):
                self._equations(pair, first[path], second.get(path), strict)

    # ---- what is handed over ----------------------------------------------------------------

    def _walk(
        self, caller: Frame, lines: Sequence[_Line], names: Names,
        sizes: Mapping[str, int], path: Path, found: Calls,
    ) -> None:
        known = found.arrays if not path else {}
        if len(lines) != len(caller.calls):
            raise Mismatch(caller.function, f"it calls {len(caller.calls)} functions of lemmas, "
                           f"not {len(lines)}", sizes)
        for (line, within, less), frame in zip(lines, caller.calls, strict=True):
            pair, inside = self.pairs[line.lemma], self.names.inside[line.lemma]
            if frame.function != self.names.functions[line.lemma][line.backward]:
                raise Mismatch(f"({line.number})", f"it is {frame.function} that is called", sizes)
            own = {mine: sizes[theirs] for mine, theirs in line.sizes}
            values = {a: caller.variables.get(names.arrays[a]) for a in line.arrays} | {
                a: known[a] for a in line.arrays if a in known}
            self._taken(line, pair, frame, values, own)
            made = {t: v for t, v in zip(
                line.targets, self._results(frame, pair, line.backward), strict=True) if t}
            known |= made
            if not isinstance(within, Turns):
                mine = {t: caller.variables.get(names.arrays[t]) for t in made}
                self._kept(line, mine, made, own)
            here = (*path, line.use)
            found.of[line.lemma][here] = _Call(frame, own)
            body = self._asked(
                pair.program, pair.block.gradients, self.program.skips.get(line.lemma, NONE), less,
            ) if line.backward else _forward(pair.program.forward)
            self._walk(frame, body, inside, own, here, found)

    def _taken(
        self, line: Invoke, pair: Pair, frame: Frame, values: Mapping[str, Any],
        sizes: Mapping[str, int],
    ) -> None:
        """What goes in is the caller's own."""
        inside = self.names.inside[line.lemma]
        taken = [adjoint(r) for r in pair.seeds] if line.backward else [*pair.block.ports]
        for mine, theirs in zip(line.arguments, taken, strict=True):
            value = frame.entered[inside.arrays[theirs]]
            if isinstance(mine, str) and values[mine] is not value:
                raise Mismatch(f"({line.number})", f"{theirs} is not {mine}", sizes)
            if not isinstance(mine, str) and np.any(value):
                raise Mismatch(f"({line.number})", f"{theirs} should be zeros", sizes)
        for size, name in inside.sizes.items():
            if name in frame.entered and frame.entered[name] != sizes[size]:
                raise Mismatch(f"({line.number})", f"{size} is {frame.entered[name]}", sizes)

    def _kept(
        self, line: Invoke, mine: Mapping[str, Any], made: Mapping[str, Any],
        sizes: Mapping[str, int],
    ) -> None:
        """What comes out is the caller's from then on."""
        for name, value in made.items():
            if mine[name] is not value:
                raise Mismatch(f"({line.number})", f"{name} is not what it returns", sizes)

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


def _forward(statements: Iterable[Statement]) -> list[_Line]:
    """The lines of a forward pass."""
    return [(line, s, NONE) for s in statements if isinstance(s, Invoke | Turns) for line in (
        s.lines if isinstance(s, Turns) else (s,))]
