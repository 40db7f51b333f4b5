"""Letters of indices: readable, never ambiguous, the same for code and print."""

import random
import string

import pytest
from print_systems import at, index, mlp

from symprop.algebra.build import idx, mul, sum_over
from symprop.algebra.build import size as axis
from symprop.algebra.expr import Access, Expr, Extremum, Index
from symprop.derive.derivation import derive
from symprop.emit.letters import axis_letters, equation_letters, letters
from symprop.system import Adjoint, Equation, Step


def test_an_index_is_named_after_its_axis() -> None:
    n, k, h = index("N"), index("K"), index("H")
    rhs = sum_over(mul(at("X", n, k), at("W", k, h)), [k])
    found = letters(Equation("F1", "Z", (n, h), rhs))
    assert [found[i.uid] for i in (n, k, h)] == ["n", "k", "h"]


def test_a_second_index_of_an_axis_gets_another_letter() -> None:
    n, m, m2 = index("N"), index("M"), index("M")
    rhs = mul(at("P", n, m), sum_over(at("P", n, m2), [m2]))
    found = letters(Equation("F1", "Q", (n, m), rhs))
    assert (found[m.uid], found[m2.uid]) == ("m", "i")


def test_no_letter_says_another_axis_than_its_own() -> None:
    """Axes I and J have i and j, in the header, whatever the equation reads."""
    n, n2, wide = index("N"), index("N"), Index("i", mul(axis("I"), axis("J")))
    rhs = sum_over(mul(at("A", n, n2), at("B", n2, wide)), [n2, wide])
    axes = axis_letters(["N", "I", "J"])
    found = letters(Equation("F1", "Q", (n,), rhs), axes=axes)
    assert found[n.uid] == "n" and {"i", "j", "n"}.isdisjoint({found[n2.uid], found[wide.uid]})


def test_names_of_arrays_and_sizes_are_kept_clear_of() -> None:
    n, i = index("N"), index("I")
    found = letters(Equation("F1", "Q", (n, i), at("n", n, i)), taken={"n", "i"})
    assert {"n", "i"}.isdisjoint(found.values())
    assert len(set(found.values())) == 2


def test_a_size_that_is_no_single_axis_takes_the_hint() -> None:
    gate = Index("g", mul(axis("H"), axis("H")))
    assert letters(Equation("F1", "Q", (gate,), at("Z", gate))) == {gate.uid: "g"}


def test_letters_do_not_depend_on_uids() -> None:
    def spelled() -> list[str]:
        for _ in range(random.randrange(9)):
            index("N")
        n, h, h2 = index("N"), index("H"), index("H")
        rhs = sum_over(mul(at("A", n, h), at("B", n, h2)), [h2])
        return list(letters(Equation("F1", "Q", (n, h), rhs)).values())

    assert len({tuple(spelled()) for _ in range(5)}) == 1


def test_axes_share_out_the_letters_of_their_names() -> None:
    assert axis_letters(["Kh", "Kw", "K"]) == {"K": "k", "Kh": "h", "Kw": "w"}
    many = axis_letters([f"H{k}" for k in range(20)], taken={"i", "j"})
    assert len(set(many.values())) == 20
    assert {"i", "j"}.isdisjoint(many.values())


def test_an_equation_with_more_indices_than_letters_still_has_letters() -> None:
    many = [index("N") for _ in range(60)]
    found = letters(Equation("F1", "Q", (), sum_over(at("A", *many), many)))
    assert len(set(found.values())) == 60


@pytest.mark.parametrize("layers", [2, 4])
def test_no_two_indices_that_meet_share_a_letter(layers: int) -> None:
    system = mlp(layers)
    for adjoint in derive(system).adjoints:
        found = equation_letters(system, adjoint)
        for step in adjoint.steps:
            for expr in (step.before, step.after):
                _distinct(expr, [found[i.uid] for i in adjoint.indices], found)
        assert all(v in string.ascii_letters for v in found.values())


def _distinct(expr: Expr, scope: list[str], found: dict[int, str]) -> None:
    for term in expr.terms:
        inner = [*scope, *(found[b.uid] for b in term.bound)]
        assert len(set(inner)) == len(inner)
        for atom, _ in term.factors:
            more = [found[b.uid] for b in atom.bound] if isinstance(atom, Extremum) else []
            assert set(more).isdisjoint(inner)
            for child in atom.children:
                _distinct(child, [*inner, *more], found)


def test_an_index_keeps_its_letter_through_all_steps() -> None:
    """Two indices that never meet in one step may still both meet a third."""
    n, a, b = index("N"), index("N"), index("N")
    first = sum_over(mul(at("X", n, a)), [a])
    second = sum_over(mul(at("X", n, b)), [b])
    adjoint = Adjoint("B1", "∂V", "V", (n,), second, (Step("B1", "rename", first, second),))
    found = letters(adjoint)
    assert found[n.uid] == "n"
    assert found[a.uid] != "n" != found[b.uid]


def test_free_indices_that_are_not_listed_get_letters_too() -> None:
    t = index("T")
    rhs = mul(idx(t), at("X", t))
    assert letters(Equation("F1", "Q", (), rhs))[t.uid] == "t"
    assert Access("X", (idx(t),)) in [f for f, _ in rhs.terms[0].factors]
