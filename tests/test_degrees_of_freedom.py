"""Degrees of freedom against finite differences, dense formulas and known cases."""

import numpy as np
import pytest

import shrinklin.selection.freedom
from builders import PENALTIES, build, descend, every_penalty, every_unbounded_penalty, solve
from problems import simulate, simulate_classes
from shrinklin import (
    GroupLassoClassifier,
    GroupLassoRegressor,
)
from shrinklin.estimators.criterion import InformationCriterion
from shrinklin.groups import Groups
from shrinklin.losses.logistic import Binomial, Multinomial
from shrinklin.objective.likelihood import Likelihood
from shrinklin.objective.objective import Objective
from shrinklin.penalties.bridge1 import Bridge1
from shrinklin.penalties.bridge2 import Bridge2
from shrinklin.selection.freedom import degrees_of_freedom

SETTINGS = {
    "plain": {},
    "no intercept": {"fit_intercept": False},
    "groups": {"labels": [0, 1, 0, 1, 2, 2]},
    "weights": {"weights": [0, 1, 2, 1, 0, 1]},
    "sample weights": {"sample_weight": np.linspace(0, 2, 12)},
    "ridge": {"ridge": 0.5},
    "ridge, groups": {"ridge": 0.1, "labels": [0, 1, 0, 1, 2, 2], "weights": [0, 1, 0, 1, 2, 2]},
}
every_setting = pytest.mark.parametrize("name", SETTINGS)


def fitted_values(objective, X, W):
    return X[:, objective.groups.order] @ W + objective.smooth.intercept(W)


def divergence(fit, Y, h=1e-4, others=0.0):
    """Σ ∂fit/∂y by central differences, entry by entry."""
    total = 0.0
    for i, t in np.ndindex(Y.shape):
        change = np.zeros_like(Y)
        change[i] -= others * h
        change[i, t] += h
        total += (fit(Y + change) - fit(Y - change))[i, t] / (2 * h)
    return total


def regression(penalty, name):
    """The objective of one setting, its minimiser, and the fit as a function of Y."""
    X, Y = simulate(12, 6, 2, seed=1)
    options = SETTINGS[name]
    objective = build(X, Y, penalty, share=0.2, **options)
    W = solve(objective, tol=1e-13).W

    def fit(Y):
        moved = build(X, Y, penalty, objective.strength, **options)
        near = solve(moved, W, tol=1e-13).W
        np.testing.assert_array_equal(near != 0, W != 0)
        return fitted_values(moved, X, near)

    return objective, W, fit, Y, options.get("fit_intercept", True)


@every_penalty
@every_setting
def test_degrees_of_freedom_are_the_divergence(penalty, name):
    objective, W, fit, Y, intercept = regression(penalty, name)
    assert 0 < np.count_nonzero(W) < W.size or name == "groups"
    expected = divergence(fit, Y)
    assert degrees_of_freedom(objective, W, intercept) == pytest.approx(expected, abs=1e-6)


def dense_trace(objective, W):
    """tr(H⁻¹ H_f) of full matrices, the penalty's by finite differences of its gradient."""
    q, at = W.shape[1], np.flatnonzero(W)
    block = objective.smooth.ridged(None).block(np.arange(len(W)))
    G = np.kron(block, np.eye(q))[np.ix_(at, at)]
    ridge = np.diag(np.repeat(objective.groups.spread(objective.ridges), q)[at])

    def slope(w):
        moved = np.zeros(W.size)
        moved[at] = w
        moved = moved.reshape(W.shape)
        args = moved, objective.groups, objective.strengths
        return objective.penalty.curvature(*args).gradient.ravel()[at]

    w, h = W.ravel()[at], 1e-6
    bend = [(slope(w + h * e) - slope(w - h * e)) / (2 * h) for e in np.eye(len(w))]
    return np.trace(np.linalg.solve(G + np.array(bend) + ridge, G))


@every_penalty
@every_setting
def test_degrees_of_freedom_equal_the_dense_formula(penalty, name):
    objective, W, _, Y, intercept = regression(penalty, name)
    expected = dense_trace(objective, W) + intercept * Y.shape[1]
    assert degrees_of_freedom(objective, W, intercept) == pytest.approx(expected, rel=1e-5)


