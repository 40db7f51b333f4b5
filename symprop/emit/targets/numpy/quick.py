"""One look at all arguments, in the fast style: what fits needs no reading one by one.

In: the arrays that come in, names in code. Out: statements that say whether all are arrays of one
dtype in the shapes of each other. Where they do not, each is read, and what is wrong is said.

    fits = type(X) is type(W) is np.ndarray and (X.ndim, W.ndim) == (2, 2)
    if fits:
        (N, D), (_, H) = X.shape, W.shape
        dtype = X.dtype
        dtypes = [dtype]
        fits = (
            W.dtype is dtype and dtype.kind == "f" and (X.shape, W.shape) == ((N, D), (D, H))
        )
    if not fits:
        X, (N, D) = read("X", X, "float", "N D", (None, None))
        ...
"""

from __future__ import annotations

import ast
from collections.abc import Sequence

from symprop.algebra.expr import Size, atoms
from symprop.emit.targets.numpy.layout import opened
from symprop.emit.targets.numpy.names import Names
from symprop.emit.targets.numpy.nodes import NumpyPrinter
from symprop.syntax.tree import literal, packed, quote, state, tree
from symprop.system import Array

_KINDS = {"int": "iu", "bool": "b"}


def at_once(
    inputs: Sequence[Array], wrt: Sequence[str], names: Names, printer: NumpyPrinter,
    reading: Sequence[ast.stmt],
) -> list[ast.stmt]:
    """Both ways through the door; nothing where an argument is a number or hides its sizes.

    reading: the statements that read one argument after the other, down to their dtype.
    """
    floats = [a for a in inputs if a.dtype not in _KINDS]
    sizes = {a.name for i in inputs for s in i.shape for a in atoms(s) if isinstance(a, Size)}
    if not floats or not all(a.shape for a in inputs):
        return []
    shown: set[str] = set()
    first: list[tuple[ast.expr, ast.expr]] = []
    for array in inputs:
        targets = []
        for item in array.shape:
            atom = item.single_atom
            new = isinstance(atom, Size) and atom.name not in shown
            targets.append(tree(names.sizes[atom.name]) if new else tree("_"))  # type: ignore[union-attr]
            shown |= {atom.name} if new else set()  # type: ignore[union-attr]
        if any(isinstance(t, ast.Name) and t.id != "_" for t in targets):
            first.append((packed(targets), _shape(array, names)))
    if shown != sizes:
        return []
    own = names.own
    dtype, fits = tree(own["dtype"]), own["fits"]
    lead, *others = floats
    tests = [_all("{x}.dtype", others, names, dtype)] if others else []
    tests.append(quote("{d}.kind == 'f'", d=dtype))
    tests += [quote("{x}.dtype.kind in {k}", x=names.arrays[a.name], k=literal(_KINDS[a.dtype]))
              for a in inputs if a.dtype in _KINDS]
    tests.append(_equal([_shape(a, names) for a in inputs],
                        [packed(printer.size(s) for s in a.shape) for a in inputs]))
    ranks = _equal([quote("{x}.ndim", x=names.arrays[a.name]) for a in inputs],
                   [tree(len(a.shape)) for a in inputs])
    arrays = _all("type({x})", inputs, names, quote("np.ndarray"))
    looked = [state("{y} = {x}", y=_one([t for t, _ in first]), x=_one([s for _, s in first]))] \
        if first else []
    looked += [state("{y} = {x}.dtype", y=dtype, x=names.arrays[lead.name]),
               state("{y} = [{d}] * {n}", y=own["dtypes"], d=dtype, n=len(wrt)),
               state("{y} = {x}", y=fits, x=ast.BoolOp(ast.And(), tests))]
    return [state("{y} = {x}", y=fits, x=ast.BoolOp(ast.And(), [arrays, ranks])),
            opened(state("if {x}: pass", x=fits), *looked),
            opened(state("if not {x}: pass", x=fits), *reading)]


def _one(items: Sequence[ast.expr]) -> ast.expr:
    return items[0] if len(items) == 1 else packed(items)


def _equal(found: Sequence[ast.expr], wanted: Sequence[ast.expr]) -> ast.expr:
    return ast.Compare(_one(found), [ast.Eq()], [_one(wanted)])


def _shape(array: Array, names: Names) -> ast.expr:
    return quote("{x}.shape", x=names.arrays[array.name])


def _all(spelling: str, arrays: Sequence[Array], names: Names, same: ast.expr) -> ast.expr:
    """Whether what is spelled is the same thing for all arrays."""
    first, *others = [quote(spelling, x=names.arrays[a.name]) for a in arrays]
    return ast.Compare(first, [ast.Is()] * len(arrays), [*others, same])
