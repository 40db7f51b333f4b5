"""Distances and similarities, and the losses made of them.

In: tensors of feature vectors. Out: one number for every pair, or a scalar loss.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from symprop.errors import InputError
from symprop.nn.arguments import expect_rank
from symprop.nn.classification import cross_entropy
from symprop.nn.losses import reduced
from symprop.nn.normalization import normalize, p_norm
from symprop.trace.context import located
from symprop.trace.primitives import elementwise


def cosine_similarity(x1: Any, x2: Any, axis: int = 1, eps: float = 1e-8) -> Any:
    """Σ x1 x2 / (max(‖x1‖, eps) max(‖x2‖, eps)) along `axis` (torch: dim).

    >>> cosine_similarity(np.array([[3.0, 4.0]]), np.array([[4.0, 3.0]]))
    array([0.96])
    """
    x1, x2 = np.broadcast_arrays(x1, x2)  # an axis to sum along may be among those of size 1
    first = np.maximum(p_norm(x1, 2, axis), eps)
    second = np.maximum(p_norm(x2, 2, axis), eps)
    return np.sum(x1 * x2, axis=axis) / (first * second)


def pairwise_distance(
    x1: Any, x2: Any, p: float = 2.0, eps: float = 1e-6, keepdims: bool = False
) -> Any:
    """‖x1 - x2 + eps‖_p along the last axis.

    >>> pairwise_distance(np.array([[3.0, 4.0]]), np.zeros((1, 2)), eps=0.0)
    array([5.])
    """
    return p_norm(x1 - x2 + eps, p, -1, keepdims)


def pdist(input: Any, p: float = 2.0) -> Any:
    """‖x_i - x_j‖_p of all pairs i < j of rows: (N, D) becomes (N (N - 1) / 2,).

    >>> pdist(np.array([[0.0, 0.0], [3.0, 4.0], [0.0, 1.0]])).round(3)
    array([5.   , 1.   , 4.243])
    """
    expect_rank(input, (2,), "(N, D)", "pdist: the input")
    rows, columns = np.triu_indices(np.shape(input)[0], 1)
    return p_norm(input[rows] - input[columns], p, -1)


def triplet_margin_loss(
    anchor: Any, positive: Any, negative: Any, margin: float = 1.0, p: float = 2.0,
    eps: float = 1e-6, swap: bool = False, reduction: str = "mean",
) -> Any:
    """max(0, d(anchor, positive) - d(anchor, negative) + margin), d of `pairwise_distance`.

    anchor, positive, negative: (N, D). With `swap` the negative is compared with the nearer of
    anchor and positive. Source: Balntas et al., BMVC 2016; FaceNet, arXiv:1503.03832.

    >>> x = np.array([[0.0, 0.0]])
    >>> float(triplet_margin_loss(x, x, x + 3.0, margin=5.0, p=1.0, eps=0.0))
    0.0
    """
    near = pairwise_distance(anchor, positive, p, eps)
    far = pairwise_distance(anchor, negative, p, eps)
    if swap:
        far = np.minimum(far, pairwise_distance(positive, negative, p, eps))
    return reduced(elementwise("relu", near - far + margin), reduction, "triplet_margin_loss")


def cosine_embedding_loss(
    input1: Any, input2: Any, target: Any, margin: float = 0.0, reduction: str = "mean"
) -> Any:
    """1 - cos where target is 1, max(0, cos - margin) where it is -1.

    input1, input2: (N, D). target: (N,) of -1 and 1.

    >>> x = np.array([[1.0, 0.0]])
    >>> float(cosine_embedding_loss(x, x, np.array([-1.0])))
    1.0
    """
    cos = cosine_similarity(input1, input2)
    apart = elementwise("relu", cos - margin)
    return reduced(np.where(target > 0, 1 - cos, apart), reduction, "cosine_embedding_loss")


def info_nce(
    query: Any, key: Any, temperature: float = 0.1, reduction: str = "mean"
) -> Any:
    """Cross-entropy of finding every query's own key among the keys of the batch.

    query, key: (N, D), row n of one belonging to row n of the other. The scores are cosines
    divided by the temperature. Raises InputError unless temperature > 0. Source: van den Oord,
    Li and Vinyals, arXiv:1807.03748; SimCLR, arXiv:2002.05709.

    >>> float(info_nce(np.eye(2), np.eye(2), temperature=1.0).round(6))
    0.313262
    """
    if not temperature > 0:
        raise located(InputError, f"info_nce: temperature is more than 0, not {temperature!r}")
    similarity = normalize(query) @ normalize(key).T
    labels = np.arange(np.shape(query)[0])
    return cross_entropy(similarity / temperature, labels, reduction=reduction)
