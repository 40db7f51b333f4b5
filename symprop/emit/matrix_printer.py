"""Matrix forms in any notation.

In: a `MatrixForm`, a `Notation`. Out: a `Piece`, such as X^{\\top} \\bar{Z}.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction

from symprop.algebra.build import ONE, make_term
from symprop.algebra.expr import Access, Atom, Expr
from symprop.derive.matrix_nodes import (
    Bracket,
    Diag,
    Fill,
    Hadamard,
    Identity,
    Map,
    Matrix,
    MatrixForm,
    OneHot,
    Ones,
    Power,
    Product,
    Scalar,
    Scale,
    Slice,
    SliceSum,
    SquaredNorm,
    Sum,
    Trace,
    Transpose,
)
from symprop.emit.notation import Notation
from symprop.emit.pieces import ATOM, BIG, PRODUCT, SIGNED, SUM, Piece, join
from symprop.emit.printer import TURNED, Printer


class MatrixPrinter:
    """Prints matrix forms."""

    def __init__(self, notation: Notation, letters: Mapping[int, str] | None = None) -> None:
        self.to = notation
        self.plain = Printer(notation, letters or {})

    def form(self, form: MatrixForm) -> Piece:
        """A form with its sign."""
        return self._sum([form] if not isinstance(form, Sum) else form.terms)

    def _sum(self, terms: Sequence[MatrixForm]) -> Piece:
        parts = []
        for number, term in enumerate(terms):
            positive, negative = _unsigned(term)
            printed = self._positive(positive)
            if number == 0 and not negative:
                parts.append(printed)
                continue
            sign = "negative" if number == 0 else "minus" if negative else "plus"
            body = self.to.enclosed(printed) if printed.binds <= SIGNED else printed
            signed = join([self.to.sign(sign), body], SIGNED).fused()
            parts.append(signed if number == 0 else signed.opening(0))
        return parts[0] if len(parts) == 1 else join(parts, SUM)

    def _positive(self, form: MatrixForm) -> Piece:
        if isinstance(form, Sum):
            return self._sum(form.terms)
        if isinstance(form, Matrix):
            return self.to.array(form.name)
        if isinstance(form, Slice):
            return self.to.entry(form.name, self.plain.places(form.name, form.at))
        if isinstance(form, Scalar):
            return self.plain.expr(form.value)
        if isinstance(form, Fill):
            return self.form(form.value)
        if isinstance(form, Ones):
            return self.to.sized("1", self.plain.position(form.rows))
        if isinstance(form, Identity):
            return self.to.sized("I", self.plain.position(form.rows))
        if isinstance(form, Map):
            return self.plain.row(form.function, [self.form(a) for a in form.arguments])
        if isinstance(form, Bracket):
            return self._bracket(form)
        if isinstance(form, (OneHot, Trace)):
            name = self.to.word("onehot" if isinstance(form, OneHot) else "trace")
            return join([name, self.to.enclosed(self.form(form.of))], ATOM)
        if isinstance(form, SquaredNorm):
            vector = ONE in (form.of.rows, form.of.cols)
            return self.to.norm(self.form(form.of), "" if vector else "F")
        return self._compound(form)

    def _bracket(self, form: Bracket) -> Piece:
        """[H > 0]: what varies stands on the left."""
        left, relation, right = form.left, form.relation, form.right
        if isinstance(left, Scalar) and relation in TURNED:
            left, relation, right = right, TURNED[relation], left
        sides = [self.form(left), self.to.sign(relation), self.form(right)]
        return self.to.enclosed(join(sides, SUM).unbroken(), "[]")

    def _compound(self, form: MatrixForm) -> Piece:
        if isinstance(form, Transpose):
            return self.to.transposed(self.form(form.of))
        if isinstance(form, Power):
            return self._power(form)
        if isinstance(form, Diag):
            return self._diag(form)
        if isinstance(form, SliceSum):
            sign = self.plain.over("sum", form.over, tuple(_atoms(form.of)))
            return join([sign, self._factor(form.of).deeper(1)], BIG).fused()
        if isinstance(form, Product):
            return self.to.product([self._factor(f) for f in form.factors])
        if isinstance(form, Hadamard):
            factors = [self.to.atomic(self.form(f)) for f in form.factors]
            return self.to.product(factors, by="hadamard")
        assert isinstance(form, Scale)
        return self._scale(form)

    def _factor(self, form: MatrixForm) -> Piece:
        """A factor of a matrix product; a Hadamard product needs parentheses there."""
        printed = self.form(form)
        apart = isinstance(form, Hadamard) or printed.binds < PRODUCT
        return self.to.enclosed(printed) if apart else printed

    def _scale(self, form: Scale) -> Piece:
        body = [] if form.of == _UNIT else [self._factor(form.of)]
        by = [self._scalar(b) for b in form.by] if body else [self._factor(b) for b in form.by]
        first = form.by[0]
        if self.to.divides_last and isinstance(first, Scalar) and (by[1:] or body):
            above, below = self._split(first.value)
            whole = self.to.product([*above, *by[1:], *body])
            return self.to.fraction(whole, self.to.product(below)) if below else whole
        return self.to.product([*by, *body])

    def _split(self, value: Expr) -> tuple[list[Piece], list[Piece]]:
        """Numerator and denominator of a scalar of one term."""
        if len(value.terms) != 1 or value.terms[0].bound or value.terms[0].coef < 0:
            return [self.plain.expr(value)], []
        term = value.terms[0]
        above, below = self.to.numbers(term.coef)
        for sign, pieces in ((1, above), (-1, below)):
            sized = make_term(Fraction(1), {a: sign * e for a, e in term.factors if sign * e > 0})
            pieces += [self.plain.expr(sized)] * (sized != ONE)
        return above, below

    def _scalar(self, form: MatrixForm) -> Piece:
        """A scalar before a matrix: uᵀv is set apart from what follows."""
        printed = self._factor(form)
        return self.to.enclosed(printed) if isinstance(form, Product) else printed

    def _power(self, form: Power) -> Piece:
        if form.rows == ONE and form.cols == ONE:
            if form.exponent == -1:
                return self.to.fraction(self.to.piece("1"), self.form(form.of))
            return self.to.power(self.to.atomic(self.form(form.of)), form.exponent)
        return self.to.elementwise_power(self.form(form.of), form.exponent)

    def _diag(self, form: Diag) -> Piece:
        inner = form.of
        body = self.form(inner.of if isinstance(inner, Power) else inner)
        name = self.to.word("diag")
        printed = join([name, self.to.enclosed(body)], ATOM)
        return self.to.power(printed, inner.exponent) if isinstance(inner, Power) else printed


_UNIT = Scalar(ONE, ONE, ONE)


def _unsigned(form: MatrixForm) -> tuple[MatrixForm, bool]:
    """(the form without its sign, whether that was a minus)."""
    if isinstance(form, Fill):
        inner, negative = _unsigned(form.value)
        return (Fill(form.rows, form.cols, inner), True) if negative else (form, False)
    first = form.by[0] if isinstance(form, Scale) else form
    value = _opposite(first.value) if isinstance(first, Scalar) else None
    if value is None:
        return form, False
    if not isinstance(form, Scale):
        return Scalar(ONE, ONE, value), True
    by = form.by[1:] if value == ONE else (Scalar(ONE, ONE, value), *form.by[1:])
    return (Scale(form.rows, form.cols, by, form.of) if by else form.of), True


def _opposite(value: Expr) -> Expr | None:
    """-value, when value is one negative term; else None."""
    if len(value.terms) != 1 or value.terms[0].coef > 0:
        return None
    term = value.terms[0]
    return make_term(-term.coef, dict(term.factors), term.bound)


def _atoms(form: MatrixForm) -> Iterator[Atom]:
    """What stands in a form: its slices as accesses, and what is in its positions and numbers."""
    inside: tuple[Expr, ...] = ()
    if isinstance(form, Slice):
        yield Access(form.name, form.at)
        inside = form.at
    elif isinstance(form, Scalar):
        inside = (form.value,)
    for expr in inside:
        yield from expr.atoms
    for part in form.parts:
        yield from _atoms(part)
