"""Equations as statements.

In: an equation `V[i, j] = rhs`. Out: one assignment; or an array that is filled piece by
piece, where terms belong to stretches of V's axes (brackets on V's indices), or where
deltas say at which positions of V their values are added.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from symprop.algebra.build import ONE, as_monomial, idx, mul, substitute_term
from symprop.algebra.canonical import expand, normal
from symprop.algebra.expr import (
    Access,
    Atom,
    Expr,
    Index,
    Iverson,
    Paren,
    Term,
    atoms,
    free_indices,
    indices_of,
)
from symprop.algebra.integers import guard
from symprop.lower.axes import aligned
from symprop.lower.contract import sides_in
from symprop.lower.dtypes import FLOAT, flavour
from symprop.lower.hoist import MADE
from symprop.lower.implicit import solution
from symprop.lower.ir import (
    Allocate,
    Arange,
    Assign,
    At,
    Axes,
    Cast,
    Copy,
    Expand,
    Fill,
    Grid,
    Node,
    Put,
    Reshape,
    Scatter,
    Stretch,
    Subscript,
    Sum,
    View,
    Where,
    Whole,
    Window,
    Write,
    Zeros,
)
from symprop.lower.layout import laid_as, lying
from symprop.lower.nodes import as_float, broadcast, is_new, negative
from symprop.lower.parted import apart, parted
from symprop.lower.picks import pick_of, set_apart
from symprop.lower.places import Place, fill, gathered
from symprop.lower.ranges import Piece, restricted, tidy
from symprop.lower.scope import Scope
from symprop.lower.slides import COLUMNS
from symprop.lower.terms import Lowering
from symprop.lower.views import grid_at, subscript
from symprop.system import Adjoint, Equation, itself

Targets = dict[Index, tuple[Atom, Expr]]  # index of the left-hand side -> (delta, position)


@dataclass(frozen=True)
class _Frame:
    """An equation's own indices: all, and those of axes longer than 1."""

    equation: Equation | Adjoint
    lowering: Lowering
    indices: tuple[Index, ...]
    live: tuple[Index, ...]
    at: Expr | None

    @property
    def laid(self) -> Axes:
        """The axes longer than 1 in the order in which they lie in memory."""
        order = self.lowering.scope.laid.get(self.equation.array)
        own = self.equation.indices
        found = tuple(own[k] for k in order or ())
        return found if set(found) == set(self.live) else self.live

    def declared(self, position: Expr, size: Expr) -> bool:
        """Whether a position is known to lie in an axis, or the door tests that it does."""
        return self.lowering.scope.inside(position, size)

    def value(self, node: Node) -> Node:
        """A node as the dtype of the equation's array."""
        return node if self.lowering.integer else as_float(node)


def lower_equation(equation: Equation | Adjoint, scope: Scope) -> tuple[Write, ...]:
    """The statements of one equation, inside a loop without its first index."""
    indices = tuple(i for i in equation.indices if i is not scope.loop)
    whole = scope.dtype(equation.array) != "float"
    at = None if scope.loop is None or equation.array in scope.passing else idx(scope.loop)
    live = tuple(i for i in indices if i.size.number != 1)
    lowering = Lowering(scope, whole, truth=scope.dtype(equation.array) == "bool")
    frame = _Frame(equation, lowering, indices, live, at)
    entry = replace(equation, indices=indices) if equation.array in scope.passing else equation
    if itself(entry) is not None:
        node = aligned(solution(entry, live, lowering), live)
        node = node if node.axes == indices else Expand(indices, node)
        return (Assign(equation.array, node, equation.number, at),)
    rhs, cuts = parted(equation.rhs, live) if at is None else (equation.rhs, [])
    if cuts:
        parts = {c.whole: c.parts for c in cuts}
        cut = replace(frame, indices=tuple(p for i in indices for p in parts.get(i, (i,))),
                      live=tuple(p for i in live for p in parts.get(i, (i,))))
        joined = _joined(frame, cut, _statements(cut, rhs))
        if joined is not None:
            return joined
    return _statements(frame, equation.rhs)


