"""Matrix forms: the textbook's, and equal to the index form on random arrays."""

import operator
import zlib
from fractions import Fraction

import numpy as np
import pytest
from print_systems import H, K, M, N, at, index, layer_norm, least_squares, mlp

import symprop
from symprop.algebra import rows
from symprop.algebra.build import (
    ONE,
    ZERO,
    access,
    add,
    apply,
    extremum,
    idx,
    iverson,
    mul,
    number,
    paren,
    power,
    sub,
    sum_over,
)
from symprop.algebra.expr import (
    Access,
    Apply,
    Atom,
    Expr,
    Idx,
    Index,
    Iverson,
    Paren,
    Size,
    Term,
)
from symprop.derive import matrix_nodes as nodes
from symprop.derive.derivation import derive
from symprop.derive.matrix import matrix_form, slice_form
from symprop.emit.latex_notation import LatexNotation
from symprop.emit.letters import equation_letters
from symprop.emit.matrix_printer import MatrixPrinter
from symprop.emit.text_notation import TextNotation, spelled
from symprop.system import Adjoint, Array, Equation
from symprop.zoo import models

SIZES = {"N": 5, "K": 3, "H": 4, "M": 2, "D": 7}
SHAPES = {
    "X": (N, K), "W": (K, H), "b": (H,), "Z": (N, H), "A": (N, H), "V": (H, M), "Q": (N, M),
    "P": (N, M), "Y": (N, M), "w": (K,), "y": (N,), "r": (N,), "s": (N,), "U": (H, K),
    "a": (K,), "L": (), "lam": (), "u": (H, ONE), "row": (ONE, H), "g": (K,), "S": (N, N),
    "T": (N, K, H), "one": (ONE, ONE), "C": (K, N), "z": (H,),
}
ARRAYS = {name: Array(name, "float", shape, "input") for name, shape in SHAPES.items()}
n, k, h, m = (index(a) for a in "NKHM")
n2, k2, h2, m2 = (index(a) for a in "NKHM")
unit = Index("o", ONE)
WX = sum_over(mul(at("X", n, k2), at("w", k2)), [k2])

