"""Fit the new estimator, and judge it by cvxpy."""

import cvxpy as cp
import numpy as np
import pytest

from shrinklin import (
    GradientDescent,
    GroupLassoRegressorCV,
    InformationCriterion,
    Moments,
    regularization_path,
)
from shrinklin.estimators.regressors import HuberRegressor


class HuberRegressorCV(GroupLassoRegressorCV):
    """The same with its alpha chosen."""

    _single = HuberRegressor


rng = np.random.default_rng(0)
X = rng.normal(size=(60, 8))
Y = X[:, :2] @ rng.normal(size=(2, 2)) + 0.3 * rng.standard_t(1.5, size=(60, 2))
Y[0] += 50
alpha = 0.1


def minimum(alpha, kept=slice(None)):
    W, b = cp.Variable((X[:, kept].shape[1], 2)), cp.Variable((1, 2))
    residual = X[:, kept] @ W + np.ones((60, 1)) @ b - Y
    penalty = cp.sum(cp.norm(W, axis=1))
    problem = cp.Problem(cp.Minimize(cp.sum(cp.huber(residual, 0.5)) / 120 + alpha * penalty))
    return problem.solve(solver=cp.CLARABEL)


model = HuberRegressor(alpha=alpha, tol=1e-9).fit(X, Y)
least = minimum(alpha)
assert abs(model.objective_ - least) <= 1e-7 * least
assert 0 <= model.dual_gap_ <= 1e-8 * least
assert list(np.flatnonzero(model.get_support())) == [0, 1]
path = regularization_path(HuberRegressor(), X, Y, alphas=[1.0, alpha])
assert abs(path.objectives[1] - least) <= 1e-5 * least
# The loss alone, which the squared loss would not give: of an outlier it is large.
refitted = path.refit(X, Y)
alone = minimum(0.0, [0, 1])
assert abs(refitted.objectives[1] - alone) <= 1e-6 * alone
far = HuberRegressor(alpha=0.0).fit(X, 100 * Y)
W, b = cp.Variable((8, 2)), cp.Variable((1, 2))
unpenalised = cp.Problem(
    cp.Minimize(cp.sum(cp.huber(X @ W + np.ones((60, 1)) @ b - 100 * Y, 0.5)) / 120)
).solve(solver=cp.CLARABEL)
assert abs(far.objective_ - unpenalised) <= 1e-6 * unpenalised
with pytest.raises(ValueError, match="Huber is the logarithm of no likelihood"):
    InformationCriterion(HuberRegressor(), alphas=3).fit(X, Y)
search = HuberRegressorCV(5, cv=3).fit(X, Y)
assert search.path_.loss.unit == 0.5
assert search.score_name_ == "neg_mean_squared_error"
with pytest.raises(TypeError, match="needs the samples"):
    search.fit_moments([Moments.from_data(X[:30], Y[:30]), Moments.from_data(X[30:], Y[30:])])
trained = HuberRegressor(alpha=alpha, solver=GradientDescent(max_epochs=2000), random_state=0)
assert trained.fit(X, Y).objective_ <= 1.02 * least
with pytest.raises(TypeError, match="needs the samples"):
    HuberRegressor().fit_moments(Moments.from_data(X, Y))
