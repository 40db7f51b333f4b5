"""`symprop figure`: a derivation as a picture.

In: TARGET and options. Out: SVG, TikZ, Mermaid or DOT on standard output or in a file.
"""

from __future__ import annotations

from pathlib import Path

import click

from symprop.cli.constants import Options
from symprop.cli.options import (
    force_option,
    language_option,
    output_option,
    target_options,
)
from symprop.cli.progress import working
from symprop.cli.stages import deliver, derived, given
from symprop.cli.targets import find_forward
from symprop.errors import InputError
from symprop.files.marks import stamp
from symprop.files.write import may_write

FORMAT_OF = {".svg": "svg", ".tex": "tikz", ".tikz": "tikz", ".mmd": "mermaid", ".dot": "dot",
             ".gv": "dot"}
COMMENTS = {"svg": "<!-- ", "tikz": "% ", "mermaid": "%% ", "dot": "// "}

EXAMPLES = """\b
Examples:
  symprop figure mlp -o mlp.svg
  symprop figure mlp --kind backward -o mlp.tex      for \\input, with tikz
  symprop figure model.py:loss --kind training --format mermaid
"""


@click.command(epilog=EXAMPLES)
@target_options
@click.option("--kind", type=click.Choice(("forward", "backward", "training")),
              default="forward", show_default=True, help="What flows, or how it is trained.")
@click.option("--format", "form", type=click.Choice(("svg", "tikz", "mermaid", "dot")),
              help="Default: what the suffix of FILE says, else svg.")
@click.option("--profile", metavar="NAME|FILE",
              help="As a book writes: nielsen, goodfellow, ng, cs231n, d2l, or a .toml of yours.")
@language_option
@output_option
@force_option
def figure(
    target: str, options: Options, kind: str, form: str | None, output: Path | None, force: bool,
    profile: str | None, language: str | None,
) -> None:
    """Draw the forward pass, the backward pass or the training of TARGET.

    A call of a helper is one box; equal calls one after the other are one box with their number.
    """
    if output is not None:
        may_write(output, force)
    form = form or _form_of(output)
    found = find_forward(target, options)
    derivation = derived(found)
    with working("drawing"):
        text = derivation.figure(kind, form, **given(
            names=found.names or None, profile=profile, language=language))
    deliver(text if output is None else stamp(text, COMMENTS[form]), output, force)


def _form_of(output: Path | None) -> str:
    suffix = output.suffix.lower() if output else ".svg"
    if suffix not in FORMAT_OF:
        raise InputError(f"{output}: its suffix is that of no format; there are "
                         f"{', '.join(FORMAT_OF)}, or say --format")
    return FORMAT_OF[suffix]
