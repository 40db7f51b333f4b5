"""The shape grammar: what `"N K"`, `"int N"` or `"float 4*H D//2"` says of an array.

In: text from annotations and options, and shapes of real arrays. Out: `ArraySpec`s made of `Dim`
trees, and the sizes of the named axes. Pure Python: no NumPy, no SymPy.

    spec = [ "float" | "int" | "bool" ] axis*        axes are separated by blanks
    axis = "_" | term (("+" | "-") term)*            and hold none
    term = factor (("*" | "//") factor)*
    factor = name | number | "(" axis ")"
"""

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from symprop.errors import NameRuleError, ShapeError
from symprop.names import check_name

DTYPES = ("float", "int", "bool")
LONGEST_TEXT = 1000
MOST_AXES = 32
MOST_DIGITS = 12
DEEPEST = 20
MOST_TOKENS = 100
WITH_COMMAS = re.compile(r"[\w\s,()\[\]*/+-]+")
TOKEN = re.compile(r"//|[-+*/()]|[0-9]+|[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True)
class Dim:
    """One axis: a name, a number, `_`, or two axes joined by + - * //.

    >>> Dim("*", args=(Dim("number", value=4), Dim("name", name="H")))
    Dim('4*H')
    """

    kind: str
    name: str = ""
    value: int = 0
    args: tuple["Dim", ...] = ()

    def names(self) -> tuple[str, ...]:
        """Return the named sizes in it, each once, in order of appearance."""
        found: tuple[str, ...] = (self.name,) if self.kind == "name" else ()
        for arg in self.args:
            found += tuple(name for name in arg.names() if name not in found)
        return found

    def evaluate(self, sizes: Mapping[str, int]) -> int:
        """Return the size of the axis.

        ShapeError where a size is missing, a quotient leaves a rest, or the size is negative.

        >>> parse_spec("D//2", "x").dims[0].evaluate({"D": 6})
        3
        """
        size = self.value_at(sizes)
        if size < 0:
            raise ShapeError(f"the axis {self} has the negative size {size}{_given(self, sizes)}")
        return size

    def value_at(self, sizes: Mapping[str, int]) -> int:
        """Return its value, which may be negative."""
        if self.kind == "number":
            return self.value
        if self.kind == "name":
            if self.name not in sizes:
                raise ShapeError(f"the size of the axis {self.name} is not known")
            return sizes[self.name]
        if self.kind == "_":
            raise ShapeError("an axis written _ has no size of its own")
        left, right = (arg.value_at(sizes) for arg in self.args)
        if self.kind == "+":
            return left + right
        if self.kind == "-":
            return left - right
        if self.kind == "*":
            return left * right
        if right == 0 or left % right:
            raise ShapeError(f"the axis {self} is not a whole number{_given(self, sizes)}")
        return left // right

    def __str__(self) -> str:
        if self.kind in ("name", "number", "_"):
            return {"name": self.name, "number": str(self.value), "_": "_"}[self.kind]
        left, right = self.args
        return f"{_wrapped(left, self.kind, False)}{self.kind}{_wrapped(right, self.kind, True)}"

    def __repr__(self) -> str:
        return f"Dim({str(self)!r})"


@dataclass(frozen=True)
class ArraySpec:
    """The kind of number and the axes of one array; no axes: a scalar."""

    dtype: str
    dims: tuple[Dim, ...]

    def names(self) -> tuple[str, ...]:
        """Return the named sizes of all axes, each once, in order of appearance."""
        return tuple(dict.fromkeys(name for dim in self.dims for name in dim.names()))

    def __str__(self) -> str:
        axes = " ".join(str(dim) for dim in self.dims)
        return axes if self.dtype == "float" else f"{self.dtype} {axes}".rstrip()


def shown_column(at: Sequence[int | None]) -> str:
    """Entries at fixed positions of some axes, as NumPy reads them.

    >>> shown_column((None, 0)), shown_column(())
    ('[:, 0]', '')
    """
    shown = ", ".join(":" if n is None else str(n) for n in at)
    return f"[{shown}]" if shown else ""


def parse_spec(text: str, where: str) -> ArraySpec:
    """Read the shape `text` of the argument `where`; ShapeError names both.

    A text within quotation marks, as `from __future__ import annotations` makes it, is taken out
    of them first.

    >>> str(parse_spec("int N 4*H", "x"))
    'int N 4*H'
    >>> parse_spec("'N K'", "x") == parse_spec("N K", "x")
    True
    """
    if not isinstance(text, str):
        raise ShapeError(f"the shape of {where} must be a text such as 'N K', not {text!r}")
    if len(text) > LONGEST_TEXT:
        raise ShapeError(f"the shape of {where} is longer than {LONGEST_TEXT} characters")
    words = _unquoted(text, where).split()
    dtype = words.pop(0) if words and words[0] in DTYPES else "float"
    if len(words) > MOST_AXES:
        raise ShapeError(f"the shape of {where} has {len(words)} axes; NumPy stops at {MOST_AXES}")
    try:
        return ArraySpec(dtype, tuple(parse_dim(word) for word in words))
    except ShapeError as error:
        meant = meant_by(text)
        way = f" (axes are separated by blanks: write {meant!r})" if meant else ""
        raise ShapeError(
            f"the shape {_shown(text)} of {where} is not readable: {error}{way}") from None


def meant_by(text: str) -> str:
    """Return the shape that was meant by one with commas, as NumPy prints it; "" if none can be.

    >>> meant_by("(N, K)"), meant_by("N +")
    ('N K', '')
    """
    if "," not in text or not WITH_COMMAS.fullmatch(text):
        return ""
    plain = " ".join(text.strip().strip("()[]").replace(",", " ").split())
    try:
        return str(parse_spec(plain, ""))
    except ShapeError:
        return ""


def parse_dim(text: str) -> Dim:
    """Read one axis, such as `4*H`; ShapeError if it is not in the grammar.

    >>> parse_dim("(T-1)*H").names()
    ('T', 'H')
    """
    if text == "_":
        return Dim("_")
    tokens = _tokens(text)
    dim, rest = _sum(tokens, 0)
    if rest:
        raise ShapeError(f"{rest[0]!r} is in the way in {_shown(text)}")
    return dim


def solve_sizes(
    specs: Mapping[str, ArraySpec],
    shapes: Mapping[str, tuple[int, ...]],
    known: Mapping[str, int] | None = None,
    partial: bool = False,
) -> dict[str, int]:
    """Infer the sizes of all named axes from the shapes of real arrays.

    `shapes` holds the real shape of each array of `specs`; `known` sizes are believed. ShapeError
    names the array, the axis and the sizes that do not agree, or, unless `partial`, the axis whose
    sizes cannot be told.

    >>> solve_sizes({"X": parse_spec("N 4*H", "X")}, {"X": (5, 12)})
    {'N': 5, 'H': 3}
    """
    axes = [axis for name in specs for axis in _axes(name, specs[name], shapes[name])]
    sizes = dict(known or {})
    origin = dict.fromkeys(sizes, "declaration")
    waiting = [axis for axis in axes if axis[1].kind != "_"]
    while waiting:
        still = [axis for axis in waiting if not _settle(axis, sizes, origin)]
        if len(still) == len(waiting):
            break
        waiting = still
    if waiting and not partial:
        place, dim, _ = waiting[0]
        missing = ", ".join(name for name in dim.names() if name not in sizes)
        raise ShapeError(f"{place} does not determine {missing}; {_way_out(missing)}")
    names = dict.fromkeys(name for _, dim, _ in axes for name in dim.names())
    return {name: sizes[name] for name in names if name in sizes}


Axis = tuple[str, Dim, int]


def _axes(name: str, spec: ArraySpec, shape: tuple[int, ...]) -> Iterator[Axis]:
    """Pair the axes of one array with their real sizes, each with words for where it is."""
    if len(shape) != len(spec.dims):
        raise ShapeError(
            f"{name} has the shape {tuple(shape)}, that is {_axis_count(len(shape))}, but is"
            f" declared as {str(spec)!r}, that is {_axis_count(len(spec.dims))}"
        )
    for position, (dim, size) in enumerate(zip(spec.dims, shape, strict=True)):
        yield f"axis {position} of {name}, declared as {dim} and of size {size},", dim, size


def _settle(axis: Axis, sizes: dict[str, int], origin: dict[str, str]) -> bool:
    """Test an axis whose sizes are all known, or solve for its only unknown; False: wait."""
    place, dim, size = axis
    unknown = [name for name in dim.names() if name not in sizes]
    if not unknown:
        _compare(axis, sizes, origin)
        return True
    if len(unknown) > 1 or _count(dim, unknown[0]) != 1:
        return False
    sizes[unknown[0]] = _solved(dim, size, unknown[0], sizes, place)
    origin[unknown[0]] = place
    _compare(axis, sizes, origin)
    return True


def _compare(axis: Axis, sizes: Mapping[str, int], origin: Mapping[str, str]) -> None:
    place, dim, size = axis
    try:
        expected = dim.evaluate(sizes)
    except ShapeError as error:
        raise ShapeError(f"{place} does not fit: {error}") from None
    if expected != size:
        known = [f"{name} is {sizes[name]} by {origin[name].rstrip(',')}" for name in dim.names()]
        reason = f": {'; '.join(known)}" if known else ""
        raise ShapeError(f"{place} should be of size {expected}{reason}")


def _solved(dim: Dim, size: int, name: str, sizes: Mapping[str, int], place: str) -> int:
    """Solve dim == size for the one place where `name` occurs in it."""
    if dim.kind == "name":
        return size
    left, right = dim.args
    if name in left.names():
        known = right.value_at(sizes)
        inner = {"+": size - known, "-": size + known, "//": size * known}
        if dim.kind != "*":
            return _solved(left, inner[dim.kind], name, sizes, place)
        return _solved(left, _quotient(size, known, place, name), name, sizes, place)
    known = left.value_at(sizes)
    if dim.kind in "+-":
        inner_size = size - known if dim.kind == "+" else known - size
    elif dim.kind == "*":
        inner_size = _quotient(size, known, place, name)
    else:
        inner_size = _quotient(known, size, place, name)
    return _solved(right, inner_size, name, sizes, place)


def _quotient(size: int, known: int, place: str, name: str) -> int:
    if known == 0 or size % known:
        raise ShapeError(f"{place} gives no whole number for {name}: {size} / {known}")
    return size // known


def _count(dim: Dim, name: str) -> int:
    """Count how often `name` occurs in `dim`."""
    own = int(dim.kind == "name" and dim.name == name)
    return own + sum(_count(arg, name) for arg in dim.args)


def _unquoted(text: str, where: str) -> str:
    """Take the text out of quotation marks, if it stands in any."""
    if text[:1] not in ("'", '"'):
        return text
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError):
        value = None
    if not isinstance(value, str):
        raise ShapeError(f"the shape {_shown(text)} of {where} is not readable")
    return value


