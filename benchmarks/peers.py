"""The same losses in PyTorch, JAX and autograd, each as its own users write them.

In: "torch", "jax" or "autograd", the name of a workload, its arrays. Out: a function without
arguments that returns the loss and the gradients by name. They are an extra: `make compare` leaves
out what is not installed.
"""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
from workloads import HEADS, WORKLOADS, leaves

Run = Callable[[], tuple[Any, dict[str, Any]]]


def build(kind: str, workload: str, arrays: dict[str, Any]) -> Run:
    """The timed function of a peer."""
    loss = LOSSES[workload.rstrip("0123456789").removesuffix("_big")]
    wrt = WORKLOADS[workload].wrt
    return {"torch": _torch, "jax": _jax, "autograd": _autograd}[kind](loss, wrt, arrays)


# ---- losses over a namespace of functions ------------------------------------------------------


def tiny(F: Any, d: Any) -> Any:
    o = F.sigmoid(F.tanh(d["x"] @ d["W1"] + d["b1"]) @ d["W2"] + d["b2"])
    return ((o - d["y"]) ** 2).mean()


def mlp(F: Any, d: Any) -> Any:
    h = F.tanh(F.tanh(d["x"] @ d["W1"] + d["b1"]) @ d["W2"] + d["b2"])
    return F.classes(h @ d["W3"] + d["b3"], d["y"])


def lenet(F: Any, d: Any) -> Any:
    a = F.pool(F.relu(F.conv(d["x"], d["K1"], d["c1"], 2)))
    a = F.pool(F.relu(F.conv(a, d["K2"], d["c2"], 0)))
    h = F.relu(a.reshape(len(d["x"]), 400) @ d["W1"] + d["b1"])
    h = F.relu(h @ d["W2"] + d["b2"])
    return F.classes(h @ d["W3"] + d["b3"], d["y"])


def lstm(F: Any, d: Any) -> Any:
    H = d["Wh"].shape[0]

    def step(carry: Any, x: Any) -> Any:
        h, c = carry
        z = x @ d["Wx"] + h @ d["Wh"] + d["b"]
        i, f, o = (F.sigmoid(z[:, k * H:(k + 1) * H]) for k in (0, 1, 3))
        c = f * c + i * F.tanh(z[:, 2 * H:3 * H])
        h = o * F.tanh(c)
        return (h, c), h

    start = F.zeros((d["x"].shape[1], H), d["x"])
    h = F.scan(step, (start, start), d["x"])
    u = h @ d["Wo"] + d["bo"]
    return F.classes(u.reshape(-1, u.shape[-1]), d["y"].reshape(-1))


