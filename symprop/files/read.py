"""Which paths may be read: files with an end.

In: a path that the user named. Out: nothing, or a FileError before anything is opened: a pipe
waits for ever, and a device such as /dev/zero has no end.
"""

from pathlib import Path

from symprop.errors import FileError


def expect_file(path: str | Path) -> Path:
    """Return the path if a file stands there, or nothing at all; else raise FileError.

    >>> expect_file("/dev/null")
    Traceback (most recent call last):
    symprop.errors.FileError: cannot read /dev/null: it is no file, but a device or a pipe
    """
    path = Path(path)
    if path.exists() and not path.is_file() and not path.is_dir():
        raise FileError(f"cannot read {path}: it is no file, but a device or a pipe")
    return path
