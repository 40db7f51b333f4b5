"""JAX's spelling of the operations in which it differs from NumPy.

In: NumPy's table. Out: `JAX`. An array is not written into: another takes its name.
"""

from __future__ import annotations

from dataclasses import replace

from symprop.emit.targets.numpy.table import NUMPY

_OTHER = {
    "windows": "sliding_window_view({x}, {widths}, axis={axes})",
    "saved": "{x}",  # a plain tuple is a tree of arrays, which jit can return
    "scalar": "np.asarray({x}, {dtype})",
    "whole values": "np.asarray({values})",
    "set": "{array} = {array}.at[{at}].set({value})",
    "add": "{array} = {array}.at[{at}].add({value})",
    "subtract": "{array} = {array}.at[{at}].add(-{value})",
    "add at": "{array} = {array}.at[{at}].add({value})",
    "subtract at": "{array} = {array}.at[{at}].add(-{value})",
}
JAX = replace(NUMPY, name="jax", template="module_jax.py.jinja", table={
    **{key: text for key, text in NUMPY.table.items() if key != "quiet"}, **_OTHER})
