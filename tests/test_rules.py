"""Learning rules beside backpropagation: where they depart, and that they depart nowhere else."""

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import symprop
from symprop import nn
from symprop.algebra.expr import Expr
from symprop.cli.main import run
from symprop.errors import InputError, UnsupportedError, VerificationError
from symprop.files.load import load_file, load_text
from symprop.rules.targets import difference_target_propagation
from symprop.system import System
from symprop.train.emit import training_module
from symprop.zoo import models

FA, DFA = "feedback alignment", "direct feedback alignment"
DTP = "difference target propagation"


def traced(name: str) -> System:
    """The system of a zoo model."""
    model = models()[name]
    return symprop.trace(model.function, wrt=model.wrt, facts=model.facts,
                         shapes=model.shapes or None, static=model.static or None)


def mlp3(
    X: "N K", Y: "N M", W1: "K H", b1: "H", W2: "H G", b2: "G", W3: "G M", b3: "M"
) -> Any:
    A1 = np.tanh(X @ W1 + b1)
    A2 = nn.relu(A1 @ W2 + b2)
    Z = A2 @ W3 + b3
    return nn.mse_loss(Z, Y), {"Z": Z}


def classifier(
    X: "N K", Y: "N M", W1: "K H", b1: "H", W2: "H G", b2: "G", W3: "G M", b3: "M"
) -> Any:
    A2 = np.tanh(np.tanh(X @ W1 + b1) @ W2 + b2)
    return nn.cross_entropy(A2 @ W3 + b3, Y)


def linear3(X: "N K", Y: "N M", W1: "K H", W2: "H G", W3: "G M") -> Any:
    return np.sum((X @ W1 @ W2 @ W3 - Y) ** 2) / 2


def elman(X: "T N K", y: "N", U: "K H", V: "H H", h0: "N H", w: "H") -> Any:
    def step(h: Any, x: Any) -> Any:
        new = np.tanh(x @ U + h @ V)
        return new, new

    last, _ = symprop.scan(step, h0, X)
    return np.mean((last @ w - y) ** 2)


def convolution(x: "N I", W: "O 3", V: "O*I-2*O M", y: "N M") -> Any:
    windows = np.lib.stride_tricks.sliding_window_view(x, 3, axis=1)
    A = np.tanh(np.einsum("nip,op->noi", windows, W))
    return np.mean((A.reshape(x.shape[0], -1) @ V - y) ** 2)


def attention(X: "N T D", Wq: "D D", Wk: "D D", Wv: "D D", Wo: "D M", y: "N M") -> Any:
    Q, K, V = X @ Wq, X @ Wk, X @ Wv
    A = nn.softmax(np.einsum("ntd,nsd->nts", Q, K))
    return np.mean((np.mean(A @ V, axis=1) @ Wo - y) ** 2)


def residual(X: "N K", y: "N", W1: "K H", W2: "H H", W3: "H H", g: "H", w: "H") -> Any:
    A1 = nn.layer_norm(np.tanh(X @ W1), g.shape, g)
    A2 = A1 + np.tanh(A1 @ W2) @ W3
    return np.mean((A2 @ w - y) ** 2)


def tied(X: "N K", W: "K H", b: "H") -> Any:
    A = nn.sigmoid(X @ W + b)
    return nn.mse_loss(A @ W.T, X)


def masked(X: "N K", y: "N M", W1: "K H", W2: "H M", mask: "H M") -> Any:
    return np.mean((np.tanh(X @ W1) @ (W2 + 0.1 * W2**3) - y) ** 2)


FUNCTIONS: dict[str, tuple[Callable[..., Any], list[str]]] = {
    "mlp3": (mlp3, ["W1", "b1", "W2", "b2", "W3", "b3"]),
    "linear3": (linear3, ["W1", "W2", "W3"]),
    "elman": (elman, ["U", "V", "w"]),
    "convolution": (convolution, ["W", "V"]),
    "attention": (attention, ["Wq", "Wk", "Wv", "Wo"]),
    "residual": (residual, ["W1", "W2", "W3", "g", "w"]),
    "tied": (tied, ["W", "b"]),
    "masked": (masked, ["W1", "W2"]),
}


