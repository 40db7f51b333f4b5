"""Finds what the word TARGET means.

In: the name of a zoo model, `path/file.py:function` or `path/file.py`, and the options that say
more about it. Out: a `Target`, or the path of a module to check or train; an `InputError` that
says what there is instead.
"""

import difflib
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import click

from symprop.cli.constants import Options, said_in_file
from symprop.errors import FileError, InputError, SympropError
from symprop.files.load import Later, load_file
from symprop.files.marks import version_in
from symprop.system import Fact
from symprop.trace.context import raised_at
from symprop.version import __version__

if TYPE_CHECKING:
    from symprop import zoo
else:
    zoo = Later("symprop.zoo")

PACKAGE = str(Path(__file__).resolve().parent.parent)


@dataclass(frozen=True)
class Target:
    """A forward pass to trace, and how: the arguments of `symprop.trace` and `symprop.derive`."""

    name: str
    function: Callable[..., Any]
    shapes: Mapping[str, Any] | None
    wrt: Sequence[str] | None
    facts: Sequence[Fact]
    static: Mapping[str, Any] | None
    rule: str | None = None
    names: Mapping[str, str] = field(default_factory=dict)
    quiet: bool = False
    recognise: bool = True


def find_forward(text: str, options: Options) -> Target:
    """Return the forward pass that `text` names; a file without a function is an InputError."""
    path, function = _split(text)
    if path is None:
        return _from_zoo(text, options)
    if path.suffix != ".py":
        raise InputError(f"{text!r} is neither a model of the zoo nor path/file.py:function")
    if not function:
        raise InputError(f"{path} alone is not a target here: write {path}:FUNCTION")
    return _from_file(path, function, options)


def find_forward_or_module(text: str, options: Options) -> Target | Path:
    """Return a forward pass, or the path of a Python file that holds a whole module."""
    path, function = _split(text)
    if path is None or function or path.suffix != ".py":
        return find_forward(text, options)
    if not path.is_file():
        raise FileError(f"there is no file {path}")
    if options.rule is not None:
        raise InputError(f"--rule is for a forward pass: {path} is a module already")
    return path


def import_file(path: Path) -> ModuleType:
    """Import a Python file of the user's; what it raises becomes an InputError.

    As with `python file.py`, the modules beside it can be imported, until the command ends.
    """
    context = click.get_current_context(silent=True)
    if context is not None:
        context.with_resource(_importable(path.absolute().parent))
    try:
        return load_file(path)
    except SympropError:
        raise
    except (Exception, SystemExit) as error:
        raise InputError(f"importing {path} fails: {_said(error)}{_line(error)}") from error


def note_version(path: Path, quiet: bool = False) -> None:
    """Say on standard error that a module was written by another version of symprop, if it was."""
    version = version_in(path.read_bytes()[:200])
    if version and version != __version__ and not quiet:
        click.echo(f"symprop: note: {path} was written by symprop {version}, and this is "
                   f"{__version__}: symprop generate writes it again", err=True)


@contextmanager
def blaming(function: Callable[..., Any]) -> Iterator[None]:
    """Turn what a user's function raises by itself into an InputError that names the line.

    What symprop raises deep inside is no fault of the function and comes through.
    """
    try:
        yield
    except SympropError:
        raise
    except (Exception, SystemExit) as error:
        frames = traceback.extract_tb(error.__traceback__)
        if frames and frames[-1].filename.startswith(PACKAGE):
            raise
        name = getattr(function, "__name__", "the function")
        raise InputError(f"{name} raises {_said(error)}{_line(error)}") from error


def _split(text: str) -> tuple[Path | None, str]:
    """Part `file.py:function`; a word that is no path gives (None, "")."""
    before, colon, after = text.rpartition(":")
    if colon and before.endswith(".py"):
        return Path(before), after
    if text.endswith(".py") or "/" in text:
        return Path(text), ""
    return None, ""


def _from_zoo(name: str, options: Options) -> Target:
    models = zoo.models()
    if name not in models:
        close = difflib.get_close_matches(name, models, 1)
        guess = f"did you mean {close[0]}?" if close else "symprop list shows the zoo"
        raise InputError(f"{name!r} is neither a model of the zoo nor file.py:function; {guess}")
    model = models[name]
    return Target(
        name=name,
        function=model.function,
        shapes={**(model.shapes or {}), **options.shapes} or None,
        wrt=options.wrt if options.wrt is not None else model.wrt,
        facts=(*model.facts, *options.facts),
        static={**(model.static or {}), **options.static} or None,
        rule=options.rule,
        names=options.names,
        quiet=options.quiet,
        recognise=options.recognise,
    )


def _from_file(path: Path, name: str, options: Options) -> Target:
    module = import_file(path)
    function = getattr(module, name, None)
    if not callable(function):
        own = [
            word
            for word, value in vars(module).items()
            if getattr(value, "__module__", None) == module.__name__ and callable(value)
        ]
        raise InputError(
            f"there is no function {name} in {path}" + (f"; it has {', '.join(own)}" if own else "")
        )
    said = said_in_file(module, name, path)
    return Target(
        name=name,
        function=function,
        shapes=options.shapes or None,
        wrt=options.wrt if options.wrt is not None else said.wrt,
        facts=(*said.facts, *options.facts),
        static={**said.static, **options.static} or None,
        rule=options.rule,
        names={**said.names, **options.names},
        quiet=options.quiet,
        recognise=options.recognise,
    )


@contextmanager
def _importable(folder: Path) -> Iterator[None]:
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        sys.path.remove(str(folder))


def _said(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__


def _line(error: BaseException) -> str:
    """Where, in the user's own code, an error was raised."""
    place = raised_at(error)
    return f" ({place})" if place else ""
