"""The rule for names, and names that are free.

In: text that a user, or a file, calls something by. Out: the same text, safe to print as Python,
LaTeX and HTML, or a `NameRuleError` that says which part of the rule it breaks.
"""

import itertools
import keyword
import unicodedata
from collections.abc import Container

from symprop.errors import NameRuleError

LONGEST = 64
RULE = "a name is letters, digits and _, and begins with a letter"


def check_name(name: object, what: str) -> str:
    """Return `name` unchanged if it obeys the rule; `what` says what it is the name of.

    The rule: letters of any script, digits and `_`, a letter first, at most 64, as Python reads
    them (Unicode's normal form NFKC), no `__`, no Python keyword (the soft keywords `match`,
    `case` and `type` are legal). Raises NameRuleError.

    >>> check_name("W1", "an argument"), check_name("λ", "an argument")
    ('W1', 'λ')
    """
    if not isinstance(name, str):
        kind = type(name).__name__
        raise NameRuleError(f"{what} needs a text as its name, not {kind}")
    fault = _fault(name)
    if fault:
        raise NameRuleError(f"{_shown(name)} is not a legal name for {what}: {fault}")
    return name


def is_name(name: str) -> bool:
    """Whether a text obeys the rule."""
    return not _fault(name)


def unused(name: str, taken: Container[str]) -> str:
    """Return the first of name, name_2, name_3, ... that is not in `taken`.

    >>> unused("dh", {"dh", "dh_2"})
    'dh_3'
    """
    candidate, number = name, 1
    while candidate in taken:
        number += 1
        suffix = f"_{number}"
        candidate = name[: LONGEST - len(suffix)].rstrip("_") + suffix
    return candidate


def counted(name: str, taken: Container[str]) -> str:
    """Return the first of name, name2, name3, ... that is not in `taken`.

    >>> counted("dh", {"dh", "dh2"})
    'dh3'
    """
    stem = name[: LONGEST - 4]
    return next(n for k in itertools.count(1) if (
        n := name if k == 1 else f"{stem}{k}") not in taken)


def _fault(name: str) -> str:
    """Say in what way `name` breaks the rule; "" if it does not."""
    if not name:
        return f"it is empty; {RULE}"
    if len(name) > LONGEST:
        return f"it is longer than {LONGEST} characters"
    if any(ord(c) < 32 or ord(c) == 127 for c in name):
        return f"it holds a control character; {RULE}"
    if unicodedata.normalize("NFKC", name) != name:
        return f"Python reads it as another, its normal form NFKC; {RULE}"
    if "__" in name:
        return "it holds a double underscore"
    strangers = [c for c in name if not (c.isalnum() or c == "_")]
    if strangers:
        return f"it holds {strangers[0]!a}; {RULE}"
    if not name[0].isalpha() or not name.isidentifier():
        return f"it begins with {name[0]!a}; {RULE}"
    if keyword.iskeyword(name):
        return "it is a Python keyword"
    return ""


def _shown(name: str) -> str:
    """Show any text on one line of plain ASCII, shortened."""
    most = 40 if name.isascii() else 12  # λ is six characters there
    return ascii(name if len(name) <= most else name[:most - 3] + "...")
