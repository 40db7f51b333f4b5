"""Notations of books: every profile renames, and no line means anything else than before."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from block_networks import pair
from built_models import built
from test_detail import values
from test_matrix_form import FUNCTIONS, matrix_value

import symprop
from symprop.algebra.expr import adjoint
from symprop.cli.main import run
from symprop.derive.matrix import matrix_form
from symprop.derive.matrix_nodes import Map, nodes
from symprop.emit import latex, text
from symprop.emit.depths import sheet
from symprop.emit.latex_notation import LatexNotation
from symprop.emit.profile.apply import called
from symprop.emit.profile.layers import layers
from symprop.emit.profile.read import FOLDER, read_profile, shipped
from symprop.emit.profile.turned import turned
from symprop.errors import InputError

BOOKS = ("nielsen", "goodfellow", "ng", "cs231n", "d2l")
LAYERED = ("mlp", "mlp_sigmoid_mse", "mlp_batch_norm", "autoencoder")
EVERY = (*LAYERED, "logistic_regression", "attention", "elman_rnn")


def test_those_that_the_documentation_names_are_there() -> None:
    assert set(shipped()) == {"symprop", *BOOKS}
    assert all(read_profile(name).about for name in shipped())


# ---- the layers of a network -------------------------------------------------------------------


@pytest.mark.parametrize(("name", "weights"), [
    ("mlp", ["W1", "W2"]), ("mlp_sigmoid_mse", ["W1", "W2"]), ("mlp_batch_norm", ["W1", "W2"]),
    ("autoencoder", ["W1", "W2", "W3", "W4"]), ("logistic_regression", ["w"]),
    ("attention", []), ("elman_rnn", []), ("mixture_of_experts", []), ("deep_mlp", ["W"]),
])
def test_layers_are_found_by_structure(name: str, weights: list[str]) -> None:
    assert [layer.weight for layer in layers(built(name).system)] == weights


def test_no_name_decides_what_a_layer_is() -> None:
    def loss(p: "N", q: "N M", r: "M", s: "M N", u: "N") -> Any:
        t = np.tanh(q.T @ p + r)
        return np.sum((np.maximum(s.T @ t + u, 0) - p) ** 2)

    found = layers(symprop.trace(loss, wrt=["q", "r", "s", "u"]))
    assert [(w.weight, w.bias, w.given) for w in found] == [("q", "r", "p"), ("s", "u", "t")]
    assert found[0].after == "t" and all(w.inputs_first and w.batch is None for w in found)


# ---- what is printed is the same tree ----------------------------------------------------------


@pytest.mark.parametrize("profile", BOOKS)
def test_a_profile_reaches_the_page_by_names_marks_and_orientation_only(
    profile: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With every name printed alike and nothing transposed, the pages are the same."""

    def bare(self: LatexNotation, name: str, at: list[str], binds: int) -> Any:
        return self.piece(rf"\{name}<{at}>")

    def whole(name: str, called_: Any) -> list[Any]:
        derivation = built(name).derivation
        printed = sheet(derivation, latex.LatexStyle(latex.notation(
            derivation.system, called_)), detail="full")
        return [printed.forward, printed.backward, printed.box, printed.gradients]

    monkeypatch.setattr(LatexNotation, "_set", bare)
    for name in ("mlp", "elman_rnn"):
        system = built(name).system
        book = called(system, profile=profile)
        for part in ("turned", "letters"):
            object.__setattr__(book, part, type(getattr(book, part))())
        assert whole(name, book) == whole(name, None)


@pytest.mark.parametrize("profile", BOOKS)
@pytest.mark.parametrize("name", EVERY)
def test_no_two_arrays_are_called_alike(name: str, profile: str) -> None:
    system = built(name).system
    book = called(system, profile=profile)
    for notation in (latex.notation(system, book), text.notation(system, book)):
        printed = [notation.array(a).text for n in system.arrays for a in (n, adjoint(n))]
        assert len(set(printed)) == len(printed)


@pytest.mark.parametrize("name", ["attention", "elman_rnn"])
def test_no_places_stand_twice_behind_a_gradient(name: str) -> None:
    derivation = built(name).derivation
    assert not re.search(r"\)_\{[^{}]*\}\^\{[^{}]*\}_", derivation.latex(profile="goodfellow"))
    assert not re.search(r"\)\[[^]]*\]ᵀ\[", derivation.text(profile="goodfellow"))


