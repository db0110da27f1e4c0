"""Iterates of gradient training against a slow reference and formulas."""

import numpy as np
import pytest

from oracles import indicators_of
from problems import PROBLEMS, simulate, simulate_classes
from shrinklin import (
    GradientDescent,
    GroupLassoRegressor,
    ShrinkNetClassifier,
    ShrinkNetRegressor,
    SignVariance,
)
from shrinklin.gradient.parametrizations import GATES, GatedWeights
from shrinklin.gradient.risk import MomentRisk, SampleRisk, risk_of_data
from shrinklin.groups import Groups
from shrinklin.losses.squared import SquaredLoss
from trainings import SHRINKNETS, every_estimator, fit, objectives, same_model


def slow_residual(X, Y, W, b, squared):
    """P − Y of every row, and the mean loss."""
    losses, residuals = [], []
    for x, y in zip(X, Y, strict=True):
        z = W.T @ x + b
        if squared:
            losses.append(0.5 * ((y - z) ** 2).sum())
            residuals.append(z - y)
        else:
            # Two classes: the raw prediction of the first is 0.
            full = np.r_[0.0, z] if len(z) == 1 else z
            hot = np.r_[1 - y.sum(), y] if len(z) == 1 else y
            E = np.exp(full - full.max())
            P = E / E.sum()
            losses.append(-np.log(P[hot > 0][0]))
            residuals.append((P - hot)[-len(z) :])
    return np.array(residuals), np.mean(losses)


def best_constant(Y, squared):
    """The mean of Y, or its log-odds: of the second of two classes, or centred for more."""
    share = Y.mean(axis=0)
    if squared:
        return share
    if len(share) == 1:
        return np.log(share / (1 - share))
    return np.log(share) - np.log(share).mean()


def slow_rule(name, d, memory, step):
    """What an optimizer subtracts at learning rate 1; it updates `memory`."""
    if name == "sgd":
        memory["v"] = 0.9 * memory.get("v", 0) + d
        return memory["v"]
    if name == "adagrad":
        memory["s"] = memory.get("s", 0) + d**2
        return d / (np.sqrt(memory["s"]) + 1e-10)
    memory["m"] = 0.9 * memory.get("m", 0) + 0.1 * d
    memory["s"] = 0.999 * memory.get("s", 0) + 0.001 * d**2
    mean, square = memory["m"] / (1 - 0.9**step), memory["s"] / (1 - 0.999**step)
    return mean / (np.sqrt(square) + 1e-8)


def slow_training(
    X, Y, labels, omega, *, squared, alpha, decay, p, gate, rate, n_epochs, rng,
    optimizer="adagrad", gamma=None, batch_size=None, first_mean=None,
):  # fmt: skip
    """Feature by feature, from the formulas: removed features are kept as frozen zeros."""
    (n, n_features), n_targets, n_groups = X.shape, Y.shape[1], len(omega)
    A = rng.standard_normal((n_features, n_targets)) / np.sqrt(n_features)
    theta = rng.standard_normal(n_groups) if gate == "switch" else rng.uniform(size=n_groups)
    b = best_constant(Y, squared)
    alive = np.ones(n_groups, dtype=bool)
    memory_A, memory_theta, memory_b = {}, {}, {}
    mean = np.sign(theta) if first_mean is None else np.full(n_groups, first_mean)
    variance, values, n_alive, step = np.zeros(n_groups), [], [], 0

    def opened(g):
        return theta[g] if gate == "switch" else max(0.0, theta[g])

    for epoch in range(n_epochs + 1):
        W = np.array([opened(labels[j]) * A[j] for j in range(n_features)])
        value = slow_residual(X, Y, W, b, squared)[1]
        for g in np.flatnonzero(alive):
            members = [j for j in range(n_features) if labels[j] == g]
            value += omega[g] * alpha * abs(opened(g))
            value += omega[g] * decay * (np.abs(A[members]) ** p).sum()
        values.append(value)
        n_alive.append(int(alive[labels].sum()))
        if epoch == n_epochs:
            break
        order = [np.arange(n)]
        if batch_size is not None:
            shuffled = rng.permutation(n)
            order = [shuffled[k : k + batch_size] for k in range(0, n, batch_size)]
        for rows in order:
            step += 1
            W = np.array([opened(labels[j]) * A[j] for j in range(n_features)])
            R = slow_residual(X[rows], Y[rows], W, b, squared)[0] / len(rows)
            dA, dtheta = np.zeros_like(A), np.zeros_like(theta)
            for j in range(n_features):
                g = labels[j]
                in_W = X[rows, j] @ R
                dA[j] = opened(g) * in_W
                dA[j] += omega[g] * decay * p * np.abs(A[j]) ** (p - 1) * np.sign(A[j])
                dtheta[g] += A[j] @ in_W
            for g in range(n_groups):
                dtheta[g] += omega[g] * alpha * np.sign(opened(g))
                if gate == "filter" and theta[g] <= 0:
                    dtheta[g] = 0.0
            A = A - rate * slow_rule(optimizer, dA, memory_A, step)
            theta = theta - rate * slow_rule(optimizer, dtheta, memory_theta, step)
            b = b - rate * slow_rule(optimizer, R.sum(axis=0), memory_b, step)
            if gamma is not None:
                sign = np.sign(theta)
                variance = gamma * variance + (1 - gamma) * (sign - mean) ** 2
                mean = gamma * mean + (1 - gamma) * sign
                alive &= variance <= 0.5
            A[~alive[labels]], theta[~alive] = 0.0, 0.0
    switch = np.array([opened(g) for g in labels])
    return switch, A, b, np.array(values), np.array(n_alive)


