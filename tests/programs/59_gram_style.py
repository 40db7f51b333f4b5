"""Neural style transfer: content and Gram-matrix style losses over two convolution layers, plus TV."""
import numpy as np
from numpy.lib.stride_tricks import sliding_window_view


def conv2d(x, w):
    # x: C H W, w: O C k k
    k = w.shape[-1]
    windows = sliding_window_view(x, (k, k), axis=(1, 2))    # C, H', W', k, k
    return np.einsum("chwij,ocij->ohw", windows, w)


def features(x, filters):
    feats = []
    for w in filters:
        x = np.tanh(conv2d(x, w))
        feats.append(x)
    return feats


def gram_matrix(f):
    c, h, w = f.shape
    f = f.reshape(c, h * w)
    return f @ f.T / (c * h * w)


def total_variation(img):
    return np.sum((img[:, 1:, :] - img[:, :-1, :]) ** 2) + np.sum((img[:, :, 1:] - img[:, :, :-1]) ** 2)


def loss(img: "3 H W", content: "3 H W", style: "3 H W", filters: ["A 3 3 3", "B A 2 2"],
         content_weight=1.0, style_weight=100.0, tv_weight=1e-3):
    f_img, f_content, f_style = (features(x, filters) for x in (img, content, style))
    content_loss = content_weight * np.mean((f_img[-1] - f_content[-1]) ** 2)
    style_loss = 0
    for a, b in zip(f_img, f_style):
        style_loss += style_weight * np.sum((gram_matrix(a) - gram_matrix(b)) ** 2)
    return content_loss + style_loss + tv_weight * total_variation(img)


def example(rng):
    H, W, A, B = 6, 7, 4, 3
    return {
        "img": rng.random((3, H, W)),
        "content": rng.random((3, H, W)),
        "style": rng.random((3, H, W)),
        "filters": [rng.normal(size=(A, 3, 3, 3)) / 5, rng.normal(size=(B, A, 2, 2)) / 4],
    }
