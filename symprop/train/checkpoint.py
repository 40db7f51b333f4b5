"""Checkpoints: a run that was stopped goes on as if it had not been.

In: a `Course`, and what must be the same when it is taken up again. Out: an .npz file, written
whole or not at all, whose hash is tested when it is read; nothing in it is unpickled. Numbers come
back to the last bit.
"""

import hashlib
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, fields
from numbers import Integral, Real
from pathlib import Path
from typing import Any

import numpy as np

from symprop.errors import InputError
from symprop.files.write import may_write, status_of
from symprop.train.course import Course
from symprop.train.data import Array, Arrays, load_arrays, save_arrays
from symprop.train.optimizers import State
from symprop.train.settings import Settings
from symprop.train.signature import Signature

HEADER = "checkpoint"
VERSION = 1
ARRAYS = ("params", "state", "best")  # what the header does not hold
FREE = ("epochs", "tol", "patience")  # may be others when a run goes on
HOW = "leave --resume (resume) out to start anew"


@dataclass
class Keeper:
    """Writes checkpoints to one file, at most every so many seconds unless it must."""

    path: Path
    every: float
    same: Mapping[str, Any]
    fixed: Arrays
    force: bool = False

    def __post_init__(self) -> None:
        if not self.every >= 0:
            raise InputError(f"checkpoint_every is a number of seconds, not {self.every!r}")
        may_write(self.path, self.force)
        self.written = time.monotonic()

    def may_keep(self, course: Course) -> None:
        """Write if it is time."""
        if time.monotonic() - self.written >= self.every:
            self.keep(course)

    def keep(self, course: Course) -> None:
        """Write."""
        save_course(self.path, course, self.fixed, self.same, self.force)
        self.written = time.monotonic()


def fingerprint(signature: Signature, settings: Settings, data: Arrays) -> dict[str, Any]:
    """Return everything but the course itself on which the numbers of a run depend."""
    rule = settings.optimizer
    chosen = {field.name: getattr(settings, field.name) for field in fields(settings)}
    chosen["optimizer"] = type(rule).__name__
    numbers = {field.name: getattr(rule, field.name) for field in fields(rule)}
    leaves = {"the arguments of forward": ", ".join(str(leaf) for leaf in signature.leaves)}
    kept = {name: value for name, value in {**chosen, **numbers}.items() if name not in FREE}
    hashes = {f"the data {name}": _hash(array) for name, array in data.items()}
    return {**leaves, **{name: _plain(value) for name, value in kept.items()}, **hashes}


def save_course(
    path: str | Path, course: Course, fixed: Arrays, same: Mapping[str, Any], force: bool = False
) -> None:
    """Write a checkpoint; raises as `save_arrays` does."""
    plain = {f.name: getattr(course, f.name) for f in fields(course) if f.name not in ARRAYS}
    parts = {"params": course.params, "best": course.best or {}, "fixed": fixed}
    held = [(kind, name, array) for kind, part in parts.items() for name, array in part.items()]
    held += [("slot", name, a) for name, slots in course.state.slots.items() for a in slots]
    header = {"version": VERSION, "same": dict(same), "course": plain, "t": course.state.t,
              "arrays": [(kind, name) for kind, name, _ in held]}
    text = np.frombuffer(json.dumps(header).encode(), np.uint8)
    numbered = {f"array_{i}": np.asarray(array) for i, (_, _, array) in enumerate(held)}
    save_arrays(path, {HEADER: text, **numbered}, force)


def load_course(path: str | Path, same: Mapping[str, Any]) -> tuple[Course, Arrays]:
    """Read a checkpoint: how far the run had come, and what is fixed.

    InputError if the file is damaged or no checkpoint, or belongs to a run that differs in what
    `same` holds; FileError if it cannot be read.
    """
    arrays = load_arrays(path)
    if HEADER not in arrays:
        raise InputError(f"{path} is no checkpoint: training writes one beside its output")
    if status_of(path) != "ours":
        raise InputError(f"{path} is damaged, or was changed: its hash is not that of its content")
    header = json.loads(arrays[HEADER].tobytes())
    if header["version"] != VERSION:
        raise InputError(f"{path} was written by another version of symprop: {HOW}")
    _compare(path, header["same"], json.loads(json.dumps(same)))
    parts: dict[str, Arrays] = {"params": {}, "best": {}, "fixed": {}}
    slots: dict[str, tuple[Any, ...]] = {}
    for number, (kind, name) in enumerate(header["arrays"]):
        array = arrays[f"array_{number}"]
        if kind == "slot":
            slots[name] = (*slots.get(name, ()), array)
        else:
            parts[kind][name] = array
    saved: dict[str, Any] = {
        key: tuple(v) if isinstance(v, list) else v for key, v in header["course"].items()
    }
    state = State(header["t"], slots)
    course = Course(params=parts["params"], state=state, best=parts["best"] or None, **saved)
    return course, parts["fixed"]


def _compare(path: str | Path, before: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    """Refuse to go on with anything that would change the numbers; name the first."""
    for name in [*before, *(name for name in now if name not in before)]:
        old, new = before.get(name), now.get(name)
        if old == new:
            continue
        if name.startswith("the data "):
            raise InputError(f"{name} are not those that {path} was trained on: {HOW}")
        raise InputError(f"{name} was {old} when {path} was written and is {new} now: give the same"
                         f" settings, or {HOW}")


def _plain(value: object) -> object:
    """Return a setting as JSON holds it."""
    if isinstance(value, Integral):
        return int(value)
    if isinstance(value, Real):
        return float(value)
    return value if value is None else str(value)


def _hash(array: Array) -> str:
    """Return a hash of the numbers of an array, their type and its shape."""
    whole = hashlib.sha256(f"{array.dtype.str} {array.shape} ".encode())
    whole.update(np.ascontiguousarray(array).data.cast("B"))
    return whole.hexdigest()[:32]
