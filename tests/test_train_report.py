"""What is told on the way: metrics, callbacks, clipped gradients, the table and the picture."""

import csv
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from symprop.cli import train as command
from symprop.cli.main import run
from symprop.errors import InputError
from symprop.files.load import load_file
from symprop.files.write import status_of
from symprop.train import save_arrays, train
from symprop.train.batches import split
from symprop.train.metrics import measure_of
from symprop.train.signature import signature
from symprop.train.steps import clipped

MODELS = Path(__file__).parent / "train_models"
RNG = np.random.default_rng(11)


def model(name="mlp"):
    return load_file(MODELS / f"{name}.py")


def clouds(count=60):
    rng = np.random.default_rng(5)
    labels = np.arange(count) % 3
    X = np.array([[2, 0], [-1, 2], [-1, -2]])[labels] + 0.9 * rng.normal(size=(count, 2))
    return {"X": X, "Y": np.eye(3)[labels]}


@pytest.mark.parametrize("validation", [0.0, 0.3])
def test_accuracy_is_that_of_predict_on_the_held_out_examples(validation):
    data, options = clouds(), {"sizes": {"H": 4}, "epochs": 3, "lr": 0.1, "validation": validation}
    lines: list[str] = []
    result = train(model(), data, metric="accuracy", log=lines.append, **options)
    held = split(60, validation, np.random.default_rng(0))[1] if validation else slice(None)
    logits = model().predict(X=data["X"][held], **result.params)["logits"]
    right = float((logits.argmax(1) == data["Y"][held].argmax(1)).mean())
    assert len(result.metrics) == 3 and result.metrics[-1] == right
    assert lines[-1].endswith(f", accuracy = {right:.4g}") and result.metric == "accuracy"
    plain = train(model(), data, log=None, **options)
    assert plain.losses == result.losses and plain.metrics == ()


def predicting(output, shapes, data, metric="accuracy"):
    """The metric of a model whose predict returns `output`."""
    module = SimpleNamespace(predict=lambda X: {"out": np.asarray(output)})
    described = signature({"X": "N K", **shapes, "w": "K"}, ["w"])
    measure = measure_of(metric, module, described, None)
    given = {name: np.asarray(array) for name, array in data.items()}
    return measure({"X": np.ones((4, 2)), "w": np.ones(2), **given})


@pytest.mark.parametrize(("output", "shape", "target", "found"), [
    (np.eye(3)[[0, 1, 2, 0]], "N M", np.eye(3)[[0, 1, 1, 0]], 0.75),
    (np.eye(3)[[0, 1, 2, 0]], "int N", [0, 1, 2, 1], 0.75),
    (np.eye(4), "int N", [0, 1, 2, 2], 0.75),
    (np.eye(5)[[[0, 1], [2, 3]]], "int N T", [[0, 1], [2, 4]], 0.75),
    ([0.3, -2.0, 5.0, -1.0], "N", [1.0, -1.0, 1.0, 1.0], 0.75),
])  # fmt: skip
def test_accuracy_of_every_kind_of_target(output, shape, target, found):
    assert predicting(output, {"y": shape}, {"y": target}) == found


def test_metrics_of_regression_and_of_ones_own():
    output, y = np.array([1.0, 2.0, 3.0, 4.0]), np.array([1.0, 2.0, 3.0, 6.0])
    assert predicting(output, {"y": "N"}, {"y": y}, "rmse") == 1.0
    assert predicting(output, {"y": "N"}, {"y": y}, "mae") == 0.5

    def worst(outputs, data):
        return np.max(np.abs(outputs["out"] - data["y"]))

    assert predicting(output, {"y": "N"}, {"y": y}, worst) == 2.0


def test_a_metric_that_does_not_fit_is_refused_before_the_work():
    lines: list[str] = []
    a, c = np.ones(2), np.zeros(2)
    with pytest.raises(InputError, match="a metric needs the function predict"):
        train(model("quadratic"), {"a": a, "c": c}, metric="accuracy", log=lines.append)
    with pytest.raises(InputError, match="'rsme' is no metric; there are accuracy, rmse, mae: in"):
        train(model(), clouds(), sizes={"H": 3}, metric="rsme", log=lines.append)
    assert lines == []
    with pytest.raises(InputError, match=r"accuracy of the target y \(4,\): no output fits \(out"):
        predicting([0.1, 0.9, 0.4, 0.2], {"y": "N"}, {"y": [0.0, 1.0, 1.0, 0.0]})
    with pytest.raises(InputError, match="the target; here that is y and z"):
        predicting([1.0], {"y": "N", "z": "N"}, {"y": [1.0], "z": [1.0]})


