"""The NumPy text of a row.

In: rows. Out: templates with {x}, {y}, {z} for the arguments and {name} for a helper function
of that name; the texts of the helpers; and the text of a module that holds rows as functions.
A row without a spelling is printed from its definition. Constants become Python floats, so
that a float32 array stays float32.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

import sympy
from sympy.core.relational import Relational

from symprop.algebra.rows_registry import RowFunction, get, names, registry, resolved
from symprop.algebra.rows_row import Row, X
from symprop.errors import InputError, UnsupportedError

PRECEDENCE = {"sum": 1, "product": 2, "unary": 3, "power": 4, "atom": 5}

_FUNCTIONS = {
    sympy.exp: "exp", sympy.log: "log", sympy.sin: "sin", sympy.cos: "cos", sympy.tan: "tan",
    sympy.asin: "arcsin", sympy.acos: "arccos", sympy.atan: "arctan", sympy.atan2: "arctan2",
    sympy.sinh: "sinh", sympy.cosh: "cosh", sympy.tanh: "tanh", sympy.asinh: "arcsinh",
    sympy.acosh: "arccosh", sympy.atanh: "arctanh", sympy.Abs: "abs", sympy.sign: "sign",
    sympy.floor: "floor", sympy.ceiling: "ceil",
}
_PLACEHOLDER = re.compile(r"\{([A-Za-z]\w*)\}")
_OPENED = re.compile(r"(?:[({\[|⌊⌈,]|\\l(?:vert|floor|ceil))\s*$")
_CLOSED = re.compile(r"^\s*(?:[)}\]|⌋⌉,]|\\r(?:vert|floor|ceil))")


# ---- templates ----------------------------------------------------------------------------


def fill(
    template: str,
    args: Sequence[str],
    helpers: Mapping[str, str] | None = None,
    atomic: Sequence[bool] | None = None,
) -> str:
    """Puts argument texts into a template, in parentheses where they need them.

    `helpers` renames helper functions; `atomic` says which arguments never need parentheses
    (left out: those without an operator or a blank outside brackets).

    >>> fill("{x} ** {y}", ["a + b", "c"])
    '(a + b) ** c'
    >>> fill("np.maximum({x}, 0)", ["a + b"])
    'np.maximum(a + b, 0)'
    """
    texts = dict(zip("xyz", args, strict=False))
    whole = dict(zip("xyz", atomic or [is_atomic(a) for a in args], strict=False))

    def put(match: re.Match[str]) -> str:
        key = match.group(1)
        if key not in texts:
            return (helpers or {}).get(key, key)
        enclosed = _OPENED.search(template[: match.start()]) and _CLOSED.match(
            template[match.end():])
        return texts[key] if whole[key] or enclosed else f"({texts[key]})"

    return _PLACEHOLDER.sub(put, template)


def is_atomic(text: str) -> bool:
    """Whether a text has no operator and no blank outside brackets."""
    depth = 0
    for character in text:
        if character in "([{":
            depth += 1
        elif character in ")]}":
            depth -= 1
        elif depth == 0 and character in " +-*/<>=&|~@,":
            return False
    return True


def numpy_template(name: str) -> tuple[str, str]:
    """The NumPy spelling of a row and its precedence: sum, product, unary, power or atom."""
    row = get(name)
    return numpy_from_definition(row) if row.numpy is None else (row.numpy, row.numpy_precedence)


def helpers_in(template: str) -> tuple[str, ...]:
    """The helper functions that a template calls, in order of appearance."""
    found = (m.group(1) for m in _PLACEHOLDER.finditer(template))
    return tuple(dict.fromkeys(h for h in found if h not in ("x", "y", "z")))


def helper_source(helper: str, name: str | None = None) -> str:
    """The text of a helper function, under another name if one is given."""
    opening = f"def {helper}("
    for row in registry().rows.values():
        if row.helper is not None and row.helper.startswith(opening):
            return row.helper.replace(opening, f"def {name or helper}(", 1)
    raise InputError(f"no scalar function brings a helper {helper!r}")


def module_text(wanted: Iterable[str] | None = None) -> str:
    """A NumPy-only module with a function for each row (all of them by default).

    The functions take arrays and have the names of the rows; helpers are called _NAME.
    """
    definitions: list[str] = []
    helpers: list[str] = []
    for name in names() if wanted is None else wanted:
        template, _ = numpy_template(name)
        used = helpers_in(template)
        helpers.extend(used)
        arguments = [str(s) for s in X[: get(name).arity]]
        body = fill(template, arguments, {h: f"_{h}" for h in used})
        definitions.append(f"def {name}({', '.join(arguments)}):\n    return {body}\n")
    sources = [helper_source(h, f"_{h}") for h in dict.fromkeys(helpers)]
    return "\n\n".join(["import numpy as np\n", *sources, *definitions])


# ---- printing a definition ----------------------------------------------------------------

Printed = tuple[str, int]


def numpy_from_definition(row: Row) -> tuple[str, str]:
    """The definition as NumPy text, with its precedence; Piecewise becomes np.where.

    Raises UnsupportedError for what NumPy cannot compute.

    >>> numpy_from_definition(get("softplus"))
    ('np.log(np.exp({x}) + 1)', 'atom')
    """
    return numpy_of(resolved(row.definition, {}))


def numpy_of(expr: sympy.Expr) -> tuple[str, str]:
    """`numpy_from_definition` for any expression in x, y, z, such as a `partial`."""
    text, level = _print(expr.xreplace({s: sympy.Symbol(f"{{{s}}}") for s in X}))
    return text, {level: kind for kind, level in PRECEDENCE.items()}[level]


def _print(expr: sympy.Expr) -> Printed:
    """The text and precedence of any expression."""
    if expr.is_Rational:
        return _rational(expr)
    if not expr.free_symbols and not isinstance(expr, RowFunction):
        return _literal(float(expr.evalf(20)))
    if expr.is_Symbol:
        return str(expr), 5
    if expr.is_Add:
        return _sum(expr)
    if expr.is_Mul:
        return _product(expr)
    if expr.is_Pow:
        return _power(expr.base, expr.exp)
    if isinstance(expr, sympy.Piecewise):
        return _where(expr)
    return _call(expr)


def _within(expr: sympy.Expr, least: int) -> str:
    """The text, in parentheses when it binds less than `least`."""
    text, level = _print(expr)
    return text if level >= least else f"({text})"


def _literal(value: float) -> Printed:
    """A Python number: whole ones as int, unless NumPy 1 would let them widen float32."""
    text = repr(int(value) if value.is_integer() and abs(value) < 2**16 else value)
    return text, 3 if value < 0 else 5


def _rational(value: sympy.Rational) -> Printed:
    if _is_short(value):
        return _literal(float(value))
    return f"{_literal(float(value.p))[0]} / {_literal(float(value.q))[0]}", 2


def _is_short(value: sympy.Rational) -> bool:
    """Whether a rational is a decimal of a few digits, or exact in binary."""
    return value.q & (value.q - 1) == 0 or len(repr(float(abs(value)))) <= 8


def _sum(expr: sympy.Add) -> Printed:
    text = ""
    for term in expr.as_ordered_terms():
        negative = term.could_extract_minus_sign()
        part = _within(-term if negative else term, 2 if negative else 1)
        sign = "-" if negative else "+"
        text = f"{text} {sign} {part}" if text else (f"-{part}" if negative else part)
    return text, 1


def _product(expr: sympy.Mul) -> Printed:
    coefficient, factors = expr.as_coeff_mul()
    above: list[sympy.Expr] = []
    below: list[sympy.Expr] = []
    for factor in sorted(factors, key=lambda f: (bool(f.free_symbols), f.is_Add)):
        base, exponent = factor.as_base_exp()
        inverse = exponent.is_Rational and exponent < 0
        (below if inverse else above).append(base ** (-exponent) if inverse else factor)
    number = coefficient if not coefficient.is_Rational else abs(coefficient)
    divisor = 1
    if number.is_Rational and not _is_short(number):
        number, divisor = sympy.Integer(number.p), number.q
    parts = [_within(f, 3) for f in above]
    if number != 1 or not parts:
        parts.insert(0, _within(number, 3))
    if divisor != 1:
        below.insert(0, sympy.Integer(divisor))
    text = " * ".join(parts) + "".join(f" / {_within(f, 3)}" for f in below)
    return (f"-{text}", 2) if coefficient.is_negative else (text, 2)


def _power(base: sympy.Expr, exponent: sympy.Expr) -> Printed:
    if exponent == sympy.Rational(1, 2):
        return f"np.sqrt({_print(base)[0]})", 5
    if exponent.is_Rational and exponent < 0:
        return f"1 / {_within(base ** (-exponent), 3)}", 2
    text, level = _print(base)
    if exponent in (3, 4) and level == 5:  # NumPy's own cubes are slow
        return " * ".join([text] * int(exponent)), 2
    return f"{text if level == 5 else f'({text})'} ** {_within(exponent, 4)}", 4


def _where(expr: sympy.Piecewise) -> Printed:
    *branches, (last, final) = expr.args
    text = _print(last)[0]
    if final != sympy.true:
        branches.append((last, final))
        text = "np.nan"
    if not any(value.free_symbols for value, _ in expr.args):  # numbers alone have no dtype
        array = min(map(str, expr.free_symbols))
        text = f"{text} + np.zeros_like({array})" if last else f"np.zeros_like({array})"
    for value, condition in reversed(branches):
        text = f"np.where({_condition(condition)}, {_print(value)[0]}, {text})"
    return text, 5


def _condition(condition: sympy.Basic) -> str:
    if isinstance(condition, Relational):
        return f"{_within(condition.lhs, 1)} {condition.rel_op} {_within(condition.rhs, 1)}"
    parts = [f"({_condition(c)})" for c in condition.args]
    if isinstance(condition, sympy.Not):
        return f"~{parts[0]}"
    return (" & " if isinstance(condition, sympy.And) else " | ").join(parts)


def _call(expr: sympy.Expr) -> Printed:
    """A row by its own spelling, or one of SymPy's functions."""
    if not isinstance(expr, RowFunction) and expr.func in _FUNCTIONS:
        return f"np.{_FUNCTIONS[expr.func]}({', '.join(_print(a)[0] for a in expr.args)})", 5
    name = expr.row_name if isinstance(expr, RowFunction) else _spelled_row(expr)
    template, kind = numpy_template(name)
    return fill(template, [_print(a)[0] for a in expr.args], {
        h: f"{{{h}}}" for h in helpers_in(template)}), PRECEDENCE[kind]


def _spelled_row(expr: sympy.Expr) -> str:
    """A row that is defined as one of SymPy's functions and spells it in NumPy."""
    for row in registry().rows.values():
        if row.numpy is not None and row.definition == expr.func(*X[: len(expr.args)]):
            return row.name
    raise UnsupportedError(f"NumPy has no {expr.func.__name__}: give the row a spelling of its own")
