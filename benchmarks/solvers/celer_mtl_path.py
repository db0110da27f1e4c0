import numpy as np
from celer.homotopy import mtl_path

from benchmarks.path_solver import PathSolver


class Solver(PathSolver):
    """celer's working sets, by `mtl_path`: its estimator fails on scikit-learn 1.9.

    One call for the path, as the dual point goes with it from one alpha to the next; so a
    path that is stopped has no alpha finished.
    """

    name = "celer"
    requirements = ["pip::celer"]

    def prepare(self, X, columns, Y):
        self.X, self.Y = columns, np.asfortranarray(Y)

    def solve(self, alphas, tol):
        coefs = mtl_path(self.X, self.Y, alphas=alphas, tol=tol, max_iter=1000)[1]
        # (n_targets, n_features, n_alphas)
        return coefs.transpose(2, 1, 0)
