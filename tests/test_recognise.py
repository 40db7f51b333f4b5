"""Functions that are written out are called by their names, and nothing else is."""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sympy
from scipy import special

import symprop
from symprop.algebra import rows
from symprop.algebra.build import mul, number
from symprop.algebra.expr import Apply, atoms
from symprop.cli.main import run
from symprop.system import Step, System
from symprop.verify import Refuted

FOLDER = Path(symprop.__file__).parent / "recognise"
Spelling = Callable[[Any], Any]

SPELLINGS: dict[str, dict[str, Spelling]] = {
    "sigmoid": {
        "quotient": lambda z: 1 / (1 + np.exp(-z)),
        "float": lambda z: 1.0 / (1.0 + np.exp(-1.0 * z)),
        "power": lambda z: (1 + np.exp(-z)) ** -1,
        "above": lambda z: np.exp(z) / (1 + np.exp(z)),
        "turned": lambda z: np.exp(z) / (np.exp(z) + 1),
        "tanh": lambda z: 0.5 * (1 + np.tanh(z / 2)),
        "tanh apart": lambda z: 0.5 + 0.5 * np.tanh(0.5 * z),
        "temperature": lambda z: 1 / (1 + np.exp(-1.5 * z)),
        "divided": lambda z: np.exp(z / 10) / (1 + np.exp(z / 10)),
        "where": lambda z: np.where(
            z >= 0, 1 / (1 + np.exp(-z)), np.exp(z) / (1 + np.exp(z))),
        "absolute": lambda z: np.where(
            z >= 0, 1 / (1 + np.exp(-np.abs(z))), 1 - 1 / (1 + np.exp(-np.abs(z)))),
    },
    "softplus": {
        "log": lambda z: np.log(1 + np.exp(z)),
        "log1p": lambda z: np.log1p(np.exp(z)),
        "logaddexp": lambda z: np.logaddexp(0, z),
        "absolute": lambda z: np.maximum(z, 0) + np.log1p(np.exp(-np.abs(z))),
    },
    "log_sigmoid": {
        "of the quotient": lambda z: np.log(1 / (1 + np.exp(-z))),
        "negative": lambda z: -np.log(1 + np.exp(-z)),
    },
    "tanh": {
        "quotient": lambda z: (np.exp(z) - np.exp(-z)) / (np.exp(z) + np.exp(-z)),
        "doubled": lambda z: (np.exp(2 * z) - 1) / (np.exp(2 * z) + 1),
        "of a sigmoid": lambda z: 2 / (1 + np.exp(-2 * z)) - 1,
    },
    "relu": {
        "maximum": lambda z: np.maximum(z, 0),
        "maximum turned": lambda z: np.maximum(0.0, z),
        "where": lambda z: np.where(z > 0, z, 0),
        "where turned": lambda z: np.where(z <= 0, 0, z),
        "mask": lambda z: z * (z > 0),
    },
    "leaky_relu": {
        "where": lambda z: np.where(z > 0, z, 0.01 * z),
        "mask": lambda z: z * (z > 0) + 0.2 * z * (z <= 0),
    },
    "normal_cdf": {
        "erf": lambda z: 0.5 * (1 + special.erf(z / np.sqrt(2))),
        "erf apart": lambda z: 0.5 + special.erf(z / 2**0.5) / 2,
        "gelu": lambda z: 0.5 * z * (1 + special.erf(z / np.sqrt(2.0))),
        "gelu turned": lambda z: z * 0.5 * (1.0 + special.erf(z * np.sqrt(0.5))),
    },
}
EVERY = [pytest.param(row, s, id=f"{row}-{name}")
         for row, found in SPELLINGS.items() for name, s in found.items()]
FIRST = [pytest.param(*p.values, id=p.id, marks=[pytest.mark.deep] * (k % 4 > 0))
         for k, p in enumerate(EVERY)]  # three of four are deep

