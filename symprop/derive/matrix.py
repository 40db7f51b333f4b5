"""Recognition of matrix notation in an equation in index notation.

In: an equation, and the arrays with their shapes. Out: a `MatrixForm`, or None where index
notation says it best (three open indices, a shifted or looked-up position, a maximum).

Each term is a graph: its indices are the vertices, a factor over two indices is an edge, a
factor over one is a weight. Bound indices are eliminated: without an edge one leaves a scalar
(uᵀv), with one edge a vector (A v), with two a product (A B, or A diag(v) B).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from symprop.algebra.build import ONE, make_term
from symprop.algebra.canonical import same
from symprop.algebra.expr import (
    ADJOINT,
    Access,
    Apply,
    Atom,
    Exponent,
    Expr,
    Index,
    Iverson,
    Paren,
    Size,
    Term,
    atoms,
    indices_of,
)
from symprop.derive.matrix_nodes import (
    Diag,
    Fill,
    Identity,
    Map,
    Matrix,
    MatrixForm,
    Ones,
    Power,
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

Arrays = Mapping[str, Array]
Factor = tuple[Atom, Exponent]
_MOST_REPEATED = 3  # A ⊙ A ⊙ A; a higher power is written as one


class _NoForm(Exception):
    """There is no matrix form."""


def matrix_form(equation: Equation | Adjoint, arrays: Arrays) -> MatrixForm | None:
    """The right-hand side in matrix notation, or None.

    The form has the shape of the left-hand side's array: a vector is a column, unless it is
    declared with one row.
    """
    opened = [i for i in equation.indices if i.size != ONE]
    if len(opened) > 2 or equation.rhs.is_zero:
        return None
    rows, cols = (*opened, None, None)[:2]
    try:
        form = _tensor(equation.rhs, rows, cols, arrays)
    except _NoForm:
        return None
    if not any(isinstance(n, Matrix) for n in nodes(form)):
        return None
    left = matrix_of(equation.array, arrays)
    return transposed(form) if left is not None and left.rows != form.rows else form


def matrix_of(name: str, arrays: Arrays) -> Matrix | None:
    """An array, or an adjoint, as a leaf; None when it has more than two axes."""
    array = arrays.get(name.removeprefix(ADJOINT))
    if array is None:
        return None
    if len(array.shape) <= 2:
        rows, cols = (*array.shape, ONE, ONE)[:2]
        return Matrix(rows, cols, name)
    live = [s for s in array.shape if s != ONE]
    if len(live) > 2:
        return None
    rows, cols = (*live, ONE, ONE)[:2]
    return Matrix(rows, cols, name)


def _tensor(
    expr: Expr, rows: Index | None, cols: Index | None, arrays: Arrays
) -> MatrixForm:
    """A sum of terms over the open indices. Raises _NoForm."""
    if expr.is_zero:
        raise _NoForm
    return total([_term(t, rows, cols, arrays) for t in expr.terms])


def _term(term: Term, rows: Index | None, cols: Index | None, arrays: Arrays) -> MatrixForm:
    graph = _Graph(arrays)
    plain: list[Factor] = []
    opened = {i for i in (rows, cols) if i is not None}
    for atom, exponent in term.factors:
        support = indices_of(atom)
        if not support <= opened | set(term.bound):
            raise _NoForm
        if support:
            graph.insert(atom, exponent)
        elif _is_plain(atom):
            plain.append((atom, exponent))
        else:
            graph.scalars.append(_powered(_atom(atom, None, None, arrays), exponent))
    graph.eliminate(term.bound)
    coefficient = make_term(term.coef, dict(plain))
    by = graph.scalars if coefficient == ONE else [scalar(coefficient), *graph.scalars]
    if rows is None:
        return scaled(by[:-1], by[-1]) if by else scalar(ONE)
    body = graph.matrix(rows, cols)
    if isinstance(body, Fill) and by:
        return Fill(body.rows, body.cols, scaled(by[:-1], by[-1]))
    return scaled(by, body)


def _is_plain(atom: Atom) -> bool:
    """Whether a factor without indices is made of numbers, sizes and scalar arrays."""
    inside = atoms(make_term(Fraction(1), {atom: 1}))
    return all(
        isinstance(a, (Size, Paren, Apply, Iverson)) or (isinstance(a, Access) and not any(
            i.number is None for i in a.indices)) for a in inside
    )


@dataclass
class _Graph:
    """The factors of one term, by the indices that they join."""

    arrays: Arrays
    scalars: list[MatrixForm] = field(default_factory=list)
    weights: dict[Index, list[MatrixForm]] = field(default_factory=dict)
    edges: dict[frozenset[Index], list[_Edge]] = field(default_factory=dict)

    def insert(self, atom: Atom, exponent: Exponent) -> None:
        """Adds a factor over one or two indices."""
        ends = indices_of(atom)
        if len(ends) == 1:
            (index,) = ends
            form = _atom(atom, index, None, self.arrays)
            self.weights.setdefault(index, []).extend(_repeated(form, exponent))
        elif len(ends) == 2:
            self.edges.setdefault(ends, []).append(_Edge(self.arrays, atom, exponent))
        else:
            raise _NoForm

    def eliminate(self, bound: tuple[Index, ...]) -> None:
        """Sums over the bound indices, those with the fewest edges first."""
        left = list(bound)
        while left:
            index = min(left, key=lambda b: len(self._at(b)))
            left.remove(index)
            self._sum_over(index)

    def _at(self, index: Index) -> list[frozenset[Index]]:
        return [ends for ends in self.edges if index in ends]

    def _sum_over(self, index: Index) -> None:
        around = self._at(index)
        weights = self.weights.pop(index, [])
        if len(around) > 2:
            raise _NoForm
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
        edge = _Edge(self.arrays, form=form, start=near)
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

    arrays: Arrays
    atom: Atom | None = None
    exponent: Exponent = 1
    form: MatrixForm | None = None
    start: Index | None = None

    def read(self, rows: Index, cols: Index) -> list[MatrixForm]:
        """The factor with these rows and columns; a square is two factors."""
        if self.form is not None:
            return [self.form if self.start is rows else transposed(self.form)]
        assert self.atom is not None
        there = _atom(self.atom, rows, cols, self.arrays)
        back = transposed(_atom(self.atom, cols, rows, self.arrays))
        form = back if transposes(back) < transposes(there) else there
        return _repeated(form, self.exponent)


def _oriented(edges: list[_Edge], rows: Index, cols: Index) -> MatrixForm:
    there = hadamard([f for e in edges for f in e.read(rows, cols)])
    back = transposed(hadamard([f for e in edges for f in e.read(cols, rows)]))
    return back if transposes(back) < transposes(there) else there


def _atom(
    atom: Atom, rows: Index | None, cols: Index | None, arrays: Arrays
) -> MatrixForm:
    """A factor, entry by entry over the open indices. Raises _NoForm."""
    if isinstance(atom, Access):
        return _leaf(atom, rows, cols, arrays)
    if isinstance(atom, Paren):
        return _tensor(atom.body, rows, cols, arrays)
    if isinstance(atom, Apply) and atom.function not in ("floordiv", "mod", "inf"):
        arguments = [_argument(a, rows, cols, arrays) for a in atom.args]
        if arguments:
            return Map(_size(rows), _size(cols), atom.function, tuple(arguments))
    if isinstance(atom, Iverson) and atom.relation == "==" and rows and cols:
        ends = {atom.lhs.single_index, atom.rhs.single_index}
        if ends == {rows, cols} and same(rows.size, cols.size):
            return Identity(rows.size, cols.size)
    raise _NoForm


def _argument(
    expr: Expr, rows: Index | None, cols: Index | None, arrays: Arrays
) -> MatrixForm:
    plain = all(_is_plain(a) for t in expr.terms for a, _ in t.factors)
    plain = plain and not any(t.bound for t in expr.terms)
    return scalar(expr) if plain else _tensor(expr, rows, cols, arrays)


def _leaf(
    read: Access, rows: Index | None, cols: Index | None, arrays: Arrays
) -> MatrixForm:
    """A whole array: every axis is read by an index that runs through all of it."""
    array = arrays.get(read.array.removeprefix(ADJOINT))
    leaf = matrix_of(read.array, arrays)
    if array is None or leaf is None or len(array.shape) != len(read.indices):
        raise _NoForm
    ends: list[Index] = []
    for position, size in zip(read.indices, array.shape, strict=True):
        if size == ONE:
            continue
        index = position.single_index
        if index is None or not same(index.size, size):
            raise _NoForm
        ends.append(index)
    wanted = [i for i in (rows, cols) if i is not None]
    if len(ends) == 2 and ends == wanted:
        return leaf
    if len(ends) == 2 and ends[::-1] == wanted:
        return transposed(leaf)
    if ends == wanted:  # a vector, kept as a column
        return leaf if leaf.cols == ONE else transposed(leaf)
    raise _NoForm


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
