"""The mean loss after features have been removed."""

import numpy as np
import pytest
from scipy import sparse

from problems import simulate
from risks import (
    LOSSES,
    assert_close,
    data,
    every_container,
    every_loss,
    point,
    weights_of,
    with_and_without_intercept,
)
from shrinklin.data.moments import Moments
from shrinklin.gradient.risk import MomentRisk, SampleRisk, risk_of_data


def every_risk(fit_intercept=True):
    """Functions that make the risk of the given features, out of five."""
    _, X, Y = data(mean=3.0)
    s = weights_of("uneven", len(X))

    def moments(features):
        return MomentRisk.from_moments(
            Moments.from_data(X[:, features], Y, s), np.arange(len(features)), fit_intercept
        )

    yield moments
    for name in LOSSES:
        for container in (np.asarray, sparse.csr_array, sparse.csc_array):

            def samples(features, name=name, container=container):
                loss, X, Y = data(name)
                return SampleRisk(loss, container(X[:, features]), Y, s / s.sum(), fit_intercept)

            yield samples


@with_and_without_intercept
@pytest.mark.parametrize("kept", [[1, 2, 4], [3], [0, 1, 2, 3, 4]])
def test_keep_is_the_risk_of_these_columns(fit_intercept, kept):
    kept = np.array(kept)
    for make in every_risk(fit_intercept):
        whole, alone = make(np.arange(5)), make(kept)
        risk = whole.keep(kept)
        assert type(risk) is type(whole)
        assert risk.shape == alone.shape == (len(kept), whole.shape[1])
        assert (risk.n_samples, risk.fit_intercept) == (whole.n_samples, fit_intercept)
        W, b = point(*risk.shape, moving=fit_intercept)
        found = risk.evaluate(W, b)
        assert_close(found, alone.evaluate(W, b), 1e-12)
        with_zeros = np.zeros(whole.shape)
        with_zeros[kept] = W
        value, in_W, in_b = whole.evaluate(with_zeros, b)
        assert_close(found, (value, in_W[kept], in_b), 1e-12)
        assert risk.value(W, b) == pytest.approx(alone.value(W, b), rel=1e-12)


def test_keep_twice_is_keep_of_what_is_left():
    for make in every_risk():
        risk = make(np.arange(5)).keep(np.array([0, 2, 3])).keep(np.array([1, 2]))
        W, b = point(*risk.shape)
        assert_close(risk.evaluate(W, b), make(np.array([2, 3])).evaluate(W, b), 1e-12)


@every_loss
@every_container
@pytest.mark.parametrize("whole", [True, False])
@pytest.mark.parametrize("left", [[19, 18, 17, 16, 15], [17, 9, 8], [20, 1, 0]])
def test_features_may_leave_one_by_one_or_many_at_once(name, container, whole, left):
    # The features start in any order; in each round fewer are left.
    loss, X, Y = data(name, n_features=20)
    s, rng = weights_of("uneven", len(X)), np.random.default_rng(0)
    of_user = rng.permutation(20)
    risk = risk_of_data(loss, container(X), Y, s, of_user, True, whole)
    for n_left in left:
        members = np.sort(rng.choice(len(of_user), n_left, replace=False))
        risk, of_user = risk.keep(members), of_user[members]
        alone = risk_of_data(loss, X[:, of_user], Y, s, np.arange(n_left), True, whole=False)
        W, b = point(*risk.shape)
        assert_close(risk.evaluate(W, b), alone.evaluate(W, b), 1e-11)
        assert risk.value(W, b) == pytest.approx(alone.value(W, b), rel=1e-11)
        if not whole:
            rows = np.array([5, 0, 5, 23])
            assert_close(risk.evaluate(W, b, rows), alone.evaluate(W, b, rows), 1e-12)
        if isinstance(risk, SampleRisk):
            entries = X[:, of_user].size if container is np.asarray else (X[:, of_user] != 0).sum()
            assert risk.value_multiply_adds() == entries * Y.shape[1]
            assert risk.gradient_multiply_adds(np.arange(6)) == round(entries * Y.shape[1] / 2)


def test_nothing_kept_leaves_the_intercept():
    nothing = np.empty(0, dtype=int)
    for make in every_risk():
        whole = make(np.arange(5))
        risk = whole.keep(nothing)
        W, b = point(*risk.shape)
        value, in_W, in_b = risk.evaluate(W, b)
        assert in_W.shape == (0, whole.shape[1])
        expected = whole.evaluate(np.zeros(whole.shape), b)
        assert_close((value, in_b), (expected[0], expected[2]), 1e-12)


def test_moments_are_copied_seldom_and_stay_right():
    # A copy of the Gram matrix at every removal would cost more than removal saves.
    X, Y = simulate(400, 100, 2)
    risk = MomentRisk.from_moments(Moments.from_data(X, Y), np.arange(100), True)
    W, b = point(100, 2, 0)
    expected, left, copies = risk, np.arange(100), 0
    for _ in range(90):
        kept = np.delete(np.arange(len(left)), len(left) // 2)
        left, before = left[kept], risk.G.X
        risk = risk.keep(kept)
        copies += risk.G.X is not before
        assert_close(risk.evaluate(W[left], b), evaluated_on(expected, W, b, left), 1e-10)
        assert risk.gradient_multiply_adds() == len(left) ** 2 * 2
    assert 5 < copies < 20


def evaluated_on(risk, W, b, left):
    """The risk of all features, with the rows of W that are not left set to zero."""
    padded = np.zeros_like(W)
    padded[left] = W[left]
    value, in_W, in_b = risk.evaluate(padded, b)
    return value, in_W[left], in_b
