"""Systems written by hand, without the tracer.

In: nothing. Out: small models as a `System`, each index and each size in its place.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction

from symprop.algebra.build import (
    ONE,
    access,
    add,
    apply,
    extremum,
    idx,
    iverson,
    mul,
    number,
    power,
    size,
    sub,
    sum_over,
)
from symprop.algebra.expr import Expr, Index
from symprop.system import Array, Equation, Fact, IndexRange, System

N, M, K, H, D, T = (size(c) for c in "NMKHDT")
Inputs = Mapping[str, tuple[Sequence[Expr], str]]


def at(array: str, *positions: Index | Expr) -> Expr:
    """An entry of an array."""
    return access(array, [idx(p) if isinstance(p, Index) else p for p in positions])


def system(
    name: str, inputs: Inputs, definitions: Sequence[tuple[str, Sequence[Index], Expr]],
    wrt: Sequence[str], sizes: str, facts: Sequence[Fact] = (),
    ranges: Sequence[IndexRange] = (),
) -> System:
    """A system whose last equation is the loss."""
    arrays = {n: Array(n, kind, tuple(shape), "input") for n, (shape, kind) in inputs.items()}
    equations = []
    for k, (array, indices, rhs) in enumerate(definitions):
        arrays[array] = Array(array, "float", tuple(i.size for i in indices), "computed")
        equations.append(Equation(f"F{k + 1}", array, tuple(indices), rhs))
    return System(
        name=name, module="hand", arguments=(), arrays=arrays, equations=tuple(equations),
        loss=definitions[-1][0], wrt=tuple(wrt), wrt_keys=tuple(wrt), facts=tuple(facts),
        index_ranges=tuple(ranges), sizes=tuple(sizes))


def mlp(depth: int = 2) -> System:
    """tanh layers, then softmax cross-entropy from labels, written naively."""
    inputs = {"X": ((N, K), "float"), "V": ((H, M), "float"), "y": ((N,), "int")}
    definitions, below, width = [], "X", K
    for layer in range(1, depth + 1):
        w, b, z, h = (f"{c}{layer}" for c in "Wbzh")
        inputs |= {w: ((width, H), "float"), b: ((H,), "float")}
        n, j, k = Index("n", N), Index("h", H), Index("k", width)
        product = sum_over(mul(at(below, n, k), at(w, k, j)), [k])
        definitions.append((z, [n, j], add(product, at(b, j))))
        n, j = Index("n", N), Index("h", H)
        definitions.append((h, [n, j], apply("tanh", at(z, n, j))))
        below, width = h, H
    n, j, k = Index("n", N), Index("m", M), Index("h", H)
    definitions.append(("Z", [n, j], sum_over(mul(at(below, n, k), at("V", k, j)), [k])))
    definitions += cross_entropy()
    wrt = [f"{c}{layer}" for layer in range(1, depth + 1) for c in "Wb"]
    return system("mlp", inputs, definitions, [*wrt, "V"], "NKHM", ranges=[IndexRange("y", M)])


def cross_entropy() -> list[tuple[str, Sequence[Index], Expr]]:
    """exp of the logits Z minus their maximum, over its sum; log at the labels; mean."""
    n, j = Index("n", N), Index("m", M)
    largest = ("mx", [n], extremum("max", at("Z", n, j), [j]))
    n, j = Index("n", N), Index("m", M)
    shifted = ("c", [n, j], sub(at("Z", n, j), at("mx", n)))
    n, j = Index("n", N), Index("m", M)
    raised = ("e", [n, j], apply("exp", at("c", n, j)))
    n, j = Index("n", N), Index("m", M)
    total = ("s", [n], sum_over(at("e", n, j), [j]))
    n, j = Index("n", N), Index("m", M)
    share = ("p", [n, j], mul(at("e", n, j), power(at("s", n), -1)))
    n = Index("n", N)
    logs = ("q", [n], apply("log", at("p", n, at("y", n))))
    n = Index("n", N)
    loss = ("L", [], mul(number(-1), power(N, -1), sum_over(at("q", n), [n])))
    return [largest, shifted, raised, total, share, logs, loss]


def softmax_regression() -> System:
    """Softmax and cross-entropy of the logits alone."""
    inputs = {"Z": ((N, M), "float"), "y": ((N,), "int")}
    return system("softmax", inputs, cross_entropy(), ["Z"], "NM", ranges=[IndexRange("y", M)])


def layer_norm() -> System:
    """A layer norm with named mean, variance and root, under a tanh."""
    definitions: list[tuple[str, Sequence[Index], Expr]] = []
    n, d = Index("n", N), Index("d", D)
    definitions.append(("mu", [n], mul(power(D, -1), sum_over(at("x", n, d), [d]))))
    n, d = Index("n", N), Index("d", D)
    definitions.append(("c", [n, d], sub(at("x", n, d), at("mu", n))))
    n, d = Index("n", N), Index("d", D)
    squares = sum_over(power(at("c", n, d), 2), [d])
    definitions.append(("v", [n], mul(power(D, -1), squares)))
    n = Index("n", N)
    root = power(add(at("v", n), number(1e-5)), Fraction(-1, 2))
    definitions.append(("r", [n], root))
    n, d = Index("n", N), Index("d", D)
    definitions.append(("h", [n, d], mul(at("c", n, d), at("r", n))))
    n, d = Index("n", N), Index("d", D)
    definitions.append(("u", [n, d], add(mul(at("h", n, d), at("g", d)), at("b", d))))
    n, d = Index("n", N), Index("d", D)
    definitions.append(("L", [], sum_over(mul(apply("tanh", at("u", n, d)), at("w", n, d)),
                                          [n, d])))
    inputs = {"x": ((N, D), "float"), "g": ((D,), "float"), "b": ((D,), "float"),
              "w": ((N, D), "float")}
    return system("layer_norm", inputs, definitions, ["x", "g", "b"], "ND")


def recurrent() -> System:
    """h[t] = tanh(h[t-1] U + x[t]) for a symbolic T; the loss reads every h[t]."""
    t, h = Index("t", T), Index("h", H)
    before = add(
        mul(iverson("==", idx(t), number(0)), at("h0", h)),
        mul(iverson("<=", ONE, idx(t)), at("h", sub(idx(t), ONE), h)))
    previous = ("g", [t, h], before)
    t, h, k = Index("t", T), Index("h", H), Index("k", H)
    product = sum_over(mul(at("g", t, k), at("U", k, h)), [k])
    inner = ("z", [t, h], add(product, at("x", t, h)))
    t, h = Index("t", T), Index("h", H)
    state = ("h", [t, h], apply("tanh", at("z", t, h)))
    t, h = Index("t", T), Index("h", H)
    loss = ("L", [], sum_over(power(at("h", t, h), 2), [t, h]))
    inputs = {"x": ((T, H), "float"), "h0": ((H,), "float"), "U": ((H, H), "float")}
    return system("recurrent", inputs, [previous, inner, state, loss], ["U", "h0", "x"], "TH")


def regression(penalty: bool = True) -> System:
    """Least squares; the penalty reads the weights a second time (fan-out)."""
    n, k = Index("n", N), Index("k", K)
    fit = ("f", [n], sum_over(mul(at("X", n, k), at("w", k)), [k]))
    n = Index("n", N)
    gap = ("r", [n], sub(at("f", n), at("y", n)))
    n = Index("n", N)
    data = ("a", [], mul(power(N, -1), sum_over(power(at("r", n), 2), [n])))
    k = Index("k", K)
    squares = ("b", [], sum_over(power(at("w", k), 2), [k]))
    loss = ("L", [], add(at("a"), mul(number(0.1), at("b"))) if penalty else at("a"))
    inputs = {"X": ((N, K), "float"), "y": ((N,), "float"), "w": ((K,), "float")}
    return system("regression", inputs, [fit, gap, data, squares, loss], ["w"], "NK")
