"""Identical simplifications are done once, and with the same bytes as if each were done anew."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
from random_programs import random_program
from random_scans import random_scan

import symprop
from symprop.derive.memo import Memo
from symprop.derive.numbered import Numbered
from symprop.emit import text
from symprop.system import System
from symprop.zoo import models
from symprop.zoo.attention import GPT_BLOCK


def gpt(blocks: int) -> System:
    model = models()["gpt"]
    shapes = {**model.shapes, "blocks": [GPT_BLOCK] * blocks}
    return symprop.trace(model.function, shapes=shapes, wrt=model.wrt)


def residual(blocks: int) -> System:
    """Named sums all the way down, each of which may be opened."""
    def loss(x: Any, t: Any, layers: Any) -> Any:
        for W, g in layers:
            mean = x.mean(axis=1, keepdims=True)
            centred = x - mean
            r = np.tanh(centred * g @ W)
            x = x + r
        return np.mean((x - t) ** 2)

    shapes = {"x": "N D", "t": "N D", "layers": [("D D", "D")] * blocks}
    return symprop.trace(loss, shapes=shapes, wrt=["layers"])


def program(made: Any) -> System:
    return symprop.trace(made.function, shapes=made.shapes, wrt=made.wrt, facts=made.facts)


ALIKE = ("gpt_tied", "vision_transformer", "llama_block", "transformer_block")  # as the gpt
SYSTEMS = {
    **{name: lambda m=m: symprop.trace(  # type: ignore[misc]
        m.function, shapes=m.shapes, wrt=m.wrt, facts=m.facts, static=m.static)
       for name, m in models().items() if name not in ALIKE},
    **{f"random {s}": lambda s=s: program(random_program(s)) for s in range(8)},  # type: ignore[misc]
    **{f"scan {s}": lambda s=s: program(random_scan(s)) for s in range(4)},  # type: ignore[misc]
    "residual": lambda: residual(3),
}


def printed(system: System) -> str:
    """Every line of a derivation."""
    return text.text(symprop.derive(system))


@pytest.mark.parametrize("name", [
    pytest.param(n, marks=[pytest.mark.deep] * (k % 4 > 0)) for k, n in enumerate(SYSTEMS)])
def test_the_same_bytes_without_the_memory(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    system = SYSTEMS[name]()
    with_memory = printed(system)
    monkeypatch.setattr(Memo, "found", lambda self, node, names: None)
    assert printed(system) == with_memory


@contextmanager
def counting() -> Iterator[dict[str, int]]:
    """How many simplifications were done, how many only replayed."""
    counts = {"done": 0, "replayed": 0}
    found = Memo.found

    def counted(self: Memo, node: Any, names: Numbered) -> Any:
        result = found(self, node, names)
        counts["done" if result is None else "replayed"] += 1
        return result

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Memo, "found", counted)
        yield counts


@pytest.mark.parametrize("network, depths", [
    (residual, (4, 5, 7)), pytest.param(gpt, (2, 3, 5), marks=pytest.mark.deep)])
def test_what_is_done_does_not_depend_on_the_depth(network: Any, depths: Any) -> None:
    """Beyond the first few blocks every block is a replay, and each adds as many."""
    done, replayed = [], []
    for depth in depths:
        with counting() as counts:
            symprop.derive(network(depth), structure="flat")  # by lemmas nothing is replayed
        done.append(counts["done"])
        replayed.append(counts["replayed"])
    assert done == [done[0]] * len(depths)
    each = replayed[1] - replayed[0]
    assert each > 0 and replayed[2] - replayed[1] == each * (depths[2] - depths[1])
