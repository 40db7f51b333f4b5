"""What a module asks for: its arguments leaf by leaf, and which of them are trained.

In: a live module of the generated form, or its source text (parsed, never run). Out: a
`Signature`, which knows the nested arguments and their leaves, named like `blocks_0_Wq`.
"""

import ast
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from symprop.check.annotations import read_annotation
from symprop.check.domains import Domain, read_facts
from symprop.check.trees import Tree, flatten, matched, rebuild, subtrees
from symprop.errors import InputError
from symprop.shapes import ArraySpec


@dataclass(frozen=True)
class Leaf:
    """One array among the arguments: its name, shape and domain, and whether it is trained.

    What is `fixed` is drawn once and is not trained: the feedback of a learning rule. What is
    `constant` was an array of the author's, too long for the text of the module.
    """

    name: str
    spec: ArraySpec
    domain: Domain
    trained: bool
    fixed: bool = False
    constant: bool = False

    def __str__(self) -> str:
        return f"{self.name}: {str(self.spec)!r}"


@dataclass(frozen=True)
class Signature:
    """The arguments of `forward`: trees of shapes, by name and in order; and their leaves."""

    trees: Mapping[str, Tree]
    wrt: tuple[str, ...]
    leaves: tuple[Leaf, ...]

    @property
    def parameters(self) -> tuple[Leaf, ...]:
        """The leaves that are trained."""
        return tuple(leaf for leaf in self.leaves if leaf.trained)

    @property
    def data(self) -> tuple[Leaf, ...]:
        """The leaves that are given."""
        return tuple(leaf for leaf in self.leaves if not leaf.trained and not leaf.fixed)

    @property
    def fixed(self) -> tuple[Leaf, ...]:
        """The leaves that are drawn once and stay."""
        return tuple(leaf for leaf in self.leaves if leaf.fixed)

    @property
    def constants(self) -> tuple[Leaf, ...]:
        """The leaves that were constant arrays of the author's."""
        return tuple(leaf for leaf in self.leaves if leaf.constant)

    def arguments(self, arrays: Mapping[str, Any]) -> dict[str, Any]:
        """Put leaf arrays into the structure in which `forward` takes them."""
        return {name: rebuild(name, tree, arrays) for name, tree in self.trees.items()}

    def structured(self, arrays: Mapping[str, Any]) -> dict[str, Any]:
        """Put trained arrays into the structure of the gradients: keyed by the names in WRT."""
        return {name: rebuild(name, node, arrays) for name, node in self.trained().items()}

    def flattened(self, structures: Mapping[str, Any]) -> dict[str, Any]:
        """Take values apart as the arguments are built; names that are unknown pass unchanged."""
        nodes, found = _nodes(self.trees), dict[str, Any]()
        for name, value in structures.items():
            found.update(matched(name, nodes[name], value) if name in nodes else {name: value})
        return found

    def trained(self) -> dict[str, Tree]:
        """Return the tree of shapes behind each name in WRT."""
        nodes = _nodes(self.trees)
        return {name: nodes[name] for name in self.wrt}


def signature_of(module: object) -> Signature:
    """Read a live module; InputError where it is not of the generated form."""
    forward = getattr(module, "forward", None)
    if not callable(forward):
        raise InputError("a module to train needs functions forward and backward")
    around = getattr(forward, "__globals__", {})
    wrt = getattr(module, "WRT", None) or around.get("WRT", ())
    facts = getattr(module, "FACTS", None) or around.get("FACTS", ())
    fixed = getattr(module, "FEEDBACK", None) or around.get("FEEDBACK", ())
    constants = getattr(module, "CONSTANTS", None) or around.get("CONSTANTS", ())
    annotations = getattr(forward, "__annotations__", {})
    return signature(annotations, wrt, facts, around, fixed, constants)


