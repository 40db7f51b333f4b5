"""symprop: from a NumPy forward pass to a checked derivation and a standalone NumPy module.

    system = symprop.trace(loss, wrt=["W"])      named equations in index notation
    derivation = symprop.derive(system)          every gradient, every step recorded
    module = symprop.generate(derivation)        forward and backward in plain NumPy
    report = symprop.check(module)               finite differences
    result = symprop.train(module, data)         until convergence

Each part is imported when it is first asked for: `import symprop` alone loads no SymPy.
"""

import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

from symprop.errors import SympropError
from symprop.files.load import imported, part
from symprop.version import __version__

if TYPE_CHECKING:
    from symprop import nn
    from symprop.against import AgainstReport
    from symprop.against.check import check
    from symprop.by_blocks import derive
    from symprop.check import CheckReport
    from symprop.emit.gradient import Gradient
    from symprop.emit.module import GeneratedModule
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

_WHERE = {
    "nn": "symprop",
    "AgainstReport": "symprop.against",
    "check": "symprop.against.check",
    "CheckReport": "symprop.check",
    "Derivation": "symprop.derivation",
    "Gradient": "symprop.emit.gradient",
    "derive": "symprop.by_blocks",
    "GeneratedModule": "symprop.emit.module",
    "generate": "symprop.pipeline",
    "trace": "symprop.pipeline",
    "System": "symprop.system",
    "in_range": "symprop.trace.facts",
    "one_of": "symprop.trace.facts",
    "positive": "symprop.trace.facts",
    "positive_definite": "symprop.trace.facts",
    "sums_to_one": "symprop.trace.facts",
    "symmetric": "symprop.trace.facts",
    "elementwise": "symprop.trace.primitives",
    "scan": "symprop.trace.scan",
    "TrainResult": "symprop.train",
    "train": "symprop.train",
}


class _Part:
    """One public name: what its module defines, or what a test puts in its place."""

    def __init__(self, name: str, module: str) -> None:
        self.name = name
        self.module = module

    def __get__(self, package: ModuleType, owner: type | None = None) -> Any:
        if "value" not in self.__dict__:
            found = imported(f"symprop.{self.name}") if self.module == "symprop" else part(
                self.module, self.name)
            self.value = found
        return self.value

    def __set__(self, package: ModuleType, value: Any) -> None:
        # Whoever imports the package symprop.check sets the attribute check: the function stays.
        if not isinstance(value, ModuleType):
            self.value = value


class _Package(ModuleType):
    """symprop itself: `check`, `train`, `trace` and `derive` are functions and packages as well."""

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *__all__})


for _name, _module in _WHERE.items():
    setattr(_Package, _name, _Part(_name, _module))
sys.modules[__name__].__class__ = _Package
