"""Random forward passes, all the way: traced, derived, verified, generated, and compared.

The oracle is a complex step through the user's own NumPy function; it shares nothing with the
package (see `complex_numpy`).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from built_models import assert_close, single
from complex_numpy import complex_gradients, loss_of
from random_programs import Program, random_program
from random_scans import random_scan

import symprop

SEEDS, QUICK = 200, 20
GAINS = 20
SCANS = 40
CHUNK = 10
TOLERANCE = 1e-10  # relative to the array's own scale or 1e-3 of the largest
SINGLE = 1e-5


def assert_right(program: Program, module: Any, ones: bool) -> None:
    """Loss, outputs and gradients of a module, in float64 and in float32."""
    inputs = program.inputs(program.sizes(ones))
    names = program.wrt or program.floats
    result = program.function(**inputs)
    loss, gradients = module.value_and_grad(**inputs)
    assert abs(loss - loss_of(result)) <= 1e-12 * max(1.0, abs(loss))
    for name in names:
        assert np.shape(gradients[name]) == np.shape(inputs[name])
        assert np.asarray(gradients[name]).dtype == np.float64
    expected = complex_gradients(program.complex_function, inputs, names)
    assert_close(gradients, expected, TOLERANCE, floor=1e-15)
    if isinstance(result, tuple):
        for key, value in result[1].items():
            predicted = module.predict(**_wanted(module.predict, inputs))[key]
            np.testing.assert_allclose(predicted, value, rtol=1e-12, atol=1e-12)
    loss, gradients = module.value_and_grad(**single(inputs))
    assert np.asarray(loss).dtype == np.float32
    for name in names:
        assert np.asarray(gradients[name]).dtype == np.float32, name
    assert_close_in_single(gradients, expected, program, inputs)


def assert_close_in_single(
    gradients: dict[str, Any], expected: dict[str, Any], program: Program, inputs: dict[str, Any]
) -> None:
    """Gradients in float32 have the digits of what was added up, and of the problem.

    A long recurrence h -> sin(h²) - b is chaotic: rounding its inputs moves the gradient as far.
    """
    try:
        assert_close(gradients, expected, SINGLE, share=0.1, floor=1e-7)
    except AssertionError:
        rng = np.random.default_rng(0)
        rounded = {n: a * (1 + 2**-24 * rng.choice([-1, 1], size=np.shape(a)))
                   if np.asarray(a).dtype.kind == "f" else a for n, a in inputs.items()}
        nearby = complex_gradients(program.complex_function, rounded, list(expected))
        moved = max(np.abs(nearby[n] - expected[n]).max(initial=0.0) for n in expected)
        assert_close(gradients, expected, SINGLE, share=0.1, floor=1e-7 + moved)


def _wanted(function: Any, inputs: dict[str, Any]) -> dict[str, Any]:
    """The inputs that a function takes."""
    code = function.__code__
    return {n: inputs[n] for n in code.co_varnames[: code.co_argcount] if n in inputs}


def check_program(program: Program) -> None:
    """The whole path for one program; its text is printed where it fails."""
    try:
        system = symprop.trace(
            program.function, shapes=program.shapes, wrt=program.wrt, facts=program.facts)
        module = symprop.generate(symprop.derive(system))
        for ones in (False, True):
            assert_right(program, module, ones)
    except Exception as error:
        print(program)
        raise AssertionError(f"seed {program.seed}: {error!r}") from error


def chunks(seeds: int, quick: int) -> list[Any]:
    """The first seeds of each chunk; those beyond the quick ones are deep."""
    return [pytest.param(first, marks=[pytest.mark.deep] * (first >= quick))
            for first in range(0, seeds, CHUNK)]


@pytest.mark.parametrize("first", chunks(SEEDS, QUICK))
def test_random_systems(first: int) -> None:
    failed = []
    for seed in range(first, first + CHUNK):
        try:
            check_program(random_program(seed))
        except AssertionError as error:
            failed.append(str(error))
    assert not failed, "\n".join(failed)


@pytest.mark.parametrize("first", chunks(GAINS, CHUNK))
def test_random_systems_with_factors_that_may_be_zero(first: int) -> None:
    failed = []
    for seed in range(first, first + CHUNK):
        try:
            check_program(random_program(seed, operations=3 + seed % 4, gains=True))
        except AssertionError as error:
            failed.append(str(error))
    assert not failed, "\n".join(failed)


@pytest.mark.parametrize("first", chunks(SCANS, CHUNK))
def test_random_recurrences(first: int) -> None:
    failed = []
    for seed in range(first, first + CHUNK):
        try:
            check_program(random_scan(seed))
        except AssertionError as error:
            failed.append(str(error))
    assert not failed, "\n".join(failed)


@pytest.mark.fuzz
@pytest.mark.parametrize("first", range(1000, 2000, 50))
def test_many_larger_random_systems(first: int) -> None:
    failed = []
    for seed in range(first, first + 50):
        try:
            check_program(random_program(seed, operations=5 + seed % 20))
        except AssertionError as error:
            failed.append(str(error))
    assert not failed, "\n".join(failed)


@pytest.mark.fuzz
@pytest.mark.parametrize("first", range(1000, 1200, 20))
def test_many_random_recurrences(first: int) -> None:
    failed = []
    for seed in range(first, first + 20):
        try:
            check_program(random_scan(seed))
        except AssertionError as error:
            failed.append(str(error))
    assert not failed, "\n".join(failed)
