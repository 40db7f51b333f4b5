"""Which tests execute which lines of the package: the map that mutation asks.

    PYTHONPATH=tests:. python -m trust.coverage tests/test_a.py tests/test_b.py ...

A plugin of pytest with a trace function, slow and without other packages; a file is written for
each run, and what was there is kept for the test files that are not run again.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from collections import defaultdict
from types import FrameType
from typing import Any

import pytest

from trust.mutation import MAP
from trust.record import ROOT

PACKAGE = str(ROOT / "symprop") + "/"
TESTS = ("closed_forms", "sift", "algebra", "integers", "integer_programs", "lower",
         "lowering_kinds", "emit_numpy", "trace_indexing", "trace_errors", "loops", "branches",
         "whole_tensors", "found", "generated", "conditions", "symmetry")


class Watcher:
    """The plugin: lines that run while a test runs, and how long it takes."""

    def __init__(self) -> None:
        self.lines: dict[str, dict[int, set[str]]] = defaultdict(lambda: defaultdict(set))
        self.seconds: dict[str, float] = {}
        self.test = ""

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Any:
        """Watches the body of one test."""
        self.test = item.nodeid
        start = time.perf_counter()
        sys.settrace(self._called)
        threading.settrace(self._called)
        yield
        sys.settrace(None)
        threading.settrace(None)  # type: ignore[arg-type]
        self.seconds[item.nodeid] = round(time.perf_counter() - start, 3)

    def _called(self, frame: FrameType, event: str, argument: Any) -> Any:
        name = frame.f_code.co_filename
        if not name.startswith(PACKAGE):
            return None
        table, test = self.lines[name], self.test
        table[frame.f_lineno].add(test)

        def line(inner: FrameType, what: str, _: Any) -> Any:
            if what == "line":
                table[inner.f_lineno].add(test)
            return line

        return line


def main(files: list[str]) -> int:
    """Run the test files and write the map."""
    watcher = Watcher()
    words = files or [str(ROOT / "tests" / f"test_{name}.py") for name in TESTS]
    status = pytest.main(
        ["-q", "-p", "no:cacheprovider", f"--rootdir={ROOT}", "-m",
         "not tex and not oracles and not packaging and not oldest and not deep and not fuzz",
         *words], plugins=[watcher])
    found: dict[str, Any] = json.loads(MAP.read_text()) if MAP.exists() else {"seconds": {}}
    found["seconds"] |= watcher.seconds
    for name, table in watcher.lines.items():
        own = found.setdefault(name.removeprefix(f"{ROOT}/"), {})
        for line, tests in table.items():
            own[str(line)] = sorted({*own.get(str(line), ()), *tests})
    MAP.parent.mkdir(exist_ok=True)
    MAP.write_text(json.dumps(found))
    return int(status)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
