"""The version of symprop: the only place where it is written.

In: nothing. Out: `__version__`, which pyproject.toml reads too.
"""

__version__ = "0.2.0"
