"""The whole path of the data, on one screen.

    NumPy function
      -> trace      System       ordered, named, typed equations in index notation, compared
                                 with the function itself on plain arrays
      -> recognise  System       what was written out is called by its name: 1/(1 + exp(-z)) is σ(z)
      -> derive     Derivation   one reverse sweep: adjoint equations, every step as data
      -> verify                  each step evaluated on random small tensors
      -> lower      Program      whole-tensor operations, loops, what backward needs
      -> generate   module       NumPy, printed through Jinja
      -> close                   the live module does what the equations say
      -> check      CheckReport  finite differences, independent of all the above
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from symprop import nn
from symprop.by_blocks import derive
from symprop.check import CheckReport, check
from symprop.close import close
from symprop.concrete import NotTheFunction, check_function
from symprop.derivation import Derivation
from symprop.emit import module as emit_module
from symprop.emit.module import GeneratedModule
from symprop.errors import InputError
from symprop.files.write import write_text
from symprop.lower.renamed import renamed
from symprop.lower.styles import styled
from symprop.recognise import recognised
from symprop.rules import RuleMaker
from symprop.system import Fact, System
from symprop.trace import trace as tracing
from symprop.trace.arguments import read_arguments
from symprop.verify import verify

assert nn  # what it has can be named where NumPy lacks it
__all__ = ["CheckReport", "Derivation", "check", "derive", "generate", "trace", "verify"]


def trace(
    function: Callable[..., Any],
    shapes: Mapping[str, Any] | None = None,
    wrt: Iterable[str] | None = None,
    facts: Iterable[Fact] = (),
    static: Mapping[str, Any] | None = None,
    *,
    recognise: bool = True,
) -> System:
    """Trace a NumPy function into a `System` of equations, and compare the two.

    `shapes` gives the shapes of the arguments, over their annotations: `"N K"`, `"int N"`, `""`
    for a scalar, or a dict, list or tuple of these. `wrt` names the arguments (or leaves such as
    `blocks_0_Wq`) to differentiate by; all floating ones by default. `static` overrides the
    values of arguments that have a default and no shape. The function returns its scalar loss,
    or (loss, dict of named outputs). A Python loop over a named axis is followed at three lengths
    of that axis and becomes a recurrence where they say the same. `recognise` calls what is
    written out by its name: an unnamed 1 / (1 + exp(-z)) becomes σ(z), with the proof as a step
    of the system. Afterwards the function runs on small plain arrays (copies), twice on each, and
    must give what the equations give.

    Raises ShapeError for shapes that do not fit, TraceError for what a trace cannot follow
    (random numbers, clocks and inputs changed in place are named by their line),
    UnsupportedError for operations without a definition, DTypeError for integer parameters,
    FactError, NameRuleError and InputError for what their names say, and VerificationError where
    the equations are not the function.

    >>> def loss(X: "N K", y: "N", w: "K"):
    ...     return np.mean((X @ w - y) ** 2)
    >>> [e.array for e in trace(loss).equations]
    ['error', 'L']
    """
    facts = tuple(facts)
    wrt = wrt if wrt is None or isinstance(wrt, str) else tuple(wrt)
    system = tracing.trace(function, shapes, wrt, facts, static)
    if recognise:
        system = recognised(system)
    try:
        check_function(function, read_arguments(function, shapes, static), system)
    except NotTheFunction:
        if system.loops:  # which are no recurrences: then their axes cannot be counted
            tracing.trace(function, shapes, wrt, facts, static, loops=False)
        raise
    return system


def generate(
    source: System | Derivation, path: str | Path | None = None, *,
    force: bool = False, templates: str | Path | None = None,
    rule: str | RuleMaker | None = None, style: str = "readable",
    rename: Mapping[str, str] | None = None,
) -> GeneratedModule:
    """The standalone NumPy module of a system or of its derivation, written to `path` if given.

    The derivation is verified first (once, remembered), and the module is compared with its
    equations before it is written. Raises RefusedToOverwrite when
    `path` holds a file that is not ours, or one of ours that was edited (`force` overwrites
    the latter). `templates` is a folder whose templates take precedence.
    `rule` is that of `symprop.derive`, for a system. Each lemma of the derivation is two
    functions, which forward, backward and predict call.
    `style` is "readable" or "fast": there each operation writes its result into memory that nothing
    reads any more; `forward` and `value_and_grad` take `workspace=module.Workspace()`, whose arrays
    last over calls, and `backward(saved, consume=True)` may write over what is saved.
    `rename` says what arrays that are computed, and sizes, are called in code: {"z": "scores"}.

    >>> def loss(X: "N K", w: "K"):
    ...     return np.mean(np.tanh(X @ w) ** 2)
    >>> module = generate(trace(loss), style="fast")
    >>> X, w = np.ones((2, 3)), np.zeros(3)
    >>> value, gradients = module.value_and_grad(X, w, workspace=module.Workspace())
    >>> gradients["w"].tolist()
    [0.0, 0.0, 0.0]
    """
    if rule is not None and not isinstance(source, System):
        raise InputError("a rule is for a system: what is derived already follows its own")
    derivation = derive(source, rule) if isinstance(source, System) else source
    derivation.verify()
    program = renamed(styled(derivation.lowered, style), rename or {})
    module = emit_module.generate(program, templates)
    close(derivation, program, module)
    if path is not None:
        write_text(path, module.source, force=force)
    return module
