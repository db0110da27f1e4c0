"""The minimum of the logistic loss over features without penalty, and whether there is one."""

import numpy as np
import pytest
from scipy import optimize

from builders import build_classes, logistic_regression
from likelihoods import mean_log_loss, noisy, random_W, two_or_more, with_and_without_intercept
from shrinklin.objective import unpenalised
from shrinklin.objective.likelihood import Likelihood


@two_or_more
def test_newton_goes_on_where_a_change_of_the_loss_is_rounding(n_classes):
    # A gradient of 1e-9 lowers the loss by 1e-18: whether it falls depends on the processor.
    scale = 10.0 ** np.array([-8, 8, 0, -4, 4, 0])
    for seed in range(20):
        X, codes, s = noisy(n_classes, n_samples=150, seed=seed)
        likelihood = build_classes(X * scale, codes, sample_weight=s).smooth
        minimum = likelihood.newton(np.zeros(likelihood.C.shape), np.arange(6))
        W, settled = minimum.seen.W, minimum.settled
        assert settled
        gradient = likelihood.evaluate(W)[1] / np.sqrt(likelihood.design.diagonal)[:, None]
        # It ends at 1e-12 on each of six orthonormal columns.
        assert np.linalg.norm(gradient, axis=1).max() < 1e-12 * np.sqrt(6 * n_classes)


@two_or_more
@with_and_without_intercept
def test_minimise_is_logistic_regression_on_its_features(n_classes, fit_intercept):
    X, codes, s = noisy(n_classes, n_samples=150)
    likelihood = build_classes(X, codes, sample_weight=s, fit_intercept=fit_intercept).smooth
    features = np.array([4, 0, 3])
    W = likelihood.minimise(np.zeros(likelihood.C.shape), features)
    assert not np.delete(W, features, axis=0).any()
    expected, intercept = logistic_regression(X[:, features], codes, s, fit_intercept)
    reference = mean_log_loss(X[:, features] @ expected + intercept, codes, s)
    value, gradient = likelihood.evaluate(W)
    assert value <= reference * (1 + 1e-12)
    assert value == pytest.approx(reference, rel=1e-8)
    assert np.abs(gradient[features]).max() < 1e-8


@two_or_more
def test_minimise_keeps_the_other_rows(n_classes):
    X, codes, s = noisy(n_classes, n_samples=150)
    likelihood = build_classes(X, codes, sample_weight=s).smooth
    start = random_W(likelihood.C.shape, 0.3)
    kept = start.copy()
    W = likelihood.minimise(start, np.array([1, 2]))
    np.testing.assert_array_equal(start, kept)
    np.testing.assert_array_equal(W[[0, 3, 4, 5]], start[[0, 3, 4, 5]])
    value, gradient = likelihood.evaluate(W)
    assert np.abs(gradient[[1, 2]]).max() < 1e-8
    assert value < likelihood.evaluate(start)[0]
    np.testing.assert_array_equal(likelihood.minimise(start, np.empty(0, dtype=int)), start)


@two_or_more
def test_minimise_over_collinear_and_constant_columns(n_classes):
    X, codes, s = noisy(n_classes, n_samples=150)
    plain = build_classes(X, codes, sample_weight=s).smooth
    redundant = np.column_stack([X, X[:, 0], X[:, 1] - 3 * X[:, 2], np.full(len(X), 7.0), 1e6 * X])
    likelihood = build_classes(redundant, codes, sample_weight=s).smooth
    W = likelihood.minimise(np.zeros(likelihood.C.shape), np.arange(redundant.shape[1]))
    assert np.isfinite(W).all()
    best = plain.evaluate(plain.minimise(np.zeros(plain.C.shape), np.arange(6)))[0]
    assert likelihood.evaluate(W)[0] == pytest.approx(best, rel=1e-10)
    constant = build_classes(np.ones((len(X), 2)), codes).smooth
    assert not constant.minimise(np.zeros(constant.C.shape), np.arange(2)).any()


