"""Where switches go: `add_switches`."""

from copy import deepcopy
from dataclasses import dataclass

import torch
from torch import nn

from shrinklin.networks.cutting import CONVOLUTIONS, TRANSPOSED
from shrinklin.networks.flow import Call, Flow
from shrinklin.networks.gates import (
    Gate,
    Mask,
    Switch,
    first_module,
    gates_of,
    layer_name,
    put_behind,
    put_in_front,
)
from shrinklin.networks.inputs import Inputs
from shrinklin.networks.structure import Structure
from shrinklin.networks.trial import try_cuts

LAYER_MODULES = (nn.Linear, *CONVOLUTIONS, *TRANSPOSED)


@dataclass
class Place:
    """A module whose output a gate is to multiply.

    Attributes
    ----------
    module : str
        Its name: a layer, or the BatchNorm behind it.
    layer : str
        Name of the layer.
    flow : Flow
        Its output.
    dim : int
        Dimension of the units.
    """

    module: str
    layer: str
    flow: Flow
    dim: int


def add_switches(model, example_inputs, *, gate=Switch, inputs=False, verbose=False):
    """Place a switch behind every layer whose units can be removed.

    If a BatchNorm follows the layer, or a depthwise convolution filters its channels, the switch
    stands behind that. Layers whose units must all stay, such as the last one, get no switch;
    `Shrinker.report` says why.

    The switch becomes the submodule ``gate`` of the module that it stands behind, and a forward
    hook calls it. All other names in the `state_dict` stay. Make the optimiser afterwards, so that
    it trains the switches.

    Parameters
    ----------
    model : nn.Module
        Changed in place.
    example_inputs : Tensor, tuple or dict
        A batch of at least two rows, as the model is called with it. A tuple holds positional
        arguments, a dict keyword arguments.
    gate : type, default=Switch
        `Switch`, `Filter` or `Mask`.
    inputs : bool, default=False
        Whether to place one in front of the model too, along dimension 1 of its first argument.
        Training then selects features. Their layer is named ``"input"``.
    verbose : bool, default=False
        Whether to print where the switches are.

    Returns
    -------
    nn.Module
        The same model.

    Raises
    ------
    ValueError
        If the model does not run on the inputs, if it runs other layers for other data, or if no
        layer can shrink.

    Examples
    --------
    >>> import torch
    >>> from shrinklin.networks import add_switches
    >>> model = torch.nn.Sequential(
    ...     torch.nn.Linear(8, 64), torch.nn.ReLU(), torch.nn.Linear(64, 2)
    ... )
    >>> model = add_switches(model, torch.zeros(2, 8), verbose=True)
    Switch(64, dim=1) behind 0 (Linear)
    """
    if not (isinstance(gate, type) and issubclass(gate, Gate)):
        raise TypeError(f"gate={gate!r}: give the class Switch, Filter or Mask.")
    given = Inputs(example_inputs)
    if inputs:
        _check_front(model, given)
    places, reasons = find_places(model, given)
    if not places and not inputs:
        if gates_of(model):
            raise ValueError(
                "all layers that can shrink have switches already: call add_switches once."
            )
        why = "; ".join(f"{layer or 'the layer'}: {reason}" for layer, reason in reasons.items())
        raise ValueError(f"no layer of the model can shrink. {why or 'It has none'}.")
    lines = [_place_behind(model, place, gate) for place in places]
    if inputs:
        lines.append(_place_in_front(model, given, gate))
    if verbose:
        print(*lines, sep="\n")
    return model


def find_places(model, inputs):
    """Where gates can go, and why not behind other layers.

    Returns
    -------
    list of Place, dict of str to str
    """
    structure = Structure(model, inputs)
    reasons = {
        made.weight.module: structure.units.reasons[int(unit)]
        for made in structure.runs[0].made
        for unit in structure.of(made.weight, made.dim)[:1]
        if int(unit) in structure.units.reasons
    }
    others = {leaf.module: leaf.whole for leaf in structure.leaves if leaf.whole}
    reasons = {name: why for name, why in others.items() if name not in reasons} | reasons
    places = _places(model, structure)
    twin = deepcopy(model)
    for place in places:
        _place_behind(twin, place, Mask)
    trial = try_cuts(twin, inputs, Structure(twin, inputs))
    why = {layer_name(gate): reason for gate, reason in (trial.stuck | trial.wrong).items()}
    reasons |= {place.layer: why[place.module] for place in places if place.module in why}
    return [place for place in places if place.module not in why], reasons


