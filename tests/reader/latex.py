"""Pages in LaTeX: their lines, and these as tokens of the same grammar.

Names come from the table of symbols, which gives each its name in code: `∂x` is here the adjoint
of `x`. In S_{\\mathrm{max},n,t} the first script is of the name where the table says so.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from reader.page import Known, Line
from reader.tokens import Token, Unreadable

Key = tuple[str, tuple[str, ...], tuple[str, ...]]  # base, superscripts, subscripts

_PART = re.compile(r"\\[a-zA-Z]+|\\.|\d+(?:\.\d+)?|\s+|.", re.DOTALL)
_SECTION = {"Forward": "forward", "Backward": "backward", "Assumed": "assumed",
            "The backward pass": "boxes", "The gradients": "boxes"}
_SKIPPED = {r"\,", r"\;", r"\!", r"\quad", r"\textstyle", r"\displaystyle", r"\Bigl", r"\Bigr",
            r"\bigl", r"\bigr", r"\left", r"\right", r"\biggl", r"\biggr", "&", r"\limits"}
_SIGNS = {r"\odot": "⊙", r"\cdot": "·", r"\times": "·", r"\le": "≤", r"\ge": "≥", r"\ne": "≠",
          r"\lfloor": "⌊", r"\rfloor": "⌋", r"\lceil": "⌈", r"\rceil": "⌉", r"\infty": "∞",
          r"\pi": "π", r"\partial": "∂", r"\lVert": "‖", r"\rVert": "‖", r"\lvert": "|",
          r"\rvert": "|", r"\lbrack": "[", r"\rbrack": "]"}
_FUNCTIONS = {r"\exp": "exp", r"\log": "log", r"\tanh": "tanh", r"\sin": "sin", r"\cos": "cos",
              r"\sigma": "σ", r"\Phi": "Φ", r"\varphi": "φ", r"\phi": "φ",
              r"\max": "max", r"\min": "min"}
_ACCENTS = (r"\bar", r"\overline", r"\hat", r"\tilde", r"\dot", r"\vec", r"\mathrm", r"\mathsf",
            r"\mathit", r"\boldsymbol", r"\widehat")


def group_end(text: str, at: int) -> int:
    """Where the group that opens at `at` ends."""
    depth = 0
    for end in range(at, len(text)):
        depth += {"{": 1, "}": -1}.get(text[end], 0) if text[end - 1] != "\\" else 0
        if depth == 0:
            return end
    raise Unreadable(f"a brace stays open in {text!r}")


def without(text: str, command: str) -> str:
    """The text without what a command sets."""
    while (at := text.find(command + "{")) >= 0:
        text = text[:at] + text[group_end(text, at + len(command)) + 1:]
    return text


def arguments(text: str, at: int, many: int) -> list[str]:
    """The groups that follow."""
    found = []
    for _ in range(many):
        end = group_end(text, at)
        found.append(text[at + 1:end])
        at = end + 1
    return found


def lines(page: str) -> Iterator[Line]:
    """Every printed chain, in order."""
    section = ""
    for part in re.split(r"(\\sympropsection\{[^}]*\}|\\begin\{align\*\}.*?\\end\{align\*\})", page,
                         flags=re.DOTALL):
        if part.startswith(r"\sympropsection"):
            title = re.split("[:,]", part[len(r"\sympropsection{"):-1])[0]
            section = _SECTION.get(title, "")
        elif part.startswith(r"\begin{align*}") and section:
            inside = part[len(r"\begin{align*}"):-len(r"\end{align*}")]
            yield from _rows(section, inside)


def _rows(section: str, inside: str) -> Iterator[Line]:
    found: list[list[str]] = []
    for raw in re.split(r"\\\\\*?\s*\n", inside):
        number = re.search(r"\\tag\{([^{}]*)\}", raw)
        row = without(without(raw, r"\tag"), r"\tag*")
        row = without(without(row, r"\qquad \text"), r"\text").strip()
        if row.startswith("&="):
            found.append([found[-1][0], f"{found[-1][0]} = {row[2:]}", ""])
        elif row.startswith("&"):
            found[-1][1] += " " + row[1:]
        elif row:
            for part in row.split(r",\qquad"):
                left, _, right = part.replace("&=", "=", 1).partition("=")
                found.append([left.strip(), f"{left.strip()} = {right.strip()}", ""])
        if number and found:
            found[-1][2] = number[1]
    for _, chain, number_of in found:
        yield Line(section, " ".join(chain.split()), number_of)


def symbols(page: str) -> Iterator[tuple[str, str, str]]:
    """The table of symbols: LaTeX, the name in code, and what it is, (F1) or input."""
    for match in re.finditer(r"\\sympropsymbol(?=\{\$)", page):
        shown, code, _, what = arguments(page, match.end(), 4)
        yield shown.strip("$"), code.replace("\\", ""), what.strip("()")


def facts(page: str) -> list[str]:
    """What is assumed, a formula each."""
    return re.findall(r"\\item \$(.*?)\$", page)


_LOSS = re.compile(r"computes \$(.*?)\$ from")
_AS_FRACTION = re.compile(r"where \$\\frac\{\\partial")
_OWN_BAR = re.compile(r"\$([^$=]*?) = \\frac\{\\partial [^{}]*\}\{\\partial ([^$]*)\}\$[.,]")
_TURNED = re.compile(r"the program has the transposes of (.*?)\.\\par")
_LAYERS = re.compile(r"Layers count from 1 here, in (.*?): \$")
_BOUND = re.compile(r"0 \\le (.*?) < (.*)$")


def header(page: str) -> dict[str, str]:
    """The letter of each axis."""
    given = page.split("each with the letter of its index:")
    if len(given) < 2:
        return {}
    pairs = re.findall(r"\$([^$]*)\$~\(\$([^$]*)\$\)", given[1].split("\\par")[0])
    return {re.sub(r"[^A-Za-z0-9]", "", re.sub(r"\\math(rm|sf)", "", axis)): letter
            for axis, letter in pairs}


@dataclass(frozen=True)
class Symbol:
    """A name as it stands, with its scripts; `powers` are what is no name: ^{2}, ^{\\top}."""

    base: str
    above: tuple[str, ...]
    below: tuple[str, ...]
    powers: tuple[str, ...]
    primes: int = 0


class Latex:
    """Lines of LaTeX as tokens. `names` are those of the table, in code, by how they stand."""

    def __init__(self, names: Mapping[Key, str], over: str = "") -> None:
        self.names = names
        self.over = over  # the loss, where a page writes its adjoints as ∂C/∂x

    @classmethod
    def of(cls, page: str) -> Latex:
        """With the names of the table of symbols, and those of their adjoints."""
        names: dict[Key, str] = {}
        for shown, code, _ in symbols(page):
            symbol, end = read_symbol(shown, 0)
            if end != len(shown):
                raise Unreadable(f"the symbol {shown!r}")
            base = symbol.base + "'" * symbol.primes
            above = (*symbol.above, *symbol.powers)
            names[base, above, symbol.below] = code
            for accent in (r"\bar", r"\overline"):
                names[f"{accent}{{{base}}}", above, symbol.below] = "∂" + code
        loss = _LOSS.search(page) if _AS_FRACTION.search(page) else None
        found = cls(names)
        found.over = found.left_name(loss[1]) if loss else ""
        for shown, primal in _OWN_BAR.findall(page):
            symbol, _ = read_symbol(shown, 0)
            names[symbol.base, (*symbol.above, *symbol.powers), symbol.below] = \
                "∂" + found.left_name(primal)
        return found

    def arrays(self, full: str, known: Known) -> dict[str, Any]:
        """Every array of the table, and its adjoint, by its name here."""
        found = {}
        turned = _TURNED.search(full)
        transposes = turned[1].split(", ") if turned else ()
        for shown, code, what in symbols(full):
            numbered = what in known.numbered
            key = what if numbered else code
            arrays = {code: known.numbered[what] if numbered else known.inputs[code]}
            if key in known.bars:
                arrays["∂" + code] = known.bars[key]
            found |= {n: np.swapaxes(a, -1, -2) if f"${shown}$" in transposes else a
                      for n, a in arrays.items()}
        return found

    def lines(self, page: str) -> Iterator[Line]:
        """Every printed chain."""
        return lines(page)

    def letters(self, full: str) -> dict[str, str]:
        """The letter of each axis."""
        return header(full)

    def adjoints(self, full: str) -> frozenset[str]:
        """What is an adjoint."""
        return frozenset(name for name in self.names.values() if name.startswith("∂"))

    def from_one(self, full: str) -> frozenset[str]:
        """The arrays whose first position counts from 1."""
        said = _LAYERS.search(full)
        return frozenset(map(self.left_name, re.findall(r"\$(.*?)\$", said[1]))) if said \
            else frozenset()

    def bounds(self, full: str) -> Iterator[tuple[str, str]]:
        """Arrays of positions, and what they are below."""
        for fact in facts(full):
            if found := _BOUND.match(fact):
                yield self.left_name(found[1]), found[2]

    def left_name(self, line: str) -> str:
        """The name in code of what stands at the left."""
        first = self._sequence(line.split(" = ")[0])
        return next((t.text for t in first if t.kind == "name"), "")

    def tokens(self, line: str) -> list[Token]:
        """The tokens of a chain."""
        return [*self._sequence(line), Token("end", "")]

    def _named(self, symbol: Symbol) -> tuple[str, int, int]:
        """The name in code, and how many of the subscripts and of the powers are of the name."""
        base = symbol.base + "'" * symbol.primes
        for raised in range(len(symbol.powers), -1, -1):
            above = (*symbol.above, *symbol.powers[:raised])
            for many in range(len(symbol.below), -1, -1):
                known = self.names.get((base, above, symbol.below[:many]))
                if known:
                    return known, many, raised
        return "", 0, 0

    def _stack(self, symbol: Symbol) -> tuple[str, int] | None:
        """The array of all layers whose name has an l above, where something stands there."""
        base = symbol.base + "'" * symbol.primes
        for many in range(len(symbol.below), -1, -1):
            known = self.names.get((base, (*symbol.above, "l"), symbol.below[:many]))
            if known and symbol.powers:
                return known, many
        return None

    def _sequence(self, text: str) -> list[Token]:
        found: list[Token] = []
        at, called = 0, False
        while at < len(text):
            match = _PART.match(text, at)
            assert match is not None
            part, end = match[0], match.end()
            if part.isspace() or part in _SKIPPED or text.startswith("{}", at):
                at = at + 2 if text.startswith("{}", at) else end
                continue
            made, end = self._part(text, part, at, end)
            if called and made and made[0].text == "(":
                made[0] = Token("sign", "(", True)
            called = bool(made) and made[-1].kind == "name" and made[-1].close
            found += made
            at = end
        return found

    def _part(self, text: str, part: str, at: int, end: int) -> tuple[list[Token], int]:
        if part[0].isdigit():
            return [Token("number", part)], end
        if part == "^":
            return self._power(text, end)
        if part == "_":  # of a matrix in parentheses: its row and column
            (places,) = arguments(text, end, 1)
            return self._places(_split(places)), group_end(text, end) + 1
        if part == r"\begin" and text.startswith("{cases}", end):
            return self._cases(text, end + len("{cases}"))
        if part == r"\frac":
            return self._fraction(text, end)
        if part == r"\sqrt":
            (body,) = arguments(text, end, 1)
            return [Token("sign", "√"), *self._enclosed(body)], group_end(text, end) + 1
        if part in (r"\sum", r"\max", r"\min") and text.startswith("_", end):
            (under,) = arguments(text, end + 1, 1)
            sign = [Token("sign", "Σ"), Token("name", "_")] if part == r"\sum" \
                else [Token("name", part[1:] + "_")]
            return [*sign, Token("sign", "{"), *self._sequence(under), Token("sign", "}")], \
                group_end(text, end + 1) + 1
        if part == r"\delta" and text[end:end + 1] == "_":
            (pair,) = arguments(text, end + 1, 1)
            left, right = _split(pair)
            return [Token("sign", "["), *self._sequence(left), Token("sign", "="),
                    *self._sequence(right), Token("sign", "]")], group_end(text, end + 1) + 1
        if part == r"\mathbf":
            return self._ones(text, end)
        if part == r"\bmod":
            return [Token("name", "mod")], end
        if part == r"\operatorname" or (part in _FUNCTIONS and self._is_call(text, end)):
            return self._function(text, part, end)
        if part in _SIGNS:
            return self._signed(text, part, end)
        if part in "+-/()[]{},=<>|":
            return [Token("sign", part)], end
        return self._symbol(text, at)

    def _cases(self, text: str, at: int) -> tuple[list[Token], int]:
        """One case a row: what holds, a comma, and where."""
        end = text.index(r"\end{cases}", at)
        found: list[Token] = []
        for row in text[at:end].split(r"\\"):
            found += [Token("sign", ";" if found else "{"), *self._sequence(row)]
        return [*found, Token("sign", "}")], end + len(r"\end{cases}")

    def _is_call(self, text: str, end: int) -> bool:
        rest = text[end:].lstrip("' ")
        return rest.startswith(("(", r"\Bigl(", r"\left("))

    def _signed(self, text: str, part: str, end: int) -> tuple[list[Token], int]:
        found = [Token("sign", _SIGNS[part])]
        if part == r"\rVert" and text.startswith("_", end):
            end = group_end(text, end + 1) + 1 if text[end + 1] == "{" else end + 2
        return found, end

    def _enclosed(self, body: str) -> list[Token]:
        return [Token("sign", "("), *self._sequence(body), Token("sign", ")")]

    def _power(self, text: str, at: int) -> tuple[list[Token], int]:
        if text[at] == "{":
            (body,) = arguments(text, at, 1)
            end = group_end(text, at) + 1
        else:
            body, end = text[at], at + 1
        return self._raised(body), end

    def _raised(self, body: str) -> list[Token]:
        if body == r"\top":
            return [Token("sign", "ᵀ")]
        if re.fullmatch(r"-?\d+", body):
            return [Token("raised", body)]
        if body.startswith(r"-\top"):
            return [Token("raised", "-1"), Token("sign", "ᵀ")]
        return [Token("sign", "^"), *self._enclosed(body.replace(r"\circ", ""))]

    def _fraction(self, text: str, at: int) -> tuple[list[Token], int]:
        above, below = arguments(text, at, 2)
        direct = above.startswith(r"\partial^{+}")
        above = above.replace(r"\partial^{+}", r"\partial", 1)
        end = group_end(text, group_end(text, at) + 1) + 1
        top, bottom = self._sequence(above), self._sequence(below)
        if self.over and not direct and [t.text for t in top] == ["∂", self.over]:
            return [Token("name", "∂" + bottom[1].text), *bottom[2:]], end
        if top and top[0].text == "∂":
            return [*top, Token("sign", "/"), *bottom], end
        opened, closed = Token("sign", "("), Token("sign", ")")
        return [opened, opened, *top, closed, Token("sign", "/"),
                opened, *bottom, closed, closed], end

    def _ones(self, text: str, at: int) -> tuple[list[Token], int]:
        (body,) = arguments(text, at, 1)
        at = group_end(text, at) + 1
        if body != "1" or text[at] != "_":
            raise Unreadable(rf"\mathbf{{{body}}}")
        (size,) = arguments(text, at + 1, 1)
        return [Token("name", "1_"), *self._enclosed(size)], group_end(text, at + 1) + 1

    def _function(self, text: str, part: str, at: int) -> tuple[list[Token], int]:
        if part != r"\operatorname":
            primes = len(text[at:]) - len(text[at:].lstrip("'"))
            return [Token("name", _FUNCTIONS[part] + "'" * primes, True)], at + primes
        (name,) = arguments(text, at, 1)
        at = group_end(text, at) + 1
        while text.startswith("'", at):
            name, at = name + "'", at + 1
        if text.startswith("_{", at):
            (mark,) = arguments(text, at + 1, 1)
            name, at = f"{name}_{mark.strip(chr(92))}", group_end(text, at + 1) + 1
        return [Token("name", name.replace("\\", ""), True)], at

    def _places(self, places: Sequence[str]) -> list[Token]:
        found = []
        for number, place in enumerate(places):
            found += [Token("sign", ",") if number else Token("sign", "[", True),
                      *self._sequence(place)]
        return [*found, Token("sign", "]")] if found else []

    def _symbol(self, text: str, at: int) -> tuple[list[Token], int]:
        symbol, end = read_symbol(text, at)
        name, many, raised = self._named(symbol)
        places = symbol.below[many:]
        stack = self._stack(symbol)
        if stack and (raised or not name):  # w^{l}_{h,i}: the layer is the first position
            (name, many), raised = stack, 1
            places = (symbol.powers[0], *symbol.below[many:])
        if not name:  # a letter, or a size
            if symbol.above or (symbol.primes and symbol.below):
                raise Unreadable(f"the name {text[at:end]!r}")
            plain = re.sub(r"\\mathrm|\\mathsf|[{}\\]", "", "".join([symbol.base, *symbol.below]))
            if symbol.base.startswith(r"\mathsf"):  # a size that is called as an array is
                plain = f"|{plain}|"
            found = [Token("name", plain + "'" * symbol.primes)]
        else:
            found = [Token("name", name)]
            found += self._places(places)
        for power in symbol.powers[raised:]:
            found += self._raised(power)
        return found, end


def read_symbol(text: str, at: int) -> tuple[Symbol, int]:
    """The symbol that begins at a place, and where it ends."""
    match = _PART.match(text, at)
    assert match is not None
    base, at = match[0], match.end()
    if base in _ACCENTS:
        (inner,) = arguments(text, at, 1)
        base, at = f"{base}{{{inner}}}", group_end(text, at) + 1
    elif not (base.isalpha() or base.startswith("\\")):
        raise Unreadable(f"{base!r} is no symbol")
    above: list[str] = []
    below: list[str] = []
    powers: list[str] = []
    primes = 0
    while at < len(text) and text[at] in "_^'":
        sign = text[at]
        if sign == "'":
            primes, at = primes + 1, at + 1
            continue
        if text[at + 1] == "{":
            (body,) = arguments(text, at + 1, 1)
            at = group_end(text, at + 1) + 1
        else:
            part = _PART.match(text, at + 1)
            assert part is not None
            body, at = part[0], part.end()
        if sign == "_":
            below += _split(body)
        elif body.startswith("("):
            above.append(body)
        else:
            powers.append(body)
    return Symbol(base, tuple(above), tuple(below), tuple(powers), primes), at


def _split(body: str) -> list[str]:
    """The parts between commas that stand in no group."""
    parts, depth = [""], 0
    for char in body:
        depth += {"{": 1, "}": -1}.get(char, 0)
        if char == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += char
    return [p.strip() for p in parts]
