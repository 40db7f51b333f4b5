"""What all tests share: the option that rewrites golden files, and in which order they run."""

import gc

import pytest
from proofs import PROOFS

from symprop.zoo import models

# Expressions are trees of many small objects without cycles: the collector finds nothing there.
gc.set_threshold(100_000, 20, 50)


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--update` rewrites the files that tests compare with."""
    parser.addoption("--update", action="store_true", help="rewrite golden files")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The tests of one model run in one process (`--dist loadgroup`): it is built there once."""
    known = {*models(), *PROOFS}
    for item in items:
        params = getattr(item, "callspec", None) and item.callspec.params  # type: ignore[attr-defined]
        if params and "family" in params and "name" in params:
            item.add_marker(pytest.mark.xdist_group(f"{params['family']}/{params['name']}"))
        elif params and params.get("name") in known:
            item.add_marker(pytest.mark.xdist_group(params["name"]))
