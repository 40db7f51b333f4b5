"""All operations, imported for the tables that they fill.

In: nothing. Out: `registry`'s tables, complete.
"""

from symprop.trace import (
    arithmetic,
    booleans,
    choices,
    compositions,
    contractions,
    creation,
    determinants,
    factorizations,
    implicit,
    indexing_ops,
    joining,
    norms,
    ordering,
    padding,
    products,
    reductions,
    refusals,
    rounding,
    scipy_functions,
    scipy_special,
    selected,
    shaping,
    splitting,
    views,
    writing,
)

__all__ = [
    "arithmetic", "booleans", "choices", "compositions", "contractions", "creation",
    "determinants", "factorizations", "implicit", "indexing_ops", "joining", "norms", "ordering",
    "padding", "products", "reductions", "refusals", "rounding", "scipy_functions",
    "scipy_special", "selected", "shaping", "splitting", "views", "writing",
]
