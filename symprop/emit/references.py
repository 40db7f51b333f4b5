r"""Labels and references in a fragment of LaTeX.

In: a fragment with `\tag{B5}` at its equations and (B5) in its words, a prefix. Out: the same with
`\label{sp:prefix:B5}` at the first of each number, and `\eqref` wherever a labelled number stands
in parentheses. So two fragments in one document, each with a prefix of its own, keep apart.
"""

from __future__ import annotations

import re

from symprop.errors import InputError

_NUMBER = r"(?:\d+\.)?[FB]\d+"
_TAG = re.compile(rf"\\tag\{{({_NUMBER})\}}")
_SAID = re.compile(rf"\(({_NUMBER})\)")
_PREFIX = re.compile(r"[A-Za-z0-9][A-Za-z0-9:._-]*")


def labelled(fragment: str, prefix: str) -> str:
    r"""The fragment with a label at each of its numbered equations.

    Raises InputError for a prefix that no label can have.

    >>> print(labelled(r"x &= y \tag{F1} \\ z &= x \tag*{by (F1), (F2)}", "mlp"))
    x &= y \tag{F1}\label{sp:mlp:F1} \\ z &= x \tag*{by \eqref{sp:mlp:F1}, (F2)}
    """
    if not _PREFIX.fullmatch(prefix):
        raise InputError(f"{prefix!r} cannot be a label: letters, digits and : . _ - can")
    known: dict[str, str] = {}

    def label(found: re.Match[str]) -> str:
        number = found[1]
        if number in known:
            return found[0]
        known[number] = f"sp:{prefix}:{number}"
        return rf"{found[0]}\label{{{known[number]}}}"

    def reference(found: re.Match[str]) -> str:
        return rf"\eqref{{{known[found[1]]}}}" if found[1] in known else found[0]

    tagged = _TAG.sub(label, fragment)
    return _SAID.sub(reference, tagged)
