"""Arrays from files, and arrays as a model wants them.

In: an .npz file, or a mapping of arrays. Out: plain arrays by leaf name, of one floating type, or
an error that names file, array, axis and sizes. Nothing is unpickled; every member of a file is
read at once, and its header is compared with its true length before memory is asked for.
"""

import io
import tokenize
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from symprop.errors import FileError, InputError, ShapeError
from symprop.files.read import expect_file
from symprop.files.write import write_bytes
from symprop.names import check_name
from symprop.shapes import ArraySpec, parse_spec, solve_sizes
from symprop.train.signature import Leaf, Signature

Array = NDArray[Any]
Arrays = dict[str, Array]
NUMBERS = "fiub"
EPOCH_OF_ZIP = (1980, 1, 1, 0, 0, 0)


def load_arrays(path: str | Path) -> Arrays:
    """Read all arrays of an .npz file.

    FileError if it cannot be read, InputError if it is no .npz or holds anything but arrays of
    real numbers under legal names.
    """
    try:
        with zipfile.ZipFile(expect_file(path)) as archive:
            members = archive.infolist()
            names = [_member_name(member.filename, path) for member in members]
            if len(set(names)) != len(names):
                raise InputError(f"{path} holds two arrays of the same name")
            return {
                name: _read(archive, member, f"{name} in {path}")
                for name, member in zip(names, members, strict=True)
            }
    except FileError:
        raise
    except OSError as error:
        raise FileError(f"cannot read {path}: {error.strerror or error}") from None
    except (zipfile.BadZipFile, zipfile.LargeZipFile, NotImplementedError, RuntimeError, EOFError):
        raise InputError(f"{path} is not an .npz file as numpy.savez writes them") from None


def save_arrays(path: str | Path, arrays: Mapping[str, Array], force: bool = False) -> None:
    """Write an .npz file that `numpy.load` reads; the same arrays give the same bytes.

    Raises RefusedToOverwrite and FileError as `symprop.files.write.write_bytes` does.
    """
    write_bytes(path, archived(arrays), force)


