"""The mean loss and its gradients, against loops over samples, scikit-learn and differences."""

from copy import copy

import numpy as np
import pytest
from scipy.special import expit, softmax
from sklearn.metrics import log_loss

from oracles import squared_loss
from risks import (
    LOSSES,
    assert_close,
    data,
    every_container,
    every_loss,
    every_weighting,
    point,
    sample_risk,
    weights_of,
    with_and_without_intercept,
)
from shrinklin.data.moments import Moments
from shrinklin.gradient.risk import MomentRisk, SampleRisk, risk_of_data
from shrinklin.losses.logistic import logistic_loss
from shrinklin.losses.squared import SquaredLoss


def squared_by_rows(X, Y, s, W, b):
    """Value and gradients of the squared loss, sample by sample."""
    value, in_W, in_b = 0.0, np.zeros_like(W), np.zeros_like(b)
    for x, y, share in zip(X, Y, s / s.sum(), strict=True):
        error = np.array([x @ w for w in W.T]) + b - y
        value += share * 0.5 * sum(e**2 for e in error)
        in_W += share * np.outer(x, error)
        in_b += share * error
    return value, in_W, in_b


def assert_moments_are_samples(
    cls, weighting="uneven", fit_intercept=True, order=None, mean=10.0, rtol=1e-10
):
    loss, X, Y = data(mean=mean)
    s, order = weights_of(weighting, len(X)), np.arange(5) if order is None else order
    moments = cls.from_moments(Moments.from_data(X, Y, s), order, fit_intercept)
    samples = SampleRisk(loss, X[:, order], Y, s / s.sum(), fit_intercept)
    assert moments.shape == samples.shape == (5, 3)
    for seed, scale in enumerate([1.0, 0.1, 30.0, 0.0]):
        W, b = point(5, 3, seed, scale, moving=fit_intercept)
        # Also near the best intercept, where means cancel.
        near = fit_intercept * (0.3 + Y.mean(axis=0) - X[:, order].mean(axis=0) @ W)
        for intercept in (b, near):
            expected = squared_by_rows(X[:, order], Y, s, W, intercept)
            if not fit_intercept:
                expected = *expected[:2], np.zeros(3)
            for risk in (moments, samples):
                found = risk.evaluate(W, intercept)
                assert_close(found, expected, rtol)
                assert risk.value(W, intercept) == found[0]


@every_weighting
@with_and_without_intercept
@pytest.mark.parametrize("order", [None, np.array([3, 0, 4, 1, 2])])
# Means of 1e6 make raw predictions near 1e8, known to a few 1e-8; differences near 0.3 remain.
@pytest.mark.parametrize(("mean", "rtol"), [(0.0, 1e-12), (10.0, 1e-11), (1e6, 1e-6)])
def test_moments_and_samples_are_the_sum_over_samples(weighting, fit_intercept, order, mean, rtol):
    assert_moments_are_samples(MomentRisk, weighting, fit_intercept, order, mean, rtol)


class MeansInTheUsersOrder(MomentRisk):
    @classmethod
    def from_moments(cls, moments, order, fit_intercept):
        risk = super().from_moments(moments, order, fit_intercept)
        back = np.argsort(order)
        return cls(
            risk.G.X, risk.C, risk.yy, risk.x_mean[back], risk.y_mean, risk.n_samples, fit_intercept
        )


class InterceptAtItsBest(MomentRisk):
    """The gradient for the best intercept, as exact solvers use it."""

    def evaluate(self, W, b, rows=None):
        value, in_W, off = super().evaluate(W, b, rows)
        return value, in_W - np.outer(self.x_mean, off), off


@pytest.mark.parametrize("mutant", [MeansInTheUsersOrder, InterceptAtItsBest])
def test_wrong_moments_are_not_the_sum_over_samples(mutant):
    with pytest.raises(AssertionError):
        assert_moments_are_samples(mutant, order=np.array([3, 0, 4, 1, 2]))


