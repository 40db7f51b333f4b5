"""Progress on a terminal: a bar for what takes longer than a second.

In: what is being done. Out: a bar on standard error while it lasts, nothing if standard error is
no terminal or the work is done within a second.
"""

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

PATIENCE = 1.0

Report = Callable[[str, int, int], None]


@contextmanager
def working(what: str) -> Iterator[Report]:
    """Show `what` while the block runs; the block may report (what now, how many done, of all)."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda name, done, total: None
        return
    # Lines printed meanwhile must stand above the bar, but never leave a pipe.
    together = sys.stdout.isatty()
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    bar = Progress(*columns, console=console, transient=True, redirect_stdout=together)
    task = bar.add_task(what, total=None)
    timer = threading.Timer(PATIENCE, bar.start)
    timer.daemon = True
    timer.start()
    try:
        yield lambda name, done, total: bar.update(
            task, description=f"{what} {name}".strip(), completed=done, total=total
        )
    finally:
        timer.cancel()
        timer.join()
        bar.stop()
