"""The group lasso classifier against other solvers, its alpha_max and its duality gap."""

import cvxpy as cp
import numpy as np
import pytest
import sklearn
from sklearn.linear_model import LogisticRegression
from sklearn.utils.fixes import parse_version

from classifiers import alpha_for, every_number_of_classes, every_problem, some_weights
from oracles import (
    fista_logistic,
    group_lasso_log_objective,
    indicators_of,
)
from problems import CLASSIFICATION_PROBLEMS, simulate_classes
from shrinklin import (
    GroupLassoClassifier,
)


def l1_logistic_regression(alpha, n_samples, **options):
    """The same problem in scikit-learn."""
    l1 = {"l1_ratio": 1.0}
    if parse_version(sklearn.__version__) < parse_version("1.8"):
        l1 = {"penalty": "l1"}
    options = {"tol": 1e-12, "max_iter": 200_000, "random_state": 0, **options}
    return LogisticRegression(C=1 / (n_samples * alpha), **l1, **options)


@every_problem
@pytest.mark.parametrize(
    ("fit_intercept", "weighted"), [(True, False), (True, True), (False, True)]
)
@pytest.mark.untraced
def test_group_lasso_is_as_good_as_fista(name, fit_intercept, weighted):
    X, y = CLASSIFICATION_PROBLEMS[name]()
    options = {
        "fit_intercept": fit_intercept,
        "sample_weight": some_weights(len(X)) if weighted else None,
    }
    W = None
    for share in (1 / 3, 1 / 30, 1 / 300):
        alpha = alpha_for(X, y, share, **options)
        model = GroupLassoClassifier(alpha, fit_intercept=fit_intercept, tol=1e-9)
        model.fit(X, y, options["sample_weight"])
        ours = group_lasso_log_objective(
            X, y, model.coef_, model.intercept_, alpha, sample_weight=options["sample_weight"]
        )
        theirs, W = fista_logistic(X, y, alpha, start=W, **options)
        assert ours <= theirs * (1 + 1e-9)
        assert ours >= theirs * (1 - 1e-7)


@pytest.mark.parametrize("name", ["three classes", "two classes", "wine"])
def test_a_penalised_intercept_or_another_weighting_would_be_rejected(name):
    X, y = CLASSIFICATION_PROBLEMS[name]()
    X, y = np.concatenate([X, X[y == 0]]), np.concatenate([y, y[y == 0]])
    alpha = alpha_for(X, y, 0.1)
    model = GroupLassoClassifier(alpha).fit(X, y)
    ours = group_lasso_log_objective(X, y, model.coef_, model.intercept_, alpha)
    for wrong in ({"penalise_intercept": True}, {"sample_weight": some_weights(len(X))}):
        assert abs(fista_logistic(X, y, alpha, **wrong)[0] / ours - 1) > 1e-4


@pytest.mark.parametrize("share", [0.5, 0.05])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(("solver", "fit_intercept"), [("saga", True), ("liblinear", False)])
def test_two_classes_are_logistic_regression(solver, fit_intercept, weighted, share):
    X, y = simulate_classes(60, 8, 2, noise=2)
    s = some_weights(60) if weighted else np.ones(60)
    alpha = alpha_for(X, y, share, fit_intercept=fit_intercept, sample_weight=s)
    options = {"fit_intercept": fit_intercept}
    ours = GroupLassoClassifier(alpha, tol=1e-10, **options).fit(X, y, s)
    theirs = l1_logistic_regression(alpha, s.sum(), solver=solver, **options).fit(X, y, s)
    np.testing.assert_allclose(ours.coef_, theirs.coef_, atol=1e-6)
    np.testing.assert_allclose(ours.intercept_, theirs.intercept_, atol=1e-6)
    other = l1_logistic_regression(1.01 * alpha, s.sum(), solver=solver, **options).fit(X, y, s)
    assert np.abs(ours.coef_ - other.coef_).max() > 1e-4


