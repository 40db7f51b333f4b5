"""Writes a training module: one file that trains one model and imports NumPy alone.

In: the text of a generated module and the settings of `train`. Out: the text of a Python file that
holds the model, how its parameters start, the chosen optimizer and the loop, each spelled plainly.
With the same settings and data it gives the same numbers as `symprop.train`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import fields
from numbers import Integral
from pathlib import Path
from typing import Any

from symprop.check.trees import Tree, children, part_name
from symprop.errors import InputError
from symprop.files.templates import render
from symprop.names import unused
from symprop.shapes import Dim
from symprop.train.batches import Examples, examples_if_needed
from symprop.train.embed import giving_way, model_part, names_of
from symprop.train.initial import SCHEMES, Start, starts, weights
from symprop.train.optimizers import (
    Adam,
    AdamW,
    GradientDescent,
    Momentum,
    Nesterov,
    Optimizer,
    RMSprop,
    make_optimizer,
)
from symprop.train.settings import Settings
from symprop.train.signature import Leaf, Signature, signature_of_source

TEMPLATES: Mapping[type[Optimizer], str] = {
    GradientDescent: "gradient_descent",
    Momentum: "momentum",
    Nesterov: "nesterov",
    RMSprop: "rmsprop",
    Adam: "adam",
    AdamW: "adam",
}
LOCALS = ("data", "dtype", "params", "rng", "np")  # what `initialise` calls its own
SHORT = 40  # longest table that stands in one line
WIDTH = 88
NOT_FOR_SAVEZ = ("file", "allow_pickle")


def training_module(
    module_source: str,
    module_name: str,
    *,
    validation: float = 0.0,
    optimizer: str | Optimizer = "adam",
    lr: float = 1e-3,
    batch: int | None = None,
    epochs: int = 50,
    tol: float = 0.0,
    patience: int | None = None,
    seed: int = 0,
    l2: float = 0.0,
    init: str = "glorot",
    sizes: Mapping[str, int] | None = None,
    batch_axis: str | None = None,
    templates: str | Path | None = None,
) -> str:
    """Return the text of a module that trains the model in `module_source`.

    `module_name` is what the docstring calls it; the settings are those of `symprop.train`, and
    `init` names a scheme. `templates` is a folder of the user's own templates. Raises InputError
    for settings or a module that do not fit.

    >>> source = 'WRT = ("m",)\\ndef forward(x: "N", m: ""): ...\\ndef value_and_grad(x, m): ...'
    >>> "step = LR * g" in training_module(source, "mean", optimizer="gd")
    True
    """
    rule = make_optimizer(optimizer, lr)
    settings = Settings(rule, validation, batch, epochs, tol, patience, seed, l2, batch_axis)
    if type(rule) not in TEMPLATES:
        raise InputError(f"there is no text for the optimizer {type(rule).__name__}")
    if init not in SCHEMES:
        raise InputError(f"init of a training module is one of {', '.join(SCHEMES)}, not {init!r}")
    signature = signature_of_source(module_source, module_name)
    _check_module(module_source, module_name, signature)
    model = model_part(module_source)
    context = {
        "module_name": module_name,
        "model": model,
        **_loop(signature, settings),
        **_start(signature, settings, init, sizes or {}),
        **_structure(signature),
    }
    training = render("train/training.py.jinja", context, templates).rstrip("\n")
    context["training"] = giving_way(training, names_of(model))
    return render("train.py.jinja", context, templates)


def _loop(signature: Signature, settings: Settings) -> dict[str, Any]:
    """Return what the templates need to know of the optimizer and the batches."""
    examples = examples_if_needed(signature, settings)
    rule = settings.optimizer
    return {
        "settings": settings,
        "constants": _constants(settings),
        "rule": TEMPLATES[type(rule)],
        "title": type(rule).__name__,
        "decoupled": rule.decoupled,
        "places": examples.places if settings.needs_examples and examples else {},
        "axis": examples.axis if examples else "",
        "weights": weights(signature, examples) if settings.l2 else (),
        "tables": _tables(signature, examples),
    }


def _start(
    signature: Signature, settings: Settings, init: str, sizes: Mapping[str, int]
) -> dict[str, Any]:
    """Return what the templates need to know of the first parameters."""
    plan = starts(signature, init, examples_if_needed(signature, settings))
    return {
        "kinds": sorted({start.kind for start in plan.values()} & {"glorot", "he"}),
        "initialise": _draws(signature, plan, sizes),
    }


def _structure(signature: Signature) -> dict[str, Any]:
    """Return what the templates need to know of the arguments and their leaves."""
    return {
        "signature": signature,
        "nested": any(children(tree) is not None for tree in signature.trees.values()),
        "arguments": [(name, _built(name, tree, 8)) for name, tree in signature.trees.items()],
        "gradients": list(_gradient_paths(signature)),
    }


def _check_module(source: str, name: str, signature: Signature) -> None:
    """Refuse a module that the training code could not call."""
    if "value_and_grad" not in names_of(source):
        raise InputError(f"{name} has no function value_and_grad")
    for leaf in signature.parameters:
        if leaf.name in NOT_FOR_SAVEZ:
            raise InputError(f"numpy.savez cannot store an array called {leaf.name}")


def _constants(settings: Settings) -> dict[str, Any]:
    """Return the numbers at the top of the training code, by the names that they have there."""
    chosen: dict[str, Any] = {"EPOCHS": settings.epochs, "SEED": settings.seed}
    if settings.batch is not None:
        chosen["BATCH"] = settings.batch
    if settings.validation:
        chosen["VALIDATION"] = settings.validation
    if settings.calm_epochs:
        chosen |= {"TOL": settings.tol, "PATIENCE": settings.calm_epochs}
    if settings.l2:
        chosen["L2"] = settings.l2
    for entry in fields(settings.optimizer):
        chosen[entry.name.upper()] = getattr(settings.optimizer, entry.name)
    return {name: _plain(value) for name, value in chosen.items()}


def _tables(signature: Signature, examples: Examples | None) -> dict[str, str]:
    """Spell the tables at the top of the training code."""
    kinds = [f'"{leaf.name}": "{leaf.spec.dtype}"' for leaf in signature.data]
    places = [f'"{name}": {place}' for name, place in (examples.places if examples else {}).items()]
    return {
        "data": _spread("{", kinds, "}"),
        "places": _spread("{", places, "}"),
        "parameters": _spread("(", [f'"{leaf.name}"' for leaf in signature.parameters], ")"),
        "weights": _spread("(", [f'"{name}"' for name in weights(signature, examples)], ")"),
        "constants": _spread("(", [f'"{leaf.name}"' for leaf in signature.constants], ")"),
        "fixed": _spread("(", [f'"{leaf.name}"' for leaf in signature.fixed], ")"),
    }


def _spread(left: str, items: list[str], right: str) -> str:
    """Write a table in one line if it is short, else with one entry to a line."""
    comma = "," if left == "(" and len(items) == 1 else ""
    line = left + ", ".join(items) + comma + right
    return (
        line if len(line) <= SHORT else left + "".join(f"\n    {i}," for i in items) + f"\n{right}"
    )


def _plain(number: int | float) -> str:
    """Spell a number as Python does, also if it is one of NumPy's."""
    return repr(int(number) if isinstance(number, Integral) else float(number))


