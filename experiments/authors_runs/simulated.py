"""Runs of the same form as the authors', whose truth is known.

A network has the accuracy of its size, less a deficit that stands for bad hyperparameters; a
ShrinkNet that of a network `advantage` times as large. So static networks need `advantage`
times the parameters for the same accuracy, up to how densely sizes are sampled. ShrinkNets
reach their best epoch earlier by `epochs_saved`, for CIFAR10 alone. Seconds are a constant and
a part for each multiply-add, times noise; on a GPU with a batch of 1 the constant dominates.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from experiments.authors_runs.runs import GROUPS, SECONDS, SHRINKNET, Runs
from experiments.authors_runs.sizes import CHANNELS, CIFAR10, COVERTYPE, counts


@dataclass(frozen=True)
class Truth:
    """What is simulated.

    Attributes
    ----------
    n : int
        Runs of each task and kind.
    advantage : dict of float
        By task: how many times larger static networks are for the same accuracy.
    deficit : float
        Mean accuracy lost by hyperparameters.
    epochs_saved : float
        How many epochs earlier ShrinkNets have their best epoch, for CIFAR10.
    noise : float
        Standard deviation of the logarithm of seconds.
    """

    n: int
    advantage: dict
    deficit: float = 0.01
    epochs_saved: float = 15.0
    noise: float = 0.1


TRUTH = Truth(n=40, advantage={CIFAR10: 12.0, COVERTYPE: 2.0})

# Accuracy: the highest, what a network of `_BASE` parameters lacks, and the power of its decline.
_HIGHEST, _LACKING, _POWER = 0.96, 0.3, 0.25
_BASE = {CIFAR10: 3e4, COVERTYPE: 1e3}
# Seconds for one input: the constant, and per multiply-add.
_TIMES = {
    "cpu_1": (3e-4, 4e-10),
    "cpu_large": (1e-7, 3e-10),
    "gpu_1": (5e-3, 1e-13),
    "gpu_large": (1e-7, 4e-13),
}
_LEAST_EPOCHS, _MORE_EPOCHS = 50, 30


def simulated(truth=TRUTH, seed=0):
    """Simulate runs.

    Parameters
    ----------
    truth : Truth
    seed : int

    Returns
    -------
    Runs
    """
    random = np.random.RandomState(seed)
    found = [
        _run(random, truth, group, f"{group.lower()}-{number}")
        for group in GROUPS
        for number in range(truth.n)
    ]
    settings, logs = zip(*found, strict=True)
    columns = {name: np.concatenate([log[name] for log in logs]) for name in logs[0]}
    return Runs.of(pd.DataFrame(settings), pd.DataFrame(columns))


def _run(random, truth, group, name):
    """The row of a run in runs.csv, and the columns of its log."""
    task, kind = GROUPS[group]
    widths, settings = _widths(random, task, kind)
    size = counts(task, widths)
    capacity = size["counted"] * (truth.advantage[task] if kind == SHRINKNET else 1)
    lacking = _LACKING * (capacity / _BASE[task]) ** -_POWER
    deficit = random.exponential(truth.deficit) if truth.deficit else 0.0
    accuracy = max(_HIGHEST - lacking - deficit, 0.1)
    seconds = {
        SECONDS[ours]: (constant + slope * size["multiply_adds"])
        * np.exp(truth.noise * random.standard_normal())
        for ours, (constant, slope) in _TIMES.items()
    }
    row = {
        "group": group,
        "run": name,
        "learning_rate": 10 ** random.uniform(-4, -2),
        "batch_norm": task == CIFAR10,
        "dropout": np.nan if task == CIFAR10 else 0.0,
        **settings,
        **seconds,
    }
    saved = truth.epochs_saved if (task, kind) == (CIFAR10, SHRINKNET) else 0.0
    return row, _log(random, name, accuracy, widths if kind == SHRINKNET else [], saved)


def _widths(random, task, kind):
    """Sizes of the layers, and the columns of runs.csv that they are in."""
    shrinks = kind == SHRINKNET
    if task == COVERTYPE:
        widths = [int(size) for size in 10 ** random.uniform(0.7, 3, size=3)]
        columns = {f"size_layer_{k + 1}": 5000 if shrinks else w for k, w in enumerate(widths)}
        return widths, {"layers": 3, **columns}
    factor = 10 ** random.uniform(-1.3, 0) if shrinks else random.uniform(0.1, 2)
    classifier = [int(size) for size in 10 ** random.uniform(1.5, 3, size=2)]
    widths = [int(factor * channels) for channels in CHANNELS] + classifier
    columns = {f"classifier_layer_{k + 1}": 5000 if shrinks else classifier[k] for k in (0, 1)}
    return widths, {"factor": 2.0 if shrinks else factor, **columns}


def _log(random, name, accuracy, sizes, saved):
    """The log: accuracies that rise up to the best epoch, and sizes that fall to the last."""
    n = _LEAST_EPOCHS + random.randint(_MORE_EPOCHS) - round(saved)
    best = random.randint(n // 2, n) + 1
    epochs = np.arange(1, n + 1)
    course = 0.3 * np.exp(-epochs / 5) + 0.002 * (epochs != best)
    measures = {
        "val_acc": accuracy - course + 0.003 * random.standard_normal(),
        "test_acc": accuracy - course,
        "time_training": 30 + random.uniform(-5, 5, size=n),
        **{
            f"size_{k + 1}": np.where(epochs < n // 2, 2 * size, size)
            for k, size in enumerate(sizes)
        },
    }
    return {
        "run": np.repeat(name, n * len(measures)),
        "epoch": np.tile(epochs, len(measures)),
        "measure": np.repeat(list(measures), n),
        "value": np.concatenate(list(measures.values())),
    }
