"""Modules of a derivation by blocks: each lemma is two functions; the gradients are the flat ones.

The flat module is the oracle, and finite differences through the module's own self-check. A module
whose functions compute or are handed something else is refused before it is written.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from built_models import built
from mutants import mutant
from test_blocks import NETWORKS, transformer

import symprop
from symprop.by_blocks import BlockDerivation
from symprop.check.selfcheck import NAMES
from symprop.cli import main
from symprop.close import Mismatch, close
from symprop.close.calls import arguments, gradients
from symprop.emit.module import GeneratedModule
from symprop.interpret import draw
from symprop.lower.program import Program
from symprop.system import System
from symprop.train.signature import signature_of_source
from symprop.zoo import models
from symprop.zoo.attention import GPT_BLOCK

REPEATING = ("residual_block", "gpt", "gpt_tied", "llama_block", "vision_transformer")


@cache
def made(name: str) -> tuple[BlockDerivation, Program, GeneratedModule]:
    derivation = symprop.derive(NETWORKS[name][0]())
    return derivation, derivation.lowered, symprop.generate(derivation)


def flat_module(system: System) -> GeneratedModule:
    return symprop.generate(symprop.derive(system, structure="flat"))


def agree(system: System, flat: Any, blocks: Any, dtype: Any, tolerance: float) -> None:
    """Loss and gradients on three sets of sizes, with the dtypes of the flat module."""
    for seed in range(3):
        _, leaves = draw(system, seed)
        leaves = {n: a.astype(dtype) if a.dtype.kind == "f" else a for n, a in leaves.items()}
        given = arguments(system.arguments, leaves)
        (loss, found), (own, mine) = flat.value_and_grad(**given), blocks.value_and_grad(**given)
        assert own.dtype == loss.dtype
        np.testing.assert_allclose(own, loss, rtol=tolerance)
        expected, grads = gradients(system, found), gradients(system, mine)
        assert list(grads) == list(expected)
        for name, grad in expected.items():
            assert (grads[name].dtype, grads[name].shape) == (grad.dtype, grad.shape)
            np.testing.assert_allclose(
                grads[name], grad, rtol=0, atol=tolerance * np.abs(grad).max(initial=0))


@pytest.mark.parametrize("name", [
    n if n == "steps" else pytest.param(n, marks=pytest.mark.deep) for n in NETWORKS])
def test_both_forms_give_the_same_gradients(name: str) -> None:
    derivation, _, module = made(name)
    flat = symprop.generate(derivation.flat)
    agree(derivation.system, flat, module, np.float64, 1e-12)
    agree(derivation.system, flat, module, np.float32, 1e-5)


def same_as_flat(name: str) -> None:
    """Gradients of a zoo model, and operations within 1 %."""
    flat = built(name)
    derivation = symprop.derive(flat.system)
    assert bool(derivation.lemmas) == (name in REPEATING)
    agree(flat.system, flat.module, symprop.generate(derivation), np.float64, 1e-12)
    sizes = dict.fromkeys(flat.system.sizes, 64)
    counts = [sum(d.operations(sizes).values()) for d in (flat.derivation, derivation)]
    assert abs(counts[1] - counts[0]) <= 0.01 * counts[0]


def test_a_zoo_model_has_the_gradients_of_its_flat_form() -> None:
    same_as_flat("residual_block")


@pytest.mark.deep
@pytest.mark.parametrize("name", [n for n in models() if n in (*REPEATING, "mlp", "lstm")])
def test_every_zoo_model_with_lemmas_has_the_gradients_of_its_flat_form(name: str) -> None:
    """The others have none: all their helpers are written in place, as in two of them here."""
    same_as_flat(name)


# ---- the text -------------------------------------------------------------------------------


def test_each_lemma_is_one_pair_of_functions() -> None:
    derivation, _, module = made("transformer")
    names = [lemma.block.name for lemma in derivation.lemmas]
    found = re.findall(r"^def (\w+)", module.source, re.MULTILINE)
    inside = [n for n in found if n in names or n.removesuffix("_backward") in names]
    assert inside == [n for name in names for n in (name, f"{name}_backward")]


@pytest.mark.deep
def test_the_functions_of_lemmas_are_the_same_at_any_depth() -> None:
    deeper = symprop.generate(symprop.derive(transformer(3)))
    first, second = (m.source.split("def layer_norm(")[1].split("def forward(")[0]
                     for m in (made("transformer")[2], deeper))
    assert first == second


def test_the_margins_have_the_numbers_of_the_derivation() -> None:
    derivation, _, module = made("transformer")
    text = derivation.text()
    written = set(re.findall(r"# \((\d+\.[FB]\d+)\)", module.source))
    assert {"1.F1", "1.B1"} <= written
    assert all(f"({number})" in text for number in written)
    assert "layer_norm(x, g, b):" in module.source
    assert "return dx, dg, db" in module.source


def helper(dtype: Any) -> Any:
    """Names that the module has for itself."""
    saved = np.exp(-dtype * dtype)
    forward = saved + dtype
    return forward / np.sqrt(1 + saved * saved)


def test_names_of_blocks_give_way() -> None:
    """To the module's own functions and variables."""
    def read(x: Any) -> Any:
        dx = np.tanh(x)
        return dx / np.sqrt(1 + dx * dx)

    def loss(helper_saved: "N", read_: "N", saved: "N", dL: "N"):
        return (helper(helper_saved) * helper(read_) * read(saved) * read(dL)).sum()

    module = symprop.generate(symprop.derive(symprop.trace(loss)))
    assert {"helper", "read_2"} <= set(re.findall(r"^def (\w+)", module.source, re.MULTILINE))


