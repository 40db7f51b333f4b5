"""The update rules, as their textbooks give them.

In: parameters and gradients, a dict of arrays each, and the state of the optimizer. Out: new
parameters and a new state; nothing is changed in place, so every gradient of a step is taken
before any parameter moves. theta is a parameter, g its gradient, t the number of the step.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from symprop.errors import InputError

Array = NDArray[Any]
Slots = tuple[Array, ...]


@dataclass(frozen=True)
class State:
    """The number of steps taken and, for each parameter, what the rule remembers of them."""

    t: int = 0
    slots: Mapping[str, Slots] = field(default_factory=dict)


@dataclass(frozen=True)
class Optimizer:
    """What all rules share: the bookkeeping over named parameters, and an L2 penalty.

    >>> rule = GradientDescent(lr=0.5)
    >>> params, state = rule.update({"w": np.ones(2)}, {"w": np.ones(2)}, State())
    >>> params["w"].tolist()
    [0.5, 0.5]
    """

    lr: float
    memory: ClassVar[int] = 0  # arrays remembered for each parameter
    decoupled: ClassVar[bool] = False

    def update(
        self,
        params: Mapping[str, Array],
        grads: Mapping[str, Array],
        state: State,
        *,
        l2: float = 0.0,
        weights: Collection[str] = (),
    ) -> tuple[dict[str, Array], State]:
        """Take one step; `l2` (lambda of lambda/2 theta^2) holds for the names in `weights`."""
        t = state.t + 1
        moved: dict[str, Array] = {}
        slots: dict[str, Slots] = {}
        for name, theta in params.items():
            g, before = grads[name], state.slots.get(name) or (np.zeros_like(theta),) * self.memory
            if l2 and name in weights:
                theta, g = self.penalised(theta, g, l2)
            after, slots[name] = self.step(theta, g, before, t)
            moved[name] = np.asarray(after, dtype=params[name].dtype)
        return moved, State(t, slots)

    def penalised(self, theta: Array, g: Array, l2: float) -> tuple[Array, Array]:
        """The penalty joins the gradient, as the derivative of lambda/2 theta^2."""
        return theta, g + l2 * theta

    def step(self, theta: Array, g: Array, slots: Slots, t: int) -> tuple[Array, Slots]:
        """Return theta after the step, and the slots."""
        raise NotImplementedError


@dataclass(frozen=True)
class GradientDescent(Optimizer):
    """theta <- theta - lr g."""

    def step(self, theta: Array, g: Array, slots: Slots, t: int) -> tuple[Array, Slots]:
        return theta - self.lr * g, slots


@dataclass(frozen=True)
class Momentum(Optimizer):
    """v <- mu v + g; theta <- theta - lr v."""

    mu: float = 0.9
    memory: ClassVar[int] = 1

    def step(self, theta: Array, g: Array, slots: Slots, t: int) -> tuple[Array, Slots]:
        v = self.mu * slots[0] + g
        return theta - self.lr * v, (v,)


@dataclass(frozen=True)
class Nesterov(Momentum):
    """v <- mu v + g; theta <- theta - lr (g + mu v)."""

    def step(self, theta: Array, g: Array, slots: Slots, t: int) -> tuple[Array, Slots]:
        v = self.mu * slots[0] + g
        return theta - self.lr * (g + self.mu * v), (v,)


@dataclass(frozen=True)
class RMSprop(Optimizer):
    """v <- rho v + (1 - rho) g^2; theta <- theta - lr g / (sqrt(v) + eps)."""

    rho: float = 0.99
    eps: float = 1e-8
    memory: ClassVar[int] = 1

    def step(self, theta: Array, g: Array, slots: Slots, t: int) -> tuple[Array, Slots]:
        v = self.rho * slots[0] + (1 - self.rho) * g * g
        return theta - self.lr * g / (np.sqrt(v) + self.eps), (v,)


@dataclass(frozen=True)
class Adam(Optimizer):
    """m and v are running means of g and g^2, freed of their bias towards the zero start."""

    beta1: float = 0.9
    beta2: float = 0.999
    eps: float = 1e-8
    memory: ClassVar[int] = 2

    def step(self, theta: Array, g: Array, slots: Slots, t: int) -> tuple[Array, Slots]:
        m = self.beta1 * slots[0] + (1 - self.beta1) * g
        v = self.beta2 * slots[1] + (1 - self.beta2) * g * g
        m_hat = m / (1 - self.beta1**t)
        v_hat = v / (1 - self.beta2**t)
        return theta - self.lr * m_hat / (np.sqrt(v_hat) + self.eps), (m, v)


@dataclass(frozen=True)
class AdamW(Adam):
    """Adam whose penalty shrinks theta directly and never enters m and v."""

    decoupled: ClassVar[bool] = True

    def penalised(self, theta: Array, g: Array, l2: float) -> tuple[Array, Array]:
        return theta - self.lr * l2 * theta, g


OPTIMIZERS: Mapping[str, type[Optimizer]] = {
    "sgd": GradientDescent,
    "gd": GradientDescent,
    "momentum": Momentum,
    "nesterov": Nesterov,
    "rmsprop": RMSprop,
    "adam": Adam,
    "adamw": AdamW,
}


def make_optimizer(choice: str | Optimizer, lr: float) -> Optimizer:
    """Return the optimizer of that name; an `Optimizer` passes as it is, with its own lr.

    >>> make_optimizer("adam", 0.01)
    Adam(lr=0.01, beta1=0.9, beta2=0.999, eps=1e-08)
    """
    if isinstance(choice, Optimizer):
        return choice
    if choice not in OPTIMIZERS:
        raise InputError(f"{choice!r} is no optimizer; there are {', '.join(OPTIMIZERS)}")
    return OPTIMIZERS[choice](lr)
