"""The losses against finite differences, dense Hessians and scipy."""

import numpy as np
import pytest
from scipy.special import expit, log_expit, log_softmax, logsumexp, softmax

from shrinklin.losses.logistic import Binomial, Multinomial, logistic_loss

LOSSES = {"2 classes": (Binomial(), 1), "3 classes": (Multinomial(), 3), "9": (Multinomial(), 9)}
every_loss = pytest.mark.parametrize(("loss", "n_targets"), LOSSES.values(), ids=LOSSES)


def random_Z(n_targets, scale=3.0, n_samples=40):
    return scale * np.random.default_rng(0).normal(size=(n_samples, n_targets))


def random_shares(n_targets, n_samples=40):
    """Points of the domain of the conjugate, some on its boundary."""
    rng = np.random.default_rng(1)
    if n_targets == 1:
        return np.vstack([rng.uniform(size=(n_samples, 1)), [[0.0], [1.0]]])
    return np.vstack([rng.dirichlet(np.full(n_targets, 0.5), n_samples), np.eye(n_targets)])


def dense_hessian(p):
    """Of one sample, entry by entry."""
    H = np.array([[(i == j) * a - a * b for j, b in enumerate(p)] for i, a in enumerate(p)])
    return np.array([[p[0] * (1 - p[0])]]) if len(p) == 1 else H


def test_which_classes_take_which_loss():
    assert isinstance(logistic_loss(2), Binomial)
    assert isinstance(logistic_loss(3), Multinomial)


def test_indicators():
    codes = np.array([1, 0, 2, 1])
    np.testing.assert_array_equal(Binomial().indicators(codes[:2], 2), [[1], [0]])
    expected = [[0, 1, 0], [1, 0, 0], [0, 0, 1], [0, 1, 0]]
    np.testing.assert_array_equal(Multinomial().indicators(codes, 3), expected)


@pytest.mark.parametrize("scale", [1e-3, 1, 1000])
def test_partition_is_that_of_scipy(scale):
    Z = random_Z(1, scale)
    A, P = Binomial().partition(Z)
    np.testing.assert_allclose(A, np.logaddexp(0, Z[:, 0]), rtol=1e-14)
    np.testing.assert_allclose(P, expit(Z), rtol=1e-13, atol=1e-300)
    Z = random_Z(4, scale)
    A, P = Multinomial().partition(Z)
    np.testing.assert_allclose(A, logsumexp(Z, axis=1), rtol=1e-14)
    np.testing.assert_allclose(P, softmax(Z, axis=1), rtol=1e-12)


@every_loss
def test_probabilities_are_the_gradient_of_the_partition(loss, n_targets):
    Z = random_Z(n_targets)
    P = loss.partition(Z)[1]
    for t in range(n_targets):
        step = 1e-5 * np.eye(n_targets)[t]
        slope = (loss.partition(Z + step)[0] - loss.partition(Z - step)[0]) / 2e-5
        np.testing.assert_allclose(P[:, t], slope, atol=1e-9)


@every_loss
@pytest.mark.parametrize("scale", [0.1, 3, 1000])
def test_values_are_partition_less_raw_prediction(loss, n_targets, scale):
    Z = random_Z(n_targets, scale)
    codes = np.arange(len(Z)) % (n_targets + (n_targets == 1))
    Y = loss.indicators(codes, max(2, n_targets))
    A = loss.partition(Z)[0]
    values = loss.values(Y, Z, A)
    np.testing.assert_allclose(values, A - (Y * Z).sum(axis=1), atol=1e-13 * scale)
    logs = loss.log_probabilities(Z)[np.arange(len(Z)), codes]
    np.testing.assert_allclose(values, -logs, rtol=1e-12, atol=1e-13 * scale)


def test_small_values_of_two_classes_keep_their_digits():
    Z = np.array([[40.0], [-40.0]])
    values = Binomial().values(np.array([[1.0], [0.0]]), Z, Binomial().partition(Z)[0])
    np.testing.assert_allclose(values, np.exp(-40), rtol=1e-14)


@every_loss
def test_hessian_product_is_the_derivative_of_the_probabilities(loss, n_targets):
    Z, V = random_Z(n_targets), random_Z(n_targets)[::-1]
    P = loss.partition(Z)[1]
    change = (loss.partition(Z + 1e-5 * V)[1] - loss.partition(Z - 1e-5 * V)[1]) / 2e-5
    np.testing.assert_allclose(loss.hessian_product(P, V), change, atol=1e-8)


@every_loss
def test_hessians_against_dense_ones(loss, n_targets):
    Z = random_Z(n_targets)
    P, V = loss.partition(Z)[1], Z[::-1]
    weight = np.random.default_rng(2).uniform(size=len(Z))
    hessians = [dense_hessian(p) for p in P]
    expected = [H @ v for H, v in zip(hessians, V, strict=True)]
    np.testing.assert_allclose(loss.hessian_product(P, V), expected, atol=1e-14)
    mean = sum(w * H for w, H in zip(weight, hessians, strict=True))
    # Made definite: what sums to 0 is the image of the same vectors.
    R = np.eye(n_targets) - (n_targets > 1) / n_targets
    steps = np.linalg.solve(loss.mean_hessian(P, weight), R)
    np.testing.assert_allclose(mean @ steps, R, atol=1e-12)
    diagonal, product = loss.mean_hessian_product(P, weight)
    np.testing.assert_allclose(diagonal, np.diagonal(mean), atol=1e-14)
    for v in np.eye(n_targets):
        np.testing.assert_allclose(product(v), mean @ v, atol=1e-14)
    # Of Multinomial the least eigenvalue is 0, along (1, …, 1).
    eigenvalues = [np.linalg.eigvalsh(H)[n_targets > 1 :].mean() for H in hessians]
    np.testing.assert_allclose(loss.curvatures(P), eigenvalues, atol=1e-14)


