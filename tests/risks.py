"""Small weighted data for tests of the mean loss, and points W, b to evaluate it at."""

import numpy as np
import pytest
from scipy import sparse

from problems import simulate, simulate_classes
from shrinklin.gradient.risk import SampleRisk
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
    """A loss, X and Y; a third of X is zero, and `mean` moves X and Y away from zero."""
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
    """Random W and b; b is zero if not `moving`."""
    rng = np.random.default_rng(seed)
    W = scale * rng.normal(size=(n_features, n_targets))
    return W, scale * rng.normal(size=n_targets) * moving


def sample_risk(
    name="squared", weighting="uneven", fit_intercept=True, container=np.asarray, cls=SampleRisk
):
    loss, X, Y = data(name)
    s = weights_of(weighting, len(X))
    return cls(loss, container(X), Y, s / s.sum(), fit_intercept)


def assert_close(found, expected, rtol=1e-10):
    """Values and gradients agree, relative to the largest entry of each."""
    for a, b in zip(found, expected, strict=True):
        scale = np.max(np.abs(b), initial=0.0)
        np.testing.assert_allclose(a, b, rtol=rtol, atol=rtol * (scale + (scale == 0)))
