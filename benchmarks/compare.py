"""Loss and all gradients: generated modules beside hand-written NumPy and beside its peers.

    make compare                                  all of it, half an hour or more; writes report.md
    python benchmarks/compare.py --only mlp64,lenet --rounds 5 --peers "" --out build/compare

Every implementation of a workload in a dtype is a process of its own, on one core, with one thread;
variables that preset a kernel of OpenBLAS are unset. A round visits them in random order and times
each for a moment; what is reported is the median over the rounds of the quotient to the
hand-written code in the same round. All gradients are compared in the same run: where one
disagrees, the exit status is 1. Page faults are counted, as memory that is asked for anew costs
more than most arithmetic.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
from report import Row, markdown, picture
from workloads import WORKLOADS

import symprop

HERE = Path(__file__).parent
DTYPES = ("float64", "float32")
CLOSE = {"float64": 1e-8, "float32": 2e-3}  # of the largest entry of a gradient
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")


@dataclass
class Process:
    """A process that runs one implementation, and what it has answered."""

    name: str
    running: subprocess.Popen[str]
    found_at: Path
    first: dict[str, Any] = field(default_factory=dict)
    rounds: list[dict[str, float]] = field(default_factory=list)

    def answer(self) -> dict[str, Any]:
        """The next line that it prints."""
        assert self.running.stdout is not None
        line = self.running.stdout.readline()
        return dict(json.loads(line)) if line else {"error": "it has ended"}

    def ask(self, seconds: float) -> None:
        """Times it in one round."""
        assert self.running.stdin is not None
        self.running.stdin.write(f"{seconds}\n")
        self.running.stdin.flush()
        self.rounds.append(self.answer())

    def close(self) -> None:
        """Ends it."""
        assert self.running.stdin is not None
        self.running.stdin.close()
        self.running.wait(60)


def environment() -> dict[str, str]:
    """One thread, and no preset kernels."""
    found = {k: v for k, v in os.environ.items() if not k.startswith(("OPENBLAS_", "MALLOC_"))}
    flags = found.get("XLA_FLAGS", "") + " --xla_cpu_multi_thread_eigen=false"
    return {**found, **dict.fromkeys(THREADS, "1"), "XLA_FLAGS": flags.strip()}


def started(name: str, kind: str, workload: str, dtype: str, core: int, folder: Path) -> Process:
    """A process for an implementation; `kind` is the path of a module, "hand" or a peer."""
    found_at = folder / f"{name} {workload} {dtype}.npz"
    env = environment() | ({"NO_WORKSPACE": "1"} if name.endswith("alone") else {})
    running = subprocess.Popen(
        [sys.executable, HERE / "worker.py", kind, workload, dtype, str(core), found_at],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        env=env)
    process = Process(name, running, found_at)
    process.first = process.answer()
    return process


def module_of(workload: str, style: str, folder: Path) -> Path:
    """The generated module of a workload."""
    case = WORKLOADS[workload]
    path = folder / f"{case.function.__name__}_{style}.py"
    if not path.exists():
        derivation = symprop.derive(symprop.trace(case.function, wrt=case.wrt))
        options: dict[str, Any] = {} if style == "readable" else {"style": style}
        path.write_text(symprop.generate(derivation, **options).source)
    return path


def apart(found: Path, wanted: Path) -> float:
    """How far gradients are apart, relative to the largest entry of each."""
    ours, theirs = np.load(found), np.load(wanted)
    if set(ours.files) != set(theirs.files):
        return float("inf")
    return max(float(np.max(np.abs(ours[n].astype(float) - theirs[n].reshape(ours[n].shape)))
                     / max(float(np.max(np.abs(theirs[n]))), 1e-30)) for n in ours.files)


def compared(
    workload: str, dtype: str, kinds: Sequence[tuple[str, str]], options: argparse.Namespace,
    folder: Path,
) -> list[Row]:
    """Rows of the report for one workload in one dtype; the first kind is the mark."""
    several = [started(name, kind, workload, dtype, options.core, folder) for name, kind in kinds]
    live = [p for p in several if "error" not in p.first]
    for _ in range(options.rounds):
        for process in random.sample(live, len(live)):
            process.ask(options.seconds)
    mark = several[0]
    rows = []
    for process in several:
        row = Row(workload, dtype, process.name, error=process.first.get("error", ""))
        if process in live:
            times = np.array([r["median"] for r in process.rounds])
            base = np.array([r["median"] for r in mark.rounds])
            row = Row(workload, dtype, process.name, ratio=float(np.median(times / base)),
                      seconds=float(np.median(times)),
                      least=min(r["least"] for r in process.rounds),
                      spread=float((np.quantile(times, 0.75) - np.quantile(times, 0.25))
                                   / np.median(times)),
                      faults=float(np.median([r["faults"] for r in process.rounds])),
                      apart=apart(process.found_at, mark.found_at))
            row.agrees = row.apart < CLOSE[dtype]
            process.close()
        rows.append(row)
        print(row.line(), flush=True)
    return rows


def machine() -> dict[str, str]:
    """What the figures depend on."""
    cpu = next((line.partition(":")[2].strip() for line in
                Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")),
               platform.processor()) if Path("/proc/cpuinfo").exists() else platform.processor()
    found = {"date": date.today().isoformat(), "processor": cpu, "cores": str(os.cpu_count()),
             "load before": f"{os.getloadavg()[0]:.1f}", "Python": platform.python_version()}
    for name in ("symprop", "numpy", "torch", "jax", "autograd"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found


def write(rows: Sequence[Row], about: dict[str, str], options: argparse.Namespace) -> None:
    """The report of what has been compared so far."""
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "report.md").write_text(markdown(rows, about, options.rounds))
    picture(rows, options.out / "report.svg")


def main() -> int:
    """Compares, and writes the report."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--only", default=",".join(WORKLOADS), help="workloads, comma between them")
    parser.add_argument("--dtypes", default=",".join(DTYPES))
    parser.add_argument("--style", default="readable", help="styles of the generated modules")
    parser.add_argument("--peers", default="torch,jax,autograd", help="those that are installed")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--seconds", type=float, default=0.1, help="for each in a round")
    parser.add_argument("--core", type=int, default=max(os.sched_getaffinity(0)))
    parser.add_argument("--out", type=Path, default=HERE, help="where report.md and .svg go")
    options = parser.parse_args()
    random.seed(0)
    about, rows = machine(), []
    peers = [p for p in options.peers.split(",") if p and about.get(p) != "not installed"]
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        for workload in options.only.split(","):
            modules = [(f"symprop {s}", str(module_of(workload, s, folder)))
                       for s in options.style.split(",")]
            for dtype in options.dtypes.split(","):
                kinds = [("hand", "hand"), *modules, *((p, p) for p in peers)]
                rows += compared(workload, dtype, kinds, options, folder)
                write(rows, about, options)  # what there is, should it be stopped
    return int(any(not row.agrees for row in rows if not row.error))


if __name__ == "__main__":
    sys.exit(main())