def _draws(signature: Signature, plan: Mapping[str, Start], sizes: Mapping[str, int]) -> list[str]:
    """Return the lines that draw the parameters: the sizes of axes first, then one by one."""
    drawn = (*signature.parameters, *signature.fixed)
    wanted = dict.fromkeys(axis for leaf in drawn for axis in leaf.spec.names())
    taken = [*LOCALS]
    letters: dict[str, str] = {}
    for axis in wanted:
        letters[axis] = unused(axis, taken)
        taken.append(letters[axis])
    lines = [f"{letters[axis]} = {_size(axis, signature, sizes)}" for axis in wanted]
    for leaf in drawn:
        lines += [f'params["{leaf.name}"] = {_drawn(leaf, plan[leaf.name], letters)}']
    return lines


def missing_sizes(source: str, name: str) -> tuple[str, ...]:
    """Return the axes whose sizes no data tell, in a module's text: `sizes` must choose them.

    >>> source = 'WRT = ("W",)\\ndef forward(X: "N K", W: "K H"): ...'
    >>> missing_sizes(source, "a layer")
    ('H',)
    """
    signature = signature_of_source(source, name)
    told = {dim.name for leaf in signature.data for dim in leaf.spec.dims if dim.kind == "name"}
    drawn = (*signature.parameters, *signature.fixed)
    return tuple(dict.fromkeys(
        axis for leaf in drawn for axis in leaf.spec.names() if axis not in told))


