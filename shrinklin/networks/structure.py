"""The structure of a network: its units, who makes them, and who reads them.

A unit is what one channel is through the whole network: the row and the bias of the layer that
makes it, its entries in a BatchNorm, its switch, and the columns of each layer that reads it.
"""

from contextlib import contextmanager
from copy import copy

import numpy as np
import torch
from torch.func import functional_call

# Their rules are known once they are imported.
from shrinklin.networks import layers as _layers  # noqa: F401
from shrinklin.networks import rules as _rules  # noqa: F401
from shrinklin.networks.flow import Leaf
from shrinklin.networks.gates import gates_of
from shrinklin.networks.inputs import returned_tensors
from shrinklin.networks.labels import Labels
from shrinklin.networks.tracing import Run


class Structure:
    """What runs of a model on example inputs, in evaluation and in training, tell of its units.

    The model is left as it was: buffers, random numbers and modes.

    Parameters
    ----------
    model : nn.Module
    inputs : Inputs

    Attributes
    ----------
    leaves : list of Leaf
        Parameters and buffers.
    units : Units
    runs : list of Run
    outputs : list of Tensor
        Of the model in evaluation.

    Raises
    ------
    ValueError
        If the model does not run on the inputs, or its path depends on the data.
    """

    def __init__(self, model, inputs):
        labels = Labels()
        parameters = dict(model.named_parameters())
        buffers = dict(model.named_buffers())
        by_name = {name: Leaf(name, tensor) for name, tensor in (parameters | buffers).items()}
        for name, gate in gates_of(model).items():
            off = torch.where(gate.alive, float("nan"), 0.0)
            by_name[f"{name}.alive" if name else "alive"].constants = off
        self.leaves = list(by_name.values())
        self.runs = []
        for training in (False, True):
            copies = {name: buffer.clone() for name, buffer in buffers.items()}
            tensors = parameters | copies
            run = Run(labels, {id(tensor): by_name[name] for name, tensor in tensors.items()})
            with in_mode(model, training), run.watching(model):
                outputs = _outputs(model, copies, inputs, run)
            run.forget_tensors()
            self.runs.append(run)
            if not training:
                self.outputs = outputs
        self.units = labels.units()
        self._check()

    @property
    def calls(self):
        """The calls of all runs."""
        return [call for run in self.runs for call in run.calls]

    @property
    def reads(self):
        """The reads of all runs."""
        return [read for run in self.runs for read in run.reads]

    def gates(self):
        """Names of the gates in the order in which they are called."""
        return [*dict.fromkeys(name for run in self.runs for name, *_ in run.gates)]

    def of(self, leaf, dim):
        """The units along a dimension of a leaf: an ndarray."""
        return self.units.of(leaf.vectors[dim])

    def units_of(self, gate):
        """The units of a gate, by its name: an ndarray."""
        name = f"{gate}.alive".lstrip(".")
        (leaf,) = [leaf for leaf in self.leaves if leaf.name == name]
        if 0 not in leaf.vectors:
            # The model does not call it.
            return np.full(len(leaf.tensor), self.units.free)
        return self.of(leaf, 0)

    def _check(self):
        """Keep units whole that a tensor does not have side by side along one dimension."""
        for call in self.calls:
            for flow in call.outputs:
                reason = f"{call.label} lays its units out along two dimensions"
                self._along_one_dimension(flow, reason)
        for leaf in self.leaves:
            if leaf.entries is not None and leaf.tensor.dim() > 1:
                self._check_entries(leaf)
            if leaf.whole:
                flows = [] if leaf.entries is None else [leaf.entries.labels]
                for labels in (*leaf.vectors.values(), *flows):
                    self.units.stay(labels, leaf.whole)
        for run in self.runs:
            for flow, parts, reason in run.choices:
                if not all(self._same_units(flow, part) for part in parts):
                    self.units.stay(flow.labels, reason)

    def _same_units(self, flow, part):
        """Whether a part of a tensor has all of its units."""
        whole, part = (np.squeeze(self._varying_units(each)) for each in (flow, part))
        return whole.shape == part.shape and bool((whole == part).all())

    def _varying_units(self, flow):
        units = self.units.of(flow.labels)
        for d in flow.varying:
            first = units.take([0], axis=d)
            units = first if (units == first).all() else units
        return units

    def _along_one_dimension(self, flow, reason):
        """The dimension along which units differ, None if there is none or if there are two."""
        if len(flow.varying) < 2:
            return flow.varying[0] if flow.varying else None
        units = self.units.of(flow.labels)
        along = [d for d in flow.varying if (units != units.take([0], axis=d)).any()]
        if len(along) > 1:
            self.units.stay(flow.labels, reason)
        return along[0] if len(along) == 1 else None

    def _check_entries(self, leaf):
        """Units of a parameter that is used as a tensor among others."""
        # A large tensor has no labels of its entries.
        separate = len(leaf.entries.varying) > 1 or not leaf.entries.has_units
        if leaf.vectors and separate:
            leaf.whole = (
                leaf.whole or f"{leaf.name} is both the weight of a layer and a tensor among others"
            )
            return
        dim = self._along_one_dimension(
            leaf.entries, f"{leaf.name} has its units along two dimensions"
        )
        if dim is not None and not leaf.vectors:
            labels = leaf.entries.labels
            for d in leaf.entries.varying:
                if d != dim:
                    labels = labels.narrow(d, 0, 1)
            leaf.vectors[dim] = labels.reshape(-1)

    def shrink(self, model, left):
        """Follow a cut of the model: `left` is what `kept` returned."""
        tensors = dict(model.named_parameters()) | dict(model.named_buffers())
        for leaf in self.leaves:
            leaf.tensor = tensors[leaf.name]
            for dim, positions in left.get(leaf.name, {}).items():
                leaf.vectors[dim] = leaf.vectors[dim][positions]

    def kept(self, units):
        """What is left of each leaf without these units: {name: {dim: positions}}."""
        left: dict = {}
        unit_stays = np.ones(self.units.n_units, dtype=bool)
        unit_stays[units] = False
        for leaf in self.leaves:
            for dim in leaf.vectors:
                stays = unit_stays[self.of(leaf, dim)]
                if not stays.all():
                    left.setdefault(leaf.name, {})[dim] = torch.from_numpy(np.flatnonzero(stays))
        return left


