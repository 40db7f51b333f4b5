"""The inputs of a worked example, from a file.

In: the path of an .npz, .json or .toml file. Out: arrays by name, nested as the file is.
"""

import json
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from symprop.errors import FileError, InputError
from symprop.train import load_arrays


def read_numbers(path: Path) -> dict[str, Any]:
    """Return what a file holds; FileError or InputError where it cannot be read.

    Nothing in the file is executed: arrays of objects are refused, as by `symprop train`.
    """
    read = _READERS.get(path.suffix.lower())
    if read is None:
        raise InputError(f"{path}: numbers are read from {', '.join(_READERS)}")
    try:
        found = read(path)
    except OSError as error:
        raise FileError(f"cannot read {path}: {error.strerror or error}") from error
    except (json.JSONDecodeError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read: {str(error).splitlines()[0]}") from None
    if not isinstance(found, Mapping):
        raise InputError(f"{path} must hold the inputs by name, as in {{\"x\": [0.5, 1]}}")
    return dict(found)


def _json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def _toml(path: Path) -> Any:
    return tomllib.loads(path.read_text(encoding="utf-8"))


_READERS: Mapping[str, Callable[[Path], Any]] = {
    ".npz": load_arrays, ".json": _json, ".toml": _toml}
