"""Random forward passes: plain NumPy source text with shapes, wrt, facts and inputs.

In: a seed and a number of operations. Out: a `Program`.

>>> print(random_program(3, operations=2).source)  # doctest: +SKIP
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from copy import copy
from dataclasses import fields

from random_builder import PRIMES, Builder, Program, Value
from random_gain_operations import GAINED
from random_network_operations import OPERATIONS
from random_operations import Operation

__all__ = ["PRIMES", "Program", "random_program"]


def random_program(seed: int, operations: int | None = None, gains: bool = False) -> Program:
    """A forward pass of about so many operations (4 to 12 if not given).

    gains: with factors that may be zero: scalar gains, gates, temperatures, zero-initialised ones.
    """
    rng = random.Random(seed)
    b = Builder(rng)
    for _ in range(rng.randint(1, 2)):
        b.argument(tuple(rng.sample(list(PRIMES), rng.choice((1, 2, 2, 2, 3)))))
    if rng.random() < 0.15:
        b.argument(())
    if rng.random() < 0.2:
        axis = rng.choice(list(PRIMES))
        b.argument((axis, axis))
    if rng.random() < 0.15:
        b.argument(("N", "1"))
    for _ in range(operations or rng.randint(4, 12)):
        _grow(b, GAINED if gains and rng.random() < 0.5 else OPERATIONS)
    return _finished(b, seed)


def _grow(b: Builder, table: Mapping[str, tuple[float, Operation]]) -> None:
    """One more operation: names are tried until one fits."""
    names = list(table)
    weights = [table[n][0] for n in names]
    for _ in range(50):
        before = {f.name: copy(getattr(b, f.name)) for f in fields(b) if f.name != "rng"}
        value = table[b.rng.choices(names, weights)[0]][1](b)
        if value is not None and len(value.text) < 160:
            b.keep(value)
            return
        for name, former in before.items():  # an attempt leaves no argument behind
            setattr(b, name, former)


def _finished(b: Builder, seed: int) -> Program:
    """The loss: a sum of what nothing has read yet."""
    loose = b.unread()
    loose = sorted(b.rng.sample(loose, min(len(loose), 6)), key=loose.index) or b.live[-1:]
    outputs = [v for v in loose if v.text.isidentifier() and b.rng.random() < 0.3]
    loss = " + ".join(_part(b, v) for v in loose)
    result = f"{loss}, {{{', '.join(f'{v.text!r}: {v.text}' for v in outputs)}}}"
    b.lines.append(f"    return {result if outputs else loss}")
    source = f"def forward_pass({', '.join(b.shapes)}):\n" + "\n".join(b.lines) + "\n"
    floats = [n for n, s in b.shapes.items() if not s.startswith(("int", "bool"))]
    wrt = None
    if b.rng.random() < 0.4:
        wrt = tuple(b.rng.sample(floats, b.rng.randint(1, len(floats))))
    return Program(seed, source, b.shapes, tuple(b.facts), wrt, b.domains, b.index_axes, b.minimum)


def _part(b: Builder, v: Value) -> str:
    """A scalar that depends on every entry of a value."""
    texts = [f"np.mean({v.text})", f"np.sum({v.text})", f"np.mean({v.code}**2)",
             f"{v.code}.mean()", f"nn.l2_penalty({v.text})", f"nn.l1_penalty({v.text})"]
    if not v.shape:
        return v.code
    if "1" not in v.shape and len(v.shape) <= 2:
        target = b.argument(v.shape) if b.rng.random() < 0.5 else None
        if target is not None:
            texts += [f"nn.{name}({v.text}, {target.text})" for name in
                      ("mse_loss", "l1_loss", "huber_loss")]
            texts += [f"np.mean({v.code} * {target.code})"] * 3
    if v.bound <= 20 and all(a.isalpha() for a in v.shape):
        texts += [""] * 3
    return b.rng.choice(texts) or _classified(b, v)


def _classified(b: Builder, v: Value) -> str:
    """A loss of a classifier."""
    kind = b.rng.choice(("labels", "distribution", "loose", "bce", "hinge", "naive"))
    if kind in ("bce", "hinge"):
        values = (0, 1) if kind == "bce" else (-1, 1)
        y = b.special("one_of", v.shape, values=values)
        name = "binary_cross_entropy_with_logits" if kind == "bce" else "hinge_loss"
        return f"nn.{name}({v.text}, {y})"
    if len(v.shape) != 2 or kind == "naive":
        return f"np.mean(np.log(1 + np.exp(-{v.code})))"
    if kind == "labels":
        return f"nn.cross_entropy({v.text}, {b.special('int', v.shape[:1], axis=v.shape[1])})"
    y = b.special("sums_to_one", v.shape, axis=1, stated=kind == "distribution")
    return f"nn.cross_entropy({v.text}, {y})"
