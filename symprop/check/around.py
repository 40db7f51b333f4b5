"""Where else a check looks, once the gradients are right on the first sample.

In: `Places` and the sample. Out: failed rows of the first place where a gradient is wrong, and a
sentence that says where it was looked. How much is looked at depends on the number of entries of
the arrays, never on the clock.
"""

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, replace

from symprop.check.jumps import REACH, wrong_beside_jumps
from symprop.check.places import Places, free_arrays, scaled
from symprop.check.report import CheckRow
from symprop.check.samples import Sample

SAMPLES = 4
LINES = 2
NEAR_ZERO = (1e-2, 1e-4)
MANY = 5_000
TOO_MANY = 50_000


@dataclass(frozen=True)
class Looked:
    """What was found, and where it was looked."""

    rows: Mapping[str, CheckRow]
    said: str = ""


def look_around(places: Places, sample: Sample) -> Looked:
    """Judge the gradients at other sizes, near zero, and along random lines."""
    if not places.names:
        return Looked({})
    rows, sizes = _at_other_sizes(places)
    rows = rows or _on_other_numbers(places, sample)
    return Looked(rows, "" if rows else sizes)


def _at_other_sizes(places: Places) -> tuple[dict[str, CheckRow], str]:
    """Return failed rows at other sizes, or the sizes at which all is right."""
    whole: list[str] = []
    alone: dict[int, list[str]] = {}
    for sampler in places.sampler.elsewhere():
        other = replace(places, sampler=sampler)
        # On one sample a fault may be hidden: small sizes often have all gates closed.
        count = SAMPLES if 1 in sampler.sizes.values() else 1
        samples = list(itertools.islice(sampler.finite(0), count))
        for sample in samples:
            rows = other.wrong(sample, f"at {_shown(sample, list(sample.sizes))},", 1)
            if rows:
                return rows, ""
        if samples:
            changed = sampler.changed_from(places.sampler)
            if len(changed) == 1:
                alone.setdefault(sampler.sizes[changed[0]], []).append(changed[0])
            else:
                whole.append(_shown(samples[0], changed))
    whole += [f"{_either(names)}={size}" for size, names in alone.items()]
    return {}, f"compared again at {'; '.join(whole)}" if whole else ""


def _on_other_numbers(places: Places, sample: Sample) -> dict[str, CheckRow]:
    """Return failed rows near zero, or along lines that lead to large numbers and over kinks."""
    free = free_arrays(places.sampler)
    if not free:
        return {}
    for factor in NEAR_ZERO:
        rows = places.wrong(scaled(sample, free, factor), f"on arrays {factor:g} times as large,")
        if rows:
            return rows
    entries = sum(array.size for array in sample.leaves.values())
    if entries > TOO_MANY:
        return {}
    few = entries > MANY
    for number in range(1 if few else LINES):
        rows = wrong_beside_jumps(places, sample, free, number, REACH[::3] if few else REACH)
        if rows:
            return rows
    return {}


def _shown(sample: Sample, names: list[str]) -> str:
    return " ".join(f"{name}={sample.sizes[name]}" for name in names if name in sample.sizes)


def _either(names: list[str]) -> str:
    return ", ".join(names[:-1]) + " or " * (len(names) > 1) + names[-1]
