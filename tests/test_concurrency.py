"""Fits from several threads and processes at once are those of one, and leave nothing behind."""

import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from sklearn.base import clone
from threadpoolctl import threadpool_info, threadpool_limits

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
from shrinklin.path import one_blas_thread

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


def data_of(model, seed):
    X, Y = simulate(30, 6, 3, 2, seed=seed)
    return X, Y.argmax(axis=1) if "Classifier" in type(model).__name__ else Y


def coefficients(model, seed):
    """All numbers that a fit to the data of that seed gives."""
    fitted = clone(model).fit(*data_of(model, seed))
    return np.concatenate([fitted.coef_.ravel(), np.atleast_1d(fitted.intercept_)])


def assert_threads_agree(models):
    """Each of 8 threads fits all models, each to data of its own and in an order of its own."""
    jobs = [(i, seed) for seed in range(N_THREADS) for i in np.roll(range(len(models)), seed)]
    alone = [coefficients(models[i], seed) for i, seed in jobs]
    begin = threading.Barrier(N_THREADS)

    def work(mine):
        begin.wait(30)
        return [coefficients(models[i], seed) for i, seed in mine]

    size = len(models)
    shares = [jobs[k * size : (k + 1) * size] for k in range(N_THREADS)]
    with ThreadPoolExecutor(N_THREADS) as pool:
        together = [found for done in pool.map(work, shares) for found in done]
    for one, other in zip(alone, together, strict=True):
        # Not to the bit: products outside of the solvers may have more threads alone.
        np.testing.assert_allclose(one, other, rtol=1e-8, atol=1e-10)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_eight_threads_get_the_answers_of_one():
    assert_threads_agree(MODELS)


class SharesRoom(GroupLassoRegressor):
    """A mutant that keeps the data of a fit where all fits see them."""

    room = threading.Event(), []

    def fit(self, X, y):
        self.room[1][:] = [X, y]
        self.room[0].wait(0.01)
        return super().fit(*self.room[1])


def test_fits_that_share_room_are_seen():
    with pytest.raises(AssertionError, match="not equal"):
        assert_threads_agree([SharesRoom(0.5)])


# One thread for BLAS.


def blas_threads():
    """Numbers of threads of the BLAS libraries that may have several."""
    # cvxpy brings one that was built without: it says 1 whatever it is told.
    pools = [p for p in threadpool_info() if p["user_api"] == "blas"]
    return {p["num_threads"] for p in pools if p.get("threading_layer") != "disabled"}


def test_the_threads_of_blas_are_those_of_before():
    with threadpool_limits(2, "blas"):
        for model in MODELS:
            clone(model).fit(*data_of(model, 0))
            assert blas_threads() == {2}


def threads_after_overlap(limit):
    """What two threads leave behind that hold `limit()`, the first to come leaving first."""
    entered, leave = threading.Event(), threading.Event()

    def first():
        with limit():
            entered.set()
            leave.wait(10)

    with threadpool_limits(2, "blas"):
        thread = threading.Thread(target=first)
        thread.start()
        entered.wait(10)
        with limit(), limit():
            assert blas_threads() == {1}
            leave.set()
            thread.join()
        found = blas_threads()
        with pytest.raises(KeyError), limit():
            raise KeyError
        return found | blas_threads()


def test_threads_that_overlap_restore_the_threads_of_blas():
    # Limits that do not know of each other fail where BLAS keeps one number for all threads,
    # one that the last to leave lifts where it keeps one a thread.
    assert threads_after_overlap(one_blas_thread) == {2}


def test_a_limit_that_was_changed_meanwhile_is_set_again():
    with one_blas_thread(), threadpool_limits(2, "blas"), one_blas_thread():
        assert blas_threads() == {1}


# Processes. They begin from a process without threads of pytest's, which forks may not survive.

SCRIPT = """
import multiprocessing, os, sys
import numpy as np
from joblib import Parallel, delayed, parallel_config
from test_concurrency import MODELS, clone, coefficients, data_of
from shrinklin.path import _BLAS_LIMIT

def main(kind):
    models = MODELS[:8]
    expected = [coefficients(model, 1) for model in models]
    is_context = kind in multiprocessing.get_all_start_methods()
    backend = multiprocessing.get_context(kind) if is_context else kind
    found = Parallel(2, backend=backend)(delayed(coefficients)(model, 1) for model in models)
    np.testing.assert_allclose(np.concatenate(found), np.concatenate(expected), 1e-8, 1e-10)
    search = clone(MODELS[8]).set_params(n_jobs=2)
    with parallel_config(backend=kind if kind in ("loky", "threading") else "multiprocessing"):
        np.testing.assert_allclose(coefficients(search, 1), coefficients(MODELS[8], 1), 1e-8)
    if kind == "fork":
        fork_while_another_holds_the_lock()
    print("same", kind)

def fork_while_another_holds_the_lock():
    with _BLAS_LIMIT._lock:
        child = os.fork()
        if child == 0:
            coefficients(MODELS[0], 1)
            os._exit(0)
    assert os.waitpid(child, 0)[1] == 0

if __name__ == "__main__":
    main(sys.argv[1])
"""


@pytest.mark.parametrize("kind", ["loky", "threading", "fork", "spawn"])
def test_workers_of_joblib_get_the_answers_of_one(kind, tmp_path):
    if kind == "fork" and sys.platform == "win32":
        pytest.skip("Windows does not fork.")
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    tests = Path(__file__).parent
    path = f"sys.path[:0] = [{str(tests)!r}, {str(tests.parent)!r}]"
    script.write_text(f"import sys; {path}\n{SCRIPT}")
    result = subprocess.run(
        [sys.executable, script, kind], capture_output=True, text=True, timeout=120
    )
    assert result.stdout.split() == ["same", kind], result.stderr
