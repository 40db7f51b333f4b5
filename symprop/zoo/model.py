"""One zoo model: a forward function with what a trace of it needs to be told."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from symprop.system import Fact


@dataclass(frozen=True)
class Model:
    """A forward pass with its title, its parameters and the facts of its inputs."""

    name: str
    title: str
    function: Callable[..., Any]
    wrt: tuple[str, ...]
    facts: tuple[Fact, ...] = ()
    shapes: Mapping[str, Any] = field(default_factory=dict)
    static: Mapping[str, Any] = field(default_factory=dict)
    shown: bool = True  # whether `generated/` holds it
    sizes: tuple[Mapping[str, int], ...] = ()  # for the tests, where their own do not suit
    unbounded: tuple[str, ...] = ()  # parameters whose large values have no finite loss
