"""What x makes and pays, and its gradient: by loops, differences and symbolic algebra."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
import sympy

from oracles import log_loss, squared_loss
from problems import simulate, simulate_classes
from shrinklin.gradient.parametrizations import GATES, Filter, GatedWeights, PlainWeights
from shrinklin.gradient.risk import SampleRisk
from shrinklin.groups import Groups
from shrinklin.losses.logistic import logistic_loss
from shrinklin.losses.squared import SquaredLoss

ALPHA, DECAY = 0.3, 0.07
LABELS, WEIGHTS = [0, 0, 1, 1, 1, 2, 3], [2.0, 2.0, 0.5, 0.5, 0.5, 0.0, 1.0]
N_TARGETS = {"squared": 3, "two classes": 1, "three classes": 3}

every_loss = pytest.mark.parametrize("name", N_TARGETS)
every_gate = pytest.mark.parametrize("gate", GATES)
every_power = pytest.mark.parametrize("p", [1, 2, 1.5, 0.7])
grouped_and_not = pytest.mark.parametrize("groups", ["groups", "singletons"])


def groups_of(kind="groups"):
    """Several features a group, one of them free, or one feature a group."""
    if kind == "singletons":
        return Groups.from_labels(7, feature_weights=[1.0, 2.0, 0.0, 0.5, 1.0, 3.0, 1.0])
    return Groups.from_labels(7, LABELS, WEIGHTS)


def labels_of(groups):
    """Group and weight of every feature, in a list each."""
    labels = [g for g in range(len(groups)) for _ in range(groups.ptr[g], groups.ptr[g + 1])]
    return labels, [float(groups.weights[g]) for g in labels]


def gated(groups, n_targets, gate="switch", p=2, alpha=ALPHA, weight_decay=DECAY):
    return GatedWeights(groups, n_targets, alpha, weight_decay, p, GATES[gate])


def plain(groups, n_targets):
    return PlainWeights(groups, n_targets, ALPHA)


def away_from_zero(size, seed=0):
    """Both signs, nothing near a kink."""
    rng = np.random.default_rng(seed)
    return rng.uniform(0.3, 1.2, size) * rng.permutation(np.resize([1, -1, 1], size))


def generic(parametrization, seed=0):
    """A generic x; the switches come in both signs, as must the parameters of filters."""
    has_switches = isinstance(parametrization, GatedWeights)
    n_switches = len(parametrization.groups) if has_switches else 0
    n_weights = parametrization.n_features * parametrization.n_targets
    x = [
        away_from_zero(n, seed + i)
        for i, n in enumerate([n_weights, n_switches, parametrization.n_targets])
    ]
    assert not has_switches or len(set(np.sign(x[1]))) == 2
    return np.concatenate(x)


def risk_of(name):
    """R of a few uncentred samples with weights, and the oracle for its value."""
    rng = np.random.default_rng(1)
    s = rng.uniform(0.2, 2, 12)
    if name == "squared":
        X, Y = simulate(12, 7, 3)
        loss, target, oracle = SquaredLoss(), Y, squared_loss
    else:
        n_classes = {"two classes": 2, "three classes": 3}[name]
        X, target = simulate_classes(12, 7, n_classes, noise=3)
        loss, oracle = logistic_loss(n_classes), log_loss
        Y = loss.indicators(target, n_classes)
    X = X + 0.5
    risk = SampleRisk(loss, X, Y, s / s.sum(), True)
    return risk, lambda W, b: oracle(X, target, W.T, b, s)


def by_hand(x, groups, n_targets, gate, p):
    """W, b and the penalty, number by number; `gate` None is the group lasso."""
    x = [float(value) for value in x]
    labels, omega = labels_of(groups)
    n_features, n_groups = len(labels), max(labels) + 1
    A = [[x[j * n_targets + t] for t in range(n_targets)] for j in range(n_features)]
    b = x[-n_targets:]
    weight_of = dict(zip(labels, omega, strict=True))
    penalty = 0.0
    if gate is None:
        assert len(x) == n_features * n_targets + n_targets
        for g in range(n_groups):
            squares = [a**2 for j in range(n_features) if labels[j] == g for a in A[j]]
            penalty += ALPHA * weight_of[g] * sum(squares) ** 0.5
        return np.array(A), np.array(b), penalty
    assert len(x) == n_features * n_targets + n_groups + n_targets
    theta = x[n_features * n_targets :][:n_groups]
    opened = [max(0.0, value) if gate == "filter" else value for value in theta]
    for g in range(n_groups):
        powers = [abs(a) ** p for j in range(n_features) if labels[j] == g for a in A[j]]
        penalty += weight_of[g] * (ALPHA * abs(opened[g]) + DECAY * sum(powers))
    W = [[opened[labels[j]] * a for a in A[j]] for j in range(n_features)]
    return np.array(W), np.array(b), penalty


every_case = pytest.mark.parametrize(
    ("gate", "p"), [(gate, p) for gate in GATES for p in (1, 2, 1.5, 0.7)] + [(None, None)]
)


def make(gate, p, groups, n_targets):
    return plain(groups, n_targets) if gate is None else gated(groups, n_targets, gate, p)


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


def gradient_of(parametrization, risk, x):
    W, b = parametrization.coefficients(x), parametrization.intercept(x)
    return parametrization.gradient(x, *risk.evaluate(W, b)[1:])


def differences(value, x, step=1e-5):
    slopes = []
    for i in range(len(x)):
        above, below = x.copy(), x.copy()
        above[i] += step
        below[i] -= step
        slopes.append((value(above) - value(below)) / (2 * step))
    return slopes


def assert_gradient(parametrization, name, gate, p):
    """Of R + penalty, both by hand, along every entry of x."""
    risk, value_of = risk_of(name)
    x, groups = generic(parametrization), parametrization.groups

    def objective(x):
        W, b, penalty = by_hand(x, groups, N_TARGETS[name], gate, p)
        return value_of(W, b) + penalty

    expected = differences(objective, x)
    np.testing.assert_allclose(gradient_of(parametrization, risk, x), expected, atol=1e-8)


@every_loss
@every_case
@grouped_and_not
def test_gradient_against_differences(name, gate, p, groups):
    assert_gradient(make(gate, p, groups_of(groups), N_TARGETS[name]), name, gate, p)


@dataclass(frozen=True)
class AlwaysOpen(Filter):
    """The slope of a switch for a filter."""

    def slope(self, theta):
        return np.ones_like(theta)


@dataclass(frozen=True)
class OwnWeights(GatedWeights):
    """The switch pays for the group, the weights as if all groups were alike."""

    def gradient(self, x, in_W, in_b):
        alike = replace(self.groups, weights=np.ones(len(self.groups)))
        return GatedWeights.gradient(replace(self, groups=alike), x, in_W, in_b)


@dataclass(frozen=True)
class SquaredDecay(GatedWeights):
    """Weight decay of p = 2 for every p."""

    def gradient(self, x, in_W, in_b):
        return GatedWeights.gradient(replace(self, p=2), x, in_W, in_b)


@dataclass(frozen=True)
class SquaredNorms(PlainWeights):
    """A pull proportional to the weights."""

    def gradient(self, x, in_W, in_b):
        pull = self.groups.spread(self.alpha * self.groups.weights)[:, None] * self.weights(x)
        return np.concatenate([(in_W + pull).ravel(), in_b])


@every_loss
def test_wrong_gradients_do_not_pass(name):
    groups, n_targets = groups_of(), N_TARGETS[name]
    mutants = [
        (replace(gated(groups, n_targets, "filter"), gate_of=AlwaysOpen()), "filter", 2),
        (OwnWeights(groups, n_targets, ALPHA, DECAY, 2, GATES["switch"]), "switch", 2),
        (SquaredDecay(groups, n_targets, ALPHA, DECAY, 1.5, GATES["switch"]), "switch", 1.5),
        (gated(groups, n_targets, weight_decay=DECAY / 2), "switch", 2),
        (gated(groups, n_targets, alpha=-ALPHA), "switch", 2),
        (SquaredNorms(groups, n_targets, ALPHA), None, None),
    ]
    for mutant, gate, p in mutants:
        with pytest.raises(AssertionError):
            assert_gradient(mutant, name, gate, p)


# A problem small enough for algebra. Numbers are eighths: floats hold them exactly.
TINY_LABELS, TINY_WEIGHTS = [0, 1, 1], [0.5, 2.0, 2.0]
TINY_ALPHA, TINY_DECAY = 0.375, 0.125
TINY_X = np.array([[8, -3, 5], [-6, 2, 7], [1, 9, -4], [3, -8, 2]]) / 8
TINY_S = np.array([1, 2, 0.5, 0.5])
TINY_Y = {
    "squared": np.array([[4, -9], [-2, 5], [7, 1], [3, -6]]) / 8,
    "two classes": np.array([[1], [0], [0], [1]]) / 1.0,
    "three classes": np.eye(3)[[0, 2, 1, 1]],
}


def rational(array):
    return sympy.Array(np.vectorize(sympy.Rational, otypes=[object])(array).tolist())


def symbolic_loss(name, y, z):
    if name == "squared":
        return sum((z_t - y_t) ** 2 for y_t, z_t in zip(y, z, strict=True)) / 2
    # Of one prediction, the other class predicts 0.
    partition = sum(sympy.exp(z_t) for z_t in z) + (1 if name == "two classes" else 0)
    return sympy.log(partition) - sum(y_t * z_t for y_t, z_t in zip(y, z, strict=True))


def symbolic_gradient(name, gate, p):
    """Function of x, from the formulas of the docstrings alone."""
    X, Y, s = rational(TINY_X), rational(TINY_Y[name]), rational(TINY_S)
    omega, alpha, decay = rational([0.5, 2.0]), *rational([TINY_ALPHA, TINY_DECAY])
    q = Y.shape[1]
    A = sympy.Matrix(3, q, lambda j, t: sympy.Symbol(f"a{j}{t}", real=True))
    theta = sympy.symbols("theta:2", real=True)
    b = sympy.symbols(f"b:{q}", real=True)
    blocks = [[A[0, t] for t in range(q)], [A[j, t] for j in (1, 2) for t in range(q)]]
    if gate is None:
        opened, penalty = [1, 1], 0
        for g, block in enumerate(blocks):
            penalty += alpha * omega[g] * sympy.sqrt(sum(a**2 for a in block))
    else:
        opened = [sympy.Max(0, value) if gate == "filter" else value for value in theta]
        penalty = 0
        for g, block in enumerate(blocks):
            powers = sum(sympy.Abs(a) ** sympy.Rational(p) for a in block)
            penalty += omega[g] * (alpha * sympy.Abs(opened[g]) + decay * powers)
    W = [[opened[g] * A[j, t] for t in range(q)] for j, g in enumerate(TINY_LABELS)]
    R = 0
    for i in range(4):
        z = [sum(X[i, j] * W[j][t] for j in range(3)) + b[t] for t in range(q)]
        R += s[i] / sum(s) * symbolic_loss(name, [Y[i, t] for t in range(q)], z)
    symbols = [*A, *(() if gate is None else theta), *b]
    slopes = [sympy.diff(R + penalty, symbol) for symbol in symbols]
    at = sympy.lambdify(symbols, slopes, "mpmath", cse=True)
    return lambda x: np.array([float(slope) for slope in at(*x.tolist())])


def tiny_points(n_weights, n_switches, q):
    """No zeros; both signs, so that one filter of two is closed or none."""
    A = np.resize([5, -7, 3, 6, -2, 9, -4], n_weights) / 8
    b = np.resize([3, -5, 2], q) / 8
    for theta in ([6, -5], [7, 2]):
        yield np.concatenate([A, np.array(theta[:n_switches]) / 8, b])


@every_loss
@pytest.mark.parametrize(
    ("gate", "p"), [(gate, p) for gate in GATES for p in (1, 2, 1.5)] + [(None, None)]
)
@pytest.mark.untraced
def test_gradient_against_algebra(name, gate, p):
    Y = TINY_Y[name]
    q = Y.shape[1]
    groups = Groups.from_labels(3, TINY_LABELS, TINY_WEIGHTS)
    loss = SquaredLoss() if name == "squared" else logistic_loss(2 if q == 1 else 3)
    risk = SampleRisk(loss, TINY_X, Y, TINY_S / TINY_S.sum(), True)
    if gate is None:
        parametrization = PlainWeights(groups, q, TINY_ALPHA)
    else:
        parametrization = gated(groups, q, gate, p, TINY_ALPHA, TINY_DECAY)
    expected_at = symbolic_gradient(name, gate, p)
    for x in tiny_points(3 * q, 0 if gate is None else 2, q):
        found, expected = gradient_of(parametrization, risk, x), expected_at(x)
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-14)
        mutant = replace(parametrization, alpha=1.001 * TINY_ALPHA)
        assert np.abs(gradient_of(mutant, risk, x) - expected).max() > 1e-5


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
        # The size of a switch stays, only a filter has no room for its sign.
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


def at_kinks(parametrization):
    """Half of the groups at zero, the others generic."""
    x = generic(parametrization)
    groups = parametrization.groups
    parametrization.weights(x)[groups.features(np.arange(0, len(groups), 2))] = 0
    return x


@grouped_and_not
@pytest.mark.parametrize("scale", [0.01, 0.5, 10.0])
def test_zero_groups_have_the_least_subgradient(groups, scale):
    # All of them are in_W + α ω u, ‖u‖ ≤ 1. Of a convex set, g is the least if
    # ⟨g, v⟩ ≥ ‖g‖² for every v in it.
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
    # With no kink it is the gradient whatever the others do.
    smooth = lasso.weights(plain(groups, 3).gradient(generic(lasso), in_W, in_b))
    others = groups.features(np.arange(1, len(groups), 2))
    np.testing.assert_array_equal(gradient[others], smooth[others])


@every_loss
@grouped_and_not
def test_it_is_the_direction_of_steepest_descent(name, groups):
    # Along −g a convex function falls by ‖g‖² per unit of length in g, and zero
    # is the best if g = 0.
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
    # Turned round, of some features at random, of no size before, carried on.
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
    # R = 0: only the penalty acts.
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
