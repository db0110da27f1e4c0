"""Fits of several threads and processes at once are those of one, and leave nothing behind."""

import multiprocessing
import os
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from joblib import Parallel, delayed, parallel_config
from sklearn.base import clone
from threadpoolctl import ThreadpoolController

from problems import simulate
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
)
from shrinklin.blas import one_blas_thread

ROOT = Path(__file__).parents[1]
TRAINING = GradientDescent(max_epochs=50, tol=1e30, batch_size=10, removal=Threshold(0.01))
MODELS = [
    GroupLassoRegressor(0.5),
    ShrinkNetRegressor(0.5),
    GroupLassoClassifier(0.05),
    ShrinkNetClassifier(0.1),
    GroupLassoRegressor(0.5, solver=TRAINING, random_state=0),
    ShrinkNetRegressor(0.5, solver=TRAINING, random_state=0),
    GroupLassoClassifier(0.05, solver=TRAINING, random_state=0),
    ShrinkNetClassifier(0.1, solver=TRAINING, random_state=0),
    GroupLassoRegressorCV(4, cv=3),
    ShrinkNetRegressorCV([1.0, 0.5], cv=3),
    GroupLassoClassifierCV(4, cv=3),
    ShrinkNetClassifierCV([0.3, 0.2], cv=3),
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


# What follows runs in processes of its own: BLAS has two threads there to begin with, and what
# is forked has no threads of pytest's to wait for.


def run(check, *arguments):
    """Call a function of this file in a process that has this file as its script."""
    threads = {f"{name}_NUM_THREADS": "2" for name in ("OPENBLAS", "MKL", "BLIS", "OMP")}
    path = os.pathsep.join([str(ROOT), str(ROOT / "tests")])
    result = subprocess.run(
        [sys.executable, __file__, check.__name__, *arguments],
        capture_output=True,
        text=True,
        timeout=300,
        env=os.environ | threads | {"PYTHONPATH": path},
    )
    assert (result.returncode, result.stdout) == (0, "done\n"), result.stderr


def blas_threads():
    """Numbers of threads of the BLAS libraries that may have several."""
    libraries = ThreadpoolController().select(user_api="blas").info()
    # cvxpy brings one that was built without: it says 1 whatever it is told.
    return {lib["num_threads"] for lib in libraries if lib.get("threading_layer") != "disabled"}


def check_blas_after_fits():
    for model in MODELS:
        coefficients(model, 0)
        assert blas_threads() == {2}, model
    with pytest.raises(KeyError), one_blas_thread():
        raise KeyError
    assert blas_threads() == {2}


def check_blas_after_overlap():
    assert threads_after_overlap(one_blas_thread) == {2}
    assert threads_after_overlap(limit_that_restores_what_it_finds) == {1}


def threads_after_overlap(limit):
    """What two threads leave behind that hold `limit()`, the first to come leaving first."""
    entered, leave = threading.Event(), threading.Event()

    def first():
        with limit():
            entered.set()
            leave.wait(30)

    thread = threading.Thread(target=first)
    thread.start()
    entered.wait(30)
    with limit(), limit():
        assert blas_threads() == {1}
        leave.set()
        thread.join()
    return blas_threads()


def limit_that_restores_what_it_finds():
    """A mutant: the 1 that the other thread had set is kept for good."""
    return ThreadpoolController().limit(limits=1, user_api="blas")


@pytest.mark.parametrize("check", [check_blas_after_fits, check_blas_after_overlap])
def test_blas_has_the_threads_of_before(check):
    run(check)


def check_workers(kind):
    models = MODELS[:8]
    alone = [coefficients(model, 1) for model in models]
    backend = multiprocessing.get_context(kind) if kind in START_METHODS else kind
    found = Parallel(2, backend=backend)(delayed(coefficients)(model, 1) for model in models)
    np.testing.assert_array_equal(np.concatenate(found), np.concatenate(alone))


def check_workers_of_a_search(kind):
    search = GroupLassoClassifierCV(4, cv=3)
    alone = coefficients(search, 1)
    with parallel_config(backend=kind):
        np.testing.assert_array_equal(coefficients(search.set_params(n_jobs=2), 1), alone)
    assert blas_threads() == {2}


def check_fork_while_another_limits_blas():
    """A child in which the lock of `one_blas_thread` stays taken would wait for ever."""
    ends = time.monotonic() + 2

    def limit():
        while time.monotonic() < ends:
            with one_blas_thread():
                pass

    threads = [threading.Thread(target=limit) for _ in range(4)]
    for thread in threads:
        thread.start()
    while time.monotonic() < ends:
        child = os.fork()
        if child == 0:
            with one_blas_thread():
                os._exit(0)
        assert os.waitpid(child, 0)[1] == 0


START_METHODS = {"fork", "spawn"}.intersection(multiprocessing.get_all_start_methods())


@pytest.mark.parametrize("kind", ["loky", "threading", *sorted(START_METHODS)])
def test_workers_get_the_answers_of_one(kind):
    run(check_workers, kind)


@pytest.mark.parametrize("kind", ["loky", "threading", "multiprocessing"])
def test_workers_of_a_search_get_the_answers_of_one(kind):
    run(check_workers_of_a_search, kind)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="Nothing forks on this system.")
def test_what_is_forked_while_others_limit_blas_goes_on():
    run(check_fork_while_another_limits_blas)


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
    print("done")
