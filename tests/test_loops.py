"""Python loops over named axes: they become recurrences, or are refused as before.

The oracle of every function below is the function itself: its value at lengths that no trace has
seen, and finite differences of it.
"""

from collections.abc import Callable

import numpy as np
import pytest

import symprop
from symprop.algebra.canonical import canonical
from symprop.errors import SympropError, TraceError

HIDDEN = [len]  # where no trace sees its name


def rnn(x: "T B D", W: "D H", U: "H H", V: "H"):
    h = np.zeros((x.shape[1], W.shape[1]))
    loss = 0.0
    for t in range(x.shape[0]):
        h = np.tanh(x[t] @ W + h @ U)
        loss += np.sum((h @ V) ** 2)
    return loss / len(x)


def rnn_by_scan(x: "T B D", W: "D H", U: "H H", V: "H"):
    def step(h_prev, x_t):
        h = np.tanh(x_t @ W + h_prev @ U)
        return h, h

    _, h = symprop.scan(step, np.zeros((x.shape[1], W.shape[1])), x)
    loss = np.sum((h @ V) ** 2)
    return loss / x.shape[0]


def kalman(y: "T 2", A: "D D", C: "2 D", Q: "D D", R: "2 2", m0: "D", P0: "D D"):
    m, P, ll = m0, P0, 0.0
    for t in range(y.shape[0]):
        m, P = A @ m, A @ P @ A.T + Q
        v = y[t] - C @ m
        S = C @ P @ C.T + R
        K = P @ C.T @ np.linalg.inv(S)
        ll += -0.5 * (v @ np.linalg.inv(S) @ v + np.log(np.linalg.det(S)))
        m, P = m + K @ v, P - K @ S @ K.T
    return -ll


def last_state(x: "T D", W: "D D"):
    h = x[0]
    for t in range(1, len(x)):
        h = np.tanh(h @ W + x[t])
    return np.sum(h)


def generator(x: "T D", y: "T"):
    return sum((np.sum(x[t] ** 2) - y[t]) ** 2 for t in range(len(x)))


def summed_afterwards(x: "T D", W: "D D"):
    h, losses = np.zeros(x.shape[1]), []
    for row in x:
        h = np.tanh(h @ W + row)
        losses.append(np.sum(h**2))
    return sum(losses) / len(losses)


def initial_state_kept(x: "T D", W: "D D"):
    hs = [np.zeros(x.shape[1])]
    for t in range(len(x)):
        hs.append(np.tanh(hs[-1] @ W + x[t]))
    return np.sum(np.stack(hs) ** 2)


def two_loops(x: "T D", W: "D D", s: "T"):
    h, hs, loss = np.zeros(x.shape[1]), [], 0
    for row in x:
        h = np.tanh(h @ W + row)
        hs.append(h)
    for t in range(len(x)):
        loss += s[t] * np.sum(hs[t] ** 2)
    return loss


def next_token(x: "T D", W: "D D"):
    T, h, loss = len(x), np.zeros(x.shape[1]), 0.0
    for t in range(T - 1):
        h = np.tanh(h @ W + x[t])
        loss += np.sum((h - x[t + 1]) ** 2)
    return loss / T


def running_maximum(x: "T D"):
    m = -np.inf
    for t in range(len(x)):
        m = np.maximum(m, np.sum(x[t]))
    return m


def product(x: "T D"):
    p = 1.0
    for t in range(len(x)):
        p *= np.sum(x[t])
    return p


def layers(x: "N D", W: "L D D", b: "L D"):
    h = x
    for weights, bias in zip(W, b, strict=True):
        h = np.tanh(h @ weights + bias)
    return np.sum(h)


def length_elsewhere(x: "T D"):
    T, loss = x.shape[0], 0.0
    for t in range(T):
        loss += np.sum(x[t] ** 2) * np.sqrt(T) / 2
    return loss + T / 2 * np.sum(x)


def counted(x: "T D"):
    return int(x.shape[0]) * np.sum(x) + sum([0] * x.shape[0]) + HIDDEN[0](x) * x[0, 0]


