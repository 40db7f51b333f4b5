# symprop sha256:02e804066e293c15e41775812d688952
"""llama_block: loss and gradients in NumPy.

Made by symprop from symprop.zoo.attention:llama_block.
It belongs to whoever made it.

    loss, saved = forward(x, target, g1, Wq, Wk, Wv, Wo, g2, Wgate, Wup, Wdown)
    gradients = backward(saved)

    x       (N, T, D)
    target  (N, T, D)
    g1      (D,)        parameter
    Wq      (D, 4 * E)  parameter
    Wk      (D, 2 * E)  parameter
    Wv      (D, 2 * E)  parameter
    Wo      (4 * E, D)  parameter
    g2      (D,)        parameter
    Wgate   (D, F)      parameter
    Wup     (D, F)      parameter
    Wdown   (F, D)      parameter

(F1), (F2), ... number the equations of the forward pass and (B1), (B2), ... those of
their adjoints: dW is the gradient of the loss by W. The derivation has these numbers.
"""

import numpy as np

WRT = ("g1", "Wq", "Wk", "Wv", "Wo", "g2", "Wgate", "Wup", "Wdown")
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


def sigmoid(x):
    """1 / (1 + exp(-x)) without overflow, all digits kept in the tail."""
    e = np.exp(np.minimum(x, -x))
    return ((x >= 0) + (x < 0) * e) / (1 + e)


class Saved(tuple):
    """What backward needs: a tuple whose parts have names, as in saved.L_error."""

    names = (
        "L_error", "y_prod_2", "Wdown", "y_prod", "z", "y_dot_2", "y_sigmoid", "Wup",
        "Wgate", "z_normalized", "g2", "z_sqrt", "o_result", "Wo", "v_dot", "o_weights",
        "h", "q", "q_cos", "q_sin", "k", "Wv", "Wk", "Wq", "h_normalized", "dtype",
        "dtypes"
    )

    def __getattribute__(self, name):
        """Return a part by its name."""
        if name in Saved.names:
            return self[Saved.names.index(name)]
        return super().__getattribute__(name)


