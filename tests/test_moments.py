import tracemalloc
import warnings
import weakref
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from problems import simulate
from shrinklin import GroupLassoRegressor, Moments, ShrinkNetRegressor
from shrinklin.data import moments as moments_module
from shrinklin.data.moments import _CHUNK_BYTES


def arrays(moments):
    return [moments.x_mean, moments.y_mean, moments.xx, moments.xy, moments.yy]


def assert_equal(a, b, lost=None):
    """Equal to 1e-11 of themselves, or of `lost`, moments that were taken off."""
    assert a.n_samples == b.n_samples
    np.testing.assert_allclose(a.weight, b.weight)
    for x, y, size in zip(arrays(a), arrays(b), arrays(lost or b), strict=True):
        np.testing.assert_allclose(x, y, rtol=1e-11, atol=1e-11 * np.abs(size).max())


def far_from_zero(n_samples=500):
    """X of mean 1e8 and deviation 1, Y, and the moments of the same numbers about zero."""
    X, Y = simulate(n_samples, 4, 2)
    return X + 1e8, Y, Moments.from_data((X + 1e8) - 1e8, Y)


def from_raw_sums(X, Y):
    """A mutant: Σ xx' less n times the means' product."""
    moments, n = Moments.from_data(X, Y), len(X)
    xx = X.T @ X - n * np.outer(moments.x_mean, moments.x_mean)
    xy = X.T @ Y - n * np.outer(moments.x_mean, moments.y_mean)
    return replace(moments, xx=xx, xy=xy)


def in_chunks(X, Y, s=None, size=7):
    """Tuples of `size` rows."""
    given = (X, Y) if s is None else (X, Y, s)
    return [tuple(a[i : i + size] for a in given) for i in range(0, X.shape[0], size)]


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


@pytest.mark.filterwarnings("ignore:.* have so little left:UserWarning")  # of one row
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
    monkeypatch.setattr("shrinklin.data.moments._CHUNK_BYTES", 8 * 6 * 7)
    assert_equal(Moments.from_data(X, Y), whole)


def assert_6_digits(far, near):
    np.testing.assert_allclose(far.xx, near.xx, rtol=1e-6, atol=1e-6 * near.xx.max())
    np.testing.assert_allclose(far.xy, near.xy, rtol=1e-6, atol=1e-6 * np.abs(near.xy).max())
    models = [ShrinkNetRegressor(tol=1e-10).fit_moments(m).coef_ for m in (far, near)]
    np.testing.assert_allclose(*models, rtol=1e-6, atol=1e-6 * np.abs(models[1]).max())


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
        (lambda X, Y: (X[:7], Y), r"X has shape \(7, 3\), Y \(10, 2\)"),
        (lambda X, Y: (X[:, 0], Y), r"X has shape \(10,\)"),
        (lambda X, Y: (X, Y, np.zeros(10)), "zero on every row"),
        (lambda X, Y: (X, Y, np.ones(7)), "inconsistent numbers of samples"),
    ],
)
def test_bad_data_is_named(change, message):
    with pytest.raises(ValueError, match=message):
        Moments.from_data(*change(*simulate(10, 3, 2)))


# Chunks.


@pytest.mark.parametrize("size", [1, 7, 50])
@pytest.mark.parametrize("make", [np.asarray, sparse.csr_array, pd.DataFrame])
def test_chunks_equal_the_whole(size, make):
    X, Y = simulate(50, 6, 3)
    s = np.random.default_rng(1).uniform(0.1, 2, 50)
    chunks = [(make(x), y, w) for x, y, w in in_chunks(X, Y, s, size)]
    whole = Moments.from_data(X, Y, s)
    assert_equal(Moments.from_chunks(chunks), whole)
    assert_equal(Moments.from_chunks(iter(chunks[::-1])), whole)
    assert_equal(sum(Moments.from_data(*chunk) for chunk in chunks), whole)


