# symprop sha256:1e31d54b6252208aa54ba6321f27a642
"""state_space: loss and gradients in NumPy.

Made by symprop from symprop.zoo.dynamics:state_space.
It belongs to whoever made it.

    loss, saved = forward(u, y, a, B, C, D)
    gradients = backward(saved)

    u  (T, N, K)
    y  (T, N, M)
    a  (H,)       parameter
    B  (K, H)     parameter
    C  (H, M)     parameter
    D  (K, M)     parameter

(F1), (F2), ... number the equations of the forward pass and (B1), (B2), ... those of
their adjoints: dW is the gradient of the loss by W. The derivation has these numbers.
"""

import numpy as np

WRT = ("a", "B", "C", "D")
OUTPUTS = ("outputs",)
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

    names = ("error", "x", "u", "C", "decay", "x_prev", "dtype", "dtypes")

    def __getattribute__(self, name):
        """Return a part by its name."""
        if name in Saved.names:
            return self[Saved.names.index(name)]
        return super().__getattribute__(name)


def forward(
    u: "T N K", y: "T N M", a: "H", B: "K H", C: "H M", D: "K M", validate=True,
):
    """Return the loss, and what backward needs."""
    u, (T, N, K) = read("u", u, "float", "T N K", (None, None, None))
    y, (_, _, M) = read("y", y, "float", "T N M", (T, N, None))
    a, (H,) = read("a", a, "wrt", "H", (None,))
    B, _ = read("B", B, "wrt", "K H", (K, H))
    C, _ = read("C", C, "wrt", "H M", (H, M))
    D, _ = read("D", D, "wrt", "K M", (K, M))
    dtype = np.result_type(u, y, a, B, C, D)
    decay = sigmoid(a)   # (F1)  decay[h] = σ(a[h])  (H,)
    driven = u @ B       # (F2)  driven[t,n,h] = Σ_k u[t,n,k] B[k,h]  (T, N, H)
    x_prev, x = (np.empty((T, N, H), dtype) for _ in range(2))
    for t in range(T):
        # (F3)  x_prev[t,n,h] = [t ≥ 1] x[t-1,n,h]  (T, N, H)
        x_prev[t] = x[t - 1] if t >= 1 else 0
        # (F4)  x[t,n,h] = decay[h] x_prev[t,n,h] + driven[t,n,h]  (T, N, H)
        x[t] = decay * x_prev[t] + driven[t]
    # (F5)  outputs[t,n,m] = Σ_h x[t,n,h] C[h,m] + Σ_k u[t,n,k] D[k,m]  (T, N, M)
    outputs = x @ C + u @ D
    error = outputs - y  # (F6)  error[t,n,m] = outputs[t,n,m] - y[t,n,m]  (T, N, M)
    # (F7)  loss = Σ_tnm error[t,n,m]²/(T N M)
    loss = np.vdot(error, error) / (T * N * M)
    dtypes = [np.result_type(p) for p in (a, B, C, D)]
    saved = (error, x, u, C, decay, x_prev, dtype, dtypes)
    return dtype.type(loss), Saved(saved)


def backward(saved, dL=1.0):
    """Return the gradients of dL * loss."""
    error, x, u, C, decay, x_prev, dtype, dtypes = saved
    T, N, M = error.shape
    H = x.shape[2]
    # (B3)  doutputs[t,n,m] = 2 error[t,n,m] dL/(T N M)  (T, N, M)  from (F6) with (B2)
    doutputs = 2 * dL / (T * N * M) * error
    # (B4)  dC[h,m] = Σ_tn doutputs[t,n,m] x[t,n,h]  (H, M)  from (F5)
    dC = np.tensordot(x, doutputs, axes=((0, 1), (0, 1)))
    # (B5)  dD[k,m] = Σ_tn doutputs[t,n,m] u[t,n,k]  (K, M)  from (F5)
    dD = np.tensordot(u, doutputs, axes=((0, 1), (0, 1)))
    # (B6) for all steps:  dx_given[t,n,h] = Σ_m doutputs[t,n,m] C[h,m]  (T, N, H)
    dx_given = doutputs @ C.T
    dx = np.empty((T, N, H), dtype)
    for t in reversed(range(T)):
        # (B6)  dx[t,n,h] = Σ_m doutputs[t,n,m] C[h,m] + dx[t+1,n,h] decay[h] [t+1 < T]
        #       (T, N, H)  from (F5), (F3) with (B7)
        dx[t] = dx_given[t] + (decay * dx[t + 1] if t + 1 < T else 0)
    # (B9)  dB[k,h] = Σ_tn dx[t,n,h] u[t,n,k]  (K, H)  from (F2) with (B8)
    dB = np.tensordot(u, dx, axes=((0, 1), (0, 1)))
    # (B11)  da[h] = decay[h] (1 - decay[h]) Σ_tn dx[t,n,h] x_prev[t,n,h]  (H,)
    #       from (F1) with (B10)
    da = decay * (1 - decay) * np.einsum("tnh,tnh->h", dx, x_prev)
    grads = {"a": da, "B": dB, "C": dC, "D": dD}
    return like_parameters(grads, dtypes)


def value_and_grad(
    u: "T N K", y: "T N M", a: "H", B: "K H", C: "H M", D: "K M", validate=True,
):
    """Return the loss and its gradients."""
    loss, saved = forward(u, y, a, B, C, D, validate)
    return loss, backward(saved)


def predict(u: "T N K", a: "H", B: "K H", C: "H M", D: "K M"):
    """Return the outputs of the model."""
    u, (T, N, K) = read("u", u, "float", "T N K", (None, None, None))
    a, (H,) = read("a", a, "wrt", "H", (None,))
    B, _ = read("B", B, "wrt", "K H", (K, H))
    C, (_, M) = read("C", C, "wrt", "H M", (H, None))
    D, _ = read("D", D, "wrt", "K M", (K, M))
    dtype = np.result_type(u, a, B, C, D)
    decay = sigmoid(a)  # (F1)  decay[h] = σ(a[h])  (H,)
    driven = u @ B      # (F2)  driven[t,n,h] = Σ_k u[t,n,k] B[k,h]  (T, N, H)
    x = np.empty((T, N, H), dtype)
    for t in range(T):
        # (F3)  x_prev[t,n,h] = [t ≥ 1] x[t-1,n,h]  (T, N, H)
        x_prev = x[t - 1] if t >= 1 else np.zeros((N, H), dtype)
        # (F4)  x[t,n,h] = decay[h] x_prev[t,n,h] + driven[t,n,h]  (T, N, H)
        x[t] = decay * x_prev + driven[t]
    # (F5)  outputs[t,n,m] = Σ_h x[t,n,h] C[h,m] + Σ_k u[t,n,k] D[k,m]  (T, N, M)
    outputs = x @ C + u @ D
    return {"outputs": outputs}


# Self-check: run this file to compare backward with finite differences.


def draw_inputs(seed):
    """Draw the arguments of forward from their declared domains."""
    rng = np.random.default_rng(seed)
    T, N, K, M, H = 5, 3, 7, 2, 11
    return {
        "u": rng.normal(size=(T, N, K)),
        "y": rng.normal(size=(T, N, M)),
        "a": rng.normal(size=(H,)),
        "B": rng.normal(size=(K, H)),
        "C": rng.normal(size=(H, M)),
        "D": rng.normal(size=(K, M)),
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