def test_what_is_hidden_by_an_argument_has_another_name() -> None:
    def loss(layer: "N", W: "N N", V: "N N"):
        return (unit(unit(layer, W), V) ** 2).sum()

    def unit(x: Any, layer: Any) -> Any:
        z = x @ layer
        s = np.sqrt(1 + z * z)
        return z / s

    unit.__name__ = "layer"
    unit.__code__ = unit.__code__.replace(co_name="layer")
    module = symprop.generate(symprop.derive(symprop.trace(loss)))
    assert "def layer_2(x, layer):" in module.source


# ---- what a caller may do -------------------------------------------------------------------


def test_a_block_whose_result_or_gradient_nobody_wants() -> None:
    """An unread result has the adjoint 0; a gradient that is not wanted is dropped."""
    def two(x: Any, w: Any) -> Any:
        z = x * w
        s = np.sqrt(1 + z * z)
        return z / s, s

    def loss(x: "N", y: "N", w: "N"):
        a, s = two(x, w)
        b, _ = two(y, w)
        return (a * s + b * b).sum()

    for wrt in (["x"], ["w"]):
        system = symprop.trace(loss, wrt=wrt)
        derivation = symprop.derive(system)
        assert [m.block.name for m in derivation.lemmas] == ["two"]
        agree(system, flat_module(system), symprop.generate(derivation),
              np.float64, 1e-12)


def test_sizes_and_dtypes_that_no_argument_shows_are_handed_on() -> None:
    def centred(x: Any) -> Any:
        z = x - x.sum() / x.shape[0] + np.arange(x.shape[0])
        s = np.sqrt(1 + z * z)
        return z / s

    def loss(y: "T", w: "T-1"):
        return (centred(centred(y[1:] * w)) ** 2).sum()

    module = symprop.generate(symprop.derive(symprop.trace(loss)))
    assert "def centred(x, T, dtype):" in module.source
    y, w = np.arange(5.0, dtype=np.float32), np.ones(4, np.float32)
    assert {g.dtype for g in module.value_and_grad(y, w)[1].values()} == {y.dtype}


