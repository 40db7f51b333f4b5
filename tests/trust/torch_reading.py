"""A second reading of a System: its equations evaluated in torch, and differentiated there.

In: a system, sizes, inputs. Out: its loss, and the gradients by torch's own backward pass. Nothing
comes from the interpreter, the lowering or the emitter: every term is a product over the grid of
its free and bound indices, summed over the bound ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import sympy
import torch

from symprop.algebra import rows
from symprop.algebra.expr import (
    Access,
    Apply,
    Atom,
    Expr,
    Extremum,
    Idx,
    Index,
    Iverson,
    Paren,
    Size,
    Term,
)
from symprop.algebra.graphs import components
from symprop.system import itself

SAFE = 0.6180339  # stands where a bracket is false, and is looked at by nobody
MOST = 4_000_000


class Unread(Exception):
    """The system is not read: an implicit equation, or a grid that is too large."""


class Reading:
    """The arrays of a system at some sizes."""

    def __init__(self, system: Any, sizes: Mapping[str, int], inputs: Mapping[str, Any]) -> None:
        self.sizes = dict(sizes)
        self.arrays: dict[str, torch.Tensor] = {}
        for name, value in {**system.constants, **inputs}.items():
            made = torch.as_tensor(np.asarray(value))
            self.arrays[name] = made.double() if made.is_floating_point() else made
        self.system = system
        for name in system.wrt:
            self.arrays[name].requires_grad_()

    def gradients(self) -> tuple[float, dict[str, np.ndarray]]:
        """The loss, and its gradients by the arrays of `wrt`."""
        for group in _groups(self.system.equations):
            self._solve(group)
        loss = self.arrays[self.system.loss].sum()
        leaves = [self.arrays[n] for n in self.system.wrt]
        found = torch.autograd.grad(loss, leaves, allow_unused=True) if loss.requires_grad else (
            [None] * len(leaves))
        return float(loss.detach()), {
            n: (torch.zeros_like(leaf) if g is None else g).numpy()
            for n, leaf, g in zip(self.system.wrt, leaves, found, strict=True)}

    def _solve(self, group: list[Any]) -> None:
        """The equations of a cycle, once a turn: a turn reads what the one before it gave."""
        turns = 1
        if len(group) > 1 or group[0].array in group[0].reads:
            turns = 1 + self._int(group[0].indices[0].size) if group[0].indices else 0
            if not turns or any(itself(e) is not None for e in group):
                raise Unread("an implicit equation")
            turns *= len(group)
            for e in group:
                shape = [self._int(i.size) for i in e.indices]
                self.arrays[e.array] = torch.zeros(shape, dtype=torch.float64)
        for _ in range(turns):
            before = [self.arrays[e.array] for e in group if turns > 1]
            for e in group:
                grid = list(e.indices)
                shape = [self._int(i.size) for i in grid]
                value = self._expr(e.rhs, grid, None)
                self.arrays[e.array] = torch.as_tensor(value).expand(shape).clone()
            if before and all(torch.equal(b, self.arrays[e.array])
                              for b, e in zip(before, group, strict=True)):
                break

    def _int(self, size: Expr) -> int:
        return int(self._expr(size, [], None))

    # Every value is a number, or a tensor with an axis for each index of the grid.

    def _expr(self, expr: Expr, grid: list[Index], held: Any) -> Any:
        total: Any = 0
        for term in expr.terms:
            total = total + self._term(term, grid, held)
        return total

    def _term(self, term: Term, grid: list[Index], held: Any) -> Any:
        wider = [*grid, *term.bound]
        held = _wider(held, len(term.bound))
        for atom, _ in term.factors:
            if isinstance(atom, Iverson):
                found = torch.as_tensor(self._atom(atom, wider, held))
                held = found if held is None else held & found
        value: Any = int(term.coef) if term.coef.denominator == 1 else (
            torch.tensor(float(term.coef), dtype=torch.float64))
        for atom, exponent in term.factors:
            if not isinstance(atom, Iverson):
                factor = self._atom(atom, wider, held)
                if exponent != 1:
                    factor = _double(_safe(factor, held)) ** (
                        int(exponent) if exponent == int(exponent) else float(exponent))
                value = value * factor
        if held is not None:
            value = torch.where(held, torch.as_tensor(value), torch.zeros((), dtype=_double(
                value).dtype if torch.is_tensor(value) and value.is_floating_point()
                else torch.int64))
        if term.bound:
            ends = [self._int(b.size) for b in term.bound]
            value = torch.as_tensor(value)
            free = [1] * (len(wider) - value.ndim) + list(value.shape)
            full = [*free[:len(grid)], *ends]
            if np.prod([*(self._int(i.size) for i in grid), *ends]) > MOST:
                raise Unread("a large grid")
            value = value.expand(full)
            for _ in term.bound:
                value = value.sum(-1)
        return value

    def _atom(self, atom: Atom, grid: list[Index], held: Any) -> Any:
        if isinstance(atom, Idx):
            at = grid.index(atom.index)
            line = torch.arange(self._int(atom.index.size))
            return line.reshape([-1 if k == at else 1 for k in range(len(grid))])
        if isinstance(atom, Size):
            return self.sizes[atom.name]
        if isinstance(atom, Paren):
            return self._expr(atom.body, grid, held)
        if isinstance(atom, Access):
            array = self.arrays[atom.array]
            places = []
            for axis, i in enumerate(atom.indices):
                place = torch.as_tensor(self._expr(i, grid, held))
                beyond = (place < 0) | (place >= array.shape[axis])
                seen = beyond if held is None else beyond & held
                if bool(seen.any()):
                    raise IndexError(f"{atom.array} is read beyond its axis {axis}")
                places.append(torch.where(beyond, 0, place).long())
            return array[tuple(places)] if places else array
        if isinstance(atom, Iverson):
            a = self._expr(atom.lhs, grid, held)
            b = self._expr(atom.rhs, grid, held)
            a, b = torch.as_tensor(a), torch.as_tensor(b)
            return {"==": a == b, "!=": a != b, "<": a < b, "<=": a <= b}[atom.relation]
        if isinstance(atom, Extremum):
            wider = [*grid, *atom.bound]
            value = torch.as_tensor(self._expr(atom.body, wider, _wider(held, len(atom.bound))))
            free = [1] * (len(wider) - value.ndim) + list(value.shape)
            value = value.expand([*free[:len(grid)], *(self._int(b.size) for b in atom.bound)])
            over = tuple(range(len(grid), len(wider)))
            return value.amax(over) if atom.kind == "max" else value.amin(over)
        assert isinstance(atom, Apply), atom
        args = [self._expr(a, grid, held) for a in atom.args]
        if atom.function == "floordiv":
            return args[0] // args[1]
        if atom.function == "mod":
            return args[0] % args[1]
        if atom.function == "inf":
            return float("inf")
        definition = rows.to_native(rows.get(atom.function).definition)
        known = {x: _double(_safe(a, held)) for x, a in zip(rows.X, args, strict=False)}
        return _function(definition, known)


def _wider(held: Any, axes: int) -> Any:
    return held if held is None or not axes else held.reshape(*held.shape, *[1] * axes)


def _safe(value: Any, held: Any) -> Any:
    """The value where it is looked at, and a harmless number elsewhere."""
    if held is None:
        return value
    value = torch.as_tensor(value)
    return torch.where(held, value.double(), torch.tensor(SAFE, dtype=torch.float64))


def _double(value: Any) -> torch.Tensor:
    return torch.as_tensor(value).double()


def _groups(equations: Any) -> list[list[Any]]:
    """The equations, those of a cycle together, in an order in which they can run."""
    by = {e.array: e for e in equations}
    graph = {e.array: [a for a in e.reads if a in by] for e in equations}
    return [[by[a] for a in group] for group in components(graph)]


TORCH = {
    sympy.exp: torch.exp, sympy.log: torch.log, sympy.sin: torch.sin, sympy.cos: torch.cos,
    sympy.tan: torch.tan, sympy.asin: torch.asin, sympy.acos: torch.acos, sympy.atan: torch.atan,
    sympy.atan2: torch.atan2, sympy.sinh: torch.sinh, sympy.cosh: torch.cosh,
    sympy.tanh: torch.tanh, sympy.asinh: torch.asinh, sympy.acosh: torch.acosh,
    sympy.atanh: torch.atanh, sympy.erf: torch.erf, sympy.erfc: torch.erfc,
    sympy.loggamma: torch.lgamma, sympy.erfinv: torch.erfinv,
    sympy.floor: torch.floor, sympy.ceiling: torch.ceil,
    sympy.StrictGreaterThan: torch.gt, sympy.StrictLessThan: torch.lt,
    sympy.GreaterThan: torch.ge, sympy.LessThan: torch.le, sympy.Equality: torch.eq,
    sympy.Unequality: torch.ne,
}


def _function(expr: sympy.Basic, at: Mapping[Any, torch.Tensor]) -> torch.Tensor:
    """SymPy's own functions in torch; no branch that is not taken is differentiated."""
    if expr.is_Symbol:
        return at[expr]
    if expr.is_number:
        return torch.tensor(float(expr), dtype=torch.float64)
    if expr in (sympy.true, sympy.false):
        return torch.tensor(bool(expr))
    if isinstance(expr, sympy.Piecewise):
        (value, condition), *rest = expr.args
        if not rest:
            return _function(value, at)
        taken = _function(condition, at)
        other = sympy.Piecewise(*rest)
        inside = {k: torch.where(taken, v, torch.tensor(SAFE).double()) for k, v in at.items()}
        outside = {k: torch.where(taken, torch.tensor(SAFE).double(), v) for k, v in at.items()}
        return torch.where(taken, _function(value, inside), _function(other, outside))
    args = [_function(a, at) for a in expr.args]
    if isinstance(expr, sympy.Add):
        return sum(args[1:], args[0])
    if isinstance(expr, sympy.Mul):
        return torch.stack(torch.broadcast_tensors(*args)).prod(0)
    if isinstance(expr, sympy.Pow):
        return args[0] ** (int(expr.exp) if expr.exp.is_Integer else args[1])
    if isinstance(expr, sympy.And | sympy.Or):
        joined = args[0]
        for a in args[1:]:
            joined = joined & a if isinstance(expr, sympy.And) else joined | a
        return joined
    if isinstance(expr, sympy.Not):
        return ~args[0]
    if isinstance(expr, sympy.polygamma):
        return torch.special.polygamma(int(expr.args[0]), args[1])
    if expr.func not in TORCH:
        raise Unread(str(expr.func))
    return TORCH[expr.func](*args)
