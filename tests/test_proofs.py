"""The three proofs of generality: convolution, layer norm, an LSTM over symbolic time."""

from __future__ import annotations

import ast

import numpy as np
import pytest
from built_models import assert_close, built, single
from complex_numpy import complex_gradients
from proofs import PROOFS

import symprop
from symprop.algebra.build import access, idx, mul, power, size, sub, sum_over
from symprop.algebra.canonical import canonical, collect, expand
from symprop.algebra.expr import Index, adjoint

NAMES = tuple(PROOFS)


@pytest.mark.parametrize("name", NAMES)
def test_every_step_is_verified(name: str) -> None:
    built(name).derivation.verify()


@pytest.mark.parametrize("name, k", [(n, k) for n in NAMES for k in range(len(PROOFS[n].sizes))])
def test_the_check_passes(name: str, k: int) -> None:
    report = symprop.check(built(name).module, sizes=PROOFS[name].sizes[k])
    assert report.passed, str(report)


@pytest.mark.parametrize("name, k", [(n, k) for n in NAMES for k in range(len(PROOFS[n].sizes))])
def test_gradients_and_outputs(name: str, k: int) -> None:
    proof = built(name)
    inputs = proof.inputs(proof.sizes[k], seed=k)
    loss, outputs = proof.function(**inputs)
    found, gradients = proof.module.value_and_grad(**inputs)
    assert found == pytest.approx(loss, rel=1e-12)
    for key, value in outputs.items():
        code = proof.module.predict.__code__
        needed = code.co_varnames[: code.co_argcount]
        predicted = proof.module.predict(**{n: a for n, a in inputs.items() if n in needed})
        np.testing.assert_allclose(predicted[key], value, rtol=1e-11, atol=1e-13)
    narrow = single(inputs)
    _, gradients32 = proof.module.value_and_grad(**narrow)
    assert all(np.asarray(g).dtype == np.float32 for g in gradients32.values())
    wide = {n: np.asarray(a, float) if np.asarray(a).dtype.kind == "f" else a
            for n, a in narrow.items()}
    assert_close(gradients32, proof.module.value_and_grad(**wide)[1], 1e-5)
    assert set(gradients) == set(proof.system.wrt)


@pytest.mark.parametrize("name", ["convolution", "layer_norm"])
def test_gradients_are_those_of_a_complex_step(name: str) -> None:
    proof = built(name)
    inputs = proof.inputs(proof.sizes[0], seed=3)
    expected = complex_gradients(proof.function, inputs, proof.system.wrt)
    assert_close(proof.module.value_and_grad(**inputs)[1], expected, 1e-10)


def test_layer_norm_has_its_closed_form() -> None:
    """x̄ = r (h̄ - mean h̄ - h mean(h̄ h))."""
    proof = built("layer_norm")
    found = next(a for a in proof.derivation.adjoints if a.primal == "x")
    n, d = (idx(i) for i in found.indices)
    sizes = size("D")
    dh, h = adjoint("h"), "h"
    one, other = Index("d", sizes), Index("d", sizes)
    mean = mul(power(sizes, -1), sum_over(access(dh, [n, idx(one)]), [one]))
    mean_product = mul(power(sizes, -1), sum_over(
        mul(access(dh, [n, idx(other)]), access(h, [n, idx(other)])), [other]))
    inside = sub(sub(access(dh, [n, d]), mean), mul(access(h, [n, d]), mean_product))
    closed = mul(access("r", [n]), inside)
    assert canonical(collect(expand(found.rhs))) == canonical(collect(expand(closed)))
    assert len(found.rhs.terms) == 1  # it stays factored


def test_layer_norm_without_a_name_for_the_root() -> None:
    """The same closed form when nothing but the result has a name."""
    def loss(x: "N D", g: "D", w: "N D"):
        centred = x - x.mean(axis=1, keepdims=True)
        h = centred / np.sqrt(x.var(axis=1, keepdims=True) + 1e-5)
        return np.sum(np.sin(h * g) * w)

    derivation = symprop.derive(symprop.trace(loss, wrt=["x"]))
    found = derivation.adjoints[-1].rhs
    terms = collect(expand(found)).terms
    assert len(terms) == 3
    report = symprop.check(symprop.generate(derivation))
    assert report.passed, str(report)


def test_convolution_gives_a_scatter_and_a_gather() -> None:
    """At stride 2 the delta of x̄ stays or is inverted; that of K̄ is solved."""
    adjoints = {a.primal: a for a in built("convolution").derivation.adjoints}
    assert len(adjoints["K"].rhs.terms) == 1
    bound = adjoints["K"].rhs.terms[0].bound
    assert [canonical(b.size) for b in bound[:1]] == [canonical(size("N"))]
    assert len(bound) == 3  # examples and output pixels, nothing else


def test_lstm_weight_gradients_stand_outside_the_loop() -> None:
    source = built("lstm_proof").module.source
    backward = next(node for node in ast.parse(source).body
                    if isinstance(node, ast.FunctionDef) and node.name == "backward")
    loops = [node for node in ast.walk(backward) if isinstance(node, ast.For)]
    assert len(loops) == 1
    inside = {t.id for node in ast.walk(loops[0]) if isinstance(node, ast.Name)
              and isinstance(node.ctx, ast.Store) for t in [node]}
    inside |= {node.value.id for node in ast.walk(loops[0]) if isinstance(node, ast.Subscript)
               and isinstance(node.ctx, ast.Store) and isinstance(node.value, ast.Name)}
    assert not inside & {"dWx", "dWh", "db", "dV", "dx"}, inside
    assert "dz" in inside


def test_lstm_hoists_what_does_not_recur() -> None:
    """x Wx for all t at once: a matrix product before the loop of forward."""
    source = built("lstm_proof").module.source
    forward = next(node for node in ast.parse(source).body
                   if isinstance(node, ast.FunctionDef) and node.name == "forward")
    loop = next(node for node in ast.walk(forward) if isinstance(node, ast.For))
    assert "Wx" not in {n.id for n in ast.walk(loop) if isinstance(n, ast.Name)}


def test_lstm_agrees_with_a_loop_in_numpy() -> None:
    """The module's gradients are differences of the user's own function, at T = 1 too."""
    proof = built("lstm_proof")
    for sizes in proof.sizes:
        inputs = proof.inputs(sizes, seed=5)
        _, gradients = proof.module.value_and_grad(**inputs)
        rng = np.random.default_rng(1)
        for name in proof.system.wrt:
            direction = rng.normal(size=inputs[name].shape)
            slopes = [_slope(proof.function, inputs, name, direction, h) for h in (1e-3, 5e-4)]
            expected = (4 * slopes[1] - slopes[0]) / 3
            scale = np.abs(gradients[name]).max() * np.sqrt(direction.size)
            assert np.sum(gradients[name] * direction) == pytest.approx(
                expected, abs=1e-9 * max(scale, 1e-3))


def _slope(function, inputs, name, direction, step):
    ends = [function(**{**inputs, name: inputs[name] + s * step * direction})[0]
            for s in (1, -1)]
    return (ends[0] - ends[1]) / (2 * step)

