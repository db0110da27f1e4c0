import logging
import os

# adelie sets it to TRUE where it is not set, which leaves one core to the whole process, and so to
# all solvers.
os.environ.setdefault("OMP_PROC_BIND", "false")

import adelie
import numpy as np
from scipy import sparse

from benchmarks.path_solver import PathSolver


class Solver(PathSolver):
    """adelie's `grpnet`.

    Its losses are divided by q, the number of targets or classes, and its penalty is multiplied
    by √q, the root of the size of a group: so its λ is α/(q√q). One thread is its default; two
    took 2 to 5 times as long on a machine that had other work. The weighted squares inside of
    the multinomial loss need few digits: with 1e-7 for them digits took 2.8 s, with 1e-10 4.5 s,
    to the same gap.
    """

    name = "adelie"
    requirements = ["pip::adelie"]
    parameters = {"n_threads": [1]}
    losses = ("squared", "multinomial", "logistic")
    takes_sparse = True
    # With its default, 1e-7, gaps stay above 1e-4.
    first_tol = 1e-8
    families = {
        "squared": adelie.glm.multigaussian,
        "multinomial": adelie.glm.multinomial,
        "logistic": adelie.glm.binomial,
    }

    def prepare(self, X, columns, Y):
        dense = not sparse.issparse(X)
        kind = adelie.matrix.dense if dense else adelie.matrix.sparse
        self.X = kind(columns, method="naive", n_threads=self.n_threads)
        target = Y.ravel() if self.loss == "logistic" else np.ascontiguousarray(Y)
        self.glm = self.families[self.loss](y=target, dtype=np.float64)
        self.shape = X.shape[1], Y.shape[1]

    def solve(self, alphas, tol):
        n_targets = self.shape[1]
        logging.getLogger().setLevel(logging.CRITICAL)  # else it logs that the limit stopped it
        state = adelie.grpnet(
            self.X,
            self.glm,
            lmda_path=alphas / (n_targets * np.sqrt(n_targets)),
            intercept=False,
            early_exit=False,
            tol=tol if self.loss == "squared" else np.sqrt(tol),
            irls_tol=tol,
            n_threads=self.n_threads,
            progress_bar=False,
        )
        for row in state.betas:
            yield row.toarray().reshape(self.shape)
