"""The rule for names: what is refused says why, what is legal comes back unchanged."""

import pytest

from symprop.errors import NameRuleError, SympropError
from symprop.names import check_name, unused

HOSTILE = [
    ("x\nimport os; os.system('touch PWNED')\n#", "letters, digits and _"),
    ("x=__import__('os').getpid()", "not a legal name"),
    ("lambda", "Python keyword"),
    ("None", "Python keyword"),
    ("__builtins__", "double underscore"),
    ("a__b", "double underscore"),
    ("ｉｍｐｏｒｔ", "normal form"),
    ("ﬁ", "normal form"),
    ("x²", "normal form"),
    ("y\u0302", "normal form"),
    ("x\u202ey", "letters, digits and _"),
    ("x\u0308", "letters, digits and _"),
    ("x\u200by", "letters, digits and _"),
    ("x—y", "letters, digits and _"),
    ("٣x", "begins with"),
    ("λ" * 65, "longer than 64"),
    ("x\x00y", "control character"),
    ("a" * 100_000, "longer than"),
    ("a" * 65, "longer than 64"),
    ("", "empty"),
    ("1x", "begins with '1'"),
    ("_x", "begins with '_'"),
    ("x y", "' '"),
    ("x-y", "'-'"),
    ("\\input{x}", "letters, digits and _"),
    ("<script>", "letters, digits and _"),
]


@pytest.mark.parametrize(("name", "mention"), HOSTILE, ids=[m for _, m in HOSTILE])
def test_a_hostile_name_is_refused_in_one_plain_line(name: str, mention: str) -> None:
    with pytest.raises(NameRuleError) as caught:
        check_name(name, "an argument")
    said = str(caught.value)
    assert mention in said and "an argument" in said
    assert said.isascii() and said.isprintable() and len(said) < 200
    assert isinstance(caught.value, ValueError) and isinstance(caught.value, SympropError)


@pytest.mark.parametrize("name", ["x", "W1", "x_1", "match", "case", "type", "a" * 64, "np",
                                  "λ", "权重", "б_1", "ŷ", "Δx"])
def test_a_legal_name_comes_back(name: str) -> None:
    assert check_name(name, "an argument") == name


@pytest.mark.parametrize("name", [None, 3, b"x"])
def test_a_name_is_text(name: object) -> None:
    with pytest.raises(NameRuleError, match="needs a text"):
        check_name(name, "an axis")


def test_unused_counts_up() -> None:
    assert unused("x", set()) == "x"
    assert unused("x", {"x"}) == "x_2"
    assert unused("x", {"x", "x_2", "x_3"}) == "x_4"


def test_what_unused_makes_up_is_legal_too() -> None:
    for name in ("a" * 64, "x_", "b" * 62 + "_c"):
        assert check_name(unused(name, {name}), "an array") != name
