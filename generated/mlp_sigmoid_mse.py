# symprop sha256:c6d3e0cc74ea318b610822683e6225bc
"""mlp_sigmoid_mse: loss and gradients in NumPy.

Made by symprop from symprop.zoo.perceptrons:mlp_sigmoid_mse.
It belongs to whoever made it.

    loss, saved = forward(x, y, W1, b1, W2, b2)
    gradients = backward(saved)

    x   (K, N)
    y   (M, N)
    W1  (H, K)  parameter
    b1  (H, 1)  parameter
    W2  (M, H)  parameter
    b2  (M, 1)  parameter

(F1), (F2), ... number the equations of the forward pass and (B1), (B2), ... those of
their adjoints: dW is the gradient of the loss by W. The derivation has these numbers.
"""

import numpy as np

WRT = ("W1", "b1", "W2", "b2")
OUTPUTS = ("a2",)
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
    """A tuple whose parts have names, as in saved.error."""

    names = ("error", "a2", "a1", "W2", "x", "dtypes")

    def __getattribute__(self, name):
        """Return a part by its name."""
        if name in Saved.names:
            return self[Saved.names.index(name)]
        return super().__getattribute__(name)


def forward(
    x: "K N", y: "M N", W1: "H K", b1: "H 1", W2: "M H", b2: "M 1", validate=True,
):
    """Return the loss, and what backward needs."""
    x, (K, N) = read("x", x, "float", "K N", (None, None))
    y, (M, _) = read("y", y, "float", "M N", (None, N))
    W1, (H, _) = read("W1", W1, "wrt", "H K", (None, K))
    b1, _ = read("b1", b1, "wrt", "H 1", (H, 1))
    W2, _ = read("W2", W2, "wrt", "M H", (M, H))
    b2, _ = read("b2", b2, "wrt", "M 1", (M, 1))
    dtype = np.result_type(x, y, W1, b1, W2, b2)
    z1 = W1 @ x + b1   # (F1)  z1[h,n] = Σ_k W1[h,k] x[k,n] + b1[h,0]  (H, N)
    a1 = sigmoid(z1)   # (F2)  a1[h,n] = σ(z1[h,n])  (H, N)
    z2 = W2 @ a1 + b2  # (F3)  z2[m,n] = Σ_h W2[m,h] a1[h,n] + b2[m,0]  (M, N)
    a2 = sigmoid(z2)   # (F4)  a2[m,n] = σ(z2[m,n])  (M, N)
    error = a2 - y     # (F5)  error[m,n] = a2[m,n] - y[m,n]  (M, N)
    C = np.vdot(error, error) / (2 * N)  # (F6)  C = Σ_mn error[m,n]²/(2 N)
    dtypes = [np.result_type(p) for p in (W1, b1, W2, b2)]
    saved = (error, a2, a1, W2, x, dtypes)
    return dtype.type(C), Saved(saved)


def backward(saved, dL=1.0):
    """Return the gradients of dL * loss."""
    error, a2, a1, W2, x, dtypes = saved
    N = error.shape[1]
    # (B4)  dz2[m,n] = error[m,n] a2[m,n] (1 - a2[m,n]) dL/N  (M, N)
    #       from (F4) with (B3)
    dz2 = dL / N * error * a2 * (1 - a2)
    dW2 = dz2 @ a1.T  # (B5)  dW2[m,h] = Σ_n dz2[m,n] a1[h,n]  (M, H)  from (F3)
    db2 = dz2.sum(axis=1)[:, None]  # (B6)  db2[m] = Σ_n dz2[m,n]  (M, 1)  from (F3)
    da1 = W2.T @ dz2  # (B7)  da1[h,n] = Σ_m dz2[m,n] W2[m,h]  (H, N)  from (F3)
    # (B8)  dz1[h,n] = da1[h,n] a1[h,n] (1 - a1[h,n])  (H, N)  from (F2)
    dz1 = da1 * a1 * (1 - a1)
    dW1 = dz1 @ x.T   # (B9)  dW1[h,k] = Σ_n dz1[h,n] x[k,n]  (H, K)  from (F1)
    db1 = dz1.sum(axis=1)[:, None]  # (B10)  db1[h] = Σ_n dz1[h,n]  (H, 1)  from (F1)
    grads = {"W1": dW1, "b1": db1, "W2": dW2, "b2": db2}
    return like_parameters(grads, dtypes)


def value_and_grad(
    x: "K N", y: "M N", W1: "H K", b1: "H 1", W2: "M H", b2: "M 1", validate=True,
):
    """Return the loss and its gradients."""
    C, saved = forward(x, y, W1, b1, W2, b2, validate)
    return C, backward(saved)


def predict(x: "K N", W1: "H K", b1: "H 1", W2: "M H", b2: "M 1"):
    """Return the outputs of the model."""
    x, (K, N) = read("x", x, "float", "K N", (None, None))
    W1, (H, _) = read("W1", W1, "wrt", "H K", (None, K))
    b1, _ = read("b1", b1, "wrt", "H 1", (H, 1))
    W2, (M, _) = read("W2", W2, "wrt", "M H", (None, H))
    b2, _ = read("b2", b2, "wrt", "M 1", (M, 1))
    z1 = W1 @ x + b1   # (F1)  z1[h,n] = Σ_k W1[h,k] x[k,n] + b1[h,0]  (H, N)
    a1 = sigmoid(z1)   # (F2)  a1[h,n] = σ(z1[h,n])  (H, N)
    z2 = W2 @ a1 + b2  # (F3)  z2[m,n] = Σ_h W2[m,h] a1[h,n] + b2[m,0]  (M, N)
    a2 = sigmoid(z2)   # (F4)  a2[m,n] = σ(z2[m,n])  (M, N)
    return {"a2": a2}


# Self-check: run this file to compare backward with finite differences.


def draw_inputs(seed):
    """Draw the arguments of forward from their declared domains."""
    rng = np.random.default_rng(seed)
    K, N, M, H = 5, 3, 7, 2
    return {
        "x": rng.normal(size=(K, N)),
        "y": rng.normal(size=(M, N)),
        "W1": rng.normal(size=(H, K)),
        "b1": rng.normal(size=(H, 1)),
        "W2": rng.normal(size=(M, H)),
        "b2": rng.normal(size=(M, 1)),
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
