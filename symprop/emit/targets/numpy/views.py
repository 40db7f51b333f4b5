"""Views of arrays as trees: slices, grids of positions, windows, zeros around.

In: views of lower/ir.py. Out: trees.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass

from symprop.algebra import integers_slices as slices
from symprop.algebra.expr import ADJOINT, Expr
from symprop.emit.targets.numpy.sizes import SizePrinter
from symprop.lower import ir
from symprop.lower.ir import Axes, Node
from symprop.syntax.tree import packed, quote, tree

Parts = list[ast.expr]
WHOLE = ast.Slice(None, None, None)


@dataclass
class ViewPrinter(SizePrinter):
    """Prints views; what a grid holds is printed by `spread`, which a subclass has."""

    def spread(self, node: Node, axes: Axes) -> ast.expr:
        """A node, broadcast to axes."""
        raise NotImplementedError

    def name(self, array: str) -> str:
        """The name of an array in code."""
        return self.names[array]

    def view(self, node: ir.View) -> ast.expr:
        """An array, or entries of it."""
        shape = self.shape_of(node.array)
        base = tree(self.name(node.array))
        if not node.pads and all(isinstance(s, ir.Whole) for s in node.subscripts):
            return base
        if node.pads:
            base = self.target.spell("pad", x=base, pads=self._pads(node.pads))
            held = shape[len(shape) - len(node.pads):]  # what a loop passes on is one entry
            shape = tuple(slices.padded(s, low, high)
                          for s, (low, high) in zip(held, node.pads, strict=True))
        if node.shape:
            shape = node.shape
            base = self.target.spell("reshape", x=base, sizes=[*map(self.size, shape)])
        if any(isinstance(s, ir.Window) for s in node.subscripts):
            return self._windows(base, node, shape)
        return bracketed(base, self.parts(node.subscripts, shape, node.grid))

    def shape_of(self, array: str) -> tuple[Expr, ...]:
        """The shape of an array or of an adjoint."""
        return self.system.arrays[array.removeprefix(ADJOINT)].shape

    def parts(
        self, subscripts: tuple[ir.Subscript, ...], shape: tuple[Expr, ...], grid: Axes
    ) -> Parts:
        """One tree for each of the last axes of an array."""
        known = shape[len(shape) - len(subscripts):]
        return [self.subscript(s, size, grid)
                for s, size in zip(subscripts, known, strict=True)]

    def subscript(self, item: ir.Subscript, size: Expr, grid: Axes) -> ast.expr:
        """One subscript; that of a window is the stretch that all windows cover."""
        if isinstance(item, ir.Whole):
            return WHOLE
        if isinstance(item, ir.At):
            return self.size(item.position)
        if isinstance(item, ir.Grid):
            found = self.spread(item.positions, grid)
            if item.size is None:
                return found
            return self.target.spell("clip", x=found,
                                     top=self.size(slices.top_of(item.size)))
        if isinstance(item, ir.Window):
            width = slices.span(item.inner.size, abs(item.dilation))
            return self.slice(slices.windows_ends(
                item.start, item.outer.size, item.step, width, size), 1)
        return self.slice(slices.ends(item.start, item.count, item.step, size), item.step)

    def slice(self, ends: slices.Ends, step: int) -> ast.expr:
        """A slice from one end to the other; None is the end of the axis."""
        start, stop = (None if e is None else self.size(e) for e in ends)
        return ast.Slice(start, stop, None if step == 1 else tree(step))

    def _pads(self, pads: ir.Pads) -> ast.expr:
        pairs = [self.shape(pair) for pair in pads]
        return pairs[0] if len(pairs) == 1 else packed(pairs)

    def _windows(self, base: ast.expr, node: ir.View, shape: tuple[Expr, ...]) -> ast.expr:
        before = self.parts(node.subscripts, shape, node.grid)
        kept = [s for s in node.subscripts if not isinstance(s, ir.At)]
        windows = [s for s in kept if isinstance(s, ir.Window)]
        axes = [k for k, s in enumerate(kept) if isinstance(s, ir.Window)]
        widths = [self.size(slices.span(s.inner.size, abs(s.dilation))) for s in windows]
        after = [_steps(s.step) if isinstance(s, ir.Window) else WHOLE for s in kept]
        inside = [_steps(s.dilation) for s in windows]
        if all(map(is_whole, after)) and not all(map(is_whole, inside)):
            after = [ast.Constant(...)]
        one = len(windows) == 1
        found = self.target.spell(
            "windows", x=bracketed(base, before), widths=widths[0] if one else packed(widths),
            axes=axes[0] if one else packed(axes))
        return bracketed(found, [*after, *inside])


def _steps(step: int) -> ast.expr:
    return WHOLE if step == 1 else ast.Slice(None, None, tree(step))


def is_whole(part: ast.expr) -> bool:
    """Whether a subscript is the whole axis."""
    return isinstance(part, ast.Slice) and not (part.lower or part.upper or part.step)


def trimmed(parts: Sequence[ast.expr]) -> Parts:
    """Subscripts without trailing whole axes, but where an ellipsis counts from the end."""
    parts = list(parts)
    counted = any(isinstance(p, ast.Constant) and p.value is ... for p in parts)
    while parts and is_whole(parts[-1]) and not counted:
        parts.pop()
    return parts


def bracketed(base: ast.expr, parts: Sequence[ast.expr]) -> ast.expr:
    """base[...] without trailing whole axes."""
    parts = trimmed(parts)
    return quote("{base}[{parts}]", base=base, parts=parts) if parts else base
