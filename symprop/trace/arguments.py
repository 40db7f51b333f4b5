"""The arguments of the user's function: shapes, constants, structures.

In: a function, the mapping `shapes`, the mapping `static`. Out: `Argument`s, the declared
arrays, and the traced values with which the function is called.
"""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from symprop.algebra.build import access as access_to
from symprop.algebra.build import add, idx, iverson, mul, number, size, sub
from symprop.algebra.canonical import normal
from symprop.algebra.expr import Expr
from symprop.algebra.integers import exact_quotient
from symprop.check.annotations import read_annotation
from symprop.check.trees import Record, children, flatten, part_name, rebuild
from symprop.errors import InputError, NameRuleError, ShapeError
from symprop.names import check_name, unused
from symprop.shapes import ArraySpec, Dim
from symprop.system import Argument, Array
from symprop.trace.shapes_of import new_axes
from symprop.trace.tables import lent
from symprop.trace.tensor import Traced
from symprop.trace.tracer import Tracer

_FUTURE = 0x1000000  # the code flag of `from __future__ import annotations`
_NUMBERS = ("int", "float", "bool", "complex")
_NOT_SHAPES = ("int", "float", "bool", "str", "complex", "object", "None")


@dataclass
class Arguments:
    """What is known of the arguments before the function runs."""

    arguments: list[Argument] = field(default_factory=list)
    specs: dict[str, Any] = field(default_factory=dict)  # argument -> tree of ArraySpecs
    leaves: dict[str, ArraySpec] = field(default_factory=dict)
    written: dict[str, str] = field(default_factory=dict)  # the annotations that are one text


def read_arguments(
    function: Callable[..., Any], shapes: Mapping[str, Any] | None,
    static: Mapping[str, Any] | None,
) -> Arguments:
    """The arguments with their shapes. ShapeError, NameRuleError or InputError if unusable."""
    shapes, static = _mapping(shapes, "shapes"), _mapping(static, "static")
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError) as error:
        raise InputError(f"the arguments of {function!r} cannot be read: {error}") from error
    for given, what in ((shapes, "shapes"), (static, "static")):
        for name in given:
            if name not in signature.parameters:
                raise InputError(
                    f"{what} names {name!r}, which is no argument; the arguments are "
                    f"{', '.join(signature.parameters)}")
    found = Arguments()
    for name, parameter in signature.parameters.items():
        check_name(name, "an argument")
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            raise InputError(f"the argument *{name} stands for any number of arrays: give each "
                             "array a name of its own")
        if name in static and name in shapes:
            raise InputError(f"the argument {name} is in shapes and in static")
        _read_one(found, function, parameter, shapes, static)
    return found


