"""Classifiers on data that are hard to fit."""

import string

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning

from classifiers import alpha_for, every_estimator
from oracles import (
    log_loss,
)
from problems import simulate_classes
from shrinklin import (
    GroupLassoClassifier,
    ShrinkNetClassifier,
)


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


def assert_no_eternity(model):
    """The most are 1250 passes. Counts do not depend on the machine, as seconds do."""
    assert model.cost_.epochs < 5000
    assert model.cost_.multiply_adds < 1e9


@every_estimator
@pytest.mark.parametrize("kind", AWKWARD)
@pytest.mark.parametrize("alpha", [0, 0.01])
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.untraced
def test_awkward_data(estimator, kind, alpha):
    X, y, s = AWKWARD[kind](*simulate_classes(30, 5, 3))
    model = clone(estimator).set_params(alpha=alpha).fit(X, y, s)
    assert_no_eternity(model)
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
    model = ShrinkNetClassifier(1e-3, p=1).fit(X, y, s)
    assert_no_eternity(model)
    assert model.residual_ <= model.tol


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
    with pytest.warns(ConvergenceWarning):
        model.fit(X, y)
    assert_no_eternity(model)
    assert model.score(X, y) == 1
    assert log_loss(X, y, model.coef_, model.intercept_) < 1e-4
