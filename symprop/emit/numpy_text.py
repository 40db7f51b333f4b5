"""Signatures, tables and constants of a generated module as Python text.

In: arguments, facts, arrays. Out: lines of text.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Any

import numpy as np

from symprop.algebra.expr import Expr
from symprop.emit.numpy_layout import INDENT, WIDTH, breaks, filled, wrapped
from symprop.emit.numpy_names import Names
from symprop.emit.numpy_nodes import NumpyPrinter
from symprop.system import Argument, Array, System


def docstring(system: System, printer: NumpyPrinter) -> list[str]:
    """What the module is, how it is called, what it takes and what it assumes."""
    call = ", ".join(a.name for a in system.arguments if a.tree is not None)
    origin = f"{system.module}:{system.name}" if system.module else system.name
    departure = system.departure
    found = "updates" if departure else "gradients"
    lines = [
        f"{system.name}: loss and {found} in NumPy.", "",
        *paragraph(f"Made by symprop from {origin}."),
        "It belongs to whoever made it.", "",
        *([*paragraph(departure.statement), ""] if departure else ()),
        *(INDENT + t for t in wrapped(f"loss, saved = forward({call})")),
        INDENT + f"{found} = backward(saved)", "",
        *_table(system, printer), "",
    ]
    facts = facts_prose(system)
    if facts:
        lines += [*paragraph(f"It is assumed, and tested, that {' and that '.join(facts)}."), ""]
    meaning = "the update of W" if departure else "the gradient of the loss by W"
    return lines + paragraph(
        "(F1), (F2), ... number the equations of the forward pass and (B1), (B2), ... those of "
        f"their adjoints: dW is {meaning}. The derivation has these numbers.")


def paragraph(text: str) -> list[str]:
    """Prose, wrapped."""
    return textwrap.wrap(text, WIDTH, break_long_words=False, break_on_hyphens=False)


def _table(system: System, printer: NumpyPrinter) -> list[str]:
    """One line for every array that goes in."""
    inputs = [a for a in system.arrays.values() if a.kind == "input"]
    rows = [(a.name, printer.shape(a.shape) if a.shape else "a number", _what(a, system, printer))
            for a in inputs]
    wide = [min(24, max(len(r[k]) for r in rows)) for k in (0, 1)]
    lines = []
    for name, shape, what in rows:
        line = f"{INDENT}{name:<{wide[0]}}  {shape:<{wide[1]}}  {what}".rstrip()
        below = wrapped(f"{shape}  {what}".rstrip(), WIDTH - 8)
        lines += [line] if len(line) <= WIDTH else [
            INDENT + name, *(2 * INDENT + t for t in below)]
    return lines


def _what(array: Array, system: System, printer: NumpyPrinter) -> str:
    if array.name in system.wrt:
        return "parameter"
    for fixed, weight in system.departure.feedback if system.departure else ():
        if array.name == fixed:
            return f"fixed, random, in the place of {weight}" if weight else "fixed, random"
    words = {"float": "", "int": "integers", "bool": "truth values"}[array.dtype]
    limits = [printer.size(r.size)[0] for r in system.index_ranges if r.array == array.name]
    return f"{words} below {' and '.join(limits)}" if limits else words


def signature(
    function: str, arguments: Sequence[Argument], names: Names, validate: bool
) -> list[str]:
    """The def line, wrapped one argument a line when it is long."""
    parts = [f"{a.name}: {annotation(a.annotation)}" if a.tree is not None
             else f"{a.name}={a.static!r}" for a in arguments]
    if validate:
        parts.append(f"{names.own['validate']}=True")
    line = f"def {function}({', '.join(parts)}):"
    if len(line) <= WIDTH:
        return [line]
    lines = [f"def {function}("]
    for part in parts:
        if len(part) + 5 <= WIDTH:
            lines.append(f"    {part},")
            continue
        name, _, shape = part.partition(": ")
        inner = filled(shape, WIDTH - 8, WIDTH - 8, breaks)
        lines += [f"    {name}: (", *(8 * " " + t for t in inner), "    ),"]
    return [*lines, "):"]


def annotation(tree: Any) -> str:
    """A shape string, or a structure of them, as Python text."""
    if isinstance(tree, dict):
        return "{" + ", ".join(f'"{k}": {annotation(v)}' for k, v in tree.items()) + "}"
    if isinstance(tree, list):
        return "[" + ", ".join(map(annotation, tree)) + "]"
    if isinstance(tree, tuple):
        return "(" + ", ".join(map(annotation, tree)) + ("," if len(tree) == 1 else "") + ")"
    return f'"{tree}"'


def tuple_text(items: Sequence[str]) -> str:
    """A tuple of strings, over several lines when it is long."""
    inside = ", ".join(f'"{i}"' for i in items)
    line = f"({inside},)" if len(items) == 1 else f"({inside})"
    if len(line) <= 70:
        return line
    return "(\n" + "".join(f'    "{i}",\n' for i in items) + ")"


def facts_data(system: System, printer: NumpyPrinter) -> list[tuple[Any, ...]]:
    """FACTS, for check and train."""
    data: list[tuple[Any, ...]] = [(f.kind, f.array, *f.args) for f in system.facts]
    for entry in system.index_ranges:
        if system.arrays[entry.array].kind == "input":
            text = printer.size(entry.size)[0].replace(" ", "")
            low = "0-1" if entry.start is None else _signed(entry.start, printer)
            data.append(("index", entry.array, text, *([] if low == "0" else [low])))
    return data


def _signed(start: Expr, printer: NumpyPrinter) -> str:
    """A sum of sizes as the grammar of shapes has it: without a sign in front."""
    text = printer.size(start)[0].replace(" ", "")
    return f"0{text}" if text.startswith("-") else text


def facts_lines(facts: Sequence[tuple[Any, ...]]) -> list[str]:
    """The entries of FACTS as text."""
    lines: list[str] = []
    for fact in facts:
        text = repr(fact).replace("'", '"')
        if len(text) + 5 <= WIDTH:
            lines.append(f"{text},")
        else:
            inner = filled(text[1:-1], WIDTH - 8, WIDTH - 8, breaks)
            lines += ["(", *(INDENT + t for t in inner), "),"]
    return lines


def facts_prose(system: System) -> list[str]:
    """The facts in words."""
    words = {
        "sums_to_one": lambda f: f"{f.array} sums to 1 along axis {f.args[0]}",
        "symmetric": lambda f: f"{f.array} is symmetric",
        "positive_definite": lambda f: f"{f.array} is positive definite",
        "positive": lambda f: f"{f.array} is positive",
        "in_range": lambda f: f"{f.array} lies between {f.args[0]!r} and {f.args[1]!r}",
        "one_of": lambda f: f"{f.array} holds only {', '.join(map(repr, f.args))}",
    }
    return [words[f.kind](f) for f in system.facts]


def constant(name: str, array: np.ndarray[Any, Any]) -> str:
    """A small array as a line of the module."""
    body = np.array2string(array, separator=", ", threshold=2000, max_line_width=76,
                           formatter={"float_kind": repr}).replace("np.float64", "")
    return f"{name} = np.array({body})"


def unpacked(names: Sequence[str], source: str) -> list[str]:
    """a, b, c = source, over several lines when it is long."""
    line = f"{', '.join(names)}{',' if len(names) == 1 else ''} = {source}"
    if len(line) <= WIDTH - 4:
        return [line]
    lines = textwrap.wrap(", ".join(names), WIDTH - 8, break_long_words=False)
    return ["(", *(INDENT + t for t in lines), f") = {source}"]
