"""Data of noisy classes, and their log loss by scikit-learn."""

import numpy as np
import pytest
from scipy.special import softmax
from sklearn.metrics import log_loss

from problems import simulate_classes

two_or_more = pytest.mark.parametrize("n_classes", [2, 3, 5])
with_and_without_intercept = pytest.mark.parametrize("fit_intercept", [True, False])


def noisy(n_classes, n_samples=60, n_features=6, seed=0):
    """X with means that are not zero, classes that overlap, and sample weights."""
    X, codes = simulate_classes(n_samples, n_features, n_classes, noise=3, seed=seed)
    return X + 2, codes, np.random.default_rng(seed).uniform(0.1, 2, n_samples)


def random_W(shape, scale=1.0, seed=0):
    return scale * np.random.default_rng(seed).normal(size=shape)


def mean_log_loss(Z, codes, s):
    """By scikit-learn; a single column of Z is the logit of the second class."""
    Z = np.hstack([np.zeros_like(Z), Z]) if Z.shape[1] == 1 else Z
    return log_loss(codes, softmax(Z, axis=1), sample_weight=s, labels=range(Z.shape[1]))
