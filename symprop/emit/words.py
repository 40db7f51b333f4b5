"""The words of a printed page: a catalogue for each language, languages/en.toml and others.

In: a key, as in "heading.forward", and the parts of the sentence. Out: the sentence. Pages are
told in keys, and worded where they are printed. Another language is one more file.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from symprop.errors import InputError

FOLDER = Path(__file__).parent / "languages"
ENGLISH = "en"
_FORMS = {"one", "other"}  # of a sentence that counts
_GAP = re.compile(" ?([（）“”，。、；：]) ?")  # these marks of Chinese hold their own space

Pattern = str | Mapping[str, str]


class Words:
    """The sentences of one language.

    >>> words("en")("heading.forward"), words("en")("reason.from", numbers="(F1)")
    ('Forward', 'from (F1)')
    """

    def __init__(self, language: str, table: Mapping[str, Pattern]) -> None:
        self.language = language
        self.table = table

    def __call__(self, key: str, /, count: int = 2, **parts: object) -> str:
        """A sentence with its parts put in; `count` chooses between one and other."""
        found = self.table[key]
        pattern = found if isinstance(found, str) else found["one" if count == 1 else "other"]
        return _GAP.sub(r"\1", pattern.format(**parts)) if parts else pattern

    @property
    def every_letter(self) -> bool:
        """Whether the TeX of the language sets any letter, not of ASCII alone."""
        return self("language.program") != "pdflatex"

    def __contains__(self, key: str) -> bool:
        return key in self.table

    def under(self, beginning: str) -> Iterator[str]:
        """What comes after `beginning` and a point in the keys, each once, in their order."""
        inside = (k[len(beginning) + 1:] for k in self.table if k.startswith(f"{beginning}."))
        return iter(dict.fromkeys(k.partition(".")[0] for k in inside))

    def listed(self, items: Sequence[str]) -> str:
        """a, b and c."""
        *others, last = items or (self("list.nothing"),)
        return self.several(others) + (self("list.and") if others else "") + last

    def several(self, items: Iterable[str]) -> str:
        """a, b, c."""
        return self("list.comma").join(items)

    def beside(self, *parts: str) -> str:
        """Parts of a sentence with commas between them; empty ones are left out."""
        return self("mark.comma").join(filter(None, parts))


def languages() -> tuple[str, ...]:
    """The languages that there are."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.toml")))


@cache
def words(language: str = ENGLISH) -> Words:
    """The words of a language; an InputError names those that there are."""
    if language not in languages():
        raise InputError(f"there is no language {language!r}; there are {', '.join(languages())}")
    text = (FOLDER / f"{language}.toml").read_text(encoding="utf-8")
    return Words(language, dict(_flat(tomllib.loads(text))))


def _flat(table: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Pattern]]:
    for name, item in table.items():
        key = f"{before}{name}"
        if isinstance(item, dict) and set(item) != _FORMS:
            yield from _flat(item, f"{key}.")
        else:
            yield key, item
