"""The training behind `shrink_path`: a trunk that shrinks, and a branch for each size."""

import os
from bisect import bisect_left
from collections.abc import Sequence
from copy import deepcopy
from pathlib import Path

import numpy as np
import torch

from shrinklin.messages import naming
from shrinklin.networks.counting import Counted
from shrinklin.networks.folding import fold
from shrinklin.networks.gates import Mask, gates_of
from shrinklin.networks.inputs import Inputs, tensors_in
from shrinklin.networks.loading import load_shrunk
from shrinklin.networks.placing import add_switches
from shrinklin.networks.shrinker import Shrinker
from shrinklin.networks.structure import Structure
from shrinklin.networks.training import train_epoch
from shrinklin.pruning.budget import Budget, round_down
from shrinklin.validation.parameters import check_whole


class Stations(Budget):
    """A `Budget` that passes larger ones on its way.

    Parameters
    ----------
    budgets : list of int
        From large to small.
    epochs : list of int
        The epoch in which each is to be reached, ascending.
    pretrain : int
        Epochs before removal.
    """

    def __init__(self, budgets, epochs, pretrain) -> None:
        super().__init__(budgets[-1], pretrain=pretrain)
        self.budgets, self.epochs = budgets, epochs

    def kept(self, begin, epoch, max_epochs):
        """A straight line of logarithms from each budget to the next."""
        k = bisect_left(self.epochs, epoch)
        if k == len(self.epochs):
            return self.n_parameters
        before = self.epochs[k - 1] if k else self.pretrain
        larger = self.budgets[k - 1] if k else begin
        share = (self.epochs[k] - max(epoch, before)) / (self.epochs[k] - before)
        return round_down(self.budgets[k], larger, share)


class Course:
    """The state of a `shrink_path`, whose parameters it takes.

    Attributes
    ----------
    budgets : list of int
        From large to small.
    starts : list of dict
        For each budget that the trunk has reached, the state of the network ("model") and the sizes
        of its layers ("sizes").
    finished : list of dict
        For each branch that is trained, the state of the network ("model") and its "loss".
    """

    def __init__(
        self, model, batches, loss, optimizer, example_inputs, inputs, max_epochs, branch_epochs,
        n_parameters, checkpoint,
    ):  # fmt: skip
        self.model, self.batches, self.loss = model, batches, loss
        self._make = optimizer or (lambda parameters: torch.optim.Adam(parameters, lr=0.001))
        if example_inputs is None:
            example_inputs = _first_tensor(batches)
        self._example_inputs, self._inputs = example_inputs, inputs
        # Plain numbers, which torch.load takes back with weights_only=True.
        self.max_epochs, self.branch_epochs = int(max_epochs), int(branch_epochs)
        self.full, least = _sizes(self._gated(), example_inputs)
        self.budgets = checked_budgets(n_parameters, self.full, least)
        self._pretrain, self._reached = epochs_of(self.budgets, self.full, self.max_epochs)
        self.starts, self.finished, self._epoch, self._trunk = [], [], 0, None
        self._file = None if checkpoint is None else Path(checkpoint)
        if self._file is not None:
            self._look_for(self._file)

    @property
    def n_left(self):
        """Epochs that are left, of the trunk and of all branches."""
        branches = len(self.budgets) - len(self.finished)
        return self.max_epochs - self._epoch + branches * self.branch_epochs

    def trunk(self, show):
        """Train the trunk to the end."""
        if self._epoch == self.max_epochs:
            return
        model = self._gated()
        if self._trunk is not None:
            load_shrunk(model, self._trunk["model"])
        optimizer = self._make(model.parameters())
        removal = Stations(self.budgets, self._reached, self._pretrain)
        shrinker = Shrinker(
            model,
            optimizer,
            example_inputs=self._example_inputs,
            alpha=0.0,
            removal=removal,
            max_epochs=self.max_epochs,
            when="epoch",
        )
        parts = {"model": model, "optimizer": optimizer, "shrinker": shrinker}
        if self._trunk is not None:
            optimizer.load_state_dict(self._trunk["optimizer"])
            shrinker.load_state_dict(self._trunk["shrinker"])
        for epoch in range(self._epoch, self.max_epochs):
            train_epoch(model, optimizer, self.batches, self.loss, shrinker)
            shrinker.end_epoch()
            self._epoch = epoch + 1
            if self._epoch in self._reached:
                self.starts.append({"model": fold(model).state_dict(), "sizes": shrinker.sizes})
            self._trunk = {name: part.state_dict() for name, part in parts.items()}
            self._save()
            show(units=shrinker.n_units)

    def branches(self, show):
        """Train the branches that are left."""
        for start in self.starts[len(self.finished) :]:
            model = self._loaded(start["model"])
            optimizer = self._make(model.parameters())
            scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, self.branch_epochs)
            n = _n_parameters(model)
            for _ in range(self.branch_epochs):
                with naming(f"the branch of {n} parameters"):
                    loss = train_epoch(model, optimizer, self.batches, self.loss)
                scheduler.step()
                show(parameters=n)
            self.finished.append({"model": model.state_dict(), "loss": loss})
            self._save()

    def default_score(self, model, batch):
        """Minus the loss of a batch."""
        return -self.loss(model, batch).reshape(1)

    def models(self):
        """The networks that are trained, in evaluation mode."""
        return [self._loaded(each["model"]).train(False) for each in self.finished]

    def _gated(self):
        model = deepcopy(self.model).train()
        return add_switches(model, self._example_inputs, gate=Mask, inputs=self._inputs)

    def _loaded(self, state):
        return load_shrunk(deepcopy(self.model), state)

    # Checkpoints.

    def _settings(self):
        """What has to be the same if training is to go on."""
        shapes = {name: list(p.shape) for name, p in self.model.named_parameters()}
        return {
            "n_parameters": self.budgets,
            "max_epochs": self.max_epochs,
            "branch_epochs": self.branch_epochs,
            "inputs": bool(self._inputs),
            "model": shapes,
        }

    def _save(self):
        if self._file is None:
            return
        state = {
            "settings": self._settings(),
            "epoch": self._epoch,
            "trunk": self._trunk,
            "starts": self.starts,
            "finished": self.finished,
            "random": [each.get_state() for each in _generators(self.batches)],
        }
        # Whoever reads the file finds the old one or the new one, and nothing in between.
        new = self._file.with_name(f"{self._file.name}.new")
        torch.save(state, new)
        os.replace(new, self._file)

    def _look_for(self, file):
        if file.exists():
            self._load(file)
        elif not file.parent.is_dir():
            raise ValueError(f"checkpoint={str(file)!r}: there is no such folder. Make it before.")

    def _load(self, file):
        state = torch.load(file, map_location="cpu", weights_only=True)
        wrong = [n for n, mine in self._settings().items() if state["settings"][n] != mine]
        if wrong:
            raise ValueError(
                f"the checkpoint {file} is of a path with another {wrong[0]}: give the same "
                "arguments, or another file."
            )
        generators = _generators(self.batches)
        if len(generators) != len(state["random"]):
            raise ValueError(
                f"the checkpoint {file} has the states of {len(state['random'])} random "
                f"generators, and here are {len(generators)}: give batches with a generator of "
                "their own if they had one, on a machine of the same kind, or another file."
            )
        self._epoch, self._trunk = state["epoch"], state["trunk"]
        self.starts, self.finished = state["starts"], state["finished"]
        for generator, values in zip(generators, state["random"], strict=True):
            generator.set_state(values)


