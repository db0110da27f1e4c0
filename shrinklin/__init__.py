"""Sparse linear models for many targets that keep few features."""

from shrinklin.display import PathDisplay, TradeoffDisplay
from shrinklin.moments import Moments
from shrinklin.path import RegularizationPath, regularization_path
from shrinklin.regressors import GroupLassoRegressor, ShrinkNetRegressor
from shrinklin.solvers.coordinate_descent import CoordinateDescent

__version__ = "0.1.0"

__all__ = [
    "CoordinateDescent",
    "GroupLassoRegressor",
    "Moments",
    "PathDisplay",
    "RegularizationPath",
    "ShrinkNetRegressor",
    "TradeoffDisplay",
    "regularization_path",
]
