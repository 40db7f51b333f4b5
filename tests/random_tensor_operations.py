"""More operations of random programs: contractions, reductions, shapes, indexing, choices.

In: a `Builder`. Out: a new value, or None where the operation does not fit.
"""

from __future__ import annotations

import math

from random_builder import PRIMES, Builder, Shape, Value
from random_operations import (
    MOST_ENTRIES,
    OPERATIONS,
    joint,
    operation,
    partner,
    squashed,
)

__all__ = ["OPERATIONS"]
PLAIN = tuple(PRIMES)


def array(b: Builder, rank: tuple[int, ...], bound: float = 6.0) -> Value | None:
    return b.pick(lambda v: len(v.shape) in rank and v.bound <= bound)


def product(
    b: Builder, text: str, shape: Shape, over: Shape, *of: Value, atomic: bool = True
) -> Value:
    """A sum of products over some axes."""
    limit = b.count(over) * math.prod(v.bound for v in of)
    return squashed(b, b.made(text, shape, -limit, limit, *of, atomic=atomic))


# ---- contractions -------------------------------------------------------------------------


@operation(6)
def matmul(b: Builder) -> Value | None:
    """x @ W, W @ x, with vectors, transposes, new weights and old ones."""
    x = array(b, (1, 2), 3)
    if x is None or "1" in x.shape:
        return None
    form = b.rng.choice(("right", "left", "vector", "transposed", "own"))
    fresh = b.rng.choice(PLAIN)
    inner = x.shape[-1]
    if form == "right":
        y = b.argument((inner, fresh), -1.0, 1.0)
        text, shape = f"{x.code} @ {y.code}", (*x.shape[:-1], fresh)
    elif form == "left":
        inner = x.shape[0]
        y = b.argument((fresh, inner), -1.0, 1.0)
        text, shape = f"{y.code} @ {x.code}", (fresh, *x.shape[1:])
    elif form == "vector":
        y = b.argument((inner,), -1.0, 1.0)
        text, shape = b.rng.choice((f"{x.code} @ {y.code}", f"np.dot({x.text}, {y.text})",
                                    f"{x.code}.dot({y.text})")), x.shape[:-1]
    elif form == "transposed":
        y = b.argument((fresh, inner), -1.0, 1.0)
        text, shape = f"{x.code} @ {y.code}.T", (*x.shape[:-1], fresh)
    else:
        y = x
        text, shape = ((f"{x.code} @ {x.code}.T", (x.shape[0], x.shape[0])) if len(x.shape) == 2
                       else (f"{x.code} @ {x.code}", ()))
    return product(b, text, shape, (inner,), x, y, atomic=" @ " not in text)


EINSUMS = (("nk,kh->nh", "nk kh", "nh"), ("nk,k->nk", "nk k", "nk"), ("nk,nk->n", "nk nk", "n"),
           ("nk,nh->kh", "nk nh", "kh"), ("nk->kn", "nk", "kn"), ("nk->", "nk", ""),
           ("nk,kh,h->n", "nk kh h", "n"), ("n,k->nk", "n k", "nk"), ("nk,kh->n", "nk kh", "n"),
           ("ij,jk", "ij jk", "ik"), ("nk,nh->nkh", "nk nh", "nkh"), ("nkh,h->nk", "nkh h", "nk"),
           ("nkh,nk->h", "nkh nk", "h"), ("nkh->hn", "nkh", "hn"), ("ii->i", "ii", "i"),
           ("ii", "ii", ""))


