# symprop sha256:6cafd3c21d74fb9a434577eeffdf1c51
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
their adjoints: dW is the gradient of the loss by W; (1.F1), (1.B1), ... are those of
Lemma 1, rms_norm. The derivation has these numbers.
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
    return np.maximum(e, x >= 0) / (1 + e)


class Saved(tuple):
    """A tuple whose parts have names, as in saved.error."""

    names = (
        "error", "u6", "Wdown", "u5", "z", "z_Wup", "sigmoid_z", "Wup", "Wgate", "o1",
        "Wo", "v", "p", "h", "q", "cos", "sin", "k", "Wv", "Wk", "Wq", "saved_h",
        "saved_z", "dtype", "dtypes"
    )

    def __getattribute__(self, name):
        """Return a part by its name."""
        if name in Saved.names:
            return self[Saved.names.index(name)]
        return super().__getattribute__(name)


def rms_norm(input, weight):
    """Lemma 1: what it returns, and what its backward needs."""
    D = input.shape[2]
    # (1.F1)  ms_x[n,t] = Σ_d input[n,t,d]²/D  (N, T)
    ms_x = np.einsum("ntd,ntd->nt", input, input) / D
    ms_eps_x = ms_x + 1e-06    # (1.F2)  ms_eps_x[n,t] = ms_x[n,t] + 1e-6  (N, T)
    rms_x = np.sqrt(ms_eps_x)  # (1.F3)  rms_x[n,t] = √ms_eps_x[n,t]  (N, T)
    # (1.F4)  x_hat[n,t,d] = input[n,t,d]/rms_x[n,t]  (N, T, D)
    x_hat = input / rms_x[:, :, None]
    out = weight * x_hat       # (1.F5)  out[n,t,d] = x_hat[n,t,d] weight[d]  (N, T, D)
    return out, (x_hat, weight, out, rms_x)


def rms_norm_backward(saved, dout, need_dinput=True):
    """Lemma 1: from the adjoints of what it returns, those of what it takes."""
    x_hat, weight, out, rms_x = saved
    D = x_hat.shape[2]
    dinput = None
    # (1.B1)  dweight[d] = Σ_nt dout[n,t,d] x_hat[n,t,d]  (D,)  from (1.F5)
    dweight = np.einsum("ntd,ntd->d", dout, x_hat)
    if need_dinput:
        # (1.B6)  dinput[n,t,d] = (dout[n,t,d] weight[d]
        #       - x_hat[n,t,d] Σ_i dout[n,t,i] out[n,t,i]/D)/rms_x[n,t]  (N, T, D)
        #       from (1.F4), (1.F1) with (1.B2), (1.B5)
        dinput = (
            (
                weight * dout
                - (np.einsum("nti,nti->nt", dout, out) / D)[:, :, None] * x_hat
            )
            / rms_x[:, :, None]
        )
    return dinput, dweight


