# symprop sha256:b1089efd22c357d1fc2d1c65a1508999
"""lstm: loss and gradients in NumPy.

Made by symprop from symprop.zoo.recurrent:lstm.
It belongs to whoever made it.

    loss, saved = forward(text, following, h0, c0, E, U, V, b, W, d)
    gradients = backward(saved)

    text       (T, N)      integers below M
    following  (T, N)      integers below M
    h0         (N, H)
    c0         (N, H)
    E          (M, D)      parameter
    U          (D, 4 * H)  parameter
    V          (H, 4 * H)  parameter
    b          (4 * H,)    parameter
    W          (H, M)      parameter
    d          (M,)        parameter

(F1), (F2), ... number the equations of the forward pass and (B1), (B2), ... those of
their adjoints: dW is the gradient of the loss by W. The derivation has these numbers.
"""

import numpy as np

WRT = ("E", "U", "V", "b", "W", "d")
FACTS = (
    ("index", "text", "M"),
    ("index", "following", "M"),
)
OUTPUTS = ("logits", "h_last", "c_last")
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


def sigmoid(x):
    """1 / (1 + exp(-x)) without overflow, all digits kept in the tail."""
    e = np.exp(np.minimum(x, -x))
    return np.maximum(e, x >= 0) / (1 + e)


class Saved(tuple):
    """A tuple whose parts have names, as in saved.p."""

    names = (
        "p", "following", "h", "W", "V", "o", "tanh_c", "f", "i", "c_prev", "g",
        "h_prev", "U", "text", "E", "dtype", "dtypes"
    )

    def __getattribute__(self, name):
        """Return a part by its name."""
        if name in Saved.names:
            return self[Saved.names.index(name)]
        return super().__getattribute__(name)


def forward(
    text: "int T N", following: "int T N", h0: "N H", c0: "N H", E: "M D", U: "D 4*H",
    V: "H 4*H", b: "4*H", W: "H M", d: "M", validate=True,
):
    """Return the loss, and what backward needs."""
    text, (T, N) = read("text", text, "int", "T N", (None, None))
    following, _ = read("following", following, "int", "T N", (T, N))
    h0, (_, H) = read("h0", h0, "float", "N H", (N, None))
    c0, _ = read("c0", c0, "float", "N H", (N, H))
    E, (M, D) = read("E", E, "wrt", "M D", (None, None))
    U, _ = read("U", U, "wrt", "D 4*H", (D, 4 * H))
    V, _ = read("V", V, "wrt", "H 4*H", (H, 4 * H))
    b, _ = read("b", b, "wrt", "4*H", (4 * H,))
    W, _ = read("W", W, "wrt", "H M", (H, M))
    d, _ = read("d", d, "wrt", "M", (M,))
    if validate:
        if np.any(text < 0) or np.any(text >= M):
            raise IndexError("text holds a position outside 0 to M - 1")
        if np.any(following < 0) or np.any(following >= M):
            raise IndexError("following holds a position outside 0 to M - 1")
    dtype = np.result_type(h0, c0, E, U, V, b, W, d)
    EU = E[text] @ U  # (F1)  EU[t,n,r] = Σ_q E[text[t,n],q] U[q,r]  (T, N, 4 * H)
    # (F4) for all steps:  z_given[t,n,r] = EU[t,n,r] + b[r]  (T, N, 4 * H)
    z_given = EU + b
    h_prev, c_prev, i, f, g, o, c, tanh_c, h = (
        (np.empty((T, N, H), dtype) for _ in range(9))
    )
    for t in range(T):
        # (F2)  h_prev[t,n,j] = [t = 0] h0[n,j] + [t ≥ 1] h[t-1,n,j]  (T, N, H)
        h_prev[t] = h0 if t == 0 else h[t - 1]
        # (F3)  c_prev[t,n,j] = [t = 0] c0[n,j] + [t ≥ 1] c[t-1,n,j]  (T, N, H)
        c_prev[t] = c0 if t == 0 else c[t - 1]
        # (F4)  z[t,n,r] = EU[t,n,r] + Σ_j h_prev[t,n,j] V[j,r] + b[r]  (T, N, 4 * H)
        z = z_given[t] + h_prev[t] @ V
        i[t] = sigmoid(z[:, :H])   # (F5)  i[t,n,j] = σ(z[t,n,j])  (T, N, H)
        f[t] = sigmoid(z[:, H:2 * H])  # (F6)  f[t,n,j] = σ(z[t,n,j+H])  (T, N, H)
        # (F7)  g[t,n,j] = tanh(z[t,n,j+2 H])  (T, N, H)
        g[t] = np.tanh(z[:, 2 * H:3 * H])
        o[t] = sigmoid(z[:, 3 * H:])  # (F8)  o[t,n,j] = σ(z[t,n,j+3 H])  (T, N, H)
        # (F9)  c[t,n,j] = f[t,n,j] c_prev[t,n,j] + i[t,n,j] g[t,n,j]  (T, N, H)
        c[t] = f[t] * c_prev[t] + i[t] * g[t]
        tanh_c[t] = np.tanh(c[t])  # (F10)  tanh_c[t,n,j] = tanh(c[t,n,j])  (T, N, H)
        h[t] = o[t] * tanh_c[t]    # (F11)  h[t,n,j] = o[t,n,j] tanh_c[t,n,j]  (T, N, H)
    logits = h @ W + d  # (F12)  logits[t,n,m] = Σ_j h[t,n,j] W[j,m] + d[m]  (T, N, M)
    # (F13)  logits_max[t,n] = max_m logits[t,n,m]  (T, N)
    logits_max = logits.max(axis=2)
    # (F14)  shifted[t,n,m] = logits[t,n,m] - logits_max[t,n]  (T, N, M)
    shifted = logits - logits_max[:, :, None]
    e = np.exp(shifted)            # (F15)  e[t,n,m] = exp(shifted[t,n,m])  (T, N, M)
    s = e.sum(axis=2)              # (F16)  s[t,n] = Σ_m e[t,n,m]  (T, N)
    p = e / s[:, :, None]          # (F17)  p[t,n,m] = e[t,n,m]/s[t,n]  (T, N, M)
    # (F18)  log_p[t,n,m] = shifted[t,n,m] - log(s[t,n])  (T, N, M)
    log_p = shifted - np.log(s)[:, :, None]
    # (F19)  picked[t,n] = -log_p[t,n,following[t,n]]  (T, N)
    picked = -log_p[np.arange(T)[:, None], np.arange(N), following]
    loss = picked.sum() / (T * N)  # (F20)  loss = Σ_tn picked[t,n]/(T N)
    dtypes = [np.result_type(p) for p in (E, U, V, b, W, d)]
    saved = (
        p, following, h, W, V, o, tanh_c, f, i, c_prev, g, h_prev, U, text, E, dtype,
        dtypes
    )
    return dtype.type(loss), Saved(saved)


