r"""Names of arrays and sizes in LaTeX: distinct names never print alike.

In: a legal name (`names.check_name`), or an adjoint's. Out: LaTeX.

    W       W              W1      W^{(1)}          x_2     x^{[2]}
    logits  \mathrm{...}   mu      \mu              h_prev  h^{\mathrm{prev}}
    adjoint of W1          \bar{W}^{(1)}

Everything before the superscript is the stem, so that an adjoint's bar stands over it. What
fits no pattern is printed upright, underscores and all.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from symprop.algebra.expr import ADJOINT

_PATTERN = re.compile(r"([A-Za-z]+)([0-9]*)(?:_([0-9]+|[A-Za-z][A-Za-z0-9_]*))?")
_GREEK = {
    name: f"\\{name}" for name in (
        "alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa",
        "mu", "nu", "xi", "pi", "rho", "sigma", "tau", "upsilon", "phi", "chi", "psi", "omega",
        "Gamma", "Delta", "Theta", "Lambda", "Xi", "Pi", "Sigma", "Phi", "Psi", "Omega",
    )
} | {"eps": r"\varepsilon", "lam": r"\lambda"}


@dataclass(frozen=True)
class Symbol:
    """A printed name: what a bar goes over, and what stands raised behind it."""

    stem: str
    raised: str = ""
    barred: bool = False

    @property
    def latex(self) -> str:
        """The whole name."""
        return self.head + (f"^{{{self.raised}}}" if self.raised else "")

    @property
    def head(self) -> str:
        """The stem with its bar, if it is an adjoint."""
        if not self.barred:
            return self.stem
        return rf"\overline{{{self.stem}}}" if r"\mathrm" in self.stem else rf"\bar{{{self.stem}}}"


def symbol(name: str) -> Symbol:
    """An array's name.

    >>> symbol("W1").latex, symbol("x_2").latex, symbol("blocks_0_Wq").latex
    ('W^{(1)}', 'x^{[2]}', '\\\\mathrm{blocks\\\\_0\\\\_Wq}')
    """
    barred = name.startswith(ADJOINT)
    name = name[len(ADJOINT):] if barred else name
    match = _PATTERN.fullmatch(name)
    if match is None:
        return Symbol(rf"\mathrm{{{escape(name)}}}", barred=barred)
    stem, digits, rest = match.groups()
    raised = f"({digits})" if digits else ""
    if rest:
        raised += f"[{rest}]" if rest.isdigit() else rf"\mathrm{{{escape(rest)}}}"
    return Symbol(_stem(stem), raised, barred)


def size_symbol(name: str) -> str:
    """An axis' size; digits are lowered, for it has no indices.

    >>> size_symbol("N"), size_symbol("H2"), size_symbol("H_2")
    ('N', 'H_{2}', 'H_{[2]}')
    """
    match = _PATTERN.fullmatch(name)
    if match is None:
        return rf"\mathrm{{{escape(name)}}}"
    stem, digits, rest = match.groups()
    lowered = digits
    if rest:
        lowered += f"[{rest}]" if rest.isdigit() else rf"\mathrm{{{escape(rest)}}}"
    return _stem(stem) + (f"_{{{lowered}}}" if lowered else "")


def _stem(stem: str) -> str:
    if len(stem) == 1:
        return stem
    return _GREEK.get(stem) or rf"\mathrm{{{stem}}}"


_ESCAPES = {
    "\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
    **{c: "\\" + c for c in "&%$#_{}"}, "<": r"\textless{}", ">": r"\textgreater{}",
    "|": r"\textbar{}", '"': "''",
}


def escape(text: str) -> str:
    """Any text for the text mode of pdflatex; what is not printable ASCII becomes ?.

    >>> escape("50 % of a_b")
    '50 \\\\% of a\\\\_b'
    """
    return "".join(_ESCAPES.get(c, c) if " " <= c <= "~" else "?" for c in text)
