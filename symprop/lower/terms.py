"""Right-hand sides as whole-tensor nodes.

In: an `Expr`, the order of the axes. Out: a `Node` whose axes are among them.

Every factor is worked out at its own granularity: numbers first, then what is constant
along most axes. A sum is split into its independent components. A bracket multiplies where
the rest is certainly finite, and selects (np.where) where it is not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from symprop.algebra.expr import (
    Access,
    Apply,
    Atom,
    Exponent,
    Expr,
    Idx,
    Index,
    Iverson,
    Paren,
    Size,
    Term,
    accesses,
    atoms_of,
    indices_of,
)
from symprop.algebra.integers import is_larger_size
from symprop.derive.cost import components
from symprop.errors import UnsupportedError
from symprop.lower.axes import aligned, closed, opened
from symprop.lower.contract import contract, natural, reduced
from symprop.lower.digits import divided, joined, turned
from symprop.lower.dtypes import BOOL, FLOAT, WHOLE, flavour, guards, is_float
from symprop.lower.extrema import extreme
from symprop.lower.graded import graded, set_apart
from symprop.lower.ir import (
    Arange,
    Axes,
    Both,
    Call,
    Cast,
    Compare,
    Fill,
    Infinity,
    LoopIndex,
    Node,
    Number,
    Power,
    Product,
    SizeOf,
    Sum,
    Where,
)
from symprop.lower.nodes import as_float, castable, filled, negative
from symprop.lower.padding import opposite, padded
from symprop.lower.ranges import restricted
from symprop.lower.running import running
from symprop.lower.scope import INTEGER_ROWS, Scope, is_whole
from symprop.lower.views import Reader, view
from symprop.lower.walk import union


@dataclass(frozen=True)
class Lowering:
    """Lowers the expressions of one equation."""

    scope: Scope
    integer: bool = False
    guarded: frozenset[Index] = frozenset()
    truth: bool = False  # of a boolean array: its cases exclude each other, so + is "or"

    # ---- sums ------------------------------------------------------------------------------

    def expr(self, expr: Expr, order: Axes) -> Node:
        """A sum of terms."""
        chosen = self._alternatives(expr, order)
        if chosen is not None:
            return chosen
        terms = [self.term(t, order) for t in expr.terms]
        if not terms:
            return Number((), Fraction(0))
        if len(terms) == 1:
            sign, node = terms[0]
            if sign > 0:
                return node
            if flavour(node) == BOOL:  # NumPy negates no truth values
                node = Cast(node.axes, node, whole=True) if self.integer else as_float(node)
            return negative(node)
        if not self.integer:
            bools = not any(is_float(n) and n.axes for _, n in terms)
            # NumPy adds two truth values to one, and does not subtract them.
            bools = bools or sum(flavour(n) == BOOL for _, n in terms) > 1
            terms = [(s, as_float(n) if flavour(n) == WHOLE or (bools and not is_float(n)) else n)
                     for s, n in terms]
        elif not self.truth and sum(flavour(n) == BOOL for _, n in terms) > 1:
            terms = [(s, Cast(n.axes, n, whole=True) if flavour(n) == BOOL else n)
                     for s, n in terms]
        return Sum(union(order, *(n for _, n in terms)), tuple(terms))

    def _alternatives(self, expr: Expr, order: Axes) -> Node | None:
        """[c] a + [not c] b is np.where(c, a, b)."""
        if len(expr.terms) != 2:
            return None
        first, second = expr.terms
        for item, _ in first.factors:
            for other, _ in second.factors:
                if not (self._outside(item, first) and opposite(item, other)):
                    continue
                if isinstance(item, Iverson) and isinstance(other, Iverson):
                    inside = self._inside(item, other)
                    yes = inside.expr(Expr((_without(first, item),)), order)
                    no = inside.expr(Expr((_without(second, other),)), order)
                    condition = self.bracket(item, order)
                    axes = union(order, condition, yes, no)
                    if not condition.axes and guards(condition) and not self.integer:
                        yes, no = filled(yes, axes), filled(no, axes)
                    return Where(axes, condition, yes, no)
        return None

    def _outside(self, item: Atom, term: Term) -> bool:
        return not indices_of(item) & frozenset(term.bound)

    def _inside(self, *brackets: Iverson) -> Lowering:
        """The lowering of what stands beside brackets: their indices may lead out of range."""
        held = frozenset(i for b in brackets for i in indices_of(b))
        return Lowering(self.scope, self.integer, self.guarded | held, self.truth)

    # ---- products --------------------------------------------------------------------------

    def term(self, term: Term, order: Axes) -> tuple[int, Node]:
        """One term: (its sign, the node without the sign)."""
        shapes = {a.array: self.scope.shape(a.array) for a in accesses(Expr((term,)))}
        whole, outer, joins = joined(term, order, self.scope.labels)
        whole, inner, cuts = divided(whole, outer, shapes)
        sign, node = self._product(whole, inner)
        for cut in reversed(cuts):
            node = closed(node, cut)
        for cut in reversed(joins):
            node = opened(node, cut)
        return sign, aligned(node, order)

    def _product(self, term: Term, order: Axes) -> tuple[int, Node]:
        """One term whose axes are as they shall be."""
        term, _ = restricted(term, frozenset(term.bound), self.scope.loop)
        if not term.coef:
            return 1, Number((), Fraction(0))
        term = self._padded(turned(term))
        bound = tuple(term.bound)
        brackets = [a for a, _ in term.factors
                    if isinstance(a, Iverson) and self._outside(a, term)]
        inside = self._inside(*(a for a, _ in term.factors if isinstance(a, Iverson)))
        coef = abs(term.coef)
        factors: Sequence[tuple[Atom, Exponent]] = term.factors
        above: list[Node] = []
        below: list[Node] = []
        steady: list[Node] = []
        if self.integer and coef.denominator != 1:  # whole only together with its sizes
            sizes = tuple((a, e) for a, e in factors if _is_size(a))
            above.append(SizeOf((), Expr((Term(coef, sizes),))))
            factors = [(a, e) for a, e in factors if not _is_size(a)]
            coef = Fraction(1)
        for item, power in factors:
            if item in brackets or not self._outside(item, term):
                continue
            divides = power < 0 and not self.integer
            exponent: Exponent = -power if divides else power
            (below if divides else above).append(inside.power(item, exponent, order))
            if not divides and self.scope.is_steady(item, power):
                steady.append(above[-1])
        summed: set[Index] = set()
        for indices, connected in components(term):
            mine = tuple(b for b in bound if b in indices)
            above.append(inside.component(connected, mine, order))
            steady += above[-1:] * all(self.scope.is_steady(a, e) for a, e in connected)
            summed.update(mine)
        above += [SizeOf((), b.size) for b in bound if b not in summed]
        above, beside = self._beside(above, below, steady, brackets, order)
        node = self._assembled(coef, above, below, order)
        if brackets:
            node = self._masked(node, brackets, term, order)
        if beside:
            node = self._assembled(Fraction(1), [node, *beside], [], order)
        return (1 if term.coef > 0 else -1), node

    def _padded(self, term: Term) -> Term:
        """Brackets that only keep a position inside an array, as zeros around the array."""
        names = {a.array for i, _ in term.factors for a in atoms_of(i) if isinstance(a, Access)}
        shapes = {n: self.scope.shape(n) for n in names}
        done = padded(term, shapes, self.scope.loop)
        lone = len([a for a, _ in done.factors if not isinstance(a, Iverson)]) == 1
        return done if lone or all(self.scope.is_finite(a, e) for a, e in done.factors) else term

    def _beside(
        self, above: list[Node], below: list[Node], steady: list[Node],
        brackets: list[Iverson], order: Axes,
    ) -> tuple[list[Node], list[Node]]:
        """The factors that brackets guard, and those with more axes, which need no guard."""
        if not brackets or self.integer:
            return above, []
        conditions = [self._inside(*brackets).bracket(b, order) for b in brackets]
        return set_apart(above, below, steady, conditions)

    def _masked(self, node: Node, brackets: list[Iverson], term: Term, order: Axes) -> Node:
        """The node where all brackets hold, 0 elsewhere."""
        inside = self._inside(*brackets)
        found = [inside.bracket(b, order) for b in brackets]
        single = sorted((c for c in found if not c.axes), key=lambda c: not guards(c))
        several = [c for c in found if c.axes]
        if single and several:  # a Python conditional around it computes nothing in vain
            node = self._chosen(node, several, term, order)
            return self._chosen(node, single, term, order)
        return self._chosen(node, single or several, term, order)

    def _chosen(self, node: Node, conditions: list[Node], term: Term, order: Axes) -> Node:
        condition = conditions[0] if len(conditions) == 1 else Both(
            union(order, *conditions), tuple(conditions))
        if isinstance(node, Number) and node.value == 1:
            return condition
        axes = union(order, condition, node)
        if condition.axes and all(self.scope.is_finite(a, e, strict=True) for a, e in term.factors):
            return self._assembled(Fraction(1), [node, condition], [], order)
        zero: Node = Number((), Fraction(0))
        if node.axes and not condition.axes and guards(condition) and not self.integer:
            zero = Fill(node.axes, zero)  # a Python conditional does not broadcast
        return Where(axes, condition, node, zero)

    def component(
        self, factors: list[tuple[Atom, Exponent]], bound: Axes, order: Axes
    ) -> Node:
        """One connected sum of a product."""
        run = running(factors, bound, order)
        if run is not None:
            body = self.term(run.term(factors, bound), run.within(order))[1]
            return run.node(body if self.integer else as_float(body), order)
        inner = (*order, *bound)
        brackets = [a for a, _ in factors if isinstance(a, Iverson)]
        nodes: list[Node] = []
        below: list[Node] = []
        steady: list[Node] = []
        for item, exponent in factors:
            if isinstance(item, Iverson):
                continue
            if exponent < 0:
                below.append(self.power(item, -exponent, inner))
            elif exponent in (1, 2) and isinstance(item, Access):
                nodes += [self._read(item, inner)] * int(exponent)
            else:
                nodes.append(self.power(item, exponent, inner))
            if exponent > 0 and self.scope.is_steady(item, exponent):
                steady.append(nodes[-1])
        if not brackets and not below:
            return contract([n if self.integer else as_float(n) for n in nodes], bound, order)
        inner = natural([*nodes, *(s for b in brackets for s in self._sides(b, inner))], inner)
        nodes, below = ([aligned(n, inner) for n in side] for side in (nodes, below))
        nodes, beside = self._beside(nodes, below, steady, brackets, inner)
        whole = self._assembled(Fraction(1), nodes, below, inner)
        if brackets:
            term = Term(Fraction(1), tuple(factors))
            whole = self._masked(whole, brackets, term, inner)
        if beside:
            return contract([as_float(n) for n in (whole, *beside)], bound, order)
        missing = [b for b in bound if b not in whole.axes]
        whole = aligned(whole if self.integer else as_float(whole), inner)
        gone = any(b in whole.axes for b in bound)
        summed = reduced("sum", whole, bound, order) if gone else aligned(whole, order)
        for index in missing:
            summed = Product(summed.axes, Fraction(1), (SizeOf((), index.size), summed))
        return summed

    def _assembled(
        self, coef: Fraction, above: list[Node], below: list[Node], order: Axes
    ) -> Node:
        """coef * above / below, the factors with fewer axes first."""
        if not above and not below:
            return Number((), coef)
        if coef == 1 and len(above) == 1 and not below:
            return above[0]
        above = sorted(above, key=lambda n: len(n.axes))
        below = sorted(below, key=lambda n: len(n.axes))
        if not self.integer:
            above, below = castable(above), castable(below)
            arrays = [flavour(n) for n in (*above, *below) if n.axes]
            alone = coef == 1 and not below and len(arrays) == len(above)
            if arrays and FLOAT not in arrays and not alone:
                above, below = ([as_float(n) for n in side] for side in (above, below))
        return graded(coef, above, below, order)

    def power(self, item: Atom, exponent: Exponent, order: Axes) -> Node:
        """An atom to a power."""
        node = self.atom(item, order)
        return node if exponent == 1 else Power(node.axes, node, Fraction(exponent))

    # ---- atoms -----------------------------------------------------------------------------

    def atom(self, item: Atom, order: Axes) -> Node:
        """One factor."""
        if isinstance(item, Access):
            return aligned(self._read(item, order), order)
        if isinstance(item, Size) or is_larger_size(item):
            return SizeOf((), Expr((Term(Fraction(1), ((item, 1),)),)))
        if isinstance(item, Idx):
            if item.index is self.scope.loop:
                return LoopIndex((), Expr((Term(Fraction(1), ((item, 1),)),)))
            return Arange((item.index,), self.integer)
        if isinstance(item, Paren):
            if _is_size(item) and (self.integer or self._is_integer(item.body)):
                return SizeOf((), item.body)
            return self.expr(item.body, order)
        if isinstance(item, Iverson):
            return self.bracket(item, order)
        found = extreme(item, order, self)
        if found is not None:
            return found
        if isinstance(item, Apply):
            return self._apply(item, order)
        raise UnsupportedError(f"{item.key} has no NumPy form")

    def _read(self, item: Access, order: Axes) -> Node:
        """An access with its axes as the array has them."""
        array = item.array
        dtype = self.scope.dtype(array)
        reader = Reader(self.scope.loop, self.guarded, self.positions, self.scope.labels,
                        self.scope.filled, self.scope.inside)
        node = view(item, self.scope.shape(array), order, reader, dtype)
        if array in self.scope.system.constants and dtype == "float":
            return Cast(node.axes, node)  # its float64 would widen float32
        bare = not item.indices  # a Python number since the door
        return node if self.integer or dtype == "float" or bare else as_float(node)

    def _apply(self, item: Apply, order: Axes) -> Node:
        if item.function == "inf":
            return Infinity(())
        if is_whole(item.function) if self.integer else item.function in INTEGER_ROWS:
            inner = Lowering(self.scope, True, self.guarded)
            args = tuple(inner.expr(a, order) for a in item.args)
            node = Call(union(order, *args), item.function, args)
            return node if self.integer else as_float(node)
        args = tuple(self.expr(a, order) for a in item.args)
        if not any(is_float(a) for a in args):
            args = tuple(as_float(a) for a in args)
        return Call(union(order, *args), item.function, tuple(castable(args)))

    def bracket(self, item: Iverson, order: Axes) -> Node:
        """The condition of a bracket, compared as integers where both sides are."""
        inner = Lowering(self.scope, all(map(self._is_integer, item.children)), self.guarded)
        left, right = (inner.expr(side, order) for side in item.children)
        return Compare(union(order, left, right), item.relation, left, right)

    def _sides(self, item: Iverson, order: Axes) -> list[Node]:
        """The entries that a bracket compares, with their axes as the arrays have them."""
        sides = [side.single_atom for side in item.children]
        return [self._read(a, order) for a in sides if isinstance(a, Access)]

    def _is_integer(self, expr: Expr) -> bool:
        for term in expr.terms:
            if term.coef.denominator != 1 or any(e != abs(int(e)) for _, e in term.factors):
                return False
        for atom in (a for t in expr.terms for a, _ in t.factors):
            if isinstance(atom, Access):
                if self.scope.dtype(atom.array) == "float":
                    return False
            elif isinstance(atom, Apply):
                if not is_whole(atom.function) or not all(map(self._is_integer, atom.args)):
                    return False
            elif not isinstance(atom, (Idx, Size, Paren, Iverson)) or not all(
                map(self._is_integer, atom.children)
            ):
                return False
        return True

    def positions(self, position: Expr, order: Axes) -> Node:
        """The grid of a position."""
        node = aligned(Lowering(self.scope, True, self.guarded).expr(position, order), order)
        # NumPy takes an array of truth values for a mask, not for the positions 0 and 1.
        return Cast(node.axes, node, whole=True) if flavour(node) == BOOL else node


def _is_size(item: Atom) -> bool:
    """Whether a factor is made of sizes alone."""
    kinds = (Size, Paren)
    return all(isinstance(a, kinds) or (isinstance(a, Apply) and a.function in INTEGER_ROWS)
               for a in atoms_of(item))


def _without(term: Term, item: Atom) -> Term:
    return Term(term.coef, tuple((a, e) for a, e in term.factors if a is not item), term.bound)
