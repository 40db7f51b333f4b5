"""How long deriving and verifying take: `make bench`.

In: nothing. Out: a table of seconds for multilayer perceptrons of growing depth, the
minimum of several runs, and the ratio of each depth to the one before.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

import symprop
from symprop import nn

DEPTHS = (1, 2, 4, 8, 12)
ROUNDS = 3


def network(depth: int) -> tuple[Callable[..., Any], dict[str, str], list[str]]:
    """A tanh network with `depth` hidden layers, its shapes and its parameters."""
    shapes = {"X": "N K", "y": "int N", "W1": "K H", "b1": "H"}
    for layer in range(2, depth + 1):
        shapes |= {f"W{layer}": "H H", f"b{layer}": "H"}
    shapes |= {f"W{depth + 1}": "H M", f"b{depth + 1}": "M"}
    names = list(shapes)[2:]

    def loss(X: Any, y: Any, weights: Any) -> Any:
        A = X
        for layer in range(1, depth + 1):
            A = np.tanh(A @ weights[f"W{layer}"] + weights[f"b{layer}"])
        Z = A @ weights[f"W{depth + 1}"] + weights[f"b{depth + 1}"]
        return nn.cross_entropy(Z, y)

    tree = {"X": shapes["X"], "y": shapes["y"], "weights": {n: shapes[n] for n in names}}
    return loss, tree, ["weights"]  # type: ignore[return-value]


def seconds(action: Callable[[], Any]) -> tuple[float, Any]:
    """The least time of several runs, and the last result."""
    best, result = float("inf"), None
    for _ in range(ROUNDS):
        start = time.perf_counter()
        result = action()
        best = min(best, time.perf_counter() - start)
    return best, result


def row(depth: int) -> str:
    """One line of the table."""
    function, shapes, wrt = network(depth)
    traced, system = seconds(lambda: symprop.trace(function, shapes=shapes, wrt=wrt))
    derived, derivation = seconds(lambda: symprop.derive(system))
    verified, _ = seconds(lambda: symprop.derive(system).verify())
    derivation.verify()
    generated, module = seconds(lambda: symprop.generate(derivation))
    equations = len(system.equations) + len(derivation.adjoints)
    return (f"{depth:>13} {traced:>8.3f} {derived:>8.3f} {verified - derived:>8.3f}"
            f" {generated:>9.3f} {equations:>10} {len(derivation.steps):>6}"
            f" {len(module.source.splitlines()):>6}")


def main() -> None:
    """Prints the table."""
    print(f"{'hidden layers':>13} {'trace':>8} {'derive':>8} {'verify':>8} {'generate':>9}"
          f" {'equations':>10} {'steps':>6} {'lines':>6}")
    for depth in DEPTHS:
        print(row(depth))


if __name__ == "__main__":
    main()
