"""The catalogues of languages: the same keys, the same parts, none left over, none missing."""

from __future__ import annotations

import re
import string
from collections.abc import Iterator
from pathlib import Path

import pytest

from symprop.emit.words import ENGLISH, Pattern, languages, words
from symprop.errors import InputError

ROOT = Path(__file__).resolve().parents[1]
EMIT = ROOT / "symprop" / "emit"
COMPUTED = (  # keys of which a part is data: a rule, a kind, what is derived
    "rule.", "departure.", "convention.", "role.", "sought.input", "sought.parameter",
    "title.", "heading.", "equation.", "cost.", "figure.")


def parts(pattern: Pattern) -> set[str]:
    """The parts of a sentence, over all its forms."""
    forms = [pattern] if isinstance(pattern, str) else list(pattern.values())
    return {name for form in forms for _, name, _, _ in string.Formatter().parse(form) if name}


def sources() -> Iterator[tuple[Path, str]]:
    for path in (*EMIT.rglob("*.py"), *(ROOT / "templates").glob("*.jinja"),
                 ROOT / "symprop" / "derivation.py", *(ROOT / "symprop" / "cli").glob("*.py")):
        yield path, path.read_text(encoding="utf-8")


@pytest.mark.parametrize("language", [n for n in languages() if n != ENGLISH])
def test_a_language_has_every_sentence_with_its_parts(language: str) -> None:
    english, other = words(), words(language)
    assert list(other.table) == list(english.table)
    for key, pattern in english.table.items():
        if not key.startswith("convention."):  # whose braces are those of LaTeX
            assert parts(other.table[key]) == parts(pattern), key


@pytest.mark.parametrize("language", languages())
def test_words_are_plain_and_nothing_is_empty(language: str) -> None:
    """They are put on pages of LaTeX, Markdown and text as they are, or escaped."""
    say = words(language)
    for key, pattern in say.table.items():
        forms = [pattern] if isinstance(pattern, str) else list(pattern.values())
        if key.startswith(("convention.", "language.", "mark.after")) or key in (
                "title.comment", "figure.packages"):
            continue
        for form in forms:
            assert form.strip(), key
            assert not re.search(r"[\\$#%&^~<>|`*]", form), key


def test_every_key_is_used() -> None:
    """As it stands or, where a part of it is data, by its beginning and its end."""
    text = "\n".join(t for _, t in sources())
    left = [k for k in words().table if not re.search(rf"[\"'](?:\w+\.)*{re.escape(k)}[\"']", text)]
    unused = [k for k in left if not k.startswith(COMPUTED)]
    assert unused == []
    ends = {k.rpartition(".")[2] for k in left if k.startswith(("cost.", "figure.", "equation."))}
    assert [e for e in sorted(ends) if not re.search(rf"[\"']{e}[\"']", text)] == []


def test_a_key_that_is_asked_for_is_there() -> None:
    asked = {k for _, text in sources()
             for k in re.findall(r"(?:words|say)\(\s*[\"']([a-z_]+\.[a-z_]+)[\"'](?! ~)", text)}
    assert len(asked) > 60
    assert sorted(k for k in asked if k not in words()) == []


def test_an_unknown_language_is_refused() -> None:
    with pytest.raises(InputError, match="no language 'xx'; there are "):
        words("xx")
