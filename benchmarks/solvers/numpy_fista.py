from benchmarks.fista import fista_path, smooth_of
from benchmarks.path_solver import PathSolver


class Solver(PathSolver):
    """Plain numpy: `benchmarks/fista.py`."""

    name = "numpy FISTA"
    losses = ("squared", "multinomial", "logistic")
    takes_sparse = True

    def prepare(self, X, columns, Y):
        self.X, self.Y = X, Y

    def solve(self, alphas, tol):
        yield from fista_path(smooth_of(self.X, self.Y, self.loss), alphas, tol)
