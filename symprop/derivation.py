"""What `symprop.derive` hands to the user: the derivation with its printers.

In: the adjoint equations of `derive/`. Out: the same data, with gradients as SymPy
expressions, and LaTeX, Markdown and terminal text. Nothing is printed before every step
has been verified (once, remembered).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from symprop import blocks
from symprop.derive.notes import notes
from symprop.emit import beamer, latex, markdown, text
from symprop.emit.costs import Cost, cost
from symprop.emit.figure import Picture, figure
from symprop.emit.gradient import Gradient, gradient_of
from symprop.emit.profile.apply import as_written, called
from symprop.emit.words import words
from symprop.emit.worked import stepped
from symprop.emit.worked_pages import worked_page
from symprop.errors import InputError
from symprop.interpret.evaluation import Evaluation, evaluation
from symprop.interpret.explicit import Explicit, explicit
from symprop.interpret.given import given_sizes
from symprop.lower.count import backward_operations
from symprop.lower.program import Program, lower
from symprop.system import Adjoint, Step, System
from symprop.verify import Exact, exact, verify

Only = Sequence[str] | None
Names = Mapping[str, str] | None
Place = str | Path | None
Text = str | None


@dataclass(frozen=True)
class Derivation:
    """The derivation of every gradient of a system.

    >>> import numpy as np, symprop
    >>> def loss(x: "N", w: ""):
    ...     return np.mean(w * x)
    >>> derivation = symprop.derive(symprop.trace(loss, wrt=["w"]))
    >>> [step.rule for step in derivation.steps][:2]
    ['chain rule', 'local derivative']
    """

    system: System
    adjoints: tuple[Adjoint, ...]

    @property
    def lemmas(self) -> tuple[blocks.Lemma, ...]:
        """The blocks that the program repeats: none, in the flat form."""
        return ()

    @property
    def flat(self) -> Derivation:
        """The same derivation without lemmas: this one."""
        return self

    @cached_property
    def lowered(self) -> Program:
        """The derivation as whole-tensor operations, which count, cost and code are made of."""
        return lower(self.system, self.adjoints)

    @cached_property
    def gradients(self) -> Mapping[str, Gradient]:
        """Name of a wrt array -> its gradient as a SymPy equation."""
        by_primal = {a.primal: a for a in self.adjoints if a.role == "adjoint"}
        return {name: gradient_of(by_primal[name], self.system) for name in self.system.wrt}

    @cached_property
    def steps(self) -> tuple[Step, ...]:
        """All steps in printed order: equation, rule, before, after, reason."""
        return (*self.system.recognised, *(s for a in self.adjoints for s in a.steps))

    @cached_property
    def notes(self) -> tuple[str, ...]:
        """The facts that, stated, would make an equation shorter."""
        return tuple(words()("note.sums_to_one", **vars(n))
                     for n in notes(self.system, self.adjoints))

    def verify(self) -> None:
        """Evaluates every step on random small tensors; raises VerificationError."""
        if "_verified" not in self.__dict__:
            verify(self)
            self.__dict__["_verified"] = True

    @cached_property
    def exact(self) -> Exact:
        """How many steps hold exactly, as identities of rational functions over a prime field.

        Raises VerificationError for one that is rational and does not.

        >>> import numpy as np, symprop
        >>> def loss(x: "N", w: ""):
        ...     return np.mean(w * x)
        >>> print(symprop.derive(symprop.trace(loss)).exact.held)
        8
        """
        return exact(self)

    def latex(
        self, *, standalone: bool = False, only: Only = None, templates: Place = None,
        names: Names = None, detail: Text = None, equation: Text = None, labels: Text = None,
        width: float | None = None, profile: Place = None, notation: Text = None,
        language: str = "en",
    ) -> str:
        r"""A fragment for \input (amsmath), or a document with `standalone`.

        `only` keeps what the named gradients depend on, with the numbers unchanged; `equation`
        keeps one equation with its steps, as in `equation="B13"`. `detail` is "normal" (what one
        writes on a board: the chain rule and what comes of it), "full" (every step) or "brief"
        (all that is computed, in one box); one `equation` is printed in full.
        `templates` is a folder whose templates take precedence. `names` says in LaTeX what an
        array is called, as in `names={"W1": r"W^{(1)}", "sigma2": r"\sigma^2"}`. `labels="mlp"`
        gives (B5) the label sp:mlp:B5 and makes every mention of it an \eqref. `width` is that of a
        line in points: 345 in an article, 229 in one of two columns. `profile` writes as a
        book does: "nielsen", "goodfellow", "ng", "cs231n", "d2l", or a TOML file of yours;
        `notation` is "both", "index" or "matrix". `language` is "en", or "zh": in Chinese, by ctex
        and XeLaTeX. Raises InputError for a name that has no gradient, or that no array has.
        """
        self.verify()
        return latex.latex(self, standalone=standalone, only=only, templates=templates,
                           names=called(self.system, names, profile, notation), detail=detail,
                           equation=equation, labels=labels, room=width, language=language)

    def beamer(
        self, *, only: Only = None, templates: Place = None, names: Names = None,
        detail: str = "full", equation: Text = None, profile: Place = None, notation: Text = None,
        language: str = "en",
    ) -> str:
        """Slides: a document of the LaTeX class beamer, options as for `latex`.

        Each adjoint equation has a frame, and each of its steps an overlay.
        """
        self.flat.verify()
        return beamer.beamer(self.flat, only=only, templates=templates, detail=detail,
                             equation=equation, names=called(self.system, names, profile, notation),
                             language=language)

    def markdown(
        self, *, only: Only = None, templates: Place = None, names: Names = None,
        detail: Text = None, equation: Text = None, profile: Place = None, notation: Text = None,
        language: str = "en",
    ) -> str:
        """Markdown with one KaTeX block for each equation; options as for `latex`."""
        self.verify()
        return markdown.markdown(self, only=only, templates=templates, detail=detail,
                                 names=called(self.system, names, profile, notation),
                                 equation=equation, language=language)

    def text(
        self, *, only: Only = None, templates: Place = None, names: Names = None,
        detail: Text = None, equation: Text = None, width: int = 88, profile: Place = None,
        notation: Text = None, language: str = "en",
    ) -> str:
        """Unicode mathematics for a terminal of `width` columns, at least 80.

        Other options are those of `latex`; `names` may be in LaTeX or in Unicode.
        """
        self.verify()
        return text.text(self, only=only, templates=templates, detail=detail, equation=equation,
                         names=called(self.system, names, profile, notation), width=width,
                         language=language)

    def _repr_markdown_(self) -> str:
        """What a notebook shows of it: the backward pass in one table."""
        return self.markdown(detail="brief")

    def __repr__(self) -> str:
        return (f"<Derivation of {self.system.name}: {len(self.system.equations)} equations, "
                f"{len(self.adjoints)} adjoints, gradients of {', '.join(self.system.wrt)}>")

    def evaluate(self, inputs: Mapping[str, Any]) -> Evaluation:
        """Every forward value and every adjoint on the given inputs, by name.

        `inputs` are arrays by argument, nested as the argument is, or by leaf. Raises InputError
        for inputs that are missing, of the wrong shape or kind, or not what a fact says.

        >>> import numpy as np, symprop
        >>> def loss(x: "N", w: ""):
        ...     return np.sum(np.tanh(w * x))
        >>> derivation = symprop.derive(symprop.trace(loss, wrt=["w"]))
        >>> found = derivation.evaluate({"x": [0.0, 1.0], "w": 0.5})
        >>> found.values["tanh_z"].round(3), found.adjoints["w"].round(3)
        (array([0.   , 0.462]), array(0.786))
        """
        return evaluation(self.system, self.adjoints, inputs)

    def worked_example(
        self, inputs: Mapping[str, Any], *, step: float = 0.5, precision: int = 9,
        format: str = "text", standalone: bool = False, templates: Place = None,
        names: Names = None, profile: Place = None, language: str = "en",
    ) -> str:
        """The derivation in numbers: each equation, its numbers put in, and what comes out.

        At the end stand the parameters after one `step` against their gradients (all of which
        are worked out before any parameter changes), and the loss before and after. `format` is
        "text", "markdown" or "latex"; `precision` is the number of decimals. Of a `profile` there
        are the symbols and the left-hand sides; arrays lie as in the program. Raises InputError as
        `evaluate` does.
        """
        self.flat.verify()
        if not isinstance(precision, int) or not 1 <= precision <= 15:
            raise InputError(f"precision must be a whole number from 1 to 15, not {precision!r}")
        before = self.evaluate(inputs)
        inside = [n for n, a in self.system.arrays.items() if a.kind == "input"]
        moved = stepped(before.arrays, before.gradients, self.system.wrt, step)
        after = self.evaluate({name: moved[name] for name in inside})
        return worked_page(self.flat, before, after, step=step, precision=precision, form=format,
                           standalone=standalone, templates=templates,
                           names=as_written(self.system, names, profile), language=language)

    def explicit(self, sizes: Mapping[str, int]) -> Explicit:
        """The loss and every gradient as plain SymPy expressions in scalar symbols.

        `sizes` gives every named axis, as in `{"N": 1, "K": 2}`; the smaller, the shorter is what
        comes out. `loss` and the entries of `gradients` are made of nothing but SymPy's own
        classes. Raises InputError where the sizes are not those of the system, and where more
        than some thousand entries would be written out.

        >>> import numpy as np, symprop
        >>> def loss(x: "N", w: ""):
        ...     return np.sum(np.tanh(w * x))
        >>> found = symprop.derive(symprop.trace(loss, wrt=["w"])).explicit({"N": 2})
        >>> found.loss
        tanh(w*x_0) + tanh(w*x_1)
        >>> found.gradients["w"]
        x_0*(1 - tanh(w*x_0)**2) + x_1*(1 - tanh(w*x_1)**2)
        >>> found.loss.diff(found.symbols["w"]) - found.gradients["w"]
        0
        """
        return explicit(self.system, self.adjoints, sizes)

    def figure(
        self, kind: str = "forward", format: str = "svg", *, names: Names = None,
        profile: Place = None, language: str = "en",
    ) -> Picture:
        """A picture of how values flow forward, adjoints back, or of the training loop.

        `kind` is "forward", "backward" or "training"; `format` is "svg", "tikz" (needs the LaTeX
        package tikz), "mermaid" or "dot". A call of a helper is one box, and equal calls one after
        the other are one box with their number. `names` and `profile` are those of `latex`, but
        arrays lie as in the program. The text is a `str`, which a notebook shows as the picture.
        Raises InputError for another kind or format.

        >>> import numpy as np, symprop
        >>> def loss(x: "N", w: ""):
        ...     return np.sum(np.tanh(w * x))
        >>> derivation = symprop.derive(symprop.trace(loss, wrt=["w"]))
        >>> print(derivation.figure(format="mermaid").splitlines()[1])
          n1(["x<br/>N"]):::input
        """
        return figure(self.flat, kind, format, as_written(self.system, names, profile), language)

    def cost(
        self, sizes: Mapping[str, int] | None = None, dtype: str = "float64", language: str = "en",
    ) -> Cost:
        """What forward and backward cost: operations, bytes moved and kept, peak memory.

        `sizes` gives named axes, each 64 where it is left out; `dtype` is "float64" or "float32".
        `print` shows it as tables, in all and equation by equation; so does a notebook. Raises
        InputError for sizes that the system does not allow.

        >>> import numpy as np, symprop
        >>> def loss(X: "N K", w: "K"):
        ...     return np.sum(np.tanh(X @ w))
        >>> cost = symprop.derive(symprop.trace(loss, wrt=["w"])).cost({"N": 100, "K": 20})
        >>> cost
        <Cost of loss: 5,100 operations forward, 4,220 backward>
        >>> round(cost.ratio, 2), cost.kept
        (0.83, (('tanh_z', 800),))
        """
        return cost(self.flat.lowered, sizes, dtype, language)

    def operations(self, sizes: Mapping[str, int]) -> Mapping[str, int]:
        """How many operations the backward pass takes, by equation, for axes of these sizes.

        An elementwise operation counts 1 for each entry, a sum 1 for each entry that goes in,
        a matrix product 2 for each multiplication; `symprop.lower.count` has all the rules.
        Raises InputError where the sizes are not those of the system.

        >>> import numpy as np, symprop
        >>> def loss(X: "N K", w: "K"):
        ...     return np.sum(np.tanh(X @ w))
        >>> derivation = symprop.derive(symprop.trace(loss, wrt=["w"]))
        >>> derivation.operations({"N": 10, "K": 3})
        {'B4': 83}
        """
        known = given_sizes(self.system, sizes)
        return backward_operations(self.lowered, known)
