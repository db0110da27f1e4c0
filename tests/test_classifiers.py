"""The classifiers: the problems they say they solve, and scikit-learn's conventions."""

import pickle
import signal
import string
import time
import warnings
from contextlib import contextmanager
from functools import cache

import cvxpy as cp
import numpy as np
import pandas as pd
import pytest
import sklearn
from scipy import sparse
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score
from sklearn.model_selection import (
    GridSearchCV,
    cross_val_predict,
    cross_val_score,
    cross_validate,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import check_estimator
from sklearn.utils.fixes import parse_version

from oracles import (
    bridge,
    bridge_log_objective,
    brute_force_log_bridge,
    fista_logistic,
    group_lasso_log_objective,
    group_sum,
    indicators_of,
    log_loss,
)
from problems import CLASSIFICATION_PROBLEMS, random_small_classes, simulate_classes
from shrinklin import (
    CoordinateDescent,
    GroupLassoClassifier,
    ProximalNewton,
    ShrinkNetClassifier,
)
from shrinklin.estimators.base import prepare
from shrinklin.factored import bridge_strength

ESTIMATORS = [GroupLassoClassifier(), ShrinkNetClassifier(), ShrinkNetClassifier(p=1)]
every_estimator = pytest.mark.parametrize("estimator", ESTIMATORS, ids=repr)
every_problem = pytest.mark.parametrize("name", CLASSIFICATION_PROBLEMS)
every_number_of_classes = pytest.mark.parametrize("n_classes", [2, 3])


@pytest.mark.parametrize("estimator", ESTIMATORS[:2], ids=repr)
@pytest.mark.filterwarnings("ignore:No features were selected", "ignore:.* keeps no feature")
@pytest.mark.untraced
def test_check_estimator(estimator):
    results = check_estimator(estimator, on_skip=None)
    assert {result["status"] for result in results} == {"passed"}
    assert len(results) > 50


def alpha_for(X, codes, share, *, fit_intercept=True, sample_weight=None):
    """A share of the least alpha with an empty group lasso."""
    Y = indicators_of(codes)
    s = np.ones(len(X)) if sample_weight is None else sample_weight
    n_classes = 2 if Y.shape[1] == 1 else Y.shape[1]
    P = np.average(Y, axis=0, weights=s) if fit_intercept else 1 / n_classes
    gradient = X.T @ (s[:, None] * (P - Y)) / s.sum()
    return share * np.linalg.norm(gradient, axis=1).max()


def l1_logistic_regression(alpha, n_samples, **options):
    """scikit-learn's name for the same problem."""
    l1 = {"l1_ratio": 1.0}
    if parse_version(sklearn.__version__) < parse_version("1.8"):
        l1 = {"penalty": "l1"}
    options = {"tol": 1e-12, "max_iter": 200_000, "random_state": 0, **options}
    return LogisticRegression(C=1 / (n_samples * alpha), **l1, **options)


def some_weights(n_samples):
    return np.random.default_rng(0).uniform(0.2, 3, n_samples)


# --- group lasso


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


# --- ShrinkNet


@cache
def least(seed, p):
    """A problem X, y, alpha, and its minimum by brute force."""
    X, y = random_small_classes(seed)
    alpha = alpha_for(X, y, 10 ** -np.random.default_rng(seed).uniform(0.05, 2))
    return (X, y, alpha), brute_force_log_bridge(X, y, alpha, p)


def excess_over_brute_force(find, p, n_problems):
    """Relative excess of `find(X, y, alpha)` over brute force, on every problem."""
    problems = [least(seed, p) for seed in range(n_problems)]
    return np.array([find(*problem) / best - 1 for problem, best in problems])


@pytest.mark.parametrize(("p", "n_problems"), [(2, 60), (1, 30)])
@pytest.mark.untraced
def test_global_optimum_in_98_percent(p, n_problems):
    def fitted(X, y, alpha):
        model = ShrinkNetClassifier(alpha, p=p).fit(X, y)
        return bridge_log_objective(X, y, model.coef_, model.intercept_, alpha, p)

    excess = excess_over_brute_force(fitted, p, n_problems)
    assert np.mean(excess > 1e-6) <= 0.02
    assert excess.max() < 1e-2
    # The oracle is one only if nothing ever beats it.
    assert excess.min() > -1e-7


def test_one_descent_alone_would_be_rejected():
    def descended(X, y, alpha):
        _, objective, _ = prepare(ShrinkNetClassifier(alpha), X, y, None)
        start = np.zeros(objective.shape)
        return ProximalNewton().solve(objective, start, tol=1e-8, max_iter=1000).value

    assert np.mean(excess_over_brute_force(descended, 2, 20) > 1e-6) > 0.02


@pytest.mark.parametrize("p", [1, 2])
@pytest.mark.parametrize("seed", range(100, 106))
@pytest.mark.untraced
def test_never_worse_than_zero_warm_start_or_group_lasso(p, seed):
    X, y = random_small_classes(seed)
    alpha = alpha_for(X, y, 0.2)

    def value(model):
        return bridge_log_objective(X, y, model.coef_, model.intercept_, alpha, p)

    model = ShrinkNetClassifier(alpha / 3, p=p, warm_start=True).fit(X, y)
    empty, lasso = (GroupLassoClassifier(a).fit(X, y) for a in (100 * alpha, alpha))
    assert not empty.coef_.any()
    rivals = [value(rival) for rival in (model, empty, lasso)]
    model.set_params(alpha=alpha).fit(X, y)
    assert value(model) <= min(rivals) * (1 + 1e-9)


@pytest.mark.parametrize("name", ["three classes", "two classes", "wide", "iris"])
@pytest.mark.parametrize("p", [1, 2])
@pytest.mark.parametrize("weight_decay", [None, 0.03])
def test_switches_times_weights_are_the_coefficients(name, p, weight_decay):
    X, y = CLASSIFICATION_PROBLEMS[name]()
    model = ShrinkNetClassifier(0.05, p=p, weight_decay=weight_decay).fit(X, y)
    assert model.get_support().any()
    np.testing.assert_array_equal(model.coef_, model.weight_ * model.switch_)
    np.testing.assert_array_equal(model.switch_ != 0, model.get_support())
    assert (model.switch_ >= 0).all()
    assert model.weight_.shape == model.coef_.shape
    assert model.switch_.shape == (X.shape[1],)


@every_number_of_classes
@pytest.mark.parametrize("p", [1, 2])
@pytest.mark.parametrize("groups", [None, [0, 0, 1, 1, 1, 2, 2, 3, 3, 3, 4, 4]])
def test_factored_objective_is_the_bridge_objective(n_classes, p, groups):
    X, y = simulate_classes(60, 12, n_classes)
    alpha, decay = 0.04, 0.01
    model = ShrinkNetClassifier(alpha, p=p, weight_decay=decay, groups=groups).fit(X, y)
    labels = list(range(12)) if groups is None else groups
    omega = np.ones(12) if groups is None else np.sqrt(np.bincount(groups)[groups])
    loss = log_loss(X, y, model.coef_, model.intercept_)
    kappa = bridge_strength(alpha, decay, p)
    as_bridge = loss + kappa * group_sum(model.coef_, labels, bridge(p), omega)
    # A group has one switch: λ counts once a group, not once a feature.
    switches = sum(omega[j] * model.switch_[j] for j in np.unique(labels, return_index=True)[1])
    weights = group_sum(model.weight_, labels, lambda a: (np.abs(a) ** p).sum(), omega)
    as_factored = loss + alpha * switches + decay * weights
    assert model.coef_.any()
    assert as_factored == pytest.approx(as_bridge, rel=1e-10)


@pytest.mark.parametrize("p", [1, 2])
def test_equal_strength_gives_equal_coefficients(p):
    X, y = simulate_classes(60, 8, 3)
    reference = ShrinkNetClassifier(0.03, p=p).fit(X, y)
    assert reference.coef_.any()
    for alpha in (0.003, 1.0):
        # κ = (1 + 1/p) λ^{p/(p+1)} (p λ₂)^{1/(p+1)} = 0.03, solved for λ₂.
        decay = (0.03 / (1 + 1 / p)) ** (p + 1) / alpha**p / p
        model = ShrinkNetClassifier(alpha, weight_decay=decay, p=p).fit(X, y)
        np.testing.assert_allclose(model.coef_, reference.coef_, atol=1e-6)
    wrong = ShrinkNetClassifier(0.03, weight_decay=1.1 * 0.03 * 4 / 27, p=p).fit(X, y)
    assert np.abs(wrong.coef_ - reference.coef_).max() > 1e-4


def test_shrinknet_keeps_fewer_features_at_the_same_fit():
    X, y = CLASSIFICATION_PROBLEMS["wine"]()
    lasso = GroupLassoClassifier(0.03).fit(X, y)
    target = log_loss(X, y, lasso.coef_, lasso.intercept_)
    kept = [
        model.get_support().sum()
        for model in (ShrinkNetClassifier(a).fit(X, y) for a in np.geomspace(0.1, 0.01, 5))
        if log_loss(X, y, model.coef_, model.intercept_) <= target
    ]
    assert min(kept) <= 0.7 * lasso.get_support().sum()


# --- weights of samples and classes


def assert_same_model(one, other, atol=1e-6):
    np.testing.assert_allclose(one.coef_, other.coef_, atol=atol)
    np.testing.assert_allclose(one.intercept_, other.intercept_, atol=atol)


def fitted(estimator, X, y, sample_weight=None, **parameters):
    return clone(estimator).set_params(**{"tol": 1e-9, **parameters}).fit(X, y, sample_weight)


@every_estimator
@every_number_of_classes
def test_sample_weights_are_repeated_rows(estimator, n_classes):
    X, y = simulate_classes(40, 6, n_classes)
    s = np.random.default_rng(0).integers(0, 4, 40)
    weighted = fitted(estimator, X, y, s, alpha=0.03)
    assert weighted.coef_.any()
    assert_same_model(weighted, fitted(estimator, X, y, 0.1 * s, alpha=0.03))
    repeated = np.repeat(X, s, axis=0), np.repeat(y, s)
    assert_same_model(weighted, fitted(estimator, *repeated, alpha=0.03))
    assert_same_model(weighted, fitted(estimator, X[s > 0], y[s > 0], s[s > 0], alpha=0.03))
    plain = fitted(estimator, X, y, alpha=0.03)
    assert np.abs(plain.coef_ - weighted.coef_).max() > 1e-3


@every_estimator
@every_number_of_classes
def test_class_weights_are_sample_weights(estimator, n_classes):
    X, y = simulate_classes(60, 6, n_classes, noise=2)
    labels = np.array(["first", "second", "third"])[y]
    s = some_weights(60)
    by_class = fitted(estimator, X, labels, s, class_weight={"second": 4.0}, alpha=0.03)
    assert by_class.coef_.any()
    assert_same_model(by_class, fitted(estimator, X, y, s * np.where(y == 1, 4, 1), alpha=0.03))
    plain = fitted(estimator, X, labels, s, alpha=0.03)
    assert np.abs(plain.coef_ - by_class.coef_).max() > 1e-3


@every_estimator
@every_number_of_classes
def test_balanced_classes_have_equal_total_weight(estimator, n_classes):
    X, y = simulate_classes(60, 6, n_classes, noise=2)
    keep = (y == 0) | (np.arange(60) % 3 == 0)
    X, y, s = X[keep], y[keep], some_weights(keep.sum())
    balanced = fitted(estimator, X, y, s, class_weight="balanced", alpha=0.03)
    assert_same_model(balanced, fitted(estimator, X, y, s / np.bincount(y, s)[y], alpha=0.03))
    empty = fitted(estimator, X, y, s, class_weight="balanced", alpha=10)
    np.testing.assert_allclose(empty.predict_proba(X[:1]), 1 / n_classes, rtol=1e-12)


# --- symmetries and scales


@every_estimator
@every_number_of_classes
@pytest.mark.parametrize("container", ["csr_array", "csc_matrix"])
def test_sparse_equals_dense(estimator, n_classes, container):
    X, y = simulate_classes(60, 8, n_classes)
    X[np.abs(X) < 1] = 0
    dense = fitted(estimator, X, y, alpha=0.03)
    X_sparse = getattr(sparse, container)(X)
    model = fitted(estimator, X_sparse, y, alpha=0.03)
    assert_same_model(model, dense)
    for method in ("decision_function", "predict_proba", "predict_log_proba"):
        of_sparse, of_dense = getattr(model, method)(X_sparse), getattr(dense, method)(X)
        np.testing.assert_allclose(of_sparse, of_dense, atol=1e-5)
    assert model.transform(X_sparse).shape[1] == model.get_support().sum()


@every_estimator
@pytest.mark.parametrize("mean", [1e3, 1e6])
def test_columns_far_from_zero_keep_their_digits(estimator, mean):
    X, y = simulate_classes(60, 6, 3)
    far = X.copy()
    far[:, :3] += mean
    near = fitted(estimator, X, y, alpha=0.03, tol=1e-6)
    assert near.coef_[:, :3].any()
    for container in (np.asarray, sparse.csr_array):
        model = fitted(estimator, container(far), y, alpha=0.03, tol=1e-6)
        np.testing.assert_allclose(model.coef_, near.coef_, atol=1e-5)


@every_estimator
@pytest.mark.parametrize("groups", [None, np.array(list("aabbcdef"))])
def test_permuting_features_permutes_coefficients(estimator, groups):
    X, y = simulate_classes(60, 8, 3)
    order = np.random.default_rng(0).permutation(8)
    straight = fitted(estimator, X, y, groups=groups, alpha=0.03)
    permuted = None if groups is None else groups[order]
    model = fitted(estimator, X[:, order], y, groups=permuted, alpha=0.03)
    np.testing.assert_allclose(model.coef_, straight.coef_[:, order], atol=1e-6)


@every_estimator
def test_permuting_classes_permutes_rows(estimator):
    X, y = simulate_classes(80, 8, 5)
    order = np.array([2, 0, 4, 3, 1])
    straight = fitted(estimator, X, y, alpha=0.03)
    permuted = fitted(estimator, X, np.argsort(order)[y], alpha=0.03)
    assert straight.coef_.any()
    np.testing.assert_allclose(permuted.coef_, straight.coef_[order], atol=1e-6)
    np.testing.assert_allclose(permuted.intercept_, straight.intercept_[order], atol=1e-6)
    np.testing.assert_allclose(permuted.predict_proba(X), straight.predict_proba(X)[:, order],
                               atol=1e-6)  # fmt: skip


@every_estimator
def test_swapping_two_classes_changes_the_sign(estimator):
    X, y = simulate_classes(60, 8, 2)
    straight, swapped = (fitted(estimator, X, codes, alpha=0.03) for codes in (y, 1 - y))
    assert straight.coef_.any()
    np.testing.assert_allclose(swapped.coef_, -straight.coef_, atol=1e-6)
    np.testing.assert_allclose(swapped.intercept_, -straight.intercept_, atol=1e-6)


@every_estimator
@pytest.mark.parametrize(
    "labels",
    [
        np.array(["ash", "birch", "cedar"]),
        np.array(["ash", "birch", "cedar"], dtype=object),
        np.array([-7, 0, 12]),
        np.array([0.0, 1.0, 4.0]),
    ],
)
def test_labels_are_only_names(estimator, labels):
    X, y = simulate_classes(60, 6, 3)
    plain = clone(estimator).set_params(alpha=0.1).fit(X, y)
    model = clone(estimator).set_params(alpha=0.1).fit(X, labels[y])
    np.testing.assert_array_equal(model.classes_, labels)
    np.testing.assert_array_equal(model.coef_, plain.coef_)
    np.testing.assert_array_equal(model.predict(X), labels[plain.predict(X)])
    from_list = clone(estimator).set_params(alpha=0.1).fit(X.tolist(), list(labels[y]))
    np.testing.assert_array_equal(from_list.coef_, plain.coef_)


@every_estimator
def test_coefficients_of_the_classes_are_centred(estimator):
    X, y = simulate_classes(80, 8, 5)
    model = fitted(estimator, X, y, alpha=0.03)
    assert model.coef_.any()
    # ‖w‖₁ is least about the median, which an odd number of classes makes unique.
    centre = np.mean if getattr(estimator, "p", 2) == 2 else np.median
    np.testing.assert_allclose(centre(model.coef_, axis=0), 0, atol=1e-6)
    shift = model.coef_.sum(axis=0) @ X.mean(axis=0)
    assert model.intercept_.sum() == pytest.approx(-shift, abs=1e-8)


@every_estimator
@pytest.mark.parametrize("weights", [None, [0, 1, 1, 1, 1, 1, 1, 1]], ids=["all", "but one"])
def test_coefficients_are_centred_without_an_intercept_too(estimator, weights):
    # A shift by the same for all classes changes no probability, and the norm by little: a weak
    # penalty alone does not tell it from rounding.
    X, y = simulate_classes(80, 8, 5)
    model = clone(estimator).set_params(fit_intercept=False, feature_weights=weights)
    coef = fitted(model, X, y, alpha=1e-5).coef_
    if getattr(estimator, "p", 2) == 1:
        coef = coef[:, :1] if weights else np.zeros(1)
    np.testing.assert_allclose(coef.sum(axis=0), 0, atol=1e-13 * np.abs(coef).max())


@every_estimator
@every_number_of_classes
def test_feature_weights_are_column_scales(estimator, n_classes):
    # Group lasso: divide by ω; bridge p = 2: by ω^{3/2}; p = 1: by ω².
    X, y = simulate_classes(60, 6, n_classes)
    omega = np.random.default_rng(0).uniform(0.3, 3, 6)
    exponent = {None: 1, 2: 1.5, 1: 2}[getattr(estimator, "p", None)]
    weighted = fitted(estimator, X, y, feature_weights=omega, alpha=0.03)
    scaled = fitted(estimator, X / omega**exponent, y, alpha=0.03)
    np.testing.assert_allclose(weighted.coef_, scaled.coef_ / omega**exponent, atol=1e-6)
    other = fitted(estimator, X / omega ** (exponent + 0.5), y, alpha=0.03)
    assert np.abs(weighted.coef_ - other.coef_ / omega ** (exponent + 0.5)).max() > 1e-3


@every_estimator
@every_number_of_classes
def test_unpenalised_features_stay_in(estimator, n_classes):
    X, y = simulate_classes(60, 6, n_classes, noise=3)
    omega = np.ones(6)
    omega[[1, 4]] = 0
    model = fitted(estimator, X, y, feature_weights=omega, alpha=1e3)
    expected = LogisticRegression(C=np.inf, tol=1e-10, max_iter=1000).fit(X[:, [1, 4]], y)
    np.testing.assert_array_equal(np.flatnonzero(model.get_support()), [1, 4])
    np.testing.assert_allclose(model.predict_proba(X), expected.predict_proba(X[:, [1, 4]]),
                               atol=1e-6)  # fmt: skip


@pytest.mark.parametrize("estimator", ESTIMATORS[:2], ids=repr)
def test_groups_enter_together(estimator):
    X, y = simulate_classes(60, 9, 3)
    groups = np.tile(["x", "y", "z"], 3)
    sizes = set()
    for alpha in (0.02, 0.05, 0.1, 0.2):
        support = clone(estimator).set_params(alpha=alpha, groups=groups).fit(X, y).get_support()
        assert all(len(set(support[groups == g])) == 1 for g in "xyz")
        sizes.add(support.sum())
    assert len(sizes) > 1


@every_estimator
def test_groups_of_one_are_no_groups(estimator):
    X, y = simulate_classes(60, 8, 3)
    plain = fitted(estimator, X, y, alpha=0.03)
    assert_same_model(fitted(estimator, X, y, groups=np.arange(8)[::-1], alpha=0.03), plain)


# --- memory, types, repetition


@every_estimator
@every_number_of_classes
def test_float32_stays_and_agrees(estimator, n_classes):
    X, y = simulate_classes(60, 8, n_classes)
    estimator = clone(estimator).set_params(alpha=0.03)
    double = clone(estimator).fit(X, y)
    single = clone(estimator).fit(X.astype(np.float32), y)
    assert single.coef_.dtype == single.intercept_.dtype == np.float32
    np.testing.assert_allclose(single.coef_, double.coef_, atol=1e-5)
    probabilities = single.predict_proba(X.astype(np.float32))
    np.testing.assert_allclose(probabilities, double.predict_proba(X), atol=1e-5)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-6)
    if hasattr(single, "weight_"):
        np.testing.assert_array_equal(single.coef_, single.weight_ * single.switch_)


