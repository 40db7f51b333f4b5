"""`generated/` holds what the zoo makes today, byte for byte.

`pytest tests/test_generated.py --update` (or `make generated`) rewrites it.
"""

from __future__ import annotations

import difflib
import json
from pathlib import Path
from typing import Any

import pytest
from notebook import TUTORIAL, outputs

import symprop
from symprop.zoo import Model, models

GENERATED = Path(__file__).parents[1] / "generated"
PICTURES = GENERATED.parent / "docs" / "figures"
SHOWN = [m for m in models().values() if m.shown]


def derivation_of(model: Model) -> symprop.Derivation:
    """The derivation of a zoo model."""
    return symprop.derive(symprop.trace(
        model.function, shapes=model.shapes, wrt=model.wrt, facts=model.facts,
        static=model.static,
    ))


@pytest.mark.parametrize("model", SHOWN, ids=[m.name for m in SHOWN])
def test_generated(model: Model, request: pytest.FixtureRequest) -> None:
    derivation = derivation_of(model)
    texts = {
        f"{model.name}.py": symprop.generate(derivation).source,
        f"{model.name}.tex": derivation.latex(),
        f"{model.name}.md": derivation.markdown(),
    }
    for name, text in texts.items():
        path = GENERATED / name
        if request.config.getoption("--update"):
            GENERATED.mkdir(exist_ok=True)
            path.write_text(text)
        stored = path.read_text() if path.exists() else ""
        difference = "".join(difflib.unified_diff(
            stored.splitlines(True), text.splitlines(True), f"generated/{name}", "made now"))
        assert stored == text, f"{difference}\nmake generated rewrites it"


def test_the_gallery_is_not_the_whole_zoo() -> None:
    assert len(SHOWN) <= 20


def test_nothing_else_lies_there() -> None:
    expected = {f"{m.name}.{kind}" for m in SHOWN for kind in ("py", "tex", "md")}
    assert {p.name for p in GENERATED.iterdir() if p.name != "README.md"} == expected


@pytest.mark.parametrize(("name", "kind"), [
    ("mlp", "forward"), ("mlp", "backward"), ("mlp", "training"), ("gpt", "forward")])
def test_the_pictures_of_the_page_are_these(
    name: str, kind: str, request: pytest.FixtureRequest
) -> None:
    path = PICTURES / f"{name}_{kind}.svg"
    picture = derivation_of(models()[name]).figure(kind)
    if request.config.getoption("--update"):
        path.write_text(picture, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == picture, "pytest --update draws it anew"


def test_the_tutorial_runs_and_shows_what_it_says(request: pytest.FixtureRequest) -> None:
    page = json.loads(TUTORIAL.read_text(encoding="utf-8"))
    names: dict[str, Any] = {"__name__": "__main__"}
    ran = [(cell, outputs(cell, names)) for cell in page["cells"] if cell["cell_type"] == "code"]
    if request.config.getoption("--update"):
        for cell, found in ran:
            cell["outputs"] = found
        text = json.dumps(page, indent=1, ensure_ascii=False) + "\n"
        TUTORIAL.write_text(text, encoding="utf-8")
    for cell, found in ran:
        assert cell["outputs"] == found, f"{cell['id']}: pytest --update runs it anew"
    assert names["report"].passed
    assert "100%" in "".join(ran[-1][1][0]["text"])
