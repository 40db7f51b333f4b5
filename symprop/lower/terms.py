"""Right-hand sides as whole-tensor nodes.

In: an `Expr`, the order of the axes. Out: a `Node` whose axes are among them.

Every factor is worked out at its own granularity: numbers first, then what is constant
along most axes. A sum is split into its independent components. A bracket multiplies where
the rest is certainly finite, and selects (np.where) where it is not.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction

from symprop.algebra import rows
from symprop.algebra.build import negation
from symprop.algebra.expr import (
    ADJOINT,
    Access,
    Apply,
    Atom,
    Exponent,
    Expr,
    Extremum,
    Idx,
    Index,
    Iverson,
    Paren,
    Size,
    Term,
    atoms,
    free_indices,
    indices_of,
)
from symprop.derive.cost import components
from symprop.errors import UnsupportedError
from symprop.lower.contract import aligned, contract
from symprop.lower.ir import (
    Arange,
    Axes,
    Both,
    Call,
    Cast,
    Compare,
    Infinity,
    LoopIndex,
    Node,
    Number,
    Power,
    Product,
    Reduce,
    SizeOf,
    Sum,
    Where,
    is_float,
    union,
)
from symprop.lower.views import view
from symprop.system import System

_INTEGER_ROWS = ("floordiv", "mod")


@dataclass(frozen=True)
class Scope:
    """Where an expression stands: the system, the loop's index, the shapes of adjoints."""

    system: System
    loop: Index | None = None
    finite: dict[str, bool] = field(default_factory=dict)

    def shape(self, array: str) -> tuple[Expr, ...]:
        """The shape of an array; an adjoint has that of its primal."""
        return self.system.arrays[array.removeprefix(ADJOINT)].shape