def forward(
    x: "N T D",
    target: "N T D",
    g1: "D",
    Wq: "D 4*E",
    Wk: "D 2*E",
    Wv: "D 2*E",
    Wo: "4*E D",
    g2: "D",
    Wgate: "D F",
    Wup: "D F",
    Wdown: "F D",
    heads=4,
    groups=2,
    validate=True,
):
    """Return the loss, and what backward needs."""
    x, (N, T, D) = read("x", x, "float", "N T D", (None, None, None))
    target, _ = read("target", target, "float", "N T D", (N, T, D))
    g1, _ = read("g1", g1, "wrt", "D", (D,))
    g2, _ = read("g2", g2, "wrt", "D", (D,))
    Wgate, (_, F) = read("Wgate", Wgate, "wrt", "D F", (D, None))
    Wup, _ = read("Wup", Wup, "wrt", "D F", (D, F))
    Wdown, _ = read("Wdown", Wdown, "wrt", "F D", (F, D))
    Wq, _ = read("Wq", Wq, "wrt", "D 4*E", (D, None))
    E = Wq.shape[1] // 4
    if Wq.shape[1] != 4 * E:
        raise ValueError("Wq must have the shape (D 4*E): axis 1 does not fit")
    Wk, _ = read("Wk", Wk, "wrt", "D 2*E", (D, 2 * E))
    Wv, _ = read("Wv", Wv, "wrt", "D 2*E", (D, 2 * E))
    Wo, _ = read("Wo", Wo, "wrt", "4*E D", (4 * E, D))
    if validate:
        if E % 2:
            raise ValueError("the sizes do not fit: 2 must divide E")
    if heads != 4:
        raise ValueError("heads is fixed at 4")
    if groups != 2:
        raise ValueError("groups is fixed at 2")
    dtype = np.result_type(x, target, g1, Wq, Wk, Wv, Wo, g2, Wgate, Wup, Wdown)
    # (F1)  h_mean_square[n,t] = Σ_d x[n,t,d]²/D  (N, T)
    h_mean_square = np.einsum("ntd,ntd->nt", x, x) / D
    # (F2)  h_sum[n,t] = h_mean_square[n,t] + 1e-6  (N, T)
    h_sum = h_mean_square + 1e-06
    h_sqrt = np.sqrt(h_sum)     # (F3)  h_sqrt[n,t] = √h_sum[n,t]  (N, T)
    # (F4)  h_normalized[n,t,d] = x[n,t,d]/h_sqrt[n,t]  (N, T, D)
    h_normalized = x / h_sqrt[:, :, None]
    h = g1 * h_normalized       # (F5)  h[n,t,d] = h_normalized[n,t,d] g1[d]  (N, T, D)
    # (F6)  q_dot[n,t,e] = Σ_d h[n,t,d] Wq[d,e]  (N, T, 4 * E)
    q_dot = h @ Wq
    # (F7)  q_pow[e] = 10000^(-2 e/E)  (E // 2,)
    with np.errstate(all="ignore"):  # only finite entries are used
        q_pow = 10000**(-2 / E * np.arange(E // 2, dtype=dtype))
    # (F8)  q_angle[t,e] = t q_pow[e]  (T, E // 2)
    with np.errstate(all="ignore"):  # only finite entries are used
        q_angle = np.arange(T, dtype=dtype)[:, None] * q_pow
    q_cos = np.cos(q_angle)     # (F9)  q_cos[t,e] = cos(q_angle[t,e])  (T, E // 2)
    q_sin = np.sin(q_angle)     # (F10)  q_sin[t,e] = sin(q_angle[t,e])  (T, E // 2)
    # (F11)  q_diff[n,i,t,e] = q_dot[n,t,E i+e] q_cos[t,e]
    #       - q_dot[n,t,E i+e+E/2] q_sin[t,e]  (N, 4, T, E // 2)
    with np.errstate(all="ignore"):  # only finite entries are used
        q_diff_product = (
            q_cos * q_dot.reshape(N, T, 4, E)[:, :, :, :E // 2].transpose(0, 2, 1, 3)
        )
        q_diff = (
            q_diff_product
            - q_sin * q_dot.reshape(N, T, 4, E)[:, :, :, E // 2:].transpose(0, 2, 1, 3)
        )
    # (F12)  q_sum[n,i,t,e] = q_dot[n,t,E i+e+E/2] q_cos[t,e]
    #       + q_dot[n,t,E i+e] q_sin[t,e]  (N, 4, T, E // 2)
    with np.errstate(all="ignore"):  # only finite entries are used
        q_sum_product = (
            q_cos * q_dot.reshape(N, T, 4, E)[:, :, :, E // 2:].transpose(0, 2, 1, 3)
        )
        q_sum = (
            q_sum_product
            + q_sin * q_dot.reshape(N, T, 4, E)[:, :, :, :E // 2].transpose(0, 2, 1, 3)
        )
    # (F13)  q[n,i,t,e] = [e < E/2] q_diff[n,i,t,e] + [E/2 ≤ e] q_sum[n,i,t,e-E/2]
    #       (N, 4, T, E)
    q = np.empty((N, 4, T, E), dtype)
    q[:, :, :, :E // 2] = q_diff
    q[:, :, :, E // 2:] = q_sum
    # (F14)  k_dot[n,t,e] = Σ_d h[n,t,d] Wk[d,e]  (N, T, 2 * E)
    k_dot = h @ Wk
    # (F15)  k_diff[n,i,t,e] = k_dot[n,t,E i+e] q_cos[t,e]
    #       - k_dot[n,t,E i+e+E/2] q_sin[t,e]  (N, 2, T, E // 2)
    with np.errstate(all="ignore"):  # only finite entries are used
        k_diff_product = (
            q_cos * k_dot.reshape(N, T, 2, E)[:, :, :, :E // 2].transpose(0, 2, 1, 3)
        )
        k_diff = (
            k_diff_product
            - q_sin * k_dot.reshape(N, T, 2, E)[:, :, :, E // 2:].transpose(0, 2, 1, 3)
        )
    # (F16)  k_sum[n,i,t,e] = k_dot[n,t,E i+e+E/2] q_cos[t,e]
    #       + k_dot[n,t,E i+e] q_sin[t,e]  (N, 2, T, E // 2)
    with np.errstate(all="ignore"):  # only finite entries are used
        k_sum_product = (
            q_cos * k_dot.reshape(N, T, 2, E)[:, :, :, E // 2:].transpose(0, 2, 1, 3)
        )
        k_sum = (
            k_sum_product
            + q_sin * k_dot.reshape(N, T, 2, E)[:, :, :, :E // 2].transpose(0, 2, 1, 3)
        )
    # (F17)  k[n,i,t,e] = [e < E/2] k_diff[n,i,t,e] + [E/2 ≤ e] k_sum[n,i,t,e-E/2]
    #       (N, 2, T, E)
    k = np.empty((N, 2, T, E), dtype)
    k[:, :, :, :E // 2] = k_diff
    k[:, :, :, E // 2:] = k_sum
    # (F18)  v_dot[n,t,e] = Σ_d h[n,t,d] Wv[d,e]  (N, T, 2 * E)
    v_dot = h @ Wv
    # (F19)  o_scores[n,i,j,t,p] = Σ_e q[n,2 i+j,t,e] k[n,i,p,e]/√E  (N, 2, 2, T, T)
    with np.errstate(all="ignore"):  # only finite entries are used
        o_scores = (
            (q.reshape(N, 2, 2 * T, E) @ k.transpose(0, 1, 3, 2)).reshape(N, 2, 2, T, T)
            / E**0.5
        )
    # (F20)  o_cases[n,i,j,t,p] = [p ≤ t] o_scores[n,i,j,t,p] - [t < p] ∞
    #       (N, 2, 2, T, T)
    o_cases = np.where(np.arange(T) <= np.arange(T)[:, None], o_scores, -np.inf)
    # (F21)  o_top[n,i,j,t] = max_p o_cases[n,i,j,t,p]  (N, 2, 2, T)
    o_top = o_cases.max(axis=4)
    # (F22)  o_in[n,i,j,t,p] = o_cases[n,i,j,t,p] - o_top[n,i,j,t]  (N, 2, 2, T, T)
    o_in = o_cases - o_top[:, :, :, :, None]
    # (F23)  o_exp[n,i,j,t,p] = exp(o_in[n,i,j,t,p])  (N, 2, 2, T, T)
    o_exp = np.exp(o_in)
    # (F24)  o_total[n,i,j,t] = Σ_p o_exp[n,i,j,t,p]  (N, 2, 2, T)
    o_total = o_exp.sum(axis=4)
    # (F25)  o_weights[n,i,j,t,p] = o_exp[n,i,j,t,p]/o_total[n,i,j,t]  (N, 2, 2, T, T)
    o_weights = o_exp / o_total[:, :, :, :, None]
    # (F26)  o_result[n,i,j,t,e] = Σ_p o_weights[n,i,j,t,p] v_dot[n,p,E i+e]
    #       (N, 2, 2, T, E)
    o_result = (
        o_weights.reshape(N, 2, 2 * T, T)
        @ v_dot.reshape(N, T, 2, E).transpose(0, 2, 1, 3)
    ).reshape(N, 2, 2, T, E)
    # (F27)  u[n,t,d] = x[n,t,d] + Σ_e o_result[n,⌊⌊e/E⌋/2⌋,(⌊e/E⌋ mod 2),t,(e mod E)]
    #       Wo[e,d]  (N, T, D)
    u = x + o_result.transpose(0, 3, 1, 2, 4).reshape(N, T, 4 * E) @ Wo
    # (F28)  z_mean_square[n,t] = Σ_d u[n,t,d]²/D  (N, T)
    z_mean_square = np.einsum("ntd,ntd->nt", u, u) / D
    # (F29)  z_sum[n,t] = z_mean_square[n,t] + 1e-6  (N, T)
    z_sum = z_mean_square + 1e-06
    z_sqrt = np.sqrt(z_sum)     # (F30)  z_sqrt[n,t] = √z_sum[n,t]  (N, T)
    # (F31)  z_normalized[n,t,d] = u[n,t,d]/z_sqrt[n,t]  (N, T, D)
    z_normalized = u / z_sqrt[:, :, None]
    z = g2 * z_normalized       # (F32)  z[n,t,d] = z_normalized[n,t,d] g2[d]  (N, T, D)
    # (F33)  y_dot[n,t,f] = Σ_d z[n,t,d] Wgate[d,f]  (N, T, F)
    y_dot = z @ Wgate
    y_sigmoid = sigmoid(y_dot)  # (F34)  y_sigmoid[n,t,f] = σ(y_dot[n,t,f])  (N, T, F)
    # (F35)  y_prod[n,t,f] = y_dot[n,t,f] y_sigmoid[n,t,f]  (N, T, F)
    y_prod = y_dot * y_sigmoid
    # (F36)  y_dot_2[n,t,f] = Σ_d z[n,t,d] Wup[d,f]  (N, T, F)
    y_dot_2 = z @ Wup
    # (F37)  y_prod_2[n,t,f] = y_prod[n,t,f] y_dot_2[n,t,f]  (N, T, F)
    y_prod_2 = y_prod * y_dot_2
    # (F38)  y[n,t,d] = u[n,t,d] + Σ_f y_prod_2[n,t,f] Wdown[f,d]  (N, T, D)
    y = u + y_prod_2 @ Wdown
    # (F39)  L_error[n,t,d] = y[n,t,d] - target[n,t,d]  (N, T, D)
    L_error = y - target
    # (F40)  L = Σ_ntd L_error[n,t,d]²/(N T D)
    L = np.vdot(L_error, L_error) / (N * T * D)
    dtypes = [np.result_type(p) for p in (g1, Wq, Wk, Wv, Wo, g2, Wgate, Wup, Wdown)]
    saved = (
        L_error, y_prod_2, Wdown, y_prod, z, y_dot_2, y_sigmoid, Wup, Wgate,
        z_normalized, g2, z_sqrt, o_result, Wo, v_dot, o_weights, h, q, q_cos, q_sin, k,
        Wv, Wk, Wq, h_normalized, dtype, dtypes
    )
    return dtype.type(L), Saved(saved)


def backward(saved, dL=1.0):
    """Return the gradients of dL * loss."""
    (
        L_error, y_prod_2, Wdown, y_prod, z, y_dot_2, y_sigmoid, Wup, Wgate,
        z_normalized, g2, z_sqrt, o_result, Wo, v_dot, o_weights, h, q, q_cos, q_sin, k,
        Wv, Wk, Wq, h_normalized, dtype, dtypes
    ) = saved
    N, T, D = L_error.shape
    E = o_result.shape[4]
    # (B3)  dy[n,t,d] = 2 L_error[n,t,d] dL/(N T D)  (N, T, D)  from (F39) with (B2)
    dy = 2 * dL / (N * T * D) * L_error
    # (B4)  dWdown[f,d] = Σ_nt dy[n,t,d] y_prod_2[n,t,f]  (F, D)  from (F38)
    dWdown = np.tensordot(y_prod_2, dy, axes=((0, 1), (0, 1)))
    # (B5)  dy_prod_2[n,t,f] = Σ_d dy[n,t,d] Wdown[f,d]  (N, T, F)  from (F38)
    dy_prod_2 = dy @ Wdown.T
    # (B6)  dy_dot_2[n,t,f] = dy_prod_2[n,t,f] y_prod[n,t,f]  (N, T, F)  from (F37)
    dy_dot_2 = dy_prod_2 * y_prod
    # (B7)  dWup[d,f] = Σ_nt dy_dot_2[n,t,f] z[n,t,d]  (D, F)  from (F36)
    dWup = np.tensordot(z, dy_dot_2, axes=((0, 1), (0, 1)))
    # (B10)  dy_dot[n,t,f] = dy_prod_2[n,t,f] (y_dot_2[n,t,f] y_sigmoid[n,t,f]
    #       + y_prod_2[n,t,f] - y_sigmoid[n,t,f] y_prod_2[n,t,f])  (N, T, F)
    #       from (F35), (F34) with (B9), (B8)
    dy_dot = dy_prod_2 * (y_dot_2 * y_sigmoid + y_prod_2 - y_sigmoid * y_prod_2)
    # (B11)  dWgate[d,f] = Σ_nt dy_dot[n,t,f] z[n,t,d]  (D, F)  from (F33)
    dWgate = np.tensordot(z, dy_dot, axes=((0, 1), (0, 1)))
    # (B12)  dz[n,t,d] = Σ_f dy_dot_2[n,t,f] Wup[d,f] + Σ_f dy_dot[n,t,f] Wgate[d,f]
    #       (N, T, D)  from (F36), (F33)
    dz = dy_dot_2 @ Wup.T + dy_dot @ Wgate.T
    # (B13)  dg2[d] = Σ_nt dz[n,t,d] z_normalized[n,t,d]  (D,)  from (F32)
    dg2 = np.einsum("ntd,ntd->d", dz, z_normalized)
    # (B18)  du[n,t,d] = dy[n,t,d] + (dz[n,t,d] g2[d]
    #       - z_normalized[n,t,d] Σ_i dz[n,t,i] z[n,t,i]/D)/z_sqrt[n,t]  (N, T, D)
    #       from (F38), (F31), (F28) with (B14), (B17)
    du = (
        dy
        + (g2 * dz - (np.einsum("nti,nti->nt", dz, z) / D)[:, :, None] * z_normalized)
            / z_sqrt[:, :, None]
    )
    # (B19)  dWo[e,d] = Σ_nt du[n,t,d] o_result[n,⌊⌊e/E⌋/2⌋,(⌊e/E⌋ mod 2),t,(e mod E)]
    #       (4 * E, D)  from (F27)
    dWo = np.tensordot(
        o_result.transpose(0, 3, 1, 2, 4).reshape(N, T, 4 * E), du,
        axes=((0, 1), (0, 1))
    )
    # (B20)  do_result[n,i,j,t,e] = Σ_d du[n,t,d] Wo[2 E i+E j+e,d]  (N, 2, 2, T, E)
    #       from (F27)
    do_result = (du @ Wo.T).reshape(N, T, 2, 2, E).transpose(0, 2, 3, 1, 4)
    # (B21)  do_weights[n,i,j,t,p] = Σ_e do_result[n,i,j,t,e] v_dot[n,p,e+E i]
    #       (N, 2, 2, T, T)  from (F26)
    do_weights = (
        do_result.reshape(N, 2, 2 * T, E)
        @ v_dot.reshape(N, T, 2, E).transpose(0, 2, 3, 1)
    ).reshape(N, 2, 2, T, T)
    # (B27)  do_scores[n,i,j,t,p] = (do_weights[n,i,j,t,p]
    #       - Σ_r do_weights[n,i,j,t,r] o_weights[n,i,j,t,r]) o_weights[n,i,j,t,p]
    #       [p ≤ t]  (N, 2, 2, T, T)  from (F20) with (B26)
    do_scores_product = (
        (
            do_weights
            - np.einsum("nijtr,nijtr->nijt", do_weights, o_weights)[:, :, :, :, None]
        )
        * o_weights
    )
    do_scores = np.where(np.arange(T) <= np.arange(T)[:, None], do_scores_product, 0)
    # (B28)  dv_dot[n,t,e] = Σ_ij do_result[n,⌊e/E⌋,i,j,(e mod E)]
    #       o_weights[n,⌊e/E⌋,i,j,t]  (N, T, 2 * E)  from (F26)
    dv_dot_picked = (
        do_result.transpose(0, 1, 4, 2, 3).reshape(N, 2, E, 2 * T).transpose(0, 1, 3, 2)
    )
    dv_dot = (
        (
            o_weights.reshape(N, 2, 2 * T, T).transpose(0, 1, 3, 2) @ dv_dot_picked
        ).transpose(0, 2, 1, 3).reshape(N, T, 2 * E)
    )
    # (B29)  dWv[d,e] = Σ_nt dv_dot[n,t,e] h[n,t,d]  (D, 2 * E)  from (F18)
    dWv = np.tensordot(h, dv_dot, axes=((0, 1), (0, 1)))
    # (B30)  dk[n,i,t,e] = Σ_jp do_scores[n,i,j,p,t] q[n,j+2 i,p,e]/√E  (N, 2, T, E)
    #       from (F19)
    dk = (
        do_scores.transpose(0, 1, 4, 2, 3).reshape(N, 2, T, 2 * T)
        @ q.reshape(N, 2, 2 * T, E) / E**0.5
    )
    # (B33)  dk_dot[n,t,e] = dk[n,⌊e/E⌋,t,(e mod E)]
    #       (q_cos[t,(e mod E) - E/2] [0 ≤ (e mod E) - E/2]
    #       + q_cos[t,(e mod E)] [(e mod E) < E/2])
    #       + dk[n,⌊e/E⌋,t,(e mod E) + E/2] q_sin[t,(e mod E)] [(e mod E) < E/2]
    #       - dk[n,⌊e/E⌋,t,(e mod E) - E/2] q_sin[t,(e mod E) - E/2]
    #       [0 ≤ (e mod E) - E/2]  (N, T, 2 * E)  from (F16), (F15) with (B31), (B32)
    dk_dot = np.empty((N, T, 2, E), dtype)
    dk_dot[:, :, :, E // 2:] = (
        q_cos[:, None, :] * dk[:, :, :, E // 2:].transpose(0, 2, 1, 3)
        - q_sin[:, None, :] * dk[:, :, :, :E // 2].transpose(0, 2, 1, 3)
    )
    dk_dot[:, :, :, :E // 2] = (
        q_cos[:, None, :] * dk[:, :, :, :E // 2].transpose(0, 2, 1, 3)
        + q_sin[:, None, :] * dk[:, :, :, E // 2:].transpose(0, 2, 1, 3)
    )
    dk_dot = dk_dot.reshape(N, T, 2 * E)
    # (B34)  dWk[d,e] = Σ_nt dk_dot[n,t,e] h[n,t,d]  (D, 2 * E)  from (F14)
    dWk = np.tensordot(h, dk_dot, axes=((0, 1), (0, 1)))
    # (B35)  dq[n,i,t,e] = Σ_j do_scores[n,⌊i/2⌋,(i mod 2),t,j] k[n,⌊i/2⌋,j,e]/√E
    #       (N, 4, T, E)  from (F19)
    dq = (
        (do_scores.reshape(N, 2, 2 * T, T) @ k).reshape(N, 2, 2, T, E) / E**0.5
    ).reshape(N, 4, T, E)
    # (B38)  dq_dot[n,t,e] = dq[n,⌊e/E⌋,t,(e mod E)]
    #       (q_cos[t,(e mod E) - E/2] [0 ≤ (e mod E) - E/2]
    #       + q_cos[t,(e mod E)] [(e mod E) < E/2])
    #       + dq[n,⌊e/E⌋,t,(e mod E) + E/2] q_sin[t,(e mod E)] [(e mod E) < E/2]
    #       - dq[n,⌊e/E⌋,t,(e mod E) - E/2] q_sin[t,(e mod E) - E/2]
    #       [0 ≤ (e mod E) - E/2]  (N, T, 4 * E)  from (F12), (F11) with (B36), (B37)
    dq_dot = np.empty((N, T, 4, E), dtype)
    dq_dot[:, :, :, E // 2:] = (
        q_cos[:, None, :] * dq[:, :, :, E // 2:].transpose(0, 2, 1, 3)
        - q_sin[:, None, :] * dq[:, :, :, :E // 2].transpose(0, 2, 1, 3)
    )
    dq_dot[:, :, :, :E // 2] = (
        q_cos[:, None, :] * dq[:, :, :, :E // 2].transpose(0, 2, 1, 3)
        + q_sin[:, None, :] * dq[:, :, :, E // 2:].transpose(0, 2, 1, 3)
    )
    dq_dot = dq_dot.reshape(N, T, 4 * E)
    # (B39)  dWq[d,e] = Σ_nt dq_dot[n,t,e] h[n,t,d]  (D, 4 * E)  from (F6)
    dWq = np.tensordot(h, dq_dot, axes=((0, 1), (0, 1)))
    # (B40)  dh[n,t,d] = Σ_e dv_dot[n,t,e] Wv[d,e] + Σ_e dk_dot[n,t,e] Wk[d,e]
    #       + Σ_e dq_dot[n,t,e] Wq[d,e]  (N, T, D)  from (F18), (F14), (F6)
    dh = dv_dot @ Wv.T + dk_dot @ Wk.T + dq_dot @ Wq.T
    # (B41)  dg1[d] = Σ_nt dh[n,t,d] h_normalized[n,t,d]  (D,)  from (F5)
    dg1 = np.einsum("ntd,ntd->d", dh, h_normalized)
    grads = {
        "g1": dg1, "Wq": dWq, "Wk": dWk, "Wv": dWv, "Wo": dWo, "g2": dg2,
        "Wgate": dWgate, "Wup": dWup, "Wdown": dWdown
    }
    return like_parameters(grads, dtypes)


def value_and_grad(
    x: "N T D",
    target: "N T D",
    g1: "D",
    Wq: "D 4*E",
    Wk: "D 2*E",
    Wv: "D 2*E",
    Wo: "4*E D",
    g2: "D",
    Wgate: "D F",
    Wup: "D F",
    Wdown: "F D",
    heads=4,
    groups=2,
    validate=True,
):
    """Return the loss and its gradients."""
    L, saved = forward(
        x, target, g1, Wq, Wk, Wv, Wo, g2, Wgate, Wup, Wdown, heads, groups, validate
    )
    return L, backward(saved)


def predict(
    x: "N T D",
    g1: "D",
    Wq: "D 4*E",
    Wk: "D 2*E",
    Wv: "D 2*E",
    Wo: "4*E D",
    g2: "D",
    Wgate: "D F",
    Wup: "D F",
    Wdown: "F D",
):
    """Return the outputs of the model."""
    x, (N, T, D) = read("x", x, "float", "N T D", (None, None, None))
    g1, _ = read("g1", g1, "wrt", "D", (D,))
    g2, _ = read("g2", g2, "wrt", "D", (D,))
    Wgate, (_, F) = read("Wgate", Wgate, "wrt", "D F", (D, None))
    Wup, _ = read("Wup", Wup, "wrt", "D F", (D, F))
    Wdown, _ = read("Wdown", Wdown, "wrt", "F D", (F, D))
    Wq, _ = read("Wq", Wq, "wrt", "D 4*E", (D, None))
    E = Wq.shape[1] // 4
    if Wq.shape[1] != 4 * E:
        raise ValueError("Wq must have the shape (D 4*E): axis 1 does not fit")
    Wk, _ = read("Wk", Wk, "wrt", "D 2*E", (D, 2 * E))
    Wv, _ = read("Wv", Wv, "wrt", "D 2*E", (D, 2 * E))
    Wo, _ = read("Wo", Wo, "wrt", "4*E D", (4 * E, D))
    dtype = np.result_type(x, g1, Wq, Wk, Wv, Wo, g2, Wgate, Wup, Wdown)
    # (F1)  h_mean_square[n,t] = Σ_d x[n,t,d]²/D  (N, T)
    h_mean_square = np.einsum("ntd,ntd->nt", x, x) / D
    # (F2)  h_sum[n,t] = h_mean_square[n,t] + 1e-6  (N, T)
    h_sum = h_mean_square + 1e-06
    h_sqrt = np.sqrt(h_sum)     # (F3)  h_sqrt[n,t] = √h_sum[n,t]  (N, T)
    # (F4)  h_normalized[n,t,d] = x[n,t,d]/h_sqrt[n,t]  (N, T, D)
    h_normalized = x / h_sqrt[:, :, None]
    h = g1 * h_normalized       # (F5)  h[n,t,d] = h_normalized[n,t,d] g1[d]  (N, T, D)
    # (F6)  q_dot[n,t,e] = Σ_d h[n,t,d] Wq[d,e]  (N, T, 4 * E)
    q_dot = h @ Wq
    # (F7)  q_pow[e] = 10000^(-2 e/E)  (E // 2,)
    with np.errstate(all="ignore"):  # only finite entries are used
        q_pow = 10000**(-2 / E * np.arange(E // 2, dtype=dtype))
    # (F8)  q_angle[t,e] = t q_pow[e]  (T, E // 2)
    with np.errstate(all="ignore"):  # only finite entries are used
        q_angle = np.arange(T, dtype=dtype)[:, None] * q_pow
    q_cos = np.cos(q_angle)     # (F9)  q_cos[t,e] = cos(q_angle[t,e])  (T, E // 2)
    q_sin = np.sin(q_angle)     # (F10)  q_sin[t,e] = sin(q_angle[t,e])  (T, E // 2)
    # (F11)  q_diff[n,i,t,e] = q_dot[n,t,E i+e] q_cos[t,e]
    #       - q_dot[n,t,E i+e+E/2] q_sin[t,e]  (N, 4, T, E // 2)
    with np.errstate(all="ignore"):  # only finite entries are used
        q_diff_product = (
            q_cos * q_dot.reshape(N, T, 4, E)[:, :, :, :E // 2].transpose(0, 2, 1, 3)
        )
        q_diff = (
            q_diff_product
            - q_sin * q_dot.reshape(N, T, 4, E)[:, :, :, E // 2:].transpose(0, 2, 1, 3)
        )
    # (F12)  q_sum[n,i,t,e] = q_dot[n,t,E i+e+E/2] q_cos[t,e]
    #       + q_dot[n,t,E i+e] q_sin[t,e]  (N, 4, T, E // 2)
    with np.errstate(all="ignore"):  # only finite entries are used
        q_sum_product = (
            q_cos * q_dot.reshape(N, T, 4, E)[:, :, :, E // 2:].transpose(0, 2, 1, 3)
        )
        q_sum = (
            q_sum_product
            + q_sin * q_dot.reshape(N, T, 4, E)[:, :, :, :E // 2].transpose(0, 2, 1, 3)
        )
    # (F13)  q[n,i,t,e] = [e < E/2] q_diff[n,i,t,e] + [E/2 ≤ e] q_sum[n,i,t,e-E/2]
    #       (N, 4, T, E)
    q = np.empty((N, 4, T, E), dtype)
    q[:, :, :, :E // 2] = q_diff
    q[:, :, :, E // 2:] = q_sum
    # (F14)  k_dot[n,t,e] = Σ_d h[n,t,d] Wk[d,e]  (N, T, 2 * E)
    k_dot = h @ Wk
    # (F15)  k_diff[n,i,t,e] = k_dot[n,t,E i+e] q_cos[t,e]
    #       - k_dot[n,t,E i+e+E/2] q_sin[t,e]  (N, 2, T, E // 2)
    with np.errstate(all="ignore"):  # only finite entries are used
        k_diff_product = (
            q_cos * k_dot.reshape(N, T, 2, E)[:, :, :, :E // 2].transpose(0, 2, 1, 3)
        )
        k_diff = (
            k_diff_product
            - q_sin * k_dot.reshape(N, T, 2, E)[:, :, :, E // 2:].transpose(0, 2, 1, 3)
        )
    # (F16)  k_sum[n,i,t,e] = k_dot[n,t,E i+e+E/2] q_cos[t,e]
    #       + k_dot[n,t,E i+e] q_sin[t,e]  (N, 2, T, E // 2)
    with np.errstate(all="ignore"):  # only finite entries are used
        k_sum_product = (
            q_cos * k_dot.reshape(N, T, 2, E)[:, :, :, E // 2:].transpose(0, 2, 1, 3)
        )
        k_sum = (
            k_sum_product
            + q_sin * k_dot.reshape(N, T, 2, E)[:, :, :, :E // 2].transpose(0, 2, 1, 3)
        )
    # (F17)  k[n,i,t,e] = [e < E/2] k_diff[n,i,t,e] + [E/2 ≤ e] k_sum[n,i,t,e-E/2]
    #       (N, 2, T, E)
    k = np.empty((N, 2, T, E), dtype)
    k[:, :, :, :E // 2] = k_diff
    k[:, :, :, E // 2:] = k_sum
    # (F18)  v_dot[n,t,e] = Σ_d h[n,t,d] Wv[d,e]  (N, T, 2 * E)
    v_dot = h @ Wv
    # (F19)  o_scores[n,i,j,t,p] = Σ_e q[n,2 i+j,t,e] k[n,i,p,e]/√E  (N, 2, 2, T, T)
    with np.errstate(all="ignore"):  # only finite entries are used
        o_scores = (
            (q.reshape(N, 2, 2 * T, E) @ k.transpose(0, 1, 3, 2)).reshape(N, 2, 2, T, T)
            / E**0.5
        )
    # (F20)  o_cases[n,i,j,t,p] = [p ≤ t] o_scores[n,i,j,t,p] - [t < p] ∞
    #       (N, 2, 2, T, T)
    o_cases = np.where(np.arange(T) <= np.arange(T)[:, None], o_scores, -np.inf)
    # (F21)  o_top[n,i,j,t] = max_p o_cases[n,i,j,t,p]  (N, 2, 2, T)
    o_top = o_cases.max(axis=4)
    # (F22)  o_in[n,i,j,t,p] = o_cases[n,i,j,t,p] - o_top[n,i,j,t]  (N, 2, 2, T, T)
    o_in = o_cases - o_top[:, :, :, :, None]
    # (F23)  o_exp[n,i,j,t,p] = exp(o_in[n,i,j,t,p])  (N, 2, 2, T, T)
    o_exp = np.exp(o_in)
    # (F24)  o_total[n,i,j,t] = Σ_p o_exp[n,i,j,t,p]  (N, 2, 2, T)
    o_total = o_exp.sum(axis=4)
    # (F25)  o_weights[n,i,j,t,p] = o_exp[n,i,j,t,p]/o_total[n,i,j,t]  (N, 2, 2, T, T)
    o_weights = o_exp / o_total[:, :, :, :, None]
    # (F26)  o_result[n,i,j,t,e] = Σ_p o_weights[n,i,j,t,p] v_dot[n,p,E i+e]
    #       (N, 2, 2, T, E)
    o_result = (
        o_weights.reshape(N, 2, 2 * T, T)
        @ v_dot.reshape(N, T, 2, E).transpose(0, 2, 1, 3)
    ).reshape(N, 2, 2, T, E)
    # (F27)  u[n,t,d] = x[n,t,d] + Σ_e o_result[n,⌊⌊e/E⌋/2⌋,(⌊e/E⌋ mod 2),t,(e mod E)]
    #       Wo[e,d]  (N, T, D)
    u = x + o_result.transpose(0, 3, 1, 2, 4).reshape(N, T, 4 * E) @ Wo
    # (F28)  z_mean_square[n,t] = Σ_d u[n,t,d]²/D  (N, T)
    z_mean_square = np.einsum("ntd,ntd->nt", u, u) / D
    # (F29)  z_sum[n,t] = z_mean_square[n,t] + 1e-6  (N, T)
    z_sum = z_mean_square + 1e-06
    z_sqrt = np.sqrt(z_sum)     # (F30)  z_sqrt[n,t] = √z_sum[n,t]  (N, T)
    # (F31)  z_normalized[n,t,d] = u[n,t,d]/z_sqrt[n,t]  (N, T, D)
    z_normalized = u / z_sqrt[:, :, None]
    z = g2 * z_normalized       # (F32)  z[n,t,d] = z_normalized[n,t,d] g2[d]  (N, T, D)
    # (F33)  y_dot[n,t,f] = Σ_d z[n,t,d] Wgate[d,f]  (N, T, F)
    y_dot = z @ Wgate
    y_sigmoid = sigmoid(y_dot)  # (F34)  y_sigmoid[n,t,f] = σ(y_dot[n,t,f])  (N, T, F)
    # (F35)  y_prod[n,t,f] = y_dot[n,t,f] y_sigmoid[n,t,f]  (N, T, F)
    y_prod = y_dot * y_sigmoid
    # (F36)  y_dot_2[n,t,f] = Σ_d z[n,t,d] Wup[d,f]  (N, T, F)
    y_dot_2 = z @ Wup
    # (F37)  y_prod_2[n,t,f] = y_prod[n,t,f] y_dot_2[n,t,f]  (N, T, F)
    y_prod_2 = y_prod * y_dot_2
    # (F38)  y[n,t,d] = u[n,t,d] + Σ_f y_prod_2[n,t,f] Wdown[f,d]  (N, T, D)
    y = u + y_prod_2 @ Wdown
    return {"y": y}


# Self-check: run this file to compare backward with finite differences.


def draw_inputs(seed):
    """Draw the arguments of forward from their declared domains."""
    rng = np.random.default_rng(seed)
    N, T, D, E, F = 5, 3, 7, 4, 2
    return {
        "x": rng.normal(size=(N, T, D)),
        "target": rng.normal(size=(N, T, D)),
        "g1": rng.normal(size=(D,)),
        "Wq": rng.normal(size=(D, 4 * E)),
        "Wk": rng.normal(size=(D, 2 * E)),
        "Wv": rng.normal(size=(D, 2 * E)),
        "Wo": rng.normal(size=(4 * E, D)),
        "g2": rng.normal(size=(D,)),
        "Wgate": rng.normal(size=(D, F)),
        "Wup": rng.normal(size=(D, F)),
        "Wdown": rng.normal(size=(F, D)),
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
