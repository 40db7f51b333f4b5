"""The lines of a page of text: each a chain of sides with its number."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

_NUMBER = re.compile(r" {2,}\(((?:\d+\.)?[FB]\d+)\)\s*$")
_FACT = re.compile(r"^\s*\d+\. (.*)$")
_SECTIONS = {
    "GIVEN AND SOUGHT": "given", "ASSUMED": "assumed", "FORWARD": "forward",
    "BACKWARD": "backward",
    "THE BACKWARD PASS": "boxes", "THE GRADIENTS": "boxes",
}


@dataclass(frozen=True)
class Line:
    """`text` is a chain left = side = side; `number` is (F7)'s F7, once it has been printed."""

    section: str
    text: str
    number: str


def sections(page: str) -> Mapping[str, list[str]]:
    """The lines of a page by section."""
    found: dict[str, list[str]] = {"title": []}
    at = "title"
    for line in page.splitlines():
        if line and line[0] != " " and line.upper() == line and not line.startswith("("):
            at = _SECTIONS.get(re.split(r"[:,]", line)[0].strip(), "other")
            found.setdefault(at, [])
        else:
            found[at].append(line)
    return found


def facts(page: str) -> list[str]:
    """What is assumed, a formula each."""
    return [m[1] for line in sections(page).get("assumed", []) if (m := _FACT.match(line))]


def lines(page: str) -> Iterator[Line]:
    """Every printed chain, in order."""
    for section, body in sections(page).items():
        if section in ("forward", "backward", "boxes"):
            yield from _chains(section, body)


def _chains(section: str, body: list[str]) -> Iterator[Line]:
    found: list[list[str]] = []  # left, chain, number
    for raw in body:
        number = _NUMBER.search(raw)
        line = _NUMBER.sub("", raw).rstrip()
        start = len(found)
        if line.startswith("  ") and line[2:3] not in ("", " "):
            text = re.sub(r"^(\S.*?) +=(?= )", r"\1 =", line[2:], count=1)
            for part in re.split(r",   ", text):
                left, *rest = re.split(r" {2,}", part.strip())[0].split(" = ", 1)
                if rest:
                    found.append([left, f"{left} = {rest[0]}", ""])
        elif line.startswith("   ") and found:
            text = re.split(r" {2,}", line.strip())[0]
            left, chain, before = found[-1]
            if text.startswith("= "):
                found.append([left, f"{left} {text}", ""])
            elif text[:2] in ("+ ", "- ", "· ", "⊙ ") or _open(chain):
                found[-1] = [left, f"{chain} {text}", before]
                start -= 1
        if number and found:
            found[min(start, len(found) - 1)][2] = number[1]
    for _, chain, number_of in found:
        yield Line(section, chain, number_of)


def _open(chain: str) -> bool:
    """Whether a line cannot end here."""
    return chain[-1] in "=<≤≠" or any(
        chain.count(a) > chain.count(b) for a, b in ("()", "[]", "{}"))
