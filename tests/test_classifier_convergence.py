"""How many sweeps a classifier needs: warm starts, duplicated columns, max_iter."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning

from classifiers import assert_same_model, every_estimator, every_number_of_classes
from oracles import (
    log_loss,
)
from problems import CLASSIFICATION_PROBLEMS, simulate_classes
from shrinklin import (
    GroupLassoClassifier,
)


@every_estimator
@every_number_of_classes
def test_warm_start_saves_sweeps_and_survives_another_shape(estimator, n_classes):
    X, y = simulate_classes(100, 15, n_classes, 8, correlation=0.9)
    model = clone(estimator).set_params(alpha=0.01, warm_start=True).fit(X, y)
    cold, coef = model.n_iter_, model.coef_.copy()
    model.fit(X, y)
    if isinstance(estimator, GroupLassoClassifier):  # ShrinkNet counts its last descent only
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


@pytest.mark.parametrize("alpha", [1e-2, 1e-3])
def test_duplicated_columns_need_few_sweeps(alpha):
    # Newton steps that are not damped would move coefficients to and fro between the copies.
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


@every_estimator
def test_not_converged_says_so_and_stays_usable(estimator):
    X, y = simulate_classes(100, 20, 3, 10, correlation=0.99, seed=1)
    model = clone(estimator).set_params(alpha=1e-3, max_iter=1, tol=1e-17)
    message = r"residual .* > tol=1e-17 after 1 sweeps \(max_iter=1\)\. (Increase|Further)"
    with pytest.warns(ConvergenceWarning, match=message):
        model.fit(X, y)
    assert model.residual_ > 1e-17
    assert model.score(X, y) > 0.4
