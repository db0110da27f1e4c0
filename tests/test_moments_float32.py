"""Moments of float32: multiplied in float32 where that loses no digits that matter."""

import numpy as np
import pytest

from equal_moments import arrays
from problems import simulate
from shrinklin import Moments
from shrinklin.data import moments as moments_module


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
    # A kernel may add 2000 rows one after another, and round each sum.
    allowed = np.finfo(np.float32).eps * np.sqrt(len(X))
    assert np.abs((found.xx - double.xx) / np.outer(x_size, x_size)).max() < allowed
    assert np.abs((found.xy - double.xy) / np.outer(x_size, y_size)).max() < allowed
    off = np.abs(found.x_mean - double.x_mean) * np.sqrt(double.weight) / x_size
    assert off.max() < allowed
    # Mutant: columns are not shifted first.
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
    # Mutant: products are in float32, whatever the columns.
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


UNITS = [(1.0, 1.0), (1e-60, 1.0), (1.0, 1e-60), (1e60, 1e-60), (1e-60, 1e-60), (1e-140, 1e100)]


def assert_units_do_not_matter(products):
    """Products in float32 equal those in float64, whatever the units of Y and of the weights."""
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
    # Mutant: Y and the weights keep their units, and float32 may round them to zero.
    monkeypatch.setattr(moments_module, "power_of_four", lambda sizes: 1.0 + 0 * sizes)
    with pytest.raises(AssertionError):
        assert_units_do_not_matter(moments_module._shifted_products)