def system_of(name: str) -> System:
    if name in FUNCTIONS:
        function, wrt = FUNCTIONS[name]
        return symprop.trace(function, wrt=wrt)
    return traced(name)


@cache
def generated(name: str, rule: str | None = None) -> symprop.GeneratedModule:
    return symprop.generate(system_of(name), rule=rule)


def arguments(module: Any, seed: int = 0) -> dict[str, Any]:
    """Inputs of a module of the given sizes, by its own self-check."""
    return module.draw_inputs(seed)  # type: ignore[no-any-return]


# ---- feedback alignment ---------------------------------------------------------------------

ALIGNABLE = ["mlp_sigmoid_mse", *FUNCTIONS]
FUNCTIONS["classifier"] = (classifier, FUNCTIONS["mlp3"][1])


@pytest.mark.parametrize("name", ALIGNABLE)
def test_feedback_equal_to_the_weights_gives_the_gradient_exactly(name: str) -> None:
    true, module = generated(name), generated(name, "fa")
    given = arguments(module)
    feedback = module.FEEDBACK
    plain = {n: a for n, a in given.items() if n not in feedback}
    _, gradients = true.value_and_grad(**plain)
    _, updates = module.value_and_grad(**given)
    departing = [n for n in module.WRT if not np.array_equal(updates[n], gradients[n])]
    assert departing == list(module.DEPARTS) != []
    if not all(w in plain for w in feedback.values()):
        return  # it stands for something computed
    equal = {b: plain[w] for b, w in feedback.items()}
    _, updates = module.value_and_grad(**{**given, **equal})
    for name in module.WRT:
        np.testing.assert_array_equal(updates[name], gradients[name])


@pytest.mark.parametrize("name", ["mlp_sigmoid_mse", "elman", "convolution", "tied", "masked"])
def test_check_says_what_it_is(name: str) -> None:
    report = symprop.check(generated(name, "fa"))
    assert not report.passed and report.as_designed, str(report)
    assert "NOT THE GRADIENT, by design (feedback alignment)" in str(report)
    angles = {row.name: row.angle for row in report.rows if row.status == "DEPARTS"}
    assert angles and all(0 < angle < 180 for angle in angles.values())
    assert all(row.angle < 0.01 for row in report.rows if row.status == "PASS")


def by_hand(given: dict[str, Any], direct: bool) -> dict[str, Any]:
    """The updates of mlp3 as the papers write them."""
    X, Y, W1, W2, W3 = (given[n] for n in ("X", "Y", "W1", "W2", "W3"))
    A1 = np.tanh(X @ W1 + given["b1"])
    Z2 = A1 @ W2 + given["b2"]
    A2 = np.maximum(Z2, 0)
    error = 2 * (A2 @ W3 + given["b3"] - Y) / Y.size
    if direct:
        d2 = error @ given["B2"] * (Z2 > 0)
        d1 = error @ given["B1"] * (1 - A1**2)
    else:
        d2 = error @ given["B3"].T * (Z2 > 0)
        d1 = d2 @ given["B2"].T * (1 - A1**2)
    return {"W1": X.T @ d1, "b1": d1.sum(0), "W2": A1.T @ d2, "b2": d2.sum(0),
            "W3": A2.T @ error, "b3": error.sum(0)}


@pytest.mark.parametrize("rule", ["fa", "dfa"])
def test_the_updates_are_those_of_the_papers(rule: str) -> None:
    module = generated("mlp3", rule)
    given = arguments(module)
    _, updates = module.value_and_grad(**given)
    expected = by_hand(given, rule == "dfa")
    for name in module.WRT:
        np.testing.assert_allclose(updates[name], expected[name], rtol=1e-12, atol=1e-15)
    assert module.DEPARTS == ("W1", "b1", "W2", "b2")


