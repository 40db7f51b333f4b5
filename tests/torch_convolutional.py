"""The zoo's convolutional networks, in PyTorch.

In: tensors in float64. Out: the loss.
"""

from __future__ import annotations

from typing import Any

import torch
from torch.nn import functional as F


def lenet5(X: Any, y: Any, **w: Any) -> Any:
    image = F.interpolate(X[:, None], scale_factor=4, mode="nearest")
    hidden = F.avg_pool2d(torch.tanh(F.conv2d(image, w["K1"], w["c1"])), 2)
    hidden = F.avg_pool2d(torch.tanh(F.conv2d(hidden, w["K2"], w["c2"])), 2).flatten(1)
    for layer in (3, 4):
        hidden = torch.tanh(F.linear(hidden, w[f"W{layer}"].T, w[f"b{layer}"]))
    return F.cross_entropy(F.linear(hidden, w["W5"].T, w["b5"]), y)


def residual_block(x: Any, target: Any, **w: Any) -> Any:
    hidden = F.conv2d(x, w["K1"], padding=1)
    hidden = F.relu(F.batch_norm(hidden, None, None, w["gain1"], w["shift1"], training=True))
    hidden = F.conv2d(hidden, w["K2"], padding=1)
    hidden = F.batch_norm(hidden, None, None, w["gain2"], w["shift2"], training=True)
    return F.mse_loss(F.relu(x + hidden), target)


def unet_block(x: Any, y: Any, **w: Any) -> Any:
    wide = F.relu(F.conv2d(x, w["K1"], w["c1"], padding=1))
    deep = F.relu(F.conv2d(F.max_pool2d(wide, 2), w["K2"], w["c2"], padding=1))
    up = F.conv_transpose2d(deep, w["T"], w["d"], stride=2)
    return F.cross_entropy(F.conv2d(torch.cat([wide, up], 1), w["K3"], w["c3"], padding=1), y)


MODELS = (lenet5, residual_block, unet_block)
