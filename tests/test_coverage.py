"""docs/coverage.md says what the tables say, and what it says is tested or refused."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import idioms
import numpy as np
import pytest
import trace_cases
import trace_forms

from symprop.errors import SympropError, TraceError, UnsupportedError
from symprop.trace import coverage, running
from symprop.trace.coverage import CORE, page, refused_names, traced_names
from symprop.trace.registry import FUNCTIONS, METHODS, PROPERTIES, REFUSED, UFUNCS
from symprop.trace.trace import trace

PAGE = Path(__file__).parent.parent / "docs" / "coverage.md"
FORMS = "".join(map(inspect.getsource, (trace_cases, trace_forms, idioms)))
OPERATORS = set(coverage._OPERATORS)
# The same under a name of another version of NumPy.
ELSEWHERE = {"trapz", "trapezoid", "mT"}


def test_the_page_is_generated(request: pytest.FixtureRequest) -> None:
    if request.config.getoption("--update"):
        PAGE.write_text(page(), encoding="utf-8")
    assert PAGE.read_text("utf-8") == page(), "make generated rewrites docs/coverage.md"


def test_three_quarters_of_the_core_functions_are_traced() -> None:
    assert len(set(CORE)) == len(CORE) >= 75
    assert len(set(CORE) & traced_names()) >= 0.9 * len(CORE)
    assert set(CORE) <= traced_names() | set(refused_names())


def test_every_name_on_the_page_has_a_case() -> None:
    scipy = {*coverage._SCIPY, *coverage.scipy_special.PATCHED}
    names = traced_names() | {n for n in (*METHODS, *PROPERTIES) if not n.startswith("_")}
    missing = [n for n in sorted(names - ELSEWHERE - OPERATORS - scipy)
               if not re.search(rf"\.{re.escape(n)}\b|\b{n.split('.')[-1]}\(", FORMS)]
    assert missing == []


# ---- nothing is silently zero -----------------------------------------------------------------


def public_functions():
    """NumPy's functions that hand calls to a traced array, by dotted name."""
    for module, prefix in ((np, ""), (np.linalg, "linalg."), (np.fft, "fft.")):
        for name in dir(module):
            found = getattr(module, name)
            if not name.startswith("_") and hasattr(found, "__wrapped__") and callable(found):
                yield prefix + name, found


@pytest.mark.parametrize("name", sorted({n for n, f in public_functions() if f not in FUNCTIONS}))
def test_a_function_that_is_not_traced_raises_with_its_name_and_the_line(name: str) -> None:
    def call(x):
        raise_nothing = x.__array_function__(dict(public_functions())[name], (), (x,), {})
        return raise_nothing * np.sum(x)

    with pytest.raises(SympropError) as found:
        trace(call, {"x": "N"})
    message = str(found.value)
    assert f"np.{name} cannot be traced: " in message or name.split(".")[-1] in message
    assert message.startswith("test_coverage.py:")
    assert not running.active()


@pytest.mark.parametrize("name", sorted(n for n in dir(np) if isinstance(
    getattr(np, n), np.ufunc) and getattr(np, n).__name__ not in UFUNCS))
def test_a_ufunc_that_is_not_traced_raises_with_its_name_and_the_line(name: str) -> None:
    call = getattr(np, name)
    with pytest.raises(UnsupportedError, match=r"^test_coverage.py:\d+: np\.\w+ cannot be traced"):
        trace(lambda x: np.sum(call(*[x] * call.nin)), {"x": "N"})


@pytest.mark.parametrize("name", sorted(
    n for n in dir(np.ndarray) if not n.startswith("_") and n not in {
        *METHODS, *PROPERTIES, "shape", "ndim", "size", "dtype", "device"}))
def test_a_method_that_is_not_traced_raises_with_its_name_and_the_line(name: str) -> None:
    with pytest.raises((UnsupportedError, TraceError), match=rf"^test_coverage.py:\d+: .*\b{name}"):
        trace(lambda x: np.sum(x) * getattr(x, name), {"x": "N"})


