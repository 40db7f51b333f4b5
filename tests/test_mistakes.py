"""Mistakes that people make, and the whole of what each of them is told.

A sentence names the user's own line, the arrays with their axes and sizes, and the way out. `{at}`
stands for the line of the function here, `{next}` for the one behind it.
"""

import re
import sys
from math import exp

import numpy as np
import pytest
import scipy.linalg

from symprop import nn, pipeline
from symprop.errors import SympropError
from symprop.trace.context import definition_line

TABLE = np.arange(12.0).reshape(4, 3) ** 2


def branch(X: "N K", w: "K"):
    return np.sum(w) if np.mean(X @ w) > 0 else -np.sum(w)


def until(X: "N K"):
    while np.sum(X) > 1:
        X = X / 2
    return np.sum(X)


def into_an_argument(X: "N K"):
    X[0] = 0
    return np.sum(X)


def forgotten_return(X: "N K"):
    np.sum(X)


def a_list(X: "N K", w: "K"):
    return [np.sum(X @ w), w]


def unannotated(X: "N K", w):
    return np.sum(X @ w)


def a_type(X: "N K", lam: float):
    return lam * np.sum(X**2)


def as_numpy_prints_it(X: "(N, K)"):
    return np.sum(X)


def with_commas(X: "N, K"):
    return np.sum(X)


def states_in_a_tuple(x: "T N K", h: "N H", c: "N H", u: "4*H K", w: "4*H H"):
    return np.sum(nn.lstm(x, (h, c), u, w)[0])


