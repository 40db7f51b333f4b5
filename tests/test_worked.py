"""Numbers beside symbols: `evaluate`, and worked examples whose every printed line is true."""

from __future__ import annotations

import ast
import importlib.util
import json
import math
import operator
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from built_models import built

import symprop
from symprop.cli.main import run
from symprop.errors import InputError

MAZUR = Path(__file__).parents[1] / "examples" / "mazur.py"
SMALL = {"linear_regression": {"N": 2, "K": 2}, "mlp": {"N": 1, "K": 2, "H": 2, "M": 3},
         "elman_rnn": {"N": 1, "K": 1, "H": 2, "M": 2, "T": 3, "D": 2},
         "word2vec": {"N": 2, "V": 4, "D": 2, "K": 2}, "mlp_sigmoid_mse": {}}


def mazur() -> tuple[symprop.Derivation, dict[str, Any]]:
    spec = importlib.util.spec_from_file_location("mazur", MAZUR)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return symprop.derive(symprop.trace(module.error, wrt=module.WRT)), module.NUMBERS


@pytest.mark.parametrize("form", ["text", "markdown", "latex"])
def test_mazurs_numbers(form: str) -> None:
    derivation, numbers = mazur()
    page = derivation.worked_example(numbers, step=0.5, precision=9, format=form)
    for number in ("0.3775", "0.593269992", "1.105905967", "0.75136507", "0.298371109",
                   "0.082167041", "0.35891648", "0.000438568", "0.149780716", "0.299502287"):
        assert number in page
    assert re.findall(r"\d\.\d+", page)[-1] == "0.291027774"


@pytest.mark.parametrize("name", SMALL)
def test_what_is_evaluated_is_what_the_module_computes(name: str) -> None:
    model = built(name)
    leaves = model.leaves(model.sizes[0])
    found = model.derivation.evaluate(model.arranged(leaves))
    loss, gradients = model.value_and_grad(leaves)
    assert found.loss == pytest.approx(float(loss), rel=1e-12)
    for key, right in gradients.items():
        np.testing.assert_allclose(found.gradients[key], right, rtol=1e-9, atol=1e-12)
    assert set(found.adjoints) <= set(found.values)


FUNCTIONS = {"σ": lambda x: 1 / (1 + math.exp(-x)), "exp": math.exp, "log": math.log,
             "tanh": math.tanh, "sqrt": math.sqrt,
             "softplus": lambda x: math.log1p(math.exp(x))}
OPERATIONS = {ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul,
              ast.Div: operator.truediv, ast.Pow: operator.pow}
RAISED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")


def value(node: ast.expr) -> float:
    """Arithmetic on numbers, as it is printed."""
    if isinstance(node, ast.BinOp):
        return float(OPERATIONS[type(node.op)](value(node.left), value(node.right)))
    if isinstance(node, ast.UnaryOp):
        return -value(node.operand)
    if isinstance(node, ast.Call):
        assert isinstance(node.func, ast.Name)
        return float(FUNCTIONS[node.func.id](*map(value, node.args)))
    assert isinstance(node, ast.Constant)
    return float(node.value)


def printed_value(text: str) -> float:
    text = re.sub(r"[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+", lambda m: f"**({m[0].translate(RAISED)})", text)
    return value(ast.parse(text.replace("·", "*").replace("√", "sqrt"), mode="eval").body)


@pytest.mark.parametrize("name", SMALL)
def test_every_line_with_numbers_is_true(name: str) -> None:
    """Read by a reader of its own: what stands left of the last = is what stands right of it."""
    model = built(name)
    sizes = {axis: SMALL[name].get(axis, 2) for axis in model.system.sizes}
    text = model.derivation.worked_example(model.inputs(sizes, 3), precision=12)
    joined = re.sub(r"\n {6,}", " ", text)
    lines = re.findall(r"^  [^\s=]+ += ([^=\n]+) = (-?[\d.e-]+)$", joined, re.M)
    read = 0
    for left, right in lines:
        if not re.search(r"[\[∂|≤<]|max|min", left):
            assert printed_value(left) == pytest.approx(float(right), rel=1e-6, abs=1e-9), left
            read += 1
    assert read >= 8
    assert text.rstrip().splitlines()[-1].split()[0] == f"{model.system.loss}⁺"


def test_a_step_takes_all_gradients_before_any_parameter_moves() -> None:
    derivation, numbers = mazur()
    before = derivation.evaluate(numbers)
    moved = {n: np.asarray(numbers[n]) - 0.5 * before.gradients[n] for n in ("W1", "W2")}
    page = derivation.worked_example(numbers, step=0.5, precision=6)
    assert page.rstrip().endswith(f"{derivation.evaluate({**numbers, **moved}).loss:.6f}")


@pytest.mark.parametrize(("change", "said"), [
    ({"x": None}, "the inputs lack x"), ({"z": 1.0}, "z is no input"),
    ({"x": [1.0, 2.0, 3.0]}, "x"), ({"x": [[1.0], [1.0, 2.0]]}, "ragged"),
    ({"x": ["a", "b"]}, "holds"), ({"W1": 1.0}, "W1"),
])
def test_wrong_inputs_are_named(change: dict[str, Any], said: str) -> None:
    derivation, numbers = mazur()
    given = {k: v for k, v in {**numbers, **change}.items() if v is not None}
    with pytest.raises(InputError, match=said):
        derivation.evaluate(given)


def test_a_fact_that_does_not_hold_is_refused() -> None:
    model = built("mlp")
    given = model.inputs(model.sizes[0])
    with pytest.raises(InputError, match="sums_to_one"):
        model.derivation.evaluate({**given, "Y": given["Y"] * 2})


@pytest.mark.parametrize("suffix", [".json", ".toml", ".npz"])
def test_numbers_come_from_a_file(suffix: str, tmp_path: Path, capsys: Any) -> None:
    _, numbers = mazur()
    path = tmp_path / f"numbers{suffix}"
    if suffix == ".npz":
        np.savez(path, **numbers)
    else:
        entries = "\n".join(f"{k} = {v}" for k, v in numbers.items())
        path.write_text(json.dumps(numbers) if suffix == ".json" else entries)
    assert run(["derive", f"{MAZUR}:error", "--numbers", str(path), "--format", "text"]) == 0
    assert capsys.readouterr().out.rstrip().endswith("0.291027774")


def test_what_cannot_be_read_is_said(tmp_path: Path, capsys: Any) -> None:
    path = tmp_path / "numbers.json"
    path.write_text("[1, 2]")
    assert run(["derive", f"{MAZUR}:error", "--numbers", str(path)]) == 2
    assert run(["derive", f"{MAZUR}:error", "--numbers", str(tmp_path / "n.txt")]) == 2
    assert run(["derive", "mlp", "-o", str(tmp_path / "x.html")]) == 2
    said = capsys.readouterr().err
    assert "must hold the inputs by name" in said and ".npz" in said and ".html" in said
