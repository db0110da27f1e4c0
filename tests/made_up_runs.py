"""Made-up tables of runs, as the authors' runs are measured."""

import numpy as np
import pandas as pd

from experiments.authors_runs.runs import SECONDS, SHRINKNET, STATIC
from experiments.authors_runs.sizes import CIFAR10, COVERTYPE


def made_up(sizes, others=None):
    """A table in which the ratio of sizes is a function of the accuracy.

    Each network stands there six times, so that draws hardly differ from the runs. `sizes` has
    a function for each task, `others` one of the table for a column.
    """
    rows = []
    for task, ratio in sizes.items():
        for step, accuracy in enumerate(np.arange(500, 951, 5) / 1000):
            least = 1000.0 * 10**step
            for kind, size in ((STATIC, least * ratio(accuracy)), (SHRINKNET, least)):
                rows += [
                    {
                        "task": task,
                        "kind": kind,
                        "run": f"{task} {kind} {step} {k}",
                        "accuracy": accuracy,
                        "counted": size,
                    }
                    for k in range(6)
                ]
    table = pd.DataFrame(rows)
    table["learning_rate"] = np.arange(len(table)) % 36
    table["val_accuracy"], table["parameters"] = table["accuracy"], table["counted"]
    table["multiply_adds"], table["layers"], table["plain"] = table["counted"], 3, True
    for name in (*SECONDS, "epoch", "near_epoch", "epochs", "training_seconds"):
        values = (others or {}).get(name, lambda table: table["counted"])
        table[name] = values(table)
    return table


def always(ratio):
    return lambda accuracy: ratio


def both(first, second=None):
    return made_up({CIFAR10: first, COVERTYPE: second or first})


def difference_table(static, shrinknets, rates=None):
    values = [*static, *shrinknets]
    return pd.DataFrame(
        {
            "task": CIFAR10,
            "kind": [STATIC] * len(static) + [SHRINKNET] * len(shrinknets),
            "epoch": np.asarray(values, dtype=float),
            "learning_rate": np.arange(len(values)) if rates is None else rates,
        }
    )


def of_rates(noise, saved=0.0):
    """100 runs of both kinds at five learning rates, which decide; static ones have higher."""
    random = np.random.default_rng(0)
    static, shrinknets = [
        np.repeat(np.arange(5.0), times) for times in ([4, 12, 20, 28, 36], [36, 28, 20, 12, 4])
    ]
    values = [
        100 + 10 * rates + noise * random.standard_normal(100) for rates in (static, shrinknets)
    ]
    return difference_table(values[0], values[1] - saved, [*static, *shrinknets])
