"""Parametrizations where a group or a switch is zero: gradients, and steps through zero."""

from dataclasses import replace

import numpy as np
import pytest

from seven_features import (
    ALPHA,
    N_TARGETS,
    every_gate,
    every_loss,
    gated,
    generic,
    gradient_of,
    grouped_and_not,
    groups_of,
    plain,
    risk_of,
)

every_power = pytest.mark.parametrize("p", [1, 2, 1.5, 0.7])


def at_kinks(parametrization):
    """Half of the groups at zero, the others generic."""
    x = generic(parametrization)
    groups = parametrization.groups
    parametrization.weights(x)[groups.features(np.arange(0, len(groups), 2))] = 0
    return x


@grouped_and_not
@pytest.mark.parametrize("scale", [0.01, 0.5, 10.0])
def test_zero_groups_have_the_least_subgradient(groups, scale):
    # The subgradients are in_W + α ω u with ‖u‖ ≤ 1. The least of a convex set is the g with
    # ⟨g, v⟩ ≥ ‖g‖² for every v in the set.
    groups = groups_of(groups)
    lasso = plain(groups, 3)
    x = at_kinks(lasso)
    in_W, in_b = scale * np.random.default_rng(0).normal(size=(7, 3)), np.ones(3)
    gradient = lasso.weights(lasso.gradient(x, in_W, in_b))
    for g in range(0, len(groups), 2):
        members, strength = groups.features([g]), ALPHA * groups.weights[g]
        found, block = gradient[members], in_W[members]
        assert np.linalg.norm(found - block) <= strength + 1e-13
        least = np.vdot(found, block) - strength * np.linalg.norm(found)
        assert least >= np.linalg.norm(found) ** 2 * (1 - 1e-13) - 1e-13
        assert found.any() == (np.linalg.norm(block) > strength)
    # Groups that are not zero have their usual gradient.
    smooth = lasso.weights(plain(groups, 3).gradient(generic(lasso), in_W, in_b))
    others = groups.features(np.arange(1, len(groups), 2))
    np.testing.assert_array_equal(gradient[others], smooth[others])


@every_loss
@grouped_and_not
def test_it_is_the_direction_of_steepest_descent(name, groups):
    # A step of −ε g from x lowers a convex function by ε ‖g‖², to first order in ε.
    lasso = replace(plain(groups_of(groups), N_TARGETS[name]), alpha=0.02)
    risk, _ = risk_of(name)
    for x in (at_kinks(lasso), np.zeros(len(generic(lasso)))):
        gradient = gradient_of(lasso, risk, x)

        def objective(x):
            return risk.value(lasso.coefficients(x), lasso.intercept(x)) + lasso.penalty(x)

        fall = (objective(x) - objective(x - 1e-6 * gradient)) / 1e-6
        assert gradient @ gradient > 0.01
        assert fall == pytest.approx(gradient @ gradient, rel=1e-4)


@every_loss
@grouped_and_not
def test_where_the_penalty_is_too_strong_nothing_moves(name, groups):
    risk, _ = risk_of(name)
    groups = groups_of(groups)
    strong = replace(plain(replace(groups, weights=groups.weights + 0.1), N_TARGETS[name]), alpha=1)
    zero = np.zeros(len(generic(strong)))
    norms = groups.norms(risk.evaluate(strong.weights(zero), strong.intercept(zero))[1])
    for factor, moves in [(1.001, 0), (0.999, 1)]:
        alpha = factor * (norms / strong.groups.weights).max()
        gradient = gradient_of(replace(strong, alpha=alpha), risk, zero)
        assert strong.norms(gradient).astype(bool).sum() == moves


def stopped_by_hand(groups, old, new):
    """A group that turns by more than a right angle goes through zero."""
    for g in range(len(groups)):
        rows = range(groups.ptr[g], groups.ptr[g + 1])
        if sum(float(a * b) for j in rows for a, b in zip(old[j], new[j], strict=True)) < 0:
            for j in rows:
                new[j] = 0
    return new


@grouped_and_not
@pytest.mark.parametrize("seed", range(10))
def test_groups_carried_through_zero_stop_there(groups, seed):
    groups = groups_of(groups)
    lasso = plain(groups, 3)
    rng = np.random.default_rng(seed)
    x = rng.normal(size=len(generic(lasso)))
    # Group 0 is turned round, 1 moves at random, 2 was zero before, 3 moves on.
    moved = rng.normal(size=len(x))
    for g, factor in [(0, -0.5), (3, 2.0)]:
        rows = groups.features([g])
        lasso.weights(moved)[rows] = factor * lasso.weights(x)[rows]
    lasso.weights(x)[groups.features([2])] = 0
    lasso.intercept(moved)[:] = -lasso.intercept(x)
    before, there = x.copy(), moved.copy()
    found = lasso.stopped(x, moved)
    expected = stopped_by_hand(groups, lasso.weights(x), lasso.weights(there).copy())
    np.testing.assert_array_equal(lasso.weights(found), expected)
    np.testing.assert_array_equal(lasso.intercept(found), lasso.intercept(there))
    np.testing.assert_array_equal(x, before)
    norms = lasso.norms(found)
    assert norms[0] == 0
    assert norms[2] > 0
    assert norms[3] > 0


@every_gate
def test_switches_go_through_zero(gate):
    parametrization = gated(groups_of(), 3, gate)
    x = generic(parametrization)
    np.testing.assert_array_equal(parametrization.stopped(x, -x), -x)


@grouped_and_not
def test_steps_of_the_group_lasso_end_at_zero_and_stay(groups):
    # Where R = 0, only the penalty acts.
    lasso = plain(groups_of(groups), 3)
    x = generic(lasso)
    start = x.copy()
    for _ in range(600):
        gradient = lasso.gradient(x, np.zeros((7, 3)), np.zeros(3))
        x = lasso.stopped(x, x - 0.05 * gradient)
    free = lasso.groups.weights == 0
    np.testing.assert_array_equal(lasso.norms(x) == 0, ~free)
    np.testing.assert_array_equal(lasso.norms(x)[free], lasso.norms(start)[free])


@every_gate
@every_power
def test_kinks_of_switches_and_powers_do_not_pull(gate, p):
    parametrization = gated(groups_of(), 3, gate, p)
    x = generic(parametrization)
    parametrization.switch(x)[:2] = 0
    parametrization.weights(x)[4:] = 0
    in_W = np.random.default_rng(0).normal(size=(7, 3))
    gradient = parametrization.gradient(x, in_W, np.zeros(3))
    assert np.isfinite(gradient).all()
    opened = np.repeat(parametrization.gate(x), [2, 3, 1, 1])[:, None]
    np.testing.assert_array_equal(parametrization.weights(gradient)[4:], (opened * in_W)[4:])
    products = (parametrization.weights(x) * in_W).sum(axis=1)
    expected = [products[:2].sum(), products[2:5].sum()] if gate == "switch" else [0, 0]
    np.testing.assert_allclose(parametrization.switch(gradient)[:2], expected, rtol=1e-14)
