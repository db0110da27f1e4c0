import numpy as np
from sklearn.linear_model import MultiTaskLasso

from benchmarks.path_solver import PathSolver


class Solver(PathSolver):
    """Coordinate descent on X, warm-started from one alpha to the next."""

    name = "scikit-learn MultiTaskLasso"
    requirements = ["scikit-learn"]
    takes_sparse = True  # since 1.9

    def prepare(self, X, columns, Y):
        self.X, self.Y = columns, np.asfortranarray(Y)

    def solve(self, alphas, tol):
        model = MultiTaskLasso(
            fit_intercept=False, warm_start=True, copy_X=False, tol=tol, max_iter=1_000_000
        )
        for alpha in alphas:
            yield model.set_params(alpha=alpha).fit(self.X, self.Y).coef_.T.copy()
