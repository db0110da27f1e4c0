"""Regularization paths of regressors: against single fits, and what they refuse."""

import numpy as np
import pytest
from sklearn.linear_model import Lasso
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from oracles import bridge, group_lasso_objective, group_sum, squared_loss
from problems import PROBLEMS, random_small, simulate
from regressors import every_estimator
from shrinklin import (
    GroupLassoClassifier,
    GroupLassoRegressor,
    Moments,
    ShrinkNetRegressor,
    regularization_path,
)


@pytest.mark.parametrize("name", PROBLEMS)
def test_group_lasso_path_equals_single_fits(name):
    X, Y = PROBLEMS[name]()
    path = regularization_path(GroupLassoRegressor(tol=1e-8), X, Y, alphas=8)
    for i, alpha in enumerate(path.alphas):
        fit = GroupLassoRegressor(alpha, tol=1e-8).fit(X, Y)
        values = [
            group_lasso_objective(X, Y, coef, b, alpha)
            for coef, b in [(fit.coef_, fit.intercept_), (path.coefs[i], path.intercepts[i])]
        ]
        assert values[0] == pytest.approx(values[1], rel=1e-8)
        assert path.objectives[i] == pytest.approx(values[1], rel=1e-8)


@every_estimator
def test_what_a_path_holds(estimator):
    X, Y = simulate(60, 12, 3)
    path = regularization_path(estimator, X, Y, alphas=7, eps=1e-2)
    assert path.coefs.shape == (7, 3, 12)
    assert path.intercepts.shape == (7, 3)
    assert path.alphas[-1] == pytest.approx(path.alphas[0] * 1e-2)
    np.testing.assert_array_equal(path.n_selected, (path.coefs != 0).any(axis=1).sum(axis=1))
    assert (path.residuals <= estimator.tol).all()
    assert (np.diff(path.objectives) <= 0).all()
    assert not hasattr(estimator, "n_features_in_")


@every_estimator
def test_one_target_has_the_same_shapes(estimator):
    X, Y = simulate(60, 12, 1)
    path = regularization_path(estimator, X, Y.ravel(), alphas=3)
    assert path.coefs.shape == (3, 1, 12)
    assert path.predict(X).shape == (3, 60, 1)
    assert path.mean_squared_errors(X, Y.ravel()).shape == (3,)


def test_alphas_of_ones_own_are_sorted_and_kept():
    X, Y = simulate(60, 12, 3)
    path = regularization_path(GroupLassoRegressor(), X, Y, alphas=[0.1, 1.0, 0.1, 0])
    np.testing.assert_array_equal(path.alphas, [1.0, 0.1, 0.1, 0.0])
    np.testing.assert_array_equal(path.coefs[1], path.coefs[2])
    least = np.linalg.lstsq(X - X.mean(axis=0), Y - Y.mean(axis=0), rcond=None)[0]
    np.testing.assert_allclose(path.coefs[3], least.T, atol=1e-6)


@pytest.mark.parametrize("weight_decay", [None, 0.01])
@pytest.mark.parametrize("p", [1, 2])
def test_shrinknet_grid_begins_where_a_feature_enters(p, weight_decay):
    X, Y = simulate(60, 1, 3)
    estimator = ShrinkNetRegressor(p=p, weight_decay=weight_decay)
    first = regularization_path(estimator, X, Y, alphas=2).alphas[0]
    path = regularization_path(estimator, X, Y, alphas=[first * 1.001, first * 0.999])
    np.testing.assert_array_equal(path.n_selected, [0, 1])


@every_estimator
def test_predictions_and_errors_against_loops(estimator):
    X, Y = simulate(30, 6, 2)
    path = regularization_path(estimator, X, Y, alphas=4)
    errors = path.mean_squared_errors(X, Y)
    for i in range(4):
        Z = np.array([path.coefs[i] @ x + path.intercepts[i] for x in X])
        np.testing.assert_allclose(path.predict(X)[i], Z)
        assert errors[i] == pytest.approx(np.mean((Y - Z) ** 2))


@pytest.mark.parametrize("fit_intercept", [True, False])
def test_refit_is_least_squares_on_each_support(fit_intercept):
    X, Y = simulate(40, 8, 2)
    s = np.random.default_rng(0).uniform(0.1, 2, 40)
    X, Y = X + 1, Y + 2
    estimator = GroupLassoRegressor(fit_intercept=fit_intercept)
    path = regularization_path(estimator, X, Y, alphas=6, sample_weight=s)
    refitted = path.refit(X, Y, sample_weight=s)
    np.testing.assert_array_equal(refitted.n_selected, path.n_selected)
    root = np.sqrt(s)[:, None]
    for coef, intercept, new in zip(path.coefs, refitted.intercepts, refitted.coefs, strict=True):
        support = np.flatnonzero(coef.any(axis=0))
        design = np.column_stack([X[:, support], np.full(40, float(fit_intercept))])
        expected = np.linalg.lstsq(root * design, root * Y, rcond=None)[0]
        np.testing.assert_allclose(new[:, support], expected[:-1].T, atol=1e-8)
        np.testing.assert_allclose(intercept, expected[-1], atol=1e-8)
        assert not np.delete(new, support, axis=1).any()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"alphas": 0}, "alphas=0: give the number of alphas, >= 1"),
        ({"alphas": []}, "1-D array of finite values"),
        ({"alphas": [1, -1]}, "1-D array of finite values"),
        ({"alphas": [1, np.nan]}, "1-D array of finite values"),
        ({"alphas": "many"}, "1-D array of finite values"),
        ({"alphas": True}, "1-D array of finite values"),
        ({"eps": 0}, "eps=0: give a finite number > 0"),
        ({"eps": 1.0}, "eps=1.0: give the ratio"),
    ],
)
def test_bad_arguments_are_named(options, message):
    X, Y = simulate(20, 4, 2)
    with pytest.raises(ValueError, match=message):
        regularization_path(GroupLassoRegressor(), X, Y, **options)


