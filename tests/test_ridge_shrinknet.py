"""Exact solutions of ShrinkNet with a ridge, against brute force and other forms of the problem."""

import numpy as np
import pytest
from scipy import sparse
from scipy.optimize import minimize
from scipy.special import expit
from sklearn.base import clone

from oracles import bridge, brute_force_bridge, group_sum, log_loss, squared_loss
from problems import random_small, simulate, simulate_classes
from shrinklin import (
    CoordinateDescent,
    ShrinkNetClassifier,
    ShrinkNetRegressor,
)
from test_parametrization_gradients import differences

LAYOUTS = {
    "gram": (np.asarray, CoordinateDescent(gram=True)),
    "columns": (np.asarray, CoordinateDescent(gram=False)),
    "csr": (sparse.csr_array, "auto"),
    "csc columns": (sparse.csc_array, CoordinateDescent(gram=False)),
}
both_p = pytest.mark.parametrize("p", [1, 2])


def augmented(X, Y, ridge):
    """The squared loss of these rows is that of X and Y plus the ridge, times n / (n + p)."""
    n, p = X.shape
    more = np.vstack([X, np.sqrt(n * ridge) * np.eye(p)])
    return more, np.vstack([Y, np.zeros((p, Y.shape[1]))]), n / (n + p)


# --- exact solutions


@pytest.mark.parametrize("layout", LAYOUTS)
@both_p
@pytest.mark.parametrize("seed", range(3))
def test_more_rows_make_the_same_problem(layout, p, seed):
    X, Y = random_small(seed)
    to_layout, solver = LAYOUTS[layout]
    ridge, options = 0.3, {"p": p, "fit_intercept": False, "tol": 1e-10}
    ours = ShrinkNetRegressor(0.1, ridge=ridge, solver=solver, **options).fit(to_layout(X), Y)
    more, targets, share = augmented(X, Y, ridge)
    theirs = ShrinkNetRegressor(0.1 * share, solver=solver, **options).fit(to_layout(more), targets)
    assert ours.coef_.any()
    np.testing.assert_allclose(ours.coef_, theirs.coef_, atol=1e-6)
    assert ours.objective_ == pytest.approx(theirs.objective_ / share, rel=1e-9)


@both_p
@pytest.mark.parametrize("ridge", [0.02, 0.5])
def test_the_global_minimum_of_regression(p, ridge):
    excess = []
    for seed in range(8):
        X, Y = random_small(seed, max_features=6)
        more, targets, share = augmented(X, Y, ridge)
        least = brute_force_bridge(more, targets, 0.1 * share, p) / share
        model = ShrinkNetRegressor(0.1, p=p, ridge=ridge, tol=1e-9).fit(X, Y)
        excess.append(model.objective_ / least - 1)
    # One search may miss it, as without ridge.
    assert np.count_nonzero(np.array(excess) > 1e-6) <= 1
    assert max(excess) < 0.02
    # Nothing may beat the oracle.
    assert min(excess) > -1e-6


def value_of_classes(model, X, y):
    coef, b, p = np.atleast_2d(model.coef_), model.intercept_, model.p
    penalty = group_sum(coef, list(range(X.shape[1])), bridge(p))
    ridge = 0.5 * model.ridge * (coef**2).sum()
    return log_loss(X, y, coef, b) + model.alpha * penalty + ridge


def brute_force_of_two_classes(X, y, alpha, ridge, p, seed=0):
    """The least objective over all supports, from several starts with any signs."""
    rng, power, signs = np.random.default_rng(seed), {1: 0.5, 2: 2 / 3}[p], 2 * y - 1
    least = np.inf

    def objective(w, Z):
        sizes = np.maximum(np.abs(w[1:]), 1e-12)
        loss = np.logaddexp(0, -signs * (Z @ w)).mean()
        slopes = -signs * expit(-signs * (Z @ w)) / len(y)
        slope = alpha * power * sizes ** (power - 1) * np.sign(w[1:]) + ridge * w[1:]
        value = loss + alpha * (sizes**power).sum() + 0.5 * ridge * (w[1:] ** 2).sum()
        return value, Z.T @ slopes + np.r_[0, slope]

    for support in np.ndindex(*[2] * X.shape[1]):
        Z = np.c_[np.ones(len(X)), X[:, np.flatnonzero(support)]]
        for start in rng.normal(size=(1 + 3 * (sum(support) > 0), Z.shape[1])):
            found = minimize(objective, 2 * start, args=(Z,), jac=True, method="L-BFGS-B")
            least = min(least, found.fun)
    return least


@both_p
@pytest.mark.parametrize("ridge", [0.02, 0.2])
def test_the_global_minimum_of_two_classes(p, ridge):
    for seed in range(4):
        X, y = simulate_classes(40, 3, 2, noise=1, seed=seed)
        model = ShrinkNetClassifier(0.05, p=p, ridge=ridge, tol=1e-9).fit(X, y)
        value = value_of_classes(model, X, y)
        assert model.objective_ == pytest.approx(value, rel=1e-10)
        least = brute_force_of_two_classes(X, y, 0.05, ridge, p)
        assert value == pytest.approx(least, rel=1e-5)
        assert value <= least * (1 + 1e-9)


@both_p
@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("to_layout", [np.asarray, sparse.csr_array], ids=["dense", "csr"])
def test_solutions_of_classes_are_stationary(p, n_classes, to_layout):
    X, y = simulate_classes(40, 6, n_classes, noise=2)
    options = {"p": p, "ridge": 0.1, "tol": 1e-10}
    model = ShrinkNetClassifier(0.04, **options).fit(to_layout(X), y)
    assert 0 < model.get_support().sum() < 6
    coef = model.coef_.copy()
    at = np.flatnonzero(coef)

    def value(x):
        moved = clone(model)
        moved.coef_ = coef.copy()
        moved.coef_.flat[at], moved.intercept_ = x[: len(at)], x[len(at) :]
        return value_of_classes(moved, X, y)

    x = np.r_[coef.flat[at], model.intercept_]
    assert np.abs(differences(value, x)).max() < 1e-7
    # The ridge has a slope of its own there.
    model.ridge = 0.0
    assert np.abs(differences(value, x)).max() > 1e-3


@both_p
def test_the_switches_split_as_without_ridge(p):
    X, Y = simulate(60, 8, 3)
    model = ShrinkNetRegressor(0.1, p=p, weight_decay=0.05, ridge=0.3).fit(X, Y)
    kept = model.get_support()
    size = (np.abs(model.coef_[:, kept]) ** p).sum(axis=0)
    np.testing.assert_allclose(
        np.abs(model.switch_[kept]), (p * 0.05 * size / 0.1) ** (1 / (p + 1)), rtol=1e-9
    )
    powers = (np.abs(model.weight_) ** p).sum()
    value = squared_loss(X, Y, model.coef_, model.intercept_)
    value += 0.1 * np.abs(model.switch_).sum() + 0.05 * powers + 0.15 * (model.coef_**2).sum()
    assert model.objective_ == pytest.approx(value, rel=1e-9)
