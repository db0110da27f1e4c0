import sys
import threading
import warnings
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import pairwise

import joblib
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import sklearn
from scipy import sparse
from sklearn.base import BaseEstimator, clone
from sklearn.decomposition import PCA
from sklearn.exceptions import ConvergenceWarning, UnsetMetadataPassedError
from sklearn.feature_selection import RFE, SelectFromModel, SelectKBest, f_regression
from sklearn.linear_model import Lasso, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, PolynomialFeatures, StandardScaler

from problems import simulate, simulate_classes
from shrinklin import (
    GradientDescent,
    GroupLassoClassifier,
    GroupLassoRegressor,
    Moments,
    ShrinkNetClassifier,
    ShrinkNetRegressor,
    SignChange,
    StabilityDisplay,
    stability,
)
from shrinklin.estimators.stability import resamples, selection_frequencies
from shrinklin.messages import warn

GROUP_LASSO = GroupLassoRegressor(0.3)
BY_GRADIENTS = GradientDescent(learning_rate=0.2, batch_size=8, max_epochs=8, removal=SignChange())
LABELS = np.array(["a", "b", "c"])


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


# What `selection_frequencies` draws the rows from for random_state=0.
SEED_OF_ROWS = np.random.RandomState(0).randint(2**31 - 1)


def rows_of(classes, n_resamples, resampling="half"):
    """The rows that `selection_frequencies` draws for random_state=0."""
    rng = np.random.default_rng(SEED_OF_ROWS)
    return list(resamples(np.asarray(classes), n_resamples, resampling, rng))


def unlabelled(n_samples):
    return np.zeros(n_samples, dtype=int)


def slowly(estimator, X, y, rows, sample_weight=None):
    """The share of fits that keep each feature, one fit after another."""
    kept = np.zeros(X.shape[1])
    for r in rows:
        weights = () if sample_weight is None else (sample_weight[r],)
        model = clone(estimator).fit(X[r], y[r], *weights)
        kept += model.get_support()
    return kept / len(rows)


def some_of_each(frequencies):
    """A comparison is worth something if not all frequencies are 0 or 1."""
    return ((frequencies > 0) & (frequencies < 1)).any()


# The rows


