"""The NumPy text of a row.

In: rows. Out: templates with {x}, {y}, {z} for the arguments and {name} for a helper function
of that name; the texts of the helpers; and the text of a module that holds rows as functions.
A row without a spelling is printed from its definition. Constants become Python floats, so
that a float32 array stays float32.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Sequence

import sympy
from sympy.core.relational import Relational

from symprop.algebra.rows_registry import RowFunction, get, names, registry, resolved
from symprop.algebra.rows_row import Row, X
from symprop.errors import InputError, UnsupportedError
from symprop.syntax.layout import ATOM, flat, precedence
from symprop.syntax.tree import minus, over, plus, product, quote, tree

_FUNCTIONS = {
    sympy.exp: "exp", sympy.log: "log", sympy.sin: "sin", sympy.cos: "cos", sympy.tan: "tan",
    sympy.asin: "arcsin", sympy.acos: "arccos", sympy.atan: "arctan", sympy.atan2: "arctan2",
    sympy.sinh: "sinh", sympy.cosh: "cosh", sympy.tanh: "tanh", sympy.asinh: "arcsinh",
    sympy.acosh: "arccosh", sympy.atanh: "arctanh", sympy.Abs: "abs", sympy.sign: "sign",
    sympy.floor: "floor", sympy.ceiling: "ceil",
}
_PLACEHOLDER = re.compile(r"\{([A-Za-z]\w*)\}")


# ---- templates ----------------------------------------------------------------------------


def numpy_template(name: str) -> str:
    """The NumPy spelling of a row."""
    row = get(name)
    return numpy_from_definition(row) if row.numpy is None else row.numpy


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
        template = numpy_template(name)
        used = helpers_in(template)
        helpers.extend(used)
        arguments = [str(s) for s in X[: get(name).arity]]
        body = flat(quote(template, **{a: a for a in arguments}, **{h: f"_{h}" for h in used}))
        definitions.append(f"def {name}({', '.join(arguments)}):\n    return {body}\n")
    sources = [helper_source(h, f"_{h}") for h in dict.fromkeys(helpers)]
    return "\n\n".join(["import numpy as np\n", *sources, *definitions])


# ---- printing a definition ----------------------------------------------------------------


def numpy_from_definition(row: Row) -> str:
    """The definition as NumPy text; Piecewise becomes np.where.

    Raises UnsupportedError for what NumPy cannot compute.

    >>> numpy_from_definition(get("softplus"))
    'np.log(np.exp({x}) + 1)'
    """
    return numpy_of(resolved(row.definition, {}))


def numpy_of(expr: sympy.Expr) -> str:
    """`numpy_from_definition` for any expression in x, y, z, such as a `partial`."""
    return flat(_tree(expr))


def _tree(expr: sympy.Expr) -> ast.expr:
    """Any expression; its symbols are places, {x}."""
    if expr.is_Rational:
        return _rational(expr)
    if not expr.free_symbols and not isinstance(expr, RowFunction):
        return _number(float(expr.evalf(20)))
    if expr.is_Symbol:
        return tree(f"{{{expr}}}")
    if expr.is_Add:
        return _sum(expr)
    if expr.is_Mul:
        return _product(expr)
    if expr.is_Pow:
        return _power(expr.base, expr.exp)
    return _where(expr) if isinstance(expr, sympy.Piecewise) else _call(expr)


def _number(value: float) -> ast.expr:
    """A Python number: whole ones as int, unless NumPy 1 would let them widen float32."""
    return tree(int(value) if value.is_integer() and abs(value) < 2**16 else value)


def _rational(value: sympy.Rational) -> ast.expr:
    if _is_short(value):
        return _number(float(value))
    return over(_number(float(value.p)), [_number(float(value.q))])


def _is_short(value: sympy.Rational) -> bool:
    """Whether a rational is a decimal of a few digits, or exact in binary."""
    return value.q & (value.q - 1) == 0 or len(repr(float(abs(value)))) <= 8


def _sum(expr: sympy.Add) -> ast.expr:
    terms = [(t, t.could_extract_minus_sign()) for t in expr.as_ordered_terms()]
    first, *rest = ((_tree(-t if negative else t), negative) for t, negative in terms)
    found = minus(first[0]) if first[1] else first[0]
    for part, negative in rest:
        found = ast.BinOp(found, ast.Sub(), part) if negative else plus(found, part)
    return found


def _product(expr: sympy.Mul) -> ast.expr:
    coefficient, factors = expr.as_coeff_mul()
    above: list[sympy.Expr] = []
    below: list[sympy.Expr] = []
    for factor in sorted(factors, key=lambda f: (bool(f.free_symbols), f.is_Add)):
        base, exponent = factor.as_base_exp()
        inverse = exponent.is_Rational and exponent < 0
        (below if inverse else above).append(base ** (-exponent) if inverse else factor)
    number = coefficient if not coefficient.is_Rational else abs(coefficient)
    if number.is_Rational and not _is_short(number):
        number, below = sympy.Integer(number.p), [sympy.Integer(number.q), *below]
    if number != 1 or not above:
        above.insert(0, number)
    found = over(product(map(_tree, above)), map(_tree, below))
    return minus(found) if coefficient.is_negative else found


def _power(base: sympy.Expr, exponent: sympy.Expr) -> ast.expr:
    if exponent == sympy.Rational(1, 2):
        return quote("np.sqrt({x})", x=_tree(base))
    if exponent.is_Rational and exponent < 0:
        return over(tree(1), [_tree(base ** (-exponent))])
    found = _tree(base)
    if exponent in (3, 4) and precedence(found) == ATOM:  # NumPy's own cubes are slow
        return product([found] * int(exponent))
    return ast.BinOp(found, ast.Pow(), _tree(exponent))


def _where(expr: sympy.Piecewise) -> ast.expr:
    *branches, (last, final) = expr.args
    found = _tree(last)
    if final != sympy.true:
        branches.append((last, final))
        found = quote("np.nan")
    if not any(value.free_symbols for value, _ in expr.args):  # numbers alone have no dtype
        zeros = quote("np.zeros_like({x})", x=_tree(min(expr.free_symbols, key=str)))
        found = plus(found, zeros) if last else zeros
    for value, condition in reversed(branches):
        found = quote("np.where({test}, {yes}, {no})", test=_condition(condition),
                      yes=_tree(value), no=found)
    return found


def _condition(condition: sympy.Basic) -> ast.expr:
    if isinstance(condition, Relational):
        return quote(f"{{x}} {condition.rel_op} {{y}}", x=_tree(condition.lhs),
                     y=_tree(condition.rhs))
    first, *rest = map(_condition, condition.args)
    if isinstance(condition, sympy.Not):
        return quote("~{x}", x=first)
    for part in rest:
        first = quote("{x} & {y}" if isinstance(condition, sympy.And) else "{x} | {y}",
                      x=first, y=part)
    return first


def _call(expr: sympy.Expr) -> ast.expr:
    """A row by its own spelling, or one of SymPy's functions."""
    if not isinstance(expr, RowFunction) and expr.func in _FUNCTIONS:
        return quote(f"np.{_FUNCTIONS[expr.func]}({{args}})", args=[_tree(a) for a in expr.args])
    name, inner = (expr.row_name, expr.args) if isinstance(expr, RowFunction) else (
        _spelled_row(expr))
    template = numpy_template(name)
    helpers = {h: f"{{{h}}}" for h in helpers_in(template)}
    return quote(template, **dict(zip("xyz", map(_tree, inner), strict=False)), **helpers)


def _spelled_row(expr: sympy.Expr) -> tuple[str, Sequence[sympy.Expr]]:
    """A row that is defined as one of SymPy's functions and spells it in NumPy; its arguments.

    The definition may give some of the function's own: polygamma(0, x).
    """
    for row in registry().rows.values():
        formal = row.definition.args
        if row.numpy is None or row.definition.func is not expr.func or len(formal) != len(
                expr.args) or any(f.is_number and f != a
                                  for f, a in zip(formal, expr.args, strict=True)):
            continue
        if tuple(f for f in formal if not f.is_number) == X[: row.arity]:
            return row.name, [a for f, a in zip(formal, expr.args, strict=True)
                              if not f.is_number]
    raise UnsupportedError(f"NumPy has no {expr.func.__name__}: give the row a spelling of its own")
