from benchmarks.own_solver import OwnSolver
from shrinklin import ShrinkNetClassifier, ShrinkNetRegressor


class Solver(OwnSolver):
    """This repository's ShrinkNet, with its search from both ends."""

    name = "shrinklin ShrinkNet"
    penalties = ("bridge",)
    regressor, classifier = ShrinkNetRegressor, ShrinkNetClassifier
