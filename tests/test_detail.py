"""How much of a derivation is printed: three depths, or one equation. Every line is true."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from built_models import built
from test_matrix_form import FUNCTIONS, matrix_value

from symprop.algebra.build import ONE
from symprop.algebra.expr import Access, Expr
from symprop.cli.main import run
from symprop.derive.closed import closed_form
from symprop.derive.matrix_nodes import Map, nodes
from symprop.derive.retold import kind, told
from symprop.emit.text_notation import spelled
from symprop.errors import InputError
from symprop.interpret import draw, evaluate, run_equations
from symprop.interpret import run as run_system
from symprop.system import Adjoint, Equation, sides

PRINTERS = ("latex", "markdown", "text")
NAMES = ("mlp_sigmoid_mse", "elman_rnn")
TOLD = ("mlp", "mlp_batch_norm", "logistic_regression", "elman_rnn", "attention")
HEADING = "all that is computed, in this order"


def numbers(text: str) -> list[str]:
    return re.findall(r"(?:\\tag\{|\()(B[0-9]+)[})]$", text, re.M)


@pytest.mark.parametrize("printer", PRINTERS)
@pytest.mark.parametrize("name", NAMES)
def test_brief_is_what_is_computed_in_its_order(name: str, printer: str) -> None:
    derivation = built(name).derivation
    text = getattr(derivation, printer)(detail="brief").replace(" \\\\\n", "\n")
    computed = [a.number for a in derivation.adjoints if not a.inlined]
    assert numbers(text)[:len(computed)] == computed
    assert "chain rule" not in text and len(text.splitlines()) < 120


@pytest.mark.parametrize("detail", ["brief", "normal", "full"])
@pytest.mark.parametrize("printer", PRINTERS)
def test_every_depth_says_what_is_sought_and_ends_in_the_box(printer: str, detail: str) -> None:
    derivation = built("mlp_sigmoid_mse").derivation
    text = getattr(derivation, printer)(detail=detail)
    found = text.lower()
    assert found.index("given and sought") < found.index("forward") < found.index(HEADING)
    assert "mlp" in text and "computes" in text and "Sought are" in text
    computed = [a.number for a in derivation.adjoints if not a.inlined]
    box = text[found.index(HEADING):].replace(" \\\\\n", "\n")
    assert numbers(box)[:len(computed)] == computed
    assert all(size in box for size in "HKMN")


def test_normal_is_the_default_and_one_equation_is_printed_in_full() -> None:
    derivation = built("mlp_sigmoid_mse").derivation
    assert derivation.text() == derivation.text(detail="normal")
    assert derivation.text(equation="B9") == derivation.text(equation="B9", detail="full")
    lengths = [len(derivation.text(detail=d)) for d in ("brief", "normal", "full")]
    assert lengths[0] < 0.7 * lengths[1] and lengths[1] < 0.7 * lengths[2]


@pytest.mark.parametrize("printer", PRINTERS)
def test_one_equation_has_its_steps_and_number_and_no_others(printer: str) -> None:
    derivation = built("mlp_sigmoid_mse").derivation
    print_one = getattr(derivation, printer)
    text, whole = print_one(equation="(b9)").replace(" \\\\\n", "\n"), print_one(detail="full")
    assert numbers(text) == ["B9"] and "sifting" in text
    assert numbers(print_one(equation="B9", detail="normal").replace(" \\\\\n", "\n")) == ["B9"]
    forward = print_one(equation="F1")
    assert "(F1)" in forward or r"\tag{F1}" in forward
    assert "B1" not in numbers(forward) and len(forward) < len(text) < len(whole) / 2


@pytest.mark.parametrize(("options", "said"), [
    ({"detail": "long"}, "brief, normal, full"), ({"equation": "B99"}, r"\(B1\) to \(B10\)"),
    ({"equation": "B9", "only": ["W1"]}, "exclude"),
])
def test_wrong_options_are_named(options: dict[str, str], said: str) -> None:
    with pytest.raises(InputError, match=said):
        built("mlp_sigmoid_mse").derivation.text(**options)


def test_a_departure_is_told_at_every_depth(capsys: pytest.CaptureFixture[str]) -> None:
    for detail in ("brief", "normal", "full"):
        words = ["derive", "mlp_sigmoid_mse", "--rule", "fa", "--detail", detail]
        assert run([*words, "--format", "text"]) == 0
        text = capsys.readouterr().out
        assert "NOT THE GRADIENT" in text.upper() and " → " in text


def test_what_notebooks_show() -> None:
    model = built("mlp_sigmoid_mse")
    assert model.derivation._repr_markdown_() == model.derivation.markdown(detail="brief")
    assert model.module._repr_markdown_().startswith("```python\n# symprop sha256")
    assert all(len(repr(shown)) < 200 for shown in (model.derivation, model.module))


# ---- what is printed is true -----------------------------------------------------------------


def values(name: str) -> tuple[Any, dict[str, int], dict[str, Any]]:
    """A derivation, sizes, and the value of every array and adjoint."""
    derivation = built(name).derivation
    sizes, inputs = draw(derivation.system, 3)
    arrays = run_system(derivation.system, inputs, sizes)
    run_equations([Equation(a.number, a.array, a.indices, a.rhs) for a in derivation.adjoints],
                  arrays, sizes)
    return derivation, sizes, arrays


def tellings(derivation: Any) -> list[tuple[Adjoint, Any]]:
    zeros = {a.array: a.number for a in derivation.adjoints if a.rhs.is_zero}
    loss = next(a.primal for a in derivation.adjoints if a.rhs == ONE)
    found = [(a, told(a, zeros, loss)) for a in derivation.adjoints if sides(a) is None]
    return [(a, telling) for a, telling in found if telling is not None]


@pytest.mark.parametrize("name", TOLD)
def test_what_a_person_would_write_is_true(name: str) -> None:
    """Both sides of the lines between; of the chain rule, that what is left out is zero."""
    derivation, sizes, arrays = values(name)
    zero = {a.array for a in derivation.adjoints if a.rhs.is_zero}
    checked = 0
    for adjoint, telling in tellings(derivation):
        for line in (telling.local, telling.result):
            found = evaluate(line, arrays, sizes, adjoint.indices)
            np.testing.assert_allclose(found, arrays[adjoint.array], rtol=1e-8, atol=1e-12)
            checked += 1
        whole, kept = adjoint.steps[0].after, len(telling.chain.terms)
        gone = [t for t in whole.terms if reads(Expr((t,))) & zero]
        assert kept == len(whole.terms) - len(gone) or kept == len(whole.terms)
    assert checked > 8


def reads(expr: Expr) -> set[str]:
    return {a.array for t in expr.terms for a, _ in t.factors if isinstance(a, Access)}


@pytest.mark.parametrize("name", TOLD)
def test_what_is_likewise_takes_the_same_steps(name: str) -> None:
    derivation = built(name).derivation
    found: dict[str, Adjoint] = {}
    for adjoint, telling in tellings(derivation):
        first = found.setdefault(kind(adjoint, telling), adjoint)
        assert [s.rule for s in first.steps] == [s.rule for s in adjoint.steps]
        assert len(first.indices) == len(adjoint.indices)
    assert len(found) < len(derivation.adjoints)


@pytest.mark.parametrize("name", TOLD)
def test_closed_gradients_are_true(name: str) -> None:
    derivation, sizes, arrays = values(name)
    system = derivation.system
    equations = {e.array: e for e in (*system.equations, *derivation.adjoints)}
    kinds: tuple[Callable[[str], bool], ...] = (
        equations.__contains__, lambda n: n in equations and n.startswith("∂"))
    for wrt in system.wrt:
        for inside in kinds:
            form = closed_form(equations["∂" + wrt], equations, system.arrays, inside)
            if form is None or not {n.function for n in nodes(form) if isinstance(n, Map)} <= set(
                    FUNCTIONS):
                continue
            found = matrix_value(form, lambda n: np.asarray(arrays[n]), sizes, {})
            wanted = np.asarray(arrays["∂" + wrt])
            np.testing.assert_allclose(found, wanted.reshape(found.shape), rtol=1e-8, atol=1e-12)


def test_least_squares_close_over_their_inputs() -> None:
    def ridge(X: "N K", Y: "N M", W: "K M", lam: "") -> Any:  # type: ignore[name-defined]
        return 0.5 * ((X @ W - Y) ** 2).sum() + lam / 2 * (W ** 2).sum()

    def product(A: "M K", X: "K L", B: "L N", Y: "M N") -> Any:  # type: ignore[name-defined]
        return 0.5 * ((A @ X @ B - Y) ** 2).sum()

    import symprop

    texts = [symprop.derive(symprop.trace(f, wrt=wrt)).text(detail="brief")
             for f, wrt in ((ridge, ["W"]), (product, ["X"]))]
    assert "W\u0304 = lam W + Xᵀ (X W - Y)" in texts[0]
    assert "X\u0304 = Aᵀ (A X B - Y) Bᵀ" in texts[1]


_PART = re.compile(r"(?P<open>\()?(?P<name>[^\s()\[\]Σ]+?)(?P<turned>ᵀ\))?\[(?P<at>[a-z,]+)\]$")


@pytest.mark.parametrize("name", ["mlp", "mlp_sigmoid_mse", "autoencoder"])
def test_the_step_that_explains_a_transpose_is_true(name: str) -> None:
    """The printed line, read and evaluated."""
    derivation, _, arrays = values(name)
    known = {spelled(n): np.asarray(v) for n, v in arrays.items()}
    number, checked, pending = {a.number: a.array for a in derivation.adjoints}, 0, []
    for line in derivation.text(detail="normal").splitlines():
        step = re.match(r" +(?:\S+ +)?= Σ_[a-z]+ (.*ᵀ\)\[[^ ]*.*)$", line)
        if step is not None:
            pending = [_PART.match(p) for p in step[1].split()]
            continue
        tag = re.search(r"\((B[0-9]+)\)$", line)
        if not pending or tag is None:
            continue
        assert all(pending), line
        operands = [known[p["name"]].T if p["turned"] else known[p["name"]] for p in pending]
        inside = [p["at"].replace(",", "") for p in pending]
        out = "".join(c for c in "".join(inside) if "".join(inside).count(c) == 1)
        wanted = np.asarray(arrays[number[tag[1]]])
        np.testing.assert_allclose(np.einsum(f"{','.join(inside)}->{out}", *operands), wanted)
        pending, checked = [], checked + 1
    assert checked
