"""Systems written by hand for the tests of the printers: no tracer stands between."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from symprop.algebra.build import (
    access,
    add,
    apply,
    extremum,
    idx,
    mul,
    neg,
    number,
    power,
    size,
    sub,
    sum_over,
)
from symprop.algebra.expr import Expr, Index
from symprop.system import Array, Equation, Fact, IndexRange, System

N, K, H, M, D = (size(name) for name in "NKHMD")


def index(name: str) -> Index:
    """A fresh index of the axis with this name."""
    return Index(name.lower(), size(name))


def at(array: str, *positions: Index | Expr) -> Expr:
    """An entry of an array."""
    return access(array, [idx(p) if isinstance(p, Index) else p for p in positions])


class Builder:
    """Collects arrays and equations."""

    def __init__(self, inputs: dict[str, str], integers: Sequence[str] = ()) -> None:
        self.arrays = {
            name: Array(name, "int" if name in integers else "float",
                        tuple(size(s) for s in axes.split()), "input")
            for name, axes in inputs.items()
        }
        self.equations: list[Equation] = []

    def define(self, array: str, indices: Sequence[Index], rhs: Expr) -> None:
        """Adds an equation."""
        shape = tuple(i.size for i in indices)
        self.arrays[array] = Array(array, "float", shape, "computed")
        number = f"F{len(self.equations) + 1}"
        self.equations.append(Equation(number, array, tuple(indices), rhs))

    def system(
        self, name: str, wrt: Sequence[str], facts: Sequence[Fact] = (),
        ranges: Sequence[IndexRange] = (), sizes: str = "",
    ) -> System:
        """The finished system; the last equation is the loss."""
        return System(
            name=name, module="m", arguments=(), arrays=self.arrays,
            equations=tuple(self.equations), loss=self.equations[-1].array, wrt=tuple(wrt),
            wrt_keys=tuple(wrt), facts=tuple(facts), index_ranges=tuple(ranges),
            sizes=tuple(sizes.split()),
        )


def affine(b: Builder, out: str, x: str, w: str, bias: str, axes: str) -> None:
    """out[n,h] = Σ_k x[n,k] w[k,h] + bias[h]."""
    n, k, h = (index(a) for a in axes.split())
    b.define(out, (n, h), add(sum_over(mul(at(x, n, k), at(w, k, h)), [k]), at(bias, h)))


def softmax(b: Builder, z: str, m_axis: str = "M") -> None:
    """mx, e, s and P of the rows of z."""
    n, j = index("N"), index(m_axis)
    b.define("mx", (n,), extremum("max", at(z, n, j), [j]))
    n, j = index("N"), index(m_axis)
    b.define("e", (n, j), apply("exp", sub(at(z, n, j), at("mx", n))))
    n, j = index("N"), index(m_axis)
    b.define("s", (n,), sum_over(at("e", n, j), [j]))
    n, j = index("N"), index(m_axis)
    b.define("P", (n, j), mul(at("e", n, j), power(at("s", n), -1)))


def mlp(layers: int = 2) -> System:
    """A tanh network with softmax and labels."""
    axes = ["K", *(f"H{k}" if layers > 2 else "H" for k in range(1, layers)), "M"]
    inputs = {"X": "N K", "y": "N"}
    for k in range(1, layers + 1):
        inputs |= {f"W{k}": f"{axes[k - 1]} {axes[k]}", f"b{k}": axes[k]}
    b = Builder(inputs, ["y"])
    below = "X"
    for k in range(1, layers + 1):
        affine(b, f"Z{k}", below, f"W{k}", f"b{k}", f"N {axes[k - 1]} {axes[k]}")
        if k < layers:
            n, h = index("N"), index(axes[k])
            b.define(f"A{k}", (n, h), apply("tanh", at(f"Z{k}", n, h)))
            below = f"A{k}"
    softmax(b, f"Z{layers}")
    n = index("N")
    picked = access("P", [idx(n), at("y", n)])
    b.define("L", (), neg(mul(power(N, -1), sum_over(apply("log", picked), [n]))))
    wrt = [f"{v}{k}" for k in range(1, layers + 1) for v in "Wb"]
    ranges = [IndexRange("y", M)]
    return b.system("mlp", wrt, ranges=ranges, sizes=" ".join(dict.fromkeys(["N", *axes])))


def layer_norm() -> System:
    """Layer norm in front of a weighted sum."""
    b = Builder({"x": "N D", "g": "D", "beta": "D", "t": "N D"})
    n, d = index("N"), index("D")
    b.define("mu", (n,), mul(power(D, -1), sum_over(at("x", n, d), [d])))
    n, d = index("N"), index("D")
    b.define("c", (n, d), sub(at("x", n, d), at("mu", n)))
    n, d = index("N"), index("D")
    b.define("v", (n,), mul(power(D, -1), sum_over(power(at("c", n, d), 2), [d])))
    n = index("N")
    b.define("r", (n,), power(add(at("v", n), number(1e-5)), Fraction(-1, 2)))
    n, d = index("N"), index("D")
    b.define("h", (n, d), mul(at("c", n, d), at("r", n)))
    n, d = index("N"), index("D")
    b.define("y", (n, d), add(mul(at("h", n, d), at("g", d)), at("beta", d)))
    n, d = index("N"), index("D")
    b.define("L", (), sum_over(mul(at("y", n, d), at("t", n, d)), [n, d]))
    return b.system("layer_norm", ["x", "g", "beta"], sizes="N D")


def least_squares() -> System:
    """Linear regression, columns, with a declared fact that nothing needs."""
    b = Builder({"X": "N K", "w": "K", "t": "N"})
    n, k = index("N"), index("K")
    b.define("r", (n,), sub(sum_over(mul(at("X", n, k), at("w", k)), [k]), at("t", n)))
    n = index("N")
    b.define("L", (), mul(power(N, -1), sum_over(power(at("r", n), 2), [n])))
    facts = [Fact("in_range", "t", (0, 1)), Fact("one_of", "t", (-1, 1)), Fact("positive", "t")]
    return b.system("least_squares", ["w"], facts, sizes="N K")
