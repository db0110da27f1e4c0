"""Classifiers in scikit-learn: its checks, searches, pipelines, data frames and routing."""

import pickle

import numpy as np
import pandas as pd
import pytest
import sklearn
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import (
    GridSearchCV,
    cross_val_predict,
    cross_val_score,
    cross_validate,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import check_estimator

from classifiers import (
    ESTIMATORS,
    every_estimator,
)
from problems import simulate_classes
from shrinklin import (
    ProximalNewton,
)


@pytest.mark.parametrize("estimator", ESTIMATORS[:2], ids=repr)
@pytest.mark.filterwarnings("ignore:No features were selected", "ignore:.* keeps no feature")
@pytest.mark.untraced
def test_check_estimator(estimator):
    results = check_estimator(estimator, on_skip=None)
    assert {result["status"] for result in results} == {"passed"}
    assert len(results) > 50


@every_estimator
def test_in_pipeline_grid_search_and_cross_validation(estimator):
    X, y = simulate_classes(60, 5, 3)
    model = make_pipeline(StandardScaler(), estimator)
    name = type(estimator).__name__.lower()
    search = GridSearchCV(model, {f"{name}__alpha": [0.02, 0.2]}, n_jobs=2, cv=3).fit(X, y)
    assert search.best_score_ > 0.5
    by_hand = [
        cross_val_score(clone(model).set_params(**p), X, y, cv=3).mean()
        for p in search.cv_results_["params"]
    ]
    np.testing.assert_array_equal(search.cv_results_["mean_test_score"], by_hand)


@every_estimator
def test_probabilities_by_cross_validation_and_calibration(estimator):
    X, y = simulate_classes(60, 5, 3)
    model = clone(estimator).set_params(alpha=0.03)
    probabilities = cross_val_predict(model, X, y, cv=3, method="predict_proba")
    assert probabilities.shape == (60, 3)
    calibrated = CalibratedClassifierCV(model, cv=3).fit(X, y)
    for P in (probabilities, calibrated.predict_proba(X)):
        np.testing.assert_allclose(P.sum(axis=1), 1, rtol=1e-12)
        assert np.mean(P.argmax(axis=1) == y) > 0.5


@every_estimator
def test_pickle_and_clone(estimator):
    X, y = simulate_classes(40, 5, 3)
    model = clone(estimator).set_params(alpha=0.02, solver=ProximalNewton()).fit(X, y)
    copy = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(copy.predict_proba(X), model.predict_proba(X))
    assert clone(model).get_params()["alpha"] == 0.02
    assert not hasattr(clone(model), "coef_")


@every_estimator
def test_as_a_selection_step(estimator):
    X, y = simulate_classes(60, 8, 3)
    model = make_pipeline(clone(estimator), LogisticRegression()).fit(X, y)
    support = model[0].get_support()
    assert 0 < support.sum() < 8
    np.testing.assert_array_equal(model[0].transform(X), X[:, support])
    np.testing.assert_array_equal(model[0].get_support(indices=True), np.flatnonzero(support))


@every_estimator
def test_names_of_data_frames(estimator):
    X, y = simulate_classes(60, 6, 3, 2)
    frame = pd.DataFrame(X, columns=list("abcdef"), index=np.arange(60) + 7)
    model = clone(estimator).fit(frame, pd.Series(y).map({0: "x", 1: "y", 2: "z"}))
    names = model.get_feature_names_out()
    assert 0 < len(names) < 6
    np.testing.assert_array_equal(names, np.array(list("abcdef"))[model.get_support()])
    np.testing.assert_array_equal(model.feature_names_in_, list("abcdef"))
    np.testing.assert_array_equal(model.classes_, ["x", "y", "z"])
    model.set_output(transform="pandas")
    selected = model.transform(frame)
    assert list(selected.columns) == list(names)
    assert selected.index.equals(frame.index)


@every_estimator
def test_sample_weight_is_routed(estimator):
    X, y = simulate_classes(60, 5, 3)
    s = np.random.default_rng(0).uniform(0, 1, 60)
    folds = [(np.arange(40), np.arange(40, 60))]
    with sklearn.config_context(enable_metadata_routing=True):
        model = clone(estimator).set_fit_request(sample_weight=True)
        model.set_score_request(sample_weight=True)
        result = cross_validate(
            model, X, y, params={"sample_weight": s}, cv=folds, return_estimator=True
        )
    expected = clone(estimator).fit(X[:40], y[:40], sample_weight=s[:40])
    np.testing.assert_array_equal(result["estimator"][0].coef_, expected.coef_)
    assert result["test_score"][0] == expected.score(X[40:], y[40:], sample_weight=s[40:])
