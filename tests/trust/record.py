"""What ran: one line of JSON for every trial, appended as soon as it ends.

In: a part's name, a seed, numbers of trials. Out: the lines, and what they add up to. A run that
was stopped goes on with its seed: what its record holds is not run again.
"""

from __future__ import annotations

import json
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Line:
    """One trial. said: "" where all is right, a word of WORDS and a colon, else what is wrong."""

    part: str
    seed: int
    number: int
    said: str
    seconds: float
    commit: str
    date: str

    @property
    def result(self) -> str:
        """right, or the word before the colon, or wrong."""
        head = self.said.split(":")[0]
        return "right" if not self.said else head if head in WORDS else "wrong"


WORDS = ("refused", "unrun", "missing", "random", "unaccepted", "untranslated", "killed",
         "product", "equivalent", "unmapped")


class Record:
    """The lines of a file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self.commit = _commit()

    def lines(self) -> Iterator[Line]:
        """All lines so far; a last one that was cut short is left out."""
        if not self.path.exists():
            return
        for text in self.path.read_text("utf-8").splitlines():
            try:
                yield Line(**json.loads(text))
            except ValueError:
                continue

    def done(self, part: str, seed: int) -> set[int]:
        """The trials that have run."""
        return {line.number for line in self.lines() if (line.part, line.seed) == (part, seed)}

    def add(self, part: str, seed: int, number: int, said: str, seconds: float) -> Line:
        """Append a line."""
        line = Line(part, seed, number, said, round(seconds, 2), self.commit,
                    time.strftime("%Y-%m-%d"))
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(line), ensure_ascii=False) + "\n")
        return line


def summary(lines: Iterator[Line]) -> str:
    """One row for each part: how many of what, and the days."""
    rows = ["part          trials  results                                   days"]
    parts: dict[str, list[Line]] = {}
    for line in lines:
        parts.setdefault(line.part, []).append(line)
    for part, found in parts.items():
        counts = Counter(line.result for line in found)
        days = sorted({line.date for line in found})
        results = ", ".join(f"{count} {word}" for word, count in counts.most_common())
        rows.append(f"{part:12}  {len(found):6}  {results:40}  {days[0]} to {days[-1]}")
    return "\n".join(rows)


def _commit() -> str:
    done = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, text=True,
                          capture_output=True, check=False)
    return done.stdout.strip()
