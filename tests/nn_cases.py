"""One row for every form in which a function of `symprop.nn` is called.

In: nothing. Out: `CASES`, each a function of arrays with the shapes of its arguments. The loss of
a case is the sum of the sines of its outputs, so that no direction is special.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from symprop import nn
from symprop.shapes import parse_spec
from symprop.system import Fact

# Two sizes of every axis, none of which a trace has seen; conditions keep to both.
FIRST = {"N": 2, "C": 4, "Y": 6, "X": 8, "Z": 5, "O": 6, "K": 3, "T": 4, "H": 3, "D": 6, "A": 5,
         "S": 4, "E": 4, "V": 5, "M": 3}
SECOND = {"N": 3, "C": 2, "Y": 8, "X": 6, "Z": 4, "O": 4, "K": 2, "T": 1, "H": 2, "D": 4, "A": 2,
          "S": 3, "E": 2, "V": 1, "M": 4}


@dataclass(frozen=True)
class Case:
    """A call with the shapes of its arguments."""

    name: str
    function: Callable[..., Any]
    shapes: Mapping[str, str]
    wrt: tuple[str, ...] | None = None
    facts: tuple[Fact, ...] = ()
    domain: str = ""  # of its integers
    extra: bool = False  # a further form of a call that other rows cover: derived with the oracles

    @property
    def loss(self) -> Callable[..., Any]:
        """The function with a scalar made of whatever it returns."""
        @functools.wraps(self.function)
        def loss(*args: Any, **named: Any) -> Any:
            return _scalar(self.function(*args, **named), np.sin, np.sum)

        return loss

    @property
    def sizes(self) -> tuple[Mapping[str, int], Mapping[str, int]]:
        """Two sizes of every axis that occurs."""
        specs = [parse_spec(text, name) for name, text in self.shapes.items()]
        axes = {a for spec in specs for d in spec.dims for a in d.names()}
        first, second = ({a: s for a, s in table.items() if a in axes} for table in (FIRST, SECOND))
        return first, second

    def inputs(self, sizes: Mapping[str, int], seed: int = 0) -> dict[str, Any]:
        """Arrays of the declared shapes; integers lie below the size that `domain` names."""
        rng = np.random.default_rng([seed, *self.name.encode()])
        drawn = {}
        for name, text in self.shapes.items():
            spec = parse_spec(text, name)
            shape = tuple(d.evaluate(sizes) for d in spec.dims)
            drawn[name] = self._drawn(name, spec.dtype, shape, sizes, rng)
        return drawn

    def _drawn(
        self, name: str, dtype: str, shape: tuple[int, ...], sizes: Mapping[str, int],
        rng: np.random.Generator,
    ) -> Any:
        if dtype == "bool":
            mask = rng.random(shape) < 0.6
            mask[..., 0, :] = False  # a row in which nothing takes part
            return mask
        if dtype == "int" and all(f.array != name for f in self.facts):
            low, high = _INTEGERS[self.domain]
            return rng.integers(low, sizes[high], shape)
        for fact in self.facts:
            if fact.array == name and fact.kind == "one_of":
                return rng.choice(np.array(fact.args, dtype), shape)
            if fact.array == name and fact.kind == "positive":
                return rng.random(shape) + 0.5
            if fact.array == name and fact.kind == "in_range":
                return rng.uniform(*fact.args, shape) * 0.8 + 0.1
            if fact.array == name and fact.kind == "sums_to_one":
                positive = np.exp(rng.normal(size=shape))
                return positive / positive.sum(axis=fact.args[0], keepdims=True)
        return 1.5 * rng.normal(size=shape)

    @property
    def parameters(self) -> tuple[str, ...]:
        """What the loss is differentiated by."""
        given = [n for n, text in self.shapes.items() if not text.startswith(("int", "bool"))]
        return self.wrt or tuple(given)


_INTEGERS = {"classes": (0, "C"), "table": (0, "V"), "symbols": (1, "C")}


def _scalar(value: Any, sine: Any, total: Any) -> Any:
    """A scalar as it is, else the sum of the sines; of several outputs the sum of theirs."""
    if isinstance(value, tuple | list):
        parts = [_scalar(v, sine, total) for v in value]
        return functools.reduce(lambda a, b: a + b, parts)
    return value if np.ndim(value) == 0 else total(sine(value))


def case(name: str, function: Callable[..., Any], *shapes: str, **options: Any) -> Case:
    """A row; the shapes stand in the order of the function's arguments."""
    names = inspect.signature(function).parameters
    return Case(name, function, dict(zip(names, shapes, strict=True)), **options)


