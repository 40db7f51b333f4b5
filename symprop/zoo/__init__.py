"""The zoo: plain NumPy forward passes, ready to derive.

In: nothing. Out: `models()`, the table of all models by name, and `titles()`, which loads none.
"""

from typing import TYPE_CHECKING, Any

from symprop.files.load import part
from symprop.zoo.titles import titles

if TYPE_CHECKING:
    from symprop.zoo.model import Model
    from symprop.zoo.table import models

__all__ = ["Model", "models", "titles"]

_WHERE = {"Model": "symprop.zoo.model", "models": "symprop.zoo.table"}


def __getattr__(name: str) -> Any:
    """Import the models when they are first asked for."""
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return part(_WHERE[name], name)
