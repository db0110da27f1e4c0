"""Sparse linear models that keep few features, for many targets or many classes."""

import sys

from shrinklin import display
from shrinklin.data.moments import Moments
from shrinklin.display import *  # noqa: F403
from shrinklin.estimators.auto import AutoSparseClassifier, AutoSparseRegressor
from shrinklin.estimators.base import regularization_path
from shrinklin.estimators.classifiers import GroupLassoClassifier, ShrinkNetClassifier
from shrinklin.estimators.column_names import ByColumn
from shrinklin.estimators.criterion import InformationCriterion
from shrinklin.estimators.cv import (
    GroupLassoClassifierCV,
    GroupLassoRegressorCV,
    ShrinkNetClassifierCV,
    ShrinkNetRegressorCV,
)
from shrinklin.estimators.intervals import bootstrap_intervals, split_intervals
from shrinklin.estimators.regressors import GroupLassoRegressor, ShrinkNetRegressor
from shrinklin.estimators.stability import selection_frequencies
from shrinklin.estimators.summary import summary
from shrinklin.gradient.descent import GradientDescent
from shrinklin.moved import MOVED
from shrinklin.pruning.budget import Budget
from shrinklin.pruning.cost import CostMeter
from shrinklin.pruning.removal import Annealing, Removal, SignChange, SignVariance, Threshold
from shrinklin.selection.path import ClassificationPath, RegressionPath, RegularizationPath
from shrinklin.solvers.coordinate_descent import CoordinateDescent
from shrinklin.solvers.proximal_newton import ProximalNewton
from shrinklin.version import __version__ as __version__

sys.modules.update(MOVED)

__all__ = [
    "Annealing",
    "AutoSparseClassifier",
    "AutoSparseRegressor",
    "Budget",
    "ByColumn",
    "ClassificationPath",
    "CoordinateDescent",
    "CostMeter",
    "GradientDescent",
    "GroupLassoClassifier",
    "GroupLassoClassifierCV",
    "GroupLassoRegressor",
    "GroupLassoRegressorCV",
    "InformationCriterion",
    "Moments",
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
    "Threshold",
    "bootstrap_intervals",
    "regularization_path",
    "selection_frequencies",
    "split_intervals",
    "summary",
]
__all__ += display.__all__
