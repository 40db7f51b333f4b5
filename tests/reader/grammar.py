"""From the tokens of a printed line to its tree.

A line is a chain of sides with = between them. In a sum, Σ (and max, min over letters) reaches to
the next plus or minus sign; ⊙ binds less than what stands beside one another; / takes one factor.
"""

from __future__ import annotations

from collections.abc import Container
from fractions import Fraction

from reader.tokens import Token, Unreadable
from reader.tree import (
    Call,
    Condition,
    Entry,
    Hadamard,
    Infinity,
    Name,
    Negative,
    Node,
    Norm,
    Number,
    Ones,
    Over,
    Partial,
    Power,
    Product,
    Quotient,
    Sum,
    Transposed,
    Whole,
)

_RELATIONS = ("=", "≠", "<", ">", "≤", "≥")
_OVER = ("max", "min")


class Grammar:
    """One line. `arrays` are the names that a bracket right behind them indexes."""

    def __init__(self, line: list[Token], arrays: Container[str]) -> None:
        self.line, self.at, self.arrays = line, 0, arrays
        self.barred = ""  # the bar that would close, not open

    def sides(self) -> list[Node]:
        """The sides of a chain a = b = c."""
        found = [self.sum()]
        while self.take("="):
            found.append(self.sum())
        if self.peek().kind != "end":
            raise Unreadable(f"{self.peek().text!r} is left over")
        return found

    def peek(self, ahead: int = 0) -> Token:
        return self.line[min(self.at + ahead, len(self.line) - 1)]

    def sees(self, *signs: str) -> bool:
        return self.peek().kind == "sign" and self.peek().text in signs

    def take(self, *signs: str) -> bool:
        found = self.sees(*signs)
        self.at += found
        return found

    def need(self, sign: str) -> None:
        if not self.take(sign):
            raise Unreadable(f"{sign!r} is wanted where {self.peek().text!r} stands")

    def sum(self) -> Node:
        terms = [self.signed()]
        while self.sees("+", "-"):
            minus = self.peek().text == "-"
            self.at += 1
            term = self.hadamard()
            terms.append(Negative(term) if minus else term)
        return terms[0] if len(terms) == 1 else Sum(tuple(terms))

    def signed(self) -> Node:
        if self.take("-"):
            return Negative(self.hadamard())
        return self.hadamard()

    def hadamard(self) -> Node:
        factors = [self.product()]
        while self.take("⊙"):
            factors.append(self.product())
        return factors[0] if len(factors) == 1 else Hadamard(tuple(factors))

    def product(self) -> Node:
        found = self.factor()
        while True:
            if self.take("/"):
                found = Quotient(found, self.factor())
            elif self.take("·") or self.starts():
                found = self.beside(found, self.factor())
            elif self.peek() == Token("name", "mod"):
                self.at += 1
                found = Call("mod", (found, self.factor()))
            else:
                return found

    @staticmethod
    def beside(left: Node, right: Node) -> Node:
        return Product((*left.factors, right) if isinstance(left, Product) else (left, right))

    def starts(self) -> bool:
        """Whether what follows is a factor of the same product."""
        token = self.peek()
        if token.kind in ("name", "number"):
            return token.text != "mod"
        return token.kind == "sign" and token.text in "([{Σ∂√⌊⌈‖|∞π" and token.text != self.barred

    def factor(self) -> Node:
        found = self.atom()
        while True:
            token = self.peek()
            if token.kind == "raised":
                self.at += 1
                found = Power(found, Number(Fraction(token.text)))
            elif self.take("ᵀ"):
                found = Transposed(found)
            elif self.take("^"):
                found = Power(found, self.atom())
            elif self.sees("[") and token.close and isinstance(
                    found, Name | Entry | Transposed | Sum | Product | Call):
                self.at += 1
                found = Entry(found, self.listed("]"))
            else:
                return found

    def listed(self, end: str) -> tuple[Node, ...]:
        found = [self.position()]
        while self.take(","):
            found.append(self.position())
        self.need(end)
        return tuple(found)

    def position(self) -> Node:
        return Whole() if self.take("·") else self.sum()

    def atom(self) -> Node:
        token = self.peek()
        self.at += 1
        if token.kind == "number":
            exact = "." not in token.text and "e" not in token.text
            return Number(Fraction(token.text) if exact else float(token.text))
        if token.kind == "name":
            return self.named(token)
        if token.kind == "sign":
            return self.sign(token.text)
        raise Unreadable(f"{token.text!r} where a factor is wanted")

    def named(self, token: Token) -> Node:
        name = token.text
        if name.startswith("1_"):
            return Ones(self.size_of(name[2:]))
        over, _, letters = name.partition("_")
        if over in _OVER and name == f"{over}_{letters}" and name not in self.arrays:
            found, ranges = self.under(letters)
            return Over(over, found, self.reach(), ranges)
        if self.sees("(") and self.peek().close:
            self.at += 1
            return Call(name, self.listed(")"))
        return Name(name)

    def under(self, text: str) -> tuple[tuple[str, ...], tuple[tuple[str, Node], ...]]:
        """The letters under a sign, and where they end, if that is said: Σ_ij, Σ_{i,j<2 H}."""
        if text:
            return letters_of(text), ()
        letters, ranges = [], []
        self.need("{")
        while not self.take("}"):
            letters.append(self.peek().text)
            self.at += 1
            if self.take("<"):
                ranges.append((letters[-1], self.sum()))
            self.take(",")
        return tuple(letters), tuple(ranges)

    def size_of(self, text: str) -> Node:
        if not text:
            return self.atom()
        return Number(Fraction(text)) if text.isdigit() else Name(text)

    def reach(self) -> Node:
        """What a Σ, a max or a min is over: all to the next plus or minus sign."""
        return self.hadamard()

    def sign(self, sign: str) -> Node:
        if sign == "(":
            found = self.sum()
            self.need(")")
            return found
        if sign == "[":
            condition = self.condition()
            self.need("]")
            return condition
        if sign == "{":
            return self.cases()
        if sign == "Σ":
            token = self.peek()
            self.at += 1
            if token.kind != "name" or not token.text.startswith("_"):
                raise Unreadable("Σ without letters")
            letters, ranges = self.under(token.text[1:])
            return Over("sum", letters, self.reach(), ranges)
        if sign == "∂":
            above = self.factor()
            self.need("/")
            self.need("∂")
            return Partial(above, self.factor())
        if sign == "√":
            return Power(self.atom_with_places(), Number(Fraction(1, 2)))
        if sign in "⌊⌈":
            inside = self.sum()
            self.need("⌋" if sign == "⌊" else "⌉")
            return Call("floor" if sign == "⌊" else "ceil", (inside,))
        if sign == "‖":
            inside = self.between("‖")
            if self.peek().kind == "name" and self.peek().text == "_F":
                self.at += 1
            return Norm(inside)
        if sign == "|":
            inside = self.between("|")
            return Call("abs", (inside,))
        if sign == "∞":
            return Infinity()
        if sign == "π":
            return Name("π")
        raise Unreadable(f"{sign!r} where a factor is wanted")

    def condition(self) -> Condition:
        parts, signs = [self.sum()], []
        while self.sees(*_RELATIONS):
            signs.append(self.peek().text)
            self.at += 1
            parts.append(self.sum())
        return Condition(tuple(parts), tuple(signs))

    def cases(self) -> Node:
        """{a, i ≤ t; b, i > t}: a where the first holds, b where the second does."""
        terms: list[Node] = []
        while not terms or self.take(";"):
            term = self.sum()
            self.need(",")
            terms.append(Product((term, self.condition())))
        self.need("}")
        return Sum(tuple(terms))

    def between(self, bar: str) -> Node:
        outer, self.barred = self.barred, bar
        inside = self.sum()
        self.barred = outer
        self.need(bar)
        return inside

    def atom_with_places(self) -> Node:
        found = self.atom()
        if self.sees("[") and self.peek().close:
            self.at += 1
            found = Entry(found, self.listed("]"))
        return found


def letters_of(text: str) -> tuple[str, ...]:
    """The letters of a Σ: each one sign, with its primes."""
    found: list[str] = []
    for char in text:
        if char in "′'" or char in "₀₁₂₃₄₅₆₇₈₉":
            found[-1] += char
        else:
            found.append(char)
    return tuple(found)
