"""CTC loss by the forward recursion in log space, on a linear softmax model of the frames."""
import numpy as np

NEG_INF = -1e30


def log_softmax(x):
    x = x - x.max(axis=1, keepdims=True)
    return x - np.log(np.exp(x).sum(axis=1, keepdims=True))


def logsumexp(*args):
    m = max(args)
    if m <= NEG_INF:
        return NEG_INF
    return m + np.log(sum(np.exp(a - m) for a in args))


def extend(labels, blank):
    ext = [blank]
    for l in labels:
        ext += [l, blank]
    return ext


def loss(x: "T D", labels: "int 3", W: "D K", b: "K", blank=0):
    logp = log_softmax(x @ W + b)
    T = logp.shape[0]
    ext = extend(labels, blank)
    S = len(ext)

    alpha = [NEG_INF] * S
    alpha[0] = logp[0, ext[0]]
    alpha[1] = logp[0, ext[1]]
    for t in range(1, T):
        new = []
        for s in range(S):
            terms = [alpha[s]]
            if s > 0:
                terms.append(alpha[s - 1])
            if s > 1 and ext[s] != blank and ext[s] != ext[s - 2]:
                terms.append(alpha[s - 2])
            new.append(logsumexp(*terms) + logp[t, ext[s]])
        alpha = new
    return -logsumexp(alpha[S - 1], alpha[S - 2])


def example(rng):
    T, D, K = 7, 4, 5
    return {
        "x": rng.normal(size=(T, D)),
        "labels": np.array([2, 2, 4]),
        "W": rng.normal(size=(D, K)),
        "b": 0.1 * rng.normal(size=K),
    }
