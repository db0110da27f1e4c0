"""Modules under the names that they had in 0.1.0, so that models pickled then are read.

Pickles name the module of a class. New code imports from `shrinklin` itself.
"""

from shrinklin.data import moments
from shrinklin.estimators import base, classifiers, criterion, cv, regressors, stability
from shrinklin.gradient import descent, optimizers, parametrizations
from shrinklin.pruning import cost, removal
from shrinklin.selection import path

MOVED = {
    "shrinklin.base": base,
    "shrinklin.classifiers": classifiers,
    "shrinklin.cost": cost,
    "shrinklin.cv": cv,
    "shrinklin.information": criterion,
    "shrinklin.moments": moments,
    "shrinklin.path": path,
    "shrinklin.regressors": regressors,
    "shrinklin.removal": removal,
    "shrinklin.solvers.gradient_descent": descent,
    "shrinklin.solvers.optimizers": optimizers,
    "shrinklin.solvers.parametrizations": parametrizations,
    "shrinklin.stability": stability,
}
