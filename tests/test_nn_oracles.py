"""`symprop.nn` against PyTorch: every form of every call, values and gradients."""

from __future__ import annotations

import numpy as np
import pytest
from built_models import assert_close
from nn_cases import CASES, WITHOUT
from test_nn_layers import module

import symprop

pytestmark = [pytest.mark.oracles, pytest.mark.filterwarnings("ignore")]
TOLERANCE = 1e-10


@pytest.mark.parametrize("name", [name for name in CASES if name not in WITHOUT])
def test_pytorch_agrees(name: str) -> None:
    from nn_torch import torch_loss

    case = CASES[name]
    for seed, sizes in enumerate((*case.sizes, case.sizes[0])):
        inputs = case.inputs(sizes, seed)
        expected, slopes = torch_loss(name, inputs, case.parameters)
        assert case.loss(**inputs) == pytest.approx(expected, rel=1e-12, abs=1e-12)
        found, gradients = module(name).value_and_grad(**inputs)
        assert found == pytest.approx(expected, rel=1e-12, abs=1e-12)
        assert_close(gradients, slopes, TOLERANCE, floor=1e-14)


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.extra])
def test_further_forms_pass_the_check(name: str) -> None:
    assert symprop.check(module(name), sizes=CASES[name].sizes[0]).passed


def test_every_case_is_compared() -> None:
    from nn_torch import LAYERS

    assert {*LAYERS, *WITHOUT} == set(CASES)


def test_running_statistics_are_what_torch_writes_into_its_buffers() -> None:
    import torch

    rng = np.random.default_rng(0)
    x, mean, var = rng.normal(size=(4, 3, 5)), rng.normal(size=3), rng.random(3) + 1
    buffers = torch.tensor(mean.copy()), torch.tensor(var.copy())
    torch.nn.functional.batch_norm(torch.tensor(x), *buffers, training=True)
    for ours, theirs in zip(symprop.nn.running_statistics(x, mean, var), buffers, strict=True):
        np.testing.assert_allclose(ours, theirs.numpy(), rtol=1e-12)
