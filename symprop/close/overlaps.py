"""Arrays that lie in each other's memory.

In: arrays, of which the first few are looked at. Out: pairs of positions.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np


def sharing(arrays: Sequence[Any], first: int) -> Iterator[tuple[int, int]]:
    """The pairs (j, k), j < k, of arrays that share memory, where j is one of the first.

    Only those are compared whose first and last bytes leave that open: of many arrays in a row,
    each with the few that begin before it ends.

    >>> x = np.zeros(6)
    >>> [*sharing([x[:3], x[3:], x[2:4], np.zeros(6)], 2)]
    [(0, 2), (1, 2)]
    """
    bytes_ = [_bytes(np.asarray(a)) for a in arrays]
    found = []
    open_: list[int] = []
    for k in sorted(range(len(arrays)), key=lambda k: bytes_[k]):
        open_ = [j for j in open_ if bytes_[j][1] > bytes_[k][0]]
        found += [(min(j, k), max(j, k)) for j in open_
                  if min(j, k) < first and np.shares_memory(arrays[j], arrays[k])]
        open_.append(k)
    yield from sorted(found)


def _bytes(array: np.ndarray[Any, Any]) -> tuple[int, int]:
    """The addresses of the first byte of an array, and of the one behind the last."""
    start = array.__array_interface__["data"][0]
    if not array.size:
        return start, start
    ends = [(n - 1) * step for n, step in zip(array.shape, array.strides, strict=True)]
    return start + sum(e for e in ends if e < 0), start + array.itemsize + sum(
        e for e in ends if e > 0)
