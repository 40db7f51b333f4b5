"""A run that is stopped loses nothing, and goes on as if it had not been stopped."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from symprop.cli.main import run
from symprop.errors import FileError, InputError, RefusedToOverwrite
from symprop.files.load import load_file, load_text
from symprop.train import TrainingError, load_arrays, save_arrays, train
from symprop.train.interrupts import held_back
from symprop.train.optimizers import OPTIMIZERS
from symprop.train.signature import leaves_of

ROOT = Path(__file__).parent.parent
MODELS = Path(__file__).parent / "train_models"

# symprop.train alone is imported: it needs no calculus, and no second to start.
WORKER = """
import json, sys, types
import numpy as np
package = types.ModuleType("symprop")
package.__path__ = [sys.argv[1]]
sys.modules["symprop"] = package
from symprop.files.load import load_file
from symprop.train import load_arrays, train
options = json.loads(sys.argv[4])
result = train(load_file(sys.argv[2]), load_arrays(sys.argv[3]), checkpoint="c.npz",
               checkpoint_every=0, log=lambda line: print(line, flush=True), **options)
print("interrupted" if result.interrupted else "done")
"""


def model(name="mlp"):
    return load_file(MODELS / f"{name}.py")


def clouds(count=90, dtype=float):
    rng = np.random.default_rng(5)
    labels = np.arange(count) % 3
    X = np.array([[2, 0], [-1, 2], [-1, -2]])[labels] + 0.4 * rng.normal(size=(count, 2))
    return {"X": X.astype(dtype), "Y": np.eye(3, dtype=dtype)[labels]}


def same(one, other):
    """Two results are the same to the last bit."""
    assert (one.losses, one.validation_losses) == (other.losses, other.validation_losses)
    assert (one.epochs, one.converged, one.best_epoch) == (
        other.epochs, other.converged, other.best_epoch)
    for mine, theirs in ((one.params, other.params), (one.last, other.last),
                         (one.best, other.best), (one.fixed, other.fixed)):
        mine, theirs = leaves_of(mine), leaves_of(theirs)
        assert list(mine) == list(theirs)
        for name, array in mine.items():
            assert array.dtype == theirs[name].dtype and array.tobytes() == theirs[name].tobytes()


@pytest.mark.parametrize("kind", [signal.SIGINT, signal.SIGKILL])
def test_a_process_stopped_at_random_points_ends_as_one_that_was_not(kind, tmp_path):
    options = {"sizes": {"H": 6}, "batch": 8, "epochs": 12, "validation": 0.2, "lr": 0.02}
    save_arrays(tmp_path / "data.npz", clouds())
    whole = train(model(), clouds(), log=None, **options)
    command = [sys.executable, "-c", WORKER, str(ROOT / "symprop"), str(MODELS / "mlp.py"),
               "data.npz"]
    random_numbers = random.Random(int(kind))
    for attempt in range(2):
        resumed = {"resume": "c.npz"} if attempt else {}
        with subprocess.Popen([*command, json.dumps({**options, **resumed})], cwd=tmp_path,
                              stdout=subprocess.PIPE, text=True) as process:
            for _ in range(random_numbers.randrange(1, 4)):
                assert process.stdout is not None and process.stdout.readline()
            time.sleep(random_numbers.uniform(0, 0.01))
            process.send_signal(kind)
            said, _ = process.communicate(timeout=60)
        if kind == signal.SIGINT:
            assert process.returncode == 0 and said.endswith(("interrupted\n", "done\n"))
    arrays = load_arrays(tmp_path / "c.npz")
    assert all(array.dtype != object for array in arrays.values())
    same(train(model(), clouds(), log=None, resume=tmp_path / "c.npz", **options), whole)


class Stopped(Exception):
    """Raised by a log in the place of a signal, where the exact place matters."""


def stopped_after(epoch, error=KeyboardInterrupt):
    def log(line):
        if line.startswith(f"Epoch {epoch}:"):
            raise error
    return log


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_every_optimizer_goes_on_with_what_it_remembers(optimizer, tmp_path):
    data, path = clouds(dtype=np.float32), tmp_path / "c.npz"
    options = {"optimizer": optimizer, "sizes": {"H": 4}, "batch": 32, "epochs": 5, "lr": 0.01}
    whole = train(model(), data, log=None, **options)
    half = train(model(), data, log=stopped_after(2), checkpoint=path, **options)
    assert half.interrupted and half.epochs == 2 and half.losses == whole.losses[:2]
    same(train(model(), data, log=None, resume=path, **options), whole)


def test_what_ended_may_go_on_for_more_epochs(tmp_path):
    path, options = tmp_path / "c.npz", {"sizes": {"H": 4}, "batch": 32, "log": None}
    whole = train(model(), clouds(), epochs=7, **options)
    train(model(), clouds(), epochs=3, checkpoint=path, **options)
    same(train(model(), clouds(), epochs=7, resume=path, checkpoint=path, **options), whole)
    same(train(model(), clouds(), epochs=7, resume=path, **options), whole)


@pytest.mark.parametrize(("name", "data", "options"), [
    ("nested", {"data_x": np.ones((6, 3)), "data_y": np.arange(6.0)}, {"validation": 0.4}),
    ("quadratic", {"a": np.array([1.0, 2.0]), "c": np.array([3.0, -1.0])}, {"optimizer": "gd"}),
    ("tokens", {"t": np.array([0, 2, 2, 1]), "s": 1.5}, {"sizes": {"V": 4}, "batch": 2}),
    ("mlp", clouds(), {"sizes": {"H": 4}, "validation": 0.3, "patience": 2, "lr": 0.3}),
])  # fmt: skip
def test_every_kind_of_model_goes_on(name, data, options, tmp_path):
    options = {"epochs": 8, "tol": 1e-9, **options}
    whole = train(model(name), data, log=None, **options)
    for epoch in (1, 4):
        train(model(name), data, log=stopped_after(epoch), checkpoint=tmp_path / "c.npz", **options)
        same(train(model(name), data, log=None, resume=tmp_path / "c.npz", **options), whole)


FEEDBACK = """
import numpy as np