@pytest.mark.parametrize("examples", ["nielsen", "cs231n"])
@pytest.mark.parametrize("name", [*LAYERED, "logistic_regression"])
def test_what_is_transposed_is_the_transpose(name: str, examples: str) -> None:
    """Every matrix form over the arrays of the page has the value of the page's left-hand side."""
    derivation, sizes, arrays = values(name)
    system = derivation.system
    shown = called(system, profile=examples).shown

    def page(array: str) -> Any:
        return np.swapaxes(arrays[array], -1, -2) if shown(array) else arrays[array]

    checked = 0
    for equation in (*system.equations, *derivation.adjoints):
        form = matrix_form(equation, system.arrays)
        functions = {n.function for n in nodes(form) if isinstance(n, Map)} if form else set()
        if form is None or not functions <= set(FUNCTIONS):
            continue
        there = turned(form, shown, shown(equation.array))
        assert (there == form) == (not any(map(shown, (equation.array, *equation.reads))))
        found = matrix_value(there, page, sizes, {})
        np.testing.assert_allclose(found.ravel(), page(equation.array).ravel(), rtol=1e-9)
        checked += there != form
    assert checked > 1 or not called(system, profile=examples).turned


# ---- the lines of books ------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "profile", "lines"), [
    ("mlp_sigmoid_mse", "nielsen", [
        r"\delta^{1} &= \frac{\partial C}{\partial a^{1}} \odot \sigma'(z^{1})",
        r"\frac{\partial C}{\partial a^{1}} &= (w^{2})^{\top} \delta^{2}",
        r"\frac{\partial C}{\partial b^{1}} &= \delta^{1} \mathbf{1}_{N}",
        r"\frac{\partial C}{\partial w^{2}} &= \delta^{2} (a^{1})^{\top}"]),
    ("mlp", "nielsen", [r"z^{1} &= w^{1} x + b^{1} \mathbf{1}_{N}^{\top}",
                        r"\frac{\partial C}{\partial w^{1}} &= \delta^{1} x^{\top}"]),
    ("mlp", "goodfellow", [r"g^{(1)} &= (\nabla_{h^{(1)}} J) \odot \tanh'(a^{(1)})",
                           r"\nabla_{W^{(2)}} J &= g^{(2)} (h^{(1)})^{\top}"]),
    ("mlp", "ng", [r"Z^{[1]} &= W^{[1]} X + b^{[1]} \mathbf{1}_{N}^{\top}",
                   r"dW^{[2]} &= dZ^{[2]} (A^{[1]})^{\top}", r"dA^{[1]} &= (W^{[2]})^{\top} dZ^"]),
    ("mlp", "cs231n", [r"\mathrm{scores} &= h_{1} W_{2} + \mathbf{1}_{N} b_{2}^{\top}",
                       r"dW_{2} &= h_{1}^{\top} \, d\mathrm{scores}"]),
    ("mlp_sigmoid_mse", "cs231n", [r"z_{1} &= X W_{1} + \mathbf{1}_{N} b_{1}",
                                   r"dW_{1} &= X^{\top} dz_{1}"]),
    ("mlp", "d2l", [r"\frac{\partial J}{\partial W^{(2)}} &= "
                    r"\frac{\partial J}{\partial o} (h^{(1)})^{\top}"]),
])
def test_lines_of_the_book(name: str, profile: str, lines: list[str]) -> None:
    page = built(name).derivation.latex(profile=profile, detail="brief").replace(r"\textstyle ", "")
    assert [line for line in lines if line not in re.sub(" +", " ", page)] == []


@pytest.mark.parametrize("printer", ["latex", "markdown", "text", "beamer"])
def test_every_printer_and_the_lemmas_have_it(printer: str) -> None:
    derivation = built("mlp").derivation
    page = getattr(derivation, printer)(profile="nielsen")
    assert ("δ²" if printer == "text" else r"\delta^{2}") in page
    if printer != "beamer":
        lemmas = symprop.derive(symprop.trace(pair()))
        assert ("∂C/∂w" if printer == "text" else r"\frac{\partial C}{\partial w}") in (
            getattr(lemmas, printer)(profile="nielsen", detail="brief"))


def test_worked_examples_and_figures_have_it() -> None:
    """Names and left-hand sides; arrays lie as in the program, so every number stays."""
    model = built("mlp")
    inputs = model.inputs({"N": 2, "K": 2, "H": 2, "M": 2})
    plain, book = (model.derivation.worked_example(inputs, profile=p) for p in (None, "nielsen"))
    assert "w¹" in book and "δ²" in book and "w¹" not in plain
    numbers = [re.findall(r"-?\d+\.\d{5,}", page) for page in (plain, book)]
    assert numbers[0] == numbers[1] and len(numbers[0]) > 50
    for kind in ("forward", "backward", "training"):
        assert "w^{1}" in model.derivation.figure(kind, "tikz", profile="nielsen")


