"""A small U-Net: two levels with max pooling, nearest upsampling and skip connections, binary labels."""
import numpy as np


def conv3x3(x, p):
    """'same' convolution; x is B C H W, p["w"] is O C 3 3."""
    B, C, H, W = x.shape
    xp = np.pad(x, [(0, 0), (0, 0), (1, 1), (1, 1)], mode="constant")
    out = 0
    for i in range(3):
        for j in range(3):
            out = out + np.einsum("bchw,oc->bohw", xp[:, :, i:i + H, j:j + W], p["w"][:, :, i, j])
    return out + p["b"].reshape(1, -1, 1, 1)


def relu(x):
    return x * (x > 0)


def maxpool(x):
    B, C, H, W = x.shape
    return x.reshape(B, C, H // 2, 2, W // 2, 2).max(axis=(3, 5))


def upsample(x):
    return x.repeat(2, axis=2).repeat(2, axis=3)


def unet(x, net):
    d1 = relu(conv3x3(x, net["down1"]))
    d2 = relu(conv3x3(maxpool(d1), net["down2"]))
    mid = relu(conv3x3(maxpool(d2), net["mid"]))
    u2 = relu(conv3x3(np.concatenate([upsample(mid), d2], axis=1), net["up2"]))
    u1 = relu(conv3x3(np.concatenate([upsample(u2), d1], axis=1), net["up1"]))
    return np.einsum("bchw,c->bhw", u1, net["out"])


def loss(
    x: "B 1 8 8",
    y: "B 8 8",
    net: {
        "down1": {"w": "F 1 3 3", "b": "F"},
        "down2": {"w": "G F 3 3", "b": "G"},
        "mid": {"w": "G G 3 3", "b": "G"},
        "up2": {"w": "F 2*G 3 3", "b": "F"},
        "up1": {"w": "F 2*F 3 3", "b": "F"},
        "out": "F",
    },
):
    z = unet(x, net)
    bce = np.maximum(z, 0) - z * y + np.log(1 + np.exp(-np.abs(z)))
    return bce.mean()


def example(rng):
    B, F, G = 2, 2, 3
    conv = lambda o, c: {"w": rng.normal(size=(o, c, 3, 3)) / 3, "b": 0.1 * rng.normal(size=o)}
    return {
        "x": rng.normal(size=(B, 1, 8, 8)),
        "y": (rng.random((B, 8, 8)) > 0.5).astype(float),
        "net": {"down1": conv(F, 1), "down2": conv(G, F), "mid": conv(G, G),
                "up2": conv(F, 2 * G), "up1": conv(F, 2 * F), "out": rng.normal(size=F)},
    }
