"""Arguments that are lists of equal entries, which the module reads and hands back in loops.

In: a program, names in code. Out: `StackCode`, the names that a module has for one; statements that
take it apart at the door, and expressions for what it puts together.

    def read_blocks(blocks, D, F):
        found = []
        for l, block in enumerate(blocks):
            W, (D, F) = read("blocks_%d_W" % l, block["W"], "wrt", "D F", (D, F))
            found.append((W,))
        return found, D, F

    blocks_read, _, F = read_blocks(blocks, D, None)
"""

from __future__ import annotations

import ast
import keyword
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from symprop.algebra.expr import Size, atoms
from symprop.emit.targets.numpy.layout import Row, laid_out, opened
from symprop.emit.targets.numpy.names import IN_BODIES, MODULE, Names
from symprop.lower.invoke import Stack
from symprop.names import unused
from symprop.syntax.document import INDENT
from symprop.syntax.layout import WIDTH, heading, lines, parameter
from symprop.syntax.tree import literal, packed, quote, state, tree
from symprop.system import System


@dataclass(frozen=True)
class StackCode:
    """A stack, and its names: of the list read, an entry, their adjoints, the dtypes, the leaves.

    outer: what holds its entries, "list" or "tuple"; annotation: their shapes. sizes: the axes of
    its arrays, and how code calls them. given: what its reader calls it. is_hiding: its argument
    has the name of what the door calls.
    """

    stack: Stack
    outer: str
    annotation: Any
    sizes: Mapping[str, str]
    reader: str
    rows: str
    entry: str
    adjoints: str
    entry_adjoint: str
    dtypes: str
    keys: str
    index: str
    kind: str
    given: str
    leaves: tuple[str, ...]
    is_hiding: bool

    @property
    def is_single(self) -> bool:
        """Whether an entry is an array."""
        return self.stack.kind == "array"

    # ---- the door ---------------------------------------------------------------------------

    def label(self, column: int) -> ast.expr:
        """What an array is called in messages, at the loop's index."""
        keys = "".join(f"_{key}" for key in self.stack.keys[column])
        return quote("{text} % {l}", text=literal(f"{self.stack.name}_%d{keys}"), l=self.index)

    def source(self, column: int) -> ast.expr:
        """Where an array stands in an entry of the argument."""
        found: ast.expr = tree(self.entry)
        for key in self.stack.keys[column]:
            found = quote("{x}[{key}]", x=found, key=literal(key))
        return found

    def function(self, body: Sequence[ast.stmt]) -> list[str]:
        """The function that reads all entries; body: what reads the arrays of one."""
        name, count = self.given, len(self.stack.columns[0])
        said = self.stack.place.replace('"', "'")
        wrong = state("if len({x}) != {count}: raise ValueError({message})", x=name, count=count,
                      message=literal(f"{said} must have {count} entries"))
        entry: ast.expr = tree(self.leaves[0]) if self.is_single else packed(self.leaves)
        loop = opened(
            state("for {l}, {entry} in enumerate({x}): pass", l=self.index, entry=self.entry,
                  x=name), *body, state("{rows}.append({entry})", rows=self.rows, entry=entry))
        sizes = [*self.sizes.values()]
        rows = [wrong, state("{rows} = []", rows=self.rows), loop,
                state("return {x}", x=packed([self.rows, *sizes]) if sizes else tree(self.rows))]
        return [*heading(self.reader, [parameter(p) for p in (name, *sizes)]),
                INDENT + f'"""Return the arrays of {said}, entry by entry, and sizes."""',
                *(INDENT + line for line in laid_out([*map(Row, rows)]))]

    def reading(self, known: Container[str]) -> ast.stmt:
        """The call of that function, where some sizes are known."""
        told = [tree(code) if size in known else tree(None) for size, code in self.sizes.items()]
        call = quote("{f}({x})", f=self.reader, x=[
            tree(self.rows) if self.is_hiding else quote(self.stack.place), *told])
        targets = ["_" if size in known else code for size, code in self.sizes.items()]
        return state("{y} = {x}", y=packed([self.rows, *targets]) if targets else self.rows,
                     x=call)

    def flat(self) -> ast.expr:
        """All arrays, as further arguments."""
        inside = tree(self.rows) if self.is_single else quote("sum({x}, ())", x=self.rows)
        return ast.Starred(inside, ast.Load())

    # ---- gradients --------------------------------------------------------------------------

    def kinds(self) -> ast.stmt:
        """The dtypes of all arrays."""
        found = "[np.result_type(a) for a in {x}]" if self.is_single else \
            "[[np.result_type(a) for a in {entry}] for {entry} in {x}]"
        return state("{y} = " + found, y=self.dtypes, entry=self.entry, x=self.rows)

    def structured(self) -> ast.expr:
        """The gradients in the structure of the argument."""
        if self.is_single:
            made = quote("np.asarray({x}, {y})", x=self.entry, y=self.kind)
        elif self.stack.kind == "dict":
            made = quote("like_parameters(dict(zip({keys}, {x})), {y})", keys=self.keys,
                         x=self.entry, y=self.kind)
        elif self.stack.kind == "nested":
            made = self._nested(self.stack.tree)
        else:
            order = tuple(self.stack.keys.index((k,)) for k in range(len(self.stack.keys)))
            made = quote("{kind}(np.asarray({x}[k], {y}[k]) for k in {order})",
                         kind=self.stack.kind, x=self.entry, y=self.kind, order=literal(order))
        spelling = "{made} for {x}, {y} in zip({all}, {kinds})"
        return quote(f"[{spelling}]" if self.outer == "list" else f"tuple({spelling})", made=made,
                     x=self.entry, y=self.kind, all=self.adjoints, kinds=self.dtypes)

    def _nested(self, part: Any) -> ast.expr:
        """An entry, or a part of it, with the gradients at their places."""
        if isinstance(part, str):
            place = next(k for k, c in enumerate(self.stack.columns) if c[0] == part)
            return quote("np.asarray({x}[{k}], {y}[{k}])", x=self.entry, y=self.kind, k=place)
        if isinstance(part, Mapping):
            return ast.Dict([*map(literal, part)], [*map(self._nested, part.values())])
        inside = [*map(self._nested, part)]
        return ast.List(inside, ast.Load()) if isinstance(part, list) else packed(inside)

    @property
    def has_constant(self) -> bool:
        """Whether a constant of the module has the shapes of an entry."""
        return self.stack.kind in ("dict", "nested")

    def constant(self) -> list[str]:
        """The axes of the arrays of an entry by their keys, as a constant of the module."""
        if not self.has_constant:
            return []
        axes = self.annotation[0]
        if self.stack.kind == "dict":  # in the order in which entries are read
            axes = {key: axes[key] for path in self.stack.keys for key in path}
        return lines(state("{y} = {x}", y=self.keys, x=literal(axes)), WIDTH)

    def note(self) -> ast.expr:
        """The shapes of the list: [BLOCK] * 12."""
        first = literal(self.annotation[:1])
        if self.has_constant:
            entry = tree(self.keys)
            first = ast.List([entry], ast.Load()) if self.outer == "list" else packed([entry])
        return quote("{first} * {count}", first=first, count=len(self.annotation))


