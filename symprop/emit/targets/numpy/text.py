"""Signatures, tables and constants of a generated module as Python text.

In: arguments, facts, arrays. Out: lines of text.
"""

from __future__ import annotations

import ast
import math
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from symprop.algebra.expr import Expr
from symprop.emit.rules import statement
from symprop.emit.targets.numpy.layout import filled
from symprop.emit.targets.numpy.names import Names
from symprop.emit.targets.numpy.nodes import NumpyPrinter
from symprop.emit.targets.numpy.stacks import StackCode, in_place
from symprop.lower.invoke import Stack
from symprop.syntax.document import INDENT
from symprop.syntax.layout import BODY, WIDTH, flat, heading, lines, parameter
from symprop.syntax.tree import literal, quote, state, tree
from symprop.system import Argument, Array, System

_FAST = (
    "It is in the fast style: an operation writes its result into memory that nothing reads any "
    "more, and with a Workspace into the same arrays at every call.")


def docstring(
    system: System, printer: NumpyPrinter, lemmas: Sequence[str] = (),
    stacks: Sequence[Stack] = (), fast: bool = False,
) -> list[str]:
    """What the module is, how it is called, what it takes and what it assumes."""
    call = [a.name for a in system.arguments if a.tree is not None]
    origin = f"{system.module}:{system.name}" if system.module else system.name
    departure = system.departure
    found = "updates" if departure else "gradients"
    text = [
        f"{system.name}: loss and {found} in NumPy.", "",
        *paragraph(f"Made by symprop from {origin}."),
        "It belongs to whoever made it.", "", *([*paragraph(_FAST), ""] if fast else ()),
        *([*paragraph(statement(departure)), ""] if departure else ()),
        *(INDENT + t for t in lines(state("loss, saved = forward({call})", call=call))),
        INDENT + f"{found} = backward(saved)", "",
        *_table(system, printer, stacks), "",
    ]
    facts = facts_prose(system)
    if facts:
        text += [*paragraph(f"It is assumed, and tested, that {' and that '.join(facts)}."), ""]
    meaning = "the update of W" if departure else "the gradient of the loss by W"
    own = f"; (1.F1), (1.B1), ... are those of Lemma 1, {lemmas[0]}" if lemmas else ""
    return text + paragraph(
        "(F1), (F2), ... number the equations of the forward pass and (B1), (B2), ... those of "
        f"their adjoints: dW is {meaning}{own}. The derivation has these numbers.")


def paragraph(text: str) -> list[str]:
    """Prose, wrapped."""
    return textwrap.wrap(text, WIDTH, break_long_words=False, break_on_hyphens=False)


def _table(
    system: System, printer: NumpyPrinter, stacks: Sequence[Stack]
) -> list[str]:
    """One line for every array that goes in, of stacks for those of an entry."""
    shown = {c[0]: s.said(n) for s in stacks for n, c in enumerate(s.columns)}
    hidden = {a for s in stacks for c in s.columns for a in c[1:]}
    inputs = [a for a in system.arrays.values() if a.kind == "input" and a.name not in hidden]
    rows = [(shown.get(a.name, a.name), flat(printer.shape(a.shape)) if a.shape else "a number",
             _what(a, system, printer)) for a in inputs]
    wide = [min(24, max(len(r[k]) for r in rows)) for k in (0, 1)]
    found = []
    for name, shape, what in rows:
        line = f"{INDENT}{name:<{wide[0]}}  {shape:<{wide[1]}}  {what}".rstrip()
        below = filled(f"{shape}  {what}".rstrip(), WIDTH - 8, WIDTH - 8)
        found += [line] if len(line) <= WIDTH else [INDENT + name, *(2 * INDENT + t for t in below)]
    return found


def _what(array: Array, system: System, printer: NumpyPrinter) -> str:
    if array.name in system.wrt:
        return "parameter"
    for fixed, weight in system.departure.feedback if system.departure else ():
        if array.name == fixed:
            return f"fixed, random, in the place of {weight}" if weight else "fixed, random"
    words = {"float": "", "int": "integers", "bool": "truth values"}[array.dtype]
    limits = [printer.shown(r.size) for r in system.index_ranges if r.array == array.name]
    return f"{words} below {' and '.join(limits)}" if limits else words


def signature(
    function: str, arguments: Sequence[Argument], names: Names, validate: bool,
    stacks: Mapping[str, StackCode], workspace: bool = False,
) -> list[str]:
    """The def line, on several lines when it is long."""
    given = [parameter(a.name, note=in_place(
                 a.annotation, stacks, StackCode.note, literal, a.name)) if a.tree is not None
             else parameter(a.name, default=fixed_value(a.static)) for a in arguments]
    return heading(function, [
        *given, *[parameter(names.own["validate"], default=tree(True))] * validate,
        *[parameter(names.own["workspace"], default=tree(None))] * workspace])


def fixed_value(value: Any) -> ast.expr:
    """A constant of the trace as a default: None for what no literal spells, such as a function."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and math.isinf(value):
        return quote("float({x})", x=literal(str(value)))
    try:
        same = ast.literal_eval(repr(value)) == value
    except (ValueError, SyntaxError):
        same = False
    return quote(repr(value)) if same is True else tree(None)


def table(items: Sequence[str] | Mapping[str, str]) -> str:
    """Strings as a constant of a module, over several lines when they are long."""
    return "\n".join(lines(literal(items if isinstance(items, Mapping) else tuple(items)), 70))


def facts_data(system: System, printer: NumpyPrinter) -> list[tuple[Any, ...]]:
    """FACTS, for check and train."""
    data: list[tuple[Any, ...]] = [(f.kind, f.array, *f.args) for f in system.facts]
    for entry in system.index_ranges:
        if system.arrays[entry.array].kind == "input":
            text = printer.shown(entry.size).replace(" ", "")
            low = "0-1" if entry.start is None else _signed(entry.start, printer)
            data.append(("index", entry.array, text, *(
                [low, entry.at] if entry.at else [] if low == "0" else [low])))
    return list(dict.fromkeys(data))


def _signed(start: Expr, printer: NumpyPrinter) -> str:
    """A sum of sizes as the grammar of shapes has it: without a sign in front."""
    text = printer.shown(start).replace(" ", "")
    return f"0{text}" if text.startswith("-") else text


def entries(items: Sequence[tuple[Any, ...]]) -> list[str]:
    """The entries of a tuple as lines."""
    return [line for item in items for line in _comma(lines(literal(item), BODY - 1))]


def _comma(text: list[str]) -> list[str]:
    return [*text[:-1], text[-1] + ","]


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
