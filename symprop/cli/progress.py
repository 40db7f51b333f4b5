"""Progress on a terminal: a bar for what takes longer than a second.

In: what is being done. Out: a bar on standard error while it lasts, nothing if standard error is
no terminal or the work is done within a second.
"""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from symprop.files.load import Later

if TYPE_CHECKING:
    from symprop.cli import bar
else:
    bar = Later("symprop.cli.bar")  # rich takes longer to import than a small check to run

Report = Callable[[str, int, int], None]
FORCED = ("FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE")  # what makes rich see a terminal


def on_a_terminal() -> bool:
    """Tell whether somebody watches the bar and the output in the same place."""
    return sys.stdout.isatty() and _may_be_one() and bar.is_terminal()


@contextmanager
def working(what: str, unit: str = "") -> Iterator[Report]:
    """Show `what` while the block runs; the block may report (what now, how many done, of all).

    With the name of a `unit` the bar also shows how many are done in a second and how long the rest
    will take.
    """
    if not _may_be_one():
        yield lambda name, done, total: None
        return
    with bar.shown(what, unit) as report:
        yield report


def _may_be_one() -> bool:
    return sys.stderr.isatty() or any(os.environ.get(name) for name in FORCED)
