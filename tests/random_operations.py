"""The operations of random programs: each takes live values and makes one from them.

In: a `Builder`. Out: a new value, or None where the operation does not fit.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from random_builder import Builder, Shape, Value

Operation = Callable[[Builder], Value | None]
OPERATIONS: dict[str, tuple[float, Operation]] = {}
MOST_ENTRIES = 250


def operation(weight: float = 1.0) -> Callable[[Operation], Operation]:
    """Registers an operation with its weight."""

    def note(function: Operation) -> Operation:
        OPERATIONS[function.__name__] = (weight, function)
        return function

    return note


def squashed(b: Builder, value: Value) -> Value:
    """The value, or a tame function of it where its entries may be large.

    Nothing saturates: where a sigmoid is 1 up to rounding, 1 - a has no digits left.
    """
    if value.bound <= 6:
        return value
    small = f"{value.code} / {math.ceil(value.bound / 3)}"
    text = b.rng.choice(("np.tanh({})", "np.sin({})", "nn.sigmoid({})", "{}")).format(small)
    limit = 3.0 if text == small else 1.0
    return b.made(text, value.shape, -limit, limit, value, atomic=text != small)


# ---- functions of one value ---------------------------------------------------------------

ANYWHERE: dict[str, Callable[[float], float]] = {
    "np.tanh({})": math.tanh, "nn.sigmoid({})": lambda x: 1 / (1 + math.exp(-x)),
    "nn.relu({})": lambda x: max(x, 0.0), "np.maximum({}, 0)": lambda x: max(x, 0.0),
    "nn.softplus({})": lambda x: math.log1p(math.exp(x)),
    "nn.leaky_relu({}, 0.1)": lambda x: max(x, 0.1 * x),
    "nn.elu({})": lambda x: x if x > 0 else math.expm1(x),
    "np.clip({}, -0.75, 0.5)": lambda x: min(max(x, -0.75), 0.5),
    "np.minimum(0.3, {})": lambda x: min(x, 0.3),
    "np.exp({})": math.exp, "np.expm1({})": math.expm1,
    "np.logaddexp({}, 0.5)": lambda x: math.log(math.exp(x) + math.exp(0.5)),
    "{}**3": lambda x: x**3,
}
BUMPS = ("np.sin({})", "np.cos({})", "nn.gelu({})", 'nn.gelu({}, approximate="tanh")',
         "nn.silu({})")


@operation(5)
def smooth(b: Builder) -> Value | None:
    """An increasing function that is defined everywhere."""
    text, function = b.rng.choice(list(ANYWHERE.items()))
    x = b.pick(lambda v: v.bound <= (2.5 if "exp" in text or "**" in text else 4))
    if x is None:
        return None
    operand = x.text if "({})" in text or "({}," in text or ", {})" in text else x.code
    made = b.made(text.format(operand), x.shape, function(x.low), function(x.high), x,
                  atomic="**" not in text)
    return squashed(b, made)


@operation(1.5)
def bump(b: Builder) -> Value | None:
    """A function that goes up and down."""
    x = b.pick(lambda v: v.bound <= 6)
    if x is None:
        return None
    limit = max(x.bound, 1.0)
    return b.made(b.rng.choice(BUMPS).format(x.text), x.shape, -limit, limit, x)


@operation(1)
def folded(b: Builder) -> Value | None:
    """|x|, x² in three spellings, sign."""
    x = b.pick(lambda v: v.bound <= 4)
    if x is None:
        return None
    text = b.rng.choice(("np.abs({})", "np.square({})", "{}**2", "np.sign({})"))
    if text == "np.sign({})":
        other = b.pick(lambda v: v.shape == x.shape)
        assert other is not None
        return b.made(f"np.sign({x.text}) * {other.code}", x.shape, -other.bound, other.bound,
                      x, other, atomic=False)
    high = x.bound if "abs" in text else x.bound**2
    operand = x.code if "**" in text else x.text
    return b.made(text.format(operand), x.shape, 0.0, high, x, atomic="**" not in text)


@operation(2)
def positive_only(b: Builder) -> Value | None:
    """Logarithms, roots, reciprocals and powers of what is positive."""
    x = b.pick(lambda v: v.low >= 0.1 and v.high <= 60)
    if x is None:
        x = b.argument(_a_shape(b), 0.3, 1.5)
    low, high = x.low, x.high
    choices = {
        f"np.log({x.text})": (math.log(low), math.log(high)),
        f"np.log1p({x.text})": (math.log1p(low), math.log1p(high)),
        f"np.sqrt({x.text})": (math.sqrt(low), math.sqrt(high)),
        f"{x.code}**0.5": (math.sqrt(low), math.sqrt(high)),
        f"{x.code}**-0.5": (high**-0.5, low**-0.5),
        f"1 / {x.code}": (1 / high, 1 / low),
        f"{x.code}**-2": (high**-2, low**-2),
        f"{x.code}**1.7": (low**1.7, high**1.7),
    }
    text = b.rng.choice(list(choices))
    made = b.made(text, x.shape, *choices[text], x, atomic=text.startswith("np."))
    return squashed(b, made)


@operation(1.5)
def shifted(b: Builder) -> Value | None:
    """A value made positive, by its square or its exponential, for what needs that."""
    x = b.pick(lambda v: v.bound <= 2.5)
    if x is None:
        return None
    text, low, high = b.rng.choice((
        (f"1 + {x.code}**2", 1.0, 1 + x.bound**2),
        (f"np.exp({x.text})", math.exp(x.low), math.exp(x.high)),
        (f"nn.softplus({x.text}) + 0.2", 0.2 + math.log1p(math.exp(x.low)),
         0.2 + math.log1p(math.exp(x.high))),
        (f"np.sqrt({x.code}**2 + 0.5)", 0.5**0.5, (x.bound**2 + 0.5) ** 0.5),
    ))
    return b.made(text, x.shape, low, high, x, atomic=text.endswith(")"))


# ---- two values ---------------------------------------------------------------------------


def _a_shape(b: Builder) -> Shape:
    """The shape of some live value."""
    value = b.pick(lambda v: len(v.shape) in (1, 2))
    return value.shape if value is not None else ("N",)


def partner(b: Builder, shape: Shape, low: float = -1.5, high: float = 1.5) -> Value:
    """A value that broadcasts against `shape`: of the same, a shorter or a thinner one."""
    kind = b.rng.choice(("same", "same", "same", "short", "thin", "scalar"))
    found = b.pick(lambda v: v.shape == shape and v.bound <= 6 and v.low >= low)
    if kind == "same" and found is not None and b.rng.random() < 0.7:
        return found
    if kind == "short":
        shape = shape[b.rng.randrange(len(shape) + 1):]
    elif kind == "thin":
        shape = tuple(a if b.rng.random() < 0.5 else "1" for a in shape)
    elif kind == "scalar":
        shape = ()
    there = b.pick(lambda v: v.shape == shape and v.bound <= 6 and v.low >= low)
    if there is not None and b.rng.random() < 0.5:
        return there
    return b.argument(shape, low, high)


def joint(left: Shape, right: Shape) -> Shape | None:
    """The shape to which two shapes broadcast; None where they do not."""
    rank = max(len(left), len(right))
    a, b = (("1",) * (rank - len(s)) + s for s in (left, right))
    if any(x != y and "1" not in (x, y) for x, y in zip(a, b, strict=True)):
        return None
    return tuple(y if x == "1" else x for x, y in zip(a, b, strict=True))


@operation(6)
def binary(b: Builder) -> Value | None:
    """Arithmetic with broadcasting."""
    x = b.pick(lambda v: v.bound <= 6)
    if x is None:
        return None
    sign = b.rng.choice(("+", "-", "*", "*", "/", "maximum", "minimum", "logaddexp"))
    y = partner(b, x.shape, 0.3 if sign == "/" else -1.5)
    shape = joint(x.shape, y.shape)
    if shape is None or b.count(shape) > MOST_ENTRIES or y.bound > 6:
        return None
    swap = sign != "/" and b.rng.random() < 0.5
    x, y = (y, x) if swap else (x, y)
    if sign in ("maximum", "minimum", "logaddexp"):
        limit = max(x.bound, y.bound) + (0.7 if sign == "logaddexp" else 0.0)
        return b.made(f"np.{sign}({x.text}, {y.text})", shape, -limit, limit, x, y)
    corners = {"+": [x.low + y.low, x.high + y.high], "-": [x.low - y.high, x.high - y.low],
               "*": [p * q for p in (x.low, x.high) for q in (y.low, y.high)],
               "/": [p / q for p in (x.low, x.high) for q in (y.low, y.high) if q]}[sign]
    text = f"{x.code} {sign} {y.code}"
    return squashed(b, b.made(text, shape, min(corners), max(corners), x, y, atomic=False))


@operation(2)
def crossed(b: Builder) -> Value | None:
    """Both operands broadcast: a column and a row make a table."""
    x = b.pick(lambda v: len(v.shape) == 1 and v.bound <= 3)
    y = b.pick(lambda v: len(v.shape) == 1 and v.bound <= 3)
    if x is None or y is None or b.count(x.shape + y.shape) > MOST_ENTRIES:
        return None
    column = b.rng.choice((f"{x.code}[:, None]", f"np.expand_dims({x.text}, 1)",
                           f"{x.code}.reshape(-1, 1)"))
    row = b.rng.choice((y.code, f"{y.code}[None, :]", f"np.expand_dims({y.text}, axis=0)"))
    sign = b.rng.choice("+-*")
    limit = x.bound * y.bound if sign == "*" else x.bound + y.bound
    return b.made(f"{column} {sign} {row}", (*x.shape, *y.shape), -limit, limit, x, y,
                  atomic=False)


@operation(2)
def scaled(b: Builder) -> Value | None:
    """Arithmetic with numbers and sizes."""
    x = b.pick(lambda v: v.bound <= 6)
    if x is None:
        return None
    c = b.rng.choice((0.5, -1, 2, 0.25, 1.5))
    texts = [(f"{c} * {x.code}", c * x.low, c * x.high), (f"{x.code} + {c}", x.low + c, x.high + c),
             (f"{c} - {x.code}", c - x.high, c - x.low), (f"-{x.code}", -x.high, -x.low)]
    if x.shape:
        size = b.size(b.rng.choice(x.shape))
        texts += [(f"{x.code} / {size}", -x.bound, x.bound),
                  (f"{x.code} / np.sqrt({size})", -x.bound, x.bound)]
    text, one, other = b.rng.choice(texts)
    low, high = min(one, other), max(one, other)
    return squashed(b, b.made(text, x.shape, low, high, x, atomic=False))
