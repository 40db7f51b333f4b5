"""The shape grammar: reading, printing, evaluating, and solving for sizes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from symprop.errors import ShapeError
from symprop.shapes import ArraySpec, Dim, parse_dim, parse_spec, solve_sizes


def solve(specs: dict[str, str], shapes: dict[str, tuple[int, ...]]) -> dict[str, int]:
    return solve_sizes({name: parse_spec(text, name) for name, text in specs.items()}, shapes)


@pytest.mark.parametrize(
    ("text", "dtype", "axes"),
    [
        ("N K", "float", ["N", "K"]),
        ("", "float", []),
        ("int", "int", []),
        ("bool N", "bool", ["N"]),
        ("float 4*H D//2 T-1", "float", ["4*H", "D//2", "T-1"]),
        ("_ 1", "float", ["_", "1"]),
        ("(T-1)*2 (A+B)", "float", ["(T-1)*2", "A+B"]),
        ("A-(B-C) A-B-C A//(B*C) A*(B//C)", "float", ["A-(B-C)", "A-B-C", "A//(B*C)", "A*(B//C)"]),
        ("  N\tK ", "float", ["N", "K"]),
        ("'N K'", "float", ["N", "K"]),
        ('"int N"', "int", ["N"]),
        ("''", "float", []),
    ],
)
def test_reading(text: str, dtype: str, axes: list[str]) -> None:
    spec = parse_spec(text, "x")
    assert (spec.dtype, [str(dim) for dim in spec.dims]) == (dtype, axes)
    assert parse_spec(str(spec), "x") == spec


@pytest.mark.parametrize(
    ("text", "mention"),
    [
        ("N/2", "//"),
        ("N*", "ends"),
        ("(N", "not closed"),
        ("N)", r"'\)'"),
        ("N**2", r"'\*'"),
        ("-1", "'-'"),
        ("N, K", "','"),
        ("lambda", "Python keyword"),
        ("x__y", "double underscore"),
        ("_x", "begins with '_'"),
        ("_*2", "whole axis"),
        ("2N", "in the way"),
        ("N.shape", r"'\.'"),
        ('"a', "not readable"),
        ("'a' + 'b'", "not readable"),
        ("'N' if print(1) else 'K'", "not readable"),
        ("ｉｍ", "not readable"),
        ("(" * 5000 + "N", "longer than"),
        ("(" * 30 + "N" + ")" * 30, "nested"),
        ("9" * 50, "50 digits"),
        ("N" + "+N" * 400, "801 parts"),
        ("N " * 40, "40 axes"),
        ("__import__('os').getpid()", "not readable"),
    ],
)
def test_what_is_not_in_the_grammar_is_refused(text: str, mention: str) -> None:
    with pytest.raises(ShapeError, match=mention) as caught:
        parse_spec(text, "W1")
    said = str(caught.value)
    assert "W1" in said and said.isascii() and len(said) < 250


def test_a_shape_must_be_text() -> None:
    with pytest.raises(ShapeError, match="must be a text"):
        parse_spec(3, "x")  # type: ignore[arg-type]


def test_dims_are_hashable_and_compare_by_structure() -> None:
    assert len({parse_dim("4*H"), parse_dim("4*H"), parse_dim("H*4")}) == 2
    assert hash(parse_spec("N 4*H", "x")) == hash(parse_spec("N 4*H", "y"))


def test_names_in_order_of_appearance() -> None:
    assert parse_spec("B*A A C-B", "x").names() == ("B", "A", "C")


AXES = st.recursive(
    st.sampled_from([parse_dim(text) for text in ("N", "K", "H", "1", "2", "3")]),
    lambda inner: st.builds(
        lambda kind, left, right: Dim(kind, args=(left, right)),
        st.sampled_from(["+", "-", "*", "//"]),
        inner,
        inner,
    ),
    max_leaves=8,
)


@given(AXES)
def test_printing_and_reading_are_inverse(dim: Dim) -> None:
    assert parse_dim(str(dim)) == dim


@given(AXES, st.integers(1, 9), st.integers(1, 9), st.integers(1, 9))
def test_evaluation_is_arithmetic(dim: Dim, n: int, k: int, h: int) -> None:
    def exact(part: Dim) -> int:
        if part.kind == "name":
            return {"N": n, "K": k, "H": h}[part.name]
        if part.kind == "number":
            return part.value
        left, right = map(exact, part.args)
        if part.kind == "//":
            if right == 0 or left % right:
                raise ZeroDivisionError
            return left // right
        return {"+": left + right, "-": left - right, "*": left * right}[part.kind]

    try:
        expected = exact(dim)
    except ZeroDivisionError:
        expected = -1
    if expected >= 0:
        assert dim.evaluate({"N": n, "K": k, "H": h}) == expected
    else:
        with pytest.raises(ShapeError):
            dim.evaluate({"N": n, "K": k, "H": h})


def test_evaluation_names_what_does_not_fit() -> None:
    with pytest.raises(ShapeError, match=r"D//2 is not a whole number for D = 7"):
        parse_dim("D//2").evaluate({"D": 7})
    with pytest.raises(ShapeError, match=r"T-3 has the negative size -1 for T = 2"):
        parse_dim("T-3").evaluate({"T": 2})
    with pytest.raises(ShapeError, match="size of the axis K is not known"):
        parse_dim("K").evaluate({"N": 3})


@pytest.mark.parametrize(
    ("specs", "shapes", "sizes"),
    [
        ({"X": "N K", "W": "K H"}, {"X": (5, 3), "W": (3, 2)}, {"N": 5, "K": 3, "H": 2}),
        ({"X": "4*H"}, {"X": (12,)}, {"H": 3}),
        ({"X": "D//2 _"}, {"X": (3, 8)}, {"D": 6}),
        ({"X": "P*Q", "Y": "Q"}, {"X": (6,), "Y": (2,)}, {"P": 3, "Q": 2}),
        ({"X": "T-1"}, {"X": (4,)}, {"T": 5}),
        ({"X": "10-T"}, {"X": (4,)}, {"T": 6}),
        ({"X": "12//T"}, {"X": (4,)}, {"T": 3}),
        ({"X": "(H-3)*2+1"}, {"X": (7,)}, {"H": 6}),
        ({"x": "", "n": "int"}, {"x": (), "n": ()}, {}),
    ],
)
def test_solving(
    specs: dict[str, str], shapes: dict[str, tuple[int, ...]], sizes: dict[str, int]
) -> None:
    assert solve(specs, shapes) == sizes


@pytest.mark.parametrize(
    ("specs", "shapes", "mention"),
    [
        ({"X": "N K", "W": "K"}, {"X": (5, 3), "W": (4,)}, "axis 0 of W.* K .*4.*3.*axis 1 of X"),
        ({"W": "K H"}, {"W": (4,)}, r"W has the shape \(4,\), that is 1 axis.*2 axes"),
        ({"X": "4*H"}, {"X": (5,)}, "axis 0 of X.*4\\*H.*5"),
        ({"X": "P*Q"}, {"X": (6,)}, "does not determine P, Q"),
        ({"X": "H*H"}, {"X": (9,)}, "does not determine H"),
        ({"X": "1 N"}, {"X": (6, 2)}, "axis 0 of X.*should be of size 1"),
        ({"X": "D D//2"}, {"X": (7, 3)}, "D//2.*D = 7"),
        ({"X": "T T-1"}, {"X": (7, 7)}, "should be of size 6.*T is 7"),
        ({"X": "12//T"}, {"X": (5,)}, "no whole number for T"),
        ({"X": "N"}, {"X": (5,), "Y": ()}, None),
    ],
)
def test_what_does_not_fit_is_named(
    specs: dict[str, str], shapes: dict[str, tuple[int, ...]], mention: str | None
) -> None:
    if mention is None:
        assert solve(specs, shapes) == {"N": 5}
        return
    with pytest.raises(ShapeError, match=mention):
        solve(specs, shapes)


def test_known_sizes_are_believed_and_a_partial_answer_is_possible() -> None:
    spec = {"X": parse_spec("P*Q R", "X")}
    assert solve_sizes(spec, {"X": (6, 5)}, {"P": 2}) == {"P": 2, "Q": 3, "R": 5}
    assert solve_sizes(spec, {"X": (6, 5)}, partial=True) == {"R": 5}


def test_a_spec_may_be_built_by_hand() -> None:
    assert str(ArraySpec("int", (Dim("name", "N"), Dim("number", value=3)))) == "int N 3"
