"""Pages by lemmas, held against one evaluation of the program with all that its lines hand on.

In: a derivation by lemmas, and inputs. Out: for each lemma, and the program, a page whose lines can
be evaluated, with the arrays of its first use; and what its lines about other lemmas are worth.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from reader.check import Page, Verdict, says_beyond
from reader.grammar import Grammar
from reader.latex import Latex, read_symbol
from reader.lemmas import Part, Used, latex_parts, text_parts
from reader.page import Known, Line, Text, same
from reader.tree import Entry, Name

from symprop.algebra.expr import adjoint
from symprop.blocks.derive import Lemma
from symprop.blocks.run import Evaluated, evaluated
from symprop.by_blocks import BlockDerivation
from symprop.emit import latex, text
from symprop.emit.kept import Kept
from symprop.emit.lemmas import PRINTERS
from symprop.emit.stacked import stacked
from symprop.interpret.given import given_inputs


@dataclass(frozen=True)
class Values:
    """What a page is about: arrays by name, those of turns stacked, and one use of the lemma."""

    lemma: Lemma
    arrays: Mapping[str, Any]
    turns: Mapping[str, tuple[int, ...]]  # of each stack
    run: Evaluated


def values(derivation: BlockDerivation, inputs: Mapping[str, Any]) -> dict[int, Values]:
    """By the number of the lemma."""
    given, sizes = given_inputs(derivation.system, inputs)
    with np.errstate(all="ignore"):
        whole = evaluated(derivation.program.block, derivation.found.derivations, given, sizes)
    uses: dict[int, Evaluated] = {}
    waiting = [whole]
    while waiting:
        run = waiting.pop()
        uses.setdefault(id(run.block), run)
        waiting += reversed(run.inner.values())
    return {m.number: _values(m, uses[id(m.block)])
            for m in (*derivation.lemmas, derivation.program)}


def _values(lemma: Lemma, run: Evaluated) -> Values:
    shown = stacked(lemma)
    arrays = {n: np.asarray(a) for n, a in run.arrays.items()}
    turns = {}
    for stack in shown.stacks.by_name.values():
        last = max(stack.arrays)
        turns[stack.name] = tuple(range(1, int(stack.index.size.number or 0) + 1))
        for mark in ("", adjoint("")):
            there = {t: arrays[mark + n] for t, n in stack.arrays.items() if mark + n in arrays}
            if there:
                like = next(iter(there.values()))
                arrays[mark + stack.name] = np.stack([
                    np.asarray(there.get(t, np.full(like.shape, np.nan)), float)
                    for t in range(last + 1)])
    return Values(lemma, arrays, turns, run)


class _Form:
    """Text or LaTeX with names that are known."""

    def __init__(self, form: Any, arrays: Mapping[str, Any], adjoints: frozenset[str]) -> None:
        self.form, self.known, self.adjoint_names = form, arrays, adjoints

    def arrays(self, full: str, known: Known) -> Mapping[str, Any]:
        return self.known

    def adjoints(self, full: str) -> frozenset[str]:
        return self.adjoint_names

    def __getattr__(self, name: str) -> Any:
        return getattr(self.form, name)


class LemmaPage:
    """One lemma's page in a form of print; `full` is where every equation has its number."""

    def __init__(
        self, values_: Values, form: str, printer: Any, full: Part, few: int,
        numbers: Mapping[str, int],
    ) -> None:
        self.values, self.numbers = values_, numbers
        names = {n: printer.to.array(n).text for n in values_.arrays
                 if n.removeprefix(adjoint("")) not in printer.stacks.places}
        marked = {n for n in names if n.startswith(adjoint(""))}
        if form == "text":
            shown = {n: same(t) for n, t in names.items()}
            reader: Any = Text()
        else:
            keys: dict[Any, str] = {}
            for n, t in names.items():
                symbol, end = read_symbol(t, 0)
                if end == len(t):
                    above = (*symbol.above, *symbol.powers)
                    keys[symbol.base + "'" * symbol.primes, above, symbol.below] = n
            reader, called = Latex(keys), printer.to.called
            if called.mark == "partial":
                reader.over = reader.left_name(called.loss_shown or called.loss)
            shown = {n: n for n in names if n in keys.values() or (n in marked and reader.over)}
        assert len(set(shown.values())) == len(shown)
        arrays = {t: values_.arrays[n] for n, t in shown.items()}
        known = Known({}, {}, {}, values_.run.sizes)
        self.form = _Form(reader, arrays, frozenset(shown[n] for n in marked if n in shown))
        self.page = Page(self.form, full.page, known, few)
        self.page.reader.counted = self._counted(full)

    def _counted(self, part: Part) -> dict[str, tuple[int, ...]]:
        return {u.letter: tuple(sorted(u.turns)) for u in part.used if u.letter}

    def verdicts(self, part: Part) -> Iterator[Verdict]:
        """What is found of each line."""
        self.page.turns = {self.form.left_name(left): t for left, t in part.turns.items()}
        yield from self.page.verdicts(part.page)
        for used in part.used:
            once = {n for n in used.left if used.letter and not _has(n, used.letter)}
            met: set[str] = set()  # what one turn alone gives
            for turn in used.turns or (0,):
                fits = [self._fits(used, turn, once & kept) for kept in (once, set())]
                met |= once if fits[0] and once else set()
                yield self._verdict(used, any(fits))
            if once:
                yield self._verdict(used, met == once)

    def _verdict(self, used: Used, right: bool) -> Verdict:
        line = Line("uses", f"{used.left} from {used.right} by {used.lemma}", "")
        return Verdict(line, "right" if right else "wrong", "no use is this")

    def _fits(self, used: Used, turn: int, once: set[str]) -> bool:
        """Whether a use takes and gives this at a turn."""
        right, left = ([
            self._array(n, used.letter, turn) for n, _, some in
            (name.partition(" @ ") for name in names)
            if n != "0" and (not some or str(turn) in some.split())]
            for names in (used.right, [
                n for n in used.left if n in once or not used.letter or _has(n, used.letter)]))
        inside = self.values.run.inner
        return any(self._holds(u, used.lemma, inside[id(u)].arrays, left, right)
                   for u in self.values.lemma.block.uses)

    def told(self, part: Part) -> None:
        """Asserts that every use has a line of the forward pass."""
        forward = sum(max(len(u.turns), 1) for u in part.used if not u.lemma.isdigit())
        assert forward == len(self.values.lemma.block.uses)

    def _holds(self, use: Any, lemma: str, inner: Mapping[str, Any], left: Sequence[Any],
               right: Sequence[Any]) -> bool:
        block = use.block
        if not lemma.isdigit():
            made = [r for mine, r in zip(use.results, block.results, strict=True) if mine]
            return block.name == lemma and _same(right, [inner[p] for p in block.ports]) and (
                _within(left, [inner[r] for r in made]))
        return self.numbers[lemma] == id(block) and _within(
            right, [inner[adjoint(r)] for r in block.results if adjoint(r) in inner]) and _within(
                left, [inner[adjoint(p)] for p in block.gradients if adjoint(p) in inner])

    def _array(self, name: str, letter: str, turn: int) -> Any:
        (node,) = Grammar(self.form.tokens(name), self.page.arrays).sides()
        reader = self.page.reader
        if isinstance(node, Name):
            return reader.arrays[node.name]
        assert isinstance(node, Entry) and isinstance(node.of, Name), name
        ranges = {letter: np.array([turn])} if letter else {}
        at = [int(reader.value(p, ranges).data.item()) for p in node.positions]
        return reader.arrays[node.of.name][tuple(at)]


