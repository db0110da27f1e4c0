"""A network that shrinks, with the sizes of its layers after each epoch."""

import torch

from experiments.networks.training import (
    Batches,
    accuracy,
    n_parameters,
    perceptron,
    shrunk,
    tensors,
)
from shrinklin.networks import fold

_BATCH = 100


def measured(cell, parts):
    """The results of a cell of `LayerSizes`; parts are its training, validation and test rows."""
    torch.manual_seed(cell["seed"])
    training, validation, test = (tensors(X, y) for X, y in parts)
    X, y = training
    hidden = [int(n) for n in cell["hidden"].split("-")]
    model = perceptron([X.shape[1], *hidden, int(y.max()) + 1])
    batches = Batches(X, y, _BATCH)
    model, shrinker = shrunk(model, batches, cell["epochs"], cell["learning_rate"], cell["lambda"])
    model = fold(model)
    sizes = zip(*shrinker.history["layer_sizes"].values(), strict=True)
    return {
        "train": accuracy(model, *training),
        "validation": accuracy(model, *validation),
        "test": accuracy(model, *test),
        "parameters": n_parameters(model),
        "sizes": " ".join("-".join(map(str, row)) for row in sizes),
    }
