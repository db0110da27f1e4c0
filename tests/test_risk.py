"""The mean loss and its gradients, against loops over samples, scikit-learn and differences."""

from copy import copy

import numpy as np
import pytest
from scipy import sparse
from scipy.special import expit, softmax
from sklearn.metrics import log_loss

from oracles import squared_loss
from problems import simulate, simulate_classes
from shrinklin.data.moments import Moments
from shrinklin.gradient.risk import MomentRisk, SampleRisk, risk_of_data
from shrinklin.losses.logistic import logistic_loss
from shrinklin.losses.squared import SquaredLoss

LOSSES = ["squared", "two classes", "three classes"]
every_loss = pytest.mark.parametrize("name", LOSSES)
with_and_without_intercept = pytest.mark.parametrize("fit_intercept", [True, False])
every_weighting = pytest.mark.parametrize("weighting", ["even", "uneven", "zeros"])
every_container = pytest.mark.parametrize(
    "container", [np.asarray, sparse.csr_array, sparse.csc_array, sparse.csr_matrix]
)


def data(name="squared", n_samples=24, n_features=5, seed=0, mean=0.0):
    """Loss, X and Y; a third of X is zeros, and with `mean` nothing is centred."""
    if name == "squared":
        loss = SquaredLoss()
        X, Y = simulate(n_samples, n_features, 3, seed=seed)
        Y = Y + mean / 2
    else:
        n_classes = {"two classes": 2, "three classes": 3}[name]
        loss = logistic_loss(n_classes)
        X, codes = simulate_classes(n_samples, n_features, n_classes, noise=3, seed=seed)
        Y = loss.indicators(codes, n_classes)
    X[np.abs(X) < 0.4] = 0
    return loss, X + mean * np.arange(1, n_features + 1), Y


def weights_of(weighting, n_samples, seed=0):
    s = np.random.default_rng(seed).uniform(0.1, 3, n_samples)
    if weighting == "even":
        return np.ones(n_samples)
    if weighting == "zeros":
        s[::3] = 0
    return s


def point(n_features, n_targets, seed=0, scale=1.0, moving=True):
    """W and b; without an intercept b stays at 0."""
    rng = np.random.default_rng(seed)
    W = scale * rng.normal(size=(n_features, n_targets))
    return W, scale * rng.normal(size=n_targets) * moving


def sample_risk(
    name="squared", weighting="uneven", fit_intercept=True, container=np.asarray, cls=SampleRisk
):
    loss, X, Y = data(name)
    s = weights_of(weighting, len(X))
    return cls(loss, container(X), Y, s / s.sum(), fit_intercept)


def squared_by_rows(X, Y, s, W, b):
    """Value and gradients of the squared loss, sample by sample."""
    value, in_W, in_b = 0.0, np.zeros_like(W), np.zeros_like(b)
    for x, y, share in zip(X, Y, s / s.sum(), strict=True):
        error = np.array([x @ w for w in W.T]) + b - y
        value += share * 0.5 * sum(e**2 for e in error)
        in_W += share * np.outer(x, error)
        in_b += share * error
    return value, in_W, in_b


def assert_close(found, expected, rtol=1e-10):
    """Values and gradients agree, to digits of the largest entry of each."""
    for a, b in zip(found, expected, strict=True):
        scale = np.max(np.abs(b), initial=0.0)
        np.testing.assert_allclose(a, b, rtol=rtol, atol=rtol * (scale + (scale == 0)))


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
        # Also near the best, where the means have to cancel.
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
# Means of 1e6 make raw predictions of 1e8, known to a few 1e-8; 0.3 is left of them.
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
    """What exact solvers see."""

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
    # Far out the loss grows like what it is a soft maximum of.
    _, X, Y = data(name)
    Z, s = X @ W + b, weights_of("uneven", len(X))
    hard = Z.max(axis=1) if name == "three classes" else np.maximum(Z[:, 0], 0)
    assert found[0] == pytest.approx(s @ (hard - (Y * Z).sum(axis=1)) / s.sum(), rel=1e-3)


