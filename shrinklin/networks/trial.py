"""A trial: one unit of each layer is cut out of a copy of the model, which must not change by it.

The structure says which units go through which functions, but not whether a size is written into
the code of the model, as in ``x.view(-1, 400)``, nor what a gradient is that was written by hand.
"""

from copy import deepcopy
from typing import NamedTuple

import numpy as np
import torch
from torch.func import functional_call

from shrinklin.networks.cutting import cut
from shrinklin.networks.gates import gates_of
from shrinklin.networks.inputs import returned_tensors
from shrinklin.networks.optimizer_state import taken
from shrinklin.networks.removable import Removable, find_removable
from shrinklin.networks.structure import Structure, aside, in_mode


class Trial(NamedTuple):
    """What a trial found out, for gates by name.

    Attributes
    ----------
    wrong : dict of str to str
        Gates whose units must stay, as the model does not work without, and why.
    stuck : dict of str to str
        Gates whose units can be switched off but not cut, and why.
    waiting : dict of str to str
        Gates whose units cannot be cut yet, and why.
    """

    wrong: dict
    stuck: dict
    waiting: dict


def try_cuts(model, inputs, structure):
    """Cut a unit of each gate out of a copy of the model: a `Trial`."""
    victims = {name: _victim(structure, name) for name in structure.gates()}
    stuck = {name: "it has one unit" for name, unit in victims.items() if unit is None}
    victims = {name: unit for name, unit in victims.items() if unit is not None}
    victims = {n: u for n, u in victims.items() if u not in structure.units.reasons}
    failure, removable = _cut_of_copy(model, inputs, structure, set(victims.values()))
    waiting: dict = {}
    for name, unit in victims.items():
        if unit in removable.reasons:
            kind = waiting if unit in removable.waiting else stuck
            kind[name] = removable.reasons[unit]
    if not failure:
        return Trial({}, stuck, waiting)
    each = {n: _cut_of_copy(model, inputs, structure, {u}).failure for n, u in victims.items()}
    wrong = {name: reason for name, reason in each.items() if reason}
    return Trial(wrong or dict.fromkeys(victims, failure), stuck, waiting)


class Outcome(NamedTuple):
    """What became of a copy without some units.

    Attributes
    ----------
    failure : str
        Why it does not work, "" if it does.
    removable : Removable
        Which of the units were cut.
    """

    failure: str
    removable: Removable


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
    removable = find_removable(of_twin)
    left = of_twin.kept(removable.units)
    in_training, gradients = _outputs_in_training(twin, inputs), _gradients(twin, inputs)
    try:
        cut(twin, left, removable.folds)
        failure = (
            ("" if same_outputs(twin, inputs, of_twin.outputs) else CHANGED)
            or _compare_training(in_training, _outputs_in_training(twin, inputs))
            or _compare_gradients(gradients, _gradients(twin, inputs), left)
        )
    except WRONG_SIZE as error:
        written = "the model has its size written into it: with fewer units"
        return Outcome(f"{written}, {error}", removable)
    return Outcome(failure, removable)


def _outputs_in_training(model, inputs):
    """The outputs in training, None if they differ from one run to the next."""
    buffers = {name: buffer.clone() for name, buffer in model.named_buffers()}
    with in_mode(model, True), torch.no_grad(), aside(model):
        before = torch.get_rng_state()
        one, other = (
            returned_tensors(functional_call(model, buffers, given.args, given.kwargs))
            for given in (inputs.copy(), inputs.copy())
        )
        # Few units may all pass a dropout twice.
        random = not torch.equal(torch.get_rng_state(), before)
    return one if _all_close(one, other) and not random else None


def _compare_training(before, after):
    """What a cut changes, "" if it changes nothing."""
    same = before is None or (after is not None and _all_close(after, before))
    return "" if same else f"{CHANGED} in training"


def _gradients(model, inputs):
    """Gradients of a sum of the outputs in evaluation, by parameter, of those that have one."""
    parameters = {name: p for name, p in model.named_parameters() if p.requires_grad}
    with in_mode(model, False), torch.enable_grad(), aside(model):
        outputs = returned_tensors(inputs.given_to(model))
        outputs = [t for t in outputs if t.requires_grad and t.is_floating_point()]
        try:
            total = sum((t * _weights(t)).sum() for t in outputs)
            gradients = torch.autograd.grad(total, list(parameters.values()), allow_unused=True)
        except (RuntimeError, TypeError):
            return {}
    return {name: g for name, g in zip(parameters, gradients, strict=True) if g is not None}


def _weights(tensor):
    """Different numbers: the plain sum of a softmax would not depend on anything."""
    return torch.linspace(1, 2, tensor.numel()).to(tensor).reshape(tensor.shape)


def _compare_gradients(before, after, left):
    """What a cut changes, "" if it changes nothing."""
    if before.keys() != after.keys():
        return GRADIENTS
    names = [name for name, gradient in before.items() if bool(gradient.isfinite().all())]
    expected = [taken(before[name], left.get(name, {})).reshape(-1).cpu() for name in names]
    found = [after[name].reshape(-1).cpu() for name in names]
    same = not found or _close(torch.cat(found), torch.cat(expected))
    return "" if same else GRADIENTS


# What a model raises that does not work with layers of this size.
WRONG_SIZE = (ValueError, RuntimeError, IndexError, TypeError, AssertionError)
CHANGED = "the output changes with the size of the layer"
GRADIENTS = "gradients change with the size of the layer"


def same_outputs(model, inputs, outputs):
    """Whether the model in evaluation has these outputs, but for rounding."""
    with in_mode(model, False), torch.no_grad(), aside(model):
        now = returned_tensors(inputs.given_to(model))
    return _all_close(now, outputs)


def _all_close(ones, others):
    return len(ones) == len(others) and all(
        one.shape == other.shape and _close(one, other)
        for one, other in zip(ones, others, strict=True)
    )


def _close(one, other):
    if not (one.is_floating_point() or one.is_complex()):
        return torch.equal(one, other)
    finite = other[other.isfinite()].abs()
    # Rounding of sums in another order; a mistake changes about as much as there is.
    tolerance = torch.finfo(one.dtype).eps ** 0.5 * (finite.max() if finite.numel() else 0.0)
    return bool(((one == other) | ((one - other).abs() <= tolerance)).all())