def test_predict_calls_the_lemmas_and_a_gradient_of_zero_is_known() -> None:
    def weights(x: Any, w: Any, c: Any) -> Any:
        z = x @ w + c  # the softmax does not move with c
        e = np.exp(z - z.max(axis=1, keepdims=True))
        return e / e.sum(axis=1, keepdims=True)

    def loss(x: "N D", V: "D D", W: "D D", b: "1", c: "1", y: "N D"):
        p = weights(weights(x, V, b), W, c)
        return ((p - y) ** 2).sum(), {"p": np.tanh(p)}

    system = symprop.trace(loss, wrt=["V", "W", "b", "c"])
    module = symprop.generate(symprop.derive(system))
    assert module.ZERO == flat_module(system).ZERO == ("c", "b")
    assert module.source.split("def predict")[1].split("return")[0].count("weights(") == 2


def test_the_module_checks_itself(tmp_path: Path) -> None:
    _, _, module = made("steps")
    assert set(NAMES) <= {*dir(module._module)} | {"leaves", "unit_steps"}
    assert module.self_check() == 0
    assert symprop.check(module).passed


# ---- branches -------------------------------------------------------------------------------


def cubed(x: Any) -> Any:
    a = x * x
    b = a * x
    return np.log(b)


def picked(c: Any, r: Any) -> Any:
    z = np.where(c > 0, r, 0)
    y = z * z
    return y + z


def safe(x: "N", c: "N", u: "N", d: "N"):
    return (picked(c, cubed(x)) + 2 * picked(d, cubed(u)) ** 2).sum()


def test_a_branch_that_guards_what_another_helper_computes() -> None:
    """Where x is 0 and c does not hold, the gradient is 0 and nothing warns."""
    module = symprop.generate(symprop.derive(symprop.trace(safe, wrt=["x", "u"])))
    x, c = np.array([0.0, 1.0, -1.0, 2.0]), np.array([-1.0, 1.0, -1.0, 1.0])
    _, found = module.value_and_grad(x, c, x, c)
    np.testing.assert_allclose(found["x"], [0, 3, 0, 3 * (1 + 2 * 3 * np.log(2)) / 2])


# ---- loops over lists -----------------------------------------------------------------------


def dense(x: Any, W: Any, b: Any) -> Any:
    z = x @ W + b
    a = np.tanh(z)
    return x + a / np.sqrt(1 + a * a)


def stacked(depth: int, wrt: list[str] | None = None) -> System:
    """Two lists, one of them a tuple; an output."""
    def loss(x: Any, Ws: Any, bs: Any, y: Any) -> Any:
        for W, b in zip(Ws, bs, strict=True):
            x = dense(x, W, b)
        return ((x - y) ** 2).mean(), {"x": x * 2.0}

    shapes = {"x": "N D", "Ws": ["D D"] * depth, "bs": ("D",) * depth, "y": "N D"}
    return symprop.trace(loss, shapes, wrt=wrt)


@cache
def stacked_module(depth: int) -> GeneratedModule:
    return symprop.generate(symprop.derive(stacked(depth, ["Ws", "bs"])))


def test_blocks_in_a_row_are_a_loop_over_lists_whatever_their_number() -> None:
    three, five = (stacked_module(n).source.splitlines()[1:] for n in (3, 5))
    assert len(three) == len(five)
    changed = [(a, b) for a, b in zip(three, five, strict=True) if a != b]
    assert all(re.sub(r"\d+", "", a) == re.sub(r"\d+", "", b) for a, b in changed)
    text = "\n".join(three)
    assert "for W, b in zip(Ws_read, bs_read):" in text
    assert "for l, saved in reversed([*enumerate(saved_x3)]):" in text and 'Ws: ["D D"] * 3' in text


def test_a_module_with_loops_keeps_the_contract() -> None:
    system, module = stacked(3, ["Ws", "bs"]), stacked_module(3)
    flat = flat_module(system)
    agree(system, flat, module, np.float64, 1e-12)
    agree(system, flat, module, np.float32, 1e-5)
    assert module.self_check() == 0 and symprop.check(module).passed
    assert str(signature_of_source(module.source, "net").parameters[0]) == "Ws_0: 'D D'"
    _, leaves = draw(system, 0)
    given = arguments(system.arguments, leaves)
    assert isinstance(module.value_and_grad(**given)[1]["bs"], tuple)
    np.testing.assert_array_equal(
        *(m.predict(given["x"], given["Ws"], given["bs"])["x"] for m in (flat, module)))
    with pytest.raises(ValueError, match="Ws must have 3 entries"):
        module.forward(**{**given, "Ws": given["Ws"][:2]})
    with pytest.raises(ValueError, match=r"Ws_1 must have the shape \(D D\)"):
        module.forward(**{**given, "Ws": [given["Ws"][0], np.ones((1, 1)), given["Ws"][2]]})
    with pytest.raises(TypeError, match="bs_2 must hold floats"):
        module.forward(**{**given, "bs": (*given["bs"][:2], given["bs"][2] > 0)})