# left-hand side, right-hand side, what is printed
CASES: list[tuple[str, tuple[Index, ...], Expr, str]] = [
    ("Z", (n, h), add(sum_over(mul(at("X", n, k), at("W", k, h)), [k]), at("b", h)),
     "X W + 1_N bᵀ"),
    ("∂W", (k, h), sum_over(mul(at("X", n, k), at("∂Z", n, h)), [n]), "Xᵀ Z̄"),
    ("∂X", (n, k), sum_over(mul(at("∂Z", n, h), at("W", k, h)), [h]), "Z̄ Wᵀ"),
    ("∂b", (h,), sum_over(at("∂Z", n, h), [n]), "Z̄ᵀ 1_N"),
    ("z", (h,), add(sum_over(mul(at("U", h, k), at("a", k)), [k]), at("b", h)), "U a + b"),
    ("∂U", (h, k), mul(at("∂z", h), at("a", k)), "z̄ aᵀ"),
    ("∂a", (k,), sum_over(mul(at("U", h, k), at("∂z", h)), [h]), "Uᵀ z̄"),
    ("∂A", (n, h), mul(at("∂Z", n, h), sub(number(1), power(at("A", n, h), 2))),
     "Z̄ ⊙ (1 - A ⊙ A)"),
    ("∂A", (n, h), mul(sum_over(mul(at("∂Q", n, m), at("V", h, m)), [m]),
                       sub(number(1), power(at("A", n, h), 2))), "(1 - A ⊙ A) ⊙ (Q̄ Vᵀ)"),
    ("∂w", (k,), mul(number(2), power(N, -1), sum_over(
        mul(at("X", n, k), sub(WX, at("y", n))), [n])), "2 Xᵀ (X w - y)/N"),
    ("L", (), mul(number(Fraction(1, 2)), power(N, -1), sum_over(power(at("r", n), 2), [n])),
     "‖r‖²/(2 N)"),
    ("L", (), sum_over(power(at("W", k, h), 2), [h, k]), "‖W‖_F²"),
    ("A", (n, h), apply("tanh", at("Z", n, h)), "tanh(Z)"),
    ("∂Q", (n, m), mul(power(N, -1), paren(sub(at("P", n, m), at("Y", n, m)))), "(P - Y)/N"),
    ("∂Q", (n, m), mul(at("P", n, m), sub(at("∂P", n, m), sum_over(
        mul(at("∂P", n, m2), at("P", n, m2)), [m2]))), "P ⊙ (P̄ - (P̄ ⊙ P) 1_M 1_Mᵀ)"),
    ("P", (n, m), mul(apply("exp", at("Q", n, m)), power(at("s", n), -1)), "diag(s)⁻¹ exp(Q)"),
    ("∂X", (n, k), mul(at("X", n, k), at("g", k)), "X diag(g)"),
    ("U", (h, k), sum_over(mul(at("A", n, h), at("r", n), at("X", n, k)), [n]), "Aᵀ diag(r) X"),
    ("C", (k, n), mul(number(-1), at("lam"), at("X", n, k)), "-lam Xᵀ"),
    ("∂u", (h, unit), sum_over(mul(at("A", n, h), at("∂r", n)), [n]), "Aᵀ r̄"),
    ("∂row", (unit, h), sum_over(mul(at("A", n, h), at("∂r", n)), [n]), "r̄ᵀ A"),
    ("r", (n,), sub(sum_over(mul(at("A", n, h), access("u", [idx(h), ZERO])), [h]),
                    at("y", n)), "A u - y"),
    ("r", (n,), add(sum_over(mul(at("A", n, h), access("row", [ZERO, idx(h)])), [h]),
                    access("one", [ZERO, ZERO])), "A rowᵀ + one[0,0]"),
    ("S", (n, n2), mul(iverson("==", idx(n), idx(n2)), at("r", n)), "diag(r)"),
    ("S", (n, n2), iverson("==", idx(n), idx(n2)), ""),
    ("S", (n, n2), sum_over(mul(at("X", n, k), at("g", k), at("X", n2, k)), [k]),
     "X diag(g) Xᵀ"),
    ("X", (n, k), mul(power(at("lam"), -1), at("r", n), at("g", k)), "r gᵀ/lam"),
    ("W", (k, h), mul(at("W", k, h), sum_over(mul(at("w", k2), at("g", k2)), [k2])),
     "(wᵀ g) W"),
    ("A", (n, h), power(add(at("Z", n, h), number(1)), Fraction(1, 2)), "(Z + 1)^∘(1/2)"),
    ("A", (n, h), apply("maximum", at("Z", n, h), number(0)), "max(Z, 0)"),
    ("r", (n,), add(at("r", n), at("lam")), "r + lam"),
    ("L", (), mul(at("lam"), number(2)), ""),
    ("L", (), apply("log", sum_over(at("w", k), [k])), "log(1_Kᵀ w)"),
    ("s", (n,), extremum("max", at("Z", n, h), [h]), ""),
    ("r", (n,), access("y", [sub(idx(n), number(1))]), ""),
    ("∂Q", (n, m), iverson("==", idx(m), access("y", [idx(n)])), "onehot(y)"),
    ("∂V", (h, m), mul(at("V", h, m), iverson("==", at("z", h), idx(m))), "V ⊙ onehot(z)"),
    ("∂Z", (n, h), mul(at("∂A", n, h), iverson("<", ZERO, at("Z", n, h))), "A\u0304 ⊙ [Z > 0]"),
    ("∂Z", (n, h), iverson("<=", at("Z", n, h), at("A", n, h)), "[Z ≤ A]"),
    ("Q", (n, m), mul(at("Q", n, m), iverson("!=", at("P", n, m), ZERO)), "Q ⊙ [P ≠ 0]"),
    ("L", (), sum_over(mul(at("X", n, k), at("C", k, n)), [n, k]), "tr(C X)"),
    ("L", (), sum_over(mul(at("W", k, h), at("U", h, k), at("lam")), [k, h]), "lam tr(U W)"),
    ("L", (), sum_over(mul(power(at("W", k, h), 2), at("w", k)), [k, h]), "wᵀ (W ⊙ W) 1_H"),
    ("T", (n, k, h), mul(at("X", n, k), at("W", k, h)), ""),
    ("r", (n,), sum_over(mul(at("T", n, k, h), at("W", k, h)), [k, h]), ""),
    ("r", (n,), at("S", n, n), ""),
    ("r", (n,), ZERO, ""),
]


