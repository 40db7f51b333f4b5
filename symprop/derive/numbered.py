"""Knowledge of a system under numbers in place of names.

In: the knowledge of a system, the expression to simplify. Out: the same answers, with arrays,
indices and equations numbered by first use, and the path of questions and answers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from symprop.algebra.expr import ADJOINT, Expr, Index, adjoint
from symprop.algebra.renaming import Copying, Numbering
from symprop.derive.knowledge import Knowledge, Rule
from symprop.system import Equation

Question = tuple[str, tuple[Any, ...]]  # a method of Knowledge, its arguments in numbers


class Numbered(Knowledge):
    """What a simplification sees. Sizes keep their names: their order in a sum is by name."""

    def __init__(self, known: Knowledge, expr: Expr) -> None:
        self.known = known
        self.numbers = Numbering(sizes=False)
        self.reasons: dict[str, str] = {}
        self.path: list[tuple[Question, str]] = []
        self.text = self.numbers.expr(expr)
        self._names: dict[str, str] = {}
        self._copy = _Twins(self.numbers)
        self._given: dict[Question, Any] = {}

    def basis(self, array: str) -> Rule | None:
        answer: Rule | None = self._ask("basis", array)
        return answer

    def opens(self, array: str) -> Equation | None:
        answer: Equation | None = self._ask("opens", array)
        return answer

    def active(self, array: str) -> bool:
        return bool(self._ask("active", array))

    def ranges(self, array: str) -> Sequence[Expr]:
        answer: Sequence[Expr] = self._ask("ranges", array)
        return answer

    def kept(self, function: str, arrays: frozenset[str]) -> Sequence[Rule]:
        answer: Sequence[Rule] = self._ask("kept", arrays, function)
        return answer

    def sums(self, arrays: frozenset[str]) -> Sequence[Rule]:
        answer: Sequence[Rule] = self._ask("sums", arrays)
        return answer

    def monomials(self, arrays: frozenset[str]) -> Sequence[Rule]:
        answer: Sequence[Rule] = self._ask("monomials", arrays)
        return answer

    def several(self, arrays: frozenset[str]) -> Sequence[Equation]:
        answer: Sequence[Equation] = self._ask("several", arrays)
        return answer

    def symmetric(self, array: str) -> Rule | None:
        answer: Rule | None = self._ask("symmetric", array)
        return answer

    def divides(self, array: str) -> bool:
        return bool(self._ask("divides", array))

    def _ask(self, method: str, *args: Any) -> Any:
        question = method, args
        if question not in self._given:
            answer, text = self.asked(question)
            self.path.append((question, text))
            self._given[question] = self.forth(answer)
        return self._given[question]

    @property
    def twins(self) -> dict[Index, str]:
        """The number of every index in numbers."""
        return self._copy.numbers

    # ---- from numbers to names and back --------------------------------------------------

    def asked(self, question: Question) -> tuple[Any, str]:
        """The answer to a question put in numbers, and the answer's text in numbers."""
        method, (about, *more) = question
        named = self.name(about) if isinstance(about, str) else frozenset(map(self.name, about))
        answer = getattr(self.known, method)(*more, named)
        return answer, self._text(answer)

    def name(self, number: str) -> str:
        """The array that has a number."""
        if number.startswith(ADJOINT):
            return adjoint(self.name(number.removeprefix(ADJOINT)))
        if number not in self._names:
            self._names = {n: a for a, n in self.numbers.arrays.items()}
        return self._names[number]

    def _text(self, answer: Any) -> str:
        if isinstance(answer, Sequence):
            return ";".join(map(self._text, answer))
        if isinstance(answer, Expr):
            return self.numbers.expr(answer)
        if isinstance(answer, Rule):
            variables = ",".join(map(self.numbers.index, answer.variables))
            pattern, value = self.numbers.term(answer.pattern), self.numbers.expr(answer.value)
            reasons = ",".join(map(self._reason, answer.because))
            return f"{reasons}[{variables}] {pattern}={value}"
        if isinstance(answer, Equation):
            indices = ",".join(map(self.numbers.index, answer.indices))
            left, right = self.numbers.array(answer.array), self.numbers.expr(answer.rhs)
            return f"{self._reason(answer.number)} {left}[{indices}]={right}"
        return str(answer)

    def _reason(self, because: str) -> str:
        return self.reasons.setdefault(because, f"r{len(self.reasons)}")

    def forth(self, answer: Any) -> Any:
        """An answer, whose text is known, in numbers."""
        if isinstance(answer, Sequence):
            return [self.forth(a) for a in answer]
        if isinstance(answer, Expr):
            return self._copy.expr(answer)
        if isinstance(answer, Rule):
            return Rule(
                self._copy.term(answer.pattern), tuple(map(self._copy.index, answer.variables)),
                self._copy.expr(answer.value), tuple(self.reasons[b] for b in answer.because),
                tuple((self._copy.atom(a), e) for a, e in answer.beside))
        if isinstance(answer, Equation):
            return Equation(
                self.reasons[answer.number], self.numbers.arrays[answer.array],
                tuple(map(self._copy.index, answer.indices)), self._copy.expr(answer.rhs))
        return answer


class _Twins(Copying):
    """The expressions in numbers; `numbers` has that of every twin."""

    def __init__(self, numbering: Numbering) -> None:
        super().__init__(numbering.arrays, numbering.sizes)
        self.indices = numbering.indices
        self.numbers: dict[Index, str] = {}
        self._twin_of: dict[Index, Index] = {}

    def index(self, index: Index) -> Index:
        """The index in numbers: its letter is its number."""
        twin = self._twin_of.get(index)
        if twin is None:
            number = self.indices[index]
            twin = self._twin_of[index] = Index(number, self.expr(index.size))
            self.numbers[twin] = number
        return twin
