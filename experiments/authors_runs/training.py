"""Epochs and seconds of training: do the two kinds differ?"""

from dataclasses import dataclass

import numpy as np

from experiments.authors_runs.fronts import compared

# Permutations of the kinds, and resamples of the runs.
N_DRAWN = 4999
# Classes of similar learning rates, with as many runs each.
N_CLASSES = 5
# Of numpy's generators, this is the one whose stream never changes.
_SEED = 0


@dataclass(frozen=True)
class Difference:
    """The means of both kinds, and the p of their difference by a two-sided permutation test."""

    shrinknet: float
    static: float
    p: float


def difference(table, task, column, rows=None):
    """The `Difference` of a column.

    Parameters
    ----------
    rows : callable, default=None
        Which rows of a kind count; None: all that are compared.
    """
    static, shrinknets = _values(table, task, column, rows)
    values = np.concatenate([static, shrinknets])
    p = _p(values, _is_shrinknet(static, shrinknets), np.zeros(len(values), dtype=int))
    return Difference(shrinknets.mean(), static.mean(), p)


def at_equal_rates(table, task, column):
    """ShrinkNet's mean less static networks' within classes of learning rate, and its p."""
    static, shrinknets = _values(table, task, column)
    rates = np.concatenate(_values(table, task, "learning_rate"))
    classes = N_CLASSES * np.argsort(np.argsort(rates, kind="stable")) // len(rates)
    values = np.concatenate([static, shrinknets])
    labels = _is_shrinknet(static, shrinknets)
    return _within(values, labels, classes), _p(values, labels, classes)


def _values(table, task, column, rows=None):
    both = compared(table, task)
    return [(kind if rows is None else kind[rows(kind)])[column].to_numpy() for kind in both]


def _is_shrinknet(static, shrinknets):
    return np.repeat([False, True], [len(static), len(shrinknets)])


def _p(values, labels, classes):
    """Two-sided p: kinds are permuted within classes."""
    random = np.random.RandomState(_SEED)
    places = [np.flatnonzero(classes == one) for one in np.unique(classes)]
    found, permuted = abs(_within(values, labels, classes)), labels.copy()
    n_larger = 0
    for _ in range(N_DRAWN):
        for place in places:
            permuted[place] = random.permutation(labels[place])
        # Rounding must not decide between permutations of equal differences.
        n_larger += abs(_within(values, permuted, classes)) >= found * (1 - 1e-12)
    return (1 + n_larger) / (1 + N_DRAWN)


def _within(values, labels, classes):
    """The difference of means within classes, weighted by the number of pairs that inform it."""
    n, n_first = np.bincount(classes), np.bincount(classes, labels)
    totals, firsts = np.bincount(classes, values), np.bincount(classes, values * labels)
    weights = n_first * (n - n_first) / n
    informed = weights > 0
    n, n_first, totals, firsts = (x[informed] for x in (n, n_first, totals, firsts))
    differences = firsts / n_first - (totals - firsts) / (n - n_first)
    return float(weights[informed] @ differences / weights.sum())


def ratio_of_means(table, task, column, band):
    """ShrinkNet's mean over static networks', with a bootstrap interval that holds `band`."""
    static, shrinknets = _values(table, task, column)
    random = np.random.RandomState(_SEED)
    means = [
        values[random.randint(len(values), size=(N_DRAWN, len(values)))].mean(axis=1)
        for values in (static, shrinknets)
    ]
    low, high = np.quantile(means[1] / means[0], [(1 - band) / 2, (1 + band) / 2])
    return shrinknets.mean() / static.mean(), float(low), float(high)
