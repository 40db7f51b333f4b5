"""Learning rules beside backpropagation, as departures from the chain rule.

In: a System and the name of a rule. Out: the System with what the rule adds to it, and the
object that tells the sweep where to depart. Nothing else of the derivation changes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from symprop.derive.sweep import LearningRule
from symprop.errors import InputError
from symprop.rules.alignment import DFA, FA, direct_feedback_alignment, feedback_alignment
from symprop.rules.targets import DTP, difference_target_propagation
from symprop.system import LEARNING_RULES, System

__all__ = [
    "RULES",
    "SHORT",
    "RuleMaker",
    "apply_rule",
    "difference_target_propagation",
    "direct_feedback_alignment",
    "feedback_alignment",
]

RuleMaker = Callable[[System], tuple[System, LearningRule]]

RULES: Mapping[str, RuleMaker] = {
    FA: feedback_alignment,
    DFA: direct_feedback_alignment,
    DTP: difference_target_propagation,
}
SHORT = LEARNING_RULES


def apply_rule(system: System, rule: str | RuleMaker) -> tuple[System, LearningRule]:
    """The system and the departures of a rule, by its name, its short name, or what makes it.

    Raises InputError for a name that is none, UnsupportedError for a system that does not fit.
    """
    if callable(rule):
        return rule(system)
    name = SHORT.get(rule, rule)
    if name not in RULES:
        known = ", ".join(f'"{long}" ({short})' for short, long in SHORT.items())
        raise InputError(f"there is no learning rule {rule!r}; there are {known}")
    return RULES[name](system)
