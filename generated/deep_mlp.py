# symprop sha256:89b05a1d643fb524b0401310b16703e2
"""deep_mlp: loss and gradients in NumPy.

Made by symprop from symprop.zoo.perceptrons:deep_mlp.
It belongs to whoever made it.

    loss, saved = forward(x, y, W, b)
    gradients = backward(saved)

    x  (H, N)
    y  (H, N)
    W  (L, H, H)  parameter
    b  (L, H)     parameter

(F1), (F2), ... number the equations of the forward pass and (B1), (B2), ... those of
their adjoints: dW is the gradient of the loss by W. The derivation has these numbers.
"""

import numpy as np

WRT = ("W", "b")
OUTPUTS = ("output",)
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

    names = ("error", "W", "a", "a_prev", "dtype", "dtypes")

    def __getattribute__(self, name):
        """Return a part by its name."""
        if name in Saved.names:
            return self[Saved.names.index(name)]
        return super().__getattribute__(name)


def forward(x: "H N", y: "H N", W: "L H H", b: "L H", validate=True):
    """Return the loss, and what backward needs."""
    x, (H, N) = read("x", x, "float", "H N", (None, None))
    y, _ = read("y", y, "float", "H N", (H, N))
    W, (L, _, _) = read("W", W, "wrt", "L H H", (None, H, H))
    b, _ = read("b", b, "wrt", "L H", (L, H))
    dtype = np.result_type(x, y, W, b)
    a_prev, a = (np.empty((L, H, N), dtype) for _ in range(2))
    for l in range(L):
        # (F1)  a_prev[l,h,n] = [l = 0] x[h,n] + [l ≥ 1] a[l-1,h,n]  (L, H, N)
        a_prev[l] = x if l == 0 else a[l - 1]
        # (F2)  z[l,h,n] = Σ_i W[l,h,i] a_prev[l,i,n] + b[l,h]  (L, H, N)
        z = W[l] @ a_prev[l] + b[l][:, None]
        a[l] = sigmoid(z)  # (F3)  a[l,h,n] = σ(z[l,h,n])  (L, H, N)
    error = a[L - 1] - y   # (F4)  error[h,n] = a[L-1,h,n] - y[h,n]  (H, N)
    C = np.vdot(error, error) / (2 * N)  # (F5)  C = Σ_hn error[h,n]²/(2 N)
    dtypes = [np.result_type(p) for p in (W, b)]
    saved = (error, W, a, a_prev, dtype, dtypes)
    return dtype.type(C), Saved(saved)


def backward(saved, dL=1.0):
    """Return the gradients of dL * loss."""
    error, W, a, a_prev, dtype, dtypes = saved
    H, N = error.shape
    L = W.shape[0]
    # (B2)  derror[h,n] = error[h,n] dL/N  (H, N)  from (F5) with (B1)
    derror = dL / N * error
    # (B4) for all steps:  dz_factor[l,h,n] = a[l,h,n] (1 - a[l,h,n])  (L, H, N)
    dz_factor = a * (1 - a)
    dz = np.empty((L, H, N), dtype)
    for l in reversed(range(L)):
        # (B4)  dz[l,h,n] = (derror[h,n] [L-1 = l]
        #       + [l+1 < L] Σ_i dz[l+1,i,n] W[l+1,i,h]) a[l,h,n] (1 - a[l,h,n])
        #       (L, H, N)  from (F3) with (B3)
        dz[l] = (derror if L - 1 == l else W[l + 1].T @ dz[l + 1]) * dz_factor[l]
    # (B5)  dW[l,h,i] = Σ_n dz[l,h,n] a_prev[l,i,n]  (L, H, H)  from (F2)
    dW = dz @ a_prev.transpose(0, 2, 1)
    db = dz.sum(axis=2)  # (B6)  db[l,h] = Σ_n dz[l,h,n]  (L, H)  from (F2)
    grads = {"W": dW, "b": db}
    return like_parameters(grads, dtypes)


def value_and_grad(x: "H N", y: "H N", W: "L H H", b: "L H", validate=True):
    """Return the loss and its gradients."""
    C, saved = forward(x, y, W, b, validate)
    return C, backward(saved)


def predict(x: "H N", W: "L H H", b: "L H"):
    """Return the outputs of the model."""
    x, (H, N) = read("x", x, "float", "H N", (None, None))
    W, (L, _, _) = read("W", W, "wrt", "L H H", (None, H, H))
    b, _ = read("b", b, "wrt", "L H", (L, H))
    dtype = np.result_type(x, W, b)
    a = np.empty((L, H, N), dtype)
    for l in range(L):
        # (F1)  a_prev[l,h,n] = [l = 0] x[h,n] + [l ≥ 1] a[l-1,h,n]  (L, H, N)
        a_prev = x if l == 0 else a[l - 1]
        # (F2)  z[l,h,n] = Σ_i W[l,h,i] a_prev[l,i,n] + b[l,h]  (L, H, N)
        z = W[l] @ a_prev + b[l][:, None]
        a[l] = sigmoid(z)  # (F3)  a[l,h,n] = σ(z[l,h,n])  (L, H, N)
    output = a[L - 1]      # (F6)  output[h,n] = a[L-1,h,n]  (H, N)
    return {"output": output}


# Self-check: run this file to compare backward with finite differences.


def draw_inputs(seed):
    """Draw the arguments of forward from their declared domains."""
    rng = np.random.default_rng(seed)
    H, N, L = 5, 3, 7
    return {
        "x": rng.normal(size=(H, N)),
        "y": rng.normal(size=(H, N)),
        "W": rng.normal(size=(L, H, H)),
        "b": rng.normal(size=(L, H)),
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
    print("gradient  shape      status     max error  decided")
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
        print(f"{name:8}  {array.shape!s:9}  {status:9}  {error:9.1e}  {count}")
    print("FAILED" if failed else "PASSED")
    return int(failed)


if __name__ == "__main__":
    raise SystemExit(self_check())
