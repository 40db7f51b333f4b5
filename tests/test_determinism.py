"""The same input gives the same bytes, whatever the hash seed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
SCRIPT = """
import hashlib
import symprop
from proofs import PROOFS
from random_programs import random_program
from test_fast import masked_twice
from symprop.zoo import models

def digest(title, derivation):
    texts = (derivation.latex(), derivation.markdown(), derivation.text(),
             symprop.generate(derivation).source,
             symprop.generate(derivation, style="fast").source)
    print(title, *(hashlib.sha256(t.encode()).hexdigest()[:16] for t in texts))

m = models()["mlp"]
digest("mlp", symprop.derive(symprop.trace(m.function, wrt=m.wrt, facts=m.facts)))
for name in ("layer_norm", "lstm_proof"):
    digest(name, symprop.derive(symprop.trace(PROOFS[name].function, wrt=PROOFS[name].wrt)))
digest("masked", symprop.derive(symprop.trace(masked_twice)))
for seed in (1, 8):
    p = random_program(seed)
    digest(seed, symprop.derive(symprop.trace(p.function, shapes=p.shapes, facts=p.facts)))
"""


LINES = 6
SEEDS = ("0", "1", "2", "12345", "4294967295")


@pytest.mark.parametrize("seeds", [SEEDS[3:], pytest.param(SEEDS, marks=pytest.mark.deep)], ids=len)
def test_bytes_do_not_depend_on_the_hash_seed(seeds: tuple[str, ...]) -> None:
    """A fresh Python for each value of PYTHONHASHSEED prints the same digests."""
    path = os.pathsep.join([str(HERE), str(HERE.parent), os.environ.get("PYTHONPATH", "")])
    running = [
        subprocess.Popen(
            [sys.executable, "-c", SCRIPT], text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": path})
        for seed in seeds]
    results = [process.communicate() for process in running]
    assert [process.returncode for process in running] == [0] * len(seeds), results[0][1]
    digests = [out for out, _ in results]
    assert len(digests[0].splitlines()) == LINES
    assert digests == [digests[0]] * len(seeds)
