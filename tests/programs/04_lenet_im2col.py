"""A LeNet-like convolutional classifier on 12x12 images with im2col written by hand."""
import numpy as np


def im2col(x, k):
    n, c, h, w = x.shape
    oh, ow = h - k + 1, w - k + 1
    cols = np.zeros((n, c, k, k, oh, ow))
    for i in range(k):
        for j in range(k):
            cols[:, :, i, j, :, :] = x[:, :, i:i + oh, j:j + ow]
    return cols.transpose(0, 4, 5, 1, 2, 3).reshape(n * oh * ow, c * k * k)


def conv(x, W, b):
    f, _, k, _ = W.shape
    n, _, h, w = x.shape
    oh, ow = h - k + 1, w - k + 1
    out = im2col(x, k) @ W.reshape(f, -1).T + b
    return out.reshape(n, oh, ow, f).transpose(0, 3, 1, 2)


def avg_pool2(x):
    n, c, h, w = x.shape
    return x.reshape(n, c, h // 2, 2, w // 2, 2).mean(axis=(3, 5))


def log_softmax(z):
    z = z - z.max(axis=-1, keepdims=True)
    return z - np.log(np.exp(z).sum(axis=-1, keepdims=True))


def loss(images: "N 1 12 12", labels: "int N",
         K1: "4 1 3 3", c1: "4", K2: "6 4 2 2", c2: "6",
         W3: "24 10", b3: "10", W4: "10 C", b4: "C"):
    a = np.tanh(conv(images, K1, c1))     # N 4 10 10
    a = avg_pool2(a)                      # N 4 5 5
    a = np.tanh(conv(a, K2, c2))          # N 6 4 4
    a = avg_pool2(a)                      # N 6 2 2
    a = a.reshape(a.shape[0], -1)         # N 24
    a = np.tanh(a @ W3 + b3)
    logp = log_softmax(a @ W4 + b4)
    return -logp[np.arange(len(labels)), labels].mean()


def example(rng):
    N, C = 2, 5
    g = lambda *s: 0.4 * rng.normal(size=s)
    return dict(images=rng.normal(size=(N, 1, 12, 12)), labels=rng.integers(0, C, N),
                K1=g(4, 1, 3, 3), c1=g(4), K2=g(6, 4, 2, 2), c2=g(6),
                W3=g(24, 10), b3=g(10), W4=g(10, C), b4=g(C))
