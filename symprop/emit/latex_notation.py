"""Mathematics in LaTeX: amsmath, and of that what KaTeX knows too.

In: printed parts. Out: LaTeX with its width in points of a 10 pt page, measured well enough
to break lines before they overflow.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Container, Mapping, Sequence
from copy import copy
from dataclasses import replace
from fractions import Fraction
from typing import ClassVar

from symprop.algebra import rows
from symprop.algebra.expr import ADJOINT, Exponent
from symprop.emit.called import Called
from symprop.emit.latex_names import Symbol, read_symbol, size_symbol, symbol, symbols
from symprop.emit.notation import Notation
from symprop.emit.pieces import ATOM, BIG, PRODUCT, SIGNED, Piece, join

_MARKS = {"⌊": r"\lfloor", "⌋": r"\rfloor", "{": r"\lbrace", "}": r"\rbrace"}
LINE = 345.0  # \textwidth of the article class at 10 pt
_FULL, _HALF = 0.8, 0.4  # of a line


class LatexNotation(Notation):
    """LaTeX; `clashing` holds the sizes that have an array's name and are set in sans serif."""

    room = LINE
    margin = 34.0
    divides_last = False
    slashed = False  # whether a fraction is a/b
    sets_functions_apart = True
    signs: ClassVar[dict[str, str]] = {
        "plus": " + ", "minus": " - ", "negative": "-", "times": r"{}\times ",
        "==": " = ", "!=": r" \ne ", "<": " < ", "<=": r" \le ", ">": " > ", ">=": r" \ge ",
        "mod": r" \bmod ", "hadamard": r" \odot ", "comma": ", ",
        "in": r" \in ", "divides": r" \mid ", "dot": r" \cdot ", "about": r"{\approx}",
        "apart": r",\qquad ",
    }
    words: ClassVar[dict[str, str]] = {
        "infinity": r"\infty", "diag": r"\operatorname{diag}", "onehot": r"\operatorname{onehot}",
        "trace": r"\operatorname{tr}", "pi": r"\pi", "log": r"\log ",
        "dots": r"\dots", "open": r"\cdot",
    }

    def __init__(
        self, clashing: Container[str] = (), constants: tuple[Fraction, ...] = (),
        symbols: Mapping[str, Symbol] | None = None, room: float | None = None,
        called: Called | None = None,
    ) -> None:
        self.room = room or LINE
        self.called = called or self.called
        self.clashing = clashing
        self.symbols = symbols or {}
        self.constants = constants

    def measure(self, text: str) -> float:
        return width(text)

    def array(self, name: str) -> Piece:
        return self._set(name, [], SIGNED)

    def entry(self, name: str, positions: Sequence[Piece]) -> Piece:
        return self._set(name, [p.text for p in self.laid(name, positions)], PRODUCT)

    def _set(self, name: str, at: list[str], binds: int) -> Piece:
        """An array at positions; a gradient without positions binds as told."""
        primal, mark = name.removeprefix(ADJOINT), self.called.mark
        layer, rest = (at[0], at[1:]) if at and primal in self.called.stacked else ("l", at)
        if primal == name or primal in self.called.adjoints or mark not in ("partial", "nabla"):
            return self._under(self.symbol(name, layer), rest)
        loss = self.called.loss_shown or self.symbol(self.called.loss).latex
        under = self.symbol(primal, layer)
        if mark == "partial":
            return self.partial(self.piece(loss), self.piece(under.at(",".join(rest))))
        whole = rf"\nabla_{{{under.latex}}} {loss}"
        return self.piece(rf"({whole})_{{{','.join(rest)}}}") if rest else self.piece(whole, binds)

    def _under(self, array: Symbol, at: list[str]) -> Piece:
        """An array at positions, which stand below each other where they fill a line."""
        beside = self.piece(array.at(",".join(at)))
        if not at or beside.width <= self.room * _FULL:
            return beside
        stacked = [at[0]]
        for place in at[1:]:
            longer = f"{stacked[-1]},{place}"
            if width(longer) * _SCRIPT <= self.room * _HALF:
                stacked[-1] = longer
            else:
                stacked[-1] += ","
                stacked.append(place)
        if len(stacked) == 1:
            return beside
        rows = r" \\ ".join(stacked)
        return self.piece(array.at(rf"\begin{{subarray}}{{l}} {rows} \end{{subarray}}"), tall=True)

    def with_turns(
        self, shown: Mapping[str, str], places: Mapping[str, tuple[str, int]],
        copies: Mapping[str, tuple[str, int]],
    ) -> None:
        kept = {n: s for n, s in self.symbols.items() if n not in places and n not in shown}
        found = {**symbols([*kept, *shown.values()]), **kept}
        self.symbols = found | {stack: found[name] for stack, name in shown.items()}
        self.symbols |= {copy: self.symbol(of).primed(primes)
                         for copy, (of, primes) in copies.items()}
        self.symbols |= {array: self.symbols[stack].at_turn(turn)
                         for array, (stack, turn) in places.items()}

    def symbol(self, name: str, layer: str = "l") -> Symbol:
        """What an array, or an adjoint, is called; of a stack of layers one of them."""
        primal = name.removeprefix(ADJOINT)
        own = self.called.adjoints.get(primal) if primal != name else None
        if own is not None:
            return read_symbol(self.called.latex(name, layer) or own)
        stacked = self.called.latex(primal, layer)
        known = read_symbol(stacked) if stacked else self.symbols.get(primal) or symbol(primal)
        if primal != name and self.called.mark == "d":
            return replace(known, stem=f"d{known.stem}")
        return replace(known, barred=primal != name)

    def size(self, name: str) -> Piece:
        text = size_symbol(name)
        return self.piece(rf"\mathsf{{{text}}}" if name in self.clashing else text)

    def scientific(self, digits: str, exponent: int) -> Piece:
        power = f"10^{{{exponent}}}"
        return self.piece(power if digits == "1" else rf"{digits} \cdot {power}", PRODUCT)

    @property
    def inline(self) -> LatexNotation:
        found = copy(self)
        found.slashed = found.divides_last = True
        return found

    def fraction(self, above: Piece, below: Piece) -> Piece:
        if self.slashed:
            top = self.enclosed(above) if above.binds <= BIG else above
            bottom = below if below.binds == ATOM else self.enclosed(below)
            return join([top, self.piece("/"), bottom], PRODUCT)
        return self.piece(rf"\frac{{{above.text}}}{{{below.text}}}", ATOM, tall=True)

    def power(self, base: Piece, exponent: Exponent) -> Piece:
        last = self.piece(f"^{{{_ratio(exponent)}}}")
        return join([self.raisable(base), last], ATOM)

    def raisable(self, base: Piece) -> Piece:
        simple = not re.search(r"\^|\\frac|\s", _unscripted(base.text)) or base.text[-1] in ")]"
        return base if simple else self.enclosed(base)

    def root(self, body: Piece) -> Piece:
        return self.piece(rf"\sqrt{{{body.text}}}", ATOM, body.tall)

    def over(self, what: str, letters: Sequence[str]) -> Piece:
        sign = rf"\{what}" if what != "cof" else r"\operatorname{cof}"
        return self.piece(rf"{sign}_{{{','.join(letters)}}} ", ATOM, tall=True)

    def below(self, size: Piece) -> Piece:
        return self.piece("<" + size.text)

    def partial(self, above: Piece, below: Piece, direct: bool = False) -> Piece:
        mark = r"\partial^{+}" if direct else r"\partial"
        return self.piece(rf"\frac{{{mark} {above.text}}}{{\partial {below.text}}}", tall=True)

    def spelled(self, name: str) -> str | None:
        return rows.get(name).latex if name in rows.registry().rows else None

    def function_name(self, name: str) -> str:
        return rf"\operatorname{{{name.replace('_', chr(92) + '_')}}}"

    def delta(self, left: Piece, right: Piece) -> Piece:
        return self.piece(rf"\delta_{{{left.text},{right.text}}}")

    def enclosed(self, body: Piece, marks: str = "()") -> Piece:
        left, right = (_MARKS.get(m, m) for m in marks)
        if body.tall:
            left, right = rf"\Bigl{left} ", rf" \Bigr{right}"
        elif left.startswith("\\"):
            left, right = f"{left} ", f" {right}"
        parts = [self.piece(left), body.deeper(2), self.piece(right)]
        return join(parts, ATOM)

    def sized(self, symbol: str, size: Piece) -> Piece:
        mark = r"\mathbf{1}" if symbol == "1" else symbol
        return self.piece(f"{mark}_{{{size.text}}}")

    def beside(self, left: Piece, right: Piece) -> Piece:
        upright = r"\mathrm" in left.text or r"\mathrm" in right.text
        return self.piece(r" \, " if upright else " ")

    def norm(self, body: Piece, kind: str) -> Piece:
        below = f"_{{{kind}}}" if kind else ""
        return self.piece(rf"\lVert {body.text} \rVert{below}^{{2}}")

    def transposed(self, body: Piece) -> Piece:
        return self._raised(body, r"\top")

    def cases(self, parts: Sequence[tuple[Piece, Piece]]) -> Piece:
        inside = r" \\ ".join(f"{what.text}, & {where.text}" for what, where in parts)
        return self.piece(rf"\begin{{cases}} {inside} \end{{cases}}", ATOM, tall=True)

    def entry_of(self, body: Piece, positions: Sequence[Piece]) -> Piece:
        at = ",".join(p.text for p in positions)
        bare = body.text.startswith("(") and ")_" not in body.text  # (A)^T has no places yet
        base = body if bare else self.enclosed(body)
        return join([base, self.piece(f"_{{{at}}}")], ATOM).unbroken()

    def marked_new(self, name: str, positions: Sequence[Piece]) -> Piece:
        found = self.symbol(name)
        marked = replace(found, raised=f"{found.raised} +".strip())
        return self.piece(marked.at(",".join(p.text for p in positions)))

    def elementwise_power(self, body: Piece, exponent: Exponent) -> Piece:
        return self._raised(body, rf"\circ {_ratio(exponent)}")

    def _raised(self, body: Piece, mark: str) -> Piece:
        """A mark behind a matrix; what ends in a superscript is set in parentheses."""
        apart = "^" in _without_subscript(body.text)[0] and body.text[-1] not in ")]"
        apart = apart or body.text.startswith(r"\frac")
        base = self.enclosed(body) if apart and body.binds == ATOM else self.atomic(body)
        return join([base, self.piece(f"^{{{mark}}}")], ATOM)