@every_estimator
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_read_only_memory_map(estimator, dtype, tmp_path):
    X, y = simulate_classes(60, 6, 3)
    np.save(tmp_path / "X.npy", X.astype(dtype))
    mapped = np.load(tmp_path / "X.npy", mmap_mode="r")
    y.flags.writeable = False
    model = clone(estimator).set_params(alpha=0.03).fit(mapped, y)
    other = clone(estimator).set_params(alpha=0.03).fit(X.astype(dtype), y)
    np.testing.assert_array_equal(model.coef_, other.coef_)


@every_estimator
def test_data_are_left_as_they_were(estimator):
    X, y = simulate_classes(60, 6, 3)
    s = some_weights(60)
    before = X.copy(), y.copy(), s.copy()
    model = clone(estimator).set_params(class_weight="balanced").fit(X, y, s)
    model.predict_proba(X)
    for array, old in zip((X, y, s), before, strict=True):
        np.testing.assert_array_equal(array, old)


@every_estimator
def test_same_bits_again(estimator):
    X, y = simulate_classes(60, 15, 3, 8, correlation=0.8)
    first, second = (clone(estimator).set_params(alpha=0.02).fit(X, y) for _ in range(2))
    np.testing.assert_array_equal(first.coef_, second.coef_)
    np.testing.assert_array_equal(first.intercept_, second.intercept_)


