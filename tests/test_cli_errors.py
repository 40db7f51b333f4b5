"""Every error is at most three plain lines, and has its exit status."""

import os
import subprocess
import sys
from pathlib import Path

import click
import pytest

from symprop.cli import main
from symprop.cli.main import complain, explained, run
from symprop.errors import FileError, InputError, RefusedToOverwrite, VerificationError


def raising(error: BaseException, monkeypatch: pytest.MonkeyPatch) -> int:
    @click.command("fail")
    def fail() -> None:
        raise error

    monkeypatch.setitem(main.program.commands, "fail", fail)
    return run(["fail"])


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (InputError("a sentence"), 2, "symprop: a sentence\n"),
        (FileError("cannot read x"), 2, "symprop: cannot read x\n"),
        (RefusedToOverwrite("x stays"), 3, "symprop: x stays\n"),
        (VerificationError("rule"), 1, "symprop: internal error, nothing was written: rule\n"),
        (FileNotFoundError(2, "No such file", "x"), 2, "symprop: x: No such file\n"),
        (OSError("odd"), 2, "symprop: odd\n"),
        (KeyboardInterrupt(), 130, "symprop: interrupted\n"),
        (click.BadParameter("no number"), 2, "symprop: Invalid value: no number\n"),
    ],
)
def test_status_and_sentence(
    error: BaseException,
    status: int,
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert raising(error, monkeypatch) == status
    captured = capsys.readouterr()
    # After an interrupt click ends the line on which a terminal shows ^C.
    lines = [line for line in captured.err.splitlines() if line and "--help" not in line]
    assert lines == [said.rstrip()]
    assert captured.out == ""


def test_an_error_of_ours_gives_its_place_and_no_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert raising(KeyError("lost"), monkeypatch) == 1
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].startswith("symprop: internal error: KeyError: 'lost' (test_cli_errors.py:")
    assert lines[1] == "symprop: please report it; SYMPROP_TRACEBACK=1 shows the traceback"
    monkeypatch.setenv("SYMPROP_TRACEBACK", "1")
    with pytest.raises(KeyError):
        raising(KeyError("lost"), monkeypatch)


@pytest.mark.parametrize(
    ("words", "first"),
    [
        (["nothing"], "No such command 'nothing'."),
        (["derive"], "Missing argument 'TARGET'."),
        (["derive", "mlp", "--nonsense"], "No such option"),
        (["derive", "mlp", "--format", "word"], "Invalid value for '--format'"),
        (["train", "mlp"], "Missing option '--data'."),
        (["check", "mlp", "--seed", "-1"], "Invalid value for '--seed'"),
        (["check", "mlp", "--rtol", "small"], "Invalid value for '--rtol'"),
        (["derive", "mlp", "--format", "pdf"], "a PDF needs a file"),
        (["derive", "mlp", "--shape", "X"], "--shape 'X' is not of the form"),
    ],
)
def test_bad_command_lines(
    words: list[str], first: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(words) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) <= 2 and lines[0].startswith(f"symprop: {first}")


def test_long_and_dirty_messages_are_tamed(capsys: pytest.CaptureFixture[str]) -> None:
    assert complain("a\nb\n\nc\nd\ne", 2) == 2
    assert capsys.readouterr().err == "symprop: a\nsymprop: b\nsymprop: c ...\n"
    complain("\x1b[31mred\x07 ∂ü", 2)
    assert capsys.readouterr().err == "symprop: \\x1b[31mred\\x07 ∂ü\n"
    complain("x" * 10_000, 2)
    assert len(capsys.readouterr().err) < 450
    complain("", 2)
    assert capsys.readouterr().err == "symprop: unknown error\n"


def test_explaining_an_error_that_was_never_raised() -> None:
    assert explained(ZeroDivisionError("x"))[0].startswith("internal error: ZeroDivisionError: x\n")


@pytest.mark.parametrize("words", [["--help"], ["derive", "-h"], ["--version"]])
def test_help_and_version_are_no_errors(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(words) == 0
    captured = capsys.readouterr()
    assert captured.out and not captured.err


@pytest.mark.parametrize("name", list(main.COMMANDS))
def test_every_help_has_an_example_and_fits_a_terminal(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([name, "--help"]) == 0
    text = capsys.readouterr().out
    assert f"symprop {name} " in text
    assert max(map(len, text.splitlines())) <= 90


def test_a_reader_that_goes_away_is_no_error() -> None:
    program = "import sys; from symprop.cli.main import main; main(['derive', '--help'])"
    source = str(Path(main.__file__).parents[2])
    read_end, write_end = os.pipe()
    os.close(read_end)
    done = subprocess.run(
        [sys.executable, "-c", program],
        stdout=write_end,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": source},
        check=False,
    )
    os.close(write_end)
    assert (done.returncode, done.stderr) == (1, b"")