def _ratio(exponent: Exponent) -> str:
    return str(exponent)


def _unscripted(text: str) -> str:
    return re.sub(r"_\{.*\}$", "", text)


def _without_subscript(text: str) -> tuple[str, str]:
    """A text and the subscript that it ends with: x^{a}_{t_{n}} is x^{a} and _{t_{n}}."""
    depth = 0
    for k in range(len(text) - 1, 0, -1):
        depth += {"}": 1, "{": -1}.get(text[k], 0)
        if depth == 0:
            return (text[: k - 1], text[k - 1:]) if text[k - 1: k + 1] == "_{" else (text, "")
    return text, ""


# ---- widths -------------------------------------------------------------------------------

_SUBARRAY = re.compile(r"\\begin\{subarray\}\{l\} (.*?) \\end\{subarray\}")
_CASES = re.compile(r"\\begin\{cases\}(.*?)\\end\{cases\}")
_BRACE = 22.0
_TOKEN = re.compile(r"\\[A-Za-z]+|\\.|.", re.DOTALL)
_COMMANDS = {
    r"\,": 1.7, r"\;": 2.8, r"\quad": 10.0, r"\qquad": 20.0, r"\sum": 16.1, r"\infty": 10.0,
    r"\times": 12.2, r"\odot": 12.2, r"\le": 13.3, r"\ne": 13.3, r"\cdot": 7.2, r"\circ": 5.0,
    r"\top": 7.8, r"\bmod": 24.0, r"\lfloor": 4.5, r"\rfloor": 4.5, r"\lceil": 4.5,
    r"\rceil": 4.5, r"\Bigl": 1.8, r"\Bigr": 1.8, r"\bigl": 0.7, r"\bigr": 0.7, r"\_": 5.0,
    r"\lvert": 2.8, r"\rvert": 2.8, r"\partial": 5.8, r"\approx": 7.8,
}
_NO_WIDTH = frozenset((
    r"\mathrm", r"\text", r"\mathbf", r"\mathsf", r"\bar", r"\overline", r"\operatorname",
    r"\textstyle",
))
_WORDS = frozenset((
    r"\log", r"\exp", r"\sin", r"\cos", r"\tan", r"\tanh", r"\sinh", r"\cosh", r"\max", r"\min",
    r"\arcsin", r"\arccos", r"\arctan",
))
_CHARACTERS = {
    "+": 12.2, "-": 12.2, "=": 13.3, "<": 13.3, ">": 13.3, "(": 3.9, ")": 3.9, "[": 2.8,
    "]": 2.8, ",": 4.5, ".": 2.8, "|": 2.8, " ": 0.0, "{": 0.0, "}": 0.0, "_": 0.0, "^": 0.0,
}
_SCRIPT = 0.72
_BIG = (r"\Bigl", r"\Bigr")