@every_estimator
@every_number_of_classes
def test_warm_start_saves_sweeps_and_survives_another_shape(estimator, n_classes):
    X, y = simulate_classes(100, 15, n_classes, 8, correlation=0.9)
    model = clone(estimator).set_params(alpha=0.01, warm_start=True).fit(X, y)
    cold, coef = model.n_iter_, model.coef_.copy()
    model.fit(X, y)
    if isinstance(estimator, GroupLassoClassifier):  # ShrinkNet's n_iter_ is its last descent's
        assert model.n_iter_ <= 2 < cold
    np.testing.assert_allclose(model.coef_, coef, atol=1e-4)
    model.fit(X[:, :7], y)
    assert model.coef_.shape == (*coef.shape[:-1], 7)


def test_warm_start_survives_other_classes():
    X, y = simulate_classes(60, 6, 4)
    model = GroupLassoClassifier(0.02, warm_start=True, tol=1e-9).fit(X, y)
    for merged in (y % 3, y % 2, y):
        model.fit(X, merged)
        assert_same_model(model, GroupLassoClassifier(0.02, tol=1e-9).fit(X, merged))


def test_warm_start_knows_the_order_of_groups():
    X, y = simulate_classes(100, 20, 3, 10, correlation=0.9)
    groups = np.random.default_rng(0).integers(0, 8, 20)
    model = GroupLassoClassifier(0.01, groups=groups, warm_start=True).fit(X, y)
    cold = model.n_iter_
    assert model.fit(X, y).n_iter_ <= 2 < cold


