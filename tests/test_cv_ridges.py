"""The choice of a ridge by cross-validation, the largest number of features, and longer paths."""

import warnings

import numpy as np
import pytest

from problems import simulate, simulate_classes
from searches import CLASSIFIERS, REGRESSORS, SINGLE, data_for, every_class
from shrinklin import (
    GroupLassoRegressorCV,
    Moments,
    ShrinkNetClassifierCV,
    ShrinkNetRegressorCV,
)
from shrinklin.selection.choice import choose

RIDGES = [0.0, 0.01, 0.3]
ALPHAS = [0.1, 0.03, 0.01]


@every_class
def test_each_ridge_has_the_scores_of_a_search_with_it_alone(cls):
    X, y = data_for(cls, 60, 6)
    both = cls(ALPHAS, ridges=RIDGES[::-1], cv=3).fit(X, y)
    np.testing.assert_array_equal(both.ridges_, RIDGES)
    assert both.scores_of_ridges_.shape == (3, 3, 3)
    for ridge, scores in zip(RIDGES, both.scores_of_ridges_, strict=True):
        alone = cls(ALPHAS, ridges=ridge, cv=3).fit(X, y)
        np.testing.assert_array_equal(alone.cv_scores_, scores)
        if ridge == both.ridge_:
            np.testing.assert_allclose(alone.coef_, both.coef_, atol=1e-9)
            assert alone.alpha_ == both.alpha_
    assert both.ridge_ == RIDGES[int(both.scores_of_ridges_.mean(axis=2).max(axis=1).argmax())]
    single = SINGLE[cls](both.alpha_, ridge=both.ridge_, tol=1e-9).fit(X, y)
    assert both.objective_ <= single.objective_ * (1 + 1e-9)


@pytest.mark.parametrize("cls", REGRESSORS)
def test_moments_of_folds_choose_the_same_ridge(cls):
    X, Y = data_for(cls, 60, 6)
    folds = [Moments.from_data(X[i::3], Y[i::3]) for i in range(3)]
    rows = [(np.flatnonzero(np.arange(60) % 3 != i), np.arange(i, 60, 3)) for i in range(3)]
    search = {"alphas": ALPHAS, "ridges": RIDGES}
    of_moments = cls(**search).fit_moments(folds)
    of_rows = cls(**search, cv=rows).fit(X, Y)
    np.testing.assert_allclose(of_moments.scores_of_ridges_, of_rows.scores_of_ridges_, rtol=1e-9)
    assert of_moments.ridge_ == of_rows.ridge_


@every_class
def test_the_same_bits_for_any_n_jobs(cls):
    X, y = data_for(cls, 60, 6)
    options = {"alphas": 3, "eps": 0.1, "ridges": RIDGES, "cv": 3}
    one, two = (cls(**options, n_jobs=n).fit(X, y) for n in (1, 2))
    np.testing.assert_array_equal(one.scores_of_ridges_, two.scores_of_ridges_)
    np.testing.assert_array_equal(one.coef_, two.coef_)
    assert vars(one.cost_) == vars(two.cost_)


def test_a_ridge_helps_where_few_features_separate_the_classes():
    """Without one, nothing is left to learn once the training rows are told apart."""
    X, y = simulate_classes(60, 100, 3, 30, seed=3)
    model = ShrinkNetClassifierCV(alphas=20, cv=3).fit(X, y)
    best = model.scores_of_ridges_.mean(axis=2).max(axis=1)
    assert model.ridge_ > 0
    assert best[1:].max() > best[0] + 0.1


def test_no_more_features_than_allowed():
    X, Y = simulate(60, 12, 3, 6, seed=2)
    free = ShrinkNetRegressorCV(alphas=20, cv=3).fit(X, Y)
    assert free.get_support().sum() > 3
    for selection in ("best", "1se", "sparsest"):
        model = ShrinkNetRegressorCV(alphas=20, cv=3, max_features=3, selection=selection)
        model.fit(X, Y)
        assert 0 < model.get_support().sum() <= 3
    allowed = model.n_selected_ <= 3
    best = ShrinkNetRegressorCV(alphas=20, cv=3, max_features=3).fit(X, Y)
    means = best.cv_scores_.mean(axis=1)
    assert best.alpha_ == best.alphas_[np.where(allowed, means, -np.inf).argmax()]
    # Unpenalised features stay in any case.
    kept = GroupLassoRegressorCV(5, cv=3, max_features=1, feature_weights=[0] * 4 + [1] * 8)
    assert kept.fit(X, Y).get_support().sum() == 4


