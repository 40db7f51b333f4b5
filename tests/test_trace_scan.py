"""symprop.scan: the same on plain arrays, on traced arrays, and as jax.lax.scan means it."""

import numpy as np
import pytest

import symprop
from symprop.errors import ShapeError, UnsupportedError
from symprop.interpret import run
from symprop.system import cycles
from symprop.trace.scan import scan
from symprop.trace.trace import trace


def compare(function, shapes, sizes, seed=0, **options):
    """Traced and evaluated equals run; returns the system."""
    system = trace(function, shapes, **options)
    rng = np.random.default_rng(seed)
    inputs = {n: rng.normal(size=tuple(int(a.evaluate(sizes)) for a in _dims(text, n)))
              for n, text in shapes.items()}
    loss, outputs = function(**inputs)
    got = run(system, inputs, sizes)
    np.testing.assert_allclose(got[system.loss], loss, rtol=1e-12, atol=1e-13)
    for name, array in system.outputs:
        # A computed array keeps no axis of size 1.
        np.testing.assert_allclose(
            np.squeeze(got[array]), np.squeeze(outputs[name]), rtol=1e-12, atol=1e-13)
    return system


def _dims(text, name):
    from symprop.shapes import parse_spec

    return parse_spec(text, name).dims


SIZES = {"T": 4, "N": 3, "K": 2, "H": 5}


def lstm(x, Wx, Wh, b):
    H = Wh.shape[0]

    def step(carry, xt):
        h, c = carry
        z = xt @ Wx + h @ Wh + b
        i, f, o = (1 / (1 + np.exp(-z[:, k * H : (k + 1) * H])) for k in range(3))
        g = np.tanh(z[:, 3 * H :])
        c = f * c + i * g
        h = o * np.tanh(c)
        return (h, c), h

    zero = np.zeros((x.shape[1], H))
    (h, c), hs = scan(step, (zero, zero), x)
    return np.sum(h * c) + np.mean(hs**2), {"hs": hs, "last": c}


LSTM = {"x": "T N K", "Wx": "K 4*H", "Wh": "H 4*H", "b": "4*H"}


def test_lstm():
    system = compare(lstm, LSTM, SIZES)
    inside = set(cycles(system.equations))
    assert {"h", "c", "h_prev", "c_prev", "z"} <= inside
    (hoisted,) = [e for e in system.equations if "Wx" in e.reads]
    assert hoisted.array not in inside and hoisted.reads == ("x", "Wx")
    for equation in system.equations:
        if equation.array in inside:
            assert equation.indices[0].size == system.arrays["x"].shape[0]
    assert system.equation("h_prev").reads == ("h",)


def test_a_cycle_stands_together_and_after_what_it_reads():
    system = trace(lstm, LSTM)
    inside = cycles(system.equations)
    places = [k for k, e in enumerate(system.equations) if e.array in inside]
    assert places == list(range(places[0], places[-1] + 1))
    done = set(system.arrays) - {e.array for e in system.equations}
    for equation in system.equations:
        assert all(r in done or r in inside for r in equation.reads)
        done.add(equation.array)


def test_literal_times_and_one_step():
    for steps in ("4", "1"):
        shapes = {**LSTM, "x": f"{steps} N K"}
        system = compare(lstm, shapes, SIZES)
        assert bool(cycles(system.equations)) is (steps == "4")


def test_two_equal_letters_of_time():
    def loss(x, y):
        total, sums = scan(lambda s, a: (s + a, s * a), 1.0, x)
        last, _ = scan(lambda s, a: (s * np.tanh(a), None), total, y)
        return last + np.sum(sums), {"sums": sums}

    compare(loss, {"x": "T", "y": "K"}, SIZES)


def test_structures_of_carry_and_inputs():
    def loss(x, y, w):
        def step(carry, inputs):
            a = carry["a"] + inputs[0] * w
            return {"a": a, "b": [carry["b"][0] * np.sin(a), inputs[1]]}, {"a": a, "t": inputs}

        init = {"a": w, "b": [w + 1, 0 * w]}
        carry, ys = scan(step, init, (x, y))
        return np.sum(carry["a"] * carry["b"][0]) + np.sum(carry["b"][1]), {
            "a": ys["a"], "second": ys["t"][1]}

    compare(loss, {"x": "T N", "y": "T N", "w": "N"}, SIZES)


def test_length_in_place_of_inputs():
    def loss(x, w):
        h, hs = scan(lambda h, _: (np.tanh(w @ h), h), x, None, length=3)
        return np.sum(h), {"hs": hs}

    compare(loss, {"x": "N", "w": "N N"}, SIZES)


def test_a_carry_that_stays_and_one_that_is_replaced():
    def loss(x, w):
        (a, b), _ = scan(lambda c, x: ((c[0], x), None), (w, w), x)
        return np.sum(a * b), {}

    compare(loss, {"x": "T N", "w": "N"}, SIZES)