# --- awkward data


def _separable(X, y):
    return X + 100 * y[:, None], y, None


def _one_of_a_class(X, y):
    y = np.where(y == 2, 0, y)
    y[5] = 2
    return X, y, None


def _letters(X, y):
    return np.concatenate([X, -X + 1]), np.arange(2 * len(y)) % 26, None


def _imbalance(X, y):
    rng = np.random.default_rng(1)
    return rng.normal(size=(2000, 3)), np.r_[1, np.zeros(1999, dtype=int)], None


AWKWARD = {
    "separable": _separable,
    "separable, two classes": lambda X, y: (100 * X, (X[:, 0] > 0).astype(int), None),
    "one sample of a class": _one_of_a_class,
    "26 classes": _letters,
    "constant": lambda X, y: (np.where(np.arange(5) == 3, 7.1, X), y, None),
    "all constant": lambda X, y: (np.ones_like(X), y, None),
    "one constant feature": lambda X, y: (np.ones_like(X[:, :1]), y, None),
    "one feature": lambda X, y: (X[:, :1], y, None),
    "duplicates": lambda X, y: (X[:, [0, 0, 1, 1, 2]], y, None),
    "p > n": lambda X, y: (X[:4], y[:4], None),
    "two samples": lambda X, y: (X[:2], y[:2], None),
    "scales 1e-8 and 1e8": lambda X, y: (X * 10.0 ** np.array([-8, 8, 0, -8, 8]), y, None),
    "zero weights": lambda X, y: (X, y, (np.arange(len(X)) % 2).astype(float)),
    "a class without weight": lambda X, y: (X, y, (y != 2).astype(float)),
    "weights 1e-12 to 1e12": lambda X, y: (X, y, 10.0 ** np.linspace(-12, 12, len(X))),
    "imbalance": _imbalance,
    "integers": lambda X, y: (np.round(5 * X).astype(int), y, None),
}