NEAR: dict[str, Spelling] = {
    "another number": lambda z: 1 / (1.0001 + np.exp(-z)),
    "above one": lambda z: np.exp(z) / (2 + np.exp(z)),
    "sum of both": lambda z: np.exp(z) / (1 + np.exp(-z)),
    "tanh of z": lambda z: 0.5 * (1 + np.tanh(1.1 * z / 2)),
    "difference": lambda z: 1 / (1 - np.exp(-z - 20)),
    "gauss": lambda z: 1 / (1 + z * np.exp(-z)),
    "tanh with 1": lambda z: (np.exp(z) - 1) / (np.exp(z) + 1.5),
    "log of 2 + e": lambda z: np.log(2 + np.exp(z)),
    "log2": lambda z: np.log2(1 + np.exp(z)),
    "half": lambda z: 0.5 * (np.abs(z) + 0.9 * z),
    "shifted maximum": lambda z: np.maximum(z, 0.1 * z) + 0.01,
    "leaky by maximum": lambda z: np.maximum(z, 0.01 * z),
    "square mask": lambda z: z * z * (z > 0),
    "other mask": lambda z: z * (z > 0.5) + 0.1,
    "gelu by another number": lambda z: 0.5 * z * (1 + special.erf(z * 0.7071)),
    "gelu tanh by another number": lambda z: 0.5 * z * (
        1 + np.tanh(0.7978845608 * (z + 0.044715 * z**3))),
    "erf": lambda z: 0.5 * (1 + special.erf(z)),
    "log of a ratio": lambda z: np.log((1 + z * z) / (2 + z * z)),
    "sine": lambda z: np.sin(z) / (1 + np.sin(z) ** 2),
    "swish of two": lambda z: z / (1 + np.exp(-1.5 * z) + np.exp(-z)),
    "a line in a value": lambda z: 1 - np.tanh(z),
    "but for a stretch below 0": lambda z: np.where((z < -0.2) | (np.abs(z) > 0.2), z, np.abs(z)),
}


def of(spelling: Spelling) -> Callable[..., Any]:
    """A loss around it, with z named."""
    def loss(x: "N", w: "", y: "N"):
        z = w * x
        a = spelling(z)
        return np.sum((a - y) ** 2)

    return loss


def total(spelling: Spelling) -> Callable[..., Any]:
    def loss(z: "N"):
        return np.sum(spelling(z))

    return loss


def functions(system: System) -> list[str]:
    """The rows that were recognised."""
    return [step.after.single_atom.function for step in taken(system)]


def taken(system: System) -> list[Step]:
    """The steps of equations that have become a function."""
    return [step for step in system.recognised if step.rule == "recognise"]


def named(system: System) -> dict[str, str]:
    """The functions that an equation is while it stays as it is, by array."""
    arrays = {e.number: e.array for e in system.equations}
    return {arrays[s.equation]: s.after.single_atom.function if not s.because
            else s.because[0] for s in system.recognised if s.rule == "name"}


@pytest.mark.parametrize("row, spelling", EVERY)
def test_a_function_that_is_written_out(row: str, spelling: Spelling) -> None:
    """The row of z as the author named it; same loss, same gradient, every step verified."""
    system = symprop.trace(of(spelling), wrt=["w", "x"])
    assert functions(system) == [row]
    (step,) = taken(system)
    assert step.after.arrays == step.before.arrays == ("z",)
    assert system.equation(system.equations[-1].reads[0]) is not None
    derivation = symprop.derive(system)
    derivation.verify()
    plain = symprop.derive(symprop.trace(of(spelling), wrt=["w", "x"], recognise=False))
    inputs = {"x": np.array([-2.5, -0.7, 0.3, 1.9]), "w": np.array(0.8), "y": np.zeros(4)}
    ours, theirs = derivation.evaluate(inputs), plain.evaluate(inputs)
    assert ours.values["L"] == pytest.approx(theirs.values["L"], rel=1e-12)
    np.testing.assert_allclose(ours.adjoints["x"], theirs.adjoints["x"], rtol=1e-10)


@pytest.mark.parametrize("spelling", [pytest.param(s, id=name) for name, s in NEAR.items()])
def test_a_near_miss_stays_as_it_is(spelling: Spelling) -> None:
    plain = symprop.trace(of(spelling), recognise=False)
    found = symprop.trace(of(spelling))
    assert found.recognised == ()
    assert [e.array for e in found.equations] == [e.array for e in plain.equations]


# ---- signs, names, parts ------------------------------------------------------------------


