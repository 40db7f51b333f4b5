"""Transposed convolutions: every entry of the input adds its multiple of the kernel.

In: input (N, C, *spatial) or (C, *spatial), weight (C, O / groups, *kernel), bias. Out: (N, O,
*spatial). It is the adjoint of a convolution with the same options; its own gradient by the
input comes out as that convolution.
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


def conv_transpose1d(
    input: Any, weight: Any, bias: Any = None, stride: Any = 1, padding: Any = 0,
    output_padding: Any = 0, groups: Any = 1, dilation: Any = 1,
) -> Any:
    """Every entry adds its multiple of the kernel at s l - p; as `conv_transpose2d`.

    >>> conv_transpose1d(np.array([[1.0, 2.0]]), np.array([[[1.0, 10.0]]]), stride=2)
    array([[ 1., 10.,  2., 20.]])
    """
    return _transposed(
        1, input, weight, bias, stride, padding, output_padding, groups, dilation)


def conv_transpose2d(
    input: Any, weight: Any, bias: Any = None, stride: Any = 1, padding: Any = 0,
    output_padding: Any = 0, groups: Any = 1, dilation: Any = 1,
) -> Any:
    """y[n, o, y, x] = b[o] + Σ_c Σ_ij Σ_hw x[n, c, i, j] weight[c, o, h, w], summed over the
    positions with y = s i + d h - p and x = s j + d w - p.

    input: (N, C, Y, X) or (C, Y, X). weight: (C, O / groups, H, W). bias: (O,). Out: (N, O, Y',
    X'), Y' = (Y - 1) stride - 2 padding + dilation (H - 1) + output_padding + 1. As torch's
    conv_transpose2d. Raises ShapeError where channels do not fit, InputError for a bad option.
    Source: Dumoulin and Visin, arXiv:1603.07285.

    >>> conv_transpose2d(np.array([[[1.0, 2.0]]]), np.ones((1, 1, 1, 2)), stride=2)
    array([[[1., 1., 2., 2.]]])
    """
    return _transposed(
        2, input, weight, bias, stride, padding, output_padding, groups, dilation)


def conv_transpose3d(
    input: Any, weight: Any, bias: Any = None, stride: Any = 1, padding: Any = 0,
    output_padding: Any = 0, groups: Any = 1, dilation: Any = 1,
) -> Any:
    """The same over three axes; weight: (C, O / groups, D, H, W). As torch's conv_transpose3d.

    >>> conv_transpose3d(np.ones((1, 1, 1, 1)), np.ones((1, 1, 1, 1, 2))).tolist()
    [[[[1.0, 1.0]]]]
    """
    return _transposed(
        3, input, weight, bias, stride, padding, output_padding, groups, dilation)


def _transposed(
    rank: int, input: Any, weight: Any, bias: Any, stride: Any, padding: Any,
    output_padding: Any, groups: Any, dilation: Any,
) -> Any:
    name = f"conv_transpose{rank}d"
    expect_rank(input, (rank + 1, rank + 2), "(N, C, *spatial)", f"{name}: the input")
    expect_rank(weight, (rank + 2,), "(C, O / groups, *kernel)", f"{name}: the weight")
    if np.ndim(input) == rank + 1:
        return _transposed(rank, np.expand_dims(input, 0), weight, bias, stride, padding,
                           output_padding, groups, dilation)[0]
    channels, outputs = np.shape(input)[1], np.shape(weight)[1] * groups
    expect_size(weight, 0, channels, "the number of channels", f"{name}: the weight")
    expect_vector(bias, outputs, "the number of output channels", f"{name}: the bias")
    if not is_one(groups):
        expect_divides(groups, channels, "the number of channels", f"{name}: groups")
    strides = per_axis(stride, rank, f"{name}: stride")
    dilations = per_axis(dilation, rank, f"{name}: dilation")
    pads = per_axis(padding, rank, f"{name}: padding", 0)
    extra = per_axis(output_padding, rank, f"{name}: output_padding", 0)
    if any(e >= max(s, d) for e, s, d in zip(extra, strides, dilations, strict=True)):
        raise located(InputError, (
            f"{name}: output_padding {extra} is not less than the stride or the dilation"))
    reached = [hits(*of) for of in zip(
        np.shape(input)[2:], np.shape(weight)[2:], strides, extra, dilations, strict=True)]
    full = _scattered(input, weight, reached, groups)
    ends = [np.shape(h)[0] - p for h, p in zip(reached, pads, strict=True)]
    cut = full[(slice(None), slice(None), *map(slice, pads, ends))] if any(pads) else full
    return cut if bias is None else cut + along(bias, 1, rank + 2)


def hits(size: Any, kernel: Any, stride: int, extra: int, dilation: int) -> Any:
    """(output, input, kernel) truth values along one axis: i = s p + d k."""
    length = (size - 1) * stride + dilation * (kernel - 1) + extra + 1
    reached = stride * np.arange(size)[:, None] + dilation * np.arange(kernel)
    return np.arange(length)[:, None, None] == reached


def _scattered(input: Any, weight: Any, hits: list[Any], groups: Any) -> Any:
    """The sum over channels, input positions and kernel positions that hit an output, uncut."""
    rank = len(hits)
    i, p, k = "zyx"[-rank:], "ijl"[:rank], "hwd"[:rank]
    axes = ",".join("".join(letters) for letters in zip(i, p, k, strict=True))
    if is_one(groups):
        return np.einsum(f"nc{p},co{k},{axes}->no{i}", input, weight, *hits, optimize=True)
    batch, channels, *spatial = np.shape(input)
    grouped = np.reshape(input, (batch, groups, channels // groups, *spatial))
    kernels = np.reshape(weight, (groups, channels // groups, *np.shape(weight)[1:]))
    sums = np.einsum(
        f"ngc{p},gco{k},{axes}->ngo{i}", grouped, kernels, *hits, optimize=True)
    return np.reshape(sums, (batch, groups * np.shape(weight)[1], *np.shape(sums)[3:]))
