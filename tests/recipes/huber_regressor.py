"""The estimator of the recipe "Add a loss"."""

from shrinklin.losses.huber import Huber

from shrinklin.estimators.regressors import GroupLassoRegressor
from shrinklin.gradient.descent import GradientDescent
from shrinklin.problem.tasks import Regression
from shrinklin.solvers.proximal_newton import ProximalNewton


class HuberRegressor(GroupLassoRegressor):
    """Linear regression with the Huber loss, δ = ½, and a group lasso."""

    _solvers = (ProximalNewton, GradientDescent)

    def _task(self):
        return Regression(type(self).__name__, Huber(0.5))
