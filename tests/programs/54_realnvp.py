"""RealNVP density estimation: a stack of affine coupling layers with alternating binary masks."""
import numpy as np


def mlp(x, p):
    return np.tanh(x @ p["W1"] + p["b1"]) @ p["W2"] + p["b2"]


def coupling(x, mask, s_net, t_net):
    x_masked = x * mask
    s = np.tanh(mlp(x_masked, s_net)) * (1 - mask)
    t = mlp(x_masked, t_net) * (1 - mask)
    z = x_masked + (1 - mask) * (x * np.exp(s) + t)
    return z, s.sum(axis=1)


NET = {"W1": "D H", "b1": "H", "W2": "H D", "b2": "D"}


def loss(x: "N D", layers: [{"s": NET, "t": NET}, {"s": NET, "t": NET}, {"s": NET, "t": NET}]):
    N, D = x.shape
    log_det = np.zeros(N)
    z = x
    for i, layer in enumerate(layers):
        mask = (np.arange(D) % 2 == i % 2).astype(float)
        z, ld = coupling(z, mask, layer["s"], layer["t"])
        log_det += ld
    log_pz = -0.5 * (z**2 + np.log(2 * np.pi)).sum(axis=1)
    return -(log_pz + log_det).mean()


def example(rng):
    N, D, H = 6, 4, 5

    def net():
        return {"W1": rng.normal(size=(D, H)) / 2, "b1": 0.1 * rng.normal(size=H),
                "W2": rng.normal(size=(H, D)) / 2, "b2": 0.1 * rng.normal(size=D)}

    return {"x": rng.normal(size=(N, D)), "layers": [{"s": net(), "t": net()} for _ in range(3)]}
