"""`symprop.nn`: layers, activations and losses under the names of torch.nn.functional.

In: arrays or traced tensors. Out: the same kind. Every function is a composition of NumPy
operations, of `symprop.scan`, or one row of `symprop.algebra.rows`; `axis` stands where torch
says `dim`, and `keepdims` for `keepdim`. docs/nn.md lists them all.
"""

from symprop.nn.activations import (
    celu,
    elu,
    gelu,
    leaky_relu,
    log_sigmoid,
    log_softmax,
    logsigmoid,
    logsumexp,
    mish,
    prelu,
    relu,
    selu,
    sigmoid,
    silu,
    softmax,
    softmin,
    softplus,
    softsign,
    tanh,
)
from symprop.nn.attention import (
    merge_heads,
    multi_head_attention,
    scaled_dot_product_attention,
    split_heads,
)
from symprop.nn.classification import cross_entropy, nll_loss
from symprop.nn.convolution import conv1d, conv2d, conv3d
from symprop.nn.ctc import ctc_loss
from symprop.nn.distances import (
    cosine_embedding_loss,
    cosine_similarity,
    info_nce,
    pairwise_distance,
    triplet_margin_loss,
)
from symprop.nn.dropout import alpha_dropout, channel_dropout, dropout
from symprop.nn.embedding import embedding, linear
from symprop.nn.gated import geglu, glu, reglu, swiglu
from symprop.nn.losses import (
    binary_cross_entropy,
    binary_cross_entropy_with_logits,
    hinge_loss,
    huber_loss,
    kl_div,
    l1_loss,
    mse_loss,
    sigmoid_focal_loss,
    smooth_l1_loss,
)
from symprop.nn.normalization import (
    batch_norm,
    group_norm,
    instance_norm,
    layer_norm,
    normalize,
    rms_norm,
    running_statistics,
)
from symprop.nn.penalties import elastic_net_penalty, l1_penalty, l2_penalty
from symprop.nn.piecewise import (
    hardshrink,
    hardsigmoid,
    hardswish,
    hardtanh,
    relu6,
    softshrink,
    tanhshrink,
    threshold,
)
from symprop.nn.pooling import (
    adaptive_avg_pool1d,
    adaptive_avg_pool2d,
    adaptive_max_pool1d,
    adaptive_max_pool2d,
    avg_pool1d,
    avg_pool2d,
    global_avg_pool,
    global_max_pool,
    max_pool1d,
    max_pool2d,
)
from symprop.nn.positions import rotary, sinusoidal_positions
from symprop.nn.recurrent import bidirectional, gru, lstm, rnn
from symprop.nn.transposed import conv_transpose1d, conv_transpose2d
from symprop.trace import registry, strict

__all__ = [
    "adaptive_avg_pool1d",
    "adaptive_avg_pool2d",
    "adaptive_max_pool1d",
    "adaptive_max_pool2d",
    "alpha_dropout",
    "avg_pool1d",
    "avg_pool2d",
    "batch_norm",
    "bidirectional",
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "celu",
    "channel_dropout",
    "conv1d",
    "conv2d",
    "conv3d",
    "conv_transpose1d",
    "conv_transpose2d",
    "cosine_embedding_loss",
    "cosine_similarity",
    "cross_entropy",
    "ctc_loss",
    "dropout",
    "elastic_net_penalty",
    "elu",
    "embedding",
    "geglu",
    "gelu",
    "global_avg_pool",
    "global_max_pool",
    "glu",
    "group_norm",
    "gru",
    "hardshrink",
    "hardsigmoid",
    "hardswish",
    "hardtanh",
    "hinge_loss",
    "huber_loss",
    "info_nce",
    "instance_norm",
    "kl_div",
    "l1_loss",
    "l1_penalty",
    "l2_penalty",
    "layer_norm",
    "leaky_relu",
    "linear",
    "log_sigmoid",
    "log_softmax",
    "logsigmoid",
    "logsumexp",
    "lstm",
    "max_pool1d",
    "max_pool2d",
    "merge_heads",
    "mish",
    "mse_loss",
    "multi_head_attention",
    "nll_loss",
    "normalize",
    "pairwise_distance",
    "prelu",
    "reglu",
    "relu",
    "relu6",
    "rms_norm",
    "rnn",
    "rotary",
    "running_statistics",
    "scaled_dot_product_attention",
    "selu",
    "sigmoid",
    "sigmoid_focal_loss",
    "silu",
    "sinusoidal_positions",
    "smooth_l1_loss",
    "softmax",
    "softmin",
    "softplus",
    "softshrink",
    "softsign",
    "split_heads",
    "swiglu",
    "tanh",
    "tanhshrink",
    "threshold",
    "triplet_margin_loss",
]

for _name in __all__:
    globals()[_name] = strict.strict(globals()[_name])
    registry.LAYERS[_name] = f"symprop.nn.{_name}"
