"""The weights of each unit: those that make it and those that read it."""

from dataclasses import dataclass

import numpy as np
import torch

from shrinklin.networks.layers import NORMS


@dataclass(frozen=True)
class Part:
    """A parameter whose entries along one dimension belong to units.

    Attributes
    ----------
    name : str
        Of the parameter.
    dim : int
    units : dict of int to Tensor of int
        Along `dim`, and along other dimensions that have units, the unit of each position. The
        number of units stands for all that are not among them.
    """

    name: str
    dim: int
    units: dict

    def squares(self, parameters, on):
        """Sums of squares for each unit, and how many numbers they are sums of.

        Numbers that belong to a unit that is off, too, are left out. `on` is a mask of the units,
        with True at the end for all others.
        """
        tensor = parameters[self.name]
        others = [d for d in range(tensor.dim()) if d != self.dim]
        size = torch.ones((), device=on.device)
        for d in others:
            if d in self.units and not on.all():
                left = on[self.units[d].to(on.device)]
                tensor = tensor * left.view([-1 if e == d else 1 for e in range(tensor.dim())])
                size = size * left.sum()
            else:
                size = size * tensor.shape[d]
        sums = tensor.square().sum(dim=others) if others else tensor.square()
        units, empty = self.units[self.dim].to(on.device), sums.new_zeros(len(on))
        counts = empty.index_add(0, units, torch.ones_like(sums)) * size
        return empty.index_add(0, units, sums)[:-1], counts[:-1]


class Members:
    """The weights of the units of some gates. Gates may share units.

    Parameters
    ----------
    structure : Structure
    gates : sequence of str
        Names of the gates.

    Attributes
    ----------
    rows : list of Part
        Of the layers that make the units, with their biases.
    scales : list of Part
        Weights of a BatchNorm of the units.
    columns : list of Part
        Of the layers that read them.
    n_units : int
    index : Tensor of int
        The unit of each entry of the gates.
    """

    def __init__(self, structure, gates):
        entries = np.concatenate([structure.units_of(gate) for gate in gates])
        units, index = np.unique(entries, return_inverse=True)
        self.n_units, self.index = len(units), torch.from_numpy(index)
        self._place = np.full(structure.units.n_units, self.n_units)
        self._place[units] = np.arange(self.n_units)
        self._place[structure.units.free] = self.n_units
        made = {(each.weight, each.dim) for run in structure.runs for each in run.made}
        biases = {(each.bias, 0) for run in structure.runs for each in run.made if each.bias}
        read = {(each.weight, each.dim) for each in structure.reads}
        norms = {(call.weight, 0) for call in structure.calls if call.name in NORMS and call.weight}
        self.rows = self._parts(structure, made | biases)
        self.scales, self.columns = self._parts(structure, norms), self._parts(structure, read)

    def _parts(self, structure, dims):
        parts = []
        for leaf, dim in sorted(dims, key=lambda pair: (pair[0].name, pair[1])):
            units = {d: torch.from_numpy(self._place[structure.of(leaf, d)]) for d in leaf.vectors}
            if bool((units[dim] < self.n_units).any()):
                parts.append(Part(leaf.name, dim, units))
        return parts

    def norms(self, parameters):
        """‖incoming‖·‖outgoing‖ of each entry of the gates.

        Incoming are the rows that make it without biases or, where a BatchNorm takes their scale
        away, the BatchNorm's weight. A unit of the input has none, and counts as 1.
        """
        matrices = [part for part in self.rows if parameters[part.name].dim() > 1]
        sizes = [self._norm(parts, parameters) for parts in (self.scales or matrices, self.columns)]
        sizes = [size for size in sizes if size is not None]
        if not sizes:
            return torch.ones(len(self.index))
        return torch.stack(sizes).prod(dim=0)[self.index.to(sizes[0].device)]

    def _norm(self, parts, parameters):
        if not parts:
            return None
        device = parameters[parts[0].name].device
        everything = torch.ones(self.n_units + 1, dtype=torch.bool, device=device)
        squares = [part.squares(parameters, everything)[0] for part in parts]
        return torch.stack(squares).sum(dim=0).sqrt()

    def group_lasso(self, parameters, alive, penalised, groups):
        """Σ_i √#θ_i ‖θ_i‖ over units that are on, θ_i their rows with biases, or their columns.

        Parameters
        ----------
        parameters : dict of str to Tensor
        alive, penalised : Tensor of bool
            For each entry of the gates, whether it is on, and whether it counts here. A unit is on
            or counts if it does so in one of its gates.
        groups : {"rows", "columns"}
        """
        parts = self.rows if groups == "rows" else self.columns
        if not parts:
            return torch.zeros((), device=alive.device)
        on, counted = self._units(alive), self._units(alive & penalised)
        on[-1] = True
        both = [part.squares(parameters, on) for part in parts]
        squares, counts = (torch.stack(each).sum(dim=0) for each in zip(*both, strict=True))
        positive = (squares > 0) & counted[:-1]
        # At 0 the root has no derivative; 0 is the subgradient taken.
        norms = torch.where(positive, squares, 1.0).sqrt() * positive
        return (counts.sqrt() * norms).sum()

    def _units(self, entries):
        """A mask of the units of some entries, and False at the end."""
        mask = torch.zeros(self.n_units + 1, dtype=torch.bool, device=entries.device)
        mask[self.index.to(entries.device)[entries]] = True
        return mask
