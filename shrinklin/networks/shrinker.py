"""Training of a network whose layers become smaller: `Shrinker`."""

from copy import deepcopy

import numpy as np
import torch

from shrinklin.messages import progress, warn
from shrinklin.networks.checks import (
    check_connections,
    check_copies,
    check_model,
    check_numbers,
    check_optimizers,
    check_removal,
    check_schedules,
)
from shrinklin.networks.connections import Connections
from shrinklin.networks.counting import Counted
from shrinklin.networks.cutting import cut
from shrinklin.networks.gates import Mask, gates_of, layer_name
from shrinklin.networks.inputs import Inputs
from shrinklin.networks.members import Members
from shrinklin.networks.penalty import penalty
from shrinklin.networks.placing import find_places
from shrinklin.networks.removable import find_removable
from shrinklin.networks.report import report
from shrinklin.networks.sensing import Sensor
from shrinklin.networks.structure import Structure
from shrinklin.networks.switches import Switches
from shrinklin.networks.trial import CHANGED, WRONG_SIZE, same_outputs, try_cuts
from shrinklin.networks.work import RowCounter, multiply_adds, stop_counting
from shrinklin.pruning.cost import CostMeter
from shrinklin.pruning.history import History
from shrinklin.pruning.pruner import Pruner


class Shrinker:
    r"""Removes units of a network while it trains.

    Its penalty, added to the loss, draws switches to 0. After every step a strategy decides which
    switches are dead, and their units are cut out of the network and of the optimiser's state. The
    network computes the same as before the cut, and the optimiser continues as if the units were
    still there, switched off.

    A cut replaces parameters by smaller ones, in the model and in the optimisers. Hooks on the old
    parameters, and other references to them, are not moved.

    Parameters
    ----------
    model : nn.Module
        With gates, see `add_switches`. It is changed in place.
    optimizer : torch.optim.Optimizer, or a list of them
        All optimisers that train the model, made after `add_switches`. SGD, Adam, AdamW, Adagrad,
        RMSprop, and others whose state has the shape of the parameters.
    example_inputs : Tensor, tuple or dict
        A batch of at least two rows, as the model is called with it. A tuple holds positional
        arguments, a dict keyword arguments.
    alpha : float
        λ, the strength of the penalty on switches. >= 0. You can change it during training.
    weight_decay : float, default=0.0
        λ₂, the strength of the penalty Σ \|w\|^p on weights: all parameters with at least two
        dimensions. >= 0.
    p : float, default=2
        The exponent of the penalty on weights. > 0.
    removal : Removal, dict of str to Removal, or None, default=None
        One strategy for all layers together, or a dict with one for each layer by name. Layers with
        the same object as strategy are taken together, and layers that the dict does not name keep
        all units. None removes nothing.
    groups : {"rows", "columns"}, default="rows"
        The groups of the group lasso on units with a `Mask`: the row and the bias of the layer that
        computes a unit, or the columns of the layers that read it.
    max_epochs : int, default=None
        Number of epochs. `epochs` and strategies with a schedule need it.
    when : {"step", "epoch"}, default="step"
        When units that are off are cut out: after the step, or at the end of the epoch. A cut takes
        about as long as a step, and makes torch compile a compiled model again.
    averaged : sequence of nn.Module, default=()
        Copies of the model to cut along with it, such as the ``module`` of a
        ``torch.optim.swa_utils.AveragedModel``.
    connections : ConnectionAnnealing, default=None
        How single weights are pruned. It needs `max_epochs`, and no `averaged` models.

    Attributes
    ----------
    cost : CostMeter
        Neuron-epochs count the units of all layers with gates. Multiply-adds count forward and
        backward passes, except those of a compiled model.

    Examples
    --------
    >>> import torch
    >>> from sklearn.datasets import load_digits
    >>> from shrinklin import SignVariance
    >>> from shrinklin.networks import Shrinker, add_switches, fold
    >>> threads, _ = torch.get_num_threads(), torch.set_num_threads(1)
    >>> _ = torch.manual_seed(0)
    >>> X, y = load_digits(return_X_y=True)
    >>> X, y = torch.tensor(X / 16, dtype=torch.float32), torch.tensor(y)
    >>> model = torch.nn.Sequential(
    ...     torch.nn.Linear(64, 100), torch.nn.ReLU(), torch.nn.Linear(100, 10)
    ... )
    >>> model = add_switches(model, example_inputs=X[:2])
    >>> optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    >>> shrinker = Shrinker(
    ...     model,
    ...     optimizer,
    ...     example_inputs=X[:2],
    ...     alpha=0.005,
    ...     removal=SignVariance(),
    ...     max_epochs=5,
    ... )
    >>> for epoch in shrinker.epochs():
    ...     for rows in torch.randperm(len(X)).split(64):
    ...         loss = torch.nn.functional.cross_entropy(model(X[rows]), y[rows])
    ...         loss = loss + shrinker.penalty()
    ...         optimizer.zero_grad()
    ...         loss.backward()
    ...         optimizer.step()
    ...         shrinker.step(loss)
    >>> shrinker.sizes["0"] < 100
    True
    >>> small = fold(model)
    >>> torch.set_num_threads(threads)
    """

    def __init__(
        self,
        model,
        optimizer,
        *,
        example_inputs,
        alpha,
        weight_decay=0.0,
        p=2,
        removal=None,
        groups="rows",
        max_epochs=None,
        when="step",
        averaged=(),
        connections=None,
    ) -> None:
        check_numbers(alpha, weight_decay, p, groups, max_epochs, when)
        check_model(model)
        check_copies(averaged, model)
        check_schedules(check_removal(removal, gates_of(model)), gates_of(model), max_epochs)
        check_connections(connections, averaged)
        self.model, self.averaged = model, list(averaged)
        self.alpha, self.weight_decay, self.p = alpha, weight_decay, p
        self.groups, self.max_epochs, self.when = groups, max_epochs, when
        self._optimizers = check_optimizers(optimizer, model)
        self._inputs = Inputs(example_inputs)
        self._structure = Structure(model, self._inputs)
        gates = gates_of(model)
        if self._choose_columns(gates):
            self._structure = Structure(model, self._inputs)
        self._whole = try_cuts(model, self._inputs, self._structure).wrong
        self._mark_whole(self._structure)
        self._gates = {name: gates[name] for name in self._structure.gates()} | gates
        self._initial = {name: len(gate) for name, gate in self._gates.items()}
        self._connections = None
        if connections is not None:
            self._connections = Connections(
                connections, model, self._inputs, self._optimizers, max_epochs
            )
        self._begin(check_removal(removal, self._gates))

    def _begin(self, strategies):
        """Set up what counts and what decides."""
        gates, self._members = self._gates, {}
        decided = {name for _, names in strategies for name in names}
        strategies = [*strategies, (None, [name for name in gates if name not in decided])]
        # Listed once, as that takes as long as the penalty itself.
        self._parameters = dict(self.model.named_parameters())
        self._counted = None
        self._pruned = [self._pair(strategy, names) for strategy, names in strategies if names]
        self.cost, self._epoch, self._begun = CostMeter(), 0, False
        self._history = History([layer_name(name) for name in gates])
        self._sum, self._steps = 0.0, 0
        # The penalty that was added to the loss of this step, and whether one was in this epoch.
        self._added, self._asked, self._work = 0.0, False, None
        self._watch(strategies)
        self._remember()
        self._write(float("nan"))

    def _watch(self, strategies):
        """Leave with the gates what sees rows and gradients."""
        # What a Shrinker before this one left.
        stop_counting(self._gates.values())
        counter = RowCounter(self._inputs)
        counter.watch(self.model)
        next(iter(self._gates.values())).counter = self._counter = counter
        for strategy, names in strategies:
            if strategy is not None and strategy.needs_loss_changes:
                for name in names:
                    self._gates[name].sensor = Sensor()

    def _pair(self, strategy, names):
        """The `Switches` of some gates, and the `Pruner` that a strategy decides for."""
        gates = {name: self._gates[name] for name in names}
        switches = Switches(gates, self._optimizers, self._norms, self._count_parameters)
        return switches, Pruner(strategy, len(switches.layer), self.max_epochs, switches.layer)

    def _choose_columns(self, gates):
        """Let gates in front of the input choose columns; returns whether there are any."""
        front = {
            name
            for run in self._structure.runs
            for name, flow, _ in run.gates
            if not flow.has_units and gates[name].kept is None
        }
        for each in (gates, *map(gates_of, self.averaged)):
            for name in front:
                alive = each[name].alive
                each[name].kept = torch.arange(len(alive), device=alive.device)
        return bool(front)

    def _mark_whole(self, structure):
        for name, reason in self._whole.items():
            for unit in np.unique(structure.units_of(name)):
                structure.units.reasons.setdefault(int(unit), reason)

    # What training asks for.

    def penalty(self):
        r"""λ Σ \|θ\| + λ₂ Σ \|w\|^p, to be added to the loss: a tensor without dimensions."""
        value = self._penalty()
        self._added, self._asked = value.detach(), True
        return value

    def _penalty(self):
        gates, parameters = self._gates, self._parameters
        weights = [p for p in parameters.values() if p.dim() > 1 and p.requires_grad]
        has_masks = any(isinstance(gate, Mask) for gate in gates.values())
        members = self._members_of(*gates) if has_masks else None
        return penalty(
            gates, weights, members, parameters,
            alpha=self.alpha, weight_decay=self.weight_decay, p=self.p, groups=self.groups,
        )  # fmt: skip

    def step(self, loss=None):
        """Switch dead units off. Call it after each step of the optimiser.

        Parameters
        ----------
        loss : Tensor or float, default=None
            The loss that was minimised, with the penalty, for `history`.

        Raises
        ------
        ValueError
            If the loss or a switch is not finite, or the model is in evaluation mode. Nothing is
            removed then.
        """
        if loss is not None:
            # A plain number, which torch.load takes back with weights_only=True.
            loss = float(loss.detach() if isinstance(loss, torch.Tensor) else loss)
        self._check_step(loss)
        if not self._begun:
            self.cost.count_passes(1, self.n_units)
            self._begun = True
        self._count(loss)
        try:
            self._remove()
        finally:
            # Training may go on even if a cut fails.
            self._remember()

    def _remove(self):
        removed = 0
        for switches, pruner in self._pruned:
            removed += len(pruner.after_step(switches, self._epoch + 1))
        if self._connections is not None:
            removed += self._connections.step(self._epoch + 1, self._structure)
        if removed:
            self.cost.count_removal(removed)
            if self.when == "step":
                self.compact()

    def _check_step(self, loss):
        if not self.model.training:
            raise ValueError("the model is in evaluation mode: call model.train() before a step.")
        if loss is not None and not np.isfinite(loss):
            raise ValueError(
                f"the loss is {loss}: nothing was removed. A smaller learning rate may help."
            )
        for switches, _ in self._pruned:
            switches.read()
            switches.check()

    def _count(self, loss):
        trained = (p for p in self._parameters.values() if p.requires_grad)
        self.cost.count_updates(sum(p.numel() for p in trained))
        rows = self._counter.take()
        if rows:
            self.cost.count_product(round(rows * self._per_row()))
        self._steps += 1
        self._sum += float("nan") if loss is None else loss - float(self._added)
        self._added = 0.0

    def _per_row(self):
        if self._work is None:
            seen = {g: g.sensor.squares for g in self._gates.values() if g.sensor is not None}
            self._work = multiply_adds(self.model, self._inputs)
            # The rows and gradients of this very count.
            self._counter.take()
            for gate, squares in seen.items():
                gate.sensor.squares = squares
        return self._work

    def _remember(self):
        for switches, pruner in self._pruned:
            pruner.before_step(switches)

    def epochs(self, verbose=0):
        """Yield the numbers of the epochs that are left, from 0, and call `end_epoch` after each.

        Parameters
        ----------
        verbose : int, default=0
            1 shows a progress bar.
        """
        if self.max_epochs is None:
            raise ValueError("epochs() needs to know how many: give max_epochs to Shrinker.")
        left = range(self._epoch, self.max_epochs)
        with progress(verbose, len(left), "Shrinker", "epoch") as show:
            for epoch in left:
                yield epoch
                self.end_epoch()
                show(units=self.n_units)

    def end_epoch(self):
        """Cut out units that are off and were not cut before, and write a row of `history`."""
        self.compact()
        if self._steps and not self._asked and (self.alpha or self.weight_decay):
            warn(
                "penalty() was not called in this epoch, so that nothing drew switches to 0: add "
                "shrinker.penalty() to the loss, or give alpha=0 and weight_decay=0."
            )
        self._epoch, self._begun, self._asked = self._epoch + 1, False, False
        self._write(self._sum / self._steps if self._steps else float("nan"))
        self._sum, self._steps = 0.0, 0

    def _write(self, loss):
        with torch.no_grad():
            value = float(self._penalty())
        sizes = [int(gate.alive.sum()) for gate in self._gates.values()]
        self._history.write(self._epoch, loss, value, sum(sizes), self.cost, sizes)
        if self._connections is not None:
            self._connections.write()

    # Cutting.

    def compact(self):
        """Cut units that are off out of the model and the optimiser, where that changes nothing."""
        if all(bool(gate.alive.all()) for gate in self._gates.values()):
            return
        structure = Structure(self.model, self._inputs)
        self._mark_whole(structure)
        removable = find_removable(structure, folding=not self.averaged)
        left = structure.kept(removable.units)
        if not left:
            return
        changes = cut(self.model, left, removable.folds, self._optimizers, self.averaged)
        try:
            same = same_outputs(self.model, self._inputs, structure.outputs)
        except WRONG_SIZE:
            same = False
        except BaseException:
            changes.undo()
            raise
        if same:
            structure.shrink(self.model, left)
            self._structure, self._members, self._work = structure, {}, None
            self._counted = None
            self._parameters = dict(self.model.named_parameters())
            if self._connections is not None:
                self._connections.look()
        else:
            changes.undo()
            self._keep_whole(structure, removable.units)

    def _keep_whole(self, structure, units):
        """Leave layers whole whose units turned out not to be what they seemed."""
        wrong = [name for name in self._gates if np.isin(structure.units_of(name), units).any()]
        self._whole |= dict.fromkeys(wrong, CHANGED)
        names = ", ".join(f'"{layer_name(name)}"' for name in wrong)
        warn(
            f"{CHANGED}: the cut was taken back, and {names} will be only switched off from now on."
        )

    def _members_of(self, *names):
        if names not in self._members:
            self._members[names] = Members(self._structure, names)
        return self._members[names]

    def _norms(self, name):
        with torch.no_grad():
            return self._members_of(name).norms(self._parameters)

    def _count_parameters(self):
        if self._counted is None:
            self._counted = Counted(self._structure, self._gates)
        return self._counted

    # What happened.

    @property
    def sizes(self):
        """Number of units that are on in each layer: a dict of str to int."""
        return {layer_name(n): int(g.alive.sum()) for n, g in self._gates.items()}

    @property
    def n_units(self):
        """Number of units that are on, in all layers with gates."""
        return sum(self.sizes.values())

    @property
    def n_connections(self):
        """Number of weights that are left in each layer of `connections`: a dict of str to int."""
        return {} if self._connections is None else dict(self._connections.n_connections)

    @property
    def history(self):
        """The course of training: a dict of arrays with a row before training and one per epoch.

        The columns are those of ``history_`` of estimators. "loss" is the mean loss that `step` was
        given in an epoch, minus the penalty; it is NaN if `step` was given none.
        "layer_sizes" is a dict of layer to array. With `connections`, so is "n_connections".
        """
        found = self._history.arrays()
        if self._connections is not None:
            counts = np.array(self._connections.history).T
            found["n_connections"] = dict(zip(self.n_connections, counts, strict=True))
        return found

    def report(self):
        """The layers, their sizes and why some stay whole: a list that prints as a table."""
        structure = Structure(self.model, self._inputs)
        self._mark_whole(structure)
        trial = try_cuts(self.model, self._inputs, structure)
        _, reasons = find_places(self.model, self._inputs)
        return report(self._gates, structure, self._initial, trial, reasons)

    def state_dict(self):
        """The state to resume training with, besides those of the model and the optimiser."""
        return {
            "epoch": self._epoch,
            "begun": self._begun,
            "sum": self._sum,
            "steps": self._steps,
            "asked": self._asked,
            "alpha": float(self.alpha),
            "sizes": self.sizes,
            "initial": dict(self._initial),
            "cost": deepcopy(vars(self.cost)),
            "history": list(self._history.rows),
            "pruners": [
                (type(pruner.removal).__name__, pruner.n_switches, _tensors(pruner.memory))
                for _, pruner in self._pruned
            ],
            "connections": self._connections and self._connections.state_dict(),
        }

    def load_state_dict(self, state):
        """Load a `state_dict`, after the model and the optimiser have loaded theirs.

        The model loads its own by `load_shrunk`, before the optimiser and the `Shrinker` are made.
        """
        strategies = [type(pruner.removal).__name__ for _, pruner in self._pruned]
        same = [name for name, *_ in state["pruners"]] == strategies
        connections = state.get("connections")
        same = same and set(connections["left"] if connections else ()) == set(self.n_connections)
        if not same or set(state["initial"]) != set(self._initial):
            raise ValueError(
                "the state is of a Shrinker with other layers or strategies: make this one with "
                "the same arguments."
            )
        if state["sizes"] != self.sizes:
            raise ValueError(
                f"the state is of a model with {state['sizes']} units, but this one has "
                f"{self.sizes}: load its state with load_shrunk before the optimiser is made."
            )
        if any(self._parameters.get(n) is not p for n, p in self.model.named_parameters()):
            raise ValueError(
                "the model has other parameters than when this Shrinker was made: call "
                "load_shrunk before the optimiser and the Shrinker are made."
            )
        self._epoch, self._begun = state["epoch"], state["begun"]
        self._sum, self._steps, self._asked = state["sum"], state["steps"], state["asked"]
        self.alpha = state["alpha"]
        self._initial, self.cost = dict(state["initial"]), CostMeter(**deepcopy(state["cost"]))
        self._history.rows = list(state["history"])
        saved = zip(self._pruned, state["pruners"], strict=True)
        for (_, pruner), (_, n_switches, memory) in saved:
            pruner.n_switches = n_switches
            pruner.memory = {name: values.numpy().copy() for name, values in memory.items()}
        if self._connections is not None:
            self._connections.load_state_dict(connections)
        for switches, _ in self._pruned:
            switches.read()
        self._remember()


def _tensors(memory):
    """Copies as tensors, which torch.load takes with ``weights_only=True``."""
    return {name: torch.tensor(values) for name, values in memory.items()}