def archived(arrays: Mapping[str, Array]) -> bytes:
    """The bytes of an .npz file."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, array in arrays.items():
            member = io.BytesIO()
            np.lib.format.write_array(member, np.asarray(array), allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy", EPOCH_OF_ZIP), member.getvalue())
    return buffer.getvalue()


def fit_data(signature: Signature, given: Mapping[str, Any]) -> Arrays:
    """Return the data arrays of a model by leaf name, in one floating type.

    `given` is keyed by arguments (nested as these are) or by leaves. Floating arrays of float32
    alone stay float32; whole numbers where floats are declared become floats. InputError for
    missing, superfluous, empty and not finite arrays and for the wrong kind of number.
    """
    leaves = signature.flattened(given)
    _compare_names(signature, leaves)
    arrays = {leaf.name: _numbers(leaf.name, leaves[leaf.name]) for leaf in signature.data}
    floats = [leaf.name for leaf in signature.data
              if leaf.spec.dtype == "float" and not leaf.constant]
    dtype = common_dtype([arrays[name] for name in floats])
    fitted = {leaf.name: _cast(leaf, arrays[leaf.name], dtype) for leaf in signature.data}
    for name, array in fitted.items():
        if array.size == 0:
            raise InputError(f"{name} is empty: it has the shape {array.shape}")
        if not np.isfinite(array).all():
            raise InputError(f"{name} holds numbers that are not finite")
    return fitted


def common_dtype(arrays: list[Array]) -> np.dtype[Any]:
    """Return the floating type to train in; scalars and whole numbers have no say.

    >>> common_dtype([np.ones(3, np.float32), np.array(0.1)])
    dtype('float32')
    """
    kinds = [array.dtype for array in arrays if array.ndim and array.dtype.kind == "f"]
    return np.result_type(np.float32, *kinds) if kinds else np.dtype(np.float64)


def find_sizes(
    leaves: tuple[Leaf, ...], arrays: Mapping[str, Array], chosen: Mapping[str, int]
) -> dict[str, int]:
    """Infer the sizes of axes from arrays and from those that the user chose; ShapeError."""
    known = {name for leaf in leaves for name in leaf.spec.names()}
    for name, size in chosen.items():
        if name not in known:
            raise InputError(f"no array has an axis {name} whose size could be chosen")
        if isinstance(size, bool) or not isinstance(size, int | np.integer) or size < 1:
            raise InputError(f"the size of {name} must be a whole number above 0, not {size!r}")
    specs: dict[str, ArraySpec] = {
        f"the option size {name}": parse_spec(name, name) for name in chosen
    }
    shapes: dict[str, tuple[int, ...]] = {
        f"the option size {name}": (int(size),) for name, size in chosen.items()
    }
    specs.update({leaf.name: leaf.spec for leaf in leaves if leaf.name in arrays})
    shapes.update({leaf.name: arrays[leaf.name].shape for leaf in leaves if leaf.name in arrays})
    try:
        return solve_sizes(specs, shapes)
    except ShapeError as error:
        raise InputError(str(error)) from None


def _member_name(filename: str, path: str | Path) -> str:
    """Return the name of an array from that of its member; it is never used as a path."""
    stem = filename.removesuffix(".npy")
    try:
        if stem == filename:
            raise InputError("it does not end in .npy")
        return check_name(stem, "an array")
    except ValueError as error:
        raise InputError(
            f"the member name {filename[:40]!a} in {path} is not usable: {error}"
        ) from None


def _read(archive: zipfile.ZipFile, member: zipfile.ZipInfo, what: str) -> Array:
    """Read one array after its header has been believed."""
    try:
        with archive.open(member) as stream:
            _believe(stream, member.file_size, what)
        with archive.open(member) as stream:
            array: Array = np.lib.format.read_array(stream, allow_pickle=False)
            return array
    except InputError:
        raise
    except (ValueError, SyntaxError, tokenize.TokenError) as error:  # of its header
        raise InputError(f"{what} is not an array: {str(error).splitlines()[0]}") from None
    except MemoryError:
        raise InputError(f"{what} does not fit into memory") from None


def _believe(stream: IO[bytes], length: int, what: str) -> None:
    """Refuse objects, and a header that promises another number of bytes than there are."""
    version = np.lib.format.read_magic(stream)
    if version == (1, 0):
        shape, _, dtype = np.lib.format.read_array_header_1_0(stream)
    elif version == (2, 0):
        shape, _, dtype = np.lib.format.read_array_header_2_0(stream)
    else:
        raise InputError(f"{what} has named fields; plain arrays of numbers are needed")
    if dtype.hasobject:
        raise InputError(f"{what} holds objects; object arrays are not read, they can run code")
    size = dtype.itemsize
    for axis in shape:
        size *= axis
    if size + stream.tell() != length:
        raise InputError(f"{what} is damaged: its header says {shape}, its length does not")


def _compare_names(signature: Signature, given: Mapping[str, Any]) -> None:
    """Refuse missing and superfluous arrays; say what is expected."""
    wanted = [leaf.name for leaf in signature.data]
    trained = [leaf.name for leaf in signature.parameters]
    missing = [name for name in wanted if name not in given]
    extra = [name for name in given if name not in wanted]
    expected = ", ".join(str(leaf) for leaf in signature.data)
    constants = [leaf.name for leaf in signature.data if leaf.constant and leaf.name in missing]
    if constants:
        raise InputError(
            f"the constants {', '.join(constants)} are missing: say --constants FILE.npz, with the "
            "file that symprop generate --constants wrote, or hand them in with the data")
    if missing:
        raise InputError(f"the data lack {', '.join(missing)}; the model takes {expected}")
    for name in extra:
        if name in trained:
            raise InputError(f"{name} is trained and cannot be data: give it as init")
        if name in [leaf.name for leaf in signature.fixed]:
            raise InputError(f"{name} is drawn once and stays fixed: give it as init")
        raise InputError(f"{name} is no input of the model; it takes {expected or 'no data'}")


def _numbers(name: str, value: Any) -> Array:
    try:
        array = np.asarray(value)
    except ValueError:
        raise InputError(f"{name} is ragged: its rows differ in length") from None
    if array.dtype.kind not in NUMBERS:
        raise InputError(f"{name} holds {array.dtype}, not real numbers")
    return array


def _cast(leaf: Leaf, array: Array, dtype: np.dtype[Any]) -> Array:
    """Bring an array to the declared kind of number; never from floats to whole numbers."""
    wanted, kind = leaf.spec.dtype, array.dtype.kind
    if wanted == "float":
        return array.astype(dtype, copy=False)
    if kind not in {"int": "iu", "bool": "b"}[wanted]:
        raise InputError(f"{leaf.name} is declared as {wanted} but holds {array.dtype} numbers")
    return array
