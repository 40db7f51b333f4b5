"""GPT-2 forward pass after picoGPT, with the language-model loss of the sequence itself."""
import numpy as np


def gelu(x):
    return 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))


def softmax(x):
    exp_x = np.exp(x - np.max(x, axis=-1, keepdims=True))
    return exp_x / np.sum(exp_x, axis=-1, keepdims=True)


def layer_norm(x, g, b, eps: float = 1e-5):
    mean = np.mean(x, axis=-1, keepdims=True)
    variance = np.var(x, axis=-1, keepdims=True)
    return g * (x - mean) / np.sqrt(variance + eps) + b


def linear(x, w, b):
    return x @ w + b


def ffn(x, c_fc, c_proj):
    return linear(gelu(linear(x, **c_fc)), **c_proj)


def attention(q, k, v, mask):
    return softmax(q @ k.T / np.sqrt(q.shape[-1]) + mask) @ v


def mha(x, c_attn, c_proj, n_head):
    x = linear(x, **c_attn)
    qkv_heads = list(map(lambda x: np.split(x, n_head, axis=-1), np.split(x, 3, axis=-1)))
    causal_mask = (1 - np.tri(x.shape[0], dtype=x.dtype)) * -1e10
    out_heads = [attention(q, k, v, causal_mask) for q, k, v in zip(*qkv_heads)]
    return linear(np.hstack(out_heads), **c_proj)


def transformer_block(x, mlp, attn, ln_1, ln_2, n_head):
    x = x + mha(layer_norm(x, **ln_1), **attn, n_head=n_head)
    x = x + ffn(layer_norm(x, **ln_2), **mlp)
    return x


def gpt2(inputs, wte, wpe, blocks, ln_f, n_head):
    x = wte[inputs] + wpe[range(len(inputs))]
    for block in blocks:
        x = transformer_block(x, **block, n_head=n_head)
    return layer_norm(x, **ln_f) @ wte.T


BLOCK = {
    "mlp": {"c_fc": {"w": "E 4*E", "b": "4*E"}, "c_proj": {"w": "4*E E", "b": "E"}},
    "attn": {"c_attn": {"w": "E 3*E", "b": "3*E"}, "c_proj": {"w": "E E", "b": "E"}},
    "ln_1": {"g": "E", "b": "E"},
    "ln_2": {"g": "E", "b": "E"},
}


def loss(inputs: "int S", params: {"wte": "V E", "wpe": "C E", "blocks": [BLOCK] * 2,
                                   "ln_f": {"g": "E", "b": "E"}}, n_head=2):
    x, y = inputs[:-1], inputs[1:]
    probs = softmax(gpt2(x, **params, n_head=n_head))
    return np.mean(-np.log(probs[np.arange(len(y)), y]))


def example(rng):
    S, V, C, E = 5, 7, 8, 4
    lin = lambda i, o: {"w": 0.3 * rng.normal(size=(i, o)), "b": 0.1 * rng.normal(size=o)}
    ln = lambda: {"g": rng.uniform(0.5, 1.5, E), "b": 0.1 * rng.normal(size=E)}
    blocks = [{"mlp": {"c_fc": lin(E, 4 * E), "c_proj": lin(4 * E, E)},
               "attn": {"c_attn": lin(E, 3 * E), "c_proj": lin(E, E)},
               "ln_1": ln(), "ln_2": ln()} for _ in range(2)]
    return {"inputs": rng.integers(0, V, S),
            "params": {"wte": rng.normal(size=(V, E)), "wpe": 0.1 * rng.normal(size=(C, E)),
                       "blocks": blocks, "ln_f": ln()}}