def nested(x: "N D", blocks: [{"p": {"W": "D D"}, "b": ("D", "D")}] * 2, V: "D D", v: "D", w: "D"):
    """Entries within entries; the last call in the row is of other parameters."""
    def layer(x: Any, W: Any, b: Any, c: Any) -> Any:
        z = x @ W + b
        return x + c * z / np.sqrt(1 + z * z)

    for block in blocks:
        x = layer(x, block["p"]["W"], *block["b"])
    return (layer(x, V, v, w) ** 2).sum()


def test_entries_within_entries_are_read_and_handed_back() -> None:
    system = symprop.trace(nested)
    module = symprop.generate(symprop.derive(system))
    assert "for block in blocks_read:" in module.source
    assert module.self_check() == 0
    agree(system, flat_module(system), module, np.float64, 1e-12)


LAYER = {"W": "D D", "b": "D"}


@dataclass
class Net:
    """Parameters as a dataclass, whose layers are a list."""

    layers: [LAYER] * 3
    V: "D"


def in_a_dict(x: "N D", params: {"layers": [LAYER] * 3, "out": {"V": "D"}}):
    for layer in params["layers"]:
        x = dense(x, **layer)
    return ((x @ params["out"]["V"]) ** 2).sum(), {"x": 2.0 * x}


def in_two_places(x: "N D", net: {"enc": [("D D", "D")] * 3, "more": [["D D"] * 2, "D"]}):
    for W, b in net["enc"]:
        x = dense(x, W, b)
    for W in net["more"][0]:
        x = dense(x, W, np.zeros(x.shape[1]))
    return (x * net["more"][1]).sum()


def in_a_dataclass(x: "N D", net: Net):
    for layer in net.layers:
        x = dense(x, layer["W"], layer["b"])
    return ((x @ net.V) ** 2).sum()


def called_alike(x: "N D", blocks: {"blocks": [LAYER] * 2}, block: "D", read: ["D D"] * 2):
    """Arguments that are called as the module would call what it makes."""
    for layer in blocks["blocks"]:
        x = dense(x, **layer)
    for W in read:
        x = dense(x, W, np.ones(x.shape[1]))
    return (x * block).sum()


@pytest.mark.parametrize("loss, lists", [
    (in_a_dict, ["params_layers"]), (in_two_places, ["net_enc", "net_more_0"]),
    (in_a_dataclass, ["net_layers"]), (called_alike, ["blocks_blocks", "read"])])
def test_lists_within_arguments_are_looped_over(loss: Any, lists: list[str]) -> None:
    system = symprop.trace(loss)
    derivation = symprop.derive(system)
    assert [s.name for s in derivation.lowered.stacks] == lists
    module = symprop.generate(derivation)
    assert module.self_check() == 0 and symprop.check(module).passed
    agree(system, flat_module(system), module, np.float64, 1e-12)
    _, leaves = draw(system, 0)
    given = arguments(system.arguments, leaves)
    short = {k: {**a, "layers": a["layers"][:-1]} for k, a in given.items()
             if isinstance(a, dict) and "layers" in a}
    if short:
        with pytest.raises(ValueError, match=r"\['layers'\] must have 3 entries"):
            module.forward(**{**given, **short})


def read_between(x: "N D", Ws: ["D D", "D D", "D D"], b: "D"):
    """What one turn hands to the next is read elsewhere."""
    kept = []
    for W in Ws:
        x = dense(x, W, np.zeros(x.shape[1]))
        kept.append(x)
    return (kept[0] * kept[1] * kept[2] * b).sum()


