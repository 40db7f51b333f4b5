"""Cox proportional hazards: negative log partial likelihood with Breslow ties, DeepSurv style."""
import numpy as np


def risk_score(x, W1, b1, w2):
    return np.tanh(x @ W1 + b1) @ w2


def neg_log_partial_likelihood(log_risk, time, event):
    at_risk = (time[None, :] >= time[:, None]).astype(float)      # [i, j]: j still at risk at t_i
    shift = log_risk.max()
    log_denominator = shift + np.log(at_risk @ np.exp(log_risk - shift))
    return -np.sum(event * (log_risk - log_denominator)) / np.sum(event)


def loss(x: "N D", time: "N", event: "N", W1: "D H", b1: "H", w2: "H", l2=1e-2):
    nll = neg_log_partial_likelihood(risk_score(x, W1, b1, w2), time, event)
    return nll + l2 * (np.sum(W1**2) + np.sum(w2**2))


def example(rng):
    N, D, H = 8, 3, 4
    event = (rng.random(N) < 0.7).astype(float)
    event[0] = 1.0
    return {
        "x": rng.normal(size=(N, D)),
        "time": rng.exponential(5.0, size=N),
        "event": event,
        "W1": rng.normal(size=(D, H)),
        "b1": rng.normal(size=H),
        "w2": rng.normal(size=H),
    }
