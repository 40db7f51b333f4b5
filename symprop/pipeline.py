"""The whole path of the data, on one screen.

    NumPy function
      -> trace      System       ordered, named, typed equations in index notation
      -> derive     Derivation   one reverse sweep: adjoint equations, every step as data
      -> verify                  each step evaluated on random small tensors
      -> generate   module       whole-tensor NumPy, printed through Jinja
      -> check      CheckReport  finite differences, independent of all the above
"""

from __future__ import annotations

from pathlib import Path

from symprop.check import CheckReport, check
from symprop.derivation import Derivation, derive
from symprop.emit import module as emit_module
from symprop.emit.module import GeneratedModule
from symprop.errors import InputError
from symprop.rules import RuleMaker
from symprop.system import System
from symprop.trace.trace import trace
from symprop.verify import verify

__all__ = ["CheckReport", "Derivation", "check", "derive", "generate", "trace", "verify"]


def generate(
    source: System | Derivation, path: str | Path | None = None, *, force: bool = False,
    templates: str | Path | None = None, rule: str | RuleMaker | None = None,
) -> GeneratedModule:
    """The standalone NumPy module of a system or of its derivation, written to `path` if given.

    The derivation is verified first (once, remembered). Raises RefusedToOverwrite when
    `path` holds a file that is not ours, or one of ours that was edited (`force` overwrites
    the latter). `templates` is a folder whose templates take precedence.
    `rule` is that of `symprop.derive`, for a system.
    """
    if rule is not None and not isinstance(source, System):
        raise InputError("a rule is for a system: what is derived already follows its own")
    derivation = derive(source, rule) if isinstance(source, System) else source
    derivation.verify()
    return emit_module.generate(derivation, path, force=force, templates=templates)
