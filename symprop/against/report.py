"""What a comparison with a derivation found, as data and as one paragraph.

In: what matched, what is wrong, the repair. Out: an `AgainstReport`, which prints itself.
"""

import textwrap
from dataclasses import dataclass

WIDTH = 88


@dataclass(frozen=True)
class Repair:
    """One change of one line after which every gradient is right."""

    line: int
    before: str
    after: str
    said: str
    equation: str = ""
    intermediate: str = ""


@dataclass(frozen=True)
class AgainstReport:
    """The verdict: `wrong` names gradients; `right` pairs intermediates with equation numbers.

    `first` is the first intermediate that is wrong, with its line and the number of its equation,
    where no single change repairs all.
    """

    title: str
    loss: str
    gradients: tuple[str, ...]
    wrong: tuple[str, ...]
    right: tuple[tuple[str, str], ...] = ()
    repair: Repair | None = None
    first: tuple[str, int, str] | None = None
    path: str = ""

    @property
    def passed(self) -> bool:
        """True if every gradient is that of the derivation."""
        return not self.wrong

    def __bool__(self) -> bool:
        return self.passed

    def __repr__(self) -> str:
        verdict = "all right" if self.passed else f"wrong: {', '.join(self.wrong)}"
        return f"<AgainstReport of {self.title}: {verdict}>"

    def _repr_markdown_(self) -> str:
        return f"```text\n{self}\n```\n"  # what a notebook shows

    def __str__(self) -> str:
        head = f"{self.title} against the derivation of {self.loss}"
        return "\n".join([head, "", *textwrap.wrap(self._paragraph(), WIDTH)])

    def _paragraph(self) -> str:
        matched = ", ".join(f"{name} ({number})" for name, number in self.right)
        agreeing = f" These intermediates are right: {matched}." if matched else ""
        if self.passed:
            return f"All gradients are right: {', '.join(self.gradients)}.{agreeing}"
        said = f"Wrong: {', '.join(self.wrong)}."
        if self.repair is not None:
            return f"{said} {self._repaired(self.repair)}{agreeing}"
        if self.first is not None:
            name, line, number = self.first
            said += (f" The first intermediate that is not the derivation's is {name}, made in"
                     f" line {line}: compare it with equation ({number}). No single change of one"
                     " line makes all gradients right.")
        else:
            said += " No single change of one line makes all gradients right."
        return said + agreeing

    def _repaired(self, repair: Repair) -> str:
        if not repair.after:
            return (f"The mistake is in line {repair.line}, `{repair.before}`: {repair.said}."
                    f" {repair.intermediate} should be equation ({repair.equation}) of the"
                    " derivation.")
        fix = (f"The mistake is in line {repair.line}, `{repair.before}`: {repair.said}."
               f" With `{repair.after}` all gradients are right")
        if repair.equation:
            fix += f"; {repair.intermediate} is then equation ({repair.equation}) of the derivation"
        return f"{fix}."
