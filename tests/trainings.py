"""Estimators trained by gradient descent, and how the tests fit and compare them."""

import numpy as np
import pytest
from sklearn.base import clone, is_classifier

from oracles import log_loss, squared_loss
from problems import simulate, simulate_classes
from shrinklin import (
    GradientDescent,
    GroupLassoClassifier,
    GroupLassoRegressor,
    ShrinkNetClassifier,
    ShrinkNetRegressor,
)

SHRINKNETS = [ShrinkNetRegressor(random_state=0), ShrinkNetClassifier(random_state=0)]
GROUP_LASSOS = [GroupLassoRegressor(random_state=0), GroupLassoClassifier(random_state=0)]
ESTIMATORS = SHRINKNETS + GROUP_LASSOS

_COLUMNS = ["epoch", "loss", "penalty", "n_alive"]
_COLUMNS += ["neuron_epochs", "parameter_updates", "multiply_adds"]


def name_of(estimator):
    return type(estimator).__name__


every_estimator = pytest.mark.parametrize("estimator", ESTIMATORS, ids=name_of)
every_shrinknet = pytest.mark.parametrize("estimator", SHRINKNETS, ids=name_of)
every_batch_size = pytest.mark.parametrize("batch_size", [None, 16])


def data_of(estimator):
    return simulate_classes(60, 12, 3) if is_classifier(estimator) else simulate(60, 12, 3)


def untrained(estimator, solver=None, **parameters):
    """A copy; keyword arguments are parameters of a new solver, or of the estimator."""
    of_solver = GradientDescent().get_params(deep=False)
    own = {k: parameters.pop(k) for k in list(parameters) if k not in of_solver}
    solver = GradientDescent(**{"max_epochs": 100, **parameters}) if solver is None else solver
    return clone(estimator).set_params(solver=solver, **own)


def fit(estimator, *data, **parameters):
    """`untrained`, fitted to the data, or to `data_of(estimator)`."""
    return untrained(estimator, **parameters).fit(*(data or data_of(estimator)))


def loss_of(model, X, y):
    loss = log_loss if is_classifier(model) else squared_loss
    return loss(X, y, model.coef_, model.intercept_)


def objective_of(model, X, y):
    """The objective by its formula, from the attributes; without groups and weights."""
    if not hasattr(model, "switch_"):
        return loss_of(model, X, y) + model.alpha * np.linalg.norm(model.coef_, axis=0).sum()
    p, decay = model.p, model.weight_decay
    decay = model.alpha * p**p / (p + 1) ** (p + 1) if decay is None else decay
    penalty = model.alpha * np.abs(model.switch_).sum()
    return loss_of(model, X, y) + penalty + decay * (np.abs(model.weight_) ** p).sum()


def objectives(model):
    return model.history_["loss"] + model.history_["penalty"]


def same_model(first, second):
    """Whether two models are equal to the last bit."""
    names = [n for n in ("coef_", "intercept_", "switch_", "weight_") if hasattr(first, n)]
    same = all(np.array_equal(getattr(first, n), getattr(second, n)) for n in names)
    return same and all(np.array_equal(first.history_[n], second.history_[n]) for n in _COLUMNS)
