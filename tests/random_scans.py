"""Random recurrences: forward passes with one or two loops through `symprop.scan`.

In: a seed. Out: a `Program` whose step mixes gates, products, slices and softmax over its
carries, its input and arrays from outside the loop.
"""

from __future__ import annotations

import random

from random_builder import Program


class _Cell:
    """A step in the making; every value in it has the shape (N, H)."""

    def __init__(self, rng: random.Random, used: set[str], carries: list[str], x: str) -> None:
        self.rng, self.used = rng, used
        self.values = list(carries)
        self.x = x
        self.lines: list[str] = []

    def take(self, name: str) -> str:
        self.used.add(name)
        return name

    def pick(self) -> str:
        return self.rng.choice(self.values[-4:])

    def expression(self) -> str:
        """One more value."""
        a, b = self.pick(), self.pick()
        return self.rng.choice((
            lambda: f"np.tanh({self.x} @ {self.take('U')} + {a} @ {self.take('V')} + "
                    f"{self.take('b')})",
            lambda: f"nn.sigmoid({a} @ {self.take('V')})",
            lambda: f"nn.sigmoid({self.x} @ {self.take('U')} + {a}) * np.tanh({b})",
            lambda: f"np.sin({a} * {b}) - {self.take('b')}",
            lambda: f"np.tanh({a}) + 0.5 * {b}",
            lambda: f"nn.softmax({a} @ {self.take('E')}.T, axis=-1) @ {self.take('E')}",
            lambda: f"np.tanh({a}) - {b}.mean(axis=1, keepdims=True)",
            lambda: f"np.maximum({a}, {self.take('b')})",
            lambda: f"np.where({a} > 0, {b}, {self.take('b')})",
            lambda: f"np.tanh(({a} @ {self.take('W')} + {self.take('g')})[:, H:])",
            lambda: f"np.sin({a} + {self.x}.sum(axis=1, keepdims=True))",
        ))()

    def grow(self, count: int) -> None:
        for k in range(count):
            name = self.rng.choice((f"z{k}", f"a{k}", "u"))
            self.lines.append(f"{name} = {self.expression()}")
            self.values = [v for v in self.values if v != name] + [name]


SHAPES = {"x": "T N K", "h0": "N H", "c0": "N H", "U": "K H", "V": "H H", "b": "H", "E": "M H",
          "W": "H 2*H", "g": "2*H", "U2": "H K"}


def random_scan(seed: int) -> Program:
    """A forward pass with one loop, or a second one over what the first gave out."""
    rng = random.Random(seed)
    used = {"x", "h0"}
    lines = ["H = h0.shape[1]"]
    first = _loop(rng, used, lines, "", "x")
    parts = [f"np.mean({ys}**2)" for ys in first[1:]] + [f"np.sum({first[0]}) / H"]
    if rng.random() < 0.3:
        used.add("U2")
        lines.append(f"fed = np.tanh({first[1]} @ U2)")
        second = _loop(rng, used, lines, "_back", "fed[::-1]" if rng.random() < 0.5 else "fed")
        parts += [f"np.mean(np.sin({second[1]}))"]
    loss = " + ".join(rng.sample(parts, rng.randint(1, len(parts))))
    arguments = [n for n in SHAPES if n in used]
    body = "\n".join(f"    {line}" for line in (*lines, f"return {loss}"))
    source = f"def forward_pass({', '.join(arguments)}):\n{body}\n"
    domains = dict.fromkeys(arguments, (-1.2, 1.2))
    return Program(seed, source, {n: SHAPES[n] for n in arguments}, (), None, domains, {}, {})


def _loop(
    rng: random.Random, used: set[str], lines: list[str], suffix: str, xs: str
) -> list[str]:
    """A step and its scan; returns the names of a last carry and of the outputs."""
    two = rng.random() < 0.5
    carries = ["h", "c"] if two else ["h"]
    cell = _Cell(rng, used, carries, "x_t")
    cell.grow(rng.randint(1, 4))
    new = [cell.values[-1], *([cell.pick()] if two else [])]
    wrapped = "({})" if two else "{}"
    outputs = [cell.pick(), *([cell.pick()] if rng.random() < 0.4 else [])]
    out = f"({', '.join(outputs)})" if len(outputs) > 1 else outputs[0]
    if two:
        used.add("c0")
    inside = ["h, c = carry" if two else "h = carry", *cell.lines,
              f"return {wrapped.format(', '.join(new))}, {out}"]
    lines += [f"def step{suffix}(carry, x_t):", *(f"    {line}" for line in inside)]
    last = [f"{c}_last{suffix}" for c in carries]
    ys = [f"y{k}{suffix}" for k in range(len(outputs))]
    left = f"{wrapped.format(', '.join(last))}, {f'({chr(44).join(ys)})' if len(ys) > 1 else ys[0]}"
    init = wrapped.format(", ".join(["h0", "c0"][: len(carries)]))
    lines.append(f"{left} = scan(step{suffix}, {init}, {xs})")
    return [last[0], *ys]
