"""The self-check block that ends every generated module."""

import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from symprop.check.selfcheck import NAMES, selfcheck_context
from symprop.errors import FactError, InputError, ShapeError
from symprop.files.load import load_text
from symprop.files.templates import render

MLP = """
import numpy as np

WRT = ("W1", "b1", "W2", "b2")


def forward(X: "N K", Y: "N M", W1: "K H", b1: "H", W2: "H M", b2: "M", validate=True):
    if validate and not np.allclose(Y.sum(axis=1), 1):
        raise ValueError("Y does not sum to one along axis 1")
    A = np.maximum(X @ W1 + b1, 0)
    Z = A @ W2 + b2
    Z = Z - Z.max(axis=1, keepdims=True)
    E = np.exp(Z)
    s = E.sum(axis=1, keepdims=True)
    return -(Y * (Z - np.log(s))).sum() / X.shape[0], (X, Y, W2, A, E / s)


def backward(saved, dL=1.0):
    X, Y, W2, A, P = saved
    dZ = (P - Y) * (dL / X.shape[0])
    dU = dZ @ W2.T * (A > 0)
    return {"W1": X.T @ dU, "b1": dU.sum(axis=0), "W2": A.T @ dZ, "b2": dZ.sum(axis=0)}
"""
MLP_SHAPES = {"X": "N K", "Y": "N M", "W1": "K H", "b1": "H", "W2": "H M", "b2": "M"}
MLP_WRT = ("W1", "b1", "W2", "b2")
MLP_FACTS = (("sums_to_one", "Y", 1),)


def block(
    shapes: Mapping[str, Any], wrt: Sequence[str], facts: Sequence[object] = (), **more: Any
) -> str:
    context = selfcheck_context(shapes, wrt, facts, **more)
    return render("selfcheck.py.jinja", {"selfcheck": context})


def module(source: str, text: str) -> ModuleType:
    return load_text(f"{source}\n\n{text}", "checked")


def drawn(shapes: Mapping[str, Any], facts: Sequence[object] = (), **more: Any) -> dict[str, Any]:
    text = block(shapes, (), facts, **more)
    return dict(module("import numpy as np", text).draw_inputs(0))


def mlp(**sizes: int) -> str:
    return block(MLP_SHAPES, MLP_WRT, MLP_FACTS, sizes=sizes)


def test_a_right_module_passes_as_a_program(tmp_path: Path) -> None:
    path = tmp_path / "mlp.py"
    path.write_text(f"{MLP}\n\n{mlp()}")
    done = subprocess.run([sys.executable, "-W", "error", path], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[0].split() == ["gradient", "shape", "status", "max", "error", "decided"]
    assert [line.split()[0] for line in lines[1:5]] == list(MLP_WRT)
    assert all(" PASS " in line for line in lines[1:5]) and lines[5] == "PASSED"


@pytest.mark.parametrize("sizes", [{}, {"N": 1}, {"K": 20, "H": 31}])
@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("", ""),
        ("A.T @ dZ", "A.T @ dZ * (1 + 1e-5)"),
        ('"b1": dU.sum(axis=0)', '"b1": dU.sum(axis=0, keepdims=True)'),
        ("dZ.sum(axis=0)}", "dZ.sum(axis=0).astype(np.float32)}"),
        ('"b2": dZ.sum(axis=0)', '"b2": dZ.sum(axis=0) * np.nan'),
        ("(P - Y)", "(P + Y)"),
        ("(A > 0)", "1"),
    ],
)
def test_wrong_gradients_fail(old: str, new: str, sizes: dict[str, int], capsys: Any) -> None:
    status = module(MLP.replace(old, new), mlp(**sizes)).self_check()
    said = capsys.readouterr().out
    assert status == int(old != new)
    assert ("FAIL" in said) == (old != new)


def test_the_block_is_short_prose() -> None:
    lines = mlp().splitlines()
    assert len([line for line in lines if line.strip()]) <= 70
    assert max(map(len, lines)) <= 88
    assert lines[-1] == "    raise SystemExit(self_check())"
    assert mlp() == mlp()


