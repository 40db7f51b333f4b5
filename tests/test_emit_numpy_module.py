"""A generated module does nothing in vain, and our names give way to any of the user's.

Small functions, and the proofs; gradients are compared with differences of the functions.
"""

from __future__ import annotations

import ast
import copy
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from built_models import built
from lowered import assert_equal
from proofs import PROOFS

import symprop
from symprop import nn
from symprop.algebra.build import (
    ONE,
    access,
    add,
    extremum,
    idx,
    iverson,
    mul,
    number,
    power,
    size,
    sum_over,
)
from symprop.algebra.expr import Index
from symprop.zoo import models


def module_of(function: Any, **options: Any) -> Any:
    """The module of a function."""
    return symprop.generate(symprop.derive(symprop.trace(function, **options)))


def assert_right(function: Any, seed: int = 0, **shapes: tuple[int, ...]) -> None:
    """The module's loss is the function's, and its gradients are the function's slopes."""
    module = module_of(function)
    generator = np.random.default_rng(seed)
    inputs = {name: generator.normal(size=shape) for name, shape in shapes.items()}
    loss, gradients = module.value_and_grad(**inputs)
    np.testing.assert_allclose(loss, function(**inputs), rtol=1e-12)
    for name in module.WRT:
        slopes = np.zeros(shapes[name])
        for place in np.ndindex(*shapes[name]):
            step = np.zeros(shapes[name])
            step[place] = 1e-5
            up, down = (function(**{**inputs, name: inputs[name] + s * step}) for s in (1, -1))
            slopes[place] = (up - down) / 2e-5
        assert gradients[name].shape == shapes[name]
        np.testing.assert_allclose(gradients[name], slopes, rtol=1e-6, atol=1e-8)


# ---- names --------------------------------------------------------------------------------


def test_our_names_give_way_to_inputs() -> None:
    def loss(dh: "N K", saved: "K M", dL: "M", grads: "", dtype: "N"):
        h = np.tanh(dh @ saved + dL)
        np_ = h * grads
        dsaved = np_ * dtype[:, None]
        forward = np.sum(dsaved**2)
        return forward / dh.shape[0]

    assert_right(loss, dh=(5, 3), saved=(3, 2), dL=(2,), grads=(), dtype=(5,))


def test_builtin_names_and_axes_may_be_arrays() -> None:
    def loss(range: "N", read: "N", zip: "N K", sigmoid: "K", N: ""):
        slice = nn.sigmoid(zip @ sigmoid) * range + N
        backward = np.sum(slice * read)
        return backward * N

    assert_right(loss, range=(5,), read=(5,), zip=(5, 3), sigmoid=(3,), N=())


# ---- nothing in vain ------------------------------------------------------------------------

EVERY = [m.name for m in models().values() if m.shown] + list(PROOFS)


def names(node: ast.AST, context: type[ast.expr_context]) -> set[str]:
    """The names that are read (Load) or bound (Store) in a piece of code."""
    return {n.id for n in ast.walk(node) if isinstance(n, ast.Name)
            and isinstance(n.ctx, context)}


@pytest.mark.parametrize("name", EVERY)
def test_nothing_is_computed_in_vain(name: str) -> None:
    """What forward, backward and predict bind, they read; sizes at the door aside."""
    proof = built(name)
    sizes = {"_", *proof.system.sizes}
    for function in ast.parse(proof.module.source).body:
        if isinstance(function, ast.FunctionDef) and function.name in (
                "forward", "backward", "predict"):
            idle = names(function, ast.Store) - names(function, ast.Load) - sizes
            assert not idle, f"{function.name} binds {sorted(idle)} for nothing"


@pytest.mark.parametrize("name", ["mlp", *PROOFS])
def test_the_adjoint_of_the_loss_scales_everything(name: str) -> None:
    proof = built(name)
    saved = proof.module.forward(**proof.inputs(proof.sizes[0], seed=5))[1]
    one, three = proof.module.backward(saved), proof.module.backward(saved, dL=-3.0)
    for key in one:
        np.testing.assert_allclose(three[key], -3 * one[key], rtol=1e-12, atol=1e-14)


def test_only_the_recurrence_stands_in_the_loop() -> None:
    lines = built("lstm_proof").module.source.splitlines()
    for start in ("xWx = ", "scores = ", "dWh = ", "dWx = ", "db = ", "dV = ", "dx = "):
        assert any(line.startswith(f"    {start}") for line in lines), start


# ---- spelling -------------------------------------------------------------------------------


def least_squares(X: "N K", w: "K", y: "N"):
    r = X @ w - y
    return r @ r / (2 * X.shape[0])


def batched(x: "T N K", W: "K M"):
    z = x @ W
    return np.sum(np.sin(z)) / (x.shape[0] * x.shape[1])


def picked(E: "K D", tokens: "int N", W: "D M"):
    return np.sum(np.tanh(E[tokens] @ W))


def shifted(x: "T", w: "T-1"):
    d = x[1:] - x[:-1]
    return np.sum(d * d * w)


def strided(x: "N", w: "N"):
    e = x[::2] ** 3
    return np.sum(e) + np.sum(w)


