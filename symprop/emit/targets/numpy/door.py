"""The door of a generated module: shapes, facts and positions, tested in plain prose.

In: a system and names in code. Out: statements for the top of `forward` and `predict`.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from symprop.algebra.build import mul, number
from symprop.algebra.canonical import normal
from symprop.algebra.expr import Apply, Expr, Size, Term, atoms
from symprop.emit.targets.numpy.names import Names
from symprop.emit.targets.numpy.nodes import NumpyPrinter
from symprop.emit.targets.numpy.stacks import StackCode, first_arrays, other_arrays
from symprop.emit.targets.numpy.text import fixed_value
from symprop.emit.targets.target import Target
from symprop.errors import UnsupportedError
from symprop.shapes import shown_column
from symprop.syntax.layout import flat
from symprop.syntax.tree import Many, Value, literal, packed, quote, root, state, tree
from symprop.system import Argument, Array, Condition, Fact, IndexRange, System


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


def unpacking(
    arguments: Sequence[Argument], names: Names, stacks: Mapping[str, StackCode]
) -> list[ast.stmt]:
    """Statements that take structured arguments apart, but for `stacks`."""
    found = []
    listed = {a for code in stacks.values() for a in code.stack.arrays}
    for argument in arguments:
        name, shape = argument.name, argument.tree
        if isinstance(shape, str) and names.arrays[shape] == name:
            continue
        if argument.container is not None and isinstance(shape, Mapping):
            fields = ", ".join(f'"{field}": {name}.{field}' for field in shape)
            found.append(state("{x} = {x} if isinstance({x}, dict) else {y}",  # as a dict
                               x=name, y=quote("{" + fields + "}")))
        if shape is not None:  # a plain array: read = read_2, where that hides what we call
            found += [state("{y} = {x}", y=names.arrays[leaf], x=quote(path))
                      for leaf, path in leaves_of(shape, name) if leaf not in listed]
        found += [state("{y} = {x}", y=code.rows, x=quote(code.stack.place))
                  for code in stacks.values() if code.is_hiding and code.stack.argument == name]
    return found


def door(
    inputs: Sequence[Array], system: System, names: Names, printer: NumpyPrinter,
    stacks: Mapping[str, StackCode],
) -> list[ast.stmt]:
    """One statement for every input: its kind, its number of axes, its sizes.

    What is in `stacks` is read by a function of its own.
    """
    found: list[ast.stmt] = []
    known: set[str] = set()
    first, others = first_arrays(stacks), other_arrays(stacks)
    left = [a for a in inputs if a.name not in others]
    while left:
        ready = next((a for a in left if not _unsolved(a, known)), None)
        array = ready or min(left, key=lambda a: _unsolved(a, known))
        if array.name not in first:
            left.remove(array)
            found.extend(_read(array, names, printer, known, system))
            continue
        code = first[array.name][0]
        left = [a for a in left if a.name not in first or first[a.name][0] is not code]
        found.append(code.reading(known))
        known.update(code.sizes)
    _check_known(inputs, system, known)
    return found


def readers(
    stacks: Mapping[str, StackCode], system: System, names: Names, printer: NumpyPrinter
) -> list[list[str]]:
    """The functions that read stacks."""
    found = []
    for code in stacks.values():
        known: set[str] = set()
        found.append(code.function([s for k, column in enumerate(code.stack.columns) for s in _read(
            system.arrays[column[0]], names, printer, known, system, (code, k))]))
    return found


def _check_known(inputs: Sequence[Array], system: System, known: set[str]) -> None:
    """UnsupportedError for sizes that no shape tells apart, such as K and M of an axis K*M."""
    complete = {a.name for a in system.arrays.values() if a.kind == "input"} <= {
        a.name for a in inputs}
    unknown = [s for s in system.sizes if s not in known]
    if complete and unknown:
        raise UnsupportedError(
            f"the sizes {' and '.join(unknown)} cannot be read from the shapes of the inputs: "
            f"an input needs an axis of size {unknown[0]}")


def _unsolved(array: Array, known: set[str]) -> int:
    """How many axes have to be solved for a size that no axis shows as it is."""
    shown = known | {s.single_atom.name for s in array.shape if isinstance(s.single_atom, Size)}
    return sum(any(isinstance(a, Size) and a.name not in shown for a in atoms(s))
               for s in array.shape)


def _read(
    array: Array, names: Names, printer: NumpyPrinter, known: set[str], system: System,
    within: tuple[StackCode, int] | None = None,
) -> list[ast.stmt]:
    """The statements for one array; `within`: a column of a stack, at the loop's entry."""
    name = tree(names.arrays[array.name] if within is None else within[0].leaves[within[1]])
    said = names.arrays[array.name] if within is None else within[0].stack.said(within[1])
    shown = " ".join(printer.shown(s).replace(" ", "") for s in array.shape)
    before = frozenset(known)
    targets: list[ast.expr] = []
    expected: list[ast.expr] = []
    later: list[ast.stmt] = []
    for axis, item in enumerate(array.shape):
        atom = item.single_atom
        unknown = [n for n in dict.fromkeys(_sizes_in(item)) if n not in known]
        targets.append(tree("_"))
        expected.append(tree(None))
        told = quote("{x}.shape[{axis}]", x=name, axis=axis)
        fits = _test("{shape} != {size}", "ValueError", f"{said} must have the shape ({shown}): "
                     f"axis {axis} does not fit", shape=told, size=printer.size(item))
        if isinstance(atom, Size) and unknown:
            known.add(atom.name)
            targets[-1] = tree(names.sizes[atom.name])
            if within is not None:  # None at the first entry
                expected[-1] = targets[-1]
        elif not unknown and before.issuperset(_sizes_in(item)):
            expected[-1] = printer.size(item)
        elif not unknown:  # a size that an earlier axis of this array has just given
            later.append(fits)
        elif len(unknown) == 1:
            known.add(unknown[0])
            solved = _solved(item, unknown[0], told, printer)
            later.append(state("{y} = {x}", y=names.sizes[unknown[0]], x=solved))
            if any(isinstance(n, ast.FloorDiv) for n in ast.walk(solved)):
                later.append(fits)
    kind = "wrt" if array.name in system.wrt else array.dtype
    sizes = packed(targets) if {root(t) for t in targets} - {"_"} else tree("_")
    label, source = (literal(array.name), name) if within is None else (
        within[0].label(within[1]), within[0].source(within[1]))
    return [state("{x}, {sizes} = read({name}, {source}, {kind}, {axes}, {expected})", x=name,
                  sizes=sizes, name=label, source=source, kind=literal(kind),
                  axes=literal(shown), expected=packed(expected)), *later]


