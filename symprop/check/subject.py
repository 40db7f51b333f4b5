"""What is checked, in one form: a loss and its gradients as functions of a flat table of arrays.

In: the functions of a user and the shapes of their arguments. Out: a `Subject`, whose methods take
and return tables from leaf names to arrays.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symprop.check.calls import Entry, parameters
from symprop.check.trees import Tree, flatten, matched, subtrees
from symprop.errors import InputError
from symprop.shapes import ArraySpec

Array = NDArray[Any]
Leaves = Mapping[str, Array]


@dataclass(frozen=True)
class Subject:
    """A loss, its gradients, and what is declared about both.

    Either `loss_function` and `gradient_function` take the same arguments, or `backward` takes what
    `forward` saved; `same_arguments` tells. `wrt` names what gradients are given for; if empty,
    that is whatever comes back. A module promises more than a pair of functions: see `is_module`.
    A module that follows a learning `rule` is no gradient where it `departs`; `feedback` names its
    fixed arrays, each with the parameter to which it must be equal to be one ("" if there is none),
    and `own_loss` what descends another loss than the others, one of the `outputs` by name.
    """

    title: str
    first: Entry
    second: Entry
    wrt: tuple[str, ...] = ()
    facts: tuple[object, ...] = ()
    zero: tuple[str, ...] = ()
    complex_safe: bool = False
    is_module: bool = False
    same_arguments: bool = False
    combined: Entry | None = None
    rule: str = ""
    feedback: Mapping[str, str] = field(default_factory=dict)
    departs: tuple[str, ...] = ()
    own_loss: Mapping[str, str] = field(default_factory=dict)
    outputs: Entry | None = None

    @cached_property
    def trees(self) -> Mapping[str, Tree]:
        """The shapes of every argument."""
        return self.first.trees

    @cached_property
    def specs(self) -> dict[str, ArraySpec]:
        """The shapes of all leaves of all arguments."""
        leaves: dict[str, ArraySpec] = {}
        for name, tree in self.trees.items():
            leaves.update(flatten(name, tree))
        return leaves

    @cached_property
    def nodes(self) -> dict[str, Tree]:
        """Every argument, part of an argument, and leaf by name."""
        found: dict[str, Tree] = {}
        for name, tree in self.trees.items():
            found.update(subtrees(name, tree))
        return found

    @cached_property
    def takes_scale(self) -> bool:
        """True if backward takes the derivative of the loss as its second argument."""
        return not self.same_arguments and len(parameters(self.second.function)) > 1

    def loss(self, leaves: Leaves, validate: bool = False) -> Any:
        """Return the loss, a real or complex number; InputError if it is not one number.

        `validate` leaves the tests at the door on, where a function has them.
        """
        entry = replace(self.first, options={}) if validate else self.first
        returned = entry(leaves)
        if isinstance(returned, tuple) and len(returned) == 2:
            return _number(returned[0])
        if self.same_arguments:
            return _number(returned)
        raise InputError(f"{self.first.name} must return (loss, saved)")

    def gradients(self, leaves: Leaves, scale: float | None = None) -> dict[str, Any]:
        """Return the gradients of the leaves by name; what does not come back is left out.

        `scale`, if given, is handed to backward as the derivative of the loss.
        """
        if self.same_arguments:
            return self.by_leaf(self.second(leaves))
        return self.backward(self.saved(leaves), scale)

    def saved(self, leaves: Leaves) -> Any:
        """Return what forward saves for backward."""
        returned = self.first(leaves)
        if not (isinstance(returned, tuple) and len(returned) == 2):
            raise InputError(f"{self.first.name} must return (loss, saved)")
        return returned[1]

    def backward(self, saved: Any, scale: float | None = None) -> dict[str, Any]:
        """Return the gradients by leaf, from what forward saved."""
        return self.by_leaf(self.second.run({}, *((saved,) if scale is None else (saved, scale))))

    @cached_property
    def departing(self) -> frozenset[str]:
        """The leaves whose update need not be the gradient."""
        return frozenset(leaf for n in self.departs for leaf in flatten(n, self.nodes[n]))

    def of_loss(self, output: str) -> "Subject":
        """The same gradients, of an output in the place of the loss."""
        if self.outputs is None:
            raise InputError(f"OWN_LOSS names {output}, but there is no predict to return it")
        predict = self.outputs.function

        def loss(**arguments: Any) -> tuple[Any, tuple[()]]:
            return predict(**arguments)[output], ()

        return replace(self, first=Entry(loss, self.outputs.trees))

    def together(self, leaves: Leaves) -> tuple[Any, dict[str, Any]]:
        """Return loss and gradients from value_and_grad, which must exist."""
        if self.combined is None:
            raise InputError("there is no value_and_grad")
        returned = self.combined(leaves)
        if not (isinstance(returned, tuple) and len(returned) == 2):
            raise InputError("value_and_grad must return (loss, gradients)")
        return _number(returned[0]), self.by_leaf(returned[1])

    def by_leaf(self, returned: Any) -> dict[str, Any]:
        """Sort what a gradient function returned by leaf; InputError for a strange name."""
        if isinstance(returned, tuple) and len(returned) == 2 and isinstance(returned[1], Mapping):
            returned = returned[1]  # (loss, gradients)
        if not isinstance(returned, Mapping):
            returned = self._named(returned)
        found: dict[str, Any] = {}
        for key, gradient in returned.items():
            if key not in self.nodes:
                raise InputError(
                    f"{self.second.name} returns a gradient for {key!r}, which is not an argument"
                    f" ({', '.join(self.trees)})"
                )
            found.update(matched(key, self.nodes[key], gradient, partial=True))
        return {
            name: gradient
            for name, gradient in found.items()
            if gradient is not None and self.specs[name].dtype == "float"
        }

    def expected(self, gradients: Mapping[str, Any]) -> tuple[str, ...]:
        """Return the leaves that a gradient must be there for, in order."""
        if not self.wrt:
            return tuple(gradients)
        leaves = [leaf for name in self.wrt for leaf in flatten(name, self.nodes[name])]
        return tuple(dict.fromkeys(n for n in leaves if self.specs[n].dtype == "float"))

    def _named(self, returned: Any) -> dict[str, Any]:
        """Name gradients that come back as a sequence, or alone, in the order of the arguments."""
        floating = [
            name
            for name, tree in self.trees.items()
            if any(spec.dtype == "float" for spec in flatten(name, tree).values())
        ]
        names: Sequence[str] = self.wrt or floating
        if len(names) == 1 and not isinstance(returned, tuple | list):
            return {names[0]: returned}
        if isinstance(returned, tuple | list) and len(returned) == len(names):
            return dict(zip(names, returned, strict=True))
        raise InputError(
            f"{self.second.name} must return a dict of gradients by the names of the arguments, or"
            f" as many gradients as there are names ({', '.join(names)})"
        )


def _number(loss: Any) -> Any:
    """Return the loss as a Python number."""
    array = np.asarray(loss)
    if array.ndim or array.dtype.kind not in "fciub":
        what = f"an array of shape {array.shape}" if array.ndim else repr(loss)
        raise InputError(f"the loss must be one number, not {what}")
    return array.item()
