"""NumPy and symprop.nn written once more, for arrays that carry a complex step.

In: the source of a forward pass, loaded with these `np` and `nn`. Out: a loss whose imaginary
part is the derivative. Nothing here comes from the package: comparisons, maxima and clips of
complex numbers go by their real parts in NumPy; what conjugates or takes moduli is restated.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy
from scipy.special import erf

STEP = 1e-30


class _Numpy:
    """NumPy with its few functions that are not analytic replaced."""

    def __getattr__(self, name: str) -> Any:
        return getattr(numpy, name)

    @staticmethod
    def abs(x: Any) -> Any:
        return x * numpy.sign(numpy.real(x))

    @staticmethod
    def sign(x: Any) -> Any:
        return numpy.sign(numpy.real(x))

    @staticmethod
    def zeros(shape: Any, dtype: Any = float) -> Any:
        return numpy.zeros(shape, complex if dtype is float else dtype)

    @staticmethod
    def zeros_like(x: Any) -> Any:
        return numpy.zeros(numpy.shape(x), complex)

    @staticmethod
    def vdot(a: Any, b: Any) -> Any:
        return numpy.sum(a * b)

    @staticmethod
    def var(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
        centred = x - numpy.mean(x, axis=axis, keepdims=True)
        return numpy.mean(centred * centred, axis=axis, keepdims=keepdims)

    @staticmethod
    def logaddexp(a: Any, b: Any) -> Any:
        top = numpy.maximum(numpy.real(a), numpy.real(b))
        return top + numpy.log(numpy.exp(a - top) + numpy.exp(b - top))


np = _Numpy()


class nn:
    """The functions of symprop.nn that random programs call."""

    @staticmethod
    def relu(x: Any) -> Any:
        return numpy.where(numpy.real(x) > 0, x, 0)

    @staticmethod
    def leaky_relu(x: Any, slope: float = 0.01) -> Any:
        return numpy.where(numpy.real(x) > 0, x, slope * x)

    @staticmethod
    def elu(x: Any) -> Any:
        return numpy.where(numpy.real(x) > 0, x, numpy.exp(x) - 1)

    @staticmethod
    def sigmoid(x: Any) -> Any:
        return 1 / (1 + numpy.exp(-x))

    @staticmethod
    def softplus(x: Any) -> Any:
        return np.logaddexp(x, 0 * x)

    @staticmethod
    def silu(x: Any) -> Any:
        return x / (1 + numpy.exp(-x))

    @staticmethod
    def gelu(x: Any, approximate: str = "none") -> Any:
        if approximate == "tanh":
            inner = numpy.sqrt(2 / numpy.pi) * (x + 0.044715 * x * x * x)
            return x * (1 + numpy.tanh(inner)) / 2
        return x * (1 + erf(x / numpy.sqrt(2))) / 2

    @staticmethod
    def logsumexp(x: Any, axis: int = -1, keepdims: bool = False) -> Any:
        top = numpy.max(numpy.real(x), axis=axis, keepdims=True)
        total = numpy.sum(numpy.exp(x - top), axis=axis, keepdims=True)
        result = top + numpy.log(total)
        return result if keepdims else numpy.squeeze(result, axis)

    @staticmethod
    def log_softmax(x: Any, axis: int = -1) -> Any:
        return x - nn.logsumexp(x, axis, keepdims=True)

    @staticmethod
    def softmax(x: Any, axis: int = -1) -> Any:
        return numpy.exp(nn.log_softmax(x, axis))

    @staticmethod
    def l2_penalty(x: Any) -> Any:
        return numpy.sum(x * x)

    @staticmethod
    def l1_penalty(x: Any) -> Any:
        return numpy.sum(np.abs(x))

    @staticmethod
    def mse_loss(x: Any, y: Any) -> Any:
        return numpy.mean((x - y) ** 2)

    @staticmethod
    def l1_loss(x: Any, y: Any) -> Any:
        return numpy.mean(np.abs(x - y))

    @staticmethod
    def huber_loss(x: Any, y: Any) -> Any:
        e = np.abs(x - y)
        return numpy.mean(numpy.where(numpy.real(e) <= 1, e * e / 2, e - 0.5))

    @staticmethod
    def hinge_loss(x: Any, y: Any) -> Any:
        return numpy.mean(nn.relu(1 - y * x))

    @staticmethod
    def binary_cross_entropy_with_logits(x: Any, y: Any) -> Any:
        return numpy.mean(nn.softplus(x) - y * x)

    @staticmethod
    def cross_entropy(x: Any, y: Any) -> Any:
        log_p = nn.log_softmax(x, axis=1)
        if numpy.ndim(y) == 2:
            return -numpy.mean(numpy.sum(y * log_p, axis=1))
        return -numpy.mean(log_p[numpy.arange(len(y)), y])


def scan(step: Callable[..., Any], init: Any, xs: Any) -> tuple[Any, Any]:
    """The meaning of `symprop.scan`, as a loop."""
    carry, outputs = init, []
    for x in xs:
        carry, y = step(carry, x)
        outputs.append(y)
    if isinstance(outputs[0], tuple):
        return carry, tuple(numpy.stack(column) for column in zip(*outputs, strict=True))
    return carry, numpy.stack(outputs)


def loss_of(result: Any) -> Any:
    """The loss, alone or before a dict of outputs."""
    return result[0] if isinstance(result, tuple) else result


def complex_gradients(
    function: Callable[..., Any], inputs: Mapping[str, Any], names: tuple[str, ...]
) -> dict[str, Any]:
    """The derivative of the loss by every entry of the named arrays, by complex steps."""
    gradients = {}
    inputs = {n: a + 0j if numpy.asarray(a).dtype.kind == "f" else a for n, a in inputs.items()}
    for name in names:
        gradient = numpy.zeros(numpy.shape(inputs[name]))
        for place in numpy.ndindex(gradient.shape):
            moved = numpy.array(inputs[name], complex)
            moved[place] += 1j * STEP
            loss = loss_of(function(**{**inputs, name: moved}))
            gradient[place] = numpy.imag(loss) / STEP
        gradients[name] = gradient
    return gradients