@operation(3)
def einsum(b: Builder) -> Value | None:
    """One of many contractions."""
    spec, inputs, output = b.rng.choice(EINSUMS)
    terms = inputs.split()
    x = b.pick(lambda v: len(v.shape) == len(terms[0]) and v.bound <= 3 and "1" not in v.shape
               and all(v.shape[i] == v.shape[j] for i in range(len(v.shape))
                       for j in range(i) if terms[0][i] == terms[0][j]))
    if x is None:
        return None
    axes = dict(zip(terms[0], x.shape, strict=True))
    operands = [x]
    for term in terms[1:]:
        for letter in term:
            axes.setdefault(letter, b.rng.choice(PLAIN))
        shape = tuple(axes[c] for c in term)
        there = b.pick(lambda v, shape=shape: v.shape == shape and v.bound <= 3)
        operands.append(there if there is not None and b.rng.random() < 0.5
                        else b.argument(shape, -1.0, 1.0))
    result = tuple(axes[c] for c in output)
    if b.count(result) > MOST_ENTRIES or b.count(tuple(axes.values())) > 2000:
        return None
    text = f'np.einsum("{spec}", {", ".join(o.text for o in operands)})'
    over = tuple(axes[c] for c in axes if c not in output)
    return product(b, text, result, over, *operands, atomic=True)


@operation(1.5)
def outer_vdot_trace(b: Builder) -> Value | None:
    """outer, vdot, trace, vecdot-like sums."""
    x = array(b, (1, 2), 3)
    if x is None or "1" in x.shape:
        return None
    if len(x.shape) == 2 and x.shape[0] == x.shape[1] and b.rng.random() < 0.7:
        return product(b, b.rng.choice((f"np.trace({x.text})", f"{x.code}.trace()")), (),
                        x.shape[:1], x, atomic=True)
    if len(x.shape) == 1 and b.rng.random() < 0.6:
        y = array(b, (1,), 3)
        if y is None or b.count(x.shape + y.shape) > MOST_ENTRIES:
            return None
        return product(b, f"np.outer({x.text}, {y.text})", x.shape + y.shape, (), x, y,
                        atomic=True)
    y = b.pick(lambda v: v.shape == x.shape and v.bound <= 3)
    assert y is not None
    return product(b, f"np.vdot({x.text}, {y.text})", (), x.shape, x, y, atomic=True)


# ---- reductions ---------------------------------------------------------------------------


@operation(5)
def reduction(b: Builder) -> Value | None:
    """sum, mean, max, min, var over one axis, several, or all; with keepdims or not."""
    x = array(b, (1, 2, 3))
    if x is None:
        return None
    name = b.rng.choice(("sum", "mean", "max", "min", "var"))
    rank = len(x.shape)
    chosen = b.rng.choice((None, *((k,) for k in range(-rank, rank)),
                           *(((0, -1),) if rank > 1 else ())))
    gone = set(range(rank)) if chosen is None else {k % rank for k in chosen}
    keep = b.rng.random() < 0.4
    options = [] if chosen is None else [f"axis={chosen if len(chosen) > 1 else chosen[0]}"]
    options += ["keepdims=True"] if keep else []
    method = name != "var" and b.rng.random() < 0.5
    text = (f"{x.code}.{name}({', '.join(options)})" if method
            else f"np.{name}({', '.join((x.text, *options))})")
    shape = tuple("1" if k in gone else a for k, a in enumerate(x.shape) if keep or k not in gone)
    count = b.count(a for k, a in enumerate(x.shape) if k in gone)
    low, high = {"sum": (min(count * x.low, x.low), max(count * x.high, x.high)),
                 "var": (0.0, x.bound**2)}.get(name, (x.low, x.high))
    return squashed(b, b.made(text, shape, low, high, x))