def shared_by_turns(x: "N D", Ws: ["D D", "D D", "D D"], b: "D"):
    """The gradient of b is a sum over the turns."""
    for W in Ws:
        x = dense(x, W, b)
    return (x * x).sum()


def penalised(x: "N D", Ws: ["D D", "D D", "D D"], b: "D"):
    """The list is read outside the loop."""
    for W in Ws:
        x = dense(x, W, np.ones(x.shape[1]))
    return (x * x).sum() + sum((W * W).sum() for W in Ws) * b.sum()


@pytest.mark.deep
@pytest.mark.parametrize("loss", [read_between, shared_by_turns, penalised])
def test_a_row_of_blocks_that_is_no_loop_is_written_out(loss: Any) -> None:
    system = symprop.trace(loss)
    module = symprop.generate(symprop.derive(system))
    assert module.source.count(" = dense(") == 3
    agree(system, flat_module(system), module, np.float64, 1e-12)


@pytest.mark.parametrize("right, wrong", [
    ("zip(Ws_read, bs_read)", "zip(Ws_read[::-1], bs_read)"),
    ("reversed([*enumerate(saved_x3)])", "enumerate(saved_x3)"),
    ("dWs.insert(0, dW)", "dWs.append(dW)"),
    ("dense(x3, W, b)", "dense(x, W, b)"),
    ("Ws_read.append(", "Ws_read.insert(0, "),
], ids=["lists", "order", "gradients", "carried", "door"])
def test_a_loop_that_goes_wrong_is_refused(right: str, wrong: str) -> None:
    derivation = symprop.derive(stacked(3, ["Ws", "bs"]))
    source = stacked_module(3).source
    assert right in source
    with pytest.raises(Mismatch):
        close(derivation, derivation.lowered,
              GeneratedModule(source.replace(right, wrong), "loops"))


@pytest.mark.deep
def test_a_gpt_has_as_many_lines_at_any_depth() -> None:
    model = models()["gpt"]
    counts = set()
    for depth in (2, 4):
        system = symprop.trace(model.function, wrt=model.wrt, shapes={
            "blocks": [GPT_BLOCK] * depth})
        module = symprop.generate(symprop.derive(system))
        counts.add(len(module.source.splitlines()))
    assert len(counts) == 1 and max(counts) < 650


# ---- gradients that nobody asks for ---------------------------------------------------------


def layered(x: "N D", W1: "D D", b1: "D", W2: "D D", b2: "D", y: "N D"):
    """The gradient of the data is asked for by nobody."""
    return ((dense_out(dense_out(x, W1, b1), W2, b2) - y) ** 2).mean()


def dense_out(x: Any, W: Any, b: Any) -> Any:
    z = x @ W + b
    a = np.tanh(z)
    return a / np.sqrt(1 + a * a)


def listed(x: "N D", layers: [("D D", "D")] * 4, y: "N D"):
    for W, b in layers:
        x = dense_out(x, W, b)
    return ((x - y) ** 2).mean()


def within(x: "N D", W: "D D", b: "D", V: "D D", c: "D", U: "D D", d: "D"):
    """A block that uses others, first of the data, and once of fixed weights."""
    def two(x: Any, W: Any, b: Any, V: Any, c: Any) -> Any:
        return dense_out(dense_out(x, W, b), V, c)

    return (two(two(x, W, b, V, c), U, d, W, b) ** 2).sum() + dense_out(x, U, d).sum()


@pytest.mark.parametrize("loss, wrt", [
    (layered, ["W1", "b1", "W2", "b2"]), (layered, ["W1", "W2"]), (layered, ["W2", "b1"]),
    (listed, ["layers"]), (within, ["W", "b", "V", "c", "U", "d"]), (within, ["V", "c"]),
])
def test_what_is_asked_for_nowhere_is_not_worked_out(loss: Any, wrt: list[str]) -> None:
    """As in the flat form: counted operations are within 1 %."""
    system = symprop.trace(loss, wrt=wrt)
    derivation = symprop.derive(system)
    assert "dense_out" in [m.block.name for m in derivation.lemmas]
    sizes = dict.fromkeys(system.sizes, 64)
    own, flat = (sum(d.operations(sizes).values()) for d in (derivation, derivation.flat))
    assert own <= 1.01 * flat
    module = symprop.generate(derivation)
    assert "if need_dx:" in module.source
    agree(system, flat_module(system), module, np.float64, 1e-12)
    assert module.self_check() == 0


