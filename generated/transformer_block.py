# symprop sha256:f50dbcbd37db32f6831e97afc46d8d0f
"""transformer_block: loss and gradients in NumPy.

Made by symprop from symprop.zoo.attention:transformer_block.
It belongs to whoever made it.

    loss, saved = forward(
        x, target, Wq, bq, Wk, bk, Wv, bv, Wo, bo, g1, b1, W1, c1, W2, c2, g2, b2
    )
    gradients = backward(saved)

    x       (N, T, D)
    target  (N, T, D)
    Wq      (D, D)     parameter
    bq      (D,)       parameter
    Wk      (D, D)     parameter
    bk      (D,)       parameter
    Wv      (D, D)     parameter
    bv      (D,)       parameter
    Wo      (D, D)     parameter
    bo      (D,)       parameter
    g1      (D,)       parameter
    b1      (D,)       parameter
    W1      (D, F)     parameter
    c1      (F,)       parameter
    W2      (F, D)     parameter
    c2      (D,)       parameter
    g2      (D,)       parameter
    b2      (D,)       parameter

(F1), (F2), ... number the equations of the forward pass and (B1), (B2), ... those of
their adjoints: dW is the gradient of the loss by W. The derivation has these numbers.
"""

import numpy as np

WRT = (
    "Wq", "bq", "Wk", "bk", "Wv", "bv", "Wo", "bo", "W1", "c1", "W2",
    "c2", "g1", "b1", "g2", "b2"
)
ZERO = ("bk",)
OUTPUTS = ("y",)
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

    names = (
        "error", "x_hat2", "g2", "std2", "relu_z", "W2", "z", "u", "W1", "x_hat1", "g1",
        "std1", "pv", "Wo", "v", "p", "x", "q", "k", "dtype", "dtypes"
    )

    def __getattribute__(self, name):
        """Return a part by its name."""
        if name in Saved.names:
            return self[Saved.names.index(name)]
        return super().__getattribute__(name)


