"""A one-block vision transformer on 8x8 RGB images cut into 4x4 patches, with a class token."""
import numpy as np


def patchify(img, P):
    B, H, W, C = img.shape
    x = img.reshape(B, H // P, P, W // P, P, C)
    x = x.transpose(0, 1, 3, 2, 4, 5)
    return x.reshape(B, (H // P) * (W // P), P * P * C)


def norm(x, eps=1e-6):
    return (x - x.mean(-1, keepdims=True)) / (x.std(-1, keepdims=True) + eps)


def softmax(x, axis=-1):
    x = x - np.amax(x, axis=axis, keepdims=True)
    np.exp(x, out=x)
    x /= x.sum(axis=axis, keepdims=True)
    return x


def attention(x, Wqkv, Wo, heads):
    B, N, D = x.shape
    qkv = (x @ Wqkv).reshape(B, N, 3, heads, D // heads).transpose(2, 0, 3, 1, 4)
    q, k, v = qkv[0], qkv[1], qkv[2]
    attn = softmax(q @ np.swapaxes(k, -2, -1) * (D // heads) ** -0.5)
    return (attn @ v).transpose(0, 2, 1, 3).reshape(B, N, D) @ Wo


def loss(images: "B 8 8 3", labels: "int B", W_embed: "48 D", cls: "1 1 D", pos: "1 5 D",
         Wqkv: "D 3*D", Wo: "D D", W1: "D M", b1: "M", W2: "M D", b2: "D",
         W_head: "D K", b_head: "K", patch=4, heads=2):
    B = images.shape[0]
    x = patchify(images, patch) @ W_embed
    x = np.concatenate([np.tile(cls, (B, 1, 1)), x], axis=1) + pos
    x = x + attention(norm(x), Wqkv, Wo, heads)
    h = norm(x) @ W1 + b1
    x = x + (h / (1 + np.exp(-1.702 * h))) @ W2 + b2
    logits = norm(x[:, 0]) @ W_head + b_head
    probs = softmax(logits)
    return -np.log(probs[np.arange(B), labels]).mean()


def example(rng):
    B, D, M, K = 2, 4, 6, 3
    g = lambda *s: 0.3 * rng.normal(size=s)
    return dict(images=rng.random((B, 8, 8, 3)), labels=rng.integers(0, K, B), W_embed=g(48, D),
                cls=g(1, 1, D), pos=g(1, 5, D), Wqkv=g(D, 3 * D), Wo=g(D, D), W1=g(D, M), b1=g(M),
                W2=g(M, D), b2=g(D), W_head=g(D, K), b_head=g(K))
