"""The names that somebody gives to arrays in print: `names={"W1": r"W^{(1)}"}`.

In: a system, names. Out: nothing, or an `InputError` that says which of them will not do; and the
same names in Unicode, for text.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from symprop.check.trees import part_name
from symprop.errors import InputError
from symprop.system import System

_UNFIT = re.compile(r"[$%#&~\n\r]|\\\\|\\(?:input|include|write|def|let|csname|end|begin)\b")
_RAISED = str.maketrans("0123456789+-=()ni", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ⁿⁱ")
_LOWERED = str.maketrans("0123456789+-=()aehijklmnoprstuvx", "₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓ")
_LETTERS = {
    latex: chr(code) for code, latex in (
        *((0x3B1 + k, f"\\{name}") for k, name in enumerate((
            "alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa",
            "lambda", "mu", "nu", "xi", "omicron", "pi", "rho", "varsigma", "sigma", "tau",
            "upsilon", "phi", "chi", "psi", "omega"))),
        *((0x391 + k, f"\\{name}") for k, name in ((2, "Gamma"), (3, "Delta"), (7, "Theta"),
           (10, "Lambda"), (13, "Xi"), (15, "Pi"), (18, "Sigma"), (21, "Phi"), (23, "Psi"),
           (24, "Omega"))),
        (0x3B5, r"\varepsilon"), (0x2113, r"\ell"), (0x2032, r"\prime"),
    )
}
_MARKS = {r"\hat": "\u0302", r"\tilde": "\u0303", r"\bar": "\u0304", r"\dot": "\u0307"}


def check_names(owner: str, arrays: Iterable[str], names: Mapping[str, str]) -> None:
    """InputError for a name of nothing, one that is no mathematics, or two that are alike."""
    seen: dict[str, str] = {}
    known = dict.fromkeys(arrays)
    for name, shown in names.items():
        if name not in known:
            close = difflib.get_close_matches(name, known, 1, 0.5)
            guess = f"; did you mean {close[0]}?" if close else ""
            raise InputError(f"names: {owner} has no array {name!r}{guess}")
        wrong = fault(shown)
        if wrong:
            raise InputError(f"names: {shown!r} for {name} {wrong}")
        if shown in seen:
            raise InputError(f"names: {seen[shown]} and {name} would both be printed {shown}")
        seen[shown] = name


def fault(shown: object) -> str:
    """What is wrong with a name in LaTeX, or nothing."""
    if not isinstance(shown, str) or not shown.strip():
        return "is no text"
    if _UNFIT.search(shown):
        return "is more than a name in mathematics"
    depth = 0
    for char in re.sub(r"\\.", "", shown):
        depth += (char == "{") - (char == "}")
        if depth < 0:
            break
    return "has braces that do not match" if depth else ""


def numbered(system: System) -> dict[str, tuple[str, str]]:
    """The arrays whose names are another and a number: x2 is the second that was called x."""
    return listed(system) | {
        e.array: (e.numbered, e.array[len(e.numbered):].lstrip("_"))
        for e in system.equations if e.numbered}


def listed(system: System) -> dict[str, tuple[str, str]]:
    """What stands in lists of the program, W[0], W[1]: it is W with the numbers 1, 2 in print."""
    return {leaf: (base, ",".join(numbers)) for argument in system.arguments
            for leaf, base, numbers in _leaves(argument.name, argument.tree, ()) if numbers}


def _leaves(
    base: str, tree: object, numbers: tuple[str, ...]
) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    if isinstance(tree, str):
        yield tree, base, numbers
    elif isinstance(tree, Mapping):
        for key, part in tree.items():
            yield from _leaves(part_name(base, key), part, numbers)
    elif isinstance(tree, Sequence):
        for k, part in enumerate(tree, start=1):
            yield from _leaves(base, part, (*numbers, str(k)))


def lowered_numbers(system: System) -> dict[str, str]:
    """The same for text: x₂."""
    return {array: base + number.replace(",", "_").translate(_LOWERED)
            for array, (base, number) in numbered(system).items()}


def in_unicode(names: Mapping[str, str]) -> dict[str, str]:
    r"""Names for text; what has no form in Unicode is left out, and printed as it is in code.

    >>> in_unicode({"W1": r"W^{(1)}", "s": r"\sigma^2", "t": r"\theta_{1,2}", "λ": "λ"})
    {'W1': 'W⁽¹⁾', 's': 'σ²', 't': 'θ_{1,2}', 'λ': 'λ'}
    """
    found = {name: _unicode(text) for name, text in names.items()}
    return {name: text for name, text in found.items() if text is not None}


def _unicode(text: str) -> str | None:
    for latex, char in sorted(_LETTERS.items(), key=lambda pair: -len(pair[0])):
        text = re.sub(re.escape(latex) + r"(?![A-Za-z]) ?", char, text)
    text = re.sub(r"\\(?:mathrm|mathbf|mathit|text|operatorname)\{([^{}]*)\}", r"\1", text)
    for mark, sign in _MARKS.items():
        text = re.sub(re.escape(mark) + r"(?:\{(\w)\}| ?(\w))",
                      lambda m, sign=sign: (m[1] or m[2]) + sign, text)  # type: ignore[misc]
    text = re.sub(r"\^(?:\{([^{}]*)\}|(\w))", lambda m: _moved(m[1] or m[2], "^", _RAISED), text)
    text = re.sub(r"_(?:\{([^{}]*)\}|(\w))", lambda m: _moved(m[1] or m[2], "_", _LOWERED), text)
    return None if "\\" in text else text


def _moved(text: str, mark: str, table: Mapping[int, int]) -> str:
    """A raised or lowered text, by Unicode's own letters where there are such for all of it."""
    if all(ord(c) in table for c in text):
        return text.translate(dict(table))
    return f"{mark}{text}" if len(text) == 1 else f"{mark}{{{text}}}"


