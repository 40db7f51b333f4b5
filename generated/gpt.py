# symprop sha256:ae5505ca4b095bcdc37ff29a5f17edc2
"""gpt: loss and gradients in NumPy.

Made by symprop from symprop.zoo.attention:gpt.
It belongs to whoever made it.

    loss, saved = forward(tok, following, E, P, blocks, g, b, W)
    gradients = backward(saved)

    tok          (N, T)  integers below M
    following    (N, T)  integers below M
    E            (M, D)  parameter
    P            (C, D)  parameter
    blocks_0_g1  (D,)    parameter
    blocks_0_b1  (D,)    parameter
    blocks_0_Wq  (D, D)  parameter
    blocks_0_Wk  (D, D)  parameter
    blocks_0_Wv  (D, D)  parameter
    blocks_0_Wo  (D, D)  parameter
    blocks_0_bo  (D,)    parameter
    blocks_0_g2  (D,)    parameter
    blocks_0_b2  (D,)    parameter
    blocks_0_W1  (D, F)  parameter
    blocks_0_c1  (F,)    parameter
    blocks_0_W2  (F, D)  parameter
    blocks_0_c2  (D,)    parameter
    blocks_1_g1  (D,)    parameter
    blocks_1_b1  (D,)    parameter
    blocks_1_Wq  (D, D)  parameter
    blocks_1_Wk  (D, D)  parameter
    blocks_1_Wv  (D, D)  parameter
    blocks_1_Wo  (D, D)  parameter
    blocks_1_bo  (D,)    parameter
    blocks_1_g2  (D,)    parameter
    blocks_1_b2  (D,)    parameter
    blocks_1_W1  (D, F)  parameter
    blocks_1_c1  (F,)    parameter
    blocks_1_W2  (F, D)  parameter
    blocks_1_c2  (D,)    parameter
    g            (D,)    parameter
    b            (D,)    parameter
    W            (D, M)  parameter

(F1), (F2), ... number the equations of the forward pass and (B1), (B2), ... those of
their adjoints: dW is the gradient of the loss by W. The derivation has these numbers.
"""

import numpy as np

WRT = ("E", "P", "blocks", "g", "b", "W")
FACTS = (
    ("index", "tok", "M"),
    ("index", "following", "M"),
)
OUTPUTS = ("logits",)
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
    """A tuple whose parts have names, as in saved.p3."""

    names = (
        "p3", "following", "h", "W", "x_hat5", "g", "std5", "hidden2", "blocks_1_W2",
        "u6", "u5", "u2", "blocks_1_W1", "x_hat4", "blocks_1_g2", "std4", "attended2",
        "blocks_1_Wo", "v2", "p2", "h2", "q2", "k2", "blocks_1_Wv", "blocks_1_Wk",
        "blocks_1_Wq", "x_hat3", "blocks_1_g1", "std3", "hidden1", "blocks_0_W2", "u4",
        "u3", "u1", "blocks_0_W1", "x_hat2", "blocks_0_g2", "std2", "attended1",
        "blocks_0_Wo", "v1", "p1", "h1", "q1", "k1", "blocks_0_Wv", "blocks_0_Wk",
        "blocks_0_Wq", "x_hat1", "blocks_0_g1", "std1", "tok", "C", "dtype", "dtypes"
    )

    def __getattribute__(self, name):
        """Return a part by its name."""
        if name in Saved.names:
            return self[Saved.names.index(name)]
        return super().__getattribute__(name)


