"""What a check reads and draws: annotations, structures, sizes, domains."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from symprop.check.annotations import read_annotation
from symprop.check.domains import Domain, draw, read_facts
from symprop.check.sizes import PRIMES, choose_sizes
from symprop.check.trees import Record, flatten, matched, rebuild, subtrees
from symprop.errors import FactError, InputError, ShapeError
from symprop.shapes import parse_dim, parse_spec


@dataclass
class Layer:
    W: "D D"
    b: "'D'"


@dataclass
class Net:
    layers: "[Layer, Layer]"
    scale: ""


class Pair(NamedTuple):
    left: Any
    right: Any


class Jaxtyped:
    """What jaxtyping makes of `Float[Array, "N K"]`, as far as it is read."""

    def __init__(self, dtypes: list[str], dim_str: str) -> None:
        self.dtypes, self.dim_str = dtypes, dim_str


def shown(tree: Any) -> Any:
    if isinstance(tree, Record):
        return {key: shown(part) for key, part in tree.items.items()}
    if isinstance(tree, Mapping):
        return {key: shown(part) for key, part in tree.items()}
    if isinstance(tree, list | tuple):
        return type(tree)(shown(part) for part in tree)
    return str(tree)


LAYER = {"W": "D D", "b": "D"}


@pytest.mark.parametrize(
    ("annotation", "read"),
    [
        ("N K", "N K"),
        ("'N K'", "N K"),
        ("", ""),
        ([{"W": "D D"}], [{"W": "D D"}]),
        ("[{'W': 'D D'}, ('', 'int N')]", [{"W": "D D"}, ("", "int N")]),
        ("[{'W': 'D D'}] * 2", [{"W": "D D"}, {"W": "D D"}]),
        ("('N', 'K')", ("N", "K")),
        ("(Layer, Layer)", (LAYER, LAYER)),
        ("()", ()),
        (Layer, LAYER),
        ("Layer", LAYER),
        (Net, {"layers": [LAYER, LAYER], "scale": ""}),
        ("(A+B)*2 C", "(A+B)*2 C"),
        (Jaxtyped(["float32", "float64"], "N K"), "N K"),
        (Jaxtyped(["int32"], "N"), "int N"),
        ('Float[Array, "N K"]', "N K"),
        ("jt.Int[np.ndarray, 'N']", "int N"),
    ],
)
def test_annotations(annotation: Any, read: Any) -> None:
    assert shown(read_annotation(annotation, "x", globals())) == read


@pytest.mark.parametrize(
    "annotation",
    [
        3,
        np.ndarray,
        list[int],
        "[N]",
        "{'a': print('executed')}",
        "[x for x in 'ab']",
        "{**{'a': 'N'}}",
        "['N', 3]",
        "['N'",
        "[" * 300 + "'N'" + "]" * 300,
        "Complex[Array, 'N']",
        "'N' + 'K'",
        "['N']" * 20_000,
    ],
)
def test_what_is_not_a_shape_is_refused_and_never_executed(annotation: Any, capsys: Any) -> None:
    with pytest.raises(ShapeError, match="W1"):
        read_annotation(annotation, "W1", globals())
    assert capsys.readouterr().out == ""


def test_structures_and_tables() -> None:
    shape = {"a": [1, (2, 3)], "p": Pair(4, Layer(5, 6)), "n": Net([], 7)}
    table = flatten("x", shape)
    assert table == {
        "x_a_0": 1, "x_a_1_0": 2, "x_a_1_1": 3, "x_p_0": 4, "x_p_1_W": 5, "x_p_1_b": 6,
        "x_n_scale": 7,
    }  # fmt: skip
    assert rebuild("x", shape, table) == shape
    assert matched("x", shape, shape) == table
    assert subtrees("x", shape)["x_a_1"] == (2, 3)
    assert matched("x", shape, {"a": {1: (2, 3)}}, partial=True) == {"x_a_1_0": 2, "x_a_1_1": 3}


def test_a_record_is_built_and_taken_apart() -> None:
    tree = read_annotation(Net, "net", {})
    leaves = {name: name.upper() for name in flatten("net", tree)}
    net = rebuild("net", tree, leaves)
    assert net == Net(
        [Layer("NET_LAYERS_0_W", "NET_LAYERS_0_B"), Layer("NET_LAYERS_1_W", "NET_LAYERS_1_B")],
        "NET_SCALE",
    )
    assert matched("net", tree, net) == leaves


@pytest.mark.parametrize(
    ("value", "mention"),
    [
        ({"a": 1}, "must have the parts a, b, not a"),
        ({"a": 1, "b": [2, 3], "c": 4}, "must have the parts a, b, not a, b, c"),
        (3, "x must be a structure with the parts a, b"),
        ({"a": 1, "b": [2]}, "x_b must have the parts 0, 1, not 0"),
    ],
)
def test_a_structure_of_another_form_is_refused(value: Any, mention: str) -> None:
    with pytest.raises(InputError, match=mention):
        matched("x", {"a": 0, "b": [0, 0]}, value)


@settings(max_examples=50, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            ["N", "K", "4*H", "D//2", "D//H", "T-1", "T-K", "(D+H)//2", "N*K", "Q", "R", "S", "U"]
        ),
        max_size=13,
    ),
    st.integers(0, 20),
)
def test_chosen_sizes_fit(axes: list[str], attempt: int) -> None:
    dims = [parse_dim(text) for text in axes]
    sizes = choose_sizes(dims, {}, attempt)
    assert len(set(sizes.values())) == len(sizes)
    assert all(dim.evaluate(sizes) >= 1 for dim in dims)
    if not attempt and all(text.isalpha() for text in axes):
        assert set(sizes.values()) <= set(PRIMES)


def test_known_sizes_are_kept_and_impossible_ones_named() -> None:
    dims = [parse_dim("D//H"), parse_dim("T-1")]
    sizes = choose_sizes(dims, {"D": 12, "T": 12})
    assert (sizes["D"], sizes["T"]) == (12, 12) and 12 % sizes["H"] == 0
    with pytest.raises(InputError, match=r"no small sizes fit the axes D//2 with D = 5"):
        choose_sizes([parse_dim("D//2")], {"D": 5})
    with pytest.raises(InputError, match="no small sizes fit"):
        choose_sizes([parse_dim("N-N")], {})


@pytest.mark.parametrize(
    ("shape", "facts", "test"),
    [
        ("N K", [], lambda a: a.min() < 0 < a.max()),
        ("N", [("positive", "x")], lambda a: a.min() > 0),
        ("N", [("in_range", "x", -2, -1)], lambda a: -2 < a.min() < a.max() < -1),
        ("N", [("in_range", "x", 5, np.inf)], lambda a: a.min() > 5),
        ("N", [("positive", "x"), ("in_range", "x", -3, 1)], lambda a: 0 < a.min() < a.max() < 1),
        ("N", [("one_of", "x", -1, 1)], lambda a: set(a) == {-1.0, 1.0}),
        ("N", [("one_of", "x", (2, 3))], lambda a: set(a) == {2.0, 3.0}),
        ("int N", [("one_of", "x", 2, 9)], lambda a: set(a) == {2, 9} and a.dtype == np.int64),
        ("int N", [("index", "x", "K-1")], lambda a: set(a) == {0, 1}),
        ("int N", [("in_range", "x", 2, 4)], lambda a: set(a) == {2, 3, 4}),
        ("int N", [("positive", "x")], lambda a: a.min() == 1),
        ("int N", [], lambda a: set(a) == {0, 1}),
        ("bool N", [], lambda a: set(a) == {False, True} and a.dtype == np.bool_),
        ("N K", [("sums_to_one", "x", 1)], lambda a: np.allclose(a.sum(1), 1) and a.min() > 0),
        ("N K", [("sums_to_one", "x", -2)], lambda a: np.allclose(a.sum(0), 1)),
        ("int N K", [("sums_to_one", "x", 1)], lambda a: (a.sum(1) == 1).all()),
    ],
)
def test_domains(shape: str, facts: list[Any], test: Any) -> None:
    spec = parse_spec(shape, "x")
    array = draw(
        spec, read_facts(facts, {"x": spec})["x"], {"N": 97, "K": 3}, np.random.default_rng(0)
    )
    assert array.shape == tuple({"N": 97, "K": 3}[str(dim)] for dim in spec.dims)
    assert test(array)


def test_facts_may_be_objects() -> None:
    @dataclass
    class Fact:
        kind: str
        array: str
        args: tuple[Any, ...] = ()

    spec = {"x": parse_spec("N", "x")}
    assert read_facts([Fact("in_range", "x", (0, 1))], spec)["x"] == Domain(low=0.0, high=1.0)


@pytest.mark.parametrize(
    "fact",
    [
        "positive",
        ("positive",),
        ("odd", "x"),
        ("positive", 3),
        ("positive", "q"),
        ("in_range", "x", 1),
        ("in_range", "x", 1, 0),
        ("in_range", "x", "a", "b"),
        ("one_of", "x"),
        ("sums_to_one", "x", 1),
        ("sums_to_one", "x"),
        ("index", "x", "N/2"),
    ],
)
def test_a_malformed_fact_is_refused(fact: Any) -> None:
    with pytest.raises(FactError):
        read_facts([fact], {"x": parse_spec("N", "x")})
