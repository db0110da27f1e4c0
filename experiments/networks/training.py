"""Networks that classify, and their training."""

from contextlib import contextmanager
from itertools import pairwise

import numpy as np
import torch
from torch import nn
from torch.nn.functional import cross_entropy

import datasets
from shrinklin import SignVariance
from shrinklin.networks import Shrinker, add_switches
from shrinklin.networks.training import train_epoch

# Of `SignVariance`: of the draft's authors' three values the one between, as training is short.
_GAMMA = 0.9


@contextmanager
def one_thread():
    """A context in which torch uses one thread."""
    n_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(n_threads)


def tensors(X, y):
    """Rows and classes as tensors; images with channels last, which is faster."""
    X = torch.from_numpy(np.ascontiguousarray(X, dtype=np.float32))
    if X.dim() == 4:
        X = X.contiguous(memory_format=torch.channels_last)
    return X, torch.from_numpy(np.asarray(y, dtype=np.int64))


def xor(k, p, n, seed, n_test=None):
    """Training and test rows of k-D XOR as (X, y); by default as many of each."""
    n_test = n if n_test is None else n_test
    X, y = datasets.make_xor(n + n_test, p, k, random_state=seed)
    X, y = torch.tensor(X, dtype=torch.float32), torch.tensor(y, dtype=torch.float32)
    return (X[:n], y[:n]), (X[n:], y[n:])


class Batches:
    """Shuffled batches (X, y); the order comes from torch's random numbers."""

    def __init__(self, X, y, size):
        self.X, self.y, self.size = X, y, size

    def __iter__(self):
        for rows in torch.randperm(len(self.X)).split(self.size):
            # A batch normalisation needs two.
            if len(rows) > 1:
                yield self.X[rows], self.y[rows]


def loss(model, batch):
    """The mean log-loss of a batch."""
    return cross_entropy(model(batch[0]), batch[1])


@torch.no_grad()
def outputs(model, X):
    """Outputs in evaluation mode."""
    model.train(False)
    return torch.cat([model(part) for part in X.split(1000)])


def accuracy(model, X, y):
    """The share of rows whose class is predicted."""
    return float((outputs(model, X).argmax(1) == y).double().mean())


def n_parameters(model):
    return sum(parameter.numel() for parameter in model.parameters())


def size_of(build, sizes):
    """The number of parameters of the network that `build` makes of these sizes."""
    with torch.device("meta"):
        return n_parameters(build(sizes))


def narrow(build, full, budget):
    """Sizes of layers that are all narrower by one factor: as wide as the budget allows.

    Parameters
    ----------
    build : callable
        Takes sizes, and returns a network.
    full : list of int
        The sizes for a factor of 1.
    budget : int
        Parameters of the network.
    """
    for factor in np.geomspace(1, 1e-3, 1001):
        sizes = [max(1, round(factor * n)) for n in full]
        if size_of(build, sizes) <= budget:
            return sizes
    raise ValueError(f"the budget {budget} is less than the narrowest network has parameters.")


def layer_sizes(model):
    """The widths of the layers, without the last."""
    layers = [layer for layer in model.modules() if isinstance(layer, (nn.Linear, nn.Conv2d))]
    return [layer.weight.shape[0] for layer in layers[:-1]]


def perceptron(sizes, activation=nn.ReLU):
    """A fully connected network of these widths, from the inputs to the outputs."""
    layers: list = []
    for n_inputs, n_outputs in pairwise(sizes):
        layers += [nn.Linear(n_inputs, n_outputs), activation()]
    return nn.Sequential(*layers[:-1])


def vgg(sizes, n_classes=10, poolings=(2, 4), first_stride=2):
    """Convolutions of 3 × 3 with BatchNorm, for images of 32 × 32, and one hidden layer.

    Parameters
    ----------
    sizes : list of int
        Channels of the convolutions, then units of the hidden layer.
    n_classes : int
    poolings : tuple of int
        The convolutions after which width and height are halved.
    first_stride : int
        Of the first convolution; 2 halves width and height.
    """
    layers: list = []
    channels = 3
    for i, n in enumerate(sizes[:-1]):
        stride = 1 if i else first_stride
        layers += [nn.Conv2d(channels, n, 3, padding=1, bias=False, stride=stride)]
        layers += [nn.BatchNorm2d(n), nn.ReLU()] + [nn.MaxPool2d(2)] * (i in poolings)
        channels = n
    width = 32 // first_stride // 2 ** len(poolings)
    hidden = [nn.Linear(width**2 * channels, sizes[-1]), nn.ReLU()]
    return nn.Sequential(*layers, nn.Flatten(), *hidden, nn.Linear(sizes[-1], n_classes))


# The channels of VGG16, and the convolutions after which it pools.
VGG16 = [64, 64, 128, 128, 256, 256, 256, 512, 512, 512, 512, 512, 512]
VGG16_POOLINGS = (1, 3, 6, 9, 12)


def trained(model, optimizer, batches, n_epochs):
    """The model, trained at a learning rate that falls to 0 along a cosine."""
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, n_epochs)
    for _ in range(n_epochs):
        train_epoch(model, optimizer, batches, loss)
        scheduler.step()
    return model


def shrinking(model, optimizer, batches, shrinker):
    """The model, trained for all epochs of its `Shrinker`; the rate falls along a cosine."""
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, shrinker.max_epochs)
    for _ in shrinker.epochs():
        train_epoch(model, optimizer, batches, loss, shrinker)
        scheduler.step()
    return model


def shrunk(model, batches, n_epochs, learning_rate, alpha, weight_decay=0.0):
    """The model with switches, trained while it loses units, and its `Shrinker`.

    Parameters
    ----------
    model : nn.Module
    batches : Batches
    n_epochs : int
    learning_rate : float
        Of Adam.
    alpha, weight_decay : float
        Of the `Shrinker`.
    """
    examples = batches.X[:2]
    model = add_switches(model, examples)
    optimizer = torch.optim.Adam(model.parameters(), lr=learning_rate)
    shrinker = Shrinker(
        model,
        optimizer,
        example_inputs=examples,
        alpha=alpha,
        weight_decay=weight_decay,
        removal=SignVariance(_GAMMA),
        when="epoch",
        max_epochs=n_epochs,
    )
    return shrinking(model, optimizer, batches, shrinker), shrinker
