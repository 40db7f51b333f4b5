"""Labels, references and slides, as text; tests/tex compiles them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from built_models import built

from symprop.cli.main import run
from symprop.emit.beamer import beamer
from symprop.emit.references import labelled
from symprop.errors import InputError


@pytest.mark.parametrize("detail", ["full", "normal", "brief"])
@pytest.mark.parametrize("name", ["mlp", "lstm"])
def test_every_number_has_one_label_and_every_reference_leads_to_one(
    name: str, detail: str
) -> None:
    derivation = built(name).derivation
    text = derivation.latex(labels="net", detail=detail)
    labels = re.findall(r"\\label\{([^}]*)\}", text)
    tags = set(re.findall(r"\\tag\{([^}]*)\}", text))
    assert len(labels) == len(set(labels))
    assert set(labels) == {f"sp:net:{tag}" for tag in tags}
    references = set(re.findall(r"\\eqref\{([^}]*)\}", text))
    assert references <= set(labels)
    if detail == "full":
        assert len(references) > 5
    plain = re.sub(r"\\label\{[^}]*\}", "", re.sub(r"\\eqref\{sp:net:([^}]*)\}", r"(\1)", text))
    assert plain == derivation.latex(detail=detail)


def test_labels_of_lemmas_are_numbers_too() -> None:
    assert labelled(r"\tag{2.B1} by (2.B1)", "x") == (
        r"\tag{2.B1}\label{sp:x:2.B1} by \eqref{sp:x:2.B1}")


@pytest.mark.parametrize("prefix", ["", "a b", "a}", r"\x", "%"])
def test_what_cannot_be_a_label_is_refused(prefix: str) -> None:
    with pytest.raises(InputError, match="cannot be a label"):
        built("mlp").derivation.latex(labels=prefix)


def test_a_narrow_line_is_cut_more_often() -> None:
    derivation = built("lstm").derivation
    wide, narrow = derivation.latex(), derivation.latex(width=229)
    assert narrow.count(r"\quad {}") > wide.count(r"\quad {}")
    assert derivation.latex(width=345) == wide


@pytest.mark.parametrize("name", ["mlp", "lstm"])
def test_each_equation_has_a_frame_and_each_step_an_overlay(name: str) -> None:
    derivation = built(name).derivation
    frames = derivation.beamer().split(r"\begin{frame}")[1:]
    for adjoint in derivation.adjoints:
        own = [f for f in frames if f"frametitle{{({adjoint.number}) " in f]
        assert own, adjoint.number
        steps = "".join(own)
        for frame in own:
            overlays = [int(k) for k in re.findall(r"\\uncover<(\d+)->", frame)]
            assert set(overlays) == set(range(2, max(overlays, default=1) + 1))
        assert steps.count(r"\sympropreason") == len(adjoint.steps)
        assert f"({adjoint.number})" in steps.split("frametitle")[-1]
    assert beamer(derivation) == derivation.beamer()


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = tmp_path / "mlp.tex"
    assert run(["derive", "mlp", "--label", "mlp", "--width", "229", "-o", str(page)]) == 0
    assert r"\label{sp:mlp:B8}" in page.read_text(encoding="utf-8")
    assert run(["derive", "mlp", "--format", "beamer", "-o", str(page)]) == 0
    assert "{beamer}" in page.read_text(encoding="utf-8")
    for words in (["--label", "x", "--format", "text"], ["--label", "x y"]):
        assert run(["derive", "mlp", *words]) == 2
        assert capsys.readouterr().err.startswith("symprop: ")
