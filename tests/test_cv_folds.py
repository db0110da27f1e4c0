"""Folds: every kind of splitter, folds given as moments, and folds that cannot be fitted."""

import numpy as np
import pandas as pd
import pytest
import sklearn
from sklearn.metrics import (
    log_loss,
)
from sklearn.model_selection import (
    KFold,
    LeaveOneOut,
    PredefinedSplit,
    RepeatedKFold,
    ShuffleSplit,
    TimeSeriesSplit,
)

from problems import simulate, simulate_classes
from searches import data_for, every_class, every_regressor, slow_errors
from shrinklin import (
    GroupLassoClassifier,
    GroupLassoClassifierCV,
    GroupLassoRegressor,
    GroupLassoRegressorCV,
    Moments,
)

SPLITTERS = {
    "shuffled": KFold(3, shuffle=True, random_state=0),
    "repeated": RepeatedKFold(n_splits=3, n_repeats=2, random_state=0),
    "shuffle split": ShuffleSplit(4, train_size=0.5, test_size=0.2, random_state=0),
    "time series": TimeSeriesSplit(3),
    "predefined": PredefinedSplit(np.r_[np.full(20, -1), np.repeat([0, 1], 20)]),
    "one at a time": LeaveOneOut(),
    "masks": [(np.arange(60) < 30, np.arange(60) >= 30)],
    "drawn again": [(np.r_[np.arange(20), np.arange(20)], np.arange(20, 60))],
}


@pytest.mark.parametrize("cv", SPLITTERS.values(), ids=SPLITTERS)
def test_splitters(cv):
    X, Y = data_for(GroupLassoRegressorCV)
    model = GroupLassoRegressorCV(alphas=[0.5, 0.05], cv=cv, tol=1e-10).fit(X, Y)
    pairs = cv if isinstance(cv, list) else list(cv.split(X))
    splits = [(np.arange(60)[train], np.arange(60)[test]) for train, test in pairs]
    slow = slow_errors(GroupLassoRegressor(tol=1e-10), X, Y, [0.5, 0.05], splits)
    np.testing.assert_allclose(model.cv_scores_, slow, rtol=1e-8)


def test_classifier_with_rows_drawn_twice():
    X, y = data_for(GroupLassoClassifierCV)
    train, test = np.r_[np.arange(30), np.arange(10)], np.arange(30, 60)
    model = GroupLassoClassifierCV(alphas=[0.05], cv=[(train, test)], tol=1e-10).fit(X, y)
    single = GroupLassoClassifier(0.05, tol=1e-10).fit(X[train], y[train])
    expected = -log_loss(y[test], single.predict_proba(X[test]), labels=single.classes_)
    assert model.cv_scores_[0, 0] == pytest.approx(expected, rel=1e-8)


@every_class
def test_folds_are_drawn_once(cls):
    class Counted(KFold):
        n_drawn = 0

        def split(self, *args):
            Counted.n_drawn += 1
            return super().split(*args)

    X, y = data_for(cls)
    cls(alphas=2, eps=0.3, cv=Counted(2, shuffle=True, random_state=np.random.RandomState(0))).fit(
        X, y
    )
    assert Counted.n_drawn == 1


def test_a_class_that_a_fold_lacks_is_still_a_class():
    X, y = simulate_classes(60, 5, 3)
    y[y == 2] = 1
    y[:4] = 2
    model = GroupLassoClassifierCV(alphas=5, cv=KFold(5)).fit(X, y)
    assert np.isfinite(model.cv_scores_).all()
    assert list(model.classes_) == [0, 1, 2]
    assert model.predict_proba(X).shape == (60, 3)


