"""Pooling: the maximum or the mean of windows, and of everything.

In: input (N, C, *spatial) or (C, *spatial). Out: the same with smaller spatial axes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
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
    With `ceil_mode` windows may reach beyond the end, if they begin before it.
    Raises InputError for a bad option; UnsupportedError for return_indices.

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


def max_pool3d(
    input: Any, kernel_size: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1,
    ceil_mode: bool = False, return_indices: bool = False,
) -> Any:
    """The maximum of every window of (N, C, Z, Y, X) or (C, Z, Y, X); as `max_pool1d`.

    >>> max_pool3d(np.arange(8.0).reshape(1, 2, 2, 2), 2).tolist()
    [[[[7.0]]]]
    """
    return _max_pool(3, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices)


def avg_pool1d(
    input: Any, kernel_size: Any, stride: Any = None, padding: Any = 0, ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Any:
    """The mean of every window; `stride` is kernel_size unless given.

    input: (N, C, L) or (C, L). Out: (N, C, L'). With `count_include_pad` the zeros of the border
    count as entries; what lies beyond them, with `ceil_mode`, never does. Raises InputError for a
    bad option.

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


def avg_pool3d(
    input: Any, kernel_size: Any, stride: Any = None, padding: Any = 0, ceil_mode: bool = False,
    count_include_pad: bool = True, divisor_override: Any = None,
) -> Any:
    """The mean of every window of (N, C, Z, Y, X) or (C, Z, Y, X); as `avg_pool2d`.

    >>> avg_pool3d(np.arange(8.0).reshape(1, 2, 2, 2), 2).tolist()
    [[[[3.5]]]]
    """
    return _avg_pool(
        3, input, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override)


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


def adaptive_avg_pool3d(input: Any, output_size: Any) -> Any:
    """The mean of a grid of nearly equal parts of (N, C, Z, Y, X); as `adaptive_avg_pool2d`.

    >>> adaptive_avg_pool3d(np.arange(8.0).reshape(1, 2, 2, 2), (1, 1, None)).tolist()
    [[[[3.0, 4.0]]]]
    """
    return _adaptive(3, input, output_size, _mean_part, "adaptive_avg_pool3d")


def adaptive_max_pool3d(input: Any, output_size: Any) -> Any:
    """The maximum of a grid of nearly equal parts; as `adaptive_avg_pool3d`.

    >>> adaptive_max_pool3d(np.arange(8.0).reshape(1, 2, 2, 2), (1, 1, None)).tolist()
    [[[[6.0, 7.0]]]]
    """
    return _adaptive(3, input, output_size, _max_part, "adaptive_max_pool3d")


def lp_pool1d(
    input: Any, norm_type: float, kernel_size: Any, stride: Any = None, ceil_mode: bool = False
) -> Any:
    """(Σ x^p)^(1/p) of every window, p = norm_type; as `avg_pool1d`.

    >>> lp_pool1d(np.array([[3.0, 4.0, 0.0, 2.0]]), 2, 2)
    array([[5., 2.]])
    """
    return _lp_pool(1, input, norm_type, kernel_size, stride, ceil_mode)


def lp_pool2d(
    input: Any, norm_type: float, kernel_size: Any, stride: Any = None, ceil_mode: bool = False
) -> Any:
    """The same of (N, C, Y, X) or (C, Y, X).

    >>> lp_pool2d(np.array([[[3.0, 4.0]]]), 2, (1, 2))
    array([[[5.]]])
    """
    return _lp_pool(2, input, norm_type, kernel_size, stride, ceil_mode)


def lp_pool3d(
    input: Any, norm_type: float, kernel_size: Any, stride: Any = None, ceil_mode: bool = False
) -> Any:
    """The same of (N, C, Z, Y, X) or (C, Z, Y, X).

    >>> lp_pool3d(np.array([[[[3.0, 4.0]]]]), 2, (1, 1, 2))
    array([[[[5.]]]])
    """
    return _lp_pool(3, input, norm_type, kernel_size, stride, ceil_mode)


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
    if return_indices:
        raise located(UnsupportedError, f"{name} is not written with return_indices=True")
    form = _form(rank, input, kernel_size, stride, padding, ceil_mode, name, dilation)
    windows = _windows(_bordered(input, form, -np.inf), form)
    return np.max(windows, axis=tuple(range(-rank, 0)))


def _avg_pool(
    rank: int, input: Any, kernel_size: Any, stride: Any, padding: Any, ceil_mode: bool,
    count_include_pad: bool, divisor: Any,
) -> Any:
    form = _form(rank, input, kernel_size, stride, padding, ceil_mode, f"avg_pool{rank}d")
    windows = _windows(_bordered(input, form, 0.0), form)
    inner = tuple(range(-rank, 0))
    if divisor is not None:
        return np.sum(windows, axis=inner) / divisor
    beyond = any(e > p for p, e in zip(form.before, form.behind, strict=True))
    if not beyond and (count_include_pad or not any(form.before)):
        return np.mean(windows, axis=inner)
    ones = np.ones_like(input[(0,) * (np.ndim(input) - rank - 1)][:1])
    if count_include_pad and any(form.before):
        ones = np.pad(ones, ((0, 0), *((p, p) for p in form.before)), constant_values=1.0)
        form = replace(form, before=(0,) * rank, behind=tuple(
            max(e - p, 0) for p, e in zip(form.before, form.behind, strict=True)))
    counts = np.sum(_windows(_bordered(ones, form, 0.0), form), axis=inner)
    return np.sum(windows, axis=inner) / counts


def _lp_pool(
    rank: int, input: Any, p: float, kernel_size: Any, stride: Any, ceil_mode: bool
) -> Any:
    """As torch has it: the mean of a window, times the number of entries of a whole one."""
    kernel = per_axis(kernel_size, rank, f"lp_pool{rank}d: kernel_size")
    mean = _avg_pool(rank, input**p, kernel, stride, 0, ceil_mode, True, None)
    return (mean * math.prod(kernel)) ** (1 / p)


@dataclass(frozen=True)
class _Form:
    """The windows of a pooling: a number for each spatial axis."""

    kernel: tuple[int, ...]
    strides: tuple[int, ...]
    dilations: tuple[int, ...]
    before: tuple[int, ...]  # entries of border
    behind: tuple[int, ...]

    @property
    def spans(self) -> tuple[int, ...]:
        """What a window reaches over."""
        return tuple(d * (k - 1) + 1 for k, d in zip(self.kernel, self.dilations, strict=True))


def _form(
    rank: int, input: Any, kernel_size: Any, stride: Any, padding: Any, ceil_mode: bool,
    name: str, dilation: Any = 1,
) -> _Form:
    expect_rank(input, (rank + 1, rank + 2), "(N, C, *spatial)", f"{name}: the input")
    kernel = per_axis(kernel_size, rank, f"{name}: kernel_size")
    strides = kernel if stride is None else per_axis(stride, rank, f"{name}: stride")
    pads = per_axis(padding, rank, f"{name}: padding", 0)
    dilations = per_axis(dilation, rank, f"{name}: dilation")
    if any(2 * p > k for p, k in zip(pads, kernel, strict=True)):
        raise located(InputError, (
            f"{name}: padding is {pads}, more than half of the kernel size {kernel}"))
    form = _Form(kernel, strides, dilations, pads, pads)
    if not ceil_mode:
        return form
    # So many entries that the last window begins before the end, whatever the size of the axis.
    behind = (min(p + s, span) - 1 for p, s, span in zip(pads, strides, form.spans, strict=True))
    return replace(form, behind=tuple(behind))


def _bordered(input: Any, form: _Form, border: float) -> Any:
    """The input within entries of one number."""
    if not any((*form.before, *form.behind)):
        return input
    outer = ((0, 0),) * (np.ndim(input) - len(form.kernel))
    widths = (*outer, *zip(form.before, form.behind, strict=True))
    return np.pad(input, widths, constant_values=border)


def _windows(padded: Any, form: _Form) -> Any:
    """Every window, its entries along the last axes."""
    outer = np.ndim(padded) - len(form.kernel)
    spatial = tuple(range(outer, np.ndim(padded)))
    view = np.lib.stride_tricks.sliding_window_view(padded, form.spans, axis=spatial)
    steps = tuple(slice(None, None, s) for s in (*form.strides, *form.dilations))
    return view[(slice(None),) * outer + steps]


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
