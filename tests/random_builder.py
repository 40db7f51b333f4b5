"""What random forward passes are made with: values, the builder, the finished program.

In: choices of a random generator. Out: a `Program`, whose function runs on real arrays, on
traced ones, and (through `complex_numpy`) on arrays that carry a complex step.

Every value carries its shape and an interval that holds its entries for every input of the
declared domains, so that no logarithm, root or quotient leaves its domain. The shapes are
symbolic; the axes have distinct prime sizes, or 1 where nothing needs more.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from symprop.files.load import load_text
from symprop.shapes import parse_spec
from symprop.system import Fact

PRIMES = {"N": 5, "K": 3, "H": 7, "M": 2}
ALL_PRIMES = {**PRIMES, "T": 4}
LOCALS = ("h", "z", "a", "u", "v", "s", "t", "q", "p", "hidden", "scores", "dh", "saved", "n",
          "k", "e", "out", "dL", "L", "g", "x_1", "m", "loss", "i")
INPUTS = ("X", "W", "U", "V", "b", "c", "w", "A", "B", "R", "dX", "x1", "Wq", "state", "Z0",
          "gain", "table", "G", "F", "E")
HEADER = "import numpy as np\nfrom symprop import nn, scan\n\n\n"
COMPLEX_HEADER = "from complex_numpy import nn, np, scan\n\n\n"
Shape = tuple[str, ...]


@dataclass(frozen=True)
class Value:
    """An expression of the program: its text, shape and the interval of its entries."""

    text: str
    shape: Shape
    low: float
    high: float
    names: frozenset[str]
    atomic: bool = True  # may stand before .T or [...] as it is

    @property
    def bound(self) -> float:
        """The largest magnitude of an entry."""
        return max(abs(self.low), abs(self.high))

    @property
    def code(self) -> str:
        """The text as an operand."""
        return self.text if self.atomic else f"({self.text})"


@dataclass(frozen=True)
class Program:
    """A forward pass, ready to be traced and to be run."""

    seed: int
    source: str
    shapes: dict[str, str]
    facts: tuple[Fact, ...]
    wrt: tuple[str, ...] | None
    domains: dict[str, tuple[float, float]]
    index_axes: dict[str, str]
    minimum: dict[str, int]

    def __str__(self) -> str:
        shapes = ", ".join(f"{n}: {s!r}" for n, s in self.shapes.items())
        return f"seed {self.seed}, wrt {self.wrt}, shapes {{{shapes}}}, {self.facts}\n{self.source}"

    @cached_property
    def function(self) -> Callable[..., Any]:
        """The forward pass in NumPy."""
        return self.loaded(HEADER)

    @cached_property
    def complex_function(self) -> Callable[..., Any]:
        """The same text, in functions that carry a complex step."""
        return self.loaded(COMPLEX_HEADER)

    def loaded(self, header: str) -> Callable[..., Any]:
        """The forward pass under another meaning of `np` and `nn`."""
        return load_text(header + self.source, f"random_{self.seed}").forward_pass

    @property
    def floats(self) -> tuple[str, ...]:
        """The floating arguments."""
        return tuple(n for n, s in self.shapes.items() if not s.startswith(("int", "bool")))

    def sizes(self, ones: bool = False) -> dict[str, int]:
        """The prime sizes; with `ones`, 1 for some of the axes that need no more."""
        rng = random.Random(self.seed)
        return {a: 1 if ones and self.minimum.get(a, 1) == 1 and rng.random() < 0.6 else p
                for a, p in ALL_PRIMES.items()}

    def inputs(self, sizes: dict[str, int], seed: int = 0) -> dict[str, Any]:
        """Arrays from the declared domains; every number is a float32."""
        rng = np.random.default_rng([self.seed, seed])
        return {name: self._drawn(name, sizes, rng) for name in self.shapes}

    def _drawn(self, name: str, sizes: dict[str, int], rng: np.random.Generator) -> Any:
        spec = parse_spec(self.shapes[name], name)
        shape = tuple(d.evaluate(sizes) for d in spec.dims)
        if spec.dtype == "bool":
            return rng.random(shape) < 0.5
        if spec.dtype == "int":
            return rng.integers(0, size_of(self.index_axes[name], sizes), shape)
        for fact in self.facts:
            if fact.array == name and fact.kind == "one_of":
                return rng.choice(np.array(fact.args, float), shape)
            if fact.array == name and fact.kind == "sums_to_one":
                drawn = rng.uniform(0.1, 1.0, shape)
                return drawn / drawn.sum(axis=fact.args[0], keepdims=True)
        low, high = self.domains[name]
        return rng.uniform(low, high, shape).astype(np.float32).astype(float)


def size_of(axis: str, sizes: dict[str, int]) -> int:
    """The size of an axis such as "N*K"."""
    return parse_spec(axis, "axis").dims[0].evaluate(sizes)


@dataclass
class Builder:
    """A program in the making."""

    rng: random.Random
    lines: list[str] = field(default_factory=list)
    live: list[Value] = field(default_factory=list)
    shapes: dict[str, str] = field(default_factory=dict)
    domains: dict[str, tuple[float, float]] = field(default_factory=dict)
    facts: list[Fact] = field(default_factory=list)
    index_axes: dict[str, str] = field(default_factory=dict)
    minimum: dict[str, int] = field(default_factory=dict)
    sized: set[str] = field(default_factory=set)

    # ---- inputs

    def name_input(self) -> str:
        """A name for a new argument."""
        free = [n for n in INPUTS if n not in self.shapes and n not in self.bound_names]
        return self.rng.choice(free) if free else f"input_{len(self.shapes)}"

    @property
    def bound_names(self) -> set[str]:
        """The names that are bound to something already."""
        return {line.split(" =")[0].strip() for line in self.lines} | set(self.shapes)

    def argument(self, shape: Shape, low: float = -1.5, high: float = 1.5) -> Value:
        """A new argument, or one of this shape that is there (a shared weight)."""
        there = [v for v in self.live if v.shape == shape and v.text in self.shapes
                 and low <= v.low and v.high <= high]
        if there and self.rng.random() < 0.5:
            return self.rng.choice(there)
        name = self.name_input()
        self.shapes[name] = " ".join(shape)
        self.domains[name] = (low, high)
        if low > 0 and self.rng.random() < 0.5:
            self.facts.append(Fact("positive", name))
        elif (low, high) == (0.2, 0.8):
            self.facts.append(Fact("in_range", name, (0.0, 1.0)))
        value = Value(name, shape, low, high, frozenset((name,)))
        self.live.append(value)
        return value

    def special(self, kind: str, shape: Shape, **about: Any) -> str:
        """An argument that is no ordinary float: labels, a mask, signs, a distribution."""
        name = self.name_input()
        prefix = {"int": "int ", "bool": "bool "}.get(kind, "")
        self.shapes[name] = (prefix + " ".join(shape)).strip()
        if kind == "int":
            self.index_axes[name] = about["axis"]
        elif kind == "one_of":
            self.facts.append(Fact("one_of", name, about["values"]))
        elif kind == "sums_to_one" and about.get("stated", True):
            self.facts.append(Fact("sums_to_one", name, (about["axis"],)))
        self.domains[name] = (0.1, 0.9)
        return name

    # ---- sizes

    def size(self, axis: str) -> str:
        """Code for the size of an axis; sizes are read from an argument's shape."""
        parsed = parse_spec(axis, "axis").dims[0]
        for name in parsed.names():
            if name not in self.sized:
                self.lines.insert(0, f"    {name} = {self._source_of(name)}")
                self.sized.add(name)
        return axis if axis.isalnum() else f"({axis})"

    def _source_of(self, axis: str) -> str:
        for name, spec in self.shapes.items():
            axes = spec.removeprefix("int ").removeprefix("bool ").split()
            if axis in axes:
                return f"{name}.shape[{axes.index(axis)}]"
        return f"{self.argument((axis,)).text}.shape[0]"

    def need(self, axis: str, least: int) -> bool:
        """Asks for a size of at least `least`; False when the axis has less."""
        if size_of(axis, PRIMES) < least:
            return False
        for name in parse_spec(axis, "axis").dims[0].names():
            self.minimum[name] = max(self.minimum.get(name, 1), least)
        return True

    def count(self, axes: Iterable[str]) -> int:
        """How many places there are over some axes, at the largest sizes."""
        total = 1
        for axis in axes:
            total *= size_of(axis, PRIMES)
        return total

    # ---- values

    def pick(self, wanted: Callable[[Value], bool] = lambda v: True) -> Value | None:
        """A live value of some kind, a recent one rather than an old one."""
        found = [v for v in self.live if wanted(v)]
        if not found:
            return None
        return found[min(int(self.rng.expovariate(0.6)), len(found) - 1) * -1 - 1]

    def made(
        self, text: str, shape: Shape, low: float, high: float, *of: Value, atomic: bool = True
    ) -> Value:
        """A new value from others."""
        names = frozenset().union(*(v.names for v in of)) if of else frozenset()
        return Value(text, shape, low, high, names, atomic)

    def keep(self, value: Value) -> Value:
        """Binds the value to a name, new or bound before, or leaves it as an expression."""
        if self.rng.random() < 0.25 and len(value.text) < 40:
            self.live.append(value)
            return value
        old = [v.text for v in self.live if v.text.isidentifier()]
        again = old and self.rng.random() < 0.2
        return self.bind(value, self.rng.choice(old) if again else None)

    def bind(self, value: Value, name: str | None = None) -> Value:
        """Binds the value to a name, a fresh one if none is given."""
        if name is None:
            free = [n for n in LOCALS if n not in self.bound_names]
            name = self.rng.choice(free) if free else f"value_{len(self.lines)}"
        self.lines.append(f"    {name} = {value.text}")
        bound = Value(name, value.shape, value.low, value.high, frozenset((name,)))
        self.live = [v for v in self.live if name not in v.names]
        self.live.append(bound)
        return bound

    def unread(self) -> list[Value]:
        """The live values that no line reads."""
        return [v for v in self.live if v.text not in self.shapes and not self._is_read(v)]

    def _is_read(self, value: Value) -> bool:
        if not value.text.isidentifier():
            return any(value.text in line for line in self.lines)
        bound = max(k for k, line in enumerate(self.lines)
                    if line.startswith(f"    {value.text} = "))
        word = re.compile(rf"\b{value.text}\b")
        anonymous = [v.text for v in self.live if not v.text.isidentifier()]
        return any(word.search(text) for text in (*self.lines[bound + 1:], *anonymous))
