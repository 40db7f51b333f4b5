"""The local derivative of an equation, worked out by SymPy.

In: a right-hand side and one freshly indexed entry. Out: the derivative as an `Expr`, in
which each term carries its own sum and its own Kronecker deltas, ready for sifting.

SymPy orders operands by name. So a derivative is taken with arrays, sizes and indices
numbered by first use, and its factors are put back in the order in which the right-hand side
has them: the result depends on neither names nor history, and isomorphic equations share it.
"""

from __future__ import annotations

from collections.abc import Iterator
from weakref import WeakKeyDictionary

from sympy.core.parameters import distribute

from symprop.algebra import expansion, rows
from symprop.algebra.build import ZERO, atom, idx, mul, substitute_atom
from symprop.algebra.canonical import atom_key
from symprop.algebra.expr import (
    Access,
    Apply,
    Atom,
    Expr,
    Idx,
    Index,
    Iverson,
    Paren,
    Term,
    arrays_of,
    atoms,
    atoms_of,
    indices_of,
)
from symprop.algebra.renaming import Numbering
from symprop.algebra.rows_registry import Registry
from symprop.algebra.sympy_convert import from_sympy, symbol_table, to_sympy

__all__ = ["from_sympy", "local_derivative", "symbol_table", "to_sympy"]

_Known = tuple[Expr, tuple[rows.Row, ...]]  # rows are kept so that their ids stay theirs
_cache: WeakKeyDictionary[Registry, dict[str, _Known]] = WeakKeyDictionary()


def local_derivative(rhs: Expr, wrt: Access) -> Expr:
    """The derivative of `rhs` by the entry `wrt`, whose indices occur nowhere in `rhs`.

    An access at the positions i differentiates to the product of [i == p] over the axes.
    Raises UnsupportedError where SymPy cannot differentiate a function's definition.
    """
    if wrt.array not in arrays_of(rhs):
        return ZERO
    count = Numbering()
    key = f"{count.expr(rhs)} by {count.atom(wrt)} {hash(expansion.term())}"
    known = _cache.setdefault(rows.registry(), {})
    if key not in known:
        with distribute(False):  # leaving and entering it empties SymPy's cache: once for all
            known[key] = (_differentiate(*count.forth(rhs, wrt)), tuple(count.rows))
    return count.back(known[key][0])


def _differentiate(rhs: Expr, wrt: Access) -> Expr:
    """Term by term, so that the terms stand in the order of the terms they come from."""
    table = symbol_table(rhs, atom(wrt), name=_letter)
    entry = to_sympy(atom(wrt), _letter, grouped=True)
    order = _Order(rhs, wrt)
    terms: list[Term] = []
    for term in rhs.terms:
        if wrt.array not in arrays_of(Expr((term,))):
            continue
        whole = to_sympy(Expr((term,)), _letter, grouped=True)
        result = whole._eval_derivative(entry)
        parts = (t for part in from_sympy(result, table).terms for t in order.opened(part))
        terms.extend(sorted(map(order.arranged, parts), key=order.place))
    return Expr(tuple(terms))


class _Order:
    """Where factors stood in the right-hand side, and which brackets are new deltas."""

    def __init__(self, rhs: Expr, wrt: Access) -> None:
        self.originals: dict[str, Atom] = {}
        for item in atoms(rhs):
            self.originals.setdefault(_text(item), item)
        self.ranks = {text: k for k, text in enumerate(self.originals)}
        own = (i.single_index for i in wrt.indices)
        self.wrt = {i: k for k, i in enumerate(own) if i is not None}

    def delta(self, item: Atom) -> int:
        """The axis of the entry that a Kronecker delta is about, from 1; else 0."""
        if not isinstance(item, Iverson) or item.relation != "==":
            return 0
        found = [self.wrt[i] for i in indices_of(item) if i in self.wrt]
        return 1 + min(found) if found else 0

    def opened(self, term: Term) -> Iterator[Term]:
        """A sum over several terms that hold deltas becomes several sums."""
        for item, exponent in term.factors:
            if isinstance(item, Paren) and exponent == 1 and any(map(self.delta, atoms_of(item))):
                rest = tuple((a, e) for a, e in term.factors if a is not item)
                for inner in item.body.terms:
                    product = mul(Expr((Term(term.coef, rest, term.bound),)), Expr((inner,)))
                    for piece in product.terms:
                        yield from self.opened(piece)
                return
        yield term

    def arranged(self, term: Term) -> Term:
        """Factors as they stood, what is new beside what it came from, deltas last."""
        factors = [(self._turned(self._restored(a)), e) for a, e in term.factors]
        factors.sort(key=lambda f: (self.delta(f[0]), self._rank(f[0])))
        return Term(term.coef, tuple(factors), term.bound)

    def place(self, term: Term) -> list[int]:
        """The term that misses an earlier factor, the one differentiated, comes first."""
        return [-r for r in sorted(self._rank(a) for a, _ in term.factors)]

    def _rank(self, item: Atom) -> int:
        return min(self.ranks.get(_text(a), len(self.ranks)) for a in atoms_of(item))

    def _restored(self, item: Atom) -> Atom:
        """The atom with operands in the order of the right-hand side, where it stands there."""
        original = self.originals.get(_text(item))
        own = {i.letter: idx(i) for i in indices_of(item)}
        if original is not None and len(own) == len(indices_of(item)):
            same = substitute_atom(original, {i: own[i.letter] for i in indices_of(original)})
            return same.single_atom or item
        if not isinstance(item, Paren | Apply):
            return item
        children = tuple(
            Expr(tuple(
                Term(t.coef, tuple((self._restored(a), e) for a, e in t.factors), t.bound)
                for t in child.terms))
            for child in item.children)
        return Paren(children[0]) if isinstance(item, Paren) else Apply(item.function, children)

    def _turned(self, item: Atom) -> Atom:
        """The entry's own index stands on the right of a delta."""
        if not isinstance(item, Iverson) or not self.delta(item):
            return item
        if item.lhs.single_index in self.wrt and item.rhs.single_index not in self.wrt:
            return Iverson(item.relation, item.rhs, item.lhs)
        return item


def _text(item: Atom) -> str:
    """The atom with each index under its letter: a renamed bound index is still the same."""
    inside = (a.index for a in atoms_of(item) if isinstance(a, Idx))
    return atom_key(item, {i: i.letter for i in inside})


def _letter(index: Index) -> str:
    """In a template the letter of an index is its number."""
    return index.letter
