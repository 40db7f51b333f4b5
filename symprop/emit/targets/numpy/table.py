"""NumPy's spelling of every operation.

In: nothing. Out: `NUMPY`. A scalar function has its spelling in its row (symprop.algebra.rows).
"""

from __future__ import annotations

from symprop.emit.targets.target import Target

ADD_AT = "add_at"  # the helper of the fast style

NUMPY = Target("numpy", "module.py.jinja", {
    # arrays that are made
    "infinity": "np.inf",
    "pi": "np.pi",
    "positions": "np.arange({count})",
    "numbers": "np.arange({count}, dtype={dtype})",
    "zeros": "np.zeros({shape}, {dtype})",
    "empty": "np.empty({shape}, {dtype})",
    "full": "np.full({shape}, {x}, {dtype})",
    "identity": "np.eye({size}, dtype={dtype})",
    # views and copies
    "copy": "{x}.copy()",
    "broadcast": "np.broadcast_to({x}, {shape}).copy()",
    "pad": "np.pad({x}, {pads})",
    "clip": "np.clip({x}, 0, {top})",
    "entries": "{x}.size",
    "windows": "np.lib.stride_tricks.sliding_window_view({x}, {widths}, axis={axes})",
    "reshape": "{x}.reshape({sizes})",
    "unit": "np.reshape({x}, {shape})",
    "matrix transpose": "{x}.T",
    "transpose": "{x}.transpose({order})",
    "repeat": "np.repeat({x}, {count}, axis={axis})",
    "tile": "np.tile({x}, {count})",
    "flip": "np.flip({x}, {axis})",
    # dtypes
    "cast": "{x}.astype({dtype})",
    "scalar": "{dtype}.type({x})",
    "common dtype": "np.result_type({x})",
    "default dtype": "np.dtype(float)",
    "dtypes": "[np.result_type(p) for p in {x}]",
    "saved": "Saved({x})",
    "whole values": "{values}",
    "values": "np.asarray({values}, np.result_type({x}))",
    # functions
    "root": "np.sqrt({x})",
    "square": "np.square({x})",
    "choice": "np.where({test}, {yes}, {no})",
    "sum": "np.sum({x})",
    "max": "np.max({x})",
    "min": "np.min({x})",
    "running sum": "np.cumsum({x}, axis={axis})",
    "tensordot": "np.tensordot({x}, {y}, axes={axes})",
    "vdot": "np.vdot({x}, {y})",
    "einsum": "np.einsum({places}, {operands})",
    "long einsum": "np.einsum({places}, {operands}, optimize=True)",
    "inverse": "np.linalg.inv({x})",
    "solve": "np.linalg.solve({x}, {y})",
    # statements: `at` are the subscripts of an array; `where` those of `entry`, as a tuple
    "set": "{array}[{at}] = {value}",
    "add": "{array}[{at}] += {value}",
    "subtract": "{array}[{at}] -= {value}",
    "add at": "np.add.at({entry}, {where}, {value})",
    "subtract at": "np.subtract.at({entry}, {where}, {value})",
    "add by number": "add_at({entry}, {where}, {value})",
    "subtract by number": "add_at({entry}, {where}, {value}, np.subtract)",
    "quiet": 'with np.errstate(all="ignore"): pass',
})
