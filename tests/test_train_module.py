"""The generated training module: it stands alone, and its numbers are those of symprop.train."""

import ast
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from symprop.errors import InputError
from symprop.files.load import load_file, load_text
from symprop.train import train
from symprop.train.embed import giving_way, model_part, names_of
from symprop.train.emit import TEMPLATES, training_module
from symprop.train.optimizers import OPTIMIZERS, Optimizer
from symprop.train.signature import signature_of_source

MODELS = Path(__file__).parent / "train_models"


def source(name):
    return (MODELS / f"{name}.py").read_text()


def cloud(dtype=float):
    rng = np.random.default_rng(5)
    labels = np.arange(50) % 3
    X = np.array([[2, 0], [-1, 2], [-1, -2]])[labels] + 0.4 * rng.normal(size=(50, 2))
    return {"X": X.astype(dtype), "Y": np.eye(3, dtype=dtype)[labels]}


def agree(name, data, flat=None, **options):
    """Train both ways; the numbers must be the same to the last bit."""
    lines, own_lines = [], []
    own = load_text(training_module(source(name), name, **options), f"{name}_train")
    expected = train(load_file(MODELS / f"{name}.py"), data, log=lines.append, **options)
    params, losses = own.train(flat or data, log=own_lines.append)
    assert tuple(losses) == expected.losses and own_lines == lines
    assert list(params) == list(expected.arrays)
    for leaf, array in expected.arrays.items():
        assert params[leaf].dtype == array.dtype and np.array_equal(params[leaf], array), leaf


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_every_optimizer_gives_the_same_numbers(optimizer):
    agree("mlp", cloud(), optimizer=optimizer, sizes={"H": 4}, batch=16, epochs=4, l2=0.01, lr=0.05)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"validation": 0.2},
        {"batch": 7, "validation": 0.3, "seed": 3, "init": "he"},
        {"init": "normal", "optimizer": "gd", "lr": np.float64(0.5)},
        {"tol": 1e-2, "patience": 2, "epochs": 200, "optimizer": "gd", "lr": 0.5},
        {"init": "zeros", "tol": 0.5, "l2": 0.1},
        {"validation": 0.3, "patience": 3, "epochs": 60, "lr": 0.3, "batch": 8},
        {"validation": 0.3, "tol": 0.1, "epochs": 60, "lr": 0.3},
        {"batch": 64, "batch_axis": "N"},
    ],
)
def test_all_settings_give_the_same_numbers(options):
    agree("mlp", cloud(), **{"sizes": {"H": 4}, "epochs": 3, **options})


def test_float32_columns_nested_tokens_and_scalars():
    data = cloud(np.float32)
    agree("mlp", data, sizes={"H": 4}, batch=16, epochs=2)
    columns = {"x": data["X"].T, "y": data["Y"].T}
    agree("columns", columns, sizes={"H": 4}, batch=16, init="he", l2=0.1, epochs=2)
    rng = np.random.default_rng(1)
    flat = {"data_x": rng.normal(size=(20, 3)), "data_y": rng.normal(size=20)}
    agree("nested", flat, batch=6, validation=0.2, epochs=3, l2=0.1)
    agree("tokens", {"t": np.array([0, 2, 2, 1]), "s": 1.5}, sizes={"V": 4}, batch=2, epochs=3)
    agree("least_squares", {"X": np.ones((5, 2), np.uint8), "y": np.arange(5)}, epochs=3)


def test_it_runs_alone_from_the_command_line(tmp_path):
    text = training_module(source("mlp"), "mlp", sizes={"H": 4}, batch=16, epochs=2)
    (tmp_path / "mlp_train.py").write_text(text)
    np.savez(tmp_path / "data.npz", **cloud())

    def run(*arguments):
        command = [sys.executable, "-I", "mlp_train.py", *arguments]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)

    done = run("data.npz", "params.npz")
    assert done.returncode == 0 and done.stdout.startswith("Epoch 1: Loss = "), done.stderr
    with np.load(tmp_path / "params.npz") as params:
        assert params["W1"].shape == (2, 4)
    onwards = run("data.npz", "more.npz", "params.npz")
    first, last = done.stdout.splitlines()[-1], onwards.stdout.splitlines()[0]
    assert float(last.split()[-1]) < float(first.split()[-1])
    assert run().stderr.startswith("usage: ") and run().returncode == 1
    np.savez(tmp_path / "half.npz", X=np.ones((3, 2)))
    assert run("half.npz", "x.npz").stderr == "error: the data lack Y\n"
    assert not (tmp_path / "x.npz").exists()