def _size(axis: str, signature: Signature, sizes: Mapping[str, int]) -> str:
    """Say where the size of an axis comes from: the user's choice, or the data."""
    if axis in sizes:
        return str(int(sizes[axis]))
    for leaf in signature.data:
        for place, dim in enumerate(leaf.spec.dims):
            if dim.kind == "name" and dim.name == axis:
                return f'data["{leaf.name}"].shape[{place}]'
    raise InputError(
        f"the size of {axis} is not in the data: choose it with"
        f' sizes={{"{axis}": 64}} or --size {axis}=64'
    )


def _drawn(leaf: Leaf, start: Start, letters: Mapping[str, str]) -> str:
    """Spell how one parameter is drawn."""
    for dim in leaf.spec.dims:
        if dim.kind == "_":
            raise InputError(f"{leaf} cannot be drawn: an axis written _ has no size")
    axes = [str(_lettered(dim, letters)) for dim in leaf.spec.dims]
    shape = axes[0] if len(axes) == 1 else f"({', '.join(axes)})"
    fan = str(_lettered(start.fan, letters)).replace("+", " + ")
    spelled = {
        "glorot": f"glorot(rng, {shape}, {fan})",
        "he": f"he(rng, {shape}, {fan})",
        "normal": f"rng.normal(0.0, {start.low!r}, {shape})",
        "uniform": f"rng.uniform({start.low!r}, {start.high!r}, {shape})",
        "zeros": f"np.zeros({shape})",
    }
    return spelled[start.kind]


def _lettered(dim: Dim, letters: Mapping[str, str]) -> Dim:
    """Rename the sizes in an axis."""
    args = tuple(_lettered(arg, letters) for arg in dim.args)
    return Dim(dim.kind, letters.get(dim.name, dim.name), dim.value, args)


def _built(name: str, tree: Tree, indent: int) -> str:
    """Spell the structure of an argument out of `arrays`, a table of its leaves."""
    parts = children(tree)
    if parts is None:
        return f'arrays["{name}"]'
    keyed = isinstance(tree, Mapping)
    left, right = ("{", "}") if keyed else ("(", ")") if isinstance(tree, tuple) else ("[", "]")
    items = [
        (f'"{key}": ' if keyed else "") + _built(part_name(name, key), part, indent + 4)
        for key, part in parts.items()
    ]
    comma = "," if left == "(" and len(items) == 1 else ""
    line = left + ", ".join(items) + comma + right
    if "\n" not in line and indent + len(name) + len(line) < WIDTH - 8:
        return line
    inside = "".join(f"\n{' ' * (indent + 4)}{item}," for item in items)
    return f"{left}{inside}\n{' ' * indent}{right}"


def _gradient_paths(signature: Signature) -> Iterator[tuple[str, str]]:
    """Pair every trained leaf with the place of its gradient in what backward returns."""
    for name, tree in signature.trained().items():
        yield from _paths(name, tree, f'grads["{name}"]')


def _paths(name: str, tree: Tree, place: str) -> Iterator[tuple[str, str]]:
    parts = children(tree)
    if parts is None:
        yield name, place
        return
    for key, part in parts.items():
        index = f'"{key}"' if isinstance(key, str) else str(key)
        yield from _paths(part_name(name, key), part, f"{place}[{index}]")
