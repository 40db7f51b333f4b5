"""The textbook's closed forms, found through the tracer from the code of a user.

Each right-hand side is compared with the expected expression, up to the order of terms and
the names of bound indices.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import symprop
from symprop import nn
from symprop.algebra.build import (
    ONE,
    access,
    idx,
    iverson,
    mul,
    number,
    power,
    size,
    sub,
    sum_over,
)
from symprop.algebra.canonical import canonical, collect, expand
from symprop.algebra.expr import Expr, Index, adjoint
from symprop.system import Adjoint, Fact

N, M, K, H = (size(axis) for axis in "NMKH")
ONE_HOT = Fact("sums_to_one", "Y", (1,))


def adjoint_of(name: str, function: Callable[..., Any], **options: Any) -> Adjoint:
    """The last word of the derivation on one array; every step of it is verified."""
    derivation = symprop.derive(symprop.trace(function, **options))
    derivation.verify()
    return next(a for a in derivation.adjoints if a.primal == name)


def expanded(expr: Expr) -> str:
    """The canonical text with every product multiplied out."""
    return canonical(collect(expand(expr)))


def assert_form(found: Adjoint, expected: Callable[..., Expr]) -> None:
    """The right-hand side is the expected expression of the adjoint's own indices."""
    right = expected(*(idx(i) for i in found.indices))
    assert expanded(found.rhs) == expanded(right), f"{found.rhs} is not {right}"


# ---- softmax and cross-entropy ------------------------------------------------------------


def labelled(Z: "N M", y: "int N"):
    m = Z.max(axis=1, keepdims=True)
    e = np.exp(Z - m)
    s = e.sum(axis=1, keepdims=True)
    P = e / s
    return -np.mean(np.log(P[np.arange(Z.shape[0]), y]))


def unshifted(Z: "N M", y: "int N"):
    e = np.exp(Z)
    P = e / np.sum(e, axis=1, keepdims=True)
    return -np.mean(np.log(P[np.arange(Z.shape[0]), y]))


def unnamed(Z: "N M", y: "int N"):
    e = np.exp(Z - np.max(Z, axis=-1)[:, None])
    P = e / e.sum(axis=-1)[:, None]
    return -np.log(np.take_along_axis(P, y[:, None], axis=1)).mean()


def distributed(Z: "N M", Y: "N M"):
    e = np.exp(Z - Z.max(axis=1, keepdims=True))
    P = e / e.sum(axis=1, keepdims=True)
    return -np.mean(np.sum(Y * np.log(P), axis=1))


def distributed_otherwise(Z: "N M", Y: "N M"):
    e = np.exp(Z - Z.max(axis=1, keepdims=True))
    P = e / e.sum(axis=1, keepdims=True)
    return np.sum(-Y * np.log(P)) / Z.shape[0]


def from_logits(Z: "N M", Y: "N M"):
    return nn.cross_entropy(Z, Y)


def from_logits_labelled(Z: "N M", y: "int N"):
    return nn.cross_entropy(Z, y)


def by_logsumexp(Z: "N M", y: "int N"):
    P = nn.softmax(Z, axis=1)
    del P
    return np.mean(nn.logsumexp(Z, axis=1) - Z[np.arange(Z.shape[0]), y])


def probability(derivation_of: Callable[..., Any]) -> str:
    """The name that the softmax has: the user's, or one that symprop makes up."""
    arrays = symprop.trace(derivation_of).arrays
    return "P" if "P" in arrays else "p"


@pytest.mark.parametrize(
    "function", [labelled, unshifted, unnamed, from_logits_labelled, by_logsumexp])
def test_softmax_with_labels(function: Callable[..., Any]) -> None:
    """(P - 1[m = y])/N."""
    P = probability(function)
    found = adjoint_of("Z", function)
    assert_form(found, lambda n, m: mul(power(N, -1), sub(
        access(P, [n, m]), iverson("==", access("y", [n]), m))))


