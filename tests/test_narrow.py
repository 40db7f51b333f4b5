"""Programs whose axes are long numbers are looked at through a narrow twin."""

import io
import tokenize
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

import symprop
from symprop import nn
from symprop.algebra.build import mul, number
from symprop.algebra.expr import adjoint
from symprop.blocks import run as blocks_run
from symprop.blocks.narrowed import narrowed as narrowed_blocks
from symprop.close import loop as close_loop
from symprop.close.narrowed import narrowed as narrowed_module
from symprop.emit import module as emit_module
from symprop.emit.module import GeneratedModule
from symprop.errors import InputError, VerificationError
from symprop.interpret import draw, run
from symprop.interpret import narrow as narrowing
from symprop.interpret.budget import work
from symprop.interpret.narrow import narrow
from symprop.verify.trial import Trial


def network(x: "N 3 48 48", y: "int N", w: "64 3 3 3", v: "96 64 3 3", W: "96 1000") -> Any:
    h = nn.relu(nn.conv2d(x, w, stride=2, padding=1))
    h = nn.relu(nn.conv2d(h, v, padding=1))
    return nn.cross_entropy(h.mean(axis=(2, 3)) @ W, y)


SYSTEM = symprop.trace(network, wrt=("w", "v", "W"))


def test_channels_and_classes_become_few_and_pictures_stay() -> None:
    twin = narrow(SYSTEM)
    assert twin is not None
    lengths = {n: [s.number for s in a.shape] for n, a in twin.system.arrays.items()}
    assert lengths["v"] == [7, 6, 3, 3]
    assert lengths["W"] == [7, 8]
    assert lengths["x"][1:] == [3, 48, 48]
    sizes, inputs = draw(twin.system, 0)
    arrays = run(twin.system, inputs, sizes)
    assert np.isfinite(arrays[SYSTEM.loss])
    assert work(twin.system, sizes) < work(SYSTEM, sizes) / 50


def test_what_is_small_has_no_twin() -> None:
    def small(x: "N 64", w: "64 64") -> Any:
        return ((x @ w) ** 2).sum()

    assert narrow(symprop.trace(small, wrt=("w",))) is None


