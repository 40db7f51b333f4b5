"""Sums over products: matrix products where they are, one einsum where nothing else fits.

In: factors with labelled axes, the indices summed over. Out: a node over the indices left.
"""

from __future__ import annotations

import itertools
from fractions import Fraction

from symprop.algebra.build import mul
from symprop.algebra.canonical import normal
from symprop.algebra.expr import Index
from symprop.derive.cost import volume
from symprop.lower.axes import aligned, bare, closed, opened
from symprop.lower.digits import Cut
from symprop.lower.ir import (
    Axes,
    Einsum,
    MatMul,
    Node,
    Part,
    Product,
    Reduce,
    TensorDot,
    Vdot,
    View,
    Window,
)
from symprop.lower.walk import union


def contract(factors: list[Node], bound: Axes, order: Axes) -> Node:
    """The sum over `bound` of the product of `factors`, axes in `order`."""
    every = (*order, *bound)
    nodes = _without_private(factors, bound, every)
    while len(nodes) > 2 and (
        (merged := _merge_one(nodes, every) or _contract_one(nodes, bound, every)) is not None
    ):
        nodes = _without_private(merged, bound, every)
    bound = tuple(b for b in bound if any(b in n.axes for n in nodes))
    if not bound:
        return aligned(product([aligned(n, every) for n in nodes], every), every)
    if len(nodes) == 1:
        return _summed(nodes[0], bound, every)
    out = tuple(i for i in union(every, *nodes) if i not in bound)
    if len(nodes) == 2:
        return _pair(nodes[0], nodes[1], bound, out, every)
    return Einsum(out, tuple(map(bare, nodes)))


def product(nodes: list[Node], order: Axes) -> Node:
    """The elementwise product, its axes as a full factor has them."""
    if len(nodes) == 1:
        return nodes[0]
    own = natural(nodes, order)
    return Product(union(own, *nodes), Fraction(1), tuple(aligned(n, own) for n in nodes))


def _without_private(nodes: list[Node], bound: Axes, order: Axes) -> list[Node]:
    """Bound indices that only one factor has are summed before anything is multiplied."""
    if len(nodes) == 1:
        return nodes
    counts = {b: sum(b in n.axes for n in nodes) for b in bound}
    return [_summed(n, tuple(b for b in bound if b in n.axes and counts[b] == 1), order)
            for n in nodes]


def _summed(node: Node, bound: Axes, order: Axes) -> Node:
    return reduced("sum", node, bound, order) if bound else node


def reduced(kind: str, node: Node, bound: Axes, order: Axes) -> Node:
    """The sum, max or min over `bound`, axes in `order`; a transposition comes after it."""
    node = bare(node)
    left = tuple(i for i in node.axes if i not in bound)
    return aligned(Reduce(left, kind, node), order)


def natural(nodes: list[Node], order: Axes) -> Axes:
    """The order of axes that a full factor has by itself, else the given one."""
    axes = union(order, *nodes)
    for node in nodes:
        if set(node.axes) == set(axes):
            own = bare(node).axes
            return (*own, *(i for i in order if i not in own))
    return order


def _merge_one(nodes: list[Node], order: Axes) -> list[Node] | None:
    """Multiplies the smallest factor into one that has all its axes."""
    for small in sorted(range(len(nodes)), key=lambda k: len(nodes[k].axes)):
        for large in range(len(nodes)):
            if large != small and set(nodes[small].axes) <= set(nodes[large].axes):
                pair = product([nodes[small], nodes[large]], order)
                return [pair if k == large else n for k, n in enumerate(nodes) if k != small]
    return None


def _pair(left: Node, right: Node, bound: Axes, out: Axes, order: Axes) -> Node:
    a, b = set(left.axes), set(right.axes)
    batch = tuple(i for i in out if i in a and i in b)
    rows = tuple(i for i in out if i in a and i not in b)
    columns = tuple(i for i in out if i in b and i not in a)
    if not out and a == b:
        return Vdot((), left, aligned(right, left.axes))
    if len(bound) == 1 and len(rows) <= 1 and len(columns) <= 1 and (
        not batch or (rows and columns)
    ):
        return _matmul(left, right, bound[0], (batch, rows, columns), out)
    if len(bound) == 1 and not batch:  # (T, N, K) @ (K, M)
        for first, second, before, after in (
            (left, right, rows, columns), (right, left, columns, rows)
        ):
            if len(after) <= 1 and out == (*before, *after):
                return MatMul(out, aligned(first, (*before, *bound)),
                              aligned(second, (*bound, *after)))
    if batch and rows and columns:
        return _batched(left, right, bound, (batch, rows, columns), out)
    if not batch and out:
        inner = {left: _places(left), right: _places(right)}
        side = _side(inner[left], bound) or -_side(inner[right], bound)
        if side > 0 or (not side and out[-1] in a):
            left, right, rows, columns = right, left, columns, rows
        left, right = bare(left), bare(right)
        larger = max(left, right, key=lambda n: len(n.axes))
        bound = tuple(i for i in larger.axes if i in bound)  # copied as it lies in memory
        axes = (*(i for i in left.axes if i in rows), *(i for i in right.axes if i in columns))
        return aligned(TensorDot(axes, left, right, bound), out)
    return Einsum(out, (bare(left), bare(right)))


