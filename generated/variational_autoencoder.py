# symprop sha256:a72f537193e5771d32d7273b2aa20caa
"""variational_autoencoder: loss and gradients in NumPy.

Made by symprop from symprop.zoo.autoencoders:variational_autoencoder.
It belongs to whoever made it.

    loss, saved = forward(X, noise, W1, b1, W_mu, b_mu, W_var, b_var, W2, b2, W3, b3)
    gradients = backward(saved)

    X      (N, D)
    noise  (N, K)
    W1     (D, H)  parameter
    b1     (H,)    parameter
    W_mu   (H, K)  parameter
    b_mu   (K,)    parameter
    W_var  (H, K)  parameter
    b_var  (K,)    parameter
    W2     (K, H)  parameter
    b2     (H,)    parameter
    W3     (H, D)  parameter
    b3     (D,)    parameter

It is assumed, and tested, that X lies between 0 and 1.

(F1), (F2), ... number the equations of the forward pass and (B1), (B2), ... those of
their adjoints: dW is the gradient of the loss by W. The derivation has these numbers.
"""

import numpy as np

WRT = ("W1", "b1", "W_mu", "b_mu", "W_var", "b_var", "W2", "b2", "W3", "b3")
FACTS = (
    ("in_range", "X", 0, 1),
)
OUTPUTS = ("mu",)
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


def softplus(x):
    """log(1 + exp(x)) without overflow, all digits kept in the tail."""
    return np.maximum(x, 0) + np.log1p(np.exp(np.minimum(x, -x)))


class Saved(tuple):
    """A tuple whose parts have names, as in saved.sigmoid_logits."""

    names = (
        "sigmoid_logits", "X", "tanh_z", "W3", "code", "W2", "exp_log_var2", "noise",
        "exp_log_var1", "hidden", "mu", "W_var", "W_mu", "dtypes"
    )

    def __getattribute__(self, name):
        """Return a part by its name."""
        if name in Saved.names:
            return self[Saved.names.index(name)]
        return super().__getattribute__(name)


def forward(
    X: "N D", noise: "N K", W1: "D H", b1: "H", W_mu: "H K", b_mu: "K", W_var: "H K",
    b_var: "K", W2: "K H", b2: "H", W3: "H D", b3: "D", validate=True,
):
    """Return the loss, and what backward needs."""
    X, (N, D) = read("X", X, "float", "N D", (None, None))
    noise, (_, K) = read("noise", noise, "float", "N K", (N, None))
    W1, (_, H) = read("W1", W1, "wrt", "D H", (D, None))
    b1, _ = read("b1", b1, "wrt", "H", (H,))
    W_mu, _ = read("W_mu", W_mu, "wrt", "H K", (H, K))
    b_mu, _ = read("b_mu", b_mu, "wrt", "K", (K,))
    W_var, _ = read("W_var", W_var, "wrt", "H K", (H, K))
    b_var, _ = read("b_var", b_var, "wrt", "K", (K,))
    W2, _ = read("W2", W2, "wrt", "K H", (K, H))
    b2, _ = read("b2", b2, "wrt", "H", (H,))
    W3, _ = read("W3", W3, "wrt", "H D", (H, D))
    b3, _ = read("b3", b3, "wrt", "D", (D,))
    if validate:
        if not np.all((-1e-06 <= np.real(X)) & (np.real(X) <= 1.000001)):
            raise ValueError("X must lie between 0 and 1")
    dtype = np.result_type(X, noise, W1, b1, W_mu, b_mu, W_var, b_var, W2, b2, W3, b3)
    z1 = X @ W1 + b1            # (F1)  z1[n,h] = Σ_d X[n,d] W1[d,h] + b1[h]  (N, H)
    hidden = np.tanh(z1)        # (F2)  hidden[n,h] = tanh(z1[n,h])  (N, H)
    # (F3)  mu[n,k] = Σ_h hidden[n,h] W_mu[h,k] + b_mu[k]  (N, K)
    mu = hidden @ W_mu + b_mu
    # (F4)  log_var[n,k] = Σ_h hidden[n,h] W_var[h,k] + b_var[k]  (N, K)
    log_var = hidden @ W_var + b_var
    # (F5)  exp_log_var1[n,k] = exp(log_var[n,k]/2)  (N, K)
    exp_log_var1 = np.exp(0.5 * log_var)
    # (F6)  code[n,k] = mu[n,k] + exp_log_var1[n,k] noise[n,k]  (N, K)
    code = mu + exp_log_var1 * noise
    z2 = code @ W2 + b2         # (F7)  z2[n,h] = Σ_k code[n,k] W2[k,h] + b2[h]  (N, H)
    tanh_z = np.tanh(z2)        # (F8)  tanh_z[n,h] = tanh(z2[n,h])  (N, H)
    # (F9)  logits[n,d] = Σ_h tanh_z[n,h] W3[h,d] + b3[d]  (N, D)
    logits = tanh_z @ W3 + b3
    # (F10)  sigmoid_logits[n,d] = σ(logits[n,d])  (N, D)
    sigmoid_logits = sigmoid(logits)
    # (F11)  softplus_logits[n,d] = softplus(logits[n,d])  (N, D)
    softplus_logits = softplus(logits)
    # (F12)  values[n,d] = softplus_logits[n,d] - X[n,d] logits[n,d]  (N, D)
    values = softplus_logits - X * logits
    sum_values = values.sum()   # (F13)  sum_values = Σ_nd values[n,d]
    restoring = sum_values / N  # (F14)  restoring = sum_values/N
    # (F15)  exp_log_var2[n,k] = exp(log_var[n,k])  (N, K)
    exp_log_var2 = np.exp(log_var)
    # (F16)  kl = -Σ_nk (1 + log_var[n,k] - mu[n,k]² - exp_log_var2[n,k])/(2 N)
    kl = -0.5 * np.sum(1 + log_var - mu * mu - exp_log_var2) / N
    L = restoring + kl          # (F17)  L = restoring + kl
    dtypes = [
        np.result_type(p)
        for p in (W1, b1, W_mu, b_mu, W_var, b_var, W2, b2, W3, b3)
    ]
    saved = (
        sigmoid_logits, X, tanh_z, W3, code, W2, exp_log_var2, noise, exp_log_var1,
        hidden, mu, W_var, W_mu, dtypes
    )
    return dtype.type(L), Saved(saved)