REFUSALS = [
    (lambda x: np.linalg.pinv(x).sum(), "np.linalg.pinv", "symprop.scan"),
    (lambda x: np.linalg.lstsq(x, x)[0].sum(), "np.linalg.lstsq", "equation"),
    (lambda x: np.linalg.qr(x)[1].sum(), "np.linalg.qr", "equation"),
    (lambda x: np.linalg.svd(x)[1].sum(), "np.linalg.svd", "singular"),
    (lambda x: np.linalg.norm(x, 2), "np.linalg.norm", "singular"),
    (lambda x: np.linalg.norm(x, "nuc"), "np.linalg.norm", "singular"),
    (lambda x: np.linalg.matrix_power(x, 0.5).sum(), "np.linalg.matrix_power", "whole"),
    (lambda x: np.nansum(x), "np.nansum", "mask"),
    (lambda x: np.nan_to_num(x).sum(), "np.nan_to_num", "mask"),
    (lambda x: np.isnan(x).sum() * x.sum(), "np.isnan", "nan"),
    (lambda x: np.interp(x, [0, 1], [0, 1]).sum(), "np.interp", "searchsorted"),
    (lambda x: np.unique(x).sum(), "np.unique", "set"),
    (lambda x: np.nonzero(x)[0].sum() * x.sum(), "np.nonzero", "depends on the numbers"),
    (lambda x: np.histogram(x)[0].sum() * x.sum(), "np.histogram", "depends on the numbers"),
    (lambda x: np.apply_along_axis(np.sum, 0, x).sum(), "np.apply_along_axis", "Python"),
    (lambda x: x.sum() * x.sort(), "argument", "x.copy()"),
    (lambda x: x.fill(0), "argument", "x.copy()"),
    (lambda x: np.put(x, 0, 1) or x.sum(), "np.put", "in place"),
    (lambda x: np.add.at(x, 0, 1) or x.sum(), "argument", "x.copy()"),
    (lambda x: np.add.reduceat(x, [0, 1]).sum(), "np.add.reduceat", "reduce"),
    (lambda x: np.allclose(x, 0) * x.sum(), "np.allclose", "np.isclose"),
    (lambda x: np.pad(x, 1, "linear_ramp").sum(), "np.pad", "reflect"),
    (lambda x: np.pad(x, 1, "reflect", reflect_type="odd").sum(), "np.pad", "reflect"),
    (lambda x: np.quantile(x, x[0, 0]), "np.quantile", "plain numbers"),
    (lambda x: np.quantile(x, 0.5, method="lower"), "np.quantile", "linear"),
    (lambda x: np.gradient(x, edge_order=2)[0].sum(), "np.gradient", "edge_order"),
    (lambda x: np.delete(x, [0, 1]).sum(), "np.delete", "np.concatenate"),
    (lambda x: np.compress(x[0] > 0, x).sum(), "np.compress", "np.where"),
    (lambda x: np.spacing(x).sum(), "np.spacing", "bits"),
    (lambda x: x.imag.sum(), ".imag", "real numbers"),
    (lambda x: np.sort(x[x > 0]).sum(), "boolean mask", "np.where"),
    (lambda x: np.max(x, where=x > 0, initial=0), "np.max", "where="),
    (lambda x: np.prod(x, dtype=int), "np.prod", "floats"),
    (lambda x: np.take(x, 5, mode="clip"), "np.take", "mode="),
]


@pytest.mark.parametrize(("function", "name", "way_out"), REFUSALS)
def test_refusals_say_the_name_the_line_and_why(function, name, way_out) -> None:
    with pytest.raises(SympropError) as found:
        trace(function, {"x": "N N"})
    message = str(found.value)
    assert re.match(r"test_coverage\.py:\d+: ", message)
    assert name in message and way_out in message


def test_a_name_is_traced_or_refused_not_both() -> None:
    assert not set(REFUSED) & traced_names()
