"""Compares a backward pass that somebody wrote by hand with a derivation.

In: functions or a module, and a derivation of the same loss. Out: an `AgainstReport`: which
gradients are wrong, which line is, what it should be, and the equation that it belongs to.
"""

from symprop.against.compare import against
from symprop.against.report import AgainstReport, Repair

__all__ = ["AgainstReport", "Repair", "against"]
