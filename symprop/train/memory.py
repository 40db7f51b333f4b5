"""Whether training will fit into memory, before it starts.

In: a `Task` and a `Course`; what a step takes is measured on a few examples. Out: nothing, or an
InputError that says what is needed, what is free and which batch would fit.
"""

import math
import tracemalloc
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from symprop.errors import InputError
from symprop.train.course import Course
from symprop.train.data import Arrays
from symprop.train.initial import shape_of
from symprop.train.optimizers import Optimizer
from symprop.train.signature import Signature, gradient_function
from symprop.train.steps import Task

FEW = (32, 64, 128)
NOISE = 2.0  # bytes for each pair of examples that the measurement may be wrong by
MEMORY = Path("/proc/meminfo")
GROUP = Path("/sys/fs/cgroup")
UNITS = ("bytes", "kB", "MB", "GB", "TB", "PB")

Cost = Callable[[int], float]


def check_memory(task: Task, course: Course) -> None:
    """Refuse a run whose steps, or whose validation, would not fit; say nothing if unknown."""
    free = available()
    if free is None or task.examples is None or tracemalloc.is_tracing():
        return
    kept = state_bytes(task, course.params)
    count = task.examples.count(task.training)
    batch = min(task.settings.batch or count, count)
    cost = step_cost(task, course.params)
    if cost is None or kept + cost(batch) <= free:
        return
    fitting = batch
    while fitting and kept + cost(fitting) > free:
        fitting //= 2
    what = f"a step on {batch} examples needs about {shown(kept + cost(batch))} of memory"
    smaller = 1 << (fitting.bit_length() - 1) if fitting else 0
    hint = f"choose a batch of {smaller}" if smaller else "choose smaller sizes"
    raise InputError(f"{what}, and {shown(free)} are free: {hint}")


def check_parameters(signature: Signature, sizes: Mapping[str, int], rule: Optimizer) -> None:
    """Refuse parameters that alone, with what the optimizer keeps of them, are too large."""
    free = available()
    drawn = (*signature.parameters, *signature.fixed)
    numbers = sum(math.prod(shape_of(leaf, sizes)) for leaf in drawn)
    needed = 8.0 * numbers * (2 + rule.memory)
    if free is not None and needed > free:
        raise InputError(f"{numbers} parameters need about {shown(needed)} of memory, and"
                         f" {shown(free)} are free: choose smaller sizes")


def available() -> float | None:
    """Return how many bytes a process may still take, None where the system does not say."""
    try:
        lines = MEMORY.read_text(encoding="ascii").splitlines()
        table = {line.partition(":")[0]: line.split()[1] for line in lines if ":" in line}
        free = 1024.0 * (int(table["MemAvailable"]) + int(table.get("SwapFree", "0")))
    except (OSError, ValueError, KeyError, IndexError):
        return None
    return min(free, _of_the_group())


def _of_the_group() -> float:
    """Return what a control group leaves; what it holds of files can be dropped."""
    try:
        most, now, table = (
            (GROUP / f"memory.{name}").read_text(encoding="ascii").strip()
            for name in ("max", "current", "stat")
        )
        lines = dict(line.split() for line in table.splitlines())
        files = float(lines.get("active_file", 0)) + float(lines.get("inactive_file", 0))
        return float(most) - float(now) + files  # "max" is no number: no limit
    except (OSError, ValueError):
        return math.inf


def state_bytes(task: Task, params: Arrays) -> float:
    """Return what is kept between steps beside the parameters there are: new, best, last good."""
    own = sum(theta.nbytes for theta in params.values())
    return own * (2.0 * task.settings.optimizer.memory + 2 + bool(task.held_out))


def step_cost(task: Task, params: Arrays) -> Cost | None:
    """Return what a step on so many examples takes, by a parabola through three measurements.

    None where there are too few examples to matter, or where the module does not take so few.
    """
    examples = task.examples
    if examples is None or examples.count(task.training) <= FEW[-1]:
        return None
    run = gradient_function(task.module)

    def step(count: int) -> None:
        data = examples.take(task.training, np.arange(count))
        run(**task.signature.arguments({**data, **params}))

    try:
        step(FEW[0])  # what is made once and for all is not counted
        costs = [peak(step, count) for count in FEW]
    except Exception:  # what is wrong is told when training meets it
        return None
    return parabola(FEW, costs)


def peak(run: Callable[[int], Any], count: int) -> float:
    """Return the largest number of bytes that were taken at one time."""
    tracemalloc.start()
    try:
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            run(count)
        return float(tracemalloc.get_traced_memory()[1])
    finally:
        tracemalloc.stop()


def parabola(counts: tuple[int, ...], costs: list[float]) -> Cost:
    """Return the parabola through three points; a straight line if it is one but for noise.

    >>> parabola((1, 2, 3), [10.0, 20.0, 30.0])(100)
    1000.0
    >>> parabola((1, 2, 3), [8.0, 32.0, 72.0])(100)
    80000.0
    """
    a, b, c = counts
    first, second = (costs[1] - costs[0]) / (b - a), (costs[2] - costs[1]) / (c - b)
    bend = (second - first) / (c - a)
    if bend < NOISE:
        slope = max((costs[2] - costs[0]) / (c - a), 0.0)
        return lambda n: costs[2] + slope * (n - c)
    return lambda n: costs[1] + second * (n - b) + bend * (n - b) * (n - c)


def shown(count: float) -> str:
    """Say a number of bytes.

    >>> shown(23_400_000_000)
    '23 GB'
    """
    unit = 0
    while count >= 999.5 and unit < len(UNITS) - 1:
        count, unit = count / 1000, unit + 1
    return f"{count:.2g} {UNITS[unit]}" if count < 100 else f"{count:.0f} {UNITS[unit]}"
