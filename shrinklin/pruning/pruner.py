"""Removal of switches while a model trains, whatever the model is.

The training is `Pruned`: it shows its switches and can drop some of them. It has a `Pruner`, whose
`before_step` and `after_step` it calls around every step of the optimiser. The `Pruner` shows the
switches to a removal strategy (`removal`) and has the training drop those that are dead.
"""

from abc import ABC, abstractmethod
from copy import deepcopy

import numpy as np

from shrinklin.pruning.removal import Watched


class Pruned(ABC):
    """A training whose switches a `Pruner` may remove.

    Arrays have one entry for each switch that is left. Their order never changes.
    """

    @abstractmethod
    def switch(self):
        """β, or θ of filters: (n_switches,). None for a model without switches."""

    @abstractmethod
    def gate(self):
        """The factor that each switch puts in front of its weights: (n_switches,)."""

    @abstractmethod
    def norms(self):
        """‖A_g‖₂ of the weights behind each switch: (n_switches,).

        It is not called for a strategy that does not need it (`Removal.needs_norms`).
        """

    @abstractmethod
    def penalised(self):
        """Which switches may be removed: a mask (n_switches,)."""

    @abstractmethod
    def keep(self, members):
        """Remove all switches but those at the positions `members`, which are in order."""

    def facts(self):
        """`loss_changes`, `freed` and `n_parameters` of `Watched`: a dict.

        It is not called for a strategy that does not need it (`Removal.needs_loss_changes`).
        """
        raise ValueError(
            "this removal strategy is for networks: take Annealing to keep a number of features."
        )

    def removable(self, dead, watched):
        """The dead switches that may go now: a mask like `dead`, which holds the penalised ones.

        All of them by default. A switch that stays is watched as before. `watched` is what the
        strategy has seen.
        """
        return dead


class Pruner:
    """Removes the switches that a strategy calls dead, after every step.

    A removed switch never returns.

    Parameters
    ----------
    removal : Removal or None
        None removes nothing.
    n_switches : int
        Number of switches when training begins.
    max_epochs : int or None
        None if it is not known. A strategy with a schedule needs it.
    layer : ndarray of int, shape (n_switches,), default=None
        Layer of each switch, counted from 0. None means a single layer.

    Attributes
    ----------
    layer : ndarray of int
        Layer of each switch that is left.
    memory : dict of str to ndarray
        What the strategy remembers of the switches that are left.
    previous : ndarray, or None
        The switches before the step.
    """

    def __init__(self, removal, n_switches, max_epochs, layer=None):
        if removal is not None:
            _check_schedule(removal, max_epochs)
            removal.check(n_switches, max_epochs)
        self.removal, self.n_switches, self.max_epochs = removal, n_switches, max_epochs
        self.layer = np.zeros(n_switches, dtype=int) if layer is None else np.asarray(layer)
        self.memory = {}
        self.previous = None

    def before_step(self, pruned):
        """Remember the switches of `pruned`, a `Pruned`."""
        switch = pruned.switch()
        self.previous = None if switch is None else switch.copy()

    def after_step(self, pruned, epoch):
        """Remove the dead switches; returns their positions before the removal.

        `epoch` is the current epoch, counted from 1.
        """
        if self.removal is None or len(self.layer) == 0:
            return np.empty(0, dtype=int)
        dead = self._dead(pruned, epoch)
        if dead.any():
            members = np.flatnonzero(~dead)
            # First, because it raises an error if the memory is wrong.
            self.keep(members)
            pruned.keep(members)
        return np.flatnonzero(dead)

    def _dead(self, pruned, epoch):
        """A mask of the switches to remove."""
        penalised = pruned.penalised()
        watched = Watched(
            switch=pruned.switch(),
            previous=self.previous,
            gate=pruned.gate(),
            norms=pruned.norms() if self.removal.needs_norms else None,
            penalised=penalised,
            layer=self.layer,
            epoch=epoch,
            max_epochs=self.max_epochs,
            n_switches=self.n_switches,
            memory=self.memory,
            **(pruned.facts() if self.removal.needs_loss_changes else {}),
        )
        dead = _checked_mask(self.removal, self.removal.dead(watched), penalised) & penalised
        return pruned.removable(dead, watched)

    def keep(self, members):
        """Forget all switches but those at the positions `members`."""
        n_left = len(self.layer)
        memory = {
            name: _one_entry_each(name, values, n_left)[members]
            for name, values in self.memory.items()
        }
        self.memory, self.layer = memory, self.layer[members]

    def resumed(self, removal, max_epochs):
        """A copy with these arguments. A strategy of another class begins without memory."""
        pruner = Pruner(removal, self.n_switches, max_epochs, self.layer)
        if type(removal) is type(self.removal):
            # Strategies may write into its arrays.
            pruner.memory = deepcopy(self.memory)
        return pruner


def _check_schedule(removal, max_epochs):
    if removal.scheduled and max_epochs is None:
        raise ValueError(
            f"removal={removal!r} follows a schedule over all epochs, but max_epochs=None: give "
            "the number of epochs as max_epochs."
        )


def _checked_mask(removal, dead, like):
    """`dead`, the result of `Removal.dead`. Raises an error unless it is a mask."""
    dead = np.asarray(dead)
    if dead.dtype != bool or dead.shape != like.shape:
        raise ValueError(
            f"{type(removal).__name__}.dead returned {dead.dtype} of shape {dead.shape}: it should "
            f"return booleans of shape {like.shape}, True for every switch to remove."
        )
    return dead


def _one_entry_each(name, values, n_switches):
    """An array of a strategy's memory. Raises an error unless it has one entry per switch."""
    values = np.asarray(values)
    if values.shape[:1] != (n_switches,):
        raise ValueError(
            f"memory[{name!r}] has shape {values.shape}: the memory of a removal strategy should "
            f"hold arrays with one entry per switch, here {n_switches}."
        )
    return values
