"""Which trace is running on this thread.

In: tracers, when a trace begins. Out: the current one.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from symprop.errors import TraceError
from symprop.trace.tracer import Tracer


class _Running(threading.local):
    """The traces of one thread, outermost first."""

    def __init__(self) -> None:
        self.stack: list[Tracer] = []


_running = _Running()


def active() -> Tracer | None:
    """The innermost trace of this thread, or None."""
    return _running.stack[-1] if _running.stack else None


def current() -> Tracer:
    """The innermost trace of this thread; TraceError when there is none."""
    tracer = active()
    if tracer is None:
        raise TraceError("a traced array or size was used after its trace had ended")
    return tracer


@contextmanager
def suspended() -> Iterator[None]:
    """No trace runs on this thread for the length of a with block."""
    before, _running.stack = _running.stack, []
    try:
        yield
    finally:
        _running.stack = before


@contextmanager
def entered(tracer: Tracer) -> Iterator[None]:
    """`tracer` is the current one of this thread for the length of a with block."""
    _running.stack.append(tracer)
    try:
        yield
    finally:
        _running.stack.pop()
