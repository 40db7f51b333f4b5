"""Feedback alignment and direct feedback alignment: fixed random arrays carry the error down.

In: a System. Out: the same System with the fixed arrays among its inputs, and the departures from
the chain rule that the sweep makes.

    gradient              ā[n,k] = Σ_j z̄[n,j] W[k,j]
    feedback alignment    ā[n,k] = Σ_j z̄[n,j] B[k,j]       Lillicrap et al. 2016
    direct                ā[n,k] = Σ_m ē[n,m] B[m,k]       Nøkland 2016; e: the output's z

The arrays are found by structure: see `layers.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from symprop.algebra.build import access, add, atom, idx, make_term, mul, paren, power, sum_over
from symprop.algebra.expr import Access, Expr, Index, Paren, Term, adjoint
from symprop.derive.sweep import Draft, letter
from symprop.errors import UnsupportedError
from symprop.rules.inputs import partner_name, with_input
from symprop.rules.layers import Layers, mentions
from symprop.system import LEARNING_RULES, Departure, System

FA = LEARNING_RULES["fa"]
DFA = LEARNING_RULES["dfa"]


@dataclass(frozen=True)
class FeedbackAlignment:
    """feedback[W] is the array that stands for the weight W; layers says where."""

    layers: Layers
    feedback: Mapping[str, str]

    def added(self, primal: str, number: int) -> Iterable[Draft]:
        """No equation is added."""
        return ()

    def depart(self, draft: Draft) -> None:
        """Puts B in the place of every W that carries this array onward."""
        if draft.primal not in self.layers.hidden:
            return
        terms: list[Term] = []
        for term in draft.rhs.terms:
            fixed = {
                w: self.feedback[w] for into, sources in self.layers.carried.items()
                if mentions(term, adjoint(into)) for w in sources.get(draft.primal, ())}
            terms.extend(_exchanged(term, fixed).terms)
        after = Expr(tuple(terms))
        if after == draft.rhs:
            raise UnsupportedError(
                f"{FA} cannot exchange the weights that carry {draft.primal}: they are no factors"
                " of its adjoint equation")
        draft.trail.depart(FA, after)


def _exchanged(term: Term, fixed: Mapping[str, str]) -> Expr:
    """The term with other arrays in some factors, or in the summands of a factor."""
    product = make_term(term.coef, {}, term.bound)
    for item, exponent in term.factors:
        if isinstance(item, Access) and item.array in fixed:
            factor = access(fixed[item.array], item.indices)
        elif isinstance(item, Paren):
            body = tuple(t for inner in item.body.terms for t in _exchanged(inner, fixed).terms)
            factor = paren(Expr(body))
        else:
            factor = atom(item)
        product = mul(product, power(factor, exponent))
    return product


def feedback_alignment(system: System) -> tuple[System, FeedbackAlignment]:
    """The system with a fixed array for every weight that carries a hidden array onward.

    Raises UnsupportedError where there is none.
    """
    layers = Layers(system)
    carriers = [w for into in layers.carried.values() for v, several in into.items()
                if v in layers.hidden for w in several]
    if not carriers:
        raise UnsupportedError(_no_hidden_layer(system, FA))
    feedback: dict[str, str] = {}
    wider = system
    for weight in dict.fromkeys(carriers):
        feedback[weight] = partner_name("B", weight, wider)
        wider = with_input(wider, feedback[weight], system.arrays[weight].shape)
    pairs = tuple((b, w) for w, b in feedback.items())
    departure = Departure(FA, feedback=pairs)
    return replace(wider, departure=departure), FeedbackAlignment(layers, feedback)


@dataclass(frozen=True)
class DirectFeedback:
    """feedback[V] carries the error of `output` to the hidden array V."""

    layers: Layers
    output: str
    feedback: Mapping[str, str]

    def added(self, primal: str, number: int) -> Iterable[Draft]:
        """No equation is added."""
        return ()

    def depart(self, draft: Draft) -> None:
        """Puts the output's error in the place of all that comes through weights."""
        if draft.primal not in self.feedback:
            return
        above = [adjoint(u) for u, into in self.layers.carried.items() if draft.primal in into]
        kept = tuple(t for t in draft.rhs.terms if not any(mentions(t, u) for u in above))
        draft.trail.depart(DFA, add(Expr(kept), self._carried(draft)))

    def _carried(self, draft: Draft) -> Expr:
        """Σ_m ē[n,m] B[m,k]: the examples' axes n are those of the array itself."""
        shared = self.layers.shared(self.output, draft.primal)
        shape = self.layers.system.arrays[self.output].shape
        at = [draft.indices[shared[k]] if k in shared else Index(letter(s), s)
              for k, s in enumerate(shape)]
        own = [i for k, i in enumerate(draft.indices) if k not in shared.values()]
        bound = [i for k, i in enumerate(at) if k not in shared]
        error = access(adjoint(self.output), tuple(map(idx, at)))
        matrix = access(self.feedback[draft.primal], tuple(map(idx, (*bound, *own))))
        return sum_over(mul(error, matrix), bound)


def direct_feedback_alignment(system: System) -> tuple[System, DirectFeedback]:
    """The system with a fixed array from the output to every hidden array that weights carry on.

    Raises UnsupportedError for a recurrence, for several outputs and where nothing is hidden.
    """
    layers = Layers(system)
    output = output_of(layers, DFA)
    if not layers.hidden:
        raise UnsupportedError(_no_hidden_layer(system, DFA))
    wider, feedback = system, dict[str, str]()
    for array in layers.hidden:
        shared = layers.shared(output, array)
        above = [s for k, s in enumerate(system.arrays[output].shape) if k not in shared]
        own = [s for k, s in enumerate(system.arrays[array].shape) if k not in shared.values()]
        feedback[array] = partner_name("B", array, wider)
        wider = with_input(wider, feedback[array], (*above, *own))
    departure = Departure(DFA, feedback=tuple((b, "") for b in feedback.values()))
    return replace(wider, departure=departure), DirectFeedback(layers, output, feedback)


def output_of(layers: Layers, rule: str) -> str:
    """The array of the last layer; UnsupportedError for recurrences and for several outputs."""
    name = layers.system.name
    if layers.recurrent:
        raise UnsupportedError(recurrent(layers, rule))
    last = [u for u in layers.carried if not layers.reaches(u) & layers.carried.keys()]
    if len(last) > 1:
        raise UnsupportedError(
            f"{rule} needs one output, but {name} ends in the layers {', '.join(last)}")
    if not last:
        raise UnsupportedError(_no_hidden_layer(layers.system, rule))
    return last[0]


def recurrent(layers: Layers, rule: str) -> str:
    """What is said of a system in which arrays depend on themselves."""
    some = ", ".join(layers.recurrent[:3]) + (", ..." if len(layers.recurrent) > 3 else "")
    return f"{rule} is not defined for the recurrence of {some} in {layers.system.name}"


def _no_hidden_layer(system: System, rule: str) -> str:
    return (f"{rule} has nothing to do in {system.name}: no parameter carries an array that"
            " itself depends on parameters, so that the gradient is all there is")
