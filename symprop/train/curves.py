"""The course of a training run as a table and as a picture.

In: a `TrainResult`. Out: a .csv file, one line an epoch, and a .png file, which needs matplotlib.
"""

import csv
import io
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from symprop.errors import InputError
from symprop.files.write import write_bytes, write_text
from symprop.train.angles import ALL
from symprop.train.course import TrainResult


def columns(result: TrainResult) -> dict[str, tuple[float, ...]]:
    """Return what was noted in every epoch, by name."""
    angles = tuple(angle[ALL] for angle in result.angles[: result.epochs])
    found = {"loss": result.losses, "validation": result.validation_losses,
             result.metric or "metric": result.metrics, "angle": angles}
    return {name: values for name, values in found.items() if values}


def save_log(path: str | Path, result: TrainResult, force: bool = False) -> None:
    """Write a line for every epoch, under a line of names; numbers as Python spells them."""
    table = columns(result)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["epoch", *table])
    for epoch, values in enumerate(zip(*table.values(), strict=True), 1):
        writer.writerow([epoch, *map(repr, values)])
    write_text(path, text.getvalue(), force)


def check_plot() -> None:
    """Refuse a picture before long work if there is nothing that could draw it."""
    try:
        import matplotlib  # noqa: F401, PLC0415
    except ImportError:
        raise InputError("a plot needs matplotlib, which is not installed: pip install"
                         " 'symprop[plot]', or leave --plot out") from None


def save_plot(path: str | Path, result: TrainResult, force: bool = False) -> None:
    """Draw the losses over the epochs, and below them what else was noted."""
    check_plot()
    from matplotlib.figure import Figure  # noqa: PLC0415

    table = columns(result)
    losses = {name: table.pop(name) for name in ("loss", "validation") if name in table}
    figure = Figure(figsize=(6, 3 + 2 * len(table)), layout="constrained")
    axes = figure.subplots(1 + len(table), 1, sharex=True, squeeze=False)[:, 0]
    for name, values in losses.items():
        axes[0].plot(range(1, len(values) + 1), values, label=name)
    if all(value > 0 for values in losses.values() for value in values if math.isfinite(value)):
        axes[0].set_yscale("log")
    axes[0].legend()
    for part, (name, values) in _paired(axes[1:], table):
        part.plot(range(1, len(values) + 1), values, color="C2")
        part.set_ylabel(name)
    axes[-1].set_xlabel("epoch")
    image = io.BytesIO()
    figure.savefig(image, format="png", dpi=120, metadata={"Software": None})
    write_bytes(path, image.getvalue(), force)


def _paired(axes: Any, table: dict[str, tuple[float, ...]]) -> Iterator[tuple[Any, Any]]:
    return zip(axes, table.items(), strict=True)
