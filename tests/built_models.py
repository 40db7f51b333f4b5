"""Zoo models and proofs, each derived and generated once for a test run, and inputs for them.

In: a name. Out: a `Built` with its system, derivation and module.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from proofs import PROOFS

import symprop
from symprop.check.trees import flatten, rebuild
from symprop.interpret.evaluate import extent
from symprop.shapes import parse_spec
from symprop.train.signature import leaves_of
from symprop.zoo import models

SIZES = (
    {"N": 5, "K": 3, "H": 7, "M": 4, "D": 11, "T": 4},
    {"N": 2, "K": 6, "H": 3, "M": 2, "D": 5, "T": 3},
)


@dataclass(frozen=True)
class Built:
    """A forward pass with everything that was made of it."""

    function: Any
    system: Any
    derivation: Any
    module: Any
    sizes: tuple[Mapping[str, int], ...]

    def leaves(self, sizes: Mapping[str, int], seed: int = 0) -> dict[str, Any]:
        """Moderate arrays from the declared domains, by leaf name."""
        rng = np.random.default_rng(seed)
        ranges = {r.array: r.size for r in self.system.index_ranges}
        arrays = {}
        for argument in self.system.arguments:
            for name, annotation in flatten(argument.name, argument.annotation).items():
                if annotation is None:
                    continue  # a constant of the trace
                spec = parse_spec(annotation, name)
                shape = tuple(d.evaluate(sizes) for d in spec.dims)
                if spec.dtype == "int":
                    arrays[name] = rng.integers(0, extent(ranges[name], sizes), shape)
                else:
                    arrays[name] = self._floats(name, shape, rng)
        return arrays

    def arranged(self, leaves: Mapping[str, Any]) -> dict[str, Any]:
        """The arguments of the function, structures included."""
        return {a.name: rebuild(a.name, a.annotation, leaves)
                for a in self.system.arguments if a.annotation is not None}

    def inputs(self, sizes: Mapping[str, int], seed: int = 0) -> dict[str, Any]:
        """Moderate arguments from the declared domains."""
        return self.arranged(self.leaves(sizes, seed))

    def value_and_grad(self, leaves: Mapping[str, Any]) -> tuple[Any, dict[str, Any]]:
        """The module's loss, and its gradients by leaf name."""
        loss, gradients = self.module.value_and_grad(**self.arranged(leaves))
        return loss, leaves_of(gradients)

    def _floats(self, name: str, shape: tuple[int, ...], rng: np.random.Generator) -> Any:
        drawn = rng.normal(size=shape)
        for fact in self.system.facts:
            if fact.array == name and fact.kind == "one_of":
                return rng.choice(np.array(fact.args, float), shape)
            if fact.array == name and fact.kind == "in_range":
                return rng.uniform(*fact.args, shape)
            if fact.array == name and fact.kind == "positive":
                return np.exp(drawn)
            if fact.array == name and fact.kind == "sums_to_one":
                drawn = np.exp(drawn)
                return drawn / drawn.sum(axis=fact.args[0], keepdims=True)
        if name in self.system.wrt:  # the more weights, the smaller: no unit is saturated
            return drawn / max(1.0, drawn.size**0.25 / 2)
        return drawn


def build(name: str) -> Built:
    """Trace, derive in the flat form and generate, without looking at what is kept."""
    if name in PROOFS:
        proof = PROOFS[name]
        function, sizes = proof.function, proof.sizes
        system = symprop.trace(function, wrt=proof.wrt)
    else:
        model = models()[name]
        function, sizes = model.function, model.sizes or SIZES
        system = symprop.trace(function, shapes=model.shapes, wrt=model.wrt, facts=model.facts,
                               static=model.static)
    derivation = symprop.derive(system, structure="flat")
    return Built(function, system, derivation, symprop.generate(derivation), sizes)


built = lru_cache(maxsize=None)(build)


def single(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """The same inputs in float32."""
    return {n: np.float32(a) if np.asarray(a).dtype.kind == "f" else a for n, a in inputs.items()}


def assert_close(
    got: Mapping[str, Any], expected: Mapping[str, Any], tolerance: float, share: float = 1e-3,
    floor: float = 0.0,
) -> None:
    """Gradients agree relative to the larger of the own scale and a share of the largest.

    `floor` is what rounding alone may do where the true gradient is 0.
    """
    largest = max(np.abs(e).max(initial=0.0) for e in expected.values())
    for name, right in expected.items():
        assert np.shape(got[name]) == np.shape(right), name
        scale = max(np.abs(right).max(initial=0.0), share * largest)
        error = np.abs(got[name] - right).max(initial=0.0)
        allowed = tolerance * scale + floor
        assert error <= allowed, f"{name}: an error of {error:.1e}, where {scale:.1e} is the scale"