def backward(saved, dL=1.0):
    """Return the gradients of dL * loss."""
    (
        p, following, h, W, V, o, tanh_c, f, i, c_prev, g, h_prev, U, text, E, dtype,
        dtypes
    ) = saved
    T, N, M = p.shape
    H = h.shape[2]
    D = U.shape[0]
    # (B8)  dlogits[t,n,m] = (p[t,n,m] - [following[t,n] = m]) dL/(T N)  (T, N, M)
    #       from (F14), (F13) with (B7), (B6)
    dlogits = dL / (T * N) * p
    dlogits[np.arange(T)[:, None], np.arange(N), following] -= dL / (T * N)
    # (B9)  dW[j,m] = Σ_tn dlogits[t,n,m] h[t,n,j]  (H, M)  from (F12)
    dW = np.tensordot(h, dlogits, axes=((0, 1), (0, 1)))
    # (B10)  dd[m] = Σ_tn dlogits[t,n,m]  (M,)  from (F12)
    dd = dlogits.sum(axis=(0, 1))
    # (B11) for all steps:  dh_given[t,n,j] = Σ_m dlogits[t,n,m] W[j,m]  (T, N, H)
    dh_given = dlogits @ W.T
    # (B13) for all steps:  dc_factor[t,n,j] = o[t,n,j] (1 - tanh_c[t,n,j]²)  (T, N, H)
    dc_factor = o * (1 - tanh_c * tanh_c)
    # (B18) for all steps:  dz_factor[t,n,j] = o[t,n,j] (1 - o[t,n,j])  (T, N, H)
    dz_factor = o * (1 - o)
    # (B18) for all steps:  dz_factor2[t,n,j] = (1 - g[t,n,j]²)  (T, N, H)
    dz_factor2 = 1 - g * g
    # (B18) for all steps:  dz_factor3[t,n,j] = f[t,n,j] (1 - f[t,n,j])  (T, N, H)
    dz_factor3 = f * (1 - f)
    # (B18) for all steps:  dz_factor4[t,n,j] = i[t,n,j] (1 - i[t,n,j])  (T, N, H)
    dz_factor4 = i * (1 - i)
    dc = np.empty((T, N, H), dtype)
    dz = np.empty((T, N, 4 * H), dtype)
    for t in reversed(range(T)):
        # (B11)  dh[t,n,j] = Σ_m dlogits[t,n,m] W[j,m]
        #       + [t+1 < T] Σ_r dz[t+1,n,r] V[j,r]  (T, N, H)
        #       from (F12), (F2) with (B22)
        dh = dh_given[t] + (dz[t + 1] @ V.T if t + 1 < T else 0)
        # (B13)  dc[t,n,j] = dh[t,n,j] o[t,n,j] (1 - tanh_c[t,n,j]²)
        #       + dc[t+1,n,j] f[t+1,n,j] [t+1 < T]  (T, N, H)
        #       from (F10), (F3) with (B21), (B12)
        dc[t] = dh * dc_factor[t] + (dc[t + 1] * f[t + 1] if t + 1 < T else 0)
        # (B14)  do[t,n,j] = dh[t,n,j] tanh_c[t,n,j]  (T, N, H)  from (F11)
        do = dh * tanh_c[t]
        dg = dc[t] * i[t]  # (B15)  dg[t,n,j] = dc[t,n,j] i[t,n,j]  (T, N, H)  from (F9)
        # (B16)  df[t,n,j] = dc[t,n,j] c_prev[t,n,j]  (T, N, H)  from (F9)
        df = dc[t] * c_prev[t]
        di = dc[t] * g[t]  # (B17)  di[t,n,j] = dc[t,n,j] g[t,n,j]  (T, N, H)  from (F9)
        # (B18)  dz[t,n,r] = do[t,n,r-3 H] o[t,n,r-3 H] (1 - o[t,n,r-3 H]) [r-3 H ≥ 0]
        #       + dg[t,n,r-2 H] (1 - g[t,n,r-2 H]²) [0 ≤ r-2 H < H]
        #       + df[t,n,r-H] f[t,n,r-H] (1 - f[t,n,r-H]) [0 ≤ r-H < H]
        #       + di[t,n,r] i[t,n,r] (1 - i[t,n,r]) [r < H]  (T, N, 4 * H)
        #       from (F8), (F7), (F6), (F5)
        dz[t, :, 3 * H:] = do * dz_factor[t]
        dz[t, :, 2 * H:3 * H] = dg * dz_factor2[t]
        dz[t, :, H:2 * H] = df * dz_factor3[t]
        dz[t, :, :H] = di * dz_factor4[t]
    # (B19)  dV[j,r] = Σ_tn dz[t,n,r] h_prev[t,n,j]  (H, 4 * H)  from (F4)
    dV = np.tensordot(h_prev, dz, axes=((0, 1), (0, 1)))
    db = dz.sum(axis=(0, 1))  # (B20)  db[r] = Σ_tn dz[t,n,r]  (4 * H,)  from (F4)
    # (B24)  dE[m,q] = Σ_tnr dz[t,n,r] U[q,r] [text[t,n] = m]  (M, D)
    #       from (F1) with (B23)
    dE = np.zeros((M, D), dtype)
    np.add.at(dE, text, dz @ U.T)
    # (B25)  dU[q,r] = Σ_tn dz[t,n,r] E[text[t,n],q]  (D, 4 * H)  from (F1) with (B23)
    dU = np.tensordot(E[text], dz, axes=((0, 1), (0, 1)))
    grads = {"E": dE, "U": dU, "V": dV, "b": db, "W": dW, "d": dd}
    return like_parameters(grads, dtypes)


