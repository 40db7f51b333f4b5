"""Single changes of a statement, each of which would repair one common mistake.

In: a statement, and expressions that could be missing from it. Out: changes that can be made and
taken back, each in words. A sign, a factor, a transpose, an axis, an index, a comparison, an array
in another's place, a sum for a mean, a lost accumulation, a missing factor or path.
"""

import ast
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

Put = Callable[[ast.expr], None]


@dataclass(frozen=True)
class Edit:
    """One change: what is wrong in words, and how to make it and take it back."""

    said: str
    make: Callable[[], None]
    undo: Callable[[], None]


def likely_edits(statement: ast.stmt) -> Iterator[Edit]:
    """Yield the changes of a sign, a factor, a term, an axis, a transpose, a comparison."""
    if isinstance(statement, ast.AugAssign):
        yield _operator(statement, "op", ast.Add(), ast.Sub(), "the sign is wrong")
    if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
        name, value = statement.targets[0].id, statement.value
        more = ast.BinOp(ast.Name(name, ast.Load()), ast.Add(), value)
        yield Edit(f"what is in {name} already is lost", _setting(statement, "value", more),
                   _setting(statement, "value", value))
    for node, put in _slots(statement):
        for said, other in (*_of_product(node), *_of_sum(node), *_of_leaf(node)):
            yield Edit(said, _putting(put, other), _putting(put, node))
    for part in ast.walk(statement):
        yield from _attributes(part)


def unlikely_edits(statement: ast.stmt, names: Sequence[str]) -> Iterator[Edit]:
    """Yield the changes that put another array in the place of one, or work on any part."""
    for node, put in _slots(statement):
        for said, other in _others(node, names):
            yield Edit(said, _putting(put, other), _putting(put, node))


def factor_edits(
    statement: ast.stmt, factors: Sequence[tuple[str, ast.expr]], whole: bool
) -> Iterator[Edit]:
    """Yield the changes that multiply a statement, or unless `whole` a part of it, by something."""
    for node, put in _parts(statement, whole):
        for text, factor in factors:
            product = ast.BinOp(node, ast.Mult(), factor)
            yield Edit(f"the factor {text} is missing", _putting(put, product), _putting(put, node))


def path_edits(
    statement: ast.stmt, terms: Sequence[tuple[str, ast.expr]], whole: bool
) -> Iterator[Edit]:
    """Yield the changes that add something to a statement, or unless `whole` to a part of it."""
    for node, put in _parts(statement, whole):
        for text, term in terms:
            for sign, op in (("+", ast.Add()), ("-", ast.Sub())):
                total = ast.BinOp(node, op, term)
                said = f"a path is missing: the term {sign} {text}"
                yield Edit(said, _putting(put, total), _putting(put, node))


def _others(node: ast.expr, names: Sequence[str]) -> Iterator[tuple[str, ast.expr]]:
    """Yield what could stand in the place of a node, each with what is wrong now."""
    text = ast.unparse(node)
    if isinstance(node, ast.Name) or (isinstance(node, ast.Constant) and text.isdigit()):
        for word in (word for word in names if word != text):
            other = ast.Name(word, ast.Load())
            yield f"{text} stands where {word} should", other
            if isinstance(node, ast.Constant):
                for op, said in ((ast.Add(), "+"), (ast.Sub(), "-")):
                    moved = ast.BinOp(other, op, ast.Constant(1))
                    yield f"{text} stands where {word} {said} 1 should", moved
    if isinstance(node, ast.Name | ast.Attribute | ast.Subscript | ast.BinOp | ast.Call):
        yield f"a transpose of {text} is missing", ast.Attribute(node, "T", ast.Load())
        yield f"the sign of {text} is wrong", ast.UnaryOp(ast.USub(), node)
    if isinstance(node, ast.Name | ast.BinOp | ast.Call | ast.Subscript):
        yield f"{text} is one too small", ast.BinOp(node, ast.Add(), ast.Constant(1))
        yield f"{text} is one too large", ast.BinOp(node, ast.Sub(), ast.Constant(1))
        yield f"{text} should be taken from 1", ast.BinOp(ast.Constant(1), ast.Sub(), node)
        square = ast.BinOp(node, ast.Pow(), ast.Constant(2))
        yield f"the square of {text} is missing", square


def _of_leaf(node: ast.expr) -> Iterator[tuple[str, ast.expr]]:
    match node:
        case ast.UnaryOp(op=ast.USub(), operand=inner):
            yield f"the sign of {ast.unparse(inner)} is wrong", inner
        case ast.Attribute(attr="T", value=inner):
            yield f"the transpose in {ast.unparse(node)} is too much", inner
        case ast.Constant(value=bool() | str() | None):
            return
        case ast.Constant(value=int(number)):
            for other in (number + 1, number - 1):
                yield f"{number} should be {other}", ast.Constant(other)
        case ast.BinOp(op=ast.MatMult(), left=left, right=right):
            for one, two, which in ((True, False, left), (False, True, right)):
                product = ast.BinOp(_transposed(left, one), ast.MatMult(), _transposed(right, two))
                yield f"a transpose of {ast.unparse(which)} is missing", product


def _transposed(node: ast.expr, is_so: bool) -> ast.expr:
    return ast.Attribute(node, "T", ast.Load()) if is_so else node