def test_chunks_of_no_rows_or_no_weight_add_nothing():
    X, Y = simulate(20, 3, 2)
    none, weightless = (X[:0], Y[:0]), (X + 5, Y, np.zeros(20))
    whole = Moments.from_chunks([none, (X[:9], Y[:9]), weightless, none, (X[9:], Y[9:])])
    assert_equal(whole, Moments.from_data(X, Y))


def test_one_chunk_is_in_memory_at_a_time():
    alive = set()

    def make(seed):
        assert not alive
        X, Y = simulate(30, 4, 1, seed=seed)
        alive.add(seed)
        weakref.finalize(X, alive.discard, seed)
        return X, Y

    assert Moments.from_chunks(map(make, range(5))).n_samples == 150
    with pytest.raises(AssertionError):  # as if they were collected first
        Moments.from_chunks(list(map(make, range(5))))


def test_three_tables_of_products_are_in_memory_at_most():
    X, Y = simulate(40, 1500, 1)
    tracemalloc.start()
    moments = Moments.from_chunks(in_chunks(X, Y, size=10))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    # And rows in float64, some at a time.
    assert peak < 3 * moments.xx.nbytes + 4 * _CHUNK_BYTES


def test_adding_makes_no_copies_of_its_products():
    X, Y = simulate(10, 1500, 1)
    moments = Moments.from_data(X, Y)
    tracemalloc.start()
    moments = moments + moments
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2 * moments.xx.nbytes


def test_products_stay_symmetric_to_the_bit():
    X, Y = simulate(60, 5, 3)
    moments = Moments.from_chunks(in_chunks(X, Y)) - Moments.from_data(X[:20], Y[:20])
    assert (moments.xx == moments.xx.T).all()
    assert (moments.yy == moments.yy.T).all()


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (lambda c: [], ValueError, "no chunk has a row of weight > 0"),
        (lambda c: [(c[0][0][:0], c[0][1][:0])], ValueError, "no chunk has a row of weight > 0"),
        (lambda c: [*c, c[0][0]], TypeError, r"chunk 3 is of type ndarray and shape \(7, 3\)"),
        (lambda c: [*c, c[0] * 2], TypeError, "chunk 3 is a tuple of 4"),
        (lambda c: c[0], TypeError, r"chunk 0 is of type ndarray.*Data that are whole go to"),
        (lambda c: ["ab"], TypeError, "chunk 0 is of type str"),
        (lambda c: [*c, (c[0][0], c[1][1][:5])], ValueError, r"chunk 3: X has shape \(7, 3\)"),
        (lambda c: [*c, (c[0][0][:, :2], c[0][1])], ValueError, "chunk 3: .*the same columns"),
        (
            lambda c: [(c[0][0], c[0][1][:, 0]), (c[0][0], c[0][1][:, :1])],
            ValueError,
            "chunk 1: Y had 1 dimensions",
        ),
        (lambda c: [*c, (c[0][0] * np.nan, c[0][1])], ValueError, "chunk 3: 3 of the 3 columns"),
        (lambda c: [(*c[0], -np.ones(7))], ValueError, "chunk 0: sample_weight has 7 negative"),
        (lambda c: [(*c[0], np.zeros(3))], ValueError, "chunk 0: .*inconsistent numbers"),
        (lambda c: [([[1, 2], [3]], [1, 2])], ValueError, "chunk 0: "),
        (lambda c: [(np.array([["a"]]), [1])], ValueError, "chunk 0: X has entries that are not"),
    ],
)
def test_bad_chunks_are_named_by_their_number(change, error, message):
    with pytest.raises(error, match=message):
        Moments.from_chunks(change(in_chunks(*simulate(21, 3, 2))))


def test_names_of_columns_are_kept_and_compared():
    X, Y = simulate(21, 3, 2)
    chunks = in_chunks(pd.DataFrame(X, columns=["a", "b", "c"]), Y)
    assert list(Moments.from_chunks(chunks).feature_names) == ["a", "b", "c"]
    swapped = chunks[1][0][["b", "a", "c"]]
    with pytest.raises(ValueError, match="chunk 1: column 0 of X is 'a' in these"):
        Moments.from_chunks([chunks[0], (swapped, chunks[1][1])])


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


