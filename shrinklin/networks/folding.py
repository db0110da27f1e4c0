"""Takes the gates out of a trained network by putting their factors into its layers: `fold`."""

from copy import deepcopy

import torch

from shrinklin.networks.cutting import cut
from shrinklin.networks.gates import gates_of, take_away
from shrinklin.networks.inputs import Inputs
from shrinklin.networks.layers import LAYERS, NORMS
from shrinklin.networks.removable import find_removable
from shrinklin.networks.rules import CONVERSIONS, MOVEMENTS
from shrinklin.networks.structure import Structure
from shrinklin.networks.trial import same_outputs
from shrinklin.networks.work import stop_counting

# A factor may stand before them or behind them,
SAME = {
    *CONVERSIONS,
    "neg",
    "interpolate",
    "mean",
    "sum",
    "dropout",
    "dropout1d",
    "dropout2d",
    "dropout3d",
}
SAME |= {f"{name}{n}d" for n in (1, 2, 3) for name in ("avg_pool", "adaptive_avg_pool")}
# also these, which move the units,
MOVING = {*MOVEMENTS, "__getitem__", "cat", "concat", "concatenate"}
# and these if it is not negative.
POSITIVE = {"relu", "leaky_relu", "prelu", "amax", "abs"}
POSITIVE |= {f"{name}{n}d" for n in (1, 2, 3) for name in ("max_pool", "adaptive_max_pool")}


def fold(model, example_inputs=None):
    """Copy a network without its gates. In evaluation mode the copy computes the same.

    Units that are off are cut out; a layer keeps at least one unit. The factors of a gate are
    multiplied into the layer or BatchNorm before it, or into all layers that read it. If no factor
    is negative, activations with f(cx) = c f(x) for c > 0, such as ReLU, may stand in between. A
    gate that cannot be folded stays. The copy is in training mode if the model is.

    Parameters
    ----------
    model : nn.Module
        With gates. It is not changed.
    example_inputs : Tensor, tuple or dict, default=None
        As for `add_switches`. None takes those of the model's `Shrinker`. The average of a model
        has no `Shrinker`, so give them.

    Returns
    -------
    nn.Module
        The classes of its modules are those from before `add_switches`. It needs shrinklin only if
        a gate stays, or a `Columns` that selects columns of the input.

    Examples
    --------
    >>> import torch
    >>> from shrinklin.networks import add_switches, fold
    >>> plain = torch.nn.Sequential(
    ...     torch.nn.Linear(8, 64), torch.nn.ReLU(), torch.nn.Linear(64, 2)
    ... )
    >>> model = add_switches(plain, torch.zeros(2, 8))
    >>> fold(model, torch.zeros(2, 8))
    Sequential(
      (0): Linear(in_features=8, out_features=64, bias=True)
      (1): ReLU()
      (2): Linear(in_features=64, out_features=2, bias=True)
    )
    """
    inputs, small = _inputs(model, example_inputs), deepcopy(model)
    stop_counting(gates_of(small).values())
    structure = Structure(small, inputs)
    outputs = structure.outputs
    removable = find_removable(structure, training=False)
    left = structure.kept(removable.units)
    cut(small, left, removable.folds)
    while _fold_some(small, inputs):
        pass
    if not same_outputs(small, inputs, outputs):
        raise RuntimeError(
            "folding changed the output of this model, which it should not: please report it, with "
            "the model. The model itself was not changed."
        )
    return small


def _inputs(model, example_inputs):
    if example_inputs is not None:
        return Inputs(example_inputs)
    counters = [gate.counter for gate in gates_of(model).values() if gate.counter is not None]
    if not counters:
        raise ValueError("the model has no Shrinker: give example_inputs, as it is called with.")
    return counters[0].inputs


@torch.no_grad()
def _fold_some(model, inputs):
    """Fold the gates that can be; returns whether there was one."""
    structure = Structure(model, inputs)
    done = False
    for name, gate in gates_of(model).items():
        if _Neighbours(structure, name, gate).fold():
            take_away(model, name, _n_inputs(structure, name, gate))
            done = True
    return done


def _n_inputs(structure, name, gate):
    for run in structure.runs:
        for called, flow, _ in run.gates:
            if called == name:
                return flow.shape[gate.dim]
    return None


