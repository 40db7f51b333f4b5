# symprop sha256:eaafb508039497326a7508c3ad6b9407
"""lenet5: loss and gradients in NumPy.

Made by symprop from symprop.zoo.convolutional:lenet5.
It belongs to whoever made it.

    loss, saved = forward(X, y, K1, c1, K2, c2, W3, b3, W4, b4, W5, b5)
    gradients = backward(saved)

    X   (N, 8, 8)
    y   (N,)           integers below 10
    K1  (6, 1, 5, 5)   parameter
    c1  (6,)           parameter
    K2  (16, 6, 5, 5)  parameter
    c2  (16,)          parameter
    W3  (400, 120)     parameter
    b3  (120,)         parameter
    W4  (120, 84)      parameter
    b4  (84,)          parameter
    W5  (84, 10)       parameter
    b5  (10,)          parameter

(F1), (F2), ... number the equations of the forward pass and (B1), (B2), ... those of
their adjoints: dW is the gradient of the loss by W. The derivation has these numbers.
"""

import numpy as np

WRT = ("K1", "c1", "K2", "c2", "W3", "b3", "W4", "b4", "W5", "b5")
FACTS = (
    ("index", "y", "10"),
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
        "p", "y", "A4", "W5", "A3", "W4", "P2", "W3", "A2", "z2_columns", "K2", "A1",
        "z1_columns", "dtype", "dtypes"
    )

    def __getattribute__(self, name):
        """Return a part by its name."""
        if name in Saved.names:
            return self[Saved.names.index(name)]
        return super().__getattribute__(name)


