"""Names for equations, observed while the user's function runs.

In: the frames of the user's function, of its helpers and of `symprop.nn`. Out: on every draft
the name of the user's variable that held it first, and for what only a helper named, the
helper's own name; and the call that made it; an iteration of a `for` counts as one. A
comprehension belongs to the function in which it stands, what a function of `symprop.nn` calls
there to that function.
"""

from __future__ import annotations

import inspect
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import CodeType, FrameType
from typing import Any

from symprop.algebra.build import ONE, mul
from symprop.algebra.canonical import same
from symprop.algebra.expr import Access
from symprop.names import is_name
from symprop.system import Call
from symprop.trace.aliases import View
from symprop.trace.context import code_of, is_users, line_of, source_line
from symprop.trace.fillable import traced_part
from symprop.trace.imported import NAMESPACES
from symprop.trace.iterations import Iterations, Loop, loops
from symprop.trace.tensor import Traced
from symprop.trace.tracer import Tracer

CARRY = "carry"
PREVIOUS = "_prev"  # what the state of a recurrence is before a step
_COMPREHENSIONS = ("<listcomp>", "<setcomp>", "<dictcomp>", "<genexpr>")
_MOST_ITEMS = 1000
_DEEPEST, _FEW = 4, 16  # containers within one another, and things in each


