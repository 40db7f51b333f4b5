"""Reads the shapes of the arguments of a function from its annotations.

In: annotations as Python hands them over: shape texts, dicts, lists and tuples of them,
dataclasses, jaxtyping's types, and all of these as source text where the file begins with
`from __future__ import annotations`. Out: trees of `ArraySpec`s. Source text is parsed, never
evaluated.
"""

import ast
import sys
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from symprop.check.trees import Record, Tree, part_name
from symprop.errors import ShapeError
from symprop.shapes import meant_by, parse_spec

LONGEST_SOURCE = 50_000
MOST_ENTRIES = 10_000  # of [{"W": "D D"}] * 12
JAXTYPING = {"Float": "float", "Int": "int", "UInt": "int", "Integer": "int", "Bool": "bool"}


def read_annotation(annotation: object, where: str, namespace: Mapping[str, Any]) -> Tree:
    """Return the tree of shapes that `annotation` declares for the argument `where`.

    `namespace` holds the dataclasses that a text may name. ShapeError where it is unreadable.

    >>> read_annotation([{"W": "D D"}], "blocks", {})[0]["W"].names()
    ('D',)
    """
    if isinstance(annotation, str):
        return _from_text(annotation, where, namespace)
    if isinstance(annotation, Mapping):
        return {
            str(key): read_annotation(part, part_name(where, key), namespace)
            for key, part in annotation.items()
        }
    if isinstance(annotation, list | tuple):
        parts = (
            read_annotation(part, part_name(where, key), namespace)
            for key, part in enumerate(annotation)
        )
        return list(parts) if isinstance(annotation, list) else tuple(parts)
    if isinstance(annotation, type) and is_dataclass(annotation):
        return _from_dataclass(annotation, where)
    if hasattr(annotation, "dim_str") and hasattr(annotation, "dtypes"):
        return parse_spec(f"{_kind(annotation.dtypes)} {annotation.dim_str}", where)
    raise ShapeError(f"{where} is annotated with {_shown(annotation)}, which is not a shape")


def _from_text(text: str, where: str, namespace: Mapping[str, Any]) -> Tree:
    """Tell a shape from source text that stands for a structure."""
    stripped = text.strip()
    known = namespace.get(stripped)
    if isinstance(known, type) and is_dataclass(known):
        return _from_dataclass(known, where)
    if stripped[:1] in ("(", "[") and _names_nothing(stripped, namespace):
        return parse_spec(stripped, where)  # which says how "(N, K)" is written
    is_tuple = stripped.startswith("(") and ("," in stripped or stripped == "()")
    if not (is_tuple or any(sign in stripped for sign in "[{'\"")):
        return parse_spec(stripped, where)
    if len(stripped) > LONGEST_SOURCE:
        raise ShapeError(f"the annotation of {where} is longer than {LONGEST_SOURCE} characters")
    try:
        return _from_source(ast.parse(stripped, mode="eval").body, where, namespace)
    except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
        if isinstance(error, ShapeError):
            raise
        raise ShapeError(f"the annotation {_shown(text)} of {where} is not readable") from None


def _names_nothing(text: str, namespace: Mapping[str, Any]) -> bool:
    """Whether a text in brackets is a shape as NumPy prints it, not one of structures by name."""
    words = meant_by(text).split()
    held = (namespace.get(word) for word in words)
    return len(words) > 0 and not any(isinstance(h, type | Mapping | list | tuple) for h in held)


def _from_source(node: ast.expr, where: str, namespace: Mapping[str, Any]) -> Tree:
    """Read one parsed expression; only literals, class names and jaxtyping's types pass."""
    match node:
        case ast.Constant(value=str(text)):
            return parse_spec(text, where)
        case ast.Dict(keys=keys, values=values):
            names = [
                key.value
                for key in keys
                if isinstance(key, ast.Constant) and isinstance(key.value, str)
            ]
            if len(names) == len(values):
                return {
                    name: _from_source(value, part_name(where, name), namespace)
                    for name, value in zip(names, values, strict=True)
                }
        case ast.List(elts=parts) | ast.Tuple(elts=parts):
            trees = [
                _from_source(part, part_name(where, key), namespace)
                for key, part in enumerate(parts)
            ]
            return trees if isinstance(node, ast.List) else tuple(trees)
        case ast.BinOp(left=ast.List() | ast.Tuple() as left, op=ast.Mult(),
                       right=ast.Constant(value=int(count))) if 0 < count <= MOST_ENTRIES:
            return _from_source(left, where, namespace) * count
        case ast.Name(id=name):
            return read_annotation(namespace.get(name), where, namespace)
        case ast.Subscript(
            value=ast.Name(id=kind) | ast.Attribute(attr=kind),
            slice=ast.Tuple(elts=[_, ast.Constant(value=str(text))]),
        ) if kind in JAXTYPING:
            return parse_spec(f"{JAXTYPING[kind]} {text}", where)
    raise ShapeError(f"the annotation of {where} holds {_shown(ast.unparse(node))}, not a shape")


def _from_dataclass(cls: type, where: str) -> Record:
    namespace = vars(sys.modules[cls.__module__]) if cls.__module__ in sys.modules else {}
    items = {
        field.name: read_annotation(field.type, f"{where}_{field.name}", namespace)
        for field in fields(cls)
    }
    return Record(cls, items)


def _kind(dtypes: object) -> str:
    """Name the kind of number that jaxtyping's list of dtypes stands for."""
    text = str(dtypes)
    return "float" if "float" in text else "int" if "int" in text else "bool"


def _shown(value: object) -> str:
    text = ascii(value)
    return text if len(text) <= 60 else text[:57] + "..."
