"""Models that keep nothing say so where the default alpha is why, and only there."""

import warnings

import numpy as np
import pytest
from sklearn.model_selection import GridSearchCV

from problems import simulate, simulate_classes
from shrinklin import (
    GroupLassoClassifier,
    GroupLassoClassifierCV,
    GroupLassoRegressor,
    GroupLassoRegressorCV,
    InformationCriterion,
    Moments,
    ShrinkNetClassifier,
    ShrinkNetRegressor,
    regularization_path,
)

MODELS = [
    GroupLassoRegressor(),
    ShrinkNetRegressor(),
    ShrinkNetRegressor(p=1),
    ShrinkNetRegressor(weight_decay=0.01),
    GroupLassoClassifier(),
    ShrinkNetClassifier(),
]
every_model = pytest.mark.parametrize("model", MODELS, ids=repr)


def too_small(model):
    """Data of which the default keeps nothing, and an alpha less than 1e-3 would."""
    if "Classifier" in type(model).__name__:
        X, y = simulate_classes(60, 5, 3)
        return X / 1e4, y
    X, Y = simulate(60, 5, 2)
    return X, Y / 1e4


def warned(do, *arguments):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        do(*arguments)
    return [str(warning.message) for warning in caught]


@every_model
def test_a_default_model_that_keeps_nothing_says_once_what_to_do(model):
    X, y = too_small(model)
    (said,) = warned(model.fit, X, y)
    assert f"{type(model).__name__} keeps no feature: the default alpha=0.1" in said
    largest = float(said.split("about ")[1].split(" here")[0])
    known = regularization_path(model, X, y, alphas=2).alphas[0]
    # Of one digit.
    assert largest / 1.5 <= known <= 1.5 * largest
    least, most = (float(x) for x in said.split("between ")[1].split(",")[0].split(" and "))
    assert 900 < most / least < 1100
    assert most == largest
    # The advice helps.
    assert not warned(lambda: model.set_params(alpha=least).fit(X, y))
    assert model.get_support().any()
    model.set_params(alpha=0.1)


def test_moments_say_so_and_chunks_do_not():
    X, Y = too_small(GroupLassoRegressor())
    (said,) = warned(lambda: GroupLassoRegressor().fit_moments(Moments.from_data(X, Y)))
    assert "keeps no feature" in said
    # Those that are still to come may bring it.
    model = GroupLassoRegressor()
    assert not warned(lambda: model.partial_fit(X[:30], Y[:30]).partial_fit(X[30:], Y[30:]))


NOTHING_TO_ENTER = {
    "y is constant": lambda X, y: (X, np.where(y == y, 0.1, y)),
    "X is constant": lambda X, y: (np.full_like(X, 0.1), y),
    "X'y is 0 but for rounding": lambda X, y: (np.c_[X, X].repeat(2, 0), np.tile([0.1, 0.7], 60)),
}


@pytest.mark.parametrize("make", NOTHING_TO_ENTER.values(), ids=NOTHING_TO_ENTER)
def test_where_no_alpha_would_help_nothing_is_said(make):
    X, Y = simulate(60, 5, 1)
    X, y = make(X, Y.ravel())
    for model in MODELS:
        classifies = "Classifier" in type(model).__name__
        if not (classifies and len(np.unique(y)) == 1):
            labels = y > np.median(y) if len(np.unique(y)) > 2 else (y == y[0]).astype(int)
            assert not warned(model.fit, X, labels if classifies else y)
            assert not model.get_support().any()


@every_model
def test_who_gives_alpha_gets_what_it_gives(model):
    X, y = too_small(model)
    assert not warned(lambda: type(model)(alpha=0.2).fit(X, y))
    kept = type(model)(feature_weights=[0, 1, 1, 1, 1])
    assert not warned(kept.fit, X, y)
    assert kept.get_support().tolist() == [True, False, False, False, False]


def test_paths_folds_and_searches_are_quiet():
    X, Y = too_small(GroupLassoRegressor())
    alphas = [0.1, 1.0, 10.0]
    assert not warned(
        lambda: regularization_path(GroupLassoRegressor(), X, Y, alphas=alphas).refit(X, Y)
    )
    assert not warned(lambda: GroupLassoRegressorCV(alphas=1).fit(X, Y))
    # The best model is empty, and others of the path are not: the data say so.
    search = GroupLassoRegressorCV(alphas=10, scoring=lambda model, X, y: -len(model.coef_[0]))
    assert not warned(search.fit, X, Y)
    assert not search.get_support().any()
    # Of folds that differ a little: what they say is mostly the same, and shown once.
    grid = GridSearchCV(GroupLassoRegressor(), {"fit_intercept": [True, False]}, cv=10)
    said = warned(lambda: grid.fit(np.tile(X, (5, 1)), np.tile(Y, (5, 1))))
    assert len(said) == 21
    assert len(set(said)) <= 3


@pytest.mark.parametrize(
    "search",
    [
        GroupLassoRegressorCV([0.1, 1.0], cv=3),
        GroupLassoClassifierCV([0.1, 1.0], cv=3),
        InformationCriterion(GroupLassoRegressor(), alphas=[0.1, 1.0]),
    ],
    ids=repr,
)
def test_a_search_says_that_all_its_alphas_are_too_large(search):
    X, y = too_small(search)
    (said,) = warned(search.fit, X, y)
    assert (
        f"{type(search).__name__} keeps no feature at any of its alphas: even the smallest, 0.1"
        in said
    )
