"""Products in an order in which what has few axes is worked out first.

In: a number, the factors above and below. Out: one node.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from symprop.algebra.build import ONE, sub
from symprop.algebra.integers import nonnegative
from symprop.lower.ir import Axes, MatMul, Node, Power, Product, Reduce, SizeOf, Vdot
from symprop.lower.walk import union


def graded(coef: Fraction, above: Sequence[Node], below: Sequence[Node], order: Axes) -> Node:
    """coef * above / below, where divisors with few axes meet the factors with few axes first.

    In w[n] e[n,m] / s[n] the quotient w/s has one entry a row: (w / s)[:, None] * e. Both
    lists have the factors with fewer axes first.
    """
    whole = union(order, *above, *below)
    small = _narrow([*above, *below], whole, order)
    over, under = ([n for n in side if n in small] for side in (above, below))
    rest, left = ([n for n in side if n not in small] for side in (above, below))
    if not under or not (rest or left) or not any(n.axes for n in (*over, *under)):
        return Product(whole, coef, tuple(above), tuple(below))
    if over or coef != 1:
        inner = graded(coef, over, under, order)
        return Product(whole, Fraction(1), (inner, *rest), tuple(left))
    if len(under) > 1:
        divisor = graded(Fraction(1), under, [], order)
        return Product(whole, coef, tuple(rest), (divisor, *left))
    return Product(whole, coef, tuple(above), tuple(below))


def _narrow(nodes: Sequence[Node], whole: Axes, order: Axes) -> list[Node]:
    """The nodes with fewest axes, as many as do not have all axes together."""
    found: list[Node] = []
    for node in sorted(nodes, key=lambda n: len(n.axes)):
        if union(order, *found, node) == whole:
            break
        found.append(node)
    return found


def set_apart(
    above: Sequence[Node], below: Sequence[Node], steady: Sequence[Node], conditions: Sequence[Node]
) -> tuple[list[Node], list[Node]]:
    """The factors that conditions guard, and the steady ones that have more axes than all those.

    In [v[n] != 0] g[n] h[n,d] / s[n] one number a row is guarded: np.where(v != 0, g / s, 0).
    """
    guarded = [*below, *(n for n in above if n not in steady)]
    narrow = {i for n in (*guarded, *conditions) for i in n.axes}
    if not narrow or not any(n.axes for n in guarded):
        return list(above), []
    beside = [n for n in above if n in steady and not set(n.axes) <= narrow]
    return [n for n in above if n not in beside], beside


def raises(size: Node, product: Product) -> bool:
    """Whether Python may have to divide a number of its own by 0, where NumPy gives no number."""
    above = [n for n in product.above if not n.axes]
    first = above or product.coef != 1 or not product.above
    numpy = any(isinstance(n, Vdot | Reduce | MatMul) for n in above)
    return bool(first) and not numpy and _may_be_zero(size)


def _may_be_zero(node: Node) -> bool:
    """Whether a number made of sizes may be 0: N - 1 is where N is 1."""
    if isinstance(node, SizeOf):
        return not nonnegative(sub(node.size, ONE))
    if isinstance(node, Power):
        return _may_be_zero(node.base)
    return isinstance(node, Product) and any(map(_may_be_zero, node.above))
