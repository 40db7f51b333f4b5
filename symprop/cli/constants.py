"""What is said of a forward pass: on the command line, and by constants of its file.

In: the module of a file. Out: `Options`, from its constants

    WRT = ("W1", "b1")                  as --wrt
    FACTS = ("sums_to_one(Y,1)",)       as --fact, or as symprop.sums_to_one("Y", axis=1)
    STATIC = {"heads": 4}               as --static
    NAMES = {"W1": r"W^{(1)}"}          as --name

WRT and FACTS may also be dicts from the name of a function to these, in a file of several.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

from symprop.cli.words import read_facts, read_names
from symprop.errors import InputError
from symprop.system import Fact


@dataclass(frozen=True)
class Options:
    """What the command line, or a file, says about a target."""

    shapes: Mapping[str, Any] = field(default_factory=dict)
    wrt: Sequence[str] | None = None
    facts: Sequence[Fact] = ()
    static: Mapping[str, Any] = field(default_factory=dict)
    rule: str | None = None
    names: Mapping[str, str] = field(default_factory=dict)
    quiet: bool = False
    recognise: bool = True


def said_in_file(module: ModuleType, function: str, path: Path) -> Options:
    """Return what the constants of a file say of one of its functions; InputError names them."""
    wrt, facts = (_of(getattr(module, name, None), function) for name in ("WRT", "FACTS"))
    static = getattr(module, "STATIC", None) or {}
    if not isinstance(static, Mapping):
        raise InputError(f"STATIC in {path} must be a dict such as {{'heads': 4}}")
    return Options(
        wrt=None if wrt is None else read_names(_words(wrt, "WRT", path), f"WRT in {path}:"),
        facts=[_fact(fact, path) for fact in _listed(facts or (), "FACTS", path)],
        static=static,
        names=_names(getattr(module, "NAMES", None) or {}, path),
    )


def _names(value: Any, path: Path) -> Mapping[str, str]:
    whole = isinstance(value, Mapping) and all(
        isinstance(word, str) for pair in value.items() for word in pair)
    if not whole:
        raise InputError(f"NAMES in {path} must be a dict such as {{'W1': 'W^{{(1)}}'}}")
    return dict(value)


def _of(value: Any, function: str) -> Any:
    return value.get(function) if isinstance(value, Mapping) else value


def _listed(value: Any, name: str, path: Path) -> list[Any]:
    if isinstance(value, str | Fact):
        return [value]
    if not isinstance(value, Iterable):
        raise InputError(f"{name} in {path} must be a tuple, not {value!r}")
    return list(value)


def _words(value: Any, name: str, path: Path) -> list[str]:
    words = _listed(value, name, path)
    if not all(isinstance(word, str) for word in words):
        raise InputError(f"{name} in {path} must hold names, as in {name} = ('W1', 'b1')")
    return words


def _fact(fact: Any, path: Path) -> Fact:
    if isinstance(fact, Fact):
        return fact
    if isinstance(fact, str):
        return read_facts([fact])[0]
    raise InputError(f"FACTS in {path} must hold facts, as in FACTS = ('sums_to_one(Y,1)',)")
