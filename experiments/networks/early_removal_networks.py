"""Networks that lose units while they train, at the end, or never."""

import time
from copy import deepcopy
from dataclasses import dataclass, field, replace

import numpy as np
import torch

from experiments.networks.training import (
    Batches,
    accuracy,
    loss,
    n_parameters,
    perceptron,
    shrinking,
    tensors,
)
from shrinklin import Removal, SignChange, SignVariance, Threshold
from shrinklin.networks import Filter, Shrinker, Switch, add_switches, fold
from shrinklin.networks.training import train_epoch

_GATES = {"switch": Switch, "filter": Filter}
_REMOVALS = {
    "none": lambda parameter: None,
    "sign change": lambda parameter: SignChange(),
    "sign variance": lambda parameter: SignVariance(1 - parameter),
    "threshold": Threshold,
    # Of filters: θ ≤ 0. They start open, and never open again.
    "closed": lambda parameter: Threshold(0.0, normalize=False),
}
_COSTS = ("parameter_updates", "multiply_adds", "seconds")
# The authors divide the rate by 10 after 5 epochs without improvement, down to 1e-7. A rate that
# is a thousandth of the first no longer moves the accuracy. Torch waits for one epoch more than its
# `patience`.
_PATIENCE, _LOWEST = 5, 2e-3


class Watching(Removal):
    """Removes nothing, but sign strategies see all steps.

    Parameters
    ----------
    strategies : list of (Removal or None)

    Attributes
    ----------
    dead_units : list of (ndarray or None)
        What each would have removed in the last epoch; None if it watches no signs.
    """

    needs_norms = False

    def __init__(self, strategies) -> None:
        self.strategies = strategies
        self.dead_units: list = [None for _ in strategies]
        self._memories: list[dict] = [{} for _ in strategies]

    def dead(self, watched):
        """See `Removal`."""
        none = np.zeros(len(watched.gate), dtype=bool)
        for i, strategy in enumerate(self.strategies):
            if isinstance(strategy, (SignChange, SignVariance)):
                dead = strategy.dead(replace(watched, memory=self._memories[i]))
                if watched.epoch == watched.max_epochs:
                    before = self.dead_units[i]
                    self.dead_units[i] = dead if before is None else dead | before
        return none


class These(Removal):
    """Removes given units.

    Parameters
    ----------
    dead_units : ndarray of bool
    """

    needs_norms = False

    def __init__(self, dead_units) -> None:
        self.dead_units = dead_units

    def dead(self, watched):
        """See `Removal`."""
        return self.dead_units


@dataclass
class Training:
    """A network with switches, its optimiser, and what its training has cost so far."""

    model: torch.nn.Module
    optimizer: torch.optim.Optimizer
    costs: np.ndarray = field(default_factory=lambda: np.zeros(len(_COSTS)))

    def copy(self):
        """A training that goes on from here by itself."""
        model = deepcopy(self.model)
        optimizer = torch.optim.Adam(model.parameters())
        # The optimiser would go on with the same tensors.
        optimizer.load_state_dict(deepcopy(self.optimizer.state_dict()))
        return Training(model, optimizer, self.costs)

    def go_on(self, batches, n_epochs, alpha, removal):
        """Train for some epochs at the same rate; returns itself."""

        def epochs(shrinker):
            for _ in shrinker.epochs():
                train_epoch(self.model, self.optimizer, batches, loss, shrinker)

        return self._run(epochs, batches, n_epochs, alpha, removal)

    def cut(self, removal, examples):
        """Remove units at once, without a step of training; returns itself."""
        start = time.process_time()
        shrinker = Shrinker(
            self.model, self.optimizer, example_inputs=examples, alpha=0.0, removal=removal
        )
        shrinker.step()
        self.costs = self.costs + [0, 0, time.process_time() - start]
        return self

    def fine_tune(self, batches, n_epochs, learning_rate):
        """Train without penalty and removal, at a rate that falls to 0; returns itself."""
        self.optimizer = torch.optim.Adam(self.model.parameters(), lr=learning_rate)

        def epochs(shrinker):
            shrinking(self.model, self.optimizer, batches, shrinker)

        return self._run(epochs, batches, n_epochs, 0.0, None)

    def _run(self, epochs, batches, n_epochs, alpha, removal):
        start = time.process_time()
        shrinker = Shrinker(
            self.model,
            self.optimizer,
            example_inputs=batches.X[:2],
            alpha=alpha,
            removal=removal,
            when="epoch",
            max_epochs=n_epochs,
        )
        epochs(shrinker)
        seconds = time.process_time() - start
        cost = shrinker.cost
        self.costs = self.costs + [cost.parameter_updates, cost.multiply_adds, seconds]
        return self


