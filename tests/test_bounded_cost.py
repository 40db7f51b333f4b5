"""What tracing, deriving, verifying and generating take is bounded by the number of equations.

Counting tests, no clock: the calls of any function, at two lengths of a program.
"""

from __future__ import annotations

from collections.abc import Callable
from cProfile import Profile
from typing import Any

import numpy as np
import pytest

import symprop

Function = Callable[..., Any]


def loop(length: int) -> Function:
    """A chain of elementwise functions in a Python loop."""
    def loss(x: "3") -> Any:  # type: ignore[name-defined]
        for _ in range(length):
            x = np.sin(x)
        return np.sum(x)
    return loss


def total(length: int) -> Function:
    """A sum whose terms are added one by one, all of one array."""
    def loss(x: "7") -> Any:  # type: ignore[name-defined]
        found = 0.0
        for i in range(length):
            found = found + x[i % 7] * (1 + i / length)
        return found**2
    return loss


def product(length: int) -> Function:
    """A product over two axes, written out."""
    def loss(g: Any) -> Any:
        return np.prod(1 + g / 3, axis=(0, 1))
    loss.__annotations__["g"] = f"2 {length}"
    return loss


def nested(length: int) -> Function:
    """The same, one axis after the other, then squared."""
    def loss(g: Any) -> Any:
        return np.prod(np.prod(1 + g / 3, axis=0)) ** 2
    loss.__annotations__["g"] = f"{length} 2"
    return loss


def cube(length: int) -> Function:
    """A product over three axes: its factors are nearly 0 together, and no sum cancels."""
    def loss(x: Any) -> Any:
        return np.sum(np.prod(x, axis=(0, 1, 2)))
    loss.__annotations__["x"] = f"{length} {length} {length} 2"
    return loss


def calls(function: Function) -> int:
    """How many calls all stages make."""
    profile = Profile(builtins=False)
    profile.enable()
    derivation = symprop.derive(symprop.trace(function))
    derivation.verify()
    symprop.generate(derivation)
    profile.disable()
    return sum(entry.callcount for entry in profile.getstats())


@pytest.mark.parametrize("program, lengths", [
    (loop, (20, 40)), (product, (3, 6)), (nested, (2, 4)),
    *(pytest.param(p, (30, 60), marks=pytest.mark.deep) for p in (loop, total)),
])
def test_calls_grow_at_most_quadratically(
    program: Callable[[int], Function], lengths: tuple[int, int]
) -> None:
    calls(program(lengths[0]))  # what is remembered for good
    found = [calls(program(n)) for n in lengths]
    assert found[1] <= 4 * found[0], found


def test_calls_for_a_product_over_three_axes_grow_with_its_entries() -> None:
    calls(cube(2))
    few, many = calls(cube(3)), calls(cube(6))
    assert many <= 8 * few, (few, many)


@pytest.mark.parametrize("shape", ["2 7", "2 2 3", "2 9"])
def test_a_product_over_several_axes(shape: str) -> None:
    """Its gradient is the product of all others, also where a factor is 0."""
    def loss(g: Any) -> Any:
        return np.prod(1 + g / 3)
    loss.__annotations__["g"] = shape
    derivation = symprop.derive(symprop.trace(loss))
    derivation.verify()
    module = symprop.generate(derivation)
    g = np.random.default_rng(0).normal(size=tuple(map(int, shape.split())))
    g.flat[1] = -3.0
    _, saved = module.forward(g)
    found = module.backward(saved)["g"]
    flat = (1 + g / 3).ravel()
    others = np.array([np.prod(np.delete(flat, k)) for k in range(flat.size)])
    np.testing.assert_allclose(found, others.reshape(g.shape) / 3, rtol=1e-12, atol=1e-15)


# ---- loops that are refused ---------------------------------------------------------------


def over_an_axis(x: "100000") -> Any:  # type: ignore[name-defined]
    """A sum, entry by entry."""
    total = 0.0
    for i in range(x.shape[0]):
        total = total + x[i] ** 2
    return total


def steps(x: "3") -> Any:  # type: ignore[name-defined]
    """A chain without end."""
    for _ in range(100000):
        x = np.sin(x)
    return np.sum(x)


def built_in(x: "100000") -> Any:  # type: ignore[name-defined]
    """Python's own sum."""
    return sum(x)


@pytest.mark.parametrize("function", [over_an_axis, steps, built_in])
def test_a_python_loop_that_is_too_long_is_refused(function: Function) -> None:
    """While it is traced, with the line and the way out."""
    line = r"^test_bounded_cost.py:\d+: this line was traced 1,000 times"
    with pytest.raises(symprop.SympropError, match=line + r".*whole arrays or as symprop\.scan"):
        symprop.trace(function)


def test_a_long_sum_of_powers_keeps_the_scale_of_the_loss() -> None:
    """The adjoint of the loss is a name of its own where a line is too long for its number."""
    def loss(x: "N", w: "N") -> Any:
        total = 0.0
        for k in range(40):
            total = total + w[0] * x[1] ** k
        return total

    module = symprop.generate(symprop.derive(symprop.trace(loss, wrt=("w",))))
    _, saved = module.forward(np.array([0.3, 0.9]), np.array([2.0, 1.0]))
    one, other = (module.backward(saved, dL)["w"] for dL in (1.0, -2.0))
    assert one[0] == pytest.approx(sum(0.9**k for k in range(40)))
    assert other == pytest.approx(-2 * one)
