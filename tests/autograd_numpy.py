"""NumPy and symprop.nn for HIPS autograd: the namespaces in which a random program is run.

In: the source of a forward pass, loaded with these `np` and `nn`. Out: a loss that
`autograd.grad` differentiates.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import autograd
import autograd.numpy as np
from autograd.scipy.special import erf
from complex_numpy import loss_of

HEADER = "from autograd_numpy import nn, np\n\n\n"


class nn:
    """The functions of symprop.nn that random programs call."""

    @staticmethod
    def relu(x: Any) -> Any:
        return np.where(x > 0, x, 0.0)

    @staticmethod
    def leaky_relu(x: Any, slope: float = 0.01) -> Any:
        return np.where(x > 0, x, slope * x)

    @staticmethod
    def elu(x: Any) -> Any:
        return np.where(x > 0, x, np.expm1(x))

    @staticmethod
    def sigmoid(x: Any) -> Any:
        return 1 / (1 + np.exp(-x))

    @staticmethod
    def softplus(x: Any) -> Any:
        return np.logaddexp(x, 0.0)

    @staticmethod
    def silu(x: Any) -> Any:
        return x / (1 + np.exp(-x))

    @staticmethod
    def gelu(x: Any, approximate: str = "none") -> Any:
        if approximate == "tanh":
            return x * (1 + np.tanh((2 / np.pi) ** 0.5 * (x + 0.044715 * x**3))) / 2
        return x * (1 + erf(x / 2**0.5)) / 2

    @staticmethod
    def logsumexp(x: Any, axis: int = -1, keepdims: bool = False) -> Any:
        return np.log(np.sum(np.exp(x), axis=axis, keepdims=keepdims))

    @staticmethod
    def log_softmax(x: Any, axis: int = -1) -> Any:
        return x - nn.logsumexp(x, axis, keepdims=True)

    @staticmethod
    def softmax(x: Any, axis: int = -1) -> Any:
        return np.exp(x) / np.sum(np.exp(x), axis=axis, keepdims=True)

    @staticmethod
    def l2_penalty(x: Any) -> Any:
        return np.sum(x**2)

    @staticmethod
    def l1_penalty(x: Any) -> Any:
        return np.sum(np.abs(x))

    @staticmethod
    def mse_loss(x: Any, y: Any) -> Any:
        return np.mean((x - y) ** 2)

    @staticmethod
    def l1_loss(x: Any, y: Any) -> Any:
        return np.mean(np.abs(x - y))

    @staticmethod
    def huber_loss(x: Any, y: Any) -> Any:
        e = np.abs(x - y)
        return np.mean(np.where(e <= 1, e**2 / 2, e - 0.5))

    @staticmethod
    def hinge_loss(x: Any, y: Any) -> Any:
        return np.mean(nn.relu(1 - y * x))

    @staticmethod
    def binary_cross_entropy_with_logits(x: Any, y: Any) -> Any:
        return np.mean(nn.softplus(x) - y * x)

    @staticmethod
    def cross_entropy(x: Any, y: Any) -> Any:
        log_p = nn.log_softmax(x, axis=1)
        if np.ndim(y) == 2:
            return -np.mean(np.sum(y * log_p, axis=1))
        return -np.mean(log_p[np.arange(len(y)), y])


def autograd_gradients(
    function: Callable[..., Any], inputs: Mapping[str, Any], names: tuple[str, ...]
) -> dict[str, Any]:
    """All gradients by HIPS autograd. Raises what autograd raises where it has no rule."""

    def loss(chosen: dict[str, Any]) -> Any:
        return loss_of(function(**{**inputs, **chosen})) + 0.0 * sum(
            np.sum(v) for v in chosen.values())

    gradients: dict[str, Any] = autograd.grad(loss)({n: inputs[n] * 1.0 for n in names})
    return gradients
