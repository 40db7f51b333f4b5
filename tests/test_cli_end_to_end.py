"""The program as a user runs it: real processes, real models, real files."""

import io
import os
import subprocess
import sys
from contextlib import chdir, redirect_stderr, redirect_stdout
from pathlib import Path

import numpy as np
import pytest

from symprop.cli.main import run
from symprop.files.templates import default_folder

ROOT = Path(__file__).resolve().parent.parent

MODEL = '''
import numpy as np


def loss(X: "N K", y: "N", w: "K", b=0.5):
    """Least squares."""
    e = X @ w + b - y
    return np.mean(e**2), {"prediction": e + y}


def branch(X: "N K", w: "K"):
    if np.sum(X @ w) > 0:
        return np.sum(w)
    return -np.sum(w)


def matrix(X: "N K", w: "K"):
    return X @ w


def mismatch(X: "N K", w: "M"):
    return np.sum(X @ w)


def in_place(w: "K"):
    w[0] = 1
    return np.sum(w)


def unknown(w: "K"):
    return np.sum(np.fft.fft(w))


def labels(y: "int N"):
    return np.sum(y)
'''


def process(*words: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """The program in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "symprop", *words],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
        timeout=300,
    )


def symprop(*words: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """The same in this process, which need not import everything once more."""
    out, err = io.StringIO(), io.StringIO()
    with chdir(folder), redirect_stdout(out), redirect_stderr(err):
        status = run(words)
    return subprocess.CompletedProcess(words, status, out.getvalue(), err.getvalue())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "model.py").write_text(MODEL)
    return tmp_path


def names_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir() if path.name != "__pycache__"}


def test_list_names_the_zoo(tmp_path: Path) -> None:
    done = process("list", folder=tmp_path)
    assert done.returncode == 0 and done.stderr == ""
    assert {"mlp", "linear_regression"} <= {line.split()[0] for line in done.stdout.splitlines()}


@pytest.mark.parametrize(
    ("form", "signs"),
    [
        ("latex", [r"\bar", "F1", "B1"]),
        ("markdown", ["$", "F1", "B1"]),
        ("text", ["Σ", "F1", "B1"]),
    ],
)
def test_derive_prints_every_format(form: str, signs: list[str], tmp_path: Path) -> None:
    done = symprop("derive", "mlp", "--format", form, folder=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "\x1b" not in done.stdout
    assert all(sign in done.stdout for sign in signs)
    assert r"\documentclass" not in done.stdout


def test_only_and_standalone(tmp_path: Path) -> None:
    whole = symprop("derive", "mlp", "--standalone", folder=tmp_path).stdout
    part = symprop("derive", "mlp", "--standalone", "--only", "b2", folder=tmp_path).stdout
    assert r"\documentclass" in whole and r"\documentclass" in part
    assert len(part) < len(whole)
    refused = symprop("derive", "mlp", "--only", "W9", folder=tmp_path)
    assert refused.returncode == 2 and "W9" in refused.stderr


def test_a_generated_module_runs_alone_and_checks_itself(tmp_path: Path) -> None:
    done = symprop("generate", "mlp", "-o", "mlp.py", folder=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    alone = subprocess.run(
        [sys.executable, "-I", str(tmp_path / "mlp.py")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert alone.returncode == 0, alone.stdout + alone.stderr
    assert {"W1", "b1", "W2", "b2"} <= {
        line.split()[0] for line in alone.stdout.splitlines() if line
    }
    checked = symprop("check", "mlp.py", folder=tmp_path)
    assert checked.returncode == 0 and "PASSED: 4 of 4" in checked.stdout


def test_a_wrong_gradient_fails_with_status_1(tmp_path: Path) -> None:
    symprop("generate", "mlp", "-o", "mlp.py", folder=tmp_path)
    text = (tmp_path / "mlp.py").read_text(encoding="utf-8")
    wrong = "\n_right = backward\n\n\ndef backward(saved, dL=1.0):\n"
    wrong += (
        "    grads = _right(saved, dL)\n    grads['W1'] = 1.001 * grads['W1']\n    return grads\n"
    )
    (tmp_path / "wrong.py").write_text(text + wrong, encoding="utf-8")
    done = symprop("check", "wrong.py", folder=tmp_path)
    assert done.returncode == 1 and "FAIL" in done.stdout and done.stderr == ""


def test_a_file_of_the_user(folder: Path) -> None:
    done = symprop("check", "model.py:loss", "--wrt", "w", "--static", "b=1.5", folder=folder)
    assert done.returncode == 0 and "PASSED: 1 of 1" in done.stdout, done.stderr
    done = symprop("generate", "model.py:loss", "--shape", "X=N D", "--shape", "w=D", folder=folder)
    assert done.returncode == 0 and "D" in done.stdout


def test_files_are_ours_edited_or_foreign(folder: Path) -> None:
    words = ("generate", "model.py:loss", "-o", "out.py")
    assert symprop(*words, folder=folder).returncode == 0
    first = (folder / "out.py").read_bytes()
    assert symprop(*words, folder=folder).returncode == 0
    (folder / "out.py").write_bytes(first + b"x = 1\n")
    refused = symprop(*words, folder=folder)
    assert refused.returncode == 3 and "edited by hand" in refused.stderr
    assert symprop(*words, "--force", folder=folder).returncode == 0
    assert (folder / "out.py").read_bytes() == first
    foreign = symprop("generate", "mlp", "-o", "model.py", "--force", folder=folder)
    assert foreign.returncode == 3 and (folder / "model.py").read_text() == MODEL


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["derive", "model.py:branch"], ""),
        (["derive", "model.py:matrix"], "scalar"),
        (["derive", "model.py:mismatch"], ""),
        (["derive", "model.py:in_place"], ""),
        (["derive", "model.py:unknown"], "fft"),
        (["derive", "model.py:labels", "--wrt", "y"], "y"),
        (["derive", "model.py:nothing"], "no function nothing"),
        (["derive", "model.py:loss", "--wrt", "nope"], "nope"),
        (["derive", "model.py:loss", "--wrt", "w;x"], "not a legal name"),
        (["derive", "model.py:loss", "--shape", "X=N/K"], "X"),
        (["derive", "model.py:loss", "--fact", "sums_to_one(q,0)"], "q"),
        (["derive", "missing.py:loss"], "missing.py"),
        (["derive", "mpl"], "did you mean mlp?"),
        (["check", "model.py"], "no functions forward and backward"),
    ],
)
def test_bad_input_is_one_clear_sentence(words: list[str], said: str, folder: Path) -> None:
    extra = ["-o", "out.tex"] if words[0] == "derive" else []
    done = symprop(*words, *extra, folder=folder)
    assert done.returncode == 2, done.stdout + done.stderr
    lines = done.stderr.splitlines()
    assert 1 <= len(lines) <= 3 and all(line.startswith("symprop: ") for line in lines)
    assert said in done.stderr and "Traceback" not in done.stderr
    assert "internal error" not in done.stderr
    assert names_in(folder) == {"model.py"}


def test_an_error_in_a_process_of_its_own(folder: Path) -> None:
    done = process("derive", "model.py:in_place", "-o", "out.tex", folder=folder)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("symprop: model.py:") and done.stderr.count("\n") == 1
    assert names_in(folder) == {"model.py"}


def test_a_template_folder_of_ones_own(folder: Path) -> None:
    name = "standalone.tex.jinja"
    (folder / "mine").mkdir()
    (folder / "mine" / name).write_text("% MINE\n" + (default_folder() / name).read_text())
    words = ("derive", "mlp", "--standalone", "--template-dir")
    done = symprop(*words, "mine", folder=folder)
    assert (done.returncode, done.stderr) == (0, "") and "% MINE" in done.stdout
    (folder / "mine" / name).write_text(r"\VAR{nothing}")
    done = symprop(*words, "mine", folder=folder)
    assert done.returncode == 2 and "'nothing' is undefined" in done.stderr
    done = symprop("generate", "mlp", "--template-dir", "no", folder=folder)
    assert done.returncode == 2 and "the template folder no does not exist" in done.stderr


def test_a_folder_that_cannot_be_written(folder: Path) -> None:
    # The root user may write anywhere, so the folder is one that is a file.
    done = symprop("derive", "mlp", "-o", "model.py/out.tex", folder=folder)
    assert done.returncode == 2 and "there is no folder model.py" in done.stderr


def test_train_learns_and_saves(folder: Path) -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 3))
    np.savez(folder / "data.npz", X=X, y=X @ [1.0, -2.0, 3.0] + 0.5)
    words = "--optimizer gd --lr 0.1 --epochs 300 --tol 1e-14 --validation 0.2 --init normal"
    command = ["train", "model.py:loss", "--wrt", "w", "--data", "data.npz", "-o", "params.npz"]
    done = symprop(*command, *words.split(), folder=folder)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("Epoch 1: Loss = ") and "Converged" in done.stdout
    with np.load(folder / "params.npz") as params:
        assert np.allclose(params["w"], [1, -2, 3], atol=1e-4)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--optimizer", "newton"], "newton"),
        (["--epochs", "-1"], "epochs"),
        (["--lr", "nan"], "lr"),
        (["--init", "no.npz"], "no.npz"),
        (["--batch", "0"], "batch"),
        (["--size", "H=0"], "H"),
    ],
)
def test_train_refuses_what_makes_no_sense(words: list[str], said: str, folder: Path) -> None:
    np.savez(folder / "data.npz", X=np.ones((4, 2)), y=np.ones(4))
    command = ["train", "model.py:loss", "--wrt", "w", "--data", "data.npz", "-o", "params.npz"]
    done = symprop(*command, *words, folder=folder)
    assert done.returncode == 2 and said in done.stderr
    assert not (folder / "params.npz").exists()


def test_build_makes_a_folder_of_everything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    done = symprop("build", "mlp", "-o", "out", "--size", "H=5", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert names_in(tmp_path / "out") == {
        "mlp.tex",
        "mlp.md",
        "mlp.py",
        "mlp_train.py",
        "mlp_check.txt",
    }
    assert done.stderr == "symprop: no mlp.pdf: there is no pdflatex\n"


def test_a_missing_tex_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    done = symprop("derive", "mlp", "-o", "mlp.pdf", folder=tmp_path)
    assert done.returncode == 2 and "apt-get install texlive-latex-base" in done.stderr
    assert names_in(tmp_path) == set()


@pytest.mark.tex
def test_a_pdf_is_made_and_is_the_same_every_time(tmp_path: Path) -> None:
    for name in ("one.pdf", "two.pdf"):
        done = symprop("derive", "mlp", "-o", name, folder=tmp_path)
        assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "one.pdf").read_bytes() == (tmp_path / "two.pdf").read_bytes()
    assert (tmp_path / "one.pdf").read_bytes().startswith(b"%PDF-")
    assert symprop("derive", "mlp", "-o", "one.pdf", folder=tmp_path).returncode == 0


@pytest.mark.tex
def test_a_pdf_has_letters_of_any_script(tmp_path: Path) -> None:
    """A letter that no font has is a fault of TeX: none is left out in silence."""
    (tmp_path / "net.py").write_text(
        "import numpy as np\n\n\ndef потеря(x: 'N D', 权重: 'D D', λ: 'D'):\n"
        "    ошибка = np.tanh(x @ 权重) * λ\n    return (ошибка ** 2).sum()\n", encoding="utf-8")
    for name in ("one.pdf", "slides.pdf"):
        kind = ["--format", "beamer"] * (name == "slides.pdf")
        done = symprop("derive", "net.py:потеря", "--quiet", *kind, "-o", name, folder=tmp_path)
        assert (done.returncode, done.stderr) == (0, "")
        assert (tmp_path / name).read_bytes().startswith(b"%PDF-")


@pytest.mark.deep
def test_the_same_bytes_under_every_hash_seed(tmp_path: Path) -> None:
    for seed in "01234":
        words = ("build", "mlp", "-o", seed, "--size", "H=5")
        assert process(*words, folder=tmp_path, PYTHONHASHSEED=seed, PATH="").returncode == 0
        for path in (tmp_path / "0").iterdir():
            assert (tmp_path / seed / path.name).read_bytes() == path.read_bytes()
