"""The objective with a ridge: duality gap, bounds on the curvature and degrees of freedom."""

from dataclasses import replace

import numpy as np
import pytest

from builders import build, build_classes, descend, every_unbounded_penalty, solve
from problems import simulate, simulate_classes
from shrinklin import GroupLassoRegressor, InformationCriterion, ShrinkNetRegressor
from shrinklin.objective.likelihood import Likelihood
from shrinklin.objective.objective import Objective
from shrinklin.selection.freedom import degrees_of_freedom

RIDGE = 0.3


def regression(gram, **options):
    X, Y = simulate(40, 8, 2, noise=3)
    return build(X + 1, Y, gram=gram, ridge=RIDGE, **options)


def classes(n_classes, **options):
    X, y = simulate_classes(60, 8, n_classes, noise=3)
    return build_classes(X + 1, y, ridge=RIDGE, **options)


LOSSES = {
    "gram": lambda **options: regression(True, **options),
    "columns": lambda **options: regression(False, **options),
    "two classes": lambda **options: classes(2, **options),
    "three classes": lambda **options: classes(3, **options),
}
GROUPS = {
    "single": {},
    "groups": {"labels": [0, 0, 1, 1, 1, 2, 3, 3]},
    "free": {"weights": [1, 0, 2, 1, 0, 0.5, 1, 1]},
    "no intercept": {"fit_intercept": False},
}
STRENGTHS = {"alpha": {"share": 0.2}, "alpha=0": {"strength": 0.0}}
every_loss = pytest.mark.parametrize("loss", LOSSES)
every_group = pytest.mark.parametrize("groups", GROUPS)
every_strength = pytest.mark.parametrize("strength", STRENGTHS)


def made(loss, groups, strength):
    return LOSSES[loss](**GROUPS[groups], **STRENGTHS[strength])


def best(objective, tol=1e-12):
    of_classes = isinstance(objective.smooth, Likelihood)
    return descend(objective, tol=tol) if of_classes else solve(objective, tol=tol)


def rough(objective, W):
    """Points far from the minimum W and near it."""
    rng = np.random.default_rng(0)
    yield np.zeros_like(W)
    for scale in (3.0, 1.0, 0.1, 1e-2, 1e-3, 1e-4):
        yield W + scale * rng.normal(size=W.shape)
        yield (1 + scale) * W
        yield scale * W


@every_loss
@every_group
@every_strength
def test_the_gap_bounds_the_excess_and_closes(loss, groups, strength):
    objective = made(loss, groups, strength)
    minimum, f0 = best(objective), objective.smooth.value_at_zero
    assert objective.duality_gap(minimum.W) <= 1e-10 * f0
    for W in rough(objective, minimum.W):
        excess, gap = objective.value(W) - minimum.value, objective.duality_gap(W)
        assert gap >= excess - 1e-13 * f0
        # Not by being large everywhere: the gap falls as fast as the excess, or as its root.
        assert gap <= 60 * (excess + np.sqrt(f0 * max(excess, 1e-13 * f0)))


def understated(objective, W):
    """How far the largest gap that is too small falls short, as a share of f(0)."""
    least = best(objective).value
    points = list(rough(objective, W))
    short = [objective.value(W) - least - objective.duality_gap(W) for W in points]
    return max(short) / objective.smooth.value_at_zero


@every_loss
def test_a_gap_that_counts_the_gradient_of_held_groups_for_nothing_is_rejected(loss, monkeypatch):
    objective = made(loss, "single", "alpha=0")
    W = best(objective).W
    assert understated(objective, W) <= 1e-13
    monkeypatch.setattr(Objective, "ridges", property(lambda self: np.full(len(self.groups), 1e9)))
    assert understated(objective, W) > 0.01


@pytest.mark.parametrize("loss", ["two classes", "three classes"])
def test_a_gap_whose_loss_has_no_ridge_is_rejected(loss, monkeypatch):
    objective, mixing = made(loss, "single", "alpha"), Likelihood.mixing
    W = best(objective).W
    assert understated(objective, W) <= 1e-13
    without = lambda self, *args: mixing(self.ridged(None), *args)  # noqa: E731
    monkeypatch.setattr(Likelihood, "mixing", without)
    assert understated(objective, W) > 1e-4


@every_loss
def test_the_gap_of_the_problem_without_ridge_does_not_close(loss):
    objective = made(loss, "single", "alpha")
    plain = replace(objective, smooth=objective.smooth.ridged(None))
    assert plain.duality_gap(best(objective).W) > 1e-3 * objective.smooth.value_at_zero


def hessian_block(objective, features, W, h=1e-4):
    """∂²f/∂W² on some features, by central differences of the gradient."""
    size = len(features) * W.shape[1]
    H = np.empty((size, size))
    for i, (j, t) in enumerate(np.ndindex(len(features), W.shape[1])):
        D = np.zeros_like(W)
        D[features[j], t] = h
        change = objective.smooth.evaluate(W + D)[1] - objective.smooth.evaluate(W - D)[1]
        H[:, i] = (change[features] / (2 * h)).ravel()
    return H


