"""The sentence that a derivation begins with: what is computed, from what, and what is sought.

In: a system, the gradients that are wanted. Out: a text in the notation of the page.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from symprop.algebra.expr import adjoint
from symprop.emit.page import Style
from symprop.emit.pieces import SUM, join
from symprop.system import System

_ANY = "VUZQ"  # letters for an array in general


def given_and_sought(
    system: System, inputs: Sequence[str], gradients: Sequence[str], style: Style,
    shape: Callable[[str], str] | None,
) -> str:
    """Two sentences: the network's inputs and its result; the adjoints that are wanted.

    shape: how the shape of an array is printed; None where a table tells the shapes.
    """
    plain, math, to = style.plain, style.math, style.to

    def name(array: str) -> str:
        return math(to.array(array).text)

    def with_shapes(names: Sequence[str]) -> list[str]:
        if shape is None:
            return [name(n) for n in names]
        alike: dict[str, list[str]] = {}
        for n in names:
            alike.setdefault(shape(n), []).append(name(n))
        return [f"{', '.join(some)} ({told})" for told, some in alike.items()]

    kinds = (("input", [n for n in inputs if n not in system.wrt]),
             ("parameter", [n for n in inputs if n in system.wrt]))
    sources = " and ".join(
        f"the {kind}{'s' * (len(names) > 1)} {_listed(with_shapes(names))}"
        for kind, names in kinds if names)
    letter = next((c for c in _ANY if c not in system.arrays), _ANY[0])
    partial = to.partial(to.array(system.loss), to.array(letter))
    mark = to.array(adjoint(letter))
    rule = mark if mark.text == partial.text else join([mark, to.sign("=="), partial], SUM)
    sought = _listed([name(adjoint(n)) for n in gradients])
    by = f" by {plain(system.departure.rule)}" if system.departure else ""
    return (f"{plain(system.name)} computes {name(system.loss)} from {sources}. Sought "
            f"{'is' if len(gradients) == 1 else 'are'} {sought}{by}, where {math(rule.text)}, of "
            f"the shape of {name(letter)}, is the adjoint of {name(letter)}.")


def _listed(names: Sequence[str]) -> str:
    """a, b and c."""
    return " and ".join(filter(None, (", ".join(names[:-1]), *names[-1:]))) or "nothing"
