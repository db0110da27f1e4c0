"""Parametrizations: coefficients and penalty of x, first draws, and x after a removal of groups."""

from dataclasses import replace

import numpy as np
import pytest

from seven_features import (
    ALPHA,
    by_hand,
    every_case,
    every_gate,
    generic,
    grouped_and_not,
    groups_of,
    labels_of,
    make,
    risk_of,
)
from shrinklin.gradient.parametrizations import GATES, PlainWeights
from shrinklin.groups import Groups


@every_case
@grouped_and_not
@pytest.mark.parametrize("n_targets", [1, 3])
def test_coefficients_and_penalty_are_what_the_formulas_say(gate, p, groups, n_targets):
    groups = groups_of(groups)
    parametrization = make(gate, p, groups, n_targets)
    for seed in range(3):
        x = generic(parametrization, seed)
        W, b, penalty = by_hand(x, groups, n_targets, gate, p)
        np.testing.assert_allclose(parametrization.coefficients(x), W, rtol=1e-15)
        np.testing.assert_array_equal(parametrization.intercept(x), b)
        assert parametrization.penalty(x) == pytest.approx(penalty, rel=1e-14)
        for wrong in (np.ones(len(groups)), groups.weights[::-1]):
            mutant = replace(parametrization, groups=replace(groups, weights=wrong))
            assert mutant.penalty(x) != pytest.approx(penalty, rel=1e-3)


def coefficients_with_zeros(groups, n_targets, seed=0):
    rng = np.random.default_rng(seed)
    W, b = rng.normal(size=(7, n_targets)), rng.normal(size=n_targets)
    W[groups.ptr[1] : groups.ptr[2]] = 0
    W[0, -1] = 0
    return W, b


@every_case
@grouped_and_not
@pytest.mark.parametrize("n_targets", [1, 3])
def test_from_factors_makes_their_product(gate, p, groups, n_targets):
    groups = groups_of(groups)
    parametrization = make(gate, p, groups, n_targets)
    A, b = coefficients_with_zeros(groups, n_targets)
    values = np.resize([-0.5, 0.0, 2.0, 0.3], len(groups))
    kept = values.copy(), A.copy(), b.copy()
    x = parametrization.from_factors(values, A, b)
    W = values[labels_of(groups)[0]][:, None] * A
    np.testing.assert_array_equal(parametrization.coefficients(x), W)
    np.testing.assert_array_equal(parametrization.intercept(x), b)
    if gate is not None:
        # Switches keep their size; filters cannot be negative.
        sizes = values if gate == "switch" else np.abs(values)
        np.testing.assert_array_equal(parametrization.switch(x), sizes)
        np.testing.assert_array_equal(np.abs(parametrization.weights(x)), np.abs(A))
    assert x.shape == parametrization.draw(np.random.RandomState(0)).shape
    x += 1.0
    for given, before in zip((values, A, b), kept, strict=True):
        np.testing.assert_array_equal(given, before)


@every_gate
@grouped_and_not
def test_stuck_is_what_no_gradient_moves(gate, groups):
    groups = groups_of(groups)
    parametrization = make(gate, 2, groups, 3)
    A, b = coefficients_with_zeros(groups, 3)
    values = np.resize([0.0, 0.0, 1.0, 1.0], len(groups))
    x = parametrization.from_factors(values, A, b)
    stuck = parametrization.stuck(x)
    expected = (values == 0) & (groups.norms(A) == 0)
    np.testing.assert_array_equal(stuck, expected)
    assert stuck.any()
    gradient = parametrization.gradient(x, np.ones(A.shape), np.ones(3))
    moved = parametrization.weights(gradient)[groups.spread(stuck)]
    assert not moved.any()
    assert not parametrization.switch(gradient)[stuck].any()


def test_nothing_is_stuck_without_switches():
    groups = groups_of()
    parametrization = PlainWeights(groups, 3, ALPHA)
    x = parametrization.from_factors(np.ones(len(groups)), *coefficients_with_zeros(groups, 3))
    assert not parametrization.stuck(x).any()


@every_case
@grouped_and_not
@pytest.mark.parametrize("members", [[0, 2], [1], [0, 1, 3], [0, 1, 2, 3]])
def test_keep_and_mask_take_out_the_other_groups(gate, p, groups, members):
    groups, members = groups_of(groups), np.array(members)
    whole = make(gate, p, groups, 3)
    x = generic(whole)
    features, mask, left = groups.features(members), whole.mask(members), whole.keep(members)
    kept = x[mask]
    assert mask.dtype == bool
    assert mask.sum() == 3 * len(features) + (0 if gate is None else len(members)) + 3
    assert left.n_features == len(features)
    assert len(left.groups) == len(members)
    np.testing.assert_array_equal(left.coefficients(kept), whole.coefficients(x)[features])
    np.testing.assert_array_equal(left.weights(kept), whole.weights(x)[features])
    np.testing.assert_array_equal(left.intercept(kept), whole.intercept(x))
    np.testing.assert_array_equal(left.gate(kept), whole.gate(x)[members])
    np.testing.assert_allclose(left.norms(kept), whole.norms(x)[members], rtol=1e-15)
    _, _, penalty = by_hand(kept, left.groups, 3, gate, p)
    assert left.penalty(kept) == pytest.approx(penalty, rel=1e-14)
    np.testing.assert_array_equal(left.groups.weights, groups.weights[members])
    risk, _ = risk_of("squared")
    in_W, in_b = risk.evaluate(whole.coefficients(x), whole.intercept(x))[1:]
    np.testing.assert_allclose(
        left.gradient(kept, in_W[features], in_b), whole.gradient(x, in_W, in_b)[mask], rtol=1e-13
    )