def _of_product(node: ast.expr) -> Iterator[tuple[str, ast.expr]]:
    match node:
        case ast.BinOp(op=ast.Mult(), left=left, right=right):
            yield f"the factor {ast.unparse(right)} is too much", left
            yield f"the factor {ast.unparse(left)} is too much", right
            yield f"it should be divided by {ast.unparse(right)}", ast.BinOp(left, ast.Div(), right)
        case ast.BinOp(op=ast.Div(), left=left, right=right):
            yield f"the division by {ast.unparse(right)} is too much", left
            yield f"it should be multiplied by {ast.unparse(right)}", ast.BinOp(
                left, ast.Mult(), right)
        case ast.BinOp(op=ast.MatMult(), left=left, right=right):
            yield "the factors of @ are exchanged", ast.BinOp(right, ast.MatMult(), left)
            transposed = ast.Attribute(ast.BinOp(left, ast.MatMult(), right), "T", ast.Load())
            yield "the product should be transposed", transposed
        case ast.BinOp(op=ast.Pow(), left=left):
            yield f"the power of {ast.unparse(left)} is too much", left


def _of_sum(node: ast.expr) -> Iterator[tuple[str, ast.expr]]:
    match node:
        case ast.BinOp(op=ast.Add() | ast.Sub() as op, left=left, right=right):
            plus = isinstance(op, ast.Add)
            text = ast.unparse(right)
            opposite = ast.Sub() if plus else ast.Add()
            yield f"the sign of {text} is wrong", ast.BinOp(left, opposite, right)
            yield f"the term {text} is too much", left
            yield f"the term {ast.unparse(left)} is too much", (
                right if plus else ast.UnaryOp(ast.USub(), right))
            first = ast.UnaryOp(ast.USub(), left)
            yield f"the sign of {ast.unparse(left)} is wrong", ast.BinOp(first, op, right)
        case ast.Call(args=[first, second, *rest], func=function, keywords=keywords):
            swapped = ast.Call(function, [second, first, *rest], keywords)
            yield f"the arguments of {ast.unparse(function)} are exchanged", swapped


def _attributes(node: ast.AST) -> Iterator[Edit]:
    """Yield changes of a name of a method, a comparison, or the ends of a slice."""
    exchanged = {"sum": "mean", "mean": "sum", "sin": "cos", "cos": "sin", "maximum": "minimum"}
    match node:
        case ast.Attribute(attr=word) if word in exchanged:
            other = exchanged[word]
            yield Edit(f"{word} should be {other}", lambda: setattr(node, "attr", other),
                       lambda: setattr(node, "attr", word))
        case ast.Compare(ops=[op]):
            for other_op in (ast.Gt(), ast.Lt(), ast.GtE(), ast.LtE(), ast.Eq(), ast.NotEq()):
                if type(other_op) is not type(op):
                    yield Edit("the comparison is wrong", _setting(node, "ops", [other_op]),
                               _setting(node, "ops", [op]))
        case ast.Slice(lower=low, upper=high, step=None):
            for lower, upper in ((1, None), (None, -1)):
                def make(lower: int | None = lower, upper: int | None = upper) -> None:
                    node.lower = None if lower is None else ast.Constant(lower)
                    node.upper = None if upper is None else ast.Constant(upper)

                def undo() -> None:
                    node.lower, node.upper = low, high

                yield Edit("the slice is shifted", make, undo)


def _operator(node: ast.AST, field: str, one: ast.AST, two: ast.AST, said: str) -> Edit:
    present = getattr(node, field)
    other = two if isinstance(present, type(one)) else one
    return Edit(said, _setting(node, field, other), _setting(node, field, present))


def _slots(statement: ast.stmt) -> Iterator[tuple[ast.expr, Put]]:
    """Yield every expression that a statement reads, with a way to put another in its place."""
    value = getattr(statement, "value", None)
    if value is not None:
        yield value, _setter(statement, "value")
        yield from _inside(value)
    for target in getattr(statement, "targets", [getattr(statement, "target", None)]):
        if isinstance(target, ast.Subscript):
            yield target.slice, _setter(target, "slice")
            yield from _inside(target.slice)


def _inside(node: ast.AST) -> Iterator[tuple[ast.expr, Put]]:
    for field, value in ast.iter_fields(node):
        if isinstance(node, ast.Attribute) and isinstance(value, ast.Name):
            if node.attr == "T" or value.id not in ("np", "numpy"):
                yield value, _setter(node, field)
            continue
        if field == "func" and isinstance(value, ast.Name):
            continue
        parts = value if isinstance(value, list) else [value]
        for k, part in enumerate(parts):
            if isinstance(part, ast.keyword):
                yield from _inside(part)
            elif isinstance(part, ast.expr):
                if field not in ("func", "keys"):
                    yield part, _setter(node, field, k if isinstance(value, list) else None)
                yield from _inside(part)


def _parts(statement: ast.stmt, whole: bool) -> Iterator[tuple[ast.expr, Put]]:
    """Yield the value of a statement, or the values of its display; else the parts of these."""
    for node, put in _slots(statement):
        value = getattr(statement, "value", None)
        outer = value.values if isinstance(value, ast.Dict) else [value]
        if whole != (node in outer):
            continue
        if whole or isinstance(node, ast.BinOp | ast.Name | ast.Call | ast.Subscript):
            yield node, put


def _setter(owner: ast.AST, field: str, index: int | None = None) -> Put:
    def put(node: ast.expr) -> None:
        if index is None:
            setattr(owner, field, node)
        else:
            getattr(owner, field)[index] = node

    return put


def _putting(put: Put, node: ast.expr) -> Callable[[], None]:
    return lambda: put(node)


def _setting(owner: ast.AST, field: str, value: object) -> Callable[[], None]:
    return lambda: setattr(owner, field, value)
