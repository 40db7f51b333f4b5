"""Uses of equal blocks in a row are loops, and a line with the index l is every turn's line."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest
from block_networks import (
    by_blocks,
    in_turn,
    inline,
    pair,
    residual,
    steps,
    three_blocks,
    unrolled,
    widths,
)

import symprop
from symprop.algebra.build import iverson, map_accesses, number, substitute
from symprop.algebra.canonical import normal
from symprop.algebra.expr import ADJOINT, Access, Expr, Iverson, Term, adjoint
from symprop.algebra.renaming import Numbering
from symprop.blocks import Pull, outline
from symprop.blocks.stacks import Stacks
from symprop.emit.stacked import stacked
from symprop.system import Adjoint, System


@pytest.mark.parametrize("make, name, turns, carried, lists, shared", [
    (three_blocks, "block", 3, ["x"], ["g", "b", "W", "c", "d", "V"], []),
    (three_blocks, "head", 2, [], ["q", "k", "v"], []),
    (widths, "dense", 3, ["x"], ["W", "b"], []),
    (inline, "layer", 3, ["x"], ["W", "b", "g"], []),
    (unrolled, "step", 3, ["h"], ["x"], ["W"]),
    (in_turn, "one other", 3, ["x", "x"], ["w", "w"], []),
], ids=["blocks", "heads", "layers", "no helper", "steps", "two in turn"])
def test_equal_blocks_in_a_row_are_a_loop(
    make: Callable[[], System], name: str, turns: int, carried: list[str], lists: list[str],
    shared: list[str],
) -> None:
    derivation = by_blocks(make)
    own = [(run, lemma) for lemma in (*derivation.lemmas, derivation.program)
           for run in lemma.block.runs if run.turns[0][0].block.name.startswith(name.split()[0])]
    ((run, lemma),) = own
    assert len(run.turns) == turns and {u.number for u in run.uses} == {run.number}
    ports = [use.block.ports for use in run.turns[0]]
    assert len(run.turns[0]) == len(name.split())

    def named(use: int, port: int) -> str:
        return ports[use][port].removeprefix("p_")

    assert [named(c.use, c.port) for c in run.carried] == carried
    assert {named(x.use, x.port) for x in run.lists} == set(lists)
    assert [named(*at) for at in run.shared] == shared
    pulls = [p for p in lemma.backward if isinstance(p, Pull) and p.run is run]
    assert len(pulls) == 1 and pulls[0].uses == run.uses
    derivation.verify()


def test_lines_come_after_what_they_read() -> None:
    """Both ways, and no number is used twice; what a run waits for stands before it."""
    for make in (three_blocks, unrolled, in_turn, steps, residual):
        derivation = by_blocks(make)
        for lemma in (*derivation.lemmas, derivation.program):
            numbers = [line.number for line in lemma.backward]
            assert numbers == [f"B{k}" for k in range(1, len(numbers) + 1)]
            within = {adjoint(a) for line in lemma.backward if isinstance(line, Pull) and line.run
                      for gives in line.gives for a in gives}
            makers = [{line.array} if isinstance(line, Adjoint)
                      else {adjoint(a) for g in line.gives for a in g} for line in lemma.backward]
            for k, line in enumerate(lemma.backward):
                reads = set(line.reads) if isinstance(line, Adjoint) else {
                    adjoint(a) for t in line.takes for a in t}
                assert reads.isdisjoint(set().union(*makers[k:]) - within - makers[k])


def test_two_calls_in_one_expression_are_no_loop() -> None:
    assert not outline(symprop.trace(pair())).runs


@pytest.mark.parametrize("make", [three_blocks, unrolled, in_turn, steps])
def test_what_is_printed_of_a_run_is_each_of_its_turns(make: Callable[[], System]) -> None:
    """An equation with the index l is, at every turn, the one that was derived and verified."""
    for lemma in (lambda d: (*d.lemmas, d.program))(by_blocks(make)):
        shown = stacked(lemma)
        names = {place: array for array, place in shown.stacks.places.items()}
        for kind in ("equations", "adjoints"):
            derived = {(e.number, e.array): e for e in getattr(
                lemma.derivation.system if kind == "equations" else lemma.derivation, kind)}
            for e in getattr(shown.system if kind == "equations" else shown, kind):
                for one in unfolded(e, shown.stacks, names):
                    own = derived.pop((e.number, one.array))
                    assert texts(one) == texts(own), (one, own)
            assert not derived


def unfolded(equation: Any, stacks: Stacks, names: Mapping[tuple[str, int], str]) -> Iterator[Any]:
    """What an equation of a stack is at each of its turns, under the arrays' own names."""
    primal = equation.array.removeprefix(ADJOINT)
    if primal not in stacks.by_name:
        yield replace(equation, rhs=opened(equation.rhs, stacks, names))
        return
    index, *others = equation.indices
    for turn, array in stacks.by_name[primal].arrays.items():
        rhs = substitute(equation.rhs, {index: number(turn)})
        try:
            new = opened(rhs, stacks, names)
        except KeyError:
            continue  # no such turn
        yield replace(equation, indices=tuple(others), rhs=new,
                      array=array if primal == equation.array else adjoint(array))


def opened(expr: Any, stacks: Stacks, names: Mapping[tuple[str, int], str]) -> Any:
    """Sums over turns written out, entries of stacks under the arrays' own names."""
    turns = {id(i): i for i in stacks.turns.values()}
    terms = []
    for term in expr.terms:
        run = [i for i in term.bound if any(i.letter == t.letter and i.size == t.size
                                            for t in turns.values())]
        whole = Expr((Term(term.coef, term.factors, tuple(i for i in term.bound if i not in run)),))
        for turn in range(1, int(run[0].size.number or 0) + 1) if run else (0,):
            terms += substitute(whole, {run[0]: number(turn)} if run else {}).terms

    def own(item: Access) -> Access:
        primal = item.array.removeprefix(ADJOINT)
        if primal not in stacks.by_name:
            return item
        turn, *at = item.indices
        array = names[primal, int(turn.number or 0)]
        return Access(array if primal == item.array else adjoint(array), tuple(at))

    return map_accesses(Expr(tuple(terms)), own)


def texts(equation: Any) -> list[str]:
    """The terms of an equation in text, in any order."""
    found = []
    for term in equation.rhs.terms:
        numbers = Numbering(sizes=False)
        for index in equation.indices:
            numbers.index(index)
        numbers.arrays = {n: n for n in (*equation.reads, equation.array)}
        found += [numbers.term(t) for t in plain(term).terms]
    return sorted(found)


def plain(term: Term) -> Expr:
    """Positions in their normal form, brackets of numbers decided: l - 1 at l = 1 is 0."""
    factors = []
    for item, exponent in term.factors:
        if isinstance(item, Access):
            item = Access(item.array, tuple(map(normal, item.indices)))
        if isinstance(item, Iverson):
            bracket = iverson(item.relation, normal(item.lhs), normal(item.rhs))
            if bracket.is_zero:
                return bracket
            if bracket.single_atom is None:
                continue
            item = bracket.single_atom
        factors.append((item, exponent))
    return Expr((Term(term.coef, tuple(factors), term.bound),))
