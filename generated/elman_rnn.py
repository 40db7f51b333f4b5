# symprop sha256:1bd51084996630820c8079504271a51f
"""elman_rnn: loss and gradients in NumPy.

Made by symprop from symprop.zoo.recurrent:elman_rnn.
It belongs to whoever made it.

    loss, saved = forward(x, y, h0, U, V, b, W, c)
    gradients = backward(saved)

    x   (T, N, K)
    y   (N,)       integers below M
    h0  (N, H)
    U   (K, H)     parameter
    V   (H, H)     parameter
    b   (H,)       parameter
    W   (H, M)     parameter
    c   (M,)       parameter

(F1), (F2), ... number the equations of the forward pass and (B1), (B2), ... those of
their adjoints: dW is the gradient of the loss by W. The derivation has these numbers.
"""

import numpy as np

WRT = ("U", "V", "b", "W", "c")
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

    names = ("p", "y", "h", "W", "V", "h_prev", "x", "dtype", "dtypes")

    def __getattribute__(self, name):
        """Return a part by its name."""
        if name in Saved.names:
            return self[Saved.names.index(name)]
        return super().__getattribute__(name)


def forward(
    x: "T N K", y: "int N", h0: "N H", U: "K H", V: "H H", b: "H", W: "H M", c: "M",
    validate=True,
):
    """Return the loss, and what backward needs."""
    x, (T, N, K) = read("x", x, "float", "T N K", (None, None, None))
    y, _ = read("y", y, "int", "N", (N,))
    h0, (_, H) = read("h0", h0, "float", "N H", (N, None))
    U, _ = read("U", U, "wrt", "K H", (K, H))
    V, _ = read("V", V, "wrt", "H H", (H, H))
    b, _ = read("b", b, "wrt", "H", (H,))
    W, (_, M) = read("W", W, "wrt", "H M", (H, None))
    c, _ = read("c", c, "wrt", "M", (M,))
    if validate:
        if np.any(y < 0) or np.any(y >= M):
            raise IndexError("y holds a position outside 0 to M - 1")
    dtype = np.result_type(x, h0, U, V, b, W, c)
    xU = x @ U                        # (F1)  xU[t,n,i] = Σ_k x[t,n,k] U[k,i]  (T, N, H)
    # (F3) for all steps:  z_given[t,n,i] = xU[t,n,i] + b[i]  (T, N, H)
    z_given = xU + b
    h_prev, h = (np.empty((T, N, H), dtype) for _ in range(2))
    for t in range(T):
        # (F2)  h_prev[t,n,i] = [t = 0] h0[n,i] + [t ≥ 1] h[t-1,n,i]  (T, N, H)
        h_prev[t] = h0 if t == 0 else h[t - 1]
        # (F3)  z[t,n,i] = xU[t,n,i] + Σ_j h_prev[t,n,j] V[j,i] + b[i]  (T, N, H)
        z = z_given[t] + h_prev[t] @ V
        h[t] = np.tanh(z)             # (F4)  h[t,n,i] = tanh(z[t,n,i])  (T, N, H)
    # (F5)  logits[n,m] = Σ_i h[T-1,n,i] W[i,m] + c[m]  (N, M)
    logits = h[T - 1] @ W + c
    logits_max = logits.max(axis=1)   # (F6)  logits_max[n] = max_m logits[n,m]  (N,)
    # (F7)  shifted[n,m] = logits[n,m] - logits_max[n]  (N, M)
    shifted = logits - logits_max[:, None]
    e = np.exp(shifted)               # (F8)  e[n,m] = exp(shifted[n,m])  (N, M)
    s = e.sum(axis=1)                 # (F9)  s[n] = Σ_m e[n,m]  (N,)
    p = e / s[:, None]                # (F10)  p[n,m] = e[n,m]/s[n]  (N, M)
    # (F11)  log_p[n,m] = shifted[n,m] - log(s[n])  (N, M)
    log_p = shifted - np.log(s)[:, None]
    picked = -log_p[np.arange(N), y]  # (F12)  picked[n] = -log_p[n,y[n]]  (N,)
    L = picked.sum() / N              # (F13)  L = Σ_n picked[n]/N
    dtypes = [np.result_type(p) for p in (U, V, b, W, c)]
    saved = (p, y, h, W, V, h_prev, x, dtype, dtypes)
    return dtype.type(L), Saved(saved)