def begin(cell, training):
    """A `Training` of a cell, before its first step."""
    torch.manual_seed(cell["seed"])
    model = network(cell, training)
    if cell["gate"] != "none":
        model = add_switches(model, training[0][:2], gate=_GATES[cell["gate"]])
    return Training(model, torch.optim.Adam(model.parameters(), lr=cell["learning_rate"]))


def network(cell, training):
    """A perceptron of the sizes of the cell."""
    hidden = [int(n) for n in cell["hidden"].split("-")]
    return perceptron([training[0].shape[1], *hidden, int(training[1].max()) + 1])


def compare_removals(cells, parts):
    """Results of cells that differ in the removal alone.

    Trainings that remove nothing until their end are one training until then.
    """
    training, _, test = parts
    first = cells[0]
    X, y = training
    batches = Batches(X, y, first["batch"])
    n_epochs, alpha = first["epochs"], first["lambda"]
    removals = [_REMOVALS[cell["strategy"]](cell["parameter"]) for cell in cells]
    trunk = begin(first, training)
    # All draw the same orders of rows.
    start, random = trunk.copy(), torch.get_rng_state()
    watching = Watching(removals)
    trunk.go_on(batches, n_epochs, alpha, watching)
    found = []
    for cell, removal, dead in zip(cells, removals, watching.dead_units, strict=True):
        one = (start if cell["removed"] == "early" else trunk).copy()
        if cell["removed"] == "early":
            torch.set_rng_state(random)
            one.go_on(batches, n_epochs, alpha, removal)
        elif removal is not None:
            one.cut(removal if dead is None else These(dead), X[:2])
        found.append(_finished(cell, one, batches, test))
    return found


def _finished(cell, one, batches, test):
    before = accuracy(fold(one.model), *test)
    torch.manual_seed(cell["seed"])
    one.fine_tune(batches, cell["fine_tuning"], cell["learning_rate"])
    model = fold(one.model)
    return {
        "test_before": before,
        "test": accuracy(model, *test),
        "parameters": n_parameters(model),
        "best_epoch": None,
        "best_epoch_of_all": None,
        "n_epochs": cell["epochs"] + cell["fine_tuning"],
        **dict(zip(_COSTS, map(float, one.costs), strict=True)),
    }


def converged(cell, parts):
    """Results of a training with the authors' schedule, with switches or without.

    The epoch of the best validation accuracy is that of the second half, as theirs, and of all.
    """
    training, validation, test = parts
    X, y = training
    batches = Batches(X, y, cell["batch"])
    one = begin(cell, training)
    shrinker = None
    if cell["gate"] != "none":
        shrinker = Shrinker(
            one.model,
            one.optimizer,
            example_inputs=training[0][:2],
            alpha=cell["lambda"],
            removal=_REMOVALS[cell["strategy"]](cell["parameter"]),
            when="epoch",
            max_epochs=cell["epochs"],
        )
    epochs, seconds = _plateaus(one, batches, shrinker, cell["epochs"], validation, test)
    scores, tests, sizes = zip(*epochs, strict=True)
    best = len(scores) // 2 + int(np.argmax(scores[len(scores) // 2 :]))
    return {
        "test_before": None,
        "test": tests[best],
        "parameters": sizes[best],
        "best_epoch": best + 1,
        "best_epoch_of_all": int(np.argmax(scores)) + 1,
        "n_epochs": len(scores),
        "parameter_updates": None,
        "multiply_adds": None,
        "seconds": seconds,
    }


def _plateaus(one, batches, shrinker, max_epochs, validation, test):
    """Accuracies and sizes after each epoch, and the seconds of the training itself.

    Of an epoch these are validation accuracy, test accuracy, and parameters without switches.
    """
    scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(
        one.optimizer, mode="max", factor=0.1, patience=_PATIENCE - 1, threshold=0.0
    )
    [group] = one.optimizer.param_groups
    found: list[tuple] = []
    seconds = 0.0
    lowest = _LOWEST * group["lr"]
    while len(found) < max_epochs and group["lr"] > lowest:
        start = time.process_time()
        train_epoch(one.model, one.optimizer, batches, loss, shrinker)
        if shrinker is not None:
            shrinker.end_epoch()
        seconds += time.process_time() - start
        score = accuracy(one.model, *validation)
        size = n_parameters(one.model if shrinker is None else fold(one.model))
        found.append((score, accuracy(one.model, *test), size))
        scheduler.step(score)
    return found, seconds


def measured(cells, parts):
    """The results of a job of `EarlyRemovalNetworks`; parts are the rows of its seed."""
    rows = [tensors(X.reshape(len(X), -1), y) for X, y in parts]
    if cells[0]["schedule"] == "plateaus":
        return [converged(cell, rows) for cell in cells]
    return compare_removals(cells, rows)
