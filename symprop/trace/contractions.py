"""Sums of products: matmul, dot, outer, einsum and what else is one.

In: operands and NumPy's conventions for their axes. Out: traced arrays, one equation each.
"""

from __future__ import annotations

import string
from collections.abc import Sequence
from typing import Any

from symprop.algebra.build import ONE, mul
from symprop.algebra.expr import Expr, Index
from symprop.errors import ShapeError, TraceError, UnsupportedError
from symprop.trace.arithmetic import multiply
from symprop.trace.coerce import as_traced
from symprop.trace.context import located
from symprop.trace.elementwise import defined, result_kind
from symprop.trace.reductions import sum_, summed
from symprop.trace.registry import function, method, ufunc
from symprop.trace.shapes_of import broadcast, expect_same, new_axes, normal_axis, positions
from symprop.trace.sizes import fits
from symprop.trace.tensor import Traced
from symprop.trace.text import size_text


def _contracted(
    arrays: Sequence[Traced], entries: Sequence[Expr], bound: Sequence[Index],
    axes: Sequence[Index], op: str,
) -> Traced:
    kind = result_kind(arrays)
    product = mul(*entries) if entries else ONE
    return defined(summed(product, bound), axes, "int" if kind == "bool" else kind, op)


def _pair(left: Any, right: Any, what: str) -> tuple[Traced, Traced]:
    a, b = as_traced(left), as_traced(right)
    for array in (a, b):
        if not array.ndim:
            raise located(ShapeError, f"{what}: {array.described()} has no axes; use *")
    return a, b


@ufunc("matmul")
def matmul(left: Any, right: Any, **options: Any) -> Traced:
    """left @ right, with NumPy's rules for vectors and stacks of matrices."""
    a, b = _pair(left, right, "@")
    inner = b.ndim - 2 if b.ndim > 1 else 0
    expect_same("@", a, a.ndim - 1, b, inner)
    stack = broadcast((_outer(a), _outer(b)), "@")
    rows = new_axes(a.sizes[-2:-1])
    columns = new_axes(b.sizes[-1:]) if b.ndim > 1 else ()
    (bound,) = new_axes([b.sizes[inner]])
    left_positions = [*positions(_last(stack, a)), *positions(rows), *positions([bound])]
    right_positions = [*positions(_last(stack, b)), *positions([bound]), *positions(columns)]
    entries = (a.at(left_positions), b.at(right_positions))
    return _contracted((a, b), entries, [bound], (*stack, *rows, *columns), "matmul")


def _outer(array: Traced) -> Traced:
    """The stack of matrices without the matrices."""
    kept = array.axes[:-2] if array.ndim > 2 else ()
    return Traced(array.tracer, kept, ONE, array.kind)


def _last(stack: Sequence[Index], array: Traced) -> Sequence[Index]:
    count = max(array.ndim - 2, 0)
    return stack[len(stack) - count:]


@ufunc("vecdot")
def vecdot(left: Any, right: Any, axis: Any = -1, **options: Any) -> Traced:
    """The sum over one axis of the broadcast product."""
    return sum_(multiply(left, right), axis=axis)


@function("dot")
@method("dot")
def dot(a: Any, b: Any, out: Any = None) -> Traced:
    """Sums over the last axis of a and the last but one of b; with a scalar: the product."""
    left, right = as_traced(a), as_traced(b)
    if out is not None:
        raise located(TraceError, "np.dot with out= writes into an array: it cannot be traced")
    if not left.ndim or not right.ndim:
        return multiply(left, right)
    if left.ndim <= 2 and right.ndim <= 2:
        return matmul(left, right)
    return tensordot(left, right, ((left.ndim - 1,), (max(right.ndim - 2, 0),)))


@function("inner")
def inner(a: Any, b: Any) -> Traced:
    """Sums over the last axes."""
    left, right = as_traced(a), as_traced(b)
    if not left.ndim or not right.ndim:
        return multiply(left, right)
    return tensordot(left, right, ((left.ndim - 1,), (right.ndim - 1,)))


