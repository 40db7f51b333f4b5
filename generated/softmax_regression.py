# symprop sha256:827105272f52d11a88b5fddc854fcfc5
"""softmax_regression: loss and gradients in NumPy.

Made by symprop from symprop.zoo.linear:softmax_regression.
It belongs to whoever made it.

    loss, saved = forward(X, y, W, b)
    gradients = backward(saved)

    X  (N, D)
    y  (N,)    integers below M
    W  (D, M)  parameter
    b  (M,)    parameter

(F1), (F2), ... number the equations of the forward pass and (B1), (B2), ... those of
their adjoints: dW is the gradient of the loss by W. The derivation has these numbers.
"""

import numpy as np

WRT = ("W", "b")
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

    names = ("p", "y", "X", "dtypes")

    def __getattribute__(self, name):
        """Return a part by its name."""
        if name in Saved.names:
            return self[Saved.names.index(name)]
        return super().__getattribute__(name)


def forward(X: "N D", y: "int N", W: "D M", b: "M", validate=True):
    """Return the loss, and what backward needs."""
    X, (N, D) = read("X", X, "float", "N D", (None, None))
    y, _ = read("y", y, "int", "N", (N,))
    W, (_, M) = read("W", W, "wrt", "D M", (D, None))
    b, _ = read("b", b, "wrt", "M", (M,))
    if validate:
        if np.any(y < 0) or np.any(y >= M):
            raise IndexError("y holds a position outside 0 to M - 1")
    dtype = np.result_type(X, W, b)
    Z = X @ W + b                     # (F1)  Z[n,m] = Σ_d X[n,d] W[d,m] + b[m]  (N, M)
    Z_max = Z.max(axis=1)             # (F2)  Z_max[n] = max_m Z[n,m]  (N,)
    shifted = Z - Z_max[:, None]      # (F3)  shifted[n,m] = Z[n,m] - Z_max[n]  (N, M)
    e = np.exp(shifted)               # (F4)  e[n,m] = exp(shifted[n,m])  (N, M)
    s = e.sum(axis=1)                 # (F5)  s[n] = Σ_m e[n,m]  (N,)
    p = e / s[:, None]                # (F6)  p[n,m] = e[n,m]/s[n]  (N, M)
    # (F7)  log_p[n,m] = shifted[n,m] - log(s[n])  (N, M)
    log_p = shifted - np.log(s)[:, None]
    picked = -log_p[np.arange(N), y]  # (F8)  picked[n] = -log_p[n,y[n]]  (N,)
    loss = picked.sum() / N           # (F9)  loss = Σ_n picked[n]/N
    dtypes = [np.result_type(p) for p in (W, b)]
    saved = (p, y, X, dtypes)
    return dtype.type(loss), Saved(saved)


def backward(saved, dL=1.0):
    """Return the gradients of dL * loss."""
    p, y, X, dtypes = saved
    N = p.shape[0]
    # (B8)  dZ[n,m] = (p[n,m] - [y[n] = m]) dL/N  (N, M)
    #       from (F3), (F2) with (B7), (B6)
    dZ = dL / N * p
    dZ[np.arange(N), y] -= dL / N
    dW = X.T @ dZ        # (B9)  dW[d,m] = Σ_n dZ[n,m] X[n,d]  (D, M)  from (F1)
    db = dZ.sum(axis=0)  # (B10)  db[m] = Σ_n dZ[n,m]  (M,)  from (F1)
    grads = {"W": dW, "b": db}
    return like_parameters(grads, dtypes)


def value_and_grad(X: "N D", y: "int N", W: "D M", b: "M", validate=True):
    """Return the loss and its gradients."""
    loss, saved = forward(X, y, W, b, validate)
    return loss, backward(saved)


def predict(X: "N D", W: "D M", b: "M"):
    """Return the outputs of the model."""
    X, (N, D) = read("X", X, "float", "N D", (None, None))
    W, (_, M) = read("W", W, "wrt", "D M", (D, None))
    b, _ = read("b", b, "wrt", "M", (M,))
    Z = X @ W + b  # (F1)  Z[n,m] = Σ_d X[n,d] W[d,m] + b[m]  (N, M)
    return {"logits": Z}


# Self-check: run this file to compare backward with finite differences.


def draw_inputs(seed):
    """Draw the arguments of forward from their declared domains."""
    rng = np.random.default_rng(seed)
    N, D, M = 5, 3, 7
    return {
        "X": rng.normal(size=(N, D)),
        "y": rng.integers(0, M, size=(N,)),
        "W": rng.normal(size=(D, M)),
        "b": rng.normal(size=(M,)),
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