@pytest.mark.parametrize("scale", [1e-30, 1.0, 1e200])
def test_clipped_gradients_are_as_long_as_allowed_and_point_the_same_way(scale):
    grads = {"w": scale * RNG.normal(size=(3, 2)), "b": np.array(scale), "f": np.ones(2, "f4")}
    whole = {name: np.asarray(g, float) for name, g in grads.items()}
    length = scale * np.sqrt(sum(np.sum((g / scale) ** 2) for g in whole.values()))
    found = clipped(grads, length / 4)
    for name, g in grads.items():
        assert np.allclose(found[name], g / 4, rtol=1e-6) and found[name].dtype == g.dtype
    assert clipped(grads, 2 * length) is grads
    with pytest.raises(InputError, match="clip must be a number above 0, not 0"):
        train(model(), clouds(), sizes={"H": 3}, clip=0, log=None)


def test_one_clipped_step_of_gradient_descent():
    data, start = {"X": np.ones((4, 2)), "y": np.full(4, 9.0)}, {"w": np.zeros(2), "b": 0.0}
    options = {"optimizer": "gd", "lr": 1.0, "epochs": 1, "init": start, "log": None}
    found = train(model("least_squares"), data, clip=0.5, **options)
    step = np.concatenate([found.params["w"], [found.params["b"]]])
    assert np.isclose(np.linalg.norm(step), 0.5) and np.allclose(step, step[0])


def test_a_callback_gets_the_parameters_and_may_stop():
    seen = []

    def callback(epoch):
        seen.append(epoch)
        return epoch.number == 3

    lines: list[str] = []
    options = {"sizes": {"H": 3}, "validation": 0.2, "lr": 0.1}
    result = train(model(), clouds(), callback=callback, log=lines.append, **options)
    assert [epoch.number for epoch in seen] == [1, 2, 3] and lines[-1] == "Stopped after 3 epochs"
    assert tuple(epoch.loss for epoch in seen) == result.losses
    assert tuple(epoch.validation for epoch in seen) == result.validation_losses
    assert seen[0].metric is None
    for number in (1, 2):  # what it got has not been changed since
        short = train(model(), clouds(), epochs=number, log=None, **options)
        assert np.array_equal(short.params["W1"], seen[number - 1].params["W1"])


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mlp.py").write_bytes((MODELS / "mlp.py").read_bytes())
    save_arrays("d.npz", clouds())
    return tmp_path


OPTIONS = "--data d.npz --size H=3 --validation 0.2 --metric accuracy -o p.npz"
WORDS = ["train", "mlp.py", *OPTIONS.split()]


def test_the_table_and_the_picture_of_a_run_that_went_on(folder, capsys):
    more = ["--log", "run.csv", "--plot", "run.png", "--lr", "0.1"]
    assert run([*WORDS, *more, "--epochs", "2"]) == 0
    assert run([*WORDS, *more, "--epochs", "4", "--resume", "p.checkpoint.npz"]) == 0
    lines = Path("run.csv").read_text().splitlines()
    assert lines[1] == "epoch,loss,validation,accuracy" and status_of("run.csv") == "ours"
    rows = list(csv.reader(lines[2:]))
    assert [row[0] for row in rows] == ["1", "2", "3", "4"] and status_of("run.png") == "ours"
    told = [line for line in capsys.readouterr().out.splitlines() if line.startswith("Epoch")]
    for row, line in zip(rows, told, strict=True):
        loss, validation, accuracy = map(float, row[1:])
        assert line == (f"Epoch {row[0]}: Loss = {loss:.4g}, validation = {validation:.4g},"
                        f" accuracy = {accuracy:.4g}")


def test_pictures_that_cannot_be_drawn_are_refused_before_the_work(folder, capsys, monkeypatch):
    for words, said in ((["--log", "run.txt"], "--log writes a .csv file, not run.txt"),
                        (["--plot", "run.pdf"], "--plot draws a .png file, not run.pdf")):
        assert run([*WORDS, *words]) == 2
        assert capsys.readouterr().err == f"symprop: {said}\n"
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    assert run([*WORDS, "--plot", "run.png"]) == 2
    said = capsys.readouterr()
    assert "pip install 'symprop[plot]'" in said.err and said.err.count("\n") == 1
    assert said.out == ""


def test_on_a_terminal_the_bar_stands_for_the_lines(folder, capsys, monkeypatch):
    monkeypatch.setattr(command, "on_a_terminal", lambda: True)
    assert run([*WORDS, "--epochs", "5"]) == 0
    out = capsys.readouterr().out.splitlines()
    assert len(out) == 1 and out[0].startswith("Epoch 5: Loss = ")
