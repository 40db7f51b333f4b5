"""`symprop derive`: the derivation as LaTeX, Markdown, Unicode text or PDF.

In: TARGET and options. Out: the text on standard output or in a file.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from symprop.cli.constants import Options
from symprop.cli.numbers import read_numbers
from symprop.cli.options import (
    FILE,
    force_option,
    language_option,
    only_option,
    output_option,
    structure_option,
    target_options,
    template_option,
)
from symprop.cli.pdf import compile_pdf
from symprop.cli.progress import working
from symprop.cli.stages import deliver, derived, given
from symprop.cli.targets import find_forward
from symprop.cli.words import read_names
from symprop.errors import InputError
from symprop.files.marks import stamp
from symprop.files.write import may_write, write_bytes

if TYPE_CHECKING:
    from symprop.derivation import Derivation

FORMATS = ("latex", "markdown", "text", "pdf", "beamer")
NARROWEST, DEFAULT, WIDEST = 80, 88, 120  # columns of text
FORMAT_OF = {".tex": "latex", ".md": "markdown", ".txt": "text", ".pdf": "pdf"}
COMMENTS = {"latex": "% ", "beamer": "% ", "markdown": "<!-- ", "text": "# "}

EXAMPLES = """\b
Examples:
  symprop derive mlp --format text
  symprop derive mlp --only W1 -o mlp.tex        for \\input
  symprop derive mlp --standalone -o mlp.tex     a document
  symprop derive mlp --format beamer -o mlp.pdf  slides
  symprop derive mlp --language zh -o mlp.pdf    in Chinese, by xelatex
  symprop derive model.py:loss --numbers inputs.json --format text
  symprop derive model.py:loss --shape "X=N K" --fact "sums_to_one(Y,1)" -o model.pdf
"""


@click.command(epilog=EXAMPLES)
@target_options
@output_option
@click.option(
    "--format", "form", type=click.Choice(FORMATS),
    help="Default: what the suffix of FILE says, else latex.",
)  # fmt: skip
@click.option("--standalone", is_flag=True, help="A LaTeX document, not a fragment for \\input.")
@structure_option
@only_option
@click.option("--profile", metavar="NAME|FILE",
              help="As a book writes: nielsen, goodfellow, ng, cs231n, d2l, or a .toml of yours.")
@click.option("--notation", type=click.Choice(("both", "index", "matrix")),
              help="Index and matrix notation together, or one alone.  [default: both]")
@click.option("--label", metavar="PREFIX",
              help="In LaTeX: (B5) has the label sp:PREFIX:B5, and mentions are \\eqref.")
@click.option("--width", type=click.FloatRange(120, 2000), metavar="POINTS",
              help="In LaTeX: of a line; 345 in an article, 229 in one of two columns.")
@click.option("--equation", metavar="B13", help="Only this equation, with its steps.")
@click.option("--detail", type=click.Choice(("brief", "normal", "full")),
              help="How much of each equation.  [default: normal; full for one --equation]")
@click.option(
    "--numbers", type=FILE, metavar="FILE",
    help="The inputs (.npz, .json, .toml): print a worked example.",
)  # fmt: skip
@click.option("--step", type=float, default=0.5, show_default=True,
              help="With --numbers: the step against the gradients.")
@click.option("--precision", type=click.IntRange(1, 15), default=9, show_default=True,
              help="With --numbers: how many decimals.")
@language_option
@template_option
@force_option
def derive(
    target: str,
    options: Options,
    output: Path | None,
    form: str | None,
    standalone: bool,
    structure: str,
    only: tuple[str, ...],
    template_dir: Path | None,
    force: bool,
    detail: str | None,
    equation: str | None,
    numbers: Path | None,
    step: float,
    precision: int,
    label: str | None,
    width: float | None,
    profile: str | None,
    notation: str | None,
    language: str | None,
) -> None:
    """Print the derivation of every gradient of TARGET, step by step."""
    if output is not None:
        may_write(output, force)
    form = form or _form_of(output)
    if form == "pdf" and output is None:
        raise InputError("a PDF needs a file: say -o FILE.pdf")
    names = read_names(only, "--only")
    layout = given(labels=label, width=width)
    if layout and (form not in ("latex", "pdf") or numbers):
        raise InputError("--label and --width are for LaTeX, and not for a worked example")
    if form == "beamer" and numbers:
        raise InputError("a worked example is no set of slides: leave --numbers out")
    found = find_forward(target, options)
    derivation = derived(found, structure)
    with working(f"verifying {found.name}"):
        if numbers is None:
            text = printed(
                derivation, form, standalone, names, template_dir, found.names,
                detail=detail, equation=equation, profile=profile, notation=notation, **layout,
                language=language,
                **given(width=_columns() if form == "text" and output is None else None))
        else:
            text = derivation.worked_example(
                read_numbers(numbers), step=step, precision=precision,
                format="latex" if form == "pdf" else form,
                standalone=standalone or form == "pdf",
                **given(templates=template_dir, names=found.names or None, profile=profile,
                        language=language))
    if output is not None and (form == "pdf" or (form, output.suffix) == ("beamer", ".pdf")):
        with working("running TeX"):
            write_bytes(output, compile_pdf(text, **given(language=language)), force)
    else:
        deliver(text if output is None else stamp(text, COMMENTS[form]), output, force)


def _columns() -> int:
    """How wide to print: as the terminal, or as COLUMNS says, within reason."""
    return min(max(shutil.get_terminal_size((DEFAULT, 24)).columns, NARROWEST), WIDEST)


def _form_of(output: Path | None) -> str:
    """Return the format that a suffix stands for; InputError for one that stands for none."""
    suffix = output.suffix.lower() if output else ".tex"
    if suffix and suffix not in FORMAT_OF:
        raise InputError(f"{output}: the suffix {suffix} is that of no format; there are "
                         f"{', '.join(FORMAT_OF)}, or say --format")
    return FORMAT_OF.get(suffix, "latex")


def printed(
    derivation: Derivation,
    form: str,
    standalone: bool = False,
    only: list[str] | None = None,
    templates: Path | None = None,
    names: Mapping[str, str] | None = None,
    **options: Any,
) -> str:
    """Return the derivation in one of the formats; for a PDF, the document to compile."""
    own = given(templates=templates, only=only, names=names or None, **options)
    if form == "beamer":
        return derivation.beamer(**own)
    if form == "text":
        return derivation.text(**own)
    if form == "markdown":
        return derivation.markdown(**own)
    return derivation.latex(standalone=standalone or form == "pdf", **own)
