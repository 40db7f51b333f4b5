"""What the self-check at the end of a generated module needs to know.

In: the annotations of the arguments of `forward`, the names that gradients are given for, the
facts. Out: the context of the template `selfcheck.py.jinja`: lines of Python that draw inputs.
"""

import math
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from symprop.check.annotations import read_annotation
from symprop.check.domains import (
    Domain,
    column_axis,
    columns,
    integer_range,
    read_facts,
    real_range,
)
from symprop.check.layout import WIDTH, entries
from symprop.check.sizes import choose_sizes, named_axes
from symprop.check.stacked import assembled, is_looked_up
from symprop.check.trees import Tree, children, flatten, part_name, subtrees
from symprop.errors import InputError
from symprop.names import unused
from symprop.shapes import ArraySpec, Dim, parse_dim

NAMES = ("draw_inputs", "leaves", "unit_steps", "difference", "self_check")
"""The functions that the block defines: the rest of the module must leave them alone."""

RESERVED = ("np", "rng", "seed", "sizes", "key", "axes", "a")  # in draw_inputs
HEADING = ("status     max error  decided", "status     max error  decided  angle")
MOST_COORDINATES = 200


def selfcheck_context(
    arguments: Mapping[str, Any],
    wrt: Iterable[str],
    facts: Iterable[object] = (),
    zero: Iterable[str] = (),
    sizes: Mapping[str, int] | None = None,
    whole: Iterable[str] = (),
    rule: str = "",
    equal: Mapping[str, str] | None = None,
    own_loss: bool = False,
    stacked: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Return the value of `selfcheck` in the template `selfcheck.py.jinja`.

    `arguments` are the annotations of `forward`, without `validate`. Sizes are small distinct
    primes unless `sizes` fixes them; `whole` lists further axis expressions, such as `D//4`, that
    must come out whole and positive. A module of a learning `rule` is no module of gradients;
    `equal` holds its fixed arrays, each with that to which it must be equal to make it one, and
    `own_loss` says that some parameters descend another loss, which predict returns. `stacked` are
    lists of equal entries, of floats without a fact, each with the constant of its keys' axes.
    ShapeError, FactError and InputError as in `check`.

    >>> context = selfcheck_context({"X": "N K", "w": "K"}, ["w"])
    >>> context["sizes"], context["draws"][1]
    (['N, K = 5, 3'], '"w": rng.normal(size=(K,)),')
    """
    trees = {name: read_annotation(text, name, {}) for name, text in arguments.items()}
    specs = {
        leaf: named_axes(leaf, spec)
        for name in trees
        for leaf, spec in flatten(name, trees[name]).items()
    }
    domains = read_facts(facts, specs)
    limits = [dim for spec in specs.values() for dim in spec.dims]
    limits += [p.end for domain in domains.values() for p in domain.index]
    chosen = choose_sizes([*limits, *(parse_dim(text) for text in whole)], sizes or {})
    spelled = _spelled(chosen)
    leaves = _gradient_leaves(trees, wrt)
    shapes = {name: _shape(specs[name], chosen) for name in leaves}
    widths = [_width("gradient", leaves, 24), _width("shape", map(str, shapes.values()), 16)]
    nested = any(children(tree) is not None for tree in trees.values())
    return {
        "sizes": [
            *_size_lines([name for name in chosen if _is_used(name, limits)], spelled, chosen),
            *_sizes_by_name(trees, stacked or {}, spelled)],
        "draws": _draws(trees, specs, domains, spelled, stacked or {}),
        "nested": nested,
        "joined": _joined(trees.values()),
        "zero": bool(tuple(zero)),
        "rule": rule,
        "own_loss": own_loss,
        "equal": _equal(equal or {}, "arrays" if nested else "inputs"),
        "validate": "validate",
        "heading": f"{'gradient':{widths[0]}}  {'shape':{widths[1]}}  {HEADING[bool(rule)]}",
        "widths": widths,
        "tangent": [
            (name, axis + 1) for name in leaves if (axis := domains[name].sums_to_one) is not None
        ],
        "large": any(math.prod(shape) > MOST_COORDINATES for shape in shapes.values()),
    }


def _draws(
    trees: Mapping[str, Tree], specs: Mapping[str, ArraySpec], domains: Mapping[str, Domain],
    spelled: Mapping[str, str], stacked: Mapping[str, str],
) -> list[str]:
    """The entries that draw all arguments."""
    def drawn(leaf: str, spec: ArraySpec) -> str:
        code = draw_code(specs[leaf], domains[leaf], spelled)
        return f"np.array({code})" if leaf not in trees and not spec.dims else code

    return entries({name: assembled(name, tree, drawn, stacked) for name, tree in trees.items()})


def _sizes_by_name(
    trees: Mapping[str, Tree], stacked: Mapping[str, str], spelled: Mapping[str, str]
) -> list[str]:
    """The line with the sizes by name, where the axes of a constant are looked up."""
    parts = {n: part for name, tree in trees.items() for n, part in subtrees(name, tree).items()}
    used = {dim.name: None for name, constant in stacked.items() if is_looked_up(
        parts[name], constant) for spec in flatten(name, parts[name]).values() for dim in spec.dims}
    text = ", ".join(f'"{name}": {spelled[name]}' for name in used)
    return [f"sizes = {{{text}}}"] if used else []


def _joined(trees: Iterable[Tree]) -> list[str]:
    """What adds the leaves of a part, named as `part_name` does; shorter where keys are words."""
    if all(part_name("", key) == f"_{key}" for tree in trees for key in _keys(tree)):
        return ['found |= leaves(part, f"{name}_{key}" if name else key)']
    return ['words = f"{name} {key}".translate(str.maketrans(".:/-", "    "))',
            'found |= leaves(part, "_".join(words.split()))']


def _keys(tree: Tree) -> Iterator[object]:
    for key, part in (children(tree) or {}).items():
        yield key
        yield from _keys(part)


def _equal(pairs: Mapping[str, str], inputs: str) -> list[str]:
    """Return entries that make arrays equal, if each has one to be equal to."""
    return entries({b: f'{inputs}["{w}"]' for b, w in pairs.items()}) if all(pairs.values()) else []


def draw_code(spec: ArraySpec, domain: Domain, spelled: Mapping[str, str]) -> str:
    """Return the expression that draws one array; `spelled` says how sizes are called.

    >>> draw_code(ArraySpec("float", (Dim("name", "N"),)), Domain(positive=True), {"N": "N"})
    'rng.uniform(0.5, 2.0, size=(N,))'
    """
    size = f"size={_tuple([_code(dim, spelled) for dim in spec.dims])}"
    if domain.values is not None:
        kind = {"float": float, "int": int, "bool": bool}[spec.dtype]
        return f"rng.choice([{', '.join(repr(kind(value)) for value in domain.values)}], {size})"
    if domain.sums_to_one is not None and spec.dtype == "float":
        return _distribution_code(spec, domain.sums_to_one, spelled)
    if domain.sums_to_one is not None:
        return _one_hot_code(spec, domain.sums_to_one, spelled)
    if spec.dtype == "bool":
        return f"rng.integers(0, 2, {size}) == 1"
    if spec.dtype == "int":
        return f"rng.integers({', '.join(_integer_ends(spec, domain, spelled))}, {size})"
    ends = real_range(domain)
    drawn = f"rng.normal({size})" if ends is None else (
        f"rng.uniform({ends[0]!r}, {ends[1]!r}, {size})")
    if domain.definite:
        last = _code(spec.dims[-1], spelled)
        return f"(lambda a: a @ a.swapaxes(-1, -2) / {last} + 0.5 * np.eye({last}))({drawn})"
    return f"(lambda a: (a + a.swapaxes(-1, -2)) / 2)({drawn})" if domain.symmetric else drawn


def _integer_ends(spec: ArraySpec, domain: Domain, spelled: Mapping[str, str]) -> list[str]:
    """The least integer of a domain, and what lies above the largest; columns by columns."""
    if not domain.index:
        low, high = integer_range(domain)
        return [str(low), str(high + 1)]
    shape = [int(d) if (d := _code(dim, spelled)).isdigit() else d for dim in spec.dims]
    told = columns(shape, domain)
    inner = 0 if len(told) == 1 else len(shape) - 1 - (column_axis(domain) or 0)
    starts = [_one("max", dict.fromkeys(_code(p.start, spelled) for p in t)) for t in told]
    ends = [_one("min", dict.fromkeys(_code(p.end, spelled) for p in t)) for t in told]
    if len(told) == 1:
        return [starts[0], ends[0]]
    return [f"[{', '.join('[' * inner + e + ']' * inner for e in codes)}]"
            if len({*codes}) > 1 else codes[0] for codes in (starts, ends)]


def _one(choice: str, codes: Collection[str]) -> str:
    """The largest or least of some sizes."""
    return f"{choice}({', '.join(codes)})" if len(codes) > 1 else "".join(codes)


def _distribution_code(spec: ArraySpec, axis: int, spelled: Mapping[str, str]) -> str:
    """Dirichlet numbers sum to one along the last axis; another one is moved there."""
    sizes = [_code(dim, spelled) for dim in spec.dims]
    along = sizes.pop(axis)
    drawn = f"rng.dirichlet(np.full({along}, 3.0), size={_tuple(sizes)})"
    return drawn if axis == len(sizes) else f"np.moveaxis({drawn}, -1, {axis})"


def _one_hot_code(spec: ArraySpec, axis: int, spelled: Mapping[str, str]) -> str:
    sizes = [_code(dim, spelled) for dim in spec.dims]
    along = sizes.pop(axis)
    drawn = f"np.eye({along}, dtype={spec.dtype})[rng.integers(0, {along}, size={_tuple(sizes)})]"
    return drawn if axis == len(sizes) else f"np.moveaxis({drawn}, -1, {axis})"


def _spelled(sizes: Mapping[str, int]) -> dict[str, str]:
    """Say how the code calls each size: by its name, or an unnamed one by its number."""
    return {
        name: str(size) if "__" in name else unused(name, RESERVED)
        for name, size in sizes.items()
    }


def _code(dim: Dim, spelled: Mapping[str, str]) -> str:
    """Print an axis as Python.

    >>> _code(parse_dim("4*H-1"), {"H": "H"})
    '4 * H - 1'
    """
    renamed = {
        name: Dim("name", name=code) if code.isidentifier() else Dim("number", value=int(code))
        for name, code in spelled.items()
    }
    return re.sub(r"(//|[-+*])", r" \1 ", str(_replaced(dim, renamed)))


def _replaced(dim: Dim, renamed: Mapping[str, Dim]) -> Dim:
    if dim.kind == "name":
        return renamed[dim.name]
    return replace(dim, args=tuple(_replaced(arg, renamed) for arg in dim.args))


def _tuple(parts: Sequence[str]) -> str:
    return f"({parts[0]},)" if len(parts) == 1 else f"({', '.join(parts)})"


def _shape(spec: ArraySpec, sizes: Mapping[str, int]) -> tuple[int, ...]:
    return tuple(dim.evaluate(sizes) for dim in spec.dims)


def _is_used(name: str, limits: Iterable[Dim]) -> bool:
    return "__" not in name and any(name in dim.names() for dim in limits)


def _size_lines(
    names: Sequence[str], spelled: Mapping[str, str], sizes: Mapping[str, int]
) -> list[str]:
    """Set as many sizes on a line as there is room for."""
    lines: list[str] = []
    waiting = list(names)
    while waiting:
        count = len(waiting)
        while count > 1 and len(_assignment(waiting[:count], spelled, sizes)) > WIDTH - 4:
            count -= 1
        lines.append(_assignment(waiting[:count], spelled, sizes))
        waiting = waiting[count:]
    return lines


def _assignment(names: Sequence[str], spelled: Mapping[str, str], sizes: Mapping[str, int]) -> str:
    left = ", ".join(spelled[name] for name in names)
    return f"{left} = {', '.join(str(sizes[name]) for name in names)}"


def _gradient_leaves(trees: Mapping[str, Tree], wrt: Iterable[str]) -> list[str]:
    """Return the names of all gradients."""
    nodes = {n: node for name, tree in trees.items() for n, node in subtrees(name, tree).items()}
    found: list[str] = []
    for name in wrt:
        if name not in nodes:
            raise InputError(f"{name!r} in wrt is not an argument ({', '.join(trees)})")
        found += [n for n, leaf in flatten(name, nodes[name]).items() if leaf.dtype == "float"]
    return found


def _width(heading: str, cells: Iterable[str], most: int) -> int:
    return min(most, max([len(heading), *map(len, cells)]))
