"""Word vectors.

In: arrays. Out: a scalar loss and what `predict` returns; MODELS, the family's part of the zoo.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from symprop import nn
from symprop.zoo.model import Model


def word2vec(
    centre: "int N", context: "int N", negative: "int N K", V: "M D", U: "M D"
) -> Any:
    """Skip-gram with negative sampling: -log σ(u·v) of a seen pair, -log σ(-u·v) of K drawn ones.

    M words with a vector of size D each: V as the centre, U in the context.
    """
    v = V[centre]
    seen = np.sum(U[context] * v, axis=1)
    drawn = np.einsum("nkd,nd->nk", U[negative], v)
    loss = np.mean(nn.softplus(-seen) + np.sum(nn.softplus(drawn), axis=1))
    return loss, {"seen": seen}


MODELS = (
    Model("word2vec", "word2vec: skip-gram with negative sampling",
          word2vec, ("V", "U")),
)
