"""The rules of a derivation in words, as data.

In: the rule of a `Step`. Out: the name that is printed beside the step, and a sentence that
says why the step holds. A rule that has no row prints as it is called.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Rule:
    """How a rule is called in print, and one sentence on it."""

    label: str
    sentence: str


RULES: dict[str, Rule] = {
    "recognise": Rule(
        "recognised",
        "What the program writes out is a function that has a name: both are the same on every"
        " interval between two corners, and have the same derivative at each.",
    ),
    "name": Rule(
        "by name",
        "What the equation computes is a function that has a name; it stays in its parts, which"
        " the gradient reads.",
    ),
    "chain rule": Rule(
        "chain rule",
        "The loss depends on an array through every equation that reads it: multiply each such"
        " equation's adjoint by its local derivative and add over all of its entries.",
    ),
    "local derivative": Rule(
        "local derivative",
        "The definition is differentiated with respect to one entry; an entry depends on itself"
        " alone, so that a Kronecker delta appears.",
    ),
    "sifting": Rule(
        "sifting",
        "A Kronecker delta under a sum keeps the one summand in which both indices agree.",
    ),
    "constant summand": Rule(
        "constant summand",
        "What does not depend on the index of a sum is added as often as the index has values.",
    ),
    "kept value": Rule(
        "kept value", "A function value that the forward pass has computed is used by its name."
    ),
    "expand": Rule("expand", "A name is replaced by what its equation defines."),
    "multiply out": Rule("multiply out", "A product of sums is written as a sum of products."),
    "symmetry": Rule(
        "symmetry", "A symmetric array has the same entries on both sides of its diagonal."),
    "collect": Rule("collect", "Equal terms are added up."),
    "cancel": Rule("cancel", "Equal factors, or equal terms of opposite sign, drop out."),
    "fold": Rule("fold", "What equals the right-hand side of an equation is called by its name."),
    "divide": Rule(
        "divide",
        "A product is divided by a definition with remainder: with s = 1 + e, e/s is 1 - 1/s.",
    ),
    "turn round": Rule(
        "turn round",
        "A definition is read the other way round: with a = (1 + t)/2, t is 2 a - 1.",
    ),
    "mirror": Rule(
        "mirror", "A function at the negative argument is known from its value at the argument."
    ),
    "factor": Rule("factor", "A common factor is taken out of the sum."),
    "insert": Rule("insert", "An adjoint is replaced by its own equation."),
    "feedback alignment": Rule(
        "feedback alignment",
        "Not an equality: a fixed random array carries the error down in the place of the weight.",
    ),
    "direct feedback alignment": Rule(
        "direct feedback alignment",
        "Not an equality: a fixed random array carries the error of the output to this layer in"
        " the place of all that weights carry down from the layers above.",
    ),
    "difference target propagation": Rule(
        "difference target propagation",
        "Not an equality: the distance of the layer from its target, which a learned inverse"
        " carries down, takes the place of the adjoint.",
    ),
    "target": Rule("target", "Where the layer should move: against what stands for its adjoint."),
    "carried target": Rule("inverse", "What the layer's learned inverse makes of its target."),
    "cofactors": Rule(
        "cofactors",
        "An expansion of det A along one row is 0 with the cofactors of another, as of a matrix"
        " with two equal rows; so that by A X = 1 the cofactor of A[p,q] is det A X[q,p]."),
    "zero": Rule("zero", "Everything cancels: the adjoint is exactly zero."),
}


def rule(name: str) -> Rule:
    """The row of a rule; an unknown rule is its own label and has no sentence.

    >>> rule("sifting").label, rule("settle").sentence
    ('sifting', '')
    """
    return RULES.get(name) or Rule(name, "")


@dataclass(frozen=True)
class Convention:
    """A sentence on notation, printed where the notation occurs: in LaTeX, and in text."""

    latex: str
    text: str


CONVENTIONS: dict[str, Convention] = {
    "adjoint": Convention(
        r"$\bar{V} = \partial L / \partial V$ is the adjoint of $V$, of the shape of $V$.",
        "V\u0304 = ∂L/∂V is the adjoint of V, of the shape of V.",
    ),
    "sum": Convention(
        "A sum sign reaches to the next plus or minus sign.",
        "A sum sign Σ reaches to the next plus or minus sign.",
    ),
    "system": Convention(
        "An equation $A X = B$ that gives $X$ is differentiated as $X = X + B - A X$.",
        "An equation A X = B that gives X is differentiated as X = X + B - A X.",
    ),
    "delta": Convention(r"$\delta_{i,j}$ is 1 where $i = j$, and 0 elsewhere.", ""),
    "bracket": Convention(
        r"$[\,\ldots\,]$ around a condition is 1 where it holds, and 0 elsewhere; what it"
        " multiplies by 0 counts as 0, even where that is infinite.",
        "[...] around a condition is 1 where it holds, and 0 elsewhere; what it multiplies by"
        " 0 counts as 0, even where that is infinite.",
    ),
    "determinant": Convention(
        r"$\operatorname{cof}_{p,q}$ is what the entry $p, q$ of a matrix is multiplied by where"
        " its determinant is expanded along row $p$: it is free of that row, so that it is the"
        " derivative by the entry.",
        "cof_pq is what the entry p, q of a matrix is multiplied by where its determinant is"
        " expanded along row p: it is free of that row, so that it is the derivative by the"
        " entry.",
    ),
    "vector": Convention("In matrix notation every vector is a column.",
                         "In matrix notation every vector is a column."),
    "slice": Convention("$V_l$ is what is left of $V$ when its first index is $l$.",
                        "V[l] is what is left of V when its first index is l."),
    "ones": Convention(r"$\mathbf{1}_{N}$ is the column of $N$ ones.",
                       "1_N is the column of N ones."),
    "diag": Convention(
        r"$\operatorname{diag}(v)$ is the diagonal matrix of the vector $v$.",
        "diag(v) is the diagonal matrix of the vector v.",
    ),
    "entries": Convention(
        r"$\odot$ multiplies entry by entry. A function of a matrix, and a number added to one,"
        " act on every entry.",
        "⊙ multiplies entry by entry. A function of a matrix, and a number added to one, act on"
        " every entry.",
    ),
    "onehot": Convention(
        r"$\operatorname{onehot}(y)$ has in row $n$ a 1 at the position $y_n$, and 0 elsewhere.",
        "onehot(y) has in row n a 1 at the position y[n], and 0 elsewhere.",
    ),
    "norm": Convention(
        r"$\lVert A \rVert^2$ is the sum of the squares of all entries.",
        "‖A‖² is the sum of the squares of all entries.",
    ),
    "power": Convention(r"$A^{\circ p}$ raises every entry of $A$ to the power $p$.",
                        "A^∘(p) raises every entry of A to the power p."),
    "likewise": Convention(
        "What is put into a line that is likewise is likewise too, and left out.",
        "What is put into a line that is likewise is likewise too, and left out.",
    ),
}