def differences(value, W, b, step=1e-5):
    """Central, in every entry of W and of b."""
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
    """Takes the weighted mean over the batch."""

    def evaluate(self, W, b, rows=None):
        found = super().evaluate(W, b, rows)
        share = 1 if rows is None else self.weight[rows].sum() * len(self.weight) / len(rows)
        return tuple(part / share for part in found)


class SumOfTheBatch(SampleRisk):
    """Forgets that the batch stands for all rows."""

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


def every_risk(fit_intercept=True):
    """Functions of features that make the risk of these out of five."""
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
    # In any order at the start, some to stay in the data that are stored, then fewer.
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


@every_loss
@every_container
@pytest.mark.parametrize("whole", [True, False])
@pytest.mark.parametrize("weighting", ["even", "zeros"])
def test_the_users_data_stay_as_they_are(name, container, whole, weighting):
    loss, X, Y = data(name)
    X, s = container(X), weights_of(weighting, len(Y))
    copies = X.copy(), Y.copy(), s.copy()
    for order in (np.arange(5), np.array([3, 0, 4, 1, 2])):
        risk = risk_of_data(loss, X, Y, s, order, True, whole)
        for left in (risk, risk.keep(np.array([0, 3]))):
            left.evaluate(*point(*left.shape))
            if not whole:
                left.evaluate(*point(*left.shape), rows=np.array([0, 2]))
    for now, before in zip((X, Y, s), copies, strict=True):
        same = now != before
        assert same.nnz == 0 if sparse.issparse(now) else not same.any()


@pytest.mark.parametrize(
    ("name", "n_samples", "n_features", "whole", "moments"),
    [
        ("squared", 12, 5, True, True),
        ("squared", 12, 12, True, True),
        ("squared", 12, 13, True, False),
        ("squared", 12, 5, False, False),
        ("two classes", 12, 5, True, False),
        ("three classes", 12, 5, True, False),
    ],
)
def test_moments_are_taken_where_they_do(name, n_samples, n_features, whole, moments):
    loss, X, Y = data(name, n_samples, n_features)
    # Rows without weight are no samples.
    for n_nonsense in (0, 5):
        X_more = np.vstack([X, np.full((n_nonsense, n_features), 7.0)])
        Y_more = np.vstack([Y, np.zeros((n_nonsense, Y.shape[1]))])
        s = np.r_[np.ones(n_samples), np.zeros(n_nonsense)]
        risk = risk_of_data(loss, X_more, Y_more, s, np.arange(n_features), True, whole)
        assert isinstance(risk, MomentRisk if moments else SampleRisk)
        assert risk.n_samples == n_samples
        assert risk.shape == (n_features, Y.shape[1])


def test_no_gram_matrix_too_large_for_memory(monkeypatch):
    loss, X, Y = data()
    for limit, cls in [(5, MomentRisk), (4, SampleRisk)]:
        monkeypatch.setattr("shrinklin.data.gram._LARGE", limit)
        risk = risk_of_data(loss, X, Y, np.ones(24), np.arange(5), True, True)
        assert isinstance(risk, cls)


def same_risk(a, b):
    assert type(a) is type(b)
    for seed in range(3):
        W, b_ = point(*a.shape, seed, moving=a.fit_intercept)
        assert_close(a.evaluate(W, b_), b.evaluate(W, b_), 1e-11)


@every_loss
@every_container
@with_and_without_intercept
@pytest.mark.parametrize("whole", [True, False])
def test_rows_without_weight_make_no_difference(name, container, fit_intercept, whole):
    loss, X, Y = data(name)
    s = weights_of("zeros", len(X))
    nonsense = X.copy()
    nonsense[s == 0] = 1e6
    options = np.array([3, 0, 4, 1, 2]), fit_intercept, whole
    without = risk_of_data(loss, X[s > 0], Y[s > 0], s[s > 0], *options)
    risk = risk_of_data(loss, container(nonsense), Y, s, *options)
    same_risk(without, risk)
    # Batches are drawn from all rows, so one of no weight would count.
    assert risk.n_samples == without.n_samples == np.sum(s > 0)


