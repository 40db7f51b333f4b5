"""Arrays from outside of the function: looked up by traced positions, and those that are long."""

import subprocess
import sys
from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest

import symprop
from symprop.cli.main import run as command
from symprop.errors import SympropError
from symprop.train import load_arrays

RNG = np.random.default_rng(0)
TABLE = RNG.standard_normal((6, 3))
LONG = RNG.standard_normal((40, 30))
LONG_NUMBERS = RNG.integers(0, 6, 1200)
HELD = SimpleNamespace(table=TABLE, parts={"big table": LONG, "list": [TABLE]})


def by_name(y: "int N", w: "3"):
    return np.sum(np.tanh(TABLE[y] @ w))


def of_an_object(y: "int N", w: "3"):
    return np.sum(HELD.table[y] @ w * (HELD.parts["list"][0][y] @ w))


def calculated(y: "int N", w: "3"):
    table = np.exp(TABLE)
    return np.sum((table / table.sum(axis=1, keepdims=True))[y] @ w)


def by_default(y: "int N", w: "3", table=TABLE):
    return np.sum(table[y] @ w)


def looked_up(y, table=TABLE):
    return table[y]


def of_a_helper(y: "int N", w: "3"):
    return np.sum(looked_up(y) @ w)


def by_what_is_computed(x: "N 3", w: "6 3"):
    return np.sum(TABLE[np.argmax(x @ w.T, axis=1)] * x)


def _closed_over(table):
    def of_a_closure(y: "int N", w: "3"):
        return np.sum(table[y] @ w)

    return of_a_closure


class Net:
    def __init__(self):
        self.table = TABLE

    def __call__(self, y: "int N", w: "3"):
        return np.sum(self.table[y] @ w)


def _agrees(function):
    """The module's gradients are those of the function itself."""
    module = symprop.generate(symprop.derive(symprop.trace(function)))
    inputs = module.draw_inputs(1)
    _, gradients = module.value_and_grad(**{**inputs, **module.held})
    for name, gradient in gradients.items():
        way = np.random.default_rng(2).standard_normal(gradient.shape)

        def at(h, name=name, way=way):
            moved = {n: np.array(a) for n, a in inputs.items() if n not in module.held}
            moved[name] = moved[name] + h * way
            return function(**moved)

        near, far = ((at(h) - at(-h)) / (2 * h) for h in (1e-3, 2e-3))
        assert np.sum(gradient * way) == pytest.approx((4 * near - far) / 3, rel=1e-8)
    return module


@pytest.mark.parametrize("function", [
    by_name, of_an_object, calculated, by_default, of_a_helper, by_what_is_computed,
    _closed_over(TABLE), Net()], ids=lambda f: getattr(f, "__name__", "object"))
def test_a_table_from_anywhere_is_looked_up_and_left_as_it_was(function):
    before = TABLE.copy()
    _agrees(function)
    places = [TABLE, HELD.table, HELD.parts["list"][0], by_default.__defaults__[0],
              looked_up.__defaults__[0], getattr(function, "table", TABLE)]
    assert {type(p) for p in places} == {np.ndarray}
    assert np.array_equal(TABLE, before)


def test_an_array_from_outside_is_not_written_into():
    def loss(w: "3"):
        TABLE[0] = w
        return np.sum(TABLE**2)

    with pytest.raises(SympropError, match=r"test_tables\.py:\d+: a traced value is written into "
                                           "an array from outside of the function.*copy"):
        symprop.trace(loss)
    assert type(TABLE) is np.ndarray


def long_ones(y: "int N", w: "30 M"):
    roots = np.log(np.abs(HELD.parts["big table"]) + 1)[y] @ w
    return np.sum(roots**2) + np.sum((LONG @ w) ** 2) + np.sum(w[LONG_NUMBERS, 0])


def test_long_arrays_are_arguments_whose_numbers_are_known():
    system = symprop.trace(long_ones)
    assert list(system.held) == ["const", "LONG", "LONG_NUMBERS"]
    assert system.wrt == ("w",)
    assert [f.array for f in system.facts] == ["const"]  # which is positive
    notes = [n for n in system.notes if n.kind == "constant"]
    assert "LONG, a constant array of shape (40, 30), has more than 1000 numbers" in notes[1].text
    module = _agrees(long_ones)
    assert tuple(system.held) == module.CONSTANTS
    assert symprop.check(module).passed
    assert len(module.source) < 10_000


def test_a_long_array_in_a_loop_over_a_named_axis():
    def loss(x: "T 40", w: "30"):
        h = np.zeros(30)
        for row in x:
            h = np.tanh(row @ LONG + h * w)
        return np.sum(h)

    assert list(symprop.trace(loss).held) == ["LONG"]
    assert symprop.check(_agrees(loss)).passed


MODEL = """
import numpy as np
EMB = np.random.default_rng(0).standard_normal((300, 4))
WRT = ("W",)
def loss(tok: "int N", y: "N M", W: "4 M"):
    return np.mean((EMB[tok] @ W - y) ** 2)
"""


def test_the_path_on_the_command_line(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "model.py").write_text(MODEL)
    rng = np.random.default_rng(1)
    np.savez("d.npz", tok=rng.integers(0, 300, 60), y=rng.standard_normal((60, 2)))

    def told(status, *words):
        assert command(words) == status
        captured = capsys.readouterr()
        return captured.out + captured.err

    run = partial(told, 0)
    assert "symprop generate --constants FILE.npz writes" in run(
        "generate", "model.py:loss", "-o", "m.py", "--constants", "m.npz")
    emb = load_arrays(tmp_path / "m.npz")["EMB"]
    assert emb.shape == (300, 4)
    assert "PASSED" in run("check", "m.py", "--constants", "m.npz")
    settings = ("--batch", "20", "--epochs", "2", "--data", "d.npz", "--validation", "0.2")
    said = told(2, "train", "m.py", *settings, "-o", "p.npz")
    assert "the constants EMB are missing: say --constants FILE.npz" in said
    of_file = run("train", "m.py", *settings, "-o", "p.npz", "--constants", "m.npz")
    assert of_file.startswith("Epoch 1: Loss")
    assert of_file == run("train", "model.py:loss", *settings, "-o", "p.npz", "--quiet")
    told(0, "build", "model.py:loss", "-o", "b", "--quiet")
    done = subprocess.run(
        [sys.executable, "b/loss_train.py", "d.npz", "q.npz", "b/loss_constants.npz"],
        capture_output=True, text=True, check=True)
    assert done.stdout.startswith("Epoch 1: Loss")
    assert "current  b/loss_constants.npz" in run("check", "model.py:loss", "--frozen", "b")
    (tmp_path / "model.py").write_text(MODEL.replace("rng(0)", "rng(3)"))
    assert "stale    b/loss_constants.npz" in told(
        1, "check", "model.py:loss", "--frozen", "b")
