"""Derivations as LaTeX, Markdown and text: complete, numbered alike, nothing left out."""

import re
from dataclasses import replace

import pytest
from print_systems import Builder, at, index, layer_norm, least_squares, mlp

from symprop.algebra.build import mul, sum_over
from symprop.derive.derivation import Derivation, derive
from symprop.emit.latex import latex
from symprop.emit.markdown import markdown
from symprop.emit.rules import rule, rules
from symprop.emit.text import WIDTH, text
from symprop.emit.text_notation import columns
from symprop.errors import InputError
from symprop.system import Condition, Fact, System

SYSTEMS = {"mlp": mlp(2), "deep": mlp(4), "norm": layer_norm(), "squares": least_squares()}
DERIVATIONS = {name: derive(system) for name, system in SYSTEMS.items()}
PRINTERS = (latex, markdown, text)
DETAILS = ("brief", "normal", "full")

# What KaTeX and GitHub know of what could be printed (no \operatorname); \tag once in a block.
KATEX = {
    "Bigl", "Bigr", "arccos", "arcsin", "arctan", "bar", "begin", "bmod", "cdot", "circ", "cos",
    "cosh", "delta", "end", "exp", "frac", "in", "infty", "lbrace", "ldots", "le", "lfloor",
    "lVert", "log", "lvert", "mathbf", "mathrm", "mathsf", "max", "mid", "min", "mu", "ne", "odot",
    "overline", "partial", "qquad", "quad", "rbrace", "rVert", "rfloor", "rvert", "sigma",
    "sin", "sinh", "sqrt", "sum", "tag", "tan", "tanh", "text", "textstyle", "times", "top",
    "varepsilon", "beta",
}


@pytest.fixture(params=list(DERIVATIONS))
def derivation(request: pytest.FixtureRequest) -> Derivation:
    return DERIVATIONS[request.param]


@pytest.mark.parametrize("printer", PRINTERS)
def test_every_equation_is_printed_with_its_number(derivation: Derivation, printer) -> None:  # type: ignore[no-untyped-def]
    printed = printer(derivation, detail="full")
    numbers = [e.number for e in (*derivation.system.equations, *derivation.adjoints)]
    for number in numbers:
        assert f"({number})" in printed or rf"\tag{{{number}}}" in printed
    for adjoint in derivation.adjoints:
        for step in adjoint.steps:
            assert rule(step.rule).label in printed


@pytest.mark.parametrize("width", [80, WIDTH, 120])
@pytest.mark.parametrize("detail", DETAILS)
def test_rows_of_text_fit_a_terminal(derivation: Derivation, detail: str, width: int) -> None:
    printed = text(derivation, detail=detail, width=width)
    assert all(columns(line) <= width for line in printed.splitlines())
    assert any(columns(line) == width for line in printed.splitlines())  # numbers at the right


def test_text_is_not_narrower_than_a_formula_needs() -> None:
    with pytest.raises(InputError, match="at least 80 columns wide, not 40"):
        text(DERIVATIONS["mlp"], width=40)


def test_a_derivation_reads_like_this() -> None:
    """Without the bars, which take no column: r is r's adjoint where it stands in a sum."""
    printed = text(DERIVATIONS["squares"], detail="full").replace("\u0304", "")
    wanted = """\
(B3) The adjoint of w, from (F1), with (B2) inserted.
  w[k] = Σ_n r[n] ∂r[n]/∂w[k]                                           chain rule, (F1)
       = Σ_ni r[n] X[n,i] [i = k]                                       local derivative
       = Σ_n r[n] X[n,k]                                                         sifting
       = 2 Σ_n r[n] X[n,k]/N                                                insert, (B2)
  w    = 2 Xᵀ r/N                                                                   (B3)
"""
    assert wanted in printed
    assert "(B2) The adjoint of r, from (F2), with (B1) inserted; absorbed by (B3), not" in printed


@pytest.mark.parametrize("printer", PRINTERS)
def test_only_keeps_numbers_and_drops_what_is_not_needed(printer) -> None:  # type: ignore[no-untyped-def]
    derivation = DERIVATIONS["deep"]
    number = {a.primal: a.number for a in derivation.adjoints}
    printed = printer(derivation, only=["W3"], detail="full")
    whole = printer(derivation, detail="full")
    assert number["W3"] in printed
    assert number["Z4"] in printed
    assert f"({number['W2']})" not in printed
    assert len(printed) < len(whole) * 0.8
    for tag in re.findall(r"\(?[FB][0-9]+\)?", printed):
        assert tag in whole


@pytest.mark.parametrize("printer", PRINTERS)
def test_only_refuses_a_name_without_a_gradient(printer) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(InputError, match=r"no gradient of 'X'; there are those of W1, b1"):
        printer(DERIVATIONS["mlp"], only=["X"])


@pytest.mark.parametrize("printer", PRINTERS)
def test_printing_is_deterministic(printer) -> None:  # type: ignore[no-untyped-def]
    assert printer(derive(mlp(3))) == printer(derive(mlp(3)))


