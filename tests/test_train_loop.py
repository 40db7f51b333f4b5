"""The loop: batches, batch axes, initial values, convergence, seeds, and what it refuses."""

import math
from pathlib import Path

import numpy as np
import pytest

import symprop
from symprop.errors import InputError
from symprop.files.load import load_file
from symprop.train import save_arrays, train
from symprop.train.batches import batches, find_examples, split
from symprop.train.initial import starts, weights
from symprop.train.signature import signature, signature_of, signature_of_source

MODELS = Path(__file__).parent / "train_models"
RNG = np.random.default_rng(7)


def model(name):
    return load_file(MODELS / f"{name}.py")


def line(count=60, dtype=float):
    X = np.random.default_rng(3).normal(size=(count, 3))
    return {"X": X.astype(dtype), "y": (X @ [1.0, -2.0, 0.5] + 0.25).astype(dtype)}


def classes(count=90, dtype=float):
    """Three clouds in the plane, targets one-hot."""
    rng = np.random.default_rng(5)
    labels = np.arange(count) % 3
    X = np.array([[2, 0], [-1, 2], [-1, -2]])[labels] + 0.4 * rng.normal(size=(count, 2))
    return {"X": X.astype(dtype), "Y": np.eye(3, dtype=dtype)[labels]}


def test_least_squares_finds_the_line():
    result = train(model("least_squares"), line(), lr=0.1, optimizer="gd", epochs=400, log=None)
    assert np.allclose(result.params["w"], [1, -2, 0.5]) and np.isclose(result.params["b"], 0.25)
    assert result.epochs == len(result.losses) == 400 and not result.converged
    assert result.losses[-1] < 1e-12 and result.validation_losses == ()


def test_a_model_without_examples_trains_on_everything_at_once():
    a, c = np.array([1.0, 2.0]), np.array([3.0, -1.0])
    result = train(model("quadratic"), {"a": a, "c": c}, optimizer="gd", lr=0.4, log=None)
    assert np.allclose(result.params["w"], c)
    with pytest.raises(InputError, match=r"every data array \(a: 'K', c: 'K'\) .* give batch_axis"):
        train(model("quadratic"), {"a": a, "c": c}, batch=1, log=None)


def test_all_gradients_come_before_any_change_and_the_penalty_leaves_biases_alone():
    """Two steps of gradient descent, spelled out."""
    mlp, data = model("mlp"), classes(12)
    start = {"W1": RNG.normal(size=(2, 4)), "b1": RNG.normal(size=4)}
    start |= {"W2": RNG.normal(size=(4, 3)), "b2": RNG.normal(size=3)}
    result = train(mlp, data, optimizer="sgd", lr=0.5, l2=0.1, epochs=2, init=start, log=None)
    params = dict(start)
    for _ in range(2):
        grads = mlp.backward(mlp.forward(**data, **params)[1])
        penalty = {"W1": 0.1 * params["W1"], "W2": 0.1 * params["W2"], "b1": 0, "b2": 0}
        params = {n: params[n] - 0.5 * (grads[n] + penalty[n]) for n in params}
    for name, array in params.items():
        assert np.allclose(result.params[name], array, rtol=1e-13)


def test_losses_are_means_over_examples_with_a_smaller_last_batch():
    """At a vanishing rate the loss of an epoch is the loss of all the data."""
    data = line(50)
    start = {"w": np.ones(3), "b": np.zeros(())}
    result = train(
        model("least_squares"), data, optimizer="gd", lr=1e-300, batch=16, epochs=1, init=start,
        log=None,
    )  # fmt: skip
    assert math.isclose(result.losses[0], model("least_squares").forward(**data, **start)[0])


def test_batches_visit_every_example_once_and_seeds_decide_the_order():
    drawn = list(batches(10, 4, np.random.default_rng(0)))
    assert [len(rows) for rows in drawn] == [4, 4, 2]
    assert sorted(np.concatenate(drawn)) == list(range(10))
    again = np.concatenate(list(batches(10, 4, np.random.default_rng(0))))
    other = np.concatenate(list(batches(10, 4, np.random.default_rng(1))))
    assert np.array_equal(again, np.concatenate(drawn)) and not np.array_equal(again, other)


