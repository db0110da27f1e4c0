"""`risk_of_data`: moments or samples, containers, weights, and counts of multiply-adds."""

import numpy as np
import pytest
from scipy import sparse

from risks import (
    assert_close,
    data,
    every_container,
    every_loss,
    point,
    sample_risk,
    weights_of,
    with_and_without_intercept,
)
from shrinklin.gradient.risk import MomentRisk, SampleRisk, risk_of_data


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
    # Batches are drawn from all rows, so a row without weight would count.
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


@every_loss
def test_weights_whose_sum_is_too_large_for_a_float(name):
    loss, X, Y = data(name)
    s = weights_of("uneven", len(X))
    large = 1e308 / s.max() * s
    with np.errstate(over="ignore"):
        assert np.isinf(large.sum())
    same_risk(*(risk_of_data(loss, X, Y, w, np.arange(5), True, False) for w in (s, large)))
