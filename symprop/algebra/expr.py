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
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Generic, TypeVar

T = TypeVar("T")
Exponent = int | Fraction
_uids = itertools.count(1)

UNIT = Fraction(1)  # the coefficient of most terms: what is this very object needs no arithmetic
ADJOINT = "∂"  # prefix of an adjoint's array name; never legal in a user's name


@dataclass(frozen=True, eq=False)
class Index:
    """A bound or free index: `letter` is only a hint for print, `size` its exclusive upper end."""

    letter: str
    size: Expr
    uid: int = field(default_factory=lambda: next(_uids))

    def __repr__(self) -> str:
        return f"{self.letter}{self.uid}"


class Once(Generic[T]):
    """An attribute worked out at its first use (cached_property takes a lock before 3.12)."""

    def __init__(self, make: Callable[[Any], T]) -> None:
        self.make = make

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, node: Any, owner: type) -> T:
        value = node.__dict__[self.name] = self.make(node)
        return value


class Node:
    """Equality and hash by a canonical text that is computed once.

    The commonest nodes fill their fields by hand: a frozen dataclass takes thrice as long.
    """

    key = Once(lambda node: str(node._text()))

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

    @Once
    def free(self) -> frozenset[Index]:
        """The indices that occur free."""
        return _union([c.free for c in self.children])

    @Once
    def inner(self) -> tuple[Atom, ...]:
        """Every atom inside this one, outermost first."""
        return tuple([a for child in self.children for a in child.atoms])


def _union(sets: list[frozenset[Index]]) -> frozenset[Index]:
    return sets[0] if len(sets) == 1 else frozenset().union(*sets)


@dataclass(frozen=True, eq=False, repr=False)
class Idx(Atom):
    """The value of an index (arange is this)."""

    index: Index

    @Once
    def free(self) -> frozenset[Index]:
        """The index itself."""
        return frozenset((self.index,))

    def _text(self) -> str:
        return f"#{self.index.uid:09d}"  # of one length: the order of texts is that of creation


@dataclass(frozen=True, eq=False, repr=False)
class Size(Atom):
    """The size of a named axis: a positive integer."""

    name: str

    def _text(self) -> str:
        return f"|{self.name}|"


@dataclass(frozen=True, eq=False, repr=False, init=False)
class Access(Atom):
    """An entry of an array: `array[indices]`."""

    array: str
    indices: tuple[Expr, ...] = ()

    def __init__(self, array: str, indices: tuple[Expr, ...] = ()) -> None:
        fields = self.__dict__
        fields["array"], fields["indices"] = array, indices

    @property
    def children(self) -> tuple[Expr, ...]:
        return self.indices

    def _text(self) -> str:
        return f"{self.array}[{','.join([i.key for i in self.indices])}]"


@dataclass(frozen=True, eq=False, repr=False)
class Apply(Atom):
    """A scalar function of a row of `rows.py`, or `floordiv`, `mod`, `inf` of the integers."""

    function: str
    args: tuple[Expr, ...] = ()

    @property
    def children(self) -> tuple[Expr, ...]:
        return self.args

    def _text(self) -> str:
        return f"{self.function}({','.join([a.key for a in self.args])})"


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

    @Once
    def free(self) -> frozenset[Index]:
        """The indices that occur free: not those it ranges over."""
        return self.body.free - frozenset(self.bound)

    @Once
    def depth(self) -> int:
        """How many of its kind stand within one another: what tells their bound indices apart."""
        return 1 + max((a.depth for a in self.inner if isinstance(a, Extremum)), default=0)

    def _text(self) -> str:
        """The same whatever the bound indices are."""
        body = self.body.key
        for place, index in enumerate(self.bound):
            body = body.replace(f"#{index.uid:09d}", f"#{self.depth}.{place}")
        sizes = ",".join(b.size.key for b in self.bound)
        return f"{self.kind}{{{sizes}}}({body})"


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


