"""Shapes, structures, constants, facts, sizes: what a System says of its arguments."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import trace_future

import symprop
from symprop.algebra.expr import Apply, atoms
from symprop.errors import SympropError
from symprop.interpret import run
from symprop.system import IndexRange
from symprop.trace.facts import in_range, one_of, positive, sums_to_one
from symprop.trace.text import shape_text, size_text
from symprop.trace.trace import trace


def shape_of(system, name):
    return shape_text(system.arrays[name].shape)


def test_annotations_and_the_mapping_which_wins():
    def loss(X: "N K", w: "K"):
        return np.sum(X @ w)

    system = trace(loss)
    assert (shape_of(system, "X"), shape_of(system, "w")) == ("(N, K)", "(K,)")
    assert system.wrt == system.wrt_keys == ("X", "w")
    assert system.sizes == ("N", "K")
    assert (system.name, system.module) == ("loss", __name__)
    system = trace(loss, {"X": "N 3", "w": "3"})
    assert shape_of(system, "X") == "(N, 3)"
    assert system.arguments[0].annotation == "N 3"


def test_the_grammar_of_axes():
    def loss(a: "4*H D//2", b: "T-1 2*(H+1)", c: "", i: "int", m: "bool _ _"):
        return np.sum(a) + np.sum(b) + c * i + np.sum(np.where(m, 1.0, 2.0))

    system = trace(loss, wrt=["a"])
    assert shape_of(system, "a") == "(4*H, D//2)"
    assert shape_of(system, "b") == "(T-1, 2*H+2)"
    assert [system.arrays[n].dtype for n in "acim"] == ["float", "float", "int", "bool"]
    assert len(set(map(size_text, system.arrays["m"].shape))) == 2
    assert not system.conditions  # the door tests declared axes anyway


def test_unused_arguments_stay():
    system = trace(lambda x, unused: np.sum(x), {"x": "N", "unused": "K"})
    assert "unused" in system.arrays and [a.name for a in system.arguments] == ["x", "unused"]
    assert system.wrt == ("x", "unused")


def test_defaults_are_constants_which_static_overrides():
    def loss(x: "N", power=2, eps: float = 1e-5, mode="sum"):
        return getattr(np, mode)(x**power + eps)

    system = trace(loss)
    assert [(a.name, a.static) for a in system.arguments[1:]] == [
        ("power", 2), ("eps", 1e-5), ("mode", "sum")]
    other = trace(loss, static={"power": 3, "mode": "mean"})
    assert [a.static for a in other.arguments[1:]] == [3, 1e-5, "mean"]
    x = np.array([1.0, 2.0])
    assert run(other, {"x": x}, {"N": 2})["L"] == pytest.approx(4.5 + 1e-5)


def test_an_annotated_default_is_an_input():
    def loss(x: "N", s: "" = 2.0):
        return np.sum(s * x)

    (_, s) = trace(loss).arguments
    assert (s.tree, s.default) == ("s", 2.0)


@dataclass
class Layer:
    W: "D D"
    b: "D"


def test_structures():
    def loss(x: "N D", blocks: [{"W": "D D", "b": "D"}, {"W": "D D", "b": "D"}], last: Layer,
             pair: ("D", "int N")):
        for block in blocks:
            x = np.tanh(x @ block["W"] + block["b"])
        x = x @ last.W + last.b + pair[0]
        return np.mean(x * pair[1][:, None])

    system = trace(loss, wrt=["blocks", "last", "pair_0"])
    assert system.wrt_keys == ("blocks", "last", "pair_0")
    assert system.wrt == ("blocks_0_W", "blocks_0_b", "blocks_1_W", "blocks_1_b",
                          "last_W", "last_b", "pair_0")
    trees = {a.name: a for a in system.arguments}
    assert trees["blocks"].tree[1] == {"W": "blocks_1_W", "b": "blocks_1_b"}
    assert trees["blocks"].annotation[0] == {"W": "D D", "b": "D"}
    assert (trees["last"].tree, trees["last"].container) == ({"W": "last_W", "b": "last_b"}, Layer)
    assert trees["pair"].tree == ("pair_0", "pair_1")
    assert trace(loss).wrt_keys == ("x", "blocks", "last", "pair_0")


def test_annotations_of_the_future():
    system = trace(trace_future.loss)
    assert (shape_of(system, "X"), shape_of(system, "ws_0")) == ("(N, K)", "(K,)")
    assert [a.static for a in system.arguments[2:]] == [4, 1e-5]


def test_jaxtyping_is_understood():
    class Float:
        dim_str = "N K"
        dtypes = ("float16", "float32", "float64")

    class Int:
        dim_str = "N"
        dtypes = ("int32", "int64")

    def loss(X, y):
        return np.sum(X[np.arange(X.shape[0]), y])

    loss.__annotations__ = {"X": Float, "y": Int}
    system = trace(loss)
    assert shape_of(system, "X") == "(N, K)" and system.arrays["y"].dtype == "int"


def test_facts_and_index_ranges():
    def loss(P: "N M", y: "int N", s: "", t: "N"):
        return np.sum(P[np.arange(P.shape[0]), y]) * s + np.sum(t)

    facts = [sums_to_one("P", axis=-1), positive("s"), in_range("t", 0, 1), one_of("y", 0, 1)]
    system = trace(loss, facts=[*facts, facts[1]])
    assert system.facts == (sums_to_one("P", axis=1), *facts[1:])
    assert system.index_ranges == (IndexRange("y", system.arrays["P"].shape[1]),)


def test_index_ranges_follow_from_a_shift():
    system = trace(lambda x, y: np.sum(x[y + 2]), {"x": "M", "y": "int N"})
    (found,) = system.index_ranges
    assert size_text(found.size) == "M-2"


# ---- constants ----------------------------------------------------------------------------

KERNEL = np.array([[1.0, 2.0], [3.0, 5.0]])


def test_constants_are_named_after_their_variable():
    local = np.array([1, 4, 2])

    def loss(x: "2 2"):
        return np.sum(KERNEL @ x) + np.sum(x[0, 0] * local) + np.sum(x * [[1.5, 2], [3, 9]])

    system = trace(loss)
    assert {n: a.tolist() for n, a in system.constants.items()} == {
        "KERNEL": KERNEL.tolist(), "local": [1, 4, 2], "const": [[1.5, 2], [3, 9]]}
    assert system.arrays["KERNEL"].kind == "constant" and system.arrays["local"].dtype == "int"
    with pytest.raises(ValueError, match="read-only"):
        system.constants["KERNEL"][0, 0] = 9


def test_the_same_constant_is_held_once():
    system = trace(lambda x: np.sum(x * KERNEL) + np.sum(KERNEL.copy() @ x), {"x": "2 2"})
    assert list(system.constants) == ["KERNEL"]


def test_uniform_arrays_are_numbers():
    system = trace(lambda x: np.sum(x * np.full((3, 4), 0.5) + np.float32(2)), {"x": "3 4"})
    assert not system.constants


def test_a_constant_gives_way_to_an_input_of_its_name():
    assert list(trace(lambda KERNEL, x: np.sum(x * globals()["KERNEL"]),
                      {"KERNEL": "N", "x": "2 2"}).constants) == ["KERNEL_2"]


# ---- sizes --------------------------------------------------------------------------------


def seen(body, shape):
    """What `body` finds when it is given an array of that shape."""
    found = []
    trace(lambda x: found.append(body(x)) or np.sum(x), {"x": shape})
    return found[0]


def test_sizes_of_literal_axes_are_ints():
    assert seen(lambda x: x.shape, "3 4") == (3, 4)
    assert seen(lambda x: (len(x), x.size, x.ndim, np.shape(x)), "3 4") == (3, 12, 2, (3, 4))


@pytest.mark.parametrize(("body", "text"), [
    (lambda n, k: n + 1, "N+1"), (lambda n, k: 1 + n, "N+1"), (lambda n, k: n - 1, "N-1"),
    (lambda n, k: 4 * n, "4*N"), (lambda n, k: n * k, "N*K"), (lambda n, k: k // 2, "K//2"),
    (lambda n, k: (4 * n) // 4, "N"), (lambda n, k: (4 * n) // n, "4"),
    (lambda n, k: n - n, "0"), (lambda n, k: k // 2 * 2, "2*K//2"), (lambda n, k: n**2, "N*N"),
    (lambda n, k: n * k // k, "N"), (lambda n, k: (4 * n) % 4, "0"),
    (lambda n, k: divmod(6 * n, 3)[0], "2*N"),
])
def test_arithmetic_of_sizes(body, text):
    assert str(seen(lambda x: body(*x.shape), "N K")).replace(" ", "") == text


def test_equality_of_sizes():
    assert seen(lambda x: x.shape[0] == x.shape[1], "N N")
    assert seen(lambda x: x.shape[0] != x.shape[1], "N N+1")
    assert seen(lambda x: x.shape == (x.shape[0], 3), "N 3")
    assert seen(lambda x: len({x.shape[0], x.shape[1]}), "N N") == 1
    assert not seen(lambda x: x.shape[0] is None or x.shape[0] == "N", "N")


def test_divisions_become_conditions():
    def loss(x: "N D", heads=4):
        assert x.shape[1] % heads == 0
        if x.shape[1] % heads:
            raise ValueError
        parts = x.reshape(x.shape[0], heads, -1)
        assert parts.shape[2] * heads == x.shape[1]
        return np.sum(parts.transpose(0, 2, 1).reshape(x.shape) * x) / (x.shape[1] // heads)

    system = trace(loss)
    (condition,) = system.conditions
    assert condition.kind == "divides"
    assert (size_text(condition.left), size_text(condition.right)) == ("D", "4")
    assert condition.source.startswith("test_trace_arguments.py:")


def test_a_wide_slice_is_a_condition():
    for cut in (lambda x: x[:3], lambda x: x[-3:], lambda x: x[2], lambda x: x[-3],
                lambda x: x[[0, 2]], lambda x: x[:3] * x[-3:]):
        system = trace(lambda x, cut=cut: np.sum(cut(x)), {"x": "N"})
        (condition,) = system.conditions
        assert (condition.kind, size_text(condition.left), size_text(condition.right)) == (
            "at_least", "N", "3")
    assert not trace(lambda x: np.sum(x[1:] * x[:-1]) + x[0] + x[-1], {"x": "N"}).conditions


def test_strided_sizes_round_up():
    system = trace(lambda x: (np.sum(x), {"half": x[::2]}), {"x": "N"})
    (size,) = system.arrays["half"].shape
    assert size_text(size) == "(N+1)//2" and not system.conditions
    assert any(isinstance(a, Apply) for a in atoms(size))


def test_dtypes_seen_by_the_function():
    assert seen(lambda x: (x.dtype, (x > 0).dtype, np.arange(x.shape[0]).dtype), "N") == (
        np.dtype("float64"), np.dtype("bool"), np.dtype("int64"))


def test_the_function_keeps_working_on_real_arrays():
    def loss(x: "N K"):
        return np.sum(np.eye(x.shape[0]) @ x + np.arange(x.shape[1]))

    trace(loss)
    assert loss(np.ones((2, 3))) == 12.0


SCRIPT = """
import numpy as np
from symprop import nn
from symprop.trace.trace import trace
from symprop.trace.scan import scan

