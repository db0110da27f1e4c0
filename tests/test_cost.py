"""The cost meter: what it counts, and that every solver reports through it."""

import numpy as np
import pytest

from builders import CLASS_PROBLEMS
from problems import PROBLEMS, simulate
from shrinklin import (
    CoordinateDescent,
    CostMeter,
    GroupLassoClassifier,
    GroupLassoRegressor,
    ShrinkNetClassifier,
    ShrinkNetRegressor,
    kernels,
)
from shrinklin.data.design import Design
from shrinklin.solvers import coordinate_descent
from shrinklin.solvers.newton import NewtonSystem

ESTIMATORS = [
    GroupLassoRegressor(),
    GroupLassoRegressor(solver=CoordinateDescent(gram=False)),
    ShrinkNetRegressor(),
    ShrinkNetRegressor(p=1),
    GroupLassoClassifier(0.02),
    ShrinkNetClassifier(0.05),
]


class Tally:
    """What the inner loops are seen to do, from outside."""

    def __init__(self, monkeypatch):
        self.epochs = self.neuron_epochs = self.updates = 0
        gram, residual = kernels.gram_sweeps, kernels.residual_sweep
        monkeypatch.setattr(kernels, "gram_sweeps", self.sweeping(gram, lambda made: made))
        monkeypatch.setattr(kernels, "residual_sweep", self.sweeping(residual, lambda worst: 1))
        monkeypatch.setattr(NewtonSystem, "__init__", self.stepping(NewtonSystem.__init__))

    def sweeping(self, sweeps, how_many):
        def counted(prox, coef, *rest):
            returned = sweeps(prox, coef, *rest)
            n_targets, n_features = coef.shape
            for _ in range(how_many(returned)):
                self.seen(n_features, n_features * n_targets)
            return returned

        return counted

    def stepping(self, init):
        def counted(system, model, *rest):
            rows = [row for row in model.smooth if row.any()]
            self.seen(len(rows), sum(row.sum() for row in rows))
            init(system, model, *rest)

        return counted

    def seen(self, n_features, n_parameters):
        self.epochs += 1
        self.neuron_epochs += n_features
        self.updates += n_parameters


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=repr)
def test_exact_solvers_count_every_pass(estimator, monkeypatch):
    problem = CLASS_PROBLEMS if hasattr(estimator, "predict_proba") else PROBLEMS
    X, y = problem["correlated"]()
    tally = Tally(monkeypatch)
    cost = estimator.fit(X, y).cost_
    assert cost.epochs == tally.epochs > 0
    assert cost.neuron_epochs == tally.neuron_epochs
    assert cost.parameter_updates == tally.updates
    assert cost.multiply_adds > tally.updates
    assert cost.removals == []


def test_a_fit_counts_from_nothing():
    X, Y = simulate()
    model = GroupLassoRegressor()
    first, second = model.fit(X, Y).cost_, model.fit(X, Y).cost_
    assert first == second
    assert first is not second


def test_an_empty_model_costs_the_gram_matrix():
    X, Y = simulate(60, 12, 3)
    cost = GroupLassoRegressor(1e3).fit(X, Y).cost_
    assert cost == CostMeter(multiply_adds=60 * 12 * (12 + 3))


@pytest.mark.parametrize("alpha", [0.05, 0.3])
def test_products_with_the_data_are_counted(alpha, monkeypatch):
    # With residual updates, what is left besides products with X are those of blocks.
    X, Y = simulate(60, 12, 3)
    seen = []
    correlate, some, product = Design.correlate, Design.correlate_some, Design.product
    monkeypatch.setattr(
        Design, "correlate", lambda d, R: seen.append(12 * R.size) or correlate(d, R)
    )
    monkeypatch.setattr(
        Design,
        "correlate_some",
        lambda d, at, R: seen.append(len(at) * R.size) or some(d, at, R),
    )
    monkeypatch.setattr(
        Design,
        "product",
        lambda d, W: seen.append(60 * 3 * (W != 0).any(axis=1).sum()) or product(d, W),
    )
    monkeypatch.setattr(CostMeter, "count_sweeps", lambda *sizes: None)
    neighbours = coordinate_descent._products_of_neighbours
    monkeypatch.setattr(
        coordinate_descent,
        "_products_of_neighbours",
        lambda columns, ptr: seen.append(columns.size * len(columns)) or neighbours(columns, ptr),
    )
    solver = CoordinateDescent(gram=False)
    monkeypatch.setattr("shrinklin.solvers.coordinate_descent._QuadraticBlock.newton_step", never)
    cost = GroupLassoRegressor(alpha, solver=solver).fit(X, Y).cost_
    assert cost.multiply_adds == sum(seen) > 0


def never(block, tol):
    return False


def test_the_same_products_for_sparse_data_count_their_entries():
    from scipy import sparse

    X, Y = simulate(60, 12, 3)
    X = np.where(np.abs(X) > 1, X, 0.0)
    dense, thin = (
        Design(X, np.ones(60), np.arange(12)),
        Design(sparse.csr_array(X), np.ones(60), np.arange(12)),
    )
    for design in (dense, thin):
        design.correlate(Y)
    assert dense.cost.multiply_adds == 60 * 12 * 3
    assert thin.cost.multiply_adds == np.count_nonzero(X) * 3


def test_a_local_search_counts_all_its_descents():
    X, Y = PROBLEMS["correlated"]()
    searched = ShrinkNetRegressor(0.3).fit(X, Y)
    lasso = GroupLassoRegressor(0.3).fit(X, Y)
    assert searched.cost_.epochs > searched.n_iter_
    assert searched.cost_.multiply_adds > lasso.cost_.multiply_adds


def test_counts_are_whole_numbers_of_any_size():
    cost = CostMeter()
    cost.count_product(10**6, np.int32(10**6), 10**6)
    cost.count_factorisation(np.int32(3000))
    cost.count_sweeps(2, (5, 3), 7)
    cost.count_removal(4)
    assert cost == CostMeter(2, 10, 30, 10**18 + 9 * 10**9 + 14, [(2, 4)])


def test_meters_add_up_and_tell_what_came_after():
    first = CostMeter(3, 30, 300, 3000, [(2, 5)])
    first.include(CostMeter(1, 20, 400, 5000, [(1, 7)]))
    assert first == CostMeter(4, 50, 700, 8000, [(2, 5), (4, 7)])
    assert first.since(CostMeter(3, 30, 300, 3000)) == CostMeter(1, 20, 400, 5000)


def test_the_cost_is_that_of_the_fit_alone():
    # A model that keeps nothing warns, for which alpha_max is computed.
    X, Y = simulate(40, 5, 2)
    quiet = GroupLassoRegressor(alpha=10.0, solver=CoordinateDescent(gram=False)).fit(X, 1e-3 * Y)
    with pytest.warns(UserWarning, match="keeps no feature"):
        told = GroupLassoRegressor(solver=CoordinateDescent(gram=False)).fit(X, 1e-3 * Y)
    assert told.cost_ == quiet.cost_
