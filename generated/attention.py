# symprop sha256:198dedc7b1d6b3a6d5b8e8c77ee13cff
"""attention: loss and gradients in NumPy.

Made by symprop from symprop.zoo.attention:attention.
It belongs to whoever made it.

    loss, saved = forward(X, Y, Wq, Wk, Wv)
    gradients = backward(saved)

    X   (N, T, D)
    Y   (N, T, E)
    Wq  (D, H)     parameter
    Wk  (D, H)     parameter
    Wv  (D, E)     parameter

(F1), (F2), ... number the equations of the forward pass and (B1), (B2), ... those of
their adjoints: dW is the gradient of the loss by W. The derivation has these numbers.
"""

import numpy as np

WRT = ("Wq", "Wk", "Wv")
OUTPUTS = ("A", "Z")
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

    names = ("error", "V", "A", "X", "Q", "K", "dtypes")

    def __getattribute__(self, name):
        """Return a part by its name."""
        if name in Saved.names:
            return self[Saved.names.index(name)]
        return super().__getattribute__(name)


def forward(X: "N T D", Y: "N T E", Wq: "D H", Wk: "D H", Wv: "D E", validate=True):
    """Return the loss, and what backward needs."""
    X, (N, T, D) = read("X", X, "float", "N T D", (None, None, None))
    Y, (_, _, E) = read("Y", Y, "float", "N T E", (N, T, None))
    Wq, (_, H) = read("Wq", Wq, "wrt", "D H", (D, None))
    Wk, _ = read("Wk", Wk, "wrt", "D H", (D, H))
    Wv, _ = read("Wv", Wv, "wrt", "D E", (D, E))
    dtype = np.result_type(X, Y, Wq, Wk, Wv)
    Q = X @ Wq                # (F1)  Q[n,t,h] = Σ_d X[n,t,d] Wq[d,h]  (N, T, H)
    K = X @ Wk                # (F2)  K[n,t,h] = Σ_d X[n,t,d] Wk[d,h]  (N, T, H)
    V = X @ Wv                # (F3)  V[n,t,e] = Σ_d X[n,t,d] Wv[d,e]  (N, T, E)
    # (F4)  S[n,t,i] = Σ_h Q[n,t,h] K[n,i,h]/√H  (N, T, T)
    S = Q @ K.transpose(0, 2, 1) / H**0.5
    S_max = S.max(axis=2)     # (F5)  S_max[n,t] = max_i S[n,t,i]  (N, T)
    # (F6)  shifted[n,t,i] = S[n,t,i] - S_max[n,t]  (N, T, T)
    shifted = S - S_max[:, :, None]
    exps = np.exp(shifted)    # (F7)  exps[n,t,i] = exp(shifted[n,t,i])  (N, T, T)
    s = exps.sum(axis=2)      # (F8)  s[n,t] = Σ_i exps[n,t,i]  (N, T)
    A = exps / s[:, :, None]  # (F9)  A[n,t,i] = exps[n,t,i]/s[n,t]  (N, T, T)
    Z = A @ V                 # (F10)  Z[n,t,e] = Σ_i A[n,t,i] V[n,i,e]  (N, T, E)
    error = Z - Y             # (F11)  error[n,t,e] = Z[n,t,e] - Y[n,t,e]  (N, T, E)
    L = np.vdot(error, error) / (N * T * E)  # (F12)  L = Σ_nte error[n,t,e]²/(N T E)
    dtypes = [np.result_type(p) for p in (Wq, Wk, Wv)]
    saved = (error, V, A, X, Q, K, dtypes)
    return dtype.type(L), Saved(saved)


