"""Searches for the one change of one line after which every gradient is right.

In: an `Attempt`: a subject, the text of its backward, right values, what was seen of its locals.
Out: a `Repair`, or None. Lines whose result is a right intermediate are left alone. Small changes
are tried first, then missing factors, then missing paths.
"""

import ast
import copy
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from symprop.against.edits import Edit, factor_edits, likely_edits, path_edits, unlikely_edits
from symprop.against.pool import factors, terms
from symprop.against.report import Repair
from symprop.against.source import Function, Source
from symprop.against.truth import Right, Truth, same
from symprop.against.watch import watched
from symprop.check.subject import Subject

BATCH = 150
MOST_EDITS = 2_500

Stage = Callable[[ast.stmt], Iterator[Edit]]


@dataclass(frozen=True)
class Attempt:
    """What is known of a wrong backward."""

    subject: Subject
    source: Source
    truths: list[Truth]
    names: tuple[str, ...]
    seen: Mapping[str, Any]
    matched: frozenset[str]


@dataclass(frozen=True)
class Variant:
    """A changed function: which statement was changed, and how."""

    statement: ast.stmt
    said: str
    before: str
    after: str
    text: str


def find_repair(attempt: Attempt) -> Repair | None:
    """Return the most plausible change after which all gradients are right on all inputs."""
    suspects = [s for s in attempt.source.statements() if not _is_right(s, attempt.matched)]
    found = _best(attempt, suspects, likely_edits)
    if found is not None:
        return found
    located = _located(attempt, suspects)
    lines = [located[0], *_read_by(located[0], suspects)] if located else suspects
    arrays = [n for n, v in attempt.seen.items() if isinstance(v, np.ndarray | int)]
    missing, added = factors(attempt.source, attempt.seen, attempt.truths[0].sizes), terms(
        attempt.source, attempt.seen)
    stages: list[Stage] = [
        lambda s: factor_edits(s, missing, True),
        lambda s: unlikely_edits(s, arrays),
        lambda s: path_edits(s, added, True),
    ]
    if located is not None:  # one line: there is time to look into its parts
        stages += [
            lambda s: factor_edits(s, missing, False),
            lambda s: path_edits(s, added, False),
        ]
    for stage in stages:
        found = _best(attempt, lines, stage, located is not None)
        if found is not None:
            return found
    return _by_equation(attempt, *located) if located else None


def _read_by(statement: ast.stmt, suspects: Iterable[ast.stmt]) -> list[ast.stmt]:
    """Return the statements whose results a statement puts together."""
    names = {node.id for node in ast.walk(statement) if isinstance(node, ast.Name)}
    return [s for s in suspects if s is not statement and _target(s) in names]


def _best(
    attempt: Attempt, statements: Iterable[ast.stmt], stage: Stage, one_line: bool = False
) -> Repair | None:
    made = (v for s in statements for v in _variants(attempt.source, s, stage(s)))
    good: list[tuple[Variant, Function]] = []
    for batch in _batches(made):
        good += _right_ones(attempt, batch)
        if good and one_line:
            break
    described = (_described(attempt, *pair) for pair in good)
    return max(described, key=lambda pair: pair[0], default=(None, None))[1]


def _located(
    attempt: Attempt, statements: Iterable[ast.stmt]
) -> tuple[ast.stmt, Right] | None:
    """Return the statement whose result, replaced by a right adjoint, makes all gradients right.

    Of several, the one after which most intermediates are right.
    """
    found = []
    for statement in statements:
        value = attempt.seen.get(_target(statement))
        if not (isinstance(statement, ast.Assign) and isinstance(value, np.ndarray)):
            continue
        for k, right in enumerate(attempt.truths[0].values):
            if right.is_adjoint and right.value.ndim:
                score = _injected(attempt, statement, k)
                found.append((score, -statement.lineno, k, statement))
    best = max(found, key=lambda entry: entry[:2], default=(0, 0, 0, None))
    if best[3] is None or not best[0]:
        return None
    return best[3], attempt.truths[0].values[best[2]]


def _injected(attempt: Attempt, statement: ast.Assign, k: int) -> int:
    """Return how many intermediates are right with a right value put in; 0 if a gradient is not."""
    before = statement.value
    statement.value = ast.Name("_right", ast.Load())
    try:
        (function,) = attempt.source.functions([attempt.source.changed()])
    finally:
        statement.value = before
    for truth in attempt.truths:
        function.__globals__["_right"] = truth.values[k].value.copy()
        prepared = _prepared(attempt.subject, truth)
        if not _is_repaired(attempt, function, truth, prepared):
            return 0
    prepared = _prepared(attempt.subject, truth)
    _, seen = watched(function, lambda: _run(attempt, function, prepared))
    return 1 + sum(truth.match(value) is not None for value in seen.values())


