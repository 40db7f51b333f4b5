"""A pause for Python's cyclic garbage collector.

Expressions are trees of many small objects without cycles: reference counts free them, and the
collector would only walk over all of them, again and again (a fifth of the time for a Transformer
of twelve blocks).
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def paused() -> Iterator[None]:
    """No collection inside; afterwards as before. Also a decorator.

    >>> with paused():
    ...     gc.isenabled()
    False
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
