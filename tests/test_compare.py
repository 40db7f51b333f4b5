"""`make compare`: a report of one workload, with hand-written gradients that agree."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_the_smallest_workload_is_compared(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "benchmarks" / "compare.py", "--only", "tiny",
         "--dtypes", "float64", "--rounds", "2", "--seconds", "0.01", "--peers", "",
         "--style", "readable,fast",
         "--out", tmp_path],
        capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    report = (tmp_path / "report.md").read_text()
    assert "All gradients agree." in report
    row = next(line for line in report.splitlines() if line.startswith("| tiny |"))
    assert [float(cell) > 0 for cell in row.split("|")[2:5]] == [True] * 3
    assert (tmp_path / "report.svg").read_text().startswith("<?xml")
