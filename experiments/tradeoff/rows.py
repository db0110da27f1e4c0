"""The rows that models are fitted on, and those that they are judged on."""

from dataclasses import dataclass, replace

import numpy as np
from sklearn.model_selection import KFold, StratifiedKFold

from experiments.tradeoff.settings import ALL


@dataclass(frozen=True)
class Part:
    """Training rows or held-out rows.

    Attributes
    ----------
    X : ndarray of shape (n_samples, n_features)
    y : ndarray of shape (n_samples, n_targets) or (n_samples,)
        Targets, or classes numbered from 0.
    """

    X: np.ndarray
    y: np.ndarray

    @property
    def regression(self):
        return self.y.ndim == 2


def sampled(data, most):
    """The data; for classification at most `most` rows, a fixed random sample."""
    if data.card.task == "regression" or len(data.X) <= most:
        return data
    rows = np.sort(np.random.default_rng(0).permutation(len(data.X))[:most])
    return replace(data, X=data.X[rows], y=data.y[rows])


def parts(data, fold, n_folds):
    """The training `Part` and the held-out `Part`, both standardised by the training rows.

    Parameters
    ----------
    data : Dataset
    fold : str
        The number of the fold to hold out; ALL holds out nothing (None).
    n_folds : int
    """
    regression = data.card.task == "regression"
    y = data.y if regression else np.unique(data.y, return_inverse=True)[1]
    if fold == ALL:
        train, test = np.arange(len(y)), None
    else:
        splitter = (KFold if regression else StratifiedKFold)(n_folds, shuffle=True, random_state=0)
        train, test = list(splitter.split(data.X, y))[int(fold)]
    X, scaled_y = _scaled(data.X, train), _scaled(y, train) if regression else y
    return Part(X[train], scaled_y[train]), None if test is None else Part(X[test], scaled_y[test])


def _scaled(table, train):
    """The table standardised by its training rows.

    A column that is constant in training becomes 0 everywhere, as no model can learn from it.
    """
    mean, deviation = table[train].mean(axis=0), table[train].std(axis=0)
    # Not deviation == 0: rounding of the mean gives a constant column a tiny deviation.
    constant = np.ptp(table[train], axis=0) == 0
    return np.where(constant, 0.0, (table - mean) / np.where(constant, 1.0, deviation))
