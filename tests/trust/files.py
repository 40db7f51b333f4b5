"""Builds that cannot write as they would: two writers, a full disk, a read-only folder.

In: a number. Out: "" where every file is whole, old or new, what could not be written is said in
one sentence, and a build that can write then leaves what a build leaves.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from trust.killed import _build, _files, _whole
from trust.record import ROOT

ROOM = (0, 1, 100, 1000, 4096, 8192, 12000, 20000, 30000, 50000)
FULL = """
import resource, signal, sys
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]),) * 2)
from symprop.cli.main import run
sys.exit(run(["build", "linear_regression", "-o", sys.argv[2]]))
"""


def full(room: int) -> Callable[[Path], str]:
    """No file may have more than so many bytes: the system refuses to write on."""
    def scenario(folder: Path) -> str:
        done = _run(FULL, str(room), str(folder))
        return _sentence(done, room < max(map(len, _whole().values())))
    return scenario


def read_only(folder: Path) -> str:
    """The folder is there and nothing can be made in it."""
    if os.geteuid() == 0:
        parent = folder.parent / "file"
        parent.write_text("no folder")  # root writes everywhere: a file stands in the way
        return _sentence(_build(0, parent / "out"), True)
    folder.mkdir()
    folder.chmod(0o500)
    try:
        return _sentence(_build(0, folder), True)
    finally:
        folder.chmod(0o700)


def two_writers(folder: Path) -> str:
    """Two builds into one folder at the same time."""
    command = [sys.executable, "-m", "symprop", "build", "linear_regression", "-o", str(folder)]
    both = [subprocess.Popen(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                             env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONHASHSEED": "0"})
            for _ in range(2)]
    for one in both:
        _, said = one.communicate(timeout=300)
        if one.returncode not in (0, 2) or "Traceback" in said:
            return f"exit status {one.returncode}: {said[-300:]}"
    if all(one.returncode for one in both):
        return "neither has written"
    return ""


SCENARIOS: list[Callable[[Path], str]] = [*map(full, ROOM), read_only, two_writers, two_writers]
MOST = len(SCENARIOS)


def trial(number: int, seed: int) -> str:
    """One scenario, and a build after it."""
    wanted = _whole()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name).resolve() / "out"
        said = SCENARIOS[number](folder)
        if said:
            return said
        for path, data in _files(folder).items():
            if not path.startswith(".symprop-") and data != wanted[path]:
                return f"{path} is not whole"
        done = _build(0, folder)
        if done.returncode or _files(folder) != wanted:
            return f"the next build leaves {sorted(_files(folder))}: {done.stderr[-200:]}"
    return ""


def _run(script: str, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", script, *words], text=True, check=False, capture_output=True,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONHASHSEED": "0",
             "PYTHONDONTWRITEBYTECODE": "1"})


def _sentence(done: subprocess.CompletedProcess[str], refused: bool) -> str:
    """Whether a build that could not write says so in a line, with exit status 2."""
    if not refused:
        return "" if done.returncode == 0 else f"exit status {done.returncode}: {done.stderr}"
    lines = done.stderr.strip().splitlines()
    if done.returncode == 2 and 0 < len(lines) <= 3 and "Traceback" not in done.stderr:
        return ""
    return f"exit status {done.returncode}: {done.stderr[-300:]}"
