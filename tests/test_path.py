import pickle
import tracemalloc
from copy import copy
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.linear_model import Lasso
from sklearn.metrics import accuracy_score, log_loss
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from builders import CLASS_PROBLEMS, build, build_classes, descend, logistic_regression, solve
from oracles import bridge, group_lasso_objective, group_sum, squared_loss
from problems import PROBLEMS, random_small, simulate, simulate_classes
from shrinklin import (
    GroupLassoClassifier,
    GroupLassoRegressor,
    GroupLassoRegressorCV,
    InformationCriterion,
    Moments,
    ProximalNewton,
    ShrinkNetClassifier,
    ShrinkNetRegressor,
    TradeoffDisplay,
    regularization_path,
)
from shrinklin.data.design import Design
from shrinklin.penalties.bridge1 import Bridge1
from shrinklin.penalties.bridge2 import Bridge2
from shrinklin.penalties.group_lasso import GroupLasso
from shrinklin.selection.path import with_model
from shrinklin.solvers.coordinate_descent import CoordinateDescent
from shrinklin.solvers.paths import _extrapolated, n_steps, solve_path
from shrinklin.solvers.solution import Solution, Status

ESTIMATORS = [GroupLassoRegressor(), ShrinkNetRegressor(), ShrinkNetRegressor(p=1)]
every_estimator = pytest.mark.parametrize("estimator", ESTIMATORS, ids=repr)


def run(objective, strengths, **options):
    options = {"tol": 1e-8, "max_iter": 10_000, **options}
    return solve_path(objective, strengths, CoordinateDescent(), **options)


@pytest.mark.parametrize("name", PROBLEMS)
def test_group_lasso_path_equals_single_fits(name):
    X, Y = PROBLEMS[name]()
    path = regularization_path(GroupLassoRegressor(tol=1e-8), X, Y, alphas=8)
    for i, alpha in enumerate(path.alphas):
        fit = GroupLassoRegressor(alpha, tol=1e-8).fit(X, Y)
        values = [
            group_lasso_objective(X, Y, coef, b, alpha)
            for coef, b in [(fit.coef_, fit.intercept_), (path.coefs[i], path.intercepts[i])]
        ]
        assert values[0] == pytest.approx(values[1], rel=1e-8)
        assert path.objectives[i] == pytest.approx(values[1], rel=1e-8)


@every_estimator
def test_what_a_path_holds(estimator):
    X, Y = simulate(60, 12, 3)
    path = regularization_path(estimator, X, Y, alphas=7, eps=1e-2)
    assert path.coefs.shape == (7, 3, 12)
    assert path.intercepts.shape == (7, 3)
    assert path.alphas[-1] == pytest.approx(path.alphas[0] * 1e-2)
    np.testing.assert_array_equal(path.n_selected, (path.coefs != 0).any(axis=1).sum(axis=1))
    assert (path.residuals <= estimator.tol).all()
    assert (np.diff(path.objectives) <= 0).all()
    assert not hasattr(estimator, "n_features_in_")


@every_estimator
def test_one_target_has_the_same_shapes(estimator):
    X, Y = simulate(60, 12, 1)
    path = regularization_path(estimator, X, Y.ravel(), alphas=3)
    assert path.coefs.shape == (3, 1, 12)
    assert path.predict(X).shape == (3, 60, 1)
    assert path.mean_squared_errors(X, Y.ravel()).shape == (3,)


def test_alphas_of_ones_own_are_sorted_and_kept():
    X, Y = simulate(60, 12, 3)
    path = regularization_path(GroupLassoRegressor(), X, Y, alphas=[0.1, 1.0, 0.1, 0])
    np.testing.assert_array_equal(path.alphas, [1.0, 0.1, 0.1, 0.0])
    np.testing.assert_array_equal(path.coefs[1], path.coefs[2])
    least = np.linalg.lstsq(X - X.mean(axis=0), Y - Y.mean(axis=0), rcond=None)[0]
    np.testing.assert_allclose(path.coefs[3], least.T, atol=1e-6)


@pytest.mark.parametrize("weight_decay", [None, 0.01])
@pytest.mark.parametrize("p", [1, 2])
def test_shrinknet_grid_begins_where_a_feature_enters(p, weight_decay):
    X, Y = simulate(60, 1, 3)
    estimator = ShrinkNetRegressor(p=p, weight_decay=weight_decay)
    first = regularization_path(estimator, X, Y, alphas=2).alphas[0]
    path = regularization_path(estimator, X, Y, alphas=[first * 1.001, first * 0.999])
    np.testing.assert_array_equal(path.n_selected, [0, 1])


