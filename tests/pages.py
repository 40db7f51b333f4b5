"""Runs what a page of the documentation shows, and compares.

In: a Markdown file. Out: nothing, or an AssertionError that names the line that is not true.
What a fenced block means is said by the line before it:

    ... `name.py`:         the block is written to that file
    From `name.py`:        the block is an excerpt of that file, here or in the repository
    摘自 `name.py`：        the same
    (console)              its lines that begin with "$ " are run in order, in one folder, and
                           what they print, errors included, is compared with the lines below

In an excerpt and in an output a line "..." stands for any lines, and " ..." at the end of a
line for the rest of it. A command must succeed unless an error is shown. Numbers below 1e-9
are rounding noise, and equal. A block of any other kind is a mistake.
"""

from __future__ import annotations

import os
import re
import stat
import subprocess
import sys
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
_BLOCK = re.compile(r"(?P<lead>[^\n]*)\n\n?^```(?P<kind>\w*)\n(?P<body>.*?)^```$", re.M | re.S)
_FILE = re.compile(r"(?P<excerpt>\bFrom |摘自 )?`(?P<path>[\w/.-]+)`[:：]$")
_NOISE = re.compile(r"\b(?:\d\.\de-[1-9]\d|0\.0e\+00)\b")
_LINK = re.compile(r"\]\((?!https?://|#)([^)#]+)(?:#[^)]*)?\)")
# What sets up a machine is not run: the rest of the page runs in the environment of the tests.
_SETUP = ("python3 -m venv ", ". .venv/", "pip install ")
_ELLIPSIS = "..."


@dataclass(frozen=True)
class Block:
    """A fenced block, the line before it, and where it stands."""

    lead: str
    kind: str
    body: str
    line: int


def blocks(text: str) -> Iterator[Block]:
    """Every fenced block, in order."""
    for found in _BLOCK.finditer(text):
        line = text.count("\n", 0, found.start("body"))
        yield Block(found["lead"].strip(), found["kind"], found["body"], line)


def commands(body: str) -> list[tuple[str, str]]:
    """(command, what it prints) of a console block."""
    if not body.startswith("$ "):
        raise AssertionError(f"a console block begins with a command: {body}")
    parts = re.split(r"^\$ ", body, flags=re.M)[1:]
    return [(p.partition("\n")[0], p.partition("\n")[2]) for p in parts]


def matches(shown: str, printed: str) -> bool:
    """Whether `printed` is what is shown."""
    there = [_plain(line) for line in printed.rstrip().splitlines()]
    first, *rest = _pieces(shown)
    if not rest:
        return len(first) == len(there) and _agree(first, there)
    *middle, last = rest
    if len(first) + len(last) > len(there) or not _agree(first, there[: len(first)]):
        return False
    end = len(there) - len(last)
    place = len(first)
    for piece in middle:
        places = range(place, end - len(piece) + 1)
        found = next((p for p in places if _agree(piece, there[p : p + len(piece)])), None)
        if found is None:
            return False
        place = found + len(piece)
    return _agree(last, there[end:])


def holds(text: str, excerpt: str) -> bool:
    """Whether the text contains the excerpt, in order."""
    return matches(f"{_ELLIPSIS}\n{excerpt.strip(chr(10))}\n{_ELLIPSIS}", text)


def _pieces(shown: str) -> list[list[str]]:
    """The lines between the lines "..."."""
    pieces: list[list[str]] = [[]]
    for line in shown.rstrip().splitlines():
        if line.strip() == _ELLIPSIS:
            pieces.append([])
        else:
            pieces[-1].append(_plain(line))
    return pieces


def _plain(line: str) -> str:
    return _NOISE.sub("0.0e+00", unicodedata.normalize("NFC", line.rstrip()))


def _agree(shown: list[str], printed: list[str]) -> bool:
    return all(
        there.startswith(line.removesuffix(_ELLIPSIS)) if line.endswith(" " + _ELLIPSIS)
        else there == line
        for line, there in zip(shown, printed, strict=True)
    )


class Page:
    """A page with the folder in which it is run."""

    def __init__(self, path: Path, folder: Path) -> None:
        self.path, self.folder = path, folder
        self.text = path.read_text(encoding="utf-8")
        self.commands = 0
        self.bin = folder / ".bin"
        self.bin.mkdir()
        program = self.bin / "symprop"
        program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m symprop "$@"\n')
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        (folder / "tests").symlink_to(ROOT / "tests")

    def run(self) -> None:
        """Write, run and compare everything, from top to bottom."""
        for block in blocks(self.text):
            named = _FILE.search(block.lead)
            where = f"{self.path.name}:{block.line}"
            if block.kind == "console":
                for command, shown in commands(block.body):
                    self._command(command, shown, where)
            elif named is None:
                raise AssertionError(f"{where}: nothing says what this {block.kind} block is")
            elif named["excerpt"]:
                assert holds(self._file(named["path"]), block.body), (
                    f"{where}: not in {named['path']}:\n{block.body}")
            else:
                path = self.folder / named["path"]
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(block.body, encoding="utf-8")

    def _file(self, name: str) -> str:
        here = self.folder / name
        return (here if here.exists() else ROOT / name).read_text(encoding="utf-8")

    def _command(self, command: str, shown: str, where: str) -> None:
        if command.startswith(_SETUP):
            return
        if command.startswith("make "):
            target = command.split()[1]
            assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.M), where
            return
        done = subprocess.run(
            command, shell=True, cwd=self.folder, env=self._environment(), timeout=300,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
        )
        there = {_plain(line) for line in done.stdout.splitlines()}
        missing = [line for piece in _pieces(shown) for line in piece if line not in there]
        said = "\n".join((f"{where}: $ {command}", done.stdout, "not printed:", *missing))
        assert matches(shown, done.stdout), said
        assert done.returncode == 0 or "symprop: " in shown, f"{said}\nstatus {done.returncode}"
        self.commands += 1

    def _environment(self) -> dict[str, str]:
        paths = (str(self.bin), str(Path(sys.executable).parent), os.environ["PATH"])
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST_", "SYMPROP_"))}
        return {**kept, "PATH": os.pathsep.join(paths), "COLUMNS": "88", "PYTHONUTF8": "1",
                "PYTHONPATH": os.pathsep.join((str(ROOT), str(self.folder)))}


def dead_links(path: Path) -> list[str]:
    """The links of a page that lead nowhere in the repository."""
    targets = _LINK.findall(path.read_text(encoding="utf-8"))
    return [t for t in targets if not (path.parent / t).exists()]
