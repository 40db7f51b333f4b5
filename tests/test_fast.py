"""The fast style: operations write into memory that nothing reads any more.

The readable module is the oracle: the same loss and gradients, whatever is called how often and in
which order. What a caller holds is never written over unless it was given up.
"""

from __future__ import annotations

import copy
import pickle
import threading
import tracemalloc
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pytest
from built_models import built
from emitted_models import MODELS, derivation
from mutants import mutant
from nn_cases import CASES
from test_blocks import NETWORKS

import symprop
from symprop.close import Mismatch, close
from symprop.close.calls import arguments, gradients
from symprop.emit import module as emit_module
from symprop.emit.module import GeneratedModule
from symprop.errors import InputError
from symprop.interpret import draw
from symprop.lower.program import Program, lower
from symprop.lower.styles import styled
from symprop.system import System


def counted(x: "N K", g: "K", at: "int M"):
    """Positions are counted, in integers; floats of the same shape follow."""
    u = x.copy()
    u[:, ::-1] = x * g
    u[at] = 0.5
    u[1:] += u[:-1]
    return np.sum(np.tanh(u) ** 2)


def masked_twice(x: "N K", w: "H N"):
    """A product along an axis, whose memory a masked array takes."""
    k = np.prod(x, axis=0)
    u = np.tril(x)
    return np.mean(k) + u.mean() + np.sum(np.sin(w @ np.tril(x))), {"u": u}


def last_row(c: "N K", s: "K"):
    """A row of a gradient is one of two looks at another array, and then added to."""
    u = np.zeros_like(c)
    u[-1] += s
    u[0, 0] = s[0]
    return np.sum(np.sin(u + c))


WRITTEN: dict[str, Callable[..., Any]] = {
    "counted": counted, "masked_twice": masked_twice, "last_row": last_row}
KINDS = ("matrix_factorization", "svm", "lstm", "attention", "word2vec", *(
    pytest.param(n, marks=pytest.mark.deep) for n in (
        "softmax_regression", "deep_mlp", "mlp_batch_norm", "lenet5", "gaussian_mixture",
        "graph_convolution", "mixture_of_experts")))
FILLED = ("interpolate multiple", "rotary interleaved", "lstm last")  # by several statements, turns


@cache
def both(name: str) -> tuple[System, Any, Any]:
    """The system, the readable module and the fast one, which is compared with its equations."""
    if name in MODELS:
        found = derivation(name)
        plain = symprop.generate(found)
    elif name in WRITTEN:
        found = symprop.derive(symprop.trace(WRITTEN[name]))
        plain = symprop.generate(found)
    elif name in CASES:
        case = CASES[name]
        found = symprop.derive(symprop.trace(
            case.loss, facts=case.facts, shapes=case.shapes, wrt=case.parameters))
        plain = symprop.generate(found)
    else:
        found, plain = built(name).derivation, built(name).module
    return found.system, plain, symprop.generate(found, style="fast")


def inputs(system: System, seed: int = 0, dtype: Any = np.float64) -> dict[str, Any]:
    _, leaves = draw(system, seed)
    return {n: a.astype(dtype) if a.dtype.kind == "f" else a for n, a in leaves.items()}


def same(found: Any, expected: Any, tolerance: float) -> None:
    assert list(found) == list(expected)
    for name, grad in expected.items():
        assert (found[name].dtype, found[name].shape) == (grad.dtype, grad.shape)
        np.testing.assert_allclose(
            found[name], grad, rtol=0, atol=tolerance * np.abs(grad).max(initial=0), err_msg=name)


@pytest.mark.parametrize("name", [*MODELS, *KINDS, *FILLED, *WRITTEN])
def test_both_styles_give_the_same_gradients(name: str) -> None:
    """With a workspace or without, asked for twice, given up, in both dtypes."""
    system, plain, fast = both(name)
    workspace = fast.Workspace()
    for seed, dtype, tolerance in ((0, np.float64, 1e-12), (1, np.float32, 2e-5),
                                   (2, np.float64, 1e-12)):  # other sizes each time
        leaves = inputs(system, seed, dtype)
        before = {n: a.copy() for n, a in leaves.items()}
        kinds = []
        given = arguments(system.arguments, leaves)
        loss, expected = plain.value_and_grad(**given)
        expected = gradients(system, expected)
        for kept in (None, workspace):
            own, saved = fast.forward(**given, workspace=kept)
            held = [p.copy() for p in saved if isinstance(p, np.ndarray)]
            kinds.append([p.dtype for p in held])
            np.testing.assert_allclose(own, loss, rtol=tolerance)
            assert own.dtype == loss.dtype
            for _ in range(2):
                found = gradients(system, fast.backward(saved))
                same(found, expected, tolerance)
                apart(found, leaves, saved)
            for old, new in zip(held, (p for p in saved if isinstance(p, np.ndarray)), strict=True):
                np.testing.assert_array_equal(new, old)
            same(gradients(system, fast.backward(saved, consume=True)), expected, tolerance)
            same(gradients(system, fast.value_and_grad(**given, workspace=kept)[1]), expected,
                 tolerance)
        assert kinds[0] == kinds[1]  # a buffer holds what NumPy would have made
        for leaf, array in leaves.items():
            np.testing.assert_array_equal(array, before[leaf])