def backward(saved, dL=1.0):
    """Return the gradients of dL * loss."""
    (
        sigmoid_logits, X, tanh_z, W3, code, W2, exp_log_var2, noise, exp_log_var1,
        hidden, mu, W_var, W_mu, dtypes
    ) = saved
    N = sigmoid_logits.shape[0]
    # (B8)  dlogits[n,d] = (sigmoid_logits[n,d] - X[n,d]) dL/N  (N, D)
    #       from (F12), (F11) with (B6), (B7)
    dlogits = dL / N * (sigmoid_logits - X)
    # (B9)  dW3[h,d] = Σ_n dlogits[n,d] tanh_z[n,h]  (H, D)  from (F9)
    dW3 = tanh_z.T @ dlogits
    db3 = dlogits.sum(axis=0)  # (B10)  db3[d] = Σ_n dlogits[n,d]  (D,)  from (F9)
    # (B11)  dtanh_z[n,h] = Σ_d dlogits[n,d] W3[h,d]  (N, H)  from (F9)
    dtanh_z = dlogits @ W3.T
    # (B12)  dz2[n,h] = dtanh_z[n,h] (1 - tanh_z[n,h]²)  (N, H)  from (F8)
    dz2 = dtanh_z * (1 - tanh_z * tanh_z)
    dW2 = code.T @ dz2     # (B13)  dW2[k,h] = Σ_n dz2[n,h] code[n,k]  (K, H)  from (F7)
    db2 = dz2.sum(axis=0)  # (B14)  db2[h] = Σ_n dz2[n,h]  (H,)  from (F7)
    dcode = dz2 @ W2.T     # (B15)  dcode[n,k] = Σ_h dz2[n,h] W2[k,h]  (N, K)  from (F7)
    # (B17)  dlog_var[n,k] = (exp_log_var2[n,k] dL/N
    #       + dcode[n,k] noise[n,k] exp_log_var1[n,k] - dL/N)/2  (N, K)
    #       from (F16), (F15), (F5) with (B2), (B3), (B16)
    dlog_var = 0.5 * (dL / N * exp_log_var2 + dcode * noise * exp_log_var1 - dL / N)
    # (B18)  dW_var[h,k] = Σ_n dlog_var[n,k] hidden[n,h]  (H, K)  from (F4)
    dW_var = hidden.T @ dlog_var
    # (B19)  db_var[k] = Σ_n dlog_var[n,k]  (K,)  from (F4)
    db_var = dlog_var.sum(axis=0)
    # (B20)  dmu[n,k] = mu[n,k] dL/N + dcode[n,k]  (N, K)  from (F16), (F6) with (B2)
    dmu = dL / N * mu + dcode
    # (B21)  dW_mu[h,k] = Σ_n dmu[n,k] hidden[n,h]  (H, K)  from (F3)
    dW_mu = hidden.T @ dmu
    db_mu = dmu.sum(axis=0)  # (B22)  db_mu[k] = Σ_n dmu[n,k]  (K,)  from (F3)
    # (B23)  dhidden[n,h] = Σ_k dlog_var[n,k] W_var[h,k] + Σ_k dmu[n,k] W_mu[h,k]
    #       (N, H)  from (F4), (F3)
    dhidden = dlog_var @ W_var.T + dmu @ W_mu.T
    # (B24)  dz1[n,h] = dhidden[n,h] (1 - hidden[n,h]²)  (N, H)  from (F2)
    dz1 = dhidden * (1 - hidden * hidden)
    dW1 = X.T @ dz1        # (B25)  dW1[d,h] = Σ_n dz1[n,h] X[n,d]  (D, H)  from (F1)
    db1 = dz1.sum(axis=0)  # (B26)  db1[h] = Σ_n dz1[n,h]  (H,)  from (F1)
    grads = {
        "W1": dW1, "b1": db1, "W_mu": dW_mu, "b_mu": db_mu, "W_var": dW_var,
        "b_var": db_var, "W2": dW2, "b2": db2, "W3": dW3, "b3": db3
    }
    return like_parameters(grads, dtypes)


