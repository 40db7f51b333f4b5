"""The user's function on plain arrays, against the equations that were traced from it.

In: a function, its System, how it is called. Out: nothing, or one sentence that names the first
equation or output that differs, the sizes and the entry. What a trace has recorded is compared
with the function itself here, so that a mistake of the tracer reaches no derivation.
"""

from symprop.concrete.agreement import NotTheFunction, check_function

__all__ = ["NotTheFunction", "check_function"]