def apart(found: dict[str, Any], leaves: dict[str, Any], saved: Any) -> None:
    """No gradient shares memory with another one, an input, or what is saved."""
    others = [*leaves.values(), *(p for p in saved if isinstance(p, np.ndarray))]
    grads = [*found.values()]
    for k, grad in enumerate(grads):
        assert not any(np.shares_memory(grad, o) for o in (*grads[k + 1:], *others))


@pytest.mark.parametrize("name", [
    "steps", pytest.param("transformer", marks=pytest.mark.deep)])
def test_blocks_have_the_fast_style_too(name: str) -> None:
    found = symprop.derive(NETWORKS[name][0](), structure="blocks")
    plain, fast = symprop.generate(found), symprop.generate(found, style="fast")
    given = arguments(found.system.arguments, inputs(found.system))
    expected = gradients(found.system, plain.value_and_grad(**given)[1])
    workspace = fast.Workspace()
    for _ in range(2):
        same(gradients(found.system, fast.value_and_grad(**given, workspace=workspace)[1]),
             expected, 1e-12)


# ---- what a caller may do -------------------------------------------------------------------


def test_what_an_earlier_forward_saved_is_lost_with_its_workspace() -> None:
    system, _, fast = both("mlp")
    given = arguments(system.arguments, inputs(system))
    workspace = fast.Workspace()
    _, first = fast.forward(**given, workspace=workspace)
    _, second = fast.forward(**given, workspace=workspace)
    with pytest.raises(RuntimeError, match="forward has run again in its workspace"):
        fast.backward(first)
    fast.backward(second)
    _, without = fast.forward(**given)
    fast.forward(**given)
    fast.backward(without)


def test_what_is_given_up_is_lost() -> None:
    system, _, fast = both("mlp")
    _, saved = fast.forward(**arguments(system.arguments, inputs(system)))
    fast.backward(saved, consume=True)
    with pytest.raises(RuntimeError, match="call forward again"):
        fast.backward(saved)


def test_a_copy_of_what_is_saved_needs_no_workspace() -> None:
    system, _, fast = both("mlp")
    given = arguments(system.arguments, inputs(system))
    workspace = fast.Workspace()
    _, saved = fast.forward(**given, workspace=workspace)
    copies = [copy.deepcopy(saved), pickle.loads(pickle.dumps(saved))]
    expected = {n: g.copy() for n, g in fast.backward(saved).items()}
    fast.value_and_grad(**arguments(system.arguments, inputs(system, 5)), workspace=workspace)
    for kept in copies:
        same(fast.backward(kept), expected, 0)


def test_gradients_in_a_workspace_last_until_the_next_backward() -> None:
    system, _, fast = both("mlp")
    workspace = fast.Workspace()
    given = arguments(system.arguments, inputs(system))
    _, saved = fast.forward(**given, workspace=workspace)
    found = fast.backward(saved)
    held = {n: g.copy() for n, g in found.items()}
    again = arguments(system.arguments, inputs(system) | {"W1": 2 * given["W1"]})
    _, saved = fast.forward(**again, workspace=workspace)
    same(found, held, 0)  # forward alone leaves them
    other = fast.backward(saved)
    assert np.shares_memory(found["W1"], other["W1"])


def test_each_thread_has_a_workspace() -> None:
    """Many runs at once, each with its own inputs; a workspace of another thread is refused."""
    system, plain, fast = both("mlp")
    wrong: list[Any] = []

    def work(seed: int) -> None:
        given = arguments(system.arguments, inputs(system, seed))
        expected = plain.value_and_grad(**given)[1]
        workspace = fast.Workspace()
        for _ in range(50):
            found = fast.value_and_grad(**given, workspace=workspace)[1]
            wrong.extend(n for n, g in expected.items() if not np.allclose(found[n], g, 1e-12))

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong

    given = arguments(system.arguments, inputs(system))
    workspace, raised = fast.Workspace(), []
    fast.forward(**given, workspace=workspace)

    def intrude() -> None:
        try:
            fast.forward(**given, workspace=workspace)
        except RuntimeError as error:
            raised.append(str(error))

    thread = threading.Thread(target=intrude)
    thread.start()
    thread.join()
    lock = np.random.PCG64(0).lock
    lock.acquire(False)
    knows = lock.acquire(False)  # from NumPy 2.4 on a lock knows its thread
    assert raised == [
        "a workspace belongs to one thread: give each thread a Workspace() of its own"][:knows]