def test_held_out_examples_are_never_trained_on():
    kept, held = split(10, 0.25, np.random.default_rng(0))
    assert sorted([*kept, *held]) == list(range(10)) and len(held) == 2
    with pytest.raises(InputError, match="1 examples are too few to hold out"):
        split(1, 0.2, np.random.default_rng(0))
    data = line(20)
    _, held = split(20, 0.3, np.random.default_rng(4))
    spoiled = {"X": data["X"], "y": data["y"].copy()}
    spoiled["y"][held] += 1e3
    options = {"validation": 0.3, "seed": 4, "batch": 5, "epochs": 3, "log": None}
    clean, dirty = (train(model("least_squares"), d, **options) for d in (data, spoiled))
    assert np.array_equal(clean.params["w"], dirty.params["w"])
    assert clean.losses == dirty.losses and dirty.validation_losses[0] > 1e5


def test_the_same_seed_gives_the_same_numbers():
    runs = [
        train(model("mlp"), classes(), sizes={"H": 5}, batch=32, epochs=3, seed=seed, log=None)
        for seed in (3, 3, 4)
    ]
    assert runs[0].losses == runs[1].losses != runs[2].losses
    assert np.array_equal(runs[0].params["W1"], runs[1].params["W1"])


@pytest.mark.parametrize("optimizer", ["momentum", "nesterov", "rmsprop", "adam", "adamw"])
def test_a_network_learns_in_float32(optimizer):
    mlp, data = model("mlp"), classes(dtype=np.float32)
    lr = 0.1 if optimizer in ("momentum", "nesterov") else 0.02
    result = train(
        mlp, data, sizes={"H": 8}, batch=16, optimizer=optimizer, lr=lr, epochs=15, l2=1e-4,
        log=None,
    )  # fmt: skip
    logits = mlp.predict(X=data["X"], **result.params)["logits"]
    assert {array.dtype for array in result.arrays.values()} == {np.dtype(np.float32)}
    assert (logits.argmax(axis=1) == data["Y"].argmax(axis=1)).mean() > 0.95


def test_examples_as_columns():
    data = classes()
    columns = {"x": data["X"].T, "y": data["Y"].T}
    net = model("columns")
    result = train(net, columns, sizes={"H": 6}, batch=16, lr=0.05, epochs=30, log=None)
    found = net.predict(x=columns["x"], **result.params)["a"]
    assert (found.argmax(axis=0) == columns["y"].argmax(axis=0)).mean() > 0.95


def test_nested_arguments_come_back_nested():
    rng = np.random.default_rng(1)
    data = {"x": rng.normal(size=(30, 3)), "y": rng.normal(size=30)}
    net = model("nested")
    nested = train(net, {"data": data}, batch=10, epochs=4, log=None)
    flat = train(net, {"data_x": data["x"], "data_y": data["y"]}, batch=10, epochs=4, log=None)
    assert list(nested.arrays) == ["layers_0_W", "layers_1_W", "v"]
    assert nested.params["layers"][1]["W"] is nested.arrays["layers_1_W"]
    assert nested.losses == flat.losses and nested.losses[-1] < nested.losses[0]
    onwards = train(net, {"data": data}, init=nested.params, epochs=0, log=None)
    assert np.array_equal(onwards.arrays["layers_0_W"], nested.arrays["layers_0_W"])


def test_whole_numbers_and_domains():
    """E is declared positive and starts so; its size is chosen; t stays whole."""
    net, t = model("tokens"), np.array([0, 2, 2, 1])
    result = train(net, {"t": t, "s": 1.5}, sizes={"V": 4}, epochs=0, log=None)
    assert result.params["E"].shape == (4,) and (result.params["E"] > 0).all()
    with pytest.raises(InputError, match="t: indices must be in"):
        train(net, {"t": t, "s": 1.5}, sizes={"V": 2}, log=None)


