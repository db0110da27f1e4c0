"""Gradient training with a ridge, and what is built on fits with one: paths, frequencies."""

import pickle
from dataclasses import replace

import numpy as np
import pytest
from sklearn.base import clone, is_classifier

from seven_features import away_from_zero, groups_of, make
from shrinklin import (
    GradientDescent,
    GroupLassoClassifier,
    GroupLassoRegressor,
    ShrinkNetClassifier,
    ShrinkNetRegressor,
    regularization_path,
    selection_frequencies,
)
from test_parametrization_gradients import differences
from test_pickles import by_name, load
from trainings import data_of, every_batch_size, every_estimator, fit, objective_of, objectives

CASES = [("switch", 2), ("switch", 1), ("filter", 2), ("filter", 1.5), (None, None)]


@pytest.mark.parametrize(("gate", "p"), CASES)
@pytest.mark.parametrize("kind", ["groups", "singletons"])
def test_gradient_with_a_ridge_against_differences(gate, p, kind):
    parametrization = replace(make(gate, p, groups_of(kind), 2), ridge=0.7)
    groups, rng = parametrization.groups, np.random.default_rng(0)
    in_W, in_b = rng.normal(size=(7, 2)), rng.normal(size=2)
    x = away_from_zero(14 + (len(groups) if gate else 0) + 2)

    def penalty(x):
        W = parametrization.coefficients(x)
        squares = (W[groups.spread(groups.weights) > 0] ** 2).sum()
        return replace(parametrization, ridge=0.0).penalty(x) + 0.35 * squares

    def value(x):
        return np.vdot(in_W, parametrization.coefficients(x)) + in_b @ x[-2:] + penalty(x)

    assert parametrization.penalty(x) == pytest.approx(penalty(x), rel=1e-12)
    gradient = parametrization.gradient(x, in_W, in_b)
    np.testing.assert_allclose(gradient, differences(value, x), atol=1e-8)
    assert parametrization.keep(np.array([0, 2])).ridge == 0.7


@every_estimator
@every_batch_size
def test_the_objective_of_training_has_the_ridge(estimator, batch_size):
    X, y = data_of(estimator)
    model = fit(estimator, X, y, batch_size=batch_size, alpha=0.2, ridge=0.5)
    expected = objective_of(model, X, y) + 0.25 * (model.coef_**2).sum()
    assert model.objective_ == objectives(model)[-1]
    assert model.objective_ == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("cls", [GroupLassoRegressor, GroupLassoClassifier])
@pytest.mark.parametrize("alpha", [0.1, 0.0])
def test_training_comes_close_to_the_exact_minimum(cls, alpha):
    estimator = cls(alpha, ridge=0.5, feature_weights=np.r_[0, np.ones(11)])
    X, y = data_of(estimator)
    exact = clone(estimator).set_params(tol=1e-10).fit(X, y)
    model = fit(estimator, X, y, learning_rate_decay=0.01, learning_rate=0.3, max_epochs=1500)
    assert (objectives(model) >= exact.objective_ - 1e-9).all()
    assert model.objective_ <= 1.002 * exact.objective_
    other = clone(estimator).set_params(ridge=0.4).fit(X, y)
    assert exact.objective_ > 1.002 * other.objective_


@pytest.mark.parametrize("cls", [ShrinkNetRegressor, ShrinkNetClassifier])
@pytest.mark.parametrize("gate", ["switch", "filter"])
def test_training_of_shrinknet_stays_above_the_exact_minimum(cls, gate):
    estimator = cls(0.05, ridge=0.3, random_state=0)
    X, y = data_of(estimator)
    exact = clone(estimator).fit(X, y)
    model = fit(estimator, X, y, gate=gate, learning_rate=0.1, max_epochs=400)
    assert (objectives(model) >= exact.objective_ - 1e-6).all()
    assert model.objective_ <= 1.1 * exact.objective_


@every_estimator
@pytest.mark.filterwarnings("ignore:.*did not converge")
def test_chunks_of_a_training_go_on_with_the_ridge(estimator):
    X, y = data_of(estimator)
    solver = GradientDescent("sgd", learning_rate=0.01, batch_size=None, max_epochs=40)
    held, free = (
        clone(estimator).set_params(solver=solver, alpha=0.0, ridge=ridge) for ridge in (30.0, 0.0)
    )
    for _ in range(40):
        for model in (held, free):
            extra = {"classes": np.unique(y)} if is_classifier(model) else {}
            model.partial_fit(X, y, **extra)
    assert np.abs(held.coef_).max() < 0.3 * np.abs(free.coef_).max()


# --- what is built on a fit


EVERY = [GroupLassoRegressor(), ShrinkNetRegressor(), GroupLassoClassifier(), ShrinkNetClassifier()]
every_model = pytest.mark.parametrize("estimator", EVERY, ids=lambda e: type(e).__name__)


@every_model
def test_a_path_has_the_models_of_its_alphas(estimator):
    X, y = data_of(estimator)
    estimator = clone(estimator).set_params(ridge=0.4, tol=1e-9)
    path = regularization_path(estimator, X, y, alphas=[0.2, 0.1, 0.05])
    for i, alpha in enumerate(path.alphas):
        single = clone(estimator).set_params(alpha=float(alpha)).fit(X, y)
        assert path.objectives[i] <= single.objective_ * (1 + 1e-6)
        if not hasattr(single, "switch_"):
            np.testing.assert_allclose(path.coef(i), single.coef_, atol=1e-5)


@every_model
def test_selection_frequencies_and_copies_keep_the_ridge(estimator):
    X, y = data_of(estimator)
    estimator = clone(estimator).set_params(alpha=0.1, ridge=1.0)
    plain = clone(estimator).set_params(ridge=0.0)
    # With correlated columns, a ridge keeps more or others of them.
    X = X + 2 * X[:, :1]
    held, free = (selection_frequencies(e, X, y, 4, random_state=0) for e in (estimator, plain))
    assert held.shape == free.shape == (12,)
    assert (held != free).any()
    assert "ridge=1.0" in repr(estimator)
    assert clone(estimator).ridge == pickle.loads(pickle.dumps(estimator)).ridge == 1.0


@by_name
def test_models_of_0_1_0_have_no_ridge(file):
    model = load(file)["model"]
    model = getattr(model, "estimator", model)
    if "ridge" in model.get_params():
        assert model.ridge == clone(model).ridge == 0.0
        assert model.set_params(ridge=0.2).ridge == 0.2
