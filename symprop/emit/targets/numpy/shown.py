"""Sizes read from the shapes of arrays that are at hand.

In: arrays, the sizes that some statements need. Out: statements that read them, and the sizes that
no shape shows.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence

from symprop.algebra.expr import Expr, Size
from symprop.emit.targets.numpy.names import Names
from symprop.syntax.tree import packed, state
from symprop.system import System


def size_rows(
    arrays: Iterable[str], needed: Sequence[str], system: System, names: Names
) -> tuple[list[ast.stmt], tuple[str, ...]]:
    """N, D = X.shape where all are needed, else N = X.shape[0]; and the sizes left over."""
    found: list[ast.stmt] = []
    known: set[str] = set()
    for name in arrays:
        if name in system.constants:
            continue
        array = names.arrays[name]
        axes = [_size_name(s) for s in system.arrays[name].shape]
        if len(set(axes)) == len(axes) > 1 and not known & set(axes) and (
            set(axes) <= set(needed)
        ):
            known.update(axes)
            found.append(state("{sizes} = {x}.shape", x=array,
                               sizes=packed(names.sizes[s] for s in axes)))
            continue
        for axis, size in enumerate(axes):
            if size in needed and size not in known:
                known.add(size)
                found.append(state("{y} = {x}.shape[{axis}]", y=names.sizes[size], x=array,
                                   axis=axis))
    return found, tuple(s for s in needed if s not in known)


def _size_name(size: Expr) -> str:
    atom = size.single_atom
    return atom.name if isinstance(atom, Size) else ""
