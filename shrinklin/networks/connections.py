"""Connection pruning: single weights of a network go while it trains, layer by layer.

A pruned weight needs no mask of its own. In a layer whose pruning has begun, each 0 is a pruned
weight: where the zeros are is noted after each pruning and each cut, and after each step of the
optimiser they become 0 again.
"""

from copy import deepcopy

import torch

from shrinklin.networks.constant_units import leave_units
from shrinklin.networks.gates import Mask, gates_of
from shrinklin.networks.members import Members
from shrinklin.networks.structure import Structure
from shrinklin.networks.trial import same_outputs

# A power of two, which scales without rounding, and large enough to show what does not scale.
SCALE = 1024.0


class Connections:
    """What `ConnectionAnnealing` does with a model in training.

    Parameters
    ----------
    strategy : ConnectionAnnealing
    model : nn.Module
        With gates.
    inputs : Inputs
    optimizers : list of torch.optim.Optimizer
    max_epochs : int or None

    Attributes
    ----------
    n_connections : dict of str to int
        How many weights are left in each layer of the strategy.
    history : list of tuple of int
        These numbers before training, and after each epoch.
    """

    def __init__(self, strategy, model, inputs, optimizers, max_epochs):
        self.strategy, self.model, self.max_epochs = strategy, model, max_epochs
        self._inputs, self._optimizers = inputs, optimizers
        strategy.check({name: weight.numel() for name, weight in _weights(model)}, max_epochs)
        self._initial, self._pruned = {}, {}
        self.n_connections, self.history = {}, []
        self.look()
        if strategy.normalize:
            _check_scaling(model, inputs)

    def step(self, epoch, structure):
        """Prune after a step of the optimiser; returns how many units were switched off.

        `epoch` is the current epoch, counted from 1.
        """
        self._hold()
        for layer in self.strategy.begun(epoch, self.max_epochs):
            self._initial.setdefault(layer, self.n_connections[layer])
        due = {
            layer: kept
            for layer, n_weights in self._initial.items()
            for kept in [self.strategy.kept(layer, n_weights, epoch, self.max_epochs)]
            if self.n_connections[layer] > kept
        }
        if not due:
            return 0
        self._check_finite()
        self._prune(due, structure)
        weights = [self._weight(layer) for layer in self._initial]
        gone = leave_units(self.model, self._inputs, structure, weights, self._optimizers)
        self.look()
        self._hold()
        return gone

    def look(self):
        """Note which weights are pruned, after a pruning or a cut."""
        self._pruned = {layer: self._weight(layer).detach() == 0 for layer in self._initial}
        for layer in self.strategy.n_connections:
            n_pruned = int(self._pruned[layer].sum()) if layer in self._pruned else 0
            self.n_connections[layer] = self._weight(layer).numel() - n_pruned

    def write(self):
        """Add the numbers to `history`."""
        self.history.append(tuple(self.n_connections.values()))

    def state_dict(self):
        """What else is needed to resume training."""
        return {
            "left": dict(self.n_connections),
            "initial": dict(self._initial),
            "history": list(self.history),
        }

    def load_state_dict(self, state):
        """Load a `state_dict`, after the model has loaded its own."""
        self._initial, self.history = dict(state["initial"]), list(state["history"])
        self.look()

    def _weight(self, layer):
        return self.model.get_submodule(layer).weight

    @torch.no_grad()
    def _prune(self, due, structure):
        """Set all but the largest weights of layers to 0; `due` says how many stay."""
        names = {id(p): name for name, p in self.model.named_parameters()}
        sizes = dict(self.model.named_parameters())
        if self.strategy.normalize:
            sizes = normalized(self.model, structure)
        for layer, kept in due.items():
            weight = self._weight(layer)
            gone = _smallest(sizes[names[id(weight)]].abs(), kept)
            weight.masked_fill_(gone, 0)

    @torch.no_grad()
    def _hold(self):
        """Set pruned weights to 0, their gradients, and what the optimisers know of them."""
        for layer, pruned in self._pruned.items():
            weight = self._weight(layer)
            states = [optimizer.state.get(weight, {}) for optimizer in self._optimizers]
            held = [weight, weight.grad, *(value for state in states for value in state.values())]
            for tensor in held:
                if isinstance(tensor, torch.Tensor) and tensor.shape == weight.shape:
                    tensor.masked_fill_(pruned, 0)

    def _check_finite(self):
        for layer in self.strategy.n_connections:
            if not bool(self._weight(layer).isfinite().all()):
                raise ValueError(
                    f'weights of "{layer}" are no numbers after the last step: nothing was pruned. '
                    "Training has diverged: a smaller learning rate may help."
                )