@pytest.mark.parametrize("detail", DETAILS)
def test_markdown_is_what_katex_knows(derivation: Derivation, detail: str) -> None:
    printed = markdown(derivation, detail=detail)
    blocks = re.findall(r"^\$\$\n(.*?)\n\$\$$", printed, re.DOTALL | re.MULTILINE)
    assert len(blocks) > len([a for a in derivation.adjoints if not a.inlined])
    for block in blocks:
        assert block.count(r"\tag{") <= 1
        assert "\n\n" not in block
    used = set(re.findall(r"\\([A-Za-z]+)", "".join(blocks)))
    assert used <= KATEX
    assert set(re.findall(r"\\begin\{(\w+)\}", printed)) <= {"aligned"}


@pytest.mark.parametrize("detail", DETAILS)
@pytest.mark.parametrize("printer", [latex, markdown])
def test_braces_and_environments_are_balanced(derivation: Derivation, printer, detail) -> None:  # type: ignore[no-untyped-def]
    printed = printer(derivation, detail=detail)
    bare = re.sub(r"\\[{}]", "", printed)
    assert bare.count("{") == bare.count("}")
    for line in bare.splitlines():
        if "&" in line or "$$" in line:
            assert line.count("{") == line.count("}")
    assert printed.count(r"\begin{") == printed.count(r"\end{")
    assert printed.count(r"\Bigl") == printed.count(r"\Bigr")


def test_the_fragment_defines_nothing_that_a_host_may_have() -> None:
    fragment = latex(DERIVATIONS["mlp"])
    assert r"\documentclass" not in fragment
    assert r"\newcommand" not in fragment
    assert r"\usepackage" not in re.sub(r"^%.*", "", fragment, flags=re.MULTILINE)
    document = latex(DERIVATIONS["mlp"], standalone=True)
    assert document.startswith(r"\documentclass")
    assert fragment in document


def test_facts_ranges_and_conditions_are_printed() -> None:
    system = least_squares()
    n_size, k_size = system.arrays["X"].shape
    doubled = mul(k_size, k_size)
    system = replace(system, facts=(*system.facts, Fact("sums_to_one", "X", (1,))), conditions=(
        Condition("equal", n_size, doubled, ""), Condition("divides", n_size, k_size, "")))
    printed = text(derive(system))
    for line in ("1. 0 ≤ t[n] ≤ 1", "2. t[n] ∈ {-1, 1}", "3. 0 < t[n]", "4. Σ_k X[n,k] = 1",
                 "5. N = K²", "6. K divides N"):
        assert line in printed


def test_a_fact_that_a_step_used_is_named_by_its_number() -> None:
    b = Builder({"w": "N", "Y": "N M"})
    n, m = index("N"), index("M")
    b.define("L", (), sum_over(mul(at("w", n), at("Y", n, m)), [n, m]))
    system = b.system("f", ["w"], [Fact("sums_to_one", "Y", (1,))], sizes="N M")
    assert "fact 1" in text(derive(system), detail="full")
    without = text(derive(replace(system, facts=())), detail="full")
    assert "fact 1" not in without


def test_an_unknown_rule_prints_as_it_is_called() -> None:
    derivation = DERIVATIONS["squares"]
    last = derivation.adjoints[-1]
    strange = replace(last.steps[-1], rule="some_rule", because=("F1", "a & b"))
    adjoints = (*derivation.adjoints[:-1], replace(last, steps=(*last.steps[:-1], strange)))
    changed = Derivation(derivation.system, adjoints)
    assert "some_rule, (F1), a & b" in text(changed, detail="full")
    assert r"some\_rule, (F1), a \& b" in latex(changed, detail="full")


def test_every_rule_has_one_sentence() -> None:
    for row in map(rule, rules()):
        assert row.sentence.endswith(".")
        assert row.sentence[0].isupper()


def test_a_title_is_escaped() -> None:
    system: System = replace(SYSTEMS["squares"], name=r"a_b<script>\input{x}")
    derivation = derive(system)
    assert r"a\_b\textless{}script\textgreater{}\textbackslash{}input\{x\}" in latex(
        derivation, standalone=True)
    assert r"a\_b\<script\>\\input\{x\}" in markdown(derivation).splitlines()[0]


def test_zero_gradients_say_so() -> None:
    printed = text(DERIVATIONS["mlp"], detail="full")
    assert "it is exactly zero" in printed


def test_length_is_linear_in_depth() -> None:
    sizes = [len(latex(derive(mlp(layers)))) for layers in (4, 6, 8)]
    assert abs((sizes[2] - sizes[1]) - (sizes[1] - sizes[0])) < 0.05 * sizes[0]


def test_a_template_folder_goes_before_ours(tmp_path) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "derivation.tex.jinja").write_text(r"mine: \VAR{sheet.name}")
    assert latex(DERIVATIONS["squares"], templates=tmp_path) == r"mine: least\_squares"
