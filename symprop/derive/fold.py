"""The moves between names and what they stand for: expand, fold, facts, factor.

In: an expression and the `Knowledge` of its system. Out: an equal expression, with the
equations and facts that the move leaned on. Expansion and folding are never interleaved
(simplify.py orders them).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction

from symprop.algebra.build import (
    ZERO,
    as_monomial,
    atom,
    instantiate,
    make_term,
    merge_factors,
    mul,
    number,
    paren,
    power,
    rebuild,
    substitute,
)
from symprop.algebra.canonical import collect, expand, same
from symprop.algebra.expr import (
    Access,
    Apply,
    Atom,
    Exponent,
    Expr,
    Extremum,
    Index,
    Iverson,
    Paren,
    Term,
    arrays_of,
    atoms_of,
    indices_of,
)
from symprop.derive.cost import components, cost
from symprop.derive.divisors import guarded
from symprop.derive.knowledge import Knowledge, Rule
from symprop.derive.match import Env, Factors, match_atom, match_expr, match_factors
from symprop.derive.sift import sift
from symprop.system import Equation

Moved = tuple[Expr, tuple[str, ...]]
Named = Callable[[frozenset[str]], Sequence[Rule]]  # sums that read no other arrays


def per_term(expr: Expr, move: Callable[[Term], Moved | None]) -> Moved:
    """Applies a move to every term, again and again until it no longer applies."""
    because: dict[str, None] = {}
    done: list[Term] = []
    todo = list(reversed(expr.terms))
    while todo:
        term = todo.pop()
        moved = move(term)
        if moved is None:
            done.append(term)
            continue
        because.update(dict.fromkeys(moved[1]))
        todo.extend(reversed(moved[0].terms))
    return Expr(tuple(done)), tuple(because)


# ---- functions and extrema that the forward pass keeps --------------------------------------


def fold_functions(expr: Expr, known: Knowledge) -> Moved:
    """tanh(z) is a, exp(c) is e, max z is m, wherever the forward pass gave it a name."""
    return fold_named(expr, known, lambda item: item.function if isinstance(item, Apply)
                       else item.kind)


def fold_named(
    expr: Expr, known: Knowledge, name_of: Callable[[Apply | Extremum], str]
) -> Moved:
    """The same of those that `name_of` gives a name."""
    because: dict[str, None] = {}

    def visit(item: Atom) -> Expr | None:
        name = name_of(item) if isinstance(item, (Apply, Extremum)) else ""
        if name:
            for rule in known.kept(name, _arrays(item)):
                pattern = rule.pattern.factors[0][0]
                for env in match_atom(pattern, item, {}, frozenset(rule.variables)):
                    if known.covers(rule.variables, env):
                        because.update(dict.fromkeys(rule.because))
                        # An index that the definition does not depend on: any place will do.
                        anywhere = {v: ZERO for v in rule.variables if v not in env}
                        return substitute(rule.value, {**anywhere, **env})
        return None

    return _rewrite(expr, visit), tuple(because)


def _rewrite(expr: Expr, visit: Callable[[Atom], Expr | None]) -> Expr:
    """Replaces atoms, outermost first, wherever they stand."""
    if not any(isinstance(a, (Apply, Extremum, Paren)) or a.children
               for t in expr.terms for a, _ in t.factors):
        return expr
    pieces = []
    for term in expr.terms:
        factors: dict[Atom, Exponent] = {}
        coef, bound = term.coef, list(term.bound)
        for item, exponent in term.factors:
            new = visit(item)
            if new is None and isinstance(item, Paren):
                body = _rewrite(item.body, visit)
                new = paren(body) if body is not item.body else None
            elif new is None and isinstance(item, Iverson):
                sides = tuple(_rewrite(c, visit) for c in item.children)
                new = rebuild(item, sides) if sides != item.children else None
            if new is None:
                merge_factors(factors, ((item, exponent),))
            else:
                inside = as_monomial(power(new, exponent))
                merge_factors(factors, inside.factors)
                coef *= inside.coef
                bound += inside.bound
        pieces.append(make_term(coef, factors, bound))
    return Expr(tuple(t for p in pieces for t in p.terms))


# ---- sums that have a name -------------------------------------------------------------


def fold_sums(expr: Expr, known: Knowledge, named: Named | None = None) -> Moved:
    """Σ_j e[n,j] is s[n]; by a fact, Σ_m Y[n,m] is 1. `named`: the sums of these arrays."""
    return per_term(expr, lambda term: _fold_sum(term, known, named or known.sums))


def _fold_sum(term: Term, known: Knowledge, named: Named) -> Moved | None:
    if not term.bound:
        return None
    for bound in _candidate_sets(term):
        inner = [(a, e) for a, e in term.factors if indices_of(a) & bound]
        rest = {a: e for a, e in term.factors if not indices_of(a) & bound}
        arrays = frozenset().union(*(_arrays(f) for f, _ in inner))
        for rule in named(arrays):
            if len(rule.pattern.factors) != len(inner) or len(rule.pattern.bound) != len(bound):
                continue
            env = _match_sum(rule, inner, bound)
            if env is None or not known.covers(rule.variables, env):
                continue
            if _stands(rule.beside, rest):
                left = tuple(b for b in term.bound if b not in bound)
                folded = mul(make_term(term.coef, rest, left), substitute(rule.value, env))
                return folded, rule.because
    return None


def _stands(beside: Factors, rest: dict[Atom, Exponent]) -> bool:
    """Whether what a name multiplies its sum by stands in the term, so that it only cancels.

    With L = g Σ x, the sum Σ x alone is L/g, but not where g is 0; with s = Σ x / g it is s g,
    but not there either.
    """
    for item, exponent in beside:
        power_ = Fraction(rest.get(item, 0))
        if power_ / Fraction(exponent) < 1:
            return False
        if exponent != int(exponent) and power_ == int(power_):
            return False  # of a negative number there is no root
    return True


def _candidate_sets(term: Term) -> list[frozenset[Index]]:
    single = [frozenset((b,)) for b in term.bound]
    whole = [c for c, _ in components(term) if len(c) > 1]
    return whole + single


def _match_sum(
    rule: Rule, inner: list[tuple[Atom, Exponent]], bound: frozenset[Index]
) -> Env | None:
    variables = frozenset(rule.variables)
    for env, rest in match_factors(rule.pattern.factors, inner, {}, variables):
        images = {env[b].single_index for b in rule.pattern.bound if b in env}
        if rest or images != bound:
            continue
        free = [env[v] for v in rule.variables if v in env and v not in rule.pattern.bound]
        if any(_touches(e, bound) for e in free):
            continue
        if all(same(b.size, _single(env[b]).size) for b in rule.pattern.bound):
            return env
    return None


def _single(expr: Expr) -> Index:
    index = expr.single_index
    assert index is not None
    return index


def _touches(expr: Expr, bound: frozenset[Index]) -> bool:
    return any(indices_of(a) & bound for t in expr.terms for a, _ in t.factors)


# ---- monomials that have a name --------------------------------------------------------


def fold_monomials(expr: Expr, known: Knowledge) -> Moved:
    """e/s is p, c r is h, (v + ε)^(-1/2) is r, while the cost falls."""
    folded, because = per_term(expr, lambda term: _fold_monomial(term, known))
    shared, more = _fold_to_share(folded, known)
    return shared, tuple(dict.fromkeys((*because, *more)))


def _fold_to_share(expr: Expr, known: Knowledge) -> Moved:
    """Folds that cost a term nothing but give it a factor that the other terms have too."""
    because: tuple[str, ...] = ()
    while len(expr.terms) > 1:
        best, reason = expr, because
        for place, term in enumerate(expr.terms):
            for rule in known.monomials(_read(term)):
                for candidate in _occurrences(term, rule, known):
                    settled, roots = _fold_roots(candidate, known)
                    whole = Expr((*expr.terms[:place], *settled.terms, *expr.terms[place + 1:]))
                    if cost(whole) < cost(best):
                        best, reason = whole, (*because, *rule.because, *roots)
        if best is expr:
            break
        expr, because = best, reason
    return expr, because


def _fold_monomial(term: Term, known: Knowledge) -> Moved | None:
    before = _rank(Expr((term,)))
    best: tuple[tuple[float, int, int], Expr, tuple[str, ...]] | None = None
    for rule in known.monomials(_read(term)):
        for candidate in _occurrences(term, rule, known):
            settled, because = _fold_roots(candidate, known)
            rank = _rank(settled)
            if rank < before and (best is None or rank < best[0]):
                best = (rank, settled, (*rule.because, *because))
    return None if best is None else (best[1], tuple(dict.fromkeys(best[2])))


def _fold_roots(expr: Expr, known: Knowledge) -> Moved:
    """A root that was split off goes straight to its name: (v + ε)^(-1/2) is r."""
    because: tuple[str, ...] = ()
    for term in expr.terms:
        if not any(isinstance(e, Fraction) for _, e in term.factors):
            continue
        for rule in known.monomials(_read(term)):
            if len(rule.pattern.factors) == 1 and isinstance(rule.pattern.factors[0][1], Fraction):
                for candidate in _occurrences(term, rule, known):
                    if _rank(candidate) < _rank(expr):
                        expr, because = candidate, (*because, *rule.because)
                        break
    return expr, because


def _rank(expr: Expr) -> tuple[float, int, int]:
    """What a fold must lower: the cost, then the exponents, then the divisions."""
    exponents = [e for t in expr.terms for _, e in t.factors]
    weight = sum(abs(Fraction(e)) for e in exponents)
    return cost(expr), int(2 * weight), sum(e < 0 for e in exponents)


def _occurrences(term: Term, rule: Rule, known: Knowledge) -> list[Expr]:
    """The term with one occurrence of the rule's monomial (or a power of it) folded."""
    found = []
    for env, taken, times in _divisors(list(rule.pattern.factors), term, {}, rule):
        if len(env) < len({i for i in rule.variables if i.size.number != 1}):
            continue
        if not known.covers(rule.variables, env):
            continue
        left = dict(term.factors)
        for item, exponent in taken.items():
            left[item] = left[item] - exponent * times
        left = guarded(left, taken, known)
        value = power(substitute(rule.value, env), times)
        coef = term.coef / rule.pattern.coef**times
        found.append(mul(make_term(coef, left, term.bound), value))
    return found