@pytest.mark.parametrize(("array", "indices", "rhs", "printed"), CASES)
def test_forms(array: str, indices: tuple[Index, ...], rhs: Expr, printed: str) -> None:
    equation = Equation("F1", array, indices, rhs)
    form = matrix_form(equation, ARRAYS)
    if not printed:
        assert form is None
        return
    assert form is not None
    barred = printed.replace("̄", "\u0304")
    assert MatrixPrinter(TextNotation()).form(form).text == barred
    agrees(equation, form, ARRAYS, SIZES)


def test_latex() -> None:
    rhs = mul(number(2), power(N, -1), sum_over(mul(at("X", n, k), at("∂r", n)), [n]))
    form = matrix_form(Equation("F1", "∂w", (k,), rhs), ARRAYS)
    assert form is not None
    assert MatrixPrinter(LatexNotation()).form(form).text == r"\frac{2}{N} X^{\top} \bar{r}"


def test_numbers_and_transposes_do_not_share_a_superscript() -> None:
    """h^{(1)}_{t}^{top} is an error in TeX, and W^{(1) top} reads as a power of a kind."""
    arrays = {**ARRAYS, "h1": Array("h1", "float", (N, K, H), "input")}
    rhs = sum_over(at("h1", n, k, h), [n, k])
    found = slice_form(Equation("F1", "b", (h,), rhs), arrays)
    assert found is not None
    printed = MatrixPrinter(LatexNotation(), {n.uid: "n"}).form(found[1]).text
    assert printed == r"\sum_{n} (h^{(1)}_{n})^{\top} \mathbf{1}_{K}"


def test_a_slice_is_no_whole_matrix() -> None:
    short = Index("n", number(3))
    rhs = sum_over(at("X", short, k), [short])
    assert matrix_form(Equation("F1", "∂w", (k,), rhs), ARRAYS) is None


@pytest.mark.parametrize("system", [mlp(2), mlp(3), layer_norm(), least_squares()],
                         ids=["mlp2", "mlp3", "layer_norm", "least_squares"])
def test_every_form_of_a_derivation_agrees_with_its_index_form(system) -> None:  # type: ignore[no-untyped-def]
    sizes = dict(zip(system.sizes, (5, 3, 4, 2, 7), strict=False))
    found = 0
    for equation in (*system.equations, *derive(system).adjoints):
        form = matrix_form(equation, system.arrays)
        if form is not None:
            agrees(equation, form, system.arrays, sizes)
            found += 1
    assert found >= 4


# with the first indices fixed: left-hand side, right-hand side, how many are fixed, printed
SLICES: list[tuple[str, tuple[Index, ...], Expr, int, str]] = [
    ("T", (n, k, h), mul(at("X", n, k), at("W", k, h)), 1, "diag(X[n]) W"),
    ("∂X", (n, k), sum_over(mul(at("∂T", n, k, h), at("W", k, h)), [h]), 1, "(T̄[n] ⊙ W) 1_H"),
    ("r", (n,), sum_over(mul(at("T", n, k, h), at("w", k), at("b", h)), [k, h]), 1,
     "wᵀ T[n] b"),
    ("w", (k,), access("X", [sub(N, number(1)), idx(k)]), 0, "X[N-1]"),
    ("X", (n, k), add(mul(iverson("==", idx(n), ZERO), at("w", k)), mul(
        iverson("<=", number(1), idx(n)), access("X", [sub(idx(n), number(1)), idx(k)]),
        at("r", n))), 1, "[n = 0] w + [n ≥ 1] r[n] X[n-1]"),
    ("r", (n,), access("X", [idx(n), ZERO]), 1, ""),
    ("T", (n, k, h), at("T", n, k, h), 1, "T[n]"),
    ("T", (n, k, h), mul(at("T", n, k, h), at("U", h, k)), 1, "T[n] ⊙ Uᵀ"),
    ("S", (k, k2), mul(number(2), at("lam"), sum_over(mul(at("T", n, k, h), at("T", n, k2, h)),
                                                      [n, h])), 0, "2 lam (Σ_n T[n] T[n]ᵀ)"),
    ("b", (h,), sum_over(at("T", n, k, h), [n, k]), 0, "Σ_n T[n]ᵀ 1_K"),
    ("∂W", (k, h), sum_over(mul(at("T", n, k, h), at("r", n)), [n]), 0, "Σ_n r[n] T[n]"),
]


