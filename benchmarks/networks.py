"""What shrinking a network costs next to training it: `python benchmarks/networks.py`.

Everything is divided by a training step of the same run: forward, backward and Adam, in float32,
with switches but without penalty and removal. VGG16 for CIFAR10 has batches of 16, the perceptrons
of 64. Ways are timed in turn: "of a step" is the median of ratios within a turn. A removal
includes everything but the count of multiply-adds, which the next step makes.
"""

import argparse
import time
from collections import defaultdict
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import nn
from tqdm.auto import tqdm

from shrinklin import Removal, SignVariance
from shrinklin.networks import Shrinker, add_switches
from shrinklin.networks.inputs import Inputs
from shrinklin.networks.structure import Structure
from shrinklin.networks.work import multiply_adds

# Convolutions of VGG16, with a pooling layer behind each row.
VGG16 = [[64] * 2, [128] * 2, [256] * 3, [512] * 3, [512] * 3]
SMALL, WIDE = "64-100-100-10", "100-2000-2000-10"
IMAGES, ROWS = (16, 3, 32, 32), (64, 64)
COLUMNS = ["network", "threads", "what", "least ms", "median ms", "of a step", "work left"]


class Now(Removal):
    """Removes a share of every layer; the benchmark sets the share before a step."""

    needs_norms = False

    def __init__(self, share=0.0) -> None:
        self.share = share

    def dead(self, watched):
        dead = np.zeros(len(watched.gate), dtype=bool)
        for layer in np.unique(watched.layer):
            units = np.flatnonzero(watched.layer == layer)
            dead[units[: round(len(units) * self.share)]] = True
        return dead


class Training:
    """A network, its optimiser and its `Shrinker`, on random data."""

    def __init__(self, model, shape, removal, weight_decay=1e-5, switches=True):
        self.X, self.y = torch.randn(shape), torch.randint(10, shape[:1])
        self.model = add_switches(model, self.X[:2]) if switches else model
        self.optimizer = torch.optim.Adam(self.model.parameters(), lr=1e-4)
        self.removal = removal
        if switches:
            self.shrinker = self.make_shrinker(weight_decay)

    def make_shrinker(self, weight_decay=1e-5):
        return Shrinker(
            self.model,
            self.optimizer,
            example_inputs=self.X[:2],
            alpha=1e-5,
            weight_decay=weight_decay,
            removal=self.removal,
        )

    def step(self):
        """Without penalty and removal."""
        self._minimise(nn.functional.cross_entropy(self.model(self.X), self.y))

    def shrinking_step(self):
        loss = nn.functional.cross_entropy(self.model(self.X), self.y) + self.shrinker.penalty()
        self._minimise(loss)
        self.shrinker.step(loss)

    def _minimise(self, loss):
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()

    def remove(self, share):
        """Remove a share of every layer, as a part of a step."""
        self.removal.share = share
        self.shrinker.step()
        self.removal.share = 0.0

    def trace(self):
        return Structure(self.model, Inputs(self.X[:2]))

    def multiply_adds(self):
        return multiply_adds(self.model, Inputs(self.X[:2]))


def vgg16():
    layers, channels = [], 3
    for sizes in VGG16:
        for size in sizes:
            convolution = nn.Conv2d(channels, size, 3, padding=1)
            layers += [convolution, nn.BatchNorm2d(size), nn.ReLU()]
            channels = size
        layers.append(nn.MaxPool2d(2))
    return nn.Sequential(*layers, nn.Flatten(), *perceptron(512, 512, 512, 10))


