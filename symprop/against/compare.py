"""The comparison: gradients, intermediates, and the search for the one wrong line.

In: functions or a module, a derivation. Out: an `AgainstReport`.
"""

import ast
import warnings
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from symprop.against.repair import Attempt, find_repair
from symprop.against.report import AgainstReport
from symprop.against.source import Source, source_of
from symprop.against.truth import Right, Truth, is_part, same, truth
from symprop.against.watch import watched
from symprop.check.calls import parameters
from symprop.check.subject import Subject
from symprop.check.targets import as_subject
from symprop.derivation import Derivation
from symprop.errors import InputError

AFFIXES = ("d{}", "d_{}", "grad_{}", "g_{}", "{}_grad", "{}_bar", "dL_d{}", "dL{}", "delta_{}")


def against(
    mine: object,
    derivation: Derivation,
    *,
    shapes: Mapping[str, Any] | None = None,
    wrt: Iterable[str] | None = None,
    seed: int = 0,
) -> AgainstReport:
    """Compare hand-written gradients with a derivation, and find the line that is wrong.

    `mine` is what `check` takes: a module with forward and backward, its path, or a pair of
    functions; its arguments have the names of the inputs of the derivation. Single changes of its
    lines are tried until all gradients are right, on two sets of inputs.

    Raises InputError where arguments or their names do not fit.

    >>> import symprop
    >>> def loss(x: "N"):
    ...     return (x * x).sum()
    >>> against((loss, lambda x: {"x": 2 * x}), symprop.derive(symprop.trace(loss))).passed
    True
    """
    truths = [truth(derivation, number) for number in (seed, seed + 1)]
    given = {} if shapes else _unannotated(mine, truths[0])
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        subject = as_subject(mine, given, shapes or {}, wrt or derivation.system.wrt, None)
        missing = [name for name in subject.specs if name not in truths[0].inputs]
        if missing:
            known = ", ".join(truths[0].inputs)
            raise InputError(f"the derivation has no input {missing[0]}; it has {known}")
        return _report(subject, derivation, truths)


def _report(subject: Subject, derivation: Derivation, truths: list[Truth]) -> AgainstReport:
    first = truths[0]
    leaves = {name: array.copy() for name, array in first.inputs.items()}
    function = subject.second.function
    returned, seen = watched(function, lambda: subject.gradients(leaves))
    names = [n for n in subject.expected(returned) if n in first.gradients]
    if not names:
        raise InputError(f"{subject.second.name} returns none of {', '.join(first.gradients)}")
    wrong = tuple(n for n in names if not same(returned.get(n, np.nan), first.gradients[n]))
    matched = _matched(seen, first)
    right = tuple((n, r.number) for n, r in matched.items() if r.is_adjoint and r.number)
    title, loss = subject.title, derivation.system.name
    if not wrong:
        return AgainstReport(title, loss, tuple(names), (), right)
    source = source_of(function)
    attempt = Attempt(subject, source, truths, tuple(names), seen, frozenset(matched))
    repair = find_repair(attempt)
    early = None if repair else _first_wrong(source, seen, matched, first)
    return AgainstReport(title, loss, tuple(names), wrong, right, repair, early, source.path)


def _matched(seen: Mapping[str, Any], truth: Truth) -> dict[str, Right]:
    """Return the locals that are right intermediates, by value and by name.

    One that is called like an adjoint must be that one; and a value is matched once, for a
    forgotten factor leaves `dZ = dA`, which is right as ∂A and wrong as ∂Z.
    """
    called = _called(truth)
    found: dict[str, Right] = {}
    for name, value in seen.items():
        right = truth.match(value)
        mine = called.get(name)
        if right is None or (mine is not None and right is not mine):
            right = mine if mine is not None and is_part(value, mine) else None
        first = all(other is not right for other in found.values())
        if right is not None and (first or mine is not None):
            found[name] = right
    return found


def _called(truth: Truth) -> dict[str, Right]:
    """Return the adjoints by the names that people give them."""
    adjoints = [right for right in truth.values if right.is_adjoint]
    return {form.format(right.array): right for right in adjoints for form in AFFIXES}


def _first_wrong(
    source: Source, seen: Mapping[str, Any], matched: Mapping[str, Right], truth: Truth
) -> tuple[str, int, str] | None:
    """Return the first intermediate that is called like an adjoint and is not that adjoint."""
    called = _called(truth)
    for statement in source.statements():
        for target in getattr(statement, "targets", []):
            name = target.id if isinstance(target, ast.Name) else ""
            if name in called and name in seen and name not in matched:
                return name, source.line(statement), called[name].number
    return None


def _unannotated(mine: object, truth: Truth) -> dict[str, Any]:
    """Return inputs for the arguments of a pair of functions that have no annotation."""
    first = mine[0] if isinstance(mine, tuple | list) and mine else getattr(mine, "forward", None)
    if not callable(first):
        return {}
    known = getattr(first, "__annotations__", {})
    return {n: truth.inputs[n] for n in parameters(first) if n in truth.inputs and n not in known}
