"""Makes wrong modules out of right ones, by one random fault each.

In: a seed. Out: a module whose backward is wrong, and the fault in words. Faults in the text of
`backward` (sign, factor, transpose, axis, index, comparison) and faults around it (dtype, state
between calls, a size threshold, saved, dL). A fault that changes nothing is drawn again.
"""

from __future__ import annotations

import ast
import inspect
import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np

from symprop.files.load import load_text

GENERATED = Path(__file__).resolve().parents[1] / "generated"
NAMES = (
    "mlp", "mlp_sigmoid_mse", "perceptron", "linear_regression", "logistic_regression",
    "softmax_regression", "matrix_factorization", "word2vec", "autoencoder", "elman_rnn",
    "attention",
)  # fmt: skip
AROUND = ("dtype", "state", "late state", "threshold", "size of one", "saved", "global", "dL",
          "buffer", "float32")
MOST_TRIES = 40


@dataclass(frozen=True)
class Wrong:
    """A wrong module, and what is wrong with it."""

    module: Any
    fault: str


def wrong_module(seed: int) -> Wrong:
    """Return one wrong module."""
    rng = random.Random(seed)
    for _ in range(MOST_TRIES):
        name = rng.choice(NAMES)
        source = (GENERATED / f"{name}.py").read_text(encoding="utf-8")
        if rng.random() < 0.6:
            text, fault = changed_text(source, rng)
            wrong: Any = load_text(text, f"{name}_wrong")
        else:
            kind = rng.choice(AROUND)
            right = load_text(source, f"{name}_right")
            wrong, fault = around(right, kind, rng), kind
            return Wrong(wrong, f"{name}: {fault}")
        if differs(load_text(source, f"{name}_right"), wrong):
            return Wrong(wrong, f"{name}: {fault}")
    raise AssertionError("no fault that changes something was found")


def differs(right: ModuleType, wrong: ModuleType) -> bool:
    """Say whether a backward that runs at all returns anything else than the right one."""
    for seed in range(3):
        inputs = right.draw_inputs(seed)
        expected = right.backward(right.forward(**inputs)[1], 1.5)
        try:
            found = wrong.backward(wrong.forward(**inputs)[1], 1.5)
        except Exception:
            return False
        for name, grad in expected.items():
            if np.shape(found[name]) != np.shape(grad):
                return True
            if not np.allclose(found[name], grad, rtol=1e-5, atol=1e-7):
                return True
    return False


def changed_text(source: str, rng: random.Random) -> tuple[str, str]:
    """Change one place of the text of backward."""
    tree = ast.parse(source)
    backward = next(n for n in tree.body if isinstance(n, ast.FunctionDef) and n.name == "backward")
    places = [(node, change) for node in ast.walk(backward) for change in changes(node)]
    node, change = rng.choice(places)
    before = ast.unparse(node)
    change()
    return ast.unparse(tree), f"{before} -> {ast.unparse(node)}"


def changes(node: ast.AST) -> list[Callable[[], None]]:
    """Return what can be done to one node of a tree."""
    match node:
        case ast.BinOp(op=ast.Add()):
            return [lambda: setattr(node, "op", ast.Sub())]
        case ast.BinOp(op=ast.Sub()):
            return [lambda: setattr(node, "op", ast.Add())]
        case ast.BinOp(op=ast.Mult(), left=left):
            return [lambda: setattr(node, "right", ast.Constant(1)),
                    lambda: setattr(node, "left", ast.BinOp(left, ast.Mult(), ast.Constant(2.0)))]
        case ast.BinOp(op=ast.Div()):
            return [lambda: setattr(node, "op", ast.Mult())]
        case ast.UnaryOp(op=ast.USub()):
            return [lambda: setattr(node, "op", ast.UAdd())]
        case ast.Compare(ops=[ast.Gt()]):
            return [lambda: setattr(node, "ops", [ast.Lt()])]
        case ast.keyword(arg="axis", value=ast.Constant(value=int(axis))):
            return [lambda: setattr(node, "value", ast.Constant(1 - axis if axis < 2 else 0))]
        case ast.Subscript(slice=ast.Slice(lower=ast.Constant(), upper=None)):
            return [lambda: setattr(node, "slice", ast.Slice(None, ast.Constant(-1)))]
        case ast.Subscript(slice=ast.Constant(value=int(index))):
            return [lambda: setattr(node, "slice", ast.Constant(index + 1))]
    return []


def around(right: ModuleType, kind: str, rng: random.Random) -> SimpleNamespace:
    """Wrap the functions of a right module so that they are wrong in one way."""
    backward, forward = right.backward, right.forward
    name = rng.choice(right.WRT)
    memory: dict[str, Any] = {"calls": 0}
    until, most = rng.randint(1, 39), rng.choice([64, 50, 20])

    def spoiled(grads: dict[str, Any], when: bool) -> dict[str, Any]:
        return {n: g * g.dtype.type(1.5) if when and n == name else g for n, g in grads.items()}

    def keeping(*args: Any, **more: Any) -> Any:
        loss, saved = forward(*args, **more)
        memory["saved"] = saved
        return loss, saved

    keeping.__annotations__ = dict(forward.__annotations__)
    keeping.__signature__ = inspect.signature(forward)  # type: ignore[attr-defined]

    def wrong(saved: Any, dL: float = 1.0) -> Any:
        memory["calls"] += 1
        if kind == "global":
            return backward(memory["saved"], dL)
        if kind == "dL":
            return backward(saved, 1.0)
        grads = backward(saved, dL)
        largest = max((s for g in grads.values() for s in np.shape(g)), default=0)
        least = min((s for g in grads.values() for s in np.shape(g)), default=0)
        single = any(np.asarray(g).dtype == np.float32 for g in grads.values())
        if kind == "dtype":
            return {n: g.astype(np.float32) if n == name else g for n, g in grads.items()}
        if kind == "saved":
            array = next(a for a in saved if isinstance(a, np.ndarray) and a.dtype.kind == "f")
            if array.flags.writeable:
                array *= 1.5
            return grads
        if kind == "buffer":
            memory.setdefault(np.shape(grads[name]), np.empty_like(grads[name]))
            kept = memory[np.shape(grads[name])]
            if kept.dtype != grads[name].dtype:
                return grads
            kept[...] = grads[name]
            return {**grads, name: kept}
        when = {"state": memory["calls"] > 1, "late state": memory["calls"] > until,
                "threshold": largest >= most, "size of one": least == 1, "float32": single}
        return spoiled(grads, when[kind])

    parts = {**vars(right), "backward": wrong, "forward": keeping}
    parts.pop("value_and_grad", None)
    return SimpleNamespace(**parts)
