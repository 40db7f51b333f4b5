"""Calls of `symprop.nn` with every combination of their options, made from the signatures.

In: the name of a function that torch.nn.functional has too. Out: arrays of several shapes and
values, and the combinations. An option is known by its name alone: a new one that has no values
here fails the test.
"""

from __future__ import annotations

import inspect
import itertools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from symprop import nn

Arrays = dict[str, Any]
Options = dict[str, Any]

OPTIONS: dict[str, tuple[Any, ...]] = {
    "reduction": ("mean", "sum", "none"), "log_target": (False, True), "swap": (False, True),
    "keepdims": (False, True), "approximate": ("none", "tanh"), "axis": (0, 1, -1),
    "alpha": (1.0, 0.3), "beta": (1.0, 0.5), "delta": (1.0, 0.4), "negative_slope": (0.01, 0.0),
    "lambd": (0.5, 0.0), "min_val": (-1.0, -0.2), "max_val": (1.0, 0.4), "threshold": (0.0, 0.7),
    "value": (0.0, -2.0), "margin": (0.0, 0.5), "eps": (1e-5, 0.3), "p": (2.0, 1.0, 3.0),
    "label_smoothing": (0.0, 0.2), "stride": (1, 2, 3), "padding": (0, 1), "dilation": (1, 2),
    "groups": (1, 2), "output_padding": (0, 1), "kernel_size": (1, 2, 3),
    "ceil_mode": (False, True), "count_include_pad": (False, True), "output_size": (1, 2, 3),
    "divisor_override": (None, 2), "is_causal": (False, True), "scale": (None, 0.5),
    "enable_gqa": (False, True), "training": (True, False), "use_input_stats": (True,),
    "num_groups": (1, 2), "normalized_shape": (None,),
}
OPTIONS |= {
    "ignore_index": (None, 1), "full": (False, True), "log_input": (True, False),
    "upscale_factor": (1, 2), "downscale_factor": (1, 2), "pad": (None,), "size": (None,),
    "padding_idx": (None, 1),
}
OPTIONS |= {"norm_type": (2.0, 3.0), "beta": OPTIONS["beta"], "k": (1.0, 0.5)}
OF_ONE = {  # an option that another function means otherwise
    ("multi_margin_loss", "p"): (1, 2), ("multi_margin_loss", "margin"): (1.0, 0.4),
    ("local_response_norm", "size"): (1, 2, 3), ("channel_shuffle", "groups"): (1, 2, 4),
    ("pad", "mode"): ("constant", "reflect", "replicate", "circular"),
    ("interpolate", "mode"): ("nearest", "nearest-exact", "linear", "bilinear", "trilinear",
                              "bicubic", "area") * 6,
    ("fold", "output_size"): ((5, 6),), ("hinge_embedding_loss", "margin"): (1.0, 0.3),
}
NOT_TORCH = {"dropout_mask", "dropout_p", "momentum", "return_indices"}  # masks are drawn there
SIMPLE_VALUES = np.array([0.0, 1.0, -1.0, 0.5, 3.0, -0.5, 2.0])
MOST = 400  # combinations of one function


