"""What a notebook shows of systems, equations and steps.

In: a `System`, an `Equation`, an `Adjoint` or a `Step`. Out: Markdown whose mathematics is LaTeX,
between $ signs, as Jupyter, Colab and VS Code show it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from symprop.algebra.build import access, add, idx
from symprop.algebra.expr import Expr, Index, arrays_of, free_indices
from symprop.emit import latex
from symprop.emit.latex_names import escape, symbols
from symprop.emit.latex_notation import LatexNotation
from symprop.emit.letters import equation_letters, letters
from symprop.emit.printer import Printer
from symprop.emit.rules import rule
from symprop.emit.words import ENGLISH, words
from symprop.system import Adjoint, Equation, Step, System

LONGEST = 60  # equations that are shown of a system


def system_markdown(system: System, language: str = ENGLISH) -> str:
    """The name, what is sought, and the equations."""
    notation, say = latex.notation(system), words(language)
    parameters = [f"${notation.array(w).text}$" for w in system.wrt]
    lines = [say("notebook.system", name=f"**{system.name}**",
                 loss=f"${notation.array(system.loss).text}$",
                 parameters=say.several(parameters)), ""]
    shown = system.equations[:LONGEST]
    for equation in shown:
        printer = Printer(notation, equation_letters(system, equation))
        lines += [f"$${_sides(equation, printer)}\\tag{{{equation.number}}}$$", ""]
    left = len(system.equations) - len(shown)
    return "\n".join([*lines, say("notebook.more", left, equations=left) + "\n" if left else ""])


def equation_latex(equation: Equation | Adjoint) -> str:
    """One equation, or adjoint equation, by itself."""
    notation = _notation((equation.array, *equation.reads))
    printer = Printer(notation, letters(equation))
    return rf"${_sides(equation, printer)}\qquad\text{{({equation.number})}}$"


def step_latex(step: Step, language: str = ENGLISH) -> str:
    """Both sides of a step, and its reason."""
    say = words(language)
    reason = say.beside(rule(step.rule, say).label, *step.because)
    both = add(step.before, step.after)
    printer = Printer(_notation(arrays_of(both)), letters(_Shown(tuple(
        sorted(free_indices(both), key=lambda i: i.uid)), both)))
    sign = r"\to" if step.departs else "="
    return (f"${printer.expr(step.before).text} {sign} {printer.expr(step.after).text}"
            rf"\qquad\text{{({step.equation}) {escape(reason, say.every_letter)}}}$")


@dataclass(frozen=True)
class _Shown:
    """What letters are chosen for."""

    indices: tuple[Index, ...]
    rhs: Expr


def _notation(arrays: Sequence[str]) -> LatexNotation:
    names = dict.fromkeys(a.removeprefix("∂") for a in arrays)
    return LatexNotation(frozenset(), (), symbols(names, None))


def _sides(equation: Equation | Adjoint, printer: Printer) -> str:
    left = access(equation.array, tuple(idx(i) for i in equation.indices if i.size.number != 1))
    return f"{printer.expr(left).text} = {printer.expr(equation.rhs).text}"
