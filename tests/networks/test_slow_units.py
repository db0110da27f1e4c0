"""What two oracles find of units, cuts by hand and gradients, agrees with what is known of them."""

import pytest
import torch

from slow_units import ENTRIES, change_by_cutting, idle, lively, newly_idle
from zoo import NETS

pytestmark = pytest.mark.untraced

every_entry = pytest.mark.parametrize(("name", "layer"), ENTRIES, ids=lambda part: part)


def units_of(net, layer):
    """Two units that matter."""
    return lively(net, net.model().eval(), net.together(layer))[:2]


@every_entry
def test_cuts_by_hand_are_exact_when_all_is_off(name, layer):
    net = NETS[name]
    model = net.model().eval()
    off = net.together(layer)
    found = change_by_cutting(net, model, layer, units_of(net, layer), off)
    assert (found < 1e-12) is not net.folds
    assert change_by_cutting(net, model, layer, units_of(net, layer), []) > 1e-3


@pytest.mark.parametrize(
    ("name", "layer", "off", "exact"),
    [
        ("resnet", "stem.0", "stem.0", False),
        ("resnet", "stem.0", "body.0.conv2", False),
        # Behind the depthwise convolution nothing of the stem is left, but not the other way.
        ("separable", "body.0", "body.0", True),
        ("separable", "body.0", "stem.0", False),
    ],
)
def test_of_layers_that_share_units_one_may_not_be_enough(name, layer, off, exact):
    net = NETS[name]
    found = change_by_cutting(net, net.model().eval(), layer, units_of(net, layer), [off])
    assert (found < 1e-12) is exact


@every_entry
def test_gradients_find_the_entries_of_units(name, layer):
    net = NETS[name]
    model = net.model()
    units = units_of(net, layer)
    off = dict.fromkeys(net.together(layer), units)
    unused, found = idle(net, model, off), newly_idle(net, model, off)
    table = masks_of(net, layer, model, units)
    for key, mask in table.items():
        assert not (found[key] & ~mask).any()
        assert net.folds or unused[key][mask].all()
    assert any(mask.any() for mask in found.values())


def masks_of(net, layer, model, units):
    """The entries of units in the parameters, by the table."""
    masks = {name: torch.zeros(p.shape, dtype=torch.bool) for name, p in model.named_parameters()}
    for name, dim, size, first in ENTRIES[net.name, layer]:
        if name in masks:
            gone = [first + u * size + k for u in units for k in range(size)]
            masks[name].movedim(dim, 0)[gone] = True
    return masks
