"""The zoo and the proofs once more, in PyTorch.

In: tensors in float64. Out: the loss. Written by hand with torch's own losses and layers, so
that nothing of the package stands behind them; each family of the zoo has its file.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch_attention
import torch_autoencoders
import torch_convolutional
import torch_dynamics
import torch_embeddings
import torch_graphs
import torch_linear
import torch_mixtures
import torch_perceptrons
import torch_proofs
import torch_recurrent
from built_models import Built

_FAMILIES = (
    torch_linear.MODELS,
    torch_perceptrons.MODELS,
    torch_autoencoders.MODELS,
    torch_convolutional.MODELS,
    torch_embeddings.MODELS,
    torch_graphs.MODELS,
    torch_mixtures.MODELS,
    torch_dynamics.MODELS,
    torch_recurrent.MODELS,
    torch_attention.MODELS,
    torch_proofs.MODELS,
)

MODELS: dict[str, Callable[..., Any]] = {
    function.__name__: function for family in _FAMILIES for function in family}


def torch_gradients(
    function: Callable[..., Any], model: Built, leaves: dict[str, Any]
) -> tuple[float, dict[str, Any]]:
    """Loss and gradients by PyTorch's autograd, in float64."""
    names = model.system.wrt
    tensors = {n: torch.tensor(a) for n, a in leaves.items()}
    for name in names:
        tensors[name].requires_grad_()
    loss = function(**model.arranged(tensors))
    gradients = torch.autograd.grad(loss, [tensors[n] for n in names])
    return loss.item(), {n: g.numpy() for n, g in zip(names, gradients, strict=True)}
