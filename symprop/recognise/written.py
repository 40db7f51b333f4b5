"""What an expression is of one entry of an array, with the unnamed equations inserted.

In: a system and an expression of one of its equations. Out: its cuts: pairs of an entry and the
expression as a function of it alone, the shallowest first. An equation is inserted where nobody
named its array and the same call made it, and where it reads no other axis:

    a = s^(-1), s = 1 + e, e = exp(-z)      is    s^(-1) of s,  (1 + e)^(-1) of e,
                                                  (1 + exp(-z))^(-1) of z
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from symprop.algebra import rows
from symprop.algebra.build import add, atom, instantiate, make_term, mul, power, rebuild
from symprop.algebra.expr import Access, Apply, Atom, Expr, Iverson, Paren
from symprop.recognise.pieces import X
from symprop.system import Call, Equation, System

_MOST_INSERTED = 24
_MOST_ENTRIES = 4  # an expression of more does not come down to one
_LARGEST = 150  # atoms


def leaves(expr: Expr) -> tuple[Access, ...] | None:
    """The entries that an expression is made of; None where it is of anything else.

    A sum over an axis, a maximum, a size and the value of an index are something else.
    """
    found: dict[Access, None] = {}
    todo = [expr]
    while todo:
        for term in todo.pop().terms:
            if term.bound:
                return None
            for item, _ in term.factors:
                if isinstance(item, Access):
                    found[item] = None
                elif isinstance(item, Paren | Iverson) or (
                        isinstance(item, Apply) and item.function in rows.names()):
                    todo.extend(item.children)
                else:
                    return None
    return tuple(found)


def inserted(expr: Expr, table: Mapping[Access, Expr]) -> Expr:
    """The expression with entries replaced by expressions, but for those in positions."""
    terms = []
    for term in expr.terms:
        result: Expr = make_term(term.coef, {}, term.bound)
        for item, exponent in term.factors:
            result = mul(result, power(_inserted(item, table), exponent))
        terms.append(result)
    return add(*terms)


def _inserted(item: Atom, table: Mapping[Access, Expr]) -> Expr:
    if isinstance(item, Access):
        return table.get(item) or atom(item)
    if not item.children:
        return atom(item)
    children = tuple(inserted(c, table) for c in item.children)
    if all(a is b for a, b in zip(children, item.children, strict=True)):
        return atom(item)
    return rebuild(item, children)


class Cuts:
    """The cuts of expressions of one system.

    named: whether equations are inserted that the author named, or another call made.
    """

    def __init__(self, system: System, named: bool = False) -> None:
        self.named = named
        self.place = {e.array: k for k, e in enumerate(system.equations)}
        self.equations = {e.array: e for e in system.equations
                          if _elementwise(e, system) and (named or not e.named)}
        self.lively: set[str] = set()  # what has a function or a condition in it
        for equation in self.equations.values():
            if self._is_lively(equation.rhs):
                self.lively.add(equation.array)

    def _is_lively(self, expr: Expr) -> bool:
        return any(isinstance(a, Apply | Iverson) or (
            isinstance(a, Access) and a.array in self.lively) for a in expr.atoms)

    def of(self, expr: Expr, call: Call | None) -> list[tuple[Access, Expr]]:
        """The cuts of an expression that stands in the given call."""
        found: list[tuple[Access, Expr]] = []
        if not self._is_lively(expr):
            return found
        for current in self._insertions(expr, call):
            entries = leaves(current)
            if entries is not None and len(entries) == 1:
                found.append((entries[0], inserted(current, {entries[0]: atom(X)})))
        return found

    def roots(self, expr: Expr, call: Call | None) -> frozenset[Access] | None:
        """The entries that an expression is of in the end."""
        last = self._insertions(expr, call)[-1]
        entries = leaves(last)
        return None if entries is None else frozenset(entries)

    def _insertions(self, expr: Expr, call: Call | None) -> list[Expr]:
        """The expression, and what it becomes as one equation after another is inserted."""
        found = [expr]
        for _ in range(_MOST_INSERTED):
            entries = leaves(found[-1]) or ()
            if len(entries) > _MOST_ENTRIES:
                break
            open_ = [a for a in entries if self._may_insert(a, call)]
            if not open_:
                break
            last = max(open_, key=lambda a: self.place[a.array])
            equation = self.equations[last.array]
            found.append(inserted(found[-1], {
                last: instantiate(equation.indices, equation.rhs, last.indices)}))
            if len(found[-1].atoms) > _LARGEST:
                return found[:-1]
        return found

    def _may_insert(self, entry: Access, call: Call | None) -> bool:
        equation = self.equations.get(entry.array)
        if equation is None:
            return False
        return self.named or within(equation.call) == within(call)


def within(call: Call | None) -> Call | None:
    """The call of a function: an iteration of a loop has no border."""
    return None if call is None else call.within


def _elementwise(equation: Equation, system: System) -> bool:
    """Whether an equation may stand where its array is read, at any position."""
    return (system.arrays[equation.array].dtype == "float"
            and equation.array not in equation.reads
            and equation.array not in system.given
            and leaves(equation.rhs) is not None)


def scaled(expr: Expr, factor: Fraction) -> Expr:
    """Every term times a number."""
    return Expr(tuple(make_term(t.coef * factor, dict(t.factors), t.bound).terms[0]
                      for t in expr.terms))


def marks(rhs: Expr) -> int:
    """How many signs and numbers stand before the terms."""
    return sum((t.coef < 0) + (abs(t.coef) != 1) for t in rhs.terms)
