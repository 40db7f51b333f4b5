"""`symprop train`: the classic loop on a user's data.

In: TARGET, an .npz file and the settings. Out: a line for every epoch on standard output, and the
parameters in an .npz file.
"""

from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from symprop.cli.constants import Options
from symprop.cli.options import FILE, force_option, seed_option, size_option, target_options
from symprop.cli.progress import working
from symprop.cli.stages import derived, generated
from symprop.cli.targets import Target, find_forward_or_module, import_file
from symprop.errors import InputError
from symprop.files.write import may_write
from symprop.train import load_arrays, save_arrays
from symprop.train import train as run

OPTIMIZERS = ("gd", "momentum", "nesterov", "rmsprop", "adam", "adamw")

EXAMPLES = """\b
Examples:
  symprop train mlp --data digits.npz --size H=64 -o params.npz
  symprop train mlp.py --data digits.npz --size H=64 --init params.npz -o params2.npz
  symprop train model.py:loss --data d.npz --optimizer gd --lr 0.1 --tol 1e-6 -o p.npz
  symprop train mlp --rule fa --data digits.npz --size H=64 -o params.npz

\b
The .npz file holds an array for every argument that is not trained, under its
name; numpy.savez("digits.npz", X=X, Y=Y) writes one.
"""


@click.command(epilog=EXAMPLES)
@target_options
@click.option(
    "--data", type=FILE, metavar="FILE.npz", required=True, help="The arrays to train on."
)
@click.option(
    "-o", "--output", type=FILE, metavar="FILE.npz", required=True, help="For the parameters."
)
@click.option(
    "--validation", type=float, default=0.0, help="Part of the examples to hold out: 0.2."
)
@click.option("--optimizer", type=click.Choice(OPTIMIZERS), default="adam", show_default=True)
@click.option("--lr", type=float, default=1e-3, show_default=True, help="Learning rate.")
@click.option("--batch", type=int, help="Examples in a step; default: all.")
@click.option("--epochs", type=int, default=50, show_default=True, help="At most so many.")
@click.option("--tol", type=float, default=0.0, help="Stop when the loss changes by less.")
@click.option("--patience", type=int, help="For so many epochs in a row.")
@click.option(
    "--l2", type=float, default=0.0, help="Weight decay: adds l2/2 of the squared weights."
)
@click.option("--init", default="glorot", show_default=True, metavar="glorot|he|normal|FILE.npz",
              help="How the parameters start.")  # fmt: skip
@size_option
@seed_option
@force_option
def train(
    target: str,
    options: Options,
    data: Path,
    output: Path,
    force: bool,
    **settings: Any,
) -> None:
    """Train the parameters of TARGET on the arrays of an .npz file."""
    if output.suffix != ".npz":
        raise InputError(f"parameters are written as .npz, not as {output.name}")
    may_write(output, force)
    arrays = load_arrays(data)
    found = find_forward_or_module(target, options)
    if isinstance(found, Target):
        module: object = generated(derived(found), found.name)
        if found.rule is not None:  # the angle to the gradient is reported
            settings["reference"] = generated(derived(replace(found, rule=None)), found.name)
    else:
        module = import_file(found)
    with working("training") as progress:
        result = run(module, arrays, log=_log(progress, settings["epochs"]), **settings)
    save_arrays(output, {**result.arrays, **result.fixed}, force)


def _log(progress: Any, epochs: int) -> Any:
    """Print every line; the lines of epochs also move the bar."""
    done = 0

    def log(line: str) -> None:
        nonlocal done
        print(line, flush=True)
        done += 1
        progress("", min(done, epochs), epochs)

    return log
