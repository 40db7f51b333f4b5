"""Reads the values of options: `X=N K`, `heads=4`, `H=64`, `W1,b1`, `sums_to_one(Y,1)`.

In: text from the command line. Out: plain values and `Fact`s, or an `InputError` that quotes the
text. Nothing is evaluated: literals go through `ast.literal_eval`, facts have a grammar.

    fact = kind "(" array ("," value)* ")"          value = [ key "=" ] number
"""

import ast
import re
from collections.abc import Iterable
from typing import Any

from symprop.errors import InputError
from symprop.names import check_name
from symprop.system import Fact

FACT = re.compile(r"\s*([a-z_]+)\s*\(([^()]*)\)\s*")
VALUE = re.compile(r"(?:([a-z]+)\s*=\s*)?([-+]?[0-9.]+(?:[eE][-+]?[0-9]+)?|[-+]?inf)")
# The keys by which each kind of fact may name its values, in order; one_of takes any number.
KINDS = {"sums_to_one": ("axis",), "positive": (), "in_range": ("low", "high"), "one_of": None}
KNOWN = "sums_to_one(Y,1), positive(s), in_range(t,0,1), one_of(y,-1,1)"
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
            raise InputError(f"--size {name} must be a whole number of at least 1, not {text!r}")
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
    if match is None or match[1] not in KINDS:
        raise InputError(f"--fact {text[:60]!r} is none that is known: {KNOWN}")
    kind = match[1]
    array, *rest = [part.strip() for part in match[2].split(",")]
    check_name(array, f"the array of --fact {text[:60]!r}")
    values = tuple(_value(part, KINDS[kind], place, text) for place, part in enumerate(rest))
    wanted = KINDS[kind]
    if len(values) != len(wanted) if wanted is not None else not values:
        raise InputError(f"--fact {text!r} has the wrong number of values: {KNOWN}")
    return Fact(kind, array, values)


def _value(part: str, keys: tuple[str, ...] | None, place: int, text: str) -> int | float:
    match = VALUE.fullmatch(part)
    expected = keys[place] if keys and place < len(keys) else None
    if match is None or (match[1] is not None and match[1] != expected):
        raise InputError(f"--fact {text!r}: {part!r} is not a number as in {KNOWN}")
    try:
        return int(match[2])
    except ValueError:
        pass
    try:
        return float(match[2])
    except ValueError:
        raise InputError(f"--fact {text!r}: {part!r} is not a number") from None


def _literal(text: str, what: str) -> Any:
    try:
        return ast.literal_eval(text[:LONGEST])
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        raise InputError(f"{what}: {text[:60]!r} is neither a number nor a word") from None
