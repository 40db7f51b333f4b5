# symprop sha256:d79ea68f3fa1b520e8cbcf24c92ad2c7
"""gpt: loss and gradients in NumPy.

Made by symprop from symprop.zoo.attention:gpt.
It belongs to whoever made it.

    loss, saved = forward(tok, following, E, P, blocks, g, b, W)
    gradients = backward(saved)

    tok              (N, T)  integers below M
    following        (N, T)  integers below M
    E                (M, D)  parameter
    P                (C, D)  parameter
    blocks[l]["g1"]  (D,)    parameter
    blocks[l]["b1"]  (D,)    parameter
    blocks[l]["Wq"]  (D, D)  parameter
    blocks[l]["Wk"]  (D, D)  parameter
    blocks[l]["Wv"]  (D, D)  parameter
    blocks[l]["Wo"]  (D, D)  parameter
    blocks[l]["bo"]  (D,)    parameter
    blocks[l]["g2"]  (D,)    parameter
    blocks[l]["b2"]  (D,)    parameter
    blocks[l]["W1"]  (D, F)  parameter
    blocks[l]["c1"]  (F,)    parameter
    blocks[l]["W2"]  (F, D)  parameter
    blocks[l]["c2"]  (D,)    parameter
    g                (D,)    parameter
    b                (D,)    parameter
    W                (D, M)  parameter

(F1), (F2), ... number the equations of the forward pass and (B1), (B2), ... those of
their adjoints: dW is the gradient of the loss by W; (1.F1), (1.B1), ... are those of
Lemma 1, layer_norm. The derivation has these numbers.
"""

import numpy as np

WRT = ("E", "P", "blocks", "g", "b", "W")
FACTS = (
    ("index", "tok", "M"),
    ("index", "following", "M"),
)
OUTPUTS = ("logits",)
COMPLEX_SAFE = False
BLOCK = {
    "g1": "D", "b1": "D", "Wq": "D D", "Wk": "D D", "Wv": "D D", "Wo": "D D", "bo": "D",
    "g2": "D", "b2": "D", "W1": "D F", "c1": "F", "W2": "F D", "c2": "D"
}


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
    """A tuple whose parts have names, as in saved.p3."""

    names = (
        "p3", "following", "h", "W", "tok", "saved_x5", "saved_h", "blocks_dtypes", "C",
        "dtype", "dtypes"
    )

    def __getattribute__(self, name):
        """Return a part by its name."""
        if name in Saved.names:
            return self[Saved.names.index(name)]
        return super().__getattribute__(name)


def read_blocks(blocks, D, F):
    """Return the arrays of blocks, entry by entry, and sizes."""
    if len(blocks) != 2:
        raise ValueError("blocks must have 2 entries")
    blocks_read = []
    for l, block in enumerate(blocks):
        g1, (D,) = read("blocks_%d_g1" % l, block["g1"], "wrt", "D", (D,))
        b1, _ = read("blocks_%d_b1" % l, block["b1"], "wrt", "D", (D,))
        Wq, _ = read("blocks_%d_Wq" % l, block["Wq"], "wrt", "D D", (D, D))
        Wk, _ = read("blocks_%d_Wk" % l, block["Wk"], "wrt", "D D", (D, D))
        Wv, _ = read("blocks_%d_Wv" % l, block["Wv"], "wrt", "D D", (D, D))
        Wo, _ = read("blocks_%d_Wo" % l, block["Wo"], "wrt", "D D", (D, D))
        bo, _ = read("blocks_%d_bo" % l, block["bo"], "wrt", "D", (D,))
        g2, _ = read("blocks_%d_g2" % l, block["g2"], "wrt", "D", (D,))
        b2, _ = read("blocks_%d_b2" % l, block["b2"], "wrt", "D", (D,))
        W1, (_, F) = read("blocks_%d_W1" % l, block["W1"], "wrt", "D F", (D, F))
        c1, _ = read("blocks_%d_c1" % l, block["c1"], "wrt", "F", (F,))
        W2, _ = read("blocks_%d_W2" % l, block["W2"], "wrt", "F D", (F, D))
        c2, _ = read("blocks_%d_c2" % l, block["c2"], "wrt", "D", (D,))
        blocks_read.append((g1, b1, Wq, Wk, Wv, Wo, bo, g2, b2, W1, c1, W2, c2))
    return blocks_read, D, F


