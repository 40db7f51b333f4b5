"""The report of compare.py: a table for each dtype, and a picture.

In: rows. Out: Markdown; an SVG file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass
class Row:
    """One implementation of one workload in one dtype; times in seconds."""

    workload: str
    dtype: str
    name: str
    ratio: float = float("nan")  # to the hand-written code
    seconds: float = float("nan")
    least: float = float("nan")
    spread: float = float("nan")  # the middle half of the rounds, relative to their median
    faults: float = float("nan")  # pages a call
    apart: float = float("nan")
    agrees: bool = True
    error: str = ""

    def line(self) -> str:
        """For a terminal."""
        head = f"{self.workload:8} {self.dtype} {self.name:18}"
        if self.error:
            return f"{head} {self.error}"
        wrong = "" if self.agrees else "  GRADIENTS DISAGREE"
        return (f"{head} {self.seconds * 1e6:10.1f} us  {self.ratio:6.2f}  "
                f"spread {self.spread:4.0%}  {self.faults:8.0f} faults  "
                f"apart {self.apart:.0e}{wrong}")


def markdown(rows: Sequence[Row], about: Mapping[str, str], rounds: int) -> str:
    """The report."""
    names = list(dict.fromkeys(r.name for r in rows))
    text = [
        "# Loss and all gradients: generated code beside hand-written NumPy and its peers", "",
        "Made by `make compare`; [benchmarks/README.md](README.md) says how it is measured. A "
        "number is the time of an implementation over that of the hand-written code "
        f"([hand.py](hand.py)) in the same round, the median of {rounds} rounds: below 1 is "
        "faster. All gradients have been compared in this run.", "",
        "![the quotients as a picture](report.svg)", "",
        "; ".join(f"{k} {v}" for k, v in about.items()) + ".",
    ]
    for dtype in dict.fromkeys(r.dtype for r in rows):
        mine = {(r.workload, r.name): r for r in rows if r.dtype == dtype}
        text += ["", f"## {dtype}", "",
                 "| workload | hand, ms | " + " | ".join(n for n in names if n != "hand")
                 + " | pages a call: hand, symprop | spread of hand |",
                 "|---" * (len(names) + 3) + "|"]
        for workload in dict.fromkeys(w for w, _ in mine):
            hand = mine[workload, "hand"]
            ours = [mine[workload, n].faults for n in names if n.startswith("symprop")]
            cells = [_cell(mine[workload, n]) for n in names if n != "hand"]
            text.append(
                f"| {workload} | {hand.seconds * 1e3:.3g} | " + " | ".join(cells)
                + f" | {', '.join(f'{f:.0f}' for f in (hand.faults, *ours))} | {hand.spread:.0%} |")
    wrong = [r for r in rows if not r.agrees and not r.error]
    text += ["", "All gradients agree." if not wrong else "**Gradients disagree:** " + ", ".join(
        f"{r.name} on {r.workload} ({r.dtype})" for r in wrong), ""]
    return "\n".join(text)


def _cell(row: Row) -> str:
    return f"({row.error.partition(':')[0]})" if row.error else f"{row.ratio:.2f}"


def picture(rows: Sequence[Row], path: Path) -> None:
    """Points on a logarithmic scale, a row for each workload, a panel for each dtype."""
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = "symprop"
    from matplotlib import pyplot

    names = [n for n in dict.fromkeys(r.name for r in rows) if n != "hand"]
    workloads = list(dict.fromkeys(r.workload for r in rows))
    dtypes = list(dict.fromkeys(r.dtype for r in rows))
    figure, panels = pyplot.subplots(
        1, len(dtypes), figsize=(4.5 * len(dtypes), 0.4 * len(workloads) + 1.6), sharey=True,
        squeeze=False)
    for panel, dtype in zip(panels[0], dtypes, strict=True):
        for name in names:
            points = [(r.ratio, workloads.index(r.workload)) for r in rows
                      if (r.name, r.dtype) == (name, dtype) and not r.error]
            own = name.startswith("symprop")
            panel.scatter(*zip(*points, strict=True), label=name, s=60 if own else 25,
                          marker="D" if own else "o", zorder=3 if own else 2)
        panel.axvline(1, color="black", linewidth=0.8)
        panel.set(xscale="log", title=dtype, xlabel="time over that of hand-written NumPy",
                  yticks=range(len(workloads)), yticklabels=workloads)
        panel.grid(axis="both", alpha=0.3)
    panels[0][0].invert_yaxis()
    panels[0][-1].legend(fontsize=8)
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})