def signature_of_source(source: str, what: str) -> Signature:
    """Read the text of a module without running it; `what` names it in errors."""
    try:
        body = ast.parse(source).body
    except (SyntaxError, ValueError) as error:
        raise InputError(f"{what} is not Python: {error}") from None
    constants = {
        statement.targets[0].id: statement.value
        for statement in body
        if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name)
    }
    functions = {node.name: node for node in body if isinstance(node, ast.FunctionDef)}
    if "forward" not in functions or "WRT" not in constants:
        raise InputError(f"{what} is not a generated module: it needs WRT and a function forward")
    annotations = {
        arg.arg: _literal(arg.annotation, f"the annotation of {arg.arg}")
        for arg in functions["forward"].args.args
        if arg.annotation is not None
    }
    facts = _literal(constants["FACTS"], "FACTS") if "FACTS" in constants else ()
    fixed = _literal(constants["FEEDBACK"], "FEEDBACK") if "FEEDBACK" in constants else ()
    held = _literal(constants["CONSTANTS"], "CONSTANTS") if "CONSTANTS" in constants else ()
    wrt = _literal(constants["WRT"], "WRT")
    return signature(annotations, wrt, facts, fixed=fixed, constants=held)


def signature(
    annotations: Mapping[str, object],
    wrt: Sequence[str],
    facts: Iterable[object] = (),
    namespace: Mapping[str, Any] | None = None,
    fixed: Iterable[str] = (),
    constants: Iterable[str] = (),
) -> Signature:
    """Build a `Signature` from the annotations of `forward`; InputError, ShapeError, FactError.

    >>> found = signature({"X": "N K", "layers": [{"W": "K H"}]}, ["layers"])
    >>> [str(leaf) for leaf in found.parameters]
    ["layers_0_W: 'K H'"]
    """
    trees = {
        name: read_annotation(annotation, name, namespace or {})
        for name, annotation in annotations.items()
        if name not in ("return", "validate")
    }
    nodes = _nodes(trees)
    for name in wrt:
        if name not in nodes:
            raise InputError(f"WRT names {name}, which is no annotated argument of forward")
    specs = leaves_of(trees)
    trained = leaves_of({name: nodes[name] for name in wrt})
    domains = read_facts(facts, specs)
    stays, constant = frozenset(fixed), frozenset(constants)
    leaves = tuple(
        Leaf(name, spec, domains[name], name in trained, name in stays, name in constant)
        for name, spec in specs.items()
    )
    _check_trained(leaves)
    return Signature(trees, tuple(wrt), leaves)


def leaves_of(structures: Mapping[str, Tree]) -> dict[str, Any]:
    """Return all leaves of named structures by their names.

    >>> leaves_of({"b": 1, "layers": [{"W": 2}]})
    {'b': 1, 'layers_0_W': 2}
    """
    return {k: v for name, tree in structures.items() for k, v in flatten(name, tree).items()}


def gradient_function(module: object) -> Callable[..., tuple[Any, Mapping[str, Any]]]:
    """Return the module's `value_and_grad`, or put one together from forward and backward."""
    own = getattr(module, "value_and_grad", None)
    if callable(own):
        return own  # type: ignore[no-any-return]
    forward, backward = getattr(module, "forward", None), getattr(module, "backward", None)
    if not (callable(forward) and callable(backward)):
        raise InputError("a module to train needs functions forward and backward")

    def value_and_grad(**arguments: Any) -> tuple[Any, Mapping[str, Any]]:
        loss, saved = forward(**arguments)
        return loss, backward(saved)

    return value_and_grad


def _check_trained(leaves: tuple[Leaf, ...]) -> None:
    """Refuse a module that trains nothing, or something that is no floating array."""
    if not any(leaf.trained for leaf in leaves):
        raise InputError("there is nothing to train: WRT names no parameter")
    for leaf in leaves:
        if leaf.trained and leaf.spec.dtype != "float":
            raise InputError(f"{leaf.name} holds {leaf.spec.dtype} numbers and cannot be trained")


def _nodes(trees: Mapping[str, Tree]) -> dict[str, Tree]:
    return {k: node for name, tree in trees.items() for k, node in subtrees(name, tree).items()}


def _literal(node: ast.expr, what: str) -> Any:
    """The value of a literal, or of one times a number: [{"W": "K H"}] * 12."""
    try:
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
            return ast.literal_eval(node.left) * ast.literal_eval(node.right)
        return ast.literal_eval(node)
    except (ValueError, TypeError):
        raise InputError(f"{what} is not a literal") from None
