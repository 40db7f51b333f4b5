"""Lays out displays of dicts, lists and tuples in lines that are not too long.

In: names and expressions, as text or as `Display`s. Out: lines of Python.
"""

from collections.abc import Mapping
from dataclasses import dataclass

WIDTH = 88
INDENT = 8


@dataclass(frozen=True)
class Display:
    """A display of a dict, list or tuple: its brackets, and its parts with their prefixes.

    each: of a comprehension, which has one part: "for _ in range(3)".
    """

    opening: str
    parts: tuple[tuple[str, "str | Display"], ...]
    closing: str
    each: str = ""

    def __str__(self) -> str:
        inner = ", ".join(f"{prefix}{part}" for prefix, part in self.parts)
        if self.each:
            return f"{self.opening}{inner} {self.each}{self.closing}"
        comma = "," if self.opening == "(" and len(self.parts) == 1 else ""
        return f"{self.opening}{inner}{comma}{self.closing}"


def entries(table: Mapping[str, "str | Display"]) -> list[str]:
    """Lay out the entries of a dict display in lines that are not too long."""
    lines: list[str] = []
    for name, code in table.items():
        lines += layout(f'"{name}": ', code, INDENT)
    return lines


def layout(prefix: str, code: "str | Display", indent: int) -> list[str]:
    """Write `prefix code,` in one line, or else with the parts of `code` in lines of their own."""
    line = f"{prefix}{code},"
    if len(line) + indent <= WIDTH:
        return [line]
    display = call_parts(code) if isinstance(code, str) else code
    if not display.opening or len(prefix + display.opening) + indent > WIDTH:
        if not prefix:  # one name that is too long by itself: nothing can be broken
            return [line]
        inner = layout("", code, indent + 4)
        inner[-1] = inner[-1].removesuffix(",")
        return [f"{prefix}(", *(f"    {part}" for part in inner), "),"]
    inner = [part for p, c in display.parts for part in layout(p, c, indent + 4)]
    if display.each:
        inner[-1] = inner[-1].removesuffix(",")
        inner.append(display.each)
    return [f"{prefix}{display.opening}", *(f"    {part}" for part in inner), f"{display.closing},"]


def call_parts(code: str) -> Display:
    """Take a call `f(a, b)` or a tuple `(a, b)` apart; without an opening if it is neither.

    >>> call_parts("size=(N, f(K, 1))").parts
    (('', 'N'), ('', 'f(K, 1)'))
    """
    head, bracket, rest = code.partition("(")
    if not bracket or not rest.endswith(")"):
        return Display("", (("", code),), "")
    parts, depth = [""], 0
    for sign in rest[:-1]:
        depth += (sign in "([") - (sign in ")]")
        if sign == "," and not depth:
            parts.append("")
        else:
            parts[-1] += sign
    stripped = (part.strip() for part in parts)
    return Display(f"{head}(", tuple(("", part) for part in stripped if part), ")")
