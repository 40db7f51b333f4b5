"""All operations, imported for the tables that they fill.

In: nothing. Out: `registry`'s tables, complete.
"""

from symprop.trace import (
    arithmetic,
    booleans,
    contractions,
    creation,
    indexing_ops,
    reductions,
    shaping,
    views,
)

__all__ = [
    "arithmetic", "booleans", "contractions", "creation", "indexing_ops", "reductions",
    "shaping", "views",
]
