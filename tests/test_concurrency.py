"""Fits of several threads and processes at once are those of one, and leave nothing behind."""

import multiprocessing
import threading
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import sklearn
from joblib import Parallel, delayed, parallel_config
from sklearn.base import clone
from threadpoolctl import ThreadpoolController

from problems import simulate
from processes import blas_threads, run
from shrinklin import (
    GradientDescent,
    GroupLassoClassifier,
    GroupLassoClassifierCV,
    GroupLassoRegressor,
    GroupLassoRegressorCV,
    ShrinkNetClassifier,
    ShrinkNetClassifierCV,
    ShrinkNetRegressor,
    ShrinkNetRegressorCV,
    Threshold,
    blas,
)
from shrinklin.blas import one_blas_thread
from shrinklin.messages import results

pytestmark = pytest.mark.untraced

TRAINING = GradientDescent(max_epochs=50, tol=1e30, batch_size=10, removal=Threshold(0.01))
MODELS = [
    GroupLassoRegressor(0.5),
    ShrinkNetRegressor(0.5),
    GroupLassoClassifier(0.05),
    ShrinkNetClassifier(0.2),
    GroupLassoRegressor(0.5, solver=TRAINING, random_state=0),
    ShrinkNetRegressor(0.5, solver=TRAINING, random_state=0),
    GroupLassoClassifier(0.05, solver=TRAINING, random_state=0),
    ShrinkNetClassifier(0.1, solver=TRAINING, random_state=0),
    GroupLassoRegressorCV(4, cv=2),
    ShrinkNetRegressorCV([0.2, 0.1], cv=2),
    GroupLassoClassifierCV(3, cv=2),
    ShrinkNetClassifierCV([0.15], cv=2),
]
N_THREADS = 8


def coefficients(model, seed):
    """All numbers that a fit to the data of that seed gives."""
    X, Y = simulate(30, 6, 3, 2, seed=seed)
    classifies = "Classifier" in type(model).__name__
    fitted = clone(model).fit(X, Y.argmax(axis=1) if classifies else Y)
    return np.concatenate([fitted.coef_.ravel(), np.atleast_1d(fitted.intercept_)])


# Threads


def assert_threads_agree(models):
    """Each of 8 threads fits all models, each to data of its own and in an order of its own."""
    orders = [[(i, seed) for i in np.roll(range(len(models)), seed)] for seed in range(N_THREADS)]
    alone = [[coefficients(models[i], seed) for i, seed in order] for order in orders]
    begin = threading.Barrier(N_THREADS)

    def work(order):
        begin.wait(30)
        return [coefficients(models[i], seed) for i, seed in order]

    with ThreadPoolExecutor(N_THREADS) as pool:
        together = list(pool.map(work, orders))
    for one, other in zip(alone, together, strict=True):
        np.testing.assert_array_equal(np.concatenate(one), np.concatenate(other))


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_eight_threads_get_the_answers_of_one():
    assert_threads_agree(MODELS)


class SharesRoom(GroupLassoRegressor):
    """A mutant that keeps the data of a fit where all fits see them."""

    room, pause = [], threading.Event()

    def fit(self, X, y):
        self.room[:] = [X, y]
        self.pause.wait(0.01)
        return super().fit(*self.room)


def test_fits_that_share_room_are_seen():
    with pytest.raises(AssertionError, match="not equal"):
        assert_threads_agree([SharesRoom(0.5)])


# What follows runs in processes of its own, in which BLAS has two threads to begin with.


def check_number_after_fits():
    for model in MODELS:
        coefficients(model, 0)
        assert blas_threads() == {2}, model


class Overlapping:
    """Two searches: the second begins while the first computes scores, and outlasts it."""

    def __init__(self):
        self.begun, self.ended, self.found = (
            [threading.Event() for _ in range(2)],
            threading.Event(),
            {},
        )

    def score_of_first(self, *_):
        self.begun[0].set()
        assert self.begun[1].wait(60)
        self.found.setdefault("first", blas_threads())
        return 0.0

    def score_of_second(self, *_):
        self.begun[1].set()
        assert self.ended.wait(60)
        self.found.setdefault("second", blas_threads())
        return 0.0

    def run(self):
        """What BLAS has in the first, in the second when the first has ended, and after both."""
        with ThreadPoolExecutor(1) as one, ThreadPoolExecutor(1) as other:
            first = one.submit(score_with, self.score_of_first)
            assert self.begun[0].wait(60)
            second = other.submit(score_with, self.score_of_second)
            first.result()
            self.ended.set()
            second.result()
        return self.found | {"after": blas_threads()}


def score_with(scoring):
    GroupLassoRegressorCV(3, cv=2, scoring=scoring).fit(*simulate(30, 6, 3, 2))


class RestoresOnLeaving:
    """A mutant: the limit of threadpoolctl, which each who leaves takes from all."""

    def held(self):
        return ThreadpoolController().limit(limits=1, user_api="blas")


def check_overlapping_searches():
    assert Overlapping().run() == {"first": {1}, "second": {1}, "after": {2}}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blas, "_LIMIT", RestoresOnLeaving())
        assert Overlapping().run()["second"] == {2}


def test_blas_has_one_thread_in_fits_and_two_after():
    run(check_number_after_fits, check_overlapping_searches)


def threads_in_worker():
    """What BLAS has in a worker before a limit, in it and after it."""
    before = blas_threads()
    with one_blas_thread():
        inside = blas_threads()
    return before, inside, blas_threads()


def check_workers():
    models, search = MODELS[:8:3], GroupLassoClassifierCV(4, cv=3)
    *alone, found_alone = [coefficients(model, 1) for model in [*models, search]]
    for kind, backend in BACKENDS.items():
        with Parallel(2, backend=backend) as workers:
            found = workers(delayed(coefficients)(model, 1) for model in models)
            numbers = workers(delayed(threads_in_worker)() for _ in range(4))
        np.testing.assert_array_equal(np.concatenate(found), np.concatenate(alone), kind)
        assert all(inside == {1} for _, inside, _ in numbers), kind
        # Threads that overlap see each other's limit.
        assert kind == "threading" or all(before == after for before, _, after in numbers), kind
        with parallel_config(backend=SEARCHES.get(kind, "sequential")):
            found = coefficients(clone(search).set_params(n_jobs=2), 1)
        np.testing.assert_array_equal(found, found_alone, kind)
        assert blas_threads() == {2}, kind


# Those that fork come first, while this process has no other threads.
START_METHODS = [
    kind for kind in ("fork", "spawn") if kind in multiprocessing.get_all_start_methods()
]
BACKENDS = {kind: multiprocessing.get_context(kind) for kind in START_METHODS}
BACKENDS |= {"loky": "loky", "threading": "threading"}
# A search forks its processes where joblib does.
SEARCHES = {"fork": "multiprocessing", "loky": "loky", "threading": "threading"}


def test_workers_get_the_answers_of_one():
    run(check_workers)


def surroundings():
    action, _, category, *_ = warnings.filters[0]
    return sklearn.get_config()["working_memory"], action, category


@pytest.mark.parametrize("backend", ["sequential", "threading", "loky"])
def test_workers_have_the_configuration_and_the_filters_of_warnings_of_the_caller(backend):
    with (
        parallel_config(backend=backend, n_jobs=2),
        sklearn.config_context(working_memory=77),
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("error", BytesWarning)
        filters = warnings.filters
        found = list(results([surroundings] * 3, 3, None, 0, "tasks", "task"))
        assert warnings.filters is filters
    assert found == [(77, "error", BytesWarning)] * 3
