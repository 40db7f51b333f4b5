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
    to, math, say = style.to, style.math, style.words
    called = to.called
    found = []
    renamed = [say("legend.name", symbol=math(to.array(n).text), name=style.plain(n))
               for n in called.renamed if n in arrays and to.array(n).text != n]
    if renamed:
        found.append(say("legend.names", names=say.several(renamed)))
    if called.listed is not None and called.listed[0] in arrays:
        name, place = called.listed
        found.append(say("legend.lists", symbol=math(to.array(name).text),
                         place=style.plain(place)))
    layers = [n for n in arrays if n in called.layered]
    if layers:
        found.append(say(
            "legend.layers", symbol=math(to.entry(layers[0], [to.piece("1")]).text),
            place=style.plain(f"{layers[0]}[0]"),
            arrays=say.listed([math(to.array(n).text) for n in layers])))
    own = []
    for name in called.adjoints:
        if name in arrays:
            partial = to.partial(to.array(called.loss), to.array(name))
            own.append(math(join([to.array(adjoint(name)), to.sign("=="), partial], SUM).text))
    if own:
        found.append(say.beside(*own) + say("mark.stop"))
    turned = [math(to.array(n).text) for n in arrays if called.shown(n)]
    if turned:
        found.append(say("legend.columns" if called.columns else "legend.rows",
                         arrays=say.several(turned)))
    return tuple(found)
