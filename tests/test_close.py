"""The loop is closed: a module that departs from its equations is not written.

Wrong modules are made of right ones: by one random fault in the text of a body, and by what a
body may do beside computing values.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from emitted_models import MODELS, derivation
from mutants import mutant

import symprop
from symprop import pipeline
from symprop.cli.main import main
from symprop.close import Mismatch, close
from symprop.close.frames import watched
from symprop.close.overlaps import sharing
from symprop.close.sizes import sets_of_sizes
from symprop.close.values import LARGE, Values, points
from symprop.derivation import Derivation
from symprop.emit import module as emit_module
from symprop.emit.module import GeneratedModule
from symprop.lower.program import Program, lower
from symprop.zoo.table import models

FAULTS = 4


@cache
def made(name: str) -> tuple[Derivation, Program, str]:
    if name in MODELS:
        found = derivation(name)
    else:
        found = symprop.derive(symprop.trace(models()[name].function))
    program = lower(found.system, found.adjoints)
    return found, program, emit_module.generate(program).source


def closed(name: str, source: str) -> None:
    found, program, _ = made(name)
    close(found, program, GeneratedModule(source, name))


@pytest.mark.parametrize("name", ["mlp", "nested", "composite", "gathered", "recurrent",
                                  "convolution", "constants", "lstm", "word2vec"])
def test_a_module_with_one_fault_is_refused(name: str) -> None:
    """All but one at the most, for a change of the text may change no value."""
    _, _, source = made(name)
    closed(name, source)
    passed = []
    for seed in range(FAULTS):
        wrong, what = mutant(source, seed)
        try:
            closed(name, wrong)
        except Mismatch as mismatch:
            assert "please report it" in str(mismatch)
        else:
            passed.append(what)
    assert len(passed) <= 1, passed


BESIDE = {
    "backward changes saved": (r"(    N = .*\n)", r"\1    A1 *= 1 + 1e-9\n"),
    "forward changes an input": (r"(    z = .*\n)", r"\1    X *= 1 + 1e-9\n"),
    "one forward reaches the backward of another": (
        r"(def backward\(saved, dL=1.0\):\n.*\n)", r"\1    saved = forward.last\n"),
    "backward counts its calls": (
        r"(    dW2 = .*\n)", r"\1    backward.n = getattr(backward, 'n', 0) + 1\n"
        r"    dW2 = dW2 if backward.n % 2 else -dW2\n"),
    "dL is forgotten": (r"def backward\(saved, dL=1.0\):", r"def backward(saved, _=1.0, dL=1.0):"),
    "dL is taken twice": (r"(    dW2 = [^#\n]+?) *(#.*)?\n", r"\1 * dL\n"),
    "a gradient is in double precision": (
        r"(    return like_parameters\(grads, dtypes\))",
        r"    return {n: np.asarray(g, float) for n, g in grads.items()}"),
    "a value is in half precision": (
        r"(    A1 = np.tanh\(z\)).*\n", r"\1.astype(np.float16).astype(dtype)\n"),
    "wrong from a size on": (
        r"(    dA1 = .*\n)", r"\1    dA1 = dA1 * (1 + 1e-6 * (len(dA1) > 6))\n"),
    "wrong where an axis is 1": (
        r"(    db2 = .*)\n", r"\1\n    db2 = db2 if N > 1 else 0 * db2\n"),
    "value_and_grad drops the scale": (
        r"return L, backward\(saved\)", r"return L, backward(saved, 2.0)"),
    "predict is another model": (r"(return \{\"logits\": Z2)", r"\1 * 2"),
    "saved holds what forward does not compute": (r"    saved = \((\w+),", r"    saved = (2 * \1,"),
}


@pytest.mark.parametrize("what", BESIDE)
def test_what_a_module_does_beside_its_values_is_seen(what: str) -> None:
    _, _, source = made("mlp")
    wrong, count = re.subn(*BESIDE[what], source)
    wrong = re.sub(r"(    saved = \(.*\n)", r"\1    forward.last = saved\n", wrong)
    assert count, what
    with pytest.raises(Mismatch):
        closed("mlp", wrong)


def test_gradients_that_share_memory_are_seen() -> None:
    def twice(a: "N", b: "N") -> Any:
        return np.sum(np.sin(a + b))

    found = symprop.derive(symprop.trace(twice))
    program = lower(found.system, found.adjoints)
    source = emit_module.generate(program).source
    wrong = source.replace("np.asarray(grad, dtype) for", "grad for").replace(
        '"b": db}', '"b": da}')
    assert wrong != source
    with pytest.raises(Mismatch, match="shares memory"):
        close(found, program, GeneratedModule(wrong, "twice"))


@pytest.mark.parametrize("templates", [False, True])
def test_nothing_is_written_where_the_module_is_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, templates: bool
) -> None:
    true = emit_module.generate

    def wrong(program: Program, folder: Any = None) -> GeneratedModule:
        right = true(program, folder)
        return GeneratedModule(right.source.replace(".sum(axis=0)", ".max(axis=0)"), right.name)

    monkeypatch.setattr(pipeline.emit_module, "generate", wrong)
    folder = tmp_path / "own"
    folder.mkdir()
    (folder / "module.py.jinja").write_text(
        '{% extends "!module.py.jinja" %}{% block head %}# mine\n{% endblock %}', encoding="utf-8")
    target = tmp_path / "mlp.py"
    with pytest.raises(Mismatch, match=r"^\(B\d+\): .*its equation says.*\(sizes .*report it"):
        symprop.generate(made("mlp")[0], target, templates=folder if templates else None)
    built = tmp_path / "built"
    for words in (["generate", "mlp", "-o", str(target)], ["build", "mlp", "-o", str(built)]):
        extra = ["--template-dir", str(folder)] if templates else []
        with pytest.raises(SystemExit):
            main([*words, *extra])
    assert not target.exists() and not built.exists()


def test_sets_of_sizes_hold_ones_and_primes_and_what_the_conditions_allow() -> None:
    def windows(x: "N T", w: "3") -> Any:
        return np.sum(np.lib.stride_tricks.sliding_window_view(x, 3, axis=1) @ w)

    found = list(sets_of_sizes(symprop.trace(windows)))
    assert {"N": 1, "T": 3} in found and any(s["N"] > 1 for s in found)
    assert all(s["T"] >= 3 for s in found)
    assert {"N": 1, "K": 1, "M": 1, "H": 1} in list(sets_of_sizes(made("mlp")[0].system))


def test_large_declared_sizes_are_compared_in_part_and_their_borders_too() -> None:
    def layer(x: "40 300", w: "300 500") -> Any:
        return np.sum(np.tanh(x @ w) ** 2)

    found = symprop.derive(symprop.trace(layer))
    program = lower(found.system, found.adjoints)
    source = emit_module.generate(program).source
    assert points(found.system.equations[0].rhs, {}) * 40 * 500 > LARGE
    close(found, program, GeneratedModule(source, "layer"))
    for border in ("[-1, -1]", "[0, 0]", "[0, -1]"):
        wrong = source.replace(
            "    grads = {", f"    dw = dw.copy()\n    dw{border} *= 1.001\n    grads = {{", 1)
        assert wrong != source
        with pytest.raises(Mismatch, match="w"):
            close(found, program, GeneratedModule(wrong, "layer"))


@pytest.mark.parametrize("rule", ["fa", "dfa", "dtp"])
def test_a_module_of_a_learning_rule_is_compared_at_another_dL_too(rule: str) -> None:
    def net(X: "N K", Y: "N M", W1: "K H", W2: "H M", W3: "M M") -> Any:
        return np.mean((np.tanh(np.tanh(X @ W1) @ W2) @ W3 - Y) ** 2)

    found = symprop.derive(symprop.trace(net, wrt=["W1", "W2", "W3"]), rule)
    program = lower(found.system, found.adjoints)
    source = emit_module.generate(program).source
    assert program.departing
    close(found, program, GeneratedModule(source, "net"))
    wrong = source.replace("    grads = {", "    dW1 = dW1 * dL\n    grads = {")
    assert wrong != source
    with pytest.raises(Mismatch, match=r"dL = -2|^\(B"):
        close(found, program, GeneratedModule(wrong, "net"))


def _softmax(z: Any) -> Any:
    e = np.exp(z - z.max(axis=0))
    return e / e.sum(axis=0)


def columns(s: "23", w: "23", v: "23") -> Any:
    """The columns of the softmax are equal but for rounding."""
    return np.sum(_softmax(s[:, None] + s).max(axis=1) * w)


def smallest(s: "23", w: "23", v: "23") -> Any:
    return np.sum(np.min(np.cumsum(_softmax(s[:, None] + v), axis=0), axis=1) * w)


def chosen(s: "23", w: "23", v: "23") -> Any:
    p = _softmax(s[:, None] + v)
    return np.sum(np.where(p == p.max(axis=1)[:, None], p * w, p**2))


def there_and_back(s: "23", w: "23", v: "23") -> Any:
    back = s * 3 / 7 * 7 / 3
    return np.sum(np.maximum(s, back) * w) + np.sum(np.where(back > s, v, w) * s)


def windows_of_ones(s: "23", w: "23", v: "53") -> Any:
    t = np.tanh(v**-2 / 4)
    return np.sum(np.lib.stride_tricks.sliding_window_view(t, 3).min(axis=-1) ** 2) + np.sum(s * w)


def saturated(s: "23", w: "23", v: "23") -> Any:
    """tanh(12) and 1 are within 1e-9 of each other, and no tie."""
    return np.sum(np.where(np.tanh(12 * s) < 1, v, v * w))


@pytest.mark.parametrize(
    "function", [columns, smallest, chosen, there_and_back, windows_of_ones, saturated])
def test_ties_that_rounding_breaks_refuse_no_module(function: Any) -> None:
    """Code compares what it has computed, bit by bit: to the interpreter these are ties."""
    found = symprop.derive(symprop.trace(function))
    for style in ("readable", "fast"):
        assert symprop.generate(found, style=style)


def test_a_comparison_with_nan_decides_nothing() -> None:
    """np.where takes the second branch there, an equation neither."""
    def loss(z: "N", w: "") -> Any:
        u = z**-0.5
        b = np.where(u >= w, u, w)
        return np.sum(b)

    equation = symprop.trace(loss).equation("b")
    assert equation is not None
    for u, b in [([np.nan, 2.0], [0.5, 2.0]), ([1.0, 2.0], [1.0, 2.0])]:
        arrays = {"u": np.array(u), "w": np.array(0.5)}
        Values(arrays, {"N": 2}, np.float64).compare(equation, np.array(b))
        if np.isfinite(u).all():
            with pytest.raises(Mismatch, match="b"):
                Values(arrays, {"N": 2}, np.float64).compare(equation, np.array([1.0, 2.1]))


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_what_should_be_0_is_compared_too(dtype: Any) -> None:
    """A gradient behind a closed gate; numbers below what the precision holds are not."""
    equation = symprop.trace(lambda z: np.sum(np.maximum(z, 0)), shapes={"z": "N"}).equations[0]
    values = Values({"z": np.array([-0.1, 2.0, 1e-310])}, {"N": 3}, dtype)
    values.compare(equation, np.array([0, 2.0, 0]))
    for wrong in ([0.5, 2.0, 0], [1e-4, 2.0, 0], [0, 2.0, 1e-4]):
        with pytest.raises(Mismatch):
            values.compare(equation, np.array(wrong))


@pytest.mark.parametrize("seed", range(20))
def test_shared_memory_is_found_by_the_bytes_that_arrays_span(seed: int) -> None:
    """Views of two arrays, some reversed, strided or empty: as comparing all pairs says."""
    random = np.random.default_rng(seed)
    bases = [np.zeros((6, 8)), np.zeros(40)]
    views = []
    for _ in range(14):
        base = bases[random.integers(2)]
        low, high = sorted(random.integers(0, len(base) + 1, 2))
        part = base[low:high][::int(random.choice([-2, -1, 1, 3]))]
        views.append(part[..., ::2] if random.integers(2) else part)
    first = int(random.integers(1, 8))
    every = [(j, k) for j in range(first) for k in range(j + 1, len(views))
             if np.shares_memory(views[j], views[k])]
    assert [*sharing(views, first)] == every


def test_a_value_written_over_through_a_view_counts_as_it_was() -> None:
    """only_where returns a view of all that it was given to write in: z then has y's memory."""
    def function(x: Any) -> Any:
        y = x + 1
        z = np.multiply(y.view(np.int64), 0, out=y.view(np.int64)).view(y.dtype)
        z += 5
        del y
        return z

    frame = watched(function, (np.ones(3),), {})
    np.testing.assert_array_equal(frame.variables["y"], [2, 2, 2])
    np.testing.assert_array_equal(frame.variables["z"], [5, 5, 5])
