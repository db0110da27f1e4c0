"""When two moments are equal, and data whose moments the tests compare."""

import numpy as np

from problems import simulate
from shrinklin import Moments, ShrinkNetRegressor


def arrays(moments):
    return [moments.x_mean, moments.y_mean, moments.xx, moments.xy, moments.yy]


def assert_equal(a, b, lost=None):
    """Equal up to 1e-11 of their size, or of that of `lost`, moments that were subtracted."""
    assert a.n_samples == b.n_samples
    np.testing.assert_allclose(a.weight, b.weight)
    for x, y, size in zip(arrays(a), arrays(b), arrays(lost or b), strict=True):
        np.testing.assert_allclose(x, y, rtol=1e-11, atol=1e-11 * np.abs(size).max())


def far_from_zero(n_samples=500):
    """X with mean 1e8 and deviation 1, Y, and the moments once X is shifted back to mean 0."""
    X, Y = simulate(n_samples, 4, 2)
    return X + 1e8, Y, Moments.from_data((X + 1e8) - 1e8, Y)


def in_chunks(X, Y, s=None, size=7):
    """A list of tuples of `size` rows each."""
    given = (X, Y) if s is None else (X, Y, s)
    return [tuple(a[i : i + size] for a in given) for i in range(0, X.shape[0], size)]


def assert_6_digits(far, near):
    np.testing.assert_allclose(far.xx, near.xx, rtol=1e-6, atol=1e-6 * near.xx.max())
    np.testing.assert_allclose(far.xy, near.xy, rtol=1e-6, atol=1e-6 * np.abs(near.xy).max())
    models = [ShrinkNetRegressor(tol=1e-10).fit_moments(m).coef_ for m in (far, near)]
    np.testing.assert_allclose(*models, rtol=1e-6, atol=1e-6 * np.abs(models[1]).max())
