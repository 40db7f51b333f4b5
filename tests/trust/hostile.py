"""Hostile and malformed input to the command line.

In: a number, a seed. Out: "" where one command was refused in one sentence, or did what it is for;
else what was wrong: something was executed, written elsewhere, hung, or was called internal.
"""

from __future__ import annotations

import contextlib
import io
import os
import pickle
import random
import signal
import sys
import tempfile
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from symprop.cli.main import run

LIMIT_S = 30
RUNS = ("os.system", "os.exec", "os.posix_spawn", "os.fork", "subprocess.Popen", "socket.connect",
        "pickle.find_class", "shutil.rmtree")

TOUCH = "__import__('os').system('touch PWNED')"
TEXTS = (
    TOUCH, f"(lambda: {TOUCH})()", "().__class__.__base__.__subclasses__()", "eval('1+1')",
    f"x\nimport os; {TOUCH}", f"[{TOUCH} for _ in 'a']", f"X if {TOUCH} else W", "sympify('2+2')",
    f"Symbol(\"{TOUCH}\")", "lambda", "match", "__builtins__", "ｉｍｐｏｒｔ", "ﬁ", "x\u202ey",
    "x\x01y", "x" * 5000, "a_b^c~#&%$", "\\input{/etc/passwd}", "\\immediate\\write18{touch PWNED}",
    "}", "%", "$$ \\end{document}", "<script>alert(1)</script>", "{{7*7}}", "<!--", "\u2028",
    "x**10**10**10", "factorial(10**7)", "(" * 5000 + "x" + ")" * 5000, "1e999", "1/0", "x<y<z",
    "-3", "True", "1e-400", "9" * 400, "9" * 5000, "nan", "inf", "", " ", "\t", "=", "a=", "=a",
    "X=", "X=N N N N", "X=" + "N " * 40, "X=int N", "W=0", "X=-1", "N*K", "N//0", "../../evil",
    "-rf", "--", "-", "𝔘𝔫𝔦", "e\u0301", "N" * 300, "X,W,X", ",", "X,,W", "sums_to_one(X,99)",
    "sums_to_one(X,-1)", "in_range(X,1,0)", "positive(X) or 1", "one_of(X)", "one_of(X,1e999)",
    "symmetric(X)", "N=0", "N=-1", "N=1.5", "N=10**9", "N=" + "9" * 30, "Z=3", "c=1", "(B1)",
    "B99999", "0.B1", "é" * 100, "\ud800", "X=N\nK", "{'X': 'N'}", "#", ";", "|", "`touch PWNED`",
    "$(touch PWNED)", "~root/x", "%s%n", "\\x00", "CON", "a/../../b", "file:///etc/passwd",
)
MODELS = {
    "plain": "def loss(X: 'N K', W: 'K M'):\n    return np.sum(np.tanh(X @ W) ** 2)",
    "static": "def loss(X: 'N K', W: 'K M', c=3):\n    return np.sum(np.tanh(c * X @ W) ** 2)",
    "endless": "def loss(X: 'N K', W: 'K M'):\n    return loss(X, W)",
    "coroutine": "async def loss(X: 'N K', W: 'K M'):\n    return np.sum(X @ W)",
    "generator": "def loss(X: 'N K', W: 'K M'):\n    yield np.sum(X @ W)",
    "branch": "def loss(X: 'N K', W: 'K M'):\n    return X.sum() if X.sum() > 0 else W.sum()",
    "write": "def loss(X: 'N K', W: 'K M'):\n    X[0] = 1\n    return (X @ W).sum()",
    "noise": "def loss(X: 'N K', W: 'K M'):\n    return (X @ W).sum() * np.random.randn()",
    "item": "def loss(X: 'N K', W: 'K M'):\n    return (X @ W).sum().item()",
    "math": "import math\ndef loss(X: 'N K', W: 'K M'):\n    return math.exp((X @ W).sum())",
    "huge": "def loss(X: 'N K', W: 'K M'):\n    return (X @ W).sum() * 10**400",
    "memory": "def loss(X: 'N K', W: 'K M'):\n    return (np.ones((10**6,) * 3) * X[0, 0]).sum()",
    "syntax": "def loss(X: 'N K', W: 'K M'):\n    return (",
    "raises": "def loss(X: 'N K', W: 'K M'):\n    raise SystemExit(7)",
    "exits": "raise KeyboardInterrupt",
    "nothing": "loss = 3",
    "axes": f"def loss(X: '{'1 ' * 40}', W: 'K M'):\n    return X.sum() * W.sum()",
    "wide": "def loss(X: '999999999 K', W: 'K 999999999'):\n    return np.sum((X @ W) ** 2)",
    "names": "def loss(ﬁ: 'N K', ｉｍ: 'K M'):\n    return np.sum(ﬁ @ ｉｍ)",
    "nul": "def loss(X: 'N K', W: 'K M'):\n    return np.sum(X @ W)\0",
    "latin": "# -*- coding: latin-1 -*-\ndef loss(X: 'N K', W: 'K M'):\n    return np.sum(X @ W)",
    "class": "class loss:\n    def __init__(self, X: 'N K'):\n        pass",
}
OPTIONS = {
    "derive": ("--shape", "--wrt", "--fact", "--static", "--format", "--only", "--equation",
               "--detail", "--template-dir", "--rule", "-o"),
    "generate": ("--shape", "--wrt", "--fact", "--static", "--template-dir", "-o"),
    "check": ("--shape", "--wrt", "--fact", "--static", "--size", "--seed", "--rtol", "--against",
              "--frozen"),
    "train": ("--data", "--size", "--lr", "--epochs", "--batch", "--resume", "-o"),
}
TEMPLATES = (
    "{{ ''.__class__.__mro__ }}", "{% for i in range(10**9) %}{% endfor %}", "{{ 'a' * 10**10 }}",
    "{% extends '!module.py.jinja' %}{% block imports %}{{ super() }}import os{% endblock %}",
    "{% extends '!module.py.jinja' %}{% block constants %}x = open('PWNED', 'w')\n{% endblock %}",
    "{% include '/etc/passwd' %}", "{{ undefined }}", "{% if", "{{ cycler.__init__.__globals__ }}",
)
_watched: list[str] | None = None


