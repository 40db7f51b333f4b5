"""Equal calls are one lemma, and lemmas together are the gradient.

Networks in natural style are derived by blocks; what the blocks hand to each other is evaluated
by the interpreter and compared with the flat derivation. What makes two calls unequal is changed
on one of them, one thing at a time.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import symprop
from symprop import nn
from symprop.algebra.build import mul, number
from symprop.algebra.expr import adjoint
from symprop.blocks import Pull, outline
from symprop.blocks.run import gradients
from symprop.cli import main
from symprop.derivation import BlockDerivation
from symprop.errors import InputError, VerificationError
from symprop.interpret import draw, run
from symprop.interpret.run import run_equations
from symprop.system import Adjoint, System


def softmax(z: Any) -> Any:
    z = z - z.max(axis=-1, keepdims=True)
    e = np.exp(z)
    return e / e.sum(axis=-1, keepdims=True)


def layer_norm(x: Any, g: Any, b: Any) -> Any:
    c = x - x.mean(axis=-1, keepdims=True)
    v = (c * c).mean(axis=-1, keepdims=True)
    return g * (c / np.sqrt(v + 1e-5)) + b


def head(q: Any, k: Any, v: Any) -> Any:
    return softmax(q @ k.T / np.sqrt(q.shape[-1])) @ v


def attention(x: Any, W: Any) -> Any:
    q, k, v = np.split(x @ W, 3, axis=-1)
    return np.concatenate([head(q[:, c], k[:, c], v[:, c])
                           for c in (slice(0, 2), slice(2, 4))], axis=-1)


def block(x: Any, p: Any) -> Any:
    h = x + attention(layer_norm(x, p["g"], p["b"]), p["W"])
    return h + np.tanh(layer_norm(h, p["c"], p["d"]) @ p["V"])


ONE = {"g": "4", "b": "4", "W": "4 12", "c": "4", "d": "4", "V": "4 4"}


def transformer(depth: int) -> System:
    def loss(tok: Any, E: Any, blocks: Any, g: Any, b: Any) -> Any:
        x = E[tok]
        for p in blocks:
            x = block(x, p)
        return (softmax(layer_norm(x, g, b) @ E.T) ** 2).mean()

    shapes = {"tok": "int T", "E": "M 4", "blocks": [ONE] * depth, "g": "4", "b": "4"}
    return symprop.trace(loss, shapes)


def widths() -> System:
    """Layers of unequal widths, the first of which needs no gradient of its input."""
    def dense(x: Any, W: Any, b: Any) -> Any:
        z = x @ W + b
        a = np.tanh(z)
        return a / np.sqrt(1 + a * a)

    def loss(x: "N A", U: "A B", b: "B", V: "B C", c: "C", W: "C D", d: "D"):
        return (dense(dense(dense(x, U, b), V, c), W, d) ** 2).mean()

    return symprop.trace(loss, wrt=["U", "b", "V", "c", "W", "d"])


def steps() -> System:
    """Unrolled steps that read rows of one array; parameters are shared, one result is unread."""
    def step(x: Any, h: Any, c: Any, W: Any) -> Any:
        i, f, g, o = np.split(np.concatenate([x, h]) @ W, 4)
        c = nn.sigmoid(f) * c + nn.sigmoid(i) * np.tanh(g)
        return nn.sigmoid(o) * np.tanh(c), c

    def loss(X: "2 K", h: "H", c: "H", W: "K+H 4*H"):
        for t in range(2):
            h, c = step(X[t], h, c, W)
        return (h * h).sum()

    return symprop.trace(loss)


def residual() -> System:
    def unit(x: Any, W: Any, g: Any) -> Any:
        h = x @ W
        h = g * h / np.sqrt((h * h).mean(axis=0) + 1e-5)
        return np.maximum(h, 0) + x

    def loss(x: "N D", U: "D D", V: "D D", W: "D D", g: "D", y: "int N", w: "D M"):
        h = unit(unit(unit(x, U, g), V, g), W, g)
        return nn.cross_entropy(h @ w, y)

    return symprop.trace(loss)


def inline() -> System:
    """The body of a loop, in no helper."""
    def loss(x: Any, layers: Any) -> Any:
        for W, b, g in layers:
            h = x @ W + b
            h = h / np.sqrt((h * h).mean(axis=1, keepdims=True) + 1e-5)
            x = x + np.tanh(g * h)
        return (x * x).sum()

    return symprop.trace(loss, {"x": "N D", "layers": [("D D", "D", "D")] * 3})


NETWORKS: Mapping[str, tuple[Callable[[], System], list[str]]] = {
    "transformer": (lambda: transformer(2),
                    ["layer_norm", "head", "attention", "block"]),
    "widths": (widths, ["dense"]),
    "steps": (steps, ["step"]),
    "residual": (residual, ["unit"]),
    "inline": (inline, [f"loop_{inline.__code__.co_firstlineno + 3}"]),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_lemmas_together_are_the_flat_gradient(name: str) -> None:
    make, blocks = NETWORKS[name]
    system = make()
    derivation = symprop.derive(system, structure="blocks")
    assert [m.block.name for m in derivation.lemmas] == blocks
    derivation.verify()
    flat = symprop.derive(system)
    for seed in range(3):
        sizes, inputs = draw(system, seed)
        arrays = run(system, inputs, sizes)
        run_equations(flat.adjoints, arrays, sizes)
        own, found = gradients(derivation.program.block, derivation.adjoints, inputs, sizes)
        np.testing.assert_allclose(own[system.loss], arrays[system.loss], rtol=1e-12)
        for wrt in system.wrt:
            expected = arrays[adjoint(wrt)]
            np.testing.assert_allclose(
                found[wrt], expected, rtol=0, atol=1e-12 * np.abs(expected).max())


def test_depth_adds_no_lemma() -> None:
    """The same lemmas with the same equations, and the first block is as the others."""
    two, three = (outline(transformer(k)) for k in (2, 3))
    assert [(b.name, len(b.system.equations)) for b in two.below] == [
        (b.name, len(b.system.equations)) for b in three.below]
    assert [sum(u.block.name == "block" for u in p.uses) for p in (two, three)] == [2, 3]


# ---- what makes blocks unequal --------------------------------------------------------------


def scaled(x: Any, w: Any, by: Any = 1.0) -> Any:
    z = x * w
    s = np.sqrt(1 + z * z)
    return by * (z / s)


def pair(second: Callable[..., Any] = scaled, **options: Any) -> Callable[..., Any]:
    def loss(x: "N", y: "N", w: "N"):
        return scaled(x, w).sum() + (second(y, w, **options) ** 2).sum()
    return loss


def squared(x: Any, w: Any) -> Any:
    z = x * w
    s = np.sqrt(2 + z * z)
    return z / s


def of_integers(x: "N", y: "int N", w: "N"):
    return scaled(x, w).sum() + (scaled(y, w) ** 2).sum()


def read_once(x: "N", y: "N", w: "N"):
    def both(x: Any) -> Any:
        z = x * w
        s = np.sqrt(1 + z * z)
        return z / s, s

    (a, b), (c, _) = both(x), both(y)
    return (a * b + c).sum()


def weighted(p: Any, z: Any) -> Any:
    m = z.max(axis=-1, keepdims=True)
    e = np.exp(z - m)
    return -(p * (z - m - np.log(e.sum(axis=-1, keepdims=True)))).sum(axis=-1)


def weighted_pair(p: "N M", q: "N M", z: "N M", w: "N M"):
    return (weighted(p, z) + weighted(q, w) ** 2).sum()


def masked_pair(first: Any, second: Any) -> Callable[..., Any]:
    def by(mask: Any, x: Any) -> Any:
        z = np.exp(x) * mask
        s = np.sqrt(1 + z * z)
        return z / s

    def loss(x: "3", y: "3"):
        return (by(np.array(first), x) + by(np.array(second), y) ** 2).sum()
    return loss


SUM = symprop.sums_to_one("p", axis=1)
OTHER = symprop.sums_to_one("q", axis=1)


@pytest.mark.parametrize("loss, options, equal", [
    (pair(), {}, True),
    (pair(by=3.0), {}, False),
    (pair(squared), {}, False),
    (of_integers, {"wrt": ["x", "w"]}, False),
    (pair(), {"wrt": ["x", "w"]}, True),
    (pair(), {"wrt": ["y"]}, True),
    (read_once, {}, True),
    (weighted_pair, {"wrt": ["z", "w"]}, True),
    (weighted_pair, {"wrt": ["z", "w"], "facts": [SUM]}, False),
    (weighted_pair, {"wrt": ["z", "w"], "facts": [SUM, OTHER]}, True),
    (masked_pair([1.0, 0.0, 2.0], [1.0, 0.0, 2.0]), {}, True),
    (masked_pair([1.0, 0.0, 2.0], [1.0, 0.0, 3.0]), {}, False),
], ids=["same", "Python argument", "forward equation", "dtype", "unwanted gradient",
        "unwanted result", "unread result", "no facts", "one fact", "both facts",
        "same constant", "another constant"])
def test_what_makes_two_calls_one_block(
    loss: Callable[..., Any], options: dict[str, Any], equal: bool
) -> None:
    system = symprop.trace(loss, **options)
    derivation = symprop.derive(system, structure="blocks")
    assert len(derivation.lemmas) == equal
    if equal:
        derivation.verify()


# ---- borders --------------------------------------------------------------------------------


def cross_entropy(p: Any, y: Any) -> Any:
    return -np.log(np.take_along_axis(p, y[:, None], axis=-1)).mean()


def two_heads(z: "N M", w: "N M", y: "int N", u: "int N"):
    return cross_entropy(softmax(z), y) + cross_entropy(softmax(w), u)


def own_sigmoid(z: Any) -> Any:
    e = np.exp(-z)
    s = 1 + e
    return 1 / s


def entropy(p: Any, y: Any) -> Any:
    gain = y * np.log(p)
    loss = (1 - y) * np.log(1 - p)
    return -(gain + loss).mean()


def two_gates(z: "N", w: "N", y: "N", u: "N"):
    return entropy(own_sigmoid(z), y) + entropy(own_sigmoid(w), u)


@pytest.mark.parametrize("loss, line", [
    (two_gates, r"z̄    = \(\w+ - y\)/N"),
    (two_heads, r"z̄\[n,m\] = \(\w+\[n,m\] - \[y\[n\] = m\]\)/N"),
], ids=["sigmoid and entropy", "softmax and cross-entropy"])
def test_a_border_that_divides_by_what_crosses_it_is_opened(
    loss: Callable[..., Any], line: str
) -> None:
    """p - y, which is finite where p has underflowed, though each is used twice."""
    derivation = symprop.derive(symprop.trace(loss, wrt=["z", "w"]), structure="blocks")
    assert not derivation.lemmas and re.search(line, derivation.text())


# ---- what is no block -----------------------------------------------------------------------


def in_a_scan(X: "T 3", W: "3 3"):
    def step(h: Any, x: Any) -> Any:
        return scaled(scaled(h @ W, x), x), None
    h, _ = symprop.scan(step, np.zeros(X.shape[1]), X)
    return (h * h).sum()


def by_a_callback(x: "N", w: "N"):
    def around(f: Any, x: Any) -> Any:
        a = np.exp(x)
        b = f(a)
        return np.sqrt(1 + b * b) + a

    return (around(lambda a: a * w, x) + around(lambda a: a * w, 2 * x * w)).sum()


def guarded(x: "N K", V: "M K", y: "int N", z: "int N"):
    """Rows that are looked up only where there is one."""
    def rows(y: Any) -> Any:
        picked = np.where((y >= 0)[:, None], V[np.where(y >= 0, y, 0)], 0) * x
        s = np.sqrt(1 + picked * picked)
        return picked / s

    return (rows(y) + rows(z) ** 2).sum()


@pytest.mark.parametrize("loss", [in_a_scan, by_a_callback, guarded])
def test_recurrences_callbacks_and_guards_are_right(loss: Callable[..., Any]) -> None:
    symprop.derive(symprop.trace(loss), structure="blocks").verify()


def test_a_wrong_lemma_is_refuted() -> None:
    derivation = symprop.derive(symprop.trace(pair()), structure="blocks")
    (lemma,) = derivation.lemmas
    last = lemma.derivation.adjoints[-1]
    wrong = replace(last, rhs=mul(number(1.001), last.rhs), steps=())
    broken = replace(lemma.derivation, adjoints=(*lemma.derivation.adjoints[:-1], wrong))
    with pytest.raises(VerificationError):
        BlockDerivation(derivation.system, (replace(lemma, derivation=broken),),
                        derivation.program).verify()


# ---- print and refusals ---------------------------------------------------------------------


def test_a_lemma_is_printed_once_with_a_line_each_way() -> None:
    derivation = symprop.derive(symprop.trace(pair()), structure="blocks")
    text, page, tex = derivation.text(), derivation.markdown(), derivation.latex()
    assert text.count("Lemma 1 (scaled). Given x, w") == 1
    assert len(re.findall(r"= scaled\(", text)) == 2 == len(re.findall(r"Lemma 1\(", text))
    numbers = re.findall(r"^\((\d*\.?B\d+)\)", text, re.MULTILINE)
    assert len(numbers) == len(set(numbers)) and "1.B1" in numbers
    assert page.count("# Lemma 1") == 1 and tex.count(r"\text{Lemma 1}(") == 2


def test_what_blocks_cannot_do_is_said() -> None:
    system = symprop.trace(pair())
    with pytest.raises(InputError, match="learning rule"):
        symprop.derive(system, "fa", structure="blocks")
    with pytest.raises(InputError, match='"flat" or "blocks"'):
        symprop.derive(system, structure="tree")  # type: ignore[call-overload]


def test_the_command_line_prints_lemmas(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "twice.py"
    file.write_text(
        "import numpy as np\n\n\ndef layer(x, W):\n    z = x @ W\n    s = np.sqrt(1 + z * z)\n"
        "    return z / s\n\n\ndef loss(x: 'N', V: 'N N', W: 'N N'):\n"
        "    return (layer(layer(x, V), W) ** 2).sum()\n")
    command = ["derive", f"{file}:loss", "--structure", "blocks", "--format", "text"]
    assert main.run(command) == 0
    assert capsys.readouterr().out.startswith("Lemma 1 (layer). Given x, W and ")
    assert main.run([*command, "--only", "W"]) == 2
    assert "--only is for the flat form" in capsys.readouterr().err


def test_a_program_without_equal_calls_has_no_lemma() -> None:
    program = outline(symprop.trace(pair(squared)))
    assert not program.uses and not program.below


# ---- runs -----------------------------------------------------------------------------------


def unrolled() -> System:
    """Steps whose results are read one by one as well; the parameters are shared."""
    def step(x: Any, h: Any, W: Any) -> Any:
        z = x + h @ W
        return z / np.sqrt(1 + z * z)

    def loss(X: "3 H", h: "H", W: "H H"):
        h1 = step(X[0], h, W)
        h2 = step(X[1], h1, W)
        h3 = step(X[2], h2, W)
        return (h1 * h2 * h3).sum()

    return symprop.trace(loss)


def in_turn() -> System:
    """Two blocks in turn, three times, written out."""
    def one(x: Any, w: Any) -> Any:
        z = x * w
        return z / np.sqrt(1 + z * z)

    def other(x: Any, w: Any) -> Any:
        z = x + w
        return z / np.sqrt(2 + z * z)

    def loss(x: "N", a: "N", b: "N", c: "N", d: "N", e: "N", f: "N"):
        x = other(one(x, a), b)
        x = other(one(x, c), d)
        return (other(one(x, e), f) ** 2).sum()

    return symprop.trace(loss)


@pytest.mark.parametrize("make, name, turns, carried, lists, shared", [
    (lambda: transformer(3), "block", 3, ["x"], ["g", "b", "W", "c", "d", "V"], []),
    (lambda: transformer(1), "head", 2, [], ["q", "k", "v"], []),
    (widths, "dense", 3, ["x"], ["W", "b"], []),
    (inline, "loop", 3, ["x"], ["W", "b", "g"], []),
    (unrolled, "step", 3, ["h"], ["x"], ["W"]),
    (in_turn, "one other", 3, ["x", "x"], ["w", "w"], []),
], ids=["blocks", "heads", "layers", "no helper", "steps", "two in turn"])
def test_equal_blocks_in_a_row_are_a_loop(
    make: Callable[[], System], name: str, turns: int, carried: list[str], lists: list[str],
    shared: list[str],
) -> None:
    derivation = symprop.derive(make(), structure="blocks")
    own = [(run, lemma) for lemma in (*derivation.lemmas, derivation.program)
           for run in lemma.block.runs if run.turns[0][0].block.name.startswith(name.split()[0])]
    ((run, lemma),) = own
    assert len(run.turns) == turns and {u.number for u in run.uses} == {run.number}
    ports = [use.block.ports for use in run.turns[0]]
    assert len(run.turns[0]) == len(name.split())

    def named(use: int, port: int) -> str:
        return ports[use][port].removeprefix("p_")

    assert [named(c.use, c.port) for c in run.carried] == carried
    assert {named(x.use, x.port) for x in run.lists} == set(lists)
    assert [named(*at) for at in run.shared] == shared
    pulls = [p for p in lemma.backward if isinstance(p, Pull) and p.run is run]
    assert len(pulls) == 1 and pulls[0].uses == run.uses
    derivation.verify()


def test_lines_come_after_what_they_read() -> None:
    """Both ways, and no number is used twice; what a run waits for stands before it."""
    for make in (lambda: transformer(3), unrolled, in_turn, steps, residual):
        derivation = symprop.derive(make(), structure="blocks")
        for lemma in (*derivation.lemmas, derivation.program):
            numbers = [line.number for line in lemma.backward]
            assert numbers == [f"B{k}" for k in range(1, len(numbers) + 1)]
            within = {adjoint(a) for line in lemma.backward if isinstance(line, Pull) and line.run
                      for gives in line.gives for a in gives}
            makers = [{line.array} if isinstance(line, Adjoint)
                      else {adjoint(a) for g in line.gives for a in g} for line in lemma.backward]
            for k, line in enumerate(lemma.backward):
                reads = set(line.reads) if isinstance(line, Adjoint) else {
                    adjoint(a) for t in line.takes for a in t}
                assert reads.isdisjoint(set().union(*makers[k:]) - within - makers[k])


def test_two_calls_in_one_expression_are_no_loop() -> None:
    assert not outline(symprop.trace(pair())).runs
