"""Expressions in LaTeX and in text, numbers and names included."""

import itertools
import re
from fractions import Fraction

import pytest
from print_systems import N, at, index

from symprop.algebra.build import (
    ZERO,
    access,
    add,
    apply,
    atom,
    extremum,
    idx,
    iverson,
    mul,
    neg,
    number,
    paren,
    power,
    sub,
    sum_over,
)
from symprop.algebra.expr import Access, Expr, Partial
from symprop.emit.latex_names import escape, size_symbol, symbol
from symprop.emit.latex_notation import LatexNotation, width
from symprop.emit.letters import letters
from symprop.emit.pieces import lines
from symprop.emit.printer import Printer
from symprop.emit.text_notation import TextNotation, spelled
from symprop.system import Equation

n, k, h, m, m2 = (index(a) for a in "NKHMM")


def latex(expr: Expr) -> str:
    found = letters(Equation("F1", "Q", (n, m), expr))
    return Printer(LatexNotation(), found).expr(expr).text


def text(expr: Expr) -> str:
    found = letters(Equation("F1", "Q", (n, m), expr))
    return Printer(TextNotation(), found).expr(expr).text


AFFINE = add(sum_over(mul(at("X", n, k), at("W1", k, h)), [k]), at("b1", h))
RESIDUAL = sub(at("P", n, m), iverson("==", idx(m), at("y", n)))

CASES = [
    (AFFINE, r"\sum_{k} X_{n,k} W^{(1)}_{k,h} + b^{(1)}_{h}", "Σ_k X[n,k] W1[k,h] + b1[h]"),
    (mul(power(N, -1), paren(RESIDUAL)), r"\frac{1}{N} (P_{n,m} - [m = y_{n}])",
     "(P[n,m] - [m = y[n]])/N"),
    (neg(mul(power(N, -1), sum_over(apply("log", at("p", n, at("y", n))), [n]))),
     r"-\frac{1}{N} \sum_{n} \log(p_{n,y_{n}})", "-Σ_n log(p[n,y[n]])/N"),
    (mul(at("e", n, m), power(at("s", n), -1)), r"\frac{e_{n,m}}{s_{n}}", "e[n,m]/s[n]"),
    (mul(iverson("==", idx(m), idx(m2)), at("P", n, m)), r"\delta_{m,i} P_{n,m}",
     "[m = i] P[n,m]"),
    (mul(number(Fraction(1, 2)), power(N, -1), sum_over(power(at("E", n, m), 2), [n, m])),
     r"\frac{1}{2 N} \sum_{n,m} E_{n,m}^{2}", "Σ_nm E[n,m]²/(2 N)"),
    (power(add(at("v", n), at("eps")), Fraction(-1, 2)), r"\frac{1}{\sqrt{v_{n} + \varepsilon}}",
     "1/√(v[n] + eps)"),
    (extremum("max", at("Z", n, m), [m]), r"\max_{m} Z_{n,m}", "max_m Z[n,m]"),
    (mul(extremum("max", at("Z", n, m), [m]), at("g", n)), r"\Bigl(\max_{m} Z_{n,m}\Bigr) g_{n}",
     "(max_m Z[n,m]) g[n]"),
    (mul(iverson("<=", ZERO, sub(idx(n), number(1))), iverson("<", sub(idx(n), number(1)), N),
         access("x", [sub(idx(n), number(1))])), r"[0 \le n - 1 < N] x_{n - 1}",
     "[0 ≤ n-1 < N] x[n-1]"),
    (mul(iverson("<", add(number(-1), idx(n)), N), iverson("<=", ZERO, add(number(-1), idx(n))),
         access("x", [sub(paren(add(idx(n), idx(m))), number(1))])),
     r"[0 \le n - 1 < N] x_{n + m - 1}", "[0 ≤ n-1 < N] x[n+m-1]"),
    (mul(at("A", n, m), paren(sum_over(mul(at("A", n, m2), at("g", m2)), [m2]))),
     r"A_{n,m} \sum_{i} A_{n,i} g_{i}", "A[n,m] Σ_i A[n,i] g[i]"),
    (mul(paren(sum_over(at("A", n, m2), [m2])), at("A", n, m)),
     r"\Bigl(\sum_{i} A_{n,i}\Bigr) A_{n,m}", "(Σ_i A[n,i]) A[n,m]"),
    (mul(paren(sub(number(1), power(at("A1", n, h), 2))), at("∂A1", n, h)),
     r"(1 - (A^{(1)}_{n,h})^{2}) \bar{A}^{(1)}_{n,h}", "(1 - A1[n,h]²) A\u03041[n,h]"),
    (atom(Partial(Access("Z", (idx(n), idx(h))), Access("W", (idx(k), idx(h))))),
     r"\frac{\partial Z_{n,h}}{\partial W_{k,h}}", "∂Z[n,h]/∂W[k,h]"),
    (apply("floordiv", idx(n), number(2)), r"\Bigl\lfloor\frac{n}{2}\Bigr\rfloor", "⌊n/2⌋"),
    (apply("inf"), r"\infty", "∞"),
    (power(apply("tanh", at("z", n)), 2), r"(\tanh(z_{n}))^{2}", "tanh(z[n])²"),
    (neg(paren(add(at("a"), at("b")))), "-(a + b)", "-(a + b)"),
    (sub(at("a"), paren(sub(at("b"), at("c")))), "a - (b - c)", "a - (b - c)"),
    (mul(sub(N, number(1)), power(at("x"), -1), at("y", n)), r"\frac{(N - 1) y_{n}}{x}",
     "(N - 1) y[n]/x"),
    (ZERO, "0", "0"),
]


