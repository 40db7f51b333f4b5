"""The traced array: a view of an equation, an input or an index expression.

In: NumPy's protocols (NEP 13 and NEP 18), operators, methods and attributes. Out: what the
tables of `registry` say. `axes` are the formal indices and `body` the entry at them; a
transpose or a slice is another body over other axes, and no equation. An axis of size 1 has an
index that occurs nowhere. A write gives the array another body, for all names that hold it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any, NoReturn

import numpy as np

from symprop.algebra.build import ONE, ZERO, idx, substitute
from symprop.algebra.expr import Access, Expr, Index, Size, accesses, atoms
from symprop.errors import SympropError, TraceError, UnsupportedError
from symprop.trace.context import located
from symprop.trace.registry import FUNCTIONS, LAYERS, METHODS, PROPERTIES, REFUSED, UFUNCS
from symprop.trace.sizes import as_size, uncounted
from symprop.trace.text import shape_text, size_text
from symprop.trace.tracer import PROVISIONAL, Draft, Tracer

_DTYPES = {"float": np.dtype(np.float64), "int": np.dtype(np.int64), "bool": np.dtype(bool)}
_OF_TORCH = {  # methods of its tensors that no array has
    "t": "x.T", "permute": "x.transpose(0, 2, 1)", "unsqueeze": "x[:, None]", "numel": "x.size",
    "expand": "np.broadcast_to", "pow": "x**2", "matmul": "x @ y", "mm": "x @ y", "bmm": "x @ y",
    "cat": "np.concatenate", "contiguous": "x itself",
    "exp": "np.exp", "log": "np.log", "sqrt": "np.sqrt", "abs": "np.abs", "sin": "np.sin",
    "cos": "np.cos", "masked_fill": "np.where", "gather": "np.take_along_axis", "chunk": "np.split",
}
_AS_ARRAY = (
    "a traced array has no numbers, so it cannot become a plain one: np.array, np.asarray, "
    "item assignment into a plain array, and indexing a plain array with it all need numbers; "
    "use np.stack or np.concatenate to join arrays, np.take(table, y, axis=0) to look up, "
    "np.where to write at places"
)


class MissingAttribute(UnsupportedError, AttributeError):
    """An attribute of ndarray that a traced array does not have."""


class Traced:
    """An array of a trace. Never made by users: `trace` hands it to their function."""

    __slots__ = ("__weakref__", "axes", "body", "is_input", "kind", "pieces", "tracer")
    __array_priority__ = 2000

    def __init__(self, tracer: Tracer, axes: Sequence[Index], body: Expr, kind: str) -> None:
        self.tracer = tracer
        self.is_input = False  # the caller's array, which may not be written into
        self.pieces = False  # its body is what was written into it so far, and no equation yet
        self.axes = tuple(axes)
        self.body = ZERO if any(a.size.is_zero for a in self.axes) else body  # no entries
        self.kind = kind

    # ---- what symprop's own code asks

    @property
    def sizes(self) -> tuple[Expr, ...]:
        """The size of every axis, as an expression."""
        return tuple(a.size for a in self.axes)

    @property
    def size_body(self) -> Expr | None:
        """The body of an integer scalar made of sizes alone, which can serve as a size."""
        if self.axes or self.kind != "int" or not all(
            isinstance(a, Size) or a.children for a in atoms(self.body)
        ) or any(True for _ in accesses(self.body)):
            return None
        return self.body

    def at(self, positions: Sequence[Expr]) -> Expr:
        """The entry at `positions`."""
        pairs = zip(self.axes, positions, strict=True)
        return substitute(self.body, {a: p for a, p in pairs if a.size != ONE})

    def aligned(self, axes: Sequence[Index]) -> Expr:
        """The entry over `axes`, to which this array broadcasts."""
        own = axes[len(axes) - len(self.axes):]
        return self.at([idx(a) for a in own])

    def view(self, axes: Sequence[Index] = (), positions: Sequence[Expr] | None = None) -> Traced:
        """The array over `axes` whose entry is this array's entry at `positions`."""
        if positions is None:  # ndarray.view, which the user's code calls
            return METHODS["view"](self, *((axes,) if axes else ()))  # type: ignore[no-any-return]
        return Traced(self.tracer, axes, self.at(positions), self.kind)

    @property
    def draft(self) -> Draft | None:
        """The equation of which this is a view; None for inputs, constants and others."""
        atom = self.body.single_atom
        return self.tracer.drafts.get(atom.array) if isinstance(atom, Access) else None

    def described(self) -> str:
        """The array as a message calls it: its name, if it has one, and its shape."""
        atom = self.body.single_atom
        name = atom.array if isinstance(atom, Access) else ""
        if self.draft is not None:
            name = self.draft.name or self.draft.local or ""
        if not name or name.startswith(PROVISIONAL):
            name = "an array"
        return f"{name} of shape {shape_text(self.sizes)}"

    # ---- NumPy's protocols

    def __array_ufunc__(self, ufunc: np.ufunc, call: str, *inputs: Any, **options: Any) -> Any:
        return called_ufunc(ufunc, call, inputs, options)

    def __array_function__(self, func: Any, types: Any, args: Any, options: Any) -> Any:
        return called_function(func, args, options)

    def __array__(self, *args: Any, **options: Any) -> NoReturn:
        raise located(TraceError, _AS_ARRAY)

    def __getattr__(self, name: str) -> Any:
        if name in PROPERTIES:
            return PROPERTIES[name](settled(self))
        if name in METHODS:
            return partial(METHODS[name], settled(self))
        if name == "__array_interface__" and sys._getframe(1).f_code.co_name == "as_strided":
            raise located(MissingAttribute, (
                "np.lib.stride_tricks.as_strided cannot be traced: a traced array has no memory; "
                "use slices or sliding_window_view"))
        if name.startswith("_"):
            raise AttributeError(f"a traced array has no attribute {name!r}")
        if hasattr(np.ndarray, name):
            raise located(MissingAttribute, _refusal(
                f"the ndarray attribute .{name}", f"ndarray.{name}", name))
        ours = LAYERS.get(name) or _OF_TORCH.get(name)
        raise located(MissingAttribute, (
            f"an array has no attribute {name!r}" + (f": use {ours}" if ours else "")))

    def __setattr__(self, name: str, value: Any) -> None:
        if name not in Traced.__slots__:
            raise located(TraceError, f"setting .{name} changes a traced array in place")
        object.__setattr__(self, name, value)

    # ---- shape

    @property
    def shape(self) -> tuple[Any, ...]:
        """The sizes of the axes: ints for axes given as numbers, else symbolic sizes."""
        return tuple(as_size(s) for s in self.sizes)

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.axes)

    @property
    def size(self) -> Any:
        """The number of entries."""
        total: Any = 1
        for size in self.shape:
            total = total * size
        return total

    @property
    def dtype(self) -> np.dtype[Any]:
        """The kind of number, as NumPy's widest type of it."""
        return _DTYPES[self.kind]

    def __len__(self) -> int:
        if not self.axes:
            raise located(TraceError, "len() of a scalar")
        return self._count("len() of the axis {} is not known while tracing: use .shape[0], "
                           "which may stand in arithmetic and in shapes")

    def _count(self, refusal: str) -> int:
        """The number of entries along the first axis, for Python to count by."""
        size, turns = self.sizes[0], self.tracer.turns
        count = size.number if turns is None else turns.value(size)
        if count is None:
            raise uncounted(refusal.format(size_text(size)), size)
        return int(count)

    def __iter__(self) -> Iterator[Any]:
        if not self.axes:
            raise located(TraceError, "iteration over a scalar")
        return self._rows(1)

    def __reversed__(self) -> Iterator[Any]:
        return self._rows(-1)

    def _rows(self, step: int) -> Iterator[Any]:
        count = self._count("a loop over the axis {} cannot be traced: use whole-array NumPy or "
                            "symprop.scan, or declare the axis as a number")
        places, turns = range(count)[::step], self.tracer.turns
        if turns is None or self.sizes[0].number is not None:
            return (self[k] for k in places)
        return turns.over(self.sizes[:1], count, lambda k: self[places[k]])

    def __getitem__(self, key: Any) -> Any:
        return METHODS["__getitem__"](self, key)

    def __setitem__(self, key: Any, value: Any) -> None:
        METHODS["__setitem__"](self, key, value)

    # ---- what would make a number of it

    def __bool__(self) -> NoReturn:
        raise located(TraceError, (
            "a branch that depends on the numbers in an array cannot be traced (if, while, and, "
            "or, not, max(), chained comparisons): use np.where, np.maximum, np.logical_and"))

    def __float__(self) -> NoReturn:
        raise located(TraceError, (
            "a traced array cannot become a number: use NumPy's functions in place of float(), "
            "int(), round() and the module math"))

    def __index__(self) -> NoReturn:
        raise located(TraceError, (
            "a traced array cannot become a number that counts or indexes: use "
            "np.take(table, y, axis=0) to look up in a plain array"))

    __int__ = __complex__ = __round__ = __trunc__ = __floor__ = __ceil__ = __float__

    def __format__(self, spec: str) -> str:
        return format(repr(self), spec if not spec or spec[-1] == "s" else "")

    def __repr__(self) -> str:
        return f"<traced {self.described()}>"

    def __copy__(self) -> Traced:
        return METHODS["copy"](self)  # type: ignore[no-any-return]

    def __deepcopy__(self, memo: Any) -> Traced:
        return METHODS["copy"](self)  # type: ignore[no-any-return]

    def __reduce__(self) -> NoReturn:
        raise located(TraceError, "a traced array cannot be pickled")

    def __contains__(self, value: object) -> NoReturn:
        self.__bool__()

    __hash__ = object.__hash__


