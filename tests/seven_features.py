"""Parametrizations of seven features, and the same formulas written out number by number."""

import numpy as np
import pytest

from oracles import log_loss, squared_loss
from problems import simulate, simulate_classes
from shrinklin.gradient.parametrizations import GATES, GatedWeights, PlainWeights
from shrinklin.gradient.risk import SampleRisk
from shrinklin.groups import Groups
from shrinklin.losses.logistic import logistic_loss
from shrinklin.losses.squared import SquaredLoss

ALPHA, DECAY = 0.3, 0.07
LABELS, WEIGHTS = [0, 0, 1, 1, 1, 2, 3], [2.0, 2.0, 0.5, 0.5, 0.5, 0.0, 1.0]
N_TARGETS = {"squared": 3, "two classes": 1, "three classes": 3}

every_loss = pytest.mark.parametrize("name", N_TARGETS)
every_gate = pytest.mark.parametrize("gate", GATES)
grouped_and_not = pytest.mark.parametrize("groups", ["groups", "singletons"])


def groups_of(kind="groups"):
    """Groups of several features, one of them not penalised, or one feature in each group."""
    if kind == "singletons":
        return Groups.from_labels(7, feature_weights=[1.0, 2.0, 0.0, 0.5, 1.0, 3.0, 1.0])
    return Groups.from_labels(7, LABELS, WEIGHTS)


def labels_of(groups):
    """The groups of all features, and their weights."""
    labels = [g for g in range(len(groups)) for _ in range(groups.ptr[g], groups.ptr[g + 1])]
    return labels, [float(groups.weights[g]) for g in labels]


def gated(groups, n_targets, gate="switch", p=2, alpha=ALPHA, weight_decay=DECAY):
    return GatedWeights(groups, n_targets, alpha, weight_decay, p, GATES[gate])


def plain(groups, n_targets):
    return PlainWeights(groups, n_targets, ALPHA)


def away_from_zero(size, seed=0):
    """Numbers of both signs, none near a kink."""
    rng = np.random.default_rng(seed)
    return rng.uniform(0.3, 1.2, size) * rng.permutation(np.resize([1, -1, 1], size))


def generic(parametrization, seed=0):
    """An x without zeros; switches and parameters of filters have both signs."""
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
    """R of a few weighted samples that are not centred, and an oracle for its value."""
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


def gradient_of(parametrization, risk, x):
    W, b = parametrization.coefficients(x), parametrization.intercept(x)
    return parametrization.gradient(x, *risk.evaluate(W, b)[1:])
