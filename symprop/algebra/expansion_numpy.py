"""How NumPy spells determinants, functions of them, and all cofactors of a matrix.

In: a name. Out: a template with {x} for the matrix and {name} for a helper of that name, or None;
the texts of the helpers. NumPy's own stand for the expansion by TERM alone: where another term is
in force, determinants are expanded, minor by minor.
"""

from __future__ import annotations

from symprop.algebra import rows
from symprop.algebra.expansion import COFACTORS, DET, TERM, cofactor_of, term
from symprop.algebra.expr import Atom, Extremum
from symprop.algebra.rows_numpy import numpy_of
from symprop.syntax.layout import flat
from symprop.syntax.tree import quote

_SPELLED = {
    DET: "np.linalg.det({x})", "sign": "np.linalg.slogdet({x})[0]",
    "log_abs": "np.linalg.slogdet({x})[1]", COFACTORS: "{cofactors}({x})",
}
_COFACTORS = '''\
def cofactors(matrix):
    """Return what each entry is multiplied by in an expansion of the determinant."""
    U, s, V = np.linalg.svd(matrix)
    one = np.ones_like(s[..., :1])
    before = np.cumprod(np.concatenate([one, s[..., :-1]], -1), -1)
    after = np.cumprod(np.concatenate([one, s[..., :0:-1]], -1), -1)[..., ::-1]
    sign = np.linalg.det(U) * np.linalg.det(V)  # 1 or -1 each: no singular value is divided by
    return (U * (sign[..., None] * before * after)[..., None, :]) @ V
'''
_EXPANDED = '''\
def expanded(matrix):
    """Return the determinants over the last two axes, by expansion along the rows."""
    size = matrix.shape[-1]
    minors = {0: np.ones_like(matrix[..., 0, 0])}  # by columns, bit by bit
    for i in reversed(range(size)):
        larger = {}
        for columns, minor in minors.items():
            for j in range(size):
                if not columns >> j & 1:
                    odd = bin(columns & ((1 << j) - 1)).count("1") % 2
                    key = columns | 1 << j
                    larger[key] = larger.get(key, 0) + TERM
        minors = larger
    return minors[(1 << size) - 1]
'''


def spelled(name: str) -> str | None:
    """The template of a determinant, of all cofactors, or of a function of a determinant."""
    if term() != TERM:
        return "{expanded}({x})" if name == DET else None
    known = rows.registry().rows
    return _SPELLED.get(name) if name not in known or known[name].numpy is not None else None


def helper_of(item: Atom) -> str | None:
    """The helper that the spelling of an atom calls."""
    if not isinstance(item, Extremum) or item.kind != DET:
        return None
    if term() != TERM:
        return "expanded"
    return COFACTORS if cofactor_of(item) is not None else None


def helper_source(helper: str, name: str) -> str:
    """The text of a helper, one of a row too, under another name."""
    if helper == COFACTORS:
        return _COFACTORS.replace("def cofactors(", f"def {name}(")
    if helper != "expanded":
        return rows.helper_source(helper, name)
    text = flat(quote(numpy_of(term()), x="matrix[..., i, j]", y="minor", z="odd"))
    return _EXPANDED.replace("TERM", text).replace("def expanded(", f"def {name}(")
