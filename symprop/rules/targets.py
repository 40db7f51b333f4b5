"""Difference target propagation: a target for every hidden layer, carried down by learned inverses.

In: a System whose hidden arrays h_1, h_2, ... form a chain. Out: the System with an inverse for
every layer between two of them, and the departures that the sweep makes, for a step s:

    target      t_l = h_l - s N h̄_l                     of the last, h̄_l is the gradient
    inverse     g_l(h) = φ(h C_l + c_l)                  C_l and c_l are trained
    departure   h̄_l-1 = (g_l(h_l) - g_l(t_l)) / (s N)

so that t_l-1 = h_l-1 - g_l(h_l) + g_l(t_l), as Lee, Zhang, Fischer and Bengio write it (2015). Each
parameter then descends |h_l - t_l|² / (2 s N) of its own layer; N counts the examples. An inverse
descends a loss of its own, |g_l(h_l) - h_l-1|² / (2 N), whose gradient is derived as any other.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise

from symprop.algebra import rows
from symprop.algebra.build import (
    access,
    add,
    apply,
    idx,
    mul,
    number,
    paren,
    power,
    sub,
    sum_over,
)
from symprop.algebra.expr import Expr, Index, adjoint
from symprop.derive.simplify import Trail
from symprop.derive.sweep import Draft, letter
from symprop.errors import InputError, UnsupportedError
from symprop.names import LONGEST, unused
from symprop.rules.alignment import recurrent
from symprop.rules.inputs import partner_name, with_input
from symprop.rules.layers import Layers
from symprop.system import LEARNING_RULES, Array, Departure, Equation, Step, System

DTP = LEARNING_RULES["dtp"]


@dataclass(frozen=True)
class Inverse:
    """The names of what leads from the array `upper` back to the array `lower`."""

    lower: str
    upper: str
    weight: str
    bias: str
    rebuilt: str
    loss: str
    target: str
    carried: str

    @property
    def rebuilt_in(self) -> str:
        """What the scalar function is applied to."""
        return self.rebuilt + "_in"


@dataclass(frozen=True)
class DifferenceTargets:
    """The inverses by the array below, the function φ, the step s."""

    layers: Layers
    inverses: Mapping[str, Inverse]
    function: str
    step: Fraction

    def added(self, primal: str, count: int) -> Iterable[Draft]:
        """Before an adjoint: the target of the array above, and the inverse's input there."""
        inverse = self.inverses.get(primal)
        if inverse is None:
            return
        at = places(self.layers.system, inverse.upper)
        there = tuple(map(idx, at))
        moved = mul(number(-self.step), self._examples(inverse, 1),
                    access(adjoint(inverse.upper), there))
        target = add(access(inverse.upper, there), moved)
        yield _added(f"B{count}", inverse.target, inverse.upper, at, target, "target")
        below = places(self.layers.system, primal)
        yield _added(f"B{count + 1}", inverse.carried, primal, below,
                     self.linear(inverse, inverse.target, below), "carried target")

    def depart(self, draft: Draft) -> None:
        """Puts the distance from the target in the place of the adjoint."""
        inverse = self.inverses.get(draft.primal)
        if inverse is None:
            return
        here = tuple(map(idx, draft.indices))
        wanted = self.phi(access(inverse.carried, here))
        distance = paren(sub(access(inverse.rebuilt, here), wanted))
        scale = mul(number(1 / self.step), self._examples(inverse, -1))
        draft.trail.depart(DTP, mul(scale, distance))
        draft.fixed = True

    def phi(self, value: Expr) -> Expr:
        """The scalar function of an inverse."""
        return apply(self.function, value) if self.function else value

    def linear(self, inverse: Inverse, array: str, below: tuple[Index, ...]) -> Expr:
        """Σ_h array[n,h] C[h,k] + c[k] at the indices of the array below."""
        shared = self.layers.shared(inverse.upper, inverse.lower)
        shape = self.layers.system.arrays[inverse.upper].shape
        above = [below[shared[k]] if k in shared else Index(letter(s), s)
                 for k, s in enumerate(shape)]
        bound = [i for k, i in enumerate(above) if k not in shared]
        own = tuple(idx(i) for k, i in enumerate(below) if k not in shared.values())
        matrix = access(inverse.weight, (*map(idx, bound), *own))
        product = mul(access(array, tuple(map(idx, above))), matrix)
        return add(sum_over(product, bound), access(inverse.bias, own))

    def _examples(self, inverse: Inverse, exponent: int) -> Expr:
        """How many examples there are, to a power: the product of the shared axes."""
        shape = self.layers.system.arrays[inverse.upper].shape
        shared = self.layers.shared(inverse.upper, inverse.lower)
        return mul(number(1), *(power(shape[k], exponent) for k in shared))

    def equations(self, inverse: Inverse, count: int) -> tuple[Equation, ...]:
        """The array below as its inverse rebuilds it, and how far that is off."""
        below = places(self.layers.system, inverse.lower)
        inside = Equation(f"F{count + 1}", inverse.rebuilt_in, below,
                          self.linear(inverse, inverse.upper, below))
        here = places(self.layers.system, inverse.lower)
        at = tuple(map(idx, here))
        value = Equation(f"F{count + 2}", inverse.rebuilt, here,
                         self.phi(access(inverse.rebuilt_in, at)))
        every = places(self.layers.system, inverse.lower)
        at = tuple(map(idx, every))
        error = paren(sub(access(inverse.rebuilt, at), access(inverse.lower, at)))
        half = mul(number(Fraction(1, 2)), self._examples(inverse, -1), power(error, 2))
        return inside, value, Equation(f"F{count + 3}", inverse.loss, (), sum_over(half, every))


