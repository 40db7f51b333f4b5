"""The texts that are made of a forward pass: what `build` writes and `check --frozen` compares.

In: a derivation and its module. Out: texts by the endings of their files, and remarks.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from symprop.cli.derive import printed
from symprop.cli.targets import Target
from symprop.errors import InputError
from symprop.train.emit import missing_sizes, training_module

if TYPE_CHECKING:
    from symprop.derivation import Derivation

WIDTH = 32  # of what the data do not tell, where nobody chooses it


def texts_of(
    found: Target, derivation: Derivation, source: str, templates: Path | None,
    sizes: dict[str, int], seed: int,
) -> tuple[dict[str, str], list[str]]:
    """Return the files that a derivation and its module make, by their endings, and remarks."""
    texts = {
        ".tex": printed(derivation, "latex", True, None, templates, found.names),
        ".md": printed(derivation, "markdown", templates=templates, names=found.names),
        ".py": source,
    }
    try:
        guessed = {n: WIDTH for n in missing_sizes(source, found.name) if n not in sizes}
        texts["_train.py"] = training_module(
            source, found.name, sizes={**guessed, **sizes}, seed=seed)
        remarks = [f"{found.name}_train.py starts with {axis} = {size}, which no data tell:"
                   f" --size {axis}={2 * size} chooses another" for axis, size in guessed.items()]
    except InputError as error:
        remarks = [f"no {found.name}_train.py: {error}"]
    return texts, remarks
