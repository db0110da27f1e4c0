"""Moments against their definition, sums and differences of them, and what is refused."""

import tracemalloc
import warnings
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from equal_moments import assert_6_digits, assert_equal, far_from_zero, in_chunks
from problems import simulate
from shrinklin import GroupLassoRegressor, Moments


def from_raw_sums(X, Y):
    """A mutant: Σ xx' minus n times the product of the means."""
    moments, n = Moments.from_data(X, Y), len(X)
    xx = X.T @ X - n * np.outer(moments.x_mean, moments.x_mean)
    xy = X.T @ Y - n * np.outer(moments.x_mean, moments.y_mean)
    return replace(moments, xx=xx, xy=xy)


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


@pytest.mark.filterwarnings("ignore:.* keep so little of their sum:UserWarning")  # of one row
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


@pytest.mark.parametrize(
    "make",
    [
        Moments.from_data,
        lambda X, Y: Moments.from_chunks(in_chunks(X, Y, size=61)),
        lambda X, Y: Moments.from_chunks(in_chunks(X, Y, size=1)),
        lambda X, Y: sum(Moments.from_data(x, y) for x, y in in_chunks(X, Y)),
        lambda X, Y: (
            GroupLassoRegressor().partial_fit(X[:99], Y[:99]).partial_fit(X[99:], Y[99:]).moments_
        ),
    ],
    ids=["data", "chunks", "rows", "sum", "partial_fit"],
)
def test_large_means_keep_their_digits(make):
    X, Y, near = far_from_zero()
    assert_6_digits(make(X, Y), near)


def test_raw_sums_lose_their_digits():
    X, Y, near = far_from_zero()
    with pytest.raises(AssertionError):
        assert_6_digits(from_raw_sums(X, Y), near)


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
        (lambda X, Y: (X[:7], Y), r"X has shape \(7, 3\), Y has shape \(10, 2\)"),
        (lambda X, Y: (X[:, 0], Y), r"X has shape \(10,\)"),
        (lambda X, Y: (X, Y, np.zeros(10)), "zero on every row"),
        (lambda X, Y: (X, Y, np.ones(7)), "inconsistent numbers of samples"),
    ],
)
def test_bad_data_is_named(change, message):
    with pytest.raises(ValueError, match=message):
        Moments.from_data(*change(*simulate(10, 3, 2)))


def test_adding_makes_no_copies_of_its_products():
    X, Y = simulate(10, 1500, 1)
    moments = Moments.from_data(X, Y)
    tracemalloc.start()
    moments = moments + moments
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2 * moments.xx.nbytes


def test_what_is_no_moments_cannot_be_added():
    moments = Moments.from_data(*simulate(10, 3, 2))
    assert 0 + moments is moments
    for wrong in (lambda: moments + 1, lambda: 1 + moments, lambda: moments - np.eye(3)):
        with pytest.raises(TypeError, match="unsupported operand"):
            wrong()


def test_shown_by_their_size():
    assert repr(Moments.from_data(*simulate(10, 3, 1))) == (
        "Moments of 10 samples, 3 features, 1 target"
    )


def test_moments_are_compared_by_identity():
    moments = Moments.from_data(*simulate(10, 3, 2))
    assert moments == moments
    assert moments != replace(moments)
    assert len({moments, moments}) == 1


def test_sparse_columns_far_from_zero_are_those_of_the_dense_table():
    X, Y = simulate(200, 5, 2, correlation=0.5)
    X[np.abs(X) < 0.3] = 0
    X[:, [1, 3]] += 1e8
    X[:, 2] = np.where(X[:, 0] > 0, 3.0, 0)
    s = np.random.default_rng(0).uniform(0.1, 2, 200)
    near = X.copy()
    near[:, [1, 3]] -= 1e8
    expected = Moments.from_data(near, Y, s)
    found = Moments.from_data(sparse.csr_array(X), Y, s)
    for a, b in ((found.xx, expected.xx), (found.xy, expected.xy)):
        np.testing.assert_allclose(a, b, rtol=0, atol=1e-12 * np.abs(b).max())


@pytest.mark.parametrize("scale", [1.0, 1e3, 1e6])
def test_columns_that_are_constant_in_what_is_left(scale):
    for seed in range(20):
        X, Y = simulate(30, 3, 2, seed=seed)
        X[:10, 1] *= scale
        Y[:10, 0] *= scale
        X[10:, 1], Y[10:, 0] = 0.3, 7.7
        left = Moments.from_data(X, Y) - Moments.from_data(X[:10], Y[:10])
        assert not left.xx[1].any()
        assert not left.yy[0].any()


def test_a_deviation_of_450_roundings_is_no_constant():
    X, Y = simulate(400, 2, 1)
    X[:, 1] = 1 + 1e-13 * np.sign(X[:, 1])
    assert Moments.from_data(X, Y).xx[1, 1] > 0


def test_what_is_left_by_rounding_alone_is_none():
    X, Y = simulate(30, 3, 1)
    s = np.r_[np.full(15, 1e14), np.ones(15)]
    whole = Moments.from_data(X, Y, s)
    with pytest.raises(ValueError, match="leaves none"):
        whole - Moments.from_data(X[:15], Y[:15], s[:15])


