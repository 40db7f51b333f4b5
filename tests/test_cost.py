"""What a program costs: polynomials that are the counts, bytes that tracemalloc finds."""

from __future__ import annotations

import pickle
import re
import tracemalloc
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from built_models import built

from symprop.cli.main import run
from symprop.errors import InputError
from symprop.interpret.draw import draw
from symprop.interpret.evaluate import extent
from symprop.lower.count import operations, polynomials
from symprop.lower.program import lower

CLOSE = 0.1


@pytest.mark.parametrize("name", ["mlp", "lstm", "attention", "gaussian_mixture"])
def test_polynomials_are_the_counts(name: str) -> None:
    system, derivation = built(name).system, built(name).derivation
    program = lower(system, derivation.adjoints)
    for sizes in (dict.fromkeys(system.sizes, 64), dict.fromkeys(system.sizes, 96)):
        for statements in (program.forward, program.backward):
            counts = operations(statements, sizes)
            assert {n: extent(p, sizes) for n, p in polynomials(statements).items()} == counts


def test_a_matrix_product_costs_what_it_is_known_to() -> None:
    cost = built("mlp").derivation.cost({"N": 100, "K": 30, "H": 20, "M": 4})
    by_array = {e.array: e for e in (*cost.forward.equations, *cost.backward.equations)}
    assert by_array["dW1"].operations == 2 * 100 * 30 * 20
    assert by_array["dW1"].moved == 8 * (100 * 30 + 100 * 20 + 30 * 20)
    assert by_array["dW1"].made == 8 * 30 * 20
    assert cost.parameters == 30 * 20 + 20 + 20 * 4 + 4
    assert cost.differences == 2 * cost.parameters * cost.forward.operations


def test_the_total_is_that_of_operations() -> None:
    derivation, sizes = built("mlp").derivation, {"N": 5, "K": 4, "H": 3, "M": 2}
    cost = derivation.cost(sizes)
    assert {e.number: e.operations for e in cost.backward.equations} == derivation.operations(sizes)
    assert len(cost.kept) == 2 and "A1" in dict(cost.kept)
    assert sum(size for _, size in cost.kept) == 8 * 5 * (2 + 3)


def traced(function: Callable[[], Any]) -> tuple[int, Any]:
    """The most bytes that a call takes beside what there was."""
    tracemalloc.start()
    result = function()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak, result


@pytest.mark.parametrize(("name", "sizes"), [
    ("mlp", {"N": 256, "K": 200, "H": 300, "M": 100}),
    ("attention", {"N": 8, "T": 64, "D": 64, "E": 64, "H": 64}),
    ("lstm", {"T": 20, "N": 32, "D": 64, "H": 64, "M": 64}),
    ("gaussian_mixture", {"N": 1000, "D": 20, "K": 30}),
    pytest.param("lenet5", {"N": 16}, marks=pytest.mark.deep),
])
def test_the_peak_is_what_is_measured(name: str, sizes: Mapping[str, int]) -> None:
    model = built(name)
    cost = model.derivation.cost(sizes)
    inputs = model.arranged(draw(model.system, 0, sizes)[1])
    model.module.value_and_grad(**inputs)  # what is made once
    forward, (_, saved) = traced(lambda: model.module.forward(**inputs, validate=False))
    backward, _ = traced(lambda: model.module.backward(saved))
    assert abs(cost.forward.peak / forward - 1) < CLOSE
    assert abs(cost.backward.peak / backward - 1) < CLOSE
    made = [p for p in saved if hasattr(p, "nbytes") and not any(p is a for a in inputs.values())]
    kept = sum({id(part): part.nbytes for part in made}.values())
    assert abs(sum(size for _, size in cost.kept) / kept - 1) < CLOSE


def test_half_the_bytes_in_float32() -> None:
    double, single = (built("mlp").derivation.cost(dtype=d) for d in ("float64", "float32"))
    assert single.forward.moved * 2 == double.forward.moved
    assert single.forward.operations == double.forward.operations


def test_tables(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert run(["cost", "mlp", "--size", "H=32"]) == 0
    shown = capsys.readouterr().out
    assert "2 N K H + N H" in shown and "H=32" in shown
    assert "16,640 times" not in shown and "times the operations of forward" in shown
    assert max(map(len, shown.splitlines())) <= 100
    page = tmp_path / "cost.md"
    assert run(["cost", "mlp", "-o", str(page)]) == 0
    assert re.search(r"\| \(F1\) \| `\w+` \| \$2 N K H \+ N H\$ \| 528,384 \|",
                     page.read_text(encoding="utf-8"))
    cost = built("mlp").derivation.cost()
    assert page.read_text(encoding="utf-8").endswith(cost.markdown())
    assert repr(cost) == "<Cost of mlp: 1,168,002 operations forward, 1,601,537 backward>"


@pytest.mark.parametrize(("words", "said"), [
    (["mlp", "--size", "Q=2"], "Q is no axis of mlp"),
    (["mlp", "--size", "N=0"], "N"),
    (["transformer_block", "--size", "D=63"], "none that transformer_block allows"),
    (["mlp", "-o", "cost.pdf"], "suffix"),
])
def test_what_cannot_be_counted_is_refused(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["cost", *words]) == 2
    assert said in capsys.readouterr().err


def test_a_module_knows_its_cost_until_it_is_pickled() -> None:
    module = built("mlp").module
    assert module.cost().ratio == built("mlp").derivation.cost().ratio
    with pytest.raises(InputError, match="its derivation"):
        pickle.loads(pickle.dumps(module)).cost()
