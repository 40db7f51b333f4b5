"""The door of a generated module: shapes, facts and positions, tested in plain prose.

In: a system and names in code. Out: lines for the top of `forward` and `predict`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from symprop.algebra.build import mul, number, size, sub
from symprop.algebra.canonical import normal
from symprop.algebra.expr import Expr, Size, atoms
from symprop.emit.numpy_names import Names
from symprop.emit.numpy_nodes import NumpyPrinter
from symprop.system import Argument, Array, Fact, System


def leaves_of(tree: Any, path: str) -> Iterator[tuple[str, str]]:
    """(leaf name, how it is reached) of an argument's structure."""
    if isinstance(tree, str):
        yield tree, path
    elif isinstance(tree, Mapping):
        for key, child in tree.items():
            yield from leaves_of(child, f"{path}[{key!r}]".replace("'", '"'))
    else:
        for place, child in enumerate(tree):
            yield from leaves_of(child, f"{path}[{place}]")


def unpacking(arguments: Sequence[Argument], names: Names) -> list[str]:
    """Lines that take structured arguments apart."""
    lines = []
    for argument in arguments:
        if argument.tree is None or isinstance(argument.tree, str):
            continue
        attribute = argument.container is not None
        for leaf, path in leaves_of(argument.tree, argument.name):
            if attribute:
                path = path.replace('["', ".", 1).replace('"]', "", 1)
            lines.append(f"{names.arrays[leaf]} = {path}")
    return lines


def door(
    inputs: Sequence[Array], system: System, names: Names, printer: NumpyPrinter
) -> list[str]:
    """One line for every input: its kind, its number of axes, its sizes."""
    lines: list[str] = []
    known: set[str] = set()
    for array in sorted(inputs, key=lambda a: any(not _plain(s) for s in a.shape)):
        lines.extend(_read(array, names, printer, known, system))
    return lines


def _plain(item: Expr) -> bool:
    return isinstance(item.single_atom, Size) or item.number is not None


def _read(
    array: Array, names: Names, printer: NumpyPrinter, known: set[str], system: System
) -> list[str]:
    name = names.arrays[array.name]
    shown = " ".join(_shown(s, printer) for s in array.shape)
    before = frozenset(known)
    targets: list[str] = []
    expected: list[str] = []
    first: list[str] = []
    later: list[str] = []
    for axis, item in enumerate(array.shape):
        atom = item.single_atom
        named = [a.name for a in atoms(item) if isinstance(a, Size)]
        unknown = [n for n in dict.fromkeys(named) if n not in known]
        targets.append("_")
        expected.append("None")
        if isinstance(atom, Size) and unknown:
            known.add(atom.name)
            targets[-1] = names.sizes[atom.name]
        elif not unknown and before.issuperset(named):
            expected[-1] = printer.size(item)[0]
        elif not unknown:  # a size that an earlier axis of this array has just given
            text = printer.size(item)[0]
            later += _test(f"{name}.shape[{axis}] != {text}", "ValueError",
                           f"{name} must have the shape ({shown}): axis {axis} does not fit")
        elif len(unknown) == 1:
            known.add(unknown[0])
            shape = f"np.shape({name})[{axis}]"
            solved = _solved(item, unknown[0], shape, printer)
            (first if before.issuperset(set(named) - set(unknown)) else later).append(
                f"{names.sizes[unknown[0]]} = {solved}")
            text = printer.size(item)[0]
            later += _test(f"{name}.shape[{axis}] != {text}", "ValueError",
                           f"{name} must have the shape ({shown}): axis {axis} does not fit")
    kind = "wrt" if array.name in system.wrt else array.dtype
    left = name if not array.shape or set(targets) == {"_"} else (
        f"{name}, ({', '.join(targets)}{',' if len(targets) == 1 else ''})")
    if left == name:
        left = f"{name}, _"
    sizes = f"({', '.join(expected)}{',' if len(expected) == 1 else ''})"
    return [*first, f'{left} = read("{name}", {name}, "{kind}", "{shown}", {sizes})', *later]


def _shown(item: Expr, printer: NumpyPrinter) -> str:
    return printer.size(item)[0].replace(" ", "")


def _solved(item: Expr, unknown: str, shape: str, printer: NumpyPrinter) -> str:
    """The size that makes `item` equal the axis: (shape - rest) // coefficient."""
    probe = size(unknown)
    rest = normal(sub(item, mul(number(0), probe)))
    linear = [t for t in rest.terms if any(a == Size(unknown) for a, _ in t.factors)]
    constant = Expr(tuple(t for t in rest.terms if t not in linear))
    factors = Expr(tuple(type(t)(t.coef, tuple((a, e) for a, e in t.factors
                                              if a != Size(unknown))) for t in linear))
    text = shape if constant.is_zero else f"({shape} - ({printer.size(constant)[0]}))"
    divisor = printer.size(factors)[0]
    return text if divisor == "1" else f"{text} // ({divisor})"


def fact_lines(system: System, inputs: Sequence[str], names: Names,
               printer: NumpyPrinter) -> list[str]:
    """Tests of facts, index ranges and sizes; they stand under `if validate:`."""
    lines: list[str] = []
    for fact in system.facts:
        if fact.array in inputs:
            lines.extend(_fact(fact, names.arrays[fact.array]))
    for entry in system.index_ranges:
        if entry.array in inputs:
            lines.extend(_range(names.arrays[entry.array], entry.size, printer))
    for condition in system.conditions:
        lines.extend(_condition(condition, printer))
    return lines


def _test(condition: str, error: str, message: str) -> list[str]:
    return [f"if {condition}:", f'    raise {error}("{message}")']


def _fact(fact: Fact, name: str) -> list[str]:
    if fact.kind == "sums_to_one":
        total = f"np.sum({name}, axis={fact.args[0]})"
        return _test(f"not np.allclose({total}, 1, rtol=0, atol=1e-4)", "ValueError",
                     f"{name} must sum to 1 along axis {fact.args[0]}")
    if fact.kind == "positive":
        return _test(f"not np.all(np.real({name}) > 0)", "ValueError", f"{name} must be positive")
    if fact.kind == "in_range":
        low, high = fact.args
        return _test(f"not np.all(({low!r} <= np.real({name})) & (np.real({name}) <= {high!r}))",
                     "ValueError", f"{name} must lie between {low!r} and {high!r}")
    values = ", ".join(repr(v) for v in fact.args)
    return _test(f"not np.all(np.isin({name}, [{values}]))", "ValueError",
                 f"{name} must hold no other values than {values}")


def _range(name: str, limit: Expr, printer: NumpyPrinter) -> list[str]:
    text = printer.size(limit)[0]
    return _test(f"np.any({name} < 0) or np.any({name} >= {text})", "IndexError",
                 f"{name} holds a position outside 0 to {text} - 1")


def _condition(condition: Any, printer: NumpyPrinter) -> list[str]:
    left, right = (printer.size(e)[0] for e in (condition.left, condition.right))
    if condition.kind == "equal":
        return _test(f"{left} != {right}", "ValueError",
                     f"the sizes do not fit: {left} must equal {right}")
    if condition.kind == "at_least":
        return _test(f"{left} < {right}", "ValueError",
                     f"the sizes do not fit: {left} must be at least {right}")
    return _test(f"({left}) % ({right})", "ValueError",
                 f"the sizes do not fit: {right} must divide {left}")