def value_and_grad(
    text: "int T N", following: "int T N", h0: "N H", c0: "N H", E: "M D", U: "D 4*H",
    V: "H 4*H", b: "4*H", W: "H M", d: "M", validate=True,
):
    """Return the loss and its gradients."""
    loss, saved = forward(text, following, h0, c0, E, U, V, b, W, d, validate)
    return loss, backward(saved)


def predict(
    text: "int T N", h0: "N H", c0: "N H", E: "M D", U: "D 4*H", V: "H 4*H", b: "4*H",
    W: "H M", d: "M",
):
    """Return the outputs of the model."""
    text, (T, N) = read("text", text, "int", "T N", (None, None))
    h0, (_, H) = read("h0", h0, "float", "N H", (N, None))
    c0, _ = read("c0", c0, "float", "N H", (N, H))
    E, (M, D) = read("E", E, "wrt", "M D", (None, None))
    U, _ = read("U", U, "wrt", "D 4*H", (D, 4 * H))
    V, _ = read("V", V, "wrt", "H 4*H", (H, 4 * H))
    b, _ = read("b", b, "wrt", "4*H", (4 * H,))
    W, _ = read("W", W, "wrt", "H M", (H, M))
    d, _ = read("d", d, "wrt", "M", (M,))
    dtype = np.result_type(h0, c0, E, U, V, b, W, d)
    EU = E[text] @ U  # (F1)  EU[t,n,r] = Σ_q E[text[t,n],q] U[q,r]  (T, N, 4 * H)
    # (F4) for all steps:  z_given[t,n,r] = EU[t,n,r] + b[r]  (T, N, 4 * H)
    z_given = EU + b
    c, h = (np.empty((T, N, H), dtype) for _ in range(2))
    for t in range(T):
        # (F2)  h_prev[t,n,j] = [t = 0] h0[n,j] + [t ≥ 1] h[t-1,n,j]  (T, N, H)
        h_prev = h0 if t == 0 else h[t - 1]
        # (F3)  c_prev[t,n,j] = [t = 0] c0[n,j] + [t ≥ 1] c[t-1,n,j]  (T, N, H)
        c_prev = c0 if t == 0 else c[t - 1]
        # (F4)  z[t,n,r] = EU[t,n,r] + Σ_j h_prev[t,n,j] V[j,r] + b[r]  (T, N, 4 * H)
        z = z_given[t] + h_prev @ V
        i = sigmoid(z[:, :H])      # (F5)  i[t,n,j] = σ(z[t,n,j])  (T, N, H)
        f = sigmoid(z[:, H:2 * H])  # (F6)  f[t,n,j] = σ(z[t,n,j+H])  (T, N, H)
        g = np.tanh(z[:, 2 * H:3 * H])  # (F7)  g[t,n,j] = tanh(z[t,n,j+2 H])  (T, N, H)
        o = sigmoid(z[:, 3 * H:])  # (F8)  o[t,n,j] = σ(z[t,n,j+3 H])  (T, N, H)
        # (F9)  c[t,n,j] = f[t,n,j] c_prev[t,n,j] + i[t,n,j] g[t,n,j]  (T, N, H)
        c[t] = f * c_prev + i * g
        tanh_c = np.tanh(c[t])     # (F10)  tanh_c[t,n,j] = tanh(c[t,n,j])  (T, N, H)
        h[t] = o * tanh_c          # (F11)  h[t,n,j] = o[t,n,j] tanh_c[t,n,j]  (T, N, H)
    logits = h @ W + d  # (F12)  logits[t,n,m] = Σ_j h[t,n,j] W[j,m] + d[m]  (T, N, M)
    h_last = h[T - 1]              # (F21)  h_last[n,j] = h[T-1,n,j]  (N, H)
    c_last = c[T - 1]              # (F22)  c_last[n,j] = c[T-1,n,j]  (N, H)
    return {"logits": logits, "h_last": h_last, "c_last": c_last}


# Self-check: run this file to compare backward with finite differences.


def draw_inputs(seed):
    """Draw the arguments of forward from their declared domains."""
    rng = np.random.default_rng(seed)
    T, N, H, M, D = 5, 3, 7, 2, 11
    return {
        "text": rng.integers(0, M, size=(T, N)),
        "following": rng.integers(0, M, size=(T, N)),
        "h0": rng.normal(size=(N, H)),
        "c0": rng.normal(size=(N, H)),
        "E": rng.normal(size=(M, D)),
        "U": rng.normal(size=(D, 4 * H)),
        "V": rng.normal(size=(H, 4 * H)),
        "b": rng.normal(size=(4 * H,)),
        "W": rng.normal(size=(H, M)),
        "d": rng.normal(size=(M,)),
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
    print("gradient  shape     status     max error  decided")
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
        print(f"{name:8}  {array.shape!s:8}  {status:9}  {error:9.1e}  {count}")
    print("FAILED" if failed else "PASSED")
    return int(failed)


if __name__ == "__main__":
    raise SystemExit(self_check())