def _joined(frame: _Frame, cut: _Frame, writes: tuple[Write, ...]) -> tuple[Write, ...] | None:
    """Statements for an array with some axes cut, then the array as it shall be."""
    equation = frame.equation
    if any(isinstance(w, Scatter) for w in writes):
        return None
    *before, last = writes
    if isinstance(last, Assign):
        return (*before, replace(last, node=Reshape(frame.indices, last.node)))
    shape = tuple(i.size for i in cut.indices)
    whole = View(cut.indices, equation.array, tuple(Whole() for _ in cut.indices))
    return (*(replace(w, shape=shape) if isinstance(w, Put) else w for w in writes),
            Assign(equation.array, Reshape(frame.indices, whole), equation.number))


def _statements(frame: _Frame, rhs: Expr) -> tuple[Write, ...]:
    """The statements of an equation with this right-hand side."""
    if any(isinstance(a, Paren) and any(targets_of(t, frame.live) for t in a.body.terms)
           for a in atoms(rhs)):
        rhs = expand(rhs)
    rhs = apart(rhs, frame.live)
    rhs = set_apart(rhs, frame.live, frame.declared)
    placed: list[Scatter | Put | Place] = []
    rest: list[Term] = []
    for term in rhs.terms:
        targets = targets_of(term, frame.live)
        if targets:
            found_at = _scatter(frame, term, targets)
            if found_at is not None:
                placed.append(found_at)
            continue
        pick = pick_of(term, frame.live, frame.declared)
        if pick is not None:
            placed.append(_pick(frame, term, *pick))
            continue
        shorter, found = restricted(term, frozenset(frame.live), frame.lowering.scope.loop)
        if not shorter.coef:
            continue
        if not found or (len(rhs.terms) == 1 and frame.laid == frame.live
                         and _only_padding(frame, term)):
            rest.append(term)
            continue
        placed.append(_piece(frame, shorter, found))
    places = gathered(p for p in placed if isinstance(p, Place))
    others = [p for p in placed if not isinstance(p, Place)]
    full = not rest and not others and fill(places, [i.size for i in frame.indices])
    puts = [*(_put(frame, p, full) for p in places), *others]
    return (*_first(frame, Expr(tuple(rest)), puts, full), *puts)


def _only_padding(frame: _Frame, term: Term) -> bool:
    """Whether a term is one array with zeros around it."""
    plain = [a for a, e in term.factors if not isinstance(a, Iverson)]
    if len(plain) != 1 or not isinstance(plain[0], Access) or abs(term.coef) != 1:
        return False
    node = frame.lowering.term(term, frame.live)[1]
    return isinstance(node, View) and bool(node.pads)


def _first(
    frame: _Frame, rest: Expr, placed: list[Scatter | Put], full: bool
) -> tuple[Write, ...]:
    """What stands before the values are put in: the other terms, zeros, or an empty array.

    full: the values fill the array.
    """
    equation, indices = frame.equation, frame.indices
    if placed and rest.is_zero:
        shape = tuple(i.size for i in indices)
        if full:
            if frame.at is not None:  # the array stands before the loop already
                return ()
            return (Allocate(equation.array, shape, equation.number),)
        first = placed[0]
        if isinstance(first, Put) and not any(isinstance(s, Window) for s in first.subscripts):
            placed[0] = _setting(first)
        order = laid_as(first) or (frame.lowering.scope.laid.get(equation.array, ())
                                   if frame.laid != frame.live else ())
        return (Zeros(equation.array, shape, equation.number, frame.at, order),)
    node = frame.lowering.expr(rest, frame.laid)
    if frame.laid != frame.live:
        node = lying(node, frame.laid)
    node = aligned(frame.value(node), frame.live)
    if frame.lowering.integer and flavour(node) == FLOAT:
        node = Cast(node.axes, node, whole=True)
    if frame.at is not None or _certainly(node, frame.live):
        node = broadcast(node, frame.live)
    fresh = is_new(node)
    if not indices and not frame.lowering.integer and flavour(node) != FLOAT:
        node = Fill((), node)  # a Python number would not be of the module's dtype
    if placed and not fresh and node.axes == indices:
        node = Copy(indices, node)
    elif node.axes != frame.live or (placed and not fresh):
        node = Fill(indices, node)
    elif node.axes != indices:
        node = Expand(indices, node)
    wanted = isinstance(equation, Adjoint) and equation.primal in frame.lowering.scope.system.wrt
    if wanted and not fresh and indices and not isinstance(node, (Fill, Copy)) and frame.at is None:
        node = Copy(node.axes, node)  # a gradient is an array of its own
    if isinstance(equation, Equation) and equation.role == COLUMNS:
        node = Copy(node.axes, node)
    if isinstance(equation, Equation) and equation.role == MADE:
        node = sides_in(node)
    return (Assign(equation.array, node, equation.number, frame.at),)