def test_reversed_inputs_run_backwards():
    def loss(x):
        h, hs = scan(lambda h, a: (0.5 * h + a, h), np.zeros(x.shape[1]), x[::-1])
        return np.sum(h), {"hs": hs[::-1]}

    compare(loss, {"x": "T N"}, SIZES)


def test_outputs_that_do_not_depend_on_time():
    def loss(x, w):
        _, ys = scan(lambda h, a: (h + a, w * 2), 0.0, x)
        return np.sum(ys * x), {"ys": ys}

    compare(loss, {"x": "T", "w": ""}, SIZES)


def test_teacher_forcing_with_shifted_inputs():
    def loss(x, W):
        h, hs = scan(lambda h, a: ((h := np.tanh(h @ W + a)), h), x[0], x[1:])
        return np.mean((hs[:-1] - x[2:]) ** 2) + np.sum(h), {"hs": hs}

    compare(loss, {"x": "T N", "W": "N N"}, SIZES)


def test_names_of_the_old_carry():
    def with_prev(x, w):
        def step(h_prev, a):
            h = np.tanh(w * h_prev + a)
            return h, h

        return np.sum(scan(step, 0.0, x)[1])

    assert [e.array for e in trace(with_prev, {"x": "T", "w": ""}).equations] == [
        "h_prev", "z", "h", "L"]
    system = trace(lambda x: scan(lambda s, a: (s * np.sin(a), None), 1.0, x)[0], {"x": "T"})
    assert "s_prev" in [e.array for e in system.equations]


def test_plain_arrays():
    last, sums = scan(lambda s, x: (s + x, s), 0.0, np.arange(4.0))
    assert last == 6.0 and sums.tolist() == [0, 0, 1, 3]
    last, ys = scan(lambda s, _: (2 * s, None), 1, None, length=5)
    assert (last, ys) == (32, None)


def test_reverse():
    """Runs from the last entry to the first; the outputs stay in the order of the inputs."""

    def loss(x, w):
        def step(h, a):
            h = np.tanh(w * h + a)
            return h, h * a

        first, ys = scan(step, w, x, reverse=True)
        return first + np.sum(ys * np.arange(x.shape[0])), {"ys": ys}

    compare(loss, {"x": "T", "w": ""}, SIZES)
    last, ys = scan(lambda s, x: (s + x, s + x), 0.0, np.arange(4.0), reverse=True)
    assert last == 6 and ys.tolist() == [6, 6, 5, 3]


def test_both_directions_and_another_axis():
    def loss(x, W):
        def step(h, a):
            h = np.tanh(a + h @ W)
            return h, h

        steps = np.moveaxis(x, 1, 0)
        start = np.zeros((x.shape[0], x.shape[2]))
        forth = scan(step, start, steps)[1]
        back = scan(step, start, steps, reverse=True)[1]
        both = np.concatenate([forth, back], axis=-1)
        return np.sum(both**2), {"both": both}

    compare(loss, {"x": "N T H", "W": "H H"}, SIZES)


def test_a_short_scan_within_a_scan_is_written_out():
    def loss(x, w):
        def inner(h, a):
            h = np.sin(h + w * a)
            return h, h * a

        def step(h, row):
            h, ys = scan(inner, h, row)
            h, _ = scan(lambda c, _: (c * w, None), h, None, length=2)
            return h, np.sum(ys) + np.prod(row)

        last, ys = scan(step, w, x)
        return last + np.sum(ys**2), {"ys": ys}

    compare(loss, {"x": "T 3", "w": ""}, SIZES)


def test_a_network_of_equal_layers_has_the_general_formula():
    """δ[l] = (W[l+1]ᵀ δ[l+1]) σ'(z[l]), for a symbolic number of layers."""

    def loss(x: "N H", W: "L H H", b: "L H", y: "N H"):
        def layer(a, parameters):
            W_l, b_l = parameters
            z = a @ W_l + b_l
            a = np.tanh(z)
            return a, None

        out, _ = scan(layer, x, (W, b))
        return np.sum((out - y) ** 2)

    derivation = symprop.derive(trace(loss, wrt=["W", "b"]))
    found = {a.primal: derivation for a in derivation.adjoints}
    assert {"W", "b", "z", "a"} <= set(found)
    inside = cycles(derivation.adjoints)
    assert "∂W" not in inside and "∂b" not in inside  # one product for all layers at once
    assert symprop.check(symprop.generate(derivation)).passed


def test_errors():
    with pytest.raises(ShapeError, match="one length"):
        scan(lambda s, x: (s, x), 0.0, (np.zeros(3), np.zeros(4)))
    with pytest.raises(ShapeError, match="without entries"):
        scan(lambda s, x: (s, x), 0.0, np.zeros(0))
    with pytest.raises(ShapeError, match="structure"):
        scan(lambda s, x: ((s, s), x), 0.0, np.zeros(2))
    with pytest.raises(UnsupportedError, match="axis N within the step of a scan"):
        trace(lambda x: scan(lambda s, a: (s + scan(
            lambda r, b: (r + b, None), 0.0, a)[0], None), 0.0, x)[0], {"x": "T N"})
