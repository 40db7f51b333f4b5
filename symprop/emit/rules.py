"""The rules of a derivation in words.

In: the rule of a `Step`, a language. Out: the name that is printed beside the step, and a sentence
that says why the step holds. A rule that has no words prints as it is called.
"""

from __future__ import annotations

from dataclasses import dataclass

from symprop.emit.words import Words, words
from symprop.system import Departure


@dataclass(frozen=True)
class Rule:
    """How a rule is called in print, and one sentence on it."""

    label: str
    sentence: str


def rules() -> tuple[str, ...]:
    """The rules that have words, in the order of the catalogue."""
    return tuple(words().under("rule"))


def rule(name: str, say: Words | None = None) -> Rule:
    """The words of a rule; an unknown rule is its own label and has no sentence.

    >>> rule("sifting").label, rule("settle").sentence
    ('sifting', '')
    """
    say = say or words()
    if f"rule.{name}.label" not in say:
        return Rule(name, "")
    return Rule(say(f"rule.{name}.label"), say(f"rule.{name}.sentence"))


def statement(departure: Departure, say: Words | None = None) -> str:
    """Where a learning rule departs from the gradient: ours in words, another as it says itself."""
    say = say or words()
    key = f"departure.{departure.rule}"
    return say(key) if key in say else departure.statement
