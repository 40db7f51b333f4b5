"""Sizes and shapes as a message shows them.

In: size expressions. Out: plain text such as "4*H" or "(N, K)".
"""

from __future__ import annotations

from collections.abc import Iterable

from symprop.algebra.expr import Apply, Atom, Expr, Paren, Size, Term


def size_text(expr: Expr) -> str:
    """A size in the spelling of the shape grammar."""
    if not expr.terms:
        return "0"
    parts = [_term_text(t) for t in expr.terms]
    text = parts[0]
    for part in parts[1:]:
        text += part if part.startswith("-") else f"+{part}"
    return text


def shape_text(sizes: Iterable[Expr]) -> str:
    """A shape as Python prints a tuple."""
    parts = [size_text(s) for s in sizes]
    return f"({parts[0]},)" if len(parts) == 1 else f"({', '.join(parts)})"


def _term_text(term: Term) -> str:
    above = [_atom_text(a) for a, e in term.factors if e > 0 for _ in range(int(e))]
    below = [_atom_text(a) for a, e in term.factors if e < 0 for _ in range(int(-e))]
    coef = term.coef
    if abs(coef.numerator) != 1 or not above:
        above.insert(0, str(abs(coef.numerator)))
    if coef.denominator != 1:
        below.insert(0, str(coef.denominator))
    text = ("-" if coef < 0 else "") + "*".join(above)
    return "//".join([text, *below])


def _atom_text(atom: Atom) -> str:
    if isinstance(atom, Size):
        return atom.name
    if isinstance(atom, Paren):
        return f"({size_text(atom.body)})"
    if isinstance(atom, Apply) and atom.function in ("floordiv", "mod"):
        sign = "//" if atom.function == "floordiv" else "%"
        return sign.join(_wrapped(a) for a in atom.args)
    if isinstance(atom, Apply) and atom.function == "maximum":
        return f"max({', '.join(map(size_text, atom.args))})"
    return atom.key


def _wrapped(expr: Expr) -> str:
    text = size_text(expr)
    return text if expr.single_atom is not None or expr.number is not None else f"({text})"
