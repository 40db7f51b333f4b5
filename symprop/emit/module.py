"""A derivation as a live module: its text, and the functions that the text defines.

In: a program, or a system with its adjoint equations. Out: a `GeneratedModule`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from symprop.collector import paused
from symprop.emit.costs import Cost, cost
from symprop.emit.page import Derived
from symprop.emit.targets.numpy.module import module_context
from symprop.emit.targets.numpy.table import NUMPY
from symprop.emit.targets.target import Target
from symprop.emit.words import ENGLISH
from symprop.errors import InputError
from symprop.files.allowed import refuse_foreign
from symprop.files.load import load_text
from symprop.files.marks import stamp
from symprop.files.templates import render
from symprop.lower.program import Program, lower


class GeneratedModule:
    """A generated module: `source`, and the functions and tables that it defines.

    forward(arguments) -> (loss, saved); backward(saved, dL=1.0) -> gradients by name;
    value_and_grad(arguments) -> (loss, gradients); predict(arguments) -> outputs by name.
    `saved` is a tuple whose parts have names, as in `saved.A1`. Module and `saved` pickle, with
    the source. `held`: the arguments whose numbers the trace has seen, which are too many for the
    text; their names are CONSTANTS. `symprop.check` and `symprop.train` take them from here.
    """

    forward: Callable[..., tuple[Any, tuple[Any, ...]]]
    backward: Callable[..., dict[str, Any]]
    value_and_grad: Callable[..., tuple[Any, dict[str, Any]]]
    predict: Callable[..., dict[str, Any]]

    def __init__(self, source: str, name: str, program: Program | None = None) -> None:
        self.source = source
        self.name = name
        self._program = program
        self.held: dict[str, Any] = dict(program.system.held) if program is not None else {}
        self._module: ModuleType = load_text(source, name)
        for function in ("forward", "backward", "value_and_grad", "predict"):
            if hasattr(self._module, function):
                setattr(self, function, getattr(self._module, function))
        if hasattr(self._module, "Saved"):  # its module is in no place where pickle would look
            self._module.Saved.__reduce__ = lambda saved: (_saved_of, (self, tuple(saved)))

    def __getattr__(self, attribute: str) -> Any:
        """WRT, FACTS, ZERO, OUTPUTS, COMPLEX_SAFE and whatever else the text defines."""
        if attribute.startswith("_") or "_module" not in self.__dict__:
            raise AttributeError(attribute)
        return getattr(self._module, attribute)

    def cost(
        self, sizes: Mapping[str, int] | None = None, dtype: str = "float64",
        language: str = ENGLISH,
    ) -> Cost:
        """What forward and backward cost; see `Derivation.cost`.

        Raises InputError for a module that comes from its source alone, as after pickle.
        """
        if self._program is None:
            raise InputError(f"{self.name} is known by its source alone: ask its derivation's cost")
        return cost(self._program, sizes, dtype, language)

    def __reduce__(self) -> tuple[type[GeneratedModule], tuple[str, str]]:
        return GeneratedModule, (self.source, self.name)

    def _repr_markdown_(self) -> str:
        return f"```python\n{self.source}```\n"  # what a notebook shows

    def __repr__(self) -> str:
        lines = len(self.source.splitlines())
        return f"<GeneratedModule {self.name}: {lines} lines, gradients of {', '.join(self.WRT)}>"


def _saved_of(module: GeneratedModule, parts: tuple[Any, ...]) -> Any:
    """What the forward of a module saved, after a journey."""
    return module.Saved(parts)


@paused()
def generate(
    program: Program, templates: str | Path | None = None
) -> GeneratedModule:
    """The live module of a program; see `symprop.generate`."""
    return GeneratedModule(program_source(program, templates), program.system.name, program)


def module_source(
    derivation: Derived, templates: str | Path | None = None, target: Target = NUMPY
) -> str:
    """The text of the module, stamped with the hash of its body."""
    return program_source(lower(derivation.system, derivation.adjoints), templates, target)


def program_source(
    program: Program, templates: str | Path | None = None, target: Target = NUMPY
) -> str:
    """The text of the module of a program, stamped with the hash of its body."""
    source = stamp(render(target.template, module_context(program, target), templates))
    refuse_foreign(source, f"the module {program.system.name}")
    return source
