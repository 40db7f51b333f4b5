"""Every row of `nn_cases`: traced, derived, verified, generated, checked, in both precisions."""

from __future__ import annotations

import doctest
import re
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from built_models import single
from nn_cases import CASES, Case
from nn_loops import LOOPS, alignments

import symprop
from symprop import nn
from symprop.errors import DTypeError, InputError, ShapeError, TraceError, UnsupportedError

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")


@cache
def module(name: str) -> Any:
    """The generated module of a case; its derivation is verified on the way."""
    case = CASES[name]
    return symprop.generate(symprop.derive(symprop.trace(
        case.loss, shapes=case.shapes, wrt=case.parameters, facts=case.facts)))


CORE = [name for name, case in CASES.items() if not case.extra]


@pytest.mark.parametrize("name", CORE)
def test_a_call_is_derived_and_its_module_is_right(name: str) -> None:
    case = CASES[name]
    for sizes in case.sizes:
        compare(case, module(name), case.inputs(sizes))


@pytest.mark.parametrize("name", [
    pytest.param(n, marks=[pytest.mark.deep] * (k % 8 > 0)) for k, n in enumerate(CORE)])
def test_its_module_passes_the_check(name: str) -> None:
    report = symprop.check(module(name), sizes=CASES[name].sizes[0])
    assert report.passed, report


def compare(case: Case, generated: Any, inputs: dict[str, Any]) -> None:
    """The module computes what the function does, in both precisions."""
    loss, gradients = generated.value_and_grad(**inputs)
    assert loss == pytest.approx(case.loss(**inputs), rel=1e-12, abs=1e-12)
    loss32, gradients32 = generated.value_and_grad(**single(inputs))
    assert loss32.dtype == np.float32
    if np.lib.NumpyVersion(np.__version__) >= "2.0.0":  # before it, 0.5 widens scalars
        assert case.loss(**single(inputs)).dtype == np.float32
    for key, gradient in gradients.items():
        assert np.isfinite(gradient).all()
        assert gradients32[key].dtype == np.float32
        scale = np.abs(gradient).max(initial=1e-3)
        np.testing.assert_allclose(gradients32[key], gradient, rtol=0, atol=1e-4 * scale)


@pytest.mark.parametrize("name", LOOPS)
def test_plain_arrays_give_what_loops_give(name: str) -> None:
    case = CASES[name]
    for seed, sizes in enumerate(case.sizes):
        inputs = case.inputs(sizes, seed)
        found, expected = case.function(**inputs), LOOPS[name](**inputs)
        for one, other in zip(_parts(found), _parts(expected), strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-11, atol=1e-12)


def _parts(value: Any) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else (value,)


@pytest.mark.parametrize(("steps", "target"), [
    (1, [1]), (3, [1]), (3, [1, 1]), (4, [1, 2]), (4, [2, 2]), (5, [1, 1, 2]), (3, [])])
def test_ctc_adds_up_all_alignments(steps: int, target: list[int]) -> None:
    logits = np.random.default_rng(steps).normal(size=(6, 1, 3))
    log_probs = nn.log_softmax(logits)
    padded = np.array([[*target, 1, 2, 1][:4]])
    lengths = np.array([steps]), np.array([len(target)])
    loss = nn.ctc_loss(log_probs, padded, *lengths, reduction="sum")
    expected = -np.log(alignments(np.exp(log_probs[:steps, 0]), target))
    assert loss == pytest.approx(expected, rel=1e-12)


def test_ctc_of_what_cannot_be_aligned() -> None:
    log_probs = nn.log_softmax(np.zeros((2, 1, 3)))
    arguments = log_probs, np.array([[1, 1]]), np.array([2]), np.array([2])
    assert nn.ctc_loss(*arguments) == np.inf
    assert nn.ctc_loss(*arguments, zero_infinity=True) == 0


def test_products_of_rotated_vectors_depend_on_the_distance() -> None:
    rng = np.random.default_rng(0)
    q, k = np.broadcast_to(rng.normal(size=8), (9, 8)), np.broadcast_to(rng.normal(size=8), (9, 8))
    for interleaved in (False, True):
        scores = nn.rotary(q, interleaved=interleaved) @ nn.rotary(k, interleaved=interleaved).T
        np.testing.assert_allclose(scores[1:, 1:], scores[:-1, :-1], rtol=1e-12)


def test_sinusoids_at_one_distance_are_one_rotation_apart() -> None:
    table = nn.sinusoidal_positions(10, 6)
    sine, cosine = table[:, ::2], table[:, 1::2]
    np.testing.assert_allclose(sine**2 + cosine**2, 1)
    np.testing.assert_allclose(
        sine[3:] * cosine[:-3] - cosine[3:] * sine[:-3], np.broadcast_to(sine[3], (7, 3)))


