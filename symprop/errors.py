"""Every exception that symprop raises for what a user did.

In: nothing. Out: one class per kind of mistake. Each derives from `SympropError`, so that one
`except` catches all of them, and from the built-in class that a NumPy user would expect.
"""


class SympropError(Exception):
    """The root of all errors that symprop raises."""


class ShapeError(SympropError, ValueError):
    """Shapes or axis sizes do not fit, or a shape is not written in the grammar."""


class NameRuleError(SympropError, ValueError):
    """A name cannot be a name in Python, LaTeX and HTML alike."""


class UnsupportedError(SympropError, NotImplementedError):
    """An operation, or a way of calling one, that has no derivation."""


class TraceError(SympropError, TypeError):
    """The traced function does something that a trace cannot follow."""


class DTypeError(SympropError, TypeError):
    """An array is of a kind of number that cannot stand here."""


class FactError(SympropError, ValueError):
    """A declared fact is malformed, or an input contradicts it."""


class InputError(SympropError, ValueError):
    """An argument, an option or the content of a file is not usable."""


class IndexRangeError(SympropError, IndexError):
    """An index points outside its axis."""


class RefusedToOverwrite(SympropError, FileExistsError):
    """A file is in the way that is not ours or was edited by hand."""


class FileError(SympropError, OSError):
    """A file cannot be found, read or written."""


class VerificationError(SympropError, AssertionError):
    """Internal: random tensors refute a step of a derivation."""
