"""Learning rules beside backpropagation, as departures from the chain rule.

In: a System and the name of a rule. Out: the System with what the rule adds to it, and the
object that tells the sweep where to depart. Nothing else of the derivation changes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from symprop.derive.sweep import LearningRule
from symprop.errors import InputError
from symprop.rules.alignment import DFA, FA, direct_feedback_alignment, feedback_alignment
from symprop.system import System

RULES: Mapping[str, Callable[[System], tuple[System, LearningRule]]] = {
    FA: feedback_alignment,
    DFA: direct_feedback_alignment,
}
SHORT = {"fa": FA, "dfa": DFA}


def apply_rule(system: System, rule: str) -> tuple[System, LearningRule]:
    """The system and the departures of a rule, by its name or its short name.

    Raises InputError for a name that is none, UnsupportedError for a system that does not fit.
    """
    name = SHORT.get(rule, rule)
    if name not in RULES:
        known = ", ".join(f'"{long}" ({short})' for short, long in SHORT.items())
        raise InputError(f"there is no learning rule {rule!r}; there are {known}")
    return RULES[name](system)
