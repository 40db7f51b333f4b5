"""What zoo models move and keep, in bytes and operations, may not rise: a clock without a clock.

The counts are those of `derivation.cost()`, every named axis 64 long where the model allows it, in
`bytes.json`; `--update` rewrites it, and a change of the file is a commit that says why.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from built_models import built

from symprop.errors import InputError
from symprop.zoo import models

FILE = Path(__file__).with_name("bytes.json")


def measured(name: str) -> dict[str, int]:
    derivation = built(name).derivation
    try:
        cost = derivation.cost()
    except InputError:  # 64 is no length of some axis
        cost = derivation.cost(built(name).sizes[0])
    both = {"forward": cost.forward, "backward": cost.backward}
    return {
        **{f"operations {k}": sum(e.operations for e in p.equations) for k, p in both.items()},
        **{f"moved {k}": sum(e.moved for e in p.equations) for k, p in both.items()},
        **{f"peak {k}": p.peak for k, p in both.items()},
        "kept": sum(size for _, size in cost.kept),
    }


@pytest.mark.parametrize("name", models())
def test_nothing_more_is_moved_or_kept(name: str, request: pytest.FixtureRequest) -> None:
    found = measured(name)
    if request.config.getoption("--update"):
        table = json.loads(FILE.read_text()) if FILE.exists() else {}
        FILE.write_text(json.dumps(dict(sorted((table | {name: found}).items())), indent=1) + "\n")
    stored = json.loads(FILE.read_text())[name]
    assert set(found) == set(stored)
    more = [f"{what}: {found[what]:,}, not {stored[what]:,}"
            for what in stored if found[what] > stored[what]]
    assert not more, "\n".join(more)