@pytest.mark.parametrize("p", [1, 2])
def test_shrinknet_path_is_no_worse_than_a_warm_started_one(p):
    X, Y = simulate(60, 30, 3, 10, correlation=0.8, noise=2)
    objective = build(X, Y, {1: Bridge1(), 2: Bridge2()}[p], share=1.0)
    strengths = list(objective.strength * np.geomspace(1, 1e-2, 15))
    W = np.zeros(objective.shape)
    strictly = 0
    for strength, found in zip(strengths, run(objective, strengths), strict=True):
        one_way = solve(objective.at(strength), W, tol=1e-8)
        W = one_way.W
        assert found.value <= one_way.value * (1 + 1e-9)
        strictly += found.value < one_way.value * (1 - 1e-4)
    assert strictly > 0, "the problem is too easy to show anything"


@pytest.mark.parametrize("p", [1, 2])
@pytest.mark.parametrize("seed", range(10))
def test_never_worse_than_zero_start_or_group_lasso_support(p, seed):
    X, Y = random_small(seed)
    penalty = {1: Bridge1(), 2: Bridge2()}[p]
    objective = build(X, Y, penalty, share=0.2)
    start = np.random.default_rng(seed).normal(size=objective.shape)
    found = run(objective, [objective.strength], start=start)[0]
    rivals = [start, np.zeros(objective.shape)]
    lasso = build(X, Y, GroupLasso())
    for strength in [objective.strength, *(lasso.strength_max() * np.geomspace(1, 1e-3, 20))]:
        support = np.flatnonzero(solve(lasso.at(strength)).W.any(axis=1))
        rivals.append(objective.smooth.minimise(np.zeros(objective.shape), support))
    assert found.value <= min(objective.value(W) for W in rivals) * (1 + 1e-9)


def hard_problem(seed):
    X, Y = simulate(60, 20, 3, 8, correlation=0.8, noise=2, seed=seed)
    return build(X, Y, Bridge2(), share=0.05)


def without_local_search(monkeypatch):
    monkeypatch.setattr(
        "shrinklin.solvers.search.improve", lambda objective, solution, *_: solution
    )


def test_the_start_is_pooled(monkeypatch):
    problems = [hard_problem(seed) for seed in range(12)]
    best = [run(objective, [objective.strength])[0] for objective in problems]
    without_local_search(monkeypatch)
    missed = 0
    for objective, known in zip(problems, best, strict=True):
        alone = run(objective, [objective.strength])[0]
        helped = run(objective, [objective.strength], start=known.W)[0]
        missed += alone.value > known.value * (1 + 1e-5)
        assert helped.value <= known.value * (1 + 1e-9)
    assert missed > 0, "a search that ignored the start would pass"


class GroupLassoOnly(CoordinateDescent):
    """Leaves the bridge where it starts, so that only the pool can find anything."""

    def solve(self, objective, W, *, tol, max_iter):
        if objective.penalty.convex:
            return super().solve(objective, W, tol=tol, max_iter=max_iter)
        loss, gradient = objective.smooth.evaluate(W)
        intercept = objective.smooth.intercept(W)
        value = objective.value(W)
        return Solution(W, intercept, gradient, loss, value, 0.0, 0, Status.CONVERGED)


def test_refitted_group_lasso_is_pooled(monkeypatch):
    without_local_search(monkeypatch)
    for seed in range(5):
        objective = hard_problem(seed)
        lasso = replace(objective, penalty=GroupLasso())
        support = np.flatnonzero(solve(lasso).W.any(axis=1))
        rival = objective.smooth.minimise(np.zeros(objective.shape), support)
        found = solve_path(
            objective, [objective.strength], GroupLassoOnly(), tol=1e-8, max_iter=1000
        )[0]
        assert found.value <= objective.value(rival) * (1 + 1e-9)


@pytest.mark.parametrize("penalty", [GroupLasso(), Bridge2()], ids=type)
@pytest.mark.parametrize("n", [1, 4, 12, 45])
def test_reports_as_often_as_announced(penalty, n):
    X, Y = simulate(60, 12, 3)
    objective = build(X, Y, penalty, share=1.0)
    strengths = list(objective.strength * np.geomspace(0.9, 1e-2, n))
    ticks = []
    run(objective, strengths, report=lambda: ticks.append(1))
    assert len(ticks) == n_steps(objective, strengths)


@every_estimator
def test_predictions_and_errors_against_loops(estimator):
    X, Y = simulate(30, 6, 2)
    path = regularization_path(estimator, X, Y, alphas=4)
    errors = path.mean_squared_errors(X, Y)
    for i in range(4):
        Z = np.array([path.coefs[i] @ x + path.intercepts[i] for x in X])
        np.testing.assert_allclose(path.predict(X)[i], Z)
        assert errors[i] == pytest.approx(np.mean((Y - Z) ** 2))


