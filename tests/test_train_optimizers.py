"""Each update rule against its textbook formula, in exact or 50-digit arithmetic."""

from fractions import Fraction

import mpmath
import numpy as np
import pytest

from symprop.errors import InputError
from symprop.train.optimizers import OPTIMIZERS, AdamW, Optimizer, State, make_optimizer

GRADIENTS = [[0.5, -2.0, 1e-3], [0.25, 1.0, -4.0], [-1.0, 0.125, 3.0], [0.0, 1.5, -0.5]]
START = [1.0, -0.5, 2.0]


def steps(rule: Optimizer, dtype=np.float64, **options) -> list[np.ndarray]:
    """The parameter after each step."""
    params, state, course = {"w": np.array(START, dtype)}, State(), []
    for gradient in GRADIENTS:
        params, state = rule.update(params, {"w": np.array(gradient, dtype)}, state, **options)
        course.append(params["w"])
    return course


def scalar_course(follow) -> np.ndarray:
    """Run a formula for one coordinate at a time; (steps, coordinates)."""
    columns = [follow(START[i], [g[i] for g in GRADIENTS]) for i in range(len(START))]
    return np.array(columns, dtype=float).T


def test_gradient_descent_is_exact():
    def follow(w, gradients):
        w = Fraction(w)
        for g in gradients:
            w -= Fraction(1, 8) * Fraction(g)
            yield_.append(w)
        return yield_[-len(gradients) :]

    yield_: list[Fraction] = []
    assert np.allclose(steps(OPTIMIZERS["sgd"](0.125)), scalar_course(follow), rtol=1e-15)


def test_momentum_is_a_sum_of_all_past_gradients():
    """v_t = sum_s mu^(t-s) g_s, written without a recursion."""

    def follow(w, gradients):
        course, w, mu = [], Fraction(w), Fraction(0.9)
        for t in range(len(gradients)):
            w -= Fraction(0.1) * sum(mu ** (t - s) * Fraction(gradients[s]) for s in range(t + 1))
            course.append(w)
        return course

    assert np.allclose(steps(OPTIMIZERS["momentum"](0.1)), scalar_course(follow), rtol=1e-14)


def test_nesterov_looks_one_step_ahead():
    """Sutskever's form v <- mu v - lr g(theta + mu v) in the shifted variable theta + mu v."""

    def follow(w, gradients):
        course, mu, lr = [], Fraction(0.9), Fraction(0.1)
        shifted, v = Fraction(w), Fraction(0)
        for g in gradients:
            plain = shifted - mu * v
            v = mu * v - lr * Fraction(g)
            shifted = plain + v + mu * v
            course.append(shifted)
        return course

    assert np.allclose(steps(OPTIMIZERS["nesterov"](0.1)), scalar_course(follow), rtol=1e-14)


def test_rmsprop():
    def follow(w, gradients):
        with mpmath.workdps(50):
            course, w, rho = [], mpmath.mpf(w), mpmath.mpf(0.99)
            for t, g in enumerate(gradients):
                mean = sum(
                    (1 - rho) * rho ** (t - s) * mpmath.mpf(gradients[s]) ** 2 for s in range(t + 1)
                )
                w -= mpmath.mpf(0.1) * mpmath.mpf(g) / (mpmath.sqrt(mean) + mpmath.mpf(1e-8))
                course.append(w)
            return course

    assert np.allclose(steps(OPTIMIZERS["rmsprop"](0.1)), scalar_course(follow), rtol=1e-12)


