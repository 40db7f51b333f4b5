"""PyTorch's own sample inputs of torch.nn.functional, as calls of symprop.nn.

In: a number. Out: "" where value and gradients are torch's; "missing: ..." where symprop.nn has not
the function or the option, "refused: ..." in a sentence, "random: ..." where torch draws numbers,
"unaccepted: ..." where torch itself raises, else what was wrong. At most SAMPLES of each entry of
torch's list, evenly spread over it (it needs the package expecttest).
"""

from __future__ import annotations

import inspect
import signal
import warnings
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import torch

import symprop
from symprop import nn
from symprop.errors import InputError, SympropError, VerificationError
from trust.onnx_nodes import named

SAMPLES = 6
LIMIT_S = 60
PREFIX = "nn.functional."
RENAMED = {"dim": "axis", "keepdim": "keepdims"}
HERE = {"logsigmoid": "log_sigmoid"}
# That change no value: places beside the values are not compared, and dtype is what it is already.
IGNORED = ("inplace", "_stacklevel", "size_average", "reduce", "return_indices", "dtype")
RANDOM = ("dropout", "dropout2d", "dropout3d", "alpha_dropout", "feature_alpha_dropout", "rrelu",
          "fractional_max_pool2d", "fractional_max_pool3d")


class Slow(Exception):
    """It took longer than LIMIT_S."""


@cache
def samples() -> list[tuple[Any, Any]]:
    """(entry of torch's list, sample input)."""
    from torch.testing._internal.common_methods_invocations import op_db

    found = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for entry in op_db:
            if entry.name.startswith(PREFIX):
                torch.manual_seed(0)
                every = list(entry.sample_inputs("cpu", torch.float64, requires_grad=True))
                places = np.unique(np.linspace(0, len(every) - 1, SAMPLES).round().astype(int))
                found += [(entry, every[k]) for k in places]
    return found


def trial(number: int, seed: int) -> str:
    """One sample."""
    if number >= len(samples()):
        return "unaccepted: there are no more"
    entry, sample = samples()[number]
    name = entry.name.removeprefix(PREFIX)
    where = f"{name} {_shown(sample)}"
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            torch.manual_seed(0)
            value, expected = _theirs(entry.op, sample)
        except Exception as error:
            return f"unaccepted: {where}: {str(error)[:80]}"
        drawn = name in RANDOM and sample.kwargs.get("training", True)
        if drawn or sample.kwargs.get("dropout_p"):
            return f"random: {where}"
        function = getattr(nn, HERE.get(name, name), None)
        if function is None:
            return f"missing: {name}"
        called = _arguments(function, sample)
        if isinstance(called, str):
            return f"missing: {called} of {where}"
        old = signal.signal(signal.SIGALRM, _late)
        signal.alarm(LIMIT_S)
        try:
            return _compared(function, called, sample, value, expected, where)
        finally:
            signal.alarm(0)
            signal.signal(signal.SIGALRM, old)


def _late(*_: Any) -> None:
    raise Slow


def _compared(
    function: Callable[..., Any], called: dict[str, Any], sample: Any, value: Any, expected: Any,
    where: str,
) -> str:
    arrays: dict[str, Any] = {}
    wrt = []
    for name, argument in called.items():
        if isinstance(argument, torch.Tensor):
            arrays[name] = argument.detach().numpy()
            if argument.requires_grad:
                wrt.append(name)
    rest = {n: a for n, a in called.items() if n not in arrays}

    def loss(**given: Any) -> Any:
        made = function(**given, **rest)
        return np.sum((made[0] if isinstance(made, tuple) else made) * _weights(value.shape))

    try:
        module = _made(named(loss, arrays), arrays, wrt)
        found, gradients = module.value_and_grad(**arrays)
    except VerificationError as error:
        return f"{where}: verification: {error}"
    except SympropError as error:
        return f"refused: {where}: {str(error).splitlines()[0]}"
    except Slow:
        return f"{where}: not done in {LIMIT_S} s"
    except Exception as error:
        return f"{where}: {type(error).__name__}: {error}"
    wanted = float((value * torch.as_tensor(_weights(value.shape))).sum())
    if not np.allclose(found, wanted, rtol=1e-8, atol=1e-10, equal_nan=True):
        return f"{where}: {found}, torch says {wanted}"
    for name in wrt:
        right = expected[id(called[name])]
        if not np.allclose(gradients[name], right, rtol=1e-6, atol=1e-9, equal_nan=True):
            return f"{where}: gradient of {name} {gradients[name].ravel()[:4]}, {right.ravel()[:4]}"
    return ""


