"""From text to a live module: the only place in the package where text becomes code.

It is also where modules of symprop are imported that are not needed at once.

In: source text that symprop emitted and verified, or a `.py` file that its user named. Out: the
module. Python's own import machinery does it, so tracebacks and `inspect` show the real lines.
"""

import importlib
import importlib.util
import linecache
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.abc import SourceLoader
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

from symprop.errors import FileError, InputError
from symprop.files.read import expect_file

_ONE_AT_A_TIME = threading.RLock()


class _TextLoader(SourceLoader):
    """Gives the import machinery a text that is already in memory."""

    def __init__(self, filename: str, data: bytes) -> None:
        self.filename = filename
        self.data = data

    def get_filename(self, fullname: str) -> str:
        return self.filename

    def get_data(self, path: str | bytes) -> bytes:
        # Anything but the source itself is bytecode, which is never read from disk.
        if path != self.filename:
            raise OSError(f"{path!r} is not this module")
        return self.data

    def get_code(self, fullname: str) -> CodeType | None:
        try:
            return super().get_code(fullname)
        except (SyntaxError, ValueError) as error:
            raise InputError(_not_python(self.filename, error)) from error


def load_text(source: str, name: str) -> ModuleType:
    """Return the module that `source` is the text of; `name` becomes its `__name__`.

    Meant for text that symprop emitted. Raises InputError where the text is not Python; what
    the text itself raises while it runs comes through unchanged.

    >>> load_text("def double(x):\\n    return 2 * x\\n", "twice").double(21)
    42
    """
    filename = _free_filename(name, source)
    return _execute(name, _TextLoader(filename, source.encode("utf-8")), source)


def load_file(path: str | Path) -> ModuleType:
    """Import the Python file at `path` (which runs it) under the name of its stem.

    Raises FileError where it cannot be read and InputError where it is not Python; what the
    file itself raises while it runs comes through unchanged.
    """
    path = expect_file(path)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise FileError(f"cannot read {path}: {error.strerror or error}") from error
    return _execute(path.stem, _TextLoader(str(path.absolute()), data))


class Later:
    """A module of symprop that is imported when something of it is first used."""

    def __init__(self, module: str) -> None:
        self._module = module

    def __getattr__(self, name: str) -> Any:
        return part(self._module, name)


def imported(module: str) -> ModuleType:
    """Return a module of symprop by its name."""
    return importlib.import_module(module)


def part(module: str, name: str) -> Any:
    """Return what a module of symprop calls `name`."""
    return getattr(imported(module), name)


def _execute(name: str, loader: _TextLoader, source: str | None = None) -> ModuleType:
    spec = ModuleSpec(name, loader, origin=loader.filename)
    spec.has_location = source is None
    module = importlib.util.module_from_spec(spec)
    if source is not None:
        lines = source.splitlines(keepends=True)
        linecache.cache[loader.filename] = (len(source), None, lines, loader.filename)
    with _ONE_AT_A_TIME, _listed(name, module):
        loader.exec_module(module)
    return module


@contextmanager
def _listed(name: str, module: ModuleType) -> Iterator[None]:
    """List the module while it runs (dataclasses look there), then put back what stood there."""
    former = sys.modules.get(name)
    sys.modules[name] = module
    try:
        yield
    finally:
        if former is None:
            sys.modules.pop(name, None)
        else:
            sys.modules[name] = former


def _not_python(filename: str, error: SyntaxError | ValueError) -> str:
    if isinstance(error, SyntaxError):
        return f"{filename} is not Python: {error.msg}, line {error.lineno}"
    return f"{filename} is not Python: {error}"


def _free_filename(name: str, source: str) -> str:
    """A file name for tracebacks; a second, different text of the same name gets a number."""
    number = 1
    while True:
        filename = f"<symprop {name}>" if number == 1 else f"<symprop {name} {number}>"
        entry = linecache.cache.get(filename)
        if entry is None or (len(entry) == 4 and "".join(entry[2]) == source):
            return filename
        number += 1