def trial(number: int, seed: int) -> str:
    """One command line in a folder of its own."""
    dice = random.Random(f"hostile {seed} {number}")
    with tempfile.TemporaryDirectory() as name, _inside(Path(name).resolve()) as folder:
        words = _command(dice, folder)
        before = {p: p.lstat().st_mtime_ns for p in folder.rglob("*")}
        status, said, seen = _ran(words)
        return _judged(words, folder, before, status, said, seen)


def _command(dice: random.Random, folder: Path) -> list[str]:
    """The words after `symprop`; the files that they name are made."""
    command = dice.choice(list(OPTIONS))
    kind = dice.choice(list(MODELS)) if dice.random() < 0.4 else "plain"
    (folder / "model.py").write_text(f"import numpy as np\n{MODELS[kind]}\n", "utf-8")
    target = dice.choice((dice.choice(TEXTS), "model.py:", "model.py:nothing", "model.py", "mlp")
                         ) if dice.random() < 0.15 else "model.py:loss"
    words = [command, target]
    if command == "train":
        words += ["--data", _data(dice, folder), "-o", "p.npz", "--epochs", "1"]
    for option in dice.sample(OPTIONS[command], dice.randint(0 if kind != "plain" else 1, 2)):
        value = dice.choice(TEXTS)
        if option == "--template-dir":
            (folder / "house").mkdir(exist_ok=True)
            for page in ("module.py.jinja", "derivation.tex.jinja"):
                (folder / "house" / page).write_text(dice.choice(TEMPLATES))
            value = "house"
        elif option == "-o":
            value = _output(dice, folder)
        elif option == "--resume":
            words.append(option)
            continue
        words += [option, value]
    return words


def _output(dice: random.Random, folder: Path) -> str:
    """A place where nothing may be written."""
    kind = dice.choice(("foreign", "link", "folder", "missing", "pipe", "fine"))
    path = folder / f"out{dice.choice(('.py', '.tex', ''))}"
    if kind == "foreign":
        path.write_text("mine")
    elif kind == "link":
        (folder / "victim").write_text("mine")
        path.symlink_to(folder / "victim")
    elif kind == "folder":
        path.mkdir()
    elif kind == "missing":
        path = folder / "no" / "out.py"
    elif kind == "pipe":
        os.mkfifo(path)
    return str(path)


class _Payload:
    def __reduce__(self) -> Any:
        return os.system, ("touch PWNED",)