def value_and_grad(
    X: "N D", noise: "N K", W1: "D H", b1: "H", W_mu: "H K", b_mu: "K", W_var: "H K",
    b_var: "K", W2: "K H", b2: "H", W3: "H D", b3: "D", validate=True,
):
    """Return the loss and its gradients."""
    L, saved = forward(
        X, noise, W1, b1, W_mu, b_mu, W_var, b_var, W2, b2, W3, b3, validate
    )
    return L, backward(saved)


def predict(X: "N D", W1: "D H", b1: "H", W_mu: "H K", b_mu: "K"):
    """Return the outputs of the model."""
    X, (N, D) = read("X", X, "float", "N D", (None, None))
    W1, (_, H) = read("W1", W1, "wrt", "D H", (D, None))
    b1, _ = read("b1", b1, "wrt", "H", (H,))
    W_mu, (_, K) = read("W_mu", W_mu, "wrt", "H K", (H, None))
    b_mu, _ = read("b_mu", b_mu, "wrt", "K", (K,))
    z1 = X @ W1 + b1      # (F1)  z1[n,h] = Σ_d X[n,d] W1[d,h] + b1[h]  (N, H)
    hidden = np.tanh(z1)  # (F2)  hidden[n,h] = tanh(z1[n,h])  (N, H)
    # (F3)  mu[n,k] = Σ_h hidden[n,h] W_mu[h,k] + b_mu[k]  (N, K)
    mu = hidden @ W_mu + b_mu
    return {"mu": mu}


# Self-check: run this file to compare backward with finite differences.


def draw_inputs(seed):
    """Draw the arguments of forward from their declared domains."""
    rng = np.random.default_rng(seed)
    N, D, K, H = 5, 3, 7, 2
    return {
        "X": rng.uniform(0.05, 0.95, size=(N, D)),
        "noise": rng.normal(size=(N, K)),
        "W1": rng.normal(size=(D, H)),
        "b1": rng.normal(size=(H,)),
        "W_mu": rng.normal(size=(H, K)),
        "b_mu": rng.normal(size=(K,)),
        "W_var": rng.normal(size=(H, K)),
        "b_var": rng.normal(size=(K,)),
        "W2": rng.normal(size=(K, H)),
        "b2": rng.normal(size=(H,)),
        "W3": rng.normal(size=(H, D)),
        "b3": rng.normal(size=(D,)),
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
