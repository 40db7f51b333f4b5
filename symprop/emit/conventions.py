"""Which notation a derivation uses, so that only that is explained.

In: the expressions and matrix forms that are printed. Out: the sentences of
the language's conventions that apply, in their order.
"""

from __future__ import annotations

from collections.abc import Sequence

from symprop.algebra.expansion import cofactor_of
from symprop.algebra.expr import Expr, Iverson, Paren, Partial, atoms
from symprop.derive.matrix_nodes import (
    Bracket,
    Diag,
    Fill,
    Hadamard,
    Map,
    MatrixForm,
    OneHot,
    Ones,
    Power,
    Slice,
    SquaredNorm,
    nodes,
)
from symprop.emit.words import Words

_KINDS: dict[type[MatrixForm], str] = {
    Ones: "ones", Diag: "diag", Hadamard: "entries", Map: "entries", Fill: "entries",
    Bracket: "bracket", OneHot: "onehot", SquaredNorm: "norm", Power: "power", Slice: "slice",
}


class Seen:
    """The kinds of notation that occurred."""

    def __init__(self, told: Sequence[str] = (), loss: str = "") -> None:
        self.kinds = {"adjoint"}
        self.loss = loss  # where its adjoints are written as derivatives
        self.told = told  # what another sentence of the page says

    def expr(self, expr: Expr) -> None:
        """Notes what an expression uses."""
        self._sums(expr)
        for atom in atoms(expr):
            if isinstance(atom, Paren):
                self._sums(atom.body)
            elif isinstance(atom, Partial):
                if len(expr.terms) > 1 and atom.numerator.array == self.loss:
                    self.kinds.add("direct")
            elif cofactor_of(atom) is not None:
                self.kinds.add("determinant")
            elif isinstance(atom, Iverson):
                plain = atom.lhs.single_index and atom.rhs.single_index
                self.kinds.add("delta" if plain and atom.relation == "==" else "bracket")

    def _sums(self, expr: Expr) -> None:
        if any(t.bound for t in expr.terms):
            self.kinds.add("sum")

    def form(self, form: MatrixForm) -> None:
        """Notes what a matrix form uses."""
        self.kinds.add("vector")
        inside_diag = {id(n.of) for n in nodes(form) if isinstance(n, Diag)}
        for node in nodes(form):
            for kind, name in _KINDS.items():
                if isinstance(node, kind) and (kind is not Power or id(node) not in inside_diag):
                    self.kinds.add(name)

    def sentences(self, words: Words, flavour: str) -> tuple[str, ...]:
        """The sentences that apply; flavour is "latex" or "text"."""
        wanted = self.kinds.difference(self.told)
        said = (words(f"convention.{kind}.{flavour}") for kind in words.under("convention")
                if kind in wanted)
        return tuple(filter(None, said))
