"""`symprop.nn` is torch.nn.functional: every combination of options, values and gradients."""

from __future__ import annotations

import inspect
import zlib
from typing import Any

import numpy as np
import pytest
from nn_options import MAKE, NOT_TORCH, OF_ONE, OPTIONS, combinations

import symprop
from symprop import nn
from symprop.errors import SympropError

pytestmark = [pytest.mark.oracles, pytest.mark.filterwarnings("ignore")]
RENAMED = {"axis": "dim", "keepdims": "keepdim"}
# Weights that torch does not differentiate by.
FIXED = {"binary_cross_entropy": "weight", "binary_cross_entropy_with_logits": "weight pos_weight",
         "cross_entropy": "weight", "nll_loss": "weight", "kl_div": "",
         "cosine_embedding_loss": "target", "margin_ranking_loss": "target",
         "hinge_embedding_loss": "target", "soft_margin_loss": "target",
         "poisson_nll_loss": "target", "multi_margin_loss": "weight",
         "multilabel_soft_margin_loss": "target weight",
         "scaled_dot_product_attention": "attn_mask"}
FACTS = {"binary_cross_entropy": [symprop.in_range("input", 0, 1),
                                  symprop.in_range("target", 0, 1)]}
# torch's own backward has 1 / 6 and 1 / alpha in single precision.
ROUGH = {"hardsigmoid": 1e-6, "celu": 1e-6}
GRADIENTS = 4  # combinations of one function whose gradients are derived
# What is compared elsewhere: symprop's own, and layers that torch has no function for.
NO_FUNCTION = {
    "alpha_dropout", "bidirectional", "channel_dropout", "ctc_loss", "dropout",
    "elastic_net_penalty", "embedding", "geglu", "global_avg_pool", "global_max_pool", "gru",
    "hinge_loss", "info_nce", "l1_penalty", "l2_penalty", "linear", "log_sigmoid", "lstm",
    "merge_heads", "multi_head_attention", "one_hot", "prelu", "reglu", "rnn", "rotary",
    "running_statistics", "sigmoid_focal_loss", "sinusoidal_positions", "split_heads", "swiglu"}


def test_every_function_and_every_option_is_compared() -> None:
    assert set(nn.__all__) == {*MAKE, *NO_FUNCTION}
    for name in MAKE:
        for parameter, entry in inspect.signature(getattr(nn, name)).parameters.items():
            plain = isinstance(entry.default, bool | int | float | str)
            known = parameter in {*OPTIONS, *NOT_TORCH} or (name, parameter) in OF_ONE
            assert not plain or known, (name, parameter)


def theirs(name: str, arrays: dict[str, Any], options: dict[str, Any]) -> Any:
    """(value, gradients of the sum of its sines), or None where torch refuses."""
    import torch

    function = getattr(torch.nn.functional, name, None) or getattr(torch, name)
    tensors = {n: a if a is None else torch.tensor(a) for n, a in arrays.items()}
    fixed = FIXED.get(name, "").split()
    floating = {n: t for n, t in tensors.items()
                if t is not None and t.is_floating_point() and n not in fixed}
    for tensor in floating.values():
        tensor.requires_grad_()
    try:
        value = function(**tensors, **{RENAMED.get(k, k): v for k, v in options.items()})
        wanted = torch.autograd.grad(torch.sin(value).sum(), list(floating.values()),
                                     allow_unused=True)
    except (RuntimeError, ValueError, IndexError, NotImplementedError):
        return None
    return value.detach().numpy(), {
        n: np.zeros_like(arrays[n]) if g is None else g.numpy()
        for n, g in zip(floating, wanted, strict=True)}


def gradients(
    name: str, arrays: dict[str, Any], options: dict[str, Any], wrt: list[str]
) -> dict[str, Any]:
    """Those of the same sum, derived."""
    given = {n: a for n, a in arrays.items() if a is not None}
    nothing = dict.fromkeys(set(arrays) - set(given))

    def loss(*values: Any) -> Any:
        named = dict(zip(given, values, strict=True))
        return np.sum(np.sin(getattr(nn, name)(**named, **nothing, **options)))

    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    loss.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [inspect.Parameter(n, kind) for n in given])
    kinds = {"f": "", "i": "int ", "b": "bool "}
    shapes = {n: kinds[a.dtype.kind] + " ".join(map(str, a.shape)) for n, a in given.items()}
    module = symprop.generate(symprop.derive(symprop.trace(
        loss, shapes, wrt, FACTS.get(name, ()))))
    return dict(module.value_and_grad(**given)[1])


def draws(name: str) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """(arrays, options) of every combination, the same on every run."""
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    found = []
    for options in combinations(name):
        arrays = MAKE[name](rng, options)
        found.append((arrays, options))
    return found


@pytest.mark.parametrize("name", MAKE)
def test_values(name: str) -> None:
    compared = 0
    for arrays, options in draws(name):
        expected = theirs(name, arrays, options)
        if expected is None:
            continue
        try:
            value = getattr(nn, name)(**arrays, **options)
        except SympropError as error:
            raise AssertionError((name, options, {n: np.shape(a) for n, a in arrays.items()})
                                 ) from error
        compared += 1
        assert np.shape(value) == expected[0].shape, (options, arrays)
        np.testing.assert_allclose(value, expected[0], 1e-10, 1e-12, err_msg=str(
            (options, arrays)))
    assert compared


@pytest.mark.parametrize("name", MAKE)
def test_gradients(name: str) -> None:
    rng = np.random.default_rng(0)
    cases = [(a, o) for a, o in draws(name)
             if theirs(name, a, o) is not None]
    for k in rng.permutation(len(cases))[:GRADIENTS]:
        arrays, options = cases[k]
        arrays = {n: rng.normal(size=a.shape) if smooth(name, n, a) else a
                  for n, a in arrays.items()}
        expected = theirs(name, arrays, options)
        assert expected is not None
        for parameter, slope in gradients(name, arrays, options, [*expected[1]]).items():
            np.testing.assert_allclose(
                slope, expected[1][parameter], ROUGH.get(name, 1e-9), 1e-10,
                err_msg=str((parameter, options, arrays)))


def smooth(name: str, parameter: str, array: Any) -> bool:
    """Inputs that may be any number are drawn anew: conventions at kinks are tested elsewhere."""
    return parameter in ("input", "x1", "x2") and array is not None and \
        array.dtype.kind == "f" and name not in ("kl_div", "binary_cross_entropy")
