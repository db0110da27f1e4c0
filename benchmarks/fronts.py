"""Networks of several sizes, by `shrink_path` and otherwise: `python benchmarks/fronts.py DATA`.

DATA is a folder with `covertype93k/covertype93k.npz`, `mnist/mnist.npz` and
`cifar10/train_jpeg.npz`, `cifar10/test_jpeg.npz`. What is not there is skipped. Ways:

- path: `shrink_path`, with an order of removal by another ranking where one is named;
- path with columns: the same with `inputs=True`, so that columns of the input leave too;
- switches: a trunk whose units have switches. α begins at 1e-4 and grows by the same factor from
  epoch to epoch, a thousandfold in the epochs of the other trunk. It trains until all budgets are
  reached, for at most three times as many epochs. The first network that fits a budget goes on as a
  branch;
- random: static networks of random sizes, in the time that the whole path took. The sizes of layers
  are log-uniform, so that the network has 0.7 to 1 times a budget. Validation rows choose the best
  of each budget;
- narrow: all layers narrower by the same factor, trained for as many epochs as trunk and branch;
- narrow, share: the same in the time of the path divided by the number of budgets;
- found: the sizes that the path found, from scratch, for as many epochs as trunk and branch.

All train with Adam. Learning rates of static networks fall to 0 along a cosine, as in branches.
Test rows choose no network.
"""

import argparse
import time
from dataclasses import dataclass
from io import BytesIO
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import nn
from torch.nn.functional import cross_entropy
from tqdm.auto import tqdm

from shrinklin import SignVariance
from shrinklin.networks import Shrinker, add_switches, course, fold, shrink_path, shrinker
from shrinklin.networks.sensing import Sensor
from shrinklin.networks.training import train_epoch

KEYS = ["data", "seed", "way", "budget", "parameters", "sizes", "validation", "test"]
KEYS += ["epochs", "seconds"]


@dataclass
class Problem:
    """Rows, and how networks are trained on them.

    Attributes
    ----------
    train, validation, test : (X, y)
    make : callable
        A network with layers of these sizes.
    full : list of int
        The sizes of the large one.
    """

    name: str
    train: tuple
    validation: tuple
    test: tuple
    make: object
    full: list
    budgets: list
    learning_rate: float
    batch_size: int
    max_epochs: int
    branch_epochs: int

    def optimizer(self, parameters):
        return torch.optim.Adam(parameters, lr=self.learning_rate)


class Batches:
    """Shuffled batches; the order comes from torch's random numbers."""

    def __init__(self, X, y, size):
        self.X, self.y, self.size = X, y, size

    def __iter__(self):
        for rows in torch.randperm(len(self.X)).split(self.size):
            # A batch normalisation needs two.
            if len(rows) > 1:
                yield self.X[rows], self.y[rows]


def loss(model, batch):
    return cross_entropy(model(batch[0]), batch[1])


def accuracy(model, rows):
    model.train(False)
    with torch.no_grad():
        found = torch.cat([model(part).argmax(1) for part in rows[0].split(1000)])
    return float((found == rows[1]).double().mean())


def size(model):
    return sum(parameter.numel() for parameter in model.parameters())


# Networks and data.


def perceptron(n_inputs, n_classes):
    def make(sizes):
        layers = []
        for a, b in pairwise([n_inputs, *sizes, n_classes]):
            layers += [nn.Linear(a, b), nn.ReLU()]
        return nn.Sequential(*layers[:-1])

    return make


def vgg(sizes):
    layers, channels = [], 3
    for i, n in enumerate(sizes[:-1]):
        convolution = nn.Conv2d(channels, n, 3, padding=1, bias=False, stride=1 if i else 2)
        layers += [convolution, nn.BatchNorm2d(n), nn.ReLU()]
        layers += [nn.MaxPool2d(2)] * (i in (2, 4))
        channels = n
    hidden = [nn.Linear(16 * channels, sizes[-1]), nn.ReLU(), nn.Linear(sizes[-1], 10)]
    return nn.Sequential(*layers, nn.Flatten(), *hidden)


def tensors(X, y):
    X = torch.from_numpy(np.ascontiguousarray(X, dtype=np.float32))
    if X.dim() == 4:
        X = X.contiguous(memory_format=torch.channels_last)
    return X, torch.from_numpy(y.astype(np.int64))


def split(X, y, n_validation):
    """Training and validation rows."""
    return tensors(X[n_validation:], y[n_validation:]), tensors(X[:n_validation], y[:n_validation])