def backward(saved, dL=1.0):
    """Return the gradients of dL * loss."""
    p, y, h, W, V, h_prev, x, dtype, dtypes = saved
    N = p.shape[0]
    T = h.shape[0]
    H = h.shape[2]
    # (B8)  dlogits[n,m] = (p[n,m] - [y[n] = m]) dL/N  (N, M)
    #       from (F7), (F6) with (B7), (B6)
    dlogits = dL / N * p
    dlogits[np.arange(N), y] -= dL / N
    # (B9)  dW[i,m] = Σ_n dlogits[n,m] h[T-1,n,i]  (H, M)  from (F5)
    dW = h[T - 1].T @ dlogits
    dc = dlogits.sum(axis=0)  # (B10)  dc[m] = Σ_n dlogits[n,m]  (M,)  from (F5)
    # (B12) for all steps:  dz_factor[n,i] = Σ_m dlogits[n,m] W[i,m]  (N, H)
    dz_factor = dlogits @ W.T
    # (B12) for all steps:  dz_factor2[t,n,i] = (1 - h[t,n,i]²)  (T, N, H)
    dz_factor2 = 1 - h * h
    dz = np.empty((T, N, H), dtype)
    for t in reversed(range(T)):
        # (B12)  dz[t,n,i] = ([T-1 = t] Σ_m dlogits[n,m] W[i,m]
        #       + [t+1 < T] Σ_j dz[t+1,n,j] V[i,j]) (1 - h[t,n,i]²)  (T, N, H)
        #       from (F4) with (B11)
        dz[t] = (dz_factor if T - 1 == t else dz[t + 1] @ V.T) * dz_factor2[t]
    # (B13)  dV[i,j] = Σ_tn dz[t,n,j] h_prev[t,n,i]  (H, H)  from (F3)
    dV = np.tensordot(h_prev, dz, axes=((0, 1), (0, 1)))
    db = dz.sum(axis=(0, 1))  # (B14)  db[i] = Σ_tn dz[t,n,i]  (H,)  from (F3)
    # (B17)  dU[k,i] = Σ_tn dz[t,n,i] x[t,n,k]  (K, H)  from (F1) with (B16)
    dU = np.tensordot(x, dz, axes=((0, 1), (0, 1)))
    grads = {"U": dU, "V": dV, "b": db, "W": dW, "c": dc}
    return like_parameters(grads, dtypes)


def value_and_grad(
    x: "T N K", y: "int N", h0: "N H", U: "K H", V: "H H", b: "H", W: "H M", c: "M",
    validate=True,
):
    """Return the loss and its gradients."""
    L, saved = forward(x, y, h0, U, V, b, W, c, validate)
    return L, backward(saved)


def predict(x: "T N K", h0: "N H", U: "K H", V: "H H", b: "H", W: "H M", c: "M"):
    """Return the outputs of the model."""
    x, (T, N, K) = read("x", x, "float", "T N K", (None, None, None))
    h0, (_, H) = read("h0", h0, "float", "N H", (N, None))
    U, _ = read("U", U, "wrt", "K H", (K, H))
    V, _ = read("V", V, "wrt", "H H", (H, H))
    b, _ = read("b", b, "wrt", "H", (H,))
    W, (_, M) = read("W", W, "wrt", "H M", (H, None))
    c, _ = read("c", c, "wrt", "M", (M,))
    dtype = np.result_type(x, h0, U, V, b, W, c)
    xU = x @ U             # (F1)  xU[t,n,i] = Σ_k x[t,n,k] U[k,i]  (T, N, H)
    # (F3) for all steps:  z_given[t,n,i] = xU[t,n,i] + b[i]  (T, N, H)
    z_given = xU + b
    h = np.empty((T, N, H), dtype)
    for t in range(T):
        # (F2)  h_prev[t,n,i] = [t = 0] h0[n,i] + [t ≥ 1] h[t-1,n,i]  (T, N, H)
        h_prev = h0 if t == 0 else h[t - 1]
        # (F3)  z[t,n,i] = xU[t,n,i] + Σ_j h_prev[t,n,j] V[j,i] + b[i]  (T, N, H)
        z = z_given[t] + h_prev @ V
        h[t] = np.tanh(z)  # (F4)  h[t,n,i] = tanh(z[t,n,i])  (T, N, H)
    # (F5)  logits[n,m] = Σ_i h[T-1,n,i] W[i,m] + c[m]  (N, M)
    logits = h[T - 1] @ W + c
    return {"logits": logits}


# Self-check: run this file to compare backward with finite differences.


def draw_inputs(seed):
    """Draw the arguments of forward from their declared domains."""
    rng = np.random.default_rng(seed)
    T, N, K, H, M = 5, 3, 7, 2, 11
    return {
        "x": rng.normal(size=(T, N, K)),
        "y": rng.integers(0, M, size=(N,)),
        "h0": rng.normal(size=(N, H)),
        "U": rng.normal(size=(K, H)),
        "V": rng.normal(size=(H, H)),
        "b": rng.normal(size=(H,)),
        "W": rng.normal(size=(H, M)),
        "c": rng.normal(size=(M,)),
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
    print("gradient  shape    status     max error  decided")
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
        print(f"{name:8}  {array.shape!s:7}  {status:9}  {error:9.1e}  {count}")
    print("FAILED" if failed else "PASSED")
    return int(failed)


if __name__ == "__main__":
    raise SystemExit(self_check())