def two_turns_back(x: "T D", W: "D D"):
    a, b = np.zeros(x.shape[1]), np.zeros(x.shape[1])
    for t in range(len(x)):
        a, b = np.tanh(x[t] + b @ W), a
    return np.sum(a + b)


def pairs(x: "N D", c: "M D"):
    loss = 0.0
    for i in range(len(x)):
        near = []
        for j in range(len(c)):
            near.append(np.sum((x[i] - c[j]) ** 2))
        loss += np.min(np.array(near))
    return loss


def labels_skipped(x: "N D", y: "int N", W: "D C"):
    loss = 0.0
    for i in range(x.shape[0]):
        scores = x[i].dot(W)
        for j in range(W.shape[1]):
            loss += np.maximum(0, scores[j] - scores[y[i]] + 1) * (j != y[i])
    return loss / x.shape[0]


def hidden_states(obs: "int T", pi: "K", A: "K K", B: "K M"):
    alpha = np.zeros((len(obs), len(pi)))
    alpha[0] = pi + B[:, obs[0]]
    for t in range(1, len(obs)):
        for j in range(len(pi)):
            alpha[t, j] = np.log(np.sum(np.exp(alpha[t - 1] + A[:, j]))) + B[j, obs[t]]
    return np.sum(alpha[-1])


def likelihood_rescaled(obs: "int T", pi: "K", A: "K K", B: "K M"):
    alpha = np.exp(pi) * B[:, obs[0]] ** 2
    total = alpha.sum()
    loss, alpha = np.log(total), alpha / total
    for o in obs[1:]:
        alpha = (alpha @ A**2) * B[:, o] ** 2
        total = alpha.sum()
        loss += np.log(total)
        alpha /= total
    return loss


def autoregression(y: "T", phi: "3"):
    loss = 0.0
    for t in range(3, len(y)):
        guess = 0.0
        for k in range(3):
            guess = guess + phi[k] * y[t - 1 - k]
        loss += (y[t] - guess) ** 2
    return loss


def convolution(x: "N H W", w: "2 3 3"):
    _, H, W = x.shape
    out = np.zeros((x.shape[0], 2, H - 2, W - 2))
    for i in range(H - 2):
        for j in range(W - 2):
            for f in range(2):
                out[:, f, i, j] = np.sum(x[:, i : i + 3, j : j + 3] * w[f], axis=(1, 2))
    return np.sum(out**2)


LOOPS = [
    kalman, initial_state_kept, two_loops, next_token, running_maximum, layers, counted,
    two_turns_back, labels_skipped,
    *(pytest.param(f, marks=pytest.mark.deep) for f in (
        rnn, last_state, generator, summed_afterwards, product, length_elsewhere, pairs,
        hidden_states, likelihood_rescaled, autoregression, convolution))]


@pytest.mark.parametrize("function", LOOPS, ids=lambda f: f.__name__)
def test_a_loop_gives_the_value_and_the_gradients_of_the_function(function: Callable) -> None:
    module = symprop.generate(symprop.derive(symprop.trace(function)))
    inputs = _well_behaved(module.draw_inputs(0))
    loss, gradients = module.value_and_grad(**inputs)
    assert loss == pytest.approx(function(**inputs), rel=1e-12)
    rng = np.random.default_rng(0)
    way = {n: rng.normal(size=np.shape(g)) for n, g in gradients.items()}

    def at(step: float) -> float:
        return float(function(**{
            n: v + step * way[n] if n in way else v for n, v in inputs.items()}))

    near, far = ((at(h) - at(-h)) / (2 * h) for h in (1e-4, 2e-4))
    slope = sum(float(np.sum(way[n] * g)) for n, g in gradients.items())
    assert slope == pytest.approx((4 * near - far) / 3, rel=1e-7, abs=1e-9)


def _well_behaved(inputs: dict) -> dict:
    """The covariances of the Kalman filter are positive definite."""
    return {n: v @ v.T + np.eye(len(v)) if n in ("P0", "Q", "R") else v
            for n, v in inputs.items()}


