"""A trained network with sparse weights: `sparse_csr`."""

import warnings
from copy import deepcopy

from torch import nn


def sparse_csr(model, layers=None):
    """Copy a network with the weights of linear layers as sparse matrices in CSR format.

    The copy has the same outputs, but for rounding, for inputs of two dimensions. It is for
    prediction: its sparse weights are not trained. It can be pickled, but torch cannot
    ``copy.deepcopy`` this format.

    Parameters
    ----------
    model : nn.Module
        A folded network, see `fold`. It is not changed.
    layers : sequence of str, default=None
        Names of linear layers. None takes all that have a weight of 0.

    Returns
    -------
    nn.Module

    Examples
    --------
    >>> import torch
    >>> from shrinklin.networks import sparse_csr
    >>> layer = torch.nn.Linear(3, 2)
    >>> with torch.no_grad():
    ...     _ = layer.weight.copy_(torch.tensor([[0.0, 2.0, 0.0], [1.0, 0.0, 0.0]]))
    >>> sparse_csr(torch.nn.Sequential(layer))[0].weight.values().tolist()
    [2.0, 1.0]
    """
    linear = {name for name, module in model.named_modules() if isinstance(module, nn.Linear)}
    if isinstance(layers, str):
        raise ValueError(f"layers={layers!r}: give a list of names, such as [{layers!r}].")
    for name in layers or ():
        if name not in linear:
            accepted = ", ".join(f'"{each}"' for each in sorted(linear))
            raise ValueError(
                f"layers has {name!r}, which is no linear layer of the model: give some of "
                f"{accepted}."
            )
    small = deepcopy(model)
    for name in linear if layers is None else layers:
        layer = small.get_submodule(name)
        weight = layer.weight.detach()
        if layers is not None or bool((weight == 0).any()):
            layer.weight = nn.Parameter(_csr(weight), requires_grad=False)
    return small


def _csr(weight):
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Sparse CSR tensor support is in beta")
        return weight.to_sparse_csr()
