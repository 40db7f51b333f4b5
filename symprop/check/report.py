"""What a check found, as data and as a table.

In: the rows and problems that the runner collects. Out: a `CheckReport`, which prints itself.
"""

import math
import textwrap
from dataclasses import asdict, dataclass
from typing import Any

PASS = "PASS"
FAIL = "FAIL"
UNDECIDED = "UNDECIDED"
ZERO = "ZERO"
DEPARTS = "DEPARTS"
WIDTH = 100
HEADINGS = ("gradient", "shape", "status", "max error", "bound", "decided", "method")


@dataclass(frozen=True)
class CheckRow:
    """The verdict on the gradient of one array.

    `error` is the largest difference from the numerical derivative, over the coordinates that
    could be decided; `note` says in words what is wrong. `angle`, in degrees, is that between
    what a learning rule puts in the place of the gradient and the numerical gradient.
    """

    name: str
    shape: tuple[int, ...]
    status: str
    error: float
    bound: float
    decided: int
    total: int
    method: str
    note: str = ""
    angle: float = math.nan

    @property
    def passed(self) -> bool:
        """True for PASS and ZERO; what is UNDECIDED has not passed."""
        return self.status in (PASS, ZERO)


@dataclass(frozen=True)
class CheckReport:
    """The verdict on all gradients: one row each, and the problems that concern no single one."""

    title: str
    rows: tuple[CheckRow, ...]
    problems: tuple[str, ...] = ()
    sizes: tuple[tuple[str, int], ...] = ()
    seed: int = 0
    rtol: float = 1e-7
    controls: int = 0
    rule: str = ""
    also: str = ""

    @property
    def passed(self) -> bool:
        """True if there is a gradient, every row passed, and nothing else is wrong.

        A module that follows a learning `rule` which is not the gradient has never passed.
        """
        return not self.rule and self._sound((PASS, ZERO))

    @property
    def as_designed(self) -> bool:
        """True if it passed, or departs from the gradient only where its rule says so."""
        return self.passed or (bool(self.rule) and self._sound((PASS, ZERO, DEPARTS)))

    def _sound(self, allowed: tuple[str, ...]) -> bool:
        return (bool(self.rows) and not self.problems
                and all(row.status in allowed for row in self.rows))

    def __bool__(self) -> bool:
        return self.passed

    def as_dict(self) -> dict[str, Any]:
        """Return everything as plain data that JSON can hold."""
        rows = [{**asdict(row), "shape": list(row.shape)} for row in self.rows]
        for row in rows:
            row.update({key: _finite(row[key]) for key in ("error", "bound", "angle")})
        return {
            "title": self.title,
            "passed": self.passed,
            "rule": self.rule,
            "as_designed": self.as_designed,
            "sizes": dict(self.sizes),
            "seed": self.seed,
            "rtol": self.rtol,
            "controls": self.controls,
            "also": self.also,
            "rows": rows,
            "problems": list(self.problems),
        }

    def _repr_markdown_(self) -> str:
        return f"```text\n{self}\n```\n"  # what a notebook shows

    def __repr__(self) -> str:
        return f"<CheckReport of {self.title}: {self._verdict()}>"

    def __str__(self) -> str:
        sizes = " ".join(f"{name}={size}" for name, size in self.sizes)
        head = f"check of {self.title}: {sizes + ', ' if sizes else ''}seed {self.seed}"
        lines = [f"{head}, rtol {self.rtol:g}", ""]
        if self.rule:
            angles = ["-" if math.isnan(row.angle) else f"{row.angle:.1f}°" for row in self.rows]
            cells = zip(map(_cells, self.rows), angles, strict=True)
            lines += _table([(*HEADINGS, "angle"), *((*row, angle) for row, angle in cells)])
        else:
            lines += _table([HEADINGS, *(_cells(row) for row in self.rows)])
        notes = [f"{row.name}: {row.note}" for row in self.rows if row.note]
        notes += self.problems
        if notes:
            lines += ["", *notes]
        also = textwrap.wrap(self.also, WIDTH, subsequent_indent="  ")
        control = f"negative control: {self.controls} wrong gradients, all found"
        lines += ["", *also, *([control] if self.controls and self.as_designed else [])]
        return "\n".join([*lines, self._verdict()])

    def _verdict(self) -> str:
        good = f"{sum(row.passed for row in self.rows)} of {len(self.rows)}"
        if self.rule and self.as_designed:
            return f"NOT THE GRADIENT, by design ({self.rule}): {good} updates are gradients"
        return f"{'PASSED' if self.passed else 'FAILED'}: {good} gradients agree"


def _cells(row: CheckRow) -> tuple[str, ...]:
    numbers = _short(row.error), _short(row.bound), f"{row.decided}/{row.total}"
    return row.name, str(row.shape), row.status, *numbers, row.method


def _table(rows: list[tuple[str, ...]]) -> list[str]:
    """Align the cells of a table in columns."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


def _short(value: float) -> str:
    return f"{value:.1e}" if math.isfinite(value) else "-"


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
