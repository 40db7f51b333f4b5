"""The rows in force, rows applied as SymPy functions, and their derivatives.

In: rows. Out: `applied(name)`, the SymPy function of a row, which evaluates nothing by
itself; `partial`, its derivative, worked out by SymPy from the definition unless the row
spells it; `to_native` and `from_native`, between rows and SymPy's own functions.

`partial` returns nothing but: rational numbers, the arguments, rows applied (constants such
as pi are rows of arity 0), sums, products, powers with rational exponents, and Piecewise whose
conditions are relations joined by And, Or and Not (`guards` opens those).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import Any

import sympy
from sympy.core.relational import Relational
from sympy.logic.boolalg import BooleanFunction

from symprop.algebra.rows_row import VALUE, Row, X
from symprop.errors import InputError, UnsupportedError
from symprop.names import unused


class RowFunction(sympy.Function):  # type: ignore[misc]
    """A row applied to arguments. SymPy knows its derivative and nothing else about it."""

    row_name = ""

    def fdiff(self, argindex: int = 1) -> sympy.Expr:
        """SymPy's hook for the chain rule."""
        return partial(self.row_name, argindex - 1, self.args)

    @classmethod
    def _should_evalf(cls, arg: sympy.Expr) -> int:
        return -1  # never turn into a float by itself

    def _eval_evalf(self, prec: int) -> sympy.Expr:
        return to_native(self)._eval_evalf(prec)

    def _eval_is_positive(self) -> bool | None:
        return None if self.args else to_native(self).is_positive


@dataclass(frozen=True)
class Family:
    """Rows without end, such as the derivatives of log Γ: `native(n, x)`, a row for each n.

    The first have names of their own; the others `prefix_n`, and are made when they are read.
    """

    native: Any  # SymPy's function of n and x
    first: tuple[str, ...]
    prefix: str
    row: Callable[[int], Row]

    def name(self, number: int) -> str:
        """The name of the row with this number."""
        return self.first[number] if number < len(self.first) else f"{self.prefix}_{number}"

    def number(self, name: str) -> int | None:
        """The number of a row that is not there yet; None for a name of another kind."""
        prefix, _, number = name.rpartition("_")
        return int(number) if prefix == self.prefix and number.isdecimal() else None


_families: list[Family] = []


class Registry:
    """The rows in force, with the SymPy classes and derivatives that belong to them."""

    def __init__(self, rows: Mapping[str, Row], aliases: Mapping[str, str]) -> None:
        self.rows = dict(rows)
        self.aliases = dict(aliases)  # spellings that say `exp` mean the row that moved here
        self.classes: dict[str, type[RowFunction]] = {}
        self.partials: dict[tuple[str, int], sympy.Expr] = {}
        self.natives: dict[object, str] = {}
        for row in rows.values():
            self._note_native(row)

    def add(self, row: Row) -> None:
        """Adds a row under a new name."""
        if row.name in self.rows:
            raise InputError(f"a scalar function {row.name} exists already: use override")
        self.rows[row.name] = row
        self._note_native(row)

    def remove(self, name: str) -> None:
        """Takes out a row that `add` brought in."""
        self.rows.pop(name)
        self.classes.pop(name, None)
        self.natives = {key: n for key, n in self.natives.items() if n != name}
        self.partials = {key: e for key, e in self.partials.items() if key[0] != name}

    def _note_native(self, row: Row) -> None:
        """Remembers a row that is, by definition, one of SymPy's functions or constants."""
        definition = row.definition
        if row.arity == 0:
            self.natives.setdefault(definition, row.name)
        elif definition.args == X[: row.arity] and not isinstance(definition, RowFunction):
            self.natives.setdefault(definition.func, row.name)


_registry: ContextVar[Registry] = ContextVar("registry", default=Registry({}, {}))  # noqa: B039


def registry() -> Registry:
    """The registry in force; its identity changes whenever the meaning of a name changes."""
    return _registry.get()


def get(name: str) -> Row:
    """The row of that name. Raises InputError for an unknown one."""
    current = registry()
    if name not in current.rows:
        made = [(f, n) for f in _families if (n := f.number(name)) is not None]
        if not made:
            raise InputError(f"there is no scalar function {name!r}")
        family, number = made[0]
        current.add(family.row(number))
    return current.rows[name]


