"""Networks on graphs.

In: arrays. Out: a scalar loss and what `predict` returns; MODELS, the family's part of the zoo.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from symprop import nn
from symprop.trace.facts import one_of
from symprop.zoo.model import Model


def graph_convolution(
    X: "N K", A: "N N", y: "int N", known: "N", W1: "K H", b1: "H", W2: "H M", b2: "M"
) -> Any:
    """Kipf and Welling's two layers; `known` is 1 at the nodes whose label counts.

    A is the normalised adjacency D^(-1/2) (A + I) D^(-1/2).
    """
    H1 = nn.relu(A @ X @ W1 + b1)
    Z2 = A @ H1 @ W2 + b2
    losses = nn.cross_entropy(Z2, y, reduction="none")
    loss = np.sum(known * losses) / (np.sum(known) + 1e-12)
    return loss, {"logits": Z2}


MODELS = (
    Model("graph_convolution", "Graph convolutional network, some nodes labelled",
          graph_convolution, ("W1", "b1", "W2", "b2"), (one_of("known", 0, 1),), shown=False),
)
