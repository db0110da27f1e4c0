"""Weights of samples, classes and features, and groups of features, in a classifier."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression

from classifiers import (
    ESTIMATORS,
    assert_same_model,
    every_estimator,
    every_number_of_classes,
    fitted,
    some_weights,
)
from problems import simulate_classes
from shrinklin import (
    GroupLassoClassifier,
    ShrinkNetClassifier,
)


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


@pytest.mark.parametrize("n_classes", [3, 60])
@pytest.mark.parametrize("n_free", [0, 1])
@pytest.mark.parametrize("estimator", [GroupLassoClassifier(), ShrinkNetClassifier()], ids=repr)
def test_a_class_without_weight_changes_no_verdict(estimator, n_free, n_classes):
    """The loss has almost no curvature in its coefficients: long steps there mean nothing."""
    X, y = simulate_classes(300, 6, n_classes, noise=3)
    y[:n_classes] = np.arange(n_classes)
    weights = np.r_[np.zeros(n_free), np.ones(6 - n_free)]
    for alpha in (0.03, 0.003):
        model = clone(estimator).set_params(alpha=alpha, feature_weights=weights)
        model.fit(X, y, 1.0 * (y != 1))  # a warning would be an error
        if isinstance(model, GroupLassoClassifier):
            assert model.dual_gap_ <= 1e-6 * np.log(n_classes)


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