@pytest.mark.parametrize("function", [distributed, distributed_otherwise, from_logits])
def test_softmax_with_a_distribution(function: Callable[..., Any]) -> None:
    """(P - Y)/N, with the fact that says so."""
    P = probability(function)
    found = adjoint_of("Z", function, facts=[ONE_HOT], wrt=["Z"])
    assert_form(found, lambda n, m: mul(
        power(N, -1), sub(access(P, [n, m]), access("Y", [n, m]))))
    steps = symprop.derive(symprop.trace(function, facts=[ONE_HOT], wrt=["Z"])).steps
    assert any("Y" in why for step in steps for why in step.because)


@pytest.mark.parametrize("function", [distributed, from_logits])
def test_softmax_with_weights_that_need_not_sum_to_one(function: Callable[..., Any]) -> None:
    """(P Σ_m Y - Y)/N, and a note that names the fact."""
    P = probability(function)
    found = adjoint_of("Z", function, wrt=["Z"])

    def expected(n: Expr, m: Expr) -> Expr:
        every = Index("m", M)
        total = sum_over(access("Y", [n, idx(every)]), [every])
        return mul(power(N, -1), sub(mul(access(P, [n, m]), total), access("Y", [n, m])))

    assert_form(found, expected)


@pytest.mark.parametrize("function", [labelled, from_logits_labelled])
def test_the_path_through_the_maximum_is_nothing(function: Callable[..., Any]) -> None:
    derivation = symprop.derive(symprop.trace(function))
    tops = [a for a in derivation.adjoints if a.primal in ("m", "Z_max")]
    assert len(tops) == 1 and tops[0].rhs.is_zero


# ---- sigmoid and binary cross-entropy -----------------------------------------------------


def bce(Z: "N", Y: "N"):
    A = nn.sigmoid(Z)
    return -np.mean(Y * np.log(A) + (1 - Y) * np.log(1 - A))


def bce_in_pieces(Z: "N", Y: "N"):
    A = nn.sigmoid(Z)
    gain = np.sum(Y * np.log(A))
    rest = np.sum((1 - Y) * np.log(1 - A))
    return -(gain + rest) / Z.shape[0]


def bce_from_logits(Z: "N", Y: "N"):
    A = nn.sigmoid(Z)
    del A
    return nn.binary_cross_entropy_with_logits(Z, Y)


@pytest.mark.parametrize("function", [bce, bce_in_pieces, bce_from_logits])
def test_binary_cross_entropy(function: Callable[..., Any]) -> None:
    """(A - Y)/N."""
    found = adjoint_of("Z", function, wrt=["Z"])
    assert_form(found, lambda n: mul(power(N, -1), sub(access("A", [n]), access("Y", [n]))))


# ---- least squares ------------------------------------------------------------------------


def squares(X: "N K", y: "N", w: "K"):
    r = X @ w - y
    return np.mean(r**2)


def squares_by_dot(X: "N K", y: "N", w: "K"):
    r = np.dot(X, w) - y
    return r @ r / X.shape[0]


@pytest.mark.parametrize("function", [squares, squares_by_dot])
def test_least_squares(function: Callable[..., Any]) -> None:
    """2/N Xᵀ (X w - y)."""
    found = adjoint_of("w", function, wrt=["w"])

    def expected(k: Expr) -> Expr:
        n = Index("n", N)
        return mul(number(2), power(N, -1), sum_over(
            mul(access("X", [idx(n), k]), access("r", [idx(n)])), [n]))

    assert_form(found, expected)


# ---- Nielsen's four equations -------------------------------------------------------------


def one_example(x: "K", y: "M", W1: "H K", b1: "H", W2: "M H", b2: "M"):
    z1 = W1 @ x + b1
    a1 = nn.sigmoid(z1)
    z2 = W2 @ a1 + b2
    a2 = nn.sigmoid(z2)
    return np.sum((a2 - y) ** 2) / 2


def columns(x: "K N", y: "M N", W1: "H K", b1: "H 1", W2: "M H", b2: "M 1"):
    z1 = W1 @ x + b1
    a1 = nn.sigmoid(z1)
    z2 = W2 @ a1 + b2
    a2 = nn.sigmoid(z2)
    return np.sum((a2 - y) ** 2) / 2