def test_the_dense_formula_rejects_leaving_out_the_rank_one_part(monkeypatch):
    monkeypatch.setattr(shrinklin.selection.freedom, "_correction", lambda S, Q, convex: 0.0)
    for penalty in PENALTIES:
        objective, W, _, Y, _ = regression(penalty, "plain")
        wrong = degrees_of_freedom(objective, W)
        assert abs(wrong - dense_trace(objective, W) - Y.shape[1]) > 0.1


def test_the_divergence_is_not_a_count():
    for penalty in PENALTIES:
        objective, W, _, Y, _ = regression(penalty, "plain")
        df = degrees_of_freedom(objective, W)
        kept = W.any(axis=1).sum()
        for count in (kept, kept + Y.shape[1], np.count_nonzero(W) + Y.shape[1]):
            assert abs(df - count) > 0.05


class Fractional(Binomial):
    """Also of labels that are neither 0 nor 1."""

    def values(self, Y, Z, A):
        return A - (Y * Z)[:, 0]


LOGISTIC = {
    "plain": {},
    "no intercept": {"fit_intercept": False},
    "groups": {"labels": [0, 1, 1, 0]},
    "weights": {"weights": [0, 1, 2, 1]},
    "sample weights": {"s": np.linspace(0.5, 2, 10)},
    "ridge": {"ridge": 0.05},
}


@every_penalty
@pytest.mark.parametrize("name", LOGISTIC)
@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.untraced
def test_logistic_degrees_of_freedom_are_the_divergence(penalty, name, n_classes):
    if penalty.positive and n_classes > 2 and name == "weights":
        pytest.skip("the coefficients of a feature without penalty may all grow together")
    X, codes = simulate_classes(10, 4, n_classes, seed=1, noise=3)
    codes = np.random.default_rng(1).permutation(codes)
    loss = Fractional() if n_classes == 2 else Multinomial()
    options = LOGISTIC[name]
    groups = Groups.from_labels(4, options.get("labels"), options.get("weights"))
    s, intercept = options.get("s", np.ones(10)), options.get("fit_intercept", True)

    def objective_of(Y, strength):
        smooth = Likelihood(loss, X, Y, s, groups.order, intercept)
        smooth = smooth.ridged(np.full(4, options.get("ridge", 0.0)))
        return Objective(smooth, penalty, groups, strength)

    Y = loss.indicators(codes, n_classes)
    objective = objective_of(Y, 1.0)
    objective = objective.at(0.25 * objective.strength_max())
    W = descend(objective, tol=1e-11).W
    assert W.any()

    def fit(Y):
        moved = objective_of(Y, objective.strength)
        near = descend(moved, W, tol=1e-11).W
        np.testing.assert_array_equal(near != 0, W != 0)
        return moved.smooth.predict(moved.smooth.centred_product(near)).state

    # The labels of a row of three classes still sum to 1.
    expected = divergence(fit, Y, 1e-5, others=0 if n_classes == 2 else 1 / n_classes)
    assert degrees_of_freedom(objective, W, intercept) == pytest.approx(expected, abs=1e-6)


@every_unbounded_penalty
@pytest.mark.parametrize("n_samples", [30, 8])
def test_without_penalty_the_rank_is_counted(penalty, n_samples):
    X, Y = simulate(n_samples, 6, 3, seed=2)
    X = np.c_[X, X[:, 1], X[:, 1] + X[:, 2], np.full(n_samples, 3.0), 1e4 * X[:, 5]]
    objective = build(X, Y, penalty, 0.0)
    df = degrees_of_freedom(objective, solve(objective).W)
    assert df == pytest.approx(np.linalg.matrix_rank(X - X.mean(axis=0)) * 3 + 3, abs=1e-8)


def test_without_penalty_the_rank_is_counted_of_classes():
    X, y = simulate_classes(60, 3, 3, seed=1, noise=5)
    X = np.c_[X, X[:, 0] - X[:, 1]]
    fitted = InformationCriterion(GroupLassoClassifier(), alphas=[0.0]).fit(X, y)
    assert fitted.degrees_of_freedom_ == pytest.approx(2 * 3 + 2, abs=1e-6)


def test_duplicated_columns_count_once():
    X, Y = simulate(30, 5, 2, seed=3)
    single = build(X, Y, share=0.3)
    W = solve(single, tol=1e-12).W
    twice = build(np.c_[X, X[:, 0]], Y, strength=single.strength)
    split = np.r_[W, 0.3 * W[:1]]
    split[0] *= 0.7
    assert W[0].any()
    df = degrees_of_freedom(single, W)
    assert degrees_of_freedom(twice, split) == pytest.approx(df, abs=1e-8)


