"""Nets with gates where their author put them."""

from collections import OrderedDict

import torch
from torch import nn

from net import Net, numbers
from shrinklin.networks import Switch


def before_batchnorm():
    layers = [nn.Linear(5, 7), Switch(7), nn.BatchNorm1d(7), nn.ReLU(), nn.Linear(7, 3)]
    return nn.Sequential(*layers)


def before_batchnorm_and_padding():
    conv = nn.Conv2d(5, 4, 3, padding=1)
    layers = [nn.Conv2d(3, 5, 3), Switch(5), nn.BatchNorm2d(5), conv, nn.Flatten()]
    return nn.Sequential(*layers, nn.Linear(4 * 6 * 6, 3))


def behind_flatten():
    layers = OrderedDict(conv=nn.Conv2d(3, 5, 3), relu=nn.ReLU(), flatten=nn.Flatten())
    layers.update(switch=Switch(5 * 6 * 6), head=nn.Linear(5 * 6 * 6, 3))
    return nn.Sequential(layers)


def behind_the_last_layer():
    """Outputs that can be switched off, and stay."""
    return nn.Sequential(nn.Linear(5, 7), nn.ReLU(), Switch(7), nn.Linear(7, 3), Switch(3))


class Tokens(nn.Module):
    """A switch whose units are in the last dimension."""

    def __init__(self):
        super().__init__()
        self.first, self.switch, self.head = nn.Linear(5, 7), Switch(7, dim=-1), nn.Linear(7, 3)

    def forward(self, x):
        return self.head(torch.relu(self.switch(self.first(x)))).mean(1)


GATED = [
    # Training and evaluation differ in what batch normalisation leaves of a unit that is off,
    # until its running mean has gone to 0.
    Net(
        "switch_before_batchnorm",
        before_batchnorm,
        (numbers(6, 5),),
        either={"0"},
        outputs={"4"},
        folds=True,
        by_hand=True,
    ),
    Net(
        "switch_before_batchnorm_and_padding",
        before_batchnorm_and_padding,
        (numbers(4, 3, 8, 8),),
        whole={"0": "pad|norm"},
        either={"3"},
        outputs={"5"},
        folds=True,
        by_hand=True,
    ),
    # One pixel of a channel is no unit.
    Net(
        "switch_behind_flatten",
        behind_flatten,
        (numbers(4, 3, 8, 8),),
        either={"conv"},
        outputs={"head"},
        by_hand=True,
    ),
    Net(
        "switch_behind_the_last_layer",
        behind_the_last_layer,
        (numbers(6, 5),),
        {"0"},
        outputs={"3"},
        by_hand=True,
    ),
    Net(
        "switch_at_tokens",
        Tokens,
        (numbers(5, 4, 5),),
        {"first"},
        outputs={"head"},
        by_hand=True,
    ),
]