def test_the_page_says_what_the_symbols_are_in_the_program() -> None:
    page = " ".join(built("mlp").derivation.text(profile="ng").split())
    assert "W^{[1]} is W1" in page and "J is L" in page and "Every example is a column" in page
    page = " ".join(built("mlp").derivation.text(profile="nielsen").split())
    assert "δ¹ = ∂C/∂z¹" in page


def test_a_learning_rule_is_no_derivative() -> None:
    derivation = symprop.derive(built("mlp").system, "fa")
    assert r"\frac{\partial C}{\partial w^{1}}" not in derivation.latex(
        profile="nielsen", detail="brief")


def test_given_names_go_before_the_profile() -> None:
    page = built("mlp").derivation.latex(profile="ng", names={"W1": r"\Omega"})
    assert r"d\Omega" in page and "W^{[1]}" not in page and "W^{[2]}" in page


@pytest.mark.parametrize("detail", ["brief", "normal", "full"])
@pytest.mark.parametrize("printer", ["latex", "markdown", "text"])
def test_index_and_matrix_notation_alone(printer: str, detail: str) -> None:
    derivation = built("mlp").derivation
    index, matrix, both = (getattr(derivation, printer)(detail=detail, notation=n)
                           for n in ("index", "matrix", "both"))
    product = ("1 - A1 ⊙ A1", r"1 - A^{(1)} \odot A^{(1)}")[printer != "text"]
    entry = "b2[m]" if printer == "text" else "b^{(2)}_{m}"
    assert product not in index and product in matrix and product in both
    assert entry in index and entry in (both if detail != "brief" else index)
    assert (entry in matrix) == (detail == "full")
    assert both == getattr(derivation, printer)(detail=detail)


# ---- files of the user's -----------------------------------------------------------------------

MINE = r"""
loss = "E"
adjoint = "d"
notation = "matrix"
[layer]
weight = "\\Theta^{(l)}"
before = "u_l"
[names]
Y = "T"
"""


def test_a_profile_of_ones_own(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(MINE)
    assert run(["derive", "mlp", "--profile", str(path), "--detail", "brief"]) == 0
    page = capsys.readouterr().out
    assert r"d\Theta^{(1)} &= \textstyle X^{\top} du_{1}" in page and "(p - T)" in page
    assert run(["derive", "mlp", "--profile", "ng", "--notation", "index"]) == 0
    assert r"dW^{[1]}_{h,k}" in capsys.readouterr().out


@pytest.mark.parametrize(("content", "said"), [
    ("los = 'C'", "no key 'los'; did you mean loss"), ("loss = 3", "is 3, which is no text"),
    ("loss = 'C", "is no TOML"), ("adjoint = 'hat'", "no adjoint 'hat'; there are bar, partial"),
    ("[layer]\nweights = 'W^l'", "no key in [layer] 'weights'; did you mean weight"),
    ("[layer]\nweight = 'W'", "write an l where"), ("layer = 'W'", "layer must be a table"),
    ("[last]\nbefore = '\\input{x}'", "more than a name"), ("examples = 'row'", "rows"),
    ("[names]\nx = '}'", "braces"), ("about = 1", "about must be a text"),
])
def test_a_file_that_will_not_do_is_refused(
    content: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(content)
    assert run(["derive", "mlp", "--profile", str(path)]) == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(("options", "said"), [
    ({"profile": "nilsen"}, "did you mean nielsen"), ({"profile": "none.toml"}, "cannot be read"),
    ({"notation": "tensor"}, "both, index, matrix"),
])
def test_what_there_is_not_is_named(options: dict[str, str], said: str) -> None:
    with pytest.raises(InputError, match=said):
        built("mlp").derivation.text(**options)


def test_shipped_profiles_are_files_of_the_package() -> None:
    assert {p.stem for p in FOLDER.glob("*.toml")} == set(shipped())


def test_the_general_layer_has_its_number_where_the_book_has_it() -> None:
    page = built("deep_mlp").derivation.latex(profile="nielsen", detail="brief")
    assert r"\mathrm{error} &= \textstyle a^{L} - y" in page
    assert r"((w^{l + 1})^{\top} \delta^{l + 1}) \odot \sigma'(z^{l}), & l < L" in page
    assert r"\frac{\partial C}{\partial b^{l}} &= \textstyle \delta^{l} \mathbf{1}_{N}" in page
    assert r"dW^{[l]} &= \textstyle dZ^{[l]}" in built("deep_mlp").derivation.latex(
        profile="ng", detail="brief")
    assert "δ^{l+1}" in built("deep_mlp").derivation.text(profile="nielsen")