def test_the_fixed_array_of_a_recurrence_stands_in_every_step() -> None:
    module = generated("elman", "fa")
    given = arguments(module)
    X, U, V, w, h = (given[n] for n in ("X", "U", "V", "w", "h0"))
    states = [h]
    for x in X:
        states.append(np.tanh(x @ U + states[-1] @ V))
    down = np.outer(2 * (states[-1] @ w - given["y"]) / len(given["y"]), given["B_w"])
    dU = np.zeros_like(U)
    for t in reversed(range(len(X))):
        z = down * (1 - states[t + 1] ** 2)
        dU += X[t].T @ z
        down = z @ given["B_V"].T
    np.testing.assert_allclose(module.value_and_grad(**given)[1]["U"], dU, rtol=1e-12)


# ---- direct feedback alignment --------------------------------------------------------------

def test_direct_feedback_through_the_product_of_the_weights_is_the_gradient() -> None:
    module, true = generated("linear3", "dfa"), generated("linear3")
    given = arguments(module)
    first, second = module.FEEDBACK
    given[first] = (given["W2"] @ given["W3"]).T
    given[second] = given["W3"].T
    _, updates = module.value_and_grad(**given)
    _, gradients = true.value_and_grad(**{n: given[n] for n in ("X", "Y", "W1", "W2", "W3")})
    for name in module.WRT:
        np.testing.assert_allclose(updates[name], gradients[name], rtol=1e-12)


@pytest.mark.parametrize("name", ["mlp_sigmoid_mse", "mlp3", "convolution"])
def test_direct_feedback_leaves_the_last_layer_its_gradient(name: str) -> None:
    module = generated(name, "dfa")
    report = symprop.check(module)
    assert report.as_designed and not report.passed, str(report)
    passed = [row.name for row in report.rows if row.status == "PASS"]
    assert passed == [n for n in module.WRT if n not in module.DEPARTS] != []


# ---- difference target propagation ----------------------------------------------------------

def autoencoder5(
    X: "N K", W1: "K H", b1: "H", W2: "H G", b2: "G", W3: "G H", b3: "H", W4: "H K", b4: "K"
) -> Any:
    A1 = np.tanh(X @ W1 + b1)
    A2 = nn.sigmoid(A1 @ W2 + b2)
    A3 = np.tanh(A2 @ W3 + b3)
    return nn.mse_loss(A3 @ W4 + b4, X)


def slopes_of(loss: Callable[[np.ndarray[Any, Any]], float], at: Any) -> np.ndarray[Any, Any]:
    """The gradient by Richardson's differences."""
    found = np.zeros(at.shape)
    for index in np.ndindex(*at.shape):
        unit = np.zeros(at.shape)
        unit[index] = 1.0
        wide, narrow = ((loss(at + h * unit) - loss(at - h * unit)) / (2 * h)
                        for h in (1e-3, 5e-4))
        found[index] = (4 * narrow - wide) / 3
    return found


