"""The zoo: plain NumPy forward passes, ready to derive.

In: nothing. Out: `models()`, the table of all models by name.
"""

from symprop.zoo.model import Model
from symprop.zoo.table import models

__all__ = ["Model", "models"]