def _certainly(node: Node, axes: Axes) -> bool:
    """Whether a sum has all axes without its conditional terms: those may be the number 0."""
    return isinstance(node, Sum) and any(
        n.axes == axes and not isinstance(n, (Where, Fill)) for _, n in node.terms)


def _setting(put: Put) -> Put:
    """The same values set, where there is nothing yet to add them to."""
    value = put.value if put.sign > 0 else negative(put.value)
    return replace(put, sign=0, value=value)


# ---- pieces ---------------------------------------------------------------------------------


def _piece(frame: _Frame, term: Term, pieces: dict[Index, Piece]) -> Place:
    """One term on a stretch of some axes."""
    subscripts: list[Subscript] = []
    axes: list[Index] = []
    for index in frame.indices:
        piece = pieces.get(index)
        if piece is None:
            subscripts.append(Whole())
            axes.append(index)
        elif piece.index is None:
            subscripts.append(At(piece.start))
        else:
            subscripts.append(Stretch(piece.start, piece.index.size, 1))
            axes.append(piece.index)
    return Place(tuple(subscripts), tuple(axes), Expr((term,)))


def _put(frame: _Frame, place: Place, full: bool) -> Put:
    """The value of a place, set where all places together are `full`, else added."""
    order = tuple(i for i in place.axes if i.size.number != 1)
    terms = place.value.terms
    sign, node = frame.lowering.term(terms[0], order) if len(terms) == 1 else (
        1, frame.lowering.expr(place.value, order))
    value = broadcast(aligned(frame.value(node), order), order)
    put = Put(frame.equation.array, place.subscripts, place.axes, sign, value,
              frame.equation.number, frame.at)
    return _setting(put) if full else put


# ---- deltas ---------------------------------------------------------------------------------


def targets_of(term: Term, indices: tuple[Index, ...]) -> Targets:
    """The deltas of a term that fix an index of the left-hand side."""
    found: Targets = {}
    bound = frozenset(term.bound)
    for item, _ in term.factors:
        if not isinstance(item, Iverson) or item.relation != "==":
            continue
        for side, other in ((item.lhs, item.rhs), (item.rhs, item.lhs)):
            index = side.single_index
            if index in indices and index is not None and index not in found and (
                free_indices(other) & bound and not free_indices(other) & frozenset(indices)
            ):
                found[index] = (item, other)
                break
    return found


def _scatter(frame: _Frame, term: Term, targets: Targets) -> Scatter | Place | None:
    """One term whose deltas say where its values go; None if they go nowhere."""
    deltas = {id(delta) for delta, _ in targets.values()}
    # Where a value goes, the target's own index has the value of its position.
    moved = as_monomial(substitute_term(
        Term(term.coef, tuple((a, e) for a, e in term.factors if id(a) not in deltas),
             term.bound),
        {index: position for index, (_, position) in targets.items()}))
    moved = as_monomial(mul(Expr((moved,)), *(
        g for i, (_, p) in targets.items() if not frame.declared(p, i.size)
        for g in guard(normal(p), i.size))))
    moved = tidy(moved)
    if not moved.coef:
        return None
    guarded = frozenset(i for a, _ in moved.factors if isinstance(a, Iverson)
                        for i in indices_of(a))
    positions = {i: normal(p) for i, (_, p) in targets.items()}
    slices = _slices(frame, positions, guarded)
    spread = frozenset(i for p in positions.values() for i in free_indices(p))
    rest = Term(moved.coef, moved.factors, tuple(b for b in moved.bound if b not in spread))
    if slices is not None:
        subscripts, axes = slices
        return Place(subscripts, axes, Expr((rest,)))
    return _at_grids(frame, rest, positions, guarded,
                     tuple(b for b in moved.bound if b in spread))


