"""Reads the values of options: `X=N K`, `heads=4`, `H=64`, `W1,b1`, `sums_to_one(Y,1)`.

In: text from the command line. Out: plain values and `Fact`s, or an `InputError` that quotes the
text. Nothing is evaluated: literals go through `ast.literal_eval`, facts have a grammar.

    fact = kind "(" array ("," value)* ")"          value = [ key "=" ] number
"""

import ast
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from symprop.errors import InputError
from symprop.names import check_name
from symprop.system import Fact
from symprop.trace.facts import (
    in_range,
    one_of,
    positive,
    positive_definite,
    sums_to_one,
    symmetric,
)

FACT = re.compile(r"\s*([a-z_]+)\s*\(([^()]*)\)\s*")
VALUE = re.compile(r"(?:([a-z]+)\s*=\s*)?([-+]?[0-9.]+(?:[eE][-+]?[0-9]+)?|[-+]?inf)")
MAKERS: Mapping[str, Callable[..., Fact]] = {
    make.__name__: make for make in (
        sums_to_one, positive, in_range, one_of, symmetric, positive_definite)
}
# The keys by which a fact may name its values, in order.
KEYS = {"sums_to_one": ("axis",), "in_range": ("low", "high")}
KNOWN = (
    "sums_to_one(Y,1), positive(s), in_range(t,0,1), one_of(y,-1,1), symmetric(H), "
    "positive_definite(A)")
LONGEST = 1000


def read_pairs(texts: Iterable[str], option: str, example: str) -> dict[str, str]:
    """Return name -> text of options `NAME=TEXT`; each name once.

    >>> read_pairs(["X=N K"], "--shape", "X=N K")
    {'X': 'N K'}
    """
    found: dict[str, str] = {}
    for text in texts:
        name, sign, value = text.partition("=")
        if not sign:
            raise InputError(f"{option} {text!r} is not of the form {example!r}")
        name = check_name(name.strip(), f"{option}")
        if name in found:
            raise InputError(f"{option} names {name} twice")
        found[name] = value.strip()
    return found


def read_shapes(texts: Iterable[str]) -> dict[str, Any]:
    """Return the shapes of arguments; a nested argument is a literal of dicts, lists, tuples.

    >>> read_shapes(["X=N K", 'blocks=[{"W": "K K"}]'])
    {'X': 'N K', 'blocks': [{'W': 'K K'}]}
    """
    pairs = read_pairs(texts, "--shape", "X=N K")
    return {
        name: _literal(text, f"--shape {name}") if text[:1] in ("[", "{", "(") else text
        for name, text in pairs.items()
    }


def read_statics(texts: Iterable[str]) -> dict[str, Any]:
    """Return the constants of the trace: numbers, True, False, None, or a plain word.

    >>> read_statics(["heads=4", "kind=relu"])
    {'heads': 4, 'kind': 'relu'}
    """
    pairs = read_pairs(texts, "--static", "heads=4")
    return {
        name: text
        if text.isidentifier() and text not in ("True", "False", "None")
        else _literal(text, f"--static {name}")
        for name, text in pairs.items()
    }


def read_sizes(texts: Iterable[str]) -> dict[str, int]:
    """Return the sizes of axes.

    >>> read_sizes(["H=64"])
    {'H': 64}
    """
    found = {}
    for name, text in read_pairs(texts, "--size", "H=64").items():
        if not (text.isascii() and text.isdigit() and 0 < len(text) < 10 and int(text) > 0):
            raise InputError(
                f"--size {name} must be a whole number from 1 to 999999999, not {text!r}")
        found[name] = int(text)
    return found


def read_names(texts: Iterable[str], option: str) -> list[str] | None:
    """Return the names in options like `W1,b1`, each once; None if there is no such option.

    >>> read_names(["W1,b1", "W2"], "--wrt")
    ['W1', 'b1', 'W2']
    """
    words = [word.strip() for text in texts for word in text.split(",")]
    for word in words:
        check_name(word, option)
        if words.count(word) > 1:
            raise InputError(f"{option} names {word} twice")
    return words or None


def read_facts(texts: Iterable[str]) -> list[Fact]:
    """Return the facts in options such as `sums_to_one(Y,1)`.

    >>> read_facts(["in_range(t, 0, 1)"])
    [Fact(kind='in_range', array='t', args=(0, 1))]
    """
    return [_fact(text) for text in texts]


def _fact(text: str) -> Fact:
    match = FACT.fullmatch(text[:LONGEST])
    if match is None or match[1] not in MAKERS:
        raise InputError(f"--fact {text[:60]!r} is none that is known: {KNOWN}")
    kind = match[1]
    array, *rest = [part.strip() for part in match[2].split(",")]
    keys = KEYS.get(kind, ())
    values = [
        _value(part, keys[place] if place < len(keys) else None, text)
        for place, part in enumerate(rest)
    ]
    try:
        return MAKERS[kind](array, *values)
    except TypeError:
        raise InputError(f"--fact {text[:60]!r} has the wrong number of values: {KNOWN}") from None


def _value(part: str, key: str | None, text: str) -> int | float:
    match = VALUE.fullmatch(part)
    if match is None or match[1] not in (None, key):
        raise InputError(f"--fact {text[:60]!r}: {part[:60]!r} is not a number as in {KNOWN}")
    digits = match[2]
    try:
        return int(digits) if digits.lstrip("+-").isdigit() else float(digits)
    except ValueError:
        raise InputError(f"--fact {text[:60]!r}: {digits[:60]!r} is not a number") from None


def _literal(text: str, what: str) -> Any:
    try:
        return ast.literal_eval(text[:LONGEST])
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        raise InputError(f"{what}: {text[:60]!r} is neither a number nor a word") from None
