"""What a classifier says: errors about data and parameters, and its progress."""

import numpy as np
import pytest
from sklearn.base import clone

from classifiers import every_estimator
from problems import simulate_classes
from shrinklin import (
    CoordinateDescent,
    ShrinkNetClassifier,
)

X_OK, Y_OK = simulate_classes(20, 4, 3)


TEXT = np.array(["a", "b"] * 10, dtype=object)


def _with(value, array=X_OK):
    plain = isinstance(value, float) and array.dtype != object
    array = array.astype(type(value) if plain else object)
    array.flat[0] = value
    return array


@every_estimator
@pytest.mark.parametrize(
    ("arguments", "parameters", "error", "message"),
    [
        ((_with(np.nan), Y_OK), {}, ValueError, "Input X contains NaN"),
        ((_with(np.inf), Y_OK), {}, ValueError, "Input X contains infinity"),
        ((_with("tall"), Y_OK), {}, ValueError, "was given text .*'tall'.*Encode text columns"),
        ((X_OK + 0j, Y_OK), {}, ValueError, "Complex data not supported"),
        ((X_OK, _with(np.nan, Y_OK)), {}, ValueError, "Input y contains NaN"),
        ((X_OK, _with(None, Y_OK)), {}, ValueError, "labels must be all numbers"),
        ((X_OK, _with(None, TEXT)), {}, ValueError, "labels must be all numbers"),
        ((X_OK, _with(1, TEXT)), {}, ValueError, "labels must be all numbers"),
        ((X_OK, _with(np.nan, TEXT)), {}, ValueError, "a y with missing entries"),
        ((X_OK, X_OK[:, 0]), {}, ValueError, "Unknown label type: continuous"),
        ((X_OK, np.c_[Y_OK, Y_OK]), {}, ValueError, r"1d array, got an array of shape \(20, 2\)"),
        ((X_OK, 0 * Y_OK), {}, ValueError, "y has one class, .*0.*at least two classes"),
        ((X_OK, Y_OK, Y_OK == 1), {}, ValueError, "y has one class, 1, on the rows whose"),
        (
            (X_OK[:7], Y_OK),
            {},
            ValueError,
            r"samples: \[7, 20\]: give X and y with the same number",
        ),
        ((X_OK, Y_OK, np.ones(7)), {}, ValueError, "inconsistent numbers of samples"),
        ((X_OK, Y_OK, np.zeros(20)), {}, ValueError, "sample_weight is zero on every row"),
        ((X_OK, Y_OK, -np.ones(20)), {}, ValueError, "20 negative entries"),
        ((X_OK, Y_OK, np.full(20, np.nan)), {}, ValueError, "sample_weight contains NaN"),
        ((X_OK, Y_OK, np.ones((20, 2))), {}, ValueError, r"sample_weight has shape \(20, 2\)"),
        ((X_OK, Y_OK), {"class_weight": "even"}, ValueError, "class_weight='even': give None, "),
        ((X_OK, Y_OK), {"class_weight": 3}, ValueError, "class_weight=3: give None, "),
        ((X_OK, Y_OK), {"class_weight": [1, 2, 3]}, ValueError, r"class_weight=\[1, 2, 3\]: give"),
        ((X_OK, Y_OK), {"class_weight": {0: -1}}, ValueError, r"class_weight\[0\]=-1: give"),
        ((X_OK, Y_OK), {"class_weight": {0: np.nan}}, ValueError, r"class_weight\[0\]=nan"),
        ((X_OK, Y_OK), {"class_weight": {0: np.inf}}, ValueError, r"class_weight\[0\]=inf"),
        ((X_OK, Y_OK), {"class_weight": {0: "a"}}, TypeError, r"class_weight\[0\]=.a. is not a"),
        ((X_OK, Y_OK), {"class_weight": {0: 2, 7: 1}}, ValueError, r"weights for \[7\], which are"),
        ((X_OK, Y_OK), {"class_weight": {0: 0, 1: 0}}, ValueError, "y has one class, .*2"),
        (
            (X_OK, Y_OK),
            {"class_weight": dict.fromkeys(range(3), 0)},
            ValueError,
            "y has no class on the rows whose",
        ),
        ((X_OK, Y_OK), {"alpha": -1}, ValueError, "alpha=-1: give a finite number >= 0"),
        ((X_OK, Y_OK), {"alpha": np.nan}, ValueError, "alpha=nan"),
        ((X_OK, Y_OK), {"alpha": "1"}, TypeError, "alpha='1' is not a number"),
        ((X_OK, Y_OK), {"tol": -1}, ValueError, "tol=-1"),
        ((X_OK, Y_OK), {"max_iter": 0}, ValueError, "max_iter=0"),
        ((X_OK, Y_OK), {"fit_intercept": "no"}, TypeError, "fit_intercept='no': give True or"),
        ((X_OK, Y_OK), {"warm_start": "yes"}, TypeError, "warm_start='yes': give True or"),
        ((X_OK, Y_OK), {"random_state": "x"}, ValueError, "'x' cannot be used to seed"),
        ((1e200 * X_OK, Y_OK), {}, ValueError, "some of them do not fit in float64"),
        ((1e-170 * X_OK, Y_OK), {}, ValueError, "some of them do not fit in float64"),
        ((X_OK, Y_OK), {"solver": "saga"}, ValueError, "solver='saga' is not a solver.*ProximalN"),
        ((X_OK, Y_OK), {"solver": CoordinateDescent()}, ValueError, "is not a solver.*ProximalN"),
        ((X_OK, Y_OK), {"groups": [1, 2]}, ValueError, "groups has 2 labels, but X has 4"),
        ((X_OK, Y_OK), {"feature_weights": [1, 2]}, ValueError, "one weight per feature"),
    ],
)
def test_bad_input_gets_one_clear_sentence(estimator, arguments, parameters, error, message):
    with pytest.raises(error, match=message):
        clone(estimator).set_params(**parameters).fit(*arguments)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"p": "2"}, r"p='2' has no closed-form prox"),
        ({"p": 3}, r'p=3 has no closed-form prox: solver="auto" accepts p=1 or p=2'),
        ({"weight_decay": 0}, r"weight_decay=0 .*without a minimiser \(statement A.3"),
        ({"weight_decay": -1}, "weight_decay=-1: give a finite number >= 0"),
        ({"weight_decay": 0.1, "alpha": 0}, "alpha=0 with weight_decay=0.1"),
    ],
)
def test_shrinknet_says_what_it_cannot_solve(parameters, message):
    with pytest.raises(ValueError, match=message):
        ShrinkNetClassifier(**parameters).fit(X_OK, Y_OK)


@every_estimator
def test_another_number_of_features_is_refused(estimator):
    model = clone(estimator).fit(X_OK, Y_OK)
    for method in ("decision_function", "predict", "predict_proba", "predict_log_proba"):
        with pytest.raises(ValueError, match=r"X has 3 features, but .* is expecting 4"):
            getattr(model, method)(X_OK[:, :3])


@every_estimator
def test_verbose_shows_a_bar_and_a_summary(estimator, capsys):
    clone(estimator).set_params(verbose=1).fit(X_OK, Y_OK)
    out, err = capsys.readouterr()
    assert "100%" in err
    assert "of 4 features" in out
    clone(estimator).fit(X_OK, Y_OK)
    assert capsys.readouterr() == ("", "")
