"""Right gradients pass, wrong ones fail, whatever the form they are given in."""

import dataclasses
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from symprop.check import CheckReport, check
from symprop.errors import FactError, InputError, ShapeError


def forward(X: "N K", Y: "N M", W1: "K H", b1: "H", W2: "H M", b2: "M", validate=True):
    if validate and not np.allclose(Y.sum(axis=1), 1):
        raise ValueError("Y does not sum to one along axis 1")
    A = np.tanh(X @ W1 + b1)
    Z = A @ W2 + b2
    Z = Z - Z.max(axis=1, keepdims=True)
    E = np.exp(Z)
    s = E.sum(axis=1, keepdims=True)
    return -(Y * (Z - np.log(s))).sum() / X.shape[0], (X, Y, W2, A, E / s)


def backward(saved, dL=1.0):
    X, Y, W2, A, P = saved
    dZ = (P - Y) * (dL / X.shape[0])
    dU = dZ @ W2.T * (1 - A * A)
    return {"W1": X.T @ dU, "b1": dU.sum(axis=0), "W2": A.T @ dZ, "b2": dZ.sum(axis=0)}


MLP = SimpleNamespace(
    __name__="mlp",
    forward=forward,
    backward=backward,
    WRT=("W1", "b1", "W2", "b2"),
    FACTS=(("sums_to_one", "Y", 1),),
)


def changed(name: str, change: Any) -> SimpleNamespace:
    """The MLP with one gradient passed through `change`."""

    def wrong(saved, dL=1.0):
        grads = backward(saved, dL)
        return {**grads, name: change(grads[name])}

    return SimpleNamespace(**{**vars(MLP), "backward": wrong})


def statuses(report: CheckReport) -> list[str]:
    return [row.status for row in report.rows]


def row(report: CheckReport, name: str) -> Any:
    return next(row for row in report.rows if row.name == name)


def test_a_right_mlp_passes() -> None:
    report = check(MLP)
    assert report.passed and statuses(report) == ["PASS"] * 4 and not report.problems
    assert [r.name for r in report.rows] == ["W1", "b1", "W2", "b2"]
    assert all(r.decided == r.total == np.prod(r.shape) for r in report.rows)
    assert all(r.error < 1e-10 < r.bound for r in report.rows)
    assert report.controls == 4
    assert len(set(dict(report.sizes).values())) == len(report.sizes) == 4


def test_without_its_fact_the_short_gradient_is_wrong() -> None:
    module = SimpleNamespace(**{**vars(MLP), "FACTS": ()})
    with pytest.raises(InputError, match="Y does not sum to one"):
        check(module)
    module.forward = lambda X, Y, W1, b1, W2, b2: forward(X, Y, W1, b1, W2, b2, False)
    module.forward.__annotations__ = forward.__annotations__
    assert statuses(check(module)) == ["FAIL"] * 4


@pytest.mark.parametrize("name", ["W1", "b1", "W2", "b2"])
def test_an_error_of_1e_5_of_the_scale_in_one_entry_fails(name: str) -> None:
    def bump(gradient: np.ndarray) -> np.ndarray:
        gradient.flat[-1] += 1e-5 * np.abs(gradient).max()
        return gradient

    report = check(changed(name, bump))
    assert not report.passed
    assert [r.name for r in report.rows if r.status == "FAIL"] == [name]


def test_a_forgotten_mean_is_named() -> None:
    report = check(changed("W2", lambda g: 5 * g), sizes={"N": 5})
    assert row(report, "W2").note == "every entry is 5 times the right one (N = 5)"
    report = check(changed("W2", lambda g: g / 7), sizes={"N": 7, "M": 5})
    assert row(report, "W2").note == "every entry is 0.1429 times the right one (1/N = 0.1429)"


