"""Where differences are difficult: kinks, jumps, infinities, large offsets; and broken promises."""

import ast
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import symprop
from symprop.check import check, probes
from symprop.check.differences import Line, Tolerance, rounding_noise
from symprop.errors import InputError

TIGHT = Tolerance(bound=1e-8, noise=1e-16, coarsest=1e-6)


@pytest.mark.parametrize("kink", [0.3e-3, 0.6e-3, 0.9e-3, 3e-5, 3e-6])
@pytest.mark.parametrize("side", [-1, 1])
def test_a_kink_in_reach_is_stepped_around(kink: float, side: int) -> None:
    line = Line(lambda t: abs(t - side * kink) + 0.5 * t, unit=1.0)
    assert line.judge(0.5 - side, TIGHT).right is True
    assert line.judge(0.5, TIGHT).right is False
    assert line.judge((0.5 - side) * (1 + 1e-6), TIGHT).right is False


@pytest.mark.parametrize("slope", [-1.0, -0.5, 0.0, 0.5, 1.0, 2.0])
def test_a_kink_at_the_point_is_undecided_whatever_is_claimed(slope: float) -> None:
    assert Line(abs, unit=1.0).judge(slope, TIGHT).right is None
    assert Line(lambda t: max(t, 0.0), unit=1.0).judge(slope, TIGHT).right is None


def test_a_jump_at_the_point_is_undecided() -> None:
    assert Line(lambda t: float(t > 0), unit=1.0).judge(0.0, TIGHT).right is None
    assert Line(lambda t: float("nan"), unit=1.0).judge(0.0, TIGHT).right is None


def test_curvature_is_no_kink() -> None:
    line = Line(lambda t: np.exp(5 * t) + 1e3 * t * t, unit=1.0)
    assert line.judge(5.0, Tolerance(1e-7, 1e-16, 1e-6)).right is True


def test_rounding_noise_is_measured_not_guessed() -> None:
    def noisy(t: float) -> float:
        return (1e8 + np.sin(t)) - 1e8

    assert rounding_noise(noisy, 1.0) > 1e-9
    assert rounding_noise(np.sin, 1.0) < 1e-15


def relu_net(x: "N K", W1: "K H", W2: "H H", W3: "H H", w: "H"):
    h = x
    for W in (W1, W2, W3):
        h = np.maximum(h @ W, 0)
    return ((h @ w) ** 2).mean()


def relu_gradient(x, W1, W2, W3, w):
    hidden = [x]
    for W in (W1, W2, W3):
        hidden.append(np.maximum(hidden[-1] @ W, 0))
    dy = 2 * (hidden[-1] @ w) / len(x)
    grads = {"w": hidden[-1].T @ dy}
    dh = np.outer(dy, w)
    for name, W, h, out in zip(
        ("W3", "W2", "W1"), (W3, W2, W1), hidden[2::-1], hidden[:0:-1], strict=True
    ):
        dz = dh * (out > 0)
        grads[name] = h.T @ dz
        dh = dz @ W.T
    return grads


@pytest.mark.parametrize("seed", range(8))
def test_a_deep_relu_net_is_decided(seed: int) -> None:
    report = check((relu_net, relu_gradient), sizes={"N": 19, "H": 13}, seed=seed)
    assert report.passed
    assert all(row.decided >= 0.98 * row.total for row in report.rows)


def test_zeros_at_a_kink_are_undecided_and_do_not_pass() -> None:
    def loss(x: "N"):
        return np.maximum(x, 0).sum()

    def gradient(x):
        return {"x": (x > 0) * 1.0}

    x = np.array([1.0, 2.0, -1.0, 0.0])
    report = check((loss, gradient), inputs={"x": x})
    assert [row.status for row in report.rows] == ["UNDECIDED"] and not report.passed
    assert (report.rows[0].decided, report.rows[0].total) == (3, 4)
    assert "1 of 4 differences meet a kink" in report.rows[0].note
    few = check((loss, gradient), inputs={"x": np.r_[np.arange(1.0, 20.0), 0.0]})
    assert few.passed and (few.rows[0].decided, few.rows[0].total) == (19, 20)


def test_other_draws_are_tried_before_undecided() -> None:
    """Half the draws lie at the kink."""

    def loss(x: "N", n: "int"):
        return np.abs(x * 0.0 + (x if n else 0.0 * x)).sum() + np.abs(x - x * (1 - n)).sum()

    def gradient(x, n):
        return {"x": 2.0 * np.sign(x) * n}

    statuses = {check((loss, gradient), seed=seed).rows[0].status for seed in range(6)}
    assert statuses == {"PASS"}