def forward(
    X: "N 8 8", y: "int N", K1: "6 1 5 5", c1: "6", K2: "16 6 5 5", c2: "16",
    W3: "400 120", b3: "120", W4: "120 84", b4: "84", W5: "84 10", b5: "10",
    validate=True,
):
    """Return the loss, and what backward needs."""
    X, (N, _, _) = read("X", X, "float", "N 8 8", (None, 8, 8))
    y, _ = read("y", y, "int", "N", (N,))
    K1, _ = read("K1", K1, "wrt", "6 1 5 5", (6, 1, 5, 5))
    c1, _ = read("c1", c1, "wrt", "6", (6,))
    K2, _ = read("K2", K2, "wrt", "16 6 5 5", (16, 6, 5, 5))
    c2, _ = read("c2", c2, "wrt", "16", (16,))
    W3, _ = read("W3", W3, "wrt", "400 120", (400, 120))
    b3, _ = read("b3", b3, "wrt", "120", (120,))
    W4, _ = read("W4", W4, "wrt", "120 84", (120, 84))
    b4, _ = read("b4", b4, "wrt", "84", (84,))
    W5, _ = read("W5", W5, "wrt", "84 10", (84, 10))
    b5, _ = read("b5", b5, "wrt", "10", (10,))
    if validate:
        if np.any(y < 0) or np.any(y >= 10):
            raise IndexError("y holds a position outside 0 to 10 - 1")
    dtype = np.result_type(X, K1, c1, K2, c2, W3, b3, W4, b4, W5, b5)
    # (F1)  enlarged[n,i,j] = X[n,⌊i/4⌋,⌊j/4⌋]  (N, 32, 32)
    enlarged = np.repeat(np.repeat(X, 4, axis=2), 4, axis=1)
    # (F2) first:  z1_turned[i,j,n] = enlarged[n,i,j]  (32, 32, N)
    z1_turned = enlarged.transpose(1, 2, 0).copy()
    # (F2) first:  z1_columns[i,j,q,r,n] = z1_turned[q+i,r+j,n]  (5, 5, 28, 28, N)
    z1_columns_windows = np.lib.stride_tricks.sliding_window_view(
        z1_turned, (5, 5), axis=(0, 1)
    )
    z1_columns = z1_columns_windows.transpose(3, 4, 0, 1, 2).copy()
    # (F2)  z1[n,i,j,q] = Σ_ru enlarged[n,j+r,q+u] K1[i,0,r,u] + c1[i]  (N, 6, 28, 28)
    z1 = (
        np.tensordot(K1[:, 0], z1_columns, axes=((1, 2), (0, 1))).transpose(3, 0, 1, 2)
        + c1[:, None, None]
    )
    A1 = np.tanh(z1)         # (F3)  A1[n,i,j,q] = tanh(z1[n,i,j,q])  (N, 6, 28, 28)
    # (F4)  P1[n,i,j,q] = Σ_{r<2,u<2} A1[n,i,2 j+r,2 q+u]/4  (N, 6, 14, 14)
    P1_blocks = A1.reshape(N, 6, 14, 2, 14, 2)
    P1_added = P1_blocks[:, :, :, 0] + P1_blocks[:, :, :, 1]
    P1 = 0.25 * (P1_added[..., 0] + P1_added[..., 1])
    # (F5) first:  z2_columns[i,j,q,r,u,n] = P1[n,i,r+j,u+q]  (6, 5, 5, 10, 10, N)
    z2_columns_windows = np.lib.stride_tricks.sliding_window_view(
        P1, (5, 5), axis=(2, 3)
    )
    z2_columns = z2_columns_windows.transpose(1, 4, 5, 2, 3, 0).copy()
    # (F5)  z2[n,i,j,q] = Σ_ruv P1[n,r,j+u,q+v] K2[i,r,u,v] + c2[i]  (N, 16, 10, 10)
    z2 = (
        np.tensordot(K2, z2_columns, axes=((1, 2, 3), (0, 1, 2))).transpose(3, 0, 1, 2)
        + c2[:, None, None]
    )
    A2 = np.tanh(z2)         # (F6)  A2[n,i,j,q] = tanh(z2[n,i,j,q])  (N, 16, 10, 10)
    # (F7)  P2[n,i,j,q] = Σ_{r<2,u<2} A2[n,i,2 j+r,2 q+u]/4  (N, 16, 5, 5)
    P2_blocks = A2.reshape(N, 16, 5, 2, 5, 2)
    P2_added = P2_blocks[:, :, :, 0] + P2_blocks[:, :, :, 1]
    P2 = 0.25 * (P2_added[..., 0] + P2_added[..., 1])
    # (F8)  z3[n,i] = Σ_j P2[n,⌊j/25⌋,(⌊j/5⌋ mod 5),(j mod 5)] W3[j,i] + b3[i]  (N, 120)
    z3 = P2.reshape(N, 400) @ W3 + b3
    A3 = np.tanh(z3)         # (F9)  A3[n,i] = tanh(z3[n,i])  (N, 120)
    z4 = A3 @ W4 + b4        # (F10)  z4[n,i] = Σ_j A3[n,j] W4[j,i] + b4[i]  (N, 84)
    A4 = np.tanh(z4)         # (F11)  A4[n,i] = tanh(z4[n,i])  (N, 84)
    Z5 = A4 @ W5 + b5        # (F12)  Z5[n,i] = Σ_j A4[n,j] W5[j,i] + b5[i]  (N, 10)
    Z5_max = Z5.max(axis=1)  # (F13)  Z5_max[n] = max_i Z5[n,i]  (N,)
    shifted = Z5 - Z5_max[:, None]  # (F14)  shifted[n,i] = Z5[n,i] - Z5_max[n]  (N, 10)
    e = np.exp(shifted)      # (F15)  e[n,i] = exp(shifted[n,i])  (N, 10)
    s = e.sum(axis=1)        # (F16)  s[n] = Σ_i e[n,i]  (N,)
    p = e / s[:, None]       # (F17)  p[n,i] = e[n,i]/s[n]  (N, 10)
    # (F18)  log_p[n,i] = shifted[n,i] - log(s[n])  (N, 10)
    log_p = shifted - np.log(s)[:, None]
    picked = -log_p[np.arange(N), y]  # (F19)  picked[n] = -log_p[n,y[n]]  (N,)
    L = picked.sum() / N     # (F20)  L = Σ_n picked[n]/N
    dtypes = [np.result_type(p) for p in (K1, c1, K2, c2, W3, b3, W4, b4, W5, b5)]
    saved = (
        p, y, A4, W5, A3, W4, P2, W3, A2, z2_columns, K2, A1, z1_columns, dtype, dtypes
    )
    return dtype.type(L), Saved(saved)


