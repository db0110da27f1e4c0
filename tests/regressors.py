"""The regressors that many tests are run with."""

import pytest

from shrinklin import CoordinateDescent, GroupLassoRegressor, ShrinkNetRegressor

ESTIMATORS = [GroupLassoRegressor(), ShrinkNetRegressor(), ShrinkNetRegressor(p=1)]
every_estimator = pytest.mark.parametrize("estimator", ESTIMATORS, ids=repr)
residual_updates = CoordinateDescent(gram=False)
