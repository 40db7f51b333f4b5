"""The documented forms of the functions that are traced: (name, function, shapes), as in
`trace_cases`. One case holds several forms of one function.
"""

import numpy as np

try:
    from scipy import special
except ImportError:
    special = None

W = np.array([[0.5, -1.0, 2.0], [0.25, 3.0, -0.75]])
ROWS = np.array([2, 0, 1, 1])
MASK = np.array([True, False, True])

TRAPEZOID = getattr(np, "trapezoid", None) or np.trapz  # its name before NumPy 2

XY = {"x": "N K", "y": "N K"}
X = {"x": "N K"}
V = {"x": "N"}
VV = {"x": "N", "y": "N"}
X3 = {"x": "N T K"}
S = {"x": "N N"}

ELEMENTWISE = [
    ("trigonometric", lambda x: np.tan(x / 4) + np.arcsin(np.tanh(x)) + np.arccos(np.sin(x) / 2)
     + np.arctan(x), X),
    ("hyperbolic", lambda x: np.sinh(x) - np.cosh(x) + np.arcsinh(x) + np.arccosh(x * x + 1.5)
     + np.arctanh(np.sin(x) / 2), X),
    ("arctan2", lambda x, y: np.arctan2(x, y) + np.arctan2(x, 2.0) + np.arctan2(-1, y), XY),
    ("hypot", lambda x, y: np.hypot(x, y) + np.hypot(3.0, x), XY),
    ("logaddexp2", lambda x, y: np.logaddexp2(x, y) + np.logaddexp2(x, 1), XY),
    ("bases", lambda x: np.exp2(x) + np.log2(x * x) + np.log10(1 + x * x) + np.cbrt(x), X),
    ("sinc", lambda x: np.sinc(x) + np.sinc(0 * x), X),
    ("rounding", lambda x: x * np.floor(x) + x * np.ceil(x) - x * np.trunc(x) + x * np.rint(x)
     + x * np.fix(3 * x), X),
    ("round", lambda x: x * np.round(x, 1) + x * np.around(x) + x * x.round(2), X),
    ("sign", lambda x: x * np.sign(x) + np.copysign(x, -1.0) + np.copysign(x, x * x), X),
    ("heaviside", lambda x: x * np.heaviside(x, 0.5) + np.heaviside(x - x, x), X),
    ("degrees", lambda x: np.deg2rad(x) + np.radians(x) + np.degrees(x) / 50 + np.rad2deg(x), X),
    ("float_power", lambda x, y: np.float_power(np.abs(x), y) + np.float_power(x, 3), XY),
    ("power_integers", lambda x, k: x**k + np.power(x, 2 + k), {"x": "N K", "k": "int N K"}),
    ("power_constant_array", lambda x: x ** np.array([1, 2, 3]) + np.array([2.0, 3, 1]) ** x,
     {"x": "N 3"}),
    ("power_scalars", lambda x, s: np.abs(x) ** s + s**2 + 3**s, {"x": "N", "s": ""}),
    ("remainder", lambda x, y: np.mod(x, 1 + y * y) + x % 0.75 + np.fmod(x, 1 + y * y)
     + np.remainder(2, 1 + y * y) + x * (x // (1 + y * y)), XY),
    ("divmod_modf", lambda x, y: np.divmod(x, 1 + y * y)[1] + x * divmod(x, 0.3)[0]
     + np.modf(x)[0] + x * np.modf(y)[1], XY),
    ("float_bits", lambda x: np.where(np.signbit(x), x, 2 * x), X),
    ("fmax_fmin", lambda x, y: np.fmax(x, y) - np.fmin(x, 0.25) + np.fmax(0.1, y), XY),
    ("clip_forms", lambda x, y: np.clip(x, -y * y, y * y + 0.1) + np.clip(x, None, y)
     + np.clip(x, y, None) + np.clip(x, a_min=-0.5, a_max=0.5) + x.clip(min=-0.3, max=0.2)
     + x.clip(-1, 1), XY),
    ("where_nested", lambda x, y: np.where(x > 0, np.where(y > 0, x, y), np.where(
        x < -1, x * y, 0)), XY),
    ("select", lambda x, y: np.select([x > 1, x > 0, y > 0], [x, x * y, y * y], default=0.5 * x)
     + np.select([x > y], [x]), XY),
    ("piecewise", lambda x: np.piecewise(x, [x < 0, x >= 0], [lambda t: -t * t, lambda t: t]), X),
    ("choose", lambda k, x, y: np.choose(k % 2, [x, y]), {"k": "int N K", **XY}),
    ("isclose", lambda x, y: np.where(np.isclose(x, y, atol=0.5), x, y), XY),
    ("counts", lambda x: x * np.count_nonzero(x > 0, axis=0) + x * np.count_nonzero(x > 0), X),
    ("counts_of_two", lambda x, y: x * np.sum(1 * (x > 0) + 1 * (y > 0), axis=1, keepdims=True)
     + x * ((x > 0).astype(int) - (y > 0).astype(int) + (x > y)), XY),
    ("any_all", lambda x: np.where(np.any(x > 0, axis=1, keepdims=True), x, 2 * x)
     + np.where(np.all(x > -1, axis=0), x, 3 * x) + np.where((x > 2).any(), x, -x), X),
    ("operators", lambda x, y: (2 - x) / (3 + abs(y)) + (-x) ** 3 + +y - 1 / (2 + x * x), XY),
    ("logical_forms", lambda x, y: np.where(np.logical_or(x > 0, y != 0) & ~(x < -1) | (y >= x),
                                            x, y) + (x <= y) * x - (x == y), XY),
    ("logical_reductions", lambda x: np.where(np.logical_or.reduce(x > 0, axis=1, keepdims=True)
     & np.logical_and.reduce(x < 3, axis=0), x, -x), X),
    ("special_forms", lambda x: np.expm1(x) * np.log1p(x * x) + np.square(x) + np.negative(x)
     + np.positive(x) + np.absolute(x) + np.fabs(x) + np.reciprocal(2 + x * x), X),
]

REDUCTIONS = [
    ("prod", lambda x: np.prod(x), X),
    ("prod_axes", lambda x: np.prod(x, axis=1) + x.prod(-1) + np.prod(x, axis=(0, 1)), X),
    ("prod_keepdims", lambda x: np.prod(x, axis=(0, -1), keepdims=True) * x, X3),
    ("prod_literal", lambda x: np.prod(x, axis=1) + np.multiply.reduce(x, axis=1), {"x": "N 3"}),
    ("cumprod", lambda x: np.cumprod(x, axis=1) + x.cumprod(0), X),
    ("cumprod_flat", lambda x: np.cumprod(x), {"x": "N 2"}),
    ("cumulative", lambda x: np.multiply.accumulate(x, axis=1) + np.add.accumulate(x, axis=0), X),
    ("running_maximum", lambda x: np.maximum.accumulate(x, axis=1)
     + np.minimum.accumulate(x, axis=0), X),
    ("cumsum_forms", lambda x: np.cumsum(x).reshape(x.shape) + np.cumsum(x, axis=-1) + x.cumsum(
        axis=0), X),
    ("argmax", lambda x: x * np.argmax(x, axis=1)[:, None] + x.argmin(0), X),
    ("argmax_flat", lambda x: x * np.argmax(x) + x * x.argmin() + x * x.argmax(
        axis=-1, keepdims=True), X),
    ("argmax_index", lambda x: x[np.arange(x.shape[0]), np.argmax(x, axis=1)], X),
    ("argmax_take", lambda x, y: np.take_along_axis(
        y, np.argmin(x, axis=1, keepdims=True), axis=1) + np.take(y[:, 0], np.argmax(x, axis=0)),
     {"x": "N N", "y": "N N"}),
    ("sort", lambda x: np.sort(x) + np.sort(x, axis=0), X),
    ("sort_flat", lambda x: np.sort(x, axis=None), {"x": "N 2"}),
    ("argsort", lambda x: x * np.argsort(x, axis=1) + np.take_along_axis(
        x, x.argsort(axis=0), axis=0), X),
    ("partition", lambda x: np.partition(x, 1, axis=1)[:, 1], {"x": "N 5"}),
    ("argpartition", lambda x: np.take_along_axis(
        x, np.argpartition(x, 1, axis=1)[:, 1:2], axis=1) + x.argpartition(2, axis=-1)[:, 2:3] * x,
     {"x": "N 5"}),
    ("searchsorted", lambda x: x * np.searchsorted(np.array([-1.0, 0, 0.5]), x)
     + x * np.searchsorted(np.array([-1, 1]), x, side="right"), X),
    ("median", lambda x: np.median(x, axis=1) + np.median(x), X),
    ("median_axes", lambda x: np.median(x, axis=0, keepdims=True) * x
     + np.median(x, axis=(0, 1)), X),
    ("quantile", lambda x: np.quantile(x, 0.3, axis=1) + np.percentile(x, 75, axis=1)
     + np.quantile(x, 1.0, axis=-1) + np.quantile(x, 0), X),
    ("var_forms", lambda x: np.var(x) + np.var(x, axis=(0, 2), ddof=1) + x.var(
        axis=(0, -1), keepdims=True)[0, :, 0], {"x": "N T K"}),
    ("std_forms", lambda x: np.std(x, axis=1, ddof=1) + x.std(-1) + np.std(x), X),
    ("mean_forms", lambda x: np.mean(x, axis=(0, 1)) + x.mean(-1).mean(0)[..., None] + x.mean(
        axis=(0, 2), keepdims=True)[0, :, 0].mean(), X3),
    ("sum_forms", lambda x: np.sum(x, axis=(-1, 0), keepdims=True)[0] + x.sum((0, 1)).sum()
     + np.sum(x, axis=()).sum(axis=0).sum(0), X3),
    ("masked_max", lambda x, m: np.where(m.any(axis=1), np.where(m, x, -np.inf).max(axis=1), 0.0),
     {"x": "N K", "m": "bool N K"}),
    ("extrema_forms", lambda x: np.max(x, axis=(0, -1), keepdims=True) + x.min() + np.amin(
        x, axis=-1, keepdims=True) + x.max(-2, keepdims=True), X3),
    ("ptp_forms", lambda x: np.ptp(x, axis=1, keepdims=True) * x + np.ptp(x), X),
    ("average_forms", lambda x, y: np.average(x, weights=y * y) + np.average(
        x, axis=1, weights=y * y), XY),
    ("average_returned", lambda x: np.average(x, axis=0, weights=[1.0, 2, 3], returned=True)[0],
     {"x": "3 K"}),
    ("norms", lambda x: np.linalg.norm(x) + np.linalg.norm(x, axis=1).sum()
     + np.linalg.norm(x, "fro") + np.linalg.norm(x, axis=0, keepdims=True).sum(), X),
    ("norms_of_vectors", lambda x: np.linalg.norm(x, 1, axis=1) + np.linalg.norm(x, np.inf, axis=1)
     + np.linalg.norm(x, -np.inf, axis=-1) + np.linalg.norm(x, 3, axis=1) + np.linalg.norm(
         x, ord=0, axis=1), X),
    ("norms_of_matrices", lambda x: np.linalg.norm(x, 1) + np.linalg.norm(x, np.inf)
     + np.linalg.norm(x, -1) + np.linalg.norm(x, -np.inf) + np.linalg.norm(x, axis=(0, 1)), X),
    ("diff", lambda x: np.diff(x)[:, 0] + np.diff(x, axis=1, n=2).sum(1), X),
    ("diff_ends", lambda x: np.diff(x, prepend=0.0) + np.diff(x, axis=-1, append=x[:, :1]), X),
    ("ediff1d", lambda x: np.ediff1d(x), V),
    ("gradient", lambda x: np.gradient(x) + np.gradient(x, 0.5), V),
    ("gradient_axes", lambda x: np.gradient(x)[0] + np.gradient(x, axis=1) * np.gradient(
        x, 2.0, axis=0), X),
    ("trapezoid", lambda x: TRAPEZOID(x, axis=1) + TRAPEZOID(x, dx=0.5), X),
    ("logaddexp_reduce", lambda x: np.logaddexp.reduce(x, axis=1), X),
    ("ufunc_reduce", lambda x: np.add.reduce(x, axis=1) + np.maximum.reduce(x, axis=1)
     + np.minimum.reduce(x, axis=-1), X),
    ("cov", lambda x: np.cov(x) + np.cov(x, bias=True), {"x": "3 K"}),
    ("cov_columns", lambda x: np.cov(x, rowvar=False, ddof=0), {"x": "N 3"}),
    ("corrcoef", lambda x: np.corrcoef(x), {"x": "3 K"}),
]

CONTRACTIONS = [
    ("matmul_ranks", lambda x, y: (x @ y[0]).sum(-1) + x @ y[0, :, 0] + np.matmul(x, y).sum(-1),
     {"x": "B N K", "y": "B K M"}),
    ("matmul_stacks", lambda x, y: x[:, None] @ y[None], {"x": "B N K", "y": "T K M"}),
    ("vector_stack", lambda x, y: x @ y, {"x": "K", "y": "B K M"}),
    ("dot_forms", lambda x, y: np.dot(x, y) + x.dot(y) + np.dot(x, 2.0) @ np.ones(x.shape),
     {"x": "N N", "y": "N N"}),
    ("dot_vector", lambda x, y: np.dot(x, y) + x.dot(y), {"x": "B N K", "y": "K"}),
    ("inner_forms", lambda x, y: np.inner(x, y).sum(-1) + np.inner(x, y[0]) + np.inner(
        2.0, x).sum(-1), {"x": "B N K", "y": "M K"}),
    ("outer_forms", lambda x, y: np.outer(x, y) + np.multiply.outer(x.ravel(), y),
     {"x": "N 2", "y": "K"}),
    ("ufunc_outer", lambda x, y: np.add.outer(x, y) * np.subtract.outer(x, y) + np.maximum.outer(
        x, y), {"x": "N", "y": "K"}),
    ("vdot_forms", lambda x, y: np.vdot(x, y) + np.vdot(x[0], y[0]), XY),
    ("tensordot_forms", lambda x, y: np.tensordot(x, y, 1).sum() + np.tensordot(
        x, y.T, axes=(1, 1)).sum(0) + np.tensordot(x, x, axes=2), {"x": "N K", "y": "K M"}),
    ("tensordot_zero", lambda x, y: np.tensordot(x, y, axes=0), {"x": "N", "y": "K"}),
    ("trace_forms", lambda x: np.trace(x, 1) + np.trace(x, offset=-1) + x.trace(), S),
    ("trace_axes", lambda x: np.trace(x, axis1=0, axis2=2), {"x": "N T N"}),
    ("kron_forms", lambda x, y: np.kron(x, y), {"x": "N", "y": "K"}),
    ("kron_ranks", lambda x, y: np.kron(x, y) + np.kron(y, x), {"x": "2 N", "y": "3"}),
    ("cross", lambda x, y: np.cross(x, y) + np.cross(x, W[:1]), {"x": "N 3", "y": "N 3"}),
    ("cross_axes", lambda x, y: np.cross(x, y, axis=0), {"x": "3 N", "y": "3 N"}),
    ("einsum_ellipsis", lambda x, y: np.einsum("...k,k", x, y) + np.einsum("n...->...n", x).sum(
        1).T, {"x": "N T K", "y": "K"}),
    ("einsum_ellipsis_out", lambda x, y: np.einsum("i...,j...->ij...", x, y),
     {"x": "N K", "y": "M K"}),
    ("einsum_ellipsis_ranks", lambda x, y: np.einsum("...ij,...jk->...ik", x, y),
     {"x": "B N K", "y": "K M"}),
    ("einsum_repeated", lambda x: np.einsum("iij->j", x) + np.einsum("iij->ij", x).sum(0)
     + np.einsum("iij", x), {"x": "N N K"}),
    ("einsum_cubes", lambda x: np.einsum("iii", x) + np.einsum("iii->i", x), {"x": "N N N"}),
    ("einsum_implicit_order", lambda x: np.einsum("ba", x) + np.einsum("ij->ji", x), X),
    ("einsum_spaces", lambda x, y: np.einsum(" n k , k -> n ", x, y, optimize=True),
     {"x": "N K", "y": "K"}),
    ("einsum_lists", lambda x, y: np.einsum(x, [0, 1], y, [1, 2], [0, 2])
     + np.einsum(x, [0, 1], y, [1, 2]), {"x": "N K", "y": "K M"}),
    ("einsum_list_dots", lambda x, y: np.einsum(x, [..., 1], y, [1], [...]),
     {"x": "N T K", "y": "K"}),
    ("einsum_broadcast", lambda x, y: np.einsum("nk,nk->nk", x, y) * np.einsum("nk,nk->n", x, y)[
        :, None], {"x": "N K", "y": "N 1"}),
    ("einsum_outer_scalar", lambda x, y: np.einsum(",n->n", y, x), {"x": "N", "y": ""}),
    ("convolve", lambda x, y: np.convolve(x, y)[1:3] + np.convolve(x, y, mode="same")[:2],
     {"x": "7", "y": "3"}),
    ("convolve_valid", lambda x, y: np.convolve(x, y, "valid"), {"x": "N+2", "y": "3"}),
    ("correlate", lambda x, y: np.correlate(x, y) + np.correlate(x, y, "full")[2:-2],
     {"x": "N+2", "y": "3"}),
    ("vecdot_matvec", lambda x, y: np.vecdot(x, y) if hasattr(np, "vecdot") else (x * y).sum(-1),
     XY),
    ("multi_dot", lambda x, y: np.linalg.multi_dot([x, y, x]), {"x": "N K", "y": "K N"}),
    ("matrix_power", lambda x: np.linalg.matrix_power(x, 3) + np.linalg.matrix_power(x, 0)
     + np.linalg.matrix_power(x @ x.T + np.eye(x.shape[0]), -2), S),
    ("solve", lambda x, y: np.linalg.solve(x @ x.T + np.eye(x.shape[0]), y), XY),
    ("solve_vector", lambda x, y: np.linalg.solve(x.T @ x + 2 * np.eye(x.shape[1]), y),
     {"x": "N K", "y": "K"}),
    ("solve_stack", lambda x: np.linalg.solve(np.einsum("ntk,nsk->nts", x, x) + np.eye(
        x.shape[1]), x), X3),
    ("solve_one_matrix", lambda x: np.linalg.solve(x[0] @ x[0].T + np.eye(x.shape[1]), x), X3),
    ("solve_transposed", lambda x, y: np.linalg.solve(x.T, y), {"x": "3 3", "y": "3"}),
    ("inv", lambda x: np.linalg.inv(x @ x.T + np.eye(x.shape[0])) @ x, X),
    ("inv_stack", lambda x: np.linalg.inv(np.einsum("ntk,ntl->nkl", x, x) + np.eye(
        x.shape[2])), X3),
    ("det", lambda x: np.linalg.det(x) + np.linalg.det(x @ x.T + np.eye(x.shape[0])), S),
    ("slogdet_stack", lambda x: np.linalg.slogdet(np.einsum("ntk,nsk->nts", x, x) + np.eye(
        x.shape[1]))[1] + np.linalg.slogdet(np.einsum("ntk,nsk->nts", x, x) - 0.3).sign, X3),
    ("polyval", lambda x: np.polyval([2.0, -1, 0.5], x) + np.polyval(x[:3, 0], x), {"x": "5 K"}),
    ("vander", lambda x: np.vander(x, 3) + np.vander(x, 3, increasing=True), V),
    ("cholesky", lambda x: np.linalg.cholesky(x @ x.T + 3 * np.eye(3)), {"x": "3 K"}),
]

REARRANGED = [
    ("list_of_scalars", lambda x: np.array([x[0] * x[1], x[1], 2.0]) * np.asarray([x[1], 1, 0]),
     {"x": "3"}),
    ("list_of_arrays", lambda x, y: np.array([x, y]) + np.array((y, 1.0 * x)), XY),
    ("nested_lists", lambda x: np.array([[x[0], x[1]], [0.0, x[0] * x[1]]]) @ x[:2], {"x": "3"}),
    ("array_of_array", lambda x: np.array(x) + np.asarray(x) + np.asarray(x, dtype=float), X),
    ("rotation", lambda t, x: np.array([[np.cos(t), -np.sin(t)], [np.sin(t), np.cos(t)]]) @ x,
     {"t": "", "x": "2 N"}),
    ("stack_forms", lambda x, y: np.stack((x, y)) + np.stack([x, y], axis=-1).transpose(2, 0, 1)
     + np.stack([x, y], 1).swapaxes(0, 1), XY),
    ("dstack", lambda x, y: np.dstack([x, y]) + np.dstack((y, x)), XY),
    ("stacks_of_vectors", lambda x, y: np.vstack([x, y])
     + np.hstack([x, y]).reshape(2, -1) + np.dstack([x, y])[0].T, VV),
    ("block", lambda x, y: np.block([[x, y], [y, x]]) + 0 * np.block([[x, y], [x, x]]), XY),
    ("append_forms", lambda x, y: np.append(x, y) + np.append(x, y, axis=0).ravel(), XY),
    ("concatenate_forms", lambda x, y: np.concatenate((x, y), axis=-1) + np.concatenate(
        [x, y], 1) + np.concatenate([x, x[:, :1], y[:, 1:]], 1)[:, ::1], XY),
    ("concatenate_flat", lambda x, y: np.concatenate([x, y], axis=None), XY),
    ("split_forms", lambda x: np.split(x, 3)[0] + np.array_split(x, 3)[1] + np.split(
        x, [2, 4])[1] + np.vsplit(x, 3)[2], {"x": "6 K"}),
    ("array_split", lambda x: np.concatenate([2 * p for p in np.array_split(x, 3)][::-1]),
     {"x": "7 K"}),
    ("hsplit_dsplit", lambda x: np.hsplit(x, 2)[0].sum(1) + np.dsplit(x, 2)[1].sum(1)[:, :1],
     {"x": "N 4 6"}),
    ("unstack", lambda x: sum((k + 1) * p for k, p in enumerate(np.moveaxis(x, 1, 0))),
     {"x": "N 3"}),
    ("swap_forms", lambda x: np.moveaxis(x, (0, 1), (1, 2)) + np.rollaxis(x, 2) + np.moveaxis(
        x, [2], [0]), {"x": "N N N"}),
    ("transpose_forms", lambda x: x.transpose() + np.transpose(x) + x.transpose((2, 1, 0))
     + np.swapaxes(x, 0, 2) + x.swapaxes(-1, 0), X3),
    ("matrix_transpose", lambda x: np.swapaxes(x, -1, -2) @ x, X3),
    ("atleast", lambda x, s: np.atleast_1d(s) + np.atleast_2d(x) + np.atleast_3d(x)[0].T
     + np.atleast_2d(x[None])[0], {"x": "N", "s": ""}),
    ("atleast_3d", lambda x: np.atleast_3d(x) * np.atleast_3d(x[:, 0])[0][:, None], X),
    ("squeeze_forms", lambda x: np.squeeze(x) + x.squeeze() + np.squeeze(x, axis=(0, 2))
     + x[0, :, 0] + x.squeeze(axis=-1)[0], {"x": "1 N 1"}),
    ("expand_forms", lambda x: np.expand_dims(x, (0, -1)) + x[None, :, None] + x[
        np.newaxis, ..., np.newaxis], V),
    ("broadcast_arrays", lambda x, y: np.broadcast_arrays(x, y)[1] * np.broadcast_arrays(x, y)[0],
     {"x": "N K", "y": "N 1"}),
    ("flip_forms", lambda x: np.flip(x) + np.flipud(x) + np.fliplr(x) + np.flip(x, (0, 1)), X),
    ("rot90", lambda x: np.rot90(x) + np.rot90(x, 3) + np.rot90(x, -1, axes=(0, 1))
     + np.rot90(x, 5, (1, 0)), S),
    ("rot180", lambda x: np.rot90(x, 2) + np.rot90(x, 4), X),
    ("roll_forms", lambda x: np.roll(x, 2) + np.roll(x, (1, -1), axis=(0, 1)) + np.roll(
        x, 1, (0, 1)) + np.roll(x, 5, axis=-1), {"x": "5 7"}),
    ("tile_forms", lambda x: np.tile(x, 2)[:, :2] + np.tile(x, (2, 1, 1))[1] + np.tile(
        x, [1, 1]), {"x": "N 2"}),
    ("repeat_forms", lambda x: np.repeat(x, 2).reshape(-1, 4) + x.repeat(2, axis=1), {"x": "N 2"}),
    ("repeat_counts", lambda x: np.repeat(x, [1, 0, 3], axis=0), {"x": "3 K"}),
    ("diag_forms", lambda x: np.diag(x, 1) + np.diagonal(x, offset=-1) + np.diag(np.diag(x))[
        0, :-1], S),
    ("diagonal_axes", lambda x: np.diagonal(x, axis1=0, axis2=2) + x.diagonal(0, 0, -1),
     {"x": "N T N"}),
    ("diagflat", lambda x: np.diagflat(x), {"x": "2 2"}),
    ("triangles", lambda x: np.tril(x, -1) + np.triu(x, k=1) + 2 * np.tril(x, 1), X),
    ("triangles_stacked", lambda x: np.tril(x) - np.triu(x), X3),
    ("pad_reflect", lambda x: np.pad(x, ((2, 1), (0, 1)), mode="reflect"), X),
    ("pad_edge", lambda x: np.pad(x, ((2, 0), (1, 3)), mode="edge"), X),
    ("pad_symmetric_wrap", lambda x: np.pad(x, (2, 1), "symmetric") + np.pad(
        x, (2, 1), mode="wrap"), V),
    ("pad_statistics", lambda x: np.pad(x, 1, mode="mean") + np.pad(x, 1, mode="maximum")
     + np.pad(x, 1, mode="minimum"), V),
    ("pad_forms", lambda x: np.pad(x, (1, 2)) + np.pad(x, ((1, 2),)) + np.pad(
        x, [(1, 2), (1, 2)], mode="constant", constant_values=((1, 2), (3.5, 4))), X),
    ("reshape_forms", lambda x: x.reshape((x.shape[0], -1)) + np.reshape(x, (-1, 6)) + x.reshape(
        -1, 6) + x.reshape(6 * x.shape[0]).reshape(x.shape[0], 6), {"x": "N 2 3"}),
    ("reshape_order", lambda x: x.reshape(-1, order="F") + x.ravel("F") + x.flatten("F")
     + np.ravel(x, order="F"), {"x": "N 3"}),
    ("reshape_symbolic", lambda x: x.reshape(x.shape[0] * x.shape[1], x.shape[2]).reshape(
        x.shape[0], -1), X3),
    ("resize_free", lambda x: x[:, : x.shape[1] // 2] + x[:, x.shape[1] // 2:], {"x": "N 2*K"}),
    ("meshgrid_forms", lambda x, y: sum(np.meshgrid(x, y, indexing="ij")) + np.meshgrid(
        x, y, indexing="ij", sparse=True)[0], {"x": "N", "y": "K"}),
    ("take_inside", lambda x, y: x[:, :, y] + np.take(x, y, axis=2) ** 2,
     {"x": "N T M D", "y": "int N"}),
    ("one_hot_of_any_label", lambda x, y: (y[:, None] == np.arange(x.shape[1])) * np.log(
        np.exp(x) / np.exp(x).sum(axis=1, keepdims=True)), {"x": "N K", "y": "int N"}),
    ("reshape_by_sums", lambda x: x[:, 1:].reshape((x.shape[0] - 1 + 1) * (x.shape[1] - 1), -1)
     + x[:, :-1].reshape(-1, x.shape[2]), {"x": "N K D"}),
    ("differences_twice", lambda x: np.diff(x)[:, 1:] * np.diff(np.diff(x)), X),
    ("positions_from_both_ends", lambda x: x[:, [-1, 0, -2]] + x[:, :3]
     + x[np.arange(x.shape[0]) - 1, :3], X),
    ("positions_around", lambda x: x[np.arange(x.shape[0])[:, None] - np.arange(x.shape[0])], V),
    ("positions_clipped", lambda x, b: np.tanh(x) * b[np.clip(
        np.arange(x.shape[0])[:, None] - np.arange(x.shape[1]), -2, 2) + 2],
     {"x": "N K", "b": "5"}),
    ("positions_of_neighbours", lambda x: x[np.maximum(np.arange(x.shape[0]) - 1, 0)]
     * x[np.minimum(np.arange(x.shape[0]) + 1, x.shape[0] - 1)], V),
    ("positions_apart", lambda x: x[np.abs(
        np.arange(x.shape[0])[:, None] - np.arange(x.shape[0]))] * x, V),
    ("largest_of_integers", lambda x, y: x * np.maximum(y, 1) + np.minimum(y, y[::-1])
     + np.abs(y - 1) * np.sign(y - 1) * x * x, {"x": "N", "y": "int N"}),
    ("take_forms", lambda x: np.take(x, [0, 2, 2], axis=1) + np.take(x, 1)
     + x.take([-1, -2, -3], axis=-1),
     {"x": "N 3"}),
    ("mask_constant_index", lambda x: x[:, MASK] + x[:, ~MASK], {"x": "N 3"}),
    ("index_forms", lambda x, y: x[y, 0] + x[:, y][0] + x[..., y][-1, :], {
        "x": "M M+1", "y": "int N"}),
    ("index_negative", lambda x: x[-1, :, -2] + x[:, -1][-1, 0] + x[..., -1, :][0, 1], X3),
    ("slice_forms", lambda x: x[1:, :-1] + x[:-1, 1:] + x[-2:-1, :-1] + x[
        slice(1, None), slice(None, -1)], X),
    ("delete", lambda x: np.delete(x, 1, axis=1) + np.delete(x, -1, 1), X),
    ("insert", lambda x: np.insert(x, 1, 2.5, axis=1) + np.insert(x, 0, x[:, 0], axis=1), X),
    ("trim", lambda x: np.extract(MASK, x) + np.compress(MASK, x), {"x": "3"}),
    ("copies", lambda x: np.copy(x) + x.copy() + np.ascontiguousarray(x) + np.real(x) + x.real
     + np.conj(x) + x.conjugate() + np.true_divide(x, 2) + np.asanyarray(x) + x.conj()
     + np.asfortranarray(x) + x.astype(float) + x.view(), X),
    ("ix", lambda x: x[np.ix_([0, 2], [1, 0])], {"x": "3 4"}),
    ("sliding", lambda x: np.lib.stride_tricks.sliding_window_view(x, 3, axis=1).max(-1), X),
    ("fill_diagonal_free", lambda x: x * (1 - np.eye(x.shape[0])) + np.eye(x.shape[0]), S),
    ("geometric", lambda x: x * np.logspace(0, 1, x.shape[0])[:, None], X),
    ("indices_of_triangle", lambda x: x[np.triu_indices(3, 1)] + x[np.tril_indices(3, -1)],
     {"x": "3 3"}),
    ("like_creation", lambda x: np.arange(3.0) * np.linspace(0, 1, 3) + x + 0 * np.empty_like(x)
     + np.full_like(x, 2.0), {"x": "N 3"}),
    ("shape_functions", lambda x: x / np.size(x) + np.shape(x)[0] * x + np.ndim(x) + np.size(
        x, 0), X),
]

# Names that NumPy has since version 2.
ADDED = [
    ("norms_by_name", lambda x: np.linalg.vector_norm(x, axis=1) + np.linalg.vector_norm(
        x, ord=3) + np.linalg.matrix_norm(x), X),
    ("names_of_the_array_api", lambda x, y: np.concat([x, y]) @ np.linalg.matrix_transpose(y)
     @ np.matrix_transpose(np.permute_dims(x, (1, 0))) + np.vecdot(x, y).sum(), XY),
    ("unstack", lambda x: sum(k * p for k, p in enumerate(np.unstack(x, axis=1))), {"x": "N 3"}),
    ("products_of_linalg", lambda x, y: np.linalg.cross(x, y) * np.linalg.diagonal(
        x.T @ y), {"x": "N 3", "y": "N 3"}),
]

SPECIAL = [
    ("logistic", lambda x: special.expit(x) + special.log_expit(x)
     + special.logit(0.1 + 0.8 / (1 + x * x)), X),
    ("error_functions", lambda x: special.erf(x) - special.erfc(2 * x) + special.ndtr(x)
     + special.log_ndtr(x), X),
    ("logarithms", lambda x, y: special.xlogy(x, 1 + y * y) + special.xlog1py(y, x * x)
     + special.exp10(x / 3) + special.log1p(x * x) + special.expm1(x), XY),
    ("entropies", lambda x, y: special.entr(1 + x * x) + special.rel_entr(1 + x * x, 2 + y * y)
     + special.kl_div(1 + y * y, 1 + x * x), XY),
    ("losses", lambda x: special.huber(0.5, x) + special.pseudo_huber(1.5, x), X),
    ("softmaxes", lambda x: special.softmax(x, axis=1) + special.log_softmax(x, axis=0)
     + special.softmax(x), X),
    ("logsumexp", lambda x, y: special.logsumexp(x, axis=1) + special.logsumexp(x) + special.
     logsumexp(x, axis=1, b=1 + y * y) + special.logsumexp(x, axis=0, keepdims=True)[0, 0], XY),
]

FORMS = [*ELEMENTWISE, *REDUCTIONS, *CONTRACTIONS, *REARRANGED,
         *(ADDED if hasattr(np, "unstack") else []), *(SPECIAL if special else [])]