def _by_equation(attempt: Attempt, statement: ast.stmt, right: Right) -> Repair:
    """Name the line and the equation, where no change in the author's own words was found."""
    return Repair(
        line=attempt.source.line(statement),
        before=attempt.source.text(statement),
        after="",
        said="its result is wrong, and all that comes after it is right",
        equation=right.number,
        intermediate=_target(statement),
    )


def _variants(source: Source, statement: ast.stmt, edits: Iterable[Edit]) -> Iterator[Variant]:
    before = ast.unparse(statement)
    for edit in edits:
        edit.make()
        try:
            after, text = ast.unparse(statement), source.changed()
        finally:
            edit.undo()
        yield Variant(statement, edit.said, before, after, text)


def _batches(variants: Iterator[Variant]) -> Iterator[list[Variant]]:
    """Group variants; each text once, and not more of them than is bearable."""
    seen: set[str] = set()
    batch: list[Variant] = []
    for variant in variants:
        if variant.text in seen:
            continue
        seen.add(variant.text)
        batch.append(variant)
        if len(batch) == BATCH:
            yield batch
            batch = []
        if len(seen) >= MOST_EDITS:
            break
    if batch:
        yield batch


def _right_ones(attempt: Attempt, batch: list[Variant]) -> Iterator[tuple[Variant, Function]]:
    functions = attempt.source.functions([variant.text for variant in batch])
    prepared = [_prepared(attempt.subject, truth) for truth in attempt.truths]
    for variant, function in zip(batch, functions, strict=True):
        if all(_is_repaired(attempt, function, *pair)
               for pair in zip(attempt.truths, prepared, strict=True)):
            yield variant, function


def _prepared(subject: Subject, truth: Truth) -> Any:
    """Run forward once for all variants."""
    leaves = {name: array.copy() for name, array in truth.inputs.items()}
    return leaves if subject.same_arguments else subject.saved(leaves)


def _run(attempt: Attempt, function: Function, prepared: Any) -> Mapping[str, Any]:
    subject = attempt.subject
    changed = replace(subject, second=replace(subject.second, function=function))
    given = copy.deepcopy(prepared)
    return changed.gradients(given) if subject.same_arguments else changed.backward(given)


def _is_repaired(attempt: Attempt, function: Function, truth: Truth, prepared: Any) -> bool:
    known = {n: size for n, size in truth.sizes.items() if n not in attempt.source.globals}
    function.__globals__.update(known)
    try:
        found = _run(attempt, function, prepared)
    except Exception:  # a change that does not run is no repair, whatever it raises
        return False
    return all(n in found and same(found[n], truth.gradients[n]) for n in attempt.names)


def _described(
    attempt: Attempt, variant: Variant, function: Function
) -> tuple[tuple[int, int, int], Repair]:
    """Say which line is repaired and which equation its result then is, and how plausible that is.

    A repair after which more intermediates are right comes first, then the one that adds least,
    then the later line: what stands before it may be meant so.
    """
    source, truth = attempt.source, attempt.truths[0]
    prepared = _prepared(attempt.subject, truth)
    _, seen = watched(function, lambda: _run(attempt, function, prepared))
    target = _target(variant.statement)
    matches = {name: found for name, value in seen.items() if (found := truth.match(value))}
    right = matches.get(target)
    line, grown = source.line(variant.statement), len(variant.after) - len(variant.before)
    repair = Repair(
        line=line,
        before=source.text(variant.statement),
        after=variant.after,
        said=variant.said,
        equation=right.number if right is not None and right.is_adjoint else "",
        intermediate=target,
    )
    return (len(matches), -grown, line), repair


def _is_right(statement: ast.stmt, matched: frozenset[str]) -> bool:
    return _target(statement) in matched


def _target(statement: ast.stmt) -> str:
    """Name the variable that a statement makes, "" if it is none or more than one."""
    targets = getattr(statement, "targets", None) or [getattr(statement, "target", None)]
    target = targets[0] if len(targets) == 1 else None
    while isinstance(target, ast.Subscript):
        target = target.value
    return target.id if isinstance(target, ast.Name) else ""
