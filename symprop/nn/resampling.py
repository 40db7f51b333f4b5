"""Images of other sizes: every output is a weighted sum of a few entries of each axis.

In: input (N, C, *spatial). Out: the same with other spatial sizes.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from symprop.errors import InputError
from symprop.nn.arguments import expect_rank, per_axis
from symprop.nn.pooling import adaptive_avg_pool1d, adaptive_avg_pool2d, adaptive_avg_pool3d
from symprop.trace.context import located

Tap = tuple[Any, Any]  # whole positions on an axis, and their weights
_RANKS = {"nearest": (1, 2, 3), "nearest-exact": (1, 2, 3), "linear": (1,), "bilinear": (2,),
          "trilinear": (3,), "bicubic": (2,), "area": (1, 2, 3)}
_CUBIC = -0.75  # of the convolution kernel that torch uses


def interpolate(
    input: Any, size: Any = None, scale_factor: Any = None, mode: str = "nearest",
    align_corners: bool | None = None,
) -> Any:
    """The input at other spatial sizes, given as `size` or as a multiple, `scale_factor`.

    mode: "nearest", "nearest-exact", "area", "linear" of (N, C, L), "bilinear" or "bicubic" of
    (N, C, Y, X), "trilinear" of (N, C, Z, Y, X). An axis without a number takes a whole
    scale_factor, in the modes "nearest" and linear (without `align_corners`); all else needs axes
    declared as numbers. As torch's interpolate, without `antialias`. Raises InputError for options
    at odds.

    >>> interpolate(np.array([[[1.0, 3.0]]]), size=4, mode="linear")
    array([[[1. , 1.5, 2.5, 3. ]]])
    """
    rank = np.ndim(input) - 2
    expect_rank(input, (3, 4, 5), "(N, C, *spatial)", "interpolate: the input")
    if rank not in _RANKS.get(mode, ()):
        fitting = ", ".join(m for m, ranks in _RANKS.items() if rank in ranks)
        raise located(InputError, (
            f"interpolate: mode {mode!r} is none for {rank} spatial axes; there are {fitting}"))
    if (size is None) == (scale_factor is None):
        raise located(InputError, "interpolate: give either size or scale_factor")
    if align_corners is not None and mode in ("nearest", "nearest-exact", "area"):
        raise located(InputError, f"interpolate: align_corners is not for the mode {mode}")
    scales = _scales(scale_factor, rank)
    shape = np.shape(input)[2:]
    sizes = [_scaled(s, f) for s, f in zip(shape, scales, strict=True)] if size is None else [
        *per_axis(size, rank, "interpolate: size")]
    if mode == "area":
        pool = (adaptive_avg_pool1d, adaptive_avg_pool2d, adaptive_avg_pool3d)[rank - 1]
        return pool(input, tuple(sizes))
    result = input
    for axis, (old, new, scale) in enumerate(zip(shape, sizes, scales, strict=True), 2):
        if isinstance(old, int) and isinstance(new, int):
            result = _resized(result, axis, _taps(old, new, scale, mode, bool(align_corners)))
        elif mode == "nearest" and scale == int(scale or 0):
            result = np.repeat(result, int(scale), axis=axis)
        elif mode.endswith("linear") and not align_corners and scale == int(scale or 0):
            result = _multiplied(result, axis, int(scale))
        else:
            raise located(InputError, (
                f"interpolate: the axis {old} has no number: declare it as one, or use the mode "
                "nearest or linear with a whole scale_factor"))
    return result


def _scales(scale_factor: Any, rank: int) -> tuple[Any, ...]:
    """A number for each axis, or None."""
    given = scale_factor if isinstance(scale_factor, tuple | list) else (scale_factor,) * rank
    plain = all(f is None or (isinstance(f, int | float) and f > 0) for f in given)
    if len(given) != rank or not plain:
        raise located(InputError, (
            f"interpolate: scale_factor is one positive number or {rank}, not {scale_factor!r}"))
    return tuple(given)


def _scaled(size: Any, scale: Any) -> Any:
    """⌊size scale⌋; of an axis without a number where the scale is whole."""
    if isinstance(size, int):
        return math.floor(size * scale)
    return size * int(scale) if scale == int(scale) else None


def _resized(array: Any, axis: int, taps: list[Tap]) -> Any:
    """The sum of the taps along one axis."""
    if len(taps) == 1:
        return np.take(array, taps[0][0], axis=axis)
    kind = getattr(array, "dtype", float)
    shape = (-1, *(1,) * (np.ndim(array) - axis - 1))
    parts = [np.take(array, places, axis=axis) * np.reshape(np.asarray(weights, kind), shape)
             for places, weights in taps]
    total = parts[0]
    for part in parts[1:]:
        total = total + part
    return total


def _multiplied(array: Any, axis: int, factor: int) -> Any:
    """`factor` outputs for every entry of an axis of any size, each between two neighbours."""
    widths = [(1, 1) if k == axis else (0, 0) for k in range(np.ndim(array))]
    padded = np.pad(array, widths, mode="edge")
    front = (slice(None),) * axis
    before, after = padded[(*front, slice(None, -2))], padded[(*front, slice(2, None))]
    parts = []
    for phase in range(factor):
        offset = (phase + 0.5) / factor - 0.5
        neighbour = before if offset < 0 else after
        parts.append((1 - abs(offset)) * array + abs(offset) * neighbour)
    shape = np.shape(array)
    new = (*shape[:axis], shape[axis] * factor, *shape[axis + 1:])
    return np.reshape(np.stack(parts, axis=axis + 1), new)


def _taps(old: int, new: int, scale: Any, mode: str, align_corners: bool) -> list[Tap]:
    """The entries that make an output of `new` entries, and the weights of each."""
    step = 1 / scale if scale is not None else old / new
    places = np.arange(new)
    last = old - 1
    if mode == "nearest":
        return [(np.minimum(np.floor(places * step).astype(int), last), None)]
    if mode == "nearest-exact":
        return [(np.minimum(np.floor((places + 0.5) * step).astype(int), last), None)]
    if align_corners:
        source = places * (last / (new - 1) if new > 1 else 0.0)
    else:
        source = (places + 0.5) * step - 0.5
    if mode == "bicubic":
        low = np.floor(source).astype(int)
        share = source - low
        weights = [_cubic(share + 1), _cubic(share), _cubic(1 - share), _cubic(2 - share)]
        return [(np.clip(low + k, 0, last), w) for k, w in zip(range(-1, 3), weights, strict=True)]
    source = np.maximum(source, 0.0)
    low = np.minimum(np.floor(source).astype(int), last)
    share = np.minimum(source - low, 1.0)
    return [(low, 1 - share), (np.minimum(low + 1, last), share)]


def _cubic(distance: Any) -> Any:
    """The kernel of cubic convolution at distances from 0 to 2."""
    d = np.abs(distance)
    near = (_CUBIC + 2) * d**3 - (_CUBIC + 3) * d**2 + 1
    far = _CUBIC * (d**3 - 5 * d**2 + 8 * d - 4)
    return np.where(d <= 1, near, far)
