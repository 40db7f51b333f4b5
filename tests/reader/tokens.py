"""Tokens of a printed line: names, numbers and signs, and whether a space stands before each."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass


class Unreadable(Exception):
    """A line that the reader has no meaning for."""


@dataclass(frozen=True)
class Token:
    """`kind` is name, number, sign or end; `close` where no space stands before it."""

    kind: str
    text: str
    close: bool = False


_SIGNS = "+-·⊙/()[]{},;=≠<>≤≥Σ∂√⌊⌋⌈⌉‖|∞ᵀπ^×"
_RAISED = dict(zip("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺", "0123456789-+", strict=True))
_NUMBER = re.compile(r"\d+(\.\d+)?(e-?\d+)?|\d+e-?\d+")


def _in_name(char: str) -> bool:
    return (char.isalnum() or char in "_′'" or unicodedata.combining(char) != 0) \
        and char not in _RAISED and char not in "ΣᵀπΠ"


def tokens(line: str) -> list[Token]:
    """The tokens of one line of text."""
    line = unicodedata.normalize("NFD", line)
    found: list[Token] = []
    at, close = 0, False
    while at < len(line):
        char = line[at]
        if char == " ":
            at, close = at + 1, False
            continue
        number = _NUMBER.match(line, at)
        if number and not line.startswith("1_", at):
            found.append(Token("number", number[0], close))
            at = number.end()
        elif char in _RAISED:
            end = at
            while end < len(line) and line[end] in _RAISED:
                end += 1
            found.append(Token("raised", "".join(_RAISED[c] for c in line[at:end]), close))
            at = end
        elif line.startswith("^∘", at):
            found.append(Token("sign", "^", close))
            at += 2
        elif char in _SIGNS:
            found.append(Token("sign", char, close))
            at += 1
        elif _in_name(char):
            end = at
            while end < len(line) and _in_name(line[end]):
                end += 1
            found.append(Token("name", line[at:end], close))
            at = end
        else:
            raise Unreadable(f"the sign {char!r} in {line!r}")
        close = True
    return [*found, Token("end", "")]
