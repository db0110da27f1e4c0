"""What the toolkit is for: the training loss at every number of features.

oes97, the paper's data, and the gas sensors stand beside the repository and not in
it: without them those tests skip. The digits come with scikit-learn.
"""

from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.preprocessing import StandardScaler

import datasets
from shrinklin import (
    GradientDescent,
    GroupLassoClassifier,
    GroupLassoRegressor,
    ShrinkNetClassifier,
    ShrinkNetRegressor,
    SignVariance,
    regularization_path,
)

pytestmark = pytest.mark.untraced

DATA = Path(__file__).parents[2] / "shared" / "data"
OES97 = DATA / "multi_target" / "oes97.arff"
GAS = DATA / "gas_drift" / "gas_drift_z10.npz"


def needs(file):
    return pytest.mark.skipif(not file.exists(), reason=f"{file.name} is not beside the project")


BUDGETS = [5, 10, 20, 50, 80]
# Training MSEs of an exact solver, within each budget of features.
GROUP_LASSO = [0.446, 0.336, 0.238, 0.173, 0.113]
SHRINKNET = [0.171, 0.137, 0.112, 0.074, 0.060]


def oes97():
    data = datasets.load("oes97", data_home=DATA).standardized()
    return data.X, data.y


def errors_within_budgets(estimator):
    X, Y = oes97()
    path = regularization_path(estimator, X, Y)
    assert (path.residuals <= estimator.tol).all()
    errors = path.mean_squared_errors(X, Y)
    return np.array([errors[path.n_selected <= budget].min() for budget in BUDGETS])


@needs(OES97)
def test_group_lasso_on_oes97():
    # The same convex problem; which alphas the path meets decides the rest.
    np.testing.assert_allclose(errors_within_budgets(GroupLassoRegressor()), GROUP_LASSO, rtol=0.08)


@needs(OES97)
def test_shrinknet_on_oes97_is_no_worse_than_stated():
    errors = errors_within_budgets(ShrinkNetRegressor())
    assert (errors <= np.array(SHRINKNET) * 1.03).all()
    assert (errors[:3] < 0.5 * np.array(GROUP_LASSO)[:3]).all()


@needs(OES97)
def test_early_removal_on_oes97_saves_nine_tenths_at_little_loss():
    # The drafts average the squared error over samples and targets: α = λ_mse q/2.
    X, Y = oes97()
    penalty = {"alpha": 0.1 * 8, "weight_decay": 1e-8 * 8}

    def train(seed, removal):
        solver = GradientDescent(max_epochs=7000, removal=removal)
        model = ShrinkNetRegressor(**penalty, solver=solver, random_state=seed).fit(X, Y)
        return model.history_["loss"][-1], model

    ratios = []
    for seed in range(4):
        baseline, plain = train(seed, None)
        loss, pruned = train(seed, SignVariance(gamma=0.99, threshold=0.5))
        ratios.append(loss / baseline)
        assert pruned.cost_.neuron_epochs <= 0.1 * plain.cost_.neuron_epochs
        assert pruned.cost_.parameter_updates <= 0.1 * plain.cost_.parameter_updates
    assert np.mean(ratios) <= 1.05
    # And what both fall short of.
    exact = ShrinkNetRegressor(**penalty).fit(X, Y).objective_
    assert exact < 0.5 * min(plain.objective_, pruned.objective_)


def gas_sensors():
    """Every fifth measurement: 2782 rows, 128 features, 6 classes."""
    data = datasets.load("gas-drift-batches", data_home=DATA)
    return data.X[::5], data.y[::5]


def some_digits():
    """Every third: 599 rows, 64 features, 10 classes."""
    X, y = load_digits(return_X_y=True)
    return X[::3], y[::3]


@pytest.mark.parametrize(
    "load",
    [some_digits, pytest.param(gas_sensors, marks=needs(GAS))],
    ids=["digits", "gas sensors"],
)
def test_shrinknet_is_below_group_lasso_along_the_whole_path(load):
    X, y = load()
    X = StandardScaler().fit_transform(X)
    lasso, shrinknet = (
        regularization_path(model, X, y, alphas=15, eps=0.005)
        for model in (GroupLassoClassifier(), ShrinkNetClassifier())
    )
    losses, rivals = shrinknet.log_losses(X, y), lasso.log_losses(X, y)
    compared = 0
    for kept, loss in zip(shrinknet.n_selected, losses, strict=True):
        within = rivals[lasso.n_selected <= kept]
        if kept > 0:
            assert loss < within.min()
            compared += 1
    assert compared > 10