def _divisors(
    patterns: list[tuple[Atom, Exponent]], term: Term, env: Env, rule: Rule
) -> list[tuple[Env, dict[Atom, Exponent], int]]:
    """Ways to divide the term by a power of the pattern: (positions, factors, the power)."""
    variables = frozenset(rule.variables)
    if len(patterns) == 1:
        return _powers(patterns[0], term, variables)
    states: list[tuple[Env, dict[Atom, Exponent]]] = [(env, {})]
    for pattern, exponent in patterns:
        alike = [item for item, power_ in term.factors if _reaches(power_, exponent)
                 and any(True for _ in match_atom(pattern, item, env, variables))]
        states = [(more, {**taken, item: exponent})
                  for env_, taken in states for item in alike if item not in taken
                  for more in match_atom(pattern, item, env_, variables)]
    exponents = dict(term.factors)
    result = []
    for env_, taken in states:
        times = min(int(abs(exponents[a] / Fraction(e))) for a, e in taken.items())
        result.append((env_, taken, max(times, 1)))
    return result


def _reaches(power_: Exponent, exponent: Exponent) -> bool:
    """Whether a factor to one power holds another power of it."""
    if isinstance(power_, int) and isinstance(exponent, int):
        return 0 < exponent <= power_ or power_ <= exponent < 0
    return Fraction(power_) / Fraction(exponent) >= 1