def perceptron(*sizes):
    layers = []
    for n_inputs, n_outputs in pairwise(sizes):
        layers += [nn.Linear(n_inputs, n_outputs), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def small():
    return perceptron(64, 100, 100, 10)


def wide():
    return perceptron(100, 2000, 2000, 10)


def seconds(job, calls=1):
    start = time.perf_counter()
    for _ in range(calls):
        job()
    return (time.perf_counter() - start) / calls


def time_in_turn(ways, repeats, calls=1):
    """Lists of seconds of each way."""
    times = defaultdict(list)
    for _ in tqdm(range(repeats), leave=False):
        for what, job in ways.items():
            times[what].append(seconds(job, calls))
    return times


def rows_of(network, times, left=np.nan):
    """Rows of the table; `left`, the share of multiply-adds, belongs to the last."""
    rows = []
    for what, taken in times.items():
        ms, ratios = 1e3 * np.array(taken), np.divide(taken, times["step"])
        threads = torch.get_num_threads()
        rows.append([network, threads, what, ms.min(), np.median(ms), np.median(ratios), np.nan])
    rows[-1][-1] = left
    return rows


def measure_vgg16(repeats):
    """What there is beside steps."""
    strategy = SignVariance(threshold=10.0)
    training = Training(vgg16(), IMAGES, strategy)
    without_decay = Training(vgg16(), IMAGES, strategy, weight_decay=0)
    ways = {
        "step": training.step,
        "step with penalty and strategy, weight_decay=0": without_decay.shrinking_step,
        "step with penalty and strategy": training.shrinking_step,
        "tracing": training.trace,
        "making a Shrinker": training.make_shrinker,
        "counting multiply-adds, after a removal": training.multiply_adds,
    }
    return rows_of("VGG16", time_in_turn(ways, repeats))


def measure_removal(network, model, shape, share, repeats):
    """What removal adds to a step."""
    times = defaultdict(list)
    for _ in tqdm(range(repeats), leave=False):
        training = Training(model(), shape, Now())
        training.shrinking_step()
        times["step"].append(seconds(training.step, calls=3))
        times[f"removal of {share:.0%} of the units"].append(
            seconds(lambda training=training: training.remove(share))
        )
    return rows_of(network, times)


def measure_small(repeats, calls=10):
    """What penalty and strategy add to the steps of a small network."""

    def training(**options):
        return Training(small(), ROWS, SignVariance(threshold=10.0), **options)

    ways = {
        "step": training().step,
        "step without switches": training(switches=False).step,
        "step with penalty and strategy, weight_decay=0": training(weight_decay=0).shrinking_step,
        "step with penalty and strategy": training().shrinking_step,
    }
    return rows_of(SMALL, time_in_turn(ways, repeats, calls))


def measure_shrunk(network, model, shape, share, repeats, calls=1):
    """Steps before and after a share of every layer was removed."""
    large, small = (Training(model(), shape, Now(), weight_decay=0) for _ in range(2))
    small.shrinking_step()
    small.remove(share)
    left = small.multiply_adds() / large.multiply_adds()
    ways = {"step": large.step, "step of the shrunk network": small.step}
    return rows_of(network, time_in_turn(ways, repeats, calls), left)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=10)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results")
    options = parser.parse_args()
    options.out.mkdir(exist_ok=True)
    torch.manual_seed(0)
    torch.set_num_threads(1)
    repeats = options.repeats
    rows = measure_vgg16(repeats)
    rows += measure_removal("VGG16", vgg16, IMAGES, 0.02, repeats)
    rows += measure_removal("VGG16", vgg16, IMAGES, 0.5, repeats)
    # So many that a tenth of the multiply-adds is left.
    rows += measure_shrunk("VGG16", vgg16, IMAGES, 0.684, repeats)
    rows += measure_shrunk(WIDE, wide, (64, 100), 0.7, repeats, calls=5)
    for threads in (1, 2):
        torch.set_num_threads(threads)
        rows += measure_small(20 * repeats)
        rows += measure_removal(SMALL, small, ROWS, 0.02, repeats)
    table = pd.DataFrame(rows, columns=COLUMNS)
    table = table.round(3)
    table.to_csv(options.out / "networks.csv", index=False)
    print(table.to_string(index=False))


if __name__ == "__main__":
    main()