@pytest.mark.parametrize("right, wrong", [
    ("need_dx=l > 0", "need_dx=l > 1"), ("need_dx=l > 0", "need_dx=False"),
    ("    if need_dx:\n        dx = dz @ W.T", "    if not need_dx:\n        dx = dz @ W.T")])
def test_a_gradient_that_is_left_out_wrongly_is_missed(right: str, wrong: str) -> None:
    derivation = symprop.derive(symprop.trace(listed, wrt=["layers"]))
    source = symprop.generate(derivation).source
    assert right in source
    with pytest.raises(Mismatch):
        close(derivation, derivation.lowered, GeneratedModule(source.replace(right, wrong), "l"))


# ---- the closed loop ------------------------------------------------------------------------


def closed(name: str, source: str) -> None:
    derivation, program, _ = made(name)
    close(derivation, program, GeneratedModule(source, name))


@pytest.mark.parametrize("name", ["transformer", "steps"])
def test_a_module_with_one_fault_is_refused(name: str) -> None:
    """All but one at the most, for a change of the text may change no value."""
    source = made(name)[2].source
    closed(name, source)
    passed = []
    for seed in range(4):
        wrong, what = mutant(source, seed)
        try:
            closed(name, wrong)
        except Mismatch:
            continue
        passed.append(what)
    assert len(passed) <= 1, passed


@pytest.mark.parametrize("name, right, wrong", [
    ("transformer", "layer_norm(x2, g, b)", "layer_norm(x2, b, g)"),
    ("transformer", "head_backward(saved_pu2", "head_backward(saved_pu"),
    ("transformer", "return dx, dg, db", "return dx, db, dg"),
    ("transformer", "return out, (c_hat, g, rms)", "return out * 1, (c_hat, g, rms)"),
    ("transformer", "    return dq, dk, dv", "    dv = dv * 2\n    return dq, dk, dv"),
    ("steps", "def forward(", "def step(x, h, c, W):\n    return 0, 0, ()\n\n\ndef forward("),
], ids=["arguments", "saved", "gradients", "a copy", "a gradient", "another function"])
def test_what_is_handed_over_wrongly_is_refused(name: str, right: str, wrong: str) -> None:
    source = made(name)[2].source
    assert right in source
    with pytest.raises(Mismatch):
        closed(name, source.replace(right, wrong))


def test_a_lemma_that_changes_what_is_saved_is_refused() -> None:
    source = made("transformer")[2].source
    wrong = source.replace("    dv = p.T @ dout", "    v *= 2\n    dv = p.T @ dout")
    assert wrong != source
    with pytest.raises(Mismatch):
        closed("transformer", wrong)


# ---- the command line -----------------------------------------------------------------------


def test_the_command_line_writes_both_forms(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "twice.py"
    file.write_text(
        "import numpy as np\n\n\ndef layer(x, W):\n    z = x @ W\n    s = np.sqrt(1 + z * z)\n"
        "    return z / s\n\n\ndef loss(x: 'N', V: 'N N', W: 'N N'):\n"
        "    return (layer(layer(x, V), W) ** 2).sum()\n")
    command = ["generate", f"{file}:loss"]
    assert main.run([*command, "--structure", "blocks"]) == 0
    blocks = capsys.readouterr().out
    assert main.run([*command, "--flat"]) == 0
    flat = capsys.readouterr().out
    assert main.run(command) == 0
    assert capsys.readouterr().out == blocks
    assert "def layer_backward(" in blocks and "def layer" not in flat
    assert main.run(["check", f"{file}:loss"]) == 0 == main.run(["check", f"{file}:loss", "--flat"])