@dataclass(frozen=True, eq=False, repr=False, init=False)
class Term(Node):
    """coef * product of atom^exponent, summed over the indices `bound`."""

    coef: Fraction
    factors: tuple[tuple[Atom, Exponent], ...] = ()
    bound: tuple[Index, ...] = ()

    def __init__(
        self, coef: Fraction, factors: tuple[tuple[Atom, Exponent], ...] = (),
        bound: tuple[Index, ...] = (),
    ) -> None:
        fields = self.__dict__
        fields["coef"], fields["factors"], fields["bound"] = coef, factors, bound

    @Once
    def indices(self) -> frozenset[Index]:
        """The indices, bound or free, that occur in the factors."""
        return _union([a.free for a, _ in self.factors])

    def _text(self) -> str:
        product = "*".join([f"{a.key}^{e}" if e != 1 else a.key for a, e in self.factors])
        total = f"S{{{','.join([str(b.uid) for b in self.bound])}}}" if self.bound else ""
        return f"{coef_text(self.coef)}{total}{product}"


@dataclass(frozen=True, eq=False, repr=False, init=False)
class Expr(Node):
    """A sum of terms; the empty sum is 0."""

    terms: tuple[Term, ...] = ()

    def __init__(self, terms: tuple[Term, ...] = ()) -> None:
        self.__dict__["terms"] = terms

    def _text(self) -> str:
        return "+".join([t.key for t in self.terms]) or "0"

    @property
    def is_zero(self) -> bool:
        return not self.terms

    @Once
    def number(self) -> Fraction | None:
        """The value when this is a plain number, else None."""
        for term in self.terms:
            if term.factors or term.bound:
                return None
        return self.terms[0].coef if len(self.terms) == 1 else sum(
            (t.coef for t in self.terms), Fraction(0))

    @Once
    def single_index(self) -> Index | None:
        """The index when this is exactly one index, else None."""
        atom = self.single_atom
        return atom.index if isinstance(atom, Idx) else None

    @Once
    def single_atom(self) -> Atom | None:
        """The atom when this is exactly one atom, else None."""
        if len(self.terms) != 1:
            return None
        term = self.terms[0]
        if term.bound or len(term.factors) != 1 or term.factors[0][1] != 1 or term.coef != 1:
            return None
        return term.factors[0][0]

    @Once
    def free(self) -> frozenset[Index]:
        """The indices that occur free."""
        return _union([t.indices - frozenset(t.bound) if t.bound else t.indices
                       for t in self.terms])

    @Once
    def atoms(self) -> tuple[Atom, ...]:
        """Every atom, outermost first, nested ones included."""
        return tuple([a for t in self.terms for item, _ in t.factors for a in (item, *item.inner)])

    @Once
    def arrays(self) -> tuple[str, ...]:
        """The names of the arrays read, in order of appearance."""
        return tuple(dict.fromkeys([a.array for a in self.atoms if isinstance(a, Access)]))


def coef_text(coef: Fraction) -> str:
    """The text of a coefficient."""
    return "1" if coef is UNIT else str(coef)


def times(left: Fraction, right: Fraction) -> Fraction:
    """The product of two coefficients."""
    return right if left is UNIT else left if right is UNIT else left * right


def atoms(expr: Expr) -> Iterator[Atom]:
    """Every atom of an expression, outermost first, nested ones included."""
    return iter(expr.atoms)


def atoms_of(atom: Atom) -> Iterator[Atom]:
    """The atom and every atom inside it."""
    return iter((atom, *atom.inner))


def indices_of(atom: Atom) -> frozenset[Index]:
    """The indices that occur free in an atom."""
    return atom.free


def free_indices(expr: Expr) -> frozenset[Index]:
    """The indices that occur free in an expression."""
    return expr.free


def term_indices(term: Term) -> frozenset[Index]:
    """The indices, bound or free, that occur in a term's factors."""
    return term.indices


def accesses(expr: Expr) -> Iterator[Access]:
    """Every array access, nested ones included."""
    return (a for a in atoms(expr) if isinstance(a, Access))


def arrays_of(expr: Expr) -> tuple[str, ...]:
    """The names of the arrays that an expression reads, in order of appearance."""
    return expr.arrays


def adjoint(name: str) -> str:
    """The array name of the adjoint of `name`."""
    return ADJOINT + name