# Rounding.


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
    with pytest.warns(UserWarning, match=r"columns of [XY], first 0, have so little left .*add"):
        left = whole - part
    np.testing.assert_array_equal(left.xx, whole.without(part).xx)
    X[3, 1] = 1e7
    frame = pd.DataFrame(X, columns=["a", "b", "c"])
    whole, part = Moments.from_data(frame, Y), Moments.from_data(frame[:15], Y[:15])
    with pytest.warns(UserWarning, match="1 columns of X, first b, have so little left"):
        whole - part


# What is given wrongly.


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
        (lambda X, Y: (sparse.csr_array(X * 1j), Y), "X is sparse of dtype complex128"),
        (lambda X, Y: (X, Y[:, :0]), r"Y \(10, 0\): .* at least one column each"),
        (lambda X, Y: (X, Y * np.inf), "2 of the 2 columns of Y contain NaN, infinity"),
        (
            lambda X, Y: (X, np.where(np.eye(10, 2, -3) > 0, np.nan, Y)),
            "columns of Y contain .*first [01]",
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
        warnings.simplefilter("ignore", np.exceptions.ComplexWarning)  # of what would be wrong
        with np.errstate(invalid="ignore"), pytest.raises(ValueError, match=message):
            Moments.from_data(*change(*simulate(10, 3, 2)))


def test_a_mask_that_hides_nothing_is_accepted():
    X, Y = simulate(10, 3, 2)
    assert_equal(Moments.from_data(np.ma.array(X), Y), Moments.from_data(X, Y))


@pytest.mark.parametrize(
    "wrong", [np.zeros((7, 1)), np.array(["0"] * 7), [None] * 7, np.zeros(7, complex)], ids=repr
)
def test_only_weights_that_are_numbers_can_be_zero_in_a_chunk(wrong):
    X, Y = simulate(7, 3, 2)
    with pytest.raises(ValueError, match="chunk 1: sample_weight"):
        Moments.from_chunks([(X, Y), (X, Y, wrong)])


def in_float32(n_samples=2000, n_features=20):
    X, Y = simulate(n_samples, n_features, 3, correlation=0.3)
    weights = np.random.default_rng(1).uniform(0.1, 2, n_samples)
    return (10 * X + np.arange(n_features)).astype(np.float32), Y, weights


def test_products_of_float32_keep_its_digits(monkeypatch):
    X, Y, s = in_float32()
    X += 300
    double = Moments.from_data(X.astype(float), Y, s)
    found = Moments.from_data(X, Y, s)
    assert not np.array_equal(found.xx, double.xx), "the products should be those of float32"
    x_size, y_size = (np.sqrt(np.diagonal(squares)) for squares in (double.xx, double.yy))
    # A kernel may add 2000 rows one after another, and round each sum up or down.
    allowed = np.finfo(np.float32).eps * np.sqrt(len(X))
    assert np.abs((found.xx - double.xx) / np.outer(x_size, x_size)).max() < allowed
    assert np.abs((found.xy - double.xy) / np.outer(x_size, y_size)).max() < allowed
    off = np.abs(found.x_mean - double.x_mean) * np.sqrt(double.weight) / x_size
    assert off.max() < allowed
    # Mutant: nothing is taken off the columns first.
    monkeypatch.setattr(moments_module, "_shift", lambda X, s: np.zeros(X.shape[1]))
    _, _, xx, _ = moments_module._shifted_products(X, Y - Y.mean(axis=0), s, np.float32)
    assert np.abs((xx - double.xx) / np.outer(x_size, x_size)).max() > 10 * allowed


@pytest.mark.parametrize(
    "spoil",
    {
        "nearly equal": lambda X: X[:, 1].__setitem__(slice(None), X[:, 0] + 1e-3 * X[:, 1]),
        "far from zero": lambda X: X[:, 1].__iadd__(10_000),
        "tiny": lambda X: X[:, 1].__imul__(1e-25),
        "one huge row": lambda X: X[1].__imul__(1e25),
        "constant": lambda X: X[:, 1].__setitem__(slice(None), 0.1),
    }.items(),
    ids=lambda item: item[0],
)
def test_where_float32_would_lose_digits_products_are_float64(spoil):
    X, Y, s = in_float32()
    spoil[1](X)
    found, double = Moments.from_data(X, Y, s), Moments.from_data(X.astype(float), Y, s)
    for ours, theirs in zip(arrays(found), arrays(double), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_few_rows_of_float32_are_multiplied_in_float64():
    X, Y, s = in_float32(n_samples=200)
    double = Moments.from_data(X.astype(float), Y, s)
    np.testing.assert_array_equal(Moments.from_data(X, Y, s).xx, double.xx)


def test_nearly_equal_columns_need_float64(monkeypatch):
    # Mutant: products in float32 whatever the columns.
    X, Y, s = in_float32()
    X[:, 1] = X[:, 0] + 1e-3 * X[:, 1]
    exact = Moments.from_data(X, Y, s).xx
    monkeypatch.setattr(moments_module, "_float32_suffices", lambda X: True)
    rounded = Moments.from_data(X, Y, s).xx
    apart = np.array([1.0, -1.0])
    least, wrong = (apart @ xx[:2, :2] @ apart for xx in (exact, rounded))
    assert abs(wrong - least) > 1e-4 * least


def test_columns_of_zeros_are_no_reason_against_float32():
    X, Y, s = in_float32()
    X[:, 3] = 0
    found = Moments.from_data(X, Y, s)
    assert not np.array_equal(found.xx, Moments.from_data(X.astype(float), Y, s).xx)
    assert not found.xx[3].any()


@pytest.mark.parametrize("off", [10.0, 1e9])
def test_rows_that_tell_where_columns_are_may_be_wrong(off):
    # Mutants: their weights are not asked for; what they are off by is left in the products.
    X, Y = simulate(1000, 5, 2)
    misleading = np.arange(1000) % 10 == 0
    far = X + off * misleading[:, None]
    kept = Moments.from_data(X[~misleading], Y[~misleading])
    found = Moments.from_data(far, Y, np.where(misleading, 0.0, 1.0))
    assert_equal(replace(found, n_samples=900), kept)
    centred = far - far.mean(axis=0)
    np.testing.assert_allclose(Moments.from_data(far, Y).xx, centred.T @ centred, rtol=1e-12)
    np.testing.assert_allclose(Moments.from_data(far, Y).xy, centred.T @ Y, atol=1e-12 * off * 1e3)


UNITS = [(1.0, 1.0), (1e-60, 1.0), (1.0, 1e-60), (1e60, 1e-60), (1e-60, 1e-60), (1e-140, 1e100)]


def assert_units_do_not_matter(products):
    """Products of float32 rows, of Y and weights in whatever unit, are those of float64."""
    X, Y, s = in_float32()
    Yc = Y - s @ Y / s.sum()
    _, _, xx, xy = moments_module._shifted_products(X, Yc, s, np.float64)
    for y_unit, s_unit in UNITS:
        _, _, found_xx, found_xy = products(X, y_unit * Yc, s_unit * s, np.float32)
        np.testing.assert_allclose(found_xx / s_unit, xx, rtol=1e-4, atol=1e-6 * xx.max())
        np.testing.assert_allclose(
            found_xy / s_unit / y_unit, xy, rtol=1e-4, atol=1e-6 * np.abs(xy).max()
        )


def test_products_of_float32_do_not_depend_on_units(monkeypatch):
    assert_units_do_not_matter(moments_module._shifted_products)
    # Mutant: Y and the weights as they are, which float32 may take for zero.
    monkeypatch.setattr(moments_module, "power_of_four", lambda sizes: 1.0 + 0 * sizes)
    with pytest.raises(AssertionError):
        assert_units_do_not_matter(moments_module._shifted_products)


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
