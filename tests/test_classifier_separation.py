"""Unpenalised features that separate classes: there is no best model, and a warning."""

import warnings

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning

from classifiers import every_estimator
from oracles import (
    bridge,
    log_loss,
)
from shrinklin import (
    GroupLassoClassifier,
)


def _chain():
    """Eight classes along one feature."""
    X = np.random.default_rng(0).normal(size=(80, 6))
    return X, X[:, 0].argsort().argsort() // 10


def _one_of_three():
    """A flag separates one class from the others, which overlap."""
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
    """One sample per class; without an intercept the sign of a feature separates two sets."""
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
    # Far enough for the loss, and no further: from one class to the next about 25 will do.
    Z = model.decision_function(X)
    assert np.abs(Z).max() < 50 * (np.ptp(X[:, 0]) / np.diff(np.unique(X[:, 0])).min())
    # It takes up to 1600 passes and 8 million multiplications. It was once a hundred times slower.
    assert model.cost_.epochs < 5000
    assert model.cost_.multiply_adds < 3e7
    again = clone(model)
    with pytest.warns(ConvergenceWarning):
        again.fit(X, y)
    assert again.coef_.tobytes() == model.coef_.tobytes()
    # Neither coefficients of twice the size nor other penalised ones do better.
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
    # The infimum of the loss is 0, which no coefficients attain.
    loss = log_loss(X, y // 4, model.coef_, model.intercept_)
    assert model.dual_gap_ >= loss * (1 - 1e-6)
    for quasi in ([[0.0], [1], [1], [2]], [[0.0], [1], [2], [3]]):
        with pytest.warns(ConvergenceWarning, match="there is no best model"):
            GroupLassoClassifier(alpha=0).fit(quasi, [0, 0, 1, 1])


def test_the_intercept_follows_where_classes_of_uneven_weight_are_told_apart():
    # Its steps once overshot the kink of an almost piecewise linear loss and stopped there: the
    # coefficients were worse than none.
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
