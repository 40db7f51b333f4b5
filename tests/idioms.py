"""What people write in NumPy, idiom by idiom: docs/programs.md shows what becomes of each.

A section is a list of functions; the docstring of each is the idiom's title. `FUNCTIONAL` holds
other spellings of some, which must give the same equations.
"""

import math
from dataclasses import dataclass
from math import sqrt

import numpy as np
import scipy.linalg
import scipy.special
import scipy.stats
from scipy.linalg import cho_solve, solve_triangular
from scipy.spatial.distance import cdist
from scipy.special import gammaln, logsumexp, softmax
from scipy.stats import multivariate_normal, norm

# ---- writing in place -------------------------------------------------------------------------


def rebinding(x: "N D", w: "D"):
    """`x += y` and its kin"""
    h = x * w
    h += x
    h *= 2
    h -= h.mean(axis=0)
    return np.sum(h**2)


def adding_up(x: "N D", w: "D"):
    """a loss that grows in a loop"""
    loss = 0.0
    for power in range(1, 4):
        loss += np.sum((x @ w) ** power)
    return loss


def masked_write(x: "N D"):
    """`h[h < 0] = v`"""
    h = x * 2
    h[h < 0] = 0
    return np.sum(h**2)


def diagonal_write(x: "N D"):
    """`sim[i, i] = -np.inf`"""
    sim = x @ x.T
    i = np.arange(x.shape[0])
    sim[i, i] = -np.inf
    return np.sum(np.exp(sim))


def one_hot_write(x: "N D", y: "int N"):
    """a one-hot matrix written into zeros"""
    one_hot = np.zeros_like(x)
    one_hot[np.arange(x.shape[0]), y] = 1
    return np.sum((x - one_hot) ** 2)


def margins(x: "N D", y: "int N"):
    """`margins[np.arange(N), y] = 0`"""
    i = np.arange(x.shape[0])
    margins = np.maximum(0, x - x[i, y][:, None] + 1)
    margins[i, y] = 0
    return margins.sum()


def strided_write(x: "N 2*K"):
    """`pe[:, 0::2] = v`"""
    turned = np.empty_like(x)
    turned[:, 0::2] = -x[:, 1::2]
    turned[:, 1::2] = x[:, 0::2]
    return np.sum(turned * np.sin(x))


def filled_in_a_loop(x: "N 3", w: "3 3"):
    """zeros, filled in a loop"""
    out = np.zeros((3, 3))
    h = np.zeros(3)
    for t in range(3):
        h = np.tanh(x[0] + h @ w)
        out[t] = h
    return np.sum(out @ w)


def rows_in_place(x: "3 D"):
    """`x[i] += v`, where x[i - 1] has changed before"""
    h = x * 2
    for i in range(1, 3):
        h[i] += i * h[i - 1]
    return np.sum(h**2)


def scattered(m: "E D", to: "int E", x: "N D"):
    """`np.add.at`"""
    total = np.zeros(x.shape)
    np.add.at(total, to, m)
    return np.sum(np.tanh(total) * x)


def along_an_axis(x: "N D", top: "int N 2"):
    """`np.put_along_axis`, `np.fill_diagonal`"""
    mask = np.zeros_like(x)
    np.put_along_axis(mask, top, 1.0, axis=1)
    near = x @ x.T
    np.fill_diagonal(near, 0)
    return np.sum(x**2 * mask) + np.sum(near)


def into_out(x: "N D"):
    """`out=`"""
    h = x * 2
    np.exp(h, out=h)
    np.maximum(h, 1, out=h)
    return h.sum()


def in_place_functions(x: "N D", y: "N"):
    """`np.copyto`, `np.putmask`, `np.place`, `x.fill`, `x.sort`, `np.subtract.at`"""
    h = np.zeros_like(x)
    np.copyto(h, x, where=x < 1)
    g = x * 2
    g.fill(3)
    np.putmask(h, h < -1, -1)
    np.place(h, h > 1, 1)
    z = y * 2
    z.sort()
    np.subtract.at(z, np.argsort(y), y)
    return np.sum(h**2 * g) + np.sum(z**3)


def backwards(x: "N"):
    """a write in reverse order, from a part of the array itself"""
    h = np.zeros_like(x)
    h[::-1] = x**2
    h[1:] = h[:-1]
    return np.sum(h * np.tanh(x))


WRITING = [rebinding, adding_up, masked_write, diagonal_write, one_hot_write, margins,
           strided_write, filled_in_a_loop, rows_in_place, scattered, along_an_axis, into_out,
           in_place_functions, backwards]


