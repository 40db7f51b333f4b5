# symprop sha256:ba6924ec21d4bbb9b1d102abe3d8f4df
"""word2vec: loss and gradients in NumPy.

Made by symprop from symprop.zoo.embeddings:word2vec.
It belongs to whoever made it.

    loss, saved = forward(centre, context, negative, V, U)
    gradients = backward(saved)

    centre    (N,)    integers below M
    context   (N,)    integers below M
    negative  (N, K)  integers below M
    V         (M, D)  parameter
    U         (M, D)  parameter

(F1), (F2), ... number the equations of the forward pass and (B1), (B2), ... those of
their adjoints: dW is the gradient of the loss by W. The derivation has these numbers.
"""

import numpy as np

WRT = ("V", "U")
FACTS = (
    ("index", "centre", "M"),
    ("index", "context", "M"),
    ("index", "negative", "M"),
)
OUTPUTS = ("seen",)
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


def softplus(x):
    """log(1 + exp(x)) without overflow, all digits kept in the tail."""
    return np.maximum(x, 0) + np.log1p(np.exp(np.minimum(x, -x)))


def sigmoid(x):
    """1 / (1 + exp(-x)) without overflow, all digits kept in the tail."""
    e = np.exp(np.minimum(x, -x))
    return np.maximum(e, x >= 0) / (1 + e)


class Saved(tuple):
    """A tuple whose parts have names, as in saved.drawn."""

    names = (
        "drawn", "seen", "U", "negative", "centre", "context", "V", "dtype", "dtypes"
    )

    def __getattribute__(self, name):
        """Return a part by its name."""
        if name in Saved.names:
            return self[Saved.names.index(name)]
        return super().__getattribute__(name)


def forward(
    centre: "int N", context: "int N", negative: "int N K", V: "M D", U: "M D",
    validate=True,
):
    """Return the loss, and what backward needs."""
    centre, (N,) = read("centre", centre, "int", "N", (None,))
    context, _ = read("context", context, "int", "N", (N,))
    negative, (_, K) = read("negative", negative, "int", "N K", (N, None))
    V, (M, D) = read("V", V, "wrt", "M D", (None, None))
    U, _ = read("U", U, "wrt", "M D", (M, D))
    if validate:
        if np.any(centre < 0) or np.any(centre >= M):
            raise IndexError("centre holds a position outside 0 to M - 1")
        if np.any(context < 0) or np.any(context >= M):
            raise IndexError("context holds a position outside 0 to M - 1")
        if np.any(negative < 0) or np.any(negative >= M):
            raise IndexError("negative holds a position outside 0 to M - 1")
    dtype = np.result_type(V, U)
    # (F1)  seen[n] = Σ_d U[context[n],d] V[centre[n],d]  (N,)
    seen = np.einsum("nd,nd->n", U[context], V[centre])
    # (F2)  drawn[n,k] = Σ_d U[negative[n,k],d] V[centre[n],d]  (N, K)
    drawn = np.einsum("nkd,nd->nk", U[negative], V[centre])
    softplus_seen = softplus(-seen)  # (F3)  softplus_seen[n] = softplus(-seen[n])  (N,)
    # (F4)  softplus_drawn[n,k] = softplus(drawn[n,k])  (N, K)
    softplus_drawn = softplus(drawn)
    # (F5)  u[n] = softplus_seen[n] + Σ_k softplus_drawn[n,k]  (N,)
    u = softplus_seen + softplus_drawn.sum(axis=1)
    loss = u.sum() / N               # (F6)  loss = Σ_n u[n]/N
    dtypes = [np.result_type(p) for p in (V, U)]
    saved = (drawn, seen, U, negative, centre, context, V, dtype, dtypes)
    return dtype.type(loss), Saved(saved)


def backward(saved, dL=1.0):
    """Return the gradients of dL * loss."""
    drawn, seen, U, negative, centre, context, V, dtype, dtypes = saved
    N = drawn.shape[0]
    M, D = U.shape
    # (B5)  ddrawn[n,k] = σ(drawn[n,k]) dL/N  (N, K)  from (F4) with (B3)
    ddrawn = dL / N * sigmoid(drawn)
    # (B6)  dseen[n] = -σ(-seen[n]) dL/N  (N,)  from (F3) with (B4)
    dseen = -dL / N * sigmoid(-seen)
    # (B7)  dV[m,d] = Σ_nk ddrawn[n,k] U[negative[n,k],d] [centre[n] = m]
    #       + Σ_n dseen[n] U[context[n],d] [centre[n] = m]  (M, D)  from (F2), (F1)
    dV = np.zeros((M, D), dtype)
    np.add.at(dV, centre, np.einsum("nk,nkd->nd", ddrawn, U[negative]))
    np.add.at(dV, centre, dseen[:, None] * U[context])
    # (B8)  dU[m,d] = Σ_nk ddrawn[n,k] V[centre[n],d] [negative[n,k] = m]
    #       + Σ_n dseen[n] V[centre[n],d] [context[n] = m]  (M, D)  from (F2), (F1)
    dU = np.zeros((M, D), dtype)
    np.add.at(dU, negative, ddrawn[:, :, None] * V[centre][:, None, :])
    np.add.at(dU, context, dseen[:, None] * V[centre])
    grads = {"V": dV, "U": dU}
    return like_parameters(grads, dtypes)


def value_and_grad(
    centre: "int N", context: "int N", negative: "int N K", V: "M D", U: "M D",
    validate=True,
):
    """Return the loss and its gradients."""
    loss, saved = forward(centre, context, negative, V, U, validate)
    return loss, backward(saved)


def predict(centre: "int N", context: "int N", V: "M D", U: "M D"):
    """Return the outputs of the model."""
    centre, (N,) = read("centre", centre, "int", "N", (None,))
    context, _ = read("context", context, "int", "N", (N,))
    V, (M, D) = read("V", V, "wrt", "M D", (None, None))
    U, _ = read("U", U, "wrt", "M D", (M, D))
    # (F1)  seen[n] = Σ_d U[context[n],d] V[centre[n],d]  (N,)
    seen = np.einsum("nd,nd->n", U[context], V[centre])
    return {"seen": seen}


# Self-check: run this file to compare backward with finite differences.


def draw_inputs(seed):
    """Draw the arguments of forward from their declared domains."""
    rng = np.random.default_rng(seed)
    N, K, M, D = 5, 3, 7, 2
    return {
        "centre": rng.integers(0, M, size=(N,)),
        "context": rng.integers(0, M, size=(N,)),
        "negative": rng.integers(0, M, size=(N, K)),
        "V": rng.normal(size=(M, D)),
        "U": rng.normal(size=(M, D)),
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