def _powers(
    pattern: tuple[Atom, Exponent], term: Term, variables: frozenset[Index]
) -> list[tuple[Env, dict[Atom, Exponent], int]]:
    """Factors that are a whole power, positive or negative, of a pattern of one factor.

    A square root is not brought in for the sake of its square: v is r² only where v >= 0.
    """
    found = []
    for item, exponent in term.factors:
        times = Fraction(exponent) / Fraction(pattern[1])
        rooted = isinstance(exponent, int) and not isinstance(pattern[1], int)
        if times.denominator == 1 and times and not rooted:
            for env in match_atom(pattern[0], item, {}, variables):
                found.append((env, {item: pattern[1]}, int(times)))
    return found


# ---- definitions with several terms ---------------------------------------------------


def inline_definition(expr: Expr, equation: Equation, known: Knowledge) -> Expr:
    """Every whole positive power of an array replaced by its definition, multiplied out."""

    def visit(item: Atom) -> Expr | None:
        if isinstance(item, Access) and item.array == equation.array:
            return paren(instantiate(equation.indices, equation.rhs, item.indices))
        return None

    return collect(sift(expand(_rewrite_access(expr, visit)), known.inside))


def _rewrite_access(expr: Expr, visit: Callable[[Atom], Expr | None]) -> Expr:
    pieces = []
    for term in expr.terms:
        product = make_term(term.coef, {}, term.bound)
        for item, exponent in term.factors:
            new = visit(item)
            product = mul(product, power(new, exponent) if new is not None
                          else make_term(Fraction(1), {item: exponent}))
        pieces.append(product)
    return Expr(tuple(t for p in pieces for t in p.terms))


