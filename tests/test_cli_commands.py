"""The commands, on a pipeline that only notes how it is called."""

import io
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from symprop import pipeline
from symprop.check import CheckReport, CheckRow
from symprop.cli import build, derive, listing, made, train
from symprop.cli import check as checking
from symprop.cli.main import run
from symprop.errors import InputError, VerificationError
from symprop.files.marks import read_mark, stamp
from symprop.files.write import status_of
from symprop.system import Fact, Note
from symprop.train import TrainResult
from symprop.version import __version__
from symprop.zoo import table

PDF = b"%PDF-1.5\n%%EOF\n"
SOURCE = stamp('"""A module."""\nWRT = ("w",)\n')


def forward(x: "N", w: "N") -> object:
    return x @ w


class FakeDerivation:
    def latex(self, *, standalone: bool = False, only: Any = None) -> str:
        return f"latex {standalone} {only}\n"

    def markdown(self, *, only: Any = None) -> str:
        return f"markdown {only}\n"

    def text(self, *, only: Any = None, width: int | None = None) -> str:
        if only == ["bad"]:
            raise InputError("there is no gradient called bad")
        return f"text {only} ∂\n"


class Calls(dict[str, Any]):
    """What the commands handed to the pipeline, and what it answers."""

    passes = True
    notes: tuple[Note, ...] = ()


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Calls:
    noted = Calls()
    model = SimpleNamespace(
        function=forward, title="A line", shapes={}, wrt=("w",), facts=(), static={}
    )

    def trace(function: Any, **options: Any) -> Any:
        noted["trace"] = (function, options)
        return SimpleNamespace(notes=noted.notes)

    def check(module: object, **options: Any) -> CheckReport:
        options.pop("progress")("w", 1, 1)
        noted["check"] = (module, options)
        status = "PASS" if noted.passes else "FAIL"
        row = CheckRow("w", (3,), status, 1e-12, 1e-9, 3, 3, "Richardson")
        return CheckReport("line", (row,))

    def fit(module: object, arrays: Any, *, log: Any, **settings: Any) -> Any:
        noted["train"] = (module, arrays, settings)
        log("Epoch 1: Loss = 0.5")
        params = {"w": np.ones(3)}
        return TrainResult(params, (0.5,), (), 1, False, last=params, best=params)

    module = SimpleNamespace(source=SOURCE, held={})
    monkeypatch.setattr(table, "models", lambda: {"line": model})
    monkeypatch.setattr(listing, "titles", lambda: dict.fromkeys(("line", "longer_name"), "A line"))
    monkeypatch.setattr(pipeline, "trace", trace)
    monkeypatch.setattr(pipeline, "derive", lambda system, rule, structure: FakeDerivation())
    monkeypatch.setattr(pipeline, "generate", lambda derivation, **options: module)
    monkeypatch.setattr(checking, "run", check)
    monkeypatch.setattr(train, "run", fit)
    monkeypatch.setattr(made, "training_module", lambda source, name, **options: f"# {options}\n")
    monkeypatch.setattr(made, "missing_sizes", lambda source, name: ("H",))
    for command in (derive, build):
        monkeypatch.setattr(command, "compile_pdf", lambda document: PDF)
    monkeypatch.setattr(build, "has_tex", lambda **_: True)
    monkeypatch.chdir(tmp_path)
    return noted


def test_list(calls: Calls, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["list"]) == 0
    assert capsys.readouterr().out == "line         A line\nlonger_name  A line\n"


@pytest.mark.parametrize(
    ("words", "printed"),
    [
        ([], "latex False None\n"),
        (["--standalone", "--only", "w"], "latex True ['w']\n"),
        (["--format", "markdown", "--only", "w,b"], "markdown ['w', 'b']\n"),
        (["--format", "text"], "text None ∂\n"),
    ],
)
def test_derive_prints(
    words: list[str], printed: str, calls: Calls, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["derive", "line", *words]) == 0
    assert capsys.readouterr().out == printed


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.tex", stamp("latex False None\n", "% ", __version__)),
        ("a.md", stamp("markdown None\n", "<!-- ", __version__)),
        ("a.txt", stamp("text None ∂\n", "# ", __version__)),
        ("a", stamp("latex False None\n", "% ", __version__)),
    ],
)
def test_derive_writes_what_the_suffix_says(
    name: str, content: str, calls: Calls, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["derive", "line", "-o", name]) == 0
    assert (tmp_path / name).read_text(encoding="utf-8") == content
    assert capsys.readouterr().out == ""


