"""What a path keeps: few columns, their names, and little memory."""

import pickle
import tracemalloc
from copy import copy

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from problems import simulate
from regressors import every_estimator
from shrinklin import (
    GroupLassoClassifier,
    GroupLassoRegressor,
    GroupLassoRegressorCV,
    InformationCriterion,
    Moments,
    ShrinkNetClassifier,
    ShrinkNetRegressor,
    TradeoffDisplay,
    regularization_path,
)


@every_estimator
@pytest.mark.parametrize("n_features", [6, 60])
def test_coefficients_of_all_features_are_those_of_the_kept(estimator, n_features):
    X, Y = simulate(40, n_features, 2, 2)
    path = regularization_path(estimator, X, Y, alphas=5, eps=0.3)
    np.testing.assert_array_equal(path.kept, np.flatnonzero(path.coefs.any(axis=(0, 1))))
    np.testing.assert_array_equal(path.coefs[:, :, path.kept], path.kept_coefs)
    for i, coef in enumerate(path.coefs):
        np.testing.assert_array_equal(path.coef(i), coef)
    with pytest.raises(ValueError, match="read-only"):
        path.coefs[0] = 1.0  # which would have been lost


@pytest.mark.parametrize("container", [np.asarray, sparse.csr_array, sparse.csc_matrix])
def test_predictions_of_few_columns_are_those_of_all(container):
    X, Y = simulate(40, 60, 2, 2)
    path = regularization_path(ShrinkNetRegressor(), X, Y, alphas=5, eps=0.3)
    assert 0 < 2 * len(path.kept) < 60
    expected = np.einsum("nj,atj->ant", X, path.coefs) + path.intercepts[:, None]
    np.testing.assert_allclose(path.predict(container(X)), expected, atol=1e-12)
    held = Moments.from_data(X, Y)
    np.testing.assert_allclose(
        path.mean_squared_errors(held), path.mean_squared_errors(X, Y), rtol=1e-9
    )
    empty = regularization_path(ShrinkNetRegressor(), X, Y, alphas=[1e6])
    np.testing.assert_allclose(empty.predict(container(X))[0, 7], Y.mean(axis=0))
    assert empty.mean_squared_errors(held)[0] == pytest.approx(Y.var(axis=0).mean())


WIDE_MODELS = [GroupLassoRegressor(), ShrinkNetRegressor(), GroupLassoClassifier()]


@pytest.mark.parametrize("model", WIDE_MODELS, ids=repr)
def test_a_path_takes_the_memory_of_few_models(model):
    # Rejects code that keeps a Solution, or only its W or gradient, for every alpha.
    X, Y = simulate(40, 8000, 3, 3)
    y = Y.argmax(axis=1) if model is WIDE_MODELS[2] else Y
    one = 8 * 8000 * 3
    options = {"alphas": 50, "eps": 0.6}
    regularization_path(model, X[:, :10], y, **options)  # what is imported
    tracemalloc.start()
    path = regularization_path(model, X, y, **options)
    left, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 40 * one
    assert left < 5 * one
    assert len(pickle.dumps(path)) < one / 4
    refitted = path.refit(X, y)
    assert len(pickle.dumps(refitted)) < one / 4


def named_paths():
    X, Y = simulate(60, 3, 2)
    X = pd.DataFrame(X, columns=["a", "b", "c"])
    y = np.where(Y[:, 0] > 0, "high", "low")
    return [
        (X, Y, regularization_path(GroupLassoRegressor(), X, Y, alphas=3)),
        (X, y, regularization_path(ShrinkNetClassifier(), X, y, alphas=3, eps=0.1)),
    ]


def questions(path, y):
    """Every method of a path that is given an X."""
    asked = ("predict", "predict_proba", "predict_log_proba")
    yield from (getattr(path, name) for name in asked if hasattr(path, name))
    asked = ("losses", "mean_squared_errors", "log_losses", "accuracies", "refit")
    for name in asked:
        if hasattr(path, name):
            yield lambda X, name=name: getattr(path, name)(X, y)
    yield lambda X: TradeoffDisplay.from_paths({"a": path}, X, y)


@pytest.mark.parametrize("which", [0, 1])
def test_columns_in_another_order_are_refused(which):
    X, y, path = named_paths()[which]
    assert list(path.feature_names) == ["a", "b", "c"]
    name = type(path).__name__
    for ask in questions(path, y):
        ask(X)
        for other in (X[["c", "b", "a"]], X.rename(columns={"b": "d"})):
            with pytest.raises(ValueError, match="The feature names should match those that were"):
                ask(other)
        with pytest.warns(UserWarning, match=f"valid feature names, but {name} was fitted with"):
            ask(X.to_numpy())
    assert list(path.refit(X, y).feature_names) == ["a", "b", "c"]


def test_names_come_from_wherever_a_path_does():
    X, Y, path = named_paths()[0]
    moments = Moments.from_data(X, Y)
    found = [
        regularization_path(GroupLassoRegressor(), moments, alphas=3),
        GroupLassoRegressorCV(alphas=3).fit(X, Y).path_,
        GroupLassoRegressorCV(alphas=3, scoring="r2").fit(X, Y).path_,
        GroupLassoRegressorCV(alphas=3).fit_moments([moments, moments]).path_,
        InformationCriterion(GroupLassoRegressor(), alphas=3).fit(X, Y).path_,
        InformationCriterion(GroupLassoRegressor(), alphas=3).fit_moments(moments).path_,
    ]
    for each in found:
        assert list(each.feature_names) == ["a", "b", "c"]
    assert regularization_path(GroupLassoRegressor(), X.to_numpy(), Y).feature_names is None
    path.mean_squared_errors(moments)
    path.mean_squared_errors(Moments.from_data(X.to_numpy(), Y))
    with pytest.raises(ValueError, match="column 0 of X is 'c' in the moments and 'a' in the path"):
        path.mean_squared_errors(Moments.from_data(X[["c", "b", "a"]], Y))


@pytest.mark.parametrize("container", [sparse.csr_array, sparse.csc_matrix, sparse.coo_array])
def test_what_follows_a_path_takes_the_sparse_targets_that_it_took(container):
    X, Y = simulate(60, 5, 3)
    Y[np.abs(Y) < 1] = 0
    dense = regularization_path(GroupLassoRegressor(), X, Y, alphas=4)
    path = regularization_path(GroupLassoRegressor(), X, container(Y), alphas=4)
    np.testing.assert_allclose(path.coefs, dense.coefs, atol=1e-12)
    for ask in (lambda y: path.mean_squared_errors(X, y), lambda y: path.refit(X, y).objectives):
        np.testing.assert_allclose(ask(container(Y)), ask(Y), rtol=1e-12)
    drawn = [TradeoffDisplay.from_paths({"a": path}, X, y) for y in (container(Y), Y)]
    np.testing.assert_allclose(*(display.lines_[0].get_ydata() for display in drawn), rtol=1e-12)
    for scoring in (None, "r2"):
        search = GroupLassoRegressorCV(alphas=3, cv=3, scoring=scoring)
        scores = [copy(search).fit(X, y).cv_scores_ for y in (container(Y), Y)]
        np.testing.assert_allclose(*scores, rtol=1e-9)
    InformationCriterion(GroupLassoRegressor(), alphas=3).fit(X, container(Y))
