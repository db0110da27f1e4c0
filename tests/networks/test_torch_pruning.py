"""Torch-Pruning cuts the same entries, where it is right: it knows nothing of switches."""

import warnings

import pytest
import torch
from torch import nn

from net import CONVOLUTIONS, TRANSPOSED
from shrinking import gated, masks_without
from shrinklin.networks import Shrinker
from shrinklin.networks.gates import gates_of
from shrinklin.networks.inputs import Inputs
from shrinklin.networks.structure import Structure
from zoo import NETS

pytestmark = pytest.mark.untraced

COMPARED = ["mlp", "vgg", "vgg_view", "resnet", "dense_block", "separable", "inverted_residual"]
# Not "two_heads": of a tuple of outputs it follows the first alone.
COMPARED += ["squeeze", "unet", "autoencoder", "signals", "volumes", "channels_last"]
CASES = [(name, layer) for name in COMPARED for layer in sorted(NETS[name].shrinks)]


def cut_by_torch_pruning(net, layer, unit):
    """A plain net without a unit of a layer, and of those that share it."""
    import torch_pruning

    model = net.model().eval()
    module = model.get_submodule(layer)
    graph = torch_pruning.DependencyGraph()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        graph.build_dependency(
            model, example_inputs=net.inputs[0] if len(net.inputs) == 1 else net.inputs
        )
        kinds = {nn.Linear: torch_pruning.prune_linear_out_channels}
        cut = torch_pruning.prune_conv_out_channels
        if isinstance(module, CONVOLUTIONS) and module.groups > 1:
            cut = torch_pruning.prune_depthwise_conv_out_channels
        graph.get_pruning_group(module, kinds.get(type(module), cut), idxs=[unit]).prune()
    return model


def cut_by_shrinklin(net, layer, unit):
    model = gated(net)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    shrinker = Shrinker(model, optimizer, example_inputs=net.inputs, alpha=0.0)
    weight = model.get_submodule(layer).weight
    dim = 1 if isinstance(model.get_submodule(layer), TRANSPOSED) else 0
    n_units = weight.shape[dim]
    mine = unit_of(model, net, layer, dim, unit)
    for name, mask in masks_without(model, net, [mine]).items():
        gates_of(model)[name].alive[torch.from_numpy(mask)] = False
    shrinker.compact()
    assert model.get_submodule(layer).weight.shape[dim] == n_units - 1
    return model


def unit_of(model, net, layer, dim, place):
    structure = Structure(model, Inputs(net.inputs))
    (leaf,) = [leaf for leaf in structure.leaves if leaf.name == f"{layer}.weight"]
    return structure.of(leaf, dim)[place]


@pytest.mark.parametrize(("name", "layer"), CASES, ids=lambda case: str(case))
def test_the_same_entries_are_cut(name, layer):
    net = NETS[name]
    ours = dict(cut_by_shrinklin(net, layer, 2).state_dict())
    theirs = cut_by_torch_pruning(net, layer, 2).state_dict()
    assert all(torch.equal(ours[name], tensor) for name, tensor in theirs.items())
