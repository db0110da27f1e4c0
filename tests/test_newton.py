"""The structured direction against the dense Hessian of the same function."""

import numpy as np
import pytest

from builders import build
from problems import simulate
from shrinklin.cost import CostMeter
from shrinklin.linear_systems import scaled_inverse
from shrinklin.penalties import Bridge1, Bridge2, GroupLasso
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
@pytest.mark.parametrize("penalty", [GroupLasso(), Bridge2(), Bridge1()], ids=type)
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


def test_inverse_of_what_rounding_has_left_indefinite():
    M = np.array([[1.0, 1 + 1e-9], [1 + 1e-9, 1.0]])
    np.testing.assert_allclose(scaled_inverse(M) @ M, np.eye(2), atol=1e-4)
