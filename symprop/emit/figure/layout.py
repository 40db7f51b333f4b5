"""Where the boxes of a graph stand: layers from top to bottom, few crossings, straight arrows.

In: a `Graph`, the width and height of every box. Out: a `Layout`. The method is that of layered
drawings: each box on the layer after those that it reads; arrows over several layers by way of
places in between; layers sorted by the middle of their neighbours; then each layer moved as near
to its neighbours as the distances allow, which is a regression that keeps an order. What comes out
much higher than wide is folded into columns, cut where few arrows pass.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from symprop.emit.figure.folding import GAP, LANE, Leg, Point, fold
from symprop.emit.figure.graph import Arrow, Graph

SOURCE = 0.02  # how much a box that reads nothing pulls at its readers: they follow the others
_SWEEPS = 24


@dataclass(frozen=True)
class Layout:
    """The centres of boxes, the legs of arrows, the size of the whole."""

    centres: Mapping[str, Point]
    paths: tuple[tuple[Leg, ...], ...]  # in the order of the graph's arrows
    width: float
    height: float


def layout(graph: Graph, sizes: Mapping[str, Point]) -> Layout:
    """Places every box and arrow; the same for the same graph."""
    ranks = _ranks(graph)
    layers: list[list[str]] = [[] for _ in range(max(ranks.values(), default=0) + 1)]
    for box in graph.boxes:
        layers[ranks[box.key]].append(box.key)
    widths = {box.key: sizes[box.key][0] for box in graph.boxes}
    above: dict[str, list[str]] = {}
    below: dict[str, list[str]] = {}
    chains: list[list[str]] = []
    for number, arrow in enumerate(graph.arrows):
        start, end = arrow.start, arrow.end
        if arrow.back:
            chains.append([])
            continue
        chain = [start]
        for rank in range(ranks[start] + 1, ranks[end]):
            lane = f"{number} {rank}"
            widths[lane] = LANE
            layers[rank].append(lane)
            chain.append(lane)
        chain.append(end)
        chains.append(chain)
        for upper, lower in pairwise(chain):
            below.setdefault(upper, []).append(lower)
            above.setdefault(lower, []).append(upper)
    layers = _sorted(layers, above, below)
    across = _across(layers, widths, above, below)
    heights = [max((sizes[k][1] for k in layer if k in sizes), default=0.0) for layer in layers]
    page = fold(layers, heights, across, widths, chains, any(a.back for a in graph.arrows))
    right = page.width
    paths: list[tuple[Leg, ...]] = []
    for arrow, chain in zip(graph.arrows, chains, strict=True):
        if arrow.back:
            right += GAP
            paths.append((("turn", _beside(arrow, page.place, sizes, right)),))
        else:
            paths.append(page.path(chain, sizes))
    return Layout({b.key: page.place[b.key] for b in graph.boxes}, tuple(paths), right,
                  page.height)


def _beside(
    arrow: Arrow, place: Mapping[str, Point], sizes: Mapping[str, Point], right: float
) -> tuple[Point, ...]:
    """From the side of one box to the side of another, at the right of everything."""
    (x, y), (to_x, to_y) = place[arrow.start], place[arrow.end]
    return ((x + sizes[arrow.start][0] / 2, y), (right, y), (right, to_y),
            (to_x + sizes[arrow.end][0] / 2, to_y))


def _ranks(graph: Graph) -> dict[str, int]:
    """The layer of every box; one that reads nothing stands just before its first reader."""
    ahead: dict[str, list[str]] = {b.key: [] for b in graph.boxes}
    behind: dict[str, list[str]] = {b.key: [] for b in graph.boxes}
    for arrow in graph.arrows:
        if not arrow.back:
            ahead[arrow.start].append(arrow.end)
            behind[arrow.end].append(arrow.start)
    ranks: dict[str, int] = {}
    pending = [b.key for b in graph.boxes]
    while pending:
        ready = [k for k in pending if all(b in ranks for b in behind[k])]
        assert ready, "the arrows of a figure make a cycle"
        for key in ready:
            ranks[key] = 1 + max((ranks[b] for b in behind[key]), default=-1)
        pending = [k for k in pending if k not in ranks]
    for key in ranks:
        if not behind[key] and ahead[key]:
            ranks[key] = min(ranks[a] for a in ahead[key]) - 1
    lowest = min(ranks.values(), default=0)
    return {key: rank - lowest for key, rank in ranks.items()}


# ---- the order within a layer --------------------------------------------------------------


def _sorted(
    layers: list[list[str]], above: Mapping[str, list[str]], below: Mapping[str, list[str]]
) -> list[list[str]]:
    """The order with the fewest crossings that sweeps down and up find."""
    best, fewest = layers, _crossings(layers, below)
    current = [list(layer) for layer in layers]
    for sweep in range(_SWEEPS):
        down = sweep % 2 == 0
        order = range(1, len(current)) if down else range(len(current) - 2, -1, -1)
        for rank in order:
            fixed = current[rank - 1] if down else current[rank + 1]
            spot = {key: k for k, key in enumerate(fixed)}
            near = above if down else below
            own = {key: k for k, key in enumerate(current[rank])}
            current[rank].sort(key=lambda key, near=near, spot=spot, own=own: (  # type: ignore[misc]
                _middle([spot[n] for n in near.get(key, ()) if n in spot], own[key]), own[key]))
        count = _crossings(current, below)
        if count < fewest:
            best, fewest = [list(layer) for layer in current], count
    return best


def _middle(spots: list[int], default: float) -> float:
    return sum(spots) / len(spots) if spots else default


def _crossings(layers: Sequence[Sequence[str]], below: Mapping[str, list[str]]) -> int:
    """How many pairs of arrows between neighbouring layers cross."""
    total = 0
    for upper, lower in pairwise(layers):
        spot = {key: k for k, key in enumerate(lower)}
        ends = [sorted(spot[n] for n in below.get(key, ()) if n in spot) for key in upper]
        seen: list[int] = []
        for several in ends:
            total += sum(1 for end in several for before in seen if before > end)
            seen += several
    return total


# ---- across --------------------------------------------------------------------------------


def _across(
    layers: Sequence[Sequence[str]], widths: Mapping[str, float],
    above: Mapping[str, list[str]], below: Mapping[str, list[str]],
) -> dict[str, float]:
    """The middle of every box and lane."""
    found: dict[str, float] = {}
    for layer in layers:
        x = 0.0
        for key in layer:
            found[key] = x + widths[key] / 2
            x += widths[key] + GAP
        for key in layer:
            found[key] -= (x - GAP) / 2
    for sweep in range(_SWEEPS):
        down = sweep % 2 == 0
        nearer, other = (above, below) if down else (below, above)
        for layer in layers if down else reversed(layers):
            wanted, weights = [], []
            for key in layer:
                near = nearer.get(key) or other.get(key, [])
                pulls = [(found[n], 1.0 if above.get(n) else SOURCE) for n in near]
                heavy = sum(pull for _, pull in pulls)
                wanted.append(sum(x * pull for x, pull in pulls) / heavy if pulls else found[key])
                weights.append(1.0 if above.get(key) else SOURCE)
            found.update(zip(layer, _apart(layer, wanted, weights, widths), strict=True))
    return found


def _apart(
    layer: Sequence[str], wanted: Sequence[float], weights: Sequence[float],
    widths: Mapping[str, float],
) -> list[float]:
    """The places nearest to those wanted that keep order and distance (pooled neighbours)."""
    offsets = [0.0]
    for left, right in pairwise(layer):
        offsets.append(offsets[-1] + (widths[left] + widths[right]) / 2 + GAP)
    pools: list[list[float]] = []  # mean, weight, count
    for want, weight, offset in zip(wanted, weights, offsets, strict=True):
        pools.append([want - offset, weight, 1])
        while len(pools) > 1 and pools[-2][0] > pools[-1][0]:
            mean, heavy, count = pools.pop()
            last = pools[-1]
            last[0] = (last[0] * last[1] + mean * heavy) / (last[1] + heavy)
            last[1] += heavy
            last[2] += count
    means = [mean for mean, _, count in pools for _ in range(int(count))]
    return [mean + offset for mean, offset in zip(means, offsets, strict=True)]
