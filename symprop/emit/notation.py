"""What a notation must be able to write: LaTeX and Unicode text each fill this in.

In: printed parts. Out: printed wholes. The printers decide what is written; a `Notation`
decides how it looks.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import ClassVar

from symprop.algebra.constants import SHOWN, WHOLE, Constant, Spelled, decimal, is_ratio, spell
from symprop.algebra.expr import ADJOINT, Exponent
from symprop.emit.called import Called
from symprop.emit.pieces import ATOM, BIG, PRODUCT, Chunk, Piece, join

_NAMED = re.compile(r"[^ ({]*(?:\{[^{}]*\})?\(\{x\}\)")  # σ({x}), \operatorname{gelu}({x})
_LONG = 6  # so many zeros are printed as a power of ten


class Notation(ABC):
    """The marks of one kind of output."""

    room: float  # the width of a line
    margin: float  # what an equation's number takes of it
    divides_last: bool  # Σ_n x[n]/N for \frac{1}{N} \sum_n x_n
    sets_functions_apart: bool  # (\tanh z)^2, not \tanh z^2
    signs: ClassVar[dict[str, str]]  # operators with their spaces
    words: ClassVar[dict[str, str]]  # fixed symbols
    between: str = ""  # the sign between factors; else they stand side by side
    constants: tuple[Fraction, ...] = ()  # the numbers that the author wrote
    called: Called = Called("")  # names, marks and orientation of a profile

    # ---- what a subclass writes ----------------------------------------------------------

    @abstractmethod
    def measure(self, text: str) -> float:
        """The width of a text."""

    @abstractmethod
    def array(self, name: str) -> Piece:
        """An array's name; an adjoint's begins with ∂."""

    @abstractmethod
    def entry(self, name: str, positions: Sequence[Piece]) -> Piece:
        """An array at a position."""

    @abstractmethod
    def with_turns(
        self, shown: Mapping[str, str], places: Mapping[str, tuple[str, int]],
        copies: Mapping[str, tuple[str, int]],
    ) -> None:
        """Stacks by the names `shown`, and what they hold as their entries (symprop/blocks).

        copies: by the name of what they are copies of, with so many primes.
        """

    @abstractmethod
    def size(self, name: str) -> Piece:
        """The size of an axis."""

    @abstractmethod
    def scientific(self, digits: str, exponent: int) -> Piece:
        """digits * 10^exponent."""

    @abstractmethod
    def fraction(self, above: Piece, below: Piece) -> Piece:
        """A quotient."""

    @property
    def inline(self) -> Notation:
        """The notation of what stands in an index: no fraction is higher than a letter."""
        return self

    @abstractmethod
    def power(self, base: Piece, exponent: Exponent) -> Piece:
        """A power of an atom."""

    @abstractmethod
    def root(self, body: Piece) -> Piece:
        """A square root."""

    @abstractmethod
    def over(self, what: str, letters: Sequence[str]) -> Piece:
        """The sign of a sum, max or min over indices, some with their ends."""

    def below(self, size: Piece) -> Piece:
        """What stands behind a letter under a sign whose range nothing else says."""
        return self.piece("<" + size.text)

    @abstractmethod
    def partial(self, above: Piece, below: Piece, direct: bool = False) -> Piece:
        """A partial derivative; `direct` tells it from the adjoint where that is written so too."""

    @abstractmethod
    def spelled(self, name: str) -> str | None:
        """How a scalar function is written, with {x}, {y}, {z} for the arguments."""

    def template(self, name: str) -> str | None:
        """The same, of a derivative too: σ'(z), where the function is written σ(z)."""
        plain = self.spelled(name.removesuffix("'"))
        if plain is None or (plain is not None and not name.endswith("'")):
            return plain
        return plain.replace("({x})", "'({x})") if _NAMED.fullmatch(plain) else None

    @abstractmethod
    def function_name(self, name: str) -> str:
        """The name of a function that has no template."""

    @abstractmethod
    def delta(self, left: Piece, right: Piece) -> Piece:
        """A Kronecker delta."""

    @abstractmethod
    def enclosed(self, body: Piece, marks: str = "()") -> Piece:
        """The body between marks: (), [] or ⌊⌋."""

    @abstractmethod
    def sized(self, symbol: str, size: Piece) -> Piece:
        """The column of ones ("1") or the identity ("I") of a size."""

    @abstractmethod
    def norm(self, body: Piece, kind: str) -> Piece:
        """The square of a norm, with its kind below it."""

    @abstractmethod
    def beside(self, left: Piece, right: Piece) -> Piece:
        """The space between two factors."""

    @abstractmethod
    def transposed(self, body: Piece) -> Piece:
        """A transpose."""

    @abstractmethod
    def cases(self, parts: Sequence[tuple[Piece, Piece]]) -> Piece:
        """What is one thing here and another there: (the thing, where)."""

    @abstractmethod
    def entry_of(self, body: Piece, positions: Sequence[Piece]) -> Piece:
        """An entry of something that is no array's name."""

    @abstractmethod
    def marked_new(self, name: str, positions: Sequence[Piece]) -> Piece:
        """An array after a step of training, at a position."""

    @abstractmethod
    def elementwise_power(self, body: Piece, exponent: Exponent) -> Piece:
        """A power of every entry."""

    # ---- what follows from that ----------------------------------------------------------

    def piece(self, text: str, binds: int = ATOM, tall: bool = False) -> Piece:
        """A text as a piece of one chunk."""
        return Piece((Chunk(text, self.measure(text)),), binds, tall)

    def sign(self, name: str) -> Piece:
        """An operator with its spaces."""
        return self.piece(self.signs[name])

    def word(self, name: str) -> Piece:
        """A fixed symbol."""
        return self.piece(self.words[name])

    def position(self, printed: Piece) -> Piece:
        """An index position, which may be written more tightly."""
        return printed

    def laid(self, name: str, positions: Sequence[Piece]) -> list[Piece]:
        """Positions in the order of the page: exchanged where an array is shown transposed.

        Of a row of such an array, which is a column of the page, the open position is a dot.
        """
        axes = self.called.turned.get(name.removeprefix(ADJOINT), 0)
        if not axes or not positions or len(positions) < axes - 1:
            return list(positions)
        *first, one = positions if len(positions) < axes else positions[:-1]
        last = self.word("open") if len(positions) < axes else positions[-1]
        return [*first, last, one]

    def atomic(self, printed: Piece) -> Piece:
        """The piece, in parentheses unless it is an atom."""
        return printed if printed.binds == ATOM else self.enclosed(printed)

    def raisable(self, base: Piece) -> Piece:
        """An atom that an exponent may stand behind."""
        return base

    def product(self, factors: Sequence[Piece], by: str = "", level: int = 1) -> Piece:
        """Factors side by side; a line may end before each but the first."""
        if len(factors) == 1:
            return factors[0]
        carry = self.sign("times")
        parts = [factors[0].deeper(level)]
        for factor in factors[1:]:
            mark = by or self.between
            between = self.sign(mark) if mark else self.beside(parts[-1], factor)
            spaced = join([between, factor.deeper(level)], factor.binds).fused()
            parts.append(spaced.opening(level, *(("", 0.0) if mark else (carry.text, carry.width))))
        return join(parts, BIG if factors[-1].binds == BIG else PRODUCT)

    def number(self, value: Fraction) -> Piece:
        """A number that is not negative: a small fraction, a decimal, or a product of constants."""
        above, below = self.numbers(value)
        over = self._multiplied(above) if above else self.piece("1")
        return self.fraction(over, self._multiplied(below)) if below else over

    def numbers(self, value: Fraction) -> tuple[list[Piece], list[Piece]]:
        """What stands above and what below the line of a number; nothing for 1."""
        spelled = spell(value, self.constants) if value != 1 else Spelled(value)
        if not spelled.exact:
            shown = self._about(spelled.ratio)
            return [join([self.sign("about"), shown], shown.binds)], []
        ratio, above, below = spelled.ratio, list[Piece](), list[Piece]()
        top, bottom = (ratio.numerator, ratio.denominator) if is_ratio(ratio) else (ratio, 1)
        if top != 1:
            above.append(self._decimal(Fraction(top)))
        if bottom != 1:
            below.append(self._decimal(Fraction(bottom)))
        for constant, exponent in spelled.factors:
            (above if exponent > 0 else below).append(self._constant(constant, abs(exponent)))
        return [self._multiplied(above)] if above else [], [
            self._multiplied(below)] if below else []

    def _multiplied(self, factors: Sequence[Piece]) -> Piece:
        """Numbers side by side, a dot where digits would meet."""
        parts = [factors[0]]
        for factor in factors[1:]:
            digits = factor.text[0].isdigit()
            parts += [self.sign("dot") if digits else self.beside(parts[-1], factor), factor]
        return join(parts, PRODUCT).unbroken() if len(parts) > 1 else parts[0]

    def _constant(self, constant: Constant, exponent: int) -> Piece:
        if constant.kind == "decimal":
            base = self._decimal(constant.number)
        elif constant.kind == "pi":
            base = self.word("pi")
        else:
            below = [self.word("pi")] * (constant.pi < 0)
            above = [self.word("pi")] * (constant.pi > 0)
            top, bottom = constant.number.numerator, constant.number.denominator
            if top != 1 or not above:
                above.insert(0, self._decimal(Fraction(top)))
            if bottom != 1:
                below.insert(0, self._decimal(Fraction(bottom)))
            inside = self._multiplied(above)
            inside = self.fraction(inside, self._multiplied(below)) if below else inside
            base = self.root(inside) if constant.kind == "root" else join(
                [self.word("log"), self.enclosed(inside)], ATOM)
        return base if exponent == 1 else self.power(base, exponent)

    def _about(self, value: Fraction) -> Piece:
        """A rounded number with all the digits that are known of it."""
        mantissa, _, exponent = f"{float(value):.{SHOWN - 1}e}".partition("e")
        if -4 < int(exponent) < SHOWN:
            return self.piece(f"{float(value):.{SHOWN - 1 - int(exponent)}f}")
        return self.scientific(mantissa, int(exponent))

    def _decimal(self, value: Fraction) -> Piece:
        """A whole number, a decimal, or a power of ten."""
        if value.denominator == 1 and len(str(value)) <= _LONG:
            return self.piece(str(value))
        if is_ratio(value):
            return self.fraction(
                self._decimal(Fraction(value.numerator)), self._decimal(Fraction(value.denominator))
            )
        digits, exponent = decimal(value)
        if exponent < 0 and value >= Fraction(1, 1000):
            return self.piece(f"{_shifted(digits, exponent)}")
        if 0 <= exponent < _LONG and len(digits) + exponent <= WHOLE:
            return self.piece(digits + "0" * exponent)
        mantissa = digits[0] + ("." + digits[1:] if digits[1:] else "")
        return self.scientific(mantissa, exponent + len(digits) - 1)


def _shifted(digits: str, exponent: int) -> str:
    padded = digits.rjust(1 - exponent, "0")
    return f"{padded[:exponent]}.{padded[exponent:]}"