def test_data_of_another_shape_is_refused():
    X, Y = simulate(20, 4, 2)
    path = regularization_path(GroupLassoRegressor(), X, Y, alphas=3)
    with pytest.raises(ValueError, match="X has 3 features, but the path was computed with 4"):
        path.predict(X[:, :3])
    with pytest.raises(ValueError, match="y has 1 targets, but the path was computed with 2"):
        path.mean_squared_errors(X, Y[:, 0])
    with pytest.raises(ValueError, match="X has 3 features, but the path was computed with 4"):
        path.refit(X[:, :3], Y)
    with pytest.raises(ValueError, match="y has 1 targets, but the path was computed with 2"):
        path.refit(X, Y[:, 0])
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        path.mean_squared_errors(X, Y[:7])
    with pytest.raises(ValueError, match="Input y contains NaN"):
        path.mean_squared_errors(X, np.nan * Y)


def test_foreign_estimators_are_refused():
    X, Y = simulate(20, 4, 2)
    for estimator in (Lasso(), make_pipeline(StandardScaler(), GroupLassoRegressor())):
        with pytest.raises(TypeError, match="not an estimator of shrinklin"):
            regularization_path(estimator, X, Y)


@pytest.mark.parametrize("weight_decay", [None, 0.1])
def test_nothing_to_explain(weight_decay):
    X, _ = simulate(20, 4, 2)
    for estimator in (GroupLassoRegressor(), ShrinkNetRegressor(weight_decay=weight_decay)):
        path = regularization_path(estimator, X, np.full(20, 0.1), alphas=5)
        assert not path.n_selected.any()
        assert len(set(path.alphas)) == 5


def test_close_alphas_are_led_to():
    for seed in range(10):
        X, Y = random_small(seed)
        single = ShrinkNetRegressor(0.1).fit(X, Y)
        path = regularization_path(
            ShrinkNetRegressor(), X, Y, alphas=0.1 * np.linspace(0.98, 1.02, 11)
        )
        assert path.alphas[5] == pytest.approx(0.1)
        middle = path.coefs[5]
        values = [
            squared_loss(X, Y, coef, Y.mean(axis=0) - coef @ X.mean(axis=0))
            + 0.1 * group_sum(coef, list(range(X.shape[1])), bridge(2))
            for coef in (middle, single.coef_)
        ]
        assert values[0] <= values[1] * (1 + 1e-6)


def test_alphas_that_a_fit_refuses_are_refused():
    X, Y = simulate(20, 4, 2)
    with pytest.raises(ValueError, match=r"alpha=0.* with weight_decay=1"):
        regularization_path(ShrinkNetRegressor(weight_decay=1.0), X, Y, alphas=[1, 0])


def test_moments_of_other_columns_than_those_of_the_path_are_refused():
    X, Y = simulate(30, 4, 2)
    path = regularization_path(GroupLassoRegressor(), X, Y[:, 0], alphas=3)
    with pytest.raises(ValueError, match="y has 2 targets, but the path was computed with 1"):
        path.mean_squared_errors(Moments.from_data(X, Y))
    with pytest.raises(ValueError, match="X has 3 features, but the path was computed with 4"):
        path.mean_squared_errors(Moments.from_data(X[:, :3], Y[:, 0]))


def test_a_path_of_float32_is_float32():
    X, Y = simulate(60, 12, 3)
    path = regularization_path(GroupLassoRegressor(), X.astype(np.float32), Y, alphas=5)
    assert path.coefs.dtype == path.intercepts.dtype == np.float32
    assert path.predict(X.astype(np.float32)).dtype == np.float32
    double = regularization_path(GroupLassoRegressor(), X, Y, alphas=path.alphas)
    np.testing.assert_allclose(path.coefs, double.coefs, atol=1e-5)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("classifies", [False, True])
def test_predictions_that_do_not_fit_are_refused(classifies, dtype):
    X, Y = simulate(20, 4, 2, 4, seed=0)
    X, y = X.astype(dtype), Y.argmax(axis=1) if classifies else Y
    model = (GroupLassoClassifier if classifies else GroupLassoRegressor)(1e-3)
    path = regularization_path(model, X, y, alphas=[1e-3])
    dtype = model.fit(X, y).coef_.dtype
    far = X.astype(dtype)
    far[3] = np.finfo(dtype).max * np.sign(model.coef_[0])
    far[5] = -far[3]
    for fitted in [model, path]:
        with pytest.raises(
            ValueError, match=f"too large for {dtype} in 2 of 20 rows, first in row 3:"
        ):
            fitted.predict(far)


@pytest.mark.parametrize("given", [10**400, "a"])
def test_rows_that_are_no_numbers_are_refused_with_a_remedy(given):
    model = GroupLassoRegressor(1e-3).fit([[1.0], [2.0]], [1.0, 2.0])
    with pytest.raises(ValueError, match=r"divide the data by|X must be numbers"):
        model.predict([[given]])