@every_loss
@pytest.mark.parametrize("groups", ["single", "groups", "free"])
def test_lipschitz_bounds_the_curvature_of_every_group(loss, groups):
    objective = made(loss, groups, "alpha")
    W, squared = np.zeros(objective.shape), loss in ("gram", "columns")
    for g, L in enumerate(objective.lipschitz):
        features = objective.groups.features(np.array([g]))
        largest = np.linalg.eigvalsh(hessian_block(objective, features, W))[-1]
        assert largest * (1 - 1e-6) <= L
        if squared:
            assert pytest.approx(largest, rel=1e-6) == L
    without = replace(objective, smooth=objective.smooth.ridged(None))
    ridges = objective.lipschitz - without.lipschitz
    np.testing.assert_allclose(ridges, RIDGE * (objective.groups.weights > 0), atol=1e-12)


@every_loss
def test_a_ridge_changes_only_its_own_copy(loss):
    plain = LOSSES[loss](share=0.2)
    plain = replace(plain, smooth=plain.smooth.ridged(None))
    W = np.random.default_rng(0).normal(size=plain.shape)
    before = plain.smooth.evaluate(W)
    ridge = np.linspace(0, 2, len(W))
    value, gradient = plain.smooth.ridged(ridge).evaluate(W)
    assert value == pytest.approx(before[0] + 0.5 * (ridge @ W**2).sum(), rel=1e-12)
    np.testing.assert_allclose(gradient, before[1] + ridge[:, None] * W, rtol=1e-10, atol=1e-12)
    after = plain.smooth.evaluate(W)
    assert after[0] == before[0]
    np.testing.assert_array_equal(after[1], before[1])


# --- degrees of freedom: test_degrees_of_freedom.py has the differences


def smoother_trace(X, ridge):
    """tr X(X'X + nρ)⁻¹X' of centred columns."""
    squares = np.linalg.svd(X - X.mean(axis=0), compute_uv=False) ** 2
    return (squares / (squares + len(X) * ridge)).sum()


@every_unbounded_penalty
@pytest.mark.parametrize("n_samples", [30, 8])
def test_without_alpha_they_are_the_trace_of_the_smoother(penalty, n_samples):
    X, Y = simulate(n_samples, 10, 3, seed=2)
    X[:, 4] = X[:, 5]
    for gram in (True, False):
        objective = build(X, Y, penalty, 0.0, ridge=RIDGE, gram=gram)
        df = degrees_of_freedom(objective, solve(objective).W)
        assert df == pytest.approx(3 * (smoother_trace(X, RIDGE) + 1), rel=1e-10)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_without_alpha_they_are_a_trace_of_classes_too(n_classes):
    X, y = simulate_classes(60, 5, n_classes, noise=3)
    objective = build_classes(X, y, strength=0.0, ridge=RIDGE)
    W = best(objective).W
    H = hessian_block(objective, np.arange(5), W)  # with the ridge
    expected = np.trace(np.eye(len(H)) - RIDGE * np.linalg.inv(H)) + n_classes - 1
    assert degrees_of_freedom(objective, W) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("entered", [1e-3, 1e-9, 1e-13])
def test_a_feature_counts_as_soon_as_it_has_entered(entered):
    Q = np.linalg.qr(np.random.default_rng(0).normal(size=(40, 4)))[0] * np.sqrt(40)
    objective = build(Q, Q[:, :1], strength=1.0, ridge=1.0, fit_intercept=False)
    W = np.array([[1.0], [0.5], [entered], [0.0]])
    # The ridge halves what every feature counts.
    assert degrees_of_freedom(objective, W, False) == pytest.approx(1.5, rel=1e-12)


@pytest.mark.parametrize("cls", [GroupLassoRegressor, ShrinkNetRegressor])
def test_the_log_likelihood_of_a_criterion_has_no_ridge(cls):
    X, Y = simulate(50, 8, 2, seed=6)
    fitted = InformationCriterion(cls(ridge=0.5), alphas=5, noise_variance=0.7).fit(X, Y)
    for i, Z in enumerate(fitted.path_.predict(X)):
        expected = -0.5 * (((Y - Z) ** 2).sum() / 0.7 + Y.size * np.log(2 * np.pi * 0.7))
        assert fitted.log_likelihoods_[i] == pytest.approx(expected, rel=1e-10)
    assert fitted.n_selected_.any()
    assert (fitted.estimator_.ridge, fitted.estimator_.alpha) == (0.5, fitted.alpha_)
    refitted = cls(fitted.alpha_, ridge=0.5).fit(X, Y)
    assert refitted.objective_ == pytest.approx(fitted.estimator_.objective_, rel=1e-6)