@pytest.mark.parametrize("share", [0.5, 0.1, -0.5])
def test_duplicated_columns_with_p_1_make_no_isolated_minimum(share):
    """Splitting a coefficient between the copies leaves f alone and does not raise the penalty."""
    X, Y = simulate(30, 5, 2, seed=3)
    single = build(X, Y, Bridge1(), share=0.3)
    W = solve(single, tol=1e-12).W
    assert W[0].any()
    assert np.isfinite(degrees_of_freedom(single, W))
    split = np.r_[W, share * W[:1]]
    split[0] *= 1 - share
    twice = build(np.c_[X, X[:, 0]], Y, Bridge1(), strength=single.strength)
    assert degrees_of_freedom(twice, split) == np.inf


@pytest.mark.parametrize("entered", [1e-3, 1e-9, 1e-10, 1e-12])
def test_a_feature_counts_as_soon_as_it_has_entered(entered):
    Q = np.linalg.qr(np.random.default_rng(0).normal(size=(40, 4)))[0] * np.sqrt(40)
    lasso = GroupLassoRegressor(fit_intercept=False, tol=1e-14)
    choose = InformationCriterion(lasso, alphas=[1 - entered], noise_variance=1.0)
    choose.fit(Q, Q @ [3, 2, 1, 0.5])
    assert choose.n_selected_[0] == 3
    assert choose.degrees_of_freedom_[0] == pytest.approx(3, abs=1e-8)


def test_a_tiny_duplicate_still_counts_nothing():
    X, Y = simulate(30, 5, 1, seed=3)
    single = build(X, Y, share=0.3)
    W = solve(single, tol=1e-12).W
    twice = build(np.c_[X, X[:, 0]], Y, strength=single.strength)
    df = degrees_of_freedom(single, W)
    for share in (1e-4, 1e-8, 1e-12):
        split = np.r_[W, share * W[:1]]
        split[0] *= 1 - share
        assert degrees_of_freedom(twice, split) == pytest.approx(df, abs=1e-6)


def test_orthonormal_design_gives_the_formula_of_yuan_and_lin():
    rng = np.random.default_rng(0)
    X = np.linalg.qr(rng.normal(size=(40, 8)))[0] * np.sqrt(40)
    Y = X[:, :4] @ rng.normal(size=(4, 3)) + rng.normal(size=(40, 3))
    objective = build(X, Y, share=0.15, fit_intercept=False, labels=[0, 0, 1, 1, 2, 2, 3, 3])
    W = solve(objective, tol=1e-12).W
    norms, full = objective.groups.norms(W), objective.groups.norms(X.T @ Y / 40)
    expected = (norms > 0).sum() + (norms / full * (2 * 3 - 1)).sum()
    assert degrees_of_freedom(objective, W, False) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("seed", range(5))
def test_group_lasso_counts_at_most_its_coefficients(seed):
    X, Y = simulate(30, 12, 3, correlation=0.5, seed=seed)
    fitted = InformationCriterion(GroupLassoRegressor(), alphas=30).fit(X, Y)
    df, kept = fitted.degrees_of_freedom_, fitted.n_selected_
    assert (df <= 3 * kept + 3 + 1e-9).all()
    assert (df >= kept + 3 - 1e-9).all()
    assert df[0] == 3


def test_a_point_that_is_no_minimum_has_none():
    X, Y = simulate(30, 4, 2, seed=0)
    objective = build(X, Y, Bridge2(), share=0.5)
    assert degrees_of_freedom(objective, np.full((4, 2), 1e-4)) == np.inf


def test_group_lasso_degrees_of_freedom_are_unbiased():
    X, Y = simulate(30, 6, 2, seed=4)
    rng, differences, counts = np.random.default_rng(0), [], []
    objective = build(X, Y, share=0.2)
    centre = fitted_values(objective, X, solve(objective).W)
    for _ in range(120):
        noise = rng.normal(size=Y.shape)
        moved = build(X, Y + noise, strength=objective.strength)
        W = solve(moved, tol=1e-7).W
        covariance = ((fitted_values(moved, X, W) - centre) * noise).sum()
        differences.append(covariance - degrees_of_freedom(moved, W))
        counts.append(covariance - W.any(axis=1).sum() - 2)
    error = np.std(differences) / np.sqrt(120)
    assert abs(np.mean(differences)) < 3 * error
    # The number of features would be a poor estimate.
    assert abs(np.mean(counts)) > 5 * error