def backward(saved, dL=1.0):
    """Return the gradients of dL * loss."""
    (
        p, y, A4, W5, A3, W4, P2, W3, A2, z2_columns, K2, A1, z1_columns, dtype, dtypes
    ) = saved
    N = p.shape[0]
    # (B8)  dZ5[n,i] = (p[n,i] - [y[n] = i]) dL/N  (N, 10)
    #       from (F14), (F13) with (B7), (B6)
    dZ5 = dL / N * p
    dZ5[np.arange(N), y] -= dL / N
    dW5 = A4.T @ dZ5       # (B9)  dW5[i,j] = Σ_n dZ5[n,j] A4[n,i]  (84, 10)  from (F12)
    db5 = dZ5.sum(axis=0)  # (B10)  db5[i] = Σ_n dZ5[n,i]  (10,)  from (F12)
    dA4 = dZ5 @ W5.T       # (B11)  dA4[n,i] = Σ_j dZ5[n,j] W5[i,j]  (N, 84)  from (F12)
    # (B12)  dz4[n,i] = dA4[n,i] (1 - A4[n,i]²)  (N, 84)  from (F11)
    dz4 = dA4 * (1 - A4 * A4)
    dW4 = A3.T @ dz4  # (B13)  dW4[i,j] = Σ_n dz4[n,j] A3[n,i]  (120, 84)  from (F10)
    db4 = dz4.sum(axis=0)  # (B14)  db4[i] = Σ_n dz4[n,i]  (84,)  from (F10)
    dA3 = dz4 @ W4.T  # (B15)  dA3[n,i] = Σ_j dz4[n,j] W4[i,j]  (N, 120)  from (F10)
    # (B16)  dz3[n,i] = dA3[n,i] (1 - A3[n,i]²)  (N, 120)  from (F9)
    dz3 = dA3 * (1 - A3 * A3)
    # (B17)  dW3[i,j] = Σ_n dz3[n,j] P2[n,⌊i/25⌋,(⌊i/5⌋ mod 5),(i mod 5)]  (400, 120)
    #       from (F8)
    dW3 = P2.reshape(N, 400).T @ dz3
    db3 = dz3.sum(axis=0)  # (B18)  db3[i] = Σ_n dz3[n,i]  (120,)  from (F8)
    # (B19)  dP2[n,i,j,q] = Σ_r dz3[n,r] W3[25 i+5 j+q,r]  (N, 16, 5, 5)  from (F8)
    dP2 = (dz3 @ W3.T).reshape(N, 16, 5, 5)
    # (B21)  dz2[n,i,j,q] = dP2[n,i,⌊j/2⌋,⌊q/2⌋] (1 - A2[n,i,j,q]²)/4  (N, 16, 10, 10)
    #       from (F6) with (B20)
    dz2 = (
        0.25 * dP2[:, :, :, None, :, None] * (1 - (A2 * A2).reshape(N, 16, 5, 2, 5, 2))
    ).reshape(N, 16, 10, 10)
    # (B22)  dK2[i,j,q,r] = Σ_nuv dz2[n,i,u,v] P1[n,j,u+q,v+r]  (16, 6, 5, 5)  from (F5)
    dK2 = np.tensordot(dz2, z2_columns, axes=((2, 3, 0), (3, 4, 5)))
    # (B23)  dc2[i] = Σ_njq dz2[n,i,j,q]  (16,)  from (F5)
    dc2 = dz2.sum(axis=(0, 2, 3))
    # (B24) first:  dP1_columns[i,j,q,r,u,n] = Σ_v K2[v,i,j,q] dz2[n,v,r,u]
    #       (6, 5, 5, 10, 10, N)
    dP1_columns = np.tensordot(K2, dz2.transpose(1, 2, 3, 0), axes=((0,), (0,)))
    # (B24)  dP1[n,i,j,q] = Σ_ruv dz2[n,r,j-u,q-v] K2[r,i,u,v] [0 ≤ j-u < 10]
    #       [0 ≤ q-v < 10]  (N, 6, 14, 14)  from (F5)
    dP1 = np.zeros((6, 14, 14, N), dtype).transpose(3, 0, 1, 2)
    dP1_windows = dP1_columns.transpose(5, 0, 3, 4, 1, 2)
    for u in range(5):
        for v in range(5):
            dP1[:, :, u:u + 10, v:v + 10] += dP1_windows[..., u, v]
    # (B26)  dz1[n,i,j,q] = dP1[n,i,⌊j/2⌋,⌊q/2⌋] (1 - A1[n,i,j,q]²)/4  (N, 6, 28, 28)
    #       from (F3) with (B25)
    dz1 = (
        0.25 * dP1[:, :, :, None, :, None] * (1 - (A1 * A1).reshape(N, 6, 14, 2, 14, 2))
    ).reshape(N, 6, 28, 28)
    # (B27)  dK1[i,q,r] = Σ_nuv dz1[n,i,u,v] enlarged[n,u+q,v+r]  (6, 1, 5, 5)
    #       from (F2)
    dK1 = np.tensordot(dz1, z1_columns, axes=((2, 3, 0), (2, 3, 4)))[:, None, :, :]
    dc1 = dz1.sum(axis=(0, 2, 3))  # (B28)  dc1[i] = Σ_njq dz1[n,i,j,q]  (6,)  from (F2)
    grads = {
        "K1": dK1, "c1": dc1, "K2": dK2, "c2": dc2, "W3": dW3, "b3": db3, "W4": dW4,
        "b4": db4, "W5": dW5, "b5": db5
    }
    return like_parameters(grads, dtypes)