def test_choice_among_few_features():
    scores = np.array([[0.0, 0.0], [1.0, 1.0], [2.0, 2.0], [3.0, 3.0]])
    n_selected = np.array([0, 2, 1, 4])
    assert choose(scores, n_selected, "best", 3) == 2
    assert choose(scores, n_selected, "best", 0) == 0
    assert choose(scores, n_selected, "best", 4) == choose(scores, n_selected, "best") == 3
    assert choose(scores, n_selected + 5, "1se", 2) == 0  # all have more: the fewest


# Paths that go on. ---


@every_class
def test_a_path_goes_on_while_smaller_alphas_are_better(cls):
    X, y = data_for(cls, 80, 6, seed=3)
    options = {"eps": 0.5, "cv": 3, "ridges": 0.0}
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "the mean score of")
        model = cls(alphas=6, **options).fit(X, y)
    n, alphas = len(model.alphas_), model.alphas_
    assert n in (8, 10, 12)
    np.testing.assert_allclose(alphas[1:] / alphas[:-1], 0.5**0.2)
    assert model.cv_scores_.shape == (n, 3)
    assert len(model.path_.alphas) == len(model.n_selected_) == n
    whole = cls(alphas=alphas, cv=3, ridges=0.0).fit(X, y)
    if "GroupLasso" in cls.__name__:
        np.testing.assert_allclose(model.cv_scores_, whole.cv_scores_, rtol=1e-4)
    for objective, better in zip(model.path_.objectives, whole.path_.objectives, strict=True):
        assert objective <= 1.01 * better


def test_a_path_that_cannot_go_on_far_enough_says_so():
    X, Y = simulate(100, 60, 2, 60, seed=4)
    with pytest.warns(UserWarning, match="is best at the smallest of its alphas, .* smaller eps"):
        model = GroupLassoRegressorCV(alphas=9, eps=0.6, cv=3).fit(X, Y)
    assert len(model.alphas_) == 18


def test_a_path_ends_where_the_score_has_turned_or_alphas_are_given():
    X, Y = simulate(60, 30, 1, 2, seed=5)
    turned = GroupLassoRegressorCV(alphas=20, eps=1e-3, cv=3).fit(X, Y)
    assert len(turned.alphas_) == 20
    assert turned.cv_scores_.mean(axis=1).argmax() < 19
    given = GroupLassoRegressorCV(alphas=turned.alphas_[:4], cv=3).fit(X, Y)
    assert given.cv_scores_.mean(axis=1).argmax() == 3
    assert len(given.alphas_) == 4
    assert len(GroupLassoRegressorCV(alphas=1, cv=3).fit(X, Y).alphas_) == 1


def test_a_path_ends_where_the_models_no_longer_grow():
    X, _ = simulate(80, 4, 2, 4, seed=6)
    model = GroupLassoRegressorCV(alphas=9, eps=1e-3, cv=3).fit(X, X @ np.ones((4, 2)))
    assert model.cv_scores_.mean(axis=1).argmax() == len(model.alphas_) - 1
    assert len(model.alphas_) == 12
    assert model.n_selected_[-1] == model.n_selected_[8] == 4


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"ridges": -1}, r"ridges=-1: give a finite number >= 0, or a list"),
        ({"ridges": [0, np.inf]}, "give a finite number >= 0"),
        ({"ridges": [0, np.nan]}, "give a finite number >= 0"),
        ({"ridges": []}, r"ridges=\[\]: give a finite"),
        ({"ridges": "many"}, "ridges='many': give a finite number"),
        ({"ridges": None}, "ridges=None: give a finite number"),
        ({"max_features": -1}, "max_features=-1: give a whole number >= 0"),
        ({"max_features": 1.5}, "max_features=1.5: give a whole number"),
    ],
    ids=range(8),
)
@pytest.mark.parametrize("cls", [REGRESSORS[0], CLASSIFIERS[1]])
def test_bad_parameters_are_named(cls, options, message):
    X, y = data_for(cls, 40, 4)
    with pytest.raises(ValueError, match=message):
        cls(alphas=2, cv=2, **options).fit(X, y)