def _solved(item: Expr, unknown: str, shape: ast.expr, printer: NumpyPrinter) -> ast.expr:
    """The size that makes `item` equal the axis: (shape - rest) // coefficient."""
    terms = normal(item).terms
    linear = [t for t in terms if unknown in _sizes_in(Expr((t,)))]
    if len(linear) != 1:
        raise UnsupportedError(f"the size {unknown} cannot be read from an axis {item}")
    divisor, factor = _cofactors(linear[0], unknown)
    others = sorted((t for t in terms if t not in linear), key=lambda t: t.coef > 0)
    for rest in others:  # T - 1 = shape: T is shape + 1
        part = printer.size(Expr((Term(abs(rest.coef), rest.factors),)))
        shape = ast.BinOp(shape, ast.Sub() if rest.coef > 0 else ast.Add(), part)
    if factor.number != 1:
        shape = ast.BinOp(printer.size(factor), ast.Mult(), shape)
    return shape if divisor.number == 1 else ast.BinOp(shape, ast.FloorDiv(), printer.size(divisor))


def _cofactors(term: Term, unknown: str) -> tuple[Expr, Expr]:
    """(a, b) when the term is a * unknown / b."""
    above, below = number(term.coef.numerator), number(term.coef.denominator)
    for atom, exponent in term.factors:
        if atom == Size(unknown) and exponent == 1:
            continue
        if isinstance(atom, Apply) and atom.function == "floordiv" and exponent == 1 and (
            atom.args[0].single_atom == Size(unknown)
        ):  # it divides: the grammar says so
            below = mul(below, atom.args[1])
            continue
        if exponent == -1:
            below = mul(below, Expr((Term(Fraction(1), ((atom, 1),)),)))
            continue
        above = mul(above, Expr((Term(Fraction(1), ((atom, exponent),)),)))
    return above, below


def _sizes_in(expr: Expr) -> list[str]:
    return [a.name for a in atoms(expr) if isinstance(a, Size)]


def fact_tests(system: System, inputs: Sequence[str], names: Names,
               printer: NumpyPrinter) -> list[ast.stmt]:
    """Tests of facts, index ranges and sizes; they stand under `if validate:`."""
    facts = [test for fact in system.facts if fact.array in inputs
             for test in _fact(fact, names.arrays[fact.array], printer.target)]
    ranges = [_range(names.arrays[entry.array], entry, printer)
              for entry in system.index_ranges if entry.array in inputs]
    return [*facts, *ranges, *(_condition(c, printer) for c in system.conditions)]


