"""Labels of classes held as objects, and class_weight, as in scikit-learn."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression

from entry_points import ALPHAS, CLASSIFIER, CODES, DAYS, DENSE, fitted
from shrinklin import (
    GroupLassoClassifier,
    GroupLassoClassifierCV,
    regularization_path,
)


@pytest.mark.parametrize(
    "make",
    [
        lambda y: y.astype(object),
        lambda y: np.array([int(v) for v in y], dtype=object),
        lambda y: (y > 0).astype(object),
        lambda y: pd.Series(y, dtype=object),
        lambda y: (3.0 * y).astype(object),
        lambda y: np.array([bool(v) if v else 0 for v in y], dtype=object),
    ],
    ids=["numbers of numpy", "numbers", "flags", "Series", "floats", "flags beside numbers"],
)
def test_objects_that_are_numbers_are_labels_as_in_a_list(make):
    y = make(CODES)
    listed = y.tolist()
    labels = np.unique(listed)
    plain = clone(CLASSIFIER).fit(DENSE, listed)
    first = {"classes": np.array(labels.tolist(), dtype=object)}
    stream = GroupLassoClassifier(random_state=0)
    for model, right in (
        (clone(CLASSIFIER).fit(DENSE, y), plain.coef_),
        (
            clone(stream).partial_fit(DENSE, y, **first),
            clone(stream).partial_fit(DENSE, listed, labels).coef_,
        ),
        (
            GroupLassoClassifierCV(ALPHAS, cv=2).fit(DENSE, y),
            GroupLassoClassifierCV(ALPHAS, cv=2).fit(DENSE, listed).coef_,
        ),
    ):
        np.testing.assert_array_equal(model.classes_, labels, strict=True)
        np.testing.assert_array_equal(model.coef_, right)
        assert model.score(DENSE, y) == model.score(DENSE, listed)
    path = regularization_path(CLASSIFIER, DENSE, y, alphas=ALPHAS)
    np.testing.assert_array_equal(path.classes, labels, strict=True)
    np.testing.assert_array_equal(path.refit(DENSE, y).coefs, path.refit(DENSE, listed).coefs)
    np.testing.assert_array_equal(path.accuracies(DENSE, y), path.accuracies(DENSE, listed))


@pytest.mark.parametrize(
    "first",
    [None, np.nan, pd.NA, "a", 10**30, DAYS[0]],
    ids=["None", "NaN", "NA", "text", "huge", "date"],
)
def test_objects_that_are_no_labels_keep_their_sentence(first):
    y = CODES.astype(object)
    y[0] = first
    for fit in (
        lambda: clone(CLASSIFIER).fit(DENSE, y),
        lambda: GroupLassoClassifierCV(ALPHAS, cv=2).fit(DENSE, y),
        lambda: regularization_path(CLASSIFIER, DENSE, y, alphas=ALPHAS),
    ):
        with pytest.raises(ValueError, match="with missing entries, or with both text and numbers"):
            fit()
    missing = np.array(["2020-01-01", "2021-01-01"], dtype="datetime64[D]")[CODES]
    missing[0] = "NaT"
    with pytest.raises(ValueError, match="a y with missing entries"):
        clone(CLASSIFIER).fit(DENSE, missing)


@pytest.mark.parametrize(
    "weights", [{0: 1, 1: 1, 2: 5}, {0: 2, 1: 3, 2: 5, "x": 1}, {1: 5}, {}, {0: 2}, {1: 2.5, 0: 1}]
)
def test_class_weights_of_labels_that_rows_lack_as_in_scikit_learn(weights):
    """LogisticRegression takes them too, and gives the rows the same weights."""
    LogisticRegression(class_weight=weights).fit(DENSE, CODES)
    s = np.array([weights.get(code, 1.0) for code in CODES])
    right = fitted(CLASSIFIER)(DENSE, CODES, s)
    model = clone(CLASSIFIER).set_params(class_weight=weights)
    np.testing.assert_allclose(model.fit(DENSE, CODES).coef_, right, atol=1e-8)
    paths = [
        regularization_path(
            CLASSIFIER.set_params(class_weight=w), DENSE, CODES, alphas=ALPHAS, sample_weight=t
        )
        for w, t in ((weights, None), (None, s))
    ]
    np.testing.assert_allclose(paths[0].coefs, paths[1].coefs, atol=1e-8)
    refits = [paths[0].refit(DENSE, CODES), paths[1].refit(DENSE, CODES, s)]
    np.testing.assert_allclose(refits[0].coefs, refits[1].coefs, rtol=1e-6)
    GroupLassoClassifierCV(ALPHAS, cv=2, class_weight=weights).fit(DENSE, CODES)
    GroupLassoClassifier(class_weight=weights).partial_fit(DENSE, CODES, classes=[0, 1])


@pytest.mark.parametrize("weights", [{7: 2}, {"0": 1, "1": 5}, {0: 1, "1": 5}, {1: 5, 2: 3}])
def test_class_weights_that_leave_a_label_out_and_name_another_are_refused(weights):
    with pytest.raises(ValueError, match="are not in class_weight"):
        LogisticRegression(class_weight=weights).fit(DENSE, CODES)
    for fit in (
        lambda: clone(CLASSIFIER).set_params(class_weight=weights).fit(DENSE, CODES),
        lambda: GroupLassoClassifierCV(ALPHAS, cv=2, class_weight=weights).fit(DENSE, CODES),
        lambda: GroupLassoClassifier(class_weight=weights).partial_fit(DENSE, CODES, [0, 1]),
    ):
        with pytest.raises(ValueError, match=r"has weights for \[.*\], .* but none for \[[01]"):
            fit()