def test_the_text_imports_numpy_alone_and_fits_the_page():
    for name in ("mlp", "columns", "nested", "tokens", "least_squares"):
        sizes = {"mlp": {"H": 4}, "columns": {"H": 4}, "tokens": {"V": 9}}.get(name)
        options = {"sizes": sizes, "batch": 8, "l2": 0.1, "validation": 0.2, "tol": 0.1}
        text = training_module(source(name), name, **options)
        assert text == training_module(source(name), name, **options)
        assert text.endswith("\n") and "\n\n\n\n" not in text and "symprop" not in text
        own = text[text.index("its training") :]
        assert max(len(line) for line in own.splitlines()) <= 88
        at_top = [node for node in ast.parse(text).body if isinstance(node, ast.Import)]
        assert [alias.name for node in at_top for alias in node.names] == ["numpy"]


def test_only_what_is_asked_for_is_spelled():
    plain = training_module(source("least_squares"), "least_squares", optimizer="gd")
    for word in ("BATCH", "VALIDATION", "TOL", "L2", "WEIGHTS", "BETA1", "glorot", "def take"):
        assert word not in plain
    assert "step = LR * g\n" in plain


def test_large_structures_are_spread_over_lines():
    """One block to a line group; the structure read back is the one of the annotation."""
    block = {f"W{letter}": "D D" for letter in "qkvo"} | {"pair": ("D", "D"), "one": ("D",)}
    text = f'WRT = ("blocks",)\n\n\ndef forward(x: "N D", blocks: {[block] * 3!r}):\n    ...\n'
    text += "\n\ndef value_and_grad(x, blocks):\n    ...\n"
    whole = training_module(text, "tower")
    own = whole[whole.index("its training") :]
    assert max(len(line) for line in own.splitlines()) <= 88
    names = signature_of_source(text, "tower").leaves
    built = load_text(whole, "tower_train").arguments({leaf.name: leaf.name for leaf in names})
    assert built["blocks"][2]["pair"] == ("blocks_2_pair_0", "blocks_2_pair_1")
    assert built["blocks"][1]["one"] == ("blocks_1_one_0",) and built["x"] == "x"
    assert [set(part) for part in built["blocks"]] == [set(block)] * 3


def test_names_of_the_model_stay_and_those_of_the_training_give_way():
    text = training_module(source("mlp"), "mlp", sizes={"H": 4})
    assert "LR = 1.0  # a constant of the model" in text and "LR_2 = 0.001" in text
    assert "# the stable form\ndef softmax" in text
    assert "self_check" not in text and "import sys\n\nimport" not in text
    renamed = giving_way("def load():\n    load_all = 'load'\n    return load\n", {"load"})
    assert renamed == "def load_2():\n    load_all = 'load'\n    return load_2\n"


def test_the_model_part_keeps_what_is_reached():
    text = 'import numpy as np\n"""doc"""\nc = 1\nd: float = 2\n\ndef g(x):\n    return d * x\n'
    text += "\n@cached\ndef forward(x):\n    return g(x)\n\ndef cached(f):\n    return f\n"
    text += "\nif True:\n    c = 3\n"
    assert names_of(text) == {"np", "c", "d", "g", "forward", "cached"}
    kept = model_part(text)
    assert names_of(kept) == {"d", "g", "forward", "cached"}
    assert "@cached\ndef forward" in kept


def test_axis_letters_that_are_taken_give_way():
    text = (
        'WRT = ("W", "b")\n\n\ndef forward(x: "N data", W: "data rng", b: "rng"):\n'
        "    e = x @ W + b\n    return (e * e).mean(), (x, e)\n\n\ndef backward(saved, dL=1.0):\n"
        "    x, e = saved\n    d = e * (2 * dL / e.size)\n"
        '    return {"W": x.T @ d, "b": d.sum(axis=0)}\n\n\ndef value_and_grad(x, W, b):\n'
        "    loss, saved = forward(x, W, b)\n    return loss, backward(saved)\n"
    )
    data = {"x": np.random.default_rng(0).normal(size=(6, 3))}
    own = load_text(training_module(text, "odd", sizes={"rng": 2}, epochs=3), "odd_train")
    expected = train(load_text(text, "odd"), data, sizes={"rng": 2}, epochs=3, log=None)
    assert tuple(own.train(data, log=lambda line: None)[1]) == expected.losses


def test_what_is_refused():
    class Own(Optimizer):
        pass

    mlp = source("mlp")
    for options, message in [
        ({}, "the size of H is not in the data"),
        ({"sizes": {"H": 4}, "init": "start.npz"}, "init of a training module is one of glorot"),
        ({"sizes": {"H": 4}, "optimizer": Own(0.1)}, "there is no text for the optimizer Own"),
        ({"sizes": {"H": 4}, "batch": 0}, "batch must be"),
    ]:
        with pytest.raises(InputError, match=message):
            training_module(mlp, "mlp", **options)
    with pytest.raises(InputError, match="quadratic has no function value_and_grad"):
        training_module(source("quadratic"), "quadratic")
    assert set(TEMPLATES) == set(OPTIMIZERS.values())