def test_a_row_in_which_nothing_takes_part_is_zero_and_finite() -> None:
    rng = np.random.default_rng(0)
    q, k, v = rng.normal(size=(3, 2, 4))
    nothing = np.array([[True, True], [False, False]])
    with np.errstate(all="raise"):
        assert not nn.scaled_dot_product_attention(q, k, v, nothing)[1].any()
        assert not nn.scaled_dot_product_attention(
            q, k, v, np.where(nothing, 0.0, -np.inf))[1].any()
    gradients = module("attention boolean").value_and_grad(
        1e3 * q[None], 1e3 * k[None], v[None], nothing[None])[1]
    assert all(np.isfinite(g).all() for g in gradients.values())


def test_every_public_function_has_a_case() -> None:
    text = (Path(__file__).parent / "nn_cases.py").read_text(encoding="utf-8")
    text = text.replace("sdpa", "nn.scaled_dot_product_attention")
    named = set(re.findall(r"nn\.(\w+)", text))
    helpers = {"merge_heads", "split_heads", "log_sigmoid"}
    assert set(nn.__all__) - named - helpers == set()
    assert set(nn.__all__) == {n for n in dir(nn) if callable(getattr(nn, n))}


X, IMAGE = np.ones((2, 4)), np.ones((2, 4, 5, 6))
WRONG: dict[str, tuple[Callable[[], Any], type[Exception], str]] = {
    "pad of three": (lambda: nn.pad(X, (1, 2, 3)), InputError,
                     "pad: pad is a pair of whole numbers for each of the last axes, not "
                     "(1, 2, 3)"),
    "pad's mode": (lambda: nn.pad(X, (1, 1), "zeros"), InputError,
                   "pad: mode is constant, reflect, replicate, circular, not 'zeros'"),
    "columns": (lambda: nn.fold(X, (4, 4), 1), ShapeError,
                "fold: the input has 4 columns, but there are 4 x 4 windows"),
    "no classes": (lambda: nn.one_hot(np.arange(2), -1), InputError,
                   "one_hot: num_classes is at least 1, not -1"),
    "classes of floats": (lambda: nn.one_hot(X, 3), DTypeError,
                          "one_hot: the input must be of integers"),
    "mode for axes": (lambda: nn.interpolate(IMAGE, 2, mode="linear"), InputError,
                      "interpolate: mode 'linear' is none for 2 spatial axes; there are nearest, "
                      "nearest-exact, bilinear, bicubic, area"),
    "two sizes": (lambda: nn.interpolate(IMAGE, 2, 2), InputError,
                  "interpolate: give either size or scale_factor"),
    "shuffled channels": (lambda: nn.pixel_shuffle(IMAGE[:, :3], 2), ShapeError,
                          "pixel_shuffle: upscale_factor ** 2 is 4, which does not divide the "
                          "number of channels, 3"),
    "ignored shares": (lambda: nn.cross_entropy(X, X, ignore_index=0), InputError,
                       "cross_entropy: ignore_index is for labels, but the target is a "
                       "distribution"),
    "channels": (lambda: nn.conv2d(IMAGE, np.ones((3, 5, 3, 3))), ShapeError,
                 "conv2d: the weight has size 5 on axis 1, but the number of channels of a group "
                 "is 4"),
    "groups": (lambda: nn.conv2d(IMAGE, np.ones((3, 1, 3, 3)), groups=3), ShapeError,
               "conv2d: groups is 3, which does not divide the number of channels, 4"),
    "rank": (lambda: nn.conv2d(X, np.ones((3, 4, 3, 3))), ShapeError,
             "conv2d: the input is of shape (N, C, *spatial), but has 2 axes"),
    "stride": (lambda: nn.conv2d(IMAGE, np.ones((3, 4, 3, 3)), stride=0), InputError,
               "conv2d: stride is one whole number or 2 of them, each at least 1, not 0"),
    "same": (lambda: nn.conv1d(np.ones((1, 1, 5)), np.ones((1, 1, 2)), stride=2, padding="same"),
             InputError, 'conv1d: padding="same" needs stride 1, not (2,)'),
    "bias": (lambda: nn.linear(X, np.ones((3, 4)), np.ones(4)), ShapeError,
             "linear: the bias has size 4 on axis 0, but the weight's first axis is 3"),
    "transposed": (lambda: nn.conv_transpose2d(IMAGE, np.ones((4, 1, 2, 2)), output_padding=1),
                   InputError, "conv_transpose2d: output_padding (1, 1) is not less than the "
                               "stride or the dilation"),
    "window": (lambda: nn.max_pool2d(IMAGE, 2, padding=2), InputError,
               "max_pool2d: padding is (2, 2), more than half of the kernel size (2, 2)"),
    "indices": (lambda: nn.max_pool2d(IMAGE, 2, return_indices=True), UnsupportedError,
                "max_pool2d is not written with return_indices=True"),
    "normalized": (lambda: nn.layer_norm(X, 5), ShapeError,
                   "layer_norm: the input has the shape (2, 4), which does not end in the "
                   "normalized shape (5,)"),
    "running": (lambda: nn.batch_norm(X, None, None), InputError,
                "batch_norm needs running_mean and running_var unless training=True"),
    "integers": (lambda: nn.embedding(X, X), DTypeError,
                 "embedding: the input must be of integers"),
    "gates": (lambda: nn.lstm(np.ones((3, 2, 4)), X, X, np.ones((12, 4)), np.ones((16, 4))),
              ShapeError, "lstm: weight_ih has 12 rows, not 4 times the size 4 of the state"),
    "nonlinearity": (lambda: nn.rnn(np.ones((3, 2, 4)), X, np.eye(4), np.eye(4),
                                    nonlinearity="sin"), InputError,
                     'rnn: nonlinearity is "tanh" or "relu", not \'sin\''),
    "masks": (lambda: nn.scaled_dot_product_attention(X, X, X, X > 0, is_causal=True), InputError,
              "scaled_dot_product_attention takes attn_mask or is_causal, not both"),
    "key": (lambda: nn.scaled_dot_product_attention(X, np.ones((2, 3)), X), ShapeError,
            "scaled_dot_product_attention: the key has size 3 on axis -1, but the last axis of "
            "the query is 4"),
    "heads": (lambda: nn.multi_head_attention(*[np.ones((1, 2, 4))] * 3, 3, X, None, X, None),
              ShapeError, "multi_head_attention: num_heads is 3, which does not divide the number "
                          "of features, 4"),
    "halves": (lambda: nn.glu(np.ones((2, 3))), ShapeError,
               "glu: the number of halves is 2, which does not divide the number of features, 3"),
    "dropout": (lambda: nn.dropout(X, X, p=1.0), InputError,
                "dropout: p is at least 0 and less than 1, not 1.0"),
    "temperature": (lambda: nn.info_nce(X, X, 0.0), InputError,
                    "info_nce: temperature is more than 0, not 0.0"),
    "reduction": (lambda: nn.smooth_l1_loss(X, X, reduction="all"), InputError,
                  'smooth_l1_loss: reduction is "mean", "sum" or "none", not \'all\''),
}


