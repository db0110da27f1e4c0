"""Gradient training that goes on from an earlier fit."""

import warnings

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning

from problems import simulate
from shrinklin import (
    Annealing,
    GradientDescent,
    GroupLassoRegressor,
    SignVariance,
    Threshold,
)
from trainings import (
    GROUP_LASSOS,
    data_of,
    every_batch_size,
    every_estimator,
    every_shrinknet,
    fit,
    name_of,
    objectives,
    same_model,
)


@every_shrinknet
@pytest.mark.parametrize("gate", ["switch", "filter"])
@pytest.mark.parametrize("p", [1, 2, 1.5])
@pytest.mark.parametrize("groups", [None, [2, 0, 1, 3] * 3], ids=["features", "groups"])
def test_warm_start_goes_on_from_the_coefficients(estimator, gate, p, groups):
    X, y = data_of(estimator)
    removal = Threshold(0.05)
    model = fit(estimator, X, y, p=p, groups=groups, warm_start=True, removal=removal, alpha=0.2)
    before, coef = model.get_support(), model.coef_.copy()
    assert 0 < before.sum() < 12
    expected = model.objective_
    model.set_params(solver=GradientDescent(max_epochs=20, gate=gate)).fit(X, y)
    assert objectives(model)[0] == pytest.approx(expected, rel=1e-9)
    assert not model.get_support()[~before].any()
    assert model.history_["n_alive"][0] == before.sum()
    assert not np.array_equal(model.coef_, coef)
    assert np.abs(model.coef_ - coef).max() < 2


class SeesWhatIsLeft(SignVariance):
    """SignVariance that is told of the switches left, and how many there were at first."""

    def dead(self, watched):
        assert len(watched.layer) == len(watched.gate) < watched.n_switches == 12
        assert not watched.layer.any()
        return super().dead(watched)


@every_shrinknet
def test_after_a_warm_start_removal_goes_on_among_what_is_left(estimator):
    X, y = data_of(estimator)
    model = fit(estimator, X, y, warm_start=True, removal=Threshold(0.02), alpha=0.1)
    n_left = model.get_support().sum()
    solver = GradientDescent(max_epochs=200, removal=SeesWhatIsLeft(0.8))
    model.set_params(solver=solver, alpha=0.3).fit(X, y)
    assert model.get_support().sum() < n_left < 12


@pytest.mark.parametrize("estimator", GROUP_LASSOS, ids=name_of)
def test_warm_start_of_the_group_lasso(estimator):
    X, y = data_of(estimator)
    groups = [2, 0, 1, 3] * 3
    model = fit(estimator, X, y, warm_start=True, removal=Annealing(2), groups=groups)
    value = model.objective_
    model.set_params(solver=GradientDescent(max_epochs=20)).fit(X, y)
    assert objectives(model)[0] == pytest.approx(value, rel=1e-9)
    # Its problem is convex, so features that were zero may enter.
    assert model.history_["n_alive"][0] == 12


@every_estimator
def test_without_warm_start_or_with_another_shape_it_begins_anew(estimator):
    X, y = data_of(estimator)
    fresh = fit(estimator, X, y)
    assert same_model(clone(fresh).fit(X, y).fit(X, y), fresh)
    model = fit(estimator, X[:, :7], y, warm_start=True).fit(X, y)
    assert same_model(model, fresh)


@every_shrinknet
def test_a_warm_start_from_an_empty_model_begins_anew(estimator):
    # No gradient moves a switch and a weight that are both zero.
    X, y = data_of(estimator)
    model = clone(estimator).set_params(alpha=1e3, warm_start=True, random_state=0).fit(X, y)
    assert not model.coef_.any()
    model.set_params(alpha=estimator.alpha, solver=GradientDescent(max_epochs=20)).fit(X, y)
    fresh = clone(model).fit(X, y)
    assert same_model(model, fresh)


@every_estimator
def test_warm_start_from_an_exact_solution_stays_near_it(estimator):
    X, y = data_of(estimator)
    exact = clone(estimator).set_params(warm_start=True, tol=1e-8).fit(X, y)
    value = exact.objective_
    exact.set_params(solver=GradientDescent(max_epochs=300, learning_rate=1e-3))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # the objective can only rise
        model = exact.fit(X, y)
    assert objectives(model)[0] == pytest.approx(value, rel=1e-6)
    assert model.objective_ <= value * (1 + 1e-3)


@every_estimator
@every_batch_size
def test_no_intercept_even_after_a_warm_start_with_one(estimator, batch_size):
    X, y = data_of(estimator)
    solver = GradientDescent(max_epochs=50, batch_size=batch_size)
    model = clone(estimator).set_params(solver=solver, fit_intercept=False)
    assert not model.fit(X, y).intercept_.any()
    model.set_params(fit_intercept=True).fit(X, y)
    assert model.intercept_.all()
    model.set_params(fit_intercept=False, warm_start=True).fit(X, y)
    assert not model.intercept_.any()


def test_warm_start_where_nothing_is_left_to_gain_is_not_divergence():
    X, _ = simulate(60, 12, 3)
    Y = X[:, :4] @ np.ones((4, 3))
    model = GroupLassoRegressor(0.0, warm_start=True, random_state=0).fit(X, Y)
    model.set_params(solver=GradientDescent(max_epochs=50))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # the objective can only rise
        model.fit(X, Y)
    assert model.objective_ < 0.1
