"""Layers once more, entry by entry: loops over positions, with nothing but numbers in them.

In: the arguments of a function of `symprop.nn`. Out: its result. Written from the definitions,
independently of the package.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

Array = Any


def _over(*sizes: int) -> Iterator[tuple[int, ...]]:
    return itertools.product(*map(range, sizes))


def convolution(
    x: Array, w: Array, b: Array = None, stride: Sequence[int] = (1, 1),
    before: Sequence[int] = (0, 0), after: Sequence[int] | None = None,
    dilation: Sequence[int] = (1, 1), groups: int = 1,
) -> Array:
    """Cross-correlation with zeros outside, over any number of axes."""
    rank = w.ndim - 2
    after = before if after is None else after
    spans = [d * (k - 1) + 1 for k, d in zip(w.shape[2:], dilation, strict=False)]
    sizes = [(x.shape[2 + a] + before[a] + after[a] - spans[a]) // stride[a] + 1
             for a in range(rank)]
    result = np.zeros((x.shape[0], w.shape[0], *sizes))
    own = w.shape[0] // groups
    for n, o, *place in _over(*result.shape):
        total = 0.0 if b is None else b[o]
        for c, *k in _over(*w.shape[1:]):
            at = [stride[a] * place[a] + dilation[a] * k[a] - before[a] for a in range(rank)]
            if all(0 <= p < x.shape[2 + a] for a, p in enumerate(at)):
                total += x[(n, (o // own) * w.shape[1] + c, *at)] * w[(o, c, *k)]
        result[(n, o, *place)] = total
    return result


def transposed(
    x: Array, w: Array, b: Array = None, stride: Sequence[int] = (1, 1),
    padding: Sequence[int] = (0, 0), extra: Sequence[int] = (0, 0),
    dilation: Sequence[int] = (1, 1), groups: int = 1,
) -> Array:
    """Every entry of the input adds its multiple of the kernel."""
    rank = w.ndim - 2
    sizes = [(x.shape[2 + a] - 1) * stride[a] - 2 * padding[a]
             + dilation[a] * (w.shape[2 + a] - 1) + extra[a] + 1 for a in range(rank)]
    result = np.zeros((x.shape[0], w.shape[1] * groups, *sizes))
    own = x.shape[1] // groups
    for n, c, *place in _over(*x.shape):
        for o, *k in _over(*w.shape[1:]):
            at = [stride[a] * place[a] + dilation[a] * k[a] - padding[a] for a in range(rank)]
            if all(0 <= p < s for p, s in zip(at, sizes, strict=True)):
                output = (c // own) * w.shape[1] + o
                result[(n, output, *at)] += x[(n, c, *place)] * w[(c, o, *k)]
    return result if b is None else result + b.reshape(-1, *[1] * rank)


def pooling(
    x: Array, of: Callable[[list[float]], float], kernel: Sequence[int], stride: Sequence[int],
    padding: Sequence[int] = (0, 0), border: float | None = None,
) -> Array:
    """`of` the entries of every window; what lies outside is `border`, or left out."""
    rank = len(kernel)
    sizes = [(x.shape[2 + a] + 2 * padding[a] - kernel[a]) // stride[a] + 1 for a in range(rank)]
    result = np.zeros((*x.shape[:2], *sizes))
    for n, c, *place in _over(*result.shape):
        found = []
        for k in _over(*kernel):
            at = [stride[a] * place[a] + k[a] - padding[a] for a in range(rank)]
            if all(0 <= p < x.shape[2 + a] for a, p in enumerate(at)):
                found.append(x[(n, c, *at)])
            elif border is not None:
                found.append(border)
        result[(n, c, *place)] = of(found)
    return result


def adaptive(x: Array, of: Callable[[list[float]], float], sizes: Sequence[int]) -> Array:
    """`of` the entries of every part, from ⌊i L / S⌋ to ⌈(i + 1) L / S⌉."""
    result = np.zeros((*x.shape[:2], *sizes))
    for n, c, *place in _over(*result.shape):
        parts = [range(i * length // s, math.ceil((i + 1) * length / s))
                 for i, length, s in zip(place, x.shape[2:], sizes, strict=True)]
        result[(n, c, *place)] = of([x[(n, c, *at)] for at in itertools.product(*parts)])
    return result


def average(values: list[float]) -> float:
    return sum(values) / len(values)


def normalization(
    x: Array, group: Callable[..., Any], eps: float = 1e-5, centred: bool = True
) -> Array:
    """Every entry less the mean of its group, divided by the root of the group's variance."""
    members: dict[Any, list[float]] = {}
    for at in _over(*x.shape):
        members.setdefault(group(*at), []).append(float(x[at]))
    means = {g: average(v) if centred else 0.0 for g, v in members.items()}
    variances = {g: average([(e - means[g]) ** 2 for e in v]) for g, v in members.items()}
    result = np.zeros(x.shape)
    for at in _over(*x.shape):
        g = group(*at)
        result[at] = (x[at] - means[g]) / math.sqrt(variances[g] + eps)
    return result


def _spread(v: Array, x: Array) -> Array:
    return v.reshape(-1, *[1] * (x.ndim - 2))


def _statistics(x: Array, m: Array, v: Array) -> Array:
    entries = [[float(e) for e in x[:, c].ravel()] for c in range(x.shape[1])]
    means = [average(e) for e in entries]
    variances = [sum((e - mean) ** 2 for e in of) / (len(of) - 1)
                 for of, mean in zip(entries, means, strict=True)]
    return (np.array([0.9 * o + 0.1 * n for o, n in zip(m, means, strict=True)]),
            np.array([0.9 * o + 0.1 * n for o, n in zip(v, variances, strict=True)]))