def check_halves(drawn, classes):
    n = len(classes)
    assert len({tuple(r) for r in drawn}) == len(drawn)
    for first, second in zip(drawn[::2], drawn[1::2], strict=True):
        np.testing.assert_array_equal(np.sort(np.concatenate([first, second])), np.arange(n))
        assert (len(first), len(second)) == (n // 2, n - n // 2)
        in_first, in_second = (
            np.bincount(classes[half], minlength=max(classes) + 1) for half in (first, second)
        )
        assert abs(in_first - in_second).max() <= 1


def check_bootstraps(drawn, classes):
    n = len(classes)
    assert len({tuple(r) for r in drawn}) == len(drawn)
    for r in drawn:
        np.testing.assert_array_equal(np.bincount(classes[r]), np.bincount(classes))
    # Of n draws with replacement 1 - 1/e are different rows.
    distinct = np.mean([len(set(r)) for r in drawn]) / n
    assert 0.55 < distinct < 0.72


CHECKS = {"half": check_halves, "bootstrap": check_bootstraps}
CLASSES = {
    "none": unlabelled(40),
    "odd": unlabelled(41),
    "two": np.repeat([0, 1], [37, 4]),
    "odd classes": np.repeat([0, 1, 2, 3], [5, 7, 9, 13]),
    "mixed": np.tile([0, 1, 2], 14)[:40],
}


@pytest.mark.parametrize("resampling", CHECKS)
@pytest.mark.parametrize("name", CLASSES)
def test_resamples_are_what_they_say(name, resampling):
    classes = CLASSES[name]
    CHECKS[resampling](rows_of(classes, 20, resampling), classes)


def _independent_halves(classes, rng):
    n = len(classes)
    return rng.permutation(n)[: n // 2], rng.permutation(n)[: n - n // 2]


def _same_halves(classes, rng):
    return _halves(classes, np.random.default_rng(0))


def _halves_of_any_class(classes, rng):
    order = rng.permutation(len(classes))
    return order[1::2], order[::2]


def _first_halves_by_class(classes, rng):
    """By class at first only: the next pairs are drawn from rows of any class."""
    begun = rng.bit_generator.state == np.random.default_rng(SEED_OF_ROWS).bit_generator.state
    return (_halves if begun else _halves_of_any_class)(classes, rng)


def _without_replacement(classes, rng):
    return (rng.permutation(len(classes)),)


def _same_bootstrap(classes, rng):
    return _bootstrap(classes, np.random.default_rng(0))


def _bootstrap_of_any_class(classes, rng):
    return (rng.integers(0, len(classes), len(classes)),)


_halves, _bootstrap = stability._pair_of_halves, stability._bootstrap
MUTANTS = [
    ("half", _independent_halves),
    ("half", _same_halves),
    ("half", _halves_of_any_class),
    ("half", _first_halves_by_class),
    ("bootstrap", _without_replacement),
    ("bootstrap", _same_bootstrap),
    ("bootstrap", _bootstrap_of_any_class),
]


@pytest.mark.parametrize(("resampling", "mutant"), MUTANTS)
def test_wrong_resamples_are_rejected(monkeypatch, resampling, mutant):
    drawn = {"half": "_pair_of_halves", "bootstrap": "_bootstrap"}[resampling]
    monkeypatch.setattr(stability, drawn, mutant)
    with pytest.raises(AssertionError):
        CHECKS[resampling](rows_of(CLASSES["two"], 20, resampling), CLASSES["two"])


@pytest.mark.parametrize("name", ["none", "odd", "odd classes"])
def test_every_row_is_as_likely_as_any_other(name):
    classes = CLASSES[name]
    first = np.concatenate(rows_of(classes, 4000)[::2])
    shares = np.bincount(first, minlength=len(classes)) / 2000
    np.testing.assert_allclose(shares, 0.5, atol=0.07)
    drawn = np.concatenate(rows_of(classes, 2000, "bootstrap"))
    np.testing.assert_allclose(np.bincount(drawn) / 2000, 1, atol=0.12)


def test_an_odd_number_of_halves_is_the_even_number_without_the_last():
    even, odd = rows_of(unlabelled(11), 6), rows_of(unlabelled(11), 5)
    assert len(odd) == 5
    for one, other in zip(even, odd, strict=False):
        np.testing.assert_array_equal(one, other)


# The frequencies

ESTIMATORS = {
    "group lasso": (GROUP_LASSO, 3),
    "ShrinkNet": (ShrinkNetRegressor(1.0), 2),
    "one target": (GROUP_LASSO, 1),
    "minibatches": (ShrinkNetRegressor(1.0, solver=BY_GRADIENTS, random_state=3), 2),
    "univariate": (SelectKBest(f_regression, k=3), 1),
    "selector": (SelectFromModel(Lasso(0.1)), 1),
}


@pytest.mark.parametrize("resampling", ["half", "bootstrap"])
@pytest.mark.parametrize("name", ESTIMATORS)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_frequencies_are_those_of_a_slow_loop(name, resampling):
    estimator, n_targets = ESTIMATORS[name]
    X, Y = simulate(31, 10, n_targets)
    y = Y[:, 0] if n_targets == 1 else Y
    found = selection_frequencies(estimator, X, y, 7, resampling=resampling, random_state=0)
    rows = rows_of(unlabelled(31), 7, resampling)
    np.testing.assert_array_equal(found, slowly(estimator, X, y, rows))
    assert found.shape == (10,)
    assert some_of_each(found)


CLASSIFIERS = {
    "group lasso": GroupLassoClassifier(0.08),
    "ShrinkNet": ShrinkNetClassifier(0.15),
    "selector": SelectFromModel(LogisticRegression(), max_features=4),
    "elimination": RFE(LogisticRegression(), n_features_to_select=4, step=4),
}


@pytest.mark.parametrize("resampling", ["half", "bootstrap"])
@pytest.mark.parametrize("name", CLASSIFIERS)
def test_classes_are_resampled_each_by_itself(name, resampling):
    X, codes = simulate_classes(41, 8)
    # Numbered in order of appearance; so that the loop's rows are the same.
    codes = np.unique(codes, return_index=True)[1].argsort().argsort()[codes]
    options = {"resampling": resampling, "random_state": 0}
    expected = slowly(CLASSIFIERS[name], X, codes, rows_of(codes, 3, resampling))
    for y in (codes, pd.Series(LABELS[codes], index=np.arange(41)[::-1])):
        found = selection_frequencies(CLASSIFIERS[name], X, y, 3, **options)
        np.testing.assert_array_equal(found, expected)
    assert some_of_each(expected)


class Listener(BaseEstimator):
    """Keeps the columns that are not negative in its first row; notes what it is given."""

    def __init__(self, heard=None, fails_at=None):
        self.heard, self.fails_at = heard, fails_at

    def __sklearn_clone__(self):
        return Listener(self.heard, self.fails_at)

    def fit(self, X, y, sample_weight=None):
        self.heard.append((X, y, sample_weight))
        if len(self.heard) == self.fails_at:
            raise KeyError("no such thing")
        self.support_ = np.asarray(X)[0] >= 0
        return self

    def get_support(self):
        return self.support_


def test_text_is_resampled_by_class_for_any_selector():
    X, codes = simulate_classes(30, 4)
    for y, stratified in ((LABELS[codes], True), (codes == 0, True), (codes, False)):
        listener = Listener([])
        selection_frequencies(listener, X, y, 10, random_state=1)
        counts = [np.unique(heard, return_counts=True)[1] for _, heard, _ in listener.heard]
        spread = max(abs(one - other).max() for one, other in pairwise(counts))
        assert (spread <= 1) == stratified


def test_a_rare_class_is_in_every_half():
    X, _ = simulate(60, 5, 1)
    y = np.repeat(["common", "rare"], [58, 2])
    listener = Listener([])
    selection_frequencies(listener, X, y, 20, random_state=0)
    assert all((heard == "rare").sum() == 1 for _, heard, _ in listener.heard)


def test_what_matters_is_kept_and_noise_is_not():
    X, Y = simulate(400, 30, 3)
    for estimator in (GroupLassoRegressor(0.3), ShrinkNetRegressor(0.1)):
        for resampling in ("half", "bootstrap"):
            options = {"resampling": resampling, "random_state": 0}
            found = selection_frequencies(estimator, X, Y, 20, **options)
            assert found[:4].min() >= 0.9
            assert found[4:].max() <= 0.1


def test_the_bound_holds_where_there_is_only_noise():
    selector, threshold, wrong = SelectKBest(f_regression, k=6), 0.6, []
    for seed in range(12):
        X, Y = simulate(40, 30, 1, 0, seed=seed)
        found = selection_frequencies(selector, X, Y[:, 0], 20, random_state=seed)
        assert found.sum() == pytest.approx(6)
        wrong.append((found >= threshold).sum())
    assert 0 < np.mean(wrong) <= 6**2 / ((2 * threshold - 1) * 30)


@pytest.mark.parametrize("resampling", ["half", "bootstrap"])
def test_the_same_seed_gives_the_same_bits_on_any_number_of_processes(resampling):
    X, Y = simulate(120, 40, 4, correlation=0.5)
    options = {"resampling": resampling, "random_state": 5}
    alone = selection_frequencies(GROUP_LASSO, X, Y, 12, **options)
    together = selection_frequencies(GROUP_LASSO, X, Y, 12, n_jobs=2, **options)
    with joblib.parallel_config(backend="threading"):
        threads = selection_frequencies(GROUP_LASSO, X, Y, 12, n_jobs=2, **options)
    assert alone.tobytes() == together.tobytes() == threads.tobytes()
    assert some_of_each(alone)
    state = np.random.RandomState(5)
    options["random_state"] = state
    assert alone.tobytes() == selection_frequencies(GROUP_LASSO, X, Y, 12, **options).tobytes()
    assert (alone != selection_frequencies(GROUP_LASSO, X, Y, 12, **options)).any()


def test_the_estimator_is_not_fitted():
    estimator = GroupLassoRegressor(0.1)
    before = dict(vars(estimator))
    selection_frequencies(estimator, *simulate(20, 4, 2), 2)
    assert vars(estimator) == before
    pipeline = make_pipeline(StandardScaler(), estimator)
    selection_frequencies(pipeline, *simulate(20, 4, 2), 2)
    assert vars(estimator) == before
    assert not hasattr(pipeline[0], "mean_")


# Containers


def test_sparse_data_and_lists_give_what_arrays_give():
    X, Y = simulate(30, 8, 2)
    X[abs(X) < 0.7] = 0
    expected = selection_frequencies(GROUP_LASSO, X, Y, 6, random_state=0)
    assert some_of_each(expected)
    makers = (sparse.csr_matrix, sparse.csc_array, sparse.coo_array, np.ndarray.tolist)
    for make in (*makers, pd.DataFrame):
        names = {"columns": list("abcdefgh")} if make is pd.DataFrame else {}
        found = selection_frequencies(GROUP_LASSO, make(X, **names), Y, 6, random_state=0)
        np.testing.assert_array_equal(found, expected)
    for y in (Y.tolist(), pd.DataFrame(Y, index=np.arange(30)[::-1]), sparse.csr_array(Y)):
        found = selection_frequencies(GROUP_LASSO, X, y, 6, random_state=0)
        np.testing.assert_array_equal(found, expected)


def test_names_types_and_rows_reach_the_estimator():
    X, Y = simulate(11, 3, 2)
    frame = pd.DataFrame(X, columns=list("abc"), index=np.arange(11) * 7)
    listener = Listener([])
    found = selection_frequencies(listener, frame, pd.DataFrame(Y), 4, random_state=0)
    for (given, y, _), rows in zip(listener.heard, rows_of(unlabelled(11), 4), strict=True):
        pd.testing.assert_frame_equal(given, frame.iloc[rows])
        np.testing.assert_array_equal(y, Y[rows])
    first_rows = [rows[0] for rows in rows_of(unlabelled(11), 4)]
    np.testing.assert_array_equal(found, (X[first_rows] >= 0).mean(axis=0))


def test_no_y_for_a_selector_that_needs_none():
    listener = Listener([])
    selection_frequencies(listener, simulate(10, 3, 1)[0], None, 2)
    assert all(y is None for _, y, _ in listener.heard)


# Pipelines


def test_a_pipeline_is_fitted_to_what_its_steps_make_of_each_resample():
    X, Y = simulate(40, 8, 2)
    X = X * np.geomspace(0.01, 100, 8) + 5
    pipeline = make_pipeline(StandardScaler(), GroupLassoRegressor(0.3))
    kept = np.zeros(8)
    for rows in rows_of(unlabelled(40), 9):
        scaled = StandardScaler().fit_transform(X[rows])
        kept += GroupLassoRegressor(0.3).fit(scaled, Y[rows]).get_support()
    frame = pd.DataFrame(X, columns=list("abcdefgh"))
    nested = make_pipeline("passthrough", make_pipeline(pipeline[0]), make_pipeline(pipeline[1]))
    unnamed = make_pipeline(FunctionTransformer(), pipeline)
    for model in (pipeline, clone(pipeline).set_output(transform="pandas"), nested, unnamed):
        for data in (X, frame):
            found = selection_frequencies(model, data, Y, 9, random_state=0)
            np.testing.assert_array_equal(found, kept / 9)
    assert some_of_each(kept / 9)


def test_what_is_kept_after_a_selector_is_mapped_back():
    X, Y = simulate(40, 10, 1)
    X, y = X[:, ::-1].copy(), Y[:, 0]
    steps = SelectKBest(f_regression, k=5), StandardScaler(), GroupLassoRegressor(0.2)
    kept = np.zeros(10)
    for rows in rows_of(unlabelled(40), 8):
        columns = np.flatnonzero(clone(steps[0]).fit(X[rows], y[rows]).get_support())
        scaled = StandardScaler().fit_transform(X[np.ix_(rows, columns)])
        kept[columns[clone(steps[2]).fit(scaled, y[rows]).get_support()]] += 1
    found = selection_frequencies(make_pipeline(*steps), X, y, 8, random_state=0)
    np.testing.assert_array_equal(found, kept / 8)
    assert some_of_each(found)


class Doubling(BaseEstimator):
    """A step that says nothing of its columns."""

    def fit(self, X, y=None):
        return self

    def transform(self, X):
        return np.hstack([X, X])


CHANGES = [
    (PCA(), r"PCA turns columns \['x0', 'x1', 'x2'\]… into \['pca0', 'pca1', 'pca2'\]…"),
    (PCA(2), "PCA turns 6 columns into 2"),
    (PolynomialFeatures(2), "PolynomialFeatures turns 6 columns into 28"),
    (Doubling(), "X has 6 columns, and what follows selects among 12"),
    (
        make_pipeline(SelectKBest(f_regression, k=2), Doubling()),
        "the step SelectKBest passes on 2 columns, and what follows selects among 4",
    ),
]


@pytest.mark.parametrize(("step", "message"), CHANGES)
def test_a_step_that_makes_columns_of_its_own_is_refused(step, message):
    X, Y = simulate(30, 6, 1)
    with pytest.raises(ValueError, match=message):
        selection_frequencies(make_pipeline(step, GROUP_LASSO), X, Y[:, 0], 2)


# Weights


def test_weights_go_with_their_rows():
    X, Y = simulate(40, 8, 2)
    s = np.random.default_rng(0).exponential(size=40) ** 2
    options = {"random_state": 0, "sample_weight": s}
    for resampling in ("half", "bootstrap"):
        rows = rows_of(unlabelled(40), 8, resampling)
        found = selection_frequencies(GROUP_LASSO, X, Y, 8, resampling=resampling, **options)
        np.testing.assert_array_equal(found, slowly(GROUP_LASSO, X, Y, rows, s))
        assert (found != slowly(GROUP_LASSO, X, Y, rows)).any()
    found = selection_frequencies(GROUP_LASSO, X, Y, 8, **options)
    # Only the last step gets them; a nested one too.
    identity = FunctionTransformer()
    for pipeline in (
        make_pipeline(identity, GROUP_LASSO),
        make_pipeline(identity, make_pipeline(identity, GROUP_LASSO)),
    ):
        np.testing.assert_array_equal(
            selection_frequencies(pipeline, X, Y, 8, **options | {"sample_weight": list(s)}), found
        )


def test_rows_of_weight_zero_are_left_out():
    X, Y = simulate(40, 8, 2)
    s = np.arange(40) % 4.0
    X[s == 0] *= 100
    kept = s > 0
    options = {"n_resamples": 9, "random_state": 0}
    found = selection_frequencies(GROUP_LASSO, X, Y, sample_weight=s, **options)
    without = selection_frequencies(
        GROUP_LASSO, pd.DataFrame(X[kept]), Y[kept], sample_weight=s[kept], **options
    )
    np.testing.assert_array_equal(found, without)
    assert some_of_each(found)


def test_with_metadata_routing_weights_go_where_they_are_requested():
    X, Y = simulate(40, 8, 2)
    s = np.random.default_rng(0).exponential(size=40) ** 2
    options = {"random_state": 0, "sample_weight": s}
    expected = selection_frequencies(GROUP_LASSO, X, Y, 8, **options)
    with sklearn.config_context(enable_metadata_routing=True):
        found = selection_frequencies(GROUP_LASSO, X, Y, 8, **options)
        np.testing.assert_array_equal(found, expected)
        asked = clone(GROUP_LASSO).set_fit_request(sample_weight=True)
        pipeline = make_pipeline(FunctionTransformer(), asked)
        found = selection_frequencies(pipeline, X, Y, 8, **options)
        np.testing.assert_array_equal(found, expected)
        silent = make_pipeline(StandardScaler(), GROUP_LASSO)
        with pytest.raises(UnsetMetadataPassedError, match="sample_weight"):
            selection_frequencies(silent, X, Y, 8, **options)


# What is said


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
    said = rf"^{short} of 8 fits warned; that to resample [1-8]: GroupLassoRegressor did not conv"
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
    """Warns as shrinklin does, twice in every fit, and of something else from the third on."""

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
        (UserWarning, "5 of 5 fits warned; that to resample 1: always, 0"),
        (RuntimeWarning, "3 of 5 fits warned; that to resample 3: late"),
    ]


class Foreign(BaseEstimator):
    """Warns as others do."""

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
        assert said == ["4 of 4 fits warned; that to resample 1: 10 rows"]
    else:
        assert said == ["10 rows", "10 rows", "11 rows", "11 rows"]


class Waiting(Listener):
    """Says that its fit has begun, and ends it when it is told to."""

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
    """What two calls warn of, of which the second begins in the first and ends after it."""
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
        "1 of 1 fits warned; that to resample 1: first",
        "second, as others do",
        "1 of 1 fits warned; that to resample 1: second",
    ]


