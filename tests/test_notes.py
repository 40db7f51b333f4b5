"""What is accepted and may not have been meant is noted, or refused where it is surely wrong."""

import re
from types import SimpleNamespace

import numpy as np
import pytest

from symprop import nn, zoo
from symprop.errors import InputError, ShapeError
from symprop.trace.trace import trace

WEIGHTS = np.arange(12.0).reshape(4, 3) ** 2
PARAMS = {"layers": [WEIGHTS, WEIGHTS + 1]}
BIAS = np.zeros(3)


class Model:
    def __init__(self):
        self.W = WEIGHTS.copy()

    def loss(self, X):
        return np.mean((X @ self.W.T) ** 2)


def closed_over():
    V = WEIGHTS - 1
    return lambda X: np.sum(np.tanh(X @ V))


def softmax_by_hand(Z, axis, keep):
    e = np.exp(Z - Z.max())
    return e / e.sum(axis=axis, keepdims=keep)


NOTES = [
    ("wrt", lambda X, y, w: np.mean((X @ w - y) ** 2), ("N K", "N", "K"),
     'wrt was left out, so X, y and w are all parameters, of which X and y look like data: say '
     '--wrt w, or wrt=("w",)'),
    ("wrt", lambda images, W: np.mean(images @ W), ("N K", "K H"),
     'wrt was left out, so images and W are all parameters, of which images looks like data: say '
     '--wrt W, or wrt=("W",)'),
    ("constant", lambda A: np.sum(A @ WEIGHTS), ("M 4",),
     "WEIGHTS, an array of shape (4, 3) from outside of the function, is a constant and has no "
     "gradient: make it an argument if it is a parameter"),
    ("constant", lambda A: np.sum(A @ PARAMS["layers"][1]), ("M 4",),
     "PARAMS['layers'][1], an array of shape (4, 3) from outside"),
    ("constant", lambda A: np.sum((A + BIAS) ** 2), ("M 3",), "BIAS, an array of shape (3,)"),
    ("constant", closed_over(), ("M 4",), "V, an array of shape (4, 3) from outside"),
    ("constant", Model().loss, ("M 3",), "self.W, an array of shape (3, 4) from outside"),
    ("integers", lambda A, w: np.sum(A @ w), ("M K", "int K"),
     'w is declared as "int K" and calculated with, but integers have no gradient: declare it as '
     '"K" if it is a parameter'),
    ("type", lambda A, lr: lr * np.sum(A), ("M K", "float"),
     'lr: "float" is the shape of a scalar parameter: a constant has a default and no shape, as '
     "in lr=0.1"),
    ("type", lambda A, b: np.sum(A) * np.sum(b), ("M K", "ndarray"),
     'b: "ndarray" declares an array of one axis, called ndarray: a shape names the axes, as in '
     'b: "N K", and that of a scalar is ""'),
    ("unread", lambda A, b: np.sum(A), ("M K", "K"),
     "the loss does not read the parameter b, so its gradient is 0"),
    ("softmax", lambda Z, T: nn.cross_entropy(nn.softmax(Z), T), ("M K", "int M"),
     "a softmax is taken of"),
    ("softmax", lambda Z, T: nn.cross_entropy(softmax_by_hand(Z, 1, True), T), ("M K", "int M"),
     "which is a softmax already: a cross-entropy of logits wants what stands before it"),
    ("softmax", lambda Z, T: -np.sum(T * np.log(softmax_by_hand(Z, None, False))), ("M K", "M K"),
     "is a softmax over all axes of (M, K) together: say along which it sums to 1, as in axis=1 "
     "with keepdims=True"),
    ("pairs", lambda A, b: np.sum((np.sum(A**2, axis=1, keepdims=True) - b) ** 2), ("M K", "M"),
     "subtract: an array of shape (M, 1) and b of shape (M,) broadcast to (M, M), every entry of "
     "one with every entry of the other: take the axis of 1 away, as in x[:, 0], or write "
     "b[None, :] where all pairs are meant"),
]


def shapes_of(function, shapes):
    code = getattr(function, "__func__", function).__code__
    names = [n for n in code.co_varnames[:code.co_argcount] if n != "self"]
    return dict(zip(names, shapes, strict=True))


