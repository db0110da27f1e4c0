"""The structured direction against the dense Hessian of the same function."""

import numpy as np
import pytest

from builders import build, every_penalty
from problems import simulate
from shrinklin.linear_systems import scaled_inverse, scaled_solve
from shrinklin.penalties.bridge1 import Bridge1
from shrinklin.penalties.bridge2 import Bridge2
from shrinklin.pruning.cost import CostMeter
from shrinklin.solvers.newton import NewtonSystem

LABELS = {"singletons": None, "groups": [0, 0, 1, 1, 1, 2]}


def dense_hessian(objective, model):
    """Hessian over the smooth entries of W, in C order, built entry by entry."""
    n_features, n_targets = objective.shape
    G = objective.smooth.block(np.arange(n_features))
    H = np.kron(G, np.eye(n_targets)) + np.diag(model.d.ravel())
    of = objective.groups.spread(np.arange(len(objective.groups)))
    for g, e in enumerate(model.e):
        u = (model.U * (of == g)[:, None]).ravel()
        H -= e * np.outer(u, u)
    smooth = model.smooth.ravel()
    return H[np.ix_(smooth, smooth)]


def setting(penalty, labels, strength):
    X, Y = simulate(40, 6, 3, correlation=0.5)
    objective = build(X, Y, penalty, strength=strength, labels=labels)
    W = np.random.default_rng(0).normal(size=objective.shape)
    W[objective.groups.spread(np.arange(len(objective.groups))) == 1] = 0
    if isinstance(penalty, Bridge1):
        W[0, 1] = W[5, 0] = 0
    model = penalty.curvature(W, objective.groups, objective.strengths)
    gradient = np.where(model.smooth, objective.smooth.gradient(W) + model.gradient, 0)
    system = NewtonSystem(model, objective.groups, objective.smooth.block, CostMeter())
    return objective, model, gradient, system.directions(gradient)


@pytest.mark.parametrize("labels", LABELS.values(), ids=LABELS)
@every_penalty
def test_solves_the_newton_system(penalty, labels):
    objective, model, gradient, (D, _) = setting(penalty, labels, strength=0.05)
    H = dense_hessian(objective, model)
    assert np.linalg.eigvalsh(H).min() > 0, "the setting should be convex around W"
    expected = np.zeros_like(D)
    expected[model.smooth] = -np.linalg.solve(H, gradient[model.smooth])
    np.testing.assert_allclose(D, expected, rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("labels", LABELS.values(), ids=LABELS)
def test_falls_back_to_majorise_minimise_where_indefinite(labels):
    objective, model, gradient, (D,) = setting(Bridge2(), labels, strength=50.0)
    assert np.linalg.eigvalsh(dense_hessian(objective, model)).min() < 0
    rows = model.smooth[:, 0]
    M = objective.smooth.block(np.flatnonzero(rows)) + np.diag(model.d[rows, 0])
    np.testing.assert_allclose(D[rows], -np.linalg.solve(M, gradient[rows]), rtol=1e-8)
    assert np.vdot(D, gradient) < 0


def test_inverse_of_rows_of_any_scale():
    rng = np.random.default_rng(0)
    A = rng.normal(size=(20, 5))
    scale = 10.0 ** np.array([-12, -6, 0, 6, 12])
    inverse = scaled_inverse((A * scale).T @ (A * scale))
    np.testing.assert_allclose(scale[:, None] * inverse * scale, np.linalg.inv(A.T @ A), rtol=1e-8)
    np.testing.assert_array_equal(inverse, inverse.T)


# Of each the Cholesky factorisation fails, with the diagonal raised by 1e-14 too.
NOT_DEFINITE = {
    "singular, but for rounding": np.ones((3, 3)) - 1e-13 * np.eye(3),
    "next to nothing": -1e-13 * np.eye(2),
    "nothing once raised": -1e-14 * np.eye(2),
    "rounding": np.array([[1.0, 1 + 1e-9], [1 + 1e-9, 1.0]]),
    "indefinite": np.array([[1.0, 3.0], [3.0, 1.0]]),
    "negative": -np.eye(2),
    "large": np.array([[1e300, 1e300], [1e300, -1e300]]),
}


@pytest.mark.parametrize("M", NOT_DEFINITE.values(), ids=NOT_DEFINITE)
def test_inverse_of_what_is_not_positive_definite_is(M):
    inverse = scaled_inverse(M)
    scale = 1 / np.sqrt(np.where(np.diagonal(M) > 0, np.diagonal(M), 1.0))
    scaled = inverse / np.outer(scale, scale)
    values = np.linalg.eigvalsh(scaled)
    assert values[0] > 0
    assert values[-1] <= 1.01e14
    np.testing.assert_array_equal(inverse, inverse.T)
    # Up to the signs of eigenvalues it is the inverse; the least is known to some 1e-15.
    sizes = np.abs(np.linalg.eigvalsh(M * np.outer(scale, scale) + 1e-14 * np.eye(len(M))))
    np.testing.assert_allclose(1 / values, np.sort(np.maximum(sizes, 1e-14))[::-1], rtol=0.05)
    C = np.arange(2.0 * len(M)).reshape(len(M), 2)
    np.testing.assert_allclose(scaled_solve(M, C), inverse @ C, rtol=1e-9)


def test_where_the_factorisation_works_a_solve_is_the_inverse_times_that():
    A = np.random.default_rng(0).normal(size=(9, 4)) * 10.0 ** np.array([-9, 0, 3, 6])
    C = A.T @ np.random.default_rng(1).normal(size=(9, 2))
    np.testing.assert_allclose(scaled_solve(A.T @ A, C), scaled_inverse(A.T @ A) @ C, rtol=1e-9)
    np.testing.assert_allclose(A.T @ A @ scaled_solve(A.T @ A, C), C, rtol=1e-9)


@pytest.mark.parametrize("entry", [np.nan, np.inf])
@pytest.mark.parametrize("at", [(0, 0), (0, 1)])
def test_what_is_not_finite_becomes_nan_and_raises_nothing(entry, at):
    M = np.eye(3)
    M[at] = M[at[::-1]] = entry
    with np.errstate(invalid="ignore"):
        assert np.isnan(scaled_inverse(M)[at])
        assert np.isnan(scaled_solve(M, np.ones((3, 1)))).any()


def test_nothing_is_the_inverse_of_nothing(capfd):
    assert scaled_inverse(np.empty((0, 0))).shape == (0, 0)
    assert capfd.readouterr() == ("", "")
