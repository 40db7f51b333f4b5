"""What was traced is what the function computes: symprop.trace compares the two."""

import os
import random
import time
from dataclasses import replace
from functools import partial
from random import gauss

import numpy as np
import pytest
from numpy.random import default_rng, randn

import symprop
from symprop.algebra.build import mul, number
from symprop.concrete import NotTheFunction, check_function
from symprop.concrete.sizes import sets_of_sizes
from symprop.errors import TraceError
from symprop.interpret.draw import holds, size_tests
from symprop.trace import trace as tracing
from symprop.trace.arguments import read_arguments
from symprop.zoo import models

GENERATOR = np.random.default_rng(1)
STATE = np.random.RandomState(2)
HELD = {"a list": [np.random.default_rng(3)]}


class Layer:
    """Noise in an attribute, a generator in a method, a counter."""

    def __init__(self) -> None:
        self.generator = np.random.default_rng(4)
        self.calls = 0

    def noise(self):
        return self.generator.normal(size=3)

    def counted(self):
        self.calls += 1
        return self.calls


LAYER = Layer()


def line_of(function, text):
    """The line of this file that holds a text, from the function's first on."""
    first = function.__code__.co_firstlineno
    with open(__file__, encoding="utf-8") as file:
        lines = list(file)
    return next(k for k in range(first, len(lines) + 1) if text in lines[k - 1])


# ---- noise --------------------------------------------------------------------------------


def from_generator(x):
    noise = GENERATOR.normal(size=3)  # here
    return np.sum(x * noise)


def from_state(x):
    y = x * 2
    return np.sum(y * STATE.rand(3))  # here


def from_list(x):
    noise = HELD["a list"][0].random(3)  # here
    return np.sum(x * noise)


def from_object(x):
    y = np.sin(x)
    noise = LAYER.noise()
    return np.sum(y * noise)


def imported(x):
    noise = randn(3)  # here
    return np.sum(x * noise)


def fresh_generator(x):
    noise = default_rng().normal(size=3)  # here
    return np.sum(x * noise)


def python_random(x):
    return np.sum(x) * random.random()  # here


def python_gauss(x):
    scale = gauss(0, 1)  # here
    return np.sum(x) * scale


def from_clock(x):
    now = time.time()  # here
    return np.sum(x) * now


def from_counter(x):
    turn = time.perf_counter_ns()  # here
    return np.sum(x) * turn


def from_system(x):
    noise = float(os.urandom(1)[0]) + os.urandom(2)[1]  # here
    return np.sum(x) * noise


def kept_between_calls(x):
    turn = LAYER.counted()  # here
    return np.sum(x) * turn


def sometimes(x):
    if GENERATOR.random() < 0.5:  # here
        return np.sum(x)
    return np.sum(x)


NOISE = [from_generator, from_state, from_list, imported, fresh_generator, python_random,
         python_gauss, from_clock, from_counter, from_system, kept_between_calls, sometimes]


@pytest.mark.parametrize("function", NOISE, ids=lambda f: f.__name__)
def test_noise_is_refused_by_its_line(function):
    with pytest.raises(TraceError) as caught:
        symprop.trace(function, {"x": "3"})
    line = line_of(function, "# here")
    if function is kept_between_calls:
        line = Layer.counted.__code__.co_firstlineno + 2
    assert f"test_function_is_system.py:{line}: " in str(caught.value)


def test_noise_of_a_method_is_refused_by_the_method_s_line():
    with pytest.raises(TraceError) as caught:
        symprop.trace(from_object, {"x": "3"})
    line = Layer.noise.__code__.co_firstlineno + 1
    assert f"test_function_is_system.py:{line}: random numbers were drawn" in str(caught.value)


def test_a_generator_that_is_not_drawn_from_is_no_noise():
    def loss(x, rng=GENERATOR):
        return np.sum(x * (1.0 if rng is None else 2.0))

    state = random.getstate()
    symprop.trace(loss, {"x": "N"})
    assert random.getstate() == state


# ---- what a function may not do to its inputs ---------------------------------------------


def changes_its_input(x):
    y = x * 2
    if type(x) is np.ndarray:
        x -= 1.0  # here
    return np.sum(y)