@contextmanager
def at_most(seconds):
    """Fail where the block takes longer, instead of waiting for it."""

    def give_up(*_):
        pytest.fail(f"took more than {seconds} s")

    if hasattr(signal, "setitimer"):
        previous = signal.signal(signal.SIGALRM, give_up)
        signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        if hasattr(signal, "setitimer"):
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, previous)


@every_estimator
@pytest.mark.parametrize("kind", AWKWARD)
@pytest.mark.parametrize("alpha", [0, 0.01])
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.untraced
def test_awkward_data(estimator, kind, alpha):
    X, y, s = AWKWARD[kind](*simulate_classes(30, 5, 3))
    with at_most(10):
        model = clone(estimator).set_params(alpha=alpha).fit(X, y, s)
    assert np.isfinite(model.coef_).all()
    assert np.isfinite(model.intercept_).all()
    probabilities = model.predict_proba(X)
    assert np.isfinite(probabilities).all()
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-12)
    s = np.ones(len(y)) if s is None else s
    shares = np.bincount(y, s) / s.sum()
    logs = model.predict_log_proba(X)[np.arange(len(y)), y]
    fitted_loss = -(s[s > 0] @ logs[s > 0]) / s.sum()
    assert fitted_loss <= -(shares[shares > 0] @ np.log(shares[shares > 0])) * (1 + 1e-9)
    if alpha > 0:
        assert model.residual_ <= model.tol
    if kind in ("constant", "all constant"):
        assert not model.get_support()[3]


@pytest.mark.parametrize("kind", ["p > n", "zero weights", "one sample of a class"])
def test_a_weak_penalty_with_p_1_takes_no_eternity(kind):
    X, y, s = AWKWARD[kind](*simulate_classes(30, 5, 3))
    with at_most(5):
        model = ShrinkNetClassifier(1e-3, p=1).fit(X, y, s)
    assert model.residual_ <= model.tol


@every_estimator
def test_scales_of_features_are_told_to_the_penalty_alone(estimator):
    # No penalty, no units: the same probabilities.
    X, y = simulate_classes(80, 5, 3, noise=3)
    scale = 10.0 ** np.array([-8, 8, 0, -4, 4])
    model, scaled = (fitted(estimator, x, y, alpha=0) for x in (X, X * scale))
    np.testing.assert_allclose(model.predict_proba(X), scaled.predict_proba(X * scale), atol=1e-6)


@pytest.mark.parametrize("n_classes", [2, 6, 14, 26])
def test_many_classes(n_classes):
    X, y = simulate_classes(120, 6, n_classes)
    letters = np.array(list(string.ascii_uppercase))
    model = GroupLassoClassifier(alpha_for(X, y, 0.1)).fit(X, letters[y])
    np.testing.assert_array_equal(model.classes_, letters[:n_classes])
    assert model.coef_.shape == (1 if n_classes == 2 else n_classes, 6)
    assert model.dual_gap_ <= 1e-5
    assert model.score(X, letters[y]) > 1 / n_classes


@every_estimator
def test_separable_data_without_penalty_are_told_apart(estimator):
    X, y, _ = _separable(*simulate_classes(30, 5, 3))
    model = clone(estimator).set_params(alpha=0)
    with at_most(10), pytest.warns(ConvergenceWarning):
        model.fit(X, y)
    assert model.score(X, y) == 1
    assert log_loss(X, y, model.coef_, model.intercept_) < 1e-4


# --- predictions


def by_hand(model, X):
    """Raw predictions, probabilities and labels, sample by sample."""
    raw, probabilities, labels = [], [], []
    for x in X:
        z = [float(np.dot(w, x) + b) for w, b in zip(model.coef_, model.intercept_, strict=True)]
        raw.append(z[0] if len(z) == 1 else z)
        e = np.exp([0.0, *z] if len(z) == 1 else z)
        probabilities.append(e / e.sum())
        labels.append(model.classes_[np.argmax(e)])
    return np.array(raw), np.array(probabilities), np.array(labels)


@every_estimator
@pytest.mark.parametrize("n_classes", [2, 3, 5])
def test_predictions_agree_with_each_other_and_by_hand(estimator, n_classes):
    X, y = simulate_classes(60, 6, n_classes)
    labels = np.array(list("abcde"))[y]
    model = clone(estimator).set_params(alpha=0.03).fit(X, labels)
    raw, probabilities, predicted = by_hand(model, X)
    np.testing.assert_allclose(model.decision_function(X), raw, atol=1e-12)
    np.testing.assert_allclose(model.predict_proba(X), probabilities, rtol=1e-12)
    np.testing.assert_allclose(model.predict_log_proba(X), np.log(probabilities), atol=1e-12)
    np.testing.assert_array_equal(model.predict(X), predicted)
    s = some_weights(60)
    assert model.score(X, labels, s) == accuracy_score(labels, predicted, sample_weight=s)


@every_estimator
@pytest.mark.parametrize("n_classes", [2, 3, 5])
def test_shapes_are_those_of_logistic_regression(estimator, n_classes):
    X, y = simulate_classes(60, 6, n_classes)
    ours, theirs = clone(estimator).fit(X, y), LogisticRegression().fit(X, y)
    for attribute in ("coef_", "intercept_", "classes_"):
        assert getattr(ours, attribute).shape == getattr(theirs, attribute).shape
    for method in ("decision_function", "predict_proba", "predict_log_proba", "predict"):
        assert getattr(ours, method)(X).shape == getattr(theirs, method)(X).shape


@every_number_of_classes
def test_log_probabilities_next_to_zero(n_classes):
    X, y = simulate_classes(60, 6, n_classes)
    model = GroupLassoClassifier(0.03).fit(X, y)
    far = 1e5 * X
    logs = model.predict_log_proba(far)
    assert np.isfinite(logs).all()
    assert logs.min() < -1e4
    np.testing.assert_allclose(np.exp(logs).sum(axis=1), 1, rtol=1e-12)
    np.testing.assert_array_equal(model.classes_[logs.argmax(axis=1)], model.predict(far))


