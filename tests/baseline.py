"""The floor under what is good: what a derivation costs and how it reads, in `baseline.json`.

In: a derivation and its module. Out: counted operations of both passes, the terms of every
gradient (multiplied out), the equations that have a matrix line. Operations and terms may not
rise and matrix lines may not fall. `--update` rewrites the entries of the tests that run; a
change of the file is a commit of its own that says why.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

import symprop
from symprop.algebra.canonical import collect, expand
from symprop.derive.matrix import matrix_form
from symprop.lower.count import operations
from symprop.lower.program import lower

FILE = Path(__file__).with_name("baseline.json")


def measure(derivation: symprop.Derivation, sizes: Mapping[str, int]) -> dict[str, Any]:
    """The figures of one derivation at some sizes."""
    system, adjoints = derivation.system, derivation.adjoints
    program = lower(system, adjoints)
    by_primal = {a.primal: a for a in adjoints if a.role == "adjoint"}
    arrays = system.arrays
    return {
        "sizes": {name: sizes[name] for name in system.sizes},
        "forward": sum(operations(program.forward, sizes).values()),
        "backward": sum(operations(program.backward, sizes).values()),
        "terms": {w: len(collect(expand(by_primal[w].rhs)).terms) for w in system.wrt},
        "matrix": sum(matrix_form(e, arrays) is not None for e in (*system.equations, *adjoints)),
    }


def hold(kind: str, name: str, found: Any, request: pytest.FixtureRequest) -> None:
    """Compares figures, or a text, with the file; under `--update` writes them."""
    if request.config.getoption("--update"):
        table = json.loads(FILE.read_text()) if FILE.exists() else {}
        table.setdefault(kind, {})[name] = found
        table[kind] = dict(sorted(table[kind].items()))
        text = json.dumps(dict(sorted(table.items())), indent=1, ensure_ascii=False)
        FILE.write_text(text + "\n")
    stored = json.loads(FILE.read_text())[kind][name]
    if isinstance(found, str):
        assert found == stored
        return
    assert found["sizes"] == stored["sizes"]
    for key in ("forward", "backward"):
        assert found[key] <= stored[key], f"{found[key]} operations {key}, not {stored[key]}"
    assert set(found["terms"]) == set(stored["terms"])
    for gradient, terms in found["terms"].items():
        assert terms <= stored["terms"][gradient], f"{terms} terms in the gradient of {gradient}"
    assert found["matrix"] >= stored["matrix"], f"{found['matrix']} matrix lines"
