"""Networks of several sizes, each made in its own way: what a cell of `random-search` trains."""

import time
from copy import deepcopy

import numpy as np
import torch

from experiments.networks.training import (
    VGG16_POOLINGS,
    Batches,
    accuracy,
    layer_sizes,
    loss,
    n_parameters,
    narrow,
    perceptron,
    shrunk,
    size_of,
    tensors,
    trained,
    vgg,
)
from experiments.random_search.settings import NARROW, PATH, PRUNED, SWITCHES
from shrinklin import Removal
from shrinklin.networks import Mask, Shrinker, add_switches, fold, shrink_path
from shrinklin.networks.inputs import Inputs
from shrinklin.networks.work import multiply_adds


class Task:
    """The rows of a seed, and how networks are made and trained.

    Parameters
    ----------
    problem : experiments.random_search.settings.Problem
    seed : int
    """

    def __init__(self, problem, seed):
        self.setting, self.n_classes = problem.setting, problem.data.n_classes
        # The other networks are so small that a GPU is slower.
        large = self.setting.network == "vgg16"
        device = "cuda" if large and torch.cuda.is_available() else "cpu"
        parts = problem.data.split(seed, *self.setting.rows)
        self.train, self.validation, self.test = (
            tuple(part.to(device) for part in tensors(*rows)) for rows in parts
        )
        self.device, self.examples = device, self.train[0][:2]

    def network(self, sizes):
        """A new network whose layers have these sizes."""
        return self._made(sizes).to(self.device)

    def size(self, sizes):
        """The number of parameters of such a network."""
        return size_of(self._made, sizes)

    def narrow(self, budget):
        """The sizes of the widest network of at most `budget` parameters: narrower by a factor."""
        return narrow(self._made, self.setting.full, budget)

    def _made(self, sizes):
        if self.setting.network == "perceptron":
            return perceptron([self.train[0].shape[1], *sizes, self.n_classes])
        if self.setting.network == "vgg":
            return vgg(sizes, self.n_classes)
        return vgg(sizes, self.n_classes, VGG16_POOLINGS, first_stride=1)

    def batches(self):
        X, y = self.train
        return Batches(X, y, self.setting.batch_size)

    def optimizer(self, parameters):
        return torch.optim.Adam(parameters, lr=self.setting.learning_rate)

    def front_optimizer(self, parameters):
        return torch.optim.Adam(parameters, lr=self.setting.front_rate)

    def static(self, sizes, meter):
        """A network of these sizes, trained from random weights."""
        return self.tuned(self.network(sizes), self.setting.epochs, meter)

    def tuned(self, model, n_epochs, meter):
        """The model, trained on."""
        meter.count(model, n_epochs * len(self.train[0]), n_epochs * self._n_steps())
        return trained(model, self.optimizer(model.parameters()), self.batches(), n_epochs)

    def _n_steps(self):
        return -(-len(self.train[0]) // self.setting.batch_size)


class Meter:
    """What training costs: seconds since it was made, multiply-adds and parameter updates.

    Seconds are CPU seconds, on a GPU those of a clock. Multiply-adds are those of forward and
    backward passes.
    """

    def __init__(self, examples):
        self._now = _on_gpu if examples.is_cuda else time.process_time
        self._inputs, self._per_row, self._begun = Inputs(examples), {}, self._now()
        self.multiply_adds, self.parameter_updates = 0.0, 0

    def count(self, model, n_rows, n_steps):
        """Count steps of a model on so many rows in all."""
        shapes = tuple(parameter.shape for parameter in model.parameters())
        if shapes not in self._per_row:
            self._per_row[shapes] = multiply_adds(model, self._inputs)
        self.multiply_adds += n_rows * self._per_row[shapes]
        self.parameter_updates += n_steps * n_parameters(model)

    def loss(self, model, batch):
        """The loss of a batch, with a step on it counted."""
        self.count(model, len(batch[0]), 1)
        return loss(model, batch)

    def include(self, cost):
        """Count what a `Shrinker` counted."""
        self.multiply_adds += cost.multiply_adds
        self.parameter_updates += cost.parameter_updates

    def costs(self, share=1.0):
        """What it has counted so far, times a share."""
        return {
            "seconds": share * (self._now() - self._begun),
            "multiply_adds": share * self.multiply_adds,
            "parameter_updates": share * self.parameter_updates,
        }


def _on_gpu():
    """Seconds of a clock, when all that was asked of the GPU is done."""
    torch.cuda.synchronize()
    return time.perf_counter()


def measure(cells, problem):
    """Results of a job, see `experiments.random_search`."""
    task, way = Task(problem, cells[0]["seed"]), cells[0]["way"]
    ways = {SWITCHES: _switches, PATH: _path, PRUNED: _pruned, NARROW: _narrow}
    with torch.random.fork_rng():
        # Torch loads what counts operations at the first count, which is not to be measured.
        Meter(task.examples).count(task.network([1] * len(problem.setting.full)), 1, 1)
        torch.manual_seed(1000 * cells[0]["seed"] + cells[0]["draw"])
        return ways.get(way, _random)(cells, task)


def _random(cells, task):
    """Static networks of the sizes that the cells ask for."""
    return [_static(task, [int(n) for n in cell["sizes"].split("-")]) for cell in cells]


def _static(task, sizes):
    meter = Meter(task.examples)
    model = task.static(sizes, meter)
    return _result(task, model, meter.costs())


def _narrow(cells, task):
    return [_static(task, task.narrow(cell["budget"])) for cell in cells]


def _switches(cells, task):
    """ShrinkNet at one λ, and its sizes from scratch."""
    begun, setting = Meter(task.examples), task.setting
    model, shrinker = shrunk(
        task.network(setting.full),
        task.batches(),
        setting.epochs,
        setting.learning_rate,
        cells[0]["strength"],
        setting.weight_decay,
    )
    begun.include(shrinker.cost)
    small = fold(model)
    found = _result(task, small, begun.costs())
    return [found, _static(task, layer_sizes(small))]


def _path(cells, task):
    """The front of one training, and its sizes from scratch."""
    meter, setting = Meter(task.examples), task.setting
    path = shrink_path(
        task.network(setting.full),
        task.batches(),
        meter.loss,
        n_parameters=setting.budgets,
        optimizer=task.front_optimizer,
        max_epochs=setting.trunk_epochs,
        branch_epochs=setting.branch_epochs,
        example_inputs=task.examples,
    )
    costs = meter.costs(1 / len(path))
    found = [_result(task, model, costs) for model in path.models]
    return found + [_static(task, layer_sizes(model)) for model in path.models]


def _pruned(cells, task):
    """The large network, pruned to each budget after it was trained, and trained on."""
    meter, setting = Meter(task.examples), task.setting
    large = task.tuned(task.network(setting.full), setting.trunk_epochs, meter)
    models = [
        task.tuned(pruned(task, large, cell["budget"]), setting.branch_epochs, meter)
        for cell in cells
    ]
    costs = meter.costs(1 / len(models))
    return [_result(task, model, costs) for model in models]


class Largest(Removal):
    """Keeps the units of the largest norms in each layer.

    Parameters
    ----------
    sizes : list of int
        How many, for each layer.
    """

    def __init__(self, sizes):
        self.sizes = sizes

    def dead(self, watched):
        dead = np.zeros(len(watched.gate), dtype=bool)
        for layer, n in enumerate(self.sizes):
            mine = np.flatnonzero(watched.layer == layer)
            dead[mine[np.argsort(-watched.norms[mine])[n:]]] = True
        return dead


def pruned(task, model, budget):
    """A copy whose layers are narrower by one factor, without the units of the least norms.

    Norms of the weights that compute a unit, times that of the weights that read it.
    """
    model = add_switches(deepcopy(model).train(), task.examples, gate=Mask)
    shrinker = Shrinker(
        model,
        task.optimizer(model.parameters()),
        example_inputs=task.examples,
        alpha=0.0,
        removal=Largest(task.narrow(budget)),
    )
    shrinker.step()
    return fold(model)


def _result(task, model, costs):
    """What a cell reports."""
    return {
        "layers": "-".join(map(str, layer_sizes(model))),
        "parameters": n_parameters(model),
        "validation": accuracy(model, *task.validation),
        "test": accuracy(model, *task.test),
        **costs,
    }