@contextmanager
def replaces_the_hook_of_all():
    log = []
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.showwarning = lambda message, category, *_: log.append((category, str(message)))
        yield log


def test_collecting_by_a_hook_is_rejected(monkeypatch):
    monkeypatch.setattr(stability, "collected", replaces_the_hook_of_all)
    with pytest.raises(AssertionError):
        said_by_overlapping_calls()


def test_a_class_of_one_row_is_warned_of():
    X, _ = simulate(21, 3, 1)
    y = np.repeat(["a", "b", "c"], [10, 10, 1])
    with pytest.warns(UserWarning, match=r"classes \['c'\] of y have one row each"):
        selection_frequencies(GroupLassoClassifier(), X, y, 4, random_state=0)
    model = GroupLassoClassifier(1e-3)
    selection_frequencies(model, X, y, 4, resampling="bootstrap", random_state=0)


def test_a_class_of_one_row_is_warned_of_where_a_fit_raises():
    X, _ = simulate(11, 3, 1)
    y = np.repeat(["a", "b"], [10, 1])
    with (
        pytest.warns(UserWarning, match=r"classes \['b'\] of y have one row each") as caught,
        pytest.raises(ValueError, match="y has one class"),
    ):
        selection_frequencies(GroupLassoClassifier(), X, y, 4, random_state=0)
    assert caught[0].filename == __file__


