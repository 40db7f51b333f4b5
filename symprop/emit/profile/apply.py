r"""A profile at one system: what its arrays are called, and which of them are transposed.

In: a system, a profile, names that somebody gives. Out: a `Called`, which every notation reads.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from symprop.algebra.expr import Expr
from symprop.emit.called import Called
from symprop.emit.given_names import check_names, listed
from symprop.emit.latex_names import read_symbol, symbol
from symprop.emit.profile.counted import layered
from symprop.emit.profile.layers import Layer, layers
from symprop.emit.profile.read import CHOICES, Profile, read_profile
from symprop.errors import InputError
from symprop.system import Array, System


def called(
    system: System, names: Mapping[str, str] | None = None, profile: str | Path | None = None,
    notation: str | None = None,
) -> Called:
    """What a profile makes of a system; `names`, and a `notation`, go before it.

    Where a learning rule departs from the gradient, no adjoint is written as a derivative.
    Raises InputError for a profile or a notation that there is not, and for names that will not do.
    """
    book, given = read_profile(profile), names or {}
    check_names(system.name, system.arrays, given)
    if notation is not None and notation not in CHOICES["notation"]:
        raise InputError(
            f"there is no notation {notation!r}; there are {', '.join(CHOICES['notation'])}")
    found = layers(system)
    own, adjoints = _names(system, book, found)
    others = {symbol(n).latex for n in system.arrays if n not in own}
    own = {n: latex for n, latex in own.items() if latex not in others}
    every = _apart(own, given)
    mark = "bar" if system.departure and book.adjoint in ("partial", "nabla") else book.adjoint
    stems = {read_symbol(latex).stem for latex in (*every.values(), *adjoints.values())}
    return Called(
        system.loss, every.get(system.loss, ""), every, adjoints, _turned(system, book, found),
        mark, notation or book.notation, frozenset(s for s in stems if len(s) == 1),
        tuple(n for n in every if n not in given), _first_listed(system, every),
        book.examples == "columns", frozenset(
            n for layer in found if layer.stacked for n in (
                layer.weight, layer.bias, layer.before, layer.after) if n in every),
        *layered(system))


def _first_listed(system: System, names: Mapping[str, str]) -> tuple[str, str] | None:
    """The first array that a list of the program holds, as in W[0], if its name stays."""
    for argument in system.arguments:
        tree, path = argument.tree, argument.name
        while not isinstance(tree, str) and tree:
            key = next(iter(tree)) if isinstance(tree, Mapping) else 0
            tree, path = tree[key], f"{path}[{key!r}]"
        if isinstance(tree, str) and tree not in names and tree in listed(system):
            return tree, path
    return None


def as_called(system: System, names: Mapping[str, str] | Called | None) -> Called:
    """What a page is to call things, where it has no profile but may have names."""
    return names if isinstance(names, Called) else called(system, names)


def as_written(
    system: System, names: Mapping[str, str] | None, profile: str | Path | None
) -> Called:
    """What a profile makes of a system where arrays lie as in the program: beside their numbers."""
    return replace(called(system, names, profile), turned={}, columns=False)


def part_called(
    system: System, of: Called, profile: str | Path | None, given: Mapping[str, str]
) -> Called:
    """What a lemma calls things on the pages of a whole: marks and names, but no layers."""
    names = {n: latex for n, latex in read_profile(profile).names.items() if n in system.arrays}
    if system.loss == of.loss and of.loss_shown and system.loss in system.arrays:
        names[system.loss] = of.loss_shown
    own = {n: latex for n, latex in given.items()
           if n in system.arrays or any(a.startswith(f"{n}[") for a in system.arrays)}
    return replace(of, names=names | own, adjoints={}, turned={}, renamed=(), letters=frozenset(),
                   layered=frozenset(), layers=None)


def _names(
    system: System, profile: Profile, found: tuple[Layer, ...]
) -> tuple[dict[str, str], dict[str, str]]:
    names = {n: latex for n, latex in profile.names.items() if n in system.arrays}
    adjoints: dict[str, str] = {}
    if profile.loss:
        names.setdefault(system.loss, profile.loss)
    for number, layer in enumerate(found, 1):
        own = profile.layer if layer.stacked else profile.of_layer(number, len(found))
        given = profile.input if number == 1 and system.equation(layer.given) is None else ""
        for array, latex in ((layer.weight, own.weight), (layer.bias, own.bias),
                             (layer.before, own.before), (layer.after, own.after),
                             (layer.given, given)):
            if array and latex:
                names.setdefault(array, latex)
        if own.delta:
            adjoints[layer.before] = own.delta
    return names, adjoints


def _apart(names: Mapping[str, str], given: Mapping[str, str]) -> dict[str, str]:
    """No two alike: what is given goes first."""
    kept: dict[str, str] = dict(given)
    for name, latex in names.items():
        if name not in kept and latex not in kept.values():
            kept[name] = latex
    return kept


def _turned(system: System, profile: Profile, found: tuple[Layer, ...]) -> dict[str, int]:
    """The arrays to transpose so that examples are as the profile has them."""
    if profile.examples == "as written" or not found or any(layer.stacked for layer in found):
        return {}
    columns = profile.examples == "columns"
    turned = {layer.weight for layer in found if layer.inputs_first == columns
              and len(system.arrays[layer.weight].shape) == 2}
    batches = [layer.batch for layer in found if layer.batch is not None
               and layer.examples_first == columns]
    for name, array in system.arrays.items():
        if any(_lies(array, batch, columns) for batch in batches):
            turned.add(name)
    for layer in found:
        if layer.bias and layer.examples_first == columns and layer.batch is not None and len(
                system.arrays[layer.bias].shape) == 2:
            turned.add(layer.bias)
    return {name: len(system.arrays[name].shape) for name in sorted(turned)}


def _lies(array: Array, batch: Expr, columns: bool) -> bool:
    """Whether an array of two axes has the examples where the profile has them not."""
    if len(array.shape) != 2:
        return False
    at, other = (0, 1) if columns else (1, 0)
    return array.shape[at] == batch != array.shape[other]