def _layer(F: Any, x: Any, w: Any) -> Any:
    N, T, D = x.shape
    qkv = F.norm(x, w["g1"], w["b1"]) @ w["Wqkv"] + w["bqkv"]
    q, k, v = (F.swap(qkv[:, :, n * D:(n + 1) * D].reshape(N, T, HEADS, D // HEADS))
               for n in range(3))
    a = F.swap(F.attend(q, k, v)).reshape(N, T, D)
    x = x + a @ w["Wo"] + w["bo"]
    u = F.norm(x, w["g2"], w["b2"]) @ w["W1"] + w["c1"]
    return x + F.gelu(u) @ w["W2"] + w["c2"]


def block(F: Any, d: Any) -> Any:
    return 0.5 * ((_layer(F, d["x"], d["blocks"][0]) - d["t"]) ** 2).mean()


def gpt(F: Any, d: Any) -> Any:
    x = d["wte"][d["tok"]] + d["wpe"]
    for w in d["blocks"]:
        x = _layer(F, x, w)
    u = F.norm(x, d["gf"], d["bf"]) @ d["Wh"]
    return F.classes(u.reshape(-1, u.shape[-1]), d["y"].reshape(-1))


def logreg(F: Any, d: Any) -> Any:
    return F.softplus(-d["y"] * (d["X"] @ d["w"] + d["b"])).mean()


def gmm(F: Any, d: Any) -> Any:
    N, D = d["x"].shape
    columns, rows = np.triu_indices(D, 1)
    place = np.zeros((D, D), int)  # entries of `low`, gathered to a square, and a mask
    place[rows, columns] = np.arange(len(rows))
    mask = F.array(np.tri(D, k=-1), d["x"])
    L = d["low"][:, place] * mask
    e = F.exp(d["q"])
    c = d["x"][:, None, :] - d["mu"]
    z = e * c + F.einsum("kij,nkj->nki", L, c)
    inner = d["alpha"] + d["q"].sum(1) - 0.5 * (z * z).sum(2)
    fit = F.logsumexp(inner, 1).sum() - N * F.logsumexp(d["alpha"], 0)
    return fit - 0.5 * ((e * e).sum() + (d["low"] * d["low"]).sum())


LOSSES = {f.__name__: f for f in (tiny, mlp, lenet, lstm, block, gpt, logreg, gmm)}


# ---- PyTorch ------------------------------------------------------------------------------------


def _torch(loss: Any, wrt: tuple[str, ...], arrays: dict[str, Any]) -> Run:
    import torch
    from torch.nn import functional as T

    torch.set_num_threads(1)
    torch.set_num_interop_threads(1)

    def scan(step: Any, carry: Any, xs: Any) -> Any:
        found = []
        for x in xs.unbind(0):
            carry, h = step(carry, x)
            found.append(h)
        return torch.stack(found)

    F = SimpleNamespace(
        tanh=torch.tanh, sigmoid=torch.sigmoid, exp=torch.exp, relu=T.relu, softplus=T.softplus,
        classes=T.cross_entropy, conv=lambda x, K, c, p: T.conv2d(x, K, c, padding=p),
        pool=lambda x: T.max_pool2d(x, 2), gelu=lambda u: T.gelu(u, approximate="tanh"),
        norm=lambda x, g, b: T.layer_norm(x, g.shape, g, b), swap=lambda x: x.transpose(1, 2),
        attend=lambda q, k, v: T.scaled_dot_product_attention(q, k, v, is_causal=True),
        zeros=lambda shape, x: torch.zeros(shape, dtype=x.dtype), scan=scan, einsum=torch.einsum,
        logsumexp=torch.logsumexp, array=lambda a, x: torch.tensor(a, dtype=x.dtype))

    def cast(item: Any, live: bool) -> Any:
        if isinstance(item, dict):
            return {k: cast(v, live) for k, v in item.items()}
        if isinstance(item, list):
            return [cast(v, live) for v in item]
        return torch.from_numpy(np.array(item)).requires_grad_(live)

    d = {n: cast(a, n in wrt) for n, a in arrays.items()}
    known = dict(leaves({n: d[n] for n in wrt}))

    def run() -> tuple[Any, dict[str, Any]]:
        value = loss(F, d)
        found = torch.autograd.grad(value, list(known.values()))
        return value.item(), dict(zip(known, found, strict=True))

    return run


# ---- JAX and autograd: NumPy's own functions under another name ------------------------------


def _numpy_like(xp: Any, **own: Any) -> Any:
    def logsumexp(z: Any, axis: int) -> Any:
        top = z.max(axis)
        return top + xp.log(xp.exp(z - xp.expand_dims(top, axis)).sum(axis))

    def classes(z: Any, y: Any) -> Any:
        return (logsumexp(z, 1) - z[np.arange(len(y)), y]).mean()

    def norm(x: Any, g: Any, b: Any) -> Any:
        c = x - x.mean(-1, keepdims=True)
        return c / xp.sqrt((c * c).mean(-1, keepdims=True) + 1e-5) * g + b

    def attend(q: Any, k: Any, v: Any) -> Any:
        s = q @ xp.swapaxes(k, 2, 3) / q.shape[3] ** 0.5
        s = xp.where(np.tri(q.shape[2]) > 0, s, -1e9)
        e = xp.exp(s - s.max(3, keepdims=True))
        return e / e.sum(3, keepdims=True) @ v

    def gelu(u: Any) -> Any:
        return 0.5 * u * (1 + xp.tanh((2 / np.pi) ** 0.5 * (u + 0.044715 * u**3)))

    def scan(step: Any, carry: Any, xs: Any) -> Any:
        found = []
        for x in xs:
            carry, h = step(carry, x)
            found.append(h)
        return xp.stack(found)

    def conv(x: Any, K: Any, c: Any, p: int) -> Any:
        x = xp.pad(x, ((0, 0), (0, 0), (p, p), (p, p)), mode="constant")
        out = x.shape[2] - K.shape[2] + 1
        several = [x[:, :, i:i + out, j:j + out] for i in range(K.shape[2])
                   for j in range(K.shape[3])]
        flat = K.reshape(K.shape[0], K.shape[1], -1)
        return xp.einsum("pncij,ocp->noij", xp.stack(several), flat) + c[:, None, None]

    def pool(x: Any) -> Any:
        N, C, H, W = x.shape
        return x.reshape(N, C, H // 2, 2, W // 2, 2).max(5).max(3)

    def softplus(z: Any) -> Any:
        return xp.logaddexp(0.0 * z, z)

    return SimpleNamespace(**{**{
        "tanh": xp.tanh, "exp": xp.exp, "sigmoid": lambda z: 0.5 * (xp.tanh(0.5 * z) + 1),
        "relu": lambda z: xp.maximum(z, 0), "softplus": softplus, "classes": classes,
        "conv": conv, "pool": pool, "gelu": gelu, "norm": norm, "attend": attend, "scan": scan,
        "swap": lambda x: xp.swapaxes(x, 1, 2), "einsum": xp.einsum, "logsumexp": logsumexp,
        "zeros": lambda shape, x: np.zeros(shape, x.dtype),
        "array": lambda a, x: a.astype(x.dtype)}, **own})


def _jax(loss: Any, wrt: tuple[str, ...], arrays: dict[str, Any]) -> Run:
    import jax

    jax.config.update("jax_enable_x64", True)
    import jax.numpy as jnp
    from jax import lax

    def conv(x: Any, K: Any, c: Any, p: int) -> Any:
        return lax.conv_general_dilated(x, K, (1, 1), [(p, p), (p, p)]) + c[:, None, None]

    def pool(x: Any) -> Any:
        return lax.reduce_window(x, -jnp.inf, lax.max, (1, 1, 2, 2), (1, 1, 2, 2), "VALID")

    F = _numpy_like(jnp, sigmoid=jax.nn.sigmoid, softplus=jax.nn.softplus, conv=conv, pool=pool,
                    scan=lambda step, carry, xs: lax.scan(step, carry, xs)[1])
    fixed = {n: jax.tree.map(jnp.asarray, a) for n, a in arrays.items() if n not in wrt}
    live = {n: jax.tree.map(jnp.asarray, arrays[n]) for n in wrt}
    both = jax.jit(jax.value_and_grad(lambda p, f: loss(F, {**p, **f})))

    def run() -> tuple[Any, dict[str, Any]]:
        value, found = jax.block_until_ready(both(live, fixed))
        return value, dict(leaves(found))

    return run


def _autograd(loss: Any, wrt: tuple[str, ...], arrays: dict[str, Any]) -> Run:
    import autograd
    import autograd.numpy as anp

    F = _numpy_like(anp)
    both = autograd.value_and_grad(lambda p: loss(F, {**arrays, **p}))
    live = {n: arrays[n] for n in wrt}

    def run() -> tuple[Any, dict[str, Any]]:
        value, found = both(live)
        return value, dict(leaves(found))

    return run