WRT, FEEDBACK = ("w", "v"), ("B",)


def forward(X: "N K", y: "N", w: "K H", v: "H", B: "H K"):
    h = np.tanh(X @ w)
    e = h @ v - y
    return np.mean(e * e), (X, h, e, B)


def backward(saved, dL=1.0):
    X, h, e, B = saved
    d = 2 * dL * e / len(e)
    return {"w": X.T @ (np.outer(d, B.sum(1)) * (1 - h * h)), "v": h.T @ d}
"""


@pytest.mark.parametrize("validation", [0.0, 0.3])
def test_what_a_learning_rule_keeps_fixed_goes_on(validation, tmp_path):
    module, path = load_text(FEEDBACK, "feedback"), tmp_path / "c.npz"
    data = {"X": clouds()["X"], "y": clouds()["Y"][:, 0]}
    options = {"sizes": {"H": 4}, "batch": 20, "epochs": 4, "validation": validation}
    whole = train(module, data, log=None, **options)
    assert list(whole.fixed) == ["B"] and whole.losses[-1] < whole.losses[0]
    train(module, data, log=stopped_after(2), checkpoint=path, **options)
    same(train(module, data, log=None, resume=path, **options), whole)


def test_other_errors_leave_a_checkpoint_too(tmp_path):
    path, options = tmp_path / "c.npz", {"sizes": {"H": 4}, "epochs": 4, "batch": 20}
    whole = train(model(), clouds(), log=None, **options)
    with pytest.raises(Stopped):
        train(model(), clouds(), log=stopped_after(2, Stopped), checkpoint=path, **options)
    same(train(model(), clouds(), log=None, resume=path, **options), whole)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"lr": 0.5}, r"lr was 0.001 when .*c.npz was written and is 0.5 now: give the same"),
        ({"optimizer": "gd"}, "optimizer was Adam .* and is GradientDescent now"),
        ({"batch": 7}, "batch was 20 .* and is 7 now"),
        ({"validation": 0.1}, "validation was 0.0"),
        ({"seed": 3}, "seed was 0"),
        ({"sizes": {"H": 5}}, "axis 1 of W1, declared as H and of size 4, should be of size 5"),
        ({"data": clouds(60)}, "the data X are not those that .*c.npz was trained on"),
        ({"data": clouds(dtype=np.float32)}, "the data X are not those"),
        ({"module": model("columns"), "data": {"x": np.ones((2, 9)), "y": np.ones((3, 9))}},
         "the arguments of forward was|were"),
        ({"resume": "nothing.npz"}, "cannot read nothing.npz"),
    ],
)
def test_a_checkpoint_of_another_run_is_refused(change, message, tmp_path):
    path = tmp_path / "c.npz"
    options = {"module": model(), "data": clouds(), "sizes": {"H": 4}, "batch": 20, "log": None}
    train(**options, epochs=1, checkpoint=path)
    with pytest.raises((InputError, FileError), match=message):
        train(**{**options, "resume": path, **change})


def test_a_damaged_checkpoint_is_refused(tmp_path):
    path, options = tmp_path / "c.npz", {"sizes": {"H": 4}, "epochs": 1, "log": None}
    train(model(), clouds(), checkpoint=path, **options)
    whole = path.read_bytes()
    for place in range(40, len(whole), len(whole) // 40):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        with pytest.raises(InputError, match=r"c.npz"):
            train(model(), clouds(), resume=path, **options)
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match=r"c.npz is not an .npz file"):
        train(model(), clouds(), resume=path, **options)
    save_arrays(tmp_path / "params.npz", {"W1": np.ones(2)})
    with pytest.raises(InputError, match=r"params.npz is no checkpoint"):
        train(model(), clouds(), resume=tmp_path / "params.npz", **options)
    np.savez(tmp_path / "foreign.npz", W1=np.ones(2))
    with pytest.raises(RefusedToOverwrite, match="was not written by symprop"):
        train(model(), clouds(), checkpoint=tmp_path / "foreign.npz", **options)


def test_a_checkpoint_that_cannot_be_written_at_the_end_loses_no_parameters(tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()

    def log(line):
        folder.rmdir()

    with pytest.raises(TrainingError, match="there is no folder") as caught:
        train(model(), clouds(), sizes={"H": 4}, epochs=1, checkpoint=folder / "c.npz", log=log)
    assert caught.value.result.epochs == 1 and caught.value.result.params["W1"].shape == (2, 4)


def test_interrupts_are_held_back_while_writing():
    before = signal.getsignal(signal.SIGINT)
    with held_back() as outer:
        os.kill(os.getpid(), signal.SIGINT)  # raises nothing here
        with held_back() as inner, pytest.raises(KeyboardInterrupt), inner.let_through():
            pass
        assert inner is outer and outer.came and not outer.open
    assert signal.getsignal(signal.SIGINT) is before


COUNTED = """
import functools
import os
import signal