def test_what_is_printed():
    lines = []
    train(model("least_squares"), line(), lr=0.1, epochs=12, validation=0.2, log=lines.append)
    assert lines[11].startswith("Epoch 12: Loss = ") and ", validation = " in lines[11]
    lines.clear()
    start = {"w": np.zeros(3), "b": np.sqrt(0.1234)}
    data = {"X": np.ones((4, 3)), "y": np.zeros(4)}
    train(model("least_squares"), data, epochs=1, init=start, log=lines.append)
    assert lines == ["Epoch 1: Loss = 0.1234"]


def test_it_stops_when_the_loss_rests():
    options = {"optimizer": "gd", "lr": 0.1, "epochs": 500, "log": None}
    first = train(model("least_squares"), line(), tol=1e-4, **options)
    later = train(model("least_squares"), line(), tol=1e-4, patience=5, **options)
    assert first.converged and later.converged and later.epochs == first.epochs + 4
    changes = np.abs(np.diff(later.losses))
    assert (changes[-5:] < 1e-4).all() and (changes[:-5] >= 1e-4).all()


def test_the_batch_axis():
    def found(annotations, wrt, chosen=None):
        return find_examples(signature(annotations, wrt), chosen)

    assert found({"X": "N K", "Y": "N M", "s": "", "W": "K M"}, ["W"]).places == {"X": 0, "Y": 0}
    assert found({"x": "K N", "y": "N", "w": "K"}, ["w"]).places == {"x": 1, "y": 0}
    assert found({"X": "N D", "W": "D H"}, ["W"]).axis == "N"
    two = {"x": "T N K", "y": "T N", "w": "K"}
    with pytest.raises(InputError, match=r"x: 'T N K', y: 'T N'.* T and N do: give batch_axis"):
        found(two, ["w"])
    assert found(two, ["w"], "N").places == {"x": 1, "y": 1}
    mask = {"X": "N T", "mask": "T T", "w": "T"}
    assert found(mask, ["w"], "N").places == {"X": 0}
    with pytest.raises(InputError, match="none does"):
        found(mask, ["w"])
    with pytest.raises(InputError, match="batch_axis T is an axis of a parameter"):
        found(mask, ["w"], "T")
    with pytest.raises(InputError, match="batch_axis Q is in none of the data arrays"):
        found(mask, ["w"], "Q")
    with pytest.raises(InputError, match="G: 'N N' cannot be cut into batches along N"):
        found({"G": "N N", "w": "K"}, ["w"])


def test_initial_values():
    """Glorot and He have the variances of their papers, with the fans of both conventions."""
    rows = signature({"X": "N K", "Y": "N M", "W": "K M", "b": "M"}, ["W", "b"])
    columns = signature({"x": "K N", "y": "M N", "W": "M K", "b": "M 1"}, ["W", "b"])
    for described in (rows, columns):
        examples = find_examples(described)
        plan = {scheme: starts(described, scheme, examples) for scheme in ("glorot", "he")}
        sizes = {"N": 2, "K": 300, "M": 200}
        assert plan["glorot"]["W"].fan.evaluate(sizes) == 500
        assert plan["he"]["W"].fan.evaluate(sizes) == 300
        assert plan["he"]["b"].kind == "zeros" and weights(described, examples) == ("W",)
    kernel = signature({"x": "N C P", "K": "D C 5"}, ["K"])
    sizes = {"N": 2, "C": 3, "P": 9, "D": 4}
    for scheme, fan in (("glorot", 5 * (3 + 4)), ("he", 5 * 3)):
        start = starts(kernel, scheme, find_examples(kernel, "N"))["K"]
        assert start.fan.evaluate(sizes) == fan


@pytest.mark.parametrize(
    ("init", "deviation"),
    [("glorot", (2 / 500) ** 0.5), ("he", (2 / 300) ** 0.5), ("normal", 0.05)],
)
def test_spread_of_initial_values(init, deviation):
    data = {"X": np.zeros((2, 300)), "Y": np.eye(200)[:2]}
    result = train(model("mlp"), data, sizes={"H": 200}, init=init, epochs=0, log=None)
    W = result.params["W1"]
    assert abs(W.std() / deviation - 1) < 0.02 and abs(W.mean()) < 4 * deviation / 245
    if init == "glorot":
        assert np.abs(W).max() <= (6 / 500) ** 0.5
    assert (result.params["b1"] == 0).all() == (init != "normal")