MATRIX = {"X": "N K"}
MISTAKES = [  # function, shapes, what is said
    (lambda X: np.sum(np.softmax(X)), MATRIX,
     "{at}: numpy has no softmax: use symprop.nn.softmax"),
    (lambda X: np.sum(np.tanch(X)), MATRIX,
     "{at}: numpy has no tanch: did you mean tanh?"),
    (lambda X: np.sum(X.relu()), MATRIX,
     "{at}: an array has no attribute 'relu': use symprop.nn.relu"),
    (lambda X: np.sum(nn.softmax(X, dim=1)), MATRIX,
     "{at}: softmax has no option dim: it is called axis here"),
    (lambda X: np.sum(nn.relu(X, inplace=True)), MATRIX,
     "{at}: relu has no option inplace: it has input"),
    (lambda X: nn.mse_loss(X), MATRIX,
     "{at}: mse_loss needs target: it takes input, target, reduction"),
    (lambda X: np.sum(nn.dropout(X, 0.5)), MATRIX,
     "{at}: dropout: the mask is a single number where an array of zeros and ones is needed, such "
     "as rng.random(x.shape) >= p, handed in as an argument; p is the third argument"),
    (lambda X, y: nn.cross_entropy(X, y), {"X": "N M", "y": "N"},
     "{at}: the target is of floats and of rank 1, but labels of an input of rank 2 are integers "
     "of rank 1"),
    (lambda X, W: np.sum(X @ W), {"X": "N K", "W": "M H"},
     "{at}: @: axis 1 of X of shape (N, K) has size K, but axis 0 of W of shape (M, H) has size M"),
    (lambda X: np.sum(X @ TABLE), MATRIX,
     "{at}: @: axis 1 of X of shape (N, K) has size K, but axis 0 of TABLE of shape (4, 3) has "
     "size 4"),
    (lambda X, b: np.sum(X + b), {"X": "N K", "b": "N"},
     "{at}: add: X of shape (N, K) and b of shape (N,) do not broadcast: axis -1 has the sizes K "
     "and N; a named axis never broadcasts: declare it as 1, or give equal axes one name"),
    (lambda X, y, W: np.mean((X @ W - y) ** 2), {"X": "N K", "y": "N", "W": "K 1"},
     "{at}: subtract: an array of shape (N, 1) and y of shape (N,) broadcast to (N, N), every "
     "entry of one with every entry of the other: take the axis of 1 away, as in x[:, 0], or "
     "write y[None, :] where all pairs are meant"),
    (lambda X: np.einsum("ij,jk->", X, X), MATRIX,
     "{at}: einsum: the index j is axis 1 of X of shape (N, K) with size K, and axis 0 of X of "
     "shape (N, K) with size N"),
    (lambda X: np.sum(X.reshape(3, 5)), MATRIX,
     "{at}: X of shape (N, K) cannot be reshaped to (3, 5): its N*K entries are not 15"),
    (lambda X: np.sum(X[5]), {"X": "3 K"},
     "{at}: index 5 is outside axis 0 of X of shape (3, K)"),
    (lambda X, y: np.sum(X[y]), {"X": "V D", "y": "N"},
     '{at}: y of shape (N,) is not of integers and cannot index: declare y as "int N"'),
    (lambda X: X @ X[0], MATRIX,
     "{at}: the loss must be a scalar, but it has the shape (N,): sum it or take its mean"),
    (lambda X: exp(X), {"X": "N"},
     "{at}: math.exp takes numbers, not arrays: use NumPy's function in place of that of math"),
    (lambda X: float(np.sum(X)), MATRIX,
     "{at}: a traced array cannot become a number: use NumPy's functions in place of float(), "
     "int(), round() and the module math"),
    (lambda X: np.sum(X * np.random.randn(3)), {"X": "N 3"},
     "{at}: np.random.randn gives other numbers on every call, but a trace runs once: pass random "
     "arrays as inputs of the function"),
    (lambda X: np.linalg.svd(X)[1].sum(), MATRIX,
     "{at}: np.linalg.svd cannot be traced: eigenvalues and singular values are no expressions in "
     "the entries"),
    (lambda X: np.sum(X) if X.shape[0] > 3 else 0, MATRIX,
     "{at}: the size N cannot be compared: a size is not known while tracing: write code that is "
     "right for every size, or declare the axis as a number"),
    (lambda X: np.sum(scipy.linalg.expm(X)), {"X": "3 3"},
     "{at}: scipy.linalg.expm cannot be traced (the ndarray attribute .flags cannot be traced): "
     "symprop has no definition for it; write it in NumPy, or pass what it gives as an input"),
    (lambda X: np.sum(np.lib.stride_tricks.as_strided(X, (3, 2), (8, 8))), {"X": "4"},
     "{at}: np.lib.stride_tricks.as_strided cannot be traced: a traced array has no memory; use "
     "slices or sliding_window_view"),
    (lambda X, y: np.sum(X * np.eye(y.max() + 1)[y]), {"X": "N K", "y": "int N"},
     "{at}: eye: the size an array of shape () depends on the numbers in an array, which no shape "
     "may: give it as a number, or as the size of an axis"),
    (lambda X, m: np.sum(np.tanh(X[:, m]), axis=0).sum(), {"X": "N K", "m": "bool K"},
     "{at}: a boolean mask as an index gives a shape that depends on the numbers: use "
     "np.where(mask, x, 0), or reduce x[mask] at once, as in x[mask].sum()"),
    (lambda X: np.sum(X.mean(dim=0)), MATRIX,
     "{at}: np.mean has no option dim: it is called axis here"),
    (lambda X, w: np.sum(X.t() @ w), {"X": "N K", "w": "N"},
     "{at}: an array has no attribute 't': use x.T"),
    (lambda X: np.sum(X.view(-1)), MATRIX,
     "{at}: x.view(dtype) reads the bits of numbers as others: for another shape use "
     "x.reshape(...)"),
    (lambda X, b=None: np.sum(X + b), MATRIX,
     "{at}: + stands between an array and a value of type NoneType, which is no number"),
    (branch, None,
     "{next}: a branch that depends on the numbers in an array cannot be traced (if, while, and, "
     "or, not, max(), chained comparisons): use np.where, np.maximum, np.logical_and"),
    (until, None,
     "{next}: a branch that depends on the numbers in an array cannot be traced (if, while, and, "
     "or, not, max(), chained comparisons): use np.where, np.maximum, np.logical_and"),
    (into_an_argument, None,
     "{next}: X of shape (N, K) is an argument, and writing into it would change it for the "
     "caller: write into a copy, x = x.copy(), or build a new array, as in np.where, "
     "np.concatenate or np.stack"),
    (forgotten_return, None,
     "{at}: the function returns nothing: its loss must be calculated from its arguments"),
    (a_list, None,
     "{at}: the function must return its loss, or (loss, {{name: array}}), not a list of 2"),
    (unannotated, None,
     "{at}: the argument w has no shape: annotate it, as in w: \"N K\", or give "
     "shapes={{'w': \"N K\"}}"),
    (a_type, None,
     '{at}: the argument lam has no shape, for float is a type: write lam: "" for a scalar array, '
     "or give it a default, as in lam=1, to make it a constant"),
    (as_numpy_prints_it, None,
     "{at}: the shape '(N, K)' of X is not readable: ',' is neither a name, a number nor + - * // "
     "(axes are separated by blanks: write 'N K')"),
    (with_commas, None,
     "{at}: the shape 'N, K' of X is not readable: ',' is neither a name, a number nor + - * // "
     "(axes are separated by blanks: write 'N K')"),
    (states_in_a_tuple, None,
     "{next}: lstm needs weight_hh: it takes input, h0, c0, weight_ih, weight_hh, bias_ih, "
     "bias_hh, reverse; h0 is a tuple of 2, whose arrays are handed over one by one"),
]


