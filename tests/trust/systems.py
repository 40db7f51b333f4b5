"""Random forward passes, all the way, against oracles that share nothing with the package.

In: a number, a seed. Out: "" where loss, outputs and gradients are right; "refused: ..." where the
program was refused in a sentence; else what was wrong, and the program, shrunk. The oracles:

    own function    its loss and outputs, and complex steps through it, at prime sizes, with sizes
                    of 1, in float64 and float32, at degenerate values where it is smooth
    differences     one direction, through the same function in real numbers
    torch           the System read a second time, and torch's own backward pass
    autograd, jax   the same source with their numpy, where they have rules for all of it
    fractions       exact, for sums, products and whole powers: entries must be the same number

Both structures and both styles are made of each program, and must agree.
"""

from __future__ import annotations

import contextlib
import io
import os
import warnings
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
from built_models import assert_close
from complex_numpy import complex_gradients, loss_of
from random_programs import Program, random_program
from random_scans import random_scan
from test_random_systems import TOLERANCE, assert_right

import symprop
from symprop.errors import SympropError, VerificationError
from trust import exactly
from trust.shrink import shrunk
from trust.written import written_program

KINDS: tuple[Callable[[int], Program], ...] = (
    lambda s: random_program(s, operations=3 + s % 5),
    written_program,
    lambda s: random_program(s, operations=6 + s % 10),
    written_program,
    lambda s: random_program(s, operations=3 + s % 5, gains=True),
    random_scan,
)
PARTS = [(structure, style) for structure in ("flat", "blocks") for style in ("readable", "fast")]
# A corner, a jump, or an end of a domain: what is equal at degenerate values is a convention.
CORNERS = ("relu", "elu", "max", "min", "abs", "clip", "sign", "where", "sort", "<", ">", "sqrt",
           "log", "std", "norm", "l1_", "hinge", "huber", "/ np", "**0.5", "** 0.5", "floor", "==",
           "solve", "inv(", "det", "prod", "arctan2", "hypot")
TURNED = ("np.repeat(", "np.tile(")  # autograd's own gradients of these are wrong
met: dict[str, int] = {}  # how many programs each oracle has judged, for the record


def trial(number: int, seed: int) -> str:
    """One program; a wrong one is shrunk."""
    program = drawn(number, seed)
    said = judged(program)
    if not said or said.split(":")[0] in ("refused", "unrun"):
        return said
    kind = said.split(":")[0]
    small = shrunk(program, lambda p: judged(p).split(":")[0] == kind)
    return f"{judged(small) or said}\n{small}"


def drawn(number: int, seed: int) -> Program:
    """The program of a number."""
    return KINDS[number % len(KINDS)](10**6 + seed * 1000 % 2**31 + number)