def test_lost_digits_are_told():
    X, Y = simulate(30, 3, 1)
    s = np.r_[np.full(15, 1e11), np.ones(15)]
    whole, part = Moments.from_data(X, Y, s), Moments.from_data(X[:15], Y[:15], s[:15])
    with pytest.warns(UserWarning, match=r"columns of [XY], first 0, keep so little .*add"):
        left = whole - part
    np.testing.assert_array_equal(left.xx, whole.without(part).xx)
    X[3, 1] = 1e7
    frame = pd.DataFrame(X, columns=["a", "b", "c"])
    whole, part = Moments.from_data(frame, Y), Moments.from_data(frame[:15], Y[:15])
    with pytest.warns(UserWarning, match="1 columns of X, first b, keep so little"):
        whole - part


def _far(container):
    X, Y = simulate(40, 4, 2)
    X[:, 2] += 1e9
    return container(X), X, Y


@pytest.mark.parametrize("container", [sparse.dia_array, sparse.bsr_array, sparse.coo_array])
def test_all_kinds_of_sparse_tables(container):
    made, X, Y = _far(container)
    assert_equal(Moments.from_data(made, Y), Moments.from_data(sparse.csr_array(X), Y))


@pytest.mark.parametrize("dtype", [bool, np.int8, np.uint16, np.float32])
def test_all_kinds_of_numbers_in_sparse_tables(dtype):
    X, Y = simulate(40, 4, 2)
    X = (10 * np.abs(X)).astype(dtype)
    assert_equal(Moments.from_data(sparse.csr_array(X), Y), Moments.from_data(X, Y))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda X, Y: (sparse.csr_array(X * 1j), Y), "X is sparse with dtype complex128"),
        (lambda X, Y: (X, Y[:, :0]), r"Y has shape \(10, 0\): .* at least one column each"),
        (lambda X, Y: (X, Y * np.inf), "2 of the 2 columns of Y contain NaN, infinity"),
        (
            lambda X, Y: (X, np.where(np.eye(10, 2, -3) > 0, np.nan, Y)),
            "columns of Y contain .*First columns: [01]",
        ),
        (lambda X, Y: (X, Y, np.full(10, 1e308)), "sum of sample_weight is too large"),
        (lambda X, Y: (np.ma.masked_less(X, 0), Y), r"X has \d+ masked entries"),
        (lambda X, Y: (X, np.ma.masked_less(Y, 0)), r"Y has \d+ masked entries"),
        (
            lambda X, Y: (X, Y, np.ma.masked_less(np.arange(10.0), 3)),
            "sample_weight has 3 masked entries",
        ),
        (lambda X, Y: (np.full((10, 1), "1"), Y), "X has entries that are not real numbers"),
        (lambda X, Y: (X, Y + 1j), "Y has entries that are not real numbers"),
        (
            lambda X, Y: (np.full((10, 1), "2020-01-01", "datetime64[D]"), Y),
            "X has entries that are not real numbers",
        ),
    ],
)
def test_what_is_no_table_of_numbers_is_named(change, message):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", np.exceptions.ComplexWarning)  # wrong code would warn of it
        with np.errstate(invalid="ignore"), pytest.raises(ValueError, match=message):
            Moments.from_data(*change(*simulate(10, 3, 2)))


def test_a_mask_that_hides_nothing_is_accepted():
    X, Y = simulate(10, 3, 2)
    assert_equal(Moments.from_data(np.ma.array(X), Y), Moments.from_data(X, Y))


@pytest.mark.parametrize("off", [10.0, 1e9])
def test_rows_that_tell_where_columns_are_may_be_wrong(off):
    # Mutants: the weights of these rows are ignored; their shift is left in the products.
    X, Y = simulate(1000, 5, 2)
    misleading = np.arange(1000) % 10 == 0
    far = X + off * misleading[:, None]
    kept = Moments.from_data(X[~misleading], Y[~misleading])
    found = Moments.from_data(far, Y, np.where(misleading, 0.0, 1.0))
    assert_equal(replace(found, n_samples=900), kept)
    centred = far - far.mean(axis=0)
    np.testing.assert_allclose(Moments.from_data(far, Y).xx, centred.T @ centred, rtol=1e-12)
    np.testing.assert_allclose(Moments.from_data(far, Y).xy, centred.T @ Y, atol=1e-12 * off * 1e3)


@pytest.mark.parametrize("unit", [1e-200, 1e-60, 1e200])
def test_the_unit_of_weights_does_not_matter(unit):
    X, Y = simulate(50, 4, 2)
    s = np.linspace(1, 2, 50)
    model = GroupLassoRegressor(0.1 * 1e-100, tol=1e-10)
    one, other = model.fit(X, 1e-100 * Y, s).coef_, model.fit(X, 1e-100 * Y, unit * s).coef_
    np.testing.assert_allclose(1e100 * one, 1e100 * other, rtol=1e-9, atol=1e-12)


def test_moments_whose_sums_vanish_are_refused():
    X, Y = simulate(50, 4, 2)
    moments = Moments.from_data(X, 1e-100 * Y, np.full(50, 1e-150))
    with pytest.raises(ValueError, match="do not fit in float64"):
        GroupLassoRegressor().fit_moments(moments)
