"""Contrastive divergence objective of an RBM: free energy of the data minus that of given negatives."""
import numpy as np


class RBM:
    def __init__(self, W, a, b):
        self.W, self.a, self.b = W, a, b

    def free_energy(self, v):
        wx_b = np.dot(v, self.W) + self.b
        vbias_term = np.dot(v, self.a)
        hidden_term = np.sum(np.log(1 + np.exp(wx_b)), axis=1)
        return -hidden_term - vbias_term


def loss(v_data: "N V", v_model: "S V", W: "V H", a: "V", b: "H", weight_cost=0.0002):
    rbm = RBM(W, a, b)
    cd = np.mean(rbm.free_energy(v_data)) - np.mean(rbm.free_energy(v_model))
    return cd + weight_cost * np.sum(np.abs(W))


def example(rng):
    N, S, V, H = 5, 4, 6, 3
    return dict(
        v_data=rng.integers(0, 2, size=(N, V)).astype(float),
        v_model=rng.integers(0, 2, size=(S, V)).astype(float),
        W=rng.normal(size=(V, H)),
        a=0.1 * rng.normal(size=V),
        b=0.1 * rng.normal(size=H),
    )