@pytest.mark.parametrize(
    ("change", "note"),
    [
        (np.transpose, r"its shape is \(7, 2\), that of W2 is \(2, 7\)"),
        (lambda g: g[:, :1], "its shape is"),
        (lambda g: g.astype(np.float32), "its dtype is float32, that of W2 is float64"),
        (lambda g: np.where(g == g[1, 3], np.nan, g), r"nan at \[1, 3\], 1 of 14"),
        (lambda g: g * np.inf, r"-?inf at \[0, 0\], 14 of 14"),
        (lambda g: g[::-1], "differences say"),
        (lambda g: None, "no gradient came back"),
    ],
)
def test_a_wrong_form_fails(change: Any, note: str) -> None:
    report = check(changed("W2", change))
    assert [r.name for r in report.rows if r.status == "FAIL"] == ["W2"]
    with pytest.raises(AssertionError, match=note):
        raise AssertionError(row(report, "W2").note)


def test_a_gradient_that_is_zero_is_wrong_where_the_true_one_is_not() -> None:
    report = check((lambda x: (x * x).sum(), lambda x: {"x": 0 * x}), shapes={"x": "N"})
    assert statuses(report) == ["FAIL"]


def test_a_swapped_transpose_fails_though_the_shapes_agree() -> None:
    def loss(A: "D D", x: "D"):
        return np.sin(A @ x).sum()

    def wrong(A, x):
        c = np.cos(A @ x)
        return {"A": np.outer(x, c), "x": A @ c}

    def right(A, x):
        c = np.cos(A @ x)
        return {"A": np.outer(c, x), "x": A.T @ c}

    assert statuses(check((loss, wrong))) == ["FAIL", "FAIL"]
    assert check((loss, right)).passed


def quadratic(x: "N", y: "N", s: ""):
    return s * ((x - y) ** 2).sum()


@pytest.mark.parametrize(
    "gradient",
    [
        lambda x, y, s: {"x": 2 * s * (x - y), "y": 2 * s * (y - x), "s": ((x - y) ** 2).sum()},
        lambda x, y, s: (2 * s * (x - y), 2 * s * (y - x), ((x - y) ** 2).sum()),
        lambda x, y, s: [2 * s * (x - y), 2 * s * (y - x), float(((x - y) ** 2).sum())],
        lambda x, y, s: (quadratic(x, y, s), {"x": 2 * s * (x - y)}),
        lambda *, s, x, y, k=1: {"s": ((x - y) ** 2).sum()},
    ],
)
def test_gradient_functions_may_return_what_is_usual(gradient: Any) -> None:
    assert check((quadratic, gradient)).passed


def test_one_gradient_alone() -> None:
    assert check((quadratic, lambda x, y, s: 2 * s * (x - y)), wrt=["x"]).passed
    assert check((lambda x: x @ x, lambda x: 2 * x), shapes={"x": "N"}).passed


def test_a_pair_of_forward_and_backward() -> None:
    assert check((forward, backward), facts=[("sums_to_one", "Y", 1)]).passed


def test_a_loss_may_come_with_extra_outputs() -> None:
    def loss(x: "N"):
        return (x * x).sum(), {"double": 2 * x}

    assert check((loss, lambda x: {"x": 2 * x})).passed


def test_positional_only_and_constant_parameters() -> None:
    def loss(x: "N", /, y: "N", *, eps=1e-5, flag: bool = True):
        return (x * y + eps).sum()

    assert check((loss, lambda x, y: {"x": y, "y": x})).passed


def test_a_path_is_loaded(tmp_path: Path) -> None:
    source = (
        "from __future__ import annotations\n"
        "import numpy as np\n"
        'WRT = ("x",)\n'
        'FACTS = (("positive", "x"),)\n'
        'def forward(x: "N", validate=True):\n'
        "    return np.log(x).sum(), (x,)\n"
        "def backward(saved, dL=1.0):\n"
        '    return {"x": dL / saved[0]}\n'
    )
    path = tmp_path / "model.py"
    path.write_text(source)
    report = check(path)
    assert report.passed and report.title == "model.py"
    assert check(str(path)).passed
    path.write_text(source.replace("dL / saved[0]", "dL * saved[0]"))
    assert not check(path).passed


