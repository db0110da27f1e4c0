"""A small network and what must be true of it, whatever the package does inside."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import torch
from torch import nn

# The names that a package may give to these are no part of what is true.
OUTSIDE = nn.Embedding | nn.EmbeddingBag | nn.MultiheadAttention | nn.RNNBase | nn.RNNCellBase
CONVOLUTIONS = nn.Conv1d | nn.Conv2d | nn.Conv3d
TRANSPOSED = nn.ConvTranspose1d | nn.ConvTranspose2d | nn.ConvTranspose3d
WEIGHTED = nn.Linear | CONVOLUTIONS | TRANSPOSED


@dataclass(frozen=True, eq=False)
class Net:
    """A network, its inputs, and what must be true of each linear and convolutional layer.

    Every such layer is in exactly one of `shrinks`, `whole`, `either` and `outputs`.

    Attributes
    ----------
    name : str
    build : function that makes the module, in float32 and with the usual initial weights
    inputs : tuple of positional arguments, or dict of keyword arguments
    shrinks : set of str
        Layers whose units can go. A unit goes if it is off here and in every layer of the same
        set of `joined`.
    whole : dict of str to str
        Layers that keep their size, each with a regular expression for the reason, without
        regard to case. "" asks for no reason.
    either : set of str
        Layers that may shrink, exactly, or stay whole.
    outputs : set of str
        Layers that make what the model returns.
    joined : tuple of set of str
        Layers that share units, in the same order. Where one of them alone would do, as in a
        product, switching the unit off in all of them still is enough.
    refused : str or None
        A regular expression for the error of a model that is refused. Where there is a layer in
        `whole` or `either` too, the model may be refused or be treated as they say.
    random : bool
        Whether two runs in training mode differ.
    folds : bool
        Whether units that are off leave constants other than zero.
    by_hand : bool
        Whether `build` puts in gates itself and needs shrinklin.networks.
    """

    name: str
    build: Callable[[], nn.Module]
    inputs: tuple | dict
    shrinks: set[str] = field(default_factory=set)
    whole: dict[str, str] = field(default_factory=dict)
    either: set[str] = field(default_factory=set)
    outputs: set[str] = field(default_factory=set)
    joined: tuple[set[str], ...] = ()
    refused: str | None = None
    random: bool = False
    folds: bool = False
    by_hand: bool = False

    def model(self):
        """The network in float64, the same at every call, in training mode."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            model = self.build().double()
            roughen(model)
        return model

    def run(self, model):
        """All numbers that the model returns for the inputs, in one vector."""
        if isinstance(self.inputs, Mapping):
            return flat(model(**self.inputs))
        return flat(model(*self.inputs))

    def together(self, layer):
        """The layers in which a unit of this one has to be off."""
        found = [names for names in self.joined if layer in names]
        return set().union({layer}, *found)


def roughen(model):
    """Move what begins at 0 or 1, where it hides mistakes, and let weights outweigh biases.

    Otherwise many a ReLU is at 0 for all of a few examples, and a wrong cut of it shows nowhere.
    """
    with torch.no_grad():
        for p in model.parameters():
            if p.ndim == 1:
                p += 0.2 * torch.randn_like(p)
            else:
                p *= 2
        for name, buffer in model.named_buffers():
            if name.endswith("running_mean"):
                buffer += 0.2 * torch.randn_like(buffer)
            if name.endswith("running_var"):
                buffer *= 0.5 + torch.rand_like(buffer)


def numbers(*shape, seed=0):
    """Normal numbers, the same at every call."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator, dtype=torch.float64)


def words(*shape, n_words=11):
    """Random indices of words."""
    return torch.randint(n_words, shape, generator=torch.Generator().manual_seed(0))


def flat(outputs):
    """The numbers of a tensor, or of tensors in tuples, lists and dicts, in one vector."""
    if isinstance(outputs, torch.Tensor):
        return outputs.reshape(-1)
    parts = outputs.values() if isinstance(outputs, Mapping) else outputs
    return torch.cat([flat(part) for part in parts])


def layers_of(model):
    """Names of the linear and convolutional layers."""
    return {name for name, module in model.named_modules() if isinstance(module, WEIGHTED)}