@every_case
@grouped_and_not
def test_keep_twice_is_keep_of_what_is_left(gate, p, groups):
    whole = make(gate, p, groups_of(groups), 3)
    x = generic(whole)
    first, second = np.array([0, 1, 3]), np.array([1, 2])
    once = whole.keep(first)
    twice, kept = once.keep(second), x[whole.mask(first)][once.mask(second)]
    at_once = np.array([1, 3])
    np.testing.assert_array_equal(kept, x[whole.mask(at_once)])
    np.testing.assert_array_equal(
        twice.coefficients(kept), whole.keep(at_once).coefficients(x[whole.mask(at_once)])
    )
    assert twice.penalty(kept) == whole.keep(at_once).penalty(kept)


@every_case
@grouped_and_not
def test_nothing_kept_leaves_the_intercept(gate, p, groups):
    whole = make(gate, p, groups_of(groups), 3)
    nothing = np.empty(0, dtype=int)
    x, mask = generic(whole), whole.mask(nothing)
    left = whole.keep(nothing)
    np.testing.assert_array_equal(x[mask], whole.intercept(x))
    assert left.coefficients(x[mask]).shape == (0, 3)
    assert left.penalty(x[mask]) == 0
    np.testing.assert_array_equal(left.gradient(x[mask], np.empty((0, 3)), np.ones(3)), np.ones(3))


def test_a_filter_is_open_above_zero_alone():
    theta = np.array([-2.0, -0.0, 0.0, 1e-300, 0.5, 3.0])
    np.testing.assert_array_equal(GATES["filter"].value(theta), [0, 0, 0, 1e-300, 0.5, 3])
    np.testing.assert_array_equal(GATES["filter"].slope(theta), [0, 0, 0, 1, 1, 1])


def test_a_switch_is_its_parameter():
    theta = np.array([-2.0, 0.0, 1e-300, 3.0])
    np.testing.assert_array_equal(GATES["switch"].value(theta), theta)
    np.testing.assert_array_equal(GATES["switch"].slope(theta), np.ones(4))


def test_draws_have_the_stated_distributions():
    # Five standard deviations of mean, and of standard deviation, of 20 000 draws.
    n, rng = 20_000, np.random.RandomState(0)
    switches, filters = (GATES[gate].draw(rng, n) for gate in ("switch", "filter"))
    assert switches.mean() == pytest.approx(0, abs=5 / n**0.5)
    assert switches.std() == pytest.approx(1, abs=5 / (2 * n) ** 0.5)
    assert (np.abs(switches) < 1).mean() == pytest.approx(0.683, abs=0.02)
    assert filters.min() >= 0
    assert filters.max() < 1
    for share in (0.25, 0.5, 0.75):
        assert (filters < share).mean() == pytest.approx(share, abs=0.02)


@every_case
def test_draw_is_the_seed_s(gate, p):
    parametrization = make(gate, p, groups_of(), 3)
    first, again, other = (parametrization.draw(np.random.RandomState(s)) for s in (3, 3, 4))
    np.testing.assert_array_equal(first, again)
    assert (parametrization.weights(first) != parametrization.weights(other)).all()
    assert not parametrization.intercept(first).any()
    assert len(first) == len(generic(parametrization))
    if gate is not None:
        assert (parametrization.switch(first) != parametrization.switch(other)).all()
        assert (parametrization.gate(first) >= 0).all() or gate == "switch"


@pytest.mark.parametrize("gate", [None, "switch"])
@pytest.mark.parametrize("n_features", [20, 2000])
def test_drawn_weights_predict_numbers_of_unit_size(gate, n_features):
    parametrization = make(gate, 2, Groups.from_labels(n_features), 5)
    rng = np.random.RandomState(0)
    X = rng.standard_normal((300, n_features))
    sizes = []
    for _ in range(20):
        W = parametrization.coefficients(parametrization.draw(rng))
        sizes.append((X @ W).var())
    assert np.mean(sizes) == pytest.approx(1, abs=0.3)


@every_case
def test_views_write_into_x(gate, p):
    parametrization = make(gate, p, groups_of(), 3)
    x = np.zeros(len(generic(parametrization)))
    parametrization.weights(x)[:] = 1
    parametrization.intercept(x)[:] = 3
    if gate is None:
        assert parametrization.switch(x) is None
        np.testing.assert_array_equal(parametrization.gate(x), np.ones(4))
    else:
        parametrization.switch(x)[:] = 2
    np.testing.assert_array_equal(x, [1] * 21 + [2] * (0 if gate is None else 4) + [3] * 3)
