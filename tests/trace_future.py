"""A function whose annotations are source text."""

from __future__ import annotations

import numpy as np


def loss(X: "N K", ws: ["K", "K"], heads: int = 4, eps: float = 1e-5):
    """Annotated under `from __future__ import annotations`."""
    return np.sum(X @ ws[0] + X @ ws[1]) / heads + eps
