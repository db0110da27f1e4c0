"""The estimator of the recipe "Add a penalty"."""

from shrinklin.penalties.half import Half

from shrinklin.estimators.regressors import GroupLassoRegressor
from shrinklin.problem.formulations import PlainFormulation


class HalfRegressor(GroupLassoRegressor):
    """Linear regression with the ℓ_{1/2} penalty of a feature's coefficients."""

    def _formulation(self):
        return PlainFormulation(Half())
