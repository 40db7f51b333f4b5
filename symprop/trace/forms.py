"""The forms of right-hand sides by which an unnamed equation is told what part it plays.

In: an equation, those that read it, and the parts that those before it play. Out: for each form
the array that the equation is of: "" where there is none to name it after, None where the form
does not fit. No function's name is asked for: whoever wrote them, equal equations are equal.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from symprop.algebra.build import make_term, mul
from symprop.algebra.canonical import same
from symprop.algebra.expr import (
    Access,
    Apply,
    Atom,
    Exponent,
    Expr,
    Extremum,
    Iverson,
    Paren,
    Size,
    Term,
    arrays_of,
    indices_of,
)
from symprop.trace.tracer import Draft

EXTREMUM, OFFSET = "{}_max", "{}_eps"
_SHORT = re.compile(r"[A-Za-z][0-9]?(_?[a-z])?[0-9]?")
_WORD = re.compile(r"[A-Za-z0-9]{1,8}")
HALF = Fraction(1, 2)


@dataclass(frozen=True)
class Part:
    """An equation, those that read it, and what is known of the others."""

    draft: Draft
    readers: Sequence[Draft]
    by_array: Mapping[str, Draft]
    plays: Mapping[str, str]  # roles found so far, of equations that stand before
    names: Mapping[str, str]  # what arrays are called, numbers of parts aside

    @property
    def rhs(self) -> Expr:
        """The right-hand side."""
        return self.draft.rhs

    @property
    def term(self) -> Term | None:
        """The only term of the right-hand side."""
        return self.rhs.terms[0] if len(self.rhs.terms) == 1 else None

    @property
    def factor(self) -> tuple[Atom, Exponent] | None:
        """The only factor of the only term, sizes and signs aside."""
        found = [] if self.term is None else [
            f for f in self.term.factors if not isinstance(f[0], Size)]
        return found[0] if len(found) == 1 else None

    @property
    def scaled(self) -> bool:
        """Whether the only term has a coefficient or sizes."""
        return self.term is not None and (abs(self.term.coef) != 1 or any(
            isinstance(a, Size) for a, _ in self.term.factors))

    def is_a(self, array: str, *roles: str) -> bool:
        """Whether an array plays one of the roles."""
        return self.plays.get(array) in roles

    def other(self, draft: Draft) -> Part:
        """Another equation, whoever reads it."""
        return Part(draft, (), self.by_array, self.plays, self.names)

    @property
    def operand(self) -> str:
        """The array that is read, where it is one."""
        found = [a for a in dict.fromkeys(arrays_of(self.rhs)) if a != self.draft.array]
        return found[0] if len(found) == 1 else ""


# ---- extrema and exponentials ----------------------------------------------------------------


def extremum(part: Part) -> str | None:
    """The largest or the smallest entry along axes."""
    found = part.factor
    return part.operand if found is not None and isinstance(found[0], Extremum) else None


def shifted(part: Part) -> str | None:
    """x less its largest entry."""
    pair = _difference(part.rhs)
    return pair[0] if pair is not None and part.is_a(pair[1], EXTREMUM) else None


def _difference(rhs: Expr) -> tuple[str, str] | None:
    """The arrays a, b where the right-hand side is a - b."""
    if [t.coef for t in rhs.terms] != [1, -1] or any(
            t.bound or len(t.factors) != 1 or t.factors[0][1] != 1 for t in rhs.terms):
        return None
    first, second = (t.factors[0][0] for t in rhs.terms)
    pair = isinstance(first, Access) and isinstance(second, Access)
    return (first.array, second.array) if pair else None  # type: ignore[attr-defined]


def applied(part: Part) -> Apply | None:
    """The function whose value the part is."""
    if part.factor is None or part.term is None or part.term.bound or part.scaled:
        return None
    found, exponent = part.factor
    return found if isinstance(found, Apply) and exponent == 1 and part.term.coef == 1 else None


def exponentials(part: Part) -> str | None:
    """Exponentials that are added up, by one or by themselves."""
    found = applied(part)
    if found is None or found.function != "exp":
        return None
    added = any(_is_alone(t, part.draft.array) and (t.bound or any(
        not arrays_of(Expr((u,))) for u in d.rhs.terms)) for d in part.readers for t in d.rhs.terms)
    return _leading(part, found.args[0]) if added else None


def _is_alone(term: Term, array: str) -> bool:
    """Whether a term is an array and nothing else, or a sum of it."""
    found = [a for a, _ in term.factors]
    return term.coef == 1 and len(found) == 1 and isinstance(found[0], Access) and (
        found[0].array == array)


def _leading(part: Part, expr: Expr) -> str:
    """What an argument is of: its first array that has a name."""
    named = [a for a in arrays_of(expr) if not part.is_a(a, EXTREMUM, "mu")]
    return named[0] if named else ""


def normaliser(part: Part) -> str | None:
    """The sum of exponentials."""
    if part.term is None or part.factor is None or not part.term.bound or part.scaled:
        return None
    found, exponent = part.factor
    fits = isinstance(found, Access) and exponent == 1 and part.is_a(found.array, "e")
    return part.operand if fits else None


def softmax(part: Part) -> str | None:
    """e/s where s is the sum of e."""
    if part.term is None or part.term.bound or part.scaled or len(part.term.factors) != 2:
        return None
    (above, up), (below, down) = sorted(part.term.factors, key=lambda f: -f[1])
    if not (isinstance(above, Access) and isinstance(below, Access) and (up, down) == (1, -1)):
        return None
    total = part.by_array.get(below.array)
    if total is None or len(total.rhs.terms) != 1 or not total.rhs.terms[0].bound:
        return None
    return above.array if arrays_of(total.rhs) == (above.array,) else None


def _first(item: Atom) -> str:
    found = arrays_of(Expr((Term(Fraction(1), ((item, 1),)),)))
    return found[0] if found else ""


def logistic(part: Part) -> str | None:
    """1/(1 + e)."""
    if part.factor is None or part.scaled or part.term is None or part.term.bound:
        return None
    found, exponent = part.factor
    if exponent != -1:
        return None
    inner = found.body if isinstance(found, Paren) else None
    if isinstance(found, Access) and found.array in part.by_array:
        inner = part.by_array[found.array].rhs
    if inner is None or len(inner.terms) != 2 or arrays_of(Expr((inner.terms[0],))):
        return None
    last = inner.terms[1].factors
    fits = inner.terms[0].coef == 1 and len(last) == 1 and part.is_a(_first(last[0][0]), "e")
    return _first(last[0][0]) if fits else None


# ---- moments ------------------------------------------------------------------------------------


def _mean_of(part: Part) -> tuple[Atom, Exponent] | None:
    """What the part is the mean of, over axes."""
    term = part.term
    if term is None or not term.bound or part.factor is None or term.coef < 0:
        return None
    number = mul(*(b.size for b in term.bound))
    inverse = make_term(1 / term.coef, {a: -e for a, e in term.factors if isinstance(a, Size)})
    if not part.draft.indices or not same(number, inverse):
        return None
    over = frozenset(term.bound)
    return part.factor if over <= indices_of(part.factor[0]) else None


def mean(part: Part) -> str | None:
    """The mean over axes."""
    found = _mean_of(part)
    fits = found is not None and isinstance(found[0], Access) and found[1] == 1
    return part.operand if fits else None


def variance(part: Part) -> str | None:
    """The mean of squares of what has no mean."""
    found = _mean_of(part)
    if found is None or found[1] != 2:
        return None
    if isinstance(found[0], Access) and part.is_a(found[0].array, "centred"):
        return found[0].array
    if isinstance(found[0], Paren) and _is_centred(part, found[0].body):
        return _leading(part, found[0].body)
    return None


def mean_square(part: Part) -> str | None:
    """The mean of squares."""
    found = _mean_of(part)
    return part.operand if found is not None and found[1] == 2 else None


def centred(part: Part) -> str | None:
    """x - μ."""
    return _leading(part, part.rhs) if _is_centred(part, part.rhs) else None


def _is_centred(part: Part, rhs: Expr) -> bool:
    """x - μ."""
    pair = _difference(rhs)
    middle = part.by_array.get(pair[1]) if pair is not None else None
    return pair is not None and middle is not None and mean(part.other(middle)) == pair[0]


def offset(part: Part) -> str | None:
    """A quantity and a small number."""
    found = _offset_term(part)
    if found is None:
        return None
    alone = len(found.factors) == 1 and not found.bound and isinstance(found.factors[0][0], Access)
    return _first(found.factors[0][0]) if alone else "" if inner_role(part) else None


def inner_role(part: Part) -> str:
    """What the mean in a mean and a small number is."""
    found = _offset_term(part)
    if found is None:
        return ""
    inner = part.other(replace(part.draft, rhs=Expr((found,))))
    return "var" if variance(inner) is not None else (
        "ms" if mean_square(inner) is not None else "")


def _offset_term(part: Part) -> Term | None:
    terms = [t for t in part.rhs.terms if arrays_of(Expr((t,)))]
    rest = [t for t in part.rhs.terms if t not in terms]
    if len(terms) != 1 or len(rest) != 1 or rest[0].factors or not 0 < rest[0].coef < HALF / 10:
        return None
    return terms[0]


def root_of(*roles: str) -> Callable[[Part], str | None]:
    """The root of what plays a role, or of that and a small number."""
    def holds(part: Part) -> str | None:
        if part.factor is None or part.factor[1] != HALF or part.scaled:
            return None
        inner = part.operand
        if part.is_a(inner, OFFSET):
            below = part.other(part.by_array[inner])
            if inner_role(below) in roles:
                return below.operand
            inner = offset(below) or ""
        return inner if part.is_a(inner, *roles) else None

    return holds


def normalized(part: Part) -> str | None:
    """x - μ over the root of its variance, or x over that of its mean square."""
    if part.term is None or len(part.term.factors) != 2 or part.term.bound:
        return None
    read, below = ([a.array for a, e in part.term.factors if isinstance(a, Access) and (
        e == 1 if up else e in (-1, -HALF))] for up in (True, False))
    if len(read) != 1 or len(below) != 1:
        return None
    if not part.is_a(below[0], "std", "rms", OFFSET, "var", "ms"):
        return None
    made = part.by_array.get(read[0])
    pair = _difference(made.rhs) if made is not None and part.is_a(read[0], "centred") else None
    return read[0] if pair is None else pair[0]


# ---- sums, differences, products ---------------------------------------------------------


def argument(part: Part) -> str | None:
    """What one function alone is taken of, and of it alone: named after its value."""
    for reader in part.readers:
        found = applied(part.other(reader))
        read = [] if found is None else [a for e in found.args for a in arrays_of(e)]
        if read == [part.draft.array]:
            return reader.array if applied(part) is None else None
    return None


def inverse(part: Part) -> str | None:
    """X with A X = 1, as the implicit equation X = X + 1 - A X."""
    own = [t for t in part.rhs.terms if part.draft.array in arrays_of(Expr((t,))) and not t.bound]
    unit = [t for t in part.rhs.terms if t.coef == 1 and not t.bound and len(t.factors) == 1
            and isinstance(t.factors[0][0], Iverson)]
    product = [t for t in part.rhs.terms if t.coef == -1 and len(t.bound) == 1]
    if not len(own) == len(unit) == len(product) == 1 or len(part.rhs.terms) != 3:
        return None
    return next((part.names.get(a, "") for a in arrays_of(Expr((product[0],)))
                 if a != part.draft.array), "")


def error(part: Part) -> str | None:
    """The difference of two quantities, of which a square is read."""
    signs = [t.coef > 0 for t in part.rhs.terms]
    if len(signs) < 2 or signs.count(False) != 1:
        return None
    squared = any(isinstance(a, Access) and a.array == part.draft.array and e == 2
                  for d in part.readers for t in d.rhs.terms for a, e in t.factors)
    return "" if squared else None


def skip(part: Part) -> str | None:
    """x + f, entry by entry."""
    terms = part.rhs.terms
    fits = len(terms) > 1 and all(
        t.coef == 1 and not t.bound and len(t.factors) == 1 and t.factors[0][1] == 1
        and isinstance(t.factors[0][0], Access) for t in terms)
    return "" if fits and len({len(indices_of(t.factors[0][0])) for t in terms}) == 1 else None


def complement(part: Part) -> str | None:
    """1 - y."""
    numbers = [t for t in part.rhs.terms if not t.factors and not t.bound]
    others = [t for t in part.rhs.terms if t not in numbers]
    fits = len(numbers) == len(others) == 1 and numbers[0].coef == -others[0].coef == 1
    if not fits or others[0].bound or len(others[0].factors) != 1:
        return None
    found, exponent = others[0].factors[0]
    return found.array if isinstance(found, Access) and exponent == 1 else None


def denominator(part: Part) -> str | None:
    """A sum by which others are divided."""
    exponents = [e for d in part.readers for t in d.rhs.terms for a, e in t.factors
                 if isinstance(a, Access) and a.array == part.draft.array]
    fits = len(part.rhs.terms) > 1 and exponents and all(e < 0 for e in exponents)
    return _leading(part, part.rhs) if fits else None


def product(part: Part) -> str | None:
    """A product of two arrays of which both names are short."""
    return "" if product_name(part) else None


def product_name(part: Part) -> str:
    """The names of both factors: AB, or weights_v."""
    if part.term is None or not part.term.bound or part.scaled:
        return ""
    read = [part.names.get(a.array, "") if isinstance(a, Access) and e == 1 else ""
            for a, e in part.term.factors]
    if len(read) != 2 or not all(read):
        return ""
    if all(map(_SHORT.fullmatch, read)):
        return "".join(read)
    return "_".join(read) if all(_WORD.fullmatch(r) for r in read) else ""


def norm(part: Part) -> str | None:
    """The root of a sum of squares."""
    if part.factor is None or part.factor[1] != HALF or part.scaled or (
            part.operand not in part.by_array):
        return None
    inner = part.other(part.by_array[part.operand])
    fits = inner.term is not None and inner.term.bound and inner.factor is not None
    return inner.operand if fits and inner.factor is not None and inner.factor[1] == 2 else None


def total(part: Part) -> str | None:
    """A sum over axes."""
    if part.term is None or not part.term.bound or part.factor is None:
        return None
    return part.operand if isinstance(part.factor[0], Access) else None


def value(part: Part) -> str | None:
    """The value of a function."""
    return None if applied(part) is None else _leading(part, part.rhs)