def one_too_far(X: "T K", w: "K"):
    return sum(X[t + 1] @ w for t in range(len(X)))


def a_column_behind_a_loop(X: "T K", y: "T 1", w: "K"):
    h = sum(np.tanh(row * w) for row in X)
    return np.sum((X @ w - y) ** 2) + np.sum(h)


def a_short_list(X: "T K"):
    return sum(np.sum(row) * [0.5, 0.3, 0.2][t] for t, row in enumerate(X))


def a_name_nobody_gave(X: "T K"):
    return sum(np.sum(row) * weight for row in X)


def all_before(X: "T K", a: "K"):
    h = 0 * a
    for t in range(len(X)):
        h = np.tanh(h * a + X[:t + 1].sum(axis=0))
    return np.sum(h)


def each_pair(X: "N K", m: ""):
    return sum(np.maximum(0, m - np.sum((X[i] - X[j]) ** 2))
               for i in range(len(X)) for j in range(i))


GROWING = ("range(t) or x[:t], which is longer from turn to turn of a loop over a named axis, is "
           "no recurrence: write a mask over whole arrays, such as np.tri(N), hand a running value "
           "from turn to turn, or declare the axis as a number")

MISTAKES += [
    (all_before, None, "{third}: " + GROWING),
    (each_pair, None, "{second}: " + GROWING),
    (one_too_far, None,
     "{next}: a loop comes to a position that lies 1 behind the last of an axis of size T: end it "
     "earlier, as in range(T - 1)"),
    (a_column_behind_a_loop, None,
     "{second}: subtract: y of shape (T, 1) and an array of shape (T,) broadcast to (T, T), every "
     "entry of one with every entry of the other: take the axis of 1 away, as in y[:, 0], or "
     "write y[None, :] where all pairs are meant"),
    (a_short_list, None,
     "{next}: with T = 6 this line raises IndexError: list index out of range; a loop over a named "
     "axis must run at any length: mend the line, or declare the axis as a number"),
    (a_name_nobody_gave, None,
     "{next}: with T = 6 this line raises NameError: name 'weight' is not defined; a loop over a "
     "named axis must run at any length: mend the line, or declare the axis as a number"),
]


@pytest.mark.parametrize(("function", "shapes", "said"), MISTAKES)
def test_a_mistake_is_told_in_one_sentence(function, shapes, said):
    with pytest.raises(SympropError) as caught:
        pipeline.trace(function, shapes)
    file, line = definition_line(function).split(":")
    wanted = said.format(at=f"{file}:{line}", next=f"{file}:{int(line) + 1}",
                         second=f"{file}:{int(line) + 2}",
                         third=f"{file}:{int(line) + 3}")
    assert str(caught.value) == wanted