@pytest.mark.parametrize("fit_intercept", [True, False])
def test_refit_is_least_squares_on_each_support(fit_intercept):
    X, Y = simulate(40, 8, 2)
    s = np.random.default_rng(0).uniform(0.1, 2, 40)
    X, Y = X + 1, Y + 2
    estimator = GroupLassoRegressor(fit_intercept=fit_intercept)
    path = regularization_path(estimator, X, Y, alphas=6, sample_weight=s)
    refitted = path.refit(X, Y, sample_weight=s)
    np.testing.assert_array_equal(refitted.n_selected, path.n_selected)
    root = np.sqrt(s)[:, None]
    for coef, intercept, new in zip(path.coefs, refitted.intercepts, refitted.coefs, strict=True):
        support = np.flatnonzero(coef.any(axis=0))
        design = np.column_stack([X[:, support], np.full(40, float(fit_intercept))])
        expected = np.linalg.lstsq(root * design, root * Y, rcond=None)[0]
        np.testing.assert_allclose(new[:, support], expected[:-1].T, atol=1e-8)
        np.testing.assert_allclose(intercept, expected[-1], atol=1e-8)
        assert not np.delete(new, support, axis=1).any()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"alphas": 0}, "alphas=0: give a number of alphas >= 1"),
        ({"alphas": []}, "1-D array of finite values"),
        ({"alphas": [1, -1]}, "1-D array of finite values"),
        ({"alphas": [1, np.nan]}, "1-D array of finite values"),
        ({"alphas": "many"}, "1-D array of finite values"),
        ({"alphas": True}, "1-D array of finite values"),
        ({"eps": 0}, "eps=0: give a finite number > 0"),
        ({"eps": 1.0}, "eps=1.0: give the ratio"),
    ],
)
def test_bad_arguments_are_named(options, message):
    X, Y = simulate(20, 4, 2)
    with pytest.raises(ValueError, match=message):
        regularization_path(GroupLassoRegressor(), X, Y, **options)


def test_data_of_another_shape_is_refused():
    X, Y = simulate(20, 4, 2)
    path = regularization_path(GroupLassoRegressor(), X, Y, alphas=3)
    with pytest.raises(ValueError, match="X has 3 features, the path was computed with 4"):
        path.predict(X[:, :3])
    with pytest.raises(ValueError, match="y has 1 targets, the path was computed with 2"):
        path.mean_squared_errors(X, Y[:, 0])
    with pytest.raises(ValueError, match="X has 3 features, the path was computed with 4"):
        path.refit(X[:, :3], Y)
    with pytest.raises(ValueError, match="y has 1 targets, the path was computed with 2"):
        path.refit(X, Y[:, 0])
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        path.mean_squared_errors(X, Y[:7])
    with pytest.raises(ValueError, match="Input y contains NaN"):
        path.mean_squared_errors(X, np.nan * Y)


def test_foreign_estimators_are_refused():
    X, Y = simulate(20, 4, 2)
    for estimator in (Lasso(), make_pipeline(StandardScaler(), GroupLassoRegressor())):
        with pytest.raises(TypeError, match="not one of shrinklin's"):
            regularization_path(estimator, X, Y)


@pytest.mark.parametrize("weight_decay", [None, 0.1])
def test_nothing_to_explain(weight_decay):
    X, _ = simulate(20, 4, 2)
    for estimator in (GroupLassoRegressor(), ShrinkNetRegressor(weight_decay=weight_decay)):
        path = regularization_path(estimator, X, np.full(20, 0.1), alphas=5)
        assert not path.n_selected.any()
        assert len(set(path.alphas)) == 5


def test_close_alphas_are_led_to():
    for seed in range(10):
        X, Y = random_small(seed)
        single = ShrinkNetRegressor(0.1).fit(X, Y)
        path = regularization_path(
            ShrinkNetRegressor(), X, Y, alphas=0.1 * np.linspace(0.98, 1.02, 11)
        )
        assert path.alphas[5] == pytest.approx(0.1)
        middle = path.coefs[5]
        values = [
            squared_loss(X, Y, coef, Y.mean(axis=0) - coef @ X.mean(axis=0))
            + 0.1 * group_sum(coef, list(range(X.shape[1])), bridge(2))
            for coef in (middle, single.coef_)
        ]
        assert values[0] <= values[1] * (1 + 1e-6)


def test_alphas_that_a_fit_refuses_are_refused():
    X, Y = simulate(20, 4, 2)
    with pytest.raises(ValueError, match=r"alpha=0.* with weight_decay=1"):
        regularization_path(ShrinkNetRegressor(weight_decay=1.0), X, Y, alphas=[1, 0])


CLASSIFIERS = [GroupLassoClassifier(), ShrinkNetClassifier(), ShrinkNetClassifier(p=1)]
every_classifier = pytest.mark.parametrize("classifier", CLASSIFIERS, ids=repr)
two_or_more = pytest.mark.parametrize("n_classes", [2, 4])


def group_lasso_log_objective(X, y, coef, intercept, alpha, classes):
    Z = X @ coef.T + intercept
    Z = np.hstack([np.zeros_like(Z), Z]) if Z.shape[1] == 1 else Z
    P = np.exp(Z - Z.max(axis=1, keepdims=True))
    P /= P.sum(axis=1, keepdims=True)
    return log_loss(y, P, labels=classes) + alpha * np.linalg.norm(coef, axis=0).sum()


