"""ONNX's node tests, put through: forward values are theirs, gradients by differences.

In: a number. Out: "" where the module's value is what ONNX's data say (float32), and its gradients
are those of differences through the same NumPy function; "untranslated: ..." where `onnx_table` has
no such operator, "refused: ..." in a sentence, else what was wrong. It needs the package onnx.
"""

from __future__ import annotations

import signal
import warnings
from functools import cache
from typing import Any

import numpy as np

import symprop
from symprop.errors import InputError, SympropError, VerificationError
from symprop.files.load import load_text
from trust.onnx_table import TABLE

LIMIT_S = 60
FLAGS = {"CumSum": 1, "CumProd": 1}
LABELLED = ("SoftmaxCrossEntropyLoss", "NegativeLogLikelihoodLoss")
ENTRIES = 5


class Slow(Exception):
    """It took longer than LIMIT_S."""


@cache
def cases() -> list[Any]:
    """The tests of one node, of floats in and out."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from onnx.backend.test.case.node import collect_testcases

        found = collect_testcases(None)
    return [c for c in sorted(found, key=lambda c: c.name) if len(c.model.graph.node) == 1
            and c.data_sets and _floats(c.data_sets[0][0]) and _floats(c.data_sets[0][1])]


def _floats(arrays: Any) -> bool:
    return any(isinstance(a, np.ndarray) and a.dtype in (np.float32, np.float64) and a.size
               for a in arrays)


def trial(number: int, seed: int) -> str:
    """One node test."""
    case = cases()[number]
    node = case.model.graph.node[0]
    if node.op_type not in TABLE:
        return f"untranslated: {node.op_type}"
    old = signal.signal(signal.SIGALRM, _late)
    signal.alarm(LIMIT_S)
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            said = _put_through(case, node)
    except NotImplementedError as error:
        return f"untranslated: {case.name}: {error}"
    except Slow:
        said = f"not done in {LIMIT_S} s"
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, old)
    head = said.split(":")[0]
    if head in ("untranslated", "refused"):
        return f"{head}: {case.name}:{said.removeprefix(head + ':')}"
    return said and f"{case.name}: {said}"


def _late(*_: Any) -> None:
    raise Slow


def _put_through(case: Any, node: Any) -> str:
    from onnx.helper import get_attribute_value

    attributes = {}
    for a in node.attribute:
        value = get_attribute_value(a)
        attributes[a.name] = value.decode() if isinstance(value, bytes) else value
    attributes |= {"op": node.op_type, "outputs": len(node.output)}
    data, outputs = case.data_sets[0]
    names = iter(data)
    given = [next(names) if n else None for n in node.input]
    whichs = [k for k, n in enumerate(node.output) if n]
    attributes["which"], wanted = whichs[0], np.asarray(outputs[0])
    if wanted.dtype not in (np.float32, np.float64):
        return "untranslated: its first output is no float"
    traced = {}
    for k, a in enumerate(given):
        if isinstance(a, np.ndarray) and a.dtype in (np.float32, np.float64) and not (
                _constant(node.op_type, k)):
            traced[f"x{k}"] = a.astype(float)
    if node.op_type in LABELLED:
        traced["x1"] = given[1].astype(int)
    if wanted.size > 1:
        traced["weights"] = np.cos(1.3 * np.arange(wanted.size).reshape(wanted.shape)) + 0.1
    rest = [None if f"x{k}" in traced else a for k, a in enumerate(given)]

    def whole(**arrays: Any) -> Any:
        full = [arrays.get(f"x{k}", a) for k, a in enumerate(rest)]
        return TABLE[node.op_type](full, attributes)

    def loss(**arrays: Any) -> Any:
        return np.sum(whole(**arrays) * arrays.get("weights", 1.1))

    own = np.asarray(whole(**traced))
    if own.shape != wanted.shape or not np.allclose(
            own, wanted, rtol=1e-3, atol=1e-5, equal_nan=True):
        return "untranslated: this table gives other values in plain NumPy"
    return _derived(loss, traced)


def _constant(op: str, k: int) -> bool:
    """Whether a float input is an attribute in truth: a bound, a scale, a box."""
    return (op in ("Resize", "Upsample") and k > 0) or (op in ("Dropout", "Pad") and k > 0) or (
        op in FLAGS and k == FLAGS[op])


def _derived(loss: Any, traced: dict[str, Any]) -> str:
    function = named(loss, traced)
    try:
        module = _made(function, traced)
        value, gradients = module.value_and_grad(**traced)
    except VerificationError as error:
        return f"verification: {error}"
    except SympropError as error:
        return f"refused: {str(error).splitlines()[0]}"
    except (Slow, NotImplementedError):
        raise
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    wanted = float(loss(**traced))
    if not np.isclose(value, wanted, rtol=1e-9, atol=1e-9, equal_nan=True):
        return f"{value}, not {wanted}"
    rng = np.random.default_rng(0)
    for name, array in traced.items():
        if array.dtype.kind != "f" or name == "weights":
            continue
        for flat in rng.permutation(array.size)[:ENTRIES]:
            place = np.unravel_index(flat, array.shape)
            slopes = [_slope(loss, traced, name, place, h) for h in (1e-4, 1e-5, 1e-6, -1e-6)]
            found = float(np.asarray(gradients[name])[place])
            right = [s for s in slopes if abs(s - found) <= 1e-4 * max(1.0, abs(found), abs(s))]
            kink = max(slopes) - min(slopes) > 1e-3 * max(1.0, abs(slopes[0]))
            if not right and not kink and np.isfinite(slopes).all():
                return f"gradient of {name}{list(map(int, place))}: {found}, {slopes}"
    return ""


def _slope(loss: Any, arrays: dict[str, Any], name: str, place: Any, h: float) -> float:
    """Central, or one-sided for a negative step."""
    values = []
    for sign in (1, -1) if h > 0 else (1, 0):
        moved = arrays[name].copy()
        moved[place] += sign * abs(h)
        values.append(float(loss(**{**arrays, name: moved})))
    return (values[0] - values[1]) / (2 * h if h > 0 else -h)


def named(loss: Any, names: Any) -> Any:
    """A function of named arguments that hands them to one of any."""
    text = (f"def made(loss):\n    def call({', '.join(names)}):\n"
            f"        return loss({', '.join(f'{n}={n}' for n in names)})\n    return call\n")
    return load_text(text, "named").made(loss)


def _made(function: Any, arrays: dict[str, Any]) -> Any:
    shapes = {n: ("" if a.dtype.kind == "f" else "int ") + " ".join(map(str, a.shape))
              for n, a in arrays.items()}
    wrt = [n for n, a in arrays.items() if a.dtype.kind == "f" and n != "weights"]
    try:
        return symprop.generate(symprop.trace(function, shapes=shapes, wrt=wrt))
    except InputError as error:
        if "Declare the domain" not in str(error):
            raise
        facts = []
        for n, a in arrays.items():
            if a.dtype.kind != "f" or n == "weights":
                continue
            if a.min(initial=2) >= 1:
                facts.append(symprop.in_range(n, 1, 100))
            elif a.min(initial=1) > 0:
                facts.append(symprop.positive(n) if a.max() > 1 else symprop.in_range(n, 0, 1))
            elif np.abs(a).max(initial=0) <= 1:
                facts.append(symprop.in_range(n, -1, 1))
        return symprop.generate(symprop.trace(function, shapes=shapes, wrt=wrt, facts=facts))


def __getattr__(name: str) -> int:
    """MOST: how many cases there are."""
    if name == "MOST":
        return len(cases())
    raise AttributeError(name)
