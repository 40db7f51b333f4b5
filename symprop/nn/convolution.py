"""Convolutions: sums over windows, and over windows of what was spread out for the transposed.

In: input (N, C, *spatial) or (C, *spatial), weight, bias. Out: (N, O, *spatial). A window is a
view, so the gradients come from the calculus of affine positions: no col2im is written here.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from symprop.errors import InputError
from symprop.nn.arguments import (
    along,
    expect_divides,
    expect_rank,
    expect_size,
    expect_vector,
    is_one,
    per_axis,
)
from symprop.trace.context import located

_SPATIAL = {1: "l", 2: "yx", 3: "zyx"}  # letters of output positions
_KERNEL = {1: "k", 2: "hw", 3: "dhw"}  # letters of positions within the kernel


def conv1d(
    input: Any, weight: Any, bias: Any = None, stride: Any = 1, padding: Any = 0,
    dilation: Any = 1, groups: Any = 1,
) -> Any:
    """y[n, o, l] = b[o] + Σ_c Σ_k x[n, c, s l + d k - p] w[o, c, k].

    input: (N, C, L) or (C, L). weight: (O, C / groups, K). bias: (O,). Out: (N, O, L'), with
    L' = (L + 2 padding - dilation (K - 1) - 1) // stride + 1. `padding` is a number, "valid",
    or, at stride 1, "same". Depthwise: groups = C. Cross-correlation, as torch's conv1d.
    Raises ShapeError where channels do not fit, InputError for a bad option.

    >>> conv1d(np.array([[1.0, 2.0, 4.0]]), np.array([[[1.0, -1.0]]]))
    array([[-1., -2.]])
    """
    return _conv(1, input, weight, bias, stride, padding, dilation, groups)


def conv2d(
    input: Any, weight: Any, bias: Any = None, stride: Any = 1, padding: Any = 0,
    dilation: Any = 1, groups: Any = 1,
) -> Any:
    """y[n, o, y, x] = b[o] + Σ_c Σ_hw x[n, c, s y + d h - p, s x + d w - p] w[o, c, h, w].

    input: (N, C, Y, X) or (C, Y, X). weight: (O, C / groups, H, W). bias: (O,). Out: (N, O, Y',
    X'). Options as in `conv1d`, each one number or one for every axis. As torch's conv2d.
    Raises ShapeError where channels do not fit, InputError for a bad option.

    >>> conv2d(np.ones((1, 1, 3, 3)), np.ones((1, 1, 2, 2)), stride=2, padding=1)
    array([[[[1., 2.],
             [2., 4.]]]])
    """
    return _conv(2, input, weight, bias, stride, padding, dilation, groups)


def conv3d(
    input: Any, weight: Any, bias: Any = None, stride: Any = 1, padding: Any = 0,
    dilation: Any = 1, groups: Any = 1,
) -> Any:
    """The same over three axes; weight: (O, C / groups, D, H, W). As torch's conv3d.

    >>> conv3d(np.ones((1, 1, 2, 2, 2)), np.ones((1, 1, 2, 2, 2))).item()
    8.0
    """
    return _conv(3, input, weight, bias, stride, padding, dilation, groups)


def _conv(
    rank: int, input: Any, weight: Any, bias: Any, stride: Any, padding: Any, dilation: Any,
    groups: Any,
) -> Any:
    name = f"conv{rank}d"
    expect_rank(input, (rank + 1, rank + 2), "(N, C, *spatial)", f"{name}: the input")
    expect_rank(weight, (rank + 2,), "(O, C / groups, *kernel)", f"{name}: the weight")
    strides = per_axis(stride, rank, f"{name}: stride")
    dilations = per_axis(dilation, rank, f"{name}: dilation")
    pads = _pads(padding, np.shape(weight)[2:], strides, dilations, name)
    if np.ndim(input) == rank + 1:
        batch = np.expand_dims(input, 0)
        return _conv(rank, batch, weight, bias, stride, padding, dilation, groups)[0]
    channels = np.shape(input)[1]
    if not is_one(groups):
        expect_divides(groups, channels, "the number of channels", f"{name}: groups")
        expect_divides(groups, np.shape(weight)[0], "the weight's first axis", f"{name}: groups")
        channels = channels // groups
    expect_size(weight, 1, channels, "the number of channels of a group", f"{name}: the weight")
    expect_vector(bias, np.shape(weight)[0], "the weight's first axis", f"{name}: the bias")
    padded = np.pad(input, ((0, 0), (0, 0), *pads)) if any(map(any, pads)) else input
    windows = all_windows(padded, np.shape(weight)[2:], strides, dilations)
    kernels = weight if is_one(groups) else _grouped(weight, groups)
    if bias is None:
        return correlated(windows, kernels, groups, rank)
    return correlated(windows, kernels, groups, rank) + along(bias, 1, rank + 2)


def _pads(
    padding: Any, kernel: tuple[Any, ...], strides: tuple[int, ...], dilations: tuple[int, ...],
    name: str,
) -> tuple[tuple[Any, Any], ...]:
    """The border before and after every spatial axis."""
    if padding == "valid":
        return ((0, 0),) * len(kernel)
    if padding != "same":
        return tuple((p, p) for p in per_axis(padding, len(kernel), f"{name}: padding", 0))
    if any(s != 1 for s in strides):
        raise located(InputError, f'{name}: padding="same" needs stride 1, not {strides}')
    totals = [d * (k - 1) for k, d in zip(kernel, dilations, strict=True)]
    return tuple((t // 2, t - t // 2) for t in totals)


def all_windows(
    padded: Any, kernel: tuple[Any, ...], strides: tuple[int, ...], dilations: tuple[int, ...]
) -> Any:
    """Every window of the kernel's extent: (N, C, *positions, *kernel)."""
    spans = tuple(d * (k - 1) + 1 for k, d in zip(kernel, dilations, strict=True))
    spatial = tuple(range(2, 2 + len(kernel)))
    view = np.lib.stride_tricks.sliding_window_view(padded, spans, axis=spatial)
    steps = tuple(slice(None, None, s) for s in (*strides, *dilations))
    return view if all(s.step == 1 for s in steps) else view[(slice(None), slice(None), *steps)]


def correlated(windows: Any, kernels: Any, groups: Any, rank: int) -> Any:
    """The sum over channels and kernel; in groups, the kernels are (G, O / G, C / G, *kernel)."""
    out, kernel = _SPATIAL[rank], _KERNEL[rank]
    if is_one(groups):
        return np.einsum(f"nc{out}{kernel},oc{kernel}->no{out}", windows, kernels)
    batch, channels, *places = np.shape(windows)
    grouped = np.reshape(windows, (batch, groups, channels // groups, *places))
    sums = np.einsum(f"ngc{out}{kernel},goc{kernel}->ngo{out}", grouped, kernels)
    return np.reshape(sums, (batch, groups * np.shape(kernels)[1], *places[:rank]))


def _grouped(weight: Any, groups: Any) -> Any:
    """(O, ...) as (G, O / G, ...)."""
    outputs, *rest = np.shape(weight)
    return np.reshape(weight, (groups, outputs // groups, *rest))
