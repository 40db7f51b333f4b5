"""Connectionist temporal classification: the sum over all alignments, by a recursion in time.

In: log-probabilities of symbols (T, N, C) and label sequences. Out: minus the log of the total
probability. The forward recursion is a `symprop.scan`; its backward recursion is derived.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from symprop.nn.arguments import expect_rank, is_one
from symprop.nn.losses import reduced
from symprop.trace.scan import scan

_NEVER = -1e30  # the log of a probability that no sum notices, with finite differences


def ctc_loss(
    log_probs: Any, targets: Any, input_lengths: Any, target_lengths: Any, blank: int = 0,
    reduction: str = "mean", zero_infinity: bool = False,
) -> Any:
    """-log Σ over alignments of Π_t p[t, symbol], for every sequence of the batch.

    log_probs: (T, N, C), of a log-softmax. targets: integers (N, S), without blanks.
    input_lengths, target_lengths: integers (N,), up to T and S. A symbol may be repeated in
    time and blanks may stand anywhere; equal neighbours need one between them. reduction
    "mean" divides every loss by the length of its target first, as torch does. A target that
    fits into no alignment costs infinity, or 0 with `zero_infinity`.
    Raises ShapeError for other shapes. Source: Graves et al., ICML 2006, equations 6 to 8.

    >>> p = np.log(np.full((2, 1, 2), 0.5))
    >>> one = np.array([1])
    >>> float(ctc_loss(p, np.array([[1]]), one + 1, one).round(6))  # of 4 paths 3 are right
    0.287682
    """
    expect_rank(log_probs, (3,), "(T, N, C)", "ctc_loss: log_probs")
    expect_rank(targets, (2,), "(N, S)", "ctc_loss: targets")
    log_likelihood = _log_likelihood(log_probs, targets, input_lengths, target_lengths, blank)
    possible = log_likelihood > 0.5 * _NEVER
    loss = np.where(possible, -log_likelihood, 0.0 if zero_infinity else np.inf)
    if reduction == "mean":
        loss = loss / np.maximum(target_lengths, 1).astype(log_probs.dtype)
    return reduced(loss, reduction, "ctc_loss")


def _log_likelihood(
    log_probs: Any, targets: Any, input_lengths: Any, target_lengths: Any, blank: int
) -> Any:
    """The forward recursion over two kinds of states.

    after[n, k]: k labels are read and a blank was last. label[n, k]: label k was last.
    """
    steps, batch = np.shape(log_probs)[:2]
    labels = np.shape(targets)[1]
    silent = log_probs[:, :, blank, None]
    spoken = np.take_along_axis(log_probs, targets[None], axis=2)
    differs: Any = None if is_one(labels) else targets[:, 1:] != targets[:, :-1]
    time = np.arange(steps)
    start = np.where(np.arange(labels + 1) == 0, 0.0, _NEVER).astype(log_probs.dtype)
    after = np.broadcast_to(start, (batch, labels + 1))
    label = np.broadcast_to(start[1:], (batch, labels))

    def step(carry: Any, inputs: Any) -> tuple[Any, Any]:
        after, label = carry
        t, silent, spoken = inputs
        running = (t < input_lengths)[:, None]
        entered = np.logaddexp(label, after[:, :-1])
        if not is_one(labels):
            skipped = np.where(differs, label[:, :-1], _NEVER)
            entered = np.concatenate(
                (entered[:, :1], np.logaddexp(entered[:, 1:], skipped)), axis=1)
        rested = np.concatenate(
            (after[:, :1], np.logaddexp(after[:, 1:], label)), axis=1) + silent
        after = np.where(running, rested, after)
        label = np.where(running, entered + spoken, label)
        return (after, label), None

    (after, label), _ = scan(step, (after, label), (time, silent, spoken))
    ends = np.arange(labels + 1) == target_lengths[:, None]
    in_blank = np.sum(np.where(ends, after, 0.0), axis=1)
    in_label = np.sum(np.where(ends[:, 1:], label, 0.0), axis=1)
    return np.logaddexp(in_blank, np.where(target_lengths > 0, in_label, _NEVER))