def test_without_an_intercept_it_has_no_gradient():
    for name in LOSSES:
        risk = sample_risk(name, fit_intercept=False)
        assert not risk.evaluate(*point(*risk.shape))[2].any()


def oracle(name, weighting):
    """R as a function of W and b."""
    _, X, Y = data(name)
    s = weights_of(weighting, len(X))
    if name == "squared":
        return lambda W, b: squared_loss(X, Y, W.T, b, s)
    codes = Y[:, 0] if name == "two classes" else Y.argmax(axis=1)

    def value(W, b):
        Z = np.array([[w @ x for w in W.T] for x in X]) + b
        shares = expit(Z[:, 0]) if name == "two classes" else softmax(Z, axis=1)
        return log_loss(codes, shares, sample_weight=s, labels=range(max(2, Z.shape[1])))

    return value


@every_loss
@every_weighting
@pytest.mark.parametrize("scale", [0.0, 0.3, 2.0])
def test_value_is_half_the_squared_error_or_the_log_loss(name, weighting, scale):
    risk = sample_risk(name, weighting)
    W, b = point(*risk.shape, scale=scale)
    assert risk.value(W, b) == pytest.approx(oracle(name, weighting)(W, b), rel=1e-11)
    assert risk.evaluate(W, b)[0] == risk.value(W, b)


@pytest.mark.parametrize("name", LOSSES[1:])
def test_far_raw_predictions_have_a_finite_loss(name):
    risk = sample_risk(name)
    W, b = point(*risk.shape, scale=1e4)
    found = risk.evaluate(W, b)
    assert all(np.isfinite(part).all() for part in found)
    # Far from zero the loss, a soft maximum, grows like the maximum itself.
    _, X, Y = data(name)
    Z, s = X @ W + b, weights_of("uneven", len(X))
    hard = Z.max(axis=1) if name == "three classes" else np.maximum(Z[:, 0], 0)
    assert found[0] == pytest.approx(s @ (hard - (Y * Z).sum(axis=1)) / s.sum(), rel=1e-3)


def differences(value, W, b, step=1e-5):
    """Central differences in every entry of W and of b."""
    slopes = []
    for at in (W, b):
        slope = np.zeros_like(at)
        for index in np.ndindex(at.shape):
            kept = at[index]
            at[index] = kept + step
            above = value(W, b)
            at[index] = kept - step
            slope[index] = (above - value(W, b)) / (2 * step)
            at[index] = kept
        slopes.append(slope)
    return slopes


def assert_gradients(risk, name, weighting):
    W, b = point(*risk.shape, scale=0.5)
    in_W, in_b = risk.evaluate(W, b)[1:]
    expected_W, expected_b = differences(oracle(name, weighting), W, b)
    np.testing.assert_allclose(in_W, expected_W, atol=1e-8)
    np.testing.assert_allclose(in_b, expected_b, atol=1e-8)


@every_loss
@every_weighting
def test_gradients_against_differences_of_an_oracle(name, weighting):
    assert_gradients(sample_risk(name, weighting), name, weighting)


class EvenGradient(SampleRisk):
    """Weights the values but not the gradients."""

    def evaluate(self, W, b, rows=None):
        even = copy(self)
        even.weight = np.full_like(self.weight, 1 / len(self.weight))
        return super().evaluate(W, b)[0], *SampleRisk.evaluate(even, W, b)[1:]


@every_loss
def test_wrong_gradients_do_not_pass(name):
    assert_gradients(sample_risk(name, "even", cls=EvenGradient), name, "even")
    with pytest.raises(AssertionError):
        assert_gradients(sample_risk(name, cls=EvenGradient), name, "uneven")


def batches_of(n_samples, sizes, seed=0):
    """A random partition of the rows."""
    order = np.random.default_rng(seed).permutation(n_samples)
    return np.split(order, np.cumsum(sizes)[:-1])