def names() -> tuple[str, ...]:
    """The names of all rows, in order of registration."""
    return tuple(registry().rows)


# ---- rows as SymPy functions --------------------------------------------------------------


def applied(name: str) -> type[RowFunction]:
    """The row as a SymPy function: `applied("tanh")(u)`. Raises InputError for no such row."""
    current = registry()
    found = current.classes.get(name)
    if found is None:
        found = _function_class(name, get(name).arity)
        current.classes[name] = found
    return found


def reference(name: str) -> type[RowFunction]:
    """Stands for a row of that name, which need not exist yet: for use in `Row.derivative`."""
    return _function_class(name, None)


def _function_class(name: str, arity: int | None) -> type[RowFunction]:
    body: dict[str, Any] = {"row_name": name}
    if arity is not None:
        body["nargs"] = arity
    return type(RowFunction)(name, (RowFunction,), body)  # type: ignore[no-any-return, misc]


def rebuilt(
    expr: sympy.Basic, change: Callable[[sympy.Basic], sympy.Basic | None]
) -> sympy.Basic:
    """The expression with `change` tried on every node, arguments first; None keeps a node."""
    if expr.args:
        args = tuple(rebuilt(a, change) for a in expr.args)
        if args != expr.args:
            expr = expr.func(*args)
    new = change(expr)
    return expr if new is None else new


def resolved(expr: sympy.Expr, aliases: Mapping[str, str]) -> sympy.Expr:
    """References and rows of earlier registries as the functions of the rows in force."""

    def change(node: sympy.Basic) -> sympy.Basic | None:
        if not isinstance(node, RowFunction):
            return None
        return applied(aliases.get(node.row_name, node.row_name))(*node.args)

    return rebuilt(expr, change)


def to_native(expr: sympy.Expr) -> sympy.Expr:
    """Every row replaced by its definition, down to SymPy's own functions.

    >>> to_native(applied("softplus")(sympy.Symbol("t")))
    log(exp(t) + 1)
    """

    def change(node: sympy.Basic) -> sympy.Basic | None:
        if not isinstance(node, RowFunction):
            return None
        definition = get(node.row_name).definition
        return to_native(definition.xreplace(dict(zip(X, node.args, strict=False))))

    return rebuilt(expr, change)


def from_native(expr: sympy.Expr) -> sympy.Expr:
    """SymPy's own functions replaced by the rows that are defined as them.

    Raises UnsupportedError for what no row is: Heaviside, Max, an unevaluated Derivative.
    """
    natives = registry().natives

    def change(node: sympy.Basic) -> sympy.Basic | None:
        if node in natives:
            return applied(natives[node])()
        if node is sympy.E:
            return applied(natives[sympy.exp])(1)
        if node.is_Pow and not node.exp.is_Rational:
            return applied(natives[sympy.Pow])(node.base, node.exp)
        if node.is_Float:
            return sympy.Rational(node)
        if node.is_Function and not isinstance(node, RowFunction | sympy.Piecewise):
            if not isinstance(node, BooleanFunction):
                found = _row_of_native(node)
                return found(*node.args[-1:] if node.func in {f.native for f in _families}
                             else node.args)
        elif not _allowed(node):
            raise UnsupportedError(f"no scalar function is defined as SymPy's {node}")
        return None

    return rebuilt(expr, change)


_PIECEWISE = {sympy.Abs: "abs", sympy.sign: "sign"}  # rows that say what happens at the kink


def _row_of_native(node: sympy.Function) -> type[RowFunction]:
    current = registry()
    for family in _families:
        if node.func is family.native and node.args[0].is_Integer:
            return applied(family.name(int(node.args[0])))
    name = _PIECEWISE.get(node.func)
    name = current.natives.get(node.func) if name is None else current.aliases.get(name, name)
    if name is None:
        raise UnsupportedError(f"no scalar function is defined as SymPy's {node.func.__name__}")
    return applied(name)


def _allowed(node: sympy.Basic) -> bool:
    """Whether a node may stand in a derivative as it is."""
    kinds = (RowFunction, sympy.Piecewise, sympy.Symbol, sympy.Indexed, sympy.IndexedBase,
             sympy.Rational, sympy.Add, sympy.Mul, sympy.Pow, sympy.Tuple, Relational,
             BooleanFunction, sympy.functions.elementary.piecewise.ExprCondPair)
    return isinstance(node, kinds) or node in (sympy.true, sympy.false)