def loss(x: "T N K", y: "int N", U: "K H", W: "H H", V: "H M"):
    def step(h, xt):
        h = np.tanh(xt @ U + h @ W)
        return h, h
    h, hs = scan(step, np.zeros((x.shape[1], W.shape[0])), x)
    return nn.cross_entropy(h @ V, y) + np.mean(hs**2), {"hs": hs}

for e in trace(loss).equations:
    print(e.number, e.array, e.indices, e.rhs)
"""


@pytest.mark.deep
def test_the_same_bytes_under_every_hash_seed():
    root = Path(__file__).resolve().parent.parent
    texts = {
        subprocess.run(
            [sys.executable, "-c", SCRIPT], cwd=root, check=True, capture_output=True,
            env={**os.environ, "PYTHONHASHSEED": seed},
        ).stdout for seed in ("0", "1", "2")
    }
    assert len(texts) == 1 and b"h_prev" in texts.pop()


def test_a_key_may_hold_blanks_dots_and_dashes():
    def loss(p, x):
        return np.sum(np.tanh(x @ p["layer 1"]["W.1"] + p["layer 1"]["b-1"]))

    shapes = {"p": {"layer 1": {"W.1": "D H", "b-1": "H"}}, "x": "N D"}
    system = symprop.trace(loss, shapes)
    assert [*system.arrays][:2] == ["p_layer_1_W_1", "p_layer_1_b_1"]
    module = symprop.generate(system)
    assert symprop.check(module).passed
    given = module.draw_inputs(0)
    layer = given["p"]["layer 1"]
    _, gradients = module.value_and_grad(**given)
    slope = 1 - np.tanh(given["x"] @ layer["W.1"] + layer["b-1"]) ** 2
    assert np.allclose(gradients["p"]["layer 1"]["b-1"], slope.sum(axis=0))


def test_two_keys_of_one_name_are_refused():
    with pytest.raises(SympropError, match="p_a_b"):
        symprop.trace(lambda p: np.sum(p["a b"] * p["a_b"]), {"p": {"a b": "N", "a_b": "N"}})
