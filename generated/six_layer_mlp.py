# symprop sha256:b6e48385ed1d8c4ef7a2b74ea433f179
"""six_layer_mlp: loss and gradients in NumPy.

Made by symprop from symprop.zoo.perceptrons:six_layer_mlp.
It belongs to whoever made it.

    loss, saved = forward(X, y, W1, b1, W2, b2, W3, b3, W4, b4, W5, b5, W6, b6)
    gradients = backward(saved)

    X   (N, K)
    y   (N,)    integers below M
    W1  (K, H)  parameter
    b1  (H,)    parameter
    W2  (H, H)  parameter
    b2  (H,)    parameter
    W3  (H, H)  parameter
    b3  (H,)    parameter
    W4  (H, H)  parameter
    b4  (H,)    parameter
    W5  (H, H)  parameter
    b5  (H,)    parameter
    W6  (H, M)  parameter
    b6  (M,)    parameter

(F1), (F2), ... number the equations of the forward pass and (B1), (B2), ... those of
their adjoints: dW is the gradient of the loss by W. The derivation has these numbers.
"""

import numpy as np

WRT = (
    "W1", "b1", "W2", "b2", "W3", "b3", "W4", "b4", "W5", "b5", "W6",
    "b6"
)
FACTS = (
    ("index", "y", "M"),
)
OUTPUTS = ("logits",)
COMPLEX_SAFE = False


def read(name, array, kind, axes, sizes):
    """Return an argument as an array, and its shape; sizes that are known must fit."""
    if kind in ("wrt", "float") and not sizes and isinstance(array, (int, float)):
        return array * 1.0, ()  # a Python float leaves float32 alone
    array = np.asarray(array)
    if array.ndim != len(sizes):
        raise ValueError(
            f"{name} must have {len(sizes)} axes ({axes}), not the shape {array.shape}"
        )
    for axis, (size, expected) in enumerate(zip(array.shape, sizes)):
        if expected is not None and size != expected:
            raise ValueError(
                f"{name} must have the shape ({axes}), but axis {axis} "
                f"({axes.split()[axis]}) has size {size}, not {expected}"
            )
    kinds = {"wrt": "fc", "float": "fciub", "int": "iu", "bool": "b"}[kind]
    if array.dtype.kind not in kinds:
        wanted = {"wrt": "floats, since it has a gradient"}.get(kind, f"{kind}s")
        raise TypeError(f"{name} must hold {wanted}, not {array.dtype}")
    if kind == "float" and array.dtype.kind in "iub":
        array = array.astype(np.result_type(array, np.float32))
    if kind in ("int", "bool") and not sizes:
        return array.item(), ()
    return array, array.shape


def like_parameters(grads, dtypes):
    """Give each gradient the dtype of its parameter."""
    pairs = zip(grads.items(), dtypes)
    return {name: np.asarray(grad, dtype) for (name, grad), dtype in pairs}


class Saved(tuple):
    """A tuple whose parts have names, as in saved.p."""

    names = (
        "p", "y", "A5", "W6", "z5", "A4", "W5", "z4", "A3", "W4", "z3", "A2", "W3",
        "z2", "A1", "W2", "z1", "X", "dtypes"
    )

    def __getattribute__(self, name):
        """Return a part by its name."""
        if name in Saved.names:
            return self[Saved.names.index(name)]
        return super().__getattribute__(name)


