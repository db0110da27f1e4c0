"""Units that have lost all connections on one side: they are switched off, and can be cut out."""

import numpy as np
import torch
from torch import nn
from torch.func import functional_call

from shrinklin.networks.gates import gates_of
from shrinklin.networks.inputs import returned_tensors
from shrinklin.networks.members import Members
from shrinklin.networks.structure import aside, in_mode
from shrinklin.networks.switches import switch_off
from shrinklin.networks.trial import same_outputs


def leave_units(model, inputs, structure, weights, optimizers):
    """Switch off units that nothing reads, and units that are constant; returns how many.

    Connections are lost where these `weights` are 0. A constant unit goes if the biases of the
    layers that read it can take the constant. The last unit of a layer stays, and so does each that
    would change the outputs.

    Parameters
    ----------
    model : nn.Module
        With gates.
    inputs : Inputs
    structure : Structure
        The units; it may have been traced when parameters had other values.
    weights : list of Parameter
    optimizers : list of torch.optim.Optimizer
    """
    links = Links(model, structure, weights)
    links.clear()
    n_gone = 0
    # Each that goes may take the last connection of others.
    while (gone := links.lonely()).any() and (gone := _switched_off(model, inputs, links, gone)):
        links.leave(gone, optimizers)
        n_gone += len(gone)
    return n_gone


def _switched_off(model, inputs, links, gone):
    """Switch units off, but for those that have to stay: the numbers of those that are off."""
    readers = links.readers(gone)
    before = Seen(model, inputs, readers)
    links.switch(np.flatnonzero(gone), False)
    biases = {r.bias: r.bias.detach().clone() for r in readers if r.bias is not None}
    stay = _add_constants(readers, before, Seen(model, inputs, readers), len(gone))
    links.switch(np.flatnonzero(gone & stay), True)
    gone = np.flatnonzero(gone & ~stay)
    if same_outputs(model, inputs, before.outputs):
        return gone.tolist()
    _restore(biases)
    links.switch(gone, True)
    return []


def _add_constants(readers, before, after, n_units):
    """Put constants into biases; returns a mask of the units that are not constant."""
    found = [reader.constants(before, after) for reader in readers]
    stay = np.zeros(n_units, dtype=bool)
    for reader, constants in zip(readers, found, strict=True):
        stay[reader.units[np.isnan(constants)]] = True
    for reader, constants in zip(readers, found, strict=True):
        reader.add(np.where(stay[reader.units], 0.0, constants))
    return stay


@torch.no_grad()
def _restore(biases):
    for bias, values in biases.items():
        bias.copy_(values)


class Reader:
    """A layer that reads units that are to go.

    Parameters
    ----------
    module : nn.Module
    weight : Parameter
    dim : int
        Of the weight, along which it meets the units.
    places : ndarray of int
        Along that dimension: only where the weight is not 0.
    units : ndarray of int
        What is there.
    """

    def __init__(self, module, weight, dim, places, units):
        self.module, self.weight, self.dim = module, weight, dim
        self.places, self.units = places, units
        bias = getattr(module, "bias", None)
        self.bias = bias if isinstance(module, nn.Linear) else None

    def constants(self, before, after):
        """What the layer got from the units and no longer gets; NaN if that is not constant."""
        axis = -1 if isinstance(self.module, nn.Linear) else 1 - self.weight.dim()
        pairs = zip(before.of(self), after.of(self), strict=True)
        differences = [(one - other).double().cpu().movedim(axis, -1) for one, other in pairs]
        if not differences:
            return np.full(len(self.places), np.nan)
        rows = [each.reshape(-1, each.shape[-1])[:, self.places] for each in differences]
        lost = np.concatenate(rows)
        # A function may round differently at the end of a row.
        same = np.ptp(lost, axis=0) <= 8 * torch.finfo(self.weight.dtype).eps * np.abs(lost[0])
        constants = np.where(same, lost[0], np.nan)
        return constants if self.bias is not None else np.where(constants == 0, 0, np.nan)

    @torch.no_grad()
    def add(self, constants):
        """Add what the constants make to the bias."""
        if self.bias is not None and constants.any():
            columns = self.weight.detach()[:, self.places].double()
            added = columns @ torch.from_numpy(constants).to(columns)
            self.bias.add_(added.to(self.bias))


class Seen:
    """What the layers get in evaluation and in training, and the outputs in evaluation."""

    def __init__(self, model, inputs, readers):
        self._given: dict[int, list] = {id(reader.module): [] for reader in readers}
        handles = [r.module.register_forward_pre_hook(self._note) for r in readers]
        try:
            self.outputs = _run(model, inputs, False)
            if readers:
                _run(model, inputs, True)
        finally:
            for handle in handles:
                handle.remove()

    def _note(self, module, args):
        self._given[id(module)].append(args[0].detach().clone())

    def of(self, reader):
        """The tensors that its module got."""
        return self._given[id(reader.module)]


