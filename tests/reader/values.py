"""What a printed formula is worth.

A value is an array over index letters and then a matrix: a number is 1 x 1, a vector a column.
What lies outside an array is nan; what a condition multiplies by 0 is 0, even nan or infinite.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from reader.tokens import Unreadable
from reader.tree import (
    Call,
    Condition,
    Entry,
    Hadamard,
    Infinity,
    Name,
    Negative,
    Node,
    Norm,
    Number,
    Ones,
    Over,
    Partial,
    Power,
    Product,
    Quotient,
    Sum,
    Transposed,
    Whole,
)

MOST = 10_000_000  # entries of one part of a line


class TooLarge(Exception):
    """A line that is not evaluated, for its size."""


_ERF = np.vectorize(math.erf, otypes=[float])


def _sigmoid(z: Any) -> Any:
    return 1 / (1 + np.exp(-z))


def _phi(z: Any) -> Any:
    return np.exp(-z * z / 2) / math.sqrt(2 * math.pi)


def _Phi(z: Any) -> Any:
    if np.iscomplexobj(z):  # to first order in the imaginary part
        return (1 + _ERF(z.real / math.sqrt(2))) / 2 + 1j * z.imag * _phi(z.real)
    return (1 + _ERF(z / math.sqrt(2))) / 2


def _abs(z: Any) -> Any:
    return np.where(np.real(z) < 0, -z, z)


def _larger(a: Any, b: Any) -> Any:
    return np.where(np.real(a) >= np.real(b), a, b)


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "exp": np.exp, "log": np.log, "tanh": np.tanh, "sin": np.sin, "cos": np.cos, "abs": _abs,
    "σ": _sigmoid, "φ": _phi, "Φ": _Phi,
    "relu": lambda z: _larger(z, 0 * z), "silu": lambda z: z * _sigmoid(z),
    "softplus": lambda z: np.log(1 + np.exp(z)), "gelu": lambda z: z * _Phi(z),
    "gelu_tanh": lambda z: z / 2 * (1 + np.tanh(
        math.sqrt(2 / math.pi) * (z + 0.044715 * z**3))),
    "sign": lambda z: np.sign(np.real(z)),
    "floor": lambda z: np.floor(np.real(z)), "ceil": lambda z: np.ceil(np.real(z)),
    "max": _larger, "min": lambda a, b: -_larger(-a, -b), "mod": np.mod,
    "sqrt": np.sqrt,
}


@dataclass(frozen=True)
class Value:
    """`data` has one axis for each of `letters`, then the rows and the columns of a matrix.

    `mask` is True where the value is 0 because a condition does not hold.
    """

    letters: tuple[str, ...]
    data: Any
    mask: Any = False


_NONE: Mapping[str, int] = {}


class Reader:
    """Arrays and sizes by printed name, and the equations that define the arrays, as they stand.

    letters: how far the letter of an axis goes, as the header says. below: the bound of arrays of
    positions, as the facts say.

    >>> from reader.grammar import Grammar
    >>> from reader.tokens import tokens
    >>> reader = Reader({"x": np.ones(3)}, {"N": 3}, {}, {}, {})
    >>> reader.value(Grammar(tokens("2 Σ_n x[n]"), {"x"}).sum(), {}).data.item()
    6.0
    """

    def __init__(
        self, arrays: Mapping[str, Any], sizes: Mapping[str, int],
        defined: Mapping[str, tuple[Node, Node]], letters: Mapping[str, int],
        below: Mapping[str, int],
    ) -> None:
        self.arrays = {n: np.asarray(a) for n, a in arrays.items()}
        self.sizes, self.defined, self.letters, self.below = sizes, defined, letters, below
        self.adjoints: frozenset[str] = frozenset()  # what is 0 outside of its array
        self.from_one: frozenset[str] = frozenset()  # arrays whose first position counts from 1
        self.counted: Mapping[str, Sequence[int]] = {}  # the turns that a letter goes over
        self._columns: dict[tuple[str, str, tuple[int, ...]], Any] = {}

    def value(
        self, node: Node, ranges: Mapping[str, Any], ends: Mapping[str, int] = _NONE,
    ) -> Value:
        """`ranges` says of each free letter which values it takes, `ends` how many there are."""
        return _Line(self, dict(ranges), dict(ends)).value(node)

    def column(self, above: str, below: str, place: tuple[int, ...]) -> Any:
        """The derivative of every entry of one array, as it is defined, by one entry of another."""
        key = above, below, place
        if key not in self._columns:
            if above not in self.defined:
                raise Unreadable(f"{above} is differentiated, and not defined on the page")
            left, right = self.defined[above]
            moved = self.arrays[below].astype(complex)
            moved[place] += 1e-30j
            other = Reader({**self.arrays, below: moved}, self.sizes, {}, self.letters,
                           self.below)
            other.from_one, other.counted = self.from_one, self.counted
            shape = self.arrays[above].shape
            found = other.compared(left, right, shape, [np.arange(s) for s in shape])
            self._columns[key] = found.imag / 1e-30
        return self._columns[key]

    def compared(
        self, left: Node, right: Node, shape: tuple[int, ...], taken: Sequence[Any],
    ) -> Any:
        """What the line `left = right` says of entries, at the positions `taken` of each axis."""
        positions = left.positions if isinstance(left, Entry) else ()
        letters = [p.name if isinstance(p, Name) else "" for p in positions]
        ranges = {x: np.asarray(t) for x, t in zip(letters, taken, strict=False) if x}
        for letter, whole in zip(letters, shape, strict=False):
            one = letter == letters[0] and isinstance(left, Entry) and isinstance(
                left.of, Name) and left.of.name in self.from_one
            if self.letters.get(letter, whole - one) != whole - one:
                raise Unreadable(f"{letter} is the letter of another axis in the header")
        found = self.value(right, ranges, dict(zip(letters, shape, strict=False)))
        rest = tuple(len(t) for t in taken[len(letters):])
        if len(rest) > 2:
            raise Unreadable(f"{len(rest)} axes are left for a matrix")
        matrix = rest if len(rest) == 2 else (*rest, 1) if rest else (1, 1)
        own = tuple(x for x in letters if x)
        data = np.where(_aligned(found, own, "mask"), 0, _aligned(found, own))
        if data.shape[-2:] not in (matrix, (1, 1)):
            raise Unreadable(f"a matrix of {data.shape[-2:]} where {matrix} is wanted")
        out = tuple(len(ranges[x]) if x else 1 for x in letters)
        data = data.reshape([n if x else 1 for x, n in zip(letters, data.shape, strict=False)]
                            + list(data.shape[-2:])) if "" not in letters else data
        lead = tuple(len(ranges[x]) for x in own)
        return np.broadcast_to(data, (*lead, *matrix)).reshape(out + rest)


class _Line:
    """One formula under way: the letters that are known, and how far each goes."""

    def __init__(self, reader: Reader, ranges: dict[str, Any], ends: dict[str, int]) -> None:
        self.reader, self.ranges, self.ends = reader, ranges, ends

    def value(self, node: Node) -> Value:
        return self._of[type(node)](self, node)

    def number(self, node: Number) -> Value:
        return Value((), np.full((1, 1), float(node.value)))

    def name(self, node: Name) -> Value:
        if node.name in self.ranges:
            return Value((node.name,), _float(self.ranges[node.name][:, None, None]))
        if node.name in self.reader.arrays:
            return self.whole(node.name)
        if node.name == "π":
            return Value((), np.full((1, 1), math.pi))
        size = node.name.strip("|")
        if size in self.reader.sizes:
            return Value((), np.full((1, 1), float(self.reader.sizes[size])))
        raise Unreadable(f"nothing is called {node.name!r}")

    def whole(self, name: str) -> Value:
        array = self.reader.arrays[name]
        if array.ndim > 2:
            raise Unreadable(f"{name} has {array.ndim} axes and stands as a matrix")
        return Value((), _float(array.reshape(array.shape + (1,) * (2 - array.ndim))))

    def entry(self, node: Entry) -> Value:
        places = [self.value(p) for p in node.positions if not isinstance(p, Whole)]
        if isinstance(node.of, Name):
            array = self.reader.arrays[node.of.name]
            found = _taken(Value((), whole_last(array, node.positions)), places)
            if node.of.name not in self.reader.adjoints:
                return found
            outside = np.isnan(found.data)
            return Value(found.letters, np.where(outside, 0, found.data), outside)
        inner = self.value(node.of)  # of a matrix that is worked out: row and column
        return _taken(inner, places, of_matrix=True)

    def sum(self, node: Sum) -> Value:
        found = self.value(node.terms[0])
        for term in node.terms[1:]:
            found = _zipped(np.add, found, self.value(term))
        return found

    def negative(self, node: Negative) -> Value:
        body = self.value(node.body)
        return Value(body.letters, -body.data, body.mask)

    def product(self, node: Product) -> Value:
        found, conditions = Value((), np.ones((1, 1))), []
        for factor in node.factors:
            value = self.value(factor)
            if isinstance(factor, Condition) and value.data.shape[-2:] == (1, 1):
                conditions.append(value)  # last: what it multiplies by 0 may be nan everywhere
            else:
                found = _beside(found, value)
        for condition in conditions:
            found = _beside(found, condition)
        return found

    def hadamard(self, node: Hadamard) -> Value:
        found = self.value(node.factors[0])
        for factor in node.factors[1:]:
            found = _zipped(np.multiply, found, self.value(factor), times=True)
        return found

    def quotient(self, node: Quotient) -> Value:
        return _zipped(np.divide, self.value(node.above), self.value(node.below), times=True)

    def power(self, node: Power) -> Value:
        base, exponent = self.value(node.base), self.value(node.exponent)
        if base.data.shape[-1] == base.data.shape[-2] > 1 and isinstance(node.exponent, Number) \
                and node.exponent.value == -1 and isinstance(node.base, Call):
            return Value(base.letters, np.linalg.inv(base.data))
        if exponent.data.size == 1 and not exponent.letters:
            number = exponent.data.item()
            whole = int(number) if number == int(number) else number
            return Value(base.letters, base.data**whole, base.mask if number > 0 else False)
        return _zipped(np.power, base, exponent)

    def call(self, node: Call) -> Value:
        args = [self.value(a) for a in node.args]
        if node.function == "diag":
            (body,) = args
            data = body.data[..., :, 0][..., :, None] * np.eye(body.data.shape[-2])
            return Value(body.letters, data)
        if node.function == "tr":
            diagonal = np.trace(args[0].data, axis1=-2, axis2=-1)
            return Value(args[0].letters, diagonal[..., None, None])
        if node.function == "onehot":
            return self.onehot(node.args[0], args[0])
        if node.function.endswith("'") and node.function[:-1] in FUNCTIONS:  # its slope
            found = FUNCTIONS[node.function[:-1]](args[0].data + 1e-30j)
            return Value(args[0].letters, np.imag(found) / 1e-30)
        if node.function not in FUNCTIONS:
            raise Unreadable(f"no function is called {node.function!r}")
        if len(args) == 2:
            return _zipped(FUNCTIONS[node.function], *args)
        return Value(args[0].letters, FUNCTIONS[node.function](args[0].data))

    def onehot(self, node: Node, value: Value) -> Value:
        name = _array_of(node)
        if name not in self.reader.below:
            raise Unreadable(f"how wide onehot({name}) is, is not said")
        column = value.data[..., :, 0][..., :, None]
        return Value(value.letters, (column == np.arange(self.reader.below[name])) * 1.0)

    def over(self, node: Over) -> Value:
        known, ends = dict(self.ranges), dict(self.ends)
        for letter in node.letters:
            turns = self.reader.counted.get(letter)
            if turns is None and self.layered(letter, node.body):
                turns = range(1, self.extent(letter, node) + 1)
            self.ends[letter] = self.extent(letter, node) if turns is None else len(turns)
            self.ranges[letter] = np.arange(self.ends[letter]) if turns is None else np.array(turns)
        found = self.value(node.body)
        for letter in node.letters:
            size = len(self.ranges[letter])
            if letter not in found.letters:
                if node.what == "sum":
                    found = Value(found.letters, found.data * size)
                continue
            axis = found.letters.index(letter)
            rest = found.letters[:axis] + found.letters[axis + 1:]
            data = np.where(found.mask, 0, found.data)
            found = Value(rest, _folded(node.what, data, axis))
        self.ranges, self.ends = known, ends
        return found

    def layered(self, letter: str, body: Node) -> bool:
        """Whether a letter is the number of a layer."""
        return any(isinstance(part, Entry) and isinstance(part.of, Name)
                   and part.of.name in self.reader.from_one and part.positions[0] == Name(letter)
                   for part in _parts(body))

    def extent(self, letter: str, node: Over) -> int:
        """How far a letter of a sum goes: what an array has where the letter stands alone."""
        said = [int(self.value(end).data.item()) for name, end in node.ranges if name == letter]
        if said:
            return said[0]
        if letter in self.reader.letters:  # as the header of the page says
            return self.reader.letters[letter]
        sizes = set(_alone(letter, node.body, self.reader.arrays, self.reader.from_one))
        sizes = sizes or set(_equal(letter, node.body, self.ends, node.letters))
        if len(sizes) != 1:
            raise Unreadable(f"Σ over {letter}: its range is {sorted(sizes) or 'nowhere said'}")
        return sizes.pop()

    def condition(self, node: Condition) -> Value:
        values = [self.value(p) for p in node.parts]
        found: Value | None = None
        for left, sign, right in zip(values, node.signs, values[1:], strict=False):
            holds = _zipped(_COMPARED[sign], left, right)
            found = holds if found is None else _zipped(np.multiply, found, holds)
        assert found is not None
        return Value(found.letters, found.data * 1.0, found.data == 0)

    def transposed(self, node: Transposed) -> Value:
        body = self.value(node.body)
        mask = np.swapaxes(body.mask, -1, -2) if np.ndim(body.mask) else body.mask
        return Value(body.letters, np.swapaxes(body.data, -1, -2), mask)

    def ones(self, node: Ones) -> Value:
        return Value((), np.ones((int(self.value(node.size).data.item()), 1)))

    def norm(self, node: Norm) -> Value:
        body = self.value(node.body)
        return Value(body.letters, np.sqrt((body.data**2).sum(axis=(-1, -2), keepdims=True)))

    def infinity(self, node: Infinity) -> Value:
        return Value((), np.full((1, 1), np.inf))

    def partial(self, node: Partial) -> Value:
        above, below = _array_of(node.above), _array_of(node.below)
        places = [self.value(p) for p in _positions(node.below)]
        shape = self.reader.arrays[below].shape
        if len(places) != len(shape):
            raise Unreadable(f"∂/∂{below} with {len(places)} positions")
        letters: tuple[str, ...] = ()
        for place in places:
            letters += tuple(x for x in place.letters if x not in letters)
        at = np.broadcast_arrays(*(_aligned(p, letters)[..., 0, 0] for p in places)) \
            if places else [np.zeros(())]
        flat = np.stack([a.ravel() for a in at[:len(places)]], axis=-1).astype(int) \
            if places else np.zeros((1, 0), int)
        wanted, which = np.unique(flat, axis=0, return_inverse=True)
        columns = np.stack([self.reader.column(above, below, tuple(int(i) for i in w))
                            for w in wanted])
        number = Value(letters, which.reshape((*at[0].shape, 1, 1)))
        positions = [self.value(p) for p in _positions(node.above)]
        return _taken(Value((), columns), [number, *positions])

    _of: Mapping[type, Callable[[Any, Any], Value]] = {
        Number: number, Name: name, Entry: entry, Sum: sum, Negative: negative,
        Product: product, Hadamard: hadamard, Quotient: quotient, Power: power, Call: call,
        Over: over, Condition: condition, Transposed: transposed, Ones: ones, Norm: norm,
        Infinity: infinity, Partial: partial,
    }


_COMPARED: dict[str, Callable[..., Any]] = {
    "=": lambda a, b: np.real(a) == np.real(b), "≠": lambda a, b: np.real(a) != np.real(b),
    "<": lambda a, b: np.real(a) < np.real(b), ">": lambda a, b: np.real(a) > np.real(b),
    "≤": lambda a, b: np.real(a) <= np.real(b), "≥": lambda a, b: np.real(a) >= np.real(b),
}


def _array_of(node: Node) -> str:
    inner = node.of if isinstance(node, Entry) else node
    if not isinstance(inner, Name):
        raise Unreadable("∂ of what is no entry")
    return inner.name


def _positions(node: Node) -> tuple[Node, ...]:
    return node.positions if isinstance(node, Entry) else ()


def _aligned(value: Value, letters: tuple[str, ...], what: str = "data") -> Any:
    data = np.asarray(getattr(value, what))
    if data.ndim == 0:
        return data
    missing = [x for x in letters if x not in value.letters]
    if set(value.letters) - set(letters):
        raise Unreadable(f"the letters {set(value.letters) - set(letters)} are free")
    data = data.reshape((1,) * len(missing) + data.shape)
    order = [*missing, *value.letters]
    axes = [order.index(x) for x in letters]
    return data.transpose(*axes, len(order), len(order) + 1)


def _union(a: Value, b: Value) -> tuple[str, ...]:
    return a.letters + tuple(x for x in b.letters if x not in a.letters)


def _zipped(function: Callable[..., Any], a: Value, b: Value, times: bool = False) -> Value:
    letters = _union(a, b)
    left, right = _aligned(a, letters), _aligned(b, letters)
    _bounded(left, right)
    try:
        with np.errstate(all="ignore"):
            data = function(left, right)
    except ValueError as error:
        raise Unreadable(f"the sizes do not fit: {error}") from None
    masks = _aligned(a, letters, "mask"), _aligned(b, letters, "mask")
    if times:
        mask = np.logical_or(*masks)
        return Value(letters, np.where(mask, 0, data), np.broadcast_to(mask, data.shape))
    both = np.logical_and(*masks)
    data = function(np.where(masks[0], 0, left), np.where(masks[1], 0, right))
    return Value(letters, data, np.broadcast_to(both, data.shape))


def _bounded(*data: Any) -> None:
    shape = [max(sizes) for sizes in zip(*(d.shape for d in data), strict=True)]
    if math.prod(shape) > MOST:
        raise TooLarge(f"an array of {math.prod(shape)} entries")


def _beside(a: Value, b: Value) -> Value:
    """Two factors beside one another: a number scales, matrices are multiplied."""
    letters = _union(a, b)
    if 1 in (a.data.shape[-1] * a.data.shape[-2], b.data.shape[-1] * b.data.shape[-2]):
        return _zipped(np.multiply, a, b, times=True)
    left, right = _aligned(a, letters), _aligned(b, letters)
    left = np.where(_aligned(a, letters, "mask"), 0, left)
    right = np.where(_aligned(b, letters, "mask"), 0, right)
    if left.shape[-1] != right.shape[-2]:
        raise Unreadable(f"a product of {left.shape[-2:]} and {right.shape[-2:]}")
    with np.errstate(all="ignore"):
        return Value(letters, left @ right)


def whole_last(array: Any, positions: Sequence[Node]) -> Any:
    """The axes that are there as a whole, behind those at a position."""
    whole = [axis for axis, place in enumerate(positions) if isinstance(place, Whole)]
    behind = list(range(len(positions), array.ndim))
    taken = [axis for axis in range(array.ndim) if axis not in whole and axis not in behind]
    return array.transpose([*taken, *whole, *behind])


def _taken(of: Value, places: list[Value], of_matrix: bool = False) -> Value:
    """Entries at positions: a letter each, or numbers; nan outside the array."""
    letters: tuple[str, ...] = of.letters
    for place in places:
        letters = letters + tuple(x for x in place.letters if x not in letters)
    array = of.data
    own = len(of.letters)
    if of_matrix and len(places) == 1:
        array = array[..., 0]
    rest = array.ndim - own - len(places)
    if rest < 0 or rest > 2:
        raise Unreadable(f"{len(places)} positions in an array of {array.ndim - own} axes")
    index: list[Any] = []
    inside: Any = True
    for axis, letter in enumerate(of.letters):
        index.append(np.arange(array.shape[axis]).reshape(
            [-1 if x == letter else 1 for x in letters]))
    for axis, place in enumerate(places, start=own):
        at = np.asarray(_aligned(place, letters))
        if at.shape[-2:] != (1, 1):
            raise Unreadable("a position that is a matrix")
        at = np.real(at[..., 0, 0])
        good = np.isfinite(at) & (at >= 0) & (at < array.shape[axis]) & (at == np.floor(at))
        inside = inside & good
        index.append(np.where(good, at, 0).astype(int))
    taken = array[tuple(index)] if index else array
    shape = np.broadcast_shapes(*(np.shape(i) for i in index)) if index else ()
    taken = np.broadcast_to(taken, shape + array.shape[len(index):])
    full = _float(taken.reshape(taken.shape + (1,) * (2 - rest)))
    inside = np.asarray(inside)
    inside = inside.reshape((*inside.shape, 1, 1)) if inside.ndim else inside
    return Value(letters, np.where(inside, full, np.nan))


def _float(array: Any) -> Any:
    """As a float, or complex as it is: times 1 a complex infinity would be nan."""
    return array if np.iscomplexobj(array) else np.asarray(array, float)


def _folded(what: str, data: Any, axis: int) -> Any:
    if what == "sum":
        return data.sum(axis=axis)
    best = np.real(data).max(axis, keepdims=True) if what == "max" else np.real(data).min(
        axis, keepdims=True)
    tied = np.real(data) == best  # where several are the largest, each has its share of the slope
    return np.where(tied, data, 0).sum(axis) / tied.sum(axis)


def _alone(
    letter: str, node: Node, arrays: Mapping[str, Any], from_one: Container[str]
) -> Iterator[int]:
    """The sizes of the axes at which a letter stands alone."""
    for part in _parts(node):
        if isinstance(part, Entry) and isinstance(part.of, Name) and part.of.name in arrays:
            shape = arrays[part.of.name].shape
            yield from (s - (k == 0 and part.of.name in from_one)
                        for k, (p, s) in enumerate(zip(part.positions, shape, strict=False))
                        if p == Name(letter))


def _equal(
    letter: str, node: Node, ends: Mapping[str, int], own: tuple[str, ...],
) -> Iterator[int]:
    """How far the letters go that a letter is set equal to."""
    for part in _parts(node):
        if isinstance(part, Condition) and part.signs == ("=",) and Name(letter) in part.parts:
            other = part.parts[1 - part.parts.index(Name(letter))]
            if isinstance(other, Name) and other.name in ends and other.name not in own:
                yield ends[other.name]


def _parts(node: Node) -> Iterator[Node]:
    yield node
    for field in fields(node):  # type: ignore[arg-type]
        inner = getattr(node, field.name)
        for part in inner if isinstance(inner, tuple) else (inner,):
            if isinstance(part, Node):
                yield from _parts(part)
