"""What every loss owes to solvers: all of `Loss`, against one row computed in another way."""

import numpy as np
import pytest
from scipy.optimize import minimize

from builders import LOSSES, descend, every_loss, targets_of
from problems import simulate
from shrinklin.groups import Groups
from shrinklin.losses.squared import SquaredLoss
from shrinklin.objective.likelihood import Likelihood
from shrinklin.objective.objective import Objective
from shrinklin.penalties.group_lasso import GroupLasso


def points(loss):
    """Y, and Z near and far."""
    Y = targets_of(loss)
    spread = 10.0 ** np.random.default_rng(1).uniform(-1, 1, (len(Y), 1))
    return Y, spread * np.random.default_rng(2).normal(size=Y.shape)


def slow_values(loss, Y, Z):
    return np.array([LOSSES[loss](y, z) for y, z in zip(Y, Z, strict=True)])


def check_slopes(loss, values):
    Y, Z = points(loss)
    found, slopes, state = loss.look(Y, Z)
    np.testing.assert_allclose(found, values(Y, Z), rtol=1e-12, atol=1e-12)
    V = np.random.default_rng(3).normal(size=Z.shape)
    step = 1e-6
    slope = (values(Y, Z + step * V) - values(Y, Z - step * V)) / (2 * step)
    np.testing.assert_allclose((slopes * V).sum(axis=1), slope, rtol=1e-6, atol=1e-7)
    for one, other in zip(loss.evaluate(Y, Z), (found, slopes), strict=True):
        np.testing.assert_array_equal(one, other)
    bent = (loss.look(Y, Z + step * V)[1] - loss.look(Y, Z - step * V)[1]) / (2 * step)
    np.testing.assert_allclose(loss.hessian_product(state, V), bent, rtol=1e-5, atol=1e-7)


@every_loss
def test_values_slopes_and_curvature_are_those_of_a_row(loss):
    check_slopes(loss, lambda Y, Z: slow_values(loss, Y, Z))


def hessians(loss, state):
    """The Hessian of every row, column by column."""
    units = np.eye(state.shape[1])
    columns = [loss.hessian_product(state, np.tile(unit, (len(state), 1))) for unit in units]
    return np.stack(columns, axis=2)


@every_loss
def test_means_of_hessians_are_those_of_rows(loss):
    Y, Z = points(loss)
    state, weight = loss.look(Y, Z)[2], np.random.default_rng(4).dirichlet(np.ones(len(Y)))
    H = hessians(loss, state)
    mean = np.tensordot(weight, H, 1)
    diagonal, product = loss.mean_hessian_product(state, weight)
    np.testing.assert_allclose(diagonal, np.diagonal(mean), atol=1e-14)
    # Along what changes nothing that is predicted it may differ.
    v = loss.drop_common_shift(np.random.default_rng(5).normal(size=(1, Y.shape[1])))[0]
    np.testing.assert_allclose(product(v), mean @ v, atol=1e-14)
    solved = np.linalg.solve(loss.mean_hessian(state, weight), mean @ v)
    np.testing.assert_allclose(loss.drop_common_shift(solved[None])[0], v, atol=1e-10)
    values = np.linalg.eigvalsh(H)
    assert values.max() <= loss.curvature_bound * (1 + 1e-12)
    moving = np.linalg.matrix_rank(loss.drop_common_shift(np.eye(Y.shape[1])))
    np.testing.assert_allclose(loss.curvatures(state), values.sum(axis=1) / moving, atol=1e-14)


@every_loss
def test_no_other_constant_is_better(loss):
    Y, _ = points(loss)
    weight = np.random.default_rng(4).dirichlet(np.ones(len(Y)))

    def mean(z):
        return weight @ slow_values(loss, Y, np.tile(z, (len(Y), 1)))

    best = loss.constant(Y, weight)
    assert mean(best) <= minimize(mean, np.zeros(Y.shape[1]), tol=1e-12).fun + 1e-10