# ---- derivatives --------------------------------------------------------------------------


def partial(row: Row | str, k: int, args: Sequence[sympy.Expr]) -> sympy.Expr:
    """The derivative of the row's value by its argument number k (from 0), at `args`.

    The kept value stands in it as the applied row. What it may consist of is said at the top
    of this module. Raises UnsupportedError where SymPy cannot differentiate the definition.

    >>> partial("tanh", 0, [sympy.Symbol("t")])
    1 - tanh(t)**2
    """
    name = row if isinstance(row, str) else row.name
    current = registry()
    formal = current.partials.get((name, k))
    if formal is None:
        formal = current.partials[name, k] = _formal_partial(get(name), k)
    return formal.xreplace(dict(zip(X, args, strict=False)))


def _formal_partial(row: Row, k: int) -> sympy.Expr:
    """The derivative on the symbols x, y, z themselves."""
    spelled = row.derivative[k] if k < len(row.derivative) else None
    if spelled is None:
        return derivative_of_definition(row, k)
    value = applied(row.name)(*X[: row.arity])
    return resolved(sympy.S(spelled), registry().aliases).xreplace({VALUE: value})


def derivative_of_definition(row: Row, k: int) -> sympy.Expr:
    """SymPy's derivative of the definition, in rows; spelled derivatives are not used."""
    definition = resolved(row.definition, {})
    # SymPy has no derivative for steps: they are constants between the jumps.
    steps = {node: sympy.Dummy() for node in definition.atoms(sympy.floor, sympy.ceiling)}
    result = definition.xreplace(steps).diff(X[k])
    result = result.xreplace({dummy: node for node, dummy in steps.items()})
    if result.has(sympy.Derivative, sympy.Subs):
        raise UnsupportedError(f"SymPy cannot differentiate the definition of {row.name}")
    return from_native(result)


# ---- changing the registry ----------------------------------------------------------------


def register(row: Row) -> Row:
    """Adds a row for good. Raises InputError if the name is taken.

    Adding one row is all it takes to add a scalar function.
    """
    registry().add(row)
    return row


def add_family(family: Family) -> None:
    """Adds rows without end for good."""
    _families.append(family)


@contextmanager
def registered(row: Row) -> Iterator[Row]:
    """`register` for the length of a with block."""
    current = registry()
    current.add(row)
    try:
        yield row
    finally:
        current.remove(row.name)


@contextmanager
def override(row: Row) -> Iterator[Row]:
    """Puts `row` in the place of the row of that name, for the length of a with block.

    The row that gives way lives on under a spare name: spelled derivatives of other rows that
    mention it go on meaning it, and so do SymPy's own functions. Rows whose definitions
    mention the name follow the new row, and lose spellings that are no longer proven.
    """
    old = get(row.name)
    current = registry()
    spare = unused(row.name, current.rows)
    followers = _followers(row.name, current.rows)
    rows = {n: replace(r, numpy=None, derivative=(), mirror=None) if n in followers else r
            for n, r in current.rows.items()}
    rows[row.name] = row if row.definition == old.definition else replace(row, mirror=None)
    rows[spare] = replace(old, name=spare)
    with _in_force(Registry(rows, {row.name: spare, **current.aliases})):
        yield row


@contextmanager
def without_spellings(values: bool = False) -> Iterator[None]:
    """Deletes all spelled derivatives (and NumPy values) for the length of a with block."""
    current = registry()
    rows = {n: replace(r, derivative=(), mirror=None, numpy=None if values else r.numpy)
            for n, r in current.rows.items()}
    with _in_force(Registry(rows, current.aliases)):
        yield


@contextmanager
def _in_force(new: Registry) -> Iterator[None]:
    token = _registry.set(new)
    try:
        yield
    finally:
        _registry.reset(token)


def _followers(name: str, rows: Mapping[str, Row]) -> set[str]:
    """The rows whose definitions mention `name`, directly or through other rows."""
    found = {name}
    growing = True
    while growing:
        more = {n for n, r in rows.items() if n not in found
                and any(f.row_name in found for f in r.definition.atoms(RowFunction))}
        found |= more
        growing = bool(more)
    return found - {name}
