"""Attention: weighted means of values, with masks of every kind.

In: query, key, value (..., L, E), (..., S, E), (..., S, V). Out: (..., L, V).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from symprop.errors import InputError, ShapeError
from symprop.nn.activations import softmax
from symprop.nn.arguments import expect_divides, expect_rank, expect_size, is_one
from symprop.nn.dropout import dropout
from symprop.nn.embedding import linear
from symprop.trace.context import located

_LOWEST = -1e30  # a score that no softmax notices, and whose differences are finite


def scaled_dot_product_attention(
    query: Any, key: Any, value: Any, attn_mask: Any = None, dropout_p: float = 0.0,
    is_causal: bool = False, scale: Any = None, enable_gqa: bool = False,
    dropout_mask: Any = None,
) -> Any:
    """softmax(scale Q Kᵀ + mask) V.

    query: (..., L, E). key: (..., S, E). value: (..., S, V). Out: (..., L, V). attn_mask: what
    broadcasts with (..., L, S): truth values (True takes part) or floats, which are added to
    the scores. is_causal: position l sees positions 0 to l. scale: 1/√E unless given. A row in
    which nothing takes part gives 0. enable_gqa: query (..., H, L, E) has a multiple of the
    heads of key and value, and neighbouring heads share theirs. dropout_p needs `dropout_mask`,
    as in `dropout`. Raises ShapeError where sizes do not fit, InputError for masks at odds.
    Source: Vaswani et al., arXiv:1706.03762; grouped queries: Ainslie et al., arXiv:2305.13245.

    >>> scaled_dot_product_attention(np.ones((2, 1)), np.ones((2, 1)), np.array([[1.0], [3.0]]))
    array([[2.],
           [2.]])
    """
    if dropout_p and dropout_mask is None:
        raise located(InputError, "scaled_dot_product_attention: dropout_p needs a dropout_mask")
    if is_causal and attn_mask is not None:
        raise located(InputError, "scaled_dot_product_attention takes attn_mask or is_causal, "
                                  "not both")
    if enable_gqa:
        return _grouped(query, key, value, attn_mask, dropout_p, is_causal, scale, dropout_mask)
    name = "scaled_dot_product_attention"
    expect_size(key, -1, np.shape(query)[-1], "the last axis of the query", f"{name}: the key")
    expect_size(value, -2, np.shape(key)[-2], "the length of the key", f"{name}: the value")
    scale = np.shape(query)[-1] ** -0.5 if scale is None else scale
    scores = query @ np.swapaxes(key, -1, -2) * scale
    weights = _weights(scores, attn_mask, is_causal)
    if dropout_mask is not None:
        weights = dropout(weights, dropout_mask, dropout_p)
    return weights @ value


def _weights(scores: Any, attn_mask: Any, is_causal: bool) -> Any:
    """softmax of the scores that take part."""
    if is_causal:
        length, keys = np.shape(scores)[-2:]
        allowed = np.arange(length)[:, None] >= np.arange(keys)
        masked = np.where(allowed, scores, -np.inf)
        return softmax(masked, axis=-1)
    if attn_mask is None:
        return softmax(scores, axis=-1)
    if np.dtype(attn_mask.dtype).kind == "b":
        allowed = attn_mask
        masked = np.where(allowed, scores, _LOWEST)
    else:
        allowed = attn_mask > -np.inf
        masked = np.where(allowed, scores + attn_mask, _LOWEST)
    return np.where(allowed, softmax(masked, axis=-1), 0.0)


def _grouped(
    query: Any, key: Any, value: Any, attn_mask: Any, dropout_p: float, is_causal: bool,
    scale: Any, dropout_mask: Any,
) -> Any:
    """Heads of the query in groups: (..., G, H / G, L, E) against (..., G, 1, S, E)."""
    *batch, heads, length, size = np.shape(query)
    groups = np.shape(key)[-3]
    expect_divides(groups, heads, "the number of heads of the query", (
        "scaled_dot_product_attention: the number of heads of the key"))

    def split(array: Any) -> Any:
        """A mask with heads gets the same two axes; one that broadcasts stays."""
        if array is None or np.ndim(array) < 3 or is_one(np.shape(array)[-3]):
            return array if array is None or np.ndim(array) < 3 else np.expand_dims(array, -3)
        shape = np.shape(array)
        return np.reshape(array, (*shape[:-3], groups, heads // groups, *shape[-2:]))

    result = scaled_dot_product_attention(
        np.reshape(query, (*batch, groups, heads // groups, length, size)),
        np.expand_dims(key, -3), np.expand_dims(value, -3), split(attn_mask), dropout_p,
        is_causal, scale, False, split(dropout_mask))
    return np.reshape(result, (*batch, heads, length, np.shape(value)[-1]))


def multi_head_attention(
    query: Any, key: Any, value: Any, num_heads: Any, in_proj_weight: Any, in_proj_bias: Any,
    out_proj_weight: Any, out_proj_bias: Any, attn_mask: Any = None, is_causal: bool = False,
    dropout_p: float = 0.0, dropout_mask: Any = None,
) -> Any:
    """Attention in `num_heads` parts of the features, between two linear maps.

    query: (N, L, E). key, value: (N, S, E), with the batch first. in_proj_weight: (3E, E), the
    maps of query, key and value under one another; in_proj_bias: (3E,) or None.
    out_proj_weight: (E, E). out_proj_bias: (E,) or None. attn_mask: what broadcasts with
    (N, heads, L, S), True taking part (torch's module says the opposite). Out: (N, L, E).
    Raises ShapeError where sizes do not fit. Weights as torch.nn.MultiheadAttention has them.
    Source: Vaswani et al., arXiv:1706.03762.

    >>> x, W = np.eye(2)[None], np.concatenate([np.zeros((2, 2)), np.eye(2), np.eye(2)])
    >>> multi_head_attention(x, x, x, 1, W, None, np.eye(2), None)
    array([[[0.5, 0.5],
            [0.5, 0.5]]])
    """
    name = "multi_head_attention"
    for what, array in (("query", query), ("key", key), ("value", value)):
        expect_rank(array, (3,), "(N, length, E)", f"{name}: the {what}")
    size = np.shape(query)[-1]
    expect_divides(num_heads, size, "the number of features", f"{name}: num_heads")
    if np.shape(in_proj_weight)[0] != 3 * size:
        raise located(ShapeError, (
            f"{name}: in_proj_weight has {np.shape(in_proj_weight)[0]} rows, not 3 times the "
            f"{size} features"))
    q, k, v = (
        split_heads(linear(array, in_proj_weight[part], _part(in_proj_bias, part)), num_heads)
        for array, part in zip((query, key, value), _thirds(size), strict=True))
    heads = scaled_dot_product_attention(
        q, k, v, attn_mask, dropout_p, is_causal, dropout_mask=dropout_mask)
    return linear(merge_heads(heads), out_proj_weight, out_proj_bias)


def _thirds(size: Any) -> tuple[slice, slice, slice]:
    return slice(None, size), slice(size, 2 * size), slice(2 * size, None)


def _part(bias: Any, part: slice) -> Any:
    return None if bias is None else bias[part]


def split_heads(input: Any, num_heads: Any) -> Any:
    """(N, L, E) as (N, heads, L, E / heads).

    >>> split_heads(np.arange(4.0).reshape(1, 1, 4), 2)
    array([[[[0., 1.]],
    <BLANKLINE>
            [[2., 3.]]]])
    """
    batch, length, size = np.shape(input)
    parts = np.reshape(input, (batch, length, num_heads, size // num_heads))
    return np.swapaxes(parts, 1, 2)


def merge_heads(input: Any) -> Any:
    """(N, heads, L, D) as (N, L, heads * D): the inverse of `split_heads`.

    >>> merge_heads(split_heads(np.arange(4.0).reshape(1, 1, 4), 2))
    array([[[0., 1., 2., 3.]]])
    """
    batch, heads, length, size = np.shape(input)
    return np.reshape(np.swapaxes(input, 1, 2), (batch, length, heads * size))
