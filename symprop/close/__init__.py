"""The loop is closed: the live module does what the equations say, before a byte is written.

In: a derivation, its program, the module that was made of it. Out: nothing, or a `Mismatch` that
names the equation, the sizes and the first entry that differs.
"""

from symprop.close.loop import close
from symprop.close.values import Mismatch

__all__ = ["Mismatch", "close"]