def _test(condition: str, error: str, message: str, **places: Value | Many) -> ast.stmt:
    return state(f"if {condition}: raise {error}({{message}})", message=literal(message), **places)


def _fact(fact: Fact, name: str, target: Target) -> list[ast.stmt]:
    if fact.kind in ("symmetric", "positive_definite"):
        tests = [_test("not np.allclose({x}, np.swapaxes({x}, -1, -2), rtol=0, "
                       "atol=1e-4 * np.max(np.abs({x}), initial=0))",  # float32 rounds
                       "ValueError", f"{name} must be symmetric in its last two axes", x=name)]
        if fact.kind == "positive_definite":
            tests.append(_test("not np.all(np.linalg.eigvalsh({x}) > 0)", "ValueError",
                               f"{name} must be positive definite", x=name))
        return tests
    if fact.kind == "sums_to_one":
        return [_test("not np.allclose(np.sum({x}, axis={axis}), 1, rtol=0, atol=1e-4)",
                      "ValueError", f"{name} must sum to 1 along axis {fact.args[0]}", x=name,
                      axis=fact.args[0])]
    if fact.kind == "positive":
        return [_test("not np.all(np.real({x}) > 0)", "ValueError", f"{name} must be positive",
                      x=name)]
    if fact.kind == "in_range":
        low, high = fact.args
        slack = 1e-6 * max(abs(low), abs(high), high - low)  # float32 rounds
        return [_test("not np.all(({low} <= np.real({x})) & (np.real({x}) <= {high}))",
                      "ValueError", f"{name} must lie between {low!r} and {high!r}", x=name,
                      low=low - slack, high=high + slack)]
    exact = all(v == int(v) for v in fact.args)  # 0.1 is another number in float32
    allowed = target.spell("whole values" if exact else "values", x=name,
                           values=literal([*fact.args]))
    return [_test("not np.all(np.isin({x}, {allowed}))", "ValueError",
                  f"{name} must hold no other values than {', '.join(map(repr, fact.args))}",
                  x=name, allowed=allowed)]


def _range(name: str, entry: IndexRange, printer: NumpyPrinter) -> ast.stmt:
    size = printer.shown(entry.size)
    name += shown_column(entry.at)
    if entry.ignored is not None:
        return _test("np.any(({x} != {value}) & (({x} < 0) | ({x} >= {size})))", "IndexError",
                     f"{name} holds a position outside 0 to {size} - 1 that is not "
                     f"{entry.ignored}", x=name, value=entry.ignored, size=printer.size(entry.size))
    if entry.start is None:
        return _test("np.any({x} >= {size})", "IndexError",
                     f"{name} holds a position above {size} - 1", x=name,
                     size=printer.size(entry.size))
    start = printer.shown(entry.start)
    message = f"{name} holds a position outside 0 to {size} - 1" if start == "0" else \
        f"{name} must lie from {start} on, below {size}"
    return _test("np.any({x} < {start}) or np.any({x} >= {size})", "IndexError", message, x=name,
                 start=printer.size(entry.start), size=printer.size(entry.size))


def _condition(condition: Condition, printer: NumpyPrinter) -> ast.stmt:
    left, right = (printer.size(e) for e in (condition.left, condition.right))
    test, words = {
        "equal": ("{x} != {y}", "{0} must equal {1}"),
        "at_least": ("{x} < {y}", "{0} must be at least {1}"),
        "divides": ("{x} % {y}", "{1} must divide {0}"),
    }[condition.kind]
    return _test(test, "ValueError", "the sizes do not fit: " + words.format(
        flat(left), flat(right)), x=left, y=right)


def fixed(argument: Argument) -> ast.stmt:
    """The test that a constant of the trace is what it was."""
    value = fixed_value(argument.static)
    is_none = isinstance(value, ast.Constant) and value.value is None
    test = quote("{x} is not None" if is_none else "{x} != {v}", x=argument.name, v=value)
    return state("if {test}: raise ValueError({message})", test=test,
                 message=literal(f"{argument.name} is fixed at {_named(argument.static)}"))


def _named(value: Any) -> str:
    """A constant in a sentence: a function by its name, what has no short name by its kind."""
    name = getattr(value, "__name__", None)
    if isinstance(name, str) and name.isidentifier():
        return name
    shown = repr(value.item() if isinstance(value, np.generic) else value)
    return shown if len(shown) < 40 and not shown.startswith("<") else f"a {type(value).__name__}"
