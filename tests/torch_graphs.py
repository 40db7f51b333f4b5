"""Networks on graphs, in PyTorch.

In: tensors in float64. Out: the loss.
"""

from __future__ import annotations

from typing import Any

from torch.nn import functional as F


def graph_convolution(
    X: Any, A: Any, y: Any, known: Any, W1: Any, b1: Any, W2: Any, b2: Any
) -> Any:
    hidden = F.relu(A @ (X @ W1) + b1)
    losses = F.cross_entropy(A @ (hidden @ W2) + b2, y, reduction="none")
    return (known * losses).sum() / (known.sum() + 1e-12)


MODELS = (graph_convolution,)