@operation(2)
def softmax_pieces(b: Builder) -> Value | None:
    """Softmax in pieces or by name, log-softmax, logsumexp."""
    x = array(b, (1, 2))
    if x is None:
        return None
    axis = b.rng.randrange(-len(x.shape), len(x.shape))
    size = b.count((x.shape[axis],))
    kind = b.rng.choice(("softmax", "log_softmax", "logsumexp", "naive", "pieces"))
    where = f"axis={axis}"
    if kind == "softmax":
        return b.made(f"nn.softmax({x.text}, {where})", x.shape, 0.0, 1.0, x)
    if kind == "log_softmax":
        limit = 2 * x.bound + math.log(size)
        return squashed(b, b.made(f"nn.log_softmax({x.text}, {where})", x.shape, -limit, 0.0, x))
    if kind == "logsumexp":
        shape = tuple(a for k, a in enumerate(x.shape) if k != axis % len(x.shape))
        return squashed(b, b.made(f"nn.logsumexp({x.text}, {where})", shape, x.low,
                                   x.high + math.log(size), x))
    low = math.exp(x.low - x.high)
    thin = tuple("1" if k == axis % len(x.shape) else a for k, a in enumerate(x.shape))
    top = b.bind(b.made(f"np.max({x.text}, {where}, keepdims=True)", thin, x.low, x.high, x))
    exp = b.bind(b.made(f"np.exp({x.code} - {top.code})", x.shape, low, 1.0, x, top))
    total = f"{exp.code}.sum({where}, keepdims=True)"
    made = b.made(f"{exp.code} / {total}", x.shape, low / size, 1.0, exp, atomic=False)
    if kind == "naive" and made.low >= 1e-4 and b.rng.random() < 0.5:
        return b.made(f"np.log({made.text})", x.shape, math.log(made.low), 0.0, made)
    return made


# ---- shapes -------------------------------------------------------------------------------


@operation(3)
def rearranged(b: Builder) -> Value | None:
    """Transposes, new axes, axes of size 1 taken away, flattening and its inverse."""
    x = array(b, (1, 2, 3), 60)
    if x is None:
        return None
    s, t = x.shape, x.code
    forms = [(f"{t}[None]", ("1", *s)), (f"np.expand_dims({x.text}, -1)", (*s, "1")),
             (f"{t}[..., None]", (*s, "1")), (f"{t}.T", s[::-1])]
    if len(s) > 1:
        forms += [(f"np.transpose({x.text})", s[::-1]),
                  (f"np.swapaxes({x.text}, 0, -1)", (s[-1], *s[1:-1], s[0]))] * 2
    if len(s) == 3:
        forms += [(f"{t}.transpose(1, 2, 0)", (s[1], s[2], s[0]))] * 3
    if "1" in s:
        place = s.index("1")
        forms += [(f"np.squeeze({x.text}, axis={place})", s[:place] + s[place + 1:])] * 4
    if len(s) > 1 and all(a.isalnum() for a in s):
        flat = "*".join(a for a in s if a != "1") or "1"
        forms += [(b.rng.choice((f"{t}.reshape(-1)", f"np.reshape({x.text}, -1)",
                                 f"{t}.ravel()", f"{t}.flatten()")), (flat,))] * 3
    if len(s) == 1 and "*" in s[0] and all(p.isalpha() for p in s[0].split("*")):
        parts = s[0].split("*")
        parts = b.rng.choice((parts, parts[::-1]))
        sizes = [b.size(p) for p in parts]
        forms += [(f"{t}.reshape({', '.join(sizes)})", tuple(parts))] * 12
    text, shape = b.rng.choice(forms)
    return b.made(text, shape, x.low, x.high, x) if len(shape) <= 3 else None


@operation(3)
def sliced(b: Builder) -> Value | None:
    """Slices, single positions, reversed order."""
    x = array(b, (1, 2, 3), 60)
    if x is None:
        return None
    place = b.rng.randrange(len(x.shape))
    axis = x.shape[place]
    if not axis.isalpha():
        return None
    key, left = b.rng.choice((("0", None), ("-1", None), ("1:", f"{axis}-1"),
                              (":-1", f"{axis}-1"), ("::-1", axis), ("1:-1", f"{axis}-2"),
                              ("1", None), ("-2:", "2")))
    least = {"1:": 2, ":-1": 2, "1:-1": 3, "1": 2, "-2:": 2}.get(key, 1)
    if not b.need(axis, least):
        return None
    text = f"{x.code}[{', '.join([':'] * place + [key])}]"
    if place == len(x.shape) - 1 and place and b.rng.random() < 0.5:
        text = f"{x.code}[..., {key}]"
    shape = (*x.shape[:place], *((left,) if left else ()), *x.shape[place + 1:])
    return b.made(text, shape, x.low, x.high, x)


