"""Windows as columns, columns back in place, borders, and channels as pixels.

In: input (N, C, *spatial). Out: the same numbers in another arrangement.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from symprop.errors import InputError, ShapeError
from symprop.nn.arguments import expect_divides, expect_rank, per_axis
from symprop.nn.convolution import all_windows
from symprop.nn.transposed import hits
from symprop.trace.context import located

_MODES: dict[str, Any] = {"reflect": "reflect", "replicate": "edge", "circular": "wrap"}


def pad(input: Any, pad: Any, mode: str = "constant", value: float | None = None) -> Any:
    """A border: `pad` is (left, right, top, bottom, ...), the last axis first; below 0 it cuts.

    mode: "constant" (of `value`, 0 unless given), "reflect", "replicate" or "circular". Raises
    InputError for a bad option.

    >>> pad(np.array([[1.0, 2.0]]), (1, 0, 0, 1))
    array([[0., 1., 2.],
           [0., 0., 0.]])
    """
    ends: list[Any] = [*pad] if isinstance(pad, tuple | list) else [pad]
    whole = all(isinstance(e, int | np.integer) and not isinstance(e, bool) for e in ends)
    if not whole or len(ends) % 2 or len(ends) > 2 * np.ndim(input):
        raise located(InputError, (
            f"pad: pad is a pair of whole numbers for each of the last axes, not {pad!r}"))
    pairs = [*zip(ends[::2], ends[1::2], strict=True)][::-1]
    widths = [*((0, 0),) * (np.ndim(input) - len(pairs)), *pairs]
    if any(low < 0 or high < 0 for low, high in pairs):
        sizes = np.shape(input)
        input = input[tuple(slice(max(-low, 0), size - max(-high, 0))
                            for (low, high), size in zip(widths, sizes, strict=True))]
        widths = [(max(low, 0), max(high, 0)) for low, high in widths]
    if mode == "constant":
        return np.pad(input, widths, constant_values=0.0 if value is None else value)
    if mode not in _MODES:
        raise located(InputError, (
            f"pad: mode is constant, {', '.join(_MODES)}, not {mode!r}"))
    return np.pad(input, widths, mode=_MODES[mode])


def unfold(
    input: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1
) -> Any:
    """Every window of (N, C, Y, X) or (C, Y, X) as a column: (N, C H W, number of windows).

    Raises ShapeError or InputError for arguments that do not fit. As torch's unfold.

    >>> unfold(np.arange(6.0).reshape(1, 2, 3), (2, 2))
    array([[0., 1.],
           [1., 2.],
           [3., 4.],
           [4., 5.]])
    """
    expect_rank(input, (3, 4), "(N, C, Y, X)", "unfold: the input")
    if np.ndim(input) == 3:
        return unfold(np.expand_dims(input, 0), kernel_size, dilation, padding, stride)[0]
    kernel, dilations, pads, strides = _numbers("unfold", kernel_size, dilation, padding, stride)
    padded = np.pad(input, ((0, 0), (0, 0), *((p, p) for p in pads))) if any(pads) else input
    windows = np.moveaxis(all_windows(padded, kernel, strides, dilations), (4, 5), (2, 3))
    batch, channels, *_, rows, columns = np.shape(windows)
    return np.reshape(windows, (batch, channels * kernel[0] * kernel[1], rows * columns))


def fold(
    input: Any, output_size: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0,
    stride: Any = 1,
) -> Any:
    """Columns back in the windows that `unfold` took them from; where these overlap, added up.

    input: (N, C H W, number of windows) or without N. output_size: (Y, X). Out: (N, C, Y, X).
    Raises ShapeError or InputError for arguments that do not fit. As torch's fold.

    >>> fold(np.array([[1.0, 2.0], [10.0, 20.0]]), (1, 3), (1, 2))
    array([[[ 1., 12., 20.]]])
    """
    expect_rank(input, (2, 3), "(N, C H W, windows)", "fold: the input")
    if np.ndim(input) == 2:
        columns = np.expand_dims(input, 0)
        return fold(columns, output_size, kernel_size, dilation, padding, stride)[0]
    kernel, dilations, pads, strides = _numbers("fold", kernel_size, dilation, padding, stride)
    sizes = output_size if isinstance(output_size, tuple | list) else (output_size,) * 2
    counts = [(size + 2 * p - d * (k - 1) - 1) // s + 1 for size, p, k, d, s in zip(
        sizes, pads, kernel, dilations, strides, strict=True)]
    batch, rows, windows = np.shape(input)
    expect_divides(kernel[0] * kernel[1], rows, "the second axis of the input",
                   "fold: the size of a window")
    if windows != counts[0] * counts[1]:
        raise located(ShapeError, (
            f"fold: the input has {windows} columns, but there are {counts[0]} x {counts[1]} "
            "windows"))
    channels = rows // (kernel[0] * kernel[1])
    entries = np.reshape(input, (batch, channels, *kernel, *counts))
    reached = [hits(*of)[:size + 2 * p] for *of, size, p in zip(
        counts, kernel, strides, strides, dilations, sizes, pads, strict=True)]
    full = np.einsum("nchwij,yih,xjw->ncyx", entries, *reached, optimize=True)
    ends = [size + p for size, p in zip(sizes, pads, strict=True)]
    cut = (slice(None), slice(None), *map(slice, pads, ends))
    return full[cut] if any(pads) else full


def pixel_shuffle(input: Any, upscale_factor: int) -> Any:
    """Channels as pixels: (*, C r², Y, X) becomes (*, C, Y r, X r). Raises ShapeError for others.

    Source: Shi et al., arXiv:1609.05158.

    >>> pixel_shuffle(np.arange(4.0).reshape(4, 1, 1), 2)
    array([[[0., 1.],
            [2., 3.]]])
    """
    (r,) = per_axis(upscale_factor, 1, "pixel_shuffle: upscale_factor")
    _expect_image(input, "pixel_shuffle")
    *batch, channels, rows, columns = np.shape(input)
    expect_divides(r * r, channels, "the number of channels", "pixel_shuffle: upscale_factor ** 2")
    parts = np.reshape(input, (*batch, channels // (r * r), r, r, rows, columns))
    spread = np.moveaxis(parts, (-4, -3), (-3, -1))
    return np.reshape(spread, (*batch, channels // (r * r), rows * r, columns * r))


def pixel_unshuffle(input: Any, downscale_factor: int) -> Any:
    """Pixels as channels, the reverse of `pixel_shuffle`.

    >>> pixel_unshuffle(np.arange(4.0).reshape(1, 2, 2), 2)[:, 0, 0]
    array([0., 1., 2., 3.])
    """
    (r,) = per_axis(downscale_factor, 1, "pixel_unshuffle: downscale_factor")
    _expect_image(input, "pixel_unshuffle")
    *batch, channels, rows, columns = np.shape(input)
    for size, axis in ((rows, "rows"), (columns, "columns")):
        expect_divides(r, size, f"the number of {axis}", "pixel_unshuffle: downscale_factor")
    parts = np.reshape(input, (*batch, channels, rows // r, r, columns // r, r))
    joined = np.moveaxis(parts, (-3, -1), (-4, -3))
    return np.reshape(joined, (*batch, channels * r * r, rows // r, columns // r))


def channel_shuffle(input: Any, groups: int) -> Any:
    """The channels of (N, C, *spatial) dealt out in turn from `groups` groups.

    Source: Zhang et al., arXiv:1707.01083.

    >>> channel_shuffle(np.arange(4.0).reshape(1, 4, 1), 2)[0, :, 0]
    array([0., 2., 1., 3.])
    """
    (groups,) = per_axis(groups, 1, "channel_shuffle: groups")
    expect_rank(input, (3, 4, 5), "(N, C, *spatial)", "channel_shuffle: the input")
    batch, channels, *spatial = np.shape(input)
    expect_divides(groups, channels, "the number of channels", "channel_shuffle: groups")
    parts = np.reshape(input, (batch, groups, channels // groups, *spatial))
    return np.reshape(np.swapaxes(parts, 1, 2), (batch, channels, *spatial))


def _expect_image(input: Any, name: str) -> None:
    if np.ndim(input) < 3:
        raise located(ShapeError, (
            f"{name}: the input is of shape (*, C, Y, X), but has {np.ndim(input)} axes"))


def _numbers(name: str, *options: Any) -> list[tuple[int, ...]]:
    """kernel_size, dilation, padding and stride, two numbers each."""
    words = ("kernel_size", "dilation", "padding", "stride")
    return [per_axis(value, 2, f"{name}: {word}", 0 if word == "padding" else 1)
            for word, value in zip(words, options, strict=True)]
