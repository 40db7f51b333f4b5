"""From a NumPy function to a System.

In: a function of arrays, shapes, facts. Out: a `System` of named equations. The function runs
once, on traced arrays; NumPy's namespace and the trace function of this thread are put back
whatever happens.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

from symprop.check.trees import children, part_name
from symprop.collector import paused
from symprop.errors import DTypeError, InputError, SympropError, TraceError
from symprop.system import Fact, System
from symprop.trace import operations, running
from symprop.trace.arguments import (
    Arguments,
    bound_call,
    call_values,
    declare,
    module_of,
    read_arguments,
)
from symprop.trace.context import at_definition, raised_at
from symprop.trace.facts import checked_facts
from symprop.trace.families import Mismatch
from symprop.trace.finish import Returned, finish, returned
from symprop.trace.held import held_arguments, held_facts
from symprop.trace.imported import NAMESPACES
from symprop.trace.lifting import adopted, lifted
from symprop.trace.loops import Program, rolled
from symprop.trace.namespace import patched
from symprop.trace.naming import Observer
from symprop.trace.notes import notes_of
from symprop.trace.raised import in_our_words
from symprop.trace.tracer import Exact, Tracer
from symprop.trace.turns import LoopRefusal, Turns

assert operations


@paused()
def trace(
    function: Callable[..., Any],
    shapes: Mapping[str, Any] | None = None,
    wrt: Iterable[str] | None = None,
    facts: Iterable[Fact] = (),
    static: Mapping[str, Any] | None = None, loops: bool = True,
) -> System:
    """Trace a NumPy function into a `System` of equations.

    `shapes` gives the shapes of the arguments, over their annotations: `"N K"`, `"int N"`, `""`
    for a scalar, or a dict, list or tuple of these. `wrt` names the arguments (or leaves such as
    `blocks_0_Wq`) to differentiate by; all floating ones by default. `static` overrides the
    values of arguments that have a default and no shape. The function returns its scalar loss,
    or (loss, dict of named outputs). Python loops over named axes become recurrences, unless
    `loops` is false.

    Raises ShapeError for shapes that do not fit, TraceError for what a trace cannot follow,
    UnsupportedError for operations without a definition, DTypeError for integer parameters,
    FactError, NameRuleError and InputError for what their names say.

    >>> def loss(X: "N K", y: "N", w: "K"):
    ...     return np.mean((X @ w - y) ** 2)
    >>> [e.array for e in trace(loss).equations]
    ['error', 'L']
    """
    if not callable(function):
        raise InputError(f"trace needs a function, not {function!r}")
    with at_definition(function):
        found = read_arguments(function, shapes, static)
        declare(found, Tracer())
        call = _Call(function, found, _wrt(found, wrt), wrt is None, tuple(facts))
    try:
        return _divided(call)
    except LoopRefusal as error:
        if not loops:
            raise
        refusal = error
    return _with_loops(call, refusal)  # what it raises has not come from the refusal


def _divided(call: _Call) -> System:
    """The System of a function, in which n // k is rounded down wherever it may leave a rest.

    Where shapes ask for none, (D // 2) * 2 beside D, the function is run again with such divisions
    exact from the beginning; where anything else stands in the way, with all of them.
    """
    exact: Exact = frozenset()
    while True:
        tracer = Tracer(exact=exact)
        declare(call.found, tracer)
        try:
            ran = call.run(tracer)
            system = None if tracer.needed else call.system(*ran)
        except Exception:
            if not tracer.floors:
                raise
            exact = {*(exact or ()), *tracer.needed} if tracer.needed else None
        else:
            if system is not None and not tracer.needed:
                return system
            exact = {*(exact or ()), *tracer.needed}


@dataclass(frozen=True)
class _Call:
    """A function and how it is called: what every run of it has in common."""

    function: Callable[..., Any]
    found: Arguments
    wrt: tuple[tuple[str, ...], tuple[str, ...]]  # as the user gave them, and their leaves
    every: bool  # the user gave none: all floating arguments
    facts: tuple[Fact, ...]

    def run(self, tracer: Tracer) -> tuple[Tracer, Returned]:
        """Runs the function on traced arrays."""
        inputs = {n: a for n, a in tracer.arrays.items() if a.kind == "input"}
        checked_facts(self.facts, inputs)
        with _running(tracer, self.function):
            try:
                with tracer.observer.watching():
                    value = _called(self.function, call_values(self.found, tracer))
            except Exception as error:
                if tracer.turns is None or isinstance(error, LoopRefusal):
                    raise
                raise _Raised(error) from error
            with at_definition(self.function):
                return tracer, returned(value, tracer)

    def system(self, tracer: Tracer, back: Returned, loops: tuple[str, ...] = ()) -> System:
        """The System of what a run has recorded."""
        inputs = {n: a for n, a in tracer.arrays.items() if a.kind == "input"}
        keys, leaves = self.wrt
        facts = checked_facts(self.facts, inputs)
        with running.entered(tracer):
            result = finish(tracer, back.loss, back.outputs, leaves, facts)
        noted = notes_of(self.found, result, leaves, self.function, self.every)
        return System(
            name=_function_name(self.function),
            module=module_of(self.function),
            arguments=(*self.found.arguments, *held_arguments(tracer.held)),
            arrays=result.arrays,
            equations=result.equations,
            loss=result.loss,
            outputs=result.outputs,
            output_shapes=back.shapes,
            wrt=leaves,
            wrt_keys=keys,
            facts=(*facts, *held_facts(tracer.held)),
            index_ranges=result.index_ranges,
            conditions=tuple(tracer.conditions),
            constants=tracer.constants,
            held=tracer.held,
            numbers=tuple(tracer.numbers),
            sizes=tuple(tracer.size_names),
            written=tuple(dict.fromkeys(tracer.written)),
            loops=loops,
            notes=(*noted, *tracer.notes),
        )


def _with_loops(call: _Call, refusal: LoopRefusal) -> System:
    """The System of a function that loops over named axes, from runs at several lengths.

    Where they are not one program, the axis cannot be counted, as the refusal says.
    """
    axes = refusal.axes
    waiting = list(_LENGTHS)
    growing: list[str] = []
    while waiting and len(axes) <= _MOST_AXES:
        try:
            programs = [_counted(call, dict(zip(axes, each, strict=False)), growing)
                        for each in waiting[0]]
            tracer, back = adopted(lifted(programs))
        except LoopRefusal as another:
            if set(another.axes) <= set(axes):
                break
            axes = tuple(dict.fromkeys((*axes, *another.axes)))
        except Mismatch:
            waiting.pop(0)
        except TraceError:  # what has counted an axis is no traced array: no loss, say
            break
        except _Raised as raised:
            error = _of_the_function(raised.error, axes, waiting[0][0])
            if _raises_otherwise(call, raised.error, axes, waiting[0][1]):
                break
            raise error from raised.error.__cause__
        else:
            return call.system(tracer, back, axes)
    if growing and not waiting:  # no lengths gave one program
        raise type(refusal)(
            f"{growing[0]}: range(t) or x[:t], which is longer from turn to turn of a loop over a "
            "named axis, is no recurrence: write a mask over whole arrays, such as np.tri(N), hand "
            "a running value from turn to turn, or declare the axis as a number") from refusal
    raise refusal


class _Raised(Exception):
    """The function raises an error while its loops are followed."""

    def __init__(self, error: Exception) -> None:
        super().__init__(error)
        self.error = error


def _raises_otherwise(
    call: _Call, error: Exception, axes: Sequence[str], lengths: Sequence[int]
) -> bool:
    """Whether an error comes of the length that an axis is taken to have: "of shape (6,)"."""
    try:
        _counted(call, dict(zip(axes, lengths, strict=False)))
    except _Raised as raised:
        return type(raised.error) is not type(error) or str(raised.error) != str(error)
    except (SympropError, Mismatch):
        pass
    return True


def _of_the_function(
    error: Exception, axes: Sequence[str], lengths: Sequence[int]
) -> SympropError:
    """What has nothing to do with the loops as it is, and what may have with the lengths."""
    if isinstance(error, SympropError):
        return error
    where = ", ".join(f"{a} = {n}" for a, n in zip(axes, lengths, strict=False))
    said = (str(error).splitlines() or ["nothing said"])[0]
    return TraceError(
        f"{raised_at(error)}: with {where} this line raises {type(error).__name__}: {said}; a loop "
        "over a named axis must run at any length: mend the line, or declare the axis as a number")


def _counted(
    call: _Call, lengths: Mapping[str, int], growing: list[str] | None = None
) -> Program:
    """The program of a run in which axes have these lengths."""
    tracer = Tracer(Turns(lengths, growing), exact=None)
    declare(call.found, tracer)
    return rolled(*call.run(tracer))


def _called(function: Callable[..., Any], values: Mapping[str, Any]) -> Any:
    """Calls the function. Where NumPy has put its error in place of ours, ours is raised."""
    try:
        return bound_call(function, values)
    except SympropError:
        raise
    except Exception as error:
        inner: BaseException | None = error
        while inner is not None and not isinstance(inner, SympropError):
            inner = inner.__cause__ or inner.__context__
        if inner is None and isinstance(error, TypeError):
            inner = running.current().refusal
        better = in_our_words(error) if inner is None else inner
        if better is error:
            raise
        raise better from None


# What the first axis that is looped over, the second, and so on are taken to have as lengths:
# never two that are neighbours, and none goes up in equal steps with another.
_LENGTHS = (((6, 9, 12), (7, 11, 15), (9, 6, 13)),
            ((9, 12, 15), (12, 17, 19), (13, 9, 16)))  # where a loop begins later
_MOST_AXES = 3


@contextmanager
def _running(tracer: Tracer, function: Callable[..., Any]) -> Iterator[None]:
    """The tracer as the current one, NumPy's namespace patched; both undone at the end."""
    tracer.observer = Observer(tracer, function)
    with ExitStack() as stack:
        stack.enter_context(running.entered(tracer))
        stack.enter_context(patched())
        NAMESPACES.enter(function)
        try:
            yield
        finally:
            tracer.finished = True


def _function_name(function: Callable[..., Any]) -> str:
    name = getattr(function, "__name__", "") or type(function).__name__
    return name if name.isidentifier() else "function"


# ---- wrt ----------------------------------------------------------------------------------


def _wrt(found: Arguments, wrt: Iterable[str] | None) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(keys as the user gave them, names of the leaves). InputError or DTypeError if unusable."""
    if wrt is None:
        keys = _floating(found)
        if not keys:
            raise DTypeError("there is no floating argument to differentiate by")
    else:
        keys = (wrt,) if isinstance(wrt, str) else tuple(wrt)
        if not keys:
            raise InputError("wrt is empty: name at least one argument to differentiate by")
    leaves: list[str] = []
    for key in keys:
        for leaf in _leaves_of(found, key):
            if found.leaves[leaf].dtype != "float":
                raise DTypeError(
                    f'{leaf} is declared as "{found.leaves[leaf]}": a gradient needs a floating '
                    f'parameter, "{str(found.leaves[leaf]).partition(" ")[2]}"')
            if leaf in leaves:
                raise InputError(f"{leaf} is named twice in wrt")
            leaves.append(leaf)
    return keys, tuple(leaves)


def _leaves_of(found: Arguments, key: object) -> list[str]:
    if isinstance(key, str) and key in found.leaves:
        return [key]
    if isinstance(key, str) and key in found.specs:
        return _below(key, found.specs[key])
    if any(a.name == key for a in found.arguments):
        raise InputError(f"wrt names {key!r}, which has no shape: it is a constant of the trace")
    raise InputError(
        f"wrt names {key!r}, which is no array; the arrays are {', '.join(found.leaves)}")


def _below(name: str, tree: Any) -> list[str]:
    parts = children(tree)
    if parts is None:
        return [name]
    return [leaf for key, part in parts.items() for leaf in _below(part_name(name, key), part)]


def _floating(found: Arguments) -> tuple[str, ...]:
    """Every argument of floats; of a mixed structure the floating leaves."""
    keys: list[str] = []
    for name, spec in found.specs.items():
        leaves = _below(name, spec)
        floats = [n for n in leaves if found.leaves[n].dtype == "float"]
        keys.extend([name] if len(floats) == len(leaves) and leaves else floats)
    return tuple(keys)
