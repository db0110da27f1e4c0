"""Estimators that choose alpha by cross-validation, data for them, and scores the slow way."""

import numpy as np
import pytest
from sklearn.base import clone

from problems import simulate, simulate_classes
from shrinklin import (
    GroupLassoClassifier,
    GroupLassoClassifierCV,
    GroupLassoRegressor,
    GroupLassoRegressorCV,
    ShrinkNetClassifier,
    ShrinkNetClassifierCV,
    ShrinkNetRegressor,
    ShrinkNetRegressorCV,
)

REGRESSORS = [GroupLassoRegressorCV, ShrinkNetRegressorCV]
CLASSIFIERS = [GroupLassoClassifierCV, ShrinkNetClassifierCV]
SINGLE = {
    GroupLassoRegressorCV: GroupLassoRegressor,
    ShrinkNetRegressorCV: ShrinkNetRegressor,
    GroupLassoClassifierCV: GroupLassoClassifier,
    ShrinkNetClassifierCV: ShrinkNetClassifier,
}
every_regressor = pytest.mark.parametrize("cls", REGRESSORS)
every_class = pytest.mark.parametrize("cls", [*REGRESSORS, *CLASSIFIERS])


def data_for(cls, n_samples=60, n_features=8, seed=0):
    simulated = simulate if cls in REGRESSORS else simulate_classes
    return simulated(n_samples, n_features, 3, 3, seed=seed)


def slow_errors(single, X, y, alphas, splits, s=None):
    """Minus the mean squared error of one fit per fold and alpha: (n_alphas, n_folds)."""
    s = np.ones(len(y)) if s is None else s
    scores = np.empty((len(alphas), len(splits)))
    for k, (train, test) in enumerate(splits):
        for i, alpha in enumerate(alphas):
            model = clone(single).set_params(alpha=alpha).fit(X[train], y[train], s[train])
            off = np.reshape(y[test] - model.predict(X[test]), (len(test), -1))
            scores[i, k] = -np.average((off**2).mean(axis=1), weights=s[test])
    return scores
