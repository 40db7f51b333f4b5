"""What tracing, deriving, verifying and generating cost as a network gets deeper: `make bench`.

In: nothing. Out: a line on comparing functions with equations, and two tables of CPU seconds, of
multilayer perceptrons and of the zoo's gpt, with what each further layer or block adds. What the
tests count (equations, steps, simplifications done) stands beside it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

import symprop
from symprop import nn
from symprop.trace import trace as tracing
from symprop.zoo import models
from symprop.zoo.attention import GPT_BLOCK

Network = Callable[[int], symprop.System]

ROUNDS = 2  # the least of so many runs counts


def perceptron(depth: int) -> symprop.System:
    """A tanh network with `depth` hidden layers and cross-entropy."""
    def loss(X: Any, y: Any, layers: Any, W: Any, b: Any) -> Any:
        A = X
        for weights, bias in layers:
            A = np.tanh(A @ weights + bias)
        return nn.cross_entropy(A @ W + b, y)

    layers = [("K H", "H"), *[("H H", "H")] * (depth - 1)]
    shapes = {"X": "N K", "y": "int N", "layers": layers, "W": "H M", "b": "M"}
    return symprop.trace(loss, shapes=shapes, wrt=["layers", "W", "b"])


def gpt(blocks: int) -> symprop.System:
    """The zoo's gpt with so many blocks."""
    model = models()["gpt"]
    shapes = {**model.shapes, "blocks": [GPT_BLOCK] * blocks}
    return symprop.trace(model.function, shapes=shapes, wrt=model.wrt)


def timed(action: Callable[[], Any]) -> tuple[float, Any]:
    """CPU seconds of one run, and its result."""
    start = time.process_time()
    result = action()
    return time.process_time() - start, result


def run(network: Network, depth: int) -> tuple[list[float], list[int]]:
    """Seconds of trace, derive, verify, generate; equations, steps and lines of code."""
    traced, system = timed(lambda: network(depth))
    derived, derivation = timed(lambda: symprop.derive(system))
    verified, _ = timed(derivation.verify)
    generated, module = timed(lambda: symprop.generate(derivation))
    equations = len(system.equations) + len(derivation.adjoints)
    counts = [equations, len(derivation.steps), len(module.source.splitlines())]
    return [traced, derived, verified, generated], counts


def loop() -> None:
    """What comparing every function of the zoo with its equations adds to tracing it."""
    traced = compared = 0.0
    for model in models().values():
        arguments = model.function, model.shapes, model.wrt, model.facts
        for _ in range(ROUNDS):  # the first one differentiates and imports
            alone, _ = timed(lambda given=arguments: tracing.trace(*given))
            both, _ = timed(lambda given=arguments: symprop.trace(*given))
        traced, compared = traced + alone, compared + both - alone
    print(f"\nthe zoo's {len(models())} models: trace {traced:.2f}, "
          f"function = equations {compared:.2f}")


def table(title: str, network: Network, depths: tuple[int, ...]) -> None:
    """A row for each depth; `each more` is what it adds to the row above, for one layer."""
    print(f"\n{title:<14} {'trace':>8} {'derive':>8} {'verify':>8} {'generate':>9} {'total':>8}"
          f" {'each more':>10} {'equations':>10} {'steps':>6} {'lines':>6}")
    run(network, 1)  # SymPy's first derivatives are nobody's depth
    above: tuple[int, float] | None = None
    for depth in depths:
        runs = [run(network, depth) for _ in range(ROUNDS)]
        seconds = [min(times) for times in zip(*(r[0] for r in runs), strict=True)]
        total = sum(seconds)
        more = "" if above is None else f"{(total - above[1]) / (depth - above[0]):.3f}"
        traced, derived, verified, generated = seconds
        equations, steps, lines = runs[0][1]
        print(f"{depth:>14} {traced:>8.3f} {derived:>8.3f} {verified:>8.3f} {generated:>9.3f}"
              f" {total:>8.3f} {more:>10} {equations:>10} {steps:>6} {lines:>6}", flush=True)
        above = depth, total


def main() -> None:
    """Prints the tables."""
    loop()
    table("hidden layers", perceptron, (1, 2, 4, 8, 16, 32, 100))
    table("gpt blocks", gpt, (2, 4, 8, 12))


if __name__ == "__main__":
    main()