def backward(saved, dL=1.0):
    """Return the gradients of dL * loss."""
    error, V, A, X, Q, K, dtypes = saved
    N, T, E = error.shape
    H = Q.shape[2]
    # (B3)  dZ[n,t,e] = 2 error[n,t,e] dL/(N T E)  (N, T, E)  from (F11) with (B2)
    dZ = 2 * dL / (N * T * E) * error
    # (B4)  dA[n,t,i] = Σ_e dZ[n,t,e] V[n,i,e]  (N, T, T)  from (F10)
    dA = dZ @ V.transpose(0, 2, 1)
    # (B9)  dS[n,t,i] = (dA[n,t,i] - Σ_j dA[n,t,j] A[n,t,j]) A[n,t,i]  (N, T, T)
    #       from (F6), (F5) with (B8), (B7)
    dS = (dA - np.einsum("ntj,ntj->nt", dA, A)[:, :, None]) * A
    # (B10)  dV[n,t,e] = Σ_i dZ[n,i,e] A[n,i,t]  (N, T, E)  from (F10)
    dV = A.transpose(0, 2, 1) @ dZ
    # (B11)  dWv[d,e] = Σ_nt dV[n,t,e] X[n,t,d]  (D, E)  from (F3)
    dWv = np.tensordot(X, dV, axes=((0, 1), (0, 1)))
    # (B12)  dK[n,t,h] = Σ_i dS[n,i,t] Q[n,i,h]/√H  (N, T, H)  from (F4)
    dK = dS.transpose(0, 2, 1) @ Q / H**0.5
    # (B13)  dWk[d,h] = Σ_nt dK[n,t,h] X[n,t,d]  (D, H)  from (F2)
    dWk = np.tensordot(X, dK, axes=((0, 1), (0, 1)))
    # (B14)  dQ[n,t,h] = Σ_i dS[n,t,i] K[n,i,h]/√H  (N, T, H)  from (F4)
    dQ = dS @ K / H**0.5
    # (B15)  dWq[d,h] = Σ_nt dQ[n,t,h] X[n,t,d]  (D, H)  from (F1)
    dWq = np.tensordot(X, dQ, axes=((0, 1), (0, 1)))
    grads = {"Wq": dWq, "Wk": dWk, "Wv": dWv}
    return like_parameters(grads, dtypes)


def value_and_grad(
    X: "N T D", Y: "N T E", Wq: "D H", Wk: "D H", Wv: "D E", validate=True,
):
    """Return the loss and its gradients."""
    L, saved = forward(X, Y, Wq, Wk, Wv, validate)
    return L, backward(saved)


def predict(X: "N T D", Wq: "D H", Wk: "D H", Wv: "D E"):
    """Return the outputs of the model."""
    X, (N, T, D) = read("X", X, "float", "N T D", (None, None, None))
    Wq, (_, H) = read("Wq", Wq, "wrt", "D H", (D, None))
    Wk, _ = read("Wk", Wk, "wrt", "D H", (D, H))
    Wv, (_, E) = read("Wv", Wv, "wrt", "D E", (D, None))
    Q = X @ Wq                # (F1)  Q[n,t,h] = Σ_d X[n,t,d] Wq[d,h]  (N, T, H)
    K = X @ Wk                # (F2)  K[n,t,h] = Σ_d X[n,t,d] Wk[d,h]  (N, T, H)
    V = X @ Wv                # (F3)  V[n,t,e] = Σ_d X[n,t,d] Wv[d,e]  (N, T, E)
    # (F4)  S[n,t,i] = Σ_h Q[n,t,h] K[n,i,h]/√H  (N, T, T)
    S = Q @ K.transpose(0, 2, 1) / H**0.5
    S_max = S.max(axis=2)     # (F5)  S_max[n,t] = max_i S[n,t,i]  (N, T)
    # (F6)  shifted[n,t,i] = S[n,t,i] - S_max[n,t]  (N, T, T)
    shifted = S - S_max[:, :, None]
    exps = np.exp(shifted)    # (F7)  exps[n,t,i] = exp(shifted[n,t,i])  (N, T, T)
    s = exps.sum(axis=2)      # (F8)  s[n,t] = Σ_i exps[n,t,i]  (N, T)
    A = exps / s[:, :, None]  # (F9)  A[n,t,i] = exps[n,t,i]/s[n,t]  (N, T, T)
    Z = A @ V                 # (F10)  Z[n,t,e] = Σ_i A[n,t,i] V[n,i,e]  (N, T, E)
    return {"A": A, "Z": Z}


# Self-check: run this file to compare backward with finite differences.


def draw_inputs(seed):
    """Draw the arguments of forward from their declared domains."""
    rng = np.random.default_rng(seed)
    N, T, D, E, H = 5, 3, 7, 2, 11
    return {
        "X": rng.normal(size=(N, T, D)),
        "Y": rng.normal(size=(N, T, E)),
        "Wq": rng.normal(size=(D, H)),
        "Wk": rng.normal(size=(D, H)),
        "Wv": rng.normal(size=(D, E)),
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
