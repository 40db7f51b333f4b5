"""A build killed at one of its file-system calls, over an old or an empty folder.

In: a number: which call, and over what. Out: "" where every file is whole, old or new, and the
next build leaves what a build leaves, and no draft.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

from trust.record import ROOT

CALLS = 40  # more than a build has: the later ones kill nothing
MOST = 2 * CALLS
SCRIPT = """
import os, signal, sys
left = int(sys.argv[1])
folder = sys.argv[2]

def watch(event, arguments):
    global left
    inside = any(isinstance(a, str) and a.startswith(folder) for a in map(text, arguments))
    if inside and event in ("open", "os.rename", "os.link", "os.remove", "os.mkdir", "os.chmod"):
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

def text(a):
    return os.fsdecode(a) if isinstance(a, (str, bytes, os.PathLike)) else a

from symprop.cli.main import run
sys.addaudithook(watch)
sys.exit(run(["build", "linear_regression", "-o", folder, *sys.argv[3:]]))
"""


def trial(number: int, seed: int) -> str:
    """One kill, and the build after it."""
    call, old = number // 2 + 1, bool(number % 2)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name).resolve() / "out"
        wanted = _whole()
        before: dict[str, bytes] = {}
        if old:  # another text under the same names
            house = Path(name) / "house"
            house.mkdir()
            (house / "module.py.jinja").write_text(
                '{% extends "!module.py.jinja" %}{% block imports %}{{ super() }}# old\n'
                "{% endblock %}")
            first = _build(0, folder, "--template-dir", str(house))
            if first.returncode:
                return f"the first build fails: {first.stderr}"
            before = _files(folder)
        done = _build(call, folder)
        if done.returncode not in (0, -signal.SIGKILL):
            return f"call {call}: exit status {done.returncode}: {done.stderr[-200:]}"
        for path, data in _files(folder).items():
            if not path.startswith(".symprop-") and data not in (wanted[path], before.get(path)):
                return f"call {call}: {path} is neither old nor new"
        done = _build(0, folder)
        if done.returncode or _files(folder) != wanted:
            return f"call {call}: the next build leaves {sorted(_files(folder))}: {done.stderr}"
    return ""


@cache
def _whole() -> dict[str, bytes]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name).resolve() / "out"
        assert _build(0, folder).returncode == 0
        return _files(folder)


def _build(call: int, folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", SCRIPT, str(call), str(folder), *words], text=True, check=False,
        capture_output=True, env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONHASHSEED": "0"})


def _files(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*"))
            if p.is_file()} if folder.exists() else {}
