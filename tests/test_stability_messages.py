"""Warnings, errors and progress of `selection_frequencies`."""

import sys
import threading
import warnings
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import joblib
import numpy as np
import pytest
from sklearn.base import BaseEstimator, clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.feature_selection import SelectKBest
from sklearn.linear_model import Lasso
from sklearn.pipeline import make_pipeline

from problems import simulate
from resampling import GROUP_LASSO, Listener, rows_of, unlabelled
from shrinklin import GroupLassoClassifier, GroupLassoRegressor, Moments
from shrinklin.estimators import resampling
from shrinklin.estimators.stability import selection_frequencies
from shrinklin.messages import warn


@pytest.mark.parametrize("backend", ["sequential", "threading", "loky"])
def test_warnings_of_the_fits_are_one(backend):
    X, Y = simulate(60, 20, 2, correlation=0.9)
    estimator = GroupLassoRegressor(0.01, max_iter=9, tol=1e-4)
    short = 0
    for rows in rows_of(unlabelled(60), 8):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            clone(estimator).fit(X[rows], Y[rows])
        short += len(caught)
    assert 0 < short < 8
    filters, shown = list(warnings.filters), warnings.showwarning
    said = (
        rf"^{short} of 8 fits warned\. The warning of the fit to resample [1-8]: "
        "GroupLassoRegressor did not conv"
    )
    with (
        joblib.parallel_config(backend=backend),
        pytest.warns(ConvergenceWarning, match=said) as caught,
    ):
        selection_frequencies(estimator, X, Y, 8, random_state=0, n_jobs=2)
    assert len(caught) == 1
    assert caught[0].filename == __file__
    assert warnings.filters == filters
    assert warnings.showwarning is shown


class Complaining(Listener):
    """Warns as shrinklin does, twice in every fit, and of something else from the third fit on."""

    def __sklearn_clone__(self):
        return Complaining(self.heard)

    def fit(self, X, y):
        super().fit(X, y)
        if len(self.heard) > 2:
            warn("late", RuntimeWarning)
        for k in range(2):
            warn(f"always, {k}")
        return self


def test_every_category_is_warned_of_once_with_its_own_number_of_fits():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        selection_frequencies(Complaining([]), *simulate(20, 3, 1), 5)
    assert [(w.category, str(w.message)) for w in caught] == [
        (UserWarning, "5 of 5 fits warned. The warning of the fit to resample 1: always, 0"),
        (RuntimeWarning, "3 of 5 fits warned. The warning of the fit to resample 3: late"),
    ]


class Foreign(BaseEstimator):
    """Warns as other packages do."""

    def fit(self, X, y):
        warnings.warn(f"{len(X)} rows", RuntimeWarning, stacklevel=1)
        return self

    def get_support(self):
        return np.ones(3, dtype=bool)


@pytest.mark.parametrize("backend", ["sequential", "threading", "loky"])
def test_what_others_warn_of_comes_as_it_is_or_from_other_processes_at_once(backend):
    with (
        joblib.parallel_config(backend=backend),
        warnings.catch_warnings(record=True) as caught,
    ):
        warnings.simplefilter("always")
        selection_frequencies(Foreign(), *simulate(21, 3, 1), 4, n_jobs=2)
    said = sorted(str(w.message) for w in caught)
    if backend == "loky":
        assert said == ["4 of 4 fits warned. The warning of the fit to resample 1: 10 rows"]
    else:
        assert said == ["10 rows", "10 rows", "11 rows", "11 rows"]


class Waiting(Listener):
    """Sets `begun` when its fit begins, and ends the fit when `ends` is set."""

    def __init__(self, name):
        self.name, self.begun, self.ends = name, threading.Event(), threading.Event()

    def __sklearn_clone__(self):
        return self

    def fit(self, X, y):
        self.begun.set()
        assert self.ends.wait(60)
        warn(self.name)
        warnings.warn(f"{self.name}, as others do", RuntimeWarning, stacklevel=1)
        self.support_ = np.ones(3, dtype=bool)
        return self


def said_by_overlapping_calls():
    """The warnings of two calls: the second begins during the first and ends after it."""
    first, second = Waiting("first"), Waiting("second")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        filters, shown = list(warnings.filters), warnings.showwarning
        with ThreadPoolExecutor(1) as one, ThreadPoolExecutor(1) as other:
            calls = []
            for pool, model in ((one, first), (other, second)):
                calls.append(pool.submit(selection_frequencies, model, *simulate(20, 3, 1), 1))
                assert model.begun.wait(60)
            for model, call in zip((first, second), calls, strict=True):
                model.ends.set()
                call.result()
        assert warnings.filters == filters
        assert warnings.showwarning is shown
    return [str(w.message) for w in caught]


def test_overlapping_calls_leave_nothing_behind_and_swallow_nothing():
    assert said_by_overlapping_calls() == [
        "first, as others do",
        "1 of 1 fits warned. The warning of the fit to resample 1: first",
        "second, as others do",
        "1 of 1 fits warned. The warning of the fit to resample 1: second",
    ]


@contextmanager
def replaces_the_hook_of_all():
    log = []
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.showwarning = lambda message, category, *_: log.append((category, str(message)))
        yield log


def test_collecting_by_a_hook_is_rejected(monkeypatch):
    monkeypatch.setattr(resampling, "collected", replaces_the_hook_of_all)
    with pytest.raises(AssertionError):
        said_by_overlapping_calls()


