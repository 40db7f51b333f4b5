"""How much of a derivation is printed: three depths, or one equation."""

from __future__ import annotations

import re

import pytest
from built_models import built

from symprop.cli.main import run
from symprop.errors import InputError

PRINTERS = ("latex", "markdown", "text")
NAMES = ("mlp_sigmoid_mse", "elman_rnn")


def numbers(text: str) -> list[str]:
    return re.findall(r"(?:\\tag\{|\()(B[0-9]+)[})]$", text, re.M)


@pytest.mark.parametrize("printer", PRINTERS)
@pytest.mark.parametrize("name", NAMES)
def test_brief_is_what_is_computed_in_its_order(name: str, printer: str) -> None:
    derivation = built(name).derivation
    text = getattr(derivation, printer)(detail="brief").replace(" \\\\\n", "\n")
    computed = [a.number for a in derivation.adjoints if not a.inlined]
    assert numbers(text) == computed
    assert "chain rule" not in text and len(text.splitlines()) < 120


@pytest.mark.parametrize("name", NAMES)
def test_each_depth_is_part_of_the_next(name: str) -> None:
    """Every formula of a depth stands in the next one, but for where its lines are broken."""
    derivation = built(name).derivation

    def formulas(detail: str) -> set[str]:
        text = derivation.text(detail=detail)
        return {line.split(" = ", 1)[1].rsplit("  ", 1)[0].strip()
                for line in text.splitlines() if " = " in line and line.startswith("  ")}

    assert formulas("brief") <= formulas("normal") <= formulas("full")
    assert len(derivation.text(detail="normal")) < 0.8 * len(derivation.text())


@pytest.mark.parametrize("printer", PRINTERS)
def test_one_equation_has_its_steps_and_number_and_no_others(printer: str) -> None:
    derivation = built("mlp_sigmoid_mse").derivation
    print_one = getattr(derivation, printer)
    text, whole = print_one(equation="(b9)").replace(" \\\\\n", "\n"), print_one()
    assert numbers(text) == ["B9"] and "sifting" in text
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
