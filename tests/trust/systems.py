"""Random forward passes, all the way, against oracles that share nothing with the package.

In: a number, a seed. Out: "" where loss, outputs and gradients are right; "refused: ..." where the
program was refused in a sentence; else what was wrong. Kinds in turn: ordinary programs, longer
ones, programs with factors that may be zero, recurrences. Gradients are compared with complex steps
through the user's own function, in float64 and float32, at prime sizes and with sizes of 1.
"""

from __future__ import annotations

from random_programs import random_program
from random_scans import random_scan
from test_random_systems import check_program

from symprop.errors import SympropError, VerificationError

KINDS = (
    lambda s: random_program(s, operations=3 + s % 5),
    lambda s: random_program(s, operations=6 + s % 10),
    lambda s: random_program(s, operations=3 + s % 5, gains=True),
    random_scan,
)


def trial(number: int, seed: int) -> str:
    """One program."""
    program = KINDS[number % len(KINDS)](10**6 + seed * 1000 % 2**31 + number)
    try:
        check_program(program)
    except AssertionError as error:
        cause = error.__cause__
        if isinstance(cause, SympropError) and not isinstance(cause, VerificationError):
            return f"refused: {cause}"
        return f"{error}\n{program}"
    return ""
