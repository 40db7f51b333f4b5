"""Square brackets and convolutions against NumPy's own, by generation."""

import inspect
import itertools
import random

import numpy as np
import pytest

from symprop.errors import SympropError
from symprop.interpret import run
from symprop.trace.trace import trace

SHAPE = (4, 3, 5, 2)
INPUT = object()  # in a key: an integer input of the function
KINDS = ("int", "np.int", "0-d", "list", "array", "array2", "mask", "input", "input2", "scalar",
         "slice", "slice", "part", "back")


def part_of(kind: str, size: int, draw: random.Random):
    """One part of a key for an axis of that size, and what it is as an input of the function."""
    some = [draw.randrange(-size, size) for _ in range(3)]
    places = [draw.randrange(size) for _ in range(3)]
    table = {
        "int": some[0], "np.int": np.int64(some[0]), "0-d": np.array(places[0]), "list": some,
        "array": np.array(some), "array2": np.array([some, some[::-1]]),
        "mask": np.arange(size) % 2 == 0 if size == 5 else np.ones(size, bool),
        "slice": slice(None), "part": slice(0, max(size - 1, 1)), "back": slice(None, None, -1)}
    if kind in table:
        return table[kind], None
    value = {"input": np.array(places), "input2": np.array([places, places[::-1]]),
             "scalar": np.array(places[0])}[kind]
    return None, value


def random_key(seed: int):
    """A key as a list of parts (None is np.newaxis, `INPUT` the next input), and the inputs."""
    draw = random.Random(seed)
    axes = draw.randrange(1, len(SHAPE) + 1)
    key, inputs = [], []
    for size in SHAPE[:axes]:
        part, value = part_of(draw.choice(KINDS), size, draw)
        key.append(INPUT if value is not None else part)
        inputs += [] if value is None else [value]
    if draw.random() < 0.4:
        key.insert(draw.randrange(len(key) + 1), None)
    if draw.random() < 0.4 and axes == len(SHAPE):
        key.insert(draw.randrange(len(key) + 1), ...)
    return key, inputs


def written(key, inputs):
    """The key with the inputs in their places."""
    rest = iter(inputs)
    return tuple(next(rest) if part is INPUT else part for part in key)


def check(key, inputs, shape=SHAPE):
    """The traced reading is NumPy's, in shape and entries; False where NumPy raises."""
    x = np.arange(float(np.prod(shape))).reshape(shape) ** 1.5
    try:
        wanted = x[written(key, inputs)]
    except IndexError:
        return False

    def loss(x, *places):
        out = x[written(key, places)]
        return 1.0 * np.sum(out), {"out": out}

    shapes = {"x": " ".join(map(str, shape))}
    shapes |= {f"i{k}": "int " + " ".join(map(str, v.shape)) for k, v in enumerate(inputs)}
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    loss.__signature__ = inspect.Signature([inspect.Parameter(n, kind) for n in shapes])
    system = trace(loss, shapes)
    found = run(system, dict(zip(shapes, (x, *inputs), strict=True)), {})
    out = found[dict(system.outputs)["out"]]
    assert tuple(int(s.number) for s in system.output_shapes[0]) == wanted.shape, key
    np.testing.assert_array_equal(out.reshape(wanted.shape), wanted, err_msg=str(key))
    return True


@pytest.mark.parametrize("block", range(4))
def test_random_keys_read_as_numpy_s(block):
    done = sum(check(*random_key(100 * block + k)) for k in range(40))
    assert done > 20


ONE_AXIS = {"int": 1, "list": [1, 0, 1], "0-d": np.array(1), "slice": slice(None),
            "array2": np.array([[1, 0, 1]]), "input": INPUT}


@pytest.mark.parametrize("first", ONE_AXIS)
def test_every_combination_on_three_axes(first):
    for others in itertools.product(ONE_AXIS, repeat=2):
        key = [ONE_AXIS[k] for k in (first, *others)]
        inputs = [np.array([0, 1, 1]) for k in (first, *others) if k == "input"]
        for between in ([], [...], [None]):
            check([key[0], *between, *key[1:]], inputs, (4, 3, 2))


@pytest.mark.parametrize("function", [np.convolve, np.correlate])
@pytest.mark.parametrize("mode", ["full", "same", "valid"])
def test_convolutions_of_all_lengths(function, mode):
    for n, m in itertools.product(range(1, 6), repeat=2):
        a, v = np.arange(1.0, n + 1), 10.0 ** np.arange(m)

        def loss(a, v):
            out = function(a, v, mode)
            return 1.0 * np.sum(out), {"out": out}

        system = trace(loss, {"a": str(n), "v": str(m)})
        out = run(system, {"a": a, "v": v}, {})[dict(system.outputs)["out"]]
        np.testing.assert_allclose(np.ravel(out), function(a, v, mode), rtol=1e-12)


@pytest.mark.parametrize("mode", ["same", "valid"])
def test_a_first_vector_may_be_shorter_than_the_second(mode):
    """NumPy swaps them: the length is that of the longer one, whichever that is."""
    def loss(a, k):
        out = np.convolve(a, k, mode)
        return np.sum(out**2), {"out": out}

    system = trace(loss, {"a": "N", "k": "K"})
    assert not system.conditions
    for n, k in itertools.product(range(1, 5), repeat=2):
        a, v = np.arange(1.0, n + 1), 10.0 ** np.arange(k)
        out = run(system, {"a": a, "k": v}, {"N": n, "K": k})[dict(system.outputs)["out"]]
        np.testing.assert_allclose(np.ravel(out), np.convolve(a, v, mode), rtol=1e-12)


def test_beside_an_axis_the_longer_of_two_is_that_axis():
    """max(N, 3) is N where the two are added: a test at the door."""
    system = trace(lambda a, k: np.sum(np.convolve(a, k, "same") * a), {"a": "N", "k": "3"})
    assert [(c.kind, c.right.number) for c in system.conditions] == [("at_least", 3)]


def test_a_boolean_input_chooses_what_is_reduced_at_once():
    shapes = {"x": "N K", "m": "bool N"}
    system = trace(lambda x, m: np.sum(x[m] ** 2), shapes)
    x, m = np.arange(6.0).reshape(3, 2), np.array([True, False, True])
    assert run(system, {"x": x, "m": m}, {"N": 3, "K": 2})["L"] == np.sum(x[m] ** 2)
    with pytest.raises(SympropError, match="mask"):
        trace(lambda x, m: x[m][0].sum(), shapes)
