"""The closed forms do not depend on how the forward pass was spelled.

Layer norm x̄ = r (h̄ - mean h̄ - h mean(h̄ h)), softmax with cross-entropy (P - Y)/N, attention
S̄ = A (Ā - Σ Ā A): each from several spellings, by the same moves.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import symprop
from symprop.algebra.expr import Access, Expr, Extremum, Paren, atoms
from symprop.system import Adjoint

EPS = 1e-5


def named(x: Any) -> Any:
    mu = x.mean(axis=1, keepdims=True)
    c = x - mu
    v = (c**2).mean(axis=1, keepdims=True)
    r = 1 / np.sqrt(v + EPS)
    return c * r


def unnamed(x: Any) -> Any:
    mu = x.mean(axis=1, keepdims=True)
    var = ((x - mu) ** 2).mean(axis=1, keepdims=True)
    return (x - mu) / np.sqrt(var + EPS)


def with_var(x: Any) -> Any:
    return (x - x.mean(axis=1, keepdims=True)) / np.sqrt(x.var(axis=1, keepdims=True) + EPS)


def of_squares(x: Any) -> Any:
    mu = x.mean(axis=1, keepdims=True)
    var = (x**2).mean(axis=1, keepdims=True) - mu**2
    return (x - mu) / np.sqrt(var + EPS)


def half_power(x: Any) -> Any:
    c = x - np.sum(x, axis=1, keepdims=True) / x.shape[1]
    v = np.sum(c * c, axis=1, keepdims=True) / x.shape[1]
    return c * (v + EPS) ** -0.5


def final(function: Callable[..., Any], wrt: list[str], **options: Any) -> dict[str, Adjoint]:
    """The verified adjoint equations that are computed, by primal."""
    derivation = symprop.derive(symprop.trace(function, wrt=wrt, **options))
    derivation.verify()
    return {a.primal: a for a in derivation.adjoints if not a.inlined}


def inside(rhs: Expr) -> Expr:
    """The sum in the one parenthesis of a single term."""
    assert len(rhs.terms) == 1
    (body,) = [a.body for a, _ in rhs.terms[0].factors if isinstance(a, Paren)]
    return body


@pytest.mark.parametrize("norm", [named, unnamed, with_var, of_squares, half_power])
def test_layer_norm(norm: Callable[[Any], Any]) -> None:
    def loss(x: "N D", g: "D", b: "D", w: "N D") -> Any:
        h = norm(x)
        return np.sum(np.tanh(h * g + b) * w)

    adjoints = final(loss, ["x", "g", "b"])
    body = inside(adjoints["x"].rhs)
    assert len(body.terms) == 3
    assert sorted(len(t.bound) for t in body.terms) == [0, 1, 1]
    assert set(adjoints["x"].reads) >= {"∂h", "h"}
    assert len(adjoints) == 5  # of the tanh's argument, h, x, g and b


def softmax(Z: Any) -> Any:
    e = np.exp(Z - Z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def one_expression(Z: Any) -> Any:
    return np.exp(Z - Z.max(axis=1, keepdims=True)) / np.exp(
        Z - Z.max(axis=1, keepdims=True)).sum(axis=1, keepdims=True)


def without_maximum(Z: Any) -> Any:
    return np.exp(Z) / np.sum(np.exp(Z), axis=1, keepdims=True)


@pytest.mark.parametrize("spelled", [softmax, one_expression, without_maximum,
                                     symprop.nn.softmax])
def test_cross_entropy(spelled: Callable[..., Any]) -> None:
    def loss(Z: "N M", Y: "N M") -> Any:
        P = spelled(Z) if spelled is not symprop.nn.softmax else spelled(Z, axis=1)
        return -np.mean(np.sum(Y * np.log(P), axis=1))

    adjoints = final(loss, ["Z"], facts=[symprop.sums_to_one("Y", 1)])
    assert list(adjoints) == ["Z"]
    items = [t.factors[0][0] for t in inside(adjoints["Z"].rhs).terms]
    assert [i.array for i in items if isinstance(i, Access)] == ["P", "Y"]


@pytest.mark.parametrize("spelled", [softmax, one_expression])
def test_attention(spelled: Callable[[Any], Any]) -> None:
    def loss(Q: "N K", K: "M K", V: "M D", T: "N D") -> Any:
        S = Q @ K.T / np.sqrt(K.shape[1])
        A = spelled(S)
        return np.mean((A @ V - T) ** 2)

    adjoints = final(loss, ["Q", "K", "V"])
    assert set(adjoints["S"].reads) == {"∂A", "A"}
    assert [len(t.bound) for t in inside(adjoints["S"].rhs).terms] == [0, 1]


@pytest.mark.parametrize("recognise", [False, True])
def test_a_sigmoid_written_out(recognise: bool) -> None:
    def loss(z: "N", y: "N") -> Any:
        a = 1 / (1 + np.exp(-z))
        return -np.mean(y * np.log(a) + (1 - y) * np.log(1 - a))

    adjoints = final(loss, ["z"], recognise=recognise)
    items = [t.factors[0][0] for t in inside(adjoints["z"].rhs).terms]
    assert [i.array for i in items if isinstance(i, Access)] == ["a", "y"]


def test_layer_norm_under_a_residual_connection() -> None:
    def loss(x: "N D", g: "D", W: "D D", w: "N D") -> Any:
        return np.sum((x + np.tanh(named(x) * g @ W)) * w)

    adjoints = final(loss, ["x", "g", "W"])
    alone, norm = adjoints["x"].rhs.terms  # w + (h̄ - mean h̄ - h mean(h̄ h)) r
    assert [a.array for a, _ in alone.factors if isinstance(a, Access)] == ["w"]
    assert sorted(len(t.bound) for t in inside(Expr((norm,))).terms) == [0, 1, 1]


def test_a_bias_that_the_softmax_does_not_see() -> None:
    """The keys' bias adds the same to all logits of a query: its gradient is exactly 0."""
    def loss(x: "T D", Wq: "D D", Wk: "D D", bk: "D", Wv: "D D", y: "T D") -> Any:
        A = symprop.nn.softmax((x @ Wq) @ (x @ Wk + bk).T)
        return symprop.nn.mse_loss(A @ (x @ Wv), y)

    derivation = symprop.derive(symprop.trace(loss, wrt=["Wq", "Wk", "bk", "Wv"]))
    derivation.verify()
    zero = {a.primal for a in derivation.adjoints if a.rhs.is_zero}
    assert "bk" in zero and not zero & {"Wq", "Wk", "Wv"}


def test_the_maximum_of_log_weights_is_no_path() -> None:
    def loss(X: "N K", logits: "K") -> Any:
        joint = X + symprop.nn.log_softmax(logits, axis=0)
        return -np.mean(symprop.nn.logsumexp(joint, axis=1))

    derivation = symprop.derive(symprop.trace(loss, wrt=["X", "logits"]))
    derivation.verify()
    tops = [a for a in derivation.adjoints if not a.indices and a.primal.endswith("_max")]
    assert tops and all(a.rhs.is_zero for a in tops)


def test_two_gradients_that_are_equal_are_computed_once() -> None:
    def loss(x: "N K", a: "K", b: "K") -> Any:
        return np.sum(np.tanh(x + a + b))

    adjoints = final(loss, ["a", "b"])
    assert adjoints["b"].reads == ("∂a",)


def test_a_maximum_is_read_by_its_name_inside_a_bracket() -> None:
    def loss(x: "N 2*H") -> Any:
        y = symprop.nn.max_pool1d(x[:, None], 2)
        return np.sum(y**2)

    adjoint = final(loss, ["x"])["x"]
    assert not any(isinstance(a, Extremum) for a in atoms(adjoint.rhs))