def judged(program: Program, oracles: Iterable[str] = ()) -> str:
    """What is wrong of a program, with the name of the oracle in front; by all oracles or some."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            for ones in (False, True):
                program.function(**program.inputs(program.sizes(ones)))
        except Exception as error:
            return f"unrun: the program itself raises {error!r}"
        try:
            system = symprop.trace(
                program.function, shapes=program.shapes, wrt=program.wrt, facts=program.facts)
            made = {(a, b): symprop.generate(symprop.derive(system, structure=a), style=b)
                    for a, b in PARTS}
        except VerificationError as error:
            shared = "shares its memory" in str(error)  # a write through a view is refused so
            return f"{'refused' if shared else 'verification'}: {str(error).splitlines()[0]}"
        except SympropError as error:
            return f"refused: {str(error).splitlines()[0]}"
        except Exception as error:
            return f"raised {type(error).__name__}: {error}"
        for name in oracles or ORACLES:
            try:
                said = ORACLES[name](program, system, made)
            except AssertionError as error:
                said = str(error) or "an assertion"
            except Exception as error:
                return f"{name} raised {type(error).__name__}: {error}"
            if said == "unjudged":
                continue
            met[name] = met.get(name, 0) + 1
            if said and not _tied(program):
                return f"{name}: {said}"
    return ""


def _tied(program: Program) -> bool:
    """Whether factors that are exactly 0 put it at a corner, where a gradient is a convention."""
    zero = any(d == (0.0, 0.0) for d in program.domains.values())
    return zero and any(word in program.source for word in CORNERS)


def own_function(program: Program, system: Any, made: Any) -> str:
    """Complex steps in full for one module of the four; the others agree with it."""
    first = PARTS[program.seed % len(PARTS)]
    for ones in (False, True):
        with contextlib.redirect_stdout(io.StringIO()):
            assert_right(program, made[first], ones)
        inputs = program.inputs(program.sizes(ones))
        loss, expected = made[first].value_and_grad(**inputs)
        for part in PARTS:
            found, gradients = made[part].value_and_grad(**inputs)
            assert abs(found - loss) <= 1e-12 * max(1.0, abs(loss)), f"{part}, {first}"
            assert_close(gradients, expected, TOLERANCE, floor=1e-14)
    return ""


def degenerate(program: Program, system: Any, made: Any) -> str:
    """All zeros, all ones, equal rows: loss always, gradients where no corner is in sight."""
    smooth = not any(word in program.source for word in CORNERS)
    judged_one = False
    for k, inputs in enumerate(_degenerate(program)):
        with contextlib.suppress(np.linalg.LinAlgError, FloatingPointError, ZeroDivisionError):
            wanted = loss_of(program.function(**inputs))
            if not np.isfinite(wanted):
                continue
            part = PARTS[(program.seed + k) % len(PARTS)]
            loss, gradients = made[part].value_and_grad(**inputs)
            assert abs(loss - wanted) <= 1e-11 * max(1.0, abs(wanted)), f"loss at {k}: {loss}"
            judged_one = True
            if not smooth:
                continue
            complex_inputs = {n: a + 0j if n in program.floats else a for n, a in inputs.items()}
            names = program.wrt or program.floats
            expected = complex_gradients(program.complex_function, complex_inputs, names)
            if all(np.isfinite(e).all() for e in expected.values()):
                assert_close(gradients, expected, 1e-9, floor=1e-12)
    return "" if judged_one else "unjudged"


def _degenerate(program: Program) -> Iterator[dict[str, Any]]:
    inputs = program.inputs(program.sizes())
    for value in (0.0, 1.0, None):
        changed = dict(inputs)
        for name in program.floats:
            low, high = program.domains[name]
            if any(f.array == name for f in program.facts):
                continue
            if value is None:
                changed[name] = np.zeros_like(inputs[name]) + inputs[name].ravel()[0]
            elif low <= value <= high:
                changed[name] = np.full_like(inputs[name], value)
        yield changed


def differences(program: Program, system: Any, made: Any) -> str:
    """One direction through all arrays, at two steps: what is off at both is wrong."""
    inputs = program.inputs(program.sizes(), 1)
    names = program.wrt or program.floats
    rng = np.random.default_rng(program.seed)
    to = {n: rng.normal(size=np.shape(inputs[n])) for n in names}
    _, gradients = made["blocks", "fast"].value_and_grad(**inputs)
    wanted = sum(np.sum(gradients[n] * to[n]) for n in names)
    size = sum(np.sum(np.abs(gradients[n] * to[n])) for n in names) + 1e-3
    off = []
    for step in (1e-5, 1e-6, 1e-7):
        up, down = (loss_of(program.function(**{
            **inputs, **{n: inputs[n] + sign * step * to[n] for n in names}})) for sign in (1, -1))
        off.append(abs((up - down) / (2 * step) - wanted) / size)
    return f"{wanted} is off by {off} of {size}" if min(off) > 1e-5 else ""


def by_torch(program: Program, system: Any, made: Any) -> str:
    """The System read in torch, at prime sizes."""
    from trust.torch_reading import Reading, Unread

    sizes, inputs = program.sizes(), program.inputs(program.sizes())
    try:
        loss, expected = Reading(system, sizes, inputs).gradients()
    except (Unread, NotImplementedError):
        return "unjudged"
    found, gradients = made["flat", "readable"].value_and_grad(**inputs)
    assert abs(found - loss) <= 1e-11 * max(1.0, abs(loss)), f"loss {found}, {loss}"
    assert_close(gradients, expected, 1e-9, floor=1e-13)
    return ""


def by_autograd(program: Program, system: Any, made: Any) -> str:
    """HIPS autograd on the same source, where it has rules."""
    from autograd_numpy import HEADER, autograd_gradients

    if any(word in program.source for word in TURNED) or "scan(" in program.source:
        return "unjudged"
    inputs = program.inputs(program.sizes())
    try:
        expected = autograd_gradients(
            program.loaded(HEADER), inputs, program.wrt or program.floats)
    except Exception:
        return "unjudged"
    _, gradients = made["blocks", "readable"].value_and_grad(**inputs)
    assert_close(gradients, expected, TOLERANCE, floor=1e-13)
    return ""


def by_jax(program: Program, system: Any, made: Any) -> str:
    """JAX on the same source: every eighth, for it compiles each operation."""
    if program.seed % 8 or os.environ.get("TRUST_NO_JAX"):
        return "unjudged"
    from trust.jax_numpy import HEADER, jax_gradients

    inputs = program.inputs(program.sizes())
    try:
        expected = jax_gradients(program.loaded(HEADER), inputs, program.wrt or program.floats)
    except Exception:
        return "unjudged"
    if not all(np.isfinite(e).all() for e in expected.values()):
        return "unjudged"
    _, gradients = made["flat", "fast"].value_and_grad(**inputs)
    assert_close(gradients, expected, 1e-9, floor=1e-13)
    return ""


def by_fractions(program: Program, system: Any, made: Any) -> str:
    """Exact fractions, entry by entry."""
    if not exactly.polynomial(system):
        return "unjudged"
    derivation = symprop.derive(system, structure="flat")
    sizes = {a: min(n, 3) if program.minimum.get(a, 1) <= 3 else n
             for a, n in program.sizes().items()}
    try:
        return exactly.compared(program, derivation, sizes, program.inputs(sizes), 4)
    except (exactly.Inexact, TypeError, AttributeError, ZeroDivisionError, RecursionError):
        return "unjudged"


ORACLES: dict[str, Callable[[Program, Any, Any], str]] = {
    "own function": own_function, "degenerate": degenerate, "differences": differences,
    "torch": by_torch, "fractions": by_fractions, "autograd": by_autograd, "jax": by_jax,
}
OWN = ("own function", "degenerate", "differences", "fractions")  # that need no peer


def installed() -> None:
    """Leave out the peers that are not installed."""
    from importlib.util import find_spec

    for name in ("torch", "autograd", "jax"):
        if find_spec(name) is None:
            ORACLES.pop(name, None)


installed()
