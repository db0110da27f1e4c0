"""
Networks that shrink while they train
=====================================

A small convolutional network learns handwritten digits. Its layers begin too large, with a switch
behind each, and units are cut out while it trains. Three other trainings show what that is worth:

- "full": the same network, without penalty;
- "annealing": without switches, units of small norm leave on a schedule, down to the sizes that the
  switches found;
- "small from the start": a network of these sizes, which nobody knows before.

All have the same optimiser and epochs. Work is counted, not timed.
"""

import argparse
from collections import OrderedDict
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn

from shrinklin import Annealing, LayerSizesDisplay, SignVariance
from shrinklin.networks import Mask, Shrinker, Switch, add_switches, fold

SIZES = [32, 64, 128]


@dataclass
class Run:
    """A trained network: what is left, held-out accuracies after each epoch, and what happened."""

    n_parameters: int
    accuracies: list
    history: dict
    sizes: dict


def network(sizes):
    """Two convolutions and a hidden linear layer of these sizes, for images of 8 × 8 pixels."""
    first, second, hidden = sizes
    layers = OrderedDict(
        conv1=nn.Conv2d(1, first, 3, padding=1),
        norm1=nn.BatchNorm2d(first),
        relu1=nn.ReLU(),
        conv2=nn.Conv2d(first, second, 3, padding=1),
        norm2=nn.BatchNorm2d(second),
        relu2=nn.ReLU(),
        pool=nn.MaxPool2d(2),
        flatten=nn.Flatten(),
        hidden=nn.Linear(16 * second, hidden),
        relu3=nn.ReLU(),
        output=nn.Linear(hidden, 10),
    )
    return nn.Sequential(layers)


def split_digits():
    """Training images and labels, then held-out ones."""
    images = torch.tensor(load_digits().images[:, None] / 16, dtype=torch.float32)
    labels = torch.tensor(load_digits().target)
    x, x_test, y, y_test = train_test_split(images, labels, random_state=0, stratify=labels)
    return x, y, x_test, y_test


def train(data, seed, epochs, *, sizes=SIZES, gate=Mask, alpha=0.0, removal=None):
    """A `Run`. Masks that nothing closes are training as usual."""
    x, y, x_test, y_test = data
    torch.manual_seed(seed)
    model = add_switches(network(sizes), x[:2], gate=gate)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs)
    shrinker = Shrinker(
        model,
        optimizer,
        example_inputs=x[:2],
        alpha=alpha,
        removal=removal,
        max_epochs=epochs,
        # A cut takes as long as some steps of a network as small as this one.
        when="epoch",
    )
    accuracies = []
    for _ in shrinker.epochs(verbose=1):
        for rows in torch.randperm(len(x)).split(64):
            loss = nn.functional.cross_entropy(model(x[rows]), y[rows]) + shrinker.penalty()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            shrinker.step(loss)
        schedule.step()
        accuracies.append(accuracy(model, x_test, y_test))
    n_parameters = sum(p.numel() for p in fold(model).parameters())
    return Run(n_parameters, accuracies, shrinker.history, shrinker.sizes)


@torch.no_grad()
def accuracy(model, x, y):
    """The share of images that the model in evaluation gets right."""
    found = model.train(False)(x).argmax(1)
    model.train()
    return (found == y).double().mean().item()


def train_all(data, epochs, n_seeds):
    """All runs by name, a list with one for each seed."""
    runs = {"full": [], "switches": [], "annealing": [], "small from the start": []}
    for seed in range(n_seeds):
        shrunk = train(data, seed, epochs, gate=Switch, alpha=0.03, removal=SignVariance(gamma=0.9))
        by_norm = {layer: Annealing(n_features=n) for layer, n in shrunk.sizes.items()}
        runs["full"].append(train(data, seed, epochs))
        runs["switches"].append(shrunk)
        runs["annealing"].append(train(data, seed, epochs, removal=by_norm))
        runs["small from the start"].append(
            train(data, seed, epochs, sizes=list(shrunk.sizes.values()))
        )
    return runs


def table(runs):
    """Means over seeds."""
    rows = {
        name: {
            "parameters": np.mean([run.n_parameters for run in each]),
            "held-out accuracy": np.mean([run.accuracies[-1] for run in each]),
            "lowest": min(run.accuracies[-1] for run in each),
            "multiply-adds": np.mean([run.history["multiply_adds"][-1] for run in each]),
        }
        for name, each in runs.items()
    }
    return pd.DataFrame(rows).T.to_string(
        formatters=["{:.0f}".format, "{:.3f}".format, "{:.3f}".format, "{:.1e}".format]
    )


def draw(runs, out):
    """Sizes of the layers on the left, held-out error against work on the right."""
    import matplotlib.pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.4), layout="constrained")
    LayerSizesDisplay(runs["switches"][0].history, name="Units of each layer, first seed").plot(
        left
    )
    for name, each in runs.items():
        work = np.mean([run.history["multiply_adds"][1:] for run in each], axis=0)
        error = 1 - np.mean([run.accuracies for run in each], axis=0)
        right.plot(work, error, marker="o", markersize=3, label=name)
    right.set(
        xscale="log",
        yscale="log",
        xlabel="multiply-adds of training so far",
        ylabel="share of held-out images that are wrong",
        title=f"After each epoch, mean of {len(each)} seeds",
    )
    figure.legend(loc="outside lower right", ncols=4, frameon=False)
    figure.savefig(out, dpi=110)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("=\n\n")[1])
    parser.add_argument("--out", default="networks.png", help="where the picture goes")
    parser.add_argument("--epochs", type=int, default=15, help="epochs of each training")
    parser.add_argument("--seeds", type=int, default=3, help="trainings of each kind")
    arguments = parser.parse_args()
    # Small networks are many times slower with several threads than with one.
    torch.set_num_threads(1)
    runs = train_all(split_digits(), arguments.epochs, arguments.seeds)
    print(table(runs))
    draw(runs, arguments.out)
    print(f"picture: {arguments.out}")


if __name__ == "__main__":
    main()
