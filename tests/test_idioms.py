"""What people write in NumPy is traced as it stands: docs/programs.md, and the gradients."""

import inspect
import textwrap
from functools import cache
from pathlib import Path

import idioms
import numpy as np
import pytest

import symprop
from symprop.algebra.canonical import canonical
from symprop.errors import SympropError, VerificationError

PAGE = Path(__file__).parent.parent / "docs" / "programs.md"
ALL = [f for functions in idioms.SECTIONS.values() for f in functions]
HEAD = """\
# What people write, and what becomes of it

This page is generated: every function below is traced as it stands, and its equations are shown
as `symprop derive --format text` prints them. `make generated` rewrites it; a test compares it,
and the gradients of every function with finite differences of the function itself.

`tests/programs/` holds sixty networks, losses and models of all kinds, which someone wrote from a
list of titles who had read the README alone; they were not changed afterwards. 53 of them needed no
edit when they were first tried. Today 59 of 60 need no edit (`tests/test_programs.py`, where the
sentence stands that each of the others is refused with); their gradients agree with eighth-order
differences of the programs to 1e-9.
"""


TAIL = """\
## Constant arrays

What the function reads and was not handed is a constant: a global array, one of a closure, of an
object, of a default. Up to 1,000 numbers stand in the text of the module; masks and tables that
follow from sizes (`np.tri(512)`, comparisons of `np.arange`) are written as what they are,
whatever their length. A longer array (an adjacency matrix, embeddings of words) is an argument of
the module, behind those of the function, under its own name, and listed in `CONSTANTS`; a note
says so. The module stays one file of text, and the numbers have one of their own:

```console
$ symprop generate model.py:loss -o mine.py --constants mine.npz
$ symprop check mine.py --constants mine.npz
$ symprop train mine.py --data data.npz --constants mine.npz -o params.npz
```

`symprop build` writes `NAME_constants.npz`, which `NAME_train.py` takes as its third file; `check
--frozen` says whether it is current. In Python the numbers are `system.held` and `module.held`, a
dict of arrays: `module.forward(**inputs, **module.held)`. Floats that are all positive are taken to
be so, as by the fact `positive`.
"""


def page() -> str:
    """docs/programs.md."""
    parts = [HEAD]
    for title, functions in idioms.SECTIONS.items():
        parts.append(f"## {title}\n")
        parts += [_shown(f) for f in functions]
    return "\n".join([*parts, TAIL])


def _shown(function) -> str:
    source = inspect.getsource(function)
    title = inspect.getdoc(function)
    code = "\n".join(x for x in source.splitlines() if '"""' not in x)
    text = derived(function).text()
    forward = text[text.index("FORWARD") + len("FORWARD\n"):text.index("BACKWARD")]
    return (f"### {title}\n\n```python\n{code}\n```\n\n"
            f"```text\n{textwrap.dedent(forward).rstrip()}\n```\n")


@cache
def derived(function) -> symprop.Derivation:
    return symprop.derive(symprop.trace(function))


def test_the_page_is_generated(request: pytest.FixtureRequest) -> None:
    if request.config.getoption("--update"):
        PAGE.write_text(page(), encoding="utf-8")
    assert PAGE.read_text("utf-8") == page(), "make generated rewrites docs/programs.md"


@pytest.mark.parametrize("function", ALL, ids=lambda f: f.__name__)
def test_the_gradients_are_those_of_the_function(function) -> None:
    """Along a random direction of all arguments together, by differences of the function."""
    module = symprop.generate(derived(function))
    inputs = module.draw_inputs(1)
    loss, gradients = module.value_and_grad(**inputs)
    rng = np.random.default_rng(2)
    way = {name: rng.normal(size=np.shape(g)) for name, g in gradients.items()}

    def at(step: float) -> float:
        moved = {name: value + step * way[name] if name in way else value
                 for name, value in inputs.items()}
        found = function(**{name: np.array(value) for name, value in moved.items()})
        return float(found[0] if isinstance(found, tuple) else found)

    assert loss == pytest.approx(at(0.0), rel=1e-12)
    near, far = ((at(h) - at(-h)) / (2 * h) for h in (1e-4, 2e-4))
    slope = sum(float(np.sum(way[name] * g)) for name, g in gradients.items())
    assert slope == pytest.approx((4 * near - far) / 3, rel=1e-8, abs=1e-9)


@pytest.mark.parametrize(("written", "functional"), idioms.FUNCTIONAL,
                         ids=lambda f: f.__name__)
def test_a_write_gives_the_equations_of_the_spelling_without_it(written, functional) -> None:
    one, other = (symprop.trace(f) for f in (written, functional))

    def text(system):
        return [(canonical(e.rhs, {i: f"i{k}" for k, i in enumerate(e.indices)}))
                for e in system.equations if e.array in needed(system)]

    assert sorted(text(one)) == sorted(text(other))


def needed(system) -> set[str]:
    """The arrays that the loss reads, directly or not."""
    found, waiting = set(), [system.loss]
    while waiting:
        equation = system.equation(waiting.pop())
        if equation is not None and equation.array not in found:
            found.add(equation.array)
            waiting += equation.reads
    return found


# ---- names that share memory ------------------------------------------------------------------


def alias(x: "N D"):
    h = x * 2
    same = h
    h += 1
    same[0] = 0
    return np.sum(h * same)


def copied(x: "N D"):
    h = x * 2
    kept = h.copy(), np.array(h), np.copy(h)
    h += 1
    return np.sum(h * kept[0] + kept[1] * kept[2])


def number_kept(x: "N D"):
    total = np.sum(x)
    before = total
    total += np.sum(x * x)
    return total * before


@pytest.mark.parametrize("function", [alias, copied, number_kept])
def test_every_name_of_an_array_sees_a_write_and_copies_do_not(function) -> None:
    symprop.trace(function)


def view_before(x: "N D"):
    h = x * 2
    row = h[0]
    h += 1
    return np.sum(row**2)


def view_written(x: "N D"):
    h = x * 2
    row = h[0]
    row += 1
    return np.sum(h**2)


@pytest.mark.parametrize("function", [view_before, view_written])
def test_a_part_that_was_taken_before_a_write_is_never_a_wrong_answer(function) -> None:
    with pytest.raises(VerificationError, match=r"test_idioms.py:\d+ writes in place"):
        symprop.trace(function)


def argument_changed(x: "N D"):
    x -= x.mean(axis=0)
    return np.sum(x**2)


def part_of_argument_changed(x: "N D"):
    first = x[0]
    first -= 1
    return np.sum(x**2)


@pytest.mark.parametrize("function", [argument_changed, part_of_argument_changed])
def test_the_arguments_stay_the_callers(function) -> None:
    with pytest.raises(SympropError, match="copy"):
        symprop.trace(function)
