"""Determinants by their definition: expansion along the rows.

In: a stack of square matrices over its last two axes. Out: their determinants; what rounding
errors of them are measured by. Of the minors each is worked out once: there is one for every set
of columns, so that no matrix may have more than a dozen; a larger one is eliminated.
"""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from symprop.algebra import expansion
from symprop.interpret.functions import value_of

Array = np.ndarray[Any, Any]

SINGULAR = 1e12  # the condition of a matrix that is singular but for rounding
_FEW = 9  # columns


def determinant(matrix: Array) -> Array:
    """The determinants over the last two axes."""
    size = matrix.shape[-1]
    if size > _FEW and expansion.term() == expansion.TERM:
        return np.asarray(np.linalg.det(matrix))
    term = expansion.term()
    minors: dict[tuple[int, ...], Any] = {(): np.ones(matrix.shape[:-2], matrix.dtype)}
    for count in range(1, size + 1):  # the last `count` rows, in these columns
        row = matrix[..., size - count, :]
        minors = {
            columns: sum(
                value_of(term, (row[..., c], minors[columns[:k] + columns[k + 1:]], k % 2))
                for k, c in enumerate(columns))
            for columns in itertools.combinations(range(size), count)}
    return np.asarray(minors[tuple(range(size))])


def bound(matrix: Array) -> Array:
    """The product of the lengths of the rows; at most the determinant times the condition."""
    lengths = np.prod(np.sqrt(np.sum(np.abs(matrix) ** 2, axis=-1)), axis=-1)
    number = condition(matrix)
    usual = np.fmin(lengths, np.abs(determinant(matrix)) * number)
    return np.asarray(np.where(number > SINGULAR, lengths, usual))


def condition(matrix: Array) -> Array:
    """The condition numbers."""
    finite = np.where(np.isfinite(matrix), matrix, 0)
    return np.asarray(np.linalg.cond(finite.astype(np.promote_types(matrix.dtype, float))))
