"""`symprop.nn`: layers, activations and losses under the names of torch.nn.functional.

In: arrays or traced tensors. Out: the same kind. Every function is a composition of NumPy
operations, of `symprop.scan`, or one row of `symprop.algebra.rows`; `axis` stands where torch
says `dim`.
"""

from symprop.nn.activations import (
    elu,
    gelu,
    leaky_relu,
    log_softmax,
    logsumexp,
    relu,
    sigmoid,
    silu,
    softmax,
    softplus,
    tanh,
)
from symprop.nn.attention import (
    merge_heads,
    multi_head_attention,
    scaled_dot_product_attention,
    split_heads,
)
from symprop.nn.convolution import conv1d, conv2d, conv3d
from symprop.nn.dropout import alpha_dropout, channel_dropout, dropout
from symprop.nn.embedding import embedding, linear
from symprop.nn.losses import (
    binary_cross_entropy_with_logits,
    cross_entropy,
    hinge_loss,
    huber_loss,
    l1_loss,
    mse_loss,
)
from symprop.nn.normalization import (
    batch_norm,
    group_norm,
    instance_norm,
    layer_norm,
    normalize,
    p_norm,
    rms_norm,
    running_statistics,
)
from symprop.nn.penalties import l1_penalty, l2_penalty
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
from symprop.nn.recurrent import bidirectional, gru, lstm, rnn

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
    "binary_cross_entropy_with_logits",
    "channel_dropout",
    "conv1d",
    "conv2d",
    "conv3d",
    "cross_entropy",
    "dropout",
    "elu",
    "embedding",
    "gelu",
    "global_avg_pool",
    "global_max_pool",
    "group_norm",
    "gru",
    "hinge_loss",
    "huber_loss",
    "instance_norm",
    "l1_loss",
    "l1_penalty",
    "l2_penalty",
    "layer_norm",
    "leaky_relu",
    "linear",
    "log_softmax",
    "logsumexp",
    "lstm",
    "max_pool1d",
    "max_pool2d",
    "merge_heads",
    "mse_loss",
    "multi_head_attention",
    "normalize",
    "p_norm",
    "relu",
    "rms_norm",
    "rnn",
    "running_statistics",
    "scaled_dot_product_attention",
    "sigmoid",
    "silu",
    "softmax",
    "softplus",
    "split_heads",
    "tanh",
]
