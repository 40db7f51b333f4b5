"""Forward passes whose axes are cut, joined, repeated or windowed, and what their code avoids.

In: arrays. Out: scalar losses. Every model has sizes that no trace has seen.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Case:
    """A function of arrays, with sizes at which it is tried, and texts its code must hold."""

    function: Callable[..., Any]
    sizes: dict[str, int]
    holds: tuple[str, ...] = ()


def heads_split(x: "N T D", W: "D D", V: "D D") -> Any:
    N, T, D = x.shape
    q = (x @ W).reshape(N, T, 2, D // 2)
    k = (x @ V).reshape(N, T, 2, D // 2)
    scores = np.einsum("nthe,nshe->nhts", q, k)
    return np.sum(np.sin(scores))


def heads_merged(a: "N H T E", W: "H*E M") -> Any:
    N, H, T, E = a.shape
    return np.sum(np.tanh(a.transpose(0, 2, 1, 3).reshape(N, T, H * E) @ W))


def heads_of_symbolic_number(x: "N D", W: "D D", u: "H D//H") -> Any:
    H, E = u.shape
    return np.sum(np.tanh((x @ W).reshape(x.shape[0], H, E)) * u)


def grouped_queries(q: "N 2*H T E", k: "N H T E") -> Any:
    repeated = np.repeat(k, 2, axis=1)
    return np.sum(np.sin(np.einsum("nhte,nhse->nhts", q, repeated)))


def repeated_alone(x: "N M", w: "3*N 2*M") -> Any:
    return np.sum(np.sin(np.repeat(np.repeat(x, 3, axis=0), 2, axis=1)) * w)


def tiled(x: "N M", w: "2*N 3*M") -> Any:
    return np.sum(np.sin(np.tile(x, (2, 3))) * w)


def enlarged(x: "N 4 4", K: "M 8 8") -> Any:
    big = np.repeat(np.repeat(x, 2, axis=1), 2, axis=2)
    return np.sum(np.tanh(np.einsum("nij,mij->nm", big, K)))


def flattened(x: "N C Y X", W: "C*Y*X M") -> Any:
    return np.sum(np.tanh(x.reshape(x.shape[0], -1) @ W))


def mean_of_blocks(x: "N C 2*Y 2*X") -> Any:
    N, C = x.shape[:2]
    blocks = x.reshape(N, C, x.shape[2] // 2, 2, x.shape[3] // 2, 2)
    return np.sum(np.tanh(blocks.mean(axis=(3, 5))))


def rows_of_a_flat_vector(v: "N*M", W: "M K") -> Any:
    return np.sum(np.tanh(v.reshape(-1, W.shape[0]) @ W))


def patches(x: "N 3 2*Y 2*X", W: "12 M") -> Any:
    N = x.shape[0]
    Y, X = x.shape[2] // 2, x.shape[3] // 2
    cut = x.reshape(N, 3, Y, 2, X, 2).transpose(0, 2, 4, 1, 3, 5).reshape(N, Y * X, 12)
    return np.sum(np.tanh(cut @ W))


def scaled_by_group(x: "N G*E", g: "G") -> Any:
    N, G = x.shape[0], g.shape[0]
    y = x.reshape(N, G, -1)
    y = (y - y.mean(axis=2, keepdims=True)) * g[:, None]
    return np.sum(np.sin(y.reshape(N, -1)) * x)


def halves(x: "N 2*H", w: "N H") -> Any:
    H = w.shape[1]
    turned = np.concatenate([-x[:, H:], x[:, :H]], axis=1)
    return np.sum(np.sin(turned * x)) + np.sum(x[:, :H] * w)


def interleaved(x: "N 2*H", c: "H", s: "H") -> Any:
    even, odd = x[:, ::2], x[:, 1::2]
    pairs = np.stack([even * c - odd * s, even * s + odd * c], axis=-1)
    return np.sum(np.sin(pairs.reshape(x.shape)) * x)


def fused_heads(x: "N T D", W: "D 3*D") -> Any:
    N, T, D = x.shape
    q, k, v = (a.reshape(N, T, 2, D // 2).transpose(0, 2, 1, 3)
               for a in np.split(x @ W, 3, axis=-1))
    return np.sum(np.sin(np.tanh(q @ k.transpose(0, 1, 3, 2)) @ v))


def turned_halves(x: "N T H*E", c: "T E//2", s: "T E//2", u: "N T H E") -> Any:
    N, T, H, E = u.shape
    y = x.reshape(N, T, H, E)
    left, right = y[..., :E // 2], y[..., E // 2:]
    c, s = c[:, None], s[:, None]
    return np.sum(np.concatenate([left * c - right * s, right * c + left * s], axis=-1) ** 2 * u)


def turned_pairs(x: "N T 2*E", c: "T E", s: "T E", u: "N T 2*E") -> Any:
    even, odd = x[..., ::2], x[..., 1::2]
    pairs = np.stack([even * c - odd * s, even * s + odd * c], axis=-1)
    return np.sum(pairs.reshape(x.shape) ** 2 * u)


def part_of_each_head(x: "N H*E", w: "N H E//2") -> Any:
    N, H = w.shape[:2]
    y = x.reshape(N, H, x.shape[1] // H)
    return np.sum(np.tanh(y[..., :w.shape[2]]) * w) + np.sum(np.sin(y[:, 0]))


def running_sums(x: "N T D", w: "N T D") -> Any:
    late = np.cumsum(x[:, ::-1], axis=1)[:, ::-1]
    means = np.mean(late, axis=2)
    return np.sum(np.cumsum(np.sin(late), axis=0) * w) + np.sum(np.cumsum(means, 1)**2)


RESHAPED = {f.__name__: Case(f, sizes, holds) for f, sizes, holds in [
    (heads_split, {"N": 2, "T": 3, "D": 4}, (".reshape(N, T, 2, D // 2)",)),
    (heads_merged, {"N": 2, "H": 3, "T": 2, "E": 2, "M": 2}, (".reshape(N, T, H * E)",)),
    (heads_of_symbolic_number, {"N": 2, "D": 6, "H": 3}, (".reshape(N, H, D // H)",)),
    (grouped_queries, {"N": 2, "H": 3, "T": 2, "E": 2}, ()),
    (repeated_alone, {"N": 2, "M": 3}, ("np.repeat(",)),
    (tiled, {"N": 2, "M": 3}, ("np.tile(",)),
    (enlarged, {"N": 2, "M": 3}, ()),
    (flattened, {"N": 2, "C": 2, "Y": 3, "X": 2, "M": 2}, (".reshape(N, C * Y * X) @ W",)),
    (mean_of_blocks, {"N": 2, "C": 2, "Y": 3, "X": 2}, (".reshape(",)),
    (rows_of_a_flat_vector, {"N": 3, "M": 2, "K": 2}, ("v.reshape(N, M) @ W",)),
    (patches, {"N": 2, "Y": 2, "X": 3, "M": 2}, ()),
    (scaled_by_group, {"N": 2, "G": 3, "E": 2}, ()),
    (halves, {"N": 2, "H": 3}, ()),
    (interleaved, {"N": 2, "H": 3}, ()),
    (fused_heads, {"N": 2, "T": 3, "D": 4}, ("[:, :, D:2 * D] = ",)),
    (turned_halves, {"N": 2, "T": 3, "H": 2, "E": 4}, (
        "x.reshape(N, T, H, E)[:, :, :, :E // 2]", "dx[:, :, :, E // 2:] = ",
        "dx = dx.reshape(N, T, H * E)")),
    (turned_pairs, {"N": 2, "T": 3, "E": 3}, ("dx[:, :, ::2] = ", "dx[:, :, 1::2] = ")),
    (running_sums, {"N": 3, "T": 4, "D": 2}, ("np.cumsum(x[:, ::-1], axis=1)",)),
    (part_of_each_head, {"N": 2, "H": 3, "E": 4}, (
        "dx[:, :, :E // 2] += ", "dx[:, 0] = ", "dx = dx.reshape(N, H * E)")),
]}


# ---- windows ------------------------------------------------------------------------------------


def windows_of(x: Any, lengths: tuple[int, ...]) -> Any:
    """The windows of the last axes."""
    axes = tuple(range(-len(lengths), 0))
    return np.lib.stride_tricks.sliding_window_view(x, lengths, axis=axes)


def plain_convolution(x: "N C Y X", K: "O C 3 2", b: "O") -> Any:
    y = np.einsum("ncijpq,ocpq->noij", windows_of(x, (3, 2)), K) + b[:, None, None]
    return np.sum(np.tanh(y))


def padded_convolution(x: "N C Y X", K: "O C 3 3", w: "N O Y X") -> Any:
    padded = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
    return np.sum(np.tanh(np.einsum("ncijpq,ocpq->noij", windows_of(padded, (3, 3)), K)) * w)


def strided_convolution(x: "N C Y X", K: "O C 3 3") -> Any:
    strided = windows_of(np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1))), (3, 3))[:, :, ::2, ::2]
    return np.sum(np.tanh(np.einsum("ncijpq,ocpq->noij", strided, K)))


def dilated_convolution(x: "N C Y X", K: "O C 3 3") -> Any:
    dilated = windows_of(x, (5, 5))[..., ::2, ::2]
    return np.sum(np.tanh(np.einsum("ncijpq,ocpq->noij", dilated, K)))


def grouped_convolution(x: "N 2*C Y X", K: "2 O C 3 3") -> Any:
    N, Y, X = x.shape[0], x.shape[2], x.shape[3]
    parts = x.reshape(N, 2, x.shape[1] // 2, Y, X)
    y = np.einsum("ngcijpq,gocpq->ngoij", windows_of(parts, (3, 3)), K)
    return np.sum(np.tanh(y.reshape(N, 2 * K.shape[1], Y - 2, X - 2)))


def depthwise_convolution(x: "N C Y X", K: "C 3 3") -> Any:
    return np.sum(np.tanh(np.einsum("ncijpq,cpq->ncij", windows_of(x, (3, 3)), K)))


def convolution_in_time(x: "N C T", K: "O C 4", b: "O") -> Any:
    strided = windows_of(np.pad(x, ((0, 0), (0, 0), (2, 1))), (4,))[:, :, ::3]
    return np.sum(np.tanh(np.einsum("nctk,ock->not", strided, K) + b[:, None]))


def convolution_in_space(x: "N C Z Y X", K: "O C 2 2 2") -> Any:
    return np.sum(np.tanh(np.einsum("nczyxpqr,ocpqr->nozyx", windows_of(x, (2, 2, 2)), K)))


def written_out(x: "N Y", k: "3") -> Any:
    Y = x.shape[1]
    y = sum(k[p] * x[:, p:p + Y - 2] for p in range(3))
    return np.sum(np.tanh(y))


def largest_of_blocks(x: "N C Y X") -> Any:
    blocks = windows_of(x, (2, 2))[:, :, ::2, ::2]
    return np.sum(np.tanh(blocks.max(axis=(4, 5))))


def largest_of_windows(x: "N C Y X") -> Any:
    return np.sum(np.tanh(windows_of(x, (3, 3))[:, :, ::2, ::2].max(axis=(4, 5))))


def mean_of_windows(x: "N C Y X") -> Any:
    return np.sum(np.tanh(windows_of(x, (3, 3))[:, :, ::2, ::2].mean(axis=(4, 5))))


IMAGE = {"N": 2, "C": 3, "Y": 7, "X": 6, "O": 2}
WINDOWED = {f.__name__: Case(f, sizes, holds) for f, sizes, holds in [
    (plain_convolution, IMAGE, ("np.tensordot(", "dx[:, :, p:p + Y - 2, q:q + X - 1] +=")),
    (padded_convolution, IMAGE, ("dpadded[:, :, q:q + Y, r:r + X] +=",)),
    (strided_convolution, IMAGE, ("::2, ::2]",)),
    (dilated_convolution, IMAGE, ("np.tensordot(", "] +=")),
    (grouped_convolution, {"N": 2, "C": 2, "Y": 5, "X": 6, "O": 3}, (" @ ",)),
    (depthwise_convolution, IMAGE, ()),
    (convolution_in_time, {"N": 2, "C": 3, "T": 8, "O": 2}, ("np.tensordot(",)),
    (convolution_in_space, {"N": 2, "C": 2, "Z": 3, "Y": 4, "X": 3, "O": 2}, ()),
    (written_out, {"N": 2, "Y": 6}, ()),
    (largest_of_blocks, IMAGE, (
        ".reshape(", "np.maximum(x_max_blocks[:, :, :, 0], x_max_blocks[:, :, :, 1])")),
    (largest_of_windows, IMAGE, ()),
    (mean_of_windows, IMAGE, ()),
]}
