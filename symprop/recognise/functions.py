"""The pass: functions that were written out are called by their names.

In: a traced system. Out: the same system, in which unnamed parts of elementwise expressions that
are shown to be a row are that row, each an equation of its own:

    a = (1 + exp(-(w x)))^(-1)     ->     z = w x,  a = σ(z)
    a = z (1 + exp(-z))^(-1)       ->     s = σ(z),  a = z s

Outer parts are tried before inner ones, and of one part the deepest cut first. What the author
named stays. What is written and what it is stand in the system as steps.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction

from symprop.algebra.build import access, add, atom, idx, make_term, mul, substitute
from symprop.algebra.canonical import atom_key
from symprop.algebra.expr import (
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
)
from symprop.names import counted
from symprop.recognise.hits import Hit, find
from symprop.recognise.table import factors
from symprop.recognise.written import Cuts, marks, scaled, within
from symprop.system import Array, Call, Equation, System, cycles

Factors = tuple[tuple[Atom, Exponent], ...]


@dataclass(frozen=True)
class Found:
    """An equation that is a row now: what was written of `entry`, and the hit."""

    array: str
    entry: Access
    written: Expr
    hit: Hit


def name_functions(system: System) -> tuple[System, tuple[Found, ...]]:
    """The system with every function by its name, and what was found."""
    work = _Work(system)
    for equation in reversed(system.equations):
        if work.is_live(equation.array):
            work.rewrite(equation)
    return work.system(), tuple(work.found)


class _Work:
    """The equations as they become."""

    def __init__(self, system: System) -> None:
        self.given = system
        self.cuts = Cuts(system)
        self.component = cycles(system.equations)
        self.arrays = dict(system.arrays)
        self.equations = {e.array: e for e in system.equations}
        self.readers = dict.fromkeys(self.equations, 0)
        for equation in system.equations:
            self._count(equation, 1)
        self.kept = {system.loss, *(a for _, a in system.outputs), *system.given,
                     *(r.array for r in system.index_ranges),
                     *(e.array for e in system.equations if e.named or not self.readers[e.array])}
        self.parts: dict[tuple[object, ...], str] = {}
        self.before: dict[str, str] = {}  # part -> the array that it stands before
        self.found: list[Found] = []

    def _count(self, equation: Equation, by: int) -> None:
        for array in equation.reads:
            if array in self.readers:
                self.readers[array] += by

    def is_live(self, array: str) -> bool:
        """Whether something still reads it, or it is kept for its own sake."""
        return array in self.kept or self.readers[array] > 0

    def system(self) -> System:
        """What the equations have become, in order; what nothing reads any more is left out."""
        parts: dict[str, list[str]] = {}
        for part, array in self.before.items():
            parts.setdefault(array, []).append(part)
        order = [a for e in self.given.equations for a in (*parts.get(e.array, ()), e.array)]
        for array in reversed(order):
            if not self.is_live(array):
                self._count(self.equations.pop(array), -1)
                del self.arrays[array]
        left = [self.equations[a] for a in order if a in self.equations]
        given = {n: a for n, a in self.arrays.items() if a.kind != "computed"}
        return replace(
            self.given, arrays=given | {e.array: self.arrays[e.array] for e in left},
            equations=tuple(replace(e, number=f"F{k}") for k, e in enumerate(left, 1)))

    # ---- one equation --------------------------------------------------------------------

    def rewrite(self, equation: Equation) -> None:
        """The equation as a row, or with rows in the place of its parts."""
        if self.arrays[equation.array].dtype != "float":
            return
        whole = self._hit(equation.rhs, equation.call)
        if whole is not None:
            entry, written, hit = whole
            self.found.append(Found(equation.array, entry, written, hit))
            self._put(equation, hit.function.at(atom(entry)))
            return
        new = self._parts(equation.rhs, equation)
        if new != equation.rhs:
            self._put(equation, new)

    def _put(self, equation: Equation, rhs: Expr) -> None:
        new = replace(equation, rhs=rhs)
        self._count(equation, -1)
        self._count(new, 1)
        self.equations[equation.array] = new

    def _hit(self, expr: Expr, call: Call | None) -> tuple[Access, Expr, Hit] | None:
        """The row that an expression is of one of its entries."""
        for entry, written in reversed(self.cuts.of(expr, call)):
            hit = find(written, self.given.numbers)
            if hit is None or hit.dearer or self._is_line(expr, hit, call):
                continue
            scale = hit.function.scale
            if abs(scale) == 1 or scale in factors(written) or self._has_factor(
                    entry, scale, call):
                return entry, written, hit
        return None

    def _has_factor(self, entry: Access, scale: Fraction, call: Call | None) -> bool:
        """Whether the unnamed array is a multiple of what the row would be of: z/2 in tanh(z/2)."""
        equation = self.equations.get(entry.array)
        return (equation is not None and not equation.named
                and within(equation.call) == within(call)
                and marks(scaled(equation.rhs, scale)) < marks(equation.rhs))

    def _is_line(self, expr: Expr, hit: Hit, call: Call | None) -> bool:
        """Whether the expression is a line in a value of that very row: 1 - σ(z) stays so.

        And so does a line in the value of another row where the sign of what it is of would change.
        """
        expr = add(expr)  # a sum in parentheses is that sum
        values = [t for t in expr.terms if t.factors]
        if len(values) != 1:
            return False
        value = Expr((Term(Fraction(1), values[0].factors),))
        item = value.single_atom
        if value == expr and not isinstance(item, Access):
            return False
        equation = self.equations.get(item.array) if isinstance(item, Access) else None
        written = item if equation is None else equation.rhs.single_atom
        if isinstance(written, Apply):
            return written.function == hit.function.row or hit.function.scale < 0
        inner = self._hit(value, call) if value != expr else None
        return inner is not None and inner[2].function.row == hit.function.row

    # ---- parts ---------------------------------------------------------------------------

    def _parts(self, expr: Expr, equation: Equation) -> Expr:
        """The expression with rows in the place of its parts: terms, factors, what is inside."""
        done: dict[Term, Expr] = {}
        for group in self._groups(expr, equation.call):
            for sign in (1, -1) if len(group) > 1 and not done.keys() & set(group) else ():
                made = self._part(_signed(Expr(group), sign), equation)
                if made is not None:
                    done |= dict.fromkeys(group, Expr())
                    done[group[0]] = mul(make_term(Fraction(sign), {}), made)
                    break
        cases = sum(any(map(_is_case, t.factors)) for t in expr.terms) > 1  # all, or none
        whole = {t for t in expr.terms if cases and any(map(_is_case, t.factors))}
        return add(*(done[t] if t in done else Expr((t,)) if t in whole
                     else self._in_term(t, equation) for t in expr.terms))

    def _groups(self, expr: Expr, call: Call | None) -> list[tuple[Term, ...]]:
        """The terms that are of the same entries in the end; with the numbers and without."""
        groups: dict[frozenset[Access], list[Term]] = {}
        for term in expr.terms:
            roots = self.cuts.roots(Expr((term,)), call)
            if roots is not None:
                groups.setdefault(roots, []).append(term)
        numbers = groups.pop(frozenset(), [])
        with_numbers = [tuple(t for t in expr.terms if t in g or t in numbers)
                        for g in groups.values() if numbers]
        return with_numbers + [tuple(g) for g in groups.values()]

    def _in_term(self, term: Term, equation: Equation) -> Expr:
        if any(isinstance(a, Iverson) and not a.lhs.arrays and not a.rhs.arrays
               for a, _ in term.factors):
            return Expr((term,))  # what it reads may be out of range elsewhere
        for chosen in self._products(term, equation.call):
            rest = {a: e for a, e in term.factors if a not in dict(chosen)}
            if any(isinstance(a, Iverson) for a, _ in chosen) and not self._is_finite(rest):
                continue  # a bracket that is false is a strong zero: what it guards stays with it
            for coef in dict.fromkeys((term.coef, Fraction(1))):
                product = Expr((Term(coef, chosen),))
                made = self._part(product, equation)
                if made is not None:
                    left = self._in_term(Term(term.coef / coef, tuple(rest.items()), term.bound),
                                         equation)
                    return mul(left, made)
        return self._inside(term, equation)

    def _is_finite(self, rest: Mapping[Atom, Exponent]) -> bool:
        """Whether a product has a finite value whatever the inputs are: of inputs and sizes."""
        kinds = (self.arrays[a.array].kind if isinstance(a, Access) else "size"
                 if isinstance(a, Size) else "" for a in rest)
        return all(kind in ("input", "constant", "size") for kind in kinds) and all(
            e > 0 or isinstance(a, Size) for a, e in rest.items())

    def _products(self, term: Term, call: Call | None) -> Iterator[Factors]:
        """The factors that are of the same entries, with and without these entries themselves."""
        groups: dict[frozenset[Access], list[tuple[Atom, Exponent]]] = {}
        for item, exponent in term.factors:
            roots = self.cuts.roots(Expr((Term(Fraction(1), ((item, exponent),)),)), call)
            if roots:
                groups.setdefault(roots, []).append((item, exponent))
        for roots, group in groups.items():
            yield tuple(group)
            without = tuple(f for f in group if f[0] not in roots)
            if without and len(without) < len(group):
                yield without

    def _inside(self, term: Term, equation: Equation) -> Expr:
        """A term with rows in the place of parts of sums and arguments in it."""
        result: Expr = make_term(term.coef, {}, term.bound)
        for item, exponent in term.factors:
            new: Atom = item
            if isinstance(item, Paren):
                body = self._parts(item.body, equation)
                new = item if body == item.body else Paren(body)
            result = mul(result, Expr((Term(Fraction(1), ((new, exponent),)),)))
        return result

    def _part(self, expr: Expr, equation: Equation) -> Expr | None:
        """The entry of a new equation that is the part; None where no row is."""
        found = None if _is_entry(expr) else self._hit(expr, equation.call)
        if found is None:
            return None
        entry, written, hit = found
        indices = self._axes(entry, equation)
        labels = {i: str(k) for k, i in enumerate(indices)}
        key = hit.function, atom_key(entry, labels), within(equation.call)
        if key not in self.parts:
            self.parts[key] = self._new(entry, written, hit, indices, equation)
        self.before[self.parts[key]] = self._first_after(entry, equation)
        return access(self.parts[key], [idx(i) for i in indices])

    def _axes(self, entry: Access, equation: Equation) -> tuple[Index, ...]:
        """The indices of an entry, those of the equation in its order before those bound."""
        free = atom(entry).free
        own = [i for i in equation.indices if i in free]
        return (*own, *sorted(free.difference(own), key=lambda i: i.uid))

    def _new(
        self, entry: Access, written: Expr, hit: Hit, indices: tuple[Index, ...],
        equation: Equation,
    ) -> str:
        base = f"{hit.function.row}_{entry.array}"
        name = counted(base, {*self.arrays, *self.given.sizes})
        fresh = tuple(Index(i.letter, i.size) for i in indices)
        moved = dict(zip(indices, map(idx, fresh), strict=True))
        there = Access(entry.array, tuple(substitute(p, moved) for p in entry.indices))
        self.arrays[name] = Array(name, "float", tuple(i.size for i in indices), "computed")
        new = Equation("", name, fresh, hit.function.at(atom(there)), equation.source,
                       equation.call, numbered="" if name == base else base, role="f_{}")
        self.equations[name] = new
        self.readers[name] = 0
        self._count(new, 1)
        self.found.append(Found(name, there, written, hit))
        return name

    def _first_after(self, entry: Access, equation: Equation) -> str:
        """Where a part stands: before its reader, or before the recurrence that it is not in."""
        ring = self.component.get(equation.array)
        if ring is None or self.component.get(entry.array) == ring:
            return equation.array
        return next(e.array for e in self.given.equations
                    if self.component.get(e.array) == ring)


def _is_case(factor: tuple[Atom, Exponent]) -> bool:
    """Whether a factor is a condition on the entries of an array."""
    return isinstance(factor[0], Iverson) and bool(factor[0].lhs.arrays or factor[0].rhs.arrays)


def _is_entry(expr: Expr) -> bool:
    """Whether it is an entry that has an equation of its own, or its negative."""
    return len(expr.terms) == 1 and abs(expr.terms[0].coef) == 1 and (
        [(type(a), e) for a, e in expr.terms[0].factors] == [(Access, 1)])


def _signed(expr: Expr, sign: int) -> Expr:
    return expr if sign == 1 else Expr(tuple(
        Term(-t.coef, t.factors, t.bound) for t in expr.terms))