def test_floats_of_two_kinds_are_computed_in_the_wider_one() -> None:
    """No result of the wider one is written into an array of the narrower one."""
    system, plain, fast = both("mlp")
    leaves = inputs(system)
    leaves |= {n: leaves[n].astype(np.float32) for n in ("X", "W1")}
    leaves["Y"] = np.eye(leaves["Y"].shape[1])[np.zeros(len(leaves["Y"]), int)]
    given = arguments(system.arguments, leaves)
    for found, expected in zip(fast.value_and_grad(**given)[1].items(),
                               plain.value_and_grad(**given)[1].items(), strict=True):
        assert found[1].dtype == expected[1].dtype
        np.testing.assert_allclose(found[1], expected[1], rtol=1e-4, atol=1e-6)
    _, saved = fast.forward(**{n: np.float32(a) for n, a in given.items()},
                            workspace=fast.Workspace())
    assert {g.dtype for g in fast.backward(saved, np.float64(2.0)).values()} == {np.dtype("f4")}


def test_what_does_not_fit_at_one_look_is_read() -> None:
    """Lists, floats of two kinds and whole numbers are read; what is wrong is said as ever."""
    system, plain, fast = both("mlp")
    found = inputs(system)
    expected = plain.value_and_grad(**found)
    name = next(iter(found))
    for other in (found[name].tolist(), np.asarray(found[name], order="F"),
                  found[name][None], found[name][:1], found[name] > 0, None):
        answers = []
        for module in (plain, fast):
            try:
                answers.append(module.value_and_grad(**(found | {name: other}))[0])
            except (ValueError, TypeError) as error:
                answers.append(str(error))
        assert answers[0] == pytest.approx(answers[1], rel=1e-12) if isinstance(
            answers[0], float) else answers[0] == answers[1], name
    same(fast.value_and_grad(**found)[1], expected[1], 1e-12)


def pooled(x: "N 1 4 4") -> Any:
    return np.sum(symprop.nn.max_pool2d(symprop.nn.relu(x), 2))


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex128])
def test_a_choice_with_zero_is_one_of_bits(dtype: Any) -> None:
    """Whatever the entries are; over one of the operands too."""
    module = symprop.generate(symprop.trace(pooled, wrt=["x"]), style="fast")
    x = np.array([[1.5, np.nan, np.inf, -np.inf, -0.0, 5e-324]], dtype)
    mask = np.arange(12).reshape(2, 6) % 5 < 3
    expected = np.where(mask, x, 0)
    whole = np.broadcast_to(x, mask.shape).copy()
    for found in (module.only_where(mask, x), module.only_where(mask, x, out=np.ones_like(whole)),
                  module.only_where(mask, whole, out=whole)):
        assert found.dtype == dtype
        np.testing.assert_array_equal(found, expected)
    assert module.only_where(mask, whole, out=whole) is whole  # as ufuncs do


def embedded(table: "M D", at: "int N") -> Any:
    return np.sum(np.tanh(table[at]) ** 2)


@pytest.mark.parametrize("shape, where", [
    ((40, 30), (1, 0)), ((3, 20, 30), (2, 1)), ((2, 5, 7, 30), (2, 2, 0)), ((900,), (0,)),
    ((5, 50, 40), (1, 0, 0)),
])
@pytest.mark.parametrize("kind", ["inside", "from the end", "turned", "spread"])
def test_values_go_to_scattered_entries_as_add_at_adds_them(
    shape: tuple[int, ...], where: tuple[int, ...], kind: str
) -> None:
    """To the last bit, in whatever order arrays lie; a place that is none is refused alike.

    where: how many whole axes stand first, then one list of places for each number.
    """
    module = symprop.generate(symprop.trace(embedded, wrt=["table"]), style="fast")
    rng = np.random.default_rng(0)
    first, lists = where[0], max(len(where) - 1, 1)
    low = -3 if kind == "from the end" else 0
    at = tuple(rng.integers(low, n, (9, 1000)) for n in shape[first:first + lists])
    parts = (*(slice(None) for _ in range(first)), *at)
    values = rng.normal(size=np.empty(shape)[parts].shape).astype(np.float32)
    values = values[..., :1] if kind == "spread" else values
    for add in (np.add, np.subtract):
        found, expected = (np.ones(shape, np.float32) for _ in range(2))
        if kind == "turned":
            found, expected = (np.ones(shape[::-1], np.float32).T for _ in range(2))
        module.add_at(found, parts, values, add)
        add.at(expected, parts, values)
        np.testing.assert_array_equal(found, expected)
    with pytest.raises(IndexError):
        module.add_at(found, (*parts[:-1], np.full((9, 1000), shape[first + lists - 1])), values)