@pytest.mark.parametrize("function, examples", [(one_example, False), (columns, True)])
def test_nielsens_four_equations(function: Callable[..., Any], examples: bool) -> None:
    """δ² = (a² - y) σ', δ¹ = W²ᵀ δ² σ', ∂C/∂b = δ, ∂C/∂W = δ aᵀ."""
    derivation = symprop.derive(symprop.trace(function, wrt=["W1", "b1", "W2", "b2"]))
    derivation.verify()
    adjoints = {a.primal: a for a in derivation.adjoints}
    n = Index("n", N)
    at = [idx(n)] if examples else []

    def over_examples(expr: Expr) -> Expr:
        return sum_over(expr, [n]) if examples else expr

    def slope(a: str, i: Expr, rest: list[Expr]) -> Expr:
        return mul(access(a, [i, *rest]), sub(ONE, access(a, [i, *rest])))

    errors = _with_errors(derivation)
    assert_form(adjoints["z2"], lambda m, *rest: mul(
        errors(m, list(rest)), slope("a2", m, list(rest))))

    def back(h: Expr, *rest: Expr) -> Expr:
        m = Index("m", M)
        return sum_over(mul(access("W2", [idx(m), h]),
                            access(adjoint("z2"), [idx(m), *rest])), [m])

    def hidden(h: Expr, *rest: Expr) -> Expr:
        return mul(back(h, *rest), slope("a1", h, list(rest)))

    if adjoints["a1"].inlined:
        assert_form(adjoints["z1"], hidden)
    else:  # the product with W² has a line of its own
        assert_form(adjoints["a1"], back)
        assert_form(adjoints["z1"], lambda h, *rest: mul(
            access(adjoint("a1"), [h, *rest]), slope("a1", h, list(rest))))
    for layer, below in (("1", "x"), ("2", "a1")):
        delta = adjoint(f"z{layer}")
        assert_form(adjoints[f"b{layer}"], lambda j, *_, d=delta: over_examples(
            access(d, [j, *at])))
        assert_form(adjoints[f"W{layer}"], lambda j, k, d=delta, a=below: over_examples(
            mul(access(d, [j, *at]), access(a, [k, *at]))))


def _with_errors(derivation: Any) -> Callable[[Expr, list[Expr]], Expr]:
    """a2 - y, by the name that the trace gave it or as it stands."""
    name = next((e.array for e in derivation.system.equations if set(e.reads) == {"a2", "y"}
                 and not e.rhs.terms[0].bound), None)

    def errors(m: Expr, rest: list[Expr]) -> Expr:
        if name is not None:
            return access(name, [m, *rest])
        return sub(access("a2", [m, *rest]), access("y", [m, *rest]))

    return errors


def test_a_fold_keeps_the_sign_of_what_it_names() -> None:
    def loss(x: Any) -> Any:
        s = nn.sigmoid(x)
        low = s - 1  # 1 - s in σ' is -low
        return np.sum(s**2) + np.sum(low)

    derivation = symprop.derive(symprop.trace(loss, shapes={"x": "N"}))
    derivation.verify()
    assert symprop.check(symprop.generate(derivation)).passed


def test_a_fold_names_only_what_tells_all_its_positions() -> None:
    """∂c[k,n] is Σ_i A[i,k] for every n: the same sum in ∂B says nothing of an n."""
    def loss(A: "K K", B: "K K", c: "K N"):
        return np.sum(A @ c) + np.sum(np.repeat(A @ B, 2, axis=-1)) - np.sum(np.abs(B))

    symprop.derive(symprop.trace(loss)).verify()


def test_a_definition_in_which_brackets_exclude_each_other() -> None:
    """Edges repeat the first column only: what stands there beside the other columns is 0."""
    def loss(x: "N H", w: "H"):
        g = np.where(np.tri(4, 4) > 0, x[:4, :4] / x[:4, :1], 0.0) @ x[:4]
        p = (g * np.linspace(0.0, 1.0, x.shape[1])) ** 2
        return np.sum(np.abs(np.pad(p, ((0, 0), (1, 2)), mode="edge"))) + np.sum(w)

    symprop.derive(symprop.trace(loss, facts=[symprop.positive("x")])).verify()
