"""Checks gradients by numerical derivatives, and knows nothing of how they are derived.

In: a module, its path, or a pair of functions. Out: a `CheckReport`.
"""

from symprop.check.report import CheckReport, CheckRow
from symprop.check.runner import check

__all__ = ["CheckReport", "CheckRow", "check"]
