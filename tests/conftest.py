"""What all tests share: the option that rewrites golden files."""

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--update` rewrites the files that tests compare with."""
    parser.addoption("--update", action="store_true", help="rewrite golden files")
