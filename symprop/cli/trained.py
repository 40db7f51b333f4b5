"""Where `symprop train` leaves what it found.

In: a `TrainResult`. Out: the parameters in the file that the user named; where they are not both,
the best or the last ones in another beside it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from symprop.errors import InputError
from symprop.files.write import may_write
from symprop.train import TrainResult, save_arrays
from symprop.train.curves import check_plot, save_log, save_plot
from symprop.train.signature import leaves_of


@dataclass(frozen=True)
class Places:
    """The files that training writes."""

    output: Path
    checkpoint: Path
    force: bool
    table: Path | None = None
    plot: Path | None = None

    def may_write(self, validation: bool) -> None:
        """Raise before long work whose result would have no place."""
        if self.output == self.checkpoint:
            raise InputError(f"{self.output} cannot be both the output and the checkpoint")
        if self.table is not None and self.table.suffix != ".csv":
            raise InputError(f"--log writes a .csv file, not {self.table.name}")
        if self.plot is not None:
            if self.plot.suffix != ".png":
                raise InputError(f"--plot draws a .png file, not {self.plot.name}")
            check_plot()
        pictures = tuple(path for path in (self.table, self.plot) if path is not None)
        others = (self.beside("best"), self.beside("last")) if validation else ()
        for path in (self.output, self.checkpoint, *others, *pictures):
            may_write(path, self.force)

    def beside(self, kind: str) -> Path:
        """Return params.best.npz beside params.npz."""
        return self.output.with_suffix(f".{kind}.npz")

    def save(self, result: TrainResult) -> str:
        """Write the parameters; say which file holds which."""
        kinds = self.kinds(result)
        for path, params in kinds.values():
            save_arrays(path, {**leaves_of(params), **result.fixed}, self.force)
        if self.table is not None:
            save_log(self.table, result, self.force)
        if self.plot is not None:
            save_plot(self.plot, result, self.force)
        named = [f"{path} holds the {f'{kind} parameters'.strip()}"
                 for kind, (path, _) in kinds.items()]
        return " and ".join(named)

    def kinds(self, result: TrainResult) -> dict[str, tuple[Path, Mapping[str, Any]]]:
        """Return what goes where: the parameters, and those of the other kind if they differ."""
        best, last = leaves_of(result.best), leaves_of(result.last)
        if all(np.array_equal(last[name], array) for name, array in best.items()):
            return {"": (self.output, result.params)}
        if result.params is result.best:
            return {"best": (self.output, result.best), "last": (self.beside("last"), result.last)}
        return {"last": (self.output, result.last), "best": (self.beside("best"), result.best)}
