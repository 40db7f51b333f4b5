"""One lemma, or the program, as a sheet: a line each way for what it uses.

In: a lemma and a style. Out: its `Sheet`. Forward "h = layer_norm(x, g, b)"; backward "x̄, ḡ, b̄
from h̄ by Lemma 2"; a run has the turn as an index, l = 1, ..., 12 and back.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from symprop.algebra.expr import Access, adjoint
from symprop.blocks.backward import Pull
from symprop.blocks.block import Run, Use
from symprop.blocks.derive import Lemma
from symprop.blocks.numbers import numbered, prefix
from symprop.derive.derivation import Derivation
from symprop.emit.kept import Kept
from symprop.emit.latex_names import upright
from symprop.emit.page import Block, Row, Sheet, Style
from symprop.emit.pieces import Piece
from symprop.emit.stacked import stacked
from symprop.emit.stacked_sheet import StackedSheet
from symprop.system import Adjoint, Equation, System

_FEW = 3  # turns that are counted out


class LemmaPrinter(StackedSheet):
    """Prints one lemma, or the program."""

    def __init__(
        self, lemma: Lemma, numbers: dict[int, int], style: Callable[[System], Style],
        kept: Kept,
    ) -> None:
        self.lemma, self.numbers, self.kept = lemma, numbers, kept
        self.prefix = prefix(lemma.number)
        self.stacked = stacked(lemma)
        self.stacks = self.stacked.stacks
        shown = Derivation(self.stacked.system, self.stacked.adjoints)
        printed = numbered(shown, self.prefix)
        for what in ("_letters", "_turns"):  # letters keep clear of the stacks' names
            if what in self.stacked.system.__dict__:
                printed.system.__dict__[what] = self.stacked.system.__dict__[what]
        super().__init__(printed, style(self.stacked.system))
        self.to.with_turns({s.name: s.shown for s in self.stacks.by_name.values()},
                           self.stacks.places, dict(self._copies()))
        self.chosen = replace(
            self.chosen, forward=tuple(e for e in self.chosen.forward if self._keeps(e.number)),
            backward=tuple(a for a in self.chosen.backward if self._keeps(a.number)), gradients=())
        self.made = {r: use for use in lemma.block.uses for r in use.results}
        self.runs = {run.number: run for run in lemma.block.runs}

    def sheet(self) -> Sheet:
        """Everything that is kept, with a line each way for a use."""
        sheet = super().sheet()
        forward = tuple(b for b in self._with_uses(sheet.forward) if self._keeps(b.number))
        backward = tuple(b for b in self._with_pulls(sheet.backward) if self._keeps(b.number))
        single = self.kept.single
        if self.detail == "brief":
            backward = ()  # all that is computed stands in the box
        box = () if single else tuple(
            b for b in self._with_pulls(sheet.box) if self._keeps(b.number))
        return replace(
            sheet, title=self.style.say(
                "lemma.title", number=self.lemma.number, name=self.lemma.block.name)
            if self.lemma.number else "",
            given=self._given(), then=self._then(), dense=True,
            box=box, forward=forward, backward=backward,
            symbols=tuple(self._rows()) if self.detail == "full" and not single else (),
            gradients=() if single or not self.lemma.number else tuple(self._gradients()),
            facts=() if single else sheet.facts if not self.lemma.number else self._leaned_on(),
            notes=() if single else sheet.notes)

    def _copies(self) -> Iterator[tuple[str, tuple[str, int]]]:
        """What is handed to a use as a copy, with what it is a copy of: x' for x."""
        handed = {a for use in self.lemma.block.uses for a in use.arguments}
        places, count = self.stacks.places, Counter[str]()
        for equation in self.system.equations:
            stack = self.stacks.by_name.get(equation.array)
            names = {*stack.arrays.values()} if stack is not None else {equation.array}
            item = equation.rhs.single_atom
            if names <= handed and isinstance(item, Access) and item.array not in places:
                ends = [p.single_index for p in item.indices]
                ends = ends[item.array in self.stacks.by_name:]
                if ends == [*equation.indices][stack is not None:]:
                    count[item.array] += 1
                    yield equation.array, (item.array, count[item.array])

    # ---- the head of a lemma -----------------------------------------------------------------

    def _given(self) -> str:
        """What it is given: x (N × T × D), g (D) and b (D)."""
        arrays = self.system.arrays
        told = []
        for port in self.lemma.block.ports:
            shape = arrays[port].shape
            told.append(self.words("lemma.shaped", array=self._name(port),
                                   shape=self._shape(shape)) if shape else self._name(port))
        return self.words.listed(told)

    def _then(self) -> str:
        """The adjoints that are given as well."""
        block = self.lemma.block
        given = [r for r in block.results if r in block.system.given]
        return self.words.listed([self.words(
            "lemma.of", adjoint=self._name(adjoint(r)), array=self._name(r)) for r in given])

    def _leaned_on(self) -> tuple[str, ...]:
        """The facts that a step leans on, the ranges of positions, the sizes that are parts."""
        told = {b for a in self.derived.adjoints for s in a.steps for b in s.because}
        numbers = self.facts.numbers
        used = {numbers[b] - 1 for b in told if b in numbers}
        count = len(self.system.facts)
        parts = any(t.coef.denominator != 1 or any(e < 0 for _, e in t.factors)
                    for a in self.system.arrays.values() for s in a.shape for t in s.terms)
        ranges = len(self.facts.printed) - count - len(self.system.conditions)
        return tuple(
            self.style.math(f) for k, f in enumerate(self.facts.printed)
            if k in used or count <= k < count + ranges or (k >= count + ranges and (
                parts or self.system.conditions[k - count - ranges].kind != "divides")))

    def _gradients(self) -> Iterator[Block]:
        """What comes out: by an equation of its own, or by a lemma."""
        wanted = self.lemma.block.gradients
        own = {a.primal: a for a in self.derived.adjoints}
        shown = dict.fromkeys(
            stack if first <= turn <= last else n
            for n in wanted for stack, turn in [self.stacks.places.get(n, (n, 0))]
            for first, last in [self.stacked.turns.get(adjoint(stack), (1, 0))])
        for name in shown:
            if name in own and self._keeps(own[name].number):
                yield self._gradient(own[name])
        for line in self.lemma.backward:
            if isinstance(line, Pull) and self._keeps(line.number):
                for j in range(len(line.run.turns[0]) if line.run is not None else 1):
                    period = len(line.uses) // (len(line.run.turns) if line.run is not None else 1)
                    rows = [[a for a in row if a in wanted] for row in line.gives[j::period]]
                    given = [*self._adjoints(rows, line.run)]
                    if given:
                        yield Block(self.prefix + line.number, "", (), sentence=self.words(
                            "lemma.by", adjoints=self.words.listed(given),
                            lemma=self._lemma(line.uses[j])))

    # ---- lines -------------------------------------------------------------------------------

    def _with_uses(self, forward: Sequence[Block]) -> tuple[Block, ...]:
        """The equations and the uses; what is made for a use alone stands before it."""
        uses: dict[str, list[Use]] = {}
        for use in self.lemma.block.uses:
            uses.setdefault(self.prefix + use.number, []).append(use)
        rows: dict[str, list[Row]] = {}
        for block in forward:
            hand = block.number in uses
            rows.setdefault(block.number, []).extend(
                replace(r, number="") if hand else r for r in block.rows[:1 if hand else None])
        for at, members in uses.items():
            run = self.runs.get(at.removeprefix(self.prefix))
            turns = run.turns if run is not None else ((members[0],),)
            before, last = self._begun(run), len(turns[0]) - 1
            rows.setdefault(at, []).extend([*before, *(
                replace(self._use([turn[j] for turn in turns], run),
                        number=at if j == last else "") for j in range(last + 1))])
        order = sorted(rows, key=lambda n: int(n.rpartition("F")[2]))
        return tuple(Block(n, "", tuple(rows[n])) for n in order)

    def _use(self, uses: Sequence[Use], run: Run | None) -> Row:
        """results = block(arguments), for one use or for all turns."""
        results = [self._in_turn(column, run)[0]
                   for column in _columns([u.results for u in uses]) if any(column)]
        arguments = [self._in_turn(column, run)[0]
                     for column in _columns([u.arguments for u in uses])]
        left = self._listed("", results)
        right = self._listed(uses[0].block.name, arguments)
        row = Row(left.text, tuple(line.rstrip() for line in self._cut(right, left)))
        if run is None:
            return row
        return replace(row, lines=(*row.lines[:-1], row.lines[-1] + self._beside(
            self._turns(run, 1, len(run.turns)))))

    def _begun(self, run: Run | None) -> Iterator[Row]:
        """What goes into the first turn, where that has a name of its own: h[0] = h0."""
        if run is None:
            return
        zero = self.to.piece("0")
        done: set[str] = set()
        for carried in run.carried:
            made = run.turns[0][carried.maker].results[carried.result]
            stack = self.stacks.places.get(made, ("", 0))[0]
            if stack and carried.first and carried.first not in self.stacks.places | dict.fromkeys(
                    done, ("", 0)):
                done.add(carried.first)
                left = self.to.entry(stack, [zero])
                yield Row(left.text, (self.to.array(carried.first).text,))

    def _with_pulls(self, backward: Sequence[Block]) -> Iterator[Block]:
        """The adjoint equations, and a sentence for each use or run."""
        blocks = {block.number: block for block in backward}
        for line in self.lemma.backward:
            at = self.prefix + line.number
            if isinstance(line, Pull):
                yield Block(at, "", (), sentence=self._pulled(line))
            elif at in blocks:
                yield blocks.pop(at)

    def _forward(self, equation: Equation) -> Block:
        """A forward equation, and at which turns it holds."""
        block = super()._forward(equation)
        first, last = self.stacked.turns.get(equation.array, (0, 0))
        if not last:
            return block
        index = self.stacks.by_name[equation.array].index
        if last - first + 1 == index.size.number:
            return block  # as the line that it is for
        row = block.rows[0]
        words = self._beside(self._counted(index.letter, range(first, last + 1)))
        return replace(block, rows=(replace(row, lines=(*row.lines[:-1], row.lines[-1] + words)),))

    def _backward(self, adjoint_: Adjoint) -> Block:
        """An adjoint equation, and at which turns it holds."""
        block = super()._backward(adjoint_)
        if adjoint_.array not in self.stacked.turns:
            return block
        first, last = self.stacked.turns[adjoint_.array]
        index = self.stacks.by_name[adjoint_.primal].index
        entry = self.to.entry(adjoint_.primal, [self._position(index, 0)])
        turns = self._counted(index.letter, range(first, last + 1))
        return replace(block, heading=self.words(
            "lemma.turns", words=self.style.math(entry.text), turns=turns))

    def _pulled(self, pull: Pull) -> str:
        """x̄, ḡ, b̄ from h̄ by Lemma 2; of a run, turn by turn."""
        run = pull.run
        period = len(run.turns[0]) if run is not None else 1
        parts = []
        for j in reversed(range(period)):
            gives = [*self._adjoints(pull.gives[j::period], run)]
            takes = [*self._adjoints(pull.takes[j::period], run)]
            if gives:
                comma = self.words("list.comma")
                parts.append(self.words(
                    "lemma.pulled", adjoints=comma.join(gives), given=comma.join(takes) or "0",
                    lemma=self._lemma(pull.uses[j])))
        words = self.words("mark.semicolon").join(parts)
        if run is None:
            return words
        return self.words("lemma.turns", words=words, turns=self._turns(run, len(run.turns), 1))

    def _adjoints(
        self, rows: Sequence[Sequence[str]], run: Run | None
    ) -> Iterator[str]:
        """What is handed each way, with the turns at which it is, if not at all."""
        if run is None:
            yield from (self._name(adjoint(a)) for row in rows for a in row)
            return
        done: set[str] = set()
        for turn, row in enumerate(rows, 1):
            for array in row:
                stack, at = self.stacks.places.get(array, (array, turn))
                if (key := f"{stack} {at - turn}") in done:
                    continue
                done.add(key)
                turns = [t for t, other in enumerate(rows, 1) if any(
                    self.stacks.places.get(a, (a, t)) == (stack, at - turn + t) for a in other)]
                index = self.stacks.index(run)
                if len(turns) == 1 and len(rows) > 1 and array in self.stacks.places:
                    yield self._name(adjoint(array))
                    continue
                if stack in self.stacks.by_name:
                    entry = self.to.entry(adjoint(stack), [self._position(index, at - turn)])
                else:
                    entry = self.to.array(adjoint(array))
                shown = self.style.math(entry.text)
                yield shown if len(turns) == len(rows) else self.words(
                    "lemma.at_turns", array=shown, turns=self._counted(index.letter, turns))

    def _lemma(self, use: Use) -> str:
        return self.words("lemma.name", number=self.numbers[id(use.block)])

    # ---- turns -------------------------------------------------------------------------------

    def _in_turn(self, names: Sequence[str], run: Run | None) -> tuple[Piece, bool]:
        """An array at every turn, as an entry of its stack; and whether it is one."""
        known = [(t, self.stacks.places[n]) for t, n in enumerate(names, 1)
                 if n in self.stacks.places]
        if run is None or not known:
            return self.to.array(next(filter(None, names))), False
        turn, (stack, at) = known[0]
        return self.to.entry(stack, [self._position(self.stacks.index(run), at - turn)]), True

    def _turns(self, run: Run, first: int, last: int) -> str:
        step = 1 if first <= last else -1
        return self._counted(self.stacks.index(run).letter, range(first, last + step, step))

    def _counted(self, letter: str, turns: Sequence[int]) -> str:
        """l = 1, ..., 12."""
        shown = [str(t) for t in turns]
        if len(shown) > _FEW:
            shown = [shown[0], self.to.word("dots").text, shown[-1]]
        return self.style.math(f"{letter}{self.to.sign('==').text}{', '.join(shown)}")

    def _beside(self, words: str) -> str:
        if self.style.flavour == "text":
            return f",  {words}"
        return rf",\quad {words.strip('$')}"

    # ---- parts -------------------------------------------------------------------------------

    def _listed(self, function: str, parts: Sequence[Piece]) -> Piece:
        """f(x, y), or x where there is no function and one array."""
        if not function and len(parts) == 1:
            return parts[0]
        chunks = list(self.to.piece(f"{self._words(function)}(").chunks)
        for k, piece in enumerate(parts):
            part = self.to.piece(piece.text + (")" if k == len(parts) - 1 else ", "))
            chunks += (part.opening(0) if k else part).chunks
        return Piece(tuple(chunks))

    def _words(self, words: str) -> str:
        if self.style.flavour == "text" or not words:
            return words
        return upright(words)

def _columns(rows: Sequence[Sequence[str]]) -> Iterator[list[str]]:
    """What stands at each place, turn by turn; "" where a turn has nothing there."""
    for k in range(max(map(len, rows))):
        yield [row[k] if k < len(row) else "" for row in rows]
