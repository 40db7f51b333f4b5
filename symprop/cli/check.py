"""`symprop check`: are the gradients right?

In: TARGET and options. Out: the report on standard output; exit status 1 if a gradient failed.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from symprop.check import CheckReport
from symprop.check import check as run
from symprop.cli.constants import Options
from symprop.cli.options import (
    FILE,
    constants_option,
    options_about_target,
    seed_option,
    size_option,
    structure_option,
    style_option,
    template_option,
)
from symprop.cli.progress import working
from symprop.cli.stages import derived, generated, given
from symprop.cli.targets import (
    Target,
    find_forward,
    find_forward_or_module,
    import_file,
    note_version,
)
from symprop.errors import InputError
from symprop.files.load import Later
from symprop.train.data import load_arrays

if TYPE_CHECKING:
    from symprop import against as comparing
    from symprop.cli import frozen as freezing
else:
    comparing = Later("symprop.against")
    freezing = Later("symprop.cli.frozen")

EXAMPLES = """\b
Examples:
  symprop check mlp
  symprop check mlp.py                 a generated or hand-written module
  symprop check model.py:loss --size N=5 --seed 1
  symprop check mine.py --against model.py:loss    which line of mine is wrong?
  symprop check model.py:loss --frozen build/      are the files there up to date?
"""


@click.command(epilog=EXAMPLES)
@click.argument("target", required=False)
@options_about_target
@size_option
@seed_option
@click.option("--rtol", type=float, default=1e-7, show_default=True, help="Relative tolerance.")
@click.option("--against", metavar="MODEL",
              help="A forward pass: name the line of TARGET that is not its derivation.")
@click.option("--frozen", type=FILE, metavar="DIR",
              help="Write nothing: say which files that were made of TARGET are current.")
@constants_option
@template_option
@structure_option
@style_option
def check(
    target: str | None, options: Options, sizes: dict[str, int], seed: int, rtol: float,
    against: str | None, frozen: Path | None, constants: Path | None, template_dir: Path | None,
    structure: str, style: str,
) -> int:
    """Compare the gradients of TARGET with finite differences.

    TARGET may also be a Python file with functions forward and backward.
    """
    if target is None:
        raise click.UsageError("Missing argument 'TARGET'.") if frozen is None else InputError(
            freezing.unnamed(frozen))
    if frozen is not None:
        if against is not None:
            raise InputError("--frozen and --against are two questions: ask one of them")
        files = freezing.statuses(
            find_forward(target, options), frozen, template_dir, sizes, seed, structure, style)
        return _told(files, target, frozen)
    found = find_forward_or_module(target, options)
    if against is not None:
        return _against(found, target, against, options, seed)
    if isinstance(found, Target):
        module: object = generated(derived(found, structure), found.name, template_dir, style)
        declared = {}
    else:
        module = import_file(found)
        note_version(found, options.quiet)
        declared = given(
            shapes=options.shapes or None, wrt=options.wrt, facts=options.facts or None
        )
    declared |= given(inputs=load_arrays(constants) if constants is not None else None)
    report = checked(module, target, sizes=sizes, seed=seed, rtol=rtol, **declared)
    click.echo(str(report))
    return status_of(report)


def _told(files: dict[Path, str], target: str, place: Path) -> int:
    """Say of every file whether it is what would be written; 0 if all are, else 1."""
    for path, status in files.items():
        click.echo(f"{status:8} {path}")
    late = [path for path, status in files.items() if status != "current"]
    if not late:
        click.echo(f"{len(files)} of {len(files)} files are current")
        return 0
    command = f"build {target} -o {place}" if place.is_dir() else (
        f"{'generate' if place.suffix == '.py' else 'derive'} {target} -o {place}")
    click.echo(f"{len(late)} of {len(files)} files are not current: symprop {command} writes them, "
               "with the same options; --force over one that was edited")
    return 1


def _against(
    found: Target | Path, target: str, model: str, options: Options, seed: int
) -> int:
    """Compare the module at a path with the derivation of a forward pass."""
    if isinstance(found, Target):
        raise InputError(f"--against is for a file with forward and backward, not for {target}")
    derivation = derived(find_forward(model, options))
    said = given(shapes=options.shapes or None, wrt=options.wrt)
    report = comparing.against(import_file(found), derivation, seed=seed, **said)
    click.echo(str(report))
    return 0 if report.passed else 1


def status_of(report: CheckReport) -> int:
    """Return 0 where it passed, 4 where a learning rule departs by design, else 1."""
    return 0 if report.passed else 4 if report.as_designed else 1


def checked(module: object, name: str, **options: object) -> CheckReport:
    """Check a module, with a bar on a terminal."""
    with working(f"checking {name}") as progress:
        return run(module, progress=progress, **options)  # type: ignore[arg-type]
