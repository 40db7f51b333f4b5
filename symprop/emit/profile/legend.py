"""The sentences that say what a profile made of the program's names.

In: what the page calls things, and its arrays. Out: sentences in the notation of the page.
"""

from __future__ import annotations

from collections.abc import Sequence

from symprop.algebra.expr import adjoint
from symprop.emit.page import Style
from symprop.emit.pieces import SUM, join


def legend(style: Style, arrays: Sequence[str]) -> tuple[str, ...]:
    """What the symbols are in the program, what has a letter of its own, what is transposed."""
    to, math, plain = style.to, style.math, style.plain
    called = to.called
    found = []
    renamed = [f"{math(to.array(n).text)} is {plain(n)}" for n in called.renamed
               if n in arrays and to.array(n).text != n]
    if renamed:
        found.append(f"In the program {', '.join(renamed)}.")
    own = []
    for name in called.adjoints:
        if name in arrays:
            partial = to.partial(to.array(called.loss), to.array(name))
            own.append(math(join([to.array(adjoint(name)), to.sign("=="), partial], SUM).text))
    if own:
        found.append(f"{', '.join(own)}.")
    turned = [math(to.array(n).text) for n in arrays if called.shown(n)]
    if turned:
        found.append(f"Every example is a {'column' if called.columns else 'row'}: the program has "
                     f"the transposes of {', '.join(turned)}.")
    return tuple(found)
