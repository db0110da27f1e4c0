"""oes97, the paper's data: what the toolkit is for, on the training error.

The data stand beside the repository and not in it: without them this skips.
"""

from pathlib import Path

import numpy as np
import pytest
from scipy.io import arff
from sklearn.preprocessing import StandardScaler

from shrinklin import GroupLassoRegressor, ShrinkNetRegressor, regularization_path

FILE = Path(__file__).parents[2] / "shared" / "data" / "multi_target" / "oes97.arff"

pytestmark = pytest.mark.skipif(not FILE.exists(), reason=f"{FILE.name} is not beside the project")

BUDGETS = [5, 10, 20, 50, 80]
# Training MSEs of an exact solver, within each budget of features.
GROUP_LASSO = [0.446, 0.336, 0.238, 0.173, 0.113]
SHRINKNET = [0.171, 0.137, 0.112, 0.074, 0.060]


def errors_within_budgets(estimator):
    rows = np.array([list(row) for row in arff.loadarff(FILE)[0]], dtype=float)
    assert rows.shape == (334, 279)
    table = StandardScaler().fit_transform(rows)
    X, Y = table[:, :-16], table[:, -16:]
    path = regularization_path(estimator, X, Y)
    assert (path.residuals <= estimator.tol).all()
    errors = path.mean_squared_errors(X, Y)
    return np.array([errors[path.n_selected <= budget].min() for budget in BUDGETS])


def test_group_lasso_on_oes97():
    # The same convex problem; which alphas the path meets decides the rest.
    np.testing.assert_allclose(errors_within_budgets(GroupLassoRegressor()), GROUP_LASSO, rtol=0.08)


def test_shrinknet_on_oes97_is_no_worse_than_stated():
    errors = errors_within_budgets(ShrinkNetRegressor())
    assert (errors <= np.array(SHRINKNET) * 1.03).all()
    assert (errors[:3] < 0.5 * np.array(GROUP_LASSO)[:3]).all()
