"""Removal of units until a network has no more parameters than it may have: `Budget`."""

import math
from bisect import bisect_left

import numpy as np

from shrinklin.pruning.removal import Removal
from shrinklin.validation.parameters import check_real, check_whole


class Budget(Removal):
    r"""Removes units of all layers until a network has few parameters, fewer from epoch to epoch.

    The unit that leaves first is that with the smallest estimated change of the loss per parameter,
    in whichever layer it is. With P parameters when removal begins, and N epochs after the first
    `pretrain`, at most

    .. math:: M_e = k \Big(\frac{P}{k}\Big)^{\max\left(0,\, \frac{N - 2e}{2 e \mu + N}\right)}

    are left in the e-th of these epochs, where k = `n_parameters`: the schedule of `Annealing`,
    applied to logarithms. A network never has fewer than k by more than a unit's worth. The last
    unit of each layer stays.

    The change of the loss is estimated to second order: half the mean square, over rows, of the
    unit times the derivative of the loss by it (the Fisher information of a factor in front of the
    unit) [1]_. It is averaged over steps, with weights that fall by the factor `gamma`.

    It is for networks. For linear models, `Annealing` keeps a number of features.

    Parameters
    ----------
    n_parameters : int
        k. It includes biases and the parameters of normalisation layers, and those of layers that
        stay whole. A network that has no more is left as it is.
    mu : float, default=0.0
        >= 0: the larger, the earlier units leave.
    pretrain : int, default=0
        Epochs before the first removal, fewer than ``max_epochs``.
    gamma : float, default=0.99
        In [0, 1).

    References
    ----------
    .. [1] Theis, Korshunova, Tejani, Huszár (2018), Faster gaze prediction with dense networks
       and Fisher pruning, arXiv:1801.05787.
    """

    needs_norms = False
    needs_loss_changes = True
    scheduled = True

    def __init__(self, n_parameters, mu=0.0, pretrain=0, gamma=0.99) -> None:
        self.n_parameters = n_parameters
        self.mu = mu
        self.pretrain = pretrain
        self.gamma = gamma

    def check(self, n_switches, max_epochs):
        """See `Removal`."""
        check_whole("n_parameters", self.n_parameters, 1)
        check_real("mu", self.mu, 0)
        check_whole("pretrain", self.pretrain, 0)
        check_real("gamma", self.gamma, 0)
        if self.gamma >= 1:
            raise ValueError(f"gamma={self.gamma!r}: give a number in [0, 1).")
        if self.pretrain >= max_epochs:
            raise ValueError(
                f"pretrain={self.pretrain} leaves no epoch of max_epochs={max_epochs} for removal: "
                "decrease pretrain or increase max_epochs."
            )

    def dead(self, watched) -> np.ndarray:
        """See `Removal`."""
        if "weight" not in watched.memory:
            # At once, and not only when removal begins.
            self._check_goal(watched)
        changes = self._averaged(watched)
        everything = np.ones(len(changes), dtype=bool)
        if watched.epoch <= self.pretrain:
            return ~everything
        n_now = watched.n_parameters(everything)
        if "begin" not in watched.memory:
            # One for each switch, as all that is remembered.
            watched.memory["begin"] = np.full(len(changes), n_now)
        goal = self.kept(int(watched.memory["begin"].max()), watched.epoch, watched.max_epochs)
        if n_now <= goal:
            return ~everything
        worth = self.worth(watched, changes)
        # The best of each layer stays.
        worth[list(_best(worth, watched))] = np.inf
        worth[~watched.penalised] = np.inf
        order = np.argsort(worth, kind="stable")[: np.isfinite(worth).sum()]
        return ~_fewest_gone(order, goal, watched.n_parameters, everything)

    def worth(self, watched, changes):
        """What each unit is worth: those with little leave first. Override it to try another order.

        Parameters
        ----------
        watched : Watched
        changes : ndarray of shape (n_switches,)
            `Watched.loss_changes`, averaged over steps.

        Returns
        -------
        ndarray of shape (n_switches,)
        """
        return changes / np.maximum(watched.freed(), 1)

    def kept(self, begin, epoch, max_epochs):
        """M_e after `epoch` epochs, including those of pretraining, rounded down."""
        e, N = max(epoch - self.pretrain, 0), max_epochs - self.pretrain
        share = max(0.0, (N - 2 * e) / (2 * e * self.mu + N))
        return round_down(self.n_parameters, begin, share)

    def _averaged(self, watched):
        """The changes of the loss, averaged over steps."""
        memory, zeros = watched.memory, np.zeros(len(watched.gate))
        total, weight = memory.get("changes", zeros), memory.get("weight", zeros)
        # Half precision may overflow; the optimiser then makes no step.
        if np.isfinite(watched.loss_changes).all():
            total = self.gamma * total + watched.loss_changes
            weight = self.gamma * weight + 1
        memory["changes"], memory["weight"] = total, weight
        return total / np.maximum(weight, 1)

    def _check_goal(self, watched):
        """Raise an error unless a network with one unit in each layer is small enough."""
        _, first = np.unique(watched.layer, return_index=True)
        stays = ~watched.penalised
        stays[first] = True
        least = watched.n_parameters(stays)
        if least > self.n_parameters:
            raise ValueError(
                f"n_parameters={self.n_parameters}, but the network has {least} with one unit in "
                f"each layer: give at least {least}."
            )


def round_down(few, many, share):
    """few^(1 − share) · many^share, at least `few`, rounded down: a straight line of logarithms."""
    if many <= few or share <= 0:
        return few
    return max(few, math.floor(few * (many / few) ** share))


def _best(worth, watched):
    """The position of the best switch of each layer."""
    for layer in np.unique(watched.layer):
        mine = np.flatnonzero(watched.layer == layer)
        yield mine[np.argmax(worth[mine])]


def _fewest_gone(order, goal, n_parameters, everything):
    """Which switches stay if as few as possible leave, in this order, to reach the goal."""

    def without(n):
        stays = everything.copy()
        stays[order[:n]] = False
        return stays

    n = bisect_left(range(len(order)), -goal, key=lambda n: -n_parameters(without(n)))
    return without(n)
