# symprop sha256:3b8f618063ba2be694d48623f4fed34e
"""autoencoder: loss and gradients in NumPy.

Made by symprop from symprop.zoo.perceptrons:autoencoder.
It belongs to whoever made it.

    loss, saved = forward(X, W1, b1, W2, b2, W3, b3, W4, b4)
    gradients = backward(saved)

    X   (N, D)
    W1  (D, H)  parameter
    b1  (H,)    parameter
    W2  (H, K)  parameter
    b2  (K,)    parameter
    W3  (K, H)  parameter
    b3  (H,)    parameter
    W4  (H, D)  parameter
    b4  (D,)    parameter

(F1), (F2), ... number the equations of the forward pass and (B1), (B2), ... those of
their adjoints: dW is the gradient of the loss by W. The derivation has these numbers.
"""

import numpy as np

WRT = ("W1", "b1", "W2", "b2", "W3", "b3", "W4", "b4")
OUTPUTS = ("code", "reconstruction")
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
    """A tuple whose parts have names, as in saved.error."""

    names = ("error", "H3", "W4", "code", "W3", "H1", "W2", "X", "dtypes")

    def __getattribute__(self, name):
        """Return a part by its name."""
        if name in Saved.names:
            return self[Saved.names.index(name)]
        return super().__getattribute__(name)


def forward(
    X: "N D", W1: "D H", b1: "H", W2: "H K", b2: "K", W3: "K H", b3: "H", W4: "H D",
    b4: "D", validate=True,
):
    """Return the loss, and what backward needs."""
    X, (N, D) = read("X", X, "float", "N D", (None, None))
    W1, (_, H) = read("W1", W1, "wrt", "D H", (D, None))
    b1, _ = read("b1", b1, "wrt", "H", (H,))
    W2, (_, K) = read("W2", W2, "wrt", "H K", (H, None))
    b2, _ = read("b2", b2, "wrt", "K", (K,))
    W3, _ = read("W3", W3, "wrt", "K H", (K, H))
    b3, _ = read("b3", b3, "wrt", "H", (H,))
    W4, _ = read("W4", W4, "wrt", "H D", (H, D))
    b4, _ = read("b4", b4, "wrt", "D", (D,))
    dtype = np.result_type(X, W1, b1, W2, b2, W3, b3, W4, b4)
    z1 = X @ W1 + b1     # (F1)  z1[n,h] = Σ_d X[n,d] W1[d,h] + b1[h]  (N, H)
    H1 = np.tanh(z1)     # (F2)  H1[n,h] = tanh(z1[n,h])  (N, H)
    z2 = H1 @ W2 + b2    # (F3)  z2[n,k] = Σ_h H1[n,h] W2[h,k] + b2[k]  (N, K)
    code = np.tanh(z2)   # (F4)  code[n,k] = tanh(z2[n,k])  (N, K)
    z3 = code @ W3 + b3  # (F5)  z3[n,h] = Σ_k code[n,k] W3[k,h] + b3[h]  (N, H)
    H3 = np.tanh(z3)     # (F6)  H3[n,h] = tanh(z3[n,h])  (N, H)
    # (F7)  reconstruction[n,d] = Σ_h H3[n,h] W4[h,d] + b4[d]  (N, D)
    reconstruction = H3 @ W4 + b4
    # (F8)  error[n,d] = reconstruction[n,d] - X[n,d]  (N, D)
    error = reconstruction - X
    loss = np.vdot(error, error) / (N * D)  # (F9)  loss = Σ_nd error[n,d]²/(N D)
    dtypes = [np.result_type(p) for p in (W1, b1, W2, b2, W3, b3, W4, b4)]
    saved = (error, H3, W4, code, W3, H1, W2, X, dtypes)
    return dtype.type(loss), Saved(saved)


