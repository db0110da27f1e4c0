"""The rows to fit and to judge on."""

from dataclasses import dataclass, replace

import numpy as np
from sklearn.model_selection import KFold, StratifiedKFold

from experiments.tradeoff.settings import ALL


@dataclass(frozen=True)
class Part:
    """Rows to fit or to judge on.

    Attributes
    ----------
    X : ndarray of shape (n_samples, n_features)
    y : ndarray of shape (n_samples, n_targets) or (n_samples,)
        Targets, or the number of the class.
    """

    X: np.ndarray
    y: np.ndarray

    @property
    def regression(self):
        return self.y.ndim == 2


def sampled(data, most):
    """The data, or for classification a fixed random sample of that many rows."""
    if data.card.task == "regression" or len(data.X) <= most:
        return data
    rows = np.sort(np.random.default_rng(0).permutation(len(data.X))[:most])
    return replace(data, X=data.X[rows], y=data.y[rows])


def parts(data, fold, n_folds):
    """`Part` to train on and `Part` held out, standardised by the former.

    Parameters
    ----------
    data : Dataset
    fold : str
        ALL, for which nothing is held out (None), or the number of the fold that is.
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
    """The table in deviations from the mean of the training rows.

    A column that is constant in training becomes 0 everywhere: no model can learn of it.
    """
    mean, deviation = table[train].mean(axis=0), table[train].std(axis=0)
    # Not deviation == 0: rounding of the mean leaves a constant column a tiny one.
    constant = np.ptp(table[train], axis=0) == 0
    return np.where(constant, 0.0, (table - mean) / np.where(constant, 1.0, deviation))
