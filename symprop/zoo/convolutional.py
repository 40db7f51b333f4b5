"""Convolutional networks: LeNet-5, a residual block, a small U-Net.

In: arrays, images as (batch, channels, rows, columns). Out: a scalar loss and what `predict`
returns; MODELS, the family's part of the zoo.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from symprop import nn
from symprop.zoo.model import Model


def lenet5(
    X: "N 8 8", y: "int N",
    K1: "6 1 5 5", c1: "6", K2: "16 6 5 5", c2: "16",
    W3: "400 120", b3: "120", W4: "120 84", b4: "84", W5: "84 10", b5: "10",
) -> Any:
    """LeCun's network for 32×32 pixels; the 8×8 digits are enlarged by repeating every pixel.

    Convolution to 6 maps of 28×28, pooled to 14×14; to 16 of 10×10, pooled to 5×5; then three
    layers of 120, 84 and 10 units. tanh and mean pooling, as in 1998; cross-entropy.
    """
    enlarged = np.repeat(np.repeat(X, 4, axis=1), 4, axis=2)
    A1 = np.tanh(nn.conv2d(enlarged[:, None], K1, c1))
    P1 = nn.avg_pool2d(A1, 2)
    A2 = np.tanh(nn.conv2d(P1, K2, c2))
    P2 = nn.avg_pool2d(A2, 2)
    F2 = np.reshape(P2, (X.shape[0], 400))
    A3 = np.tanh(F2 @ W3 + b3)
    A4 = np.tanh(A3 @ W4 + b4)
    Z5 = A4 @ W5 + b5
    return nn.cross_entropy(Z5, y), {"logits": Z5}


def residual_block(
    x: "N C H W", target: "N C H W",
    K1: "C C 3 3", gain1: "C", shift1: "C", K2: "C C 3 3", gain2: "C", shift2: "C",
) -> Any:
    """He's block: two 3×3 convolutions with batch norm, and the input added before the last relu.

    Squared error against a target, so that the block can be looked at alone.
    """
    Z1 = nn.conv2d(x, K1, padding=1)
    A1 = nn.relu(nn.batch_norm(Z1, None, None, gain1, shift1, training=True))
    Z2 = nn.conv2d(A1, K2, padding=1)
    B2 = nn.batch_norm(Z2, None, None, gain2, shift2, training=True)
    out = nn.relu(x + B2)
    return nn.mse_loss(out, target), {"out": out}


def unet_block(
    x: "N C 2*H 2*W", y: "int N 2*H 2*W",
    K1: "D C 3 3", c1: "D", K2: "2*D D 3 3", c2: "2*D",
    T: "2*D D 2 2", d: "D", K3: "M 2*D 3 3", c3: "M",
) -> Any:
    """A U-Net of one level: down, bottleneck, up by a transposed convolution, skip connection.

    D channels at full size and 2 D at half; a class of M for every pixel, cross-entropy.
    """
    wide = nn.relu(nn.conv2d(x, K1, c1, padding=1))
    down = nn.max_pool2d(wide, 2)
    deep = nn.relu(nn.conv2d(down, K2, c2, padding=1))
    up = nn.conv_transpose2d(deep, T, d, stride=2)
    joined = np.concatenate([wide, up], axis=1)
    scores = nn.conv2d(joined, K3, c3, padding=1)
    return nn.cross_entropy(scores, y), {"scores": scores}


MODELS = (
    Model("lenet5", "LeNet-5 on digits enlarged to 32×32",
          lenet5, ("K1", "c1", "K2", "c2", "W3", "b3", "W4", "b4", "W5", "b5"),
          sizes=({"N": 2},)),
    Model("residual_block", "Residual block: convolutions, batch norm, an identity around them",
          residual_block, ("x", "K1", "gain1", "shift1", "K2", "gain2", "shift2"), shown=False,
          sizes=({"N": 2, "C": 3, "H": 5, "W": 4}, {"N": 3, "C": 2, "H": 2, "W": 3})),
    Model("unet_block", "U-Net of one level with a skip connection, a class for every pixel",
          unet_block, ("x", "K1", "c1", "K2", "c2", "T", "d", "K3", "c3"), shown=False,
          sizes=({"N": 2, "C": 3, "H": 2, "W": 3, "D": 2, "M": 3},
                 {"N": 1, "C": 1, "H": 3, "W": 1, "D": 1, "M": 2})),
)
