"""Names of equations, and how operations are merged into equations as a textbook writes them."""

import linecache
import sys
from contextlib import suppress

import numpy as np

import symprop
from symprop import nn
from symprop.algebra.expr import Paren
from symprop.errors import TraceError
from symprop.files.load import load_text
from symprop.trace.scan import scan
from symprop.trace.trace import trace


def names(function, shapes=None, **options):
    return [e.array for e in trace(function, shapes, **options).equations]


def equation(system, name):
    found = system.equation(name)
    assert found is not None
    return found


def test_the_mlp_of_the_readme():
    def loss(X: "N K", Y: "N M", W1: "K H", b1: "H", W2: "H M", b2: "M"):
        A1 = np.tanh(X @ W1 + b1)
        Z2 = A1 @ W2 + b2
        return np.mean((Z2 - Y) ** 2), {"logits": Z2}

    system = trace(loss)
    assert [e.array for e in system.equations] == ["z", "A1", "Z2", "error", "L"]
    assert [e.number for e in system.equations] == ["F1", "F2", "F3", "F4", "F5"]
    assert system.outputs == (("logits", "Z2"),)
    product, bias = equation(system, "z").rhs.terms
    assert len(product.bound) == 1 and not bias.bound
    assert equation(system, "z").reads == ("X", "W1", "b1")
    assert equation(system, "A1").source.startswith("test_trace_names.py:")
    (mean,) = equation(system, "L").rhs.terms
    assert len(mean.bound) == 2  # 1/N 1/M is part of the sum of squares


def test_rebinding_counts_in_order():
    def loss(x: "N", W: "N N"):
        x = W @ x
        x = np.tanh(x)
        y = x + 1
        return np.sum(x * y)

    assert names(loss) == ["x1", "x2", "y", "L"]


def test_a_rebound_name_does_not_take_one_that_the_user_has():
    def loss(x: "N"):
        x = np.tanh(x)
        x1 = np.sin(x)
        return np.sum(x * x1)

    assert names(loss) == ["x2", "x1", "L"]


def test_loops_give_names():
    def loss(X: "N D", Ws: ["D D", "D D"]):
        a = X
        for W in Ws:
            a = np.tanh(a @ W)
        return a.sum()

    assert names(loss) == ["z1", "a1", "z2", "a2", "L"]


def test_lists_give_names():
    def loss(X: "N D", W: "D D"):
        layers = [X]
        for _ in range(2):
            layers.append(np.tanh(layers[-1] @ W))
        return layers[-1].sum()

    assert names(loss) == ["z1", "layers_1", "z2", "layers_2", "L"]


def dense(x, W, b):
    z = x @ W + b
    return np.tanh(z)


def test_variables_of_helpers_keep_their_names():
    def loss(X: "N K", W1: "K H", W2: "H H", b: "H"):
        A = dense(X, W1, b)
        B = dense(A, W2, b)
        return np.sum(B)

    assert names(loss) == ["z1", "A", "z2", "B", "L"]


def test_what_a_definition_does_is_called_by_its_role():
    def loss(Z: "N M", Y: "N M"):
        return nn.cross_entropy(Z, Y)

    found = names(loss)
    assert found == ["Z_max", "shifted", "e", "s", "p", "log_p", "weighted", "L"]


def test_lambdas_and_functions_without_source():
    made = load_text("def loss(x):\n    y = x * x\n    return y.sum()\n", "nowhere").loss
    linecache.clearcache()
    assert names(made, {"x": "N"}) == ["y", "L"]
    assert names(lambda x: np.sum(np.exp(x)), {"x": "N"}) == ["e", "L"]


def test_the_name_of_the_loss_gives_way():
    def loss(L: "N"):
        return np.sum(L * L)

    assert names(loss) == ["L1"]


def test_made_up_names_give_way():
    def loss(X: "N K", W: "K H", z: "N H"):
        A = np.tanh(X @ W)
        return np.sum(A * z)

    assert names(loss) == ["z_A", "A", "L"]


def test_illegal_local_names_are_passed_over():
    def loss(x: "N"):
        _ = np.tanh(x)
        __π = np.sin(_)
        return np.sum(__π)

    assert names(loss) == ["tanh_x", "sin_tanh_x", "L"]


def test_local_names_may_be_of_any_script():
    def loss(x: "N", λ: "N"):
        权重 = np.tanh(x * λ)
        ŷ = np.sin(权重)
        return np.sum(ŷ)

    assert names(loss)[-3:] == ["权重", "ŷ", "L"]
    derivation = symprop.derive(symprop.trace(loss))
    assert symprop.generate(derivation).self_check() == 0
    latex, text = derivation.latex(), derivation.text()
    assert r"\bar{\lambda}" in latex and r"\overline{\text{权重}}_" in latex
    assert r"\overline{\hat{y}}" in latex and "权̅重̅" in text and "λ̄" in text


def test_the_same_subexpression_is_one_equation():
    def loss(x: "N", y: "N"):
        a = np.exp(x + y)
        return np.sum(a * np.exp(y + x)) + np.sum(np.exp(x + y))

    assert names(loss).count("a") == 1
    assert len(names(loss)) == 3


