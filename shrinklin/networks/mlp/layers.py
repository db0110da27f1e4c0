"""The network of an estimator: with switches while it trains, and plain and small after it."""

from itertools import pairwise

import numpy as np
import torch
from torch import nn

from shrinklin.networks.folding import fold
from shrinklin.networks.gates import gates_of, layer_name
from shrinklin.networks.placing import add_switches

FRONT = "input"


def perceptron(sizes, dtype):
    """Fully connected layers with ReLU in between.

    Parameters
    ----------
    sizes : sequence of int
        Number of inputs, of units in each hidden layer, and of outputs.
    dtype : torch.dtype
    """
    return _stacked([nn.Linear(a, b, dtype=dtype) for a, b in pairwise(sizes)])


def _stacked(layers):
    between = [part for layer in layers[:-1] for part in (layer, nn.ReLU())]
    return nn.Sequential(*between, layers[-1])


def linear_layers(module):
    """The `Linear` layers of a plain network, in order."""
    return [layer for layer in module if isinstance(layer, nn.Linear)]


def sizes_of(module):
    """Number of inputs, of units in each hidden layer, and of outputs: a list."""
    layers = linear_layers(module)
    return [layers[0].in_features, *(layer.out_features for layer in layers)]


def n_parameters(sizes):
    """Number of weights and biases of a network with these `sizes`."""
    return sum((a + 1) * b for a, b in pairwise(sizes))


def n_connections(module):
    """Number of weights other than 0 in each layer of a plain network: a dict by name."""
    return {
        name: int((layer.weight != 0).sum())
        for name, layer in module.named_children()
        if isinstance(layer, nn.Linear)
    }


def with_switches(module, gate, support):
    """The network with a gate in front, open for the columns in `support`, and behind each layer.

    Switches begin at 1: the network computes the same as before.
    """
    example = torch.zeros(2, module[0].in_features, dtype=module[0].weight.dtype)
    model = add_switches(module, example, gate=gate, inputs=True)
    for name, each in gates_of(model).items():
        if hasattr(each, "theta"):
            nn.init.ones_(each.theta)
        if layer_name(name) == FRONT:
            each.alive[:] = torch.as_tensor(support)
    return model


def as_torch(dtype):
    """The dtype of torch that is NumPy's."""
    return torch.as_tensor(np.empty(0, dtype=dtype)).dtype


def dtype_of(model):
    """The dtype of its parameters."""
    return next(model.parameters()).dtype


def example_of(model, n_features):
    """Example inputs of a network for rows with this many features."""
    first = next(model.parameters())
    return torch.zeros(2, n_features, dtype=first.dtype, device=first.device)


def kept_columns(model):
    """The columns that the gate in front lets through: ndarray of int."""
    (gate,) = (each for name, each in gates_of(model).items() if layer_name(name) == FRONT)
    columns = torch.arange(len(gate)) if gate.kept is None else gate.kept.cpu()
    return columns[gate.alive.cpu()].numpy()


def plain(model, example):
    """A trained network without gates and switched-off units, on the CPU.

    It takes the columns of `kept_columns`, standardised.
    """
    # Other layers, as the first of these may have `Columns` in front.
    return _stacked(
        [_linear(layer.weight, layer.bias) for layer in linear_layers(fold(model, example))]
    )


def _linear(weight, bias):
    new = nn.Linear(weight.shape[1], weight.shape[0], dtype=weight.dtype)
    with torch.no_grad():
        new.weight.copy_(weight)
        new.bias.copy_(bias)
    return new


def shrunk(model, n_features):
    """What is left of a network with gates: the result of `plain`, and the mask of its columns."""
    support = np.isin(np.arange(n_features), kept_columns(model))
    return plain(model, example_of(model, n_features)), support


def to_raw(module, inputs, outputs):
    """A network of standardised columns and targets as one of the columns and targets themselves.

    Parameters
    ----------
    module : nn.Sequential
        As `plain` returns it. It is not changed.
    inputs, outputs : Scaling
        Of its inputs and outputs.
    """
    return _rescaled(module, 1 / inputs.scale, -inputs.mean / inputs.scale, outputs)


def to_standardised(module, inputs, outputs):
    """The inverse of `to_raw`."""
    back = type(outputs)(-outputs.mean / outputs.scale, 1 / outputs.scale)
    return _rescaled(module, inputs.scale, inputs.mean, back)


def _rescaled(module, factor, shift, outputs):
    """The network of factor * x + shift, with outputs.scale * z + outputs.mean."""
    parts = [
        [part.detach().double().numpy() for part in (layer.weight, layer.bias)]
        for layer in linear_layers(module)
    ]
    (first, first_bias), (weight, bias) = parts[0], parts[-1]
    parts[0] = [first * factor, first_bias + first @ shift]
    parts[-1] = [weight * outputs.scale[:, None], bias * outputs.scale + outputs.mean]
    dtype = module[0].weight.dtype
    layers = [[torch.as_tensor(np.asarray(part), dtype=dtype) for part in pair] for pair in parts]
    return _stacked([_linear(*pair) for pair in layers])


def widened(module, support):
    """A network that reads all columns, with weights 0 for those outside the mask `support`."""
    first, *rest = linear_layers(module)
    weight = first.weight.new_zeros(first.out_features, len(support))
    weight[:, torch.as_tensor(support)] = first.weight.detach()
    return _stacked(
        [_linear(weight, first.bias), *(_linear(each.weight, each.bias) for each in rest)]
    )
