"""Writing files: whole or not at all, and never over a file that is not ours.

In: a path, and text or bytes. Out: the file, marked as ours (see `marks`). A file that carries
no mark is foreign and stays untouched, whatever the caller says; one that was edited by hand
since we wrote it is replaced only by force. Symbolic links are not followed.
"""

import contextlib
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

from symprop.errors import FileError, RefusedToOverwrite
from symprop.files.marks import COMMENT_OF, is_stamped, mark, read_mark, stamp
from symprop.version import __version__

try:
    import fcntl
except ImportError:
    fcntl = None  # type: ignore[assignment]

_DRAFT = ".symprop-"

__all__ = ["make_folder", "may_write", "stamp", "status_of", "write_bytes", "write_text"]


def write_text(path: str | Path, text: str, force: bool = False) -> None:
    """Write `text` to `path` under a stamp, in the comment of the suffix, with our version.

    Raises RefusedToOverwrite for a symbolic link, a foreign file, and without `force` for an
    edited one; FileError where the system does not let us.
    """
    path = Path(path)
    comment = text[:text.find("symprop ")] if is_stamped(text) else COMMENT_OF.get(
        path.suffix.lower(), "# ")
    _write(path, stamp(text, comment, __version__).encode("utf-8"), force)


def write_bytes(path: str | Path, data: bytes, force: bool = False) -> None:
    """Write the bytes of an npz, png or pdf file to `path`, with a mark in them.

    Raises as `write_text` does, and ValueError for another kind of file.
    """
    _write(Path(path), mark(data), force)


def status_of(path: str | Path) -> str:
    """Return "absent", "ours", "edited" (ours, changed by hand since) or "foreign"."""
    path = Path(path)
    try:
        if path.is_symlink():
            return "foreign"
        return read_mark(path.read_bytes()) if path.is_file() else _no_file(path)
    except OSError as error:
        raise _explained(path, "read", error) from error


def may_write(path: str | Path, force: bool = False) -> str:
    """Return the status of `path` if it may be written; else raise as `write_text` does.

    Also for asking before long work whose result would have no place.
    """
    path = Path(path)
    if path.is_symlink():
        raise RefusedToOverwrite(f"{path} is a symbolic link: name the file itself")
    if path.is_dir():
        raise FileError(f"cannot write {path}: it is a folder")
    if not path.parent.is_dir():
        raise FileError(f"cannot write {path}: there is no folder {path.parent}")
    status = status_of(path)
    if status == "foreign":
        raise RefusedToOverwrite(f"{path} exists and was not written by symprop: it stays as it is")
    if status == "edited" and not force:
        how = "--force (in Python, force=True) overwrites it"
        raise RefusedToOverwrite(f"{path} was edited by hand: {how}")
    return status


def make_folder(path: str | Path) -> Path:
    """Create the folder `path`, with the folders above it, if it is not there. FileError."""
    path = Path(path)
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _explained(path, "create the folder", error) from error
    return path


def _write(path: Path, data: bytes, force: bool) -> None:
    status = may_write(path, force)
    try:
        clear_drafts(path.parent)
        with _draft(path.parent, data) as draft:
            _put_in_place(draft, path, status)
    except OSError as error:
        raise _explained(path, "write", error) from error


def clear_drafts(folder: Path) -> None:
    """Remove the drafts of writers that were killed: nobody holds their locks any more."""
    for draft in folder.glob(f"{_DRAFT}*"):
        with contextlib.suppress(OSError):
            number = os.open(draft, os.O_RDWR | getattr(os, "O_NOFOLLOW", 0))
            try:
                _lock(number, wait=False)
                draft.unlink()
            finally:
                os.close(number)


@contextlib.contextmanager
def _draft(folder: Path, data: bytes) -> Iterator[Path]:
    """A file beside the one to be written, locked while it is there."""
    draft, number = _created(folder)
    try:
        with os.fdopen(number, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(number)
            if fcntl is None:  # Windows, which moves no file that is open
                file.close()
            yield draft
    finally:
        with contextlib.suppress(OSError):
            draft.unlink(missing_ok=True)


def _created(folder: Path) -> tuple[Path, int]:
    """An empty draft and its number, once it is locked and still there."""
    while True:
        draft = folder / f"{_DRAFT}{secrets.token_hex(8)}"
        # os.open and not tempfile: the file gets the permissions that the user's umask gives.
        number = os.open(draft, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o666)
        with contextlib.suppress(OSError):  # a file system without locks
            _lock(number, wait=True)
        if os.fstat(number).st_nlink:  # another has not taken it for one that was left behind
            return draft, number
        os.close(number)


def _lock(number: int, wait: bool) -> None:
    """Lock a file for as long as it is open. OSError where another has it."""
    if fcntl is not None:  # else Windows, where nobody removes what is open
        fcntl.flock(number, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))


def _put_in_place(draft: Path, path: Path, status: str) -> None:
    if status == "absent":
        # A link fails if somebody has made the file meanwhile; a replacement would not.
        try:
            os.link(draft, path)
            return
        except FileExistsError as error:
            raise RefusedToOverwrite(f"{path} has just been made by somebody else") from error
        except OSError:
            pass  # a file system without links
    else:
        draft.chmod(path.stat().st_mode & 0o777)
    os.replace(draft, path)


def _no_file(path: Path) -> str:
    return "foreign" if path.exists() else "absent"


def _explained(path: Path, verb: str, error: OSError) -> OSError:
    if isinstance(error, RefusedToOverwrite):
        return error
    return FileError(f"cannot {verb} {path}: {(error.strerror or str(error)).lower()}")
