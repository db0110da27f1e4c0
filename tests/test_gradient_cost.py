"""What gradient training counts: features alive, updates and multiply-adds."""

import numpy as np
import pytest
from scipy import sparse
from sklearn.base import is_classifier

from problems import simulate, simulate_classes
from shrinklin import (
    GroupLassoRegressor,
    ShrinkNetRegressor,
    SignVariance,
)
from trainings import every_shrinknet, fit


class Recorder(SignVariance):
    """SignVariance that keeps the number of features alive at every step."""

    def dead(self, watched):
        self.steps.append((watched.epoch, len(watched.gate)))
        return super().dead(watched)


def recorder(gamma=0.9):
    removal = Recorder(gamma)
    removal.steps = []
    return removal


@every_shrinknet
@pytest.mark.parametrize("wide", [False, True])
def test_counts_of_full_batches(estimator, wide):
    n, p = (25, 40) if wide else (60, 12)
    X, y = (simulate_classes if is_classifier(estimator) else simulate)(n, p, 3)
    model = fit(estimator, X, y, removal=SignVariance(0.8), alpha=0.2)
    history, cost, q = model.history_, model.cost_, 3
    alive = [int(k) for k in history["n_alive"]]
    assert alive[-1] < p
    moments = not wide and not is_classifier(estimator)
    products = [k * k * q if moments else 2 * n * k * q for k in alive]
    # X'X and X'Y are computed once.
    products[0] += n * p * (p + q) if moments else 0
    assert cost.epochs == model.n_iter_ == len(alive) - 1 == 100
    assert cost.neuron_epochs == sum(alive[:-1])
    assert cost.parameter_updates == sum(k * q + k + q for k in alive[:-1])
    assert cost.multiply_adds == sum(products)
    np.testing.assert_array_equal(history["epoch"], np.arange(101))
    np.testing.assert_array_equal(history["neuron_epochs"], np.cumsum([0, *alive[:-1]]))
    updates = np.cumsum([0, *(k * q + k + q for k in alive[:-1])])
    np.testing.assert_array_equal(history["parameter_updates"], updates)
    np.testing.assert_array_equal(history["multiply_adds"], np.cumsum(products))
    falls = {e: alive[e - 1] - alive[e] for e in range(1, 101) if alive[e - 1] > alive[e]}
    assert dict(cost.removals) == falls
    assert len(cost.removals) == len(falls)


@every_shrinknet
def test_counts_of_minibatches(estimator):
    removal = recorder(0.95)
    model = fit(estimator, removal=removal, alpha=0.2, batch_size=16, max_epochs=40)
    cost, history, q, n = model.cost_, model.history_, 3, 60
    assert model.history_["n_alive"][-1] < 12
    assert len(removal.steps) == 40 * 4  # batches of 16, 16, 16 and 12
    sizes = [16, 16, 16, 12] * 40
    measured = sum(int(k) * n * q for k in history["n_alive"])
    stepped = sum(2 * k * rows * q for (_, k), rows in zip(removal.steps, sizes, strict=True))
    assert cost.multiply_adds == measured + stepped
    assert cost.parameter_updates == sum(k * q + k + q for _, k in removal.steps)
    assert cost.neuron_epochs == history["n_alive"][:-1].sum()
    assert sum(k for _, k in cost.removals) == 12 - history["n_alive"][-1]
    for epoch in range(1, 41):
        gone = sum(k for e, k in cost.removals if e == epoch)
        assert gone == history["n_alive"][epoch - 1] - history["n_alive"][epoch]
    for name in ("neuron_epochs", "parameter_updates", "multiply_adds"):
        assert history[name][-1] == getattr(cost, name)
        assert (np.diff(history[name]) > 0).all()


def test_counts_of_group_lasso_and_groups():
    X, Y = simulate(60, 12, 3)
    groups = np.repeat([0, 1, 2, 3], 3)
    lasso = fit(GroupLassoRegressor(), X, Y, groups=groups, random_state=0, max_epochs=7)
    assert lasso.cost_.parameter_updates == 7 * (12 * 3 + 3)
    shrinknet = fit(ShrinkNetRegressor(), X, Y, groups=groups, random_state=0, max_epochs=7)
    assert shrinknet.cost_.parameter_updates == 7 * (12 * 3 + 4 + 3)
    assert shrinknet.cost_.neuron_epochs == 7 * 12


def test_sparse_products_count_entries():
    X, Y = simulate(30, 40, 3)
    X[np.abs(X) < 1] = 0
    model = fit(ShrinkNetRegressor(), sparse.csr_array(X), Y, random_state=0, max_epochs=5)
    assert model.cost_.multiply_adds == 6 * 2 * np.count_nonzero(X) * 3


@pytest.mark.filterwarnings("ignore:(?s).*above that of a model without features")
def test_without_an_intercept_it_is_not_updated():
    X, Y = simulate(60, 12, 3)
    model = ShrinkNetRegressor(fit_intercept=False)
    model = fit(model, X, Y, max_epochs=1, learning_rate=1e-6, random_state=3)
    assert model.cost_.parameter_updates == 12 * 3 + 12