def settled(array: Traced) -> Traced:
    """The array, whose pieces have become an equation."""
    if array.pieces:
        array.body, _ = array.tracer.define(array.body, array.axes, array.kind, "stack")
        array.pieces = False
    return array


# ---- what NumPy's functions mean ------------------------------------------------------------


def called_ufunc(ufunc: np.ufunc, call: str, inputs: Any, options: dict[str, Any]) -> Any:
    """A ufunc, or one of its methods, of arrays of which one is traced, or is to become so."""
    name = ufunc.__name__
    out = [value for value in options.pop("out", ()) if value is not None]
    key = name if call == "__call__" else f"{name}.{call}"
    if call == "outer" and key not in UFUNCS:
        key, inputs = name, _spread(*inputs)
    handler = UFUNCS.get(key)
    if handler is None:
        shown = name if call == "__call__" else f"{name}.{call}"
        module = "np" if hasattr(np, name) else "scipy.special"
        raise located(UnsupportedError, _refusal(f"{module}.{shown}", shown, call))
    return _put(out, handler(*inputs, **options), name)


def called_function(func: Any, args: Any, options: dict[str, Any]) -> Any:
    """One of NumPy's functions, of arguments in which an array is traced."""
    handler = FUNCTIONS.get(func)
    name = getattr(func, "__name__", str(func))
    shown = f"{getattr(func, '__module__', None) or 'numpy'}.{name}".replace("numpy", "np", 1)
    if handler is None:
        raise located(UnsupportedError, _refusal(shown, shown.removeprefix("np."), name))
    out = options.pop("out", None)
    try:
        return _put([] if out is None else [out], handler(*args, **options), name)
    except TypeError as error:
        if isinstance(error, SympropError):
            raise
        raise located(UnsupportedError, f"{shown} is not traced with these arguments "
                                        f"({error})") from error


