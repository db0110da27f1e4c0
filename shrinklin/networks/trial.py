"""A trial: one unit of each layer is cut out of a copy of the model, which must not change by it.

The structure says which units go through which functions, but not whether a size is written into
the code of the model, as in ``x.view(-1, 400)``.
"""

from copy import deepcopy

import numpy as np
import torch

from shrinklin.networks.cutting import cut
from shrinklin.networks.gates import gates_of
from shrinklin.networks.inputs import tensors_in
from shrinklin.networks.structure import Structure, in_mode, same_random_numbers


def wrong_layers(model, inputs, structure):
    """Gates whose units must stay, as the model does not work without: {name: reason}."""
    victims = {name: _victim(structure, name) for name in gates_of(model)}
    victims = {name: unit for name, unit in victims.items() if unit is not None}
    if not _failure(model, inputs, structure, set(victims.values())):
        return {}
    alone = {name: _failure(model, inputs, structure, {unit}) for name, unit in victims.items()}
    wrong = {name: reason for name, reason in alone.items() if reason}
    return wrong or dict.fromkeys(victims, "the model does not work with smaller layers")


def _victim(structure, name):
    """The first unit of a gate that can go, None if there is none or no other would be left."""
    units = structure.units_of(name)
    can_go = [int(unit) for unit in units if int(unit) not in structure.units.reasons]
    return can_go[0] if len(np.unique(units)) > 1 and can_go else None


def _failure(model, inputs, structure, units):
    """Why the model does not work without these units, "" if it does."""
    twin = deepcopy(model)
    for name, gate in gates_of(twin).items():
        off = np.isin(structure.units_of(name), list(units))
        gate.alive[torch.from_numpy(off).to(gate.alive.device)] = False
    try:
        of_twin = Structure(twin, inputs)
        removable = of_twin.removable()
        cut(twin, of_twin.kept(removable.units), removable.folds)
        with in_mode(twin, True), torch.no_grad(), same_random_numbers(twin):
            twin(*inputs.args, **inputs.kwargs)
    except (ValueError, RuntimeError, IndexError, TypeError, AssertionError) as error:
        return f"the model does not run with fewer units ({str(error).splitlines()[0]})"
    return "" if same_outputs(twin, inputs, of_twin.outputs) else CHANGED


CHANGED = "the output changes without a unit that is off"


def same_outputs(model, inputs, outputs):
    """Whether the model in evaluation has these outputs, but for rounding."""
    with in_mode(model, False), torch.no_grad():
        now = list(tensors_in(model(*inputs.args, **inputs.kwargs)))
    return len(now) == len(outputs) and all(
        a.shape == b.shape and _close(a, b) for a, b in zip(now, outputs, strict=True)
    )


def _close(one, other):
    if not one.is_floating_point() or not one.numel():
        return torch.equal(one, other)
    # Rounding of sums in another order; a mistake changes about as much as there is.
    tolerance = torch.finfo(one.dtype).eps ** 0.5 * other.abs().max()
    return bool(((one - other).abs() <= tolerance).all())
