"""Random programs as they are written: helpers that are called again, loops, writes in place.

In: a seed. Out: a `Program`. Helpers are called with every difference that makes two calls another
block: other weights or the same, another number, function, axis, shift, transposition or mask, a
bias that is None, one array in two places, results that are read or not. Rows of np.eye, and
windows over what was gathered, are drawn beside them.
"""

from __future__ import annotations

import random
from collections.abc import Callable

from random_builder import PRIMES, Builder, Program, Shape, Value
from random_gain_operations import GAINED
from random_network_operations import OPERATIONS
from random_programs import _finished, _grow

Statement = Callable[[Builder], bool]
PLAIN = tuple(PRIMES)


def written_program(seed: int) -> Program:
    """A forward pass of a few operations and one to three of the statements below."""
    rng = random.Random(seed)
    b = Builder(rng)
    b.argument(tuple(rng.sample(PLAIN, 2)))
    for _ in range(rng.randint(1, 3)):
        _grow(b, OPERATIONS if rng.random() < 0.8 else GAINED)
        for _ in range(5):
            if rng.choice(STATEMENTS)(b):
                break
    if rng.random() < 0.5:
        _grow(b, OPERATIONS)
    return _finished(b, seed)


def fresh(b: Builder, stem: str) -> str:
    """A name that nothing has."""
    taken = " ".join((*b.lines, *b.shapes))
    return next(n for k in range(99) if (n := f"{stem}{k}") not in taken)


def matrix(b: Builder) -> Value:
    """A small matrix whose axes are letters, and two of them."""
    found = b.pick(lambda v: len(v.shape) == 2 and v.bound <= 3 and v.shape[0] != v.shape[1]
                   and all(a in PRIMES for a in v.shape))
    return found or b.argument(tuple(b.rng.sample(PLAIN, 2)))  # type: ignore[arg-type]


def say(b: Builder, *lines: str) -> None:
    """More lines of the program."""
    b.lines += [f"    {line}" for line in lines]


def end(b: Builder, text: str, shape: Shape, limit: float = 1.0) -> bool:
    """The value that a statement leaves, under a name."""
    b.bind(Value(text, shape, -limit, limit, frozenset()))
    return True


# ---- helpers, called again ----------------------------------------------------------------

BODIES = (  # of x (N, K), w (K, K) or g (K), b (K) or None, and what may differ
    ("W", ("z = x @ w", "if b is not None:", "    z = z + b", "return act(scale * z)")),
    ("W", ("z = act(x) @ w", "return x + scale * np.tanh(z if b is None else z + b)")),
    ("g", ("m = x.mean(axis=axis, keepdims=True)", "c = x - m",
           "v = (c * c).mean(axis=axis, keepdims=True)", "y = w * c / np.sqrt(v + 0.1)",
           "return act(y if b is None else y + scale * b)")),
    ("g", ("e = np.exp(scale * x - x.max(axis=axis, keepdims=True))",
           "p = e / e.sum(axis=axis, keepdims=True)",
           "return act(p * w) if b is None else p * w + b")),
    ("W", ("q = np.tanh(x @ w)", "s = nn.softmax(scale * (q @ x.T), axis=axis)",
           "return act(s @ x) if b is None else act(s @ x + b)")),
    ("g", ("s = np.concatenate([x[shift:], x[:shift]], axis=0)", "y = act(s) * w",
           "return np.where(x > 0.2, y, scale * x) if b is None else y + b")),
    ("g", ("def inner(a, c):", "    return act(a * c)", "y = inner(x, w)",
           "return inner(y, scale * w) if b is None else inner(y, b)")),
)
CHANGES = ("scale=0.5", "scale=2.0", "act=np.sin", "act=nn.sigmoid", "act=nn.relu", "axis=0",
           "shift=2", "b=None", "")


def helper_called_again(b: Builder) -> bool:
    """A helper and two to four calls of it, in turn or side by side."""
    x = matrix(b)
    kind, body = b.rng.choice(BODIES)
    name, second = fresh(b, "block"), x.shape[1]
    b.need(x.shape[0], 3)
    b.need(second, 2)
    say(b, f"def {name}(x, w, b, act=np.tanh, scale=1.0, axis=1, shift=1):",
        *(f"    {line}" for line in body))
    shape = (second, second) if kind == "W" else (second,)
    weights = [b.argument(shape, -1.0, 1.0).text for _ in range(2)]
    bias = b.argument((second,), -1.0, 1.0).text
    results, last = [], x.text
    for _ in range(b.rng.randint(2, 4)):
        source = last if b.rng.random() < 0.6 else b.rng.choice((x.text, *results))
        source = f"{source}[::-1]" if b.rng.random() < 0.15 else source
        change = b.rng.choice(CHANGES) if b.rng.random() < 0.5 else ""
        w = b.rng.choice(weights)
        w = f"{w}.T" if kind == "W" and b.rng.random() < 0.15 else w
        own = "None" if change == "b=None" else w if kind == "g" and b.rng.random() < 0.1 else bias
        more = f", {change}" if change and change != "b=None" else ""
        last = fresh(b, "r")
        say(b, f"{last} = {name}({source}, {w}, {own}{more})")
        results.append(last)
    total = " + ".join(b.rng.sample(results, b.rng.randint(1, len(results))))
    return end(b, f"np.tanh({total})", x.shape)


