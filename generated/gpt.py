# symprop sha256:14a9792281874c128a44c56b05927426
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
    """What backward needs: a tuple whose parts have names, as in saved.L_softmax."""

    names = (
        "L_softmax", "following", "h", "W", "h_normalized_5", "g", "h_std_5",
        "h_hidden_2", "blocks_1_W2", "h_sum_10", "h_sum_9", "h_u_2", "blocks_1_W1",
        "h_normalized_4", "blocks_1_g2", "h_std_4", "h_dot_8", "blocks_1_Wo", "h_dot_7",
        "h_weights_2", "h_sum_7", "h_dot_5", "h_dot_6", "blocks_1_Wv", "blocks_1_Wk",
        "blocks_1_Wq", "h_normalized_3", "blocks_1_g1", "h_std_3", "h_hidden",
        "blocks_0_W2", "h_sum_5", "h_sum_4", "h_u", "blocks_0_W1", "h_normalized_2",
        "blocks_0_g2", "h_std_2", "h_dot_4", "blocks_0_Wo", "h_dot_3", "h_weights",
        "h_sum_2", "h_dot", "h_dot_2", "blocks_0_Wv", "blocks_0_Wk", "blocks_0_Wq",
        "h_normalized", "blocks_0_g1", "h_std", "tok", "C", "dtype", "dtypes"
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
    h_x = E[tok] + P[:T]          # (F1)  h_x[n,t,d] = E[tok[n,t],d] + P[t,d]  (N, T, D)
    h_mean = h_x.sum(axis=2) / D  # (F2)  h_mean[n,t] = Σ_d h_x[n,t,d]/D  (N, T)
    # (F3)  h_centred[n,t,d] = h_x[n,t,d] - h_mean[n,t]  (N, T, D)
    h_centred = h_x - h_mean[:, :, None]
    # (F4)  h_var[n,t] = Σ_d h_centred[n,t,d]²/D  (N, T)
    h_var = np.einsum("ntd,ntd->nt", h_centred, h_centred) / D
    h_sum = h_var + 1e-05         # (F5)  h_sum[n,t] = h_var[n,t] + 1e-5  (N, T)
    h_std = np.sqrt(h_sum)        # (F6)  h_std[n,t] = √h_sum[n,t]  (N, T)
    # (F7)  h_normalized[n,t,d] = h_centred[n,t,d]/h_std[n,t]  (N, T, D)
    h_normalized = h_centred / h_std[:, :, None]
    # (F8)  h_sum_2[n,t,d] = h_normalized[n,t,d] blocks_0_g1[d] + blocks_0_b1[d]
    #       (N, T, D)
    h_sum_2 = blocks_0_g1 * h_normalized + blocks_0_b1
    # (F9)  h_dot[n,t,d] = Σ_i h_sum_2[n,t,i] blocks_0_Wq[i,d]  (N, T, D)
    h_dot = h_sum_2 @ blocks_0_Wq
    # (F10)  h_dot_2[n,t,d] = Σ_i h_sum_2[n,t,i] blocks_0_Wk[i,d]  (N, T, D)
    h_dot_2 = h_sum_2 @ blocks_0_Wk
    # (F11)  h_dot_3[n,t,d] = Σ_i h_sum_2[n,t,i] blocks_0_Wv[i,d]  (N, T, D)
    h_dot_3 = h_sum_2 @ blocks_0_Wv
    # (F12)  h_scores[n,i,t,j] = Σ_d h_dot[n,t,D i/2+d] h_dot_2[n,j,D i/2+d]/√(D/2)
    #       (N, 2, T, T)
    with np.errstate(all="ignore"):  # only finite entries are used
        h_scores_picked = h_dot_2.reshape(N, T, 2, D // 2).transpose(0, 2, 3, 1)
        h_scores = (
            h_dot.reshape(N, T, 2, D // 2).transpose(0, 2, 1, 3) @ h_scores_picked
            / (D / 2)**0.5
        )
    # (F13)  h_cases[n,i,t,j] = [j ≤ t] h_scores[n,i,t,j] - [t < j] ∞  (N, 2, T, T)
    h_cases = np.where(np.arange(T) <= np.arange(T)[:, None], h_scores, -np.inf)
    # (F14)  h_top[n,i,t] = max_j h_cases[n,i,t,j]  (N, 2, T)
    h_top = h_cases.max(axis=3)
    # (F15)  h_in[n,i,t,j] = h_cases[n,i,t,j] - h_top[n,i,t]  (N, 2, T, T)
    h_in = h_cases - h_top[:, :, :, None]
    # (F16)  h_exp[n,i,t,j] = exp(h_in[n,i,t,j])  (N, 2, T, T)
    h_exp = np.exp(h_in)
    # (F17)  h_total[n,i,t] = Σ_j h_exp[n,i,t,j]  (N, 2, T)
    h_total = h_exp.sum(axis=3)
    # (F18)  h_weights[n,i,t,j] = h_exp[n,i,t,j]/h_total[n,i,t]  (N, 2, T, T)
    h_weights = h_exp / h_total[:, :, :, None]
    # (F19)  h_dot_4[n,i,t,d] = Σ_j h_weights[n,i,t,j] h_dot_3[n,j,D i/2+d]
    #       (N, 2, T, D // 2)
    h_dot_4 = h_weights @ h_dot_3.reshape(N, T, 2, D // 2).transpose(0, 2, 1, 3)
    # (F20)  h_x_2[n,t,d] = h_x[n,t,d] + Σ_i h_dot_4[n,⌊i/(D/2)⌋,t,(i mod (D/2))]
    #       blocks_0_Wo[i,d] + blocks_0_bo[d]  (N, T, D)
    h_x_2 = (
        h_x + h_dot_4.transpose(0, 2, 1, 3).reshape(N, T, D) @ blocks_0_Wo + blocks_0_bo
    )
    # (F21)  h_mean_2[n,t] = Σ_d h_x_2[n,t,d]/D  (N, T)
    h_mean_2 = h_x_2.sum(axis=2) / D
    # (F22)  h_centred_2[n,t,d] = h_x_2[n,t,d] - h_mean_2[n,t]  (N, T, D)
    h_centred_2 = h_x_2 - h_mean_2[:, :, None]
    # (F23)  h_var_2[n,t] = Σ_d h_centred_2[n,t,d]²/D  (N, T)
    h_var_2 = np.einsum("ntd,ntd->nt", h_centred_2, h_centred_2) / D
    h_sum_3 = h_var_2 + 1e-05     # (F24)  h_sum_3[n,t] = h_var_2[n,t] + 1e-5  (N, T)
    h_std_2 = np.sqrt(h_sum_3)    # (F25)  h_std_2[n,t] = √h_sum_3[n,t]  (N, T)
    # (F26)  h_normalized_2[n,t,d] = h_centred_2[n,t,d]/h_std_2[n,t]  (N, T, D)
    h_normalized_2 = h_centred_2 / h_std_2[:, :, None]
    # (F27)  h_u[n,t,d] = h_normalized_2[n,t,d] blocks_0_g2[d] + blocks_0_b2[d]
    #       (N, T, D)
    h_u = blocks_0_g2 * h_normalized_2 + blocks_0_b2
    # (F28)  h_sum_4[n,t,f] = Σ_d h_u[n,t,d] blocks_0_W1[d,f] + blocks_0_c1[f]
    #       (N, T, F)
    h_sum_4 = h_u @ blocks_0_W1 + blocks_0_c1
    # (F29)  h_inner[n,t,f] = √(2/π) (h_sum_4[n,t,f] + 0.044715 h_sum_4[n,t,f]³)
    #       (N, T, F)
    h_inner = (2 / np.pi)**0.5 * (h_sum_4 + 0.044715 * (h_sum_4 * h_sum_4 * h_sum_4))
    # (F30)  h_tanh[n,t,f] = tanh(h_inner[n,t,f])  (N, T, F)
    h_tanh = np.tanh(h_inner)
    h_sum_5 = 1 + h_tanh          # (F31)  h_sum_5[n,t,f] = 1 + h_tanh[n,t,f]  (N, T, F)
    # (F32)  h_hidden[n,t,f] = h_sum_4[n,t,f] h_sum_5[n,t,f]/2  (N, T, F)
    h_hidden = 0.5 * h_sum_4 * h_sum_5
    # (F33)  h_x_3[n,t,d] = h_x_2[n,t,d] + Σ_f h_hidden[n,t,f] blocks_0_W2[f,d]
    #       + blocks_0_c2[d]  (N, T, D)
    h_x_3 = h_x_2 + h_hidden @ blocks_0_W2 + blocks_0_c2
    # (F34)  h_mean_3[n,t] = Σ_d h_x_3[n,t,d]/D  (N, T)
    h_mean_3 = h_x_3.sum(axis=2) / D
    # (F35)  h_centred_3[n,t,d] = h_x_3[n,t,d] - h_mean_3[n,t]  (N, T, D)
    h_centred_3 = h_x_3 - h_mean_3[:, :, None]
    # (F36)  h_var_3[n,t] = Σ_d h_centred_3[n,t,d]²/D  (N, T)
    h_var_3 = np.einsum("ntd,ntd->nt", h_centred_3, h_centred_3) / D
    h_sum_6 = h_var_3 + 1e-05     # (F37)  h_sum_6[n,t] = h_var_3[n,t] + 1e-5  (N, T)
    h_std_3 = np.sqrt(h_sum_6)    # (F38)  h_std_3[n,t] = √h_sum_6[n,t]  (N, T)
    # (F39)  h_normalized_3[n,t,d] = h_centred_3[n,t,d]/h_std_3[n,t]  (N, T, D)
    h_normalized_3 = h_centred_3 / h_std_3[:, :, None]
    # (F40)  h_sum_7[n,t,d] = h_normalized_3[n,t,d] blocks_1_g1[d] + blocks_1_b1[d]
    #       (N, T, D)
    h_sum_7 = blocks_1_g1 * h_normalized_3 + blocks_1_b1
    # (F41)  h_dot_5[n,t,d] = Σ_i h_sum_7[n,t,i] blocks_1_Wq[i,d]  (N, T, D)
    h_dot_5 = h_sum_7 @ blocks_1_Wq
    # (F42)  h_dot_6[n,t,d] = Σ_i h_sum_7[n,t,i] blocks_1_Wk[i,d]  (N, T, D)
    h_dot_6 = h_sum_7 @ blocks_1_Wk
    # (F43)  h_dot_7[n,t,d] = Σ_i h_sum_7[n,t,i] blocks_1_Wv[i,d]  (N, T, D)
    h_dot_7 = h_sum_7 @ blocks_1_Wv
    # (F44)  h_scores_2[n,i,t,j] = Σ_d h_dot_5[n,t,D i/2+d] h_dot_6[n,j,D i/2+d]/√(D/2)
    #       (N, 2, T, T)
    with np.errstate(all="ignore"):  # only finite entries are used
        h_scores_2_picked = h_dot_5.reshape(N, T, 2, D // 2).transpose(0, 2, 1, 3)
        h_scores_2 = (
            h_scores_2_picked @ h_dot_6.reshape(N, T, 2, D // 2).transpose(0, 2, 3, 1)
            / (D / 2)**0.5
        )
    # (F45)  h_cases_2[n,i,t,j] = [j ≤ t] h_scores_2[n,i,t,j] - [t < j] ∞  (N, 2, T, T)
    h_cases_2 = np.where(np.arange(T) <= np.arange(T)[:, None], h_scores_2, -np.inf)
    # (F46)  h_top_2[n,i,t] = max_j h_cases_2[n,i,t,j]  (N, 2, T)
    h_top_2 = h_cases_2.max(axis=3)
    # (F47)  h_in_2[n,i,t,j] = h_cases_2[n,i,t,j] - h_top_2[n,i,t]  (N, 2, T, T)
    h_in_2 = h_cases_2 - h_top_2[:, :, :, None]
    # (F48)  h_exp_2[n,i,t,j] = exp(h_in_2[n,i,t,j])  (N, 2, T, T)
    h_exp_2 = np.exp(h_in_2)
    # (F49)  h_total_2[n,i,t] = Σ_j h_exp_2[n,i,t,j]  (N, 2, T)
    h_total_2 = h_exp_2.sum(axis=3)
    # (F50)  h_weights_2[n,i,t,j] = h_exp_2[n,i,t,j]/h_total_2[n,i,t]  (N, 2, T, T)
    h_weights_2 = h_exp_2 / h_total_2[:, :, :, None]
    # (F51)  h_dot_8[n,i,t,d] = Σ_j h_weights_2[n,i,t,j] h_dot_7[n,j,D i/2+d]
    #       (N, 2, T, D // 2)
    h_dot_8 = h_weights_2 @ h_dot_7.reshape(N, T, 2, D // 2).transpose(0, 2, 1, 3)
    # (F52)  h_x_4[n,t,d] = h_x_3[n,t,d] + Σ_i h_dot_8[n,⌊i/(D/2)⌋,t,(i mod (D/2))]
    #       blocks_1_Wo[i,d] + blocks_1_bo[d]  (N, T, D)
    h_x_4 = (
        h_x_3 + h_dot_8.transpose(0, 2, 1, 3).reshape(N, T, D) @ blocks_1_Wo
        + blocks_1_bo
    )
    # (F53)  h_mean_4[n,t] = Σ_d h_x_4[n,t,d]/D  (N, T)
    h_mean_4 = h_x_4.sum(axis=2) / D
    # (F54)  h_centred_4[n,t,d] = h_x_4[n,t,d] - h_mean_4[n,t]  (N, T, D)
    h_centred_4 = h_x_4 - h_mean_4[:, :, None]
    # (F55)  h_var_4[n,t] = Σ_d h_centred_4[n,t,d]²/D  (N, T)
    h_var_4 = np.einsum("ntd,ntd->nt", h_centred_4, h_centred_4) / D
    h_sum_8 = h_var_4 + 1e-05     # (F56)  h_sum_8[n,t] = h_var_4[n,t] + 1e-5  (N, T)
    h_std_4 = np.sqrt(h_sum_8)    # (F57)  h_std_4[n,t] = √h_sum_8[n,t]  (N, T)
    # (F58)  h_normalized_4[n,t,d] = h_centred_4[n,t,d]/h_std_4[n,t]  (N, T, D)
    h_normalized_4 = h_centred_4 / h_std_4[:, :, None]
    # (F59)  h_u_2[n,t,d] = h_normalized_4[n,t,d] blocks_1_g2[d] + blocks_1_b2[d]
    #       (N, T, D)
    h_u_2 = blocks_1_g2 * h_normalized_4 + blocks_1_b2
    # (F60)  h_sum_9[n,t,f] = Σ_d h_u_2[n,t,d] blocks_1_W1[d,f] + blocks_1_c1[f]
    #       (N, T, F)
    h_sum_9 = h_u_2 @ blocks_1_W1 + blocks_1_c1
    # (F61)  h_inner_2[n,t,f] = √(2/π) (h_sum_9[n,t,f] + 0.044715 h_sum_9[n,t,f]³)
    #       (N, T, F)
    h_inner_2 = (2 / np.pi)**0.5 * (h_sum_9 + 0.044715 * (h_sum_9 * h_sum_9 * h_sum_9))
    # (F62)  h_tanh_2[n,t,f] = tanh(h_inner_2[n,t,f])  (N, T, F)
    h_tanh_2 = np.tanh(h_inner_2)
    # (F63)  h_sum_10[n,t,f] = 1 + h_tanh_2[n,t,f]  (N, T, F)
    h_sum_10 = 1 + h_tanh_2
    # (F64)  h_hidden_2[n,t,f] = h_sum_9[n,t,f] h_sum_10[n,t,f]/2  (N, T, F)
    h_hidden_2 = 0.5 * h_sum_9 * h_sum_10
    # (F65)  h_x_5[n,t,d] = h_x_4[n,t,d] + Σ_f h_hidden_2[n,t,f] blocks_1_W2[f,d]
    #       + blocks_1_c2[d]  (N, T, D)
    h_x_5 = h_x_4 + h_hidden_2 @ blocks_1_W2 + blocks_1_c2
    # (F66)  h_mean_5[n,t] = Σ_d h_x_5[n,t,d]/D  (N, T)
    h_mean_5 = h_x_5.sum(axis=2) / D
    # (F67)  h_centred_5[n,t,d] = h_x_5[n,t,d] - h_mean_5[n,t]  (N, T, D)
    h_centred_5 = h_x_5 - h_mean_5[:, :, None]
    # (F68)  h_var_5[n,t] = Σ_d h_centred_5[n,t,d]²/D  (N, T)
    h_var_5 = np.einsum("ntd,ntd->nt", h_centred_5, h_centred_5) / D
    h_sum_11 = h_var_5 + 1e-05    # (F69)  h_sum_11[n,t] = h_var_5[n,t] + 1e-5  (N, T)
    h_std_5 = np.sqrt(h_sum_11)   # (F70)  h_std_5[n,t] = √h_sum_11[n,t]  (N, T)
    # (F71)  h_normalized_5[n,t,d] = h_centred_5[n,t,d]/h_std_5[n,t]  (N, T, D)
    h_normalized_5 = h_centred_5 / h_std_5[:, :, None]
    # (F72)  h[n,t,d] = h_normalized_5[n,t,d] g[d] + b[d]  (N, T, D)
    h = g * h_normalized_5 + b
    # (F73)  logits[n,t,m] = Σ_d h[n,t,d] W[d,m]  (N, T, M)
    logits = h @ W
    L_top = logits.max(axis=2)    # (F74)  L_top[n,t] = max_m logits[n,t,m]  (N, T)
    # (F75)  L_shifted[n,t,m] = logits[n,t,m] - L_top[n,t]  (N, T, M)
    L_shifted = logits - L_top[:, :, None]
    # (F76)  L_exp[n,t,m] = exp(L_shifted[n,t,m])  (N, T, M)
    L_exp = np.exp(L_shifted)
    L_total = L_exp.sum(axis=2)   # (F77)  L_total[n,t] = Σ_m L_exp[n,t,m]  (N, T)
    # (F78)  L_softmax[n,t,m] = L_exp[n,t,m]/L_total[n,t]  (N, T, M)
    L_softmax = L_exp / L_total[:, :, None]
    # (F79)  L_log_p[n,t,m] = L_shifted[n,t,m] - log(L_total[n,t])  (N, T, M)
    L_log_p = L_shifted - np.log(L_total)[:, :, None]
    # (F80)  L_picked[n,t] = -L_log_p[n,t,following[n,t]]  (N, T)
    L_picked = -L_log_p[np.arange(N)[:, None], np.arange(T), following]
    L = L_picked.sum() / (N * T)  # (F81)  L = Σ_nt L_picked[n,t]/(N T)
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
        L_softmax, following, h, W, h_normalized_5, g, h_std_5, h_hidden_2, blocks_1_W2,
        h_sum_10, h_sum_9, h_u_2, blocks_1_W1, h_normalized_4, blocks_1_g2, h_std_4,
        h_dot_8, blocks_1_Wo, h_dot_7, h_weights_2, h_sum_7, h_dot_5, h_dot_6,
        blocks_1_Wv, blocks_1_Wk, blocks_1_Wq, h_normalized_3, blocks_1_g1, h_std_3,
        h_hidden, blocks_0_W2, h_sum_5, h_sum_4, h_u, blocks_0_W1, h_normalized_2,
        blocks_0_g2, h_std_2, h_dot_4, blocks_0_Wo, h_dot_3, h_weights, h_sum_2, h_dot,
        h_dot_2, blocks_0_Wv, blocks_0_Wk, blocks_0_Wq, h_normalized, blocks_0_g1,
        h_std, tok, C, dtype, dtypes
    )
    return dtype.type(L), Saved(saved)


def backward(saved, dL=1.0):
    """Return the gradients of dL * loss."""
    (
        L_softmax, following, h, W, h_normalized_5, g, h_std_5, h_hidden_2, blocks_1_W2,
        h_sum_10, h_sum_9, h_u_2, blocks_1_W1, h_normalized_4, blocks_1_g2, h_std_4,
        h_dot_8, blocks_1_Wo, h_dot_7, h_weights_2, h_sum_7, h_dot_5, h_dot_6,
        blocks_1_Wv, blocks_1_Wk, blocks_1_Wq, h_normalized_3, blocks_1_g1, h_std_3,
        h_hidden, blocks_0_W2, h_sum_5, h_sum_4, h_u, blocks_0_W1, h_normalized_2,
        blocks_0_g2, h_std_2, h_dot_4, blocks_0_Wo, h_dot_3, h_weights, h_sum_2, h_dot,
        h_dot_2, blocks_0_Wv, blocks_0_Wk, blocks_0_Wq, h_normalized, blocks_0_g1,
        h_std, tok, C, dtype, dtypes
    ) = saved
    N, T, M = L_softmax.shape
    D = h.shape[2]
    # (B8)  dlogits[n,t,m] = (L_softmax[n,t,m] - [following[n,t] = m]) dL/(N T)
    #       (N, T, M)  from (F75), (F74) with (B7), (B6)
    dlogits = dL / (N * T) * L_softmax
    dlogits[np.arange(N)[:, None], np.arange(T), following] -= dL / (N * T)
    # (B9)  dW[d,m] = Σ_nt dlogits[n,t,m] h[n,t,d]  (D, M)  from (F73)
    dW = np.tensordot(h, dlogits, axes=((0, 1), (0, 1)))
    # (B10)  dh[n,t,d] = Σ_m dlogits[n,t,m] W[d,m]  (N, T, D)  from (F73)
    dh = dlogits @ W.T
    # (B11)  dg[d] = Σ_nt dh[n,t,d] h_normalized_5[n,t,d]  (D,)  from (F72)
    dg = np.einsum("ntd,ntd->d", dh, h_normalized_5)
    db = dh.sum(axis=(0, 1))  # (B12)  db[d] = Σ_nt dh[n,t,d]  (D,)  from (F72)
    # (B13)  dh_normalized_5[n,t,d] = dh[n,t,d] g[d]  (N, T, D)  from (F72)
    dh_normalized_5 = g * dh
    # (B19)  dh_x_5[n,t,d] = 1/h_std_5[n,t] (dh_normalized_5[n,t,d]
    #       - h_normalized_5[n,t,d] Σ_i dh_normalized_5[n,t,i] h_normalized_5[n,t,i]/D
    #       - Σ_i dh_normalized_5[n,t,i]/D)  (N, T, D)
    #       from (F67), (F66) with (B17), (B18)
    dh_x_5_product = (
        (np.einsum("nti,nti->nt", dh_normalized_5, h_normalized_5) / D)[:, :, None]
        * h_normalized_5
    )
    dh_x_5 = (
        (
            dh_normalized_5 - dh_x_5_product
            - (dh_normalized_5.sum(axis=2) / D)[:, :, None]
        )
        / h_std_5[:, :, None]
    )
    # (B20)  dblocks_1_W2[f,d] = Σ_nt dh_x_5[n,t,d] h_hidden_2[n,t,f]  (F, D)
    #       from (F65)
    dblocks_1_W2 = np.tensordot(h_hidden_2, dh_x_5, axes=((0, 1), (0, 1)))
    # (B21)  dblocks_1_c2[d] = Σ_nt dh_x_5[n,t,d]  (D,)  from (F65)
    dblocks_1_c2 = dh_x_5.sum(axis=(0, 1))
    # (B22)  dh_hidden_2[n,t,f] = Σ_d dh_x_5[n,t,d] blocks_1_W2[f,d]  (N, T, F)
    #       from (F65)
    dh_hidden_2 = dh_x_5 @ blocks_1_W2.T
    # (B25)  dh_inner_2[n,t,f] = dh_hidden_2[n,t,f] h_hidden_2[n,t,f]
    #       (2 - h_sum_10[n,t,f])  (N, T, F)  from (F62) with (B24)
    dh_inner_2 = dh_hidden_2 * h_hidden_2 * (2 - h_sum_10)
    # (B26)  dh_sum_9[n,t,f] = dh_hidden_2[n,t,f] h_sum_10[n,t,f]/2
    #       + dh_inner_2[n,t,f] (√(2/π) + 3·0.044715 √(2/π) h_sum_9[n,t,f]²)  (N, T, F)
    #       from (F64), (F61)
    dh_sum_9 = (
        0.5 * dh_hidden_2 * h_sum_10
        + dh_inner_2 * ((2 / np.pi)**0.5 + 0.10703222440890038 * (h_sum_9 * h_sum_9))
    )
    # (B27)  dblocks_1_W1[d,f] = Σ_nt dh_sum_9[n,t,f] h_u_2[n,t,d]  (D, F)  from (F60)
    dblocks_1_W1 = np.tensordot(h_u_2, dh_sum_9, axes=((0, 1), (0, 1)))
    # (B28)  dblocks_1_c1[f] = Σ_nt dh_sum_9[n,t,f]  (F,)  from (F60)
    dblocks_1_c1 = dh_sum_9.sum(axis=(0, 1))
    # (B29)  dh_u_2[n,t,d] = Σ_f dh_sum_9[n,t,f] blocks_1_W1[d,f]  (N, T, D)  from (F60)
    dh_u_2 = dh_sum_9 @ blocks_1_W1.T
    # (B30)  dblocks_1_g2[d] = Σ_nt dh_u_2[n,t,d] h_normalized_4[n,t,d]  (D,)
    #       from (F59)
    dblocks_1_g2 = np.einsum("ntd,ntd->d", dh_u_2, h_normalized_4)
    # (B31)  dblocks_1_b2[d] = Σ_nt dh_u_2[n,t,d]  (D,)  from (F59)
    dblocks_1_b2 = dh_u_2.sum(axis=(0, 1))
    # (B32)  dh_normalized_4[n,t,d] = dh_u_2[n,t,d] blocks_1_g2[d]  (N, T, D)
    #       from (F59)
    dh_normalized_4 = blocks_1_g2 * dh_u_2
    # (B38)  dh_x_4[n,t,d] = dh_x_5[n,t,d] + 1/h_std_4[n,t]
    #       (dh_normalized_4[n,t,d] - h_normalized_4[n,t,d] Σ_i dh_normalized_4[n,t,i]
    #       h_normalized_4[n,t,i]/D - Σ_i dh_normalized_4[n,t,i]/D)  (N, T, D)
    #       from (F65), (F54), (F53) with (B36), (B37)
    dh_x_4_product = (
        (np.einsum("nti,nti->nt", dh_normalized_4, h_normalized_4) / D)[:, :, None]
        * h_normalized_4
    )
    dh_x_4 = (
        dh_x_5
        + (
            dh_normalized_4 - dh_x_4_product
            - (dh_normalized_4.sum(axis=2) / D)[:, :, None]
        )
            / h_std_4[:, :, None]
    )
    # (B39)  dblocks_1_Wo[d,i] = Σ_nt dh_x_4[n,t,i] h_dot_8[n,⌊d/(D/2)⌋,t,(d mod (D/2))]
    #       (D, D)  from (F52)
    dblocks_1_Wo = np.tensordot(
        h_dot_8.transpose(0, 2, 1, 3).reshape(N, T, D), dh_x_4, axes=((0, 1), (0, 1))
    )
    # (B40)  dblocks_1_bo[d] = Σ_nt dh_x_4[n,t,d]  (D,)  from (F52)
    dblocks_1_bo = dh_x_4.sum(axis=(0, 1))
    # (B41)  dh_dot_8[n,i,t,d] = Σ_j dh_x_4[n,t,j] blocks_1_Wo[D i/2+d,j]
    #       (N, 2, T, D // 2)  from (F52)
    dh_dot_8 = (dh_x_4 @ blocks_1_Wo.T).reshape(N, T, 2, D // 2).transpose(0, 2, 1, 3)
    # (B42)  dh_weights_2[n,i,t,j] = Σ_d dh_dot_8[n,i,t,d] h_dot_7[n,j,d+D i/2]
    #       (N, 2, T, T)  from (F51)
    dh_weights_2 = dh_dot_8 @ h_dot_7.reshape(N, T, 2, D // 2).transpose(0, 2, 3, 1)
    # (B48)  dh_scores_2[n,i,t,j] = (dh_weights_2[n,i,t,j]
    #       - Σ_p dh_weights_2[n,i,t,p] h_weights_2[n,i,t,p]) h_weights_2[n,i,t,j]
    #       [j ≤ t]  (N, 2, T, T)  from (F45) with (B47)
    dh_scores_2_product = (
        (
            dh_weights_2
            - np.einsum("nitp,nitp->nit", dh_weights_2, h_weights_2)[:, :, :, None]
        )
        * h_weights_2
    )
    dh_scores_2 = np.where(
        np.arange(T) <= np.arange(T)[:, None], dh_scores_2_product, 0
    )
    # (B49)  dh_dot_7[n,t,d] = Σ_i dh_dot_8[n,⌊d/(D/2)⌋,i,(d mod (D/2))]
    #       h_weights_2[n,⌊d/(D/2)⌋,i,t]  (N, T, D)  from (F51)
    dh_dot_7 = (
        h_weights_2.transpose(0, 1, 3, 2) @ dh_dot_8
    ).transpose(0, 2, 1, 3).reshape(N, T, D)
    # (B50)  dblocks_1_Wv[d,i] = Σ_nt dh_dot_7[n,t,i] h_sum_7[n,t,d]  (D, D)  from (F43)
    dblocks_1_Wv = np.tensordot(h_sum_7, dh_dot_7, axes=((0, 1), (0, 1)))
    # (B51)  dh_dot_6[n,t,d] = Σ_i dh_scores_2[n,⌊d/(D/2)⌋,i,t] h_dot_5[n,i,d]/√(D/2)
    #       (N, T, D)  from (F44)
    dh_dot_6_dot = (
        dh_scores_2.transpose(0, 1, 3, 2)
        @ h_dot_5.reshape(N, T, 2, D // 2).transpose(0, 2, 1, 3)
    )
    dh_dot_6 = (dh_dot_6_dot.transpose(0, 2, 1, 3) / (D / 2)**0.5).reshape(N, T, D)
    # (B52)  dblocks_1_Wk[d,i] = Σ_nt dh_dot_6[n,t,i] h_sum_7[n,t,d]  (D, D)  from (F42)
    dblocks_1_Wk = np.tensordot(h_sum_7, dh_dot_6, axes=((0, 1), (0, 1)))
    # (B53)  dh_dot_5[n,t,d] = Σ_i dh_scores_2[n,⌊d/(D/2)⌋,t,i] h_dot_6[n,i,d]/√(D/2)
    #       (N, T, D)  from (F44)
    dh_dot_5 = (
        (
            dh_scores_2 @ h_dot_6.reshape(N, T, 2, D // 2).transpose(0, 2, 1, 3)
        ).transpose(0, 2, 1, 3)
        / (D / 2)**0.5
    ).reshape(N, T, D)
    # (B54)  dblocks_1_Wq[d,i] = Σ_nt dh_dot_5[n,t,i] h_sum_7[n,t,d]  (D, D)  from (F41)
    dblocks_1_Wq = np.tensordot(h_sum_7, dh_dot_5, axes=((0, 1), (0, 1)))
    # (B55)  dh_sum_7[n,t,d] = Σ_i dh_dot_7[n,t,i] blocks_1_Wv[d,i]
    #       + Σ_i dh_dot_6[n,t,i] blocks_1_Wk[d,i] + Σ_i dh_dot_5[n,t,i]
    #       blocks_1_Wq[d,i]  (N, T, D)  from (F43), (F42), (F41)
    dh_sum_7 = (
        dh_dot_7 @ blocks_1_Wv.T + dh_dot_6 @ blocks_1_Wk.T + dh_dot_5 @ blocks_1_Wq.T
    )
    # (B56)  dblocks_1_g1[d] = Σ_nt dh_sum_7[n,t,d] h_normalized_3[n,t,d]  (D,)
    #       from (F40)
    dblocks_1_g1 = np.einsum("ntd,ntd->d", dh_sum_7, h_normalized_3)
    # (B57)  dblocks_1_b1[d] = Σ_nt dh_sum_7[n,t,d]  (D,)  from (F40)
    dblocks_1_b1 = dh_sum_7.sum(axis=(0, 1))
    # (B58)  dh_normalized_3[n,t,d] = dh_sum_7[n,t,d] blocks_1_g1[d]  (N, T, D)
    #       from (F40)
    dh_normalized_3 = blocks_1_g1 * dh_sum_7
    # (B64)  dh_x_3[n,t,d] = dh_x_4[n,t,d] + 1/h_std_3[n,t]
    #       (dh_normalized_3[n,t,d] - h_normalized_3[n,t,d] Σ_i dh_normalized_3[n,t,i]
    #       h_normalized_3[n,t,i]/D - Σ_i dh_normalized_3[n,t,i]/D)  (N, T, D)
    #       from (F52), (F35), (F34) with (B62), (B63)
    dh_x_3_product = (
        (np.einsum("nti,nti->nt", dh_normalized_3, h_normalized_3) / D)[:, :, None]
        * h_normalized_3
    )
    dh_x_3 = (
        dh_x_4
        + (
            dh_normalized_3 - dh_x_3_product
            - (dh_normalized_3.sum(axis=2) / D)[:, :, None]
        )
            / h_std_3[:, :, None]
    )
    # (B65)  dblocks_0_W2[f,d] = Σ_nt dh_x_3[n,t,d] h_hidden[n,t,f]  (F, D)  from (F33)
    dblocks_0_W2 = np.tensordot(h_hidden, dh_x_3, axes=((0, 1), (0, 1)))
    # (B66)  dblocks_0_c2[d] = Σ_nt dh_x_3[n,t,d]  (D,)  from (F33)
    dblocks_0_c2 = dh_x_3.sum(axis=(0, 1))
    # (B67)  dh_hidden[n,t,f] = Σ_d dh_x_3[n,t,d] blocks_0_W2[f,d]  (N, T, F)
    #       from (F33)
    dh_hidden = dh_x_3 @ blocks_0_W2.T
    # (B70)  dh_inner[n,t,f] = dh_hidden[n,t,f] h_hidden[n,t,f] (2 - h_sum_5[n,t,f])
    #       (N, T, F)  from (F30) with (B69)
    dh_inner = dh_hidden * h_hidden * (2 - h_sum_5)
    # (B71)  dh_sum_4[n,t,f] = dh_hidden[n,t,f] h_sum_5[n,t,f]/2
    #       + dh_inner[n,t,f] (√(2/π) + 3·0.044715 √(2/π) h_sum_4[n,t,f]²)  (N, T, F)
    #       from (F32), (F29)
    dh_sum_4 = (
        0.5 * dh_hidden * h_sum_5
        + dh_inner * ((2 / np.pi)**0.5 + 0.10703222440890038 * (h_sum_4 * h_sum_4))
    )
    # (B72)  dblocks_0_W1[d,f] = Σ_nt dh_sum_4[n,t,f] h_u[n,t,d]  (D, F)  from (F28)
    dblocks_0_W1 = np.tensordot(h_u, dh_sum_4, axes=((0, 1), (0, 1)))
    # (B73)  dblocks_0_c1[f] = Σ_nt dh_sum_4[n,t,f]  (F,)  from (F28)
    dblocks_0_c1 = dh_sum_4.sum(axis=(0, 1))
    # (B74)  dh_u[n,t,d] = Σ_f dh_sum_4[n,t,f] blocks_0_W1[d,f]  (N, T, D)  from (F28)
    dh_u = dh_sum_4 @ blocks_0_W1.T
    # (B75)  dblocks_0_g2[d] = Σ_nt dh_u[n,t,d] h_normalized_2[n,t,d]  (D,)  from (F27)
    dblocks_0_g2 = np.einsum("ntd,ntd->d", dh_u, h_normalized_2)
    # (B76)  dblocks_0_b2[d] = Σ_nt dh_u[n,t,d]  (D,)  from (F27)
    dblocks_0_b2 = dh_u.sum(axis=(0, 1))
    # (B77)  dh_normalized_2[n,t,d] = dh_u[n,t,d] blocks_0_g2[d]  (N, T, D)  from (F27)
    dh_normalized_2 = blocks_0_g2 * dh_u
    # (B83)  dh_x_2[n,t,d] = dh_x_3[n,t,d] + 1/h_std_2[n,t]
    #       (dh_normalized_2[n,t,d] - h_normalized_2[n,t,d] Σ_i dh_normalized_2[n,t,i]
    #       h_normalized_2[n,t,i]/D - Σ_i dh_normalized_2[n,t,i]/D)  (N, T, D)
    #       from (F33), (F22), (F21) with (B81), (B82)
    dh_x_2_product = (
        (np.einsum("nti,nti->nt", dh_normalized_2, h_normalized_2) / D)[:, :, None]
        * h_normalized_2
    )
    dh_x_2 = (
        dh_x_3
        + (
            dh_normalized_2 - dh_x_2_product
            - (dh_normalized_2.sum(axis=2) / D)[:, :, None]
        )
            / h_std_2[:, :, None]
    )
    # (B84)  dblocks_0_Wo[d,i] = Σ_nt dh_x_2[n,t,i] h_dot_4[n,⌊d/(D/2)⌋,t,(d mod (D/2))]
    #       (D, D)  from (F20)
    dblocks_0_Wo = np.tensordot(
        h_dot_4.transpose(0, 2, 1, 3).reshape(N, T, D), dh_x_2, axes=((0, 1), (0, 1))
    )
    # (B85)  dblocks_0_bo[d] = Σ_nt dh_x_2[n,t,d]  (D,)  from (F20)
    dblocks_0_bo = dh_x_2.sum(axis=(0, 1))
    # (B86)  dh_dot_4[n,i,t,d] = Σ_j dh_x_2[n,t,j] blocks_0_Wo[D i/2+d,j]
    #       (N, 2, T, D // 2)  from (F20)
    dh_dot_4 = (dh_x_2 @ blocks_0_Wo.T).reshape(N, T, 2, D // 2).transpose(0, 2, 1, 3)
    # (B87)  dh_weights[n,i,t,j] = Σ_d dh_dot_4[n,i,t,d] h_dot_3[n,j,d+D i/2]
    #       (N, 2, T, T)  from (F19)
    dh_weights = dh_dot_4 @ h_dot_3.reshape(N, T, 2, D // 2).transpose(0, 2, 3, 1)
    # (B93)  dh_scores[n,i,t,j] = (dh_weights[n,i,t,j]
    #       - Σ_p dh_weights[n,i,t,p] h_weights[n,i,t,p]) h_weights[n,i,t,j] [j ≤ t]
    #       (N, 2, T, T)  from (F13) with (B92)
    dh_scores_product = (
        (dh_weights - np.einsum("nitp,nitp->nit", dh_weights, h_weights)[:, :, :, None])
        * h_weights
    )
    dh_scores = np.where(np.arange(T) <= np.arange(T)[:, None], dh_scores_product, 0)
    # (B94)  dh_dot_3[n,t,d] = Σ_i dh_dot_4[n,⌊d/(D/2)⌋,i,(d mod (D/2))]
    #       h_weights[n,⌊d/(D/2)⌋,i,t]  (N, T, D)  from (F19)
    dh_dot_3 = (
        h_weights.transpose(0, 1, 3, 2) @ dh_dot_4
    ).transpose(0, 2, 1, 3).reshape(N, T, D)
    # (B95)  dblocks_0_Wv[d,i] = Σ_nt dh_dot_3[n,t,i] h_sum_2[n,t,d]  (D, D)  from (F11)
    dblocks_0_Wv = np.tensordot(h_sum_2, dh_dot_3, axes=((0, 1), (0, 1)))
    # (B96)  dh_dot_2[n,t,d] = Σ_i dh_scores[n,⌊d/(D/2)⌋,i,t] h_dot[n,i,d]/√(D/2)
    #       (N, T, D)  from (F12)
    dh_dot_2_dot = (
        dh_scores.transpose(0, 1, 3, 2)
        @ h_dot.reshape(N, T, 2, D // 2).transpose(0, 2, 1, 3)
    )
    dh_dot_2 = (dh_dot_2_dot.transpose(0, 2, 1, 3) / (D / 2)**0.5).reshape(N, T, D)
    # (B97)  dblocks_0_Wk[d,i] = Σ_nt dh_dot_2[n,t,i] h_sum_2[n,t,d]  (D, D)  from (F10)
    dblocks_0_Wk = np.tensordot(h_sum_2, dh_dot_2, axes=((0, 1), (0, 1)))
    # (B98)  dh_dot[n,t,d] = Σ_i dh_scores[n,⌊d/(D/2)⌋,t,i] h_dot_2[n,i,d]/√(D/2)
    #       (N, T, D)  from (F12)
    dh_dot = (
        (
            dh_scores @ h_dot_2.reshape(N, T, 2, D // 2).transpose(0, 2, 1, 3)
        ).transpose(0, 2, 1, 3)
        / (D / 2)**0.5
    ).reshape(N, T, D)
    # (B99)  dblocks_0_Wq[d,i] = Σ_nt dh_dot[n,t,i] h_sum_2[n,t,d]  (D, D)  from (F9)
    dblocks_0_Wq = np.tensordot(h_sum_2, dh_dot, axes=((0, 1), (0, 1)))
    # (B100)  dh_sum_2[n,t,d] = Σ_i dh_dot_3[n,t,i] blocks_0_Wv[d,i]
    #       + Σ_i dh_dot_2[n,t,i] blocks_0_Wk[d,i] + Σ_i dh_dot[n,t,i] blocks_0_Wq[d,i]
    #       (N, T, D)  from (F11), (F10), (F9)
    dh_sum_2 = (
        dh_dot_3 @ blocks_0_Wv.T + dh_dot_2 @ blocks_0_Wk.T + dh_dot @ blocks_0_Wq.T
    )
    # (B101)  dblocks_0_g1[d] = Σ_nt dh_sum_2[n,t,d] h_normalized[n,t,d]  (D,)
    #       from (F8)
    dblocks_0_g1 = np.einsum("ntd,ntd->d", dh_sum_2, h_normalized)
    # (B102)  dblocks_0_b1[d] = Σ_nt dh_sum_2[n,t,d]  (D,)  from (F8)
    dblocks_0_b1 = dh_sum_2.sum(axis=(0, 1))
    # (B103)  dh_normalized[n,t,d] = dh_sum_2[n,t,d] blocks_0_g1[d]  (N, T, D)
    #       from (F8)
    dh_normalized = blocks_0_g1 * dh_sum_2
    # (B109)  dh_x[n,t,d] = dh_x_2[n,t,d] + (dh_normalized[n,t,d]
    #       - h_normalized[n,t,d] Σ_i dh_normalized[n,t,i] h_normalized[n,t,i]/D
    #       - Σ_i dh_normalized[n,t,i]/D)/h_std[n,t]  (N, T, D)
    #       from (F20), (F3), (F2) with (B107), (B108)
    dh_x_product = (
        (np.einsum("nti,nti->nt", dh_normalized, h_normalized) / D)[:, :, None]
        * h_normalized
    )
    dh_x = (
        dh_x_2
        + (dh_normalized - dh_x_product - (dh_normalized.sum(axis=2) / D)[:, :, None])
            / h_std[:, :, None]
    )
    # (B110)  dE[m,d] = Σ_nt dh_x[n,t,d] [tok[n,t] = m]  (M, D)  from (F1)
    dE = np.zeros((M, D), dtype)
    np.add.at(dE, tok, dh_x)
    # (B111)  dP[c,d] = [c < T] Σ_n dh_x[n,c,d]  (C, D)  from (F1)
    dP = (
        (np.arange(C) < T)[:, None]
        * dh_x[:, np.clip(np.arange(C), 0, T - 1)].sum(axis=0)
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
    h_x = E[tok] + P[:T]          # (F1)  h_x[n,t,d] = E[tok[n,t],d] + P[t,d]  (N, T, D)
    h_mean = h_x.sum(axis=2) / D  # (F2)  h_mean[n,t] = Σ_d h_x[n,t,d]/D  (N, T)
    # (F3)  h_centred[n,t,d] = h_x[n,t,d] - h_mean[n,t]  (N, T, D)
    h_centred = h_x - h_mean[:, :, None]
    # (F4)  h_var[n,t] = Σ_d h_centred[n,t,d]²/D  (N, T)
    h_var = np.einsum("ntd,ntd->nt", h_centred, h_centred) / D
    h_sum = h_var + 1e-05         # (F5)  h_sum[n,t] = h_var[n,t] + 1e-5  (N, T)
    h_std = np.sqrt(h_sum)        # (F6)  h_std[n,t] = √h_sum[n,t]  (N, T)
    # (F7)  h_normalized[n,t,d] = h_centred[n,t,d]/h_std[n,t]  (N, T, D)
    h_normalized = h_centred / h_std[:, :, None]
    # (F8)  h_sum_2[n,t,d] = h_normalized[n,t,d] blocks_0_g1[d] + blocks_0_b1[d]
    #       (N, T, D)
    h_sum_2 = blocks_0_g1 * h_normalized + blocks_0_b1
    # (F9)  h_dot[n,t,d] = Σ_i h_sum_2[n,t,i] blocks_0_Wq[i,d]  (N, T, D)
    h_dot = h_sum_2 @ blocks_0_Wq
    # (F10)  h_dot_2[n,t,d] = Σ_i h_sum_2[n,t,i] blocks_0_Wk[i,d]  (N, T, D)
    h_dot_2 = h_sum_2 @ blocks_0_Wk
    # (F11)  h_dot_3[n,t,d] = Σ_i h_sum_2[n,t,i] blocks_0_Wv[i,d]  (N, T, D)
    h_dot_3 = h_sum_2 @ blocks_0_Wv
    # (F12)  h_scores[n,i,t,j] = Σ_d h_dot[n,t,D i/2+d] h_dot_2[n,j,D i/2+d]/√(D/2)
    #       (N, 2, T, T)
    with np.errstate(all="ignore"):  # only finite entries are used
        h_scores_picked = h_dot_2.reshape(N, T, 2, D // 2).transpose(0, 2, 3, 1)
        h_scores = (
            h_dot.reshape(N, T, 2, D // 2).transpose(0, 2, 1, 3) @ h_scores_picked
            / (D / 2)**0.5
        )
    # (F13)  h_cases[n,i,t,j] = [j ≤ t] h_scores[n,i,t,j] - [t < j] ∞  (N, 2, T, T)
    h_cases = np.where(np.arange(T) <= np.arange(T)[:, None], h_scores, -np.inf)
    # (F14)  h_top[n,i,t] = max_j h_cases[n,i,t,j]  (N, 2, T)
    h_top = h_cases.max(axis=3)
    # (F15)  h_in[n,i,t,j] = h_cases[n,i,t,j] - h_top[n,i,t]  (N, 2, T, T)
    h_in = h_cases - h_top[:, :, :, None]
    # (F16)  h_exp[n,i,t,j] = exp(h_in[n,i,t,j])  (N, 2, T, T)
    h_exp = np.exp(h_in)
    # (F17)  h_total[n,i,t] = Σ_j h_exp[n,i,t,j]  (N, 2, T)
    h_total = h_exp.sum(axis=3)
    # (F18)  h_weights[n,i,t,j] = h_exp[n,i,t,j]/h_total[n,i,t]  (N, 2, T, T)
    h_weights = h_exp / h_total[:, :, :, None]
    # (F19)  h_dot_4[n,i,t,d] = Σ_j h_weights[n,i,t,j] h_dot_3[n,j,D i/2+d]
    #       (N, 2, T, D // 2)
    h_dot_4 = h_weights @ h_dot_3.reshape(N, T, 2, D // 2).transpose(0, 2, 1, 3)
    # (F20)  h_x_2[n,t,d] = h_x[n,t,d] + Σ_i h_dot_4[n,⌊i/(D/2)⌋,t,(i mod (D/2))]
    #       blocks_0_Wo[i,d] + blocks_0_bo[d]  (N, T, D)
    h_x_2 = (
        h_x + h_dot_4.transpose(0, 2, 1, 3).reshape(N, T, D) @ blocks_0_Wo + blocks_0_bo
    )
    # (F21)  h_mean_2[n,t] = Σ_d h_x_2[n,t,d]/D  (N, T)
    h_mean_2 = h_x_2.sum(axis=2) / D
    # (F22)  h_centred_2[n,t,d] = h_x_2[n,t,d] - h_mean_2[n,t]  (N, T, D)
    h_centred_2 = h_x_2 - h_mean_2[:, :, None]
    # (F23)  h_var_2[n,t] = Σ_d h_centred_2[n,t,d]²/D  (N, T)
    h_var_2 = np.einsum("ntd,ntd->nt", h_centred_2, h_centred_2) / D
    h_sum_3 = h_var_2 + 1e-05     # (F24)  h_sum_3[n,t] = h_var_2[n,t] + 1e-5  (N, T)
    h_std_2 = np.sqrt(h_sum_3)    # (F25)  h_std_2[n,t] = √h_sum_3[n,t]  (N, T)
    # (F26)  h_normalized_2[n,t,d] = h_centred_2[n,t,d]/h_std_2[n,t]  (N, T, D)
    h_normalized_2 = h_centred_2 / h_std_2[:, :, None]
    # (F27)  h_u[n,t,d] = h_normalized_2[n,t,d] blocks_0_g2[d] + blocks_0_b2[d]
    #       (N, T, D)
    h_u = blocks_0_g2 * h_normalized_2 + blocks_0_b2
    # (F28)  h_sum_4[n,t,f] = Σ_d h_u[n,t,d] blocks_0_W1[d,f] + blocks_0_c1[f]
    #       (N, T, F)
    h_sum_4 = h_u @ blocks_0_W1 + blocks_0_c1
    # (F29)  h_inner[n,t,f] = √(2/π) (h_sum_4[n,t,f] + 0.044715 h_sum_4[n,t,f]³)
    #       (N, T, F)
    h_inner = (2 / np.pi)**0.5 * (h_sum_4 + 0.044715 * (h_sum_4 * h_sum_4 * h_sum_4))
    # (F30)  h_tanh[n,t,f] = tanh(h_inner[n,t,f])  (N, T, F)
    h_tanh = np.tanh(h_inner)
    h_sum_5 = 1 + h_tanh          # (F31)  h_sum_5[n,t,f] = 1 + h_tanh[n,t,f]  (N, T, F)
    # (F32)  h_hidden[n,t,f] = h_sum_4[n,t,f] h_sum_5[n,t,f]/2  (N, T, F)
    h_hidden = 0.5 * h_sum_4 * h_sum_5
    # (F33)  h_x_3[n,t,d] = h_x_2[n,t,d] + Σ_f h_hidden[n,t,f] blocks_0_W2[f,d]
    #       + blocks_0_c2[d]  (N, T, D)
    h_x_3 = h_x_2 + h_hidden @ blocks_0_W2 + blocks_0_c2
    # (F34)  h_mean_3[n,t] = Σ_d h_x_3[n,t,d]/D  (N, T)
    h_mean_3 = h_x_3.sum(axis=2) / D
    # (F35)  h_centred_3[n,t,d] = h_x_3[n,t,d] - h_mean_3[n,t]  (N, T, D)
    h_centred_3 = h_x_3 - h_mean_3[:, :, None]
    # (F36)  h_var_3[n,t] = Σ_d h_centred_3[n,t,d]²/D  (N, T)
    h_var_3 = np.einsum("ntd,ntd->nt", h_centred_3, h_centred_3) / D
    h_sum_6 = h_var_3 + 1e-05     # (F37)  h_sum_6[n,t] = h_var_3[n,t] + 1e-5  (N, T)
    h_std_3 = np.sqrt(h_sum_6)    # (F38)  h_std_3[n,t] = √h_sum_6[n,t]  (N, T)
    # (F39)  h_normalized_3[n,t,d] = h_centred_3[n,t,d]/h_std_3[n,t]  (N, T, D)
    h_normalized_3 = h_centred_3 / h_std_3[:, :, None]
    # (F40)  h_sum_7[n,t,d] = h_normalized_3[n,t,d] blocks_1_g1[d] + blocks_1_b1[d]
    #       (N, T, D)
    h_sum_7 = blocks_1_g1 * h_normalized_3 + blocks_1_b1
    # (F41)  h_dot_5[n,t,d] = Σ_i h_sum_7[n,t,i] blocks_1_Wq[i,d]  (N, T, D)
    h_dot_5 = h_sum_7 @ blocks_1_Wq
    # (F42)  h_dot_6[n,t,d] = Σ_i h_sum_7[n,t,i] blocks_1_Wk[i,d]  (N, T, D)
    h_dot_6 = h_sum_7 @ blocks_1_Wk
    # (F43)  h_dot_7[n,t,d] = Σ_i h_sum_7[n,t,i] blocks_1_Wv[i,d]  (N, T, D)
    h_dot_7 = h_sum_7 @ blocks_1_Wv
    # (F44)  h_scores_2[n,i,t,j] = Σ_d h_dot_5[n,t,D i/2+d] h_dot_6[n,j,D i/2+d]/√(D/2)
    #       (N, 2, T, T)
    with np.errstate(all="ignore"):  # only finite entries are used
        h_scores_2_picked = h_dot_5.reshape(N, T, 2, D // 2).transpose(0, 2, 1, 3)
        h_scores_2 = (
            h_scores_2_picked @ h_dot_6.reshape(N, T, 2, D // 2).transpose(0, 2, 3, 1)
            / (D / 2)**0.5
        )
    # (F45)  h_cases_2[n,i,t,j] = [j ≤ t] h_scores_2[n,i,t,j] - [t < j] ∞  (N, 2, T, T)
    h_cases_2 = np.where(np.arange(T) <= np.arange(T)[:, None], h_scores_2, -np.inf)
    # (F46)  h_top_2[n,i,t] = max_j h_cases_2[n,i,t,j]  (N, 2, T)
    h_top_2 = h_cases_2.max(axis=3)
    # (F47)  h_in_2[n,i,t,j] = h_cases_2[n,i,t,j] - h_top_2[n,i,t]  (N, 2, T, T)
    h_in_2 = h_cases_2 - h_top_2[:, :, :, None]
    # (F48)  h_exp_2[n,i,t,j] = exp(h_in_2[n,i,t,j])  (N, 2, T, T)
    h_exp_2 = np.exp(h_in_2)
    # (F49)  h_total_2[n,i,t] = Σ_j h_exp_2[n,i,t,j]  (N, 2, T)
    h_total_2 = h_exp_2.sum(axis=3)
    # (F50)  h_weights_2[n,i,t,j] = h_exp_2[n,i,t,j]/h_total_2[n,i,t]  (N, 2, T, T)
    h_weights_2 = h_exp_2 / h_total_2[:, :, :, None]
    # (F51)  h_dot_8[n,i,t,d] = Σ_j h_weights_2[n,i,t,j] h_dot_7[n,j,D i/2+d]
    #       (N, 2, T, D // 2)
    h_dot_8 = h_weights_2 @ h_dot_7.reshape(N, T, 2, D // 2).transpose(0, 2, 1, 3)
    # (F52)  h_x_4[n,t,d] = h_x_3[n,t,d] + Σ_i h_dot_8[n,⌊i/(D/2)⌋,t,(i mod (D/2))]
    #       blocks_1_Wo[i,d] + blocks_1_bo[d]  (N, T, D)
    h_x_4 = (
        h_x_3 + h_dot_8.transpose(0, 2, 1, 3).reshape(N, T, D) @ blocks_1_Wo
        + blocks_1_bo
    )
    # (F53)  h_mean_4[n,t] = Σ_d h_x_4[n,t,d]/D  (N, T)
    h_mean_4 = h_x_4.sum(axis=2) / D
    # (F54)  h_centred_4[n,t,d] = h_x_4[n,t,d] - h_mean_4[n,t]  (N, T, D)
    h_centred_4 = h_x_4 - h_mean_4[:, :, None]
    # (F55)  h_var_4[n,t] = Σ_d h_centred_4[n,t,d]²/D  (N, T)
    h_var_4 = np.einsum("ntd,ntd->nt", h_centred_4, h_centred_4) / D
    h_sum_8 = h_var_4 + 1e-05     # (F56)  h_sum_8[n,t] = h_var_4[n,t] + 1e-5  (N, T)
    h_std_4 = np.sqrt(h_sum_8)    # (F57)  h_std_4[n,t] = √h_sum_8[n,t]  (N, T)
    # (F58)  h_normalized_4[n,t,d] = h_centred_4[n,t,d]/h_std_4[n,t]  (N, T, D)
    h_normalized_4 = h_centred_4 / h_std_4[:, :, None]
    # (F59)  h_u_2[n,t,d] = h_normalized_4[n,t,d] blocks_1_g2[d] + blocks_1_b2[d]
    #       (N, T, D)
    h_u_2 = blocks_1_g2 * h_normalized_4 + blocks_1_b2
    # (F60)  h_sum_9[n,t,f] = Σ_d h_u_2[n,t,d] blocks_1_W1[d,f] + blocks_1_c1[f]
    #       (N, T, F)
    h_sum_9 = h_u_2 @ blocks_1_W1 + blocks_1_c1
    # (F61)  h_inner_2[n,t,f] = √(2/π) (h_sum_9[n,t,f] + 0.044715 h_sum_9[n,t,f]³)
    #       (N, T, F)
    h_inner_2 = (2 / np.pi)**0.5 * (h_sum_9 + 0.044715 * (h_sum_9 * h_sum_9 * h_sum_9))
    # (F62)  h_tanh_2[n,t,f] = tanh(h_inner_2[n,t,f])  (N, T, F)
    h_tanh_2 = np.tanh(h_inner_2)
    # (F63)  h_sum_10[n,t,f] = 1 + h_tanh_2[n,t,f]  (N, T, F)
    h_sum_10 = 1 + h_tanh_2
    # (F64)  h_hidden_2[n,t,f] = h_sum_9[n,t,f] h_sum_10[n,t,f]/2  (N, T, F)
    h_hidden_2 = 0.5 * h_sum_9 * h_sum_10
    # (F65)  h_x_5[n,t,d] = h_x_4[n,t,d] + Σ_f h_hidden_2[n,t,f] blocks_1_W2[f,d]
    #       + blocks_1_c2[d]  (N, T, D)
    h_x_5 = h_x_4 + h_hidden_2 @ blocks_1_W2 + blocks_1_c2
    # (F66)  h_mean_5[n,t] = Σ_d h_x_5[n,t,d]/D  (N, T)
    h_mean_5 = h_x_5.sum(axis=2) / D
    # (F67)  h_centred_5[n,t,d] = h_x_5[n,t,d] - h_mean_5[n,t]  (N, T, D)
    h_centred_5 = h_x_5 - h_mean_5[:, :, None]
    # (F68)  h_var_5[n,t] = Σ_d h_centred_5[n,t,d]²/D  (N, T)
    h_var_5 = np.einsum("ntd,ntd->nt", h_centred_5, h_centred_5) / D
    h_sum_11 = h_var_5 + 1e-05    # (F69)  h_sum_11[n,t] = h_var_5[n,t] + 1e-5  (N, T)
    h_std_5 = np.sqrt(h_sum_11)   # (F70)  h_std_5[n,t] = √h_sum_11[n,t]  (N, T)
    # (F71)  h_normalized_5[n,t,d] = h_centred_5[n,t,d]/h_std_5[n,t]  (N, T, D)
    h_normalized_5 = h_centred_5 / h_std_5[:, :, None]
    # (F72)  h[n,t,d] = h_normalized_5[n,t,d] g[d] + b[d]  (N, T, D)
    h = g * h_normalized_5 + b
    # (F73)  logits[n,t,m] = Σ_d h[n,t,d] W[d,m]  (N, T, M)
    logits = h @ W
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