@pytest.mark.parametrize("function, pieces", [
    (least_squares, ["r = X @ w - y", "np.vdot(r, r) / (2 * N)"]),
    (batched, ["z = x @ W", "/ (T * N)", "dx = dz @ W.T", "np.tensordot(x, dz, "]),
    (picked, ["E[tokens] @ W", "np.add.at(dE, tokens, "]),
    (shifted, ["d = x[1:] - x[:", "dx[1:] ", "np.vdot("]),
    (strided, ["x[::2]", "dx[::2] = "]),
])
def test_spelling(function: Any, pieces: list[str]) -> None:
    source = module_of(function).source
    for piece in pieces:
        assert piece in source, source[source.index("def forward"):]


def test_stacks_shifts_and_strides() -> None:
    assert_right(batched, x=(3, 4, 2), W=(2, 5))
    assert_right(shifted, x=(6,), w=(5,))
    assert_right(shifted, x=(1,), w=(0,))
    assert_right(strided, x=(7,), w=(7,))


@pytest.mark.parametrize("inner", ["total", "largest"])
def test_a_choice_by_a_size_keeps_its_shape(inner: str) -> None:
    """Σ_k (1 + [3 < N] x[3, k])²: zeros of the right shape where the condition fails."""
    k = Index("k", size("K"))
    guarded = mul(iverson("<", number(3), size("N")), access("x", [number(3), idx(k)]))
    body = power(add(ONE, guarded), 2)
    rhs = sum_over(body, [k]) if inner == "total" else extremum("max", body, [k])
    for n in (2, 5):
        sizes = {"N": n, "K": 4}
        x = np.random.default_rng(n).normal(size=(n, 4))
        assert_equal(rhs, (), {"x": [size("N"), size("K")]}, {"x": x}, sizes)


def test_labels_and_scores_flattened_alike() -> None:
    def loss(x: Any, W: Any, t: Any) -> Any:
        N, T, _ = x.shape
        return nn.cross_entropy((x @ W).reshape(N * T, -1), t.reshape(N * T))

    shapes = {"x": "N T D", "W": "D M", "t": "int N T"}
    module = symprop.generate(symprop.trace(loss, shapes=shapes, wrt=["W"]))
    assert "t.reshape(N * T)" in module.source
    assert symprop.check(module).passed


def test_sizes_that_no_shape_tells_apart_are_refused() -> None:
    with pytest.raises(symprop.SympropError, match="the sizes K and M"):
        module_of(lambda x: np.sum(x.reshape(x.shape[0], -1) ** 2), shapes={"x": "N K*M"})


# ---- what forward saves --------------------------------------------------------------------


def counting(count: "N", index: "N", names: "N", Saved: ""):
    return np.sum(np.tanh(count * index) * names * Saved)


def test_what_is_saved_has_names_and_is_a_tuple() -> None:
    mlp = built("mlp")
    inputs = mlp.inputs(mlp.sizes[0])
    _, saved = mlp.module.forward(**inputs)
    assert isinstance(saved, tuple)
    parts = dict(zip(type(saved).names, saved, strict=True))
    for name, part in parts.items():
        assert getattr(saved, name) is part
    np.testing.assert_allclose(saved.A1, np.tanh(inputs["X"] @ inputs["W1"] + inputs["b1"]))
    with pytest.raises(AttributeError, match="Z99"):
        _ = saved.Z99


@pytest.mark.parametrize("journey", [
    lambda saved: pickle.loads(pickle.dumps(saved)), copy.copy, copy.deepcopy, tuple, list,
], ids=["pickle", "copy", "deepcopy", "tuple", "list"])
def test_what_is_saved_travels(journey: Any) -> None:
    mlp = built("mlp")
    _, saved = mlp.module.forward(**mlp.inputs(mlp.sizes[0]))
    there = journey(saved)
    once, again = mlp.module.backward(saved), mlp.module.backward(there)
    np.testing.assert_array_equal(once["W1"], again["W1"])
    if type(there) not in (tuple, list):
        np.testing.assert_array_equal(there.A1, saved.A1)


def test_what_a_written_module_saves_pickles(tmp_path: Path) -> None:
    (tmp_path / "mlp.py").write_text(built("mlp").module.source, encoding="utf-8")
    script = ("import pickle, mlp; _, saved = mlp.forward(**mlp.draw_inputs(0)); "
              "there = pickle.loads(pickle.dumps(saved)); "
              "assert type(there) is mlp.Saved and (there.A1 == saved.A1).all()")
    done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True,
                          text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_saved_arrays_may_have_the_names_of_a_tuple() -> None:
    module = module_of(counting)
    inputs = {"count": np.array([1.0, 2.0]), "index": np.array([0.1, -0.3]),
              "names": np.array([3.0, 4.0]), "Saved": 2.0}
    _, saved = module.forward(**inputs)
    np.testing.assert_array_equal(saved.count, inputs["count"])
    np.testing.assert_array_equal(saved.index, inputs["index"])
    np.testing.assert_array_equal(saved.names, inputs["names"])
    assert_right(counting, count=(2,), index=(2,), names=(2,), Saved=())