def test_the_argument_keeps_its_sign() -> None:
    """z = w x under its name; a = σ(z); a ⊙ (1 - a), without an exponential."""
    def loss(w: "N", x: "N", y: "N"):
        a = 1 / (1 + np.exp(-(w * x)))
        return np.sum((a - y) ** 2)

    derivation = symprop.derive(symprop.trace(loss))
    text = derivation.text(detail="full")
    assert "z[n] = w[n] x[n]" in text
    assert "a[n] = 1/(1 + exp(-z[n]))" in text and "= σ(z[n])" in text
    assert " ⊙ a ⊙ (1 - a) " in text
    assert text.count("exp") == 1
    assert "exp" not in derivation.text(detail="brief")
    assert r"\sympropreason{recognised}" in derivation.latex(detail="full")
    assert "exp" not in symprop.generate(derivation).source.split("def backward")[1]


def test_an_argument_of_several_terms_is_turned_round_too() -> None:
    def loss(X: "N D", w: "D", b: "", y: "N"):
        p = 1 / (1 + np.exp(-X @ w - b))
        return np.mean((p - y) ** 2)

    system = symprop.trace(loss)
    assert [t.coef for t in system.equations[0].rhs.terms] == [1, 1]


def test_a_sign_of_the_authors_stays() -> None:
    def loss(x: "N", w: "", y: "N"):
        z = -w * x
        a = 1 / (1 + np.exp(z))
        return np.sum((a - y) ** 2)

    system = symprop.trace(loss)
    assert system.equations[0].rhs.terms[0].coef == -1
    (step,) = taken(system)
    assert step.after.single_atom.args[0].terms[0].coef == -1


def test_what_the_author_named_stays() -> None:
    def loss(x: "N", w: "", y: "N"):
        e = np.exp(-w * x)
        a = 1 / (1 + e)
        return np.sum((a - y) ** 2)

    system = symprop.trace(loss)
    assert taken(system) == [] and named(system) == {"a": "sigmoid"}
    assert "e" in system.arrays and "= σ(-z[n])" in symprop.derive(system).text(detail="full")


def test_a_part_rather_than_the_whole() -> None:
    """z σ(z): the gradient reads σ(z), so that it is an equation."""
    def loss(x: "N", w: "", y: "N"):
        z = w * x
        a = z / (1 + np.exp(-z))
        return np.sum((a - y) ** 2)

    system = symprop.trace(loss)
    assert functions(system) == ["sigmoid"]
    assert system.equation("a").reads == ("z", "sigmoid_z")
    assert named(system) == {"a": "silu"}
    assert list(system.arrays) == ["x", "w", "y", *(e.array for e in system.equations)]
    text = symprop.derive(system).text(detail="full")
    (line,) = [k for k in text.splitlines() if "silu(z[n])" in k]
    assert line.split() == ["=", "silu(z[n])", "by", "name"]


def test_one_minus_a_value_is_no_function_of_its_own() -> None:
    """Cross-entropy written out keeps (p - y)/N: 1 - p is not σ(-z)."""
    def loss(X: "N D", w: "D", y: "N"):
        p = 1 / (1 + np.exp(-(X @ w)))
        return -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))

    derivation = symprop.derive(symprop.trace(loss, wrt=["w"]))
    assert functions(derivation.system) == ["sigmoid"]
    assert "= (p - y)/N" in derivation.text(detail="full")


def test_within_a_sum_of_other_terms() -> None:
    """max(z, 0) - z y + log(1 + exp(-|z|)) is softplus(z) - z y."""
    def loss(z: "N", y: "N"):
        return np.mean(np.maximum(z, 0) - z * y + np.log(1 + np.exp(-np.abs(z))))

    derivation = symprop.derive(symprop.trace(loss, wrt=["z"]))
    assert functions(derivation.system) == ["softplus"]
    assert "= (σ(z) - y)/N" in derivation.text(detail="full")