def test_it_defines_the_names_that_it_says() -> None:
    nested = block({"b": [{"W": "20 D"}]}, ["b"], sizes={"D": 30})
    assert set(NAMES) <= set(vars(module("import numpy as np", nested)))


def test_every_domain_is_drawn_from() -> None:
    shapes = {
        "x": "N K", "s": "", "p": "N M", "q": "M N", "r": "A B C", "t": "N", "u": "N", "v": "N",
        "w": "N", "i": "int N T-1", "j": "int", "k": "int N", "o": "int N M", "c": "bool N",
        "free": "float _ 2", "l": "N", "z": "int N",
    }  # fmt: skip
    facts = [
        ("sums_to_one", "p", 1), ("sums_to_one", "q", 0), ("sums_to_one", "r", 1),
        ("positive", "t"), ("in_range", "u", 0, 1), ("one_of", "v", -1, 1),
        ("in_range", "w", -np.inf, 3), ("index", "i", "2*M-1"), ("in_range", "k", 3, 5),
        ("sums_to_one", "o", 1), ("positive", "l"), ("in_range", "l", -4, 10), ("positive", "z"),
    ]  # fmt: skip
    sizes = {"N": 40, "M": 3, "A": 2, "B": 5, "C": 4, "T": 9, "K": 6}
    found = drawn(shapes, facts, sizes=sizes)
    assert list(found) == list(shapes)
    assert found["x"].shape == (40, 6) and found["x"].min() < 0 < found["x"].max()
    assert found["s"].shape == () and found["free"].shape[1] == 2
    for name, axis in (("p", 1), ("q", 0), ("r", 1), ("o", 1)):
        assert np.allclose(found[name].sum(axis=axis), 1) and found[name].min() >= 0
    assert found["q"].shape == (3, 40) and found["r"].shape == (2, 5, 4)
    assert found["t"].min() > 0 and 0 < found["u"].min() < found["u"].max() < 1
    assert set(found["v"]) == {-1.0, 1.0} and found["v"].dtype == np.float64
    assert found["w"].max() < 3 and 0 < found["l"].min() < found["l"].max() < 10
    assert found["i"].shape == (40, 8) and set(found["i"].flat) == set(range(5))
    assert set(found["k"]) == {3, 4, 5} and found["z"].min() >= 1
    assert all(found[name].dtype == np.int64 for name in "iko")
    assert found["j"].shape == () and found["c"].dtype == np.bool_