def _tokens(text: str) -> list[str]:
    """Cut an axis into names, numbers and operators."""
    tokens: list[str] = []
    position = 0
    while position < len(text):
        match = TOKEN.match(text, position)
        if match is None:
            raise ShapeError(f"{text[position]!a} is neither a name, a number nor + - * //")
        tokens.append(match.group())
        position = match.end()
    if len(tokens) > MOST_TOKENS:
        raise ShapeError(f"an axis of {len(tokens)} parts is too long")
    return tokens


def _sum(tokens: list[str], depth: int) -> tuple[Dim, list[str]]:
    """Read a sum; return it and the tokens behind it."""
    dim, rest = _product(tokens, depth)
    while rest and rest[0] in ("+", "-"):
        right, behind = _product(rest[1:], depth)
        dim, rest = Dim(rest[0], args=(dim, right)), behind
    return dim, rest


def _product(tokens: list[str], depth: int) -> tuple[Dim, list[str]]:
    dim, rest = _factor(tokens, depth)
    while rest and rest[0] in ("*", "//", "/"):
        if rest[0] == "/":
            raise ShapeError("a quotient is written //")
        right, behind = _factor(rest[1:], depth)
        dim, rest = Dim(rest[0], args=(dim, right)), behind
    return dim, rest


def _factor(tokens: list[str], depth: int) -> tuple[Dim, list[str]]:
    if not tokens:
        raise ShapeError("it ends where a name or a number should follow")
    token, rest = tokens[0], tokens[1:]
    if token == "(":
        if depth >= DEEPEST:
            raise ShapeError(f"parentheses are nested more than {DEEPEST} deep")
        dim, rest = _sum(rest, depth + 1)
        if not rest or rest[0] != ")":
            raise ShapeError("a parenthesis is not closed")
        return dim, rest[1:]
    if token.isdigit():
        if len(token) > MOST_DIGITS:
            raise ShapeError(f"a size of {len(token)} digits is too large")
        return Dim("number", value=int(token)), rest
    if token == "_":
        raise ShapeError("_ stands for a whole axis, it cannot be calculated with")
    if not (token[0].isalpha() or token[0] == "_"):
        raise ShapeError(f"{token!r} stands where a name or a number should")
    try:
        return Dim("name", name=check_name(token, "an axis")), rest
    except NameRuleError as error:
        raise ShapeError(str(error)) from None


def _wrapped(dim: Dim, parent: str, right: bool) -> str:
    """Print an operand, in parentheses where the grammar needs them."""
    rank = {"+": 1, "-": 1, "*": 2, "//": 2}
    own, outer = rank.get(dim.kind, 3), rank[parent]
    return f"({dim})" if own < outer or (own == outer and right) else str(dim)


def _given(dim: Dim, sizes: Mapping[str, int]) -> str:
    known = ", ".join(f"{name} = {sizes[name]}" for name in dim.names() if name in sizes)
    return f" for {known}" if known else ""


def _axis_count(count: int) -> str:
    return "no axes" if count == 0 else "1 axis" if count == 1 else f"{count} axes"


def _way_out(missing: str) -> str:
    return f"let another array have an axis {missing.split(', ')[0]} of its own"


def _shown(text: str) -> str:
    return ascii(text if len(text) <= 60 else text[:57] + "...")
