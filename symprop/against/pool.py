"""Expressions that could be missing from a statement.

In: a statement, the function it stands in, the values of the locals, the sizes. Out: factors and
terms as trees with their texts: parts of the author's own lines, common functions of the arrays at
hand, and sizes.
"""

import ast
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from symprop.against.source import Source

Piece = tuple[str, ast.expr]

OF_ONE = ("({} > 0)", "(1 - {} * {})", "{} * (1 - {})", "(1 - {})", "{}", "1 / {}", "1 / {}.size",
          "{}[:, None]", "{}.sum(0)", "{}.sum(-1, keepdims=True)")
TERMS_OF_ONE = ("{}", "{}.sum(0)", "{}.mean(0)", "{}.sum(-1, keepdims=True)",
                "{}.mean(-1, keepdims=True)")
TERMS_OF_TWO = ("({} * {}).sum(0)", "({} * {}).mean(0)", "({} * {}).sum(-1, keepdims=True)",
                "({} * {}).mean(-1, keepdims=True)", "{} * {}", "{} @ {}.T", "{} @ {}")
TERMS_OF_THREE = ("{} * ({} * {}).mean(0)", "{} * ({} * {}).sum(0)",
                  "{} * ({} * {}).sum(-1, keepdims=True)")
NUMBERS = ("2", "0.5")


def factors(
    source: Source, seen: Mapping[str, Any], sizes: Mapping[str, int]
) -> list[Piece]:
    """Return what a part of a statement could have to be multiplied by."""
    found = [_piece(text) for text in NUMBERS]
    for name in sizes:  # these names are known where a change is tried, if the author has none
        found += [_piece(f"1 / {name}"), _piece(name)]
    for name in _atoms(source, seen):
        found += [_piece(form.replace("{}", name)) for form in OF_ONE]
    return found + list(_own_parts(source))


def terms(source: Source, seen: Mapping[str, Any]) -> list[Piece]:
    """Return what a part of a statement could have to be added to."""
    names = _atoms(source, seen)
    found = list(_own_parts(source))
    found += [_piece(form.replace("{}", name)) for name in names for form in TERMS_OF_ONE]
    near = [n for n in names if n.startswith("d")]
    near += [n for n in names if n not in near][-4:]
    pairs = [(a, b) for k, a in enumerate(near) for b in near[k:]]
    found += [_piece(form.format(a, b)) for a, b in pairs for form in TERMS_OF_TWO]
    found += [_piece(form.format(c, a, b)) for a, b in pairs for c in near
              for form in TERMS_OF_THREE]
    return found


def _own_parts(source: Source) -> Iterator[Piece]:
    """Yield the parts of the author's own lines, each once."""
    seen: set[str] = set()
    for statement in source.statements():
        for node in ast.walk(statement):
            if isinstance(node, ast.BinOp | ast.Compare | ast.Subscript | ast.Call | ast.UnaryOp):
                text = ast.unparse(node)
                if text not in seen:
                    seen.add(text)
                    yield _piece(text)  # a tree of its own: it may come to stand inside itself


def _atoms(source: Source, seen: Mapping[str, Any]) -> list[str]:
    """Return the names of arrays, and their parts such as h[t + 1] that occur in the lines."""
    names = list(_arrays(seen))
    parts = [text for text, node in _own_parts(source)
             if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name)
             and node.value.id in names]
    return names + parts


def _arrays(seen: Mapping[str, Any]) -> Sequence[str]:
    return [n for n, v in seen.items()
            if isinstance(v, np.ndarray | np.floating) and np.asarray(v).dtype.kind == "f"]


def _piece(text: str) -> Piece:
    return text, ast.parse(text, mode="eval").body