@every_regressor
def test_moments_of_folds_are_enough(cls):
    X, Y = data_for(cls)
    folds = [Moments.from_data(X[test], Y[test]) for _, test in KFold(5).split(X)]
    known, seen = cls(alphas=6).fit_moments(folds), cls(alphas=6).fit(X, Y)
    np.testing.assert_allclose(known.cv_scores_, seen.cv_scores_, rtol=1e-10)
    np.testing.assert_allclose(known.coef_, seen.coef_, atol=1e-10)
    assert known.alpha_ == pytest.approx(seen.alpha_)
    named = [Moments.from_data(pd.DataFrame(X, columns=list("abcdefgh")), Y[:, 0])] * 2
    model = cls(alphas=3).fit_moments(named)
    assert list(model.feature_names_in_) == list("abcdefgh")
    assert model.coef_.shape == (8,)


@every_class
def test_the_same_bits_for_any_n_jobs(cls):
    X, y = data_for(cls, 40, 6)
    one, two = (cls(alphas=3, eps=0.2, cv=2, n_jobs=n).fit(X, y) for n in (1, 2))
    for name in ("cv_scores_", "coef_", "intercept_", "alphas_"):
        np.testing.assert_array_equal(getattr(one, name), getattr(two, name))
    assert one.cost_ == two.cost_


def test_a_splitter_sees_the_columns():
    class ByColumn(KFold):
        def split(self, X, y=None, groups=None):
            yield np.flatnonzero(X["a"] > 0), np.flatnonzero(X["a"] <= 0)

    X, Y = simulate(60, 2, 2)
    frame = pd.DataFrame(X, columns=["a", "b"], index=np.arange(60)[::-1])
    model = GroupLassoRegressorCV(alphas=[0.1, 0.03], cv=ByColumn(2)).fit(frame, Y)
    assert model.cv_scores_.shape == (2, 1)


def test_folds_that_are_read_once_and_routing():
    X, Y = data_for(GroupLassoRegressorCV)
    s = np.linspace(1, 2, 60)
    expected = GroupLassoRegressorCV(alphas=3).fit(X, Y, s)
    with sklearn.config_context(enable_metadata_routing=True):
        model = GroupLassoRegressorCV(alphas=3, cv=KFold(5).split(X)).fit(X, Y, sample_weight=s)
    np.testing.assert_array_equal(model.cv_scores_, expected.cv_scores_)


def test_a_fold_that_cannot_be_fitted_is_named():
    X, y = data_for(GroupLassoClassifierCV)
    with pytest.raises(ValueError, match=r"fold 1: y has one class, 0, on the rows"):
        GroupLassoClassifierCV(cv=KFold(2)).fit(X, np.sort(y % 2))
    s = np.r_[np.zeros(30), np.ones(30)]
    first, last = np.arange(30), np.arange(30, 60)
    for cls in (GroupLassoRegressorCV, GroupLassoClassifierCV):
        with pytest.raises(ValueError, match="zero on all held-out rows of fold 0"):
            cls(cv=KFold(2)).fit(X, y, s)
        with pytest.raises(ValueError, match="zero on all training rows of fold 1"):
            cls(cv=[(last, last), (first, last)]).fit(X, y, s)
    with pytest.raises(ValueError, match=r"fold 0 of cv has row numbers that are not among 0 … 59"):
        GroupLassoRegressorCV(cv=[(np.arange(50, 70), np.arange(50))]).fit(X, y)


def test_bad_moments_are_named():
    X, Y = data_for(GroupLassoRegressorCV)
    fold = Moments.from_data(X, Y)
    with pytest.raises(ValueError, match="moments of 1 fold: give a list of at least two"):
        GroupLassoRegressorCV().fit_moments(fold)
    with pytest.raises(TypeError, match="folds holds tuple: give a list"):
        GroupLassoRegressorCV().fit_moments([(X, Y)])
    with pytest.raises(ValueError, match="scoring='r2' needs the samples"):
        GroupLassoRegressorCV(scoring="r2").fit_moments([fold, fold])
    with pytest.raises(ValueError, match="combine moments of the same columns"):
        GroupLassoRegressorCV().fit_moments([fold, Moments.from_data(X[:, :2], Y)])