@every_loss
@pytest.mark.parametrize("scale", [0.0, 0.3, 0.9, 1.0])
def test_the_divergence_is_that_of_the_conjugate(loss, scale):
    Y, Z = (part[:12] for part in points(loss))
    slopes = loss.look(Y, Z)[1]
    found = loss.divergence(Y, Z, scale)
    for y, z, u, value in zip(Y, Z, scale * slopes, found, strict=True):

        def gap(other, y=y, z=z, u=u):
            """The conjugate's sup at `other`, plus ℓ(z) − ⟨u, z⟩."""
            return u @ other - LOSSES[loss](y, other) + LOSSES[loss](y, z) - u @ z

        # No point is above the sup, and one comes near it.
        reached = -minimize(lambda other, gap=gap: -gap(other), z, tol=1e-10).fun
        assert reached <= value + 1e-8
        assert value == pytest.approx(reached, rel=1e-3, abs=1e-4)


@every_loss
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_a_descent_ends_at_the_minimum(loss, fit_intercept):
    Y, X = targets_of(loss, 60), simulate(60, 8, 2)[0]
    X[:, :2] += Y[:, :1]
    s = np.random.default_rng(0).integers(0, 3, 60).astype(float)
    f = Likelihood(loss, X, Y, s, np.arange(8), fit_intercept)
    objective = Objective(f, GroupLasso(), Groups.from_labels(8), 1.0)
    objective = objective.at(0.5 * objective.strength_max())
    best = descend(objective, tol=1e-11)
    assert 0 < np.count_nonzero(best.W.any(axis=1)) < 8
    assert objective.duality_gap(best.W) <= 1e-9 * best.value

    def value(W, b):
        penalty = objective.strength * np.linalg.norm(W, axis=1).sum()
        return s @ slow_values(loss, Y, X @ W + b) / s.sum() + penalty

    assert best.value == pytest.approx(value(best.W, best.intercept), rel=1e-12)
    rng = np.random.default_rng(1)
    for size in 10.0 ** np.arange(-6, 1):
        W = best.W + size * rng.normal(size=best.W.shape)
        b = best.intercept + size * rng.normal(size=len(best.intercept)) * fit_intercept
        assert value(W, b) > best.value


@every_loss
@pytest.mark.parametrize("spread", [1.0, 100.0])
def test_features_without_penalty_come_to_their_minimum(loss, spread):
    # Far from its targets a loss may have no curvature at all.
    Y, X = targets_of(loss, 60), simulate(60, 3, 2)[0]
    if loss.attained:
        Y = spread * Y
    f = Likelihood(loss, X, Y, np.ones(60), np.arange(3), True)
    W = f.minimise(np.zeros((3, Y.shape[1])), np.arange(3))
    value, gradient = f.evaluate(W)
    scale = np.abs(f.C).max()
    assert np.abs(gradient).max() <= 1e-9 * scale

    def mean(parameters):
        W = parameters.reshape(4, -1)
        return slow_values(loss, Y, X @ W[1:] + W[0]).mean()

    start = np.vstack([f.intercept(W), W]).ravel()
    assert value == pytest.approx(mean(start), rel=1e-12)
    assert value <= minimize(mean, start, tol=1e-12).fun * (1 + 1e-12)
    objective = Objective(f, GroupLasso(), Groups.from_labels(3, None, [0.0, 0.0, 0.0]), 1.0)
    # Away from the minimum the certificate says so.
    away = np.zeros(W.shape)
    assert objective.duality_gap(away) >= (f.value_at_zero - value) * (1 - 1e-9)


@pytest.mark.parametrize("changed", ["values", "slopes", "state"])
def test_a_wrong_loss_is_rejected(changed):
    class Wrong(SquaredLoss):
        def look(self, Y, Z):
            values, slopes, state = super().look(Y, Z)
            parts = {"values": values, "slopes": slopes, "state": state}
            parts[changed] = 1.01 * parts[changed]
            return tuple(parts.values())

        evaluate = SquaredLoss.__base__.__base__.evaluate

    def values(Y, Z):
        return slow_values(next(iter(LOSSES)), Y, Z)

    with pytest.raises(AssertionError):
        check_slopes(Wrong(), values)
