"""Finds out what somebody wants to have checked.

In: a module-like object, the path of a Python file, or a pair of functions; annotations, inputs and
options. Out: a `Subject`.
"""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from symprop.check.annotations import read_annotation
from symprop.check.calls import Entry, parameters, required
from symprop.check.subject import Subject
from symprop.check.trees import Record, Tree, children, sequence
from symprop.errors import InputError, ShapeError, SympropError
from symprop.files.load import load_file
from symprop.shapes import ArraySpec, Dim

CONSTANT_TYPES = ("bool", "int", "float")


def as_subject(
    target: object,
    inputs: Mapping[str, Any],
    shapes: Mapping[str, Any],
    wrt: Iterable[str] | None,
    facts: Iterable[object] | None,
) -> Subject:
    """Bring `target` into the form that is checked; InputError if it cannot be.

    `shapes`, `wrt` and `facts` win over what the target declares itself.
    """
    if isinstance(target, str | Path):
        path = Path(target)
        return _from_module(_loaded(path), path.name, inputs, shapes, wrt, facts)
    if isinstance(target, tuple | list):
        if len(target) != 2 or not all(callable(function) for function in target):
            raise InputError("a pair of functions is (forward, backward) or (loss, gradient)")
        return _from_pair(target[0], target[1], inputs, shapes, wrt, facts)
    own = getattr(target, "__name__", None) or getattr(target, "name", None)
    name = own if isinstance(own, str) else type(target).__name__
    return _from_module(target, name, inputs, shapes, wrt, facts)


def _loaded(path: Path) -> object:
    """Import a file; InputError says what it raised."""
    try:
        return load_file(path)
    except SympropError:
        raise
    except Exception as error:
        raise InputError(f"importing {path} raises {type(error).__name__}: {error}") from error


def _from_module(
    module: object,
    title: str,
    inputs: Mapping[str, Any],
    shapes: Mapping[str, Any],
    wrt: Iterable[str] | None,
    facts: Iterable[object] | None,
) -> Subject:
    forward, backward = (getattr(module, name, None) for name in ("forward", "backward"))
    if not (callable(forward) and callable(backward)):
        raise InputError(f"{title} has no functions forward and backward to check")
    declared = _Declared(module, forward)
    trees = argument_trees(forward, shapes, inputs)
    combined = getattr(module, "value_and_grad", None)
    subject = Subject(
        title=title,
        first=_entry(forward, trees),
        second=Entry(backward, {}),
        wrt=tuple(declared.get("WRT") if wrt is None else wrt),
        facts=tuple(declared.get("FACTS") if facts is None else facts),
        zero=tuple(declared.get("ZERO")),
        complex_safe=bool(declared.get("COMPLEX_SAFE", False)),
        is_module=True,
        combined=_entry(combined, trees) if callable(combined) else None,
        **_rule(module, declared, trees),
    )
    return _tested(subject)


def _from_pair(
    first: Callable[..., Any],
    second: Callable[..., Any],
    inputs: Mapping[str, Any],
    shapes: Mapping[str, Any],
    wrt: Iterable[str] | None,
    facts: Iterable[object] | None,
) -> Subject:
    trees = argument_trees(first, shapes, inputs)
    same = set(required(second)) <= set(trees) and set(parameters(second)) >= set(trees)
    subject = Subject(
        title=" and ".join(Entry(function, {}).name for function in (first, second)),
        first=_entry(first, trees),
        second=_entry(second, trees) if same else Entry(second, {}),
        wrt=tuple(wrt or ()),
        facts=tuple(facts or ()),
        same_arguments=same,
    )
    return _tested(subject)


def argument_trees(
    function: Callable[..., Any], shapes: Mapping[str, Any], inputs: Mapping[str, Any]
) -> dict[str, Tree]:
    """Return the shapes of the arguments of `function` that are arrays.

    A parameter with a default and no shape is a constant and stays out. InputError for a parameter
    that has neither shape, input nor default, and for a shape or input of something else.
    """
    known = parameters(function)
    for name in (*shapes, *inputs):
        if name not in known:
            raise InputError(f"there is no argument {name!r}; there are {', '.join(known)}")
    annotations = getattr(function, "__annotations__", {})
    namespace = getattr(function, "__globals__", {})
    trees: dict[str, Tree] = {}
    for name, parameter in known.items():
        has_default = parameter.default is not parameter.empty
        annotation = shapes.get(name, annotations.get(name))
        if annotation is not None and not (has_default and annotation in CONSTANT_TYPES):
            try:
                trees[name] = read_annotation(annotation, name, namespace)
                continue
            except ShapeError:
                if not has_default and name not in inputs:
                    raise
        if name in inputs:
            trees[name] = _tree_of(inputs[name])
        elif not has_default:
            raise InputError(
                f'the shape of {name} is not known; annotate it, as in `{name}: "N K"`, or give'
                f" inputs={{'{name}': ...}}"
            )
    return trees


def _rule(
    module: object, declared: "_Declared", trees: Mapping[str, Tree]
) -> dict[str, Any]:
    """What a module declares of a learning rule that is not the gradient."""
    rule = declared.get("RULE", "")
    if not rule:
        return {}
    departs = declared.get("DEPARTS", None)
    predict = getattr(module, "predict", None)
    taken = parameters(predict) if callable(predict) else ()
    return {
        "own_loss": dict(declared.get("OWN_LOSS", {})),
        "outputs": Entry(predict, {n: t for n, t in trees.items() if n in taken})
        if callable(predict) else None,
        "rule": str(rule),
        "feedback": dict(declared.get("FEEDBACK", {})),
        "departs": tuple(declared.get("WRT") if departs is None else departs),
    }


class _Declared:
    """What a module declares beside its functions, or what stands beside its forward."""

    def __init__(self, module: object, forward: Callable[..., Any]) -> None:
        self.places: tuple[object, Mapping[str, Any]] = module, getattr(forward, "__globals__", {})

    def get(self, name: str, default: Any = ()) -> Any:
        module, beside = self.places
        value = getattr(module, name, None)
        return value if value is not None else beside.get(name, default)


def _entry(function: Callable[..., Any], trees: Mapping[str, Tree]) -> Entry:
    """Pair a function with its arguments; the tests at its door are switched off.

    Differences step out of the declared domain, if only by little.
    """
    options = {"validate": False} if "validate" in parameters(function) else {}
    return Entry(function, trees, {} if "validate" in trees else options)


def _tested(subject: Subject) -> Subject:
    """Refuse names that are not those of arguments."""
    for name in (*subject.wrt, *subject.zero, *subject.departs):
        if name not in subject.nodes:
            raise InputError(f"{name!r} in wrt is not an argument ({', '.join(subject.trees)})")
    return subject


def _tree_of(value: Any) -> Tree:
    """Read the shapes off a value that is not annotated."""
    parts = children(value)
    if parts is None or _is_array(value):
        array = np.asarray(value)
        kind = {"f": "float", "i": "int", "u": "int", "b": "bool"}.get(array.dtype.kind, "float")
        return ArraySpec(kind, tuple(Dim("number", value=size) for size in array.shape))
    trees = {key: _tree_of(part) for key, part in parts.items()}
    if isinstance(value, Mapping):
        return trees
    if isinstance(value, list | tuple):
        return sequence(type(value), trees.values())
    return Record(type(value), trees)


def _is_array(value: Any) -> bool:
    """A list of numbers, or of lists of numbers, is an array rather than a structure."""
    if isinstance(value, list | tuple):
        return bool(value) and all(_is_array(part) for part in value)
    return isinstance(value, int | float | np.number)