class Observer:
    """Watches local variables line by line through `sys.settrace`."""

    def __init__(self, tracer: Tracer, function: Callable[..., Any]) -> None:
        self.tracer = tracer
        self.levels: dict[FrameType, int] = {}
        self.calls: dict[FrameType, Call | None] = {}
        self.turns: dict[FrameType, Iterations] = {}  # the loops of the user's frames
        self.seen: dict[FrameType, dict[str, object]] = {}
        self.codes: dict[CodeType, int] = {}
        self.observed: dict[tuple[object, str], bool] = {}
        self.reserved: set[str] = set()
        self.views: list[View] = []  # what variables held, in order
        self.columns: list[View] = []  # the same of integers
        self.count = 0  # calls so far
        self.own_code(function, 0)

    def own_code(self, function: Any, level: int) -> None:
        """Makes the frames of `function` count as the user's own, at `level`."""
        code = code_of(function)
        if code is not None:
            self.codes[code] = level
            self.reserved.update(code.co_varnames)

    def level_here(self) -> int:
        """The level of the innermost observed frame."""
        frame = self._observed_from(sys._getframe(1))
        return self.levels[frame] if frame is not None else 0

    def call_here(self) -> Call | None:
        """The call that is running; None in the traced function itself."""
        frame = self._observed_from(sys._getframe(1))
        return self.calls[frame] if frame is not None else None

    def _observed_from(self, frame: FrameType | None) -> FrameType | None:
        """The innermost observed frame, from this one outwards."""
        while frame is not None and frame not in self.levels:
            frame = frame.f_back
        return frame

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Observes for the length of a with block; the previous trace function comes back."""
        previous = sys.gettrace()
        sys.settrace(self._called)
        try:
            yield
        finally:
            sys.settrace(previous)
            self.levels.clear()
            self.calls.clear()
            self.turns.clear()
            self.seen.clear()

    def _called(self, frame: FrameType, event: str, arg: object) -> Any:
        place = frame.f_globals.get("__name__"), frame.f_code.co_filename
        observed = self.observed.get(place)  # asked for every call, ours too
        if observed is None:
            observed = self.observed[place] = _observed(frame)
        if not observed or event != "call":
            return None
        if is_users(frame):
            NAMESPACES.adapt(frame)
        level = self.codes.get(frame.f_code)
        parent = self._observed_from(frame.f_back)
        if level is None:
            level = self.levels[parent] + 1 if parent is not None else 0
        self.levels[frame] = level
        if frame not in self.calls:  # a generator is entered again and again
            self.calls[frame] = self._call(frame, parent)
            if is_users(frame) and loops(frame.f_code):
                self.turns[frame] = Iterations(frame.f_code, self.calls[frame])
        self.seen[frame] = {
            name: value if (array := traced_part(value)) is None else array.body
            for name, value in _items(frame.f_locals)}
        for name, value in frame.f_locals.items():
            if isinstance(value, Traced) and value.draft is not None:
                if value.draft.op == CARRY:
                    self._note(name, value, frame)
                elif is_users(frame) and is_whole(value):
                    value.draft.argument = value.draft.argument or name
        return self._ran

    def _call(self, frame: FrameType, parent: FrameType | None) -> Call | None:
        """The call that a frame stands for, or to which it belongs."""
        if parent is None:
            return None
        around = self.calls[parent]
        if frame.f_code.co_name in _COMPREHENSIONS or not is_users(parent):
            return around
        self.count += 1
        code = frame.f_code
        return Call(self.count, code.co_name, _place(code, code.co_firstlineno), line_of(parent),
                    around, _held(frame), spot=parent.f_lasti)

    def _turn(self, frame: FrameType) -> None:
        """Where a loop comes to another iteration, or ends."""
        turns = self.turns.get(frame)
        if turns is not None:
            self.calls[frame] = turns.at(
                frame.f_lineno, lambda loop, around: self._iteration(frame, loop, around))

    def _iteration(self, frame: FrameType, loop: Loop, around: Call | None) -> Call:
        self.count += 1
        place = _place(frame.f_code, loop.head)
        return Call(self.count, loop.name, place, place, around,
                    _held(frame)[::-1], iteration=True)

    def _ran(self, frame: FrameType, event: str, arg: object) -> Any:
        if frame in self.levels and event in ("line", "return"):
            seen = self.seen[frame]
            for name, value in _items(frame.f_locals):
                array = traced_part(value)
                held = value if array is None else array.body  # a write changes it
                if seen.get(name) is not held:
                    seen[name] = held
                    if array is not None:
                        self._note(name, array, frame)
            if event == "line":
                self._turn(frame)
        if event == "return":
            self.levels.pop(frame, None)
            self.seen.pop(frame, None)
            if not frame.f_code.co_flags & inspect.CO_GENERATOR:
                self.calls.pop(frame, None)
                self.turns.pop(frame, None)
        return self._ran

    def _note(self, name: str, value: Traced, frame: FrameType) -> None:
        draft, level = value.draft, self.levels[frame]
        if value.tracer is not self.tracer or not is_name(name):
            return
        entry = value.body.single_atom
        if isinstance(entry, Access) and value.kind != "bool" and is_users(frame) and (
                name in frame.f_locals):
            (self.views if value.kind == "float" else self.columns).append(View(
                name, value.axes, entry, level, self.calls[frame], source_line()))
        if draft is None:
            return
        own = self.calls[frame] is draft.call and is_users(frame)
        if draft.variable is None and own and is_whole(value):
            draft.variable = name
        if draft.op == CARRY:
            draft.local = draft.local or name
        elif not is_whole(value):
            if shows_all(value) and is_users(frame) and (
                    draft.hint is None or level < draft.hint_depth):
                draft.hint, draft.hint_depth = name, level
        elif level == 0:
            draft.name = draft.name or name
        elif draft.local is None or level < draft.depth:
            draft.local, draft.depth = name, level
            library = not is_users(frame)
            if not library or draft.call is self.calls[frame]:
                draft.helper, draft.library = name, library


def _place(code: CodeType, line: int) -> str:
    return f"{os.path.basename(code.co_filename)}:{line}"


def _held(frame: FrameType) -> tuple[tuple[str, Access], ...]:
    """The arrays that a function holds, each with its name; "p.w" for what lies in a container."""
    found = [(name, value.body.single_atom) for key, held in list(frame.f_locals.items())
             for name, value in _leaves(key, held, _DEEPEST)]
    return tuple((name, a) for name, a in found if isinstance(a, Access))


def _leaves(name: str, value: object, depth: int) -> Iterator[tuple[str, Traced]]:
    if isinstance(value, Traced):
        yield name, value
    elif isinstance(value, list | tuple | dict) and len(value) <= _MOST_ITEMS and depth:
        parts = [*(value.items() if isinstance(value, dict) else enumerate(value))]
        inside = depth - 1 if len(parts) <= _FEW else 0  # not all layers, at every one of them
        for key, part in parts:
            yield from _leaves(f"{name}.{key}", part, inside)


def is_whole(value: Traced) -> bool:
    """Whether a view shows its equation as it is (but for axes of size 1)."""
    atom, draft = value.body.single_atom, value.draft
    if not isinstance(atom, Access) or draft is None:
        return False
    own = [a for a in value.axes if a.size != ONE]
    shown = [i.single_index for i in atom.indices]
    loops = [i for i in value.tracer.loops if i in shown]
    if shown != [*loops, *own]:
        return False
    return all(same(a.size, b.size) for a, b in zip([*loops, *own], draft.indices, strict=True))


def shows_all(value: Traced) -> bool:
    """Whether a view has as many entries as its equation: a transpose, heads, another shape."""
    draft = value.draft
    return draft is not None and not value.tracer.loops and same(
        mul(ONE, *value.sizes), mul(ONE, *(i.size for i in draft.indices)))


def _observed(frame: FrameType) -> bool:
    module = str(frame.f_globals.get("__name__", ""))
    return is_users(frame) or (module + ".").startswith("symprop.nn.")


def _items(table: Mapping[str, object]) -> Iterator[tuple[str, object]]:
    """Local variables, and what stands in a list, tuple or dict among them."""
    for name, value in list(table.items()):
        yield name, value
        if isinstance(value, list | tuple) and len(value) <= _MOST_ITEMS:
            for key, part in enumerate(value):
                yield f"{name}_{key}", part
        elif isinstance(value, dict) and len(value) <= _MOST_ITEMS:
            for key, part in list(value.items()):
                yield f"{name}_{key}", part