def _put(out: Sequence[Any], result: Any, name: str) -> Any:
    """What a function gives, in the array that out= names (+= names one too)."""
    if not out:
        return result
    if len(out) > 1:
        raise located(TraceError, f"np.{name} is traced with one array as out=")
    return METHODS["__become__"](out[0], result)


def _spread(left: Any, right: Any) -> tuple[Any, Any]:
    """Two operands of ufunc.outer with axes that broadcast against each other."""
    left = left if isinstance(left, Traced) else np.asarray(left)
    return left[(..., *[None] * np.ndim(right))], right


def _refusal(shown: str, *names: str) -> str:
    """Why an operation is refused: the reason of the first of its names that has one."""
    reasons = [REFUSED[name] for name in names if name in REFUSED]
    reason = reasons[0] if reasons else "symprop has no definition for it"
    return f"{shown} cannot be traced: {reason}"


# ---- operators ----------------------------------------------------------------------------


def _operator(name: str, swapped: bool = False) -> Any:
    def apply(self: Traced, other: object) -> Any:
        if not _is_operand(other):
            return NotImplemented
        return _called(name, other, self) if swapped else _called(name, self, other)

    return apply


def _called(name: str, *operands: object) -> Any:
    handler = UFUNCS.get(name)
    if handler is None:
        raise located(UnsupportedError, _refusal(f"np.{name}", name))
    return handler(*operands)


def _is_operand(value: object) -> bool:
    plain = (int, float, complex, list, tuple, np.ndarray, np.generic, Traced)
    return isinstance(value, plain) or hasattr(value, "__array_ufunc__")


def _unary(name: str) -> Any:
    def apply(self: Traced) -> Any:
        return _called(name, self)

    return apply


def _in_place(name: str) -> Any:
    def apply(self: Traced, other: object) -> Any:
        if not _is_operand(other):
            return NotImplemented
        return METHODS["__become__"](self, _called(name, self, other))

    return apply


_BINARY = {
    "add": "add", "sub": "subtract", "mul": "multiply", "truediv": "divide",
    "floordiv": "floor_divide", "mod": "remainder", "pow": "power", "matmul": "matmul",
    "and": "bitwise_and", "or": "bitwise_or", "xor": "bitwise_xor", "lshift": "left_shift",
    "rshift": "right_shift", "divmod": "divmod",
}
_COMPARISONS = {"eq": "equal", "ne": "not_equal", "lt": "less", "le": "less_equal",
                "gt": "greater", "ge": "greater_equal"}
_UNARY = {"neg": "negative", "pos": "positive", "abs": "absolute", "invert": "invert"}

for _name, _ufunc in _BINARY.items():
    setattr(Traced, f"__{_name}__", _operator(_ufunc))
    setattr(Traced, f"__r{_name}__", _operator(_ufunc, swapped=True))
    if _name != "divmod":
        setattr(Traced, f"__i{_name}__", _in_place(_ufunc))
for _name, _ufunc in _COMPARISONS.items():
    setattr(Traced, f"__{_name}__", _operator(_ufunc))
for _name, _ufunc in _UNARY.items():
    setattr(Traced, f"__{_name}__", _unary(_ufunc))