@dataclass(frozen=True)
class Lowering:
    """Lowers the expressions of one equation."""

    scope: Scope
    integer: bool = False
    guarded: frozenset[Index] = frozenset()

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
            return node if sign > 0 else negative(node)
        if not self.integer and not any(is_float(n) for _, n in terms):
            terms = [(s, as_float(n)) for s, n in terms]
        return Sum(union(order, *(n for _, n in terms)), tuple(terms))

    def _alternatives(self, expr: Expr, order: Axes) -> Node | None:
        """[c] a + [not c] b is np.where(c, a, b)."""
        if len(expr.terms) != 2:
            return None
        first, second = expr.terms
        for item, _ in first.factors:
            if not isinstance(item, Iverson) or not self._outside(item, first):
                continue
            opposite = negation(item).single_atom
            for other, _ in second.factors:
                if opposite is not None and _same_bracket(other, opposite):
                    yes = self.expr(Expr((_without(first, item),)), order)
                    no = self.expr(Expr((_without(second, other),)), order)
                    condition = self._inside(item).bracket(item, order)
                    return Where(union(order, condition, yes, no), condition, yes, no)
        return None

    def _outside(self, item: Atom, term: Term) -> bool:
        return not indices_of(item) & frozenset(term.bound)

    def _inside(self, *brackets: Iverson) -> Lowering:
        """The lowering of what stands beside brackets: their indices may lead out of range."""
        held = frozenset(i for b in brackets for i in indices_of(b))
        return Lowering(self.scope, self.integer, self.guarded | held)

    # ---- products --------------------------------------------------------------------------

    def term(self, term: Term, order: Axes) -> tuple[int, Node]:
        """One term: (its sign, the node without the sign)."""
        bound = tuple(term.bound)
        brackets = [a for a, _ in term.factors
                    if isinstance(a, Iverson) and self._outside(a, term)]
        inside = self._inside(*(a for a, _ in term.factors if isinstance(a, Iverson)))
        above: list[Node] = []
        below: list[Node] = []
        for item, exponent in term.factors:
            if item in brackets or not self._outside(item, term):
                continue
            side = below if exponent < 0 and not self.integer else above
            side.append(inside.power(item, abs(exponent) if side is below else exponent, order))
        for indices, factors in components(term):
            mine = tuple(b for b in bound if b in indices)
            above.append(inside.component(factors, mine, order))
        node = _assembled(abs(term.coef), above, below, order, self.integer)
        if brackets:
            node = self._masked(node, brackets, term, order)
        return (1 if term.coef > 0 else -1), node

    def _masked(self, node: Node, brackets: list[Iverson], term: Term, order: Axes) -> Node:
        """The node where all brackets hold, 0 elsewhere."""
        conditions = tuple(self.bracket(b, order) for b in brackets)
        condition = conditions[0] if len(conditions) == 1 else Both(
            union(order, *conditions), conditions)
        if isinstance(node, Number) and node.value == 1:
            return condition
        axes = union(order, condition, node)
        if condition.axes and all(self.is_finite(a, e) for a, e in term.factors):
            if isinstance(node, Product) and node.coef != 1 and is_float(node):
                return Product(axes, node.coef, (*node.above, condition), node.below)
            return Product(axes, Fraction(1), (node, condition)) if is_float(node) else Product(
                axes, Fraction(1), (node, as_float(condition)))
        return Where(axes, condition, node, Number((), Fraction(0)))

    def component(
        self, factors: list[tuple[Atom, Exponent]], bound: Axes, order: Axes
    ) -> Node:
        """One connected sum of a product."""
        inner = (*order, *bound)
        brackets = [a for a, _ in factors if isinstance(a, Iverson)]
        nodes: list[Node] = []
        below: list[Node] = []
        for item, exponent in factors:
            if isinstance(item, Iverson):
                continue
            if exponent < 0:
                below.append(self.power(item, -exponent, inner))
            elif exponent in (1, 2) and isinstance(item, Access):
                nodes += [self._read(item, inner)] * int(exponent)
            else:
                nodes.append(self.power(item, exponent, inner))
        if not brackets and not below:
            return contract(nodes, bound, order)
        nodes = [aligned(n, inner) for n in nodes]
        whole: Node = _assembled(Fraction(1), nodes, below, inner, self.integer)
        if brackets:
            term = Term(Fraction(1), tuple(factors))
            whole = self._masked(whole, brackets, term, inner)
        missing = [b for b in bound if b not in whole.axes]
        whole = aligned(whole if is_float(whole) or self.integer else as_float(whole), inner)
        left = tuple(i for i in whole.axes if i not in bound)
        summed: Node = Reduce(left, "sum", whole) if left != whole.axes else whole
        for index in missing:
            summed = Product(summed.axes, Fraction(1), (SizeOf((), index.size), summed))
        return summed

    def power(self, item: Atom, exponent: Exponent, order: Axes) -> Node:
        """An atom to a power."""
        node = self.atom(item, order)
        return node if exponent == 1 else Power(node.axes, node, Fraction(exponent))

    # ---- atoms -----------------------------------------------------------------------------

    def atom(self, item: Atom, order: Axes) -> Node:
        """One factor."""
        if isinstance(item, Access):
            return aligned(self._read(item, order), order)
        if isinstance(item, Size):
            return SizeOf((), Expr((Term(Fraction(1), ((item, 1),)),)))
        if isinstance(item, Idx):
            if item.index is self.scope.loop:
                return LoopIndex((), Expr((Term(Fraction(1), ((item, 1),)),)))
            return Arange((item.index,), self.integer)
        if isinstance(item, Paren):
            if not free_indices(item.body) and not any(
                isinstance(a, Access) for a in atoms(item.body)
            ):
                return SizeOf((), item.body)
            return self.expr(item.body, order)
        if isinstance(item, Iverson):
            return self.bracket(item, order)
        if isinstance(item, Extremum):
            inner = (*order, *item.bound)
            body = aligned(self.expr(item.body, inner), inner)
            return Reduce(tuple(i for i in body.axes if i not in item.bound), item.kind, body)
        if isinstance(item, Apply):
            return self._apply(item, order)
        raise UnsupportedError(f"{item.key} has no NumPy form")

    def _read(self, item: Access, order: Axes) -> Node:
        """An access with its axes as the array has them."""
        return view(item, self.scope.shape(item.array), order, self.scope.loop, self.guarded,
                    self._positions)

    def _apply(self, item: Apply, order: Axes) -> Node:
        if item.function == "inf":
            return Infinity(())
        inner = self if item.function not in _INTEGER_ROWS else Lowering(
            self.scope, True, self.guarded)
        args = tuple(inner.expr(a, order) for a in item.args)
        if item.function not in _INTEGER_ROWS and not any(is_float(a) for a in args):
            args = tuple(as_float(a) if a.axes else a for a in args)
        return Call(union(order, *args), item.function, args)

    def bracket(self, item: Iverson, order: Axes) -> Node:
        """The condition of a bracket."""
        integer = all(
            isinstance(a, (Idx, Size, Paren))
            or (isinstance(a, Access) and self.scope.system.arrays[
                a.array.removeprefix(ADJOINT)].dtype != "float")
            or (isinstance(a, Apply) and a.function in _INTEGER_ROWS)
            for side in item.children for a in atoms(side)
        )
        inner = Lowering(self.scope, integer, self.guarded)
        left, right = (inner.expr(side, order) for side in item.children)
        return Compare(union(order, left, right), item.relation, left, right)

    def _positions(self, position: Expr, order: Axes) -> Node:
        return aligned(Lowering(self.scope, True, self.guarded).expr(position, order), order)

    # ---- what is certainly finite ------------------------------------------------------------

    def is_finite(self, item: Atom, exponent: Exponent) -> bool:
        """Whether a factor is finite for all finite inputs, so that 0 times it is 0."""
        if isinstance(item, (Size, Iverson, Idx)):
            return True
        if exponent < 0 or exponent != int(exponent):
            return False
        if isinstance(item, Access):
            return self._array_finite(item.array)
        if isinstance(item, Apply):
            row = rows.registry().rows.get(item.function)
            return (row is not None and row.bounded) and all(map(self._expr_finite, item.args))
        return all(map(self._expr_finite, item.children))

    def _expr_finite(self, expr: Expr) -> bool:
        return all(self.is_finite(a, e) for t in expr.terms for a, e in t.factors)

    def _array_finite(self, array: str) -> bool:
        known = self.scope.finite
        if array not in known:
            known[array] = True  # an adjoint, an input, or (in a recurrence) itself
            equation = self.scope.system.equation(array)
            if equation is not None:
                known[array] = self._expr_finite(equation.rhs)
        return known[array]


