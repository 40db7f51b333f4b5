"""The rows of `nn_cases` once more, as calls of torch.nn.functional.

In: tensors in float64. Out: what the function of the row returns. Where torch has a layer but no
function (rnn, lstm, gru, attention with heads), the layer is called with the row's weights.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch.nn import functional as F


def _sequence(layer: Any, x: Any, states: Any, *weights: Any, reverse: bool = False) -> Any:
    """A recurrent layer of one direction with given weights and first states."""
    size, hidden = x.shape[2], weights[1].shape[1]
    options = {"nonlinearity": "relu"} if layer == "relu" else {}
    kind = torch.nn.RNN if layer == "relu" else layer
    made = kind(size, hidden, bias=len(weights) > 2, dtype=torch.float64, **options)
    names = ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0")
    given = dict(zip(names, weights, strict=False))
    start = tuple(s[None] for s in states)
    turned = x.flip(0) if reverse else x
    outputs, last = torch.func.functional_call(
        made, given, (turned, start if len(start) > 1 else start[0]))
    outputs = outputs.flip(0) if reverse else outputs
    return outputs, tuple(s[0] for s in last) if isinstance(last, tuple) else last[0]


def _bidirectional(x: Any, h: Any, g: Any, u: Any, w: Any, v: Any, r: Any) -> Any:
    made = torch.nn.GRU(x.shape[2], h.shape[1], bias=False, bidirectional=True,
                        dtype=torch.float64)
    weights = {"weight_ih_l0": u, "weight_hh_l0": w, "weight_ih_l0_reverse": v,
               "weight_hh_l0_reverse": r}
    return torch.func.functional_call(made, weights, (x, torch.stack((h, g))))[0]


def _heads(q: Any, k: Any, u: Any, a: Any, w: Any, b: Any) -> Any:
    made = torch.nn.MultiheadAttention(q.shape[2], 2, batch_first=True, dtype=torch.float64)
    weights = {"in_proj_weight": u, "in_proj_bias": a, "out_proj.weight": w, "out_proj.bias": b}
    return torch.func.functional_call(made, weights, (q, k, k))[0]


def _statistics(x: Any, m: Any, v: Any) -> Any:
    """What torch writes into the running buffers, as a function of the input."""
    momentum = 0.1
    return ((1 - momentum) * m + momentum * x.mean((0, 2)),
            (1 - momentum) * v + momentum * x.var((0, 2)))


def _inference(x: Any, m: Any, v: Any, w: Any, b: Any) -> Any:
    """torch.nn.functional.batch_norm, which does not differentiate by the running values."""
    m, v, w, b = (a[:, None, None] for a in (m, v, w, b))
    return (x - m) / torch.sqrt(v + 1e-5) * w + b


def _rotary(x: Any, p: Any = None, interleaved: bool = False) -> Any:
    """By multiplication of complex numbers."""
    size = x.shape[-1]
    p = torch.arange(x.shape[-2]) if p is None else p
    angle = p[:, None] * 10000.0 ** (-torch.arange(0, size, 2, dtype=torch.float64) / size)
    pairs = x.unflatten(-1, (size // 2, 2)) if interleaved else torch.stack(
        (x[..., :size // 2], x[..., size // 2:]), -1)
    turn = torch.complex(torch.cos(angle), torch.sin(angle))
    turned = torch.view_as_real(torch.view_as_complex(pairs.contiguous()) * turn)
    return turned.flatten(-2) if interleaved else torch.cat((turned[..., 0], turned[..., 1]), -1)


def _sinusoids(x: Any) -> Any:
    length, size = x.shape
    table = torch.zeros(length, size, dtype=x.dtype)
    for t in range(length):
        for j in range(0, size, 2):
            angle = torch.tensor(t / 10000.0 ** (j / size), dtype=x.dtype)
            table[t, j], table[t, j + 1] = torch.sin(angle), torch.cos(angle)
    return x * table


def _focal(x: Any, y: Any) -> Any:
    p = torch.sigmoid(x)
    right = p * y + (1 - p) * (1 - y)
    alpha = 0.25 * y + 0.75 * (1 - y)
    return alpha * (1 - right) ** 2 * F.binary_cross_entropy_with_logits(x, y, reduction="none")


def _info_nce(q: Any, k: Any) -> Any:
    return F.cross_entropy(F.normalize(q) @ F.normalize(k).T / 0.5, torch.arange(len(q)))


def _ctc(x: Any, t: Any, a: Any, b: Any, reduction: str = "mean") -> Any:
    return F.ctc_loss(F.log_softmax(x, -1), t, torch.clamp(a, max=len(x)), b,
                      reduction=reduction)


def _halves(activate: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def gated(input: Any) -> Any:
        a, b = input.chunk(2, -1)
        return activate(a) * b

    return gated


def _elastic(u: Any, v: Any) -> Any:
    both = torch.cat((u.flatten(), v))
    return 0.3 * (0.5 * both.abs().sum() + 0.25 * (both**2).sum())


sdpa = F.scaled_dot_product_attention
LAYERS: dict[str, Callable[..., Any]] = {
    "conv1d": lambda x, w, b: F.conv1d(x, w, b, stride=2, padding=1),
    "conv1d same": lambda x, w: F.conv1d(x, w, padding="same", dilation=2),
    "conv1d unbatched": F.conv1d,
    "conv2d": lambda x, w, b: F.conv2d(x, w, b, padding=1),
    "conv2d stride": lambda x, w: F.conv2d(x, w, stride=(2, 3), padding=(0, 1)),
    "conv2d dilation": lambda x, w: F.conv2d(x, w, dilation=2),
    "conv2d symbolic kernel": F.conv2d,
    "conv2d groups": lambda x, w, b: F.conv2d(x, w, b, padding=1, groups=2),
    "conv2d depthwise": lambda x, w: F.conv2d(x, w, groups=x.shape[1]),
    "conv3d": lambda x, w: F.conv3d(x, w, padding=1),
    "conv_transpose1d": lambda x, w, b: F.conv_transpose1d(x, w, b, stride=3),
    "conv_transpose2d": lambda x, w, b: F.conv_transpose2d(x, w, b, stride=2),
    "conv_transpose2d padding": lambda x, w: F.conv_transpose2d(
        x, w, stride=2, padding=1, output_padding=1),
    "conv_transpose2d groups": lambda x, w: F.conv_transpose2d(x, w, groups=2, dilation=2),
    "conv_transpose3d": lambda x, w: F.conv_transpose3d(x, w, stride=(1, 2, 1)),
    "unfold": lambda x: F.unfold(x, (2, 3), padding=1, stride=2),
    "fold": lambda x: F.fold(x, (4, 5), 2, padding=1, stride=(2, 1)),
    "pad": lambda x: F.pad(x, (1, -1, 2, 0), value=0.5),
    "pad circular": lambda x: F.pad(x, (2, 1), "circular"),
    "channel_shuffle": lambda x: torch.nn.functional.channel_shuffle(x, 2),
    "lp_pool1d": lambda v: F.lp_pool1d(v, 3, 2),
    "lp_pool2d": lambda v: F.lp_pool2d(v, 2, 3, 2, True),
    "lp_pool3d": lambda v: F.lp_pool3d(v, 2.0, 2),
    "local_response_norm": lambda x: F.local_response_norm(x, 3, 0.5),
    "bilinear": F.bilinear,
    "multi_margin_loss": lambda x, y, w: F.multi_margin_loss(x, y, 2, 0.7, w),
    "multilabel_soft_margin_loss": F.multilabel_soft_margin_loss,
    "pdist": lambda x: F.pdist(x, 3.0),
    "prelu one slope": F.prelu,
    "pixel_shuffle": lambda x: F.pixel_shuffle(x, 2),
    "pixel_unshuffle": lambda x: F.pixel_unshuffle(x, 2),
    "interpolate": lambda x: F.interpolate(x, scale_factor=2),
    "interpolate bilinear": lambda x: F.interpolate(x, (6, 5), mode="bilinear"),
    "interpolate multiple": lambda x: F.interpolate(x, scale_factor=3, mode="linear"),
    "interpolate corners": lambda x: F.interpolate(x, 7, mode="linear", align_corners=True),
    "max_pool2d beyond": lambda x: F.max_pool2d(x, 3, 2, 1, ceil_mode=True),
    "avg_pool1d beyond": lambda x: F.avg_pool1d(x, 3, 2, 1, ceil_mode=True),
    "max_pool3d": lambda x: F.max_pool3d(x, 2),
    "avg_pool3d": lambda x: F.avg_pool3d(x, 2, 1),
    "adaptive_avg_pool3d": lambda x: F.adaptive_avg_pool3d(x, 2),
    "adaptive_max_pool3d": lambda x: F.adaptive_max_pool3d(x, (1, 2, None)),
    "max_pool1d": lambda x: F.max_pool1d(x, 3, 2, 1),
    "max_pool2d": lambda x: F.max_pool2d(x, 2),
    "max_pool2d overlapping": lambda x: F.max_pool2d(x, 3, (1, 2), 1),
    "avg_pool1d": lambda x: F.avg_pool1d(x, 2),
    "avg_pool2d": lambda x: F.avg_pool2d(x, 2),
    "avg_pool2d padding": lambda x: F.avg_pool2d(x, 3, 2, 1),
    "avg_pool2d real entries": lambda x: F.avg_pool2d(x, 2, padding=1, count_include_pad=False),
    "adaptive_avg_pool1d": lambda x: F.adaptive_avg_pool1d(x, 2),
    "adaptive_avg_pool2d": lambda x: F.adaptive_avg_pool2d(x, (2, None)),
    "adaptive_avg_pool2d unequal": lambda x: F.adaptive_avg_pool2d(x, (3, 2)),
    "adaptive_max_pool1d": lambda x: F.adaptive_max_pool1d(x, 1),
    "adaptive_max_pool2d": lambda x: F.adaptive_max_pool2d(x, (2, 3)),
    "global_avg_pool": lambda x: x.mean((2, 3)),
    "global_max_pool": lambda x: x.amax((2, 3)),
    "batch_norm": lambda x, w, b: F.batch_norm(x, None, None, w, b, training=True),
    "batch_norm vectors": lambda x: F.batch_norm(x, None, None, training=True),
    "batch_norm inference": _inference,
    "running_statistics": _statistics,
    "layer_norm": lambda x, w, b: F.layer_norm(x, x.shape[-1:], w, b),
    "layer_norm two axes": lambda x, w: F.layer_norm(x, x.shape[1:], w),
    "rms_norm": lambda x, w: F.rms_norm(x, x.shape[-1:], w, eps=1e-6),
    "group_norm": lambda x, w, b: F.group_norm(x, 2, w, b),
    "instance_norm": lambda x, w: F.instance_norm(x, weight=w),
    "normalize": F.normalize,
    "normalize p=3": lambda x: F.normalize(x, p=3, dim=0),
    "linear": F.linear,
    "embedding": F.embedding,
    # torch gives the row of the padding, and it no gradient
    "embedding padding": lambda t, w: F.embedding(t, w) * (t != 0)[..., None],
    "one_hot": lambda t, w: F.one_hot(t, len(w)).to(w.dtype) @ w,
    "rnn": lambda x, h0, *w: _sequence(torch.nn.RNN, x, (h0,), *w),
    "rnn relu reverse": lambda x, h0, *w: _sequence("relu", x, (h0,), *w, reverse=True),
    "lstm": lambda x, h0, c0, *w: _sequence(torch.nn.LSTM, x, (h0, c0), *w)[0],
    "lstm last": lambda x, h0, c0, *w: _sequence(
        torch.nn.LSTM, x, (h0, c0), *w, reverse=True)[1],
    "gru": lambda x, h0, *w: _sequence(torch.nn.GRU, x, (h0,), *w),
    "bidirectional": _bidirectional,
    "dropout": lambda x, m: x * m / 0.75,
    "channel_dropout": lambda x, m: x * m[:, :, None, None] / 0.75,
    "attention": sdpa,
    "attention scale": lambda q, k, v: sdpa(q, k, v, scale=0.5),
    "attention causal": lambda q, k, v: sdpa(q, k, v, is_causal=True),
    "attention boolean": sdpa,
    "attention additive": sdpa,
    "attention dropout": lambda q, k, v, m: (
        torch.softmax(q @ k.mT / q.shape[-1] ** 0.5, -1) * m / 0.5) @ v,
    "attention grouped": lambda q, k, v: sdpa(q, k, v, is_causal=True, enable_gqa=True),
    "multi_head_attention": _heads,
    "rotary": _rotary,
    "rotary interleaved": lambda x, p: _rotary(x, p, interleaved=True),
    "sinusoidal_positions": _sinusoids,
    "mse_loss": F.mse_loss,
    "l1_loss": lambda x, y: F.l1_loss(x, y, reduction="sum"),
    "huber_loss": lambda x, y: F.huber_loss(x, y, delta=0.7),
    "smooth_l1_loss": lambda x, y: F.smooth_l1_loss(x, y, beta=0.5),
    "hinge_loss": lambda x, y: F.relu(1 - x * y).mean(),
    "cross_entropy": F.cross_entropy,
    "cross_entropy smoothed": lambda x, y: F.cross_entropy(x, y, label_smoothing=0.1),
    "cross_entropy ignored": lambda x, y, w: F.cross_entropy(
        x, y, w, label_smoothing=0.1, ignore_index=0),
    "nll_loss ignored": lambda x, y: F.nll_loss(x, y, ignore_index=1),
    "cross_entropy shares": F.cross_entropy,
    "nll_loss": F.nll_loss,
    "kl_div": lambda x, y: F.kl_div(x, y, reduction="batchmean"),
    "kl_div logarithms": lambda x, y: F.kl_div(x, y, log_target=True),
    "binary_cross_entropy": F.binary_cross_entropy,
    "binary_cross_entropy_with_logits": lambda x, y, w: F.binary_cross_entropy_with_logits(
        x, y, pos_weight=w),
    "sigmoid_focal_loss": _focal,
    "triplet_margin_loss": lambda x, y, z: F.triplet_margin_loss(x, y, z, swap=True),
    "cosine_embedding_loss": F.cosine_embedding_loss,
    "margin_ranking_loss": lambda u, v, y: F.margin_ranking_loss(u, v, y, 0.5),
    "hinge_embedding_loss": F.hinge_embedding_loss,
    "soft_margin_loss": F.soft_margin_loss,
    "gaussian_nll_loss": lambda x, y, v: F.gaussian_nll_loss(x, y, v, full=True),
    "poisson_nll_loss": F.poisson_nll_loss,
    "poisson_nll_loss rates": lambda v, y: F.poisson_nll_loss(v, y, False, True),
    "info_nce": _info_nce,
    "cosine_similarity": F.cosine_similarity,
    "pairwise_distance": lambda u, v: F.pairwise_distance(u, v, p=1),
    "ctc_loss": _ctc,
    "ctc_loss one label": lambda *arguments: _ctc(*arguments, reduction="sum"),
    "l2_penalty": lambda u, v: (u**2).sum() + (v**2).sum(),
    "l1_penalty": lambda u, v: u.abs().sum() + v.abs().sum(),
    "elastic_net_penalty": _elastic,
    "celu": lambda x: F.celu(x, 1.5),
    "softplus": lambda x: F.softplus(x, 2.0),
    "softplus threshold": lambda x: F.softplus(x, 2.0, 1.0),
    "gelu tanh": lambda x: F.gelu(x, approximate="tanh"),
    "relu6": lambda x: F.relu6(4 * x),
    # torch's own backward multiplies by a sixth in single precision
    "hardsigmoid": lambda x: F.relu6(2 * x + 3) / 6,
    "hardswish": lambda x: F.hardswish(2 * x),
    "threshold": lambda x: F.threshold(x, 0.1, -2.0),
    "softmax": lambda x: F.softmax(x, -1),
    "softmin": lambda x: F.softmin(x, -1),
    "log_softmax": lambda x: F.log_softmax(x, -1),
    "logsumexp": lambda x: torch.logsumexp(x, -1),
    "swiglu": _halves(F.silu),
    "geglu": _halves(F.gelu),
    "reglu": _halves(F.relu),
    **{name: getattr(F, name) for name in (
        "relu", "leaky_relu", "elu", "selu", "sigmoid", "tanh", "gelu", "silu", "mish",
        "softsign", "logsigmoid", "hardtanh", "tanhshrink", "softshrink", "hardshrink", "glu",
        "prelu")},
}


def torch_loss(name: str, inputs: dict[str, Any], wrt: tuple[str, ...]) -> Any:
    """(loss, gradients): the same scalar as `Case.loss` makes of what is returned."""
    tensors = {n: torch.tensor(a) for n, a in inputs.items()}
    for parameter in wrt:
        tensors[parameter].requires_grad_()
    loss = _scalar(LAYERS[name](*tensors.values()))
    found = torch.autograd.grad(loss, [tensors[n] for n in wrt], allow_unused=True)
    gradients = {n: np.zeros_like(inputs[n]) if g is None else g.numpy()
                 for n, g in zip(wrt, found, strict=True)}
    return loss.item(), gradients


def _scalar(value: Any) -> Any:
    if isinstance(value, tuple):
        return sum(map(_scalar, value))
    return value if value.ndim == 0 else torch.sin(value).sum()