def test_derive_writes_a_pdf(calls: Calls, tmp_path: Path) -> None:
    assert run(["derive", "line", "-o", "a.pdf"]) == 0
    assert (tmp_path / "a.pdf").read_bytes().startswith(PDF)
    assert status_of("a.pdf") == "ours"


def test_options_about_the_target_reach_trace(calls: Calls) -> None:
    words = ["--shape", "x=N K", "--wrt", "w,x", "--fact", "positive(x)", "--static", "heads=4"]
    assert run(["derive", "line", *words]) == 0
    function, options = calls["trace"]
    assert function is forward
    assert options == {
        "shapes": {"x": "N K"},
        "wrt": ["w", "x"],
        "facts": (Fact("positive", "x"),),
        "static": {"heads": 4},
        "recognise": True,
    }


@pytest.mark.parametrize("words", [
    ["derive", "line"], ["generate", "line"], ["check", "line"], ["build", "line", "-o", "d"],
])
def test_notes_are_said_once_and_can_be_silenced(
    calls: Calls, capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    calls.notes = (Note("unread", "b is not read", "line.py:3"),)
    assert run(words) == 0
    first = capsys.readouterr()
    said = [line for line in first.err.splitlines() if "note" in line]
    assert said == ["symprop: note: line.py:3: b is not read"] and "note" not in first.out
    assert run([*words, "--quiet", *(["--force"] if "build" in words else [])]) == 0
    assert "note" not in capsys.readouterr().err


def test_a_gradient_that_is_not_there_leaves_no_file(calls: Calls, tmp_path: Path) -> None:
    assert run(["derive", "line", "--only", "bad", "-o", "a.txt"]) == 2
    assert list(tmp_path.iterdir()) == []


def test_a_refuted_step_leaves_no_file(
    calls: Calls,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def refuted(derivation: object, **options: Any) -> None:
        raise VerificationError("the rule fold is refuted")

    monkeypatch.setattr(pipeline, "generate", refuted)
    assert run(["generate", "line", "-o", "a.py"]) == 1
    assert "the rule fold is refuted" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_generate_prints_or_writes(
    calls: Calls, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["generate", "line"]) == 0
    assert capsys.readouterr().out == SOURCE
    assert run(["generate", "line", "-o", "line.py"]) == 0
    assert (tmp_path / "line.py").read_text() == stamp(SOURCE, version=__version__)


@pytest.mark.parametrize(
    "words",
    [
        ["derive", "line", "-o", "x"],
        ["generate", "line", "-o", "x"],
        ["build", "line", "-o", "."],
        ["train", "line", "--data", "d.npz", "-o", "x.npz"],
    ],
)
def test_refused_to_overwrite(
    words: list[str], calls: Calls, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    np.savez(tmp_path / "d.npz", x=np.ones(3))
    for name in ("x", "x.npz", "line_check.txt"):
        (tmp_path / name).write_text("mine\n")
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    for force in ([], ["--force"]):
        assert run([*words, *force]) == 3
        assert capsys.readouterr().err.count("\n") == 1
        assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_an_edited_file_needs_force(calls: Calls, tmp_path: Path) -> None:
    words = ["generate", "line", "-o", "line.py"]
    assert run(words) == 0
    (tmp_path / "line.py").write_text(SOURCE + "x = 1\n")
    assert run(words) == 3
    assert run([*words, "--force"]) == 0
    assert (tmp_path / "line.py").read_text() == stamp(SOURCE, version=__version__)


@pytest.mark.parametrize("words", [["derive", "line"], ["generate", "line"]])
def test_a_folder_that_is_not_there_is_bad_input(
    words: list[str], calls: Calls, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([*words, "-o", "no/where.py"]) == 2
    assert capsys.readouterr().err == "symprop: cannot write no/where.py: there is no folder no\n"
    assert "trace" not in calls


def test_check_has_a_status(calls: Calls, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["check", "line", "--size", "N=5", "--seed", "3", "--rtol", "1e-6"]
    assert run(words) == 0
    assert "PASSED" in capsys.readouterr().out
    assert calls["check"][1] == {"sizes": {"N": 5}, "seed": 3, "rtol": 1e-6}
    calls.passes = False
    assert run(words) == 1
    captured = capsys.readouterr()
    assert "FAILED" in captured.out and captured.err == ""


def test_check_takes_a_file_with_what_is_said_about_it(calls: Calls, tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text("WIDTH = 3\n")
    assert run(["check", "own.py", "--fact", "positive(x)", "--wrt", "w", "--shape", "x=N"]) == 0
    module, options = calls["check"]
    assert module.WIDTH == 3
    assert options["facts"] == [Fact("positive", "x")] and options["wrt"] == ["w"]
    assert options["shapes"] == {"x": "N"} and "trace" not in calls


def test_train_hands_on_every_setting_and_saves(
    calls: Calls, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    np.savez(tmp_path / "d.npz", x=np.arange(3.0))
    words = "--validation 0.2 --optimizer gd --lr 0.1 --batch 64 --epochs 9 --tol 1e-6"
    more = "--patience 5 --seed 1 --l2 0.01 --init he --size H=64 --size G=3"
    assert run(f"train line --data d.npz -o p.npz {words} {more}".split()) == 0
    assert capsys.readouterr().out == "Epoch 1: Loss = 0.5\n"
    module, arrays, settings = calls["train"]
    assert module.source == SOURCE and arrays["x"].tolist() == [0, 1, 2]
    assert settings == {
        "validation": 0.2, "optimizer": "gd", "lr": 0.1, "batch": 64, "epochs": 9, "tol": 1e-6,
        "patience": 5, "seed": 1, "l2": 0.01, "init": "he", "sizes": {"H": 64, "G": 3},
        "checkpoint": Path("p.checkpoint.npz"), "resume": None, "force": False,
        "clip": None, "metric": None,
    }  # fmt: skip
    with np.load(tmp_path / "p.npz") as saved:
        assert saved["w"].tolist() == [1, 1, 1]


def test_train_on_a_module_of_ones_own(calls: Calls, tmp_path: Path) -> None:
    np.savez(tmp_path / "d.npz", x=np.ones(3))
    (tmp_path / "own.py").write_text("WIDTH = 3\n")
    assert run(["train", "own.py", "--data", "d.npz", "-o", "p.npz"]) == 0
    assert calls["train"][0].WIDTH == 3 and "trace" not in calls


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("--data no.npz -o p.npz", "cannot read no.npz: No such file"),
        ("--data d.npz -o p.csv", "parameters are written as .npz, not as p.csv"),
        ("--data text.npz -o p.npz", "text.npz is not an .npz file"),
    ],
)
def test_train_on_what_is_not_there(
    words: str, said: str, calls: Calls, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "text.npz").write_text("no zip")
    assert run(f"train line {words}".split()) == 2
    assert said in capsys.readouterr().err
    assert "train" not in calls and not (tmp_path / "p.npz").exists()


def test_build_writes_everything(
    calls: Calls, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["build", "line", "-o", "out/deep", "--size", "H=8"]) == 0
    made = {path.name: path for path in (tmp_path / "out" / "deep").iterdir()}
    endings = (".tex", ".md", ".py", "_check.txt", "_train.py", ".pdf")
    assert set(made) == {f"line{ending}" for ending in endings}
    assert all(read_mark(path.read_bytes()) == "ours" for path in made.values())
    assert "{'sizes': {'H': 8}" in made["line_train.py"].read_text()
    captured = capsys.readouterr()
    assert captured.out.endswith("PASSED: 1 of 1 gradients agree\n") and captured.err == ""
    assert run(["build", "line", "-o", "out/deep"]) == 0
    assert "{'sizes': {'H': 32}" in made["line_train.py"].read_text()
    assert capsys.readouterr().err == (
        "symprop: line_train.py starts with H = 32, which no data tell: --size H=64 chooses"
        " another\n")


def test_build_says_what_it_leaves_out(
    calls: Calls,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def unknown(source: str, name: str, **options: Any) -> str:
        raise InputError("the size of H is not in the data")

    monkeypatch.setattr(made, "training_module", unknown)
    monkeypatch.setattr(build, "has_tex", lambda **_: False)
    calls.passes = False
    assert run(["build", "line", "-o", "out"]) == 1
    assert capsys.readouterr().err.splitlines() == [
        "symprop: no line_train.py: the size of H is not in the data",
        "symprop: no line.pdf: there is no pdflatex",
    ]
    assert "FAILED" in (tmp_path / "out" / "line_check.txt").read_text()
    assert not (tmp_path / "out" / "line.pdf").exists()


def test_no_escape_sequences_reach_a_pipe(calls: Calls, capsys: pytest.CaptureFixture[str]) -> None:
    for words in (["derive", "line"], ["check", "line"], ["generate", "line"]):
        run(words)
    captured = capsys.readouterr()
    assert "\x1b" not in captured.out and captured.err == ""


def test_a_module_prints_as_utf8_whatever_the_locale(
    calls: Calls, monkeypatch: pytest.MonkeyPatch
) -> None:
    buffer = io.BytesIO()
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(buffer, encoding="ascii"))
    assert run(["derive", "line", "--format", "text"]) == 0
    assert buffer.getvalue().decode("utf-8") == "text None ∂\n"