def test_given_inputs_are_used_and_left_alone() -> None:
    x = np.array([3, 4], dtype=np.float32)
    seen: list[Any] = []

    def loss(x: "N", y: "N"):
        seen.append(np.array(x))
        return (x * x * y).sum()

    report = check((loss, lambda x, y: {"x": 2 * x * y, "y": x * x}), inputs={"x": x})
    assert report.passed and dict(report.sizes) == {"N": 2}
    assert seen[0].tolist() == [3.0, 4.0] and seen[0].dtype == np.float64
    assert x.tolist() == [3.0, 4.0]


def test_inputs_stand_in_for_annotations() -> None:
    def loss(x, layers, n):
        return sum((layer["W"] @ x).sum() for layer in layers) * n

    inputs = {"x": [1.0, 2.0], "layers": [{"W": np.eye(2)}, {"W": np.ones((3, 2))}], "n": 2}

    def gradient(x, layers, n):
        dW = [{"W": np.outer(np.ones(len(layer["W"])), x) * n} for layer in layers]
        return {"x": n * sum(layer["W"].sum(axis=0) for layer in layers), "layers": dW}

    report = check((loss, gradient), inputs=inputs)
    assert report.passed
    assert [r.name for r in report.rows] == ["x", "layers_0_W", "layers_1_W"]


def test_sizes_can_be_given() -> None:
    report = check(MLP, sizes={"N": 1, "H": 30})
    sizes = dict(report.sizes)
    assert report.passed and (sizes["N"], sizes["H"]) == (1, 30)
    assert row(report, "W1").shape == (sizes["K"], 30)


def test_large_arrays_are_sampled() -> None:
    report = check(MLP, sizes={"K": 20, "H": 15})
    assert report.passed
    assert (row(report, "W1").decided, row(report, "W1").total) == (54, 54)

    def spoil(gradient: np.ndarray) -> np.ndarray:
        return gradient + 1e-3 * np.abs(gradient).max() * (gradient == gradient.flat[7])

    # One wrong entry among 300 is seen in the directions at least.
    assert not check(changed("W1", spoil), sizes={"K": 20, "H": 15}).passed


def test_the_same_seed_gives_the_same_report() -> None:
    assert str(check(MLP)) == str(check(MLP))
    assert str(check(MLP, seed=1)) != str(check(MLP))


def test_derived_sizes_come_out_whole() -> None:
    def loss(W: "4*H D//2", x: "D//2", h: "T-1 _"):
        return (W @ x).sum() + (h * h).sum()

    def gradient(W, x, h):
        return {"W": np.outer(np.ones(len(W)), x), "x": W.sum(axis=0), "h": 2 * h}

    report = check((loss, gradient))
    assert report.passed and set(dict(report.sizes)) == {"H", "D", "T"}


def test_sizes_that_only_the_function_knows_are_found() -> None:
    def loss(x: "T D"):
        return (x.reshape(len(x), 4, -1) ** 2).sum()  # D is a multiple of 4

    report = check((loss, lambda x: {"x": 2 * x}))
    assert report.passed and dict(report.sizes)["D"] % 4 == 0


@dataclasses.dataclass
class Block:
    W: "D D"
    b: "D"


def test_nested_arguments_keep_their_structure() -> None:
    def loss(x: "D", block: Block, pair: ("D", {"s": ""}), n: "int"):
        return np.tanh(block.W @ x + block.b) @ pair[0] * pair[1]["s"]

    def gradient(x, block, pair, n):
        h = np.tanh(block.W @ x + block.b)
        dz = (1 - h * h) * pair[0] * pair[1]["s"]
        return {
            "x": block.W.T @ dz,
            "block": Block(np.outer(dz, x), dz),
            "pair": (h * pair[1]["s"], {"s": h @ pair[0]}),
        }

    report = check((loss, gradient))
    assert report.passed
    names = ["x", "block_W", "block_b", "pair_0", "pair_1_s"]
    assert [r.name for r in report.rows] == names
    report = check((loss, lambda x, block, pair, n: gradient(x, block, pair, n)["x"]), wrt=["x"])
    assert report.passed


