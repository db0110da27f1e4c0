"""What a unit is, found without the package: by gradients, and by rows and columns cut by hand.

A unit is switched off by hooks, behind the batch normalisation that reads its layer, if any.
"""

import copy
from contextlib import contextmanager
from typing import NamedTuple

import torch
from torch import nn

from net import CONVOLUTIONS, TRANSPOSED, WEIGHTED

NORMS = nn.BatchNorm1d | nn.BatchNorm2d | nn.BatchNorm3d
N_DRAWS = 12


def dimension_of(layer):
    """The dimension of the output of a layer that holds its units, counted from the end."""
    if isinstance(layer, CONVOLUTIONS | TRANSPOSED):
        return 1 - layer.weight.ndim
    return -1


def unit_count(layer):
    return layer.weight.shape[1 if isinstance(layer, TRANSPOSED) else 0]


def places(net, model):
    """Where the gate of each layer stands: {layer: that layer, or its batch normalisation}."""
    names, made, found, handles = {}, [], {}, []

    def watch(module, inputs, output):
        if isinstance(module, WEIGHTED):
            # Kept, so that no later tensor takes its place in memory.
            made.append((names[module], output))
            found[names[module]] = names[module]
        elif isinstance(module, NORMS):
            found.update({name: names[module] for name, out in made if out is inputs[0]})

    for name, module in model.named_modules():
        names[module] = name
        handles.append(module.register_forward_hook(watch))
    with torch.no_grad():
        net.run(model)
    for handle in handles:
        handle.remove()
    return found


@contextmanager
def switched_off(net, model, off):
    """Within, these units of these layers are multiplied by 0: {layer: list of units}."""
    handles, standing = [], places(net, copy.deepcopy(model))
    for name, units in off.items():
        hook = silencer(model.get_submodule(name), units)
        handles.append(model.get_submodule(standing[name]).register_forward_hook(hook))
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def silencer(layer, units):
    dim = dimension_of(layer)

    def hook(module, inputs, output):
        factor = torch.ones(output.shape[dim], dtype=output.dtype)
        factor[units] = 0
        return output * factor.reshape([-1] + [1] * (-dim - 1))

    return hook


def idle(net, model, off, training=False):
    """Which entries of the parameters outputs do not depend on, whatever their values are.

    {name: mask}. In evaluation mode by default: batches make the bias before a batch
    normalisation idle, but for rounding errors.
    """
    model = copy.deepcopy(model).train(training).requires_grad_(True)
    parameters = dict(model.named_parameters())
    found = {name: torch.ones_like(p, dtype=torch.bool) for name, p in parameters.items()}
    with torch.random.fork_rng(devices=[]), switched_off(net, model, off):
        torch.manual_seed(1)
        # With one draw, a ReLU that is at 0 for all of a few examples looks idle.
        for _ in range(N_DRAWS):
            with torch.no_grad():
                for p in parameters.values():
                    p += torch.randn_like(p) * p.std(correction=0)
            outputs = net.run(model)
            projection = torch.rand_like(outputs) @ outputs
            gradients = torch.autograd.grad(projection, parameters.values(), allow_unused=True)
            for name, gradient in zip(parameters, gradients, strict=True):
                if gradient is not None:
                    found[name] &= gradient == 0
    return found


def newly_idle(net, model, off, training=False):
    """The entries that these units alone use: what a cut takes away, where they leave 0."""
    before = idle(net, model, {}, training)
    return {name: new & ~before[name] for name, new in idle(net, model, off, training).items()}


def lively(net, model, layers):
    """The units whose switching off, in these layers, changes the outputs most, in that order."""
    changes = []
    with torch.no_grad():
        before = net.run(model)
        for unit in range(unit_count(model.get_submodule(next(iter(layers))))):
            with switched_off(net, model, {layer: [unit] for layer in layers}):
                changes.append(float((net.run(model) - before).abs().max()))
    return sorted(range(len(changes)), key=lambda unit: -changes[unit])


class Entries(NamedTuple):
    """Where a parameter or buffer holds units: `size` entries for each, from `first` on."""

    name: str
    dim: int
    size: int = 1
    first: int = 0


def affine(name):
    """The entries of a batch normalisation."""
    return [
        Entries(f"{name}.{kind}", 0) for kind in ("weight", "bias", "running_mean", "running_var")
    ]


def row(name):
    return [Entries(f"{name}.weight", 0), Entries(f"{name}.bias", 0)]


