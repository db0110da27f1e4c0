"""Networks of a way compared by size, by accuracy and by cost. Validation rows choose them.

A row of the table is a network. `best_within` is the network of the best validation accuracy
among those that are small enough, `smallest` the smallest network whose validation accuracy
reaches a target.
"""

from dataclasses import dataclass

import numpy as np
from scipy import stats

from experiments.random_search.settings import ONE_TRAINING, PATH, RANDOM, SCALED

# Targets, as shares of the best accuracy that both ways reach.
SHARES = np.linspace(0.8, 1, 21)
# Costs are equal if their ratio is in this range.
EQUAL_COST = (0.75, 1.33)
COSTS = ("multiply_adds", "seconds", "parameter_updates")
# Of the bounds of means over seeds, which are one-sided.
_CONFIDENCE = 0.95


def seeds_of(table):
    return sorted(table["seed"].unique())


def of_way(table, way, seed):
    """The networks of a way and a seed, in the order of their training."""
    return table[(table["way"] == way) & (table["seed"] == seed)]


def usual(table):
    """The way in which the draft samples static sizes for this kind of network."""
    return RANDOM if (table["network"] == "perceptron").all() else SCALED


def n_trainings(table, way):
    """Trainings from random weights for each seed."""
    return 1 if way in ONE_TRAINING else len(of_way(table, way, seeds_of(table)[0]))


def budgets_of(table):
    """The numbers of parameters that the front was asked for, descending."""
    return sorted(table.loc[table["way"] == PATH, "budget"].unique(), reverse=True)


def best_within(rows, size):
    """The network of at most this size that is best on validation rows, None if there is none."""
    small = rows[rows["parameters"] <= size]
    return None if small.empty else small.loc[small["validation"].idxmax()]


def test_within(rows, size):
    """The test accuracy of that network, nan if there is none."""
    best = best_within(rows, size)
    return np.nan if best is None else best["test"]


def smallest(rows, target):
    """The smallest network whose validation accuracy reaches the target, None if none does."""
    good = rows[rows["validation"] >= target]
    return None if good.empty else good.loc[good["parameters"].idxmin()]


def affordable(rows, cost):
    """The networks trained first whose multiply-adds are as many in all, as nearly as possible.

    It is None where these are not `EQUAL_COST`.
    """
    totals = rows["multiply_adds"].cumsum().to_numpy()
    n_paid = int(np.argmin(np.abs(np.log(totals / cost)))) + 1
    low, high = EQUAL_COST
    return rows.iloc[:n_paid] if low <= totals[n_paid - 1] / cost <= high else None


def ratios(static, shrunk):
    """Size of the static network / size of the shrunk one, at each of the `SHARES`.

    It is nan where a way's smallest network is good enough, as one of a smaller size may be, too.
    """
    best = min(rows["validation"].max() for rows in (static, shrunk))
    sizes = np.array([[_size_for(rows, s * best) for rows in (static, shrunk)] for s in SHARES])
    return sizes[:, 0] / sizes[:, 1]


def _size_for(rows, target):
    size = smallest(rows, target)["parameters"]
    return np.nan if size == rows["parameters"].min() else size


def ahead(rows, others):
    """Test accuracies of networks minus those of the best others that are at most as large.

    They are nan if `others` is None.
    """
    if others is None:
        return np.full(len(rows), np.nan)
    return np.array(
        [row.test - test_within(others, row.parameters) for row in rows.itertuples(index=False)]
    )


def mean_of(values):
    """The mean without nan; nan if there is nothing else."""
    values = np.asarray(values, dtype=float)
    values = values[~np.isnan(values)]
    return values.mean() if len(values) else np.nan


@dataclass(frozen=True)
class Mean:
    """A mean over seeds, and what it is at least.

    Attributes
    ----------
    value, low : float
        The mean, and its one-sided 95 % bound by Student's t. Both are nan if a seed has no value.
    """

    value: float
    low: float

    @classmethod
    def of(cls, values):
        values = np.asarray(values, dtype=float)
        n = len(values)
        if n < 2:
            return cls(values.mean(), np.nan)
        error = values.std(ddof=1) / np.sqrt(n)
        return cls(values.mean(), values.mean() - stats.t.ppf(_CONFIDENCE, n - 1) * error)

    @property
    def points(self):
        """As accuracy in percentage points."""
        if np.isnan(self.value):
            return "not comparable"
        return f"{100 * self.value:+.1f} points (bound {100 * self.low:+.1f})"

    @property
    def times(self):
        """As a factor, of logarithms."""
        if np.isnan(self.value):
            return "not comparable"
        return f"{np.exp(self.value):.2f} times (bound {np.exp(self.low):.2f})"