IMAGE, KERNEL = "N C Y X", "O C 3 3"
CONVOLUTION = (
    case("conv1d", lambda x, w, b: nn.conv1d(x, w, b, stride=2, padding=1), "N C X", "O C 3", "O"),
    case("conv1d same", lambda x, w: nn.conv1d(x, w, padding="same", dilation=2), "N C X",
         "O C 3", extra=True),
    case("conv1d unbatched", lambda x, w: nn.conv1d(x, w), "C X", "O C 2", extra=True),
    case("conv2d", lambda x, w, b: nn.conv2d(x, w, b, padding=1), IMAGE, KERNEL, "O"),
    case("conv2d stride", lambda x, w: nn.conv2d(x, w, stride=(2, 3), padding=(0, 1)), IMAGE,
         KERNEL),
    case("conv2d dilation", lambda x, w: nn.conv2d(x, w, dilation=2), IMAGE, KERNEL),
    case("conv2d symbolic kernel", lambda x, w: nn.conv2d(x, w), IMAGE, "O C K M", extra=True),
    case("conv2d groups", lambda x, w, b: nn.conv2d(x, w, b, padding=1, groups=2), "N 4 Y X",
         "6 2 3 3", "6"),
    case("conv2d depthwise", lambda x, w: nn.conv2d(x, w, groups=x.shape[1]), IMAGE, "C 1 3 3"),
    case("conv3d", lambda x, w: nn.conv3d(x, w, padding=1), "N 2 Z 4 3", "2 2 2 3 3"),
    case("conv_transpose1d", lambda x, w, b: nn.conv_transpose1d(x, w, b, stride=3), "N C A",
         "C O 3", "O"),
    case("conv_transpose2d", lambda x, w, b: nn.conv_transpose2d(x, w, b, stride=2), "N C A Z",
         "C O 2 2", "O"),
    case("conv_transpose2d padding", lambda x, w: nn.conv_transpose2d(
        x, w, stride=2, padding=1, output_padding=1), "N 2 A Z", "2 3 3 3", extra=True),
    case("conv_transpose2d groups", lambda x, w: nn.conv_transpose2d(
        x, w, groups=2, dilation=2), "N 4 A Z", "4 3 2 2", extra=True),
    case("conv_transpose3d", lambda x, w: nn.conv_transpose3d(x, w, stride=(1, 2, 1)),
         "N 2 2 A 2", "2 3 1 2 2", extra=True),
    case("unfold", lambda x: nn.unfold(x, (2, 3), padding=1, stride=2), IMAGE, extra=True),
    case("fold", lambda x: nn.fold(x, (4, 5), 2, padding=1, stride=(2, 1)), "N 8 18"),
    case("pad", lambda x: nn.pad(x, (1, -1, 2, 0), value=0.5), IMAGE),
    case("pad circular", lambda x: nn.pad(x, (2, 1), "circular"), "N C X", extra=True),
    case("pixel_shuffle", lambda x: nn.pixel_shuffle(x, 2), "N 8 Y X", extra=True),
    case("pixel_unshuffle", lambda x: nn.pixel_unshuffle(x, 2), "N C 4 6", extra=True),
    case("channel_shuffle", lambda x: nn.channel_shuffle(x, 2), "N 4 X", extra=True),
    case("interpolate", lambda x: nn.interpolate(x, scale_factor=2), IMAGE, extra=True),
    case("interpolate bilinear", lambda x: nn.interpolate(x, (6, 5), mode="bilinear"), "N C 4 3"),
    case("interpolate multiple", lambda x: nn.interpolate(x, scale_factor=3, mode="linear"),
         "N C X", extra=True),
    case("interpolate corners", lambda x: nn.interpolate(
        x, 7, mode="linear", align_corners=True), "N C 4", extra=True),
)
POOLING = (
    case("max_pool1d", lambda x: nn.max_pool1d(x, 3, 2, 1), "N C X"),
    case("max_pool2d", lambda x: nn.max_pool2d(x, 2), IMAGE),
    case("max_pool2d overlapping", lambda x: nn.max_pool2d(x, 3, (1, 2), 1), "N 2 Y X"),
    case("avg_pool1d", lambda x: nn.avg_pool1d(x, 2), "N C X"),
    case("avg_pool2d", lambda x: nn.avg_pool2d(x, 2), IMAGE),
    case("avg_pool2d padding", lambda x: nn.avg_pool2d(x, 3, 2, 1), IMAGE, extra=True),
    case("avg_pool2d real entries", lambda x: nn.avg_pool2d(
        x, 2, padding=1, count_include_pad=False), IMAGE),
    case("adaptive_avg_pool1d", lambda x: nn.adaptive_avg_pool1d(x, 2), "N C X"),
    case("adaptive_avg_pool2d", lambda x: nn.adaptive_avg_pool2d(x, (2, None)), IMAGE),
    case("adaptive_avg_pool2d unequal", lambda x: nn.adaptive_avg_pool2d(x, (3, 2)), "N C 7 5"),
    case("adaptive_max_pool1d", lambda x: nn.adaptive_max_pool1d(x, 1), "N C X", extra=True),
    case("adaptive_max_pool2d", lambda x: nn.adaptive_max_pool2d(x, (2, 3)), "N C 5 6"),
    case("max_pool2d beyond", lambda x: nn.max_pool2d(x, 3, 2, 1, ceil_mode=True), IMAGE),
    case("avg_pool1d beyond", lambda x: nn.avg_pool1d(x, 3, 2, 1, ceil_mode=True), "N C X"),
    case("lp_pool1d", lambda v: nn.lp_pool1d(v, 3, 2), "N C X", facts=(Fact("positive", "v"),),
         extra=True),
    case("lp_pool2d", lambda v: nn.lp_pool2d(v, 2, 3, 2, True), IMAGE,
         facts=(Fact("positive", "v"),), extra=True),
    case("lp_pool3d", lambda v: nn.lp_pool3d(v, 2.0, 2), "N 1 2 Y X",
         facts=(Fact("positive", "v"),), extra=True),
    case("max_pool3d", lambda x: nn.max_pool3d(x, 2), "N 2 4 Z X", extra=True),
    case("avg_pool3d", lambda x: nn.avg_pool3d(x, 2, 1), "N 2 Z 3 2", extra=True),
    case("adaptive_avg_pool3d", lambda x: nn.adaptive_avg_pool3d(x, 2), "N 1 3 4 2", extra=True),
    case("adaptive_max_pool3d", lambda x: nn.adaptive_max_pool3d(x, (1, 2, None)), "N 1 2 4 Z",
         extra=True),
    case("global_avg_pool", lambda x: nn.global_avg_pool(x), IMAGE),
    case("global_max_pool", lambda x: nn.global_max_pool(x), IMAGE),
)
POSITIVE = (Fact("positive", "v"),)
NORMALIZATION = (
    case("batch_norm", lambda x, w, b: nn.batch_norm(x, None, None, w, b, training=True), IMAGE,
         "C", "C"),
    case("batch_norm vectors", lambda x: nn.batch_norm(x, None, None, training=True), "Y C",
         extra=True),
    case("batch_norm inference", lambda x, m, v, w, b: nn.batch_norm(x, m, v, w, b), IMAGE, "C",
         "C", "C", "C", facts=POSITIVE),
    case("running_statistics", lambda x, m, v: nn.running_statistics(x, m, v), "N C X", "C", "C"),
    case("layer_norm", lambda x, w, b: nn.layer_norm(x, x.shape[-1], w, b), "N D", "D", "D"),
    case("layer_norm two axes", lambda x, w: nn.layer_norm(x, x.shape[1:], w), "N Y X", "Y X",
         extra=True),
    case("rms_norm", lambda x, w: nn.rms_norm(x, (x.shape[-1],), w, eps=1e-6), "N T D", "D"),
    case("group_norm", lambda x, w, b: nn.group_norm(x, 2, w, b), IMAGE, "C", "C", extra=True),
    case("instance_norm", lambda x, w: nn.instance_norm(x, weight=w), IMAGE, "C", extra=True),
    case("local_response_norm", lambda x: nn.local_response_norm(x, 3, 0.5), "N C X",
         extra=True),
    case("normalize", lambda x: nn.normalize(x), "N D"),
    case("normalize p=3", lambda x: nn.normalize(x, p=3, axis=0), "N D", extra=True),
)
WEIGHTS = ("N H", "{} K", "{} H", "{}", "{}")


