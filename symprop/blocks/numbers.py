"""The numbers of a lemma: (F1) and (B3) of lemma 2 are (2.F1) and (2.B3).

In: a lemma. Out: its derivation and its block under numbers with the lemma's in front.
"""

from __future__ import annotations

from dataclasses import replace

from symprop.derive.derivation import Derivation
from symprop.system import Adjoint, Step

LETTERS = "BF"


def prefix(number: int) -> str:
    """What stands in front of the numbers of a lemma; the program's stand alone."""
    return f"{number}." if number else ""


def numbered(derivation: Derivation, before: str) -> Derivation:
    """The same under numbers with a prefix."""
    def number(text: str) -> str:
        return before + text if text[:1] in LETTERS and text[1:].isdigit() else text

    def step(s: Step) -> Step:
        return replace(s, equation=number(s.equation), because=tuple(map(number, s.because)))

    def renumbered(a: Adjoint) -> Adjoint:
        return replace(a, number=number(a.number), steps=tuple(map(step, a.steps)),
                       sources=tuple(map(number, a.sources)),
                       absorbed=tuple(map(number, a.absorbed)))

    system = derivation.system
    equations = tuple(replace(e, number=number(e.number)) for e in system.equations)
    return Derivation(replace(system, equations=equations),
                      tuple(map(renumbered, derivation.adjoints)))