def _mapping(value: Mapping[str, Any] | None, what: str) -> Mapping[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise InputError(f"{what} must be a mapping from argument names, not {value!r}")
    return value


def _read_one(
    found: Arguments, function: Callable[..., Any], parameter: inspect.Parameter,
    shapes: Mapping[str, Any], static: Mapping[str, Any],
) -> None:
    name = parameter.name
    default = None if parameter.default is parameter.empty else parameter.default
    annotation = shapes.get(name, _declared(function, parameter))
    if name in static or annotation is None:
        if name not in static and parameter.default is parameter.empty:
            raise ShapeError(_no_shape(name, parameter.annotation))
        value = static.get(name, default)
        found.arguments.append(Argument(name, None, None, value, default))
        return
    if isinstance(annotation, str):
        found.written[name] = annotation.strip().strip("'\"")
    namespace = getattr(function, "__globals__", {})
    spec = read_annotation(annotation, name, namespace)
    leaves = flatten(name, spec)
    for leaf, leaf_spec in leaves.items():
        check_name(leaf, "an array")
        if leaf in found.leaves:
            raise NameRuleError(f"two arrays are called {leaf}: one is a part of {name}")
        found.leaves[leaf] = leaf_spec
    found.specs[name] = spec
    container = spec.cls if isinstance(spec, Record) else None
    found.arguments.append(Argument(
        name, _mapped(name, spec, lambda n, _: n), _mapped(name, spec, lambda _, s: str(s)),
        None, default, container))


def _no_shape(name: str, annotation: Any) -> str:
    """What to say of an argument without a shape and without a default."""
    kind = getattr(annotation, "__name__", annotation)
    if kind in _NUMBERS:
        return (f"the argument {name} has no shape, for {kind} is a type: write {name}: \"\" for a "
                f"scalar array, or give it a default, as in {name}=1, to make it a constant")
    return (f"the argument {name} has no shape: annotate it, as in {name}: \"N K\", or give "
            f"shapes={{{name!r}: \"N K\"}}")


def _declared(function: Callable[..., Any], parameter: inspect.Parameter) -> Any:
    """The annotation where it is a shape; None where there is none, or it is a plain type."""
    annotation = parameter.annotation
    if annotation is parameter.empty or annotation is None:
        return None
    if isinstance(annotation, str):
        code = getattr(inspect.unwrap(function), "__code__", None)
        if code is not None and code.co_flags & _FUTURE and _is_type_source(annotation):
            return None
        return annotation
    if isinstance(annotation, type) and annotation.__name__ in _NOT_SHAPES:
        return None
    module = getattr(annotation, "__module__", "")
    return None if module in ("typing", "types", "numpy", "collections.abc") else annotation


def _is_type_source(text: str) -> bool:
    """Whether the source text of an annotation is a plain type such as int or np.ndarray."""
    try:
        node = ast.parse(text, mode="eval").body
    except SyntaxError:
        return False
    if isinstance(node, ast.Name):
        return node.id in _NOT_SHAPES
    return isinstance(node, ast.Attribute | ast.BinOp) and "np." in text + "."


def _mapped(name: str, tree: Any, change: Callable[[str, Any], Any]) -> Any:
    """The structure with `change(leaf name, leaf)` in place of every leaf."""
    parts = children(tree)
    if parts is None:
        return change(name, tree)
    built = {key: _mapped(part_name(name, key), part, change) for key, part in parts.items()}
    if isinstance(tree, list | tuple):
        return list(built.values()) if isinstance(tree, list) else tuple(built.values())
    return built


# ---- declared arrays ----------------------------------------------------------------------


def declare(found: Arguments, tracer: Tracer) -> None:
    """Gives the tracer the declared arrays and the named sizes."""
    for name in found.leaves:
        tracer.taken.add(name)
    for spec in found.leaves.values():
        for size_name in spec.names():
            if size_name not in tracer.size_names:
                tracer.size_names.append(size_name)
    for name, spec in found.leaves.items():
        shape = tuple(_axis(tracer, name, k, d) for k, d in enumerate(spec.dims))
        tracer.arrays[name] = Array(name, spec.dtype, shape, "input")


def _axis(tracer: Tracer, name: str, axis: int, dim: Dim) -> Expr:
    if dim.kind == "_":
        own = unused(f"{name}_{axis}", tracer.size_names)
        tracer.size_names.append(own)
        return size(own)
    expr = normal(dim_expr(dim, tracer))
    if expr.number is not None and expr.number < 0:
        raise ShapeError(f"axis {axis} of {name} is declared as {dim}, which is less than 0")
    return expr


def dim_expr(dim: Dim, tracer: Tracer) -> Expr:
    """A declared axis as a size; its quotients are taken to be whole (the door tests them)."""
    if dim.kind == "name":
        return size(dim.name)
    if dim.kind == "number":
        return number(dim.value)
    left, right = (dim_expr(d, tracer) for d in dim.args)
    if dim.kind == "//":
        if right.is_zero:
            raise ShapeError(f"the axis {dim} divides by 0")
        tracer.assume_divides(normal(left), normal(right))
        return exact_quotient(left, right)
    if dim.kind == "*":
        return mul(left, right)
    return add(left, right) if dim.kind == "+" else sub(left, right)


def call_values(found: Arguments, tracer: Tracer) -> dict[str, Any]:
    """The values with which the function is called: traced arrays, and constants as they are."""
    values = argument_values(found, {name: input_array(tracer, name) for name in found.leaves})
    constants = {a.name for a in found.arguments if a.tree is None}
    return {name: lent(v) if name in constants else v for name, v in values.items()}


def argument_values(found: Arguments, leaves: Mapping[str, Any]) -> dict[str, Any]:
    """Every argument: a structure of the given leaves, or a constant as it is."""
    values: dict[str, Any] = {}
    for argument in found.arguments:
        if argument.tree is None:
            values[argument.name] = argument.static
        else:
            values[argument.name] = rebuild(argument.name, found.specs[argument.name], leaves)
    return values


def input_array(tracer: Tracer, name: str) -> Traced:
    """A declared array as the function sees it."""
    array = tracer.arrays[name]
    axes = new_axes(array.shape)
    body = access_to(name, [idx(a) for a in axes])
    if array.dtype == "bool":
        body = iverson("!=", body, number(0))
    found = Traced(tracer, axes, body, array.dtype)
    found.is_input = True
    return found


def bound_call(function: Callable[..., Any], values: Mapping[str, Any]) -> Any:
    """Calls the function with the values where its signature wants them."""
    positional, named = [], {}
    for name, parameter in inspect.signature(function).parameters.items():
        if parameter.kind is parameter.KEYWORD_ONLY:
            named[name] = values[name]
        else:
            positional.append(values[name])
    return function(*positional, **named)


def module_of(function: Callable[..., Any]) -> str:
    """The name of the module in which the function was written."""
    name = getattr(function, "__module__", None) or ""
    return name if name in sys.modules else ""