def sides_in(node: Node) -> Node:
    """A product over several axes whose rows and columns lie in the order of its result."""
    product = bare(node)
    if not isinstance(product, TensorDot):
        return node
    left, right = (aligned(n, (*product.over, *(i for i in node.axes if i in n.axes)))
                   for n in (product.left, product.right))
    axes = (*(i for i in left.axes if i not in product.over),
            *(i for i in right.axes if i not in product.over))
    return aligned(TensorDot(axes, left, right, product.over), node.axes)


def _places(node: Node) -> set[Index]:
    """The indices of the places in a window, for a view of windows."""
    body = bare(node)
    return {s.inner for s in body.subscripts if isinstance(s, Window)} if isinstance(
        body, View) else set()


def _side(places: set[Index], bound: Axes) -> int:
    """Where windows stand in a product: 1 right, -1 left, 0 where they are none.

    They are copied for the product; the long runs of memory lie along the axes that are no
    places in a window, which should be the innermost of the copy.
    """
    return 0 if not places else 1 if places <= set(bound) else -1


def _matmul(
    left: Node, right: Node, over: Index, parts: tuple[Axes, Axes, Axes], out: Axes
) -> Node:
    """left @ right, turned round where that gives the axes in the wanted order."""
    batch, rows, columns = parts
    if (rows and columns and out.index(columns[0]) < out.index(rows[0])) or (not rows and columns):
        left, right, rows, columns = right, left, columns, rows
    result = MatMul(
        (*batch, *rows, *columns),
        aligned(left, (*batch, *rows, over)),
        aligned(right, (*batch, over, *columns)),
    )
    return aligned(result, out)


def _batched(
    left: Node, right: Node, bound: Axes, parts: tuple[Axes, Axes, Axes], out: Axes
) -> Node:
    """left @ right with rows, columns and what is summed over as one axis each."""
    batch, rows, columns = parts
    larger = max(left, right, key=lambda n: len(n.axes))
    over = _cut(tuple(i for i in bare(larger).axes if i in bound))
    down = _cut(tuple(i for i in bare(left).axes if i in rows))
    across = _cut(tuple(i for i in bare(right).axes if i in columns))
    left = aligned(left, (*batch, *down.parts, *over.parts))
    right = aligned(right, (*batch, *over.parts, *across.parts))
    for cut in (down, over):
        left = closed(left, cut)
    for cut in (over, across):
        right = closed(right, cut)
    flat = (batch, (down.whole,), (across.whole,))
    result = _matmul(left, right, over.whole, flat, tuple(
        dict.fromkeys(dict.fromkeys(rows, down.whole).get(
            i, dict.fromkeys(columns, across.whole).get(i, i)) for i in out)))
    return aligned(opened(opened(result, down), across), out)


def _cut(parts: Axes) -> Cut:
    """Several axes as one; a single one stays what it is."""
    if len(parts) == 1:
        return Cut(parts[0], parts)
    return Cut(Part(parts[-1].letter, normal(mul(*(p.size for p in parts)))), parts)


def _contract_one(nodes: list[Node], bound: Axes, order: Axes) -> list[Node] | None:
    """The two factors whose product is cheapest, summed over what no other factor has.

    None where every product would be larger than the factors.
    """
    best: tuple[float, int, int, Axes] | None = None
    for i, j in itertools.combinations(range(len(nodes)), 2):
        together = set(nodes[i].axes) | set(nodes[j].axes)
        others = {a for k, n in enumerate(nodes) if k not in (i, j) for a in n.axes}
        over = tuple(b for b in bound if b in together and b not in others)
        left = volume(together - set(over))
        if not over or left > max(volume(n.axes) for n in nodes):
            continue
        if best is None or volume(together) < best[0]:
            best = (volume(together), i, j, over)
    if best is None:
        return None
    _, i, j, over = best
    axes = tuple(a for a in union(order, nodes[i], nodes[j]) if a not in over)
    pair = _pair(nodes[i], nodes[j], over, axes, order)
    return [pair if k == i else n for k, n in enumerate(nodes) if k != j]
