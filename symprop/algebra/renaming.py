"""Expressions under numbers in place of names.

In: expressions. Out: a text in which arrays, sizes and indices are numbered by first use, so
that expressions which differ only in names have the same text; the expressions themselves
under these numbers; and what was found out about them, back under the names.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping

from symprop.algebra import rows
from symprop.algebra.build import idx
from symprop.algebra.expr import (
    ADJOINT,
    Access,
    Apply,
    Atom,
    Expr,
    Extremum,
    Idx,
    Index,
    Iverson,
    Paren,
    Partial,
    Size,
    Term,
    adjoint,
    coef_text,
)


class Numbering:
    """Arrays, indices and, unless they keep their names, sizes numbered by first use."""

    def __init__(self, sizes: bool = True) -> None:
        self.with_sizes = sizes
        self.arrays: dict[str, str] = {}
        self.sizes: dict[str, str] = {}
        self.indices: dict[Index, str] = {}
        self.rows: list[rows.Row] = []

    def expr(self, expr: Expr) -> str:
        """The text of an expression."""
        single = expr.single_index
        if single is not None:
            return self.index(single)
        return "+".join([self.term(t) for t in expr.terms]) or "0"

    def term(self, term: Term) -> str:
        """The text of a term."""
        bound = ",".join([self.index(b) for b in term.bound])
        factors = "*".join([f"{self.atom(a)}^{e}" for a, e in term.factors])
        return f"{coef_text(term.coef)}{{{bound}}}{factors}"

    def index(self, index: Index) -> str:
        """The number of an index; at its first use its size too."""
        name = self.indices.get(index)
        if name is not None:
            return name
        name = self.indices[index] = f"i{len(self.indices)}"
        return f"{name}:{self.expr(index.size)}"

    def atom(self, item: Atom) -> str:
        """The text of an atom."""
        if isinstance(item, Idx):
            return self.index(item.index)
        if isinstance(item, Size):
            number = f"s{len(self.sizes)}" if self.with_sizes else item.name
            return self.sizes.setdefault(item.name, number)
        return f"{self._head(item)}({';'.join([self.expr(c) for c in item.children])})"

    def array(self, name: str) -> str:
        """The number of an array; an adjoint has that of its primal."""
        if name.startswith(ADJOINT):
            return adjoint(self.array(name.removeprefix(ADJOINT)))
        return self.arrays.setdefault(name, f"a{len(self.arrays)}")

    def _head(self, item: Atom) -> str:
        if isinstance(item, Access):
            return self.array(item.array)
        if isinstance(item, Apply):
            row = rows.registry().rows.get(item.function)
            if row is None:
                return item.function
            self.rows.append(row)  # a row may go and another come under the same name
            return f"{item.function}@{id(row)}"
        if isinstance(item, Iverson):
            return item.relation
        if isinstance(item, Extremum):
            return item.kind + ",".join([self.index(b) for b in item.bound])
        if isinstance(item, Partial):
            raise TypeError("a local derivative is not differentiated again")
        return ""

    def forth(self, rhs: Expr, wrt: Access) -> tuple[Expr, Access]:
        """The expressions under numbers in place of names."""
        letter = self.indices.__getitem__
        twins: dict[Index, Index] = {}

        def twin(index: Index) -> Index:
            if index not in twins:
                twins[index] = Index(letter(index), rename.expr(index.size))
            return twins[index]

        rename = Renaming(self.arrays, self.sizes, twin, letter)
        entry = rename.atom(wrt)
        assert isinstance(entry, Access)
        return rename.expr(rhs), entry

    def back(self, template: Expr) -> Expr:
        """A template under this expression's own names; its bound indices are new."""
        arrays = {n: a for a, n in self.arrays.items()}
        sizes = {n: s for s, n in self.sizes.items()}
        named = {n: i for i, n in self.indices.items()}
        rename = Renaming(
            arrays, sizes, lambda i: named[i.letter], lambda i: named[i.letter].letter)
        return rename.expr(template)


class Walk(ABC):
    """A walk that renames arrays, sizes and indices."""

    def __init__(self, arrays: Mapping[str, str], sizes: Mapping[str, str]) -> None:
        self.arrays, self.sizes = arrays, sizes

    @abstractmethod
    def index(self, index: Index) -> Index:
        """An index, renamed."""

    @abstractmethod
    def scope(self, bound: tuple[Index, ...]) -> tuple[Walk, tuple[Index, ...]]:
        """The walk inside a sum, and the sum's indices, renamed."""

    def array(self, name: str) -> str:
        """An array's name, renamed; an adjoint's with its primal's."""
        if name.startswith(ADJOINT):
            return adjoint(self.array(name.removeprefix(ADJOINT)))
        return self.arrays[name]

    def expr(self, expr: Expr) -> Expr:
        """An expression, renamed."""
        single = expr.single_index
        if single is not None:
            return idx(self.index(single))
        return Expr(tuple([self.term(t) for t in expr.terms]))

    def term(self, term: Term) -> Term:
        """A term, renamed."""
        inner, bound = self.scope(term.bound) if term.bound else (self, ())
        return Term(term.coef, tuple([(inner.atom(a), e) for a, e in term.factors]), bound)

    def atom(self, item: Atom) -> Atom:
        """An atom, renamed."""
        if isinstance(item, Idx):
            return Idx(self.index(item.index))
        if isinstance(item, Size):
            return Size(self.sizes[item.name])
        if isinstance(item, Extremum):
            inner, bound = self.scope(item.bound)
            return Extremum(item.kind, bound, inner.expr(item.body))
        children = tuple([self.expr(c) for c in item.children])
        if isinstance(item, Access):
            return Access(self.array(item.array), children)
        if isinstance(item, Apply):
            return Apply(item.function, children)
        if isinstance(item, Iverson):
            return Iverson(item.relation, *children)
        assert isinstance(item, Paren)
        return Paren(children[0])


class Renaming(Walk):
    """A walk in which bound indices are new in each scope."""

    def __init__(
        self, arrays: Mapping[str, str], sizes: Mapping[str, str],
        free: Callable[[Index], Index], letter: Callable[[Index], str],
        bound: Mapping[Index, Index] | None = None,
    ) -> None:
        super().__init__(arrays, sizes)
        self.free, self.letter = free, letter
        self.bound = bound or {}

    def index(self, index: Index) -> Index:
        """The new index of its scope; a free one as told."""
        return self.bound.get(index) or self.free(index)

    def scope(self, bound: tuple[Index, ...]) -> tuple[Walk, tuple[Index, ...]]:
        """The walk inside a sum, and the sum's new indices."""
        new = {b: Index(self.letter(b), self.expr(b.size)) for b in bound}
        both = {**self.bound, **new}
        return Renaming(self.arrays, self.sizes, self.free, self.letter, both), tuple(new.values())


class Copying(Walk):
    """A walk that renames every index one for one: what shares an index goes on sharing it."""

    def __init__(self, arrays: Mapping[str, str], sizes: Mapping[str, str]) -> None:
        super().__init__(arrays, sizes)
        self.done: dict[int, tuple[Expr, Expr]] = {}

    def expr(self, expr: Expr) -> Expr:
        """An expression, renamed; the same object as long as it is the same object."""
        known = self.done.get(id(expr))
        if known is None:
            known = self.done[id(expr)] = expr, super().expr(expr)
        return known[1]

    def scope(self, bound: tuple[Index, ...]) -> tuple[Walk, tuple[Index, ...]]:
        """Bound indices are renamed like free ones."""
        return self, tuple([self.index(b) for b in bound])