def _data(dice: random.Random, folder: Path) -> str:
    """A file of data, most often no good one."""
    path = folder / "data.npz"
    kind = dice.choice(("fine", "pickle", "objects", "huge", "name", "cut", "text", "pipe", "zero",
                        "none", "nan", "twice", "header"))
    arrays = {"X": np.ones((4, 3)), "W": np.ones((3, 2))}
    if kind in ("pipe", "zero", "none"):
        if kind == "pipe":
            os.mkfifo(path)
        return {"pipe": str(path), "zero": "/dev/zero", "none": "nothing.npz"}[kind]
    if kind == "text":
        path.write_text("not a zip")
    elif kind == "pickle":
        path.write_bytes(pickle.dumps(_Payload()))
    elif kind in ("fine", "nan", "objects"):
        if kind == "objects":
            arrays["X"] = np.array([_Payload()], object)
        elif kind == "nan":
            arrays["X"][0] = np.nan
        np.savez(path, **arrays)
    else:
        _write_zip(path, kind)
    if kind == "cut":
        path.write_bytes(path.read_bytes()[:-40])
    return str(path)


def _write_zip(path: Path, kind: str) -> None:
    member = io.BytesIO()
    np.lib.format.write_array(member, np.ones((4, 3)))
    body = member.getvalue()
    if kind == "huge":
        body = body.replace(b"(4, 3)", b"(10**12,)"[:6].ljust(6)).replace(b"(10**1", b"(9999,")
    if kind == "header":
        body = body.replace(b"'<f8'", b"eval('1')"[:5])
    with zipfile.ZipFile(path, "w") as archive:
        names = {"name": ["../../evil.npy", "__import__('os').npy"]}.get(kind, ["X.npy", "W.npy"])
        for name in names:
            archive.writestr(name, body)


def _ran(words: list[str]) -> tuple[int, str, list[str]]:
    """Exit status, standard error and the forbidden events of one command."""
    global _watched
    _listen()
    err, out, seen = io.StringIO(), io.StringIO(), []
    _watched = seen
    try:
        with contextlib.redirect_stderr(err), contextlib.redirect_stdout(out), _in_time():
            status = run(words)
    except (KeyboardInterrupt, SystemExit) as error:
        return 130, f"{type(error).__name__} escapes", seen
    finally:
        _watched = None
    return status, err.getvalue(), seen


def _judged(words: list[str], folder: Path, before: dict[Path, int], status: int, said: str,
            seen: list[str]) -> str:
    """What was wrong, or "". The events of the user's own model count as well: none has any."""
    shown = f"{words!a:.400}: "
    if seen:
        return f"{shown}executed {seen[0]}"
    if status not in (0, 1, 2, 3, 130):
        return f"{shown}exit status {status}"
    if "internal error" in said or "Traceback" in said or "escapes" in said:
        return shown + said[-300:]
    if status and len([x for x in said.splitlines() if not x.startswith("symprop: note")]) > 3:
        return f"{shown}says more than three lines: {said[-300:]}"
    named = {words[k + 1] for k, w in enumerate(words[:-1]) if w == "-o"} | {"p.npz"}
    for path in folder.rglob("*"):
        if "__pycache__" in path.parts:
            continue
        if path.name == "PWNED" or (path not in before and not any(
                Path(n).name == path.name or str(path).startswith(n) for n in named)):
            return f"{shown}wrote {path.name}"
        if path in before and path.lstat().st_mtime_ns != before[path] and path.is_file():
            return f"{shown}changed {path.name}"
    return ""


@contextlib.contextmanager
def _inside(folder: Path) -> Iterator[Path]:
    former = Path.cwd()
    os.chdir(folder)
    try:
        yield folder
    finally:
        os.chdir(former)


@contextlib.contextmanager
def _in_time() -> Iterator[None]:
    """A command that hangs is interrupted, where signals reach us."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def ring(*_: Any) -> None:
        raise RuntimeError(f"internal error: not done in {LIMIT_S} s")

    former = signal.signal(signal.SIGALRM, ring)
    signal.alarm(LIMIT_S)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, former)


def _listen() -> None:
    """An audit hook, once for the process; it says nothing while no command runs."""
    if not getattr(_listen, "on", False):
        _listen.on = True  # type: ignore[attr-defined]
        sys.addaudithook(lambda event, _: _watched.append(event)
                         if _watched is not None and event.startswith(RUNS) else None)