def cvxpy_minimum(X, y, alpha, groups, omega, s, fit_intercept):
    Y = indicators_of(y)
    W, b = cp.Variable((X.shape[1], Y.shape[1])), cp.Variable((1, Y.shape[1]))
    Z = X @ W + np.ones((len(X), 1)) @ b
    losses = cp.logistic(Z)[:, 0] if Y.shape[1] == 1 else cp.log_sum_exp(Z, axis=1)
    loss = (s / s.sum()) @ (losses - cp.sum(cp.multiply(Y, Z), axis=1))
    penalty = sum(
        omega[groups == g][0] * cp.norm(W[np.flatnonzero(groups == g)], "fro") for g in set(groups)
    )
    constraints = [] if fit_intercept else [b == 0]
    return cp.Problem(cp.Minimize(loss + alpha * penalty), constraints).solve(solver="CLARABEL")


@every_number_of_classes
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("share", [0.5, 0.05])
def test_groups_and_feature_weights_against_cvxpy(n_classes, fit_intercept, share):
    X, y = simulate_classes(40, 7, n_classes, noise=3)
    groups = np.array([4, 0, 0, 1, 1, 1, 2])
    omega = np.array([0, 0.5, 0.5, 2.0, 2.0, 2.0, 1.0])
    s = some_weights(40)
    alpha = alpha_for(X, y, share)
    model = GroupLassoClassifier(
        alpha, groups=groups, feature_weights=omega, fit_intercept=fit_intercept, tol=1e-9
    ).fit(X, y, s)
    ours = group_lasso_log_objective(
        X, y, model.coef_, model.intercept_, alpha, groups, omega, sample_weight=s
    )
    theirs = cvxpy_minimum(X, y, alpha, groups, omega, s, fit_intercept)
    assert ours == pytest.approx(theirs, rel=1e-6)
    assert ours <= theirs * (1 + 1e-7)


@every_problem
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("weighted", [False, True])
def test_all_zero_at_alpha_max_and_not_below(name, fit_intercept, weighted):
    X, y = CLASSIFICATION_PROBLEMS[name]()
    s = some_weights(len(X)) if weighted else None
    alpha_max = alpha_for(X, y, 1, fit_intercept=fit_intercept, sample_weight=s)
    empty = GroupLassoClassifier(alpha_max * (1 + 1e-9), fit_intercept=fit_intercept).fit(X, y, s)
    assert not empty.coef_.any()
    shares = np.bincount(y, s) / (len(y) if s is None else s.sum())
    expected = shares if fit_intercept else np.full(len(shares), 1 / len(shares))
    np.testing.assert_allclose(empty.predict_proba(X[:3]), [expected] * 3, rtol=1e-12)
    assert empty.dual_gap_ <= 1e-8
    empty.set_params(alpha=alpha_max * (1 - 1e-4))
    assert empty.fit(X, y, s).coef_.any()


def test_an_empty_model_says_so_when_it_selects():
    X, y = simulate_classes()
    model = GroupLassoClassifier(10.0).fit(X, y)
    with pytest.warns(UserWarning, match="No features were selected"):
        assert model.transform(X).shape == (len(X), 0)


@every_problem
@pytest.mark.parametrize("tol", [1e-1, 1e-3, 1e-6])
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_dual_gap_bounds_the_distance_to_the_minimum(name, tol, fit_intercept):
    X, y = CLASSIFICATION_PROBLEMS[name]()
    alpha = alpha_for(X, y, 0.1, fit_intercept=fit_intercept)
    options = {"fit_intercept": fit_intercept}
    model, best = (GroupLassoClassifier(alpha, tol=t, **options).fit(X, y) for t in (tol, 1e-9))
    value, least = (
        group_lasso_log_objective(X, y, m.coef_, m.intercept_, alpha) for m in (model, best)
    )
    assert value - least <= model.dual_gap_ + 1e-12 * value
    assert model.dual_gap_ <= tol * np.log(y.max() + 1)


def test_dual_gap_with_unpenalised_features():
    X, y = simulate_classes(60, 6, 3)
    omega = np.array([0, 1, 1, 2, 0.5, 0])
    for tol in (1e-1, 1e-6):
        model = GroupLassoClassifier(0.03, feature_weights=omega, tol=tol).fit(X, y)
        value = group_lasso_log_objective(X, y, model.coef_, model.intercept_, 0.03, weights=omega)
        least = cvxpy_minimum(X, y, 0.03, np.arange(6), omega, np.ones(60), True)
        assert -1e-7 <= value - least <= model.dual_gap_ + 1e-7