@every_loss
@every_container
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("whole", [True, False])
@pytest.mark.parametrize("order", [np.arange(5), np.array([3, 0, 4, 1, 2])])
def test_containers_and_precision_make_no_difference(name, container, dtype, whole, order):
    loss, X, Y = data(name)
    X, s = X.astype(np.float32).astype(float), weights_of("uneven", len(X))
    dense = risk_of_data(loss, X[:, order], Y, s, np.arange(5), True, whole)
    risk = risk_of_data(loss, container(X.astype(dtype)), Y, s, order, True, whole)
    same_risk(dense, risk)
    if not whole:
        W, b = point(*risk.shape)
        rows = np.array([3, 3, 20, 1])
        assert_close(risk.evaluate(W, b, rows), dense.evaluate(W, b, rows), 1e-12)


@every_loss
def test_only_shares_of_the_weight_matter(name):
    loss, X, Y = data(name)
    s = weights_of("uneven", len(X))
    same_risk(
        *(risk_of_data(loss, X, Y, c * s, np.arange(5), True, name == "squared") for c in (1, 1e5))
    )


@every_loss
def test_multiply_adds_of_dense_samples(name):
    risk = sample_risk(name)
    n, (p, q) = 24, risk.shape
    assert risk.value_multiply_adds() == n * p * q
    assert risk.gradient_multiply_adds() == 2 * n * p * q
    assert risk.gradient_multiply_adds(np.arange(7)) == 2 * 7 * p * q
    kept = risk.keep(np.array([0, 4]))
    assert kept.value_multiply_adds() == n * 2 * q
    assert kept.gradient_multiply_adds(np.arange(7)) == 2 * 7 * 2 * q


@pytest.mark.parametrize("container", [sparse.csr_array, sparse.csc_array, sparse.csc_matrix])
def test_multiply_adds_of_sparse_samples(container):
    risk = sample_risk(container=container)
    _, X, _ = data()
    products = sum(X[i, j] != 0 for i in range(24) for j in range(5)) * 3
    assert 0 < products < X.size * 3
    assert risk.value_multiply_adds() == products
    assert risk.gradient_multiply_adds() == 2 * products
    assert risk.gradient_multiply_adds(np.arange(6)) == round(2 * products / 4)
    left = np.count_nonzero(X[:, [0, 4]]) * 3
    assert risk.keep(np.array([0, 4])).gradient_multiply_adds() == 2 * left


@pytest.mark.parametrize("n_samples", [24, 100])
def test_multiply_adds_of_moments(n_samples):
    loss, X, Y = data(n_samples=n_samples)
    risk = risk_of_data(loss, X, Y, np.ones(n_samples), np.arange(5), True, True)
    assert risk.value_multiply_adds() == risk.gradient_multiply_adds() == 5 * 5 * 3
    kept = risk.keep(np.array([0, 4]))
    assert kept.value_multiply_adds() == kept.gradient_multiply_adds() == 2 * 2 * 3


@every_loss
@pytest.mark.parametrize("whole", [True, False])
def test_multiply_adds_before_the_first_evaluation_are_those_of_the_moments(name, whole):
    loss, X, Y = data(name)
    s = weights_of("zeros", len(X))
    risk = risk_of_data(loss, X, Y, s, np.arange(5), True, whole)
    products = (s > 0).sum() * 5 * (5 + 3) if isinstance(risk, MomentRisk) else 0
    assert risk.setup_multiply_adds == products


# --- the model without features


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


# --- copies


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
    """The whole risk with the other rows zero."""
    padded = np.zeros_like(W)
    padded[left] = W[left]
    value, in_W, in_b = risk.evaluate(padded, b)
    return value, in_W[left], in_b


@every_loss
def test_weights_whose_sum_is_too_large_for_a_float(name):
    loss, X, Y = data(name)
    s = weights_of("uneven", len(X))
    large = 1e308 / s.max() * s
    with np.errstate(over="ignore"):
        assert np.isinf(large.sum())
    same_risk(*(risk_of_data(loss, X, Y, w, np.arange(5), True, False) for w in (s, large)))
