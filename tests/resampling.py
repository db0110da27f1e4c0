"""The rows that `selection_frequencies` draws, and an estimator that notes what it is given."""

import numpy as np
from sklearn.base import BaseEstimator

from shrinklin import GroupLassoRegressor
from shrinklin.estimators.resampling import resamples

GROUP_LASSO = GroupLassoRegressor(0.3)

# The seed from which `selection_frequencies` draws rows for random_state=0.
SEED_OF_ROWS = np.random.RandomState(0).randint(2**31 - 1)


def rows_of(classes, n_resamples, resampling="half"):
    """The rows that `selection_frequencies` draws for random_state=0."""
    rng = np.random.default_rng(SEED_OF_ROWS)
    return list(resamples(np.asarray(classes), n_resamples, resampling, rng))


def unlabelled(n_samples):
    return np.zeros(n_samples, dtype=int)


class Listener(BaseEstimator):
    """Selects the columns that are not negative in its first row; notes what it is given."""

    def __init__(self, heard=None, fails_at=None):
        self.heard, self.fails_at = heard, fails_at

    def __sklearn_clone__(self):
        return Listener(self.heard, self.fails_at)

    def fit(self, X, y, sample_weight=None):
        self.heard.append((X, y, sample_weight))
        if len(self.heard) == self.fails_at:
            raise KeyError("no such thing")
        self.support_ = np.asarray(X)[0] >= 0
        return self

    def get_support(self):
        return self.support_