TRAININGS = {
    "plain": {},
    "p=1.5": {"p": 1.5},
    "filter": {"gate": "filter"},
    "removal": {"gamma": 0.8, "alpha": 0.3},
    "removal, p=1.5": {"gamma": 0.8, "alpha": 0.3, "p": 1.5},
    "removal of filters": {"gamma": 0.5, "alpha": 0.6, "gate": "filter"},
    "removal of groups": {"gamma": 0.8, "alpha": 0.3, "groups": [0, 0, 1, 1, 1, 2, 3, 3]},
    "minibatches": {"gamma": 0.9, "alpha": 0.3, "batch_size": 7},
    "momentum": {"optimizer": "sgd", "rate": 0.02, "gamma": 0.8, "alpha": 0.3},
    "adam": {"optimizer": "adam", "gamma": 0.8, "alpha": 0.3},
}


@pytest.mark.parametrize("kind", ["regression", "two classes", "three classes"])
@pytest.mark.parametrize("name", TRAININGS)
def test_iterates_are_those_of_a_slow_reference(kind, name):
    setting = {"alpha": 0.05, "p": 2, "gate": "switch", "rate": 0.1, **TRAININGS[name]}
    groups, n_epochs = setting.pop("groups", None), 40
    if kind == "regression":
        X, y = simulate(25, 8, 2)
        estimator, Y = ShrinkNetRegressor(), y
    else:
        X, y = simulate_classes(25, 8, 2 if kind == "two classes" else 3)
        estimator, Y = ShrinkNetClassifier(), indicators_of(y)
    labels = np.arange(8) if groups is None else np.array(groups)
    omega = np.ones(8) if groups is None else np.sqrt(np.bincount(labels))
    expected = slow_training(
        X, Y, labels, omega, squared=kind == "regression", decay=0.02, n_epochs=n_epochs,
        rng=np.random.RandomState(0), **setting,
    )  # fmt: skip
    gamma, rate = setting.pop("gamma", None), setting.pop("rate")
    model = fit(
        estimator, X, y, weight_decay=0.02, groups=groups, random_state=0, max_epochs=n_epochs,
        learning_rate=rate, removal=None if gamma is None else SignVariance(gamma), **setting,
    )  # fmt: skip
    switch, A, b, values, n_alive = expected
    np.testing.assert_array_equal(model.history_["n_alive"], n_alive)
    np.testing.assert_allclose(objectives(model), values, rtol=1e-9)
    np.testing.assert_allclose(model.switch_, switch, atol=1e-9)
    np.testing.assert_allclose(model.weight_, A.T, atol=1e-9)
    np.testing.assert_allclose(model.intercept_, b, atol=1e-9)
    if gamma is not None and "filter" not in name:
        assert n_alive[-1] < 8


def test_a_mean_that_starts_at_one_is_another_training():
    X, Y = simulate(25, 8, 2)
    setting = {"squared": True, "alpha": 0.3, "decay": 0.02, "p": 2, "gate": "switch"}
    setting |= {"rate": 0.1, "n_epochs": 40, "gamma": 0.8}
    args = X, Y, np.arange(8), np.ones(8)
    right, wrong = (
        slow_training(*args, rng=np.random.RandomState(0), first_mean=m, **setting)
        for m in (None, 1.0)
    )
    assert wrong[4][1] < right[4][1] == 8  # all negative switches are dead after one step


