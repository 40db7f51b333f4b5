"""Word vectors, in PyTorch.

In: tensors in float64. Out: the loss.
"""

from __future__ import annotations

from typing import Any

import torch
from torch.nn import functional as F


def word2vec(centre: Any, context: Any, negative: Any, V: Any, U: Any) -> Any:
    v = F.embedding(centre, V)
    seen = (F.embedding(context, U) * v).sum(dim=1)
    drawn = torch.bmm(F.embedding(negative, U), v[:, :, None])[:, :, 0]
    return -(F.logsigmoid(seen) + F.logsigmoid(-drawn).sum(dim=1)).mean()


MODELS = (word2vec,)