def assert_unbiased(risk, sizes):
    W, b = point(*risk.shape)
    batches = batches_of(risk.n_samples, sizes)
    assert sum(sizes) == risk.n_samples
    parts = [risk.evaluate(W, b, rows) for rows in batches]
    chance = np.array(sizes) / risk.n_samples
    mean = [sum(c * part[i] for c, part in zip(chance, parts, strict=True)) for i in range(3)]
    assert_close(mean, risk.evaluate(W, b), 1e-12)
    return parts


EVEN, UNEVEN = [6, 6, 6, 6], [1, 10, 5, 8]
every_batching = pytest.mark.parametrize("sizes", [EVEN, UNEVEN, [1] * 24, [24]])


@every_loss
@every_weighting
@every_container
@every_batching
def test_batches_are_unbiased(name, weighting, container, sizes):
    parts = assert_unbiased(sample_risk(name, weighting, container=container), sizes)
    if len(sizes) > 1:
        assert parts[0][0] != pytest.approx(parts[1][0], rel=1e-6), "batches that do not differ"


class WeightedInItsBatch(SampleRisk):
    """Divides by the sum of the weights in the batch."""

    def evaluate(self, W, b, rows=None):
        found = super().evaluate(W, b, rows)
        share = 1 if rows is None else self.weight[rows].sum() * len(self.weight) / len(rows)
        return tuple(part / share for part in found)


class SumOfTheBatch(SampleRisk):
    """Does not scale the sum over the batch up to all rows."""

    def evaluate(self, W, b, rows=None):
        found = super().evaluate(W, b, rows)
        share = 1 if rows is None else len(rows) / self.n_samples
        return tuple(share * part for part in found)


@pytest.mark.parametrize("mutant", [WeightedInItsBatch, SumOfTheBatch])
@pytest.mark.parametrize("sizes", [EVEN, UNEVEN])
def test_wrong_batches_are_biased(mutant, sizes):
    with pytest.raises(AssertionError):
        assert_unbiased(sample_risk(cls=mutant), sizes)


def test_moments_know_no_rows():
    risk = MomentRisk.from_moments(Moments.from_data(*data()[1:]), np.arange(5), True)
    with pytest.raises(ValueError, match="single rows"):
        risk.evaluate(*point(5, 3), rows=np.arange(3))


@pytest.mark.parametrize("name", LOSSES)
@every_weighting
@with_and_without_intercept
def test_constant_is_the_best_intercept_alone(name, weighting, fit_intercept):
    risk = sample_risk(name, weighting=weighting, fit_intercept=fit_intercept)
    b, value = risk.constant()
    W = np.zeros(risk.shape)
    assert value == pytest.approx(risk.value(W, b), rel=1e-12)
    if not fit_intercept:
        assert not b.any()
        return
    np.testing.assert_allclose(risk.evaluate(W, b)[2], 0, atol=1e-12)
    for step in np.random.default_rng(0).normal(size=(20, len(b))):
        assert risk.value(W, b + 0.1 * step) >= value - 1e-12


@with_and_without_intercept
def test_constant_of_moments_is_that_of_samples(fit_intercept):
    _, X, Y = data("squared")
    s, order = weights_of("uneven", len(X)), np.arange(X.shape[1])
    moments, samples = (
        risk_of_data(SquaredLoss(), X, Y + 3, s, order, fit_intercept, whole)
        for whole in (True, False)
    )
    assert isinstance(moments, MomentRisk)
    for ours, theirs in zip(moments.constant(), samples.constant(), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-12)


def test_a_class_without_weight_has_a_finite_constant():
    loss = logistic_loss(3)
    Y = loss.indicators(np.array([0, 1, 0, 1]), 3)
    b, value = SampleRisk(loss, np.ones((4, 1)), Y, np.full(4, 0.25), True).constant()
    assert np.isfinite(b).all()
    assert value == pytest.approx(np.log(2))