def _generators(batches):
    """What random numbers come from: of torch, and of a `DataLoader`."""
    own = getattr(batches, "generator", None)
    cuda = torch.cuda.default_generators if torch.cuda.is_available() else ()
    return [torch.default_generator, *cuda, *([] if own is None else [own])]


def _first_tensor(batches):
    for batch in batches:
        first = next(tensors_in(batch), None)
        if first is not None:
            return first[:2]
    raise ValueError("batches has no tensor to begin with: give example_inputs.")


def _n_parameters(model):
    return sum(parameter.numel() for parameter in model.parameters())


def _sizes(model, example_inputs):
    """The number of parameters of a model with gates, and with one unit in each layer."""
    gates = gates_of(model)
    # It lets a gate in front of the input choose columns.
    Shrinker(
        model, torch.optim.SGD(model.parameters(), lr=0.1), example_inputs=example_inputs, alpha=0.0
    )
    counted = Counted(Structure(model, Inputs(example_inputs)), gates)
    one = {name: np.arange(len(gate)) == 0 for name, gate in gates.items()}
    return counted.n_parameters({}), counted.n_parameters(one)


def checked_budgets(n_parameters, full, least, name="n_parameters") -> list[int]:
    """The budgets, from large to small. `name` is that of the parameter that holds them."""
    if isinstance(n_parameters, (int, np.integer)):
        check_whole(name, n_parameters, 1)
        if full <= least:
            raise ValueError(f"the model has one unit in each layer: nothing can leave for {name}.")
        smallest = max(full / 100, least)
        spaced = np.geomspace(max(full / 2, smallest), smallest, n_parameters)
        return sorted({int(np.ceil(budget)) for budget in spaced}, reverse=True)
    if not isinstance(n_parameters, (Sequence, np.ndarray)) or isinstance(n_parameters, str):
        raise ValueError(f"{name}={n_parameters!r}: give a whole number, or a list of them.")
    for n in n_parameters:
        check_whole(f"an entry of {name}", n, 1)
    budgets = sorted({int(n) for n in n_parameters}, reverse=True)
    if not budgets or not least <= budgets[-1] or budgets[0] >= full:
        raise ValueError(
            f"{name}={n_parameters!r}: give numbers from {least}, with one unit in each "
            f"layer, to {full - 1}, as the model has {full}; or give how many you want as an int."
        )
    return budgets


def epochs_of(budgets, full, max_epochs):
    """Epochs without removal, and the epoch in which each budget is to be reached.

    From the first removal on, equal ratios of numbers of parameters take equal times.
    """
    pretrain = min(max_epochs // 4, max_epochs - len(budgets))
    if pretrain < 0:
        raise ValueError(
            f"max_epochs={max_epochs} is less than the number of sizes, {len(budgets)}: give more "
            "epochs."
        )
    shares = np.log(full / np.array(budgets)) / np.log(full / budgets[-1])
    reached = np.rint(pretrain + shares * (max_epochs - pretrain)).astype(int)
    for k in range(len(budgets)):
        # Each in an epoch of its own.
        earliest = pretrain + 1 + k
        reached[k] = max(reached[k], earliest, reached[k - 1] + 1 if k else earliest)
        reached[k] = min(reached[k], max_epochs - (len(budgets) - 1 - k))
    return pretrain, [int(epoch) for epoch in reached]