@pytest.mark.parametrize("step", [1.0, 0.25])
def test_each_layer_descends_its_distance_from_the_target_of_the_paper(step: float) -> None:
    module = symprop.generate(
        symprop.trace(autoencoder5, wrt=["W1", "b1", "W2", "b2", "W3", "b3", "W4", "b4"]),
        rule=partial(difference_target_propagation, step=step))
    given = arguments(module)
    X, N = given["X"], len(given["X"])
    layers = [
        lambda h, W, b: np.tanh(h @ W + b),
        lambda h, W, b: 1 / (1 + np.exp(-(h @ W + b))),
        lambda h, W, b: np.tanh(h @ W + b),
    ]
    h = [X]
    for k, layer in enumerate(layers):
        h.append(layer(h[-1], given[f"W{k + 1}"], given[f"b{k + 1}"]))

    def inverse(k: int, value: Any) -> Any:
        return np.tanh(value @ given[f"C{k}"] + given[f"c{k}"])

    error = slopes_of(lambda top: float(np.mean((top @ given["W4"] + given["b4"] - X) ** 2)), h[3])
    targets = {3: h[3] - step * N * error}
    for k in (3, 2):
        targets[k - 1] = h[k - 1] + inverse(k, targets[k]) - inverse(k, h[k])
    _, updates = module.value_and_grad(**given)
    for k, layer in enumerate(layers, 1):
        for name in (f"W{k}", f"b{k}"):
            def local(value: Any, k: int = k, layer: Any = layer, name: str = name) -> float:
                W, b = ({**given, name: value}[n] for n in (f"W{k}", f"b{k}"))
                distance = np.sum((layer(h[k - 1], W, b) - targets[k]) ** 2)
                return float(distance / (2 * step * N))

            expected = slopes_of(local, given[name])
            np.testing.assert_allclose(updates[name], expected, rtol=1e-6, atol=1e-8)
    for k in (2, 3):
        def off(value: Any, k: int = k) -> float:
            rebuilt = np.tanh(h[k] @ value + given[f"c{k}"])
            return float(np.sum((rebuilt - h[k - 1]) ** 2) / (2 * N))

        np.testing.assert_allclose(updates[f"C{k}"], slopes_of(off, given[f"C{k}"]),
                                   rtol=1e-7, atol=1e-10)


def square3(X: "N K", Y: "N M", W1: "K H", W2: "H H", W3: "H M") -> Any:
    A1 = X @ W1
    A2 = A1 @ W2
    return np.sum((A2 @ W3 - Y) ** 2) / (2 * X.shape[0])


def test_with_an_exact_inverse_the_targets_are_reached() -> None:
    """The update moves the layer below so that the layer above meets its target (Gauss-Newton)."""
    rule = partial(difference_target_propagation, inverse="", step=0.5)
    module = symprop.generate(symprop.trace(square3, wrt=["W1", "W2", "W3"]), rule=rule)
    given = arguments(module)
    rng = np.random.default_rng(1)
    H = given["W2"].shape[0]
    given["c2"] = np.zeros(H)
    X, W1, W2, W3 = (given[n] for n in ("X", "W1", "W2", "W3"))
    given["C2"] = np.linalg.inv(W2)
    error = (X @ W1 @ W2 @ W3 - given["Y"]) / len(X)
    above = error @ W3.T
    updates = module.value_and_grad(**given)[1]
    np.testing.assert_allclose(updates["W1"], X.T @ (above @ given["C2"]), rtol=1e-9)
    below = X @ W1 - 0.5 * len(X) * above @ given["C2"]  # the target of A1
    target = X @ W1 @ W2 - 0.5 * len(X) * above  # the target of A2
    np.testing.assert_allclose(below @ W2, target, rtol=1e-9)
    # An orthogonal layer's inverse is its transpose: then it is the gradient.
    given["W2"] = np.linalg.qr(rng.normal(size=(H, H)))[0]
    given["C2"] = given["W2"].T
    true = symprop.generate(symprop.trace(square3, wrt=["W1", "W2", "W3"]))
    plain = {n: given[n] for n in ("X", "Y", "W1", "W2", "W3")}
    gradients, updates = true.value_and_grad(**plain)[1], module.value_and_grad(**given)[1]
    for name in gradients:
        np.testing.assert_allclose(updates[name], gradients[name], rtol=1e-9)


def test_an_inverse_is_checked_against_the_loss_that_it_descends() -> None:
    module = generated("mlp3", "dtp")
    report = symprop.check(module)
    assert report.as_designed and not report.passed
    assert {r.name: r.status for r in report.rows} == {
        "W1": "DEPARTS", "b1": "DEPARTS", "W2": "PASS", "b2": "PASS", "W3": "PASS", "b3": "PASS",
        "C2": "PASS", "c2": "PASS"}
    assert [r.method for r in report.rows][-2:] == ["of A1_error", "of A1_error"]
    source = module.source.replace("dC2 = A2.T", "dC2 = 2 * A2.T")
    wrong = symprop.check(symprop.GeneratedModule(source, "mlp3"))
    assert not wrong.as_designed and wrong.rows[6].status == "FAIL"