def forward(
    x: "N T D", target: "N T D", g1: "D", Wq: "D 4*E", Wk: "D 2*E", Wv: "D 2*E",
    Wo: "4*E D", g2: "D", Wgate: "D F", Wup: "D F", Wdown: "F D", heads=4, groups=2,
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
    h, saved_h = rms_norm(x, g1)  # (F1)  Lemma 1
    hWq = h @ Wq             # (F2)  hWq[n,t,i] = Σ_d h[n,t,d] Wq[d,i]  (N, T, 4 * E)
    # (F3)  pow[i] = 10000^(-2 i/E)  (E // 2,)
    pow = 10000**(-2 / E * np.arange(E // 2, dtype=dtype))
    # (F4)  angle[t,i] = t pow[i]  (T, E // 2)
    angle = np.arange(T, dtype=dtype)[:, None] * pow
    cos = np.cos(angle)      # (F5)  cos[t,i] = cos(angle[t,i])  (T, E // 2)
    sin = np.sin(angle)      # (F6)  sin[t,i] = sin(angle[t,i])  (T, E // 2)
    # (F7)  u1[n,i,t,j] = hWq[n,t,E i+j] cos[t,j] - hWq[n,t,E i+j+E/2] sin[t,j]
    #       (N, 4, T, E // 2)
    u1_product = cos * hWq.reshape(N, T, 4, E)[:, :, :, :E // 2].transpose(0, 2, 1, 3)
    u1 = (
        u1_product
        - sin * hWq.reshape(N, T, 4, E)[:, :, :, E // 2:].transpose(0, 2, 1, 3)
    )
    # (F8)  u2[n,i,t,j] = hWq[n,t,E i+j+E/2] cos[t,j] + hWq[n,t,E i+j] sin[t,j]
    #       (N, 4, T, E // 2)
    u2_product = cos * hWq.reshape(N, T, 4, E)[:, :, :, E // 2:].transpose(0, 2, 1, 3)
    u2 = (
        u2_product
        + sin * hWq.reshape(N, T, 4, E)[:, :, :, :E // 2].transpose(0, 2, 1, 3)
    )
    # (F9)  q[n,i,t,e] = [e < E/2] u1[n,i,t,e] + [E/2 ≤ e] u2[n,i,t,e-E/2]  (N, 4, T, E)
    q = np.empty((N, 4, T, E), dtype)
    q[:, :, :, :E // 2] = u1
    q[:, :, :, E // 2:] = u2
    hWk = h @ Wk             # (F10)  hWk[n,t,i] = Σ_d h[n,t,d] Wk[d,i]  (N, T, 2 * E)
    # (F11)  u3[n,i,t,j] = hWk[n,t,E i+j] cos[t,j] - hWk[n,t,E i+j+E/2] sin[t,j]
    #       (N, 2, T, E // 2)
    u3_product = cos * hWk.reshape(N, T, 2, E)[:, :, :, :E // 2].transpose(0, 2, 1, 3)
    u3 = (
        u3_product
        - sin * hWk.reshape(N, T, 2, E)[:, :, :, E // 2:].transpose(0, 2, 1, 3)
    )
    # (F12)  u4[n,i,t,j] = hWk[n,t,E i+j+E/2] cos[t,j] + hWk[n,t,E i+j] sin[t,j]
    #       (N, 2, T, E // 2)
    u4_product = cos * hWk.reshape(N, T, 2, E)[:, :, :, E // 2:].transpose(0, 2, 1, 3)
    u4 = (
        u4_product
        + sin * hWk.reshape(N, T, 2, E)[:, :, :, :E // 2].transpose(0, 2, 1, 3)
    )
    # (F13)  k[n,i,t,e] = [e < E/2] u3[n,i,t,e] + [E/2 ≤ e] u4[n,i,t,e-E/2]
    #       (N, 2, T, E)
    k = np.empty((N, 2, T, E), dtype)
    k[:, :, :, :E // 2] = u3
    k[:, :, :, E // 2:] = u4
    v = h @ Wv               # (F14)  v[n,t,i] = Σ_d h[n,t,d] Wv[d,i]  (N, T, 2 * E)
    # (F15)  scores[n,i,j,t,r] = Σ_e q[n,2 i+j,t,e] k[n,i,r,e]/√E  (N, 2, 2, T, T)
    with np.errstate(all="ignore"):  # only finite entries are used
        scores = (
            (q.reshape(N, 2, 2 * T, E) @ k.transpose(0, 1, 3, 2)).reshape(N, 2, 2, T, T)
            / E**0.5
        )
    # (F16)  masked[n,i,j,t,r] = [r ≤ t] scores[n,i,j,t,r] - [t < r] ∞  (N, 2, 2, T, T)
    masked = np.where(np.arange(T) <= np.arange(T)[:, None], scores, -np.inf)
    # (F17)  masked_max[n,i,j,t] = max_r masked[n,i,j,t,r]  (N, 2, 2, T)
    masked_max = masked.max(axis=4)
    # (F18)  shifted[n,i,j,t,r] = masked[n,i,j,t,r] - masked_max[n,i,j,t]
    #       (N, 2, 2, T, T)
    shifted = masked - masked_max[:, :, :, :, None]
    # (F19)  exps[n,i,j,t,r] = exp(shifted[n,i,j,t,r])  (N, 2, 2, T, T)
    exps = np.exp(shifted)
    s = exps.sum(axis=4)     # (F20)  s[n,i,j,t] = Σ_r exps[n,i,j,t,r]  (N, 2, 2, T)
    # (F21)  p[n,i,j,t,r] = exps[n,i,j,t,r]/s[n,i,j,t]  (N, 2, 2, T, T)
    p = exps / s[:, :, :, :, None]
    # (F22)  o1[n,i,j,t,e] = Σ_r p[n,i,j,t,r] v[n,r,E i+e]  (N, 2, 2, T, E)
    o1 = (
        p.reshape(N, 2, 2 * T, T) @ v.reshape(N, T, 2, E).transpose(0, 2, 1, 3)
    ).reshape(N, 2, 2, T, E)
    # (F23)  u[n,t,d] = x[n,t,d] + Σ_i o1[n,⌊⌊i/E⌋/2⌋,(⌊i/E⌋ mod 2),t,(i mod E)] Wo[i,d]
    #       (N, T, D)
    u = x + o1.transpose(0, 3, 1, 2, 4).reshape(N, T, 4 * E) @ Wo
    z, saved_z = rms_norm(u, g2)  # (F24)  Lemma 1
    z1 = z @ Wgate           # (F25)  z1[n,t,f] = Σ_d z[n,t,d] Wgate[d,f]  (N, T, F)
    sigmoid_z = sigmoid(z1)  # (F26)  sigmoid_z[n,t,f] = σ(z1[n,t,f])  (N, T, F)
    u5 = z1 * sigmoid_z      # (F27)  u5[n,t,f] = z1[n,t,f] sigmoid_z[n,t,f]  (N, T, F)
    z_Wup = z @ Wup          # (F28)  z_Wup[n,t,f] = Σ_d z[n,t,d] Wup[d,f]  (N, T, F)
    u6 = u5 * z_Wup          # (F29)  u6[n,t,f] = u5[n,t,f] z_Wup[n,t,f]  (N, T, F)
    # (F30)  y[n,t,d] = u[n,t,d] + Σ_f u6[n,t,f] Wdown[f,d]  (N, T, D)
    y = u + u6 @ Wdown
    error = y - target       # (F31)  error[n,t,d] = y[n,t,d] - target[n,t,d]  (N, T, D)
    L = np.vdot(error, error) / (N * T * D)  # (F32)  L = Σ_ntd error[n,t,d]²/(N T D)
    dtypes = [np.result_type(p) for p in (g1, Wq, Wk, Wv, Wo, g2, Wgate, Wup, Wdown)]
    saved = (
        error, u6, Wdown, u5, z, z_Wup, sigmoid_z, Wup, Wgate, o1, Wo, v, p, h, q, cos,
        sin, k, Wv, Wk, Wq, saved_h, saved_z, dtype, dtypes
    )
    return dtype.type(L), Saved(saved)


def backward(saved, dL=1.0):
    """Return the gradients of dL * loss."""
    (
        error, u6, Wdown, u5, z, z_Wup, sigmoid_z, Wup, Wgate, o1, Wo, v, p, h, q, cos,
        sin, k, Wv, Wk, Wq, saved_h, saved_z, dtype, dtypes
    ) = saved
    N, T, D = error.shape
    E = o1.shape[4]
    # (B3)  dy[n,t,d] = 2 error[n,t,d] dL/(N T D)  (N, T, D)  from (F31) with (B2)
    dy = 2 * dL / (N * T * D) * error
    # (B4)  dWdown[f,d] = Σ_nt dy[n,t,d] u6[n,t,f]  (F, D)  from (F30)
    dWdown = np.tensordot(u6, dy, axes=((0, 1), (0, 1)))
    # (B5)  du6[n,t,f] = Σ_d dy[n,t,d] Wdown[f,d]  (N, T, F)  from (F30)
    du6 = dy @ Wdown.T
    # (B6)  dz_Wup[n,t,f] = du6[n,t,f] u5[n,t,f]  (N, T, F)  from (F29)
    dz_Wup = du6 * u5
    # (B7)  dWup[d,f] = Σ_nt dz_Wup[n,t,f] z[n,t,d]  (D, F)  from (F28)
    dWup = np.tensordot(z, dz_Wup, axes=((0, 1), (0, 1)))
    # (B10)  dz1[n,t,f] = du6[n,t,f] (z_Wup[n,t,f] sigmoid_z[n,t,f] + u6[n,t,f]
    #       - sigmoid_z[n,t,f] u6[n,t,f])  (N, T, F)  from (F27), (F26) with (B9), (B8)
    dz1 = du6 * (z_Wup * sigmoid_z + u6 - sigmoid_z * u6)
    # (B11)  dWgate[d,f] = Σ_nt dz1[n,t,f] z[n,t,d]  (D, F)  from (F25)
    dWgate = np.tensordot(z, dz1, axes=((0, 1), (0, 1)))
    # (B12)  dz[n,t,d] = Σ_f dz_Wup[n,t,f] Wup[d,f] + Σ_f dz1[n,t,f] Wgate[d,f]
    #       (N, T, D)  from (F28), (F25)
    dz = dz_Wup @ Wup.T + dz1 @ Wgate.T
    du_rms_norm, dg2 = rms_norm_backward(saved_z, dz)           # (B13)  Lemma 1
    # (B14)  du[n,t,d] = dy[n,t,d] + du_rms_norm[n,t,d]  (N, T, D)  from (F30), (F24)
    du = dy + du_rms_norm
    # (B15)  dWo[i,d] = Σ_nt du[n,t,d] o1[n,⌊⌊i/E⌋/2⌋,(⌊i/E⌋ mod 2),t,(i mod E)]
    #       (4 * E, D)  from (F23)
    dWo = np.tensordot(
        o1.transpose(0, 3, 1, 2, 4).reshape(N, T, 4 * E), du, axes=((0, 1), (0, 1))
    )
    # (B16)  do1[n,i,j,t,e] = Σ_d du[n,t,d] Wo[2 E i+E j+e,d]  (N, 2, 2, T, E)
    #       from (F23)
    do1 = (du @ Wo.T).reshape(N, T, 2, 2, E).transpose(0, 2, 3, 1, 4)
    # (B17)  dp[n,i,j,t,r] = Σ_e do1[n,i,j,t,e] v[n,r,e+E i]  (N, 2, 2, T, T)
    #       from (F22)
    dp = (
        do1.reshape(N, 2, 2 * T, E) @ v.reshape(N, T, 2, E).transpose(0, 2, 3, 1)
    ).reshape(N, 2, 2, T, T)
    # (B23)  dscores[n,i,j,t,r] = (dp[n,i,j,t,r] - Σ_w dp[n,i,j,t,w] p[n,i,j,t,w])
    #       p[n,i,j,t,r] [r ≤ t]  (N, 2, 2, T, T)  from (F16) with (B22)
    dscores = np.where(
        np.arange(T) <= np.arange(T)[:, None],
        (dp - np.einsum("nijtw,nijtw->nijt", dp, p)[:, :, :, :, None]) * p, 0
    )
    # (B24)  dv[n,t,j] = Σ_ir do1[n,⌊j/E⌋,i,r,(j mod E)] p[n,⌊j/E⌋,i,r,t]
    #       (N, T, 2 * E)  from (F22)
    dv_picked = (
        do1.transpose(0, 1, 4, 2, 3).reshape(N, 2, E, 2 * T).transpose(0, 1, 3, 2)
    )
    dv = (
        (
            p.reshape(N, 2, 2 * T, T).transpose(0, 1, 3, 2) @ dv_picked
        ).transpose(0, 2, 1, 3).reshape(N, T, 2 * E)
    )
    # (B25)  dWv[d,i] = Σ_nt dv[n,t,i] h[n,t,d]  (D, 2 * E)  from (F14)
    dWv = np.tensordot(h, dv, axes=((0, 1), (0, 1)))
    # (B26)  dk[n,i,t,e] = Σ_jr dscores[n,i,j,r,t] q[n,j+2 i,r,e]/√E  (N, 2, T, E)
    #       from (F15)
    dk = (
        dscores.transpose(0, 1, 4, 2, 3).reshape(N, 2, T, 2 * T)
        @ q.reshape(N, 2, 2 * T, E) / E**0.5
    )
    # (B29)  dhWk[n,t,i] = dk[n,⌊i/E⌋,t,(i mod E)]
    #       (cos[t,(i mod E) - E/2] [(i mod E) - E/2 ≥ 0]
    #       + cos[t,(i mod E)] [(i mod E) < E/2]) + dk[n,⌊i/E⌋,t,(i mod E) + E/2]
    #       sin[t,(i mod E)] [(i mod E) < E/2] - dk[n,⌊i/E⌋,t,(i mod E) - E/2]
    #       sin[t,(i mod E) - E/2] [(i mod E) - E/2 ≥ 0]  (N, T, 2 * E)
    #       from (F12), (F11) with (B27), (B28)
    dhWk = np.empty((N, T, 2, E), dtype)
    dhWk[:, :, :, E // 2:] = (
        cos[:, None, :] * dk[:, :, :, E // 2:].transpose(0, 2, 1, 3)
        - sin[:, None, :] * dk[:, :, :, :E // 2].transpose(0, 2, 1, 3)
    )
    dhWk[:, :, :, :E // 2] = (
        cos[:, None, :] * dk[:, :, :, :E // 2].transpose(0, 2, 1, 3)
        + sin[:, None, :] * dk[:, :, :, E // 2:].transpose(0, 2, 1, 3)
    )
    dhWk = dhWk.reshape(N, T, 2 * E)
    # (B30)  dWk[d,i] = Σ_nt dhWk[n,t,i] h[n,t,d]  (D, 2 * E)  from (F10)
    dWk = np.tensordot(h, dhWk, axes=((0, 1), (0, 1)))
    # (B31)  dq[n,i,t,e] = Σ_j dscores[n,⌊i/2⌋,(i mod 2),t,j] k[n,⌊i/2⌋,j,e]/√E
    #       (N, 4, T, E)  from (F15)
    dq = (
        (dscores.reshape(N, 2, 2 * T, T) @ k).reshape(N, 2, 2, T, E) / E**0.5
    ).reshape(N, 4, T, E)
    # (B34)  dhWq[n,t,i] = dq[n,⌊i/E⌋,t,(i mod E)]
    #       (cos[t,(i mod E) - E/2] [(i mod E) - E/2 ≥ 0]
    #       + cos[t,(i mod E)] [(i mod E) < E/2]) + dq[n,⌊i/E⌋,t,(i mod E) + E/2]
    #       sin[t,(i mod E)] [(i mod E) < E/2] - dq[n,⌊i/E⌋,t,(i mod E) - E/2]
    #       sin[t,(i mod E) - E/2] [(i mod E) - E/2 ≥ 0]  (N, T, 4 * E)
    #       from (F8), (F7) with (B32), (B33)
    dhWq = np.empty((N, T, 4, E), dtype)
    dhWq[:, :, :, E // 2:] = (
        cos[:, None, :] * dq[:, :, :, E // 2:].transpose(0, 2, 1, 3)
        - sin[:, None, :] * dq[:, :, :, :E // 2].transpose(0, 2, 1, 3)
    )
    dhWq[:, :, :, :E // 2] = (
        cos[:, None, :] * dq[:, :, :, :E // 2].transpose(0, 2, 1, 3)
        + sin[:, None, :] * dq[:, :, :, E // 2:].transpose(0, 2, 1, 3)
    )
    dhWq = dhWq.reshape(N, T, 4 * E)
    # (B35)  dWq[d,i] = Σ_nt dhWq[n,t,i] h[n,t,d]  (D, 4 * E)  from (F2)
    dWq = np.tensordot(h, dhWq, axes=((0, 1), (0, 1)))
    # (B36)  dh[n,t,d] = Σ_i dv[n,t,i] Wv[d,i] + Σ_i dhWk[n,t,i] Wk[d,i]
    #       + Σ_i dhWq[n,t,i] Wq[d,i]  (N, T, D)  from (F14), (F10), (F2)
    dh = dv @ Wv.T + dhWk @ Wk.T + dhWq @ Wq.T
    _, dg1 = rms_norm_backward(saved_h, dh, need_dinput=False)  # (B37)  Lemma 1
    grads = {
        "g1": dg1, "Wq": dWq, "Wk": dWk, "Wv": dWv, "Wo": dWo, "g2": dg2,
        "Wgate": dWgate, "Wup": dWup, "Wdown": dWdown
    }
    return like_parameters(grads, dtypes)


def value_and_grad(
    x: "N T D", target: "N T D", g1: "D", Wq: "D 4*E", Wk: "D 2*E", Wv: "D 2*E",
    Wo: "4*E D", g2: "D", Wgate: "D F", Wup: "D F", Wdown: "F D", heads=4, groups=2,
    validate=True,
):
    """Return the loss and its gradients."""
    L, saved = forward(
        x, target, g1, Wq, Wk, Wv, Wo, g2, Wgate, Wup, Wdown, heads, groups, validate
    )
    return L, backward(saved)


def predict(
    x: "N T D", g1: "D", Wq: "D 4*E", Wk: "D 2*E", Wv: "D 2*E", Wo: "4*E D", g2: "D",
    Wgate: "D F", Wup: "D F", Wdown: "F D",
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
    h, _ = rms_norm(x, g1)   # (F1)  Lemma 1
    hWq = h @ Wq             # (F2)  hWq[n,t,i] = Σ_d h[n,t,d] Wq[d,i]  (N, T, 4 * E)
    # (F3)  pow[i] = 10000^(-2 i/E)  (E // 2,)
    pow = 10000**(-2 / E * np.arange(E // 2, dtype=dtype))
    # (F4)  angle[t,i] = t pow[i]  (T, E // 2)
    angle = np.arange(T, dtype=dtype)[:, None] * pow
    cos = np.cos(angle)      # (F5)  cos[t,i] = cos(angle[t,i])  (T, E // 2)
    sin = np.sin(angle)      # (F6)  sin[t,i] = sin(angle[t,i])  (T, E // 2)
    # (F7)  u1[n,i,t,j] = hWq[n,t,E i+j] cos[t,j] - hWq[n,t,E i+j+E/2] sin[t,j]
    #       (N, 4, T, E // 2)
    u1_product = cos * hWq.reshape(N, T, 4, E)[:, :, :, :E // 2].transpose(0, 2, 1, 3)
    u1 = (
        u1_product
        - sin * hWq.reshape(N, T, 4, E)[:, :, :, E // 2:].transpose(0, 2, 1, 3)
    )
    # (F8)  u2[n,i,t,j] = hWq[n,t,E i+j+E/2] cos[t,j] + hWq[n,t,E i+j] sin[t,j]
    #       (N, 4, T, E // 2)
    u2_product = cos * hWq.reshape(N, T, 4, E)[:, :, :, E // 2:].transpose(0, 2, 1, 3)
    u2 = (
        u2_product
        + sin * hWq.reshape(N, T, 4, E)[:, :, :, :E // 2].transpose(0, 2, 1, 3)
    )
    # (F9)  q[n,i,t,e] = [e < E/2] u1[n,i,t,e] + [E/2 ≤ e] u2[n,i,t,e-E/2]  (N, 4, T, E)
    q = np.empty((N, 4, T, E), dtype)
    q[:, :, :, :E // 2] = u1
    q[:, :, :, E // 2:] = u2
    hWk = h @ Wk             # (F10)  hWk[n,t,i] = Σ_d h[n,t,d] Wk[d,i]  (N, T, 2 * E)
    # (F11)  u3[n,i,t,j] = hWk[n,t,E i+j] cos[t,j] - hWk[n,t,E i+j+E/2] sin[t,j]
    #       (N, 2, T, E // 2)
    u3_product = cos * hWk.reshape(N, T, 2, E)[:, :, :, :E // 2].transpose(0, 2, 1, 3)
    u3 = (
        u3_product
        - sin * hWk.reshape(N, T, 2, E)[:, :, :, E // 2:].transpose(0, 2, 1, 3)
    )
    # (F12)  u4[n,i,t,j] = hWk[n,t,E i+j+E/2] cos[t,j] + hWk[n,t,E i+j] sin[t,j]
    #       (N, 2, T, E // 2)
    u4_product = cos * hWk.reshape(N, T, 2, E)[:, :, :, E // 2:].transpose(0, 2, 1, 3)
    u4 = (
        u4_product
        + sin * hWk.reshape(N, T, 2, E)[:, :, :, :E // 2].transpose(0, 2, 1, 3)
    )
    # (F13)  k[n,i,t,e] = [e < E/2] u3[n,i,t,e] + [E/2 ≤ e] u4[n,i,t,e-E/2]
    #       (N, 2, T, E)
    k = np.empty((N, 2, T, E), dtype)
    k[:, :, :, :E // 2] = u3
    k[:, :, :, E // 2:] = u4
    v = h @ Wv               # (F14)  v[n,t,i] = Σ_d h[n,t,d] Wv[d,i]  (N, T, 2 * E)
    # (F15)  scores[n,i,j,t,r] = Σ_e q[n,2 i+j,t,e] k[n,i,r,e]/√E  (N, 2, 2, T, T)
    with np.errstate(all="ignore"):  # only finite entries are used
        scores = (
            (q.reshape(N, 2, 2 * T, E) @ k.transpose(0, 1, 3, 2)).reshape(N, 2, 2, T, T)
            / E**0.5
        )
    # (F16)  masked[n,i,j,t,r] = [r ≤ t] scores[n,i,j,t,r] - [t < r] ∞  (N, 2, 2, T, T)
    masked = np.where(np.arange(T) <= np.arange(T)[:, None], scores, -np.inf)
    # (F17)  masked_max[n,i,j,t] = max_r masked[n,i,j,t,r]  (N, 2, 2, T)
    masked_max = masked.max(axis=4)
    # (F18)  shifted[n,i,j,t,r] = masked[n,i,j,t,r] - masked_max[n,i,j,t]
    #       (N, 2, 2, T, T)
    shifted = masked - masked_max[:, :, :, :, None]
    # (F19)  exps[n,i,j,t,r] = exp(shifted[n,i,j,t,r])  (N, 2, 2, T, T)
    exps = np.exp(shifted)
    s = exps.sum(axis=4)     # (F20)  s[n,i,j,t] = Σ_r exps[n,i,j,t,r]  (N, 2, 2, T)
    # (F21)  p[n,i,j,t,r] = exps[n,i,j,t,r]/s[n,i,j,t]  (N, 2, 2, T, T)
    p = exps / s[:, :, :, :, None]
    # (F22)  o1[n,i,j,t,e] = Σ_r p[n,i,j,t,r] v[n,r,E i+e]  (N, 2, 2, T, E)
    o1 = (
        p.reshape(N, 2, 2 * T, T) @ v.reshape(N, T, 2, E).transpose(0, 2, 1, 3)
    ).reshape(N, 2, 2, T, E)
    # (F23)  u[n,t,d] = x[n,t,d] + Σ_i o1[n,⌊⌊i/E⌋/2⌋,(⌊i/E⌋ mod 2),t,(i mod E)] Wo[i,d]
    #       (N, T, D)
    u = x + o1.transpose(0, 3, 1, 2, 4).reshape(N, T, 4 * E) @ Wo
    z, _ = rms_norm(u, g2)   # (F24)  Lemma 1
    z1 = z @ Wgate           # (F25)  z1[n,t,f] = Σ_d z[n,t,d] Wgate[d,f]  (N, T, F)
    sigmoid_z = sigmoid(z1)  # (F26)  sigmoid_z[n,t,f] = σ(z1[n,t,f])  (N, T, F)
    u5 = z1 * sigmoid_z      # (F27)  u5[n,t,f] = z1[n,t,f] sigmoid_z[n,t,f]  (N, T, F)
    z_Wup = z @ Wup          # (F28)  z_Wup[n,t,f] = Σ_d z[n,t,d] Wup[d,f]  (N, T, F)
    u6 = u5 * z_Wup          # (F29)  u6[n,t,f] = u5[n,t,f] z_Wup[n,t,f]  (N, T, F)
    # (F30)  y[n,t,d] = u[n,t,d] + Σ_f u6[n,t,f] Wdown[f,d]  (N, T, D)
    y = u + u6 @ Wdown
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
