"""The stages of the pipeline as the commands call them, each with its progress.

In: a `Target`. Out: its derivation and its generated module; and texts brought to where the user
wants them.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from symprop.cli.progress import working
from symprop.cli.targets import Target, blaming
from symprop.files.load import Later
from symprop.files.write import write_text

if TYPE_CHECKING:
    from symprop import pipeline
    from symprop.derivation import Derivation
    from symprop.emit.module import GeneratedModule
    from symprop.system import System
else:
    pipeline = Later("symprop.pipeline")


def traced(target: Target) -> System:
    """Trace the forward pass, and say on standard error what may not have been meant."""
    with working(f"tracing {target.name}"), blaming(target.function):
        system = pipeline.trace(
            target.function,
            shapes=target.shapes,
            wrt=target.wrt,
            facts=target.facts,
            static=target.static,
            recognise=target.recognise,
        )
    for note in () if target.quiet else system.notes:
        click.echo(f"symprop: note: {note}", err=True)
    return system


def derived(target: Target, structure: str = "blocks") -> Derivation:
    """Trace the forward pass and derive all its gradients."""
    system = traced(target)
    with working(f"deriving {target.name}"):
        return pipeline.derive(system, target.rule, structure=structure)


def generated(
    derivation: Derivation, name: str, templates: Path | None = None, style: str = "readable",
    rename: Mapping[str, str] | None = None,
) -> GeneratedModule:
    """Write the module of a derivation, in memory."""
    with working(f"generating {name}"):
        return pipeline.generate(derivation, style=style, rename=rename, **given(
            templates=templates))


def given(**options: Any) -> dict[str, Any]:
    """Return the options that are not None."""
    return {name: value for name, value in options.items() if value is not None}


def deliver(text: str, output: Path | None, force: bool) -> None:
    """Write `text` to a file, or to standard output if there is none."""
    if output is None:
        click.echo(text.rstrip("\n"))
    else:
        write_text(output, text, force)
