"""What is known of the tensors of a run: the units of their entries, and constant entries.

Both are kept as tensors that are 1 wide along the dimensions where they do not vary.
"""

from dataclasses import dataclass, field

import torch

from shrinklin.networks.labels import FREE

UNKNOWN = float("nan")


@dataclass(eq=False)
class Flow:
    """What is known of a tensor.

    Attributes
    ----------
    shape : tuple of int
        Of the tensor itself.
    labels : Tensor of int64
        Label of the unit of each entry.
    constants : Tensor of float64
        Value of each entry, whatever the input of the model is: NaN for all that depend on it, or
        on a parameter that may still change.
    derived : bool
        Whether it depends on the input.
    """

    shape: tuple
    labels: torch.Tensor
    constants: torch.Tensor
    derived: bool = True

    @property
    def varying(self):
        """The dimensions along which the units differ."""
        return [d for d, size in enumerate(self.labels.shape) if size > 1]

    @property
    def has_units(self):
        """Whether any entry belongs to a unit."""
        return bool((self.labels != FREE).any())

    def vector(self, dim):
        """Labels and constants along one dimension, or None if labels vary along another."""
        dim %= len(self.shape)
        if set(self.varying) - {dim}:
            return None
        n = self.shape[dim]
        everywhere = self.constants.movedim(dim, 0)
        everywhere = everywhere.reshape(len(everywhere), -1)
        first = everywhere[:, 0]
        # Not a number is unequal to itself.
        constants = torch.where((everywhere == first[:, None]).all(dim=1), first, UNKNOWN)
        return self.labels.reshape(-1).expand(n), constants.expand(n)


def without_units(tensor, derived=True):
    """The `Flow` of a tensor of whose entries nothing is known."""
    ones = [1] * tensor.dim()
    unknown = torch.full(ones, UNKNOWN, dtype=torch.float64)
    return Flow(tuple(tensor.shape), torch.full(ones, FREE), unknown, derived)


def compact(values):
    """The same values, 1 wide along the dimensions where they do not vary."""
    for d in range(values.dim()):
        first = values.narrow(d, 0, 1) if values.shape[d] else values
        if values.shape[d] > 1 and (values.stride(d) == 0 or _same(values, first)):
            values = first
    return values


def _same(values, first):
    if not values.is_floating_point():
        return bool((values == first).all())
    return bool(((values == first) | (values.isnan() & first.isnan())).all())


@dataclass(eq=False)
class Leaf:
    """A parameter or buffer of the model, and the units of its entries.

    Attributes
    ----------
    name : str
        The first of its names in the model.
    tensor : Tensor
    constants : Tensor or None
        Entries that no longer change, NaN for others. None if all may change.
    vectors : dict of int to Tensor
        Labels along each dimension that has units.
    entries : Flow or None
        Its labels where the model uses it as a tensor among others.
    whole : str
        Why all of its units must stay, "" if they need not.
    """

    name: str
    tensor: torch.Tensor
    constants: torch.Tensor | None = None
    vectors: dict = field(default_factory=dict)
    entries: Flow | None = None
    whole: str = ""

    @property
    def module(self):
        """Name of the module that holds it."""
        return self.name.rpartition(".")[0]

    def vector(self, dim, labels):
        """Labels along a dimension, made by `labels` when first asked for."""
        if dim not in self.vectors:
            self.vectors[dim] = labels.new(self.tensor.shape[dim])
        return self.vectors[dim]

    def flow(self, labels):
        """Its `Flow`: each entry of a matrix is a unit to begin with."""
        if self.entries is None:
            self.entries = self._flow(labels)
        return self.entries

    def _flow(self, labels):
        shape = tuple(self.tensor.shape)
        flow = without_units(self.tensor, derived=False)
        wide = [d for d, size in enumerate(shape) if size > 1]
        if len(shape) == 1 or len(wide) == 1:
            dim = wide[0] if wide else 0
            flow.labels = self.vector(dim, labels).view(
                [-1 if d == dim else 1 for d in range(len(shape))]
            )
        elif 1 < self.tensor.numel() <= MOST_ENTRIES:
            flow.labels = labels.new(self.tensor.numel()).view(shape)
        if self.constants is not None:
            flow.constants = self.constants.double().cpu()
        return flow


# A larger matrix that is not the weight of a layer has no units.
MOST_ENTRIES = 1 << 20


@dataclass(eq=False)
class Call:
    """A function that the model called.

    Attributes
    ----------
    name : str
        Of the function, without its module.
    where : str
        Name of the module whose forward called it.
    label : str
        How messages call it.
    inputs, outputs : list of Flow
    weight, bias, mean : Leaf or None
        Of a layer; the mean is that of a BatchNorm.
    reason : str
        Why its units must stay, if the rule for the function knows better than that there is none.
    """

    name: str
    where: str
    label: str
    inputs: list
    outputs: list = field(default_factory=list)
    weight: Leaf | None = None
    bias: Leaf | None = None
    mean: Leaf | None = None
    reason: str = ""


@dataclass(eq=False)
class Read:
    """What a layer multiplies by its weight.

    Attributes
    ----------
    weight : Leaf
    dim : int
        Dimension of the weight whose entries meet the units.
    constants : Tensor of shape (n_units,)
        What they meet.
    bias : Leaf or None
    exact : bool
        Whether a constant input adds the same constant to all of a unit's output.
    """

    weight: Leaf
    dim: int
    constants: torch.Tensor
    bias: Leaf | None
    exact: bool


@dataclass(frozen=True)
class Made:
    """What makes units: a dimension of the weight of a layer, and its bias."""

    weight: Leaf
    dim: int
    bias: Leaf | None