@pytest.mark.parametrize(("kind", "function", "shapes", "text"), NOTES)
def test_a_note_says_what_may_not_be_meant(kind, function, shapes, text):
    notes = trace(function, shapes_of(function, shapes)).notes
    found = [n for n in notes if n.kind == kind]
    assert len(found) == 1, notes
    assert text in found[0].text
    assert re.match(r"test_notes\.py:\d+: ", str(found[0]))


MEANT = [
    (lambda A: np.sum(np.tanh(A[:, None] - A)), ("M",)),  # all pairs of one array
    (lambda A: np.sum(A * nn.softmax(A)), ("M K",)),
    (lambda A: np.sum(A * np.exp(A) / np.exp(A).sum()), ("M",)),  # its only axis
    (lambda A: np.sum(nn.softmax(A @ nn.softmax(A))), ("M M",)),  # a product lies between
    (lambda A, t: np.sum(np.take(A, t)), ("M", "int K")),  # integers as positions
    (lambda A, t: np.sum(np.where(t > 0, A, 0)), ("M", "int M")),  # and compared
    (lambda A: np.sum(A @ np.array([[1.0, 2.0], [3.0, 5.0]])), ("M 2",)),  # made in the function
    (lambda X: np.sum(X**2), ("N K",)),  # nothing that is no data
    (lambda A, lr: lr * np.sum(A), ("M K", "")),
]


@pytest.mark.parametrize(("function", "shapes"), MEANT)
def test_nothing_is_said_of_what_is_meant(function, shapes):
    assert trace(function, shapes_of(function, shapes)).notes == ()


def test_what_wrt_names_is_meant():
    found = trace(lambda X, y, w, lr: lr * np.mean((X @ w - y) ** 2),
                  {"X": "N K", "y": "N", "w": "K", "lr": "float"}, wrt=["X", "w", "lr"])
    assert found.notes == ()


def test_the_zoo_has_no_notes():
    for name, model in zoo.models().items():
        found = trace(model.function, model.shapes, model.wrt, model.facts, model.static)
        assert found.notes == (), name


COLUMNS = [
    (lambda X, y, W: np.mean((X @ W - y) ** 2), ("N K", "N", "K 1"), "subtract"),
    (lambda X, y, W: nn.mse_loss(X @ W, y), ("N K", "N", "K 1"), "subtract"),
    (lambda X, y, W: np.mean(np.where(y > 0, X @ W, 0)), ("N K", "N", "K 1"), "where"),
]


@pytest.mark.parametrize(("function", "shapes", "what"), COLUMNS)
def test_a_column_against_a_vector_is_refused(function, shapes, what):
    with pytest.raises(ShapeError) as caught:
        trace(function, shapes_of(function, shapes))
    assert re.fullmatch(
        rf"test_notes\.py:\d+: {what}: an array of shape \(N, 1\) and \w+( \w+)* of shape \(N,\) "
        r"broadcast to \(N, N\), every entry .*", str(caught.value))
    axes = {"X": "N K", "y": "N 1", "W": "K 1"}
    assert trace(lambda X, y, W: np.mean((X @ W - y) ** 2), axes, wrt=["W"]).notes == ()


def test_all_pairs_can_be_asked_for():
    trace(lambda X, y, W: np.mean((X @ W - y[None, :]) ** 2), {"X": "N K", "y": "N", "W": "K 1"})


@pytest.mark.parametrize("layer", [nn.dropout, nn.alpha_dropout, nn.channel_dropout])
def test_a_number_is_no_mask(layer):
    said = rf"{layer.__name__}: the mask is a single number .* rng.random\(x.shape\) >= p"
    with pytest.raises(InputError, match=said):
        layer(np.ones((2, 3)), 0.5)
    with pytest.raises(InputError, match=rf"test_notes\.py:\d+: {said}"):
        trace(lambda A: np.sum(layer(A, 0.5)), {"A": "M K"})


def test_a_configuration_without_arrays_says_nothing():
    config = SimpleNamespace(rate=0.5, name="adam")
    assert trace(lambda A: np.sum(A) * config.rate, {"A": "M"}).notes == ()
