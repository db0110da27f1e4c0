"""What lost beside `shrink_path`'s order of removal: `python -m benchmarks.fronts DATA`.

DATA is a folder with `covertype93k/covertype93k.npz`, `mnist/mnist.npz` and
`cifar10/train_jpeg.npz`, `cifar10/test_jpeg.npz`. What is not there is skipped. Ways:

- path: `shrink_path`, with an order of removal by another ranking where one is named;
- path with columns: the same with `inputs=True`, so that columns of the input leave too;
- switches: a trunk whose units have switches. α begins at 1e-4 and grows by the same factor from
  epoch to epoch, a thousandfold in the epochs of the other trunk. It trains until all budgets are
  reached, for at most three times as many epochs. The first network that fits a budget goes on as a
  branch.

All train with Adam. Learning rates of branches fall to 0 along a cosine. Test rows choose no
network.

The table of results also has static networks ("random", "narrow", "narrow, share" and "found": see
`docs/networks.md`), which an earlier form of this script trained. Rows of ways that are not
measured stay as they are. `python -m experiments random-search` now compares with such networks.
"""

import argparse
import time
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from tqdm.auto import tqdm

from experiments.networks.training import (
    Batches,
    accuracy,
    layer_sizes,
    loss,
    n_parameters,
    perceptron,
    tensors,
    trained,
    vgg,
)
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


# Networks and data.


def dense(n_inputs, n_classes):
    """Makes fully connected networks whose hidden layers have the sizes that it is given."""
    return lambda sizes: perceptron([n_inputs, *sizes, n_classes])


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
        dense(54, 7), [200] * 3, [30_000, 10_000, 3000, 1000], 0.005, 256, 40, 30,
    )  # fmt: skip


def mnist(folder, seed):
    data = np.load(folder / "mnist/mnist.npz", allow_pickle=False)
    rows = np.random.default_rng(seed).permutation(len(data["y_train"]))[:20_000]
    X, X_test = ((data[n].reshape(-1, 784) / 255 - 0.1307) / 0.3081 for n in ("X_train", "X_test"))
    return Problem(
        "MNIST", *split(X[rows], data["y_train"][rows], 2000), tensors(X_test, data["y_test"]),
        dense(784, 10), [300, 100], [100_000, 30_000, 10_000, 4000], 0.003, 256, 40, 30,
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
        scores = accuracy(model, *problem.validation), accuracy(model, *problem.test)
        shown = "-".join(map(str, layer_sizes(model)))
        parameters = n_parameters(model)
        row = [problem.name, seed, way, budget, parameters, shown, *scores, epochs, seconds]
        self.append(dict(zip(KEYS, row, strict=True)))


def run_path(problem, seed, rows, ranking=None, inputs=False):
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


def all_epochs(problem):
    """Epochs of trunk and branch, for each budget."""
    full = n_parameters(problem.make(problem.full))
    _, reached = course.epochs_of(problem.budgets, full, problem.max_epochs)
    return [epoch + problem.branch_epochs for epoch in reached]


def run_switches(problem, seed, rows):
    torch.manual_seed(seed)
    start = time.process_time()
    found = [
        (branch(problem, model), epoch + problem.branch_epochs)
        for model, epoch in list(networks_of_switches(problem))
    ]
    seconds = time.process_time() - start
    for budget, (model, epochs) in zip(problem.budgets, found, strict=False):
        rows.add(problem, seed, "switches", budget, model, epochs, seconds)


def branch(problem, model):
    batches = Batches(*problem.train, problem.batch_size)
    return trained(model, problem.optimizer(model.parameters()), batches, problem.branch_epochs)


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
            while budgets and n_parameters(model) - shrinking.n_units <= budgets[0]:
                yield fold(model), epoch + 1
                del budgets[0]
        shrinking.end_epoch()
        shrinking.alpha *= 1000 ** (1 / problem.max_epochs)
        if not budgets:
            return


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
    run_path(problem, seed, rows)
    if problem.train[0].dim() == 2:
        run_path(problem, seed, rows, inputs=True)
    run_switches(problem, seed, rows)
    for ranking in rankings:
        run_path(problem, seed, rows, ranking)


def write(rows, file):
    """Write the rows, in place of those of the same data, seeds and ways."""
    table = pd.DataFrame(rows).round({"validation": 4, "test": 4, "seconds": 1})
    if file.exists():
        known, way = pd.read_csv(file), ["data", "seed", "way"]
        measured = pd.MultiIndex.from_frame(known[way]).isin(pd.MultiIndex.from_frame(table[way]))
        table = pd.concat([known[~measured], table])
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
