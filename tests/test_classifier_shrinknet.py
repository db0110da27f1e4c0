"""The ShrinkNet classifier: its global minimum, its switches and its strength."""

from functools import cache

import numpy as np
import pytest

from classifiers import alpha_for, every_number_of_classes
from oracles import (
    bridge,
    bridge_log_objective,
    brute_force_log_bridge,
    group_sum,
    log_loss,
)
from problems import CLASSIFICATION_PROBLEMS, random_small_classes, simulate_classes
from shrinklin import (
    GroupLassoClassifier,
    ProximalNewton,
    ShrinkNetClassifier,
)
from shrinklin.estimators.base import prepare
from shrinklin.factored import bridge_strength


@cache
def least(seed, p):
    """A problem X, y, alpha, and its minimum by brute force."""
    X, y = random_small_classes(seed)
    alpha = alpha_for(X, y, 10 ** -np.random.default_rng(seed).uniform(0.05, 2))
    return (X, y, alpha), brute_force_log_bridge(X, y, alpha, p)


def excess_over_brute_force(find, p, n_problems):
    """Relative excess of `find(X, y, alpha)` over brute force, on every problem."""
    problems = [least(seed, p) for seed in range(n_problems)]
    return np.array([find(*problem) / best - 1 for problem, best in problems])


@pytest.mark.parametrize(("p", "n_problems"), [(2, 60), (1, 30)])
@pytest.mark.untraced
def test_global_optimum_in_98_percent(p, n_problems):
    def fitted(X, y, alpha):
        model = ShrinkNetClassifier(alpha, p=p).fit(X, y)
        return bridge_log_objective(X, y, model.coef_, model.intercept_, alpha, p)

    excess = excess_over_brute_force(fitted, p, n_problems)
    assert np.mean(excess > 1e-6) <= 0.02
    assert excess.max() < 1e-2
    # Nothing may beat the oracle.
    assert excess.min() > -1e-7


def test_one_descent_alone_would_be_rejected():
    def descended(X, y, alpha):
        _, objective, _ = prepare(ShrinkNetClassifier(alpha), X, y, None)
        start = np.zeros(objective.shape)
        return ProximalNewton().solve(objective, start, tol=1e-8, max_iter=1000).value

    assert np.mean(excess_over_brute_force(descended, 2, 20) > 1e-6) > 0.02


@pytest.mark.parametrize("p", [1, 2])
@pytest.mark.parametrize("seed", range(100, 106))
@pytest.mark.untraced
def test_never_worse_than_zero_warm_start_or_group_lasso(p, seed):
    X, y = random_small_classes(seed)
    alpha = alpha_for(X, y, 0.2)

    def value(model):
        return bridge_log_objective(X, y, model.coef_, model.intercept_, alpha, p)

    model = ShrinkNetClassifier(alpha / 3, p=p, warm_start=True).fit(X, y)
    empty, lasso = (GroupLassoClassifier(a).fit(X, y) for a in (100 * alpha, alpha))
    assert not empty.coef_.any()
    rivals = [value(rival) for rival in (model, empty, lasso)]
    model.set_params(alpha=alpha).fit(X, y)
    assert value(model) <= min(rivals) * (1 + 1e-9)


@pytest.mark.parametrize("name", ["three classes", "two classes", "wide", "iris"])
@pytest.mark.parametrize("p", [1, 2])
@pytest.mark.parametrize("weight_decay", [None, 0.03])
def test_switches_times_weights_are_the_coefficients(name, p, weight_decay):
    X, y = CLASSIFICATION_PROBLEMS[name]()
    model = ShrinkNetClassifier(0.05, p=p, weight_decay=weight_decay).fit(X, y)
    assert model.get_support().any()
    np.testing.assert_array_equal(model.coef_, model.weight_ * model.switch_)
    np.testing.assert_array_equal(model.switch_ != 0, model.get_support())
    assert (model.switch_ >= 0).all()
    assert model.weight_.shape == model.coef_.shape
    assert model.switch_.shape == (X.shape[1],)


@every_number_of_classes
@pytest.mark.parametrize("p", [1, 2])
@pytest.mark.parametrize("groups", [None, [0, 0, 1, 1, 1, 2, 2, 3, 3, 3, 4, 4]])
def test_factored_objective_is_the_bridge_objective(n_classes, p, groups):
    X, y = simulate_classes(60, 12, n_classes)
    alpha, decay = 0.04, 0.01
    model = ShrinkNetClassifier(alpha, p=p, weight_decay=decay, groups=groups).fit(X, y)
    labels = list(range(12)) if groups is None else groups
    omega = np.ones(12) if groups is None else np.sqrt(np.bincount(groups)[groups])
    loss = log_loss(X, y, model.coef_, model.intercept_)
    kappa = bridge_strength(alpha, decay, p)
    as_bridge = loss + kappa * group_sum(model.coef_, labels, bridge(p), omega)
    # A group has one switch: λ counts once per group, not once per feature.
    switches = sum(omega[j] * model.switch_[j] for j in np.unique(labels, return_index=True)[1])
    weights = group_sum(model.weight_, labels, lambda a: (np.abs(a) ** p).sum(), omega)
    as_factored = loss + alpha * switches + decay * weights
    assert model.coef_.any()
    assert as_factored == pytest.approx(as_bridge, rel=1e-10)


@pytest.mark.parametrize("p", [1, 2])
def test_equal_strength_gives_equal_coefficients(p):
    X, y = simulate_classes(60, 8, 3)
    reference = ShrinkNetClassifier(0.03, p=p).fit(X, y)
    assert reference.coef_.any()
    for alpha in (0.003, 1.0):
        # κ = (1 + 1/p) λ^{p/(p+1)} (p λ₂)^{1/(p+1)} = 0.03, solved for λ₂.
        decay = (0.03 / (1 + 1 / p)) ** (p + 1) / alpha**p / p
        model = ShrinkNetClassifier(alpha, weight_decay=decay, p=p).fit(X, y)
        np.testing.assert_allclose(model.coef_, reference.coef_, atol=1e-6)
    wrong = ShrinkNetClassifier(0.03, weight_decay=1.1 * 0.03 * 4 / 27, p=p).fit(X, y)
    assert np.abs(wrong.coef_ - reference.coef_).max() > 1e-4


def test_shrinknet_keeps_fewer_features_at_the_same_fit():
    X, y = CLASSIFICATION_PROBLEMS["wine"]()
    lasso = GroupLassoClassifier(0.03).fit(X, y)
    target = log_loss(X, y, lasso.coef_, lasso.intercept_)
    kept = [
        model.get_support().sum()
        for model in (ShrinkNetClassifier(a).fit(X, y) for a in np.geomspace(0.1, 0.01, 5))
        if log_loss(X, y, model.coef_, model.intercept_) <= target
    ]
    assert min(kept) <= 0.7 * lasso.get_support().sum()