def test_without_an_intercept_it_is_zero():
    X, y = simulate_classes(60, 6, 3)
    model = GroupLassoClassifier(0.03, fit_intercept=False).fit(X, y)
    np.testing.assert_array_equal(model.intercept_, np.zeros(3))


# --- scikit-learn


@every_estimator
def test_in_pipeline_grid_search_and_cross_validation(estimator):
    X, y = simulate_classes(60, 5, 3)
    model = make_pipeline(StandardScaler(), estimator)
    name = type(estimator).__name__.lower()
    search = GridSearchCV(model, {f"{name}__alpha": [0.02, 0.2]}, n_jobs=2, cv=3).fit(X, y)
    assert search.best_score_ > 0.5
    by_hand = [
        cross_val_score(clone(model).set_params(**p), X, y, cv=3).mean()
        for p in search.cv_results_["params"]
    ]
    np.testing.assert_array_equal(search.cv_results_["mean_test_score"], by_hand)


@every_estimator
def test_probabilities_by_cross_validation_and_calibration(estimator):
    X, y = simulate_classes(60, 5, 3)
    model = clone(estimator).set_params(alpha=0.03)
    probabilities = cross_val_predict(model, X, y, cv=3, method="predict_proba")
    assert probabilities.shape == (60, 3)
    calibrated = CalibratedClassifierCV(model, cv=3).fit(X, y)
    for P in (probabilities, calibrated.predict_proba(X)):
        np.testing.assert_allclose(P.sum(axis=1), 1, rtol=1e-12)
        assert np.mean(P.argmax(axis=1) == y) > 0.5


@every_estimator
def test_pickle_and_clone(estimator):
    X, y = simulate_classes(40, 5, 3)
    model = clone(estimator).set_params(alpha=0.02, solver=ProximalNewton()).fit(X, y)
    copy = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(copy.predict_proba(X), model.predict_proba(X))
    assert clone(model).get_params()["alpha"] == 0.02
    assert not hasattr(clone(model), "coef_")


@every_estimator
def test_as_a_selection_step(estimator):
    X, y = simulate_classes(60, 8, 3)
    model = make_pipeline(clone(estimator), LogisticRegression()).fit(X, y)
    support = model[0].get_support()
    assert 0 < support.sum() < 8
    np.testing.assert_array_equal(model[0].transform(X), X[:, support])
    np.testing.assert_array_equal(model[0].get_support(indices=True), np.flatnonzero(support))


@every_estimator
def test_names_of_data_frames(estimator):
    X, y = simulate_classes(60, 6, 3, 2)
    frame = pd.DataFrame(X, columns=list("abcdef"), index=np.arange(60) + 7)
    model = clone(estimator).fit(frame, pd.Series(y).map({0: "x", 1: "y", 2: "z"}))
    names = model.get_feature_names_out()
    assert 0 < len(names) < 6
    np.testing.assert_array_equal(names, np.array(list("abcdef"))[model.get_support()])
    np.testing.assert_array_equal(model.feature_names_in_, list("abcdef"))
    np.testing.assert_array_equal(model.classes_, ["x", "y", "z"])
    model.set_output(transform="pandas")
    selected = model.transform(frame)
    assert list(selected.columns) == list(names)
    assert selected.index.equals(frame.index)


@every_estimator
def test_sample_weight_is_routed(estimator):
    X, y = simulate_classes(60, 5, 3)
    s = np.random.default_rng(0).uniform(0, 1, 60)
    folds = [(np.arange(40), np.arange(40, 60))]
    with sklearn.config_context(enable_metadata_routing=True):
        model = clone(estimator).set_fit_request(sample_weight=True)
        model.set_score_request(sample_weight=True)
        result = cross_validate(
            model, X, y, params={"sample_weight": s}, cv=folds, return_estimator=True
        )
    expected = clone(estimator).fit(X[:40], y[:40], sample_weight=s[:40])
    np.testing.assert_array_equal(result["estimator"][0].coef_, expected.coef_)
    assert result["test_score"][0] == expected.score(X[40:], y[40:], sample_weight=s[40:])


# --- what it says

X_OK, Y_OK = simulate_classes(20, 4, 3)


TEXT = np.array(["a", "b"] * 10, dtype=object)


def _with(value, array=X_OK):
    plain = isinstance(value, float) and array.dtype != object
    array = array.astype(type(value) if plain else object)
    array.flat[0] = value
    return array


