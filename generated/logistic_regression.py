# symprop sha256:a3dd8ab3256ed5f45f5e67e371e4c944
"""logistic_regression: loss and gradients in NumPy.

Made by symprop from symprop.zoo.linear:logistic_regression.
It belongs to whoever made it.

    loss, saved = forward(X, y, w, b)
    gradients = backward(saved)

    X  (N, D)
    y  (N,)
    w  (D,)      parameter
    b  a number  parameter

It is assumed, and tested, that y holds only 0, 1.

(F1), (F2), ... number the equations of the forward pass and (B1), (B2), ... those of
their adjoints: dW is the gradient of the loss by W. The derivation has these numbers.
"""

import numpy as np

WRT = ("w", "b")
FACTS = (
    ("one_of", "y", 0, 1),
)
OUTPUTS = ("probability",)
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


def softplus(x):
    """log(1 + exp(x)) without overflow, all digits kept in the tail."""
    return np.maximum(x, 0) + np.log1p(np.exp(np.minimum(x, -x)))


class Saved(tuple):
    """A tuple whose parts have names, as in saved.a."""

    names = ("a", "y", "X", "dtypes")

    def __getattribute__(self, name):
        """Return a part by its name."""
        if name in Saved.names:
            return self[Saved.names.index(name)]
        return super().__getattribute__(name)


def forward(X: "N D", y: "N", w: "D", b: "", validate=True):
    """Return the loss, and what backward needs."""
    X, (N, D) = read("X", X, "float", "N D", (None, None))
    y, _ = read("y", y, "float", "N", (N,))
    w, _ = read("w", w, "wrt", "D", (D,))
    b, _ = read("b", b, "wrt", "", ())
    if validate:
        if not np.all(np.isin(y, [0, 1])):
            raise ValueError("y must hold no other values than 0, 1")
    dtype = np.result_type(X, y, w, b)
    z = X @ w + b                # (F1)  z[n] = Σ_d X[n,d] w[d] + b  (N,)
    a = sigmoid(z)               # (F2)  a[n] = σ(z[n])  (N,)
    softplus_z = softplus(z)     # (F3)  softplus_z[n] = softplus(z[n])  (N,)
    values = softplus_z - y * z  # (F4)  values[n] = softplus_z[n] - y[n] z[n]  (N,)
    loss = values.sum() / N      # (F5)  loss = Σ_n values[n]/N
    dtypes = [np.result_type(p) for p in (w, b)]
    saved = (a, y, X, dtypes)
    return dtype.type(loss), Saved(saved)


def backward(saved, dL=1.0):
    """Return the gradients of dL * loss."""
    a, y, X, dtypes = saved
    N = a.shape[0]
    # (B4)  dz[n] = (a[n] - y[n]) dL/N  (N,)  from (F4), (F3) with (B2), (B3)
    dz = dL / N * (a - y)
    dw = X.T @ dz  # (B5)  dw[d] = Σ_n dz[n] X[n,d]  (D,)  from (F1)
    db = dz.sum()  # (B6)  db = Σ_n dz[n]  from (F1)
    grads = {"w": dw, "b": db}
    return like_parameters(grads, dtypes)


def value_and_grad(X: "N D", y: "N", w: "D", b: "", validate=True):
    """Return the loss and its gradients."""
    loss, saved = forward(X, y, w, b, validate)
    return loss, backward(saved)


def predict(X: "N D", w: "D", b: ""):
    """Return the outputs of the model."""
    X, (N, D) = read("X", X, "float", "N D", (None, None))
    w, _ = read("w", w, "wrt", "D", (D,))
    b, _ = read("b", b, "wrt", "", ())
    z = X @ w + b   # (F1)  z[n] = Σ_d X[n,d] w[d] + b  (N,)
    a = sigmoid(z)  # (F2)  a[n] = σ(z[n])  (N,)
    return {"probability": a}


# Self-check: run this file to compare backward with finite differences.


def draw_inputs(seed):
    """Draw the arguments of forward from their declared domains."""
    rng = np.random.default_rng(seed)
    N, D = 5, 3
    return {
        "X": rng.normal(size=(N, D)),
        "y": rng.choice([0.0, 1.0], size=(N,)),
        "w": rng.normal(size=(D,)),
        "b": rng.normal(size=()),
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
    print("gradient  shape  status     max error  decided")
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
        print(f"{name:8}  {array.shape!s:5}  {status:9}  {error:9.1e}  {count}")
    print("FAILED" if failed else "PASSED")
    return int(failed)


if __name__ == "__main__":
    raise SystemExit(self_check())