# ---- indexing ---------------------------------------------------------------------------------


def labels(x: "N D", y: "int N"):
    """`x[np.arange(len(y)), y]`, `x[range(N), y]`, `x[list(range(N)), y]`"""
    chosen = x[np.arange(len(y)), y] * x[list(range(len(x))), y]
    return np.sum(chosen) / len(x) + np.sum(x[range(len(x)), y] ** 2)


def tables(x: "N D", y: "int N"):
    """tables made in the function: `np.eye(3)[y]`, `alpha[t]`"""
    alpha = np.cumprod(1 - np.linspace(0.1, 0.2, 7))
    return np.sum(x[:, :1] * np.eye(7)[y]) + np.sum(np.sqrt(alpha[y])[:, None] * x)


def masks(x: "N D", m: "bool N"):
    """`x[mask]`, reduced at once or written back"""
    h = x * 2
    h[h < 0] *= 0.1
    h[h > 1] = np.sqrt(h[h > 1])
    return x[m].sum() + np.mean(x[m] ** 2) + h[m].sum(axis=0)[0]


def floors(p: "N", image: "W"):
    """`np.floor(p).astype(int)` as an index: piecewise constant, with the derivative 0"""
    left = np.clip(np.floor(p).astype(int), 0, len(image) - 1)
    return np.sum(image[left] * (p - left))


def counts(m: "E", to: "int E", x: "N"):
    """`np.bincount(i, minlength=N)`"""
    degree = np.bincount(to, minlength=len(x))
    total = np.bincount(to, weights=m, minlength=len(x))
    return np.sum(total * x / np.maximum(degree, 1))


def joined(x: "N D"):
    """`np.c_`, `np.r_`, lists as arguments"""
    wide = np.c_[x[:, 0], x[:, 1:]]
    longer = np.r_[x[0], 1.0, x[1]]
    return np.sum(wide**2) + np.mean([np.sum(longer), np.max([x[0, 0], x[1, 1]])])


def triples(triple: "int N 3", E: "V D", R: "U D"):
    """columns of an array of positions, on axes of their own"""
    head, relation, tail = triple[:, 0], triple[:, 1], triple[:, 2]
    return np.sum((E[head] + R[relation] - E[tail]) ** 2)


def left_out(logits: "N C", label: "int N"):
    """labels of 255 are left out"""
    valid = label != 255
    picked = logits[np.arange(len(label)), np.where(valid, label, 0)]
    return -np.sum(picked * valid) / np.sum(valid)


def diagonals(z: "2*N D"):
    """a diagonal at the distance of a size, `np.diag(sim, n)`"""
    n = len(z) // 2
    sim = z @ z.T
    return -np.sum(np.diag(sim, n)) - np.sum(np.diag(sim, -n) ** 2) + np.sum(np.triu(sim, n))


def masked_columns(x: "N D", m: "bool D"):
    """a mask over columns, and `where=`"""
    return np.exp(x[:, x[0] > 0]).sum() + np.mean(x * x, where=m)


def triangle_written(v: "6", x: "3"):
    """`L[np.tril_indices(3)] = v`: positions of which none stands twice"""
    factor = np.zeros((3, 3))
    factor[np.tril_indices(3)] = v
    return np.sum((factor @ x) ** 2)


TABLE = np.array([[1.0, 2.0], [4.0, 7.0], [5.0, 3.0]])


def outer_tables(y: "int N", w: "2"):
    """tables from outside of the function: `TABLE[y]`, `np.log(TABLE)[y]`"""
    return np.sum(np.tanh(TABLE[y] @ w)) + np.sum(np.log(TABLE)[y] @ w)


INDEXING = [labels, tables, outer_tables, triples, left_out, diagonals, masks,
            masked_columns, triangle_written, floors, counts, joined]


# ---- constants that follow from plain sizes ---------------------------------------------------


def causal(x: "48 D"):
    """a mask of comparisons, whatever its size"""
    t = np.arange(48)
    seen = (t[:, None] >= t[None, :]) & (t[:, None] - t[None, :] < 16)
    scores = np.where(seen, x @ x.T, -np.inf)
    return np.sum(logsumexp(scores, axis=1))


def triangles(x: "48 D"):
    """`np.tri`, `np.eye`, `np.triu(np.full(...), k=1)`"""
    mask = np.triu(np.full((48, 48), -1e9), k=1)
    return np.sum((np.tri(48) - np.eye(48)) @ x) + np.sum(np.exp(x @ x.T / 48 + mask))