@every_estimator
@pytest.mark.parametrize(
    ("arguments", "parameters", "error", "message"),
    [
        ((_with(np.nan), Y_OK), {}, ValueError, "Input X contains NaN"),
        ((_with(np.inf), Y_OK), {}, ValueError, "Input X contains infinity"),
        ((_with("tall"), Y_OK), {}, ValueError, "was given text .*'tall'.*Encode text columns"),
        ((X_OK + 0j, Y_OK), {}, ValueError, "Complex data not supported"),
        ((X_OK, _with(np.nan, Y_OK)), {}, ValueError, "Input y contains NaN"),
        ((X_OK, _with(None, Y_OK)), {}, ValueError, "labels must be all numbers"),
        ((X_OK, _with(None, TEXT)), {}, ValueError, "labels must be all numbers"),
        ((X_OK, _with(1, TEXT)), {}, ValueError, "labels must be all numbers"),
        ((X_OK, _with(np.nan, TEXT)), {}, ValueError, "some entries are missing"),
        ((X_OK, X_OK[:, 0]), {}, ValueError, "Unknown label type: continuous"),
        ((X_OK, np.c_[Y_OK, Y_OK]), {}, ValueError, r"1d array, got an array of shape \(20, 2\)"),
        ((X_OK, 0 * Y_OK), {}, ValueError, "y has one class, .*0.*at least two classes"),
        ((X_OK, Y_OK, Y_OK == 1), {}, ValueError, "y has one class, 1, on the rows whose"),
        ((X_OK[:7], Y_OK), {}, ValueError, r"samples: \[7, 20\]: give X and y the same rows"),
        ((X_OK, Y_OK, np.ones(7)), {}, ValueError, "inconsistent numbers of samples"),
        ((X_OK, Y_OK, np.zeros(20)), {}, ValueError, "sample_weight is zero on every row"),
        ((X_OK, Y_OK, -np.ones(20)), {}, ValueError, "20 negative entries"),
        ((X_OK, Y_OK, np.full(20, np.nan)), {}, ValueError, "sample_weight contains NaN"),
        ((X_OK, Y_OK, np.ones((20, 2))), {}, ValueError, r"sample_weight has shape \(20, 2\)"),
        ((X_OK, Y_OK), {"class_weight": "even"}, ValueError, "class_weight='even': give None, "),
        ((X_OK, Y_OK), {"class_weight": 3}, ValueError, "class_weight=3: give None, "),
        ((X_OK, Y_OK), {"class_weight": [1, 2, 3]}, ValueError, r"class_weight=\[1, 2, 3\]: give"),
        ((X_OK, Y_OK), {"class_weight": {0: -1}}, ValueError, r"class_weight\[0\]=-1: give"),
        ((X_OK, Y_OK), {"class_weight": {0: np.nan}}, ValueError, r"class_weight\[0\]=nan"),
        ((X_OK, Y_OK), {"class_weight": {0: np.inf}}, ValueError, r"class_weight\[0\]=inf"),
        ((X_OK, Y_OK), {"class_weight": {0: "a"}}, TypeError, r"class_weight\[0\]=.a. is not a"),
        ((X_OK, Y_OK), {"class_weight": {0: 2, 7: 1}}, ValueError, r"weights for \[7\], which are"),
        ((X_OK, Y_OK), {"class_weight": {0: 0, 1: 0}}, ValueError, "y has one class, .*2"),
        (
            (X_OK, Y_OK),
            {"class_weight": dict.fromkeys(range(3), 0)},
            ValueError,
            "y has no class on the rows whose",
        ),
        ((X_OK, Y_OK), {"alpha": -1}, ValueError, "alpha=-1: give a finite number >= 0"),
        ((X_OK, Y_OK), {"alpha": np.nan}, ValueError, "alpha=nan"),
        ((X_OK, Y_OK), {"alpha": "1"}, TypeError, "alpha='1' is not a number"),
        ((X_OK, Y_OK), {"tol": -1}, ValueError, "tol=-1"),
        ((X_OK, Y_OK), {"max_iter": 0}, ValueError, "max_iter=0"),
        ((X_OK, Y_OK), {"fit_intercept": "no"}, TypeError, "fit_intercept='no': give True or"),
        ((X_OK, Y_OK), {"warm_start": "yes"}, TypeError, "warm_start='yes': give True or"),
        ((X_OK, Y_OK), {"random_state": "x"}, ValueError, "'x' cannot be used to seed"),
        ((1e200 * X_OK, Y_OK), {}, ValueError, "some do not fit in float64"),
        ((1e-170 * X_OK, Y_OK), {}, ValueError, "some do not fit in float64"),
        ((X_OK, Y_OK), {"solver": "saga"}, ValueError, "solver='saga' is not a solver.*ProximalN"),
        ((X_OK, Y_OK), {"solver": CoordinateDescent()}, ValueError, "is not a solver.*ProximalN"),
        ((X_OK, Y_OK), {"groups": [1, 2]}, ValueError, "groups has 2 labels, X has 4"),
        ((X_OK, Y_OK), {"feature_weights": [1, 2]}, ValueError, "one weight a feature"),
    ],
)
def test_bad_input_gets_one_clear_sentence(estimator, arguments, parameters, error, message):
    with pytest.raises(error, match=message):
        clone(estimator).set_params(**parameters).fit(*arguments)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"p": "2"}, r"p='2' has no closed-form prox"),
        ({"p": 3}, r'p=3 has no closed-form prox: solver="auto" accepts p=1 or p=2'),
        ({"weight_decay": 0}, r"weight_decay=0 .*without a minimiser \(statement A.3"),
        ({"weight_decay": -1}, "weight_decay=-1: give a finite number >= 0"),
        ({"weight_decay": 0.1, "alpha": 0}, "alpha=0 with weight_decay=0.1"),
    ],
)
def test_shrinknet_says_what_it_cannot_solve(parameters, message):
    with pytest.raises(ValueError, match=message):
        ShrinkNetClassifier(**parameters).fit(X_OK, Y_OK)


@every_estimator
def test_another_number_of_features_is_refused(estimator):
    model = clone(estimator).fit(X_OK, Y_OK)
    for method in ("decision_function", "predict", "predict_proba", "predict_log_proba"):
        with pytest.raises(ValueError, match=r"X has 3 features, but .* is expecting 4"):
            getattr(model, method)(X_OK[:, :3])


@every_estimator
def test_not_converged_says_so_and_stays_usable(estimator):
    X, y = simulate_classes(100, 20, 3, 10, correlation=0.99, seed=1)
    model = clone(estimator).set_params(alpha=1e-3, max_iter=1, tol=1e-17)
    message = r"residual .* > tol=1e-17 after 1 sweeps \(max_iter=1\)\. (Increase|Further)"
    with pytest.warns(ConvergenceWarning, match=message):
        model.fit(X, y)
    assert model.residual_ > 1e-17
    assert model.score(X, y) > 0.4


@every_estimator
def test_verbose_shows_a_bar_and_a_summary(estimator, capsys):
    clone(estimator).set_params(verbose=1).fit(X_OK, Y_OK)
    out, err = capsys.readouterr()
    assert "100%" in err
    assert "of 4 features" in out
    clone(estimator).fit(X_OK, Y_OK)
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("alpha", [1e-2, 1e-3])
def test_duplicated_columns_need_few_sweeps(alpha):
    # They trade coefficients through zero without end where Newton steps are not damped.
    X, y = CLASSIFICATION_PROBLEMS["wine"]()
    doubled = GroupLassoClassifier(alpha).fit(np.hstack([X, X]), y)
    single = GroupLassoClassifier(alpha).fit(X, y)
    assert doubled.n_iter_ < 400
    values = [
        log_loss(X, y, coef, model.intercept_) + alpha * np.linalg.norm(model.coef_, axis=0).sum()
        for coef, model in [
            (single.coef_, single),
            (doubled.coef_[:, : X.shape[1]] + doubled.coef_[:, X.shape[1] :], doubled),
        ]
    ]
    assert values[0] == pytest.approx(values[1], rel=1e-6)


def _chain():
    """Eight classes along one feature."""
    X = np.random.default_rng(0).normal(size=(80, 6))
    return X, X[:, 0].argsort().argsort() // 10


def _one_of_three():
    """A flag tells one class from the others, which overlap."""
    X, y = np.random.default_rng(1).normal(size=(90, 6)), np.arange(90) % 3
    X[:, 0] = y == 2
    X[:, 1] += y
    return X, y