def test_a_step_and_an_inverse_must_be_some() -> None:
    system = system_of("mlp3")
    rule = difference_target_propagation
    with pytest.raises(InputError, match="above 0"):
        symprop.derive(system, partial(rule, step=0))
    with pytest.raises(InputError, match="'maximum' is no scalar function"):
        symprop.derive(system, partial(rule, inverse="maximum"))


# ---- print ----------------------------------------------------------------------------------

@pytest.mark.parametrize(("rule", "name", "count"), [("fa", FA, 2), ("dfa", DFA, 2),
                                                     ("dtp", DTP, 1)])
def test_the_departure_is_a_step_in_every_print(rule: str, name: str, count: int) -> None:
    derivation = symprop.derive(system_of("mlp3"), rule)
    steps = [s for s in derivation.steps if s.departs]
    assert [s.rule for s in steps] == [name] * count
    texts = derivation.text(), derivation.markdown(), derivation.latex(standalone=True)
    for text, arrow in zip(texts, ("→", r"\to", r"\to"), strict=True):
        assert name in text and text.count(f"{arrow} ") == len(steps)
        assert "not the gradient" in text.lower() and "Not an equality" in text
        assert "updates of" in text and "THE GRADIENTS" not in text
    assert texts == (derivation.text(), derivation.markdown(), derivation.latex(standalone=True))


def test_a_module_says_what_it_is_and_is_the_same_every_time() -> None:
    system = system_of("mlp3")
    module = generated("mlp3", "fa")
    assert module.source == symprop.generate(system, rule=FA).source
    assert (module.RULE, module.FEEDBACK) == (FA, {"B2": "W2", "B3": "W3"})
    assert "not the gradient" in (module.source.split('"""')[1]).replace("\n", " ")
    assert "not the gradient: feedback alignment" in module.source
    longest = max(module.source.splitlines(), key=len)
    assert len(longest) <= 88, longest
    assert not hasattr(generated("mlp3"), "RULE")


@pytest.mark.parametrize("rule", ["fa", "dtp"])
def test_the_self_check_of_a_module_ends_with_4(rule: str, tmp_path: Any) -> None:
    path = tmp_path / "module.py"
    path.write_text(generated("mlp3", rule).source, encoding="utf-8")
    done = subprocess.run([sys.executable, str(path)], capture_output=True, text=True)
    assert done.returncode == 4 and "NOT THE GRADIENT, by design" in done.stdout
    broken = path.read_text(encoding="utf-8").replace("dW3 = A2.T", "dW3 = 2 * A2.T")
    path.write_text(broken, encoding="utf-8")
    done = subprocess.run([sys.executable, str(path)], capture_output=True, text=True)
    assert done.returncode == 1 and "FAILED" in done.stdout


# ---- what must not go unnoticed -------------------------------------------------------------

def test_a_departure_that_is_not_declared_is_refuted() -> None:
    derivation = symprop.derive(system_of("mlp"), "fa")
    honest = derivation.adjoints
    hidden = tuple(replace(a, steps=tuple(replace(s, departs=False) for s in a.steps))
                   for a in honest)
    with pytest.raises(VerificationError, match="feedback alignment"):
        replace(derivation, adjoints=hidden).verify()


def test_a_mistake_after_the_departure_is_refuted() -> None:
    derivation = symprop.derive(system_of("mlp"), "fa")
    last = next(a for a in derivation.adjoints if a.primal == "b1")
    twice = Expr(tuple(replace(t, coef=2 * t.coef) for t in last.rhs.terms))
    wrong = replace(last, rhs=twice)
    adjoints = tuple(wrong if a is last else a for a in derivation.adjoints)
    with pytest.raises(VerificationError, match="result"):
        replace(derivation, adjoints=adjoints).verify()
    silent = replace(wrong, steps=())  # no line to refute: the whole does it
    adjoints = tuple(silent if a is last else a for a in derivation.adjoints)
    with pytest.raises(VerificationError, match="all gradients"):
        replace(derivation, adjoints=adjoints).verify()