def test_our_names_give_way() -> None:
    """What the fast style adds has other names where the user's arguments have them."""
    def loss(X: "N K", workspace: "K M", consume: "M", resume: "M", type: "M") -> Any:
        generation = np.tanh(X @ workspace + consume)
        return np.mean((generation * resume * type) ** 2)

    system = symprop.trace(loss)
    plain, fast = symprop.generate(system), symprop.generate(system, style="fast")
    given = arguments(system.arguments, inputs(system))
    same(fast.value_and_grad(**given, workspace_2=fast.Workspace())[1],
         plain.value_and_grad(**given)[1], 1e-12)


def test_arguments_may_lie_column_by_column() -> None:
    """np.dot writes into rows only; the tanh of a transpose lies as that does."""
    def loss(c: "H K", A: "", w: "K N", V: "", y: "H N"):
        s = np.tanh((A * c) @ w)
        return np.sum(s * y) + np.sum(np.sin(c + V * np.tanh(c)))

    module = symprop.generate(symprop.trace(loss), style="fast")
    rng = np.random.default_rng(0)
    given = {"c": rng.normal(size=(4, 3)), "A": 0.7, "w": rng.normal(size=(3, 2)), "V": -0.4,
             "y": rng.normal(size=(4, 2))}
    expected = module.value_and_grad(**given)[1]
    turned = {n: np.asfortranarray(a) if np.ndim(a) == 2 else a for n, a in given.items()}
    for name, gradient in module.value_and_grad(**turned)[1].items():
        np.testing.assert_allclose(gradient, expected[name], rtol=1e-12)


def test_another_style_is_refused() -> None:
    with pytest.raises(InputError, match="style must be 'readable' or 'fast', not 'faster'"):
        symprop.generate(derivation("mlp"), style="faster")


# ---- what is counted ------------------------------------------------------------------------


def large(T: int = 32) -> tuple[System, Any, Any, dict[str, Any]]:
    """A model at sizes at which arrays count."""
    system, plain, fast = both("attention")
    sizes = dict.fromkeys(system.sizes, T)
    _, leaves = draw(system, 0, sizes)
    return system, plain, fast, arguments(system.arguments, leaves)


def peak(call: Any) -> int:
    call()
    tracemalloc.start()
    call()
    found = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return found


def test_less_memory_is_made() -> None:
    """Without a workspace less than in the readable style; with one no array of the full size."""
    _, plain, fast, given = large()
    workspace = fast.Workspace()
    readable = peak(lambda: plain.value_and_grad(**given, validate=False))
    assert peak(lambda: fast.value_and_grad(**given, validate=False)) < 0.8 * readable
    kept = peak(lambda: fast.value_and_grad(**given, validate=False, workspace=workspace))
    assert kept < 0.1 * readable


@cache
def programs(name: str) -> tuple[Any, Program, str]:
    found = derivation(name)
    program = styled(lower(found.system, found.adjoints), "fast")
    return found, program, emit_module.generate(program).source


@pytest.mark.parametrize("name", ["mlp", "recurrent"])
def test_close_sees_through_what_is_written_over(name: str) -> None:
    """One fault in a body is refused; one at the most passes, for it may change no value."""
    found, program, source = programs(name)
    close(found, program, GeneratedModule(source, name))
    passed = []
    for seed in range(6):
        wrong, what = mutant(source, seed)
        if not what:  # the text is the same
            continue
        try:
            close(found, program, GeneratedModule(wrong, name))
        except Mismatch:
            continue
        passed.append(what)
    assert len(passed) <= 1, passed


def test_what_is_written_over_is_compared_as_it_was() -> None:
    """A wrong value of an array whose memory another one takes is named, not only what follows."""
    found, program, source = programs("mlp")
    wrong = source.replace("Z2 += b2", "Z2 -= b2")
    assert wrong != source and "del " in source
    with pytest.raises(Mismatch, match=r"Z2\[0, 0\] is .* and its equation says"):
        close(found, program, GeneratedModule(wrong, "mlp"))