def _some_samples():
    """A flag that only samples of one of two classes have."""
    rng = np.random.default_rng(2)
    X = rng.normal(size=(80, 6))
    y = (X[:, 1] + rng.normal(size=80) > 0).astype(int)
    X[:, 0] = y * (rng.random(80) < 0.3)
    return X, y


def _two_of_eight():
    """One sample a class, and no intercept: the sign of a feature tells two sets of them apart."""
    return np.random.default_rng(0).normal(size=(8, 6)), np.arange(8)


TOLD_APART = {
    "two classes": (lambda: (_chain()[0], _chain()[1] // 4), True),
    "two classes without an intercept": (lambda: (_chain()[0], 1 * (_chain()[0][:, 0] > 0)), False),
    "eight classes": (_chain, True),
    "one class of three": (_one_of_three, True),
    "one class of three without an intercept": (_one_of_three, False),
    "some samples": (_some_samples, True),
    "sets of classes without an intercept": (_two_of_eight, False),
}


@every_estimator
@pytest.mark.parametrize("name", TOLD_APART)
@pytest.mark.parametrize("alpha", [0.1, 1e-3])
@pytest.mark.untraced
def test_unpenalised_features_that_tell_classes_apart(estimator, name, alpha):
    make, fit_intercept = TOLD_APART[name]
    X, y = make()
    model = clone(estimator).set_params(
        alpha=alpha, feature_weights=[0, 1, 1, 1, 1, 1], fit_intercept=fit_intercept
    )
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model.fit(X, y)
    (warning,) = caught
    assert issubclass(warning.category, ConvergenceWarning)
    assert "there is no best model" in str(warning.message)
    # Far enough for the loss, and no further: from a class to the next it takes some 25.
    Z = model.decision_function(X)
    assert np.abs(Z).max() < 50 * (np.ptp(X[:, 0]) / np.diff(np.unique(X[:, 0])).min())
    again, start = clone(model), time.process_time()
    with pytest.warns(ConvergenceWarning):
        again.fit(X, y)
    # It once took up to ten, and takes a tenth.
    assert time.process_time() - start < 1
    assert again.coef_.tobytes() == model.coef_.tobytes()
    # No other coefficients do better, of twice the size or with another share of the penalty.
    assert_none_is_better(model, X, y)


def assert_none_is_better(model, X, y):
    phi = bridge(model.p) if hasattr(model, "p") else np.linalg.norm

    def value(coef, b):
        paid = [phi(column) for column in coef.T[1:]]
        return log_loss(X, y, coef, b) + model.alpha * sum(paid)

    F = value(model.coef_, model.intercept_)
    assert model.objective_ == pytest.approx(F, rel=1e-9, abs=1e-11)
    allowed = 1e-5 * np.log(y.max() + 1)
    further = model.coef_ * np.r_[1.3, np.ones(5)]
    for coef, b in [(2 * model.coef_, 2 * model.intercept_), (further, model.intercept_)]:
        assert value(coef, b) > F - allowed
    for j in np.flatnonzero(model.get_support())[1:]:
        for factor in (0.0, 0.9, 1.1):
            other = model.coef_ * np.where(np.arange(6) == j, factor, 1.0)
            assert value(other, model.intercept_) > F - allowed


@every_estimator
def test_unpenalised_features_that_tell_nothing_apart_are_not_reported(estimator):
    for make in (_one_of_three, _some_samples):
        X, y = make()
        # Every class with and without the flag.
        X[:6, 0], y[:6] = [0, 0, 0, 1, 1, 1], np.arange(6) % (y.max() + 1)
        clone(estimator).set_params(feature_weights=[0, 1, 1, 1, 1, 1]).fit(X, y)


def test_features_that_separate_are_reported_without_any_penalty():
    X, y = _chain()
    model = GroupLassoClassifier(feature_weights=[0, 1, 1, 1, 1, 1])
    with pytest.warns(ConvergenceWarning, match="there is no best model"):
        model.fit(X, y // 4)
    # The least loss is 0, which no coefficients attain.
    loss = log_loss(X, y // 4, model.coef_, model.intercept_)
    assert model.dual_gap_ >= loss * (1 - 1e-6)
    for quasi in ([[0.0], [1], [1], [2]], [[0.0], [1], [2], [3]]):
        with pytest.warns(ConvergenceWarning, match="there is no best model"):
            GroupLassoClassifier(alpha=0).fit(quasi, [0, 0, 1, 1])


def test_the_intercept_follows_where_classes_of_uneven_weight_are_told_apart():
    # Its steps once went beyond the kink of an all but piecewise linear loss, and ended there:
    # the coefficients were worse than none.
    rng = np.random.default_rng(5)
    X = rng.normal(size=(5, 5))[:, :2]
    y = (X @ rng.normal(size=(5, 2))[:2]).argmax(axis=1)
    y[:2] = 0, 1
    rng.normal(size=(5, 2))
    s = 10.0 ** rng.uniform(-3, 3, 5)
    with pytest.warns(ConvergenceWarning, match="there is no best model"):
        model = GroupLassoClassifier(alpha=0.0).fit(X, y, s)
    empty = log_loss(X, y, np.zeros((1, 2)), np.log(s[y == 1].sum() / s[y == 0].sum()), s)
    assert log_loss(X, y, model.coef_, model.intercept_, s) < 1e-5 * empty


@pytest.mark.parametrize("n_classes", [3, 60])
@pytest.mark.parametrize("n_free", [0, 1])
@pytest.mark.parametrize("estimator", [GroupLassoClassifier(), ShrinkNetClassifier()], ids=repr)
def test_a_class_without_weight_changes_no_verdict(estimator, n_free, n_classes):
    """The loss hardly bends with its coefficients: a step there is long and says nothing."""
    X, y = simulate_classes(300, 6, n_classes, noise=3)
    y[:n_classes] = np.arange(n_classes)
    weights = np.r_[np.zeros(n_free), np.ones(6 - n_free)]
    for alpha in (0.03, 0.003):
        model = clone(estimator).set_params(alpha=alpha, feature_weights=weights)
        model.fit(X, y, 1.0 * (y != 1))  # a warning would be an error
        if isinstance(model, GroupLassoClassifier):
            assert model.dual_gap_ <= 1e-6 * np.log(n_classes)
