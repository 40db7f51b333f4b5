"""A derivation by lemmas in print: each block once, a line each way where it is used.

In: the lemmas and the program. Out: pages of LaTeX, Markdown or text, one after the other, each
printed as the derivation of any system is; the numbers of lemma 2 are 2.F1 and 2.B1.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from symprop.algebra.expr import adjoint
from symprop.blocks.block import Use
from symprop.blocks.derive import Lemma, Pull
from symprop.blocks.numbers import numbered, prefix
from symprop.emit import latex, markdown, text
from symprop.emit.latex_names import escape
from symprop.emit.pieces import Piece
from symprop.emit.sheet import Block, Row, Sheet, SheetPrinter, Style, SymbolRow
from symprop.files.templates import render
from symprop.system import Array, System


def latex_pages(
    lemmas: Sequence[Lemma], standalone: bool, templates: str | Path | None
) -> str:
    """The lemmas as a LaTeX fragment, or as a document."""
    def page(sheet: Sheet) -> str:
        values = {"sheet": sheet, "aligned": latex.aligned}
        return render(latex.FRAGMENT, values, templates, latex=True)

    sheets = _sheets(lemmas, lambda s: latex.LatexStyle(latex.notation(s)))
    fragment = "\n".join(map(page, sheets))
    if not standalone:
        return fragment
    return render(latex.DOCUMENT, {"sheet": sheets[-1], "fragment": fragment}, templates,
                  latex=True)


def markdown_pages(lemmas: Sequence[Lemma], templates: str | Path | None) -> str:
    """The lemmas as Markdown."""
    sheets = _sheets(lemmas, lambda s: markdown.MarkdownStyle(latex.notation(s)))
    return "\n".join(render(markdown.PAGE, {"sheet": s, "draw": markdown.block}, templates)
                     for s in sheets)


def text_pages(lemmas: Sequence[Lemma], templates: str | Path | None) -> str:
    """The lemmas as text."""
    values: dict[str, Any] = {
        "aligned": text.aligned, "padded": text.padded, "wrapped": text.wrapped}
    return "\n".join(render(text.PAGE, {"sheet": s, **values}, templates)
                     for s in _sheets(lemmas, lambda s: text.TextStyle(text.notation(s))))


def _sheets(lemmas: Sequence[Lemma], style: Callable[[System], Style]) -> list[Sheet]:
    """A sheet for each; what is explained once stands at the end."""
    numbers = {id(lemma.block): lemma.number for lemma in lemmas}
    printed = [_LemmaPrinter(lemma, numbers, style(lemma.block.system)).sheet()
               for lemma in lemmas]
    rules = tuple(dict.fromkeys(r for s in printed for r in s.rules))
    said = tuple(dict.fromkeys(c for s in printed for c in s.conventions))
    return [*(replace(s, rules=(), conventions=()) for s in printed[:-1]),
            replace(printed[-1], rules=rules, conventions=said)]


class _LemmaPrinter(SheetPrinter):
    """Prints one lemma, or the program."""

    def __init__(self, lemma: Lemma, numbers: dict[int, int], style: Style) -> None:
        self.lemma, self.numbers = lemma, numbers
        self.prefix = prefix(lemma.number)
        super().__init__(numbered(lemma.derivation, self.prefix), style, None)
        self.made = {r: use for use in lemma.block.uses for r in use.results}
        self.by_name = {e.array: e for e in self.system.equations}

    def sheet(self) -> Sheet:
        """Everything, with a line each way for a use."""
        sheet = super().sheet()
        lemma = self.lemma
        own = [n for n in self.chosen.gradients if n in lemma.block.gradients]
        return replace(
            sheet, title=self._title() if lemma.number else "",
            forward=self._with_uses(sheet.forward), backward=self._with_backward(sheet.backward),
            gradients=tuple(self._gradient(self._adjoint_of[n]) for n in own))

    def _title(self) -> str:
        """Lemma 2 (layer_norm). Given x, g, b and ȳ."""
        block = self.lemma.block
        given = [r for r in block.results if r in block.system.given]
        listed = ", ".join(self._name(p) for p in block.ports)
        seeds = ", ".join(self._name(adjoint(r)) for r in given)
        head = self.style.plain(f"Lemma {self.lemma.number} ({block.name})")
        return f"{head}. Given {listed}{' and ' if seeds else ''}{seeds}"

    def _with_uses(self, forward: Sequence[Block]) -> tuple[Block, ...]:
        uses = {self.prefix + use.number: use for use in self.lemma.block.uses}
        rows: dict[str, list[Row]] = {}
        for block in forward:
            hand = block.number in uses
            rows.setdefault(block.number, []).extend(
                replace(r, number="") if hand else r for r in block.rows[:1 if hand else None])
        for number, use in uses.items():
            rows.setdefault(number, []).append(replace(self._row(
                self._listed("", [r for r in use.results if r]),
                use.block.name, use.arguments), number=number))
        order = sorted(rows, key=lambda n: int(n.rpartition("F")[2]))
        return tuple(Block(n, "", tuple(rows[n])) for n in order)

    def _with_backward(self, backward: Sequence[Block]) -> tuple[Block, ...]:
        """The adjoint equations, and a line for each use."""
        by_number = {block.number: block for block in backward}
        found: list[Block] = []
        for line in self.lemma.backward:
            if isinstance(line, Pull):
                found += [self._pulled(self.prefix + line.number, use, takes, gives)
                          for use, takes, gives in reversed(
                              [*zip(line.uses, line.takes, line.gives, strict=True)])]
            elif self.prefix + line.number in by_number:
                found.append(by_number[self.prefix + line.number])
        return tuple(found)

    def _pulled(
        self, number: str, use: Use, takes: Sequence[str], gives: Sequence[str]
    ) -> Block:
        lemma = f"Lemma {self.numbers[id(use.block)]}"
        left = self._listed(lemma, [adjoint(r) for r in takes])
        row = self._row(left, "", [adjoint(a) for a in gives])
        heading = ", ".join(self._name(a) for a in gives)
        return Block(number, heading, (row,), role=f"adjoint, by {lemma},")

    def _listed(self, function: str, arrays: Sequence[str]) -> Piece:
        """f(x, y), or x where there is no function and one array."""
        if not function and len(arrays) == 1:
            return self.to.array(arrays[0])
        chunks = list(self.to.piece(f"{self._words(function)}(").chunks)
        for k, name in enumerate(arrays):
            part = self.to.piece(self.to.array(name).text + (")" if k == len(arrays) - 1 else ", "))
            chunks += (part.opening(0) if k else part).chunks
        return Piece(tuple(chunks))

    def _row(self, left: Piece, function: str, arrays: Sequence[str]) -> Row:
        """left = f(x, y, ...), cut where the line is full."""
        cut = self._cut(self._listed(function, arrays), left)
        return Row(left.text, tuple(line.rstrip() for line in cut))

    def _words(self, words: str) -> str:
        if self.style.flavour == "text" or not words:
            return words
        return rf"\text{{{escape(words)}}}"

    def _symbol(self, array: Array) -> SymbolRow:
        row, use = super()._symbol(array), self.made.get(array.name)
        if use is not None:
            return replace(row, role=f"({self.prefix}{use.number})")
        return replace(row, role="parameter") if array.name in self.lemma.block.gradients else row
