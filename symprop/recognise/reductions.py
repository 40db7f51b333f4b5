"""What an expression is of one array along one of its axes: exponentials, their sums, logarithms.

In: a system and an equation. Out: cuts: an array with the axis that is summed over, and the
equation as a SymPy expression of three things: the entry z of the array, the sum over the axis of
exp(z), and whatever does not change along the axis, as a maximum that is subtracted. In it

    exp(z - m) / Σ exp(z - m)     is    exp(z) / S,      m + log Σ exp(z - m)     is    log S

whatever m is, so that both sides of a claim come out alike (shares.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import sympy

from symprop.algebra import rows
from symprop.algebra.build import instantiate
from symprop.algebra.canonical import atom_key
from symprop.algebra.expr import (
    Access,
    Apply,
    Atom,
    Expr,
    Extremum,
    Index,
    Paren,
    Term,
)
from symprop.recognise.pieces import Unproven
from symprop.system import Equation, System

_DEEPEST = 12


@dataclass
class Reading:
    """The way from an equation to SymPy, with everything inserted above one array.

    entries: the symbol of every entry of the array that was met, by its position, in which an
    index that runs in a sum has a star. sums: the symbol of Σ exp(z) by that position; summed: that
    entry with the index that runs. others: what is the same along the axis, by what it is.
    """

    system: System
    cut: str
    entries: dict[str, sympy.Symbol] = field(default_factory=dict)
    sums: dict[str, sympy.Symbol] = field(default_factory=dict)
    others: dict[str, sympy.Symbol] = field(default_factory=dict)
    summed: dict[str, tuple[Access, Index]] = field(default_factory=dict)
    single: dict[str, Access] = field(default_factory=dict)

    def expr(self, expr: Expr, labels: Mapping[Index, str]) -> sympy.Expr:
        """A sum of terms; `labels` names the indices that are free."""
        return sympy.Add(*(self._term(t, labels) for t in expr.terms))

    def _term(self, term: Term, labels: Mapping[Index, str]) -> sympy.Expr:
        if len(term.bound) > 1:
            raise Unproven("a sum over several axes")
        inside = {**labels, **{b: f"*{len(labels)}*" for b in term.bound}}
        found = sympy.Mul(
            sympy.Rational(term.coef.numerator, term.coef.denominator),
            *(self._atom(a, inside) ** sympy.Rational(e) for a, e in term.factors))
        for bound in term.bound:
            found = self._total(found, inside[bound])
        return found

    def _atom(self, item: Atom, labels: Mapping[Index, str]) -> sympy.Expr:
        if isinstance(item, Access):
            return self._entry(item, labels)
        if isinstance(item, Paren):
            return self.expr(item.body, labels)
        if isinstance(item, Apply) and item.function in rows.names() and len(item.args) == 1:
            definition = rows.get(item.function).definition
            return self._applied(definition, self.expr(item.args[0], labels))
        if isinstance(item, Extremum):
            own = {b: f"*{len(labels)}.{k}*" for k, b in enumerate(item.bound)}
            key = str(self.expr(item.body, {**labels, **own}))
            for k, label in enumerate(own.values()):
                key = key.replace(label, f"+{k}")
            return self._other(f"{item.kind} {key}")
        raise Unproven(item.key)

    def _applied(self, definition: sympy.Expr, argument: sympy.Expr) -> sympy.Expr:
        """exp and log with what they say of each other; other functions are not known."""
        found = definition.xreplace({rows.x: argument})
        if found.atoms(sympy.Function) - found.atoms(sympy.exp, sympy.log):
            raise Unproven(str(definition))
        return found.replace(sympy.log, opened_log).replace(sympy.exp, opened_exp)

    def _entry(self, item: Access, labels: Mapping[Index, str]) -> sympy.Expr:
        equation = self.system.equation(item.array)
        if item.array == self.cut:
            return self._symbol(item, labels)
        if equation is None or equation.array in equation.reads:
            raise Unproven(item.array)
        body = instantiate(equation.indices, equation.rhs, item.indices)
        return self.expr(body, labels)

    def _symbol(self, item: Access, labels: Mapping[Index, str]) -> sympy.Symbol:
        key = atom_key(item, dict(labels))
        if key not in self.entries:
            self.entries[key] = sympy.Symbol(key, real=True)
            running = [i for i, label in labels.items() if label[0] == "*" and i in item.free]
            if running:
                self.summed[key] = item, running[0]
            else:
                self.single[key] = item
        return self.entries[key]

    def _other(self, key: str) -> sympy.Symbol:
        if key not in self.others:
            self.others[key] = sympy.Symbol(f"m{len(self.others)}", real=True)
        return self.others[key]

    def _total(self, body: sympy.Expr, label: str) -> sympy.Expr:
        """Σ c exp(z) as c S, where nothing in c changes along the axis."""
        keys = {s: k for table in (self.entries, self.others) for k, s in table.items()}
        varying = [s for s in body.free_symbols if label in keys.get(s, s.name)]
        if len(varying) != 1 or keys[varying[0]] not in self.summed:
            raise Unproven("a sum over an axis")
        (symbol,) = varying
        rest = sympy.powsimp(sympy.expand(body / sympy.exp(symbol), power_exp=True))
        if rest.has(symbol):
            raise Unproven("a sum of something else")
        key = keys[symbol].replace(label, "*")
        if key not in self.sums:
            self.sums[key] = sympy.Symbol(f"S {key}", positive=True)
            self.summed[key] = self.summed[keys[symbol]]
        return rest * self.sums[key]


def opened_log(argument: sympy.Expr) -> sympy.Expr:
    """log of a product as a sum, where the factors are exponentials, sums of these or numbers."""
    found = sympy.S.Zero
    for factor in sympy.Mul.make_args(sympy.powsimp(argument)):
        base, power = factor.as_base_exp()
        if isinstance(factor, sympy.exp):
            found += factor.args[0]
        elif base.is_positive:
            found += power * sympy.log(base)
        else:
            return sympy.log(argument)
    return found


def opened_exp(argument: sympy.Expr) -> sympy.Expr:
    """exp of a sum with multiples of logarithms taken out of it."""
    found, rest = sympy.S.One, sympy.S.Zero
    for term in sympy.Add.make_args(sympy.expand(argument)):
        power, inner = term.as_coeff_Mul(rational=True)
        if isinstance(inner, sympy.log) and power.is_integer:
            found *= inner.args[0] ** power
        else:
            rest += term
    return found * sympy.exp(rest)


def cone(equation: Equation, system: System) -> tuple[list[Equation], list[str]]:
    """What an equation is made of, and the arrays of which alone it is, the deepest first.

    Products that are summed end it: what is a matrix product is looked at as it is.
    """
    inside, found = [equation], list[str]()
    front = dict.fromkeys(equation.reads)
    place = {e.array: k for k, e in enumerate(system.equations)}
    for _ in range(_DEEPEST):
        if len(front) == 1:
            found.extend(front)
        known = [a for a in front if a in place and not _contracts(system.equations[place[a]])]
        if not known:
            break
        last = max(known, key=place.__getitem__)
        del front[last]
        inside.append(system.equations[place[last]])
        front |= dict.fromkeys(inside[-1].reads)
    return inside, found[::-1]


def _contracts(equation: Equation) -> bool:
    return equation.array in equation.reads or any(
        t.bound and len([a for a, _ in t.factors if isinstance(a, Access | Paren)]) > 1
        for t in equation.rhs.terms)
