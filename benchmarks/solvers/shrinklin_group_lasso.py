from benchmarks.own_solver import OwnSolver
from shrinklin import GroupLassoClassifier, GroupLassoRegressor


class Solver(OwnSolver):
    """This repository's group lasso."""

    name = "shrinklin"
    regressor, classifier = GroupLassoRegressor, GroupLassoClassifier