def test_a_module_may_name_leaves_or_whole_arguments() -> None:
    def forward(blocks: [{"W": "D D"}, {"W": "D D"}], x: "D", validate=True):
        h = blocks[0]["W"] @ x
        return h @ (blocks[1]["W"] @ h), (blocks, x, h)

    def whole(saved, dL=1.0):
        blocks, x, h = saved
        W = blocks[1]["W"]
        return {"blocks": [{"W": dL * np.outer((W + W.T) @ h, x)}, {"W": dL * np.outer(h, h)}]}

    def leaf(saved, dL=1.0):
        return {"blocks_1_W": whole(saved, dL)["blocks"][1]["W"]}

    module = SimpleNamespace(forward=forward, backward=whole, WRT=("blocks",))
    report = check(module)
    assert report.passed and [r.name for r in report.rows] == ["blocks_0_W", "blocks_1_W"]
    assert check(SimpleNamespace(forward=forward, backward=leaf, WRT=("blocks_1_W",))).passed


def test_gather_and_scatter() -> None:
    def loss(E: "V D", i: "int N"):
        return (E[i] ** 3).sum()

    def right(E, i):
        dE = np.zeros_like(E)
        np.add.at(dE, i, 3 * E[i] ** 2)
        return {"E": dE}

    def wrong(E, i):
        dE = np.zeros_like(E)
        dE[i] += 3 * E[i] ** 2
        return {"E": dE}

    facts = [("index", "i", "V")]
    assert check((loss, right), facts=facts, sizes={"N": 11, "V": 3}).passed
    assert not check((loss, wrong), facts=facts, sizes={"N": 11, "V": 3}).passed


def test_the_gradient_along_a_distribution_counts_up_to_a_constant() -> None:
    def loss(p: "N M", w: "M"):
        return (p**2 @ w).sum()

    def right(p, w):
        return {"p": 2 * p * w - 17.0, "w": (p**2).sum(axis=0)}

    facts = [("sums_to_one", "p", -1)]
    assert check((loss, right), facts=facts).passed
    assert not check((loss, lambda p, w: {"p": 2.1 * p * w}), facts=facts).passed


def test_complex_steps_are_used_where_they_can_be_trusted() -> None:
    def forward(x: "N", validate=True):
        return np.sin(x) @ np.exp(x), (x,)

    def backward(saved, dL=1.0):
        (x,) = saved
        return {"x": dL * np.exp(x) * (np.sin(x) + np.cos(x))}

    module = SimpleNamespace(forward=forward, backward=backward, COMPLEX_SAFE=True)
    report = check(module)
    assert report.passed and report.rows[0].method == "complex step"
    assert report.rows[0].error < 1e-14


def test_a_false_claim_of_complex_safety_is_found_out() -> None:
    def forward(x: "N", validate=True):
        return (np.abs(x) ** 2).sum(), (x,)

    def zero(saved, dL=1.0):
        return {"x": 0 * saved[0]}

    def right(saved, dL=1.0):
        return {"x": dL * 2 * saved[0]}

    module = SimpleNamespace(forward=forward, backward=zero, COMPLEX_SAFE=True, WRT=("x",))
    report = check(module)
    assert not report.passed and report.rows[0].method == "Richardson"
    module.backward = right
    assert check(module).passed


def test_zero_gradients() -> None:
    def forward(x: "N", c: "", validate=True):
        z = x + c
        e = np.exp(z - z.max())
        return (e / e.sum()) ** 2 @ np.arange(len(x)), (c,)

    def backward(saved, dL=1.0):
        return {"c": np.zeros_like(saved[0])}

    module = SimpleNamespace(forward=forward, backward=backward, WRT=("c",), ZERO=("c",))
    report = check(module)
    assert report.passed and statuses(report) == ["ZERO"] and report.controls == 1
    module.backward = lambda saved, dL=1.0: {"c": np.array(1e-30)}
    assert statuses(check(module)) == ["FAIL"]
    module.forward = lambda x, c, validate=True: ((x * c).sum(), (c,))
    module.forward.__annotations__ = {"x": "N", "c": ""}
    module.backward = backward
    assert statuses(check(module)) == ["FAIL"]


