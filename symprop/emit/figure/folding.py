"""Layers from top to bottom as a page: in one column, or in several where one would be a ribbon.

In: the layers with their heights, how far across everything stands, the chains of places that
arrows pass. Out: a `Page`: where everything is, and the legs of an arrow.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import sqrt

Point = tuple[float, float]
Leg = tuple[str, tuple[Point, ...]]  # "flow": straight down at every point; "turn": round corners
GAP = 26.0  # between boxes of a layer
BETWEEN = 44.0  # between layers
LANE = 14.0  # the width of an arrow that passes a layer
LONGEST, SHAPE = 1400.0, 2.2  # what is higher, and so many times its width, is folded
WANTED = 1.3  # height over width of what is folded
TURN = 9.0  # between arrows that turn to the next column


@dataclass(frozen=True)
class Page:
    """Where everything stands.

    tops, heights: of layers; rank: the layer of everything. turns: for an arrow's two places in two
    columns, how far down it goes, where up, and how far.
    """

    place: Mapping[str, Point]
    tops: Sequence[float]
    heights: Sequence[float]
    rank: Mapping[str, int]
    turns: Mapping[tuple[str, str], tuple[float, float, float]]
    width: float
    height: float

    def path(self, chain: Sequence[str], sizes: Mapping[str, Point]) -> tuple[Leg, ...]:
        """From the foot of the first box, through its lanes, to the head of the last."""
        legs: list[Leg] = []
        points = [self._foot(chain[0], sizes)]
        for before, key in pairwise(chain):
            head = self._head(key, sizes)
            if (before, key) in self.turns:
                foot, gutter, top = self.turns[before, key]
                x = points[-1][0]
                if len(points) > 1:
                    legs.append(("flow", tuple(points)))
                legs.append(("turn", (points[-1], (x, foot), (gutter, foot), (gutter, top),
                                      (head[0], top), head)))
                points = [head]
            else:
                points.append(head)
            if key not in sizes:
                points.append(self._foot(key, sizes))
        if len(points) > 1:
            legs.append(("flow", tuple(points)))
        return tuple(legs)

    def _foot(self, key: str, sizes: Mapping[str, Point]) -> Point:
        x, y = self.place[key]
        high = sizes[key][1] if key in sizes else self.heights[self.rank[key]]
        return x, y + high / 2

    def _head(self, key: str, sizes: Mapping[str, Point]) -> Point:
        x, y = self.place[key]
        high = sizes[key][1] if key in sizes else self.heights[self.rank[key]]
        return x, y - high / 2


def fold(
    layers: Sequence[Sequence[str]], heights: Sequence[float], across: Mapping[str, float],
    widths: Mapping[str, float], chains: Sequence[Sequence[str]], whole: bool,
) -> Page:
    """The page; `whole` keeps it in one column."""
    rank = {key: r for r, layer in enumerate(layers) for key in layer}
    passing: list[list[tuple[str, str]]] = [[] for _ in layers]  # the arrows into each layer
    for chain in chains:
        for pair in pairwise(chain):
            if pair not in passing[rank[pair[1]]]:
                passing[rank[pair[1]]].append(pair)
    left = min((across[k] - widths[k] / 2 for k in across), default=0.0)
    right = max((across[k] + widths[k] / 2 for k in across), default=0.0)
    total = sum(heights) + BETWEEN * max(0, len(heights) - 1)
    cuts = () if whole or total < max(LONGEST, SHAPE * (right - left)) else _cuts(
        heights, total, [len(p) for p in passing],
        max(2, round(sqrt(total / (WANTED * (right - left + 3 * GAP))))))
    most = max((len(passing[c]) for c in cuts), default=0)
    start = TURN * (most + 1) if cuts else 0.0
    tops: list[float] = []
    place: dict[str, Point] = {}
    turns: dict[tuple[str, str], tuple[float, float, float]] = {}
    offset, lowest, width = 0.0, 0.0, 0.0
    bounds = [0, *cuts, len(layers)]
    for first, last in pairwise(bounds):
        keys = [k for layer in layers[first:last] for k in layer]
        own = min((across[k] - widths[k] / 2 for k in keys), default=0.0)
        if first:
            for number, pair in enumerate(passing[first]):
                gutter = offset - GAP - TURN * number
                turns[pair] = (0.0, gutter, start - TURN * (number + 1))
        top = start
        for r in range(first, last):
            tops.append(top)
            for key in layers[r]:
                place[key] = (across[key] - own + offset, top + heights[r] / 2)
            top += heights[r] + BETWEEN
        lowest = max(lowest, top - BETWEEN)
        width = offset + max((across[k] + widths[k] / 2 for k in keys), default=0.0) - own
        offset = width + 2 * GAP + TURN * most
    for cut in cuts:
        foot = tops[cut - 1] + heights[cut - 1]
        for number, pair in enumerate(passing[cut]):
            _, gutter, head = turns[pair]
            turns[pair] = (foot + TURN * (number + 1), gutter, head)
    bottom = TURN * (most + 1) if cuts else 0.0
    return Page(place, tops, heights, rank, turns, width, lowest + bottom)


def _cuts(
    heights: Sequence[float], total: float, passing: Sequence[int], columns: int
) -> tuple[int, ...]:
    """The first layers of all columns but the first: near equal heights, where few arrows pass."""
    ends, at = [], 0.0
    for height in heights:
        ends.append(at)
        at += height + BETWEEN
    found: list[int] = []
    for column in range(1, columns):
        wanted = total * column / columns
        near = [r for r in range(1, len(heights)) if r > (found[-1] if found else 0)
                and abs(ends[r] - wanted) < 0.12 * total / columns]
        if near:
            found.append(min(near, key=lambda r: (passing[r], abs(ends[r] - wanted), r)))
    return tuple(found)
