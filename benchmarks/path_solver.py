"""What all solvers of this benchmark share: the clock, the warm-up, and what they can solve."""

import signal
import time
import warnings
from abc import abstractmethod
from contextlib import contextmanager

import numpy as np
from benchopt import BaseSolver
from scipy import sparse

# Seconds that may pass until all is compiled.
_COMPILATION = 120


class PathSolver(BaseSolver):
    """Gives a W for one alpha after another, so that what a limit cuts off is still counted."""

    sampling_strategy = "tolerance"
    losses = ("squared",)
    penalties = ("group-lasso",)
    takes_sparse = False
    # Tolerances of packages differ in meaning: where to begin.
    first_tol = 1e-3
    most_features = np.inf
    # Whether it compiles on first use.
    compiles = False

    def skip(self, X, loss, penalty, **_):
        if penalty not in self.penalties:
            return True, f"no {penalty} penalty"
        if loss not in self.losses:
            return True, f"no {loss} loss with this penalty"
        if sparse.issparse(X) and not self.takes_sparse:
            return True, "takes dense X only"
        if X.shape[1] > self.most_features:
            return True, f"made for at most {self.most_features} features"
        return False, None

    def set_objective(self, X, columns, Y, alphas, loss, penalty, limit):
        self.alphas, self.loss, self.limit = alphas, loss, limit
        self.jit_seconds, self.failure = 0.0, ""
        try:
            if self.compiles:
                self.jit_seconds = self._seconds_of_compilation(columns, Y)
            self.prepare(X, columns, Y)
        except Exception as error:
            self.failure = _told(error)

    @abstractmethod
    def prepare(self, X, columns, Y):
        """Keep the data, in the layout that is best; not timed."""

    @abstractmethod
    def solve(self, alphas, tol):
        """Yield a W (n_features, n_targets) for each alpha."""

    def _seconds_of_compilation(self, columns, Y):
        """Solve a few rows and columns twice: what the first took longer was compilation."""
        wide = columns.shape[0] < columns.shape[1]
        few = columns[: 100 if wide else 300, : 300 if wide else 100]
        if sparse.issparse(few):
            self.prepare(few.tocsr(), few, Y[: few.shape[0]])
        else:
            self.prepare(np.ascontiguousarray(few), np.asfortranarray(few), Y[: len(few)])
        seconds = []
        for _ in range(2):
            start = time.perf_counter()
            self._follow(self.alphas, self.first_tol, _COMPILATION)
            seconds.append(time.perf_counter() - start)
        return max(seconds[0] - seconds[1], 0.0)

    def warm_up(self):
        """What has to be paged in, or is compiled for this size of data alone."""
        self._follow(self.alphas[: 3 if self.compiles else 1], self.first_tol, self.limit)

    def run(self, tol):
        self._follow(self.alphas, tol, self.limit)

    def _follow(self, alphas, tol, limit):
        self.path, self.note = [], self.failure
        if self.failure:
            return
        start = time.perf_counter()
        try:
            with _alarm(limit), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                for W in self.solve(alphas, tol):
                    self.path.append(W)
        except TimeOver:
            pass
        except Exception as error:  # a peer that fails is a result, too
            self.note = _told(error)
        # Some packages swallow the alarm, and hand over what they have.
        if len(self.path) < len(alphas) and not self.note:
            over = time.perf_counter() - start >= limit
            self.note = f"stopped after {limit:g} s" if over else "ended early"

    def get_result(self):
        # Paths are large, and benchopt keeps its solvers.
        path, self.path = self.path, []
        return {"path": path, "jit_seconds": self.jit_seconds, "note": self.note}


def _told(error):
    return f"{type(error).__name__}: {error}".splitlines()[0]


class TimeOver(BaseException):
    """No `Exception`: nothing between here and there is to catch it."""


@contextmanager
def _alarm(seconds):
    """Raise `TimeOver` in what runs longer, as soon as Python has its turn."""

    def ring(*_):
        raise TimeOver

    previous = signal.signal(signal.SIGALRM, ring)
    # Again every second: a destructor or a callback may swallow the first.
    signal.setitimer(signal.ITIMER_REAL, seconds, 1.0)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)