def test_in_helpers_slices_and_recurrences() -> None:
    def sigmoid(z: Any) -> Any:
        return 1 / (1 + np.exp(-z))

    def gates(x: "N D", h: "N H", W: "D 3*H", U: "H 3*H", b: "3*H"):
        z = x @ W + h @ U + b
        r, u, n = np.split(z, 3, axis=1)
        r, u = sigmoid(r), sigmoid(u)
        h = (1 - u) * np.tanh(r * n) + u * h
        return np.mean(h**2)

    def recurrent(x: "T N", w: "", h0: "N"):
        def step(h: Any, x_t: Any) -> Any:
            h = 1 / (1 + np.exp(-(w * h + x_t)))
            return h, h

        _, h = symprop.scan(step, h0, x)
        return np.sum(h**2)

    def loop(x: "N", w: "", b: ""):
        for _ in range(3):
            x = sigmoid(w * x + b)
        return np.sum(x)

    for function, count in ((gates, 2), (recurrent, 1), (loop, 3)):
        derivation = symprop.derive(symprop.trace(function))
        assert functions(derivation.system) == ["sigmoid"] * count
        assert not any(isinstance(a, Apply) and a.function == "exp"
                       for e in derivation.system.equations for a in atoms(e.rhs))
        symprop.generate(derivation)


# ---- shares of a sum over an axis ---------------------------------------------------------


def rows_of(z: Any, reduce: Any) -> Any:
    return reduce(z, axis=1, keepdims=True)


SHARES: dict[str, tuple[str, Spelling]] = {
    "plain": ("softmax", lambda z: np.exp(z) / rows_of(np.exp(z), np.sum)),
    "shifted": ("softmax", lambda z: np.exp(z - rows_of(z, np.max)) / rows_of(
        np.exp(z - rows_of(z, np.max)), np.sum)),
    "shifted by all": ("softmax", lambda z: np.exp(z - z.max()) / rows_of(
        np.exp(z - z.max()), np.sum)),
    "shifted by a mean": ("softmax", lambda z: np.exp(z - rows_of(z, np.max) + 3) / rows_of(
        np.exp(z - rows_of(z, np.max) + 3), np.sum)),
    "transposed": ("softmax", lambda z: (np.exp(z.T) / np.exp(z.T).sum(axis=0)).T),
    "by the logarithm": ("softmax", lambda z: np.exp(
        z - np.log(rows_of(np.exp(z), np.sum)))),
    "by a shifted logarithm": ("softmax", lambda z: np.exp(z - (rows_of(z, np.max) + np.log(
        rows_of(np.exp(z - rows_of(z, np.max)), np.sum))))),
    "reciprocal": ("softmax", lambda z: 1 / np.sum(
        np.exp(z[:, None, :] - z[:, :, None]), axis=2)),
    "symprop.nn": ("softmax", lambda z: symprop.nn.softmax(z, axis=1)),
    "logarithm": ("log_softmax", lambda z: z - np.log(rows_of(np.exp(z), np.sum))),
    "logarithm of the quotient": ("log_softmax", lambda z: np.log(
        np.exp(z) / rows_of(np.exp(z), np.sum))),
    "sum": ("logsumexp", lambda z: np.log(rows_of(np.exp(z), np.sum)) + 0 * z),
    "shifted sum": ("logsumexp", lambda z: rows_of(z, np.max) + np.log(
        rows_of(np.exp(z - rows_of(z, np.max)), np.sum))),
}
NO_SHARES: dict[str, Spelling] = {
    "one more": lambda z: np.exp(z) / (1 + rows_of(np.exp(z), np.sum)),
    "twice": lambda z: np.exp(z) / rows_of(np.exp(2 * z), np.sum),
    "shifted above alone": lambda z: np.exp(z - rows_of(z, np.max)) / rows_of(np.exp(z), np.sum),
    "of the other axis": lambda z: np.exp(z.T) / rows_of(np.exp(z), np.sum),
    "a mean": lambda z: np.exp(z) / rows_of(np.exp(z), np.mean),
    "squares": lambda z: z**2 / rows_of(z**2, np.sum),
}


def around(spelling: Spelling) -> Callable[..., Any]:
    def loss(x: "N N", w: "N N"):
        z = 2 * x
        p = spelling(z)
        return np.sum(p * w)

    return loss


