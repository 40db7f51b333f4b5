"""`symprop train`: the classic loop on a user's data.

In: TARGET, an .npz file and the settings. Out: a line for every epoch on standard output, and the
parameters and a checkpoint in .npz files, also when Ctrl-C ends it. On a terminal a bar stands for
the lines.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from symprop.cli.constants import Options
from symprop.cli.options import (
    FILE,
    constants_option,
    force_option,
    seed_option,
    size_option,
    target_options,
)
from symprop.cli.progress import on_a_terminal, working
from symprop.cli.stages import derived, generated
from symprop.cli.targets import Target, find_forward_or_module, import_file, note_version
from symprop.cli.trained import Places
from symprop.errors import InputError
from symprop.train import TrainingError, load_arrays
from symprop.train import train as run
from symprop.train.interrupts import held_back
from symprop.train.metrics import METRICS

INTERRUPTED = 130
EPOCH = re.compile(r"Epoch (\d+): ")
OPTIMIZERS = ("gd", "momentum", "nesterov", "rmsprop", "adam", "adamw")

EXAMPLES = """\b
Examples:
  symprop train mlp --data digits.npz --size H=64 -o params.npz
  symprop train mlp.py --data digits.npz --size H=64 --init params.npz -o params2.npz
  symprop train model.py:loss --data d.npz --optimizer gd --lr 0.1 --tol 1e-6 -o p.npz
  symprop train mlp --rule fa --data digits.npz --size H=64 -o params.npz
  symprop train mlp --data digits.npz --size H=64 -o params.npz --epochs 100 \\
      --resume params.checkpoint.npz

\b
The .npz file holds an array for every argument that is not trained, under its
name; numpy.savez("digits.npz", X=X, Y=Y) writes one.

\b
Every minute, at the end and on Ctrl-C (exit status 130) a checkpoint is
written beside the output. The same command with --resume and its name goes on
as if it had not been stopped; more --epochs may be asked for.
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
@click.option(
    "--tol", type=float, default=0.0,
    help="Stop when the loss changes by less or, with --validation, when the validation loss does "
    "not fall by more.",
)
@click.option(
    "--patience", type=int,
    help="For so many epochs in a row. With --validation the parameters are then those of the "
    "epoch with the lowest validation loss.",
)
@click.option(
    "--l2", type=float, default=0.0, help="Weight decay: adds l2/2 of the squared weights."
)
@click.option("--clip", type=float, help="Shorten the gradients to this length if they are longer.")
@click.option(
    "--metric", type=click.Choice(tuple(METRICS)),
    help="Report this of what predict returns, on the held-out examples if there are any.",
)
@click.option("--init", default="glorot", show_default=True, metavar="glorot|he|normal|FILE.npz",
              help="How the parameters start.")  # fmt: skip
@click.option(
    "--checkpoint", type=FILE, metavar="FILE.npz",
    help="For the state of the training; default: OUTPUT.checkpoint.npz.",
)
@click.option("--resume", type=FILE, metavar="FILE.npz", help="Go on from this checkpoint.")
@click.option(
    "--log", "table", type=FILE, metavar="FILE.csv", help="Write a line of numbers for every epoch."
)
@click.option(
    "--plot", type=FILE, metavar="FILE.png", help="Draw the losses; needs symprop[plot]."
)
@constants_option
@size_option
@seed_option
@force_option
def train(
    target: str,
    options: Options,
    data: Path,
    output: Path,
    checkpoint: Path | None,
    table: Path | None,
    plot: Path | None,
    constants: Path | None,
    force: bool,
    **settings: Any,
) -> int | None:
    """Train the parameters of TARGET on the arrays of an .npz file."""
    for path in (output, *([checkpoint] if checkpoint else [])):
        if path.suffix != ".npz":
            raise InputError(f"parameters are written as .npz, not as {path.name}")
    kept = checkpoint or output.with_suffix(".checkpoint.npz")
    places = Places(output, kept, force, table, plot)
    places.may_write(validation=settings["validation"] > 0)
    arrays = load_arrays(data)
    found = find_forward_or_module(target, options)
    if isinstance(found, Target):
        module: object = generated(derived(found), found.name)
        if found.rule is not None:  # the angle to the gradient is reported
            gradient = derived(replace(found, rule=None, quiet=True))
            settings["reference"] = generated(gradient, found.name)
    else:
        module = import_file(found)
        note_version(found, options.quiet)
    if constants is not None:
        arrays |= load_arrays(constants)
    settings |= {"checkpoint": places.checkpoint, "force": force}
    with held_back():  # Ctrl-C ends the training, but not the writing of what it found
        return _trained(module, arrays, settings, places)


def _trained(
    module: object, arrays: Any, settings: Mapping[str, Any], places: Places
) -> int | None:
    """Train and write; an exit status if it did not come to its end."""
    with working("training", "epoch") as progress:
        lines = Lines(progress, settings["epochs"])
        try:
            result = run(module, arrays, log=lines, **settings)
            lines.end()
        except TrainingError as error:
            lines.end()
            said = places.save(error.result)
            raise InputError(f"{error}\n{said} reached before") from error
    said = places.save(result)
    if result.interrupted:
        click.echo(f"symprop: interrupted in epoch {result.epochs + 1}; {said}; the same command"
                   f" with --resume {places.checkpoint} goes on from there", err=True)
        return INTERRUPTED
    return None


class Lines:
    """Prints a line for every epoch or, on a terminal, moves the bar and prints the last line."""

    def __init__(self, progress: Any, epochs: int) -> None:
        self.progress, self.epochs, self.waiting = progress, epochs, ""
        self.quiet = on_a_terminal()

    def __call__(self, line: str) -> None:
        """Take the next line."""
        of_an_epoch = EPOCH.match(line)
        if of_an_epoch:
            self.progress(line.partition(": ")[2], int(of_an_epoch[1]), self.epochs)
        if of_an_epoch and self.quiet:
            self.waiting = line
            return
        self.end()
        print(line, flush=True)

    def end(self) -> None:
        """Print the line that waits."""
        if self.waiting:
            print(self.waiting, flush=True)
        self.waiting = ""