# What belongs to the units of a layer, read off the code of a few nets: {(net, layer): entries}.
ENTRIES = {
    ("mlp", "first"): [*row("first"), Entries("second.weight", 1)],
    ("mlp_sigmoid", "first"): [*row("first"), Entries("second.weight", 1)],
    ("mlp", "second"): [*row("second"), Entries("head.weight", 1)],
    ("mlp_batchnorm", "first"): [
        *row("first"),
        *affine("behind_first_0"),
        Entries("second.weight", 1),
    ],
    ("vgg", "features.0"): [
        *row("features.0"),
        *affine("features.1"),
        Entries("features.4.weight", 1),
    ],
    ("vgg", "features.4"): [
        *row("features.4"),
        *affine("features.5"),
        Entries("classifier.0.weight", 1, size=4),
    ],
    ("vgg", "classifier.0"): [*row("classifier.0"), Entries("classifier.2.weight", 1)],
    ("resnet", "stem.0"): [
        Entries("stem.0.weight", 0),
        *affine("stem.1"),
        Entries("body.0.conv1.weight", 1),
        Entries("body.0.conv2.weight", 0),
        *affine("body.0.bn2"),
        Entries("body.1.conv1.weight", 1),
        Entries("body.1.shortcut.0.weight", 1),
    ],
    ("resnet", "body.0.conv1"): [
        Entries("body.0.conv1.weight", 0),
        *affine("body.0.bn1"),
        Entries("body.0.conv2.weight", 1),
    ],
    ("dense_block", "body.layers.0.0.0"): [
        Entries("body.layers.0.0.0.weight", 0),
        *affine("body.layers.0.0.1"),
        Entries("body.layers.1.0.0.weight", 1, first=4),
        Entries("head.weight", 1, first=4),
    ],
    ("separable", "body.0"): [
        Entries("stem.0.weight", 0),
        *affine("stem.1"),
        Entries("body.0.weight", 0),
        *affine("body.1"),
        Entries("body.3.weight", 1),
    ],
}


def cut_by_hand(net, model, layer, units):
    """A copy of the model without these units, their gates included."""
    model = copy.deepcopy(model)
    for name, dim, size, first in ENTRIES[net.name, layer]:
        gone = {first + u * size + k for u in units for k in range(size)}
        owner, _, kind = name.rpartition(".")
        module = model.get_submodule(owner)
        delete(module, kind, dim, gone)
        if kind == "weight" and dim == 0 and hasattr(module, "gate"):
            for part in {"theta", "alive"} & module.gate.state_dict().keys():
                delete(module.gate, part, 0, gone)
    for module in model.modules():
        if isinstance(module, CONVOLUTIONS) and module.groups > 1:
            module.groups = len(module.weight)
    return model


def delete(module, kind, dim, gone):
    old = getattr(module, kind)
    kept = torch.tensor([i for i in range(old.shape[dim]) if i not in gone])
    new = old.detach().index_select(dim, kept)
    if isinstance(old, nn.Parameter):
        new = nn.Parameter(new, requires_grad=old.requires_grad)
    setattr(module, kind, new)


def cut_training_by_hand(net, model, optimizer, make, layer, units):
    """`cut_by_hand`, and the optimiser of the copy, its state cut as its parameters are."""
    cut = cut_by_hand(net, model, layer, units)
    new = make(cut.parameters())
    names = [name for name, p in model.named_parameters() if p in optimizer.state]
    for key in {key for name in names for key in optimizer.state[model.get_parameter(name)]}:
        # A model whose parameters are what the state keeps of them.
        carrier = copy.deepcopy(model)
        for name in names:
            value = optimizer.state[model.get_parameter(name)].get(key)
            if torch.is_tensor(value) and value.ndim > 0:
                carrier.get_parameter(name).data = value.double()
        carrier = cut_by_hand(net, carrier, layer, units)
        for name in names:
            value = optimizer.state[model.get_parameter(name)].get(key)
            if torch.is_tensor(value) and value.ndim > 0:
                value = carrier.get_parameter(name).detach().clone()
            if value is not None:
                new.state[cut.get_parameter(name)][key] = copy.deepcopy(value)
    return cut, new


def change_by_cutting(net, model, layer, units, off):
    """How much the outputs change if these units, off in the layers `off`, are cut by hand."""
    cut = cut_by_hand(net, model, layer, units)
    with torch.no_grad():
        with switched_off(net, model, dict.fromkeys(off, units)):
            before = net.run(model)
        return float((net.run(cut) - before).abs().max())
