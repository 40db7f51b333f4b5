"""Options that several commands share, as decorators.

In: a command's function. Out: the function with click options around it. `target_options` reads
what says more about TARGET and passes it on as one `Options`.
"""

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from symprop.cli.constants import Options
from symprop.cli.words import (
    read_facts,
    read_names,
    read_pairs,
    read_shapes,
    read_sizes,
    read_statics,
)
from symprop.emit.words import ENGLISH, languages
from symprop.system import LEARNING_RULES

Function = TypeVar("Function", bound=Callable[..., Any])

# Existence and kind are tested where a path is used: there the sentences are ours.
FILE = click.Path(path_type=Path)

target_argument = click.argument("target")
output_option = click.option("-o", "--output", type=FILE, metavar="FILE", help="Where to write it.")
force_option = click.option(
    "--force", is_flag=True, help="Overwrite a file of ours that was edited by hand."
)
template_option = click.option(
    "--template-dir", type=FILE, metavar="DIR", help="Templates here go before the default ones."
)
only_option = click.option(
    "--only", multiple=True, metavar="NAMES", help="Only what these gradients need: W1,b1."
)
seed_option = click.option(
    "--seed", type=click.IntRange(min=0), default=0, show_default=True, help="For random numbers."
)


def language_option(function: Function) -> Function:
    """Add `--language zh`; the command gets `language`, None where it is not said."""
    about = f"Of what is printed: {', '.join(languages())}.  [default: {ENGLISH}]"
    return click.option("--language", type=click.Choice(languages()), help=about)(function)


def target_options(function: Function) -> Function:
    """Add TARGET and the options about it; the command gets `target` and `options`."""
    return target_argument(options_about_target(function))


def options_about_target(function: Function) -> Function:
    """Add the options about a target; the command gets `options`."""

    @click.option(
        "--shape", "shapes", multiple=True, metavar='X="N K"', help="Shape of an argument."
    )
    @click.option("--wrt", multiple=True, metavar="NAMES", help="Parameters to derive: W1,b1.")
    @click.option(
        "--fact", "facts", multiple=True, metavar="FACT",
        help="Assume: sums_to_one(Y,1), positive(s), in_range(t,0,1), one_of(y,-1,1), "
        "symmetric(H), positive_definite(A).",
    )  # fmt: skip
    @click.option(
        "--static", "statics", multiple=True, metavar="heads=4", help="Constant of the trace."
    )
    @click.option(
        "--rule", type=click.Choice(tuple(LEARNING_RULES)),
        help="A learning rule that is not the gradient: "
        + ", ".join(f"{short} ({long})" for short, long in LEARNING_RULES.items()) + ".",
    )  # fmt: skip
    @click.option(
        "--name", "names", multiple=True, metavar="W1=W^{(1)}",
        help="What an array is called in print, in LaTeX.",
    )  # fmt: skip
    @click.option(
        "--quiet", is_flag=True, help="No notes on what may not have been meant."
    )
    @click.option(
        "--no-recognise", "written", is_flag=True,
        help="Functions that are written out, as 1/(1 + exp(-z)), stay so.",
    )  # fmt: skip
    @functools.wraps(function)
    def command(
        shapes: tuple[str, ...],
        wrt: tuple[str, ...],
        facts: tuple[str, ...],
        statics: tuple[str, ...],
        rule: str | None,
        names: tuple[str, ...],
        quiet: bool,
        written: bool,
        **rest: Any,
    ) -> Any:
        options = Options(
            shapes=read_shapes(shapes),
            wrt=read_names(wrt, "--wrt"),
            facts=read_facts(facts),
            static=read_statics(statics),
            rule=rule,
            names=read_pairs(names, "--name", "W1=W^{(1)}"),
            quiet=quiet,
            recognise=not written,
        )
        return function(options=options, **rest)

    return command  # type: ignore[return-value]


def structure_option(function: Function) -> Function:
    """Add `--structure`, and `--flat` for one of its values."""
    about = "blocks: what the program repeats is one lemma, printed once, and two functions."
    choice = click.option("--structure", type=click.Choice(("blocks", "flat")), default="blocks",
                          show_default=True, help=about)
    flat = click.option("--flat", "structure", flag_value="flat", default="blocks",
                        help="As --structure flat.")
    return flat(choice(function))  # in this order: the oldest click asks the first for the default


def style_option(function: Function) -> Function:
    """Add `--style`."""
    about = "fast: operations write into arrays that nothing reads any more."
    choice = click.option("--style", type=click.Choice(("readable", "fast")), default="readable",
                          show_default=True, help=about)
    return choice(function)


def constants_option(function: Function) -> Function:
    """Add `--constants FILE.npz`, as `symprop generate --constants` writes it."""
    about = "The constants of a module, as symprop generate --constants writes them."
    return click.option("--constants", type=FILE, metavar="FILE.npz", help=about)(function)


def size_option(function: Function) -> Function:
    """Add `--size H=64`, repeatable; the command gets `sizes`, a dict."""

    @click.option("--size", "sizes", multiple=True, metavar="H=64", help="Size of a named axis.")
    @functools.wraps(function)
    def command(sizes: tuple[str, ...], **rest: Any) -> Any:
        return function(sizes=read_sizes(sizes), **rest)

    return command  # type: ignore[return-value]
