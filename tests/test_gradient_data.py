"""Data of gradient training: sparse, float32, labels, weights, and data hard to fit."""

import warnings

import numpy as np
import pytest
from scipy import sparse

from oracles import squared_loss
from problems import simulate, simulate_classes
from shrinklin import (
    Threshold,
)
from trainings import (
    GROUP_LASSOS,
    SHRINKNETS,
    data_of,
    every_batch_size,
    every_estimator,
    fit,
    name_of,
    objectives,
    same_model,
)


@every_estimator
@every_batch_size
@pytest.mark.parametrize("container", [sparse.csr_array, sparse.csc_array, sparse.csr_matrix])
def test_sparse_equals_dense(estimator, batch_size, container):
    X, y = data_of(estimator)
    X[np.abs(X) < 1] = 0
    removal = Threshold(0.02)
    setting = {"batch_size": batch_size, "removal": removal, "groups": [0, 1, 2, 3, 4, 5] * 2}
    dense, model = fit(estimator, X, y, **setting), fit(estimator, container(X), y, **setting)
    # The moments differ in their last digits, and the difference grows with the epochs.
    np.testing.assert_allclose(model.coef_, dense.coef_, rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(model.intercept_, dense.intercept_, rtol=1e-6, atol=1e-8)
    np.testing.assert_array_equal(model.history_["n_alive"], dense.history_["n_alive"])


@every_estimator
@every_batch_size
def test_float32_stays_and_agrees(estimator, batch_size):
    X, y = data_of(estimator)
    double = fit(estimator, X, y, batch_size=batch_size)
    single = fit(estimator, X.astype(np.float32), y, batch_size=batch_size)
    assert single.coef_.dtype == single.intercept_.dtype == np.float32
    if hasattr(single, "switch_"):
        assert single.switch_.dtype == single.weight_.dtype == np.float32
        np.testing.assert_array_equal(single.coef_, single.weight_ * single.switch_)
    np.testing.assert_allclose(single.coef_, double.coef_, atol=1e-4)


@pytest.mark.parametrize("estimator", [SHRINKNETS[0], GROUP_LASSOS[0]], ids=name_of)
@pytest.mark.parametrize("shape", ["1-D", "column", "many"])
def test_shapes_follow_y(estimator, shape):
    X, Y = simulate(40, 6, 3)
    y = {"1-D": Y[:, 0], "column": Y[:, :1], "many": Y}[shape]
    model = fit(estimator, X, y)
    assert model.coef_.shape == (*y.shape[1:], 6)
    assert np.shape(model.intercept_) == y.shape[1:]
    assert model.predict(X).shape == y.shape
    if hasattr(model, "weight_"):
        assert model.weight_.shape == model.coef_.shape
        assert model.switch_.shape == (6,)


@pytest.mark.parametrize("estimator", [SHRINKNETS[1], GROUP_LASSOS[1]], ids=name_of)
@pytest.mark.parametrize("n_classes", [2, 3])
def test_labels_may_be_strings(estimator, n_classes):
    X, y = simulate_classes(60, 12, n_classes)
    names = np.array(["ash", "beech", "cedar"])
    coded, named = (fit(estimator, X, labels, alpha=0.02) for labels in (y, names[y]))
    assert same_model(coded, named)
    np.testing.assert_array_equal(named.predict(X), names[coded.predict(X)])
    assert coded.score(X, y) > 0.7


@pytest.mark.parametrize("estimator", [SHRINKNETS[1], GROUP_LASSOS[1]], ids=name_of)
def test_class_weights_are_sample_weights(estimator):
    X, y = data_of(estimator)
    weight = {0: 3.0, 2: 0.5}
    s = np.array([weight.get(label, 1.0) for label in y])
    model = fit(estimator, X, y, class_weight=weight)
    np.testing.assert_allclose(model.coef_, fit(estimator, X, y, s).coef_, atol=1e-9)
    assert np.abs(model.coef_ - fit(estimator, X, y).coef_).max() > 1e-3


AWKWARD = {
    "constant": lambda X, Y: (np.where(np.arange(8) == 3, 7.1, X), Y, None),
    "all constant": lambda X, Y: (np.ones_like(X), Y, None),
    "duplicates": lambda X, Y: (X[:, [0, 0, 1, 1, 2, 2, 3, 3]], Y, None),
    "p > n": lambda X, Y: (X[:5], Y[:5], None),
    "one feature": lambda X, Y: (X[:, :1], Y, None),
    "one sample": lambda X, Y: (X[:1], Y[:1], None),
    "y all zero": lambda X, Y: (X, 0 * Y, None),
    "zero weights": lambda X, Y: (X, Y, np.arange(len(X)) % 2),
    "one weight": lambda X, Y: (X, Y, np.arange(len(X)) == 4),
    "integers": lambda X, Y: (np.round(5 * X).astype(int), np.round(5 * Y).astype(int), None),
}


@pytest.mark.parametrize("estimator", [SHRINKNETS[0], GROUP_LASSOS[0]], ids=name_of)
@every_batch_size
@pytest.mark.parametrize("kind", AWKWARD)
@pytest.mark.parametrize("alpha", [0, 0.1])
def test_awkward_data(estimator, batch_size, kind, alpha):
    X, Y, s = AWKWARD[kind](*simulate(30, 8, 2))
    given = X.copy(), Y.copy()
    removal = Threshold(0.01)
    with warnings.catch_warnings():
        # Some data have means far from 0, or hardly a feature of suitable scale.
        warnings.filterwarnings("ignore", "(?s).*above that of a model without features")
        model = fit(estimator, X, Y, s, alpha=alpha, batch_size=batch_size, removal=removal)
    assert np.isfinite(model.predict(X)).all()
    values = objectives(model)
    assert values[-1] < values[0]
    loss = squared_loss(X, Y, model.coef_, model.intercept_, s)
    assert model.history_["loss"][-1] == pytest.approx(loss, rel=1e-9, abs=1e-12)
    np.testing.assert_array_equal(X, given[0])
    np.testing.assert_array_equal(Y, given[1])


@every_estimator
@pytest.mark.parametrize("scale", [1e200, 1e-200])
def test_data_without_squares_are_named(estimator, scale):
    X, y = data_of(estimator)
    with pytest.raises(ValueError, match=r"works with squares of X.*do not fit in float64"):
        fit(estimator, scale * X, y)
