"""Pages of text: their lines, each a chain of sides with its number, and the names in them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from reader.tokens import Token, tokens

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


@dataclass(frozen=True)
class Known:
    """The arrays that a page is about.

    inputs: by name. numbered: by "F7" or "B3". bars: adjoints, by what they are of, an input's
    name or "F7". sizes: of the axes.
    """

    inputs: Mapping[str, Any]
    numbered: Mapping[str, Any]
    bars: Mapping[str, Any]
    sizes: Mapping[str, int]


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


_INPUT = re.compile(r"  (\S+) {2,}\S.* {2,}(?:input|parameter)")
_HEADER = re.compile(r"letter of its index: (.*?)\.")
_AXIS = re.compile(r"(\w+) \((\w+)\)")
_LAYERS = re.compile(r"Layers count from 1 here, in (.*?): ")
_BOUND = re.compile(r"0 ≤ (\w+)(?:\[.*\])? < (.*)$")


class Text:
    """Text as a form of print: arrays are called as the left sides of their equations are."""

    def arrays(self, full: str, known: Known) -> dict[str, Any]:
        """Every array by its name here; `full` has every equation with its number."""
        shown = [m[1] for line in sections(full)["given"] if (m := _INPUT.match(line))]
        found = {same(n): a for n, a in zip(shown, known.inputs.values(), strict=True)}
        for line in lines(full):
            if line.number in known.numbered and line.section != "boxes":
                found[self.left_name(line.text)] = known.numbered[line.number]
        return found

    def lines(self, page: str) -> Iterator[Line]:
        """Every printed chain."""
        return lines(page)

    def tokens(self, line: str) -> list[Token]:
        """The tokens of a chain."""
        return tokens(line)

    def left_name(self, line: str) -> str:
        """What stands at the left, without its positions."""
        return same(line.split(" = ")[0]).split("[")[0]

    def letters(self, full: str) -> dict[str, str]:
        """The letter of each axis."""
        header = _HEADER.search(" ".join(" ".join(sections(full)["given"]).split()))
        return dict(_AXIS.findall(header[1])) if header else {}

    def adjoints(self, full: str) -> frozenset[str]:
        """What is an adjoint."""
        return frozenset(self.left_name(line.text) for line in lines(full)
                         if line.number.startswith("B"))

    def from_one(self, full: str) -> frozenset[str]:
        """The arrays whose first position counts from 1."""
        said = _LAYERS.search(" ".join(full.split()))
        return frozenset(map(same, re.split(r", | and ", said[1]))) if said else frozenset()

    def bounds(self, full: str) -> Iterator[tuple[str, str]]:
        """Arrays of positions, and what they are below."""
        for line in sections(full).get("assumed", []):
            fact = _FACT.match(line)
            if fact and (bound := _BOUND.match(fact[1])):
                yield same(bound[1]), bound[2]


def same(name: str) -> str:
    """A name as the reader spells it: with its marks one by one."""
    return unicodedata.normalize("NFD", name)


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
