"""Regressors follow scikit-learn's conventions: pipelines, searches, names, metadata routing."""

import pickle

import numpy as np
import pandas as pd
import pytest
import sklearn
from sklearn.base import clone
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import GridSearchCV, cross_val_score, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import check_estimator

from problems import simulate
from regressors import ESTIMATORS, every_estimator, residual_updates
from shrinklin import CoordinateDescent, GroupLassoRegressor, ShrinkNetRegressor


@pytest.mark.parametrize(
    "estimator",
    [
        *ESTIMATORS,
        GroupLassoRegressor(solver=residual_updates),
        ShrinkNetRegressor(solver=residual_updates),
    ],
    ids=repr,
)
@pytest.mark.filterwarnings(
    "ignore:No features were selected", "ignore:.* keeps no feature", "ignore:this .* was fitted by"
)
@pytest.mark.untraced
def test_check_estimator(estimator):
    results = check_estimator(estimator, on_skip=None)
    assert {result["status"] for result in results} == {"passed"}
    assert len(results) > 50


@every_estimator
def test_in_pipeline_grid_search_and_cross_validation(estimator):
    X, Y = simulate(60, 8, 3)
    model = make_pipeline(StandardScaler(), estimator)
    name = type(estimator).__name__.lower()
    search = GridSearchCV(model, {f"{name}__alpha": [0.01, 0.1, 1.0]}, n_jobs=2, cv=3)
    search.fit(X, Y)
    assert search.best_score_ > 0
    by_hand = [
        cross_val_score(clone(model).set_params(**p), X, Y, cv=3).mean()
        for p in search.cv_results_["params"]
    ]
    np.testing.assert_array_equal(search.cv_results_["mean_test_score"], by_hand)


@every_estimator
def test_pickle_and_clone(estimator):
    X, Y = simulate(40, 6, 2)
    model = clone(estimator).set_params(alpha=0.2, solver=CoordinateDescent(gram=True)).fit(X, Y)
    copy = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(copy.predict(X), model.predict(X))
    assert clone(model).get_params()["alpha"] == 0.2
    assert not hasattr(clone(model), "coef_")


@every_estimator
def test_as_a_selection_step(estimator):
    X, Y = simulate(60, 12, 3)
    model = make_pipeline(clone(estimator).set_params(alpha=0.5), LinearRegression()).fit(X, Y)
    support = model[0].get_support()
    assert 0 < support.sum() < 12
    expected = LinearRegression().fit(X[:, support], Y)
    np.testing.assert_allclose(model[-1].coef_, expected.coef_)
    np.testing.assert_array_equal(model[0].get_support(indices=True), np.flatnonzero(support))


@every_estimator
def test_names_of_data_frames(estimator):
    X, Y = simulate(60, 6, 2, 2)
    frame = pd.DataFrame(X, columns=list("abcdef"), index=np.arange(60) + 7)
    model = clone(estimator).set_params(alpha=0.5).fit(frame, pd.DataFrame(Y))
    names = model.get_feature_names_out()
    np.testing.assert_array_equal(names, np.array(list("abcdef"))[model.get_support()])
    np.testing.assert_array_equal(model.feature_names_in_, list("abcdef"))
    model.set_output(transform="pandas")
    selected = model.transform(frame)
    assert list(selected.columns) == list(names)
    assert selected.index.equals(frame.index)


@every_estimator
def test_sample_weight_is_routed(estimator):
    X, Y = simulate(60, 8, 3)
    s = np.random.default_rng(0).uniform(0, 1, 60)
    folds = [(np.arange(40), np.arange(40, 60))]
    with sklearn.config_context(enable_metadata_routing=True):
        model = clone(estimator).set_fit_request(sample_weight=True)
        model.set_score_request(sample_weight=True)
        result = cross_validate(
            model, X, Y, params={"sample_weight": s}, cv=folds, return_estimator=True
        )
    expected = clone(estimator).fit(X[:40], Y[:40], sample_weight=s[:40])
    np.testing.assert_array_equal(result["estimator"][0].coef_, expected.coef_)
    assert result["test_score"][0] == expected.score(X[40:], Y[40:], sample_weight=s[40:])