def sinusoids(x: "48 24"):
    """a table of sines and cosines, filled in turns"""
    place, rate = np.arange(48)[:, None], np.exp(np.arange(0, 24, 2) * (-math.log(10000.0) / 24))
    pe = np.zeros((48, 24))
    pe[:, 0::2] = np.sin(place * rate)
    pe[:, 1::2] = np.cos(place * rate)
    return np.sum((x + pe) ** 2)


def lines(x: "1200"):
    """`np.linspace`"""
    return np.sum(x**2 * np.linspace(0, 1, 1200))


def slopes(scores: "H T T"):
    """a table calculated entry by entry, `np.array([start**(i + 1) for i in range(n)])`"""
    heads = scores.shape[0]
    start = 2 ** (-8 / heads)
    slope = np.array([start ** (i + 1) for i in range(heads)])
    return np.sum(np.exp(slope[:, None, None] * scores))


CONSTANTS = [causal, triangles, sinusoids, lines, slopes]

# ---- loops over a named axis ------------------------------------------------------------------


def text_generator(xs: "T D", Wx: "H D", Wh: "H H", Wy: "V H", y: "int T"):
    """`for t in range(len(y))`, states in a dict"""
    hs, ps = {-1: np.zeros(Wh.shape[0])}, {}
    loss = 0
    for t in range(len(y)):
        hs[t] = np.tanh(Wx @ xs[t] + Wh @ hs[t - 1])
        scores = Wy @ hs[t]
        ps[t] = np.exp(scores) / np.sum(np.exp(scores))
        loss += -np.log(ps[t][y[t]])
    return loss


def conditional_field(e: "T B K", tags: "int T B", trans: "K K", start: "K"):
    """`for t in range(1, T)`"""
    T, B = tags.shape
    score = start[tags[0]] + e[0, np.arange(B), tags[0]]
    alpha = start + e[0]
    for t in range(1, T):
        score = score + trans[tags[t - 1], tags[t]] + e[t, np.arange(B), tags[t]]
        alpha = logsumexp(alpha[:, :, None] + trans[None], axis=1) + e[t]
    return np.mean(logsumexp(alpha, axis=1) - score)


def stacked(a: "B L D", b: "B L D", c: "B L D"):
    """`ys.append(h)`, then `np.stack(ys)`"""
    h, ys = np.zeros((a.shape[0], a.shape[2])), []
    for i in range(a.shape[1]):
        h = a[:, i] * h + b[:, i]
        ys.append(h * c[:, i])
    return np.mean((np.stack(ys, axis=1) + a) ** 2)


def rows_written(x: "T D", W: "D D"):
    """`out[t] = h`"""
    T, D = x.shape
    out = np.zeros((T, D))
    out[0] = x[0]
    for t in range(1, T):
        out[t] = np.tanh(out[t - 1] @ W + x[t])
    return np.mean(out**2)


def returns(r: "T", b: "T", gamma=0.9):
    """`for t in reversed(range(T))`"""
    g, out = 0.0, []
    for t in reversed(range(len(r))):
        g = r[t] + gamma * g
        out.insert(0, g)
    return np.sum((np.array(out) - b) ** 2)


def backwards(x: "T D", W: "D D"):
    """`for row in reversed(x)`"""
    h, ys = np.zeros(x.shape[1]), []
    for row in reversed(x):
        h = np.tanh(row + h @ W)
        ys.append(h)
    return np.sum(np.array(ys)[::-1] * x)


def side_by_side(x: "T D", y: "T"):
    """`for row, target in zip(x, y)`"""
    loss = 0.0
    for row, target in zip(x, y, strict=True):
        loss += (np.sum(row**2) - target) ** 2
    return loss / len(y)


def comprehension(x: "T D", y: "T"):
    """`[f(row) for i, row in enumerate(x)]`"""
    return np.mean([(np.sum(row**2) - y[i]) ** 2 for i, row in enumerate(x)])


def experts(x: "N D", gate: "D E", w: "E D D"):
    """a sum over an axis: no recurrence"""
    scores = x @ gate
    out = np.zeros_like(x)
    for e in range(w.shape[0]):
        out += scores[:, e : e + 1] * np.tanh(x @ w[e])
    return np.mean(out**2)


def last_step_of_its_own(x: "T D", W: "D D"):
    """a last step of its own"""
    T, h = len(x), np.zeros(x.shape[1])
    for t in range(T):
        h = h @ W + x[t]
        if t != T - 1:
            h = np.tanh(h)
    return np.sum(h**2)


def discounted(r: "T", w: "K"):
    """powers of a number and of an array, `0.9**t` and `r**k`"""
    total = 0.0
    for t in range(len(r)):
        total += 0.9**t * np.sin(r[t])
    return total * sum(w[k] * np.sum(r**k) for k in range(len(w)))


