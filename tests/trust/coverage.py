"""Which tests execute which lines of the package: the map that mutation asks.

    PYTHONPATH=tests:. python -m trust.coverage [--minutes 20] tests/test_a.py tests/test_b.py ...

A plugin of pytest with the trace function of `coverage` where that is installed, else with one of
its own, which is slower. Each test file is a process; the map is written after each, and what was
there is kept for the test files that are not run again.
"""

from __future__ import annotations

import argparse
import json
import subprocess
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
MARKS = ("not tex and not oracles and not packaging and not oldest and not deep and not fuzz")
FIRST = (  # those that are about derive, lower, emit, trace and the integers, quick ones first
    "closed_forms", "sift", "algebra", "integers", "integer_programs", "integer_products", "lower",
    "lowering_kinds", "emit_numpy", "emit_numpy_module", "emit_numbers", "trace_indexing",
    "trace_errors", "trace_calls", "trace_operations", "trace_arguments", "trace_names",
    "trace_scan", "trace_namespace", "loops", "branches", "whole_tensors", "whole_kinks", "found",
    "conditions", "symmetry", "matrix_form", "print_derivation", "print_expr", "print_letters",
    "reasons", "remainders", "related", "proofs", "random_systems", "blocks", "blocks_code",
    "hoist", "fast", "explicit", "implicit", "determinants", "row_guards", "narrow", "memo",
    "equal_terms", "products_named", "natural_names", "given_names", "names", "shapes", "notes",
    "close", "verify", "function_is_system", "mistakes", "spellings", "centred", "syntax", "detail",
    "documents", "profiles", "languages", "figures", "masked_blocks", "block_recurrences",
    "block_runs", "block_pages", "block_borders", "operation_counts", "bounded_cost", "domains",
    "recognise", "interpret", "layout", "worked", "slides", "printed_is_true", "generated",
    "nn_layers", "nn_counts", "rules", "floors", "allowed", "flat", "exact")


class Watcher:
    """The plugin: lines that run while a test runs, and how long it takes."""

    def __init__(self) -> None:
        self.lines: dict[str, dict[int, set[str]]] = defaultdict(lambda: defaultdict(set))
        self.seconds: dict[str, float] = {}
        self.test = ""
        try:
            from coverage import Coverage
        except ImportError:
            self.tool = None
        else:
            self.tool = Coverage(data_file=None, source=[PACKAGE], config_file=False)

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Any:
        """Watches one test with its fixtures."""
        self.test = item.nodeid
        start = time.perf_counter()
        if self.tool is not None:
            self.tool.start()
            self.tool.switch_context(item.nodeid)
        else:
            sys.settrace(self._called)
            threading.settrace(self._called)
        yield
        if self.tool is not None:
            self.tool.stop()
        else:
            sys.settrace(None)
            threading.settrace(None)  # type: ignore[arg-type]
        self.seconds[item.nodeid] = round(time.perf_counter() - start, 2)

    def table(self) -> dict[str, dict[int, set[str]]]:
        """For each file and line the tests."""
        if self.tool is not None:
            data = self.tool.get_data()
            for name in data.measured_files():
                for line, tests in data.contexts_by_lineno(name).items():
                    self.lines[name][line] |= {t for t in tests if t}
        return self.lines

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


def mapped(file: str) -> int:
    """Run one test file and write what it executes."""
    watcher = Watcher()
    status = pytest.main(["-q", "-p", "no:cacheprovider", f"--rootdir={ROOT}", "-m", MARKS, file],
                         plugins=[watcher])
    found: dict[str, Any] = {"tests": {}, "lines": {}}
    if MAP.exists():
        found = json.loads(MAP.read_text("utf-8"))
    found["tests"] |= watcher.seconds
    numbers = {test: k for k, test in enumerate(found["tests"])}
    for name, table in watcher.table().items():
        own = found["lines"].setdefault(name.removeprefix(f"{ROOT}/"), {})
        for line, tests in table.items():
            own[str(line)] = sorted({*own.get(str(line), ()), *(numbers[t] for t in tests)})
    MAP.parent.mkdir(exist_ok=True)
    MAP.write_text(json.dumps(found))
    return int(status)


def main() -> int:
    """Map the test files, each in a process, until the minutes are over."""
    parser = argparse.ArgumentParser(prog="trust.coverage", description=__doc__)
    parser.add_argument("files", nargs="*")
    parser.add_argument("--minutes", type=float, default=60)
    options = parser.parse_args()
    if len(options.files) == 1:
        return mapped(options.files[0])
    files = options.files or [f"tests/test_{name}.py" for name in FIRST]
    end = time.monotonic() + 60 * options.minutes
    for file in files:
        if time.monotonic() > end:
            print(f"not mapped: {file}")
            continue
        start = time.monotonic()
        done = subprocess.run([sys.executable, "-m", "trust.coverage", file], cwd=ROOT,
                              text=True, capture_output=True, check=False)
        print(f"{time.monotonic() - start:6.1f} s  {file}  {done.stdout.splitlines()[-1:]}",
              flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
