"""The zoo's recurrent networks, in PyTorch's own layers.

In: tensors in float64. Out: the loss.
"""

from __future__ import annotations

from typing import Any

import torch
from torch.nn import functional as F


def _layer(layer: type, x: Any, state: Any, **weights: Any) -> Any:
    """Runs a layer of torch.nn with these weights; what is not given is a bias of zeros."""
    inputs, hidden = x.shape[2], weights["weight_hh_l0"].shape[1]
    module = layer(inputs, hidden, bidirectional="weight_hh_l0_reverse" in weights, dtype=x.dtype)
    zeros = {n: torch.zeros_like(p) for n, p in module.named_parameters() if n not in weights}
    return torch.func.functional_call(module, {**zeros, **weights}, (x, state))


def _sequence_loss(logits: Any, labels: Any) -> Any:
    return F.cross_entropy(logits.flatten(0, 1), labels.flatten())


def elman_rnn(x: Any, y: Any, h0: Any, U: Any, V: Any, b: Any, W: Any, c: Any) -> Any:
    _, last = _layer(torch.nn.RNN, x, h0[None], weight_ih_l0=U.T, weight_hh_l0=V.T, bias_ih_l0=b)
    return F.cross_entropy(last[0] @ W + c, y)


def lstm(
    text: Any, following: Any, h0: Any, c0: Any, E: Any, U: Any, V: Any, b: Any, W: Any, d: Any
) -> Any:
    h, _ = _layer(torch.nn.LSTM, F.embedding(text, E), (h0[None], c0[None]),
                  weight_ih_l0=U.T, weight_hh_l0=V.T, bias_ih_l0=b)
    return _sequence_loss(h @ W + d, following)


def gru(
    x: Any, y: Any, h0: Any, U: Any, V: Any, b: Any, d: Any, W: Any, c: Any
) -> Any:
    inner = torch.cat([torch.zeros(2 * len(d), dtype=d.dtype), d])
    h, _ = _layer(torch.nn.GRU, x, h0[None], weight_ih_l0=U.T, weight_hh_l0=V.T, bias_ih_l0=b,
                  bias_hh_l0=inner)
    return F.mse_loss(h @ W + c, y)


def bidirectional_rnn(
    x: Any, y: Any, h0: Any, g0: Any, U: Any, V: Any, b: Any, P: Any, Q: Any, d: Any, W: Any,
    c: Any,
) -> Any:
    both, _ = _layer(
        torch.nn.RNN, x, torch.stack([h0, g0]), weight_ih_l0=U.T, weight_hh_l0=V.T, bias_ih_l0=b,
        weight_ih_l0_reverse=P.T, weight_hh_l0_reverse=Q.T, bias_ih_l0_reverse=d)
    return _sequence_loss(both @ W + c, y)


def attention_rnn(
    x: Any, text: Any, following: Any, s0: Any, E: Any, U: Any, V: Any, b: Any, Wa: Any, Ua: Any,
    v: Any, P: Any, Q: Any, C: Any, d: Any, W: Any, c: Any,
) -> Any:
    h, _ = _layer(torch.nn.RNN, x, torch.zeros_like(s0)[None], weight_ih_l0=U.T, weight_hh_l0=V.T,
                  bias_ih_l0=b)
    s, logits = s0, []
    for word in F.embedding(text, E):
        a = F.softmax(F.tanh(s @ Wa + h @ Ua) @ v, dim=0)
        context = (a[:, :, None] * h).sum(0)
        s = F.tanh(word @ P + s @ Q + context @ C + d)
        logits.append(s @ W + c)
    return _sequence_loss(torch.stack(logits), following)


MODELS = (elman_rnn, lstm, gru, bidirectional_rnn, attention_rnn)