def forward(
    X: "N K", y: "int N", W1: "K H", b1: "H", W2: "H H", b2: "H", W3: "H H", b3: "H",
    W4: "H H", b4: "H", W5: "H H", b5: "H", W6: "H M", b6: "M", validate=True,
):
    """Return the loss, and what backward needs."""
    X, (N, K) = read("X", X, "float", "N K", (None, None))
    y, _ = read("y", y, "int", "N", (N,))
    W1, (_, H) = read("W1", W1, "wrt", "K H", (K, None))
    b1, _ = read("b1", b1, "wrt", "H", (H,))
    W2, _ = read("W2", W2, "wrt", "H H", (H, H))
    b2, _ = read("b2", b2, "wrt", "H", (H,))
    W3, _ = read("W3", W3, "wrt", "H H", (H, H))
    b3, _ = read("b3", b3, "wrt", "H", (H,))
    W4, _ = read("W4", W4, "wrt", "H H", (H, H))
    b4, _ = read("b4", b4, "wrt", "H", (H,))
    W5, _ = read("W5", W5, "wrt", "H H", (H, H))
    b5, _ = read("b5", b5, "wrt", "H", (H,))
    W6, (_, M) = read("W6", W6, "wrt", "H M", (H, None))
    b6, _ = read("b6", b6, "wrt", "M", (M,))
    if validate:
        if np.any(y < 0) or np.any(y >= M):
            raise IndexError("y holds a position outside 0 to M - 1")
    dtype = np.result_type(X, W1, b1, W2, b2, W3, b3, W4, b4, W5, b5, W6, b6)
    z1 = X @ W1 + b1         # (F1)  z1[n,h] = Σ_k X[n,k] W1[k,h] + b1[h]  (N, H)
    A1 = np.maximum(z1, 0)   # (F2)  A1[n,h] = relu(z1[n,h])  (N, H)
    z2 = A1 @ W2 + b2        # (F3)  z2[n,h] = Σ_i A1[n,i] W2[i,h] + b2[h]  (N, H)
    A2 = np.maximum(z2, 0)   # (F4)  A2[n,h] = relu(z2[n,h])  (N, H)
    z3 = A2 @ W3 + b3        # (F5)  z3[n,h] = Σ_i A2[n,i] W3[i,h] + b3[h]  (N, H)
    A3 = np.maximum(z3, 0)   # (F6)  A3[n,h] = relu(z3[n,h])  (N, H)
    z4 = A3 @ W4 + b4        # (F7)  z4[n,h] = Σ_i A3[n,i] W4[i,h] + b4[h]  (N, H)
    A4 = np.maximum(z4, 0)   # (F8)  A4[n,h] = relu(z4[n,h])  (N, H)
    z5 = A4 @ W5 + b5        # (F9)  z5[n,h] = Σ_i A4[n,i] W5[i,h] + b5[h]  (N, H)
    A5 = np.maximum(z5, 0)   # (F10)  A5[n,h] = relu(z5[n,h])  (N, H)
    Z6 = A5 @ W6 + b6        # (F11)  Z6[n,m] = Σ_h A5[n,h] W6[h,m] + b6[m]  (N, M)
    Z6_max = Z6.max(axis=1)  # (F12)  Z6_max[n] = max_m Z6[n,m]  (N,)
    shifted = Z6 - Z6_max[:, None]  # (F13)  shifted[n,m] = Z6[n,m] - Z6_max[n]  (N, M)
    e = np.exp(shifted)      # (F14)  e[n,m] = exp(shifted[n,m])  (N, M)
    s = e.sum(axis=1)        # (F15)  s[n] = Σ_m e[n,m]  (N,)
    p = e / s[:, None]       # (F16)  p[n,m] = e[n,m]/s[n]  (N, M)
    # (F17)  log_p[n,m] = shifted[n,m] - log(s[n])  (N, M)
    log_p = shifted - np.log(s)[:, None]
    picked = -log_p[np.arange(N), y]  # (F18)  picked[n] = -log_p[n,y[n]]  (N,)
    L = picked.sum() / N     # (F19)  L = Σ_n picked[n]/N
    dtypes = [
        np.result_type(p)
        for p in (W1, b1, W2, b2, W3, b3, W4, b4, W5, b5, W6, b6)
    ]
    saved = (
        p, y, A5, W6, z5, A4, W5, z4, A3, W4, z3, A2, W3, z2, A1, W2, z1, X, dtypes
    )
    return dtype.type(L), Saved(saved)


