import numpy as np
import pytest
from scipy import sparse

from problems import simulate
from shrinklin import Moments


def arrays(moments):
    return [moments.x_mean, moments.y_mean, moments.xx, moments.xy, moments.yy]


def assert_equal(a, b, lost=None):
    """Equal to 1e-11 of themselves, or of `lost`, moments that were taken off."""
    assert a.n_samples == b.n_samples
    np.testing.assert_allclose(a.weight, b.weight)
    for x, y, size in zip(arrays(a), arrays(b), arrays(lost or b), strict=True):
        np.testing.assert_allclose(x, y, rtol=1e-11, atol=1e-11 * np.abs(size).max())


def test_against_the_definition():
    X, Y = simulate(30, 5, 2)
    s = np.random.default_rng(0).uniform(0, 3, 30)
    moments = Moments.from_data(X, Y, s)
    x_mean = sum(si * x for si, x in zip(s, X, strict=True)) / s.sum()
    y_mean = sum(si * y for si, y in zip(s, Y, strict=True)) / s.sum()
    xx = sum(si * np.outer(x - x_mean, x - x_mean) for si, x in zip(s, X, strict=True))
    xy = sum(si * np.outer(x - x_mean, y - y_mean) for si, x, y in zip(s, X, Y, strict=True))
    np.testing.assert_allclose(moments.x_mean, x_mean)
    np.testing.assert_allclose(moments.xx, xx, atol=1e-12)
    np.testing.assert_allclose(moments.xy, xy, atol=1e-12)


@pytest.mark.parametrize("cut", [1, 17, 49])
def test_add_and_subtract(cut):
    X, Y = simulate(50, 6, 3)
    X += 100 * np.arange(6)
    s = np.random.default_rng(1).uniform(0.1, 2, 50)
    whole = Moments.from_data(X, Y, s)
    head = Moments.from_data(X[:cut], Y[:cut], s[:cut])
    tail = Moments.from_data(X[cut:], Y[cut:], s[cut:])
    assert_equal(head + tail, whole)
    assert_equal(tail + head, whole)
    assert_equal(whole - tail, head, lost=tail)


@pytest.mark.parametrize("container", [sparse.csr_array, sparse.csc_array, sparse.csr_matrix])
def test_sparse_equals_dense(container):
    X, Y = simulate(40, 7, 2)
    X[np.abs(X) < 0.8] = 0
    s = np.random.default_rng(2).uniform(0, 1, 40)
    assert_equal(Moments.from_data(container(X), Y, s), Moments.from_data(X, Y, s))


def test_many_chunks_equal_one(monkeypatch):
    X, Y = simulate(100, 6, 2)
    whole = Moments.from_data(X, Y)
    monkeypatch.setattr("shrinklin.moments._CHUNK_BYTES", 8 * 6 * 7)
    assert_equal(Moments.from_data(X, Y), whole)


def test_large_means_keep_their_digits():
    X, Y = simulate(500, 4, 2)
    far = Moments.from_data(X + 1e8, Y)
    near = Moments.from_data((X + 1e8) - 1e8, Y)
    np.testing.assert_allclose(far.xx, near.xx, rtol=1e-6, atol=1e-6 * near.xx.max())


@pytest.mark.parametrize("value", [0.1, -3e8, 1e-300])
@pytest.mark.parametrize("make", [np.asarray, sparse.csr_array])
def test_constant_columns_are_exact_zeros(value, make):
    X, Y = simulate(333, 3, 2)
    X[:, 1] = value
    moments = Moments.from_data(make(X), Y)
    assert not moments.xx[1].any()
    assert not moments.xx[:, 1].any()
    assert not moments.xy[1].any()


def test_combining_other_columns_or_too_much_is_refused():
    X, Y = simulate(10, 3, 2)
    moments = Moments.from_data(X, Y)
    with pytest.raises(ValueError, match="combine moments of the same columns"):
        moments + Moments.from_data(X[:, :2], Y)
    with pytest.raises(ValueError, match="leaves none"):
        moments - moments
    parts = [Moments.from_data(X[i::3], Y[i::3]) for i in range(3)]
    with pytest.raises(ValueError, match="leaves none"):
        moments - parts[0] - parts[1] - parts[2]


def test_a_column_that_is_constant_in_the_remainder():
    X, Y = simulate(30, 3, 2)
    X[10:, 1] = 0.3
    left = Moments.from_data(X, Y) - Moments.from_data(X[:10], Y[:10])
    assert not left.xx[1].any()
    assert not left.xy[1].any()


def test_one_target_and_lists():
    X, Y = simulate(10, 3, 1)
    assert_equal(Moments.from_data(X.tolist(), Y.ravel().tolist()), Moments.from_data(X, Y))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda X, Y: (X[:7], Y), r"X has shape \(7, 3\), Y \(10, 2\)"),
        (lambda X, Y: (X[:, 0], Y), r"X has shape \(10,\)"),
        (lambda X, Y: (X, Y, np.zeros(10)), "zero on every row"),
        (lambda X, Y: (X, Y, np.ones(7)), "inconsistent numbers of samples"),
    ],
)
def test_bad_data_is_named(change, message):
    with pytest.raises(ValueError, match=message):
        Moments.from_data(*change(*simulate(10, 3, 2)))