def test_check_finds_a_mistake_where_the_rule_departs() -> None:
    module = generated("mlp", "fa")
    source = module.source.replace("dA1 = dZ2 @ B2.T", "dA1 = 2 * dZ2 @ B2.T")
    report = symprop.check(symprop.GeneratedModule(source, "mlp"))
    assert not report.as_designed
    assert "with B2 = W2 the update of W1 is not the gradient: every entry is 2" in str(report)
    data = report.as_dict()
    assert (data["passed"], data["as_designed"], data["rule"]) == (False, False, FA)


# ---- refusals -------------------------------------------------------------------------------

def two_heads(X: "N K", W: "K H", V: "H M", U: "H M") -> Any:
    A = np.tanh(X @ W)
    return np.sum((A @ V) ** 2) + np.sum((A @ U) ** 4)


@pytest.mark.parametrize(("rule", "name", "words"), [
    ("fa", "logistic_regression", "nothing to do in logistic_regression"),
    ("fa", "matrix_factorization", "nothing to do"),
    ("dfa", "linear_regression", "nothing to do"),
    ("dfa", "elman", "not defined for the recurrence of"),
    ("dtp", "elman", "not defined for the recurrence of"),
    ("dtp", "mlp", "below the last hidden layer, and there is none"),
    ("dtp", "residual", "A1 reaches the loss beside"),
])
def test_a_system_that_does_not_fit_is_refused_by_name(rule: str, name: str, words: str) -> None:
    with pytest.raises(UnsupportedError, match=words):
        symprop.derive(system_of(name), rule)


def test_two_outputs_are_refused_and_so_is_an_unknown_rule() -> None:
    system = symprop.trace(two_heads, wrt=["W", "V", "U"])
    with pytest.raises(UnsupportedError, match="one output"):
        symprop.derive(system, "dfa")
    with pytest.raises(InputError, match="no learning rule 'hebb'"):
        symprop.derive(system, "hebb")
    with pytest.raises(InputError, match="rule is for a system"):
        symprop.generate(symprop.derive(system), rule="fa")


def taken(X: "N K", B2: "K H", W2: "H M", b: "M") -> Any:
    return np.sum(np.tanh(np.tanh(X @ B2) @ W2 + b) ** 2)


def test_the_names_of_fixed_arrays_give_way() -> None:
    module = symprop.generate(symprop.trace(taken, wrt=["B2", "W2", "b"]), rule="fa")
    assert module.FEEDBACK == {"B_W2": "W2"}


# ---- training -------------------------------------------------------------------------------

def blobs(count: int = 240) -> dict[str, Any]:
    """Points of three classes around the corners of a cube."""
    rng = np.random.default_rng(3)
    labels = rng.integers(0, 3, count)
    corners = np.array([[2.0, 0, 0, 1], [0, 2, 1, 0], [1, 1, 2, 2]])
    return {"X": corners[labels] + rng.normal(size=(count, 4)) / 2, "Y": np.eye(3)[labels]}


@pytest.mark.parametrize("rule", ["fa", "dfa", "dtp"])
def test_training_lowers_the_loss_and_the_angle(rule: str) -> None:
    module, lines = generated("classifier", rule), list[str]()
    options: dict[str, Any] = {"sizes": {"H": 12, "G": 9}, "lr": 0.05, "batch": 24, "epochs": 20,
                               "optimizer": "momentum", "validation": 0.25}
    result = symprop.train(module, blobs(), reference=generated("classifier"), log=lines.append,
                           **options)
    assert result.losses[-1] < 0.3 * result.losses[0]
    angles = [found["all"] for found in result.angles]  # of single batches: they are noisy
    assert np.mean(angles[10:]) < 75 < angles[0]
    assert result.angles[-1]["W3"] < 0.01
    assert list(result.fixed) == list(module.FEEDBACK)
    assert lines[-1].endswith(f"angle = {result.angles[-1]['all']:.0f}°")
    given = symprop.train(module, blobs(), init={**result.params, **result.fixed},
                          log=None, **options)
    for name in result.fixed:
        np.testing.assert_array_equal(result.fixed[name], given.fixed[name])


