"""Message passing on an edge index with np.add.at, mean aggregation and a graph-level readout."""
import numpy as np


def scatter_add(src, index, num_nodes):
    out = np.zeros((num_nodes, src.shape[1]))
    np.add.at(out, index, src)
    return out


def mp_layer(x, edge_index, edge_attr, p):
    src, dst = edge_index
    msg = np.concatenate([x[src], x[dst], edge_attr], axis=1)
    msg = np.tanh(msg @ p["W_msg"] + p["b_msg"])
    agg = scatter_add(msg, dst, x.shape[0])
    deg = np.bincount(dst, minlength=x.shape[0])
    agg = agg / np.maximum(deg, 1)[:, None]
    return np.tanh(x @ p["W_self"] + agg @ p["W_agg"])


LAYER = {"W_msg": "2*D+A M", "b_msg": "M", "W_self": "D D", "W_agg": "M D"}


def loss(x: "N D", edge_index: "int 2 E", edge_attr: "E A", target: "",
         layers: [LAYER, LAYER], w: "D", b: ""):
    for p in layers:
        x = mp_layer(x, edge_index, edge_attr, p)
    graph = x.sum(axis=0)
    return (graph @ w + b - target) ** 2


def example(rng):
    N, E, D, A, M = 5, 8, 3, 2, 4

    def layer():
        return {"W_msg": rng.normal(size=(2 * D + A, M)), "b_msg": rng.normal(size=M),
                "W_self": rng.normal(size=(D, D)), "W_agg": rng.normal(size=(M, D))}

    return {
        "x": rng.normal(size=(N, D)),
        "edge_index": rng.integers(0, N, size=(2, E)),
        "edge_attr": rng.normal(size=(E, A)),
        "target": 0.7,
        "layers": [layer(), layer()],
        "w": rng.normal(size=D),
        "b": 0.1,
    }
