"""Views of arrays as NumPy text: slices, grids of positions, windows, zeros around.

In: views of lower/ir.py. Out: their text.
"""

from __future__ import annotations

from dataclasses import dataclass

from symprop.algebra.build import ONE, add, mul, number, sub
from symprop.algebra.canonical import normal, same
from symprop.algebra.expr import ADJOINT, Expr
from symprop.algebra.integers import filled, floordiv
from symprop.emit.numpy_sizes import SizePrinter
from symprop.lower import ir
from symprop.lower.ir import Axes, Node

Parts = list[str]


@dataclass
class ViewPrinter(SizePrinter):
    """Prints views; what a grid holds is printed by `spread`, which a subclass has."""

    def spread(self, node: Node, axes: Axes, least: int = 0) -> str:
        """The text of a node, broadcast to axes."""
        raise NotImplementedError

    def name(self, array: str) -> str:
        """The name of an array in code."""
        return self.names[array]

    def view(self, node: ir.View) -> str:
        """The text of a view."""
        shape = self.shape_of(node.array)
        base = self.name(node.array)
        if not node.pads and all(isinstance(s, ir.Whole) for s in node.subscripts):
            return base
        if node.pads:
            base = f"np.pad({base}, {self._pads(node.pads)})"
            shape = tuple(normal(add(s, low, high))
                          for s, (low, high) in zip(shape, node.pads, strict=True))
        if node.shape:
            shape = node.shape
            base += f".reshape({', '.join(self.size(s)[0] for s in shape)})"
        if any(isinstance(s, ir.Window) for s in node.subscripts):
            return self._windows(base, node, shape)
        return base + bracketed(self.parts(node.subscripts, shape, node.grid))

    def shape_of(self, array: str) -> tuple[Expr, ...]:
        """The shape of an array or of an adjoint."""
        return self.system.arrays[array.removeprefix(ADJOINT)].shape

    def parts(
        self, subscripts: tuple[ir.Subscript, ...], shape: tuple[Expr, ...], grid: Axes
    ) -> Parts:
        """One text for each of the last axes of an array."""
        known = shape[len(shape) - len(subscripts):]
        return [self.subscript(s, size, grid)
                for s, size in zip(subscripts, known, strict=True)]

    def subscript(self, item: ir.Subscript, size: Expr, grid: Axes) -> str:
        """The text of one subscript; that of a window is the stretch that all windows cover."""
        if isinstance(item, ir.Whole):
            return ":"
        if isinstance(item, ir.At):
            return self.size(item.position)[0]
        if isinstance(item, ir.Grid):
            text = self.spread(item.positions, grid)
            if item.size is None:
                return text
            top = self.size(normal(sub(item.size, number(1))))[0]
            return f"np.clip({text}, 0, {top})"
        if isinstance(item, ir.Window):
            reach = sub(add(item.start, span(item.outer.size, item.step), self.width(item)), ONE)
            if self.fits(item, size):
                return "" if item.start.is_zero else f"{self.size(item.start)[0]}:"
            return self._slice(item.start, normal(reach), size, 1)
        return self._stretch(item, size)

    def width(self, item: ir.Window) -> Expr:
        """The number of entries that a window covers."""
        return span(item.inner.size, abs(item.dilation))

    def fits(self, item: ir.Window, size: Expr) -> bool:
        """Whether the windows are all that fit into the axis."""
        return _count_of(size, item.start, self.width(item), item.step, item.outer.size)

    def _stretch(self, item: ir.Stretch, size: Expr) -> str:
        if item.step < 0:
            last = normal(add(item.start, mul(sub(item.count, ONE), number(item.step))))
            begin = "" if same(normal(add(item.start, ONE)), size) else self.size(item.start)[0]
            end = "" if last.is_zero else self.size(normal(sub(last, ONE)))[0]
            return f"{begin}:{end}:{item.step}"
        if _count_of(size, item.start, ONE, item.step, item.count):
            return self._slice(item.start, size, size, item.step)
        stop = normal(add(item.start, span(item.count, item.step)))
        return self._slice(item.start, stop, size, item.step)

    def _slice(self, start: Expr, stop: Expr, size: Expr, step: int) -> str:
        begin = "" if start.is_zero else self.size(start)[0]
        end = "" if same(stop, size) else self.size(stop)[0]
        return f"{begin}:{end}" + (f":{step}" if step != 1 else "")

    def _pads(self, pads: ir.Pads) -> str:
        pairs = [f"({self.size(low)[0]}, {self.size(high)[0]})" for low, high in pads]
        return pairs[0] if len(pairs) == 1 else f"({', '.join(pairs)})"

    def _windows(self, base: str, node: ir.View, shape: tuple[Expr, ...]) -> str:
        before = self.parts(node.subscripts, shape, node.grid)
        kept = [s for s in node.subscripts if not isinstance(s, ir.At)]
        windows = [s for s in kept if isinstance(s, ir.Window)]
        axes = [k for k, s in enumerate(kept) if isinstance(s, ir.Window)]
        widths = [self.size(normal(self.width(s)))[0] for s in windows]
        after = [f"::{s.step}" if isinstance(s, ir.Window) and s.step != 1 else ":" for s in kept]
        inside = [f"::{s.dilation}" if s.dilation != 1 else ":" for s in windows]
        if set(after) == {":"} and set(inside) != {":"}:
            after = ["..."]
        base += bracketed([p or ":" for p in before])
        one = len(windows) == 1
        where = f"{widths[0]}, axis={axes[0]}" if one else (
            f"({', '.join(widths)}), axis={tuple(axes)}")
        return (f"np.lib.stride_tricks.sliding_window_view({base}, {where})"
                f"{bracketed([*after, *inside])}")


def bracketed(parts: Parts) -> str:
    """[...] without trailing whole axes, but where an ellipsis counts from the end."""
    parts = list(parts)
    while parts and parts[-1] == ":" and "..." not in parts:
        parts.pop()
    return f"[{', '.join(parts)}]" if parts else ""


def span(count: Expr, step: int) -> Expr:
    """From the first position to one behind the last of `count` positions."""
    if step > 1 and not filled(count):  # there may be no last position: any end behind it does
        return normal(mul(count, number(step)))
    return normal(add(mul(sub(count, ONE), number(step)), ONE))


def _count_of(size: Expr, start: Expr, width: Expr, step: int, count: Expr) -> bool:
    """Whether `count` is how many windows fit into the axis from `start` on."""
    places = normal(add(sub(size, add(start, width)), ONE))
    return same(normal(count), normal(floordiv(add(places, number(step - 1)), number(step))))