def two_results(b: Builder) -> bool:
    """A helper of two results, of which one may be left unread, called with masks and shifts."""
    x, name = matrix(b), fresh(b, "pair")
    rows = b.rng.choice(("x * (x > 0)", "np.tril(np.ones((x.shape[1], x.shape[1])))[0] * x",
                         "np.cumsum(x, axis=axis)", "x - x.max(axis=axis, keepdims=True)"))
    say(b, f"def {name}(x, c, axis=0):", f"    u = {rows}", "    v = np.tanh(u * c)",
        "    return v, u + v")
    c = b.argument((x.shape[1],)).text
    first, second, third = fresh(b, "p"), fresh(b, "q"), fresh(b, "o")
    say(b, f"{first}, {second} = {name}({x.text}, {c})",
        f"{third}, _ = {name}({b.rng.choice((first, second))}, {c}"
        f"{b.rng.choice((', axis=1', '', ', axis=-1'))})")
    other = f" * np.sin({second})" if b.rng.random() < 0.5 else ""
    return end(b, f"np.tanh({third}{other})", x.shape)


def layers_in_a_loop(b: Builder) -> bool:
    """Layers over tuples of weights, with a number that differs."""
    x, h = matrix(b), fresh(b, "h")
    second = x.shape[1]
    layers = [(b.argument((second, second), -1.0, 1.0).text, b.argument((second,)).text)
              for _ in range(b.rng.randint(2, 3))]
    listed = ", ".join(f"({w}, {c}, {b.rng.choice(('0.5', '1.0', '1.0'))})" for w, c in layers)
    say(b, f"{h} = {x.text}", f"for w_, c_, s_ in [{listed}]:",
        f"    {h} = {b.rng.choice((h + ' + ', ''))}s_ * np.tanh({h} @ w_ + c_)")
    return end(b, f"np.tanh({h})", x.shape)


# ---- loops --------------------------------------------------------------------------------


def rows_in_a_loop(b: Builder) -> bool:
    """A recurrence over rows that are written or appended, in some order."""
    x, out, h = matrix(b), fresh(b, "out"), fresh(b, "h")
    n, second = b.size(x.shape[0]), x.shape[1]
    w, k = b.argument((second, second), -1.0, 1.0).text, b.size(second)
    step = b.rng.choice((f"np.tanh({h} @ {w} + {x.code}[t_])",
                         f"np.tanh({h} * {x.code}[t_] + {w}[0])",
                         f"0.5 * {h} + np.sin({x.code}[t_])"))
    order = b.rng.choice((f"range({n})", f"range({n} - 1, -1, -1)", f"reversed(range({n}))"))
    say(b, f"{h} = np.zeros({k})")
    if b.rng.random() < 0.5:
        say(b, f"{out} = np.zeros(({n}, {k}))", f"for t_ in {order}:", f"    {h} = {step}",
            f"    {out}[t_] = {h}")
    else:
        say(b, f"{out} = []", f"for t_ in {order}:", f"    {h} = {step}", f"    {out}.append({h})",
            f"{out} = np.stack({out})")
    return end(b, b.rng.choice((f"np.tanh({out})", f"np.sin({out} + {h})")), x.shape)


def added_up(b: Builder) -> bool:
    """Sums by loops over rows, pairs and places."""
    x, s = matrix(b), fresh(b, "s")
    n, k = b.size(x.shape[0]), b.size(x.shape[1])
    c = b.argument((x.shape[1],)).text
    kind = b.rng.choice(("rows", "places", "pairs", "zipped"))
    say(b, f"{s} = 0.0")
    if kind == "rows":
        say(b, f"for row in {x.code}:", f"    {s} += np.sum(np.sin(row * {c})) / {n}")
    elif kind == "places":
        say(b, f"for i_ in range({n}):", f"    for j_ in range({k}):",
            f"        {s} = {s} + {x.code}[i_, j_] * {c}[j_] / {n}")
    elif kind == "pairs":
        say(b, f"for i_ in range({n}):",
            f"    {s} = {s} + np.tanh({x.code}[i_] @ {x.code}[{n} - 1 - i_]) / {n}")
    else:
        y = b.argument((x.shape[0],)).text
        say(b, f"for row, v in zip({x.code}, {y}):", f"    {s} += v * np.sum(row * {c}) / {n}")
    return end(b, f"np.tanh({s})", ())


