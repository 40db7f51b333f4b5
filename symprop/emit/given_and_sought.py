"""The sentence that a derivation begins with: what is computed, from what, and what is sought.

In: a system, the gradients that are wanted. Out: a text in the notation of the page.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from symprop.algebra.expr import adjoint
from symprop.emit.page import Style
from symprop.emit.pieces import SUM, join
from symprop.emit.rules import rule as rule_
from symprop.system import System

_ANY = "VUZQ"  # letters for an array in general


def given_and_sought(
    system: System, inputs: Sequence[str], gradients: Sequence[str], style: Style,
    shape: Callable[[str], str] | None, named: Callable[[str], str] | None = None,
) -> str:
    """Two sentences: the network's inputs and its result; the adjoints that are wanted.

    shape: how the shape of an array is printed; None where a table tells the shapes. named: what
    an array is called, where that is not its name alone.
    """
    math, to, say = style.math, style.to, style.words

    name = named or (lambda array: math(to.array(array).text))

    def with_shapes(names: Sequence[str]) -> list[str]:
        if shape is None:
            return [name(n) for n in names]
        alike: dict[str, list[str]] = {}
        for n in names:
            alike.setdefault(shape(n), []).append(name(n))
        return [say("sought.shaped", names=say.several(some), shape=told)
                for told, some in alike.items()]

    kinds = (("input", [n for n in inputs if n not in system.wrt]),
             ("parameter", [n for n in inputs if n in system.wrt]))
    sources = say("sought.and").join(
        say(f"sought.{kind}", len(names), names=say.listed(with_shapes(names)))
        for kind, names in kinds if names)
    letter = next((c for c in _ANY if c not in system.arrays), _ANY[0])
    partial = to.partial(to.array(system.loss), to.array(letter))
    mark = to.array(adjoint(letter))
    rule = mark if mark.text == partial.text else join([mark, to.sign("=="), partial], SUM)
    departure = system.departure
    return say(
        "sought.updates" if departure else "sought.gradients", len(gradients),
        name=style.plain(system.name), loss=name(system.loss), sources=sources,
        sought=say.listed([name(adjoint(n)) for n in gradients]), rule=math(rule.text),
        by=style.plain(rule_(departure.rule, say).label) if departure else "",
        letter=name(letter))
