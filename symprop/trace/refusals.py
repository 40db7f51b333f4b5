"""What is refused by name, and why.

In: nothing. Out: `registry.REFUSED`, from the names of functions, ufuncs and methods to the
reason that an error gives. A name that stands nowhere is refused too, without a reason.
"""

from symprop.trace.registry import REFUSED

_MEMORY = "a traced array has no memory"
_NO_NUMBERS = "a traced array has no numbers"
_NO_SHAPE = "the shape of its result depends on the numbers in an array"
_NAN = ("a trace has no nan: use a mask, a boolean input, and np.where(mask, x, 0) beside the "
        "sums")
_FINITE = "it decides by nan and infinity, which a trace has not"
_WRITES = "it writes into an array in place: build the new array, with np.where for instance"
_IMPLICIT = ("it is defined by an equation to be solved, not by an expression; pass what it "
             "gives as an input, or write the steps of an algorithm with symprop.scan")
_SPECTRAL = "eigenvalues and singular values are no expressions in the entries"
_COMPLEX = "symprop computes with real numbers"
_BITS = "it is about the bits of numbers, not about a function with a derivative"
_PYTHON = "it calls a Python function on numbers: write whole-array NumPy"
_SETS = "it compares all entries as a set, and the shape of its result depends on them"
_POLY = "polynomials as objects are not traced: use np.polyval or sums of powers"

REFUSED.update({
    **dict.fromkeys(("item", "tolist", "tobytes", "tofile", "dump", "dumps", "save", "savetxt",
                     "savez", "array2string", "array_repr", "array_str"), _NO_NUMBERS),
    **dict.fromkeys(("flat", "base", "data", "strides", "ctypes", "flags", "nbytes", "itemsize"),
                    _MEMORY),
    **dict.fromkeys(("nonzero", "argwhere", "flatnonzero", "trim_zeros",
                     "histogram", "histogram2d", "histogramdd", "histogram_bin_edges"),
                    _NO_SHAPE),
    **dict.fromkeys(("unique", "unique_all", "unique_counts", "unique_inverse", "unique_values",
                     "union1d", "intersect1d", "setdiff1d", "setxor1d", "isin", "in1d"), _SETS),
    **dict.fromkeys(("nansum", "nanmean", "nanvar", "nanstd", "nanmax", "nanmin", "nanprod",
                     "nancumsum", "nancumprod", "nanmedian", "nanquantile", "nanpercentile",
                     "nanargmax", "nanargmin", "nan_to_num"), _NAN),
    **dict.fromkeys(("isnan", "isfinite", "isinf", "isnat", "isposinf", "isneginf"), _FINITE),
    **dict.fromkeys(("allclose", "array_equal", "array_equiv"),
                    "it gives one truth for Python to branch on: np.where(np.isclose(a, b), ...)"),
    **dict.fromkeys(("put", "setfield", "setflags", "resize", "at"), _WRITES),
    **dict.fromkeys(("linalg.lstsq", "linalg.pinv", "linalg.qr", "linalg.tensorinv",
                     "linalg.tensorsolve"), _IMPLICIT),
    **dict.fromkeys(("linalg.eig", "linalg.eigh", "linalg.eigvals", "linalg.eigvalsh",
                     "linalg.svd", "linalg.svdvals", "linalg.cond", "linalg.matrix_rank",
                     "roots", "poly"), _SPECTRAL),
    **dict.fromkeys(("fft", "ifft", "rfft", "irfft", "fft2", "ifft2", "fftn", "ifftn", "rfft2",
                     "irfft2", "rfftn", "irfftn", "hfft", "ihfft", "imag", "angle",
                     "iscomplex", "isreal", "iscomplexobj", "isrealobj", "real_if_close"),
                    _COMPLEX),
    "reduceat": "it reduces slices of several lengths: reduce each of them",
    **dict.fromkeys(("frexp", "ldexp", "nextafter", "spacing", "left_shift", "right_shift",
                     "bitwise_count", "packbits", "unpackbits", "gcd", "lcm"), _BITS),
    **dict.fromkeys(("apply_along_axis", "apply_over_axes", "vectorize", "frompyfunc"), _PYTHON),
    **dict.fromkeys(("polyfit", "polyadd", "polysub", "polymul", "polydiv", "polyder",
                     "polyint"), _POLY),
    "interp": "it searches a table: use np.searchsorted, np.take and the line between two entries",
    "digitize": "use np.searchsorted",
    "lexsort": "it orders by several keys", "sort_complex": _COMPLEX,
    "unwrap": "the jumps that it takes out depend on one another",
    "i0": "the modified Bessel function is no row", "einsum_path": "it plans, and computes nothing",
    "ndarray.partition": "it sorts in place: use np.partition(x, k)",
})