def layer_norm(input, weight, bias):
    """Lemma 1: what it returns, and what its backward needs."""
    D = input.shape[2]
    mu = input.sum(axis=2) / D  # (1.F1)  mu[n,t] = Σ_d input[n,t,d]/D  (N, T)
    # (1.F2)  centred[n,t,d] = input[n,t,d] - mu[n,t]  (N, T, D)
    centred = input - mu[:, :, None]
    # (1.F3)  var[n,t] = Σ_d centred[n,t,d]²/D  (N, T)
    var = np.einsum("ntd,ntd->nt", centred, centred) / D
    var_eps = var + 1e-05       # (1.F4)  var_eps[n,t] = var[n,t] + 1e-5  (N, T)
    std = np.sqrt(var_eps)      # (1.F5)  std[n,t] = √var_eps[n,t]  (N, T)
    # (1.F6)  x_hat[n,t,d] = centred[n,t,d]/std[n,t]  (N, T, D)
    x_hat = centred / std[:, :, None]
    # (1.F7)  out[n,t,d] = x_hat[n,t,d] weight[d] + bias[d]  (N, T, D)
    out = weight * x_hat + bias
    return out, (x_hat, weight, std)


def layer_norm_backward(saved, dout):
    """Lemma 1: from the adjoints of what it returns, those of what it takes."""
    x_hat, weight, std = saved
    D = x_hat.shape[2]
    # (1.B1)  dweight[d] = Σ_nt dout[n,t,d] x_hat[n,t,d]  (D,)  from (1.F7)
    dweight = np.einsum("ntd,ntd->d", dout, x_hat)
    # (1.B2)  dbias[d] = Σ_nt dout[n,t,d]  (D,)  from (1.F7)
    dbias = dout.sum(axis=(0, 1))
    # (1.B3)  dx_hat[n,t,d] = dout[n,t,d] weight[d]  (N, T, D)  from (1.F7)
    dx_hat = weight * dout
    # (1.B9)  dinput[n,t,d] = (dx_hat[n,t,d] - x_hat[n,t,d] Σ_i dx_hat[n,t,i]
    #       x_hat[n,t,i]/D - Σ_i dx_hat[n,t,i]/D)/std[n,t]  (N, T, D)
    #       from (1.F2), (1.F1) with (1.B7), (1.B8)
    dinput_product = (np.einsum("nti,nti->nt", dx_hat, x_hat) / D)[:, :, None] * x_hat
    dinput = (
        (dx_hat - dinput_product - (dx_hat.sum(axis=2) / D)[:, :, None])
        / std[:, :, None]
    )
    return dinput, dweight, dbias


