"""shrinklin.networks cuts and folds as statement B.6 says, where both have the same networks."""

from collections import Counter
from dataclasses import replace
from fractions import Fraction

import pytest
import torch
from hypothesis import given, settings
from torch import nn

from proofs_check.b6_deep.folding import without_switches
from proofs_check.b6_deep.instances import networks
from proofs_check.b6_deep.layers import Convolution, Network, Norm, Relu, Switch
from proofs_check.b6_deep.removal import without_units
from shrinklin import networks as ours

pytestmark = pytest.mark.untraced

EPSILON = 0.01


def doubles(entries):
    return torch.tensor([float(entry) for entry in entries], dtype=torch.float64)


def stacked(rows):
    return torch.stack([doubles(row) for row in rows])


def made(layer):
    """A layer as a module of torch."""
    if isinstance(layer, Convolution):
        weight = torch.stack([stacked(taps).T for taps in layer.weight])
        n_outputs, n_inputs, size = weight.shape
        module = nn.Conv1d(n_inputs, n_outputs, size, padding=size // 2 if layer.padded else 0)
        state = {"weight": weight, "bias": doubles(layer.bias)}
    elif isinstance(layer, Norm):
        module = nn.BatchNorm1d(len(layer.gamma), eps=EPSILON)
        variance = doubles(layer.sigma) ** 2 - EPSILON
        state = {"weight": doubles(layer.gamma), "bias": doubles(layer.beta)}
        state |= {"running_mean": doubles(layer.mean), "running_var": variance}
    elif isinstance(layer, Switch):
        module = ours.Switch(len(layer.theta))
        theta = doubles(layer.theta)
        state = {"theta": theta, "alive": theta != 0}
    else:
        assert isinstance(layer, Relu)
        return nn.ReLU()
    module = module.double()
    module.load_state_dict(state, strict=False)
    return module


class Part(nn.Module):
    def __init__(self, part):
        super().__init__()
        self.layers, self.residual = nn.Sequential(*map(made, part.layers)), part.residual

    def forward(self, x):
        result = self.layers(x)
        return x + result if self.residual else result


def signals(given):
    """(batch, channels, positions)."""
    return torch.stack([stacked(signal).T for signal in given])


def with_live_units(network):
    """No zeros but those of switches, by which ours knows dead units; the first is always alive."""
    parts = (replace(p, layers=tuple(map(without_zeros, p.layers))) for p in network.parts)
    return Network(tuple(parts), network.signals)


def without_zeros(layer):
    one = Fraction(1)
    if isinstance(layer, Convolution):
        weight = [[[entry or one for entry in tap] for tap in taps] for taps in layer.weight]
        return replace(layer, weight=weight)
    if isinstance(layer, Norm):
        return replace(layer, gamma=tuple(entry or one for entry in layer.gamma))
    if isinstance(layer, Switch):
        return Switch((layer.theta[0] or one, *layer.theta[1:]))
    return layer


def layers(network, kind):
    return [layer for p in network.parts for layer in p.layers if isinstance(layer, kind)]


def test_it_cuts_and_folds_what_can_be_and_changes_nothing():
    n_gone = Counter()

    @settings(max_examples=20, deadline=None, derandomize=True, database=None)
    @given(networks(behind=("s", "snr", "rs", "nsr")).map(with_live_units))
    def compare(network):
        model = nn.Sequential(*map(Part, network.parts)).eval()
        inputs, expected = signals(network.signals), signals(network.outputs())
        small = ours.fold(model, inputs).eval()
        with torch.no_grad():
            torch.testing.assert_close(model(inputs), expected, rtol=1e-10, atol=1e-10)
            torch.testing.assert_close(small(inputs), expected, rtol=1e-10, atol=1e-10)
        removed, n_removed = without_units(network)
        sizes = [module.out_channels for module in small.modules() if type(module) is nn.Conv1d]
        assert sizes == [layer.n_outputs for layer in layers(removed, Convolution)]
        left = [module for module in small.modules() if isinstance(module, ours.Switch)]
        # Ours also takes away those whose factors are all 1.
        assert len(left) <= len(layers(without_switches(removed), Switch))
        n_gone[n_removed] += 1

    compare()
    assert n_gone.total() > n_gone[0]