@pytest.mark.parametrize(("array", "indices", "rhs", "fixed", "printed"), SLICES)
def test_slices(
    array: str, indices: tuple[Index, ...], rhs: Expr, fixed: int, printed: str
) -> None:
    equation = Equation("F1", array, indices, rhs)
    found = slice_form(equation, ARRAYS)
    if not printed:
        assert found is None
        return
    assert found is not None and found[0] == fixed
    letters_ = {i.uid: i.letter.lower() for i in (n, k, h)}
    text = MatrixPrinter(TextNotation(), letters_).form(found[1]).text
    assert text == printed.replace("̄", "\u0304")
    agrees(equation, found[1], ARRAYS, SIZES, fixed)


def test_every_slice_of_a_recurrence_agrees_with_its_index_form() -> None:
    system = symprop.trace(models()["deep_mlp"].function, wrt=("W", "b"))
    sizes = {"L": 3, "H": 2, "N": 4}
    printed = []
    for equation in (*system.equations, *derive(system).adjoints):
        found = slice_form(equation, system.arrays)
        if found is not None:
            agrees(equation, found[1], dict(system.arrays), sizes, found[0])
            letters_ = equation_letters(system, equation)
            printed.append(MatrixPrinter(TextNotation(), letters_).form(found[1]).text)
    nielsen = "([L-1 = l] ERROR + [l+1 < L] W[l+1]ᵀ z̄[l+1]) ⊙ a[l] ⊙ (1 - a[l])"
    assert nielsen.replace("̄", "\u0304").replace("ERROR", spelled("∂error")) in printed


# ---- two evaluations, one of indices and one of matrices ------------------------------------


def agrees(
    equation: Equation | Adjoint, form: nodes.MatrixForm, arrays: dict[str, Array],
    sizes: dict[str, int], fixed: int = 0,
) -> None:
    """The form has the value of the right-hand side and the shape of the array, at every slice."""
    values: dict[str, np.ndarray] = {}

    def value(name: str) -> np.ndarray:
        if name not in values:
            shape = [number_of(s, sizes) for s in arrays[name.removeprefix("∂")].shape]
            seed = zlib.crc32(name.encode())
            values[name] = np.random.default_rng(seed).uniform(0.2, 1.5, shape)
        return values[name]

    lengths = [number_of(i.size, sizes) for i in equation.indices]
    wanted = np.zeros(lengths)
    for at_ in np.ndindex(*lengths):
        wanted[at_] = expr_value(equation.rhs, _bound(equation, at_), value, sizes)
    for at_ in np.ndindex(*lengths[:fixed]):
        got = matrix_value(form, value, sizes, _bound(equation, at_))
        assert got.shape == (number_of(form.rows, sizes), number_of(form.cols, sizes))
        right = wanted[at_]
        shape = got.shape if right.ndim == 2 else (right.size, 1)
        np.testing.assert_allclose(got, right.reshape(shape), rtol=1e-12)


def _bound(equation: Equation | Adjoint, at_: tuple[int, ...]) -> dict[int, int]:
    return {i.uid: p for i, p in zip(equation.indices, at_, strict=False)}


def number_of(size: Expr, sizes: dict[str, int]) -> int:
    return int(expr_value(size, {}, None, sizes))


def expr_value(expr, bound, value, sizes) -> float:  # type: ignore[no-untyped-def]
    return sum(term_value(t, bound, value, sizes) for t in expr.terms)