def combinations(name: str) -> Iterator[Options]:
    """All combinations of a function's options; of very many, every k-th."""
    # An array may be called as an option of another function: the value of an attention.
    own = [p for p, entry in inspect.signature(getattr(nn, name)).parameters.items()
           if (p in OPTIONS or (name, p) in OF_ONE)
           and (p != "value" or entry.annotation == "float")]
    axis = inspect.signature(getattr(nn, name)).parameters.get("axis")
    choices = [(None,) if p == "axis" and axis is not None and axis.default is None
               else OF_ONE.get((name, p)) or OPTIONS[p] for p in own]
    found = list(itertools.product(*choices))
    for values in found[::max(1, -(-len(found) // MOST))]:
        yield {k: v for k, v in zip(own, values, strict=True)
               if not (k in ("axis", "ignore_index") and v is None)}


# ---- arrays -------------------------------------------------------------------------------

Make = Callable[[Any, Options], Arrays]


def _values(rng: Any, *shape: int) -> Any:
    """Ordinary values, or special ones and ties."""
    if rng.random() < 0.5:
        return rng.normal(size=shape)
    return rng.choice(SIMPLE_VALUES, shape)


def _shares(rng: Any, *shape: int) -> Any:
    return rng.uniform(0.1, 0.9, shape)


def elementwise(rng: Any, options: Options) -> Arrays:
    """One array; with two axes where an option names one."""
    shape = [(3, 4), (1, 4), (4, 1), (2, 2)][rng.integers(4)]
    return {"input": _values(rng, *shape)}


def halved(rng: Any, options: Options) -> Arrays:
    """One array that splits in two along any axis."""
    return {"input": _values(rng, 2, 4)}


def pair(first: str, second: str, broadcast: bool = True) -> Make:
    """Two arrays that broadcast."""

    def make(rng: Any, options: Options) -> Arrays:
        shapes = [((4, 3), (4, 3)), ((1, 3), (4, 3)), ((4, 3), (4, 1)), ((1, 1), (1, 1)),
                  ((4, 1), (1, 3))]
        left, right = shapes[rng.integers(len(shapes)) if broadcast else 0]
        return {first: _values(rng, *left), second: _values(rng, *right)}

    return make


def chances(rng: Any, options: Options) -> Arrays:
    """Probabilities or their logarithms, and targets."""
    n = int(rng.integers(1, 4))
    target = _shares(rng, n, 3)
    return {"input": np.log(_shares(rng, n, 3)),
            "target": np.log(target) if options.get("log_target") else target}


def bce(rng: Any, options: Options) -> Arrays:
    found = {"input": _shares(rng, 4, 3), "target": rng.choice([0.0, 1.0, 0.3], (4, 3))}
    return found | ({"weight": _shares(rng, 3)} if rng.random() < 0.5 else {})


def logits(rng: Any, options: Options) -> Arrays:
    found = bce(rng, options) | {"input": 3 * _values(rng, 4, 3)}
    return found | ({"pos_weight": _shares(rng, 3)} if rng.random() < 0.5 else {})


def labels(rng: Any, options: Options) -> Arrays:
    """Scores of classes on axis 1, with and without positions behind it."""
    shape = [(4, 3), (1, 3), (2, 3, 2), (2, 1)][rng.integers(4)]
    found = {"input": _values(rng, *shape),
             "target": rng.integers(0, shape[1], (shape[0], *shape[2:]))}
    return found | ({"weight": _shares(rng, shape[1])} if rng.random() < 0.5 else {})


def triple(rng: Any, options: Options) -> Arrays:
    return {n: rng.normal(size=(4, 3)) for n in ("anchor", "positive", "negative")}


def signed(rng: Any, options: Options) -> Arrays:
    return {"input1": rng.normal(size=(4, 3)), "input2": rng.normal(size=(4, 3)),
            "target": rng.choice([-1.0, 1.0], 4)}


def ranked(rng: Any, options: Options) -> Arrays:
    return {"input1": rng.normal(size=(4, 3)), "input2": rng.normal(size=(4, 3)),
            "target": rng.choice([-1.0, 1.0], (4, 3))}


def apart(rng: Any, options: Options) -> Arrays:
    return {"input": _values(rng, 4, 3), "target": rng.choice([-1.0, 1.0], (4, 3))}


def spread(rng: Any, options: Options) -> Arrays:
    shape = [(4, 3), (4, 1), (4,)][rng.integers(3)]
    return {"input": _values(rng, 4, 3), "target": _values(rng, 4, 3),
            "var": rng.uniform(0.4, 2, shape)}


def counted(rng: Any, options: Options) -> Arrays:
    return {"input": _shares(rng, 4, 3), "target": rng.integers(0, 5, (4, 3)).astype(float)}


def bordered(rng: Any, options: Options) -> Arrays:
    options["pad"] = [(1, 2), (0, 1, 2, 0), (2, -1), (-1, -2, 1, 1)][rng.integers(4)]
    if options["mode"] == "constant":
        options["value"] = [0.0, 1.5][rng.integers(2)]
    return {"input": _values(rng, *(2, 2, 4, 5)[4 - len(options["pad"]) // 2 - 2:])}


def columns(rng: Any, options: Options) -> Arrays:
    """As many columns as there are windows in the output."""
    counts = [(size + 2 * options["padding"] - options["dilation"] * (options["kernel_size"] - 1)
               - 1) // options["stride"] + 1 for size in options["output_size"]]
    return {"input": _values(rng, 2, 2 * options["kernel_size"] ** 2, counts[0] * counts[1])}


def many_channels(rng: Any, options: Options) -> Arrays:
    return {"input": _values(rng, 2, 4, 2, 4)}


def resized(rng: Any, options: Options) -> Arrays:
    mode = options["mode"]
    axes = {"linear": 1, "bilinear": 2, "bicubic": 2, "trilinear": 3}.get(mode, 2)
    options.pop("size")
    if rng.random() < 0.5:
        options["size"] = (5, 2, 7)[:axes]
    else:
        options["scale_factor"] = [2.0, 1.5, 0.6][rng.integers(3)]
    if mode.endswith(("linear", "cubic")):
        options["align_corners"] = bool(rng.random() < 0.5)
    return {"input": rng.normal(size=(2, 2, *(4, 3, 5)[:axes]))}


def positive(axes: int) -> Make:
    def make(rng: Any, options: Options) -> Arrays:
        return {"input": rng.uniform(0.2, 2, (2, 2, *(6, 7, 3)[:axes]))}

    return make


def several(rng: Any, options: Options) -> Arrays:
    found = {"input": _values(rng, 4, 3), "target": rng.choice([0.0, 1.0], (4, 3))}
    return found | ({"weight": _shares(rng, 3)} if rng.random() < 0.5 else {})


def classed(rng: Any, options: Options) -> Arrays:
    found = {"input": _values(rng, 4, 3), "target": rng.integers(0, 3, 4)}
    return found | ({"weight": _shares(rng, 3)} if rng.random() < 0.5 else {})


def two_inputs(rng: Any, options: Options) -> Arrays:
    shape = [(4,), (2, 4), ()][rng.integers(3)]
    found = {"input1": _values(rng, *shape, 3), "input2": _values(rng, *shape, 2),
             "weight": _values(rng, 5, 3, 2)}
    return found | ({"bias": _values(rng, 5)} if rng.random() < 0.5 else {})


def image(axes: int) -> Make:
    def make(rng: Any, options: Options) -> Arrays:
        return {"input": _values(rng, 2, 2, *(6, 7, 3)[:axes])}

    return make


def filtered(axes: int, transposed: bool = False) -> Make:
    def make(rng: Any, options: Options) -> Arrays:
        groups, sides = options["groups"], (2, 3, 1)[:axes]
        inner = (4, 6 // groups) if transposed else (6, 4 // groups)
        found = {"input": _values(rng, 2, 4, *(6, 7, 4)[:axes]),
                 "weight": _values(rng, *inner, *sides)}
        return found | ({"bias": _values(rng, 6)} if rng.random() < 0.5 else {})

    return make


def normalized(rng: Any, options: Options) -> Arrays:
    """Channels on axis 1; weights of the channels."""
    shape = [(3, 4, 2), (2, 4, 3), (2, 4, 2, 2)][rng.integers(3)]
    found = {"input": rng.normal(size=shape)}
    if not options.get("training", True):
        found |= {"running_mean": rng.normal(size=4), "running_var": _shares(rng, 4)}
    elif "training" in options:
        found |= {"running_mean": None, "running_var": None}
    return found | _affine(rng, 4)


def last_axes(rng: Any, options: Options) -> Arrays:
    shape = (3, 4)
    options["normalized_shape"] = [(4,), (3, 4)][rng.integers(2)]
    return {"input": rng.normal(size=(2, *shape))} | _affine(rng, *options["normalized_shape"])


def unshifted(rng: Any, options: Options) -> Arrays:
    found = last_axes(rng, options)
    found.pop("bias", None)
    return found


def _affine(rng: Any, *shape: int) -> Arrays:
    found = {}
    for name in ("weight", "bias"):
        if rng.random() < 0.5:
            found[name] = rng.normal(size=shape)
    return found


def attended(rng: Any, options: Options) -> Arrays:
    heads, groups = (4, 2) if options["enable_gqa"] else (2, 2)
    found = {"query": rng.normal(size=(2, heads, 3, 4)), "key": rng.normal(size=(2, groups, 5, 4)),
             "value": rng.normal(size=(2, groups, 5, 3))}
    if not options["is_causal"] and rng.random() < 0.5:
        mask = rng.random((3, 5)) < 0.7
        mask[:, 0] = True
        found["attn_mask"] = mask if rng.random() < 0.5 else rng.normal(size=(3, 5))
    return found


SINGLE = ("celu", "elu", "gelu", "hardshrink", "hardsigmoid", "hardswish", "hardtanh",
          "leaky_relu", "log_softmax", "logsigmoid", "logsumexp", "mish", "normalize", "relu",
          "relu6", "selu", "sigmoid", "silu", "softmax", "softmin", "softplus", "softshrink",
          "softsign", "tanh", "tanhshrink", "threshold")
MAKE: dict[str, Make] = {
    **dict.fromkeys(SINGLE, elementwise), "glu": halved,
    **{n: pair("input", "target") for n in ("mse_loss", "l1_loss", "huber_loss",
                                            "smooth_l1_loss")},
    "cosine_similarity": pair("x1", "x2"), "pairwise_distance": pair("x1", "x2"),
    "kl_div": chances, "binary_cross_entropy": bce, "binary_cross_entropy_with_logits": logits,
    "cross_entropy": labels, "nll_loss": labels, "triplet_margin_loss": triple,
    "cosine_embedding_loss": signed,
    **{f"{kind}_pool{k}d": image(k) for kind in ("max", "avg", "adaptive_avg", "adaptive_max")
       for k in (1, 2, 3)},
    **{f"conv{k}d": filtered(k) for k in (1, 2, 3)},
    **{f"conv_transpose{k}d": filtered(k, transposed=True) for k in (1, 2, 3)},
    "margin_ranking_loss": ranked, "hinge_embedding_loss": apart, "soft_margin_loss": apart,
    "gaussian_nll_loss": spread, "poisson_nll_loss": counted, "pad": bordered, "unfold": image(2),
    "fold": columns, "pixel_shuffle": many_channels, "pixel_unshuffle": many_channels,
    "interpolate": resized, "multi_margin_loss": classed, "multilabel_soft_margin_loss": several,
    "bilinear": two_inputs, "local_response_norm": many_channels, "channel_shuffle": many_channels,
    "pdist": lambda rng, options: {"input": rng.normal(size=(4, 3))},
    **{f"lp_pool{k}d": positive(k) for k in (1, 2, 3)},
    "batch_norm": normalized, "instance_norm": normalized, "group_norm": normalized,
    "layer_norm": last_axes, "rms_norm": unshifted, "scaled_dot_product_attention": attended,
}
