"""Normalization: centred, divided by a root, scaled and shifted.

In: a float tensor. Out: the same shape. The closed forms of the gradients are not written
anywhere: they come out of the mean and the variance.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from symprop.errors import InputError, ShapeError
from symprop.nn.arguments import along, expect_divides, expect_rank, expect_vector, per_axis
from symprop.trace.context import located


def batch_norm(
    input: Any, running_mean: Any, running_var: Any, weight: Any = None, bias: Any = None,
    training: bool = False, momentum: float = 0.1, eps: float = 1e-5,
) -> Any:
    """(x - mean) / √(var + eps) * weight + bias, for every channel (axis 1).

    input: (N, C) or (N, C, *spatial). Everything else: (C,) or None. While training, mean and
    (biased) variance are those of the batch, and the running ones are not read; otherwise they
    are the running ones. Nothing is changed in place: `running_statistics` gives the new
    running values, and `momentum` is here only for torch's order of arguments.
    Raises ShapeError where sizes do not fit, InputError where running values are missing.
    Source: Ioffe and Szegedy, arXiv:1502.03167.

    >>> batch_norm(np.array([[1.0], [3.0]]), None, None, training=True, eps=0.0)
    array([[-1.],
           [ 1.]])
    """
    rank, channels = _channels(input, "batch_norm")
    expect_vector(weight, channels, "the number of channels", "batch_norm: the weight")
    expect_vector(bias, channels, "the number of channels", "batch_norm: the bias")
    if training:
        axes = (0, *range(2, rank))
        normalized = _normalized(input, axes, eps)
    else:
        if running_mean is None or running_var is None:
            raise located(InputError, "batch_norm needs running_mean and running_var unless "
                                      "training=True")
        expect_vector(running_mean, channels, "the number of channels", "batch_norm: the mean")
        expect_vector(running_var, channels, "the number of channels", "batch_norm: the variance")
        centred = input - along(running_mean, 1, rank)
        normalized = centred / np.sqrt(along(running_var, 1, rank) + eps)
    return _scaled(normalized, weight, bias, 1, rank)


def running_statistics(
    input: Any, running_mean: Any, running_var: Any, momentum: float = 0.1
) -> tuple[Any, Any]:
    """(1 - momentum) old + momentum new, for the mean and for the variance of every channel.

    The new variance is unbiased (Bessel: divided by the number of entries less one), as torch
    keeps it, while `batch_norm` itself divides by the number of entries.

    >>> running_statistics(np.array([[1.0], [3.0]]), np.zeros(1), np.ones(1), momentum=0.5)
    (array([1.]), array([1.5]))
    """
    rank, channels = _channels(input, "running_statistics")
    expect_vector(running_mean, channels, "the number of channels", "running_statistics: the mean")
    axes = (0, *range(2, rank))
    mean = np.mean(input, axis=axes)
    variance = np.var(input, axis=axes, ddof=1)
    return ((1 - momentum) * running_mean + momentum * mean,
            (1 - momentum) * running_var + momentum * variance)


def layer_norm(
    input: Any, normalized_shape: Any, weight: Any = None, bias: Any = None, eps: float = 1e-5
) -> Any:
    """(x - mean) / √(var + eps) * weight + bias over the last axes.

    normalized_shape: the sizes of these axes, a number or several. weight, bias: of that shape
    or None. Raises ShapeError where sizes do not fit. Source: Ba, Kiros and Hinton,
    arXiv:1607.06450.

    >>> layer_norm(np.array([1.0, 3.0]), 2, eps=0.0)
    array([-1.,  1.])
    """
    axes = _last_axes(input, normalized_shape, weight, bias, "layer_norm")
    return _affine(_normalized(input, axes, eps), weight, bias)


def rms_norm(input: Any, normalized_shape: Any, weight: Any = None, eps: Any = None) -> Any:
    """x / √(mean(x²) + eps) * weight over the last axes.

    normalized_shape: the sizes of these axes. weight: of that shape or None. eps: None is the
    machine epsilon of the input's type (in a trace that of float64). Raises ShapeError where
    sizes do not fit. Source: Zhang and Sennrich, arXiv:1910.07467.

    >>> rms_norm(np.array([3.0, 3.0]), 2, eps=0.0)
    array([1., 1.])
    """
    axes = _last_axes(input, normalized_shape, weight, None, "rms_norm")
    eps = float(np.finfo(input.dtype).eps) if eps is None else eps
    mean_square = np.mean(input**2, axis=axes, keepdims=True)
    normalized = input / np.sqrt(mean_square + eps)
    return normalized if weight is None else normalized * weight


def group_norm(
    input: Any, num_groups: Any, weight: Any = None, bias: Any = None, eps: float = 1e-5
) -> Any:
    """Normalized over groups of channels and all positions; scaled channel by channel.

    input: (N, C, *spatial). num_groups divides C. weight, bias: (C,) or None. Raises ShapeError
    where sizes do not fit. Source: Wu and He, arXiv:1803.08494.

    >>> group_norm(np.array([[1.0, 3.0, 2.0, 6.0]]), 2, eps=0.0)
    array([[-1.,  1., -1.,  1.]])
    """
    rank, channels = _channels(input, "group_norm")
    expect_divides(num_groups, channels, "the number of channels", "group_norm: num_groups")
    expect_vector(weight, channels, "the number of channels", "group_norm: the weight")
    expect_vector(bias, channels, "the number of channels", "group_norm: the bias")
    batch, _, *spatial = np.shape(input)
    grouped = np.reshape(input, (batch, num_groups, channels // num_groups, *spatial))
    normalized = _normalized(grouped, tuple(range(2, rank + 1)), eps)
    whole = np.reshape(normalized, (batch, channels, *spatial))
    return _scaled(whole, weight, bias, 1, rank)


def instance_norm(
    input: Any, running_mean: Any = None, running_var: Any = None, weight: Any = None,
    bias: Any = None, use_input_stats: bool = True, momentum: float = 0.1, eps: float = 1e-5,
) -> Any:
    """Normalized over the positions, for every example and channel.

    input: (N, C, *spatial). Everything else: (C,) or None. With use_input_stats=False the
    running values take the place of the input's own, as in `batch_norm`. Source: Ulyanov,
    Vedaldi and Lempitsky, arXiv:1607.08022.

    >>> instance_norm(np.array([[[1.0, 3.0]]]), eps=0.0)
    array([[[-1.,  1.]]])
    """
    expect_rank(input, (3, 4, 5), "(N, C, *spatial)", "instance_norm: the input")
    if not use_input_stats:
        return batch_norm(input, running_mean, running_var, weight, bias, False, momentum, eps)
    rank, channels = _channels(input, "instance_norm")
    expect_vector(weight, channels, "the number of channels", "instance_norm: the weight")
    expect_vector(bias, channels, "the number of channels", "instance_norm: the bias")
    normalized = _normalized(input, tuple(range(2, rank)), eps)
    return _scaled(normalized, weight, bias, 1, rank)


def normalize(input: Any, p: float = 2.0, axis: int = 1, eps: float = 1e-12) -> Any:
    """input / max(‖input‖_p, eps) along `axis` (torch: dim). p: a number > 0, 1 and 2 included.

    >>> normalize(np.array([[3.0, 4.0]]))
    array([[0.6, 0.8]])
    """
    norm = p_norm(input, p, axis, keepdims=True)
    return input / np.maximum(norm, eps)


def local_response_norm(
    input: Any, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0
) -> Any:
    """x / (k + alpha m)^beta, m the mean of x² over `size` neighbouring channels.

    input: (N, C, *spatial); beyond the channels there are zeros. Source: Krizhevsky et al. (2012).

    >>> local_response_norm(np.ones((1, 2, 1)), 2, alpha=2.0, beta=1.0)[0, :, 0]
    array([0.5       , 0.33333333])
    """
    expect_rank(input, (3, 4, 5), "(N, C, *spatial)", "local_response_norm: the input")
    (size,) = per_axis(size, 1, "local_response_norm: size")
    widths = [(0, 0)] * np.ndim(input)
    widths[1] = (size // 2, (size - 1) // 2)
    squares = np.pad(input**2, widths)
    windows = np.lib.stride_tricks.sliding_window_view(squares, size, axis=1)
    return input / (k + alpha * np.mean(windows, axis=-1)) ** beta


def p_norm(input: Any, p: float, axis: int, keepdims: bool = False) -> Any:
    """(Σ |input|^p)^(1/p) along `axis`.

    >>> float(p_norm(np.array([3.0, -4.0]), 1, 0))
    7.0
    """
    if not p > 0:
        raise located(InputError, f"a norm needs p > 0, not {p!r}")
    if p == 2:
        return np.sqrt(np.sum(input**2, axis=axis, keepdims=keepdims))
    size = np.abs(input)
    if p == 1:
        return np.sum(size, axis=axis, keepdims=keepdims)
    if p == float("inf"):
        return np.max(size, axis=axis, keepdims=keepdims)
    return np.sum(size**p, axis=axis, keepdims=keepdims) ** (1 / p)


# ---- the common part ----------------------------------------------------------------------


def _normalized(input: Any, axes: tuple[int, ...], eps: float) -> Any:
    """(x - mean) / √(var + eps) over axes."""
    mean = np.mean(input, axis=axes, keepdims=True)
    centred = input - mean
    var = np.mean(centred**2, axis=axes, keepdims=True)
    std = np.sqrt(var + eps)
    normalized = centred / std
    return normalized


def _scaled(normalized: Any, weight: Any, bias: Any, axis: int, rank: int) -> Any:
    """Times the weight, plus the bias, each a vector along one axis or None."""
    spread = (None if v is None else along(v, axis, rank) for v in (weight, bias))
    return _affine(normalized, *spread)


def _affine(normalized: Any, weight: Any, bias: Any) -> Any:
    """One equation, so nothing in between has a name."""
    if weight is None:
        return normalized if bias is None else normalized + bias
    return normalized * weight if bias is None else normalized * weight + bias


def _channels(input: Any, name: str) -> tuple[int, Any]:
    """(number of axes, number of channels)."""
    expect_rank(input, (2, 3, 4, 5), "(N, C, *spatial)", f"{name}: the input")
    return np.ndim(input), np.shape(input)[1]


def _last_axes(
    input: Any, normalized_shape: Any, weight: Any, bias: Any, name: str
) -> tuple[int, ...]:
    """The axes to normalize over, their sizes compared with the shape that was given."""
    given = normalized_shape
    shape = tuple(given) if isinstance(given, tuple | list) else (given,)
    axes = tuple(range(-len(shape), 0))
    for what, array in (("the input", input), ("the weight", weight), ("the bias", bias)):
        if array is None:
            continue
        own = np.shape(array)[len(np.shape(array)) - len(shape):]
        fits = len(own) == len(shape) and (array is input or np.ndim(array) == len(shape))
        if not fits or any(a != b for a, b in zip(own, shape, strict=True)):
            raise located(ShapeError, (
                f"{name}: {what} has the shape {np.shape(array)}, which does not end in the "
                f"normalized shape {shape}"))
    return axes
