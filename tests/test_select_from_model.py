"""Estimators inside scikit-learn's `SelectFromModel`, which has a threshold of its own."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.feature_selection import SelectFromModel
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from problems import simulate
from shrinklin import (
    GroupLassoClassifier,
    GroupLassoClassifierCV,
    GroupLassoRegressor,
    GroupLassoRegressorCV,
    InformationCriterion,
    ShrinkNetClassifier,
    ShrinkNetRegressor,
    ShrinkNetRegressorCV,
)

# What the documentation says to give.
KEPT = {"threshold": 1e-30}
X, Y = simulate(40, 8, 2, 4)
X = X * [1, 3, 1, 30, 1, 0.5, 1, 1]
# Coefficients of very different sizes, some of them below any threshold that is not tiny.
FAR_APART = X * [1, 1, 1e8, 1, 1, 1, 1e8, 1]
FRAME = pd.DataFrame(X, columns=list("abcdefgh"))
LABELS = np.where(Y[:, 0] + np.sin(np.arange(40)) > 0, "high", "low")
FEW = {"alphas": 4, "eps": 0.05}
MODELS = [
    (GroupLassoRegressor(0.01), Y),
    (GroupLassoRegressor(0.01), Y[:, 0]),
    (ShrinkNetRegressor(0.01), Y),
    (ShrinkNetRegressor(0.01, p=1), Y[:, 0]),
    (GroupLassoClassifier(0.01), LABELS),
    (ShrinkNetClassifier(0.05, ridge=0.01), LABELS),
    (GroupLassoRegressorCV(**FEW, cv=2), Y),
    (ShrinkNetRegressorCV(**FEW, cv=2), Y),
    (GroupLassoClassifierCV(**FEW, cv=2, ridges=0.01), LABELS),
    (InformationCriterion(ShrinkNetRegressor(), **FEW), Y),
    (InformationCriterion(GroupLassoClassifier(), **FEW), LABELS),
]


@pytest.mark.parametrize(("model", "y"), MODELS, ids=range(len(MODELS)))
def test_a_tiny_threshold_keeps_what_the_model_keeps(model, y):
    alone = clone(model).fit(FRAME, y)
    support = alone.get_support()
    assert support.any()
    around = SelectFromModel(model, **KEPT).fit(FRAME, y)
    np.testing.assert_array_equal(around.get_support(), support)
    np.testing.assert_array_equal(around.get_feature_names_out(), FRAME.columns[support])
    around.set_output(transform="pandas")
    pd.testing.assert_frame_equal(around.transform(FRAME), FRAME.loc[:, support])
    # The largest of those that the model keeps.
    sizes = np.abs(np.atleast_2d(alone.coef_)).sum(axis=0)
    for most in (2, 8, None):
        few = SelectFromModel(alone, prefit=True, max_features=most, **KEPT).fit(FRAME)
        kept = few.get_support()
        assert kept.sum() == min(most or 8, support.sum())
        assert sizes[kept].min() >= sizes[~kept].max(initial=0)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_tiny_threshold_is_not_zero_in_float32(dtype):
    model, given = GroupLassoRegressor(1.0), X.astype(dtype)
    kept = SelectFromModel(model, **KEPT).fit(given, Y).get_support()
    np.testing.assert_array_equal(kept, model.fit(given, Y).get_support())
    assert model.coef_.dtype == dtype
    assert 0 < kept.sum() < 8


@pytest.mark.parametrize("model", [GroupLassoRegressor(0.01), ShrinkNetRegressor(0.01)])
def test_without_it_features_are_dropped(model):
    """The reason for the recipe: it fails when scikit-learn no longer does so."""
    around = SelectFromModel(model).fit(FAR_APART, Y)
    assert (model.fit(FAR_APART, Y).get_support() & ~around.get_support()).any()
    around.set_params(**KEPT).fit(FAR_APART, Y)
    np.testing.assert_array_equal(model.get_support(), around.get_support())


def test_it_works_in_pipelines_and_searches():
    steps = [StandardScaler(), SelectFromModel(ShrinkNetRegressor(), **KEPT), LinearRegression()]
    grid = {"selectfrommodel__estimator__alpha": [0.05, 1.0]}
    around = GridSearchCV(make_pipeline(*steps), grid, cv=2).fit(FRAME, Y)
    steps[1] = ShrinkNetRegressor()
    itself = GridSearchCV(make_pipeline(*steps), {"shrinknetregressor__alpha": [0.05, 1.0]}, cv=2)
    itself.fit(FRAME, Y)
    np.testing.assert_array_equal(
        around.cv_results_["mean_test_score"], itself.cv_results_["mean_test_score"]
    )
    np.testing.assert_array_equal(around.predict(FRAME), itself.predict(FRAME))