def width(text: str) -> float:
    """The width of math in points, at 10 pt.

    >>> 20 < width(r"\\frac{X_{n,k}}{N} + 1") < 45
    True
    """
    text = _SUBARRAY.sub(lambda found: max(found[1].split(r" \\ "), key=width), text)
    braced = sum(_braced(found[1]) for found in _CASES.finditer(text))
    return _run(_TOKEN.findall(_CASES.sub("", text)), 0, 1.0)[0] + braced


def _braced(rows: str) -> float:
    """Of cases: the widest thing, the widest place, the brace and what lies between."""
    columns = zip(*(row.split(" & ") for row in rows.split(r" \\ ")), strict=True)
    return sum(max(map(width, column)) for column in columns) + _BRACE


def _run(tokens: list[str], at: int, scale: float) -> tuple[float, int]:
    """The width from `at` to the end or to the brace that closes; and where that is."""
    total = 0.0
    while at < len(tokens):
        token = tokens[at]
        if token == "}":
            return total, at + 1
        if token in "_^":
            part, at = _argument(tokens, at + 1, scale * _SCRIPT)
            raised = 0.0
            if at < len(tokens) and tokens[at] in "_^" and tokens[at] != token:
                raised, at = _argument(tokens, at + 1, scale * _SCRIPT)
            total += max(part, raised)
        elif token == "{":
            part, at = _run(tokens, at + 1, scale)
            total += part
        elif token in (r"\frac", r"\dfrac"):
            above, at = _argument(tokens, at + 1, scale)
            below, at = _argument(tokens, at, scale)
            total += max(above, below) + 2.4
        elif token in _BIG:  # as high, and so as wide, in a subscript
            total += sum(map(_mark, tokens[at: at + 2]))
            at += 2
        elif token == r"\sqrt":
            part, at = _argument(tokens, at + 1, scale)
            total += part + 8.4
        else:
            total += _mark(token) * scale
            at += 1
    return total, at


def _argument(tokens: list[str], at: int, scale: float) -> tuple[float, int]:
    if at < len(tokens) and tokens[at] == "{":
        return _run(tokens, at + 1, scale)
    return (_mark(tokens[at]) * scale if at < len(tokens) else 0.0), at + 1


def _mark(token: str) -> float:
    if token in _NO_WIDTH:
        return 0.0
    if token in _WORDS:
        return 5.3 * (len(token) - 1) + 1.7
    if token in _COMMANDS:
        return _COMMANDS[token]
    if token.startswith("\\"):
        return 6.5
    if token in _CHARACTERS:
        return _CHARACTERS[token]
    if token.isdigit():
        return 5.0
    if unicodedata.east_asian_width(token) in "WF":
        return 10.0
    return 8.2 if token.isupper() else 5.4