@operation(2.5)
def looked_up(b: Builder) -> Value | None:
    """Rows by integer arrays, entries by label, take, take_along_axis."""
    x = array(b, (1, 2), 60)
    if x is None or not all(a.isalpha() for a in x.shape):
        return None
    s, fresh = x.shape, b.rng.choice(PLAIN)
    kind = b.rng.choice(("rows", "take", "picked", "along", "columns", "table"))
    if kind == "rows":
        y = b.special("int", (fresh,), axis=s[0])
        return b.made(f"{x.code}[{y}]", (fresh, *s[1:]), x.low, x.high, x)
    if kind == "take":
        axis = b.rng.randrange(len(s))
        y = b.special("int", (fresh,), axis=s[axis])
        return b.made(f"np.take({x.text}, {y}, axis={axis})", (*s[:axis], fresh, *s[axis + 1:]),
                      x.low, x.high, x)
    if len(s) == 1:
        return None
    if kind == "picked":
        y = b.special("int", (s[0],), axis=s[1])
        text = b.rng.choice((f"{x.code}[np.arange({b.size(s[0])}), {y}]",
                             f"{x.code}[np.arange({x.code}.shape[0]), {y}]"))
        return b.made(text, s[:1], x.low, x.high, x)
    if kind == "along":
        y = b.special("int", (s[0], fresh), axis=s[1])
        return b.made(f"np.take_along_axis({x.text}, {y}, axis=1)", (s[0], fresh), x.low, x.high, x)
    if kind == "columns":
        y = b.special("int", (fresh,), axis=s[1])
        return b.made(f"{x.code}[:, {y}]", (s[0], fresh), x.low, x.high, x)
    if b.count((fresh, "N", s[1])) > MOST_ENTRIES:
        return None
    y = b.special("int", (fresh, "N"), axis=s[0])
    return b.made(f"{x.code}[{y}]", (fresh, "N", s[1]), x.low, x.high, x)


# ---- creation and choice ------------------------------------------------------------------


@operation(1.5)
def created(b: Builder) -> Value | None:
    """Arithmetic with arrays that are made from sizes."""
    x = array(b, (1, 2))
    if x is None or not all(a.isalpha() for a in x.shape):
        return None
    n, rows = b.size(x.shape[-1]), b.size(x.shape[0])
    texts = [f"np.arange({n}) / {n}", f"np.linspace(0.0, 1.0, {n})", f"np.ones({n})",
             f"np.full({n}, 0.5)", f"np.eye({n})[0]", f"np.zeros({n})"]
    if len(x.shape) == 2:
        texts += [f"np.tri({rows}, {n})", f"np.eye({rows}, {n})", f"np.ones(({rows}, {n}))",
                  f"np.zeros(({rows}, 1))"]
    if x.shape == (x.shape[0],) * 2:
        texts += [f"np.identity({n})"]
    text = b.rng.choice(texts)
    if "linspace" in text and not b.need(x.shape[-1], 2):
        return None
    sign = b.rng.choice("*+")
    limit = x.bound + 1 if sign == "+" else x.bound
    if len(x.shape) == 2 and b.rng.random() < 0.3:
        triangle = b.rng.choice(("np.tril", "np.triu"))
        return b.made(f"{triangle}({x.text})", x.shape, -x.bound, x.bound, x)
    return b.made(f"{x.code} {sign} {text}", x.shape, -limit, limit, x, atomic=False)


