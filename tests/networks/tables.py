"""Small tables for the estimators of networks."""

import numpy as np
from sklearn.datasets import load_linnerud, load_wine, make_friedman1, make_moons

from shrinklin.networks import ShrinkNetMLPClassifier, ShrinkNetMLPRegressor

# Seconds, not accuracy, decide.
SHORT = {"random_state": 0, "max_epochs": 30, "hidden_layer_sizes": (12,)}
ESTIMATORS = {
    "regressor": ShrinkNetMLPRegressor(**SHORT),
    "classifier": ShrinkNetMLPClassifier(**SHORT),
}


def wine():
    """Three classes, with strings as labels."""
    X, y = load_wine(return_X_y=True)
    return X, np.array(["barolo", "grignolino", "barbera"])[y]


def moons(n_noise=6, seed=0):
    """Two classes that no line tells apart, and columns of noise behind the two that count."""
    X, y = make_moons(400, noise=0.15, random_state=seed)
    return np.c_[X, np.random.default_rng(seed).normal(size=(len(X), n_noise))], y


def friedman(n_samples=300):
    """A target of five of ten columns."""
    return make_friedman1(n_samples, random_state=0, noise=0.5)


def linnerud():
    """Three targets."""
    return load_linnerud(return_X_y=True)


def table_for(kind):
    """Data for an estimator of `ESTIMATORS`."""
    return friedman() if kind == "regressor" else wine()
