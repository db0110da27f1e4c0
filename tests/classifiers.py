"""Classifiers with exact solvers, and how the tests fit and compare them."""

import numpy as np
import pytest
from sklearn.base import clone

from oracles import (
    indicators_of,
)
from problems import CLASSIFICATION_PROBLEMS
from shrinklin import (
    GroupLassoClassifier,
    ShrinkNetClassifier,
)

ESTIMATORS = [GroupLassoClassifier(), ShrinkNetClassifier(), ShrinkNetClassifier(p=1)]
every_estimator = pytest.mark.parametrize("estimator", ESTIMATORS, ids=repr)
every_problem = pytest.mark.parametrize("name", CLASSIFICATION_PROBLEMS)
every_number_of_classes = pytest.mark.parametrize("n_classes", [2, 3])


def alpha_for(X, codes, share, *, fit_intercept=True, sample_weight=None):
    """`share` times the smallest alpha at which the group lasso is empty."""
    Y = indicators_of(codes)
    s = np.ones(len(X)) if sample_weight is None else sample_weight
    n_classes = 2 if Y.shape[1] == 1 else Y.shape[1]
    P = np.average(Y, axis=0, weights=s) if fit_intercept else 1 / n_classes
    gradient = X.T @ (s[:, None] * (P - Y)) / s.sum()
    return share * np.linalg.norm(gradient, axis=1).max()


def some_weights(n_samples):
    return np.random.default_rng(0).uniform(0.2, 3, n_samples)


def fitted(estimator, X, y, sample_weight=None, **parameters):
    return clone(estimator).set_params(**{"tol": 1e-9, **parameters}).fit(X, y, sample_weight)


def assert_same_model(one, other, atol=1e-6):
    np.testing.assert_allclose(one.coef_, other.coef_, atol=atol)
    np.testing.assert_allclose(one.intercept_, other.intercept_, atol=atol)
