"""Physics-informed loss for u_t = k u_xx: residual by finite differences of a tanh network on a grid."""
import numpy as np


def u_net(x, t, W1, b1, W2, b2, w3, b3):
    h = np.stack([x, t], axis=-1)
    h = np.tanh(h @ W1 + b1)
    h = np.tanh(h @ W2 + b2)
    return h @ w3 + b3


def heat_residual(u, dx, dt, kappa):
    u_t = (u[2:, 1:-1] - u[:-2, 1:-1]) / (2 * dt)
    u_xx = (u[1:-1, 2:] - 2 * u[1:-1, 1:-1] + u[1:-1, :-2]) / dx**2
    return u_t - kappa * u_xx


def loss(x: "NX", t: "NT", u0: "NX", log_kappa: "",
         W1: "2 H", b1: "H", W2: "H H", b2: "H", w3: "H", b3: ""):
    X, T = np.meshgrid(x, t)                    # NT x NX
    u = u_net(X, T, W1, b1, W2, b2, w3, b3)
    res = heat_residual(u, x[1] - x[0], t[1] - t[0], np.exp(log_kappa))
    loss_pde = np.mean(res**2)
    loss_ic = np.mean((u[0] - u0) ** 2)
    loss_bc = np.mean(u[:, 0] ** 2) + np.mean(u[:, -1] ** 2)
    return loss_pde + 10.0 * loss_ic + loss_bc


def example(rng):
    NX, NT, H = 7, 5, 4
    x = np.linspace(0, 1, NX)
    return dict(
        x=x,
        t=np.linspace(0, 0.5, NT),
        u0=np.sin(np.pi * x),
        log_kappa=-1.0,
        W1=rng.normal(size=(2, H)),
        b1=rng.normal(size=H),
        W2=rng.normal(size=(H, H)),
        b2=rng.normal(size=H),
        w3=rng.normal(size=H),
        b3=0.1,
    )