@function("vdot")
def vdot(a: Any, b: Any) -> Traced:
    """The sum of the products of all entries, whatever the shapes."""
    left, right = as_traced(a).ravel(), as_traced(b).ravel()
    same = as_traced(a), as_traced(b)
    if [*map(size_text, same[0].sizes)] == [*map(size_text, same[1].sizes)]:
        axes = new_axes(same[0].sizes)
        entries = [x.at(positions(axes)) for x in same]
        return _contracted(same, entries, axes, (), "vdot")
    return matmul(left, right)


@function("outer")
@ufunc("multiply.outer")
def outer(a: Any, b: Any, out: Any = None) -> Traced:
    """The products of every entry of a with every entry of b."""
    left, right = as_traced(a).ravel(), as_traced(b).ravel()
    return tensordot(left, right, 0)


@function("tensordot")
def tensordot(a: Any, b: Any, axes: Any = 2) -> Traced:
    """Sums over pairs of axes."""
    left, right = as_traced(a), as_traced(b)
    mine, theirs = _paired_axes(axes, left, right)
    own, other = new_axes(left.sizes), list(new_axes(right.sizes))
    for i, j in zip(mine, theirs, strict=True):
        expect_same("tensordot", left, i, right, j)
        other[j] = own[i]
    bound = [own[i] for i in mine]
    free = [x for k, x in enumerate(own) if k not in mine]
    free += [x for k, x in enumerate(other) if k not in theirs]
    entries = (left.at(positions(own)), right.at(positions(other)))
    return _contracted((left, right), entries, bound, free, "tensordot")


def _paired_axes(axes: Any, left: Traced, right: Traced) -> tuple[list[int], list[int]]:
    if isinstance(axes, int):
        if axes > min(left.ndim, right.ndim):
            raise located(ShapeError, f"tensordot: {axes} axes are more than the arrays have")
        return [*range(left.ndim - axes, left.ndim)], [*range(axes)]
    mine, theirs = (x if isinstance(x, list | tuple) else (x,) for x in axes)
    if len(mine) != len(theirs):
        raise located(ShapeError, "tensordot: the two lists of axes are not of one length")
    return ([normal_axis(x, left.ndim, "tensordot") for x in mine],
            [normal_axis(x, right.ndim, "tensordot") for x in theirs])


@function("trace")
@method("trace")
def trace(a: Any, offset: Any = 0, axis1: Any = 0, axis2: Any = 1, dtype: Any = None,
          out: Any = None) -> Traced:
    """The sum of a diagonal."""
    return as_traced(a).diagonal(offset, axis1, axis2).sum(axis=-1)  # type: ignore[no-any-return]


@function("kron")
def kron(a: Any, b: Any) -> Traced:
    """The blocks a[i,j] b, for arrays of any rank."""
    left, right = as_traced(a), as_traced(b)
    rank = max(left.ndim, right.ndim)
    left, right = (x.reshape(*[1] * (rank - x.ndim), *x.shape) for x in (left, right))
    letters = string.ascii_letters
    mine, theirs = letters[:rank], letters[rank:2 * rank]
    pairs = "".join(i + k for i, k in zip(mine, theirs, strict=True))
    product = einsum(f"{mine},{theirs}->{pairs}", left, right)
    return product.reshape(*(  # type: ignore[no-any-return]
        m * p for m, p in zip(left.shape, right.shape, strict=True)))


# ---- einsum -------------------------------------------------------------------------------


