r"""The bridge identity: κ φ(w) is the least of λ|β| + λ₂‖a‖_p^p over w = βa."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar

from oracles import bridge
from shrinklin.factored import balanced_weight_decay, bridge_strength, split
from shrinklin.groups import Groups

positive = st.floats(0.01, 100)
powers = st.sampled_from([1, 2, 3, 0.5])


@given(lam=positive, lam2=positive, p=powers, size=st.floats(0.01, 10))
def test_strength_is_the_least_cost_of_a_split(lam, lam2, p, size):
    w = size * np.array([0.6, -0.8, 0.1])

    def cost(log_beta):
        beta = np.exp(log_beta)
        return lam * beta + lam2 * (np.abs(w / beta) ** p).sum()

    least = minimize_scalar(cost, bracket=(-2, 2), tol=1e-12).fun
    kappa = bridge_strength(lam, lam2, p)
    assert kappa * bridge(p)(w) == pytest.approx(least, rel=1e-8)
    for wrong in (1.01 * kappa, 0.99 * kappa):
        assert wrong * bridge(p)(w) != pytest.approx(least, rel=1e-3)


@given(lam=positive, lam2=positive, p=powers)
def test_split_attains_it(lam, lam2, p):
    W = np.array([[1.0, -2.0], [0.0, 0.0], [0.3, 0.0]])
    groups = Groups.from_labels(3)
    beta, A = split(W, groups, lam, lam2, p)
    np.testing.assert_allclose(beta[:, None] * A, W, rtol=1e-14)
    cost = lam * beta.sum() + lam2 * (np.abs(A) ** p).sum()
    kappa = bridge_strength(lam, lam2, p)
    assert cost == pytest.approx(kappa * sum(bridge(p)(row) for row in W), rel=1e-12)
    assert beta[1] == 0
    assert not A[1].any()


@given(lam=positive, p=powers)
def test_balanced_weight_decay_makes_strength_equal_alpha(lam, p):
    assert bridge_strength(lam, balanced_weight_decay(lam, p), p) == pytest.approx(lam, rel=1e-12)


def test_stated_constants():
    assert balanced_weight_decay(1.0, 2) == pytest.approx(4 / 27)
    assert balanced_weight_decay(1.0, 1) == pytest.approx(1 / 4)


def test_a_group_shares_its_switch():
    W = np.array([[1.0, 2.0], [0.5, 0.0], [3.0, 0.0]])
    groups = Groups.from_labels(3, [0, 0, 1])
    beta, A = split(W, groups, 1.0, 0.2, 2)
    assert beta[0] == beta[1] != beta[2]
    np.testing.assert_allclose(beta[:, None] * A, W)
