"""Arguments that are lists of equal entries, in the text of a self-check: loops in place of leaves.

In: an argument's trees of shapes. Out: lines of dict displays, as many for a hundred entries as for
two.
"""

from collections.abc import Callable, Mapping

from symprop.check.layout import INDENT, WIDTH, Display, layout
from symprop.check.trees import Tree, children, flatten
from symprop.shapes import ArraySpec


def stacked_draws(name: str, tree: Tree, size: Callable[[ArraySpec], str]) -> list[str]:
    """Entries that draw the leaves; `size` is the text of a shape.

    >>> from symprop.check.annotations import read_annotation
    >>> tree = read_annotation([{"W": "D D"}] * 3, "blocks", {})
    >>> print(*stacked_draws("blocks", tree, lambda spec: "(D, D)"), sep="\\n")
    **{
        f"blocks_{l}_{key}": rng.normal(size=size)
        for l in range(3)
        for key, size in {"W": (D, D)}.items()
    },
    """
    parts = children(tree[0])
    if parts is None:
        return ["**{", f'    f"{name}_{{l}}": rng.normal(size={size(tree[0])})',
                f"    for l in range({len(tree)})", "},"]
    leaves = {k.removeprefix("_"): p for k, p in flatten("", tree[0]).items()}
    shapes = _filled("for key, size in {", [f'"{k}": {size(p)}' for k, p in leaves.items()],
                     "}.items()", 4)
    return ["**{", f'    f"{name}_{{l}}_{{key}}": rng.normal(size=size)',
            f"    for l in range({len(tree)})", *_indented(shapes), "},"]


def stacked_argument(name: str, tree: Tree) -> list[str]:
    """The entry that builds the argument of `leaves`."""
    first, parts = tree[0], children(tree[0])
    if parts is None:
        made = [f'leaves[f"{name}_{{l}}"]']
    elif _is_nested(parts):
        made = layout("", _built(f"{name}_{{l}}", first), INDENT + 4)
        made[-1] = made[-1].removesuffix(",")
    else:
        leaf = f'leaves[f"{name}_{{l}}_{{key}}"]'
        keys = [*map(_text, parts)]
        opening, body, closing = ("{", f"key: {leaf}", "}") if isinstance(first, dict) else (
            ("[", leaf, "]") if isinstance(first, list) else ("tuple(", leaf, ")"))
        inner = _filled("for key in (", keys, ",)" if len(keys) == 1 else ")", 8)
        one = f"{opening}{body} {' '.join(inner)}{closing}"
        made = [one] if len(inner) == 1 and len(one) + INDENT + 4 <= WIDTH else [
            opening, f"    {body}", *_indented(inner), closing]
    left, right = ("[", "]") if isinstance(tree, list) else ("tuple(", ")")
    return [f'"{name}": {left}', *_indented(made), f"    for l in range({len(tree)})", f"{right},"]


def stacked_gradients(name: str, tree: Tree) -> list[str]:
    """Entries with the gradients by leaf, out of `grads`."""
    all_of = f'grads["{name}"]'
    if children(tree[0]) is None:
        return [f'**{{f"{name}_{{l}}": grad for l, grad in enumerate({all_of})}},']
    if _is_nested(children(tree[0]) or {}):
        places = _places("", tree[0], "entry")
        return [f'**{{f"{name}_{{l}}{leaf}": {place} for l, entry in enumerate({all_of})}},'
                for leaf, place in places.items()]
    pairs = "entry.items()" if isinstance(tree[0], dict) else "enumerate(entry)"
    return ["**{", f'    f"{name}_{{l}}_{{key}}": grad',
            f"    for l, entry in enumerate({all_of})", f"    for key, grad in {pairs}", "},"]


def _is_nested(parts: Mapping[object, Tree]) -> bool:
    return any(children(part) is not None for part in parts.values())


def _built(name: str, tree: Tree) -> str | Display:
    """An entry of the dict `leaves` in its structure."""
    parts = children(tree)
    if parts is None:
        return f'leaves[f"{name}"]'
    opening, closing = "{}" if isinstance(tree, dict) else "[]" if isinstance(tree, list) else "()"
    built = [(f'"{k}": ' if isinstance(tree, dict) else "", _built(f"{name}_{k}", part))
             for k, part in parts.items()]
    return Display(opening, tuple(built), closing)


def _places(leaf: str, tree: Tree, code: str) -> dict[str, str]:
    """Where each leaf of an entry stands."""
    parts = children(tree)
    if parts is None:
        return {leaf: code}
    return {n: c for k, part in parts.items()
            for n, c in _places(f"{leaf}_{k}", part, f"{code}[{_text(k)}]").items()}


def _filled(opening: str, items: list[str], closing: str, deeper: int) -> list[str]:
    """Brackets on one line, or their items on lines that are filled."""
    one = f"{opening}{', '.join(items)}{closing}"
    room = WIDTH - INDENT - deeper
    if len(one) <= room:
        return [one]
    lines = [""]
    for item in items:
        if len(lines[-1]) + len(item) + 6 > room:
            lines.append("")
        lines[-1] += f"{item}, "
    return [opening, *(f"    {line.rstrip()}" for line in lines), closing]


def _text(key: object) -> str:
    return f'"{key}"' if isinstance(key, str) else str(key)


def _indented(lines: list[str]) -> list[str]:
    return [f"    {line}" for line in lines]