def test_a_class_of_one_row_is_warned_of():
    X, _ = simulate(21, 3, 1)
    y = np.repeat(["a", "b", "c"], [10, 10, 1])
    with pytest.warns(UserWarning, match=r"classes \['c'\] of y have only one row each"):
        selection_frequencies(GroupLassoClassifier(), X, y, 4, random_state=0)
    model = GroupLassoClassifier(1e-3)
    selection_frequencies(model, X, y, 4, resampling="bootstrap", random_state=0)


def test_a_class_of_one_row_is_warned_of_where_a_fit_raises():
    X, _ = simulate(11, 3, 1)
    y = np.repeat(["a", "b"], [10, 1])
    with (
        pytest.warns(UserWarning, match=r"classes \['b'\] of y have only one row each") as caught,
        pytest.raises(ValueError, match="y has one class"),
    ):
        selection_frequencies(GroupLassoClassifier(), X, y, 4, random_state=0)
    assert caught[0].filename == __file__


def test_an_error_in_a_later_fit_is_of_that_resample():
    with pytest.raises(KeyError) as caught:
        selection_frequencies(Listener([], fails_at=3), *simulate(20, 3, 2), 5)
    assert caught.value.__notes__ == [
        "This error occurred in the fit to resample 3 of 5, with 10 of 20 rows."
    ]


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_verbose_shows_a_bar_and_changes_nothing(capsys, n_jobs):
    X, Y = simulate(30, 8, 2)
    quiet = selection_frequencies(GROUP_LASSO, X, Y, 6, random_state=0)
    assert capsys.readouterr().err == ""
    options = {"random_state": 0, "n_jobs": n_jobs, "verbose": 1}
    np.testing.assert_array_equal(selection_frequencies(GROUP_LASSO, X, Y, 6, **options), quiet)
    assert "6/6" in capsys.readouterr().err


def test_without_tqdm_the_error_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "tqdm.auto", None)
    with pytest.raises(ImportError, match=r"verbose=1 .* needs tqdm .*pip install .tqdm"):
        selection_frequencies(GROUP_LASSO, *simulate(20, 3, 2), 2, verbose=1)


# The last test that needs two processes: after an error they start anew, which takes a while.
@pytest.mark.parametrize("n_jobs", [1, 2])
def test_an_error_of_a_fit_says_which_resample(n_jobs):
    X, Y = simulate(21, 3, 2)
    with pytest.raises(ValueError, match="alpha=-1: give a finite number >= 0") as caught:
        selection_frequencies(GroupLassoRegressor(-1), X, Y, 3, n_jobs=n_jobs)
    (note,) = caught.value.__notes__
    assert note in {
        f"This error occurred in the fit to resample {k} of 3, with {size} of 21 rows."
        for k, size in ((1, 10), (2, 11), (3, 10))
    }


BAD = {
    "no fits": ({"n_resamples": 0}, ValueError, "n_resamples=0: give a whole number >= 1"),
    "half a fit": ({"n_resamples": 2.5}, ValueError, r"n_resamples=2.5: give a whole number"),
    "resampling": ({"resampling": "x"}, ValueError, 'resampling=.x.: give "half" or "bootstrap"'),
    "list": ({"resampling": ["half"]}, ValueError, 'give "half" or "bootstrap"'),
    "no support": ({"estimator": Lasso()}, TypeError, r"Lasso\(\) does not say .*SelectFromModel"),
    "class": ({"estimator": GroupLassoRegressor}, TypeError, "give an instance of"),
    "last step": (
        {"estimator": make_pipeline(GROUP_LASSO, Lasso())},
        TypeError,
        "does not say which features it keeps",
    ),
    "one row": ({"X": [[1.0]], "y": [1.0]}, ValueError, "X has 1 row: give at least 2"),
    "lengths": (
        {"y": np.ones(3)},
        ValueError,
        r"\[20, 3\]: give X, y and sample_weight with the same",
    ),
    "weights": ({"sample_weight": np.ones(3)}, ValueError, r"\[20, 20, 3\]: give X, y and"),
    "weight": (
        {"sample_weight": np.eye(20)[3]},
        ValueError,
        "X has 1 row of weight > 0: give at least 2",
    ),
    "one weight": ({"sample_weight": 2.0}, ValueError, r"sample_weight has shape \(\): give one"),
    "negative": ({"sample_weight": -np.ones(20)}, ValueError, "sample_weight has 20 negative"),
    "no weights": (
        {"estimator": SelectKBest(k=1), "sample_weight": np.ones(20)},
        TypeError,
        r"but SelectKBest\.fit does not accept it",
    ),
    "moments": (
        {"X": Moments.from_data(*simulate(20, 3, 2))},
        TypeError,
        "X is Moments, which have no rows",
    ),
    "nothing": ({"X": None}, TypeError, "at least 1 dimension"),
    "NaN": ({"X": np.full((20, 3), np.nan)}, ValueError, "Input X contains NaN"),
    "seed": ({"random_state": "x"}, ValueError, "cannot be used to seed"),
    "numbers": (
        {"estimator": GroupLassoClassifier(), "y": np.linspace(0, 1, 20)},
        ValueError,
        "Unknown label type: continuous",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_named(name):
    options, error, message = BAD[name]
    X, Y = simulate(20, 3, 2)
    with pytest.raises(error, match=message):
        selection_frequencies(**{"estimator": GROUP_LASSO, "X": X, "y": Y} | options)
