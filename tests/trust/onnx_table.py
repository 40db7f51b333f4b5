"""The operators of ONNX as NumPy and symprop.nn: what one writes who ports a model by hand.

In: an operator's inputs (floats may be traced; the rest are plain arrays) and attributes. Out: its
first output. Only first outputs, and operators of floats that have a derivative, are here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from symprop import nn

Given = Sequence[Any]
Attributes = dict[str, Any]
TABLE: dict[str, Callable[[Given, Attributes], Any]] = {}


def operator(*names: str) -> Callable[[Callable[[Given, Attributes], Any]], Any]:
    """Registers a function under operators."""

    def note(function: Callable[[Given, Attributes], Any]) -> Any:
        TABLE.update(dict.fromkeys(names, function))
        return function

    return note


def ints(values: Any) -> tuple[int, ...]:
    return tuple(int(v) for v in np.ravel(values))


def at(x: Given, k: int) -> Any:
    """An input that may be left out."""
    return x[k] if k < len(x) else None


UNARY: dict[str, Callable[[Any], Any]] = {
    "Abs": np.abs, "Acos": np.arccos, "Acosh": np.arccosh, "Asin": np.arcsin, "Asinh": np.arcsinh,
    "Atan": np.arctan, "Atanh": np.arctanh, "Ceil": np.ceil, "Cos": np.cos, "Cosh": np.cosh,
    "Exp": np.exp, "Floor": np.floor, "Identity": lambda x: x, "Log": np.log, "Neg": lambda x: -x,
    "Reciprocal": lambda x: 1 / x, "Relu": nn.relu, "Round": np.round, "Sigmoid": nn.sigmoid,
    "Sign": np.sign, "Sin": np.sin, "Sinh": np.sinh, "Softplus": nn.softplus,
    "Softsign": nn.softsign, "Sqrt": np.sqrt, "Tan": np.tan, "Tanh": np.tanh, "Mish": nn.mish,
    "HardSwish": nn.hardswish, "Det": np.linalg.det,
}
for _name, _function in UNARY.items():
    TABLE[_name] = lambda x, a, f=_function: f(x[0])
BINARY: dict[str, Callable[[Any, Any], Any]] = {
    "Add": lambda x, y: x + y, "Sub": lambda x, y: x - y, "Mul": lambda x, y: x * y,
    "Div": lambda x, y: x / y, "Pow": lambda x, y: x**y, "MatMul": lambda x, y: x @ y,
    "PRelu": lambda x, y: np.where(x > 0, x, y * x),
}
for _name, _pair in BINARY.items():
    TABLE[_name] = lambda x, a, f=_pair: f(x[0], x[1])


@operator("Mod")
def _mod(x: Given, a: Attributes) -> Any:
    return np.fmod(x[0], x[1]) if a.get("fmod") else x[0] % x[1]


@operator("Erf")
def _erf(x: Given, a: Attributes) -> Any:
    return 2 * nn.gelu(x[0] * np.sqrt(2)) / (x[0] * np.sqrt(2)) - 1


@operator("Max", "Min", "Sum", "Mean")
def _several(x: Given, a: Attributes) -> Any:
    total, name = x[0], a["op"]
    for y in x[1:]:
        total = np.maximum(total, y) if name == "Max" else (
            np.minimum(total, y) if name == "Min" else total + y)
    return total / len(x) if name == "Mean" else total


@operator("Elu", "Celu", "Selu", "LeakyRelu", "ThresholdedRelu", "HardSigmoid", "Shrink", "Swish",
          "Gelu")
def _bent(x: Given, a: Attributes) -> Any:
    alpha, z = a.get("alpha"), x[0]
    match a["op"]:
        case "Elu":
            return nn.elu(z, 1.0 if alpha is None else alpha)
        case "Celu":
            return nn.celu(z, 1.0 if alpha is None else alpha)
        case "Selu":
            alpha, gamma = a.get("alpha", 1.6732632423543772), a.get("gamma", 1.0507009873554805)
            return gamma * np.where(z > 0, z, alpha * (np.exp(z) - 1))
        case "LeakyRelu":
            return nn.leaky_relu(z, 0.01 if alpha is None else alpha)
        case "ThresholdedRelu":
            return np.where(z > (1.0 if alpha is None else alpha), z, 0)
        case "HardSigmoid":
            return np.clip((0.2 if alpha is None else alpha) * z + a.get("beta", 0.5), 0, 1)
        case "Shrink":
            bias, lambd = a.get("bias", 0.0), a.get("lambd", 0.5)
            return np.where(z < -lambd, z + bias, np.where(z > lambd, z - bias, 0))
        case "Swish":
            return z * nn.sigmoid((1.0 if alpha is None else alpha) * z)
    return nn.gelu(z, approximate=a.get("approximate", "none"))


@operator("SwiGLU")
def _swiglu(x: Given, a: Attributes) -> Any:
    first, second = np.split(x[0], 2, axis=-1)
    return nn.silu(first) * second


@operator("Clip")
def _clip(x: Given, a: Attributes) -> Any:
    low, high = at(x, 1), at(x, 2)
    z = x[0] if low is None else np.maximum(x[0], low)
    return z if high is None else np.minimum(z, high)


def _axes(x: Given, a: Attributes, rank: int) -> tuple[int, ...]:
    given = at(x, 1) if at(x, 1) is not None else a.get("axes")
    if given is None or not len(ints(given)):
        return () if a.get("noop_with_empty_axes") else tuple(range(rank))
    return ints(given)


@operator("ReduceSum", "ReduceMean", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceL1",
          "ReduceL2", "ReduceLogSum", "ReduceLogSumExp", "ReduceSumSquare")
def _reduced(x: Given, a: Attributes) -> Any:
    z, axes = x[0], _axes(x, a, np.ndim(x[0]))
    how: dict[str, Any] = {"axis": axes, "keepdims": bool(a.get("keepdims", 1))}
    name = a["op"].removeprefix("Reduce")
    if name in ("L1", "L2", "SumSquare"):
        z = np.abs(z) if name == "L1" else z * z
    if name == "LogSumExp":
        z = np.exp(z)
    if axes or name not in ("Max", "Min", "Mean"):
        z = {"Mean": np.mean, "Max": np.max, "Min": np.min, "Prod": np.prod}.get(name, np.sum)(
            z, **how) if axes else z
    if name == "L2":
        return np.sqrt(z)
    return np.log(z) if name.startswith("Log") else z


@operator("Softmax", "LogSoftmax")
def _softmax(x: Given, a: Attributes) -> Any:
    return {"Softmax": nn.softmax, "LogSoftmax": nn.log_softmax}[a["op"]](
        x[0], axis=a.get("axis", -1))


@operator("Hardmax")
def _hardmax(x: Given, a: Attributes) -> Any:
    axis = a.get("axis", -1)
    z = np.moveaxis(x[0], axis, -1)
    first = np.expand_dims(np.argmax(z, axis=-1), -1) == np.arange(np.shape(z)[-1])
    return np.moveaxis(np.where(first, 1.0, 0.0 * z), -1, axis)


@operator("LpNormalization")
def _lp(x: Given, a: Attributes) -> Any:
    axis = a.get("axis", -1)
    if a.get("p", 2) == 1:
        return x[0] / np.sum(np.abs(x[0]), axis=axis, keepdims=True)
    norm = np.sqrt(np.sum(x[0] * x[0], axis=axis, keepdims=True))
    return x[0] / np.where(norm == 0, 1.0, norm) if a.get("guard") else x[0] / norm


@operator("CumSum", "CumProd")
def _cumulative(x: Given, a: Attributes) -> Any:
    axis, z = int(np.ravel(x[1])[0]), x[0]
    sums = a["op"] == "CumSum"
    z = np.flip(z, axis) if a.get("reverse") else z
    z = (np.cumsum if sums else np.cumprod)(z, axis=axis)
    if a.get("exclusive"):
        shape = list(np.shape(z))
        shape[axis] = 1
        z = np.take(z, np.arange(np.shape(z)[axis] - 1), axis=axis)
        z = np.concatenate([np.full(shape, 0.0 if sums else 1.0), z], axis=axis)
    return np.flip(z, axis) if a.get("reverse") else z


# ---- shapes and places --------------------------------------------------------------------


@operator("Reshape")
def _reshape(x: Given, a: Attributes) -> Any:
    wanted, shape = list(ints(x[1])), np.shape(x[0])
    if not a.get("allowzero"):
        wanted = [shape[k] if n == 0 else n for k, n in enumerate(wanted)]
    return np.reshape(x[0], wanted)


@operator("Flatten")
def _flatten(x: Given, a: Attributes) -> Any:
    shape, axis = np.shape(x[0]), a.get("axis", 1)
    axis = axis % len(shape) if axis < 0 else axis
    return np.reshape(x[0], (int(np.prod(shape[:axis])), int(np.prod(shape[axis:]))))


@operator("Transpose")
def _transpose(x: Given, a: Attributes) -> Any:
    return np.transpose(x[0], a.get("perm"))


@operator("Unsqueeze", "Squeeze")
def _squeeze(x: Given, a: Attributes) -> Any:
    axes = a.get("axes") if at(x, 1) is None else ints(x[1])
    if a["op"] == "Squeeze":
        return np.squeeze(x[0], None if axes is None else tuple(axes))
    return np.expand_dims(x[0], tuple(axes))  # type: ignore[arg-type]


@operator("Concat")
def _concat(x: Given, a: Attributes) -> Any:
    return np.concatenate(list(x), axis=a["axis"])


@operator("Split")
def _split(x: Given, a: Attributes) -> Any:
    axis, sizes = a.get("axis", 0), at(x, 1) if at(x, 1) is not None else a.get("split")
    if sizes is not None:
        first = ints(sizes)[0]
    else:
        first = -(-np.shape(x[0])[axis] // a.get("num_outputs", a["outputs"]))
    return np.take(x[0], np.arange(first), axis=axis)


@operator("Slice")
def _slice(x: Given, a: Attributes) -> Any:
    starts = ints(x[1] if len(x) > 1 else a["starts"])
    ends = ints(x[2] if len(x) > 2 else a["ends"])
    axes = ints(at(x, 3)) if at(x, 3) is not None else tuple(range(len(starts)))
    steps = ints(at(x, 4)) if at(x, 4) is not None else (1,) * len(starts)
    cut = [slice(None)] * np.ndim(x[0])
    for s, e, k, step in zip(starts, ends, axes, steps, strict=True):
        size = np.shape(x[0])[k]
        stop: int | None = e
        if step < 0 and e < -size:
            stop = None
        cut[k] = slice(s, stop, step)
    return x[0][tuple(cut)]


@operator("Tile")
def _tile(x: Given, a: Attributes) -> Any:
    return np.tile(x[0], ints(x[1]))


@operator("Expand")
def _expand(x: Given, a: Attributes) -> Any:
    return x[0] * np.ones(ints(x[1]))


@operator("Where")
def _where(x: Given, a: Attributes) -> Any:
    return np.where(x[0], x[1], x[2])


@operator("Gather")
def _gather(x: Given, a: Attributes) -> Any:
    return np.take(x[0], x[1], axis=a.get("axis", 0))


@operator("GatherElements")
def _gather_elements(x: Given, a: Attributes) -> Any:
    axis = a.get("axis", 0)
    return np.take_along_axis(x[0], x[1] % np.shape(x[0])[axis], axis=axis)


@operator("GatherND")
def _gather_nd(x: Given, a: Attributes) -> Any:
    places = x[1]
    if a.get("batch_dims"):
        rows = np.arange(np.shape(x[0])[0])
        return x[0][(rows, *(places[..., k] for k in range(places.shape[-1])))]
    return x[0][tuple(places[..., k] for k in range(places.shape[-1]))]


@operator("ScatterElements", "Scatter")
def _scatter(x: Given, a: Attributes) -> Any:
    axis, places = a.get("axis", 0) % np.ndim(x[0]), np.asarray(x[1])
    grid = list(np.indices(places.shape))
    grid[axis] = np.where(places < 0, places + np.shape(x[0])[axis], places)
    return _put(x[0], tuple(grid), x[2], a.get("reduction", "none"))


@operator("ScatterND")
def _scatter_nd(x: Given, a: Attributes) -> Any:
    places = np.asarray(x[1])
    return _put(x[0], tuple(places[..., k] for k in range(places.shape[-1])), x[2],
                a.get("reduction", "none"))


def _put(array: Any, places: Any, values: Any, how: str) -> Any:
    out = array.copy()
    if how == "none":
        out[places] = values
    elif how == "add":
        np.add.at(out, places, values)
    elif how == "mul":
        np.multiply.at(out, places, values)
    else:
        (np.maximum if how == "max" else np.minimum).at(out, places, values)
    return out


@operator("Compress")
def _compress(x: Given, a: Attributes) -> Any:
    z = np.reshape(x[0], -1) if a.get("axis") is None else x[0]
    return np.take(z, np.flatnonzero(x[1]), axis=a.get("axis", 0))


@operator("Pad")
def _pad(x: Given, a: Attributes) -> Any:
    pads, rank = ints(x[1]), np.ndim(x[0])
    axes = ints(at(x, 3)) if at(x, 3) is not None else tuple(range(rank))
    widths = [(0, 0)] * rank
    for k, axis in enumerate(axes):
        widths[axis] = pads[k], pads[k + len(axes)]
    mode = a.get("mode", "constant")
    if mode == "constant":
        return np.pad(x[0], widths, constant_values=0.0 if at(x, 2) is None else float(x[2]))
    return np.pad(x[0], widths, mode=mode)


@operator("CenterCropPad")
def _centre(x: Given, a: Attributes) -> Any:
    z = x[0]
    axes = ints(a.get("axes", range(np.ndim(z))))
    for axis, new in zip(axes, ints(x[1]), strict=True):
        old = np.shape(z)[axis]
        if new < old:
            z = np.take(z, np.arange(new) + (old - new) // 2, axis=axis)
        elif new > old:
            widths = [(0, 0)] * np.ndim(z)
            widths[axis] = ((new - old) // 2, new - old - (new - old) // 2)
            z = np.pad(z, widths)
    return z


@operator("DepthToSpace")
def _depth(x: Given, a: Attributes) -> Any:
    n, c, h, w = np.shape(x[0])
    b = a["blocksize"]
    if a.get("mode", "DCR") == "DCR":
        z = np.reshape(x[0], (n, b, b, c // b**2, h, w)).transpose(0, 3, 4, 1, 5, 2)
    else:
        z = np.reshape(x[0], (n, c // b**2, b, b, h, w)).transpose(0, 1, 4, 2, 5, 3)
    return np.reshape(z, (n, c // b**2, h * b, w * b))


@operator("SpaceToDepth")
def _space(x: Given, a: Attributes) -> Any:
    n, c, h, w = np.shape(x[0])
    b = a["blocksize"]
    z = np.reshape(x[0], (n, c, h // b, b, w // b, b)).transpose(0, 3, 5, 1, 2, 4)
    return np.reshape(z, (n, c * b * b, h // b, w // b))


@operator("ReverseSequence")
def _reverse(x: Given, a: Attributes) -> Any:
    batch, time = a.get("batch_axis", 1), a.get("time_axis", 0)
    z = np.moveaxis(x[0], (batch, time), (0, 1))
    lengths, size = np.asarray(x[1]), np.shape(z)[1]
    steps = np.arange(size)
    places = np.where(steps < lengths[:, None], lengths[:, None] - 1 - steps, steps)
    return np.moveaxis(z[np.arange(np.shape(z)[0])[:, None], places], (0, 1), (batch, time))


@operator("TopK")
def _top(x: Given, a: Attributes) -> Any:
    axis, k = a.get("axis", -1), int(np.ravel(x[1])[0])
    z = np.sort(x[0], axis=axis)
    return np.take(np.flip(z, axis) if a.get("largest", 1) else z, np.arange(k), axis=axis)


@operator("Einsum")
def _einsum(x: Given, a: Attributes) -> Any:
    return np.einsum(a["equation"].decode() if isinstance(a["equation"], bytes)
                     else a["equation"], *x)


@operator("Gemm")
def _gemm(x: Given, a: Attributes) -> Any:
    first = x[0].T if a.get("transA") else x[0]
    second = x[1].T if a.get("transB") else x[1]
    made = a.get("alpha", 1.0) * (first @ second)
    return made if at(x, 2) is None else made + a.get("beta", 1.0) * x[2]


# ---- layers -------------------------------------------------------------------------------


def _paddings(shape: Any, kernel: Any, strides: Any, dilations: Any, a: Attributes) -> list[Any]:
    """(before, after) of each spatial axis."""
    auto, rank = a.get("auto_pad", "NOTSET"), len(kernel)
    if auto == "VALID":
        return [(0, 0)] * rank
    if auto in ("SAME_UPPER", "SAME_LOWER"):
        found = []
        for size, k, s, d in zip(shape, kernel, strides, dilations, strict=True):
            total = max((-(-size // s) - 1) * s + (k - 1) * d + 1 - size, 0)
            small, large = total // 2, total - total // 2
            found.append((small, large) if auto == "SAME_UPPER" else (large, small))
        return found
    pads = a.get("pads", [0] * 2 * rank)
    return list(zip(pads[:rank], pads[rank:], strict=True))


@operator("Conv")
def _conv(x: Given, a: Attributes) -> Any:
    kernel = np.shape(x[1])[2:]
    strides = a.get("strides", [1] * len(kernel))
    dilations = a.get("dilations", [1] * len(kernel))
    pads = _paddings(np.shape(x[0])[2:], kernel, strides, dilations, a)
    function = (nn.conv1d, nn.conv2d, nn.conv3d)[len(kernel) - 1]
    return function(np.pad(x[0], [(0, 0), (0, 0), *pads]), x[1], at(x, 2), stride=tuple(strides),
                    dilation=tuple(dilations), groups=a.get("group", 1))


@operator("ConvTranspose")
def _conv_transpose(x: Given, a: Attributes) -> Any:
    kernel = np.shape(x[1])[2:]
    rank = len(kernel)
    strides, dilations = a.get("strides", [1] * rank), a.get("dilations", [1] * rank)
    more = a.get("output_padding", [0] * rank)
    function = (nn.conv_transpose1d, nn.conv_transpose2d, nn.conv_transpose3d)[rank - 1]
    full = function(x[0], x[1], None, stride=tuple(strides), dilation=tuple(dilations),
                    groups=a.get("group", 1))
    shape, wanted = np.shape(x[0])[2:], a.get("output_shape")
    cut: list[Any] = [slice(None), slice(None)]
    widths: list[Any] = [(0, 0), (0, 0)]
    for k in range(rank):
        natural = (shape[k] - 1) * strides[k] + (kernel[k] - 1) * dilations[k] + 1 + more[k]
        auto = a.get("auto_pad", "NOTSET")
        if wanted is not None or auto.startswith("SAME"):
            end = wanted[k] if wanted is not None else shape[k] * strides[k]
            total = natural - end
            first = total // 2 if auto != "SAME_LOWER" else total - total // 2
            if auto == "NOTSET":
                first = total // 2
        else:
            pads = a.get("pads", [0] * 2 * rank)
            first, end = pads[k], natural - pads[k] - pads[k + rank]
        beyond = max(0, first + end - (natural - more[k]))
        widths.append((0, beyond))
        cut.append(slice(first, first + end))
    made = np.pad(full, widths)[tuple(cut)]
    return made if at(x, 2) is None else made + np.reshape(x[2], (-1,) + (1,) * rank)


@operator("MaxPool", "AveragePool", "LpPool")
def _pool(x: Given, a: Attributes) -> Any:
    kernel = a["kernel_shape"]
    rank, z = len(kernel), x[0]
    strides, dilations = a.get("strides", [1] * rank), a.get("dilations", [1] * rank)
    shape = np.shape(z)[2:]
    pads = _paddings(shape, kernel, strides, dilations, a)
    ends = []
    for (before, after), size, k, s, d in zip(pads, shape, kernel, strides, dilations, strict=True):
        room = size + before + after - d * (k - 1) - 1
        count = (-(-room // s) if a.get("ceil_mode") else room // s) + 1
        if a.get("ceil_mode") and (count - 1) * s >= size + before:
            count -= 1
        ends.append((count, max(0, (count - 1) * s + d * (k - 1) + 1 - size - before)))
    widths = [(0, 0), (0, 0), *((p[0], e) for p, (_, e) in zip(pads, ends, strict=True))]
    fill = -np.inf if a["op"] == "MaxPool" else 0.0
    counts = [_counted(shape[k], pads[k], ends[k], kernel[k], strides[k], dilations[k],
                       bool(a.get("count_include_pad"))) for k in range(rank)]
    z = np.pad(z, widths, constant_values=fill)
    for axis in range(rank):
        places = (np.arange(ends[axis][0])[:, None] * strides[axis]
                  + np.arange(kernel[axis]) * dilations[axis])
        z = np.take(z, places, axis=2 + 2 * axis)
    over = tuple(3 + 2 * k for k in range(rank))
    if a["op"] == "MaxPool":
        return np.max(z, axis=over)
    if a["op"] == "LpPool":
        p = a.get("p", 2)
        return np.sum(np.abs(z) ** p, axis=over) ** (1 / p)
    z = np.sum(z, axis=over)
    for k, count in enumerate(counts):
        z = z / np.reshape(count, (-1,) + (1,) * (rank - 1 - k))
    return z


def _counted(size: int, pads: Any, end: Any, k: int, s: int, d: int, padding: bool) -> Any:
    """How many entries of an axis each window has, those of the padding with it or not."""
    line = np.zeros(pads[0] + size + max(pads[1], end[1]) + k * d)
    line[pads[0]:pads[0] + size] = 1
    if padding:
        line[:pads[0] + size + pads[1]] = 1
    return line[np.arange(end[0])[:, None] * s + np.arange(k) * d].sum(axis=1)


@operator("GlobalAveragePool", "GlobalMaxPool")
def _global(x: Given, a: Attributes) -> Any:
    over = tuple(range(2, np.ndim(x[0])))
    return (np.mean if "Average" in a["op"] else np.max)(x[0], axis=over, keepdims=True)


@operator("LRN")
def _lrn(x: Given, a: Attributes) -> Any:
    size, z = a["size"], x[0]
    before = (size - 1) // 2
    widths = [(0, 0)] * np.ndim(z)
    widths[1] = (before, size - 1 - before)
    squares = np.pad(z * z, widths)
    channels = np.shape(z)[1]
    total = sum(np.take(squares, np.arange(channels) + k, axis=1) for k in range(size))
    return z / (a.get("bias", 1.0) + a.get("alpha", 1e-4) / size * total) ** a.get("beta", 0.75)


@operator("LayerNormalization", "RMSNormalization")
def _layer_norm(x: Given, a: Attributes) -> Any:
    rank = np.ndim(x[0])
    over = tuple(range(a.get("axis", -1) % rank, rank))
    z = x[0]
    if a["op"] == "LayerNormalization":
        z = z - np.mean(z, axis=over, keepdims=True)
    z = z / np.sqrt(np.mean(z * z, axis=over, keepdims=True) + a.get("epsilon", 1e-5)) * x[1]
    return z if at(x, 2) is None else z + x[2]


@operator("InstanceNormalization", "BatchNormalization", "GroupNormalization",
          "MeanVarianceNormalization")
def _norms(x: Given, a: Attributes) -> Any:
    z, spatial = x[0], np.ndim(x[0]) - 2
    eps = a.get("epsilon", 1e-5)

    def channels(w: Any) -> Any:
        return np.reshape(w, (-1,) + (1,) * spatial)

    match a["op"]:
        case "InstanceNormalization":
            return nn.instance_norm(z, None, None, x[1], x[2], eps=eps)
        case "GroupNormalization":
            return nn.group_norm(z, a["num_groups"], x[1], x[2], eps=eps)
        case "MeanVarianceNormalization":
            over = tuple(a.get("axes", (0, 2, 3)))
            c = z - np.mean(z, axis=over, keepdims=True)
            return c / np.sqrt(np.mean(c * c, axis=over, keepdims=True) + 1e-9)
    if a.get("training_mode"):
        return nn.batch_norm(z, None, None, x[1], x[2], training=True, eps=eps)
    return (z - channels(x[3])) / np.sqrt(channels(x[4]) + eps) * channels(x[1]) + channels(x[2])


@operator("Dropout")
def _dropout(x: Given, a: Attributes) -> Any:
    if at(x, 2) is not None and bool(x[2]) and (at(x, 1) is None or float(x[1])):
        raise NotImplementedError("random")
    return x[0] * 1.0


@operator("SoftmaxCrossEntropyLoss", "NegativeLogLikelihoodLoss")
def _losses(x: Given, a: Attributes) -> Any:
    kind = nn.cross_entropy if a["op"].startswith("Softmax") else nn.nll_loss
    return kind(x[0], x[1], weight=at(x, 2), ignore_index=a.get("ignore_index", -100),
                reduction=a.get("reduction", "mean"))


@operator("Col2Im")
def _col2im(x: Given, a: Attributes) -> Any:
    image, block = ints(x[1]), ints(x[2])
    rank = len(block)
    pads = a.get("pads", [0] * 2 * rank)
    if rank != 2 or pads[:2] != pads[2:]:
        raise NotImplementedError("Col2Im of other ranks")
    return nn.fold(x[0], image, block, dilation=tuple(a.get("dilations", (1, 1))),
                   padding=tuple(pads[:2]), stride=tuple(a.get("strides", (1, 1))))


@operator("RNN", "GRU", "LSTM")
def _recurrent(x: Given, a: Attributes) -> Any:
    z, name, size = x[0], a["op"], a["hidden_size"]
    if a.get("layout"):
        z = np.moveaxis(z, 0, 1)
    steps, batch = np.shape(z)[:2]
    if at(x, 4) is not None and len(set(ints(x[4]))) > 1:
        raise NotImplementedError("lengths")
    outputs, last = [], []
    for d in range(np.shape(x[1])[0]):
        gates = {"RNN": 1, "GRU": 3, "LSTM": 4}[name]
        w, r = x[1][d], x[2][d]
        bias = x[3][d] if at(x, 3) is not None else np.zeros(2 * gates * size)
        wb, rb = bias[:gates * size], bias[gates * size:]
        h = x[5][d] if at(x, 5) is not None else np.zeros((batch, size))
        c = x[6][d] if at(x, 6) is not None else np.zeros((batch, size))
        peep = x[7][d] if at(x, 7) is not None else None
        backwards = a.get("direction") == "reverse" or d == 1
        made = []
        for t in (range(steps - 1, -1, -1) if backwards else range(steps)):
            if name == "GRU":
                h = _gru(z[t], h, w, r, wb, rb, size, a.get("linear_before_reset", 0))
            elif name == "LSTM":
                h, c = _lstm(z[t], h, c, w, r, wb + rb, size, peep)
            else:
                h = np.tanh(z[t] @ w.T + h @ r.T + wb + rb)
            made.append(h)
        outputs.append(np.stack(made[::-1] if backwards else made))
        last.append(h)
    if a["which"] == 0:
        y = np.stack(outputs, axis=1)
        return np.transpose(y, (2, 0, 1, 3)) if a.get("layout") else y
    y = np.stack(last)
    return np.moveaxis(y, 0, 1) if a.get("layout") else y


def _gru(x: Any, h: Any, w: Any, r: Any, wb: Any, rb: Any, n: int, after: int) -> Any:
    gate = nn.sigmoid(x @ w[:2 * n].T + h @ r[:2 * n].T + wb[:2 * n] + rb[:2 * n])
    u, s = gate[:, :n], gate[:, n:]
    inner = s * (h @ r[2 * n:].T + rb[2 * n:]) if after else (s * h) @ r[2 * n:].T + rb[2 * n:]
    new = np.tanh(x @ w[2 * n:].T + wb[2 * n:] + inner)
    return (1 - u) * new + u * h


def _lstm(x: Any, h: Any, c: Any, w: Any, r: Any, b: Any, n: int, peep: Any) -> Any:
    z = x @ w.T + h @ r.T + b
    i, o, f, g = (z[:, k * n:(k + 1) * n] for k in range(4))
    if peep is not None:
        i, f = i + peep[:n] * c, f + peep[2 * n:] * c
    new = nn.sigmoid(f) * c + nn.sigmoid(i) * np.tanh(g)
    o = o if peep is None else o + peep[n:2 * n] * new
    return nn.sigmoid(o) * np.tanh(new), new


@operator("RotaryEmbedding")
def _rotary(x: Given, a: Attributes) -> Any:
    z, cosine, sine = x[0], x[1], x[2]
    flat = np.ndim(z) == 3
    if flat:
        n, t, width = np.shape(z)
        heads = a["num_heads"]
        z = np.transpose(np.reshape(z, (n, t, heads, width // heads)), (0, 2, 1, 3))
    size = a.get("rotary_embedding_dim", 0) or np.shape(z)[-1]
    rest = z[..., size:]
    if at(x, 3) is not None:
        cosine, sine = cosine[x[3]], sine[x[3]]
    cosine, sine = cosine[..., :size // 2], sine[..., :size // 2]
    cosine, sine = np.expand_dims(cosine, 1), np.expand_dims(sine, 1)
    turned = z[..., :size]
    if a.get("interleaved"):
        first, second = turned[..., 0::2], turned[..., 1::2]
    else:
        first, second = turned[..., :size // 2], turned[..., size // 2:]
    u, v = cosine * first - sine * second, sine * first + cosine * second
    if a.get("interleaved"):
        made = np.reshape(np.stack([u, v], axis=-1), np.shape(turned))
    else:
        made = np.concatenate([u, v], axis=-1)
    made = made if size == np.shape(z)[-1] else np.concatenate([made, rest], axis=-1)
    if flat:
        made = np.reshape(np.transpose(made, (0, 2, 1, 3)), (n, t, width))
    return made


@operator("Attention")
def _attention(x: Given, a: Attributes) -> Any:
    if any(at(x, k) is not None for k in (4, 5, 6)) or a["which"]:
        raise NotImplementedError("a cache")
    q, k, v = x[:3]
    flat = np.ndim(q) == 3
    if flat:
        q, k, v = (np.transpose(np.reshape(
            z, (*np.shape(z)[:2], h, np.shape(z)[2] // h)), (0, 2, 1, 3)) for z, h in zip(
                (q, k, v), (a["q_num_heads"], a["kv_num_heads"], a["kv_num_heads"]), strict=True))
    groups = np.shape(q)[1] // np.shape(k)[1]
    if groups > 1:
        k, v = np.repeat(k, groups, axis=1), np.repeat(v, groups, axis=1)
    scores = q @ np.swapaxes(k, -1, -2) * a.get("scale", 1 / np.sqrt(np.shape(q)[-1]))
    if a.get("softcap"):
        scores = a["softcap"] * np.tanh(scores / a["softcap"])
    rows, columns = np.shape(scores)[-2:]
    if at(x, 3) is not None:
        mask = x[3]
        if np.asarray(mask).dtype.kind == "b":
            mask = np.where(mask, 0.0, -np.inf)
        short = columns - np.shape(mask)[-1]
        if short:
            mask = np.pad(mask, [(0, 0)] * (np.ndim(mask) - 1) + [(0, short)],
                          constant_values=-np.inf)
        scores = scores + mask
    if a.get("is_causal"):
        scores = np.where(np.tri(rows, columns) > 0, scores, -np.inf)
    made = nn.softmax(scores, axis=-1) @ v
    if flat:
        n, h, t, d = np.shape(made)
        made = np.reshape(np.transpose(made, (0, 2, 1, 3)), (n, t, h * d))
    return made


@operator("Resize")
def _resize(x: Given, a: Attributes) -> Any:
    z = x[0]
    shape, axes = np.shape(z), a.get("axes") or tuple(range(np.ndim(z)))
    old = [shape[k] for k in axes]
    if at(x, 3) is not None and len(np.ravel(x[3])):
        new = list(ints(x[3]))
        scales = [n / o for n, o in zip(new, old, strict=True)]
        policy = a.get("keep_aspect_ratio_policy", "stretch")
        if policy != "stretch":
            one = (min if policy == "not_larger" else max)(scales)
            scales = [one] * len(old)
            new = [int(np.floor(one * o + 0.5)) for o in old]
    else:
        scales = [float(s) for s in np.ravel(x[2])]
        new = [int(np.floor(o * s)) for o, s in zip(old, scales, strict=True)]
    box = np.ravel(x[1]) if at(x, 1) is not None and len(np.ravel(x[1])) else None
    for k, axis in enumerate(axes):
        ends = (0.0, 1.0) if box is None else (float(box[k]), float(box[k + len(axes)]))
        if scales[k] != 1 or new[k] != old[k] or box is not None:
            z = _resized(z, axis, old[k], new[k], scales[k], a, ends)
    return z


def _resized(z: Any, axis: int, old: int, new: int, scale: float, a: Attributes, ends: Any) -> Any:
    """One axis: a matrix of weights times it."""
    mode = a.get("mode", "nearest")
    how = a.get("coordinate_transformation_mode", "half_pixel")
    weights, beyond = np.zeros((new, old)), np.zeros(new, bool)
    for p in range(new):
        at_old = {
            "half_pixel": (p + 0.5) / scale - 0.5,
            "asymmetric": p / scale,
            "pytorch_half_pixel": (p + 0.5) / scale - 0.5 if new > 1 else 0.0,
            "align_corners": p * (old - 1) / (new - 1) if new > 1 else 0.0,
            "half_pixel_symmetric": old / 2 * (1 - new / (scale * old)) + (p + 0.5) / scale - 0.5,
            "tf_crop_and_resize": ends[0] * (old - 1) + p * (ends[1] - ends[0]) * (old - 1) / (
                new - 1) if new > 1 else 0.5 * (ends[0] + ends[1]) * (old - 1),
        }[how]
        beyond[p] = how.startswith("tf") and not 0 <= at_old <= old - 1
        for place, weight in _taps(at_old, mode, min(scale, 1.0) if a.get("antialias") else 1.0, a):
            inside = 0 <= place < old
            if inside or not a.get("exclude_outside"):
                weights[p, min(max(place, 0), old - 1)] += weight
        weights[p] /= weights[p].sum()
    moved = np.moveaxis(z, axis, -1) @ weights.T
    if beyond.any():
        moved = np.where(beyond, a.get("extrapolation_value", 0.0), moved)
    return np.moveaxis(moved, -1, axis)


def _taps(at_old: float, mode: str, shrink: float, a: Attributes) -> list[tuple[int, float]]:
    if mode == "nearest":
        kind = a.get("nearest_mode", "round_prefer_floor")
        place = {"round_prefer_floor": np.ceil(at_old - 0.5), "floor": np.floor(at_old),
                 "round_prefer_ceil": np.floor(at_old + 0.5), "ceil": np.ceil(at_old)}[kind]
        return [(int(place), 1.0)]
    reach = (1 if mode == "linear" else 2) / shrink
    found = []
    for place in range(int(np.floor(at_old - reach)), int(np.ceil(at_old + reach)) + 1):
        d = abs(place - at_old) * shrink
        if mode == "linear":
            weight = max(0.0, 1 - d)
        else:
            c = a.get("cubic_coeff_a", -0.75)
            weight = (c + 2) * d**3 - (c + 3) * d**2 + 1 if d <= 1 else (
                c * (d**3 - 5 * d**2 + 8 * d - 4) if d < 2 else 0.0)
        if weight:
            found.append((place, weight))
    return found
