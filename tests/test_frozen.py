"""`symprop check --frozen`: each file is current, stale, edited or missing, and none is written."""

from pathlib import Path

import pytest

from symprop.cli import build
from symprop.cli.main import run
from symprop.version import __version__

MODEL = """import numpy as np

WRT = ("w",)


def loss(X: "N K", y: "N", w: "K"):
    return np.mean((X @ w - y) ** {power})
"""
ENDINGS = (".tex", ".md", ".py", "_train.py", "_check.txt")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("frozen")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(build, "has_tex", lambda **_: False)
        patch.chdir(folder)
        (folder / "model.py").write_text(MODEL.format(power=2))
        assert run(["build", "model.py:loss", "-o", "b"]) == 0
    return folder


@pytest.fixture
def place(built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of what was built, and of the model."""
    (tmp_path / "b").mkdir()
    for path in ["model.py", *(f"b/loss{ending}" for ending in ENDINGS)]:
        (tmp_path / path).write_bytes((built / path).read_bytes())
    monkeypatch.chdir(tmp_path)
    return tmp_path


def asked(capsys: pytest.CaptureFixture[str], *words: str, of: str = "b") -> tuple[int, list[str]]:
    capsys.readouterr()
    status = run(["check", "model.py:loss", "--frozen", of, *words])
    return status, capsys.readouterr().out.splitlines()


def contents(folder: Path) -> dict[str, tuple[bytes, int]]:
    return {str(p): (p.read_bytes(), p.stat().st_mtime_ns)
            for p in folder.rglob("*") if p.is_file() and "__pycache__" not in p.parts}


def test_what_was_just_built_is_current(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, lines = asked(capsys)
    assert status == 0
    assert lines == [*(f"current  b/loss{e}" for e in ENDINGS), "5 of 5 files are current"]


def test_each_file_has_a_status_and_nothing_is_written(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (place / "b/loss.tex").write_text((place / "b/loss.tex").read_text() + "% by hand\n")
    (place / "b/loss.md").unlink()
    (place / "b/loss_train.py").write_text("print('mine')\n")
    (place / "b/loss.pdf").write_bytes(b"%PDF-1.5\n%%EOF\n")
    before = contents(place)
    status, lines = asked(capsys)
    assert status == 1
    assert lines == [
        "edited   b/loss.tex", "missing  b/loss.md", "current  b/loss.py",
        "foreign  b/loss_train.py", "current  b/loss_check.txt", "foreign  b/loss.pdf",
        "4 of 6 files are not current: symprop build model.py:loss -o b writes them, with the same "
        "options; --force over one that was edited"]
    assert contents(place) == before


def test_another_model_makes_all_of_them_stale(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (place / "model.py").write_text(MODEL.format(power=4))
    status, lines = asked(capsys)
    assert status == 1 and lines[:-1] == [f"stale    b/loss{e}" for e in ENDINGS]


def test_the_options_are_those_of_the_build(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, lines = asked(capsys, "--size", "K=3", "--seed", "4")
    assert status == 1 and [line for line in lines[:-1] if not line.startswith("current")] == [
        "stale    b/loss_train.py"]


def test_line_ends_of_a_checkout_are_no_difference(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = place / "b/loss.py"
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert asked(capsys)[0] == 0


def test_one_file_of_generate_or_derive(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["generate", "model.py:loss", "-o", "flat.py", "--flat"]) == 0
    assert asked(capsys, "--flat", of="flat.py")[0] == 0
    for words in (["generate", "model.py:loss", "-o", "own.py"],
                  ["derive", "model.py:loss", "-o", "own.tex"],
                  ["derive", "model.py:loss", "-o", "own.txt"]):
        assert run(words) == 0
        assert asked(capsys, of=words[-1]) == (0, [
            f"current  {words[-1]}", "1 of 1 files are current"])
    assert asked(capsys, of="none.py")[1] == [
        "missing  none.py", "1 of 1 files are not current: symprop generate model.py:loss -o "
        "none.py writes them, with the same options; --force over one that was edited"]


def test_the_model_must_be_named(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What a file says that it was made from is told, and not imported."""
    assert run(["check", "--frozen", "b"]) == 2
    assert capsys.readouterr().err == (
        "symprop: name the forward pass that the files were made of (b says loss): symprop "
        "check model.py:loss --frozen b\n")
    assert run(["check"]) == 2
    assert "Missing argument 'TARGET'" in capsys.readouterr().err


@pytest.mark.parametrize(("words", "said"), [
    (["--frozen", "own.npz"], "own.npz is neither a folder that symprop build wrote nor a .py, "
                              ".tex, .md or .txt"),
    (["--frozen", "no/own.py"], "there is neither a file nor a folder no/own.py"),
    (["--frozen", "b", "--against", "model.py:loss"],
     "--frozen and --against are two questions: ask one of them"),
])
def test_what_cannot_be_asked(
    place: Path, capsys: pytest.CaptureFixture[str], words: list[str], said: str
) -> None:
    assert run(["check", "model.py:loss", *words]) == 2
    assert capsys.readouterr().err == f"symprop: {said}\n"


def test_a_module_of_another_version_is_met_with_a_sentence(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = place / "b/loss.py"
    assert path.read_text().startswith(f"# symprop {__version__} sha256:")
    assert run(["check", "b/loss.py"]) == 0
    assert "note" not in capsys.readouterr().err
    path.write_text(path.read_text().replace(f"symprop {__version__}", "symprop 0.1.9", 1))
    assert run(["check", "b/loss.py"]) == 0
    assert capsys.readouterr().err == (
        f"symprop: note: b/loss.py was written by symprop 0.1.9, and this is {__version__}: "
        "symprop generate writes it again\n")
    assert run(["check", "b/loss.py", "--quiet"]) == 0
    assert capsys.readouterr().err == ""
    assert asked(capsys)[0] == 0  # the same but for the version is current