def forward(
    tok: "int N T",
    following: "int N T",
    E: "M D",
    P: "C D",
    blocks: [
        {
            "g1": "D", "b1": "D", "Wq": "D D", "Wk": "D D", "Wv": "D D", "Wo": "D D",
            "bo": "D", "g2": "D", "b2": "D", "W1": "D F", "c1": "F", "W2": "F D",
            "c2": "D"
        },
        {
            "g1": "D", "b1": "D", "Wq": "D D", "Wk": "D D", "Wv": "D D", "Wo": "D D",
            "bo": "D", "g2": "D", "b2": "D", "W1": "D F", "c1": "F", "W2": "F D",
            "c2": "D"
        }
    ],
    g: "D",
    b: "D",
    W: "D M",
    heads=2,
    validate=True,
):
    """Return the loss, and what backward needs."""
    blocks_0_g1 = blocks[0]["g1"]
    blocks_0_b1 = blocks[0]["b1"]
    blocks_0_Wq = blocks[0]["Wq"]
    blocks_0_Wk = blocks[0]["Wk"]
    blocks_0_Wv = blocks[0]["Wv"]
    blocks_0_Wo = blocks[0]["Wo"]
    blocks_0_bo = blocks[0]["bo"]
    blocks_0_g2 = blocks[0]["g2"]
    blocks_0_b2 = blocks[0]["b2"]
    blocks_0_W1 = blocks[0]["W1"]
    blocks_0_c1 = blocks[0]["c1"]
    blocks_0_W2 = blocks[0]["W2"]
    blocks_0_c2 = blocks[0]["c2"]
    blocks_1_g1 = blocks[1]["g1"]
    blocks_1_b1 = blocks[1]["b1"]
    blocks_1_Wq = blocks[1]["Wq"]
    blocks_1_Wk = blocks[1]["Wk"]
    blocks_1_Wv = blocks[1]["Wv"]
    blocks_1_Wo = blocks[1]["Wo"]
    blocks_1_bo = blocks[1]["bo"]
    blocks_1_g2 = blocks[1]["g2"]
    blocks_1_b2 = blocks[1]["b2"]
    blocks_1_W1 = blocks[1]["W1"]
    blocks_1_c1 = blocks[1]["c1"]
    blocks_1_W2 = blocks[1]["W2"]
    blocks_1_c2 = blocks[1]["c2"]
    tok, (N, T) = read("tok", tok, "int", "N T", (None, None))
    following, _ = read("following", following, "int", "N T", (N, T))
    E, (M, D) = read("E", E, "wrt", "M D", (None, None))
    P, (C, _) = read("P", P, "wrt", "C D", (None, D))
    blocks_0_g1, _ = read("blocks_0_g1", blocks_0_g1, "wrt", "D", (D,))
    blocks_0_b1, _ = read("blocks_0_b1", blocks_0_b1, "wrt", "D", (D,))
    blocks_0_Wq, _ = read("blocks_0_Wq", blocks_0_Wq, "wrt", "D D", (D, D))
    blocks_0_Wk, _ = read("blocks_0_Wk", blocks_0_Wk, "wrt", "D D", (D, D))
    blocks_0_Wv, _ = read("blocks_0_Wv", blocks_0_Wv, "wrt", "D D", (D, D))
    blocks_0_Wo, _ = read("blocks_0_Wo", blocks_0_Wo, "wrt", "D D", (D, D))
    blocks_0_bo, _ = read("blocks_0_bo", blocks_0_bo, "wrt", "D", (D,))
    blocks_0_g2, _ = read("blocks_0_g2", blocks_0_g2, "wrt", "D", (D,))
    blocks_0_b2, _ = read("blocks_0_b2", blocks_0_b2, "wrt", "D", (D,))
    blocks_0_W1, (_, F) = read("blocks_0_W1", blocks_0_W1, "wrt", "D F", (D, None))
    blocks_0_c1, _ = read("blocks_0_c1", blocks_0_c1, "wrt", "F", (F,))
    blocks_0_W2, _ = read("blocks_0_W2", blocks_0_W2, "wrt", "F D", (F, D))
    blocks_0_c2, _ = read("blocks_0_c2", blocks_0_c2, "wrt", "D", (D,))
    blocks_1_g1, _ = read("blocks_1_g1", blocks_1_g1, "wrt", "D", (D,))
    blocks_1_b1, _ = read("blocks_1_b1", blocks_1_b1, "wrt", "D", (D,))
    blocks_1_Wq, _ = read("blocks_1_Wq", blocks_1_Wq, "wrt", "D D", (D, D))
    blocks_1_Wk, _ = read("blocks_1_Wk", blocks_1_Wk, "wrt", "D D", (D, D))
    blocks_1_Wv, _ = read("blocks_1_Wv", blocks_1_Wv, "wrt", "D D", (D, D))
    blocks_1_Wo, _ = read("blocks_1_Wo", blocks_1_Wo, "wrt", "D D", (D, D))
    blocks_1_bo, _ = read("blocks_1_bo", blocks_1_bo, "wrt", "D", (D,))
    blocks_1_g2, _ = read("blocks_1_g2", blocks_1_g2, "wrt", "D", (D,))
    blocks_1_b2, _ = read("blocks_1_b2", blocks_1_b2, "wrt", "D", (D,))
    blocks_1_W1, _ = read("blocks_1_W1", blocks_1_W1, "wrt", "D F", (D, F))
    blocks_1_c1, _ = read("blocks_1_c1", blocks_1_c1, "wrt", "F", (F,))
    blocks_1_W2, _ = read("blocks_1_W2", blocks_1_W2, "wrt", "F D", (F, D))
    blocks_1_c2, _ = read("blocks_1_c2", blocks_1_c2, "wrt", "D", (D,))
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
    dtype = np.result_type(
        E, P, blocks_0_g1, blocks_0_b1, blocks_0_Wq, blocks_0_Wk, blocks_0_Wv,
        blocks_0_Wo, blocks_0_bo, blocks_0_g2, blocks_0_b2, blocks_0_W1, blocks_0_c1,
        blocks_0_W2, blocks_0_c2, blocks_1_g1, blocks_1_b1, blocks_1_Wq, blocks_1_Wk,
        blocks_1_Wv, blocks_1_Wo, blocks_1_bo, blocks_1_g2, blocks_1_b2, blocks_1_W1,
        blocks_1_c1, blocks_1_W2, blocks_1_c2, g, b, W
    )
    x1 = E[tok] + P[:T]         # (F1)  x1[n,t,d] = E[tok[n,t],d] + P[t,d]  (N, T, D)
    mu1 = x1.sum(axis=2) / D    # (F2)  mu1[n,t] = Σ_d x1[n,t,d]/D  (N, T)
    # (F3)  centred1[n,t,d] = x1[n,t,d] - mu1[n,t]  (N, T, D)
    centred1 = x1 - mu1[:, :, None]
    # (F4)  var1[n,t] = Σ_d centred1[n,t,d]²/D  (N, T)
    var1 = np.einsum("ntd,ntd->nt", centred1, centred1) / D
    var_eps1 = var1 + 1e-05     # (F5)  var_eps1[n,t] = var1[n,t] + 1e-5  (N, T)
    std1 = np.sqrt(var_eps1)    # (F6)  std1[n,t] = √var_eps1[n,t]  (N, T)
    # (F7)  x_hat1[n,t,d] = centred1[n,t,d]/std1[n,t]  (N, T, D)
    x_hat1 = centred1 / std1[:, :, None]
    # (F8)  h1[n,t,d] = x_hat1[n,t,d] blocks_0_g1[d] + blocks_0_b1[d]  (N, T, D)
    h1 = blocks_0_g1 * x_hat1 + blocks_0_b1
    # (F9)  q1[n,t,d] = Σ_i h1[n,t,i] blocks_0_Wq[i,d]  (N, T, D)
    q1 = h1 @ blocks_0_Wq
    # (F10)  k1[n,t,d] = Σ_i h1[n,t,i] blocks_0_Wk[i,d]  (N, T, D)
    k1 = h1 @ blocks_0_Wk
    # (F11)  v1[n,t,d] = Σ_i h1[n,t,i] blocks_0_Wv[i,d]  (N, T, D)
    v1 = h1 @ blocks_0_Wv
    # (F12)  scores1[n,i,t,j] = Σ_{p<D/2} q1[n,t,D i/2+p] k1[n,j,D i/2+p]/√(D/2)
    #       (N, 2, T, T)
    with np.errstate(all="ignore"):  # only finite entries are used
        scores1 = (
            q1.reshape(N, T, 2, D // 2).transpose(0, 2, 1, 3)
            @ k1.reshape(N, T, 2, D // 2).transpose(0, 2, 3, 1) / (D / 2)**0.5
        )
    # (F13)  masked1[n,i,t,j] = [j ≤ t] scores1[n,i,t,j] - [t < j] ∞  (N, 2, T, T)
    masked1 = np.where(np.arange(T) <= np.arange(T)[:, None], scores1, -np.inf)
    # (F14)  masked_max1[n,i,t] = max_j masked1[n,i,t,j]  (N, 2, T)
    masked_max1 = masked1.max(axis=3)
    # (F15)  shifted1[n,i,t,j] = masked1[n,i,t,j] - masked_max1[n,i,t]  (N, 2, T, T)
    shifted1 = masked1 - masked_max1[:, :, :, None]
    # (F16)  e1[n,i,t,j] = exp(shifted1[n,i,t,j])  (N, 2, T, T)
    e1 = np.exp(shifted1)
    s1 = e1.sum(axis=3)         # (F17)  s1[n,i,t] = Σ_j e1[n,i,t,j]  (N, 2, T)
    # (F18)  p1[n,i,t,j] = e1[n,i,t,j]/s1[n,i,t]  (N, 2, T, T)
    p1 = e1 / s1[:, :, :, None]
    # (F19)  attended1[n,i,t,j] = Σ_p p1[n,i,t,p] v1[n,p,D i/2+j]  (N, 2, T, D // 2)
    attended1 = p1 @ v1.reshape(N, T, 2, D // 2).transpose(0, 2, 1, 3)
    # (F20)  x2[n,t,d] = x1[n,t,d] + Σ_i attended1[n,⌊i/(D/2)⌋,t,(i mod (D/2))]
    #       blocks_0_Wo[i,d] + blocks_0_bo[d]  (N, T, D)
    x2 = (
        x1 + attended1.transpose(0, 2, 1, 3).reshape(N, T, D) @ blocks_0_Wo
        + blocks_0_bo
    )
    mu2 = x2.sum(axis=2) / D    # (F21)  mu2[n,t] = Σ_d x2[n,t,d]/D  (N, T)
    # (F22)  centred2[n,t,d] = x2[n,t,d] - mu2[n,t]  (N, T, D)
    centred2 = x2 - mu2[:, :, None]
    # (F23)  var2[n,t] = Σ_d centred2[n,t,d]²/D  (N, T)
    var2 = np.einsum("ntd,ntd->nt", centred2, centred2) / D
    var_eps2 = var2 + 1e-05     # (F24)  var_eps2[n,t] = var2[n,t] + 1e-5  (N, T)
    std2 = np.sqrt(var_eps2)    # (F25)  std2[n,t] = √var_eps2[n,t]  (N, T)
    # (F26)  x_hat2[n,t,d] = centred2[n,t,d]/std2[n,t]  (N, T, D)
    x_hat2 = centred2 / std2[:, :, None]
    # (F27)  u1[n,t,d] = x_hat2[n,t,d] blocks_0_g2[d] + blocks_0_b2[d]  (N, T, D)
    u1 = blocks_0_g2 * x_hat2 + blocks_0_b2
    # (F28)  u3[n,t,f] = Σ_d u1[n,t,d] blocks_0_W1[d,f] + blocks_0_c1[f]  (N, T, F)
    u3 = u1 @ blocks_0_W1 + blocks_0_c1
    # (F29)  z1[n,t,f] = √(2/π) (u3[n,t,f] + 0.044715 u3[n,t,f]³)  (N, T, F)
    z1 = (2 / np.pi)**0.5 * (u3 + 0.044715 * (u3 * u3 * u3))
    tanh_z1 = np.tanh(z1)       # (F30)  tanh_z1[n,t,f] = tanh(z1[n,t,f])  (N, T, F)
    u4 = 1 + tanh_z1            # (F31)  u4[n,t,f] = 1 + tanh_z1[n,t,f]  (N, T, F)
    # (F32)  hidden1[n,t,f] = u3[n,t,f] u4[n,t,f]/2  (N, T, F)
    hidden1 = 0.5 * u3 * u4
    # (F33)  x3[n,t,d] = x2[n,t,d] + Σ_f hidden1[n,t,f] blocks_0_W2[f,d]
    #       + blocks_0_c2[d]  (N, T, D)
    x3 = x2 + hidden1 @ blocks_0_W2 + blocks_0_c2
    mu3 = x3.sum(axis=2) / D    # (F34)  mu3[n,t] = Σ_d x3[n,t,d]/D  (N, T)
    # (F35)  centred3[n,t,d] = x3[n,t,d] - mu3[n,t]  (N, T, D)
    centred3 = x3 - mu3[:, :, None]
    # (F36)  var3[n,t] = Σ_d centred3[n,t,d]²/D  (N, T)
    var3 = np.einsum("ntd,ntd->nt", centred3, centred3) / D
    var_eps3 = var3 + 1e-05     # (F37)  var_eps3[n,t] = var3[n,t] + 1e-5  (N, T)
    std3 = np.sqrt(var_eps3)    # (F38)  std3[n,t] = √var_eps3[n,t]  (N, T)
    # (F39)  x_hat3[n,t,d] = centred3[n,t,d]/std3[n,t]  (N, T, D)
    x_hat3 = centred3 / std3[:, :, None]
    # (F40)  h2[n,t,d] = x_hat3[n,t,d] blocks_1_g1[d] + blocks_1_b1[d]  (N, T, D)
    h2 = blocks_1_g1 * x_hat3 + blocks_1_b1
    # (F41)  q2[n,t,d] = Σ_i h2[n,t,i] blocks_1_Wq[i,d]  (N, T, D)
    q2 = h2 @ blocks_1_Wq
    # (F42)  k2[n,t,d] = Σ_i h2[n,t,i] blocks_1_Wk[i,d]  (N, T, D)
    k2 = h2 @ blocks_1_Wk
    # (F43)  v2[n,t,d] = Σ_i h2[n,t,i] blocks_1_Wv[i,d]  (N, T, D)
    v2 = h2 @ blocks_1_Wv
    # (F44)  scores2[n,i,t,j] = Σ_{p<D/2} q2[n,t,D i/2+p] k2[n,j,D i/2+p]/√(D/2)
    #       (N, 2, T, T)
    with np.errstate(all="ignore"):  # only finite entries are used
        scores2 = (
            q2.reshape(N, T, 2, D // 2).transpose(0, 2, 1, 3)
            @ k2.reshape(N, T, 2, D // 2).transpose(0, 2, 3, 1) / (D / 2)**0.5
        )
    # (F45)  masked2[n,i,t,j] = [j ≤ t] scores2[n,i,t,j] - [t < j] ∞  (N, 2, T, T)
    masked2 = np.where(np.arange(T) <= np.arange(T)[:, None], scores2, -np.inf)
    # (F46)  masked_max2[n,i,t] = max_j masked2[n,i,t,j]  (N, 2, T)
    masked_max2 = masked2.max(axis=3)
    # (F47)  shifted2[n,i,t,j] = masked2[n,i,t,j] - masked_max2[n,i,t]  (N, 2, T, T)
    shifted2 = masked2 - masked_max2[:, :, :, None]
    # (F48)  e2[n,i,t,j] = exp(shifted2[n,i,t,j])  (N, 2, T, T)
    e2 = np.exp(shifted2)
    s2 = e2.sum(axis=3)         # (F49)  s2[n,i,t] = Σ_j e2[n,i,t,j]  (N, 2, T)
    # (F50)  p2[n,i,t,j] = e2[n,i,t,j]/s2[n,i,t]  (N, 2, T, T)
    p2 = e2 / s2[:, :, :, None]
    # (F51)  attended2[n,i,t,j] = Σ_p p2[n,i,t,p] v2[n,p,D i/2+j]  (N, 2, T, D // 2)
    attended2 = p2 @ v2.reshape(N, T, 2, D // 2).transpose(0, 2, 1, 3)
    # (F52)  x4[n,t,d] = x3[n,t,d] + Σ_i attended2[n,⌊i/(D/2)⌋,t,(i mod (D/2))]
    #       blocks_1_Wo[i,d] + blocks_1_bo[d]  (N, T, D)
    x4 = (
        x3 + attended2.transpose(0, 2, 1, 3).reshape(N, T, D) @ blocks_1_Wo
        + blocks_1_bo
    )
    mu4 = x4.sum(axis=2) / D    # (F53)  mu4[n,t] = Σ_d x4[n,t,d]/D  (N, T)
    # (F54)  centred4[n,t,d] = x4[n,t,d] - mu4[n,t]  (N, T, D)
    centred4 = x4 - mu4[:, :, None]
    # (F55)  var4[n,t] = Σ_d centred4[n,t,d]²/D  (N, T)
    var4 = np.einsum("ntd,ntd->nt", centred4, centred4) / D
    var_eps4 = var4 + 1e-05     # (F56)  var_eps4[n,t] = var4[n,t] + 1e-5  (N, T)
    std4 = np.sqrt(var_eps4)    # (F57)  std4[n,t] = √var_eps4[n,t]  (N, T)
    # (F58)  x_hat4[n,t,d] = centred4[n,t,d]/std4[n,t]  (N, T, D)
    x_hat4 = centred4 / std4[:, :, None]
    # (F59)  u2[n,t,d] = x_hat4[n,t,d] blocks_1_g2[d] + blocks_1_b2[d]  (N, T, D)
    u2 = blocks_1_g2 * x_hat4 + blocks_1_b2
    # (F60)  u5[n,t,f] = Σ_d u2[n,t,d] blocks_1_W1[d,f] + blocks_1_c1[f]  (N, T, F)
    u5 = u2 @ blocks_1_W1 + blocks_1_c1
    # (F61)  z2[n,t,f] = √(2/π) (u5[n,t,f] + 0.044715 u5[n,t,f]³)  (N, T, F)
    z2 = (2 / np.pi)**0.5 * (u5 + 0.044715 * (u5 * u5 * u5))
    tanh_z2 = np.tanh(z2)       # (F62)  tanh_z2[n,t,f] = tanh(z2[n,t,f])  (N, T, F)
    u6 = 1 + tanh_z2            # (F63)  u6[n,t,f] = 1 + tanh_z2[n,t,f]  (N, T, F)
    # (F64)  hidden2[n,t,f] = u5[n,t,f] u6[n,t,f]/2  (N, T, F)
    hidden2 = 0.5 * u5 * u6
    # (F65)  x5[n,t,d] = x4[n,t,d] + Σ_f hidden2[n,t,f] blocks_1_W2[f,d]
    #       + blocks_1_c2[d]  (N, T, D)
    x5 = x4 + hidden2 @ blocks_1_W2 + blocks_1_c2
    mu5 = x5.sum(axis=2) / D    # (F66)  mu5[n,t] = Σ_d x5[n,t,d]/D  (N, T)
    # (F67)  centred5[n,t,d] = x5[n,t,d] - mu5[n,t]  (N, T, D)
    centred5 = x5 - mu5[:, :, None]
    # (F68)  var5[n,t] = Σ_d centred5[n,t,d]²/D  (N, T)
    var5 = np.einsum("ntd,ntd->nt", centred5, centred5) / D
    var_eps5 = var5 + 1e-05     # (F69)  var_eps5[n,t] = var5[n,t] + 1e-5  (N, T)
    std5 = np.sqrt(var_eps5)    # (F70)  std5[n,t] = √var_eps5[n,t]  (N, T)
    # (F71)  x_hat5[n,t,d] = centred5[n,t,d]/std5[n,t]  (N, T, D)
    x_hat5 = centred5 / std5[:, :, None]
    h = g * x_hat5 + b          # (F72)  h[n,t,d] = x_hat5[n,t,d] g[d] + b[d]  (N, T, D)
    logits = h @ W              # (F73)  logits[n,t,m] = Σ_d h[n,t,d] W[d,m]  (N, T, M)
    # (F74)  logits_max[n,t] = max_m logits[n,t,m]  (N, T)
    logits_max = logits.max(axis=2)
    # (F75)  shifted3[n,t,m] = logits[n,t,m] - logits_max[n,t]  (N, T, M)
    shifted3 = logits - logits_max[:, :, None]
    e3 = np.exp(shifted3)       # (F76)  e3[n,t,m] = exp(shifted3[n,t,m])  (N, T, M)
    s3 = e3.sum(axis=2)         # (F77)  s3[n,t] = Σ_m e3[n,t,m]  (N, T)
    p3 = e3 / s3[:, :, None]    # (F78)  p3[n,t,m] = e3[n,t,m]/s3[n,t]  (N, T, M)
    # (F79)  log_p[n,t,m] = shifted3[n,t,m] - log(s3[n,t])  (N, T, M)
    log_p = shifted3 - np.log(s3)[:, :, None]
    # (F80)  picked[n,t] = -log_p[n,t,following[n,t]]  (N, T)
    picked = -log_p[np.arange(N)[:, None], np.arange(T), following]
    L = picked.sum() / (N * T)  # (F81)  L = Σ_nt picked[n,t]/(N T)
    dtypes = [
        np.result_type(p)
        for p in (
            E, P, blocks_0_g1, blocks_0_b1, blocks_0_Wq, blocks_0_Wk, blocks_0_Wv,
            blocks_0_Wo, blocks_0_bo, blocks_0_g2, blocks_0_b2, blocks_0_W1,
            blocks_0_c1, blocks_0_W2, blocks_0_c2, blocks_1_g1, blocks_1_b1,
            blocks_1_Wq, blocks_1_Wk, blocks_1_Wv, blocks_1_Wo, blocks_1_bo,
            blocks_1_g2, blocks_1_b2, blocks_1_W1, blocks_1_c1, blocks_1_W2,
            blocks_1_c2, g, b, W
        )
    ]
    saved = (
        p3, following, h, W, x_hat5, g, std5, hidden2, blocks_1_W2, u6, u5, u2,
        blocks_1_W1, x_hat4, blocks_1_g2, std4, attended2, blocks_1_Wo, v2, p2, h2, q2,
        k2, blocks_1_Wv, blocks_1_Wk, blocks_1_Wq, x_hat3, blocks_1_g1, std3, hidden1,
        blocks_0_W2, u4, u3, u1, blocks_0_W1, x_hat2, blocks_0_g2, std2, attended1,
        blocks_0_Wo, v1, p1, h1, q1, k1, blocks_0_Wv, blocks_0_Wk, blocks_0_Wq, x_hat1,
        blocks_0_g1, std1, tok, C, dtype, dtypes
    )
    return dtype.type(L), Saved(saved)


def backward(saved, dL=1.0):
    """Return the gradients of dL * loss."""
    (
        p3, following, h, W, x_hat5, g, std5, hidden2, blocks_1_W2, u6, u5, u2,
        blocks_1_W1, x_hat4, blocks_1_g2, std4, attended2, blocks_1_Wo, v2, p2, h2, q2,
        k2, blocks_1_Wv, blocks_1_Wk, blocks_1_Wq, x_hat3, blocks_1_g1, std3, hidden1,
        blocks_0_W2, u4, u3, u1, blocks_0_W1, x_hat2, blocks_0_g2, std2, attended1,
        blocks_0_Wo, v1, p1, h1, q1, k1, blocks_0_Wv, blocks_0_Wk, blocks_0_Wq, x_hat1,
        blocks_0_g1, std1, tok, C, dtype, dtypes
    ) = saved
    N, T, M = p3.shape
    D = h.shape[2]
    # (B8)  dlogits[n,t,m] = (p3[n,t,m] - [following[n,t] = m]) dL/(N T)  (N, T, M)
    #       from (F75), (F74) with (B7), (B6)
    dlogits = dL / (N * T) * p3
    dlogits[np.arange(N)[:, None], np.arange(T), following] -= dL / (N * T)
    # (B9)  dW[d,m] = Σ_nt dlogits[n,t,m] h[n,t,d]  (D, M)  from (F73)
    dW = np.tensordot(h, dlogits, axes=((0, 1), (0, 1)))
    # (B10)  dh[n,t,d] = Σ_m dlogits[n,t,m] W[d,m]  (N, T, D)  from (F73)
    dh = dlogits @ W.T
    # (B11)  dg[d] = Σ_nt dh[n,t,d] x_hat5[n,t,d]  (D,)  from (F72)
    dg = np.einsum("ntd,ntd->d", dh, x_hat5)
    db = dh.sum(axis=(0, 1))  # (B12)  db[d] = Σ_nt dh[n,t,d]  (D,)  from (F72)
    # (B13)  dx_hat5[n,t,d] = dh[n,t,d] g[d]  (N, T, D)  from (F72)
    dx_hat5 = g * dh
    # (B19)  dx5[n,t,d] = (dx_hat5[n,t,d] - x_hat5[n,t,d] Σ_i dx_hat5[n,t,i]
    #       x_hat5[n,t,i]/D - Σ_i dx_hat5[n,t,i]/D)/std5[n,t]  (N, T, D)
    #       from (F67), (F66) with (B17), (B18)
    dx5_product = (np.einsum("nti,nti->nt", dx_hat5, x_hat5) / D)[:, :, None] * x_hat5
    dx5 = (
        (dx_hat5 - dx5_product - (dx_hat5.sum(axis=2) / D)[:, :, None])
        / std5[:, :, None]
    )
    # (B20)  dblocks_1_W2[f,d] = Σ_nt dx5[n,t,d] hidden2[n,t,f]  (F, D)  from (F65)
    dblocks_1_W2 = np.tensordot(hidden2, dx5, axes=((0, 1), (0, 1)))
    # (B21)  dblocks_1_c2[d] = Σ_nt dx5[n,t,d]  (D,)  from (F65)
    dblocks_1_c2 = dx5.sum(axis=(0, 1))
    # (B22)  dhidden2[n,t,f] = Σ_d dx5[n,t,d] blocks_1_W2[f,d]  (N, T, F)  from (F65)
    dhidden2 = dx5 @ blocks_1_W2.T
    # (B25)  dz2[n,t,f] = dhidden2[n,t,f] hidden2[n,t,f] (2 - u6[n,t,f])  (N, T, F)
    #       from (F62) with (B24)
    dz2 = dhidden2 * hidden2 * (2 - u6)
    # (B26)  du5[n,t,f] = dhidden2[n,t,f] u6[n,t,f]/2
    #       + dz2[n,t,f] (√(2/π) + 3·0.044715 √(2/π) u5[n,t,f]²)  (N, T, F)
    #       from (F64), (F61)
    du5 = (
        0.5 * dhidden2 * u6 + dz2 * ((2 / np.pi)**0.5 + 0.10703222440890038 * (u5 * u5))
    )
    # (B27)  dblocks_1_W1[d,f] = Σ_nt du5[n,t,f] u2[n,t,d]  (D, F)  from (F60)
    dblocks_1_W1 = np.tensordot(u2, du5, axes=((0, 1), (0, 1)))
    # (B28)  dblocks_1_c1[f] = Σ_nt du5[n,t,f]  (F,)  from (F60)
    dblocks_1_c1 = du5.sum(axis=(0, 1))
    # (B29)  du2[n,t,d] = Σ_f du5[n,t,f] blocks_1_W1[d,f]  (N, T, D)  from (F60)
    du2 = du5 @ blocks_1_W1.T
    # (B30)  dblocks_1_g2[d] = Σ_nt du2[n,t,d] x_hat4[n,t,d]  (D,)  from (F59)
    dblocks_1_g2 = np.einsum("ntd,ntd->d", du2, x_hat4)
    # (B31)  dblocks_1_b2[d] = Σ_nt du2[n,t,d]  (D,)  from (F59)
    dblocks_1_b2 = du2.sum(axis=(0, 1))
    # (B32)  dx_hat4[n,t,d] = du2[n,t,d] blocks_1_g2[d]  (N, T, D)  from (F59)
    dx_hat4 = blocks_1_g2 * du2
    # (B38)  dx4[n,t,d] = dx5[n,t,d] + (dx_hat4[n,t,d]
    #       - x_hat4[n,t,d] Σ_i dx_hat4[n,t,i] x_hat4[n,t,i]/D
    #       - Σ_i dx_hat4[n,t,i]/D)/std4[n,t]  (N, T, D)
    #       from (F65), (F54), (F53) with (B36), (B37)
    dx4_product = (np.einsum("nti,nti->nt", dx_hat4, x_hat4) / D)[:, :, None] * x_hat4
    dx4 = (
        dx5
        + (dx_hat4 - dx4_product - (dx_hat4.sum(axis=2) / D)[:, :, None])
            / std4[:, :, None]
    )
    # (B39)  dblocks_1_Wo[d,i] = Σ_nt dx4[n,t,i] attended2[n,⌊d/(D/2)⌋,t,(d mod (D/2))]
    #       (D, D)  from (F52)
    dblocks_1_Wo = np.tensordot(
        attended2.transpose(0, 2, 1, 3).reshape(N, T, D), dx4, axes=((0, 1), (0, 1))
    )
    # (B40)  dblocks_1_bo[d] = Σ_nt dx4[n,t,d]  (D,)  from (F52)
    dblocks_1_bo = dx4.sum(axis=(0, 1))
    # (B41)  dattended2[n,i,t,j] = Σ_d dx4[n,t,d] blocks_1_Wo[D i/2+j,d]
    #       (N, 2, T, D // 2)  from (F52)
    dattended2 = (dx4 @ blocks_1_Wo.T).reshape(N, T, 2, D // 2).transpose(0, 2, 1, 3)
    # (B42)  dp2[n,i,t,j] = Σ_p dattended2[n,i,t,p] v2[n,j,p+D i/2]  (N, 2, T, T)
    #       from (F51)
    dp2 = dattended2 @ v2.reshape(N, T, 2, D // 2).transpose(0, 2, 3, 1)
    # (B48)  dscores2[n,i,t,j] = (dp2[n,i,t,j] - Σ_p dp2[n,i,t,p] p2[n,i,t,p])
    #       p2[n,i,t,j] [j ≤ t]  (N, 2, T, T)  from (F45) with (B47)
    dscores2 = np.where(
        np.arange(T) <= np.arange(T)[:, None],
        (dp2 - np.einsum("nitp,nitp->nit", dp2, p2)[:, :, :, None]) * p2, 0
    )
    # (B49)  dv2[n,t,d] = Σ_i dattended2[n,⌊d/(D/2)⌋,i,(d mod (D/2))]
    #       p2[n,⌊d/(D/2)⌋,i,t]  (N, T, D)  from (F51)
    dv2 = (p2.transpose(0, 1, 3, 2) @ dattended2).transpose(0, 2, 1, 3).reshape(N, T, D)
    # (B50)  dblocks_1_Wv[d,i] = Σ_nt dv2[n,t,i] h2[n,t,d]  (D, D)  from (F43)
    dblocks_1_Wv = np.tensordot(h2, dv2, axes=((0, 1), (0, 1)))
    # (B51)  dk2[n,t,d] = Σ_i dscores2[n,⌊d/(D/2)⌋,i,t] q2[n,i,d]/√(D/2)  (N, T, D)
    #       from (F44)
    dk2_product = (
        dscores2.transpose(0, 1, 3, 2)
        @ q2.reshape(N, T, 2, D // 2).transpose(0, 2, 1, 3)
    )
    dk2 = (dk2_product.transpose(0, 2, 1, 3) / (D / 2)**0.5).reshape(N, T, D)
    # (B52)  dblocks_1_Wk[d,i] = Σ_nt dk2[n,t,i] h2[n,t,d]  (D, D)  from (F42)
    dblocks_1_Wk = np.tensordot(h2, dk2, axes=((0, 1), (0, 1)))
    # (B53)  dq2[n,t,d] = Σ_i dscores2[n,⌊d/(D/2)⌋,t,i] k2[n,i,d]/√(D/2)  (N, T, D)
    #       from (F44)
    dq2 = (
        (
            dscores2 @ k2.reshape(N, T, 2, D // 2).transpose(0, 2, 1, 3)
        ).transpose(0, 2, 1, 3)
        / (D / 2)**0.5
    ).reshape(N, T, D)
    # (B54)  dblocks_1_Wq[d,i] = Σ_nt dq2[n,t,i] h2[n,t,d]  (D, D)  from (F41)
    dblocks_1_Wq = np.tensordot(h2, dq2, axes=((0, 1), (0, 1)))
    # (B55)  dh2[n,t,d] = Σ_i dv2[n,t,i] blocks_1_Wv[d,i]
    #       + Σ_i dk2[n,t,i] blocks_1_Wk[d,i] + Σ_i dq2[n,t,i] blocks_1_Wq[d,i]
    #       (N, T, D)  from (F43), (F42), (F41)
    dh2 = dv2 @ blocks_1_Wv.T + dk2 @ blocks_1_Wk.T + dq2 @ blocks_1_Wq.T
    # (B56)  dblocks_1_g1[d] = Σ_nt dh2[n,t,d] x_hat3[n,t,d]  (D,)  from (F40)
    dblocks_1_g1 = np.einsum("ntd,ntd->d", dh2, x_hat3)
    # (B57)  dblocks_1_b1[d] = Σ_nt dh2[n,t,d]  (D,)  from (F40)
    dblocks_1_b1 = dh2.sum(axis=(0, 1))
    # (B58)  dx_hat3[n,t,d] = dh2[n,t,d] blocks_1_g1[d]  (N, T, D)  from (F40)
    dx_hat3 = blocks_1_g1 * dh2
    # (B64)  dx3[n,t,d] = dx4[n,t,d] + (dx_hat3[n,t,d]
    #       - x_hat3[n,t,d] Σ_i dx_hat3[n,t,i] x_hat3[n,t,i]/D
    #       - Σ_i dx_hat3[n,t,i]/D)/std3[n,t]  (N, T, D)
    #       from (F52), (F35), (F34) with (B62), (B63)
    dx3_product = (np.einsum("nti,nti->nt", dx_hat3, x_hat3) / D)[:, :, None] * x_hat3
    dx3 = (
        dx4
        + (dx_hat3 - dx3_product - (dx_hat3.sum(axis=2) / D)[:, :, None])
            / std3[:, :, None]
    )
    # (B65)  dblocks_0_W2[f,d] = Σ_nt dx3[n,t,d] hidden1[n,t,f]  (F, D)  from (F33)
    dblocks_0_W2 = np.tensordot(hidden1, dx3, axes=((0, 1), (0, 1)))
    # (B66)  dblocks_0_c2[d] = Σ_nt dx3[n,t,d]  (D,)  from (F33)
    dblocks_0_c2 = dx3.sum(axis=(0, 1))
    # (B67)  dhidden1[n,t,f] = Σ_d dx3[n,t,d] blocks_0_W2[f,d]  (N, T, F)  from (F33)
    dhidden1 = dx3 @ blocks_0_W2.T
    # (B70)  dz1[n,t,f] = dhidden1[n,t,f] hidden1[n,t,f] (2 - u4[n,t,f])  (N, T, F)
    #       from (F30) with (B69)
    dz1 = dhidden1 * hidden1 * (2 - u4)
    # (B71)  du3[n,t,f] = dhidden1[n,t,f] u4[n,t,f]/2
    #       + dz1[n,t,f] (√(2/π) + 3·0.044715 √(2/π) u3[n,t,f]²)  (N, T, F)
    #       from (F32), (F29)
    du3 = (
        0.5 * dhidden1 * u4 + dz1 * ((2 / np.pi)**0.5 + 0.10703222440890038 * (u3 * u3))
    )
    # (B72)  dblocks_0_W1[d,f] = Σ_nt du3[n,t,f] u1[n,t,d]  (D, F)  from (F28)
    dblocks_0_W1 = np.tensordot(u1, du3, axes=((0, 1), (0, 1)))
    # (B73)  dblocks_0_c1[f] = Σ_nt du3[n,t,f]  (F,)  from (F28)
    dblocks_0_c1 = du3.sum(axis=(0, 1))
    # (B74)  du1[n,t,d] = Σ_f du3[n,t,f] blocks_0_W1[d,f]  (N, T, D)  from (F28)
    du1 = du3 @ blocks_0_W1.T
    # (B75)  dblocks_0_g2[d] = Σ_nt du1[n,t,d] x_hat2[n,t,d]  (D,)  from (F27)
    dblocks_0_g2 = np.einsum("ntd,ntd->d", du1, x_hat2)
    # (B76)  dblocks_0_b2[d] = Σ_nt du1[n,t,d]  (D,)  from (F27)
    dblocks_0_b2 = du1.sum(axis=(0, 1))
    # (B77)  dx_hat2[n,t,d] = du1[n,t,d] blocks_0_g2[d]  (N, T, D)  from (F27)
    dx_hat2 = blocks_0_g2 * du1
    # (B83)  dx2[n,t,d] = dx3[n,t,d] + (dx_hat2[n,t,d]
    #       - x_hat2[n,t,d] Σ_i dx_hat2[n,t,i] x_hat2[n,t,i]/D
    #       - Σ_i dx_hat2[n,t,i]/D)/std2[n,t]  (N, T, D)
    #       from (F33), (F22), (F21) with (B81), (B82)
    dx2_product = (np.einsum("nti,nti->nt", dx_hat2, x_hat2) / D)[:, :, None] * x_hat2
    dx2 = (
        dx3
        + (dx_hat2 - dx2_product - (dx_hat2.sum(axis=2) / D)[:, :, None])
            / std2[:, :, None]
    )
    # (B84)  dblocks_0_Wo[d,i] = Σ_nt dx2[n,t,i] attended1[n,⌊d/(D/2)⌋,t,(d mod (D/2))]
    #       (D, D)  from (F20)
    dblocks_0_Wo = np.tensordot(
        attended1.transpose(0, 2, 1, 3).reshape(N, T, D), dx2, axes=((0, 1), (0, 1))
    )
    # (B85)  dblocks_0_bo[d] = Σ_nt dx2[n,t,d]  (D,)  from (F20)
    dblocks_0_bo = dx2.sum(axis=(0, 1))
    # (B86)  dattended1[n,i,t,j] = Σ_d dx2[n,t,d] blocks_0_Wo[D i/2+j,d]
    #       (N, 2, T, D // 2)  from (F20)
    dattended1 = (dx2 @ blocks_0_Wo.T).reshape(N, T, 2, D // 2).transpose(0, 2, 1, 3)
    # (B87)  dp1[n,i,t,j] = Σ_p dattended1[n,i,t,p] v1[n,j,p+D i/2]  (N, 2, T, T)
    #       from (F19)
    dp1 = dattended1 @ v1.reshape(N, T, 2, D // 2).transpose(0, 2, 3, 1)
    # (B93)  dscores1[n,i,t,j] = (dp1[n,i,t,j] - Σ_p dp1[n,i,t,p] p1[n,i,t,p])
    #       p1[n,i,t,j] [j ≤ t]  (N, 2, T, T)  from (F13) with (B92)
    dscores1 = np.where(
        np.arange(T) <= np.arange(T)[:, None],
        (dp1 - np.einsum("nitp,nitp->nit", dp1, p1)[:, :, :, None]) * p1, 0
    )
    # (B94)  dv1[n,t,d] = Σ_i dattended1[n,⌊d/(D/2)⌋,i,(d mod (D/2))]
    #       p1[n,⌊d/(D/2)⌋,i,t]  (N, T, D)  from (F19)
    dv1 = (p1.transpose(0, 1, 3, 2) @ dattended1).transpose(0, 2, 1, 3).reshape(N, T, D)
    # (B95)  dblocks_0_Wv[d,i] = Σ_nt dv1[n,t,i] h1[n,t,d]  (D, D)  from (F11)
    dblocks_0_Wv = np.tensordot(h1, dv1, axes=((0, 1), (0, 1)))
    # (B96)  dk1[n,t,d] = Σ_i dscores1[n,⌊d/(D/2)⌋,i,t] q1[n,i,d]/√(D/2)  (N, T, D)
    #       from (F12)
    dk1_product = (
        dscores1.transpose(0, 1, 3, 2)
        @ q1.reshape(N, T, 2, D // 2).transpose(0, 2, 1, 3)
    )
    dk1 = (dk1_product.transpose(0, 2, 1, 3) / (D / 2)**0.5).reshape(N, T, D)
    # (B97)  dblocks_0_Wk[d,i] = Σ_nt dk1[n,t,i] h1[n,t,d]  (D, D)  from (F10)
    dblocks_0_Wk = np.tensordot(h1, dk1, axes=((0, 1), (0, 1)))
    # (B98)  dq1[n,t,d] = Σ_i dscores1[n,⌊d/(D/2)⌋,t,i] k1[n,i,d]/√(D/2)  (N, T, D)
    #       from (F12)
    dq1 = (
        (
            dscores1 @ k1.reshape(N, T, 2, D // 2).transpose(0, 2, 1, 3)
        ).transpose(0, 2, 1, 3)
        / (D / 2)**0.5
    ).reshape(N, T, D)
    # (B99)  dblocks_0_Wq[d,i] = Σ_nt dq1[n,t,i] h1[n,t,d]  (D, D)  from (F9)
    dblocks_0_Wq = np.tensordot(h1, dq1, axes=((0, 1), (0, 1)))
    # (B100)  dh1[n,t,d] = Σ_i dv1[n,t,i] blocks_0_Wv[d,i]
    #       + Σ_i dk1[n,t,i] blocks_0_Wk[d,i] + Σ_i dq1[n,t,i] blocks_0_Wq[d,i]
    #       (N, T, D)  from (F11), (F10), (F9)
    dh1 = dv1 @ blocks_0_Wv.T + dk1 @ blocks_0_Wk.T + dq1 @ blocks_0_Wq.T
    # (B101)  dblocks_0_g1[d] = Σ_nt dh1[n,t,d] x_hat1[n,t,d]  (D,)  from (F8)
    dblocks_0_g1 = np.einsum("ntd,ntd->d", dh1, x_hat1)
    # (B102)  dblocks_0_b1[d] = Σ_nt dh1[n,t,d]  (D,)  from (F8)
    dblocks_0_b1 = dh1.sum(axis=(0, 1))
    # (B103)  dx_hat1[n,t,d] = dh1[n,t,d] blocks_0_g1[d]  (N, T, D)  from (F8)
    dx_hat1 = blocks_0_g1 * dh1
    # (B109)  dx1[n,t,d] = dx2[n,t,d] + (dx_hat1[n,t,d]
    #       - x_hat1[n,t,d] Σ_i dx_hat1[n,t,i] x_hat1[n,t,i]/D
    #       - Σ_i dx_hat1[n,t,i]/D)/std1[n,t]  (N, T, D)
    #       from (F20), (F3), (F2) with (B107), (B108)
    dx1_product = (np.einsum("nti,nti->nt", dx_hat1, x_hat1) / D)[:, :, None] * x_hat1
    dx1 = (
        dx2
        + (dx_hat1 - dx1_product - (dx_hat1.sum(axis=2) / D)[:, :, None])
            / std1[:, :, None]
    )
    # (B110)  dE[m,d] = Σ_nt dx1[n,t,d] [tok[n,t] = m]  (M, D)  from (F1)
    dE = np.zeros((M, D), dtype)
    np.add.at(dE, tok, dx1)
    # (B111)  dP[c,d] = [c < T] Σ_n dx1[n,c,d]  (C, D)  from (F1)
    dP = (
        (np.arange(C) < T)[:, None]
        * dx1[:, np.clip(np.arange(C), 0, T - 1)].sum(axis=0)
    )
    grads = {
        "E": dE, "P": dP, "blocks_0_g1": dblocks_0_g1, "blocks_0_b1": dblocks_0_b1,
        "blocks_0_Wq": dblocks_0_Wq, "blocks_0_Wk": dblocks_0_Wk,
        "blocks_0_Wv": dblocks_0_Wv, "blocks_0_Wo": dblocks_0_Wo,
        "blocks_0_bo": dblocks_0_bo, "blocks_0_g2": dblocks_0_g2,
        "blocks_0_b2": dblocks_0_b2, "blocks_0_W1": dblocks_0_W1,
        "blocks_0_c1": dblocks_0_c1, "blocks_0_W2": dblocks_0_W2,
        "blocks_0_c2": dblocks_0_c2, "blocks_1_g1": dblocks_1_g1,
        "blocks_1_b1": dblocks_1_b1, "blocks_1_Wq": dblocks_1_Wq,
        "blocks_1_Wk": dblocks_1_Wk, "blocks_1_Wv": dblocks_1_Wv,
        "blocks_1_Wo": dblocks_1_Wo, "blocks_1_bo": dblocks_1_bo,
        "blocks_1_g2": dblocks_1_g2, "blocks_1_b2": dblocks_1_b2,
        "blocks_1_W1": dblocks_1_W1, "blocks_1_c1": dblocks_1_c1,
        "blocks_1_W2": dblocks_1_W2, "blocks_1_c2": dblocks_1_c2, "g": dg, "b": db,
        "W": dW
    }
    grads = like_parameters(grads, dtypes)
    return {
        "E": grads["E"], "P": grads["P"],
        "blocks": [
            {
                "g1": grads["blocks_0_g1"], "b1": grads["blocks_0_b1"],
                "Wq": grads["blocks_0_Wq"], "Wk": grads["blocks_0_Wk"],
                "Wv": grads["blocks_0_Wv"], "Wo": grads["blocks_0_Wo"],
                "bo": grads["blocks_0_bo"], "g2": grads["blocks_0_g2"],
                "b2": grads["blocks_0_b2"], "W1": grads["blocks_0_W1"],
                "c1": grads["blocks_0_c1"], "W2": grads["blocks_0_W2"],
                "c2": grads["blocks_0_c2"]
            },
            {
                "g1": grads["blocks_1_g1"], "b1": grads["blocks_1_b1"],
                "Wq": grads["blocks_1_Wq"], "Wk": grads["blocks_1_Wk"],
                "Wv": grads["blocks_1_Wv"], "Wo": grads["blocks_1_Wo"],
                "bo": grads["blocks_1_bo"], "g2": grads["blocks_1_g2"],
                "b2": grads["blocks_1_b2"], "W1": grads["blocks_1_W1"],
                "c1": grads["blocks_1_c1"], "W2": grads["blocks_1_W2"],
                "c2": grads["blocks_1_c2"]
            }
        ],
        "g": grads["g"], "b": grads["b"], "W": grads["W"]
    }


def value_and_grad(
    tok: "int N T",
    following: "int N T",
    E: "M D",
    P: "C D",
    blocks: [
        {
            "g1": "D", "b1": "D", "Wq": "D D", "Wk": "D D", "Wv": "D D", "Wo": "D D",
            "bo": "D", "g2": "D", "b2": "D", "W1": "D F", "c1": "F", "W2": "F D",
            "c2": "D"
        },
        {
            "g1": "D", "b1": "D", "Wq": "D D", "Wk": "D D", "Wv": "D D", "Wo": "D D",
            "bo": "D", "g2": "D", "b2": "D", "W1": "D F", "c1": "F", "W2": "F D",
            "c2": "D"
        }
    ],
    g: "D",
    b: "D",
    W: "D M",
    heads=2,
    validate=True,
):
    """Return the loss and its gradients."""
    L, saved = forward(tok, following, E, P, blocks, g, b, W, heads, validate)
    return L, backward(saved)


def predict(
    tok: "int N T",
    E: "M D",
    P: "C D",
    blocks: [
        {
            "g1": "D", "b1": "D", "Wq": "D D", "Wk": "D D", "Wv": "D D", "Wo": "D D",
            "bo": "D", "g2": "D", "b2": "D", "W1": "D F", "c1": "F", "W2": "F D",
            "c2": "D"
        },
        {
            "g1": "D", "b1": "D", "Wq": "D D", "Wk": "D D", "Wv": "D D", "Wo": "D D",
            "bo": "D", "g2": "D", "b2": "D", "W1": "D F", "c1": "F", "W2": "F D",
            "c2": "D"
        }
    ],
    g: "D",
    b: "D",
    W: "D M",
):
    """Return the outputs of the model."""
    blocks_0_g1 = blocks[0]["g1"]
    blocks_0_b1 = blocks[0]["b1"]
    blocks_0_Wq = blocks[0]["Wq"]
    blocks_0_Wk = blocks[0]["Wk"]
    blocks_0_Wv = blocks[0]["Wv"]
    blocks_0_Wo = blocks[0]["Wo"]
    blocks_0_bo = blocks[0]["bo"]
    blocks_0_g2 = blocks[0]["g2"]
    blocks_0_b2 = blocks[0]["b2"]
    blocks_0_W1 = blocks[0]["W1"]
    blocks_0_c1 = blocks[0]["c1"]
    blocks_0_W2 = blocks[0]["W2"]
    blocks_0_c2 = blocks[0]["c2"]
    blocks_1_g1 = blocks[1]["g1"]
    blocks_1_b1 = blocks[1]["b1"]
    blocks_1_Wq = blocks[1]["Wq"]
    blocks_1_Wk = blocks[1]["Wk"]
    blocks_1_Wv = blocks[1]["Wv"]
    blocks_1_Wo = blocks[1]["Wo"]
    blocks_1_bo = blocks[1]["bo"]
    blocks_1_g2 = blocks[1]["g2"]
    blocks_1_b2 = blocks[1]["b2"]
    blocks_1_W1 = blocks[1]["W1"]
    blocks_1_c1 = blocks[1]["c1"]
    blocks_1_W2 = blocks[1]["W2"]
    blocks_1_c2 = blocks[1]["c2"]
    tok, (N, T) = read("tok", tok, "int", "N T", (None, None))
    E, (M, D) = read("E", E, "wrt", "M D", (None, None))
    P, (C, _) = read("P", P, "wrt", "C D", (None, D))
    blocks_0_g1, _ = read("blocks_0_g1", blocks_0_g1, "wrt", "D", (D,))
    blocks_0_b1, _ = read("blocks_0_b1", blocks_0_b1, "wrt", "D", (D,))
    blocks_0_Wq, _ = read("blocks_0_Wq", blocks_0_Wq, "wrt", "D D", (D, D))
    blocks_0_Wk, _ = read("blocks_0_Wk", blocks_0_Wk, "wrt", "D D", (D, D))
    blocks_0_Wv, _ = read("blocks_0_Wv", blocks_0_Wv, "wrt", "D D", (D, D))
    blocks_0_Wo, _ = read("blocks_0_Wo", blocks_0_Wo, "wrt", "D D", (D, D))
    blocks_0_bo, _ = read("blocks_0_bo", blocks_0_bo, "wrt", "D", (D,))
    blocks_0_g2, _ = read("blocks_0_g2", blocks_0_g2, "wrt", "D", (D,))
    blocks_0_b2, _ = read("blocks_0_b2", blocks_0_b2, "wrt", "D", (D,))
    blocks_0_W1, (_, F) = read("blocks_0_W1", blocks_0_W1, "wrt", "D F", (D, None))
    blocks_0_c1, _ = read("blocks_0_c1", blocks_0_c1, "wrt", "F", (F,))
    blocks_0_W2, _ = read("blocks_0_W2", blocks_0_W2, "wrt", "F D", (F, D))
    blocks_0_c2, _ = read("blocks_0_c2", blocks_0_c2, "wrt", "D", (D,))
    blocks_1_g1, _ = read("blocks_1_g1", blocks_1_g1, "wrt", "D", (D,))
    blocks_1_b1, _ = read("blocks_1_b1", blocks_1_b1, "wrt", "D", (D,))
    blocks_1_Wq, _ = read("blocks_1_Wq", blocks_1_Wq, "wrt", "D D", (D, D))
    blocks_1_Wk, _ = read("blocks_1_Wk", blocks_1_Wk, "wrt", "D D", (D, D))
    blocks_1_Wv, _ = read("blocks_1_Wv", blocks_1_Wv, "wrt", "D D", (D, D))
    blocks_1_Wo, _ = read("blocks_1_Wo", blocks_1_Wo, "wrt", "D D", (D, D))
    blocks_1_bo, _ = read("blocks_1_bo", blocks_1_bo, "wrt", "D", (D,))
    blocks_1_g2, _ = read("blocks_1_g2", blocks_1_g2, "wrt", "D", (D,))
    blocks_1_b2, _ = read("blocks_1_b2", blocks_1_b2, "wrt", "D", (D,))
    blocks_1_W1, _ = read("blocks_1_W1", blocks_1_W1, "wrt", "D F", (D, F))
    blocks_1_c1, _ = read("blocks_1_c1", blocks_1_c1, "wrt", "F", (F,))
    blocks_1_W2, _ = read("blocks_1_W2", blocks_1_W2, "wrt", "F D", (F, D))
    blocks_1_c2, _ = read("blocks_1_c2", blocks_1_c2, "wrt", "D", (D,))
    g, _ = read("g", g, "wrt", "D", (D,))
    b, _ = read("b", b, "wrt", "D", (D,))
    W, _ = read("W", W, "wrt", "D M", (D, M))
    x1 = E[tok] + P[:T]       # (F1)  x1[n,t,d] = E[tok[n,t],d] + P[t,d]  (N, T, D)
    mu1 = x1.sum(axis=2) / D  # (F2)  mu1[n,t] = Σ_d x1[n,t,d]/D  (N, T)
    # (F3)  centred1[n,t,d] = x1[n,t,d] - mu1[n,t]  (N, T, D)
    centred1 = x1 - mu1[:, :, None]
    # (F4)  var1[n,t] = Σ_d centred1[n,t,d]²/D  (N, T)
    var1 = np.einsum("ntd,ntd->nt", centred1, centred1) / D
    var_eps1 = var1 + 1e-05   # (F5)  var_eps1[n,t] = var1[n,t] + 1e-5  (N, T)
    std1 = np.sqrt(var_eps1)  # (F6)  std1[n,t] = √var_eps1[n,t]  (N, T)
    # (F7)  x_hat1[n,t,d] = centred1[n,t,d]/std1[n,t]  (N, T, D)
    x_hat1 = centred1 / std1[:, :, None]
    # (F8)  h1[n,t,d] = x_hat1[n,t,d] blocks_0_g1[d] + blocks_0_b1[d]  (N, T, D)
    h1 = blocks_0_g1 * x_hat1 + blocks_0_b1
    # (F9)  q1[n,t,d] = Σ_i h1[n,t,i] blocks_0_Wq[i,d]  (N, T, D)
    q1 = h1 @ blocks_0_Wq
    # (F10)  k1[n,t,d] = Σ_i h1[n,t,i] blocks_0_Wk[i,d]  (N, T, D)
    k1 = h1 @ blocks_0_Wk
    # (F11)  v1[n,t,d] = Σ_i h1[n,t,i] blocks_0_Wv[i,d]  (N, T, D)
    v1 = h1 @ blocks_0_Wv
    # (F12)  scores1[n,i,t,j] = Σ_{p<D/2} q1[n,t,D i/2+p] k1[n,j,D i/2+p]/√(D/2)
    #       (N, 2, T, T)
    with np.errstate(all="ignore"):  # only finite entries are used
        scores1 = (
            q1.reshape(N, T, 2, D // 2).transpose(0, 2, 1, 3)
            @ k1.reshape(N, T, 2, D // 2).transpose(0, 2, 3, 1) / (D / 2)**0.5
        )
    # (F13)  masked1[n,i,t,j] = [j ≤ t] scores1[n,i,t,j] - [t < j] ∞  (N, 2, T, T)
    masked1 = np.where(np.arange(T) <= np.arange(T)[:, None], scores1, -np.inf)
    # (F14)  masked_max1[n,i,t] = max_j masked1[n,i,t,j]  (N, 2, T)
    masked_max1 = masked1.max(axis=3)
    # (F15)  shifted1[n,i,t,j] = masked1[n,i,t,j] - masked_max1[n,i,t]  (N, 2, T, T)
    shifted1 = masked1 - masked_max1[:, :, :, None]
    # (F16)  e1[n,i,t,j] = exp(shifted1[n,i,t,j])  (N, 2, T, T)
    e1 = np.exp(shifted1)
    s1 = e1.sum(axis=3)       # (F17)  s1[n,i,t] = Σ_j e1[n,i,t,j]  (N, 2, T)
    # (F18)  p1[n,i,t,j] = e1[n,i,t,j]/s1[n,i,t]  (N, 2, T, T)
    p1 = e1 / s1[:, :, :, None]
    # (F19)  attended1[n,i,t,j] = Σ_p p1[n,i,t,p] v1[n,p,D i/2+j]  (N, 2, T, D // 2)
    attended1 = p1 @ v1.reshape(N, T, 2, D // 2).transpose(0, 2, 1, 3)
    # (F20)  x2[n,t,d] = x1[n,t,d] + Σ_i attended1[n,⌊i/(D/2)⌋,t,(i mod (D/2))]
    #       blocks_0_Wo[i,d] + blocks_0_bo[d]  (N, T, D)
    x2 = (
        x1 + attended1.transpose(0, 2, 1, 3).reshape(N, T, D) @ blocks_0_Wo
        + blocks_0_bo
    )
    mu2 = x2.sum(axis=2) / D  # (F21)  mu2[n,t] = Σ_d x2[n,t,d]/D  (N, T)
    # (F22)  centred2[n,t,d] = x2[n,t,d] - mu2[n,t]  (N, T, D)
    centred2 = x2 - mu2[:, :, None]
    # (F23)  var2[n,t] = Σ_d centred2[n,t,d]²/D  (N, T)
    var2 = np.einsum("ntd,ntd->nt", centred2, centred2) / D
    var_eps2 = var2 + 1e-05   # (F24)  var_eps2[n,t] = var2[n,t] + 1e-5  (N, T)
    std2 = np.sqrt(var_eps2)  # (F25)  std2[n,t] = √var_eps2[n,t]  (N, T)
    # (F26)  x_hat2[n,t,d] = centred2[n,t,d]/std2[n,t]  (N, T, D)
    x_hat2 = centred2 / std2[:, :, None]
    # (F27)  u1[n,t,d] = x_hat2[n,t,d] blocks_0_g2[d] + blocks_0_b2[d]  (N, T, D)
    u1 = blocks_0_g2 * x_hat2 + blocks_0_b2
    # (F28)  u3[n,t,f] = Σ_d u1[n,t,d] blocks_0_W1[d,f] + blocks_0_c1[f]  (N, T, F)
    u3 = u1 @ blocks_0_W1 + blocks_0_c1
    # (F29)  z1[n,t,f] = √(2/π) (u3[n,t,f] + 0.044715 u3[n,t,f]³)  (N, T, F)
    z1 = (2 / np.pi)**0.5 * (u3 + 0.044715 * (u3 * u3 * u3))
    tanh_z1 = np.tanh(z1)     # (F30)  tanh_z1[n,t,f] = tanh(z1[n,t,f])  (N, T, F)
    u4 = 1 + tanh_z1          # (F31)  u4[n,t,f] = 1 + tanh_z1[n,t,f]  (N, T, F)
    hidden1 = 0.5 * u3 * u4   # (F32)  hidden1[n,t,f] = u3[n,t,f] u4[n,t,f]/2  (N, T, F)
    # (F33)  x3[n,t,d] = x2[n,t,d] + Σ_f hidden1[n,t,f] blocks_0_W2[f,d]
    #       + blocks_0_c2[d]  (N, T, D)
    x3 = x2 + hidden1 @ blocks_0_W2 + blocks_0_c2
    mu3 = x3.sum(axis=2) / D  # (F34)  mu3[n,t] = Σ_d x3[n,t,d]/D  (N, T)
    # (F35)  centred3[n,t,d] = x3[n,t,d] - mu3[n,t]  (N, T, D)
    centred3 = x3 - mu3[:, :, None]
    # (F36)  var3[n,t] = Σ_d centred3[n,t,d]²/D  (N, T)
    var3 = np.einsum("ntd,ntd->nt", centred3, centred3) / D
    var_eps3 = var3 + 1e-05   # (F37)  var_eps3[n,t] = var3[n,t] + 1e-5  (N, T)
    std3 = np.sqrt(var_eps3)  # (F38)  std3[n,t] = √var_eps3[n,t]  (N, T)
    # (F39)  x_hat3[n,t,d] = centred3[n,t,d]/std3[n,t]  (N, T, D)
    x_hat3 = centred3 / std3[:, :, None]
    # (F40)  h2[n,t,d] = x_hat3[n,t,d] blocks_1_g1[d] + blocks_1_b1[d]  (N, T, D)
    h2 = blocks_1_g1 * x_hat3 + blocks_1_b1
    # (F41)  q2[n,t,d] = Σ_i h2[n,t,i] blocks_1_Wq[i,d]  (N, T, D)
    q2 = h2 @ blocks_1_Wq
    # (F42)  k2[n,t,d] = Σ_i h2[n,t,i] blocks_1_Wk[i,d]  (N, T, D)
    k2 = h2 @ blocks_1_Wk
    # (F43)  v2[n,t,d] = Σ_i h2[n,t,i] blocks_1_Wv[i,d]  (N, T, D)
    v2 = h2 @ blocks_1_Wv
    # (F44)  scores2[n,i,t,j] = Σ_{p<D/2} q2[n,t,D i/2+p] k2[n,j,D i/2+p]/√(D/2)
    #       (N, 2, T, T)
    with np.errstate(all="ignore"):  # only finite entries are used
        scores2 = (
            q2.reshape(N, T, 2, D // 2).transpose(0, 2, 1, 3)
            @ k2.reshape(N, T, 2, D // 2).transpose(0, 2, 3, 1) / (D / 2)**0.5
        )
    # (F45)  masked2[n,i,t,j] = [j ≤ t] scores2[n,i,t,j] - [t < j] ∞  (N, 2, T, T)
    masked2 = np.where(np.arange(T) <= np.arange(T)[:, None], scores2, -np.inf)
    # (F46)  masked_max2[n,i,t] = max_j masked2[n,i,t,j]  (N, 2, T)
    masked_max2 = masked2.max(axis=3)
    # (F47)  shifted2[n,i,t,j] = masked2[n,i,t,j] - masked_max2[n,i,t]  (N, 2, T, T)
    shifted2 = masked2 - masked_max2[:, :, :, None]
    # (F48)  e2[n,i,t,j] = exp(shifted2[n,i,t,j])  (N, 2, T, T)
    e2 = np.exp(shifted2)
    s2 = e2.sum(axis=3)       # (F49)  s2[n,i,t] = Σ_j e2[n,i,t,j]  (N, 2, T)
    # (F50)  p2[n,i,t,j] = e2[n,i,t,j]/s2[n,i,t]  (N, 2, T, T)
    p2 = e2 / s2[:, :, :, None]
    # (F51)  attended2[n,i,t,j] = Σ_p p2[n,i,t,p] v2[n,p,D i/2+j]  (N, 2, T, D // 2)
    attended2 = p2 @ v2.reshape(N, T, 2, D // 2).transpose(0, 2, 1, 3)
    # (F52)  x4[n,t,d] = x3[n,t,d] + Σ_i attended2[n,⌊i/(D/2)⌋,t,(i mod (D/2))]
    #       blocks_1_Wo[i,d] + blocks_1_bo[d]  (N, T, D)
    x4 = (
        x3 + attended2.transpose(0, 2, 1, 3).reshape(N, T, D) @ blocks_1_Wo
        + blocks_1_bo
    )
    mu4 = x4.sum(axis=2) / D  # (F53)  mu4[n,t] = Σ_d x4[n,t,d]/D  (N, T)
    # (F54)  centred4[n,t,d] = x4[n,t,d] - mu4[n,t]  (N, T, D)
    centred4 = x4 - mu4[:, :, None]
    # (F55)  var4[n,t] = Σ_d centred4[n,t,d]²/D  (N, T)
    var4 = np.einsum("ntd,ntd->nt", centred4, centred4) / D
    var_eps4 = var4 + 1e-05   # (F56)  var_eps4[n,t] = var4[n,t] + 1e-5  (N, T)
    std4 = np.sqrt(var_eps4)  # (F57)  std4[n,t] = √var_eps4[n,t]  (N, T)
    # (F58)  x_hat4[n,t,d] = centred4[n,t,d]/std4[n,t]  (N, T, D)
    x_hat4 = centred4 / std4[:, :, None]
    # (F59)  u2[n,t,d] = x_hat4[n,t,d] blocks_1_g2[d] + blocks_1_b2[d]  (N, T, D)
    u2 = blocks_1_g2 * x_hat4 + blocks_1_b2
    # (F60)  u5[n,t,f] = Σ_d u2[n,t,d] blocks_1_W1[d,f] + blocks_1_c1[f]  (N, T, F)
    u5 = u2 @ blocks_1_W1 + blocks_1_c1
    # (F61)  z2[n,t,f] = √(2/π) (u5[n,t,f] + 0.044715 u5[n,t,f]³)  (N, T, F)
    z2 = (2 / np.pi)**0.5 * (u5 + 0.044715 * (u5 * u5 * u5))
    tanh_z2 = np.tanh(z2)     # (F62)  tanh_z2[n,t,f] = tanh(z2[n,t,f])  (N, T, F)
    u6 = 1 + tanh_z2          # (F63)  u6[n,t,f] = 1 + tanh_z2[n,t,f]  (N, T, F)
    hidden2 = 0.5 * u5 * u6   # (F64)  hidden2[n,t,f] = u5[n,t,f] u6[n,t,f]/2  (N, T, F)
    # (F65)  x5[n,t,d] = x4[n,t,d] + Σ_f hidden2[n,t,f] blocks_1_W2[f,d]
    #       + blocks_1_c2[d]  (N, T, D)
    x5 = x4 + hidden2 @ blocks_1_W2 + blocks_1_c2
    mu5 = x5.sum(axis=2) / D  # (F66)  mu5[n,t] = Σ_d x5[n,t,d]/D  (N, T)
    # (F67)  centred5[n,t,d] = x5[n,t,d] - mu5[n,t]  (N, T, D)
    centred5 = x5 - mu5[:, :, None]
    # (F68)  var5[n,t] = Σ_d centred5[n,t,d]²/D  (N, T)
    var5 = np.einsum("ntd,ntd->nt", centred5, centred5) / D
    var_eps5 = var5 + 1e-05   # (F69)  var_eps5[n,t] = var5[n,t] + 1e-5  (N, T)
    std5 = np.sqrt(var_eps5)  # (F70)  std5[n,t] = √var_eps5[n,t]  (N, T)
    # (F71)  x_hat5[n,t,d] = centred5[n,t,d]/std5[n,t]  (N, T, D)
    x_hat5 = centred5 / std5[:, :, None]
    h = g * x_hat5 + b        # (F72)  h[n,t,d] = x_hat5[n,t,d] g[d] + b[d]  (N, T, D)
    logits = h @ W            # (F73)  logits[n,t,m] = Σ_d h[n,t,d] W[d,m]  (N, T, M)
    return {"logits": logits}


# Self-check: run this file to compare backward with finite differences.


def draw_inputs(seed):
    """Draw the arguments of forward from their declared domains."""
    rng = np.random.default_rng(seed)
    N, T, M, D, C, F = 5, 2, 7, 4, 3, 11
    return {
        "tok": rng.integers(0, M, size=(N, T)),
        "following": rng.integers(0, M, size=(N, T)),
        "E": rng.normal(size=(M, D)),
        "P": rng.normal(size=(C, D)),
        "blocks_0_g1": rng.normal(size=(D,)),
        "blocks_0_b1": rng.normal(size=(D,)),
        "blocks_0_Wq": rng.normal(size=(D, D)),
        "blocks_0_Wk": rng.normal(size=(D, D)),
        "blocks_0_Wv": rng.normal(size=(D, D)),
        "blocks_0_Wo": rng.normal(size=(D, D)),
        "blocks_0_bo": rng.normal(size=(D,)),
        "blocks_0_g2": rng.normal(size=(D,)),
        "blocks_0_b2": rng.normal(size=(D,)),
        "blocks_0_W1": rng.normal(size=(D, F)),
        "blocks_0_c1": rng.normal(size=(F,)),
        "blocks_0_W2": rng.normal(size=(F, D)),
        "blocks_0_c2": rng.normal(size=(D,)),
        "blocks_1_g1": rng.normal(size=(D,)),
        "blocks_1_b1": rng.normal(size=(D,)),
        "blocks_1_Wq": rng.normal(size=(D, D)),
        "blocks_1_Wk": rng.normal(size=(D, D)),
        "blocks_1_Wv": rng.normal(size=(D, D)),
        "blocks_1_Wo": rng.normal(size=(D, D)),
        "blocks_1_bo": rng.normal(size=(D,)),
        "blocks_1_g2": rng.normal(size=(D,)),
        "blocks_1_b2": rng.normal(size=(D,)),
        "blocks_1_W1": rng.normal(size=(D, F)),
        "blocks_1_c1": rng.normal(size=(F,)),
        "blocks_1_W2": rng.normal(size=(F, D)),
        "blocks_1_c2": rng.normal(size=(D,)),
        "g": rng.normal(size=(D,)),
        "b": rng.normal(size=(D,)),
        "W": rng.normal(size=(D, M)),
    }


def arguments(leaves):
    """Put the drawn arrays into the structures that forward takes."""
    return {
        "tok": leaves["tok"],
        "following": leaves["following"],
        "E": leaves["E"],
        "P": leaves["P"],
        "blocks": [
            {
                "g1": leaves["blocks_0_g1"],
                "b1": leaves["blocks_0_b1"],
                "Wq": leaves["blocks_0_Wq"],
                "Wk": leaves["blocks_0_Wk"],
                "Wv": leaves["blocks_0_Wv"],
                "Wo": leaves["blocks_0_Wo"],
                "bo": leaves["blocks_0_bo"],
                "g2": leaves["blocks_0_g2"],
                "b2": leaves["blocks_0_b2"],
                "W1": leaves["blocks_0_W1"],
                "c1": leaves["blocks_0_c1"],
                "W2": leaves["blocks_0_W2"],
                "c2": leaves["blocks_0_c2"],
            },
            {
                "g1": leaves["blocks_1_g1"],
                "b1": leaves["blocks_1_b1"],
                "Wq": leaves["blocks_1_Wq"],
                "Wk": leaves["blocks_1_Wk"],
                "Wv": leaves["blocks_1_Wv"],
                "Wo": leaves["blocks_1_Wo"],
                "bo": leaves["blocks_1_bo"],
                "g2": leaves["blocks_1_g2"],
                "b2": leaves["blocks_1_b2"],
                "W1": leaves["blocks_1_W1"],
                "c1": leaves["blocks_1_c1"],
                "W2": leaves["blocks_1_W2"],
                "c2": leaves["blocks_1_c2"],
            },
        ],
        "g": leaves["g"],
        "b": leaves["b"],
        "W": leaves["W"],
    }


def gradients(grads):
    """Take the arrays out of the structures that backward returns."""
    return {
        "E": grads["E"],
        "P": grads["P"],
        "blocks_0_g1": grads["blocks"][0]["g1"],
        "blocks_0_b1": grads["blocks"][0]["b1"],
        "blocks_0_Wq": grads["blocks"][0]["Wq"],
        "blocks_0_Wk": grads["blocks"][0]["Wk"],
        "blocks_0_Wv": grads["blocks"][0]["Wv"],
        "blocks_0_Wo": grads["blocks"][0]["Wo"],
        "blocks_0_bo": grads["blocks"][0]["bo"],
        "blocks_0_g2": grads["blocks"][0]["g2"],
        "blocks_0_b2": grads["blocks"][0]["b2"],
        "blocks_0_W1": grads["blocks"][0]["W1"],
        "blocks_0_c1": grads["blocks"][0]["c1"],
        "blocks_0_W2": grads["blocks"][0]["W2"],
        "blocks_0_c2": grads["blocks"][0]["c2"],
        "blocks_1_g1": grads["blocks"][1]["g1"],
        "blocks_1_b1": grads["blocks"][1]["b1"],
        "blocks_1_Wq": grads["blocks"][1]["Wq"],
        "blocks_1_Wk": grads["blocks"][1]["Wk"],
        "blocks_1_Wv": grads["blocks"][1]["Wv"],
        "blocks_1_Wo": grads["blocks"][1]["Wo"],
        "blocks_1_bo": grads["blocks"][1]["bo"],
        "blocks_1_g2": grads["blocks"][1]["g2"],
        "blocks_1_b2": grads["blocks"][1]["b2"],
        "blocks_1_W1": grads["blocks"][1]["W1"],
        "blocks_1_c1": grads["blocks"][1]["c1"],
        "blocks_1_W2": grads["blocks"][1]["W2"],
        "blocks_1_c2": grads["blocks"][1]["c2"],
        "g": grads["g"],
        "b": grads["b"],
        "W": grads["W"],
    }


def difference(inputs, name, step, scale):
    """Differentiate the loss along a step; return the slope and a bound on its error.

    Richardson differences with h and h/2 must agree: else a kink is near (nan).
    """

    def loss(t):
        moved = {**inputs, name: inputs[name] + t * step}
        return forward(**arguments(moved), validate=False)[0]

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
        loss, saved = forward(**arguments(inputs))
        if np.isfinite(loss):
            break
    else:
        print("the loss is not finite on any of 20 draws")
        return 1
    grads = gradients(backward(saved))
    largest = max(np.abs(grad).max() for grad in grads.values()) or 1.0
    print("gradient     shape    status     max error  decided")
    failed = False
    for name in grads:
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
        print(f"{name:11}  {array.shape!s:7}  {status:9}  {error:9.1e}  {count}")
    print("FAILED" if failed else "PASSED")
    return int(failed)


if __name__ == "__main__":
    raise SystemExit(self_check())