def covertype(folder, seed):
    data = np.load(folder / "covertype93k/covertype93k.npz", allow_pickle=False)
    rows = np.random.default_rng(seed).permutation(len(data["y"]))[:40_000]
    X, y = data["X"][rows].astype(float), data["y"][rows]
    mean, scale = X[:20_000].mean(axis=0), X[:20_000].std(axis=0)
    # Columns that are nearly constant would have huge entries.
    X = np.clip((X - mean) / np.where(scale > 0, scale, 1), -10, 10)
    return Problem(
        "Covertype", *split(X[:20_000], y[:20_000], 2000), tensors(X[20_000:], y[20_000:]),
        perceptron(54, 7), [200] * 3, [30_000, 10_000, 3000, 1000], 0.005, 256, 40, 30,
    )  # fmt: skip


def mnist(folder, seed):
    data = np.load(folder / "mnist/mnist.npz", allow_pickle=False)
    rows = np.random.default_rng(seed).permutation(len(data["y_train"]))[:20_000]
    X, X_test = ((data[n].reshape(-1, 784) / 255 - 0.1307) / 0.3081 for n in ("X_train", "X_test"))
    return Problem(
        "MNIST", *split(X[rows], data["y_train"][rows], 2000), tensors(X_test, data["y_test"]),
        perceptron(784, 10), [300, 100], [100_000, 30_000, 10_000, 4000], 0.003, 256, 40, 30,
    )  # fmt: skip


def cifar10(folder, seed):
    rng = np.random.default_rng(seed)
    rows = rng.permutation(50_000)[:4500]
    X, y = images(folder / "cifar10/train_jpeg.npz", rows)
    X_test, y_test = images(folder / "cifar10/test_jpeg.npz", np.arange(0, 10_000, 2))
    return Problem(
        "CIFAR10", *split(X, y, 1000), tensors(X_test, y_test),
        vgg, [16, 24, 24, 48, 48, 96], [50_000, 20_000, 7000, 2500], 0.002, 64, 16, 12,
    )  # fmt: skip


def images(file, rows):
    """Standardised images (n_rows, 3, 32, 32) and their classes."""
    from PIL import Image

    data = np.load(file, allow_pickle=False)
    jpeg, offsets, y = data["jpeg"], data["offsets"], data["y"][rows]
    files = [jpeg[offsets[i] : offsets[i + 1]].tobytes() for i in rows]
    X = np.stack([np.asarray(Image.open(BytesIO(each)).convert("RGB")) for each in files])
    mean, scale = np.array([0.491, 0.482, 0.447]), np.array([0.245, 0.243, 0.261])
    return ((X / 255 - mean) / scale).transpose(0, 3, 1, 2), y


PROBLEMS = {"covertype": covertype, "mnist": mnist, "cifar10": cifar10}


# Rankings that lost.


def layer_mean(watched, values):
    means = np.bincount(watched.layer, values) / np.maximum(np.bincount(watched.layer), 1)
    return means[watched.layer]


def layer_share(watched, values):
    """The share of the units in the same layer that have smaller values."""
    shares = np.empty(len(values))
    for layer in np.unique(watched.layer):
        mine = np.flatnonzero(watched.layer == layer)
        shares[mine[np.argsort(values[mine])]] = (np.arange(len(mine)) + 0.5) / len(mine)
    return shares


RANKINGS = {
    "norms": lambda watched, changes: watched.norms,
    "norms by layer": lambda watched, changes: watched.norms / layer_mean(watched, watched.norms),
    "norms per parameter": lambda watched, changes: watched.norms / watched.freed(),
    "changes": lambda watched, changes: changes,
    "share of each layer": layer_share,
    "first order": lambda watched, changes: abs(changes),
    "first order per parameter": lambda watched, changes: abs(changes) / watched.freed(),
}


class FirstOrder(Sensor):
    """Adds up the units times the derivatives of the loss by them, with signs and not squared."""

    def see(self, x, factor, product, dim):
        if not product.requires_grad:
            return
        x, factor = x.detach(), factor.detach()
        others = [d for d in range(x.dim()) if d != dim % x.dim()]
        product.register_hook(lambda gradient: self.add((x * gradient).sum(others) * factor))

    def add(self, sums):
        self.squares = sums if self.squares is None else self.squares + sums


def stations(ranking):
    """The strategy of the trunk, with another ranking."""

    class Ranked(course.Stations):
        needs_norms = True

        def worth(self, watched, changes):
            return RANKINGS[ranking](watched, changes)

    return Ranked


