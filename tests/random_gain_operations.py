"""Operations whose factors may be zero: gains, gates, temperatures, factors that begin at zero.

In: a `Builder`. Out: a new value, or None where the operation does not fit. They are drawn
beside the others of random programs where a program is to have them.
"""

from __future__ import annotations

from random_builder import Builder, Shape, Value
from random_operations import Operation, squashed
from random_tensor_operations import PLAIN, array

GAINED: dict[str, tuple[float, Operation]] = {}


def gained(weight: float = 1.0):
    """Registers an operation with its weight."""

    def note(function: Operation) -> Operation:
        GAINED[function.__name__] = (weight, function)
        return function

    return note


def factor(b: Builder, shape: Shape = ()) -> Value:
    """A factor, in half of the cases one that is exactly zero."""
    return b.argument(shape, *b.rng.choice(((0.0, 0.0), (-1.5, 1.5))))


def plain(b: Builder, ranks: tuple[int, ...] = (1, 2), bound: float = 3.0) -> Value | None:
    """A small value whose axes are names."""
    x = array(b, ranks, bound)
    return x if x is not None and all(a.isalpha() for a in x.shape) else None


@gained(3)
def several_scalars(b: Builder) -> Value | None:
    """a b X, in any order, with one to three scalars."""
    x = plain(b)
    if x is None:
        return None
    parts = [factor(b) for _ in range(b.rng.randint(1, 3))]
    codes = [x.code, *(p.code for p in parts)]
    b.rng.shuffle(codes)
    limit = x.bound * 1.5 ** len(parts)
    return squashed(b, b.made(" * ".join(codes), x.shape, -limit, limit, x, *parts, atomic=False))


@gained(3)
def scaled_product(b: Builder) -> Value | None:
    """(a b X) @ W, where the scalars belong to the product as a whole."""
    x = plain(b, (2,), 1.5)
    if x is None:
        return None
    a, w = factor(b), b.argument((x.shape[1], b.rng.choice(PLAIN)), -1.0, 1.0)
    text = b.rng.choice((f"({a.code} * {x.code}) @ {w.code}", f"{a.code} * {x.code} @ {w.code}",
                         f"({a.code}**2 * {x.code}) @ {w.code}"))
    limit = 2.25 * b.count(x.shape[1:]) * x.bound
    shape = (x.shape[0], w.shape[1])
    return squashed(b, b.made(text, shape, -limit, limit, a, x, w, atomic=False))


@gained(3)
def rezero(b: Builder) -> Value | None:
    """x + g tanh(y): a block that begins as the identity."""
    x = plain(b)
    y = b.pick(lambda v: x is not None and v.shape == x.shape and v.bound <= 4)
    if x is None or y is None:
        return None
    g = factor(b)
    limit = x.bound + 1.5
    return b.made(f"{x.code} + {g.code} * np.tanh({y.text})", x.shape, -limit, limit, x, y, g,
                  atomic=False)


@gained(3)
def row_gate(b: Builder) -> Value | None:
    """One number a row or a column, as it is or through a sigmoid."""
    x = plain(b, (2,))
    if x is None:
        return None
    by_row = b.rng.random() < 0.5
    g = factor(b, (x.shape[0] if by_row else x.shape[1],))
    gate = b.rng.choice((g.code, f"nn.sigmoid({g.text})"))
    text = f"{gate}[:, None] * {x.code}" if by_row else f"{gate} * {x.code}"
    limit = 1.5 * x.bound
    return b.made(text, x.shape, -limit, limit, x, g, atomic=False)


@gained(2)
def tempered(b: Builder) -> Value | None:
    """A softmax at a temperature that may be infinite, beside a gain."""
    x = plain(b, (2,))
    if x is None:
        return None
    beta, g = factor(b), factor(b)
    text = f"{g.code} * nn.softmax({beta.code} * {x.code}, axis=-1)"
    return b.made(text, x.shape, -1.5, 1.5, x, beta, g, atomic=False)


@gained(2)
def low_rank(b: Builder) -> Value | None:
    """X A B with a factor that begins at zero."""
    x = plain(b, (2,), 1.5)
    if x is None:
        return None
    inner, outer = b.rng.choice(PLAIN), b.rng.choice(PLAIN)
    a, c = b.argument((x.shape[1], inner), -1.0, 1.0), b.argument((inner, outer), 0.0, 0.0)
    text = f"{x.code} @ {a.code} @ {c.code}"
    limit = x.bound * b.count((x.shape[1], inner))
    return squashed(b, b.made(text, (x.shape[0], outer), -limit, limit, x, a, c, atomic=False))