def _run(model, inputs, training):
    buffers = {name: buffer.clone() for name, buffer in model.named_buffers()}
    given = inputs.copy()
    with in_mode(model, training), torch.no_grad(), aside(model):
        return returned_tensors(functional_call(model, buffers, given.args, given.kwargs))


class Links:
    """The units of all gates, counted from 0, and their connections.

    Parameters
    ----------
    model, structure, weights
        As for `leave_units`.
    """

    def __init__(self, model, structure, weights):
        self.model, self.structure = model, structure
        gates = gates_of(model)
        self._gates = {name: gates[name] for name in structure.gates()}
        self._members = Members(structure, list(self._gates))
        self._parameters = dict(model.named_parameters())
        self._pruned = {id(weight) for weight in weights}
        entries = [structure.units_of(name) for name in self._gates]
        self._units = np.unique(np.concatenate(entries))
        self._entries = [np.searchsorted(self._units, each) for each in entries]

    def on(self):
        """A mask of the units, those on in any gate."""
        on = np.zeros(len(self._units), dtype=bool)
        for entries, gate in zip(self._entries, self._gates.values(), strict=True):
            on[entries[gate.alive.cpu().numpy()]] = True
        return on

    def lonely(self):
        """A mask of the units that are on, but have no connections on one side."""
        rows = [part for part in self._members.rows if self._parameters[part.name].dim() > 1]
        lost = self._lost(rows) | self._lost(self._members.columns)
        whole = [int(unit) in self.structure.units.reasons for unit in self._units]
        lost &= self.on() & ~np.array(whole)
        for entries, gate in zip(self._entries, self._gates.values(), strict=True):
            mine = entries[gate.alive.cpu().numpy()]
            if len(mine) and lost[mine].all():
                lost[mine[0]] = False
        return lost

    def _lost(self, parts):
        """A mask of the units that only pruned weights connect to what is on, all of them 0."""
        if not parts:
            return np.zeros(len(self._units), dtype=bool)
        left = {part.name: self._links(self._parameters[part.name]) for part in parts}
        device = next(iter(left.values())).device
        on = torch.from_numpy(np.append(self.on(), True)).to(device)
        counts = sum(part.squares(left, on)[0] for part in parts)
        all_counts = sum(part.squares(left, torch.ones_like(on))[1] for part in parts)
        return ((counts == 0) & (all_counts > 0)).cpu().numpy()

    def _links(self, parameter):
        """1 for each connection, 0 where one was lost."""
        ones = torch.ones_like(parameter)
        return (parameter.detach() != 0).to(ones) if id(parameter) in self._pruned else ones

    def readers(self, gone):
        """The `Reader` of each weight that is not 0 for units that are to go."""
        found = {}
        for read in self.structure.reads:
            units = self.structure.of(read.weight, read.dim)
            numbers = np.searchsorted(self._units, units).clip(max=len(self._units) - 1)
            mine = (self._units[numbers] == units) & gone[numbers]
            weight = self._parameters[read.weight.name]
            others = [d for d in range(weight.dim()) if d != read.dim]
            mine &= (weight.detach() != 0).sum(dim=others).cpu().numpy() > 0
            if mine.any():
                module = self.model.get_submodule(read.weight.module)
                places = np.flatnonzero(mine)
                found[read.weight.name] = Reader(module, weight, read.dim, places, numbers[places])
        return list(found.values())

    def switch(self, units, on):
        """Switch units, by their numbers, on or off in all gates."""
        for gate, places in self._places(units):
            gate.alive[places] = on

    def leave(self, units, optimizers):
        """Switch units off for good."""
        for gate, places in self._places(units):
            switch_off(gate, places, optimizers)
        self.clear()

    def _places(self, units):
        for entries, gate in zip(self._entries, self._gates.values(), strict=True):
            places = np.flatnonzero(np.isin(entries, units))
            yield gate, torch.from_numpy(places).to(gate.alive.device)

    @torch.no_grad()
    def clear(self):
        """Set the pruned weights of units that are off to 0: they count no longer."""
        on = self.on()
        if on.all():
            return
        on = torch.from_numpy(np.append(on, True))
        for part in (*self._members.rows, *self._members.columns):
            parameter = self._parameters[part.name]
            if id(parameter) in self._pruned:
                off = ~on[part.units[part.dim]]
                shape = [-1 if d == part.dim else 1 for d in range(parameter.dim())]
                parameter.masked_fill_(off.view(shape).to(parameter.device), 0)
