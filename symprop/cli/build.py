"""`symprop build`: everything that there is to have of a model, in one folder.

In: TARGET and a folder. Out: NAME.tex, NAME.md, NAME.py, NAME_train.py, NAME_check.txt, and
NAME.pdf where a TeX is installed, NAME_constants.npz where constants are too long for a module.
Nothing is written before all of it is known to be right.
"""

from pathlib import Path

import click

from symprop.cli.check import checked
from symprop.cli.constants import Options
from symprop.cli.frozen import CONSTANTS
from symprop.cli.made import texts_of
from symprop.cli.options import (
    FILE,
    force_option,
    seed_option,
    size_option,
    structure_option,
    target_options,
    template_option,
)
from symprop.cli.pdf import compile_pdf, has_tex, program_for
from symprop.cli.progress import working
from symprop.cli.stages import derived, generated
from symprop.cli.targets import find_forward
from symprop.files.write import make_folder, may_write, write_bytes, write_text
from symprop.train.data import archived

EXAMPLES = """\b
Examples:
  symprop build mlp -o build/                 its mlp_train.py starts with H = 32
  symprop build mlp -o build/ --size H=64     and this one with H = 64
"""


@click.command(epilog=EXAMPLES)
@target_options
@click.option(
    "-o", "--output", type=FILE, metavar="DIR", required=True, help="Made if it is not there."
)
@size_option
@seed_option
@structure_option
@template_option
@force_option
def build(
    target: str,
    options: Options,
    output: Path,
    sizes: dict[str, int],
    seed: int,
    structure: str,
    template_dir: Path | None,
    force: bool,
) -> int:
    """Write all that there is of TARGET to a folder.

    Derivation, module, check report, training module, and a PDF where there is a TeX.
    """
    found = find_forward(target, options)
    derivation = derived(found, structure)
    module = generated(derivation, found.name, template_dir)
    report = checked(module, found.name, seed=seed)
    texts, remarks = texts_of(found, derivation, module.source, template_dir, sizes, seed)
    texts["_check.txt"] = str(report)
    pdf = None
    program = program_for(document=texts[".tex"])
    if has_tex(document=texts[".tex"]):
        with working(f"running {program}"):
            pdf = compile_pdf(texts[".tex"])
    else:
        remarks.append(f"no {found.name}.pdf: there is no {program}")
    binaries = {} if pdf is None else {".pdf": pdf}
    if module.held:
        binaries[CONSTANTS] = archived(module.held)
        remarks.append(f"{found.name}_train.py reads {found.name}{CONSTANTS} too")
    _write_all(make_folder(output), found.name, texts, binaries, force)
    for remark in remarks:
        click.echo(f"symprop: {remark}", err=True)
    click.echo(str(report).splitlines()[-1])
    return 0 if report.as_designed else 1


def _write_all(
    folder: Path, name: str, texts: dict[str, str], binaries: dict[str, bytes], force: bool
) -> None:
    """Write all files, or none if one is in the way."""
    paths = [folder / f"{name}{ending}" for ending in (*texts, *binaries)]
    for path in paths:
        may_write(path, force)
    for ending, text in texts.items():
        write_text(folder / f"{name}{ending}", text, force)
    for ending, content in binaries.items():
        write_bytes(folder / f"{name}{ending}", content, force)
    for path in paths:
        click.echo(str(path))
