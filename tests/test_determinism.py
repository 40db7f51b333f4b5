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
from symprop.zoo import models

def digest(title, derivation):
    texts = (derivation.latex(), derivation.markdown(), derivation.text(),
             symprop.generate(derivation).source)
    print(title, *(hashlib.sha256(t.encode()).hexdigest()[:16] for t in texts))

for name in ("mlp", "mlp_sigmoid_mse", "matrix_factorization"):
    m = models()[name]
    digest(name, symprop.derive(symprop.trace(
        m.function, shapes=m.shapes, wrt=m.wrt, facts=m.facts)))
for name in ("layer_norm", "lstm"):
    digest(name, symprop.derive(symprop.trace(PROOFS[name].function, wrt=PROOFS[name].wrt)))
for seed in (1, 8, 12, 31):
    p = random_program(seed)
    digest(seed, symprop.derive(symprop.trace(p.function, shapes=p.shapes, facts=p.facts)))
"""


def digests(seed: str) -> str:
    """What a fresh Python prints under one value of PYTHONHASHSEED."""
    path = os.pathsep.join([str(HERE), str(HERE.parent), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": path})
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def reference() -> str:
    return digests("0")


@pytest.mark.parametrize("seed", ["1", "2", "12345", "4294967295"])
def test_bytes_do_not_depend_on_the_hash_seed(seed: str, reference: str) -> None:
    assert len(reference.splitlines()) == 9
    assert digests(seed) == reference
