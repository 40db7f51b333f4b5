"""Mathematics in Unicode text, for a terminal and for the margins of generated code.

In: printed parts. Out: one line of text for each expression, with widths in columns.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Container, Mapping, Sequence
from fractions import Fraction
from typing import ClassVar

from symprop.algebra import rows
from symprop.algebra.expr import ADJOINT, Exponent
from symprop.emit.called import Called
from symprop.emit.given_names import in_unicode
from symprop.emit.notation import Notation
from symprop.emit.pieces import ATOM, BIG, PRODUCT, Piece, join

_RAISED = str.maketrans("0123456789-+", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺")
_WIDEST = "\u1100"  # before it, no letter is two columns wide
_RAISED_SIGNS = "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ⁿⁱ}"
_INNERMOST = re.compile(r"\([^()]*\)")
_OVER = {"sum": "Σ", "max": "max", "min": "min", "det": "det", "cof": "cof"}


class TextNotation(Notation):
    """Unicode text.

    names: names of arrays that differ from the usual (in code: dW for ∂W). clashing: sizes
    that have an array's name, set between bars.
    """

    margin = 8.0
    divides_last = True
    sets_functions_apart = False
    signs: ClassVar[dict[str, str]] = {
        "plus": " + ", "minus": " - ", "negative": "-", "times": "·", "==": " = ",
        "!=": " ≠ ", "<": " < ", "<=": " ≤ ", ">": " > ", ">=": " ≥ ",
        "mod": " mod ", "hadamard": " ⊙ ", "comma": ", ", "in": " ∈ ",
        "dot": "·", "about": "≈", "apart": ",   ",
    }
    words: ClassVar[dict[str, str]] = {
        "infinity": "∞", "diag": "diag", "onehot": "onehot", "trace": "tr",
        "pi": "π", "dots": "...", "open": "·", "log": "log",
    }

    def __init__(
        self, room: int = 76, names: Mapping[str, str] | None = None,
        clashing: Container[str] = (), constants: tuple[Fraction, ...] = (),
        called: Called | None = None,
    ) -> None:
        self.called = called or self.called
        self.room = float(room)
        self.clashing = clashing
        self.names = dict(names or {})
        self.constants = constants

    def measure(self, text: str) -> float:
        return float(columns(text))

    def array(self, name: str) -> Piece:
        return self._called(name, "l")

    def _called(self, name: str, layer: str) -> Piece:
        """An array; of a stack of layers one of them."""
        stacked = self.called.latex(name, layer)
        known = in_unicode({"": stacked or ""}).get("") or self.names.get(name)
        primal, mark = name.removeprefix(ADJOINT), self.called.mark
        if known is None and primal != name and mark != "bar":
            under = self._called(primal, layer).text
            loss = in_unicode({"": self.called.loss_shown}).get("") or self.array(
                self.called.loss).text
            whole = {"d": f"d{under}", "partial": f"∂{loss}/∂{under}", "nabla": f"∇{under} {loss}"}
            return self.piece(whole[mark], ATOM if mark == "d" else PRODUCT)
        if known is None and name.startswith(ADJOINT) and name[len(ADJOINT):] in self.names:
            known = spelled(ADJOINT + self.names[name[len(ADJOINT):]])
        return self.piece(known or spelled(name))

    def entry(self, name: str, positions: Sequence[Piece]) -> Piece:
        at = [p.text for p in self.laid(name, positions)]
        stacked = at and name.removeprefix(ADJOINT) in self.called.stacked
        whole = self._called(name, at.pop(0) if stacked else "l")
        inside = ",".join(at)
        if not inside:
            return whole
        if whole.text.startswith("∇"):
            return self.piece(f"({whole.text})[{inside}]")
        if whole.text.endswith("]"):  # of a stack, at a turn
            return self.piece(f"{whole.text[:-1]},{inside}]", whole.binds)
        return self.piece(f"{whole.text}[{inside}]", whole.binds)

    def with_turns(
        self, shown: Mapping[str, str], places: Mapping[str, tuple[str, int]],
        copies: Mapping[str, tuple[str, int]],
    ) -> None:
        self.names = {**self.names, **shown, **{
            s: self.names[n] for s, n in shown.items() if n in self.names}}
        self.names |= {copy: self.names.get(of, of) + "′" * primes
                       for copy, (of, primes) in copies.items()}
        self.names |= {array: f"{self.names[stack]}[{turn}]"
                       for array, (stack, turn) in places.items()}

    def size(self, name: str) -> Piece:
        return self.piece(f"|{name}|" if name in self.clashing else name)

    def position(self, printed: Piece) -> Piece:
        if " mod " in printed.text:
            return printed
        return self.piece(printed.text.replace(" + ", "+").replace(" - ", "-"), printed.binds)

    def scientific(self, digits: str, exponent: int) -> Piece:
        return self.piece(f"{digits}e{exponent}")

    def fraction(self, above: Piece, below: Piece) -> Piece:
        top = self.enclosed(above) if above.binds <= BIG else above
        bottom = below if below.binds == ATOM else self.enclosed(below)
        return join([top, self.piece("/"), bottom], PRODUCT)

    def power(self, base: Piece, exponent: Exponent) -> Piece:
        return join([self.raisable(base), self.piece(_raised(exponent))], ATOM)

    def raisable(self, base: Piece) -> Piece:
        outside, deepest = base.text, base.text.count("(")
        for _ in range(deepest):
            outside = _INNERMOST.sub("", outside)
        raised = base.text[-1] in _RAISED_SIGNS or "^" in outside.replace("^{", "")
        return self.enclosed(base) if raised else base

    def root(self, body: Piece) -> Piece:
        inside = body if body.binds == ATOM else self.enclosed(body)
        return join([self.piece("√"), inside], ATOM)

    def over(self, what: str, letters: Sequence[str]) -> Piece:
        if all(letter.isalnum() for letter in letters) or what == "cof":
            return self.piece(f"{_OVER[what]}_{''.join(letters)} ")
        return self.piece(f"{_OVER[what]}_{{{','.join(letters)}}} ")  # ranges are stated

    def partial(self, above: Piece, below: Piece, direct: bool = False) -> Piece:
        return self.piece(f"∂{'⁺' if direct else ''}{above.text}/∂{below.text}")

    def spelled(self, name: str) -> str | None:
        return rows.get(name).text if name in rows.registry().rows else None

    def function_name(self, name: str) -> str:
        return name

    def delta(self, left: Piece, right: Piece) -> Piece:
        return self.piece(f"[{left.text} = {right.text}]")

    def enclosed(self, body: Piece, marks: str = "()") -> Piece:
        return join([self.piece(marks[0]), body.deeper(2), self.piece(marks[1])], ATOM)

    def sized(self, symbol: str, size: Piece) -> Piece:
        inside = self.position(size).text
        return self.piece(f"{symbol}_{inside}" if inside.isalnum() else f"{symbol}_({inside})")

    def beside(self, left: Piece, right: Piece) -> Piece:
        return self.piece(" ")

    def norm(self, body: Piece, kind: str) -> Piece:
        return self.piece(f"‖{body.text}‖{f'_{kind}' if kind else ''}²")

    def transposed(self, body: Piece) -> Piece:
        return join([self.raisable(self.atomic(body)), self.piece("ᵀ")], ATOM)

    def cases(self, parts: Sequence[tuple[Piece, Piece]]) -> Piece:
        pieces = [self.piece(f"{what.text}, {where.text}") for what, where in parts]
        first, *others = [join([p, self.piece(";" if k + 1 < len(pieces) else "}")], ATOM).fused()
                          for k, p in enumerate(pieces)]
        begun = join([self.piece("{"), first], ATOM).fused()
        return join([begun, *(join([self.piece(" "), p], ATOM).fused().opening(0)
                              for p in others)], ATOM)

    def entry_of(self, body: Piece, positions: Sequence[Piece]) -> Piece:
        at = ",".join(p.text for p in positions)
        bare = body.text.startswith("(") and ")[" not in body.text  # (A)ᵀ has no places yet
        base = body if bare else self.enclosed(body)
        return join([base, self.piece(f"[{at}]")], ATOM).unbroken()

    def marked_new(self, name: str, positions: Sequence[Piece]) -> Piece:
        inside = ",".join(p.text for p in positions)
        return self.piece(self.array(name).text + "⁺" + (f"[{inside}]" if inside else ""))

    def elementwise_power(self, body: Piece, exponent: Exponent) -> Piece:
        return join([self.atomic(body), self.piece(f"^∘({exponent})")], ATOM)


def spelled(name: str) -> str:
    """An array's name: an adjoint has a bar over its letter, or over a whole word.

    >>> spelled("∂W1") == "W\\u0304" + "1"
    True
    """
    if not name.startswith(ADJOINT):
        return name
    name = name[len(ADJOINT):]
    if re.search("[⁰¹²³⁴⁵⁶⁷⁸⁹](?<!⁽.)(?!⁾)", name):  # as a power: the bar goes over all of it
        return "".join(c + "\u0305" for c in name)
    stem = next((k for k, c in enumerate(name) if not c.isalpha()), len(name))
    if stem == 1:
        return name[0] + "\u0304" + name[1:]
    return "".join(c + "\u0305" for c in name[:stem]) + name[stem:]


def columns(text: str) -> int:
    """The columns that a text takes on a terminal: combining marks take none, Chinese two each.

    >>> columns("x\u0304 = 1"), columns("梯度")
    (5, 4)
    """
    if text.isascii():
        return len(text)
    return sum(1 + (c >= _WIDEST and unicodedata.east_asian_width(c) in "WF")
               for c in text if not unicodedata.combining(c))


def _raised(exponent: Exponent) -> str:
    if isinstance(exponent, int):
        return str(exponent).translate(_RAISED)
    return f"^({exponent})"
