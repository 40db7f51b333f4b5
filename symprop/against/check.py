"""`symprop.check`: by numerical derivatives, or against a derivation.

In: what is to be checked, and options. Out: a `CheckReport`, or an `AgainstReport` where a
derivation is given. The former comes from `symprop.check`, which knows nothing of derivations.
"""

from collections.abc import Iterable, Mapping
from typing import Any, overload

from symprop.against.compare import against as compared
from symprop.against.report import AgainstReport
from symprop.check import CheckReport
from symprop.check import check as numerically
from symprop.derivation import Derivation
from symprop.errors import InputError


@overload
def check(
    module_or_path_or_functions: object,
    inputs: Mapping[str, Any] | None = None,
    sizes: Mapping[str, int] | None = None,
    seed: int = 0,
    rtol: float = 1e-7,
    *,
    against: None = None,
    **options: Any,
) -> CheckReport: ...


@overload
def check(
    module_or_path_or_functions: object,
    inputs: None = None,
    sizes: None = None,
    seed: int = 0,
    rtol: float = 1e-7,
    *,
    against: Derivation,
    shapes: Mapping[str, Any] | None = None,
    wrt: Iterable[str] | None = None,
) -> AgainstReport: ...


def check(
    module_or_path_or_functions: object,
    inputs: Mapping[str, Any] | None = None,
    sizes: Mapping[str, int] | None = None,
    seed: int = 0,
    rtol: float = 1e-7,
    *,
    against: Derivation | None = None,
    **options: Any,
) -> CheckReport | AgainstReport:
    """Check gradients against numerical derivatives of the loss, or `against` a derivation.

    Takes a module with `forward` and `backward`, live or as the path of a `.py` file (which is
    imported, and so executed), or a pair of functions: (forward, backward), or a loss and a
    function of the same arguments that returns its gradients. Arrays that `inputs` does not hold
    are drawn from the domains that annotations and facts declare; `sizes` fixes named axes.
    The options `shapes`, `wrt` and `facts` win over what the functions declare; `progress` is
    called with the name of each array, how many are done, and how many there are.

    With `against`, the intermediates of backward are compared with that derivation, and the line
    that is wrong is named, with its repair where a single change explains it.

    Raises InputError or ShapeError where there is nothing that could be checked.

    >>> import symprop
    >>> def loss(x: "N"):
    ...     return (x * x).sum()
    >>> check((loss, lambda x: {"x": 2 * x})).passed
    True
    >>> check((loss, lambda x: {"x": 2 * x}), against=symprop.derive(symprop.trace(loss))).passed
    True
    """
    if against is None:
        return numerically(module_or_path_or_functions, inputs, sizes, seed, rtol, **options)
    if inputs or sizes:
        raise InputError("with against, inputs and sizes are drawn: leave them out")
    return compared(module_or_path_or_functions, against, seed=seed, **options)