@pytest.mark.parametrize("name", CLASS_PROBLEMS)
def test_group_lasso_path_of_classes_equals_single_fits(name):
    X, y = CLASS_PROBLEMS[name]()
    path = regularization_path(GroupLassoClassifier(tol=1e-8), X, y, alphas=6, eps=0.02)
    assert path.n_selected[0] == 0 < path.n_selected[-1]
    for i, alpha in enumerate(path.alphas):
        fit = GroupLassoClassifier(alpha, tol=1e-8).fit(X, y)
        values = [
            group_lasso_log_objective(X, y, coef, b, alpha, path.classes)
            for coef, b in [(fit.coef_, fit.intercept_), (path.coefs[i], path.intercepts[i])]
        ]
        assert values[0] == pytest.approx(values[1], rel=1e-8)
        assert path.objectives[i] == pytest.approx(values[1], rel=1e-8)


@every_classifier
@two_or_more
def test_what_a_path_of_classes_holds(classifier, n_classes):
    X, codes = simulate_classes(60, 8, n_classes)
    n_targets = 1 if n_classes == 2 else n_classes
    y = np.array(list("zyxw"))[codes]
    path = regularization_path(classifier, X, y, alphas=5, eps=0.05)
    assert path.coefs.shape == (5, n_targets, 8)
    assert path.intercepts.shape == (5, n_targets)
    assert path.alphas[-1] == pytest.approx(path.alphas[0] * 0.05)
    np.testing.assert_array_equal(path.classes, np.unique(y))
    np.testing.assert_array_equal(path.n_selected, (path.coefs != 0).any(axis=1).sum(axis=1))
    assert (path.residuals <= classifier.tol).all()
    assert (np.diff(path.objectives) <= 0).all()
    assert path.predict(X).shape == (5, 60)
    assert path.predict_proba(X).shape == (5, 60, n_classes)
    assert path.log_losses(X, y).shape == path.accuracies(X, y).shape == (5,)
    assert not hasattr(classifier, "classes_")


@every_classifier
@two_or_more
@pytest.mark.parametrize("container", [np.asarray, sparse.csr_array])
def test_class_predictions_against_loops_and_metrics(classifier, n_classes, container):
    X, codes = simulate_classes(40, 6, n_classes, noise=2)
    y = np.array(["b", "d", "a", "c"])[codes]
    path = regularization_path(classifier, X, y, alphas=3, eps=0.1)
    seen = container(X)
    for i in range(3):
        P = []
        for x in X:
            z = path.coefs[i] @ x + path.intercepts[i]
            z = np.array([0, *z]) if n_classes == 2 else z
            P.append(np.exp(z) / np.exp(z).sum())
        predicted = path.classes[np.argmax(P, axis=1)]
        np.testing.assert_allclose(path.predict_proba(seen)[i], P)
        np.testing.assert_allclose(path.predict_log_proba(seen)[i], np.log(P))
        np.testing.assert_array_equal(path.predict(seen)[i], predicted)
        assert path.log_losses(seen, y)[i] == pytest.approx(log_loss(y, P))
        assert path.accuracies(seen, y)[i] == pytest.approx(accuracy_score(y, predicted))
    np.testing.assert_array_equal(path.losses(X, y), path.log_losses(X, y))


def test_metrics_of_data_without_some_of_the_classes():
    X, y = simulate_classes(60, 6, 3)
    path = regularization_path(GroupLassoClassifier(), X, y, alphas=3)
    some = y != 1
    P = path.predict_proba(X[some])
    expected = [log_loss(y[some], p, labels=[0, 1, 2]) for p in P]
    np.testing.assert_allclose(path.log_losses(X[some], y[some]), expected)


def test_log_losses_do_not_take_the_logarithm_of_zero():
    X, y = simulate_classes(60, 6, 3)
    path = regularization_path(GroupLassoClassifier(), X, y, alphas=3)
    assert np.isfinite(path.log_losses(1e4 * X, y)).all()
    np.testing.assert_allclose(path.predict_proba(1e4 * X).sum(axis=2), 1)


