"""Scalar functions: each is one row, and everything about it is there.

In: nothing. Out: the registry of rows with what ships registered, and all that works on rows.
Other modules import this one only: `from symprop.algebra import rows`.
"""

from symprop.algebra import (
    rows_activations,
    rows_elementary,
    rows_gamma,
    rows_piecewise,
    rows_special,
)
from symprop.algebra.rows_guards import guards
from symprop.algebra.rows_numpy import (
    helper_source,
    helpers_in,
    module_text,
    numpy_from_definition,
    numpy_of,
    numpy_template,
)
from symprop.algebra.rows_registry import (
    RowFunction,
    add_family,
    applied,
    derivative_of_definition,
    from_native,
    get,
    names,
    override,
    partial,
    reference,
    register,
    registered,
    registry,
    to_native,
    without_spellings,
)
from symprop.algebra.rows_row import EVERYWHERE, VALUE, Row, X, x, y, z

__all__ = [
    "EVERYWHERE", "VALUE", "Row", "RowFunction", "X", "applied", "derivative_of_definition",
    "from_native", "get", "guards", "helper_source", "helpers_in",
    "module_text", "names", "numpy_from_definition", "numpy_of", "numpy_template", "override",
    "partial", "reference", "register", "registered", "registry", "to_native", "without_spellings",
    "x", "y", "z",
]

add_family(rows_gamma.POLYGAMMA)
for _family in (rows_elementary, rows_piecewise, rows_activations, rows_special, rows_gamma):
    for _row in _family.ROWS:
        register(_row)
