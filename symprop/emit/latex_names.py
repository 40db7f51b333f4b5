r"""Names of arrays and sizes in LaTeX: distinct names never print alike.

In: a legal name (`names.check_name`), or an adjoint's. Out: LaTeX.

    W       W              W1      W^{(1)}          x_2        x^{[2]}
    logits  \mathrm{...}   mu      \mu              h_prev     h_{\mathrm{prev}}
    W_hh    W_{hh}         x_hat   \hat{x}          theta_1_2  \theta_{1,2}
    adjoint of W1          \bar{W}^{(1)}

Everything before the superscript is the stem, so that an adjoint's bar stands over it. What
fits no pattern is printed upright, underscores and all.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from symprop.algebra.expr import ADJOINT

_PATTERN = re.compile(r"([^\W\d_]+)([0-9]*)((?:_[^\W_]+)*)")
_SIZE = re.compile(r"([A-Za-z]+)([0-9]*)(?:_([0-9]+|[A-Za-z][A-Za-z0-9_]*))?")
_GREEK = {
    name: f"\\{name}" for name in (
        "alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa",
        "lambda", "mu", "nu", "xi", "pi", "rho", "sigma", "tau", "upsilon", "phi", "chi", "psi",
        "omega",
        "Gamma", "Delta", "Theta", "Lambda", "Xi", "Pi", "Sigma", "Phi", "Psi", "Omega",
    )
} | {"eps": r"\varepsilon", "lam": r"\lambda"}
_MARKS = {"hat": r"\hat", "bar": r"\bar", "tilde": r"\tilde"}
_OVER = {"CIRCUMFLEX ACCENT": r"\hat", "MACRON": r"\bar", "TILDE": r"\tilde",
         "DOT ABOVE": r"\dot", "DIAERESIS": r"\ddot"}  # of letters that have one in Unicode
_LETTERS = dict(zip("αβγδεζηθικλμνξπρστυφχψωΓΔΘΛΞΠΣΦΨΩ", _GREEK.values(), strict=False))


@dataclass(frozen=True)
class Symbol:
    """A printed name: what a bar goes over, what stands raised behind it, and what lowered.

    `whole`: the bar goes over what is raised as well, for that reads as a power.
    """

    stem: str
    raised: str = ""
    barred: bool = False
    lowered: str = ""
    whole: bool = False

    @property
    def latex(self) -> str:
        """The whole name."""
        return self.at("")

    def at(self, positions: str) -> str:
        """The name at positions, which follow what is lowered already."""
        lowered = ",".join(part for part in (self.lowered, positions) if part)
        raised = f"^{{{self.raised}}}" if self.raised and not (self.whole and self.barred) else ""
        return self.head + raised + (f"_{{{lowered}}}" if lowered else "")

    def at_turn(self, turn: int) -> Symbol:
        """The name at a turn of a run, which its positions follow."""
        return replace(self, lowered=",".join(filter(None, (self.lowered, str(turn)))))

    def primed(self, primes: int) -> Symbol:
        """The name with primes."""
        return replace(self, raised=self.raised + r"\prime" * primes)

    @property
    def head(self) -> str:
        """The stem with its bar, if it is an adjoint."""
        if not self.barred:
            return self.stem
        if self.whole:
            return rf"\overline{{{self.stem}^{{{self.raised}}}}}"
        long = any(mark in self.stem for mark in (
            r"\mathrm", r"\text", r"\hat", r"\tilde", r"\bar", r"\dot", r"\ddot"))
        return rf"\overline{{{self.stem}}}" if long else rf"\bar{{{self.stem}}}"


_WORDS = frozenset(("in", "up", "on", "of", "to", "at", "or", "id", "no", "lo", "hi"))
_KNOWN = {
    "lambda_": Symbol(r"\lambda"),
    "sigma2": Symbol(r"\sigma", "2", whole=True),
    **{letter + mark: Symbol(rf"\{mark}{{{letter}}}")
       for letter in "xyzhpquvw" for mark in ("hat", "bar")},
}


def symbol(name: str) -> Symbol:
    """An array's name.

    >>> symbol("W1").latex, symbol("x_2").latex, symbol("h_prev").latex
    ('W^{(1)}', 'x^{[2]}', 'h_{\\mathrm{prev}}')
    """
    barred = name.startswith(ADJOINT)
    name = name[len(ADJOINT):] if barred else name
    if name in _KNOWN:
        return replace(_KNOWN[name], barred=barred)
    match = _PATTERN.fullmatch(name)
    if match is None:
        return Symbol(upright(name), barred=barred)
    stem, digits, rest = match.groups()
    raised, parts = f"({digits})" if digits else "", rest.split("_")[1:]
    mark = ""
    if parts and parts[0] in _MARKS:
        mark, parts = _MARKS[parts[0]], parts[1:]
    if len(parts) == 1 and parts[0].isdigit():
        raised, parts = raised + f"[{parts[0]}]", []
    lowered = ",".join(map(_part, parts))
    base = _stem(stem)
    return Symbol(f"{mark}{{{base}}}" if mark else base, raised, barred, lowered)


def _part(text: str) -> str:
    """A lowered part of a name: words stand upright, W_hh has two letters, b_f one."""
    letters = len(text) == 1 or (len(text) == 2 and text.islower() and text not in _WORDS)
    if not text.isascii():
        return _stem(text)
    return text if text.isdigit() or letters else rf"\mathrm{{{text}}}"


def symbols(
    names: Iterable[str], given: Mapping[str, str] | None = None,
    numbered: Mapping[str, tuple[str, str]] | None = None,
) -> dict[str, Symbol]:
    """What arrays are called: as given, else by `symbol`; no two alike.

    numbered: names that are another and a number, which is lowered. A name that would print as
    another, or as another's adjoint, is printed upright as it is.
    """
    given, names = given or {}, list(names)
    found = {name: read_symbol(latex) for name, latex in given.items()}
    taken = {s.latex for s in found.values()} | {replace(s, barred=True).latex
                                                for s in found.values()}
    for name in sorted(names, key=lambda n: n in _KNOWN or any(f"_{m}" in n for m in _MARKS)):
        if name in found:
            continue
        base, number = (numbered or {}).get(name, (name, ""))
        wanted = symbol(base)
        wanted = replace(wanted, lowered=",".join(filter(None, (wanted.lowered, number))))
        alike = {wanted.latex, replace(wanted, barred=True).latex}
        if alike & taken:
            wanted = Symbol(upright(name))
            alike = {wanted.latex, replace(wanted, barred=True).latex}
        found[name] = wanted
        taken |= alike
    return found


def read_symbol(latex: str) -> Symbol:
    r"""A name that somebody gives as LaTeX: its superscript and subscript are taken apart.

    >>> read_symbol(r"W^{(1)}_{hh}").at("n")
    'W^{(1)}_{hh,n}'
    """
    parts, stem, depth, mark = {"^": "", "_": ""}, "", 0, ""
    for k, char in enumerate(latex):
        escaped = k > 0 and latex[k - 1] == "\\"
        depth += (char == "{") * (not escaped) - (char == "}") * (not escaped)
        if char in "^_" and depth == 0 and not escaped:
            mark = char
        elif mark:
            parts[mark] += char
        else:
            stem += char
    raised, lowered = (_unbraced(parts[m].strip()) for m in "^_")
    whole = bool(raised) and raised[0] not in "([" and not raised.startswith(r"\prime")
    return Symbol(stem.strip(), raised, False, lowered, whole)


def _unbraced(text: str) -> str:
    return text[1:-1] if text.startswith("{") and text.endswith("}") else text


def size_symbol(name: str) -> str:
    """An axis' size; digits are lowered, for it has no indices.

    >>> size_symbol("N"), size_symbol("H2"), size_symbol("H_2")
    ('N', 'H_{2}', 'H_{[2]}')
    """
    match = _SIZE.fullmatch(name)
    if match is None:
        return upright(name)
    stem, digits, rest = match.groups()
    lowered = digits
    if rest:
        lowered += f"[{rest}]" if rest.isdigit() else rf"\mathrm{{{escape(rest)}}}"
    return _stem(stem) + (f"_{{{lowered}}}" if lowered else "")


def _stem(stem: str) -> str:
    if not stem.isascii():
        return _of_any_script(stem)
    if len(stem) == 1:
        return stem
    return _GREEK.get(stem) or rf"\mathrm{{{stem}}}"


def _of_any_script(stem: str) -> str:
    """A stem with letters beyond ASCII: Greek ones as commands, other scripts as words of text."""
    first, rest = stem[0], stem[1:]
    plain, *marks = [*unicodedata.normalize("NFD", first)]
    names = [_OVER.get(unicodedata.name(m, "").removeprefix("COMBINING "), "") for m in marks]
    known = _LETTERS.get(plain) or (plain if plain.isascii() else "")
    if not known or not all(names):
        return upright(stem)
    for name in names:
        known = f"{name}{{{known}}}"
    if not rest:
        return known
    return f"{known} {_stem(rest)}" if first in _LETTERS else upright(stem)  # Δx


def upright(name: str) -> str:
    """A name as it is, upright; letters beyond ASCII as text, for math has none of them."""
    return rf"\mathrm{{{escape(name)}}}" if name.isascii() else \
        rf"\text{{{escape(name)}}}"


_ESCAPES = {
    "\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
    **{c: "\\" + c for c in "&%$#_{}"}, "<": r"\textless{}", ">": r"\textgreater{}",
    "|": r"\textbar{}", '"': "''",
}


def escape(text: str, every_letter: bool = False) -> str:
    """Any text for TeX's text mode: ASCII and letters, of which those of any script need XeLaTeX.

    every_letter: whatever else is printable stays too; without it that becomes ?.

    >>> escape("50 % of a_b")
    '50 \\\\% of a\\\\_b'
    """
    return "".join(_ESCAPES.get(c, c) if " " <= c <= "~" or c.isalnum() or (
        every_letter and c.isprintable()) else "?" for c in text)
