"""Runs the parts, for some minutes, with a fresh seed or one to go on with.

    make trust TRUST="--minutes 30"
    make trust TRUST="systems --minutes 5 --seed 123"
"""

from __future__ import annotations

import argparse
import secrets
import sys
import time
from importlib import import_module
from pathlib import Path

from trust.record import ROOT, Record, summary

PARTS = ("systems", "mutation", "hostile", "killed", "files", "determinism", "versions",
         "torch_samples", "onnx_nodes")


def main() -> int:
    """Run the parts in turns; exit status 1 if something was wrong."""
    parser = argparse.ArgumentParser(prog="trust", description=__doc__)
    parser.add_argument("parts", nargs="*", choices=[[], *PARTS], help="all by default")
    parser.add_argument("--minutes", type=float, default=5, help="for all parts together")
    parser.add_argument("--seed", type=int, help="goes on with a run; a fresh one by default")
    parser.add_argument("--record", type=Path, default=ROOT / "build" / "trust.jsonl")
    parser.add_argument("--summary", action="store_true", help="what the record holds, no run")
    options = parser.parse_args()
    record = Record(options.record)
    if not options.summary:
        seed = secrets.randbelow(2**32) if options.seed is None else options.seed
        print(f"seed {seed}, record {options.record}", flush=True)
        parts = options.parts or list(PARTS)
        wrong = [w for part in parts
                 for w in run(part, seed, 60 * options.minutes / len(parts), record)]
        print(summary(record.lines()))
        return int(bool(wrong))
    print(summary(record.lines()))
    return 0


def run(part: str, seed: int, seconds: float, record: Record) -> list[str]:
    """Run trials of one part until its time is over; return what was wrong."""
    try:
        module = import_module(f"trust.{part}")
        most = getattr(module, "MOST", 10**9)
    except ImportError as error:
        print(f"{part} is left out: {error}")
        return []
    done, wrong = record.done(part, seed), []
    end = time.monotonic() + seconds
    for number in range(most):
        if time.monotonic() > end:
            break
        if number in done:
            continue
        start = time.monotonic()
        try:
            said = module.trial(number, seed)
        except Exception as error:
            said = f"raised {error!r}"
        line = record.add(part, seed, number, said, time.monotonic() - start)
        if line.result == "wrong":
            wrong.append(said)
            print(f"{part} {number}: {said}", flush=True)
    return wrong


if __name__ == "__main__":
    sys.exit(main())