def backward(saved, dL=1.0):
    """Return the gradients of dL * loss."""
    p, y, A5, W6, z5, A4, W5, z4, A3, W4, z3, A2, W3, z2, A1, W2, z1, X, dtypes = saved
    N = p.shape[0]
    # (B8)  dZ6[n,m] = (p[n,m] - [y[n] = m]) dL/N  (N, M)
    #       from (F13), (F12) with (B7), (B6)
    dZ6 = dL / N * p
    dZ6[np.arange(N), y] -= dL / N
    dW6 = A5.T @ dZ6       # (B9)  dW6[h,m] = Σ_n dZ6[n,m] A5[n,h]  (H, M)  from (F11)
    db6 = dZ6.sum(axis=0)  # (B10)  db6[m] = Σ_n dZ6[n,m]  (M,)  from (F11)
    dA5 = dZ6 @ W6.T       # (B11)  dA5[n,h] = Σ_m dZ6[n,m] W6[h,m]  (N, H)  from (F11)
    dz5 = dA5 * (z5 > 0)  # (B12)  dz5[n,h] = dA5[n,h] [z5[n,h] > 0]  (N, H)  from (F10)
    dW5 = A4.T @ dz5       # (B13)  dW5[h,i] = Σ_n dz5[n,i] A4[n,h]  (H, H)  from (F9)
    db5 = dz5.sum(axis=0)  # (B14)  db5[h] = Σ_n dz5[n,h]  (H,)  from (F9)
    dA4 = dz5 @ W5.T       # (B15)  dA4[n,h] = Σ_i dz5[n,i] W5[h,i]  (N, H)  from (F9)
    dz4 = dA4 * (z4 > 0)   # (B16)  dz4[n,h] = dA4[n,h] [z4[n,h] > 0]  (N, H)  from (F8)
    dW4 = A3.T @ dz4       # (B17)  dW4[h,i] = Σ_n dz4[n,i] A3[n,h]  (H, H)  from (F7)
    db4 = dz4.sum(axis=0)  # (B18)  db4[h] = Σ_n dz4[n,h]  (H,)  from (F7)
    dA3 = dz4 @ W4.T       # (B19)  dA3[n,h] = Σ_i dz4[n,i] W4[h,i]  (N, H)  from (F7)
    dz3 = dA3 * (z3 > 0)   # (B20)  dz3[n,h] = dA3[n,h] [z3[n,h] > 0]  (N, H)  from (F6)
    dW3 = A2.T @ dz3       # (B21)  dW3[h,i] = Σ_n dz3[n,i] A2[n,h]  (H, H)  from (F5)
    db3 = dz3.sum(axis=0)  # (B22)  db3[h] = Σ_n dz3[n,h]  (H,)  from (F5)
    dA2 = dz3 @ W3.T       # (B23)  dA2[n,h] = Σ_i dz3[n,i] W3[h,i]  (N, H)  from (F5)
    dz2 = dA2 * (z2 > 0)   # (B24)  dz2[n,h] = dA2[n,h] [z2[n,h] > 0]  (N, H)  from (F4)
    dW2 = A1.T @ dz2       # (B25)  dW2[h,i] = Σ_n dz2[n,i] A1[n,h]  (H, H)  from (F3)
    db2 = dz2.sum(axis=0)  # (B26)  db2[h] = Σ_n dz2[n,h]  (H,)  from (F3)
    dA1 = dz2 @ W2.T       # (B27)  dA1[n,h] = Σ_i dz2[n,i] W2[h,i]  (N, H)  from (F3)
    dz1 = dA1 * (z1 > 0)   # (B28)  dz1[n,h] = dA1[n,h] [z1[n,h] > 0]  (N, H)  from (F2)
    dW1 = X.T @ dz1        # (B29)  dW1[k,h] = Σ_n dz1[n,h] X[n,k]  (K, H)  from (F1)
    db1 = dz1.sum(axis=0)  # (B30)  db1[h] = Σ_n dz1[n,h]  (H,)  from (F1)
    grads = {
        "W1": dW1, "b1": db1, "W2": dW2, "b2": db2, "W3": dW3, "b3": db3, "W4": dW4,
        "b4": db4, "W5": dW5, "b5": db5, "W6": dW6, "b6": db6
    }
    return like_parameters(grads, dtypes)


def value_and_grad(
    X: "N K", y: "int N", W1: "K H", b1: "H", W2: "H H", b2: "H", W3: "H H", b3: "H",
    W4: "H H", b4: "H", W5: "H H", b5: "H", W6: "H M", b6: "M", validate=True,
):
    """Return the loss and its gradients."""
    L, saved = forward(X, y, W1, b1, W2, b2, W3, b3, W4, b4, W5, b5, W6, b6, validate)
    return L, backward(saved)


def predict(
    X: "N K", W1: "K H", b1: "H", W2: "H H", b2: "H", W3: "H H", b3: "H", W4: "H H",
    b4: "H", W5: "H H", b5: "H", W6: "H M", b6: "M",
):
    """Return the outputs of the model."""
    X, (N, K) = read("X", X, "float", "N K", (None, None))
    W1, (_, H) = read("W1", W1, "wrt", "K H", (K, None))
    b1, _ = read("b1", b1, "wrt", "H", (H,))
    W2, _ = read("W2", W2, "wrt", "H H", (H, H))
    b2, _ = read("b2", b2, "wrt", "H", (H,))
    W3, _ = read("W3", W3, "wrt", "H H", (H, H))
    b3, _ = read("b3", b3, "wrt", "H", (H,))
    W4, _ = read("W4", W4, "wrt", "H H", (H, H))
    b4, _ = read("b4", b4, "wrt", "H", (H,))
    W5, _ = read("W5", W5, "wrt", "H H", (H, H))
    b5, _ = read("b5", b5, "wrt", "H", (H,))
    W6, (_, M) = read("W6", W6, "wrt", "H M", (H, None))
    b6, _ = read("b6", b6, "wrt", "M", (M,))
    z1 = X @ W1 + b1        # (F1)  z1[n,h] = Σ_k X[n,k] W1[k,h] + b1[h]  (N, H)
    A1 = np.maximum(z1, 0)  # (F2)  A1[n,h] = relu(z1[n,h])  (N, H)
    z2 = A1 @ W2 + b2       # (F3)  z2[n,h] = Σ_i A1[n,i] W2[i,h] + b2[h]  (N, H)
    A2 = np.maximum(z2, 0)  # (F4)  A2[n,h] = relu(z2[n,h])  (N, H)
    z3 = A2 @ W3 + b3       # (F5)  z3[n,h] = Σ_i A2[n,i] W3[i,h] + b3[h]  (N, H)
    A3 = np.maximum(z3, 0)  # (F6)  A3[n,h] = relu(z3[n,h])  (N, H)
    z4 = A3 @ W4 + b4       # (F7)  z4[n,h] = Σ_i A3[n,i] W4[i,h] + b4[h]  (N, H)
    A4 = np.maximum(z4, 0)  # (F8)  A4[n,h] = relu(z4[n,h])  (N, H)
    z5 = A4 @ W5 + b5       # (F9)  z5[n,h] = Σ_i A4[n,i] W5[i,h] + b5[h]  (N, H)
    A5 = np.maximum(z5, 0)  # (F10)  A5[n,h] = relu(z5[n,h])  (N, H)
    Z6 = A5 @ W6 + b6       # (F11)  Z6[n,m] = Σ_h A5[n,h] W6[h,m] + b6[m]  (N, M)
    return {"logits": Z6}