@two_or_more
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_refit_is_logistic_regression_on_each_support(n_classes, fit_intercept):
    X, codes = simulate_classes(200, 8, n_classes, noise=3)
    X = X + 1
    s = np.random.default_rng(0).uniform(0.1, 2, 200)
    estimator = GroupLassoClassifier(fit_intercept=fit_intercept)
    path = regularization_path(estimator, X, codes, alphas=5, eps=0.05, sample_weight=s)
    refitted = path.refit(X, codes, sample_weight=s)
    assert type(refitted) is type(path)
    np.testing.assert_array_equal(refitted.n_selected, path.n_selected)
    np.testing.assert_array_equal(refitted.alphas, path.alphas)
    for i, coef in enumerate(path.coefs):
        support = np.flatnonzero(coef.any(axis=0))
        assert not np.delete(refitted.coefs[i], support, axis=1).any()
        P = refitted.predict_proba(X)[i]
        value = log_loss(codes, P, sample_weight=s)
        assert refitted.objectives[i] == pytest.approx(value, rel=1e-10)
        if len(support):
            W, b = logistic_regression(X[:, support], codes, s, fit_intercept)
            best = {"kept": support, "kept_coefs": W.T[None], "intercepts": b[None]}
            rival = replace(refitted, **best).predict_proba(X)[0]
            np.testing.assert_allclose(P, rival, atol=1e-4)
            assert value <= log_loss(codes, rival, sample_weight=s) * (1 + 1e-10)
    assert refitted.n_selected.any()
    assert (refitted.residuals <= 1e-6).all()


def test_refit_of_separable_classes_stays_finite():
    X, codes = simulate_classes(40, 30, 3, noise=0.1)
    path = regularization_path(GroupLassoClassifier(), X, codes, alphas=5, eps=0.02)
    refitted = path.refit(X, codes)
    assert np.isfinite(refitted.coefs).all()
    assert np.isfinite(refitted.intercepts).all()
    assert (refitted.objectives <= path.log_losses(X, codes) * (1 + 1e-9)).all()
    assert 0 <= refitted.objectives[-1] < 1e-5
    np.testing.assert_array_equal(refitted.n_selected, path.n_selected)


@two_or_more
@pytest.mark.parametrize("p", [1, 2])
def test_shrinknet_grid_of_classes_begins_where_a_feature_enters(p, n_classes):
    X, codes = simulate_classes(60, 1, n_classes)
    estimator = ShrinkNetClassifier(p=p)
    first = regularization_path(estimator, X, codes, alphas=2).alphas[0]
    zero = build_classes(X, codes, {1: Bridge1(), 2: Bridge2()}[p])
    for factor, enters in ((1.01, False), (0.99, True)):
        assert descend(zero.at(factor * first)).W.any() == enters


@pytest.mark.parametrize(("p", "n_classes"), [(1, 3), (2, 3), (2, 2)])
def test_shrinknet_path_of_classes_is_no_worse_than_a_warm_started_one(p, n_classes):
    X, codes = simulate_classes(80, 20, n_classes, 8, correlation=0.8, noise=1)
    objective = build_classes(X, codes, {1: Bridge1(), 2: Bridge2()}[p], share=1.0)
    strengths = list(objective.strength * np.geomspace(1, 0.05, 8))
    found = solve_path(objective, strengths, ProximalNewton(), tol=1e-7, max_iter=10_000)
    W = np.zeros(objective.shape)
    strictly = 0
    for strength, solution in zip(strengths, found, strict=True):
        one_way = descend(objective.at(strength), W, tol=1e-7)
        W = one_way.W
        assert solution.value <= one_way.value * (1 + 1e-9)
        assert solution.value == pytest.approx(objective.at(strength).value(solution.W), rel=1e-9)
        strictly += solution.value < one_way.value * (1 - 1e-4)
    assert strictly > 0, "the problem is too easy to show anything"


@every_classifier
def test_a_path_of_classes_reports_as_often_as_announced(classifier):
    X, codes = simulate_classes(60, 8, 3)
    objective = build_classes(X, codes, classifier._formulation().penalty(), share=1.0)
    strengths = list(objective.strength * np.geomspace(0.9, 0.1, 3))
    ticks = []
    solve_path(
        objective, strengths, ProximalNewton(), tol=1e-6, max_iter=10_000,
        report=lambda: ticks.append(1),
    )  # fmt: skip
    assert len(ticks) == n_steps(objective, strengths)


def test_labels_and_data_that_do_not_fit_the_path_are_refused():
    X, y = simulate_classes(40, 4, 3)
    path = regularization_path(GroupLassoClassifier(), X, y, alphas=3)
    for measure in (path.log_losses, path.accuracies, path.refit):
        with pytest.raises(ValueError, match=r"y has labels \[7\] that .* among \[0, 1, 2\]"):
            measure(X, np.where(y == 2, 7, y))
        with pytest.raises(ValueError, match="X has 3 features, the path was computed with 4"):
            measure(X[:, :3], y)
        with pytest.raises(ValueError, match="inconsistent numbers of samples"):
            measure(X, y[:7])
    for predict in (path.predict, path.predict_proba, path.predict_log_proba):
        with pytest.raises(ValueError, match="X has 3 features, the path was computed with 4"):
            predict(X[:, :3])
    for other in (np.where(y == 2, np.nan, y), y.astype(str)):
        with pytest.raises(ValueError, match="that the path was not computed with"):
            path.log_losses(X, other)