@pytest.mark.parametrize("name", SHARES)
def test_a_share_of_a_sum_is_called_by_its_name(name: str) -> None:
    """Whatever is subtracted: in print beside the equation, proven and verified."""
    row, spelling = SHARES[name]
    system = symprop.trace(around(spelling))
    array = next(a for a, function in named(system).items() if function == row)
    (step,) = [s for s in system.recognised if s.rule == "name" and
               s.equation == system.equation(array).number]
    assert step.after.arrays == ("z",)
    derivation = symprop.derive(system)
    derivation.verify()
    assert row.replace("_", " ") in derivation.text(detail="full").replace("_", " ")


@pytest.mark.parametrize("name", NO_SHARES)
def test_what_is_no_such_share_is_not_called_so(name: str) -> None:
    assert named(symprop.trace(around(NO_SHARES[name]))) == {}


def test_a_shift_that_runs_along_with_the_sum_is_none() -> None:
    def loss(z: "N M", w: "N M"):
        e = np.exp(z - z.max(axis=0))
        p = e / e.sum(axis=1, keepdims=True)
        return np.sum(p * w)

    steps = symprop.trace(loss).recognised
    assert [s.after.arrays for s in steps] == [("shifted",)]  # of z it is none


def test_what_is_handed_on_is_named_once() -> None:
    """The copy that a lemma takes is no softmax of its own."""
    def mixed(x: Any, w: Any) -> Any:
        return np.tanh(symprop.nn.softmax(np.tanh(x @ w) @ x.T, axis=1) @ x)

    def loss(G: "K H", w: "H H"):
        h = symprop.nn.softmax(G, axis=1)
        return np.sum(mixed(mixed(h, w), w)) + np.sum(h ** 2)

    derivation = symprop.derive(symprop.trace(loss))
    derivation.verify()
    system = derivation.found.program.derivation.system
    assert list(named(system)) == ["h"] and len(derivation.lemmas) == 1


def test_a_remark_may_overflow_where_the_program_does_not() -> None:
    def loss(z: "N M", w: "N M"):
        return np.sum(symprop.nn.softmax(z, axis=1) * w)

    symprop.derive(symprop.trace(loss, facts=[symprop.in_range("z", 900, 2000)])).verify()


def test_in_a_lemma() -> None:
    """What a block repeats says what was written once, under the lemma's numbers and names."""
    def dense(h: Any, W: Any, b: Any) -> Any:
        n = h @ W + b
        n = n / np.sqrt((n * n).mean(axis=1, keepdims=True) + 1)
        return n / (1 + np.exp(-n))

    def loss(x: "N D", W1: "D D", b1: "D", W2: "D D", b2: "D"):
        return np.sum(dense(dense(x, W1, b1), W2, b2) ** 2)

    derivation = symprop.derive(symprop.trace(loss))
    text = derivation.text(detail="full")
    assert len(derivation.lemmas) == 1 and text.count("recognised\n") == 1
    assert text.count("by name\n") == 1 and "silu(" in text and "1/(1 + exp(-" in text


# ---- values -------------------------------------------------------------------------------


FAR = np.array([-800.0, -40.0, -1e-9, 0.0, 1e-9, 40.0, 800.0])


@pytest.mark.parametrize("row, spelling", FIRST)
def test_values_far_out_are_those_of_the_function_or_better(row: str, spelling: Spelling) -> None:
    def loss(z: "N", y: "N"):
        a = spelling(z)
        return np.sum(a * y), {"a": a}

    module = symprop.generate(symprop.trace(loss))
    with np.errstate(all="ignore"):
        theirs = spelling(FAR)
    ours = module.predict(FAR)["a"]
    assert np.isfinite(ours).all()
    finite = np.isfinite(theirs)
    np.testing.assert_allclose(ours[finite], theirs[finite], rtol=1e-12, atol=1e-12)


def test_a_corner_that_the_function_has_stays_where_it_is() -> None:
    """At 0 the slope of (|z| + z)/2 is 1/2, of `where(z >= 0, z, 0)` 1: neither is relu."""
    for spelling, slope in ((lambda z: (np.abs(z) + z) / 2, 0.5),
                            (lambda z: np.where(z >= 0, z, 0), 1.0),
                            (lambda z: np.clip(z, 0, None), 1.0),
                            (lambda z: np.maximum(z, 0), 0.0)):
        derivation = symprop.derive(symprop.trace(total(spelling)))
        assert ("relu" in functions(derivation.system)) == (slope == 0)
        assert derivation.evaluate({"z": np.zeros(2)}).adjoints["z"].tolist() == [slope] * 2


