"""Modules under their names of version 0.1.0, so that models pickled with it can be loaded.

A pickle contains the module name of each class. New code imports from `shrinklin` itself.
"""

from types import ModuleType

from shrinklin.data import moments
from shrinklin.estimators import base, classifiers, criterion, cv, regressors, stability
from shrinklin.gradient import descent, optimizers, parametrizations, stream, training
from shrinklin.pruning import cost, removal
from shrinklin.selection import path

# The classes of this module are now in three modules.
_GRADIENT_DESCENT = ModuleType("shrinklin.solvers.gradient_descent")
_CLASSES = [descent.GradientDescent, stream.Stream, training.Trained, training.Training]
vars(_GRADIENT_DESCENT).update({each.__name__: each for each in _CLASSES}, _Point=training.Point)

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
    "shrinklin.solvers.gradient_descent": _GRADIENT_DESCENT,
    "shrinklin.solvers.optimizers": optimizers,
    "shrinklin.solvers.parametrizations": parametrizations,
    "shrinklin.stability": stability,
}
