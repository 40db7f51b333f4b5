"""The package against PyTorch, HIPS autograd and JAX (`make test-oracles`)."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from built_models import assert_close, built
from proofs import PROOFS
from random_programs import random_program

import symprop
from symprop.zoo import models

pytestmark = pytest.mark.oracles
TOLERANCE = 1e-10
SUBSET = range(5000, 5400, 100)


@pytest.mark.parametrize("name", [*models(), *PROOFS])
def test_pytorch_agrees(name: str) -> None:
    from torch_models import MODELS, torch_gradients

    model = built(name)
    for seed, sizes in enumerate(model.sizes):
        leaves = model.leaves(sizes, seed)
        loss, expected = torch_gradients(MODELS[name], model, leaves)
        found, gradients = model.value_and_grad(leaves)
        assert found == pytest.approx(loss, rel=1e-12)
        assert_close(gradients, expected, TOLERANCE)


def test_every_model_is_compared() -> None:
    from torch_models import MODELS

    assert set(MODELS) == {*models(), *PROOFS}


@pytest.mark.parametrize("first", SUBSET)
def test_autograd_agrees_on_random_systems(first: int) -> None:
    from autograd_numpy import HEADER, autograd_gradients

    compared = 0
    for seed in range(first, first + SUBSET.step):
        program = random_program(seed)
        if "np.repeat(" in program.source or "np.tile(" in program.source:
            continue  # autograd's gradients are wrong: of repeat for axis=-1, of tile for matrices
        names = program.wrt or program.floats
        inputs = program.inputs(program.sizes())
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                expected = autograd_gradients(program.loaded(HEADER), inputs, names)
        except (NotImplementedError, TypeError, ValueError, AttributeError, AssertionError,
                NameError):
            continue  # autograd has no rule for something in it, or a rule that fails
        system = symprop.trace(
            program.function, shapes=program.shapes, wrt=program.wrt, facts=program.facts)
        gradients = symprop.generate(symprop.derive(system)).value_and_grad(**inputs)[1]
        try:
            assert_close(gradients, expected, TOLERANCE, floor=1e-14)
        except AssertionError as error:
            raise AssertionError(f"{program}\n{error}") from error
        compared += 1
    assert compared >= 20


def test_jax_scan_means_the_same() -> None:
    """symprop.scan has the signature and the meaning of jax.lax.scan."""
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)
    rng = np.random.default_rng(0)
    xs, init, W = rng.normal(size=(4, 3)), rng.normal(size=3), rng.normal(size=(3, 3))

    def step(numpy, weights):
        def one(carry, x):
            new = numpy.tanh(carry @ weights + x)
            return new, (new, new**2)
        return one

    last, outputs = symprop.scan(step(np, W), init, xs)
    last_jax, outputs_jax = jax.lax.scan(step(jnp, jnp.asarray(W)), init, xs)
    np.testing.assert_allclose(last, last_jax, rtol=1e-12)
    for ours, theirs in zip(outputs, outputs_jax, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-12)

    def loss(x: "T K", h: "K", U: "K K"):
        _, (hs, _) = symprop.scan(step(np, U), h, x)
        return np.sum(hs**2)

    def loss_jax(U):
        _, (hs, _) = jax.lax.scan(step(jnp, U), init, xs)
        return jnp.sum(hs**2)

    module = symprop.generate(symprop.derive(symprop.trace(loss, wrt=["U"])))
    expected = np.asarray(jax.grad(loss_jax)(W))
    assert_close(module.value_and_grad(x=xs, h=init, U=W)[1], {"U": expected}, TOLERANCE)