def test_a_jump_is_a_matter_of_the_sample() -> None:
    def loss(x: "N", s: ""):
        return (np.floor(3 * x) * s).sum() + (x * x).sum()

    def gradient(x, s):
        return {"x": 2 * x, "s": np.floor(3 * x).sum()}

    assert check((loss, gradient)).passed


@pytest.mark.parametrize("offset", [1e3, 1e5])
def test_a_large_offset_does_not_drown_a_gradient(offset: float) -> None:
    def loss(x: "N"):
        return offset + np.sin(x).sum()

    assert check((loss, lambda x: {"x": np.cos(x)})).passed
    assert not check((loss, lambda x: {"x": np.cos(x) * (1 + 2e-5)})).passed


def test_an_offset_that_drowns_it_is_undecided() -> None:
    def loss(x: "N"):
        return 1e14 + np.sin(x).sum()

    (row,) = check((loss, lambda x: {"x": np.cos(x)})).rows
    assert row.status == "UNDECIDED" and "rounding of the loss" in row.note


def test_small_gradients_are_held_to_the_largest() -> None:
    """An array a million times less important may be a thousand times less exact."""

    def loss(x: "N", y: "N"):
        return np.sin(x).sum() + 1e-6 * np.sin(y).sum()

    def gradient(scale: float) -> Any:
        return lambda x, y: {"x": np.cos(x), "y": scale * 1e-6 * np.cos(y)}

    assert check((loss, gradient(1.0))).passed
    assert check((loss, gradient(1 + 1e-5))).passed
    assert not check((loss, gradient(1.1))).passed


def test_a_loss_that_depends_on_nothing() -> None:
    assert check((lambda x: 3.0, lambda x: {"x": 0 * x}), shapes={"x": "N"}).passed
    assert not check((lambda x: 3.0, lambda x: {"x": 1e-6 + 0 * x}), shapes={"x": "N"}).passed
    assert check((lambda x: 0.0, lambda x: {"x": 0 * x}), shapes={"x": "N"}).passed


@pytest.mark.parametrize(
    ("loss", "remedy", "operation"),
    [
        (lambda x, s: (np.log(x) * s).sum(), 'positive("x")', "in log"),
        (lambda x, s: (np.log1p(-x) + np.sqrt(x)).sum() * s, 'in_range("x", 0, 1)', "in log1p"),
        (lambda x, s: np.arctanh(x).sum() * s, "", "in arctanh"),
        (lambda x, s: (x / (s - s)).sum(), "give inputs", "divide"),
        (lambda x, s: np.sum(x * np.nan), "give inputs", ""),
    ],
)
def test_a_loss_that_is_not_finite_names_the_operation_and_the_fact(
    loss: Any, remedy: str, operation: str
) -> None:
    shapes = {"x": "23", "s": ""}
    report = check((loss, lambda x, s: {"x": x, "s": s}), shapes=shapes)
    assert [row.status for row in report.rows] == ["FAIL", "FAIL"]
    (said,) = report.problems
    assert "on each of 20 draws" in said and remedy in said and operation in said


def test_a_draw_that_is_not_finite_is_drawn_again() -> None:
    def loss(x: ""):
        return np.log(x)

    assert all(check((loss, lambda x: {"x": 1 / x}), seed=seed).passed for seed in range(5))


def test_given_inputs_that_are_not_finite() -> None:
    report = check((lambda x: np.log(x).sum(), lambda x: 1 / x), inputs={"x": np.array([0.0, 1])})
    assert not report.passed and "-inf on these inputs" in report.problems[0]


def test_the_operation_behind_a_nan_gradient_is_named() -> None:
    def loss(x: "N", n: "int"):
        return np.sqrt((0 * x) ** 2).sum() + x.sum()

    def gradient(x, n):
        z = 0 * x
        return {"x": z / np.sqrt(z**2) + 1}

    (row,) = check((loss, gradient)).rows
    assert row.status == "FAIL" and "nan at [0]" in row.note
    assert "invalid value encountered in divide" in row.note and "z / np.sqrt" in row.note


def square() -> SimpleNamespace:
    def forward(x: "N", validate=True):
        return (x * x).sum(), (x,)

    def backward(saved, dL=1.0):
        return {"x": 2 * saved[0] * dL}

    def value_and_grad(x, validate=True):
        loss, saved = forward(x, validate)
        return loss, backward(saved)

    return SimpleNamespace(
        forward=forward, backward=backward, value_and_grad=value_and_grad, WRT=("x",)
    )