def test_a_training_module_gives_the_same_numbers(tmp_path: Any) -> None:
    module = generated("mlp", "fa")
    options: dict[str, Any] = {"sizes": {"H": 5}, "batch": 50, "epochs": 3, "validation": 0.2}
    result = symprop.train(module, blobs(), log=None, **options)
    text = training_module(module.source, "mlp", **options)
    params, losses = load_text(text, "mlp_train").train(blobs(), log=lambda line: None)
    assert tuple(losses) == result.losses
    for name, array in {**result.arrays, **result.fixed}.items():
        np.testing.assert_array_equal(params[name], array)


def test_what_is_fixed_is_no_data() -> None:
    with pytest.raises(InputError, match="B2 is drawn once and stays fixed: give it as init"):
        symprop.train(generated("mlp", "fa"), {**blobs(), "B2": np.ones((5, 3))}, log=None)


# ---- the command line -----------------------------------------------------------------------

def test_the_command_line_knows_the_rules(tmp_path: Any, capsys: Any) -> None:
    assert run(["check", "mlp", "--rule", "fa"]) == 4
    assert "NOT THE GRADIENT, by design" in capsys.readouterr().out
    assert run(["derive", "mlp", "--rule", "dfa", "--format", "text"]) == 0
    assert "The updates of mlp by direct feedback alignment" in capsys.readouterr().out
    module, data, params = (tmp_path / n for n in ("mlp_fa.py", "data.npz", "params.npz"))
    assert run(["generate", "mlp", "--rule", "fa", "-o", str(module)]) == 0
    assert run(["check", str(module)]) == 4
    assert run(["check", str(module), "--rule", "fa"]) == 2
    np.savez(data, **blobs())
    capsys.readouterr()
    words = ["train", "mlp", "--rule", "fa", "--data", str(data), "--size", "H=5",
             "--epochs", "2", "-o", str(params)]
    assert run(words) == 0
    assert "°" in capsys.readouterr().out.splitlines()[-1]
    assert sorted(np.load(params)) == ["B2", "W1", "W2", "b1", "b2"]


# ---- the zoo --------------------------------------------------------------------------------

@pytest.mark.fuzz
@pytest.mark.parametrize("rule", ["fa", "dfa", "dtp"])
@pytest.mark.parametrize("name", models())
def test_every_model_is_refused_or_as_the_rule_says(name: str, rule: str) -> None:
    try:
        module = symprop.generate(traced(name), rule=rule)
    except UnsupportedError as error:
        assert name in str(error)
        return
    report = symprop.check(module)
    assert report.as_designed and not report.passed, str(report)


def test_a_network_of_symbolic_depth_has_one_fixed_array_for_all_layers() -> None:
    module = generated("deep_mlp", "fa")
    assert module.FEEDBACK == {"B_W": "W"} and 'B_W: "L H H",' in module.source
    assert symprop.check(module).as_designed


# ---- the example ----------------------------------------------------------------------------

@pytest.mark.deep
def test_the_example_trains_with_every_rule(tmp_path: Any, capsys: Any) -> None:
    path = Path(__file__).resolve().parent.parent / "examples" / "feedback.py"
    pytest.importorskip("sklearn")
    example = load_file(path)
    assert example.main(tmp_path, epochs=8) == 0
    rows = capsys.readouterr().out.splitlines()[2:]
    assert [row.split("  ")[0] for row in rows] == [
        "backpropagation", FA, DFA, DTP]
    assert sorted(p.name for p in tmp_path.glob("*.py")) == [
        f"feedback_{rule}.py" for rule in ("dfa", "dtp", "fa")]
