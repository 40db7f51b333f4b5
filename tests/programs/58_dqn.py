"""Double DQN temporal-difference loss (smooth L1) on a replay batch, with separate target parameters."""
import numpy as np


def q_values(s, params):
    (W1, b1), (W2, b2) = params
    return np.maximum(s @ W1 + b1, 0.0) @ W2 + b2


def smooth_l1(x):
    ax = np.abs(x)
    return np.where(ax < 1, 0.5 * x * x, ax - 0.5)


def loss(s: "B S", a: "int B", r: "B", s_next: "B S", done: "B",
         online: [("S H", "H"), ("H A", "A")],
         target: [("S H", "H"), ("H A", "A")],
         gamma=0.99):
    idx = np.arange(s.shape[0])
    q_sa = q_values(s, online)[idx, a]
    best = np.argmax(q_values(s_next, online), axis=1)
    q_next = q_values(s_next, target)[idx, best]
    td_target = r + gamma * (1.0 - done) * q_next
    return smooth_l1(q_sa - td_target).mean()


def example(rng):
    B, S, H, A = 6, 4, 5, 3

    def net():
        return [(rng.normal(size=(S, H)), rng.normal(size=H)),
                (rng.normal(size=(H, A)), rng.normal(size=A))]

    return {
        "s": rng.normal(size=(B, S)),
        "a": rng.integers(0, A, size=B),
        "r": rng.normal(size=B),
        "s_next": rng.normal(size=(B, S)),
        "done": (rng.random(B) < 0.2).astype(float),
        "online": net(),
        "target": net(),
    }
