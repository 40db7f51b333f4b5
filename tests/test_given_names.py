"""Names that the author gives, and those that print takes by itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import symprop
from symprop.cli.main import run
from symprop.emit.latex_names import symbol, symbols
from symprop.errors import InputError, NameRuleError


def loss(x: "N", sigma2: "", W1: "N N", h_prev: "N") -> Any:
    z = W1 @ x + h_prev
    return np.sum(z**2) / sigma2**2


@pytest.fixture(scope="module")
def derivation() -> symprop.Derivation:
    return symprop.derive(symprop.trace(loss, wrt=["W1", "sigma2"]))


@pytest.mark.parametrize(("name", "latex", "entry"), [
    ("lambda_", r"\lambda", r"\lambda_{n}"), ("x_hat", r"\hat{x}", r"\hat{x}_{n}"),
    ("xbar", r"\bar{x}", r"\bar{x}_{n}"), ("sigma2", r"\sigma^{2}", r"\sigma^{2}_{n}"),
    ("W_hh", "W_{hh}", "W_{hh,n}"), ("theta_1_2", r"\theta_{1,2}", r"\theta_{1,2,n}"),
    ("h_prev", r"h_{\mathrm{prev}}", r"h_{\mathrm{prev},n}"), ("b_f", "b_{f}", None),
    ("A1_in", r"A^{(1)}_{\mathrm{in}}", r"A^{(1)}_{\mathrm{in},n}"), ("x_2", "x^{[2]}", None),
    ("logits", r"\mathrm{logits}", None), ("y_log_p", r"y_{\mathrm{log},p}", None),
    ("∂h_prev", r"\bar{h}_{\mathrm{prev}}", None), ("∂sigma2", r"\overline{\sigma^{2}}", None),
    ("∂x_hat", r"\overline{\hat{x}}", None), ("x_", r"\mathrm{x\_}", None),
    ("λ", r"\lambda", r"\lambda_{n}"), ("θ_1_2", r"\theta_{1,2}", None),
    ("ŷ", r"\hat{y}", r"\hat{y}_{n}"), ("∂ŷ", r"\overline{\hat{y}}", None),
    ("Δx", r"\Delta x", None), ("x_λ", r"x_{\lambda}", r"x_{\lambda,n}"),
    ("权重", r"\text{权重}", r"\text{权重}_{n}"), ("∂б1", r"\overline{\text{б}}^{(1)}", None),
    ("W_权", r"W_{\text{权}}", None), ("权_", r"\text{权\_}", None), ("é", r"\text{é}", None),
])
def test_names_by_themselves(name: str, latex: str, entry: str | None) -> None:
    assert symbol(name).latex == latex
    if entry is not None:
        assert symbol(name).at("n") == entry


def test_no_two_arrays_print_alike_and_none_as_the_adjoint_of_another() -> None:
    names = ["x", "xbar", "x_bar", "lam", "lambda_", "λ", "x_hat", "xhat", "x_ŷ",
             "sigma2", "sigma_2", "y_hat", "ŷ", "权", "重", "θ", "theta"]
    found = symbols(names, {"sigma_2": r"\sigma^{2}"})
    bars = [symbol("∂x").latex]
    assert len({s.latex for s in found.values()} | set(bars)) == len(names) + 1


@pytest.mark.parametrize("printer", ["latex", "markdown", "text"])
def test_given_names_stand_everywhere(derivation: symprop.Derivation, printer: str) -> None:
    names = {"W1": r"W^{[1]}", "sigma2": r"\Sigma", "h_prev": r"h_{-}", "z": r"\theta_{1,2}"}
    printed = getattr(derivation, printer)(names=names)
    if printer == "text":
        shown, gone = ["W^{[1]}[n,i]", "W̄^{[1]}", "Σ̄", "θ_{1,2}[n]", "h₋[n]"], ["z[n]", "sigma2"]
    else:
        shown = [r"W^{[1]}_{n,i}", r"\bar{W}^{[1]}", r"\bar{\Sigma}", r"\theta_{1,2,n}", "h_{-,n}"]
        gone = ["W^{(1)}", r"\sigma^", "z_{n}"]
    assert [text for text in shown if text not in printed] == []
    assert [text for text in gone if text in printed] == []


def test_a_power_of_what_has_a_raised_mark_is_in_parentheses(
    derivation: symprop.Derivation,
) -> None:
    names = {"sigma2": r"\sigma^2"}
    assert r"(\sigma^{2})^{2}" in derivation.latex(names=names)
    assert "(σ²)²" in derivation.text(names=names) and "σ̅²̅" in derivation.text(names=names)


@pytest.mark.parametrize(("names", "said"), [
    ({"W9": "W"}, "no array 'W9'; did you mean W1"), ({"W1": r"W^{(1}}"}, "braces"),
    ({"W1": r"\input{x}"}, "more than a name"), ({"W1": ""}, "no text"),
    ({"W1": r"a\\b"}, "more than a name"), ({"W1": "A", "x": "A"}, "both be printed A"),
])
def test_names_that_will_not_do_are_refused(
    derivation: symprop.Derivation, names: dict[str, str], said: str
) -> None:
    with pytest.raises(InputError) as caught:
        derivation.latex(names=names)
    assert said in str(caught.value)


def test_names_on_the_command_line_and_in_the_file(tmp_path: Path, capsys: Any) -> None:
    (tmp_path / "model.py").write_text(
        'import numpy as np\nNAMES = {"w": r"\\omega", "x": "X"}\n\n\n'
        'def loss(x: "N", w: "N"):\n    return np.sum(np.tanh(w * x))\n')
    target = f"{tmp_path / 'model.py'}:loss"
    assert run(["derive", target, "--name", "x=u"]) == 0
    assert r"\bar{\omega}" in (printed := capsys.readouterr().out) and "u_{n}" in printed
    assert run(["derive", target, "--format", "text"]) == 0
    assert "ω̄" in capsys.readouterr().out
    assert run(["derive", target, "--name", "q=u"]) == 2
    assert "no array 'q'" in capsys.readouterr().err


# ---- names in code ------------------------------------------------------------------------------


def test_code_has_the_names_that_it_is_given(derivation: symprop.Derivation) -> None:
    module = symprop.generate(derivation, rename={"z": "field", "N": "count"})
    assert "    field = W1 @ x + h_prev" in module.source
    assert "dW1[n,i] = 2 field[n]" in module.source and "(count, count)" in module.source
    assert not [line for line in module.source.splitlines() if line.startswith("    z ")]
    plain = symprop.generate(derivation)
    inputs = plain.draw_inputs(0)
    for name, gradient in plain.value_and_grad(**inputs)[1].items():
        assert np.array_equal(gradient, module.value_and_grad(**inputs)[1][name])


def test_code_of_lemmas_has_them_too() -> None:
    def loss(x: "N D", W: ["D D"] * 3) -> Any:
        def layer(x: Any, W: Any) -> Any:
            z = np.tanh(x @ W)
            a = z / np.sqrt(1 + z * z)
            return a - a.mean(axis=0)

        for w in W:
            x = layer(x, w)
        return np.sum(x**2)

    module = symprop.generate(symprop.derive(symprop.trace(loss)), rename={"a": "scaled"})
    assert "scaled" in module.source
    assert symprop.check(module).passed


@pytest.mark.parametrize(("rename", "said"), [
    ({"W1": "weights"}, "rename: W1 is an argument of loss, and is called in code as it is there"),
    ({"zz": "field"}, "rename: loss has no array or axis 'zz'; did you mean z\\?"),
    ({"z": "x"}, "rename: z and x would both be called x"),
    ({"z": "a b"}, "'a b' is not a legal name for rename of z: it holds ' '; .*"),
])
def test_names_in_code_that_will_not_do(
    derivation: symprop.Derivation, rename: dict[str, str], said: str
) -> None:
    with pytest.raises(InputError if "legal" not in said else NameRuleError, match=f"^{said}$"):
        symprop.generate(derivation, rename=rename)


def test_names_in_code_on_the_command_line(tmp_path: Path, capsys: Any) -> None:
    file = tmp_path / "model.py"
    file.write_text("import numpy as np\n\n\ndef loss(x: 'N', w: 'N'):\n"
                    "    h = np.tanh(x * w)\n    return np.sum(h**2 / (1 + h))\n")
    assert run(["generate", f"{file}:loss", "--wrt", "w", "--rename", "h=state"]) == 0
    assert "    state = np.tanh(" in capsys.readouterr().out
