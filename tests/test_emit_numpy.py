"""The generated module: how it reads, what it saves, what it takes, and how it runs."""

from __future__ import annotations

import ast
import builtins
import itertools
import pickle
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from complex_numpy import complex_gradients
from emitted_models import (
    AXIS,
    LONG,
    MODELS,
    Layer,
    body,
    derivation,
    generated,
    inputs,
    mlp,
    module,
)

import symprop
from symprop.emit.module import module_source
from symprop.files.load import load_text

SCRIPTS = ("mlp", "nested", "recurrent", "scalars")


# ---- the text -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", MODELS)
def test_it_checks_and_fits_on_a_page(name: str) -> None:
    assert symprop.check(module(name)).passed
    assert max(map(len, module(name).source.splitlines())) <= 88


@pytest.mark.parametrize("name", MODELS)
def test_no_name_is_undefined_and_none_is_anonymous(name: str) -> None:
    tree = ast.parse(module(name).source)
    known = set(dir(builtins)) | {"__name__"} | {
        t.id for n in tree.body if isinstance(n, ast.Assign) for t in n.targets
        if isinstance(t, ast.Name)
    } | {n.name for n in tree.body if isinstance(n, ast.FunctionDef | ast.ClassDef)} | {"np"}
    for function in (n for n in tree.body if isinstance(n, ast.FunctionDef)):
        stored = {n.id for n in ast.walk(function)
                  if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
        arguments = {a.arg for n in ast.walk(function) if isinstance(n, ast.arguments)
                     for a in (*n.args, *n.kwonlyargs)}
        inner = {n.name for n in ast.walk(function) if isinstance(n, ast.FunctionDef)}
        for node in ast.walk(function):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
                assert node.id in known | stored | arguments | inner, (function.name, node.id)
        assert not [n for n in stored if re.fullmatch(r"_?t(e)?mp\d*|_\d+|v\d+", n)]


@pytest.mark.parametrize("name", MODELS)
def test_each_equation_stands_in_the_margin(name: str) -> None:
    source = module(name).source
    derived = derivation(name)
    for adjoint in derived.adjoints:
        wanted = f"({adjoint.number})  "
        assert body(source, "backward").count("# " + wanted) == (0 if adjoint.inlined else 1)
    for equation in derived.system.equations:
        assert body(source, "forward").count(f"# ({equation.number})  ") <= 1


@pytest.mark.parametrize("name", MODELS)
def test_saved_holds_exactly_what_backward_reads(name: str) -> None:
    tree = ast.parse(body(module(name).source, "backward"))
    function = tree.body[0]
    assert isinstance(function, ast.FunctionDef)
    unpacking = function.body[1]
    assert isinstance(unpacking, ast.Assign) and isinstance(unpacking.targets[0], ast.Tuple)
    saved = [e.id for e in unpacking.targets[0].elts if isinstance(e, ast.Name)]
    read = {n.id for s in function.body[2:] for n in ast.walk(s)
            if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}
    assert set(saved) <= read
    assert len(set(saved)) == len(saved)


def test_the_target_of_style() -> None:
    def regression(X: "N D", W1: "D H", W2: "H C", Y: "N C") -> Any:
        Z = X @ W1
        A = np.tanh(Z)
        E = A @ W2 - Y
        return np.sum(E**2) / (2 * X.shape[0])

    source = generated(regression, wrt=["W1", "W2"]).source
    code = [line.split("  #")[0].strip() for line in body(source, "backward").splitlines()]
    code = [line for line in code if not line.startswith("#")]
    assert [c for c in code if " = " in c][2:-1] == [
        "dE = dL / N * E", "dW2 = A.T @ dE", "dA = dE @ W2.T", "dZ = dA * (1 - A * A)",
        "dW1 = X.T @ dZ"]


def test_helpers_appear_once_and_only_where_they_are_used() -> None:
    assert module("colliding").source.count("\ndef sigmoid_2(") == 1
    assert "def sigmoid" not in module("mlp").source


def test_the_text_is_deterministic() -> None:
    for name in ("mlp", "convolution"):
        again = symprop.derive(symprop.trace(MODELS[name], facts=derivation(name).system.facts))
        assert module_source(again) == module(name).source


def test_the_docstring_tells_what_goes_in() -> None:
    text = ast.get_docstring(ast.parse(module("gathered").source))
    assert text is not None
    assert "\n    ids  (N, T)  integers below V\n" in text
    assert "\n    E    (V, D)  parameter\n" in text
    assert "\n\n\n" not in text and max(map(len, text.splitlines())) <= 88
    assert "It is assumed, and tested, that Y sums to 1 along axis 1." in module("mlp").source


def test_long_names_fit_on_the_page() -> None:
    text = f'''
import numpy as np
from symprop import nn

def f(X{LONG}: "N{AXIS} K{AXIS}", W{LONG}: "K{AXIS} 4*H{AXIS}", y{LONG}: "int N{AXIS}",
      b{LONG}: "4*H{AXIS}", c{LONG}: "H{AXIS} 3", m{LONG}: "bool N{AXIS}"):
    H = c{LONG}.shape[0]
    z{LONG} = X{LONG} @ W{LONG} + b{LONG}
    a{LONG} = nn.sigmoid(z{LONG}[:, :H]) * np.tanh(z{LONG}[:, H:2*H]) + z{LONG}[:, 3*H:]
    e{LONG} = np.where(m{LONG}[:, None], np.log(a{LONG}**2 + 1e-3), a{LONG} * a{LONG})
    return nn.cross_entropy(e{LONG} @ c{LONG}, y{LONG}) + np.mean(b{LONG}**3)
'''
    made = generated(load_text(text, "long_names").f)
    assert max(map(len, made.source.splitlines())) <= 88
    assert symprop.check(made).passed


def test_the_convolution_reads_as_one_would_write_it() -> None:
    source = module("convolution").source
    assert "padded = np.zeros((C, Y + 2, X + 2, N), dtype).transpose(3, 0, 1, 2)" in source
    assert "padded[:, :, 1:Y + 1, 1:X + 1] = x\n" in source
    assert "sliding_window_view( padded, (3, 3), axis=(2, 3) )" in " ".join(source.split())
    assert "np.tensordot(" in body(source, "forward")
    assert "np.arange" not in source[: source.index("# Self-check")]


# ---- the functions ------------------------------------------------------------------------------


def test_calls_by_keyword_value_and_grad_and_the_scale() -> None:
    m, given = module("mlp"), inputs()
    loss, saved = m.forward(**given)
    grads = m.backward(saved)
    both_loss, both_grads = m.value_and_grad(*given.values())
    assert both_loss == loss and list(grads) == list(m.WRT)
    for key, gradient in grads.items():
        np.testing.assert_array_equal(gradient, both_grads[key])
        np.testing.assert_allclose(m.backward(saved, dL=-2.0)[key], -2 * gradient, rtol=1e-14)
        assert gradient.shape == np.shape(given[key])
    assert not grads["unused"].any() and isinstance(saved, tuple)


def test_predict_takes_what_the_outputs_depend_on() -> None:
    code = module("mlp").predict.__code__
    assert code.co_varnames[: code.co_argcount] == ("X", "W1", "b1", "W2", "b2")
    given = inputs()
    logits = module("mlp").predict(**{n: given[n] for n in ("X", "W1", "b1", "W2", "b2")})
    np.testing.assert_allclose(logits["logits"], mlp(**given)[1]["logits"])
    ids = np.array([[0, 2]])
    table = np.arange(6.0).reshape(3, 2)
    np.testing.assert_array_equal(module("gathered").predict(table, ids)["e"], table[ids])


def test_an_output_may_need_an_argument_for_its_size_alone() -> None:
    def spread(x: "N", w: "K") -> Any:
        return np.sum(w * w) + np.sum(x), {"wide": np.broadcast_to(w, (x.shape[0], w.shape[0]))}

    made = generated(spread)
    assert made.predict(np.zeros(3), np.arange(2.0))["wide"].shape == (3, 2)


def test_structures_come_back_as_they_went_in() -> None:
    r = np.random.default_rng(0)
    blocks = [{"W": r.normal(size=(3, 3)), "b": r.normal(size=3)} for _ in range(2)]
    grads = module("nested").value_and_grad(blocks, (r.normal(size=3), 0.5), np.ones((4, 3)))[1]
    assert [sorted(b) for b in grads["blocks"]] == [["W", "b"], ["W", "b"]]
    assert isinstance(grads["pair"], tuple) and grads["pair"][1].shape == ()
    layer = Layer(r.normal(size=(3, 2)), r.normal(size=2))
    for given in (layer, vars(layer)):
        grads = module("dataclassed").value_and_grad(given, np.ones((4, 3)))[1]
        assert grads["layer"]["W"].shape == (3, 2)


def test_it_pickles_as_its_source() -> None:
    made = pickle.loads(pickle.dumps(module("mlp")))
    assert made.source == module("mlp").source
    assert made.forward(**inputs())[0] == module("mlp").forward(**inputs())[0]


# ---- the door -----------------------------------------------------------------------------------


def refuses(error: type[Exception], words: str, name: str, *given: Any, **options: Any) -> None:
    with pytest.raises(error, match=words):
        module(name).forward(*given, **options)


def test_shapes_and_dtypes_are_tested() -> None:
    given = inputs()
    refuses(ValueError, r"W1 must have the shape \(K H\), but axis 0 \(K\) has size 4, not 3",
            "mlp", **{**given, "W1": np.ones((4, 2))})
    refuses(ValueError, r"b1 must have 1 axes", "mlp", **{**given, "b1": np.ones((2, 1))})
    refuses(TypeError, "W1 must hold floats, since it has a gradient", "mlp",
            **{**given, "W1": np.ones((3, 2), int)})
    refuses(TypeError, "ids must hold ints", "gathered", np.ones((3, 2)), np.ones((1, 2)),
            np.ones(2))
    refuses(IndexError, "ids holds a position outside 0 to V - 1", "gathered",
            np.ones((3, 2)), np.array([[0, 3]]), np.ones(2))
    refuses(ValueError, "2 must divide D", "static", np.ones((4, 5)))
    refuses(ValueError, "heads is fixed at 2", "static", np.ones((4, 6)), heads=3)
    refuses(ValueError, r"X must have the shape \(N 4\*H\): axis 1 does not fit", "composite",
            np.ones((2, 7)), np.zeros(2, int), np.ones((4, 2)), np.ones((4, 2)))
    assert module("static").forward(np.ones((4, 6)), heads=2)[0] > 0


def test_facts_are_tested_unless_told_otherwise() -> None:
    given = inputs()
    wrong = {**given, "Y": given["Y"] + 0.1}
    refuses(ValueError, "Y must sum to 1 along axis 1", "mlp", **wrong)
    assert np.isfinite(module("mlp").forward(**wrong, validate=False)[0])


def test_facts_forgive_what_float32_rounds() -> None:
    def f(p: "N M", t: "N", s: "N", w: "N") -> Any:
        return np.sum(w * t * s) + np.sum(p * p)

    made = generated(f, wrt=["w"], facts=[
        symprop.sums_to_one("p", axis=1), symprop.in_range("t", 0.1, 0.3),
        symprop.one_of("s", -0.1, 0.3)])
    single = np.float32
    r = np.random.default_rng(0)
    p = r.dirichlet(np.ones(50), 4).astype(single)
    t = np.array([0.1, 0.3, 0.2, 0.3], single)
    s = np.array([-0.1, 0.3, 0.3, -0.1], single)
    made.forward(p, t, s, np.ones(4, single))
    made.forward(p.astype(float), t.astype(float), np.array([-0.1, 0.3, 0.3, -0.1]), np.ones(4))
    for bad in ({"t": t + 1}, {"s": s + 1}, {"p": p + 1}):
        with pytest.raises(ValueError, match="must"):
            made.forward(**{"p": p, "t": t, "s": s, "w": np.ones(4, single), **bad})


def test_complex_steps_pass_the_door() -> None:
    table, ids, w = np.ones((3, 2)), np.array([[0, 2]]), np.array([0.3, -0.2])
    made = module("gathered")
    assert made.COMPLEX_SAFE
    _, grads = made.value_and_grad(table, ids, w)
    step = made.forward(table, ids, w + np.array([1e-20j, 0]))[0]
    assert step.imag / 1e-20 == pytest.approx(grads["w"][0], rel=1e-14)


# ---- as a program -------------------------------------------------------------------------------


def run(source: str, path: Path) -> subprocess.CompletedProcess[str]:
    path.write_text(source, encoding="utf-8")
    return subprocess.run([sys.executable, str(path)], capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize("name", SCRIPTS)
def test_run_as_a_program_it_checks_itself(name: str, tmp_path: Path) -> None:
    done = run(module(name).source, tmp_path / "module.py")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.endswith("PASSED\n") and done.stdout.startswith("gradient")
    assert not done.stderr


def test_sabotage_is_found(tmp_path: Path) -> None:
    wrong = module("mlp").source.replace("dW2 = A1.T @ dZ2", "dW2 = 1.001 * A1.T @ dZ2")
    assert wrong != module("mlp").source
    done = run(wrong, tmp_path / "module.py")
    assert done.returncode == 1 and re.search(r"W2 .* FAIL", done.stdout)


def nested_conditions(x: "", a: "", u: "N"):
    kept = np.maximum(x, 0)
    chosen = np.where((kept > 0) & (a < kept), a, kept)
    return (kept < 0.5) * chosen + np.where(x < 0.2, np.where(a < 0.3, x * a, x), a * a) * np.sum(u)


def test_scalar_conditions_inside_each_other() -> None:
    module = symprop.generate(symprop.trace(nested_conditions))
    for x, a in itertools.product([-0.4, 0.1, 0.3, 0.7], [-0.2, 0.25, 0.6]):
        given = {"x": np.float64(x), "a": np.float64(a), "u": np.array([0.5, -1.25, 2.0])}
        loss, found = module.value_and_grad(**given)
        assert loss == pytest.approx(nested_conditions(**given), rel=1e-14)
        expected = complex_gradients(nested_conditions, given, ("x", "a", "u"))
        for name, gradient in expected.items():
            np.testing.assert_allclose(found[name], gradient, atol=1e-14, err_msg=module.source)
