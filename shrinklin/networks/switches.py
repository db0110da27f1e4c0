"""The gates of a network as a `Pruner` sees them."""

import numpy as np
import torch

from shrinklin.messages import warn
from shrinklin.networks.gates import Mask, layer_name
from shrinklin.networks.optimizer_state import forget
from shrinklin.pruning.pruner import Pruned


class Switches(Pruned):
    """Units of some gates that are on, in order.

    Parameters
    ----------
    gates : dict of str to Gate
    optimizers : list of torch.optim.Optimizer
    norms_of : callable
        Takes the name of a gate and returns ‖incoming‖·‖outgoing‖ of its units, on or off.
    counted : callable
        Returns the `Counted` of the network as it is now.
    """

    def __init__(self, gates, optimizers, norms_of, counted):
        self.gates, self._optimizers, self._norms_of = gates, optimizers, norms_of
        self._counted = counted
        self._warned = set()
        self.read()

    def read(self):
        """Look at the gates as they are now: once a step, and all of them together."""
        gates = self.gates.values()
        self._alive = torch.cat([gate.alive for gate in gates]).cpu().numpy()
        values = [gate.value() for gate in gates]
        self._gate = self._switch = self._numbers(values)
        if any(isinstance(gate, Mask) for gate in gates):
            self._switch = None
        elif any(value is not gate.theta for value, gate in zip(values, gates, strict=True)):
            self._switch = self._numbers(gate.theta for gate in gates)

    def check(self):
        """Raise an error if a switch is no number."""
        wrong = ~np.isfinite(self._gate)
        if wrong.any():
            name = list(self.gates)[self.layer[wrong][0]]
            raise ValueError(
                f'switches of "{layer_name(name)}" are no numbers after the last step: nothing was '
                "removed. Training has diverged: a smaller learning rate may help."
            )

    @property
    def layer(self):
        """The layer of each unit, counted from 0: (n_switches,)."""
        sizes = [len(gate) for gate in self.gates.values()]
        return np.repeat(np.arange(len(sizes)), sizes)[self._alive]

    def switch(self):
        return self._switch

    def gate(self):
        return self._gate

    def norms(self):
        return self._numbers(self._norms_of(name) for name in self.gates)

    def facts(self):
        return {
            "loss_changes": self._loss_changes(),
            "freed": self._freed,
            "n_parameters": self._n_parameters,
        }

    def _loss_changes(self):
        seen = {name: gate.sensor.take() for name, gate in self.gates.items()}
        if all(squares is None for squares in seen.values()):
            raise ValueError(
                "no gradient was seen since the last step, which the removal strategy needs: call "
                "step() after each backward(), and do not compile the model."
            )
        # A part of the model that this step left out has none.
        arrays = {
            name: np.zeros(len(self.gates[name]))
            if squares is None
            else squares.double().cpu().numpy()
            for name, squares in seen.items()
        }
        return np.concatenate([*self._counted().shared(arrays).values()])[self._alive]

    def _freed(self):
        freed = self._counted().freed(self._on(self._alive[self._alive]))
        return np.concatenate([freed[name] for name in self.gates])[self._alive]

    def _n_parameters(self, stays):
        return self._counted().n_parameters(self._on(stays))

    def _on(self, stays):
        """Which units of these gates are on if only some switches stay: a dict of ndarrays."""
        on = self._alive.copy()
        on[self._alive] = stays
        ends = np.cumsum([len(gate) for gate in self.gates.values()])[:-1]
        return dict(zip(self.gates, np.split(on, ends), strict=True))

    def penalised(self):
        return np.ones(len(self._gate), dtype=bool)

    def _numbers(self, tensors):
        """One number for each unit that is on, from tensors with one for each unit."""
        return torch.cat([t.detach() for t in tensors]).double().cpu().numpy()[self._alive]

    def removable(self, dead, watched):
        """All but the largest unit of a layer that would lose all."""
        if not dead.any():
            return dead
        for layer, name in enumerate(self.gates):
            mine = np.flatnonzero(watched.layer == layer)
            if len(mine) and dead[mine].all():
                norms = self.norms() if watched.norms is None else watched.norms
                dead[mine[np.argmax(np.abs(watched.gate[mine]) * norms[mine])]] = False
                self._warn(name)
        return dead

    def _warn(self, name):
        if name not in self._warned:
            self._warned.add(name)
            warn(
                f'the removal strategy calls all units of "{layer_name(name)}" dead: the largest '
                "one stays, as a layer without units would cut the network in two. A smaller alpha "
                "keeps more."
            )

    def keep(self, members):
        """Switch the others off."""
        stays = np.zeros(len(self.penalised()), dtype=bool)
        stays[members] = True
        for layer, gate in zip(np.split(stays, self._ends()), self.gates.values(), strict=True):
            if not layer.all():
                places = torch.nonzero(gate.alive).squeeze(1)
                switch_off(
                    gate, places[torch.from_numpy(~layer).to(places.device)], self._optimizers
                )
        self.read()

    def _ends(self):
        return np.cumsum([int(gate.alive.sum()) for gate in self.gates.values()])[:-1]


@torch.no_grad()
def switch_off(gate, places, optimizers):
    """Switch units of a gate off, with nothing left that could move their parameters."""
    gate.alive[places] = False
    if not isinstance(gate, Mask):
        gate.theta[places] = 0
        if gate.theta.grad is not None:
            gate.theta.grad[places] = 0
        for optimizer in optimizers:
            forget(optimizer, gate.theta, places)
