"""Recurrent layers over time, written with `symprop.scan`; weights in torch's layouts.

In: input (T, N, K), the first state, weights. Out: all states (T, N, H) and the last one. The
input's share of every gate is one product over all times; only the rest runs in the loop.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from symprop.errors import InputError, ShapeError
from symprop.nn.activations import relu, sigmoid
from symprop.nn.arguments import expect_rank, expect_size
from symprop.nn.embedding import linear
from symprop.trace.context import located
from symprop.trace.scan import scan


def rnn(
    input: Any, h0: Any, weight_ih: Any, weight_hh: Any, bias_ih: Any = None,
    bias_hh: Any = None, nonlinearity: str = "tanh", reverse: bool = False,
) -> tuple[Any, Any]:
    """h[t] = tanh(W_ih x[t] + b_ih + W_hh h[t-1] + b_hh); returns (all h, the last h).

    input: (T, N, K). h0: (N, H). weight_ih: (H, K). weight_hh: (H, H). biases: (H,) or None.
    nonlinearity: "tanh" or "relu". With `reverse` the time runs from T - 1 to 0, and the states
    come back in the input's order. Raises ShapeError where sizes do not fit. Source: Elman
    (1990), as torch.nn.RNN.

    >>> states, last = rnn(np.ones((2, 1, 1)), np.zeros((1, 1)), np.ones((1, 1)), np.ones((1, 1)))
    >>> states[:, 0, 0]
    array([0.76159416, 0.94268079])
    """
    activations: dict[str, Callable[[Any], Any]] = {"tanh": np.tanh, "relu": relu}
    activate = activations.get(nonlinearity)
    if activate is None:
        raise located(InputError, f'rnn: nonlinearity is "tanh" or "relu", not {nonlinearity!r}')
    _expect_layer("rnn", 1, input, h0, weight_ih, weight_hh)
    from_input = linear(input, weight_ih, bias_ih)

    def step(h: Any, from_input: Any) -> tuple[Any, Any]:
        h = activate(from_input + linear(h, weight_hh, bias_hh))
        return h, h

    return _run(step, h0, from_input, reverse)


def lstm(
    input: Any, h0: Any, c0: Any, weight_ih: Any, weight_hh: Any, bias_ih: Any = None,
    bias_hh: Any = None, reverse: bool = False,
) -> tuple[Any, tuple[Any, Any]]:
    """c[t] = f c[t-1] + i g, h[t] = o tanh(c[t]); returns (all h, (the last h, the last c)).

    The gates are σ, σ, tanh, σ of W_ih x[t] + b_ih + W_hh h[t-1] + b_hh, cut into i, f, g, o in
    this order. input: (T, N, K). h0, c0: (N, H). weight_ih: (4H, K). weight_hh: (4H, H).
    biases: (4H,) or None. `reverse` as in `rnn`. Raises ShapeError where sizes do not fit.
    Source: Hochreiter and Schmidhuber (1997), Gers et al. (2000), as torch.nn.LSTM.

    >>> zero = np.zeros((1, 1))
    >>> states, (h, c) = lstm(np.ones((1, 1, 1)), zero, zero, np.ones((4, 1)), np.ones((4, 1)))
    >>> h
    array([[0.36960635]])
    """
    _expect_layer("lstm", 4, input, h0, weight_ih, weight_hh)
    expect_size(c0, -1, np.shape(h0)[-1], "the size of the state", "lstm: c0")
    size = np.shape(h0)[-1]
    from_input = linear(input, weight_ih, bias_ih)

    def step(carry: Any, from_input: Any) -> tuple[Any, Any]:
        h, c = carry
        gates = from_input + linear(h, weight_hh, bias_hh)
        i = sigmoid(gates[:, :size])
        f = sigmoid(gates[:, size : 2 * size])
        g = np.tanh(gates[:, 2 * size : 3 * size])
        o = sigmoid(gates[:, 3 * size :])
        c = f * c + i * g
        h = o * np.tanh(c)
        return (h, c), h

    return _run(step, (h0, c0), from_input, reverse)


def gru(
    input: Any, h0: Any, weight_ih: Any, weight_hh: Any, bias_ih: Any = None,
    bias_hh: Any = None, reverse: bool = False,
) -> tuple[Any, Any]:
    """h[t] = (1 - z) n + z h[t-1]; returns (all h, the last h).

    r, z = σ(W_ih x[t] + b_ih + W_hh h[t-1] + b_hh), and n = tanh(W_in x[t] + b_in +
    r (W_hn h[t-1] + b_hn)); the weights hold r, z, n in this order. input: (T, N, K). h0:
    (N, H). weight_ih: (3H, K). weight_hh: (3H, H). biases: (3H,) or None. `reverse` as in `rnn`.
    Raises ShapeError where sizes do not fit. Source: Cho et al., arXiv:1406.1078, as
    torch.nn.GRU (which multiplies by r after the product).

    >>> zero = np.zeros((1, 1))
    >>> states, h = gru(np.ones((1, 1, 1)), zero, np.ones((3, 1)), np.ones((3, 1)))
    >>> h
    array([[0.20482421]])
    """
    _expect_layer("gru", 3, input, h0, weight_ih, weight_hh)
    size = np.shape(h0)[-1]
    from_input = linear(input, weight_ih, bias_ih)

    def step(h: Any, from_input: Any) -> tuple[Any, Any]:
        from_state = linear(h, weight_hh, bias_hh)
        r = sigmoid(from_input[:, :size] + from_state[:, :size])
        z = sigmoid(from_input[:, size : 2 * size] + from_state[:, size : 2 * size])
        n = np.tanh(from_input[:, 2 * size :] + r * from_state[:, 2 * size :])
        h = (1 - z) * n + z * h
        return h, h

    return _run(step, h0, from_input, reverse)


def bidirectional(
    layer: Callable[..., tuple[Any, Any]], input: Any, forward: Sequence[Any],
    backward: Sequence[Any],
) -> tuple[Any, tuple[Any, Any]]:
    """Two layers, one in each direction of time, side by side.

    layer: `rnn`, `lstm` or `gru`. forward, backward: what follows `input` among its arguments,
    for either direction. Returns ((T, N, 2H), (last state forward, last state backward)).

    >>> one, zero = np.ones((1, 1)), np.zeros((1, 1))
    >>> states, _ = bidirectional(rnn, np.ones((2, 1, 1)), (zero, one, one), (zero, one, one))
    >>> states[:, 0]
    array([[0.76159416, 0.94268079],
           [0.94268079, 0.76159416]])
    """
    ahead, last_ahead = layer(input, *forward)
    back, last_back = layer(input, *backward, reverse=True)
    return np.concatenate((ahead, back), axis=-1), (last_ahead, last_back)


def _run(step: Any, start: Any, inputs: Any, reverse: bool) -> tuple[Any, Any]:
    """(all outputs in the order of the inputs, the last carry)."""
    if not reverse:
        last, states = scan(step, start, inputs)
        return states, last
    last, states = scan(step, start, inputs[::-1])
    return states[::-1], last


def _expect_layer(
    name: str, gates: int, input: Any, h0: Any, weight_ih: Any, weight_hh: Any
) -> None:
    """Raises ShapeError unless the weights of a layer fit its input and state."""
    expect_rank(input, (3,), "(T, N, K)", f"{name}: the input")
    expect_rank(h0, (2,), "(N, H)", f"{name}: h0")
    size = np.shape(h0)[1]
    for what, weight in (("weight_ih", weight_ih), ("weight_hh", weight_hh)):
        expect_rank(weight, (2,), f"({gates} H, K or H)", f"{name}: {what}")
        if np.shape(weight)[0] != gates * size:
            raise located(ShapeError, (
                f"{name}: {what} has {np.shape(weight)[0]} rows, not {gates} times the size "
                f"{size} of the state"))
