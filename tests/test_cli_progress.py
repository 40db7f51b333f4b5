"""Progress: a bar on a terminal once a second is over, and never a byte anywhere else."""

import io
import threading
import time
from pathlib import Path

import pytest
from rich.console import Console

from symprop.cli import bar
from symprop.cli.pdf import compile_pdf, has_tex, missing
from symprop.cli.progress import working
from symprop.errors import InputError


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def on_terminal(monkeypatch: pytest.MonkeyPatch, patience: float) -> Terminal:
    screen = Terminal()
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setattr(bar, "PATIENCE", patience)
    monkeypatch.setattr(
        bar,
        "Console",
        lambda stderr: Console(file=screen, force_terminal=True, width=80, stderr=stderr),
    )
    return screen


def test_nothing_is_shown_where_there_is_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    with working("deriving mlp") as report:
        report("W1", 1, 4)
    captured = capsys.readouterr()
    assert captured.out == captured.err == ""


def test_a_bar_appears_and_goes_away_again(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = on_terminal(monkeypatch, 0.0)
    with working("checking mlp") as report:
        report("W1", 1, 4)
        until = time.monotonic() + 5
        while "checking mlp W1" not in screen.getvalue() and time.monotonic() < until:
            time.sleep(0.02)
    assert "checking mlp W1" in screen.getvalue()
    assert screen.getvalue().endswith("\x1b[2K")


def test_quick_work_shows_no_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = on_terminal(monkeypatch, 60.0)
    with working("deriving mlp") as report:
        report("W1", 1, 4)
    assert "deriving" not in screen.getvalue()
    assert not [t for t in threading.enumerate() if isinstance(t, threading.Timer)]


def test_an_error_takes_the_bar_away(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = on_terminal(monkeypatch, 0.0)
    with pytest.raises(KeyError), working("deriving mlp"):
        time.sleep(0.1)
        raise KeyError("x")
    assert not [t for t in threading.enumerate() if isinstance(t, threading.Timer)]
    assert screen.getvalue().count("\x1b[?25l") == screen.getvalue().count("\x1b[?25h")


def fake_tex(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    program = folder / "pdflatex"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder), prepend=":")


def test_a_document_becomes_a_pdf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_tex(tmp_path, monkeypatch, 'cp derivation.tex derivation.pdf; echo "$@" >> derivation.pdf')
    text = compile_pdf("document\n").decode()
    assert text.startswith("document\n") and "-no-shell-escape" in text
    assert has_tex()


def test_the_first_complaint_of_tex_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_tex(tmp_path, monkeypatch, 'echo "! Undefined control sequence."; exit 1')
    with pytest.raises(InputError, match=r"refuses the document: Undefined control sequence\."):
        compile_pdf("document\n")


@pytest.mark.parametrize("language, program", [("en", "pdflatex"), ("zh", "xelatex")])
def test_a_missing_tex_is_told(
    language: str, program: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(InputError, match=f"^{program} was not found") as caught:
        compile_pdf("document\n", language)
    assert str(caught.value) == missing(language) and not has_tex(language)