def test_a_module_that_keeps_its_promises() -> None:
    assert check(square()).passed


def test_changing_an_argument_is_found() -> None:
    module = square()

    def forward(x: "N", validate=True):
        x *= 1.0 + 1e-9
        return (x * x).sum(), (x,)

    module.forward = forward
    assert any("forward changes its argument x" in said for said in check(module).problems)


def test_a_random_loss_is_found() -> None:
    rng = np.random.default_rng(0)
    report = check((lambda x: x.sum() + rng.normal(), lambda x: 1 + 0 * x), shapes={"x": "N"})
    assert not report.passed and "the loss differs from one call to the next" in report.problems


def test_a_gradient_in_double_precision_for_float32_is_found() -> None:
    module = square()
    module.backward = lambda saved, dL=1.0: {"x": 2 * saved[0] * np.float64(dL) * np.ones(())}
    module.value_and_grad = None
    wide = check(module)
    module.backward = lambda saved, dL=1.0: {"x": saved[0] * np.full(saved[0].shape, 2.0) * dL}
    wide = check(module)
    assert wide.problems == ("the gradient of x in float32 is float64",)
    assert [row.status for row in wide.rows] == ["PASS"] and not wide.passed


def test_a_forgotten_dL_is_found() -> None:
    module = square()
    module.backward = lambda saved, dL=1.0: {"x": 2 * saved[0]}
    (said,) = check(module).problems
    assert "dL=3 does not give 3 times the gradient of x" in said


def test_value_and_grad_must_agree() -> None:
    module = square()
    module.value_and_grad = lambda x, validate=True: ((x * x).sum() + 1, {"x": 3 * x})
    assert len(check(module).problems) == 2


def test_a_missing_gradient_is_found() -> None:
    module = square()
    module.backward = lambda saved, dL=1.0: {}
    report = check(module)
    assert report.rows[0].note == "no gradient came back" and not report.passed


def test_a_loss_without_saved_is_refused() -> None:
    module = square()
    module.forward.__annotations__.clear()
    with pytest.raises(InputError, match="annotate it"):
        check(module)

    def forward(x: "N"):
        return (x * x).sum()

    module.forward = forward
    with pytest.raises(InputError, match=r"must return \(loss, saved\)"):
        check(module)


def test_a_check_that_finds_no_wrong_gradient_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probes.Trial, "bump", lambda self, name: 1e-9 * self.scale(name))
    monkeypatch.setattr(probes.Trial, "tolerance", lambda self, name: Tolerance(1e-7, 0.0, 1.0))
    report = check(square())
    assert report.problems == ("negative control: a wrong gradient of x was not found out",)
    assert not report.passed and [row.status for row in report.rows] == ["PASS"]


def test_the_oracle_knows_nothing_of_the_calculus() -> None:
    """Every import of symprop.check is from the standard library, NumPy, or the lowest floors."""
    allowed = ("symprop.check", "symprop.errors", "symprop.names", "symprop.shapes")
    for path in Path(probes.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 0 and node.module
                names = [node.module]
            for name in names:
                assert name != "symprop" and name.split(".")[0] not in ("sympy", "mpmath")
                if name.startswith("symprop."):
                    assert name.startswith((*allowed, "symprop.files")), f"{path.name}: {name}"


def _saturated(s: "N") -> object:
    p = 1 / (1 + np.exp(-s))
    return -np.mean(np.log(1 - p))


def _scaled(s: "N", w: "N K", v: "K") -> object:
    return -np.sum(np.log(1 - symprop.nn.sigmoid(8 * (w @ v) + s)))


def _saw(x: "N", y: "N") -> object:
    return np.sum((x * 7.3) % y)


def _teeth(x: "N", y: "N") -> object:
    return np.sum(np.mod(x, 0.1) ** 2 * y)


@pytest.mark.parametrize("loss", [_saturated, _scaled, _saw, _teeth])
def test_what_rounds_away_or_jumps_all_the_way_is_no_wrong_gradient(loss: Any) -> None:
    """1 - p has no digits left on some lines; with y near 0 each step goes over many jumps."""
    module = symprop.generate(symprop.derive(symprop.trace(loss)))
    for seed in (2, 5, 8, 11):
        report = symprop.check(module, seed=seed)
        assert not any(row.status == "FAIL" for row in report.rows), report