def _layer(gates: str, states: int = 1) -> tuple[str, ...]:
    return ("T N K", *["N H"] * states, *(w.format(gates) for w in WEIGHTS[1:]))


SEQUENCES = (
    case("linear", lambda x, w, b: nn.linear(x, w, b), "N T K", "M K", "M"),
    case("bilinear", lambda x, z, w, b: nn.bilinear(x, z, w, b), "N K", "N D", "M K D", "M",
         extra=True),
    case("embedding", lambda t, w: nn.embedding(t, w), "int N T", "V D", domain="table"),
    case("embedding padding", lambda t, w: nn.embedding(t, w, padding_idx=0), "int N T", "V D",
         domain="table"),
    case("one_hot", lambda t, w: nn.one_hot(t, w.shape[0]) @ w, "int N T", "V D", domain="table",
         extra=True),
    case("rnn", lambda x, h0, u, w, a, b: nn.rnn(x, h0, u, w, a, b), *_layer("H")),
    case("rnn relu reverse", lambda x, h0, u, w: nn.rnn(x, h0, u, w, None, None, "relu", True),
         "T N K", "N H", "H K", "H H", extra=True),
    case("lstm", lambda x, h0, c0, u, w, a, b: nn.lstm(x, h0, c0, u, w, a, b)[0],
         *_layer("4*H", 2)),
    case("lstm last", lambda x, h0, c0, u, w: nn.lstm(x, h0, c0, u, w, reverse=True)[1], "T N K",
         "N H", "N H", "4*H K", "4*H H", extra=True),
    case("gru", lambda x, h0, u, w, a, b: nn.gru(x, h0, u, w, a, b), *_layer("3*H")),
    case("bidirectional", lambda x, h, g, u, w, v, r: nn.bidirectional(
        nn.gru, x, (h, u, w), (g, v, r))[0], "T N K", "N H", "N H", "3*H K", "3*H H", "3*H K",
        "3*H H"),
    case("dropout", lambda x, m: nn.dropout(x, m, 0.25), "N D", "N D"),
    case("channel_dropout", lambda x, m: nn.channel_dropout(x, m, 0.25), IMAGE, "N C"),
    case("alpha_dropout", lambda x, m: nn.alpha_dropout(x, m, 0.25), "N D", "N D"),
)
QUERY, KEY, VALUE = "N H T E", "N H S E", "N H S V"
sdpa = nn.scaled_dot_product_attention
ATTENTION = (
    case("attention", lambda q, k, v: sdpa(q, k, v), QUERY, KEY, VALUE),
    case("attention scale", lambda q, k, v: sdpa(q, k, v, scale=0.5), "T E", "S E", "S V",
         extra=True),
    case("attention causal", lambda q, k, v: sdpa(q, k, v, is_causal=True), "N T E", "N T E",
         "N T V", extra=True),
    case("attention boolean", lambda q, k, v, m: sdpa(q, k, v, m), "N T E", "N S E", "N S V",
         "bool N T S"),
    case("attention additive", lambda q, k, v, m: sdpa(q, k, v, m), "N T E", "N S E", "N S V",
         "T S", extra=True),
    case("attention dropout", lambda q, k, v, m: sdpa(
        q, k, v, dropout_p=0.5, dropout_mask=m), "N T E", "N S E", "N S V", "N T S", extra=True),
    case("attention grouped", lambda q, k, v: sdpa(q, k, v, is_causal=True, enable_gqa=True),
         "N 4 T E", "N 2 T E", "N 2 T V"),
    case("multi_head_attention", lambda q, k, u, a, w, b: nn.multi_head_attention(
        q, k, k, 2, u, a, w, b), "N T E", "N S E", "3*E E", "3*E", "E E", "E"),
    case("rotary", lambda x: nn.rotary(x), "N T D"),
    case("rotary interleaved", lambda x, p: nn.rotary(x, p, interleaved=True), "N T D", "T",
         extra=True),
    case("sinusoidal_positions", lambda x: x * nn.sinusoidal_positions(
        x.shape[0], x.shape[1], dtype=x.dtype), "T D"),
)
SIGNS, BITS = (Fact("one_of", "y", (-1, 1)),), (Fact("one_of", "y", (0, 1)),)
SHARES = (Fact("sums_to_one", "y", (-1,)),)
LOSSES = (
    case("mse_loss", lambda x, y: nn.mse_loss(x, y), "N D", "N D"),
    case("l1_loss", lambda x, y: nn.l1_loss(x, y, reduction="sum"), "N D", "N D"),
    case("huber_loss", lambda x, y: nn.huber_loss(x, y, delta=0.7), "N D", "N D"),
    case("smooth_l1_loss", lambda x, y: nn.smooth_l1_loss(x, y, beta=0.5), "N D", "N D"),
    case("hinge_loss", lambda x, y: nn.hinge_loss(x, y), "N", "N", wrt=("x",), facts=SIGNS),
    case("cross_entropy", lambda x, y, w: nn.cross_entropy(x, y, w), "N C", "int N", "C",
         wrt=("x",), domain="classes"),
    case("cross_entropy smoothed", lambda x, y: nn.cross_entropy(x, y, label_smoothing=0.1),
         "N C X", "int N X", domain="classes", extra=True),
    case("cross_entropy ignored", lambda x, y, w: nn.cross_entropy(
        x, y, w, label_smoothing=0.1, ignore_index=0), "N C", "int N", "C", wrt=("x",),
         domain="classes"),
    case("nll_loss ignored", lambda x, y: nn.nll_loss(x, y, ignore_index=1), "N C X", "int N X",
         domain="classes", extra=True),
    case("cross_entropy shares", lambda x, y: nn.cross_entropy(x, y), "N C", "N C", wrt=("x",),
         facts=SHARES),
    case("nll_loss", lambda x, y, w: nn.nll_loss(x, y, w), "N C", "int N", "C", wrt=("x",),
         domain="classes"),
    case("kl_div", lambda x, y: nn.kl_div(x, y, "batchmean"), "N C", "N C", wrt=("x",),
         facts=SHARES),
    case("kl_div logarithms", lambda x, y: nn.kl_div(x, y, log_target=True), "N C", "N C",
         extra=True),
    case("binary_cross_entropy", lambda p, y: nn.binary_cross_entropy(p, y), "N D", "N D",
         wrt=("p",), facts=(Fact("in_range", "p", (0, 1)), *BITS)),
    case("binary_cross_entropy_with_logits", lambda x, y, w: nn.binary_cross_entropy_with_logits(
        x, y, pos_weight=w), "N D", "N D", "D", wrt=("x",), facts=BITS),
    case("sigmoid_focal_loss", lambda x, y: nn.sigmoid_focal_loss(x, y), "N D", "N D",
         wrt=("x",), facts=BITS),
    case("triplet_margin_loss", lambda x, y, z: nn.triplet_margin_loss(x, y, z, swap=True),
         "N D", "N D", "N D"),
    case("cosine_embedding_loss", lambda u, v, y: nn.cosine_embedding_loss(u, v, y), "N D",
         "N D", "N", wrt=("u", "v"), facts=SIGNS),
    case("margin_ranking_loss", lambda u, v, y: nn.margin_ranking_loss(u, v, y, 0.5), "N", "N",
         "N", wrt=("u", "v"), facts=SIGNS, extra=True),
    case("hinge_embedding_loss", lambda x, y: nn.hinge_embedding_loss(x, y), "N D", "N D",
         wrt=("x",), facts=SIGNS, extra=True),
    case("soft_margin_loss", lambda x, y: nn.soft_margin_loss(x, y), "N D", "N D", wrt=("x",),
         facts=SIGNS, extra=True),
    case("multi_margin_loss", lambda x, y, w: nn.multi_margin_loss(x, y, 2, 0.7, w), "N C",
         "int N", "C", wrt=("x",), domain="classes", extra=True),
    case("multilabel_soft_margin_loss", lambda x, y, w: nn.multilabel_soft_margin_loss(x, y, w),
         "N C", "N C", "C", wrt=("x",), facts=BITS, extra=True),
    case("pdist", lambda x: nn.pdist(x, 3.0), "N D", extra=True),
    case("gaussian_nll_loss", lambda x, y, v: nn.gaussian_nll_loss(x, y, v, True), "N D", "N D",
         "N", facts=POSITIVE),
    case("poisson_nll_loss", lambda x, y: nn.poisson_nll_loss(x, y), "N D", "N D"),
    case("poisson_nll_loss rates", lambda v, y: nn.poisson_nll_loss(v, y, False, True), "N D",
         "N D", facts=POSITIVE, wrt=("v",), extra=True),
    case("info_nce", lambda q, k: nn.info_nce(q, k, 0.5), "N D", "N D"),
    case("cosine_similarity", lambda u, v: nn.cosine_similarity(u, v), "N D", "N D"),
    case("pairwise_distance", lambda u, v: nn.pairwise_distance(u, v, p=1), "N D", "N D"),
    case("ctc_loss", lambda x, t, a, b: nn.ctc_loss(nn.log_softmax(x), t, a, b), "6 N C",
         "int N 2", "int N", "int N", domain="symbols",
         facts=(Fact("one_of", "a", (5, 6)), Fact("one_of", "b", (0, 1, 2))), extra=True),
    case("ctc_loss one label", lambda x, t, a, b: nn.ctc_loss(
        nn.log_softmax(x), t, a, b, reduction="sum"), "T N C", "int N 1", "int N", "int N",
         domain="symbols", facts=(Fact("one_of", "a", (1, 3)), Fact("one_of", "b", (0, 1)))),
    case("l2_penalty", lambda u, v: nn.l2_penalty(u, v), "N D", "K"),
    case("l1_penalty", lambda u, v: nn.l1_penalty(u, v), "N D", "K"),
    case("elastic_net_penalty", lambda u, v: nn.elastic_net_penalty(u, v, alpha=0.3), "N D", "K"),
)
PLAIN = {
    "relu": nn.relu, "leaky_relu": nn.leaky_relu, "elu": nn.elu, "selu": nn.selu,
    "celu": lambda x: nn.celu(x, 1.5), "sigmoid": nn.sigmoid, "tanh": nn.tanh,
    "softplus": lambda x: nn.softplus(x, 2.0),
    "softplus threshold": lambda x: nn.softplus(x, 2.0, 1.0), "gelu": nn.gelu,
    "gelu tanh": lambda x: nn.gelu(x, "tanh"), "silu": nn.silu, "mish": nn.mish,
    "softsign": nn.softsign, "logsigmoid": nn.logsigmoid, "relu6": lambda x: nn.relu6(4 * x),
    "hardtanh": nn.hardtanh, "hardsigmoid": lambda x: nn.hardsigmoid(2 * x),
    "hardswish": lambda x: nn.hardswish(2 * x), "threshold": lambda x: nn.threshold(x, 0.1, -2.0),
    "tanhshrink": nn.tanhshrink, "softshrink": nn.softshrink, "hardshrink": nn.hardshrink,
    "softmax": nn.softmax, "softmin": nn.softmin, "log_softmax": nn.log_softmax,
    "logsumexp": nn.logsumexp, "glu": nn.glu, "swiglu": nn.swiglu, "geglu": nn.geglu,
    "reglu": nn.reglu,
}
ACTIVATIONS = (
    *(Case(name, function, {next(iter(inspect.signature(function).parameters)): "N D"})
      for name, function in PLAIN.items()),
    case("prelu", lambda x, w: nn.prelu(x, w), IMAGE, "C"),
    case("prelu one slope", lambda x, w: nn.prelu(x, w), "N D", "", extra=True),
)
CASES = {c.name: c for c in (
    *CONVOLUTION, *POOLING, *NORMALIZATION, *SEQUENCES, *ATTENTION, *LOSSES, *ACTIVATIONS)}
WITHOUT = {"alpha_dropout"}  # torch draws its own masks: nothing can be compared
