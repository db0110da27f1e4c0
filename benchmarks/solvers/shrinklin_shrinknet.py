import numpy as np

from benchmarks.path_solver import PathSolver
from shrinklin import ShrinkNetClassifier, ShrinkNetRegressor, regularization_path


class Solver(PathSolver):
    """This repository's ShrinkNet, with its search from both ends."""

    name = "shrinklin ShrinkNet"
    losses = ("squared", "multinomial", "logistic")
    penalties = ("bridge",)
    takes_sparse = True
    compiles = True

    def prepare(self, X, columns, Y):
        self.X = X
        if self.loss == "squared":
            self.Y, self.model = Y, ShrinkNetRegressor
        else:
            self.Y = np.argmax(Y, axis=1) if self.loss == "multinomial" else Y.ravel()
            self.model = ShrinkNetClassifier

    def solve(self, alphas, tol):
        model = self.model(fit_intercept=False, tol=tol, max_iter=100_000)
        return regularization_path(model, self.X, self.Y, alphas=alphas).coefs.transpose(0, 2, 1)