LOOPS = [text_generator, conditional_field, stacked, rows_written, returns,
         backwards, side_by_side, comprehension, experts, last_step_of_its_own, discounted]

# ---- functions by any name --------------------------------------------------------------------


def imported(x: "N D"):
    """`from scipy.special import logsumexp`, `from math import sqrt`"""
    scores = x / sqrt(x.shape[1])
    return np.sum(logsumexp(scores, axis=1)) + np.sum(softmax(scores, axis=1) ** 2) / math.log(3)


def normal(x: "N", s: ""):
    """`scipy.stats.norm`"""
    return -np.sum(norm.logpdf(x, 0.5, s**2 + 1)) + np.sum(scipy.stats.norm.cdf(x))


def gaussian(x: "N D", m: "D", A: "D D"):
    """`multivariate_normal.logpdf`"""
    return -np.sum(multivariate_normal.logpdf(x, m, A @ A.T + np.eye(len(m))))


def factors(A: "D D", b: "D"):
    """`scipy.linalg`"""
    K = A @ A.T + np.eye(len(b))
    L = scipy.linalg.cholesky(K, lower=True)
    return np.sum(solve_triangular(L, b, lower=True) ** 2) + b @ cho_solve((L, True), b)


def distances(x: "N D", y: "M D"):
    """`cdist`"""
    return np.sum(np.exp(-cdist(x, y, "sqeuclidean")))


def python(x: "3 D"):
    """`isinstance(x, np.ndarray)`, `max(a, b)` of numbers, `float(D)`"""
    assert isinstance(x, np.ndarray)
    return max(np.sum(x[0]), np.sum(x[1])) * min(2.0, np.sum(x[2])) / float(x.shape[1])


def given_once(x: "N D", m: "D", s: "D"):
    """`norm(m, s).logpdf(x)`, variances in the place of a covariance matrix"""
    whole = multivariate_normal(m, np.exp(s)).logpdf(x)
    return -np.sum(whole) - np.sum(scipy.stats.norm(m[0], 2.0).logpdf(x[:, 0]))


def gamma_family(y: "N", a: "", b: "", p: "N"):
    """`gammaln`, `digamma`, `betaln`, `erfinv`"""
    counts = np.exp(y)
    likelihood = gammaln(counts + np.exp(a)) - gammaln(counts + 1)
    likelihood = likelihood - scipy.special.digamma(np.exp(b))
    return np.sum(likelihood) + scipy.special.betaln(np.exp(a), np.exp(b)) + np.sum(
        scipy.special.erfinv(0.9 * np.tanh(p)))


NAMES = [imported, gamma_family, normal, gaussian, given_once, factors, distances, python]

# ---- arguments and results ----------------------------------------------------------------------


@dataclass
class Settings:
    scale: float = 2.0


WEIGHTS, SETTINGS = np.array([1.0, 2.0, 4.0]), Settings()


def defaults(x: "3 D", act=np.tanh, limit=float("inf"), w=WEIGHTS, settings=SETTINGS):
    """defaults that are functions, infinite, arrays, objects: constants of the trace"""
    return np.sum(np.minimum(act(x), limit) * w[:, None]) * settings.scale


def more_than_the_loss(x: "N D"):
    """`return loss, cache`: what is no dict of arrays is left out"""
    h = np.tanh(x)
    return h.sum(), (h, [x])


RESULTS = [defaults, more_than_the_loss]

# ---- the same, spelled without writing ----------------------------------------------------------


def rebinding_functional(x: "N D", w: "D"):
    h = x * w
    h = h + x
    h = h * 2
    h = h - h.mean(axis=0)
    return np.sum(h**2)


def masked_functional(x: "N D"):
    h = x * 2
    h = np.where(h < 0, 0, h)
    return np.sum(h**2)


def filled_functional(x: "N 3", w: "3 3"):
    hs = []
    h = np.zeros(3)
    for _ in range(3):
        h = np.tanh(x[0] + h @ w)
        hs.append(h)
    out = np.stack(hs)
    return np.sum(out @ w)


FUNCTIONAL = [(rebinding, rebinding_functional), (masked_write, masked_functional),
              (filled_in_a_loop, filled_functional)]

SECTIONS = {"Writing in place": WRITING, "Indexing": INDEXING,
            "Constants of plain sizes": CONSTANTS,
            "Loops over a named axis": LOOPS, "Functions by any name": NAMES,
            "Arguments and results": RESULTS}
