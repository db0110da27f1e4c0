"""A trial: one unit of each layer is cut out of a copy of the model, which must not change by it.

The structure says which units go through which functions, but not whether a size is written into
the code of the model, as in ``x.view(-1, 400)``.
"""

from copy import deepcopy
from typing import NamedTuple

import numpy as np
import torch

from shrinklin.networks.cutting import cut
from shrinklin.networks.gates import gates_of
from shrinklin.networks.inputs import returned_tensors
from shrinklin.networks.structure import Structure, aside, in_mode


def try_cuts(model, inputs, structure):
    """Cut a unit of each gate out of a copy of the model.

    Returns
    -------
    wrong : dict of str to str
        Gates whose units must stay, as the model does not work without, and why.
    stuck : dict of str to str
        Gates whose units cannot be cut now, and why. Some become free in training: a BatchNorm
        forgets what a unit was before it was switched off.
    """
    victims = {name: _victim(structure, name) for name in structure.gates()}
    alone = {name: "it has one unit" for name, unit in victims.items() if unit is None}
    victims = {name: unit for name, unit in victims.items() if unit is not None}
    victims = {n: u for n, u in victims.items() if u not in structure.units.reasons}
    failure, stuck = _cut_of_copy(model, inputs, structure, set(victims.values()))
    found = alone | {name: stuck[unit] for name, unit in victims.items() if unit in stuck}
    if not failure:
        return {}, found
    each = {
        name: _cut_of_copy(model, inputs, structure, {u}).failure for name, u in victims.items()
    }
    wrong = {name: reason for name, reason in each.items() if reason}
    return wrong or dict.fromkeys(victims, failure), found


class Outcome(NamedTuple):
    """What became of a copy without some units.

    Attributes
    ----------
    failure : str
        Why it does not work, "" if it does.
    stuck : dict of int to str
        Units that were not cut, and why.
    """

    failure: str
    stuck: dict


def _victim(structure, name):
    """The first unit of a gate that can go; None if the gate has a single unit."""
    units = structure.units_of(name)
    if len(np.unique(units)) == 1 and units[0] != structure.units.free:
        return None
    free = [int(unit) for unit in units if int(unit) not in structure.units.reasons]
    return free[0] if free else int(units[0])


def _cut_of_copy(model, inputs, structure, units):
    """Cut units out of a copy of the model: an `Outcome`."""
    twin = deepcopy(model)
    for name, gate in gates_of(twin).items():
        off = np.isin(structure.units_of(name), list(units))
        gate.alive[torch.from_numpy(off).to(gate.alive.device)] = False
    of_twin = Structure(twin, inputs)
    removable = of_twin.removable()
    try:
        cut(twin, of_twin.kept(removable.units), removable.folds)
        same = same_outputs(twin, inputs, of_twin.outputs)
        # Last, as it changes the averages of a BatchNorm.
        with in_mode(twin, True), torch.no_grad(), aside(twin):
            twin(*inputs.args, **inputs.kwargs)
    except WRONG_SIZE as error:
        written = "the model has its size written into it: with fewer units"
        return Outcome(f"{written}, {error}", removable.reasons)
    return Outcome("" if same else CHANGED, removable.reasons)


# What a model raises that does not work with layers of this size.
WRONG_SIZE = (ValueError, RuntimeError, IndexError, TypeError, AssertionError)
CHANGED = "the output changes with the size of the layer"


def same_outputs(model, inputs, outputs):
    """Whether the model in evaluation has these outputs, but for rounding."""
    with in_mode(model, False), torch.no_grad(), aside(model):
        now = returned_tensors(model(*inputs.args, **inputs.kwargs))
    return len(now) == len(outputs) and all(
        a.shape == b.shape and _close(a, b) for a, b in zip(now, outputs, strict=True)
    )


def _close(one, other):
    if not (one.is_floating_point() or one.is_complex()):
        return torch.equal(one, other)
    finite = other[other.isfinite()].abs()
    # Rounding of sums in another order; a mistake changes about as much as there is.
    tolerance = torch.finfo(one.dtype).eps ** 0.5 * (finite.max() if finite.numel() else 0.0)
    return bool(((one == other) | ((one - other).abs() <= tolerance)).all())