def adam_by_weights(w, gradients, shrink=0.0, lr=0.1):
    """Adam as weighted means: m_hat = sum b^(t-s) g_s / sum b^(t-s), free of bias by division."""
    with mpmath.workdps(50):
        course, w, lr = [], mpmath.mpf(w), mpmath.mpf(lr)
        b1, b2 = mpmath.mpf(0.9), mpmath.mpf(0.999)

        def mean(b, values):
            weights = [b ** (len(values) - 1 - s) for s in range(len(values))]
            return sum(q * v for q, v in zip(weights, values, strict=True)) / sum(weights)

        for t in range(len(gradients)):
            past = [mpmath.mpf(g) for g in gradients[: t + 1]]
            m_hat, v_hat = mean(b1, past), mean(b2, [g * g for g in past])
            w -= lr * mpmath.mpf(shrink) * w
            w -= lr * m_hat / (mpmath.sqrt(v_hat) + mpmath.mpf(1e-8))
            course.append(w)
        return course


def test_adam():
    assert np.allclose(steps(OPTIMIZERS["adam"](0.1)), scalar_course(adam_by_weights), rtol=1e-12)


def test_adamw_shrinks_apart_from_the_moments():
    course = steps(AdamW(0.1), l2=0.3, weights=("w",))
    expected = scalar_course(lambda w, g: adam_by_weights(w, g, shrink=0.3))
    assert np.allclose(course, expected, rtol=1e-12)


def test_first_adam_step_has_the_length_lr_whatever_the_gradient():
    moved, _ = OPTIMIZERS["adam"](0.1).update(
        {"w": np.zeros(3)}, {"w": np.array([1e-3, -5.0, 1e6])}, State()
    )
    assert np.allclose(moved["w"], [-0.1, 0.1, -0.1], rtol=1e-4)


@pytest.mark.parametrize("name", [name for name in OPTIMIZERS if name != "adamw"])
def test_coupled_penalty_is_a_term_of_the_gradient(name):
    rule, theta, g = OPTIMIZERS[name](0.1), np.array([2.0, -3.0]), np.array([0.5, 0.25])
    penalised, _ = rule.update({"w": theta}, {"w": g}, State(), l2=0.4, weights=("w",))
    by_hand, _ = rule.update({"w": theta}, {"w": g + 0.4 * theta}, State())
    free, _ = rule.update({"w": theta}, {"w": g}, State(), l2=0.4, weights=("other",))
    assert np.array_equal(penalised["w"], by_hand["w"])
    assert np.array_equal(free["w"], rule.update({"w": theta}, {"w": g}, State())[0]["w"])


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_nothing_changes_in_place_and_float32_stays(name):
    theta, scalar = np.ones(3, np.float32), np.array(1.0, np.float32)
    params = {"w": theta, "b": scalar}
    grads = {"w": np.full(3, 0.5, np.float32), "b": np.float32(0.5)}
    rule, state = OPTIMIZERS[name](0.1), State()
    for _ in range(3):
        params, state = rule.update(params, grads, state, l2=0.1, weights=("w", "b"))
    assert theta.tolist() == [1, 1, 1] and scalar == 1
    assert {array.dtype for array in params.values()} == {np.dtype(np.float32)}
    assert params["b"].shape == () and (params["w"] < 1).all()


@pytest.mark.parametrize(
    ("name", "lr"),
    [("gd", 0.3), ("momentum", 0.1), ("nesterov", 0.1), ("rmsprop", 0.01), ("adam", 0.05)],
)
def test_all_find_the_bottom_of_a_valley(name, lr):
    a, c = np.array([1.0, 3.0]), np.array([0.7, -0.2])
    params, state, rule = {"w": np.array([-1.0, 1.0])}, State(), OPTIMIZERS[name](lr)
    for _ in range(800):
        params, state = rule.update(params, {"w": a * (params["w"] - c)}, state)
    assert np.allclose(params["w"], c, atol=1e-2 if name == "rmsprop" else 1e-6)


def test_names_and_instances():
    own = AdamW(0.5, beta1=0.8)
    assert make_optimizer(own, 0.1) is own
    assert make_optimizer("nesterov", 0.1).lr == 0.1
    with pytest.raises(InputError, match="'lion' is no optimizer; there are sgd, gd, momentum"):
        make_optimizer("lion", 0.1)
