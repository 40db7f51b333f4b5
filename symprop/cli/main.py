"""The program `symprop`: its commands, and how every error becomes a line and an exit status.

In: the words after `symprop`. Out: exit status 0 (done), 1 (a check failed), 2 (bad input),
3 (refused to overwrite), 4 (checked: not the gradient, by design), 130 (interrupted). Errors are at
most three plain lines on standard error.
"""

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

import click

from symprop.errors import RefusedToOverwrite, SympropError, VerificationError
from symprop.files.load import part
from symprop.version import __version__

DONE, FAILED, BAD_INPUT, REFUSED, INTERRUPTED = 0, 1, 2, 3, 130
MOST_LINES = 3
LONGEST_LINE = 400
WISHES_TRACEBACK = "SYMPROP_TRACEBACK"

EXAMPLES = """\b
Examples:
  symprop list
  symprop derive mlp --format text
  symprop derive model.py:loss --shape "X=N K" --wrt W,b -o model.tex
  symprop generate mlp -o mlp.py && python mlp.py
  symprop train mlp --data digits.npz --size H=64 -o params.npz

\b
TARGET is the name of a model in the zoo, or path/file.py:function (the file
is imported, and so executed), or for check and train a generated file.
The file may say itself what it is about: WRT = ("W", "b") as --wrt,
FACTS = ("sums_to_one(Y,1)",) as --fact, STATIC = {"heads": 4} as --static.
Exit status: 0 done, 1 a check failed, 2 bad input, 3 refused to overwrite,
4 checked and not the gradient, by the design of a learning rule (--rule),
130 interrupted.
"""


# A command is imported when it is run: help and version need no SymPy.
COMMANDS = {
    "derive": ("symprop.cli.derive", "derive",
               "Print the derivation of every gradient of TARGET, step by step."),
    "generate": ("symprop.cli.generate", "generate",
                 "Write the NumPy module of loss and gradients of TARGET."),
    "check": ("symprop.cli.check", "check",
              "Compare the gradients of TARGET with finite differences."),
    "train": ("symprop.cli.train", "train",
              "Train the parameters of TARGET on the arrays of an .npz file."),
    "cost": ("symprop.cli.cost", "cost",
             "Compare what forward and backward of TARGET cost."),
    "figure": ("symprop.cli.figure", "figure",
               "Draw the forward pass, the backward pass or the training of TARGET."),
    "build": ("symprop.cli.build", "build", "Write all that there is of TARGET to a folder."),
    "list": ("symprop.cli.listing", "listing",
             "List the models of the zoo, each of which is a TARGET."),
}


class InOrder(click.Group):
    """The commands of the table, in its order."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return super().get_command(ctx, cmd_name)
        module, name, _ = COMMANDS[cmd_name]
        command: click.Command = part(module, name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, about) for name, (_, _, about) in COMMANDS.items()])


@click.group(
    cls=InOrder,
    epilog=EXAMPLES,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 88},
)
@click.version_option(__version__, message="symprop %(version)s")
def program() -> None:
    """From a NumPy forward pass to a checked derivation and a NumPy backward pass."""


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the program on `arguments` (default: the words of the command line) and exit."""
    sys.exit(run(arguments))


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the program and return its exit status; nothing escapes as a traceback."""
    try:
        result = program.main(arguments, prog_name="symprop", standalone_mode=False)
        sys.stdout.flush()
    except BrokenPipeError:
        return _reader_is_gone()
    except (KeyboardInterrupt, click.Abort):
        return complain("interrupted", INTERRUPTED)
    except Exception as error:
        if os.environ.get(WISHES_TRACEBACK):
            raise
        return complain(*explained(error))
    return result if isinstance(result, int) else DONE


def explained(error: Exception) -> tuple[str, int]:
    """Return what to say of an error, and the exit status."""
    if isinstance(error, click.ClickException):
        return _of_click(error), BAD_INPUT
    if isinstance(error, RefusedToOverwrite):
        return str(error), REFUSED
    if isinstance(error, VerificationError):
        return f"internal error, nothing was written: {error}", FAILED
    if isinstance(error, SympropError):
        return str(error), BAD_INPUT
    if isinstance(error, OSError):
        where = f"{error.filename}: " if error.filename else ""
        return where + (error.strerror or str(error)), BAD_INPUT
    if isinstance(error, UnicodeEncodeError):
        return f"{error.object[:40]!a} holds characters that no name of a file has", BAD_INPUT
    if isinstance(error, MemoryError):
        what = str(error) or "not enough of it"
        return f"the memory does not suffice: {what}: choose smaller sizes", BAD_INPUT
    what = f"internal error: {type(error).__name__}: {error}{_place(error)}"
    return f"{what}\nplease report it; {WISHES_TRACEBACK}=1 shows the traceback", FAILED


def complain(message: str, status: int) -> int:
    """Print a message in at most three plain lines on standard error; return `status`."""
    lines = [_plain(line) for line in message.splitlines() if line.strip()] or ["unknown error"]
    if len(lines) > MOST_LINES:
        lines = [*lines[: MOST_LINES - 1], lines[MOST_LINES - 1] + " ..."]
    for line in lines:
        click.echo(f"symprop: {line}", err=True)
    return status


def _of_click(error: click.ClickException) -> str:
    message = error.format_message().replace("\n", " ")
    if isinstance(error, click.UsageError) and error.ctx is not None:
        return f"{message}\n{error.ctx.command_path} --help shows what can be said"
    return message


def _plain(line: str) -> str:
    """No control characters (a name may hold some) and no line without end."""
    text = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in line.rstrip())
    return text if len(text) <= LONGEST_LINE else text[: LONGEST_LINE - 4] + " ..."


def _place(error: Exception) -> str:
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return ""
    return f" ({Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno})"


def _reader_is_gone() -> int:
    # As in `symprop list | head -1`: Python would complain once more when it flushes at exit.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return FAILED
