# symprop sha256:752b5416094d358e45dba1933a2ee65e
"""matrix_factorization: loss and gradients in NumPy.

Made by symprop from symprop.zoo.linear:matrix_factorization.
It belongs to whoever made it.

    loss, saved = forward(R, mask, U, V)
    gradients = backward(saved)

    R     (N, M)
    mask  (N, M)
    U     (N, K)  parameter
    V     (M, K)  parameter

It is assumed, and tested, that mask holds only 0, 1.

(F1), (F2), ... number the equations of the forward pass and (B1), (B2), ... those of
their adjoints: dW is the gradient of the loss by W. The derivation has these numbers.
"""

import numpy as np

WRT = ("U", "V")
FACTS = (
    ("one_of", "mask", 0, 1),
)
OUTPUTS = ("ratings",)
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

    names = ("error", "mask", "U", "V", "dtypes")

    def __getattribute__(self, name):
        """Return a part by its name."""
        if name in Saved.names:
            return self[Saved.names.index(name)]
        return super().__getattribute__(name)


def forward(R: "N M", mask: "N M", U: "N K", V: "M K", validate=True):
    """Return the loss, and what backward needs."""
    R, (N, M) = read("R", R, "float", "N M", (None, None))
    mask, _ = read("mask", mask, "float", "N M", (N, M))
    U, (_, K) = read("U", U, "wrt", "N K", (N, None))
    V, _ = read("V", V, "wrt", "M K", (M, K))
    if validate:
        if not np.all(np.isin(mask, [0, 1])):
            raise ValueError("mask must hold no other values than 0, 1")
    dtype = np.result_type(R, mask, U, V)
    ratings = U @ V.T              # (F1)  ratings[n,m] = Σ_k U[n,k] V[m,k]  (N, M)
    u = ratings - R                # (F2)  u[n,m] = ratings[n,m] - R[n,m]  (N, M)
    error = mask * u               # (F3)  error[n,m] = mask[n,m] u[n,m]  (N, M)
    sum_U = np.vdot(U, U)          # (F4)  sum_U = Σ_nk U[n,k]²
    total = sum_U + np.vdot(V, V)  # (F5)  total = sum_U + Σ_mk V[m,k]²
    # (F6)  loss = Σ_nm error[n,m]²/2 + 0.05 total
    loss = 0.5 * np.vdot(error, error) + 0.05 * total
    dtypes = [np.result_type(p) for p in (U, V)]
    saved = (error, mask, U, V, dtypes)
    return dtype.type(loss), Saved(saved)


def backward(saved, dL=1.0):
    """Return the gradients of dL * loss."""
    error, mask, U, V, dtypes = saved
    # (B6)  dratings[n,m] = error[n,m] mask[n,m] dL  (N, M)  from (F2) with (B5)
    dratings = dL * error * mask
    # (B7)  dU[n,k] = 0.1 U[n,k] dL + Σ_m dratings[n,m] V[m,k]  (N, K)
    #       from (F4), (F1) with (B3)
    dU = 0.1 * dL * U + dratings @ V
    # (B8)  dV[m,k] = 0.1 V[m,k] dL + Σ_n dratings[n,m] U[n,k]  (M, K)
    #       from (F5), (F1) with (B2)
    dV = 0.1 * dL * V + dratings.T @ U
    grads = {"U": dU, "V": dV}
    return like_parameters(grads, dtypes)


def value_and_grad(R: "N M", mask: "N M", U: "N K", V: "M K", validate=True):
    """Return the loss and its gradients."""
    loss, saved = forward(R, mask, U, V, validate)
    return loss, backward(saved)


def predict(U: "N K", V: "M K"):
    """Return the outputs of the model."""
    U, (N, K) = read("U", U, "wrt", "N K", (None, None))
    V, (M, _) = read("V", V, "wrt", "M K", (None, K))
    ratings = U @ V.T  # (F1)  ratings[n,m] = Σ_k U[n,k] V[m,k]  (N, M)
    return {"ratings": ratings}


# Self-check: run this file to compare backward with finite differences.


def draw_inputs(seed):
    """Draw the arguments of forward from their declared domains."""
    rng = np.random.default_rng(seed)
    N, M, K = 5, 3, 7
    return {
        "R": rng.normal(size=(N, M)),
        "mask": rng.choice([0.0, 1.0], size=(N, M)),
        "U": rng.normal(size=(N, K)),
        "V": rng.normal(size=(M, K)),
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
