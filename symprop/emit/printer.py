"""Expressions in any notation.

In: an `Expr`, letters for its indices, a `Notation`. Out: a `Piece`. Operands keep their
order; a sum sign stands before its product and after the factors that do not depend on it;
negative powers are written as fractions, sizes and numbers first.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from copy import copy
from fractions import Fraction
from typing import Self

from symprop.algebra.build import add, as_monomial, make_term, substitute
from symprop.algebra.constants import is_ratio
from symprop.algebra.expansion import cofactor_of
from symprop.algebra.expr import (
    UNIT,
    Access,
    Apply,
    Atom,
    Exponent,
    Expr,
    Extremum,
    Idx,
    Index,
    Iverson,
    Paren,
    Partial,
    Size,
    Term,
    atoms_of,
    indices_of,
)
from symprop.derive.cases import Case, solved, unnested
from symprop.emit.letters import Letters, occurrences
from symprop.emit.notation import Notation
from symprop.emit.pieces import ATOM, BIG, PRODUCT, SIGNED, SUM, Piece, join
from symprop.emit.profile.counted import bracket, place

Factor = tuple[Atom, Exponent]
_HALF = Fraction(1, 2)
TURNED = {"<": ">", "<=": ">="}
_FRACTION_SHARE = 0.6  # of a line: a longer numerator stands behind its fraction
_CONDITION_SHARE = 0.5  # of a line: a line may end within a longer condition
_PLACEHOLDER = re.compile(r"\(\{[xyz]\}\)|\{[xyz]\}")
_OPENER = re.compile(r"([({\[,|⌊⌈]|\\lvert|\\lfloor|\\lceil)\s*$")


class Printer:
    """Prints the expressions of one equation."""

    def __init__(self, notation: Notation, letters: Mapping[int, str]) -> None:
        self.to = notation
        self.letters = letters
        self._direct = False  # whether the loss is differentiated directly, and otherwise too

    def letter(self, index: Index) -> str:
        """The letter of an index."""
        return self.letters.get(index.uid, index.letter)

    def expr(self, expr: Expr) -> Piece:
        """A sum of terms; a line may end before each plus or minus."""
        if expr.is_zero:
            return self.to.piece("0")
        parts = []
        self._direct = self._direct or (len(expr.terms) > 1 and self.to.called.mark == "partial")
        for number, term in enumerate(expr.terms):
            printed = self._unsigned(term) if number else self.leading(term)
            negative = term.coef < 0
            if number == 0 and not negative:
                parts.append(printed)
                continue
            sign = "negative" if number == 0 else "minus" if negative else "plus"
            signed = join([self.to.sign(sign), printed], SIGNED).fused()
            parts.append(signed if number == 0 else signed.opening(0))
        if len(parts) == 1:
            return parts[0]
        return join(parts, SUM)

    def position(self, expr: Expr) -> Piece:
        """An index position: without outer parentheses, t - 1 for -1 + t."""
        single = expr.single_index
        if single is not None:
            return self.to.position(self.to.piece(self.letter(single)))
        opened = add(expr)
        while opened != expr:
            expr, opened = opened, add(opened)
        terms = sorted(expr.terms, key=lambda t: (not t.factors, t.coef < 0))
        return self.to.position(self._inside().expr(Expr(tuple(terms))))

    def places(self, array: str, indices: Sequence[Expr]) -> list[Piece]:
        """The positions in an array; of layers counted from 1."""
        first = [place(array, i, self.to.called.layered) for i in indices[:1]]
        return [self.position(i) for i in (*first, *indices[1:])]

    def _inside(self) -> Self:
        """The printer of what stands in an index."""
        inside = copy(self)
        inside.to = self.to.inline
        return inside

    def cases(self, cases: Sequence[Case]) -> Piece:
        """A brace: what an expression is, and where."""
        return self.braced(cases, [self.expr(c.rhs) for c in cases])

    def braced(self, cases: Sequence[Case], printed: Sequence[Piece]) -> Piece:
        """The same, of what is printed already."""
        wheres = [self._counted(c.where) for c in cases]
        first = wheres[0].lhs if wheres[0].lhs.number is None else wheres[0].rhs
        places = [self._place(where, first) for where in wheres]
        return self.to.cases(list(zip(printed, places, strict=True)))

    def _counted(self, found: Iverson) -> Iverson:
        """A bracket solved for its index; of the number of a layer, that counted from 1."""
        return bracket(solved(found), self.to.called.layers)

    def _place(self, held: Iverson, first: Expr) -> Piece:
        """Where a bracket holds, without its marks: l = L - 1, l < L - 1."""
        if held.rhs == first and held.relation in TURNED:
            left, right = (self.position(e).unbroken() for e in (held.rhs, held.lhs))
            return join([left, self.to.sign(TURNED[held.relation]), right], SUM)
        return self._condition([held])

    # ---- terms ---------------------------------------------------------------------------

    def leading(self, term: Term) -> Piece:
        """The first term of a sum, without its sign."""
        return self._unsigned(term)

    def _unsigned(self, term: Term) -> Piece:
        """A term without its sign."""
        coef = term.coef if term.coef is UNIT else abs(term.coef)
        constants: list[Factor] = []
        others: list[Factor] = []
        for factor in term.factors:
            (constants if _is_constant(factor[0]) else others).append(factor)
        if not term.bound:
            return self._group(coef, constants, others)
        bound = frozenset(term.bound)
        outer = [(a, e) for a, e in others if bound.isdisjoint(indices_of(a))]
        inner = [(a, e) for a, e in others if not bound.isdisjoint(indices_of(a))]
        below: list[Factor] = []
        divisor = Fraction(1)
        if self.to.divides_last and all(e > 0 for _, e in outer):  # each summand is divided
            below = [(a, e) for a, e in constants if e < 0]
            constants = [(a, e) for a, e in constants if e > 0]
            if is_ratio(coef):
                coef, divisor = Fraction(coef.numerator), Fraction(1, coef.denominator)
        total = self.summing(term)
        body = self._group(divisor, below, inner)
        if body.binds <= SIGNED:
            body = self.to.enclosed(body)
        summed = join([total, body.deeper(1)], BIG).fused()
        if coef == 1 and not constants and not outer:
            return summed
        before = self._group(coef, constants, outer)
        return self.to.product([self._as_factor(before), summed])

    def summing(self, term: Term) -> Piece:
        """The sum sign of a term, its letters in the order in which they occur behind it."""
        inside = Expr((Term(Fraction(1), term.factors),))
        met = [i for i in occurrences(inside) if i in term.bound]
        return self.over("sum", list(dict.fromkeys([*met, *term.bound])), tuple(inside.atoms))

    def over(self, what: str, bound: Sequence[Index], inside: Sequence[Atom]) -> Piece:
        """The sign of a sum, max or min over atoms, with the ranges that nothing else says."""
        return self.to.over(what, [self._ranging(index, inside) for index in bound])

    def _ranging(self, index: Index, inside: Sequence[Atom]) -> str:
        letter = self.letter(index)
        if not isinstance(self.letters, Letters) or not self.letters.unsaid(index, inside):
            return letter
        return letter + self.to.below(self.position(index.size)).text

    def _group(
        self, coef: Fraction, constants: Sequence[Factor], others: Sequence[Factor]
    ) -> Piece:
        """coef * constants * others, with what has a negative exponent below a line."""
        over, divisor = self.to.numbers(coef)
        numbers = [*over, *self._powers(constants, 1, False)]
        below = [*divisor, *self._powers(constants, -1, False)]
        under = self._powers(others, -1, False)
        above = self._powers(others, 1, not under)
        if under or (below and above and self.to.divides_last):
            return self._fraction([*numbers, *above], [*below, *under], others)
        if below:
            quotient = self._fraction(numbers, below, ())
            return self.to.product([quotient, *above]) if above else quotient
        factors = [*numbers, *above]
        return self.to.product(factors) if factors else self.to.piece("1")

    def _fraction(
        self, above: list[Piece], below: list[Piece], others: Sequence[Factor]
    ) -> Piece:
        """A quotient of products; a numerator that is one sum needs no parentheses."""
        lone = [a for a, e in others if e == 1]
        if len(above) == 1 and len(lone) == 1 and isinstance(lone[0], Paren):
            above = [self.expr(lone[0].body)]
        top = self.to.product(above) if above else self.to.piece("1")
        bottom = self._bare(below, others)
        if not self.to.divides_last and bottom.width > self.to.room * _FRACTION_SHARE:
            whole = self.to.power(self.to.atomic(self.to.product(below)), -1)
            return self.to.product([whole, self._as_factor(top)]) if above else whole
        if top.width > self.to.room * _FRACTION_SHARE:
            head = self.to.fraction(self.to.piece("1"), bottom)
            return self.to.product([head, self._as_factor(top)]).bound_as(PRODUCT)
        return self.to.fraction(top, bottom)

    def _bare(self, below: list[Piece], others: Sequence[Factor]) -> Piece:
        lone = [a for a, e in others if e == -1]
        if len(below) == 1 and len(lone) == 1 and isinstance(lone[0], Paren):
            return self.expr(lone[0].body)
        return self.to.product(below)

    def _powers(self, factors: Sequence[Factor], sign: int, last: bool) -> list[Piece]:
        """The factors whose exponent has this sign, to that exponent."""
        if not factors:
            return []
        chosen = _chained([(a, e * sign) for a, e in factors if e * sign > 0])
        printed = []
        for number, (atom, exponent) in enumerate(chosen, start=1):
            if isinstance(atom, list):
                printed.append(self._chain(atom))
            else:
                printed.append(self._power(atom, exponent, last and number == len(chosen)))
        return printed

    def _power(self, atom: Atom, exponent: Exponent, open_end: bool) -> Piece:
        if exponent == _HALF:
            body = atom.body if isinstance(atom, Paren) else make_term(Fraction(1), {atom: 1})
            flat = isinstance(atom, Paren) and _is_constant(atom)
            return self.to.root((self._inside() if flat else self).expr(body))
        if exponent == 1:
            if open_end and isinstance(atom, Paren) and _is_plain_sum(atom.body):
                return self.expr(atom.body)
            printed = self.atom(atom)
            return printed if open_end and printed.binds == BIG else self._as_factor(printed)
        base = self.atom(atom)
        apart = self.to.sets_functions_apart and isinstance(atom, Apply) and atom.args
        simple = base.binds == ATOM and not apart
        return self.to.power(base if simple else self.to.enclosed(base), exponent)

    def _as_factor(self, printed: Piece) -> Piece:
        return self.to.enclosed(printed) if printed.binds < PRODUCT else printed

    # ---- atoms ---------------------------------------------------------------------------

    def atom(self, atom: Atom) -> Piece:
        """One factor without its exponent."""
        if isinstance(atom, Access):
            return self.to.entry(atom.array, self.places(atom.array, atom.indices))
        if isinstance(atom, Idx):
            return self.to.piece(self.letter(atom.index))
        if isinstance(atom, Size):
            return self.to.size(atom.name)
        if isinstance(atom, Paren):
            return self.to.enclosed(self.expr(atom.body))
        if isinstance(atom, Partial):
            direct = self._direct and atom.numerator.array == self.to.called.loss
            return self.to.partial(self.atom(atom.numerator), self.atom(atom.denominator), direct)
        if isinstance(atom, Iverson):
            return self._iverson(atom)
        if isinstance(atom, Extremum):
            return self._extremum(atom)
        assert isinstance(atom, Apply)
        return self._apply(atom)

    def _iverson(self, atom: Iverson) -> Piece:
        if atom.relation == "==" and atom.lhs.single_index and atom.rhs.single_index:
            return self.to.delta(self.position(atom.lhs), self.position(atom.rhs))
        return self._chain([atom])

    def _chain(self, brackets: list[Iverson]) -> Piece:
        """[a <= b][b < c] as [a <= b < c]; [0 < h] as [h > 0]; [[i <= t] = 1] as [i <= t]."""
        brackets = [unnested(b) for b in brackets]
        counted = [self._counted(b) for b in brackets]
        if counted != [solved(b) for b in brackets]:
            brackets = counted
        return self.to.enclosed(self._condition(brackets), "[]")

    def _condition(self, brackets: list[Iverson]) -> Piece:
        """What stands in brackets."""
        first, turned = brackets[0].lhs, TURNED.get(brackets[0].relation)
        if len(brackets) == 1 and turned and first.number is not None and (
                brackets[0].rhs.number is None):
            last = self.position(first).unbroken()
            return join([self.position(brackets[0].rhs).unbroken(), join(
                [self.to.sign(turned), last], SUM).fused()], SUM).unbroken()
        parts = [self.position(first)]
        for other in brackets:
            # A line may end behind the sign: one that begins with = would be another side.
            parts[-1] = join([parts[-1].unbroken(), self.to.sign(other.relation)], SUM).fused()
            parts.append(self.position(other.rhs).unbroken().opening(1))
        whole = join(parts, SUM)
        wide = whole.width > self.to.room * _CONDITION_SHARE
        return whole if wide else whole.unbroken()

    def _extremum(self, atom: Extremum) -> Piece:
        head = self.over(atom.kind, atom.bound, tuple(atom.body.atoms))
        entry, cofactor = atom.body, cofactor_of(atom)
        if cofactor is not None:  # of the entry at its place
            whole, *places = cofactor
            head = self.to.over("cof", [self.position(p).text for p in places])
            entry = substitute(whole, dict(zip(atom.bound, places, strict=True)))
        body = self.expr(entry)
        body = self.to.enclosed(body) if body.binds <= SIGNED else body
        return join([head, body.deeper(1)], BIG).fused()

    def _apply(self, atom: Apply) -> Piece:
        arguments = [self.expr(a) for a in atom.args]
        if atom.function == "inf":
            return self.to.word("infinity")
        if atom.function == "floordiv":
            quotient = self.to.fraction(*arguments)
            return self.to.enclosed(quotient, "⌊⌋")
        if atom.function == "mod":
            left, right = (self.to.atomic(a) for a in arguments)
            return join([left, self.to.sign("mod"), right], SUM)
        return self.row(atom.function, arguments)

    def row(self, name: str, arguments: Sequence[Piece]) -> Piece:
        """A scalar function of printed arguments."""
        template = self.to.template(name)
        if template is None:
            inside = join(_separated(arguments, self.to.sign("comma")), SUM)
            head = self.to.piece(self.to.function_name(name))
            return join([head, self.to.enclosed(inside.deeper(1))], ATOM)
        values = dict(zip("xyz", arguments, strict=False))
        parts, at = [], 0
        for match in _PLACEHOLDER.finditer(template):
            before = template[at:match.start()]
            if before:
                parts.append(self.to.piece(before))
            value = values[match.group().strip("(){}")].deeper(2)
            part = self._argument(match.group(), before, value)
            at = match.end()
            parts.append(self.to.raisable(part) if template[at:at + 1] == "^" else part)
        if template[at:]:
            parts.append(self.to.piece(template[at:]))
        whole = join(parts, ATOM)
        return self.to.piece(whole.text) if "{{" in template else whole

    def _argument(self, hole: str, before: str, value: Piece) -> Piece:
        """An argument in the parentheses of the template, or in its own where it needs them."""
        if hole.startswith("("):
            return self.to.enclosed(value)
        return value if _OPENER.search(before) else self.to.atomic(value)


def _separated(parts: Iterable[Piece], between: Piece) -> list[Piece]:
    result: list[Piece] = []
    for part in parts:
        result += [between, part] if result else [part]
    return result


def _is_constant(atom: Atom) -> bool:
    """Whether an atom is made of sizes and numbers only."""
    if isinstance(atom, (Size, Access, Idx)):  # most atoms
        return isinstance(atom, Size)
    return all(isinstance(a, (Size, Paren)) or (isinstance(a, Apply) and
               a.function in ("floordiv", "mod")) for a in atoms_of(atom))


def _is_plain_sum(body: Expr) -> bool:
    """Whether a sum over indices may stand last in a product without parentheses."""
    term = as_monomial(body)
    return len(body.terms) == 1 and bool(term.bound) and term.coef > 0


def _chained(factors: Sequence[Factor]) -> list[tuple[Atom | list[Iverson], Exponent]]:
    """Neighbouring brackets that share a side, as one list."""
    result: list[tuple[Atom | list[Iverson], Exponent]] = []
    for atom, exponent in factors:
        before = result[-1][0] if result else None
        if _ordered(atom):
            assert isinstance(atom, Iverson)
            if isinstance(before, list) and before[-1].rhs == atom.lhs:
                before.append(atom)
                continue
            if isinstance(before, list) and before[0].lhs == atom.rhs:
                before.insert(0, atom)
                continue
            result.append(([atom], 1))
        else:
            result.append((atom, exponent))
    return result


def _ordered(atom: Atom) -> bool:
    return isinstance(atom, Iverson) and atom.relation in ("<", "<=")
