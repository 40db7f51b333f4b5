"""Notebooks: every class shows itself, and is short. The tutorial stands in test_generated."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from block_networks import pair
from built_models import built
from notebook import shown

import symprop


def everything() -> dict[str, Any]:
    mlp = built("mlp")
    derivation = mlp.derivation
    small = {"N": 1, "K": 1, "H": 1, "M": 2}
    inputs = mlp.inputs(mlp.sizes[0])
    data = {"X": np.ones((4, 2)), "Y": np.eye(4, 2) + np.eye(4, 2)[::-1]}
    return {
        "System": mlp.system, "Equation": mlp.system.equations[0], "Derivation": derivation,
        "Adjoint": derivation.adjoints[-1], "Step": derivation.steps[0],
        "Gradient": derivation.gradients["W1"], "GeneratedModule": mlp.module,
        "CheckReport": symprop.check(mlp.module, seed=1),
        "BlockDerivation": symprop.derive(symprop.trace(pair())),
        "AgainstReport": symprop.check(mlp.module, against=derivation),
        "Cost": derivation.cost(), "Explicit": derivation.explicit(small),
        "Picture": derivation.figure(), "Evaluation": derivation.evaluate(inputs),
        "TrainResult": symprop.train(mlp.module, data, sizes={"H": 2}, epochs=1),
    }


def test_every_class_shows_itself_and_is_short() -> None:
    for name, value in everything().items():
        assert type(value).__name__ == name
        if name != "Picture":
            assert len(repr(value)) <= 120 and "\n" not in repr(value), name
        if name not in ("Evaluation", "TrainResult"):
            assert len(shown(value)) > 1, name


@pytest.mark.parametrize("form", ["mermaid", "dot", "tikz"])
def test_a_figure_in_another_language_is_a_block(form: str) -> None:
    picture = built("mlp").derivation.figure(format=form)
    assert picture._repr_svg_() is None
    assert picture._repr_markdown_().startswith(f"```{form}\n")


@pytest.mark.parametrize("name", ["mlp", "lstm", "transformer_block"])
def test_equations_and_steps_are_whole_latex(name: str) -> None:
    derivation = built(name).derivation
    for value in (*derivation.system.equations, *derivation.adjoints, *derivation.steps):
        text = value._repr_latex_()
        assert text.startswith("$") and text.endswith("$") and text.count("$") == 2
        assert text.count("{") == text.count("}") and "None" not in text


