"""What the README shows is what its commands print.

A `python` block after a line that ends in "`name.py`:" is written to that file; the lines
of a `console` block that begin with "$ " are run in the same folder, in order, and what
they print is compared with the lines below; a line "..." stands for any number of lines.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

README = Path(__file__).parents[1] / "README.md"
_BLOCK = re.compile(r"(?P<lead>[^\n]*)\n\n?```(?P<kind>python|console)\n(?P<body>.*?)```", re.S)
_SKIPPED = ("$ git clone", "$ cd ", "$ make", "$ python3 -m venv", "$ . ", "$ pip install")


def blocks() -> list[tuple[str, str, str]]:
    """(line before, kind, body) of every block, in order."""
    return [(m["lead"], m["kind"], m["body"]) for m in _BLOCK.finditer(README.read_text())]


def runs(body: str) -> list[tuple[str, str]]:
    """(command, what it prints) of a console block."""
    parts = re.split(r"^\$ ", body, flags=re.M)[1:]
    return [tuple(part.split("\n", 1)) for part in parts]  # type: ignore[misc]


def matches(shown: str, printed: str) -> bool:
    """Whether the printed text is the shown one; "..." stands for any lines."""
    shown_lines = [line.rstrip() for line in shown.rstrip().splitlines()]
    printed_text = "\n".join(line.rstrip() for line in printed.rstrip().splitlines())
    pattern = r"\n".join(
        r"(?:.*\n?)*?" if line == "..." else re.escape(line) for line in shown_lines
    )
    return re.fullmatch(pattern.replace(r"*?\n", r"*?"), printed_text) is not None


def test_the_readme_is_true(tmp_path: Path) -> None:
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
                   "COLUMNS": "88", "PYTHONPATH": str(README.parent)}
    commands = 0
    for lead, kind, body in blocks():
        named = re.search(r"`([\w/]+\.py)`:$", lead.strip())
        if kind == "python" and named:
            (tmp_path / named[1]).write_text(body)
        elif kind == "console":
            for command, shown in runs(body):
                if ("$ " + command).startswith(_SKIPPED):
                    continue
                done = subprocess.run(command, shell=True, cwd=tmp_path, env=environment,
                                      capture_output=True, text=True, check=False, timeout=300)
                printed = done.stdout + done.stderr
                assert matches(shown, printed), f"$ {command}\n{printed}"
                commands += 1
    assert commands >= 5


def test_the_comparison_can_fail() -> None:
    assert matches("a\n...\nd\n", "a\nb\nc\nd\n")
    assert matches("a\n", "a")
    assert not matches("a\n", "b")
    assert not matches("a\n...\nd\n", "a\nb\n")
