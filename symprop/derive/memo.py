"""Identical simplifications done once, and replayed under other names.

In: a simplification and the trail to continue. Out: the trail, continued.

A simplification runs on numbers in place of names: arrays, indices and equations are numbered
by first use, and it sees the system only through a `Numbered` knowledge. So its result depends
on neither names nor history. What it asks next depends on the expression and on the answers so
far, and on nothing else. Where an expression has the same text in numbers, and every question
gets the same answer, the result is the same, and only the names are put back.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from symprop.algebra.expr import Expr, Index
from symprop.algebra.renaming import Copying
from symprop.derive.knowledge import Knowledge
from symprop.derive.numbered import Numbered, Question
from symprop.derive.simplify import Trail
from symprop.system import Step

Work = Callable[[Trail, Knowledge], Trail]


@dataclass(frozen=True)
class _Result:
    """A trail in numbers: where it starts, and the number of every index that has one."""

    start: Expr
    trail: Trail
    numbers: dict[Index, str]


@dataclass
class _Node:
    """What a computation does next: it asks `question`, or it has its `result`."""

    question: Question | None = None
    following: dict[str, _Node] = field(default_factory=dict)
    result: _Result | None = None


class Memo:
    """The simplifications done so far, each as a path of questions and answers."""

    def __init__(self) -> None:
        self._roots: dict[tuple[Work, str], _Node] = {}

    def apply(self, work: Work, trail: Trail, known: Knowledge) -> Trail:
        """The trail continued by `work`, whose steps may be those of an earlier one."""
        names = Numbered(known, trail.expr)
        root = self._roots.setdefault((work, names.text), _Node())
        result = self.found(root, names)
        if result is None:
            names = Numbered(known, trail.expr)
            start = names.forth(trail.expr)
            result = _Result(start, work(Trail("", start), names), names.twins)
            _record(root, names.path, result)
        return _continued(trail, result, names)

    def found(self, node: _Node, names: Numbered) -> _Result | None:
        """The result at the end of the path that the answers take; None where it is new."""
        while node.question is not None:
            following = node.following.get(names.asked(node.question)[1])
            if following is None:
                return None
            node = following
        return node.result


def _record(node: _Node, path: list[tuple[Question, str]], result: _Result) -> None:
    for question, answer in path:
        assert node.question in (None, question), "what is asked depends on the answers alone"
        node.question = question
        node = node.following.setdefault(answer, _Node())
    node.result = result


def _continued(trail: Trail, result: _Result, names: Numbered) -> Trail:
    """The trail with the steps of a result under its own names; new indices are new."""
    back = _Back(result, names)
    back.done[id(result.start)] = result.start, trail.expr
    reasons = {number: reason for reason, number in names.reasons.items()}
    steps = [Step(trail.equation, s.rule, back.expr(s.before), back.expr(s.after),
                  tuple(reasons[b] for b in s.because)) for s in result.trail.steps]
    return Trail(trail.equation, back.expr(result.trail.expr), [*trail.steps, *steps],
                 trail.implicit)


class _Back(Copying):
    """The expressions of a result under the names of another expression."""

    def __init__(self, result: _Result, names: Numbered) -> None:
        arrays = {number: array for array, number in names.numbers.arrays.items()}
        super().__init__(arrays, names.numbers.sizes)
        self.named = {number: index for index, number in names.numbers.indices.items()}
        self.indices = {twin: self.named[number] for twin, number in result.numbers.items()}

    def index(self, index: Index) -> Index:
        """The index that has the number; another is new, at its first use."""
        known = self.indices.get(index)
        if known is None:
            like = self.named.get(index.letter, index)
            known = self.indices[index] = Index(like.letter, self.expr(index.size))
        return known
