"""Per-pixel focal loss for semantic segmentation after a 1x1 convolution, with an ignore index."""
import numpy as np


def softmax(x, axis):
    e = np.exp(x - x.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)


def focal_loss(logits, target, alpha, gamma=2.0, ignore_index=255):
    B, C, H, W = logits.shape
    probs = softmax(logits, axis=1)
    probs = probs.transpose(0, 2, 3, 1).reshape(-1, C)
    target = target.reshape(-1)
    valid = target != ignore_index
    safe_target = np.where(valid, target, 0)
    pt = probs[np.arange(B * H * W), safe_target]
    focal = -alpha[safe_target] * (1 - pt) ** gamma * np.log(pt + 1e-8)
    return np.sum(focal * valid) / np.sum(valid)


def loss(feat: "B F H W", target: "int B H W", kernel: "C F", bias: "C", alpha: "C"):
    logits = np.einsum("bfhw,cf->bchw", feat, kernel) + bias[None, :, None, None]
    return focal_loss(logits, target, alpha)


def example(rng):
    B, F, H, W, C = 2, 3, 4, 5, 3
    target = rng.integers(0, C, size=(B, H, W))
    target[0, 0, :2] = 255
    return dict(
        feat=rng.normal(size=(B, F, H, W)),
        target=target,
        kernel=rng.normal(size=(C, F)),
        bias=0.1 * rng.normal(size=C),
        alpha=np.array([0.25, 0.5, 0.75]),
    )
