"""partial_fit after fit, and fit between calls of partial_fit."""

import copy

import numpy as np
import pytest
from sklearn.base import clone

from problems import simulate_classes
from shrinklin import (
    GradientDescent,
    SignChange,
    Threshold,
)
from streams import (
    ESTIMATORS,
    RATES_TOO_LARGE,
    Slow,
    chunks_of,
    every_batch_size,
    every_estimator,
    make,
    prepared,
    same_bits,
    stream,
)


@every_estimator
@every_batch_size
def test_it_goes_on_from_a_fitted_model(estimator, batch_size):
    chunks = chunks_of()
    X, y = chunks[0]
    model = prepared(estimator, batch_size=batch_size, max_epochs=30).fit(X, y)
    switch = getattr(model, "switch_", np.ones(8))
    weight = getattr(model, "weight_", model.coef_)
    start = weight.T.copy(), switch.copy(), model.intercept_.copy()
    slow = Slow(model, 8, 3, None, np.random.RandomState(0), start)
    for X, y in chunks:
        slow.call(X, np.eye(3)[y])
        model.partial_fit(X, y)
    assert slow.deviation(model) < 1e-10
    assert model.n_iter_ == model.cost_.epochs == 5
    assert not hasattr(model, "history_")


@every_estimator
def test_fit_begins_anew(estimator):
    X, y = simulate_classes(50, 6, 2)
    fresh = make(estimator, max_epochs=20).fit(X, y)
    model = stream(clone(fresh), chunks_of()).fit(X, y)
    assert same_bits(model, fresh)
    assert model.history_["epoch"][-1] == 20
    # Nothing of the stream is left.
    assert same_bits(model.partial_fit(X, y), fresh.partial_fit(X, y))
    assert model.n_iter_ == 1


@every_estimator
@pytest.mark.parametrize("removal", [None, Threshold(0.02)], ids=repr)
def test_what_an_exact_fit_left_out(estimator, removal):
    X, y = simulate_classes(60, 8, 3)
    model = clone(estimator).set_params(alpha=0.15).fit(X, y)
    out = ~model.get_support()
    assert 0 < out.sum() < 8
    model.set_params(solver=GradientDescent(removal=removal), alpha=0.001)
    stream(model, [(X, y)] * 5)
    assert not hasattr(model, "residual_")
    if estimator is ESTIMATORS[0] or removal is not None:
        assert not model.get_support()[out].any()
    else:
        assert model.get_support()[out].any()


@every_estimator
@pytest.mark.parametrize("removal", [None, Threshold(0.001)], ids=repr)
def test_a_model_without_features_begins_anew(estimator, removal):
    X, y = simulate_classes(60, 8, 3)
    model = clone(estimator).set_params(alpha=1e3).fit(X, y)
    assert not model.coef_.any()
    model.set_params(alpha=0.01, solver=GradientDescent(removal=removal))
    assert stream(model, [(X, y)] * 10).get_support().any()


@pytest.mark.parametrize("groups", [None, [2, 0, 1, 3] * 2], ids=["features", "groups"])
def test_what_closed_filters_left_out_stays_out(groups):
    X, y = simulate_classes(60, 8, 3)
    setting = {"gate": "filter", "max_epochs": 300, "groups": groups, "alpha": 0.05}
    model = make(ESTIMATORS[0], **setting).fit(X, y)
    out = ~model.get_support()
    assert 0 < out.sum() < 8
    assert model.weight_[:, out].any()  # a closed filter keeps its weights
    model.set_params(solver=GradientDescent(), alpha=0.001)
    stream(model, [(X, y)] * 20)
    np.testing.assert_array_equal(model.get_support(), ~out)


OTHER_GROUPS = [[0, 0, 1, 1, 2, 2, 3, 3], [2, 0, 1, 3] * 2, [0] * 8]


@every_estimator
@pytest.mark.parametrize("groups", OTHER_GROUPS, ids=repr)
@pytest.mark.parametrize("solver", ["auto", GradientDescent(removal=SignChange(), max_epochs=50)])
@pytest.mark.filterwarnings("ignore:(?s).*above that of a model without features")
def test_groups_may_change_after_fit(estimator, groups, solver):
    if estimator is ESTIMATORS[1]:
        solver = "auto"
    X, y = simulate_classes(60, 8, 3)
    model = clone(estimator).set_params(alpha=0.1, solver=solver).fit(X, y)
    coef = model.coef_.copy()
    assert 0 < model.get_support().sum() < 8
    # With a tiny learning rate it stays the model that was fitted.
    model.set_params(groups=groups, solver=GradientDescent(learning_rate=1e-12))
    other = copy.deepcopy(model).set_params(warm_start=True, solver__max_epochs=1)
    np.testing.assert_allclose(model.partial_fit(X, y).coef_, coef, rtol=0, atol=1e-10)
    np.testing.assert_allclose(other.fit(X, y).coef_, coef, rtol=0, atol=1e-10)


@every_estimator
def test_without_an_intercept_none_is_left_of_the_fit(estimator):
    X, y = simulate_classes(60, 8, 3)
    model = clone(estimator).set_params(alpha=0.1).fit(X, y)
    assert model.intercept_.any()
    model.set_params(fit_intercept=False).partial_fit(X, y)
    assert not model.intercept_.any()


@every_estimator
def test_a_fit_that_fails_in_mid_stream_leaves_model_and_stream(estimator):
    chunks, (X, y) = chunks_of(), simulate_classes(50, 5, 2)
    model = stream(clone(estimator), chunks[:2])
    before = vars(model).copy()
    with pytest.raises(ValueError, match="one class"):
        model.fit(X, np.zeros(50))
    assert vars(model) == before
    diverging = GradientDescent("sgd", learning_rate=RATES_TOO_LARGE.get(type(model), 1e5))
    diverging.set_params(max_epochs=9)
    with pytest.raises(ValueError, match="diverged"):
        model.set_params(solver=diverging).fit(X, y)
    assert vars(model.set_params(solver="auto")) == before
    assert same_bits(stream(model, chunks[2:]), stream(clone(estimator), chunks))