def test_the_report_as_table_and_as_data() -> None:
    report = check(changed("W1", lambda g: g * np.nan))
    lines = str(report).splitlines()
    assert lines[0].startswith("check of mlp: N=5 ") and lines[-1].startswith("FAILED: 3 of 4")
    assert any(line.startswith("W1        (3, 2)  FAIL") for line in lines)
    assert any(line.startswith("W1: nan at [0, 0]") for line in lines)
    assert all(len(line) <= 100 for line in lines)
    data = json.loads(json.dumps(report.as_dict(), allow_nan=False))
    assert data["passed"] is False and data["rows"][0]["error"] is None
    assert str(check(MLP)).splitlines()[-1] == "PASSED: 4 of 4 gradients agree"
    with pytest.raises(dataclasses.FrozenInstanceError):
        report.seed = 1  # type: ignore[misc]


def test_progress_is_reported() -> None:
    seen: list[tuple[str, int, int]] = []
    check(MLP, progress=lambda name, done, total: seen.append((name, done, total)))
    assert seen == [("W1", 0, 4), ("b1", 1, 4), ("W2", 2, 4), ("b2", 3, 4)]


@pytest.mark.parametrize(
    ("arguments", "options", "error", "mention"),
    [
        (3, {}, InputError, "no functions forward and backward"),
        ((forward,), {}, InputError, "pair of functions"),
        ((forward, 3), {}, InputError, "pair of functions"),
        (MLP, {"sizes": {"Q": 3}}, InputError, "no axis 'Q'"),
        (MLP, {"sizes": {"N": 0}}, InputError, "whole number from 1"),
        (MLP, {"inputs": {"Q": 3}}, InputError, "no argument 'Q'"),
        (MLP, {"inputs": {"b1": "text"}}, InputError, "declared as float"),
        (MLP, {"inputs": {"W1": np.ones((3, 2)), "b1": np.ones(3)}}, ShapeError, "axis 0 of b1"),
        (MLP, {"inputs": {"W1": np.ones(3)}}, ShapeError, "W1 has the shape"),
        (MLP, {"seed": -1}, InputError, "seed"),
        (MLP, {"rtol": 0.5}, InputError, "rtol"),
        (MLP, {"wrt": ["W9"]}, InputError, "'W9' in wrt"),
        (MLP, {"facts": [("even", "X")]}, FactError, "not a fact"),
        (MLP, {"facts": [("positive", "Q")]}, FactError, "'Q'"),
        (MLP, {"facts": [("sums_to_one", "Y", 2)]}, FactError, "no axis 2"),
        (MLP, {"shapes": {"X": "N/2 K"}}, ShapeError, "X"),
        ((lambda x: x, lambda x: x), {}, InputError, "annotate it"),
        ((lambda x: x, lambda x: x), {"shapes": {"x": "N"}}, InputError, "must be one number"),
        ((quadratic, lambda x, y, s: {"q": x}), {}, InputError, "'q', which is not an argument"),
        ((quadratic, lambda x, y, s: {}), {}, InputError, "returns no gradient"),
        ((quadratic, lambda x, y, s: x), {}, InputError, "must return a dict"),
        (
            (quadratic, lambda x, y, s: x @ x @ x),
            {},
            InputError,
            "fails in line .* with ValueError",
        ),
    ],
)
def test_bad_input_is_one_clear_sentence(
    arguments: Any, options: dict[str, Any], error: type[Exception], mention: str
) -> None:
    with pytest.raises(error, match=mention) as caught:
        check(arguments, **options)
    assert "\n" not in str(caught.value)