def test_there_are_thirty():
    assert len(MISTAKES) >= 30


def test_a_parameter_of_integers_is_told_what_to_be():
    with pytest.raises(SympropError) as caught:
        pipeline.trace(lambda X, w: np.sum(X @ w), {"X": "N K", "w": "int K"}, wrt=["w"])
    assert re.fullmatch(r'test_mistakes\.py:\d+: w is declared as "int K": a gradient needs a '
                        r'floating parameter, "K"', str(caught.value))


# ---- libraries ----------------------------------------------------------------------------

FRAMEWORK = '''
import sys

import numpy

WATCHED = sys.gettrace() is not None
NOISE = numpy.random.rand()


class Tensor:
    pass


def relu(x):
    if not isinstance(x, Tensor):
        raise TypeError(f"relu(): argument 'x' must be Tensor, not {type(x).__name__}")


def sums(x):
    return numpy.zeros(int(x.shape[0]))


def rows(x):
    return [row / (k % 3 + 1) for k, row in enumerate(x)]


def scaled(x):
    return 2 * numpy.tanh(x)
'''
ONLY_NUMPY = "of libraries only NumPy and SciPy are: use their functions, or those of symprop.nn"


@pytest.fixture
def framework(tmp_path, monkeypatch):
    folder = tmp_path / "site-packages"
    folder.mkdir()
    (folder / "framework.py").write_text(FRAMEWORK)
    monkeypatch.syspath_prepend(str(folder))
    yield
    sys.modules.pop("framework", None)


def with_relu(X: "N K"):
    import framework
    return np.sum(framework.relu(X))


def with_sums(X: "N K"):
    import framework
    return np.sum(framework.sums(X))


def with_rows(X: "N K"):
    import framework
    return np.sum(framework.rows(X))


@pytest.mark.parametrize(("function", "why"), [
    (with_relu, "TypeError: relu(): argument 'x' must be Tensor, not Traced"),
    (with_sums, "the size N cannot become a number"),
    (with_rows, "a loop over the axis N cannot be traced"),
])
def test_a_line_within_a_library_is_not_the_users(framework, function, why):
    with pytest.raises(SympropError) as caught:
        pipeline.trace(function)
    file, line = definition_line(function).split(":")
    assert str(caught.value) == (
        f"{file}:{int(line) + 2}: framework cannot be traced ({why}): {ONLY_NUMPY}")


def test_an_import_inside_the_function_is_no_part_of_the_trace(framework):
    def loss(X: "N K"):
        import framework
        return np.sum(framework.scaled(X))

    system = pipeline.trace(loss)
    assert sys.modules["framework"].WATCHED is False
    assert {e.source.split(":")[0] for e in system.equations} == {"test_mistakes.py"}


def test_the_function_may_be_part_of_a_library(framework, tmp_path):
    from framework import sums

    with pytest.raises(SympropError, match=r"^framework\.py:20: the size N cannot become a number"):
        pipeline.trace(sums, {"x": "N K"})


def no_tensor(x):
    """As a function in C refuses what it does not know: without a line of its own."""
    raise TypeError(f"tanh(): argument 'input' must be Tensor, not {type(x).__name__}")


def test_what_takes_no_traced_array_is_told():
    with pytest.raises(SympropError) as caught:
        pipeline.trace(lambda X: no_tensor(X), {"X": "N"})
    assert re.fullmatch(
        r"test_mistakes\.py:\d+: what this line calls takes no traced array \(TypeError: tanh\(\): "
        r"argument 'input' must be Tensor, not Traced\): " + ONLY_NUMPY, str(caught.value))


def test_layers_say_it_of_plain_arrays_too():
    with pytest.raises(SympropError, match="gelu has no option approx: it has input, approximate"):
        nn.gelu(np.ones(2), approx="tanh")
    with pytest.raises(SympropError, match="relu takes input, not 2 arguments"):
        nn.relu(np.ones(2), 1)
    with pytest.raises(SympropError, match="gelu is given approximate twice"):
        nn.gelu(np.ones(2), "tanh", approximate="tanh")