def changes_a_part(p):
    if type(p["w"]) is np.ndarray:
        p["w"].sort()  # here
    return np.sum(p["w"] * np.arange(3.0))


@pytest.mark.parametrize(("function", "shapes", "name"), [
    (changes_its_input, {"x": "N K"}, "x"), (changes_a_part, {"p": {"w": "3", "b": ""}}, "p_w")])
def test_an_input_that_is_changed_is_named_with_its_line(function, shapes, name):
    with pytest.raises(TraceError, match=f"its input {name} in place") as caught:
        symprop.trace(function, shapes)
    line = line_of(function, "# here")
    assert f"test_function_is_system.py:{line}: " in str(caught.value)


def test_a_container_that_is_changed_is_a_copy():
    def loss(p):
        w = p.pop("w")
        return np.sum(w**2) + p["b"]

    symprop.trace(loss, {"p": {"w": "N", "b": ""}})


# ---- a function that cannot run on plain arrays -------------------------------------------


def test_a_function_that_plain_arrays_cannot_run_is_refused():
    def loss(x):
        scale = x.shape[0] if type(x.shape[0]) is not int else "no number"
        return np.sum(x) / scale

    with pytest.raises(TraceError, match=r"does not run on plain arrays.*TypeError") as caught:
        symprop.trace(loss, {"x": "N"})
    assert f"test_function_is_system.py:{line_of(loss, 'np.sum(x) / scale')}" in str(caught.value)


def test_where_the_function_has_no_value_nothing_is_compared():
    def loss(A):
        if type(A) is np.ndarray and A.shape[0] != 5:
            raise ValueError("five rows, please")
        return np.sum(np.log(A))

    symprop.trace(loss, {"A": "N K"})


# ---- wrong systems are found --------------------------------------------------------------


def first_scaled(system, k, by):
    """The system with one equation multiplied by a number."""
    equations = list(system.equations)
    equations[k] = replace(equations[k], rhs=mul(number(by), equations[k].rhs))
    return replace(system, equations=tuple(equations))


SMALL = ("mlp", "logistic_regression", "attention", "elman_rnn", "gaussian_mixture", "lenet5")


@pytest.mark.parametrize("name", SMALL)
def test_a_wrong_equation_is_found_and_named(name):
    model = models()[name]
    system = tracing.trace(model.function, model.shapes, model.wrt, model.facts)
    arguments = read_arguments(model.function, model.shapes, None)
    check_function(model.function, arguments, system)
    used = {system.loss, *(a for _, a in system.outputs)}
    chosen = [k for k, e in enumerate(system.equations) if e.array in used]
    for k in chosen:
        wrong = first_scaled(system, k, 1 + 2**-16)
        with pytest.raises(NotTheFunction) as caught:
            check_function(model.function, arguments, wrong)
        assert f"({system.equations[k].number})" in str(caught.value)


def test_the_first_variable_that_differs_is_named():
    def loss(x, w):
        a = np.tanh(x * w)
        b = a @ w
        c = np.sin(b) * np.sum(a)
        return np.mean(c**2)

    shapes = {"x": "N K", "w": "K"}
    system = tracing.trace(loss, shapes)
    for k in range(len(system.equations)):
        wrong = first_scaled(system, k, 1.5)
        seen = next(e for e in system.equations[k:] if e.array in ("a", "b", "c", system.loss))
        with pytest.raises(NotTheFunction, match=rf"\({seen.number}\) gives") as caught:
            check_function(loss, read_arguments(loss, shapes, None), wrong)
        assert str(caught.value).startswith("test_function_is_system.py:")
        assert "N = " in str(caught.value) and "K = " in str(caught.value)


CONSTANT_WIDTHS = np.arange(5.0)


