"""Axes that are cut, joined, repeated and windowed: right gradients, no grids of positions."""

from __future__ import annotations

import numpy as np
import pytest
from complex_numpy import complex_gradients
from whole_tensor_models import RESHAPED, WINDOWED, Case

import symprop
from symprop.emit.module import module_source
from symprop.files.load import load_text
from symprop.shapes import parse_spec

GRIDS = ("np.arange", "np.add.at", "np.clip", "errstate")


def inputs(case: Case, seed: int = 0) -> dict[str, np.ndarray]:
    """Normal numbers of the declared shapes."""
    rng = np.random.default_rng(seed)
    shapes = {n: parse_spec(a, n) for n, a in case.function.__annotations__.items()
              if n != "return"}
    return {n: rng.normal(size=tuple(d.evaluate(case.sizes) for d in s.dims))
            for n, s in shapes.items()}


def gradients_are_right(case: Case) -> str:
    """Compares with complex steps through the user's function; returns the module's text."""
    derivation = symprop.derive(symprop.trace(case.function))
    source = module_source(derivation)
    module = load_text(source, case.function.__name__)
    given = inputs(case)
    wrt = derivation.system.wrt
    loss, found = module.value_and_grad(**given)
    assert loss == pytest.approx(case.function(**given), rel=1e-12)
    expected = complex_gradients(case.function, given, wrt)
    for name in wrt:
        np.testing.assert_allclose(found[name], expected[name], rtol=1e-10, atol=1e-12,
                                   err_msg=source)
    start = source.index("def forward")
    return source[start: source.index("def value_and_grad")]


@pytest.mark.parametrize("name", RESHAPED)
def test_cut_and_joined_axes_are_reshaped(name: str) -> None:
    text = gradients_are_right(RESHAPED[name])
    assert not [g for g in GRIDS if g in text], text
    for part in RESHAPED[name].holds:
        assert part in text, text


@pytest.mark.parametrize("name", WINDOWED)
def test_windows_are_views_and_their_adjoints_loops_over_the_window(name: str) -> None:
    text = gradients_are_right(WINDOWED[name])
    assert not [g for g in ("np.arange", "np.add.at", "np.clip") if g in text], text
    for part in WINDOWED[name].holds:
        assert "".join(part.split()) in "".join(text.split()), text  # wherever its lines end


@pytest.mark.parametrize("dtype, tolerance", [(np.float32, 1e-4), (np.float64, 1e-13)])
def test_reshapes_keep_the_dtype(dtype: type, tolerance: float) -> None:
    case = RESHAPED["patches"]
    module = load_text(module_source(symprop.derive(symprop.trace(case.function))), "patches")
    wide = inputs(case)
    _, expected = module.value_and_grad(**wide)
    _, found = module.value_and_grad(**{n: a.astype(dtype) for n, a in wide.items()})
    for name, gradient in found.items():
        assert gradient.dtype == dtype
        np.testing.assert_allclose(gradient, expected[name], rtol=tolerance, atol=tolerance)
