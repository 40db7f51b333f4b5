"""The angle between what a learning rule puts in the place of the gradient, and the gradient.

In: updates and gradients by leaf name. Out: degrees by leaf name, and for all leaves together.
Below 90 degrees a small enough step along the update lowers the loss.
"""

import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from symprop.train.data import Arrays
from symprop.train.signature import gradient_function, signature_of

ALL = "all"


def angles_between(
    updates: Mapping[str, Any], gradients: Mapping[str, Any], departs: Iterable[str] | None = None
) -> dict[str, float]:
    """Return the angle of each array that both have, and under "all" that of several as one.

    These are the arrays in `departs`, or else all of them. The angle is nan where one side is
    zero.

    >>> found = angles_between({"w": [1.0, 0.0], "b": 1.0}, {"w": [0.0, 1.0], "b": 1.0})
    >>> {name: round(angle, 6) for name, angle in found.items()}
    {'w': 90.0, 'b': 0.0, 'all': 60.0}
    """
    names = [name for name in updates if name in gradients]
    pairs = {n: (np.ravel(updates[n]), np.ravel(gradients[n])) for n in names}
    found = {name: _angle(*pair) for name, pair in pairs.items()}
    together = [n for n in (names if departs is None else departs) if n in pairs] or names
    whole = [np.concatenate([pairs[n][side] for n in together]) for side in (0, 1)] if names else []
    return {**found, ALL: _angle(*whole) if whole else math.nan}


def reference_gradients(module: object, arrays: Arrays) -> Mapping[str, Any]:
    """Return the gradients that another module of the same model gives, by leaf name.

    `arrays` may hold more than it takes.
    """
    own = signature_of(module)
    taken = {leaf.name: arrays[leaf.name] for leaf in own.leaves}
    _, structured = gradient_function(module)(**own.arguments(taken))
    return own.flattened(structured)


def _angle(update: Any, gradient: Any) -> float:
    """The angle between two vectors, exact for small angles too (Kahan)."""
    lengths = np.linalg.norm(update), np.linalg.norm(gradient)
    if not all(lengths):
        return math.nan
    u, g = update / lengths[0], gradient / lengths[1]
    return math.degrees(2 * math.atan2(float(np.linalg.norm(u - g)), float(np.linalg.norm(u + g))))