def _outputs(model, buffers, inputs, run):
    """Run the model on copies of its buffers; returns the tensors of its output."""
    inputs = inputs.copy()
    for tensor in inputs.tensors():
        flow = copy(run.flow(tensor))
        flow.derived = True
        run.note(tensor, flow)
    try:
        with aside(model), torch.no_grad(), run:
            result = functional_call(model, buffers, inputs.args, inputs.kwargs)
    except (RuntimeError, TypeError, IndexError) as error:
        raise ValueError(
            f"the model does not run on example_inputs ({error}): give inputs as in training, of "
            "the same shapes, dtypes and device."
        ) from error
    outputs = returned_tensors(result)
    if not outputs:
        raise ValueError(
            f"the model returns a {type(result).__name__}, and no tensor is found in it: return "
            "tensors, or tuples, lists or dicts of them."
        )
    for tensor in outputs:
        run.stay(run.flow(tensor), "it is an output of the model")
        run.of_outputs.add(id(run.flow(tensor)))
    return outputs


@contextmanager
def aside(model):
    """Run a model without traces: random numbers stay as they were, and nothing is compiled."""
    tensors = (*model.parameters(), *model.buffers())
    devices = {t.device.index for t in tensors if t.is_cuda}
    with torch.random.fork_rng(devices), torch.compiler.set_stance("force_eager"):
        yield


@contextmanager
def in_mode(model, training):
    """Put a model into evaluation, or into training, for a while.

    A model in training keeps the modes of its modules, some of which may be frozen.
    """
    modes = {module: module.training for module in model.modules()}
    if model.training != training or not training:
        model.train(training)
    try:
        yield
    finally:
        for module, mode in modes.items():
            module.training = mode
