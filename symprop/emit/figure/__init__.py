"""Figures of a derivation: how values flow forward and adjoints back, and the training loop.

In: a derivation. Out: TikZ, Mermaid, DOT or SVG.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from symprop.emit.called import Called
from symprop.emit.figure.build import backward, forward, training
from symprop.emit.figure.diagrams import dot, mermaid
from symprop.emit.figure.graph import Graph
from symprop.emit.figure.svg import svg
from symprop.emit.figure.tikz import tikz
from symprop.emit.page import Derived
from symprop.emit.words import ENGLISH
from symprop.errors import InputError

KINDS = ("forward", "backward", "training")
FORMATS: Mapping[str, Callable[[Graph], str]] = {
    "svg": svg, "tikz": tikz, "mermaid": mermaid, "dot": dot}


class Picture(str):
    """The text of a figure, which a notebook shows as what it draws."""

    form = ""

    def _repr_svg_(self) -> str | None:
        return str(self) if self.form == "svg" else None

    def _repr_markdown_(self) -> str | None:
        return None if self.form == "svg" else f"```{self.form}\n{self}```\n"


def figure(
    derivation: Derived, kind: str = "forward", form: str = "svg",
    names: Mapping[str, str] | Called | None = None, language: str = ENGLISH,
) -> Picture:
    """A figure of one of the `KINDS` in one of the `FORMATS`; InputError for any other."""
    if kind not in KINDS:
        raise InputError(f"kind is {', '.join(KINDS[:-1])} or {KINDS[-1]}, not {kind!r}")
    if form not in FORMATS:
        raise InputError(f"format is {', '.join(FORMATS)}, not {form!r}")
    picture = Picture(FORMATS[form](graph_of(derivation, kind, names, language)))
    picture.form = form
    return picture


def graph_of(
    derivation: Derived, kind: str, names: Mapping[str, str] | Called | None = None,
    language: str = ENGLISH,
) -> Graph:
    """The boxes and arrows of a figure."""
    if kind == "training":
        return training(derivation.system, names, language)
    if kind == "backward":
        return backward(derivation.system, derivation.adjoints, names, language)
    return forward(derivation.system, names, language)