def value_and_grad(
    X: "N 8 8", y: "int N", K1: "6 1 5 5", c1: "6", K2: "16 6 5 5", c2: "16",
    W3: "400 120", b3: "120", W4: "120 84", b4: "84", W5: "84 10", b5: "10",
    validate=True,
):
    """Return the loss and its gradients."""
    L, saved = forward(X, y, K1, c1, K2, c2, W3, b3, W4, b4, W5, b5, validate)
    return L, backward(saved)


def predict(
    X: "N 8 8", K1: "6 1 5 5", c1: "6", K2: "16 6 5 5", c2: "16", W3: "400 120",
    b3: "120", W4: "120 84", b4: "84", W5: "84 10", b5: "10",
):
    """Return the outputs of the model."""
    X, (N, _, _) = read("X", X, "float", "N 8 8", (None, 8, 8))
    K1, _ = read("K1", K1, "wrt", "6 1 5 5", (6, 1, 5, 5))
    c1, _ = read("c1", c1, "wrt", "6", (6,))
    K2, _ = read("K2", K2, "wrt", "16 6 5 5", (16, 6, 5, 5))
    c2, _ = read("c2", c2, "wrt", "16", (16,))
    W3, _ = read("W3", W3, "wrt", "400 120", (400, 120))
    b3, _ = read("b3", b3, "wrt", "120", (120,))
    W4, _ = read("W4", W4, "wrt", "120 84", (120, 84))
    b4, _ = read("b4", b4, "wrt", "84", (84,))
    W5, _ = read("W5", W5, "wrt", "84 10", (84, 10))
    b5, _ = read("b5", b5, "wrt", "10", (10,))
    # (F1)  enlarged[n,i,j] = X[n,⌊i/4⌋,⌊j/4⌋]  (N, 32, 32)
    enlarged = np.repeat(np.repeat(X, 4, axis=2), 4, axis=1)
    # (F2) first:  z1_turned[i,j,n] = enlarged[n,i,j]  (32, 32, N)
    z1_turned = enlarged.transpose(1, 2, 0).copy()
    # (F2) first:  z1_columns[i,j,q,r,n] = z1_turned[q+i,r+j,n]  (5, 5, 28, 28, N)
    z1_columns_windows = np.lib.stride_tricks.sliding_window_view(
        z1_turned, (5, 5), axis=(0, 1)
    )
    z1_columns = z1_columns_windows.transpose(3, 4, 0, 1, 2).copy()
    # (F2)  z1[n,i,j,q] = Σ_ru enlarged[n,j+r,q+u] K1[i,0,r,u] + c1[i]  (N, 6, 28, 28)
    z1 = (
        np.tensordot(K1[:, 0], z1_columns, axes=((1, 2), (0, 1))).transpose(3, 0, 1, 2)
        + c1[:, None, None]
    )
    A1 = np.tanh(z1)   # (F3)  A1[n,i,j,q] = tanh(z1[n,i,j,q])  (N, 6, 28, 28)
    # (F4)  P1[n,i,j,q] = Σ_{r<2,u<2} A1[n,i,2 j+r,2 q+u]/4  (N, 6, 14, 14)
    P1_blocks = A1.reshape(N, 6, 14, 2, 14, 2)
    P1_added = P1_blocks[:, :, :, 0] + P1_blocks[:, :, :, 1]
    P1 = 0.25 * (P1_added[..., 0] + P1_added[..., 1])
    # (F5) first:  z2_columns[i,j,q,r,u,n] = P1[n,i,r+j,u+q]  (6, 5, 5, 10, 10, N)
    z2_columns_windows = np.lib.stride_tricks.sliding_window_view(
        P1, (5, 5), axis=(2, 3)
    )
    z2_columns = z2_columns_windows.transpose(1, 4, 5, 2, 3, 0).copy()
    # (F5)  z2[n,i,j,q] = Σ_ruv P1[n,r,j+u,q+v] K2[i,r,u,v] + c2[i]  (N, 16, 10, 10)
    z2 = (
        np.tensordot(K2, z2_columns, axes=((1, 2, 3), (0, 1, 2))).transpose(3, 0, 1, 2)
        + c2[:, None, None]
    )
    A2 = np.tanh(z2)   # (F6)  A2[n,i,j,q] = tanh(z2[n,i,j,q])  (N, 16, 10, 10)
    # (F7)  P2[n,i,j,q] = Σ_{r<2,u<2} A2[n,i,2 j+r,2 q+u]/4  (N, 16, 5, 5)
    P2_blocks = A2.reshape(N, 16, 5, 2, 5, 2)
    P2_added = P2_blocks[:, :, :, 0] + P2_blocks[:, :, :, 1]
    P2 = 0.25 * (P2_added[..., 0] + P2_added[..., 1])
    # (F8)  z3[n,i] = Σ_j P2[n,⌊j/25⌋,(⌊j/5⌋ mod 5),(j mod 5)] W3[j,i] + b3[i]  (N, 120)
    z3 = P2.reshape(N, 400) @ W3 + b3
    A3 = np.tanh(z3)   # (F9)  A3[n,i] = tanh(z3[n,i])  (N, 120)
    z4 = A3 @ W4 + b4  # (F10)  z4[n,i] = Σ_j A3[n,j] W4[j,i] + b4[i]  (N, 84)
    A4 = np.tanh(z4)   # (F11)  A4[n,i] = tanh(z4[n,i])  (N, 84)
    Z5 = A4 @ W5 + b5  # (F12)  Z5[n,i] = Σ_j A4[n,j] W5[j,i] + b5[i]  (N, 10)
    return {"logits": Z5}


