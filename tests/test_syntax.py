"""One layout: a tree comes back from its text, in lines that are not torn inside brackets.

Random trees at many widths, the gallery, and walks over trees.
"""

from __future__ import annotations

import ast
import random
from pathlib import Path

import pytest

from symprop.syntax.layout import SHORT, WIDTH, flat, lines, width
from symprop.syntax.tree import literal, named, plain, quote, reads, renamed, same, state, tree

GENERATED = sorted((Path(__file__).parents[1] / "generated").glob("*.py"))
LEAVES = ["a", "beta", "a_rather_long_name", "x.shape[0]", "0.5", "3", "W.T", "h[t]"]
FORMS = [
    "{x} + {y}", "{x} - {y}", "{x} * {y}", "{x} / {y}", "{x} @ {y}", "{x}**{y}", "{x} // {y}",
    "{x} % {y}", "-{x}", "~{x}", "not {x}", "{x} < {y}", "{x} == {y}", "{x} and {y}", "{x} or {y}",
    "{x} & {y}", "{x} | {y}", "{x} if {y} else {z}", "f({x}, {y}, axis={z})", "np.exp({x})",
    "{x}.sum(axis=(0, 1))", "{x}.reshape({y}, {z})", "{x}[:, {y}]", "{x}[{y}:, None, ::2]", "{x}.T",
    "({x}, {y})", "[{x}, {y}, {z}]", "[g(p) for p in {x}]", '{ "key": {x} }',
]


def random_tree(rng: random.Random, depth: int) -> ast.expr:
    """An expression of at most so many levels."""
    if depth == 0 or rng.random() < 0.15:
        return quote(rng.choice(LEAVES))
    spelling = rng.choice(FORMS)
    places = [k for k in "xyz" if f"{{{k}}}" in spelling]
    return quote(spelling, **{k: random_tree(rng, depth - 1) for k in places})


def parsed(text: list[str]) -> ast.stmt:
    (statement,) = ast.parse("\n".join(text)).body
    return statement


@pytest.mark.parametrize("seed", range(6))
def test_a_tree_comes_back_from_its_text(seed: int) -> None:
    rng = random.Random(seed)
    for _ in range(25):
        value = random_tree(rng, rng.randint(1, 5))
        for statement in (state("y = {x}", x=value), state("return {x}", x=value),
                          state("y[t] += {x}", x=value), state("a, b = {x}", x=value),
                          state("if {x}: y = 1", x=value)):
            for room in (40, 84, 10**6):
                text = lines(statement, room)
                expected = parsed([ast.unparse(ast.fix_missing_locations(statement))])
                assert same(parsed(text), expected), "\n".join(text)
            assert len(lines(statement, 10**6)) == 1 + isinstance(statement, ast.If)


@pytest.mark.parametrize("seed", range(6))
def test_lines_are_no_longer_than_they_need_be(seed: int) -> None:
    rng = random.Random(100 + seed)
    for _ in range(25):
        value = random_tree(rng, 4)
        text = lines(state("y = {x}", x=value), 72)
        assert text == lines(state("y = {x}", x=value), 72)
        if width(value) <= 68:
            assert text == [f"y = {flat(value)}"]
        assert max(map(len, text)) <= 72, "\n".join(text)
        assert not [line for line in text if line != line.rstrip() or "\t" in line]


@pytest.mark.parametrize("path", GENERATED, ids=[p.stem for p in GENERATED])
def test_no_subscript_and_no_short_call_is_torn(path: Path) -> None:
    module = ast.parse(path.read_text())
    assert max(map(len, path.read_text().splitlines())) <= WIDTH
    bodies = [f for f in module.body if isinstance(f, ast.FunctionDef)
              and f.name in ("forward", "backward", "predict", "value_and_grad")]
    statements = [s for f in bodies for s in ast.walk(f) if isinstance(s, ast.stmt)]
    own = {id(s.value) for s in statements if isinstance(s, ast.Assign | ast.Expr | ast.Return)}
    for node in (n for s in statements for n in ast.walk(s)):
        if isinstance(node, ast.Subscript):
            assert node.slice.lineno == node.value.end_lineno == node.end_lineno
        if isinstance(node, ast.Call) and node.args and id(node) not in own and sum(
            width(a) + 2 for a in (*node.args, *node.keywords)
        ) <= SHORT:
            assert node.func.end_lineno == node.args[0].lineno == node.end_lineno


def test_precedence_is_that_of_the_nodes() -> None:
    for text in ("(a + b) * c", "a - (b - c)", "(-a)**2", "-a**2", "2**-a", "(a**b)**c", "a**b**c",
                 "(a if b else c) + d", "a if b else c if d else e", "(a if b else c) if d else e",
                 "not (a and b)", "(a or b) and c", "(a < b) & (c == d)", "~(a | b)", "-(a * b)",
                 "-a * b", "a @ (b @ c)", "(a, b)[0]", "(a + b).T", "f(x)(y)", "a[b, c:d]",
                 "a[(b,)]", "a[...]", "(yes if test else no)[:, None]", "a * -b", "a < (b < c)"):
        assert flat(quote(text)).replace("a[b,]", "a[(b,)]") == text


def test_long_strings_are_cut_between_words() -> None:
    words = " ".join(["word"] * 40)
    text = lines(state("raise ValueError({m})", m=literal(words)), 84)
    assert len(text) > 3 and same(parsed(text), ast.parse(f'raise ValueError("{words}")').body[0])


def test_what_a_tree_reads() -> None:
    found = state("T[axis] = np.sum(X.T, axis=0) + N * f(M)")
    assert reads([found]) == {"T", "axis", "np", "X", "N", "f", "M"}
    assert reads([state("a, (b, c) = {x}", x=tree("d"))]) == {"d"}
    other = renamed(found, {"np": "jnp", "f": "g", "sum": "no", "T": "no"})
    assert flat(other.value) == "jnp.sum(X.T, axis=0) + N * g(M)"  # type: ignore[attr-defined]
    assert flat(found.value).startswith("np.")  # type: ignore[attr-defined]


def test_names_and_plain_views() -> None:
    assert all(named(quote(t)) for t in ("a", "a[t]", "a[t - 1]", "a[0]"))
    assert not any(named(quote(t)) for t in ("a[t, 0]", "a[:1]", "a.T", "f(a)", "a[f(t)]"))
    assert all(plain(quote(t)) for t in ("a", "a[:, None]", "a[:, 1:N - 1].T", "a.T"))
    assert not any(plain(quote(t)) for t in ("a.T.T", "f(a)", "a[ids[0]]", "a[:2 * N]"))


def test_data_as_trees() -> None:
    data = {"a": [1, -2.5, "x"], "b": ("y",), "c": (), "d": [{}, None, True]}
    assert ast.literal_eval(flat(literal(data))) == data
