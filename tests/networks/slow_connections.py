"""The algorithm of connection pruning as it is printed, on plain layers."""

import copy
import itertools

import numpy as np
import torch
from torch import nn

X = torch.randn(40, 6, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
Y = X[:, :1].sin() + X[:, 1:2] * X[:, 2:3]
SIZES = (6, 10, 8, 2)


def network(*sizes, activation=nn.ReLU, seed=0):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        layers = []
        for n_inputs, n_outputs in itertools.pairwise(sizes):
            layers += [nn.Linear(n_inputs, n_outputs), activation()]
        return nn.Sequential(*layers[:-1]).double()


def loss_of(model):
    return (model(X) - Y).square().mean()


def step(model, optimizer, shrinker=None):
    optimizer.zero_grad()
    loss = loss_of(model)
    loss.backward()
    optimizer.step()
    if shrinker is not None:
        shrinker.step(loss)


class SlowPruning:
    """The algorithm as it is printed, on plain layers, with masks and no cut.

    Parameters
    ----------
    model : nn.Sequential
        Linear layers with ReLU between them; it is changed.
    n_connections : dict of str to int
    """

    def __init__(self, model, n_connections, mu, pretrain, max_epochs, normalize, make):
        self.model, self.targets, self.mu = model, n_connections, mu
        self.pretrain, self.max_epochs, self.normalize = pretrain, max_epochs, normalize
        self.layers = {str(i): m for i, m in enumerate(model) if isinstance(m, nn.Linear)}
        self.masks = {n: torch.ones_like(self.layers[n].weight) for n in self.layers}
        self.optimizer, self.initial = make(model.parameters()), {}

    def run(self, steps=2):
        for epoch in range(1, self.max_epochs + 1):
            for _ in range(steps):
                step(self.model, self.optimizer)
                self.hold()
                for place, layer in enumerate(self.targets):
                    self.prune(layer, epoch - self.begin(place), self.begin(place + 1))
                    self.hold()

    def begin(self, place):
        return self.pretrain + place * (self.max_epochs - self.pretrain) // len(self.targets)

    def prune(self, layer, e, end):
        if e <= 0:
            return
        place = list(self.targets).index(layer)
        n, k = end - self.begin(place), self.targets[layer]
        p = self.initial.setdefault(layer, int(self.masks[layer].sum()))
        kept = k + int(np.ceil((p - k) * max(0, n - 2 * e) / (2 * e * self.mu + n)))
        if int(self.masks[layer].sum()) <= kept:
            return
        sizes = self.compared()[layer].abs() * self.masks[layer]
        best = np.argsort(-sizes.flatten().numpy(), kind="stable")[:kept]
        mask = torch.zeros(sizes.numel(), dtype=torch.float64)
        mask[torch.from_numpy(best)] = 1
        self.masks[layer] = self.masks[layer] * mask.view_as(sizes)

    def compared(self):
        """The weights after step (3)."""
        twin = copy.deepcopy(self.model)
        layers = [twin[int(name)] for name in self.layers]
        with torch.no_grad():
            for one, other in itertools.pairwise(layers):
                for j in range(len(one.weight)) if self.normalize else ():
                    norm = one.weight[j].norm()
                    if norm > 0:
                        one.weight[j] /= norm
                        one.bias[j] /= norm
                        other.weight[:, j] *= norm
        return {name: twin[int(name)].weight.detach() for name in self.layers}

    @torch.no_grad()
    def hold(self):
        """Units that lost a side go, constants move into the biases of the next layer."""
        names = list(self.layers)
        for name, after in list(itertools.pairwise(names)) * len(names):
            self.drop(name, after)
        for name, layer in self.layers.items():
            layer.weight *= self.masks[name]
            for value in self.optimizer.state[layer.weight].values():
                if value.shape == layer.weight.shape:
                    value *= self.masks[name]

    def drop(self, name, after):
        layer, reader = self.layers[name], self.layers[after]
        for j in range(len(layer.weight)):
            incoming, outgoing = self.masks[name][j].any(), self.masks[after][:, j].any()
            if incoming and outgoing:
                continue
            if outgoing:
                reader.bias += reader.weight[:, j] * layer.bias[j].relu()
            self.masks[name][j] = 0
            self.masks[after][:, j] = 0
