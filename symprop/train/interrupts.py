"""Ctrl-C at a place where it loses nothing.

In: the signal that Ctrl-C sends. Out: a KeyboardInterrupt inside `let_through`; elsewhere within
`held_back` it is only noted, so that what has been computed can be written in peace.
"""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Interrupts:
    """Whether Ctrl-C may interrupt just now, and whether it came."""

    def __init__(self) -> None:
        self.open = False
        self.came = False

    def __call__(self, number: int, frame: FrameType | None) -> None:
        """Take the signal; it raises at most once each time that it is let through."""
        self.came = True
        if self.open:
            self.open = False
            raise KeyboardInterrupt

    @contextmanager
    def let_through(self) -> Iterator[None]:
        """Let Ctrl-C interrupt the block, also one that came shortly before."""
        self.open = True
        try:
            if self.came:
                raise KeyboardInterrupt
            yield
        finally:
            self.open = False


@contextmanager
def held_back() -> Iterator[Interrupts]:
    """Note Ctrl-C instead of raising it; within another such block, the outer one goes on.

    Only the main thread can say what a signal does, and a handler of the user's own stays: there
    Ctrl-C raises wherever it meets the program.
    """
    before = signal.getsignal(signal.SIGINT)
    if isinstance(before, Interrupts):
        yield before
        return
    ours = Interrupts()
    main = threading.current_thread() is threading.main_thread()
    if not main or before is not signal.default_int_handler:
        yield ours
        return
    signal.signal(signal.SIGINT, ours)
    try:
        yield ours
    finally:
        signal.signal(signal.SIGINT, before)
