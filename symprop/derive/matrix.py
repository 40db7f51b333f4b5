"""Recognition of matrix notation in an equation in index notation.

In: an equation, and the arrays with their shapes. Out: a `MatrixForm`, or None where index
notation says it best (three open indices, a shifted or looked-up position, a maximum).

Each term is a graph: its indices are the vertices, a factor over two indices is an edge, a
factor over one is a weight. Bound indices are eliminated: without an edge one leaves a scalar
(uᵀv), with one edge a vector (A v), with two a product (A B, or A diag(v) B).
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from fractions import Fraction

from symprop.algebra.build import ONE, make_term, substitute
from symprop.algebra.canonical import same
from symprop.algebra.expansion import DET, cofactor_of
from symprop.algebra.expr import (
    Access,
    Apply,
    Atom,
    Exponent,
    Expr,
    Extremum,
    Index,
    Iverson,
    Paren,
    Term,
    indices_of,
)
from symprop.derive.matrix_leaves import NoForm, Place, leaf, shape_of
from symprop.derive.matrix_nodes import (
    Bracket,
    Diag,
    Fill,
    Identity,
    Map,
    Matrix,
    MatrixForm,
    OneHot,
    Ones,
    Power,
    Product,
    Scalar,
    Slice,
    SliceSum,
    SquaredNorm,
    contracted,
    hadamard,
    nodes,
    product,
    scalar,
    scaled,
    total,
    transposed,
    transposes,
)
from symprop.system import Adjoint, Array, Equation

Factor = tuple[Atom, Exponent]
_MOST_REPEATED = 3  # A ⊙ A ⊙ A; a higher power is written as one


def matrix_form(
    equation: Equation | Adjoint, arrays: Mapping[str, Array]
) -> MatrixForm | None:
    """The right-hand side in matrix notation, or None.

    The form has the shape of the left-hand side's array: a vector is a column, unless it is
    declared with one row.
    """
    opened = [i for i in equation.indices if i.size != ONE]
    if len(opened) > 2:
        return None
    return _form(equation, opened, Place(arrays))


def slice_form(
    equation: Equation | Adjoint, arrays: Mapping[str, Array]
) -> tuple[int, MatrixForm] | None:
    """(how many first axes are fixed, the form of the rest): Z[l] = W[l] A[l-1], or None.

    For equations that have no matrix form as a whole: those of three axes or more, those of a
    recurrence, and those that look up rows. What has no axis left must be a product, as uᵀ v is.
    """
    axes = len(equation.indices)
    tried = ((n, form_at(equation, arrays, n)) for n in range(max(0, axes - 2), axes + 1))
    return next(((count, form) for count, form in tried if form is not None), None)


def form_at(
        equation: Equation | Adjoint, arrays: Mapping[str, Array], count: int) -> MatrixForm | None:
    """The form of what is left with `count` first axes fixed; a scalar must be a product."""
    opened = [i for i in equation.indices[count:] if i.size != ONE]
    batch = frozenset(equation.indices[:count])
    form = _form(equation, opened, Place(arrays, slices=True, batch=batch), count)
    return form if form and (opened or any(isinstance(n, Product) for n in nodes(form))) else None


def _form(
    equation: Equation | Adjoint, opened: list[Index], place: Place, fixed: int = 0
) -> MatrixForm | None:
    if equation.rhs.is_zero:
        return None
    rows, cols = (*opened, None, None)[:2]
    try:
        form = _tensor(equation.rhs, rows, cols, place)
    except NoForm:
        return None
    if not any(isinstance(n, (Matrix, Slice)) for n in nodes(form)):
        return None
    left = shape_of(equation.array, place.arrays, fixed)
    return transposed(form) if left is not None and left[0] != form.rows else form


def _tensor(
    expr: Expr, rows: Index | None, cols: Index | None, place: Place
) -> MatrixForm:
    """A sum of terms over the open indices. Raises NoForm."""
    if expr.is_zero:
        raise NoForm
    return total([_term(t, rows, cols, place) for t in expr.terms])


def _term(term: Term, rows: Index | None, cols: Index | None, place: Place) -> MatrixForm:
    """A product; where that is no product of matrices, a sum of such over first indices."""
    tried: tuple[Index, ...] = ()
    try:
        return _product_term(term, rows, cols, place)
    except NoForm:
        for depth in (1, 2):
            over = place.leading(term, depth)
            if rows is None or not place.slices or over == tried:
                continue
            tried = over
            with suppress(NoForm):
                return _slice_sum(term, over, rows, cols, place)
        raise


def _slice_sum(
    term: Term, over: tuple[Index, ...], rows: Index, cols: Index | None, place: Place
) -> MatrixForm:
    """Σ_n X[n]ᵀ Z̄[n], with what does not depend on n before the sum."""
    outer = {a: e for a, e in term.factors if place.is_plain(a)}
    inner = tuple((a, e) for a, e in term.factors if a not in outer)
    rest = tuple(b for b in term.bound if b not in over)
    fixed = replace(place, batch=place.batch | frozenset(over))
    form = _product_term(Term(Fraction(1), inner, rest), rows, cols, fixed)
    before = make_term(term.coef, dict(outer))
    return scaled([] if before == ONE else [scalar(before)],
                  SliceSum(form.rows, form.cols, over, form))


def _product_term(
    term: Term, rows: Index | None, cols: Index | None, place: Place
) -> MatrixForm:
    graph = _Graph(place)
    plain: list[Factor] = []
    opened = {i for i in (rows, cols) if i is not None}
    for atom, exponent in term.factors:
        support = indices_of(atom) - place.batch
        if not support <= opened | set(term.bound):
            raise NoForm
        if support:
            graph.insert(atom, exponent)
        elif place.is_plain(atom):
            plain.append((atom, exponent))
        else:
            graph.scalars.append(_powered(_atom(atom, None, None, place), exponent))
    graph.eliminate(term.bound)
    coefficient = make_term(term.coef, dict(plain))
    by = graph.scalars if coefficient == ONE else [scalar(coefficient), *graph.scalars]
    if rows is None:
        return scaled(by[:-1], by[-1]) if by else scalar(ONE)
    body = graph.matrix(rows, cols)
    if isinstance(body, Fill) and by:
        return Fill(body.rows, body.cols, scaled(by[:-1], by[-1]))
    return scaled(by, body)


@dataclass
class _Graph:
    """The factors of one term, by the indices that they join."""

    place: Place
    scalars: list[MatrixForm] = field(default_factory=list)
    weights: dict[Index, list[MatrixForm]] = field(default_factory=dict)
    edges: dict[frozenset[Index], list[_Edge]] = field(default_factory=dict)

    def insert(self, atom: Atom, exponent: Exponent) -> None:
        """Adds a factor over one or two indices."""
        ends = indices_of(atom) - self.place.batch
        if len(ends) == 1:
            (index,) = ends
            form = _atom(atom, index, None, self.place)
            self.weights.setdefault(index, []).extend(_repeated(form, exponent))
        elif len(ends) == 2:
            self.edges.setdefault(ends, []).append(_Edge(self.place, atom, exponent))
        else:
            raise NoForm

    def eliminate(self, bound: tuple[Index, ...]) -> None:
        """Sums over the bound indices, those with the fewest edges first."""
        left = self._norms(bound)
        while left:
            index = min(left, key=lambda b: len(self._at(b)))
            left.remove(index)
            self._sum_over(index)

    def _norms(self, bound: tuple[Index, ...]) -> list[Index]:
        """Takes out Σ A[i,j]², Σ r[i]² and Σ A[i,j] B[i,j]; the bound indices that are left."""
        left = list(bound)
        for index in bound:
            around, weights = self._at(index), self.weights.get(index, [])
            if not around and len(weights) == 2 and weights[0] == weights[1]:
                self.scalars.append(SquaredNorm(ONE, ONE, weights[0]))
                self.weights.pop(index)
                left.remove(index)
            if len(around) != 1 or weights or not around[0] <= set(left):
                continue
            row, col = (i for i in bound if i in around[0])
            if len(self._at(row)) > 1 or len(self._at(col)) > 1 or self.weights.get(row) or (
                    self.weights.get(col)):
                continue
            factors = [f for e in self.edges[around[0]] for f in e.read(row, col)]
            if len(factors) != 2:
                continue
            self.scalars.append(contracted(*factors))
            del self.edges[around[0]]
            left = [i for i in left if i not in (row, col)]
        return left

    def _at(self, index: Index) -> list[frozenset[Index]]:
        return [ends for ends in self.edges if index in ends]

    def _sum_over(self, index: Index) -> None:
        around = self._at(index)
        weights = self.weights.pop(index, [])
        if len(around) > 2:
            raise NoForm
        if not around:
            right = hadamard(weights[1:] or weights) if weights else _ones(index)
            left = weights[0] if len(weights) > 1 else _ones(index)
            there = product([transposed(left), right])
            back = product([transposed(right), left])
            self.scalars.append(back if transposes(back) < transposes(there) else there)
            return
        matrices = [(self._other(ends, index), self.edges.pop(ends)) for ends in around]
        near, edges = matrices[0]
        if len(matrices) == 1:
            vector = hadamard(weights) if weights else _ones(index)
            form = product([_oriented(edges, near, index), vector])
            self.weights.setdefault(near, []).append(form)
            return
        far, others = matrices[1]
        middle = [_diagonal(hadamard(weights))] if weights else []
        form = product([_oriented(edges, near, index), *middle, _oriented(others, index, far)])
        edge = _Edge(self.place, form=form, start=near)
        self.edges.setdefault(frozenset((near, far)), []).append(edge)

    @staticmethod
    def _other(ends: frozenset[Index], index: Index) -> Index:
        (other,) = ends - {index}
        return other

    def matrix(self, rows: Index, cols: Index | None) -> MatrixForm:
        """What is left, over the open indices."""
        along = self.weights.get(rows, [])
        if cols is None:
            return hadamard(along) if along else Fill(rows.size, ONE, scalar(ONE))
        across = self.weights.get(cols, [])
        edges = self.edges.get(frozenset((rows, cols)))
        if edges:
            left = [_diagonal(hadamard(along))] if along else []
            right = [_diagonal(hadamard(across))] if across else []
            return product([*left, _oriented(edges, rows, cols), *right])
        if not along and not across:
            return Fill(rows.size, cols.size, scalar(ONE))
        column = hadamard(along) if along else _ones(rows)
        row = hadamard(across) if across else _ones(cols)
        return product([column, transposed(row)])


@dataclass(frozen=True)
class _Edge:
    """A factor over two indices: an atom that can be read either way, or a finished form."""

    place: Place
    atom: Atom | None = None
    exponent: Exponent = 1
    form: MatrixForm | None = None
    start: Index | None = None

    def read(self, rows: Index, cols: Index) -> list[MatrixForm]:
        """The factor with these rows and columns; a square is two factors."""
        if self.form is not None:
            return [self.form if self.start is rows else transposed(self.form)]
        assert self.atom is not None
        there = _atom(self.atom, rows, cols, self.place)
        back = transposed(_atom(self.atom, cols, rows, self.place))
        form = back if transposes(back) < transposes(there) else there
        return _repeated(form, self.exponent)


def _oriented(edges: list[_Edge], rows: Index, cols: Index) -> MatrixForm:
    there = hadamard([f for e in edges for f in e.read(rows, cols)])
    back = transposed(hadamard([f for e in edges for f in e.read(cols, rows)]))
    return back if transposes(back) < transposes(there) else there


def _atom(
    atom: Atom, rows: Index | None, cols: Index | None, place: Place
) -> MatrixForm:
    """A factor, entry by entry over the open indices. Raises NoForm."""
    if isinstance(atom, Access):
        return leaf(atom, rows, cols, place)
    if isinstance(atom, Paren):
        return _tensor(atom.body, rows, cols, place)
    if isinstance(atom, Extremum) and atom.kind == DET:
        return _determinant(atom, rows, cols, place)
    if isinstance(atom, Apply) and atom.function not in ("floordiv", "mod", "inf"):
        arguments = [_argument(a, rows, cols, place) for a in atom.args]
        if arguments:
            return Map(_size(rows), _size(cols), atom.function, tuple(arguments))
    if isinstance(atom, Iverson) and atom.relation == "==" and rows and cols:
        ends = {atom.lhs.single_index, atom.rhs.single_index}
        if ends == {rows, cols} and same(rows.size, cols.size):
            return Identity(rows.size, cols.size)
    if isinstance(atom, Iverson):
        return _bracket(atom, rows, cols, place)
    raise NoForm


def _bracket(
    atom: Iverson, rows: Index | None, cols: Index | None, place: Place
) -> MatrixForm:
    """[H > 0], or a row of labels as a matrix. Raises NoForm."""
    for position, label in ((atom.lhs, atom.rhs), (atom.rhs, atom.lhs)):
        column, read = position.single_index, label.single_atom
        if atom.relation == "==" and isinstance(read, Access) and column in (rows, cols):
            row = rows if column is cols else cols
            if row is None or column is None or indices_of(read) != {row}:
                raise NoForm
            form = OneHot(row.size, column.size, leaf(read, row, None, place))
            return form if column is cols else transposed(form)
    sides = [_argument(e, rows, cols, place) for e in (atom.lhs, atom.rhs)]
    if all(isinstance(s, Scalar) for s in sides):
        raise NoForm
    return Bracket(_size(rows), _size(cols), sides[0], atom.relation, sides[1])


def _determinant(
    atom: Extremum, rows: Index | None, cols: Index | None, place: Place
) -> MatrixForm:
    """det A, or all cofactors of A. Raises NoForm."""
    cofactor = cofactor_of(atom)
    if cofactor is None and rows is None and cols is None:
        row, column = atom.bound
        return Map(ONE, ONE, DET, (_argument(atom.body, row, column, place),))
    if cofactor is not None and rows is not None and cols is not None and (
            [p.single_index for p in cofactor[1:]] == [rows, cols]):
        body = substitute(cofactor[0], dict(zip(atom.bound, cofactor[1:], strict=True)))
        return Map(_size(rows), _size(cols), "cof", (_argument(body, rows, cols, place),))
    if cofactor is not None and [p.single_index for p in cofactor[1:]] == [cols, rows]:
        return transposed(_determinant(atom, cols, rows, place))
    raise NoForm


def _argument(
    expr: Expr, rows: Index | None, cols: Index | None, place: Place
) -> MatrixForm:
    plain = all(place.is_plain(a) for t in expr.terms for a, _ in t.factors)
    plain = plain and not any(t.bound for t in expr.terms)
    return scalar(expr) if plain else _tensor(expr, rows, cols, place)


def _repeated(form: MatrixForm, exponent: Exponent) -> list[MatrixForm]:
    if isinstance(exponent, int) and 1 <= exponent <= _MOST_REPEATED:
        return [form] * exponent
    return [Power(form.rows, form.cols, form, exponent)]


def _powered(form: MatrixForm, exponent: Exponent) -> MatrixForm:
    return form if exponent == 1 else Power(form.rows, form.cols, form, exponent)


def _diagonal(vector: MatrixForm) -> MatrixForm:
    return Diag(vector.rows, vector.rows, vector)


def _ones(index: Index) -> MatrixForm:
    return Ones(index.size, ONE)


def _size(index: Index | None) -> Expr:
    return ONE if index is None else index.size
