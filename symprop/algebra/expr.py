"""The expression language: sums of monomials over indexed arrays.

In: numbers, sizes, indices, array accesses. Out: immutable `Expr` values, built only by the
constructors in `build.py`.

    Expr    =  Term + Term + ...                       (the user's order is kept)
    Term    =  coef * atom^exp * ... , summed over `bound`
    Atom    =  Access | Apply | Iverson | Paren | Extremum | Partial | Idx | Size

One flat set of bound indices per term makes sifting, merging and folding dictionary
operations. Index positions and sizes are expressions of the same language. An Iverson
bracket is a strong zero: [false] * anything is 0, even where anything is infinite.
Every index is unique (by uid), so substitution can never capture.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property

Exponent = int | Fraction
_uids = itertools.count(1)

ADJOINT = "∂"  # prefix of an adjoint's array name; never legal in a user's name


@dataclass(frozen=True, eq=False)
class Index:
    """A bound or free index: `letter` is only a hint for print, `size` its exclusive upper end."""

    letter: str
    size: Expr
    uid: int = field(default_factory=lambda: next(_uids))

    def __repr__(self) -> str:
        return f"{self.letter}{self.uid}"


class Node:
    """Equality and hash by a canonical text that is computed once."""

    @property
    def key(self) -> str:
        """The canonical text (kept by hand: cached_property takes a lock before Python 3.12)."""
        known: str | None = self.__dict__.get("_key")
        if known is None:
            known = self.__dict__["_key"] = self._text()
        return known

    def _text(self) -> str:
        raise NotImplementedError

    def __eq__(self, other: object) -> bool:
        return self is other or (isinstance(other, Node) and self.key == other.key)

    def __hash__(self) -> int:
        return hash(self.key)

    def __repr__(self) -> str:
        return self.key


class Atom(Node):
    """A factor that the algebra does not look into."""

    @property
    def children(self) -> tuple[Expr, ...]:
        return ()


@dataclass(frozen=True, eq=False, repr=False)
class Idx(Atom):
    """The value of an index (arange is this)."""

    index: Index

    def _text(self) -> str:
        return f"#{self.index.uid:09d}"  # of one length: the order of texts is that of creation


@dataclass(frozen=True, eq=False, repr=False)
class Size(Atom):
    """The size of a named axis: a positive integer."""

    name: str

    def _text(self) -> str:
        return f"|{self.name}|"


@dataclass(frozen=True, eq=False, repr=False)
class Access(Atom):
    """An entry of an array: `array[indices]`."""

    array: str
    indices: tuple[Expr, ...] = ()

    @property
    def children(self) -> tuple[Expr, ...]:
        return self.indices

    def _text(self) -> str:
        return f"{self.array}[{','.join(i.key for i in self.indices)}]"


@dataclass(frozen=True, eq=False, repr=False)
class Apply(Atom):
    """A scalar function of a row of `rows.py`, or `floordiv`, `mod`, `inf` of the integers."""

    function: str
    args: tuple[Expr, ...] = ()

    @property
    def children(self) -> tuple[Expr, ...]:
        return self.args

    def _text(self) -> str:
        return f"{self.function}({','.join(a.key for a in self.args)})"


@dataclass(frozen=True, eq=False, repr=False)
class Iverson(Atom):
    """1 where `lhs relation rhs` holds, else a strong 0; relation is ==, !=, < or <=."""

    relation: str
    lhs: Expr
    rhs: Expr

    @property
    def children(self) -> tuple[Expr, ...]:
        return (self.lhs, self.rhs)

    def _text(self) -> str:
        return f"[{self.lhs.key}{self.relation}{self.rhs.key}]"


@dataclass(frozen=True, eq=False, repr=False)
class Paren(Atom):
    """A sum used as a factor: it stays factored."""

    body: Expr

    @property
    def children(self) -> tuple[Expr, ...]:
        return (self.body,)

    def _text(self) -> str:
        return f"({self.body.key})"


@dataclass(frozen=True, eq=False, repr=False)
class Extremum(Atom):
    """The maximum or minimum (`kind`) of `body` over the indices `bound`."""

    kind: str
    bound: tuple[Index, ...]
    body: Expr

    @property
    def children(self) -> tuple[Expr, ...]:
        return (self.body,)

    def _text(self) -> str:
        return f"{self.kind}{{{','.join(str(b.uid) for b in self.bound)}}}({self.body.key})"


@dataclass(frozen=True, eq=False, repr=False)
class Partial(Atom):
    """The local derivative of `numerator` by `denominator` (two accesses), not yet worked out."""

    numerator: Access
    denominator: Access

    @property
    def children(self) -> tuple[Expr, ...]:
        return (*self.numerator.indices, *self.denominator.indices)

    def _text(self) -> str:
        return f"d{self.numerator.key}/d{self.denominator.key}"


@dataclass(frozen=True, eq=False, repr=False)
class Term(Node):
    """coef * product of atom^exponent, summed over the indices `bound`."""

    coef: Fraction
    factors: tuple[tuple[Atom, Exponent], ...] = ()
    bound: tuple[Index, ...] = ()

    def _text(self) -> str:
        product = "*".join(f"{a.key}^{e}" if e != 1 else a.key for a, e in self.factors)
        total = f"S{{{','.join(str(b.uid) for b in self.bound)}}}" if self.bound else ""
        return f"{self.coef}{total}{product}"


@dataclass(frozen=True, eq=False, repr=False)
class Expr(Node):
    """A sum of terms; the empty sum is 0."""

    terms: tuple[Term, ...] = ()

    def _text(self) -> str:
        return "+".join(t.key for t in self.terms) or "0"

    @property
    def is_zero(self) -> bool:
        return not self.terms

    @cached_property
    def number(self) -> Fraction | None:
        """The value when this is a plain number, else None."""
        if not self.terms:
            return Fraction(0)
        if any(t.factors or t.bound for t in self.terms):
            return None
        return sum((t.coef for t in self.terms), Fraction(0))

    @cached_property
    def single_index(self) -> Index | None:
        """The index when this is exactly one index, else None."""
        atom = self.single_atom
        return atom.index if isinstance(atom, Idx) else None

    @cached_property
    def single_atom(self) -> Atom | None:
        """The atom when this is exactly one atom, else None."""
        if len(self.terms) != 1:
            return None
        term = self.terms[0]
        if term.coef != 1 or term.bound or len(term.factors) != 1 or term.factors[0][1] != 1:
            return None
        return term.factors[0][0]


def atoms(expr: Expr) -> Iterator[Atom]:
    """Every atom of an expression, outermost first, nested ones included."""
    cached: tuple[Atom, ...] | None = expr.__dict__.get("_atoms")
    if cached is None:
        cached = tuple(a for t in expr.terms for item, _ in t.factors for a in atoms_of(item))
        expr.__dict__["_atoms"] = cached
    return iter(cached)


def atoms_of(atom: Atom) -> Iterator[Atom]:
    """The atom and every atom inside it."""
    cached: tuple[Atom, ...] | None = atom.__dict__.get("_atoms")
    if cached is None:
        cached = (atom, *(a for child in atom.children for a in atoms(child)))
        atom.__dict__["_atoms"] = cached
    return iter(cached)


def indices_of(atom: Atom) -> frozenset[Index]:
    """The indices that occur free in an atom."""
    cached: frozenset[Index] | None = atom.__dict__.get("_indices")
    if cached is None:
        if isinstance(atom, Idx):
            cached = frozenset((atom.index,))
        else:
            cached = frozenset().union(*(free_indices(c) for c in atom.children))
            if isinstance(atom, Extremum):
                cached -= frozenset(atom.bound)
        atom.__dict__["_indices"] = cached
    return cached


def free_indices(expr: Expr) -> frozenset[Index]:
    """The indices that occur free in an expression."""
    cached: frozenset[Index] | None = expr.__dict__.get("_free")
    if cached is None:
        cached = frozenset().union(*(term_indices(t) - frozenset(t.bound) for t in expr.terms))
        expr.__dict__["_free"] = cached
    return cached


def term_indices(term: Term) -> frozenset[Index]:
    """The indices, bound or free, that occur in a term's factors."""
    return frozenset().union(*(indices_of(a) for a, _ in term.factors))


def accesses(expr: Expr) -> Iterator[Access]:
    """Every array access, nested ones included."""
    return (a for a in atoms(expr) if isinstance(a, Access))


def arrays_of(expr: Expr) -> tuple[str, ...]:
    """The names of the arrays that an expression reads, in order of appearance."""
    cached: tuple[str, ...] | None = expr.__dict__.get("_arrays")
    if cached is None:
        cached = tuple(dict.fromkeys(a.array for a in accesses(expr)))
        expr.__dict__["_arrays"] = cached
    return cached


def adjoint(name: str) -> str:
    """The array name of the adjoint of `name`."""
    return ADJOINT + name
