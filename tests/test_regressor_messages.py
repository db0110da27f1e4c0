"""What regressors say: errors, warnings and progress."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning

from problems import simulate
from regressors import every_estimator
from shrinklin import CoordinateDescent, ShrinkNetRegressor

X_OK, Y_OK = simulate(20, 4, 2)


def _with(value, row=0):
    X = X_OK.astype(object if isinstance(value, str) else type(value))
    X[row, 0] = value
    return X


@every_estimator
@pytest.mark.parametrize(
    ("arguments", "parameters", "error", "message"),
    [
        ((_with(np.nan), Y_OK), {}, ValueError, "Input X contains NaN"),
        ((_with(np.inf), Y_OK), {}, ValueError, "Input X contains infinity"),
        ((X_OK, np.where(Y_OK > 1, np.nan, Y_OK)), {}, ValueError, "Input y contains NaN"),
        ((_with("tall"), Y_OK), {}, ValueError, "was given text .*'tall'.*Encode text columns"),
        ((X_OK, np.full(20, "tall")), {}, ValueError, "was given text|takes real numbers"),
        ((X_OK + 0j, Y_OK), {}, ValueError, "Complex data not supported"),
        ((X_OK, Y_OK + 0j), {}, ValueError, "Complex data not supported"),
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
        ((X_OK, Y_OK), {"alpha": -1}, ValueError, "alpha=-1: give a finite number >= 0"),
        ((X_OK, Y_OK), {"alpha": np.nan}, ValueError, "alpha=nan"),
        ((X_OK, Y_OK), {"alpha": "1"}, TypeError, "alpha='1' is not a number"),
        ((X_OK, Y_OK), {"alpha": None}, TypeError, "alpha=None is not a number"),
        ((X_OK, Y_OK), {"tol": -1}, ValueError, "tol=-1"),
        ((X_OK, Y_OK), {"max_iter": 0}, ValueError, "max_iter=0"),
        ((X_OK, Y_OK), {"max_iter": 1.5}, ValueError, "max_iter=1.5"),
        ((X_OK, Y_OK), {"max_iter": True}, ValueError, "max_iter=True"),
        ((X_OK, Y_OK), {"fit_intercept": "no"}, TypeError, "fit_intercept='no': give True or"),
        ((X_OK, Y_OK), {"warm_start": "yes"}, TypeError, "warm_start='yes': give True or"),
        ((X_OK, Y_OK), {"random_state": "x"}, ValueError, "'x' cannot be used to seed"),
        ((X_OK, Y_OK, ["a"] * 20), {}, ValueError, "sample_weight of dtype .* is not numeric"),
        ((X_OK, Y_OK, 1j * np.ones(20)), {}, ValueError, "sample_weight of dtype complex"),
        ((X_OK, Y_OK, 3.0), {}, ValueError, r"sample_weight has shape \(\)"),
        ((1e200 * X_OK, Y_OK), {}, ValueError, "some of them do not fit in float64"),
        ((X_OK, 1e200 * Y_OK), {}, ValueError, "some of them do not fit in float64"),
        ((1e-80 * X_OK, 1e80 * Y_OK), {}, ValueError, "some of them do not fit in float64"),
        ((1e100 * X_OK, 1e-100 * Y_OK), {}, ValueError, "some of them do not fit in float64"),
        # The squares of X'y are infinite, and no feature would enter.
        ((1e100 * X_OK, 1e100 * Y_OK), {}, ValueError, "some of them do not fit in float64"),
        ((1e-100 * X_OK, 1e-100 * Y_OK), {}, ValueError, "some of them do not fit in float64"),
        (([[10**400], [1]], [0.0, 1.0]), {}, ValueError, "a whole number that is too large"),
        ((X_OK, Y_OK, [10**400] * 20), {}, ValueError, "sample_weight of dtype object"),
        ((X_OK, Y_OK), {"alpha": 10**400}, ValueError, "give a finite number >= 0"),
        ((X_OK, Y_OK), {"feature_weights": [10**400] * 4}, ValueError, "is not numeric"),
        ((1e-170 * X_OK, Y_OK), {}, ValueError, "some of them do not fit in float64"),
        ((X_OK, 1e-200 * Y_OK), {}, ValueError, "some of them do not fit in float64"),
        ((X_OK, Y_OK), {"solver": "saga"}, ValueError, "solver='saga' is not a solver"),
        ((X_OK, Y_OK), {"groups": [1, 2]}, ValueError, "groups has 2 labels, but X has 4"),
        ((X_OK, Y_OK), {"feature_weights": [1, 2]}, ValueError, "one weight per feature"),
        ((X_OK, Y_OK), {"solver": CoordinateDescent("no")}, ValueError, "gram='no'"),
    ],
)
def test_bad_input_gets_one_clear_sentence(estimator, arguments, parameters, error, message):
    with pytest.raises(error, match=message):
        clone(estimator).set_params(**parameters).fit(*arguments)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"p": "2"}, r"p='2' has no closed-form prox"),
        ({"p": True}, r"p=True has no closed-form prox"),
        ({"p": np.array([1, 2])}, r"p=array.* has no closed-form prox"),
        ({"p": None}, r"p=None has no closed-form prox"),
        ({"p": 3}, r'p=3 has no closed-form prox: solver="auto" accepts p=1 or p=2'),
        ({"weight_decay": 0}, r"weight_decay=0 .*without a minimiser \(statement A.3"),
        ({"weight_decay": -1}, "weight_decay=-1: give a finite number >= 0"),
        ({"weight_decay": 0.1, "alpha": 0}, "alpha=0 with weight_decay=0.1"),
    ],
)
def test_shrinknet_says_what_it_cannot_solve(parameters, message):
    with pytest.raises(ValueError, match=message):
        ShrinkNetRegressor(**parameters).fit(X_OK, Y_OK)


@every_estimator
def test_not_converged_says_so_and_stays_usable(estimator):
    X, Y = simulate(40, 60, 5, 30, correlation=0.5)
    model = clone(estimator).set_params(alpha=1e-3, max_iter=1, tol=1e-300)
    # The search of ShrinkNet descends many times, and may reach the last digit.
    message = r"residual .* > tol=1e-300 after \d+ sweeps \(max_iter=1\)\. (Increase|Further)"
    with pytest.warns(ConvergenceWarning, match=message):
        model.fit(X, Y)
    assert model.residual_ > 0
    assert model.score(X, Y) > 0


@every_estimator
def test_verbose_shows_a_bar_and_a_summary(estimator, capsys):
    clone(estimator).set_params(verbose=1).fit(X_OK, Y_OK)
    out, err = capsys.readouterr()
    assert "100%" in err
    assert "of 4 features" in out
    clone(estimator).fit(X_OK, Y_OK)
    assert capsys.readouterr() == ("", "")
