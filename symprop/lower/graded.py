"""Products in an order in which what has few axes is worked out first.

In: a number, the factors above and below. Out: one node.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from symprop.lower.ir import Axes, Node, Product, union


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