def forward(
    x: "N T D", target: "N T D", Wq: "D D", bq: "D", Wk: "D D", bk: "D", Wv: "D D",
    bv: "D", Wo: "D D", bo: "D", g1: "D", b1: "D", W1: "D F", c1: "F", W2: "F D",
    c2: "D", g2: "D", b2: "D", heads=2, validate=True,
):
    """Return the loss, and what backward needs."""
    x, (N, T, D) = read("x", x, "float", "N T D", (None, None, None))
    target, _ = read("target", target, "float", "N T D", (N, T, D))
    Wq, _ = read("Wq", Wq, "wrt", "D D", (D, D))
    bq, _ = read("bq", bq, "wrt", "D", (D,))
    Wk, _ = read("Wk", Wk, "wrt", "D D", (D, D))
    bk, _ = read("bk", bk, "wrt", "D", (D,))
    Wv, _ = read("Wv", Wv, "wrt", "D D", (D, D))
    bv, _ = read("bv", bv, "wrt", "D", (D,))
    Wo, _ = read("Wo", Wo, "wrt", "D D", (D, D))
    bo, _ = read("bo", bo, "wrt", "D", (D,))
    g1, _ = read("g1", g1, "wrt", "D", (D,))
    b1, _ = read("b1", b1, "wrt", "D", (D,))
    W1, (_, F) = read("W1", W1, "wrt", "D F", (D, None))
    c1, _ = read("c1", c1, "wrt", "F", (F,))
    W2, _ = read("W2", W2, "wrt", "F D", (F, D))
    c2, _ = read("c2", c2, "wrt", "D", (D,))
    g2, _ = read("g2", g2, "wrt", "D", (D,))
    b2, _ = read("b2", b2, "wrt", "D", (D,))
    if validate:
        if D % 2:
            raise ValueError("the sizes do not fit: 2 must divide D")
    if heads != 2:
        raise ValueError("heads is fixed at 2")
    dtype = np.result_type(
        x, target, Wq, bq, Wk, bk, Wv, bv, Wo, bo, g1, b1, W1, c1, W2, c2, g2, b2
    )
    q = x @ Wq + bq           # (F1)  q[n,t,d] = Σ_j x[n,t,j] Wq[j,d] + bq[d]  (N, T, D)
    k = x @ Wk + bk           # (F2)  k[n,t,d] = Σ_j x[n,t,j] Wk[j,d] + bk[d]  (N, T, D)
    v = x @ Wv + bv           # (F3)  v[n,t,d] = Σ_j x[n,t,j] Wv[j,d] + bv[d]  (N, T, D)
    # (F4)  scores[n,j,t,r] = Σ_{w<D/2} q[n,t,D j/2+w] k[n,r,D j/2+w]/√(D/2)
    #       (N, 2, T, T)
    scores = (
        q.reshape(N, T, 2, D // 2).transpose(0, 2, 1, 3)
        @ k.reshape(N, T, 2, D // 2).transpose(0, 2, 3, 1) / (D / 2)**0.5
    )
    # (F5)  scores_max[n,j,t] = max_r scores[n,j,t,r]  (N, 2, T)
    scores_max = scores.max(axis=3)
    # (F6)  shifted[n,j,t,r] = scores[n,j,t,r] - scores_max[n,j,t]  (N, 2, T, T)
    shifted = scores - scores_max[:, :, :, None]
    e = np.exp(shifted)       # (F7)  e[n,j,t,r] = exp(shifted[n,j,t,r])  (N, 2, T, T)
    s = e.sum(axis=3)         # (F8)  s[n,j,t] = Σ_r e[n,j,t,r]  (N, 2, T)
    p = e / s[:, :, :, None]  # (F9)  p[n,j,t,r] = e[n,j,t,r]/s[n,j,t]  (N, 2, T, T)
    # (F10)  pv[n,j,t,r] = Σ_w p[n,j,t,w] v[n,w,D j/2+r]  (N, 2, T, D // 2)
    pv = p @ v.reshape(N, T, 2, D // 2).transpose(0, 2, 1, 3)
    # (F11)  attended[n,t,d] = Σ_j pv[n,⌊j/(D/2)⌋,t,(j mod (D/2))] Wo[j,d] + bo[d]
    #       (N, T, D)
    attended = pv.transpose(0, 2, 1, 3).reshape(N, T, D) @ Wo + bo
    skip1 = x + attended  # (F12)  skip1[n,t,d] = x[n,t,d] + attended[n,t,d]  (N, T, D)
    mu1 = skip1.sum(axis=2) / D  # (F13)  mu1[n,t] = Σ_d skip1[n,t,d]/D  (N, T)
    # (F14)  centred1[n,t,d] = skip1[n,t,d] - mu1[n,t]  (N, T, D)
    centred1 = skip1 - mu1[:, :, None]
    # (F15)  var1[n,t] = Σ_d centred1[n,t,d]²/D  (N, T)
    var1 = np.einsum("ntd,ntd->nt", centred1, centred1) / D
    var_eps1 = var1 + 1e-05   # (F16)  var_eps1[n,t] = var1[n,t] + 1e-5  (N, T)
    std1 = np.sqrt(var_eps1)  # (F17)  std1[n,t] = √var_eps1[n,t]  (N, T)
    # (F18)  x_hat1[n,t,d] = centred1[n,t,d]/std1[n,t]  (N, T, D)
    x_hat1 = centred1 / std1[:, :, None]
    u = g1 * x_hat1 + b1      # (F19)  u[n,t,d] = x_hat1[n,t,d] g1[d] + b1[d]  (N, T, D)
    z = u @ W1 + c1  # (F20)  z[n,t,i] = Σ_d u[n,t,d] W1[d,i] + c1[i]  (N, T, F)
    relu_z = np.maximum(z, 0)  # (F21)  relu_z[n,t,i] = relu(z[n,t,i])  (N, T, F)
    # (F22)  f[n,t,d] = Σ_i relu_z[n,t,i] W2[i,d] + c2[d]  (N, T, D)
    f = relu_z @ W2 + c2
    skip2 = u + f             # (F23)  skip2[n,t,d] = u[n,t,d] + f[n,t,d]  (N, T, D)
    mu2 = skip2.sum(axis=2) / D  # (F24)  mu2[n,t] = Σ_d skip2[n,t,d]/D  (N, T)
    # (F25)  centred2[n,t,d] = skip2[n,t,d] - mu2[n,t]  (N, T, D)
    centred2 = skip2 - mu2[:, :, None]
    # (F26)  var2[n,t] = Σ_d centred2[n,t,d]²/D  (N, T)
    var2 = np.einsum("ntd,ntd->nt", centred2, centred2) / D
    var_eps2 = var2 + 1e-05   # (F27)  var_eps2[n,t] = var2[n,t] + 1e-5  (N, T)
    std2 = np.sqrt(var_eps2)  # (F28)  std2[n,t] = √var_eps2[n,t]  (N, T)
    # (F29)  x_hat2[n,t,d] = centred2[n,t,d]/std2[n,t]  (N, T, D)
    x_hat2 = centred2 / std2[:, :, None]
    y = g2 * x_hat2 + b2      # (F30)  y[n,t,d] = x_hat2[n,t,d] g2[d] + b2[d]  (N, T, D)
    error = y - target  # (F31)  error[n,t,d] = y[n,t,d] - target[n,t,d]  (N, T, D)
    L = np.vdot(error, error) / (N * T * D)  # (F32)  L = Σ_ntd error[n,t,d]²/(N T D)
    dtypes = [
        np.result_type(p)
        for p in (Wq, bq, Wk, bk, Wv, bv, Wo, bo, W1, c1, W2, c2, g1, b1, g2, b2)
    ]
    saved = (
        error, x_hat2, g2, std2, relu_z, W2, z, u, W1, x_hat1, g1, std1, pv, Wo, v, p,
        x, q, k, dtype, dtypes
    )
    return dtype.type(L), Saved(saved)


def backward(saved, dL=1.0):
    """Return the gradients of dL * loss."""
    (
        error, x_hat2, g2, std2, relu_z, W2, z, u, W1, x_hat1, g1, std1, pv, Wo, v, p,
        x, q, k, dtype, dtypes
    ) = saved
    N, T, D = error.shape
    # (B4)  dg2[d] = 2 dL Σ_nt error[n,t,d] x_hat2[n,t,d]/(N T D)  (D,)
    #       from (F30) with (B3)
    dg2 = 2 * dL / (N * T * D) * np.einsum("ntd,ntd->d", error, x_hat2)
    # (B5)  db2[d] = 2 dL Σ_nt error[n,t,d]/(N T D)  (D,)  from (F30) with (B3)
    db2 = 2 * dL / (N * T * D) * error.sum(axis=(0, 1))
    # (B6)  dx_hat2[n,t,d] = 2 error[n,t,d] g2[d] dL/(N T D)  (N, T, D)
    #       from (F30) with (B3)
    dx_hat2 = 2 * dL / (N * T * D) * g2 * error
    # (B12)  dskip2[n,t,d] = (dx_hat2[n,t,d] - x_hat2[n,t,d] Σ_j dx_hat2[n,t,j]
    #       x_hat2[n,t,j]/D - Σ_j dx_hat2[n,t,j]/D)/std2[n,t]  (N, T, D)
    #       from (F25), (F24) with (B10), (B11)
    dskip2_product = (
        (np.einsum("ntj,ntj->nt", dx_hat2, x_hat2) / D)[:, :, None] * x_hat2
    )
    dskip2 = (
        (dx_hat2 - dskip2_product - (dx_hat2.sum(axis=2) / D)[:, :, None])
        / std2[:, :, None]
    )
    # (B14)  dW2[i,d] = Σ_nt dskip2[n,t,d] relu_z[n,t,i]  (F, D)  from (F22) with (B13)
    dW2 = np.tensordot(relu_z, dskip2, axes=((0, 1), (0, 1)))
    # (B15)  dc2[d] = Σ_nt dskip2[n,t,d]  (D,)  from (F22) with (B13)
    dc2 = dskip2.sum(axis=(0, 1))
    # (B16)  drelu_z[n,t,i] = Σ_d dskip2[n,t,d] W2[i,d]  (N, T, F)
    #       from (F22) with (B13)
    drelu_z = dskip2 @ W2.T
    # (B17)  dz[n,t,i] = drelu_z[n,t,i] [z[n,t,i] > 0]  (N, T, F)  from (F21)
    dz = drelu_z * (z > 0)
    # (B18)  dW1[d,i] = Σ_nt dz[n,t,i] u[n,t,d]  (D, F)  from (F20)
    dW1 = np.tensordot(u, dz, axes=((0, 1), (0, 1)))
    dc1 = dz.sum(axis=(0, 1))    # (B19)  dc1[i] = Σ_nt dz[n,t,i]  (F,)  from (F20)
    # (B20)  du[n,t,d] = dskip2[n,t,d] + Σ_i dz[n,t,i] W1[d,i]  (N, T, D)
    #       from (F23), (F20)
    du = dskip2 + dz @ W1.T
    # (B21)  dg1[d] = Σ_nt du[n,t,d] x_hat1[n,t,d]  (D,)  from (F19)
    dg1 = np.einsum("ntd,ntd->d", du, x_hat1)
    db1 = du.sum(axis=(0, 1))    # (B22)  db1[d] = Σ_nt du[n,t,d]  (D,)  from (F19)
    dx_hat1 = g1 * du  # (B23)  dx_hat1[n,t,d] = du[n,t,d] g1[d]  (N, T, D)  from (F19)
    # (B30)  dattended[n,t,d] = (dx_hat1[n,t,d] - x_hat1[n,t,d] Σ_j dx_hat1[n,t,j]
    #       x_hat1[n,t,j]/D - Σ_j dx_hat1[n,t,j]/D)/std1[n,t]  (N, T, D)
    #       from (F12) with (B29)
    dattended_product = (
        (np.einsum("ntj,ntj->nt", dx_hat1, x_hat1) / D)[:, :, None] * x_hat1
    )
    dattended = (
        (dx_hat1 - dattended_product - (dx_hat1.sum(axis=2) / D)[:, :, None])
        / std1[:, :, None]
    )
    # (B31)  dWo[d,j] = Σ_nt dattended[n,t,j] pv[n,⌊d/(D/2)⌋,t,(d mod (D/2))]  (D, D)
    #       from (F11)
    dWo = np.tensordot(
        pv.transpose(0, 2, 1, 3).reshape(N, T, D), dattended, axes=((0, 1), (0, 1))
    )
    # (B32)  dbo[d] = Σ_nt dattended[n,t,d]  (D,)  from (F11)
    dbo = dattended.sum(axis=(0, 1))
    # (B33)  dpv[n,j,t,r] = Σ_d dattended[n,t,d] Wo[D j/2+r,d]  (N, 2, T, D // 2)
    #       from (F11)
    dpv = (dattended @ Wo.T).reshape(N, T, 2, D // 2).transpose(0, 2, 1, 3)
    # (B34)  dp[n,j,t,r] = Σ_w dpv[n,j,t,w] v[n,r,w+D j/2]  (N, 2, T, T)  from (F10)
    dp = dpv @ v.reshape(N, T, 2, D // 2).transpose(0, 2, 3, 1)
    # (B39)  dscores[n,j,t,r] = (dp[n,j,t,r] - Σ_w dp[n,j,t,w] p[n,j,t,w]) p[n,j,t,r]
    #       (N, 2, T, T)  from (F6), (F5) with (B38), (B37)
    dscores = (dp - np.einsum("njtw,njtw->njt", dp, p)[:, :, :, None]) * p
    # (B40)  dv[n,t,d] = Σ_j dpv[n,⌊d/(D/2)⌋,j,(d mod (D/2))] p[n,⌊d/(D/2)⌋,j,t]
    #       (N, T, D)  from (F10)
    dv = (p.transpose(0, 1, 3, 2) @ dpv).transpose(0, 2, 1, 3).reshape(N, T, D)
    # (B41)  dWv[d,j] = Σ_nt dv[n,t,j] x[n,t,d]  (D, D)  from (F3)
    dWv = np.tensordot(x, dv, axes=((0, 1), (0, 1)))
    dbv = dv.sum(axis=(0, 1))    # (B42)  dbv[d] = Σ_nt dv[n,t,d]  (D,)  from (F3)
    # (B43)  dk[n,t,d] = Σ_j dscores[n,⌊d/(D/2)⌋,j,t] q[n,j,d]/√(D/2)  (N, T, D)
    #       from (F4)
    dk = (
        (
            dscores.transpose(0, 1, 3, 2)
            @ q.reshape(N, T, 2, D // 2).transpose(0, 2, 1, 3)
        ).transpose(0, 2, 1, 3)
        / (D / 2)**0.5
    ).reshape(N, T, D)
    # (B44)  dWk[d,j] = Σ_nt dk[n,t,j] x[n,t,d]  (D, D)  from (F2)
    dWk = np.tensordot(x, dk, axes=((0, 1), (0, 1)))
    dbk = np.zeros((D,), dtype)  # (B45)  dbk[d] = 0  (D,)  from (F2) with (B43)
    # (B46)  dq[n,t,d] = Σ_j dscores[n,⌊d/(D/2)⌋,t,j] k[n,j,d]/√(D/2)  (N, T, D)
    #       from (F4)
    dq = (
        (
            dscores @ k.reshape(N, T, 2, D // 2).transpose(0, 2, 1, 3)
        ).transpose(0, 2, 1, 3)
        / (D / 2)**0.5
    ).reshape(N, T, D)
    # (B47)  dWq[d,j] = Σ_nt dq[n,t,j] x[n,t,d]  (D, D)  from (F1)
    dWq = np.tensordot(x, dq, axes=((0, 1), (0, 1)))
    dbq = dq.sum(axis=(0, 1))    # (B48)  dbq[d] = Σ_nt dq[n,t,d]  (D,)  from (F1)
    grads = {
        "Wq": dWq, "bq": dbq, "Wk": dWk, "bk": dbk, "Wv": dWv, "bv": dbv, "Wo": dWo,
        "bo": dbo, "W1": dW1, "c1": dc1, "W2": dW2, "c2": dc2, "g1": dg1, "b1": db1,
        "g2": dg2, "b2": db2
    }
    return like_parameters(grads, dtypes)


def value_and_grad(
    x: "N T D", target: "N T D", Wq: "D D", bq: "D", Wk: "D D", bk: "D", Wv: "D D",
    bv: "D", Wo: "D D", bo: "D", g1: "D", b1: "D", W1: "D F", c1: "F", W2: "F D",
    c2: "D", g2: "D", b2: "D", heads=2, validate=True,
):
    """Return the loss and its gradients."""
    L, saved = forward(
        x, target, Wq, bq, Wk, bk, Wv, bv, Wo, bo, g1, b1, W1, c1, W2, c2, g2, b2,
        heads, validate
    )
    return L, backward(saved)


def predict(
    x: "N T D", Wq: "D D", bq: "D", Wk: "D D", bk: "D", Wv: "D D", bv: "D", Wo: "D D",
    bo: "D", g1: "D", b1: "D", W1: "D F", c1: "F", W2: "F D", c2: "D", g2: "D", b2: "D",
):
    """Return the outputs of the model."""
    x, (N, T, D) = read("x", x, "float", "N T D", (None, None, None))
    Wq, _ = read("Wq", Wq, "wrt", "D D", (D, D))
    bq, _ = read("bq", bq, "wrt", "D", (D,))
    Wk, _ = read("Wk", Wk, "wrt", "D D", (D, D))
    bk, _ = read("bk", bk, "wrt", "D", (D,))
    Wv, _ = read("Wv", Wv, "wrt", "D D", (D, D))
    bv, _ = read("bv", bv, "wrt", "D", (D,))
    Wo, _ = read("Wo", Wo, "wrt", "D D", (D, D))
    bo, _ = read("bo", bo, "wrt", "D", (D,))
    g1, _ = read("g1", g1, "wrt", "D", (D,))
    b1, _ = read("b1", b1, "wrt", "D", (D,))
    W1, (_, F) = read("W1", W1, "wrt", "D F", (D, None))
    c1, _ = read("c1", c1, "wrt", "F", (F,))
    W2, _ = read("W2", W2, "wrt", "F D", (F, D))
    c2, _ = read("c2", c2, "wrt", "D", (D,))
    g2, _ = read("g2", g2, "wrt", "D", (D,))
    b2, _ = read("b2", b2, "wrt", "D", (D,))
    q = x @ Wq + bq           # (F1)  q[n,t,d] = Σ_j x[n,t,j] Wq[j,d] + bq[d]  (N, T, D)
    k = x @ Wk + bk           # (F2)  k[n,t,d] = Σ_j x[n,t,j] Wk[j,d] + bk[d]  (N, T, D)
    v = x @ Wv + bv           # (F3)  v[n,t,d] = Σ_j x[n,t,j] Wv[j,d] + bv[d]  (N, T, D)
    # (F4)  scores[n,j,t,r] = Σ_{w<D/2} q[n,t,D j/2+w] k[n,r,D j/2+w]/√(D/2)
    #       (N, 2, T, T)
    scores = (
        q.reshape(N, T, 2, D // 2).transpose(0, 2, 1, 3)
        @ k.reshape(N, T, 2, D // 2).transpose(0, 2, 3, 1) / (D / 2)**0.5
    )
    # (F5)  scores_max[n,j,t] = max_r scores[n,j,t,r]  (N, 2, T)
    scores_max = scores.max(axis=3)
    # (F6)  shifted[n,j,t,r] = scores[n,j,t,r] - scores_max[n,j,t]  (N, 2, T, T)
    shifted = scores - scores_max[:, :, :, None]
    e = np.exp(shifted)       # (F7)  e[n,j,t,r] = exp(shifted[n,j,t,r])  (N, 2, T, T)
    s = e.sum(axis=3)         # (F8)  s[n,j,t] = Σ_r e[n,j,t,r]  (N, 2, T)
    p = e / s[:, :, :, None]  # (F9)  p[n,j,t,r] = e[n,j,t,r]/s[n,j,t]  (N, 2, T, T)
    # (F10)  pv[n,j,t,r] = Σ_w p[n,j,t,w] v[n,w,D j/2+r]  (N, 2, T, D // 2)
    pv = p @ v.reshape(N, T, 2, D // 2).transpose(0, 2, 1, 3)
    # (F11)  attended[n,t,d] = Σ_j pv[n,⌊j/(D/2)⌋,t,(j mod (D/2))] Wo[j,d] + bo[d]
    #       (N, T, D)
    attended = pv.transpose(0, 2, 1, 3).reshape(N, T, D) @ Wo + bo
    skip1 = x + attended  # (F12)  skip1[n,t,d] = x[n,t,d] + attended[n,t,d]  (N, T, D)
    mu1 = skip1.sum(axis=2) / D  # (F13)  mu1[n,t] = Σ_d skip1[n,t,d]/D  (N, T)
    # (F14)  centred1[n,t,d] = skip1[n,t,d] - mu1[n,t]  (N, T, D)
    centred1 = skip1 - mu1[:, :, None]
    # (F15)  var1[n,t] = Σ_d centred1[n,t,d]²/D  (N, T)
    var1 = np.einsum("ntd,ntd->nt", centred1, centred1) / D
    var_eps1 = var1 + 1e-05   # (F16)  var_eps1[n,t] = var1[n,t] + 1e-5  (N, T)
    std1 = np.sqrt(var_eps1)  # (F17)  std1[n,t] = √var_eps1[n,t]  (N, T)
    # (F18)  x_hat1[n,t,d] = centred1[n,t,d]/std1[n,t]  (N, T, D)
    x_hat1 = centred1 / std1[:, :, None]
    u = g1 * x_hat1 + b1      # (F19)  u[n,t,d] = x_hat1[n,t,d] g1[d] + b1[d]  (N, T, D)
    z = u @ W1 + c1  # (F20)  z[n,t,i] = Σ_d u[n,t,d] W1[d,i] + c1[i]  (N, T, F)
    relu_z = np.maximum(z, 0)  # (F21)  relu_z[n,t,i] = relu(z[n,t,i])  (N, T, F)
    # (F22)  f[n,t,d] = Σ_i relu_z[n,t,i] W2[i,d] + c2[d]  (N, T, D)
    f = relu_z @ W2 + c2
    skip2 = u + f             # (F23)  skip2[n,t,d] = u[n,t,d] + f[n,t,d]  (N, T, D)
    mu2 = skip2.sum(axis=2) / D  # (F24)  mu2[n,t] = Σ_d skip2[n,t,d]/D  (N, T)
    # (F25)  centred2[n,t,d] = skip2[n,t,d] - mu2[n,t]  (N, T, D)
    centred2 = skip2 - mu2[:, :, None]
    # (F26)  var2[n,t] = Σ_d centred2[n,t,d]²/D  (N, T)
    var2 = np.einsum("ntd,ntd->nt", centred2, centred2) / D
    var_eps2 = var2 + 1e-05   # (F27)  var_eps2[n,t] = var2[n,t] + 1e-5  (N, T)
    std2 = np.sqrt(var_eps2)  # (F28)  std2[n,t] = √var_eps2[n,t]  (N, T)
    # (F29)  x_hat2[n,t,d] = centred2[n,t,d]/std2[n,t]  (N, T, D)
    x_hat2 = centred2 / std2[:, :, None]
    y = g2 * x_hat2 + b2      # (F30)  y[n,t,d] = x_hat2[n,t,d] g2[d] + b2[d]  (N, T, D)
    return {"y": y}


# Self-check: run this file to compare backward with finite differences.


def draw_inputs(seed):
    """Draw the arguments of forward from their declared domains."""
    rng = np.random.default_rng(seed)
    N, T, D, F = 5, 3, 4, 7
    return {
        "x": rng.normal(size=(N, T, D)),
        "target": rng.normal(size=(N, T, D)),
        "Wq": rng.normal(size=(D, D)),
        "bq": rng.normal(size=(D,)),
        "Wk": rng.normal(size=(D, D)),
        "bk": rng.normal(size=(D,)),
        "Wv": rng.normal(size=(D, D)),
        "bv": rng.normal(size=(D,)),
        "Wo": rng.normal(size=(D, D)),
        "bo": rng.normal(size=(D,)),
        "g1": rng.normal(size=(D,)),
        "b1": rng.normal(size=(D,)),
        "W1": rng.normal(size=(D, F)),
        "c1": rng.normal(size=(F,)),
        "W2": rng.normal(size=(F, D)),
        "c2": rng.normal(size=(D,)),
        "g2": rng.normal(size=(D,)),
        "b2": rng.normal(size=(D,)),
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
        elif name in ZERO:
            status = "FAIL" if grad.any() else "ZERO"
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