def test_sizes_are_distinct_and_come_out_whole() -> None:
    found = drawn({"a": "4*H D//2", "b": "T-1 (D+H)//2", "c": "H D T"})
    H, D, T = found["c"].shape
    assert len({H, D, T}) == 3 and D % 2 == 0 and (D + H) % 2 == 0
    assert found["a"].shape == (4 * H, D // 2) and found["b"].shape == (T - 1, (D + H) // 2)


def test_conditions_from_elsewhere_are_kept() -> None:
    x = drawn({"x": "T D"}, whole=["D//12", "T-D"])["x"]
    assert x.shape[1] % 12 == 0 and x.shape[0] > x.shape[1]


def test_sizes_called_like_our_names_give_way() -> None:
    found = drawn({"x": "rng np seed", "rng": "rng", "np": "_"})
    assert found["x"].shape[0] == found["rng"].shape[0]


def test_nested_arguments_are_put_together_and_taken_apart() -> None:
    source = """
import numpy as np

WRT = ("blocks", "pair_0")


def forward(x: "D", blocks: [{"W": "D D"}, {"W": "D D"}], pair: ("D", "int"), validate=True):
    h = blocks[0]["W"] @ x
    return h @ (blocks[1]["W"] @ h) + pair[0] @ x * (1 + pair[1]), (x, blocks, h, pair)


def backward(saved, dL=1.0):
    x, blocks, h, pair = saved
    W = blocks[1]["W"]
    first, second = np.outer((W + W.T) @ h, x), np.outer(h, h)
    return {"blocks": [{"W": dL * first}, {"W": dL * second}], "pair_0": x * dL * (1 + pair[1])}
"""
    shapes = {"x": "D", "blocks": [{"W": "D D"}, {"W": "D D"}], "pair": ("D", "int")}
    text = block(shapes, ["blocks", "pair_0"])
    assert module(source, text).self_check() == 0
    assert module(source.replace("(W + W.T)", "(W + W)"), text).self_check() == 1
    quoted = {name: repr(shape) for name, shape in shapes.items()}
    assert block(quoted, ["blocks", "pair_0"]) == text


def test_zero_gradients_and_gradients_along_a_distribution(capsys: Any) -> None:
    source = """
import numpy as np

WRT = ("c", "p")
ZERO = ("c",)


def forward(c: "", p: "M N", validate=True):
    return (p * p).sum() + 0 * c, (c, p)


def backward(saved, dL=1.0):
    c, p = saved
    return {"c": np.zeros_like(c), "p": 2 * p * dL - 5}
"""
    facts = [("sums_to_one", "p", 0)]
    text = block({"c": "", "p": "M N"}, ["c", "p"], facts, zero=["c"])
    assert module(source, text).self_check() == 0
    assert " ZERO " in capsys.readouterr().out
    assert module(source.replace("np.zeros_like(c)", "np.array(1e-30)"), text).self_check() == 1
    assert module(source.replace("2 * p", "3 * p"), text).self_check() == 1
    assert module(source.replace("0 * c", "1 * c"), text).self_check() == 1


def test_a_kink_at_the_point_itself_does_not_pass(capsys: Any) -> None:
    source = """
import numpy as np

WRT = ("x",)
START = np.random.default_rng(0).normal(size=5)


def forward(x: "N", validate=True):
    return np.maximum(x - SHIFT * START, 0).sum(), (x,)


def backward(saved, dL=1.0):
    return {"x": (saved[0] > SHIFT * START) * dL}
"""
    text = block({"x": "N"}, ["x"], sizes={"N": 5})
    assert module(source.replace("SHIFT", "0.9"), text).self_check() == 0
    assert module(source.replace("SHIFT", "1.0"), text).self_check() == 1


def test_a_loss_that_is_never_finite(capsys: Any) -> None:
    source = """
WRT = ("x",)


def forward(x: "N", validate=True):
    return x.sum() * float("nan"), ()
"""
    assert module(f"import numpy as np\n{source}", block({"x": "N"}, ["x"])).self_check() == 1
    assert "not finite" in capsys.readouterr().out


def test_long_names_stay_within_the_margin() -> None:
    long = "a" * 64
    axes = [f"{letter * 20}" for letter in "ABCDEFGHIJ"]
    shapes = {
        long: "A B", f"p{long[1:]}": " ".join(axes[:3]), "n": [{"W" * 30: "A"}, {"V" * 30: "B"}],
        "x": " ".join(axes[:2]), "y": " ".join(axes[3:5]),
    }  # fmt: skip
    text = block(shapes, [long, "n"], [("sums_to_one", f"p{long[1:]}", 0)])
    compile(text, "block", "exec")
    wide = [line for line in text.splitlines() if len(line) > 88]
    assert not wide


def test_what_is_malformed_is_refused() -> None:
    with pytest.raises(InputError, match="'q' in wrt"):
        selfcheck_context({"x": "N"}, ["q"])
    with pytest.raises(FactError, match="'q'"):
        selfcheck_context({"x": "N"}, ["x"], [("positive", "q")])
    with pytest.raises(ShapeError, match="x"):
        selfcheck_context({"x": "N/2"}, ["x"])
    with pytest.raises(ShapeError, match="x"):
        selfcheck_context({"x": "[{'a': __import__('os').getpid()}]"}, ["x"])
