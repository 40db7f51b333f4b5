"""Models in time: a state-space layer and a neural differential equation.

In: arrays. Out: a scalar loss and what `predict` returns; MODELS, the family's part of the zoo.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from symprop import nn
from symprop.trace.scan import scan
from symprop.zoo.model import Model


def state_space(
    u: "T N K", y: "T N M", a: "H", B: "K H", C: "H M", D: "K M"
) -> Any:
    """A diagonal linear recurrence x[t] = λ ⊙ x[t-1] + u[t] B, read out as x[t] C + u[t] D.

    λ = σ(a) lies between 0 and 1, so that the state stays bounded.
    """
    decay = nn.sigmoid(a)
    driven = u @ B

    def step(x: Any, driven_t: Any) -> Any:
        x = decay * x + driven_t
        return x, x

    _, states = scan(step, np.zeros(driven.shape[1:]), driven)
    outputs = states @ C + u @ D
    loss = nn.mse_loss(outputs, y)
    return loss, {"outputs": outputs}


def neural_ode(
    x0: "N K", target: "N K", times: "T", dt: "", W1: "K H", v: "H", b1: "H", W2: "H K", b2: "K"
) -> Any:
    """dx/dt = tanh(x W1 + t v + b1) W2 + b2, by T steps of the classical Runge-Kutta method."""

    def slope(x: Any, t: Any) -> Any:
        return np.tanh(x @ W1 + t * v + b1) @ W2 + b2

    def step(x: Any, t: Any) -> Any:
        k1 = slope(x, t)
        k2 = slope(x + dt / 2 * k1, t + dt / 2)
        k3 = slope(x + dt / 2 * k2, t + dt / 2)
        k4 = slope(x + dt * k3, t + dt)
        x = x + dt / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
        return x, x

    x_end, path = scan(step, x0, times)
    loss = nn.mse_loss(x_end, target)
    return loss, {"path": path}


MODELS = (
    Model("state_space", "Diagonal state-space layer, a linear recurrence",
          state_space, ("a", "B", "C", "D")),
    Model("neural_ode", "Neural differential equation, Runge-Kutta steps",
          neural_ode, ("x0", "W1", "v", "b1", "W2", "b2"), shown=False),
)
