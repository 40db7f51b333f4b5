"""The bar of `progress`, drawn by rich.

In: what is being done. Out: a bar on standard error while it lasts, if that takes longer than
`PATIENCE`.
"""

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Column
from rich.text import Text

PATIENCE = 1.0

Report = Callable[[str, int, int], None]


class Rate(ProgressColumn):
    """How many are done in a second or, if they are slow, how many seconds one takes."""

    def __init__(self, unit: str) -> None:
        super().__init__(Column(no_wrap=True))
        self.unit = unit

    def render(self, task: Task) -> Text:
        """Return what stands in the bar."""
        speed = task.finished_speed or task.speed
        if not speed:
            return Text("")
        if speed < 1:
            return Text(f"{1 / speed:.3g} s/{self.unit}")
        return Text(f"{speed:.3g} {self.unit}s/s")


def is_terminal() -> bool:
    """Tell whether rich takes standard error for a terminal."""
    return Console(stderr=True).is_terminal


@contextmanager
def shown(what: str, unit: str = "") -> Iterator[Report]:
    """Show a bar while the block runs, where standard error is a terminal."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda name, done, total: None
        return
    # Lines printed meanwhile must stand above the bar, but never leave a pipe.
    together = sys.stdout.isatty()
    said = TextColumn("{task.description}", table_column=Column(no_wrap=True, overflow="ellipsis"))
    plain: tuple[ProgressColumn, ...] = (said, BarColumn(), TimeElapsedColumn())
    left = TimeRemainingColumn(compact=True)
    rated = (said, BarColumn(12), MofNCompleteColumn(), Rate(unit), left)
    columns = rated if unit else plain
    bar = Progress(*columns, console=console, transient=True, redirect_stdout=together)
    task = bar.add_task(what, total=None)
    timer = threading.Timer(PATIENCE, bar.start)
    timer.daemon = True
    timer.start()
    try:
        opening = "" if unit else what  # the rate and the time need its place
        yield lambda name, done, total: bar.update(
            task, description=f"{opening} {name}".strip(), completed=done, total=total
        )
    finally:
        timer.cancel()
        timer.join()
        bar.stop()
