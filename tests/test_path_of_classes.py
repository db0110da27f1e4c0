"""Regularization paths of classifiers: against single fits, and what they refuse."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import sparse
from sklearn.metrics import accuracy_score, log_loss

from builders import CLASS_PROBLEMS, build_classes, descend, logistic_regression
from problems import simulate_classes
from shrinklin import GroupLassoClassifier, ProximalNewton, ShrinkNetClassifier, regularization_path
from shrinklin.penalties.bridge1 import Bridge1
from shrinklin.penalties.bridge2 import Bridge2
from shrinklin.solvers.paths import n_steps, solve_path

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
        with pytest.raises(ValueError, match="X has 3 features, but the path was computed with 4"):
            measure(X[:, :3], y)
        with pytest.raises(ValueError, match="inconsistent numbers of samples"):
            measure(X, y[:7])
    for predict in (path.predict, path.predict_proba, path.predict_log_proba):
        with pytest.raises(ValueError, match="X has 3 features, but the path was computed with 4"):
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