def negative(node: Node) -> Node:
    """-node, the sign in a number where there is one."""
    if isinstance(node, Number):
        return Number((), -node.value)
    if isinstance(node, Product):
        return Product(node.axes, -node.coef, node.above, node.below)
    return Product(node.axes, Fraction(-1), (node,))


def as_float(node: Node) -> Node:
    """Booleans and integers as the module's dtype; Python numbers stay what they are."""
    if isinstance(node, (Number, SizeOf, Infinity, LoopIndex)) or is_float(node) or not node.axes:
        return node
    return Cast(node.axes, node)


def _assembled(
    coef: Fraction, above: list[Node], below: list[Node], order: Axes, integer: bool
) -> Node:
    """coef * above / below, the factors with fewer axes first."""
    if not above and not below:
        return Number((), coef)
    if coef == 1 and len(above) == 1 and not below:
        return above[0]
    above = sorted(above, key=lambda n: len(n.axes))
    below = sorted(below, key=lambda n: len(n.axes))
    arrays = [n for n in (*above, *below) if n.axes]
    if not integer and arrays and not any(is_float(n) for n in arrays) and (
        coef != 1 or below or any(not n.axes for n in above)
    ):
        above = [as_float(n) for n in above]
        below = [as_float(n) for n in below]
    return Product(union(order, *above, *below), coef, tuple(above), tuple(below))


def _without(term: Term, item: Atom) -> Term:
    return Term(term.coef, tuple((a, e) for a, e in term.factors if a is not item), term.bound)


def _same_bracket(left: Atom, right: Atom) -> bool:
    if not isinstance(left, Iverson) or not isinstance(right, Iverson):
        return False
    if left.key == right.key:
        return True
    turned = left.relation in ("==", "!=") and left.relation == right.relation
    return turned and left.lhs == right.rhs and left.rhs == right.lhs


