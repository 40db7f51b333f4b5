"""Functions that were written out are called by their names: passes from a System to a System.

In: what the tracer made. Out: the same mathematics, in which 1/(1 + exp(-z)) is σ(z), with a step
for everything that was found. Nothing here knows a function: what can be found are the rows.
"""

from symprop.recognise.recognised import recognised

__all__ = ["recognised"]
