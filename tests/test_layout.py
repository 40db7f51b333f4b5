"""Arrays that a batch of products reads lie as the products run."""

from __future__ import annotations

from typing import Any

import numpy as np

import symprop


def mixture(x: "N D", m: "K D", e: "K D", L: "K D D") -> Any:
    c = x[:, None, :] - m
    z = e * c + np.einsum("kij,nkj->nki", L, c)
    return np.sum(np.sin(z))


def test_what_is_spread_out_lies_as_its_products_read_it() -> None:
    module = symprop.generate(symprop.derive(symprop.trace(mixture, wrt=["m", "e", "L"])))
    rng = np.random.default_rng(0)
    K, N, D = 3, 7, 4
    _, saved = module.forward(rng.normal(size=(N, D)), rng.normal(size=(K, D)),
                              rng.normal(size=(K, D)), rng.normal(size=(K, D, D)))
    for array in (saved.c, saved.z):
        assert array.shape == (N, K, D)
        assert array.transpose(1, 2, 0).flags.c_contiguous


def test_batches_that_come_first_stay() -> None:
    def loss(q: Any, k: Any) -> Any:
        return np.sum(np.sin(np.einsum("nte,nse->nts", q - 1, k)))

    system = symprop.trace(loss, shapes={"q": "N T E", "k": "N S E"}, wrt=["q", "k"])
    source = symprop.generate(symprop.derive(system)).source
    assert "@ k.transpose(0, 2, 1)" in source
    assert "transpose(2, 0, 1)" not in source


def test_what_is_made_entry_by_entry_lies_as_its_operands_where_it_is_fast() -> None:
    def loss(x: Any, K: Any) -> Any:
        a = np.tanh(symprop.nn.conv2d(x, K))
        return np.sum(symprop.nn.max_pool2d(a, 2) ** 2)

    system = symprop.trace(loss, shapes={"x": "N 2 7 7", "K": "3 2 2 2"}, wrt=["K"])
    derivation = symprop.derive(system)
    rng = np.random.default_rng(0)
    x, K = rng.normal(size=(5, 2, 7, 7)), rng.normal(size=(3, 2, 2, 2))
    plain = symprop.generate(derivation)
    module = symprop.generate(derivation, style="fast")
    value, saved = module.forward(x, K, workspace=module.Workspace())
    assert saved.a.shape == (5, 3, 6, 6)
    assert saved.a.transpose(1, 2, 3, 0).flags.c_contiguous
    wanted = plain.value_and_grad(x, K)
    np.testing.assert_allclose(value, wanted[0], rtol=1e-12)
    np.testing.assert_allclose(module.backward(saved)["K"], wanted[1]["K"], rtol=1e-12, atol=1e-12)
