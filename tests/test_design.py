"""What is kept, sparse or computed by parts is the same as columns of the data."""

import numpy as np
import pytest
from scipy import sparse

from problems import simulate
from shrinklin.data.design import Design


def slow_columns(X, s, order, fit_intercept):
    """√(s_i/Σs) (X − means), features in `order`."""
    X = X - fit_intercept * (s @ X / s.sum())
    return (np.sqrt(s / s.sum())[:, None] * X)[:, order]


@pytest.fixture(params=["dense", "float32", "sparse", "sparse, one far from zero"])
def designs(request):
    """Pairs of a design and its columns, with an intercept and without."""
    X, _ = simulate(40, 30, 2)
    X[np.abs(X) < 1] = 0
    X[:, 3] = 1.0
    if "far" in request.param:
        X[:, 5] += 1e6
    s, order = np.random.default_rng(0).uniform(0.1, 2, 40), np.roll(np.arange(30), 7)
    if "32" in request.param:
        X = X.astype(np.float32).astype(float)
    given = sparse.csr_array(X) if "sparse" in request.param else X
    given = given.astype(np.float32) if "32" in request.param else given
    found = []
    for fit_intercept in (True, False):
        design, exact = (
            make(of, s, order, fit_intercept) for make, of in [(Design, given), (slow_columns, X)]
        )
        # What is kept changes nothing but time.
        found += [(design, exact), (design.with_memory(), exact)]
    return found


def test_products_are_those_of_columns(designs):
    rng = np.random.default_rng(1)
    for design, columns in designs:
        R, W = rng.normal(size=(40, 2)), np.zeros((30, 2))
        # First few, then known ones and others, then more than there is room for.
        for size in (4, 9, 3, 14, 30, 5):
            some = rng.permutation(30)[:size]
            exact = columns[:, some]
            # Beside columns far from zero, others are known to as many digits less. Centred, such
            # a column keeps the last digits of its values and of their mean, over 40 rows.
            far = 40 * np.finfo(float).eps * abs(design.X).max()
            off = 1e-10 * max(1.0, np.abs(columns).max()) + far
            np.testing.assert_allclose(
                design.cross(some, some), exact.T @ exact, atol=off, rtol=1e-9
            )
            first = columns[:, :3].T @ exact
            np.testing.assert_allclose(design.cross([0, 1, 2], some), first, atol=off, rtol=1e-9)
            np.testing.assert_allclose(design.transposed(some), exact.T, atol=off)
            np.testing.assert_allclose(design.correlate_some(some, R), exact.T @ R, atol=off)
            np.testing.assert_allclose(design.correlate(R), columns.T @ R, atol=off)
            W[:] = 0
            W[some] = rng.normal(size=(size, 2))
            np.testing.assert_allclose(design.product(W), columns @ W, atol=off)


def test_sparse_data_are_not_spread_out():
    rng = np.random.default_rng(0)
    X = sparse.csr_array(rng.random((300, 400)) * (rng.random((300, 400)) < 0.01))
    design = Design(X, np.ones(300), np.arange(400), fit_intercept=False)
    design.rows = design.columns = None
    design.cross(np.arange(50), np.arange(50))
    design.product(np.ones((400, 2)))
    design.correlate_some(np.arange(50), np.ones((300, 2)))


def test_no_more_rows_are_kept_than_twice_those_asked_for():
    X, _ = simulate(20, 200, 2)
    design = Design(X, np.ones(20), np.arange(200)).with_memory()
    for start in range(0, 190, 5):
        design.transposed(np.arange(start, start + 10))
    assert len(design._kept.stored) <= 20


@pytest.mark.parametrize("scale", [1.0, 1e-30])
@pytest.mark.parametrize("mean", [0.0, 30.0])
def test_products_in_float32_are_as_good_as_they_say(mean, scale):
    # Mutants: an error that does not look at the means, or at the range of float32.
    X, s, order = simulate(300, 40, 2)[0].astype(np.float32), np.ones(300), np.arange(40)
    X = ((X + mean) * scale).astype(np.float32)
    design, R = Design(X, s, order), 1e30 * np.random.default_rng(0).normal(size=(300, 3))
    exact = slow_columns(X.astype(float), s, order, True).T @ R
    found, error = design.correlate_roughly(R)
    off = np.linalg.norm(found - exact, axis=1) / np.sqrt(design.diagonal)
    assert off.max() <= error + 1e-12 * np.linalg.norm(R)
    assert (error == 0) == (scale != 1)
    assert error < 0.01 * np.linalg.norm(R)
    if error:
        assert off.max() > 1e-3 * error, "the product should be one of float32"
