"""The entries that a boolean mask chooses, until they are added up or written back.

In: a traced array and a mask over its first axes. Out: what stands for x[mask], whose shape
depends on the numbers; of what is made from it entry by entry, the sum, the mean, the largest
and the smallest entry are traced arrays again:

    np.log(x[mask]).sum()      Σ_n [mask[n]] log x[n]
    h[mask] *= 2               h_2 = where(mask, 2 h, h)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NoReturn

import numpy as np

from symprop.algebra.build import ONE
from symprop.algebra.canonical import same
from symprop.algebra.expr import Index
from symprop.errors import ShapeError, TraceError
from symprop.trace.arithmetic import divide
from symprop.trace.booleans import is_mask, where
from symprop.trace.choices import count_nonzero
from symprop.trace.coerce import as_traced
from symprop.trace.context import located
from symprop.trace.indexing_ops import getitem
from symprop.trace.reductions import max_, min_, sum_
from symprop.trace.registry import UFUNCS, method
from symprop.trace.shapes_of import positions
from symprop.trace.sizes import same_size
from symprop.trace.tensor import Traced

_SHAPE = ("a boolean mask as an index gives a shape that depends on the numbers: use "
          "np.where(mask, x, 0), or reduce x[mask] at once, as in x[mask].sum()")


class Selected(np.lib.mixins.NDArrayOperatorsMixin):
    """x[mask]: the values on all entries, and the mask over their first axes."""

    def __init__(self, values: Traced, mask: Traced, behind: bool = False) -> None:
        self.values = values
        self.mask = mask
        self.behind = behind  # other axes: x[:, mask]

    def __array_ufunc__(self, ufunc: np.ufunc, call: str, *inputs: Any, **options: Any) -> Any:
        if call != "__call__" or ufunc.__name__ not in UFUNCS:
            self._refuse()
        options.pop("out", None)  # += of a temporary array: it is written back
        return Selected(UFUNCS[ufunc.__name__](*map(self._operand, inputs), **options), self.mask,
                        self.behind)

    def _operand(self, value: Any) -> Any:
        if isinstance(value, Selected):
            alike = self.has(value.mask) and value.behind == self.behind
            return value.values if alike else self._refuse()
        return self._refuse() if np.ndim(value) else value

    def has(self, mask: Traced) -> bool:
        """Whether a mask is this one."""
        return (mask.ndim == self.mask.ndim and all(map(same_size, mask.sizes, self.mask.sizes))
                and same(mask.at(positions(self.mask.axes)), self.mask.body))

    def __array_function__(self, func: Any, types: Any, args: Any, options: Any) -> Any:
        name = {"amax": "max", "amin": "min"}.get(func.__name__, func.__name__)
        if name not in _REDUCTIONS or args[0] is not self:
            self._refuse()
        return getattr(self, name)(*args[1:], **options)

    # ---- reductions

    def sum(self, axis: Any = None) -> Traced:
        """The sum of the chosen entries; axis 0 keeps the axes behind the mask's."""
        return sum_(self._filled(0.0), axis=self._axes(axis))

    def mean(self, axis: Any = None) -> Traced:
        """The mean of the chosen entries."""
        count: Any = self.count()
        behind = self.values.shape[self.mask.ndim:] if axis is None else ()
        for size in behind:
            count = count * size
        return divide(self.sum(axis), count)

    def max(self, axis: Any = None) -> Traced:
        """The largest of the chosen entries."""
        return max_(  # type: ignore[no-any-return]
            self._filled(-np.inf), axis=self._axes(axis))

    def min(self, axis: Any = None) -> Traced:
        """The smallest of the chosen entries."""
        return min_(  # type: ignore[no-any-return]
            self._filled(np.inf), axis=self._axes(axis))

    def count(self) -> Traced:
        """How many places the mask chooses."""
        return count_nonzero(self.mask)

    def _filled(self, value: float) -> Traced:
        return where(spread(self.mask, self.values.ndim), self.values, value)

    def _axes(self, axis: Any) -> tuple[int, ...] | None:
        if axis is not None and (axis != 0 or self.behind):
            self._refuse()
        return None if axis is None else tuple(range(self.mask.ndim))

    # ---- what would need the shape

    def _refuse(self) -> NoReturn:
        raise located(TraceError, _SHAPE)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self._refuse()

    def __getitem__(self, key: Any) -> NoReturn:
        self._refuse()

    __array__: Callable[..., NoReturn] = lambda self, *args, **options: self._refuse()
    __iter__ = __len__ = __bool__ = __float__ = _refuse


_REDUCTIONS = ("sum", "mean", "max", "min")


def spread(mask: Traced, rank: int) -> Traced:
    """The mask with axes of size 1 behind its own."""
    more = tuple(Index("i", ONE) for _ in range(rank - mask.ndim))
    return Traced(mask.tracer, (*mask.axes, *more), mask.body, mask.kind)


@method("__getitem__")
def entries(array: Traced, key: Any) -> Any:
    """array[key]; of a mask what it chooses."""
    parts = [p for p in (key if isinstance(key, tuple) else (key,)) if p is not Ellipsis]
    if not any(isinstance(p, Traced) and is_mask(p) for p in parts):
        return getitem(array, key)
    if not (isinstance(parts[0], Traced) and is_mask(parts[0])):
        return _behind(array, parts)
    mask = as_traced(parts[0])
    if any(not isinstance(p, slice) or p != slice(None) for p in parts[1:]):
        raise located(TraceError, _SHAPE)
    if mask.ndim > array.ndim or not all(map(same_size, mask.sizes, array.sizes)):
        raise located(ShapeError, f"the mask {mask.described()} does not fit {array.described()}")
    return Selected(array, mask)


def _behind(array: Traced, parts: Sequence[Any]) -> Any:
    """x[:, mask]: with the axes of the mask before all others what mask.T would choose of x.T.

    Only what is reduced over all that is left is the same; the rest is refused in its own words.
    """
    places = [k for k, p in enumerate(parts) if isinstance(p, Traced)]
    others = [p for k, p in enumerate(parts) if k not in places]
    if len(places) != 1 or any(not isinstance(p, slice) or p != slice(None) for p in others):
        raise located(TraceError, _SHAPE)
    (first,) = places
    mask = parts[first]
    order = [*range(first, first + mask.ndim), *range(first),
             *range(first + mask.ndim, array.ndim)]
    if first + mask.ndim > array.ndim:
        raise located(ShapeError, f"the mask {mask.described()} does not fit {array.described()}")
    chosen = entries(array.transpose(order), mask)
    chosen.behind = True
    return chosen
