"""Products over several axes, and stacks times one turned matrix, as products of two matrices.

In: a node. Out: the same value. np.tensordot reshapes its operands, multiplies, and reshapes what
comes out; written down, the product has a place for its result. `du @ W.T` with du over (N, T, F)
multiplies matrix by matrix and reads W across its rows for each; as
`(du.reshape(N * T, F) @ W.T).reshape(N, T, D)` it packs W once: 5 to 15 % less time where T is 128,
20 to 45 % where it is 32. It is harder to read, so only the fast style has it.
"""

from __future__ import annotations

from symprop.algebra.build import mul
from symprop.algebra.canonical import normal
from symprop.lower.axes import aligned, closed, opened
from symprop.lower.digits import Cut
from symprop.lower.ir import Axes, MatMul, Node, Part, Stretch, TensorDot, Transpose, View
from symprop.lower.shares import exchanged
from symprop.lower.walk import inner


def flattened(node: Node) -> Node:
    """The node with such products flat."""
    for product in [n for n in inner(node) if isinstance(n, TensorDot) and _has_sides(n)]:
        node = exchanged(node, product, _multiplied(product))
    for stack in [n for n in inner(node) if isinstance(n, MatMul) and _fits(n)]:
        rows = _joined(stack.axes[:-1])
        flat = MatMul((rows.whole, stack.axes[-1]), closed(stack.left, rows), stack.right)
        node = exchanged(node, stack, opened(flat, rows))
    return node


def _has_sides(product: TensorDot) -> bool:
    """Whether rows and columns are left of a product."""
    return all(set(n.axes) > set(product.over) for n in (product.left, product.right))


def _multiplied(product: TensorDot) -> Node:
    """A product over several axes with rows, columns and what is summed over as one axis each."""
    over = _joined(product.over)
    down, across = (_joined(tuple(a for a in n.axes if a not in product.over))
                    for n in (product.left, product.right))
    left = aligned(product.left, (*down.parts, *over.parts))
    right = aligned(product.right, (*over.parts, *across.parts))
    flat = MatMul((down.whole, across.whole), closed(closed(left, down), over),
                  closed(closed(right, over), across))
    return aligned(opened(opened(flat, down), across), product.axes)


def _joined(axes: Axes) -> Cut:
    """Several axes as one; a single one stays what it is."""
    if len(axes) == 1:
        return Cut(axes[0], axes)
    return Cut(Part(axes[-1].letter, normal(mul(*(a.size for a in axes)))), axes)


def _fits(product: MatMul) -> bool:
    """Whether a stack that lies in order is multiplied with one matrix that is turned."""
    left, right = product.left, product.right
    stacked = len(product.axes) > 2 and left.axes[:-1] == product.axes[:-1]
    turned = isinstance(right, Transpose) and len(right.axes) == 2
    return stacked and turned and not isinstance(left, Transpose) and not (
        isinstance(left, View) and any(isinstance(s, Stretch) for s in left.subscripts))
