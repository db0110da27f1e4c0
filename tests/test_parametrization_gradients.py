"""Gradients of parametrizations, against differences and symbolic algebra."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
import sympy

from seven_features import (
    ALPHA,
    DECAY,
    N_TARGETS,
    by_hand,
    every_case,
    every_loss,
    gated,
    generic,
    gradient_of,
    grouped_and_not,
    groups_of,
    make,
    risk_of,
)
from shrinklin.gradient.parametrizations import GATES, Filter, GatedWeights, PlainWeights
from shrinklin.gradient.risk import SampleRisk
from shrinklin.groups import Groups
from shrinklin.losses.logistic import logistic_loss
from shrinklin.losses.squared import SquaredLoss


def differences(value, x, step=1e-5):
    slopes = []
    for i in range(len(x)):
        above, below = x.copy(), x.copy()
        above[i] += step
        below[i] -= step
        slopes.append((value(above) - value(below)) / (2 * step))
    return slopes


def assert_gradient(parametrization, name, gate, p):
    """Compare with differences of R + penalty, both computed by hand, along every entry of x."""
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
    """A filter with the slope of a switch."""

    def slope(self, theta):
        return np.ones_like(theta)


@dataclass(frozen=True)
class OwnWeights(GatedWeights):
    """A gradient that ignores the weights of groups."""

    def gradient(self, x, in_W, in_b):
        alike = replace(self.groups, weights=np.ones(len(self.groups)))
        return GatedWeights.gradient(replace(self, groups=alike), x, in_W, in_b)


@dataclass(frozen=True)
class SquaredDecay(GatedWeights):
    """Weight decay as if p were 2."""

    def gradient(self, x, in_W, in_b):
        return GatedWeights.gradient(replace(self, p=2), x, in_W, in_b)


@dataclass(frozen=True)
class SquaredNorms(PlainWeights):
    """The gradient of squared norms."""

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


# A problem small enough for algebra. Floats hold multiples of 1/8 exactly.
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
    # With two classes there is one prediction; that of the other class is 0.
    partition = sum(sympy.exp(z_t) for z_t in z) + (1 if name == "two classes" else 0)
    return sympy.log(partition) - sum(y_t * z_t for y_t, z_t in zip(y, z, strict=True))


def symbolic_gradient(name, gate, p):
    """A function of x, from the formulas in the docstrings alone."""
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
    """Two x without zeros: one filter of two is closed, then none."""
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
