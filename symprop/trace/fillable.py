"""Plain arrays made while a trace runs, which traced entries may be written into.

In: what np.zeros, np.ones, np.eye and their kin give, and what is calculated from it in numbers.
Out: the same numbers, as an array that can be indexed by a traced array, and that becomes traced
itself when the first traced entry is written into it:

    out = np.zeros((3, 4))      numbers
    out[0] = np.tanh(x)         from here on [i = 0] tanh x[j], for every name that holds it

Beside its numbers such an array remembers what it is made of, so that a mask of a long axis need
not be written out: t[:, None] >= t[None, :] is [j <= i] (`meant`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NoReturn

import numpy as np

from symprop.errors import SympropError, TraceError
from symprop.trace.context import located
from symprop.trace.registry import METHODS, NAMED
from symprop.trace.sizes import SymbolicSize
from symprop.trace.tensor import Traced, called_function, called_ufunc

Plain = np.ndarray[Any, Any]
_OWN = {"held", "owner", "outer", "writable", "numbers", "base", "view", "dtype", "shape", "ndim",
        "size", "made", "memory", "meaning"}
Maker = Callable[[], Any]


def is_symbolic(value: Any) -> bool:
    """Whether an argument holds a symbolic size or a traced array."""
    if isinstance(value, SymbolicSize | Traced):
        return True
    if isinstance(value, Fillable):
        return value.held is not None
    if isinstance(value, tuple | list):
        return any(is_symbolic(v) for v in value)
    return isinstance(value, slice) and any(
        is_symbolic(v) for v in (value.start, value.stop, value.step))


class Fillable(np.ndarray):
    """A plain array, or the traced one that it has become."""

    held: Traced | None
    owner: bool  # of its memory: a part of another array cannot become traced by itself
    outer: bool  # it was there before the function was called
    made: tuple[int, Maker] | None  # how a trace makes it, and after how many writes
    memory: list[int]  # the number of writes so far, to all arrays that share the memory

    def __array_finalize__(self, source: Any) -> None:
        self.held = None
        self.owner = False
        self.outer = False
        self.made = None
        self.memory = source.memory if isinstance(source, Fillable) else [0]

    @property
    def meaning(self) -> Maker | None:
        """How a trace makes these numbers; None where that is not known."""
        return self.made[1] if self.made is not None and self.made[0] == self.memory[0] else None

    def __getattribute__(self, name: str) -> Any:
        own = object.__getattribute__
        if name in _OWN or name.startswith("__") or own(self, "held") is None:
            return own(self, name)
        return getattr(own(self, "held"), name)

    def numbers(self) -> Plain:
        """The same memory as an ordinary array."""
        return self.view(np.ndarray)

    def writable(self) -> Traced:
        """The traced array that this one is from now on."""
        if self.held is None:
            if self.outer:
                raise located(TraceError, (
                    "a traced value is written into an array from outside of the function, which "
                    "would stay changed: write into a copy, x = x.copy(), or make the array in "
                    "the function"))
            if not self.owner and self.base is not None:
                raise located(TraceError, (
                    "a traced value is written into a part of a plain array, taken from it "
                    "before: write into the array itself, as in x[i, j] = value"))
            self.held = METHODS["copy"](NAMED["asarray"](self))
        assert self.held is not None
        return self.held

    # ---- NumPy's protocols

    def __array_ufunc__(self, ufunc: np.ufunc, method: Any, *inputs: Any, **options: Any) -> Any:
        out = options.get("out") or ()
        if is_symbolic([*inputs, *out]):
            return called_ufunc(ufunc, method, inputs, options)
        if out:
            options["out"] = tuple(map(_numbers, out))
        result = getattr(ufunc, method)(*map(_numbers, inputs), **options)
        if out:
            _written(out)
            return out[0] if len(out) == 1 else out
        return meaning(fillable(result), lambda *i: called_ufunc(ufunc, method, i, dict(options)),
                       inputs)

    def __array_function__(self, func: Any, types: Any, args: Any, options: Any) -> Any:
        if is_symbolic([*args, *options.values()]):
            return called_function(func, args, options)
        result = super().__array_function__(func, types, args, options)
        if result is None:
            _written(args)
        return meaning(fillable(result, *args), lambda *a: called_function(func, a, dict(options)),
                       args)

    # ---- what Python asks of the type

    def __getitem__(self, key: Any) -> Any:
        if self.held is not None:  # a part, which need not make an equation of the whole
            return METHODS["__getitem__"](self.held, key)
        if is_symbolic(key):
            return METHODS["__getitem__"](NAMED["asarray"](self), key)
        return meaning(super().__getitem__(key), lambda a: METHODS["__getitem__"](a, key), (self,))

    def __setitem__(self, key: Any, value: Any) -> None:
        if self.held is not None or is_symbolic(key) or is_symbolic(value):
            self.writable()[key] = value
        else:
            before = self.meaning
            super().__setitem__(key, value)
            _written((self,))
            if before is not None:
                meaning(self, lambda a, v: _with(a, key, v), (before, value))

    def __iter__(self) -> Iterator[Any]:
        return super().__iter__() if self.held is None else iter(self.held)

    def __bool__(self) -> bool:
        return super().__bool__() if self.held is None else bool(self.held)

    def __float__(self) -> float:
        return super().__float__() if self.held is None else float(self.held)

    def __int__(self) -> int:
        return super().__int__() if self.held is None else int(self.held)

    def __index__(self) -> int:
        return super().__index__() if self.held is None else self.held.__index__()

    def __contains__(self, value: object) -> bool:
        return super().__contains__(value) if self.held is None else value in self.held

    def __copy__(self) -> Any:
        return super().__copy__() if self.held is None else METHODS["copy"](self.held)

    def __deepcopy__(self, memo: Any) -> Any:
        return super().__deepcopy__(memo) if self.held is None else METHODS["copy"](self.held)

    def __reduce__(self) -> NoReturn:
        raise located(TraceError, "an array of a trace cannot be pickled")

    def __repr__(self) -> str:
        return repr(self.numbers() if self.held is None else self.held)

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return format(self.numbers() if self.held is None else self.held, spec)


def meaning(made: Any, make: Callable[..., Any], inputs: Sequence[Any]) -> Any:
    """An array that knows how a trace makes it: `make` of its inputs, where these know it too.

    An array among the inputs is one of ours, or else nothing is known of the result.
    """
    if isinstance(made, tuple | list) and not hasattr(made, "_fields"):
        for k, part in enumerate(made):
            meaning(part, lambda *i, k=k: make(*i)[k], inputs)
        return made
    if not isinstance(made, Fillable):
        return made
    makers = [_maker(i) for i in inputs]
    if all(m is not None for m in makers):
        made.made = made.memory[0], lambda: make(*(m() for m in makers if m is not None))
    return made


def _maker(value: Any) -> Maker | None:
    if isinstance(value, Fillable):
        return value.meaning
    if callable(value) and not isinstance(value, type):
        return value  # type: ignore[no-any-return]
    return None if isinstance(value, np.ndarray | list) else lambda: value


def meant(value: Any) -> Traced | None:
    """A plain array as a trace makes it; None where that is not known, or refused."""
    maker = value.meaning if isinstance(value, Fillable) else None
    try:
        found = None if maker is None else maker()
    except SympropError:
        return None
    if not isinstance(found, Traced) or [s.number for s in found.sizes] != list(value.shape):
        return None
    return found


def _with(array: Traced, key: Any, value: Any) -> Traced:
    """An array into which a value is written."""
    array = METHODS["copy"](array)
    METHODS["__setitem__"](array, key, value)
    return array


def _written(arrays: Iterable[Any]) -> None:
    for array in arrays:
        if isinstance(array, Fillable):
            array.memory[0] += 1


def _method(name: str) -> Any:
    plain = getattr(np.ndarray, name)

    def call(self: Fillable, *args: Any, **options: Any) -> Any:
        result = plain(self, *args, **options)
        if isinstance(result, Fillable):
            result.memory = self.memory if np.may_share_memory(self, result) else [0]
        return meaning(result, lambda a: METHODS[name](a, *args, **options), (self,))

    return call


for _name in ("reshape", "astype", "copy", "transpose", "ravel", "flatten", "swapaxes", "repeat"):
    setattr(Fillable, _name, _method(_name))


def fillable(result: Any, *sources: Any) -> Any:
    """A plain array as one that can be written into; it owns its memory if no source shares it."""
    if isinstance(result, tuple) and not hasattr(result, "_fields"):
        return tuple(fillable(part, *sources) for part in result)
    if type(result) not in (np.ndarray, Fillable) or any(result is s for s in sources):
        return result
    known = result.made if isinstance(result, Fillable) else None
    made = result.view(Fillable)
    made.made = known
    made.owner = not any(
        isinstance(s, np.ndarray) and np.may_share_memory(s, result) for s in sources)
    return made


def traced_part(value: object) -> Traced | None:
    """The traced array that a variable of the user's holds, or has become."""
    if isinstance(value, Fillable):
        return value.held
    return value if isinstance(value, Traced) else None


def _numbers(value: Any) -> Any:
    return value.numbers() if isinstance(value, Fillable) else value
