"""The door of a generated module: shapes, facts and positions, tested in plain prose.

In: a system and names in code. Out: lines for the top of `forward` and `predict`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any

from symprop.algebra.build import ONE, mul, number
from symprop.algebra.canonical import normal
from symprop.algebra.expr import Apply, Expr, Size, Term, atoms
from symprop.emit.numpy_names import Names
from symprop.emit.numpy_nodes import NumpyPrinter
from symprop.emit.numpy_sizes import ATOM
from symprop.errors import UnsupportedError
from symprop.system import Argument, Array, Fact, IndexRange, System


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
        if argument.tree is None:
            continue
        if isinstance(argument.tree, str):  # read = read_2, where that hides what we call
            if names.arrays[argument.tree] != argument.name:
                lines.append(f"{names.arrays[argument.tree]} = {argument.name}")
            continue
        name = argument.name
        if argument.container is not None:  # a dataclass counts as a dict
            lines.append(f"{name} = {name} if isinstance({name}, dict) else vars({name})")
        lines += [f"{names.arrays[leaf]} = {path}" for leaf, path in leaves_of(argument.tree, name)]
    return lines


def door(
    inputs: Sequence[Array], system: System, names: Names, printer: NumpyPrinter
) -> list[str]:
    """One line for every input: its kind, its number of axes, its sizes."""
    lines: list[str] = []
    known: set[str] = set()
    left = list(inputs)
    while left:
        ready = next((a for a in left if not _unsolved(a, known)), None)
        array = ready or min(left, key=lambda a: _unsolved(a, known))
        left.remove(array)
        lines.extend(_read(array, names, printer, known, system))
    _check_known(inputs, system, known)
    return lines


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
    array: Array, names: Names, printer: NumpyPrinter, known: set[str], system: System
) -> list[str]:
    name = names.arrays[array.name]
    shown = " ".join(_shown(s, printer) for s in array.shape)
    before = frozenset(known)
    targets: list[str] = []
    expected: list[str] = []
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
            solved = _solved(item, unknown[0], f"{name}.shape[{axis}]", printer)
            later.append(f"{names.sizes[unknown[0]]} = {solved}")
            text = printer.size(item)[0]
            if "//" in solved:
                later += _test(
                    f"{name}.shape[{axis}] != {text}", "ValueError",
                    f"{name} must have the shape ({shown}): axis {axis} does not fit")
    kind = "wrt" if array.name in system.wrt else array.dtype
    left = name if not array.shape or set(targets) == {"_"} else (
        f"{name}, ({', '.join(targets)}{',' if len(targets) == 1 else ''})")
    if left == name:
        left = f"{name}, _"
    sizes = f"({', '.join(expected)}{',' if len(expected) == 1 else ''})"
    return [f'{left} = read("{array.name}", {name}, "{kind}", "{shown}", {sizes})', *later]


def _shown(item: Expr, printer: NumpyPrinter) -> str:
    return printer.size(item)[0].replace(" ", "")


def _solved(item: Expr, unknown: str, shape: str, printer: NumpyPrinter) -> str:
    """The size that makes `item` equal the axis: (shape - rest) // coefficient."""
    terms = normal(item).terms
    linear = [t for t in terms if unknown in _sizes_in(Expr((t,)))]
    constant = Expr(tuple(t for t in terms if t not in linear))
    text = shape
    divisor, factor = _cofactors(linear[0], unknown) if len(linear) == 1 else (ONE, ONE)
    if not constant.is_zero:  # T - 1 = shape: T is shape + 1
        moved = printer.size(Expr(tuple(Term(-t.coef, t.factors) for t in constant.terms)))[0]
        text = f"{shape} - {moved[1:]}" if moved.startswith("-") else f"{shape} + {moved}"
        text = text if divisor.number == factor.number == 1 else f"({text})"
    if len(linear) != 1:
        raise UnsupportedError(f"the size {unknown} cannot be read from an axis {item}")
    if factor.number != 1:
        text = f"{_operand(factor, printer)} * {text}"
    return text if divisor.number == 1 else f"{text} // {_operand(divisor, printer)}"


def _operand(item: Expr, printer: NumpyPrinter) -> str:
    text, binds = printer.size(item)
    return text if binds == ATOM else f"({text})"


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


def _sizes_in(expr: Expr) -> set[str]:
    return {a.name for a in atoms(expr) if isinstance(a, Size)}


def fact_lines(system: System, inputs: Sequence[str], names: Names,
               printer: NumpyPrinter) -> list[str]:
    """Tests of facts, index ranges and sizes; they stand under `if validate:`."""
    lines: list[str] = []
    for fact in system.facts:
        if fact.array in inputs:
            lines.extend(_fact(fact, names.arrays[fact.array]))
    for entry in system.index_ranges:
        if entry.array in inputs:
            lines.extend(_range(names.arrays[entry.array], entry, printer))
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
    if fact.kind in ("symmetric", "positive_definite"):
        size = f"1e-4 * np.max(np.abs({name}), initial=0)"  # float32 rounds
        turned = f"np.swapaxes({name}, -1, -2)"
        tests = _test(f"not np.allclose({name}, {turned}, rtol=0, atol={size})", "ValueError",
                      f"{name} must be symmetric in its last two axes")
        if fact.kind == "positive_definite":
            tests += _test(f"not np.all(np.linalg.eigvalsh({name}) > 0)", "ValueError",
                           f"{name} must be positive definite")
        return tests
    if fact.kind == "in_range":
        low, high = fact.args
        slack = 1e-6 * max(abs(low), abs(high), high - low)  # float32 rounds
        inside = f"({low - slack!r} <= np.real({name})) & (np.real({name}) <= {high + slack!r})"
        return _test(f"not np.all({inside})",
                     "ValueError", f"{name} must lie between {low!r} and {high!r}")
    values = ", ".join(repr(v) for v in fact.args)
    allowed = f"[{values}]"
    if any(v != int(v) for v in fact.args):  # 0.1 is another number in float32
        allowed = f"np.asarray({allowed}, np.result_type({name}))"
    return _test(f"not np.all(np.isin({name}, {allowed}))", "ValueError",
                 f"{name} must hold no other values than {values}")


def _range(name: str, entry: IndexRange, printer: NumpyPrinter) -> list[str]:
    text = printer.size(entry.size)[0]
    if entry.start is None:
        return _test(f"np.any({name} >= {text})", "IndexError",
                     f"{name} holds a position above {text} - 1")
    start = printer.size(entry.start)[0]
    if start != "0":
        return _test(f"np.any({name} < {start}) or np.any({name} >= {text})", "IndexError",
                     f"{name} must lie from {start} on, below {text}")
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
    tested = " % ".join(_operand(e, printer) for e in (condition.left, condition.right))
    return _test(tested, "ValueError",
                 f"the sizes do not fit: {right} must divide {left}")
