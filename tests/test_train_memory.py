"""What training will take is estimated before it starts, and is refused if it is not there."""

from pathlib import Path

import numpy as np
import pytest

from symprop.errors import InputError
from symprop.files.load import load_file, load_text
from symprop.train import memory, train
from symprop.train.signature import gradient_function

MLP = load_file(Path(__file__).parent / "train_models" / "mlp.py")

PAIRS = '''
import numpy as np

WRT = ("w",)


def forward(X: "N K", w: "K"):
    z = X @ w
    D = np.exp(-((z[:, None] - z[None, :]) ** 2))
    return D.mean(), (X, z, D)


def backward(saved, dL=1.0):
    X, z, D = saved
    G = -2 * D * (z[:, None] - z[None, :]) / D.size
    return {"w": dL * X.T @ (G.sum(1) - G.sum(0))}
'''


def clouds(count):
    labels = np.arange(count) % 3
    X = np.random.default_rng(5).normal(size=(count, 20))
    return {"X": X, "Y": np.eye(3)[labels]}


def needed(module, data, monkeypatch, **options):
    """What the estimate says, and what a step then really takes."""
    seen = {}
    original = memory.step_cost

    def noted(task, params):
        cost = seen["cost"] = original(task, params)
        run = gradient_function(task.module)
        count = task.examples.count(task.training)

        def step(n):
            taken = task.examples.take(task.training, np.arange(n))
            run(**task.signature.arguments({**taken, **params}))

        seen["true"], seen["count"] = memory.peak(step, count), count
        return cost

    monkeypatch.setattr(memory, "step_cost", noted)
    train(module, data, epochs=0, log=None, **options)
    return seen["cost"](seen["count"]), seen["true"]


@pytest.mark.parametrize("count", [300, 1000])
def test_the_estimate_is_what_a_step_takes(count, monkeypatch):
    for module, data, options in (
        (MLP, clouds(3 * count), {"sizes": {"H": 50}}),
        (load_text(PAIRS, "pairs"), {"X": clouds(count)["X"]}, {}),
    ):
        said, true = needed(module, data, monkeypatch, **options)
        assert 0.8 * true < said < 1.25 * true
        monkeypatch.undo()


def test_what_does_not_fit_is_refused_in_a_sentence(monkeypatch):
    monkeypatch.setattr(memory, "available", lambda: 2e6)
    data, options = clouds(6000), {"sizes": {"H": 50}, "epochs": 1, "log": None}
    said = r"a step on 6000 examples needs about \d[.\d]* MB of memory, and 2 MB are free: choose a"
    with pytest.raises(InputError, match=said + r" batch of \d+$") as caught:
        train(MLP, data, **options)
    batch = int(str(caught.value).split()[-1])
    assert batch & (batch - 1) == 0 and batch >= 128
    train(MLP, data, batch=batch, **options)
    with pytest.raises(InputError, match="a step on"):
        train(MLP, data, batch=4 * batch, **options)
    monkeypatch.setattr(memory, "available", lambda: 100.0)
    with pytest.raises(InputError, match=r"100 bytes are free: choose smaller sizes"):
        train(MLP, data, batch=16, **options)
    monkeypatch.setattr(memory, "available", lambda: None)
    train(MLP, data, **options)


def test_parameters_that_no_machine_holds_are_not_drawn():
    with pytest.raises(InputError, match=r"\d+ parameters need about \d+ PB of memory, and"):
        train(MLP, clouds(9), sizes={"H": 10**15}, log=None)


def test_what_is_free_is_read_from_the_system(monkeypatch, tmp_path):
    table, most = tmp_path / "meminfo", tmp_path / "memory.max"
    monkeypatch.setattr(memory, "MEMORY", table)
    monkeypatch.setattr(memory, "GROUP", tmp_path)
    assert memory.available() is None
    table.write_text("MemTotal: 100 kB\nMemAvailable:   50 kB\nSwapFree: 10 kB\n")
    assert memory.available() == 60 * 1024
    most.write_text("4096\n")
    (tmp_path / "memory.current").write_text("2048\n")
    (tmp_path / "memory.stat").write_text("anon 1024\nactive_file 256\ninactive_file 256\n")
    assert memory.available() == 2560
    most.write_text("max\n")
    assert memory.available() == 60 * 1024
