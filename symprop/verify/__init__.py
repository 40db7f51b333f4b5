"""Every step of a derivation, evaluated on random small tensors.

In: a derivation. Out: nothing, or a `Refuted` that names the equation, the rule and the
tensors that refute it.

Five kinds of test, on two draws of sizes and inputs:
  each step       its two sides agree at every position. Where it leans on no adjoint equation,
                  it must do so whatever the adjoints it starts from are.
  recognised      what was written, and the function that it is, agree at every position
  chain rule      its local derivatives are those of the forward equations, by a complex
                  step along a random direction
  the whole       the derivative of the loss along a random direction of all parameters is
                  the product of that direction with the gradients
  degenerate      once, where a step newly divides by something: its two sides where that is 0
  points          or tiny; where it compares: at ties, and with all gates closed. What is finite
                  before the step is finite, and equal, after it
The lines of an adjoint with many positions are looked at on a sample of them: both ends of every
axis, beside every whole number that the lines name, and between; their sums are never cut.
Where a learning rule departs from the gradient, the step that departs is no equality and is not
tested as one; the whole is, for all parameters that the rule leaves the gradient of: with every
fixed array equal to the weight whose place it takes, that is all of them.
Each draw ends with a negative control: a step and a gradient that are wrong by a millionth
must be refuted.
"""

from symprop.verify.compare import Refuted
from symprop.verify.exact import Exact, exact
from symprop.verify.trial import verify
from symprop.verify.whole import Derived

__all__ = ["Derived", "Exact", "Refuted", "exact", "verify"]
