"""The same bytes on other versions: of Python, of NumPy and SymPy.

In: a number: an interpreter and a model of the zoo. Out: "" where pages and modules have the bytes
that they have here, in both structures and both styles. Interpreters are named, separated by
colons, in TRUST_PYTHONS; by default the oldest NumPy and SymPy of `make test-oldest`.
"""

from __future__ import annotations

import os
import subprocess
import sys
from functools import cache
from pathlib import Path

from trust.record import ROOT

NAMES = ("linear_regression", "word2vec", "lstm", "lenet5", "transformer_block", "mlp")
PYTHONS = [p for p in os.environ.get(
    "TRUST_PYTHONS", str(ROOT / ".venv-oldest" / "bin" / "python")).split(":") if Path(p).exists()]
MOST = len(NAMES) * len(PYTHONS)
SCRIPT = """
import hashlib, sys
import symprop
from symprop.emit.depths import PRINTERS
from symprop.zoo import models

m = models()[sys.argv[1]]
system = symprop.trace(m.function, wrt=m.wrt, facts=m.facts, shapes=m.shapes, static=m.static)
for structure in ("flat", "blocks"):
    derivation = symprop.derive(system, structure=structure)
    texts = [symprop.generate(derivation, style=s).source for s in ("readable", "fast")]
    for detail in PRINTERS:
        texts += [derivation.latex(detail=detail), derivation.text(detail=detail),
                  derivation.markdown(detail=detail)]
    print(structure, *(hashlib.sha256(t.encode()).hexdigest()[:16] for t in texts))
"""


def trial(number: int, seed: int) -> str:
    """One model by one interpreter."""
    python, name = PYTHONS[number // len(NAMES)], NAMES[number % len(NAMES)]
    said = digests(python, name, str(1 + seed % 1000))
    here = digests(sys.executable, name, "0")
    return "" if said == here else f"{name} by {python}: {said}, here {here}"


@cache
def digests(python: str, name: str, hash_seed: str) -> str:
    """What an interpreter makes of a model; a RuntimeError where it makes nothing."""
    done = subprocess.run(
        [python, "-c", SCRIPT, name], text=True, capture_output=True, check=False,
        env={**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(ROOT),
             "PYTHONDONTWRITEBYTECODE": "1"})
    if done.returncode:
        raise RuntimeError(f"{name} by {python}: {done.stderr[-300:]}")
    return done.stdout
