"""What an equation without a name is called: by the part that it plays, as its form shows.

In: an equation and those that read it (`forms.Part`). Out: the row of the table that fits, and
the array that the part is of. docs/names.md shows the table.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from symprop.trace import forms
from symprop.trace.forms import EXTREMUM, OFFSET, Part

_LONGEST = 12  # of the name of what a part is of
_PRODUCT, _VALUE = "AB", "f_{}"


@dataclass(frozen=True)
class Role:
    """A row: `{}` in the name stands for what the part is of. `holds`: that array, "" or None."""

    name: str
    means: str
    holds: Callable[[Part], str | None]
    beside: str = ""  # the name beside an axis that has this letter
    alone: str = ""  # the name of a part of something that has none

    def named(self, part: Part, of: str) -> str:
        """The name of a part that is of something: without a number, which may follow."""
        if self.name == _PRODUCT:
            return forms.product_name(part)
        if self.name == OFFSET:
            of = part.names.get(forms.offset(part) or "") or forms.inner_role(part)
        form, function = self.name, forms.applied(part)
        if self.name == EXTREMUM and part.factor is not None:
            form = form.replace("max", getattr(part.factor[0], "kind", "max"))
        if self.name == _VALUE and function is not None:
            form = f"{function.function.removesuffix('_constant')}_{{}}"
        fits = of and len(of) <= _LONGEST and not (self.alone and of in _PLAIN)
        return form.replace("{}", of) if fits else self.alone or form.replace("{}", "").strip("_")


ROLES = (
    Role(EXTREMUM, "the largest (smallest) entry along an axis", forms.extremum, alone="top"),
    Role("shifted", "what has its largest entry taken off", forms.shifted),
    Role("e", "exponentials that are added up", forms.exponentials, "exps"),
    Role("s", "the sum of exponentials", forms.normaliser, "total"),
    Role("p", "exponentials over their sum", forms.softmax, "probs"),
    Role("sigma", "1 over the sum of 1 and an exponential", forms.logistic),
    Role("mu", "the mean over axes", forms.mean),
    Role("centred", "what has its mean taken off", forms.centred),
    Role("var", "the mean of its squares", forms.variance),
    Role("ms", "the mean of squares", forms.mean_square),
    Role(OFFSET, "a quantity and a small number", forms.offset),
    Role("std", "the root of a variance", forms.root_of("var")),
    Role("rms", "the root of a mean square", forms.root_of("ms")),
    Role("{}_hat", "a quantity over such a root", forms.normalized, alone="x_hat"),
    Role("z", "what a function is taken of", forms.argument, "pre"),
    Role("{}_inv", "the inverse of a matrix", forms.inverse, alone="inv"),
    Role("error", "a difference that is squared", forms.error),
    Role("skip", "a sum of arrays of the same axes", forms.skip),
    Role("not_{}", "1 less a quantity", forms.complement),
    Role("denom", "a sum by which others are divided", forms.denominator),
    Role(_PRODUCT, "a product of two arrays with brief names, A and B", forms.product),
    Role("norm_{}", "the root of a sum of squares", forms.norm),
    Role("sum_{}", "a sum over axes", forms.total, alone="total"),
    Role(_VALUE, "the value of a function f", forms.value),
)
REST = Role("u", "anything else", lambda part: "", "w")


_PLAIN = frozenset(r.name for r in ROLES)  # what has such a name has none of its own


def role_of(part: Part) -> tuple[Role, str] | None:
    """The first row that fits, and the array that the part is of."""
    for role in ROLES:
        of = role.holds(part)
        if of is not None:
            return role, of
    return None
