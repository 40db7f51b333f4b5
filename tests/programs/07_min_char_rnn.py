"""Character-level vanilla RNN in the style of Karpathy's min-char-rnn: dicts over time, one-hot columns."""
import numpy as np


def loss(inputs: "int T", targets: "int T", hprev: "H 1",
         Wxh: "H V", Whh: "H H", Why: "V H", bh: "H 1", by: "V 1"):
    vocab_size = Wxh.shape[1]
    xs, hs, ys, ps = {}, {}, {}, {}
    hs[-1] = np.copy(hprev)
    loss = 0
    for t in range(len(inputs)):
        xs[t] = np.zeros((vocab_size, 1))  # encode in 1-of-k representation
        xs[t][inputs[t]] = 1
        hs[t] = np.tanh(np.dot(Wxh, xs[t]) + np.dot(Whh, hs[t - 1]) + bh)  # hidden state
        ys[t] = np.dot(Why, hs[t]) + by  # unnormalized log probabilities for next chars
        ps[t] = np.exp(ys[t]) / np.sum(np.exp(ys[t]))  # probabilities for next chars
        loss += -np.log(ps[t][targets[t], 0])  # softmax (cross-entropy loss)
    return loss


def example(rng):
    T, H, V = 5, 4, 6
    chars = rng.integers(0, V, size=T + 1)
    return {
        "inputs": chars[:-1],
        "targets": chars[1:],
        "hprev": 0.1 * rng.standard_normal((H, 1)),
        "Wxh": 0.5 * rng.standard_normal((H, V)),
        "Whh": 0.5 * rng.standard_normal((H, H)),
        "Why": 0.5 * rng.standard_normal((V, H)),
        "bh": 0.1 * rng.standard_normal((H, 1)),
        "by": 0.1 * rng.standard_normal((V, 1)),
    }
