# symprop sha256:a2beb8535cf7823893ec5e714b1de983
"""mlp: loss and gradients in NumPy.

Made by symprop from symprop.zoo.perceptrons:mlp.
It belongs to whoever made it.

    loss, saved = forward(X, Y, W1, b1, W2, b2)
    gradients = backward(saved)

    X   (N, K)
    Y   (N, M)
    W1  (K, H)  parameter
    b1  (H,)    parameter
    W2  (H, M)  parameter
    b2  (M,)    parameter

It is assumed, and tested, that Y sums to 1 along axis 1.

(F1), (F2), ... number the equations of the forward pass and (B1), (B2), ... those of
their adjoints: dW is the gradient of the loss by W. The derivation has these numbers.
"""

import numpy as np

WRT = ("W1", "b1", "W2", "b2")
FACTS = (
    ("sums_to_one", "Y", 1),
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

    names = ("p", "Y", "A1", "W2", "X", "dtypes")

    def __getattribute__(self, name):
        """Return a part by its name."""
        if name in Saved.names:
            return self[Saved.names.index(name)]
        return super().__getattribute__(name)


def forward(X: "N K", Y: "N M", W1: "K H", b1: "H", W2: "H M", b2: "M", validate=True):
    """Return the loss, and what backward needs."""
    X, (N, K) = read("X", X, "float", "N K", (None, None))
    Y, (_, M) = read("Y", Y, "float", "N M", (N, None))
    W1, (_, H) = read("W1", W1, "wrt", "K H", (K, None))
    b1, _ = read("b1", b1, "wrt", "H", (H,))
    W2, _ = read("W2", W2, "wrt", "H M", (H, M))
    b2, _ = read("b2", b2, "wrt", "M", (M,))
    if validate:
        if not np.allclose(np.sum(Y, axis=1), 1, rtol=0, atol=0.0001):
            raise ValueError("Y must sum to 1 along axis 1")
    dtype = np.result_type(X, Y, W1, b1, W2, b2)
    z = X @ W1 + b1          # (F1)  z[n,h] = Σ_k X[n,k] W1[k,h] + b1[h]  (N, H)
    A1 = np.tanh(z)          # (F2)  A1[n,h] = tanh(z[n,h])  (N, H)
    Z2 = A1 @ W2 + b2        # (F3)  Z2[n,m] = Σ_h A1[n,h] W2[h,m] + b2[m]  (N, M)
    Z2_max = Z2.max(axis=1)  # (F4)  Z2_max[n] = max_m Z2[n,m]  (N,)
    shifted = Z2 - Z2_max[:, None]  # (F5)  shifted[n,m] = Z2[n,m] - Z2_max[n]  (N, M)
    e = np.exp(shifted)      # (F6)  e[n,m] = exp(shifted[n,m])  (N, M)
    s = e.sum(axis=1)        # (F7)  s[n] = Σ_m e[n,m]  (N,)
    p = e / s[:, None]       # (F8)  p[n,m] = e[n,m]/s[n]  (N, M)
    # (F9)  log_p[n,m] = shifted[n,m] - log(s[n])  (N, M)
    log_p = shifted - np.log(s)[:, None]
    weighted = Y * log_p     # (F10)  weighted[n,m] = Y[n,m] log_p[n,m]  (N, M)
    L = -weighted.sum() / N  # (F11)  L = -Σ_nm weighted[n,m]/N
    dtypes = [np.result_type(p) for p in (W1, b1, W2, b2)]
    saved = (p, Y, A1, W2, X, dtypes)
    return dtype.type(L), Saved(saved)


def backward(saved, dL=1.0):
    """Return the gradients of dL * loss."""
    p, Y, A1, W2, X, dtypes = saved
    N = p.shape[0]
    # (B8)  dZ2[n,m] = (p[n,m] - Y[n,m]) dL/N  (N, M)  from (F5), (F4) with (B7), (B6)
    dZ2 = dL / N * (p - Y)
    dW2 = A1.T @ dZ2       # (B9)  dW2[h,m] = Σ_n dZ2[n,m] A1[n,h]  (H, M)  from (F3)
    db2 = dZ2.sum(axis=0)  # (B10)  db2[m] = Σ_n dZ2[n,m]  (M,)  from (F3)
    dA1 = dZ2 @ W2.T       # (B11)  dA1[n,h] = Σ_m dZ2[n,m] W2[h,m]  (N, H)  from (F3)
    # (B12)  dz[n,h] = dA1[n,h] (1 - A1[n,h]²)  (N, H)  from (F2)
    dz = dA1 * (1 - A1 * A1)
    dW1 = X.T @ dz         # (B13)  dW1[k,h] = Σ_n dz[n,h] X[n,k]  (K, H)  from (F1)
    db1 = dz.sum(axis=0)   # (B14)  db1[h] = Σ_n dz[n,h]  (H,)  from (F1)
    grads = {"W1": dW1, "b1": db1, "W2": dW2, "b2": db2}
    return like_parameters(grads, dtypes)


def value_and_grad(
    X: "N K", Y: "N M", W1: "K H", b1: "H", W2: "H M", b2: "M", validate=True,
):
    """Return the loss and its gradients."""
    L, saved = forward(X, Y, W1, b1, W2, b2, validate)
    return L, backward(saved)


def predict(X: "N K", W1: "K H", b1: "H", W2: "H M", b2: "M"):
    """Return the outputs of the model."""
    X, (N, K) = read("X", X, "float", "N K", (None, None))
    W1, (_, H) = read("W1", W1, "wrt", "K H", (K, None))
    b1, _ = read("b1", b1, "wrt", "H", (H,))
    W2, (_, M) = read("W2", W2, "wrt", "H M", (H, None))
    b2, _ = read("b2", b2, "wrt", "M", (M,))
    z = X @ W1 + b1    # (F1)  z[n,h] = Σ_k X[n,k] W1[k,h] + b1[h]  (N, H)
    A1 = np.tanh(z)    # (F2)  A1[n,h] = tanh(z[n,h])  (N, H)
    Z2 = A1 @ W2 + b2  # (F3)  Z2[n,m] = Σ_h A1[n,h] W2[h,m] + b2[m]  (N, M)
    return {"logits": Z2}


# Self-check: run this file to compare backward with finite differences.


def draw_inputs(seed):
    """Draw the arguments of forward from their declared domains."""
    rng = np.random.default_rng(seed)
    N, K, M, H = 5, 3, 7, 2
    return {
        "X": rng.normal(size=(N, K)),
        "Y": rng.dirichlet(np.full(M, 3.0), size=(N,)),
        "W1": rng.normal(size=(K, H)),
        "b1": rng.normal(size=(H,)),
        "W2": rng.normal(size=(H, M)),
        "b2": rng.normal(size=(M,)),
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
