"""What `symprop.derive` hands to the user: by lemmas where the program repeats itself.

In: a System. Out: a `BlockDerivation`, or a `Derivation` where no two calls are one block. What is
not printed or emitted by lemmas (slides, worked examples, figures, costs, closed expressions) is
that of `flat`, the same derivation without lemmas, which is made when it is first asked for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path

from symprop import blocks
from symprop.collector import paused
from symprop.derivation import Derivation, Names, Only, Place, Text
from symprop.derive import derivation as derived
from symprop.emit import kept
from symprop.emit import lemmas as pages
from symprop.emit.depths import depth
from symprop.emit.given_names import check_names
from symprop.emit.profile.apply import called, part_called
from symprop.errors import InputError
from symprop.lower.pairs import lower_blocks
from symprop.lower.program import Program
from symprop.rules import RuleMaker, apply_rule
from symprop.system import Adjoint, Step, System


class BlockDerivation(Derivation):
    """The derivation of every gradient by lemmas: a block that the program repeats stands once.

    `lemmas` and `program` hold their equations and steps; `verify` evaluates them all. What a
    helper returns and takes has an adjoint of its own: nothing is inserted across its border.
    `adjoints`, and all that is not by lemmas, are those of `flat`.

    >>> import numpy as np, symprop
    >>> def layer(x, W):
    ...     z = x @ W
    ...     a = np.tanh(z)
    ...     return a / np.sqrt(1 + a * a)
    >>> def loss(x: "N", V: "N N", W: "N N"):
    ...     return (layer(layer(x, V), W) ** 2).sum()
    >>> derivation = symprop.derive(symprop.trace(loss))
    >>> derivation
    <BlockDerivation of loss: lemmas layer; gradients of x, V, W>
    >>> [lemma.block.gradients for lemma in derivation.lemmas]
    [('x', 'W')]
    """

    def __init__(self, found: blocks.BlockDerivation) -> None:
        self.__dict__.update(system=found.system, found=found)

    found: blocks.BlockDerivation

    @property
    def lemmas(self) -> tuple[blocks.Lemma, ...]:
        """The blocks that the program repeats, each with its adjoint equations."""
        return self.found.lemmas

    @property
    def program(self) -> blocks.Lemma:
        """The program, which has the last word: its own equations, and a line for each use."""
        return self.found.program

    @cached_property
    def flat(self) -> Derivation:
        """The same derivation without lemmas."""
        return Derivation(self.system, derived.derive(self.system).adjoints)

    @cached_property
    def adjoints(self) -> tuple[Adjoint, ...]:
        """Those of the flat form."""
        return self.flat.adjoints

    @cached_property
    def lowered(self) -> Program:
        """The program and, each once, the lemmas as whole-tensor operations."""
        return lower_blocks(self.found)

    @cached_property
    def steps(self) -> tuple[Step, ...]:
        """What was recognised; the steps of all lemmas, then those of the program."""
        return (*self.system.recognised, *self.found.steps)

    def verify(self) -> None:
        """Evaluates every step of every lemma, and the program; raises VerificationError."""
        self.found.verify()

    def latex(
        self, *, standalone: bool = False, only: Only = None, templates: Place = None,
        names: Names = None, detail: Text = None, equation: Text = None, labels: Text = None,
        width: float | None = None, profile: Place = None, notation: Text = None,
        language: str = "en",
    ) -> str:
        r"""A fragment for \input (amsmath), or a document with `standalone`.

        `only` keeps what the named gradients depend on, with the numbers unchanged; `equation`
        keeps one line, as in `equation="2.B3"`. `names` holds in the program and in every lemma
        that has an array of that name; of a `profile` there are the marks and the loss, but no
        layers. Other options are those of a flat derivation. Raises InputError for what there is
        not.
        """
        self.verify()
        return pages.latex_pages(
            self._pages, self._kept(only, equation), self._called(names, profile, notation),
            standalone=standalone, templates=templates, detail=depth(detail, equation),
            labels=labels, room=width, language=language)

    def markdown(
        self, *, only: Only = None, templates: Place = None, names: Names = None,
        detail: Text = None, equation: Text = None, profile: Place = None, notation: Text = None,
        language: str = "en",
    ) -> str:
        """Markdown with one KaTeX block for each equation; options as for `latex`."""
        self.verify()
        return pages.markdown_pages(
            self._pages, self._kept(only, equation), self._called(names, profile, notation),
            templates=templates, detail=depth(detail, equation), language=language)

    def text(
        self, *, only: Only = None, templates: Place = None, names: Names = None,
        detail: Text = None, equation: Text = None, width: int = 88, profile: Place = None,
        notation: Text = None, language: str = "en",
    ) -> str:
        """Unicode mathematics for a terminal of `width` columns; options as for `latex`."""
        self.verify()
        return pages.text_pages(
            self._pages, self._kept(only, equation), self._called(names, profile, notation),
            templates=templates, detail=depth(detail, equation), width=width, language=language)

    @property
    def _pages(self) -> tuple[blocks.Lemma, ...]:
        return *self.lemmas, self.program

    def _kept(self, only: Sequence[str] | None, equation: str | None) -> kept.Kept:
        return kept.kept(self._pages, self.system, only, equation)

    def _called(
        self, names: Mapping[str, str] | None, profile: str | Path | None, notation: str | None
    ) -> pages.Calling:
        given = names or {}
        check_names(self.system.name, pages.nameable(self._pages) if given else (), given)
        whole = called(self.system, None, profile, notation)
        return lambda system: part_called(system, whole, profile, given)

    def __repr__(self) -> str:
        names = ", ".join(m.block.name for m in self.lemmas)
        return (f"<BlockDerivation of {self.system.name}: lemmas {names}; "
                f"gradients of {', '.join(self.system.wrt)}>")


STRUCTURES = ("blocks", "flat")


@paused()
def derive(
    system: System, rule: str | RuleMaker | None = None, *, structure: str = "blocks"
) -> Derivation:
    """Every gradient of the system's loss, by one reverse sweep.

    The derivation keeps the shape of the program: calls of a helper (or of a function of
    `symprop.nn`) that are equal but for their names are one lemma, derived and printed once,
    whatever their number, and two functions of the module. Where there are such calls it is a
    `BlockDerivation`, else, and with `structure="flat"`, a `Derivation` without lemmas.

    `rule` departs from the gradient where a learning rule does: "feedback alignment" (fa),
    "direct feedback alignment" (dfa), "difference target propagation" (dtp), or what makes
    one, as in `functools.partial(difference_target_propagation, step=0.1)`. The derivation
    says where, and its system has what the rule needs as further inputs; it has no lemmas.

    Raises UnsupportedError for an operation without a derivative, and for a system that the
    rule does not fit; InputError for another structure.
    """
    if structure not in STRUCTURES:
        raise InputError(f'structure is "blocks" or "flat", not {structure!r}')
    if rule is not None:
        system, rule_made = apply_rule(system, rule)
        result = derived.derive(system, rule_made)
        return Derivation(result.system, result.adjoints)
    if structure == "blocks" and system.departure is None:
        found = blocks.derive_blocks(system)
        if found is not None:
            return BlockDerivation(found)
    result = derived.derive(system)
    return Derivation(result.system, result.adjoints)
