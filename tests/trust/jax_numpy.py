"""The same source under jax.numpy: the namespaces in which a random program is run.

In: the source of a forward pass, loaded with these `np`, `nn` and `scan`. Out: a loss that
`jax.grad` differentiates. The functions of symprop.nn are those of `autograd_numpy`, read once more
with another `np`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import jax
import jax.numpy as np
import numpy
from complex_numpy import loss_of

from symprop.files.load import load_text

jax.config.update("jax_enable_x64", True)
HEADER = "from trust.jax_numpy import nn, np, scan\n\n\n"

_text = (Path(__file__).parents[1] / "autograd_numpy.py").read_text("utf-8")
_head = "from typing import Any\nimport jax.numpy as np\nfrom jax.scipy.special import erf\n\n\n"
nn = load_text(
    _head + _text[_text.index("class nn:"):_text.index("def autograd_gradients")], "jax_nn").nn
scan = jax.lax.scan


def jax_gradients(
    function: Callable[..., Any], inputs: Mapping[str, Any], names: tuple[str, ...]
) -> dict[str, Any]:
    """All gradients by JAX. Raises what JAX raises where it has no rule."""

    def loss(chosen: dict[str, Any]) -> Any:
        return loss_of(function(**{**inputs, **chosen})) * 1.0

    given = {n: np.asarray(a) for n, a in inputs.items()}
    inputs = given
    found = jax.grad(loss)({n: given[n] * 1.0 for n in names})
    return {n: numpy.asarray(g) for n, g in found.items()}
