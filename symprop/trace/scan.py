"""A loop over an axis as a recurrence: the signature and meaning of `jax.lax.scan`.

In: a step function, the first carry, arrays to run over. Out: the last carry and the stacked
outputs. On traced arrays the step runs once, at a symbolic time t:

    h_prev[t] = [t = 0] init + [1 <= t] h[t-1]

and equations that do not depend on the recurrence are not part of it. On plain arrays it is a
loop.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from symprop.algebra.build import ONE, ZERO, access, add, idx, iverson, mul, sub, substitute
from symprop.algebra.canonical import normal
from symprop.algebra.expr import Expr, Index
from symprop.check.trees import children, sequence
from symprop.errors import DTypeError, InputError, ShapeError, TraceError, UnsupportedError
from symprop.trace.coerce import as_traced
from symprop.trace.context import located
from symprop.trace.elementwise import named
from symprop.trace.fillable import is_symbolic
from symprop.trace.naming import CARRY, PREVIOUS, is_whole
from symprop.trace.registry import NAMED
from symprop.trace.running import active, current
from symprop.trace.shapes_of import new_axes
from symprop.trace.sizes import same_size, size_expr
from symprop.trace.tensor import Traced
from symprop.trace.text import shape_text, size_text
from symprop.trace.tracer import Draft


def scan(
    step: Callable[[Any, Any], Any], init: Any, xs: Any = None, length: Any = None,
    reverse: bool = False,
) -> Any:
    """Run `carry, y = step(carry, x)` along axis 0 of `xs`; return (last carry, stacked ys).

    `init`, `xs` and `ys` may be structures of arrays. With `xs=None`, `length` says how often.
    `reverse` runs from the last entry to the first; ys stay in the order of xs. For another
    axis, move it to the front (np.moveaxis). Within the step of a scan, a scan over an axis
    given as a number is written out step by step.
    Raises ShapeError where lengths differ or a step changes the shape of its carry,
    UnsupportedError for a scan over a named axis within the step of a scan.

    >>> scan(lambda total, x: (total + x, total + x), 0.0, np.array([1.0, 2.0, 3.0]))
    (np.float64(6.0), array([1., 3., 6.]))
    """
    _check_step(step)
    if reverse:
        carry, ys = scan(step, init, _changed(xs, _backwards), length)
        return carry, _changed(ys, _backwards)
    leaves = [*_leaves(init), *_leaves(xs)]
    if active() is not None and (any(map(is_symbolic, leaves)) or is_symbolic(length)):
        return _traced(step, init, xs, length)
    return _looped(step, init, xs, length)


def recurrence(step: Callable[[Any, Any], Any], init: Any, xs: Any) -> Any:
    """`scan` of traced arrays for symprop's own definitions: the step's variables name nothing."""
    return _traced(step, init, xs, None, observed=False)


def _backwards(leaf: Any) -> Any:
    return leaf[::-1] if isinstance(leaf, Traced) else np.asarray(leaf)[::-1]


# ---- structures ---------------------------------------------------------------------------


def _leaves(tree: Any) -> list[Any]:
    if tree is None:
        return []
    parts = children(tree)
    if parts is None:
        return [tree]
    return [leaf for part in parts.values() for leaf in _leaves(part)]


def _changed(tree: Any, change: Callable[[Any], Any]) -> Any:
    """The structure with every leaf changed."""
    if tree is None:
        return None
    parts = children(tree)
    if parts is None:
        return change(tree)
    built = {key: _changed(part, change) for key, part in parts.items()}
    if isinstance(tree, dict):
        return built
    if isinstance(tree, list | tuple):
        return sequence(type(tree), built.values())
    return type(tree)(**built)


def _form(tree: Any) -> Any:
    """What must agree between the carry before and after a step."""
    if tree is None:
        return None
    parts = children(tree)
    return "array" if parts is None else {key: _form(part) for key, part in parts.items()}


def _check_step(step: Any) -> None:
    """InputError for what cannot be called with a carry and an entry."""
    try:
        inspect.signature(step).bind(None, None)
    except ValueError:  # a builtin, which has no signature
        return
    except TypeError as error:
        raise located(InputError, "the step of a scan is a function of (carry, x)") from error


def _pair(result: Any) -> tuple[Any, Any]:
    if not isinstance(result, tuple) or len(result) != 2:
        raise located(TraceError, "the step of a scan must return (carry, y)")
    return result


def _check_form(before: Any, after: Any) -> None:
    if _form(before) != _form(after):
        raise located(ShapeError, (
            "the step of a scan must return a carry of the structure that it takes: "
            f"{_form(after)} is not {_form(before)}"))


# ---- plain arrays -------------------------------------------------------------------------


def _looped(step: Callable[[Any, Any], Any], init: Any, xs: Any, length: Any) -> Any:
    arrays = [np.asarray(leaf) for leaf in _leaves(xs)]
    lengths = {a.shape[0] for a in arrays if a.ndim} | ({length} if length is not None else set())
    if len(lengths) != 1 or any(not a.ndim for a in arrays):
        raise ShapeError(f"scan needs one length, not {sorted(lengths)}")
    carry, outputs = init, []
    for t in range(lengths.pop()):
        carry_, y = _pair(step(carry, _changed(xs, _entry(t))))
        _check_form(carry, carry_)
        carry = carry_
        outputs.append(y)
    if not outputs:
        raise ShapeError("scan over an axis without entries")
    columns = [np.stack(column) for column in zip(*map(_leaves, outputs), strict=True)]
    stacked = iter(columns)
    return carry, _changed(outputs[0], lambda _: next(stacked))


def _entry(t: int) -> Callable[[Any], Any]:
    return lambda leaf: np.asarray(leaf)[t]


# ---- traced arrays ------------------------------------------------------------------------


def _traced(
    step: Callable[[Any, Any], Any], init: Any, xs: Any, length: Any, observed: bool = True
) -> Any:
    tracer = current()
    arrays = [as_traced(leaf) for leaf in _leaves(xs)]
    time = Index("t", _length(arrays, length))
    if tracer.loops:
        return _written_out(step, init, xs, time.size)
    starts = [as_traced(leaf) for leaf in _leaves(init)]
    tracer.loops.append(time)
    if observed:
        tracer.observer.own_code(step, tracer.observer.level_here())
    try:
        carries = [_placeholder(start, time) for start in starts]
        before = iter(carries)
        inputs = iter([_at_time(a, time) for a in arrays])
        result, y = _pair(step(
            _changed(init, lambda _: next(before)), _changed(xs, lambda _: next(inputs))))
        _check_form(init, result)
        after = [_kept(as_traced(leaf)) for leaf in _leaves(result)]
        outputs = [as_traced(leaf) for leaf in _leaves(y)]
        for start, carry, new in zip(starts, carries, after, strict=True):
            _close(start, carry, new, time)
    finally:
        tracer.loops.remove(time)
    last = iter([_last(new, time) for new in after])
    stacked = iter([_stacked(output, time) for output in outputs])
    return _changed(init, lambda _: next(last)), _changed(y, lambda _: next(stacked))


def _written_out(step: Callable[[Any, Any], Any], init: Any, xs: Any, length: Expr) -> Any:
    """A scan within the step of a scan, step by step."""
    if length.number is None:
        raise located(UnsupportedError, (
            f"a recurrence over the axis {size_text(length)} within the step of a scan cannot be "
            "traced: declare that axis as a number, or run the loops one after the other"))
    carry, outputs = init, []
    for t in range(int(length.number)):
        result, y = _pair(step(carry, _changed(xs, _traced_entry(t))))
        _check_form(carry, result)
        carry = result
        outputs.append(y)
    columns = [NAMED["stack"](column) for column in zip(*map(_leaves, outputs), strict=True)]
    stacked = iter(columns)
    return carry, _changed(outputs[0], lambda _: next(stacked))


def _traced_entry(t: int) -> Callable[[Any], Any]:
    return lambda leaf: as_traced(leaf)[t]


def _length(arrays: Sequence[Traced], length: Any) -> Expr:
    """The number of steps. ShapeError where the arrays disagree."""
    sizes = []
    for array in arrays:
        if not array.ndim:
            raise located(ShapeError, "scan: a scalar has no axis to run along")
        sizes.append(array.sizes[0])
    if length is not None:
        given = size_expr(length)
        if given is None:
            raise located(InputError, f"scan: the length {length!r} is not a size")
        sizes.append(given)
    if not sizes:
        raise located(InputError, "scan needs arrays to run over, or a length")
    for size in sizes[1:]:
        if not same_size(size, sizes[0]):
            raise located(ShapeError, (
                f"scan: the arrays have {size_text(sizes[0])} and {size_text(size)} steps"))
    return sizes[0]


def _placeholder(start: Traced, time: Index) -> Traced:
    """The carry as the step finds it: its equation is written when the step has run."""
    axes = new_axes(start.sizes)
    formal = [a for a in axes if a.size != ONE]
    if time.size == ONE:
        return Traced(start.tracer, axes, start.aligned(axes), "float")
    draft = start.tracer.reserve([time, *formal], "float", CARRY)
    body = access(draft.array, [idx(time), *(idx(a) for a in formal)])
    return Traced(start.tracer, axes, body, "float")


def _at_time(array: Traced, time: Index) -> Traced:
    axes = array.axes[1:]
    return array.view(axes, [idx(time), *(idx(a) for a in axes)])


def _kept(new: Traced) -> Traced:
    """The new carry as an equation of its own, which the next step reads."""
    if new.kind == "bool":
        raise located(DTypeError, "scan: a carry of truth values")
    return new if new.draft is not None and is_whole(new) else named(new)


def _close(start: Traced, carry: Traced, new: Traced, time: Index) -> None:
    """Writes the equation of the carry: the start at first, then what the step before made."""
    if len(new.sizes) != len(start.sizes) or not all(
            map(same_size, new.sizes, start.sizes)):
        raise located(ShapeError, (
            f"scan: a step turns a carry of shape {shape_text(start.sizes)} into one of shape "
            f"{shape_text(new.sizes)}"))
    draft = carry.draft
    if draft is None or time.size == ONE:
        return
    first = iverson("==", idx(time), ZERO)
    later = iverson("<=", ONE, idx(time))
    earlier = substitute(new.aligned(carry.axes), {time: normal(sub(idx(time), ONE))})
    draft.rhs = add(mul(first, start.aligned(carry.axes)), mul(later, earlier))
    _name_carry(draft, new.draft, carry.tracer)


def _name_carry(carry: Draft, new: Draft | None, tracer: Any) -> None:
    """The old carry is called as the step calls it, or after the new one."""
    hint = carry.local
    carry.local = None
    if new is None or new is carry:
        carry.name = hint
        return
    new.name = new.name or hint
    if not (hint or new.name or new.local):
        return
    base = new.name or new.local or "carry"
    carry.name = hint if hint and hint != base and hint not in tracer.taken else base + PREVIOUS


def _last(new: Traced, time: Index) -> Traced:
    """The carry after the last step."""
    end = normal(sub(time.size, ONE))
    return Traced(new.tracer, new.axes, substitute(new.body, {time: end}), new.kind)


def _stacked(output: Traced, time: Index) -> Traced:
    """An output of every step, along a new first axis."""
    fresh = Index(time.letter, time.size)
    body = substitute(output.body, {time: idx(fresh)})
    return Traced(output.tracer, [fresh, *output.axes], body, output.kind)
