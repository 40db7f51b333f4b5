"""What NumPy computes with: the dtype of a node, as far as it matters.

In: nodes. Out: one of four flavours. float32 must stay float32: a Python number beside a
float array leaves its dtype alone, beside booleans or integers it makes float64.
"""

from __future__ import annotations

from symprop.lower.ir import (
    Arange,
    Both,
    Call,
    Cast,
    Compare,
    Infinity,
    Local,
    LoopIndex,
    Node,
    Number,
    Power,
    Product,
    Reduce,
    SizeOf,
    Sum,
    View,
    Where,
)

FLOAT, BOOL, WHOLE, SCALAR = "float", "bool", "int", "scalar"


def flavour(node: Node) -> str:
    """What NumPy computes with: floats of the module's dtype, bools, ints, or Python numbers.

    Only floats and Python numbers leave the dtype of a product or a sum alone.
    """
    if isinstance(node, (Number, SizeOf, Infinity, LoopIndex)):
        return SCALAR
    if isinstance(node, (Compare, Both)):
        return BOOL
    if isinstance(node, Arange):
        return WHOLE if node.integer else FLOAT
    if isinstance(node, Local):
        return node.flavour
    if isinstance(node, View):
        return {"int": WHOLE}.get(node.dtype, node.dtype)
    if isinstance(node, Cast) and not node.axes:
        return SCALAR
    if isinstance(node, Cast) and node.whole:
        return WHOLE
    if isinstance(node, Reduce):
        inner = flavour(node.body)
        return WHOLE if inner == BOOL and node.kind == "sum" else inner
    body = getattr(node, "body", None)
    if isinstance(body, Node) and not isinstance(node, Cast):  # the same numbers elsewhere
        return flavour(body)
    parts: tuple[Node, ...]
    if isinstance(node, Sum):
        parts = tuple(n for _, n in node.terms)
    elif isinstance(node, Product):
        parts = (*node.above, *node.below)
        if all(flavour(n) == BOOL for n in parts) and node.coef == 1 and not node.below:
            return BOOL
    elif isinstance(node, Where):
        parts = (node.yes, node.no)
        if all(flavour(n) == BOOL for n in parts):
            return BOOL
    elif isinstance(node, (Call, Power)):
        parts = node.args if isinstance(node, Call) else (node.base,)
    else:
        return FLOAT
    return _mixed(node, parts)


def _mixed(node: Node, parts: tuple[Node, ...]) -> str:
    """A float32 array comes only from one: a Python float beside booleans makes float64."""
    if isinstance(node, Where) and not node.axes:  # a Python conditional: one of them it is
        return FLOAT if all(flavour(n) == FLOAT for n in parts) else SCALAR
    if any(flavour(n) == FLOAT for n in parts if n.axes or not node.axes):
        return FLOAT
    if isinstance(node, Where) and node.axes:
        return WHOLE
    return SCALAR if all(flavour(n) == SCALAR for n in parts) else WHOLE


def guards(condition: Node) -> bool:
    """Whether a condition compares sizes and a loop's index: reads behind it must be lazy."""
    if isinstance(condition, Both):
        return any(map(guards, condition.conditions))
    return isinstance(condition, Compare) and all(
        flavour(n) == SCALAR for n in (condition.left, condition.right))


def is_float(node: Node) -> bool:
    """Whether a node holds floats of the module's dtype."""
    return flavour(node) == FLOAT
