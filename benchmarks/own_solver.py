"""What this repository's two solvers of the benchmark share."""

import numpy as np

from benchmarks.path_solver import PathSolver
from shrinklin import regularization_path


class OwnSolver(PathSolver):
    """A path of `regressor` or `classifier`."""

    losses = ("squared", "multinomial", "logistic")
    takes_sparse = True
    compiles = True

    def prepare(self, X, columns, Y):
        self.X = X
        if self.loss == "squared":
            self.Y, self.model = Y, self.regressor
        else:
            self.Y = np.argmax(Y, axis=1) if self.loss == "multinomial" else Y.ravel()
            self.model = self.classifier

    def solve(self, alphas, tol):
        model = self.model(fit_intercept=False, tol=tol, max_iter=100_000)
        return regularization_path(model, self.X, self.Y, alphas=alphas).coefs.transpose(0, 2, 1)