def coefficients_of_far_columns(n_classes):
    """For columns far from zero; the last differs from the first by little more than rounding."""
    X, codes, _ = noisy(n_classes)
    rng = np.random.default_rng(0)
    far = X[:, :2] + 1e3
    X = np.column_stack([far, far[:, 0] + 3e-12 * rng.normal(size=len(X))])
    smooth = build_classes(X, codes).smooth
    return smooth.minimise(np.zeros(smooth.C.shape), np.arange(3))


@two_or_more
def test_no_coefficients_grow_on_what_is_rounding(n_classes, monkeypatch):
    assert np.abs(coefficients_of_far_columns(n_classes)).max() < 10
    # Mutant: what rounding leaves of a column counts as a column.
    honest = unpenalised._orthonormal
    monkeypatch.setattr(unpenalised, "_orthonormal", lambda X, noise: honest(X, 0 * noise))
    assert np.abs(coefficients_of_far_columns(n_classes)).max() > 1e6


@two_or_more
@pytest.mark.parametrize("n_features", [1, 80])
def test_separable_data_stop_with_next_to_no_loss(n_classes, n_features):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(40, n_features))
    codes = np.arange(40) % n_classes
    if n_features == 1:
        codes = X[:, 0].argsort().argsort() * n_classes // 40
    likelihood = build_classes(X, codes).smooth
    W = likelihood.minimise(np.zeros(likelihood.C.shape), np.arange(n_features))
    assert np.isfinite(W).all()
    value, gradient = likelihood.evaluate(W)
    assert 0 <= value <= 1e-5 * likelihood.value_at_zero
    assert np.isfinite(gradient).all()


def separable(X, codes, fit_intercept):
    """By a linear program: is there a direction in which some losses fall and none rises?"""
    n_classes = codes.max() + 1
    A = np.hstack([X, np.ones((len(X), 1))]) if fit_intercept else X
    margins = []
    for a, own in zip(A, codes, strict=True):
        for other in set(range(n_classes)) - {own}:
            D = np.zeros((A.shape[1], n_classes))
            D[:, own], D[:, other] = a, -a
            margins.append(D.ravel())
    M = np.array(margins)
    found = optimize.linprog(-M.sum(axis=0), -M, np.zeros(len(M)), bounds=(-1, 1))
    return -found.fun > 1e-5


def draw_classes(seed):
    """A few samples of real numbers, integers or flags, and classes with more or less noise."""
    rng = np.random.default_rng(seed)
    n_samples, n_features, n_classes = (
        int(rng.integers(*ends)) for ends in [(4, 25), (1, 4), (2, 5)]
    )
    X = rng.normal(size=(n_samples, n_features))
    X = [X, np.round(2 * X), (X > 0).astype(float)][seed % 3]
    noise = rng.choice([0, 0.3, 1, 3]) * rng.normal(size=(n_samples, n_classes))
    codes = (X @ rng.normal(size=(n_features, n_classes)) + noise).argmax(axis=1)
    codes[:n_classes] = np.arange(n_classes)
    return X, codes


@with_and_without_intercept
def test_features_that_separate_are_told_as_a_linear_program_tells(fit_intercept):
    counts = {True: 0, False: 0}
    for seed in range(60):
        X, codes = draw_classes(seed)
        likelihood = build_classes(X, codes, fit_intercept=fit_intercept).smooth
        minimum = likelihood.free_minimum(np.arange(X.shape[1]))
        expected = separable(X, codes, fit_intercept)
        assert minimum.settled == (not expected), seed
        assert np.isfinite(minimum.seen.W).all()
        counts[expected] += 1
    assert min(counts.values()) > 15


def test_steps_are_not_doubled_where_some_samples_are_told_apart(monkeypatch):
    def settled(seed):
        X = np.random.default_rng(seed).normal(size=(8, 1))
        likelihood = build_classes(X, np.arange(8), fit_intercept=False).smooth
        return likelihood.free_minimum(np.arange(1)).settled

    assert not any(settled(seed) for seed in range(12))
    # Mutant: steps are doubled here too. One direction to infinity is followed to its end, and
    # the short steps after it look settled in two of three problems.
    monkeypatch.setattr(Likelihood, "told_apart", lambda self, prediction: True)
    assert any(settled(seed) for seed in range(12))
