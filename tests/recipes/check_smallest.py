"""Train with the new strategy."""

from problems import simulate
from shrinklin import GradientDescent, GroupLassoRegressor, ShrinkNetRegressor, Smallest

X, Y = simulate(60, 8, 2)
for estimator in (ShrinkNetRegressor, GroupLassoRegressor):
    solver = GradientDescent(removal=Smallest(3), max_epochs=20)
    model = estimator(alpha=1e-3, solver=solver, random_state=0).fit(X, Y)
    assert model.get_support().sum() == 3
    assert model.history_["n_alive"].tolist() == [8, 7, 6, 5, 4] + 16 * [3]
    assert model.cost_.removals == [(epoch, 1) for epoch in range(1, 6)]