# Self-check: run this file to compare backward with finite differences.


def draw_inputs(seed):
    """Draw the arguments of forward from their declared domains."""
    rng = np.random.default_rng(seed)
    N, K, H, M = 5, 3, 7, 2
    return {
        "X": rng.normal(size=(N, K)),
        "y": rng.integers(0, M, size=(N,)),
        "W1": rng.normal(size=(K, H)),
        "b1": rng.normal(size=(H,)),
        "W2": rng.normal(size=(H, H)),
        "b2": rng.normal(size=(H,)),
        "W3": rng.normal(size=(H, H)),
        "b3": rng.normal(size=(H,)),
        "W4": rng.normal(size=(H, H)),
        "b4": rng.normal(size=(H,)),
        "W5": rng.normal(size=(H, H)),
        "b5": rng.normal(size=(H,)),
        "W6": rng.normal(size=(H, M)),
        "b6": rng.normal(size=(M,)),
    }


def difference(inputs, name, step, scale):
    """Differentiate the loss along a step; return the slope and a bound on its error.

    Richardson differences with h and h/2 must agree: else a kink is near (nan).
    """

    def loss(t):
        moved = {**inputs, name: inputs[name] + t * step}
        return forward(**moved, validate=False)[0]

    for h in (1e-3, 1e-4, 1e-5, 1e-6):
        d1, d2, d4 = ((loss(t) - loss(-t)) / (2 * t) for t in (h, h / 2, h / 4))
        bound = 1e-7 * scale + 2e-15 * abs(loss(0.0)) / h  # the latter is rounding
        if abs((4 * d2 - d1) / 3 - (4 * d4 - d2) / 3) <= bound:
            return (4 * d4 - d2) / 3, bound
    return np.nan, np.nan


def self_check():
    """Print one row per gradient; return 1 if one is wrong or undecided, else 0."""
    for seed in range(20):
        inputs = draw_inputs(seed)
        loss, saved = forward(**inputs)
        if np.isfinite(loss):
            break
    else:
        print("the loss is not finite on any of 20 draws")
        return 1
    grads = backward(saved)
    largest = max(np.abs(grad).max() for grad in grads.values()) or 1.0
    print("gradient  shape   status     max error  decided")
    failed = False
    for name in WRT:
        array, grad = inputs[name], grads[name]
        scale = max(np.abs(grad).max(), 1e-3 * largest)
        steps = np.eye(array.size).reshape(-1, *array.shape)
        found = [difference(inputs, name, step, scale) for step in steps]
        slopes, bounds = np.array(found).T
        errors = (steps * grad).reshape(len(steps), -1).sum(axis=1) - slopes
        decided = np.isfinite(slopes)
        right = np.abs(errors[decided]) <= bounds[decided]
        # A slope that is wrong by 1e-5 of the scale would have to fail.
        control = np.abs(errors[decided] + 1e-5 * scale) > bounds[decided]
        if (grad.shape, grad.dtype) != (array.shape, array.dtype):
            status = "FAIL"
        elif not (np.isfinite(grad).all() and right.all()):
            status = "FAIL"
        elif decided.mean() < 0.9 or not control.all():
            status = "UNDECIDED"
        else:
            status = "PASS"
        failed |= status in ("FAIL", "UNDECIDED")
        error = np.abs(errors[decided]).max(initial=0)
        count = f"{decided.sum()}/{decided.size}"
        print(f"{name:8}  {array.shape!s:6}  {status:9}  {error:9.1e}  {count}")
    print("FAILED" if failed else "PASSED")
    return int(failed)


if __name__ == "__main__":
    raise SystemExit(self_check())