# ---- writes in place ----------------------------------------------------------------------


def written_in_place(b: Builder) -> bool:
    """A copy, or zeros, of which parts are written, added to and multiplied."""
    x, out = matrix(b), fresh(b, "out")
    (first, second), rng = x.shape, b.rng
    b.need(first, 2)
    b.need(second, 2)
    n, k = b.size(first), b.size(second)
    row = b.argument((second,)).text
    say(b, rng.choice((f"{out} = {x.code}.copy()", f"{out} = np.zeros(({n}, {k}))",
                       f"{out} = np.array({x.text})", f"{out} = np.zeros_like({x.text})",
                       f"{out} = {x.code} * 1.0")))
    place = b.special("int", (rng.choice(PLAIN),), axis=first)
    writes = (
        f"{out}[0] = {row}", f"{out}[-1] += {row}", f"{out}[:, 0] *= 2.0",
        f"{out}[1:] += {x.code}[:-1]", f"{out}[1:] += {out}[:-1]", f"{out}[{out} > 0.3] = 0.0",
        f"{out}[..., -1] -= {x.code}[..., 0]", f"{out}[::2] = 0.5 * {row}",
        f"np.add.at({out}, {place}, {row})", f"{out}[:] = np.tanh({out})", f"{out} += {row}",
        f"{out} *= np.sin({x.text})", f"{out}[np.arange({n}), 0] = 0.25",
        f"{out}[:, 1:] = {x.code}[:, :-1] * {row}[1:]", f"{out}[{place}] = 0.5",
        f"{out}[0, 0] = {row}[0] * {x.code}[1, 1]", f"{out}[::-1] += {x.code}",
        f"{out}[:, ::-1] = {x.code} * {row}", f"{out} -= {out}.mean(axis=0)",
        f"{out}[0], {out}[1] = {out}[1] * 1.0, {out}[0] * 1.0", f"{out}.T[0] = {x.code}.T[1]",
    )
    say(b, *rng.sample(writes, rng.randint(1, 4)))
    return end(b, f"np.tanh({out})", x.shape)


# ---- rows of eye, gathers then windows ----------------------------------------------------


def eye_rows(b: Builder) -> bool:
    """One-hot rows: as a mask of a log-softmax, as a gather, as a comparison."""
    x = matrix(b)
    n, k = b.size(x.shape[0]), b.size(x.shape[1])
    y = b.special("int", (x.shape[0],), axis=x.shape[1])
    hot = b.rng.choice((f"np.eye({k})[{y}]", f"({y}[:, None] == np.arange({k}))",
                        f"np.eye({k})[{y}].T.T", f"(np.arange({k}) == {y}[:, None]).astype(float)"))
    form = b.rng.choice((f"-np.sum({hot} * nn.log_softmax({x.text}, axis=1)) / {n}",
                         f"np.mean(({hot} - np.tanh({x.text}))**2)",
                         f"np.tanh(np.sum({hot} * {x.code}))",
                         f"np.mean(np.sin(({x.code} * {hot}).sum(axis=1)))"))
    return end(b, form, (), 6.0)


def windows_of_what_was_gathered(b: Builder) -> bool:
    """Rows or entries by integers, then windows, borders or convolutions over them."""
    rng, length = b.rng, b.rng.choice(("N", "H"))
    axis, d = rng.sample([a for a in PLAIN if a != length], 2)
    table = b.argument((axis, d)).text
    b.need(length, 3)
    b.size(length)
    t = b.special("int", (length,), axis=axis)
    e, k = fresh(b, "e"), b.argument(("3",)).text
    say(b, f"{e} = {table}[{t}]" if rng.random() < 0.6 else f"{e} = np.tanh({table})[{t}, :]")
    view = "np.lib.stride_tricks.sliding_window_view"
    kind = rng.randrange(5)
    if kind == 0:
        return end(b, f"np.tanh({view}({e}, 3, axis=0) @ {k})", (f"{length}-2", d))
    if kind == 1:
        padded = f"np.pad({e}, ((1, 1), (0, 0)))"
        return end(b, f"np.tanh({view}({padded}, 3, axis=0) @ {k})", (length, d))
    if kind == 2:
        return end(b, f"np.tanh(np.convolve({e}.sum(axis=1) / 3, {k}, 'same'))", (length,))
    if kind == 3:
        return end(b, f"np.tanh({view}({e}[::-1], 2, axis=0).max(axis=-1))", (f"{length}-1", d))
    return end(b, f"np.tanh({e}[1:] * {e}[:-1] + {k}[0])", (f"{length}-1", d))


STATEMENTS: tuple[Statement, ...] = (
    helper_called_again, helper_called_again, helper_called_again, two_results, layers_in_a_loop,
    rows_in_a_loop, added_up, written_in_place, written_in_place, eye_rows,
    windows_of_what_was_gathered)
