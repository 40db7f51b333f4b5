r"""Profiles as data: TOML files that say how a book writes a network.

In: the name of a shipped profile, or a file of the user's. Out: a `Profile`, or an `InputError`
that says which key of which file will not do. Names are LaTeX; an l that stands alone in those of
a layer is its number: "W^{[l]}".
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from symprop.emit.called import NUMBER
from symprop.emit.given_names import fault
from symprop.errors import InputError

FOLDER = Path(__file__).resolve().parent
SUFFIX = ".toml"
DEFAULT = "symprop"
CHOICES = {
    "adjoint": ("bar", "partial", "d", "nabla"),
    "examples": ("as written", "rows", "columns"),
    "notation": ("both", "index", "matrix"),
}


@dataclass(frozen=True)
class LayerNames:
    """What the arrays of a layer z = W x + b, a = f(z) are called; "" as in the program."""

    weight: str = ""
    bias: str = ""
    before: str = ""
    after: str = ""
    delta: str = ""  # the adjoint of `before`

    def filled(self, others: LayerNames) -> LayerNames:
        """The same, with what it says nothing of as in `others`."""
        return LayerNames(**{f.name: getattr(self, f.name) or getattr(others, f.name)
                             for f in fields(self)})

    def numbered(self, number: str) -> LayerNames:
        """The same with a number for l."""
        return LayerNames(**{f.name: NUMBER.sub(lambda _: number, getattr(self, f.name))
                             for f in fields(self)})


@dataclass(frozen=True)
class Profile:
    """How a book writes: names, the mark of an adjoint, examples as rows or columns.

    last, alone: the names of the last layer, and of one that has no others, where they differ.
    names: what arrays of that name in the program are called.
    """

    name: str = DEFAULT
    about: str = ""
    loss: str = ""
    input: str = ""
    adjoint: str = "bar"
    examples: str = "as written"
    notation: str = "both"
    layer: LayerNames = LayerNames()
    last: LayerNames = LayerNames()
    alone: LayerNames = LayerNames()
    names: Mapping[str, str] = field(default_factory=dict)

    def of_layer(self, number: int, count: int) -> LayerNames:
        """The names of one of `count` layers, counted from 1."""
        found = self.layer
        if number == count:
            found = self.last.filled(found)
        if count == 1:
            found = self.alone.filled(found)
        return found.numbered(str(number))


TABLES = ("layer", "last", "alone")


def shipped() -> tuple[str, ...]:
    """The names of the profiles that come with symprop, the default first."""
    names = sorted(p.stem for p in FOLDER.glob(f"*{SUFFIX}"))
    return (DEFAULT, *(n for n in names if n != DEFAULT))


def read_profile(wanted: str | Path | Profile | None) -> Profile:
    """A profile by its name, or from a file that ends in .toml; the default for None.

    >>> read_profile("nielsen").layer.weight
    'w^{l}'
    """
    if isinstance(wanted, Profile):
        return wanted
    name = DEFAULT if wanted is None else str(wanted)
    if isinstance(wanted, Path) or name.endswith(SUFFIX):
        return _read(Path(name))
    if name not in shipped():
        close = difflib.get_close_matches(name, shipped(), 1, 0.5)
        raise InputError(
            f"there is no profile {name!r}{f'; did you mean {close[0]}?' if close else ''}; there "
            f"are {', '.join(shipped())}, or a file of yours that ends in {SUFFIX}")
    return _read(FOLDER / f"{name}{SUFFIX}")


def _read(path: Path) -> Profile:
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"the profile {path} cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"the profile {path} is no TOML: {error}") from None
    return _checked(path, data)


def _checked(path: Path, data: Mapping[str, Any]) -> Profile:
    """The profile that a file says. InputError for what it may not say."""
    known = [f.name for f in fields(Profile) if f.name != "name"]
    found: dict[str, Any] = {}
    for key, value in data.items():
        _one_of(path, key, known, "key")
        if key in TABLES:
            found[key] = _layer(path, key, value)
        elif key == "names":
            found[key] = {n: _latex(path, f"names.{n}", v) for n, v in _table(path, key, value)}
        elif key in CHOICES:
            found[key] = _one_of(path, value, CHOICES[key], key)
        elif key == "about":
            found[key] = _text(path, key, value)
        else:
            found[key] = _latex(path, key, value)
    return Profile(path.stem, **found)


def _layer(path: Path, table: str, value: object) -> LayerNames:
    known = [f.name for f in fields(LayerNames)]
    found = {}
    for key, latex in _table(path, table, value):
        _one_of(path, key, known, f"key in [{table}]")
        found[key] = _latex(path, f"{table}.{key}", latex)
        if table == "layer" and not NUMBER.search(found[key]):
            raise InputError(
                f"the profile {path}: {table}.{key} is {latex!r} in every layer: write an l where "
                "its number goes, as in 'W^{(l)}'")
    return LayerNames(**found)


def _table(path: Path, key: str, value: object) -> list[tuple[str, object]]:
    if not isinstance(value, dict):
        raise InputError(f"the profile {path}: {key} must be a table, [{key}], not {value!r}")
    return list(value.items())


def _text(path: Path, key: str, value: object) -> str:
    if not isinstance(value, str):
        raise InputError(f"the profile {path}: {key} must be a text, not {value!r}")
    return value


def _latex(path: Path, key: str, value: object) -> str:
    wrong = fault(value)
    if wrong:
        raise InputError(f"the profile {path}: {key} is {value!r}, which {wrong}")
    return _text(path, key, value)


def _one_of(path: Path, value: object, known: tuple[str, ...] | list[str], what: str) -> str:
    if isinstance(value, str) and value in known:
        return value
    close = difflib.get_close_matches(str(value), known, 1, 0.5)
    raise InputError(
        f"the profile {path}: there is no {what} {value!r}"
        f"{f'; did you mean {close[0]}?' if close else ''}; there are {', '.join(known)}")
