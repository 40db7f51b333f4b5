"""Numeric evaluation of expressions and systems, which verification rests on.

In: expressions, arrays, sizes. Out: arrays. Shares no code with the way generated modules
are written: grids over index values, row functions from their definitions.
"""

from symprop.interpret.draw import definite, draw
from symprop.interpret.evaluate import evaluate
from symprop.interpret.run import jacobian, run, run_equations
from symprop.interpret.stated import misstated

__all__ = ["definite", "draw", "evaluate", "jacobian", "misstated", "run", "run_equations"]
