"""Soft Dice loss for binary segmentation with a 3x3 zero-padded convolution in front."""
import numpy as np


def conv3x3(img, kernel, bias):
    B, H, W = img.shape
    padded = np.pad(img, ((0, 0), (1, 1), (1, 1)))
    out = np.zeros((B, H, W))
    for di in range(3):
        for dj in range(3):
            out += kernel[di, dj] * padded[:, di:di + H, dj:dj + W]
    return out + bias


def dice_coeff(pred, target, smooth=1.0):
    num = pred.shape[0]
    m1 = pred.reshape(num, -1)
    m2 = target.reshape(num, -1)
    intersection = (m1 * m2).sum(axis=1)
    return (2.0 * intersection + smooth) / (m1.sum(axis=1) + m2.sum(axis=1) + smooth)


def loss(img: "B H W", mask: "B H W", kernel: "3 3", bias: ""):
    pred = 1 / (1 + np.exp(-conv3x3(img, kernel, bias)))
    return 1 - dice_coeff(pred, mask).mean()


def example(rng):
    B, H, W = 2, 5, 6
    return {
        "img": rng.normal(size=(B, H, W)),
        "mask": (rng.random((B, H, W)) > 0.6).astype(np.float64),
        "kernel": rng.normal(size=(3, 3)),
        "bias": 0.1,
    }