def term_value(term: Term, bound, value, sizes) -> float:  # type: ignore[no-untyped-def]
    total = 0.0
    for at_ in np.ndindex(*(number_of(b.size, sizes) for b in term.bound)):
        inner = bound | {b.uid: p for b, p in zip(term.bound, at_, strict=True)}
        product = float(term.coef)
        for atom, exponent in sorted(term.factors, key=lambda f: not isinstance(f[0], Iverson)):
            if not product:
                break  # a bracket: what it multiplies may be out of range
            product *= atom_value(atom, inner, value, sizes) ** float(exponent)
        total += product
    return total


def atom_value(atom: Atom, bound, value, sizes) -> float:  # type: ignore[no-untyped-def]
    if isinstance(atom, Idx):
        return bound[atom.index.uid]
    if isinstance(atom, Size):
        return sizes[atom.name]
    if isinstance(atom, Paren):
        return expr_value(atom.body, bound, value, sizes)
    inside = [expr_value(c, bound, value, sizes) for c in atom.children]
    if isinstance(atom, Access):
        return value(atom.array)[tuple(int(i) for i in inside)]
    if isinstance(atom, Iverson):
        return float(RELATIONS[atom.relation](*inside))
    assert isinstance(atom, Apply)
    return FUNCTIONS[atom.function](*inside)


RELATIONS = {"==": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le}
FUNCTIONS = {"tanh": np.tanh, "exp": np.exp, "log": np.log, "maximum": np.maximum,
             "sigmoid": lambda x: 1 / (1 + np.exp(-x))}


def matrix_value(form, value, sizes, bound) -> np.ndarray:  # type: ignore[no-untyped-def]
    """The value of a form, with two axes always."""
    rows_, cols = number_of(form.rows, sizes), number_of(form.cols, sizes)
    if isinstance(form, nodes.Scale):
        by = np.prod([matrix_value(p, value, sizes, bound).item() for p in form.by])
        return by * matrix_value(form.of, value, sizes, bound) if by else np.zeros((rows_, cols))
    if not isinstance(form, nodes.SliceSum):
        parts = [matrix_value(p, value, sizes, bound) for p in form.parts]
    match form:
        case nodes.Slice():
            at_ = tuple(int(expr_value(p, bound, value, sizes)) for p in form.at)
            result = value(form.name)[at_].reshape(rows_, cols)
        case nodes.Matrix():
            result = value(form.name).reshape(rows_, cols)
        case nodes.SliceSum():
            lengths = [number_of(i.size, sizes) for i in form.over]
            each = [bound | {i.uid: at for i, at in zip(form.over, at_, strict=True)}
                    for at_ in np.ndindex(*lengths)]
            result = sum(matrix_value(form.of, value, sizes, b) for b in each)
        case nodes.Ones():
            result = np.ones((rows_, cols))
        case nodes.Identity():
            result = np.eye(rows_)
        case nodes.Scalar():
            result = np.array([[expr_value(form.value, bound, value, sizes)]])
        case nodes.Fill():
            result = np.broadcast_to(parts[0], (rows_, cols))
        case nodes.Transpose():
            result = parts[0].T
        case nodes.Diag():
            result = np.diag(parts[0].ravel())
        case nodes.Power():
            result = parts[0] ** float(form.exponent)
        case nodes.Map():
            result = FUNCTIONS[form.function](*parts)
        case nodes.Bracket():
            result = np.broadcast_to(
                RELATIONS[form.relation](*parts), (rows_, cols)).astype(float)
        case nodes.OneHot():
            result = (parts[0] == np.arange(cols)).astype(float)
        case nodes.SquaredNorm():
            result = np.sum(parts[0] ** 2).reshape(1, 1)
        case nodes.Trace():
            result = np.trace(parts[0]).reshape(1, 1)
        case nodes.Product():
            result = np.linalg.multi_dot([*parts]) if len(parts) > 1 else parts[0]
        case nodes.Hadamard():
            assert len({p.shape for p in parts}) == 1
            result = np.prod(parts, axis=0)
        case nodes.Sum():
            assert len({p.shape for p in parts}) == 1
            result = sum(parts)
        case _:
            raise AssertionError(form)
    assert result.shape == (rows_, cols)
    return result


def test_the_functions_of_this_test_are_rows() -> None:
    assert set(FUNCTIONS) <= set(rows.names())
