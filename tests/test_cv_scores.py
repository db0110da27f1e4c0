"""Scores of cross-validation against one fit per fold and alpha, and against scikit-learn."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.linear_model import MultiTaskLassoCV
from sklearn.metrics import (
    log_loss,
)
from sklearn.model_selection import (
    GridSearchCV,
    KFold,
    StratifiedKFold,
)

from problems import CLASSIFICATION_PROBLEMS, PROBLEMS, simulate
from searches import REGRESSORS, SINGLE, data_for, every_regressor, slow_errors
from shrinklin import (
    CoordinateDescent,
    GroupLassoClassifier,
    GroupLassoClassifierCV,
    GroupLassoRegressor,
    GroupLassoRegressorCV,
    Moments,
    ShrinkNetClassifier,
    ShrinkNetClassifierCV,
    regularization_path,
)
from shrinklin.selection import folds as of_folds


# Solved as far as floating point allows.
@pytest.mark.filterwarnings("ignore:.*Further steps no longer change")
@pytest.mark.parametrize("name", PROBLEMS)
def test_group_lasso_equals_a_fit_a_fold_and_an_alpha(name):
    X, Y = PROBLEMS[name]()
    model = GroupLassoRegressorCV(alphas=5, eps=0.02, cv=4, tol=1e-12).fit(X, Y)
    splits = list(KFold(4).split(X))
    slow = slow_errors(GroupLassoRegressor(tol=1e-12), X, Y, model.alphas_, splits)
    np.testing.assert_allclose(model.cv_scores_, slow, rtol=1e-8)


OPTIONS = {
    "plain": {},
    "no intercept": {"fit_intercept": False},
    "groups": {"groups": [0, 0, 1, 1, 1, 2, 3, 4]},
    "feature weights": {"feature_weights": [0, 1, 2, 1, 1, 1, 0.5, 1]},
    "residuals": {"solver": CoordinateDescent(gram=False)},
}


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
@pytest.mark.parametrize("weighted", [False, True])
@every_regressor
def test_options_and_weights_reach_every_fold(cls, options, weighted):
    # ShrinkNet's problem is not convex, so its slow way is one path per fold.
    X, Y = data_for(cls)
    s = np.random.default_rng(1).integers(0, 3, 60).astype(float) if weighted else None
    model = cls(alphas=4, eps=0.02, cv=3, tol=1e-10, **options).fit(X, Y, s)
    single = SINGLE[cls](tol=1e-10, **options)
    weights = np.ones(60) if s is None else s
    for k, (train, test) in enumerate(KFold(3).split(X)):
        path = regularization_path(
            single, X[train], Y[train], alphas=model.alphas_, sample_weight=weights[train]
        )
        errors = ((path.predict(X[test]) - Y[test]) ** 2).mean(axis=2)
        slow = -np.average(errors, axis=1, weights=weights[test])
        np.testing.assert_allclose(model.cv_scores_[:, k], slow, rtol=1e-8)


@pytest.mark.parametrize("name", ["three classes", "two classes", "iris", "wide"])
@pytest.mark.parametrize("weighted", [False, True])
def test_classifier_equals_a_fit_a_fold_and_an_alpha(name, weighted):
    X, y = CLASSIFICATION_PROBLEMS[name]()
    s = np.random.default_rng(1).integers(1, 4, len(y)) if weighted else np.ones(len(y))
    model = GroupLassoClassifierCV(alphas=4, eps=0.05, ridges=0, cv=3, tol=1e-10)
    model.fit(X, y, s if weighted else None)
    for k, (train, test) in enumerate(StratifiedKFold(3).split(X, y)):
        for i, alpha in enumerate(model.alphas_):
            single = GroupLassoClassifier(alpha, tol=1e-10).fit(X[train], y[train], s[train])
            probabilities = single.predict_proba(X[test])
            loss = log_loss(y[test], probabilities, sample_weight=s[test], labels=single.classes_)
            assert model.cv_scores_[i, k] == pytest.approx(-loss, rel=1e-8)


def test_shrinknet_classifier_equals_a_path_a_fold():
    X, y = data_for(ShrinkNetClassifierCV)
    model = ShrinkNetClassifierCV([0.2, 0.1, 0.05], ridges=0, cv=3).fit(X, y)
    for k, (train, test) in enumerate(StratifiedKFold(3).split(X, y)):
        path = regularization_path(ShrinkNetClassifier(), X[train], y[train], alphas=model.alphas_)
        np.testing.assert_allclose(
            -path.log_losses(X[test], y[test]), model.cv_scores_[:, k], rtol=1e-8
        )


def test_one_fold_with_nearly_all_weight():
    X, Y = simulate(100, 4, 2)
    s = np.ones(100)
    s[:20] = 1e13
    model = GroupLassoRegressorCV(alphas=[0.1], tol=1e-10).fit(X, Y, s)
    slow = slow_errors(GroupLassoRegressor(tol=1e-10), X, Y, [0.1], list(KFold(5).split(X)), s)
    np.testing.assert_allclose(model.cv_scores_, slow, rtol=1e-8)


def test_an_outlier_in_one_fold_takes_no_digits_from_the_others(monkeypatch):
    X, Y = simulate(60, 5, 2)
    X[3, 1], Y[7, 0] = 1e9, -1e9
    search = GroupLassoRegressorCV(alphas=[0.1], cv=3, tol=1e-10)
    slow = slow_errors(GroupLassoRegressor(tol=1e-10), X, Y, [0.1], list(KFold(3).split(X)))
    np.testing.assert_allclose(clone(search).fit(X, Y).cv_scores_, slow, rtol=1e-8)
    folds = [Moments.from_data(X[test], Y[test]) for _, test in KFold(3).split(X)]
    # Only 1e-6: moments of the fold with the outlier hold little but the outlier.
    np.testing.assert_allclose(clone(search).fit_moments(folds).cv_scores_, slow, rtol=1e-6)
    monkeypatch.setattr("shrinklin.selection.folds._LEFT", 0.0)
    mutant = clone(search).fit(X, Y).cv_scores_
    assert np.abs(mutant / slow - 1).max() > 1e-6


def nearly_perfect():
    X, Y = simulate(60, 5, 2, noise=0.0)
    return X, Y + 100


def nearly_cancelling():
    X, Y = simulate(60, 5, 1)
    huge = 1e6 * np.random.default_rng(1).normal(size=60)
    return np.c_[X[:, 1:], huge, huge + X[:, 0]], 0.01 * Y


@pytest.mark.parametrize("make", [nearly_perfect, nearly_cancelling])
def test_errors_that_moments_round_are_measured_on_the_rows(make, monkeypatch):
    X, Y = make()
    search = GroupLassoRegressorCV(alphas=[1e-8, 1e-6], cv=3, tol=1e-9)

    def against_rows(model):
        """Largest relative difference from the errors that the same paths have on the rows."""
        off = []
        for k, (_, test) in enumerate(KFold(3).split(X)):
            single = GroupLassoRegressor(tol=1e-9)
            path = regularization_path(single, sum(folds) - folds[k], alphas=model.alphas_)
            errors = path.mean_squared_errors(X[test], Y[test])
            off.append(np.abs(-model.cv_scores_[:, k] / errors - 1).max())
        return max(off)

    folds = [Moments.from_data(X[test], Y[test]) for _, test in KFold(3).split(X)]
    assert against_rows(clone(search).fit(X, Y)) < 1e-6
    with pytest.warns(
        UserWarning, match=r"relative error above 0.001\), as features nearly cancel"
    ):
        clone(search).fit_moments(folds)
    # Mutant: nothing is taken for rounding. About 1e-4 of the errors then is, by chance more or
    # less: where features cancel, moments compute 1e-4 from terms of 1e8.
    monkeypatch.setattr("shrinklin.selection.folds._rounding", lambda *_: -np.inf)
    assert against_rows(clone(search).fit(X, Y)) > 1e-5


@pytest.mark.parametrize("offset", [0.0, 100.0])
def test_scores_of_float32_are_those_of_the_rows(offset, monkeypatch):
    X, y = simulate(400, 5, 1, noise=0.01)
    X, y = (X + offset).astype(np.float32), y.ravel()
    search = GroupLassoRegressorCV(alphas=4, eps=1e-5, cv=4)

    def score(model, X, y):
        predicted = X.astype(float) @ model.coef_.astype(float) + model.intercept_
        return -np.mean((predicted - y) ** 2)

    expected = clone(search).set_params(scoring=score).fit(X, y).cv_scores_
    np.testing.assert_allclose(clone(search).fit(X, y).cv_scores_, expected, rtol=1e-6)
    if offset:  # products are then computed in float64
        return
    # Mutant: products are always taken for float64.
    rounding = of_folds._rounding
    monkeypatch.setattr(of_folds, "_rounding", lambda *of, dtype=float: rounding(*of[:2], dtype))
    mutant = clone(search).fit(X, y).cv_scores_
    assert np.abs(mutant / expected - 1).max() > 1e-4


def test_an_offset_costs_no_pass_over_the_rows(monkeypatch):
    def refuse(*_):
        raise AssertionError("rows were read again")

    monkeypatch.setattr("shrinklin.selection.folds._errors_on_rows", refuse)
    X, Y = simulate(60, 5, 2)
    GroupLassoRegressorCV(alphas=10).fit(X + 1000, Y + 2000)


def test_every_row_is_read_once_for_all_folds_and_alphas(monkeypatch):
    X, Y = simulate(60, 5, 2)
    read = []
    original = Moments.from_data.__func__
    monkeypatch.setattr(
        Moments,
        "from_data",
        classmethod(lambda c, X, *a: read.append(len(X)) or original(c, X, *a)),
    )
    model = GroupLassoRegressorCV(alphas=10).fit(X, Y)
    assert sum(read) == 60
    # X'X and X'Y of all rows; the cost of the paths does not depend on their number.
    more = GroupLassoRegressorCV(alphas=10).fit(np.tile(X, (2, 1)), np.tile(Y, (2, 1)))
    assert sum(read) == 180
    assert model.cost_.multiply_adds > 60 * 5 * 7
    assert more.cost_.multiply_adds - model.cost_.multiply_adds < 2 * 60 * 5 * 7


def test_it_is_multi_task_lasso_cv():
    X, Y = simulate(100, 10, 3, seed=2)
    ours = GroupLassoRegressorCV(alphas=30, eps=0.01, tol=1e-9).fit(X, Y)
    theirs = MultiTaskLassoCV(alphas=ours.alphas_, tol=1e-12, max_iter=100_000).fit(X, Y)
    assert ours.alpha_ == theirs.alpha_
    np.testing.assert_allclose(-ours.cv_scores_, theirs.mse_path_, rtol=1e-6)
    np.testing.assert_allclose(ours.coef_, theirs.coef_, atol=1e-5)


@pytest.mark.parametrize("cls", [GroupLassoRegressorCV, GroupLassoClassifierCV])
@pytest.mark.parametrize("own_scoring", [False, True])
@pytest.mark.untraced
def test_it_chooses_as_grid_search_does(cls, own_scoring):
    X, y = data_for(cls, 90)
    scoring = None
    if own_scoring:
        scoring = "r2" if cls in REGRESSORS else "accuracy"
    ours = cls(alphas=12, scoring=scoring, tol=1e-9).fit(X, y)
    search = GridSearchCV(
        SINGLE[cls](tol=1e-9), {"alpha": ours.alphas_}, scoring=ours.score_name_, cv=5
    ).fit(X, y)
    theirs = np.array([search.cv_results_[f"split{k}_test_score"] for k in range(5)]).T
    np.testing.assert_allclose(ours.cv_scores_, theirs, rtol=1e-7)
    assert ours.alpha_ == search.best_params_["alpha"]
    np.testing.assert_allclose(ours.coef_, search.best_estimator_.coef_, atol=1e-7)