def _made(function: Any, arrays: dict[str, Any], wrt: list[str]) -> Any:
    """The module; a domain is declared where the data are of it and symprop asks for it."""
    shapes = {}
    for name, array in arrays.items():
        kind = {"i": "int ", "u": "int ", "b": "bool "}.get(array.dtype.kind, "")
        shapes[name] = (kind + " ".join(map(str, array.shape))).strip()
    try:
        return symprop.generate(symprop.trace(function, shapes=shapes, wrt=wrt))
    except InputError as error:
        if "Declare the domain" not in str(error):
            raise
        facts = [symprop.in_range(n, 0, 1) if a.max(initial=0) <= 1 else symprop.positive(n)
                 for n, a in arrays.items()
                 if a.dtype.kind == "f" and a.size and a.min() >= 0]
        return symprop.generate(symprop.trace(function, shapes=shapes, wrt=wrt, facts=facts))


def _theirs(function: Callable[..., Any], sample: Any) -> tuple[Any, dict[int, Any]]:
    leaves = [t for t in (sample.input, *sample.args, *sample.kwargs.values())
              if isinstance(t, torch.Tensor) and t.requires_grad]
    value = function(sample.input, *sample.args, **sample.kwargs)
    value = value[0] if isinstance(value, tuple) else value
    total = (value * torch.as_tensor(_weights(value.shape))).sum()
    found = torch.autograd.grad(total, leaves, allow_unused=True) if leaves else []
    return value.detach(), {
        id(leaf): (torch.zeros_like(leaf) if g is None else g).detach().numpy()
        for leaf, g in zip(leaves, found, strict=True)}


def _weights(shape: Any) -> np.ndarray:
    """What the entries of a result are weighed with: no two alike."""
    return np.cos(np.arange(int(np.prod(shape)), dtype=float) * 1.3).reshape(tuple(shape)) + 0.1


def _arguments(function: Callable[..., Any], sample: Any) -> dict[str, Any] | str:
    """The call by names of symprop.nn; the option that it has not."""
    parameters = inspect.signature(function).parameters
    names = [n for n in parameters if n != "mask"]
    given = [sample.input, *sample.args]
    if function is nn.embedding:  # torch's list has the table first
        given.reverse()
    if given[-1] is True or (given[-1] is False and len(given) > len(names)):
        given.pop()  # return_indices
    if len(given) > len(names):
        return f"argument {len(names)}"
    called = dict(zip(names, given, strict=False))
    if "mask" in parameters:  # a dropout that is not training
        called["mask"] = torch.ones_like(sample.input.detach())
    for name, value in sample.kwargs.items():
        known = RENAMED.get(name, name)
        if name in IGNORED:
            continue
        if known not in parameters:
            if value is None:
                continue
            return name
        called[known] = value
    return {n: v for n, v in called.items() if v is not None or parameters[n].default is not None}


def _shown(sample: Any) -> str:
    def one(value: Any) -> str:
        return f"{tuple(value.shape)}" if isinstance(value, torch.Tensor) else repr(value)

    parts = [one(sample.input), *map(one, sample.args),
             *(f"{n}={one(v)}" for n, v in sample.kwargs.items())]
    return f"({', '.join(parts)})"


def __getattr__(name: str) -> int:
    """MOST: how many samples there are."""
    if name == "MOST":
        return len(samples())
    raise AttributeError(name)