@every_estimator
@pytest.mark.parametrize("optimizer", ["sgd", "adagrad", "adam"])
def test_one_batch_of_all_samples_is_a_full_batch(estimator, optimizer):
    rate = 0.02 if optimizer == "sgd" else 0.05
    models = [
        fit(estimator, optimizer=optimizer, batch_size=size, learning_rate=rate)
        for size in (None, 60, 1000)
    ]
    for model in models[1:]:
        np.testing.assert_allclose(objectives(model), objectives(models[0]), rtol=1e-9)
        np.testing.assert_allclose(model.coef_, models[0].coef_, atol=1e-7)
    assert same_model(*models[1:])


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("name", ["tall", "means", "constant column", "one feature"])
def test_moments_give_the_iterates_of_the_samples(name, fit_intercept):
    X, Y = PROBLEMS[name]()
    X = np.minimum(np.abs(X), 3) * np.sign(X)  # means of 100 would diverge
    s = np.random.default_rng(0).integers(0, 3, len(X)).astype(float)
    n_features, n_targets = X.shape[1], Y.shape[1]
    groups = Groups.from_labels(n_features, np.arange(n_features)[::-1] // 2)
    risks = [
        risk_of_data(SquaredLoss(), X, Y, s, groups.order, fit_intercept, whole)
        for whole in (True, False)
    ]
    assert [type(risk) for risk in risks] == [MomentRisk, SampleRisk]
    parametrization = GatedWeights(groups, n_targets, 0.2, 0.03, 2, GATES["switch"])
    solver = GradientDescent(max_epochs=150, removal=SignVariance(0.9))
    moments, samples = (
        solver.train(risk, parametrization, np.random.RandomState(0)) for risk in risks
    )
    np.testing.assert_array_equal(moments.history["n_alive"], samples.history["n_alive"])
    np.testing.assert_allclose(moments.history["loss"], samples.history["loss"], rtol=1e-9)
    np.testing.assert_allclose(moments.W, samples.W, atol=1e-9)
    np.testing.assert_allclose(moments.intercept, samples.intercept, atol=1e-9)
    assert moments.intercept.any() == fit_intercept


def test_moments_refuse_single_rows():
    X, Y = simulate(20, 3, 2)
    risk = risk_of_data(SquaredLoss(), X, Y, np.ones(20), np.arange(3), True, True)
    with pytest.raises(ValueError, match="moments do not contain single rows"):
        risk.evaluate(np.zeros((3, 2)), np.zeros(2), np.arange(5))


def test_learning_rate_decays_by_the_formula():
    # One feature, no penalty, no momentum: a recursion of a single number.
    x, y = np.array([[1.0], [2.0], [3.0]]), np.array([2.0, 4.0, 5.0])
    solver = GradientDescent(
        "sgd", learning_rate=0.1, learning_rate_decay=0.5, momentum=0, max_epochs=10
    )
    model = GroupLassoRegressor(0, fit_intercept=False, solver=solver, random_state=0).fit(x, y)
    w = np.random.RandomState(0).standard_normal(1)[0]
    for epoch in range(10):
        w -= (
            0.1
            / (1 + 0.5 * epoch)
            * sum(xi * (xi * w - yi) for xi, yi in zip(x[:, 0], y, strict=True))
            / 3
        )
    assert model.coef_[0] == pytest.approx(w, rel=1e-12)


@every_estimator
def test_decay_and_momentum_are_other_trainings(estimator):
    base = {"optimizer": "sgd", "learning_rate": 0.01}
    settings = [{}, {"learning_rate_decay": 0.1}, {"momentum": 0.5}, {"momentum": 0}]
    models = [fit(estimator, **base, **setting) for setting in settings]
    assert len({m.objective_ for m in models}) == 4
    # Only SGD has momentum.
    assert same_model(*(fit(estimator, momentum=m) for m in (0, 0.9)))


@pytest.mark.parametrize("optimizer", ["sgd", "adagrad", "adam"])
def test_the_intercept_begins_where_it_is_best_without_features(optimizer):
    # From 0 the intercept would need thousands of epochs.
    X, Y = simulate(60, 12, 3)
    X = (X - X.mean(axis=0)) / X.std(axis=0)
    rate = 0.2 if optimizer == "adagrad" else 0.02
    model = fit(SHRINKNETS[0], X, Y + 1000, optimizer=optimizer, learning_rate=rate)
    assert model.history_["loss"][0] < 10 * Y.var(axis=0).sum()
    np.testing.assert_allclose(model.intercept_, Y.mean(axis=0) + 1000, atol=0.1)
    assert model.score(X, Y + 1000) > 0.3