def difference_target_propagation(
    system: System, step: float = 1.0, inverse: str = "tanh"
) -> tuple[System, DifferenceTargets]:
    """The system with an inverse for every layer that has a hidden layer below it.

    `step` is s above; `inverse` the scalar function φ, "" for none. Raises InputError for a step
    or function that is none, UnsupportedError where the hidden arrays are no chain of two or more.
    """
    if not step > 0:
        raise InputError(f"the step of {DTP} must be a number above 0, not {step!r}")
    row = rows.registry().rows.get(inverse)
    if inverse and (row is None or row.arity != 1):
        raise InputError(f"{inverse!r} is no scalar function of one argument")
    layers = Layers(system)
    chain = chain_of(layers)
    wider, inverses = system, dict[str, Inverse]()
    for lower, upper in pairwise(chain):
        wider, inverses[lower] = _with_inverse(wider, layers, lower, upper)
    rule = DifferenceTargets(layers, inverses, inverse, Fraction(repr(float(step))))
    for found in inverses.values():
        made = rule.equations(found, len(wider.equations))
        wider = replace(wider, equations=(*wider.equations, *made))
    detached = {(i.rebuilt_in, i.upper) for i in inverses.values()}
    detached |= {(i.loss, i.lower) for i in inverses.values()}
    losses = tuple(i.loss for i in inverses.values())
    shown = wider.output_shapes or tuple(system.arrays[a].shape for _, a in system.outputs)
    return replace(
        wider,
        outputs=(*wider.outputs, *((name, name) for name in losses)),
        output_shapes=(*shown, *(() for _ in losses)),
        departure=Departure(DTP, losses=losses, detached=frozenset(detached)),
    ), rule


def chain_of(layers: Layers) -> tuple[str, ...]:
    """The hidden arrays, each of which reaches the loss through the next alone."""
    system, chain = layers.system, layers.hidden
    if layers.recurrent:
        raise UnsupportedError(recurrent(layers, DTP))
    for lower, upper in pairwise(chain):
        if system.loss in layers.reaches(lower, without=upper):
            raise UnsupportedError(f"{DTP} needs a chain of layers, but in {system.name} {lower}"
                                   f" reaches the loss beside {upper}")
    if len(chain) < 2:
        raise UnsupportedError(f"{DTP} has nothing to do in {system.name}: it departs from the"
                               " gradient below the last hidden layer, and there is none")
    return chain


def _with_inverse(
    system: System, layers: Layers, lower: str, upper: str
) -> tuple[System, Inverse]:
    """The system with the parameters and the arrays of one inverse."""
    shared = layers.shared(upper, lower)
    above = [s for k, s in enumerate(layers.system.arrays[upper].shape) if k not in shared]
    own = [s for k, s in enumerate(layers.system.arrays[lower].shape) if k not in shared.values()]
    weight = partner_name("C", upper, system)
    system = with_input(system, weight, (*above, *own), trained=True)
    bias = partner_name("c", upper, system)
    system = with_input(system, bias, own, trained=True)
    names = [_free(system, f"{lower}_rebuilt"), _free(system, f"{lower}_error"),
             _free(system, f"{upper}_target"), _free(system, f"{lower}_wanted_in")]
    inverse = Inverse(lower, upper, weight, bias, *names)
    shapes = {inverse.rebuilt_in: lower, inverse.rebuilt: lower, inverse.target: upper,
              inverse.carried: lower}
    made = {n: Array(n, "float", system.arrays[a].shape, "computed") for n, a in shapes.items()}
    made[inverse.loss] = Array(inverse.loss, "float", (), "computed")
    return replace(system, arrays={**system.arrays, **made}), inverse


def _free(system: System, name: str) -> str:
    taken = {*system.arrays, *(a.name for a in system.arguments), *system.sizes}
    return unused(name[:LONGEST - 3], taken)


def places(system: System, array: str) -> tuple[Index, ...]:
    """New indices for the axes of an array."""
    return tuple(Index(letter(s), s) for s in system.arrays[array].shape)


def _added(
    number: str, array: str, primal: str, indices: tuple[Index, ...], rhs: Expr, role: str
) -> Draft:
    """An equation beside the adjoints, with its one line."""
    itself = access(array, tuple(map(idx, indices)))
    trail = Trail(number, rhs, [Step(number, role, itself, rhs)])
    return Draft(number, primal, indices, trail, (), role=role, name=array, fixed=True)
