"""`symprop generate`: the standalone NumPy module.

In: TARGET and options. Out: the text of the module on standard output or in a file, and the
constants that are too long for it in another.
"""

from pathlib import Path

import click

from symprop.cli.constants import Options
from symprop.cli.options import (
    FILE,
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
from symprop.errors import InputError
from symprop.files.write import may_write
from symprop.train import save_arrays

EXAMPLES = """\b
Examples:
  symprop generate mlp -o mlp.py && python mlp.py
  symprop generate model.py:loss --wrt W,b -o model_gradients.py
  symprop generate lstm --style fast -o lstm.py
  symprop generate model.py:loss -o m.py --constants m.npz
"""


@click.command(epilog=EXAMPLES)
@target_options
@output_option
@structure_option
@style_option
@click.option("--rename", multiple=True, metavar="z=scores",
              help="What a computed array, or an axis, is called in code.")
@click.option("--constants", type=FILE, metavar="FILE.npz",
              help="Where to write constant arrays that are too long for the module.")
@template_option
@force_option
def generate(
    target: str, options: Options, output: Path | None, structure: str, style: str,
    rename: tuple[str, ...], constants: Path | None, template_dir: Path | None, force: bool,
) -> None:
    """Write the NumPy module of loss and gradients of TARGET."""
    if constants is not None and constants.suffix != ".npz":
        raise InputError(f"constants are written as .npz, not as {constants.name}")
    for path in (output, constants):
        if path is not None:
            may_write(path, force)
    found = find_forward(target, options)
    module = generated(derived(found, structure), found.name, template_dir, style,
                       read_pairs(rename, "--rename", "z=scores"))
    deliver(module.source, output, force)
    if constants is not None:
        save_arrays(constants, module.held, force)