class _Neighbours:
    """The layers around a gate.

    Attributes
    ----------
    gate : Gate
    factor : Tensor of shape (n_units,)
    """

    def __init__(self, structure, name, gate):
        self.structure, self.name, self.gate = structure, name, gate
        self.factor = gate.factor().detach() * torch.ones((), device=gate.alive.device)
        self.positive = bool((self.factor >= 0).all())
        self.places = [
            (run, before, after)
            for run in structure.runs
            for called, before, after in run.gates
            if called == name
        ]

    def fold(self):
        """Put the factor into a neighbour; returns whether it was possible."""
        if not self.places:
            return False
        if bool((self.factor == 1).all()):
            return True
        return self._into(self._parents) or self._into(self._children)

    def _into(self, neighbours):
        """Multiply the weights of layers, if all of them are found and nothing else uses them."""
        found: list = []
        for run, before, after in self.places:
            calls = neighbours(run, before, after)
            if calls is None:
                return False
            found += calls
        if not found or not self._are_all(found):
            return False
        scales = {}
        for call, moved in found:
            behind = neighbours == self._children
            weights = _weights(call, behind)
            if any(leaf is None or leaf.entries is not None for leaf, *_ in weights):
                return False
            (flow, *_) = call.inputs if behind else call.outputs
            direct = not moved and self._is_along(call, flow)
            for leaf, dim, inverse in weights:
                factor = self._spread(leaf, dim, direct)
                if factor is None or (inverse and bool((factor == 0).any())):
                    return False
                scales[leaf.name, dim] = leaf, dim, 1 / factor if inverse else factor
        for leaf, dim, factor in scales.values():
            shape = [-1 if d == dim else 1 for d in range(leaf.tensor.dim())]
            leaf.tensor.mul_(factor.view(shape).to(leaf.tensor))
        return True

    def _are_all(self, found):
        """Whether the found calls are all that use these weights."""
        calls = {id(call) for call, _ in found}
        leaves = {id(leaf) for call, _ in found for leaf in (call.weight, call.bias) if leaf}
        users = [
            call
            for call in self.structure.calls
            if {id(call.weight), id(call.bias)} & leaves and (call.weight or call.bias)
        ]
        return all(id(call) in calls for call in users)

    def _is_along(self, call, flow):
        """Whether the gate's units are in the dimension that is the layer's."""
        n_dims = len(flow.shape)
        dim = 1 if call.name in NORMS else n_dims - call.weight.tensor.dim() + 1
        return n_dims == len(self.places[0][1].shape) and self.gate.dim % n_dims == dim

    def _spread(self, leaf, dim, direct):
        """The factor of each entry along a dimension of a weight, None if it is not clear."""
        if direct and leaf.tensor.shape[dim] == len(self.factor):
            return self.factor
        if dim not in leaf.vectors:
            return None
        mine, theirs = self.structure.units_of(self.name), self.structure.of(leaf, dim)
        by_unit: dict = {}
        for unit, factor in zip(mine, self.factor.tolist(), strict=True):
            if by_unit.setdefault(int(unit), factor) != factor or unit == self.structure.units.free:
                return None
        if not by_unit.keys() <= set(theirs.tolist()):
            return None
        return torch.tensor([by_unit.get(int(u), 1.0) for u in theirs], dtype=self.factor.dtype)

    def _parents(self, run, before, after):
        """The layer before the gate: [(call, whether units moved on the way)], or None."""
        moved, flow = False, before
        while len(_readers(run, flow, except_in=self.name)) == (0 if flow is before else 1):
            makers = [call for call in run.calls if any(flow is out for out in call.outputs)]
            if len(makers) != 1 or id(flow) in run.of_outputs:
                return None
            (call,) = makers
            if call.name in LAYERS | NORMS and call.weight is not None:
                return [(call, moved)]
            if (
                not self._passes(call)
                or call.name in MOVING - set(MOVEMENTS)
                or len(call.inputs) != 1
            ):
                return None
            moved = moved or call.name in MOVING
            (flow,) = call.inputs
        return None

    def _passes(self, call):
        """Whether the factor may stand on the other side of a function."""
        return call.name in SAME | MOVING or (call.name in POSITIVE and self.positive)

    def _children(self, run, before, after):
        """All layers behind the gate, or None if something else reads it."""
        found, ahead = [], [(after, False)]
        while ahead:
            flow, moved = ahead.pop()
            if id(flow) in run.of_outputs:
                return None
            for call in _readers(run, flow):
                if call.name in LAYERS | NORMS and call.weight is not None:
                    found.append((call, moved))
                elif self._passes(call) and self._is_alone(call, flow):
                    ahead += [(out, moved or call.name in MOVING) for out in call.outputs]
                else:
                    return None
        return found

    def _is_alone(self, call, flow):
        """Whether no other input of the function has the same units."""
        mine = set(self.structure.units_of(self.name))
        others = [given for given in call.inputs if given is not flow]
        return not any(mine & set(self.structure.units.of(o.labels).ravel()) for o in others)


def _readers(run, flow, except_in=None):
    """The calls that a tensor is given to, except those of a gate."""
    return [
        call
        for call in run.calls
        if call.where != except_in and any(flow is given for given in call.inputs)
    ]


def _weights(call, behind):
    """The weights of a layer that a factor before it (`behind` the gate), or behind it, multiplies.

    Triples (leaf, dimension, whether by 1 / factor).
    """
    if call.name in NORMS:
        if not behind:
            return [(call.weight, 0, False), (call.bias, 0, False)]
        return [(call.weight, 0, False), (call.mean, 0, True)]
    depthwise = call.name.startswith("conv") and not {0, 1} <= set(call.weight.vectors)
    rows = 0 if call.name == "linear" or call.name.removesuffix("d")[:-1] == "conv" else 1
    if depthwise:
        rows = 0
    if behind:
        return [(call.weight, 0 if depthwise else 1 - rows, False)]
    biases = [(call.bias, 0, False)] if call.bias is not None else []
    return [(call.weight, rows, False), *biases]