@pytest.mark.parametrize("reckoned", [
    lambda h: h[:, 1:] - h[:, :-1],  # positions beside each other
    lambda h: np.where(np.arange(64) % 2 == 0, h, 0.0),  # a bracket on the index
    lambda h: h.reshape(-1, 8, 8).sum(axis=2),
    lambda h: h.mean(axis=1),
])
def test_a_length_that_is_reckoned_with_stays(
    reckoned: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def loss(x: "N 32", w: "32 64") -> Any:
        return (reckoned(x @ w) ** 2).sum()

    monkeypatch.setattr(narrowing, "AS_IT_IS", 0)
    twin = narrow(symprop.trace(loss, wrt=("w",)))
    assert twin is not None
    assert [s.number for s in twin.system.arrays["w"].shape] == [6, 64]


def test_a_mean_over_a_long_axis_is_verified_in_full() -> None:
    """In the twin, where the axis is short, 1/3000 is no mean: what it refutes does not count."""
    def loss(x: "N 700", w: "700 3000") -> Any:
        h = np.tanh(x @ w)
        c = h - h.mean(axis=1, keepdims=True)
        return (c**4).sum()

    symprop.derive(symprop.trace(loss, wrt=("w",))).verify()


def test_a_wrong_line_is_refuted_in_the_twin_and_in_full() -> None:
    derivation = symprop.derive(SYSTEM)
    derivation.verify()
    adjoints = list(derivation.adjoints)
    k = next(k for k, a in enumerate(adjoints) if a.primal == "v")
    steps = list(adjoints[k].steps)
    steps[-1] = replace(steps[-1], after=mul(number(2), steps[-1].after))
    adjoints[k] = replace(adjoints[k], steps=tuple(steps), rhs=steps[-1].after)
    twin = narrow(SYSTEM, adjoints)
    assert twin is not None
    with pytest.raises(VerificationError, match=adjoints[k].number):
        Trial(twin, 0).check(points=False)


def test_the_function_is_compared_at_few_channels() -> None:
    """What is traced is not what runs: seen although the declared sizes are long."""
    def loss(x: "N 3 32 32", w: "256 3 5 5", W: "256 1000") -> Any:
        h = nn.conv2d(x, w)
        if isinstance(h, np.ndarray) and type(h) is np.ndarray:
            h = h + 1
        return (np.tanh(h.mean(axis=(2, 3)) @ W) ** 2).sum()

    with pytest.raises(VerificationError, match="not the function"):
        symprop.trace(loss, wrt=("w", "W"))


# ---- lengths in proportion, and the module's twin -------------------------------------------


def picogpt(heads: int = 3, width: int = 48, layers: int = 2, words: int = 301) -> Any:
    """A GPT in the style of picoGPT: heads in lists, dicts of parameters, lengths as numbers."""
    def linear(x: Any, w: Any, b: Any) -> Any:
        return x @ w + b

    def softmax(x: Any) -> Any:
        e = np.exp(x - x.max(-1, keepdims=True))
        return e / e.sum(-1, keepdims=True)

    def layer_norm(x: Any, g: Any, b: Any) -> Any:
        mean = x.mean(-1, keepdims=True)
        variance = ((x - mean) ** 2).mean(-1, keepdims=True)
        return g * (x - mean) / np.sqrt(variance + 1e-5) + b

    def attention(q: Any, k: Any, v: Any, mask: Any) -> Any:
        return softmax(q @ k.T / np.sqrt(q.shape[-1]) + mask) @ v

    def block(x: Any, mlp: Any, attn: Any, ln: Any) -> Any:
        h = linear(layer_norm(x, **ln), **attn["qkv"])
        parts = [np.split(part, heads, axis=-1) for part in np.split(h, 3, axis=-1)]
        mask = (1 - np.tri(x.shape[0])) * -1e10
        x = x + linear(np.hstack([attention(*a, mask) for a in zip(*parts, strict=True)]),
                       **attn["proj"])
        return x + linear(nn.gelu(linear(x, **mlp["fc"])), **mlp["proj"])

    def loss(tokens: Any, targets: Any, wte: Any, wpe: Any, blocks: Any, ln: Any) -> Any:
        x = wte[tokens] + wpe[range(len(tokens))]
        for one in blocks:
            x = block(x, **one)
        x = layer_norm(x, **ln)
        return -np.log(softmax(x @ wte.T)[np.arange(len(targets)), targets]).mean()

    def dense(n: int, m: int) -> Any:
        return {"w": f"{n} {m}", "b": f"{m}"}

    one = {"mlp": {"fc": dense(width, 4 * width), "proj": dense(4 * width, width)},
           "attn": {"qkv": dense(width, 3 * width), "proj": dense(width, width)},
           "ln": {"g": f"{width}", "b": f"{width}"}}
    shapes = {"tokens": "int T", "targets": "int T", "wte": f"{words} {width}",
              "wpe": f"64 {width}", "blocks": [one] * layers, "ln": one["ln"]}
    return symprop.derive(symprop.trace(loss, shapes=shapes, wrt=["wte", "wpe", "blocks"]))


@pytest.fixture(scope="module")
def gpt() -> Any:
    return picogpt()


def test_positions_and_means_become_short_in_proportion(
    gpt: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Heads of 16 become heads of 3: with 2, 48 would be 6, and so is 192."""
    monkeypatch.setattr(narrowing, "DRAWN", 0)
    twin = narrowed_blocks(gpt.system, gpt.program.block, gpt.found.derivations)
    assert twin is not None
    system, program, derivations = twin
    shapes = {n: [int(s.number) for s in a.shape if s.number] for n, a in system.arrays.items()}
    assert shapes["blocks_0_attn_qkv_w"] == [9, 27]
    assert shapes["wte"][0] < 16 and shapes["wte"][1] == 9
    blocks_run.compare(system, program, derivations)


def test_a_wrong_adjoint_is_refuted_in_the_twin(
    gpt: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By a tenth of a percent."""
    monkeypatch.setattr(narrowing, "DRAWN", 0)
    lemma = gpt.lemmas[-1]
    k = next(k for k, a in enumerate(lemma.derivation.adjoints) if a.array == adjoint("x"))
    right = lemma.derivation.adjoints[k]
    wrong = replace(right, rhs=mul(number(Fraction(1001, 1000)), right.rhs))
    adjoints = (*lemma.derivation.adjoints[:k], wrong, *lemma.derivation.adjoints[k + 1:])
    derivations = {**gpt.found.derivations,
                   id(lemma.block): replace(lemma.derivation, adjoints=adjoints)}
    twin = narrowed_blocks(gpt.system, gpt.program.block, derivations)
    assert twin is not None
    with pytest.raises(VerificationError):
        blocks_run.compare(*twin)


def numbers_off_by_one(source: str) -> Iterator[tuple[str, str]]:
    """Sources with one whole number of a function's body, from 2 on, one larger; and the line."""
    lines = source.splitlines(keepends=True)
    begin = next(k for k, line in enumerate(lines) if line.startswith("def layer_norm"))
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        row, (start, end) = token.start[0] - 1, (token.start[1], token.end[1])
        if row >= begin and token.type == tokenize.NUMBER and token.string.isdecimal() and (
                int(token.string) > 1 and "def _" not in "".join(lines[begin:row])):
            line = f"{lines[row][:start]}{int(token.string) + 1}{lines[row][end:]}"
            yield "".join([*lines[:row], line, *lines[row + 1:]]), line


@pytest.mark.parametrize("part", [
    0, *(pytest.param(k, marks=pytest.mark.deep) for k in range(1, 8))])
def test_the_twin_of_a_module_is_compared_and_finds_what_is_wrong(
    gpt: Any, monkeypatch: pytest.MonkeyPatch, part: int
) -> None:
    """Slices, widths and factors that are off by one: the twin is refused as the module is."""
    module = emit_module.generate(gpt.lowered)
    monkeypatch.setattr(narrowing, "DRAWN", 0)
    twin = narrowed_module(gpt.system, gpt.lowered, module)
    assert twin is not None and "h[:, 9:12]" in twin[2].source
    close_loop.compare(*twin)
    wrong = [*numbers_off_by_one(module.source)]
    assert len(wrong) > 40
    passed = []
    for source, line in wrong[part::8]:
        module = GeneratedModule(source, "loss")
        twin = narrowed_module(gpt.system, gpt.lowered, module)
        assert twin is not None
        if passes(*twin):
            assert passes(gpt.system, gpt.lowered, module), line
            passed.append(line.strip())
    assert len(passed) < len(wrong[part::8]), passed


def passes(*whole: Any) -> bool:
    try:
        close_loop.compare(*whole)
    except (VerificationError, InputError):
        return False
    return True