def test_refit_keeps_class_weights_and_needs_two_classes():
    X, y = CLASS_PROBLEMS["iris"]()
    weights = {0: 5.0, 1: 1.0, 2: 2.0}
    path = regularization_path(GroupLassoClassifier(class_weight=weights), X, y, alphas=4)
    plain = replace(path, class_weight=None)
    by_hand = plain.refit(X, y, sample_weight=np.array([5.0, 1.0, 2.0])[y])
    np.testing.assert_allclose(path.refit(X, y).objectives, by_hand.objectives, rtol=1e-9)
    assert np.abs(plain.refit(X, y).objectives - by_hand.objectives).max() > 1e-3
    with pytest.raises(ValueError, match=r"y has one class, 1, .* at least two classes"):
        path.refit(X[y == 1], y[y == 1])


# One thread for BLAS.


def test_moments_of_other_columns_than_those_of_the_path_are_refused():
    X, Y = simulate(30, 4, 2)
    path = regularization_path(GroupLassoRegressor(), X, Y[:, 0], alphas=3)
    with pytest.raises(ValueError, match="y has 2 targets, the path was computed with 1"):
        path.mean_squared_errors(Moments.from_data(X, Y))
    with pytest.raises(ValueError, match="X has 3 features, the path was computed with 4"):
        path.mean_squared_errors(Moments.from_data(X[:, :3], Y[:, 0]))


def test_a_path_points_to_its_next_solution():
    X, Y = simulate(60, 12, 3)
    objective = build(X, Y, share=0.1)
    strengths = objective.strength * np.array([1.0, 0.99, 0.98])
    solutions = [solve(objective.at(s), tol=1e-12).W for s in strengths]
    guess = _extrapolated(objective, strengths, solutions[:2])
    # The error is of second order in the step, that of standing still of first.
    assert np.abs(guess - solutions[2]).max() < 0.02 * np.abs(solutions[1] - solutions[2]).max()


def test_a_path_points_through_no_zero_and_not_too_far():
    X, Y = simulate(60, 3, 1)
    objective = build(X, Y)
    before, now = np.array([[2.0], [0.0], [1.0]]), np.array([[1.0], [0.5], [1.5]])
    point = [_extrapolated(objective, [3, 2, end], [before, now]).ravel() for end in (1.5, 1, 0.9)]
    np.testing.assert_array_equal(point[0], [0.5, 0.5, 1.75])
    np.testing.assert_array_equal(point[1], [0.0, 0.5, 2.0])
    np.testing.assert_array_equal(point[2], now.ravel())
    np.testing.assert_array_equal(_extrapolated(objective, [2, 2, 2], [now, now]), now)


def test_a_path_of_float32_is_float32():
    X, Y = simulate(60, 12, 3)
    path = regularization_path(GroupLassoRegressor(), X.astype(np.float32), Y, alphas=5)
    assert path.coefs.dtype == path.intercepts.dtype == np.float32
    assert path.predict(X.astype(np.float32)).dtype == np.float32
    double = regularization_path(GroupLassoRegressor(), X, Y, alphas=path.alphas)
    np.testing.assert_allclose(path.coefs, double.coefs, atol=1e-5)


@pytest.mark.parametrize("mean", [0.0, 3.0])
def test_products_in_float32_are_not_what_ends_a_path(monkeypatch, mean):
    # Mutants: no error is given; float32 is not made use of.
    X, Y = simulate(60, 2000, 3, 10)
    X, rough, roughly = (X + mean).astype(np.float32), [], Design.correlate_roughly
    monkeypatch.setattr(
        Design, "correlate_roughly", lambda d, R: rough.append(roughly(d, R)) or rough[-1]
    )
    path = regularization_path(GroupLassoRegressor(), X, Y, alphas=20, eps=0.1)
    assert rough
    assert all(error > 0 for _, error in rough)
    objective = build(X.astype(float), Y)
    for alpha, coef in zip(path.alphas, path.coefs, strict=True):
        gap = objective.at(alpha).duality_gap(coef.T.astype(float))
        assert gap <= 1e-6 * objective.smooth.value_at_zero


def twice(objective, solver, share=0.1):
    """Whether a path has the same bits and cost before and after another one."""
    strengths = objective.strength_max() * np.geomspace(0.8, share, 6)
    options = {"solver": solver, "tol": 1e-8, "max_iter": 1000}
    found = []
    for k in range(3):
        before = copy(objective.cost)
        path = solve_path(objective, strengths / (1 + k % 2), **options)
        found.append(([s.W for s in path], objective.cost.since(before)))
    (first, cost), _, (again, cost_again) = found
    return cost == cost_again and all(map(np.array_equal, first, again))


@pytest.mark.parametrize("classes", [False, True])
def test_the_same_bits_whatever_was_asked_before(classes):
    if classes:
        X, y = simulate_classes(60, 30, 3)
        objective, solver = build_classes(X, y), ProximalNewton()
    else:
        X, Y = simulate(40, 60, 3, 5)
        objective, solver = build(X, Y, gram=False), CoordinateDescent(gram=False)
    assert twice(objective, solver)
    # What is kept shows: so nothing is, but while a path is solved.
    assert not twice(objective.with_memory(), solver)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("classifies", [False, True])
