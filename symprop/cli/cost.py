"""`symprop cost`: what forward and backward cost.

In: TARGET, sizes. Out: two tables on standard output or in a file.
"""

from __future__ import annotations

from pathlib import Path

import click

from symprop.cli.constants import Options
from symprop.cli.options import (
    force_option,
    language_option,
    output_option,
    size_option,
    target_options,
)
from symprop.cli.progress import working
from symprop.cli.stages import deliver, derived, given
from symprop.cli.targets import find_forward
from symprop.errors import InputError
from symprop.files.marks import stamp
from symprop.files.write import may_write

FORMAT_OF = {".txt": "text", ".md": "markdown"}
COMMENTS = {"text": "# ", "markdown": "<!-- "}

EXAMPLES = """\b
Examples:
  symprop cost mlp
  symprop cost mlp --size N=64 --size H=1024 --dtype float32
  symprop cost model.py:loss -o cost.md
"""


@click.command(epilog=EXAMPLES)
@target_options
@size_option
@click.option("--dtype", type=click.Choice(("float64", "float32")), default="float64",
              show_default=True, help="What an entry is.")
@click.option("--format", "form", type=click.Choice(("text", "markdown")),
              help="Default: what the suffix of FILE says, else text.")
@language_option
@output_option
@force_option
def cost(
    target: str, options: Options, sizes: dict[str, int], dtype: str, form: str | None,
    output: Path | None, force: bool, language: str | None,
) -> None:
    """Compare what forward and backward of TARGET cost.

    An axis has 64 entries unless --size says otherwise.
    """
    if output is not None:
        may_write(output, force)
    form = form or _form_of(output)
    derivation = derived(find_forward(target, options))
    with working("counting"):
        found = derivation.cost(sizes, dtype, **given(language=language))
        text = found.markdown() if form == "markdown" else f"{found}\n"
    deliver(text if output is None else stamp(text, COMMENTS[form]), output, force)


def _form_of(output: Path | None) -> str:
    suffix = output.suffix.lower() if output else ".txt"
    if suffix not in FORMAT_OF:
        raise InputError(f"{output}: its suffix is that of no format; there are "
                         f"{', '.join(FORMAT_OF)}, or say --format")
    return FORMAT_OF[suffix]
