"""What a module says of a learning rule by which it is not the gradient.

In: a program. Out: the constants RULE, FEEDBACK, DEPARTS and OWN_LOSS as text, for check and
train as for readers.
"""

from __future__ import annotations

from typing import Any

from symprop.emit.targets.numpy.text import table
from symprop.lower.program import Program
from symprop.system import System


def feedback_of(system: System) -> dict[str, str]:
    """The fixed arrays, each with the parameter in whose place it stands, "" if there is none."""
    if system.departure is None:
        return {}
    return {b: w if w in system.wrt else "" for b, w in system.departure.feedback}


def departure_context(program: Program) -> dict[str, Any]:
    """The constants, for the template; `rule` is "" for a module of gradients."""
    departure = program.system.departure
    if departure is None:
        return {"rule": ""}
    names = {array: name for name, array in program.system.outputs}
    departs = [w for w, loss in program.departing.items() if not loss]
    own = {w: names[loss] for w, loss in program.departing.items() if loss}
    return {
        "rule": departure.rule,
        "feedback": table(feedback_of(program.system)),
        "departs": table(departs),
        "own_loss": table(own) if own else "",
    }


def owns_a_loss(program: Program) -> bool:
    """Whether some parameters descend a loss of their own."""
    return any(program.departing.values())
