"""Whether Python code called a function by its name, or compiled code did.

In: a frame and the name of a function. Out: yes or no. Compiled code (NumPy's random
generators, for instance) calls `np.empty` too and would crash on anything but a real array.
"""

from __future__ import annotations

import dis
from functools import lru_cache
from types import CodeType, FrameType


def called_by_name(frame: FrameType, name: str, function: object = None) -> bool:
    """Whether the call that `frame` is in the middle of is spelled `name(...)` or `x.name(...)`.

    Or by another name under which the frame's module knows the function.
    """
    if _spelled(frame.f_code, frame.f_lasti, name):
        return True
    return any(frame.f_globals.get(other) is function and _spelled(
        frame.f_code, frame.f_lasti, other) for other in frame.f_code.co_names)


@lru_cache(maxsize=1024)
def _spelled(code: CodeType, offset: int, name: str) -> bool:
    """The answer for one place in the code: a layer is called again and again."""
    instructions = list(dis.get_instructions(code))
    start = _start(next((i for i in instructions if i.offset == offset), None))
    if start is None:  # no positions: compiled under -X no_debug_ranges
        return name in code.co_names
    return any(
        i.opname.startswith("LOAD_") and i.argval == name and _start(i) == start
        for i in instructions)


def _start(instruction: dis.Instruction | None) -> tuple[int, int] | None:
    """The line and the column at which an instruction's source begins."""
    at = instruction.positions if instruction is not None else None
    if at is None or at.lineno is None or at.col_offset is None:
        return None
    return at.lineno, at.col_offset
