"""How many parameters a network has, and how many of them each unit frees."""

import numpy as np
from torch import nn


class Counted:
    """The parameters of a network by the units that they belong to.

    Parameters of gates are not counted: `fold` takes them away. A unit that is off counts as cut
    out, even where it has to stay.

    Parameters
    ----------
    structure : Structure
    gates : dict of str to Gate
        All gates of the network.
    """

    def __init__(self, structure, gates):
        self._gates, self._n_units = gates, structure.units.n_units
        self._units = {name: structure.units_of(name) for name in gates}
        # The unit of each position along dimensions that have units, and the size of the others.
        self._tensors = [
            ([structure.of(leaf, dim) for dim in leaf.vectors], _other_size(leaf))
            for leaf in structure.leaves
            if isinstance(leaf.tensor, nn.Parameter) and leaf.name not in _thetas(gates)
        ]

    def n_parameters(self, alive):
        """The number of parameters that are left.

        Parameters
        ----------
        alive : dict of str to ndarray of bool
            Which units of some gates are on; others are as they are. A unit of several gates is
            off if it is off in all of them.
        """
        on = self._on(alive)
        return sum(
            other * int(np.prod([on[units].sum() for units in vectors], dtype=np.int64))
            for vectors, other in self._tensors
        )

    def freed(self, alive):
        """How many parameters each unit frees if it leaves alone: a dict of name to ndarray.

        Entries that a unit has along two dimensions of a tensor are counted twice.
        """
        on, freed = self._on(alive), np.zeros(self._n_units)
        for vectors, other in self._tensors:
            sizes = [on[units].sum() for units in vectors]
            for d, units in enumerate(vectors):
                others = np.prod(sizes[:d] + sizes[d + 1 :], dtype=np.int64)
                np.add.at(freed, units[on[units]], other * others)
        return {name: freed[units] for name, units in self._units.items()}

    def shared(self, values):
        """Sums over the gates that share a unit, for each of them: a dict like `values`.

        Parameters
        ----------
        values : dict of str to ndarray
            One number for each unit of some gates.
        """
        sums = np.zeros(self._n_units)
        for name, numbers in values.items():
            np.add.at(sums, self._units[name], numbers)
        return {name: sums[self._units[name]] for name in values}

    def _on(self, alive):
        """A mask of the units of the network."""
        on = np.ones(self._n_units, dtype=bool)
        now = {name: gate.alive.cpu().numpy() for name, gate in self._gates.items()} | alive
        for name, units in self._units.items():
            on[units[~now[name]]] = False
        for name, units in self._units.items():
            on[units[now[name]]] = True
        return on


def _other_size(leaf):
    return int(np.prod([n for d, n in enumerate(leaf.tensor.shape) if d not in leaf.vectors]))


def _thetas(gates):
    return {f"{name}.theta".lstrip(".") for name in gates}
