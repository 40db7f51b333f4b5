"""Neural ODE fitted to a trajectory, integrated with a fixed number of RK4 steps per observation."""
import numpy as np


def dynamics(y, t, params):
    inp = np.concatenate([y**3, np.full((y.shape[0], 1), t)], axis=1)
    return np.tanh(inp @ params["W1"] + params["b1"]) @ params["W2"] + params["b2"]


def rk4_step(f, y, t, dt):
    k1 = f(y, t)
    k2 = f(y + 0.5 * dt * k1, t + 0.5 * dt)
    k3 = f(y + 0.5 * dt * k2, t + 0.5 * dt)
    k4 = f(y + dt * k3, t + dt)
    return y + dt / 6.0 * (k1 + 2 * k2 + 2 * k3 + k4)


def odeint(f, y0, n_obs, dt, substeps):
    ys, y, t = [], y0, 0.0
    for _ in range(n_obs):
        for _ in range(substeps):
            y = rk4_step(f, y, t, dt / substeps)
            t += dt / substeps
        ys.append(y)
    return np.array(ys)


def loss(y0: "B D", y_true: "4 B D",
         params: {"W1": "D+1 H", "b1": "H", "W2": "H D", "b2": "D"},
         dt=0.25, substeps=2):
    pred = odeint(lambda y, t: dynamics(y, t, params), y0, len(y_true), dt, substeps)
    return np.mean(np.abs(pred - y_true))


def example(rng):
    B, D, H = 3, 2, 5
    return {
        "y0": rng.normal(size=(B, D)),
        "y_true": rng.normal(size=(4, B, D)),
        "params": {
            "W1": 0.5 * rng.normal(size=(D + 1, H)),
            "b1": 0.1 * rng.normal(size=H),
            "W2": 0.5 * rng.normal(size=(H, D)),
            "b2": 0.1 * rng.normal(size=D),
        },
    }