def test_mean_hessians_keep_their_digits_where_probabilities_are_next_to_one():
    # As differences of shares their entries would be off by 1e-16, more than there is of them.
    rare = np.array([1.0, 1e-20, 3e-20])
    P, weight = np.array([rare, np.roll(rare, 1)]), np.array([0.25, 0.75])
    H = Multinomial().mean_hessian(P, weight)
    pairs = P.T @ (weight[:, None] * P)
    step = np.linalg.solve(H / pairs[0, 1], np.array([1.0, -1.0, 0.0]))
    flow = [pairs[j, k] / pairs[0, 1] * (step[j] - step[k]) for j, k in [(0, 1), (0, 2), (1, 2)]]
    np.testing.assert_allclose(flow[0] + flow[1], 1, rtol=1e-12)
    np.testing.assert_allclose(flow[2] - flow[0], -1, rtol=1e-12)


@every_loss
def test_curvature_bound_bounds_and_is_attained(loss, n_targets):
    extreme = np.zeros(n_targets)
    extreme[:2] = 0.5
    largest = [np.linalg.eigvalsh(dense_hessian(p))[-1] for p in random_shares(n_targets)]
    assert max(largest) <= loss.curvature_bound + 1e-15
    assert np.linalg.eigvalsh(dense_hessian(extreme))[-1] == pytest.approx(loss.curvature_bound)


@every_loss
def test_conjugate_by_fenchel_and_young(loss, n_targets):
    Z = random_Z(n_targets)
    A, P = loss.partition(Z)
    np.testing.assert_allclose(A + loss.conjugate(P), (Z * P).sum(axis=1), atol=1e-13)
    for q in random_shares(n_targets):
        Q = np.tile(q, (len(Z), 1))
        assert (A + loss.conjugate(Q) - Z @ q).min() >= -1e-13


@every_loss
def test_link_inverts(loss, n_targets):
    for scale in (0.1, 3, 30):
        shares = loss.partition(random_Z(n_targets, scale, 1))[1][0]
        shares = np.clip(shares, 1e-16, 1 - 1e-16)
        P = loss.partition(loss.link(shares)[None])[1][0]
        np.testing.assert_allclose(P, shares, rtol=1e-9)


@every_loss
@pytest.mark.parametrize("scale", [1, 1000])
def test_log_probabilities_are_accurate_and_normalised(loss, n_targets, scale):
    signs = np.array([[-1.0], [0.0], [1.0]]) ** np.arange(1, n_targets + 1)
    Z = scale * np.vstack([signs, -signs, np.roll(signs, 1, axis=1)])
    logs = loss.log_probabilities(Z)
    expected = log_softmax(Z, axis=1)
    if n_targets == 1:
        expected = np.hstack([log_expit(-Z), log_expit(Z)])
    assert np.isfinite(logs).all()
    np.testing.assert_allclose(logs, expected, rtol=1e-14)
    np.testing.assert_allclose(np.exp(logs).sum(axis=1), 1, rtol=1e-14)


def test_log_probabilities_of_any_leading_shape():
    Z = random_Z(3).reshape(4, 10, 3)
    logs = Multinomial().log_probabilities(Z)
    np.testing.assert_array_equal(logs[2], Multinomial().log_probabilities(Z[2]))
    logs = Binomial().log_probabilities(Z[..., :1])
    assert logs.shape == (4, 10, 2)
    np.testing.assert_array_equal(logs[2], Binomial().log_probabilities(Z[2, :, :1]))


def test_nothing_overflows_far_out():
    for loss, n_targets in LOSSES.values():
        Z = np.array([[1.0], [-1.0]]) * np.where(np.arange(n_targets) % 2, -1e4, 1e4)
        A, P = loss.partition(Z)
        assert np.isfinite(A).all()
        assert np.isfinite(P).all()
        assert np.isfinite(loss.hessian_product(P, Z)).all()
        assert np.isfinite(loss.conjugate(P)).all()


def test_two_classes_are_the_multinomial_of_logits_0_and_z():
    Z, V = random_Z(1), random_Z(1)[::-1]
    two, many = Binomial(), Multinomial()

    def pair(Z):
        return np.hstack([np.zeros_like(Z), Z])

    (A, P), (A2, P2) = two.partition(Z), many.partition(pair(Z))
    np.testing.assert_allclose(A, A2)
    np.testing.assert_allclose(P, P2[:, 1:])
    codes, weight = np.arange(len(Z)) % 2, np.full(len(Z), 1 / len(Z))
    np.testing.assert_allclose(
        two.values(two.indicators(codes, 2), Z, A),
        many.values(many.indicators(codes, 2), pair(Z), A2),
    )
    np.testing.assert_allclose(two.hessian_product(P, V), many.hessian_product(P2, pair(V))[:, 1:])
    second = many.mean_hessian_product(P2, weight)[1](np.array([0.0, 1.0]))[1:]
    np.testing.assert_allclose(two.mean_hessian(P, weight)[0], second)
    np.testing.assert_allclose(two.conjugate(P), many.conjugate(P2))
    np.testing.assert_allclose(two.log_probabilities(Z), many.log_probabilities(pair(Z)))
    # Its one direction, (1, −1)/√2, changes z by √2.
    np.testing.assert_allclose(2 * two.curvatures(P), many.curvatures(P2))
    assert 2 * two.curvature_bound == many.curvature_bound