@operation(2.5)
def chosen(b: Builder) -> Value | None:
    """where and masks, by comparisons of values and by boolean arguments."""
    x = b.pick(lambda v: v.bound <= 6)
    if x is None:
        return None
    y, c = partner(b, x.shape), partner(b, x.shape)
    shape = joint(x.shape, y.shape)
    shape = shape if shape is None else joint(shape, c.shape)
    if shape is None or b.count(shape) > MOST_ENTRIES:
        return None
    plain = [f"{c.code} > {x.code}", f"{c.code} < 0.1", f"{x.code} >= {y.code}",
             f"({c.code} > 0) & ({x.code} < {c.code})", f"({x.code} < -0.2) | ({y.code} > 0.2)",
             f"np.logical_not({c.code} > 0.3)"]
    condition = b.rng.choice(plain)
    if b.rng.random() < 0.25 and x.shape and all(a.isalpha() for a in x.shape):
        condition = b.special("bool", x.shape)
    limit = max(x.bound, y.bound)
    if b.rng.random() < 0.7:
        return b.made(f"np.where({condition}, {x.text}, {y.text})", shape, -limit, limit, x, y, c)
    return b.made(f"({condition}) * {x.code}", shape, -limit, limit, x, y, c, atomic=False) \
        if shape == joint(x.shape, c.shape) else None


@operation(1.5)
def repeated(b: Builder) -> Value | None:
    """broadcast_to, tile, repeat, indices."""
    x = array(b, (1, 2), 6)
    if x is None or not all(a.isalpha() for a in x.shape) or b.count(x.shape) > 40:
        return None
    s, fresh = x.shape, b.rng.choice(PLAIN)
    sizes = [b.size(a) for a in (fresh, *s)]
    forms = [(f"np.broadcast_to({x.text}, ({', '.join(sizes)}))", (fresh, *s)),
             (f"np.tile({x.text}, 2)", (*s[:-1], f"2*{s[-1]}")),
             (f"np.repeat({x.text}, 3, axis=0)", (f"{s[0]}*3", *s[1:])),
             (f"np.repeat({x.text}, 2, axis=-1)", (*s[:-1], f"{s[-1]}*2"))]
    if len(s) == 2:
        forms.append((f"{x.code} * np.indices(({sizes[1]}, {sizes[2]}))[0] / {sizes[1]}", s))
    text, shape = b.rng.choice(forms)
    return b.made(text, shape, -x.bound, x.bound, x, atomic="*" not in text)


@operation(1)
def numbered(b: Builder) -> Value | None:
    """An axis given as the number 4: a loop over it, a constant array along it."""
    x = b.pick(lambda v: 1 <= len(v.shape) <= 2 and v.shape[-1] == "4" and v.bound <= 6)
    if x is None:
        x = b.argument(("N", "4") if b.rng.random() < 0.7 else ("4",))
    if b.rng.random() < 0.5:
        text = f"{x.code} * np.array([0.5, -1.0, 2.0, 0.25])"
        return squashed(b, b.made(text, x.shape, -2 * x.bound, 2 * x.bound, x, atomic=False))
    terms = f"sum({x.code}[..., j] * (j + 1) for j in range(4))"
    return squashed(b, b.made(terms, x.shape[:-1], -10 * x.bound, 10 * x.bound, x))


@operation(1)
def solved(b: Builder) -> Value | None:
    """What solves a linear system, with one column or several; an inverse; log |det|."""
    x = array(b, (2,), 3)
    if x is None or not all(a.isalpha() for a in x.shape) or b.count(x.shape) > 40:
        return None
    square = f"({x.code} @ {x.code}.T + 2 * np.eye({x.code}.shape[0]))"
    bound = 0.5 * max(abs(x.low), abs(x.high))
    form = b.rng.choice(("one", "several", "inverse", "logdet"))
    if form == "one":
        y = b.argument((x.shape[0],))
        return b.made(f"np.linalg.solve({square}, {y.text})", (x.shape[0],), -9, 9, x, y)
    if form == "several":
        return b.made(f"np.linalg.solve({square}, {x.code})", x.shape, -bound, bound, x)
    if form == "inverse":
        return b.made(f"np.linalg.inv({square})", (x.shape[0], x.shape[0]), -0.5, 0.5, x)
    return b.made(f"np.log(np.linalg.det({square}))", (), 0, 40, x)