def _slices(
    frame: _Frame, positions: dict[Index, Expr], guarded: frozenset[Index]
) -> tuple[tuple[Subscript, ...], tuple[Index, ...]] | None:
    """Slices and windows for all targets, if each has indices of its own; and the axes."""
    subscripts: list[Subscript] = []
    axes: list[Index] = []
    windows: list[Index] = []
    for index in frame.indices:
        if index not in positions:
            subscripts.append(Whole())
            axes.append(index)
            continue
        found = subscript(
            positions[index], index.size, frame.lowering.scope.loop, frame.declared)
        if found is None or found[1] is None:
            return None
        if isinstance(found[0], Window):
            windows.append(found[0].inner)
        subscripts.append(found[0])
        axes.append(found[1])
    used = [*axes, *windows]
    return (tuple(subscripts), tuple(used)) if len(set(used)) == len(used) else None


def _at_grids(
    frame: _Frame, rest: Term, targets: dict[Index, Expr], guarded: frozenset[Index],
    spread: Iterable[Index],
) -> Scatter:
    """Values added at arrays of positions; all axes between two targets become grids too."""
    axes, grid, subscripts = _grids(frame, targets, guarded, spread, targets)
    order = tuple(i for i in axes if i.size != ONE or i in grid)
    sign, value = frame.lowering.term(rest, order)
    value = aligned(value, order)
    if value.axes and axes[0] not in value.axes:
        value = Expand(axes, value)  # np.add.at reads past the end of values with fewer axes
    empty = any(isinstance(s, Grid) and s.size is not None
                and not frame.lowering.scope.filled(s.size) for s in subscripts)
    return Scatter(frame.equation.array, subscripts, grid, axes, sign, value,
                   frame.equation.number, frame.at, empty=empty)


def _grids(
    frame: _Frame, targets: dict[Index, Expr], guarded: frozenset[Index],
    spread: Iterable[Index], fixed: Iterable[Index],
) -> tuple[tuple[Index, ...], tuple[Index, ...], tuple[Subscript, ...]]:
    """The axes of the values, those that are grids, and the subscripts.

    All axes from the first to the last of `fixed` become grids.
    """
    indices = frame.indices
    places = [indices.index(i) for i in fixed]
    first, last = min(places), max(places) + 1
    grid = (*spread, *(i for i in indices[first:last] if i not in targets))
    axes = (*indices[:first], *grid, *indices[last:])
    positions = Lowering(frame.lowering.scope, True, guarded).positions
    subscripts: list[Subscript] = []
    for place, index in enumerate(indices):
        if index in targets:
            subscripts.append(grid_at(
                targets[index], index.size, grid, frame.declared, positions))
        elif first <= place < last:
            subscripts.append(Grid(Arange((index,), True)))
        else:
            subscripts.append(Whole())
    return axes, grid, tuple(subscripts)


def _pick(frame: _Frame, term: Term, delta: Atom, index: Index, position: Expr) -> Put:
    """One term that is 0 but at one position of an axis for each of the other axes'."""
    rest = Term(term.coef, tuple((a, e) for a, e in term.factors if a is not delta), term.bound)
    moved = tidy(as_monomial(substitute_term(rest, {index: position})))
    axes, grid, subscripts = _grids(
        frame, {index: position}, frozenset(), (), (index, *free_indices(position)))
    order = tuple(i for i in axes if i.size != ONE or i in grid)
    sign, value = frame.lowering.term(moved, order)
    return Put(frame.equation.array, subscripts, axes, sign,
               broadcast(aligned(frame.value(value), order), order), frame.equation.number,
               frame.at, grid)