@function("einsum")
def einsum(*operands: Any, out: Any = None, optimize: Any = False, **options: Any) -> Traced:
    """A sum of products in Einstein's notation, explicit or implicit, with an ellipsis."""
    if out is not None:
        raise located(TraceError, "np.einsum with out= writes into an array: it cannot be traced")
    if not operands or not isinstance(operands[0], str):
        operands = _spelled_as_text(operands)
    arrays = [as_traced(o) for o in operands[1:]]
    inputs, output = _subscripts(operands[0], arrays)
    table: dict[str, Index] = {}
    owner: dict[str, tuple[Traced, int]] = {}
    entries = []
    for text, array in zip(inputs, arrays, strict=True):
        for axis, letter in enumerate(text):
            _note_axis(letter, array, axis, table, owner)
        entries.append(array.at(positions([table[x] for x in text])))
    bound = [i for letter, i in table.items() if letter not in output]
    return _contracted(arrays, entries, bound, [table[x] for x in output], "einsum")


def _spelled_as_text(operands: Sequence[Any]) -> tuple[Any, ...]:
    """einsum(x, [0, 1], y, [1, 2], [0, 2]) as einsum("ab,bc->ac", x, y)."""
    lists = [*operands[1::2], *(operands[-1:] if len(operands) % 2 else ())]
    if not lists or not all(isinstance(x, list | tuple) for x in lists):
        raise located(UnsupportedError, (
            "np.einsum is traced with its subscripts as a text, or as a list behind every operand"))
    texts = ["".join("..." if k is Ellipsis else string.ascii_letters[k] for k in x)
             for x in lists]
    count = len(operands) // 2
    arrow = f"->{texts[count]}" if len(operands) % 2 else ""
    return (",".join(texts[:count]) + arrow, *operands[:2 * count:2])


def _note_axis(
    letter: str, array: Traced, axis: int, table: dict[str, Index],
    owner: dict[str, tuple[Traced, int]],
) -> None:
    size = array.sizes[axis]
    if letter not in table or (table[letter].size == ONE and size != ONE):
        (table[letter],) = new_axes([size])
        owner[letter] = (array, axis)
    elif size != ONE and not fits(size, table[letter].size):
        other, place = owner[letter]
        raise located(ShapeError, (
            f"einsum: the index {letter} is axis {place} of {other.described()} with size "
            f"{size_text(other.sizes[place])}, and axis {axis} of {array.described()} with size "
            f"{size_text(size)}"))


def _subscripts(text: str, arrays: Sequence[Traced]) -> tuple[list[str], str]:
    """The letters of every operand and of the result, ellipses spelled out."""
    text = text.replace(" ", "")
    left, arrow, right = text.partition("->")
    parts = left.split(",")
    if len(parts) != len(arrays):
        raise located(ShapeError, (
            f"einsum: {text!r} names {len(parts)} operands, but {len(arrays)} are given"))
    unused = [c for c in string.ascii_letters if c not in text]
    inputs = [_spelled(p, a, unused) for p, a in zip(parts, arrays, strict=True)]
    longest = max((len(i) - len(p.replace("...", "")) for i, p in
                   zip(inputs, parts, strict=True) if "..." in p), default=0)
    dots = "".join(unused[len(unused) - longest:]) if longest else ""
    if not arrow:
        joined = "".join(p.replace("...", "") for p in parts)
        right = dots + "".join(sorted(c for c in set(joined) if joined.count(c) == 1))
    output = right.replace("...", dots)
    if len(set(output)) != len(output) or any(
            c not in "".join(inputs) or not c.isalpha() for c in output):
        raise located(UnsupportedError, (
            f"einsum: the result of {text!r} must name indices of the operands, each once"))
    return inputs, output


def _spelled(part: str, array: Traced, unused: Sequence[str]) -> str:
    letters = part.replace("...", "")
    if not all(c.isalpha() for c in letters):
        raise located(UnsupportedError, f"einsum: {part!r} is not a list of letters")
    missing = array.ndim - len(letters)
    if missing < 0 or (missing and "..." not in part):
        raise located(ShapeError, (
            f"einsum: {part!r} names {len(letters)} axes of {array.described()}"))
    dots = "".join(unused[len(unused) - missing:]) if missing else ""
    return part.replace("...", dots)
