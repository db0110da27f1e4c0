"""Fit the new estimator, and judge it by brute force over all supports."""

import itertools

import numpy as np
import pytest
from scipy.optimize import minimize

from problems import simulate
from shrinklin import GradientDescent, regularization_path
from shrinklin.estimators.regressors import HalfRegressor

X, Y = simulate(40, 5, 2, 3)
X, Y = X - X.mean(axis=0), Y - Y.mean(axis=0)


def value(W, alpha):
    return (
        0.5 * ((Y - X @ W) ** 2).sum() / len(X) + alpha * np.sqrt(np.linalg.norm(W, axis=1)).sum()
    )


def brute_force(alpha):
    """The least value over all supports, on each of which F is smooth: descend from 3 starts."""
    least = value(np.zeros((5, 2)), alpha)
    for size in range(1, 6):
        for support in itertools.combinations(range(5), size):
            columns = X[:, support]

            def inside(w, columns=columns, size=size):
                W = w.reshape(size, 2)
                fit = 0.5 * ((Y - columns @ W) ** 2).sum() / len(X)
                return fit + alpha * np.sqrt(np.linalg.norm(W, axis=1) + 1e-300).sum()

            start = np.linalg.lstsq(columns, Y, rcond=None)[0].ravel()
            for share in (1.0, 0.7, 0.4):
                least = min(least, minimize(inside, share * start, tol=1e-12).fun)
    return least


for alpha in (0.05, 0.3, 1.0):
    model = HalfRegressor(alpha=alpha).fit(X, Y)
    assert abs(value(model.coef_.T, alpha) - model.objective_) <= 1e-12 * model.objective_
    assert model.objective_ <= brute_force(alpha) * (1 + 1e-7), alpha
path = regularization_path(HalfRegressor(), X, Y, alphas=8)
assert path.n_selected[0] == 0 < path.n_selected[-1]
with pytest.raises(ValueError, match="does not support Half"):
    HalfRegressor(solver=GradientDescent()).fit(X, Y)
