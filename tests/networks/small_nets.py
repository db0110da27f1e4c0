"""Small networks whose layers lose units, for tests of what becomes of networks."""

import numpy as np
import torch
from torch import nn

from shrinklin import Removal
from shrinklin.networks import Filter, Shrinker, Switch, add_switches


class DropFirst(Removal):
    """Removes the first unit of each layer in each of the first steps."""

    needs_norms = False

    def __init__(self, n_steps=2) -> None:
        self.n_steps = n_steps

    def dead(self, watched):
        layer, memory = watched.layer, watched.memory
        memory["steps"] = memory.get("steps", np.zeros(len(layer))) + 1
        first = np.r_[True, layer[1:] != layer[:-1]]
        return first & (memory["steps"] <= self.n_steps)


class Residual(nn.Module):
    """Two producers of the same units."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(6, 8), nn.Linear(8, 8)
        self.last = nn.Linear(8, 2)

    def forward(self, x):
        x = torch.relu(self.first(x))
        return self.last(x + torch.relu(self.second(x)))


class Words(nn.Module):
    """An embedding with a switch placed by hand."""

    def __init__(self) -> None:
        super().__init__()
        self.table, self.switch = nn.Embedding(9, 7), Switch(7, dim=-1)
        self.hidden, self.last = nn.Linear(7, 6), nn.Linear(6, 2)

    def forward(self, words):
        return self.last(torch.relu(self.hidden(self.switch(self.table(words)).mean(1))))


def mlp():
    return nn.Sequential(nn.Linear(6, 9), nn.ReLU(), nn.Linear(9, 7), nn.Tanh(), nn.Linear(7, 2))


def convolutional():
    """The constant that a sigmoid makes of a unit goes into a bias."""
    return nn.Sequential(
        nn.Conv2d(3, 6, 3, padding=1), nn.BatchNorm2d(6), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(6, 5, 3), nn.Sigmoid(), nn.Flatten(), nn.Linear(20, 6), nn.ReLU(),
        nn.Linear(6, 2),
    )  # fmt: skip


def depthwise():
    return nn.Sequential(
        nn.Conv1d(3, 6, 1), nn.Conv1d(6, 6, 3, groups=6), nn.BatchNorm1d(6), nn.ReLU(),
        nn.Conv1d(6, 5, 1), nn.ReLU(), nn.AdaptiveAvgPool1d(1), nn.Flatten(), nn.Linear(5, 2),
    )  # fmt: skip


def by_hand():
    return nn.Sequential(nn.Linear(6, 8), Switch(8), nn.ReLU(), nn.Linear(8, 5), Filter(5),
                         nn.Linear(5, 2))  # fmt: skip


def input_by_hand():
    return nn.Sequential(Switch(6), nn.Linear(6, 5), nn.ReLU(), nn.Linear(5, 2))


# How each is made, without switches but for those placed by hand, and the shape of a row.
NETS = {
    "MLP": (mlp, (6,)),
    "MLP with input switches": (mlp, (6,)),
    "convolutional": (convolutional, (3, 8, 8)),
    "depthwise": (depthwise, (3, 8)),
    "residual": (Residual, (6,)),
    "embedding": (Words, (4,)),
    "by hand": (by_hand, (6,)),
    "input by hand": (input_by_hand, (6,)),
}


def rows(name, n=8):
    """Inputs for a network."""
    shape = NETS[name][1]
    if name == "embedding":
        return torch.randint(9, (n, *shape))
    return torch.randn((n, *shape), dtype=torch.float64)


def plain(name):
    return NETS[name][0]().double()


def gated(name, gate=Switch):
    """A network with switches behind all layers but the last."""
    if name == "by hand":
        return plain(name)
    return add_switches(plain(name), rows(name, 2), gate=gate, inputs=name.endswith("switches"))


def step(model, optimizer, shrinker, x):
    """A step of training to make the output 1."""
    loss = (model(x) - 1).square().mean() + shrinker.penalty()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    shrinker.step(loss)


def trained(name, *, n_steps=3, removal=None, seed=0, **options):
    """A network that has lost units in training, its optimiser and its shrinker."""
    torch.manual_seed(seed)
    model = gated(name)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    options = {"alpha": 0.01, "weight_decay": 1e-3, "removal": removal or DropFirst()} | options
    shrinker = Shrinker(model, optimizer, example_inputs=rows(name, 2), **options)
    for _ in range(n_steps):
        step(model, optimizer, shrinker, rows(name))
    return model, optimizer, shrinker


def same_bits(one, other):
    """Whether two nested structures are the same, tensors to the last bit."""
    if isinstance(one, torch.Tensor):
        one, other = one.detach(), other.detach()
        bits = one.numpy().tobytes() == other.numpy().tobytes()
        return bits and one.shape == other.shape and one.dtype == other.dtype
    if isinstance(one, dict):
        return list(one) == list(other) and all(same_bits(one[key], other[key]) for key in one)
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(same_bits, one, other))
    return one == other or (one != one and other != other)
