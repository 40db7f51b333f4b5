"""symprop: from a NumPy forward pass to a checked derivation and a standalone NumPy module.

    system = symprop.trace(loss, wrt=["W"])      named equations in index notation
    derivation = symprop.derive(system)          every gradient, every step recorded
    module = symprop.generate(derivation)        forward and backward in plain NumPy
    report = symprop.check(module)               finite differences
    result = symprop.train(module, data)         until convergence
"""

from symprop import nn
from symprop.against import AgainstReport
from symprop.against.check import check
from symprop.check import CheckReport
from symprop.derivation import Derivation, Gradient, derive
from symprop.emit.module import GeneratedModule
from symprop.errors import SympropError
from symprop.pipeline import generate, trace
from symprop.system import System
from symprop.trace.facts import (
    in_range,
    one_of,
    positive,
    positive_definite,
    sums_to_one,
    symmetric,
)
from symprop.trace.primitives import elementwise
from symprop.trace.scan import scan
from symprop.train import TrainResult, train
from symprop.version import __version__

__all__ = [
    "AgainstReport",
    "CheckReport",
    "Derivation",
    "GeneratedModule",
    "Gradient",
    "SympropError",
    "System",
    "TrainResult",
    "__version__",
    "check",
    "derive",
    "elementwise",
    "generate",
    "in_range",
    "nn",
    "one_of",
    "positive",
    "positive_definite",
    "scan",
    "sums_to_one",
    "symmetric",
    "trace",
    "train",
]