def test_one_column_is_a_weight_where_there_is_one_feature():
    """With a single input feature `1 H` is a weight matrix: it must not start at zero."""
    single = signature({"X": "N 1", "y": "N", "W": "1 H", "v": "H"}, ["W", "v"])
    assert starts(single, "glorot", find_examples(single))["W"].kind == "glorot"
    many = signature({"X": "N K", "y": "N", "W": "K H", "b": "1 H"}, ["W", "b"])
    assert starts(many, "glorot", find_examples(many))["b"].kind == "zeros"


def test_init_from_a_file_and_from_arrays(tmp_path):
    path = tmp_path / "start.npz"
    save_arrays(path, {"w": np.array([1, 2, 3]), "b": np.array(4.0)})
    for init in (path, str(path)):
        result = train(
            model("least_squares"), line(dtype=np.float32), init=init, epochs=0, log=None
        )
        assert result.params["w"].tolist() == [1, 2, 3] and result.params["w"].dtype == np.float32
    save_arrays(path, {"w": np.ones(3)})
    with pytest.raises(InputError, match=r"start.npz lacks b"):
        train(model("least_squares"), line(), init=path, log=None)
    part = train(model("least_squares"), line(), init={"w": np.ones(3)}, epochs=0, log=None)
    assert part.params["b"] == 0


SQUARES = {"module": model("least_squares"), "data": line(), "log": None}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"epochs": -1}, "epochs must be a whole number of at least 0, not -1"),
        ({"batch": 0}, "batch must be a whole number of at least 1, not 0"),
        ({"batch": 2.5}, "batch must be a whole number"),
        ({"lr": 0}, "lr must be a number above 0, not 0"),
        ({"lr": float("nan")}, "lr must be a number above 0, not nan"),
        ({"lr": "fast"}, "lr must be a number above 0, not 'fast'"),
        ({"validation": 1.0}, "validation must be a number of at least 0 and below 1, not 1.0"),
        ({"l2": -1}, "l2 must be a number of at least 0"),
        ({"seed": -1}, "seed must be a whole number"),
        ({"patience": 3}, "give tol as well"),
        ({"optimizer": "magic"}, "'magic' is no optimizer"),
        ({"init": "xavier"}, "init 'xavier' is neither glorot, he, normal, zeros nor an .npz file"),
        ({"init": {"v": 1}}, "init holds v; the parameters are w, b"),
        (
            {"init": {"w": np.ones(4)}},
            "axis 0 of w, declared as K and of size 4, should be of size 3",
        ),
        ({"init": {"w": np.full(3, np.inf)}}, "init holds numbers in w that are not finite"),
        ({"init": {"w": ["a"]}}, "init holds w as <U1"),
        ({"sizes": {"Q": 3}}, "no array has an axis Q whose size could be chosen"),
        ({"sizes": {"K": 0}}, "the size of K must be a whole number above 0, not 0"),
        ({"sizes": {"K": 4}}, "of X, declared as K and of size 3, should be of size 4"),
        ({"data": {"X": np.ones((4, 3)), "y": np.ones(5)}}, "axis 0 of y, declared as N"),
        ({"data": {"X": np.ones(4), "y": np.ones(4)}}, r"X has the shape \(4,\)"),
        (
            {"lr": 1e9, "optimizer": "gd", "epochs": 90},
            r"the loss is (inf|nan) in epoch \d+: lower lr",
        ),
        ({"module": object()}, "a module to train needs functions forward and backward"),
    ],
)
def test_what_is_refused(options, message):
    with pytest.raises(InputError, match=message):
        train(**{**SQUARES, **options})


