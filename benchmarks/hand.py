"""Loss and gradients as somebody who knows NumPy well writes them in an afternoon: the mark.

In: the name of a workload, its arrays. Out: a function without arguments that returns the loss and
the gradients by name.

What such a person does: memory is made at the first call and written into again (`out=`), nothing
is worked out twice, sums over examples are products with ones, derivatives are made of the values
that forward keeps, products read arrays as they lie.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from workloads import HEADS

Gradients = tuple[float, dict[str, Any]]
mul, add, sub = np.multiply, np.add, np.subtract


class Memory:
    """Arrays by name, made when they are first asked for."""

    def __init__(self, dtype: Any) -> None:
        self.dtype, self.held = dtype, {}

    def __call__(self, name: str, *shape: int) -> Any:
        if name not in self.held:
            self.held[name] = np.empty(shape, self.dtype)
        return self.held[name]

    def ones(self, count: int) -> Any:
        """A vector of ones."""
        if f"ones {count}" not in self.held:
            self.held[f"ones {count}"] = np.ones(count, self.dtype)
        return self.held[f"ones {count}"]


def build(name: str, arrays: dict[str, Any]) -> Callable[[], Gradients]:
    """The function of a workload, whose memory lasts over its calls."""
    first = next(a for a in _flat(arrays) if a.dtype.kind == "f")
    return FUNCTIONS[name](arrays, Memory(first.dtype))


def _flat(item: Any) -> list[Any]:
    if isinstance(item, (dict, list)):
        return [a for v in (item.values() if isinstance(item, dict) else item) for a in _flat(v)]
    return [item]


def _classes(z: Any, y: Any, m: Memory) -> float:
    """The mean cross-entropy of rows z, which become their gradient."""
    count, rows = len(y), np.arange(len(y))
    z -= z.max(axis=1, keepdims=True)
    right = float(z[rows, y].sum())
    np.exp(z, out=z)
    s = z @ m.ones(z.shape[1])
    loss = (float(np.log(s).sum()) - right) / count
    np.divide(1.0 / count, s, out=s)
    z *= s[:, None]
    z[rows, y] -= 1.0 / count
    return loss


def tiny(d: dict[str, Any], m: Memory) -> Callable[[], Gradients]:
    x, y, W1, b1, W2, b2 = d["x"], d["y"][:, 0], d["W1"], d["b1"], d["W2"], d["b2"]
    count, xT, ones = len(y), np.ascontiguousarray(x.T), m.ones(len(y))
    h, dh, s, e = m("h", count, 4), m("dh", count, 4), m("s", count), m("e", count)
    w = W2[:, 0]

    def run() -> Gradients:
        np.dot(x, W1, h)
        add(h, b1, h)
        np.tanh(h, h)
        np.dot(h, w, s)
        add(s, b2, s)
        mul(s, 0.5, s)
        np.tanh(s, s)  # 2 sigma - 1, of four numbers of moderate size
        add(s, 1.0, s)
        mul(s, 0.5, s)
        sub(s, y, e)
        loss = float(np.dot(e, e)) / count
        mul(e, s, e)
        sub(1.0, s, s)
        mul(e, s, e)
        mul(e, 2.0 / count, e)
        dW2, db2 = np.dot(e, h), np.dot(ones, e)
        mul(h, h, h)
        sub(1.0, h, h)
        mul(e[:, None], w, dh)
        mul(dh, h, dh)
        return loss, {"W1": np.dot(xT, dh), "b1": np.dot(ones, dh), "W2": dW2[:, None],
                      "b2": db2.reshape(1)}

    return run


def mlp(d: dict[str, Any], m: Memory) -> Callable[[], Gradients]:
    x, y = d["x"], d["y"]
    W, b = [d[f"W{k}"] for k in (1, 2, 3)], [d[f"b{k}"] for k in (1, 2, 3)]

    def run() -> Gradients:
        count, values = len(x), [x]
        for k in range(3):
            z = np.matmul(values[-1], W[k], out=m(f"h{k}", count, W[k].shape[1]))
            z += b[k]
            values.append(np.tanh(z, out=z) if k < 2 else z)
        loss, found = _classes(values[3], y, m), {}
        dz = values[3]
        for k in (2, 1, 0):
            a = values[k]
            found[f"W{k + 1}"] = np.matmul(a.T, dz, out=m(f"dW{k}", *W[k].shape))
            found[f"b{k + 1}"] = m.ones(count) @ dz
            if k:
                dz = np.matmul(dz, W[k].T, out=m(f"dz{k}", *a.shape))
                mul(a, a, out=a)
                dz *= sub(1, a, out=a)
        return loss, found

    return run


def lenet(d: dict[str, Any], m: Memory) -> Callable[[], Gradients]:
    """Examples last: a window is copied in runs of a whole row of all examples."""
    x, y = d["x"], d["y"]
    count = len(x)

    def columns(a: Any, name: str) -> Any:
        C, H = a.shape[:2]
        found = m(name, C, 5, 5, H - 4, H - 4, count)
        for i in range(5):
            for j in range(5):
                found[:, i, j] = a[:, i:i + H - 4, j:j + H - 4]
        return found.reshape(C * 25, -1)

    def pooled(z: Any, name: str) -> Any:
        C, H = z.shape[:2]
        v = z.reshape(C, H // 2, 2, H // 2, 2, count)
        rows = np.maximum(v[:, :, 0], v[:, :, 1], out=m(name + "r", C, H // 2, H // 2, 2, count))
        found = np.maximum(rows[..., 0, :], rows[..., 1, :], out=m(name, C, H // 2, H // 2, count))
        return np.maximum(found, 0, out=found)

    def unpooled(da: Any, a: Any, z: Any, name: str) -> Any:
        C, H = z.shape[:2]
        v, dz = z.reshape(C, H // 2, 2, H // 2, 2, count), m(name, *z.shape)
        into = dz.reshape(v.shape)
        da *= a > 0
        for i in (0, 1):
            for j in (0, 1):
                mul(da, v[:, :, i, :, j] == a, out=into[:, :, i, :, j])
        return dz

    def run() -> Gradients:
        padded = m("padded", 1, 32, 32, count)
        padded.fill(0)
        padded[:, 2:30, 2:30] = x.transpose(1, 2, 3, 0)
        cols1 = columns(padded, "cols1")
        z1 = np.matmul(d["K1"].reshape(6, 25), cols1, out=m("z1", 6, 784 * count))
        z1 += d["c1"][:, None]
        a1 = pooled(z1.reshape(6, 28, 28, count), "a1")
        cols2 = columns(a1, "cols2")
        z2 = np.matmul(d["K2"].reshape(16, 150), cols2, out=m("z2", 16, 100 * count))
        z2 += d["c2"][:, None]
        a2 = pooled(z2.reshape(16, 10, 10, count), "a2")
        f = a2.reshape(400, count)
        h1 = np.matmul(d["W1"].T, f, out=m("h1", 120, count))
        h1 += d["b1"][:, None]
        np.maximum(h1, 0, out=h1)
        h2 = np.matmul(d["W2"].T, h1, out=m("h2", 84, count))
        h2 += d["b2"][:, None]
        np.maximum(h2, 0, out=h2)
        z3 = np.matmul(h2.T, d["W3"], out=m("z3", count, 10))
        z3 += d["b3"]
        loss = _classes(z3, y, m)
        ones = m.ones(count)
        found = {"W3": h2 @ z3, "b3": ones @ z3}
        dh2 = np.matmul(d["W3"], z3.T, out=m("dh2", 84, count))
        dh2 *= h2 > 0
        found |= {"W2": h1 @ dh2.T, "b2": dh2 @ ones}
        dh1 = np.matmul(d["W2"], dh2, out=m("dh1", 120, count))
        dh1 *= h1 > 0
        found |= {"W1": f @ dh1.T, "b1": dh1 @ ones}
        da2 = np.matmul(d["W1"], dh1, out=m("da2", 400, count)).reshape(a2.shape)
        dz2 = unpooled(da2, a2, z2.reshape(16, 10, 10, count), "dz2").reshape(16, -1)
        found |= {"K2": (dz2 @ cols2.T).reshape(16, 6, 5, 5), "c2": dz2.sum(axis=1)}
        back = np.matmul(d["K2"].reshape(16, 150).T, dz2, out=m("back", 150, 100 * count))
        back, da1 = back.reshape(6, 5, 5, 10, 10, count), m("da1", *a1.shape)
        da1.fill(0)
        for i in range(5):
            for j in range(5):
                da1[:, i:i + 10, j:j + 10] += back[:, i, j]
        dz1 = unpooled(da1, a1, z1.reshape(6, 28, 28, count), "dz1").reshape(6, -1)
        found |= {"K1": (dz1 @ cols1.T).reshape(6, 1, 5, 5), "c1": dz1.sum(axis=1)}
        return loss, found

    return run


def lstm(d: dict[str, Any], m: Memory) -> Callable[[], Gradients]:
    """All that no step depends on is one product over all steps; sigma(z) is (1 + tanh(z/2))/2."""
    x, y, Wx, Wh, Wo = d["x"], d["y"].reshape(-1), d["Wx"], d["Wh"], d["Wo"]
    (T, N, D), H = x.shape, Wh.shape[0]
    scale = np.full(4 * H, 0.5, x.dtype)
    scale[2 * H:3 * H] = 1
    shift = np.where(scale < 1, scale, 0)
    slope = scale * scale
    flat = x.reshape(T * N, D)

    def run() -> Gradients:
        gates = m("gates", T, N, 4 * H)
        np.matmul(flat, Wx * scale, out=gates.reshape(T * N, 4 * H))
        gates += d["b"] * scale
        turned = mul(Wh, scale, out=m("Wh", H, 4 * H))
        h, c, t = m("h", T + 1, N, H), m("c", T + 1, N, H), m("t", T, N, H)
        slopes, z, part = m("slopes", T, N, 4 * H), m("z", N, 4 * H), m("part", N, H)
        h[0], c[0] = 0, 0
        for k in range(T):
            a = gates[k]
            a += np.matmul(h[k], turned, out=z)
            np.tanh(a, out=a)
            mul(a, a, out=slopes[k])
            a *= scale
            a += shift
            mul(a[:, H:2 * H], c[k], out=c[k + 1])
            c[k + 1] += mul(a[:, :H], a[:, 2 * H:3 * H], out=part)
            np.tanh(c[k + 1], out=t[k])
            mul(a[:, 3 * H:], t[k], out=h[k + 1])
        states = h[1:].reshape(T * N, H)
        u = np.matmul(states, Wo, out=m("u", T * N, Wo.shape[1]))
        u += d["bo"]
        loss = _classes(u, y, m)
        ones = m.ones(T * N)
        found = {"Wo": states.T @ u, "bo": ones @ u}
        dh = np.matmul(u, Wo.T, out=m("dh", T * N, H)).reshape(T, N, H)
        sub(1, slopes, out=slopes)
        slopes *= slope
        i, f, g, o = (slice(k * H, k * H + H) for k in range(4))
        slopes[..., i] *= gates[..., g]
        slopes[..., f] *= c[:-1]
        slopes[..., g] *= gates[..., i]
        slopes[..., o] *= t
        t *= t
        sub(1, t, out=t)
        t *= gates[..., o]
        dz, dc, into = m("dz", T, N, 4 * H), m("dc", N, H), m("into", N, H)
        dc.fill(0)
        into.fill(0)
        for k in reversed(range(T)):
            into += dh[k]
            dc += mul(into, t[k], out=part)
            s = slopes[k]
            mul(s[:, :3 * H].reshape(N, 3, H), dc[:, None], out=dz[k, :, :3 * H].reshape(N, 3, H))
            mul(s[:, o], into, out=dz[k, :, o])
            dc *= gates[k, :, f]
            np.matmul(dz[k], Wh.T, out=into)
        dz = dz.reshape(T * N, 4 * H)
        found |= {"Wh": h[:-1].reshape(T * N, H).T @ dz, "Wx": flat.T @ dz, "b": ones @ dz}
        return loss, found

    return run


class Block:
    """A Transformer block on rows (examples and places together)."""

    def __init__(self, w: dict[str, Any], N: int, T: int, m: Memory, name: str) -> None:
        self.w, self.N, self.T, self.name = w, N, T, name
        self.m = m
        self.D = w["g1"].shape[0]
        self.hidden = np.triu(np.full((T, T), -np.inf, m.dtype), 1)

    def mine(self, name: str, *shape: int) -> Any:
        """Memory that lasts from forward to backward."""
        return self.m(f"{self.name} {name}", *shape)

    def norm(self, x: Any, g: Any, b: Any, name: str) -> tuple[Any, Any, Any]:
        rows, D = x.shape
        over = np.full(D, 1.0 / D, x.dtype)
        hat = sub(x, (x @ over)[:, None], out=self.mine(f"hat{name}", rows, D))
        inverse = 1 / np.sqrt(mul(hat, hat, out=self.m("square", rows, D)) @ over + 1e-5)
        hat *= inverse[:, None]
        y = mul(hat, g, out=self.mine(f"y{name}", rows, D))
        y += b
        return y, hat, inverse

    def norm_back(self, dy: Any, g: Any, hat: Any, inverse: Any, into: Any) -> tuple[Any, Any]:
        """The gradients of gain and shift; that of the rows is added to `into`."""
        rows, D = dy.shape
        ones, over = self.m.ones(rows), np.full(D, 1.0 / D, dy.dtype)
        part = mul(dy, hat, out=self.m("square", rows, D))
        dg, db = ones @ part, ones @ dy
        mean = part @ (g / D).astype(dy.dtype)
        dy *= g
        dy -= (dy @ over)[:, None]
        dy -= mul(hat, mean[:, None], out=part)
        dy *= inverse[:, None]
        into += dy
        return dg, db

    def forward(self, x: Any) -> Any:
        w, m, N, T, D = self.w, self.m, self.N, self.T, self.D
        rows, E = len(x), D // HEADS
        self.y1, self.hat1, self.inverse1 = self.norm(x, w["g1"], w["b1"], "1")
        qkv = np.matmul(self.y1, w["Wqkv"], out=m("qkv", rows, 3 * D))
        qkv += w["bqkv"]
        parts = self.mine("parts", 3, N, HEADS, T, E)
        parts[...] = qkv.reshape(N, T, 3, HEADS, E).transpose(2, 0, 3, 1, 4)
        self.q, self.k, self.v = parts
        self.q *= E**-0.5
        p = np.matmul(self.q, self.k.swapaxes(2, 3), out=self.mine("p", N, HEADS, T, T))
        p += self.hidden
        p -= p.max(axis=3, keepdims=True)
        np.exp(p, out=p)
        p /= (p @ m.ones(T))[..., None]
        heads = np.matmul(p, self.v, out=m("heads", N, HEADS, T, E))
        self.p, self.joined = p, self.mine("joined", rows, D)
        self.joined.reshape(N, T, HEADS, E)[...] = heads.transpose(0, 2, 1, 3)
        after = np.matmul(self.joined, w["Wo"], out=self.mine("after", rows, D))
        after += w["bo"]
        after += x
        self.y2, self.hat2, self.inverse2 = self.norm(after, w["g2"], w["b2"], "2")
        u = np.matmul(self.y2, w["W1"], out=self.mine("u", rows, 4 * D))
        u += w["c1"]
        gate = mul(u, u, out=self.mine("gate", rows, 4 * D))  # gelu(u) = u (1 + tanh(..))/2
        gate *= 0.044715
        gate += 1
        gate *= u
        gate *= (2 / np.pi) ** 0.5
        np.tanh(gate, out=gate)
        gate += 1
        gate *= 0.5
        self.active = mul(u, gate, out=self.mine("active", rows, 4 * D))
        self.u, self.gate = u, gate
        out = np.matmul(self.active, w["W2"], out=self.mine("out", rows, D))
        out += w["c2"]
        out += after
        return out

    def backward(self, dx: Any, found: dict[str, Any], path: str) -> None:
        """The gradients, by path; dx becomes the gradient of what goes in."""
        w, m, N, T, D = self.w, self.m, self.N, self.T, self.D
        rows, E = len(dx), D // HEADS
        ones = m.ones(rows)
        found |= {f"{path}W2": self.active.T @ dx, f"{path}c2": ones @ dx}
        du = np.matmul(dx, w["W2"].T, out=m("du", rows, 4 * D))
        u, gate = self.u, self.gate
        slope = mul(u, u, out=m("slope", rows, 4 * D))
        slope *= 3 * 0.044715 * (2 / np.pi) ** 0.5
        slope += (2 / np.pi) ** 0.5
        slope *= self.active
        slope *= 2
        slope *= sub(1, gate, out=self.active)
        slope += gate
        du *= slope
        found |= {f"{path}W1": self.y2.T @ du, f"{path}c1": ones @ du}
        dy = np.matmul(du, w["W1"].T, out=m("dy", rows, D))
        found[path + "g2"], found[path + "b2"] = self.norm_back(
            dy, w["g2"], self.hat2, self.inverse2, dx)
        found |= {f"{path}Wo": self.joined.T @ dx, f"{path}bo": ones @ dx}
        dheads, p = m("dheads", N, HEADS, T, E), self.p
        np.matmul(dx, w["Wo"].T, out=dy)
        dheads[...] = dy.reshape(N, T, HEADS, E).transpose(0, 2, 1, 3)
        dparts = m("dparts", 3, N, HEADS, T, E)
        np.matmul(p.swapaxes(2, 3), dheads, out=dparts[2])
        ds = np.matmul(dheads, self.v.swapaxes(2, 3), out=m("ds", N, HEADS, T, T))
        ds *= p
        ds -= mul(p, (ds @ m.ones(T))[..., None], out=p)
        np.matmul(ds, self.k, out=dparts[0])
        dparts[0] *= E**-0.5
        np.matmul(ds.swapaxes(2, 3), self.q, out=dparts[1])
        dqkv = m("dqkv", rows, 3 * D)
        dqkv.reshape(N, T, 3, HEADS, E)[...] = dparts.transpose(1, 3, 0, 2, 4)
        found |= {f"{path}Wqkv": self.y1.T @ dqkv, f"{path}bqkv": ones @ dqkv}
        np.matmul(dqkv, w["Wqkv"].T, out=dy)
        found[path + "g1"], found[path + "b1"] = self.norm_back(
            dy, w["g1"], self.hat1, self.inverse1, dx)


def block(d: dict[str, Any], m: Memory) -> Callable[[], Gradients]:
    N, T, D = d["x"].shape
    x, t = d["x"].reshape(-1, D), d["t"].reshape(-1, D)
    inner = Block(d["blocks"][0], N, T, m, "block")

    def run() -> Gradients:
        found: dict[str, Any] = {}
        error = inner.forward(x)
        error -= t
        flat = error.reshape(-1)
        loss = 0.5 * float(flat @ flat) / flat.size
        error *= 1.0 / flat.size
        inner.backward(error, found, "blocks.0.")
        return loss, found

    return run


def gpt(d: dict[str, Any], m: Memory) -> Callable[[], Gradients]:
    (N, T), D = d["tok"].shape, d["gf"].shape[0]
    tok, y = d["tok"].reshape(-1), d["y"].reshape(-1)
    several = [Block(w, N, T, m, f"block {k}") for k, w in enumerate(d["blocks"])]

    def run() -> Gradients:
        found: dict[str, Any] = {}
        x = np.take(d["wte"], tok, axis=0, out=m("x", N * T, D), mode="clip")
        x.reshape(N, T, D)[...] += d["wpe"]
        for inner in several:
            x = inner.forward(x)
        last = several[-1]
        yf, hat, inverse = last.norm(x, d["gf"], d["bf"], "f")
        z = np.matmul(yf, d["Wh"], out=m("logits", N * T, d["Wh"].shape[1]))
        loss = _classes(z, y, m)
        found["Wh"] = yf.T @ z
        dy, dx = np.matmul(z, d["Wh"].T, out=m("dlast", N * T, D)), m("dx", N * T, D)
        dx.fill(0)
        found["gf"], found["bf"] = last.norm_back(dy, d["gf"], hat, inverse, dx)
        for k in reversed(range(len(several))):
            several[k].backward(dx, found, f"blocks.{k}.")
        found["wpe"] = dx.reshape(N, T, D).sum(axis=0)
        order = np.argsort(tok, kind="stable")
        words = tok[order]
        first = np.flatnonzero(np.diff(words, prepend=-1))
        dwte = m("dwte", *d["wte"].shape)
        dwte.fill(0)
        dwte[words[first]] = np.add.reduceat(dx[order], first, axis=0)
        found["wte"] = dwte
        return loss, found

    return run


def logreg(d: dict[str, Any], m: Memory) -> Callable[[], Gradients]:
    X, y, w, b = d["X"], d["y"], d["w"], d["b"]
    count = len(y)

    def run() -> Gradients:
        z = np.matmul(X, w, out=m("z", count))
        z += b
        z *= y
        e = np.abs(z, out=m("e", count))
        np.exp(np.negative(e, out=e), out=e)
        least = np.minimum(z, 0, out=m("least", count))
        loss = float(np.log1p(e, out=m("log", count)).sum() - least.sum()) / count
        # sigma(-z) is e or 1 over 1 + e
        r = np.maximum(e, z <= 0, out=z)
        e += 1
        r /= e
        r *= y
        r *= -1.0 / count
        return loss, {"w": r @ X, "b": r.sum(keepdims=True)}

    return run


def gmm(d: dict[str, Any], m: Memory) -> Callable[[], Gradients]:
    """Examples last; the means are one more column of the roots, and the examples have a 1."""
    x, alpha, mu, q, low = (d[n] for n in ("x", "alpha", "mu", "q", "low"))
    (N, D), K = x.shape, len(alpha)
    columns, rows = np.triu_indices(D, 1)
    places = np.arange(D)
    points = np.ones((D + 1, N), x.dtype)
    points[:D] = x.T
    roots = np.zeros((K, D, D + 1), x.dtype)

    def run() -> Gradients:
        e = np.exp(q)
        roots[:, places, places] = e
        roots[:, rows, columns] = low
        L = roots[:, :, :D]
        np.negative((L @ mu[:, :, None])[:, :, 0], out=roots[:, :, D])
        z = np.matmul(roots.reshape(K * D, D + 1), points, out=m("z", K * D, N)).reshape(K, D, N)
        p = np.einsum("kdn,kdn->kn", z, z, out=m("p", K, N))
        p *= -0.5
        p += (alpha + q.sum(axis=1))[:, None]
        top = p.max(axis=0)
        p -= top
        np.exp(p, out=p)
        s = m.ones(K) @ p
        most = alpha.max()
        weights = np.exp(alpha - most)
        total = weights.sum()
        fit = np.log(s).sum() + top.sum() - N * (most + np.log(total))
        loss = float(fit - 0.5 * (np.vdot(e, e) + np.vdot(low, low)))
        p /= s
        mass = p @ m.ones(N)
        z *= p[:, None]
        back = np.matmul(z.reshape(K * D, N), points.T).reshape(K, D, D + 1)
        edge = back[:, :, D]
        dL = edge[:, :, None] * mu[:, None]
        dL -= back[:, :, :D]
        return loss, {
            "alpha": mass - N / total * weights, "mu": (edge[:, None] @ L)[:, 0],
            "q": mass[:, None] + dL[:, places, places] * e - e * e,
            "low": dL[:, rows, columns] - low}

    return run


FUNCTIONS = {"tiny": tiny, "mlp64": mlp, "mlp1024": mlp, "lenet": lenet, "lstm": lstm,
             "block": block, "gpt": gpt, "logreg": logreg, "gmm": gmm, "gmm_big": gmm}