def test_predictions_that_do_not_fit_are_refused(classifies, dtype):
    X, Y = simulate(20, 4, 2, 4, seed=0)
    X, y = X.astype(dtype), Y.argmax(axis=1) if classifies else Y
    model = (GroupLassoClassifier if classifies else GroupLassoRegressor)(1e-3)
    path = regularization_path(model, X, y, alphas=[1e-3])
    dtype = model.fit(X, y).coef_.dtype
    far = X.astype(dtype)
    far[3] = np.finfo(dtype).max * np.sign(model.coef_[0])
    far[5] = -far[3]
    for fitted in [model, path]:
        with pytest.raises(ValueError, match=f"not fit in {dtype} in 2 of 20 rows, first 3"):
            fitted.predict(far)


@pytest.mark.parametrize("given", [10**400, "a"])
def test_rows_that_are_no_numbers_are_refused_with_a_remedy(given):
    model = GroupLassoRegressor(1e-3).fit([[1.0], [2.0]], [1.0, 2.0])
    with pytest.raises(ValueError, match=r"divide the data by|X must be numbers"):
        model.predict([[given]])


# --- what a path keeps


@every_estimator
@pytest.mark.parametrize("n_features", [6, 60])
def test_coefficients_of_all_features_are_those_of_the_kept(estimator, n_features):
    X, Y = simulate(40, n_features, 2, 2)
    path = regularization_path(estimator, X, Y, alphas=5, eps=0.3)
    np.testing.assert_array_equal(path.kept, np.flatnonzero(path.coefs.any(axis=(0, 1))))
    np.testing.assert_array_equal(path.coefs[:, :, path.kept], path.kept_coefs)
    for i, coef in enumerate(path.coefs):
        np.testing.assert_array_equal(path.coef(i), coef)
    with pytest.raises(ValueError, match="read-only"):
        path.coefs[0] = 1.0  # which would have been lost


@pytest.mark.parametrize("container", [np.asarray, sparse.csr_array, sparse.csc_matrix])
def test_predictions_of_few_columns_are_those_of_all(container):
    X, Y = simulate(40, 60, 2, 2)
    path = regularization_path(ShrinkNetRegressor(), X, Y, alphas=5, eps=0.3)
    assert 0 < 2 * len(path.kept) < 60
    expected = np.einsum("nj,atj->ant", X, path.coefs) + path.intercepts[:, None]
    np.testing.assert_allclose(path.predict(container(X)), expected, atol=1e-12)
    held = Moments.from_data(X, Y)
    np.testing.assert_allclose(
        path.mean_squared_errors(held), path.mean_squared_errors(X, Y), rtol=1e-9
    )
    empty = regularization_path(ShrinkNetRegressor(), X, Y, alphas=[1e6])
    np.testing.assert_allclose(empty.predict(container(X))[0, 7], Y.mean(axis=0))
    assert empty.mean_squared_errors(held)[0] == pytest.approx(Y.var(axis=0).mean())


def test_one_model_of_a_path_is_replaced():
    X, Y = simulate(40, 12, 2, 4)
    alphas = regularization_path(GroupLassoRegressor(), X, Y, alphas=4).alphas
    path = regularization_path(GroupLassoRegressor(), X, Y, alphas=alphas[:2])
    other = regularization_path(GroupLassoRegressor(), X, Y, alphas=alphas[2:3])
    assert not set(other.kept) <= set(path.kept)
    for i in (0, 1):
        changed = with_model(path, i, other)
        np.testing.assert_array_equal(changed.coef(i), other.coef(0))
        np.testing.assert_array_equal(changed.coef(1 - i), path.coef(1 - i))
        assert changed.n_selected[i] == other.n_selected[0] == changed.coef(i).any(axis=0).sum()
        for name in ("intercepts", "residuals", "objectives"):
            np.testing.assert_array_equal(getattr(changed, name)[i], getattr(other, name)[0])
            np.testing.assert_array_equal(getattr(changed, name)[1 - i], getattr(path, name)[1 - i])
    # Nothing is left of a model that kept more.
    empty = regularization_path(GroupLassoRegressor(), X, Y, alphas=[1e6])
    assert path.coef(1).any()
    assert not with_model(path, 1, empty).coef(1).any()
    # No column is left that no model keeps.
    for i in range(len(path.alphas)):
        path = with_model(path, i, empty)
    assert not len(path.kept)


WIDE_MODELS = [GroupLassoRegressor(), ShrinkNetRegressor(), GroupLassoClassifier()]