def _has(name: str, letter: str) -> bool:
    """Whether a letter stands in a name by itself."""
    return re.search(rf"(?<![A-Za-z]){letter}(?![A-Za-z])", name) is not None


def _same(left: Sequence[Any], right: Sequence[Any]) -> bool:
    return len(left) == len(right) and all(map(_equal, left, right))


def _within(left: Sequence[Any], right: Sequence[Any]) -> bool:
    """Each is one of those, none twice."""
    rest = list(right)
    for one in left:
        place = next((k for k, other in enumerate(rest) if _equal(one, other)), None)
        if place is None:
            return False
        rest.pop(place)
    return True


def _equal(a: Any, b: Any) -> bool:
    return np.shape(a) == np.shape(b) and bool(
        np.allclose(np.asarray(a, float), np.asarray(b, float), rtol=1e-9, equal_nan=True))


class LemmaPages:
    """All pages of a derivation in one form of print."""

    def __init__(
        self, derivation: BlockDerivation, inputs: Mapping[str, Any], form: str,
        profile: str = "symprop", few: int = 64,
    ) -> None:
        self.derivation, self.form, self.profile = derivation, form, profile
        lemmas = (*derivation.lemmas, derivation.program)
        numbers = {id(m.block): m.number for m in lemmas}
        blocks = {str(number): block for block, number in numbers.items()}
        found = values(derivation, inputs)
        calling = derivation._called(None, profile, None)

        def style(system: Any) -> Any:
            if form == "text":
                return text.TextStyle(text.notation(system, calling(system), 88))
            return latex.LatexStyle(latex.notation(system, calling(system), None))

        self.pages = {}
        for part in self.parts("full"):
            lemma = next(m for m in lemmas if m.number == part.number)
            printer = PRINTERS["full"](lemma, numbers, style, Kept())
            self.pages[part.number] = LemmaPage(
                found[part.number], form, printer, part, few, blocks)

    def parts(self, detail: str) -> list[Part]:
        """The page of every lemma, as it is printed."""
        if self.form == "text":
            return [*text_parts(self.derivation.text(detail=detail, profile=self.profile))]
        return [*latex_parts(self.derivation.latex(detail=detail, profile=self.profile))]

    def verdicts(self, detail: str) -> Iterator[Verdict]:
        """What is found of each line of every page."""
        parts = self.parts(detail)
        beyond = any(says_beyond(part.page) for part in parts)
        for part in parts:
            self.pages[part.number].page.beyond = beyond
            self.pages[part.number].told(part)
            yield from self.pages[part.number].verdicts(part)