@pytest.mark.parametrize("patience", [1, 3])
@pytest.mark.parametrize("lr", [0.02, 0.3])
def test_early_stopping_watches_the_validation_loss(patience, lr):
    """It stops where no loss of the last epochs undercut the lowest before, and returns that."""
    rng = np.random.default_rng(2)
    data = {"X": rng.normal(size=(16, 12)), "y": rng.normal(size=16)}  # nothing to generalise
    options = {"validation": 0.4, "lr": lr, "batch": 4, "epochs": 60, "log": None}
    whole = train(model("least_squares"), data, **options)
    early = train(model("least_squares"), data, patience=patience, **options)
    held = whole.validation_losses
    stop = next(e for e in range(patience, 60) if min(held[e - patience + 1 : e + 1])
                >= min(held[: e - patience + 1]))  # fmt: skip
    assert early.converged and early.epochs == stop + 1 < 60 == whole.epochs
    assert early.best_epoch == 1 + int(np.argmin(early.validation_losses)) < early.epochs
    best = train(model("least_squares"), data, **{**options, "epochs": early.best_epoch})
    last = train(model("least_squares"), data, **{**options, "epochs": early.epochs})
    assert np.array_equal(early.params["w"], best.last["w"])
    assert np.array_equal(early.last["w"], last.params["w"])
    assert np.array_equal(whole.params["w"], whole.last["w"])  # nobody asked to stop early
    assert min(held) == held[whole.best_epoch - 1]


def test_a_size_that_nobody_told():
    with pytest.raises(
        InputError, match=r"the size of H \(W1: 'K H'\) is not in the data: .*--size H=64"
    ):
        train(model("mlp"), classes(), log=None)


def test_a_false_fact_is_told_by_the_module_itself():
    data = classes()
    with pytest.raises(InputError, match="Y: its rows must sum to one"):
        train(model("mlp"), {**data, "Y": data["Y"] * 2}, sizes={"H": 3}, log=None)


class Wrong:
    """A hand-written module whose backward can be spoiled."""

    WRT = ("w",)

    def __init__(self, gradients):
        self.gradients = gradients

    def forward(self, x: "N", w: ""):
        return np.mean(x) * w, None

    def backward(self, saved):
        return self.gradients


@pytest.mark.parametrize(
    ("gradients", "message"),
    [
        ({}, "backward returns no gradient of w"),
        ({"w": np.ones(2)}, r"the gradient of w has the shape \(2,\), not \(\)"),
        ({"w": np.array(np.nan)}, "the gradient of w is not finite in epoch 1"),
    ],
)
def test_a_backward_that_is_wrong(gradients, message):
    with pytest.raises(InputError, match=message):
        train(Wrong(gradients), {"x": np.ones(3)}, log=None)


def test_a_last_step_that_leaves_the_numbers():
    with (
        np.errstate(over="ignore"),
        pytest.raises(
            InputError, match=r"w is no longer finite after epoch 1: lower lr \(1e\+300\)"
        ),
    ):
        huge = Wrong({"w": np.array(1e300)})
        train(huge, {"x": np.ones(3)}, optimizer="gd", lr=1e300, epochs=1, log=None)


def test_signatures_from_text_and_from_the_live_module_agree():
    for path in sorted(MODELS.glob("*.py")):
        assert signature_of_source(path.read_text(), path.stem) == signature_of(model(path.stem))
    for source, message in [
        ("def f(:", "is not Python"),
        ("x = 1", "needs WRT and a function forward"),
        ("WRT = names()\ndef forward(x: 'N'): pass", "WRT is not a literal"),
        ("WRT = ('v',)\ndef forward(x: 'N'): pass", "WRT names v, which is no annotated argument"),
        ("WRT = ()\ndef forward(x: 'N'): pass", "nothing to train"),
        (
            "WRT = ('x',)\ndef forward(x: 'int N'): pass",
            "x holds int numbers and cannot be trained",
        ),
    ]:
        with pytest.raises(InputError, match=message):
            signature_of_source(source, "bad")


def weighted(X: "N K", y: "N", s: ""):
    w = np.linalg.solve(X.T @ X * s, X.T @ y)
    return np.sum((X @ w - y) ** 2)


def test_a_singular_system_names_its_line():
    module = symprop.generate(symprop.trace(weighted, wrt=["s"]))
    data = {"X": np.ones((5, 3)), "y": np.arange(5.0)}
    with pytest.raises(InputError, match=r"no solution in line \d+, `w = np.linalg.solve\("):
        train(module, data, log=None)