def test_a_loop_is_the_scan_that_it_could_have_been() -> None:
    one, other = (symprop.trace(f) for f in (rnn, rnn_by_scan))

    def equations(system):
        return sorted(f"{e.array}: {canonical(e.rhs, {i: str(k) for k, i in enumerate(e.indices)})}"
                      for e in system.equations if e.array not in ("loss", "loss_dot", "L_dot"))

    assert [e for e in equations(one) if "h" in e] == [e for e in equations(other) if "h" in e]
    assert one.loops == ("T",)
    assert not other.loops


def squared_position(x: "T D"):
    loss = 0.0
    for t in range(x.shape[0]):
        loss = loss + t**2 * np.sum(x[t])
    return loss


def every_second(x: "T D"):
    loss = 0.0
    for t in range(x.shape[0]):
        if t % 2:
            loss += np.sum(x[t])
    return loss


def at_most_eight(x: "T D"):
    loss = 0.0
    for t in range(min(x.shape[0], 8)):
        loss += np.sum(x[t] ** 2)
    return loss


def until_a_hundred(x: "T D"):
    loss = 0.0
    for t, row in enumerate(x):
        if t == 1000:
            break
        loss += np.sum(row**2)
    return loss


def counted_by_hand(x: "T D"):
    loss, seen = 0.0, []
    for row in x:
        seen.append(row)
        if len(seen) < 100:
            loss += np.sum(row**2)
    return loss


def window_in_turns(x: "T D"):
    loss = 0.0
    for t in range(x.shape[0]):
        if t + 50 > 200:
            loss += np.sum(x[t])
        loss += np.sum(x[t] ** 2)
    return loss


def longer_and_longer(x: "T D"):
    loss = 0.0
    for t in range(x.shape[0]):
        loss += np.sum(np.sum(x[:t], axis=0) ** 2)
    return loss


@pytest.mark.parametrize("function", [
    squared_position, every_second, at_most_eight, until_a_hundred, counted_by_hand,
    window_in_turns, longer_and_longer], ids=lambda f: f.__name__)
def test_a_loop_whose_turns_are_not_one_recurrence_is_refused(function: Callable) -> None:
    with pytest.raises(TraceError, match=r"test_loops\.py:\d+: .*(declare the axis as a number)"):
        symprop.trace(function)


def branch_on_a_length(x: "T D"):
    loss = 0.0
    for t in range(len(x)):
        loss += np.sum(x[t] ** 2)
    return loss * 2 if len(x) > 3 else loss


def test_what_holds_at_the_lengths_traced_alone_is_refused() -> None:
    with pytest.raises(SympropError, match=r"test_loops\.py"):
        symprop.trace(branch_on_a_length)


def behind_the_input(x: "T N D", h0: "N H", W: "D+H H"):
    h = h0
    for t in range(len(x)):
        h = np.tanh(np.concatenate([x[t], h], axis=1) @ W)
    return np.sum(h**2)


def between_two(x: "T D", h0: "H", s: "S", W: "D+H+S H"):
    h, loss = h0, 0.0
    for t in range(len(x)):
        h = np.tanh(np.hstack([x[t], h, s]) @ W)
        loss += np.sum(h)
    return loss


def two_handed_on(x: "T D", h0: "H", c0: "H", W: "D+2*H H"):
    h, c = h0, c0
    for t in range(len(x)):
        z = np.concatenate([x[t], h, c]) @ W
        c = np.tanh(z) + c
        h = np.tanh(c) * h
    return h @ c


@pytest.mark.parametrize("function", [behind_the_input, between_two, two_handed_on],
                         ids=lambda f: f.__name__)
def test_what_is_handed_on_may_stand_behind_another_array(function: Callable) -> None:
    """No turn is unlike the others because it reads an input where they read what was handed on."""
    system = symprop.trace(function, wrt=["h0", "W"])
    assert not system.conditions and len(system.equations) < 10
    assert symprop.check(symprop.generate(symprop.derive(system))).passed
