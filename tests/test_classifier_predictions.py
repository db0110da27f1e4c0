"""What a classifier predicts: scores, probabilities and labels."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score

from classifiers import every_estimator, every_number_of_classes, some_weights
from problems import simulate_classes
from shrinklin import (
    GroupLassoClassifier,
)


def by_hand(model, X):
    """Raw predictions, probabilities and labels, sample by sample."""
    raw, probabilities, labels = [], [], []
    for x in X:
        z = [float(np.dot(w, x) + b) for w, b in zip(model.coef_, model.intercept_, strict=True)]
        raw.append(z[0] if len(z) == 1 else z)
        e = np.exp([0.0, *z] if len(z) == 1 else z)
        probabilities.append(e / e.sum())
        labels.append(model.classes_[np.argmax(e)])
    return np.array(raw), np.array(probabilities), np.array(labels)


@every_estimator
@pytest.mark.parametrize("n_classes", [2, 3, 5])
def test_predictions_agree_with_each_other_and_by_hand(estimator, n_classes):
    X, y = simulate_classes(60, 6, n_classes)
    labels = np.array(list("abcde"))[y]
    model = clone(estimator).set_params(alpha=0.03).fit(X, labels)
    raw, probabilities, predicted = by_hand(model, X)
    np.testing.assert_allclose(model.decision_function(X), raw, atol=1e-12)
    np.testing.assert_allclose(model.predict_proba(X), probabilities, rtol=1e-12)
    np.testing.assert_allclose(model.predict_log_proba(X), np.log(probabilities), atol=1e-12)
    np.testing.assert_array_equal(model.predict(X), predicted)
    s = some_weights(60)
    assert model.score(X, labels, s) == accuracy_score(labels, predicted, sample_weight=s)


@every_estimator
@pytest.mark.parametrize("n_classes", [2, 3, 5])
def test_shapes_are_those_of_logistic_regression(estimator, n_classes):
    X, y = simulate_classes(60, 6, n_classes)
    ours, theirs = clone(estimator).fit(X, y), LogisticRegression().fit(X, y)
    for attribute in ("coef_", "intercept_", "classes_"):
        assert getattr(ours, attribute).shape == getattr(theirs, attribute).shape
    for method in ("decision_function", "predict_proba", "predict_log_proba", "predict"):
        assert getattr(ours, method)(X).shape == getattr(theirs, method)(X).shape


@every_number_of_classes
def test_log_probabilities_next_to_zero(n_classes):
    X, y = simulate_classes(60, 6, n_classes)
    model = GroupLassoClassifier(0.03).fit(X, y)
    far = 1e5 * X
    logs = model.predict_log_proba(far)
    assert np.isfinite(logs).all()
    assert logs.min() < -1e4
    np.testing.assert_allclose(np.exp(logs).sum(axis=1), 1, rtol=1e-12)
    np.testing.assert_array_equal(model.classes_[logs.argmax(axis=1)], model.predict(far))


def test_without_an_intercept_it_is_zero():
    X, y = simulate_classes(60, 6, 3)
    model = GroupLassoClassifier(0.03, fit_intercept=False).fit(X, y)
    np.testing.assert_array_equal(model.intercept_, np.zeros(3))
