"""Finds out why a loss or a gradient is not a finite number.

In: a subject and a sampler. Out: a sentence that names the operation, its line, and the fact whose
declaration would keep the inputs where the loss is finite.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from symprop.check.calls import where
from symprop.check.domains import Domain
from symprop.check.samples import MOST_DRAWS, Sampler, is_finite
from symprop.check.subject import Subject

ENOUGH = 5


def explain_loss(subject: Subject, sampler: Sampler) -> str:
    """Say what makes the loss infinite or nan, and which fact would help."""
    draws = "these inputs" if sampler.is_fixed else f"each of {MOST_DRAWS} draws"
    leaves = sampler.draw(0).copy()
    said = operation(subject, lambda: subject.loss(leaves))
    text = f"the loss is {subject.loss(leaves)} on {draws}{said}"
    for fact, domains in _remedies(sampler):
        trials = (sampler.draw(number, domains) for number in range(ENOUGH))
        if all(is_finite(subject.loss(trial.copy())) for trial in trials):
            return f"{text}; the fact {fact} would help"
    return f"{text}; declare a fact, or give inputs, where it is finite"


def operation(subject: Subject, run: Callable[[], Any]) -> str:
    """Name the first operation of `run` that leaves the finite numbers, "" if none says so."""
    try:
        with np.errstate(divide="raise", invalid="raise", over="raise"):
            run()
    except FloatingPointError as error:
        place = where(error, subject.first.function) or where(error, subject.second.function)
        return f" ({error}{place.rstrip(',')})"
    return ""


def _remedies(sampler: Sampler) -> Iterator[tuple[str, dict[str, Domain]]]:
    """Propose facts of one input after the other that is drawn from all real numbers."""
    free = [
        name
        for name, spec in sampler.specs.items()
        if spec.dtype == "float" and name not in sampler.given and sampler.domains[name] == Domain()
    ]
    for name in free:
        yield f'positive("{name}")', _with(sampler, name, positive=True)
    for name in free:
        for low, high in ((0.0, 1.0), (-1.0, 1.0)):
            fact = f'in_range("{name}", {low:g}, {high:g})'
            yield fact, _with(sampler, name, low=low, high=high)
    if len(free) > 1:
        changed = {name: Domain(positive=True) for name in free}
        facts = " and ".join(f'positive("{name}")' for name in free)
        yield facts, {**sampler.domains, **changed}


def _with(sampler: Sampler, name: str, **restriction: Any) -> dict[str, Domain]:
    changed = replace(sampler.domains[name], **restriction)
    return {**sampler.domains, name: changed}
