"""Python functions of SciPy by module, where SciPy is installed; symprop itself never imports it.

In: traced arrays. Out: traced arrays: the normal distribution, linear systems by their factors,
distances between the rows of two matrices. All are written in operations that are traced anyway.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from symprop.errors import UnsupportedError
from symprop.trace.arithmetic import add, divide, multiply, negative, sqrt, square, subtract
from symprop.trace.coerce import as_traced
from symprop.trace.context import located
from symprop.trace.creation import eye
from symprop.trace.determinants import det, slogdet
from symprop.trace.elementwise import row
from symprop.trace.factorizations import cholesky as lower_cholesky
from symprop.trace.fillable import is_symbolic
from symprop.trace.implicit import inv, solve
from symprop.trace.indexing_ops import getitem
from symprop.trace.reductions import sum_
from symprop.trace.registry import NAMED
from symprop.trace.scipy_special import PATCHED
from symprop.trace.tensor import Traced
from symprop.trace.views import swapaxes

_LOG_TWO_PI = math.log(2 * math.pi)


# ---- scipy.stats ------------------------------------------------------------------------------


def _standard(x: Any, loc: Any, scale: Any) -> Traced:
    return divide(subtract(x, loc), scale)


def norm_logpdf(x: Any, loc: Any = 0, scale: Any = 1) -> Traced:
    """-½ ((x - loc) / scale)² - log scale - ½ log 2π."""
    density = subtract(multiply(-0.5, square(_standard(x, loc, scale))), 0.5 * _LOG_TWO_PI)
    if isinstance(scale, int | float) and scale == 1:
        return density
    return subtract(density, row("log", as_traced(scale)))


def norm_pdf(x: Any, loc: Any = 0, scale: Any = 1) -> Traced:
    """exp of the logarithm of the density."""
    return row("exp", norm_logpdf(x, loc, scale))


def norm_cdf(x: Any, loc: Any = 0, scale: Any = 1) -> Traced:
    """The row normal_cdf."""
    return row("normal_cdf", _standard(x, loc, scale))


def norm_sf(x: Any, loc: Any = 0, scale: Any = 1) -> Traced:
    """What the distribution function leaves to 1."""
    return row("normal_cdf", negative(_standard(x, loc, scale)))


def norm_logcdf(x: Any, loc: Any = 0, scale: Any = 1) -> Traced:
    """The row log_ndtr."""
    return row("log_ndtr", _standard(x, loc, scale))


def norm_logsf(x: Any, loc: Any = 0, scale: Any = 1) -> Traced:
    """The logarithm of what the distribution function leaves to 1."""
    return row("log_ndtr", negative(_standard(x, loc, scale)))


def mvn_logpdf(x: Any, mean: Any = None, cov: Any = 1, allow_singular: Any = False) -> Traced:
    """-½ (dᵀ Σ⁻¹ d + log det Σ + D log 2π), with d = x - mean."""
    points, matrix = as_traced(x), as_traced(1 if cov is None else cov)
    if allow_singular or matrix.ndim > 2 or not points.ndim:
        raise located(UnsupportedError, (
            "scipy.stats.multivariate_normal is traced for points with an axis, without "
            "allow_singular="))
    apart = points if mean is None else subtract(points, mean)
    if matrix.ndim < 2:  # the variance of each entry, or of all
        return sum_(norm_logpdf(apart, 0, sqrt(matrix)), axis=-1)
    solved = (solve(matrix, apart) if apart.ndim == 1
              else swapaxes(solve(matrix, swapaxes(apart, -1, -2)), -1, -2))
    squares = sum_(multiply(apart, solved), axis=-1)
    constant = multiply(apart.shape[-1], _LOG_TWO_PI)
    return multiply(-0.5, add(add(squares, slogdet(matrix).logabsdet), constant))


def mvn_pdf(x: Any, mean: Any = None, cov: Any = 1, allow_singular: Any = False) -> Traced:
    """exp of the logarithm of the density."""
    return row("exp", mvn_logpdf(x, mean, cov, allow_singular))


class Frozen:
    """A distribution with its parameters: what `norm(m, s)` gives within a trace."""

    def __init__(self, made: Callable[[], Any], functions: Mapping[str, Callable[..., Any]],
                 args: Sequence[Any], options: Mapping[str, Any]) -> None:
        self._made, self._functions = made, functions
        self._args, self._options = args, options

    def __getattr__(self, name: str) -> Any:
        traced = self._functions.get(name)
        if traced is None:
            return getattr(self._made(), name)

        def method(x: Any) -> Any:
            if not is_symbolic([x, *self._args, *self._options.values()]):
                return getattr(self._made(), name)(x)
            return traced(x, *self._args, **self._options)

        return method


# ---- scipy.linalg -----------------------------------------------------------------------------


def cholesky(a: Any, lower: Any = False, overwrite_a: Any = False,
             check_finite: Any = True) -> Traced:
    """The triangular factor: the upper one, unless `lower`."""
    factor = lower_cholesky(a if lower else swapaxes(a, -1, -2))
    return factor if lower else swapaxes(factor, -1, -2)


def cho_factor(a: Any, lower: Any = False, **options: Any) -> tuple[Traced, Any]:
    """The factor, and which triangle it lies in."""
    return cholesky(a, lower), lower


def cho_solve(c_and_lower: Any, b: Any, **options: Any) -> Traced:
    """X with A X = B, by the triangular factor of A."""
    factor, lower = c_and_lower
    first = solve_triangular(factor, b, trans=0 if lower else 1, lower=lower)
    return solve_triangular(factor, first, trans=1 if lower else 0, lower=lower)


def solve_triangular(a: Any, b: Any, trans: Any = 0, lower: Any = False,
                     unit_diagonal: Any = False, **options: Any) -> Traced:
    """X with A X = B, where only a triangle of A is read."""
    matrix = NAMED["tril" if lower else "triu"](a, 0)
    if unit_diagonal:
        strict = NAMED["tril" if lower else "triu"](a, -1 if lower else 1)
        matrix = add(strict, eye(as_traced(a).shape[-1]))
    return solve(matrix if trans in (0, "N") else swapaxes(matrix, -1, -2), b)


def plain_solve(a: Any, b: Any, **options: Any) -> Traced:
    """X with A X = B."""
    if options.get("transposed"):
        a = swapaxes(a, -1, -2)
    return solve(a, b)


# ---- scipy.spatial ------------------------------------------------------------------------------


def cdist(XA: Any, XB: Any, metric: Any = "euclidean", **options: Any) -> Traced:
    """The distance of every row of one matrix to every row of another."""
    apart = subtract(getitem(as_traced(XA), (slice(None), None)), getitem(as_traced(XB), (None,)))
    if metric in ("euclidean", "sqeuclidean"):
        squares = sum_(square(apart), axis=-1)
        return squares if metric == "sqeuclidean" else sqrt(squares)
    if metric == "cityblock":
        return sum_(row("abs", apart), axis=-1)
    raise located(UnsupportedError, (
        f"scipy.spatial.distance.cdist is traced for euclidean, sqeuclidean and cityblock, not "
        f"for {metric!r}: write the distance itself"))


# By module, or by "module:object" where the functions are methods.
SCIPY: Mapping[str, Mapping[str, Callable[..., Any]]] = {
    "scipy.special": PATCHED,
    "scipy.stats:norm": {"logpdf": norm_logpdf, "pdf": norm_pdf, "cdf": norm_cdf, "sf": norm_sf,
                         "logcdf": norm_logcdf, "logsf": norm_logsf},
    "scipy.stats:multivariate_normal": {"logpdf": mvn_logpdf, "pdf": mvn_pdf},
    "scipy.linalg": {"cholesky": cholesky, "cho_factor": cho_factor, "cho_solve": cho_solve,
                     "solve_triangular": solve_triangular, "solve": plain_solve, "inv": inv,
                     "det": det},
    "scipy.spatial.distance": {"cdist": cdist},
}