def stack_codes(
    stacks: Sequence[Stack], system: System, names: Names
) -> dict[str, StackCode]:
    """The names for each stack, by its own; what is named here is taken from now on."""
    arguments = {a.name: a for a in system.arguments}
    found = {}
    for stack in stacks:
        of, notes = arguments[stack.argument].tree, arguments[stack.argument].annotation
        for key in stack.path:
            of, notes = of[key], notes[key]
        name = next((k for k in stack.path[-1:] if isinstance(k, str) and k.isidentifier()
                     and not keyword.iskeyword(k)), stack.name)
        single = name[:-1] if name.endswith("s") and name[:-1].isidentifier() else f"{name}_entry"
        wishes = [f"read_{name}", f"{name}_read", single, f"d{name}", f"d{single}",
                  f"{name}_dtypes", single.upper()]
        made: list[str] = []
        for wish in wishes:
            made.append(unused(wish, names.taken))
            names.taken.add(made[-1])
        inside = {*MODULE, *IN_BODIES, *made, *names.sizes.values()}  # of functions of their own
        words = ["_".join(map(str, path)) for path in stack.keys]
        leaves = [w if w.isidentifier() else f"{single}_{w or 'array'}" for w in words]
        for wish in ("l", "kinds", stack.name, *leaves):
            made.append(unused(wish, inside))
            inside.add(made[-1])
        shown = {a.name for column in stack.columns for s in system.arrays[column[0]].shape
                 for a in atoms(s) if isinstance(a, Size)}
        sizes = {s: names.sizes[s] for s in system.sizes if s in shown}
        reader, rows, entry, adjoints, entry_adjoint, dtypes, keys, *inner = made
        index, kind, given, *leaves = inner
        found[stack.name] = StackCode(
            stack, type(of).__name__, notes, sizes, reader, rows, entry, adjoints, entry_adjoint,
            dtypes, keys, index, kind, given, tuple(leaves), stack.argument in names.hidden)
    return found


def first_arrays(codes: Mapping[str, StackCode]) -> dict[str, tuple[StackCode, int]]:
    """The arrays of the first entry of each stack, with their column."""
    return {column[0]: (code, k) for code in codes.values()
            for k, column in enumerate(code.stack.columns)}


def other_arrays(codes: Mapping[str, StackCode]) -> frozenset[str]:
    """The arrays of all other entries."""
    return frozenset(a for code in codes.values() for c in code.stack.columns for a in c[1:])


def in_place(
    item: Any, codes: Mapping[str, StackCode], made: Callable[[StackCode], ast.expr],
    leaf: Callable[[str], ast.expr], argument: str, path: tuple[str | int, ...] = (),
) -> ast.expr:
    """A part of an argument, the one at a path, with something made in the place of each stack."""
    code = next((c for c in codes.values()
                 if (c.stack.argument, c.stack.path) == (argument, path)), None)
    if code is not None:
        return made(code)
    if isinstance(item, str):
        return leaf(item)

    def below(key: str | int, part: Any) -> ast.expr:
        return in_place(part, codes, made, leaf, argument, (*path, key))

    if isinstance(item, Mapping):
        return ast.Dict([literal(k) for k in item], [below(k, v) for k, v in item.items()])
    inside = [below(k, v) for k, v in enumerate(item)]
    return ast.List(inside, ast.Load()) if isinstance(item, list) else packed(inside)
