"""The table of zoo models: the families one after the other.

In: nothing. Out: `models()`. A model stands in the MODELS of its family's file and is then covered
by every test; a new family is one more row here.
"""

from __future__ import annotations

from symprop.zoo import (
    attention,
    autoencoders,
    convolutional,
    dynamics,
    embeddings,
    graphs,
    linear,
    mixtures,
    perceptrons,
    recurrent,
)
from symprop.zoo.model import Model

_FAMILIES = (
    linear.MODELS,
    perceptrons.MODELS,
    autoencoders.MODELS,
    convolutional.MODELS,
    embeddings.MODELS,
    graphs.MODELS,
    mixtures.MODELS,
    dynamics.MODELS,
    recurrent.MODELS,
    attention.MODELS,
)


def models() -> dict[str, Model]:
    """Every model by name, in the order of the table.

    >>> sorted(models())[0]
    'autoencoder'
    """
    return {model.name: model for family in _FAMILIES for model in family}