@pytest.mark.parametrize(("ours", "theirs", "shapes"), [
    (lambda x: np.sum(x[:1]), lambda x: np.sum(x), {"x": "N"}),  # right at N = 1 alone
    (lambda x: np.sum(x[-1]), lambda x: np.sum(x[min(len(x), 3) - 1]), {"x": "N"}),
    (lambda x: np.sum(x * x), lambda x: np.sum(x * x) + (x.shape == (1, 1)), {"x": "N N"}),
    (lambda x, k: np.sum(x) + np.sum(k), lambda x, k: np.sum(x) + np.sum(k) + (len(x) < len(k)),
     {"x": "N", "k": "K"}),  # only where the first is the shorter
    (lambda x, k: np.sum(x) + np.sum(k), lambda x, k: np.sum(x) + np.sum(k) + (len(x) < 5),
     {"x": "N", "k": "5"}),  # only below a width that the program fixes
    (lambda x: np.sum(np.abs(x)), lambda x: np.sum(np.abs(x)) + np.sum(x == 0), {"x": "N"}),
    (lambda x: np.sum(x), lambda x: np.sum(x) + np.sum(x == -1), {"x": "N"}),
    (lambda x: np.sum(x), lambda x: np.sum(x) + np.sum(x == 0.1), {"x": "N"}),
    (lambda x, y: np.sum(x * y), lambda x, y: np.sum(x * y) + np.sum(x == y),
     {"x": "N", "y": "N"}),
])
def test_what_shows_at_few_sizes_or_values_is_found(ours, theirs, shapes):
    system = tracing.trace(ours, shapes)
    check_function(ours, read_arguments(ours, shapes, None), system)
    if theirs is ours:
        return
    with pytest.raises(NotTheFunction):
        check_function(theirs, read_arguments(theirs, shapes, None), system)


# ---- no false alarms ----------------------------------------------------------------------


@pytest.mark.parametrize(("function", "shapes"), [
    (lambda x: np.sum(np.where(x >= x.mean(), x, 0)), {"x": "N"}),
    (lambda x: np.sum(np.floor(x / 0.1)), {"x": "N"}),
    (lambda x: np.sum(np.sin(x @ x.T)), {"x": "N K"}),
    (lambda x: np.sum(np.cos(1e6 * x)), {"x": "N"}),
    (lambda x: np.sum(x - x.mean()), {"x": "N"}),
    (lambda x: np.sum(np.log1p(1e-12 * x**2)), {"x": "N"}),
    (lambda x: np.sum(np.sort(x - np.sum(x)) * np.arange(3)), {"x": "3"}),
    (lambda x: np.sum(x.astype(np.float32) * np.float32(0.1)), {"x": "N"}),
    (lambda x: np.sum(np.linalg.inv(x @ x.T + np.eye(3)) * x[:, :1]), {"x": "3 K"}),
    (lambda x: np.sum(np.sign(x - x.mean(axis=0))), {"x": "N K"}),
    (lambda x: np.max(x) - np.max(x * (1 + 1e-16)), {"x": "N"}),
    (lambda x, A: np.sum(np.linalg.solve(A @ A.T + 2 * np.eye(A.shape[0]), x)),
     {"x": "N", "A": "N K"}),
    (lambda x: np.sum(np.where(x**1.7 < 1, x**1.7, x)), {"x": "N"}),  # comparisons with nan
])
def test_rounding_is_no_difference(function, shapes):
    symprop.trace(function, shapes)


def test_what_the_function_prints_and_warns_of_is_not_repeated(capsys):
    def loss(x):
        print("called")
        return np.sum(np.log(x) * x / x)

    symprop.trace(loss, {"x": "N"})
    assert capsys.readouterr().out == "called\n"


@pytest.mark.parametrize("name", [n for n in models() if n not in ("gpt", "llama_block")])
def test_sizes_meet_the_conditions(name):
    model = models()[name]
    system = tracing.trace(model.function, model.shapes, model.wrt, model.facts)
    found = sets_of_sizes(system)
    assert found
    for sizes in found:
        assert set(sizes) == set(system.sizes)
        assert all(holds(test, sizes, None) for _, test in size_tests(system))


def test_partials_methods_and_objects_are_functions_too():
    class Model:
        def __init__(self, scale):
            self.scale = scale

        def loss(self, x):
            return np.sum(x) * self.scale

        def __call__(self, x):
            return self.loss(x)

    symprop.trace(Model(2.0).loss, {"x": "N"})
    symprop.trace(Model(2.0), {"x": "N"})
    symprop.trace(partial(lambda s, x: np.sum(x) * s, 3.0), {"x": "N"})