@pytest.mark.parametrize("name", WRONG)
def test_bad_arguments_are_answered_in_one_sentence(name: str) -> None:
    call, error, sentence = WRONG[name]
    with pytest.raises(error) as caught:
        call()
    assert re.sub(r"^\S+\.py:\d+: ", "", str(caught.value)) == sentence


def test_traced_channels_that_do_not_fit_are_named() -> None:
    def loss(x: "N C Y X", w: "O 3 3 3") -> Any:
        return np.sum(nn.conv2d(x, w))

    with pytest.raises(TraceError, match=r"whether the sizes .* are equal is not known"):
        symprop.trace(loss)


def test_the_page_lists_every_function() -> None:
    page = (Path(__file__).parents[1] / "docs" / "nn.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`(\w+)`", page))
    assert set(nn.__all__) - named == set()


@pytest.mark.parametrize("name", nn.__all__)
def test_every_function_has_an_example_that_is_true(name: str) -> None:
    function = getattr(nn, name)
    namespace = vars(sys.modules[function.__module__])
    found = doctest.DocTestFinder(recurse=False).find(function, name, globs=dict(namespace))
    assert [t for t in found if t.examples], name
    for test in found:
        assert not doctest.DocTestRunner(verbose=False).run(test).failed


@pytest.mark.parametrize("name", [
    "max_pool2d", "max_pool2d overlapping", "avg_pool1d", "avg_pool2d"])
def test_no_loop_over_the_few_entries_of_a_window(name: str) -> None:
    """Windows are reduced slab by slab, in forward and where entries that are equal are counted."""
    source = module(name).source
    assert "blocks" in source or "windows" in source
    assert not re.findall(r"(?:\.|np\.)(?:max|sum)\([^\n]*axis=\(?[345]", source)