def _places(model, structure):
    """A `Place` behind every layer that can shrink, one for each module."""
    run = structure.runs[0]
    gated = {id(flow) for _, flow, _ in run.gates}
    already = {name.rpartition(".")[0] for name in gates_of(model) if name.endswith(".gate")}
    places: dict = {}
    for call in run.calls:
        if _is_layer(model, call):
            place = _behind(run, call)
            if _is_depthwise(call):
                _drop_same_units(places, structure, place)
            if (
                id(place.flow) not in gated
                and place.module not in already
                and _is_result(run, place)
                and _can_go(structure, place)
            ):
                places.setdefault(place.module, place)
    return list(places.values())


def _is_layer(model, call: Call):
    return (
        call.weight is not None
        and call.weight.module == call.where
        and isinstance(model.get_submodule(call.where), LAYER_MODULES)
    )


def _is_depthwise(call):
    return (
        call.name.startswith("conv")
        and call.weight.tensor.shape[1] == 1
        and 1 not in call.weight.vectors
    )


def _behind(run, call):
    """Behind the layer's BatchNorm, if nothing else reads the layer."""
    flow = call.outputs[0]
    dim = len(flow.shape) - call.weight.tensor.dim() + 1 if call.name.startswith("conv") else -1
    dim = 1 if dim % len(flow.shape) == 1 else dim
    readers = [other for other in run.calls if any(flow is given for given in other.inputs)]
    if len(readers) == 1 and _is_batch_norm(readers[0]):
        return Place(readers[0].where, call.where, readers[0].outputs[0], dim)
    return Place(call.where, call.where, flow, dim)


def _is_batch_norm(call):
    """Whether it is called by the module that holds its parameters, not by one around that."""
    leaf = call.weight or call.mean
    return call.name == "batch_norm" and leaf is not None and leaf.module == call.where


def _is_result(run, place):
    """Whether the module returns its units along the same dimension as it makes them."""
    result = run.results.get(place.module)
    return result is not None and torch.equal(result.labels, place.flow.labels)


def _drop_same_units(places, structure, place):
    """A depthwise convolution filters the units of a layer before: one gate behind both will do.

    In front of it, a bias would make a constant of a unit that is off.
    """
    units = structure.units.of(place.flow.labels.reshape(-1))
    for module, other in list(places.items())[::-1]:
        if (structure.units.of(other.flow.labels.reshape(-1)) == units).all():
            del places[module]
            return


def _can_go(structure, place):
    units = structure.units.of(place.flow.labels.reshape(-1))
    return any(int(unit) not in structure.units.reasons for unit in units)


def _place_behind(model, place, gate):
    module = model.get_submodule(place.module)
    if hasattr(module, "gate"):
        raise ValueError(
            f'"{place.module}" already has an attribute "gate", the name of a switch behind it: '
            "place one by hand."
        )
    weight = model.get_submodule(place.layer).weight
    new = gate(place.flow.shape[place.dim], place.dim).to(weight)
    put_behind(module, new)
    return f"{new} behind {place.module or 'the model'} ({type(module).__name__})"


def _check_front(model, inputs):
    """Raise an error unless a gate can stand in front of the model."""
    first = inputs.args[0] if inputs.args else None
    if not isinstance(first, torch.Tensor) or first.dim() < 2 or not first.is_floating_point():
        raise ValueError(
            "inputs=True places a switch in front of the model's first positional argument: give "
            "example_inputs whose first positional argument is a tensor of floating-point numbers "
            "with at least two dimensions."
        )
    if hasattr(first_module(model), "input_gate"):
        raise ValueError("the model already has a switch in front of its input.")


def _place_in_front(model, inputs, gate):
    first = inputs.args[0]
    new = gate(first.shape[1], 1).to(next(model.parameters()))
    put_in_front(model, new)
    return f"{new} in front of the input"