def backward(saved, dL=1.0):
    """Return the gradients of dL * loss."""
    error, H3, W4, code, W3, H1, W2, X, dtypes = saved
    N, D = error.shape
    # (B3)  dreconstruction[n,d] = 2 error[n,d] dL/(N D)  (N, D)  from (F8) with (B2)
    dreconstruction = 2 * dL / (N * D) * error
    # (B4)  dW4[h,d] = Σ_n dreconstruction[n,d] H3[n,h]  (H, D)  from (F7)
    dW4 = H3.T @ dreconstruction
    # (B5)  db4[d] = Σ_n dreconstruction[n,d]  (D,)  from (F7)
    db4 = dreconstruction.sum(axis=0)
    # (B6)  dH3[n,h] = Σ_d dreconstruction[n,d] W4[h,d]  (N, H)  from (F7)
    dH3 = dreconstruction @ W4.T
    # (B7)  dz3[n,h] = dH3[n,h] (1 - H3[n,h]²)  (N, H)  from (F6)
    dz3 = dH3 * (1 - H3 * H3)
    dW3 = code.T @ dz3     # (B8)  dW3[k,h] = Σ_n dz3[n,h] code[n,k]  (K, H)  from (F5)
    db3 = dz3.sum(axis=0)  # (B9)  db3[h] = Σ_n dz3[n,h]  (H,)  from (F5)
    dcode = dz3 @ W3.T     # (B10)  dcode[n,k] = Σ_h dz3[n,h] W3[k,h]  (N, K)  from (F5)
    # (B11)  dz2[n,k] = dcode[n,k] (1 - code[n,k]²)  (N, K)  from (F4)
    dz2 = dcode * (1 - code * code)
    dW2 = H1.T @ dz2       # (B12)  dW2[h,k] = Σ_n dz2[n,k] H1[n,h]  (H, K)  from (F3)
    db2 = dz2.sum(axis=0)  # (B13)  db2[k] = Σ_n dz2[n,k]  (K,)  from (F3)
    dH1 = dz2 @ W2.T       # (B14)  dH1[n,h] = Σ_k dz2[n,k] W2[h,k]  (N, H)  from (F3)
    # (B15)  dz1[n,h] = dH1[n,h] (1 - H1[n,h]²)  (N, H)  from (F2)
    dz1 = dH1 * (1 - H1 * H1)
    dW1 = X.T @ dz1        # (B16)  dW1[d,h] = Σ_n dz1[n,h] X[n,d]  (D, H)  from (F1)
    db1 = dz1.sum(axis=0)  # (B17)  db1[h] = Σ_n dz1[n,h]  (H,)  from (F1)
    grads = {
        "W1": dW1, "b1": db1, "W2": dW2, "b2": db2, "W3": dW3, "b3": db3, "W4": dW4,
        "b4": db4
    }
    return like_parameters(grads, dtypes)


def value_and_grad(
    X: "N D", W1: "D H", b1: "H", W2: "H K", b2: "K", W3: "K H", b3: "H", W4: "H D",
    b4: "D", validate=True,
):
    """Return the loss and its gradients."""
    loss, saved = forward(X, W1, b1, W2, b2, W3, b3, W4, b4, validate)
    return loss, backward(saved)


def predict(
    X: "N D", W1: "D H", b1: "H", W2: "H K", b2: "K", W3: "K H", b3: "H", W4: "H D",
    b4: "D",
):
    """Return the outputs of the model."""
    X, (N, D) = read("X", X, "float", "N D", (None, None))
    W1, (_, H) = read("W1", W1, "wrt", "D H", (D, None))
    b1, _ = read("b1", b1, "wrt", "H", (H,))
    W2, (_, K) = read("W2", W2, "wrt", "H K", (H, None))
    b2, _ = read("b2", b2, "wrt", "K", (K,))
    W3, _ = read("W3", W3, "wrt", "K H", (K, H))
    b3, _ = read("b3", b3, "wrt", "H", (H,))
    W4, _ = read("W4", W4, "wrt", "H D", (H, D))
    b4, _ = read("b4", b4, "wrt", "D", (D,))
    z1 = X @ W1 + b1     # (F1)  z1[n,h] = Σ_d X[n,d] W1[d,h] + b1[h]  (N, H)
    H1 = np.tanh(z1)     # (F2)  H1[n,h] = tanh(z1[n,h])  (N, H)
    z2 = H1 @ W2 + b2    # (F3)  z2[n,k] = Σ_h H1[n,h] W2[h,k] + b2[k]  (N, K)
    code = np.tanh(z2)   # (F4)  code[n,k] = tanh(z2[n,k])  (N, K)
    z3 = code @ W3 + b3  # (F5)  z3[n,h] = Σ_k code[n,k] W3[k,h] + b3[h]  (N, H)
    H3 = np.tanh(z3)     # (F6)  H3[n,h] = tanh(z3[n,h])  (N, H)
    # (F7)  reconstruction[n,d] = Σ_h H3[n,h] W4[h,d] + b4[d]  (N, D)
    reconstruction = H3 @ W4 + b4
    return {"code": code, "reconstruction": reconstruction}


# Self-check: run this file to compare backward with finite differences.


def draw_inputs(seed):
    """Draw the arguments of forward from their declared domains."""
    rng = np.random.default_rng(seed)
    N, D, H, K = 5, 3, 7, 2
    return {
        "X": rng.normal(size=(N, D)),
        "W1": rng.normal(size=(D, H)),
        "b1": rng.normal(size=(H,)),
        "W2": rng.normal(size=(H, K)),
        "b2": rng.normal(size=(K,)),
        "W3": rng.normal(size=(K, H)),
        "b3": rng.normal(size=(H,)),
        "W4": rng.normal(size=(H, D)),
        "b4": rng.normal(size=(D,)),
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