def scaled_dot_product_attention(query, key, value):
    """Lemma 2: what it returns, and what its backward needs."""
    N, T, D = query.shape
    # (2.F1)  scores[n,i,t,j] = Σ_{q<D/2} query[n,t,D i/2+q] key[n,j,D i/2+q]/√(D/2)
    #       (N, 2, T, T)
    with np.errstate(all="ignore"):  # only finite entries are used
        scores = (
            query.reshape(N, T, 2, D // 2).transpose(0, 2, 1, 3)
            @ key.reshape(N, T, 2, D // 2).transpose(0, 2, 3, 1) / (D / 2)**0.5
        )
    # (2.F2)  masked[n,i,t,j] = [j ≤ t] scores[n,i,t,j] - [t < j] ∞  (N, 2, T, T)
    masked = np.where(np.arange(T) <= np.arange(T)[:, None], scores, -np.inf)
    # (2.F3)  masked_max[n,i,t] = max_j masked[n,i,t,j]  (N, 2, T)
    masked_max = masked.max(axis=3)
    # (2.F4)  shifted[n,i,t,j] = masked[n,i,t,j] - masked_max[n,i,t]  (N, 2, T, T)
    shifted = masked - masked_max[:, :, :, None]
    e = np.exp(shifted)       # (2.F5)  e[n,i,t,j] = exp(shifted[n,i,t,j])  (N, 2, T, T)
    s = e.sum(axis=3)         # (2.F6)  s[n,i,t] = Σ_j e[n,i,t,j]  (N, 2, T)
    p = e / s[:, :, :, None]  # (2.F7)  p[n,i,t,j] = e[n,i,t,j]/s[n,i,t]  (N, 2, T, T)
    # (2.F8)  out[n,i,t,j] = Σ_q p[n,i,t,q] value[n,q,D i/2+j]  (N, 2, T, D // 2)
    out = p @ value.reshape(N, T, 2, D // 2).transpose(0, 2, 1, 3)
    return out, (p, value, key, query)


def scaled_dot_product_attention_backward(saved, dout):
    """Lemma 2: from the adjoints of what it returns, those of what it takes."""
    p, value, key, query = saved
    N = p.shape[0]
    T = p.shape[2]
    D = value.shape[2]
    # (2.B1)  dvalue[n,t,d] = Σ_i dout[n,⌊d/(D/2)⌋,i,(d mod (D/2))] p[n,⌊d/(D/2)⌋,i,t]
    #       (N, T, D)  from (2.F8)
    dvalue = (p.transpose(0, 1, 3, 2) @ dout).transpose(0, 2, 1, 3).reshape(N, T, D)
    # (2.B2)  dp[n,i,t,j] = Σ_q dout[n,i,t,q] value[n,j,q+D i/2]  (N, 2, T, T)
    #       from (2.F8)
    dp = dout @ value.reshape(N, T, 2, D // 2).transpose(0, 2, 3, 1)
    # (2.B8)  dscores[n,i,t,j] = (dp[n,i,t,j] - Σ_q dp[n,i,t,q] p[n,i,t,q]) p[n,i,t,j]
    #       [j ≤ t]  (N, 2, T, T)  from (2.F2) with (2.B7)
    dscores = np.where(
        np.arange(T) <= np.arange(T)[:, None],
        (dp - np.einsum("nitq,nitq->nit", dp, p)[:, :, :, None]) * p, 0
    )
    # (2.B9)  dquery[n,t,d] = Σ_i dscores[n,⌊d/(D/2)⌋,t,i] key[n,i,d]/√(D/2)  (N, T, D)
    #       from (2.F1)
    dquery = (
        (
            dscores @ key.reshape(N, T, 2, D // 2).transpose(0, 2, 1, 3)
        ).transpose(0, 2, 1, 3)
        / (D / 2)**0.5
    ).reshape(N, T, D)
    # (2.B10)  dkey[n,t,d] = Σ_i dscores[n,⌊d/(D/2)⌋,i,t] query[n,i,d]/√(D/2)
    #       (N, T, D)  from (2.F1)
    dkey_product = (
        dscores.transpose(0, 1, 3, 2)
        @ query.reshape(N, T, 2, D // 2).transpose(0, 2, 1, 3)
    )
    dkey = (dkey_product.transpose(0, 2, 1, 3) / (D / 2)**0.5).reshape(N, T, D)
    return dquery, dkey, dvalue


def gpt_block(x, g1, b1, Wq, Wk, Wv, Wo, bo, g2, b2, W1, c1, W2, c2):
    """Lemma 3: what it returns, and what its backward needs."""
    N, T, D = x.shape
    h, saved_h = layer_norm(x, g1, b1)  # (3.F1)  Lemma 1
    q = h @ Wq           # (3.F2)  q[n,t,d] = Σ_i h[n,t,i] Wq[i,d]  (N, T, D)
    k = h @ Wk           # (3.F3)  k[n,t,d] = Σ_i h[n,t,i] Wk[i,d]  (N, T, D)
    v = h @ Wv           # (3.F4)  v[n,t,d] = Σ_i h[n,t,i] Wv[i,d]  (N, T, D)
    attended, saved_attended = scaled_dot_product_attention(q, k, v)  # (3.F5)  Lemma 2
    # (3.F6)  x2[n,t,d] = x[n,t,d] + Σ_i attended[n,⌊i/(D/2)⌋,t,(i mod (D/2))] Wo[i,d]
    #       + bo[d]  (N, T, D)
    x2 = x + attended.transpose(0, 2, 1, 3).reshape(N, T, D) @ Wo + bo
    u, saved_u = layer_norm(x2, g2, b2)  # (3.F7)  Lemma 1
    u2 = u @ W1 + c1     # (3.F8)  u2[n,t,f] = Σ_d u[n,t,d] W1[d,f] + c1[f]  (N, T, F)
    # (3.F9)  z[n,t,f] = √(2/π) (u2[n,t,f] + 0.044715 u2[n,t,f]³)  (N, T, F)
    z = (2 / np.pi)**0.5 * (u2 + 0.044715 * (u2 * u2 * u2))
    tanh_z = np.tanh(z)  # (3.F10)  tanh_z[n,t,f] = tanh(z[n,t,f])  (N, T, F)
    u3 = 1 + tanh_z      # (3.F11)  u3[n,t,f] = 1 + tanh_z[n,t,f]  (N, T, F)
    hidden = 0.5 * u2 * u3  # (3.F12)  hidden[n,t,f] = u2[n,t,f] u3[n,t,f]/2  (N, T, F)
    # (3.F13)  out[n,t,d] = x2[n,t,d] + Σ_f hidden[n,t,f] W2[f,d] + c2[d]  (N, T, D)
    out = x2 + hidden @ W2 + c2
    saved = (
        hidden, W2, u3, u2, u, W1, attended, Wo, h, Wv, Wk, Wq, saved_h, saved_attended,
        saved_u
    )
    return out, saved


def gpt_block_backward(saved, dout):
    """Lemma 3: from the adjoints of what it returns, those of what it takes."""
    (
        hidden, W2, u3, u2, u, W1, attended, Wo, h, Wv, Wk, Wq, saved_h, saved_attended,
        saved_u
    ) = saved
    N = hidden.shape[0]
    T = hidden.shape[1]
    D = W2.shape[1]
    # (3.B1)  dW2[f,d] = Σ_nt dout[n,t,d] hidden[n,t,f]  (F, D)  from (3.F13)
    dW2 = np.tensordot(hidden, dout, axes=((0, 1), (0, 1)))
    dc2 = dout.sum(axis=(0, 1))  # (3.B2)  dc2[d] = Σ_nt dout[n,t,d]  (D,)  from (3.F13)
    # (3.B3)  dhidden[n,t,f] = Σ_d dout[n,t,d] W2[f,d]  (N, T, F)  from (3.F13)
    dhidden = dout @ W2.T
    # (3.B6)  dz[n,t,f] = dhidden[n,t,f] hidden[n,t,f] (2 - u3[n,t,f])  (N, T, F)
    #       from (3.F10) with (3.B5)
    dz = dhidden * hidden * (2 - u3)
    # (3.B7)  du2[n,t,f] = dhidden[n,t,f] u3[n,t,f]/2
    #       + dz[n,t,f] (√(2/π) + 3·0.044715 √(2/π) u2[n,t,f]²)  (N, T, F)
    #       from (3.F12), (3.F9)
    du2 = 0.5 * dhidden * u3 + dz * ((2 / np.pi)**0.5 + 0.10703222440890038 * (u2 * u2))
    # (3.B8)  dW1[d,f] = Σ_nt du2[n,t,f] u[n,t,d]  (D, F)  from (3.F8)
    dW1 = np.tensordot(u, du2, axes=((0, 1), (0, 1)))
    dc1 = du2.sum(axis=(0, 1))   # (3.B9)  dc1[f] = Σ_nt du2[n,t,f]  (F,)  from (3.F8)
    # (3.B10)  du[n,t,d] = Σ_f du2[n,t,f] W1[d,f]  (N, T, D)  from (3.F8)
    du = du2 @ W1.T
    dx2_layer_norm, dg2, db2 = layer_norm_backward(saved_u, du)  # (3.B11)  Lemma 1
    # (3.B12)  dx2[n,t,d] = dout[n,t,d] + dx2_layer_norm[n,t,d]  (N, T, D)
    #       from (3.F13), (3.F7)
    dx2 = dout + dx2_layer_norm
    # (3.B13)  dWo[d,i] = Σ_nt dx2[n,t,i] attended[n,⌊d/(D/2)⌋,t,(d mod (D/2))]  (D, D)
    #       from (3.F6)
    dWo = np.tensordot(
        attended.transpose(0, 2, 1, 3).reshape(N, T, D), dx2, axes=((0, 1), (0, 1))
    )
    dbo = dx2.sum(axis=(0, 1))   # (3.B14)  dbo[d] = Σ_nt dx2[n,t,d]  (D,)  from (3.F6)
    # (3.B15)  dattended[n,i,t,j] = Σ_d dx2[n,t,d] Wo[D i/2+j,d]  (N, 2, T, D // 2)
    #       from (3.F6)
    dattended = (dx2 @ Wo.T).reshape(N, T, 2, D // 2).transpose(0, 2, 1, 3)
    # (3.B16)  Lemma 2
    dq, dk, dv = scaled_dot_product_attention_backward(saved_attended, dattended)
    # (3.B17)  dWv[d,i] = Σ_nt dv[n,t,i] h[n,t,d]  (D, D)  from (3.F4)
    dWv = np.tensordot(h, dv, axes=((0, 1), (0, 1)))
    # (3.B18)  dWk[d,i] = Σ_nt dk[n,t,i] h[n,t,d]  (D, D)  from (3.F3)
    dWk = np.tensordot(h, dk, axes=((0, 1), (0, 1)))
    # (3.B19)  dWq[d,i] = Σ_nt dq[n,t,i] h[n,t,d]  (D, D)  from (3.F2)
    dWq = np.tensordot(h, dq, axes=((0, 1), (0, 1)))
    # (3.B20)  dh[n,t,d] = Σ_i dv[n,t,i] Wv[d,i] + Σ_i dk[n,t,i] Wk[d,i]
    #       + Σ_i dq[n,t,i] Wq[d,i]  (N, T, D)  from (3.F4), (3.F3), (3.F2)
    dh = dv @ Wv.T + dk @ Wk.T + dq @ Wq.T
    dx_layer_norm, dg1, db1 = layer_norm_backward(saved_h, dh)  # (3.B21)  Lemma 1
    # (3.B22)  dx[n,t,d] = dx2[n,t,d] + dx_layer_norm[n,t,d]  (N, T, D)
    #       from (3.F6), (3.F1)
    dx = dx2 + dx_layer_norm
    return dx, dg1, db1, dWq, dWk, dWv, dWo, dbo, dg2, db2, dW1, dc1, dW2, dc2


def forward(
    tok: "int N T", following: "int N T", E: "M D", P: "C D", blocks: [BLOCK] * 2,
    g: "D", b: "D", W: "D M", heads=2, validate=True,
):
    """Return the loss, and what backward needs."""
    tok, (N, T) = read("tok", tok, "int", "N T", (None, None))
    following, _ = read("following", following, "int", "N T", (N, T))
    E, (M, D) = read("E", E, "wrt", "M D", (None, None))
    P, (C, _) = read("P", P, "wrt", "C D", (None, D))
    blocks_read, _, F = read_blocks(blocks, D, None)
    g, _ = read("g", g, "wrt", "D", (D,))
    b, _ = read("b", b, "wrt", "D", (D,))
    W, _ = read("W", W, "wrt", "D M", (D, M))
    if validate:
        if np.any(tok < 0) or np.any(tok >= M):
            raise IndexError("tok holds a position outside 0 to M - 1")
        if np.any(following < 0) or np.any(following >= M):
            raise IndexError("following holds a position outside 0 to M - 1")
        if C < T:
            raise ValueError("the sizes do not fit: C must be at least T")
        if D % 2:
            raise ValueError("the sizes do not fit: 2 must divide D")
    if heads != 2:
        raise ValueError("heads is fixed at 2")
    dtype = np.result_type(E, P, g, b, W, *sum(blocks_read, ()))
    x1 = E[tok] + P[:T]         # (F1)  x1[n,t,d] = E[tok[n,t],d] + P[t,d]  (N, T, D)
    x5 = x1
    saved_x5 = []
    for block in blocks_read:   # (F2)  Lemma 3
        x5, saved = gpt_block(x5, *block)
        saved_x5.append(saved)
    h, saved_h = layer_norm(x5, g, b)  # (F3)  Lemma 1
    logits = h @ W              # (F4)  logits[n,t,m] = Σ_d h[n,t,d] W[d,m]  (N, T, M)
    # (F5)  logits_max[n,t] = max_m logits[n,t,m]  (N, T)
    logits_max = logits.max(axis=2)
    # (F6)  shifted3[n,t,m] = logits[n,t,m] - logits_max[n,t]  (N, T, M)
    shifted3 = logits - logits_max[:, :, None]
    e3 = np.exp(shifted3)       # (F7)  e3[n,t,m] = exp(shifted3[n,t,m])  (N, T, M)
    s3 = e3.sum(axis=2)         # (F8)  s3[n,t] = Σ_m e3[n,t,m]  (N, T)
    p3 = e3 / s3[:, :, None]    # (F9)  p3[n,t,m] = e3[n,t,m]/s3[n,t]  (N, T, M)
    # (F10)  log_p[n,t,m] = shifted3[n,t,m] - log(s3[n,t])  (N, T, M)
    log_p = shifted3 - np.log(s3)[:, :, None]
    # (F11)  picked[n,t] = -log_p[n,t,following[n,t]]  (N, T)
    picked = -log_p[np.arange(N)[:, None], np.arange(T), following]
    L = picked.sum() / (N * T)  # (F12)  L = Σ_nt picked[n,t]/(N T)
    dtypes = [np.result_type(p) for p in (E, P, g, b, W)]
    blocks_dtypes = [[np.result_type(a) for a in block] for block in blocks_read]
    saved = (
        p3, following, h, W, tok, saved_x5, saved_h, blocks_dtypes, C, dtype, dtypes
    )
    return dtype.type(L), Saved(saved)


def backward(saved, dL=1.0):
    """Return the gradients of dL * loss."""
    p3, following, h, W, tok, saved_x5, saved_h, blocks_dtypes, C, dtype, dtypes = saved
    N, T, M = p3.shape
    D = h.shape[2]
    # (B8)  dlogits[n,t,m] = (p3[n,t,m] - [following[n,t] = m]) dL/(N T)  (N, T, M)
    #       from (F6), (F5) with (B7), (B6)
    dlogits = dL / (N * T) * p3
    dlogits[np.arange(N)[:, None], np.arange(T), following] -= dL / (N * T)
    # (B9)  dW[d,m] = Σ_nt dlogits[n,t,m] h[n,t,d]  (D, M)  from (F4)
    dW = np.tensordot(h, dlogits, axes=((0, 1), (0, 1)))
    # (B10)  dh[n,t,d] = Σ_m dlogits[n,t,m] W[d,m]  (N, T, D)  from (F4)
    dh = dlogits @ W.T
    dx5, dg, db = layer_norm_backward(saved_h, dh)  # (B11)  Lemma 1
    dx1 = dx5
    dblocks = []
    for saved in reversed(saved_x5):                # (B12)  Lemma 3
        dx1, *dblock = gpt_block_backward(saved, dx1)
        dblocks.insert(0, dblock)
    # (B13)  dE[m,d] = Σ_nt dx1[n,t,d] [tok[n,t] = m]  (M, D)  from (F1)
    dE = np.zeros((M, D), dtype)
    np.add.at(dE, tok, dx1)
    # (B14)  dP[c,d] = [c < T] Σ_n dx1[n,c,d]  (C, D)  from (F1)
    dP = (
        (np.arange(C) < T)[:, None]
        * dx1[:, np.clip(np.arange(C), 0, T - 1)].sum(axis=0)
    )
    grads = {"E": dE, "P": dP, "g": dg, "b": db, "W": dW}
    grads = like_parameters(grads, dtypes)
    return {
        "E": grads["E"], "P": grads["P"],
        "blocks": [
            like_parameters(dict(zip(BLOCK, block)), kinds)
            for (block, kinds) in zip(dblocks, blocks_dtypes)
        ],
        "g": grads["g"], "b": grads["b"], "W": grads["W"]
    }


def value_and_grad(
    tok: "int N T", following: "int N T", E: "M D", P: "C D", blocks: [BLOCK] * 2,
    g: "D", b: "D", W: "D M", heads=2, validate=True,
):
    """Return the loss and its gradients."""
    L, saved = forward(tok, following, E, P, blocks, g, b, W, heads, validate)
    return L, backward(saved)


def predict(
    tok: "int N T", E: "M D", P: "C D", blocks: [BLOCK] * 2, g: "D", b: "D", W: "D M",
):
    """Return the outputs of the model."""
    tok, (N, T) = read("tok", tok, "int", "N T", (None, None))
    E, (M, D) = read("E", E, "wrt", "M D", (None, None))
    P, (C, _) = read("P", P, "wrt", "C D", (None, D))
    blocks_read, _, F = read_blocks(blocks, D, None)
    g, _ = read("g", g, "wrt", "D", (D,))
    b, _ = read("b", b, "wrt", "D", (D,))
    W, _ = read("W", W, "wrt", "D M", (D, M))
    x1 = E[tok] + P[:T]          # (F1)  x1[n,t,d] = E[tok[n,t],d] + P[t,d]  (N, T, D)
    x5 = x1
    for block in blocks_read:    # (F2)  Lemma 3
        x5, _ = gpt_block(x5, *block)
    h, _ = layer_norm(x5, g, b)  # (F3)  Lemma 1
    logits = h @ W               # (F4)  logits[n,t,m] = Σ_d h[n,t,d] W[d,m]  (N, T, M)
    return {"logits": logits}


# Self-check: run this file to compare backward with finite differences.


def draw_inputs(seed):
    """Draw the arguments of forward from their declared domains."""
    rng = np.random.default_rng(seed)
    N, T, M, D, C, F = 5, 2, 7, 4, 3, 11
    sizes = {"D": D, "F": F}
    return {
        "tok": rng.integers(0, M, size=(N, T)),
        "following": rng.integers(0, M, size=(N, T)),
        "E": rng.normal(size=(M, D)),
        "P": rng.normal(size=(C, D)),
        "blocks": [
            {
                key: rng.normal(size=[sizes[a] for a in axes.split()])
                for key, axes in BLOCK.items()
            }
            for _ in range(2)
        ],
        "g": rng.normal(size=(D,)),
        "b": rng.normal(size=(D,)),
        "W": rng.normal(size=(D, M)),
    }


def leaves(tree, name=""):
    """Return the arrays of nested dicts, lists and tuples: blocks_0_W is one name."""
    if not isinstance(tree, (dict, list, tuple)):
        return {name: tree}
    found = {}
    for key, part in tree.items() if isinstance(tree, dict) else enumerate(tree):
        found |= leaves(part, f"{name}_{key}" if name else key)
    return found


def difference(inputs, array, step, scale):
    """Differentiate the loss along a step; return the slope and a bound on its error.

    Richardson differences with h and h/2 must agree: else a kink is near (nan).
    """
    start = array.copy()

    def loss(t):
        array[...] = start + t * step
        value = forward(**inputs, validate=False)[0]
        array[...] = start
        return value

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
    arrays, grads = leaves(inputs), leaves(backward(saved))
    largest = max(np.abs(grad).max() for grad in grads.values()) or 1.0
    print("gradient     shape    status     max error  decided")
    failed = False
    for name in grads:
        array, grad = arrays[name], grads[name]
        scale = max(np.abs(grad).max(), 1e-3 * largest)
        steps = np.eye(array.size).reshape(-1, *array.shape)
        found = [difference(inputs, array, step, scale) for step in steps]
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
        print(f"{name:11}  {array.shape!s:7}  {status:9}  {error:9.1e}  {count}")
    print("FAILED" if failed else "PASSED")
    return int(failed)


if __name__ == "__main__":
    raise SystemExit(self_check())