def _weights(model):
    """The weights that connect units: pairs of a layer's name and its parameter."""
    for name, module in model.named_modules():
        weight = getattr(module, "weight", None)
        if isinstance(weight, torch.nn.Parameter) and weight.dim() > 1:
            yield name, weight


def _smallest(sizes, kept):
    """A mask of all entries but the largest; of several equal ones the first are the largest."""
    order = torch.argsort(sizes.flatten(), descending=True, stable=True)
    gone = torch.zeros(sizes.numel(), dtype=torch.bool, device=sizes.device)
    gone[order[kept:]] = True
    return gone.view_as(sizes)


@torch.no_grad()
def normalized(model, structure, scale=1.0):
    """The parameters of a model after the step (3) of CPNA, by name; the model does not change.

    From the front of the network to its end, what makes a hidden unit is divided by the norm of its
    weights, and what reads it is multiplied by that. A unit with no weights but 0 stays as it is,
    and so does one that no layer makes or reads, or that has no gate.

    Parameters
    ----------
    model : nn.Module
        With gates.
    structure : Structure
    scale : float, default=1.0
        The norm of the weights of a unit afterwards.
    """
    parameters = {name: p.detach().clone() for name, p in model.named_parameters()}
    for gate in structure.gates():
        members = Members(structure, [gate])
        matrices = [part for part in members.rows if parameters[part.name].dim() > 1]
        if matrices and members.columns:
            factors = scale / _norms(matrices, parameters, members.n_units)
            factors = torch.where(factors.isfinite(), factors, 1.0)
            _multiply(members.rows, parameters, factors)
            _multiply(members.columns, parameters, 1 / factors)
    return parameters


def _norms(parts, parameters, n_units):
    """The norm of the weights of each unit."""
    device = parameters[parts[0].name].device
    everything = torch.ones(n_units + 1, dtype=torch.bool, device=device)
    squares = [part.squares(parameters, everything)[0] for part in parts]
    return torch.stack(squares).sum(dim=0).sqrt()


def _multiply(parts, parameters, factors):
    """Multiply the weights of each unit by its factor."""
    # Entries of a part that belong to no unit here are numbered last.
    factors = torch.cat([factors, factors.new_ones(1)])
    for part in parts:
        tensor = parameters[part.name]
        shape = [-1 if d == part.dim else 1 for d in range(tensor.dim())]
        tensor.mul_(factors[part.units[part.dim].to(factors.device)].view(shape))


def _check_scaling(model, inputs):
    """Raise an error unless normalising leaves the outputs as they are."""
    others = [gate for gate in gates_of(model).values() if not isinstance(gate, Mask)]
    if others:
        raise ValueError(
            f"normalize=True would compare weights without the {type(others[0]).__name__} of their "
            "units: give add_switches gate=Mask, or ConnectionAnnealing normalize=False."
        )
    twin = deepcopy(model)
    structure = Structure(twin, inputs)
    scaled = normalized(twin, structure, SCALE)
    with torch.no_grad():
        for name, parameter in twin.named_parameters():
            parameter.copy_(scaled[name])
    if not same_outputs(twin, inputs, structure.outputs):
        raise ValueError(
            "normalize=True would change the outputs of this model: it needs activations with "
            "f(cx) = c f(x) for c > 0, such as ReLU, and no normalisation layers behind the "
            "layers that have a Mask. Give ConnectionAnnealing normalize=False."
        )