def test_views_of_unnamed_products_lend_their_name():
    def loss(X: "N K", W: "K H"):
        Q = (X @ W).T
        return np.sum(np.tanh(Q))

    assert names(loss)[0] == "Q"


def test_keepdims_shows_the_equation_under_its_name():
    def loss(X: "N K"):
        m = X.max(axis=1, keepdims=True)
        return np.sum((X - m) ** 2)

    assert names(loss) == ["m", "shifted", "L"]


def test_a_slice_is_not_the_whole_array():
    def loss(x: "N K"):
        part = np.tanh(x)[:-1]
        return np.sum(part), {"part": part}

    system = trace(loss)
    assert [e.array for e in system.equations] == ["tanh_x", "L", "part"]
    assert len(system.arrays["part"].shape[0].terms) == 2


def test_dead_equations_with_a_name_are_kept():
    def loss(x: "N"):
        kept = np.tanh(x)
        del kept
        np.sin(x)
        return np.sum(x * x), {"other": np.cos(x)}

    assert names(loss) == ["kept", "L", "other"]
    assert kept_is_unread(trace(loss))


def kept_is_unread(system):
    return all("kept" not in e.reads for e in system.equations)


# ---- merging ------------------------------------------------------------------------------


def test_least_squares_keeps_its_residual_factored():
    def loss(A: "N K", W: "K H", Y: "N H"):
        E = 2 * (A @ W - Y)
        return np.sum(E * E)

    system = trace(loss)
    (term,) = equation(system, "E").rhs.terms
    assert term.coef == 2 and isinstance(term.factors[0][0], Paren)


def test_three_matrices_are_two_equations():
    system = trace(lambda A, B, C: np.sum(np.tanh(A @ B @ C)),
                   {"A": "N K", "B": "K H", "C": "H M"})
    assert [e.reads for e in system.equations][:2] == [("A", "B"), ("AB", "C")]


def test_signs_and_factors_go_into_functions():
    system = trace(lambda x: np.sum(np.exp(-x / 2)), {"x": "N"})
    assert len(system.equations) == 2
    assert "exp(-1/2x" in equation(system, "e").rhs.key


def test_values_that_derivatives_read_keep_a_name():
    system = trace(lambda x: np.mean(np.log(1 + np.exp(x))), {"x": "N"})
    assert [e.array for e in system.equations] == ["e", "u", "L"]


def test_the_user_s_order_of_operands_stays():
    system = trace(lambda x, y, w: np.sum(w @ (y - x)), {"x": "N", "y": "N", "w": "N"})
    assert system.equations[0].reads == ("y", "x")
    assert system.equations[1].reads == ("w", "u")


def test_named_equations_are_never_merged():
    def loss(x: "N", w: "N"):
        p = x * w
        s = p.sum()
        twice = 2 * s
        return twice + 1.0

    assert names(loss) == ["p", "s", "twice", "L"]


def test_work_that_does_not_depend_on_time_stays_outside():
    def loss(x: "T N K", U: "K H", W: "H H"):
        def step(h, xt):
            h = np.tanh(xt @ U + h @ W)
            return h, None

        h, _ = scan(step, np.zeros((x.shape[1], W.shape[0])), x)
        return np.sum(h)

    system = trace(loss)
    assert [e.array for e in system.equations] == ["xU", "h_prev", "z", "h", "L"]
    assert equation(system, "xU").reads == ("x", "U")
    assert set(equation(system, "z").reads) == {"xU", "h_prev", "W"}


def test_the_trace_function_comes_back():
    def other(frame, event, arg):
        return None

    before = sys.gettrace()
    sys.settrace(other)
    try:
        trace(lambda x: np.sum(x), {"x": "N"})
        assert sys.gettrace() is other
    finally:
        sys.settrace(before)


def test_names_inside_a_function_that_numpy_calls():
    def loss(x: "N"):
        def above(v):
            cube = v * v * v
            return np.exp(cube)

        y = np.piecewise(x, [x < 0, x >= 0], [lambda v: v, above])
        return np.sum(y)

    assert "cube" in names(loss)


def test_the_watch_goes_on_after_an_operation_that_is_refused():
    def loss(x: "N"):
        with suppress(TraceError):
            np.add(x, x, where=x > 0)
        y = np.exp(x)
        return np.sum(y)

    assert names(loss) == ["y", "L"]


def test_views_of_arrays_with_axes_of_size_one_have_names_too():
    """Axes of size 1 are no positions of an entry: a view shows fewer than its array has."""
    for shape in ("H 1", "1 H", "1 1", "H K"):
        def repeated(c, w):
            x = np.repeat(c, 2, axis=-1)[:-1]
            y = np.repeat(c, 2, axis=0)[..., :1]
            return np.sum(np.sin(x) * w) + np.sum(np.cos(y))

        system = trace(repeated, {"c": shape, "w": ""})
        assert system.equation(system.loss) is not None
