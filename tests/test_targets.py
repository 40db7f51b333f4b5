"""A second target against the first: the same values and gradients over the zoo.

JAX writes into no array, so that every statement of NumPy's that does is put to the test.
"""

from __future__ import annotations

import ast
import re

import numpy as np
import pytest
from built_models import assert_close, built
from proofs import PROOFS

from symprop.emit.module import module_source
from symprop.emit.targets.jax.table import JAX
from symprop.emit.targets.numpy.table import NUMPY
from symprop.files.load import load_text
from symprop.train.signature import leaves_of
from symprop.zoo import models

EVERY = [*models(), *PROOFS]


@pytest.mark.oracles
@pytest.mark.parametrize("name", EVERY)
def test_jax_computes_what_numpy_does(name: str) -> None:
    import jax

    jax.config.update("jax_enable_x64", True)
    model = built(name)
    other = load_text(module_source(model.derivation, target=JAX), f"{name}_jax")
    for seed, sizes in enumerate(model.sizes):
        leaves = model.leaves(sizes, seed)
        loss, expected = model.value_and_grad(leaves)
        found, gradients = other.value_and_grad(**model.arranged(leaves))
        assert found == pytest.approx(loss, rel=1e-12)
        assert_close({n: np.asarray(g) for n, g in leaves_of(gradients).items()}, expected, 1e-10)
        if hasattr(other, "predict"):
            taken = ast.parse(module_source(model.derivation, target=JAX))
            predict = next(f for f in taken.body
                           if isinstance(f, ast.FunctionDef) and f.name == "predict")
            given = {k: v for k, v in model.arranged(leaves).items()
                     if k in {a.arg for a in predict.args.args}}
            outputs = model.module.predict(**given)
            assert_close({n: np.asarray(a) for n, a in other.predict(**given).items()},
                         {n: np.asarray(a) for n, a in outputs.items()}, 1e-10)


def test_the_second_target_differs_only_where_it_must() -> None:
    assert set(JAX.table) < set(NUMPY.table)
    other = [key for key, text in JAX.table.items() if text != NUMPY.table[key]]
    assert len(other) < 10


@pytest.mark.parametrize("name", ["lstm", "lenet5", "gpt", "word2vec"])
def test_nothing_is_written_into_an_array_of_jax(name: str) -> None:
    text = module_source(built(name).derivation, target=JAX)
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Assign | ast.AugAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            assert not any(isinstance(t, ast.Subscript) for t in targets)
    assert not re.search(r"errstate|add\.at\(|stride_tricks", text)
    assert "import jax.numpy as np\n" in text and "import numpy" not in text
