"""NumPy's namespace during a trace: patched on the tracing thread only, restored always."""

import builtins
import math
import threading
from math import sqrt

import numpy as np
import pytest
import scipy.special
import scipy.stats
from scipy.special import softmax

from symprop.errors import TraceError
from symprop.trace.trace import trace

NAMES = ("arange", "zeros", "ones", "full", "empty", "eye", "identity", "tri", "linspace",
         "indices", "reshape", "broadcast_to", "tile", "repeat", "tril", "triu", "take")


def snapshot():
    return ([globals().get(n) for n in ("sqrt", "softmax", "len", "range", "isinstance")],
            builtins.__import__, math.sqrt, scipy.special.softmax, vars(scipy.stats.norm).copy(),
            [getattr(np, n) for n in NAMES],
            [getattr(np.random, n) for n in np.random.__all__])


def test_the_namespace_comes_back():
    before = snapshot()
    trace(lambda x: np.sum(np.eye(x.shape[0]) @ x), {"x": "N"})
    assert snapshot() == before


def test_what_a_module_imported_is_intercepted_and_comes_back():
    before = snapshot()

    def loss(x: "N K"):
        import colorsys  # noqa: F401
        assert isinstance(x, np.ndarray) and x.ndim == 2
        return np.sum(softmax(x, axis=1)[range(len(x)), 0]) * sqrt(x.shape[1])

    trace(loss)
    assert snapshot() == before


def test_it_comes_back_after_an_error():
    before = snapshot()

    def loss(x):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        trace(loss, {"x": "N"})
    assert snapshot() == before


def test_nested_traces():
    before = snapshot()

    def outer(x: "N"):
        inner = trace(lambda z: np.sum(np.ones(z.shape) * z), {"z": "K"})
        assert [e.array for e in inner.equations] == ["L"]
        y = np.arange(x.shape[0]) * x
        return np.sum(y)

    assert [e.array for e in trace(outer).equations] == ["y", "L"]
    assert snapshot() == before


def test_other_threads_see_plain_numpy():
    inside, done = threading.Event(), threading.Event()
    found = {}

    def loss(x: "N"):
        inside.set()
        assert done.wait(20)
        return np.sum(np.zeros(x.shape) + x)

    worker = threading.Thread(target=lambda: found.update(system=trace(loss)))
    worker.start()
    assert inside.wait(20)
    found["zeros"], found["random"] = np.zeros(3), np.random.default_rng(0).normal()
    with pytest.raises(TypeError):
        np.zeros((object(),))
    other = trace(lambda z: np.sum(np.ones(z.shape) * z), {"z": "K"})
    done.set()
    worker.join(20)
    assert found["zeros"].tolist() == [0, 0, 0] and isinstance(found["random"], float)
    assert other.sizes == ("K",) and found["system"].sizes == ("N",)


def test_real_arguments_go_to_numpy():
    def loss(x: "3"):
        table = np.eye(3)[::-1]
        assert isinstance(table, np.ndarray) and isinstance(np.zeros((2, 2)), np.ndarray)
        return np.sum(table @ x)

    trace(loss)


def test_imported_names_say_what_to_write():
    zeros = np.zeros

    def loss(x: "N"):
        return np.sum(zeros(x.shape[0]) + x)

    with pytest.raises(TraceError, match=r"np\.name"):
        trace(loss)


def test_compiled_code_never_gets_a_traced_array():
    rng = np.random.default_rng(0)

    def loss(x: "N"):
        y = np.empty(x.shape)
        return np.sum(y + x * rng.normal(size=x.shape))

    with pytest.raises(TraceError, match="random"):
        trace(loss)
