"""Matrix notation as a tree, without any text.

In: the names and sizes of arrays. Out: frozen nodes that each know their rows and columns.
A vector is a column, so a scalar has one row and one column. The constructors `product`,
`hadamard`, `transposed`, `scaled` and `total` do the little algebra of the notation:
flattening, (AB)ᵀ = BᵀAᵀ, and I A = A.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from symprop.algebra.build import ONE
from symprop.algebra.expr import Exponent, Expr, Index


@dataclass(frozen=True)
class MatrixForm:
    """A matrix with `rows` rows and `cols` columns; both are sizes, ONE for a vector."""

    rows: Expr
    cols: Expr

    @property
    def parts(self) -> tuple[MatrixForm, ...]:
        """The nodes directly inside."""
        return ()


@dataclass(frozen=True)
class Matrix(MatrixForm):
    """An array of the system, or an adjoint."""

    name: str


@dataclass(frozen=True)
class Slice(MatrixForm):
    """What is left of an array at positions of its first axes: W[l+1]."""

    name: str
    at: tuple[Expr, ...]


@dataclass(frozen=True)
class SliceSum(MatrixForm):
    """The sum of `of` over first indices: Σ_n X[n]ᵀ Z̄[n]."""

    over: tuple[Index, ...]
    of: MatrixForm

    @property
    def parts(self) -> tuple[MatrixForm, ...]:
        return (self.of,)


@dataclass(frozen=True)
class Ones(MatrixForm):
    """The column of ones."""


@dataclass(frozen=True)
class Identity(MatrixForm):
    """The identity matrix."""


@dataclass(frozen=True)
class Scalar(MatrixForm):
    """A number, made of numbers, sizes and scalar arrays."""

    value: Expr


@dataclass(frozen=True)
class Fill(MatrixForm):
    """The same scalar everywhere: the 1 of 1 - A ⊙ A."""

    value: MatrixForm

    @property
    def parts(self) -> tuple[MatrixForm, ...]:
        return (self.value,)


@dataclass(frozen=True)
class Transpose(MatrixForm):
    """`of` with rows and columns exchanged."""

    of: MatrixForm

    @property
    def parts(self) -> tuple[MatrixForm, ...]:
        return (self.of,)


@dataclass(frozen=True)
class Diag(MatrixForm):
    """The diagonal matrix of a vector."""

    of: MatrixForm

    @property
    def parts(self) -> tuple[MatrixForm, ...]:
        return (self.of,)


@dataclass(frozen=True)
class Power(MatrixForm):
    """Every entry of `of` to the power `exponent`."""

    of: MatrixForm
    exponent: Exponent

    @property
    def parts(self) -> tuple[MatrixForm, ...]:
        return (self.of,)


@dataclass(frozen=True)
class Map(MatrixForm):
    """A scalar function of every entry; scalars among `arguments` count for all entries."""

    function: str
    arguments: tuple[MatrixForm, ...]

    @property
    def parts(self) -> tuple[MatrixForm, ...]:
        return self.arguments


@dataclass(frozen=True)
class Bracket(MatrixForm):
    """1 where `left` and `right` are in a `relation`, entry by entry, else 0: [H > 0]."""

    left: MatrixForm
    relation: str
    right: MatrixForm

    @property
    def parts(self) -> tuple[MatrixForm, ...]:
        return (self.left, self.right)


@dataclass(frozen=True)
class OneHot(MatrixForm):
    """In row n a 1 at the position of[n], and 0 elsewhere."""

    of: MatrixForm

    @property
    def parts(self) -> tuple[MatrixForm, ...]:
        return (self.of,)


@dataclass(frozen=True)
class SquaredNorm(MatrixForm):
    """The sum of the squares of all entries: a vector's |r|², a matrix' Frobenius norm squared."""

    of: MatrixForm

    @property
    def parts(self) -> tuple[MatrixForm, ...]:
        return (self.of,)


@dataclass(frozen=True)
class Trace(MatrixForm):
    """The sum along the diagonal."""

    of: MatrixForm

    @property
    def parts(self) -> tuple[MatrixForm, ...]:
        return (self.of,)


@dataclass(frozen=True)
class Product(MatrixForm):
    """A matrix product."""

    factors: tuple[MatrixForm, ...]

    @property
    def parts(self) -> tuple[MatrixForm, ...]:
        return self.factors


@dataclass(frozen=True)
class Hadamard(MatrixForm):
    """A product entry by entry."""

    factors: tuple[MatrixForm, ...]

    @property
    def parts(self) -> tuple[MatrixForm, ...]:
        return self.factors


@dataclass(frozen=True)
class Scale(MatrixForm):
    """Scalars times a matrix."""

    by: tuple[MatrixForm, ...]
    of: MatrixForm

    @property
    def parts(self) -> tuple[MatrixForm, ...]:
        return (*self.by, self.of)


@dataclass(frozen=True)
class Sum(MatrixForm):
    """A sum."""

    terms: tuple[MatrixForm, ...]

    @property
    def parts(self) -> tuple[MatrixForm, ...]:
        return self.terms


def nodes(form: MatrixForm) -> Iterator[MatrixForm]:
    """The node and all nodes inside it."""
    yield form
    for part in form.parts:
        yield from nodes(part)


def transposes(form: MatrixForm) -> int:
    """How many transposes a form holds: fewer are easier to read."""
    return sum(isinstance(n, Transpose) for n in nodes(form))


def scalar(value: Expr) -> Scalar:
    """A scalar expression."""
    return Scalar(ONE, ONE, value)


def transposed(form: MatrixForm) -> MatrixForm:
    """The transpose; that of a product is a product."""
    if isinstance(form, Transpose):
        return form.of
    if isinstance(form, (Diag, Identity, Scalar)) or (form.rows == ONE and form.cols == ONE):
        return form
    if isinstance(form, Fill):
        return Fill(form.cols, form.rows, form.value)
    if isinstance(form, SliceSum):
        return SliceSum(form.cols, form.rows, form.over, transposed(form.of))
    if isinstance(form, Product):
        return product([transposed(f) for f in reversed(form.factors)])
    if isinstance(form, Scale):
        return Scale(form.cols, form.rows, form.by, transposed(form.of))
    return Transpose(form.cols, form.rows, form)


def product(factors: Sequence[MatrixForm]) -> MatrixForm:
    """The matrix product, flat and without identities."""
    flat: list[MatrixForm] = []
    for factor in factors:
        flat.extend(factor.factors if isinstance(factor, Product) else (factor,))
    kept = [f for f in flat if not isinstance(f, Identity)] or flat[:1]
    if len(kept) == 1:
        return kept[0]
    return Product(kept[0].rows, kept[-1].cols, tuple(kept))


def hadamard(factors: Sequence[MatrixForm]) -> MatrixForm:
    """The product entry by entry, flat."""
    if len(factors) == 1:
        return factors[0]
    flat: list[MatrixForm] = []
    for factor in factors:
        flat.extend(factor.factors if isinstance(factor, Hadamard) else (factor,))
    return Hadamard(flat[0].rows, flat[0].cols, tuple(flat))


def contracted(left: MatrixForm, right: MatrixForm) -> MatrixForm:
    """Σ A[i,j] B[i,j], whose summands do not care which way the matrices lie."""
    if left == right:
        return SquaredNorm(ONE, ONE, left.of if isinstance(left, Transpose) else left)
    there = product([transposed(left), right])
    return Trace(ONE, ONE, min(there, transposed(there), key=transposes))


def scaled(by: Sequence[MatrixForm], form: MatrixForm) -> MatrixForm:
    """Scalars times a matrix."""
    return Scale(form.rows, form.cols, tuple(by), form) if by else form


def total(terms: Sequence[MatrixForm]) -> MatrixForm:
    """The sum."""
    return terms[0] if len(terms) == 1 else Sum(terms[0].rows, terms[0].cols, tuple(terms))
