"""A network that shrinks, with the sizes of its layers after each epoch."""

import torch

from experiments.networks.training import (
    Batches,
    accuracy,
    n_parameters,
    perceptron,
    shrinking,
    tensors,
)
from shrinklin import SignVariance
from shrinklin.networks import Shrinker, add_switches, fold

_BATCH, _GAMMA = 100, 0.9


def shrunk(cell, parts):
    """The results of a cell of `LayerSizes`; parts are its training, validation and test rows."""
    torch.manual_seed(cell["seed"])
    training, validation, test = (tensors(X, y) for X, y in parts)
    X, y = training
    examples = X[:2]
    hidden = [int(n) for n in cell["hidden"].split("-")]
    n_classes = int(training[1].max()) + 1
    model = add_switches(perceptron([examples.shape[1], *hidden, n_classes]), examples)
    optimizer = torch.optim.Adam(model.parameters(), lr=cell["learning_rate"])
    shrinker = Shrinker(
        model,
        optimizer,
        example_inputs=examples,
        alpha=cell["lambda"],
        removal=SignVariance(_GAMMA),
        when="epoch",
        max_epochs=cell["epochs"],
    )
    shrinking(model, optimizer, Batches(X, y, _BATCH), shrinker)
    model = fold(model)
    sizes = zip(*shrinker.history["layer_sizes"].values(), strict=True)
    return {
        "train": accuracy(model, *training),
        "validation": accuracy(model, *validation),
        "test": accuracy(model, *test),
        "parameters": n_parameters(model),
        "sizes": " ".join("-".join(map(str, row)) for row in sizes),
    }
