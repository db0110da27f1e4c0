"""The weights of each unit: those that make it and those that read it."""

from dataclasses import dataclass

import numpy as np
import torch


@dataclass(frozen=True)
class Part:
    """Entries of one tensor that belong to units of a gate.

    Attributes
    ----------
    name : str
        Of the parameter.
    dim : int
        Dimension of the units.
    places : Tensor of int
        Positions along it.
    units : Tensor of int
        The gate's unit at each of these positions.
    """

    name: str
    dim: int
    places: torch.Tensor
    units: torch.Tensor

    def squares(self, parameters, n_units):
        """Sums of squares for each unit, and how many numbers they are sums of."""
        tensor = parameters[self.name]
        others = [d for d in range(tensor.dim()) if d != self.dim]
        sums = tensor.square().sum(dim=others) if others else tensor.square()
        empty = torch.zeros(n_units, dtype=sums.dtype, device=sums.device)
        units, places = self.units.to(sums.device), self.places.to(sums.device)
        size = tensor.numel() // tensor.shape[self.dim]
        counts = empty.index_add(0, units, torch.full_like(units, size).to(sums.dtype))
        return empty.index_add(0, units, sums[places]), counts


class Members:
    """The weights of the units of some gates. Gates may share units.

    Parameters
    ----------
    structure : Structure
    gates : list of str
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
        self._places = {int(unit): place for place, unit in enumerate(units)}
        self._places.pop(structure.units.free, None)
        made = {(each.weight, each.dim) for run in structure.runs for each in run.made}
        biases = {(each.bias, 0) for run in structure.runs for each in run.made if each.bias}
        read = {(each.weight, each.dim) for each in structure.reads}
        norms = {(call.weight, 0) for call in structure.calls if call.name in NORMS and call.weight}
        self.rows = self._parts(structure, made | biases)
        self.scales, self.columns = self._parts(structure, norms), self._parts(structure, read)

    def _parts(self, structure, dims):
        parts = []
        for leaf, dim in sorted(dims, key=lambda pair: (pair[0].name, pair[1])):
            units = structure.of(leaf, dim)
            places = [i for i, unit in enumerate(units) if int(unit) in self._places]
            if places:
                mine = [self._places[int(units[i])] for i in places]
                parts.append(Part(leaf.name, dim, torch.tensor(places), torch.tensor(mine)))
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
        squares = [part.squares(parameters, self.n_units)[0] for part in parts]
        return torch.stack(squares).sum(dim=0).sqrt() if squares else None

    def group_lasso(self, parameters, alive, groups):
        """Σ_i √#θ_i ‖θ_i‖ over units that are on, θ_i their rows with biases, or their columns.

        A unit is on if it is in one of its gates; `alive` says so for all of their entries.
        """
        parts = self.rows if groups == "rows" else self.columns
        both = [part.squares(parameters, self.n_units) for part in parts]
        if not both:
            return torch.zeros((), device=alive.device)
        squares, counts = (torch.stack(each).sum(dim=0) for each in zip(*both, strict=True))
        on = torch.zeros(self.n_units, dtype=torch.bool, device=alive.device)
        on[self.index.to(alive.device)[alive]] = True
        positive = (squares > 0) & on
        # At 0 the root has no derivative; 0 is the subgradient taken.
        norms = torch.where(positive, squares, 1.0).sqrt() * positive
        return (counts.sqrt() * norms).sum()


NORMS = {"batch_norm", "instance_norm"}
