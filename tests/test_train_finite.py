"""Where training leaves the finite numbers: the equation is named, the last good ones are kept."""

import re

import numpy as np
import pytest

from symprop.files.load import load_text
from symprop.train import TrainingError, train

# Each line is on its own the first that can be infinite or nan; {0} is where a fault is put in.
MODEL = '''
import numpy as np

WRT = ("w", "b")
MASK = np.array([0.0, -np.inf, 0.0])


def forward(X: "N 3", y: "N", w: "3", b: ""):
    masked = w + MASK               # (F1)  infinite on purpose
    kept = np.exp(masked)           # (F2)  and finite again
    # (F3)  z[n] = ...
    #       from (F2)
    z = X @ w + {scale} * kept.sum() + b
    p = {function}(z)               # (F4)  p[n]
    e = p - y                       # (F5)  e[n]
    loss = np.mean(e * e)           # (F6)  L
    return loss, (X, w, e)


def backward(saved, dL=1.0):
    X, w, e = saved
    de = 2 * dL * e / len(e)        # (B1)  de[n]
    dw = X.T @ de {spoiled}         # (B2)  dw[k]
    db = de.sum()                   # (B3)  db
    return {{"w": dw, "b": db}}
'''


def model(scale="0.0", function="np.asarray", spoiled=""):
    return load_text(MODEL.format(scale=scale, function=function, spoiled=spoiled), "spoiled")


DATA = {"X": np.random.default_rng(0).normal(size=(12, 3)) + 1, "y": np.ones(12)}


def fails(module, **options):
    options = {"optimizer": "gd", "init": {"w": np.zeros(3), "b": 0.0}, "epochs": 400, **options}
    with pytest.raises(TrainingError) as caught:
        train(module, DATA, log=None, **options)
    return str(caught.value), caught.value.result


@pytest.mark.parametrize(
    ("spoil", "lr", "named"),
    [
        ({"function": "np.exp"}, 5.0, r"(loss \(F6\)|p \(F4\)), in line 1"),
        ({"function": "np.log"}, 0.9, r"p \(F4\), in line 14 of f"),
        ({"scale": "1e200 * w[0] * 1e200"}, 1e-3, r"z \(F3\), in"),
        ({}, 50.0, r"kept \(F2\), in line 10 of forward, `kept = np"),
        ({"spoiled": "/ np.abs(w[0] - w[0] * (abs(w[0]) < 0.5))"}, 0.01,
         r"dw \(B2\), in line 23 of backward, `dw = X.T @ de / np."),
    ],
)  # fmt: skip
@pytest.mark.parametrize("batch", [None, 5])
def test_the_first_equation_is_named(spoil, lr, named, batch):
    """The mask is infinite in every step, and is not to blame."""
    start = {"w": np.full(3, 0.6), "b": 3.0} if "function" in spoil or "spoiled" in spoil else None
    said, result = fails(model(**spoil), lr=lr, batch=batch,
                         **({"init": start} if start else {}))
    clause = said.split("; ")[-1].replace(" was the first that is not finite", "")
    assert re.match(named, clause), said
    assert all(np.isfinite(array).all() for array in result.last.values())
    if batch is None and result.epochs:
        assert np.isfinite(model(**spoil).forward(**DATA, **result.last)[0])
