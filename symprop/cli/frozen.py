"""`symprop check --frozen`: is what was generated still what would be generated?

In: a forward pass, and the folder that `symprop build` wrote or one file of `symprop generate` or
`symprop derive`. Out: a line for every file, current, stale, edited, foreign or missing; nothing
is written.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from symprop.cli.derive import FORMAT_OF, printed
from symprop.cli.made import texts_of
from symprop.cli.stages import derived, generated
from symprop.cli.targets import Target
from symprop.errors import FileError, InputError
from symprop.files.marks import unstamped
from symprop.files.write import status_of
from symprop.train.data import load_arrays

# What is no text of its own, and the file that it was made from: a report holds digits of this
# processor, a PDF those of a TeX.
MADE_FROM = {"_check.txt": ".py", ".pdf": ".tex"}
OPTIONAL = (".pdf",)
CONSTANTS = "_constants.npz"
_ORIGIN = re.compile(r"^Made by symprop from ([\w.:]+)\.$", re.M)
_HEAD = 5000  # bytes of a module, within which it says what it is made from


def statuses(
    found: Target, place: Path, templates: Path | None, sizes: dict[str, int], seed: int,
    structure: str = "blocks", style: str = "readable",
) -> dict[Path, str]:
    """Return what each file is. InputError or FileError for a place that can hold none of them."""
    if place.is_dir() and style == "fast":
        raise InputError(f"what a build writes is readable: leave --style fast out, or name a file "
                         f"in {place}")
    if place.is_dir():
        return _of_folder(found, place, templates, sizes, seed, structure)
    if not place.parent.is_dir():
        raise FileError(f"there is neither a file nor a folder {place}")
    return {place: _status(place, _of_file(found, place, templates, structure, style))}


def unnamed(place: Path) -> str:
    """What to say where nobody has named the model: what the modules there say they are made from.

    They are not taken at their word, for a model is imported, and so executed.
    """
    paths = sorted(place.glob("*.py")) if place.is_dir() else [place]
    texts = (p.read_bytes()[:_HEAD].decode("utf-8", "replace") for p in paths if p.is_file())
    said = list(dict.fromkeys(m[1] for text in texts if (m := _ORIGIN.search(text))))
    known = f" ({place} says {', '.join(said[:3])})" if said else ""
    return (f"name the forward pass that the files were made of{known}: symprop check "
            f"model.py:loss --frozen {place}")


def _of_file(
    found: Target, path: Path, templates: Path | None, structure: str, style: str
) -> str:
    """The text that `symprop generate` or `symprop derive` would write to this path."""
    if path.suffix == ".py":
        return generated(derived(found, structure), found.name, templates, style).source
    form = FORMAT_OF.get(path.suffix)
    if form in (None, "pdf"):
        raise InputError(
            f"{path} is neither a folder that symprop build wrote nor a .py, .tex, .md or .txt")
    return printed(derived(found, structure), form, templates=templates, names=found.names)


def _of_folder(
    found: Target, folder: Path, templates: Path | None, sizes: dict[str, int], seed: int,
    structure: str,
) -> dict[Path, str]:
    derivation = derived(found, structure)
    module = generated(derivation, found.name, templates)
    texts, _ = texts_of(found, derivation, module.source, templates, sizes, seed)
    known = {e: _status(folder / f"{found.name}{e}", text) for e, text in texts.items()}
    for ending, origin in MADE_FROM.items():
        status = status_of(folder / f"{found.name}{ending}")
        if status != "absent" or ending not in OPTIONAL:
            as_origin = "current" if known[origin] == "current" else "stale"
            known[ending] = as_origin if status == "ours" else _WORDS[status]
    if module.held:
        known[CONSTANTS] = _of_constants(folder / f"{found.name}{CONSTANTS}", module.held)
    return {folder / f"{found.name}{ending}": status for ending, status in known.items()}


def _of_constants(path: Path, wanted: Mapping[str, Any]) -> str:
    status = status_of(path)
    if status != "ours":
        return _WORDS[status]
    there = load_arrays(path)
    same = there.keys() == wanted.keys() and all(
        np.array_equal(there[name], array) for name, array in wanted.items())
    return "current" if same else "stale"


_WORDS = {"absent": "missing", "edited": "edited", "foreign": "foreign"}


def _status(path: Path, wanted: str) -> str:
    """What a file is beside the text that would be written to it."""
    status = status_of(path)
    if status != "ours":
        return _WORDS[status]
    there = path.read_bytes().decode("utf-8")
    return "current" if unstamped(there) == unstamped(wanted) else "stale"
