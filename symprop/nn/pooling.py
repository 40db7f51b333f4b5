"""Pooling: the maximum or the mean of windows, and of everything.

In: input (N, C, *spatial) or (C, *spatial). Out: the same with smaller spatial axes.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from symprop.errors import InputError, UnsupportedError
from symprop.nn.arguments import expect_rank, per_axis
from symprop.trace.context import located


def max_pool1d(
    input: Any, kernel_size: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1,
    ceil_mode: bool = False, return_indices: bool = False,
) -> Any:
    """The maximum of every window; `stride` is kernel_size unless given.

    input: (N, C, L) or (C, L). Out: (N, C, L'), with L' as for a convolution. The border counts
    as -∞. k equal largest entries get 1/k of the gradient each.
    Raises InputError for a bad option; UnsupportedError for ceil_mode and return_indices.

    >>> max_pool1d(np.array([[1.0, 3.0, 2.0, 0.0]]), 2)
    array([[3., 2.]])
    """
    return _max_pool(1, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices)


def max_pool2d(
    input: Any, kernel_size: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1,
    ceil_mode: bool = False, return_indices: bool = False,
) -> Any:
    """The maximum of every window of (N, C, Y, X) or (C, Y, X); as `max_pool1d`.

    >>> max_pool2d(np.arange(16.0).reshape(1, 4, 4), 2)
    array([[[ 5.,  7.],
            [13., 15.]]])
    """
    return _max_pool(2, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices)


def avg_pool1d(
    input: Any, kernel_size: Any, stride: Any = None, padding: Any = 0, ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Any:
    """The mean of every window; `stride` is kernel_size unless given.

    input: (N, C, L) or (C, L). Out: (N, C, L'). With `count_include_pad` the zeros of the border
    count as entries. Raises InputError for a bad option, UnsupportedError for ceil_mode.

    >>> avg_pool1d(np.array([[1.0, 3.0, 2.0, 0.0]]), 2)
    array([[2., 1.]])
    """
    return _avg_pool(1, input, kernel_size, stride, padding, ceil_mode, count_include_pad, None)


def avg_pool2d(
    input: Any, kernel_size: Any, stride: Any = None, padding: Any = 0, ceil_mode: bool = False,
    count_include_pad: bool = True, divisor_override: Any = None,
) -> Any:
    """The mean of every window of (N, C, Y, X) or (C, Y, X); as `avg_pool1d`.

    `divisor_override` divides the sums in place of the number of entries.

    >>> avg_pool2d(np.ones((1, 2, 2)), 2, padding=1, count_include_pad=False)
    array([[[1., 1.],
            [1., 1.]]])
    """
    return _avg_pool(
        2, input, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override)


def adaptive_avg_pool1d(input: Any, output_size: Any) -> Any:
    """The mean of `output_size` nearly equal parts of the last axis.

    input: (N, C, L) or (C, L). Part i reaches from ⌊i L / S⌋ to ⌈(i + 1) L / S⌉, as in torch; a
    symbolic L must be a multiple of S, which the generated module tests.

    >>> adaptive_avg_pool1d(np.array([[1.0, 2.0, 3.0, 4.0, 5.0]]), 2)
    array([[2., 4.]])
    """
    return _adaptive(1, input, output_size, _mean_part, "adaptive_avg_pool1d")


def adaptive_avg_pool2d(input: Any, output_size: Any) -> Any:
    """The mean of a grid of nearly equal parts of (N, C, Y, X) or (C, Y, X).

    `output_size` is one number or two; None keeps an axis as it is. As `adaptive_avg_pool1d`.

    >>> adaptive_avg_pool2d(np.arange(4.0).reshape(1, 2, 2), 1)
    array([[[1.5]]])
    """
    return _adaptive(2, input, output_size, _mean_part, "adaptive_avg_pool2d")


def adaptive_max_pool1d(input: Any, output_size: Any) -> Any:
    """The maximum of `output_size` nearly equal parts of the last axis.

    >>> adaptive_max_pool1d(np.array([[1.0, 2.0, 3.0, 4.0, 5.0]]), 2)
    array([[3., 5.]])
    """
    return _adaptive(1, input, output_size, _max_part, "adaptive_max_pool1d")


def adaptive_max_pool2d(input: Any, output_size: Any) -> Any:
    """The maximum of a grid of nearly equal parts; as `adaptive_avg_pool2d`.

    >>> adaptive_max_pool2d(np.arange(4.0).reshape(1, 2, 2), (1, None))
    array([[[2., 3.]]])
    """
    return _adaptive(2, input, output_size, _max_part, "adaptive_max_pool2d")


def global_avg_pool(input: Any) -> Any:
    """The mean over all spatial axes: (N, C, *spatial) becomes (N, C).

    >>> global_avg_pool(np.arange(4.0).reshape(1, 1, 2, 2))
    array([[1.5]])
    """
    expect_rank(input, (3, 4, 5), "(N, C, *spatial)", "global_avg_pool: the input")
    return np.mean(input, axis=tuple(range(2, np.ndim(input))))


def global_max_pool(input: Any) -> Any:
    """The maximum over all spatial axes: (N, C, *spatial) becomes (N, C).

    >>> global_max_pool(np.arange(4.0).reshape(1, 1, 2, 2))
    array([[3.]])
    """
    expect_rank(input, (3, 4, 5), "(N, C, *spatial)", "global_max_pool: the input")
    return np.max(input, axis=tuple(range(2, np.ndim(input))))


# ---- windows ------------------------------------------------------------------------------


def _max_pool(
    rank: int, input: Any, kernel_size: Any, stride: Any, padding: Any, dilation: Any,
    ceil_mode: bool, return_indices: bool,
) -> Any:
    name = f"max_pool{rank}d"
    _refuse(name, ceil_mode=ceil_mode, return_indices=return_indices)
    dilations = per_axis(dilation, rank, f"{name}: dilation")
    windows = _windows(
        rank, input, kernel_size, stride, padding, dilations, -np.inf, name)
    return np.max(windows, axis=tuple(range(-rank, 0)))


def _avg_pool(
    rank: int, input: Any, kernel_size: Any, stride: Any, padding: Any, ceil_mode: bool,
    count_include_pad: bool, divisor: Any,
) -> Any:
    name = f"avg_pool{rank}d"
    _refuse(name, ceil_mode=ceil_mode)
    form = (rank, kernel_size, stride, padding)
    windows = _avg_windows(input, form, name)
    inner = tuple(range(-rank, 0))
    if divisor is not None:
        return np.sum(windows, axis=inner) / divisor
    if count_include_pad or not any(per_axis(padding, rank, f"{name}: padding", 0)):
        return np.mean(windows, axis=inner)
    ones = np.ones_like(input[(0,) * (np.ndim(input) - rank - 1)][:1])
    counts = np.sum(_avg_windows(ones, form, name), axis=inner)
    return np.sum(windows, axis=inner) / counts


def _avg_windows(input: Any, form: tuple[int, Any, Any, Any], name: str) -> Any:
    rank, kernel_size, stride, padding = form
    return _windows(rank, input, kernel_size, stride, padding, (1,) * rank, 0.0, name)


def _windows(
    rank: int, input: Any, kernel_size: Any, stride: Any, padding: Any,
    dilations: tuple[int, ...], border: float, name: str,
) -> Any:
    """Every window, its entries along the last `rank` axes."""
    expect_rank(input, (rank + 1, rank + 2), "(N, C, *spatial)", f"{name}: the input")
    kernel = per_axis(kernel_size, rank, f"{name}: kernel_size")
    strides = kernel if stride is None else per_axis(stride, rank, f"{name}: stride")
    pads = per_axis(padding, rank, f"{name}: padding", 0)
    if any(2 * p > k for p, k in zip(pads, kernel, strict=True)):
        raise located(InputError, (
            f"{name}: padding is {pads}, more than half of the kernel size {kernel}"))
    outer = np.ndim(input) - rank
    padded = input
    if any(pads):
        widths = ((0, 0),) * outer + tuple((p, p) for p in pads)
        padded = np.pad(input, widths, constant_values=border)
    spans = tuple(d * (k - 1) + 1 for k, d in zip(kernel, dilations, strict=True))
    spatial = tuple(range(outer, outer + rank))
    view = np.lib.stride_tricks.sliding_window_view(padded, spans, axis=spatial)
    steps = tuple(slice(None, None, s) for s in (*strides, *dilations))
    return view[(slice(None),) * outer + steps]


def _refuse(name: str, **options: bool) -> None:
    for option, value in options.items():
        if value:
            raise located(UnsupportedError, f"{name} is not written with {option}=True")


# ---- nearly equal parts -------------------------------------------------------------------


def _adaptive(rank: int, input: Any, output_size: Any, pool: Any, name: str) -> Any:
    """One axis after the other."""
    expect_rank(input, (rank + 1, rank + 2), "(N, C, *spatial)", f"{name}: the input")
    given = output_size if isinstance(output_size, tuple | list) else (output_size,) * rank
    given = tuple(given)
    if len(given) != rank:
        raise located(InputError, f"{name}: output_size is {rank} numbers, not {output_size!r}")
    result = input
    for axis, count in zip(range(-rank, 0), given, strict=True):
        if count is not None:
            (count,) = per_axis(count, 1, f"{name}: output_size")
            result = pool(result, axis % np.ndim(input), count)
    return result


def _mean_part(input: Any, axis: int, count: int) -> Any:
    """The mean of parts of one axis."""
    parts = _equal_parts(input, axis, count)
    if parts is not None:
        return np.mean(parts, axis=axis + 1)
    inside = _parts(np.shape(input)[axis], count)
    share = inside / np.sum(inside, axis=1, keepdims=True)
    weights = np.asarray(share, getattr(input, "dtype", float))
    return np.moveaxis(np.moveaxis(input, axis, -1) @ weights.T, -1, axis)


def _max_part(input: Any, axis: int, count: int) -> Any:
    """The maximum of parts of one axis."""
    parts = _equal_parts(input, axis, count)
    if parts is not None:
        return np.max(parts, axis=axis + 1)
    inside = _parts(np.shape(input)[axis], count)
    spread = np.expand_dims(np.moveaxis(input, axis, -1), -2)
    return np.moveaxis(np.max(np.where(inside, spread, -np.inf), axis=-1), -1, axis)


def _equal_parts(input: Any, axis: int, count: int) -> Any:
    """The axis cut into (count, rest), or None where it has a size that count does not divide."""
    size = np.shape(input)[axis]
    if isinstance(size, int) and size % count:
        return None
    shape = np.shape(input)
    return np.reshape(input, (*shape[:axis], count, size // count, *shape[axis + 1:]))


def _parts(size: int, count: int) -> Any:
    """(count, size) truth values: which entries belong to which part."""
    part, place = np.arange(count)[:, None], np.arange(size)
    return (part * size // count <= place) & (place < -((-(part + 1) * size) // count))
