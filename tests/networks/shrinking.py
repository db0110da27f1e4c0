"""Shrinks the nets of the zoo, step by step, beside twins that are only masked."""

import warnings

import numpy as np
import torch

from shrinklin.networks import Shrinker, Switch, add_switches
from shrinklin.networks.gates import gates_of, layer_name
from shrinklin.networks.inputs import Inputs
from shrinklin.networks.structure import Structure
from told import Told
from training import OPTIMIZERS, MaskedTwin, penalty_of

ALPHA, WEIGHT_DECAY = 0.01, 1e-3


def gated(net, gate=Switch, seed=0):
    """A net with gates; which values they have depends on the seed."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = net.model()
        return model if net.by_hand else add_switches(model, net.inputs, gate=gate)


def units_by_gate(model, net):
    """The units of each gate, so that a unit has the same number wherever it is."""
    structure = Structure(model, Inputs(net.inputs))
    return {name: structure.units_of(name) for name in gates_of(model)}


def masks_without(model, net, units):
    """For all gates: which of their units that are on are among these."""
    gates = gates_of(model)
    return {
        name: np.isin(mine, units)[gates[name].alive.numpy()]
        for name, mine in units_by_gate(model, net).items()
    }


class Lesson:
    """A net in training, with a masked twin.

    Attributes
    ----------
    model, optimizer, shrinker : what is tested
    twin : MaskedTwin
    """

    def __init__(self, net, optimizer="adam", gate=Switch, seed=0, **settings):
        self.net, self.told = net, Told()
        self.model = gated(net, gate, seed)
        make = OPTIMIZERS[optimizer]
        self.optimizer = make(self.model.parameters())
        settings = {"alpha": ALPHA, "weight_decay": WEIGHT_DECAY, "removal": self.told} | settings
        self.shrinker = Shrinker(self.model, self.optimizer, example_inputs=net.inputs, **settings)
        self.twin = MaskedTwin(self.model, self.optimizer, make)
        self.n_steps = 0

    def draw(self, rng, share):
        """Some units, each with this probability."""
        found = np.unique(np.concatenate([*units_by_gate(self.model, self.net).values()]))
        return found[rng.random(len(found)) < share]

    def first(self):
        """The first unit of each gate."""
        return [units[0] for units in units_by_gate(self.model, self.net).values()]

    def step(self, dead=()):
        """One step of both; units that are `dead` are removed after it."""
        self.n_steps += 1
        torch.manual_seed(self.n_steps)
        self.twin.step(self._loss(self.twin.model))
        torch.manual_seed(self.n_steps)
        self.optimizer.zero_grad()
        (self._fit(self.model) + self.shrinker.penalty()).backward()
        self.optimizer.step()
        if len(dead):
            masks = masks_without(self.model, self.net, dead)
            by_layer = {layer_name(name): mask for name, mask in masks.items()}
            self.told.dead_now = np.concatenate([by_layer[n] for n in self.shrinker.sizes])
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "the removal strategy calls all units")
            self.shrinker.step()
        self.twin.follow()

    def _fit(self, model):
        # Its gradient does not grow with the outputs.
        return self.net.run(model).square().mean().log1p()

    def _loss(self, model):
        return self._fit(model) + penalty_of(model, ALPHA, WEIGHT_DECAY)

    def run(self, training=False):
        """The outputs."""
        mode = self.model.training
        with torch.no_grad():
            outputs = self.net.run(self.model.train(training))
        self.model.train(mode)
        return outputs
