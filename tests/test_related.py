"""A part of a product with a name of its own stays within its arrays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from test_integer_programs import agree, generated

JOINED: dict[str, Callable[[Any], Any]] = {
    "behind": lambda a: np.concatenate([a, np.zeros(1)]),
    "before": lambda a: np.concatenate([np.ones(2), a]),
    "padded": lambda a: np.pad(a, (1, 2)),
    "beside": lambda a: np.concatenate([a, np.sin(a)]),
    "cut": lambda a: a[:-1],
    "cut and joined": lambda a: np.concatenate([a[:-1], a[1:]]),
}
PARTS: dict[str, Callable[[Any, Any], Any]] = {
    "quotient": lambda z, s: z / s,
    "product": lambda z, s: z * s,
    "times a third": lambda z, s: np.cos(s) * z / s,
}


QUICK = {("behind", "quotient"), ("padded", "times a third"), ("cut and joined", "product")}


@pytest.mark.parametrize(("join", "part"), [
    pytest.param(j, p, marks=() if (j, p) in QUICK else pytest.mark.deep)
    for j in JOINED for p in PARTS])
def test_a_named_part_is_read_inside_its_arrays(join: str, part: str) -> None:
    """z and s have T - 1 entries, what reads their quotient has more, or fewer."""

    def loss(x: Any, w: Any) -> Any:
        z = x[1:] * w
        s = np.sqrt(1 + z * z)
        return np.sum(JOINED[join](PARTS[part](z, s)) ** 2)

    module = generated(loss, x="T", w="T-1")
    for entries in (3, 6):
        rng = np.random.default_rng(entries)
        agree(loss, module, {"x": rng.normal(size=entries), "w": rng.normal(size=entries - 1)})
