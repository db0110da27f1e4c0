"""Sparse linear models for many targets or many classes that keep few features."""

from shrinklin.base import regularization_path
from shrinklin.classifiers import GroupLassoClassifier, ShrinkNetClassifier
from shrinklin.cost import CostMeter
from shrinklin.cv import (
    GroupLassoClassifierCV,
    GroupLassoRegressorCV,
    ShrinkNetClassifierCV,
    ShrinkNetRegressorCV,
)
from shrinklin.display import (
    CostDisplay,
    CVDisplay,
    HistoryDisplay,
    InformationCriterionDisplay,
    PathDisplay,
    StabilityDisplay,
    TradeoffDisplay,
)
from shrinklin.information import InformationCriterion
from shrinklin.moments import Moments
from shrinklin.path import ClassificationPath, RegressionPath, RegularizationPath
from shrinklin.regressors import GroupLassoRegressor, ShrinkNetRegressor
from shrinklin.removal import Annealing, Removal, SignChange, SignVariance, Threshold
from shrinklin.solvers.coordinate_descent import CoordinateDescent
from shrinklin.solvers.gradient_descent import GradientDescent
from shrinklin.solvers.proximal_newton import ProximalNewton
from shrinklin.stability import selection_frequencies
from shrinklin.version import __version__ as __version__

__all__ = [
    "Annealing",
    "CVDisplay",
    "ClassificationPath",
    "CoordinateDescent",
    "CostDisplay",
    "CostMeter",
    "GradientDescent",
    "GroupLassoClassifier",
    "GroupLassoClassifierCV",
    "GroupLassoRegressor",
    "GroupLassoRegressorCV",
    "HistoryDisplay",
    "InformationCriterion",
    "InformationCriterionDisplay",
    "Moments",
    "PathDisplay",
    "ProximalNewton",
    "RegressionPath",
    "RegularizationPath",
    "Removal",
    "ShrinkNetClassifier",
    "ShrinkNetClassifierCV",
    "ShrinkNetRegressor",
    "ShrinkNetRegressorCV",
    "SignChange",
    "SignVariance",
    "StabilityDisplay",
    "Threshold",
    "TradeoffDisplay",
    "regularization_path",
    "selection_frequencies",
]