@pytest.mark.parametrize("model", WIDE_MODELS, ids=repr)
def test_a_path_takes_the_memory_of_few_models(model):
    # Mutants: a Solution, or its W or gradient alone, kept for every alpha.
    X, Y = simulate(40, 8000, 3, 3)
    y = Y.argmax(axis=1) if model is WIDE_MODELS[2] else Y
    one = 8 * 8000 * 3
    options = {"alphas": 50, "eps": 0.6}
    regularization_path(model, X[:, :10], y, **options)  # what is imported
    tracemalloc.start()
    path = regularization_path(model, X, y, **options)
    left, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 40 * one
    assert left < 5 * one
    assert len(pickle.dumps(path)) < one / 4
    refitted = path.refit(X, y)
    assert len(pickle.dumps(refitted)) < one / 4


# --- the same columns


def named_paths():
    X, Y = simulate(60, 3, 2)
    X = pd.DataFrame(X, columns=["a", "b", "c"])
    y = np.where(Y[:, 0] > 0, "high", "low")
    return [
        (X, Y, regularization_path(GroupLassoRegressor(), X, Y, alphas=3)),
        (X, y, regularization_path(ShrinkNetClassifier(), X, y, alphas=3, eps=0.1)),
    ]


def questions(path, y):
    """All that is asked of a path about an X."""
    asked = ("predict", "predict_proba", "predict_log_proba")
    yield from (getattr(path, name) for name in asked if hasattr(path, name))
    asked = ("losses", "mean_squared_errors", "log_losses", "accuracies", "refit")
    for name in asked:
        if hasattr(path, name):
            yield lambda X, name=name: getattr(path, name)(X, y)
    yield lambda X: TradeoffDisplay.from_paths({"a": path}, X, y)


@pytest.mark.parametrize("which", [0, 1])
def test_columns_in_another_order_are_refused(which):
    X, y, path = named_paths()[which]
    assert list(path.feature_names) == ["a", "b", "c"]
    name = type(path).__name__
    for ask in questions(path, y):
        ask(X)
        for other in (X[["c", "b", "a"]], X.rename(columns={"b": "d"})):
            with pytest.raises(ValueError, match="The feature names should match those that were"):
                ask(other)
        with pytest.warns(UserWarning, match=f"valid feature names, but {name} was fitted with"):
            ask(X.to_numpy())
    assert list(path.refit(X, y).feature_names) == ["a", "b", "c"]


def test_names_come_from_wherever_a_path_does():
    X, Y, path = named_paths()[0]
    moments = Moments.from_data(X, Y)
    found = [
        regularization_path(GroupLassoRegressor(), moments, alphas=3),
        GroupLassoRegressorCV(alphas=3).fit(X, Y).path_,
        GroupLassoRegressorCV(alphas=3, scoring="r2").fit(X, Y).path_,
        GroupLassoRegressorCV(alphas=3).fit_moments([moments, moments]).path_,
        InformationCriterion(GroupLassoRegressor(), alphas=3).fit(X, Y).path_,
        InformationCriterion(GroupLassoRegressor(), alphas=3).fit_moments(moments).path_,
    ]
    for each in found:
        assert list(each.feature_names) == ["a", "b", "c"]
    assert regularization_path(GroupLassoRegressor(), X.to_numpy(), Y).feature_names is None
    path.mean_squared_errors(moments)
    path.mean_squared_errors(Moments.from_data(X.to_numpy(), Y))
    with pytest.raises(ValueError, match="column 0 of X is 'c' in the moments and 'a' in the path"):
        path.mean_squared_errors(Moments.from_data(X[["c", "b", "a"]], Y))


@pytest.mark.parametrize("container", [sparse.csr_array, sparse.csc_matrix, sparse.coo_array])
def test_what_follows_a_path_takes_the_sparse_targets_that_it_took(container):
    X, Y = simulate(60, 5, 3)
    Y[np.abs(Y) < 1] = 0
    dense = regularization_path(GroupLassoRegressor(), X, Y, alphas=4)
    path = regularization_path(GroupLassoRegressor(), X, container(Y), alphas=4)
    np.testing.assert_allclose(path.coefs, dense.coefs, atol=1e-12)
    for ask in (lambda y: path.mean_squared_errors(X, y), lambda y: path.refit(X, y).objectives):
        np.testing.assert_allclose(ask(container(Y)), ask(Y), rtol=1e-12)
    drawn = [TradeoffDisplay.from_paths({"a": path}, X, y) for y in (container(Y), Y)]
    np.testing.assert_allclose(*(display.lines_[0].get_ydata() for display in drawn), rtol=1e-12)
    for scoring in (None, "r2"):
        search = GroupLassoRegressorCV(alphas=3, cv=3, scoring=scoring)
        scores = [copy(search).fit(X, y).cv_scores_ for y in (container(Y), Y)]
        np.testing.assert_allclose(*scores, rtol=1e-9)
    InformationCriterion(GroupLassoRegressor(), alphas=3).fit(X, container(Y))