def attention(q: Array, k: Array, v: Array, seen: Any, added: Any = None) -> Array:
    """Row by row; `seen(*at)` says whether a pair (..., l, s) takes part."""
    result = np.zeros((*q.shape[:-1], v.shape[-1]))
    for *batch, i in _over(*q.shape[:-1]):
        scores = {}
        for j in range(k.shape[-2]):
            if seen(*batch, i, j):
                dot = sum(a * b for a, b in zip(q[(*batch, i)], k[(*batch, j)], strict=True))
                extra = 0.0 if added is None else added[i, j]
                scores[j] = math.exp(dot / math.sqrt(q.shape[-1]) + extra)
        total = sum(scores.values())
        for j, score in scores.items():
            result[(*batch, i)] += score / total * v[(*batch, j)]
    return result


def alignments(p: Array, target: Sequence[int], blank: int = 0) -> float:
    """The total probability of all symbol sequences that read as `target`."""
    total = 0.0
    for path in _over(*[p.shape[1]] * p.shape[0]):
        merged = [s for s, _ in itertools.groupby(path)]
        if [s for s in merged if s != blank] == list(target):
            total += math.prod(p[t, s] for t, s in enumerate(path))
    return total


ONE, TWO = (1, 1), (2, 2)
LOOPS: dict[str, Callable[..., Any]] = {
    "conv1d": lambda x, w, b: convolution(x, w, b, (2,), (1,)),
    "conv1d same": lambda x, w: convolution(x, w, None, (1,), (2,), dilation=(2,)),
    "conv1d unbatched": lambda x, w: convolution(x[None], w, None, (1,), (0,))[0],
    "conv2d": lambda x, w, b: convolution(x, w, b, ONE, ONE),
    "conv2d stride": lambda x, w: convolution(x, w, None, (2, 3), (0, 1)),
    "conv2d dilation": lambda x, w: convolution(x, w, dilation=TWO),
    "conv2d symbolic kernel": convolution,
    "conv2d groups": lambda x, w, b: convolution(x, w, b, ONE, ONE, groups=2),
    "conv2d depthwise": lambda x, w: convolution(x, w, groups=x.shape[1]),
    "conv3d": lambda x, w: convolution(x, w, None, (1,) * 3, (1,) * 3, dilation=(1,) * 3),
    "conv_transpose1d": lambda x, w, b: transposed(x, w, b, (3,)),
    "conv_transpose2d": lambda x, w, b: transposed(x, w, b, TWO),
    "conv_transpose2d padding": lambda x, w: transposed(x, w, None, TWO, ONE, ONE),
    "conv_transpose2d groups": lambda x, w: transposed(x, w, groups=2, dilation=TWO),
    "max_pool1d": lambda x: pooling(x, max, (3,), (2,), (1,)),
    "max_pool2d": lambda x: pooling(x, max, TWO, TWO),
    "max_pool2d overlapping": lambda x: pooling(x, max, (3, 3), (1, 2), ONE),
    "avg_pool1d": lambda x: pooling(x, average, (2,), (2,)),
    "avg_pool2d": lambda x: pooling(x, average, TWO, TWO),
    "avg_pool2d padding": lambda x: pooling(x, average, (3, 3), TWO, ONE, 0.0),
    "avg_pool2d real entries": lambda x: pooling(x, average, TWO, TWO, ONE),
    "adaptive_avg_pool1d": lambda x: adaptive(x, average, (2,)),
    "adaptive_avg_pool2d": lambda x: adaptive(x, average, (2, x.shape[3])),
    "adaptive_avg_pool2d unequal": lambda x: adaptive(x, average, (3, 2)),
    "adaptive_max_pool1d": lambda x: adaptive(x, max, (1,)),
    "adaptive_max_pool2d": lambda x: adaptive(x, max, (2, 3)),
    "global_avg_pool": lambda x: adaptive(x, average, (1, 1))[:, :, 0, 0],
    "global_max_pool": lambda x: adaptive(x, max, (1, 1))[:, :, 0, 0],
    "batch_norm": lambda x, w, b: normalization(
        x, lambda n, c, *_: c) * _spread(w, x) + _spread(b, x),
    "batch_norm vectors": lambda x: normalization(x, lambda n, c: c),
    "batch_norm inference": lambda x, m, v, w, b: np.stack(
        [(x[:, c] - m[c]) / math.sqrt(v[c] + 1e-5) * w[c] + b[c] for c in range(len(m))], 1),
    "running_statistics": _statistics,
    "layer_norm": lambda x, w, b: normalization(x, lambda n, d: n) * w + b,
    "layer_norm two axes": lambda x, w: normalization(x, lambda n, *_: n) * w,
    "rms_norm": lambda x, w: normalization(x, lambda n, t, d: (n, t), 1e-6, False) * w,
    "group_norm": lambda x, w, b: normalization(
        x, lambda n, c, *_: (n, c // (x.shape[1] // 2))) * _spread(w, x) + _spread(b, x),
    "instance_norm": lambda x, w: normalization(x, lambda n, c, *_: (n, c)) * _spread(w, x),
    "attention": lambda q, k, v: attention(q, k, v, lambda *at: True),
    "attention causal": lambda q, k, v: attention(q, k, v, lambda n, i, j: j <= i),
    "attention boolean": lambda q, k, v, m: attention(q, k, v, lambda *at: m[at]),
    "attention additive": lambda q, k, v, m: attention(q, k, v, lambda *at: True, m),
}
