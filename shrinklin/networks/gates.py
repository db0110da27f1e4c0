"""Modules that switch the units of a layer on and off.

A unit is a neuron of a linear layer or a channel of a convolution. A gate multiplies each unit by
a factor, and knows which of them are on. What it multiplies by an off unit is 0, whatever happens
to its parameter, until the unit is cut out of the network.
"""

from abc import ABC, abstractmethod

import torch
from torch import nn

from shrinklin.validation.parameters import check_whole


class Gate(nn.Module, ABC):
    """Base class of `Switch`, `Filter` and `Mask`.

    Parameters
    ----------
    n_units, dim : int
        As for `Switch`.

    Attributes
    ----------
    alive : Tensor of bool, shape (n_units,)
        A buffer: which units are on.
    kept : Tensor of int, shape (n_units,), or None
        A buffer, for a gate in front of the model: the columns of the input that are left. None
        means all.
    """

    alive: torch.Tensor
    kept: torch.Tensor | None

    def __init__(self, n_units, dim=1) -> None:
        check_whole("n_units", n_units, 1)
        super().__init__()
        self.dim = dim
        self.register_buffer("alive", torch.ones(n_units, dtype=torch.bool))
        self.register_buffer("kept", None)
        # What `fold` takes away with the gate.
        self.hook, self.counter, self.sensor = None, None, None

    def __len__(self):
        return len(self.alive)

    @abstractmethod
    def value(self):
        """The factor of each unit, on or off: (n_units,)."""

    def factor(self):
        """The factor of each unit, 0 where it is off: (n_units,)."""
        return self.value() * self.alive

    def forward(self, x):
        """Multiply each unit of x by its factor."""
        if self.kept is not None:
            x = x.index_select(self.dim, self.kept)
        # Comparing sizes would make torch.jit.trace warn.
        if not torch.jit.is_tracing() and x.shape[self.dim] != len(self):
            raise ValueError(
                f"{type(self).__name__}({len(self)}, dim={self.dim}) was given a tensor of shape "
                f"{tuple(x.shape)}: its number of units should be {x.shape[self.dim]}."
            )
        shape = [1] * x.dim()
        shape[self.dim] = -1
        factor = self.factor()
        product = x * factor.view(shape)
        if self.sensor is not None and self.training:
            self.sensor.see(x, factor, product, self.dim)
        return product

    def extra_repr(self):
        """What `repr` shows."""
        return f"{len(self)}, dim={self.dim}"


class Switch(Gate):
    """Multiplies each unit of a layer by a parameter θ, which the penalty draws to 0.

    `add_switches` places switches. You can also place one yourself: behind a linear or
    convolutional layer, behind the layer's BatchNorm, or in front of the model.

    Parameters
    ----------
    n_units : int
        Size of the input along `dim`.
    dim : int, default=1
        Dimension of the units: 1 behind convolutions, -1 behind linear layers (1 is the same if
        their output has two dimensions).

    Attributes
    ----------
    theta : Parameter of shape (n_units,)
        Starts at values drawn from N(0, 1).

    Examples
    --------
    >>> import torch
    >>> from shrinklin.networks import Switch
    >>> model = torch.nn.Sequential(
    ...     torch.nn.Linear(8, 64), Switch(64), torch.nn.ReLU(), torch.nn.Linear(64, 2)
    ... )
    >>> model(torch.zeros(5, 8)).shape
    torch.Size([5, 2])
    """

    def __init__(self, n_units, dim=1) -> None:
        super().__init__(n_units, dim)
        self.theta = nn.Parameter(torch.randn(n_units))

    def value(self):
        return self.theta


class Filter(Gate):
    """Multiplies each unit of a layer by max(0, θ).

    A unit whose θ is not positive gets no gradient, so it stays closed.

    Parameters
    ----------
    n_units, dim : int
        As for `Switch`.

    Attributes
    ----------
    theta : Parameter of shape (n_units,)
        Starts at values drawn from U[0, 1].
    """

    def __init__(self, n_units, dim=1) -> None:
        super().__init__(n_units, dim)
        self.theta = nn.Parameter(torch.rand(n_units))

    def value(self):
        return torch.relu(self.theta)


class Mask(Gate):
    """Switches units off but does not scale them: for the group lasso and `Annealing`.

    It has no parameter θ. The penalty is a group lasso on the weights of each unit, see ``groups``
    of `Shrinker`.

    Parameters
    ----------
    n_units, dim : int
        As for `Switch`.
    """

    def value(self):
        return torch.ones_like(self.alive)

    def factor(self):
        return self.alive


class Columns(nn.Module):
    """Selects columns of the input.

    `fold` leaves it in a model with a gate in front of the input that removed columns.

    Parameters
    ----------
    kept : Tensor of int
        Positions of the columns along `dim`.
    dim : int, default=1
    """

    kept: torch.Tensor

    def __init__(self, kept, dim=1) -> None:
        super().__init__()
        self.dim, self.hook = dim, None
        self.register_buffer("kept", kept.clone())

    def forward(self, x):
        """The columns of x."""
        return x.index_select(self.dim, self.kept)


def gates_of(model):
    """The gates of a model: a dict of name to `Gate`."""
    return {name: module for name, module in model.named_modules() if isinstance(module, Gate)}


def put_behind(layer, gate):
    """Make a gate the last step of a layer."""
    layer.gate = gate
    gate.hook = layer.register_forward_hook(_apply_gate)
    _tell_apart(layer)


def put_in_front(model, gate):
    """Make a gate, or `Columns`, the first step of a model."""
    first = first_module(model)
    first.input_gate = gate
    gate.hook = first.register_forward_pre_hook(_gate_input)
    _tell_apart(first)


def _tell_apart(layer):
    """Give a layer a `forward` of its own.

    It shows torch.compile, which takes no notice of hooks, that code which it has compiled for a
    layer without gate, such as that of a folded copy, is not for this one.
    """
    layer.forward = layer.forward


def first_module(model):
    """The model or, as a `Sequential` would call what is added to it last, the first in it."""
    while isinstance(model, nn.Sequential):
        model = next(iter(model))
    return model


def take_away(model, name, n_inputs=None):
    """Remove a gate; one that takes only some of `n_inputs` columns leaves `Columns`."""
    gate = model.get_submodule(name)
    path, _, attribute = name.rpartition(".")
    owner = model.get_submodule(path)
    columns = None
    if gate.kept is not None and len(gate.kept) != n_inputs:
        columns = Columns(gate.kept, gate.dim)
    if gate.hook is None:
        setattr(owner, attribute, columns or nn.Identity())
        return
    gate.hook.remove()
    delattr(owner, attribute)
    own = vars(owner).get("forward")
    if getattr(own, "__func__", None) is type(owner).forward:
        del owner.forward
    if columns is not None:
        put_in_front(model, columns)


def layer_name(gate_name):
    """The name of a layer, from that of its gate."""
    if gate_name.rpartition(".")[2] == "input_gate":
        return "input"
    return gate_name.removesuffix(".gate")


# Functions of this module, so that models with them can be pickled.
def _apply_gate(module, args, output):
    return module.gate(output)


def _gate_input(module, args):
    return (module.input_gate(args[0]), *args[1:])