# Ways.


class Rows(list):
    """Rows of the table."""

    def add(self, problem, seed, way, budget, model, epochs, seconds):
        sizes = [
            layer.weight.shape[0]
            for layer in model.modules()
            if isinstance(layer, (nn.Linear, nn.Conv2d))
        ]
        scores = accuracy(model, problem.validation), accuracy(model, problem.test)
        shown = "-".join(map(str, sizes[:-1]))
        row = [problem.name, seed, way, budget, size(model), shown, *scores, epochs, seconds]
        self.append(dict(zip(KEYS, row, strict=True)))


def run_path(problem, seed, rows, ranking=None, inputs=False):
    """`shrink_path`; returns the path and the seconds that it took."""
    torch.manual_seed(seed)
    originals = course.Stations, shrinker.Sensor
    if ranking is not None:
        course.Stations = stations(ranking)
    if ranking is not None and ranking.startswith("first order"):
        shrinker.Sensor = FirstOrder
    start = time.process_time()
    try:
        path = shrink_path(
            problem.make(problem.full), Batches(*problem.train, problem.batch_size), loss,
            n_parameters=problem.budgets, optimizer=problem.optimizer,
            max_epochs=problem.max_epochs, branch_epochs=problem.branch_epochs,
            example_inputs=problem.train[0][:2], inputs=inputs,
        )  # fmt: skip
    finally:
        course.Stations, shrinker.Sensor = originals
    seconds = time.process_time() - start
    way = "path with columns" if inputs else "path" if ranking is None else f"path, {ranking}"
    for budget, model, epochs in zip(
        problem.budgets, path.models, all_epochs(problem), strict=True
    ):
        rows.add(problem, seed, way, budget, model, epochs, seconds)
    return path, seconds


def all_epochs(problem):
    """Epochs of trunk and branch, for each budget."""
    full = size(problem.make(problem.full))
    _, reached = course.epochs_of(problem.budgets, full, problem.max_epochs)
    return [epoch + problem.branch_epochs for epoch in reached]


def static(problem, sizes, epochs, seed):
    """A network of fixed sizes, trained from scratch."""
    torch.manual_seed(seed)
    return trained(problem, problem.make(sizes), epochs)


def trained(problem, model, epochs):
    """The model, trained at a learning rate that falls along a cosine."""
    optimizer = problem.optimizer(model.parameters())
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs)
    for _ in range(epochs):
        train_epoch(model, optimizer, Batches(*problem.train, problem.batch_size), loss)
        scheduler.step()
    return model


def run_switches(problem, seed, rows):
    torch.manual_seed(seed)
    start = time.process_time()
    found = [
        (trained(problem, model, problem.branch_epochs), epoch + problem.branch_epochs)
        for model, epoch in list(networks_of_switches(problem))
    ]
    seconds = time.process_time() - start
    for budget, (model, epochs) in zip(problem.budgets, found, strict=False):
        rows.add(problem, seed, "switches", budget, model, epochs, seconds)


def networks_of_switches(problem):
    """Yield the first network of a trunk with switches that fits each budget, and its epoch."""
    examples, budgets = problem.train[0][:2], list(problem.budgets)
    model = add_switches(problem.make(problem.full), examples)
    optimizer = problem.optimizer(model.parameters())
    shrinking = Shrinker(
        model, optimizer, example_inputs=examples, alpha=1e-4, removal=SignVariance(0.9),
        when="epoch",
    )  # fmt: skip
    for epoch in range(3 * problem.max_epochs):
        for i, batch in enumerate(Batches(*problem.train, problem.batch_size)):
            train_epoch(model, optimizer, [batch], loss, shrinking)
            if i % 10:
                continue
            shrinking.compact()
            # Each unit has one switch.
            while budgets and size(model) - shrinking.n_units <= budgets[0]:
                yield fold(model), epoch + 1
                del budgets[0]
        shrinking.end_epoch()
        shrinking.alpha *= 1000 ** (1 / problem.max_epochs)
        if not budgets:
            return


def run_narrow(problem, seed, rows, seconds):
    for budget, epochs in zip(problem.budgets, all_epochs(problem), strict=True):
        sizes = narrow(problem, budget)
        start = time.process_time()
        model = static(problem, sizes, epochs, seed)
        taken = time.process_time() - start
        rows.add(problem, seed, "narrow", budget, model, epochs, taken)
        share = max(1, round(epochs * seconds / len(problem.budgets) / taken))
        start = time.process_time()
        model = static(problem, sizes, share, seed)
        taken = time.process_time() - start
        rows.add(problem, seed, "narrow, share", budget, model, share, taken)


