"""How to train: every number that a user may turn, tested once.

In: the options of `train`. Out: a `Settings`, or an `InputError` that names the option.
"""

from dataclasses import dataclass
from numbers import Integral, Real

from symprop.errors import InputError
from symprop.train.optimizers import Optimizer


@dataclass(frozen=True)
class Settings:
    """The options of one training run.

    >>> from symprop.train.optimizers import Adam
    >>> Settings(Adam(0.01), batch=0)
    Traceback (most recent call last):
    symprop.errors.InputError: batch must be a whole number of at least 1, not 0
    """

    optimizer: Optimizer
    validation: float = 0.0
    batch: int | None = None
    epochs: int = 50
    tol: float = 0.0
    patience: int | None = None
    seed: int = 0
    l2: float = 0.0
    batch_axis: str | None = None
    clip: float | None = None

    def __post_init__(self) -> None:
        _number("lr", self.optimizer.lr, above_zero=True)
        _number("validation", self.validation, below=1.0)
        _number("tol", self.tol)
        _number("l2", self.l2)
        if self.clip is not None:
            _number("clip", self.clip, above_zero=True)
        _whole("epochs", self.epochs, 0)
        _whole("seed", self.seed, 0)
        if self.batch is not None:
            _whole("batch", self.batch, 1)
        if self.patience is not None:
            _whole("patience", self.patience, 1)
            if self.tol == 0 and self.validation == 0:
                raise InputError("patience counts epochs of change below tol: give tol as well, or"
                                 " hold out examples (validation), whose loss is then watched")

    @property
    def calm_epochs(self) -> int:
        """After how many epochs in a row without progress to stop; 0: never.

        No progress is a change of the loss by less than `tol` or, where examples are held out, a
        validation loss that is not lower than before by more than `tol`.
        """
        return self.patience or int(self.tol > 0)

    @property
    def needs_examples(self) -> bool:
        """Whether single examples must be told apart."""
        return self.batch is not None or self.validation > 0


def _whole(name: str, value: object, least: int) -> None:
    if isinstance(value, bool) or not isinstance(value, Integral) or int(value) < least:
        raise InputError(f"{name} must be a whole number of at least {least}, not {value!r}")


def _number(
    name: str, value: object, *, above_zero: bool = False, below: float = float("inf")
) -> None:
    """Test 0 <= value < below, or 0 < value where zero would make no sense."""
    wanted = "above 0" if above_zero else "of at least 0"
    if below != float("inf"):
        wanted += f" and below {below:g}"
    fits = isinstance(value, Real) and not isinstance(value, bool)
    if not fits or not 0 <= float(value) < below or (above_zero and value == 0):  # type: ignore[arg-type]
        raise InputError(f"{name} must be a number {wanted}, not {value!r}")
