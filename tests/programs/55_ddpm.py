"""DDPM simple loss: predict the noise added at given timesteps with a time-conditioned MLP."""
import numpy as np


def linear_schedule(T, beta_start=1e-4, beta_end=0.02):
    betas = np.linspace(beta_start, beta_end, T)
    return np.cumprod(1.0 - betas)


def timestep_embedding(t, dim, max_period=10000):
    half = dim // 2
    freqs = np.exp(-np.log(max_period) * np.arange(half) / half)
    args = t[:, None] * freqs[None]
    return np.concatenate([np.cos(args), np.sin(args)], axis=-1)


def swish(x):
    return x / (1 + np.exp(-x))


def eps_model(x, t, params, dim=6):
    temb = swish(timestep_embedding(t, dim) @ params["Wt"] + params["bt"])
    h = x @ params["Win"] + params["bin"]
    for W, b in zip(params["Ws"], params["bs"]):
        h = h + swish((h + temb) @ W + b)
    return h @ params["Wout"] + params["bout"]


def loss(
    x0: "B D", t: "int B", noise: "B D",
    params: {"Wt": "6 H", "bt": "H", "Win": "D H", "bin": "H",
             "Ws": ["H H", "H H"], "bs": ["H", "H"], "Wout": "H D", "bout": "D"},
    num_steps=1000,
):
    a_bar = linear_schedule(num_steps)[t][:, None]
    x_t = np.sqrt(a_bar) * x0 + np.sqrt(1 - a_bar) * noise
    return np.mean((noise - eps_model(x_t, t, params)) ** 2)


def example(rng):
    B, D, H = 5, 2, 4
    w = lambda *s: rng.normal(size=s) / np.sqrt(s[0])
    return {
        "x0": rng.normal(size=(B, D)),
        "t": rng.integers(0, 1000, size=B),
        "noise": rng.normal(size=(B, D)),
        "params": {"Wt": w(6, H), "bt": w(H), "Win": w(D, H), "bin": w(H),
                   "Ws": [w(H, H), w(H, H)], "bs": [w(H), w(H)], "Wout": w(H, D), "bout": w(D)},
    }
