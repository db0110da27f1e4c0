"""Group lasso and ShrinkNet paths: one judge for every solver."""

import time

import numpy as np
from benchopt import BaseObjective
from benchopt.stopping_criterion import StoppingCriterion
from scipy import sparse

from benchmarks.judge import PENALTIES, Judge

# benchopt compares numbers: that of a path with an alpha missing.
_UNFINISHED = 1e3


class UntilAccurate(StoppingCriterion):
    """Asks for a tenth of the tolerance each time, until no more can be learnt from it.

    That is when the judge's grade is `enough`, when a path was not finished in time, or when the
    last tries were no better than what was there.
    """

    enough, least_tol, patience = 1e-9, 1e-19, 3

    def init_stop_val(self):
        return self.solver.first_tol

    def get_next_stop_val(self, stop_val):
        return stop_val / 10

    def check_convergence(self, runs):
        grades = [run["objective_value"] for run in runs]
        before = min(grades[: -self.patience], default=np.inf)
        stuck = min(grades[-self.patience :]) >= before
        last = runs[-1]["stop_val"] <= self.least_tol
        done = grades[-1] <= self.enough or grades[-1] >= _UNFINISHED
        return done or stuck or last, 0.5


class Objective(BaseObjective):
    """A solver gets data and a list of alphas, and gives coefficients for each of them.

    It never grades itself: see `benchmarks/judge.py`.
    """

    name = "Sparse rows"
    min_benchopt_version = "1.10"
    # limit: seconds that a run may take.
    parameters = {"penalty": list(PENALTIES), "limit": [60]}
    sampling_strategy = "tolerance"
    stopping_criterion = UntilAccurate(strategy="tolerance", key_to_monitor="value")
    test_config = {"dataset": {"name": "Digits"}}

    def skip(self, penalties=PENALTIES, missing=None, **data):
        if missing is not None:
            return True, missing
        if self.penalty not in penalties:
            return True, f"not a workload of {self.penalty}"
        return False, None

    def set_data(self, title, X, Y, loss, n_alphas, eps, penalties):
        self.workload = title + (", ShrinkNet" if self.penalty == "bridge" else "")
        self.floor_seconds = seconds_of_products(X, Y, loss)
        self.X = X
        # Whoever reads X by columns need not pay for turning it.
        self.columns = X.tocsc() if sparse.issparse(X) else np.asfortranarray(X)
        self.judge = Judge(self.columns, Y, loss, self.penalty)
        self.alphas = self.judge.alphas(n_alphas, eps)

    def __copy__(self):
        """benchopt copies it for every solver, and would have the data made anew each time."""
        copied = object.__new__(type(self))
        copied.__dict__.update(self.__dict__)
        return copied

    def get_objective(self):
        judge = self.judge
        return {
            "X": self.X,
            "columns": self.columns,
            "Y": judge.Y,
            "alphas": self.alphas,
            "loss": judge.loss,
            "penalty": judge.penalty,
            "limit": self.limit,
        }

    def evaluate_result(self, path, jit_seconds, note):
        grade = self.judge.grade(path, self.alphas)
        return {
            "workload": self.workload,
            "floor_seconds": self.floor_seconds,
            "value": min(grade.worst, _UNFINISHED),
            "worst": grade.worst,
            "objective": grade.objective,
            "rows": grade.rows,
            "finished": grade.finished,
            "n_alphas": len(self.alphas),
            "jit_seconds": jit_seconds,
            "note": note,
        }

    def get_one_result(self):
        W = np.zeros((self.X.shape[1], self.judge.Y.shape[1]))
        return {"path": [W] * len(self.alphas), "jit_seconds": 0.0, "note": ""}


def seconds_of_products(X, Y, loss, repeats=3):
    """Of what no solver can do without: X'Y, and X'X where it says all about the loss."""
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        X.T @ Y
        if loss == "squared" and X.shape[0] > X.shape[1]:
            X.T @ X
        seconds.append(time.perf_counter() - start)
    return min(seconds)