calls, counted = [], forward


@functools.wraps(counted)
def forward(*arguments, **named):
    calls.append(1)
    if len(calls) == 201:
        os.kill(os.getpid(), signal.SIGINT)
    return counted(*arguments, **named)
"""


@pytest.mark.parametrize("patience", [None, 50])
def test_the_command_line_keeps_what_was_reached(patience, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    text = (MODELS / "mlp.py").read_text() + COUNTED
    (tmp_path / "mlp.py").write_text(text)
    labels = np.random.default_rng(3).integers(0, 3, 90)  # nothing to learn: the best is no longer
    save_arrays("d.npz", {**clouds(), "Y": np.eye(3)[labels]})  # the last
    options = "--data d.npz --size H=4 --validation 0.2 --lr 0.5 --batch 9"
    more = f"--patience {patience}" if patience else ""
    words = ["train", "mlp.py", *options.split(), *more.split()]
    assert run([*words, "-o", "p.npz", "--epochs", "9"]) == 0
    capsys.readouterr()
    assert run([*words, "-o", "p.npz", "--epochs", "100000"]) == 130
    said = capsys.readouterr().err
    first = "best" if patience else "last"
    assert said.count("\n") == 1 and said.startswith("symprop: interrupted in epoch ")
    assert f"p.npz holds the {first} parameters and p.{'last' if patience else 'best'}.npz" in said
    assert "the same command with --resume p.checkpoint.npz goes on" in said
    kept = {name: load_arrays(name) for name in ("p.npz", "p.last.npz", "p.best.npz")
            if Path(name).exists()}
    assert len(kept) == 2 and all(arrays["W1"].shape == (2, 4) for arrays in kept.values())
    assert run([*words, "-o", "p.npz", "--epochs", "1", "--resume", "p.checkpoint.npz"]) == 0
