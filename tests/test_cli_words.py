"""Option values: a grammar for each, every fault quoted, nothing evaluated."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from symprop.cli.words import read_facts, read_names, read_shapes, read_sizes, read_statics
from symprop.errors import InputError, NameRuleError, SympropError
from symprop.system import Fact


@pytest.mark.parametrize(
    ("text", "fact"),
    [
        ("sums_to_one(Y,1)", Fact("sums_to_one", "Y", (1,))),
        ("sums_to_one(Y)", Fact("sums_to_one", "Y", (-1,))),
        ("sums_to_one( Y , axis = 1 )", Fact("sums_to_one", "Y", (1,))),
        ("positive(s)", Fact("positive", "s")),
        ("in_range(t, 0, 1)", Fact("in_range", "t", (0, 1))),
        ("in_range(t, low=-1e-3, high=inf)", Fact("in_range", "t", (-0.001, float("inf")))),
        ("one_of(y,-1,1)", Fact("one_of", "y", (-1, 1))),
        ("one_of(y, .5)", Fact("one_of", "y", (0.5,))),
    ],
)
def test_facts(text: str, fact: Fact) -> None:
    assert read_facts([text]) == [fact]


@pytest.mark.parametrize(
    "text",
    [
        "sums_to_one(Y,1.5)", "sums_to_one(Y,1,2)", "sums_to_one(Y,low=1)", "positive()",
        "positive", "positive(s,1)", "in_range(t,1)", "one_of(y)", "negative(x)", "one_of(y,x)",
        "one_of(y,)", "positive(s) positive(t)", "positive(s);import os", "one_of(y,1.2.3)", "",
        "in_range(t,(0),1)", "one_of(y,__import__('os').system('true'))",
        "in_range(t,high=1,low=0)", "positive(s" + "," * 10**5,
    ],
)  # fmt: skip
def test_facts_that_are_none(text: str) -> None:
    with pytest.raises(SympropError, match=r"--fact|fact|sums_to_one|in_range|one_of"):
        read_facts([text])


@given(st.text())
def test_any_text_is_a_fact_or_one_of_our_errors(text: str) -> None:
    with contextlib.suppress(SympropError):
        read_facts([text])


def test_shapes_flat_and_nested() -> None:
    assert read_shapes(['blocks=[{"W": "D D"}, {"W": "D D"}]', "X=N K", "s="]) == {
        "blocks": [{"W": "D D"}, {"W": "D D"}],
        "X": "N K",
        "s": "",
    }


@pytest.mark.parametrize("text", ["heads=4", "eps=1e-5", "flag=True", "none=None", "kind=relu"])
def test_statics(text: str) -> None:
    expected = {"heads": 4, "eps": 1e-5, "flag": True, "none": None, "kind": "relu"}
    name = text.partition("=")[0]
    assert read_statics([text]) == {name: expected[name]}


@pytest.mark.parametrize("text", ["a=open('x')", "a=1+", "a=" + "(" * 300, "a=f()", "a=x.y"])
def test_statics_are_literals(text: str) -> None:
    with pytest.raises(InputError, match="--static a"):
        read_statics([text])


def test_sizes() -> None:
    assert read_sizes(["H=64", "N=1"]) == {"H": 64, "N": 1}


@pytest.mark.parametrize("text", ["H=0", "H=-1", "H=", "H=x", "H=1.5", "H=²", "H=99999999999"])
def test_sizes_are_whole_numbers(text: str) -> None:
    with pytest.raises(InputError, match="--size H must be a whole number"):
        read_sizes([text])


def test_names_with_commas_or_repeated() -> None:
    assert read_names(["W1, b1", "W2"], "--wrt") == ["W1", "b1", "W2"]
    assert read_names([], "--wrt") is None


def test_what_is_said_twice_is_refused() -> None:
    with pytest.raises(InputError, match="--wrt names W twice"):
        read_names(["W,b", "W"], "--wrt")
    with pytest.raises(InputError, match="--shape names X twice"):
        read_shapes(["X=N", "X=M"])


def test_bad_names_and_forms() -> None:
    with pytest.raises(InputError, match="--shape 'X' is not of the form 'X=N K'"):
        read_shapes(["X"])
    with pytest.raises(NameRuleError, match="not a legal name"):
        read_shapes(["X;import os=N"])
    with pytest.raises(NameRuleError):
        read_names(["W1,,b1"], "--wrt")