# Self-check: run this file to compare backward with finite differences.


def draw_inputs(seed):
    """Draw the arguments of forward from their declared domains."""
    rng = np.random.default_rng(seed)
    N = 5
    return {
        "X": rng.normal(size=(N, 8, 8)),
        "y": rng.integers(0, 10, size=(N,)),
        "K1": rng.normal(size=(6, 1, 5, 5)),
        "c1": rng.normal(size=(6,)),
        "K2": rng.normal(size=(16, 6, 5, 5)),
        "c2": rng.normal(size=(16,)),
        "W3": rng.normal(size=(400, 120)),
        "b3": rng.normal(size=(120,)),
        "W4": rng.normal(size=(120, 84)),
        "b4": rng.normal(size=(84,)),
        "W5": rng.normal(size=(84, 10)),
        "b5": rng.normal(size=(10,)),
    }


def unit_steps(array):
    """Step along each coordinate, or along 50 and in 4 directions of a large array."""
    rng = np.random.default_rng(0)
    many = array.size > 200
    steps = [np.zeros(array.shape) for _ in range(50 if many else array.size)]
    for step, index in zip(steps, rng.permutation(array.size)):
        step.flat[index] = 1.0
    for step in rng.normal(size=(4 if many else 0, *array.shape)):
        steps.append(step / np.linalg.norm(step))
    return np.array(steps)


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
    print("gradient  shape          status     max error  decided")
    failed = False
    for name in WRT:
        array, grad = inputs[name], grads[name]
        scale = max(np.abs(grad).max(), 1e-3 * largest)
        steps = unit_steps(array)
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
        print(f"{name:8}  {array.shape!s:13}  {status:9}  {error:9.1e}  {count}")
    print("FAILED" if failed else "PASSED")
    return int(failed)


if __name__ == "__main__":
    raise SystemExit(self_check())
