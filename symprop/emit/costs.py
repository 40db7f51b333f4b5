"""What forward and backward cost, side by side and equation by equation.

In: a program and sizes. Out: a `Cost`, whose text and Markdown are tables.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from symprop.algebra.build import add
from symprop.algebra.canonical import collect
from symprop.algebra.expr import Expr, Size, Term
from symprop.derive import cost as nominal
from symprop.emit import latex, text
from symprop.emit.printer import Printer
from symprop.emit.text_notation import columns
from symprop.emit.words import ENGLISH, words
from symprop.errors import InputError
from symprop.interpret.evaluate import extent
from symprop.interpret.given import given_sizes
from symprop.lower.count import operations, polynomials
from symprop.lower.finish import finished
from symprop.lower.memory import Memory
from symprop.lower.program import Program
from symprop.lower.walk import writes
from symprop.system import System

DEFAULT = 64  # the size of an axis that is not given
SHOWN = 3  # terms of a total: the largest


@dataclass(frozen=True)
class EquationCost:
    """One equation: operations as a polynomial of the sizes and as a number; bytes."""

    number: str
    array: str
    polynomial: Expr
    operations: int
    moved: int
    made: int


@dataclass(frozen=True)
class PassCost:
    """Forward or backward: its equations, and the most bytes that live beside what it is given."""

    equations: tuple[EquationCost, ...]
    peak: int

    @property
    def operations(self) -> int:
        """All operations."""
        return sum(e.operations for e in self.equations)

    @property
    def polynomial(self) -> Expr:
        """All operations, as a polynomial of the sizes."""
        return collect(add(*(e.polynomial for e in self.equations)))

    @property
    def moved(self) -> int:
        """Bytes that operations read and write."""
        return sum(e.moved for e in self.equations)

    @property
    def made(self) -> int:
        """Bytes of the arrays that are made."""
        return sum(e.made for e in self.equations)


@dataclass(frozen=True)
class Cost:
    """What a derivation's two passes cost, for axes of the given sizes.

    operations are counted by `symprop.lower.count`, bytes by `symprop.lower.memory`. kept: the
    arrays that forward makes and leaves for backward, with their bytes. parameters: how many
    numbers the gradients are by. `str` gives the tables, `markdown()` too.
    """

    system: System
    sizes: Mapping[str, int]
    dtype: str
    forward: PassCost
    backward: PassCost
    kept: tuple[tuple[str, int], ...]
    parameters: int
    language: str = ENGLISH

    @property
    def ratio(self) -> float:
        """The operations of backward over those of forward."""
        return self.backward.operations / max(1, self.forward.operations)

    @property
    def differences(self) -> int:
        """The operations that the same gradients take by central differences."""
        return 2 * self.parameters * self.forward.operations

    @property
    def peak(self) -> int:
        """The most bytes that live beside the inputs while loss and gradients are worked out."""
        left = sum(size for _, size in self.kept)
        return max(self.forward.peak, left + self.backward.peak)

    def __str__(self) -> str:
        printer = Printer(text.notation(self.system), {})
        both, each = self._tables(printer)
        return "\n".join([self._title(), "", *_text(both), "", self._miracle(), "", *_text(each)])

    def markdown(self) -> str:
        """The tables as Markdown, polynomials in LaTeX."""
        printer = Printer(latex.notation(self.system), {})
        both, each = self._tables(printer, "$")
        return "\n".join([f"# {self._title()}", "", *_markdown(both), "", self._miracle(), "",
                          *_markdown(each), ""])

    def __repr__(self) -> str:
        return (f"<Cost of {self.system.name}: {self.forward.operations:,} operations forward, "
                f"{self.backward.operations:,} backward>")

    def _repr_markdown_(self) -> str:
        return self.markdown()

    def _title(self) -> str:
        sizes = " ".join(f"{name}={size}" for name, size in self.sizes.items())
        say = words(self.language)
        return say("cost.title", name=self.system.name, sizes=say.beside(sizes, self.dtype))

    def _miracle(self) -> str:
        say = words(self.language)
        backward = self.differences / max(1, self.backward.operations)
        return "\n".join((
            say("cost.ratio", self.parameters, ratio=f"{self.ratio:.2f}",
                derivatives=f"{self.parameters:,}"),
            say("cost.differences", times=f"{2 * self.parameters:,}", backward=f"{backward:,.0f}"),
            say("cost.together", bytes=_bytes(self.peak))))

    def _tables(self, printer: Printer, mark: str = "") -> tuple[list[Sequence[str]], ...]:
        passes, say = (self.forward, self.backward), words(self.language)
        arrays, adjoints = (len(p.equations) for p in passes)
        kept = sum(size for _, size in self.kept)
        both: list[Sequence[str]] = [
            ("", say("cost.forward"), say("cost.backward")),
            (say("cost.direction"), say("cost.up"), say("cost.down")),
            (say("cost.computes"), say("cost.arrays", arrays, arrays=arrays), say(
                "cost.adjoints", adjoints, adjoints=adjoints, gradients=len(self.system.wrt))),
            (say("cost.needed"), say("cost.always"), say("cost.training")),
            (say("cost.operations"), *(self._polynomial(p.polynomial, printer, mark, SHOWN)
                             for p in passes)),
            (say("cost.here"), *(f"{p.operations:,}" for p in passes)),
            (say("cost.moved"), *(_bytes(p.moved) for p in passes)),
            (say("cost.kept"), say("cost.kept_arrays", len(self.kept), bytes=_bytes(kept),
                                   arrays=len(self.kept)),
             say("cost.kept_gradients", bytes=_bytes(self._gradients()))),
            (say("cost.peak"), *(_bytes(p.peak) for p in passes)),
        ]
        heads = ("array", "operations", "here", "moved_short", "made")
        each: list[Sequence[str]] = [("", *(say(f"cost.{head}") for head in heads))]
        quote = "`" if mark else ""
        each += [(f"({e.number})", f"{quote}{e.array}{quote}",
                  self._polynomial(e.polynomial, printer, mark), f"{e.operations:,}",
                  _bytes(e.moved), _bytes(e.made)) for one in passes for e in one.equations]
        total = [sum(values) for values in zip(*(
            (p.operations, p.moved, p.made) for p in passes), strict=True)]
        each.append(("", say("cost.total"), "", f"{total[0]:,}",
                     *map(_bytes, total[1:])))
        return both, each

    def _gradients(self) -> int:
        return self.parameters * np.dtype(self.dtype).itemsize

    def _polynomial(
        self, expr: Expr, printer: Printer, mark: str, most: int | None = None
    ) -> str:
        """The largest terms first; sizes in the order in which the program names them."""
        order = {name: k for k, name in enumerate(self.system.sizes)}
        terms = sorted((_in_order(t, order) for t in expr.terms),
                       key=lambda t: -nominal.extent(Expr((t,))))
        shown = terms if most is None or len(terms) <= most + 1 else terms[:most]
        rest = (r" + \dots" if mark else " + ...") if len(shown) < len(terms) else ""
        return f"{mark}{printer.expr(Expr(tuple(shown))).text}{rest}{mark}"


def _in_order(term: Term, order: Mapping[str, int]) -> Term:
    last = len(order)
    factors = sorted(term.factors, key=lambda f: order.get(
        f[0].name, last) if isinstance(f[0], Size) else last)
    return Term(term.coef, tuple(factors), term.bound)


def cost(
    program: Program, sizes: Mapping[str, int] | None = None, dtype: str = "float64",
    language: str = ENGLISH,
) -> Cost:
    """The cost of a program; an axis whose size is not given has 64 entries."""
    words(language)  # which refuses what there is not, before anything is counted
    if dtype not in ("float64", "float32"):
        raise InputError(f"dtype is float64 or float32, not {dtype}")
    known = given_sizes(program.system, sizes or {}, DEFAULT)
    item = np.dtype(dtype).itemsize
    whole = finished(program)
    accounts = [Memory(known, item), Memory(known, item)]
    passes = []
    for account, counted, run in zip(
            accounts, (program.forward, program.backward), (whole.forward, whole.backward),
            strict=True):
        account.run(run)
        numbers, symbols = operations(counted, known), polynomials(counted)
        arrays = {w.number: w.array for w in writes(counted) if w.number}
        passes.append(PassCost(tuple(EquationCost(
            number=number, array=_shown(arrays[number]), polynomial=symbols[number],
            operations=count, moved=account.moved.get(number, 0),
            made=sum(size for name, size in account.made.items()
                     if name.split(",")[0] == arrays[number]),
        ) for number, count in numbers.items()), account.peak))
    made = accounts[0].made
    return Cost(
        system=program.system, sizes=known, dtype=dtype, forward=passes[0], backward=passes[1],
        kept=tuple((name, made[name]) for name in program.saved if made.get(name)),
        parameters=sum(_entries(program.system, name, known) for name in program.system.wrt),
        language=language)


def _entries(system: System, name: str, sizes: Mapping[str, int]) -> int:
    count = 1
    for size in system.arrays[name].shape:
        count *= extent(size, sizes)
    return count


def _shown(array: str) -> str:
    return array.replace("∂", "d", 1) if array.startswith("∂") else array


def _bytes(count: int) -> str:
    for unit, size in (("GiB", 2**30), ("MiB", 2**20), ("KiB", 2**10)):
        if count >= size:
            return f"{count / size:.3g} {unit}" if count < 1000 * size else \
                f"{count / size:,.0f} {unit}"
    return f"{count} B"


def _text(rows: Sequence[Sequence[str]]) -> list[str]:
    """Columns under each other; numbers at the right."""
    places = range(len(rows[0]))
    widths = [max(columns(row[k]) for row in rows) for k in places]
    right = [_numbers(rows, k) for k in places]
    gaps = [[" " * (widths[k] - columns(row[k])) for k in places] for row in rows]
    return ["  ".join(gap[k] + row[k] if right[k] else row[k] + gap[k]
                      for k in places).rstrip() for row, gap in zip(rows, gaps, strict=True)]


def _numbers(rows: Sequence[Sequence[str]], column: int) -> bool:
    """Whether a column holds numbers, or numbers with units, alone."""
    return all(re.fullmatch(r"[\d,.]+( [KMG]?i?B)?", row[column]) for row in rows[1:])


def _markdown(rows: Sequence[Sequence[str]]) -> list[str]:
    rule = ["---:" if _numbers(rows, k) else "---" for k in range(len(rows[0]))]
    return ["| " + " | ".join(row) + " |" for row in (rows[0], rule, *rows[1:])]