def narrow(problem, budget):
    """The widest network of at most `budget` parameters, all layers narrower by one factor."""
    for factor in np.linspace(1, 0, 1001):
        sizes = [max(1, round(factor * n)) for n in problem.full]
        if size(problem.make(sizes)) <= budget:
            return sizes
    raise ValueError(f"no network has {budget} parameters.")


def run_random(problem, seed, rows, seconds):
    rng, best, start, n = np.random.default_rng(seed), {}, time.process_time(), 0
    while time.process_time() - start < seconds:
        sizes = random_sizes(problem, problem.budgets[n % len(problem.budgets)], rng)
        model, n = static(problem, sizes, problem.branch_epochs, 1000 * seed + n), n + 1
        score = accuracy(model, problem.validation)
        for budget in problem.budgets:
            if size(model) <= budget and score > best.get(budget, (0, None))[0]:
                best[budget] = score, model
    taken = time.process_time() - start
    for budget, (_, model) in best.items():
        rows.add(problem, seed, "random", budget, model, problem.branch_epochs, taken)


def random_sizes(problem, budget, rng):
    while True:
        sizes = [round(np.exp(rng.uniform(np.log(2), np.log(n)))) for n in problem.full]
        if 0.7 * budget <= size(problem.make(sizes)) <= budget:
            return sizes


def run_found(problem, seed, rows, path):
    layers = list(path.layer_sizes)
    for i, (budget, epochs) in enumerate(zip(problem.budgets, all_epochs(problem), strict=True)):
        sizes = [int(path.layer_sizes[layer][i]) for layer in layers]
        start = time.process_time()
        model = static(problem, sizes, epochs, seed + 100)
        rows.add(problem, seed, "found", budget, model, epochs, time.process_time() - start)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--problems", nargs="+", default=list(PROBLEMS), choices=PROBLEMS)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--rankings", nargs="*", default=list(RANKINGS), choices=RANKINGS)
    default = Path(__file__).parent / "results" / "fronts.csv"
    parser.add_argument("--out", type=Path, default=default)
    parser.add_argument("--picture", type=Path, help="where to draw the table that is there")
    options = parser.parse_args()
    if options.picture:
        draw(pd.read_csv(options.out), options.picture)
        return
    torch.set_num_threads(1)
    rows = Rows()
    for name in options.problems:
        for seed in tqdm(options.seeds, desc=name):
            try:
                problem = PROBLEMS[name](options.data, seed)
            except FileNotFoundError as error:
                print(f"{name} is skipped, as its data are not there: {error}.")
                break
            run(problem, seed, rows, options.rankings)
            write(rows, options.out)


def run(problem, seed, rows, rankings):
    path, seconds = run_path(problem, seed, rows)
    run_narrow(problem, seed, rows, seconds)
    run_random(problem, seed, rows, seconds)
    run_found(problem, seed, rows, path)
    if problem.train[0].dim() == 2:
        run_path(problem, seed, rows, inputs=True)
    run_switches(problem, seed, rows)
    for ranking in rankings:
        run_path(problem, seed, rows, ranking)


def write(rows, file):
    table = pd.DataFrame(rows).round({"validation": 4, "test": 4, "seconds": 1})
    table.to_csv(file, index=False)
    means = table.pivot_table("test", ["data", "way"], "budget", sort=False)
    print(means.round(3).to_string())


def draw(table, file):
    """Mean test errors of each way, a panel for each problem."""
    import matplotlib.pyplot as plt

    names = list(table["data"].unique())
    figure, axes = plt.subplots(1, len(names), figsize=(4 * len(names), 3.4), layout="constrained")
    for ax, name in zip(np.atleast_1d(axes), names, strict=True):
        for way in ("path", "found", "narrow", "narrow, share", "random"):
            mine = table[(table["data"] == name) & (table["way"] == way)].groupby("budget")
            error, style = 1 - mine["test"].mean(), "-o" if way == "path" else "--."
            ax.plot(error.index, error, style, label=way)
        ax.set(title=name, xlabel="parameters", xscale="log")
        ax.xaxis.set_minor_formatter("")
    np.atleast_1d(axes)[0].set_ylabel("test error")
    np.atleast_1d(axes)[0].legend(frameon=False)
    figure.savefig(file, dpi=120)


if __name__ == "__main__":
    main()
