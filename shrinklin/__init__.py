"""Sparse linear models for many targets or many classes that keep few features."""

from shrinklin.classifiers import GroupLassoClassifier, ShrinkNetClassifier
from shrinklin.display import PathDisplay, TradeoffDisplay
from shrinklin.moments import Moments
from shrinklin.path import (
    ClassificationPath,
    RegressionPath,
    RegularizationPath,
    regularization_path,
)
from shrinklin.regressors import GroupLassoRegressor, ShrinkNetRegressor
from shrinklin.solvers.coordinate_descent import CoordinateDescent
from shrinklin.solvers.proximal_newton import ProximalNewton

__version__ = "0.1.0"

__all__ = [
    "ClassificationPath",
    "CoordinateDescent",
    "GroupLassoClassifier",
    "GroupLassoRegressor",
    "Moments",
    "PathDisplay",
    "ProximalNewton",
    "RegressionPath",
    "RegularizationPath",
    "ShrinkNetClassifier",
    "ShrinkNetRegressor",
    "TradeoffDisplay",
    "regularization_path",
]
