"""The operations of networks in random programs: windows, heads, norms, attention, loops.

In: a `Builder`. Out: a new value, or None where the operation does not fit.
"""

from __future__ import annotations

import math

from random_builder import Builder, Value
from random_operations import MOST_ENTRIES, OPERATIONS, operation, partner, squashed
from random_tensor_operations import PLAIN, array, product

__all__ = ["OPERATIONS"]
WINDOWS = "np.lib.stride_tricks.sliding_window_view"


def _plain(b: Builder, ranks: tuple[int, ...], bound: float = 6.0) -> Value | None:
    """A small value whose axes are names."""
    x = array(b, ranks, bound)
    fits = x is not None and all(a.isalpha() for a in x.shape) and b.count(x.shape) <= 60
    return x if fits else None


# ---- windows and borders --------------------------------------------------------------------


def _shift(axis: str, by: int) -> str:
    return axis if by == 0 else f"{axis}{by:+d}"


def _windowed(b: Builder, reach: int) -> tuple[Value, int, str] | None:
    """A value, a step along its last axis, and how many windows of `reach` entries that gives.

    The step is 2 only along an axis that is twice another one: sizes are whole.
    """
    if b.rng.random() < 0.5:
        x = _plain(b, (1, 2))
        if x is None or not b.need(x.shape[-1], max(reach, 1)):
            return None
        return x, 1, _shift(x.shape[-1], 1 - reach)
    x = _plain(b, (1, 2))
    if x is None or not b.need(x.shape[-1], max(reach, 1)):
        return None
    axis = x.shape[-1]
    form = b.rng.choice((f"np.repeat({x.text}, 2, axis=-1)",
                         f"np.concatenate([{x.text}, np.sin({x.text})], axis=-1)"))
    long = b.bind(b.made(form, (*x.shape[:-1], f"2*{axis}"), min(x.low, -1), max(x.high, 1), x))
    return long, 2, _shift(axis, (-reach) // 2 + 1)


@operation(3)
def convolved(b: Builder) -> Value | None:
    """A correlation along the last axis: padded or not, with steps, gaps and channels."""
    width, gap, pad = b.rng.choice((1, 2, 3)), b.rng.choice((1, 1, 2)), b.rng.choice((0, 0, 1))
    reach = gap * (width - 1) + 1
    found = _windowed(b, reach - 2 * pad)
    if found is None:
        return None
    x, step, places = found
    code = x.text
    if pad:
        widths = "1" if len(x.shape) == 1 else "((0, 0), (1, 1))"
        code = f"np.pad({x.text}, {widths})"
    windows = f"{WINDOWS}({code}, {reach}, axis=-1)[..., ::{step}, ::{gap}]"
    shape = (*x.shape[:-1], places)
    if len(x.shape) == 2 and b.rng.random() < 0.6:
        w = b.argument((b.rng.choice(PLAIN), x.shape[0], str(width)))
        text = f"np.einsum('ciw,ocw->oi', {windows}, {w.text})"
        return product(b, text, (w.shape[0], places), (x.shape[0], str(width)), x, w)
    w = b.argument((str(width),))
    return product(b, f"{windows} @ {w.text}", shape, (str(width),), x, w, atomic=False)


@operation(2)
def pooled(b: Builder) -> Value | None:
    """The maximum or the mean of pairs along the last axis, overlapping or not."""
    found = _windowed(b, 2)
    if found is None:
        return None
    x, step, places = found
    name = b.rng.choice(("max", "mean", "min"))
    text = f"{WINDOWS}({x.text}, 2, axis=-1)[..., ::{step}, :].{name}(axis=-1)"
    return b.made(text, (*x.shape[:-1], places), x.low, x.high, x)


@operation(2)
def bordered(b: Builder) -> Value | None:
    """A border of zeros, of the edge, of what lies behind a mirror; rolled and flipped."""
    x = _plain(b, (1, 2))
    if x is None:
        return None
    rank, axis = len(x.shape), x.shape[-1]
    widths = "(1, 2)" if rank == 1 else "((0, 0), (1, 2))"
    mode = b.rng.choice(("constant", "edge", "reflect", "wrap", "symmetric", "roll", "flip"))
    if mode == "roll":
        return b.made(f"np.roll({x.text}, {b.rng.choice((1, -2))}, axis=-1)", x.shape,
                      x.low, x.high, x)
    if mode == "flip":
        return b.made(f"np.flip({x.text}, axis=-1)", x.shape, x.low, x.high, x)
    if mode != "constant" and not b.need(axis, 3):
        return None
    text = f"np.pad({x.text}, {widths}, mode={mode!r})"
    return b.made(text, (*x.shape[:-1], f"{axis}+3"), min(x.low, 0), max(x.high, 0), x)


@operation(2)
def joined(b: Builder) -> Value | None:
    """Values one after the other, stacked, cut apart, or their differences."""
    x = _plain(b, (1, 2))
    if x is None:
        return None
    y = partner(b, x.shape)
    low, high, axis = min(x.low, y.low), max(x.high, y.high), x.shape[0]
    kind = b.rng.choice(("concatenate", "stack", "halves", "diff"))
    if kind == "diff":
        if not b.need(axis, 2):
            return None
        return b.made(f"np.diff({x.text}, axis=0)", (f"{axis}-1", *x.shape[1:]),
                      x.low - x.high, x.high - x.low, x)
    if y.shape != x.shape:
        return None
    if kind == "stack":
        return b.made(f"np.stack([{x.text}, {y.text}], axis=-1)", (*x.shape, "2"),
                      low, high, x, y)
    text = f"np.concatenate([{x.text}, {y.text}])"
    if kind == "concatenate":
        return b.made(text, (f"2*{axis}", *x.shape[1:]), low, high, x, y)
    whole = b.bind(b.made(text, (f"2*{axis}", *x.shape[1:]), low, high, x, y))
    size = b.size(axis)
    text = f"np.sin({whole.code}[:{size}]) * {whole.code}[{size}:]"
    return squashed(b, b.made(text, x.shape, -x.bound - y.bound, x.bound + y.bound, whole,
                              atomic=False))


@operation(2)
def in_heads(b: Builder) -> Value | None:
    """An axis joined with another one, cut in two parts, and both exchanged."""
    x = _plain(b, (2, 3))
    if x is None or len(set(x.shape)) < len(x.shape):
        return None
    first, second = x.shape[-2:]
    if b.rng.random() < 0.5:
        text = f"{x.code}.reshape({', '.join(['-1'] * (len(x.shape) == 3) or ['-1'])})"
        if len(x.shape) == 3:
            text = f"{x.code}.reshape({b.size(x.shape[0])}, -1)"
        return b.made(text, (*x.shape[:-2], f"{first}*{second}"), x.low, x.high, x)
    if len(x.shape) == 3:
        return None
    joined_axis = f"2*{second}"
    w = b.argument((first, joined_axis))
    text = f"({x.code}.T @ {w.text}).reshape({b.size(second)}, 2, -1).transpose(1, 0, 2)"
    return product(b, text, ("2", second, second), (first,), x, w)


# ---- products along axes, order -------------------------------------------------------------


@operation(2)
def accumulated(b: Builder) -> Value | None:
    """Running sums and products, whole products."""
    x = _plain(b, (1, 2), 1.6)
    if x is None:
        return None
    axis, size = x.shape[0], b.count(x.shape[:1])
    kind = b.rng.choice(("cumsum", "cumprod", "prod"))
    if kind == "cumsum":
        limit = size * x.bound
        return squashed(b, b.made(f"np.cumsum({x.text}, axis=0)", x.shape, -limit, limit, x))
    limit = max(x.bound, 1.0) ** size
    shape = x.shape if kind == "cumprod" else x.shape[1:]
    assert axis
    return squashed(b, b.made(f"np.{kind}({x.text}, axis=0)", shape, -limit, limit, x))


@operation(1.5)
def ordered(b: Builder) -> Value | None:
    """Sorted, the median, the entry at the first maximum."""
    x = _plain(b, (1, 2))
    if x is None:
        return None
    kind = b.rng.choice(("sort", "argmax", "ptp"))
    if kind == "sort":
        return b.made(f"np.sort({x.text}, axis=-1)", x.shape, x.low, x.high, x)
    if kind == "ptp":
        return b.made(f"np.ptp({x.text}, axis=0)", x.shape[1:], 0.0, x.high - x.low, x)
    if len(x.shape) == 1:
        return b.made(f"{x.code}[np.argmax({x.text})]", (), x.low, x.high, x)
    text = f"{x.code}[np.arange({b.size(x.shape[0])}), np.argmax({x.text}, axis=1)]"
    return b.made(text, x.shape[:1], x.low, x.high, x)


@operation(1.5)
def summed(b: Builder) -> Value | None:
    """einsum with a repeated index, with an ellipsis, implicit, of three operands."""
    x = _plain(b, (2,))
    if x is None:
        return None
    s = x.shape
    kind = b.rng.choice(("ellipsis", "implicit", "three", "diagonal"))
    if kind == "diagonal":
        return product(b, f"np.einsum('ii->i', {x.code} @ {x.code}.T)", s[:1], s[1:], x, x)
    w = b.argument((s[1], b.rng.choice(PLAIN)))
    if kind == "ellipsis":
        return product(b, f"np.einsum('...k,kh->...h', {x.text}, {w.text})",
                       (s[0], w.shape[1]), s[1:], x, w)
    if kind == "implicit":
        return product(b, f"np.einsum('ab,bc', {x.text}, {w.text})", (s[0], w.shape[1]), s[1:],
                       x, w)
    v = b.argument(w.shape[1:])
    return product(b, f"np.einsum('nk,kh,h->n', {x.text}, {w.text}, {v.text})", s[:1],
                   (s[1], w.shape[1]), x, w, v)


# ---- layers ---------------------------------------------------------------------------------


@operation(2)
def normalized(b: Builder) -> Value | None:
    """Layer norm, batch norm, RMS norm, the norm of rows; with or without a residual."""
    x = _plain(b, (2,))
    if x is None:
        return None
    axis = b.rng.choice((0, 1))
    where = f"axis={axis}, keepdims=True"
    size = b.count((x.shape[axis],))
    kind = b.rng.choice(("var", "pieces", "rms", "l2"))
    if kind == "l2":
        text = f"{x.code} / np.sqrt(1 + np.sum({x.code}**2, {where}))"
        return b.made(text, x.shape, -1.0, 1.0, x, atomic=False)
    if kind == "rms":
        text = f"{x.code} / np.sqrt(np.mean({x.code}**2, {where}) + 0.1)"
        limit = min(math.sqrt(size), x.bound / math.sqrt(0.1))
        return b.made(text, x.shape, -limit, limit, x, atomic=False)
    centred = b.bind(b.made(f"{x.code} - {x.code}.mean({where})", x.shape, -2 * x.bound,
                            2 * x.bound, x))
    spread = f"np.var({x.text}, {where})" if kind == "var" else \
        f"({centred.code}**2).mean({where})"
    limit = min(math.sqrt(size), 2 * x.bound / math.sqrt(0.1))
    scaled = b.made(f"{centred.code} / np.sqrt({spread} + 0.1)", x.shape, -limit, limit,
                    x, centred, atomic=False)
    if b.rng.random() < 0.4:
        total = limit + x.bound
        return squashed(b, b.made(f"{x.code} + {scaled.code}", x.shape, -total, total, scaled,
                                  atomic=False))
    return scaled


@operation(1.5)
def attended(b: Builder) -> Value | None:
    """Attention of a matrix to itself or to an argument, causal or not."""
    x = _plain(b, (2,), 3.0)
    if x is None:
        return None
    keys = x if b.rng.random() < 0.5 else b.argument((b.rng.choice(PLAIN), x.shape[1]))
    scores = f"{x.code} @ {keys.code}.T / np.sqrt({b.size(x.shape[1])})"
    if b.rng.random() < 0.5:
        mask = f"np.tri({b.size(x.shape[0])}, {b.size(keys.shape[0])})"
        scores = f"np.where({mask} > 0, {scores}, -np.inf)"
    text = f"nn.softmax({scores}, axis=-1) @ {keys.code}"
    return b.made(text, x.shape, -keys.bound, keys.bound, x, keys, atomic=False)


@operation(1.5)
def looped(b: Builder) -> Value | None:
    """A recurrence along the first axis of a value."""
    x = _plain(b, (2,), 3.0)
    if x is None or b.count(x.shape) > MOST_ENTRIES:
        return None
    start = b.argument((x.shape[1],))
    name = f"step{sum('def step' in line for line in b.lines) or ''}"
    inside = b.rng.choice((
        "np.tanh(carry + entry)", "0.5 * carry + np.sin(entry)",
        f"np.tanh(entry) * nn.sigmoid(carry) + {start.text} * carry / 2",
        "np.maximum(carry, entry)"))
    b.lines += [f"    def {name}(carry, entry):", f"        made = {inside}",
                "        return made, made"]
    limit = x.bound + max(start.bound, 1) + 2
    if "sigmoid" in inside:
        limit = 4.0 * max(start.bound, 1.0)
    text = f"scan({name}, {start.text}, {x.text})[1]"
    return b.made(text, x.shape, -limit, limit, x, start)
