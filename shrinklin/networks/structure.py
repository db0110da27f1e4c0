"""The structure of a network: its units, who makes them, and who reads them.

A unit is what one channel is through the whole network: the row and the bias of the layer that
makes it, its entries in a BatchNorm, its switch, and the columns of each layer that reads it.
"""

from contextlib import contextmanager
from copy import copy

import numpy as np
import torch
from torch.func import functional_call

from shrinklin.networks import layers as _layers  # noqa: F401
from shrinklin.networks import rules as _rules  # noqa: F401
from shrinklin.networks.flow import Leaf
from shrinklin.networks.gates import gates_of
from shrinklin.networks.inputs import returned_tensors
from shrinklin.networks.labels import Labels
from shrinklin.networks.tracing import Run

# Two values of a constant this close are the same but for rounding.
_RELATIVE, _ABSOLUTE = 1e-14, 1e-15


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
        """Keep units that cannot be cut out of all tensors along one dimension."""
        for call in self.calls:
            for flow in call.outputs:
                reason = f"{call.label} lays it out over two dimensions"
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
            leaf.whole = leaf.whole or f"{leaf.name} is used in several ways"
            return
        dim = self._along_one_dimension(leaf.entries, f"{leaf.name} has it along two dimensions")
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

    # What can go.

    def removable(self, folding=True, training=True):
        """Which units that a gate switched off can be cut out, and what that changes.

        Parameters
        ----------
        folding : bool
            Whether constants that are not 0 may be added to biases.
        training : bool
            Whether nothing may change in training either, or only in evaluation.

        Returns
        -------
        Removable
        """
        off = np.zeros(self.units.n_units, dtype=bool)
        for leaf in self.leaves:
            if leaf.constants is not None and 0 in leaf.vectors:
                off[self.of(leaf, 0)[(leaf.constants == 0).cpu().numpy()]] = True
        reasons = {int(unit): self.units.reasons.get(int(unit), "") for unit in np.flatnonzero(off)}
        reads_by_weight = self._reads_by_weight(self.runs if training else self.runs[:1])
        for reads in reads_by_weight.values():
            self._judge(reads, off, reasons, folding)
        units = np.array([unit for unit, reason in reasons.items() if not reason], dtype=int)
        return Removable(
            units, {u: r for u, r in reasons.items() if r}, self._folds(units, reads_by_weight)
        )

    def _reads_by_weight(self, runs):
        found: dict = {}
        for run in runs:
            for read in run.reads:
                found.setdefault((read.weight.name, read.dim), []).append(read)
        return found

    def _judge(self, reads, off, reasons, folding):
        """Keep the units that are not constant where they are read, or cannot be folded."""
        units = self.of(reads[0].weight, reads[0].dim)
        constants = np.stack([read.constants.numpy() for read in reads])
        first, spread = constants[0], np.ptp(constants, axis=0)
        where = reads[0].weight.name
        foldable = folding and self._has_own_bias(reads)
        for place in np.flatnonzero(off[units] & (constants != 0).any(axis=0)):
            unit = int(units[place])
            if reasons[unit]:
                continue
            if np.isnan(constants[:, place]).any():
                reasons[unit] = f"what {where} reads of it is not constant"
            elif spread[place] > _ABSOLUTE + _RELATIVE * abs(first[place]):
                reasons[unit] = (
                    f"what {where} reads of it is one constant in training, another after it"
                )
            elif not foldable:
                why = "and the layer has no bias of its own" if reads[0].exact else "beside padding"
                reasons[unit] = f"what {where} reads of it is a constant other than 0, {why}"

    def _has_own_bias(self, reads):
        """Whether a constant input can be added to the bias of the layer that reads it."""
        bias = reads[0].bias
        if bias is None or not all(read.exact and read.bias is bias for read in reads):
            return False
        if bias.entries is not None:
            # The model reads it by itself too.
            return False
        return (
            len({call.weight.name for call in self.calls if call.bias is bias and call.weight}) == 1
        )

    def _folds(self, units, reads_by_weight):
        """Constants that biases take: (bias, weight, dim, constants with 0 for what stays)."""
        folds = []
        for reads in reads_by_weight.values():
            read = reads[0]
            constants = np.where(
                np.isin(self.of(read.weight, read.dim), units), read.constants, 0.0
            )
            if constants.any():
                folds.append((read.bias, read.weight, read.dim, torch.from_numpy(constants)))
        return folds

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


class Removable:
    """What can be cut out of a network.

    Attributes
    ----------
    units : ndarray of int
    reasons : dict of int to str
        Why other units stay that are off.
    folds : list of (Leaf, Leaf, int, Tensor)
        For biases that take up constants: the bias, the weight that reads them, the dimension of
        the weight that meets them, and the constants, 0 for units that stay.
    """

    def __init__(self, units, reasons, folds):
        self.units, self.reasons, self.folds = units, reasons, folds


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
            f"the model does not run on example_inputs ({error}): give inputs as in training, with "
            "at least two rows if there is BatchNorm."
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