def test_an_error_in_a_later_fit_is_of_that_resample():
    with pytest.raises(KeyError) as caught:
        selection_frequencies(Listener([], fails_at=3), *simulate(20, 3, 2), 5)
    assert caught.value.__notes__ == ["This was the fit to resample 3 of 5, of 10 of 20 rows."]


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


# After it the processes begin anew, which takes a while: the last that needs two.
@pytest.mark.parametrize("n_jobs", [1, 2])
def test_an_error_of_a_fit_says_which_resample(n_jobs):
    X, Y = simulate(21, 3, 2)
    with pytest.raises(ValueError, match="alpha=-1: give a finite number >= 0") as caught:
        selection_frequencies(GroupLassoRegressor(-1), X, Y, 3, n_jobs=n_jobs)
    (note,) = caught.value.__notes__
    assert note in {
        f"This was the fit to resample {k} of 3, of {size} of 21 rows."
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
    "one row": ({"X": [[1.0]], "y": [1.0]}, ValueError, "X has 1 row: give 2 or more"),
    "lengths": ({"y": np.ones(3)}, ValueError, r"\[20, 3\]: give X, y and sample_weight the same"),
    "weights": ({"sample_weight": np.ones(3)}, ValueError, r"\[20, 20, 3\]: give X, y and"),
    "weight": (
        {"sample_weight": np.eye(20)[3]},
        ValueError,
        "X has 1 row of weight > 0: give 2 or more",
    ),
    "one weight": ({"sample_weight": 2.0}, ValueError, r"sample_weight has shape \(\): give one"),
    "negative": ({"sample_weight": -np.ones(20)}, ValueError, "sample_weight has 20 negative"),
    "no weights": (
        {"estimator": SelectKBest(k=1), "sample_weight": np.ones(20)},
        TypeError,
        "fit of SelectKBest takes none",
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


# The picture


def lines_below(display):
    return display.ax_.get_xlabel().split("\n")


def test_the_display_draws_the_most_frequent_features():
    shares = [0.2, 1, 0.75, 0, 0.75, 0.125]
    display = StabilityDisplay(shares, feature_names=list("abcdef"), name="title")
    display.plot(n_shown=4, threshold=0.75)
    assert [bar.get_width() for bar in display.bars_] == [1, 0.75, 0.75, 0.2]
    labels = [label.get_text() for label in display.ax_.get_yticklabels()]
    assert labels == ["b", "c", "e", "a"]
    colours = [bar.get_facecolor() for bar in display.bars_]
    assert colours[0] == colours[1] == colours[2] != colours[3]
    top, bottom = (display.bars_[k].get_y() for k in (0, 3))
    assert display.ax_.yaxis_inverted()
    assert top < bottom
    (line,) = display.ax_.get_lines()
    assert list(line.get_xdata()) == [0.75, 0.75]
    assert line.get_linestyle() == "--"
    assert lines_below(display)[1:] == [
        "dashed: 0.75, reached by 3 of 6 features",
        "not shown: 2 features, each with at most 0.125",
    ]
    assert display.ax_.get_title() == "title"
    assert display.figure_ is display.ax_.figure


def test_the_display_says_no_more_than_there_is():
    _, ax = plt.subplots()
    display = StabilityDisplay([0.5, 0.25]).plot(ax)
    assert display.ax_ is ax
    assert display.ax_.get_lines() == []
    assert lines_below(display) == ["share of the fits that keep a feature"]
    labels = [label.get_text() for label in display.ax_.get_yticklabels()]
    assert labels == ["feature 0", "feature 1"]


def test_many_bars_get_a_taller_figure():
    shares = np.linspace(0, 1, 80)
    plain, tall = (StabilityDisplay(shares).plot(n_shown=n).figure_ for n in (20, 80))
    assert tall.get_figheight() > 3 * plain.get_figheight()


def test_from_estimator_takes_names_and_options():
    X, Y = simulate(40, 3, 2)
    frame = pd.DataFrame(X, columns=["height", "width", "depth"])
    pipeline = make_pipeline(StandardScaler(), GROUP_LASSO)
    options = {"n_resamples": 6, "resampling": "bootstrap", "random_state": 0}
    _, ax = plt.subplots()
    display = StabilityDisplay.from_estimator(
        pipeline, frame, Y, ax=ax, n_shown=2, threshold=0.9, **options
    )
    np.testing.assert_array_equal(
        display.frequencies, selection_frequencies(pipeline, frame, Y, **options)
    )
    assert display.ax_ is ax
    assert display.ax_.get_title() == "GroupLassoRegressor"
    labels = {label.get_text() for label in display.ax_.get_yticklabels()}
    assert labels < {"height", "width", "depth"}
    assert len(lines_below(display)) == 3


def test_bad_input_of_the_display_is_named(monkeypatch):
    for shares in ([0.5, 1.5], [np.nan], [[0.5]], 0.5, [-0.1]):
        with pytest.raises(ValueError, match="give a 1-D array of shares between 0 and 1"):
            StabilityDisplay(shares)
    with pytest.raises(ValueError, match="feature_names has 1 entries, frequencies 2"):
        StabilityDisplay([0.5, 1], feature_names=["a"])
    # Before hundreds of fits, not after.
    monkeypatch.setattr("shrinklin.display.stability.selection_frequencies", None)
    for draw in (
        StabilityDisplay([0.5]).plot,
        lambda **kw: StabilityDisplay.from_estimator(GROUP_LASSO, None, None, **kw),
    ):
        with pytest.raises(ValueError, match=r"threshold=1.5: give a share between 0 and 1"):
            draw(threshold=1.5)
        with pytest.raises(ValueError, match="n_shown=0: give a whole number >= 1"):
            draw(n_shown=0)