@pytest.mark.parametrize(("expr", "in_latex", "in_text"), CASES)
def test_expressions(expr: Expr, in_latex: str, in_text: str) -> None:
    assert latex(expr).replace(r"\Bigl( ", r"\Bigl(").replace(r" \Bigr", r"\Bigr").replace(
        r"\Bigl\lfloor ", r"\Bigl\lfloor") == in_latex
    assert text(expr) == in_text


@pytest.mark.parametrize(("value", "in_latex", "in_text"), [
    (Fraction(1, 2), r"\frac{1}{2}", "1/2"),
    (Fraction(2, 3), r"\frac{2}{3}", "2/3"),
    (0.044715, "0.044715", "0.044715"),
    (0.1, "0.1", "0.1"),
    (0.01, "0.01", "0.01"),
    (12, "12", "12"),
    (1e-5, "10^{-5}", "1e-5"),
    (2.5e-8, r"2.5 \cdot 10^{-8}", "2.5e-8"),
    (10**12, "10^{12}", "1e12"),
    (123456789, "123456789", "123456789"),
    (0.7978845608028654, r"\sqrt{\frac{2}{\pi}}", "√(2/π)"),
    (0.797884561, r"{\approx}0.7979", "≈0.7979"),
    (1.25e-7 / 3, r"{\approx}4.167 \cdot 10^{-8}", "≈4.167e-8"),
    (Fraction(5, 2), r"\frac{5}{2}", "5/2"),
    (12.5, r"\frac{25}{2}", "25/2"),
])
def test_numbers(value: float | Fraction, in_latex: str, in_text: str) -> None:
    assert latex(number(value)) == in_latex
    assert text(number(value)) == in_text


def test_a_float_of_few_digits_is_printed_with_its_exact_value() -> None:
    for value in (0.1, 1e-12, 2.5e17, 6.02214e23, 1 / 64, 3.25):
        assert float(Fraction(text(number(value)))) == value
    assert text(number(1 / 3)) == "1/3" and text(number(0.30000000000000004)) == "≈0.3000"


def test_distinct_names_print_distinctly() -> None:
    stems = ["x", "W", "eps", "epsilon", "logits", "mu", "xprev", "l"]
    tails = ["", "1", "2", "01", "12", "_1", "_2", "_12", "1_2", "12_", "_prev", "_", "_0_a",
             "1_prev", "_prev1", "b1", "_log_p", "_1b", "_log_", "1_log_p"]
    names = [s + t for s, t in itertools.product(stems, tails)]
    names += ["∂" + n for n in names]
    for printed in (lambda n: symbol(n).latex, spelled):
        assert len({printed(n) for n in names}) == len(names)
    sizes = [n for n in names if not n.startswith("∂")]
    assert len({size_symbol(n) for n in sizes}) == len(sizes)


def test_an_adjoint_has_its_bar_over_the_stem() -> None:
    assert symbol("∂W1").latex == r"\bar{W}^{(1)}"
    assert symbol("∂logits").latex == r"\overline{\mathrm{logits}}"
    assert symbol("∂mu").latex == r"\bar{\mu}"


def test_escaped_text_holds_nothing_special() -> None:
    hostile = "\\input{/etc/passwd} $x$ %_&#~^{}\n\"\u200b<>|"
    plain = re.sub(r"\\text[a-z]+\{\}|\\[&%$#_{}]", "", escape(hostile))
    assert not set(plain) & set("\\$%&#_{}~^\n\"\u200b<>|")
    assert escape("élan 权重") == "élan 权重"  # letters: the document is one for XeLaTeX then


def test_lines_break_at_the_outermost_plus() -> None:
    long = add(*(mul(at("alpha", n, m), paren(add(at("x", n), at("beta", n, m)))) for _ in "abcd"))
    printed = Printer(TextNotation(), {}).expr(long)
    broken = lines(printed, 60, 56)
    assert len(broken) > 1
    assert all(line.strip().startswith("+ alpha") for line in broken[1:])
    assert all(len(line) <= 60 for line in broken)
    assert "".join(broken) == printed.text


def test_a_single_long_term_breaks_between_factors_and_inside_parentheses() -> None:
    product = mul(*(at(f"factor{c}", n, m) for c in "abcdefgh"))
    broken = lines(Printer(TextNotation(), {}).expr(product), 50, 46)
    assert len(broken) > 2
    assert all(line.startswith("·") for line in broken[1:])
    inside = mul(at("x"), paren(add(*(at(f"part{c}", n, m) for c in "abcdefgh"))))
    broken = lines(Printer(TextNotation(), {}).expr(inside), 50, 46)
    assert all(line.strip().startswith("+") for line in broken[1:])


def test_a_wide_numerator_stands_behind_its_fraction() -> None:
    top = add(*(at(f"part{c}", n, m) for c in "abcdefghijkl"))
    printed = Printer(LatexNotation(), {}).expr(mul(paren(top), power(at("s", n), -1)))
    assert printed.text.startswith(r"\frac{1}{s_{n}} \, (")
    assert len(lines(printed, 300, 280)) > 1


def test_width_counts_what_is_seen() -> None:
    assert width(r"\frac{X}{Y}") < width("X Y")
    assert width("x_{n}") < width("x n")
    assert width(r"\bar{x}") == width("x")


def test_a_size_with_the_name_of_an_array_is_set_apart() -> None:
    notation = LatexNotation(clashing={"N"})
    assert Printer(notation, {}).expr(mul(N, at("N"))).text == r"\mathsf{N} N"
    assert Printer(TextNotation(clashing={"N"}), {}).expr(mul(N, at("N"))).text == "|N| N"
    assert Printer(TextNotation(names={"∂W": "dW"}), {}).expr(at("∂W")).text == "dW"
