"""`symprop generate`: the standalone NumPy module.

In: TARGET and options. Out: the text of the module on standard output or in a file.
"""

from pathlib import Path

import click

from symprop.cli.constants import Options
from symprop.cli.options import (
    force_option,
    output_option,
    structure_option,
    style_option,
    target_options,
    template_option,
)
from symprop.cli.stages import deliver, derived, generated
from symprop.cli.targets import find_forward
from symprop.cli.words import read_pairs
from symprop.files.write import may_write

EXAMPLES = """\b
Examples:
  symprop generate mlp -o mlp.py && python mlp.py
  symprop generate model.py:loss --wrt W,b -o model_gradients.py
  symprop generate lstm --style fast -o lstm.py
"""


@click.command(epilog=EXAMPLES)
@target_options
@output_option
@structure_option
@style_option
@click.option("--rename", multiple=True, metavar="z=scores",
              help="What a computed array, or an axis, is called in code.")
@template_option
@force_option
def generate(
    target: str, options: Options, output: Path | None, structure: str, style: str,
    rename: tuple[str, ...], template_dir: Path | None, force: bool,
) -> None:
    """Write the NumPy module of loss and gradients of TARGET."""
    if output is not None:
        may_write(output, force)
    found = find_forward(target, options)
    module = generated(derived(found, structure), found.name, template_dir, style,
                       read_pairs(rename, "--rename", "z=scores"))
    deliver(module.source, output, force)