def test_a_corner_of_the_spelling_alone_is_none_and_the_step_says_so() -> None:
    """log(1 + exp(-|z|)) + max(z, 0) is smooth: the slope at 0 is 1/2, as of softplus."""
    def loss(z: "N"):
        return np.sum(np.maximum(z, 0) + np.log1p(np.exp(-np.abs(z))))

    derivation = symprop.derive(symprop.trace(loss))
    assert derivation.evaluate({"z": np.zeros(1)}).adjoints["z"].tolist() == [0.5]
    (step,) = taken(derivation.system)
    assert step.because == ("0",)
    (note,) = derivation.system.notes
    assert note.kind == "corner" and "is softplus(z), which has no corner at 0" in note.text
    assert "recognised, without its corner at 0" in derivation.text(detail="full")
    written = symprop.derive(symprop.trace(loss, recognise=False))
    assert written.evaluate({"z": np.zeros(1)}).adjoints["z"].tolist() == [0.0]


def test_a_bracket_that_guards_something_infinite_stays_with_it() -> None:
    def loss(g: "", x: "N"):
        return np.sum(np.where(x > 0, x / g, 0))

    derivation = symprop.derive(symprop.trace(loss))
    found = derivation.evaluate({"g": 0.0, "x": -np.ones(2)})
    assert found.values["L"] == 0 and derivation.system.recognised == ()


# ---- the mechanism ------------------------------------------------------------------------


QUICK = rows.Row(
    name="quick", arity=1, latex=r"\operatorname{quick}({x})", text="quick({x})",
    definition=rows.x * (1 + sympy.erf(sympy.Rational("1.702") * rows.x / sympy.sqrt(2))) / 2)


@pytest.mark.parametrize("spelling", [
    lambda z: z * 0.5 * (1 + special.erf(1.702 * z / np.sqrt(2))),
    lambda z: 0.5 * z * special.erfc(-1.702 * z * np.sqrt(0.5)),
    lambda z: z * special.ndtr(1.702 * z),
])
def test_a_row_that_is_added_is_found(spelling: Spelling) -> None:
    """x Φ(1.702 x): the parts stay, for the gradient reads them, and the whole has its name."""
    with rows.registered(QUICK):
        system = symprop.trace(of(spelling))
        assert named(system) == {"a": "quick"}
        symprop.derive(system).verify()
    assert "a" not in named(symprop.trace(of(spelling)))


def test_no_function_is_named_in_the_recogniser() -> None:
    words = {node.value for path in FOLDER.glob("*.py")
             for node in ast.walk(ast.parse(path.read_text("utf-8")))
             if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    assert len(list(FOLDER.glob("*.py"))) >= 5
    assert not words & set(rows.names())


def test_a_wrong_recognition_is_refuted() -> None:
    system = symprop.trace(of(SPELLINGS["sigmoid"]["quotient"]))
    (step,) = taken(system)
    wrong = tuple(e if e.written is None else replace(e, written=mul(number(1.000001), e.written))
                  for e in system.equations)
    assert step.rule == "recognise"
    with pytest.raises(Refuted, match=r"\(F2\), rule 'recognise'"):
        symprop.derive(replace(system, equations=wrong)).verify()


def test_from_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = tmp_path / "model.py"
    model.write_text("import numpy as np\n\n\ndef loss(x: 'N', w: ''):\n"
                     "    return np.sum(1 / (1 + np.exp(-w * x)))\n", encoding="utf-8")
    words = ["derive", f"{model}:loss", "--format", "text", "--detail", "full", "--quiet"]
    assert run(words) == 0
    assert "recognised" in capsys.readouterr().out
    assert run([*words, "--no-recognise"]) == 0
    assert "recognised" not in capsys.readouterr().out


def test_without_recognition_the_trace_is_as_written() -> None:
    system = symprop.trace(of(SPELLINGS["sigmoid"]["quotient"]), recognise=False)
    assert [e.array for e in system.equations] == ["z", "e", "denom", "a", "error", "L"]
    assert system.recognised == ()