def fold_several(expr: Expr, known: Knowledge) -> Moved:
    """x - μ is c: a sum of terms, whole or in parentheses, that is a definition."""
    because: dict[str, None] = {}
    whole = _fold_body(expr, known, because)
    if whole is not None:
        return whole, tuple(because)

    def visit(item: Atom) -> Expr | None:
        return _fold_body(item.body, known, because) if isinstance(item, Paren) else None

    return _rewrite(expr, visit), tuple(because)


def _fold_body(body: Expr, known: Knowledge, because: dict[str, None]) -> Expr | None:
    if len(body.terms) < 2:
        return None
    reads = frozenset(arrays_of(body))
    for equation in known.several(reads):
        if len(equation.rhs.terms) != len(body.terms) or frozenset(equation.reads) != reads:
            continue
        ratio = body.terms[0].coef / equation.rhs.terms[0].coef
        for sign in dict.fromkeys((ratio, abs(ratio), -abs(ratio))):
            scaled = Expr(tuple(Term(t.coef / sign, t.factors, t.bound) for t in body.terms))
            for env in match_expr(equation.rhs, scaled, {}, frozenset(equation.indices)):
                at = [env.get(i) for i in equation.indices]
                if known.covers(equation.indices, env) and all(e is not None or i.size.number == 1
                       for e, i in zip(at, equation.indices, strict=True)):
                    because[equation.number] = None
                    position = [e if e is not None else number(0) for e in at]
                    return mul(number(sign), atom(Access(equation.array, tuple(position))))
    return None


def _read(term: Term) -> frozenset[str]:
    """The arrays that a term reads."""
    return frozenset().union(*(_arrays(a) for a, _ in term.factors))


def _arrays(item: Atom) -> frozenset[str]:
    return frozenset(a.array for a in atoms_of(item) if isinstance(a, Access))


def opened(expr: Expr, known: Knowledge) -> Expr:
    """Multiplied out, sifted and collected."""
    return collect(sift(expand(expr), known.inside))
