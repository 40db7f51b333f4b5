"""Where the values of terms go in the array of their equation, and which share a place.

In: terms that belong to a stretch of some axes. Out: one value for every place, and whether
the places fill the array exactly, so that nothing is cleared and nothing added twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from symprop.algebra.build import ONE, ZERO, add, idx, number, sub, substitute
from symprop.algebra.canonical import normal, same
from symprop.algebra.expr import Expr
from symprop.algebra.integers import floordiv
from symprop.lower.ir import At, Axes, Stretch, Subscript, Whole, Window


@dataclass(frozen=True)
class Place:
    """Entries of an array, and what is added there; `axes` are those of the subscripts."""

    subscripts: tuple[Subscript, ...]
    axes: Axes
    value: Expr

    @property
    def windowed(self) -> bool:
        """Whether entries are reached more than once."""
        return any(isinstance(s, Window) for s in self.subscripts)


def gathered(places: Iterable[Place]) -> list[Place]:
    """The places with those that are the same as one, at that of the first."""
    found: list[Place] = []
    for place in places:
        k = next((k for k, first in enumerate(found) if not place.windowed
                  and first.subscripts == place.subscripts), None)
        if k is None:
            found.append(place)
            continue
        own = {old: idx(new) for old, new in zip(place.axes, found[k].axes, strict=True)
               if old is not new}
        terms = (*found[k].value.terms, *substitute(place.value, own).terms)
        found[k] = replace(found[k], value=Expr(terms))
    return found


def fill(places: Sequence[Place], shape: Sequence[Expr]) -> bool:
    """Whether places along one axis fill an array of the shape exactly."""
    cut = {k for p in places for k, s in enumerate(p.subscripts) if not isinstance(s, Whole)}
    if len(cut) != 1:
        return False
    axis = cut.pop()
    stretches = [_stretch(p.subscripts[axis]) for p in places]
    known = [s for s in stretches if s is not None]
    if len(known) != len(stretches):
        return False
    steps = {s.step for s in known}
    return _tile(known, shape[axis]) if steps == {1} else _interleave(known, shape[axis])


def _stretch(subscript: Subscript) -> Stretch | None:
    if isinstance(subscript, At):
        return Stretch(subscript.position, ONE, 1)
    return subscript if isinstance(subscript, Stretch) else None


def _tile(pieces: Sequence[Stretch], size: Expr) -> bool:
    """Whether pieces cover an axis one after the other."""
    place: Expr = ZERO
    left = list(pieces)
    while left:
        following = next((p for p in left if same(normal(p.start), place)), None)
        if following is None:
            return False
        left.remove(following)
        place = normal(add(place, following.count))
    return same(place, normal(size))


def _interleave(pieces: Sequence[Stretch], size: Expr) -> bool:
    """Whether pieces are every s-th entry from 0, from 1, ... from s - 1."""
    step = len(pieces)
    starts = {p.start.number for p in pieces}
    return starts == set(range(step)) and all(
        p.step == step
        and same(normal(p.count), floordiv(sub(add(size, number(step - 1)), p.start), number(step)))
        for p in pieces)
