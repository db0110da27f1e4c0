import numpy as np
from skglm.datafits import QuadraticMultiTask
from skglm.penalties import L2_1
from skglm.solvers import MultiTaskBCD

from benchmarks.path_solver import PathSolver


class Solver(PathSolver):
    """skglm's block coordinate descent, along the path as its own `path` does."""

    name = "skglm"
    requirements = ["pip::skglm"]
    takes_sparse = True
    compiles = True

    def prepare(self, X, columns, Y):
        self.X, self.Y = columns, np.asfortranarray(Y)

    def solve(self, alphas, tol):
        # Its tolerance is absolute, of the units of alpha.
        solver = MultiTaskBCD(max_iter=1000, tol=tol * alphas[0], fit_intercept=False)
        datafit, penalty = QuadraticMultiTask(), L2_1(alphas[0])
        W = np.zeros((self.X.shape[1], self.Y.shape[1]))
        fitted = np.zeros(self.Y.shape, order="F")
        for alpha in alphas:
            penalty.alpha = alpha
            solver.p0 = max(solver.p0, np.count_nonzero(W[:, 0]))
            W = solver.solve(self.X, self.Y, datafit, penalty, W.copy(), fitted)[0]
            yield W
