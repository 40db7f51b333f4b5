# symprop sha256:c12c199519cd033030ce0ef9314f00cc
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
    """What backward needs: a tuple whose parts have names, as in saved.L_error."""

    names = (
        "L_error", "y_normalized", "g2", "y_std", "f_relu", "W2", "f_in", "u", "W1",
        "u_normalized", "g1", "u_std", "attended_dot", "Wo", "v_sum",
        "attended_weights", "x", "q_sum", "k_sum", "dtype", "dtypes"
    )

    def __getattribute__(self, name):
        """Return a part by its name."""
        if name in Saved.names:
            return self[Saved.names.index(name)]
        return super().__getattribute__(name)


def forward(
    x: "N T D",
    target: "N T D",
    Wq: "D D",
    bq: "D",
    Wk: "D D",
    bk: "D",
    Wv: "D D",
    bv: "D",
    Wo: "D D",
    bo: "D",
    g1: "D",
    b1: "D",
    W1: "D F",
    c1: "F",
    W2: "F D",
    c2: "D",
    g2: "D",
    b2: "D",
    heads=2,
    validate=True,
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
    # (F1)  q_sum[n,t,d] = Σ_i x[n,t,i] Wq[i,d] + bq[d]  (N, T, D)
    q_sum = x @ Wq + bq
    # (F2)  k_sum[n,t,d] = Σ_i x[n,t,i] Wk[i,d] + bk[d]  (N, T, D)
    k_sum = x @ Wk + bk
    # (F3)  v_sum[n,t,d] = Σ_i x[n,t,i] Wv[i,d] + bv[d]  (N, T, D)
    v_sum = x @ Wv + bv
    # (F4)  attended_scores[n,i,t,j] = Σ_d q_sum[n,t,D i/2+d] k_sum[n,j,D i/2+d]/√(D/2)
    #       (N, 2, T, T)
    attended_scores_picked = q_sum.reshape(N, T, 2, D // 2).transpose(0, 2, 1, 3)
    attended_scores = (
        attended_scores_picked @ k_sum.reshape(N, T, 2, D // 2).transpose(0, 2, 3, 1)
        / (D / 2)**0.5
    )
    # (F5)  attended_top[n,i,t] = max_j attended_scores[n,i,t,j]  (N, 2, T)
    attended_top = attended_scores.max(axis=3)
    # (F6)  attended_in[n,i,t,j] = attended_scores[n,i,t,j] - attended_top[n,i,t]
    #       (N, 2, T, T)
    attended_in = attended_scores - attended_top[:, :, :, None]
    # (F7)  attended_exp[n,i,t,j] = exp(attended_in[n,i,t,j])  (N, 2, T, T)
    attended_exp = np.exp(attended_in)
    # (F8)  attended_total[n,i,t] = Σ_j attended_exp[n,i,t,j]  (N, 2, T)
    attended_total = attended_exp.sum(axis=3)
    # (F9)  attended_weights[n,i,t,j] = attended_exp[n,i,t,j]/attended_total[n,i,t]
    #       (N, 2, T, T)
    attended_weights = attended_exp / attended_total[:, :, :, None]
    # (F10)  attended_dot[n,i,t,d] = Σ_j attended_weights[n,i,t,j] v_sum[n,j,D i/2+d]
    #       (N, 2, T, D // 2)
    attended_dot = (
        attended_weights @ v_sum.reshape(N, T, 2, D // 2).transpose(0, 2, 1, 3)
    )
    # (F11)  attended[n,t,d] = Σ_i attended_dot[n,⌊i/(D/2)⌋,t,(i mod (D/2))] Wo[i,d]
    #       + bo[d]  (N, T, D)
    attended = attended_dot.transpose(0, 2, 1, 3).reshape(N, T, D) @ Wo + bo
    # (F12)  u_array[n,t,d] = x[n,t,d] + attended[n,t,d]  (N, T, D)
    u_array = x + attended
    # (F13)  u_mean[n,t] = Σ_d u_array[n,t,d]/D  (N, T)
    u_mean = u_array.sum(axis=2) / D
    # (F14)  u_centred[n,t,d] = u_array[n,t,d] - u_mean[n,t]  (N, T, D)
    u_centred = u_array - u_mean[:, :, None]
    # (F15)  u_var[n,t] = Σ_d u_centred[n,t,d]²/D  (N, T)
    u_var = np.einsum("ntd,ntd->nt", u_centred, u_centred) / D
    u_sum = u_var + 1e-05         # (F16)  u_sum[n,t] = u_var[n,t] + 1e-5  (N, T)
    u_std = np.sqrt(u_sum)        # (F17)  u_std[n,t] = √u_sum[n,t]  (N, T)
    # (F18)  u_normalized[n,t,d] = u_centred[n,t,d]/u_std[n,t]  (N, T, D)
    u_normalized = u_centred / u_std[:, :, None]
    # (F19)  u[n,t,d] = u_normalized[n,t,d] g1[d] + b1[d]  (N, T, D)
    u = g1 * u_normalized + b1
    # (F20)  f_in[n,t,i] = Σ_d u[n,t,d] W1[d,i] + c1[i]  (N, T, F)
    f_in = u @ W1 + c1
    f_relu = np.maximum(f_in, 0)  # (F21)  f_relu[n,t,i] = relu(f_in[n,t,i])  (N, T, F)
    # (F22)  f[n,t,d] = Σ_i f_relu[n,t,i] W2[i,d] + c2[d]  (N, T, D)
    f = f_relu @ W2 + c2
    # (F23)  y_array[n,t,d] = u[n,t,d] + f[n,t,d]  (N, T, D)
    y_array = u + f
    # (F24)  y_mean[n,t] = Σ_d y_array[n,t,d]/D  (N, T)
    y_mean = y_array.sum(axis=2) / D
    # (F25)  y_centred[n,t,d] = y_array[n,t,d] - y_mean[n,t]  (N, T, D)
    y_centred = y_array - y_mean[:, :, None]
    # (F26)  y_var[n,t] = Σ_d y_centred[n,t,d]²/D  (N, T)
    y_var = np.einsum("ntd,ntd->nt", y_centred, y_centred) / D
    y_sum = y_var + 1e-05         # (F27)  y_sum[n,t] = y_var[n,t] + 1e-5  (N, T)
    y_std = np.sqrt(y_sum)        # (F28)  y_std[n,t] = √y_sum[n,t]  (N, T)
    # (F29)  y_normalized[n,t,d] = y_centred[n,t,d]/y_std[n,t]  (N, T, D)
    y_normalized = y_centred / y_std[:, :, None]
    # (F30)  y[n,t,d] = y_normalized[n,t,d] g2[d] + b2[d]  (N, T, D)
    y = g2 * y_normalized + b2
    # (F31)  L_error[n,t,d] = y[n,t,d] - target[n,t,d]  (N, T, D)
    L_error = y - target
    # (F32)  L = Σ_ntd L_error[n,t,d]²/(N T D)
    L = np.vdot(L_error, L_error) / (N * T * D)
    dtypes = [
        np.result_type(p)
        for p in (Wq, bq, Wk, bk, Wv, bv, Wo, bo, W1, c1, W2, c2, g1, b1, g2, b2)
    ]
    saved = (
        L_error, y_normalized, g2, y_std, f_relu, W2, f_in, u, W1, u_normalized, g1,
        u_std, attended_dot, Wo, v_sum, attended_weights, x, q_sum, k_sum, dtype, dtypes
    )
    return dtype.type(L), Saved(saved)


def backward(saved, dL=1.0):
    """Return the gradients of dL * loss."""
    (
        L_error, y_normalized, g2, y_std, f_relu, W2, f_in, u, W1, u_normalized, g1,
        u_std, attended_dot, Wo, v_sum, attended_weights, x, q_sum, k_sum, dtype, dtypes
    ) = saved
    N, T, D = L_error.shape
    # (B4)  dg2[d] = 2 dL Σ_nt L_error[n,t,d] y_normalized[n,t,d]/(N T D)  (D,)
    #       from (F30) with (B3)
    dg2 = 2 * dL / (N * T * D) * np.einsum("ntd,ntd->d", L_error, y_normalized)
    # (B5)  db2[d] = 2 dL Σ_nt L_error[n,t,d]/(N T D)  (D,)  from (F30) with (B3)
    db2 = 2 * dL / (N * T * D) * L_error.sum(axis=(0, 1))
    # (B6)  dy_normalized[n,t,d] = 2 L_error[n,t,d] g2[d] dL/(N T D)  (N, T, D)
    #       from (F30) with (B3)
    dy_normalized = 2 * dL / (N * T * D) * g2 * L_error
    # (B12)  dy_array[n,t,d] = (dy_normalized[n,t,d]
    #       - y_normalized[n,t,d] Σ_i dy_normalized[n,t,i] y_normalized[n,t,i]/D
    #       - Σ_i dy_normalized[n,t,i]/D)/y_std[n,t]  (N, T, D)
    #       from (F25), (F24) with (B10), (B11)
    dy_array_product = (
        (np.einsum("nti,nti->nt", dy_normalized, y_normalized) / D)[:, :, None]
        * y_normalized
    )
    dy_array = (
        (dy_normalized - dy_array_product - (dy_normalized.sum(axis=2) / D)[:, :, None])
        / y_std[:, :, None]
    )
    # (B14)  dW2[i,d] = Σ_nt dy_array[n,t,d] f_relu[n,t,i]  (F, D)
    #       from (F22) with (B13)
    dW2 = np.tensordot(f_relu, dy_array, axes=((0, 1), (0, 1)))
    # (B15)  dc2[d] = Σ_nt dy_array[n,t,d]  (D,)  from (F22) with (B13)
    dc2 = dy_array.sum(axis=(0, 1))
    # (B16)  df_relu[n,t,i] = Σ_d dy_array[n,t,d] W2[i,d]  (N, T, F)
    #       from (F22) with (B13)
    df_relu = dy_array @ W2.T
    # (B17)  df_in[n,t,i] = df_relu[n,t,i] [0 < f_in[n,t,i]]  (N, T, F)  from (F21)
    df_in = df_relu * (f_in > 0)
    # (B18)  dW1[d,i] = Σ_nt df_in[n,t,i] u[n,t,d]  (D, F)  from (F20)
    dW1 = np.tensordot(u, df_in, axes=((0, 1), (0, 1)))
    dc1 = df_in.sum(axis=(0, 1))   # (B19)  dc1[i] = Σ_nt df_in[n,t,i]  (F,)  from (F20)
    # (B20)  du[n,t,d] = dy_array[n,t,d] + Σ_i df_in[n,t,i] W1[d,i]  (N, T, D)
    #       from (F23), (F20)
    du = dy_array + df_in @ W1.T
    # (B21)  dg1[d] = Σ_nt du[n,t,d] u_normalized[n,t,d]  (D,)  from (F19)
    dg1 = np.einsum("ntd,ntd->d", du, u_normalized)
    db1 = du.sum(axis=(0, 1))      # (B22)  db1[d] = Σ_nt du[n,t,d]  (D,)  from (F19)
    # (B23)  du_normalized[n,t,d] = du[n,t,d] g1[d]  (N, T, D)  from (F19)
    du_normalized = g1 * du
    # (B30)  dattended[n,t,d] = (du_normalized[n,t,d]
    #       - u_normalized[n,t,d] Σ_i du_normalized[n,t,i] u_normalized[n,t,i]/D
    #       - Σ_i du_normalized[n,t,i]/D)/u_std[n,t]  (N, T, D)  from (F12) with (B29)
    dattended_product = (
        (np.einsum("nti,nti->nt", du_normalized, u_normalized) / D)[:, :, None]
        * u_normalized
    )
    dattended = (
        (
            du_normalized - dattended_product
            - (du_normalized.sum(axis=2) / D)[:, :, None]
        )
        / u_std[:, :, None]
    )
    # (B31)  dWo[d,i] = Σ_nt dattended[n,t,i] attended_dot[n,⌊d/(D/2)⌋,t,(d mod (D/2))]
    #       (D, D)  from (F11)
    dWo = np.tensordot(
        attended_dot.transpose(0, 2, 1, 3).reshape(N, T, D), dattended,
        axes=((0, 1), (0, 1))
    )
    # (B32)  dbo[d] = Σ_nt dattended[n,t,d]  (D,)  from (F11)
    dbo = dattended.sum(axis=(0, 1))
    # (B33)  dattended_dot[n,i,t,d] = Σ_j dattended[n,t,j] Wo[D i/2+d,j]
    #       (N, 2, T, D // 2)  from (F11)
    dattended_dot = (dattended @ Wo.T).reshape(N, T, 2, D // 2).transpose(0, 2, 1, 3)
    # (B34)  dattended_weights[n,i,t,j] = Σ_d dattended_dot[n,i,t,d] v_sum[n,j,d+D i/2]
    #       (N, 2, T, T)  from (F10)
    dattended_weights = (
        dattended_dot @ v_sum.reshape(N, T, 2, D // 2).transpose(0, 2, 3, 1)
    )
    # (B39)  dattended_scores[n,i,t,j] = (dattended_weights[n,i,t,j]
    #       - Σ_p dattended_weights[n,i,t,p] attended_weights[n,i,t,p])
    #       attended_weights[n,i,t,j]  (N, 2, T, T)  from (F6), (F5) with (B38), (B37)
    dattended_scores_dot = np.einsum(
        "nitp,nitp->nit", dattended_weights, attended_weights
    )
    dattended_scores = (
        (dattended_weights - dattended_scores_dot[:, :, :, None]) * attended_weights
    )
    # (B40)  dv_sum[n,t,d] = Σ_i dattended_dot[n,⌊d/(D/2)⌋,i,(d mod (D/2))]
    #       attended_weights[n,⌊d/(D/2)⌋,i,t]  (N, T, D)  from (F10)
    dv_sum = (
        attended_weights.transpose(0, 1, 3, 2) @ dattended_dot
    ).transpose(0, 2, 1, 3).reshape(N, T, D)
    # (B41)  dWv[d,i] = Σ_nt dv_sum[n,t,i] x[n,t,d]  (D, D)  from (F3)
    dWv = np.tensordot(x, dv_sum, axes=((0, 1), (0, 1)))
    dbv = dv_sum.sum(axis=(0, 1))  # (B42)  dbv[d] = Σ_nt dv_sum[n,t,d]  (D,)  from (F3)
    # (B43)  dk_sum[n,t,d] = Σ_i dattended_scores[n,⌊d/(D/2)⌋,i,t] q_sum[n,i,d]/√(D/2)
    #       (N, T, D)  from (F4)
    dk_sum_dot = (
        dattended_scores.transpose(0, 1, 3, 2)
        @ q_sum.reshape(N, T, 2, D // 2).transpose(0, 2, 1, 3)
    )
    dk_sum = (dk_sum_dot.transpose(0, 2, 1, 3) / (D / 2)**0.5).reshape(N, T, D)
    # (B44)  dWk[d,i] = Σ_nt dk_sum[n,t,i] x[n,t,d]  (D, D)  from (F2)
    dWk = np.tensordot(x, dk_sum, axes=((0, 1), (0, 1)))
    dbk = np.zeros((D,), dtype)    # (B45)  dbk[d] = 0  (D,)  from (F2) with (B43)
    # (B46)  dq_sum[n,t,d] = Σ_i dattended_scores[n,⌊d/(D/2)⌋,t,i] k_sum[n,i,d]/√(D/2)
    #       (N, T, D)  from (F4)
    dq_sum = (
        (
            dattended_scores @ k_sum.reshape(N, T, 2, D // 2).transpose(0, 2, 1, 3)
        ).transpose(0, 2, 1, 3)
        / (D / 2)**0.5
    ).reshape(N, T, D)
    # (B47)  dWq[d,i] = Σ_nt dq_sum[n,t,i] x[n,t,d]  (D, D)  from (F1)
    dWq = np.tensordot(x, dq_sum, axes=((0, 1), (0, 1)))
    dbq = dq_sum.sum(axis=(0, 1))  # (B48)  dbq[d] = Σ_nt dq_sum[n,t,d]  (D,)  from (F1)
    grads = {
        "Wq": dWq, "bq": dbq, "Wk": dWk, "bk": dbk, "Wv": dWv, "bv": dbv, "Wo": dWo,
        "bo": dbo, "W1": dW1, "c1": dc1, "W2": dW2, "c2": dc2, "g1": dg1, "b1": db1,
        "g2": dg2, "b2": db2
    }
    return like_parameters(grads, dtypes)


def value_and_grad(
    x: "N T D",
    target: "N T D",
    Wq: "D D",
    bq: "D",
    Wk: "D D",
    bk: "D",
    Wv: "D D",
    bv: "D",
    Wo: "D D",
    bo: "D",
    g1: "D",
    b1: "D",
    W1: "D F",
    c1: "F",
    W2: "F D",
    c2: "D",
    g2: "D",
    b2: "D",
    heads=2,
    validate=True,
):
    """Return the loss and its gradients."""
    L, saved = forward(
        x, target, Wq, bq, Wk, bk, Wv, bv, Wo, bo, g1, b1, W1, c1, W2, c2, g2, b2,
        heads, validate
    )
    return L, backward(saved)


def predict(
    x: "N T D",
    Wq: "D D",
    bq: "D",
    Wk: "D D",
    bk: "D",
    Wv: "D D",
    bv: "D",
    Wo: "D D",
    bo: "D",
    g1: "D",
    b1: "D",
    W1: "D F",
    c1: "F",
    W2: "F D",
    c2: "D",
    g2: "D",
    b2: "D",
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
    # (F1)  q_sum[n,t,d] = Σ_i x[n,t,i] Wq[i,d] + bq[d]  (N, T, D)
    q_sum = x @ Wq + bq
    # (F2)  k_sum[n,t,d] = Σ_i x[n,t,i] Wk[i,d] + bk[d]  (N, T, D)
    k_sum = x @ Wk + bk
    # (F3)  v_sum[n,t,d] = Σ_i x[n,t,i] Wv[i,d] + bv[d]  (N, T, D)
    v_sum = x @ Wv + bv
    # (F4)  attended_scores[n,i,t,j] = Σ_d q_sum[n,t,D i/2+d] k_sum[n,j,D i/2+d]/√(D/2)
    #       (N, 2, T, T)
    attended_scores_picked = q_sum.reshape(N, T, 2, D // 2).transpose(0, 2, 1, 3)
    attended_scores = (
        attended_scores_picked @ k_sum.reshape(N, T, 2, D // 2).transpose(0, 2, 3, 1)
        / (D / 2)**0.5
    )
    # (F5)  attended_top[n,i,t] = max_j attended_scores[n,i,t,j]  (N, 2, T)
    attended_top = attended_scores.max(axis=3)
    # (F6)  attended_in[n,i,t,j] = attended_scores[n,i,t,j] - attended_top[n,i,t]
    #       (N, 2, T, T)
    attended_in = attended_scores - attended_top[:, :, :, None]
    # (F7)  attended_exp[n,i,t,j] = exp(attended_in[n,i,t,j])  (N, 2, T, T)
    attended_exp = np.exp(attended_in)
    # (F8)  attended_total[n,i,t] = Σ_j attended_exp[n,i,t,j]  (N, 2, T)
    attended_total = attended_exp.sum(axis=3)
    # (F9)  attended_weights[n,i,t,j] = attended_exp[n,i,t,j]/attended_total[n,i,t]
    #       (N, 2, T, T)
    attended_weights = attended_exp / attended_total[:, :, :, None]
    # (F10)  attended_dot[n,i,t,d] = Σ_j attended_weights[n,i,t,j] v_sum[n,j,D i/2+d]
    #       (N, 2, T, D // 2)
    attended_dot = (
        attended_weights @ v_sum.reshape(N, T, 2, D // 2).transpose(0, 2, 1, 3)
    )
    # (F11)  attended[n,t,d] = Σ_i attended_dot[n,⌊i/(D/2)⌋,t,(i mod (D/2))] Wo[i,d]
    #       + bo[d]  (N, T, D)
    attended = attended_dot.transpose(0, 2, 1, 3).reshape(N, T, D) @ Wo + bo
    # (F12)  u_array[n,t,d] = x[n,t,d] + attended[n,t,d]  (N, T, D)
    u_array = x + attended
    # (F13)  u_mean[n,t] = Σ_d u_array[n,t,d]/D  (N, T)
    u_mean = u_array.sum(axis=2) / D
    # (F14)  u_centred[n,t,d] = u_array[n,t,d] - u_mean[n,t]  (N, T, D)
    u_centred = u_array - u_mean[:, :, None]
    # (F15)  u_var[n,t] = Σ_d u_centred[n,t,d]²/D  (N, T)
    u_var = np.einsum("ntd,ntd->nt", u_centred, u_centred) / D
    u_sum = u_var + 1e-05         # (F16)  u_sum[n,t] = u_var[n,t] + 1e-5  (N, T)
    u_std = np.sqrt(u_sum)        # (F17)  u_std[n,t] = √u_sum[n,t]  (N, T)
    # (F18)  u_normalized[n,t,d] = u_centred[n,t,d]/u_std[n,t]  (N, T, D)
    u_normalized = u_centred / u_std[:, :, None]
    # (F19)  u[n,t,d] = u_normalized[n,t,d] g1[d] + b1[d]  (N, T, D)
    u = g1 * u_normalized + b1
    # (F20)  f_in[n,t,i] = Σ_d u[n,t,d] W1[d,i] + c1[i]  (N, T, F)
    f_in = u @ W1 + c1
    f_relu = np.maximum(f_in, 0)  # (F21)  f_relu[n,t,i] = relu(f_in[n,t,i])  (N, T, F)
    # (F22)  f[n,t,d] = Σ_i f_relu[n,t,i] W2[i,d] + c2[d]  (N, T, D)
    f = f_relu @ W2 + c2
    # (F23)  y_array[n,t,d] = u[n,t,d] + f[n,t,d]  (N, T, D)
    y_array = u + f
    # (F24)  y_mean[n,t] = Σ_d y_array[n,t,d]/D  (N, T)
    y_mean = y_array.sum(axis=2) / D
    # (F25)  y_centred[n,t,d] = y_array[n,t,d] - y_mean[n,t]  (N, T, D)
    y_centred = y_array - y_mean[:, :, None]
    # (F26)  y_var[n,t] = Σ_d y_centred[n,t,d]²/D  (N, T)
    y_var = np.einsum("ntd,ntd->nt", y_centred, y_centred) / D
    y_sum = y_var + 1e-05         # (F27)  y_sum[n,t] = y_var[n,t] + 1e-5  (N, T)
    y_std = np.sqrt(y_sum)        # (F28)  y_std[n,t] = √y_sum[n,t]  (N, T)
    # (F29)  y_normalized[n,t,d] = y_centred[n,t,d]/y_std[n,t]  (N, T, D)
    y_normalized = y_centred / y_std[:, :, None]
    # (F30)  y[n,t,d] = y_normalized[n,t,d] g2[d] + b2[d]  (N, T, D)
    y = g2 * y_normalized + b2
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
